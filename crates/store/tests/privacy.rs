//! What others can read of a library, of a deleted recording, and of an encrypted one.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use inspector_model::{LogRecord, PageShell, RecordingId, Secret, Session, Side, StateAnswer, Step, StepDetail, StepId};
use inspector_store::{NewState, NewStep, OpenReport, Opening, Store, StoreError};

/// Stands in everything that is recorded.
const MARKER: &str = "marker-7c1f2a90";

/// Set for the process that a test starts again as its own child.
const CHILD: &str = "INSPECTOR_STORE_TEST_FOLDER";

fn child_folder() -> Option<PathBuf> {
    std::env::var_os(CHILD).map(PathBuf::from)
}

/// Records a little with the marker at all places.
fn record(store: &Store, steps: u64) -> RecordingId {
    let mut recorder = store.create(&format!("title {MARKER}"), 1.0, "").unwrap();
    let session: Session = serde_json::from_value(serde_json::json!({"session": "page-1", "path": format!("/{MARKER}")})).unwrap();
    recorder.put_session(&session);
    recorder.put_shell(&session.id, &PageShell { before: format!("<title>{MARKER}</title>"), ..PageShell::default() });
    for number in 1..=steps {
        let step = Step { name: MARKER.into(), ..common::step(Some("page-1"), None, number as usize) };
        let detail = StepDetail {
            params: Some(format!("{{\"{MARKER}\":{number}}}")),
            logs: vec![LogRecord { message: MARKER.into(), ..LogRecord::default() }],
            ..StepDetail::default()
        };
        let after = NewState::Text(format!("{{\"n\":{number},\"text\":\"{MARKER}\"}}").into());
        let html = Some(format!("<p>{number} {MARKER}</p>").into());
        recorder.append(NewStep { step, detail, before: NewState::Same, after, html }).unwrap();
        if number.is_multiple_of(5) {
            recorder.flush().unwrap();
        }
    }
    let id = recorder.id().clone();
    drop(recorder);
    store.mark(&id, StepId(1), Some(MARKER)).unwrap();
    id
}

/// All files in a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { all.extend(files(&path)) } else { all.push(path) }
    }
    all
}

/// Whether the bytes hold the marker, as they are or in what they have compressed.
fn holds(bytes: &[u8]) -> bool {
    let found = |bytes: &[u8]| memchr::memmem::find(bytes, MARKER.as_bytes()).is_some();
    found(bytes)
        || memchr::memmem::find_iter(bytes, b"\x28\xb5\x2f\xfd").any(|at| {
            let mut raw = Vec::new();
            // As far as it goes.
            let _ = zstd::stream::copy_decode(&bytes[at..], &mut raw);
            found(&raw)
        })
}

fn holding(folder: &Path) -> Vec<PathBuf> {
    files(folder).into_iter().filter(|path| holds(&fs::read(path).unwrap())).collect()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}

fn state(store: &Store, id: &RecordingId, step: u64) -> String {
    match store.read(id).unwrap().state(StepId(step), Side::After).unwrap() {
        StateAnswer::Full(text) => text.to_string(),
        StateAnswer::Missing(why) => why,
    }
}

fn open(folder: &Path, passphrase: &str) -> Result<(Store, OpenReport), StoreError> {
    Store::open_with(folder, &Opening { passphrase: Some(&Secret::from(passphrase)), ..Opening::default() })
}

#[test]
fn the_search_finds_a_marker_in_a_file_in_plain_and_compressed() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(folder.path()).unwrap();
    let id = record(&store, 40);
    let file = folder.path().join("shared.djrec");
    store.export(&id, &file, &|_, _| true).unwrap();
    assert_eq!(holding(folder.path()), [file], "and the library has it nowhere");
    assert!(holds(&zstd::bulk::compress(format!("{MARKER} {MARKER}").as_bytes(), 3).unwrap()));
}

