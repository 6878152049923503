//! Questions about a recording: when a path changed, where a text is, a state after another. Each is answered as looking at
//! every state would.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use common::Todo;
use inspector_model::{Path, Scope, SearchOptions, Segment, Side, StateAnswer, Step, StepDetail, StepId};
use inspector_store::{NewState, NewStep, Reader, Recorder, Store, read_file};
use serde_json::Value;

const LONG: Duration = Duration::from_mins(1);

fn append(recorder: &mut Recorder, session: &str, text: Arc<str>) -> StepId {
    let step = Step { state_bytes: text.len() as u64, ..common::step(Some(session), None, 0) };
    let (before, after) = (NewState::Same, NewState::Text(text));
    recorder.append(NewStep { step, detail: StepDetail::default(), before, after, html: None }).unwrap()
}

fn state(reader: &Reader, step: StepId, side: Side) -> Option<Value> {
    match reader.state(step, side).unwrap() {
        StateAnswer::Full(text) => Some(serde_json::from_str(&text).unwrap()),
        StateAnswer::Missing(_) => None,
    }
}

fn path(parts: &[&str]) -> Path {
    Path(parts.iter().map(|part| part.parse().map_or_else(|_| Segment::Key((*part).into()), Segment::Index)).collect())
}

/// A step, and the states before and after it.
type Seen = (Step, Option<Value>, Option<Value>);

fn all_states(reader: &Reader) -> Vec<Seen> {
    let steps = reader.steps().unwrap().into_iter();
    steps.map(|step| (step.clone(), state(reader, step.id, Side::Before), state(reader, step.id, Side::After))).collect()
}

/// The steps in which what `look` sees became another value, a first state included.
fn steps_where(states: &[Seen], session: Option<&str>, look: impl Fn(&Value) -> Option<Value>) -> Vec<StepId> {
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    for (step, before, after) in states {
        let Some(after) = after else { continue };
        if session.is_some_and(|session| step.session.as_ref().map(inspector_model::SessionId::as_str) != Some(session)) {
            continue;
        }
        let first = seen.insert((step.session.clone(), step.view.clone()));
        if first || before.as_ref().is_some_and(|before| look(before) != look(after)) {
            found.push(step.id);
        }
    }
    found
}

fn row(id: u64, key: &str) -> impl Fn(&Value) -> Option<Value> {
    move |state| Some(state["rows"].as_array()?.iter().find(|row| row["id"] == id)?[key].clone())
}

#[test]
fn a_path_is_followed_through_everything() {
    let folder = tempfile::tempdir().unwrap();
    let (mut store, _) = Store::open(folder.path()).unwrap();
    let mut recorder = store.create("paths", 1.0, "").unwrap();
    let id = recorder.id().clone();
    let mut pages = [Todo::new(12), Todo::new(5)];
    let mut turn = |recorder: &mut Recorder, n: usize| {
        let page = usize::from(n.is_multiple_of(3));
        pages[page].turn();
        append(recorder, ["a", "b"][page], pages[page].json());
    };
    for n in 0..700 {
        turn(&mut recorder, n);
        if n % 97 == 0 {
            recorder.flush().unwrap();
        }
    }
    let check = |reader: &Reader, when: &str| {
        let last = StepId(reader.info().steps);
        let states = all_states(reader);
        let rows = state(reader, last, Side::After).unwrap()["rows"].as_array().unwrap().clone();
        for (index, found) in rows.iter().enumerate().take(6) {
            let id = found["id"].as_u64().unwrap();
            let place = reader.place(last, Side::After, &path(&["rows", &index.to_string(), "done"])).unwrap();
            assert_eq!(place.to_string(), format!("rows[={id}].done"));
            for (scope, session) in
                [(Scope::Everywhere, None), (Scope::Session("a".into()), Some("a")), (Scope::View("b".into(), None), Some("b"))]
            {
                let expected = steps_where(&states, session, row(id, "done"));
                let changes = reader.changes(&place, &scope).unwrap();
                assert_eq!(changes, expected, "{place} {scope:?} {when}");
                for bound in [1, 2, 255, 256, 257, 300, 650, 701, 800].map(StepId) {
                    let before = expected.iter().rev().find(|step| **step < bound).copied();
                    let after = expected.iter().find(|step| **step > bound).copied();
                    assert_eq!(reader.last_change_before(&place, &scope, bound).unwrap(), before, "{place} before {bound} {when}");
                    assert_eq!(reader.first_change_after(&place, &scope, bound).unwrap(), after, "{place} after {bound} {when}");
                }
            }
        }
        let list = reader.place(last, Side::After, &path(&["rows"])).unwrap();
        let expected = steps_where(&states, Some("a"), |state| Some(state["rows"].clone()));
        assert_eq!(reader.changes(&list, &Scope::Session("a".into())).unwrap(), expected, "{when}");
        assert!(reader.changes(&list, &Scope::Session("z".into())).unwrap().is_empty());
    };
    let live = recorder.reader();
    check(&live, "while recording");
    drop(recorder);
    check(&live, "after recording");
    check(&store.read(&id).unwrap(), "read anew");
    drop(live);
    drop(store);
    store = Store::open(folder.path()).unwrap().0;
    let mut recorder = store.resume(&id).unwrap();
    for n in 0..300 {
        turn(&mut recorder, n);
    }
    check(&recorder.reader(), "continued");
    let file = folder.path().join("paths.djrec");
    store.export(&id, &file, &|_, _| true).unwrap();
    check(&read_file(&file).unwrap(), "from a file");
}

