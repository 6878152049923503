//! Questions and exports while the recorder writes: each step exactly once, and nothing torn.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use inspector_model::{Scope, SearchOptions, Side, StateAnswer, StepDetail, StepId};
use inspector_store::{NewState, NewStep, Reader, Recorder, Retention, Store, read_file};
use inspector_tape::PlacePath;

fn state(step: u64) -> String {
    format!(r#"{{"n": {step}, "needle": "needle {step}"}}"#)
}

fn append(recorder: &mut Recorder) -> u64 {
    let number = recorder.stats().steps + 1;
    let step = common::step(Some("a"), None, number as usize);
    let after = NewState::Text(state(number).into());
    recorder.append(NewStep { step, detail: StepDetail::default(), before: NewState::Same, after, html: None }).unwrap().0
}

/// Appends so many steps while something asks.
fn while_recording(steps: u64, mut recorder: Recorder, flush_every: u64, ask: impl Fn(&AtomicU64, &dyn Fn() -> bool)) -> Recorder {
    let (there, over) = (AtomicU64::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for _ in 0..steps {
                let step = append(&mut recorder);
                there.store(step, Ordering::Release);
                if step.is_multiple_of(flush_every) {
                    recorder.flush().unwrap();
                }
            }
            over.store(true, Ordering::Release);
            recorder
        });
        ask(&there, &|| !over.load(Ordering::Acquire));
        writer.join().unwrap()
    })
}

/// The steps are those from `first` on without one that is missing or there twice, up to what was there at least.
fn assert_each_once(what: &str, found: &[u64], first: u64, least: u64) {
    let expected: Vec<u64> = (first..first + found.len() as u64).collect();
    if found != expected {
        let at = found.iter().zip(&expected).position(|(one, other)| one != other).unwrap_or(0);
        panic!("{what}: {:?} where {:?} was expected", &found[at..(at + 4).min(found.len())], expected[at]);
    }
    assert!(first + found.len() as u64 > least, "{what}: {} steps of {least}", found.len());
}

fn searched(reader: &Reader) -> Vec<u64> {
    let mut search =
        reader.search(SearchOptions { text: "needle".into(), values: true, paths: false, most: 1_000_000, ..SearchOptions::default() });
    let mut found = Vec::new();
    while !search.is_done() {
        found.extend(search.run(Duration::ZERO).unwrap().into_iter().filter(|hit| hit.path.contains("needle")).map(|hit| hit.step.0));
    }
    found
}

#[test]
fn a_search_finds_each_step_once_while_segments_close() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(folder.path()).unwrap();
    let recorder = store.create("live", 1.0, "").unwrap();
    let reader = recorder.reader();
    while_recording(20_000, recorder, 5_000, |there, goes_on| {
        while goes_on() {
            let least = there.load(Ordering::Acquire);
            // The first state is found as a whole, not by a path.
            assert_each_once("search", &searched(&reader), 2, least);
        }
    });
}

#[test]
fn changes_have_each_step_once_while_segments_close() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(folder.path()).unwrap();
    let recorder = store.create("live", 1.0, "").unwrap();
    let reader = recorder.reader();
    let path = PlacePath(vec![b".n".to_vec()]);
    while_recording(30_000, recorder, 5_000, |there, goes_on| {
        while goes_on() {
            let least = there.load(Ordering::Acquire);
            let found: Vec<u64> = reader.changes(&path, &Scope::Everywhere).unwrap().into_iter().map(|step| step.0).collect();
            assert_each_once("changes", &found, 1, least);
            let before = reader.last_change_before(&path, &Scope::Everywhere, StepId(u64::MAX)).unwrap().map_or(0, |step| step.0);
            assert!(before >= least, "the last change before the end is {before}, of {least}");
            if least > 1 {
                let after = reader.first_change_after(&path, &Scope::Everywhere, StepId(least - 1)).unwrap();
                assert_eq!(after, Some(StepId(least)));
            }
        }
    });
}

