//! Whatever is recorded is read back exactly: while it grows, after a restart, and from a file.

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::{Model, Todo};
use inspector_model::{Cause, Configuration, ServerInfo, Session, Side, StateAnswer, Step, StepDetail, StepId, StepKind, Suspect};
use inspector_store::{NewState, NewStep, Store, StoreError, read_file};
use inspector_tape::{Document, compare};
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Action {
    Append { stream: usize, before: u8, after: u8, html: u8, edit: u32 },
    Flush,
    Restart,
    Read(u32),
}

fn actions(most: usize) -> impl Strategy<Value = Vec<Action>> {
    let append = (0usize..5, 0u8..8, 0u8..8, 0u8..6, any::<u32>()).prop_map(|(stream, before, after, html, edit)| Action::Append {
        stream,
        before,
        after,
        html,
        edit,
    });
    proptest::collection::vec(
        prop_oneof![40 => append, 1 => Just(Action::Flush), 1 => Just(Action::Restart), 4 => any::<u32>().prop_map(Action::Read)],
        1..most,
    )
}

/// Texts that grow, shrink, and share much with the one before.
fn edited(text: &mut String, edit: u32) -> Arc<str> {
    let mut places = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect::<Vec<_>>();
    let at = places.swap_remove(edit as usize % places.len());
    match edit % 5 {
        0 => text.insert_str(at, &"row é, ".repeat(1 + edit as usize % 40)),
        1 if text.len() > 2_000 => text.truncate(at),
        2 => *text = format!("{}{}", &text[at..], &text[..at]),
        _ => text.insert_str(at, &edit.to_string()),
    }
    text.as_str().into()
}

const STREAMS: [(Option<&str>, Option<&str>); 5] =
    [(Some("a"), None), (Some("a"), Some("child")), (Some("b"), None), (None, None), (Some("b"), Some("child"))];

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn everything_is_read_back(actions in actions(900)) {
        let folder = tempfile::tempdir().unwrap();
        let (mut store, _) = Store::open(folder.path()).unwrap();
        let mut recorder = store.create("sample", 1.0, "1.2.6").unwrap();
        let id = recorder.id().clone();
        let mut model = Model::default();
        let (mut todo, mut last) = (Todo::new(3), None);
        let (mut text, mut page) = (String::from("{}"), String::from("<p>"));
        for action in actions {
            match action {
                Action::Append { stream, before, after, html, edit } => {
                    let mut state = |sort: u8| match sort {
                        0 => NewState::None,
                        1 => NewState::Missing("not seen".into()),
                        2..5 => NewState::Same,
                        5 => NewState::Text(edited(&mut text, edit)),
                        sort => {
                            todo.turn();
                            let document = Arc::new(Document::new(todo.json()).unwrap());
                            // Mostly not what the view had before: the recorder finds that out.
                            let delta = compare(last.as_ref().unwrap_or(&document), &document, Duration::from_secs(1));
                            last = Some(document.clone());
                            if sort == 6 { NewState::Document(document) } else { NewState::Compared(Arc::new(delta)) }
                        }
                    };
                    let (before, after) = (state(before), state(after));
                    let html = (html == 0).then(|| edited(&mut page, edit));
                    let (session, view) = STREAMS[stream];
                    model.append(&mut recorder, session, view, before, after, html);
                }
                Action::Flush => recorder.flush().unwrap(),
                Action::Restart => {
                    drop(recorder);
                    drop(store);
                    store = Store::open(folder.path()).unwrap().0;
                    recorder = store.resume(&id).unwrap();
                    prop_assert_eq!(recorder.known_keys().count(), model.steps.len());
                }
                Action::Read(which) if !model.steps.is_empty() => {
                    let live = if which % 2 == 0 { recorder.reader() } else { store.read(&id).unwrap() };
                    model.check(&live, which as usize % model.steps.len());
                    prop_assert_eq!(live.steps().unwrap().len(), model.steps.len());
                }
                Action::Read(_) => {}
            }
        }
        model.check_all(&recorder.reader(), model.steps.len());
        let old = recorder.reader();
        drop(recorder);
        model.check_all(&old, model.steps.len());
        model.check_all(&store.read(&id).unwrap(), model.steps.len());

        let file = folder.path().join("sample.djrec");
        prop_assert_eq!(store.export(&id, &file, &|_, _| true).unwrap(), std::fs::metadata(&file).unwrap().len());
        let read = read_file(&file).unwrap();
        prop_assert_eq!(read.damage(), None);
        model.check_all(&read, model.steps.len());
        let imported = store.import(&file, &|_, _| true).unwrap();
        prop_assert_eq!(store.import(&file, &|_, _| true).unwrap(), imported.clone());
        model.check_all(&store.read(&imported.id).unwrap(), model.steps.len());
        prop_assert_eq!(store.recordings().unwrap().len(), 2);
        // An imported recording can be continued like any other.
        let mut more = store.resume(&imported.id).unwrap();
        model.append(&mut more, Some("a"), None, NewState::Same, NewState::Text("{}".into()), None);
        model.check_all(&more.reader(), model.steps.len());
    }
}

