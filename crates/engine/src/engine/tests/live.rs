//! Attached to an agent that does what a test says, and with a disk that hangs when a test says so.

#![expect(clippy::print_stdout, reason = "a test that measures says what it saw")]

use std::sync::atomic::{AtomicU64, AtomicUsize};

use futures_util::{SinkExt as _, StreamExt as _};
use inspector_model::{
    AttachOptions, ExportOptions, Holder, Ignore, JumpTarget, Keep, Path, Scope, SearchOptions, Segment, StepKind, ValueAt,
};
use parking_lot::Condvar;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use super::*;

/// Runs a helper of a test on a thread of its own.
fn aside(work: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().name("agent".into()).spawn(work).unwrap();
}

/// An agent on a free port. It answers each command, and says what it is told to.
struct Agent {
    url: String,
    say: mpsc::Sender<String>,
    /// Bytes that the socket has taken of what it said.
    sent: Arc<AtomicUsize>,
    /// The greetings that came.
    hellos: std::sync::mpsc::Receiver<Value>,
}

impl Agent {
    /// `greet`: what it says to a greeting.
    fn start(greet: impl Fn(&Value) -> Vec<String> + Send + 'static) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (say, mut said) = mpsc::channel::<String>(64);
        let (greeted, hellos) = std::sync::mpsc::sync_channel(64);
        let sent = Arc::new(AtomicUsize::new(0));
        let counted = sent.clone();
        aside(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                while let Ok((stream, _)) = listener.accept().await {
                    let Ok(mut socket) = tokio_tungstenite::accept_async(stream).await else { continue };
                    let Some(Ok(Message::Text(hello))) = socket.next().await else { continue };
                    let hello: Value = serde_json::from_str(&hello).unwrap();
                    let answer = greet(&hello);
                    greeted.send(hello).ok();
                    for text in answer {
                        socket.send(Message::text(text)).await.ok();
                    }
                    loop {
                        tokio::select! {
                            text = said.recv() => {
                                let Some(text) = text else { return };
                                let bytes = text.len();
                                if socket.send(Message::text(text)).await.is_err() {
                                    break;
                                }
                                counted.fetch_add(bytes, Ordering::Relaxed);
                            }
                            message = socket.next() => match message {
                                Some(Ok(Message::Text(text))) => {
                                    let command: Value = serde_json::from_str(&text).unwrap();
                                    let answer = json!({"t": "answer", "id": command["id"], "ok": true, "result": {}});
                                    socket.send(Message::text(in_order(&answer))).await.ok();
                                }
                                Some(Ok(_)) => {}
                                Some(Err(_)) | None => break,
                            }
                        }
                    }
                }
            });
        });
        Self { url, say, sent, hellos }
    }

    /// One that greets with a page, its mount and an event.
    fn with_a_page() -> Self {
        Self::start(|_| {
            let mut frames = vec![welcome(false, 0)];
            frames.extend([
                r#"{"t":"session","seq":1,"session":"s","phase":"mounted","view":{"class":"shop.CartView"}}"#.to_owned(),
                r#"{"t":"step","seq":2,"key":"k-1","session":"s","kind":"mount","name":"CartView","after":{"rev":1,"base":null,"set":{"count":0}}}"#.to_owned(),
                event(3, 1),
            ]);
            frames
        })
    }
}

