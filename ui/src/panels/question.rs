//! What the program around the window asks. One question is asked at a time.

use egui::{Button, Context, Id, Label, RichText, Ui};
use inspector_model::{DesktopQuestion, Reply};

use crate::app::action::{Action, Cx};
use crate::format;
use crate::widgets::parts;

/// How long the address of a link is to be seen before the link can be followed, seconds. The newest link takes the place of the one
/// before it, perhaps while the user is clicking.
const READING_SECS: f64 = 0.8;

/// Sources that are named; the others are counted.
const NAMED: usize = 3;

/// What the dialog remembers.
#[derive(Default)]
pub struct QuestionDialog {
    /// What is asked, and since when.
    asked: Option<(DesktopQuestion, f64)>,
    remember: bool,
}

/// Draws the question that is open.
pub fn ui(state: &mut QuestionDialog, cx: &mut Cx<'_>, ctx: &Context) {
    let Some(question) = cx.model.question() else {
        *state = QuestionDialog::default();
        return;
    };
    let now = ctx.input(|input| input.time);
    let since = match &state.asked {
        Some((asked, since)) if *asked == question => *since,
        _ => {
            *state = QuestionDialog { asked: Some((question.clone(), now)), remember: false };
            // The button below the dialog no longer has the keyboard.
            ctx.memory_mut(|memory| memory.focused().into_iter().for_each(|id| memory.surrender_focus(id)));
            now
        }
    };
    let mut reply = None;
    let response = parts::dialog(ctx, Id::unique("desktop question"), None, |ui| {
        ui.set_width(460.0);
        reply = match &question {
            DesktopQuestion::Close => close(&mut state.remember, cx, ui),
            DesktopQuestion::Attach(url) => {
                let left = READING_SECS - (now - since);
                if left > 0.0 {
                    ui.ctx().request_repaint_after_secs(left as f32);
                }
                attach(url, left <= 0.0, cx, ui)
            }
            DesktopQuestion::Remember(url) => remember(url, cx, ui),
        };
    });
    let reply = reply.or_else(|| response.should_close().then_some(Reply::No));
    if let Some(reply) = reply {
        cx.push(Action::Reply(question, reply, state.remember));
    }
}

fn title(cx: &Cx<'_>, ui: &mut Ui, text: &str) {
    ui.label(RichText::new(text).size(16.0).color(cx.t.strong));
    ui.add_space(6.0);
}

fn words(ui: &mut Ui, text: impl Into<String>) {
    ui.add(Label::new(text.into()).wrap());
}

/// What ends with the program, in sentences. Empty where nothing does.
pub fn what_ends(cx: &Cx<'_>) -> Vec<String> {
    let mut parts = Vec::new();
    let names: Vec<String> = cx.model.recording().map(|source| format::clip(&source.title, 60)).collect();
    let more = names.len().saturating_sub(NAMED);
    match names.as_slice() {
        [] => {}
        [only] => parts.push(format!("The recording of {only} ends.")),
        [first @ .., _] if more > 0 => parts.push(format!("The recordings of {} and {more} more end.", first[..NAMED].join(", "))),
        all => parts.push(format!("The recordings of {} end.", all.join(", "))),
    }
    if let Some(server) = &cx.model.desktop.server {
        parts.push(format!("The server that this program started is stopped: {}", format::clip(server, 80)));
    }
    parts
}

fn close(remembered: &mut bool, cx: &Cx<'_>, ui: &mut Ui) -> Option<Reply> {
    let mut reply = None;
    title(cx, ui, "Stop recording?");
    for sentence in what_ends(cx) {
        words(ui, sentence);
    }
    ui.add_space(2.0);
    ui.label(RichText::new("What was recorded is kept in the library.").color(cx.t.muted));
    ui.add_space(8.0);
    ui.checkbox(remembered, "Don't ask again").on_hover_text("The settings ask again");
    ui.add_space(8.0);
    ui.horizontal(|ui| {
        if parts::primary(ui, "Stop recording and close").clicked() {
            reply = Some(Reply::Yes);
        }
        if cx.model.desktop.tray && ui.button("Keep recording in the tray").clicked() {
            reply = Some(Reply::Keep);
        }
        if ui.button("Cancel").clicked() {
            reply = Some(Reply::No);
        }
    });
    reply
}

fn attach(url: &str, was_read: bool, cx: &Cx<'_>, ui: &mut Ui) -> Option<Reply> {
    let mut reply = None;
    title(cx, ui, "Attach to a server?");
    words(ui, "A link asks to attach to this server:");
    ui.add_space(4.0);
    ui.add(Label::new(RichText::new(url).monospace().color(cx.t.strong)).wrap());
    ui.add_space(4.0);
    ui.label(RichText::new("What happens on it is then recorded here. Attach only to a server that you know.").color(cx.t.muted));
    ui.add_space(8.0);
    ui.horizontal(|ui| {
        if ui.add_enabled(was_read, Button::new("Attach")).on_disabled_hover_text("Read the address first").clicked() {
            reply = Some(Reply::Yes);
        }
        if ui.button("Cancel").clicked() {
            reply = Some(Reply::No);
        }
    });
    reply
}

fn remember(url: &str, cx: &Cx<'_>, ui: &mut Ui) -> Option<Reply> {
    let mut reply = None;
    title(cx, ui, "Remember the token?");
    words(ui, format!("The token of {url} can be kept in the system's keychain. It may then be left out."));
    ui.add_space(8.0);
    ui.horizontal(|ui| {
        if parts::primary(ui, "Remember").clicked() {
            reply = Some(Reply::Yes);
        }
        if ui.button("Not now").clicked() {
            reply = Some(Reply::No);
        }
    });
    reply
}
