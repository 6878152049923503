//! A recording, and a server, that call everything by hostile names, on each way out: the command line, the exports, a notification.
//!
//! What is asked of each way is one thing: that the names are data there. A terminal gets nothing but text and line ends, JSON is the same
//! JSON, a test is a program without theirs, a report runs nothing.

use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use inspector_model::{
    Cause, ErrorDetail, Frame, LogRecord, PageShell, Phase, ServerInfo, Session, SessionId, SqlQuery, Status, Step, StepDetail, StepKind,
    StyleSheet, Value, View, is_invisible,
};
use inspector_store::{NewState, NewStep, Store};
use inspector_test_support::{Browser, venv, wait_until};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio_tungstenite::accept_async;
use tokio_tungstenite::tungstenite::Message;

/// What somebody would call a handler, a view, a key or a user.
const NAMES: [&str; 12] = [
    "\u{1b}[2J\u{1b}[31mred\u{1b}]0;title\u{7}",
    "\u{1b}]8;;http://evil.example\u{1b}\\link\u{1b}]8;;\u{1b}\\",
    "\u{9b}2J\u{90}q\u{9c}",
    "line\nfake 1  ok\rover\u{8}\u{7f}",
    "\u{202e}gpj.exe\u{2066}a\u{2069}\u{200f}",
    "ad\u{200b}min\u{feff}\u{2060}\u{200d}",
    "</script><script>document.title='ran'</script>",
    "\"><img src=x onerror=\"document.title='ran'\">",
    "=cmd|' /C calc'!A0",
    "\"\"\"\nimport os\nos.system('touch ran')\n\"\"\"",
    "'); __import__('os').system('touch ran') #",
    "../../../../etc/passwd\u{0}",
];

/// The library with the recording, which has a step for each name.
fn make(data: &Path) {
    let (store, _) = Store::open(data).unwrap();
    let all = NAMES.concat();
    let mut recorder = store.create(&all, 1_800_000_000.0, "1.2.6").unwrap();
    recorder.put_server(&ServerInfo {
        project: all.clone(),
        djust: NAMES[0].into(),
        url: Some(format!("http://127.0.0.1:1/{all}")),
        ..ServerInfo::default()
    });
    // One view whose class can be written into a test, and one whose cannot.
    for (id, class) in [("s", "shop.views.Cart"), (NAMES[0], all.as_str())] {
        let session = SessionId::from(id);
        recorder.put_session(&Session {
            id: session.clone(),
            phase: Phase::Mounted,
            client: Some(all.clone()),
            user: Some(all.clone()),
            django_session: None,
            user_agent: Some(all.clone()),
            pid: None,
            path: Some(all.clone()),
            view: Some(View { class: class.into(), file: Some(all.clone()), ..View::default() }),
            children: Vec::new(),
            opened: 1.0,
            close: None,
            succeeds: None,
            transport: inspector_model::Transport::Websocket,
        });
        let shell = PageShell {
            url: format!("http://127.0.0.1:1/{all}"),
            before: format!("<html><head><title>{all}</title></head><body>{all}"),
            after: all.clone(),
            styles: vec![StyleSheet { href: all.clone(), text: all.clone() }],
        };
        recorder.put_shell(&session, &shell);
        let mut before = Value::Map(Vec::new());
        for name in NAMES {
            let text = || Value::Text(name.to_owned());
            let after = Value::Map(vec![("value".into(), text()), (name.into(), Value::List(vec![text()]))]);
            let detail = StepDetail {
                params: Some(Value::Map(vec![("label".into(), text()), (name.into(), text())]).to_json()),
                raw_params: Some(Value::Map(vec![(name.into(), text())]).to_json()),
                error: Some(ErrorDetail { kind: name.into(), message: name.into(), traceback: Some(name.into()) }),
                sql: vec![SqlQuery { sql: name.into(), params: Some(name.into()), ..SqlQuery::default() }],
                logs: vec![LogRecord { level: name.into(), logger: name.into(), message: name.into(), ..LogRecord::default() }],
                frames: vec![Frame { dir: name.into(), text: name.into(), ..Frame::default() }],
                missing: Some(name.into()),
                ..StepDetail::default()
            };
            let step = Step {
                session: Some(session.clone()),
                status: Status::Raised,
                error: Some(name.into()),
                changed: vec![name.into()],
                cause: Some(Cause::Started { by: name.into() }),
                state_bytes: 1,
                rendered: true,
                ..Step::new(StepKind::Event, name, 1_800_000_000.0)
            };
            let (found, left) = (NewState::Text(before.to_json().into()), NewState::Text(after.to_json().into()));
            let html = Some(format!("<p title='{name}'>{name}</p>").into());
            recorder.append(NewStep { step, detail, before: found, after: left, html }).unwrap();
            before = after;
        }
        let lost = Step { session: Some(session), ..Step::new(StepKind::Close, &all, 1_800_000_001.0) };
        let missing = NewState::Missing(all.clone());
        recorder.append(NewStep { step: lost, detail: StepDetail::default(), before: NewState::None, after: missing, html: None }).unwrap();
    }
    let id = recorder.id().clone();
    drop(recorder);
    for (step, name) in (1..).zip(NAMES) {
        store.mark(&id, inspector_model::StepId(step), Some(name)).unwrap();
    }
}

struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        make(&home.0.path().join("data"));
        home
    }

    fn program(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_djust-inspector"));
        command.current_dir(self.0.path()).env("HOME", self.0.path()).env("DJUST_INSPECTOR_DATA_DIR", self.0.path().join("data"));
        command.env("DJUST_INSPECTOR_RUNTIME_DIR", self.0.path().join("servers")).env("DJUST_INSPECTOR_LOG", "debug");
        command.env_remove("DJUST_INSPECTOR_TOKEN");
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.program().args(arguments).output().expect("the program runs")
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().expect("a path").to_owned()
    }
}

/// Nothing but what is seen, and line ends.
fn assert_plain(output: &Output, what: &str) -> String {
    for stream in [&output.stdout, &output.stderr] {
        let text = std::str::from_utf8(stream).unwrap_or_else(|error| panic!("{what}: {error}"));
        if let Some(c) = text.chars().find(|c| is_invisible(*c) && *c != '\n') {
            let line = text.lines().find(|line| line.contains(c)).unwrap_or_default();
            panic!("{what} writes {c:?} in {line:?}");
        }
    }
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn hostile_names_are_text_on_the_terminal_and_json_in_json() {
    let home = Home::new();
    let step = (NAMES.len() + 1).to_string();
    for arguments in [
        vec!["list"],
        vec!["show", "latest"],
        vec!["show", "latest", "1"],
        vec!["show", "latest", &step],
        vec!["diff", "latest", "1", "9"],
        vec!["diff", "latest", "4"],
        vec!["export", "latest", "--preview"],
        vec!["export", "latest", "--preview", "--redact-name", "value"],
    ] {
        let text = assert_plain(&home.run(&arguments), &arguments.join(" "));
        assert!(!text.is_empty(), "{arguments:?}");
    }
    // Each step is a line of its own, whatever it is called.
    let lines = assert_plain(&home.run(&["show", "latest"]), "show");
    assert_eq!(lines.lines().count(), 2 * (NAMES.len() + 1), "{lines}");
    assert!(lines.contains(r"\u{1b}[2J") && lines.contains(r"line\nfake 1  ok\rover") && lines.contains(r"\u{202e}gpj.exe"), "{lines}");
    for arguments in [
        vec!["list", "--json"],
        vec!["show", "latest", "--json"],
        vec!["show", "latest", "1", "--json"],
        vec!["diff", "latest", "1", "9", "--json"],
        vec!["export", "latest", "--preview", "--json"],
    ] {
        let text = assert_plain(&home.run(&arguments), &arguments.join(" "));
        let json: serde_json::Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{arguments:?}: {error} in {text}"));
        if arguments == ["show", "latest", "--json"] {
            let told = json.to_string();
            assert!(told.contains(&serde_json::to_string(NAMES[6]).unwrap()), "the names are what they were: {told}");
        }
    }
    // What the user says is told back, too.
    for name in NAMES {
        let name = name.trim_end_matches('\0');
        for arguments in
            [vec!["show", name], vec!["import", name], vec!["diff", name, "1"], vec!["export", "latest", "--preview", "--session", name]]
        {
            let output = home.run(&arguments);
            assert_plain(&output, &format!("{arguments:?}"));
        }
    }
    let hostile = home.path("no\u{202e}such\u{1b}[2J");
    let output = home.run(&["import", &hostile]);
    assert!(!output.status.success());
    assert_plain(&output, "import");
}

#[test]
fn hostile_names_are_data_in_every_export() {
    let home = Home::new();
    let folder = home.0.path().join("out");
    std::fs::create_dir(&folder).unwrap();
    let file = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    for (name, more) in [
        ("a.djrec", vec![]),
        ("a.json", vec![]),
        ("a.html", vec![]),
        ("test_a.py", vec!["--session", "s"]),
        ("a.djbug1", vec!["--steps", "3"]),
    ] {
        let path = file(name);
        let output = home.run(&[vec!["export", "latest", path.as_str()], more].concat());
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        assert_plain(&output, name);
    }
    let mut names: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["a.djbug1", "a.djrec", "a.html", "a.json", "test_a.py"], "no name became a file");

    // What was exported is imported, and is called the same.
    for name in ["a.djrec", "a.djbug1"] {
        let path = file(name);
        let imported = home.run(&["import", &path, "--json"]);
        let told: serde_json::Value = serde_json::from_str(&assert_plain(&imported, name)).unwrap();
        let shown = home.run(&["show", told["id"].as_str().unwrap()]);
        assert!(!assert_plain(&shown, name).is_empty());
    }
    let json: serde_json::Value = serde_json::from_slice(&std::fs::read(file("a.json")).unwrap()).unwrap();
    assert_eq!(json["steps"][6]["step"]["name"], NAMES[6]);

    python(&folder, "test_a.py");
    let runtime = Runtime::new().unwrap();
    runtime.block_on(report(&file("a.html")));
}

