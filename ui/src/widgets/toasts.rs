//! Messages at the corner: results of commands. Errors stay longer; each can be put away, and none goes under the pointer.

use egui::{Align2, Area, Context, Frame, Id, Margin, Order, RichText, Stroke};

use super::icons::{self, Icon};
use super::parts;
use crate::app::action::{Action, Cx};

/// Draws the messages. `true` when the pointer is over them.
pub fn ui(cx: &mut Cx<'_>, ctx: &Context) -> bool {
    let toasts = cx.model.messages.toasts();
    if toasts.is_empty() {
        return false;
    }
    let t = cx.t;
    let area = Area::new(Id::unique("toasts")).order(Order::Foreground).anchor(Align2::RIGHT_BOTTOM, [-14.0, -40.0]).show(ctx, |ui| {
        ui.set_max_width(380.0);
        // The area stands on its lower end: a new one above moves none of the others.
        for (index, toast) in toasts.iter().enumerate().rev() {
            let message = &toast.message;
            let (ink, _) = t.level(message.level);
            Frame::new()
                .fill(t.raised)
                .stroke(Stroke::new(1.0, ink))
                .corner_radius(7)
                .inner_margin(Margin::symmetric(10, 7))
                .shadow(ui.visuals().popup_shadow)
                .show(ui, |ui| {
                    ui.set_width(356.0);
                    ui.horizontal_top(|ui| {
                        parts::level(ui, message.level);
                        ui.vertical(|ui| {
                            ui.set_width(290.0);
                            ui.add(egui::Label::new(RichText::new(&message.text).color(t.strong)).wrap());
                            if let Some(detail) = &message.detail {
                                ui.add(egui::Label::new(RichText::new(detail).size(12.0).color(t.muted)).wrap());
                            }
                            if message.number > 1 {
                                ui.label(RichText::new(format!("{} times", message.number)).size(11.5).color(t.muted));
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
    area.response.contains_pointer()
}
