//! Libraries damaged at random: bytes flipped, files cut, grown, emptied and removed. Whatever stands there, opening and
//! reading it is an answer, nothing of the damaged library is deleted, and no wrong state is ever shown for a right one.
//!
//! `INSPECTOR_TEST_SEED` repeats a run, `INSPECTOR_TEST_DAMAGES` says how many libraries are damaged. They are looked at in
//! processes of their own, some at a time: a library that could not be closed is held until its process ends, and one that
//! hangs is seen.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use common::Random;
use inspector_model::{Side, StateAnswer, StepDetail, StepId};
use inspector_store::{NewState, NewStep, Recorder, Store};

/// Set for the processes that look at damaged libraries.
const CHILD: &str = "INSPECTOR_STORE_TEST_FOLDER";
const FIRST: &str = "INSPECTOR_STORE_TEST_FIRST";

/// How many libraries are damaged when the environment says nothing, and how many in one process.
const DAMAGES: u64 = 40;
const PER_PROCESS: u64 = 20;

/// Nothing that is done with a damaged library takes as long.
const DEADLINE: Duration = Duration::from_secs(30);

/// How long sled may take for one thing: its tree may be damaged so that there is no way out.
const PATIENCE: Duration = Duration::from_secs(1);

/// Recordings of the library before it is damaged, and steps of each.
const RECORDINGS: usize = 4;
const STEPS: usize = 400;

fn state(recording: usize, step: u64) -> String {
    let noise: String = {
        let mut random = Random(step * 8 + recording as u64);
        (0..200).map(|_| char::from(b'a' + random.below(26) as u8)).collect()
    };
    format!(r#"{{"recording":{recording},"step":{step},"noise":"{noise}"}}"#)
}

fn record(recorder: &mut Recorder, recording: usize) {
    let number = recorder.stats().steps + 1;
    let step = common::step(Some("a"), None, number as usize);
    let after = NewState::Text(state(recording, number).into());
    recorder.append(NewStep { step, detail: StepDetail::default(), before: NewState::Same, after, html: None }).unwrap();
}

/// A library that was closed, or whose process was killed while the last of its recordings went on.
fn make_library(folder: &Path, killed: bool) {
    let (store, _) = Store::open(folder).unwrap();
    for recording in 0..RECORDINGS {
        let mut recorder = store.create(&format!("recording {recording}"), recording as f64, "").unwrap();
        for step in 1..=STEPS {
            record(&mut recorder, recording);
            if step % 50 == 0 {
                recorder.flush().unwrap();
            }
        }
        if killed && recording + 1 == RECORDINGS {
            recorder.flush().unwrap();
            std::mem::forget(recorder);
            std::mem::forget(store.clone());
        }
    }
}

fn files_of(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.insert(path.strip_prefix(folder).unwrap().to_owned(), fs::read(&path).unwrap());
            }
        }
    }
    files
}

fn write_files(folder: &Path, files: &BTreeMap<PathBuf, Vec<u8>>) {
    for (name, bytes) in files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

/// Damages one of the files, and says how.
fn damage(files: &mut BTreeMap<PathBuf, Vec<u8>>, random: &mut Random) -> String {
    // The log is the file with everything in it; the others are small.
    let names: Vec<PathBuf> = files.keys().cloned().collect();
    let name = match random.below(3) {
        0 => names[random.below(names.len() as u64) as usize].clone(),
        _ => PathBuf::from("db"),
    };
    let bytes = files.get_mut(&name).unwrap();
    let len = bytes.len() as u64;
    // What is behind the last thing written is empty, and damage to it none.
    let used = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last as u64 + 1);
    let place = random.below(used) as usize;
    let what = match random.below(7) {
        0 | 1 => {
            let count = 1 + random.below(8);
            for _ in 0..count {
                if let Some(byte) = bytes.get_mut(random.below(used) as usize) {
                    *byte ^= 1 << random.below(8);
                }
            }
            format!("{count} bits flipped")
        }
        2 => {
            let end = (place + 1 + random.below(20_000) as usize).min(bytes.len());
            bytes[place..end].iter_mut().for_each(|byte| *byte = random.next() as u8);
            format!("noise at {place}..{end}")
        }
        3 => {
            let (start, end) = (place / 4096 * 4096, (place / 4096 * 4096 + 4096 * (1 + random.below(4) as usize)).min(bytes.len()));
            bytes[start..end].fill(0);
            format!("zeroes at {start}..{end}")
        }
        4 => {
            bytes.truncate(place);
            format!("cut to {place}")
        }
        5 => {
            let more = 1 + random.below(600_000);
            let zero = random.below(2) == 0;
            bytes.extend((0..more).map(|_| if zero { 0 } else { random.next() as u8 }));
            format!("grown by {more}")
        }
        _ => {
            files.remove(&name);
            "removed".to_owned()
        }
    };
    format!("{} of {len} bytes: {what}", name.display())
}

