//! `cargo xtask fuzz`: the long form of the fuzzing, with cargo-fuzz and libFuzzer. The short form is a test of `fuzz/`.
//!
//! Without a sanitizer: what is fuzzed is safe Rust, and what is looked for are panics, hangs, memory and broken promises. So a stable
//! toolchain does, which lets in the flags of coverage only when it is told so.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, ensure};

use crate::environment::{cargo, cargo_tool, root, run, target};

/// The version of cargo-fuzz that is installed.
const CARGO_FUZZ: &str = "0.13.2";
/// The most bytes of an input, the most seconds of a run, and the most megabytes of the process: a recording may be decompressed to 264.
const LIMITS: [&str; 3] = ["-max_len=262144", "-timeout=20", "-rss_limit_mb=2048"];

/// Fuzzes one target, or each, for so many minutes; or runs one input.
pub fn all(wanted: Option<&str>, minutes: u32, input: Option<&Path>) -> anyhow::Result<()> {
    let targets = targets()?;
    if let Some(wanted) = wanted {
        ensure!(targets.iter().any(|target| target == wanted), "there is no target {wanted}; there are {}", targets.join(", "));
    }
    if let (Some(wanted), Some(input)) = (wanted, input) {
        let input = input.canonicalize().with_context(|| format!("there is no such input: {}", input.display()))?;
        return run(plain().arg(wanted).arg(input));
    }
    let fuzz = cargo_tool("cargo-fuzz", CARGO_FUZZ);
    if let Err(error) = &fuzz {
        println!("\nNOT LED BY COVERAGE: cargo-fuzz cannot be had here, inputs are changed at random instead: {error:#}\n");
    }
    for target in targets.iter().filter(|target| wanted.is_none_or(|wanted| wanted == *target)) {
        println!("\n=== {target}, {minutes} minutes");
        match &fuzz {
            Ok(tool) => led(tool, target, minutes)?,
            Err(_) => run(plain().arg(target).arg("--minutes").arg(minutes.to_string()))?,
        }
    }
    Ok(())
}

/// The programs of `fuzz/`, by their files.
fn targets() -> anyhow::Result<Vec<String>> {
    let files = std::fs::read_dir(root().join("fuzz/fuzz_targets"))?;
    let mut names: Vec<String> =
        files.filter_map(Result::ok).filter_map(|file| Some(file.path().file_stem()?.to_str()?.to_owned())).collect();
    names.sort();
    Ok(names)
}

fn plain() -> Command {
    let mut command = cargo();
    command.args(["run", "--quiet", "--release", "--package", "inspector-fuzz", "--example", "plain", "--"]);
    command
}

/// New inputs that reach something new stay in `target/fuzz/corpus`; what breaks something in `target/fuzz/failed`.
fn led(tool: &Path, name: &str, minutes: u32) -> anyhow::Result<()> {
    let folder = target().join("fuzz");
    let (found, failed, temporary) = (folder.join("corpus").join(name), folder.join("failed"), folder.join("temporary"));
    for folder in [&found, &failed, &temporary] {
        std::fs::create_dir_all(folder)?;
    }
    let mut command = Command::new(tool);
    command
        .args(["run", "--fuzz-dir", "fuzz", "--sanitizer", "none", "--features", "libfuzzer", "--target-dir"])
        .arg(folder.join("build"))
        .arg(name)
        .arg(&found)
        .arg(root().join("fuzz/corpus").join(name));
    if name == "recording" {
        command.arg(root().join("recordings")).arg(root().join("crates/store/tests/format_1"));
    }
    command
        .arg("--")
        .args(LIMITS)
        .arg(format!("-max_total_time={}", u64::from(minutes) * 60))
        .arg(format!("-artifact_prefix={}/{name}-", failed.display()))
        // A library is left behind by a process that is killed.
        .env("TMPDIR", &temporary)
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
        .env("CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS", "true");
    let outcome = run(&mut command);
    std::fs::remove_dir_all(&temporary)?;
    outcome
}
