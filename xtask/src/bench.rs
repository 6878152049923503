//! `cargo xtask bench`: measures everything beside its peers, and writes `docs/PERFORMANCE.md`.
//!
//! Rust's peers are built with the benchmark. Those of Node and Python are installed into `target/bench` at the versions that
//! `bench/peers` names; each of their cases is a process of its own with a deadline, since some of them never end.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use serde_json::{Value, json};

use crate::environment::{DJUST_VERSIONS, cargo, executable, make_venv, python, root, run, target, which};

/// The parts that the benchmark's own program has, and the others.
const PROGRAM: [&str; 5] = ["ingest", "disk", "scrub", "big", "kills"];
const OTHERS: [&str; 5] = ["compare", "node", "python", "agent", "window"];

/// How long a peer may take for one case.
const DEADLINE: Duration = Duration::from_secs(30);

/// Peers that compare two trees, as the scripts call them.
const NODE_DIFFS: [&str; 5] = ["fast-json-patch", "microdiff", "jsondiffpatch", "jsondiffpatch, objectHash", "jsondiffpatch, text diffs"];
const PYTHON_DIFFS: [&str; 3] = ["jsonpatch", "DeepDiff", "DeepDiff, ignore_order"];

/// Runs all parts, or one, and writes the document.
pub fn all(quick: bool, only: Option<&str>) -> anyhow::Result<()> {
    if let Some(only) = only {
        let known = || PROGRAM.into_iter().chain(OTHERS).chain(["report"]);
        ensure!(known().any(|part| part == only), "there is no part {only}; parts are {}", known().collect::<Vec<_>>().join(", "));
    }
    let wanted = |part: &str| only.is_none_or(|only| only == part);
    run(cargo().args(["build", "--release", "--package", "inspector-bench", "--features", "peers"]))?;
    let program = |part: &str| {
        println!("\n=== {part}");
        let mut command = Command::new(executable(&target().join("release"), "inspector-bench"));
        command.arg(part).args(quick.then_some("--quick"));
        run(&mut command)
    };
    for part in PROGRAM.into_iter().filter(|part| wanted(part)) {
        program(part)?;
    }
    if wanted("compare") {
        println!("\n=== compare");
        let mut command = cargo();
        command.args(["bench", "--quiet", "--package", "inspector-bench", "--features", "peers", "--bench", "compare", "--", "--noplot"]);
        run(command.args(quick.then_some("--quick")))?;
    }
    if wanted("node") || wanted("python") {
        program("files")?;
    }
    if wanted("node") {
        node(quick)?;
    }
    if wanted("python") {
        in_python()?;
    }
    if wanted("agent") {
        agent()?;
    }
    if wanted("window") {
        window()?;
    }
    // A quick run is no measurement.
    if quick { Ok(()) } else { program("report") }
}

fn folder() -> PathBuf {
    target().join("bench")
}

/// Peers in Node: what differs between two states, and the recorder of Redux's tools.
fn node(quick: bool) -> anyhow::Result<()> {
    println!("\n=== node");
    let from = root().join("bench/peers/node");
    let to = folder().join("node");
    ensure!(
        which(&["node"]).is_some() && which(&["npm"]).is_some(),
        "Node and npm are needed; on Debian or Ubuntu: sudo apt-get install nodejs npm"
    );
    fs::create_dir_all(&to)?;
    let lock = fs::read(from.join("package-lock.json"))?;
    let is_there = fs::read(to.join("installed")).is_ok_and(|installed| installed == lock);
    for file in ["package.json", "package-lock.json", ".npmrc", "diff.mjs", "redux.mjs"] {
        fs::copy(from.join(file), to.join(file))?;
    }
    if !is_there {
        let npm = Command::new("npm").args(["ci", "--silent", "--no-audit", "--no-fund"]).current_dir(&to).status()?;
        ensure!(npm.success(), "npm could not install the peers of bench/peers/node");
        fs::write(to.join("installed"), lock)?;
    }
    let mut measures = diffs(&NODE_DIFFS, |library| {
        let mut command = Command::new("node");
        command.arg(to.join("diff.mjs")).arg(library);
        command
    })?;
    for (steps, case) in if quick { vec![(1_000, "1,000")] } else { vec![(10_000, "10,000"), (100_000, "100,000")] } {
        let mut command = Command::new("node");
        // More than it takes by itself, or it would end for want of memory.
        command.args(["--expose-gc", "--max-old-space-size=12000"]).arg(to.join("redux.mjs"));
        let result = output(command.arg(folder().join("data/states.ndjson")).arg(steps.to_string()))?;
        let who = |what: &str| format!("Redux DevTools, {what}{case} states");
        let mut put = |table: &str, case: &str, who: String, key: &str| measures.push(measure(table, case, &who, result.as_ref(), key));
        put("encode", "b", who("parse and dispatch, of "), "micros");
        put("scrub", "b p50", who("a jump among "), "p50");
        put("scrub", "b p99", who("a jump among "), "p99");
        put("memory", case, "Redux DevTools, states as JSON".to_owned(), "megabytes");
    }
    write("node", &measures)
}

/// Peers in Python: what differs between two states.
fn in_python() -> anyhow::Result<()> {
    println!("\n=== python");
    let from = root().join("bench/peers/python");
    let wanted = fs::read_to_string(from.join("requirements.txt"))?;
    let python = make_venv(&folder().join("venv"), &wanted, &["-r".as_ref(), from.join("requirements.txt").as_os_str()])?;
    let measures = diffs(&PYTHON_DIFFS, |library| {
        let mut command = Command::new(&python);
        command.arg(from.join("diff.py")).arg(library);
        command
    })?;
    write("python", &measures)
}

