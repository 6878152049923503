//! The program itself, as a script or a terminal has it.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use inspector_test_support::{Browser, DjustServer, Page, ServerOptions, inject_dir, test_id, venv, workspace_root};
use serde_json::Value;
use tokio::runtime::Runtime;

const DEADLINE: Duration = Duration::from_mins(1);

/// The program with folders of its own.
pub struct Program {
    pub home: tempfile::TempDir,
}

impl Program {
    pub fn new() -> Self {
        Self { home: tempfile::tempdir().expect("a temporary folder") }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_djust-inspector"));
        command
            .args(arguments)
            .env("HOME", self.home.path())
            .env("XDG_CACHE_HOME", self.path("cache"))
            .env("DJUST_INSPECTOR_DATA_DIR", self.path("data"))
            .env("DJUST_INSPECTOR_RUNTIME_DIR", self.path("runtime"))
            .env_remove("DJUST_INSPECTOR_TOKEN");
        command
    }

    pub fn output(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("the program runs")
    }

    pub fn json(&self, arguments: &[&str]) -> Value {
        let output = self.output(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).expect("JSON")
    }
}

/// A copy of the project on a free port, not running; its server is started by the program under test.
pub struct Project {
    pub runtime: Runtime,
    pub server: DjustServer,
    browser: Browser,
    pub python: PathBuf,
}

impl Project {
    pub fn new() -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let (server, browser) = runtime.block_on(async {
            let mut server = DjustServer::start(ServerOptions::default()).await.expect("the server starts");
            server.stop().await.expect("the server stops");
            (server, Browser::launch().await.expect("the browser starts"))
        });
        let python = venv("1.2.6").expect("an environment");
        let prepared =
            Command::new(&python).args(["manage.py", "prepare"]).current_dir(server.project_dir()).output().expect("prepare runs");
        assert!(prepared.status.success(), "{}", String::from_utf8_lossy(&prepared.stderr));
        Self { runtime, server, browser, python }
    }

    /// Starts `record` with a server of this project, and waits until it is attached.
    pub fn record(&self, program: &Program, options: &[&str], server: &[&str]) -> Recording {
        let mut command = program.command(&["record", "--json"]);
        command.args(options).arg("--").arg(&self.python).args(server).current_dir(self.server.project_dir());
        Recording::start(command)
    }

    pub fn uvicorn(&self, program: &Program, options: &[&str]) -> Recording {
        let port = self.server.address().port().to_string();
        self.record(program, options, &["-m", "uvicorn", "config.asgi:application", "--log-level", "warning", "--port", &port])
    }

    pub fn open(&self, path: &str) -> Page {
        self.runtime.block_on(async {
            let page = self.browser.new_page().await.expect("a page");
            page.open_live(&self.server.url(path)).await.expect("the page is live");
            page
        })
    }

    pub fn click(&self, page: &Page, name: &str) {
        self.runtime.block_on(page.click(&test_id(name))).expect("a click");
    }
}

/// A running `record`, killed when dropped.
pub struct Recording {
    pub process: Child,
    lines: std::sync::mpsc::Receiver<String>,
}

impl Recording {
    pub fn start(command: Command) -> Self {
        let recording = Self::begin(command);
        recording.line("Attached");
        recording
    }

    /// Without waiting for anything.
    pub fn begin(mut command: Command) -> Self {
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
        let (tell, lines) = std::sync::mpsc::sync_channel(10_000);
        let outputs: [Box<dyn std::io::Read + Send>; 2] =
            [Box::new(process.stdout.take().expect("stdout")), Box::new(process.stderr.take().expect("stderr"))];
        for output in outputs {
            let tell = tell.clone();
            std::thread::Builder::new()
                .name("output".into())
                .spawn(move || {
                    for line in BufReader::new(output).lines().map_while(Result::ok) {
                        if tell.send(line).is_err() {
                            return;
                        }
                    }
                })
                .expect("a thread");
        }
        Self { process, lines }
    }

    /// Waits for a line with this in it.
    pub fn line(&self, part: &str) -> String {
        let begun = Instant::now();
        let mut seen = Vec::new();
        loop {
            match self.lines.recv_timeout(DEADLINE.saturating_sub(begun.elapsed())) {
                Ok(line) if line.contains(part) => return line,
                Ok(line) => seen.push(line),
                Err(error) => panic!("no line with {part} ({error}) in:\n{}", seen.join("\n")),
            }
        }
    }

    pub fn signal(&self, signal: rustix::process::Signal) {
        let pid = i32::try_from(self.process.id()).ok().and_then(rustix::process::Pid::from_raw).expect("a process id");
        rustix::process::kill_process(pid, signal).expect("the signal is sent");
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        if self.process.try_wait().is_ok_and(|ended| ended.is_none()) {
            // Gently first: the server is the program's child and ends with it.
            self.signal(rustix::process::Signal::TERM);
            let _ = self.process.wait();
        }
    }
}

