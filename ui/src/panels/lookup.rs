//! The drawer below the table: where a text is in the values of the whole recording, and when one value changed.

use egui::{Frame, Margin, RichText, Sense, TextEdit, Ui, vec2};
use inspector_model::{Level, PathHistory, Scope, SearchOptions, StepId};

use super::breakpoints::BreakpointsPanel;
use crate::app::action::{Action, Cx};
use crate::app::lookup::{Drawer, Followed};
use crate::commands::UiCommand;
use crate::format;
use crate::theme::{self, Tokens};
use crate::widgets::icons::{self, Icon};
use crate::widgets::long_list::LongList;
use crate::widgets::trace::{self, Trace};
use crate::widgets::{fidelity, parts, rich};

/// What the drawer remembers.
#[derive(Default)]
pub struct LookupPanel {
    /// Put the keyboard into the search field.
    pub focus: bool,
    /// Breakpoints.
    pub breakpoints: BreakpointsPanel,
    hits: LongList,
    changes: LongList,
    scrolled_to: Option<StepId>,
}

/// Draws the open one of both.
pub fn ui(state: &mut LookupPanel, cx: &mut Cx<'_>, ui: &mut Ui) {
    match cx.model.lookup.drawer {
        Some(Drawer::Find) => find(state, cx, ui),
        Some(Drawer::History) => history(state, cx, ui),
        Some(Drawer::Marks) => marks(state, cx, ui),
        Some(Drawer::Pinned) => super::pinned::ui(cx, ui),
        Some(Drawer::Breakpoints) => super::breakpoints::ui(&mut state.breakpoints, cx, ui),
        None => {}
    }
}

pub(super) fn close(cx: &mut Cx<'_>, ui: &mut Ui) {
    if icons::button(ui, Icon::Cross, "Close drawer", true).on_hover_text("Close").clicked() {
        cx.push(Action::Drawer(None));
    }
}

fn find(state: &mut LookupPanel, cx: &mut Cx<'_>, ui: &mut Ui) {
    let t = cx.t;
    let find = &cx.model.lookup.find;
    let mut options = find.options.clone();
    Frame::new().inner_margin(Margin::symmetric(8, 5)).show(ui, |ui| {
        ui.horizontal(|ui| {
            icons::show(ui, Icon::Search, 14.0, t.muted);
            let hint = "Find in the values and paths of every step";
            let edit =
                ui.add(TextEdit::singleline(&mut options.text).hint_text(hint).desired_width((ui.available_width() - 330.0).max(120.0)));
            let edit = edit.accessible_name("Find in values");
            if std::mem::take(&mut state.focus) {
                edit.request_focus();
            }
            ui.toggle_value(&mut options.case_sensitive, "Aa").on_hover_text("A is another letter than a").accessible_name("Match case");
            ui.toggle_value(&mut options.values, "values").accessible_name("Look in values");
            ui.toggle_value(&mut options.paths, "paths").accessible_name("Look in paths");
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                close(cx, ui);
                if find.is_running() {
                    if ui.button("Stop").clicked() {
                        cx.push(Action::StopFinding);
                    }
                    let (done, of) = find.progress;
                    ui.label(RichText::new(format!("{} %", done * 100 / of.max(1))).size(12.0).color(t.muted));
                } else if !find.options.text.is_empty() {
                    let more = if find.is_full() { "the first " } else { "" };
                    let words = format!("{more}{}", format::plural(find.hits.len() as u64, "hit", "hits"));
                    ui.label(RichText::new(words).size(12.0).color(t.muted));
                }
            });
        });
    });
    if options != find.options {
        options.scope = cx.model.scope.clone();
        cx.push(Action::Find(options));
    }
    if let Some(failure) = &find.failure {
        parts::note(ui, Level::Error, &failure.message);
    }
    if find.hits.is_empty() {
        match (find.options.text.is_empty(), find.is_running()) {
            (true, _) => parts::empty(ui, "Nothing is looked for", "Type a part of a value, a name or a number"),
            (false, true) => {}
            (false, false) => parts::empty(ui, "Not found", &nowhere(&find.options)),
        }
        return;
    }
    let selected = cx.model.selected;
    let mut clicked = None;
    state.hits.ui(ui, find.hits.len(), theme::VALUE_ROW, |ui, rect, nth| {
        let hit = &find.hits[nth];
        let on = selected == Some(hit.step);
        let name = format!("Hit in step {}: {} {}", hit.step, format::clip(&hit.path, 80), format::clip(&hit.value, 80));
        let mut job = rich::line_job();
        rich::push(&mut job, &format!("{:>6}  ", hit.step), theme::mono(), t.muted);
        let place = if hit.path.is_empty() { "first state".to_owned() } else { format::clip(&hit.path, 60) };
        rich::push(&mut job, &place, theme::mono(), if hit.in_path { t.accent } else { t.strong });
        rich::push(&mut job, "   ", theme::mono(), t.text);
        marked(&mut job, t, &rich::one_line(&hit.value), &find.options);
        if parts::list_line(ui, rect, ("hit", nth), on, &name, job).clicked() {
            clicked = Some(hit.step);
        }
    });
    if let Some(step) = clicked {
        cx.push(Action::Select(step));
    }
}

