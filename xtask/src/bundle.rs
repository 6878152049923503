//! `cargo xtask bundle`: what users install.
//!
//! The app is built by cargo as always; Tauri's own tool only packs it. That tool comes ready-made from npm where npm is there,
//! and is built by cargo otherwise.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail, ensure};
use serde_json::json;

use crate::environment::{app_packages, cargo, root, run, target, which};
use crate::{licences, wasm};

/// Of the family that `tauri` in `Cargo.toml` belongs to.
const TAURI_CLI: &str = "2.12.5";

/// What Debian calls the package.
pub const DEB_NAME: &str = "djust-inspector";

/// Bundle formats of this platform. The first must succeed; each other one may be impossible on this machine, which is said.
const FORMATS: &[&str] = if cfg!(target_os = "macos") {
    &["app", "dmg"]
} else if cfg!(windows) {
    &["nsis", "msi"]
} else {
    &["deb", "appimage"]
};

/// How the programs in a bundle are built.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// As tests do: fast to build.
    Dev,
    /// For users.
    Release,
}

impl Profile {
    fn folder(self) -> &'static str {
        if self == Self::Dev { "debug" } else { "release" }
    }
}

/// Makes every bundle that can be made here, and says where they are and what could not be made.
pub fn all(profile: Profile) -> anyhow::Result<()> {
    let mut made = vec![make(FORMATS[0], profile)?];
    let mut impossible = Vec::new();
    for format in &FORMATS[1..] {
        match make(format, profile) {
            Ok(file) => made.push(file),
            Err(error) => impossible.push(format!("{format}: {error:#}")),
        }
    }
    println!();
    for file in made {
        println!("Made {}", file.display());
    }
    for why in impossible {
        println!("NOT MADE {why}");
    }
    Ok(())
}

/// Whether the app can be built now: what it is built with is installed, and its page was made.
pub fn can_be_built() -> bool {
    let webview = || Command::new("pkg-config").args(["--exists", "webkit2gtk-4.1"]).status().is_ok_and(|status| status.success());
    root().join("target/web/index.html").is_file() && (cfg!(not(target_os = "linux")) || webview())
}

/// Builds and packs one bundle and gives its file.
pub fn make(format: &str, profile: Profile) -> anyhow::Result<PathBuf> {
    app_packages()?;
    wasm::page()?;
    let mut build = cargo();
    build.args(["build", "--package", "djust-inspector", "--bin", "djust-inspector", "--package", "inspector-app"]);
    if profile == Profile::Release {
        build.arg("--release");
    }
    run(&mut build)?;
    pack(format, profile)
}

/// Packs what was built into one bundle and gives its file.
pub fn pack(format: &str, profile: Profile) -> anyhow::Result<PathBuf> {
    let licences = target().join("bundle/LICENCES.txt");
    licences::write(&["djust-inspector", "inspector-app"], &licences)?;
    let built = target().join(profile.folder());
    let mut tauri = tauri_cli()?;
    tauri.args(["bundle", "--ci", "--bundles", format, "--config", &with_files(&built, &licences).to_string()]);
    if profile == Profile::Dev {
        tauri.arg("--debug");
    }
    let folder = built.join("bundle").join(if format == "app" { "macos" } else { format });
    // What an earlier version left there must not be taken for this one.
    let _ = std::fs::remove_dir_all(&folder);
    let output = tauri.current_dir(root().join("src-tauri")).output().context("Tauri's tool could not be started")?;
    ensure!(output.status.success(), "Tauri's tool failed:\n{}", tail(&[output.stdout, output.stderr].concat()));
    let extension = match format {
        "appimage" => "AppImage",
        "nsis" => "exe",
        other => other,
    };
    let found = std::fs::read_dir(&folder)?.filter_map(Result::ok).map(|entry| entry.path());
    let file = found.into_iter().find(|path| path.extension().is_some_and(|is| is == extension));
    file.with_context(|| format!("Tauri's tool left no .{extension} in {}", folder.display()))
}

/// What goes into a bundle beside the app: the program with the native window, where the app looks for it, and the licences.
fn with_files(built: &Path, licences: &Path) -> serde_json::Value {
    let program = format!("djust-inspector{}", std::env::consts::EXE_SUFFIX);
    if cfg!(target_os = "linux") {
        let files = json!({
            "/usr/bin/djust-inspector": built.join(program),
            "/usr/share/doc/djust-inspector/LICENCES.txt": licences,
        });
        return json!({"bundle": {"linux": {"deb": {"files": files}, "appimage": {"files": files}}}});
    }
    json!({"bundle": {"resources": {built.join(&program).to_string_lossy(): program, licences.to_string_lossy(): "LICENCES.txt"}}})
}

/// Tauri's tool, got once into `target/tools`.
fn tauri_cli() -> anyhow::Result<Command> {
    let folder = target().join("tools").join(format!("tauri-cli-{TAURI_CLI}"));
    let from_npm = folder.join("node_modules/@tauri-apps/cli/tauri.js");
    let from_cargo = folder.join("bin").join(format!("cargo-tauri{}", std::env::consts::EXE_SUFFIX));
    let node = which(&["node"]).filter(|_| which(&["npm"]).is_some());
    if !from_npm.is_file() && !from_cargo.is_file() {
        std::fs::create_dir_all(&folder)?;
        if node.is_some() {
            println!("Getting Tauri's tool from npm");
            let mut npm = Command::new("npm");
            npm.args(["install", "--silent", "--no-audit", "--no-fund", "--prefix"]).arg(&folder);
            run(npm.arg(format!("@tauri-apps/cli@{TAURI_CLI}")))?;
        } else {
            println!("Building Tauri's tool; this takes some minutes, once. With npm installed it comes ready-made");
            run(cargo().args(["install", "--locked", "--version", TAURI_CLI, "--root"]).arg(&folder).arg("tauri-cli"))?;
        }
    }
    if let (true, Some(node)) = (from_npm.is_file(), node) {
        let mut command = Command::new(node);
        command.arg(from_npm);
        return Ok(command);
    }
    if from_cargo.is_file() {
        let mut command = Command::new(from_cargo);
        command.arg("tauri");
        return Ok(command);
    }
    bail!("Tauri's tool is not in {} although it was installed there; remove that folder and try again", folder.display())
}

/// The last lines of what a tool said.
fn tail(output: &[u8]) -> String {
    let text = String::from_utf8_lossy(output);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(12)..].join("\n")
}
