//! What is on screen of the lanes, counted: marks where there is room, densities where there is not.

use inspector_model::{Status, StepKind};

use super::super::timemap::TimeMap;
use crate::app::model::Model;
use crate::app::rows::{LANES, Tally, lane_of};

/// Size of a mark, points.
pub const MARK: f32 = 11.0;
/// Width of a bin of a crowded lane, points.
pub const BIN: f32 = 3.0;

/// Counted steps per lane and bin, kept until something changes.
#[derive(Default)]
pub struct Bins {
    key: Option<BinKey>,
    /// From the left.
    pub tallies: Vec<Tally>,
    /// All of them.
    pub total: Tally,
    /// Marks to draw one by one: lanes that are not crowded.
    pub marks: Vec<Mark>,
    /// Lanes that have more steps than there is room for marks.
    pub crowded: [bool; LANES.len()],
}

/// Rows, which of them, and the part of the time that is shown where.
type BinKey = (usize, u64, [u64; 2], [u32; 2]);

/// A step that is drawn by itself.
#[derive(Clone, Copy)]
pub struct Mark {
    /// Points.
    pub x: f32,
    pub lane: u8,
    pub kind: StepKind,
    pub status: Status,
    pub row: u32,
    /// In the timeline.
    pub position: u32,
}

/// Counts what is on screen, if anything changed since the last frame. Looks at a few steps per bin, however many there are.
pub fn count(bins: &mut Bins, model: &Model, map: TimeMap) {
    let Some(timeline) = model.timeline() else { return };
    let (rows, steps) = (&model.rows, timeline.steps());
    let key = (rows.len(), rows.epoch(), [map.from.to_bits(), map.to.to_bits()], [map.left.to_bits(), map.right.to_bits()]);
    if bins.key == Some(key) {
        return;
    }
    bins.key = Some(key);
    let width = ((map.right - map.left) / BIN).max(1.0) as usize + 1;
    let begin = rows.at_time(steps, map.from);
    let first = rows.tally_before(steps, begin);
    let (mut last, mut end) = (first, begin);
    bins.tallies.clear();
    for bin in 0..width {
        // What begins exactly at the end of the shown time is still shown.
        let until = if bin + 1 == width { map.to.next_up() } else { map.time(map.left + (bin + 1) as f32 * BIN) };
        end = rows.at_time(steps, until).max(end);
        let tally = rows.tally_before(steps, end);
        bins.tallies.push(tally.since(&last));
        last = tally;
    }
    bins.total = last.since(&first);
    let total = bins.total.steps;
    let room = ((map.right - map.left) / (MARK * 0.9)) as u32;
    // Trouble is rare and must not sink into a density: it keeps its marks longer.
    let trouble = LANES.len() - 1;
    bins.crowded = std::array::from_fn(|lane| total[lane] > if lane == trouble { room * 4 } else { room });
    bins.marks.clear();
    rows.of_lanes(steps, bins.crowded.map(|crowded| !crowded), begin..end, |row| {
        let position = rows.position(row).unwrap_or_default();
        if let Some((kind, status)) = steps.kind(position).zip(steps.status(position)) {
            let (x, lane) = (map.x(steps.when(position)), lane_of(kind) as u8);
            bins.marks.push(Mark { x, lane, kind, status, row: row as u32, position: position as u32 });
        }
    });
}
