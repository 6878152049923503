//! What is shared, used as others use it: a report in a browser, a test in a project, a bug capture in djust.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use inspector_model::{
    Answer, ExportFormat, ExportOptions, RecordingId, Redaction, Request, Selection, Side, StateAnswer, StepId, StepKind,
};
use inspector_test_support::{Browser, venv, wait_until};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::lab::Lab;

fn recording(lab: &Lab) -> RecordingId {
    lab.inspector.timeline().source().recorder.recording.clone().expect("a recording")
}

fn export(lab: &mut Lab, options: ExportOptions, path: &Path) {
    let recording = recording(lab);
    match lab.inspector.ask(Request::Export { recording, options, path: path.to_owned() }) {
        Answer::Done(text) => assert!(text.starts_with("Written"), "{text}"),
        other => panic!("not exported: {other:?}"),
    }
}

fn as_format(format: ExportFormat) -> ExportOptions {
    ExportOptions { format, ..ExportOptions::default() }
}

/// Runs the tests of a file in a project.
fn pytest(version: &str, project: &Path, file: &str) -> Output {
    let python = venv(version).expect("an environment");
    let mut command = Command::new(python);
    command.args(["-m", "pytest", "-q", "-p", "no:cacheprovider", file]);
    command.current_dir(project).env("DJANGO_SETTINGS_MODULE", "config.settings").output().expect("pytest runs")
}

fn told(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn a_test_of_recorded_steps_runs_and_turns_red_when_the_view_changes() {
    let mut lab = Lab::start();
    let counter = lab.open("/counter/");
    lab.inspector.mounted("CounterView");
    for name in ["increment", "add-7", "add-later"] {
        lab.click(&counter, name);
    }
    lab.inspector.event("add_later", 1);
    lab.click(&counter, "boom");
    lab.inspector.event("boom", 1);
    let money = lab.open("/money/");
    lab.inspector.mounted("MoneyView");
    let clicks = ["raise_amount", "postpone", "new_reference", "toggle_tag", "append_byte", "make_nan"];
    for name in clicks {
        lab.click(&money, &name.replace('_', "-"));
        lab.inspector.event(name, 1);
    }
    let project = lab.server.project_dir().clone();
    let file = project.join("test_recorded_steps.py");
    export(&mut lab, as_format(ExportFormat::Pytest), &file);
    let source = std::fs::read_to_string(&file).expect("the test");
    for literal in ["decimal.Decimal(\"10.60\")", "datetime.date.fromisoformat(\"2026-03-08\")", "uuid.UUID(", "math.isnan(", "b\""] {
        assert!(source.contains(literal), "{literal} in\n{source}");
    }
    // A recording of the newest djust tests the view on all of them.
    for version in inspector_test_support::DJUST_VERSIONS {
        let green = pytest(version, &project, "test_recorded_steps.py");
        assert!(green.status.success() && told(&green).contains("2 passed"), "djust {version}: {}\n{source}", told(&green));
    }
    lab.edit(
        "lab/views/counter.py",
        "Add one.\"\"\"\n        self._set(self.count + 1)",
        "Add one.\"\"\"\n        self._set(self.count + 2)",
    );
    let red = pytest("1.2.6", &project, "test_recorded_steps.py");
    assert!(!red.status.success() && told(&red).contains("1 failed, 1 passed"), "{}", told(&red));
}

#[test]
fn a_report_opens_without_network_and_is_used_with_the_keyboard() {
    let mut lab = Lab::start();
    let page = lab.open("/counter/");
    lab.inspector.mounted("CounterView");
    lab.click(&page, "increment");
    lab.click(&page, "add-7");
    lab.inspector.event("add", 1);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("report.html");
    export(&mut lab, as_format(ExportFormat::Html), &file);
    let steps = lab.inspector.timeline().steps().len() as u64;
    drop(lab);

    let runtime = Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let browser = Browser::launch().await.expect("the browser starts");
        let page = browser.new_page().await.expect("a page");
        // What the policy forbids would be told here.
        page.before_scripts("window.refused = []; addEventListener('securitypolicyviolation', (e) => refused.push(e.violatedDirective))")
            .await
            .expect("a script");
        page.open(&format!("file://{}", file.display())).await.expect("the report opens");
        page.wait_for("document.querySelector('article.shown iframe')?.srcdoc.includes('data-test')").await.expect("a page of a step");
        let seen = page
            .eval(
                "({articles: document.querySelectorAll('article').length, shown: document.querySelectorAll('article.shown').length,
                   marks: document.querySelectorAll('.mark').length, sandbox: document.querySelector('iframe').getAttribute('sandbox')})",
            )
            .await
            .expect("what is there");
        assert_eq!(seen, json!({"articles": steps, "shown": 1, "marks": steps, "sandbox": ""}));

        let name = "document.querySelector('article.shown h2').textContent";
        let first = page.eval(name).await.expect("a name");
        let down = ("ArrowDown".to_owned(), "ArrowDown".to_owned(), 40, String::new());
        page.press_key(down, 0).await.expect("a key");
        page.wait_for(&format!("{name} !== {first}")).await.expect("the next step");
        page.press_key(("/".to_owned(), "Slash".to_owned(), 191, "/".to_owned()), 0).await.expect("a key");
        page.insert_text("add").await.expect("typed");
        page.wait_for("[...document.querySelectorAll('.list li:not([hidden]) .what')].every((line) => line.textContent === 'add')")
            .await
            .expect("only what was looked for");
        page.click(".list li:not([hidden]) a").await.expect("a click");
        page.wait_for("document.querySelector('article.shown .diff')?.textContent.includes('count')").await.expect("what the step changed");

        assert_eq!(page.eval("refused").await.expect("violations"), json!([]));
        assert_eq!(page.eval("performance.getEntriesByType('resource').map((entry) => entry.name)").await.expect("requests"), json!([]));
        assert_eq!(page.console(), Vec::<String>::new());
        // The pages' frames have an origin of their own and no script.
        assert_eq!(page.eval("document.querySelector('article.shown iframe').contentDocument").await.expect("nothing"), Value::Null);
    });
}