/// What the agent costs an event, beside djust's own recording: measured where it runs.
fn agent() -> anyhow::Result<()> {
    println!("\n=== agent");
    let script = root().join("agent/bench/cost.py");
    let output =
        Command::new(python(DJUST_VERSIONS[0])?).arg(script).arg("--json").current_dir(root()).stderr(Stdio::inherit()).output()?;
    ensure!(output.status.success(), "the agent's cost could not be measured ({})", output.status);
    let found: Value = serde_json::from_slice(&output.stdout).context("what the agent's measurement prints")?;
    let mut measures = Vec::new();
    for case in found["cases"].as_array().context("the agent's measurement has no cases")? {
        let name = case["title"].as_str().context("a case without a title")?;
        let rows = [
            ("own", "inspector attached", "attached_us"),
            ("own", "inspector, nobody attached", "detached_us"),
            ("limit", "djust alone, the whole event", "event_us"),
            ("peer", "djust, time_travel_enabled", "recorded_us"),
            ("own", "the two states alone", "states_agent_us"),
            ("peer", "djust, the two states alone", "states_djust_us"),
        ];
        for (role, who, key) in rows {
            println!("{name:<46} {who:<32} {}", case[key]);
            measures.push(json!({"table": "agent", "role": role, "who": who, "case": name, "value": case[key], "note": null}));
        }
    }
    write("agent", &measures)
}

/// What the window costs per frame, over a million steps.
fn window() -> anyhow::Result<()> {
    println!("\n=== window");
    let mut command = cargo();
    command.args(["run", "--release", "--quiet", "--package", "inspector-ui", "--example", "frames", "--", "--json"]);
    let output = command.current_dir(root()).stderr(Stdio::inherit()).output()?;
    ensure!(output.status.success(), "the window could not be measured ({})", output.status);
    let found: Value = serde_json::from_slice(&output.stdout).context("what the window's measurement prints")?;
    let put = |role: &str, who: &str, case: &str, value: &Value| json!({"table": "window", "role": role, "who": who, "case": case, "value": value, "note": null});
    let mut measures = Vec::new();
    for part in found["parts"].as_array().context("the window's measurement has no parts")? {
        let who = part["name"].as_str().context("a part without a name")?;
        for (case, key) in [("p50", "p50_ms"), ("p99", "p99_ms"), ("worst", "max_ms")] {
            println!("{who:<32} {case:<6} {}", part[key]);
            measures.push(put("own", who, case, &part[key]));
        }
    }
    for case in ["p50", "p99", "worst"] {
        measures.push(put("limit", "half a frame at 60 a second", case, &json!(8.0)));
    }
    write("window", &measures)
}

/// Each library on each pair of states.
fn diffs(libraries: &[&str], command: impl Fn(&str) -> Command) -> anyhow::Result<Vec<Value>> {
    let mut measures = Vec::new();
    for pair in pairs()? {
        let case = pair.file_name().unwrap_or_default().to_string_lossy().into_owned();
        for library in libraries {
            // Texts are no matter of the others.
            if library.ends_with("text diffs") && !case.starts_with('d') {
                continue;
            }
            let file = |end: &str| pair.with_file_name(format!("{case}.{end}.json"));
            let result = output(command(library).arg(file("before")).arg(file("after")))?;
            measures.push(measure("diff", &case, library, result.as_ref(), "micros"));
        }
    }
    Ok(measures)
}

/// The pairs in `target/bench/data`, by their names.
fn pairs() -> anyhow::Result<Vec<PathBuf>> {
    let mut pairs = Vec::new();
    for entry in fs::read_dir(folder().join("data"))? {
        let path = entry?.path();
        if let Some(name) = path.to_str().and_then(|name| name.strip_suffix(".before.json")) {
            pairs.push(name.into());
        }
    }
    pairs.sort();
    Ok(pairs)
}

/// One figure, as `inspector-bench` reads it.
fn measure(table: &str, case: &str, who: &str, result: Option<&Value>, key: &str) -> Value {
    let note = match result {
        None => Some(format!("not in {} s", DEADLINE.as_secs())),
        Some(result) if result["failed"].is_string() => result["failed"].as_str().map(str::to_owned),
        Some(result) => result["changes"].as_u64().map(|changes| format!("{changes} changes")),
    };
    let value = result.and_then(|result| result[key].as_f64());
    println!("{table:<8} {case:<14} {who:<46} {:>14.3} {}", value.unwrap_or(f64::NAN), note.as_deref().unwrap_or_default());
    json!({"table": table, "role": "peer", "who": who, "case": case, "value": value, "note": note})
}

/// The JSON that a peer prints. `None` when it takes too long.
fn output(command: &mut Command) -> anyhow::Result<Option<Value>> {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().with_context(|| format!("{command:?}"))?;
    let end = Instant::now() + DEADLINE;
    // What it prints is one line, so the pipe does not fill up.
    while child.try_wait()?.is_none() {
        if Instant::now() > end {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        sleep(Duration::from_millis(20));
    }
    let output = child.wait_with_output()?;
    if !output.status.success() {
        return Ok(Some(json!({"failed": format!("fails ({})", output.status)})));
    }
    match serde_json::from_slice(&output.stdout) {
        Ok(value) => Ok(Some(value)),
        Err(error) => bail!("{command:?} printed {:?}: {error}", String::from_utf8_lossy(&output.stdout)),
    }
}

fn write(name: &str, measures: &[Value]) -> anyhow::Result<()> {
    let file: &Path = &folder().join(format!("{name}.json"));
    Ok(fs::write(file, serde_json::to_vec_pretty(measures)?)?)
}