#[test]
fn record_writes_a_file_that_show_diff_and_import_read() {
    let program = Program::new();
    let project = Project::new();
    let file = program.path("clicks.djrec");
    let file = file.to_str().expect("a path");
    let mut recording = project.uvicorn(&program, &["--output", file]);
    let page = project.open("/counter/");
    project.click(&page, "add-7");
    let step: Value = serde_json::from_str(&recording.line("\"name\":\"add\"")).expect("a step");
    recording.signal(rustix::process::Signal::TERM);
    assert!(recording.process.wait().expect("an end").success());

    let id = step["id"].to_string();
    let shown = program.json(&["show", file, &id, "--json"]);
    assert_eq!(shown["after"]["count"], 7);
    let diff = program.output(&["diff", file, &id, "--exit-code"]);
    assert_eq!(diff.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&diff.stdout).contains("~ count  0 -> 7"), "{}", String::from_utf8_lossy(&diff.stdout));

    let other = Program::new();
    let imported = other.json(&["import", file, "--json"]);
    let listed = other.json(&["list", "--json"]);
    assert_eq!(listed[0]["id"], imported["id"]);
    assert_eq!(program.json(&["list", "--json"]).as_array().map(Vec::len), Some(1));
}

#[test]
fn what_was_flushed_survives_kill_9_of_the_inspector() {
    let program = Program::new();
    let project = Project::new();
    let mut recording = project.uvicorn(&program, &[]);
    let page = project.open("/counter/");
    project.click(&page, "increment");
    recording.line("\"name\":\"increment\"");
    // Flushed is what whoever reads the files finds. That their size has grown says less: a flush is several writes.
    let begun = Instant::now();
    while !on_disk(&program).iter().any(|name| name == "increment") {
        assert!(begun.elapsed() < DEADLINE, "nothing was flushed");
    }
    let server = children(recording.process.id());
    recording.signal(rustix::process::Signal::KILL);
    let _ = recording.process.wait();
    for pid in server {
        if let Some(pid) = rustix::process::Pid::from_raw(pid) {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
    }
    let names = names_of(&program.json(&["show", "latest", "--json"]));
    assert!(names.iter().any(|name| name == "increment"), "{names:?}");
}

fn names_of(shown: &Value) -> Vec<String> {
    shown["steps"].as_array().expect("steps").iter().filter_map(|step| step["name"].as_str()).map(str::to_owned).collect()
}

/// The steps that a copy of the library's files has now. None when they were copied in the middle of a write.
fn on_disk(program: &Program) -> Vec<String> {
    let copy = Program::new();
    copy_folder(&program.path("data"), &copy.path("data"));
    let shown = copy.output(&["show", "latest", "--json"]);
    serde_json::from_slice(&shown.stdout).map(|shown| names_of(&shown)).unwrap_or_default()
}

pub fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).into_iter().flatten().flatten() {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy_folder(&from, &to);
        } else {
            // A file that has gone meanwhile is missing in the copy, too.
            let _ = std::fs::copy(from, to);
        }
    }
}

pub fn children(pid: u32) -> Vec<i32> {
    let mut all = Vec::new();
    let Ok(tasks) = std::fs::read_dir(format!("/proc/{pid}/task")) else { return all };
    for task in tasks.filter_map(Result::ok) {
        let list = std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
        all.extend(list.split_whitespace().filter_map(|pid| pid.parse::<i32>().ok()));
    }
    all
}

#[test]
fn runserver_is_attached_again_after_its_autoreload() {
    let program = Program::new();
    let project = Project::new();
    let address = project.server.address().to_string();
    let recording = project.record(&program, &[], &["manage.py", "runserver", &address]);
    project
        .server
        .edit(
            "lab/views/counter.py",
            "Add one.\"\"\"\n        self._set(self.count + 1)",
            "Add two.\"\"\"\n        self._set(self.count + 2)",
        )
        .expect("an edit");
    recording.line("Connection lost");
    recording.line("Attached");
    let page = project.open("/counter/");
    project.click(&page, "increment");
    recording.line("\"name\":\"increment\"");
}

#[test]
fn the_server_ends_the_recording_and_its_exit_code_is_passed_on() {
    let program = Program::new();
    let python = venv("1.2.6").expect("an environment");
    let output = program
        .command(&["record", "--"])
        .arg(python)
        .args(["-c", "import sys; print('from the server'); sys.exit(7)"])
        .output()
        .expect("runs");
    assert!(String::from_utf8_lossy(&output.stdout).contains("from the server"));
    assert_eq!(output.status.code(), Some(7), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn doctor_speaks_about_a_project_that_is_not_running() {
    let program = Program::new();
    let python = venv("1.2.6").expect("an environment");
    let project = workspace_root().join("tests/project");
    let info =
        program.json(&["doctor", "--json", "--project", project.to_str().expect("a path"), "--python", python.to_str().expect("a path")]);
    assert_eq!(info["djust"], "1.2.6");
    let codes: Vec<&str> = info["advice"].as_array().expect("advice").iter().filter_map(|advice| advice["code"].as_str()).collect();
    assert!(codes.contains(&"time_travel_not_set"), "{codes:?}");
    assert!(inject_dir().is_dir());
}

#[test]
fn doctor_says_that_nothing_runs() {
    let output = Program::new().output(&["doctor"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stdout).contains("djust-inspector run -- python manage.py runserver"));
}

#[test]
fn errors_say_what_to_do() {
    let program = Program::new();
    let missing = program.output(&["show", "nothing-of-this-name"]);
    assert!(!missing.status.success());
    assert!(String::from_utf8_lossy(&missing.stderr).contains("djust-inspector list"));
    let file = program.path("not-a-recording.djrec");
    std::fs::write(&file, "hello").expect("a file");
    let garbage = program.output(&["import", file.to_str().expect("a path")]);
    assert!(!garbage.status.success());
    assert!(!garbage.stderr.is_empty());
    let alone = program.output(&["attach", "http://127.0.0.1:9"]);
    assert!(String::from_utf8_lossy(&alone.stderr).contains("DJUST_INSPECTOR_TOKEN"));
}
