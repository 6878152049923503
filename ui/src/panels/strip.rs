//! The timeline: one lane per group of kinds, painted by hand. Marks when there is room, densities when there is not.

use egui::{Color32, Frame, Key, Margin, Painter, Pos2, Rect, Role, Sense, Shape, Stroke, Ui, Vec2, WidgetInfo, pos2, vec2};
use inspector_model::{SourceId, Status, StepKind, Timeline};

use super::timemap::TimeMap;
use crate::app::action::{Action, Cx};
use crate::app::model::Model;
use crate::app::rows::{LANES, Tally, lane_of};
use crate::commands::UiCommand;
use crate::format;
use crate::theme::{self, Tokens};
use crate::widgets::icons::{self, Icon};
use crate::widgets::parts;

const LANE: f32 = 17.0;
const AXIS: f32 = 18.0;
const NAMES: f32 = 72.0;
const MARK: f32 = 11.0;
/// Width of a bin of a crowded lane, points.
const BIN: f32 = 3.0;

/// What the timeline remembers.
#[derive(Default)]
pub struct Strip {
    /// The part on screen; `None` is the whole.
    range: Option<(f64, f64)>,
    source: Option<SourceId>,
    bins: Bins,
}

/// Counted steps per lane and bin, kept until something changes.
#[derive(Default)]
struct Bins {
    key: Option<BinKey>,
    tallies: Vec<Tally>,
    /// Marks to draw one by one: lanes that are not crowded.
    marks: Vec<Mark>,
    crowded: [bool; LANES.len()],
}

/// Rows, which of them, and the part of the time that is shown where.
type BinKey = (usize, u64, [u64; 2], [u32; 2]);

#[derive(Clone, Copy)]
struct Mark {
    x: f32,
    lane: u8,
    kind: StepKind,
    status: Status,
    row: u32,
}

impl Strip {
    /// Shows the whole time again.
    pub fn fit(&mut self) {
        self.range = None;
    }
}

/// Draws the timeline and the transport below it.
pub fn ui(state: &mut Strip, cx: &mut Cx<'_>, ui: &mut Ui) {
    if state.source != cx.model.current {
        *state = Strip { source: cx.model.current, ..Strip::default() };
    }
    Frame::new().inner_margin(Margin { left: 8, right: 8, top: 6, bottom: 4 }).show(ui, |ui| {
        lanes(state, cx, ui);
        ui.add_space(2.0);
        transport(state, cx, ui);
    });
    ui.painter().hline(ui.max_rect().x_range(), ui.min_rect().bottom(), Stroke::new(1.0, cx.t.line));
}

/// First and last time of the shown steps, with a little room.
fn whole(model: &Model) -> (f64, f64) {
    let (first, last) = model.timeline().map(Timeline::steps).filter(|steps| !steps.is_empty()).map_or((0.0, 0.0), |steps| {
        let last = steps.started(steps.len() - 1);
        (steps.started(0).min(last), last)
    });
    let length = (last - first).max(0.5);
    (first - length * 0.01, first + length * 1.02)
}

