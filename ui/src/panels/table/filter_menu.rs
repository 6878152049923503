//! The menu of saved filters, and the page about the language.

use egui::{AtomExt as _, Button, Frame, Grid, Popup, PopupCloseBehavior, RichText, ScrollArea, SetOpenCommand, Stroke, TextEdit, Ui};

use crate::app::action::{Action, Cx};
use crate::app::filters::{BUILT_IN, FilterWish, SavedFilter};
use crate::commands::UiCommand;
use crate::filter::language::{KEYS, RULES};
use crate::format;
use crate::theme;
use crate::widgets::icons::{self, Icon};
use crate::widgets::parts;

/// What the menu remembers.
#[derive(Default)]
pub struct Menu {
    /// The name under which the filter is to be saved, as typed.
    name: String,
    /// The filter that gets another name, and that as typed.
    renaming: Option<(String, String)>,
}

/// Draws the button and, when it is open, the menu.
pub fn ui(state: &mut Menu, open: bool, cx: &mut Cx<'_>, ui: &mut Ui) {
    let button = icons::button(ui, Icon::Star, UiCommand::ShowFilters.text(), true);
    let command = if open { Some(SetOpenCommand::Bool(true)) } else { button.clicked().then_some(SetOpenCommand::Toggle) };
    Popup::menu(&button).open_memory(command).close_behavior(PopupCloseBehavior::CloseOnClickOutside).show(|ui| {
        ui.set_width(360.0);
        let most = ui.ctx().content_rect().height() - 300.0;
        ScrollArea::vertical().max_height(most.clamp(160.0, 640.0)).auto_shrink([false, true]).show(ui, |ui| {
            let mut first = open;
            save(state, cx, ui);
            saved(state, cx, ui, &mut first);
            let recent = &cx.model.filters.recent;
            if !recent.is_empty() {
                parts::section(ui, "Used last");
                for text in recent {
                    recall(cx, ui, text, "", &mut first);
                }
                ui.add_space(4.0);
            }
            parts::section(ui, "Built in");
            for (name, text) in BUILT_IN {
                recall(cx, ui, name, text, &mut first);
            }
        });
    });
    button.on_hover_text(parts::command_tip(ui, UiCommand::ShowFilters));
}

/// The field that gives the filter a name.
fn save(state: &mut Menu, cx: &mut Cx<'_>, ui: &mut Ui) {
    let text = &cx.model.filter_text;
    if text.trim().is_empty() || cx.model.filter_error.is_some() {
        return;
    }
    parts::section(ui, "Save this filter");
    ui.horizontal(|ui| {
        let width = ui.available_width() - 84.0;
        let frame = Frame::new().stroke(Stroke::new(1.0, cx.t.border)).corner_radius(theme::CORNER);
        let edit = frame.show(ui, |ui| ui.add(TextEdit::singleline(&mut state.name).hint_text("Name").char_limit(60).desired_width(width)));
        let edit = edit.inner.accessible_name("Name of the filter");
        let entered = edit.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
        let named = !state.name.trim().is_empty();
        let button = ui.add_enabled(named, Button::new("Save")).on_disabled_hover_text("Give it a name first");
        if (entered || button.clicked()) && named {
            let name = std::mem::take(&mut state.name);
            cx.push(Action::Filters(FilterWish::Save(SavedFilter { name, text: text.clone() })));
        }
    });
    ui.add_space(4.0);
}

fn saved(state: &mut Menu, cx: &mut Cx<'_>, ui: &mut Ui, first: &mut bool) {
    let model = cx.model;
    if model.filters.saved.is_empty() {
        return;
    }
    parts::section(ui, "Saved");
    for SavedFilter { name, text } in &model.filters.saved {
        ui.push_id(name, |ui| {
            if state.renaming.as_ref().is_some_and(|(of, _)| of == name) {
                rename(state, cx, ui);
                return;
            }
            ui.horizontal(|ui| {
                ui.scope(|ui| {
                    ui.set_max_width(ui.available_width() - 64.0);
                    recall(cx, ui, name, text, first);
                });
                ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                    ui.spacing_mut().item_spacing.x = 0.0;
                    if icons::button(ui, Icon::Cross, &format!("Delete filter {name}"), true).on_hover_text("Delete").clicked() {
                        cx.push(Action::Filters(FilterWish::Delete(name.clone())));
                    }
                    if icons::button(ui, Icon::Pencil, &format!("Rename filter {name}"), true).on_hover_text("Rename").clicked() {
                        state.renaming = Some((name.clone(), name.clone()));
                    }
                });
            });
        });
    }
    ui.add_space(4.0);
}

