//! The whole way: a recording with secrets and hostile names, each format, and what a reader finds in it.

mod bug_captures;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine as _;
use inspector_model::{
    BUG_CAPTURE_PREFIX, Cause, ErrorDetail, ExportFormat, ExportOptions, ExportPlace, Frame, LogRecord, PageShell, Phase, Redaction,
    RedactionRule, Selection, Session, SessionId, Side, SqlQuery, StateAnswer, Status, Step, StepDetail, StepId, StepKind, StyleSheet,
    Value, View, parse_value,
};
use inspector_store::{NewState, NewStep, Reader, Store, read_file};
use proptest::prelude::*;
use tempfile::TempDir;

use bug_captures::blob;
use sha2::Digest as _;

use crate::bug_capture::read as read_bug_capture;
use crate::redact::Redactor;
use crate::{ShareError, export, import_file, import_text, preview};

const JWT: &str = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJlMTIz";
const CARD: &str = "4111 1111 1111 1111";
const AWS: &str = "AKIAIOSFODNN7EXAMPLE";
const PASSWORD: &str = "corr<ect&horse\"7";
const PEM: &str = "-----BEGIN PRIVATE KEY-----\nMIIBVAIBADANBg\n-----END PRIVATE KEY-----";
const BEARER: &str = "q8f7h3k2j1l0p9o8";
const TOKEN: &str = "tok-5f3a9c-secret";

/// All that must never be seen again.
const SECRETS: [&str; 7] = [JWT, CARD, AWS, PASSWORD, "MIIBVAIBADANBg", BEARER, TOKEN];

/// Names and values that try to be something else in a terminal, a page, a spreadsheet or a program.
const HOSTILE: [&str; 9] = [
    "</script><script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "=cmd|' /C calc'!A0",
    "\u{1b}]0;owned\u{7}\u{1b}[2J",
    "\"\"\"\nimport os\nos.system('x')\n\"\"\"",
    "a\\\nb'\\\"c",
    "\u{202e}cba\u{2028}x",
    "<!--<script>",
    "日本語 🎉 größe",
];

struct Sample {
    folder: TempDir,
    reader: Reader,
}

impl Sample {
    fn new(fill: impl FnOnce(&mut inspector_store::Recorder)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (store, _) = Store::open(&folder.path().join("library")).unwrap();
        let mut recorder = store.create("A recording", 1_700_000_000.0, "1.2.6").unwrap();
        fill(&mut recorder);
        recorder.flush().unwrap();
        let id = recorder.id().clone();
        drop(recorder);
        let reader = store.read(&id).unwrap();
        Self { folder, reader }
    }

    /// Exports, and gives the file.
    fn export(&self, options: &ExportOptions) -> Result<std::path::PathBuf, ShareError> {
        let out = self.folder.path().join("out");
        std::fs::create_dir_all(&out).unwrap();
        let path = out.join(format!("file.{}", options.format.extension()));
        export(&self.reader, options, &path, &|_, _| true)?;
        let left: Vec<_> = std::fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(
            left.iter().all(|path| !path.file_name().unwrap().to_string_lossy().starts_with('.')),
            "nothing is left beside it: {left:?}"
        );
        Ok(path)
    }
}

fn session(id: &str, class: &str) -> Session {
    Session {
        id: SessionId::from(id),
        phase: Phase::Mounted,
        client: Some("127.0.0.1:5000".into()),
        user: None,
        django_session: None,
        user_agent: None,
        pid: None,
        path: Some(format!("/reset/?token={TOKEN}")),
        view: Some(View { class: class.into(), ..View::default() }),
        children: Vec::new(),
        opened: 1_700_000_000.0,
        close: None,
        succeeds: None,
        transport: inspector_model::Transport::Websocket,
    }
}

fn step(session: &str, kind: StepKind, name: &str, state: &str) -> Step {
    Step { session: Some(session.into()), state_bytes: state.len() as u64, rendered: true, ..Step::new(kind, name, 1_700_000_001.0) }
}

fn text(json: &Value) -> NewState {
    NewState::Text(json.to_json().into())
}

fn map(entries: &[(&str, Value)]) -> Value {
    Value::Map(entries.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect())
}

fn string(text: &str) -> Value {
    Value::Text(text.to_owned())
}

