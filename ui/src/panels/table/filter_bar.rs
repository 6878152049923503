//! The filter above the table: typed with completion, saved, explained.

use egui::{CompletionPopup, Frame, Key, Margin, RectAlign, RichText, Suggestion, TextEdit, Ui};
use inspector_model::Scope;

use super::super::layout;
use super::filter_menu::{self, Menu};
use crate::app::action::{Action, Cx};
use crate::app::filters::FilterWish;
use crate::commands::UiCommand;
use crate::filter::complete;
use crate::filter::facets::Facets;
use crate::format;
use crate::widgets::icons::{self, Icon};
use crate::widgets::parts;

/// What the filter bar remembers.
#[derive(Default)]
pub struct FilterBar {
    /// Put the keyboard into the filter.
    pub focus: bool,
    /// Open the saved filters.
    pub open_menu: bool,
    /// Open the page about the language.
    pub open_help: bool,
    menu: Menu,
    facets: Facets,
    /// What can stand there was asked for, before anything was typed.
    asked: bool,
    /// The list of what can stand there is open.
    listing: bool,
}

/// Draws the bar.
pub fn ui(state: &mut FilterBar, cx: &mut Cx<'_>, ui: &mut Ui) {
    let t = cx.t;
    Frame::new().fill(t.panel).inner_margin(Margin::symmetric(8, 5)).show(ui, |ui| {
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = 4.0;
            layout::grip(cx, ui);
            filter_menu::ui(&mut state.menu, std::mem::take(&mut state.open_menu), cx, ui);
            let clear = !cx.model.filter_text.is_empty() || cx.model.scope != Scope::Everywhere;
            let progress = progress(cx);
            let width = ui.available_width() - 30.0 - if clear { 30.0 } else { 0.0 } - if progress.is_some() { 44.0 } else { 0.0 };
            edit(state, cx, ui, width);
            if let Some((part, tip)) = progress {
                ui.label(RichText::new(format!("{:.0} %", part * 100.0)).size(12.0).color(t.muted)).on_hover_text(tip);
            }
            if clear && icons::button(ui, Icon::Cross, "Clear filter", true).on_hover_text("Show all steps").clicked() {
                cx.run(UiCommand::ClearFilter);
            }
            filter_menu::help(std::mem::take(&mut state.open_help), cx, ui);
        });
        if let Some(why) = &cx.model.filter_error
            && !state.listing
        {
            ui.label(RichText::new(why).size(12.0).color(t.removed));
        }
    });
}

/// How much was looked at or sorted, as long as that is not all.
fn progress(cx: &Cx<'_>) -> Option<(f32, &'static str)> {
    let looked = cx.model.rows.progress().map(|part| (part, "Steps looked at so far"));
    looked.or_else(|| cx.model.order.progress().map(|part| (part, "Sorted so far")))
}

fn edit(state: &mut FilterBar, cx: &mut Cx<'_>, ui: &mut Ui, width: f32) {
    let t = cx.t;
    let Some(timeline) = cx.model.timeline() else { return };
    let id = ui.make_persistent_id("filter");
    let focused = ui.memory(|memory| memory.has_focus(id));
    if focused {
        if state.facets.refresh(timeline) {
            ui.ctx().request_repaint();
        }
        state.asked |= !state.listing && ui.input(|input| input.key_pressed(Key::ArrowDown));
    }
    let mut text = cx.model.filter_text.clone();
    let field = TextEdit::singleline(&mut text)
        .hint_text("Filter: kind:event name:add* changed:cart status:error ms>50 user:alice")
        .desired_width(width)
        .text_color(if cx.model.filter_error.is_some() && !state.listing { t.removed } else { t.text });
    let (facets, asked) = (&state.facets, state.asked);
    let output = CompletionPopup::new(id).align(RectAlign::BOTTOM_START).max_height(340.0).show(ui, field, |query| {
        // Whoever only passes through with Tab is not held up by a list.
        if query.word.is_empty() && !asked {
            return Vec::new();
        }
        let before: String = query.text.chars().take(query.word_range.start.0).collect();
        let offers = complete::offers(&before, query.word, facets, timeline);
        let suggestion = |offer: complete::Offer| {
            let written = RichText::new(format::clip(offer.insert.trim_end(), 70)).monospace().color(t.strong);
            let about = RichText::new(offer.about).size(12.5).color(t.muted);
            let suggestion = Suggestion::new(offer.insert).content((written, about));
            match offer.number {
                Some(number) => suggestion.description(RichText::new(format::count(u64::from(number))).size(12.0).color(t.muted)),
                None => suggestion,
            }
        };
        offers.into_iter().map(suggestion).collect()
    });
    let response = output.text_edit.response.response.accessible_name("Filter steps");
    state.listing = output.is_open;
    if std::mem::take(&mut state.focus) {
        response.request_focus();
        state.asked = true;
    }
    if response.clicked() {
        state.asked = true;
    }
    let changed = response.changed() || output.accepted.is_some();
    if changed || !(focused || response.has_focus()) {
        state.asked &= !changed && response.has_focus();
    }
    if response.lost_focus() {
        state.asked = false;
        if cx.model.filter_error.is_none() {
            cx.push(Action::Filters(FilterWish::Used(text.clone())));
        }
    }
    response.on_hover_text(parts::command_tip(ui, UiCommand::FocusFilter));
    if changed {
        cx.push(Action::Filter(text));
    }
}
