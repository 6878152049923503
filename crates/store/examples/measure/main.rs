//! Prints what recording, storing, reading and asking cost, for five sorts of pages, beside what the machine can do at best
//! in the same run: copying the bytes, appending them to a file, building a tree of values of them.
//!
//! `cargo run --release -p inspector-store --example measure [abcde] [steps]`
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a measurement for people")]

mod corpora;

use std::fs::File;
use std::hint::black_box;
use std::io::Write as _;
use std::path::Path as FilePath;
use std::sync::Arc;
use std::time::{Duration, Instant};

use corpora::{Pages, Random, Sort};
use inspector_model::{ChangeCounts, Path, Scope, SearchOptions, Segment, Side, StateAnswer, Step, StepDetail, StepId, StepKind};
use inspector_store::{NewState, NewStep, Store};
use inspector_tape::{Document, compare};

const FLUSH_EVERY: Duration = Duration::from_millis(500);
const LONG: Duration = Duration::from_secs(10);

fn main() {
    let letters = std::env::args().nth(1).unwrap_or_else(|| "abcde".to_owned());
    let steps: Option<usize> = std::env::args().nth(2).map(|steps| steps.parse().unwrap());
    for sort in Sort::ALL.into_iter().filter(|sort| letters.contains(sort.letter())) {
        measure(sort, steps.unwrap_or_else(|| sort.steps()));
    }
}

fn measure(sort: Sort, steps: usize) {
    println!("\n## {}, {steps} steps", sort.name());
    parts(sort);
    let folder = tempfile::tempdir().unwrap();
    let id = ingest(sort, steps, folder.path());
    println!("peak memory when recorded       {:>10} MB", peak_kb() / 1024);
    questions(sort, steps, folder.path(), &id);
    flush_each(sort, steps.min(2_000));
    println!("peak memory of the process      {:>10} MB", peak_kb() / 1024);
}

/// What one step costs, part by part.
fn parts(sort: Sort) {
    let count = if sort == Sort::Large { 200 } else { 1_000 };
    let mut pages = Pages::new(sort);
    let texts: Vec<Arc<str>> = (0..count)
        .map(|_| {
            pages.turn();
            pages.json()
        })
        .collect();
    let bytes = texts[0].len();
    let mut target = Vec::with_capacity(2 * bytes);
    let copy = median(texts.iter().map(|text| {
        timed(|| {
            target.clear();
            target.extend_from_slice(text.as_bytes());
            black_box(&target);
        })
    }));
    let value =
        median(texts.iter().take(100).map(|text| timed(|| drop(black_box(serde_json::from_str::<serde_json::Value>(text).unwrap())))));
    let fresh = median(texts.iter().take(200).map(|text| timed(|| drop(black_box(Document::new(text.clone()).unwrap())))));
    let mut last = Arc::new(Document::new(texts[0].clone()).unwrap());
    let (mut scan, mut walk, mut both, mut changes) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for text in &texts[1..] {
        let start = Instant::now();
        let next = Arc::new(Document::after(&last, text.clone()).unwrap());
        let scanned = start.elapsed();
        let delta = compare(&last, &next, LONG);
        both.push(start.elapsed());
        scan.push(scanned);
        walk.push(both[both.len() - 1].saturating_sub(scanned));
        changes += delta.counts.total() as usize;
        last = next;
    }
    let (worst, both) = (*both.iter().max().unwrap(), median(both.into_iter()));
    println!("state                           {bytes:>10} bytes, {:.1} changes per step", changes as f64 / f64::from(count - 1));
    line("copying it (memcpy)", copy, copy, value);
    line("serde_json::Value of it", value, copy, value);
    line("scan from nothing", fresh, copy, value);
    line("scan along the last state", median(scan.into_iter()), copy, value);
    line("comparison", median(walk.into_iter()), copy, value);
    line("both", both, copy, value);
    println!("both, worst                     {:>10.1} us", micros(worst));
}

