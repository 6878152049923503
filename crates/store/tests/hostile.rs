//! Recording files that somebody made by hand: whatever numbers stand in their keys, every question about them ends.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use common::{Model, Todo};
use inspector_model::{Path as ValuePath, Scope, SearchOptions, Segment, Side, StateAnswer, StepDetail, StepId};
use inspector_store::{NewState, NewStep, Reader, Retention, Store, read_file};

/// No single file below takes a hundredth of it.
const LONG: Duration = Duration::from_secs(20);

fn sample(folder: &Path, steps: usize) -> Vec<u8> {
    let (store, _) = Store::open(folder).unwrap();
    let mut recorder = store.create("sample", 1.0, "1.2.6").unwrap();
    let mut model = Model::default();
    let mut todo = Todo::new(3);
    for _ in 0..steps {
        todo.turn();
        model.append(&mut recorder, Some("a"), None, NewState::Same, NewState::Text(todo.json()), None);
    }
    let file = folder.join("whole.djrec");
    store.export(recorder.id(), &file, &|_, _| true).unwrap();
    std::fs::read(&file).unwrap()
}

fn frame(kind: u8, name: &[u8], value: &[u8]) -> Vec<u8> {
    let mut bytes = vec![kind];
    bytes.extend((name.len() as u16).to_le_bytes());
    bytes.extend((value.len() as u32).to_le_bytes());
    bytes.extend(name);
    bytes.extend(value);
    let sum = crc32fast::hash(&bytes);
    bytes.extend(sum.to_le_bytes());
    bytes
}

/// A packed value with a checksum that is right.
fn packed(raw: &[u8]) -> Vec<u8> {
    let packed = zstd::bulk::compress(raw, 3).unwrap();
    [&crc32fast::hash(&packed).to_le_bytes()[..], &packed].concat()
}

/// Puts frames before the last one, which says that the file ends.
fn with(bytes: &[u8], frames: &[u8]) -> Vec<u8> {
    let end = bytes.len() - 11;
    [&bytes[..end], frames, &bytes[end..]].concat()
}

fn piece(kind: u8, first: u64, number: u32) -> Vec<u8> {
    [&[kind][..], &first.to_be_bytes(), &number.to_be_bytes()].concat()
}

fn ask(reader: &Reader) {
    let path = ValuePath(vec![Segment::Key("rows".into()), Segment::Index(0)]);
    let steps = reader.steps().map_or(0, |steps| steps.len() as u64);
    for step in [0, 1, steps, steps + 1, u64::MAX].map(StepId) {
        let _ = (reader.state(step, Side::After), reader.html(step, Side::Before), reader.detail(step), reader.logged(step));
        if let Ok(place) = reader.place(step, Side::After, &path) {
            let _ = reader.changes(&place, &Scope::Everywhere);
            let _ = reader.last_change_before(&place, &Scope::Everywhere, step);
            let _ = reader.first_change_after(&place, &Scope::Everywhere, step);
        }
    }
    let mut search = reader.search(SearchOptions { text: "tea".into(), most: 100_000, ..SearchOptions::default() });
    while !search.is_done() && search.run(Duration::from_millis(20)).is_ok() {}
    let _ = (reader.thinned(), reader.sessions(), reader.marks());
}

/// Does all that is done with a file, and is an answer before the time is over.
fn assert_ends(what: &str, bytes: Vec<u8>) {
    let (tell, told) = mpsc::sync_channel(1);
    let work = move || {
        let folder = tempfile::tempdir().unwrap();
        let file: PathBuf = folder.path().join("hostile.djrec");
        std::fs::write(&file, bytes).unwrap();
        if let Ok(reader) = read_file(&file) {
            ask(&reader);
        }
        let (store, _) = Store::open(&folder.path().join("library")).unwrap();
        if let Ok(imported) = store.import(&file, &|_, _| true) {
            ask(&store.read(&imported.id).unwrap());
            let _ = store.keep_within(0, &Retention { most_bytes: 0, slow_ms: 1e9 }, &|_, _| true);
            // Whoever asks about the progress so often sees a loop.
            let asked = std::cell::Cell::new(0_u32);
            let _ = store.export(&imported.id, &folder.path().join("again.djrec"), &|_, _| asked.replace(asked.get() + 1) < 10_000);
            assert!(asked.get() < 10_000, "the export goes round in a circle");
            drop(store.resume(&imported.id));
        }
        let _ = tell.send(());
    };
    let worker = std::thread::Builder::new().name("reader".into()).spawn(work).unwrap();
    match told.recv_timeout(LONG) {
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("{what}: it does not end"),
        Ok(()) | Err(mpsc::RecvTimeoutError::Disconnected) => assert!(worker.join().is_ok(), "{what}: it panicked"),
    }
}