fn hits(reader: &Reader, options: SearchOptions) -> Vec<(u64, String)> {
    let mut search = reader.search(options);
    let mut all = Vec::new();
    let mut last = 0;
    while !search.is_done() {
        // As little as possible at a time.
        all.extend(search.run(Duration::ZERO).unwrap().into_iter().map(|hit| (hit.step.0, hit.path)));
        let (searched, of) = search.progress();
        assert!(searched >= last && searched <= of);
        last = searched;
    }
    all
}

#[test]
fn a_text_is_found_where_it_came() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(folder.path()).unwrap();
    let mut recorder = store.create("text", 1.0, "").unwrap();
    let id = recorder.id().clone();
    let text = |n: usize| match n {
        10 => "Caf\\u00e9 M\\u00fcller".to_owned(),
        300 => "café here".to_owned(),
        301 => "CAFÉ \\\"quoted\\\"".to_owned(),
        _ => format!("plain {n}"),
    };
    let long = |n: usize| format!("{}{}{}", "x".repeat(3_000), if n == 400 { "needle" } else { "" }, "y".repeat(3_000));
    for n in 0..600 {
        let extra = if n >= 500 { r#","straw_needle":1"# } else { "" };
        let state =
            format!(r#"{{"first":"in the first state","text":"{}","body":"{}","rows":[{{"id":1,"n":{n}}}]{extra}}}"#, text(n), long(n));
        append(&mut recorder, "a", state.into());
    }
    let options = |text: &str| SearchOptions { text: text.into(), ..SearchOptions::default() };
    let check = |reader: &Reader| {
        assert_eq!(hits(reader, options("café")), [(11, "text".into()), (301, "text".into()), (302, "text".into())]);
        assert_eq!(hits(reader, SearchOptions { case_sensitive: true, ..options("CAFÉ") }), [(302, "text".into())]);
        assert_eq!(hits(reader, options("\"quoted\"")), [(302, "text".into())]);
        assert_eq!(hits(reader, options("in the first")), [(1, String::new())]);
        assert_eq!(hits(reader, options("needle")), [(401, "body".into()), (501, "straw_needle".into())]);
        assert_eq!(hits(reader, SearchOptions { values: false, ..options("needle") }), [(501, "straw_needle".into())]);
        assert_eq!(hits(reader, SearchOptions { most: 7, ..options("plain") }).len(), 7);
        assert!(hits(reader, SearchOptions { scope: Scope::Session("b".into()), ..options("plain") }).is_empty());
        assert!(hits(reader, options("")).is_empty());
        assert!(hits(reader, options("not there")).is_empty());
        let hit = reader.search(options("needle")).run(LONG).unwrap().remove(0);
        assert!(hit.value.contains("xneedley") && hit.value.len() < 300, "{}", hit.value);
    };
    check(&recorder.reader());
    drop(recorder);
    check(&store.read(&id).unwrap());
}

#[test]
fn a_cursor_gives_what_the_reader_gives() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(folder.path()).unwrap();
    let mut recorder = store.create("cursor", 1.0, "").unwrap();
    let mut pages = [Todo::new(40), Todo::new(3)];
    let mut random = Todo::new(1);
    let reader = recorder.reader();
    let mut cursor = reader.cursor();
    for n in 0..900 {
        let page = usize::from(n % 5 == 0);
        pages[page].turn();
        append(&mut recorder, ["a", "b"][page], pages[page].json());
        let mut at = random.random(n + 1);
        for _ in 0..4 {
            for side in [Side::Before, Side::After] {
                assert_eq!(cursor.state(StepId(at as u64 + 1), side).unwrap(), reader.state(StepId(at as u64 + 1), side).unwrap());
            }
            at = if random.random(2) == 0 { at.saturating_sub(random.random(3)) } else { (at + random.random(3)).min(n) };
        }
    }
    assert!(cursor.state(StepId(901), Side::After).is_err());
}

