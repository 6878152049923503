//! Who may have made a change that happened outside of steps: what was seen, how sure it is, and the step behind it.

use std::collections::BTreeSet;

use egui::{Frame, Label, Margin, RichText, Ui};
use inspector_model::{By, Cause, Level, Step, StepKind, Sure, Suspect};

use crate::app::action::{Action, Cx};
use crate::app::model::Model;
use crate::format;
use crate::widgets::parts;

/// Draws the suspects of an outside change. Nothing for other steps, and for those of recordings that know nothing of causes.
pub fn ui(cx: &mut Cx<'_>, ui: &mut Ui, step: &Step) {
    let Some(Cause::Outside { suspects }) = &step.cause else { return };
    ui.add_space(3.0);
    if suspects.is_empty() {
        parts::note(ui, Level::Info, Suspect::NONE);
        return;
    }
    Frame::new().fill(cx.t.ground).corner_radius(5).inner_margin(Margin::symmetric(8, 5)).show(ui, |ui| {
        ui.set_width(ui.available_width());
        for (nth, suspect) in suspects.iter().enumerate() {
            ui.push_id(nth, |ui| one(cx, ui, step, suspect));
        }
        let open = unexplained(cx.model, step, suspects);
        if !open.is_empty() {
            let words = format!("No cause seen for {}", names(open.iter().map(String::as_str)));
            ui.add(Label::new(RichText::new(words).size(12.5).color(cx.t.muted)).wrap());
        }
    });
}

fn one(cx: &mut Cx<'_>, ui: &mut Ui, step: &Step, suspect: &Suspect) {
    let t = cx.t;
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        let (ink, ground) = match suspect.sure {
            Sure::Certain => (t.added, t.added_bg),
            Sure::Likely => (t.changed, t.changed_bg),
            Sure::Guess => (t.muted, t.raised),
        };
        parts::chip(ui, suspect.sure.word(), ink, ground);
        let at = suspect.at.map(|at| format!(", at {}", format::clock(at))).unwrap_or_default();
        let words = format!("{}: {}{at}", names(suspect.names.iter().map(String::as_str)), suspect.words());
        ui.add(Label::new(RichText::new(format::clip(&words, 600)).color(t.text)).wrap().selectable(true));
        if let Some(behind) = behind(cx.model, step, suspect) {
            let text = format!("Step {} {}", behind.id, format::clip(&behind.name, 40));
            let who = cx.model.session_of(&behind).map(|session| format!(" of {}", session.user_name())).unwrap_or_default();
            if ui.small_button(text).on_hover_text(format!("Go to the step that is the cause{who}")).clicked() {
                cx.push(Action::Select(behind.id));
            }
        }
    });
}

/// The step that is the cause. Background work that was still under way is a step only later: the next one of its name.
fn behind(model: &Model, step: &Step, suspect: &Suspect) -> Option<Step> {
    let timeline = model.timeline()?;
    if let Some(id) = suspect.step {
        return timeline.step(id);
    }
    let what = suspect.what.as_ref().filter(|_| suspect.by == By::Work)?;
    let steps = timeline.steps();
    let from = steps.position(step.id)? as u32;
    let work = timeline.of_kind(StepKind::Async);
    let later = work[work.partition_point(|position| *position < from)..].iter().take(500);
    later.filter_map(|position| steps.get(*position as usize)).find(|work| work.session == step.session && work.name == *what)
}

/// Changed assigns of which nobody is suspected.
fn unexplained(model: &Model, step: &Step, suspects: &[Suspect]) -> BTreeSet<String> {
    let temporary = model.view_of(step).map_or(&[][..], |view| &view.temporary_assigns);
    let assigns = step.changed.iter().map(|path| path.split(['.', '[']).next().unwrap_or_default());
    let known = |name: &str| temporary.iter().any(|other| other == name) || suspects.iter().any(|one| one.names.iter().any(|n| n == name));
    assigns.filter(|name| !known(name)).map(str::to_owned).collect()
}

fn names<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let all: Vec<String> = names.map(|name| format!("`{}`", format::clip(name, 60))).collect();
    match all.len() {
        0 => "it".to_owned(),
        1..=4 => all.join(", "),
        more => format!("{} and {} more", all[..3].join(", "), more - 3),
    }
}
