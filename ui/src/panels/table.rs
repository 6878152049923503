//! The step table: one row per shown step, virtualised, with the filter above it.

use egui::{Align, Frame, Layout, Margin, Rangef, Rect, RichText, Role, Sense, TextEdit, Ui, UiBuilder, WidgetInfo, vec2};
use inspector_model::{Cause, Scope, SourceId, Status, Step, StepId, StepKind, Suspect};

use crate::app::action::{Action, Cx};
use crate::format;
use crate::theme::{self, Tokens};
use crate::widgets::icons::{self, Icon};
use crate::widgets::long_list::LongList;
use crate::widgets::{parts, rich};

/// What the table remembers.
#[derive(Default)]
pub struct Table {
    /// Put the keyboard into the filter.
    pub focus_filter: bool,
    /// The cursor that the table was last scrolled to: it scrolls only when that moves.
    scrolled_to: Option<(SourceId, StepId)>,
    list: LongList,
    text: Option<String>,
}

/// Draws filter and table.
pub fn ui(state: &mut Table, cx: &mut Cx<'_>, ui: &mut Ui) {
    filter_bar(state, cx, ui);
    if cx.model.rows.is_empty() {
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
            let clear = !text.is_empty() || cx.model.scope != Scope::Everywhere;
            let busy = cx.model.rows.progress().is_some();
            let width = ui.available_width() - if clear { 34.0 } else { 0.0 } - if busy { 44.0 } else { 0.0 };
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
            if let Some(part) = cx.model.rows.progress() {
                ui.label(RichText::new(format!("{:.0} %", part * 100.0)).size(12.0).color(t.muted)).on_hover_text("Steps looked at so far");
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
    if cursor != state.scrolled_to
        && let Some(Ok(row)) = model.selected_row()
    {
        state.list.reveal(row);
    }
    state.scrolled_to = cursor;
    let across = model.scope == Scope::Everywhere && model.timeline().is_some_and(|timeline| timeline.sessions().len() > 1);

    let columns = Columns::of(ui.available_width());
    header(t, ui, &columns);
    state.list.ui(ui, model.rows.len(), theme::ROW, |ui, rect, row| {
        let Some(step) = model.row(row) else { return };
        let selected = model.selected == Some(step.id);
        let response = ui.interact(rect, ui.scope_id().with(step.id.0), Sense::click());
        let name = format!("Step {} {} {}", step.id, step.kind.label(), step.name);
        response.widget_info(|| WidgetInfo::selected(Role::Row, true, selected, &name));
        let fill = if selected {
            Some(t.selected)
        } else if response.hovered() {
            Some(t.raised)
        } else {
            ground(t, &step)
        };
        if let Some(fill) = fill {
            ui.painter().rect_filled(rect, 0.0, fill);
        }
        for (column, x) in &columns.shown {
            let mut cell = ui.new_child(
                UiBuilder::new()
                    .max_rect(Rect::from_x_y_ranges(rect.left() + x.min..=rect.left() + x.max, rect.y_range()))
                    .layout(column.layout()),
            );
            cell.shrink_clip_rect(Rect::from_x_y_ranges(rect.left() + x.min..=rect.left() + x.max, rect.y_range()));
            column.cell(cx, &mut cell, &step, selected, across);
        }
        if response.clicked() {
            clicked = Some(step.id);
        }
    });
    if let Some(step) = clicked {
        cx.push(Action::Select(step));
    }
}

fn header(t: &Tokens, ui: &mut Ui, columns: &Columns) {
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 22.0), Sense::hover());
    for (column, x) in &columns.shown {
        let place = Rect::from_x_y_ranges(rect.left() + x.min..=rect.left() + x.max, rect.y_range());
        let mut cell = ui.new_child(UiBuilder::new().max_rect(place).layout(column.layout()));
        cell.label(RichText::new(column.name()).size(11.5).color(t.muted));
    }
}

/// A column of the table.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Column {
    Number,
    Time,
    What,
    Changed,
    Ms,
    Sql,
    Status,
}

