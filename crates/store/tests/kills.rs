//! Killed at random moments, over and over: what was told as flushed is found again, and nothing is there by half.
//!
//! A process of its own records, ends, marks, thins, exports, imports and deletes, tells what it has done, and is killed at
//! a moment that nobody chose, also while it opens the library. `INSPECTOR_TEST_SEED` repeats what was chosen but for the
//! moment; `INSPECTOR_TEST_KILLS` says how often.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use common::Random;
use inspector_model::{RecordingId, Side, StateAnswer, StepDetail, StepId};
use inspector_store::{NewState, NewStep, OpenReport, Recorder, Retention, Store, StoreError};

/// Set for the process that the test starts again as its own child.
const CHILD: &str = "INSPECTOR_STORE_TEST_FOLDER";

/// How often it is killed when the environment says nothing.
const KILLS: u64 = 100;

/// The longest that a child lives.
const LONGEST: Duration = Duration::from_millis(90);

/// The state of a step, by what its recording is called: also what was imported can be checked.
fn state(title: &str, step: u64) -> String {
    let mut random = Random(title.bytes().fold(step, |seed, byte| seed.wrapping_mul(31).wrapping_add(u64::from(byte))));
    let noise: String = (0..random.below(400)).map(|_| char::from(b'a' + random.below(26) as u8)).collect();
    format!(r#"{{"of":"{title}","step":{step},"noise":"{noise}","same":"{}"}}"#, "x".repeat(300))
}

fn record(recorder: &mut Recorder, title: &str, count: u64) -> Result<(), StoreError> {
    for _ in 0..count {
        let number = recorder.stats().steps + 1;
        let step = common::step(Some(["a", "b", "c"][number as usize % 3]), None, number as usize);
        let after = NewState::Text(state(title, number).into());
        let html = number.is_multiple_of(5).then(|| format!("<p>{}</p>", state(title, number)).into());
        recorder.append(NewStep { step, detail: StepDetail::default(), before: NewState::Same, after, html })?;
    }
    Ok(())
}

/// A tenth of the steps of what is taken in as a text, by its number.
fn tenth_of(number: u64) -> u64 {
    1 + number % 60
}

/// What is said to the parent. A line is one write: a killed process leaves whole ones, and perhaps one without an end.
#[expect(clippy::print_stdout, reason = "it is how the parent hears of it")]
fn say(words: std::fmt::Arguments<'_>) {
    println!("told {words}");
    std::io::stdout().flush().unwrap();
}

/// The child: does things until it is killed.
fn live(folder: &Path, seed: u64) -> Result<(), StoreError> {
    let mut random = Random(seed);
    let (store, report) = Store::open(folder)?;
    assert_eq!(report, OpenReport::default());
    say(format_args!("open"));
    let mut recorder: Option<(Recorder, String)> = None;
    loop {
        let ended = || -> Result<Vec<_>, StoreError> { Ok(store.recordings()?.into_iter().filter(|info| !info.recording).collect()) };
        match (&mut recorder, random.below(100)) {
            (Some((recorder, title)), 0..68) => {
                record(recorder, title, 1 + random.below(60))?;
                recorder.flush()?;
                say(format_args!("flushed {} {}", recorder.id(), recorder.stats().steps));
            }
            (Some((recorder, _)), 68..73) if recorder.stats().steps > 0 => {
                recorder.flush()?;
                let step = 1 + random.below(recorder.stats().steps);
                store.mark(recorder.id(), StepId(step), Some("looked at"))?;
                say(format_args!("marked {} {step}", recorder.id()));
            }
            (Some((recorder, _)), 73..77) => {
                let retention = Retention { most_bytes: 40_000, slow_ms: 1_000.0 };
                recorder.set_retention(Some(retention));
                recorder.flush()?;
                recorder.set_retention(None);
            }
            (Some(_), 77..80) => {
                let (ended, _) = recorder.take().unwrap();
                let (id, steps) = (ended.id().clone(), ended.stats().steps);
                drop(ended);
                say(format_args!("flushed {id} {steps}"));
            }
            (_, 80..86) => {
                if let Some(info) = ended()?.first() {
                    let file = folder.join("export.djrec");
                    store.export(&info.id, &file, &|_, _| true)?;
                    let id = store.import(&file, &|_, _| true)?.id;
                    say(format_args!("flushed {id} {}", info.steps));
                }
            }
            (_, 86..92) => {
                let number = random.next();
                let (id, title) = (RecordingId::from(format!("text-{number:x}")), format!("text {number:x}"));
                store.import_as(&id, (&title, 5.0), |recorder| {
                    for _ in 0..10 {
                        record(recorder, &title, tenth_of(number))?;
                        recorder.flush()?;
                    }
                    Ok::<_, StoreError>(())
                })?;
                say(format_args!("flushed {id} {}", 10 * tenth_of(number)));
            }
            (_, 92..) => {
                let ended = ended()?;
                if ended.len() > 4 {
                    let id = &ended[random.below(ended.len() as u64) as usize].id;
                    say(format_args!("deleting {id}"));
                    store.delete(id)?;
                    say(format_args!("deleted {id}"));
                }
            }
            (None, _) => {
                let ended = ended()?;
                recorder = Some(if random.below(3) > 0 && !ended.is_empty() {
                    let info = &ended[random.below(ended.len() as u64) as usize];
                    (store.resume(&info.id)?, info.title.clone())
                } else {
                    let title = format!("run {:x}", random.next());
                    (store.create(&title, random.below(1_000_000) as f64, "1.2.6")?, title)
                });
            }
            (Some(_), _) => {}
        }
    }
}

/// What was told until now.
#[derive(Default)]
struct Told {
    steps: BTreeMap<RecordingId, u64>,
    marks: BTreeSet<(RecordingId, u64)>,
    deleted: BTreeSet<RecordingId>,
    /// A deletion under way when the kill came.
    deleting: Option<RecordingId>,
    opened: u64,
}

impl Told {
    fn take_in(&mut self, line: &str) {
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            ["told", "open"] => self.opened += 1,
            ["told", "flushed", id, steps] => drop(self.steps.insert((*id).into(), steps.parse().unwrap())),
            ["told", "marked", id, step] => drop(self.marks.insert(((*id).into(), step.parse().unwrap()))),
            ["told", "deleting", id] => self.deleting = Some((*id).into()),
            ["told", "deleted", id] => {
                self.forget(&(*id).into());
                self.deleted.insert((*id).into());
                self.deleting = None;
            }
            _ => {}
        }
    }

    fn forget(&mut self, id: &RecordingId) {
        self.steps.remove(id);
        self.marks.retain(|(of, _)| of != id);
    }
}

