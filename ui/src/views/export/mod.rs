//! The export dialog: what is written as what, and before that what would be in it and what would be kept back.

mod choices;
mod outcome;
mod preview;

use egui::{Context, Frame, Id, Margin, RichText, ScrollArea, Ui};

use crate::app::action::{Action, Cx};
use crate::app::export::{Draft, Export, ExportWish, Stage};
use crate::format;
use crate::widgets::parts;

/// Width of the dialog, where there is room.
const WIDTH: f32 = 900.0;
/// Width of what is chosen in it, at most.
const CHOICES: f32 = 404.0;
/// From here on choices and preview stand beside each other.
const TWO_COLUMNS: f32 = 640.0;
/// What title and the lines below need.
const AROUND: f32 = 230.0;

/// Draws the dialog, if it is open.
pub fn ui(cx: &mut Cx<'_>, ctx: &Context) {
    let model = cx.model;
    let Some(export) = &model.export else { return };
    let frame = Frame::popup(&ctx.global_style()).inner_margin(Margin::same(14));
    let response = parts::dialog(ctx, Id::unique("export"), Some(frame), |ui| {
        let screen = ctx.content_rect();
        let width = (screen.width() - 64.0).clamp(280.0, WIDTH);
        ui.set_width(width);
        ui.label(RichText::new(format!("Export {}", format::clip(&export.title, 70))).size(16.0).color(cx.t.strong));
        let words = "A file for others. Nothing is sent anywhere, and the recording in the library stays as it is";
        ui.label(RichText::new(words).size(12.5).color(cx.t.muted));
        ui.add_space(8.0);
        let mut draft = export.draft.clone();
        let editable = matches!(export.stage, Stage::Choosing | Stage::Failed(_));
        // A dialog offers no more room than it had: without a least height it would grow by some lines a frame.
        let height = (screen.height() - AROUND).max(160.0);
        ScrollArea::vertical().max_height(height).min_scrolled_height(height).auto_shrink([false, true]).show(ui, |ui| {
            body(export, &mut draft, editable, cx, ui);
        });
        ui.add_space(8.0);
        outcome::ui(export, &mut draft, cx, ui);
        if draft != export.draft {
            cx.push(Action::Export(ExportWish::Draft(Box::new(draft))));
        }
    });
    // A dialog of the desktop is in front: its Escape is not ours.
    if response.should_close() && export.stage != Stage::Asking {
        cx.push(Action::Export(ExportWish::Close));
    }
}

fn body(export: &Export, draft: &mut Draft, editable: bool, cx: &mut Cx<'_>, ui: &mut Ui) {
    if ui.available_width() < TWO_COLUMNS {
        parts::card(ui, |ui| preview::ui(export, cx, ui));
        ui.add_space(10.0);
        ui.add_enabled_ui(editable, |ui| choices::ui(export, draft, cx, ui));
        return;
    }
    ui.horizontal_top(|ui| {
        ui.vertical(|ui| {
            ui.set_width((ui.available_width() * 0.48).min(CHOICES));
            ui.add_enabled_ui(editable, |ui| choices::ui(export, draft, cx, ui));
        });
        ui.add_space(8.0);
        ui.vertical(|ui| parts::card(ui, |ui| preview::ui(export, cx, ui)));
    });
}
