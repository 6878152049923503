//! The library under bad conditions: killed, locked, damaged, and on a full disk.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use common::Todo;
use inspector_model::{Side, StateAnswer, StepDetail, StepId};
use inspector_store::{NewState, NewStep, OpenReport, ReadOnly, Store, StoreError};

/// Set for the process that a test starts again as its own child.
const CHILD: &str = "INSPECTOR_STORE_TEST_FOLDER";

fn again(test: &str, folder: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture"]).env(CHILD, folder);
    command
}

fn child_folder() -> Option<PathBuf> {
    std::env::var_os(CHILD).map(PathBuf::from)
}

/// The child: records until it is killed, and tells after each flush how far it came.
#[expect(clippy::print_stdout, reason = "it is how the parent hears of it")]
fn record_until_killed(folder: &Path) {
    let (store, report) = Store::open(folder).unwrap();
    assert_eq!(report.set_aside, None);
    let mut recorder = match store.recordings().unwrap().first() {
        Some(info) => store.resume(&info.id).unwrap(),
        None => store.create("killed", 1.0, "").unwrap(),
    };
    loop {
        for _ in 0..23 {
            let number = recorder.stats().steps + 1;
            let state = NewState::Text(format!("{{\"count\": {number}, \"pad\": \"{}\"}}", "x".repeat((number % 977) as usize)).into());
            let step = common::step(Some("a"), None, number as usize);
            recorder.append(NewStep { step, detail: StepDetail::default(), before: NewState::Same, after: state, html: None }).unwrap();
        }
        recorder.flush().unwrap();
        println!("\nflushed {}", recorder.stats().steps);
    }
}

#[test]
fn what_was_flushed_survives_kill_nine() {
    if let Some(folder) = child_folder() {
        return record_until_killed(&folder);
    }
    let folder = tempfile::tempdir().unwrap();
    let mut known = 0;
    for round in 0..14u32 {
        let mut child = again("what_was_flushed_survives_kill_nine", folder.path()).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut flushed = 0;
        let mut seen = 0;
        // Another number of flushes each time, so that the kill comes at another place.
        while seen < 1 + round * round % 17 {
            let line = lines.next().expect("the child ended by itself").unwrap();
            if let Some(number) = line.strip_prefix("flushed ") {
                flushed = number.parse().unwrap();
                seen += 1;
            }
        }
        child.kill().unwrap();
        child.wait().unwrap();
        // What it still said before it died counts too.
        flushed = lines.map_while(Result::ok).filter_map(|line| line.strip_prefix("flushed ")?.parse().ok()).last().unwrap_or(flushed);
        assert!(flushed > known);

        let (store, report) = Store::open(folder.path()).unwrap();
        assert_eq!(report, OpenReport::default());
        let info = store.recordings().unwrap().remove(0);
        assert!(info.steps >= flushed, "round {round}: {} of {flushed} flushed steps", info.steps);
        let reader = store.read(&info.id).unwrap();
        assert_eq!(reader.steps().unwrap().len() as u64, info.steps);
        for id in (1..=info.steps).step_by(7).chain([info.steps]) {
            let StateAnswer::Full(text) = reader.state(StepId(id), Side::After).unwrap() else { panic!("step {id} has no state") };
            assert!(text.starts_with(&format!("{{\"count\": {id},")));
        }
        known = flushed;
    }
}

#[test]
fn a_library_that_is_open_is_locked() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(folder.path()).unwrap();
    let Err(error) = Store::open(folder.path()) else { panic!("opened twice") };
    assert!(error.to_string().starts_with(&format!("another inspector (process {}) has the library open", std::process::id())), "{error}");
    assert!(store.create("still usable", 1.0, "").is_ok());
}

#[test]
fn a_damaged_library_is_set_aside_and_a_new_one_made() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(folder.path()).unwrap();
    drop(store.create("lost", 1.0, "").unwrap());
    drop(store);
    let library = folder.path().join("library");
    let mut before = HashMap::new();
    for name in ["conf", "db"] {
        let len = std::fs::read(library.join(name)).unwrap().len();
        let noise: Vec<u8> = (0..len.max(4096)).map(|at| (at * 31 % 251) as u8).collect();
        std::fs::write(library.join(name), &noise).unwrap();
        before.insert(name, noise);
    }
    let (store, report) = Store::open(folder.path()).unwrap();
    let aside = report.set_aside.expect("it was not found out");
    assert_eq!(std::fs::read(aside.join("conf")).unwrap(), before["conf"]);
    assert!(store.recordings().unwrap().is_empty());
    let mut recorder = store.create("new", 1.0, "").unwrap();
    recorder.flush().unwrap();
}

