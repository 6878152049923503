//! Keys to commands. Never while a text field or a dialog has the keyboard.

use egui::{Context, Key};

use super::action::Action;
use super::edit_check::EditCheck;
use super::model::Model;
use crate::commands::UiCommand;
use crate::panels::Panels;

/// Takes the keys of this frame that mean commands.
pub fn take(ctx: &Context, model: &Model, panels: &mut Panels, actions: &mut Vec<Action>) {
    let is_asked = model.jump_question.is_some()
        || model.sealed_file.is_some()
        || model.question().is_some()
        || model.edit_check.as_ref().is_some_and(EditCheck::is_asking);
    if panels.palette.is_open() || model.export.is_some() || is_asked {
        return;
    }
    let in_text = ctx.text_edit_focused();
    // A focused button keeps space and arrows for itself.
    let on_widget = ctx.memory(egui::Memory::focused).is_some();
    let mut commands: Vec<_> = UiCommand::ALL.iter().copied().filter_map(|command| Some((command, command.shortcut()?))).collect();
    // Shift+A before A: egui lets an extra shift pass.
    commands.sort_by_key(|(_, shortcut)| {
        let keys = shortcut.modifiers;
        std::cmp::Reverse(u8::from(keys.shift) + u8::from(keys.alt) + u8::from(keys.command))
    });
    for (command, shortcut) in commands {
        if in_text && !command.works_in_text() {
            continue;
        }
        if shortcut.logical_key == Key::Escape && egui::Popup::is_any_open(ctx) {
            // It closes the menu.
            continue;
        }
        let own_key = matches!(shortcut.logical_key, Key::Space | Key::ArrowLeft | Key::ArrowRight | Key::Escape);
        let clears_range = shortcut.logical_key == Key::Escape && model.brush.is_some() && !egui::Popup::is_any_open(ctx);
        if on_widget && own_key && !clears_range {
            continue;
        }
        if ctx.input_mut(|input| input.consume_shortcut(&shortcut)) {
            // A range goes before the filter: it was there last.
            let command = if command == UiCommand::ClearFilter && model.brush.is_some() { UiCommand::ClearRange } else { command };
            // What cannot be done says so only when it was asked for by a letter: arrows and Escape stay quiet.
            if !own_key || command.enabled(model).is_ok() {
                actions.push(Action::Do(command));
            }
        }
    }
}