fn lanes(state: &mut Strip, cx: &mut Cx<'_>, ui: &mut Ui) {
    let t = cx.t;
    let size = vec2(ui.available_width(), LANE * LANES.len() as f32 + AXIS);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click_and_drag());
    response.widget_info(|| WidgetInfo::labeled(Role::Canvas, true, "Timeline"));
    let painter = ui.painter_at(rect);
    let field = Rect::from_min_max(rect.min + vec2(NAMES, 0.0), rect.max);
    painter.rect_filled(field, 4.0, t.ground);
    for (index, (name, _)) in LANES.iter().enumerate() {
        let y = rect.top() + LANE * (index as f32 + 0.5);
        painter.text(pos2(rect.left() + 2.0, y), egui::Align2::LEFT_CENTER, name, theme::text(11.5), t.muted);
        painter.hline(field.x_range(), y + LANE * 0.5, Stroke::new(1.0, t.line.gamma_multiply(0.6)));
    }
    let whole = whole(cx.model);
    let (from, to) = state.range.unwrap_or(whole);
    let mut map = TimeMap { from, to, left: field.left() + 6.0, right: field.right() - 6.0 };

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
    if response.dragged() {
        map = map.panned(-response.drag_delta().x, whole);
    }
    if response.double_clicked() {
        map = TimeMap { from: whole.0, to: whole.1, ..map };
    }
    let is_whole = (map.from - whole.0).abs() < 1e-9 && (map.to - whole.1).abs() < 1e-9;
    state.range = (!is_whole).then_some((map.from, map.to));

    axis(&painter, field, map, t, whole.0);
    count(&mut state.bins, cx.model, map);
    draw_bins(&state.bins, &painter, field, t);
    draw_marks(&state.bins, cx.model, &painter, field, t);
    marked(cx.model, map, &painter, field, t);
    hits(cx.model, map, &painter, field, t);
    playhead(cx.model, map, &painter, field, t);

    let Some(pointer) = response.hover_pos().filter(|pointer| field.contains(*pointer)) else { return };
    painter.vline(pointer.x, field.y_range(), Stroke::new(1.0, t.faint));
    if let Some(row) = nearest(cx.model, map, pointer, field)
        && let Some(step) = cx.model.row(row)
    {
        let id = step.id;
        if response.clicked() {
            cx.push(Action::Select(id));
        }
        let text = format!(
            "{} {} · {}\n{}{}",
            id,
            step.kind.label(),
            format::clip(&step.name, 60),
            format::clock(step.started),
            step.error.as_ref().map_or_else(String::new, |error| format!("\n{}", format::clip(error, 120)))
        );
        response.on_hover_text_at_pointer(text);
    }
}

/// Counts what is on screen, if anything changed since the last frame. Looks at a few steps per bin, however many there are.
fn count(bins: &mut Bins, model: &Model, map: TimeMap) {
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
    let total = last.since(&first).steps;
    let room = ((map.right - map.left) / (MARK * 0.9)) as u32;
    // Trouble is rare and must not sink into a density: it keeps its marks longer.
    let trouble = LANES.len() - 1;
    bins.crowded = std::array::from_fn(|lane| total[lane] > if lane == trouble { room * 4 } else { room });
    bins.marks.clear();
    rows.of_lanes(steps, bins.crowded.map(|crowded| !crowded), begin..end, |row| {
        let position = rows.position(row).unwrap_or_default();
        if let Some((kind, status)) = steps.kind(position).zip(steps.status(position)) {
            bins.marks.push(Mark { x: map.x(steps.started(position)), lane: lane_of(kind) as u8, kind, status, row: row as u32 });
        }
    });
}

fn lane_color(t: &Tokens, lane: usize) -> Color32 {
    t.kind(LANES[lane].1[LANES[lane].1.len().min(2) - 1])
}

fn draw_bins(bins: &Bins, painter: &Painter, field: Rect, t: &Tokens) {
    for lane in (0..LANES.len()).filter(|lane| bins.crowded[*lane]) {
        let most = bins.tallies.iter().map(|bin| bin.steps[lane]).max().unwrap_or(1).max(1) as f32;
        let bottom = field.top() + LANE * (lane as f32 + 1.0) - 2.0;
        for (index, bin) in bins.tallies.iter().enumerate().filter(|(_, bin)| bin.steps[lane] > 0) {
            let height = 2.0 + (LANE - 6.0) * (bin.steps[lane] as f32 / most).sqrt();
            let left = field.left() + 6.0 + index as f32 * BIN;
            painter.rect_filled(Rect::from_min_max(pos2(left, bottom - height), pos2(left + BIN - 0.6, bottom)), 0.0, lane_color(t, lane));
            if bin.bad[lane] > 0 {
                // A notch above the bar: trouble is seen without colour too.
                let top = field.top() + LANE * lane as f32 + 1.0;
                let points = vec![pos2(left - 1.5, top), pos2(left + BIN + 1.0, top), pos2(left + BIN * 0.5, top + 4.5)];
                painter.add(Shape::convex_polygon(points, t.removed, Stroke::NONE));
            }
        }
    }
}

