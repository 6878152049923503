//! The timeline: one lane per group of kinds, painted by hand, and the range of time that is brushed on it.

mod brush;
mod count;
mod forks;
mod paint;
mod transport;
mod words;

use egui::{EventFilter, Frame, Key, Margin, Modifiers, Pos2, Rect, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2};
use inspector_model::{SourceId, Timeline};

use self::brush::Brush;
use self::count::Bins;
use super::timemap::TimeMap;
use crate::app::action::{Action, Cx};
use crate::app::model::Model;
use crate::app::rows::{LANES, lane_of};
use crate::format;
use crate::theme;

const AXIS: f32 = 18.0;
const NAMES: f32 = 72.0;
/// Lowest and highest a lane is drawn, points.
const LANE: std::ops::RangeInclusive<f32> = 13.0..=34.0;

/// What the timeline remembers.
#[derive(Default)]
pub struct Strip {
    /// The part on screen; `None` is the whole.
    range: Option<(f64, f64)>,
    source: Option<SourceId>,
    bins: Bins,
    brush: Brush,
}

impl Strip {
    /// Shows the whole time again.
    pub fn fit(&mut self) {
        self.range = None;
    }

    /// Shows this part, with a little room.
    pub fn zoom_to(&mut self, from: f64, to: f64) {
        let room = ((to - from) * 0.04).max(super::timemap::SHORTEST);
        self.range = Some((from - room, to + room));
    }
}

/// Where the lanes are drawn.
#[derive(Clone, Copy)]
struct Field {
    rect: Rect,
    /// Height of a lane.
    lane: f32,
}

impl Field {
    fn lane_top(self, lane: usize) -> f32 {
        self.rect.top() + self.lane * lane as f32
    }
}

/// Draws the timeline and the transport below it.
pub fn ui(state: &mut Strip, cx: &mut Cx<'_>, ui: &mut Ui) {
    if state.source != cx.model.current {
        *state = Strip { source: cx.model.current, ..Strip::default() };
    }
    Frame::new().inner_margin(Margin { left: 8, right: 8, top: 6, bottom: 4 }).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 2.0;
        lanes(state, cx, ui);
        transport::ui(state, cx, ui);
    });
}

/// First and last time of the shown steps, with a little room.
fn whole(model: &Model) -> (f64, f64) {
    let (first, last) = model.timeline().map(Timeline::steps).filter(|steps| !steps.is_empty()).map_or((0.0, 0.0), |steps| {
        let last = steps.when(steps.len() - 1);
        (steps.when(0).min(last), last)
    });
    let length = (last - first).max(0.5);
    (first - length * 0.01, first + length * 1.02)
}

fn lanes(state: &mut Strip, cx: &mut Cx<'_>, ui: &mut Ui) {
    let t = cx.t;
    let lane = ((ui.available_height() - AXIS - transport::HEIGHT - 2.0) / LANES.len() as f32).clamp(*LANE.start(), *LANE.end());
    let size = vec2(ui.available_width(), lane * LANES.len() as f32 + AXIS);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click_and_drag());
    let painter = ui.painter_at(rect);
    let field = Field { rect: Rect::from_min_max(rect.min + vec2(NAMES, 0.0), rect.max), lane };
    painter.rect_filled(field.rect, 4.0, t.ground);
    for (index, (name, _)) in LANES.iter().enumerate() {
        let y = field.lane_top(index) + lane * 0.5;
        painter.text(pos2(rect.left() + 2.0, y), egui::Align2::LEFT_CENTER, name, theme::text(11.5), t.muted);
        painter.hline(field.rect.x_range(), y + lane * 0.5, Stroke::new(1.0, t.line.gamma_multiply(0.6)));
    }
    let whole = whole(cx.model);
    let map =
        moved(state, ui, &response, TimeMap { from: 0.0, to: 1.0, left: field.rect.left() + 6.0, right: field.rect.right() - 6.0 }, whole);
    state.brush.drag(cx, ui, &response, map);

    count::count(&mut state.bins, cx.model, map);
    response.widget_info(|| {
        let words = words::of(cx.model, &state.bins, map);
        WidgetInfo { current_text_value: Some(words), ..WidgetInfo::labeled(Role::Canvas, true, "Timeline") }
    });
    paint::axis(&painter, field, map, t, whole.0);
    brush::paint(cx.model, map, &painter, field, t);
    paint::draw_bins(&state.bins, &painter, field, t);
    forks::draw(&state.bins, cx.model, map, &painter, field, t);
    paint::draw_marks(&state.bins, cx.model, &painter, field, t);
    paint::marked(cx.model, map, &painter, field, t);
    paint::hits(cx.model, map, &painter, field, t);
    paint::playhead(cx.model, map, &painter, field, t);
    if response.has_focus() {
        painter.rect_stroke(field.rect, 4.0, Stroke::new(1.0, t.accent), StrokeKind::Inside);
        keys(state, cx, ui, &response);
    }
    brush::tools(cx, ui, map, field);

    let Some(pointer) = response.hover_pos().filter(|pointer| field.rect.contains(*pointer)) else { return };
    painter.vline(pointer.x, field.rect.y_range(), Stroke::new(1.0, t.faint));
    if let Some(row) = nearest(cx.model, map, pointer, field)
        && let Some(step) = cx.model.row(row)
    {
        let id = step.id;
        if response.clicked() {
            cx.push(Action::Select(id));
        }
        if state.brush.is_held() {
            return;
        }
        let text = format!(
            "{} {} · {}\n{}{}\nShift and drag selects a range",
            id,
            step.kind.label(),
            format::clip(&step.name, 60),
            format::clock(step.started),
            step.error.as_ref().map_or_else(String::new, |error| format!("\n{}", format::clip(error, 120)))
        );
        response.on_hover_text_at_pointer(text);
    }
}

