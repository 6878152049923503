//! What a replay did compared with what was recorded, and what several of them did compared with each other.

use egui::{RichText, Ui};
use inspector_model::{Level, Side, Step};

use crate::app::action::{Action, Cx};
use crate::app::replay::{Trial, Verdict, replay_of};
use crate::commands::UiCommand;
use crate::widgets::parts;

/// Draws the verdict of a replay. Nothing for other steps.
pub fn ui(cx: &mut Cx<'_>, ui: &mut Ui, step: &Step) {
    let model = cx.model;
    let Some(recorded) = replay_of(step).and_then(|of| model.timeline()?.step(of)) else { return };
    ui.add_space(2.0);
    match model.pulled.verdict.verdict() {
        None => drop(ui.label(RichText::new(format!("Comparing with step {} …", recorded.id)).size(12.0).color(cx.t.muted))),
        Some(Ok(verdict)) => parts::note(ui, level(verdict), &verdict.words()),
        Some(Err(failure)) => {
            let text = format!("It cannot be compared with step {}: {}", recorded.id, failure.message);
            drop(parts::line_label(ui, RichText::new(text).size(12.0).color(cx.t.muted)));
        }
    }
}

/// Draws what shows the difference in full. Nothing where there is none.
pub fn compare_button(cx: &mut Cx<'_>, ui: &mut Ui, step: &Step) {
    let model = cx.model;
    let pin = replay_of(step).map(|recorded| (recorded, Side::After));
    let differs = matches!(model.pulled.verdict.verdict(), Some(Ok(verdict)) if !verdict.changes.is_empty());
    let Some(pin) = pin.filter(|pin| differs && model.pin != Some(*pin)) else { return };
    let button =
        ui.button(format!("Compare with step {}", pin.0)).on_hover_text("Show what differs from the recorded step in the Diff tab");
    if button.clicked() {
        cx.push(Action::Pin(Some(pin)));
        cx.run(UiCommand::TabDiff);
    }
}

/// With other parameters another outcome is what was asked for.
const fn level(verdict: &Verdict) -> Level {
    if verdict.is_same() || verdict.edited { Level::Info } else { Level::Warning }
}

/// Draws what several replays of a step came to. Says whether they go on.
pub fn trial(cx: &mut Cx<'_>, ui: &mut Ui, step: &Step) -> bool {
    let model = cx.model;
    let trial = model.trial.as_ref().filter(|trial| trial.step == step.id && Some(trial.source) == model.current);
    let Some((trial, (level, words))) = trial.and_then(|trial| Some((trial, trial.words()?))) else { return false };
    ui.add_space(4.0);
    parts::note(ui, level, &words);
    let running = trial.is_running();
    if running && ui.button("Stop replaying").clicked() {
        cx.push(Action::StopReplays);
    }
    outcomes(cx, ui, trial);
    running
}

/// What each of them did.
fn outcomes(cx: &Cx<'_>, ui: &mut Ui, trial: &Trial) {
    for (nth, verdict) in trial.verdicts().iter().enumerate() {
        let words = format!("{}.  {}", nth + 1, verdict.words());
        parts::line_label(ui, RichText::new(&words).size(12.0).color(cx.t.muted)).on_hover_text(words);
    }
}