fn draw_marks(bins: &Bins, model: &Model, painter: &Painter, field: Rect, t: &Tokens) {
    let selected = model.selected_row().and_then(Result::ok);
    for mark in &bins.marks {
        let center = pos2(mark.x, field.top() + LANE * (f32::from(mark.lane) + 0.5));
        let rect = Rect::from_center_size(center, Vec2::splat(MARK));
        if mark.kind == StepKind::Gap {
            painter.rect_filled(Rect::from_x_y_ranges(mark.x - 4.0..=mark.x + 4.0, field.y_range()), 0.0, t.changed_bg.gamma_multiply(0.7));
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

fn axis(painter: &Painter, field: Rect, map: TimeMap, t: &Tokens, start: f64) {
    let step = map.tick_step(92.0);
    let first = ((map.from - start) / step).ceil();
    let top = field.bottom() - AXIS;
    for index in 0..64_u8 {
        let since = (first + f64::from(index)) * step;
        let x = map.x(start + since);
        if x > map.right {
            break;
        }
        if x < map.left {
            continue;
        }
        painter.vline(x, field.top()..=top + 4.0, Stroke::new(1.0, t.line.gamma_multiply(0.7)));
        let text = format!("+{}", format::short_span(since.max(0.0)));
        painter.text(pos2(x + 3.0, field.bottom() - AXIS * 0.5), egui::Align2::LEFT_CENTER, text, theme::text(11.0), t.muted);
    }
}

/// Marked steps: a ribbon at the top.
fn marked(model: &Model, map: TimeMap, painter: &Painter, field: Rect, t: &Tokens) {
    let Some(timeline) = model.timeline() else { return };
    for step in timeline.marks().keys().filter_map(|step| timeline.steps().position(*step)) {
        let x = map.x(timeline.steps().started(step));
        if field.x_range().contains(x) {
            painter.vline(x, field.top()..=field.bottom() - AXIS, Stroke::new(1.0, t.accent.gamma_multiply(0.45)));
            icons::paint(painter, Rect::from_center_size(pos2(x, field.top() + 5.0), Vec2::splat(9.0)), Icon::Bookmark, t.accent);
        }
    }
}

/// Steps that hit a breakpoint: a dot with a line. Where they lie close, each place once.
fn hits(model: &Model, map: TimeMap, painter: &Painter, field: Rect, t: &Tokens) {
    let Some(timeline) = model.timeline() else { return };
    let steps = timeline.steps();
    let from = timeline.hits().partition_point(|hit| steps.started(*hit as usize) < map.from);
    let mut last = f32::NEG_INFINITY;
    for hit in &timeline.hits()[from..] {
        let x = map.x(steps.started(*hit as usize));
        if x > field.right() {
            break;
        }
        if x - last >= BIN {
            last = x;
            painter.vline(x, field.top()..=field.bottom() - AXIS, Stroke::new(1.0, t.changed.gamma_multiply(0.45)));
            painter.circle_filled(pos2(x, field.bottom() - AXIS - 3.0), 3.2, t.changed);
        }
    }
}

fn playhead(model: &Model, map: TimeMap, painter: &Painter, field: Rect, t: &Tokens) {
    let Some(step) = model.step() else { return };
    let x = map.x(step.started);
    if x < field.left() || x > field.right() {
        return;
    }
    painter.vline(x, field.y_range(), Stroke::new(1.5, t.accent));
    let top = field.bottom() - AXIS;
    painter.add(Shape::convex_polygon(
        vec![pos2(x - 5.0, top + 9.0), pos2(x, top + 2.0), pos2(x + 5.0, top + 9.0), pos2(x + 5.0, top + 15.0), pos2(x - 5.0, top + 15.0)],
        t.accent,
        Stroke::NONE,
    ));
}

/// The row whose mark is nearest to the pointer, in its lane first.
fn nearest(model: &Model, map: TimeMap, pointer: Pos2, field: Rect) -> Option<usize> {
    let steps = model.timeline()?.steps();
    let lane = (((pointer.y - field.top()) / LANE).max(0.0) as usize).min(LANES.len() - 1);
    let at = model.rows.at_time(steps, map.time(pointer.x));
    let around = at.saturating_sub(400)..(at + 400).min(model.rows.len());
    let distance = |row: usize| {
        let position = model.rows.position(row)?;
        let other_lane = if lane_of(steps.kind(position)?) == lane { 0.0 } else { 60.0 };
        Some((map.x(steps.started(position)) - pointer.x).abs() + other_lane)
    };
    around.filter_map(|row| Some((row, distance(row)?))).min_by(|a, b| a.1.total_cmp(&b.1)).map(|(row, _)| row)
}

fn transport(state: &mut Strip, cx: &mut Cx<'_>, ui: &mut Ui) {
    let t = cx.t;
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 2.0;
        parts::command_icon(cx, ui, UiCommand::FirstStep, Icon::First, false);
        parts::command_icon(cx, ui, UiCommand::PreviousStep, Icon::Previous, false);
        let playing = cx.model.playing.is_some();
        parts::command_icon(cx, ui, UiCommand::TogglePlay, if playing { Icon::Pause } else { Icon::Play }, playing);
        parts::command_icon(cx, ui, UiCommand::NextStep, Icon::Next, false);
        parts::command_icon(cx, ui, UiCommand::LastStep, Icon::Last, false);
        ui.add_space(4.0);
        let speed = format!("{}×", cx.model.speed);
        ui.menu_button(speed, |ui| {
            for speed in [0.25_f32, 0.5, 1.0, 2.0, 4.0, 16.0] {
                if ui.button(format!("{speed}×")).clicked() {
                    cx.push(Action::Speed(speed));
                }
            }
        })
        .response
        .on_hover_text("Speed of playing");
        ui.add_space(4.0);
        parts::command_icon(cx, ui, UiCommand::ToggleFollow, Icon::Follow, cx.model.follow);
        if cx.model.follow {
            ui.label(egui::RichText::new("Following").size(12.0).color(t.accent));
        }
        ui.add_space(6.0);
        let rows = cx.model.rows.len();
        let place = match cx.model.selected_row() {
            Some(Ok(row)) => format!("{} of {}", format::count(row as u64 + 1), format::count(rows as u64)),
            _ => format::plural(rows as u64, "step", "steps"),
        };
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            if icons::toggle(ui, Icon::Fit, UiCommand::FitTimeline.text(), true, false).on_hover_text("Show the whole timeline").clicked() {
                state.fit();
            }
            ui.add_space(4.0);
            ui.label(egui::RichText::new(place).size(12.0).color(t.muted));
            ui.add_space(6.0);
            if ui.available_width() > 90.0 {
                slider(cx, ui, rows);
            }
        });
    });
}

