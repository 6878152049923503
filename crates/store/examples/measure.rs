//! Prints what a recording of a to-do page costs: bytes per step, time to append, time to read a state anywhere.
//!
//! `cargo run -p inspector-store --example measure [steps]`
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a measurement for people")]

#[path = "../tests/common/mod.rs"]
mod common;

use std::time::{Duration, Instant};

use common::Todo;
use inspector_model::{Side, StateAnswer, StepDetail, StepId};
use inspector_store::{NewState, NewStep, Store};

fn main() {
    let steps: u64 = std::env::args().nth(1).map_or(5_000, |steps| steps.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(folder.path()).unwrap();
    let mut recorder = store.create("measure", 1.0, "").unwrap();
    let mut todo = Todo::new(130);
    let mut appending = Vec::new();
    let (mut flushing, mut last) = (Vec::new(), Instant::now());
    for number in 1..=steps {
        todo.turn();
        let step = common::step(Some("a"), None, number as usize);
        let detail = StepDetail { params: Some(format!("{{\"id\":{number}}}")), ..StepDetail::default() };
        let new = NewStep { step, detail, before: NewState::Same, after: NewState::Text(todo.json()), html: None };
        let start = Instant::now();
        recorder.append(new).unwrap();
        appending.push(start.elapsed());
        if last.elapsed() > Duration::from_millis(500) {
            let start = Instant::now();
            recorder.flush().unwrap();
            flushing.push(start.elapsed());
            last = Instant::now();
        }
    }
    recorder.flush().unwrap();
    let stats = recorder.stats();
    println!("{steps} steps, state of {} bytes", todo.json().len());
    println!("stored: {} bytes per step, on disk {}", stats.bytes / steps, size(folder.path()) / steps);
    report("append", appending);
    report("flush", flushing);

    let id = recorder.id().clone();
    drop(recorder);
    drop(store);
    let start = Instant::now();
    let (store, _) = Store::open(folder.path()).unwrap();
    println!("open library: {:?}", start.elapsed());
    let reader = store.read(&id).unwrap();
    let start = Instant::now();
    assert_eq!(reader.steps().unwrap().len() as u64, steps);
    println!("all summaries: {:?}", start.elapsed());
    let mut random = Vec::new();
    for _ in 0..2_000 {
        let step = StepId(todo.random(steps as usize) as u64 + 1);
        let start = Instant::now();
        assert!(matches!(reader.state(step, Side::After).unwrap(), StateAnswer::Full(_)));
        random.push(start.elapsed());
    }
    report("random state", random);
    let cold = (0..200).map(|_| {
        let step = StepId(todo.random(steps as usize) as u64 + 1);
        let reader = store.read(&id).unwrap();
        let start = Instant::now();
        assert!(matches!(reader.state(step, Side::After).unwrap(), StateAnswer::Full(_)));
        start.elapsed()
    });
    report("random state, nothing at hand", cold.collect());
    let mut scrub = Vec::new();
    for step in (1..=steps.min(1_000)).rev() {
        let start = Instant::now();
        assert!(matches!(reader.state(StepId(step), Side::After).unwrap(), StateAnswer::Full(_)));
        scrub.push(start.elapsed());
    }
    report("previous step", scrub);
    let file = folder.path().join("measure.djrec");
    let start = Instant::now();
    let bytes = store.export(&id, &file).unwrap();
    println!("export: {} bytes per step in {:?}", bytes / steps, start.elapsed());
    let start = Instant::now();
    store.import(&file).unwrap();
    println!("import: {:?}", start.elapsed());
}

fn report(what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    if let Some(worst) = times.last() {
        println!(
            "{what}: p50 {:?}, p99 {:?}, worst {worst:?} ({} times)",
            times[times.len() / 2],
            times[times.len() * 99 / 100],
            times.len()
        );
    }
}

fn size(folder: &std::path::Path) -> u64 {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .filter(|path| !path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("reserve")))
        .map(|path| if path.is_dir() { size(&path) } else { std::os::unix::fs::MetadataExt::blocks(&path.metadata().unwrap()) * 512 })
        .sum()
}
