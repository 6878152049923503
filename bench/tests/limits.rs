//! The coarse form of the benchmark: fails when recording or reading has become many times slower than it was, measured against
//! what the machine does in the same moment, or when their cost grows faster than their input. Never against a clock alone.
//!
//! Margins hold in a build that is optimised little, on a busy machine. `cargo xtask bench` has the true figures.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::fs::File;
use std::hint::black_box;
use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use inspector_bench::clock::{median, timed};
use inspector_bench::corpora::{Pages, Random, Sort, Turn};
use inspector_bench::record::{Steps, record};
use inspector_model::{Path, Scope, SearchOptions, Segment, Side, StateAnswer, StepId};
use inspector_store::Store;
use inspector_tape::{Document, compare};

const LONG: Duration = Duration::from_mins(1);

/// The times of rounds in which all are measured one after the other, so that other work hits them alike.
fn rounds<const N: usize>(rounds: usize, mut round: impl FnMut() -> [Duration; N]) -> [Vec<Duration>; N] {
    let mut times: [Vec<Duration>; N] = std::array::from_fn(|_| Vec::new());
    for _ in 0..rounds {
        for (times, time) in times.iter_mut().zip(round()) {
            times.push(time);
        }
    }
    times
}

/// Their medians.
fn interleaved<const N: usize>(count: usize, round: impl FnMut() -> [Duration; N]) -> [Duration; N] {
    rounds(count, round).map(median)
}

/// The best of them: for what takes so much longer than the other that only one of both is interrupted.
fn best<const N: usize>(count: usize, round: impl FnMut() -> [Duration; N]) -> [Duration; N] {
    rounds(count, round).map(|times| times.into_iter().min().unwrap_or_default())
}

/// How many times longer one took than the other.
fn times(a: Duration, b: Duration) -> f64 {
    a.as_secs_f64() / b.as_secs_f64().max(1e-9)
}

fn parse(text: &str) -> Duration {
    timed(|| drop(black_box(serde_json::from_str::<serde_json::Value>(text).unwrap())))
}

#[test]
fn a_state_is_taken_in_faster_than_it_is_parsed() {
    for (sort, least) in [(Sort::Table, 3.0), (Sort::Large, 3.0), (Sort::Text, 0.2)] {
        let mut pages = Pages::new(sort);
        let mut last = Arc::new(Document::new(pages.json()).unwrap());
        let [own, parsed] = interleaved(25, || {
            pages.turn();
            let text = pages.json();
            let own = timed(|| {
                let next = Arc::new(Document::after(&last, text.clone()).unwrap());
                black_box(compare(&last, &next, LONG));
                last = next;
            });
            [own, parse(&text)]
        });
        assert!(times(parsed, own) > least, "page {}: {own:?} to scan and compare, {parsed:?} to parse", sort.letter());
    }
}

#[test]
fn steps_are_recorded_faster_than_they_are_parsed_and_beside_a_plain_file() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(folder.path()).unwrap();
    let mut recorder = store.create("limits", 1.0, "").unwrap();
    let (mut pages, mut maker) = (Pages::new(Sort::Table), Steps::default());
    let mut raw = File::create(folder.path().join("raw")).unwrap();
    // Each round is a segment, so that whatever happens at its end is in all of them.
    let [own, appended, parsed] = interleaved(7, || {
        let texts: Vec<Arc<str>> = (0..256)
            .map(|_| {
                pages.turn();
                pages.json()
            })
            .collect();
        let own = timed(|| {
            for text in &texts {
                recorder.append(maker.next(text.clone()).unwrap()).unwrap();
            }
            recorder.flush().unwrap();
        });
        let appended = timed(|| {
            for text in &texts {
                raw.write_all(text.as_bytes()).unwrap();
            }
            raw.sync_data().unwrap();
        });
        [own, appended, parse(&texts[0]) * 256]
    });
    assert!(times(parsed, own) > 2.0, "{own:?} to record 256 steps, {parsed:?} to parse their states");
    assert!(times(own, appended) < 15.0, "{own:?} to record 256 steps, {appended:?} to append their states to a file");
}

