//! The step table: one row per shown step, virtualised, with the filter above it.

use egui::{Align, Frame, Layout, Margin, Rect, RichText, Role, Sense, TextEdit, Ui, WidgetInfo};
use egui_extras::{Column, TableBuilder};
use inspector_model::{Cause, SourceId, Status, Step, StepId, StepKind};

use crate::app::action::{Action, Cx};
use crate::app::model::Scope;
use crate::format;
use crate::theme::{self, Tokens};
use crate::widgets::icons::{self, Icon};
use crate::widgets::{parts, rich};

/// What the table remembers.
#[derive(Default)]
pub struct Table {
    /// Put the keyboard into the filter.
    pub focus_filter: bool,
    /// The cursor that the table was last scrolled to: it scrolls only when that moves.
    scrolled_to: Option<(SourceId, StepId)>,
    text: Option<String>,
}

/// Draws filter and table.
pub fn ui(state: &mut Table, cx: &mut Cx<'_>, ui: &mut Ui) {
    filter_bar(state, cx, ui);
    if cx.model.visible.is_empty() {
        nothing(cx, ui);
        return;
    }
    rows(state, cx, ui);
}

fn filter_bar(state: &mut Table, cx: &mut Cx<'_>, ui: &mut Ui) {
    let t = cx.t;
    Frame::new().fill(t.panel).inner_margin(Margin::symmetric(8, 5)).show(ui, |ui| {
        ui.horizontal(|ui| {
            icons::show(ui, Icon::Search, 14.0, t.muted);
            let mut text = state.text.take().unwrap_or_else(|| cx.model.filter_text.clone());
            let clear = !text.is_empty() || cx.model.scope != Scope::All;
            let width = ui.available_width() - if clear { 34.0 } else { 0.0 };
            let edit = ui.add(
                TextEdit::singleline(&mut text)
                    .hint_text("Filter: kind:event name:add* changed:cart status:error ms>50 user:alice")
                    .desired_width(width)
                    .text_color(if cx.model.filter_error.is_some() { t.removed } else { t.text }),
            );
            let edit = edit.accessible_name("Filter steps");
            if std::mem::take(&mut state.focus_filter) {
                edit.request_focus();
            }
            if edit.changed() {
                cx.push(Action::Filter(text));
            }
            if clear && icons::button(ui, Icon::Cross, "Clear filter", true).on_hover_text("Show all steps").clicked() {
                cx.run(crate::commands::UiCommand::ClearFilter);
            }
        });
        if let Some(why) = &cx.model.filter_error {
            ui.label(RichText::new(why).size(12.0).color(t.removed));
        }
    });
}

fn nothing(cx: &mut Cx<'_>, ui: &mut Ui) {
    let Some(timeline) = cx.model.timeline() else { return };
    if timeline.steps().is_empty() {
        if timeline.source().is_attached() {
            parts::empty(
                ui,
                "Waiting for the first step",
                "Open or use a page of this server in the browser: each event, tick and push appears here",
            );
        } else {
            parts::empty(ui, "No steps", "Nothing was recorded yet. Steps appear as soon as the server is connected and a page is used");
        }
    } else {
        parts::empty(ui, "No step fits", "Change the filter, or choose All sessions on the left");
        ui.vertical_centered(|ui| {
            if ui.button("Show all steps").clicked() {
                cx.run(crate::commands::UiCommand::ClearFilter);
            }
        });
    }
}

