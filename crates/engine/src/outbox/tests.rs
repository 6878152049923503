//! Windows over one outbox: what each is told, and what none is told of another.

use std::sync::atomic::{AtomicUsize, Ordering};

use inspector_model::{Block, Configuration, Rate, RecorderStatus, RemoteCursor, Source, SourceKind, SourceState, Step, StepId, StepKind};
use inspector_store::Store;

use super::*;

struct Bench {
    outbox: Arc<Outbox>,
    requests: mpsc::Sender<Asked>,
    incoming: mpsc::Receiver<Asked>,
    store: Store,
    _data: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let data = tempfile::tempdir().unwrap();
        let (store, _) = Store::open(data.path()).unwrap();
        let (requests, incoming) = mpsc::channel(MAX_OPEN_REQUESTS * 2);
        Self { outbox: Arc::default(), requests, incoming, store, _data: data }
    }

    fn window(&self) -> Window {
        self.outbox.window(self.requests.clone())
    }

    /// A source with one of everything and `steps` steps, told to all.
    fn source(&self, id: u32, steps: u64) -> Arc<SourceShared> {
        let recorder = self.store.create("bench", 1.0, "").unwrap();
        let info = Source {
            id: SourceId(id),
            kind: SourceKind::Live { url: "http://127.0.0.1:1".into() },
            state: SourceState::Attached,
            title: "bench".into(),
            server: None,
            access: None,
            recorder: RecorderStatus::default(),
        };
        let source = Arc::new(SourceShared::new(info, recorder.reader()));
        let session = SessionId::from("s");
        source.sessions.write().insert(session.clone(), serde_json::from_str(r#"{"session":"s"}"#).unwrap());
        source.rates.lock().insert(session.clone(), Rate::default());
        source.cursors.lock().insert(session, RemoteCursor::Unknown);
        *source.config.lock() = Some(Configuration::default());
        for step in 1..=steps {
            source.steps.write().push(&Step { id: StepId(step), ..Step::new(StepKind::Event, "add", 1.0) });
        }
        self.outbox.add(&source);
        source
    }
}

fn ids(blocks: &[Arc<Block>]) -> impl Iterator<Item = StepId> {
    blocks.iter().flat_map(|block| block.ids().to_vec())
}

/// All notices in words, in chunks of at most two steps.
fn told(window: &Window) -> Vec<String> {
    let mut notices = Vec::new();
    while window.drain(2, &mut notices) {}
    notices
        .iter()
        .map(|notice| match notice {
            Notice::Source(source) => format!("source {}", source.id.0),
            Notice::SourceClosed(id) => format!("closed {}", id.0),
            Notice::Session(id, session) => format!("session {} {}", id.0, session.id),
            Notice::Steps(id, steps) => format!("steps {} {}..={}", id.0, ids(steps).next().unwrap(), ids(steps).last().unwrap()),
            Notice::Rate(id, ..) => format!("rate {}", id.0),
            Notice::Config(id, _) => format!("config {}", id.0),
            Notice::Cursor(id, _, cursor) => format!("cursor {} {cursor:?}", id.0),
            Notice::Recordings(recordings) => format!("{} recordings", recordings.len()),
            Notice::Found(found) => format!("{} found", found.len()),
            Notice::Marks(id, marks) => format!("marks {} {}", id.0, marks.len()),
            Notice::Keep(_) | Notice::Encrypted(_) | Notice::Breakpoints(_) | Notice::Work(_) => format!("{notice:?}"),
            Notice::Desktop(_) | Notice::Show(_) | Notice::ShowStep(..) | Notice::Drag(_) => {
                panic!("a host's, not the engine's: {notice:?}")
            }
            Notice::Answer(id, answer) => format!("answer {} {answer:?}", id.0),
            Notice::Message(_, text) => format!("message {text}"),
        })
        .collect()
}

const EVERYTHING: [&str; 10] = [
    "0 recordings",
    "1 found",
    "source 1",
    "config 1",
    "marks 1 0",
    "session 1 s",
    "rate 1",
    "steps 1 1..=2",
    "cursor 1 Unknown",
    "steps 1 3..=3",
];

fn everything(bench: &Bench) {
    bench.outbox.recordings(&[]);
    bench.outbox.found(&[FoundServer::default()]);
    drop(bench.source(1, 3));
}

#[test]
fn every_window_is_told_everything_whenever_it_came() {
    let bench = Bench::new();
    let early = bench.window();
    everything(&bench);
    let late = bench.window();
    assert_eq!(told(&early), EVERYTHING);
    assert_eq!(told(&early), [""; 0]);
    assert_eq!(told(&late), EVERYTHING, "another window's draining takes nothing away");
    assert_eq!(told(&bench.window()), EVERYTHING, "a window that was reloaded begins anew");
}

#[test]
fn a_change_reaches_all_windows_and_only_the_change() {
    let bench = Bench::new();
    everything(&bench);
    let windows = [bench.window(), bench.window()];
    for window in &windows {
        told(window);
    }
    bench.outbox.changed(SourceId(1), &Topic::Rate(SessionId::from("s")));
    bench.outbox.remove(SourceId(1));
    bench.source(2, 1);
    bench.outbox.message(Level::Info, "hello");
    for window in &windows {
        assert_eq!(
            told(window),
            [
                "closed 1",
                "source 2",
                "config 2",
                "marks 2 0",
                "session 2 s",
                "rate 2",
                "steps 2 1..=1",
                "cursor 2 Unknown",
                "message hello"
            ]
        );
    }
}

#[test]
fn a_source_that_came_and_went_unseen_is_not_told() {
    let bench = Bench::new();
    let window = bench.window();
    for id in 1..4 {
        bench.source(id, 1);
        bench.outbox.remove(SourceId(id));
    }
    assert_eq!(told(&window), [""; 0]);
}

#[test]
fn answers_go_to_the_window_that_asked() {
    let mut bench = Bench::new();
    let (one, other) = (bench.window(), bench.window());
    let id = RequestId(7);
    assert!(one.send(id, Request::Close(SourceId(1))) && other.send(id, Request::Close(SourceId(2))));
    while let Ok(asked) = bench.incoming.try_recv() {
        let Request::Close(source) = asked.request else { panic!("only that was asked") };
        asked.by.answer(asked.id, Answer::Opened(source));
    }
    assert_eq!(told(&one), ["answer 7 Opened(SourceId(1))"]);
    assert_eq!(told(&other), ["answer 7 Opened(SourceId(2))"]);
}

#[test]
fn a_window_that_takes_no_answers_cannot_ask_on() {
    let mut bench = Bench::new();
    let (deaf, other) = (bench.window(), bench.window());
    let ask = |window: &Window| window.send(RequestId(1), Request::Close(SourceId(1)));
    assert!((0..MAX_OPEN_REQUESTS).all(|_| ask(&deaf)));
    assert!(!ask(&deaf));
    assert!(ask(&other), "its neighbour can");
    while let Ok(asked) = bench.incoming.try_recv() {
        asked.by.answer(asked.id, Answer::Done(String::new()));
    }
    assert!(!ask(&deaf), "the answers are still there to be taken");
    assert_eq!(told(&deaf).len(), MAX_OPEN_REQUESTS);
    assert!(ask(&deaf));
}

#[test]
fn a_dropped_window_costs_nothing() {
    let mut bench = Bench::new();
    let woken = Arc::new(AtomicUsize::new(0));
    let window = bench.window();
    let waker = woken.clone();
    window.set_waker(Box::new(move || {
        waker.fetch_add(1, Ordering::Relaxed);
    }));
    let source = bench.source(1, 1);
    assert_eq!(woken.load(Ordering::Relaxed), 2, "once for what was there, once for the source");
    assert!(window.send(RequestId(1), Request::Close(SourceId(1))));
    let mailbox = Arc::downgrade(&window.mailbox);
    drop(window);
    bench.outbox.message(Level::Info, "to nobody");
    let asked = bench.incoming.try_recv().ok().unwrap();
    asked.by.answer(asked.id, Answer::Done(String::new()));
    assert_eq!(woken.load(Ordering::Relaxed), 2, "nobody is woken for it");
    drop(asked);
    assert!(mailbox.upgrade().is_none(), "nothing is kept for it");
    bench.outbox.remove(SourceId(1));
    assert_eq!(Arc::strong_count(&source), 1);
}

#[test]
fn what_was_said_before_the_first_window_is_said_to_it_once() {
    let bench = Bench::new();
    for number in 0..MAX_MESSAGES + 2 {
        bench.outbox.message(Level::Warning, number.to_string());
    }
    let first = told(&bench.window());
    assert_eq!((first.len(), first[0].as_str()), (MAX_MESSAGES, "message 2"));
    assert_eq!(told(&bench.window()), [""; 0]);
}

#[test]
fn answers_that_nobody_takes_are_bounded_by_their_bytes_and_each_request_is_answered() {
    let outbox = Arc::new(Outbox::default());
    let window = outbox.window(mpsc::channel(1).0);
    let state: Arc<str> = "x".repeat(100 << 20).into();
    let ask = || {
        for id in 0..4 {
            window.mailbox().answer(RequestId(id), Answer::State(StateAnswer::Full(state.clone())));
        }
        window.mailbox().state.lock().open_requests = 4;
        let mut notices = Vec::new();
        window.drain(0, &mut notices);
        notices
            .into_iter()
            .filter_map(|notice| if let Notice::Answer(_, answer) = notice { Some(answer) } else { None })
            .collect::<Vec<_>>()
    };
    for _ in 0..2 {
        let answers = ask();
        assert!(matches!(&answers[..2], [Answer::State(_), Answer::State(_)]));
        assert!(answers[2..].iter().all(|answer| matches!(answer, Answer::Failed(failure) if failure.code == ErrorCode::Busy)));
        assert_eq!(answers.len(), 4);
    }
}