#[test]
fn a_recording_is_a_small_part_of_its_states() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(folder.path()).unwrap();
    let mut recorder = store.create("limits", 1.0, "").unwrap();
    record(&mut recorder, &mut Pages::new(Sort::Table), 2_000, 500).unwrap();
    let (stored, states) = (recorder.stats().bytes, 2_000 * Pages::new(Sort::Table).json().len() as u64);
    assert!(states > 200 * stored, "{stored} bytes are stored of {states}");
}

#[test]
fn a_list_twice_as_long_takes_about_twice_as_long() {
    // What nobody can compare quickly: rows without identities, all other ones, in another order.
    let list = |rows: u64, seed: u64| {
        let mut random = Random::new(seed);
        let rows: Vec<String> =
            (0..rows).map(|_| format!(r#"{{"n": {}, "text": "row {}"}}"#, random.below(500), random.below(2_000))).collect();
        Arc::new(Document::new(format!(r#"{{"rows": [{}]}}"#, rows.join(", ")).into()).unwrap())
    };
    let lists = [2_000, 8_000].map(|rows| (list(rows, 3), list(rows, 5)));
    let [short, long] = best(15, || [0, 1].map(|at| timed(|| drop(black_box(compare(&lists[at].0, &lists[at].1, LONG))))));
    assert!(times(long, short) < 11.0, "{short:?} for 2,000 rows, {long:?} for 8,000");

    let mut pages = Pages::new(Sort::Large);
    let before = Arc::new(Document::new(pages.json()).unwrap());
    pages.turn_by(Turn::Insert);
    let text = pages.json();
    let [own, parsed] = interleaved(7, || {
        let own = timed(|| {
            let after = Arc::new(Document::after(&before, text.clone()).unwrap());
            // The row, and how many rows there are.
            assert_eq!(compare(&before, &after, LONG).changes.len(), 2);
        });
        [own, parse(&text)]
    });
    assert!(times(parsed, own) > 5.0, "{own:?} to find a row at the head of 10,000, {parsed:?} to parse them");
}

#[test]
fn reading_costs_no_more_in_a_longer_recording() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(folder.path()).unwrap();
    let ids = [1_000, 8_000].map(|steps| {
        let mut recorder = store.create("limits", 1.0, "").unwrap();
        record(&mut recorder, &mut Pages::new(Sort::Table), steps, 1_000).unwrap();
        (recorder.id().clone(), steps)
    });
    let mut random = Random::new(7);
    let [short, long, parsed] = interleaved(31, || {
        let mut text: Arc<str> = "".into();
        let [short, long] = [0, 1].map(|at| {
            let (id, steps) = &ids[at];
            let reader = store.read(id).unwrap();
            let step = StepId(random.below(*steps as usize) as u64 + 1);
            timed(|| match reader.state(step, Side::After).unwrap() {
                StateAnswer::Full(state) => text = state,
                StateAnswer::Missing(why) => panic!("{why}"),
            })
        });
        [short, long, parse(&text)]
    });
    assert!(times(long, short) < 4.0, "{short:?} for a state among 1,000, {long:?} among 8,000");
    assert!(times(long, parsed) < 4.0, "{long:?} for any state, {parsed:?} to parse one");

    let (id, steps) = &ids[1];
    let reader = store.read(id).unwrap();
    let done = Path(vec![Segment::Key("rows".into()), Segment::Index(5), Segment::Key("done".into())]);
    let place = reader.place(StepId(*steps), Side::After, &done).unwrap();
    assert!(!reader.changes(&place, &Scope::Everywhere).unwrap().is_empty());
    let states: Vec<Arc<str>> = (0..100).map(|_| Pages::new(Sort::Table).json()).collect();
    let [asked, searched, scanned] = interleaved(9, || {
        let asked = timed(|| assert!(reader.last_change_before(&place, &Scope::Everywhere, StepId(steps / 2)).is_ok()));
        let mut search = reader.search(SearchOptions { text: "no such words".into(), ..SearchOptions::default() });
        let searched = timed(|| {
            while !search.is_done() {
                assert!(search.run(LONG).unwrap().is_empty());
            }
        });
        let scanned = timed(|| assert!(!states.iter().any(|state| state.contains("no such words"))));
        [asked, searched, scanned * (*steps as u32 / 100)]
    });
    assert!(times(scanned, asked) > 1_000.0, "{asked:?} for the last change of a path, {scanned:?} to scan the states");
    assert!(times(scanned, searched) > 2.0, "{searched:?} to search all values, {scanned:?} to scan the states");
}