const FULL: &str = "a_full_disk_stops_recording_and_loses_nothing";

/// Which part of the test a process plays.
const PART: &str = "INSPECTOR_STORE_TEST_PART";

fn record_until_full(folder: &Path) {
    let (store, report) = Store::open(folder).unwrap();
    assert_eq!(report.read_only, None);
    let mut recorder = store.create("full", 1.0, "").unwrap();
    let mut todo = Todo::new(1);
    let mut flushed = 0;
    let error = loop {
        // Letters that do not compress.
        let noise: String = (0..200_000).map(|_| char::from(b'0' + todo.random(75) as u8)).collect();
        let step = common::step(Some("a"), None, flushed as usize + 1);
        let state = NewState::Text(noise.into());
        // Appending fails only where a segment ends; the flush is where it is to be expected.
        if let Err(error) =
            recorder.append(NewStep { step, detail: StepDetail::default(), before: NewState::None, after: state, html: None })
        {
            break error;
        }
        if let Err(error) = recorder.flush() {
            break error;
        }
        flushed = recorder.stats().steps;
        assert!(flushed < 1_000, "40 MB hold no more");
    };
    assert!(matches!(error, StoreError::Full { .. }), "{error}");
    assert!(flushed > 20, "{flushed} steps");
    let step = common::step(Some("a"), None, 0);
    let state = NewState::Text("{}".into());
    let more = recorder.append(NewStep { step, detail: StepDetail::default(), before: NewState::None, after: state, html: None });
    assert!(matches!(more.and_then(|_| recorder.flush()), Err(StoreError::Full { .. })));
    assert!(matches!(store.create("another", 1.0, ""), Err(StoreError::Full { .. })));
    for id in 1..=flushed {
        assert!(matches!(recorder.reader().state(StepId(id), Side::After).unwrap(), StateAnswer::Full(_)));
    }
    tell_flushed(flushed);
}

/// With space again: what was there is there, and goes on.
fn record_again(folder: &Path) {
    let (store, report) = Store::open(folder).unwrap();
    assert_eq!(report, OpenReport::default());
    let mut recorder = store.resume(&store.recordings().unwrap().remove(0).id).unwrap();
    for id in 1..=recorder.stats().steps {
        assert!(matches!(recorder.reader().state(StepId(id), Side::After).unwrap(), StateAnswer::Full(text) if text.len() == 200_000));
    }
    let step = common::step(Some("a"), None, 1);
    recorder
        .append(NewStep { step, detail: StepDetail::default(), before: NewState::None, after: NewState::Text("{}".into()), html: None })
        .unwrap();
    recorder.flush().unwrap();
    tell_flushed(recorder.stats().steps);
}

/// Without any space: all can be read, nothing written.
fn read_on_the_full_disk(folder: &Path) {
    let (store, report) = Store::open(folder).unwrap();
    assert_eq!(report.read_only, Some(ReadOnly::DiskFull));
    assert!(matches!(store.create("no", 1.0, ""), Err(StoreError::ReadOnly { .. })));
    let reader = store.read(&store.recordings().unwrap().remove(0).id).unwrap();
    let steps = reader.info().steps;
    assert_eq!(reader.steps().unwrap().len() as u64, steps);
    for id in 1..=steps {
        assert!(matches!(reader.state(StepId(id), Side::After).unwrap(), StateAnswer::Full(text) if text.len() == 200_000));
    }
    tell_flushed(steps);
}

#[expect(clippy::print_stdout, reason = "it is how the parent hears of it")]
fn tell_flushed(steps: u64) {
    println!("\nflushed {steps}");
}

