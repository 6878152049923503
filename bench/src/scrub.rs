//! Any state of a recording, the ones beside it, and what differs between any two.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::bail;
use inspector_bench::chain::{Chain, EVERY};
use inspector_bench::clock::{micros, quantile, timed};
use inspector_bench::corpora::{Pages, Random, Sort};
use inspector_bench::measure::{Role, Sheet};
use inspector_bench::record::record;
use inspector_model::{RecordingId, Side, StateAnswer, StepId};
use inspector_store::{Reader, Store};
use inspector_tape::{Document, compare};
use serde_json::Value;

use crate::stores::Kind;

const LONG: Duration = Duration::from_secs(10);
const SAMPLES: usize = 300;
/// Each look is repeated, and the best counts: a machine that does something else for a moment is not what is measured.
const REPEATED: usize = 3;
/// Replaying patches is slow: so many states, and so many looks at them.
const PATCHED: usize = 2 * EVERY;

pub fn run(quick: bool) -> anyhow::Result<Sheet> {
    let mut sheet = Sheet::default();
    for sort in [Sort::Counter, Sort::Table, Sort::Large, Sort::Text] {
        let steps = (sort.steps() / if quick { 4 } else { 1 }).min(20_000);
        let folder = tempfile::tempdir()?;
        let (store, _) = Store::open(folder.path())?;
        let mut recorder = store.create("scrub", 1.0, "")?;
        record(&mut recorder, &mut Pages::new(sort), steps as u64, 1_000)?;
        let id = recorder.id().clone();
        drop(recorder);
        own(&store, &id, steps, sort, &mut sheet)?;
        drop(store);
        others(sort, steps.min(4 * EVERY), &mut sheet)?;
    }
    Ok(sheet)
}

fn put(sheet: &mut Sheet, table: &str, role: Role, who: &str, sort: Sort, mut times: Vec<Duration>) {
    for (name, part) in [("p50", 0.5), ("p99", 0.99)] {
        sheet.put(table, role, who, &format!("{} {name}", sort.letter()), micros(quantile(&mut times, part)));
    }
}

