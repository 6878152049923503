//! Where jumps and replays forked, in the lane of travel.

use egui::{Painter, Shape, Stroke, epaint::CubicBezierShape, pos2};
use inspector_model::StepKind;

use super::super::timemap::TimeMap;
use super::Field;
use super::count::Bins;
use crate::app::model::Model;
use crate::app::rows::lane_of;
use crate::theme::Tokens;

/// More forks than this are a tangle: the pane of branches shows them one by one.
const MOST: usize = 200;

/// A line from the state that a page went back to, to the step with which it went on from there.
pub fn draw(bins: &Bins, model: &Model, map: TimeMap, painter: &Painter, field: Field, t: &Tokens) {
    let Some(timeline) = model.timeline() else { return };
    let lane = lane_of(StepKind::Jump);
    let (top, bottom) = (field.lane_top(lane) + 2.0, field.lane_top(lane + 1) - 2.5);
    let middle = (top + bottom) * 0.5;
    let stroke = Stroke::new(1.3, t.moved.gamma_multiply(0.75));
    let forks = bins.marks.iter().filter(|mark| usize::from(mark.lane) == lane);
    for (mark, fork) in forks.filter_map(|mark| Some((mark, model.branches.fork_at(mark.position)?))).take(MOST) {
        let from = map.x(timeline.steps().when(fork as usize)).max(field.rect.left() - 20.0);
        let to = mark.x - 5.0;
        if to <= from {
            continue;
        }
        // Along the foot of the lane, and up to the mark: neighbours stay apart.
        let bend = (to - from).min(14.0);
        painter.line_segment([pos2(from, bottom), pos2(to - bend, bottom)], stroke);
        let points = [pos2(to - bend, bottom), pos2(to - bend * 0.4, bottom), pos2(to - bend * 0.6, middle), pos2(to, middle)];
        painter.add(Shape::CubicBezier(CubicBezierShape::from_points_stroke(points, false, egui::Color32::TRANSPARENT, stroke)));
        painter.circle_filled(pos2(from, bottom), 2.2, t.moved);
    }
}
