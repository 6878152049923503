//! What would be in the file, and what would be kept back: counts and places, never a value.

use egui::{Align, Layout, RichText, TextStyle, Ui, vec2};
use inspector_model::{ExportPreview, KeptBack, Level};

use crate::app::action::Cx;
use crate::app::export::{Export, Stage};
use crate::format;
use crate::panels::work;
use crate::theme;
use crate::widgets::parts;

/// Width of the counts, points.
const COUNT: f32 = 52.0;

/// Draws it.
pub fn ui(export: &Export, cx: &mut Cx<'_>, ui: &mut Ui) {
    let model = cx.model;
    parts::section(ui, "What will be in it");
    let looking = export.preview.current().is_none();
    match export.preview.shown() {
        Some((_, Err(failure), true)) => {
            parts::note(ui, Level::Error, &failure.message);
            if let Some(hint) = &failure.hint {
                ui.label(RichText::new(hint).size(12.5).color(cx.t.muted));
            }
        }
        shown => {
            if looking && !matches!(export.stage, Stage::Written(..)) {
                ui.label(RichText::new("Looking through it …").color(cx.t.muted));
                let job = model.work.iter().find(|work| work.request.is_some_and(|id| export.preview.awaits(id)));
                if let Some(job) = job {
                    work::bar(cx, ui, job);
                }
            }
            if let Some(((_, options), Ok(preview), current)) = shown {
                // The last one stays, dimmed, until the new one is there.
                ui.scope(|ui| {
                    if !current {
                        ui.set_opacity(0.5);
                    }
                    table(preview, options.redaction.off, cx, ui);
                });
            }
        }
    }
}

fn table(preview: &ExportPreview, off: bool, cx: &Cx<'_>, ui: &mut Ui) {
    let t = cx.t;
    let steps = format::plural(preview.steps, "step", "steps");
    let pages = format::plural(preview.pages, "page", "pages");
    ui.label(RichText::new(format!("{steps} of {pages}")).size(15.0).color(t.strong));
    if off {
        parts::note(ui, Level::Warning, "Nothing is kept back");
        return;
    }
    if preview.kept_back.is_empty() {
        ui.label(RichText::new("Nothing in them looks like a secret").color(t.text));
    } else {
        let total = format::plural(preview.total(), "value is kept back", "values are kept back");
        ui.label(RichText::new(total).color(t.text));
        ui.add_space(6.0);
        let mut kept: Vec<&KeptBack> = preview.kept_back.iter().collect();
        kept.sort_by_key(|kept| std::cmp::Reverse(kept.count));
        ui.spacing_mut().item_spacing.y = 6.0;
        for kept in kept {
            row(kept, cx, ui);
        }
    }
    ui.add_space(8.0);
    let words = "A secret that looks like an ordinary word under an ordinary name is not found. Name it, and look here again";
    ui.add(egui::Label::new(RichText::new(words).size(12.0).color(t.muted)).wrap());
}

/// What one rule keeps back in one kind of place.
fn row(kept: &KeptBack, cx: &Cx<'_>, ui: &mut Ui) {
    let t = cx.t;
    ui.horizontal_top(|ui| {
        ui.allocate_ui_with_layout(vec2(COUNT, theme::ROW), Layout::right_to_left(Align::TOP), |ui| {
            ui.label(RichText::new(format::count(kept.count)).color(t.strong));
        });
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = 1.0;
            let different = format::plural(kept.different, "value", "different values");
            let words = format!("{} in {}, {different}", kept.rule.label(), kept.place.label());
            ui.add(egui::Label::new(RichText::new(words).color(t.text)).wrap());
            let places: Vec<String> = kept.examples.iter().map(|place| format::clip(place, 60)).collect();
            if !places.is_empty() {
                let places = RichText::new(places.join(", ")).text_style(TextStyle::Name(theme::MONO_SMALL.into())).color(t.muted);
                ui.add(egui::Label::new(places).wrap());
            }
        });
    });
}