/// What became of a damaged library.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    /// All of it is there.
    Whole,
    /// It did not open, was set aside, or something of it says that it is damaged.
    Told,
    /// Something is missing without a word.
    Silent,
}

/// What is damaged is still there. sled writes into it when it opens it, and its snapshots are only what it would find out again.
fn assert_kept(folder: &Path, damaged: &BTreeMap<PathBuf, Vec<u8>>) {
    let kept = files_of(folder);
    for (name, bytes) in damaged.iter().filter(|(name, _)| !name.to_string_lossy().starts_with("snap.")) {
        let now = kept.get(name).unwrap_or_else(|| panic!("{} is gone", name.display()));
        assert!(!now.is_empty() || bytes.is_empty(), "{} was emptied", name.display());
    }
}

#[expect(clippy::print_stdout, reason = "it is how the parent hears of it")]
fn say(words: std::fmt::Arguments<'_>) {
    println!("\n{words}");
}

fn named<T: Send + 'static>(name: &str, work: impl FnOnce() -> T + Send + 'static) -> std::thread::JoinHandle<T> {
    std::thread::Builder::new().name(name.to_owned()).spawn(work).unwrap()
}

fn look(folder: &Path, damaged: &BTreeMap<PathBuf, Vec<u8>>) -> Outcome {
    let (store, report) = match Store::open(folder) {
        Ok(opened) => opened,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            assert_kept(&folder.join("library"), damaged);
            return Outcome::Told;
        }
    };
    let (watched, is_over) = (store.clone(), Arc::new(AtomicBool::new(false)));
    let over = is_over.clone();
    let watch = named("watch", move || {
        while !watched.is_stuck(PATIENCE) {
            if over.load(Ordering::Relaxed) {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        // Who waits in there waits forever. It is told, and marked for the next opening.
        assert!(watched.trouble().is_some());
        say(format_args!("outcome Stuck"));
        std::process::exit(0);
    });
    let mut outcome = Outcome::Whole;
    if let Some(aside) = &report.set_aside {
        assert_kept(aside, damaged);
        outcome = Outcome::Told;
    }
    let mut told = report != inspector_store::OpenReport::default();
    let mut missing = false;
    match store.recordings() {
        Err(_) => told = true,
        Ok(recordings) => {
            for recording in 0..RECORDINGS {
                let Some(info) = recordings.iter().find(|info| info.title == format!("recording {recording}")) else {
                    missing = true;
                    continue;
                };
                missing |= info.steps < STEPS as u64;
                let Ok(reader) = store.read(&info.id) else {
                    told = true;
                    continue;
                };
                told |= reader.damage().is_some();
                match reader.steps() {
                    Ok(steps) => missing |= steps.len() < STEPS,
                    Err(_) => told = true,
                }
                for step in 1..=info.steps {
                    match reader.state(StepId(step), Side::After) {
                        Ok(StateAnswer::Full(text)) => {
                            assert_eq!(*text, *state(recording, step), "a wrong state was shown for a right one");
                        }
                        Ok(StateAnswer::Missing(_)) => missing = true,
                        Err(_) => told = true,
                    }
                }
                let _ = (reader.sessions(), reader.server(), reader.marks());
            }
        }
    }
    if missing || told {
        outcome = outcome.max(if told { Outcome::Told } else { Outcome::Silent });
    }
    // Recording goes on, or says why not; so does deleting what is damaged.
    if let Ok(mut recorder) = store.create("after", 9.0, "") {
        for _ in 0..30 {
            let step = common::step(Some("a"), None, 1);
            let after = NewState::Text("{}".into());
            let _ = recorder.append(NewStep { step, detail: StepDetail::default(), before: NewState::None, after, html: None });
        }
        if recorder.flush().is_ok() {
            assert_eq!(recorder.reader().steps().map(|steps| steps.len()).ok(), Some(30));
        }
        let _ = recorder.flush();
    }
    if let Ok(recordings) = store.recordings() {
        for info in recordings {
            let _ = store.resume(&info.id).map(drop);
            let _ = store.export(&info.id, &folder.join("export.djrec"), &|_, _| true);
            let _ = store.delete(&info.id);
        }
    }
    is_over.store(true, Ordering::Relaxed);
    watch.join().unwrap();
    outcome
}

/// Panics of ours, wherever they were caught. sled has its own, which the store makes errors of.
static OURS: AtomicBool = AtomicBool::new(false);

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "it is how the parent hears of it")]
fn look_at_some(base: &Path, seed: u64, first: u64) {
    std::panic::set_hook(Box::new(|panic| {
        if panic.location().is_none_or(|at| !at.file().contains("sled")) {
            OURS.store(true, Ordering::Relaxed);
            eprintln!("{panic}");
        }
    }));
    let bases = [files_of(&base.join("closed/library")), files_of(&base.join("killed/library"))];
    for case in first..(first / PER_PROCESS + 1) * PER_PROCESS {
        let mut random = Random(seed ^ case.wrapping_mul(0x5851_F42D_4C95_7F2D));
        let is_killed = random.below(2) == 1;
        let mut files = bases[usize::from(is_killed)].clone();
        let how = damage(&mut files, &mut random);
        let folder = base.join(format!("case-{case}"));
        println!("\nlooking at {case}, {how}");
        write_files(&folder.join("library"), &files);
        // What must be in it.
        let held = fs::read(base.join(if is_killed { "killed/recordings" } else { "closed/recordings" })).unwrap();
        fs::write(folder.join("recordings"), held).unwrap();
        let outcome = look(&folder, &files);
        fs::remove_dir_all(&folder).unwrap();
        println!("\noutcome {outcome:?}");
        std::io::stdout().flush().unwrap();
        assert!(!OURS.load(Ordering::Relaxed), "something panicked");
    }
}

