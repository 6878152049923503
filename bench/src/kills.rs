//! What is lost when the recorder is killed: nothing that was flushed.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use inspector_bench::corpora::{Pages, Random, Sort};
use inspector_bench::measure::{Role, Sheet};
use inspector_bench::record::Steps;
use inspector_model::{Side, StateAnswer, StepId};
use inspector_store::Store;

use crate::big::{answer, child};
use crate::stores::FLUSH_EVERY;

pub fn run(quick: bool) -> anyhow::Result<Sheet> {
    let mut sheet = Sheet::default();
    let mut random = Random::new(3);
    let kills = if quick { 3 } else { 100 };
    let (mut lost, mut unflushed) = (0, 0);
    for _ in 0..kills {
        let folder = tempfile::tempdir()?;
        let (flushed, appended) = kill(folder.path(), &mut random)?;
        let (store, report) = Store::open(folder.path())?;
        ensure!(report.set_aside.is_none(), "the library was damaged");
        let id = store.recordings()?.pop().context("no recording")?.id;
        let reader = store.read(&id)?;
        let steps = reader.steps()?.len() as u64;
        lost += flushed.saturating_sub(steps);
        unflushed = unflushed.max(appended.saturating_sub(steps));
        let last = reader.state(StepId(steps), Side::After)?;
        ensure!(matches!(last, StateAnswer::Full(_)), "the last step has no state: {last:?}");
    }
    let case = format!("{kills} kills");
    sheet.put("loss", Role::Own, "inspector, flushed steps lost", &case, lost as f64);
    sheet.put("loss", Role::Own, "inspector, most steps lost that were not flushed", &case, unflushed as f64);
    Ok(sheet)
}

/// Kills a recorder somewhere. How many steps it had flushed, and at least how many it had.
fn kill(folder: &Path, random: &mut Random) -> anyhow::Result<(u64, u64)> {
    let mut child = child(&["record"], folder)?;
    let mut lines = BufReader::new(child.stdout.take().context("no output")?).lines();
    lines.next().context("it does not begin")??;
    std::thread::sleep(Duration::from_millis(300 + random.below(900) as u64));
    child.kill()?;
    child.wait()?;
    let (mut flushed, mut appended) = (0, 0);
    // A line may have been cut off, but then its end is missing too.
    for line in lines.map_while(Result::ok) {
        if let Some((what, steps)) = line.split_once(' ') {
            let steps: u64 = steps.strip_suffix('.').and_then(|steps| steps.parse().ok()).unwrap_or_default();
            *if what == "flushed" { &mut flushed } else { &mut appended } = steps;
        }
    }
    Ok((flushed, appended.max(flushed)))
}

/// The process that records until it is killed, and flushes as the engine does.
pub fn record(folder: &Path) -> anyhow::Result<()> {
    let (store, _) = Store::open(folder)?;
    let mut recorder = store.create("kills", 1.0, "")?;
    let (mut pages, mut maker, mut flushed) = (Pages::new(Sort::Table), Steps::default(), Instant::now());
    for number in 1u64.. {
        pages.turn();
        recorder.append(maker.next(pages.json())?)?;
        if number == 1 {
            recorder.flush()?;
            answer("begun")?;
        }
        if number.is_multiple_of(100) {
            answer(&format!("appended {number}."))?;
        }
        if flushed.elapsed() >= FLUSH_EVERY {
            recorder.flush()?;
            answer(&format!("flushed {number}."))?;
            flushed = Instant::now();
        }
    }
    Ok(())
}