#[test]
fn a_deleted_recording_is_in_no_file_and_cannot_be_had_from_old_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let (lib, thief) = (folder.path().join("lib"), folder.path().join("thief"));
    let (store, _) = Store::open(&lib).unwrap();
    let (id, other) = (record(&store, 40), record(&store, 12));
    drop(store);
    // As if sled kept every byte for ever.
    copy(&lib, &thief);
    let (copied, _) = Store::open(&thief).unwrap();
    assert!(state(&copied, &id, 40).contains(MARKER), "until then it is there");
    drop(copied);

    let (store, _) = Store::open(&lib).unwrap();
    store.delete(&id).unwrap();
    assert!(matches!(store.read(&id), Err(StoreError::NotFound { .. })));
    assert!(matches!(store.delete(&id), Err(StoreError::NotFound { .. })));
    assert!(state(&store, &other, 12).contains(MARKER), "the others stay");
    drop(store);
    assert_eq!(holding(&lib), [] as [PathBuf; 0]);

    fs::copy(lib.join("library/keys"), thief.join("library/keys")).unwrap();
    let (copied, _) = Store::open(&thief).unwrap();
    let ids: Vec<_> = copied.recordings().unwrap().into_iter().map(|info| info.id).collect();
    assert_eq!(ids, [other]);
    assert!(copied.read(&id).is_err());
    assert!(holding(&thief).is_empty());
}

