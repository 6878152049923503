//! The passphrase of the library: set, changed and taken away.

use egui::{Button, RichText, TextEdit, Ui};
use inspector_model::{Level, Request, Secret};

use crate::app::action::{Action, Cx};
use crate::widgets::parts;

/// What is typed and not yet applied.
#[derive(Default)]
pub struct Passphrase {
    now: Secret,
    new: Secret,
    again: Secret,
}

/// Draws it.
pub fn ui(state: &mut Passphrase, cx: &mut Cx<'_>, ui: &mut Ui) {
    let encrypted = cx.model.encrypted;
    let t = cx.t;
    let words = if encrypted {
        "The library is encrypted. It is asked for its passphrase when the inspector starts."
    } else {
        "The library's files can be read by you alone, on this machine. With a passphrase nobody reads a copy of them either."
    };
    ui.label(RichText::new(words).color(t.muted));
    ui.add_space(4.0);
    if encrypted {
        field(ui, "Passphrase now", &mut state.now);
    }
    field(ui, "New passphrase", &mut state.new);
    field(ui, "The new one once more", &mut state.again);
    if !state.new.is_empty() {
        parts::note(
            ui,
            Level::Warning,
            "Whoever forgets it has lost the library: nobody can read it without, and nothing can be done about that",
        );
    }
    ui.horizontal(|ui| {
        let why_not = why_not(state, encrypted);
        let set = Button::new(if encrypted { "Change passphrase" } else { "Encrypt the library" });
        let set = ui.add_enabled(why_not.is_none(), set).on_disabled_hover_text(why_not.unwrap_or_default());
        let given = |secret: &mut Secret| Some(std::mem::take(secret)).filter(|secret| !secret.is_empty());
        if set.clicked() {
            let request = Request::SetPassphrase { now: given(&mut state.now), new: given(&mut state.new) };
            *state = Passphrase::default();
            cx.push(Action::Send(Box::new(request)));
        }
        if encrypted {
            let known = !state.now.is_empty();
            let stop = ui.add_enabled(known, Button::new("Stop encrypting")).on_disabled_hover_text("Give the passphrase that it has now");
            if stop.clicked() {
                let request = Request::SetPassphrase { now: given(&mut state.now), new: None };
                *state = Passphrase::default();
                cx.push(Action::Send(Box::new(request)));
            }
        }
    });
}

fn field(ui: &mut Ui, name: &str, secret: &mut Secret) {
    ui.horizontal(|ui| {
        let field = ui.add(TextEdit::singleline(secret.edit()).password(true).desired_width(240.0));
        let label = ui.label(name);
        field.labelled_by(label.id);
    });
}

fn why_not(state: &Passphrase, encrypted: bool) -> Option<&'static str> {
    if encrypted && state.now.is_empty() {
        Some("Give the passphrase that it has now")
    } else if state.new.is_empty() {
        Some("Give a new passphrase")
    } else if state.new != state.again {
        Some("The two new ones are not the same")
    } else {
        None
    }
}