#[test]
fn large_states_cross_pieces_and_segments() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(folder.path()).unwrap();
    let mut recorder = store.create("large", 1.0, "").unwrap();
    let mut model = Model::default();
    let mut todo = Todo::new(700);
    for _ in 0..600 {
        todo.turn();
        model.append(&mut recorder, Some("a"), None, NewState::Same, NewState::Text(todo.json()), Some(todo.json()));
    }
    model.check_all(&recorder.reader(), 600);
    recorder.flush().unwrap();
    let stats = recorder.stats();
    assert_eq!(stats.steps, 600);
    assert!(stats.bytes < 600 * 2_000, "{} bytes", stats.bytes);
    let id = recorder.id().clone();
    drop(recorder);
    model.check_all(&store.read(&id).unwrap(), 600);
}

/// So large that some are told as what differs from the first of their segment.
#[test]
fn states_of_half_a_megabyte_are_read_back_from_anywhere() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(folder.path()).unwrap();
    let mut recorder = store.create("half a megabyte", 1.0, "").unwrap();
    let mut model = Model::default();
    let mut todo = Todo::new(1_400);
    for _ in 0..400 {
        todo.turn();
        model.append(&mut recorder, Some("a"), None, NewState::Same, NewState::Text(todo.json()), None);
    }
    assert!(todo.json().len() > 450_000);
    let id = recorder.id().clone();
    for index in [399, 5, 70, 64, 63, 200, 199, 255, 256, 300] {
        model.check(&recorder.reader(), index);
    }
    drop(recorder);
    let reader = store.read(&id).unwrap();
    for index in (0..400).rev().step_by(3).chain((0..400).step_by(7)) {
        model.check(&reader, index);
    }
    let mut cursor = reader.cursor();
    for index in 0..400 {
        let step = StepId(index + 1);
        assert!(cursor.state(step, Side::After).unwrap() == reader.state(step, Side::After).unwrap());
    }
}

/// More text than the recorder holds: it has to read its own past back.
#[test]
fn many_large_pages_do_not_stay_in_memory_and_are_not_lost() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(folder.path()).unwrap();
    let mut recorder = store.create("many", 1.0, "").unwrap();
    let mut model = Model::default();
    let large = "x".repeat(3 << 20);
    for round in 0..3 {
        for session in 0..30 {
            let name = format!("s{session}");
            let after = if round == 1 { NewState::Same } else { NewState::Text(format!("{round} {session} {large}").into()) };
            model.append(&mut recorder, Some(&name), None, NewState::Same, after, (round == 0).then(|| format!("<p>{session}").into()));
        }
    }
    model.check_all(&recorder.reader(), 90);
}

#[test]
fn pages_servers_and_configurations_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(folder.path()).unwrap();
    let mut recorder = store.create("first title", 5.0, "").unwrap();
    let id = recorder.id().clone();
    let session: Session = serde_json::from_str(r#"{"session":"s1","path":"/cart","opened":3.0}"#).unwrap();
    let server = ServerInfo { djust: "1.2.6".into(), ..ServerInfo::default() };
    recorder.put_session(&session);
    recorder.put_server(&server);
    recorder.put_config(&Configuration::default());
    recorder.set_title("second title");
    let check = |reader: &inspector_store::Reader| {
        assert_eq!(reader.sessions().unwrap(), std::slice::from_ref(&session));
        assert_eq!(reader.server().unwrap().as_ref(), Some(&server));
        assert_eq!(reader.config().unwrap(), Some(Configuration::default()));
        let info = reader.info();
        assert_eq!((info.title.as_str(), info.djust.as_str(), info.sessions), ("second title", "1.2.6", 1));
    };
    check(&recorder.reader());
    assert!(store.recordings().unwrap()[0].recording);
    assert!(matches!(store.resume(&id), Err(StoreError::Busy { .. })));
    assert!(matches!(store.delete(&id), Err(StoreError::Busy { .. })));
    drop(recorder);
    check(&store.read(&id).unwrap());
    assert!(!store.recordings().unwrap()[0].recording);

    let newer = store.create("newer", 6.0, "").unwrap();
    assert_eq!(store.recordings().unwrap()[0].id, *newer.id());
    store.delete(&id).unwrap();
    assert!(matches!(store.read(&id), Err(StoreError::NotFound { .. })));
    assert_eq!(store.recordings().unwrap().len(), 1);
    assert!(matches!(newer.reader().detail(StepId(1)), Err(StoreError::NotFound { .. })));
}