fn in_order(answer: &Value) -> String {
    // An agent writes `t` first.
    format!(r#"{{"t":"answer","id":{},"ok":true,"result":{}}}"#, answer["id"], answer["result"])
}

fn welcome(resumed: bool, seq: u64) -> String {
    format!(
        r#"{{"t":"welcome","protocol":1,"agent":"a","resumed":{resumed},"seq":{seq},"server":{{"project":"shop","capabilities":["preview"]}}}}"#
    )
}

/// The event that counts to `count`.
fn event(seq: u64, count: u64) -> String {
    format!(
        r#"{{"t":"step","seq":{seq},"key":"k-{}","session":"s","kind":"event","name":"add","before":{{"rev":{count}}},"after":{{"rev":{},"base":{count},"set":{{"count":{count}}}}}}}"#,
        count + 1,
        count + 1,
    )
}

/// A disk that hangs while the gate is closed.
#[derive(Default)]
struct Gate {
    closed: Mutex<bool>,
    opened: Condvar,
    /// Who waits for it.
    waiting: AtomicUsize,
}

impl Gate {
    fn of(store: &Store) -> Arc<Self> {
        let gate = Arc::new(Self::default());
        let passed = gate.clone();
        store.before_each_access(move |_| {
            passed.pass();
            Ok(())
        });
        gate
    }

    fn pass(&self) {
        let mut closed = self.closed.lock();
        while *closed {
            self.waiting.fetch_add(1, Ordering::Relaxed);
            self.opened.wait(&mut closed);
            self.waiting.fetch_sub(1, Ordering::Relaxed);
        }
    }

    fn close(&self) {
        *self.closed.lock() = true;
    }

    fn open(&self) {
        *self.closed.lock() = false;
        self.opened.notify_all();
    }
}

/// Waits for something, and fails when it does not come.
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_mins(1);
    while !is_so() {
        assert!(Instant::now() < end, "never: {what}");
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

impl Bench {
    fn attach(&mut self, id: u64, agent: &Agent) -> SourceId {
        let request = Request::Attach { url: agent.url.clone(), token: "t".into(), options: AttachOptions::default() };
        let Answer::Opened(source) = self.ask(id, request) else { panic!("{:?}", self.notices) };
        source
    }

    fn steps(&self, source: SourceId) -> Vec<StepKind> {
        let sources = self.engine.shared.sources.lock();
        sources.get(&source).map(|source| source.steps.read().iter().map(|step| step.kind).collect()).unwrap_or_default()
    }

    fn ended(&mut self, source: SourceId) -> String {
        self.wait(|notice| match notice {
            Notice::Source(told) if told.id == source => match &told.state {
                SourceState::Ended { reason } => Some(reason.clone()),
                _ => None,
            },
            _ => None,
        })
    }
}

/// Every request that a window makes, of a live source and of a recording.
fn every_request(live: SourceId, opened: SourceId, recording: &RecordingId, file: PathBuf) -> Vec<Request> {
    let target = JumpTarget { step: StepId(1), side: Side::After };
    let stream = || ("s".into(), None);
    let path = Path(vec![Segment::Key("count".into())]);
    let mut all = vec![
        Request::Attach { url: "http://127.0.0.1:9".into(), token: "t".into(), options: AttachOptions::default() },
        Request::AttachFound { pid: 0 },
        Request::OpenRecording(recording.clone()),
        Request::OpenFile("/nowhere.djrec".into()),
        Request::OpenSealed { path: "/nowhere.djrec".into(), passphrase: Secret::from("x") },
        Request::OpenText("djbug1.!".into()),
        Request::Cancel(inspector_model::WorkId(7)),
        Request::DeleteRecording(recording.clone()),
        Request::KeepRecording(recording.clone(), true),
        Request::SetPassphrase { now: Some(Secret::from("wrong")), new: None },
        Request::Breakpoints(vec![Breakpoint { condition: "count > 99".into(), on: true }]),
        Request::Keep(Keep::default()),
        Request::Compare { left: (live, stream()), right: (opened, stream()) },
        Request::CompareStates { left: live, right: opened, pairs: vec![(StepId(1), StepId(1))], ignore: Ignore::default() },
        Request::PreviewExport { recording: recording.clone(), options: ExportOptions::default() },
        Request::Export { recording: recording.clone(), options: ExportOptions::default(), path: file },
    ];
    for source in [live, opened] {
        let step = StepId(2);
        let side = Side::After;
        all.extend([
            Request::Detail { source, step },
            Request::State { source, step, side },
            Request::Diff { from: (source, step, Side::Before), to: (source, step, side) },
            Request::History { source, step, side, path: path.clone(), scope: Scope::Everywhere },
            Request::Values { source, of: vec![ValueAt { stream: stream(), step, holder: Holder::State(side), path: path.clone() }] },
            Request::ShortHistory { source, stream: stream(), holder: Holder::State(side), path: path.clone() },
            Request::Costs { source, step, side, from: 0 },
            Request::Search { source, options: SearchOptions { text: "1".into(), ..SearchOptions::default() }, from: StepId(0) },
            Request::Mark { source, step, note: Some("here".into()) },
            Request::Html { source, step, side },
            Request::PreviewJump { source, target, component: None },
            Request::Jump { source, target, component: None },
            Request::ReturnToLive { source, session: "s".into(), view: None },
            Request::Replay { source, step, params: None, restore: true },
            Request::Dispatch { source, session: "s".into(), view: None, component: None, event: "add".into(), params: "{}".into() },
            Request::Ring { source, session: "s".into(), view: None },
            Request::Ticks { source, session: "s".into(), view: None, paused: true },
            Request::LiftCooldown { source, session: "s".into() },
        ]);
    }
    all
}

/// A live source and an opened recording, and every request to them.
fn with_every_request() -> (Bench, Agent, SourceId, Vec<Request>) {
    let mut bench = Bench::new();
    let agent = Agent::with_a_page();
    let live = bench.attach(1, &agent);
    until("two steps", || bench.steps(live).len() == 2);
    let sample = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../recordings/shop.djrec");
    let Answer::Opened(opened) = bench.ask(2, Request::OpenFile(sample)) else { panic!("{:?}", bench.notices) };
    let recording = bench.engine.shared.sources.lock()[&opened].info.lock().recorder.recording.clone().unwrap();
    let file = bench.data.path().join("out.djrec");
    (bench, agent, live, every_request(live, opened, &recording, file))
}

/// Whoever waits for a disk on a worker panics in builds with debug assertions: see `runtime.rs`.
#[test]
fn no_request_waits_for_a_disk_on_a_worker() {
    let (mut bench, _agent, live, requests) = with_every_request();
    for (id, request) in (100..).zip(requests) {
        let asked = format!("{request:?}");
        let answer = bench.ask(id, request);
        let failed = matches!(&answer, Answer::Failed(failure) if failure.message.contains("inside the inspector"));
        assert!(!failed, "{asked}: {answer:?}");
    }
    assert_eq!(bench.ask(99, Request::Close(live)), Answer::Done("Closed".into()));
}

#[test]
fn a_disk_that_hangs_holds_up_what_needs_it_and_nothing_else() {
    let (mut bench, _agent, live, requests) = with_every_request();
    let gate = Gate::of(bench.engine.store());
    let beats: Arc<[AtomicU64; 2]> = Arc::default();
    let worst: Arc<AtomicU64> = Arc::default();
    for at in 0..2 {
        let (beats, worst) = (beats.clone(), worst.clone());
        bench.engine.inside.spawn(async move {
            let mut last = Instant::now();
            loop {
                tokio::time::sleep(Duration::from_millis(5)).await;
                worst.fetch_max(last.elapsed().as_millis() as u64, Ordering::Relaxed);
                last = Instant::now();
                beats[at].fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    gate.close();
    let began = Instant::now();
    let count = requests.len() as u64;
    for (id, request) in (100..).zip(requests) {
        assert!(bench.window.send(RequestId(id), request));
    }
    until("somebody who waits for the disk", || gate.waiting.load(Ordering::Relaxed) > 4);
    // Needs no disk: it goes to the agent and back over the same workers while the disk hangs.
    let alive = Request::Ticks { source: live, session: "s".into(), view: None, paused: false };
    assert!(matches!(bench.ask(50, alive), Answer::Command(_)));
    let before = [0, 1].map(|at| beats[at].load(Ordering::Relaxed));
    until("two seconds in which the disk hangs and both heartbeats go on", || {
        began.elapsed() >= Duration::from_secs(2) && [0, 1].iter().all(|at| beats[*at].load(Ordering::Relaxed) > before[*at] + 50)
    });
    let worst = worst.load(Ordering::Relaxed);
    println!("worst gap of a heartbeat with a disk that hung for {:.1} s: {worst} ms", began.elapsed().as_secs_f64());
    assert!(worst < 1_500, "{worst} ms");
    gate.open();
    for id in 100..100 + count {
        bench.answer(id);
    }
}

#[test]
fn changes_are_made_in_the_order_in_which_they_were_asked_for() {
    let (mut bench, _agent, live, _) = with_every_request();
    for id in 100..200 {
        assert!(bench.window.send(RequestId(id), Request::Mark { source: live, step: StepId(1), note: Some(format!("note {id}")) }));
    }
    for id in 100..200 {
        bench.answer(id);
    }
    let marks = bench.engine.shared.sources.lock()[&live].marks.lock().clone();
    assert_eq!(marks[&StepId(1)], "note 199");
}

#[test]
fn a_server_that_sends_faster_than_the_disk_takes_it_is_held_back_by_bytes() {
    let mut bench = Bench::new();
    let agent = Agent::with_a_page();
    let gate = Gate::of(bench.engine.store());
    let live = bench.attach(1, &agent);
    until("two steps", || bench.steps(live).len() == 2);
    gate.close();
    agent.say.blocking_send(event(4, 2)).unwrap();
    until("the recorder waits for the disk", || gate.waiting.load(Ordering::Relaxed) > 0);
    let before = resident();
    let (frames, size) = (30_u64, 4 << 20);
    let pad = "x".repeat(size);
    for seq in 5..5 + frames {
        agent.say.blocking_send(format!(r#"{{"t":"new","seq":{seq},"pad":"{pad}"}}"#)).unwrap();
    }
    agent.say.blocking_send(event(5 + frames, 3)).unwrap();
    // What the test itself holds of them is not counted.
    let said = resident();
    let sent = agent.sent.clone();
    let mut last = (0, Instant::now());
    until("the socket takes no more", || {
        let now = sent.load(Ordering::Relaxed);
        if now != last.0 {
            last = (now, Instant::now());
        }
        now > 0 && last.1.elapsed() > Duration::from_secs(1)
    });
    let taken = sent.load(Ordering::Relaxed);
    println!(
        "taken of {} MB: {} MB; memory {before} MB, with what is to be sent {said} MB, at the stall {} MB",
        frames << 2,
        taken >> 20,
        resident()
    );
    assert!(taken < 48 << 20, "{} MB were taken while nothing could be written", taken >> 20);
    gate.open();
    until("all of it", || bench.steps(live).len() == 4);
    assert_eq!(bench.steps(live)[1..], [StepKind::Event; 3]);
    assert!(sent.load(Ordering::Relaxed) > frames as usize * size);
}

/// Megabytes that this process has in memory.
fn resident() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    pages.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or(0) / 256
}

#[test]
fn a_recorder_that_dies_ends_the_attachment_and_says_why() {
    let mut bench = Bench::new();
    let agent = Agent::with_a_page();
    let live = bench.attach(1, &agent);
    until("two steps", || bench.steps(live).len() == 2);
    // Once: what is left of the recorder is put away in peace.
    let failed = std::sync::atomic::AtomicBool::new(false);
    bench.engine.store().before_each_access(move |access| {
        let fails = std::thread::current().name() == Some("recorder") && access == inspector_store::Access::Other;
        assert!(!fails || failed.swap(true, Ordering::Relaxed), "the store fails in a way that nobody foresaw");
        Ok(())
    });
    agent.say.blocking_send(event(4, 2)).unwrap();
    let reason = bench.ended(live);
    assert!(reason.contains("Recording has stopped") && reason.contains("nobody foresaw"), "{reason}");
    bench.wait(|notice| matches!(notice, Notice::Message(Level::Error, text) if text.contains("nobody foresaw")).then_some(()));
    assert_eq!(agent.hellos.iter().take(1).count() + agent.hellos.try_iter().count(), 1, "nobody connects for nothing");
}

#[test]
fn after_a_full_disk_the_server_is_asked_for_what_was_missed() {
    let mut bench = Bench::new();
    let agent = Agent::start(|hello| {
        match hello["resume"][0]["seq"].as_u64() {
        None => vec![
            welcome(false, 0),
            r#"{"t":"session","seq":1,"session":"s","phase":"mounted","view":{"class":"shop.CartView"}}"#.to_owned(),
            r#"{"t":"step","seq":2,"key":"k-1","session":"s","kind":"mount","name":"CartView","after":{"rev":1,"base":null,"set":{"count":0}}}"#.to_owned(),
        ],
        Some(seq) => std::iter::once(welcome(true, seq)).chain((seq + 1..=5).map(|seq| event(seq, seq - 2))).collect(),
    }
    });
    let live = bench.attach(1, &agent);
    until("the mount", || bench.steps(live).len() == 1);
    bench.engine.store().leave_free(u64::MAX);
    let paused = |bench: &mut Bench, part: &'static str| {
        bench.wait(move |notice| match notice {
            Notice::Source(source) => source.recorder.paused.as_ref().filter(|why| why.contains(part)).map(|_| ()),
            _ => None,
        });
    };
    paused(&mut bench, "Recording paused");
    for seq in 3..=5 {
        agent.say.blocking_send(event(seq, seq - 2)).unwrap();
    }
    paused(&mut bench, "3 frames are then asked for again");
    bench.engine.store().leave_free(0);
    until("all steps", || bench.steps(live).len() == 4);
    assert_eq!(bench.steps(live), [StepKind::Mount, StepKind::Event, StepKind::Event, StepKind::Event], "no gap");
    let asked: Vec<_> = agent.hellos.try_iter().map(|hello| hello["resume"][0]["seq"].as_u64()).collect();
    assert_eq!(asked, [None, Some(2)]);
}

#[test]
fn a_server_that_is_not_ready_is_tried_again_and_it_is_said() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (tried, tries) = std::sync::mpsc::sync_channel(64);
    aside(move || {
        use std::io::{Read as _, Write as _};
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut request = [0; 4096];
            let _ = stream.read(&mut request);
            let _ = stream.write_all(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n");
            if tried.send(()).is_err() {
                return;
            }
        }
    });
    let mut bench = Bench::new();
    assert!(matches!(bench.ask(1, Request::Attach { url, token: "t".into(), options: AttachOptions::default() }), Answer::Opened(_)));
    let why = bench.wait(|notice| match notice {
        Notice::Source(source) => match &source.state {
            SourceState::Lost { attempt: 1, why, .. } => Some(why.clone()),
            _ => None,
        },
        _ => None,
    });
    assert!(why.contains("not ready") && why.contains("503") && !why.contains("token"), "{why}");
    assert_eq!(tries.iter().take(2).count(), 2, "it is tried again");
}
