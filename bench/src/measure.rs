//! Figures, as they go from whoever measures to the report.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Whose figure it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The inspector's.
    Own,
    /// What the machine can do at best.
    Limit,
    /// Another tool's or library's.
    Peer,
}

/// One figure.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Measure {
    /// The table that it stands in: see `report/tables.rs`.
    pub table: String,
    /// Whose it is.
    pub role: Role,
    /// The row: what was measured.
    pub who: String,
    /// The column: on what.
    pub case: String,
    /// In the table's unit. `None` when it could not be done within its limits.
    pub value: Option<f64>,
    /// A word on it: the number of changes, or why there is no value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Figures of one group.
#[derive(Default)]
pub struct Sheet(Vec<Measure>);

impl Sheet {
    /// Takes a figure, and says it to whoever waits.
    pub fn put(&mut self, table: &str, role: Role, who: &str, case: &str, value: f64) {
        self.push(table, role, who, case, value, None);
    }

    /// The same with a note.
    pub fn put_noted(&mut self, table: &str, role: Role, who: &str, case: &str, value: f64, note: String) {
        self.push(table, role, who, case, value, Some(note));
    }

    fn push(&mut self, table: &str, role: Role, who: &str, case: &str, value: f64, note: Option<String>) {
        let remark = note.as_deref().unwrap_or_default();
        say(&format!("{table:<12} {case:<14} {who:<46} {value:>14.3} {remark}"));
        let measure = Measure { table: table.into(), role, who: who.into(), case: case.into(), value: Some(value), note };
        self.0.push(measure);
    }

    /// Takes what another process measured.
    pub fn extend(&mut self, figures: Vec<Measure>) {
        self.0.extend(figures);
    }

    /// All of them.
    pub fn into_measures(self) -> Vec<Measure> {
        self.0
    }

    /// Writes them to the file of the group.
    pub fn write(&self, group: &str) -> anyhow::Result<()> {
        let folder = folder();
        std::fs::create_dir_all(&folder)?;
        std::fs::write(folder.join(format!("{group}.json")), serde_json::to_vec_pretty(&self.0)?)?;
        Ok(())
    }
}

/// Where figures, and the data for other languages, are put: `target/bench`.
pub fn folder() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."));
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from).join("bench")
}

/// Tells how far it is.
#[expect(clippy::print_stderr, reason = "a measurement takes minutes, and somebody waits")]
pub fn say(line: &str) {
    eprintln!("{line}");
}
