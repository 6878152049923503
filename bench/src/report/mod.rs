//! From figures to `docs/PERFORMANCE.md`: the tables, and which goals are reached.

mod criterion;
mod figures;
mod goals;
mod tables;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, ensure};
use inspector_bench::measure::{folder, say};

use figures::Figures;

const BEGIN: &str = "<!-- begin: written by cargo xtask bench -->";
const END: &str = "<!-- end: written by cargo xtask bench -->";

/// Puts everything that was measured into the document, and into `target/bench/results.json`.
pub fn write() -> anyhow::Result<()> {
    let figures = Figures::new(criterion::read()?)?;
    fs::write(folder().join("results.json"), serde_json::to_vec_pretty(figures.all())?)?;
    let goals = goals::check(&figures);
    let mut text = String::new();
    let machine = machine();
    writeln!(text, "{machine}\n\n## Goals\n\n{}\n## Figures\n", goals::table(&goals))?;
    text.push_str(&tables::all(&figures));
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/PERFORMANCE.md");
    let old = fs::read_to_string(&page).with_context(|| format!("there is no {}", page.display()))?;
    let (head, rest) = old.split_once(BEGIN).context("docs/PERFORMANCE.md has no place for the tables")?;
    let (_, tail) = rest.split_once(END).context("docs/PERFORMANCE.md has no end of the tables")?;
    fs::write(&page, format!("{head}{BEGIN}\n\n{}\n\n{END}{tail}", text.trim()))?;
    let missed: Vec<String> = goals.iter().filter(|goal| goal.reached() == Some(false)).map(ToString::to_string).collect();
    say(&format!("docs/PERFORMANCE.md is written; goals not reached: {}", missed.len()));
    for line in &missed {
        say(line);
    }
    ensure!(!goals.is_empty(), "nothing was measured");
    Ok(())
}

/// What it ran on.
fn machine() -> String {
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let models: Vec<&str> =
        cpuinfo.lines().filter_map(|line| line.strip_prefix("model name")?.split_once(": ")).map(|(_, name)| name).collect();
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let memory = memory.lines().find_map(|line| line.strip_prefix("MemTotal:")?.trim().split(' ').next()?.parse::<u64>().ok());
    format!(
        "Measured on {} cores ({}), {} GB of memory, {} {}.",
        models.len(),
        models.first().copied().unwrap_or("of unknown make"),
        memory.unwrap_or_default() / 1_000_000,
        std::env::consts::OS,
        std::env::consts::ARCH
    )
}
