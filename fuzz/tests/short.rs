//! The short form of the fuzzing: the corpus as it is, then changes of it by seeds that are the same each time.
//!
//! What fails is written to `target/fuzz/failed`, and the message says how to run it again. An allocator counts, so that no input
//! can take more memory than its target says.

#![allow(clippy::expect_used, clippy::panic, clippy::print_stdout, reason = "a test stops where something is wrong, and says what it saw")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use inspector_fuzz::{TARGETS, Target, target};
use parking_lot::Mutex;
use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// One target at a time: all count the same memory.
static ONE: Mutex<()> = Mutex::new(());

/// Far more than any input of this size may take, on a machine that does something else as well.
const LONGEST: Duration = Duration::from_secs(20);

/// The most bytes of a changed input.
const LARGEST: usize = 256 << 10;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new(".")).to_owned()
}

/// The inputs to begin with, by their file.
fn corpus(target: &Target) -> Vec<(PathBuf, Vec<u8>)> {
    let own = root().join("fuzz/corpus").join(target.name);
    let folders = std::iter::once(own).chain(target.also.iter().map(|folder| root().join(folder)));
    let mut files: Vec<PathBuf> = folders
        .flat_map(|folder| std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())))
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.sort();
    files.into_iter().map(|path| (path.clone(), std::fs::read(&path).expect("an input"))).collect()
}

/// Runs one input, looks at what it cost, and gives the bytes of memory. `what` says where it is from.
fn run(target: &Target, what: &str, data: &[u8]) -> usize {
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let begun = Instant::now();
    let outcome = catch_unwind(AssertUnwindSafe(|| (target.run)(data)));
    let (took, used) = (begun.elapsed(), MEMORY.peak_usage().saturating_sub(before));
    let most = target.memory + target.memory_per_byte * data.len();
    let why = match outcome {
        Err(_) => "it panicked, see above".to_owned(),
        Ok(()) if took > LONGEST => format!("it took {took:?}"),
        Ok(()) if used > most => format!("it took {used} bytes of memory, of {most}"),
        Ok(()) => return used,
    };
    let folder = root().join("target/fuzz/failed");
    let file = folder.join(format!("{}-{}", target.name, what.replace(|c: char| !c.is_ascii_alphanumeric(), "-")));
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(&file, data).expect("the input is kept");
    panic!("{name} on {what}: {why}\nAgain: cargo xtask fuzz {name} --input {file}", name = target.name, file = file.display());
}

fn short(name: &str) {
    let _one = ONE.lock();
    let target = target(name).expect("it is in the list");
    let corpus = corpus(target);
    assert!(!corpus.is_empty());
    // Whatever is made once is made before anything is counted.
    (target.run)(b"");
    let (begun, mut most) = (Instant::now(), 0);
    for (path, data) in &corpus {
        most = most.max(run(target, &path.file_name().unwrap_or_default().to_string_lossy(), data));
    }
    let inputs: Vec<Vec<u8>> = corpus.into_iter().map(|(_, data)| data).collect();
    for seed in 0..target.short_runs {
        let mut data = inputs[seed as usize % inputs.len()].clone();
        // Changes of changes, now and then.
        for round in 0..=seed % 3 {
            data = target.changed(&data, &inputs, seed * 3 + round);
        }
        data.truncate(LARGEST);
        most = most.max(run(target, &format!("seed {seed}"), &data));
    }
    println!("{name}: {} runs in {:?}, at most {} KB of memory", inputs.len() as u64 + target.short_runs, begun.elapsed(), most / 1000);
}

#[test]
fn frames_of_an_agent_do_no_harm() {
    short("frames");
}

#[test]
fn recording_files_do_no_harm() {
    short("recording");
}

#[test]
fn files_of_the_library_do_no_harm() {
    short("library");
}

#[test]
fn bug_captures_do_no_harm() {
    short("capture");
}

#[test]
fn discovery_files_lead_to_this_machine_or_nowhere() {
    short("discovery");
}

#[test]
fn states_come_back_as_they_were() {
    short("tape");
}

#[test]
fn pages_become_documents_that_do_nothing() {
    short("page");
}

#[test]
fn filters_and_conditions_are_understood_or_refused() {
    short("languages");
}

#[test]
fn no_planted_secret_is_exported() {
    short("redaction");
}

#[test]
fn every_target_has_a_test_a_program_and_a_corpus() {
    let own = std::fs::read_to_string(root().join("fuzz/tests/short.rs")).expect("this file");
    for target in TARGETS {
        assert!(own.contains(&format!("short(\"{}\")", target.name)), "{}", target.name);
        assert!(root().join(format!("fuzz/fuzz_targets/{}.rs", target.name)).exists(), "{}", target.name);
        assert!(!corpus(&target).is_empty(), "{}", target.name);
    }
}