#[test]
fn extreme_numbers_in_keys_are_an_answer() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = sample(folder.path(), 300);
    let value = packed(b"anything at all");
    for kind in *b"deil" {
        for first in [0, 1, 257, 1 << 40, u64::MAX] {
            for number in [0, 1, u32::MAX] {
                let frames = frame(b'k', &piece(kind, first, number), &value);
                assert_ends(&format!("{} of {first}, {number}", char::from(kind)), with(&bytes, &frames));
            }
        }
    }
    for kind in *b"tm" {
        for first in [0, 2, 301, u64::MAX] {
            let frames = frame(b'k', &[&[kind][..], &first.to_be_bytes()].concat(), &value);
            assert_ends(&format!("{} of {first}", char::from(kind)), with(&bytes, &frames));
        }
    }
    for number in [0, 1, u32::MAX] {
        assert_ends(&format!("s of {number}"), with(&bytes, &frame(b'k', &[&b"s"[..], &number.to_be_bytes()].concat(), &value)));
        let shell = [&b"x"[..], &[7; 16], &number.to_be_bytes()].concat();
        assert_ends(&format!("x of {number}"), with(&bytes, &frame(b'k', &shell, &value)));
    }
}

/// More segments than steps, one beginning at each step and each reaching over the next ones.
#[test]
fn segments_over_each_other_are_an_answer() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = sample(folder.path(), 40);
    // The stream, no detail, and no texts: the smallest record, so many times as a segment may have.
    let records = [&[8, 0, 0, 0, 0, 0, 0, 0, 0][..], &[6, 0, 0, 0, 0, 0, 0].repeat(5000)].concat();
    let value = packed(&records);
    let frames: Vec<u8> = (2..1500).flat_map(|first| frame(b'k', &piece(b'e', first, 0), &value)).collect();
    assert_ends("segments over each other", with(&bytes, &frames));
}

/// A bad record costs that record, never the timeline.
#[test]
fn a_bad_summary_or_description_costs_that_record() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hostile.djrec");
    let bytes = sample(folder.path(), 40);
    let bad = [
        frame(b'k', b"pbad", &packed(b"{\"session\":7}")),
        frame(b'k', b"pworse", b"not even packed"),
        frame(b'k', b"pgood", &packed(b"{\"session\":\"good\",\"path\":\"/good/\"}")),
        frame(b'k', b"v", &packed(b"7")),
        frame(b'k', b"g", &packed(b"7")),
        frame(b'k', &[&b"m"[..], &3u64.to_be_bytes()].concat(), b"torn"),
    ]
    .concat();
    std::fs::write(&file, with(&bytes, &bad)).unwrap();
    let reader = read_file(&file).unwrap();
    let sessions = reader.sessions().unwrap();
    assert_eq!(sessions.len(), 3);
    assert!(sessions.iter().any(|session| session.path.as_deref() == Some("/good/")));
    for id in ["bad", "worse"] {
        let session = sessions.iter().find(|session| session.id.as_str() == id).unwrap();
        assert!(session.path.as_deref().is_some_and(|path| path.contains("cannot be read")), "{session:?}");
    }
    assert_eq!((reader.server().unwrap(), reader.config().unwrap()), (None, None));
    assert!(reader.marks().unwrap().contains_key(&StepId(3)));
    assert!(reader.damage().is_some_and(|damage| damage.contains("cannot be read")), "{:?}", reader.damage());
    assert_eq!(reader.steps().unwrap().len(), 40);
}

/// The lines of the one piece of summaries, changed.
fn with_lines(bytes: &[u8], change: impl Fn(&mut Vec<String>)) -> Vec<u8> {
    let name = [&b"t"[..], &1u64.to_be_bytes()].concat();
    let at = bytes.windows(name.len()).position(|window| window == name).unwrap() - 7;
    let len = u32::from_le_bytes(bytes[at + 3..at + 7].try_into().unwrap()) as usize;
    let value = &bytes[at + 7 + name.len()..at + 7 + name.len() + len];
    let raw = zstd::decode_all(&value[4..]).unwrap();
    let mut lines: Vec<String> = String::from_utf8(raw).unwrap().lines().map(str::to_owned).collect();
    change(&mut lines);
    let raw = lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect::<String>();
    [&bytes[..at], &frame(b'k', &name, &packed(raw.as_bytes())), &bytes[at + 7 + name.len() + len + 4..]].concat()
}

