//! A range of time, brushed with Shift and the pointer or by keyboard, and what can be done with it.

use egui::{Painter, Rect, Response, Role, Sense, Stroke, StrokeKind, Ui, Vec2, WidgetInfo, pos2, vec2};

use super::super::timemap::TimeMap;
use super::{AXIS, Field};
use crate::app::action::{Action, Cx};
use crate::app::model::Model;
use crate::commands::UiCommand;
use crate::format;
use crate::theme::{self, Tokens};
use crate::widgets::icons::{self, Icon};
use crate::widgets::parts;

/// Where the range was begun.
#[derive(Default)]
pub struct Brush {
    /// By the pointer, as long as it is held.
    held: Option<f64>,
    /// By the keyboard, and the range that came of it.
    anchor: Option<(f64, (f64, f64))>,
}

impl Brush {
    /// Whether the pointer is making a range.
    pub const fn is_held(&self) -> bool {
        self.held.is_some()
    }

    /// Makes a range of what the pointer does.
    pub fn drag(&mut self, cx: &mut Cx<'_>, ui: &Ui, response: &Response, map: TimeMap) {
        let time = |x: f32| map.time(x.clamp(map.left, map.right));
        if response.drag_started() && ui.input(|input| input.modifiers.shift) {
            self.held = ui.input(|input| input.pointer.press_origin()).map(|origin| time(origin.x));
        }
        if let Some((anchor, pointer)) = self.held.zip(response.interact_pointer_pos()) {
            let here = time(pointer.x);
            cx.push(Action::Brush(Some((anchor.min(here), anchor.max(here)))));
        }
        if !response.dragged() {
            self.held = None;
        }
    }

    /// Stretches the range from where the keyboard began it to a step.
    pub fn stretch(&mut self, cx: &mut Cx<'_>, here: f64, to: f64) {
        let anchor = self.anchor.filter(|(_, range)| cx.model.brush == Some(*range)).map_or(here, |(anchor, _)| anchor);
        let range = (anchor.min(to), anchor.max(to));
        self.anchor = Some((anchor, range));
        cx.push(Action::Brush(Some(range)));
    }
}

/// The length of the range, and how many steps are in it.
pub fn words(model: &Model) -> Option<String> {
    let ((from, to), rows) = model.brush.zip(model.brushed_rows())?;
    Some(format!("{}, {}", format::short_span(to - from), format::plural(rows.len() as u64, "step", "steps")))
}

/// The range across all lanes.
pub fn paint(model: &Model, map: TimeMap, painter: &Painter, field: Field, t: &Tokens) {
    let Some((from, to)) = model.brush else { return };
    let (left, right) = (map.x(from).max(field.rect.left()), map.x(to).min(field.rect.right()));
    if left > right {
        return;
    }
    let lanes = Rect::from_min_max(pos2(left, field.rect.top()), pos2(right, field.rect.bottom() - AXIS));
    painter.rect_filled(lanes, 0.0, t.accent.gamma_multiply(0.14));
    for x in [left, right] {
        painter.vline(x, lanes.y_range(), Stroke::new(1.5, t.accent.gamma_multiply(0.8)));
    }
}

/// Below the range, on the axis: how much it is, and what can be done with it.
pub fn tools(cx: &mut Cx<'_>, ui: &Ui, map: TimeMap, field: Field) {
    const BUTTON: f32 = 20.0;
    let Some(words) = words(cx.model) else { return };
    let Some((from, to)) = cx.model.brush else { return };
    let t = cx.t;
    let galley = ui.painter().layout_no_wrap(words.clone(), theme::text(11.5), t.strong);
    let commands = [(UiCommand::ZoomToRange, Icon::Zoom), (UiCommand::FilterToRange, Icon::Funnel), (UiCommand::ClearRange, Icon::Cross)];
    let size = vec2(galley.size().x + 14.0 + BUTTON * commands.len() as f32, AXIS);
    let middle = (map.x(from).max(field.rect.left()) + map.x(to).min(field.rect.right())) * 0.5;
    let left = (middle - size.x * 0.5).min(field.rect.right() - size.x).max(field.rect.left());
    let place = Rect::from_min_size(pos2(left, field.rect.bottom() - AXIS), size);
    // What lies below is not to be pressed through it.
    let whole = ui.interact(place, ui.scope_id().with("range"), Sense::hover());
    whole.widget_info(|| WidgetInfo::labeled(Role::Label, true, format!("Range of {words}")));
    ui.painter().rect(place, 4.0, t.raised, Stroke::new(1.0, t.accent.gamma_multiply(0.6)), StrokeKind::Inside);
    ui.painter().galley(pos2(place.left() + 7.0, place.center().y - galley.size().y * 0.5), galley, t.strong);
    for (nth, (command, icon)) in commands.into_iter().rev().enumerate() {
        let button = Rect::from_min_size(pos2(place.right() - 3.0 - BUTTON * (nth as f32 + 1.0), place.top()), vec2(BUTTON, AXIS));
        let response = ui.interact(button, ui.scope_id().with(("range", command)), Sense::click());
        response.widget_info(|| WidgetInfo::labeled(Role::Button, true, command.text()));
        let ink = if response.hovered() { t.strong } else { t.text };
        if response.hovered() {
            ui.painter().rect_filled(button.shrink(1.0), 4.0, t.hover);
        }
        if response.has_focus() {
            ui.painter().rect_stroke(button.shrink(1.0), 4.0, Stroke::new(1.0, t.accent), StrokeKind::Inside);
        }
        icons::paint(ui.painter(), Rect::from_center_size(button.center(), Vec2::splat(12.0)), icon, ink);
        if response.clicked() {
            cx.run(command);
        }
        response.on_hover_text(format!("{} — {}", command.text(), parts::command_tip(ui, command)));
    }
}
