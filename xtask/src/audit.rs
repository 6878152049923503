//! `cargo xtask audit`: licences, origins and known faults of what we build on, in both languages.
//!
//! `deny.toml` is the policy. Known faults are looked up in databases on the network: where one cannot be reached that is said, and
//! everything else is still checked.

use std::process::Command;

use anyhow::{Context as _, bail, ensure};
use serde_json::Value;

use crate::environment::{DJUST_VERSIONS, cargo_tool, locked, python_tool, root, run};

/// What checks the lock file. Built once, in `target/tools`.
const CARGO_DENY: &str = "0.20.2";
/// What looks Python packages up.
const PIP_AUDIT: &str = "2.10.1";

/// Checks everything. The texts that come back: what could not be looked up here, and why.
pub fn all() -> anyhow::Result<Vec<String>> {
    policy()?;
    let mut not_run = Vec::new();
    for (what, looked_up) in [("known faults of Rust crates", crates()?), ("known faults of Python packages", python_packages()?)] {
        if let Err(error) = looked_up {
            not_run.push(format!("{what}: {error:#}"));
        }
    }
    Ok(not_run)
}

/// What needs no network: the lock file is the manifests', its sources are the registry, its licences are allowed, nothing banned is in it.
pub fn policy() -> anyhow::Result<()> {
    run(&mut deny(&["bans", "licenses", "sources"])?)
}

/// The inner error: the database of advisories cannot be had.
fn crates() -> anyhow::Result<anyhow::Result<()>> {
    // A moment's text begins with its day, as 2026-01-31.
    exceptions_hold(&jiff::Timestamp::now().to_string()[..10])?;
    let mut fetch = Command::new(cargo_tool("cargo-deny", CARGO_DENY)?);
    let fetched = fetch.args(["fetch", "db"]).current_dir(root()).output().context("cargo-deny could not be started")?;
    if !fetched.status.success() {
        return Ok(Err(anyhow::anyhow!("the database of RustSec cannot be had: {}", last_line(&fetched.stderr))));
    }
    run(&mut deny(&["advisories"])?).map(Ok)
}

/// The inner error: no service that knows of faults can be reached.
fn python_packages() -> anyhow::Result<anyhow::Result<()>> {
    let python = python_tool("pip-audit", PIP_AUDIT)?;
    for version in DJUST_VERSIONS {
        let mut audit = Command::new(&python);
        audit.args(["-m", "pip_audit", "--format", "json", "--progress-spinner", "off", "--require-hashes", "--disable-pip", "-r"]);
        let audited = audit.arg(locked(version)).output()?;
        let Ok(found) = serde_json::from_slice::<Value>(&audited.stdout) else {
            return Ok(Err(anyhow::anyhow!("PyPI's advisories cannot be had: {}", last_line(&audited.stderr))));
        };
        let packages = found["dependencies"].as_array().context("pip-audit told no dependencies")?;
        // A mirror may have the packages and know nothing of their faults.
        if let Some(unknown) = packages.iter().find(|package| package["skip_reason"].is_string()) {
            return Ok(Err(anyhow::anyhow!("{}", unknown["skip_reason"].as_str().unwrap_or_default())));
        }
        let faulty: Vec<String> = packages
            .iter()
            .filter(|package| package["vulns"].as_array().is_some_and(|known| !known.is_empty()))
            .map(|package| format!("{} {}: {}", package["name"], package["version"], package["vulns"]))
            .collect();
        ensure!(faulty.is_empty(), "with djust {version}:\n{}", faulty.join("\n"));
    }
    Ok(Ok(()))
}

/// Fails when the day of an exception in `deny.toml` is over, or it names none.
fn exceptions_hold(today: &str) -> anyhow::Result<()> {
    let policy: toml::Table = std::fs::read_to_string(root().join("deny.toml"))?.parse().context("deny.toml")?;
    let ignored = policy["advisories"]["ignore"].as_array().context("deny.toml has no advisories.ignore")?;
    for exception in ignored {
        let text = |key: &str| exception.get(key).and_then(toml::Value::as_str).unwrap_or_default();
        let Some(until) = text("reason").strip_prefix("until ").and_then(|rest| rest.get(..10)) else {
            bail!("deny.toml: the exception {} does not begin with \"until\" and a date", text("id"));
        };
        // Dates of this form are in the order of their texts.
        ensure!(until >= today, "deny.toml: the exception {} held until {until}: look at it again", text("id"));
    }
    Ok(())
}

fn deny(checks: &[&str]) -> anyhow::Result<Command> {
    let mut command = Command::new(cargo_tool("cargo-deny", CARGO_DENY)?);
    // Otherwise it looks at the program alone, and not at the installed app.
    command.args(["--workspace", "--locked", "--log-level", "error", "check", "--hide-inclusion-graph"]).args(checks);
    Ok(command)
}

fn last_line(output: &[u8]) -> String {
    String::from_utf8_lossy(output).lines().rfind(|line| !line.trim().is_empty()).unwrap_or("it said nothing").trim().to_owned()
}