fn line(name: &str, time: Duration, copy: Duration, value: Duration) {
    let (copied, parsed) = (time.as_secs_f64() / copy.as_secs_f64(), value.as_secs_f64() / time.as_secs_f64());
    println!("{name:<32}{:>10.1} us  {copied:>8.1} x memcpy  1/{parsed:.0} of serde_json::Value", micros(time));
}

/// Records, and appends the same states to a file for comparison.
fn ingest(sort: Sort, steps: usize, folder: &FilePath) -> inspector_model::RecordingId {
    let (store, _) = Store::open(folder).unwrap();
    let mut recorder = store.create("measure", 1.0, "").unwrap();
    let mut pages = Pages::new(sort);
    let mut raw = File::create(folder.join("raw")).unwrap();
    let (mut recording, mut appending, mut parsing) = (Duration::ZERO, Duration::ZERO, Duration::ZERO);
    let (mut last_flush, mut raw_flush) = (Duration::ZERO, Duration::ZERO);
    let mut append_times = Vec::with_capacity(steps);
    let mut raw_bytes = 0usize;
    let mut last: Option<Arc<Document>> = None;
    for number in 1..=steps {
        pages.turn();
        let text = pages.json();
        raw_bytes += text.len();
        if raw_bytes < 4 << 30 {
            appending += timed(|| raw.write_all(text.as_bytes()).unwrap());
            if appending > raw_flush + FLUSH_EVERY {
                appending += timed(|| raw.sync_data().unwrap());
                raw_flush = appending;
            }
        }
        if number <= 200 {
            parsing += timed(|| drop(black_box(serde_json::from_str::<serde_json::Value>(&text).unwrap())));
        }
        let start = Instant::now();
        let mut step = Step {
            key: format!("k{number:x}"),
            session: Some("0123456789abcdef".into()),
            state_bytes: text.len() as u64,
            duration_ms: Some(1.5),
            ..Step::new(StepKind::Event, "toggle", 1.79e9 + number as f64 * 0.37)
        };
        let after = match &last {
            None => NewState::Document(last.insert(Arc::new(Document::new(text).unwrap())).clone()),
            Some(before) => {
                let next = Arc::new(Document::after(before, text).unwrap());
                let delta = Arc::new(compare(before, &next, LONG));
                step.changes = ChangeCounts { ..delta.counts };
                step.changed =
                    delta.changes.iter().take(Step::MAX_CHANGED_PATHS).map(|change| delta.path(change.place).to_string()).collect();
                last = Some(next);
                NewState::Compared(delta)
            }
        };
        let detail = StepDetail { params: Some(format!("{{\"id\": {number}}}")), ..StepDetail::default() };
        recorder.append(NewStep { step, detail, before: NewState::Same, after, html: None }).unwrap();
        let took = start.elapsed();
        append_times.push(took);
        recording += took;
        if recording > last_flush + FLUSH_EVERY {
            recording += timed(|| recorder.flush().unwrap());
            last_flush = recording;
        }
    }
    recording += timed(|| recorder.flush().unwrap());
    appending += timed(|| raw.sync_data().unwrap());
    let id = recorder.id().clone();
    drop(recorder);
    let stored = store.recordings().unwrap()[0].bytes as usize;
    drop(store);
    std::fs::remove_file(folder.join("raw")).unwrap();
    let raw_steps = steps.min((4usize << 30) / (raw_bytes / steps)).max(1);
    let (per_step, per_raw, per_parse) = (recording / steps as u32, appending / raw_steps as u32, parsing / steps.min(200) as u32);
    let disk = disk_bytes(folder);
    append_times.sort_unstable();
    println!(
        "recorded, flush each 500 ms     {:>10.0} steps/s ({:.1} us; p50 {:.1}, p99 {:.1} us, {:.0} MB/s of states)",
        1.0 / per_step.as_secs_f64(),
        micros(per_step),
        micros(append_times[steps / 2]),
        micros(append_times[steps * 99 / 100]),
        raw_bytes as f64 / recording.as_secs_f64() / 1e6
    );
    println!(
        "raw append, sync each 500 ms    {:>10.0} steps/s; recorded is {:.2} x as fast",
        1.0 / per_raw.as_secs_f64(),
        per_raw.as_secs_f64() / per_step.as_secs_f64()
    );
    println!(
        "serde_json::Value alone         {:>10.0} steps/s; recorded is {:.1} x as fast",
        1.0 / per_parse.as_secs_f64(),
        per_parse.as_secs_f64() / per_step.as_secs_f64()
    );
    println!(
        "stored                          {:>10} bytes per step, 1/{} of before and after; {} on the disk",
        stored / steps,
        2 * raw_bytes / stored,
        disk / steps
    );
    id
}

