//! Two pages or recordings beside each other: their steps aligned, where they part, and what differs where both stand.

mod choose;
mod rows;
mod slider;

use egui::{CentralPanel, Frame, Margin, Panel, RichText, Stroke, Ui};
use inspector_model::{Level, Side};

use crate::app::action::{Action, Cx};
use crate::app::compare::{CompareWish, Hand, Mark, RowDiff};
use crate::app::model::Page;
use crate::commands::UiCommand;
use crate::format;
use crate::theme;
use crate::widgets::diff_list::DiffList;
use crate::widgets::long_list::LongList;
use crate::widgets::{ignore, parts};

/// From so many points on the diff stands beside the rows, not below them.
const WIDE: f32 = 1180.0;

/// What the view remembers.
#[derive(Default)]
pub struct CompareView {
    list: LongList,
    scrolled_to: Option<usize>,
    diff: DiffList,
    ignore: ignore::IgnoreEditor,
}

/// Draws the view.
pub fn ui(state: &mut CompareView, cx: &mut Cx<'_>, ui: &mut Ui) {
    let t = cx.t;
    Panel::top("compare top").frame(Frame::new().fill(t.panel).inner_margin(Margin::symmetric(14, 10))).resizable(false).show(ui, |ui| {
        choose::ui(cx, ui);
        if !cx.model.compare.rows().is_empty() {
            ui.add_space(6.0);
            tools(state, cx, ui);
            notes(cx, ui);
            ui.add_space(4.0);
            slider::ui(cx, ui);
        }
    });
    if !cx.model.compare.rows().is_empty() {
        let frame = Frame::new().fill(t.ground).inner_margin(Margin::symmetric(12, 8));
        let room = ui.available_size();
        if room.x >= WIDE {
            let sizes = 320.0..=(room.x * 0.5).max(320.0);
            Panel::right("compare diff").frame(frame).default_size(room.x * 0.36).size_range(sizes).show(ui, |ui| beside(state, cx, ui));
        } else {
            let sizes = 120.0..=(room.y * 0.6).max(120.0);
            Panel::bottom("compare diff below")
                .frame(frame)
                .resizable(true)
                .default_size((room.y * 0.42).max(120.0))
                .size_range(sizes)
                .show(ui, |ui| beside(state, cx, ui));
        }
    }
    CentralPanel::no_frame().frame(Frame::new().fill(t.ground)).show(ui, |ui| table(state, cx, ui));
}

fn table(state: &mut CompareView, cx: &mut Cx<'_>, ui: &mut Ui) {
    let compare = &cx.model.compare;
    let chosen = Hand::BOTH.map(|hand| compare.chosen(hand).is_some());
    match compare.aligned.shown() {
        _ if chosen != [true, true] => {
            let hint = "Open the page once more in the browser, or choose another page or a recording above: each step then stands \
                        beside the same step of the other side, and the first difference is marked";
            parts::empty(ui, "There is nothing to compare with yet", hint);
        }
        None => drop(ui.label(RichText::new("Loading …").color(cx.t.muted))),
        Some((_, Err(failure), _)) => {
            parts::empty(ui, "The two sides cannot be compared", failure.hint.as_deref().unwrap_or(&failure.message));
        }
        Some((_, Ok(comparison), current)) => {
            if comparison.rows.is_empty() {
                parts::empty(ui, "No steps", "Neither view has a step yet: use the page, or choose another view above");
                return;
            }
            if !current {
                ui.multiply_opacity(0.45);
            }
            if state.scrolled_to != Some(compare.row()) {
                state.scrolled_to = Some(compare.row());
                state.list.reveal(compare.row());
            }
            rows::ui(&mut state.list, cx, ui);
        }
    }
}

fn tools(state: &mut CompareView, cx: &mut Cx<'_>, ui: &mut Ui) {
    let t = cx.t;
    let compare = &cx.model.compare;
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        for command in [UiCommand::FirstDivergence, UiCommand::PreviousDifference, UiCommand::NextDifference] {
            parts::command_button(cx, ui, command);
        }
        ui.add_space(6.0);
        let summary = compare.summary();
        let chip = |ui: &mut Ui, count: usize, words: &str, ink, ground| {
            if count > 0 {
                parts::chip(ui, &format!("{} {words}", format::count(count as u64)), ink, ground);
            }
        };
        let same = summary.pairs - summary.differ - summary.unknown;
        chip(ui, same, "the same", t.added, t.added_bg);
        chip(ui, summary.differ, if summary.differ == 1 { "differs" } else { "differ" }, t.changed, t.changed_bg);
        chip(ui, summary.left, "only left", t.removed, t.removed_bg);
        chip(ui, summary.right, "only right", t.moved, t.raised);
        if summary.unknown > 0 && compare.failure().is_none() {
            let part = 100 - summary.unknown * 100 / summary.pairs.max(1);
            ui.label(RichText::new(format!("comparing states, {part} %")).size(12.0).color(t.muted));
        } else if compare.first_divergence().is_none() {
            ui.label(RichText::new("Both sides are the same, step by step").color(t.added));
        }
        let new = compare.new_steps(&cx.model.timelines);
        if new > 0 && ui.button(format!("Take in {}", format::plural(new as u64, "new step", "new steps"))).clicked() {
            cx.push(Action::Compare(CompareWish::Again));
        }
        ignore::button(&mut state.ignore, cx, ui, summary.ignored);
    });
    ignore::ui(&mut state.ignore, cx, ui);
}

