//! Measures one group of figures and writes them to `target/bench/<group>.json`. `cargo xtask bench` runs all of them.

mod big;
mod disk;
mod files;
mod frames;
mod ingest;
mod kills;
mod look;
mod process;
mod report;
mod scrub;
mod sender;
mod stores;

use std::path::{Path, PathBuf};

use clap::{Parser, Subcommand};
use inspector_bench::corpora::Sort;

/// The benchmark's parts.
#[derive(Parser)]
#[command(name = "inspector-bench")]
struct Arguments {
    /// Less of everything: to see whether it runs, not for figures.
    #[arg(long, global = true)]
    quick: bool,
    #[command(subcommand)]
    part: Part,
}

#[derive(Subcommand)]
enum Part {
    /// From the socket to the disk.
    Ingest {
        /// One page only.
        page: Option<String>,
    },
    /// Bytes per step.
    Disk,
    /// Any state, the next, the previous, and what differs between two.
    Scrub,
    /// Opening, asking, searching, memory, at 100,000 and 1,000,000 steps.
    Big,
    /// What is lost when the recorder is killed.
    Kills,
    /// Write the data for peers in other languages to `target/bench/data`.
    Files,
    /// Put what is in `target/bench` into `docs/PERFORMANCE.md`.
    Report,
    /// Serve frames: the other process of `ingest`.
    #[command(hide = true)]
    Send { sort: String, steps: usize },
    /// Record so many steps, and wait: the other process of `big`.
    #[command(hide = true)]
    Fill { steps: u64, folder: PathBuf },
    /// Keep frames in a database, and wait.
    #[command(hide = true)]
    Keep { kind: String, frames: usize, folder: PathBuf },
    /// Look at what `fill` recorded.
    #[command(hide = true)]
    Look { part: String, case: String, folder: PathBuf },
    /// Record without end: the other process of `kills`.
    #[command(hide = true)]
    Record { folder: PathBuf },
}

fn main() -> anyhow::Result<()> {
    let Arguments { quick, part } = Arguments::parse();
    let sort = |letter: &str| Sort::of_letter(letter).ok_or_else(|| anyhow::anyhow!("there is no page {letter}"));
    match part {
        Part::Ingest { page } => ingest::run(quick, page.as_deref().map(sort).transpose()?)?.write("ingest"),
        Part::Disk => disk::run(quick)?.write("disk"),
        Part::Scrub => scrub::run(quick)?.write("scrub"),
        Part::Big => big::run(quick)?.write("big"),
        Part::Kills => kills::run(quick)?.write("kills"),
        Part::Files => files::write(),
        Part::Report => report::write(),
        Part::Send { sort: letter, steps } => sender::serve(sort(&letter)?, steps),
        Part::Fill { steps, folder } => big::fill(steps, &folder),
        Part::Keep { kind, frames, folder } => big::keep(&kind, frames, &folder),
        Part::Look { part, case, folder } => look(&part, &case, &folder),
        Part::Record { folder } => kills::record(&folder),
    }
}

fn look(part: &str, case: &str, folder: &Path) -> anyhow::Result<()> {
    big::answer(&serde_json::to_string(&look::look(part, case, folder)?.into_measures())?)
}
