//! One build of the whole workspace, for lints, tests, the app and its package.
//!
//! Clippy's driver is a compiler: with it in rustc's place, the build that makes the tests also lints. Cargo would otherwise compile
//! every dependency twice, once for `cargo clippy` and once for the tests. All commands here select the same packages and features,
//! so that Cargo never builds a second variant of a dependency.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};
use serde_json::Value;

use crate::environment::{cargo, cargo_tool, root, which};

/// The test runner. One of any version that is installed is taken as it is.
const NEXTEST: &str = "0.9.143";

/// Optional code that only a whole build reaches: the page's tests and what the benchmark compares with.
const FEATURES: &str = "inspector-bench/peers,inspector-ui/web-tests";

/// The workspace, with or without the installed app.
#[derive(Clone, Copy)]
pub struct Workspace {
    /// Whether the app is part of it: it needs a webview's development files.
    pub with_app: bool,
}

impl Workspace {
    /// `cargo COMMAND` on all packages, compiled by Clippy's driver.
    pub fn cargo(self, command: &[&str]) -> anyhow::Result<Command> {
        let mut cargo = cargo();
        cargo.args(command).args(self.selection()).env("RUSTC_WORKSPACE_WRAPPER", clippy_driver()?).current_dir(root());
        Ok(cargo)
    }

    fn selection(self) -> Vec<&'static str> {
        let mut selection = vec!["--workspace", "--features", FEATURES];
        if !self.with_app {
            selection.extend(["--exclude", "inspector-app"]);
        }
        selection
    }

    /// Builds every target. Fails on an error and on any warning of the compiler or of Clippy, after showing all of them.
    pub fn build(self) -> anyhow::Result<()> {
        let mut command = self.cargo(&["build", "--quiet", "--all-targets", "--message-format", "json-diagnostic-rendered-ansi"])?;
        let mut building = command.stdout(Stdio::piped()).spawn().context("cargo could not be started")?;
        let mut warnings = 0;
        for line in BufReader::new(building.stdout.take().context("cargo has no output")?).lines() {
            // Build scripts may print other lines.
            let Ok(message) = serde_json::from_str::<Value>(&line?) else { continue };
            if message["reason"] == "compiler-message" {
                warnings += 1;
                eprint!("{}", message["message"]["rendered"].as_str().unwrap_or_default());
            }
        }
        let status = building.wait()?;
        ensure!(status.success(), "the workspace does not build ({status})");
        ensure!(warnings == 0, "the compiler and Clippy say {warnings} things, see above");
        Ok(())
    }

    /// Runs the tests that a nextest filter chooses, as many at a time as `threads`.
    pub fn nextest(self, filter: &str, threads: usize) -> anyhow::Result<Command> {
        let mut command = self.cargo(&["nextest", "run", "--cargo-quiet", "--no-tests", "pass"])?;
        command.args(["--test-threads", &threads.to_string(), "--filterset", filter]);
        if !is_nextest_installed() {
            let tools = cargo_tool("cargo-nextest", NEXTEST)?;
            let folder = tools.parent().context("a program lies in a folder")?.to_owned();
            let path = std::env::var_os("PATH").unwrap_or_default();
            command.env("PATH", std::env::join_paths(std::iter::once(folder).chain(std::env::split_paths(&path)))?);
        }
        Ok(command)
    }
}

fn is_nextest_installed() -> bool {
    cargo().args(["nextest", "--version"]).stderr(Stdio::null()).output().is_ok_and(|output| output.status.success())
}

/// Clippy's driver of the toolchain that runs this.
fn clippy_driver() -> anyhow::Result<PathBuf> {
    let name = format!("clippy-driver{}", std::env::consts::EXE_SUFFIX);
    let beside = std::env::var_os("CARGO").map(PathBuf::from).map(|cargo| cargo.with_file_name(&name)).filter(|file| file.is_file());
    beside.or_else(|| which(&[&name])).context("Clippy is not installed; with rustup: rustup component add clippy")
}
