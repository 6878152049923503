//! A budget thins the middle of a recording: what must stay stays, what was dropped says so, what changed is still known.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use std::sync::Arc;

use common::Todo;
use inspector_model::{LogRecord, Path, Scope, SearchOptions, Segment, Side, StateAnswer, Status, Step, StepDetail, StepId};
use inspector_store::{LogOp, NewState, NewStep, Reader, Recorder, Retention, Store, read_file};

/// What every state was, by step.
struct Told {
    before: Arc<str>,
    after: Arc<str>,
    page: Arc<str>,
}

fn is_kept(number: u64) -> bool {
    number.is_multiple_of(97) || number.is_multiple_of(101) || number == 1_234
}

fn record(recorder: &mut Recorder, todo: &mut Todo, told: &mut Vec<Told>, steps: u64, flush: bool) {
    for _ in 0..steps {
        let number = told.len() as u64 + 1;
        let before = told.last().map_or_else(|| todo.json(), |last| last.after.clone());
        todo.turn();
        let after = todo.json();
        let page: Arc<str> = format!("<p>{}</p>", todo.random(1_000_000)).into();
        let mut step = Step { state_bytes: after.len() as u64, ..common::step(Some("a"), None, number as usize) };
        if number.is_multiple_of(97) {
            step.status = Status::Raised;
        }
        step.duration_ms = Some(if number.is_multiple_of(101) { 900.0 } else { 3.0 });
        let noise: String = (0..300).map(|_| char::from(b'0' + todo.random(75) as u8)).collect();
        let detail = StepDetail {
            params: Some(format!("{{\"n\":{number}}}")),
            logs: vec![LogRecord { message: noise, ..LogRecord::default() }],
            ..StepDetail::default()
        };
        let state = NewState::Text(after.clone());
        recorder.append(NewStep { step, detail, before: NewState::Same, after: state, html: Some(page.clone()) }).unwrap();
        told.push(Told { before, after, page });
        if flush && number.is_multiple_of(60) {
            recorder.flush().unwrap();
        }
    }
}

fn retention(most_bytes: u64) -> Retention {
    Retention { most_bytes, slow_ms: 500.0 }
}

/// Compares all that is there, and gives how many states are not.
fn check(reader: &Reader, told: &[Told], when: &str) -> usize {
    let thinned = reader.thinned();
    let mut dropped = 0;
    for (number, told) in (1..).zip(told) {
        let id = StepId(number);
        // The very first state was not seen.
        let sides = [(Side::Before, &told.before), (Side::After, &told.after)];
        for (side, expected) in sides.into_iter().filter(|(side, _)| number > 1 || *side == Side::After) {
            match reader.state(id, side).unwrap() {
                StateAnswer::Full(text) => assert!(text == *expected, "another state at {id} {when}"),
                StateAnswer::Missing(why) => {
                    assert!(why.contains("budget"), "{why}");
                    assert!(!is_kept(number) && thinned.as_ref().is_some_and(|thinned| thinned.contains(&id)), "{id} is gone {when}");
                    dropped += 1;
                }
            }
        }
        let page = reader.html(id, Side::After).unwrap();
        assert!(page.is_none_or(|page| page == told.page), "page of {id} {when}");
        let detail = reader.detail(id).unwrap();
        assert_eq!(detail.params, Some(format!("{{\"n\":{number}}}")));
        assert!(!is_kept(number) || detail.logs.len() == 1);
    }
    dropped
}

