//! The recorder, fed with what a socket would bring.

use inspector_model::{RecorderStatus, Side, Source, SourceId, SourceKind, SourceState, StateAnswer};
use inspector_store::Store;

use super::*;

struct Bench {
    intake: Intake,
    source: Arc<SourceShared>,
    store: Store,
    outbox: Arc<Outbox>,
    seq: u64,
    _data: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let data = tempfile::tempdir().unwrap();
        let (store, _) = Store::open(data.path()).unwrap();
        let recorder = store.create("bench", 1.0, "1.2.6").unwrap();
        let info = Source {
            id: SourceId(1),
            kind: SourceKind::Live { url: "http://127.0.0.1:1".into() },
            state: SourceState::Attached,
            title: "bench".into(),
            server: None,
            access: None,
            recorder: RecorderStatus::default(),
        };
        let source = Arc::new(SourceShared::new(info, recorder.reader()));
        let outbox: Arc<Outbox> = Arc::default();
        let intake = Intake::new(source.clone(), outbox.clone(), recorder, Arc::default());
        let mut bench = Self { intake, source, store, outbox, seq: 0, _data: data };
        bench.welcome("agent-1", false, 0);
        bench.frame(
            r#"{"t":"session","session":"s","phase":"mounted","view":{"class":"shop.views.CartView","temporary_assigns":["messages"]}}"#,
        );
        bench
    }

    fn welcome(&mut self, agent: &str, resumed: bool, seq: u64) {
        let text = format!(r#"{{"agent":"{agent}","resumed":{resumed},"seq":{seq},"server":{{"project":"shop"}}}}"#);
        self.intake.welcome(&serde_json::from_str(&text).unwrap(), 5.0);
        self.seq = seq;
    }

    /// One more frame; its number is put in.
    fn frame(&mut self, text: &str) {
        self.seq += 1;
        self.again(&text.replacen('{', &format!("{{\"seq\":{},", self.seq), 1));
    }

    fn again(&mut self, text: &str) {
        self.intake.frame(text, 9.0);
    }

    fn event(&mut self, key: &str, before: &str, after: &str) {
        self.frame(&format!(
            r#"{{"t":"step","key":"{key}","session":"s","kind":"event","name":"add","started":2.0,"before":{before},"after":{after}}}"#
        ));
    }

    fn mount(&mut self) {
        self.frame(
            r#"{"t":"step","key":"m","session":"s","kind":"mount","name":"CartView","before":null,"after":{"rev":1,"base":null,"set":{"count":0,"messages":[]}}}"#,
        );
    }

    fn steps(&self) -> Vec<Step> {
        self.source.steps.read().iter().collect()
    }

    fn kinds(&self) -> Vec<StepKind> {
        self.steps().iter().map(|step| step.kind).collect()
    }

    fn state(&self, step: &Step, side: Side) -> StateAnswer {
        self.source.reader.state(step.id, side).unwrap()
    }
}

fn full(text: &str) -> StateAnswer {
    StateAnswer::Full(text.into())
}

