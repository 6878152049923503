//! Everything about the selected step, in tabs.

mod causes;
mod diff;
mod frames;
mod html_lines;
mod log;
mod page;
mod params;
mod patches;
mod sizes;
mod spread;
mod sql;
mod state;
mod timing;
mod traceback;
mod verdict;

use egui::{Button, Frame, Margin, RichText, Role, Stroke, Ui, WidgetInfo};
use inspector_model::{Failure, Level, Scope, Side, Status, Step, StepDetail, StepId, StepKind};

use super::{edit_check, layout};
use crate::app::action::{Action, Cx};
use crate::app::edit_check::is_swap;
use crate::app::lookup::Followed;
use crate::app::model::{JumpReport, Tab};
use crate::app::pinned::{Pin, class_at};
use crate::app::slot::Slot;
use crate::commands::UiCommand;
use crate::format;
use crate::theme;
use crate::widgets::fidelity::Mark;
use crate::widgets::icons::{self, Icon};
use crate::widgets::parts;

pub use patches::count as patch_count;

/// What the tabs remember.
#[derive(Default)]
pub struct StepPanel {
    diff: diff::DiffTab,
    state: state::StateTab,
    params: params::ParamsTab,
    frames: frames::FramesTab,
    timing: timing::TimingTab,
    page: page::PageTab,
    /// A note that is being written.
    note: Option<(StepId, String)>,
    shown: Option<StepId>,
}

const TABS: [UiCommand; 9] = [
    UiCommand::TabDiff,
    UiCommand::TabState,
    UiCommand::TabParams,
    UiCommand::TabPage,
    UiCommand::TabPatches,
    UiCommand::TabTiming,
    UiCommand::TabSql,
    UiCommand::TabLog,
    UiCommand::TabFrames,
];

/// Draws header, tabs and the open tab.
pub fn ui(state: &mut StepPanel, cx: &mut Cx<'_>, ui: &mut Ui) {
    let model = cx.model;
    let Some(step) = model.step() else {
        Frame::new().inner_margin(Margin { left: 12, right: 10, top: 8, bottom: 6 }).show(ui, |ui| layout::grip(cx, ui));
        parts::empty(ui, "No step selected", "Click a row of the table or a mark of the timeline");
        return;
    };
    if state.shown != Some(step.id) {
        state.shown = Some(step.id);
        state.params.reset();
        state.frames.reset();
    }
    Frame::new().inner_margin(Margin { left: 12, right: 10, top: 8, bottom: 6 }).show(ui, |ui| {
        header(cx, ui, &step);
        note(&mut state.note, cx, ui, &step);
    });
    tabs(cx, ui, &step);
    ui.painter().hline(ui.max_rect().x_range(), ui.cursor().top(), Stroke::new(1.0, cx.t.line));
    ui.add_space(1.0);
    Frame::new().fill(cx.t.ground).inner_margin(Margin::symmetric(10, 8)).show(ui, |ui| {
        ui.take_available_space();
        match model.tab {
            Tab::Diff => diff::ui(&mut state.diff, cx, ui, &step),
            Tab::State => state::ui(&mut state.state, cx, ui, &step),
            Tab::Params => with_detail(cx, ui, |cx, ui, detail| params::ui(&mut state.params, cx, ui, &step, detail)),
            Tab::Page => page::ui(&mut state.page, cx, ui, &step),
            Tab::Patches => with_detail(cx, ui, |_, ui, detail| patches::ui(ui, detail)),
            Tab::Timing => with_detail(cx, ui, |cx, ui, detail| timing::ui(&mut state.timing, cx, ui, &step, detail)),
            Tab::Sql => with_detail(cx, ui, |_, ui, detail| sql::ui(ui, detail)),
            Tab::Log => with_detail(cx, ui, |cx, ui, detail| log::ui(cx, ui, &step, detail)),
            Tab::Frames => with_detail(cx, ui, |cx, ui, detail| frames::ui(&mut state.frames, cx, ui, detail)),
        }
    });
}

