//! States into which secrets are put, exported in each format: no secret comes out, or nothing does.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use inspector_model::{
    BUG_CAPTURE_PREFIX, ErrorDetail, ExportFormat, ExportOptions, Frame, LogRecord, Phase, Session, SessionId, Side, SqlQuery, StateAnswer,
    Status, Step, StepDetail, StepKind, View,
};
use inspector_share::{ShareError, export, preview};
use inspector_store::{NewState, NewStep, Reader, read_file};
use serde_json::{Value as Json, json};

use super::in_library;

/// Known by its name only.
const NAMED: &str = "k7-violet-Horse-93";
/// Known by their looks.
const LOOKS: [&str; 3] = ["AKIAIOSFODNN7EXAMPLE", "4242 4242 4242 4242", "ghp_16C7e42F292c6912E7710c838347Ae178B4a"];

pub fn run(data: &[u8]) {
    let mut state: Json = serde_json::from_slice(data).unwrap_or_else(|_| String::from_utf8_lossy(data).into());
    plant(&mut state, 0);
    let state = json!({"state": state, "password": NAMED, "note": format!("paid with {}, see {}", LOOKS[1], LOOKS[0])}).to_string();
    in_library(|store, folder| {
        let mut recorder = store.create(NAMED, 1.0, "1.2.6").expect("a recorder");
        let session = SessionId::from("s");
        recorder.put_session(&Session {
            id: session.clone(),
            phase: Phase::Mounted,
            client: None,
            user: Some("ann".into()),
            django_session: None,
            user_agent: None,
            pid: None,
            path: Some(format!("/pay/?token={NAMED}")),
            view: Some(View { class: "shop.views.Pay".into(), ..View::default() }),
            children: Vec::new(),
            opened: 1.0,
            close: None,
            succeeds: None,
            transport: inspector_model::Transport::Websocket,
        });
        let text = String::from_utf8_lossy(data);
        let detail = StepDetail {
            params: Some(state.clone()),
            raw_params: Some(format!(r#"{{"field":"password","value":"{NAMED}"}}"#)),
            error: Some(ErrorDetail {
                kind: NAMED.into(),
                message: format!("no {} {text}", LOOKS[2]),
                traceback: Some(format!("x\n  {NAMED}")),
            }),
            sql: vec![SqlQuery { sql: format!("SELECT '{}'", LOOKS[2]), params: Some(format!("('{NAMED}',)")), ..SqlQuery::default() }],
            logs: vec![LogRecord { level: NAMED.into(), logger: NAMED.into(), message: format!("{text} {NAMED}"), ..LogRecord::default() }],
            frames: vec![Frame { dir: NAMED.into(), text: state.clone(), ..Frame::default() }],
            missing: Some(NAMED.into()),
            ..StepDetail::default()
        };
        let step = Step {
            session: Some(session),
            status: Status::Raised,
            error: Some(format!("no {}", LOOKS[2])),
            changed: vec![format!("state.{NAMED}")],
            ..Step::new(StepKind::Event, "pay", 1.0)
        };
        let html = format!("<p>{NAMED}</p><input type=password value='{NAMED}'>{text}");
        let new =
            NewStep { step, detail, before: NewState::None, after: NewState::Text(state.clone().into()), html: Some(html.as_str().into()) };
        let mut second = new.clone();
        second.before = NewState::Same;
        recorder.append(new).expect("a step");
        recorder.append(second).expect("a step");
        recorder.flush().expect("it is written");
        let id = recorder.id().clone();
        drop(recorder);
        let reader = store.read(&id).expect("it can be read");
        // One format of each input: all five take half a second.
        let which = data.iter().map(|byte| usize::from(*byte)).sum::<usize>() % ExportFormat::ALL.len();
        check(&reader, ExportFormat::ALL[which], &folder.join("export"));
        store.delete(&id).expect("it can be deleted");
    });
}

/// A secret under a secret's name in each object.
fn plant(json: &mut Json, depth: usize) {
    match json {
        Json::Object(entries) if depth < 120 => {
            entries.values_mut().for_each(|value| plant(value, depth + 1));
            // Beside the content of a typed value nothing has a name; what is there refuses the export.
            if !entries.contains_key("$t") {
                entries.insert("api_key".into(), NAMED.into());
            }
        }
        Json::Array(items) if depth < 120 => items.iter_mut().for_each(|item| plant(item, depth + 1)),
        _ => {}
    }
}

fn check(reader: &Reader, format: ExportFormat, path: &std::path::Path) {
    let mut options = ExportOptions { format, ..ExportOptions::default() };
    if format == ExportFormat::BugCapture {
        options.selection.first = Some(inspector_model::StepId(2));
        options.selection.last = options.selection.first;
    }
    let told = preview(reader, &options, &|_, _| true);
    if let Ok(told) = &told {
        assert_clean(&format!("{told:?}"), format);
    }
    match export(reader, &options, path, &|_, _| true) {
        Ok(_) => texts(path, format).iter().for_each(|text| assert_clean(text, format)),
        Err(error) => {
            assert!(matches!(error, ShareError::Leak { .. } | ShareError::Unsuited(_)), "{format}: {error}");
            assert_clean(&error.to_string(), format);
        }
    }
    let _ = std::fs::remove_file(path);
}

fn assert_clean(text: &str, format: ExportFormat) {
    for secret in LOOKS.into_iter().chain([NAMED]) {
        if let Some(at) = text.find(secret) {
            let from = text.floor_char_boundary(at.saturating_sub(200));
            panic!("{format}: {secret} in {}", &text[from..at + secret.len()]);
        }
    }
}

/// What a reader of the file gets.
fn texts(path: &std::path::Path, format: ExportFormat) -> Vec<String> {
    let text = || std::fs::read_to_string(path).expect("the file");
    match format {
        ExportFormat::Recording => {
            let reader = read_file(path).expect("a recording");
            let mut texts = vec![format!("{:?} {:?} {:?}", reader.info(), reader.sessions(), reader.steps())];
            for step in reader.steps().expect("steps") {
                texts.push(format!("{:?} {:?}", reader.detail(step.id), reader.html(step.id, Side::After)));
                if let Ok(StateAnswer::Full(state)) = reader.state(step.id, Side::After) {
                    texts.push(state.to_string());
                }
            }
            texts
        }
        ExportFormat::BugCapture => {
            let blob = text();
            let decoded = URL_SAFE_NO_PAD.decode(blob.trim().trim_start_matches(BUG_CAPTURE_PREFIX)).expect("base64");
            vec![String::from_utf8(decoded).expect("text")]
        }
        ExportFormat::Json | ExportFormat::Html | ExportFormat::Pytest => vec![text()],
    }
}
