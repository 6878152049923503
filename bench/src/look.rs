//! What is asked of a large recording, in a process of its own.

use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use inspector_bench::clock::{median, micros, millis, timed};
use inspector_bench::corpora::{Pages, Random, Sort};
use inspector_bench::measure::{Role, Sheet};
use inspector_model::{Block, Path as StatePath, RecordingId, Scope, SearchOptions, Segment, Side, StepId, Steps};
use inspector_store::{Reader, Store};
use serde_json::Value;
use sonic_rs::JsonValueTrait as _;

use crate::process::{memory, peak_memory};

/// States that are scanned for comparison; the time of all steps is this many times longer.
const SCANNED: usize = 1_000;
/// What is searched for.
const WORDS: &str = "guitar harbor";
/// How long a search may take of a frame.
const SLICE: Duration = Duration::from_millis(2);
/// How often it is searched for.
const SEARCHES: usize = 5;
/// Summaries that a window shows at first.
const SHOWN: u64 = 200;

/// Steps that are read in at a time.
const PORTION: usize = 4 * Block::STEPS;

/// `part`: after the recorder was killed, after it ended, or everything that is asked of an open one.
pub fn look(part: &str, case: &str, folder: &Path) -> anyhow::Result<Sheet> {
    let mut sheet = Sheet::default();
    let empty = memory();
    let start = Instant::now();
    let (store, _) = Store::open(folder)?;
    let id = store.recordings()?.pop().context("no recording")?.id;
    let reader = store.read(&id)?;
    let last = reader.info().steps;
    let shown = reader.steps_in(last.saturating_sub(SHOWN - 1)..last + 1)?.len() as u64;
    ensure!(shown == SHOWN.min(last), "{shown} summaries were read");
    let opened = millis(start.elapsed());
    match part {
        "killed" => {
            sheet.put("open", Role::Own, "inspector, after a kill, first timeline frame", case, opened);
            // The end that the killed one did not have.
            drop(store.resume(&id)?);
            ensure!(reader.info().steps == last, "steps were lost");
        }
        "ended" => {
            sheet.put("open", Role::Own, "inspector, first timeline frame", case, opened);
            // As the engine reads a recording in, a portion at a time.
            let mut all = Steps::default();
            let time = timed(|| {
                for first in (1..=last).step_by(PORTION) {
                    for step in reader.steps_in(first..first + PORTION as u64).unwrap_or_default() {
                        all.push(&step);
                    }
                }
            });
            ensure!(all.len() as u64 == last, "{} of {last} summaries were read", all.len());
            sheet.put("open", Role::Own, "inspector, and all summaries", case, opened + millis(time));
            sheet.put("memory", Role::Own, "inspector, open, with the timeline", case, (peak_memory() - empty) as f64 / 1e6);
        }
        _ => {
            changes(&reader, last, case, &mut sheet)?;
            search(&store, &id, case, &mut sheet)?;
            sheet.put("memory", Role::Own, "inspector, open, after questions", case, (peak_memory() - empty) as f64 / 1e6);
        }
    }
    Ok(sheet)
}

fn done() -> StatePath {
    StatePath(vec![Segment::Key("rows".into()), Segment::Index(5), Segment::Key("done".into())])
}

fn changes(reader: &Reader, last: u64, case: &str, sheet: &mut Sheet) -> anyhow::Result<()> {
    let place = reader.place(StepId(last), Side::After, &done())?;
    let mut found = Vec::new();
    let first = timed(|| found = reader.changes(&place, &Scope::Everywhere).unwrap_or_default());
    ensure!(!found.is_empty(), "no changes of {place}");
    let top = reader.place(StepId(last), Side::After, &StatePath(vec![Segment::Key("rows".into())]))?;
    let of_top = reader.changes(&top, &Scope::Everywhere)?.len();
    let all = |place| median((0..25).map(|_| timed(|| drop(black_box(reader.changes(place, &Scope::Everywhere))))).collect());
    let mut random = Random::new(7);
    let one = median(
        (0..200)
            .map(|_| {
                let before = StepId(random.below(last as usize) as u64 + 1);
                timed(|| drop(black_box(reader.last_change_before(&place, &Scope::Everywhere, before))))
            })
            .collect(),
    );
    let noted = |sheet: &mut Sheet, who, time, count: usize| {
        sheet.put_noted("when", Role::Own, who, case, micros(time), format!("{count} changes"));
    };
    noted(sheet, "inspector, the last change before a step", one, 1);
    noted(sheet, "inspector, the first question of all", first, found.len());
    noted(sheet, "inspector, all changes of a field", all(&place), found.len());
    noted(sheet, "inspector, all changes of a list", all(&top), of_top);
    Ok(())
}