/// What a reader should know of the comparison as a whole.
fn notes(cx: &Cx<'_>, ui: &mut Ui) {
    let compare = &cx.model.compare;
    if let Some(failure) = compare.failure() {
        parts::note(ui, Level::Warning, &format!("States were not compared to the end: {}", failure.message));
    }
    let Some((_, Ok(comparison), _)) = compare.aligned.shown() else { return };
    let mut words = Vec::new();
    if !comparison.by_params {
        words.push("Parameters were not looked at: there are too many steps".to_owned());
    }
    if comparison.cut_short {
        words.push("Aligning took too long: there may be more pairs".to_owned());
    }
    let left_out = comparison.left_out.0 + comparison.left_out.1;
    if left_out > 0 {
        words.push(format!("{} behind the first 50\u{2009}000 were left out", format::plural(left_out, "step", "steps")));
    }
    if !words.is_empty() {
        parts::note(ui, Level::Info, &words.join(". "));
    }
}

/// What differs where both sides stand.
fn beside(state: &mut CompareView, cx: &mut Cx<'_>, ui: &mut Ui) {
    let t = cx.t;
    ui.take_available_space();
    let compare = &cx.model.compare;
    let row = compare.row();
    let [left, right] = compare.steps(row);
    let mark = compare.marks().get(row).copied().unwrap_or(Mark::Unknown);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        let words = match (left, right) {
            (Some(left), Some(right)) => format!("After {left} and {right}"),
            (Some(step), None) => format!("Step {step}, only left"),
            (None, Some(step)) => format!("Step {step}, only right"),
            (None, None) => return,
        };
        ui.label(RichText::new(words).size(14.5).color(t.strong));
        for hand in Hand::BOTH {
            let step = if hand == Hand::Left { left } else { right };
            let Some((step, (source, _))) = step.zip(compare.chosen(hand)) else { continue };
            let show = ui.add(egui::Button::new(RichText::new(format!("Show {} step", hand.word())).size(12.5)));
            if show.on_hover_text("Leave the comparison and look at this step").clicked() {
                cx.push(Action::Source(*source));
                cx.push(Action::Select(step));
                cx.push(Action::Show(Page::Steps));
            }
        }
    });
    ui.add_space(2.0);
    ended(cx, ui, row);
    let missing = compare.states(row).and_then(|states| states.missing.as_deref());
    if let Some(why) = missing {
        parts::note(ui, Level::Warning, &format!("The states cannot be compared: {why}"));
        return;
    }
    let Some((key, diff, current)) = compare.diff.shown() else {
        let known = if mark == Mark::Unknown { "Loading …" } else { "These steps have no state" };
        ui.label(RichText::new(known).color(t.muted));
        return;
    };
    if !current {
        ui.multiply_opacity(0.45);
    }
    let is_pair = key.0.2 == Side::After;
    if !is_pair {
        ui.label(RichText::new("What the step changed itself; the other side has no such step").size(12.0).color(t.muted));
    }
    if let Err(failure) = diff {
        parts::note(ui, Level::Warning, &failure.message);
        return;
    }
    let Some(RowDiff { shown, ignored, .. }) = &compare.row_diff else { return };
    if *ignored > 0 {
        let words = format!("{} ignored by your rules", format::plural(u64::from(*ignored), "difference", "differences"));
        ui.label(RichText::new(words).size(12.0).color(t.muted));
    }
    if shown.cut_short {
        parts::note(ui, Level::Info, "Comparing took too long: some parts are shown as replaced whole");
    }
    if shown.changes.is_empty() {
        let hint = if is_pair { "The state is the same on both sides" } else { "The step changed nothing" };
        parts::empty(ui, "No difference", hint);
        return;
    }
    ui.painter().hline(ui.max_rect().x_range(), ui.cursor().top(), Stroke::new(1.0, t.line));
    ui.add_space(3.0);
    if is_pair {
        let mut job = crate::widgets::rich::line_job();
        crate::widgets::rich::push(&mut job, "− left", theme::mono(), t.removed);
        crate::widgets::rich::push(&mut job, "   + right", theme::mono(), t.added);
        parts::line_label(ui, job);
    }
    let shown = shown.clone();
    state.diff.ui(cx, ui, &shown, None, &mut |cx, ui, change| ignore::menu(cx, ui, change));
}

/// How both steps ended, where that differs.
fn ended(cx: &Cx<'_>, ui: &mut Ui, row: usize) {
    let compare = &cx.model.compare;
    let ends = Hand::BOTH.map(|hand| {
        let step = compare.steps(row)[hand as usize]?;
        cx.model.timeline_of(compare.chosen(hand)?.0)?.step(step)
    });
    if let [Some(left), Some(right)] = ends
        && left.status != right.status
    {
        let words = |step: &inspector_model::Step| match &step.error {
            Some(error) => format!("{}: {}", step.status.word(), format::clip(error, 120)),
            None => step.status.word().to_owned(),
        };
        parts::note(ui, Level::Warning, &format!("Ended differently: left {}, right {}", words(&left), words(&right)));
    }
}
