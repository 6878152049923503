//! What is not seen here and what to do about it: advice, missing hooks, losses.

use egui::{RichText, Ui};
use inspector_model::{Level, SourceState, StepKind};

use super::page;
use crate::app::action::Cx;
use crate::format;
use crate::widgets::parts;

/// Draws the view.
pub fn ui(cx: &mut Cx<'_>, ui: &mut Ui) {
    let model = cx.model;
    let t = cx.t;
    let Some(timeline) = model.timeline() else { return };
    let source = timeline.source();
    page(ui, "Health", "Whether everything is seen, and what to do where it is not", 820.0, |ui| {
        match &source.state {
            SourceState::Lost { why, attempt, .. } => {
                parts::note(ui, Level::Warning, &format!("The connection is lost: {why}. Trying again, attempt {attempt}"));
            }
            SourceState::Ended { reason } => parts::note(ui, Level::Info, &format!("The connection is over: {reason}")),
            SourceState::Connecting | SourceState::Attached | SourceState::Replaying => {}
        }
        if let Some(why) = &source.recorder.stopped {
            parts::note(ui, Level::Error, &format!("Recording stopped: {why}"));
        }
        if let Some(why) = &source.recorder.paused {
            parts::note(ui, Level::Error, why);
        }
        if let Some(why) = &source.recorder.damaged {
            parts::note(ui, Level::Warning, &format!("The recording is damaged: {why}"));
        }
        let gaps = timeline.of_kind(StepKind::Gap).len();
        if source.recorder.dropped > 0 || gaps > 0 {
            let words = format!(
                "{} lost on the way, {} in the timeline",
                format::plural(source.recorder.dropped, "frame was", "frames were"),
                format::plural(gaps as u64, "gap", "gaps")
            );
            parts::note(ui, Level::Warning, &words);
        }
        let Some(server) = &source.server else {
            parts::empty(ui, "Server not known yet", "It says who it is when it is attached");
            return;
        };
        if server.advice.is_empty() && server.missing.is_empty() {
            parts::note(ui, Level::Info, "All hooks are in place and nothing is advised");
        }
        if !server.advice.is_empty() {
            ui.add_space(8.0);
            parts::section(ui, "Advice");
        }
        for advice in &server.advice {
            ui.push_id(&advice.code, |ui| {
                parts::card(ui, |ui| {
                    ui.add(egui::Label::new(RichText::new(&advice.message).color(t.strong)).wrap());
                    if let Some(fix) = &advice.fix {
                        parts::paste_line(cx, ui, fix);
                    }
                });
            });
        }
        if !server.missing.is_empty() {
            ui.add_space(8.0);
            parts::section(ui, &format!("Hooks that djust {} lacks", server.djust));
            parts::card(ui, |ui| {
                for hook in &server.missing {
                    ui.label(RichText::new(&hook.hook).monospace().color(t.strong));
                    ui.add(egui::Label::new(RichText::new(&hook.why).size(12.5).color(t.muted)).wrap());
                }
            });
        }
        ui.add_space(8.0);
        parts::section(ui, "Server");
        parts::card(ui, |ui| {
            egui::Grid::new("server").num_columns(2).spacing([18.0, 4.0]).show(ui, |ui| {
                let layer = server.channel_layer.as_deref().unwrap_or("none");
                let autoreload = server.autoreload.as_deref().unwrap_or("none");
                let (pid, debug, capabilities) = (server.pid.to_string(), server.debug.to_string(), server.capabilities.join(", "));
                for (name, value) in [
                    ("Project", server.project.as_str()),
                    ("Folder", &server.cwd),
                    ("Process", &pid),
                    ("djust", &server.djust),
                    ("Django", &server.django),
                    ("Python", &server.python),
                    ("ASGI server", server.asgi.as_deref().unwrap_or("unknown")),
                    ("DEBUG", &debug),
                    ("Channel layer", layer),
                    ("Autoreload", autoreload),
                    ("Commands", &capabilities),
                ] {
                    ui.label(RichText::new(name).color(t.muted));
                    ui.add(egui::Label::new(RichText::new(format::clip(value, 200)).monospace().color(t.text)).wrap().selectable(true));
                    ui.end_row();
                }
            });
        });
    });
}