fn search(store: &Store, id: &RecordingId, case: &str, sheet: &mut Sheet) -> anyhow::Result<()> {
    let (mut all, mut first, mut found) = (Vec::new(), Vec::new(), 0);
    for _ in 0..SEARCHES {
        // A new reader has nothing at hand.
        let options = SearchOptions { text: WORDS.into(), most: usize::MAX, ..SearchOptions::default() };
        let mut search = store.read(id)?.search(options);
        let start = Instant::now();
        let (mut hits, mut first_hits) = (0, None);
        while !search.is_done() {
            hits += search.run(SLICE)?.len();
            if hits > 0 && first_hits.is_none() {
                first_hits = Some(start.elapsed());
            }
        }
        all.push(start.elapsed());
        first.push(first_hits.context("nothing was found")?);
        found = hits;
    }
    sheet.put_noted("search", Role::Own, "inspector, all hits", case, millis(median(all)), format!("{found} hits"));
    sheet.put("search", Role::Own, "inspector, first hits", case, millis(median(first)));
    Ok(())
}

/// The same questions without an index, over some states; the times are scaled to all steps.
pub fn scans(steps: u64, case: &str, sheet: &mut Sheet) -> anyhow::Result<()> {
    let (mut pages, mut raw, mut packed) = (Pages::new(Sort::Table), Vec::new(), Vec::new());
    for _ in 0..SCANNED {
        pages.turn();
        let text = pages.json();
        packed.push(zstd::bulk::compress(text.as_bytes(), 3)?);
        raw.push(text);
    }
    let scale = steps as f64 / SCANNED as f64;
    let finder = memchr::memmem::Finder::new(WORDS);
    let found = timed(|| {
        black_box(raw.iter().filter(|text| finder.find(text.as_bytes()).is_some()).count());
    });
    sheet.put("search", Role::Peer, "memmem over the states in memory", case, millis(found) * scale);
    let limit = 16 << 20;
    let found = timed(|| {
        let read = packed.iter().filter_map(|packed| zstd::bulk::decompress(packed, limit).ok());
        black_box(read.filter(|text| finder.find(text).is_some()).count());
    });
    sheet.put("search", Role::Peer, "memmem over states kept with zstd", case, millis(found) * scale);
    let value = timed(|| {
        for text in &raw {
            black_box(serde_json::from_str::<Value>(text).ok().and_then(|value| value.pointer("/rows/5/done").cloned()));
        }
    });
    sheet.put("when", Role::Peer, "serde_json::Value over the states in memory", case, micros(value) * scale);
    let lazy = timed(|| {
        for text in &raw {
            black_box(sonic_rs::get(text.as_ref(), sonic_rs::pointer!["rows", 5, "done"]).ok().and_then(|value| value.as_bool()));
        }
    });
    sheet.put("when", Role::Peer, "sonic-rs lookup over the states in memory", case, micros(lazy) * scale);
    let unpacked = timed(|| {
        for packed in &packed {
            let text = zstd::bulk::decompress(packed, limit).unwrap_or_default();
            black_box(sonic_rs::get(text.as_slice(), sonic_rs::pointer!["rows", 5, "done"]).ok().and_then(|value| value.as_bool()));
        }
    });
    sheet.put("when", Role::Peer, "sonic-rs lookup over states kept with zstd", case, micros(unpacked) * scale);
    Ok(())
}
