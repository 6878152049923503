//! Secrets on every way by which one could leave: none is in what was recorded, nor in any file that is made of it.

use std::collections::BTreeMap;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use inspector_model::{
    Answer, BUG_CAPTURE_PREFIX, ExportFormat, ExportOptions, Redaction, Request, Selection, Side, SourceId, StateAnswer, StepKind,
};
use inspector_test_support::workspace_root;
use serde_json::{Value, json};

use crate::inspector::Inspector;
use crate::lab::Lab;

fn planted() -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(workspace_root().join("tests/project/lab/planted.json")).expect("the corpus");
    let corpus: Value = serde_json::from_str(&text).expect("JSON");
    let secrets: BTreeMap<String, String> = serde_json::from_value(corpus["secrets"].clone()).expect("secrets");
    assert!(secrets.len() >= 60);
    secrets
}

/// How a secret may stand in a file.
fn spellings(secret: &str) -> Vec<String> {
    let json = serde_json::to_string(secret).expect("JSON");
    let json = &json[1..json.len() - 1];
    let again = serde_json::to_string(json).expect("JSON");
    let html = secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    let hex: String =
        secret.bytes().flat_map(|byte| [byte >> 4, byte & 15]).filter_map(|digit| char::from_digit(digit.into(), 16)).collect();
    let percent: String =
        secret
            .bytes()
            .map(|byte| {
                if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }
            })
            .collect();
    let mut all = vec![secret.to_owned(), json.to_owned(), again[1..again.len() - 1].to_owned(), html, hex.to_uppercase(), hex, percent];
    for shift in 0..3_usize {
        let mut bytes = vec![0; shift];
        bytes.extend(secret.bytes());
        let whole = (8 * shift).div_ceil(6)..bytes.len() * 8 / 6;
        all.push(STANDARD.encode(&bytes)[whole].to_owned());
    }
    all
}

/// The ways whose secrets are in a text.
fn found<'a>(secrets: &'a BTreeMap<String, String>, text: &str) -> Vec<&'a str> {
    let is_there = |secret: &str| spellings(secret).iter().any(|form| text.contains(form.as_str()));
    secrets.iter().filter(|(_, secret)| is_there(secret)).map(|(way, _)| way.as_str()).collect()
}

/// Everything that is known of a recording: its steps with their details, states and pages, its pages and the server.
fn all_of(inspector: &mut Inspector, source: SourceId) -> String {
    let timeline = if source == inspector.id {
        inspector.timeline().clone()
    } else {
        inspector
            .wait("the file's steps", |inspector| inspector.others.get(&source).filter(|timeline| !timeline.steps().is_empty()).cloned())
    };
    let mut out = format!("{:?} {:?} {:?}\n", timeline.source(), timeline.sessions(), timeline.steps());
    let steps: Vec<_> = timeline.steps().iter().map(|step| step.id).collect();
    for step in steps {
        for request in [
            Request::Detail { source, step },
            Request::Html { source, step, side: Side::After },
            Request::State { source, step, side: Side::Before },
            Request::State { source, step, side: Side::After },
        ] {
            match inspector.ask(request) {
                Answer::State(StateAnswer::Full(state)) => out.push_str(&state),
                other => {
                    let told = format!("{other:?}");
                    out.push_str(&told.replace("\\\"", "\"").replace("\\\\", "\\"));
                }
            }
            out.push('\n');
        }
    }
    out
}

/// What a reader of a file gets: itself, and what is packed in it.
fn read(inspector: &mut Inspector, path: &Path, format: ExportFormat) -> String {
    let bytes = std::fs::read(path).expect("the file");
    let mut text = String::from_utf8_lossy(&bytes).into_owned();
    match format {
        ExportFormat::BugCapture => {
            let blob = text.trim().trim_start_matches(BUG_CAPTURE_PREFIX);
            text = String::from_utf8(URL_SAFE_NO_PAD.decode(blob).expect("base64")).expect("text");
        }
        ExportFormat::Recording => {
            let opened = inspector.ask(Request::OpenFile(path.to_owned()));
            let Answer::Opened(source) = opened else { panic!("not opened: {opened:?}") };
            text.push_str(&all_of(inspector, source));
        }
        ExportFormat::Json | ExportFormat::Html | ExportFormat::Pytest => {}
    }
    text
}

#[test]
fn no_planted_secret_is_in_a_recording_or_in_any_file_that_is_made_of_it() {
    let secrets = planted();
    let mut lab = Lab::start();
    let of = |way: &str| secrets.get(way).unwrap_or_else(|| panic!("{way} is not in the corpus")).as_str();
    let page = lab.open(&format!("/planted/?token={}", of("query of the mount")));
    lab.inspector.mounted("PlantedView");
    let messages = [
        json!({"type": "event", "event": "take", "ref": 900, "params": {"password": of("parameter"), "note": of("parameter")}}),
        json!({"type": "event", "event": "take", "ref": 901,
            "params": {"field": "form1", "name": "password", "value": of("field and name beside the value")}}),
        json!({"type": "event", "event": "take", "ref": 902, "params": {"fields": [{"name": "api_key", "value": of("list of fields")}],
            "headers": [["X-Api-Key", of("headers in parameters")]]}}),
        json!({"type": "event", "event": "no_such_handler", "ref": 903, "params": {"pwd": of("event that is refused")}}),
        json!({"type": "no_such_type", "name": "api_key", "value": of("message with a field's name")}),
        json!({"type": "no_such_type", "authorization": of("unknown message")}),
    ];
    for message in messages {
        lab.eval(&page, &format!("void window.djust.liveViewInstance.sendMessage({message})"));
    }
    lab.click(&page, "leak");
    lab.inspector.event("leak", 1);
    lab.click(&page, "boom");
    lab.inspector.event("boom", 1);
    lab.inspector.step("the refused event", |step| step.kind == StepKind::Event && step.name == "no_such_handler");

    let source = lab.inspector.id;
    let recorded = all_of(&mut lab.inspector, source);
    assert!(recorded.contains("visible-text") && recorded.contains("SetAttr") && recorded.contains("Traceback"), "{recorded}");
    assert_eq!(found(&secrets, &recorded), Vec::<&str>::new());

    let folder = tempfile::tempdir().expect("a folder");
    let recording = lab.inspector.timeline().source().recorder.recording.clone().expect("a recording");
    let leak = lab.inspector.event("leak", 1).id;
    for format in ExportFormat::ALL {
        // With what the agent let through and nothing kept back again, and as an export is by itself.
        for off in [true, false] {
            let mut options = ExportOptions { format, redaction: Redaction { off, ..Redaction::default() }, ..ExportOptions::default() };
            if format == ExportFormat::BugCapture {
                options.selection = Selection { first: Some(leak), last: Some(leak), session: None };
            }
            let path = folder.path().join(format!("{off}.{}", format.extension()));
            let told = lab.inspector.ask(Request::Export { recording: recording.clone(), options, path: path.clone() });
            assert!(matches!(told, Answer::Done(_)), "{format}: {told:?}");
            let text = read(&mut lab.inspector, &path, format);
            assert!(text.contains("visible-text") || format == ExportFormat::Pytest, "{format}");
            assert_eq!(found(&secrets, &text), Vec::<&str>::new(), "{format}");
        }
    }
}

#[test]
fn the_search_for_planted_secrets_finds_each_of_them() {
    let secrets = planted();
    for (way, secret) in &secrets {
        for form in spellings(secret) {
            assert!(found(&secrets, &format!("x {form} y")).contains(&way.as_str()), "{way}: {form}");
        }
    }
}
