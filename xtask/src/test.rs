//! `cargo xtask test`: everything that must hold.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::Context as _;

use crate::audit;
use crate::bundle::{self, Profile};
use crate::environment::{DJUST_VERSIONS, app_packages, as_root, cargo, python, run, system_packages, which};
use crate::wasm;

/// Runs all checks, and says at the end what could not be run here. What would fail for a typing mistake comes first.
pub fn all() -> anyhow::Result<()> {
    let begun = Instant::now();
    let step = |name: &str| println!("\n=== {name} ({} s)", begun.elapsed().as_secs());
    let mut not_run = Vec::new();

    step("Formatting");
    run(cargo().args(["fmt", "--all", "--check"]))?;
    run(cargo().args(["metadata", "--locked", "--format-version", "1"]).stdout(Stdio::null()))
        .context("Cargo.lock does not belong to the manifests")?;
    step("What the tests stand on");
    system_packages_for_tests()?;
    let pythons: Vec<_> = DJUST_VERSIONS.iter().map(|version| python(version).map(|python| (version, python))).collect::<Result<_, _>>()?;
    let app = possible(&mut not_run, "the installed app", app_packages());
    step("The window for WebAssembly");
    let page = possible(&mut not_run, "the window in a page, and the installed app", wasm::page());
    let app = app && page;
    step("Lints");
    let mut clippy = cargo();
    clippy.args(["clippy", "--quiet", "--all-targets"]);
    if app {
        clippy.arg("--workspace");
    }
    run(clippy.args(["--", "-D", "warnings"]))?;
    // With what only the benchmark is compared with: nothing else builds it.
    let bench = ["clippy", "--quiet", "--all-targets", "--package", "inspector-bench", "--features", "peers", "--", "-D", "warnings"];
    run(cargo().args(bench))?;
    step("Rust tests, with real servers and a real browser");
    run(cargo().args(["test", "--quiet", "--no-fail-fast"]))?;
    if page {
        step("The window's tests once more, in a browser");
        run(cargo().args(["test", "--quiet", "--package", "inspector-ui", "--features", "web-tests", "--test", "web"]))?;
    }
    if app {
        step("The installed app, with a real server and a real browser");
        run(cargo().args(["test", "--quiet", "--package", "inspector-app"]))?;
        step("The package: made, installed, used, removed");
        possible(&mut not_run, "the installation of the package", package()?);
    }
    for (version, python) in &pythons {
        step(&format!("The agent's tests on djust {version}"));
        run(Command::new(python).args(["-m", "pytest", "-q", "-p", "no:cacheprovider", "agent/tests"]))?;
    }
    step("What is built on: licences, origins, known faults");
    not_run.extend(audit::all()?);
    step("Done");
    say_what_was_not_run(&not_run);
    Ok(())
}

/// Each with its reason.
pub fn say_what_was_not_run(not_run: &[String]) {
    for what in not_run {
        println!("\nNOT RUN: {what}");
    }
}

/// Whether something can be had here; if not, it is noted with the reason.
fn possible(not_run: &mut Vec<String>, what: &str, had: anyhow::Result<()>) -> bool {
    match had {
        Ok(()) => true,
        Err(error) => {
            println!("\nNOT POSSIBLE HERE: {what}: {error:#}");
            not_run.push(format!("{what}: {error:#}"));
            false
        }
    }
}

/// Makes the package of this system, installs it, uses the installed app, and removes it. The inner error: it cannot be installed here.
fn package() -> anyhow::Result<anyhow::Result<()>> {
    if cfg!(not(target_os = "linux")) {
        return Ok(Err(anyhow::anyhow!("packages are tried on Debian and Ubuntu only")));
    }
    let package = bundle::make("deb", Profile::Dev)?;
    let Some(apt) = as_root("apt-get") else {
        return Ok(Err(anyhow::anyhow!("that needs root, or sudo without a password; the package is {}", package.display())));
    };
    let apt = |arguments: &[&str]| {
        let mut command = apt();
        command.args(["-q", "-y", "-o", "DPkg::Lock::Timeout=120"]).args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
        command
    };
    run(apt(&["install", "--no-install-recommends"]).arg(&package))?;
    let tried = run(cargo()
        .args(["test", "--quiet", "--package", "inspector-app", "--test", "app"])
        .env("DJUST_INSPECTOR_APP", "/usr/bin/djust-inspector-app"));
    run(&mut apt(&["remove", bundle::DEB_NAME]))?;
    tried.map(Ok)
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
    let font_with = |sign: &'static str| {
        move || Command::new("fc-list").arg(format!(":charset={sign}")).output().is_ok_and(|fonts| !fonts.stdout.is_empty())
    };
    system_packages(&[
        ("chromium", &chromium),
        ("fontconfig", &|| which(&["fc-list"]).is_some()),
        ("fonts-droid-fallback", &font_with("65e5")),
        ("fonts-noto-color-emoji", &font_with("1f6d2")),
        // Not on everybody's path, but where Debian puts it.
        ("nginx-light", &|| which(&["nginx"]).is_some() || Path::new("/usr/sbin/nginx").is_file()),
        ("openssl", &|| which(&["openssl"]).is_some()),
        ("redis-server", &|| which(&["redis-server"]).is_some()),
    ])
}
