//! The passphrase of an encrypted recording file, asked for when it is opened.

use egui::{Button, Context, Id, Key, RichText, Spinner, TextEdit};
use inspector_model::{Level, Secret};

use crate::app::action::{Action, Cx};
use crate::format;
use crate::widgets::parts;

/// What is typed.
#[derive(Default)]
pub struct SealedFileDialog {
    typed: Secret,
}

/// Draws the question that is open.
pub fn ui(state: &mut SealedFileDialog, cx: &mut Cx<'_>, ctx: &Context) {
    let Some(file) = &cx.model.sealed_file else {
        *state = SealedFileDialog::default();
        return;
    };
    let name = file.path.file_name().unwrap_or(file.path.as_os_str()).to_string_lossy();
    let (mut open, mut cancel) = (false, false);
    let response = parts::dialog(ctx, Id::unique("sealed file"), None, |ui| {
        ui.set_width(420.0);
        ui.label(RichText::new(format!("{} is encrypted", format::clip(&name, 50))).size(16.0).color(cx.t.strong));
        ui.add_space(6.0);
        ui.horizontal(|ui| {
            let label = ui.label("Passphrase of the file");
            let field = TextEdit::singleline(state.typed.edit()).password(true).desired_width(220.0);
            let field = ui.add_enabled(!file.trying, field).labelled_by(label.id);
            open = field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
            if !file.trying && ui.memory(|memory| memory.focused().is_none()) {
                field.request_focus();
            }
            if file.trying {
                ui.add(Spinner::new());
            }
        });
        if let Some(why_not) = &file.why_not {
            parts::note(ui, Level::Error, why_not);
        }
        ui.add_space(6.0);
        ui.horizontal(|ui| {
            let ready = !state.typed.is_empty() && !file.trying;
            let button = ui.add_enabled(ready, Button::new("Open the file")).on_disabled_hover_text("Give its passphrase");
            open = (open || button.clicked()) && ready;
            cancel = ui.button("Leave it closed").clicked();
        });
    });
    if open {
        cx.push(Action::Unseal(Some(std::mem::take(&mut state.typed))));
    } else if cancel || response.should_close() {
        cx.push(Action::Unseal(None));
    }
}