/// A page that goes and comes back within one segment: what is told as a splice of its first state is one of that state.
#[test]
fn large_states_of_a_page_that_comes_back_are_read_back() {
    for first_rows in [1, 700] {
        let folder = tempfile::tempdir().unwrap();
        let (store, _) = Store::open(folder.path()).unwrap();
        let mut recorder = store.create("back", 1.0, "").unwrap();
        let mut model = Model::default();
        let page = |phase: &str| serde_json::from_str::<Session>(&format!(r#"{{"session":"a","phase":"{phase}"}}"#)).unwrap();
        let append = |model: &mut Model, recorder: &mut inspector_store::Recorder, todo: &mut Todo| {
            todo.turn();
            model.append(recorder, Some("a"), None, NewState::None, NewState::Text(todo.json()), None);
        };
        let mut todo = Todo::new(first_rows);
        for _ in 0..3 {
            append(&mut model, &mut recorder, &mut todo);
        }
        recorder.put_session(&page("closed"));
        recorder.put_session(&page("mounted"));
        let mut todo = Todo::new(900);
        for _ in 0..190 {
            append(&mut model, &mut recorder, &mut todo);
        }
        model.check_all(&recorder.reader(), 193);
        recorder.flush().unwrap();
        let id = recorder.id().clone();
        drop(recorder);
        model.check_all(&store.read(&id).unwrap(), 193);
    }
}

/// One step with texts that no summary can hold does not hide the others.
#[test]
fn a_step_of_huge_texts_stands_in_the_timeline_cut() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(folder.path()).unwrap();
    let mut recorder = store.create("huge", 1.0, "").unwrap();
    let huge = "\u{1}é".repeat(6 << 20);
    let suspect = Suspect { names: vec![huge[..999_999].to_owned(); 5], what: Some(huge.clone()), ..Suspect::default() };
    let causes =
        [Cause::Lost { dropped: None, why: huge.clone() }, Cause::Outside { suspects: vec![suspect] }, Cause::Started { by: huge.clone() }];
    for cause in causes {
        let step = Step {
            key: huge.clone(),
            session: Some(huge.as_str().into()),
            view: Some(huge.as_str().into()),
            hits: vec![huge[..999_999].to_owned(); 5],
            cause: Some(cause),
            ..Step::new(StepKind::Event, "small", 1.0)
        };
        let after = NewState::Text("{}".into());
        let new = NewStep { step, detail: StepDetail::default(), before: NewState::Missing(huge.clone()), after, html: None };
        recorder.append(new).unwrap();
    }
    for n in 0..3 {
        let new = NewStep {
            step: common::step(None, None, n),
            detail: StepDetail::default(),
            before: NewState::None,
            after: NewState::None,
            html: None,
        };
        recorder.append(new).unwrap();
    }
    let check = |reader: &inspector_store::Reader| {
        let steps = reader.steps().unwrap();
        assert_eq!(steps.len(), 6);
        for step in &steps[..3] {
            assert!(serde_json::to_vec(step).unwrap().len() < 60_000 && step.key.ends_with("bytes]") && step.name == "small");
            assert_eq!(reader.state(step.id, Side::After).unwrap(), StateAnswer::Full("{}".into()));
            assert!(matches!(reader.state(step.id, Side::Before).unwrap(), StateAnswer::Missing(why) if why.len() < 5_000));
        }
    };
    check(&recorder.reader());
    let id = recorder.id().clone();
    drop(recorder);
    check(&store.read(&id).unwrap());
    let file = folder.path().join("huge.djrec");
    store.export(&id, &file, &|_, _| true).unwrap();
    check(&read_file(&file).unwrap());
}

/// Pages that are large are not rebuilt from far away: a segment ends after so many bytes of them.
#[test]
fn many_renders_of_a_large_page_are_cut_into_segments() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(folder.path()).unwrap();
    let mut recorder = store.create("pages", 1.0, "").unwrap();
    let mut model = Model::default();
    let large = "<p>row</p>".repeat(400_000);
    for n in 0..150 {
        model.append(&mut recorder, Some("a"), None, NewState::None, NewState::None, Some(format!("<h1>{n}</h1>{large}").into()));
    }
    let id = recorder.id().clone();
    drop(recorder);
    let file = folder.path().join("pages.djrec");
    store.export(&id, &file, &|_, _| true).unwrap();
    let bytes = std::fs::read(&file).unwrap();
    let segments = bytes.windows(13).filter(|name| name[0] == b'e' && name[1..7] == [0; 6] && name[9..] == [0; 4]).count();
    assert_eq!(segments, 3, "600 MB of pages");
    for index in [0, 64, 149] {
        model.check(&store.read(&id).unwrap(), index);
    }
}
