//! One slider for both sides: all rows from the first to the last, with those where both differ, and where both stand.

use egui::{Key, Role, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};

use crate::app::action::{Action, Cx};
use crate::app::compare::{CompareWish, Mark};

const HEIGHT: f32 = 30.0;

/// Draws the slider.
pub fn ui(cx: &mut Cx<'_>, ui: &mut Ui) {
    let t = cx.t;
    let compare = &cx.model.compare;
    let marks = compare.marks();
    let rows = marks.len().max(1);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), HEIGHT), Sense::click_and_drag());
    response.widget_info(|| WidgetInfo {
        value: Some(compare.row() as f64 + 1.0),
        ..WidgetInfo::labeled(Role::Slider, true, "Position of both sides")
    });
    let track = rect.shrink2(vec2(7.0, 4.0));
    let x = |row: usize| track.left() + track.width() * (row as f32 + 0.5) / rows as f32;
    ui.painter().rect_filled(track, 4.0, t.ground);
    ui.painter().rect_stroke(track, 4.0, Stroke::new(1.0, t.line), egui::StrokeKind::Inside);
    // At most one line per point, however many rows there are; the upper half is the left side's, the lower the right side's.
    let width = (track.width() / rows as f32 - 1.0).clamp(1.0, 10.0);
    let mut drawn = [f32::NEG_INFINITY; 3];
    for (row, mark) in marks.iter().enumerate() {
        let (lane, color, from, to) = match mark {
            Mark::Differs => (0, t.changed, 0.15, 0.85),
            Mark::Left => (1, t.removed, 0.15, 0.5),
            Mark::Right => (2, t.moved, 0.5, 0.85),
            Mark::Unknown | Mark::Same | Mark::Missing => continue,
        };
        let at = x(row);
        if at - drawn[lane] < 1.0 {
            continue;
        }
        drawn[lane] = at;
        let place = egui::Rect::from_x_y_ranges(
            at - width * 0.5..=at + width * 0.5,
            track.top() + track.height() * from..=track.top() + track.height() * to,
        );
        ui.painter().rect_filled(place, 1.0, color);
    }
    let here = x(compare.row());
    ui.painter().line_segment([pos2(here, rect.top()), pos2(here, rect.bottom())], Stroke::new(2.0, t.accent));
    ui.painter().circle(pos2(here, rect.top() + 4.0), 4.5, t.accent, Stroke::new(1.5, t.panel));
    if response.has_focus() {
        ui.painter().rect_stroke(rect, 5.0, Stroke::new(1.0, t.accent), egui::StrokeKind::Inside);
    }

    let pointed = response.interact_pointer_pos().filter(|_| response.clicked() || response.dragged());
    let by_pointer = pointed.map(|pointer| {
        let part = ((pointer.x - track.left()) / track.width().max(1.0)).clamp(0.0, 1.0);
        ((part * rows as f32) as usize).min(rows - 1)
    });
    let by_key = response.has_focus().then(|| {
        ui.input(|input| {
            let forward = input.num_presses(Key::ArrowRight) as isize - input.num_presses(Key::ArrowLeft) as isize;
            compare.row().saturating_add_signed(forward)
        })
    });
    if response.has_focus() {
        // Or the arrows would take the keyboard elsewhere.
        let filter = egui::EventFilter { horizontal_arrows: true, ..egui::EventFilter::default() };
        ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, filter));
    }
    if let Some(row) = by_pointer.or(by_key).filter(|row| *row != compare.row()) {
        cx.push(Action::Compare(CompareWish::Row(row)));
    }
    response.on_hover_text("Moves both sides; marks are rows that differ");
}
