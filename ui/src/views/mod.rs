//! Views over the whole window: where to start, and what djust is set to, limits, reloads and lacks.

pub mod compare;
pub mod config;
pub mod export;
pub mod health;
pub mod passphrase;
pub mod rate;
pub mod reload;
pub mod settings;
pub mod start;
pub mod tally;

use egui::{CentralPanel, Frame, Margin, RichText, ScrollArea, Ui};

use crate::theme;

/// A scrolled page with a title and a readable width.
fn page(ui: &mut Ui, title: &str, lead: &str, width: f32, add: impl FnOnce(&mut Ui)) {
    let t = theme::tokens(ui);
    CentralPanel::no_frame().frame(Frame::new().fill(t.panel)).show(ui, |ui| {
        ScrollArea::vertical().id_salt(title).auto_shrink(false).show(ui, |ui| {
            let room = ui.available_width();
            // One left edge for all views, so that the title does not move from view to view.
            let side: i8 = if room > 1000.0 { 96 } else { 20 };
            Frame::new().inner_margin(Margin { left: side, right: 20, top: 18, bottom: 24 }).show(ui, |ui| {
                ui.set_width((room - f32::from(side) - 20.0).min(width).max(200.0));
                ui.label(RichText::new(title).text_style(egui::TextStyle::Name(theme::TITLE.into())).color(t.strong));
                ui.label(RichText::new(lead).color(t.muted));
                ui.add_space(10.0);
                add(ui);
            });
        });
    });
}