#[test]
fn a_recording_is_deleted_or_whole_wherever_it_is_killed() {
    const TEST: &str = "a_recording_is_deleted_or_whole_wherever_it_is_killed";
    if let Some(folder) = child_folder() {
        return delete_until_killed(&folder);
    }
    let folder = tempfile::tempdir().unwrap();
    let mut left_overs = 0;
    for round in 0..12u64 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", TEST, "--nocapture"])
            .env(CHILD, folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut seen = 0;
        while seen <= round % 4 {
            seen += u64::from(lines.next().expect("the child ended by itself").unwrap().starts_with("deleting"));
        }
        // A little later each time.
        let until = std::time::Instant::now() + std::time::Duration::from_micros(300 * round * round);
        while std::time::Instant::now() < until {
            std::hint::spin_loop();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let deleted: Vec<String> =
            lines.map_while(Result::ok).filter_map(|line| line.strip_prefix("deleted ").map(str::to_owned)).collect();

        let (store, report) = Store::open(folder.path()).unwrap();
        assert_eq!(report, OpenReport::default());
        for info in store.recordings().unwrap() {
            assert!(!deleted.contains(&info.id.to_string()), "{} is there again", info.id);
            assert_eq!(store.read(&info.id).unwrap().steps().unwrap().len() as u64, info.steps);
            for step in 1..=info.steps {
                assert!(state(&store, &info.id, step).contains(MARKER), "round {round}: step {step} of {}", info.id);
            }
            left_overs += 1;
            store.delete(&info.id).unwrap();
        }
        drop(store);
        assert!(holding(folder.path()).is_empty());
    }
    assert!(left_overs > 0, "no kill came before a deletion was over");
}

/// The child: makes recordings and deletes them until it is killed.
#[expect(clippy::print_stdout, reason = "it is how the parent hears of it")]
fn delete_until_killed(folder: &Path) {
    let (store, _) = Store::open(folder).unwrap();
    loop {
        let ids = [record(&store, 30), record(&store, 3)];
        for id in ids {
            println!("\ndeleting {id}");
            store.delete(&id).unwrap();
            println!("\ndeleted {id}");
        }
    }
}

#[test]
fn an_encrypted_library_tells_nothing_and_opens_with_its_passphrase_only() {
    let folder = tempfile::tempdir().unwrap();
    let (lib, before, meanwhile) = (folder.path().join("lib"), folder.path().join("before"), folder.path().join("meanwhile"));
    let (store, _) = Store::open(&lib).unwrap();
    let id = record(&store, 40);
    assert!(!Store::is_encrypted(&lib).unwrap());
    copy(&lib, &before);
    store.set_passphrase(None, Some(&"correct horse".into())).unwrap();
    assert!(store.has_passphrase() && Store::is_encrypted(&lib).unwrap());
    let later = record(&store, 12);
    copy(&lib, &meanwhile);
    drop(store);

    for folder in [&lib, &meanwhile] {
        assert!(holding(folder).is_empty());
        assert!(matches!(Store::open(folder), Err(StoreError::PassphraseNeeded { .. })));
        assert!(matches!(open(folder, "battery staple"), Err(StoreError::WrongPassphrase { .. })));
    }
    // The keys of before open nothing that came later, and what came later does not lie in a file of before.
    fs::copy(before.join("library/keys"), meanwhile.join("library/keys")).unwrap();
    let (thief, _) = Store::open(&meanwhile).unwrap();
    assert!(thief.read(&later).is_err());
    drop(thief);

    let (store, report) = open(&lib, "correct horse").unwrap();
    assert_eq!(report, OpenReport::default());
    assert!(state(&store, &id, 40).contains(MARKER) && state(&store, &later, 12).contains(MARKER));
    let wrong = store.set_passphrase(Some(&"wrong".into()), Some(&"other".into()));
    assert!(matches!(wrong, Err(StoreError::WrongPassphrase { .. })));
    store.set_passphrase(Some(&"correct horse".into()), Some(&"other".into())).unwrap();
    store.delete(&later).unwrap();
    drop(store);
    assert!(matches!(open(&lib, "correct horse"), Err(StoreError::WrongPassphrase { .. })));
    let (store, _) = open(&lib, "other").unwrap();
    store.set_passphrase(Some(&"other".into()), None).unwrap();
    drop(store);
    let (store, _) = Store::open(&lib).unwrap();
    assert!(state(&store, &id, 40).contains(MARKER));
}

#[test]
fn a_changed_value_is_damage_and_the_rest_stays_readable() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(folder.path()).unwrap();
    store.set_passphrase(None, Some(&"a".into())).unwrap();
    let (id, other) = (record(&store, 600), record(&store, 5));
    drop(store);
    // Changed so that sled does not notice.
    let db = sled::open(folder.path().join("library")).unwrap();
    let segments: Vec<_> = db.scan_prefix([b"r/", id.as_str().as_bytes(), b"/e"].concat()).keys().map(Result::unwrap).collect();
    assert!(segments.len() >= 3);
    let mut value = db.get(&segments[0]).unwrap().unwrap().to_vec();
    value[100] ^= 4;
    db.insert(&segments[0], value).unwrap();
    // One in another's place.
    let swapped = db.get(&segments[1]).unwrap().unwrap();
    db.insert(segments.last().unwrap(), swapped).unwrap();
    db.flush().unwrap();
    drop(db);

    let (store, _) = open(folder.path(), "a").unwrap();
    let reader = store.read(&id).unwrap();
    assert_eq!(reader.steps().unwrap().len(), 600);
    for step in [1, 600] {
        assert!(matches!(reader.state(StepId(step), Side::After), Err(StoreError::Damaged { .. })), "step {step}");
    }
    assert!(state(&store, &id, 300).contains(MARKER) && state(&store, &other, 5).contains(MARKER));
}

#[test]
fn old_recordings_expire_unless_somebody_wants_them() {
    const DAY: f64 = 86_400.0;
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(folder.path()).unwrap();
    let make = |days: f64| {
        let mut recorder = store.create("", 1.0, "").unwrap();
        let mut step = common::step(None, None, 1);
        step.started = days * DAY;
        recorder
            .append(NewStep { step, detail: StepDetail::default(), before: NewState::None, after: NewState::None, html: None })
            .unwrap();
        recorder.flush().unwrap();
        recorder
    };
    let [old, kept, marked, in_use, young] = [10.0, 10.0, 10.0, 10.0, 99.5].map(|days| make(days).id().clone());
    let live = make(10.0);
    store.set_kept(&kept, true).unwrap();
    store.mark(&marked, StepId(1), Some("")).unwrap();
    let expire = |days| {
        let gone = store.expire(days, 100.0 * DAY, &|id| *id == in_use, &|_, _| true).unwrap();
        gone.into_iter().map(|info| info.id).collect::<Vec<_>>()
    };
    assert_eq!(expire(0), []);
    assert_eq!(expire(91), []);
    assert_eq!(expire(30), std::slice::from_ref(&old));
    assert!(store.read(&old).is_err());
    for id in [&kept, &marked, &in_use, &young, live.id()] {
        assert!(store.read(id).is_ok());
    }
    drop(live);
    store.set_kept(&kept, false).unwrap();
    assert_eq!(expire(30).len(), 2, "what was recorded and what was kept");
}

