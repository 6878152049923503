//! What is painted of the lanes: densities, marks, the axis, and what stands across all of them.

use egui::{Color32, Painter, Rect, Shape, Stroke, Vec2, pos2, vec2};
use inspector_model::{Status, StepKind};

use super::super::timemap::TimeMap;
use super::count::{BIN, Bins, MARK};
use super::{AXIS, Field};
use crate::app::model::Model;
use crate::app::rows::LANES;
use crate::format;
use crate::theme::{self, Tokens};
use crate::widgets::icons::{self, Icon};

fn lane_color(t: &Tokens, lane: usize) -> Color32 {
    t.kind(LANES[lane].1[LANES[lane].1.len().min(2) - 1])
}

/// Lanes that are crowded, as bars.
pub fn draw_bins(bins: &Bins, painter: &Painter, field: Field, t: &Tokens) {
    for lane in (0..LANES.len()).filter(|lane| bins.crowded[*lane]) {
        let most = bins.tallies.iter().map(|bin| bin.steps[lane]).max().unwrap_or(1).max(1) as f32;
        let bottom = field.lane_top(lane + 1) - 2.0;
        for (index, bin) in bins.tallies.iter().enumerate().filter(|(_, bin)| bin.steps[lane] > 0) {
            let height = 2.0 + (field.lane - 6.0) * (bin.steps[lane] as f32 / most).sqrt();
            let left = field.rect.left() + 6.0 + index as f32 * BIN;
            painter.rect_filled(Rect::from_min_max(pos2(left, bottom - height), pos2(left + BIN - 0.6, bottom)), 0.0, lane_color(t, lane));
            if bin.bad[lane] > 0 {
                // A notch above the bar: trouble is seen without colour too.
                let top = field.lane_top(lane) + 1.0;
                let points = vec![pos2(left - 1.5, top), pos2(left + BIN + 1.0, top), pos2(left + BIN * 0.5, top + 4.5)];
                painter.add(Shape::convex_polygon(points, t.removed, Stroke::NONE));
            }
        }
    }
}

/// Lanes that are not, as marks.
pub fn draw_marks(bins: &Bins, model: &Model, painter: &Painter, field: Field, t: &Tokens) {
    let selected = model.selected_row().and_then(Result::ok);
    for mark in &bins.marks {
        let center = pos2(mark.x, field.lane_top(usize::from(mark.lane)) + field.lane * 0.5);
        let rect = Rect::from_center_size(center, Vec2::splat(MARK));
        if mark.kind == StepKind::Gap {
            painter.rect_filled(
                Rect::from_x_y_ranges(mark.x - 4.0..=mark.x + 4.0, field.rect.y_range()),
                0.0,
                t.changed_bg.gamma_multiply(0.7),
            );
        }
        icons::paint(painter, rect, Icon::Kind(mark.kind), t.kind(mark.kind));
        if mark.status != Status::Ok && mark.kind != StepKind::Error {
            let corner = rect.right_top() + vec2(0.5, 1.5);
            painter.circle_filled(corner, 4.4, t.ground);
            icons::paint(painter, Rect::from_center_size(corner, Vec2::splat(8.0)), Icon::Kind(StepKind::Error), t.removed);
        }
        if selected == Some(mark.row as usize) {
            painter.circle_stroke(center, MARK * 0.78, Stroke::new(1.4, t.accent));
        }
    }
}

/// Times since the first step.
pub fn axis(painter: &Painter, field: Field, map: TimeMap, t: &Tokens, start: f64) {
    let step = map.tick_step(92.0);
    let first = ((map.from - start) / step).ceil();
    let top = field.rect.bottom() - AXIS;
    for index in 0..64_u8 {
        let since = (first + f64::from(index)) * step;
        let x = map.x(start + since);
        if x > map.right {
            break;
        }
        if x < map.left {
            continue;
        }
        painter.vline(x, field.rect.top()..=top + 4.0, Stroke::new(1.0, t.line.gamma_multiply(0.7)));
        let text = format!("+{}", format::short_span(since.max(0.0)));
        painter.text(pos2(x + 3.0, field.rect.bottom() - AXIS * 0.5), egui::Align2::LEFT_CENTER, text, theme::text(11.0), t.muted);
    }
}

/// Marked steps: a ribbon at the top.
pub fn marked(model: &Model, map: TimeMap, painter: &Painter, field: Field, t: &Tokens) {
    let Some(timeline) = model.timeline() else { return };
    for step in timeline.marks().keys().filter_map(|step| timeline.steps().position(*step)) {
        let x = map.x(timeline.steps().when(step));
        if field.rect.x_range().contains(x) {
            painter.vline(x, field.rect.top()..=field.rect.bottom() - AXIS, Stroke::new(1.0, t.accent.gamma_multiply(0.45)));
            icons::paint(painter, Rect::from_center_size(pos2(x, field.rect.top() + 5.0), Vec2::splat(9.0)), Icon::Bookmark, t.accent);
        }
    }
}

/// Steps that hit a breakpoint: a dot with a line. Where they lie close, each place once.
pub fn hits(model: &Model, map: TimeMap, painter: &Painter, field: Field, t: &Tokens) {
    let Some(timeline) = model.timeline() else { return };
    let steps = timeline.steps();
    let from = timeline.hits().partition_point(|hit| steps.when(*hit as usize) < map.from);
    let mut last = f32::NEG_INFINITY;
    for hit in &timeline.hits()[from..] {
        let x = map.x(steps.when(*hit as usize));
        if x > field.rect.right() {
            break;
        }
        if x - last >= BIN {
            last = x;
            painter.vline(x, field.rect.top()..=field.rect.bottom() - AXIS, Stroke::new(1.0, t.changed.gamma_multiply(0.45)));
            painter.circle_filled(pos2(x, field.rect.bottom() - AXIS - 3.0), 3.2, t.changed);
        }
    }
}

/// Where the selected step is.
pub fn playhead(model: &Model, map: TimeMap, painter: &Painter, field: Field, t: &Tokens) {
    let Some(when) = model.step().and_then(|step| model.when(step.id)) else { return };
    let x = map.x(when);
    if x < field.rect.left() || x > field.rect.right() {
        return;
    }
    painter.vline(x, field.rect.y_range(), Stroke::new(1.5, t.accent));
    let top = field.rect.bottom() - AXIS;
    painter.add(Shape::convex_polygon(
        vec![pos2(x - 5.0, top + 9.0), pos2(x, top + 2.0), pos2(x + 5.0, top + 9.0), pos2(x + 5.0, top + 15.0), pos2(x - 5.0, top + 15.0)],
        t.accent,
        Stroke::NONE,
    ));
}