/// On a small disk of its own, in a namespace of its own. Each part has a process of its own too: a library that was
/// full is not closed before its process ends.
fn fill_the_disk(folder: &Path) {
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=40m", "tmpfs"]).arg(folder).status();
    assert!(mounted.is_ok_and(|status| status.success()), "the namespace allows no mount");
    let part = |name: &str| -> u64 {
        let output = again(FULL, folder).env(PART, name).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{name}: {said}\n{}", String::from_utf8_lossy(&output.stderr));
        said.lines().find_map(|line| line.strip_prefix("flushed ")).unwrap().parse().unwrap()
    };
    let flushed = part("record until full");

    // Something else takes what is left.
    let rest = vec![1; 64 << 10];
    let mut hog = std::fs::File::create(folder.join("hog")).unwrap();
    while std::io::Write::write_all(&mut hog, &rest).is_ok() {}
    assert!(part("read") >= flushed);
    assert!(part("read") >= flushed, "the second time");

    std::fs::remove_file(folder.join("hog")).unwrap();
    assert!(Command::new("mount").args(["-o", "remount,size=60m"]).arg(folder).status().unwrap().success());
    assert!(part("record again") > flushed);
}

#[expect(clippy::print_stderr, reason = "a machine where it cannot be tested must be seen")]
#[test]
fn a_full_disk_stops_recording_and_loses_nothing() {
    if let Some(folder) = child_folder() {
        return match std::env::var(PART).as_deref() {
            Ok("record until full") => record_until_full(&folder),
            Ok("read") => read_on_the_full_disk(&folder),
            Ok(_) => record_again(&folder),
            Err(_) => fill_the_disk(&folder),
        };
    }
    let folder = tempfile::tempdir().unwrap();
    let can = Command::new("unshare").args(["-r", "-m", "mount", "-t", "tmpfs", "tmpfs"]).arg(folder.path()).output();
    if !can.is_ok_and(|output| output.status.success()) {
        eprintln!("NOT TESTED: the full disk needs `unshare -r -m` and `mount` on this machine");
        return;
    }
    let child = Command::new("unshare")
        .args(["-r", "-m"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", FULL, "--nocapture"])
        .env(CHILD, folder.path())
        .output()
        .unwrap();
    assert!(child.status.success(), "{}\n{}", String::from_utf8_lossy(&child.stdout), String::from_utf8_lossy(&child.stderr));
}

/// What a kill or a full disk in the middle of opening leaves behind.
#[test]
fn an_unfinished_snapshot_of_sled_is_no_damage() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(folder.path()).unwrap();
    drop(store.create("kept", 1.0, "").unwrap());
    drop(store);
    std::fs::write(folder.path().join("library/snap.7FFFFFFFFFFFFFFF.generating"), b"").unwrap();
    let (store, report) = Store::open(folder.path()).unwrap();
    assert_eq!(report, OpenReport::default());
    assert_eq!(store.recordings().unwrap().len(), 1);
}

#[cfg(unix)]
#[test]
fn files_that_are_removed_under_an_open_library_are_missed() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(folder.path()).unwrap();
    let mut recorder = store.create("gone", 1.0, "").unwrap();
    recorder.flush().unwrap();
    std::fs::rename(folder.path().join("library"), folder.path().join("elsewhere")).unwrap();
    let error = recorder.flush().unwrap_err();
    assert!(matches!(error, StoreError::Vanished { .. }), "{error}");
    assert!(matches!(recorder.flush(), Err(StoreError::Stopped { .. })), "it was said, and nothing is written any more");
    assert!(recorder.reader().steps().is_ok(), "what is open can still be read and exported");
}

