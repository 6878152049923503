//! What a jump would not put back, before it is done: keyboard first, Enter takes the safe way and Escape leaves the page alone.

use egui::{Context, Id, Key, Label, Modifiers, RichText, ScrollArea, Ui};
use inspector_model::{JumpTarget, Level, NotRestored, Side};

use crate::app::action::{Action, Cx};
use crate::app::model::{JumpAnswer, JumpQuestion};
use crate::format;
use crate::widgets::parts;

/// What is told in full; the rest is counted.
const TOLD: usize = 100;

/// Components that are offered by a button.
const COMPONENTS: usize = 4;

/// What the dialog remembers.
#[derive(Default)]
pub struct JumpDialog {
    open: bool,
    quiet: bool,
}

/// Draws the question that is open.
pub fn ui(state: &mut JumpDialog, cx: &mut Cx<'_>, ctx: &Context) {
    let Some(question) = &cx.model.jump_question else {
        *state = JumpDialog::default();
        return;
    };
    if !std::mem::replace(&mut state.open, true) {
        // The button below, from which the jump was asked for, has the keyboard no longer.
        ctx.memory_mut(|memory| memory.focused().into_iter().for_each(|id| memory.surrender_focus(id)));
    }
    let (mut enter, mut anyway) = (false, false);
    // A focused button has its own Enter.
    let on_widget = ctx.memory(egui::Memory::focused).is_some();
    ctx.input_mut(|input| {
        enter = !on_widget && input.consume_key(Modifiers::NONE, Key::Enter);
        anyway = input.consume_key(Modifiers::NONE, Key::J);
    });
    let mut answer = None;
    let response = parts::dialog(ctx, Id::unique("jump question"), None, |ui| {
        ui.set_width(520.0);
        title(cx, ui, question);
        losses(cx, ui, &question.preview.not_restored);
        ui.add_space(6.0);
        ui.checkbox(&mut state.quiet, "Don't ask again for this page").on_hover_text("Until the window is closed");
        ui.add_space(6.0);
        answer = choices(cx, ui, question);
    });
    if enter {
        answer = answer.or(Some(safe(question)));
    } else if anyway {
        answer = Some(JumpAnswer::Jump(question.target, question.component.clone()));
    } else if response.should_close() {
        answer = answer.or(Some(JumpAnswer::Cancel));
    }
    if let Some(answer) = answer {
        cx.push(Action::AnswerJump(answer, state.quiet));
    }
}

/// What loses nothing: the nearest step that can be put back whole, else no jump at all.
fn safe(question: &JumpQuestion) -> JumpAnswer {
    let whole = |step| JumpAnswer::Jump(JumpTarget { step, side: Side::After }, None);
    question.preview.whole.map_or(JumpAnswer::Cancel, whole)
}

fn title(cx: &Cx<'_>, ui: &mut Ui, question: &JumpQuestion) {
    let JumpTarget { step, side } = question.target;
    let side = if side == Side::Before { "before" } else { "after" };
    let number = question.preview.not_restored.len() as u64;
    let what = format::plural(number, "value", "values");
    ui.label(RichText::new(format!("The page would be {side} step {step}, but for {what}")).size(16.0).color(cx.t.strong));
    ui.add_space(4.0);
    if let Some(why) = &question.preview.unasked {
        parts::note(ui, Level::Info, &format!("This is told from the recording, because {why}: the jump itself may find more"));
        ui.add_space(4.0);
    }
}

fn losses(cx: &Cx<'_>, ui: &mut Ui, lost: &[NotRestored]) {
    ScrollArea::vertical().max_height(260.0).min_scrolled_height(260.0).auto_shrink([false, true]).show(ui, |ui| {
        for NotRestored { path, why } in lost.iter().take(TOLD) {
            let text = format!("{}: {}", format::clip(path, 80), format::clip(why, 200));
            ui.add(Label::new(RichText::new(text).color(cx.t.text)).wrap().selectable(true));
        }
        if let Some(more) = lost.len().checked_sub(TOLD + 1) {
            ui.label(RichText::new(format!("and {} more", more + 1)).color(cx.t.muted));
        }
    });
}

fn choices(cx: &Cx<'_>, ui: &mut Ui, question: &JumpQuestion) -> Option<JumpAnswer> {
    let mut answer = None;
    ui.horizontal_wrapped(|ui| {
        if let Some(step) = question.preview.whole {
            let button = parts::primary(ui, &format!("Jump after step {step} instead"));
            if button.on_hover_text("The nearest step of this view that can be put back whole   Enter").clicked() {
                answer = Some(safe(question));
            }
        }
        if ui.button("Jump anyway").on_hover_text("What is listed stays as it is   J").clicked() {
            answer = Some(JumpAnswer::Jump(question.target, question.component.clone()));
        }
        for id in components(cx, question) {
            let name = format!("Only {}", format::clip(&id, 30));
            if ui.button(name).on_hover_text("Put back the fields of this component only").clicked() {
                answer = Some(JumpAnswer::Jump(question.target, Some(id)));
            }
        }
        let key = if question.preview.whole.is_some() { "Escape" } else { "Enter or Escape" };
        if ui.button("Cancel").on_hover_text(format!("Leave the page as it is   {key}")).clicked() {
            answer = Some(JumpAnswer::Cancel);
        }
    });
    answer
}

/// The components of the view whose page would jump.
fn components(cx: &Cx<'_>, question: &JumpQuestion) -> Vec<String> {
    if question.component.is_some() {
        return Vec::new();
    }
    let step = cx.model.timeline_of(question.source).and_then(|timeline| timeline.step(question.target.step));
    let view = step.as_ref().and_then(|step| cx.model.view_of(step));
    view.map_or_else(Vec::new, |view| view.components.iter().take(COMPONENTS).map(|component| component.id.clone()).collect())
}
