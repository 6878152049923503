//! Reads what criterion wrote.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::Context as _;
use inspector_bench::measure::{Measure, Role, folder};
use serde_json::Value;

/// Functions that are no peers but what the machine can do at best.
const LIMITS: [&str; 2] = ["memcpy", "memcmp"];

/// The medians, in microseconds. None of them where criterion has not run.
pub fn read() -> anyhow::Result<Vec<Measure>> {
    let counts: BTreeMap<String, usize> =
        fs::read(folder().join("counts.json")).map_or_else(|_| Ok(BTreeMap::new()), |bytes| serde_json::from_slice(&bytes))?;
    let mut measures = Vec::new();
    walk(&folder().with_file_name("criterion"), &mut |run| {
        let file = |name: &str| -> anyhow::Result<Value> { Ok(serde_json::from_slice(&fs::read(run.join(name))?)?) };
        let (about, estimates) = (file("benchmark.json")?, file("estimates.json")?);
        let text = |name: &str| about[name].as_str().map(str::to_owned).with_context(|| format!("criterion's {name}"));
        let (table, who, case) = (text("group_id")?, text("function_id")?, text("value_str")?);
        let role = match who.as_str() {
            who if LIMITS.contains(&who) => Role::Limit,
            who if who.starts_with("inspector") => Role::Own,
            _ => Role::Peer,
        };
        let value = estimates["median"]["point_estimate"].as_f64().map(|nanos| nanos / 1e3);
        let note = if table == "diff" { counts.get(&format!("{who}/{case}")).map(|count| format!("{count} changes")) } else { None };
        measures.push(Measure { table, role, who, case, value, note });
        Ok(())
    })?;
    Ok(measures)
}

/// Finds the newest run of each function.
fn walk(folder: &Path, found: &mut impl FnMut(&Path) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(()) };
    for entry in entries {
        let path = entry?.path();
        if path.ends_with("new") && path.join("benchmark.json").is_file() {
            found(&path)?;
        } else if path.is_dir() {
            walk(&path, found)?;
        }
    }
    Ok(())
}