/// How long something takes that may fail.
fn timed_result<T>(run: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<Duration> {
    let start = Instant::now();
    black_box(run()?);
    Ok(start.elapsed())
}

/// Keeps the shortest time of each look.
fn shortest(times: &mut Vec<Duration>, run: Vec<Duration>) {
    if times.is_empty() {
        *times = run;
    } else {
        times.iter_mut().zip(run).for_each(|(time, other)| *time = other.min(*time));
    }
}

fn best(mut run: impl FnMut() -> anyhow::Result<Duration>) -> anyhow::Result<Duration> {
    (0..REPEATED).map(|_| run()).try_fold(Duration::MAX, |best, time| Ok(best.min(time?)))
}

fn text(reader: &Reader, step: StepId) -> anyhow::Result<Arc<str>> {
    match reader.state(step, Side::After)? {
        StateAnswer::Full(text) => Ok(text),
        StateAnswer::Missing(why) => bail!("step {step}: {why}"),
    }
}

fn own(store: &Store, id: &RecordingId, steps: usize, sort: Sort, sheet: &mut Sheet) -> anyhow::Result<()> {
    let mut random = Random::new(7);
    let mut any = |steps: usize| StepId(random.below(steps) as u64 + 1);
    let (mut cold, mut copied) = (Vec::new(), Vec::new());
    for _ in 0..SAMPLES {
        let step = any(steps);
        // A new reader has nothing at hand.
        cold.push(best(|| {
            let reader = store.read(id)?;
            timed_result(|| text(&reader, step))
        })?);
        let found = text(&store.read(id)?, step)?;
        copied.push(timed(|| drop(black_box(found.as_bytes().to_vec()))));
    }
    put(sheet, "scrub", Role::Own, "inspector, any state, nothing at hand", sort, cold);
    put(sheet, "scrub", Role::Limit, "memcpy of the state", sort, copied);

    let range = 400.min(steps as u64 / 4);
    let first = any(steps - range as usize).0;
    let (mut next, mut previous) = (Vec::new(), Vec::new());
    for _ in 0..REPEATED {
        let mut cursor = store.read(id)?.cursor();
        cursor.state(StepId(first), Side::After)?;
        let mut go = |step: u64| timed_result(|| Ok(cursor.state(StepId(step), Side::After)?));
        shortest(&mut next, (first + 1..first + range).map(&mut go).collect::<Result<_, _>>()?);
        shortest(&mut previous, (first + 1..first + range).rev().map(&mut go).collect::<Result<_, _>>()?);
    }
    put(sheet, "scrub", Role::Own, "inspector, the next state", sort, next);
    put(sheet, "scrub", Role::Own, "inspector, the previous state", sort, previous);

    let mut two = Vec::new();
    for _ in 0..SAMPLES / 3 {
        let (a, b) = (any(steps), any(steps));
        two.push(best(|| {
            let reader = store.read(id)?;
            timed_result(|| differ(&reader, a, b))
        })?);
    }
    put(sheet, "scrub", Role::Own, "inspector, any two compared", sort, two);
    Ok(())
}

fn differ(reader: &Reader, a: StepId, b: StepId) -> anyhow::Result<()> {
    let document = |step| anyhow::Ok(Arc::new(Document::new(text(reader, step)?)?));
    black_box(compare(&document(a)?, &document(b)?, LONG));
    Ok(())
}

fn others(sort: Sort, steps: usize, sheet: &mut Sheet) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut sqlite = Kind::Sqlite.create(folder.path())?;
    let (mut pages, mut chain, mut patches, mut wholes) = (Pages::new(sort), Chain::default(), Vec::new(), Vec::new());
    let mut last = Value::Null;
    for number in 0..steps {
        pages.turn();
        let text = pages.json();
        chain.push(text.as_bytes())?;
        sqlite.put(number as u64, &zstd::bulk::compress(text.as_bytes(), 3)?)?;
        if number < PATCHED {
            let tree: Value = serde_json::from_str(&text)?;
            if number.is_multiple_of(EVERY) {
                wholes.push(text);
                patches.push(String::new());
            } else {
                patches.push(serde_json::to_string(&json_patch::diff(&last, &tree))?);
            }
            last = tree;
        }
    }
    sqlite.flush()?;
    drop(sqlite);
    let mut random = Random::new(9);
    let times = |count: usize, among: usize, random: &mut Random, read: &dyn Fn(usize) -> anyhow::Result<usize>| {
        let mut times = Vec::new();
        for _ in 0..count {
            let number = random.below(among);
            times.push(best(|| timed_result(|| read(number)))?);
        }
        anyhow::Ok(times)
    };
    let looks = if sort == Sort::Large { 40 } else { 200 };
    let chained = times(looks, steps, &mut random, &|number| Ok(chain.state(number)?.len()))?;
    put(sheet, "scrub", Role::Peer, "zstd, the state before as prefix, whole every 256", sort, chained);
    let replayed = times(if sort == Sort::Large { 3 } else { 40 }, patches.len(), &mut random, &|number| {
        let first = number / EVERY * EVERY;
        let mut tree: Value = serde_json::from_str(&wholes[number / EVERY])?;
        for patch in &patches[first + 1..=number] {
            json_patch::patch(&mut tree, &serde_json::from_str::<json_patch::Patch>(patch)?)?;
        }
        Ok(serde_json::to_string(&tree)?.len())
    })?;
    put(sheet, "scrub", Role::Peer, "json-patch, replayed, whole every 256", sort, replayed);
    let db = rusqlite::Connection::open(folder.path().join("sqlite"))?;
    let mut query = db.prepare("SELECT frame FROM frames WHERE number = ?")?;
    let query = std::cell::RefCell::new(&mut query);
    let rows = times(looks, steps, &mut random, &|number| {
        let packed: Vec<u8> = query.borrow_mut().query_row([number as i64], |row| row.get(0))?;
        Ok(zstd::bulk::decompress(&packed, 16 << 20)?.len())
    })?;
    put(sheet, "scrub", Role::Peer, "SQLite, a row per state, zstd", sort, rows);
    Ok(())
}