/// What the disk has when every step is flushed alone: a slow day.
fn flush_each(sort: Sort, steps: usize) {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(folder.path()).unwrap();
    let mut recorder = store.create("measure", 1.0, "").unwrap();
    let mut pages = Pages::new(sort);
    let time = timed(|| {
        for number in 0..steps {
            pages.turn();
            let step = Step::new(StepKind::Event, "toggle", number as f64);
            let after = NewState::Text(pages.json());
            recorder.append(NewStep { step, detail: StepDetail::default(), before: NewState::Same, after, html: None }).unwrap();
            recorder.flush().unwrap();
        }
    });
    let stored = recorder.stats().bytes as usize;
    drop(recorder);
    drop(store);
    println!(
        "flushed after each of {steps:<6}    {:>10.0} steps/s, {} bytes per step, {} on the disk",
        steps as f64 / time.as_secs_f64(),
        stored / steps,
        disk_bytes(folder.path()) / steps
    );
}

fn questions(sort: Sort, steps: usize, folder: &FilePath, id: &inspector_model::RecordingId) {
    let start = Instant::now();
    let (store, _) = Store::open(folder).unwrap();
    let opened = start.elapsed();
    let reader = store.read(id).unwrap();
    let last = reader.info().steps;
    assert_eq!(reader.steps_in(last.saturating_sub(200)..last + 1).unwrap().len(), 201.min(steps));
    println!("open, last 200 summaries        {:>10.1} ms ({:.1} ms of it sled)", millis(start.elapsed()), millis(opened));
    let start = Instant::now();
    assert_eq!(reader.steps().unwrap().len(), steps);
    println!("all summaries                   {:>10.1} ms", millis(start.elapsed()));

    let mut random = Random::new(7);
    let cold = sorted((0..300).map(|_| {
        let reader = store.read(id).unwrap();
        let step = StepId(random.below(steps) as u64 + 1);
        timed(|| assert!(matches!(reader.state(step, Side::After).unwrap(), StateAnswer::Full(_))))
    }));
    println!(
        "any state, cold                 {:>10.0} us p50, {:.0} us p99",
        micros(cold[cold.len() / 2]),
        micros(cold[cold.len() * 99 / 100])
    );
    let mut cursor = reader.cursor();
    let first = random.below(steps - steps / 4) as u64 + 1;
    let range = 400.min(steps as u64 / 4);
    cursor.state(StepId(first), Side::After).unwrap();
    let forward = sorted((first + 1..first + range).map(|step| timed(|| drop(cursor.state(StepId(step), Side::After).unwrap()))));
    let back = sorted((first + 1..first + range).rev().map(|step| timed(|| drop(cursor.state(StepId(step), Side::After).unwrap()))));
    println!(
        "next state                      {:>10.1} us p50, {:.0} us p99",
        micros(forward[forward.len() / 2]),
        micros(forward[forward.len() * 99 / 100])
    );
    println!(
        "previous state                  {:>10.1} us p50, {:.0} us p99",
        micros(back[back.len() / 2]),
        micros(back[back.len() * 99 / 100])
    );

    let document = |step: StepId| match store.read(id).unwrap().state(step, Side::After).unwrap() {
        StateAnswer::Full(text) => Arc::new(Document::new(text).unwrap()),
        StateAnswer::Missing(why) => panic!("{why}"),
    };
    let any_two = sorted((0..100).map(|_| {
        let (a, b) = (StepId(random.below(steps) as u64 + 1), StepId(random.below(steps) as u64 + 1));
        timed(|| drop(black_box(compare(&document(a), &document(b), LONG))))
    }));
    println!("difference of any two, cold     {:>10.2} ms p50, {:.2} ms p99", millis(any_two[50]), millis(any_two[99]));

    let key = |key: &str| Segment::Key(key.to_owned());
    let path = Path(match sort {
        Sort::Counter => vec![key("count")],
        Sort::Table | Sort::Large | Sort::Pages => vec![key("rows"), Segment::Index(5), key("done")],
        Sort::Text => vec![key("body")],
    });
    let place = reader.place(StepId(last), Side::After, &path).unwrap();
    let start = Instant::now();
    let changes = reader.changes(&place, &Scope::Everywhere).unwrap();
    println!("first question about a path     {:>10.1} ms ({place}: {} changes)", millis(start.elapsed()), changes.len());
    let all = median((0..50).map(|_| timed(|| drop(black_box(reader.changes(&place, &Scope::Everywhere).unwrap())))));
    let top = reader.place(StepId(last), Side::After, &Path(path.0[..1].to_vec())).unwrap();
    let of_top = reader.changes(&top, &Scope::Everywhere).unwrap().len();
    let all_top = median((0..20).map(|_| timed(|| drop(black_box(reader.changes(&top, &Scope::Everywhere).unwrap())))));
    let one = median((0..200).map(|_| {
        let before = StepId(random.below(steps) as u64 + 1);
        timed(|| {
            assert!(black_box(reader.last_change_before(&place, &Scope::Everywhere, before).unwrap()).is_none_or(|step| step < before));
        })
    }));
    println!("all changes of it               {:>10.1} us; of {top} ({of_top} changes) {:.1} us", micros(all), micros(all_top));
    println!("the last before a step          {:>10.1} us", micros(one));

    for (text, what) in [("zzz not there", "nothing"), ("guitar harbor", "words")] {
        let mut search = reader.search(SearchOptions { text: text.into(), most: usize::MAX, ..SearchOptions::default() });
        let start = Instant::now();
        let (mut hits, mut first) = (0, None);
        while !search.is_done() {
            hits += search.run(Duration::from_millis(2)).unwrap().len();
            if hits > 0 && first.is_none() {
                first = Some(start.elapsed());
            }
        }
        println!(
            "search for {what:<10}           {:>10.1} ms, {hits} hits, the first after {:.1} ms",
            millis(start.elapsed()),
            first.map_or(0.0, millis)
        );
    }
}

fn timed(run: impl FnOnce()) -> Duration {
    let start = Instant::now();
    run();
    start.elapsed()
}

fn sorted(times: impl Iterator<Item = Duration>) -> Vec<Duration> {
    let mut times: Vec<Duration> = times.collect();
    times.sort_unstable();
    times
}

fn median(times: impl Iterator<Item = Duration>) -> Duration {
    let times = sorted(times);
    times[times.len() / 2]
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn disk_bytes(folder: &FilePath) -> usize {
    let mut sum = 0;
    for entry in std::fs::read_dir(folder.join("library")).unwrap().flatten() {
        let meta = entry.metadata().unwrap();
        sum += if meta.is_dir() {
            std::fs::read_dir(entry.path()).unwrap().flatten().map(|entry| entry.metadata().unwrap().len()).sum::<u64>()
        } else {
            meta.len()
        };
    }
    sum as usize
}

/// On other systems than Linux 0.
fn peak_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().split(' ').next()?.parse().ok()).unwrap_or_default()
}