#[test]
fn a_library_without_its_keys_is_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(folder.path()).unwrap();
    let id = record(&store, 5);
    drop(store);
    let (keys, away) = (folder.path().join("library/keys"), folder.path().join("away"));
    fs::rename(&keys, &away).unwrap();
    for _ in 0..2 {
        assert!(matches!(Store::open(folder.path()), Err(StoreError::KeysDamaged { .. })));
    }
    fs::rename(&away, &keys).unwrap();
    let (store, report) = Store::open(folder.path()).unwrap();
    assert_eq!(report, OpenReport::default());
    assert!(state(&store, &id, 5).contains(MARKER));
}

#[cfg(unix)]
mod modes {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn mode(path: &Path) -> u32 {
        path.symlink_metadata().unwrap().permissions().mode() & 0o777
    }

    fn all_private(folder: &Path) {
        assert_eq!(mode(folder), 0o700, "{}", folder.display());
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { all_private(&path) } else { assert_eq!(mode(&path), 0o600, "{}", path.display()) }
        }
    }

    #[test]
    fn every_file_of_a_library_is_its_owners_whatever_the_umask() {
        const TEST: &str = "modes::every_file_of_a_library_is_its_owners_whatever_the_umask";
        if let Some(folder) = child_folder() {
            let (store, report) = Store::open(&folder.join("lib")).unwrap();
            assert_eq!(report, OpenReport::default());
            let id = record(&store, 700);
            store.export(&id, &folder.join("lib").join("library-export.djrec"), &|_, _| true).unwrap();
            store.delete(&record(&store, 20)).unwrap();
            store.set_passphrase(None, Some(&"a".into())).unwrap();
            store.set_passphrase(Some(&"a".into()), None).unwrap();
            // As it is while it is used.
            return all_private(&folder.join("lib"));
        }
        let folder = tempfile::tempdir().unwrap();
        let child = Command::new("sh")
            .args(["-c", "umask 000; exec \"$0\" --exact \"$1\""])
            .arg(std::env::current_exe().unwrap())
            .arg(TEST)
            .env(CHILD, folder.path())
            .output()
            .unwrap();
        assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stdout));
        let lib = folder.path().join("lib");
        drop(Store::open(&lib).unwrap());
        all_private(&lib);
    }

    #[test]
    fn a_library_that_others_could_read_is_mended_and_it_is_told_once() {
        fn widen(path: &Path) {
            let wide = if path.is_dir() { 0o755 } else { 0o644 };
            fs::set_permissions(path, fs::Permissions::from_mode(wide)).unwrap();
            if path.is_dir() {
                for entry in fs::read_dir(path).unwrap() {
                    widen(&entry.unwrap().path());
                }
            }
        }
        let folder = tempfile::tempdir().unwrap();
        let lib = folder.path().join("lib");
        let (store, _) = Store::open(&lib).unwrap();
        let id = record(&store, 5);
        drop(store);
        widen(&lib);
        let (store, report) = Store::open(&lib).unwrap();
        assert!(report.made_private);
        all_private(&lib);
        assert!(state(&store, &id, 5).contains(MARKER));
        drop(store);
        assert!(!Store::open(&lib).unwrap().1.made_private);

        // A folder with other things in it is the user's; what is in it of ours is not for others.
        let shared = folder.path().join("shared");
        fs::create_dir(&shared).unwrap();
        fs::set_permissions(&shared, fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(shared.join("notes.txt"), "").unwrap();
        drop(Store::open(&shared).unwrap());
        assert_eq!(mode(&shared), 0o755);
        all_private(&shared.join("library"));
    }
}
