//! Messages at the corner: results of commands. Errors stay longer; each can be put away.

use egui::{Align2, Area, Context, Frame, Id, Margin, Order, RichText, Stroke};
use inspector_model::Level;

use super::icons::{self, Icon};
use crate::app::action::{Action, Cx};

/// Draws the messages.
pub fn ui(cx: &mut Cx<'_>, ctx: &Context) {
    if cx.model.toasts.is_empty() {
        return;
    }
    let model = cx.model;
    let t = cx.t;
    Area::new(Id::unique("toasts")).order(Order::Foreground).anchor(Align2::RIGHT_BOTTOM, [-14.0, -40.0]).show(ctx, |ui| {
        ui.set_max_width(380.0);
        for (index, toast) in model.toasts.iter().enumerate() {
            let (ink, _) = t.level(toast.level);
            Frame::new()
                .fill(t.raised)
                .stroke(Stroke::new(1.0, ink))
                .corner_radius(7)
                .inner_margin(Margin::symmetric(10, 7))
                .shadow(ui.visuals().popup_shadow)
                .show(ui, |ui| {
                    ui.set_width(356.0);
                    ui.horizontal_top(|ui| {
                        let (icon, word) = match toast.level {
                            Level::Info => (Icon::Info, "Note"),
                            Level::Warning => (Icon::Warning, "Warning"),
                            Level::Error => (Icon::Cross, "Error"),
                        };
                        icons::show(ui, icon, 14.0, ink).on_hover_text(word);
                        ui.vertical(|ui| {
                            ui.set_width(290.0);
                            ui.add(egui::Label::new(RichText::new(&toast.text).color(t.strong)).wrap());
                            if let Some(detail) = &toast.detail {
                                ui.add(egui::Label::new(RichText::new(detail).size(12.0).color(t.muted)).wrap());
                            }
                        });
                        if icons::button(ui, Icon::Cross, "Dismiss message", true).clicked() {
                            cx.push(Action::Dismiss(index));
                        }
                    });
                });
            ui.add_space(4.0);
        }
    });
}
