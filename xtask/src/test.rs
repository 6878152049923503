//! `cargo xtask test`: everything that must hold.

use std::process::Command;
use std::time::Instant;

use crate::environment::{DJUST_VERSIONS, cargo, python, run, system_packages, which};

/// Runs all checks. What would fail for a typing mistake comes first.
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
    step("Rust tests, with real servers and a real browser");
    run(cargo().args(["test", "--quiet", "--workspace", "--no-fail-fast"]))?;
    for (version, python) in &pythons {
        step(&format!("The agent's tests on djust {version}"));
        run(Command::new(python).args(["-m", "pytest", "-q", "-p", "no:cacheprovider", "agent/tests"]))?;
    }
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
    system_packages(&[("chromium", &chromium)])
}
