//! The tables: a row per who, a column per case, in each cell the figure and how many times as good the inspector is.

use std::fmt::Write as _;

use inspector_bench::measure::{Measure, Role};

use super::figures::{Figures, number};

/// Which figures are better.
#[derive(Clone, Copy, PartialEq)]
enum Better {
    Less,
    More,
}

struct Table {
    key: &'static str,
    title: &'static str,
    about: &'static str,
    better: Better,
}

const fn table(key: &'static str, title: &'static str, about: &'static str, better: Better) -> Table {
    Table { key, title, about, better }
}

const TABLES: [Table; 16] = [
    table("ingest", "From the socket to the disk", "Steps per second, the end of a run is on the disk.", Better::More),
    table("ingest disk", "What the disk has then", "Bytes per step, of runs that last about a second.", Better::Less),
    table("ingest cpu", "What it costs of the processor", "Microseconds of CPU time per step, all threads.", Better::Less),
    table("encode", "Taking in a step without a socket", "Microseconds for the states before and after it.", Better::Less),
    table("parse", "Checking a state", "Microseconds.", Better::Less),
    table(
        "diff",
        "What differs between two states",
        "Microseconds, and how many changes are told. The inspector begins with bytes, the others with trees.",
        Better::Less,
    ),
    table("disk", "What is kept", "Bytes per step.", Better::Less),
    table("scrub", "Any state of a recording", "Microseconds.", Better::Less),
    table("open", "Opening a recording", "Milliseconds, by steps.", Better::Less),
    table(
        "open frames",
        "Opening what others keep of 100,000 steps",
        "Milliseconds until the last frame is read. Their frames are gigabytes.",
        Better::Less,
    ),
    table("when", "When did a path change", "Microseconds, by steps.", Better::Less),
    table("search", "Text in all values", "Milliseconds, by steps.", Better::Less),
    table("memory", "Memory above an empty program's", "Megabytes at the peak, by steps.", Better::Less),
    table("loss", "Killed while recording", "Steps.", Better::Less),
    table("agent", "What the agent costs the server", "Microseconds of CPU time per event, by bytes of the state.", Better::Less),
    table("window", "What the window costs", "Milliseconds of CPU time per frame.", Better::Less),
];

/// Rows of criterion's that the others are compared with.
const FIRST: [&str; 2] = ["inspector, from bytes", "inspector, along the state before"];

/// All tables that have figures.
pub fn all(figures: &Figures) -> String {
    let mut text = String::new();
    for table in &TABLES {
        let rows = figures.of(table.key);
        if !rows.is_empty() {
            let _ = writeln!(text, "### {}\n\n{}\n\n{}", table.title, table.about, markdown(table, &rows));
        }
    }
    text
}

fn markdown(table: &Table, measures: &[&Measure]) -> String {
    let cases = in_order(measures.iter().map(|measure| measure.case.as_str()));
    let mut rows: Vec<(Role, &str)> = Vec::new();
    for measure in measures {
        if !rows.iter().any(|(_, who)| *who == measure.who) {
            rows.push((measure.role, &measure.who));
        }
    }
    // Criterion's come in the order of their folders.
    rows.sort_by_key(|(role, who)| (*role, !FIRST.contains(who)));
    let find = |who: &str, case: &str| measures.iter().find(|measure| measure.who == who && measure.case == case).copied();
    let mut text = format!("| | {} |\n|---|{}\n", cases.join(" | "), "---:|".repeat(cases.len()));
    let own = rows.first().filter(|(role, _)| *role == Role::Own).map(|(_, who)| *who);
    for (role, who) in rows {
        let name = match role {
            Role::Own => format!("**{who}**"),
            Role::Limit => format!("*{who}*"),
            Role::Peer => who.to_owned(),
        };
        let _ = write!(text, "| {name} |");
        for case in &cases {
            let reference = own.filter(|_| role != Role::Own).and_then(|own| find(own, case)).and_then(|measure| measure.value);
            let _ = write!(text, " {} |", find(who, case).map_or_else(String::new, |measure| cell(table.better, measure, reference)));
        }
        text.push('\n');
    }
    text
}

fn cell(better: Better, measure: &Measure, own: Option<f64>) -> String {
    let note = measure.note.as_deref().map_or_else(String::new, |note| format!(" ({})", note.trim_end_matches(" changes")));
    let Some(value) = measure.value else { return measure.note.clone().unwrap_or_default() };
    let ratio = own.filter(|own| *own > 0.0 && value > 0.0).map(|own| if better == Better::Less { value / own } else { own / value });
    let ratio = ratio.map_or_else(String::new, |ratio| format!(" · {}×", number(ratio)));
    format!("{}{ratio}{note}", number(value))
}

fn in_order<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut seen: Vec<&str> = Vec::new();
    for name in names {
        if !seen.contains(&name) {
            seen.push(name);
        }
    }
    // By letter, as the pages are named; numbers of steps come in their order already.
    if seen.iter().all(|name| name.starts_with(|first: char| first.is_ascii_lowercase())) {
        seen.sort_unstable();
    }
    seen
}
