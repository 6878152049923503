//! Where it is written, how far that is, and what came of it.

use egui::{RichText, TextEdit, Ui};
use inspector_model::{ErrorCode, Failure, Level};

use crate::app::action::{Action, Cx};
use crate::app::export::{Draft, Export, ExportWish, Stage};
use crate::format;
use crate::panels::work;
use crate::widgets::parts;

/// Draws it, with the buttons of the dialog.
pub fn ui(export: &Export, draft: &mut Draft, cx: &mut Cx<'_>, ui: &mut Ui) {
    match &export.stage {
        Stage::Choosing => {}
        Stage::Failed(failure) => failed(failure, cx, ui),
        Stage::Asking => {
            ui.label(RichText::new("Choose where to write it in the dialog of your desktop").color(cx.t.muted));
        }
        Stage::Writing(id, path) => {
            ui.label(RichText::new(format!("Writing {}", format::clip(path, 100))).color(cx.t.text));
            let model = cx.model;
            if let Some(job) = model.work.iter().find(|work| work.request == Some(*id)) {
                work::bar(cx, ui, job);
            }
        }
        Stage::Written(text, path) => return written(text, path, cx, ui),
    }
    if let Some(cut) = export.cut() {
        parts::note(ui, Level::Info, &cut);
    }
    let asks_where = cx.model.desktop.dialogs;
    let chosen = matches!(export.stage, Stage::Choosing | Stage::Failed(_));
    if !asks_where && chosen {
        let hint = format!("/path/to/file.{}", draft.format.extension());
        let edit = ui.add(TextEdit::singleline(&mut draft.path).hint_text(hint).desired_width(f32::INFINITY));
        edit.accessible_name("File to write");
    }
    if draft.off && chosen {
        ui.checkbox(&mut draft.confirmed, "I want this file with its secrets");
    }
    let missing = if chosen { export.missing(asks_where) } else { Some("It is being written".to_owned()) };
    ui.horizontal(|ui| {
        let text = if asks_where { "Write file …" } else { "Write file" };
        let write = ui.add_enabled_ui(missing.is_none(), |ui| parts::primary(ui, text)).inner;
        let write = write.on_disabled_hover_text(missing.as_deref().unwrap_or_default());
        if write.clicked() {
            cx.push(Action::Export(ExportWish::Write));
        }
        let words = if export.writing().is_some() { "Close, and write on" } else { "Close" };
        if ui.button(words).clicked() {
            cx.push(Action::Export(ExportWish::Close));
        }
        if let Some(missing) = missing.filter(|_| chosen) {
            parts::line_label(ui, RichText::new(missing).size(12.5).color(cx.t.muted));
        }
    });
}

/// Why there is no file, and what to do.
fn failed(failure: &Failure, cx: &Cx<'_>, ui: &mut Ui) {
    parts::note(ui, Level::Error, &failure.message);
    let hint = match failure.code {
        ErrorCode::Leak => Some("Add the value's name or its place to what is kept back above, then write it again"),
        _ => failure.hint.as_deref(),
    };
    if let Some(hint) = hint {
        ui.add(egui::Label::new(RichText::new(hint).size(12.5).color(cx.t.text)).wrap());
    }
}

fn written(text: &str, path: &str, cx: &mut Cx<'_>, ui: &mut Ui) {
    parts::note(ui, Level::Info, text);
    ui.horizontal(|ui| {
        if parts::primary(ui, "Close").clicked() {
            cx.push(Action::Export(ExportWish::Close));
        }
        if ui.button("Copy path").clicked() {
            cx.push(Action::Copy(path.to_owned(), "the path"));
        }
        if ui.button("Export more").clicked() {
            cx.push(Action::Export(ExportWish::Again));
        }
    });
}