#[test]
fn a_recording_beyond_its_budget_keeps_what_matters() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(folder.path()).unwrap();
    let mut recorder = store.create("thin", 1.0, "").unwrap();
    let id = recorder.id().clone();
    let (mut todo, mut told) = (Todo::new(30), Vec::new());
    record(&mut recorder, &mut todo, &mut told, 2_000, true);
    let reader = recorder.reader();
    assert_eq!(check(&reader, &told, "before"), 0);
    let whole = recorder.stats().bytes;
    let path = Path(vec![Segment::Key("rows".into()), Segment::Index(3), Segment::Key("done".into())]);
    let place = reader.place(StepId(2_000), Side::After, &path).unwrap();
    let changes = reader.changes(&place, &Scope::Everywhere).unwrap();
    let found = |reader: &Reader| {
        let mut search = reader.search(SearchOptions { text: "garden letter".into(), ..SearchOptions::default() });
        search.run(std::time::Duration::from_mins(1)).unwrap()
    };
    let hits = found(&reader);
    assert!(!hits.is_empty());

    store.mark(&id, StepId(1_234), Some("look here")).unwrap();
    recorder.set_retention(Some(retention(whole / 2)));
    record(&mut recorder, &mut todo, &mut told, 1_000, true);
    assert!(recorder.stats().bytes < whole, "{} of {whole}", recorder.stats().bytes);
    assert!(check(&recorder.reader(), &told, "while recording") > 300);
    // Both ends are whole.
    for number in (1..=256).chain(told.len() as u64 - 512..=told.len() as u64) {
        assert!(matches!(recorder.reader().state(StepId(number), Side::After).unwrap(), StateAnswer::Full(_)), "{number}");
    }
    let after = recorder.reader();
    assert_eq!(after.steps().unwrap().len(), told.len());
    drop(recorder);
    drop(reader);
    let reader = store.read(&id).unwrap();
    check(&reader, &told, "afterwards");
    // What changed is known as before, step by step too.
    let gone: Vec<StepId> =
        (257..2_000).map(StepId).filter(|step| matches!(reader.state(*step, Side::After).unwrap(), StateAnswer::Missing(_))).collect();
    for step in gone.iter().step_by(7) {
        let logged = reader.logged(*step).unwrap();
        assert_eq!(logged.is_empty(), told[step.0 as usize - 1].before == told[step.0 as usize - 1].after, "{step}");
        for change in logged.iter().filter(|change| matches!(change.op, LogOp::Added | LogOp::Changed)) {
            assert!(told[step.0 as usize - 1].after.contains(&change.value), "{change:?}");
            assert!(reader.changes(&change.path, &Scope::Everywhere).unwrap().contains(step), "{change:?}");
        }
    }
    let still: Vec<StepId> = reader.changes(&place, &Scope::Everywhere).unwrap().into_iter().filter(|step| step.0 <= 2_000).collect();
    assert_eq!(still, changes);
    let still = found(&reader);
    assert_eq!(still[..hits.len()], hits);
    // It goes on, and through a file.
    let mut recorder = store.resume(&id).unwrap();
    record(&mut recorder, &mut todo, &mut told, 300, true);
    drop(recorder);
    check(&store.read(&id).unwrap(), &told, "continued");
    let file = folder.path().join("thin.djrec");
    store.export(&id, &file, &|_, _| true).unwrap();
    let read = read_file(&file).unwrap();
    assert_eq!(read.damage(), None);
    assert!(check(&read, &told, "from a file") > 300);
    assert_eq!(read.marks().unwrap(), [(StepId(1_234), "look here".to_owned())].into());
}

#[test]
fn a_library_beyond_its_budget_is_thinned_from_its_oldest_recording() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(folder.path()).unwrap();
    let mut all = Vec::new();
    for nth in 0..3 {
        let mut recorder = store.create("one of three", f64::from(nth), "").unwrap();
        let (mut todo, mut told) = (Todo::new(20), Vec::new());
        record(&mut recorder, &mut todo, &mut told, 1_500, false);
        store.mark(recorder.id(), StepId(1_234), Some("")).unwrap();
        all.push((recorder.id().clone(), told));
    }
    let bytes = || store.recordings().unwrap().iter().map(|info| info.bytes).sum::<u64>();
    let whole = bytes();
    assert_eq!(store.keep_within(whole, &retention(0), &|_, _| true).unwrap().segments, 0);
    let thinned = store.keep_within(whole - whole / 10, &retention(0), &|_, _| true).unwrap();
    assert!(thinned.segments > 0 && thinned.freed > 0);
    assert_eq!(bytes(), whole - thinned.freed);
    assert!(bytes() <= whole - whole / 10);
    assert!(check(&store.read(&all[0].0).unwrap(), &all[0].1, "the oldest") > 0);
    assert_eq!(check(&store.read(&all[2].0).unwrap(), &all[2].1, "the newest"), 0);
    store.keep_within(0, &retention(0), &|_, _| true).unwrap();
    for (id, told) in &all {
        assert!(check(&store.read(id).unwrap(), told, "all of them") > 0);
    }
    // Nothing more can be thinned.
    assert_eq!(store.keep_within(0, &retention(0), &|_, _| true).unwrap().segments, 0);
}

#[test]
fn marks_are_kept_changed_and_taken_away_while_recording_and_after() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(folder.path()).unwrap();
    let mut recorder = store.create("marks", 1.0, "").unwrap();
    let id = recorder.id().clone();
    record(&mut recorder, &mut Todo::new(3), &mut Vec::new(), 9, false);
    store.mark(&id, StepId(9), Some("last")).unwrap();
    store.mark(&id, StepId(2), Some("")).unwrap();
    let marks =
        |store: &Store| store.read(&id).unwrap().marks().unwrap().into_iter().map(|(step, note)| (step.0, note)).collect::<Vec<_>>();
    assert_eq!(marks(&store), [(2, String::new()), (9, "last".to_owned())]);
    assert!(store.mark(&id, StepId(10), Some("")).unwrap_err().to_string().contains("no step 10"));
    let long = "x".repeat(inspector_store::LONGEST_NOTE + 1);
    assert!(store.mark(&id, StepId(2), Some(&long)).unwrap_err().to_string().contains("4096"));
    drop(recorder);
    store.mark(&id, StepId(9), None).unwrap();
    store.mark(&id, StepId(2), Some("zwei\n\u{1F600}")).unwrap();
    drop(store);
    let (store, _) = Store::open(folder.path()).unwrap();
    assert_eq!(marks(&store), [(2, "zwei\n\u{1F600}".to_owned())]);
}