#[test]
fn an_export_of_what_is_being_recorded_is_one_moment_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(folder.path()).unwrap();
    let mut recorder = store.create("live", 1.0, "").unwrap();
    recorder.set_retention(Some(Retention { most_bytes: 1, slow_ms: 1e9 }));
    let id = recorder.id().clone();
    let file = folder.path().join("live.djrec");
    let exports = AtomicU64::new(0);
    while_recording(12_000, recorder, 7, |there, goes_on| {
        while goes_on() {
            let least = there.load(Ordering::Acquire);
            store.export(&id, &file, &|_, _| true).unwrap();
            let reader = read_file(&file).unwrap();
            assert_eq!(reader.damage(), None);
            let steps = reader.info().steps;
            assert!(steps >= least, "{steps} steps of {least}");
            assert_eq!(reader.steps().unwrap().len() as u64, steps);
            for step in (1..=steps).step_by(17).chain([steps]).filter(|step| *step > 0) {
                match reader.state(StepId(step), Side::After).unwrap() {
                    StateAnswer::Full(text) => assert_eq!(*text, *state(step)),
                    StateAnswer::Missing(why) => assert!(why.contains("dropped"), "{why}"),
                }
            }
            exports.fetch_add(1, Ordering::Relaxed);
        }
    });
    assert!(exports.into_inner() > 2, "it was exported while it grew");
}

/// What happens between two segments of the export is not in it: steps, segments that close, states that are dropped.
#[test]
fn what_comes_while_an_export_is_written_is_not_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(folder.path()).unwrap();
    let mut recorder = store.create("live", 1.0, "").unwrap();
    for _ in 0..1_500 {
        append(&mut recorder);
    }
    recorder.flush().unwrap();
    recorder.set_retention(Some(Retention { most_bytes: 1, slow_ms: 1e9 }));
    let (id, recorder) = (recorder.id().clone(), std::cell::RefCell::new(recorder));
    let file = folder.path().join("live.djrec");
    let exported = store.export(&id, &file, &|_, _| {
        let mut recorder = recorder.borrow_mut();
        for _ in 0..200 {
            append(&mut recorder);
        }
        recorder.put_session(&serde_json::from_str(r#"{"session":"later"}"#).unwrap());
        recorder.flush().unwrap();
        store.mark(&id, StepId(recorder.stats().steps), Some("later")).unwrap();
        true
    });
    exported.unwrap();
    let reader = read_file(&file).unwrap();
    assert_eq!((reader.damage(), reader.info().steps, reader.thinned()), (None, 1_500, None));
    for step in 1..=1_500 {
        assert_eq!(reader.state(StepId(step), Side::After).unwrap(), StateAnswer::Full(state(step).into()));
    }
    let changes = reader.changes(&PlacePath(vec![b".n".to_vec()]), &Scope::Everywhere).unwrap();
    assert_eq!(changes, (1..=1_500).map(StepId).collect::<Vec<_>>());
    assert_eq!(searched(&reader), (2..=1_500).collect::<Vec<_>>());
    assert!(reader.sessions().unwrap().is_empty() && reader.marks().unwrap().is_empty());
    // Afterwards it is thinned as before.
    let mut recorder = recorder.into_inner();
    recorder.flush().unwrap();
    assert!(recorder.reader().thinned().is_some());
}

#[test]
fn an_export_of_what_is_deleted_meanwhile_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(folder.path()).unwrap();
    let mut recorder = store.create("goes", 1.0, "").unwrap();
    for _ in 0..1000 {
        append(&mut recorder);
    }
    let id = recorder.id().clone();
    drop(recorder);
    let file = folder.path().join("gone.djrec");
    let deleted = AtomicBool::new(false);
    let exported = store.export(&id, &file, &|done, _| {
        if done > 0 && !deleted.swap(true, Ordering::Relaxed) {
            store.delete(&id).unwrap();
        }
        true
    });
    assert!(exported.is_err() && !file.exists());
}
