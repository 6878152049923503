//! A newer version of the program: how far it is, and what its installation ends.

use egui::{Frame, Margin, Panel, ProgressBar, RichText, Ui};
use inspector_model::{Update, UpdateState, UpdateStep};

use super::question::what_ends;
use crate::app::action::{Action, Cx};
use crate::format;
use crate::widgets::icons::{self, Icon};

/// Draws one line while there is a newer version.
pub fn ui(cx: &mut Cx<'_>, ui: &mut Ui) {
    let Some(Update { version, state }) = cx.model.desktop.update.clone() else { return };
    let t = cx.t;
    let failed = matches!(state, UpdateState::Failed(_));
    let (ground, ink) = if failed { (t.removed_bg, t.removed) } else { (t.raised, t.accent) };
    let mut step = None;
    Panel::top("update").frame(Frame::new().fill(ground).inner_margin(Margin::symmetric(12, 5))).show_separator_line(false).show(
        ui,
        |ui| {
            ui.horizontal_wrapped(|ui| {
                icons::show(ui, if failed { Icon::Warning } else { Icon::Info }, 15.0, ink);
                let mut buttons = |ui: &mut Ui, all: &[(&str, UpdateStep)]| {
                    for (text, of) in all {
                        if ui.button(*text).clicked() {
                            step = Some(*of);
                        }
                    }
                };
                match &state {
                    UpdateState::Offered => {
                        ui.label(RichText::new(format!("Version {version} is available.")).color(t.strong));
                        buttons(ui, &[("Download", UpdateStep::Download), ("Not now", UpdateStep::Dismiss)]);
                    }
                    UpdateState::Downloading { done, of } => {
                        let words = match of {
                            0 => format::bytes(*done),
                            of => format!("{} of {}", format::bytes(*done), format::bytes(*of)),
                        };
                        ui.label(RichText::new(format!("Downloading version {version}: {words}")).color(t.strong));
                        if *of > 0 {
                            ui.add(ProgressBar::new((*done as f64 / *of as f64) as f32).desired_width(160.0).desired_height(8.0));
                        }
                    }
                    UpdateState::Ready => {
                        let mut sentences = vec![format!("Version {version} is downloaded. It is installed with a restart.")];
                        sentences.extend(what_ends(cx));
                        ui.label(RichText::new(sentences.join(" ")).color(t.strong));
                        buttons(ui, &[("Install and restart", UpdateStep::Restart), ("Not now", UpdateStep::Dismiss)]);
                    }
                    UpdateState::Failed(why) => {
                        ui.label(RichText::new(format!("Version {version} was not installed: {why}")).color(t.strong));
                        buttons(ui, &[("Try again", UpdateStep::Download), ("Not now", UpdateStep::Dismiss)]);
                    }
                }
            });
        },
    );
    if let Some(step) = step {
        cx.push(Action::Update(step));
    }
}