/// Each process may write files of so many KB only, and goes on when that fails: as with a quota, which no look at the free
/// space tells of.
#[cfg(unix)]
#[test]
fn a_write_that_fails_stops_recording_and_what_was_flushed_is_there() {
    const TEST: &str = "a_write_that_fails_stops_recording_and_what_was_flushed_is_there";
    if let Some(folder) = child_folder() {
        let (store, _) = Store::open(&folder).unwrap();
        let mut recorder = store.create("limited", 1.0, "").unwrap();
        let mut random = common::Random(3);
        let mut flushed = 0;
        let error = loop {
            let noise: String = (0..100_000).map(|_| char::from(b'0' + random.below(75) as u8)).collect();
            let step = common::step(Some("a"), None, flushed as usize + 1);
            let state = NewState::Text(noise.into());
            let more = recorder.append(NewStep { step, detail: StepDetail::default(), before: NewState::None, after: state, html: None });
            if let Err(error) = more.and_then(|_| recorder.flush()) {
                break error;
            }
            flushed = recorder.stats().steps;
            assert!(flushed < 1_000, "the limit does not hold");
        };
        assert!(!error.to_string().is_empty());
        assert!(matches!(recorder.flush(), Err(StoreError::Stopped { .. })));
        assert!(store.trouble().is_some());
        return tell_flushed(flushed);
    }
    let folder = tempfile::tempdir().unwrap();
    let script = "ulimit -f 12288; trap '' XFSZ; exec \"$0\" --exact \"$1\" --nocapture";
    let program = std::env::current_exe().unwrap();
    let output = Command::new("sh").args(["-c", script]).arg(program).arg(TEST).env(CHILD, folder.path()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    let flushed: u64 = said.lines().find_map(|line| line.strip_prefix("flushed ")).unwrap().parse().unwrap();
    assert!(flushed > 20, "{flushed}");
    let (store, report) = Store::open(folder.path()).unwrap();
    assert_eq!(report, OpenReport::default());
    let mut recorder = store.resume(&store.recordings().unwrap().remove(0).id).unwrap();
    assert!(recorder.stats().steps >= flushed);
    for id in 1..=flushed {
        assert!(matches!(recorder.reader().state(StepId(id), Side::After).unwrap(), StateAnswer::Full(text) if text.len() == 100_000));
    }
    recorder.flush().unwrap();
}

/// As root no file is protected: there a disk that may only be read stands for it.
#[cfg(unix)]
#[expect(clippy::print_stderr, reason = "a machine where it cannot be tested must be seen")]
#[test]
fn a_library_that_may_only_be_read_opens_for_looking() {
    use std::os::unix::fs::PermissionsExt as _;
    const TEST: &str = "a_library_that_may_only_be_read_opens_for_looking";
    let look = |folder: &Path| {
        let (store, report) = Store::open(folder).unwrap();
        assert_eq!(report.read_only, Some(ReadOnly::Protected));
        let info = store.recordings().unwrap().remove(0);
        let reader = store.read(&info.id).unwrap();
        assert!(matches!(reader.state(StepId(1), Side::After).unwrap(), StateAnswer::Full(_)));
        let Err(error) = store.create("no", 1.0, "") else { panic!("it was written") };
        assert!(error.to_string().contains("make them writable"), "{error}");
        assert!(store.delete(&info.id).is_err() && store.set_setting("keep", &1).is_err());
    };
    if let Some(folder) = child_folder() {
        let mount = |arguments: &[&str]| Command::new("mount").args(arguments).arg(&folder).status().unwrap().success();
        assert!(Command::new("mount").arg("--bind").arg(&folder).arg(&folder).status().unwrap().success());
        assert!(mount(&["-o", "remount,bind,ro"]));
        return look(&folder);
    }
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(folder.path()).unwrap();
    let mut recorder = store.create("kept", 1.0, "").unwrap();
    let step = common::step(Some("a"), None, 1);
    let state = NewState::Text("{}".into());
    recorder.append(NewStep { step, detail: StepDetail::default(), before: NewState::None, after: state, html: None }).unwrap();
    drop((recorder, store));
    let db = folder.path().join("library/db");
    std::fs::set_permissions(&db, std::fs::Permissions::from_mode(0o400)).unwrap();
    if std::fs::OpenOptions::new().write(true).open(&db).is_err() {
        return look(folder.path());
    }
    std::fs::set_permissions(&db, std::fs::Permissions::from_mode(0o600)).unwrap();
    let mut child = Command::new("unshare");
    child.args(["-r", "-m"]).arg(std::env::current_exe().unwrap()).args(["--exact", TEST, "--nocapture"]);
    let output = child.env(CHILD, folder.path()).output();
    match output {
        Ok(output) if output.status.success() => {}
        Ok(output) if String::from_utf8_lossy(&output.stderr).contains("unshare failed") => {
            eprintln!("NOT TESTED: it needs another user than root, or `unshare -r -m`");
        }
        Ok(output) => panic!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)),
        Err(error) => eprintln!("NOT TESTED: it needs another user than root, or `unshare -r -m`: {error}"),
    }
}
