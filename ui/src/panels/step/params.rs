//! What the handler was called with, its signature, and replaying it.

use std::sync::Arc;

use egui::{RichText, ScrollArea, TextEdit, Ui};
use inspector_model::{HandlerInfo, Level, Request, Step, StepDetail, Value, parse_value};

use super::state::TreeView;
use super::verdict;
use crate::app::action::{Action, Cx};
use crate::commands::UiCommand;
use crate::format;
use crate::widgets::{parts, rich};

/// What the tab remembers, for one step.
#[derive(Default)]
pub struct ParamsTab {
    tree: TreeView,
    parsed: Option<(String, Result<Arc<Value>, String>)>,
    editing: Option<String>,
    restore: bool,
}

impl ParamsTab {
    /// Forgets what belongs to another step.
    pub fn reset(&mut self) {
        *self = Self { restore: true, ..Self::default() };
    }
}

/// `add_item(id: int, qty: int = …)`.
fn signature(handler: &HandlerInfo) -> String {
    let params: Vec<String> = handler
        .params
        .iter()
        .map(|param| {
            let kind = param.kind.as_ref().map_or_else(String::new, |kind| format!(": {kind}"));
            format!("{}{kind}{}", param.name, if param.required { "" } else { " = …" })
        })
        .collect();
    format!("{}({})", handler.name, params.join(", "))
}

/// Whether a text can be sent as parameters.
fn check(text: &str) -> Result<(), String> {
    match serde_json::from_str::<serde_json::Value>(text) {
        Ok(serde_json::Value::Object(_)) => Ok(()),
        Ok(_) => Err("Parameters are a JSON object: {\"name\": value}".to_owned()),
        Err(error) => Err(format!("This is no JSON: {error}")),
    }
}

/// Draws the tab.
pub fn ui(state: &mut ParamsTab, cx: &mut Cx<'_>, ui: &mut Ui, step: &Step, detail: &StepDetail) {
    let t = cx.t;
    let handler = cx
        .model
        .view_of(step)
        .and_then(|view| view.handlers.iter().find(|handler| handler.name == step.name && handler.component == step.component));
    if let Some(handler) = handler {
        ui.add(egui::Label::new(RichText::new(signature(handler)).monospace().color(t.strong)).selectable(true).wrap());
        if let Some(doc) = &handler.doc {
            ui.label(RichText::new(format::clip(doc, 200)).size(12.5).color(t.muted));
        }
        ui.add_space(4.0);
    }
    let Some(text) = &detail.params else {
        parts::empty(ui, "No parameters", "Only events have parameters");
        return;
    };
    replay(state, cx, ui, step, detail);
    ui.add_space(6.0);
    parts::section(ui, "Parameters as the handler got them");
    if state.parsed.as_ref().is_none_or(|(parsed, _)| parsed != text) {
        state.parsed = Some((text.clone(), parse_value(text).map(Arc::new).map_err(|error| error.to_string())));
    }
    match &state.parsed {
        Some((_, Ok(value))) if value.is_empty() => {
            ui.label(RichText::new("Called without parameters").color(t.muted));
        }
        Some((_, Ok(value))) => {
            let value = value.clone();
            state.tree.ui(cx, ui, &value, Some(&step.name));
        }
        Some((_, Err(why))) => parts::note(ui, Level::Warning, why),
        None => {}
    }
}

fn replay(state: &mut ParamsTab, cx: &mut Cx<'_>, ui: &mut Ui, step: &Step, detail: &StepDetail) {
    let t = cx.t;
    let enabled = UiCommand::Replay.enabled(cx.model);
    let raw = detail.raw_params.as_deref().unwrap_or("{}");
    ui.horizontal(|ui| {
        parts::command_button(cx, ui, UiCommand::Replay);
        parts::command_button(cx, ui, UiCommand::ReplayRepeatedly);
        let edit = ui.add_enabled(enabled.is_ok() && state.editing.is_none(), egui::Button::new("Edit and replay"));
        let edit = edit.on_disabled_hover_text(enabled.clone().err().unwrap_or_else(|| "Already being edited".into()));
        if edit.clicked() {
            let pretty = serde_json::from_str::<serde_json::Value>(raw).and_then(|value| serde_json::to_string_pretty(&value));
            state.editing = Some(pretty.unwrap_or_else(|_| raw.to_owned()));
            state.restore = true;
        }
    });
    let running = verdict::trial(cx, ui, step);
    if let (Err(why), false) = (&enabled, running) {
        ui.label(RichText::new(why).size(12.0).color(t.muted));
    }
    let Some(text) = &mut state.editing else {
        let mut job = rich::line_job();
        rich::push(&mut job, "sent by the browser  ", crate::theme::text(12.0), t.muted);
        rich::push(&mut job, &rich::one_line(&format::clip(raw, 400)), crate::theme::mono(), t.text);
        parts::line_label(ui, job);
        return;
    };
    let valid = check(text);
    ui.add_space(4.0);
    ScrollArea::vertical().id_salt("edit").max_height(220.0).show(ui, |ui| {
        let edit = ui.add(TextEdit::multiline(text).code_editor().desired_rows(5).desired_width(f32::INFINITY));
        edit.accessible_name("Parameters as JSON");
    });
    if let Err(why) = &valid {
        ui.label(RichText::new(why).size(12.5).color(t.removed));
    }
    ui.checkbox(&mut state.restore, "Put the state before this step back first");
    let mut done = false;
    ui.horizontal(|ui| {
        let send = ui.add_enabled(valid.is_ok() && enabled.is_ok(), egui::Button::new("Replay with these"));
        let send = send.on_disabled_hover_text(valid.err().or(enabled.err()).unwrap_or_default());
        if send.clicked()
            && let Some(source) = cx.model.current
        {
            let request = Request::Replay { source, step: step.id, params: Some(text.clone()), restore: state.restore };
            cx.push(Action::Send(Box::new(request)));
            done = true;
        }
        if ui.button("Cancel").clicked() {
            done = true;
        }
    });
    if done {
        state.editing = None;
    }
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn only_objects_can_be_sent() {
        assert!(check(r#"{"id": 3}"#).is_ok());
        assert!(check("[1]").is_err_and(|why| why.contains("object")));
        assert!(check("{").is_err_and(|why| why.contains("no JSON")));
    }
}
