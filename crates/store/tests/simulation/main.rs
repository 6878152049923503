//! A simulated world: recorder, reader, search, export, import, thinning, deletion and reopening in random order, against a
//! plain model, with a fault at any place at which the store changes its disk: it is full, it fails, it writes a part, the
//! process or the machine stops, it takes minutes.
//!
//! What is simulated is the store above sled, and which of sled's bytes are on the disk after a stop. What happens inside of
//! sled when a single write of its own fails is not: sled has no place to put a disk into.
//!
//! The same seed is the same run. `INSPECTOR_TEST_SEED` runs one and says what it does; `INSPECTOR_TEST_SEEDS` and
//! `INSPECTOR_TEST_FIRST` say how many and from which on. `cargo xtask simulate` runs many.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

#[path = "../common/mod.rs"]
mod common;
mod faults;
mod model;
mod run;
mod states;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use run::{Outcome, Run};

/// Set for the processes that run the seeds: from which on, how many, and how far apart.
const CHILD: &str = "INSPECTOR_STORE_TEST_SIMULATION";

/// How many seeds when the environment says nothing.
const SEEDS: u64 = 200;

/// Seeds are shared by so many processes, and each process has at most so many: a new one begins with empty memory.
const PROCESSES: u64 = 2;
const PER_PROCESS: u64 = 250;

/// No run takes as long: one that does hangs.
const DEADLINE: Duration = Duration::from_mins(2);

/// Operations of a run.
const OPERATIONS: u64 = 60;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Runs a seed. A failure says what was done before it.
#[expect(clippy::print_stderr, reason = "whoever looks for what failed needs it")]
fn simulate(seed: u64, loud: bool) -> Outcome {
    let mut run = Run::new(seed, loud);
    let done = catch_unwind(AssertUnwindSafe(|| run.go(OPERATIONS)));
    if let Err(panic) = done {
        let from = if loud { run.trace().len() } else { run.trace().len().saturating_sub(60) };
        for line in &run.trace()[from..] {
            eprintln!("{line}");
        }
        eprintln!("seed {seed} failed; `cargo xtask simulate --seed {seed}` runs it alone and says all that it does");
        std::panic::resume_unwind(panic);
    }
    run.outcome()
}

/// A child: runs its seeds, and says what came of each.
#[expect(clippy::print_stdout, reason = "it is how the parent hears of it")]
fn child(task: &str) {
    let numbers: Vec<u64> = task.split(' ').map(|number| number.parse().unwrap()).collect();
    let [first, count, apart] = numbers[..] else { panic!("{task}") };
    for nth in 0..count {
        let seed = first + nth * apart;
        println!("begin {seed}");
        let outcome = simulate(seed, false);
        let mut line = format!("end {seed} {} {}", outcome.operations, outcome.restarts);
        for ((act, kind, fault), count) in outcome.faults {
            write!(line, " {act:?}/{kind}/{fault:?}={count}").unwrap();
        }
        println!("{line}");
        std::io::stdout().flush().unwrap();
    }
}

/// What the seeds came to.
#[derive(Default)]
struct Sum {
    runs: u64,
    operations: u64,
    restarts: u64,
    faults: BTreeMap<String, u64>,
}

/// Runs seeds in a process of its own, and watches it.
fn watch(first: u64, count: u64, apart: u64, sum: &mut Sum, progress: &dyn Fn(u64)) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "random_operations_with_faults_are_what_the_model_says", "--nocapture"])
        .env(CHILD, format!("{first} {count} {apart}"))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (said, heard) = mpsc::sync_channel(64);
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let listener = std::thread::Builder::new().name("listener".into()).spawn(move || {
        for line in lines.map_while(Result::ok) {
            if said.send(line).is_err() {
                break;
            }
        }
    });
    let mut at = first;
    loop {
        match heard.recv_timeout(DEADLINE) {
            Ok(line) => {
                let words: Vec<&str> = line.split(' ').collect();
                match words[..] {
                    ["begin", seed] => at = seed.parse().unwrap(),
                    ["end", _, operations, restarts, ref faults @ ..] => {
                        sum.runs += 1;
                        sum.operations += operations.parse::<u64>().unwrap();
                        sum.restarts += restarts.parse::<u64>().unwrap();
                        for fault in faults {
                            let (fault, count) = fault.split_once('=').unwrap();
                            *sum.faults.entry(fault.to_owned()).or_default() += count.parse::<u64>().unwrap();
                        }
                        progress(sum.runs);
                    }
                    _ => {}
                }
            }
            Err(mpsc::RecvTimeoutError::Timeout) => {
                child.kill().unwrap();
                child.wait().unwrap();
                panic!("seed {at} hangs");
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => break,
        }
    }
    listener.unwrap().join().unwrap();
    let ended = child.wait().unwrap();
    assert!(ended.success(), "seed {at} failed: {ended}");
}

#[expect(clippy::print_stderr, reason = "figures for whoever asked for many")]
#[test]
fn random_operations_with_faults_are_what_the_model_says() {
    if let Ok(task) = std::env::var(CHILD) {
        return child(&task);
    }
    if let Some(seed) = number("INSPECTOR_TEST_SEED") {
        simulate(seed, true);
        return;
    }
    let (first, seeds) = (number("INSPECTOR_TEST_FIRST").unwrap_or(1), number("INSPECTOR_TEST_SEEDS").unwrap_or(SEEDS));
    let start = std::time::Instant::now();
    let sums: Vec<Sum> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..PROCESSES)
            .map(|worker| {
                scope.spawn(move || {
                    let mut sum = Sum::default();
                    let mine = seeds.saturating_sub(worker).div_ceil(PROCESSES);
                    for from in (0..mine).step_by(PER_PROCESS as usize) {
                        let count = PER_PROCESS.min(mine - from);
                        watch(first + worker + from * PROCESSES, count, PROCESSES, &mut sum, &|runs| {
                            if worker == 0 && runs % 100 == 0 {
                                eprintln!("about {} of {seeds} seeds in {:.0} s", runs * PROCESSES, start.elapsed().as_secs_f64());
                            }
                        });
                    }
                    sum
                })
            })
            .collect();
        workers.into_iter().map(std::thread::ScopedJoinHandle::join).collect::<Vec<_>>()
    })
    .into_iter()
    .map(|sum| sum.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    .collect();
    let mut all = Sum::default();
    for sum in sums {
        all.runs += sum.runs;
        all.operations += sum.operations;
        all.restarts += sum.restarts;
        for (fault, count) in sum.faults {
            *all.faults.entry(fault).or_default() += count;
        }
    }
    for (fault, count) in &all.faults {
        eprintln!("{count:>8} {fault}");
    }
    let faults: u64 = all.faults.values().sum();
    eprintln!(
        "{} seeds, {} operations, {faults} faults of {} kinds, {} restarts in {:.0} s",
        all.runs,
        all.operations,
        all.faults.len(),
        all.restarts,
        start.elapsed().as_secs_f64()
    );
    assert_eq!(all.runs, seeds);
    // A simulation in which nothing fails would say nothing.
    assert!(seeds < 100 || faults > all.runs && all.restarts > all.runs && all.faults.len() > 40, "{faults} faults");
}

#[test]
fn the_same_seed_is_the_same_run() {
    for seed in 1..=3 {
        assert_eq!(simulate(seed, false).digest, simulate(seed, false).digest, "seed {seed}");
    }
}
