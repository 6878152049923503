//! Recordings of 100,000 and 1,000,000 steps: opening, after a kill and after a proper end, memory, and all that is asked of them.
//! Recording and reading have processes of their own, so that each one's memory is its own.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, ensure};
use inspector_bench::clock::median_of;
use inspector_bench::corpora::{Pages, Sort};
use inspector_bench::measure::{Measure, Role, Sheet};
use inspector_bench::record::record;
use inspector_store::Store;
use tempfile::TempDir;

use crate::process::{memory, peak_memory};
use crate::stores::Kind;
use crate::{frames, look};

/// Steps between two flushes.
const FLUSH_EVERY: u64 = 5_000;

/// How often a recording is opened.
const OPENED: usize = 3;

/// Frames in the databases that are opened for comparison: one per step of the smaller recording.
const KEPT: usize = 100_000;

pub fn run(quick: bool) -> anyhow::Result<Sheet> {
    let mut sheet = Sheet::default();
    for steps in if quick { [2_000, 10_000] } else { [100_000, 1_000_000] } {
        let case = if quick { format!("{steps}") } else { name(steps) };
        let folder = tempfile::tempdir()?;
        let mut child = child(&["fill", &steps.to_string()], folder.path())?;
        let peak: u64 = said(&mut child)?.parse()?;
        // Not one more byte is written.
        child.kill()?;
        child.wait()?;
        sheet.put("memory", Role::Own, "inspector, recording", &case, peak as f64 / 1e6);
        sheet.put("memory", Role::Limit, "8 bytes per step", &case, steps as f64 * 8e-6);
        // Opening it mends it: each time it is a copy of what was killed.
        let copies: Vec<TempDir> = (0..OPENED).map(|_| copy(folder.path())).collect::<Result<_, _>>()?;
        looked(&mut sheet, "killed", &case, copies.iter())?;
        let mended = copies.last().context("no copy")?;
        looked(&mut sheet, "ended", &case, std::iter::repeat_n(mended, OPENED))?;
        looked(&mut sheet, "asked", &case, std::iter::once(mended))?;
        look::scans(steps, &case, &mut sheet)?;
    }
    for kind in Kind::ALL {
        let folder = tempfile::tempdir()?;
        let frames = if quick { 500 } else { KEPT };
        let mut child = child(&["keep", kind.name(), &frames.to_string()], folder.path())?;
        said(&mut child)?;
        child.kill()?;
        child.wait()?;
        for case in ["after a kill", "after an end"] {
            let mut read = Ok(0);
            let time = inspector_bench::clock::timed(|| read = kind.reopen(folder.path()));
            ensure!(read? > 0, "nothing was read");
            sheet.put("open frames", if kind == Kind::Raw { Role::Limit } else { Role::Peer }, kind.name(), case, time.as_secs_f64() * 1e3);
        }
    }
    Ok(sheet)
}

/// Looks at recordings, each in a process of its own, and takes the median of each figure.
fn looked<'a>(sheet: &mut Sheet, part: &str, case: &str, folders: impl Iterator<Item = &'a TempDir>) -> anyhow::Result<()> {
    let mut runs: Vec<Vec<Measure>> = Vec::new();
    for folder in folders {
        let mut child = child(&["look", part, case], folder.path())?;
        runs.push(serde_json::from_str(&said(&mut child)?)?);
        ensure!(child.wait()?.success(), "looking at the recording failed");
    }
    let mut figures = runs.first().cloned().unwrap_or_default();
    for (nth, figure) in figures.iter_mut().enumerate() {
        figure.value = Some(median_of(runs.iter().filter_map(|run| run.get(nth)?.value).collect()));
    }
    sheet.extend(figures);
    Ok(())
}

/// A copy of a folder.
fn copy(from: &Path) -> anyhow::Result<TempDir> {
    fn into(from: &Path, to: &Path) -> std::io::Result<()> {
        fs::create_dir_all(to)?;
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            let to = to.join(entry.file_name());
            if entry.file_type()?.is_dir() { into(&entry.path(), &to)? } else { fs::copy(entry.path(), to).map(drop)? }
        }
        Ok(())
    }
    let folder = tempfile::tempdir()?;
    into(from, folder.path())?;
    Ok(folder)
}

/// How tables call so many steps.
fn name(steps: u64) -> String {
    if steps.is_multiple_of(1_000_000) { format!("{} M", steps / 1_000_000) } else { format!("{},000", steps / 1_000) }
}

/// A process of this program that works on a folder.
pub fn child(arguments: &[&str], folder: &Path) -> anyhow::Result<Child> {
    Ok(Command::new(std::env::current_exe()?).args(arguments).arg(folder).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?)
}

/// The line that it says.
fn said(child: &mut Child) -> anyhow::Result<String> {
    let mut line = String::new();
    BufReader::new(child.stdout.take().context("no output")?).read_line(&mut line)?;
    ensure!(!line.is_empty(), "a process of the measurement has ended without a word");
    Ok(line.trim().to_owned())
}

/// The process that records: says its memory above an empty recording's, and waits for its end.
pub fn fill(steps: u64, folder: &Path) -> anyhow::Result<()> {
    let (store, _) = Store::open(folder)?;
    let mut recorder = store.create("big", 1.0, "")?;
    let empty = memory();
    record(&mut recorder, &mut Pages::new(Sort::Table), steps, FLUSH_EVERY)?;
    answer(&(peak_memory() - empty).to_string())?;
    wait();
    std::mem::forget((recorder, store));
    Ok(())
}

/// The process that keeps frames in a database, flushes, and waits for its end.
pub fn keep(kind: &str, count: usize, folder: &Path) -> anyhow::Result<()> {
    let kind = Kind::ALL.into_iter().find(|known| known.name() == kind).context("no such database")?;
    let mut keeper = kind.create(folder)?;
    let few = frames::frames(Sort::Table, 1_000.min(count));
    for number in 0..count {
        keeper.put(number as u64, few[number % few.len()].as_bytes())?;
        if number % 1_000 == 999 {
            keeper.flush()?;
        }
    }
    keeper.flush()?;
    answer("kept")?;
    wait();
    std::mem::forget(keeper);
    Ok(())
}

/// Says a line to the process that started this one.
pub fn answer(line: &str) -> anyhow::Result<()> {
    use std::io::Write as _;
    let mut out = std::io::stdout();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}

/// Waits until the other process closes the pipe or kills this one.
fn wait() {
    let _ = std::io::stdin().read_line(&mut String::new());
}
