//! The window before the window: an encrypted library is asked for its passphrase before there is an engine.

use std::sync::mpsc::{Receiver, TryRecvError};

use egui::{Button, CentralPanel, Context, Frame, Key, Margin, Rect, RichText, Spinner, TextEdit, Ui, UiBuilder, Vec2, vec2};
use inspector_model::{Level, Secret};

use crate::theme;
use crate::widgets::parts;

/// Begins to try a passphrase: what is received is what the right one gives, or why it is not. Must not wait; asks the context
/// for a frame when it is known.
pub type Try<T> = Box<dyn Fn(Secret, &Context) -> Receiver<Result<T, String>>>;

/// What it takes of a large window, points.
const SIZE: Vec2 = vec2(412.0, 92.0);

/// Asks until the passphrase is right.
pub struct Unlock<T> {
    attempt: Try<T>,
    typed: Secret,
    why_not: Option<String>,
    trying: Option<Receiver<Result<T, String>>>,
}

impl<T> Unlock<T> {
    /// Nothing is typed yet.
    pub fn new(attempt: Try<T>) -> Self {
        Self { attempt, typed: Secret::default(), why_not: None, trying: None }
    }

    /// Draws it: what the right passphrase gave, when it was given.
    pub fn ui(&mut self, ui: &mut Ui) -> Option<T> {
        let opened = self.take();
        let t = theme::tokens(ui);
        CentralPanel::no_frame().frame(Frame::new().fill(t.panel).inner_margin(Margin::same(24))).show(ui, |ui| {
            // In a window of its own it fills that; in a large one it stands where it is looked for.
            let room = ui.available_rect_before_wrap();
            let free = (room.size() - SIZE).max(Vec2::ZERO);
            let place = Rect::from_min_size(room.min + vec2(free.x * 0.5, free.y * 0.3), SIZE);
            ui.scope_builder(UiBuilder::new().max_rect(place), |ui| self.form(ui));
        });
        opened
    }

    fn form(&mut self, ui: &mut Ui) {
        let t = theme::tokens(ui);
        ui.label(RichText::new("The library is encrypted").text_style(egui::TextStyle::Name(theme::TITLE.into())).color(t.strong));
        ui.add_space(8.0);
        ui.horizontal(|ui| {
            let label = ui.label("Passphrase");
            let field = ui.add(TextEdit::singleline(self.typed.edit()).password(true).desired_width(240.0)).labelled_by(label.id);
            let enter = field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
            // Whoever went on to the button with the keyboard stays there.
            if self.trying.is_none() && ui.memory(|memory| memory.focused().is_none()) {
                field.request_focus();
            }
            if enter && !self.typed.is_empty() && self.trying.is_none() {
                self.try_it(ui.ctx());
            }
            let ready = !self.typed.is_empty() && self.trying.is_none();
            if ui.add_enabled(ready, Button::new("Open")).on_disabled_hover_text("Give the passphrase").clicked() {
                self.try_it(ui.ctx());
            }
            if self.trying.is_some() {
                ui.add(Spinner::new());
            }
        });
        ui.add_space(4.0);
        if let Some(why_not) = &self.why_not {
            parts::note(ui, Level::Error, why_not);
        } else {
            ui.label(RichText::new("Without it nobody can read the library; it cannot be had again").color(t.muted));
        }
    }

    fn try_it(&mut self, ctx: &Context) {
        self.why_not = None;
        self.trying = Some((self.attempt)(std::mem::take(&mut self.typed), ctx));
    }

    fn take(&mut self) -> Option<T> {
        let opened = match self.trying.as_ref()?.try_recv() {
            Ok(Ok(opened)) => Some(opened),
            Ok(Err(why_not)) => {
                self.why_not = Some(why_not);
                None
            }
            Err(TryRecvError::Empty) => return None,
            Err(TryRecvError::Disconnected) => {
                self.why_not = Some("It could not be tried".to_owned());
                None
            }
        };
        self.trying = None;
        opened
    }
}

#[cfg(test)]
mod tests {
    use egui_kittest::Harness;
    use egui_kittest::kittest::Queryable as _;

    use super::*;

    #[test]
    fn a_wrong_passphrase_is_said_and_the_right_one_opens() {
        let attempt = |typed: Secret, _: &Context| {
            let (tell, told) = std::sync::mpsc::sync_channel(1);
            let answer = if typed.as_str() == "right" { Ok(7) } else { Err("not that one".to_owned()) };
            tell.send(answer).unwrap();
            told
        };
        let mut unlock = Unlock::new(Box::new(attempt));
        let mut harness = Harness::builder()
            .with_size([460.0, 160.0])
            .with_context_setup(theme::install)
            .build_ui_state(move |ui, opened: &mut Option<u32>| *opened = unlock.ui(ui).or(*opened), None);
        for (typed, told, opened) in [("wrong", true, None), ("right", false, Some(7))] {
            harness.get_by_label("Passphrase").focus();
            harness.run_steps(2);
            harness.get_by_label("Passphrase").type_text(typed);
            harness.run_steps(2);
            harness.get_by_label("Open").click();
            harness.run_steps(4);
            assert_eq!((harness.query_by_label_contains("not that one").is_some(), *harness.state()), (told, opened), "{typed}");
        }
    }
}
