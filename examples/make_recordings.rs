//! Makes the samples in `recordings/`: a real server, a real browser, and the engine that records. `cargo xtask recordings`.

#![allow(clippy::print_stdout, reason = "it says what it does")]
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    dead_code,
    reason = "a tool for us that shares its parts with the tests; it stops where something is wrong"
)]

#[path = "../tests/e2e/inspector.rs"]
mod inspector;
#[path = "../tests/e2e/lab.rs"]
mod lab;

use inspector_model::{Answer, ExportOptions, Request, Side, StateAnswer, StepKind};
use inspector_store::{NewState, NewStep, Store};
use lab::Lab;

fn main() {
    counter();
    form();
    rate_limit();
    hvr();
    big_state();
    components();
    shop();
}

/// Writes what a lab has recorded, with the paths of this machine replaced: a sample speaks of the project alone.
fn save(lab: &mut Lab, name: &str) {
    let raw = tempfile::tempdir().expect("a temporary folder");
    let recorded = raw.path().join("recorded.djrec");
    let recording = lab.inspector.timeline().source().recorder.recording.clone().expect("a recording");
    match lab.inspector.ask(Request::Export { recording, options: ExportOptions::default(), path: recorded.clone() }) {
        Answer::Done(_) => {}
        other => panic!("{name} was not written: {other:?}"),
    }
    let neutral = Neutral::new(lab);
    let reader = inspector_store::read_file(&recorded).expect("the recording opens");
    let info = reader.info();
    let (store, _) = Store::open(raw.path()).expect("a library");
    let mut recorder = store.create(&info.title, info.started, &info.djust).expect("a recorder");
    for session in reader.sessions().expect("pages") {
        recorder.put_session(&neutral.copy(&session));
        if let Some(shell) = reader.shell(&session.id).expect("readable") {
            recorder.put_shell(&session.id, &neutral.copy(&shell));
        }
    }
    recorder.put_server(&neutral.copy(&reader.server().expect("readable").expect("a server")));
    recorder.put_config(&neutral.copy(&reader.config().expect("readable").expect("a configuration")));
    let steps = reader.steps().expect("steps");
    for step in &steps {
        let state = |side| match reader.state(step.id, side).expect("readable") {
            StateAnswer::Full(text) => NewState::Text(neutral.text(&text).into()),
            StateAnswer::Missing(_) => NewState::None,
        };
        let html = if step.rendered { reader.html(step.id, Side::After).expect("readable") } else { None };
        let new = NewStep {
            step: neutral.copy(step),
            detail: neutral.copy(&reader.detail(step.id).expect("a detail")),
            before: state(Side::Before),
            after: state(Side::After),
            html: html.map(|html| neutral.text(&html).into()),
        };
        recorder.append(new).expect("the step is written");
    }
    recorder.flush().expect("a flush");
    let id = recorder.id().clone();
    drop(recorder);
    let path = inspector_test_support::workspace_root().join("recordings").join(format!("{name}.djrec"));
    let bytes = store.export(&id, &path, &|_, _| true).expect("the sample is written");
    println!("{name}: {} steps, {bytes} bytes", steps.len());
}

/// Replaces folders of this machine in whatever can be written as JSON.
struct Neutral(Vec<(String, &'static str)>);

impl Neutral {
    fn new(lab: &Lab) -> Self {
        let python = inspector_test_support::venv("1.2.6").expect("an environment");
        let base = std::process::Command::new(python).args(["-c", "import sys; print(sys.base_prefix)"]).output().expect("Python runs");
        let base = String::from_utf8(base.stdout).expect("a path").trim().to_owned();
        let root = inspector_test_support::workspace_root().display().to_string();
        Self(vec![(lab.server.project_dir().display().to_string(), "/home/dev/shop"), (root, "/home/dev/djust-inspector"), (base, "/usr")])
    }

    fn text(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from.as_str(), to))
    }

    fn copy<T: serde::Serialize + serde::de::DeserializeOwned>(&self, value: &T) -> T {
        let text = serde_json::to_string(value).expect("JSON");
        serde_json::from_str(&self.text(&text)).expect("the same shape")
    }
}

