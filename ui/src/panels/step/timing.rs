//! Where a step's time went, and how long the same handler takes otherwise.

use egui::{Color32, Rect, RichText, Role, ScrollArea, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};
use inspector_model::{Level, Step, StepDetail};

use super::spread::Spread;
use super::sql;
use crate::app::action::{Action, Cx};
use crate::commands::UiCommand;
use crate::format;
use crate::theme::{self, Tokens};
use crate::widgets::icons::{self, Icon};
use crate::widgets::{parts, rich};

/// What the tab remembers.
#[derive(Default)]
pub struct TimingTab {
    spread: Spread,
}

/// A part of the step's time.
struct Part {
    name: &'static str,
    about: &'static str,
    ms: f64,
    color: Color32,
}

/// Draws the tab.
pub fn ui(state: &mut TimingTab, cx: &mut Cx<'_>, ui: &mut Ui, step: &Step, detail: &StepDetail) {
    let Some(total) = step.duration_ms else {
        parts::empty(ui, "No time was taken", "This step is none that runs: it only says that something happened");
        return;
    };
    ScrollArea::vertical().id_salt("timing").auto_shrink(false).show(ui, |ui| {
        went(cx, ui, total, detail);
        queries(cx, ui, total, detail);
        moments(cx.t, ui, step, total, detail);
        compared(state, cx, ui, step, total);
    });
}

/// The parts that the agent measured, and what is left.
fn parts_of(t: &Tokens, total: f64, detail: &StepDetail) -> Vec<Part> {
    let Some(timing) = detail.timing else { return Vec::new() };
    let mut parts = Vec::new();
    parts.extend(timing.handler.map(|ms| Part { name: "Handler", about: "Your code and its queries", ms, color: t.lane_event }));
    parts.extend(timing.render.map(|ms| Part { name: "Render", about: "The template, and comparing it", ms, color: t.lane_server }));
    let rest = total - parts.iter().map(|part| part.ms).sum::<f64>();
    let about = "Reading, checks, saving, sending";
    parts.push(Part { name: "Around them", about, ms: rest.max(0.0), color: t.faint });
    parts
}

fn went(cx: &Cx<'_>, ui: &mut Ui, total: f64, detail: &StepDetail) {
    let t = cx.t;
    ui.label(RichText::new(format!("{} ms", format::millis(Some(total)))).size(19.0).color(t.strong));
    let parts = parts_of(t, total, detail);
    if parts.is_empty() {
        ui.label(RichText::new("Nothing more was measured: no handler ran, and nothing was rendered").color(t.muted));
        return;
    }
    let whole = parts.iter().map(|part| part.ms).sum::<f64>().max(f64::MIN_POSITIVE);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 16.0), Sense::hover());
    let words: Vec<_> = parts.iter().map(|part| format!("{} {} ms", part.name, format::millis(Some(part.ms)))).collect();
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, format!("Time: {}", words.join(", "))));
    let mut x = rect.left();
    for part in &parts {
        let wide = rect.width() * (part.ms / whole) as f32;
        let place = Rect::from_min_size(pos2(x, rect.top()), vec2((wide - 1.0).max(0.0), rect.height()));
        ui.painter().rect_filled(place, 2.0, part.color);
        x += wide;
    }
    ui.add_space(4.0);
    for part in &parts {
        line(t, ui, Some(part.color), part.name, part.about, part.ms, whole);
    }
}

/// One line of numbers: what, milliseconds, and its share.
fn line(t: &Tokens, ui: &mut Ui, color: Option<Color32>, name: &str, about: &str, ms: f64, whole: f64) {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 20.0), Sense::hover());
    let share = 100.0 * ms / whole.max(f64::MIN_POSITIVE);
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, format!("{name} {} ms, {share:.0} %", format::millis(Some(ms)))));
    let middle = rect.center().y;
    if let Some(color) = color {
        let mark = Rect::from_center_size(pos2(rect.left() + 5.0, middle), vec2(9.0, 9.0));
        ui.painter().rect_filled(mark, 2.0, color);
    }
    let painter = ui.painter_at(rect);
    let at = |x: f32| pos2(x, middle);
    painter.text(at(rect.left() + 18.0), egui::Align2::LEFT_CENTER, name, theme::text(13.0), t.text);
    painter.text(at(rect.left() + 190.0), egui::Align2::RIGHT_CENTER, format!("{} ms", format::millis(Some(ms))), theme::mono(), t.strong);
    painter.text(at(rect.left() + 240.0), egui::Align2::RIGHT_CENTER, format!("{share:.0} %"), theme::mono(), t.muted);
    if rect.width() > 360.0 {
        let mut job = rich::line_job();
        rich::push(&mut job, about, theme::text(12.0), t.muted);
        parts::paint_line(ui, rect, 254.0, job);
    }
    response.on_hover_text(about);
}

