//! What went wrong, then the log records of the step.

use egui::{Frame, Label, Margin, RichText, ScrollArea, Ui};
use inspector_model::{LogRecord, Step, StepDetail};

use crate::app::action::{Action, Cx};
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
    ScrollArea::vertical().id_salt("log").auto_shrink(false).show(ui, |ui| {
        if let Some(error) = &detail.error {
            Frame::new().fill(t.removed_bg).corner_radius(6).inner_margin(Margin::same(10)).show(ui, |ui| {
                ui.set_width(ui.available_width());
                ui.add(Label::new(RichText::new(&error.kind).monospace().color(t.removed)).selectable(true));
                ui.add(Label::new(RichText::new(&error.message).size(14.0).color(t.strong)).wrap().selectable(true));
                if let Some(traceback) = &error.traceback {
                    ui.add_space(4.0);
                    ui.add(Label::new(RichText::new(traceback).monospace().color(t.text)).wrap().selectable(true));
                    if ui.button("Copy traceback").clicked() {
                        cx.push(Action::Copy(traceback.clone(), "the traceback"));
                    }
                }
            });
            ui.add_space(8.0);
        }
        for (index, record) in detail.logs.iter().take(1000).enumerate() {
            ui.push_id(index, |ui| one(cx, ui, record));
        }
    });
}

fn one(cx: &mut Cx<'_>, ui: &mut Ui, record: &LogRecord) {
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
            if let Some(traceback) = &record.traceback {
                egui::CollapsingHeader::new(RichText::new("Traceback").size(12.5)).show(ui, |ui| {
                    ui.add(Label::new(RichText::new(traceback).monospace()).wrap().selectable(true));
                });
            }
        });
    });
    ui.add_space(4.0);
}
