//! Single operations, with each fault at each place of theirs: they are done, or nothing has happened.

use std::path::Path;

use inspector_model::{RecordingId, Secret, Side, StateAnswer, StepDetail, StepId};
use inspector_store::simulation::{self, Fault};
use inspector_store::{NewState, NewStep, Opening, Recorder, Store, StoreError};

use crate::common;

/// What leaves the process alive.
const ALIVE: [Fault; 4] = [Fault::NoSpace, Fault::Error, Fault::ErrorAfter, Fault::Short];

/// An operation of this crate has no more places.
const MOST_PLACES: u64 = 60;

fn record(recorder: &mut Recorder, steps: usize) {
    for number in 1..=steps {
        let after = NewState::Text(format!("{{\"n\":{number}}}").into());
        let step = common::step(Some("a"), None, number);
        recorder.append(NewStep { step, detail: StepDetail::default(), before: NewState::Same, after, html: None }).unwrap();
    }
}

fn make(folder: &Path, titles: &[&str]) -> (Store, Vec<RecordingId>) {
    let (store, _) = Store::open(folder).unwrap();
    let ids = titles.iter().map(|title| {
        let mut recorder = store.create(title, 1.0, "").unwrap();
        record(&mut recorder, 5);
        recorder.flush().unwrap();
        recorder.id().clone()
    });
    let ids = ids.collect();
    (store, ids)
}

fn is_whole(store: &Store, id: &RecordingId) -> bool {
    let Ok(reader) = store.read(id) else { return false };
    (1..=5).all(|step| reader.state(StepId(step), Side::After).unwrap() == StateAnswer::Full(format!("{{\"n\":{step}}}").into()))
}

/// Does something to a new library once for each fault at each place, then opens what the disk has of it.
fn each_fault(
    passphrase: Option<&str>,
    work: impl Fn(&Store, &[RecordingId], Fault) -> bool,
    check: impl Fn(&Store, &[RecordingId], bool),
) {
    let mut met = 0;
    for fault in ALIVE {
        for place in 0..MOST_PLACES {
            let folder = tempfile::tempdir().unwrap();
            let library = folder.path().join("library");
            simulation::begin(place);
            let (store, ids) = make(&library, &["one", "two"]);
            let old = passphrase.map(Secret::from);
            if old.is_some() {
                store.set_passphrase(None, old.as_ref()).unwrap();
            }
            simulation::arm(Some((place, fault)));
            let is_done = work(&store, &ids, fault);
            let fired = simulation::fired();
            simulation::arm(None);
            check(&store, &ids, is_done);
            drop(store);
            simulation::end();
            if fired.is_none() {
                assert!(is_done);
                break;
            }
            met += 1;
            assert!(place + 1 < MOST_PLACES, "it has more places than are tried");
        }
    }
    assert!(met > 20, "{met} faults");
}

#[test]
fn a_deletion_that_fails_leaves_the_recording_or_takes_all_of_it() {
    each_fault(
        None,
        |store, ids, _| store.delete(&ids[0]).is_ok(),
        |store, ids, is_done| {
            let listed = store.recordings().unwrap().iter().any(|info| info.id == ids[0]);
            assert!(!is_done || !listed);
            // What is in the list can be read.
            assert_eq!(listed, is_whole(store, &ids[0]));
            assert!(is_whole(store, &ids[1]));
            // And so it stays.
            let folder = tempfile::tempdir().unwrap();
            copy(store, folder.path());
            let (copied, report) = Store::open(folder.path()).unwrap();
            assert_eq!(report.missing, []);
            assert_eq!([is_whole(&copied, &ids[0]), is_whole(&copied, &ids[1])], [listed, true]);
        },
    );
}

#[test]
fn what_was_deleted_with_a_fault_can_be_taken_in_again() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file.djrec");
    let (store, ids) = make(&folder.path().join("library"), &["one"]);
    store.export(&ids[0], &file, &|_, _| true).unwrap();
    each_fault(
        None,
        |store, _, _| {
            let id = store.import(&file, &|_, _| true);
            id.is_ok_and(|imported| store.delete(&imported.id).is_ok())
        },
        |store, _, _| {
            if store.trouble().is_some() {
                return;
            }
            let id = store.import(&file, &|_, _| true).unwrap().id;
            assert!(is_whole(store, &id));
            let folder = tempfile::tempdir().unwrap();
            copy(store, folder.path());
            let (copied, report) = Store::open(folder.path()).unwrap();
            assert_eq!(report.missing, []);
            for store in [store, &copied] {
                assert!(store.recordings().unwrap().iter().any(|info| info.id == id), "what was taken in is not in the list");
                assert!(is_whole(store, &id));
            }
        },
    );
}

#[test]
fn a_passphrase_that_could_not_be_changed_is_the_old_one() {
    let (old, new) = (Secret::from("old"), Secret::from("new"));
    for change_to in [Some(&new), None] {
        each_fault(
            Some("old"),
            |store, _, _| store.set_passphrase(Some(&old), change_to).is_ok(),
            |store, ids, is_done| {
                assert!(is_whole(store, &ids[0]) && is_whole(store, &ids[1]));
                // Also a key that is written from now on fits the file.
                let mut recorder = store.create("three", 1.0, "").unwrap();
                record(&mut recorder, 5);
                drop(recorder);
                let folder = tempfile::tempdir().unwrap();
                copy(store, folder.path());
                let passphrase = if is_done { change_to } else { Some(&old) };
                if passphrase.is_some() {
                    assert!(matches!(Store::open(folder.path()), Err(StoreError::PassphraseNeeded { .. })));
                }
                let (copied, report) = Store::open_with(folder.path(), &Opening { passphrase, ..Opening::default() }).unwrap();
                assert_eq!((report.missing.len(), report.set_aside), (0, None));
                let all = copied.recordings().unwrap();
                assert_eq!(all.len(), 3);
                assert!(all.iter().all(|info| is_whole(&copied, &info.id)));
            },
        );
    }
}

/// The files of an open library, as they are on the disk.
fn copy(store: &Store, to: &Path) {
    simulation::write_out(store);
    for (name, bytes) in simulation::files(store) {
        let path = to.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
}

#[test]
fn a_mark_is_not_on_the_disk_before_its_step() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(&folder.path().join("library")).unwrap();
    let mut recorder = store.create("marked", 1.0, "").unwrap();
    record(&mut recorder, 5);
    store.mark(recorder.id(), StepId(4), Some("look")).unwrap();
    let killed = tempfile::tempdir().unwrap();
    copy(&store, killed.path());
    let (copied, _) = Store::open(killed.path()).unwrap();
    let reader = copied.read(recorder.id()).unwrap();
    assert!(reader.marks().unwrap().contains_key(&StepId(4)));
    assert!(is_whole(&copied, recorder.id()), "a mark of a step that is not there");
}
