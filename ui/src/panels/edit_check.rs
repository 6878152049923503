//! What an edit changed: the button that asks, the question before handlers run again, and what each event did.

use egui::{Button, Context, Id, Key, Label, Modifiers, RichText, Role, Ui, WidgetInfo};
use inspector_model::{Level, Side, Step, StepId};

use crate::app::action::{Action, Cx};
use crate::app::edit_check::{self, EditCheck, Event, Outcome};
use crate::app::model::Page;
use crate::commands::UiCommand;
use crate::format;
use crate::widgets::parts;

/// What the question remembers.
#[derive(Default)]
pub struct Dialog {
    open: bool,
}

/// Draws the question, while it is open.
pub fn dialog(state: &mut Dialog, cx: &mut Cx<'_>, ctx: &Context) {
    let Some(check) = cx.model.edit_check.as_ref().filter(|check| check.is_asking()) else {
        *state = Dialog::default();
        return;
    };
    if !std::mem::replace(&mut state.open, true) {
        // The button below, from which it was asked for, has the keyboard no longer.
        ctx.memory_mut(|memory| memory.focused().into_iter().for_each(|id| memory.surrender_focus(id)));
    }
    let (mut enter, mut go) = (false, false);
    // A focused button has its own Enter.
    let on_widget = ctx.memory(egui::Memory::focused).is_some();
    ctx.input_mut(|input| {
        enter = !on_widget && input.consume_key(Modifiers::NONE, Key::Enter);
        go = input.consume_key(Modifiers::NONE, Key::R);
    });
    let mut answer = None;
    let response = parts::dialog(ctx, Id::unique("edit check"), None, |ui| {
        ui.set_width(520.0);
        answer = question(cx, ui, check);
    });
    if go {
        answer = Some(true);
    } else if enter || response.should_close() {
        answer = answer.or(Some(false));
    }
    if let Some(go) = answer {
        cx.push(Action::AnswerCheck(go));
    }
}

fn question(cx: &Cx<'_>, ui: &mut Ui, check: &EditCheck) -> Option<bool> {
    let t = cx.t;
    let events = format::plural(check.events.len() as u64, "event", "events");
    let class = format::clip(format::short_class(&check.class), 60);
    ui.label(RichText::new(format!("Replay the last {events} of {class}?")).size(16.0).color(t.strong));
    ui.add_space(4.0);
    parts::note(ui, Level::Warning, "The handlers run again with their side effects: what they write, send or charge is done once more");
    ui.add_space(4.0);
    let names: Vec<String> = check.events.iter().map(|event| format!("{} {}", event.step, format::clip(&event.name, 40))).collect();
    let text = format!(
        "Steps {}: each from the state that was recorded before it, on the class as it is now. The page shows them as they go, and is then \
         put back to live.",
        names.join(", ")
    );
    ui.add(Label::new(RichText::new(text).color(t.text)).wrap());
    if check.ticks {
        ui.add_space(4.0);
        let text =
            "This page ticks: a tick in between belongs to the page, which then stays where the tick leaves it. Pause its ticks first";
        parts::note(ui, Level::Info, text);
    }
    ui.add_space(8.0);
    let mut answer = None;
    ui.horizontal(|ui| {
        if parts::primary(ui, &format!("Replay {events}")).on_hover_text("One after the other; it can be stopped   R").clicked() {
            answer = Some(true);
        }
        if ui.button("Cancel").on_hover_text("Replay nothing   Enter or Escape").clicked() {
            answer = Some(false);
        }
    });
    answer
}

/// Draws the button of a swap.
pub fn button(cx: &mut Cx<'_>, ui: &mut Ui, swap: &Step) {
    let ready = edit_check::ready(cx.model, swap);
    let response = ui.add_enabled(ready.is_ok(), Button::new("What did the edit change?"));
    // In a list there are several.
    let name = format!("What did the edit change? Step {}", swap.id);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, ready.is_ok(), &name));
    let response = response
        .on_hover_text("Replay the last events from before the swap on the new class, and compare with what was recorded; asks first")
        .on_disabled_hover_text(ready.err().unwrap_or_default());
    if response.clicked() {
        cx.push(Action::CheckEdit(swap.id));
    }
}