fn rows(state: &mut Table, cx: &mut Cx<'_>, ui: &mut Ui) {
    let t = cx.t;
    let model = cx.model;
    let mut clicked: Option<StepId> = None;
    let cursor = model.current.zip(model.selected);
    let scroll = if cursor == state.scrolled_to { None } else { model.selected_row().and_then(Result::ok) };
    state.scrolled_to = cursor;
    let across = model.scope == Scope::All && model.timeline().is_some_and(|timeline| timeline.sessions().len() > 1);

    ui.spacing_mut().item_spacing.x = 10.0;
    // Cells clip what they paint, so a row's ground is painted under the whole table when its rows are known.
    let under = ui.painter().add(egui::Shape::Noop);
    let painter = ui.painter().clone();
    let across_x = ui.max_rect().x_range();
    let mut grounds: Vec<(egui::Rangef, egui::Color32)> = Vec::new();
    let room = Room::of(ui.available_width());
    let mut table = TableBuilder::new(ui)
        .id_salt("steps")
        .striped(false)
        .resizable(false)
        .sense(Sense::click())
        .cell_layout(Layout::left_to_right(Align::Center))
        .auto_shrink(false)
        .columns(Column::exact(52.0), 1)
        .columns(Column::exact(88.0), usize::from(room.time))
        .column(Column::remainder().at_least(120.0).clip(true))
        .columns(Column::exact(if room.wide { 150.0 } else { 112.0 }).clip(true), usize::from(room.changed))
        .columns(Column::exact(48.0), usize::from(room.cost))
        .columns(Column::exact(30.0), usize::from(room.cost))
        .column(Column::exact(78.0));
    if let Some(row) = scroll {
        table = table.scroll_to_row(row, None).animate_scrolling(false);
    }
    table
        .header(22.0, |mut header| {
            for (index, name) in ["#", "Time", "What", "Changed", "ms", "SQL", "Status"].into_iter().enumerate() {
                if !room.shows(index) {
                    continue;
                }
                header.col(|ui| {
                    let text = RichText::new(name).size(11.5).color(t.muted);
                    if matches!(index, 0 | 4 | 5) {
                        ui.with_layout(Layout::right_to_left(Align::Center), |ui| ui.label(text));
                    } else {
                        ui.label(text);
                    }
                });
            }
        })
        .body(|body| {
            body.rows(theme::ROW, model.visible.len(), |mut row| {
                let index = row.index();
                let Some(step) = model.row(index) else { return };
                let selected = model.selected == Some(step.id);
                let mut seen = egui::Rangef::NOTHING;
                row.set_selected(selected);
                row.col(|ui| {
                    seen = ui.clip_rect().y_range();
                    right(ui, &step.id.to_string(), if selected { t.strong } else { t.muted });
                });
                if room.time {
                    row.col(|ui| {
                        ui.label(RichText::new(format::clock(step.started)).text_style(small()).color(t.muted));
                    });
                }
                row.col(|ui| what(cx, ui, step, across));
                if room.changed {
                    row.col(|ui| changes(ui, t, step));
                }
                if room.cost {
                    row.col(|ui| {
                        right(
                            ui,
                            &format::millis(step.duration_ms),
                            if step.duration_ms.is_some_and(|ms| ms >= 100.0) { t.changed } else { t.text },
                        );
                    });
                    row.col(|ui| {
                        if step.sql > 0 {
                            right(ui, &step.sql.to_string(), if step.sql >= 10 { t.changed } else { t.text });
                        }
                    });
                }
                row.col(|ui| status(ui, t, step));
                let response = row.response();
                if let Some(fill) = ground(t, step).filter(|_| !selected && !response.hovered()) {
                    grounds.push((response.rect.y_range().intersection(seen), fill));
                }
                let name = format!("Step {} {} {}", step.id, step.kind.label(), step.name);
                response.widget_info(|| WidgetInfo::selected(Role::Row, true, selected, &name));
                if response.clicked() {
                    clicked = Some(step.id);
                }
            });
        });
    let shapes = grounds.into_iter().map(|(y, fill)| egui::Shape::rect_filled(Rect::from_x_y_ranges(across_x, y), 0.0, fill));
    painter.set(under, egui::Shape::Vec(shapes.collect()));
    if let Some(step) = clicked {
        cx.push(Action::Select(step));
    }
}

/// Which columns there is room for. `#`, what and status are always there.
#[derive(Clone, Copy)]
struct Room {
    time: bool,
    changed: bool,
    cost: bool,
    wide: bool,
}

impl Room {
    fn of(width: f32) -> Self {
        Self { time: width > 470.0, changed: width > 370.0, cost: width > 570.0, wide: width > 760.0 }
    }

    fn shows(self, column: usize) -> bool {
        match column {
            1 => self.time,
            3 => self.changed,
            4 | 5 => self.cost,
            _ => true,
        }
    }
}

fn small() -> egui::TextStyle {
    egui::TextStyle::Name(theme::MONO_SMALL.into())
}

/// The ground of rows with trouble and of gaps.
fn ground(t: &Tokens, step: &Step) -> Option<egui::Color32> {
    match (step.status, step.kind) {
        (Status::Raised | Status::Failed, _) | (_, StepKind::Error) => Some(t.removed_bg.gamma_multiply(0.6)),
        (_, StepKind::Gap) => Some(t.changed_bg.gamma_multiply(0.6)),
        _ => None,
    }
}