fn queries(cx: &mut Cx<'_>, ui: &mut Ui, total: f64, detail: &StepDetail) {
    if detail.sql.is_empty() {
        return;
    }
    let ms: f64 = detail.sql.iter().map(|query| query.ms).sum();
    let name = format::plural(detail.sql.len() as u64, "query", "queries");
    line(cx.t, ui, Some(cx.t.changed), &name, "In the database, part of the above", ms, total);
    if let Some(words) = sql::repeated(&detail.sql) {
        ui.add_space(2.0);
        parts::note(ui, Level::Warning, &words);
    }
    if ui.link("Show the queries").on_hover_text(parts::command_tip(ui, UiCommand::TabSql)).clicked() {
        cx.run(UiCommand::TabSql);
    }
}

/// When queries, log records and frames were, from the beginning of the step to its end.
fn moments(t: &Tokens, ui: &mut Ui, step: &Step, total: f64, detail: &StepDetail) {
    let queries: Vec<(f64, f64)> = detail.sql.iter().map(|query| (query.at, query.ms)).collect();
    let logs: Vec<(f64, f64)> = detail.logs.iter().map(|log| (log.at, 0.0)).collect();
    let frames: Vec<(f64, f64)> = detail.frames.iter().map(|frame| (frame.at, 0.0)).collect();
    let lanes = [("Queries", &queries, t.changed), ("Log", &logs, t.lane_reload), ("Frames", &frames, t.accent)];
    let place = |at: f64| (at - step.started) * 1000.0 / total.max(f64::MIN_POSITIVE);
    // What has no time, or one of another clock, is not shown as if it had.
    let inside = |(at, ms): &(f64, f64)| *at > 0.0 && place(*at) > -0.05 && place(*at + ms / 1000.0) < 1.05;
    if !lanes.iter().any(|(_, marks, _)| marks.iter().any(inside)) {
        return;
    }
    ui.add_space(10.0);
    parts::section(ui, "When");
    let names = 62.0;
    for (name, marks, color) in lanes {
        let shown: Vec<&(f64, f64)> = marks.iter().filter(|mark| inside(mark)).take(2_000).collect();
        if shown.is_empty() {
            continue;
        }
        let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 16.0), Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(Role::Image, true, format!("{name} in time: {}", shown.len())));
        let field = Rect::from_min_max(pos2(rect.left() + names, rect.top() + 2.0), rect.max - vec2(0.0, 2.0));
        ui.painter().text(rect.left_center(), egui::Align2::LEFT_CENTER, name, theme::text(12.0), t.muted);
        ui.painter().rect_filled(field, 2.0, t.panel);
        let x = |part: f64| field.left() + field.width() * part.clamp(0.0, 1.0) as f32;
        for (at, ms) in &shown {
            let (from, to) = (x(place(*at)), x(place(*at + *ms / 1000.0)));
            let to = to.max(from + 2.0).min(field.right());
            ui.painter().rect_filled(Rect::from_x_y_ranges((to - 2.0).min(from)..=to, field.y_range()), 0.0, color);
        }
        response.on_hover_text(format!("{name}: from the beginning of the step to its end, {} ms", format::millis(Some(total))));
    }
}