fn header(cx: &mut Cx<'_>, ui: &mut Ui, step: &Step) {
    let t = cx.t;
    ui.horizontal(|ui| {
        layout::grip(cx, ui);
        icons::show(ui, Icon::Kind(step.kind), 16.0, t.kind(step.kind)).on_hover_text(step.kind.label());
        let name = if step.name.is_empty() { step.kind.label() } else { &step.name };
        let title = RichText::new(format::clip(name, 120)).size(16.0).color(t.strong);
        ui.label(RichText::new(format!("Step {}", step.id)).size(16.0).color(t.muted));
        let marked = cx.model.timeline().is_some_and(|timeline| timeline.marks().contains_key(&step.id));
        parts::command_icon(cx, ui, UiCommand::ToggleMark, if marked { Icon::Bookmark } else { Icon::BookmarkEmpty }, marked);
        if step.status == Status::Ok {
            parts::line_label(ui, title);
        } else {
            let ink = t.status(step.status);
            let ground = if ink == t.removed { t.removed_bg } else { t.changed_bg };
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                parts::chip(ui, step.status.word(), ink, ground);
                ui.with_layout(egui::Layout::left_to_right(egui::Align::Center), |ui| parts::line_label(ui, title));
            });
        }
    });
    let session = cx.model.session_of(step);
    let mut facts = vec![step.kind.label().to_owned(), format::clock(step.started)];
    if let Some(ms) = step.duration_ms {
        facts.push(format!("{} ms", format::millis(Some(ms))));
    }
    if let Some(view) = cx.model.view_of(step) {
        facts.push(format::short_class(&view.class).to_owned());
    }
    if let Some(session) = session {
        facts.push(session.user_name().to_owned());
        facts.extend(session.path.clone());
    }
    if step.history {
        facts.push("from before attaching".to_owned());
    }
    parts::line_label(ui, RichText::new(facts.join("  ·  ")).size(12.0).color(t.muted));
    if !step.hits.is_empty() {
        ui.add_space(2.0);
        parts::note(ui, Level::Warning, &format!("Breakpoint: {}", format::clip(&step.hits.join(", "), 300)));
    }
    if let Some(error) = &step.error {
        ui.add_space(2.0);
        let text = format::clip(error, 300);
        parts::note(ui, if t.status(step.status) == t.removed { Level::Error } else { Level::Warning }, &text);
    }
    causes::ui(cx, ui, step);
    verdict::ui(cx, ui, step);
    ui.add_space(3.0);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 5.0;
        parts::command_button(cx, ui, UiCommand::JumpAfter);
        let before = UiCommand::JumpBefore.enabled(cx.model);
        let response = ui.add_enabled(before.is_ok(), Button::new("Before")).on_hover_text(parts::command_tip(ui, UiCommand::JumpBefore));
        let response = response.on_disabled_hover_text(before.err().unwrap_or_default());
        response.widget_info(|| WidgetInfo::labeled(Role::Button, true, UiCommand::JumpBefore.text()));
        if response.clicked() {
            cx.run(UiCommand::JumpBefore);
        }
        components(cx, ui, step);
        parts::command_button(cx, ui, UiCommand::Replay);
        parts::command_button(cx, ui, UiCommand::ShareStep);
        verdict::compare_button(cx, ui, step);
        if is_swap(step) {
            edit_check::button(cx, ui, step);
        }
        if cx.model.pin.is_some() {
            parts::command_button(cx, ui, UiCommand::Unpin);
        } else {
            parts::command_button(cx, ui, UiCommand::Pin);
        }
    });
    if cx.model.timeline().is_some_and(|timeline| timeline.source().is_attached())
        && let Err(why) = UiCommand::JumpAfter.enabled(cx.model)
    {
        ui.label(RichText::new(why).size(12.0).color(t.muted));
    }
    edit_check::results(cx, ui, step.id);
}