fn counter() {
    let mut lab = Lab::start();
    let page = lab.open("/counter/");
    lab.inspector.mounted("CounterView");
    for name in ["increment", "increment", "add-7", "increment", "greet", "add-later"] {
        lab.click(&page, name);
    }
    lab.wait_text(&page, "count", "16");
    let add = lab.inspector.event("add", 1);
    lab.inspector.event("add_later", 1);
    lab.inspector.jump(add.id, Side::Before);
    lab.wait_text(&page, "count", "2");
    let source = lab.inspector.id;
    lab.inspector.command(Request::Replay { source, step: add.id, params: Some(r#"{"n": "30"}"#.into()), restore: true });
    lab.wait_text(&page, "count", "32");
    lab.click(&page, "increment");
    lab.wait_text(&page, "count", "33");
    lab.click(&page, "boom");
    lab.inspector.event("boom", 1);
    save(&mut lab, "counter");
}

fn form() {
    let mut lab = Lab::start();
    let page = lab.open("/todo/");
    lab.inspector.mounted("TodoView");
    lab.click(&page, "insert-first");
    lab.inspector.step("the insertion", |step| step.kind == StepKind::Event);
    lab.click(&page, "reverse");
    lab.inspector.event("reverse", 1);
    lab.click(&page, "import");
    lab.inspector.step("the raising handler", |step| step.kind == StepKind::Event && step.status != inspector_model::Status::Ok);
    save(&mut lab, "form");
}

fn rate_limit() {
    let mut lab = Lab::start();
    let page = lab.open("/limited/");
    let session = lab.inspector.mounted("LimitedView");
    lab.click(&page, "expensive");
    lab.click(&page, "expensive");
    lab.inspector.event("expensive", 2);
    lab.click(&page, "flood");
    lab.inspector.step("the close", |step| step.kind == StepKind::Close && step.session.as_ref() == Some(&session));
    save(&mut lab, "rate_limit");
}

fn hvr() {
    let mut lab = Lab::start();
    let page = lab.open("/hvr/");
    lab.inspector.mounted("HvrView");
    lab.click(&page, "increment");
    lab.wait_text(&page, "count", "1");
    lab.edit("lab/hvr_views.py", "self.count += 1", "self.count += 100");
    let swapped = lab.inspector.step("the swap", |step| step.kind == StepKind::Hvr);
    lab.click(&page, "increment");
    lab.wait_text(&page, "count", "101");
    lab.edit("lab/hvr_views.py", "def greet(self, name: str = \"world\", **kwargs)", "def greet(self, other: int = 3, **kwargs)");
    lab.inspector.step_after(swapped.id, "the refusal", |step| step.kind == StepKind::Hvr);
    save(&mut lab, "hvr");
}

fn big_state() {
    let mut lab = Lab::start();
    let page = lab.open("/big-state/");
    lab.inspector.mounted("BigStateView");
    for name in ["edit-7", "edit-next", "edit-200", "drop-half"] {
        lab.click(&page, name);
    }
    lab.inspector.wait("four edits", |inspector| {
        let steps = inspector.timeline.as_ref()?.steps();
        (steps.iter().filter(|step| step.kind == StepKind::Event).count() == 4).then_some(())
    });
    save(&mut lab, "big_state");
}

fn components() {
    let mut lab = Lab::start();
    let page = lab.open("/components/");
    lab.inspector.mounted("ComponentsView");
    for name in ["adults-plus", "adults-plus", "children-plus", "click"] {
        lab.click(&page, name);
    }
    lab.wait_text(&page, "clicks", "1");
    let sticky = lab.open("/sticky-a/");
    lab.inspector.mounted("StickyPageA");
    lab.click(&sticky, "next-track");
    lab.inspector.event("next_track", 1);
    lab.click(&sticky, "like");
    lab.wait_text(&sticky, "likes", "1");
    lab.click(&sticky, "go-b");
    lab.inspector.mounted("StickyPageB");
    let last = lab.inspector.timeline().steps().last().map_or(inspector_model::StepId(0), |step| step.id);
    lab.click(&sticky, "note");
    lab.inspector.step_after(last, "the note", |step| step.kind == StepKind::Event);
    save(&mut lab, "components");
}

fn shop() {
    let mut lab = Lab::start();
    let page = lab.open("/shop/");
    lab.inspector.mounted("ShopView");
    for name in ["buy-3", "buy-1", "more-1"] {
        lab.click(&page, name);
    }
    lab.type_text(&page, "code", "HALF");
    lab.click(&page, "apply");
    lab.click(&page, "drop-3");
    lab.click(&page, "order");
    lab.inspector.event("order", 1);
    save(&mut lab, "shop");
}