impl Column {
    const fn name(self) -> &'static str {
        match self {
            Self::Number => "#",
            Self::Time => "Time",
            Self::What => "What",
            Self::Changed => "Changed",
            Self::Ms => "ms",
            Self::Sql => "SQL",
            Self::Status => "Status",
        }
    }

    /// Numbers stand at the right.
    fn layout(self) -> Layout {
        match self {
            Self::Number | Self::Ms | Self::Sql => Layout::right_to_left(Align::Center),
            Self::Time | Self::What | Self::Changed | Self::Status => Layout::left_to_right(Align::Center),
        }
    }

    fn cell(self, cx: &Cx<'_>, ui: &mut Ui, step: &Step, selected: bool, across: bool) {
        let t = cx.t;
        let number = |ui: &mut Ui, text: String, color| ui.label(RichText::new(text).text_style(small()).color(color));
        match self {
            Self::Number => {
                number(ui, step.id.to_string(), if selected { t.strong } else { t.muted });
                if let Some(note) = cx.model.timeline().and_then(|timeline| timeline.marks().get(&step.id)) {
                    icons::show(ui, Icon::Bookmark, 10.0, t.accent).on_hover_text(if note.is_empty() { "Marked" } else { note });
                }
            }
            Self::Time => {
                number(ui, format::clock(step.started), t.muted);
            }
            Self::What => what(cx, ui, step, across),
            Self::Changed => changes(ui, t, step),
            Self::Ms => {
                let slow = step.duration_ms.is_some_and(|ms| ms >= 100.0);
                number(ui, format::millis(step.duration_ms), if slow { t.changed } else { t.text });
            }
            Self::Sql => {
                if step.sql > 0 {
                    number(ui, step.sql.to_string(), if step.sql >= 10 { t.changed } else { t.text });
                }
            }
            Self::Status => status(ui, t, step),
        }
    }
}

/// The columns for which there is room, and where they stand. `#`, what and status are always there.
struct Columns {
    shown: Vec<(Column, Rangef)>,
}

impl Columns {
    const GAP: f32 = 10.0;

    fn of(width: f32) -> Self {
        let mut widths = vec![(Column::Number, 62.0)];
        if width > 470.0 {
            widths.push((Column::Time, 88.0));
        }
        widths.push((Column::What, 0.0));
        if width > 370.0 {
            widths.push((Column::Changed, if width > 760.0 { 150.0 } else { 112.0 }));
        }
        if width > 570.0 {
            widths.extend([(Column::Ms, 48.0), (Column::Sql, 30.0)]);
        }
        widths.push((Column::Status, 78.0));
        let taken: f32 = widths.iter().map(|(_, width)| width + Self::GAP).sum();
        let mut x = 0.0;
        let shown = widths.into_iter().map(|(column, wide)| {
            let wide = if column == Column::What { (width - taken).max(120.0) } else { wide };
            let place = Rangef::new(x, x + wide);
            x += wide + Self::GAP;
            (column, place)
        });
        Self { shown: shown.collect() }
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
        (None, Some(Cause::Outside { suspects })) => Some((suspected(suspects), t.muted)),
        (None, Some(Cause::Started { by })) => Some((format!("started by {by}"), t.muted)),
        (None, Some(Cause::Jump { step: Some(to), .. })) => Some((format!("to step {to}"), t.muted)),
        (None, Some(Cause::Replay { step: Some(of), edited })) => {
            Some((format!("of step {of}{}", if *edited { ", edited" } else { "" }), t.muted))
        }
        (None, _) => None,
    };
    if !step.hits.is_empty() {
        rich::push(&mut job, "   ", theme::text(12.5), t.text);
        rich::push_marked(&mut job, &format!(" ● {} ", format::clip(&step.hits.join(", "), 80)), t.changed, t.changed_bg, false);
    }
    if let Some((text, color)) = more {
        rich::push(&mut job, &format!("   {}", format::clip(&text, 200)), theme::text(12.5), color);
    }
    if across && let Some(session) = cx.model.session_of(step) {
        let who = session.user_name();
        rich::push(
            &mut job,
            &format!("   {} {}", format::clip(who, 24), format::clip(session.path.as_deref().unwrap_or(""), 40)),
            theme::text(12.0),
            t.faint,
        );
    }
    parts::line_label(ui, job);
}

/// Who made a change outside of steps.
fn suspected(suspects: &[Suspect]) -> String {
    match suspects {
        [] => "no cause seen".to_owned(),
        [one] => one.short(),
        [first, more @ ..] => format!("{} and {} more", first.short(), more.len()),
    }
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