/// The note of a marked step.
fn note(draft: &mut Option<(StepId, String)>, cx: &mut Cx<'_>, ui: &mut Ui, step: &Step) {
    let Some(timeline) = cx.model.timeline() else { return };
    let Some(kept) = timeline.marks().get(&step.id) else { return };
    let mut text = draft.take().filter(|(of, _)| *of == step.id).map_or_else(|| kept.clone(), |(_, text)| text);
    ui.add_space(3.0);
    let edit = ui.add(egui::TextEdit::singleline(&mut text).hint_text("Note").char_limit(1_000).desired_width(f32::INFINITY));
    let edit = edit.accessible_name("Note of this step");
    if edit.lost_focus() && text != *kept {
        cx.push(Action::Send(Box::new(inspector_model::Request::Mark { source: timeline.id(), step: step.id, note: Some(text) })));
    } else if edit.has_focus() {
        *draft = Some((step.id, text));
    }
}

/// Jump of one component's fields only.
fn components(cx: &mut Cx<'_>, ui: &mut Ui, step: &Step) {
    let Some(view) = cx.model.view_of(step) else { return };
    if view.components.is_empty() || UiCommand::JumpAfter.enabled(cx.model).is_err() {
        return;
    }
    ui.menu_button("Component ▾", |ui| {
        for component in &view.components {
            for side in [Side::Before, Side::After] {
                let words = if side == Side::Before { "before" } else { "after" };
                if ui.button(format!("{} {words}", component.id)).on_hover_text(&component.class).clicked() {
                    let target = inspector_model::JumpTarget { step: step.id, side };
                    cx.push(Action::Jump(target, Some(component.id.clone())));
                    ui.close();
                }
            }
        }
    })
    .response
    .on_hover_text("Put back the fields of one component only");
}

fn tabs(cx: &mut Cx<'_>, ui: &mut Ui, step: &Step) {
    let t = cx.t;
    Frame::new().inner_margin(Margin { left: 8, right: 8, top: 0, bottom: 0 }).show(ui, |ui| {
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing = egui::vec2(0.0, 0.0);
            ui.spacing_mut().button_padding = egui::vec2(3.0, 4.0);
            for command in TABS {
                let on = command.tab() == Some(cx.model.tab);
                let count = match command {
                    UiCommand::TabDiff => step.changes.total(),
                    UiCommand::TabSql => step.sql,
                    UiCommand::TabLog => step.logs + u32::from(step.error.is_some()),
                    UiCommand::TabFrames => step.frames,
                    _ => 0,
                };
                let mut job = egui::text::LayoutJob::default();
                crate::widgets::rich::push(&mut job, command.text(), theme::text(13.0), if on { t.strong } else { t.muted });
                let counts = matches!(command, UiCommand::TabDiff | UiCommand::TabSql | UiCommand::TabLog | UiCommand::TabFrames);
                let number = if count > 99 { "99+".to_owned() } else { count.to_string() };
                if counts && count > 0 {
                    let ink = if on { t.accent } else { t.faint };
                    job.append(&number, 3.0, egui::text::TextFormat::simple(theme::text(10.5), ink));
                }
                // Always as wide as with the largest number: the tabs stay where they are while steps are followed.
                let wide = |text: &str, size| ui.painter().layout_no_wrap(text.to_owned(), theme::text(size), t.text).size().x;
                let room = wide(command.text(), 13.0) + if counts { 3.0 + wide("99+", 10.5) } else { 0.0 };
                let room = (room + 2.0 * ui.spacing().button_padding.x).ceil();
                let button = Button::new(job).min_size(egui::vec2(room, 0.0)).fill(egui::Color32::TRANSPARENT).stroke(Stroke::NONE);
                let response = ui.add(button).on_hover_text(parts::command_tip(ui, command));
                response.widget_info(|| WidgetInfo::selected(Role::Tab, true, on, command.text()));
                if on {
                    let rect = response.rect;
                    ui.painter().hline(rect.left() + 6.0..=rect.right() - 6.0, rect.bottom() - 1.0, Stroke::new(2.0, t.accent));
                }
                if response.clicked() {
                    cx.run(command);
                }
            }
        });
    });
}

