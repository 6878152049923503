//! Below the lanes: to the step before and after, playing, following, and the playhead over the shown steps.

use egui::{EventFilter, Key, Rect, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};

use super::super::layout;
use super::Strip;
use crate::app::action::{Action, Cx};
use crate::commands::UiCommand;
use crate::format;
use crate::widgets::icons::{self, Icon};
use crate::widgets::parts;

/// Height of the line, points.
pub const HEIGHT: f32 = 24.0;

/// Draws the line.
pub fn ui(state: &mut Strip, cx: &mut Cx<'_>, ui: &mut Ui) {
    let t = cx.t;
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 2.0;
        layout::grip(cx, ui);
        parts::command_icon(cx, ui, UiCommand::FirstStep, Icon::First, false);
        parts::command_icon(cx, ui, UiCommand::PreviousStep, Icon::Previous, false);
        let playing = cx.model.playing.is_some();
        parts::command_icon(cx, ui, UiCommand::TogglePlay, if playing { Icon::Pause } else { Icon::Play }, playing);
        parts::command_icon(cx, ui, UiCommand::NextStep, Icon::Next, false);
        parts::command_icon(cx, ui, UiCommand::LastStep, Icon::Last, false);
        ui.add_space(4.0);
        let speed = format!("{}×", cx.model.speed);
        ui.menu_button(speed, |ui| {
            for speed in [0.25_f32, 0.5, 1.0, 2.0, 4.0, 16.0] {
                if ui.button(format!("{speed}×")).clicked() {
                    cx.push(Action::Speed(speed));
                }
            }
        })
        .response
        .on_hover_text("Speed of playing");
        ui.add_space(4.0);
        parts::command_icon(cx, ui, UiCommand::ToggleFollow, Icon::Follow, cx.model.follow);
        // The words are left out before anything that can be pressed.
        let room = ui.available_width();
        if cx.model.follow && room > 340.0 {
            ui.label(egui::RichText::new("Following").size(12.0).color(t.accent));
        }
        ui.add_space(6.0);
        let rows = cx.model.rows.len();
        let place = match cx.model.selected_row() {
            Some(Ok(row)) => format!("{} of {}", format::count(row as u64 + 1), format::count(rows as u64)),
            _ => format::plural(rows as u64, "step", "steps"),
        };
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            if icons::toggle(ui, Icon::Fit, UiCommand::FitTimeline.text(), true, false).on_hover_text("Show the whole timeline").clicked() {
                state.fit();
            }
            ui.add_space(4.0);
            if room > 190.0 {
                ui.label(egui::RichText::new(place).size(12.0).color(t.muted));
            }
            ui.add_space(6.0);
            if ui.available_width() > 90.0 {
                slider(cx, ui, rows);
            }
        });
    });
}

/// The playhead over the shown steps, by number: what the lanes cannot give when steps lie close.
fn slider(cx: &mut Cx<'_>, ui: &mut Ui, rows: usize) {
    let t = cx.t;
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width().max(40.0), 22.0), Sense::click_and_drag());
    let row = match cx.model.selected_row() {
        Some(Ok(row) | Err(row)) => row.min(rows.saturating_sub(1)),
        None => 0,
    };
    response.widget_info(|| WidgetInfo::slider(rows > 0, row as f64 + 1.0, "Playhead"));
    let rail = Rect::from_center_size(rect.center(), vec2(rect.width() - 14.0, 4.0));
    ui.painter().rect_filled(rail, 2.0, t.line);
    if rows == 0 {
        return;
    }
    let part = if rows > 1 { row as f32 / (rows - 1) as f32 } else { 1.0 };
    let x = rail.left() + rail.width() * part;
    ui.painter().rect_filled(Rect::from_min_max(rail.min, pos2(x, rail.bottom())), 2.0, t.accent.gamma_multiply(0.7));
    ui.painter().circle(pos2(x, rail.center().y), 6.0, t.accent, Stroke::new(2.0, t.panel));
    let mut target = None;
    if let Some(pointer) = response.interact_pointer_pos().filter(|_| response.dragged() || response.clicked()) {
        let part = ((pointer.x - rail.left()) / rail.width().max(1.0)).clamp(0.0, 1.0);
        target = Some((f64::from(part) * (rows - 1) as f64).round() as usize);
    }
    if response.has_focus() {
        ui.painter().rect_stroke(rect, 4.0, Stroke::new(1.0, t.accent), egui::StrokeKind::Inside);
        let filter = EventFilter { horizontal_arrows: true, ..EventFilter::default() };
        ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, filter));
        let (left, right) = ui.input(|input| (input.num_presses(Key::ArrowLeft), input.num_presses(Key::ArrowRight)));
        if left + right > 0 {
            target = Some((row + right).saturating_sub(left).min(rows - 1));
        }
    }
    if let Some(id) = target.filter(|target| *target != row).and_then(|target| cx.model.row_id(target)) {
        cx.push(Action::Select(id));
    }
}
