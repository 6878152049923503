//! What went wrong, then the log records of the step.

use egui::{Label, RichText, ScrollArea, Ui};
use inspector_model::{LogRecord, Step, StepDetail};

use super::traceback;
use crate::app::action::Cx;
use crate::format;
use crate::widgets::parts;

/// Draws the tab.
pub fn ui(cx: &mut Cx<'_>, ui: &mut Ui, step: &Step, detail: &StepDetail) {
    let t = cx.t;
    if detail.error.is_none() && detail.logs.is_empty() {
        let title = if step.error.is_some() { "No details of the error" } else { "Nothing was logged" };
        parts::empty(ui, title, "Log records of the handler and of djust appear here, errors with their traceback");
        return;
    }
    let model = cx.model;
    let folder = model.timeline().and_then(|timeline| Some(timeline.source().server.as_ref()?.cwd.as_str())).filter(|cwd| !cwd.is_empty());
    ScrollArea::vertical().id_salt("log").auto_shrink(false).show(ui, |ui| {
        if let Some(error) = &detail.error {
            ui.add(Label::new(RichText::new(&error.kind).monospace().color(t.removed)).selectable(true));
            ui.add(Label::new(RichText::new(&error.message).size(14.0).color(t.strong)).wrap().selectable(true));
            if let Some(text) = &error.traceback {
                ui.add_space(6.0);
                traceback::ui(cx, ui, text, folder);
            }
            ui.add_space(8.0);
        }
        for (index, record) in detail.logs.iter().take(1000).enumerate() {
            ui.push_id(index, |ui| one(cx, ui, record, folder));
        }
    });
}

fn one(cx: &mut Cx<'_>, ui: &mut Ui, record: &LogRecord, folder: Option<&str>) {
    let t = cx.t;
    let (ink, ground) = match record.level.as_str() {
        "ERROR" | "CRITICAL" => (t.removed, t.removed_bg),
        "WARNING" => (t.changed, t.changed_bg),
        "DEBUG" => (t.muted, t.raised),
        _ => (t.accent, t.info_bg),
    };
    ui.horizontal_top(|ui| {
        parts::chip(ui, &format::clip(&record.level, 10), ink, ground);
        ui.vertical(|ui| {
            ui.add(
                Label::new(RichText::new(format::clip(&record.message.replace('\n', " "), 4_000)).color(t.text)).wrap().selectable(true),
            );
            ui.label(RichText::new(format!("{}  ·  {}", record.logger, format::clock(record.at))).size(11.5).color(t.muted));
            if let Some(text) = &record.traceback {
                egui::CollapsingHeader::new(RichText::new("Traceback").size(12.5)).show(ui, |ui| traceback::ui(cx, ui, text, folder));
            }
        });
    });
    ui.add_space(4.0);
}
