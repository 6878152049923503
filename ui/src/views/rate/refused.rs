//! The causes that djust records as `permission_denied`, told apart.

use egui::{Button, RichText, Role, Ui, WidgetInfo};
use inspector_model::Scope;

use crate::app::action::{Action, Cx};
use crate::app::model::Page;
use crate::format;
use crate::views::tally::Tally;
use crate::widgets::parts;

/// Draws the section; nothing where nothing was refused.
pub fn ui(cx: &mut Cx<'_>, ui: &mut Ui, tally: &Tally) {
    let number: u64 = tally.refused.values().map(|count| count.number).sum();
    if number == 0 {
        return;
    }
    parts::heading(cx.t, ui, "What djust records as permission_denied", number as usize);
    parts::card(ui, |ui| {
        for (refusal, count) in &tally.refused {
            ui.horizontal_wrapped(|ui| {
                ui.label(RichText::new(format::count(count.number)).monospace().color(cx.t.strong));
                ui.label(RichText::new(refusal.label()).color(cx.t.text));
                let button = ui.add(Button::new(RichText::new("Show steps").size(12.5).color(cx.t.accent)).small());
                let name = format!("Show steps: {}", refusal.label());
                button.widget_info(|| WidgetInfo::labeled(Role::Button, true, &name));
                if button.on_hover_text(refusal.filter()).clicked() {
                    cx.push(Action::Scope(Scope::Everywhere));
                    cx.push(Action::Filter(refusal.filter().to_owned()));
                    cx.push(Action::Show(Page::Steps));
                }
            });
        }
    });
}