/// The same handler in this recording.
fn compared(state: &mut TimingTab, cx: &mut Cx<'_>, ui: &mut Ui, step: &Step, total: f64) {
    let t = cx.t;
    let Some(timeline) = cx.model.timeline() else { return };
    let more = state.spread.refresh(timeline, step);
    if more {
        ui.ctx().request_repaint();
    }
    let spread = &state.spread;
    let name = if step.name.is_empty() { step.kind.label() } else { &step.name };
    ui.add_space(12.0);
    ui.horizontal(|ui| {
        parts::section(ui, &format!("All {} in this recording", format::clip(name, 40)));
        if more {
            ui.label(RichText::new("counting …").size(12.0).color(t.muted));
        }
    });
    if spread.number() < 2 {
        ui.label(RichText::new("This is the only one so far").color(t.muted));
        return;
    }
    let number = |part| format::millis(spread.quantile(part));
    let slowest = spread.slowest().first().map(|(ms, _)| *ms);
    let facts = [
        ("times", format::count(u64::from(spread.number()))),
        ("p50", format!("{} ms", number(0.5))),
        ("p95", format!("{} ms", number(0.95))),
        ("max", format!("{} ms", format::millis(slowest))),
        ("together", format::short_span(spread.total_ms() / 1000.0)),
    ];
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 14.0;
        for (what, value) in &facts {
            ui.add(egui::Label::new(RichText::new(format!("{what} {value}")).monospace().color(t.text)).extend());
        }
    });
    columns(t, ui, spread, total);
    let faster = 100.0 * spread.faster(total);
    let words =
        if faster < 0.5 { "This one is among the fastest".to_owned() } else { format!("This one is slower than {faster:.0} % of them") };
    ui.label(RichText::new(words).color(if faster >= 95.0 { t.changed } else { t.text }));
    ui.add_space(8.0);
    parts::section(ui, "Slowest");
    for (ms, id) in spread.slowest() {
        let here = *id == step.id;
        let started = timeline.step(*id).map(|step| format::clock(step.started)).unwrap_or_default();
        let (rect, response) = parts::list_row(ui, 20.0, here, &format!("Slow step {id}"));
        let painter = ui.painter_at(rect);
        let at = |x: f32| pos2(rect.left() + x, rect.center().y);
        painter.text(at(80.0), egui::Align2::RIGHT_CENTER, format!("{} ms", format::millis(Some(*ms))), theme::mono(), t.strong);
        painter.text(at(96.0), egui::Align2::LEFT_CENTER, format!("Step {id}"), theme::text(12.5), t.text);
        painter.text(at(176.0), egui::Align2::LEFT_CENTER, started, theme::mono(), t.muted);
        if here {
            icons::paint(&painter, Rect::from_center_size(pos2(rect.right() - 12.0, rect.center().y), vec2(9.0, 9.0)), Icon::Dot, t.accent);
        }
        if response.clicked() {
            cx.push(Action::Select(*id));
        }
    }
}

/// How many took how long, and where this step stands.
fn columns(t: &Tokens, ui: &mut Ui, spread: &Spread, total: f64) {
    const WIDTH: f32 = 6.0;
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 44.0), Sense::hover());
    let Some(columns) = spread.columns((rect.width() / WIDTH).max(1.0) as usize) else { return };
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, "How many took how long"));
    let most = columns.numbers.iter().copied().max().unwrap_or(1).max(1);
    ui.painter().hline(rect.x_range(), rect.bottom() - 0.5, Stroke::new(1.0, t.line));
    let wide = rect.width() / columns.numbers.len() as f32;
    for (nth, number) in columns.numbers.iter().enumerate().filter(|(_, number)| **number > 0) {
        // One of very many can still be seen.
        let high = (rect.height() - 6.0) * (*number as f32 / most as f32).sqrt().max(0.06);
        let left = rect.left() + nth as f32 * wide;
        let place = Rect::from_min_max(pos2(left, rect.bottom() - high), pos2(left + wide - 1.0, rect.bottom()));
        ui.painter().rect_filled(place, 1.0, t.lane_event.gamma_multiply(0.7));
    }
    let mark = |ms: f64, color: Color32, thick: f32| {
        let x = rect.left() + rect.width() * columns.place(ms) as f32;
        ui.painter().vline(x, rect.y_range(), Stroke::new(thick, color));
    };
    for part in [0.5, 0.95] {
        if let Some(ms) = spread.quantile(part) {
            mark(ms, t.faint, 1.0);
        }
    }
    mark(total, t.strong, 2.0);
    response.on_hover_text("From the fastest to the slowest, in growing steps. Thin lines: p50 and p95. Thick line: this step");
}