fn nowhere(options: &SearchOptions) -> String {
    let place = match (options.values, options.paths) {
        (true, true) => "No value and no path has",
        (true, false) => "No value has",
        (false, true) => "No path has",
        (false, false) => return "Neither values nor paths are looked at: switch one of them on".to_owned(),
    };
    let whose = if options.scope == Scope::Everywhere { "this text" } else { "this text in the chosen session" };
    format!("{place} {whose}")
}

/// A value with what was found in it on a ground.
fn marked(job: &mut egui::text::LayoutJob, t: &Tokens, value: &str, options: &SearchOptions) {
    let fold = |text: &str| if options.case_sensitive { text.to_owned() } else { text.to_lowercase() };
    let (folded, needle) = (fold(value), fold(&options.text));
    // Folding may change lengths: then nothing is marked rather than the wrong place.
    let found = folded.find(&needle).filter(|_| folded.len() == value.len() && !needle.is_empty());
    match found.and_then(|at| Some((value.get(..at)?, value.get(at..at + needle.len())?, value.get(at + needle.len()..)?))) {
        Some((before, found, after)) => {
            rich::push(job, before, theme::mono(), t.text);
            rich::push_marked(job, found, t.strong, t.changed_bg, false);
            rich::push(job, after, theme::mono(), t.text);
        }
        None => rich::push(job, value, theme::mono(), t.text),
    }
}

fn history(state: &mut LookupPanel, cx: &mut Cx<'_>, ui: &mut Ui) {
    let t = cx.t;
    let lookup = &cx.model.lookup;
    let Some(followed) = &lookup.followed else { return };
    let shown = lookup.history.shown();
    let known = shown.and_then(|(_, history, _)| history.as_ref().ok());
    Frame::new().inner_margin(Margin::symmetric(8, 5)).show(ui, |ui| {
        ui.horizontal(|ui| {
            let place = known.map_or_else(|| followed.path.to_string(), |history| history.place.to_string());
            ui.label(RichText::new(format::clip(&place, 60)).monospace().color(t.strong)).on_hover_text(followed.path.to_string());
            if let Some(history) = known {
                let count = history.steps.len() as u64;
                ui.label(RichText::new(format::plural(count, "change", "changes")).size(12.0).color(t.muted));
            }
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                close(cx, ui);
                parts::command_icon(cx, ui, UiCommand::NextChange, Icon::Next, false);
                parts::command_icon(cx, ui, UiCommand::PreviousChange, Icon::Previous, false);
                scopes(cx, ui, followed);
            });
        });
    });
    match shown {
        None => {
            ui.label(RichText::new("Looking …").color(t.muted));
        }
        Some((_, Err(failure), _)) => parts::note(ui, Level::Error, &failure.message),
        Some((_, Ok(history), current)) => {
            ui.scope(|ui| {
                if !current {
                    ui.multiply_opacity(0.6);
                }
                changes(state, cx, ui, history);
            });
        }
    }
}

/// Whose states are meant.
fn scopes(cx: &mut Cx<'_>, ui: &mut Ui, followed: &Followed) {
    let step = cx.model.timeline().and_then(|timeline| timeline.step(followed.step));
    let Some((session, view)) = step.and_then(|step| Some((step.session?, step.view))) else { return };
    let here = Scope::View(session, view);
    let chosen = parts::segmented(ui, followed.scope == Scope::Everywhere, &[(false, "this view"), (true, "all sessions")]);
    if let Some(everywhere) = chosen {
        let scope = if everywhere { Scope::Everywhere } else { here };
        cx.push(Action::Follow(Box::new(Followed { scope, ..followed.clone() })));
    }
}

