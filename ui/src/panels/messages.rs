//! The bell of the top bar, and behind it all messages of this run.

use egui::{Label, Popup, PopupCloseBehavior, RectAlign, RichText, ScrollArea, SetOpenCommand, Ui};

use crate::app::action::{Action, Cx};
use crate::app::messages::{Message, MessagesWish};
use crate::commands::UiCommand;
use crate::format;
use crate::theme;
use crate::widgets::icons::{self, Icon};
use crate::widgets::parts;

/// What the bell remembers.
#[derive(Default)]
pub struct MessagesPanel {
    /// Open the list.
    pub open: bool,
}

/// Draws the bell and, when it is open, the list.
pub fn ui(state: &mut MessagesPanel, cx: &mut Cx<'_>, ui: &mut Ui) {
    let t = cx.t;
    let (unread, loudest) = cx.model.messages.unread();
    let button = icons::button(ui, Icon::Bell, UiCommand::ShowMessages.text(), true);
    if unread > 0 {
        let (ink, ground) = t.level(loudest);
        let number = if unread > 99 { "99+".to_owned() } else { unread.to_string() };
        let words = format::plural(unread as u64, "unread warning or error", "unread warnings and errors");
        parts::chip(ui, &number, ink, ground).on_hover_text(&words).widget_info(|| {
            // The number alone says nothing to who does not see the bell.
            egui::WidgetInfo::labeled(egui::Role::Label, true, &words)
        });
    }
    let asked = std::mem::take(&mut state.open);
    let command = if asked { Some(SetOpenCommand::Bool(true)) } else { button.clicked().then_some(SetOpenCommand::Toggle) };
    let shown = Popup::from_toggle_button_response(&button)
        .open_memory(command)
        .align(RectAlign::BOTTOM_END)
        .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
        .show(|ui| list(cx, ui, asked));
    if shown.is_some() && unread > 0 {
        cx.push(Action::Messages(MessagesWish::Read));
    }
    button.on_hover_text(parts::command_tip(ui, UiCommand::ShowMessages));
}

fn list(cx: &mut Cx<'_>, ui: &mut Ui, asked: bool) {
    let t = cx.t;
    let all = cx.model.messages.all();
    ui.set_width(440.0);
    ui.horizontal(|ui| {
        ui.label(RichText::new("Messages").size(15.0).color(t.strong));
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            let clear = ui.add_enabled(!all.is_empty(), egui::Button::new("Clear")).on_hover_text("Forget all messages");
            if clear.clicked() {
                cx.push(Action::Messages(MessagesWish::Clear));
            }
            let copy = ui.add_enabled(!all.is_empty(), egui::Button::new("Copy all"));
            if copy.clicked() {
                cx.push(Action::Copy(all.iter().map(copied).collect::<Vec<_>>().join("\n"), "all messages"));
            }
            if asked {
                copy.request_focus();
            }
        });
    });
    if all.is_empty() {
        ui.add_space(10.0);
        ui.label(RichText::new("No message so far. What commands did, and what went wrong, is listed here").color(t.muted));
        ui.add_space(10.0);
        return;
    }
    let most = ui.ctx().content_rect().height() - 140.0;
    ScrollArea::vertical().max_height(most.clamp(120.0, 560.0)).auto_shrink([false, true]).show(ui, |ui| {
        for (index, message) in all.iter().enumerate() {
            ui.push_id(index, |ui| one(cx, ui, message));
        }
    });
}

fn one(cx: &mut Cx<'_>, ui: &mut Ui, message: &Message) {
    let t = cx.t;
    ui.separator();
    ui.horizontal_top(|ui| {
        parts::level(ui, message.level);
        let width = ui.available_width() - 38.0;
        ui.vertical(|ui| {
            ui.set_width(width);
            ui.add(Label::new(RichText::new(&message.text).color(t.strong)).wrap().selectable(true));
            if let Some(detail) = &message.detail {
                ui.add(Label::new(RichText::new(detail).size(12.0).color(t.muted)).wrap().selectable(true));
            }
            let at = format::clock(message.at);
            let when = if message.number > 1 { format!("{} times, last {at}", message.number) } else { at };
            ui.label(RichText::new(when).font(theme::text(11.5)).color(t.muted));
        });
        if icons::button(ui, Icon::Copy, "Copy message", true).on_hover_text("Copy message").clicked() {
            cx.push(Action::Copy(message.to_text(), "the message"));
        }
    });
}

fn copied(message: &Message) -> String {
    let (_, word) = parts::level_words(message.level);
    format!("{} {word}: {}", format::clock(message.at), message.to_text())
}
