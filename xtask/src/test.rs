//! `cargo xtask test`: everything that must hold. `cargo xtask check`: what is looked at before a commit.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::scope;
use std::time::Instant;

use anyhow::{Context as _, ensure};
use serde_json::Value;

use crate::audit;
use crate::bundle::{self, Profile};
use crate::environment::{DJUST_VERSIONS, app_packages, as_root, cargo, python, root, run, system_packages, which};
use crate::wasm;
use crate::workspace::Workspace;

/// Tests that measure: their figures hold only when nothing else runs.
const MEASURING: &str = "package(inspector-soak) | package(inspector-bench) | test(time_grows_with_the_size)";
/// Tests that drive the app: they run on the installed package.
const OF_THE_APP: &str = "package(inspector-app) & binary(=app)";

/// Runs all checks, and says at the end what could not be run here.
///
/// There is one build. What needs processors runs beside what waits for servers, browsers and downloads.
pub fn all() -> anyhow::Result<()> {
    let clock = Clock(Instant::now());
    let mut not_run = Vec::new();

    clock.step("Formatting");
    formatting()?;
    clock.step("What the tests stand on, and the window for WebAssembly");
    let (page, prepared) = scope(|scope| {
        let page = scope.spawn(wasm::page);
        let prepared = prepare();
        (join(page), prepared)
    });
    let app_packages = prepared?;
    let page = possible(&mut not_run, "the window in a page, and the installed app", page);
    let with_app = possible(&mut not_run, "the installed app", app_packages) && page;
    let workspace = Workspace { with_app };
    clock.step("One build: lints, tests, the app");
    workspace.build()?;

    clock.step("Rust tests and the agent's tests; beside them the window in a browser, and the package");
    let (rust, beside) = scope(|scope| {
        let clock = &clock;
        let beside = scope.spawn(move || beside_the_rust_tests(clock, workspace, page));
        let filter = format!("not ({MEASURING} | {OF_THE_APP})");
        let rust = workspace.nextest(&filter, threads()).and_then(|mut command| run(&mut command));
        clock.step("The Rust tests are through");
        let mut done = vec![rust];
        for version in DJUST_VERSIONS {
            done.push(agent(clock, version));
        }
        (done, join(beside))
    });
    let failed: Vec<String> = rust
        .into_iter()
        .chain([beside.map(|more| not_run.extend(more))])
        .filter_map(|outcome| outcome.err().map(|error| format!("{error:#}")))
        .collect();
    ensure!(failed.is_empty(), "{}", failed.join("\n"));

    clock.step("Tests that measure, alone");
    run(&mut workspace.nextest(MEASURING, 1)?)?;
    clock.step("Done");
    say_what_was_not_run(&not_run);
    Ok(())
}

/// Formatting, the build with its lints, and the unit tests of the packages that changed since the last commit.
pub fn check() -> anyhow::Result<()> {
    let clock = Clock(Instant::now());
    formatting()?;
    let workspace = Workspace { with_app: bundle::can_be_built() };
    clock.step("Build and lints");
    workspace.build()?;
    let changed = changed_packages()?;
    if changed.is_empty() {
        println!("No package changed since the last commit: no unit tests were run");
    } else {
        clock.step(&format!("Unit tests of {}", changed.iter().map(String::as_str).collect::<Vec<_>>().join(", ")));
        let packages: Vec<String> = changed.iter().map(|name| format!("package({name})")).collect();
        run(&mut workspace.nextest(&format!("(kind(lib) | kind(bin)) & ({})", packages.join(" | ")), threads())?)?;
    }
    clock.step("Done");
    Ok(())
}

/// When a step began, in seconds since the start.
struct Clock(Instant);

impl Clock {
    fn step(&self, name: &str) {
        println!("\n=== {name} ({} s)", self.0.elapsed().as_secs());
    }

    /// Runs a command beside others: what it prints is kept and printed at its end, in one piece.
    fn run_beside(&self, name: &str, command: &mut Command) -> anyhow::Result<()> {
        let shown = format!("{command:?}").replace('"', "");
        let begun = self.0.elapsed().as_secs();
        let output = command.current_dir(root()).output().with_context(|| format!("could not be started: {shown}"))?;
        let mut out = std::io::stdout().lock();
        writeln!(out, "\n=== {name} ({begun} s to {} s)", self.0.elapsed().as_secs())?;
        out.write_all(&output.stdout)?;
        out.write_all(&output.stderr)?;
        ensure!(output.status.success(), "failed ({}): {shown}", output.status);
        Ok(())
    }
}

fn join<T>(thread: std::thread::ScopedJoinHandle<'_, anyhow::Result<T>>) -> anyhow::Result<T> {
    thread.join().unwrap_or_else(|_| Err(anyhow::anyhow!("a task panicked, see above")))
}

/// Tests that run at a time: more than processors, because many wait for a server or a browser.
fn threads() -> usize {
    std::thread::available_parallelism().map_or(2, usize::from) + 1
}