/// The test is compiled, and run with all that it imports replaced by what does nothing: its own statements are calls of the client.
fn python(folder: &Path, file: &str) {
    const LOOK: &str = r#"
import ast, builtins, os, sys
source = open(sys.argv[1], encoding="utf-8").read()
tree = ast.parse(source)
imported = {n.name for node in ast.walk(tree) if isinstance(node, ast.Import) for n in node.names}
assert imported <= {"datetime", "decimal", "functools", "inspect", "math", "pathlib", "uuid", "zoneinfo", "django"}, imported
assert {n.module.split(".")[0] for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)} <= {"asgiref", "django", "djust"}
called = {n.func.id for n in ast.walk(tree) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}
assert not called & {"eval", "exec", "open", "compile", "__import__"}, called
sent = [n.args[1].value for n in ast.walk(tree) if isinstance(n, ast.Call) and getattr(n.func, "id", "") == "send" and len(n.args) == 3]
assert len(sent) == int(sys.argv[2]), sent

class Nothing(str):
    def __getattr__(self, name):
        return Nothing()
    def __call__(self, *a, **k):
        return Nothing()
    def __getitem__(self, key):
        return Nothing()
    def __contains__(self, key):
        return True
    def __bool__(self):
        return True

class Unasserted(ast.NodeTransformer):
    def visit_Assert(self, node):
        return ast.copy_location(ast.Expr(node.test), node)

def fake(name, *rest):
    return Nothing() if name.split(".")[0] in ("django", "djust", "asgiref") else real(name, *rest)

real, builtins.__import__ = builtins.__import__, fake
space = {"__name__": "looked_at", "__builtins__": builtins}
tree = Unasserted().visit(ast.parse(source.replace("class RecordedSteps(TestCase)", "class RecordedSteps")))
exec(compile(tree, sys.argv[1], "exec"), space)
space["send"] = lambda client, event, params: {"success": False, "error": Nothing(), "state_before": {}, "state_after": {}}
ran = 0
for name in dir(space["RecordedSteps"]):
    if name.startswith("test_"):
        getattr(space["RecordedSteps"](), name)()
        ran += 1
assert ran, "no test in it"
assert not os.path.exists("ran"), "a name was run"
"#;
    let python = venv("1.2.6").expect("an environment");
    // The last has a parameter that is called like a secret, which is kept back, so that it cannot be sent.
    let sent = NAMES.len() - 1;
    let looked = Command::new(python).args(["-c", LOOK, file, &sent.to_string()]).current_dir(folder).output().expect("Python runs");
    assert!(looked.status.success(), "{}", String::from_utf8_lossy(&looked.stderr));
    assert!(!folder.join("ran").exists());
}