/// A secret in each place that a recording has.
fn secretive() -> Sample {
    Sample::new(|recorder| {
        recorder.put_session(&session("s-1", "shop.views.Cart"));
        let before = map(&[("count", Value::Number(1.into())), ("password", string(PASSWORD)), ("note", string(&format!("see {JWT}")))]);
        let after = map(&[
            ("count", Value::Number(2.into())),
            ("password", string(PASSWORD)),
            ("note", string(&format!("paid with {CARD}, {AWS}"))),
            ("user", map(&[("apiKey", string(TOKEN)), ("name", string("Ann")), ("has_password", Value::Bool(true))])),
            ("pem", string(PEM)),
        ]);
        recorder.put_shell(
            &SessionId::from("s-1"),
            &PageShell {
                url: format!("http://localhost/reset/?token={TOKEN}"),
                before: format!("<!doctype html><meta name=\"csrf-token\" content=\"{TOKEN}\"><div>"),
                after: "</div></html>".into(),
                styles: vec![StyleSheet { href: "/a.css".into(), text: "b{}".into() }],
            },
        );
        let detail = StepDetail {
            params: Some(map(&[("password", string(PASSWORD)), ("n", Value::Number(1.into()))]).to_json()),
            raw_params: Some(map(&[("field", string("password")), ("value", string(PASSWORD))]).to_json()),
            error: Some(ErrorDetail {
                kind: "ValueError".into(),
                message: format!("bad token={TOKEN}"),
                traceback: Some(format!("  Authorization: Bearer {BEARER}\n")),
            }),
            sql: vec![
                SqlQuery {
                    sql: "SELECT 1 FROM users WHERE password = %s".into(),
                    params: Some("('secret word 1',)".into()),
                    ..SqlQuery::default()
                },
                SqlQuery { sql: "SELECT 2".into(), params: Some(format!("('{JWT}',)")), ..SqlQuery::default() },
            ],
            logs: vec![LogRecord {
                level: "INFO".into(),
                logger: "shop".into(),
                message: format!("token: {TOKEN} ok"),
                ..LogRecord::default()
            }],
            frames: vec![
                Frame {
                    dir: "in".into(),
                    text: format!(r#"{{"event":"pay","params":{{"password":{}}}}}"#, serde_json::json!(PASSWORD)),
                    ..Frame::default()
                },
                Frame { dir: "out".into(), text: format!("no json, Bearer {BEARER}"), ..Frame::default() },
            ],
            ..StepDetail::default()
        };
        let html = format!("<p>{}</p><input type=\"password\" value=\"x{TOKEN}\"><b>{AWS}</b>", crate::redact::escape_html(PASSWORD));
        let look = step("s-1", StepKind::Event, "look", &before.to_json());
        let plain = StepDetail { params: Some(r#"{"n":1}"#.into()), ..StepDetail::default() };
        recorder.append(NewStep { step: look, detail: plain, before: text(&before), after: NewState::Same, html: None }).unwrap();
        let mut paid = step("s-1", StepKind::Event, "pay", &after.to_json());
        paid.error = Some(format!("bad token={TOKEN}"));
        paid.status = Status::Raised;
        recorder.append(NewStep { step: paid, detail, before: text(&before), after: text(&after), html: Some(html.into()) }).unwrap();
    })
}

/// Each text that a reader of a file gets, decoded.
fn texts(path: &Path, format: ExportFormat) -> Vec<String> {
    match format {
        ExportFormat::Recording => {
            let reader = read_file(path).unwrap();
            let mut texts = vec![format!("{:?}{:?}", reader.sessions().unwrap(), reader.steps().unwrap())];
            for session in reader.sessions().unwrap() {
                texts.push(format!("{:?}", reader.shell(&session.id).unwrap()));
            }
            for step in reader.steps().unwrap() {
                let detail = reader.detail(step.id).unwrap();
                texts.extend(detail.frames.into_iter().map(|frame| frame.text));
                texts.extend(detail.params.into_iter().chain(detail.raw_params));
                texts.push(format!("{:?} {:?} {:?}", detail.error, detail.sql, detail.logs));
                texts.extend(reader.html(step.id, Side::After).unwrap().map(|html| html.to_string()));
                for side in [Side::Before, Side::After] {
                    if let StateAnswer::Full(text) = reader.state(step.id, side).unwrap() {
                        texts.push(text.to_string());
                    }
                }
            }
            texts
        }
        ExportFormat::BugCapture => vec![format!("{:?}", read_bug_capture(&std::fs::read_to_string(path).unwrap()).unwrap())],
        ExportFormat::Json | ExportFormat::Html | ExportFormat::Pytest => vec![std::fs::read_to_string(path).unwrap()],
    }
}

fn options(format: ExportFormat) -> ExportOptions {
    ExportOptions { format, ..ExportOptions::default() }
}

/// The same, of one step for what holds only one.
fn fitting(format: ExportFormat) -> ExportOptions {
    let step = Some(StepId(2)).filter(|_| format == ExportFormat::BugCapture);
    ExportOptions { format, selection: Selection { first: step, last: step, session: None }, ..ExportOptions::default() }
}

#[test]
fn secrets_are_in_no_format() {
    let sample = secretive();
    for format in ExportFormat::ALL {
        let path = sample.export(&fitting(format)).unwrap();
        for text in texts(&path, format) {
            for secret in SECRETS {
                for form in [
                    secret.to_owned(),
                    crate::redact::escape_html(secret),
                    serde_json::json!(secret).to_string().trim_matches('"').to_owned(),
                ] {
                    assert!(!text.contains(&form), "{format}: {form} in {text}");
                }
            }
            assert!(!text.contains("secret word 1"), "{format}: {text}");
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{format}");
        }
    }
}

#[test]
fn a_learned_secret_is_found_in_every_encoding() {
    let secret = "s3cr\u{e9}t-&-four";
    let encode =
        |shift: usize| base64::engine::general_purpose::STANDARD.encode([&b"xyz"[..shift], secret.as_bytes(), b"and more"].concat());
    let hex: String =
        secret.bytes().flat_map(|byte| [byte >> 4, byte & 15]).filter_map(|digit| char::from_digit(digit.into(), 16)).collect();
    let spelled = [
        secret.to_owned(),
        "s3cr\u{e9}t-&amp;-four".into(),
        r"s3cr\u00e9t-&-four".into(),
        "s3cr%C3%A9t-%26-four".into(),
        encode(0),
        encode(1),
        encode(2),
        format!("0x{hex}00"),
        hex.to_uppercase(),
    ];
    let texts: Vec<Value> = spelled.iter().map(|text| string(text)).collect();
    let bytes = parse_value(&format!(r#"{{"$t":"bytes","len":30,"v":"{}"}}"#, encode(1))).unwrap();
    let raw = base64::engine::general_purpose::STANDARD.encode([b"\xff\xfe", secret.as_bytes()].concat());
    let raw = parse_value(&format!(r#"{{"$t":"bytes","len":18,"v":"{raw}"}}"#)).unwrap();
    let state = map(&[("password", string(secret)), ("texts", Value::List(texts)), ("bytes", Value::List(vec![bytes, raw]))]);
    let mut redactor = Redactor::new(&Redaction::default()).unwrap();
    redactor.value(state.clone(), ExportPlace::State);
    redactor.learned().unwrap();
    let clean = redactor.value(state, ExportPlace::State).to_json();
    assert_eq!(clean.matches("redacted").count(), 1 + spelled.len() + 2, "{clean}");
    for text in &spelled {
        assert!(redactor.finds(text).is_some(), "{text}");
    }
}

#[test]
fn a_value_is_hidden_by_the_name_that_stands_beside_it() {
    for message in [
        r#"{"field":"form1","name":"password","value":"pw-1-secret"}"#,
        r#"{"type":"SetAttr","path":[1],"key":"data-api-token","value":"pw-1-secret"}"#,
        r##"{"type":"InsertChild","node":{"tag":"textarea","attrs":{"name":"api_key"},"children":[{"tag":"#text","text":"pw-1-secret"}]}}"##,
        r#"{"node":{"tag":"input","attrs":{"type":"password","value":"pw-1-secret"}}}"#,
    ] {
        let mut redactor = Redactor::new(&Redaction::default()).unwrap();
        let clean = redactor.value(parse_value(message).unwrap(), ExportPlace::Frame).to_json();
        assert!(!clean.contains("pw-1"), "{clean}");
    }
}

#[test]
fn without_redaction_they_are_there() {
    let sample = secretive();
    let off = Redaction { off: true, ..Redaction::default() };
    for format in ExportFormat::ALL {
        let path = sample.export(&ExportOptions { redaction: off.clone(), ..fitting(format) }).unwrap();
        let whole = texts(&path, format).concat();
        assert!(whole.contains(AWS), "{format}");
    }
}

#[test]
fn a_preview_counts_by_rule_and_place_and_tells_no_value() {
    let sample = secretive();
    let seen = preview(&sample.reader, &ExportOptions::default(), &|_, _| true).unwrap();
    assert_eq!((seen.steps, seen.pages), (2, 1));
    let count = |rule, place| seen.kept_back.iter().find(|kept| kept.rule == rule && kept.place == place).map_or(0, |kept| kept.count);
    for place in [
        ExportPlace::State,
        ExportPlace::Params,
        ExportPlace::Frame,
        ExportPlace::Sql,
        ExportPlace::Log,
        ExportPlace::Error,
        ExportPlace::Page,
    ] {
        assert!(seen.kept_back.iter().any(|kept| kept.place == place), "{place:?} in {seen:?}");
    }
    // `password` before and after, `user.apiKey`.
    assert_eq!(count(RedactionRule::Name, ExportPlace::State), 3);
    assert_eq!(count(RedactionRule::Jwt, ExportPlace::State), 1);
    assert_eq!(count(RedactionRule::Card, ExportPlace::State), 1);
    assert_eq!(count(RedactionRule::SameValue, ExportPlace::Page), 1, "the password in the page's text: {seen:?}");
    let names = seen.kept_back.iter().find(|kept| kept.rule == RedactionRule::Name && kept.place == ExportPlace::State).unwrap();
    assert_eq!((names.different, names.examples.as_slice()), (2, ["password".to_owned(), "user.apiKey".to_owned()].as_slice()));
    let card = seen.kept_back.iter().find(|kept| kept.rule == RedactionRule::Card && kept.place == ExportPlace::State).unwrap();
    assert_eq!(card.examples, ["note"], "where it stands");
    let told = format!("{seen:?}");
    assert!(SECRETS.iter().all(|secret| !told.contains(secret)), "{told}");
}

#[test]
fn a_place_whose_key_is_a_secret_is_no_example() {
    let mut redactor = Redactor::new(&Redaction::default()).unwrap();
    let sessions = map(&[("sessions", map(&[(JWT, map(&[("password", string("hunter 2 x"))]))]))]);
    redactor.value(sessions, ExportPlace::State);
    let kept = redactor.kept_back();
    assert_eq!(kept.len(), 2, "{kept:?}");
    assert!(!format!("{kept:?}").contains("eyJ"), "{kept:?}");
}

#[test]
fn pseudonyms_are_equal_within_one_export_and_other_ones_in_the_next() {
    let sample = secretive();
    let pseudonym = || {
        let path = sample.export(&options(ExportFormat::Json)).unwrap();
        let json: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let step = &json["steps"][1];
        assert_eq!(step["before"]["password"], step["after"]["password"]);
        assert_eq!(step["before"]["password"]["as"], step["detail"]["params"]["password"]["as"]);
        assert!(step["changes"].as_array().unwrap().iter().all(|change| change["path"] != "password"), "equal stays equal");
        step["before"]["password"]["as"].as_str().unwrap().to_owned()
    };
    assert_ne!(pseudonym(), pseudonym());
}

#[test]
fn places_and_names_of_a_person_are_kept_back_and_booleans_stay() {
    let sample = secretive();
    let redaction = Redaction { paths: vec!["user.name".into()], names: vec!["count".into()], ..Redaction::default() };
    let path = sample.export(&ExportOptions { format: ExportFormat::Json, redaction, ..ExportOptions::default() }).unwrap();
    let json: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let after = &json["steps"][1]["after"];
    assert_eq!(after["user"]["name"]["$t"], "redacted");
    assert_eq!(after["count"]["of"], "int");
    assert_eq!(after["user"]["has_password"], true);
    let wrong = Redaction { paths: vec!["a..b".into()], ..Redaction::default() };
    let refused = sample.export(&ExportOptions { redaction: wrong, ..ExportOptions::default() });
    assert!(matches!(refused, Err(ShareError::Path(_))));
}

#[test]
fn a_secret_that_only_the_second_look_finds_refuses_the_export() {
    let sample = Sample::new(|recorder| {
        // No agent writes a field of this name beside the content of a value; whoever forges a recording may.
        let state = r#"{"thing":{"$t":"object","class":"a.B","token":"it-is-9-secret"}}"#;
        let new = NewStep {
            step: step("s", StepKind::Event, "x", state),
            detail: StepDetail::default(),
            before: NewState::None,
            after: NewState::Text(state.into()),
            html: None,
        };
        recorder.append(new).unwrap();
    });
    for format in [ExportFormat::Recording, ExportFormat::Json] {
        let error = sample.export(&options(format)).unwrap_err();
        let told = error.to_string();
        assert!(matches!(error, ShareError::Leak { .. }) && !told.contains("it-is-9-secret"), "{told}");
        let out = sample.folder.path().join("out");
        assert_eq!(std::fs::read_dir(out).unwrap().count(), 0, "nothing is left of it");
    }
}

#[test]
fn a_secret_that_is_the_name_of_a_logger_or_an_error_refuses_no_export() {
    let name = "django.request";
    let sample = Sample::new(|recorder| {
        let after = map(&[("password", string(name))]);
        let text_of = || name.to_owned();
        let detail = StepDetail {
            error: Some(ErrorDetail { kind: text_of(), message: text_of(), traceback: Some(text_of()) }),
            logs: vec![LogRecord { level: text_of(), logger: text_of(), message: text_of(), ..LogRecord::default() }],
            sql: vec![SqlQuery { sql: text_of(), params: Some(text_of()), ..SqlQuery::default() }],
            frames: vec![Frame { dir: text_of(), text: text_of(), ..Frame::default() }],
            missing: Some(text_of()),
            ..StepDetail::default()
        };
        let step = step("s", StepKind::Event, name, &after.to_json());
        recorder.append(NewStep { step, detail, before: NewState::None, after: text(&after), html: Some(name.into()) }).unwrap();
    });
    for format in [ExportFormat::Recording, ExportFormat::Json, ExportFormat::Html] {
        let path = sample.export(&options(format)).unwrap();
        assert!(texts(&path, format).iter().all(|text| !text.contains(name)), "{format}");
    }
}

/// Six steps of two pages; a replay points back at a step.
fn six() -> Sample {
    Sample::new(|recorder| {
        recorder.put_session(&session("a", "shop.views.Cart"));
        recorder.put_session(&session("b", "shop.views.Cart"));
        for number in 1..=6_u64 {
            let page = if number.is_multiple_of(2) { "b" } else { "a" };
            let state = |n: u64| map(&[("count", Value::Number(n.into())), ("rows", Value::List(vec![string("x"); 20]))]);
            let kind = if number == 5 { StepKind::Replay } else { StepKind::Event };
            let mut step = step(page, kind, "add", &state(number).to_json());
            if number == 5 {
                step.cause = Some(Cause::Replay { step: Some(StepId(3)), edited: false });
            }
            if number == 6 {
                step.cause = Some(Cause::Jump { step: Some(StepId(1)), side: Side::After });
            }
            let html = Some(Arc::from(format!("<b>{number}</b>")));
            recorder
                .append(NewStep {
                    step,
                    detail: StepDetail::default(),
                    before: text(&state(number - 1)),
                    after: text(&state(number)),
                    html,
                })
                .unwrap();
        }
    })
}

#[test]
fn a_selection_is_a_recording_of_its_own() {
    let sample = six();
    let selection = Selection { first: Some(StepId(3)), last: Some(StepId(6)), session: None };
    let path = sample.export(&ExportOptions { selection, ..ExportOptions::default() }).unwrap();
    let reader = read_file(&path).unwrap();
    let steps = reader.steps().unwrap();
    assert_eq!((steps.len(), reader.damage()), (4, None));
    for (number, step) in (1..).zip(&steps) {
        assert_eq!(step.id, StepId(number));
        for side in [Side::Before, Side::After] {
            let state = |reader: &Reader, id| match reader.state(StepId(id), side).unwrap() {
                StateAnswer::Full(text) => parse_value(&text).unwrap(),
                StateAnswer::Missing(why) => panic!("{why}"),
            };
            assert_eq!(state(&reader, number), state(&sample.reader, number + 2));
        }
        assert_eq!(reader.html(step.id, Side::After).unwrap(), sample.reader.html(StepId(number + 2), Side::After).unwrap());
    }
    assert_eq!(steps[2].cause, Some(Cause::Replay { step: Some(StepId(1)), edited: false }), "step 3 is step 1 now");
    assert_eq!(steps[3].cause, Some(Cause::Jump { step: None, side: Side::After }), "step 1 was left out");

    let selection = Selection { session: Some(SessionId::from("b")), ..Selection::default() };
    let path = sample.export(&ExportOptions { selection, ..ExportOptions::default() }).unwrap();
    let reader = read_file(&path).unwrap();
    assert_eq!(reader.steps().unwrap().len(), 3);
    assert_eq!(reader.sessions().unwrap().into_iter().map(|session| session.id).collect::<Vec<_>>(), [SessionId::from("b")]);
}

#[test]
fn an_empty_selection_says_what_there_is() {
    let selection = Selection { first: Some(StepId(70)), ..Selection::default() };
    let error = six().export(&ExportOptions { selection, ..ExportOptions::default() }).unwrap_err().to_string();
    assert!(error.contains("steps 1 to 6"), "{error}");
}

#[test]
fn an_export_is_cancelled_wherever_it_is_and_leaves_nothing() {
    let sample = six();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kept");
    for format in ExportFormat::ALL {
        let options = match format {
            ExportFormat::BugCapture => fitting(format),
            _ => options(format),
        };
        // Each time one question later, until nobody says stop before it is done.
        for stop_at in 0.. {
            std::fs::write(&path, "before").unwrap();
            let asked = AtomicU64::new(0);
            let last = AtomicU64::new(0);
            let done = export(&sample.reader, &options, &path, &|done, total| {
                assert!(done <= total && done >= last.swap(done, Ordering::Relaxed), "{format}: {done} of {total}");
                asked.fetch_add(1, Ordering::Relaxed) < stop_at
            });
            assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "{format}: nothing is left beside it");
            if done.is_ok() {
                let least = if format == ExportFormat::BugCapture { 2 } else { 12 };
                assert!(stop_at >= least, "{format}: it was asked {stop_at} times only");
                break;
            }
            assert!(matches!(done, Err(ShareError::Cancelled)), "{format} {stop_at}: {done:?}");
            assert_eq!(std::fs::read(&path).unwrap(), b"before", "{format} {stop_at}");
        }
    }
}

#[test]
fn a_large_text_is_scanned_in_parts_and_can_be_cancelled_there() {
    let sample = Sample::new(|recorder| {
        for number in 0..12_u64 {
            let after = map(&[("rows", string(&"a b ".repeat(1 << 16))), ("n", Value::Number(number.into()))]);
            let new = NewStep {
                step: step("s", StepKind::Event, "x", "{}"),
                detail: StepDetail::default(),
                before: NewState::None,
                after: text(&after),
                html: None,
            };
            recorder.append(new).unwrap();
        }
    });
    // What is learned and written takes the first 24 questions; more come from the second look alone.
    let asked = AtomicU64::new(0);
    let path = sample.folder.path().join("large.json");
    let furthest = AtomicU64::new(0);
    let stopped = export(&sample.reader, &options(ExportFormat::Json), &path, &|done, _| {
        furthest.store(done, Ordering::Relaxed);
        asked.fetch_add(1, Ordering::Relaxed) < 25
    });
    assert!(furthest.load(Ordering::Relaxed) > 24, "it says how much of the text was looked at");
    assert!(matches!(stopped, Err(ShareError::Cancelled)), "{stopped:?}");
    assert!(!path.exists());
}

#[test]
fn notes_go_along_with_their_steps_and_without_their_secrets() {
    let mut sample = six();
    let (store, _) = {
        let folder = sample.folder.path().join("library");
        sample.reader = read_file(&sample.export(&options(ExportFormat::Recording)).unwrap()).unwrap();
        Store::open(&folder).unwrap()
    };
    let id = store.recordings().unwrap()[0].id.clone();
    store.mark(&id, StepId(3), Some(&format!("look, token={TOKEN}"))).unwrap();
    store.mark(&id, StepId(1), Some("left out")).unwrap();
    sample.reader = store.read(&id).unwrap();
    let selection = Selection { first: Some(StepId(3)), ..Selection::default() };
    let share = |format| sample.export(&ExportOptions { format, selection: selection.clone(), ..ExportOptions::default() }).unwrap();
    let marks = read_file(&share(ExportFormat::Recording)).unwrap().marks().unwrap();
    assert_eq!(marks.len(), 1);
    assert!(marks[&StepId(1)].starts_with("look, token=[redacted:"), "{marks:?}");
    let json: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(share(ExportFormat::Json)).unwrap()).unwrap();
    assert!(json["steps"][0]["mark"].as_str().unwrap().starts_with("look, token=[redacted:"));
    assert!(json["steps"][1]["mark"].is_null());
    let report = std::fs::read_to_string(share(ExportFormat::Html)).unwrap();
    assert!(report.contains("Marked: look, token=[redacted:") && !report.contains("left out"), "{report:.300}");
}

#[test]
fn a_test_has_its_first_steps_and_says_how_many_were_left_out() {
    let sample = Sample::new(|recorder| {
        recorder.put_session(&session("s", "shop.views.Cart"));
        for number in 1..=520_u64 {
            let state = map(&[("n", Value::Number(number.into()))]);
            let step = step("s", StepKind::Event, "add", "{}");
            let new = NewStep { step, detail: StepDetail::default(), before: NewState::Same, after: text(&state), html: None };
            recorder.append(new).unwrap();
        }
    });
    let test = std::fs::read_to_string(sample.export(&options(ExportFormat::Pytest)).unwrap()).unwrap();
    assert!(test.contains("# Only the first 500 of 520 steps are here."), "{test:.400}");
    assert!(test.contains("# Step 500:") && !test.contains("# Step 501:"));
}

/// A step whose every text is hostile.
fn hostile() -> Sample {
    Sample::new(|recorder| {
        let class = "shop.views.Cart";
        recorder.put_session(&session("s", class));
        let mut before = Value::Map(Vec::new());
        for text_of in HOSTILE {
            let after = map(&[("value", string(text_of)), (text_of, Value::List(vec![string(text_of)]))]);
            let detail = StepDetail {
                params: Some(map(&[("label", string(text_of)), (text_of, string(text_of))]).to_json()),
                error: Some(ErrorDetail { kind: text_of.into(), message: text_of.into(), traceback: Some(text_of.into()) }),
                logs: vec![LogRecord { level: text_of.into(), logger: text_of.into(), message: text_of.into(), ..LogRecord::default() }],
                sql: vec![SqlQuery { sql: text_of.into(), params: Some(text_of.into()), ..SqlQuery::default() }],
                ..StepDetail::default()
            };
            let mut step = step("s", StepKind::Event, text_of, &after.to_json());
            step.status = Status::Raised;
            recorder
                .append(NewStep {
                    step,
                    detail,
                    before: text(&before),
                    after: text(&after),
                    html: Some(format!("<p>{text_of}</p>").into()),
                })
                .unwrap();
            before = after;
        }
    })
}

#[test]
fn hostile_names_stay_text_in_a_report() {
    let sample = hostile();
    let path = sample.export(&options(ExportFormat::Html)).unwrap();
    let report = std::fs::read_to_string(path).unwrap();
    assert_eq!(report.matches("<script").count(), 2, "the pages and our own");
    assert_eq!(report.matches("</script>").count(), 2);
    assert!(!report.contains("<img") && !report.contains("<!--"), "nothing recorded is markup");
    let document = report.split(crate::report::PAGES).next().unwrap();
    assert!(!document.chars().any(|c| inspector_model::is_invisible(c) && c != '\n'), "nothing that hides");
    // The script that the policy allows is the one that is there.
    let script = report.rsplit("<script>").next().unwrap().split("</script>").next().unwrap();
    let hash = base64::engine::general_purpose::STANDARD.encode(sha2::Sha256::digest(script.as_bytes()));
    assert!(report.contains(&format!("script-src 'sha256-{hash}'")));
    let pages = report.split(crate::report::PAGES).nth(1).unwrap().split("</script>").next().unwrap();
    let pages: Vec<String> = serde_json::from_str(pages).unwrap();
    assert!(pages.len() >= 5 && pages.iter().all(|page| !page.contains("<script") && !page.contains("onerror=")), "{pages:?}");
}

#[test]
fn hostile_names_stay_literals_in_a_test() {
    let sample = hostile();
    let path = sample.export(&options(ExportFormat::Pytest)).unwrap();
    let test = std::fs::read_to_string(path).unwrap();
    assert!(!test.chars().any(|c| inspector_model::is_invisible(c) && c != '\n'));
    let body = &test[test.find("class RecordedSteps").unwrap()..];
    for line in body.lines().skip(1) {
        let line = line.trim_start();
        let known = ["# ", "def ", "client", "put(", "}", "\"", "result", "assert ", "state", ""];
        assert!(known.iter().any(|begin| !begin.is_empty() && line.starts_with(begin)) || line.is_empty(), "{line}");
        assert!(!line.starts_with("import") && !line.starts_with("os."), "{line}");
    }
}

#[test]
fn what_no_test_can_send_ends_the_test_and_says_so() {
    let sample = Sample::new(|recorder| {
        recorder.put_session(&session("s", "shop.views.Cart"));
        let state = |n: u64| map(&[("n", Value::Number(n.into()))]);
        for (number, params) in (1..).zip([r#"{"n":1}"#, r#"{"event_name":"x"}"#, r#"{"n":3}"#]) {
            let step = step("s", StepKind::Event, "add", "{}");
            let detail = StepDetail { params: Some(params.into()), ..StepDetail::default() };
            recorder.append(NewStep { step, detail, before: text(&state(number - 1)), after: text(&state(number)), html: None }).unwrap();
        }
    });
    let test = std::fs::read_to_string(sample.export(&options(ExportFormat::Pytest)).unwrap()).unwrap();
    assert!(test.contains("send(client, \"add\", {\"n\": 1})") && !test.contains("{\"n\": 3}"), "{test}");
    assert!(test.contains("# What followed is not tested."));
}

#[test]
fn what_a_format_cannot_hold_is_told_by_the_preview() {
    let sample = Sample::new(|recorder| {
        let tick = NewStep {
            step: Step::new(StepKind::Tick, "tick", 1.0),
            detail: StepDetail::default(),
            before: NewState::None,
            after: NewState::None,
            html: None,
        };
        recorder.append(tick).unwrap();
    });
    let told = |format| preview(&sample.reader, &options(format), &|_, _| true).map_err(|error| error.to_string());
    assert!(told(ExportFormat::Pytest).unwrap_err().contains("none is an event of a page"));
    assert!(told(ExportFormat::BugCapture).unwrap_err().contains("has no states to capture"));
    assert!(told(ExportFormat::Html).is_ok());
}

#[test]
fn json_has_the_steps_with_typed_values_and_changes() {
    let sample = six();
    let path = sample.export(&options(ExportFormat::Json)).unwrap();
    let json: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert_eq!(
        (json["format"].as_str(), json["version"].as_u64(), json["redacted"].as_bool()),
        (Some("djust-inspector-steps"), Some(1), Some(true))
    );
    assert_eq!(json["sessions"].as_array().unwrap().len(), 2);
    let third = &json["steps"][2];
    assert_eq!(
        (third["step"]["id"].as_u64(), third["before"]["count"].as_u64(), third["after"]["count"].as_u64()),
        (Some(3), Some(2), Some(3))
    );
    let expected = serde_json::json!([{"op": "changed", "before": 2, "after": 3, "path": "count"}]);
    assert_eq!(third["changes"], expected);
}

#[test]
fn every_sample_can_be_shared_in_every_format() {
    let folder = tempfile::tempdir().unwrap();
    let recordings = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../recordings");
    let mut count = 0;
    for entry in
        std::fs::read_dir(recordings).unwrap().flatten().filter(|entry| entry.path().extension().is_some_and(|ending| ending == "djrec"))
    {
        let reader = read_file(&entry.path()).unwrap();
        for format in ExportFormat::ALL {
            let path = folder.path().join("file");
            let mut options = options(format);
            if format == ExportFormat::BugCapture {
                let steps = reader.steps().unwrap();
                let step = steps.iter().find(|step| step.kind == StepKind::Event && step.has_states()).unwrap().id;
                options.selection = Selection { first: Some(step), last: Some(step), session: None };
            }
            let done =
                export(&reader, &options, &path, &|_, _| true).unwrap_or_else(|error| panic!("{:?} {format}: {error}", entry.path()));
            assert!(done.bytes > 100);
            count += 1;
        }
    }
    assert!(count >= 35);
}

/// Values with secrets under some of their names.
fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(|number| Value::Number(number.into())),
        "[ -~]{0,20}".prop_map(Value::Text),
        any::<String>().prop_map(Value::Text),
        prop::sample::select(vec![JWT, CARD, PEM, AWS, "Bearer q8f7h3k2j1", "x?token=abc123456", "<input type=password value='k9$$k9'>"])
            .prop_map(|text| Value::Text(text.to_owned())),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        let name = prop::sample::select(vec!["a", "password", "apiKey", "value", "name", "field", "token", "$t", "v"]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::List),
            prop::collection::vec((name, inner), 0..5).prop_map(|entries| {
                let mut seen = std::collections::HashSet::new();
                let entries = entries.into_iter().filter(|(name, _)| seen.insert(*name) && *name != "$t");
                Value::Map(entries.map(|(name, value)| (name.to_owned(), value)).collect())
            }),
        ]
    })
}

proptest! {
    #[test]
    fn what_was_cleaned_is_clean(value in values()) {
        let mut redactor = Redactor::new(&Redaction::default()).unwrap();
        redactor.value(value.clone(), ExportPlace::State);
        redactor.learned().unwrap();
        let clean = redactor.value(value, ExportPlace::State);
        let counted = redactor.kept_back();
        let again = redactor.value(clean.clone(), ExportPlace::State);
        prop_assert_eq!(&again, &clean);
        prop_assert_eq!(redactor.kept_back(), counted, "the second time there is nothing to hide");
    }

    #[test]
    fn the_second_look_finds_nothing_in_what_was_cleaned(texts in prop::collection::vec(any::<String>(), 1..4), secret in "[a-z]{3}[0-9]{4}[ -~]{0,9}[a-z]") {
        let state = Value::Map(vec![
            ("password".to_owned(), Value::Text(secret.clone())),
            ("texts".to_owned(), Value::List(texts.iter().map(|text| Value::Text(format!("{text} {secret} {text}"))).collect())),
        ]);
        let mut redactor = Redactor::new(&Redaction::default()).unwrap();
        redactor.value(state.clone(), ExportPlace::State);
        redactor.learned().unwrap();
        let clean = redactor.value(state, ExportPlace::State);
        let Some(Value::List(texts)) = clean.get("texts") else { panic!("{clean:?}") };
        for text in texts {
            let Value::Text(text) = text else { panic!("{text:?}") };
            prop_assert!(redactor.finds(text).is_none(), "{}", text);
            prop_assert!(!text.contains(&secret), "{}", text);
        }
    }

    #[test]
    fn no_text_stops_the_reader_of_bug_captures(text in any::<String>(), json in values()) {
        let _ = read_bug_capture(&text);
        let _ = read_bug_capture(&format!("{BUG_CAPTURE_PREFIX}{text}"));
        let wire = format!(r#"{{"v":"djbug1","state_before":{{"x":{}}},"state_after":{{}},"vdom_patches":[]}}"#, json.to_json());
        prop_assert!(read_bug_capture(&blob(&wire)).is_ok());
    }
}