/// The part of time that is shown, after what wheel and pointer did to it.
fn moved(state: &mut Strip, ui: &Ui, response: &egui::Response, map: TimeMap, whole: (f64, f64)) -> TimeMap {
    let (from, to) = state.range.unwrap_or(whole);
    let mut map = TimeMap { from, to, ..map }.panned(0.0, whole);
    if response.hovered() {
        let (scroll, zoom, pointer) = ui.input(|input| (input.smooth_scroll_delta(), input.zoom_delta(), input.pointer.hover_pos()));
        let factor = f64::from(zoom) * f64::from(scroll.y * 0.004).exp();
        if let Some(pointer) = pointer
            && (factor - 1.0).abs() > 1e-4
        {
            map = map.zoomed(factor, pointer.x, whole);
        }
        if scroll.x.abs() > 0.1 {
            map = map.panned(-scroll.x, whole);
        }
    }
    if response.dragged() && !state.brush.is_held() && !ui.input(|input| input.modifiers.shift) {
        map = map.panned(-response.drag_delta().x, whole);
    }
    if response.double_clicked() {
        map = TimeMap { from: whole.0, to: whole.1, ..map };
    }
    let is_whole = (map.from - whole.0).abs() < 1e-9 && (map.to - whole.1).abs() < 1e-9;
    state.range = (!is_whole).then_some((map.from, map.to));
    map
}

/// Arrows go to the step beside, with Shift they stretch the range to it, `+` and `-` zoom around it.
fn keys(state: &mut Strip, cx: &mut Cx<'_>, ui: &Ui, response: &egui::Response) {
    let filter = EventFilter { horizontal_arrows: true, ..EventFilter::default() };
    ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, filter));
    let whole = whole(cx.model);
    let (by, shift, zoom) = ui.input_mut(|input| {
        let mut arrows = |keys: Modifiers| {
            input.count_and_consume_key(keys, Key::ArrowRight) as isize - input.count_and_consume_key(keys, Key::ArrowLeft) as isize
        };
        // Shift first: without it any would fit.
        let stretch = arrows(Modifiers::SHIFT);
        let (by, shift) = if stretch == 0 { (arrows(Modifiers::NONE), false) } else { (stretch, true) };
        let zoom = i32::from(input.consume_key(Modifiers::NONE, Key::Plus)) - i32::from(input.consume_key(Modifiers::NONE, Key::Minus));
        (by, shift, zoom)
    });
    let Some(Ok(row) | Err(row)) = cx.model.selected_row() else { return };
    if by != 0 {
        let last = cx.model.rows.len().saturating_sub(1);
        let Some(step) = cx.model.row(row.saturating_add_signed(by).min(last)) else { return };
        let there = cx.model.when(step.id).unwrap_or(step.started);
        let here = cx.model.row(row.min(last)).and_then(|step| cx.model.when(step.id)).unwrap_or(there);
        cx.push(Action::Select(step.id));
        if shift {
            state.brush.stretch(cx, here, there);
        }
    }
    if zoom != 0
        && let Some(when) = cx.model.row(row).and_then(|step| cx.model.when(step.id))
    {
        let (from, to) = state.range.unwrap_or(whole);
        let map = TimeMap { from, to, left: 0.0, right: 1.0 };
        let map = map.zoomed(if zoom > 0 { 1.6 } else { 0.625 }, map.x(when), whole);
        state.range = Some((map.from, map.to));
    }
}

/// The row whose mark is nearest to the pointer, in its lane first.
fn nearest(model: &Model, map: TimeMap, pointer: Pos2, field: Field) -> Option<usize> {
    let steps = model.timeline()?.steps();
    let lane = (((pointer.y - field.rect.top()) / field.lane).max(0.0) as usize).min(LANES.len() - 1);
    let at = model.rows.at_time(steps, map.time(pointer.x));
    let around = at.saturating_sub(400)..(at + 400).min(model.rows.len());
    let distance = |row: usize| {
        let position = model.rows.position(row)?;
        let other_lane = if lane_of(steps.kind(position)?) == lane { 0.0 } else { 60.0 };
        Some((map.x(steps.when(position)) - pointer.x).abs() + other_lane)
    };
    around.filter_map(|row| Some((row, distance(row)?))).min_by(|a, b| a.1.total_cmp(&b.1)).map(|(row, _)| row)
}
