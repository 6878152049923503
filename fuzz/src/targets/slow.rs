//! Texts that are repeated and looked through for secrets, short and eight times as long: no text costs the square of its length.

use std::time::{Duration, Instant};

use inspector_model::{
    ErrorDetail, ExportOptions, Frame, LogRecord, Phase, Session, SessionId, SqlQuery, Step, StepDetail, StepKind, Transport,
};
use inspector_share::preview;
use inspector_store::{NewState, NewStep};

use super::in_library;

/// Bytes of the shorter text.
const SHORT: usize = 8 << 10;
const TIMES: usize = 8;
/// How many times as long the longer one may take, beside what takes the same for both.
const MOST: u32 = 3 * TIMES as u32;
const SLACK: Duration = Duration::from_millis(60);

pub fn run(data: &[u8]) {
    let unit = String::from_utf8_lossy(&data[..data.len().min(SHORT)]).into_owned();
    if unit.is_empty() {
        return;
    }
    let text = |size: usize| unit.repeat(size.div_ceil(unit.len()));
    let short = took(&text(SHORT));
    let long = took(&text(SHORT * TIMES));
    // Once more, where another program may have been in the way.
    if long > short * MOST + SLACK {
        let (short, long) = (took(&text(SHORT)), took(&text(SHORT * TIMES)));
        assert!(long <= short * MOST + SLACK, "{short:?}, and {long:?} for a text {TIMES} times as long");
    }
}

/// The time in which a recording with this text in each of its places is looked through.
fn took(text: &str) -> Duration {
    in_library(|store, _| {
        let mut recorder = store.create("slow", 1.0, "1.2.6").expect("a recorder");
        let session = SessionId::from("s");
        recorder.put_session(&Session {
            id: session.clone(),
            phase: Phase::Mounted,
            client: None,
            user: None,
            django_session: None,
            user_agent: None,
            pid: None,
            path: Some(text.into()),
            view: None,
            children: Vec::new(),
            opened: 1.0,
            close: None,
            succeeds: None,
            transport: Transport::Websocket,
        });
        let detail = StepDetail {
            raw_params: Some(text.into()),
            error: Some(ErrorDetail { kind: "E".into(), message: text.into(), traceback: None }),
            sql: vec![SqlQuery { sql: text.into(), params: Some(text.into()), ..SqlQuery::default() }],
            logs: vec![LogRecord { message: text.into(), ..LogRecord::default() }],
            frames: vec![Frame { text: text.into(), ..Frame::default() }],
            ..StepDetail::default()
        };
        let step = Step { session: Some(session), ..Step::new(StepKind::Event, "slow", 1.0) };
        let state = serde_json::json!({"text": text, "password": "k7-violet-Horse-93"}).to_string();
        let new = NewStep { step, detail, before: NewState::None, after: NewState::Text(state.into()), html: Some(text.into()) };
        recorder.append(new).expect("a step");
        recorder.flush().expect("it is written");
        let id = recorder.id().clone();
        drop(recorder);
        let reader = store.read(&id).expect("it can be read");
        let begun = Instant::now();
        let _ = preview(&reader, &ExportOptions::default(), &|_, _| true);
        let took = begun.elapsed();
        store.delete(&id).expect("it can be deleted");
        took
    })
}
