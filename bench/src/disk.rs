//! Bytes that are kept per step.

use std::io;
use std::sync::Arc;

use inspector_bench::chain::Chain;
use inspector_bench::corpora::{Pages, Sort};
use inspector_bench::measure::{Role, Sheet};
use inspector_bench::record::Steps;
use inspector_store::Store;
use serde_json::Value;

use crate::frames;
use crate::stores::disk_bytes;

/// Steps between two flushes: what 500 ms hold at the speed at which they are recorded here, or more.
const FLUSH_EVERY: usize = 1_000;
/// Patches that are compressed together.
const BLOCK: usize = 256;
/// JSON patches are slow to make: so many states are enough.
const PATCHED: usize = 300;
/// Steps of the recording that is flushed after each.
const FLUSHED_EACH: usize = 2_000;

pub fn run(quick: bool) -> anyhow::Result<Sheet> {
    let mut sheet = Sheet::default();
    for sort in Sort::ALL {
        let steps = sort.steps() / if quick { 10 } else { 1 };
        measure(sort, steps, &mut sheet)?;
        let (stored, disk) = flushed_each(sort, steps.min(FLUSHED_EACH))?;
        sheet.put("disk", Role::Own, "inspector, flushed after each step", sort.letter(), stored);
        sheet.put("disk", Role::Own, "inspector, flushed after each, sled's files", sort.letter(), disk);
    }
    Ok(sheet)
}

fn measure(sort: Sort, steps: usize, sheet: &mut Sheet) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let (store, _) = Store::open(folder.path())?;
    let mut recorder = store.create("disk", 1.0, "")?;
    let (mut pages, mut maker, mut chain, mut patches) = (Pages::new(sort), Steps::default(), Chain::default(), Patches::default());
    let (mut raw, mut alone) = (0, 0);
    for number in 1..=steps {
        pages.turn();
        let text = pages.json();
        raw += text.len();
        alone += zstd::bulk::compress(text.as_bytes(), 3)?.len();
        chain.push(text.as_bytes())?;
        if number <= PATCHED {
            patches.push(&text)?;
        }
        recorder.append(maker.next(text)?)?;
        if number.is_multiple_of(FLUSH_EVERY) {
            recorder.flush()?;
        }
    }
    drop(recorder);
    let stored = store.recordings()?.first().map_or(0, |info| info.bytes);
    drop(store);
    let disk = disk_bytes(&folder.path().join("library"))?;
    let per_step = |bytes: u64| bytes as f64 / steps as f64;
    let mut put = |role, who: &str, value| sheet.put("disk", role, who, sort.letter(), value);
    put(Role::Own, "inspector, with indexes and logs", per_step(stored));
    put(Role::Own, "inspector, sled's files", per_step(disk));
    put(Role::Limit, "a frame with the states before and after", per_step(2 * raw as u64) + frames::envelope() as f64);
    put(Role::Peer, "zstd of the state after", per_step(alone as u64));
    put(Role::Peer, "zstd, the state before as prefix", per_step(chain.bytes() as u64));
    put(Role::Peer, "json-patch, zstd of 256", patches.bytes()? as f64 / steps.min(PATCHED) as f64);
    Ok(())
}

/// What a slow day makes.
fn flushed_each(sort: Sort, steps: usize) -> anyhow::Result<(f64, f64)> {
    let folder = tempfile::tempdir()?;
    let (store, _) = Store::open(folder.path())?;
    let mut recorder = store.create("disk", 1.0, "")?;
    inspector_bench::record::record(&mut recorder, &mut Pages::new(sort), steps as u64, 1)?;
    drop(recorder);
    let stored = store.recordings()?.first().map_or(0, |info| info.bytes);
    drop(store);
    let disk = disk_bytes(&folder.path().join("library"))?;
    Ok((stored as f64 / steps as f64, disk as f64 / steps as f64))
}

/// RFC 6902 patches, a whole state at the head of each block.
#[derive(Default)]
struct Patches {
    last: Option<Value>,
    block: Vec<u8>,
    count: usize,
    packed: usize,
}

impl Patches {
    fn push(&mut self, text: &Arc<str>) -> anyhow::Result<()> {
        let tree: Value = serde_json::from_str(text)?;
        match &self.last {
            Some(last) if !self.count.is_multiple_of(BLOCK) => serde_json::to_writer(&mut self.block, &json_patch::diff(last, &tree))?,
            _ => {
                self.pack()?;
                self.block.extend_from_slice(text.as_bytes());
            }
        }
        self.block.push(b'\n');
        self.count += 1;
        self.last = Some(tree);
        Ok(())
    }

    fn pack(&mut self) -> io::Result<()> {
        if !self.block.is_empty() {
            self.packed += zstd::bulk::compress(&self.block, 3)?.len();
            self.block.clear();
        }
        Ok(())
    }

    fn bytes(mut self) -> io::Result<usize> {
        self.pack()?;
        Ok(self.packed)
    }
}
