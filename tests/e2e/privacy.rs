//! What the program leaves behind of what it recorded, and who can read it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use inspector_test_support::{test_id, workspace_root};

use crate::program::{Program, Project, Recording, children, copy_folder};

/// Stands in a state, in parameters, in HTML and in an address.
const MARKER: &str = "marker5d0c77e1";
const DEADLINE: Duration = Duration::from_mins(1);
const PASSPHRASE: &str = "correct-horse-5d0c";

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() { all.extend(files(&path)) } else { all.push(path) }
    }
    all
}

/// The files that hold a text.
fn holding(folder: &Path, text: &str) -> Vec<PathBuf> {
    let found = |path: &PathBuf| fs::read(path).unwrap_or_default().windows(text.len()).any(|window| window == text.as_bytes());
    files(folder).into_iter().filter(found).collect()
}

/// Runs the program with the passphrase, or with none.
fn run(program: &Program, passphrase: Option<&str>, arguments: &[&str]) -> Output {
    let mut command = program.command(arguments);
    command.stdin(Stdio::null());
    match passphrase {
        Some(passphrase) => command.env("DJUST_INSPECTOR_PASSPHRASE", passphrase),
        None => command.env_remove("DJUST_INSPECTOR_PASSPHRASE"),
    };
    command.output().expect("the program runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Runs it, and it ends well. Its standard output.
fn done(program: &Program, passphrase: Option<&str>, arguments: &[&str]) -> String {
    let output = run(program, passphrase, arguments);
    assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

/// Runs it, and it refuses. Why.
fn refused(program: &Program, passphrase: Option<&str>, arguments: &[&str]) -> String {
    let output = run(program, passphrase, arguments);
    assert!(!output.status.success(), "{arguments:?}");
    assert!(output.stdout.is_empty(), "{}", text(&output.stdout));
    text(&output.stderr)
}

#[cfg(unix)]
fn only_its_owners(folder: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    for path in files(folder) {
        let mode = path.metadata().expect("a file").permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", path.display());
    }
    assert_eq!(folder.metadata().expect("a folder").permissions().mode() & 0o777, 0o700, "{}", folder.display());
}

#[test]
fn what_was_recorded_is_in_the_library_alone_and_there_encrypted_until_it_is_deleted() {
    let program = Program::new();
    let project = Project::new();
    let (data, temp, log) = (program.path("data"), program.path("tmp"), program.path("log"));
    fs::create_dir(&temp).expect("a folder");
    done(&program, Some(PASSPHRASE), &["library", "encrypt"]);

    let port = project.server.address().port().to_string();
    let mut command = Command::new("sh");
    command
        // Whoever may read new files of this user could read these.
        .args(["-c", "umask 000; log=\"$1\"; shift; exec \"$@\" 2>\"$log\"", "sh"])
        .arg(&log)
        .arg(env!("CARGO_BIN_EXE_djust-inspector"))
        .args(["record", "--json", "--"])
        .arg(&project.python)
        .args(["-m", "uvicorn", "config.asgi:application", "--log-level", "warning", "--port", &port])
        .current_dir(project.server.project_dir())
        .envs(program.command(&[]).get_envs().filter_map(|(name, value)| Some((name, value?))))
        .env_remove("DJUST_INSPECTOR_TOKEN")
        .env("DJUST_INSPECTOR_PASSPHRASE", PASSPHRASE)
        .env("DJUST_INSPECTOR_LOG", "trace")
        .env("RUST_LOG", "trace")
        .env("TMPDIR", &temp);
    let mut recording = Recording::begin(command);
    let begun = Instant::now();
    while !fs::read_to_string(&log).is_ok_and(|logged| logged.contains("Attached")) {
        assert!(begun.elapsed() < DEADLINE, "not attached: {}", fs::read_to_string(&log).unwrap_or_default());
        std::thread::yield_now();
    }
    let page = project.open(&format!("/counter/?q={MARKER}"));
    recording.line("mount");
    project.runtime.block_on(page.type_text(&test_id("label-input"), MARKER)).expect("typing");
    project.click(&page, "set-label");
    recording.line("\"name\":\"set_label\"");
    let pid = recording.process.id();
    let arguments = fs::read(format!("/proc/{pid}/cmdline")).expect("its arguments");
    assert!(!text(&arguments).contains(PASSPHRASE));
    let server = children(pid);
    assert!(!server.is_empty());
    for server in server {
        let environment = fs::read(format!("/proc/{server}/environ")).expect("its environment");
        assert!(!text(&environment).contains(PASSPHRASE), "the server need not know it");
    }
    recording.signal(rustix::process::Signal::TERM);
    assert!(recording.process.wait().expect("an end").success());

    let shown = done(&program, Some(PASSPHRASE), &["show", "latest", "2", "--json"]);
    assert!(shown.contains(MARKER), "it was recorded: {shown}");
    let logged = fs::read_to_string(&log).expect("a log");
    assert!(logged.contains("Attached"), "{logged}");
    for secret in [MARKER, PASSPHRASE] {
        assert_eq!(holding(program.home.path(), secret), [] as [PathBuf; 0], "{secret}");
    }
    #[cfg(unix)]
    only_its_owners(&data);

    let why = refused(&program, None, &["list"]);
    assert!(why.contains("DJUST_INSPECTOR_PASSPHRASE"), "{why}");
    let why = refused(&program, Some("wrong"), &["list"]);
    assert!(why.contains("not the passphrase"), "{why}");
    // A copy is worth nothing without it, and all with it.
    let thief = Program::new();
    copy_folder(&data, &thief.path("data"));
    assert!(refused(&thief, None, &["show", "latest"]).contains("encrypted"));
    assert!(done(&thief, Some(PASSPHRASE), &["show", "latest", "2", "--json"]).contains(MARKER));

    let file = program.path("passphrase");
    fs::write(&file, "another\n").expect("a file");
    let file = file.to_str().expect("a path");
    done(&program, Some(PASSPHRASE), &["library", "change-passphrase", "--new-passphrase-file", file]);
    assert!(refused(&program, Some(PASSPHRASE), &["list"]).contains("not the passphrase"));
    assert!(done(&program, None, &["--passphrase-file", file, "show", "latest", "2", "--json"]).contains(MARKER));
    done(&program, None, &["--passphrase-file", file, "delete", "latest"]);
    // Its bytes of before, with the keys of now, are nothing.
    fs::copy(data.join("library/keys"), thief.path("data/library/keys")).expect("a copy");
    assert_eq!(done(&thief, Some("another"), &["list", "--json"]).trim(), "[]");
    done(&program, None, &["--passphrase-file", file, "library", "decrypt"]);
    assert_eq!(done(&program, None, &["list", "--json"]).trim(), "[]");
}

#[test]
fn what_is_deleted_is_in_no_file_and_what_is_exported_is_its_owners() {
    let program = Program::new();
    let sample = fs::read_dir(workspace_root().join("recordings")).expect("samples").flatten().map(|entry| entry.path());
    let sample = sample.filter(|path| path.extension().is_some_and(|end| end == "djrec")).min().expect("a sample");
    done(&program, None, &["import", sample.to_str().expect("a path")]);
    for name in ["out.djrec", "out.html", "out.json"] {
        let file = program.path("data").join(name);
        done(&program, None, &["export", "latest", file.to_str().expect("a path"), "--no-redaction"]);
    }
    #[cfg(unix)]
    only_its_owners(&program.path("data"));
    let status: serde_json::Value = serde_json::from_str(&done(&program, None, &["library", "status", "--json"])).expect("JSON");
    assert_eq!((&status["recordings"], &status["encrypted"], &status["expire_days"]), (&1.into(), &false.into(), &0.into()));

    let sealed = program.path("data").join("sealed.djrec");
    let sealed = sealed.to_str().expect("a path");
    let mut command = program.command(&["export", "latest", sealed, "--no-redaction", "--encrypt"]);
    let output = command.env("DJUST_INSPECTOR_NEW_PASSPHRASE", PASSPHRASE).output().expect("the program runs");
    assert!(output.status.success(), "{}", text(&output.stderr));
    let plain = program.path("data").join("out.djrec");
    let plain = plain.to_str().expect("a path");
    assert!(refused(&program, None, &["show", sealed]).contains("encrypted"));
    assert!(refused(&program, Some("wrong"), &["show", sealed]).contains("not the passphrase"));
    assert_eq!(done(&program, Some(PASSPHRASE), &["show", sealed]), done(&program, None, &["show", plain]));
    assert!(done(&Program::new(), Some(PASSPHRASE), &["import", sealed]).starts_with("file-"));

    // Samples are older than a day: what is kept stays, and goes when it is kept no longer.
    done(&program, None, &["keep", "latest"]);
    done(&program, None, &["library", "expire", "1"]);
    assert!(done(&program, None, &["list"]).contains("kept"));
    done(&program, None, &["keep", "latest", "--no-longer"]);
    done(&program, None, &["library", "expire", "1"]);
    assert_eq!(done(&program, None, &["list", "--json"]).trim(), "[]");
    done(&program, None, &["library", "expire", "never"]);

    done(&program, None, &["import", sample.to_str().expect("a path")]);
    done(&program, None, &["delete", "latest"]);
    assert_eq!(done(&program, None, &["list", "--json"]).trim(), "[]");
    assert!(refused(&program, None, &["delete", "latest"]).contains("no recordings"));
}
