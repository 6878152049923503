//! All figures of a run.

use std::fs;

use inspector_bench::measure::{Measure, Role, folder};

/// Files of figures in `target/bench`.
const SHEETS: [&str; 9] = ["ingest", "disk", "scrub", "big", "kills", "node", "python", "agent", "window"];

/// Figures by table, row and column.
pub struct Figures(Vec<Measure>);

impl Figures {
    /// Those of the files that are there, and others.
    pub fn new(mut all: Vec<Measure>) -> anyhow::Result<Self> {
        for sheet in SHEETS {
            if let Ok(bytes) = fs::read(folder().join(format!("{sheet}.json"))) {
                all.extend(serde_json::from_slice::<Vec<Measure>>(&bytes)?);
            }
        }
        Ok(Self(all))
    }

    /// All of them.
    pub fn all(&self) -> &[Measure] {
        &self.0
    }

    /// Those of a table.
    pub fn of(&self, table: &str) -> Vec<&Measure> {
        self.0.iter().filter(|measure| measure.table == table).collect()
    }

    /// One of them.
    pub fn value(&self, table: &str, who: &str, case: &str) -> Option<f64> {
        self.find(table, who, case)?.value
    }

    /// The number in its note.
    pub fn count(&self, table: &str, who: &str, case: &str) -> Option<f64> {
        count(self.find(table, who, case)?)
    }

    /// The others' figures of a case.
    pub fn peers(&self, table: &str, case: &str) -> impl Iterator<Item = &Measure> {
        self.0.iter().filter(move |measure| measure.table == table && measure.case == case && measure.role == Role::Peer)
    }

    fn find(&self, table: &str, who: &str, case: &str) -> Option<&Measure> {
        self.0.iter().find(|measure| measure.table == table && measure.who == who && measure.case == case)
    }
}

/// The number that a note begins with.
pub fn count(measure: &Measure) -> Option<f64> {
    measure.note.as_ref()?.split(' ').next()?.parse().ok()
}

/// A number as people read it: three digits that matter, thousands apart.
pub fn number(value: f64) -> String {
    let digits = match value.abs() {
        size if size >= 100.0 || size == 0.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 0.1 => 2,
        _ => 3,
    };
    let text = format!("{value:.digits$}");
    let (whole, rest) = text.split_once('.').map_or((text.as_str(), String::new()), |(whole, rest)| (whole, format!(".{rest}")));
    inspector_model::grouped(whole, ',') + &rest
}
