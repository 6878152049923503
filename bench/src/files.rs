//! The data for peers in other languages, as files: the pairs of states to compare, and states to record.

use std::fs;

use inspector_bench::corpora::{Pages, Sort};
use inspector_bench::measure::folder;
use inspector_bench::pairs::pairs;

/// States that a recorder is fed with, over and over.
const STATES: usize = 1_000;

/// Writes them to `target/bench/data`.
pub fn write() -> anyhow::Result<()> {
    let data = folder().join("data");
    fs::create_dir_all(&data)?;
    for pair in pairs() {
        fs::write(data.join(format!("{}.before.json", pair.name)), pair.before.as_bytes())?;
        fs::write(data.join(format!("{}.after.json", pair.name)), pair.after.as_bytes())?;
    }
    let mut pages = Pages::new(Sort::Table);
    let mut lines = String::new();
    for _ in 0..STATES {
        pages.turn();
        lines.push_str(&pages.json());
        lines.push('\n');
    }
    Ok(fs::write(data.join("states.ndjson"), lines)?)
}