#[expect(clippy::print_stderr, reason = "whoever looks for what failed needs the seed")]
#[test]
fn a_damaged_library_is_an_answer_and_never_deleted() {
    let seed = Random::seed();
    if let Some(base) = std::env::var_os(CHILD).map(PathBuf::from) {
        return look_at_some(&base, seed, std::env::var(FIRST).unwrap().parse().unwrap());
    }
    let damages = common::rounds("INSPECTOR_TEST_DAMAGES", DAMAGES);
    eprintln!("seed {seed}, {damages} damaged libraries");
    let base = tempfile::tempdir().unwrap();
    make_library(&base.path().join("closed"), false);
    make_library(&base.path().join("killed"), true);
    let mut outcomes: BTreeMap<String, u64> = BTreeMap::new();
    let mut silent = Vec::new();
    let mut first = 0;
    while first < damages {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "a_damaged_library_is_an_answer_and_never_deleted", "--nocapture"])
            .env(CHILD, base.path())
            .env(FIRST, first.to_string())
            .env("INSPECTOR_TEST_SEED", seed.to_string())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (tell, heard) = mpsc::sync_channel(64);
        named("lines", move || out.lines().map_while(Result::ok).try_for_each(|line| tell.send(line)));
        let mut err = child.stderr.take().unwrap();
        let complaints = named("complaints", move || {
            let mut text = String::new();
            let _ = std::io::Read::read_to_string(&mut err, &mut text);
            text
        });
        let (mut now, mut stuck) = (String::new(), false);
        loop {
            match heard.recv_timeout(DEADLINE) {
                Ok(line) => {
                    if let Some(case) = line.strip_prefix("looking at ") {
                        case.clone_into(&mut now);
                    } else if let Some(outcome) = line.strip_prefix("outcome ") {
                        *outcomes.entry(outcome.to_owned()).or_default() += 1;
                        first += 1;
                        stuck = outcome == "Stuck";
                        if outcome == "Silent" {
                            silent.push(now.clone());
                        }
                    }
                }
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    child.kill().unwrap();
                    panic!("seed {seed}, case {now}: hangs: {}", complaints.join().unwrap());
                }
            }
        }
        let ended = child.wait().unwrap();
        assert!(ended.success(), "seed {seed}, case {now}: {}", complaints.join().unwrap());
        if stuck {
            let folder = base.path().join(format!("case-{}", first - 1));
            let (_, report) = Store::open(&folder).unwrap();
            assert!(report.set_aside.is_some_and(|aside| aside.join("db").exists()), "seed {seed}, case {now}: it is not opened again");
        }
    }
    eprintln!("{outcomes:?}");
    for case in &silent {
        eprintln!("silent: {case}");
    }
    assert_eq!(outcomes.values().sum::<u64>(), damages.next_multiple_of(PER_PROCESS));
    assert!(silent.is_empty(), "something went without a word");
}