fn right(ui: &mut Ui, text: &str, color: egui::Color32) {
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
        ui.label(RichText::new(text).text_style(small()).color(color));
    });
}

fn what(cx: &Cx<'_>, ui: &mut Ui, step: &Step, across: bool) {
    let t = cx.t;
    icons::show(ui, Icon::Kind(step.kind), 13.0, t.kind(step.kind)).on_hover_text(step.kind.label());
    ui.spacing_mut().item_spacing.x = 6.0;
    let mut job = rich::line_job();
    let name = if step.name.is_empty() { step.kind.label() } else { &step.name };
    let ink = if step.history { t.muted } else { t.strong };
    rich::push(&mut job, &format::clip(name, 200), theme::text(13.5), ink);
    if let Some(component) = &step.component {
        rich::push(&mut job, &format!("  {}", format::clip(component, 40)), theme::text(12.0), t.muted);
    }
    if let Some(view) = &step.view {
        rich::push(&mut job, &format!("  {}", format::clip(view.as_str(), 40)), theme::text(12.0), t.lane_server);
    }
    let more = match (&step.error, &step.cause) {
        (Some(error), _) => Some((format::clip(error, 160), t.status(step.status))),
        (None, Some(Cause::Reloaded { result, reason, .. })) => {
            Some((reason.as_ref().map_or_else(|| result.clone(), |reason| format!("{result}: {reason}")), t.muted))
        }
        (None, Some(Cause::Limit { reason, .. })) => Some((reason.clone(), t.muted)),
        (None, Some(Cause::Lost { why, .. })) => Some((why.clone(), t.muted)),
        (None, Some(Cause::Started { by })) => Some((format!("started by {by}"), t.muted)),
        (None, Some(Cause::Jump { step: Some(to), .. })) => Some((format!("to step {to}"), t.muted)),
        (None, Some(Cause::Replay { step: Some(of), edited })) => {
            Some((format!("of step {of}{}", if *edited { ", edited" } else { "" }), t.muted))
        }
        (None, _) => None,
    };
    if let Some((text, color)) = more {
        rich::push(&mut job, &format!("   {}", format::clip(&text, 200)), theme::text(12.5), color);
    }
    if across && let Some(session) = cx.model.session_of(step) {
        let who = session.user.as_deref().unwrap_or("anonymous");
        rich::push(
            &mut job,
            &format!("   {} {}", format::clip(who, 24), format::clip(session.path.as_deref().unwrap_or(""), 40)),
            theme::text(12.0),
            t.faint,
        );
    }
    parts::line_label(ui, job);
}

/// `+1 ~2 −1 ⇅1`, each in its colour.
pub fn changes(ui: &mut Ui, t: &Tokens, step: &Step) {
    let counts = step.changes;
    if counts.total() == 0 {
        return;
    }
    let mut job = rich::line_job();
    let small = egui::FontId::new(11.5, egui::FontFamily::Monospace);
    for (sign, count, color) in
        [("+", counts.added, t.added), ("~", counts.changed, t.changed), ("−", counts.removed, t.removed), ("⇅", counts.moved, t.moved)]
    {
        if count > 0 {
            rich::push(&mut job, &format!("{sign}{count} "), small.clone(), color);
        }
    }
    if let Some(path) = step.changed.first() {
        rich::push(&mut job, &format::clip(path, 60), small, t.muted);
    }
    let response = parts::line_label(ui, job);
    if !step.changed.is_empty() {
        response.on_hover_ui(|ui| {
            for path in &step.changed {
                ui.label(RichText::new(format::clip(path, 90)).monospace());
            }
        });
    }
}

fn status(ui: &mut Ui, t: &Tokens, step: &Step) {
    ui.spacing_mut().item_spacing.x = 4.0;
    if step.status == Status::Ok {
        ui.label(RichText::new(if step.history { "history" } else { "ok" }).size(12.0).color(t.faint));
        return;
    }
    let color = t.status(step.status);
    let icon = if color == t.removed { Icon::Kind(StepKind::Error) } else { Icon::Kind(StepKind::RateLimited) };
    icons::show(ui, icon, 10.0, color);
    ui.label(RichText::new(step.status.word()).size(12.5).color(color));
}
