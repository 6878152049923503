//! What the engine works on that takes long: how far it is, and the way to stop it.

use egui::{Align, Button, Layout, Popup, PopupCloseBehavior, RichText, Role, Ui, WidgetInfo};
use inspector_model::Work;

use crate::app::action::{Action, Cx};
use crate::format;
use crate::theme;
use crate::widgets::parts;

/// Width of the list, points.
const WIDTH: f32 = 430.0;

/// Draws the first of it, and a list of all on request; or that something is on its way.
pub fn ui(cx: &mut Cx<'_>, ui: &mut Ui) {
    let t = cx.t;
    let model = cx.model;
    let Some(first) = model.work.first() else {
        if model.busy > 0 {
            ui.label(RichText::new("Working …").size(12.5).color(t.accent));
        }
        return;
    };
    let more = if model.work.len() > 1 { format!("  + {}", model.work.len() - 1) } else { String::new() };
    let text = RichText::new(format!("{}{more}  ▾", format::clip(&words(first), 40))).size(12.5).color(t.accent);
    let button = ui.add(Button::new(text).fill(t.ground)).on_hover_text("What takes long, and the way to stop it");
    let label = format!("Work: {}", words(first));
    button.widget_info(|| WidgetInfo::labeled(Role::Button, true, &label));
    Popup::menu(&button).close_behavior(PopupCloseBehavior::CloseOnClickOutside).show(|ui| {
        ui.set_width(WIDTH);
        for work in &model.work {
            ui.push_id(work.id, |ui| bar(cx, ui, work));
        }
    });
}

/// One piece of work: what it is, how far, and a button that stops it.
pub fn bar(cx: &mut Cx<'_>, ui: &mut Ui, work: &Work) {
    let t = cx.t;
    ui.horizontal(|ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let stopping = cx.model.stopping.contains(&work.id);
            let cancel = ui.add_enabled(!stopping, Button::new("Cancel").fill(t.raised)).on_disabled_hover_text("It is being stopped");
            cancel.widget_info(|| WidgetInfo::labeled(Role::Button, !stopping, format!("Cancel {}", work.words)));
            if cancel.clicked() {
                cx.push(Action::Stop(work.id));
            }
            if let Some(part) = work.part() {
                ui.label(RichText::new(format!("{:.0} %", part * 100.0)).font(theme::text(12.5)).color(t.muted));
                parts::meter(ui, part, 90.0, t.accent, &words(work));
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                let text = if stopping { format!("Stopping: {}", work.words) } else { work.words.clone() };
                parts::line_label(ui, RichText::new(format::clip(&text, 80)).color(t.text));
            });
        });
    });
}

/// What it is and how far.
fn words(work: &Work) -> String {
    match work.part() {
        Some(part) => format!("{}, {:.0} %", work.words, part * 100.0),
        None => format!("{} …", work.words),
    }
}