fn formatting() -> anyhow::Result<()> {
    run(cargo().args(["fmt", "--all", "--check"]))?;
    run(cargo().args(["metadata", "--locked", "--format-version", "1"]).stdout(Stdio::null()))
        .context("Cargo.lock does not belong to the manifests")
}

/// System packages and Python environments. The inner error: the app cannot be built here.
fn prepare() -> anyhow::Result<anyhow::Result<()>> {
    system_packages_for_tests()?;
    let app = app_packages();
    for version in DJUST_VERSIONS {
        python(version)?;
    }
    Ok(app)
}

fn agent(clock: &Clock, version: &str) -> anyhow::Result<()> {
    let mut pytest = Command::new(python(version)?);
    pytest.args(["-m", "pytest", "-q", "-p", "no:cacheprovider", "agent/tests"]);
    clock.run_beside(&format!("The agent's tests on djust {version}"), &mut pytest)
}

/// Everything that leaves processors idle, one after the other. The texts that come back: what could not be run here, and why.
fn beside_the_rust_tests(clock: &Clock, workspace: Workspace, page: bool) -> anyhow::Result<Vec<String>> {
    let mut not_run = Vec::new();
    let mut failed = Vec::new();
    let mut note = |outcome: anyhow::Result<()>| {
        if let Err(error) = outcome {
            failed.push(format!("{error:#}"));
        }
    };
    if page {
        note(clock.run_beside("The window's tests in a browser", &mut workspace.cargo(&["test", "--quiet", "--test", "web"])?));
    }
    if workspace.with_app {
        note(app(clock, workspace, &mut not_run));
    }
    clock.step("What is built on: licences, origins, known faults");
    match audit::all() {
        Ok(more) => not_run.extend(more),
        Err(error) => note(Err(error)),
    }
    ensure!(failed.is_empty(), "{}", failed.join("\n"));
    Ok(not_run)
}

/// Makes the package of this system, installs it, runs the app's tests on what was installed, and removes it. Where it cannot be
/// installed, which is noted, the tests run on the app as it was built.
fn app(clock: &Clock, workspace: Workspace, not_run: &mut Vec<String>) -> anyhow::Result<()> {
    let mut tests = workspace.nextest(OF_THE_APP, 1)?;
    let name = "The app, with a real server and a real browser";
    if cfg!(not(target_os = "linux")) {
        not_run.push("the installation of the package: packages are tried on Debian and Ubuntu only".to_owned());
        return clock.run_beside(name, &mut tests);
    }
    let package = bundle::pack("deb", Profile::Dev)?;
    let Some(apt) = as_root("apt-get") else {
        let why = "that needs root, or sudo without a password; the package is";
        not_run.push(format!("the installation of the package: {why} {}", package.display()));
        return clock.run_beside(name, &mut tests);
    };
    let apt = |arguments: &[&str]| {
        let mut command = apt();
        command.args(["-q", "-y", "-o", "DPkg::Lock::Timeout=120"]).args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
        command
    };
    clock.run_beside("The package is installed", apt(&["install", "--no-install-recommends"]).arg(&package))?;
    let tested = clock.run_beside(name, tests.env("DJUST_INSPECTOR_APP", "/usr/bin/djust-inspector-app"));
    tested.and(clock.run_beside("The package is removed", &mut apt(&["remove", bundle::DEB_NAME])))
}

/// Packages of the workspace with files that differ from the last commit, or are new.
fn changed_packages() -> anyhow::Result<BTreeSet<String>> {
    let git = |arguments: &[&str]| -> anyhow::Result<String> {
        let output = Command::new("git").args(arguments).current_dir(root()).output().context("git could not be started")?;
        ensure!(output.status.success(), "git {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8(output.stdout)?)
    };
    let names = git(&["diff", "--name-only", "HEAD"])? + &git(&["ls-files", "--others", "--exclude-standard"])?;
    let output = cargo().args(["metadata", "--no-deps", "--format-version", "1"]).current_dir(root()).output()?;
    let metadata: Value = serde_json::from_slice(&output.stdout).context("cargo metadata")?;
    let mut folders = Vec::new();
    for package in metadata["packages"].as_array().context("cargo metadata lists no packages")? {
        let (name, manifest) = (package["name"].as_str(), package["manifest_path"].as_str());
        let (name, manifest) = name.zip(manifest).context("a package has a name and a manifest")?;
        folders.push((Path::new(manifest).parent().context("a manifest lies in a folder")?.to_owned(), name.to_owned()));
    }
    // The package whose folder is the deepest one around a file.
    let package_of = |file: PathBuf| {
        let around = folders.iter().filter(|(folder, _)| file.starts_with(folder));
        around.max_by_key(|(folder, _)| folder.as_os_str().len()).map(|(_, name)| name.clone())
    };
    Ok(names.lines().filter_map(|name| package_of(root().join(name))).collect())
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
