//! What stands in the cells of the table.

use egui::{RichText, Ui};
use inspector_model::{Cause, Status, Step, StepKind, Suspect};

use super::columns::Column;
use crate::app::action::Cx;
use crate::format;
use crate::theme::{self, Tokens};
use crate::widgets::icons::{self, Icon};
use crate::widgets::{parts, rich};

/// What all cells of a row have to know.
pub struct Row<'a> {
    /// The step.
    pub step: &'a Step,
    /// Whether it is the selected one.
    pub selected: bool,
    /// Whether to say whose it is behind its name.
    pub whose: bool,
}

/// Draws one cell.
pub fn cell(column: Column, cx: &Cx<'_>, ui: &mut Ui, row: &Row<'_>) {
    let t = cx.t;
    let step = row.step;
    let number = |ui: &mut Ui, text: String, color| ui.label(RichText::new(text).text_style(small()).color(color));
    let words = |ui: &mut Ui, text: &str| parts::line_label(ui, RichText::new(format::clip(text, 80)).size(12.5).color(t.muted));
    match column {
        Column::Number => {
            number(ui, step.id.to_string(), if row.selected { t.strong } else { t.muted });
            if let Some(note) = cx.model.timeline().and_then(|timeline| timeline.marks().get(&step.id)) {
                icons::show(ui, Icon::Bookmark, 10.0, t.accent).on_hover_text(if note.is_empty() { "Marked" } else { note });
            }
        }
        Column::Time => {
            number(ui, format::clock(step.started), t.muted);
        }
        Column::What => what(cx, ui, step, row.whose),
        Column::User => {
            if let Some(session) = cx.model.session_of(step) {
                words(ui, session.user_name());
            }
        }
        Column::View => {
            if let Some(view) = cx.model.view_of(step) {
                words(ui, format::short_class(&view.class)).on_hover_text(&view.class);
            }
        }
        Column::Path => {
            if let Some(path) = cx.model.session_of(step).and_then(|session| session.path.as_deref()) {
                words(ui, path).on_hover_text(path);
            }
        }
        Column::Changed => changes(ui, t, step),
        Column::Ms => {
            let slow = step.duration_ms.is_some_and(|ms| ms >= 100.0);
            number(ui, format::millis(step.duration_ms), if slow { t.changed } else { t.text });
        }
        Column::Sql => {
            if step.sql > 0 {
                number(ui, step.sql.to_string(), if step.sql >= 10 { t.changed } else { t.text });
            }
        }
        Column::Logs | Column::Frames => {
            let count = if column == Column::Logs { step.logs } else { step.frames };
            if count > 0 {
                number(ui, count.to_string(), t.text);
            }
        }
        Column::State => {
            if step.has_states() {
                number(ui, format::bytes(step.state_bytes), t.text);
            }
        }
        Column::Status => status(ui, t, step),
    }
}

fn small() -> egui::TextStyle {
    egui::TextStyle::Name(theme::MONO_SMALL.into())
}

/// The ground of rows with trouble and of gaps.
pub fn ground(t: &Tokens, step: &Step) -> Option<egui::Color32> {
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
        (None, Some(Cause::Started { by })) => Some((format!("started by {by}"), t.muted)),
        (None, Some(Cause::Jump { step: Some(to), .. })) => Some((format!("to step {to}"), t.muted)),
        (None, Some(Cause::Replay { step: Some(of), edited })) => {
            Some((format!("of step {of}{}", if *edited { ", edited" } else { "" }), t.muted))
        }
        (None, Some(Cause::Outside { suspects })) => Some((suspected(suspects), t.muted)),
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
fn changes(ui: &mut Ui, t: &Tokens, step: &Step) {
    let counts = step.changes;
    if counts.total() == 0 {
        return;
    }
    let mut job = rich::line_job();
    let small = egui::FontId::new(11.5, egui::FontFamily::Monospace);
    rich::push_counts(&mut job, t, counts, &small);
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