/// All that is in the library is whole, and all that was told is in it.
fn check(store: &Store, told: &mut Told, random: &mut Random) {
    let recordings = store.recordings().unwrap();
    let there: BTreeSet<&RecordingId> = recordings.iter().map(|info| &info.id).collect();
    if let Some(id) = told.deleting.take().filter(|id| !there.contains(id)) {
        told.forget(&id);
    }
    for (id, steps) in &told.steps {
        let info = recordings.iter().find(|info| info.id == *id).unwrap_or_else(|| panic!("recording {id} is gone"));
        assert!(info.steps >= *steps, "{id} has {} of {steps} flushed steps", info.steps);
    }
    for info in &recordings {
        let id = &info.id;
        // An import of the same content is the same recording.
        assert!(!told.deleted.contains(id) || id.as_str().starts_with("file-"), "{id} was deleted");
        if let Some(number) = id.as_str().strip_prefix("text-") {
            let whole = 10 * tenth_of(u64::from_str_radix(number, 16).unwrap());
            assert!(info.steps >= whole, "{id} was taken in by half: {} of {whole} steps", info.steps);
        }
        let reader = store.read(id).unwrap();
        assert_eq!(reader.damage(), None);
        assert_eq!(reader.steps().unwrap().len() as u64, info.steps, "steps of {id}");
        let known = told.steps.insert(id.clone(), info.steps).unwrap_or(0);
        // Everything that is new, and some of the rest.
        let some = (0..20).map(|_| 1 + random.below(info.steps));
        for step in (known + 1..=info.steps).chain(some).filter(|_| info.steps > 0) {
            match reader.state(StepId(step), Side::After).unwrap() {
                StateAnswer::Full(text) => assert_eq!(*text, *state(&info.title, step), "{id}, step {step}"),
                StateAnswer::Missing(why) => {
                    assert!(reader.thinned().is_some_and(|thinned| thinned.contains(&StepId(step))), "{id}, step {step}: {why}");
                }
            }
        }
        let marks = reader.marks().unwrap();
        for (_, step) in told.marks.iter().filter(|(of, _)| of == id) {
            assert!(marks.contains_key(&StepId(*step)), "the mark of step {step} of {id}");
        }
    }
}

#[expect(clippy::print_stderr, reason = "whoever looks for what failed needs the seed")]
#[test]
fn what_was_told_as_flushed_survives_kills_at_random_moments() {
    if let Some(folder) = std::env::var_os(CHILD).map(PathBuf::from) {
        live(&folder, Random::seed()).unwrap();
        return;
    }
    let seed = Random::seed();
    let kills = common::rounds("INSPECTOR_TEST_KILLS", KILLS);
    eprintln!("seed {seed}, {kills} kills");
    let mut random = Random(seed);
    let mut told = Told::default();
    let mut folder = tempfile::tempdir().unwrap();
    for round in 0..kills {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "what_was_told_as_flushed_survives_kills_at_random_moments", "--nocapture"])
            .env(CHILD, folder.path())
            .env("INSPECTOR_TEST_SEED", random.next().to_string())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let listener = std::thread::Builder::new().name("listener".into());
        let listener = listener.spawn(move || lines.map_while(Result::ok).collect::<Vec<String>>()).unwrap();
        // No wait for something: the moment is what is chosen.
        std::thread::sleep(LONGEST.mul_f64(random.below(1 << 20) as f64 / f64::from(1 << 20)));
        child.kill().unwrap();
        let ended = child.wait_with_output().unwrap();
        assert!(ended.status.code().is_none(), "round {round}: it ended by itself: {}", String::from_utf8_lossy(&ended.stderr));
        for line in listener.join().unwrap() {
            told.take_in(&line);
        }
        let (store, report) = Store::open(folder.path()).unwrap();
        assert_eq!(report, OpenReport::default(), "round {round}");
        check(&store, &mut told, &mut random);
        // And it goes on: at the recording that was taken up last, too.
        if let Some(info) = store.recordings().unwrap().first() {
            let mut recorder = store.resume(&info.id).unwrap();
            record(&mut recorder, &info.title, 1).unwrap();
            recorder.flush().unwrap();
            told.steps.insert(info.id.clone(), recorder.stats().steps);
        }
        drop(store);
        if round % 50 == 49 {
            (folder, told) = (tempfile::tempdir().unwrap(), Told { opened: told.opened, ..Told::default() });
        }
    }
    // A test in which nobody came as far as recording would say nothing.
    assert!(told.opened * 3 > kills, "{} of {kills} opened the library", told.opened);
}