fn changes(state: &mut LookupPanel, cx: &mut Cx<'_>, ui: &mut Ui, history: &PathHistory) {
    let t = cx.t;
    if history.steps.is_empty() {
        parts::empty(ui, "It never changed", "This value has been the same since the recording began");
        return;
    }
    graph(cx, ui, history);
    let selected = cx.model.selected;
    if selected != state.scrolled_to {
        state.scrolled_to = selected;
        if let Some(step) = selected {
            state.changes.reveal(history.steps.partition_point(|change| *change < step).min(history.steps.len() - 1));
        }
    }
    let timeline = cx.model.timeline();
    let mut clicked = None;
    state.changes.ui(ui, history.steps.len(), theme::VALUE_ROW, |ui, rect, nth| {
        let id = history.steps[nth];
        let on = selected == Some(id);
        let step = timeline.and_then(|timeline| timeline.step(id));
        let value = history.values.binary_search_by_key(&id, |(step, _)| *step).ok().map(|at| &history.values[at].1);
        let told = value.and_then(|value| value.as_ref()).and_then(fidelity::glimpse);
        let words = match (value, &told) {
            (_, Some((value, _))) => rich::one_line(&value.summary(200)),
            (Some(None), _) => "not there".to_owned(),
            _ => "…".to_owned(),
        };
        let spoken = told.as_ref().map_or_else(|| words.clone(), |(value, _)| fidelity::spoken(value, 80));
        let name = format!("Change in step {id}: {}", format::clip(&spoken, 80));
        let mut job = rich::line_job();
        rich::push(&mut job, &format!("{id:>6}  "), theme::mono(), t.muted);
        if let Some(step) = &step {
            rich::push(&mut job, &format!("{}  ", format::clock(step.started)), theme::mono(), t.muted);
            rich::push(&mut job, &format!("{}   ", format::clip(&step.name, 32)), theme::text(13.0), t.text);
        }
        let ink = told.as_ref().map_or(t.faint, |(value, _)| rich::ink(t, value));
        let mark = told.and_then(|(_, mark)| mark);
        if let Some(mark) = &mark {
            fidelity::push(&mut job, t, mark);
            rich::push(&mut job, "  ", theme::mono(), t.text);
        }
        rich::push(&mut job, &words, theme::mono(), ink);
        let tip = mark.map_or_else(|| "Go to the step".to_owned(), |mark| mark.words);
        if parts::list_line(ui, rect, ("change", id.0), on, &name, job).on_hover_text(tip).clicked() {
            clicked = Some(id);
        }
    });
    if let Some(step) = clicked {
        cx.push(Action::Select(step));
    }
}

fn marks(state: &mut LookupPanel, cx: &mut Cx<'_>, ui: &mut Ui) {
    let t = cx.t;
    let Some(timeline) = cx.model.timeline() else { return };
    let marks: Vec<(&StepId, &String)> = timeline.marks().iter().collect();
    Frame::new().inner_margin(Margin::symmetric(8, 5)).show(ui, |ui| {
        ui.horizontal(|ui| {
            ui.label(RichText::new("Bookmarks").color(t.strong));
            ui.label(RichText::new(format::count(marks.len() as u64)).size(12.0).color(t.muted));
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                close(cx, ui);
                parts::command_button(cx, ui, UiCommand::ToggleMark);
            });
        });
    });
    if marks.is_empty() {
        parts::empty(
            ui,
            "No step is marked",
            "Press B on a step: it is found again here, and keeps its states when the recording is thinned",
        );
        return;
    }
    let mut clicked = None;
    state.hits.ui(ui, marks.len(), theme::VALUE_ROW, |ui, rect, nth| {
        let (id, note) = marks[nth];
        let on = cx.model.selected == Some(*id);
        let step = timeline.step(*id);
        let name = format!("Bookmark step {id} {}", format::clip(note, 80));
        let mut job = rich::line_job();
        rich::push(&mut job, &format!("{id:>6}  "), theme::mono(), t.muted);
        if let Some(step) = &step {
            rich::push(&mut job, &format!("{}  ", format::clock(step.started)), theme::mono(), t.muted);
            rich::push(&mut job, &format!("{}   ", format::clip(&step.name, 40)), theme::text(13.0), t.text);
        }
        rich::push(&mut job, &rich::one_line(note), theme::text(13.0), t.strong);
        if parts::list_line(ui, rect, ("mark", id.0), on, &name, job).clicked() {
            clicked = Some(*id);
        }
    });
    if let Some(step) = clicked {
        cx.push(Action::Select(step));
    }
}

/// Numbers as a line, other values as marks where they changed, with the selected step on it.
fn graph(cx: &mut Cx<'_>, ui: &mut Ui, history: &PathHistory) {
    let t = cx.t;
    let numbers = trace::numbers(history);
    // Of a number the values nearest to the step are known, and shown; of other values all changes.
    let steps = &history.steps;
    let (first, last) = match (numbers.as_slice(), steps.as_slice()) {
        ([(first, _), .., (last, _)], _) | (_, [first, .., last]) => (*first, *last),
        _ => return,
    };
    let trace = Trace::new(history, first, last);
    let height = if trace.bounds().is_some() { 44.0 } else { 22.0 };
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::hover());
    let (response, clicked) = trace.ui(ui, rect.shrink2(vec2(8.0, 1.0)), t, cx.model.selected, "History");
    response.on_hover_text(format!("{}. Click for the nearest", trace.words()));
    for (value, align, at) in trace.bounds().into_iter().flat_map(|(least, most)| {
        [(most, egui::Align2::RIGHT_TOP, rect.right_top()), (least, egui::Align2::RIGHT_BOTTOM, rect.right_bottom())]
    }) {
        let shift = if align == egui::Align2::RIGHT_TOP { 3.0 } else { -3.0 };
        ui.painter().text(at + vec2(-14.0, shift), align, format!("{value}"), theme::text(10.5), t.muted);
    }
    cx.actions.extend(clicked.map(Action::Select));
}
