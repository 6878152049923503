//! The window before the window: an encrypted library is asked for its passphrase before there is an engine.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};

use egui::{Button, CentralPanel, Context, Frame, Key, Margin, RichText, Spinner, TextEdit, Ui};
use inspector_model::{Level, Secret};

use crate::theme;
use crate::widgets::parts;

/// Tries a passphrase. Takes its time: it is called on a thread of its own.
pub type Try<T> = Arc<dyn Fn(&Secret) -> Result<T, String> + Send + Sync>;

/// Asks until the passphrase is right or whoever is asked gives up.
pub struct Unlock<T> {
    attempt: Try<T>,
    typed: Secret,
    why_not: Option<String>,
    trying: Option<Receiver<Result<T, String>>>,
    /// What the right passphrase gave.
    pub opened: Option<T>,
    /// Nobody wants to know any more.
    pub given_up: bool,
}

impl<T: Send + 'static> Unlock<T> {
    /// Shows itself in `ctx`.
    pub fn new(attempt: Try<T>, ctx: &Context) -> Self {
        theme::install(ctx);
        Self { attempt, typed: Secret::default(), why_not: None, trying: None, opened: None, given_up: false }
    }

    /// Draws it.
    pub fn ui(&mut self, ui: &mut Ui) {
        self.take();
        let t = theme::tokens(ui);
        CentralPanel::no_frame().frame(Frame::new().fill(t.panel).inner_margin(Margin::same(24))).show(ui, |ui| {
            ui.label(RichText::new("The library is encrypted").text_style(egui::TextStyle::Name(theme::TITLE.into())).color(t.strong));
            ui.add_space(8.0);
            ui.horizontal(|ui| {
                let label = ui.label("Passphrase");
                let field = ui.add(TextEdit::singleline(self.typed.edit()).password(true).desired_width(240.0)).labelled_by(label.id);
                let enter = field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
                if !enter && self.trying.is_none() {
                    field.request_focus();
                }
                if enter && !self.typed.is_empty() && self.trying.is_none() {
                    self.try_it(ui.ctx());
                }
            });
            ui.add_space(4.0);
            if let Some(why_not) = &self.why_not {
                parts::note(ui, Level::Error, why_not);
            } else {
                ui.label(RichText::new("Without it nobody can read the library; it cannot be had again").color(t.muted));
            }
            ui.add_space(8.0);
            ui.horizontal(|ui| {
                let ready = !self.typed.is_empty() && self.trying.is_none();
                if ui.add_enabled(ready, Button::new("Open")).on_disabled_hover_text("Give the passphrase").clicked() {
                    self.try_it(ui.ctx());
                }
                if ui.button("Quit").clicked() {
                    self.given_up = true;
                }
                if self.trying.is_some() {
                    ui.add(Spinner::new());
                }
            });
        });
    }

    fn try_it(&mut self, ctx: &Context) {
        let (tell, told) = sync_channel(1);
        let (attempt, ctx, typed) = (self.attempt.clone(), ctx.clone(), std::mem::take(&mut self.typed));
        self.why_not = None;
        let started = std::thread::Builder::new().name("unlock".to_owned()).spawn(move || {
            // Nobody waits for it any more when the window is gone.
            let _ = tell.send(attempt(&typed));
            ctx.request_repaint();
        });
        match started {
            Ok(_) => self.trying = Some(told),
            Err(error) => self.why_not = Some(format!("No thread could be started: {error}")),
        }
    }

    fn take(&mut self) {
        let Some(trying) = &self.trying else { return };
        match trying.try_recv() {
            Ok(Ok(opened)) => self.opened = Some(opened),
            Ok(Err(why_not)) => self.why_not = Some(why_not),
            Err(TryRecvError::Empty) => return,
            Err(TryRecvError::Disconnected) => self.why_not = Some("It could not be tried".to_owned()),
        }
        self.trying = None;
    }
}

#[cfg(test)]
mod tests {
    use egui_kittest::Harness;
    use egui_kittest::kittest::Queryable as _;

    use super::*;

    #[test]
    fn a_wrong_passphrase_is_said_and_the_right_one_opens() {
        let attempt: Try<u32> = Arc::new(|typed| if typed.as_str() == "right" { Ok(7) } else { Err("not that one".to_owned()) });
        let mut unlock: Option<Unlock<u32>> = None;
        let mut harness = Harness::builder().with_size([460.0, 190.0]).with_context_setup(theme::install).build_ui_state(
            move |ui, opened: &mut Option<u32>| {
                let unlock = unlock.get_or_insert_with(|| Unlock::new(attempt.clone(), ui.ctx()));
                unlock.ui(ui);
                *opened = opened.or(unlock.opened);
            },
            None,
        );
        for (typed, told, opened) in [("wrong", true, None), ("right", false, Some(7))] {
            harness.get_by_label("Passphrase").focus();
            harness.run_steps(2);
            harness.get_by_label("Passphrase").type_text(typed);
            harness.run_steps(2);
            harness.get_by_label("Open").click();
            let begun = std::time::Instant::now();
            while (harness.query_by_label_contains("not that one").is_some(), *harness.state()) != (told, opened) {
                harness.step();
                assert!(begun.elapsed().as_secs() < 20, "{typed}");
            }
        }
    }
}