/// Runs a script with djust's decoder at hand.
fn djust(version: &str, project: &Path, script: &str, argument: &str) -> String {
    let python = venv(version).expect("an environment");
    let setup = "import json, sys, django; django.setup(); from djust.bug_capture import BugCapture; blob = sys.argv[1]\n";
    let output = Command::new(python)
        .args(["-c", &format!("{setup}{script}"), argument])
        .current_dir(project)
        .env("DJANGO_SETTINGS_MODULE", "config.settings")
        .output()
        .expect("Python runs");
    assert!(output.status.success(), "{}", told(&output));
    String::from_utf8_lossy(&output.stdout).lines().last().unwrap_or_default().to_owned()
}

#[test]
fn bug_captures_go_to_djust_and_come_from_it() {
    let mut lab = Lab::start();
    let page = lab.open("/shop/");
    lab.inspector.mounted("ShopView");
    lab.click(&page, "buy-3");
    let step = lab.inspector.event("add_to_cart", 1).id;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("bug.djbug1");
    let selection = Selection { first: Some(step), last: Some(step), session: None };
    export(&mut lab, ExportOptions { format: ExportFormat::BugCapture, selection, ..ExportOptions::default() }, &file);
    let blob = std::fs::read_to_string(&file).expect("the capture").trim().to_owned();
    let project: PathBuf = lab.server.project_dir().clone();
    for version in inspector_test_support::DJUST_VERSIONS {
        let decoded = djust(version, &project, "c = BugCapture.decode(blob); print(json.dumps(c.to_dict()))", &blob);
        let decoded: Value = serde_json::from_str(&decoded).expect("JSON");
        assert_eq!(decoded["event_name"], "add_to_cart");
        assert_eq!(decoded["state_before"]["lines"], json!([]));
        assert_eq!(decoded["state_after"]["total"], json!({"__djust_decimal__": "64.00"}));
        assert!(decoded["vdom_patches"].as_array().is_some_and(|patches| !patches.is_empty()), "{decoded}");
    }

    // The other way: what djust wrote is opened as a recording of one step.
    let made = djust(
        "1.2.6",
        &project,
        "print(BugCapture({'n': 1, 'x': float('nan')}, {'n': 2, 'who': 'Größe'}, [{'type': 'SetText', 'path': [0], 'text': '2'}], 'grow').encode())",
        "",
    );
    std::fs::write(&file, made).expect("a file");
    let opened = lab.inspector.ask(Request::OpenFile(file));
    let Answer::Opened(source) = opened else { panic!("not opened: {opened:?}") };
    let answer = lab.inspector.ask(Request::State { source, step: StepId(1), side: Side::After });
    assert_eq!(answer, Answer::State(StateAnswer::Full(r#"{"n":2,"who":"Größe"}"#.into())));
    let stored = folder.path().join("stored.djbug1");
    std::fs::write(&stored, "djbug1.store.AAAAAAAAAAAAAAAAAAAAAA").expect("a file");
    let Answer::Failed(failure) = lab.inspector.ask(Request::OpenFile(stored)) else { panic!("opened") };
    assert!(failure.message.contains("reference to a store"), "{}", failure.message);
}

#[test]
fn a_preview_comes_before_anything_is_written() {
    let mut lab = Lab::start();
    let page = lab.open("/counter/");
    lab.inspector.mounted("CounterView");
    lab.click(&page, "increment");
    lab.inspector.event("increment", 1);
    let recording = recording(&lab);
    let options =
        ExportOptions { redaction: Redaction { paths: vec!["history[*]".into()], ..Redaction::default() }, ..ExportOptions::default() };
    let answer = lab.inspector.ask(Request::PreviewExport { recording, options });
    let Answer::ExportPreview(preview) = answer else { panic!("no preview: {answer:?}") };
    assert!(preview.steps >= 2);
    assert!(preview.kept_back.iter().any(|kept| kept.examples == ["history[0]"]), "{preview:?}");
}

#[test]
fn hostile_names_are_valid_python() {
    // A handler's name and parameters come from the browser: whatever they are, the test is a program with the same steps.
    let mut lab = Lab::start();
    let page = lab.open("/counter/");
    lab.inspector.mounted("CounterView");
    let label = "\"\"\"\nimport os; os._exit(3)\n\\\"'#\u{2028}\u{202e}=cmd|' /C calc'!A0</script><script>";
    lab.eval(
        &page,
        &format!(
            "void window.djust.liveViewInstance.sendMessage({})",
            json!({"type": "event", "event": "set_label", "params": {"label": label}, "ref": 900})
        ),
    );
    lab.inspector.event("set_label", 1);
    lab.eval(
        &page,
        &format!("void window.djust.liveViewInstance.sendMessage({})", json!({"type": "event", "event": label, "params": {}, "ref": 901})),
    );
    lab.inspector.step("the refused event", |step| step.kind == StepKind::Event && step.name.contains("os._exit"));
    let project = lab.server.project_dir().clone();
    export(&mut lab, as_format(ExportFormat::Pytest), &project.join("test_hostile.py"));
    let green = pytest("1.2.6", &project, "test_hostile.py");
    assert!(green.status.success() && told(&green).contains("1 passed"), "{}", told(&green));

    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("report.html");
    export(&mut lab, as_format(ExportFormat::Html), &file);
    let runtime = Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let browser = Browser::launch().await.expect("the browser starts");
        let page = browser.new_page().await.expect("a page");
        page.open(&format!("file://{}", file.display())).await.expect("the report opens");
        page.wait_for("document.querySelectorAll('article').length > 2").await.expect("the steps");
        assert_eq!(page.eval("document.scripts.length").await.expect("a number"), json!(2));
        assert_eq!(page.console(), Vec::<String>::new());
        wait_until(Duration::from_secs(5), "the name as text", async || {
            let text = page.eval("document.body.textContent").await.map_err(|error| error.to_string())?;
            text.as_str().filter(|text| text.contains("</script><script>")).map(|_| ()).ok_or_else(|| "it is not there".to_owned())
        })
        .await
        .expect("recorded text is text");
    });
}

#[test]
fn the_command_line_previews_exports_and_imports() {
    let home = tempfile::tempdir().expect("a folder");
    let program = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_djust-inspector"));
        command.args(arguments).env("HOME", home.path()).env("DJUST_INSPECTOR_DATA_DIR", home.path().join("data"));
        command.output().expect("the program runs")
    };
    let sample = inspector_test_support::workspace_root().join("recordings/shop.djrec");
    let sample = sample.to_str().expect("a path");
    let file = home.path().join("steps.json");
    let file = file.to_str().expect("a path");

    let preview = program(&["export", sample, file, "--preview", "--redact-path", "products[*].sku", "--json"]);
    let preview: Value = serde_json::from_slice(&preview.stdout).expect("JSON");
    assert_eq!((&preview["steps"], &preview["kept_back"][0]["different"]), (&json!(7), &json!(6)));
    assert!(!Path::new(file).exists(), "a preview writes nothing");

    let done = program(&["export", sample, file, "--steps", "2..4", "--redact-path", "products[*].sku"]);
    assert!(done.status.success(), "{}", told(&done));
    let written: Value = serde_json::from_str(&std::fs::read_to_string(file).expect("the file")).expect("JSON, by the file's ending");
    let steps = written["steps"].as_array().expect("steps");
    assert_eq!(steps.iter().map(|step| step["step"]["id"].as_u64()).collect::<Vec<_>>(), [Some(2), Some(3), Some(4)]);
    assert_eq!(steps[0]["after"]["products"][0]["sku"]["$t"], "redacted");
    assert!(!written.to_string().contains("\"LAMP\""), "the same value elsewhere");

    let blob = home.path().join("bug");
    let done = program(&["export", sample, blob.to_str().expect("a path"), "--as", "djbug1", "--steps", "6"]);
    assert!(done.status.success(), "{}", told(&done));
    let imported = program(&["import", std::fs::read_to_string(&blob).expect("the capture").trim(), "--json"]);
    let imported: Value = serde_json::from_slice(&imported.stdout).expect("JSON");
    let shown = program(&["diff", imported["id"].as_str().expect("an id"), "1"]);
    assert!(told(&shown).contains("~ subtotal  Decimal(\"93.00\") -> Decimal(\"29.00\")"), "{}", told(&shown));

    let wrong = program(&["export", sample, file, "--steps", "90.."]);
    assert!(!wrong.status.success() && told(&wrong).contains("steps 1 to 7"), "{}", told(&wrong));
}
