//! The WebSocket frames of a step, raw, and pretty on demand.

use std::collections::HashMap;

use egui::{RichText, ScrollArea, Ui};
use inspector_model::{Frame, StepDetail};

use crate::app::action::{Action, Cx};
use crate::format;
use crate::theme;
use crate::widgets::{parts, rich};

/// What the tab remembers, for one step: pretty text of opened frames.
#[derive(Default)]
pub struct FramesTab {
    open: HashMap<usize, Vec<String>>,
}

impl FramesTab {
    /// Forgets what belongs to another step.
    pub fn reset(&mut self) {
        self.open.clear();
    }
}

fn pretty(frame: &Frame) -> Vec<String> {
    let text = serde_json::from_str::<serde_json::Value>(&frame.text).and_then(|json| serde_json::to_string_pretty(&json));
    let text = text.unwrap_or_else(|_| frame.text.clone());
    text.lines().take(2_000).map(|line| format::clip(line, 600)).collect()
}

/// Draws the tab.
pub fn ui(state: &mut FramesTab, cx: &mut Cx<'_>, ui: &mut Ui, detail: &StepDetail) {
    let t = cx.t;
    if detail.frames.is_empty() {
        parts::empty(ui, "No frames", "No WebSocket frame belongs to this step");
        return;
    }
    let total: u64 = detail.frames.iter().map(|frame| frame.bytes).sum();
    ui.label(
        RichText::new(format!("{}, {}", format::plural(detail.frames.len() as u64, "frame", "frames"), format::bytes(total)))
            .size(12.0)
            .color(t.muted),
    );
    ScrollArea::vertical().id_salt("frames").auto_shrink(false).show(ui, |ui| {
        for (index, frame) in detail.frames.iter().take(500).enumerate() {
            let incoming = frame.dir == "in";
            let (arrow, word, ink) =
                if incoming { ("→", "from the browser", t.lane_event) } else { ("←", "to the browser", t.lane_server) };
            let opened = state.open.contains_key(&index);
            let (rect, response) = parts::list_row(ui, theme::ROW, opened, &format!("Frame {} {word}", index + 1));
            let mut job = rich::line_job();
            rich::push(&mut job, &format!("{arrow} "), theme::mono(), ink);
            rich::push(&mut job, &format!("{:>9}  ", format::bytes(frame.bytes)), theme::mono(), t.muted);
            rich::push(&mut job, &rich::one_line(&format::clip(&frame.text, 300)), theme::mono(), t.text);
            job.wrap.max_width = rect.width() - 12.0;
            let galley = ui.painter().layout_job(job);
            let at = egui::pos2(rect.left() + 6.0, rect.center().y - galley.size().y * 0.5);
            ui.painter_at(rect).galley(at, galley, t.text);
            let response = response.on_hover_text(format!("{word}, {}", format::clock(frame.at)));
            if response.clicked() && state.open.remove(&index).is_none() {
                state.open.insert(index, pretty(frame));
            }
            if let Some(lines) = state.open.get(&index) {
                ui.indent(index, |ui| {
                    if ui.button("Copy frame").clicked() {
                        cx.push(Action::Copy(frame.text.clone(), "the frame"));
                    }
                    if (frame.text.len() as u64) < frame.bytes {
                        ui.label(RichText::new("The recorded text is cut").size(12.0).color(t.changed));
                    }
                    ScrollArea::vertical().id_salt(("frame", index)).max_height(420.0).show_rows(ui, 16.0, lines.len(), |ui, range| {
                        ui.spacing_mut().item_spacing.y = 0.0;
                        for line in &lines[range] {
                            let mut job = rich::line_job();
                            rich::push(&mut job, &rich::one_line(line), theme::mono(), t.text);
                            parts::exact_line(ui, 16.0, line, job);
                        }
                    });
                });
            }
        }
    });
}