fn rename(state: &mut Menu, cx: &mut Cx<'_>, ui: &mut Ui) {
    let Some((from, to)) = &mut state.renaming else { return };
    let edit = ui.add(TextEdit::singleline(to).char_limit(60).desired_width(f32::INFINITY));
    let edit = edit.accessible_name("New name of the filter");
    if edit.lost_focus() {
        if ui.input(|input| input.key_pressed(egui::Key::Enter)) {
            cx.push(Action::Filters(FilterWish::Rename { from: from.clone(), to: to.clone() }));
        }
        state.renaming = None;
    } else if !edit.has_focus() {
        edit.request_focus();
    }
}

/// One filter: a click uses it.
fn recall(cx: &mut Cx<'_>, ui: &mut Ui, name: &str, text: &str, first: &mut bool) {
    let t = cx.t;
    let written = if text.is_empty() { name } else { text };
    let on = cx.model.filter_text == written;
    // The name is read whole; what it stands for is cut first.
    let name = RichText::new(format::clip(name, if text.is_empty() { 60 } else { 34 }));
    let name = if text.is_empty() { name.monospace().size(11.5) } else { name };
    let button = Button::selectable(
        on,
        (name.color(t.text), RichText::new(format::clip(text, 60)).monospace().size(11.0).color(t.muted).atom_shrink(true)),
    );
    let response = ui.add(button.truncate()).on_hover_text(written);
    if std::mem::take(first) {
        response.request_focus();
    }
    if response.clicked() {
        cx.push(Action::Filter(written.to_owned()));
        cx.push(Action::Filters(FilterWish::Used(written.to_owned())));
        ui.close();
    }
}

/// Draws the button of the page about the language and, when it is open, the page.
pub fn help(open: bool, cx: &mut Cx<'_>, ui: &mut Ui) {
    let t = cx.t;
    let button = icons::button(ui, Icon::Help, UiCommand::FilterHelp.text(), true);
    let command = if open { Some(SetOpenCommand::Bool(true)) } else { button.clicked().then_some(SetOpenCommand::Toggle) };
    Popup::from_toggle_button_response(&button)
        .open_memory(command)
        .align(egui::RectAlign::BOTTOM_END)
        .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
        .show(|ui| {
            ui.set_width(500.0);
            ui.label(RichText::new("Filter language").size(15.0).color(t.strong));
            let most = ui.ctx().content_rect().height() - 320.0;
            ScrollArea::vertical().max_height(most.clamp(160.0, 640.0)).auto_shrink([false, true]).show(ui, |ui| {
                ui.spacing_mut().interact_size.y = 16.0;
                let line = |ui: &mut Ui, written: &str, means: &str| {
                    ui.label(RichText::new(written).monospace().color(t.strong));
                    ui.label(RichText::new(means).size(12.5).color(t.text));
                    ui.end_row();
                };
                Grid::new("rules").num_columns(2).spacing([16.0, 3.0]).min_col_width(160.0).show(ui, |ui| {
                    for rule in &RULES {
                        line(ui, rule.written, rule.means);
                    }
                });
                ui.add_space(6.0);
                parts::section(ui, "Keys");
                Grid::new("keys").num_columns(2).spacing([16.0, 3.0]).min_col_width(160.0).show(ui, |ui| {
                    for key in &KEYS {
                        line(ui, key.example, key.about);
                    }
                });
                ui.add_space(6.0);
                let words =
                    "Numbers take <, >, <=, >= and :. While you type, Tab or Enter takes what is offered, and Down offers all there is";
                ui.label(RichText::new(words).size(12.5).color(t.muted));
            });
        });
    button.on_hover_text(parts::command_tip(ui, UiCommand::FilterHelp));
}
