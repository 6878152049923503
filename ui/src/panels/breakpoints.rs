//! The pane of breakpoints: conditions that watch every state, and the steps that made them hold.

use egui::{Frame, Key, Margin, RichText, TextEdit, Ui};
use inspector_model::{Breakpoint, Condition, Level, Request, StepId};

use super::layout;
use crate::app::action::{Action, Cx};
use crate::format;
use crate::theme;
use crate::widgets::icons::{self, Icon};
use crate::widgets::long_list::LongList;
use crate::widgets::{parts, rich};

/// What the pane remembers.
#[derive(Default)]
pub struct BreakpointsPanel {
    /// Put the keyboard into the field.
    pub focus: bool,
    condition: String,
    hits: LongList,
}

/// Draws the pane.
pub fn ui(state: &mut BreakpointsPanel, cx: &mut Cx<'_>, ui: &mut Ui) {
    let t = cx.t;
    Frame::new().inner_margin(Margin::symmetric(8, 5)).show(ui, |ui| {
        ui.horizontal(|ui| {
            layout::grip(cx, ui);
            ui.label(RichText::new("Breakpoints").color(t.strong));
            add(state, cx, ui);
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| layout::hide(cx, ui));
        });
        if !state.condition.is_empty()
            && let Err(why) = Condition::parse(&state.condition)
        {
            parts::note(ui, Level::Warning, &why);
        }
        set(cx, ui);
    });
    hits(state, cx, ui);
}

fn add(state: &mut BreakpointsPanel, cx: &mut Cx<'_>, ui: &mut Ui) {
    let hint = "cart.total < 0    changed(user)    len(items) > 500";
    let width = (ui.available_width() - 110.0).clamp(120.0, 460.0);
    let edit = ui.add(TextEdit::singleline(&mut state.condition).hint_text(hint).char_limit(500).desired_width(width));
    let edit = edit.accessible_name("Condition");
    if std::mem::take(&mut state.focus) {
        edit.request_focus();
    }
    let good = Condition::parse(&state.condition).is_ok();
    let entered = edit.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
    let button = ui.add_enabled(good, egui::Button::new("Add")).on_disabled_hover_text("Type a condition on the state");
    if good && (entered || button.clicked()) {
        let condition = std::mem::take(&mut state.condition).trim().to_owned();
        let mut all = cx.model.breakpoints.clone();
        all.retain(|breakpoint| breakpoint.condition != condition);
        all.push(Breakpoint { condition, on: true });
        cx.push(Action::Send(Box::new(Request::Breakpoints(all))));
    }
}

/// The conditions that are set.
fn set(cx: &mut Cx<'_>, ui: &mut Ui) {
    let t = cx.t;
    let model = cx.model;
    let mut changed = None;
    ui.horizontal_wrapped(|ui| {
        for (nth, breakpoint) in model.breakpoints.iter().enumerate() {
            ui.push_id(nth, |ui| {
                Frame::new().fill(t.raised).corner_radius(theme::CORNER).inner_margin(Margin::symmetric(6, 1)).show(ui, |ui| {
                    ui.spacing_mut().item_spacing.x = 4.0;
                    let mut on = breakpoint.on;
                    let text = RichText::new(format::clip(&breakpoint.condition, 60)).monospace().size(12.0);
                    if ui.checkbox(&mut on, text).on_hover_text("It watches what is recorded from now on").changed() {
                        let mut all = model.breakpoints.clone();
                        all[nth].on = on;
                        changed = Some(all);
                    }
                    let name = format!("Remove breakpoint {}", format::clip(&breakpoint.condition, 60));
                    if icons::button(ui, Icon::Cross, &name, true).on_hover_text("Remove").clicked() {
                        let mut all = model.breakpoints.clone();
                        all.remove(nth);
                        changed = Some(all);
                    }
                });
            });
        }
    });
    if let Some(all) = changed {
        cx.push(Action::Send(Box::new(Request::Breakpoints(all))));
    }
}

/// The steps that made one of them hold.
fn hits(state: &mut BreakpointsPanel, cx: &mut Cx<'_>, ui: &mut Ui) {
    let t = cx.t;
    let Some(timeline) = cx.model.timeline() else { return };
    let positions = timeline.hits();
    if positions.is_empty() {
        let hint = if cx.model.breakpoints.iter().any(|breakpoint| breakpoint.on) {
            "The step that makes a condition hold is marked, told of, and kept with what led up to it"
        } else {
            "Add a condition: the step that makes it hold is marked, told of, and kept with what led up to it"
        };
        parts::empty(ui, "No breakpoint was hit here", hint);
        return;
    }
    let mut clicked: Option<StepId> = None;
    state.hits.ui(ui, positions.len(), theme::VALUE_ROW, |ui, rect, nth| {
        // The newest first: that is what one looks for.
        let Some(step) = timeline.steps().get(positions[positions.len() - 1 - nth] as usize) else { return };
        let on = cx.model.selected == Some(step.id);
        let conditions = step.hits.join("   ");
        let name = format!("Hit in step {}: {conditions}", step.id);
        let mut job = rich::line_job();
        rich::push(&mut job, &format!("{:>6}  {}  ", step.id, format::clock(step.started)), theme::mono(), t.muted);
        rich::push(&mut job, &format!("{}   ", format::clip(&step.name, 40)), theme::text(13.0), t.text);
        rich::push(&mut job, &format::clip(&conditions, 120), theme::mono(), t.changed);
        if parts::list_line(ui, rect, ("hit", step.id.0), on, &name, job).on_hover_text("Go to the step").clicked() {
            clicked = Some(step.id);
        }
    });
    if let Some(step) = clicked {
        cx.push(Action::Select(step));
    }
}
