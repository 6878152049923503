//! What a screen reader says of the timeline, which is painted and has no parts.

use super::super::timemap::TimeMap;
use super::brush;
use super::count::Bins;
use crate::app::model::Model;
use crate::app::rows::LANES;
use crate::format;

/// What is in view, lane by lane; the selected step; the range.
pub fn of(model: &Model, bins: &Bins, map: TimeMap) -> String {
    let total = bins.total;
    let all: u32 = total.steps.iter().sum();
    let lanes: Vec<String> = LANES
        .iter()
        .enumerate()
        .filter(|(lane, _)| total.steps[*lane] > 0)
        .map(|(lane, (name, _))| match total.bad[lane] {
            0 => format!("{name} {}", total.steps[lane]),
            bad => format!("{name} {}, of which {bad} did not end well", total.steps[lane]),
        })
        .collect();
    let mut parts =
        vec![format!("{} from {} to {}", format::plural(u64::from(all), "step", "steps"), format::clock(map.from), format::clock(map.to))];
    parts.extend((!lanes.is_empty()).then(|| lanes.join("; ")));
    if let Some(step) = model.step() {
        let row = match model.selected_row() {
            Some(Ok(row)) => format!(", {} of {}", row + 1, model.rows.len()),
            _ => ", not among the shown steps".to_owned(),
        };
        let clock = format::clock(step.started);
        parts.push(format!("Selected step {}, {} {}, {clock}{row}", step.id, step.kind.label(), format::clip(&step.name, 60)));
    }
    if let Some(((from, to), words)) = model.brush.zip(brush::words(model)) {
        let steps = model.brushed().map_or_else(String::new, |(first, last)| format!(": {first} to {last}"));
        parts.push(format!("Range from {} to {}, {words}{steps}", format::clock(from), format::clock(to)));
    }
    parts.join(". ")
}
