//! `cargo xtask test`: everything that must hold.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use crate::environment::{DJUST_VERSIONS, cargo, python, run, system_packages, which};

/// Runs all checks, the quick ones first.
pub fn all() -> anyhow::Result<()> {
    let begun = Instant::now();
    let step = |name: &str| println!("\n=== {name} ({} s)", begun.elapsed().as_secs());

    step("Formatting");
    run(cargo().args(["fmt", "--all", "--check"]))?;
    step("What the tests stand on");
    system_packages_for_tests()?;
    let pythons: Vec<_> = DJUST_VERSIONS.iter().map(|version| python(version).map(|python| (version, python))).collect::<Result<_, _>>()?;
    step("Lints");
    run(cargo().args(["clippy", "--quiet", "--workspace", "--all-targets", "--", "-D", "warnings"]))?;
    for (version, python) in &pythons {
        step(&format!("The agent's tests on djust {version}"));
        run(Command::new(python).args(["-m", "pytest", "-q", "-p", "no:cacheprovider", "agent/tests"]))?;
    }
    step("Rust tests, with real servers and a real browser");
    run(cargo().args(["test", "--quiet", "--workspace", "--no-fail-fast"]))?;
    step("Done");
    Ok(())
}

/// Makes the samples anew.
pub fn recordings() -> anyhow::Result<()> {
    system_packages_for_tests()?;
    python(DJUST_VERSIONS[0])?;
    run(cargo().args(["build", "--package", "djust-inspector", "--bin", "djust-inspector"]))?;
    run(cargo().args(["run", "--package", "djust-inspector", "--example", "make_recordings"]))
}

fn system_packages_for_tests() -> anyhow::Result<()> {
    if cfg!(not(target_os = "linux")) {
        return Ok(());
    }
    let chromium = || which(&["chromium", "chromium-browser", "google-chrome"]).is_some() || std::env::var_os("CHROMIUM").is_some();
    let xvfb = || which(&["Xvfb"]).is_some();
    let gl = || has_library("libGL.so.1") && has_library("dri/swrast_dri.so");
    let egl = || has_library("libEGL.so.1");
    let keyboard = || has_library("libxkbcommon-x11.so.0");
    system_packages(&[
        ("chromium", &chromium),
        ("xvfb", &xvfb),
        ("libgl1-mesa-dri", &gl),
        ("libegl1", &egl),
        ("libxkbcommon-x11-0", &keyboard),
    ])
}

fn has_library(name: &str) -> bool {
    ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib"]
        .iter()
        .any(|dir| Path::new(dir).join(name).exists())
}