#[test]
fn a_summary_that_cannot_be_read_stands_in_the_timeline_as_that() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hostile.djrec");
    let bytes = sample(folder.path(), 40);
    let huge = format!(r#"{{"id":9,"kind":"event","name":"{}","started":1.0,"key":"{0}"}}"#, "x".repeat(200_000));
    std::fs::write(
        &file,
        with_lines(&bytes, |lines| {
            lines[4] = r#"{"id":5,"kind":"something new","name":"x","started":1.0}"#.to_owned();
            lines[6] = "not JSON".to_owned();
            lines[7] = lines[6].replace("not", "still not");
            lines[8].clone_from(&huge);
            lines[9] = lines[10].clone();
        }),
    )
    .unwrap();
    let folder = folder.path().join("library");
    let (store, _) = Store::open(&folder).unwrap();
    let imported = store.import(&file, &|_, _| true).unwrap();
    assert_eq!(imported.steps, 40);
    for reader in [read_file(&file).unwrap(), store.read(&imported.id).unwrap()] {
        let steps = reader.steps().unwrap();
        assert!((1..).zip(&steps).all(|(id, step)| step.id == StepId(id)) && steps.len() == 40);
        let unreadable: Vec<u64> = steps
            .iter()
            .filter(|step| step.error.as_deref().is_some_and(|error| error.contains("cannot be read")))
            .map(|step| step.id.0)
            .collect();
        assert_eq!(unreadable, [5, 7, 8, 10]);
        assert!(steps[8].name.len() < 10_000 && steps[8].key.len() < 10_000, "a border is where it is limited");
        assert_eq!(steps[20].name, "add");
        assert_eq!(reader.steps_in(5..9).unwrap(), steps[4..8]);
    }
    // It can be continued.
    drop(store.resume(&imported.id).unwrap());
}

/// The same bytes, cut into keys and values elsewhere, are another recording.
#[test]
fn a_file_of_the_same_bytes_in_other_values_is_another_recording() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = sample(folder.path(), 5);
    let (store, _) = Store::open(&folder.path().join("library")).unwrap();
    let import = |name: &[u8], value: &[u8]| {
        let file = folder.path().join("one.djrec");
        std::fs::write(&file, with(&bytes, &frame(b'k', name, value))).unwrap();
        store.import(&file, &|_, _| true).unwrap().id
    };
    assert_ne!(import(b"pab", b"cdefgh"), import(b"pabcd", b"efgh"));
    assert_eq!(import(b"pab", b"cdefgh"), import(b"pab", b"cdefgh"));
}

/// What a file says of steps that it does not have is not taken for those that come when its recording goes on.
#[test]
fn what_is_said_of_steps_to_come_is_not_theirs() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = sample(folder.path(), 20);
    let file = folder.path().join("hostile.djrec");
    let whole = packed(&[&[22, 0, 0, 0, 0, 0, 3, 13][..], br#"{"planted":1}"#, &[0, 0]].concat());
    let later: Vec<u8> = [22, 25, 4000].iter().flat_map(|first| frame(b'k', &piece(b'e', *first, 0), &whole)).collect();
    let summary = packed(br#"{"id":24,"kind":"event","name":"planted","started":1.0}"#);
    let more = [
        later,
        frame(b'k', &[&b"t"[..], &24u64.to_be_bytes()].concat(), &summary),
        frame(b'k', &[&b"m"[..], &23u64.to_be_bytes()].concat(), &packed(b"planted")),
    ];
    std::fs::write(&file, with(&bytes, &more.concat())).unwrap();
    let (store, _) = Store::open(&folder.path().join("library")).unwrap();
    let id = store.import(&file, &|_, _| true).unwrap().id;
    let mut recorder = store.resume(&id).unwrap();
    let mut appended = Vec::new();
    for n in 21..40 {
        let text: std::sync::Arc<str> = format!("{{\"n\":{n}}}").into();
        let new = NewStep {
            step: common::step(Some("a"), None, n),
            detail: StepDetail::default(),
            before: NewState::None,
            after: NewState::Text(text.clone()),
            html: None,
        };
        appended.push((recorder.append(new).unwrap(), text));
    }
    drop(recorder);
    let reader = store.read(&id).unwrap();
    assert!(reader.marks().unwrap().is_empty());
    assert!(reader.steps().unwrap().iter().all(|step| step.name == "add"));
    for (step, text) in appended {
        assert_eq!(reader.state(step, Side::After).unwrap(), StateAnswer::Full(text), "step {step}");
    }
}