#[test]
fn summaries_are_read_from_anywhere() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(folder.path()).unwrap();
    let mut recorder = store.create("summaries", 1.0, "").unwrap();
    let id = recorder.id().clone();
    for n in 0..2_500 {
        append(&mut recorder, "a", format!(r#"{{"n":{n}}}"#).into());
        if n == 1_200 {
            recorder.flush().unwrap();
        }
    }
    let check = |reader: &Reader| {
        let all = reader.steps().unwrap();
        assert_eq!(all.len(), 2_500);
        for range in [1..5, 2_490..9_999, 400..1_900, 1_200..1_203, 2_500..2_501, 7_000..8_000, 0..2] {
            let expected: Vec<_> = all.iter().filter(|step| range.contains(&step.id.0)).cloned().collect();
            assert_eq!(reader.steps_in(range.clone()).unwrap(), expected, "{range:?}");
        }
    };
    check(&recorder.reader());
    drop(recorder);
    check(&store.read(&id).unwrap());
}

/// Files that a program of format 1 made: all of it can be asked about, and recording goes on.
#[test]
fn recordings_of_the_first_format_open_and_go_on() {
    let samples = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/format_1");
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(folder.path()).unwrap();
    let mut count = 0;
    for file in std::fs::read_dir(samples).unwrap().map(|entry| entry.unwrap().path()) {
        count += 1;
        let read = read_file(&file).unwrap();
        assert_eq!((read.info().format, read.damage()), (1, None));
        let steps = read.steps().unwrap();
        assert_eq!(steps.len() as u64, read.info().steps);
        assert_eq!(read.steps_in(3..5).unwrap(), steps[2..steps.len().min(4)]);
        let imported = store.import(&file, &|_, _| true).unwrap();
        let library = store.read(&imported.id).unwrap();
        let mut keys = BTreeSet::new();
        for step in &steps {
            for side in [Side::Before, Side::After] {
                assert_eq!(read.state(step.id, side).unwrap(), library.state(step.id, side).unwrap());
                keys.extend(state(&read, step.id, side).iter().flat_map(|state| state.as_object().unwrap().keys().cloned()));
            }
        }
        assert!(!keys.is_empty());
        let states = all_states(&read);
        for key in &keys {
            let place = library.place(StepId(1), Side::After, &path(&[key])).unwrap();
            let found = library.changes(&place, &Scope::Everywhere).unwrap();
            for step in steps_where(&states, None, |state| state.get(key).cloned()) {
                let first = state(&read, step, Side::Before).is_none();
                assert!(first || found.contains(&step), "{key} of {} at {step}", file.display());
            }
        }
        let mut recorder = store.resume(&imported.id).unwrap();
        let added = append(&mut recorder, "after", r#"{"said":"after the upgrade"}"#.into());
        drop(recorder);
        let library = store.read(&imported.id).unwrap();
        assert_eq!(library.info().format, inspector_store::FORMAT);
        assert_eq!(library.steps().unwrap().len(), steps.len() + 1);
        let options = SearchOptions { text: "after the upgrade".into(), ..SearchOptions::default() };
        assert_eq!(hits(&library, options), [(added.0, String::new())]);
        for step in &steps {
            assert_eq!(read.state(step.id, Side::After).unwrap(), library.state(step.id, Side::After).unwrap());
        }
    }
    assert!(count >= 3, "{count} files of format 1");
}

#[test]
fn values_along_a_path_are_what_stood_there() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(folder.path()).unwrap();
    let mut recorder = store.create("values", 1.0, "").unwrap();
    let mut todo = Todo::new(12);
    for _ in 0..400 {
        todo.turn();
        append(&mut recorder, "a", todo.json());
    }
    recorder.flush().unwrap();
    let reader = recorder.reader();
    let states = all_states(&reader);
    let last = states.last().and_then(|(_, _, after)| after.clone()).unwrap();
    let id = last["rows"][2]["id"].as_u64().unwrap();
    let place = reader.place(StepId(400), Side::After, &path(&["rows", "2", "done"])).unwrap();
    let changes = reader.changes(&place, &Scope::Everywhere).unwrap();
    let values = reader.values(&place.path(), &changes, LONG).unwrap();
    assert_eq!(values.iter().map(|(step, _)| *step).collect::<Vec<_>>(), changes);
    for (step, value) in values {
        let state = states[step.0 as usize - 1].2.as_ref().unwrap();
        assert_eq!(value.map(|value| serde_json::from_str::<Value>(&value.json).unwrap()), row(id, "done")(state), "{step}");
    }
    // Whoever has no time gets what there was time for.
    assert_eq!(reader.values(&place.path(), &changes, Duration::ZERO).unwrap().len(), 1);
}

#[test]
fn a_search_in_parts_finds_what_one_in_a_go_finds() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(folder.path()).unwrap();
    let mut recorder = store.create("parts", 1.0, "").unwrap();
    let mut todo = Todo::new(12);
    for _ in 0..1_500 {
        todo.turn();
        append(&mut recorder, "a", todo.json());
    }
    let reader = recorder.reader();
    let options = SearchOptions { text: "garden".into(), ..SearchOptions::default() };
    let whole = reader.search(options.clone()).run(LONG).unwrap();
    let (mut parts, mut next, mut asked) = (Vec::new(), Some(StepId(0)), 0);
    while let Some(from) = next {
        let mut search = reader.search_on(options.clone(), from);
        parts.extend(search.run(Duration::ZERO).unwrap());
        next = search.next();
        asked += 1;
    }
    assert!(asked > 3 && !whole.is_empty(), "{asked} parts");
    assert_eq!(parts, whole);
}