/// The playhead over the shown steps, by number: what the lanes cannot give when steps lie close.
fn slider(cx: &mut Cx<'_>, ui: &mut Ui, rows: usize) {
    let t = cx.t;
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width().max(40.0), 22.0), Sense::click_and_drag());
    let row = match cx.model.selected_row() {
        Some(Ok(row) | Err(row)) => row.min(rows.saturating_sub(1)),
        None => 0,
    };
    response.widget_info(|| WidgetInfo::slider(rows > 0, row as f64 + 1.0, "Playhead"));
    let rail = Rect::from_center_size(rect.center(), vec2(rect.width() - 14.0, 4.0));
    ui.painter().rect_filled(rail, 2.0, t.line);
    if rows == 0 {
        return;
    }
    let part = if rows > 1 { row as f32 / (rows - 1) as f32 } else { 1.0 };
    let x = rail.left() + rail.width() * part;
    ui.painter().rect_filled(Rect::from_min_max(rail.min, pos2(x, rail.bottom())), 2.0, t.accent.gamma_multiply(0.7));
    ui.painter().circle(pos2(x, rail.center().y), 6.0, t.accent, Stroke::new(2.0, t.panel));
    let mut target = None;
    if let Some(pointer) = response.interact_pointer_pos().filter(|_| response.dragged() || response.clicked()) {
        let part = ((pointer.x - rail.left()) / rail.width().max(1.0)).clamp(0.0, 1.0);
        target = Some((f64::from(part) * (rows - 1) as f64).round() as usize);
    }
    if response.has_focus() {
        ui.painter().rect_stroke(rect, 4.0, Stroke::new(1.0, t.accent), egui::StrokeKind::Inside);
        let (left, right) = ui.input(|input| (input.num_presses(Key::ArrowLeft), input.num_presses(Key::ArrowRight)));
        if left + right > 0 {
            target = Some((row + right).saturating_sub(left).min(rows - 1));
        }
    }
    if let Some(id) = target.filter(|target| *target != row).and_then(|target| cx.model.row_id(target)) {
        cx.push(Action::Select(id));
    }
}
