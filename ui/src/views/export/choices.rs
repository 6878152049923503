//! What can be chosen: as what, which steps, and what is kept back.

use egui::{DragValue, Frame, Label, Margin, RichText, Role, TextEdit, Ui, WidgetInfo};
use inspector_model::{ExportFormat, Level, Secret};

use crate::app::action::Cx;
use crate::app::export::{Draft, Export, Which};
use crate::widgets::parts;

/// Draws the choices.
pub fn ui(export: &Export, draft: &mut Draft, cx: &mut Cx<'_>, ui: &mut Ui) {
    ui.spacing_mut().item_spacing.y = 2.0;
    parts::section(ui, "As");
    for format in ExportFormat::ALL {
        ui.radio_value(&mut draft.format, format, format.label());
        hint(cx, ui, format.purpose());
    }
    ui.add_space(6.0);
    parts::section(ui, "Which steps");
    for offer in &export.offers {
        if offer.which == Which::Range {
            range(export, draft, ui);
        } else {
            ui.radio_value(&mut draft.which, offer.which.clone(), &offer.words);
        }
    }
    ui.add_space(6.0);
    parts::section(ui, "Kept back");
    ui.spacing_mut().item_spacing.y = 4.0;
    redaction(draft, cx, ui);
    if draft.format == ExportFormat::Recording {
        ui.add_space(6.0);
        parts::section(ui, "Encryption");
        secret(ui, &mut draft.passphrase, "Passphrase", "none: whoever has the file can read it");
        if !draft.passphrase.is_empty() {
            secret(ui, &mut draft.again, "Once more", "");
        }
    }
}

/// A line below a choice.
fn hint(cx: &Cx<'_>, ui: &mut Ui, text: &str) {
    Frame::new().inner_margin(Margin { left: 22, bottom: 2, ..Margin::ZERO }).show(ui, |ui| {
        ui.add(Label::new(RichText::new(text).size(12.0).color(cx.t.muted)).wrap());
    });
}

/// From one step to another.
fn range(export: &Export, draft: &mut Draft, ui: &mut Ui) {
    let last = export.steps.max(1);
    ui.horizontal(|ui| {
        let range = ui.radio_value(&mut draft.which, Which::Range, "Steps");
        // The bar above is called so, too.
        range.widget_info(|| WidgetInfo::selected(Role::RadioButton, true, draft.which == Which::Range, "Steps to choose"));
        let (mut from, mut to) = (draft.first, draft.last);
        let field = ui.add(DragValue::new(&mut from).range(1..=last));
        field.accessible_name("First step");
        ui.label("to");
        let field = ui.add(DragValue::new(&mut to).range(1..=last));
        field.accessible_name("Last step");
        if (from, to) != (draft.first, draft.last) {
            // The one that was moved wins: a range never runs backwards.
            let moved_first = from != draft.first;
            (draft.first, draft.last) = if from <= to {
                (from, to)
            } else if moved_first {
                (from, from)
            } else {
                (to, to)
            };
            draft.which = Which::Range;
        }
    });
}

fn redaction(draft: &mut Draft, cx: &Cx<'_>, ui: &mut Ui) {
    let mut on = !draft.off;
    if ui.checkbox(&mut on, "Keep secrets back").changed() {
        draft.off = !on;
        draft.confirmed = false;
    }
    if draft.off {
        parts::note(
            ui,
            Level::Warning,
            "Everything is written as it was recorded: passwords, tokens, cookies, and what people typed. Nothing is looked for",
        );
        return;
    }
    hint(cx, ui, "Names like password and token, what looks like a key or a card number, and the same value wherever it stands");
    ui.checkbox(&mut draft.emails, "E-mail addresses too");
    field(ui, &mut draft.names, "Further names", "pin, phone");
    field(ui, &mut draft.paths, "Further places", "cart.owner, rows[*].note, *.iban");
}

fn field(ui: &mut Ui, text: &mut String, name: &str, hint: &str) {
    labelled(ui, TextEdit::singleline(text), name, hint);
}

fn secret(ui: &mut Ui, secret: &mut Secret, name: &str, hint: &str) {
    labelled(ui, TextEdit::singleline(secret.edit()).password(true), name, hint);
}

fn labelled(ui: &mut Ui, edit: TextEdit<'_>, name: &str, hint: &str) {
    ui.horizontal(|ui| {
        let label = ui.label(name);
        ui.add_space((100.0 - label.rect.width()).max(0.0));
        ui.add(edit.hint_text(hint).desired_width(f32::INFINITY)).labelled_by(label.id).accessible_name(name);
    });
}