/// Draws what a swap changed, if that was asked last.
pub fn results(cx: &mut Cx<'_>, ui: &mut Ui, swap: StepId) {
    let model = cx.model;
    let of_swap = |check: &&EditCheck| check.swap == swap && Some(check.source) == model.current && !check.is_asking();
    let Some(check) = model.edit_check.as_ref().filter(of_swap) else { return };
    ui.add_space(4.0);
    let (level, words) = check.summary();
    parts::note(ui, level, &words);
    ui.add_space(2.0);
    egui::Grid::new(("edit check", swap)).num_columns(3).spacing([8.0, 4.0]).show(ui, |ui| {
        for event in &check.events {
            result(cx, ui, event);
            ui.end_row();
        }
    });
    if let Some((level, words)) = check.page() {
        ui.add_space(2.0);
        if level == Level::Info {
            ui.label(RichText::new(words).size(12.5).color(cx.t.muted));
        } else {
            parts::note(ui, level, &words);
        }
    }
    if check.is_stopping() {
        ui.label(RichText::new("Stopping after this event").size(12.5).color(cx.t.muted));
    } else if check.is_running() && ui.button("Stop replaying").on_hover_text("The page is put back to live all the same").clicked() {
        cx.push(Action::StopReplays);
    }
    ui.add_space(4.0);
}

/// One event in three cells.
fn result(cx: &mut Cx<'_>, ui: &mut Ui, event: &Event) {
    let t = cx.t;
    let (word, ink, ground) = match &event.outcome {
        None => ("not yet", t.muted, t.raised),
        Some(Outcome::Same(_)) => ("same", t.added, t.added_bg),
        Some(Outcome::Differs(..)) => ("differs", t.changed, t.changed_bg),
        Some(Outcome::Raised(..)) => ("raised", t.removed, t.removed_bg),
        Some(Outcome::NotSent(_)) => ("not sent", t.removed, t.removed_bg),
    };
    parts::chip(ui, word, ink, ground);
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 5.0;
        match &event.outcome {
            Some(Outcome::Same(replay) | Outcome::Differs(replay, _) | Outcome::Raised(replay, _)) => links(cx, ui, event.step, *replay),
            None | Some(Outcome::NotSent(_)) => drop(ui.label(RichText::new(format!("Step {}", event.step)).color(t.muted))),
        }
    });
    let words = match &event.outcome {
        None => String::new(),
        Some(Outcome::Same(_)) => "Same as recorded".to_owned(),
        Some(Outcome::Differs(_, verdict)) => verdict.words(),
        Some(Outcome::Raised(_, why)) => format!("Raised: {}", format::clip(why, 300)),
        Some(Outcome::NotSent(why)) => format!("Could not be sent: {}", format::clip(why, 300)),
    };
    let lost = if event.lost.is_empty() { String::new() } else { format!("; not put back first: {}", edit_check::lost(&event.lost)) };
    let words = format!("{}  {words}{lost}", format::clip(&event.name, 40));
    parts::line_label(ui, RichText::new(&words).color(t.text)).on_hover_text(words);
}

/// To the replay's step, and to what differs in it from the recorded one.
fn links(cx: &mut Cx<'_>, ui: &mut Ui, recorded: StepId, replay: StepId) {
    let step = ui.small_button(format!("Step {replay}")).on_hover_text(format!("Go to the replay of step {recorded}"));
    let diff = ui.small_button("Diff");
    diff.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("Diff of steps {recorded} and {replay}")));
    let diff = diff.on_hover_text("Show what differs from the recorded step in the Diff tab");
    if step.clicked() {
        cx.push(Action::Select(replay));
        cx.push(Action::Show(Page::Steps));
    }
    if diff.clicked() {
        cx.push(Action::Select(replay));
        cx.push(Action::Pin(Some((recorded, Side::After))));
        cx.run(UiCommand::TabDiff);
    }
}