#[test]
fn an_event_has_both_states_and_what_it_changed() {
    let mut bench = Bench::new();
    bench.mount();
    bench.event("e1", r#"{"rev":1}"#, r#"{"rev":2,"base":1,"set":{"count":7}}"#);
    let step = bench.steps().pop().unwrap();
    assert_eq!(step.changed, ["count"]);
    assert_eq!(bench.state(&step, Side::Before), full(r#"{"count":0,"messages":[]}"#));
    assert_eq!(bench.state(&step, Side::After), full(r#"{"count":7,"messages":[]}"#));
}

#[test]
fn a_change_between_two_events_is_a_step_of_its_own() {
    let mut bench = Bench::new();
    bench.mount();
    bench.event("e1", r#"{"rev":2,"base":1,"set":{"count":5}}"#, r#"{"rev":3,"base":2,"set":{"count":6}}"#);
    assert_eq!(bench.kinds(), [StepKind::Mount, StepKind::Outside, StepKind::Event]);
    let steps = bench.steps();
    assert_eq!(bench.state(&steps[1], Side::After), full(r#"{"count":5,"messages":[]}"#));
    assert_eq!(bench.state(&steps[2], Side::Before), full(r#"{"count":5,"messages":[]}"#));
}

#[test]
fn the_reset_of_a_temporary_assign_is_no_step() {
    let mut bench = Bench::new();
    bench.mount();
    bench.event("e1", r#"{"rev":1}"#, r#"{"rev":2,"base":1,"set":{"messages":["hi"]}}"#);
    bench.event("e2", r#"{"rev":3,"base":2,"set":{"messages":[]}}"#, r#"{"rev":4,"base":3,"set":{"count":1}}"#);
    assert_eq!(bench.kinds(), [StepKind::Mount, StepKind::Event, StepKind::Event]);
    let last = bench.steps().pop().unwrap();
    assert_eq!(last.changed, ["count"]);
    assert_eq!(bench.state(&last, Side::Before), full(r#"{"count":0,"messages":[]}"#));
}

/// An agent whose workers reach each other, with a page on each of two, both with an event.
fn two_workers() -> Bench {
    let mut bench = Bench::new();
    let welcome =
        r#"{"agent":"agent-1","resumed":true,"seq":1,"server":{"project":"shop","workers":{"shared":true,"all":null,"why":null}}}"#;
    bench.intake.welcome(&serde_json::from_str(welcome).unwrap(), 5.0);
    bench.again(r#"{"t":"worker","agent":"agent-2","pid":7,"resumed":false,"from":40}"#);
    bench.again(r#"{"t":"session","worker":"agent-2","seq":41,"session":"t","phase":"mounted","view":{"class":"shop.views.CartView"}}"#);
    bench.again(r#"{"t":"workers","agents":["agent-1","agent-2"]}"#);
    bench
}

fn of_second(seq: u64, key: &str) -> String {
    format!(r#"{{"t":"step","worker":"agent-2","seq":{seq},"key":"{key}","session":"t","kind":"event","name":"add","started":2.0}}"#)
}

#[test]
fn workers_are_numbered_each_for_itself_and_go_on_where_each_was_left() {
    let mut bench = two_workers();
    bench.again(&of_second(50, "b1"));
    bench.again(&of_second(50, "b2"));
    bench.mount();
    assert_eq!(bench.kinds(), [StepKind::Event, StepKind::Mount]);
    let points = bench.intake.resume_points();
    let points: Vec<_> = points.iter().map(|point| (point.agent.as_str(), point.seq)).collect();
    assert_eq!(points, [("agent-1", 2), ("agent-2", 50)]);
    assert_eq!(bench.source.workers.lock().get(&SessionId::from("t")).map(String::as_str), Some("agent-2"));
    assert_eq!(bench.source.info.lock().server.as_ref().map(|server| server.workers.seen), Some(2));
}

#[test]
fn a_worker_that_ends_takes_its_pages_with_it_and_no_others() {
    let mut bench = two_workers();
    bench.again(r#"{"t":"workers","agents":["agent-1"]}"#);
    let open: Vec<_> =
        bench.source.sessions.read().values().filter(|session| session.is_open()).map(|session| session.id.clone()).collect();
    assert_eq!(open, [SessionId::from("s")]);
    assert_eq!(bench.kinds(), [StepKind::Close, StepKind::Gap]);
    assert_eq!(bench.steps()[1].error.as_deref(), Some("a worker of the server ended or cannot be reached"));
    // It was only silent: its pages are told anew.
    bench.again(r#"{"t":"worker","agent":"agent-2","pid":7,"resumed":false,"from":60}"#);
    bench.again(r#"{"t":"session","worker":"agent-2","seq":61,"session":"t","phase":"mounted"}"#);
    assert!(bench.source.sessions.read()[&SessionId::from("t")].is_open());
}

#[test]
fn a_connection_that_comes_back_to_another_worker_ends_nothing_that_is_still_there() {
    let mut bench = two_workers();
    let welcome = r#"{"agent":"agent-2","resumed":true,"seq":41,"server":{"project":"shop","workers":{"shared":true}}}"#;
    bench.intake.welcome(&serde_json::from_str(welcome).unwrap(), 6.0);
    bench.again(r#"{"t":"worker","agent":"agent-1","pid":6,"resumed":true,"from":1}"#);
    bench.again(r#"{"t":"workers","agents":["agent-2","agent-1"]}"#);
    assert_eq!(bench.kinds(), []);
    bench.again(r#"{"t":"step","seq":42,"key":"b1","session":"t","kind":"event","name":"add","started":2.0}"#);
    bench.again(r#"{"t":"step","worker":"agent-1","seq":2,"key":"a1","session":"s","kind":"event","name":"add","started":2.0}"#);
    assert_eq!(bench.kinds(), [StepKind::Event, StepKind::Event]);
}

#[test]
fn a_restart_of_all_workers_is_told_as_one() {
    let mut bench = two_workers();
    let welcome = r#"{"agent":"agent-3","resumed":false,"seq":1,"server":{"project":"shop","workers":{"shared":true}}}"#;
    bench.intake.welcome(&serde_json::from_str(welcome).unwrap(), 6.0);
    bench.again(r#"{"t":"workers","agents":["agent-3"]}"#);
    assert_eq!(bench.kinds(), [StepKind::Close, StepKind::Close, StepKind::Gap]);
    assert_eq!(bench.steps()[2].error.as_deref(), Some("the server was restarted"));
}

#[test]
fn frames_of_another_worker_that_cannot_be_had_again_are_counted() {
    let mut bench = two_workers();
    bench.again(r#"{"t":"worker","agent":"agent-2","pid":7,"resumed":false,"from":46}"#);
    assert_eq!(bench.source.info.lock().recorder.dropped, 5);
}

#[test]
fn without_a_shared_layer_another_worker_is_seen_alone() {
    let mut bench = Bench::new();
    let welcome = r#"{"agent":"agent-2","seq":1,"server":{"workers":{"shared":false,"all":3,"why":"in memory"}}}"#;
    bench.intake.welcome(&serde_json::from_str(welcome).unwrap(), 6.0);
    assert_eq!(bench.kinds(), [StepKind::Close, StepKind::Gap]);
    assert!(bench.steps()[1].error.as_deref().unwrap().contains("another worker"));
    let words = bench.source.info.lock().server.as_ref().and_then(|server| server.workers.words());
    assert_eq!(words.as_deref(), Some("1 of 3 workers"));
}

#[test]
fn configurations_of_workers_are_one_with_the_pages_of_all() {
    let mut bench = two_workers();
    let config = |worker: &str, seq: u64, page: &str| {
        format!(
            r#"{{"t":"config"{worker},"seq":{seq},"views":[{{"class":"V","attributes":{{"tick_interval":{{"value":1,"instances":[{{"session":"{page}","value":2}}]}}}}}}]}}"#
        )
    };
    bench.again(&config("", 7, "s"));
    bench.again(&config(r#","worker":"agent-2""#, 47, "t"));
    let config = bench.source.config.lock().clone().unwrap();
    let pages: Vec<_> = config.views[0].attributes["tick_interval"].instances.iter().map(|one| one.session.clone()).collect();
    assert_eq!(pages, [Some(SessionId::from("s")), Some(SessionId::from("t"))]);
}

#[test]
fn losses_that_are_counted_without_end_are_counted_to_the_end() {
    let mut bench = Bench::new();
    for _ in 0..2 {
        bench.frame(r#"{"t":"gap","dropped":18446744073709551615,"why":"slow"}"#);
    }
    assert_eq!(bench.source.info.lock().recorder.dropped, u64::MAX);
    assert_eq!(bench.kinds(), [StepKind::Gap, StepKind::Gap]);
}

#[test]
fn what_comes_twice_is_recorded_once() {
    let mut bench = Bench::new();
    bench.mount();
    bench.event("e1", r#"{"rev":1}"#, r#"{"rev":2,"base":1,"set":{"count":1}}"#);
    // The same number: a resend after a reconnect. The same key: history that was recorded live.
    bench.again(&format!(r#"{{"seq":{},"t":"step","key":"other","session":"s","kind":"event","name":"add"}}"#, bench.seq));
    bench.event("e1", r#"{"rev":1}"#, r#"{"rev":2,"base":null,"set":{"count":1,"messages":[]}}"#);
    bench.frame(r#"{"t":"state","session":"s","view":null,"state":{"rev":2}}"#);
    assert_eq!(bench.kinds(), [StepKind::Mount, StepKind::Event]);
}

#[test]
fn a_frame_that_cannot_be_read_is_a_gap_with_its_text_kept() {
    let mut bench = Bench::new();
    bench.again("{\"t\":\"step\",\"key\":NaN}");
    let gap = bench.steps().pop().unwrap();
    assert_eq!(gap.kind, StepKind::Gap);
    let detail = bench.source.reader.detail(gap.id).unwrap();
    assert_eq!(detail.frames[0].text, "{\"t\":\"step\",\"key\":NaN}");
    assert_eq!(bench.source.info.lock().recorder.dropped, 1);
}

#[test]
fn after_a_loss_states_are_missing_until_the_next_whole_one() {
    let mut bench = Bench::new();
    bench.mount();
    bench.frame(r#"{"t":"gap","dropped":3,"why":"slow"}"#);
    bench.event("e1", r#"{"rev":8}"#, r#"{"rev":9,"base":8,"set":{"count":9}}"#);
    let lost = bench.steps().pop().unwrap();
    assert!(matches!(bench.state(&lost, Side::After), StateAnswer::Missing(_)));
    bench.event("e2", r#"{"rev":10,"base":null,"set":{"count":10,"messages":[]}}"#, r#"{"rev":11,"base":10,"set":{"count":11}}"#);
    let whole = bench.steps().pop().unwrap();
    assert_eq!(bench.state(&whole, Side::After), full(r#"{"count":11,"messages":[]}"#));
}

#[test]
fn a_restarted_server_closes_its_pages_and_leaves_a_visible_gap() {
    let mut bench = Bench::new();
    bench.mount();
    bench.welcome("agent-2", false, 0);
    assert_eq!(bench.kinds(), [StepKind::Mount, StepKind::Close, StepKind::Gap]);
    assert!(!bench.source.sessions.read().values().any(Session::is_open));
}

#[test]
fn a_resumed_stream_has_no_gap() {
    let mut bench = Bench::new();
    bench.mount();
    let seq = bench.seq;
    bench.welcome("agent-1", true, seq);
    bench.event("e1", r#"{"rev":1}"#, r#"{"rev":2,"base":1,"set":{"count":1}}"#);
    assert_eq!(bench.kinds(), [StepKind::Mount, StepKind::Event]);
}

#[test]
fn a_view_found_at_attach_has_its_state() {
    let mut bench = Bench::new();
    bench.frame(r#"{"t":"state","session":"s","view":null,"state":{"rev":4,"base":null,"set":{"count":4}}}"#);
    let found = bench.steps().pop().unwrap();
    assert_eq!((found.kind, found.history, found.name.as_str()), (StepKind::Mount, true, "CartView"));
    assert_eq!(bench.state(&found, Side::After), full(r#"{"count":4}"#));
}

#[test]
fn a_page_is_put_together_from_its_own_load_or_that_of_an_earlier_connection() {
    let mut bench = Bench::new();
    let connect = |bench: &mut Bench, id: &str, opened: u32, path: &str, who: &str| {
        bench.frame(&format!(
            r#"{{"t":"session","session":"{id}","phase":"mounted","path":"{path}","django_session":{who},"opened":{opened}}}"#
        ));
        let shell = bench.source.reader.shell(&SessionId::from(id)).unwrap();
        assert_eq!(shell, None, "{id} was not loaded");
    };
    let load = |bench: &mut Bench, id: &str| {
        bench.frame(&format!(
            r#"{{"t":"page","session":"{id}","page":{{"url":"http://h/","before":"<main title={id}>","after":"</main>"}}}}"#
        ));
    };
    let page = |bench: &mut Bench, id: &str| {
        bench.frame(&format!(
            r#"{{"t":"step","key":"{id}-{}","session":"{id}","kind":"event","name":"add","html":{{"text":"<p>{id}"}},"frames":[
            {{"dir":"out","text":"{{\"type\":\"patch\",\"patches\":[{{\"type\":\"SetText\",\"path\":[0],\"text\":\"x\"}}]}}"}}]}}"#,
            bench.seq
        ));
        let step = bench.steps().pop().unwrap();
        let page = crate::queries::page(&bench.source, step.id, Side::After).unwrap();
        assert_eq!(*page.html, format!("<p>{id}"));
        assert_eq!(page.changed.len(), 1);
        assert_eq!(page.server.as_deref(), Some("http://127.0.0.1:1"));
        page.shell.map(|shell| shell.before.clone())
    };
    connect(&mut bench, "first", 1, "/cart/", "\"ann\"");
    load(&mut bench, "first");
    assert_eq!(page(&mut bench, "first").as_deref(), Some("<main title=first>"));
    connect(&mut bench, "again", 2, "/cart/", "\"ann\"");
    assert_eq!(page(&mut bench, "again").as_deref(), Some("<main title=first>"));
    for (id, path, who) in [("elsewhere", "/", "\"ann\""), ("other", "/cart/", "\"bob\""), ("nobody", "/cart/", "null")] {
        connect(&mut bench, id, 3, path, who);
        assert_eq!(page(&mut bench, id), None, "{id}");
    }
    load(&mut bench, "again");
    assert_eq!(page(&mut bench, "again").as_deref(), Some("<main title=again>"));
    let unrendered = crate::queries::page(&bench.source, StepId(1), Side::Before).unwrap_err();
    assert_eq!(unrendered.code, inspector_model::ErrorCode::Missing);
}

/// Whatever a server sends as a state is recorded, or refused at a limit that is told; what follows is as always.
#[test]
fn bad_states_are_recorded_or_refused_and_nothing_else_suffers() {
    let nested = format!(r#"{{"bad":{}1{}}}"#, "[".repeat(10_000), "]".repeat(10_000));
    let long_key = format!(r#"{{"bad":{{"{}":1,"n":1}}}}"#, "k".repeat(1 << 20));
    let assigns: Vec<String> = (0..100_000).map(|n| format!(r#""a{n}":{n}"#)).collect();
    let assigns = format!("{{{}}}", assigns.join(","));
    let repeated = format!(r#"{{"bad":[{}{{"id":1}}]}}"#, r#"{"id":1,"x":2},"#.repeat(20_000));
    let huge = format!(r#"{{"bad":"{}"}}"#, "x".repeat(64 << 20));
    let cases = [
        ("nested", nested.as_str(), Some("nested deeper than 127 levels")),
        ("long key", &long_key, None),
        ("assigns", &assigns, None),
        ("keys that repeat", r#"{"bad":{"x":1,"x":2}}"#, None),
        ("half a pair", r#"{"bad":"\ud800"}"#, Some("half a surrogate pair")),
        ("a number beyond all", r#"{"bad":1e999}"#, Some("beyond")),
        ("a long number", r#"{"bad":123456789012345678901234567890}"#, None),
        ("ids that repeat", &repeated, None),
        ("larger than 64 MB", &huge, Some("larger than 64 MB")),
    ];
    for (name, set, refused) in cases {
        let mut bench = Bench::new();
        bench.mount();
        bench.event("bad", r#"{"rev":1}"#, &format!(r#"{{"rev":2,"base":null,"set":{set}}}"#));
        bench.event("again", r#"{"rev":2}"#, r#"{"rev":3,"base":2,"set":{"more":1}}"#);
        bench.event("good", r#"{"rev":3}"#, r#"{"rev":4,"base":null,"set":{"count":5}}"#);
        bench.event("last", r#"{"rev":4}"#, r#"{"rev":5,"base":4,"set":{"count":6}}"#);
        let steps = bench.steps();
        assert_eq!(steps.len(), 5, "{name}: {:?}", bench.kinds());
        match (bench.state(&steps[1], Side::After), refused) {
            (StateAnswer::Full(text), None) => {
                assert!(steps[1].state_bytes > 0, "{name}");
                assert!(inspector_model::parse_value(&text).is_ok(), "{name} cannot be shown");
                let started = std::time::Instant::now();
                let diff = crate::queries::diff((&bench.source, steps[1].id, Side::Before), (&bench.source, steps[1].id, Side::After));
                assert!(matches!(diff, Ok(inspector_model::Answer::Diff(diff)) if diff.counts.total() > 0), "{name}");
                assert!(started.elapsed() < Duration::from_secs(10), "{name}");
            }
            (StateAnswer::Missing(why), Some(part)) => assert!(why.contains(part) && why.contains("not recorded"), "{name}: {why}"),
            (StateAnswer::Missing(why), None) => panic!("{name} was refused: {why}"),
            (StateAnswer::Full(_), Some(_)) => panic!("{name} was recorded"),
        }
        assert_eq!(bench.state(&steps[3], Side::After), full(r#"{"count":5}"#), "{name}");
        assert_eq!(bench.state(&steps[4], Side::Before), full(r#"{"count":5}"#), "{name}");
        assert_eq!(bench.state(&steps[4], Side::After), full(r#"{"count":6}"#), "{name}");
        assert_eq!((steps[4].changes.changed, steps[4].changed.as_slice()), (1, &["count".to_owned()][..]), "{name}");
        bench.intake.flush(9.0);
        assert_eq!(bench.source.reader.steps().unwrap().len(), 5, "{name}");
    }
}

#[test]
fn a_step_knows_the_largest_frame_that_came_from_the_browser() {
    let mut bench = Bench::new();
    bench.frame(
        r#"{"t":"step","key":"a","session":"s","kind":"event","name":"add","frames":[
            {"dir":"in","bytes":40},{"dir":"in","bytes":70069},{"dir":"out","bytes":900000}]}"#,
    );
    bench.frame(r#"{"t":"step","key":"b","session":"s","kind":"tick","name":"handle_tick","frames":[{"dir":"out","bytes":9}]}"#);
    let received: Vec<u32> = bench.steps().iter().map(|step| step.received).collect();
    assert_eq!(received, [70_069, 0]);
}

/// A change outside of steps in the page `s`, after what `between` sends; the step before it of `s` is `e1`, number 2.
fn suspects(between: impl FnOnce(&mut Bench), outside: &str) -> Vec<inspector_model::Suspect> {
    let mut bench = Bench::new();
    bench.mount();
    bench.event("e1", r#"{"rev":1}"#, r#"{"rev":2,"base":1,"set":{"count":1}}"#);
    between(&mut bench);
    bench.frame(&format!(
        r#"{{"t":"step","key":"e2","session":"s","kind":"event","name":"add","started":3.0,
        "before":{{"rev":30,"base":2,"set":{{"count":5,"messages":["reset"]}}}},"after":{{"rev":30}}{outside}}}"#
    ));
    let found = bench.steps().into_iter().rev().find(|step| step.kind == StepKind::Outside).unwrap();
    match found.cause {
        Some(Cause::Outside { suspects }) => suspects,
        other => panic!("no cause: {other:?}"),
    }
}

/// A step of another page, or of another view of the page.
fn elsewhere(bench: &mut Bench, session: &str, view: &str, set: &str) {
    bench.frame(&format!(
        r#"{{"t":"step","key":"o1","session":"{session}","view":{view},"kind":"mount","name":"V","after":{{"rev":1,"base":null,"set":{{"count":0,"other":0}}}}}}"#
    ));
    bench.frame(&format!(
        r#"{{"t":"step","key":"o2","session":"{session}","view":{view},"kind":"event","name":"do","before":{{"rev":1}},"after":{{"rev":2,"base":1,"set":{set}}}}}"#
    ));
}

#[test]
fn a_change_outside_of_steps_has_the_suspects_that_there_is_evidence_for() {
    use inspector_model::{By, Sure};
    type Between = fn(&mut Bench);
    /// By whom, how sure, and by which step.
    type Expected = Option<(By, Sure, Option<u64>)>;
    let nothing: Between = |_| {};
    let cases: [(&str, Between, &str, Expected); 9] = [
        ("nothing was seen", nothing, "", None),
        (
            "the agent saw the render of a step",
            nothing,
            r#","outside":[{"by":"render","sure":"certain","names":["count"],"step":"e1","where":"views.py:1 in get_context_data"}]"#,
            Some((By::Render, Sure::Certain, Some(2))),
        ),
        (
            "a render whose key is not known is that of the last step",
            nothing,
            r#","outside":[{"by":"render","sure":"certain","names":["count"]}]"#,
            Some((By::Render, Sure::Certain, Some(2))),
        ),
        (
            "a task that nothing is known to have begun",
            nothing,
            r#","outside":[{"by":"task","sure":"certain","names":["count"],"what":"thread poller"}]"#,
            Some((By::Task, Sure::Certain, None)),
        ),
        ("frames were lost", |bench| bench.frame(r#"{"t":"gap","dropped":3,"why":"slow"}"#), "", Some((By::Lost, Sure::Likely, Some(3)))),
        (
            "another page has the same value now",
            |bench| elsewhere(bench, "b", "null", r#"{"count":5}"#),
            "",
            Some((By::SameValue, Sure::Likely, Some(4))),
        ),
        ("another page has another value", |bench| elsewhere(bench, "b", "null", r#"{"count":6}"#), "", None),
        (
            "another view of the page did something else",
            |bench| elsewhere(bench, "s", "\"player\"", r#"{"other":6}"#),
            "",
            Some((By::Nearby, Sure::Guess, Some(4))),
        ),
        (
            "what the agent saw is told first",
            |bench| elsewhere(bench, "s", "\"player\"", r#"{"other":6}"#),
            r#","outside":[{"by":"view","sure":"certain","names":["count"],"step":"o2"}]"#,
            Some((By::View, Sure::Certain, Some(4))),
        ),
    ];
    for (name, between, outside, expected) in cases {
        let found = suspects(between, outside);
        assert!(found.len() <= 1, "{name}: {found:?}");
        let found = found.first();
        assert_eq!(found.map(|suspect| (suspect.by, suspect.sure, suspect.step.map(|step| step.0))), expected, "{name}");
        assert!(found.is_none_or(|suspect| suspect.names == ["count"]), "{name}: a temporary assign needs no cause");
    }
}

#[test]
fn a_step_before_the_last_one_of_the_page_is_no_suspect() {
    let mut bench = Bench::new();
    bench.mount();
    elsewhere(&mut bench, "s", "\"player\"", r#"{"other":6}"#);
    bench.event("e1", r#"{"rev":1}"#, r#"{"rev":2,"base":1,"set":{"count":1}}"#);
    bench.event("e2", r#"{"rev":3,"base":2,"set":{"count":5}}"#, r#"{"rev":3}"#);
    let outside = bench.steps().into_iter().find(|step| step.kind == StepKind::Outside).unwrap();
    assert_eq!(outside.cause, Some(Cause::Outside { suspects: Vec::new() }));
}

#[test]
fn on_a_full_disk_the_recording_pauses_and_asks_again_for_what_came_meanwhile() {
    use inspector_model::{Handle as _, Notice};
    let mut bench = Bench::new();
    let window = bench.outbox.window(tokio::sync::mpsc::channel(1).0);
    let told = || {
        let mut notices = Vec::new();
        window.drain(0, &mut notices);
        notices.into_iter().filter_map(|notice| if let Notice::Message(_, text) = notice { Some(text) } else { None }).collect::<Vec<_>>()
    };
    bench.mount();
    bench.event("e1", r#"{"rev":1}"#, r#"{"rev":2,"base":1,"set":{"count":1}}"#);
    bench.store.leave_free(u64::MAX);
    bench.intake.flush(9.0);
    bench.intake.flush(9.5);
    assert!(matches!(told().as_slice(), [text] if text.contains("Recording paused: the disk is full")), "it is told, and once");
    assert!(bench.source.info.lock().recorder.paused.is_some());
    let taken = bench.seq;
    let meanwhile = |bench: &mut Bench| {
        for (key, count) in [("e2", 2), ("e3", 3)] {
            let rev = count + 1;
            bench.event(key, &format!(r#"{{"rev":{count}}}"#), &format!(r#"{{"rev":{rev},"base":{count},"set":{{"count":{count}}}}}"#));
        }
        bench.frame(r#"{"t":"step","key":"p","session":"s","kind":"push","name":"p","html":{"version":1,"text":"<p>3</p>"}}"#);
    };
    meanwhile(&mut bench);
    assert_eq!(bench.kinds(), [StepKind::Mount, StepKind::Event], "nothing is taken");
    bench.intake.flush(10.0);
    let words = bench.source.info.lock().recorder.paused.clone().unwrap();
    assert!(words.contains("3 frames are then asked for again"), "{words}");

    bench.store.leave_free(0);
    bench.intake.flush(11.0);
    assert_eq!(told(), ["Recording goes on: there is room on the disk again"]);
    assert_eq!(bench.source.info.lock().recorder.paused, None);
    assert!(bench.source.again.load(std::sync::atomic::Ordering::Relaxed), "the attachment is to connect anew");
    bench.event("e4", r#"{"rev":4}"#, r#"{"rev":5,"base":4,"set":{"count":4}}"#);
    assert_eq!(bench.kinds().len(), 2, "what comes after what is missing is not taken before it");
    let point = bench.intake.resume_points().pop().unwrap();
    assert_eq!((point.agent.as_str(), point.seq), ("agent-1", taken));

    bench.welcome("agent-1", true, taken);
    meanwhile(&mut bench);
    bench.event("e4", r#"{"rev":4}"#, r#"{"rev":5,"base":4,"set":{"count":4}}"#);
    let steps = bench.steps();
    assert_eq!(bench.kinds()[2..], [StepKind::Event, StepKind::Event, StepKind::Push, StepKind::Event], "all of it, in order, and no gap");
    assert_eq!(bench.source.info.lock().recorder.dropped, 0);
    assert_eq!(bench.state(&steps[3], Side::After), full(r#"{"count":3,"messages":[]}"#));
    assert_eq!(bench.state(&steps[5], Side::Before), full(r#"{"count":3,"messages":[]}"#));
    assert_eq!(bench.state(&steps[5], Side::After), full(r#"{"count":4,"messages":[]}"#));
    assert_eq!(bench.source.reader.html(steps[5].id, Side::After).unwrap().as_deref(), Some("<p>3</p>"));
}

/// A recording that paused after its mount, and what came meanwhile.
fn full_disk(frames: u64) -> Bench {
    let mut bench = Bench::new();
    bench.mount();
    bench.store.leave_free(u64::MAX);
    bench.intake.flush(9.0);
    for n in 0..frames {
        bench.event(&format!("e{n}"), r#"{"rev":1}"#, r#"{"rev":1}"#);
    }
    bench
}

#[test]
fn what_the_server_has_no_more_after_a_full_disk_is_a_gap_with_its_exact_number() {
    let mut bench = full_disk(5);
    let last = bench.seq;
    bench.store.leave_free(0);
    bench.intake.flush(10.0);
    // Two more came that nobody saw.
    bench.welcome("agent-1", false, last + 2);
    bench.frame(r#"{"t":"state","session":"s","view":null,"state":{"rev":9,"base":null,"set":{"count":9,"messages":[]}}}"#);
    assert_eq!(bench.kinds(), [StepKind::Mount, StepKind::Gap, StepKind::Outside]);
    let gap = &bench.steps()[1];
    assert!(matches!(&gap.cause, Some(Cause::Lost { dropped: Some(7), why }) if why.contains("the disk was full")), "{gap:?}");
    assert_eq!(bench.source.info.lock().recorder.dropped, 7);
}

#[test]
fn an_agent_that_greets_while_the_disk_is_full_is_asked_again_from_where_the_recording_stands() {
    let mut bench = full_disk(2);
    let point = bench.intake.resume_points().pop().unwrap().seq;
    bench.welcome("agent-1", false, 40);
    bench.frame(r#"{"t":"state","session":"s","view":null,"state":{"rev":9,"base":null,"set":{"count":9}}}"#);
    assert_eq!(bench.intake.resume_points().pop().unwrap().seq, point);
    bench.store.leave_free(0);
    bench.intake.flush(10.0);
    assert!(bench.source.again.load(std::sync::atomic::Ordering::Relaxed));
    bench.welcome("agent-1", false, 50);
    let gap = bench.steps().pop().unwrap();
    assert!(matches!(&gap.cause, Some(Cause::Lost { dropped: Some(lost), .. }) if *lost == 50 - point), "{gap:?}");
}

#[test]
fn a_recording_that_ends_before_the_server_was_asked_again_says_what_it_lacks() {
    let bench = full_disk(3);
    bench.store.leave_free(0);
    let Bench { intake, source, store, .. } = bench;
    intake.finish(10.0);
    let gap = source.steps.read().iter().last().unwrap();
    assert!(matches!(&gap.cause, Some(Cause::Lost { dropped: Some(3), .. })), "{gap:?}");
    let recording = store.recordings().unwrap().pop().unwrap();
    assert_eq!(store.read(&recording.id).unwrap().steps().unwrap().len(), 2);
}

#[test]
fn a_recording_that_cannot_be_thinned_goes_on_and_says_so_once() {
    use std::sync::atomic::{AtomicBool, Ordering};

    use inspector_model::{Handle as _, Notice};
    let mut bench = Bench::new();
    let window = bench.outbox.window(tokio::sync::mpsc::channel(1).0);
    bench.intake.wishes.keep.lock().recording_bytes = 1;
    bench.mount();
    // Several segments, which are written as they fill.
    let fail = Arc::new(AtomicBool::new(false));
    let fails = fail.clone();
    bench.store.before_each_access(move |access| {
        let fails = access == inspector_store::Access::Read && fails.load(Ordering::Relaxed);
        if fails { Err(std::io::Error::other("a bad sector")) } else { Ok(()) }
    });
    for n in 1..1_500 {
        bench.event(&format!("e{n}"), &format!(r#"{{"rev":{n}}}"#), &format!(r#"{{"rev":{},"base":{n},"set":{{"count":{n}}}}}"#, n + 1));
    }
    fail.store(true, Ordering::Relaxed);
    for at in [9.0, 9.5] {
        bench.event(&format!("f{at}"), r#"{"rev":1500}"#, r#"{"rev":1500}"#);
        bench.intake.flush(at);
    }
    fail.store(false, Ordering::Relaxed);
    assert_eq!(bench.source.info.lock().recorder.stopped, None);
    let mut notices = Vec::new();
    window.drain(0, &mut notices);
    let mut told = notices.into_iter().filter_map(|notice| if let Notice::Message(_, text) = notice { Some(text) } else { None });
    assert!(told.next().is_some_and(|text| text.contains("goes on, but cannot be kept within") && text.contains("a bad sector")));
    assert_eq!(told.next(), None);
    bench.event("g", r#"{"rev":1500}"#, r#"{"rev":1501,"base":1500,"set":{"count":7}}"#);
    bench.intake.flush(11.0);
    let last = bench.steps().pop().unwrap();
    assert_eq!((last.id.0, bench.state(&last, Side::After)), (1_503, full(r#"{"count":7,"messages":[]}"#)));
    assert!(bench.source.info.lock().recorder.thinned.is_some(), "it is thinned once it can be");
}

#[test]
fn states_that_were_used_long_ago_are_given_up_and_made_again_when_they_are_needed() {
    let mut bench = Bench::new();
    let large = "x".repeat(1 << 20);
    for page in 0..100 {
        bench.frame(&format!(
            r#"{{"t":"step","key":"m{page}","session":"p{page}","kind":"mount","name":"V","after":{{"rev":1,"base":null,"set":{{"large":"{large}","n":0}}}}}}"#
        ));
        assert!(bench.intake.held <= HELD, "{} bytes are held", bench.intake.held);
    }
    let held: usize = bench.intake.streams.values().filter_map(|now| now.document.as_ref()).map(|document| document.bytes()).sum();
    assert_eq!(held, bench.intake.held, "what is counted is what is there");
    bench.frame(
        r#"{"t":"step","key":"e","session":"p0","kind":"event","name":"add","before":{"rev":1},"after":{"rev":2,"base":1,"set":{"n":1}}}"#,
    );
    let step = bench.steps().pop().unwrap();
    assert_eq!(step.changed, ["n"]);
    assert_eq!(bench.state(&step, Side::Before), full(&format!(r#"{{"large":"{large}","n":0}}"#)));
    assert_eq!(bench.state(&step, Side::After), full(&format!(r#"{{"large":"{large}","n":1}}"#)));
}

#[test]
fn workers_and_rates_that_are_made_up_take_no_memory() {
    let mut bench = Bench::new();
    for n in 0..2_000 {
        bench.again(&format!(r#"{{"t":"log","worker":"made-up-{n}","seq":1,"level":"INFO","logger":"l","message":"m"}}"#));
        bench.again(&format!(r#"{{"t":"config","worker":"made-up-{n}","seq":2,"views":[]}}"#));
        bench.frame(&format!(r#"{{"t":"rate","session":"made-up-{n}"}}"#));
    }
    assert!(bench.intake.resume_points().len() <= 256);
    assert!(bench.source.rates.lock().is_empty());
}

#[test]
fn what_came_before_the_disk_was_full_is_flushed_when_there_is_room() {
    let mut bench = Bench::new();
    bench.mount();
    bench.store.leave_free(u64::MAX);
    bench.intake.flush(9.0);
    assert_eq!(bench.source.info.lock().recorder.bytes, 0);
    bench.store.leave_free(0);
    bench.intake.flush(10.0);
    assert!(bench.source.info.lock().recorder.bytes > 0, "it is in the library");
    assert_eq!(bench.kinds(), [StepKind::Mount], "nothing was lost, so there is no gap");
}

#[test]
fn what_was_not_recorded_while_the_connection_was_lost_is_told() {
    let mut bench = Bench::new();
    bench.mount();
    let (seq, at) = (bench.seq + 4, bench.steps().len());
    let welcome = format!(r#"{{"agent":"agent-1","resumed":false,"seq":{seq},"unrecorded":83.4,"server":{{"project":"shop"}}}}"#);
    bench.intake.welcome(&serde_json::from_str(&welcome).unwrap(), 99.0);
    let gap = &bench.steps()[at];
    assert!(gap.error.as_deref().unwrap().contains("nothing was recorded for 83 s"), "{gap:?}");
    assert!(matches!(&gap.cause, Some(Cause::Lost { dropped: Some(3), .. })), "frames before that are counted: {:?}", gap.cause);
}
