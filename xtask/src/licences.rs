//! The licences of everything that a bundle contains, in one text: it is installed beside the program.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, ensure};
use serde_json::Value;

use crate::environment::{cargo, root};

/// Files of a package that hold the text of its licence.
const TEXTS: [&str; 6] = ["LICENSE", "LICENCE", "COPYING", "NOTICE", "UNLICENSE", "AUTHORS"];

/// Writes what `packages` and all that they are built from are licensed under. Fails when a package names no licence.
pub fn write(packages: &[&str], to: &Path) -> anyhow::Result<()> {
    let used = used_by(packages)?;
    let metadata = metadata()?;
    let mut out = String::from("Software in this package, and the terms under which its authors have made it available.\n");
    let mut texts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut nameless = Vec::new();
    for package in metadata["packages"].as_array().context("cargo metadata lists no packages")? {
        let name = format!("{} {}", text(package, "name"), text(package, "version"));
        if !used.contains(&name) || package["source"].is_null() {
            continue;
        }
        let folder = Path::new(text(package, "manifest_path")).parent().context("a manifest lies in a folder")?;
        let licence = match (text(package, "license"), text(package, "license_file")) {
            ("", "") => {
                nameless.push(name);
                continue;
            }
            ("", file) => format!("see {file}"),
            (licence, _) => licence.to_owned(),
        };
        writeln!(out, "\n{name}\n  {licence}\n  {}", text(package, "repository"))?;
        for text in licence_texts(folder)? {
            texts.entry(text).or_default().push(name.clone());
        }
    }
    ensure!(nameless.is_empty(), "these name no licence, so they cannot be passed on: {}", nameless.join(", "));
    for (licence, names) in texts {
        writeln!(out, "\n{}\n{}\n\n{}", "=".repeat(78), names.join(", "), licence.trim())?;
    }
    if let Some(folder) = to.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(to, out).with_context(|| format!("{} cannot be written", to.display()))
}

fn text<'a>(package: &'a Value, key: &str) -> &'a str {
    package[key].as_str().unwrap_or_default()
}

fn licence_texts(folder: &Path) -> anyhow::Result<Vec<String>> {
    let mut texts = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().to_uppercase();
        if entry.file_type()?.is_file() && TEXTS.iter().any(|text| name.starts_with(text)) {
            texts.push(String::from_utf8_lossy(&std::fs::read(entry.path())?).replace("\r\n", "\n"));
        }
    }
    Ok(texts)
}

/// `name version` of every package that is linked into these, on this platform.
fn used_by(packages: &[&str]) -> anyhow::Result<BTreeSet<String>> {
    let mut command = cargo();
    command.args(["tree", "--locked", "--edges", "normal", "--prefix", "none", "--format", "{p}"]);
    for package in packages {
        command.args(["--package", package]);
    }
    let output = command.current_dir(root()).output()?;
    ensure!(output.status.success(), "cargo tree failed: {}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout)?;
    // `serde v1.0.228 (proc-macro)`
    let name = |line: &str| {
        let mut words = line.split_whitespace();
        Some(format!("{} {}", words.next()?, words.next()?.trim_start_matches('v')))
    };
    Ok(lines.lines().filter_map(name).collect())
}

fn metadata() -> anyhow::Result<Value> {
    let output = cargo().args(["metadata", "--locked", "--format-version", "1"]).current_dir(root()).output()?;
    ensure!(output.status.success(), "cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr));
    Ok(serde_json::from_slice(&output.stdout)?)
}
