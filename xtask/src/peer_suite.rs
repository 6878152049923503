//! `cargo xtask peer-suite`: djust's own tests, without the agent and with it recording, compared test by test.
//!
//! The tests come with djust's own package, whose hash is in the lock file: nothing of them is kept here but the names of the files.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail, ensure};
use serde_json::Value;

use crate::environment::{DJUST_VERSIONS, locked, make_venv, root, target};

/// How one of the two runs ended.
struct Run {
    /// By the test's name: its outcome, and why it failed.
    tests: BTreeMap<String, (String, String)>,
    wall: f64,
    cpu: f64,
    /// What the inspector and the agent told of themselves.
    agent: Value,
}

/// Runs them twice, prints what differs and what it cost, and fails when anything differs.
pub fn all() -> anyhow::Result<()> {
    let python = environment()?;
    let tests = tests(&python)?;
    let plain = run(&python, &tests, false)?;
    let recorded = run(&python, &tests, true)?;
    compare(&plain, &recorded)
}

/// The Python that has djust as it is tested, and what its own tests are run with.
fn environment() -> anyhow::Result<PathBuf> {
    let (lock, more) = (locked(DJUST_VERSIONS[0]), root().join("agent/peer_suite/requirements.txt"));
    let wanted = std::fs::read_to_string(&lock)? + &std::fs::read_to_string(&more)?;
    let packages: [&OsStr; 5] = ["--require-hashes".as_ref(), "-r".as_ref(), lock.as_os_str(), "-r".as_ref(), more.as_os_str()];
    make_venv(&target().join("venvs/peer-suite"), &wanted, &packages)
}

/// The chosen files of djust's tests.
fn tests(python: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let code = "import importlib.util, pathlib; print(pathlib.Path(importlib.util.find_spec('djust').origin).parent)";
    let output = Command::new(python).args(["-c", code]).output()?;
    ensure!(output.status.success(), "djust is not in {}", python.display());
    let folder = Path::new(String::from_utf8(output.stdout)?.trim()).join("tests");
    let chosen = std::fs::read_to_string(root().join("agent/peer_suite/tests.txt"))?;
    let files: Vec<PathBuf> = chosen.lines().map(|name| folder.join(name)).collect();
    let missing: Vec<String> = files.iter().filter(|file| !file.is_file()).map(|file| file.display().to_string()).collect();
    ensure!(missing.is_empty(), "this djust does not have {}", missing.join(", "));
    Ok(files)
}

/// One run of all of them.
fn run(python: &Path, tests: &[PathBuf], agent: bool) -> anyhow::Result<Run> {
    println!("\n=== djust's own tests, {}", if agent { "with the agent and an inspector that reads" } else { "without the agent" });
    let report = target().join("peer-suite").join(if agent { "recorded.json" } else { "plain.json" });
    std::fs::create_dir_all(report.parent().context("no folder")?)?;
    if report.exists() {
        std::fs::remove_file(&report)?;
    }
    let mut pytest = Command::new(python);
    pytest.args(["-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "peer_plugin", "-o", "asyncio_mode=auto", "-o", "addopts="]);
    pytest.args(["--ds", "peer_settings", "--tb=no", "-W", "ignore", "--rootdir"]).arg(root().join("agent/peer_suite")).args(tests);
    pytest.env("PYTHONPATH", root().join("agent/peer_suite")).env("PYTHONDONTWRITEBYTECODE", "1");
    pytest.env("PEER_SUITE_REPORT", &report).env("PEER_SUITE_AGENT", if agent { "1" } else { "0" }).env_remove("DJUST_INSPECTOR");
    // Whether tests fail is not asked here: some of djust's want its own repository around them.
    pytest.current_dir(target().join("peer-suite")).status()?;
    let text = std::fs::read_to_string(&report).context("the tests did not come to their end")?;
    let told: Value = serde_json::from_str(&text)?;
    let tests = told["tests"].as_object().context("the report has no tests")?.iter();
    let text_of = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Ok(Run {
        tests: tests.map(|(name, each)| (name.clone(), (text_of(&each["outcome"]), text_of(&each["why"])))).collect(),
        wall: told["wall"].as_f64().unwrap_or_default(),
        cpu: told["cpu"].as_f64().unwrap_or_default(),
        agent: told["agent"].clone(),
    })
}

/// Prints the counts, what differs and the overhead.
fn compare(plain: &Run, recorded: &Run) -> anyhow::Result<()> {
    let passed = |run: &Run| run.tests.values().filter(|(outcome, _)| outcome == "passed").count();
    let frames = &recorded.agent["frames"];
    println!(
        "\nwithout the agent {} of {} tests pass, with it {} of {}",
        passed(plain),
        plain.tests.len(),
        passed(recorded),
        recorded.tests.len()
    );
    println!("the inspector read {} bytes: {frames}", recorded.agent["bytes"]);
    let percent = |with: f64, without: f64| 100.0 * (with - without) / without;
    println!("processor time {:.1} s and {:.1} s: {:+.1} %", plain.cpu, recorded.cpu, percent(recorded.cpu, plain.cpu));
    println!("by the clock {:.1} s and {:.1} s: {:+.1} %", plain.wall, recorded.wall, percent(recorded.wall, plain.wall));

    let absent = ("is absent".to_owned(), String::new());
    let mut names: Vec<&String> = plain.tests.keys().chain(recorded.tests.keys()).collect();
    names.sort();
    names.dedup();
    let mut different = 0;
    for name in names {
        let (before, after) = (plain.tests.get(name).unwrap_or(&absent), recorded.tests.get(name).unwrap_or(&absent));
        if before.0 != after.0 {
            different += 1;
            println!("\n{name}: {} without the agent, {} with it\n{}{}", before.0, after.0, before.1, after.1);
        }
    }
    let errors = recorded.agent["errors"].as_object().context("the agent did not tell of its errors")?;
    for (error, trace) in errors {
        println!("\nan error of the agent: {error}\n{}", trace.as_str().unwrap_or_default());
    }
    if let Some(ended) = recorded.agent["ended"].as_str() {
        bail!("the inspector was sent away: {ended}");
    }
    ensure!(frames["step"].as_u64().unwrap_or_default() > 100, "the inspector was told next to nothing: {frames}");
    ensure!(passed(plain) > 900, "only {} tests pass even without the agent", passed(plain));
    ensure!(different == 0, "{different} tests end otherwise with the agent");
    ensure!(errors.is_empty(), "the agent had {} errors", errors.len());
    Ok(())
}