/// The report in a browser: its own title, its own scripts, and nothing said on the console.
async fn report(file: &str) {
    let browser = Browser::launch().await.unwrap();
    let page = browser.new_page().await.unwrap();
    page.open(&format!("file://{file}")).await.unwrap();
    page.wait_for(&format!("document.querySelectorAll('article').length >= {}", NAMES.len())).await.unwrap();
    // Its steps are opened, so that their pages are shown.
    page.eval("document.querySelectorAll('details').forEach(details => details.open = true)").await.unwrap();
    page.eval("new Promise(done => requestAnimationFrame(() => setTimeout(done, 300)))").await.unwrap();
    assert_eq!(page.eval("document.scripts.length").await.unwrap(), json!(2));
    assert_ne!(page.eval("document.title").await.unwrap(), "ran");
    assert_eq!(page.eval("document.querySelectorAll('img, [onerror], base, object, embed').length").await.unwrap(), json!(0));
    assert_eq!(page.console(), Vec::<String>::new());
    wait_until(Duration::from_secs(5), "the names as text", async || {
        let text = page.eval("document.body.textContent").await.map_err(|error| error.to_string())?;
        text.as_str().filter(|text| text.contains("</script><script>")).map(|_| ()).ok_or_else(|| "they are not there".to_owned())
    })
    .await
    .unwrap();
}

/// A server that says hostile things to whoever attaches. It goes with the runtime.
async fn hostile_server() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let all = NAMES.concat();
    let advice = json!({"code": all, "message": all, "fix": all});
    let server = json!({
        "project": all, "djust": all, "django": all, "python": all, "asgi": all, "url": format!("http://127.0.0.1:{port}/{all}"),
        "missing": [{"hook": all, "why": all}], "advice": [advice],
    });
    let welcome = json!({"t": "welcome", "protocol": 1, "agent": all, "version": all, "resumed": false, "seq": 0, "server": server});
    let mut frames = vec![welcome.to_string(), json!({"t": "session", "seq": 1, "session": all, "phase": "mounted"}).to_string()];
    for (seq, name) in (2..).zip(NAMES) {
        let error = json!({"kind": name, "message": name, "traceback": name});
        let after = json!({"rev": seq, "base": null, "set": {name: name}});
        let step = json!({
            "t": "step", "seq": seq, "key": name, "session": all, "view": name, "component": name, "kind": "event", "name": name,
            "status": "raised", "error": error, "started": 1.0, "after": after,
        });
        frames.push(step.to_string());
    }
    frames.push(format!(r#"{{"t":"step","seq":90,"kind":"{}"}}"#, "x".repeat(10)));
    frames.push(json!({"t": "gap", "seq": 91, "dropped": 1, "why": all}).to_string());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let frames = frames.clone();
            tokio::spawn(async move {
                let Ok(mut socket) = accept_async(stream).await else { return };
                for frame in frames {
                    if socket.send(Message::text(frame)).await.is_err() {
                        return;
                    }
                }
                while let Some(Ok(_)) = socket.next().await {}
            });
        }
    });
    port
}

#[test]
fn what_a_hostile_server_says_is_text_on_the_terminal() {
    let home = Home::new();
    let runtime = Runtime::new().unwrap();
    let port = runtime.block_on(hostile_server());
    let url = format!("http://127.0.0.1:{port}");
    for arguments in [
        vec!["doctor", &url],
        vec!["doctor", &url, "--json"],
        vec!["record", "--url", &url, "--steps", "10"],
        vec!["record", "--url", &url, "--steps", "10", "--json"],
    ] {
        let output = home.program().args(&arguments).env("DJUST_INSPECTOR_TOKEN", "t").output().expect("the program runs");
        let text = assert_plain(&output, &arguments.join(" "));
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(text.contains("[2J"), "{arguments:?}: {text}");
    }
    assert_plain(&home.run(&["list"]), "list");
    // A name of the server is no file.
    let left: Vec<_> = std::fs::read_dir(home.0.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| ["data", "servers", ".cache", ".config", ".local"].iter().any(|known| name == known)), "{left:?}");
}
