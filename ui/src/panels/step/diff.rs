//! What changed, and between which two ends.

use egui::{RichText, Ui};
use inspector_model::{Change, Level, Op, Side, Step, StepId, StepKind};

use super::pulled;
use crate::app::action::{Action, Cx};
use crate::commands::UiCommand;
use crate::format;
use crate::widgets::diff_list::DiffList;
use crate::widgets::{ignore, parts, rich};

/// What the tab remembers.
#[derive(Default)]
pub struct DiffTab {
    list: DiffList,
    ignore: ignore::IgnoreEditor,
    /// Show what the rules ignore as well, dimmed.
    show_ignored: bool,
}

/// Draws the tab.
pub fn ui(state: &mut DiffTab, cx: &mut Cx<'_>, ui: &mut Ui, step: &Step) {
    let model = cx.model;
    if !step.has_states() {
        parts::empty(ui, "Nothing to compare", "No state was recorded for this step: it belongs to the whole server, or changes nothing");
        return;
    }
    ends(cx, ui, step);
    if step.kind == StepKind::Mount && model.compared().is_some_and(|(from, _)| from == (step.id, Side::Before)) {
        parts::empty(ui, "The first state of this view", "Nothing was there before it was mounted");
        ui.vertical_centered(|ui| {
            if ui.button("Show the state").clicked() {
                cx.run(UiCommand::TabState);
            }
        });
        return;
    }
    let told = model.pulled.told.as_ref();
    let ignored = told.map_or(0, |told| told.ignored);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().button_padding = egui::vec2(6.0, 1.0);
        ignore::button(&mut state.ignore, cx, ui, 0);
        if ignored > 0 {
            let words = format!("{} ignored", format::plural(u64::from(ignored), "change", "changes"));
            ui.label(RichText::new(words).size(12.0).color(cx.t.muted));
            ui.checkbox(&mut state.show_ignored, "Show ignored");
        }
    });
    ignore::ui(&mut state.ignore, cx, ui);
    ui.add_space(4.0);
    pulled(ui, &model.pulled.diff, |ui, _, diff| {
        if diff.cut_short {
            parts::note(ui, Level::Info, "Comparing took too long: some parts are shown as replaced whole");
        }
        if diff.changes.is_empty() {
            parts::empty(ui, "Nothing changed", "The state is equal at both ends");
            return;
        }
        let Some(told) = told else { return };
        let (shown, faded) = if state.show_ignored { (&told.whole, Some(&model.compare.ignore)) } else { (&told.shown, None) };
        if shown.changes.is_empty() {
            parts::empty(ui, "Only what you ignore changed", "Tick “Show ignored” to see it, or change the rules above");
            return;
        }
        state.list.ui(cx, ui, shown, faded, &mut menu);
    });
}

/// What can be done with a change of the selected step.
fn menu(cx: &mut Cx<'_>, ui: &mut Ui, change: &Change) {
    let side = if matches!(change.op, Op::Removed(_)) { Side::Before } else { Side::After };
    super::ask_history(cx, ui, || change.path.clone(), side);
    super::pin_value(cx, ui, || change.path.clone(), side, None);
    if ui.button("Show steps that change this").clicked() {
        let assign: String = change.path.to_string().chars().take_while(|c| !matches!(c, '[' | ' ')).collect();
        cx.push(Action::Filter(format!("changed:{assign}")));
        ui.close();
    }
    ignore::menu(cx, ui, change);
}

fn end_words(step: StepId, side: Side) -> String {
    format!("{} {step}", if side == Side::Before { "before" } else { "after" })
}

fn ends(cx: &mut Cx<'_>, ui: &mut Ui, step: &Step) {
    let t = cx.t;
    let Some((from, to)) = cx.model.compared() else { return };
    ui.horizontal(|ui| {
        let pinned = cx.model.pin.is_some_and(|pin| pin == from);
        let ground = if pinned { t.info_bg } else { t.raised };
        parts::chip(ui, &format!("{}{}", if pinned { "A: " } else { "" }, end_words(from.0, from.1)), t.text, ground);
        ui.label(RichText::new("→").color(t.muted));
        parts::chip(ui, &end_words(to.0, to.1), t.text, t.raised);
        if !pinned {
            let mut job = rich::line_job();
            let small = egui::FontId::new(12.0, egui::FontFamily::Monospace);
            rich::push_counts(&mut job, t, step.changes, &small);
            ui.label(job);
        }
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            ui.spacing_mut().button_padding = egui::vec2(6.0, 1.0);
            if pinned {
                parts::command_button(cx, ui, UiCommand::Unpin);
            } else {
                ui.menu_button(RichText::new("Compare with ▾").size(12.5), |ui| {
                    if ui.button("Pin this step as A").clicked() {
                        cx.run(UiCommand::Pin);
                        ui.close();
                    }
                    let model = cx.model;
                    let neighbour = model.timeline().and_then(|timeline| timeline.neighbour(step, false));
                    if let Some(before) = neighbour
                        && ui.button(format!("Step {} of this view", before.id)).clicked()
                    {
                        cx.push(Action::Pin(Some((before.id, Side::After))));
                        ui.close();
                    }
                    let stream = step.session.clone().map(|session| (session, step.view.clone()));
                    let first = model.timeline().zip(stream).and_then(|(timeline, stream)| {
                        let steps = timeline.stream(&stream).iter().filter_map(|position| timeline.steps().get(*position as usize));
                        steps.into_iter().find(Step::has_states)
                    });
                    if let Some(first) = first
                        && ui.button(format!("First state of this view (step {})", first.id)).clicked()
                    {
                        cx.push(Action::Pin(Some((first.id, Side::After))));
                        ui.close();
                    }
                });
            }
        });
    });
}
