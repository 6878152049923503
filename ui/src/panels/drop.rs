//! What happens to files that are dragged over the window when they are dropped.

use egui::{Align2, Area, Context, Frame, Id, Margin, Order, RichText, Stroke, vec2};

use crate::app::action::Cx;
use crate::app::desktop::{OPENED_FILES, dragged, file_name, opens};
use crate::format;
use crate::widgets::icons::{self, Icon};

/// Draws it over everything else, while there are any.
pub fn ui(cx: &Cx<'_>, ctx: &Context) {
    let dragged = dragged(cx.model, ctx);
    let Some(first) = dragged.first() else { return };
    let t = cx.t;
    let openable = dragged.iter().filter(|file| opens(file)).count();
    let (ink, icon) = if openable > 0 { (t.accent, Icon::Info) } else { (t.removed, Icon::Warning) };
    let title = match openable {
        0 => format!("{} is no recording", format::clip(&file_name(first), 60)),
        1 => {
            let file = dragged.iter().find(|file| opens(file)).unwrap_or(first);
            format!("Drop to open {}", format::clip(&file_name(file), 60))
        }
        many => format!("Drop to open {many} recordings"),
    };
    let whole = ctx.content_rect();
    Area::new(Id::unique("dragged files")).order(Order::Tooltip).interactable(false).fixed_pos(whole.min).show(ctx, |ui| {
        ui.painter().rect_filled(whole, 0.0, t.ground.gamma_multiply(0.82));
        ui.painter().rect_stroke(whole.shrink(8.0), 8.0, Stroke::new(2.0, ink), egui::StrokeKind::Inside);
    });
    Area::new(Id::unique("dragged files in words"))
        .order(Order::Tooltip)
        .interactable(false)
        .anchor(Align2::CENTER_CENTER, vec2(0.0, 0.0))
        .show(ctx, |ui| {
            Frame::new().fill(t.panel).stroke(Stroke::new(1.0, t.line)).corner_radius(8).inner_margin(Margin::symmetric(20, 14)).show(
                ui,
                |ui| {
                    ui.horizontal(|ui| {
                        icons::show(ui, icon, 18.0, ink);
                        ui.label(RichText::new(title).size(16.0).color(t.strong));
                    });
                    if openable < dragged.len() {
                        ui.label(RichText::new(OPENED_FILES).color(t.muted));
                    }
                },
            );
        });
}