/// A failed pull.
fn failed(ui: &mut Ui, failure: &Failure) {
    let text = match &failure.hint {
        Some(hint) => format!("{}. {hint}", failure.message),
        None => failure.message.clone(),
    };
    parts::note(ui, Level::Warning, &text);
}

/// Draws what a slot shows: dimmed while something newer is on its way, words while nothing is there.
fn pulled<K: Clone + PartialEq, T>(ui: &mut Ui, slot: &Slot<K, T>, add: impl FnOnce(&mut Ui, &K, &T)) {
    match slot.shown() {
        None => {
            let t = theme::tokens(ui);
            ui.label(RichText::new("Loading …").color(t.muted));
        }
        Some((key, value, current)) => {
            if !current {
                ui.multiply_opacity(0.45);
            }
            match value {
                Ok(value) => add(ui, key, value),
                Err(failure) => failed(ui, failure),
            }
        }
    }
}

fn with_detail(cx: &mut Cx<'_>, ui: &mut Ui, add: impl FnOnce(&mut Cx<'_>, &mut Ui, &StepDetail)) {
    let model = cx.model;
    pulled(ui, &model.pulled.detail, |ui, _, detail| add(cx, ui, detail));
}

/// Before or after, for tabs that show one end of the step.
fn side_switch(cx: &mut Cx<'_>, ui: &mut Ui) {
    if let Some(side) = parts::segmented(ui, cx.model.side, &[(Side::Before, "Before"), (Side::After, "After")]) {
        cx.push(Action::Side(side));
    }
}

/// The mark of what a jump could not put back, in the state that it left.
fn not_put_back(cx: &Cx<'_>, path: &str) -> Option<Mark> {
    if cx.model.jumps.is_empty() {
        return None;
    }
    let step = cx.model.step().filter(|step| step.kind == StepKind::Jump)?;
    let of_step = |report: &&JumpReport| Some(report.source) == cx.model.current && step.session.as_ref() == Some(&report.session);
    let report = cx.model.jumps.iter().find(of_step)?;
    let lost = report.done.not_restored.iter().find(|lost| lost.path == path)?;
    Some(Mark { word: "not put back", words: format!("The jump left it as it was: {}", lost.why) })
}

/// The entry of a value's menu that pins it: a value of the state, or of what a handler was called with.
fn pin_value(cx: &mut Cx<'_>, ui: &mut Ui, path: impl FnOnce() -> inspector_model::Path, side: Side, handler: Option<String>) {
    let (Some(step), Some(timeline)) = (cx.model.step(), cx.model.timeline()) else { return };
    let Some(session) = step.session.clone() else { return };
    let Some(view) = class_at(timeline, &(session, step.view.clone()), step.id) else { return };
    let pin = Pin::new(view, handler, path(), step.id, side);
    if cx.model.pinned.has(&pin) {
        if ui.button("Unpin this value").clicked() {
            cx.push(Action::Unpin(Box::new(pin)));
            ui.close();
        }
    } else if ui.button("Pin this value").on_hover_text("Show it at each step that you select, on every page with this view").clicked() {
        cx.push(Action::PinValue(Box::new(pin)));
        ui.close();
    }
}

/// The entry of a value's menu that asks when it changed.
fn ask_history(cx: &mut Cx<'_>, ui: &mut Ui, path: impl FnOnce() -> inspector_model::Path, side: Side) {
    let Some(source) = cx.model.current else { return };
    if ui.button("When did this change?").clicked()
        && let Some(step) = cx.model.step()
    {
        let scope = step.session.clone().map_or(Scope::Everywhere, |session| Scope::View(session, step.view.clone()));
        cx.push(Action::Follow(Box::new(Followed { source, step: step.id, side, path: path(), scope, steps: 0 })));
        ui.close();
    }
}
