//! The history of a value, in a line's height or a panel's: numbers as a line, other values as marks where they changed, and
//! where the selected step stands.

use egui::{Color32, Rect, Response, Role, Sense, Stroke, Ui, WidgetInfo, pos2};
use inspector_model::{PathHistory, StepId, parse_value};

use crate::theme::Tokens;

/// Between two marks that are drawn apart, points.
const LEAST: f32 = 2.0;

/// The values that are numbers, in order.
pub fn numbers(history: &PathHistory) -> Vec<(StepId, f64)> {
    let number = |value: &str| parse_value(value).ok()?.as_number();
    history.values.iter().filter_map(|(step, value)| Some((*step, number(&value.as_ref()?.json)?))).collect()
}

/// What is drawn.
pub struct Trace<'a> {
    history: &'a PathHistory,
    numbers: Vec<(StepId, f64)>,
    first: StepId,
    last: StepId,
}

impl<'a> Trace<'a> {
    /// The changes from one step to another, between which the selection is marked.
    pub fn new(history: &'a PathHistory, first: StepId, last: StepId) -> Self {
        let numbers = numbers(history);
        // One number makes no line.
        let numbers = if numbers.len() < 2 { Vec::new() } else { numbers };
        Self { history, numbers, first, last }
    }

    /// The least and the greatest number, if it is a line of numbers.
    pub fn bounds(&self) -> Option<(f64, f64)> {
        let values = self.numbers.iter().map(|(_, value)| *value);
        values.fold(None, |bounds, value| {
            Some(bounds.map_or((value, value), |(least, most): (f64, f64)| (least.min(value), most.max(value))))
        })
    }

    /// In words: `12 changes, 10.5 to 42`.
    pub fn words(&self) -> String {
        let changes = crate::format::plural(self.history.count, "change", "changes");
        match self.bounds() {
            Some((least, most)) => format!("{changes}, {least} to {most}"),
            None => changes,
        }
    }

    /// Draws it into `rect`. Returns the step of the change that was clicked.
    pub fn ui(&self, ui: &mut Ui, rect: Rect, t: &Tokens, selected: Option<StepId>, name: &str) -> (Response, Option<StepId>) {
        let response = ui.interact(rect, ui.scope_id().with(("trace", name)), Sense::click());
        response.widget_info(|| WidgetInfo::labeled(Role::Canvas, true, format!("{name}: {}", self.words())));
        let painter = ui.painter_at(rect);
        let field = rect.shrink2(egui::vec2(4.0, 3.0));
        painter.rect_filled(rect, 3.0, t.raised);
        if self.numbers.is_empty() {
            self.marks(&painter, field, t.accent);
        } else {
            self.line(&painter, field, t.accent);
        }
        if let Some(selected) = selected.filter(|step| (self.first..=self.last).contains(step)) {
            let x = self.x(field, selected);
            painter.vline(x, rect.y_range(), Stroke::new(1.0, t.strong));
            let at = self.numbers.partition_point(|(step, _)| *step <= selected);
            let y = at.checked_sub(1).map(|at| self.y(field, self.numbers[at].1));
            painter.circle(pos2(x, y.unwrap_or_else(|| field.center().y)), 2.5, t.strong, Stroke::new(1.0, t.raised));
        }
        if response.has_focus() {
            ui.painter().rect_stroke(rect, 3.0, Stroke::new(1.0, t.accent), egui::StrokeKind::Inside);
        }
        let pointer = response.interact_pointer_pos().filter(|_| response.clicked());
        let clicked = pointer.and_then(|pointer| self.nearest(field, pointer.x));
        (response, clicked)
    }

    fn x(&self, field: Rect, step: StepId) -> f32 {
        let whole = (self.last.0.saturating_sub(self.first.0)).max(1) as f64;
        field.left() + field.width() * (step.0.saturating_sub(self.first.0) as f64 / whole).min(1.0) as f32
    }

    fn y(&self, field: Rect, value: f64) -> f32 {
        match self.bounds() {
            Some((least, most)) if most > least => field.bottom() - field.height() * ((value - least) / (most - least)) as f32,
            _ => field.center().y,
        }
    }

    /// A value stays until it changes: steps, not slopes.
    fn line(&self, painter: &egui::Painter, field: Rect, color: Color32) {
        let stroke = Stroke::new(1.5, color);
        let mut points = Vec::with_capacity(self.numbers.len() * 2 + 1);
        for (step, value) in &self.numbers {
            let at = pos2(self.x(field, *step), self.y(field, *value));
            if let Some(before) = points.last().copied() {
                let before: egui::Pos2 = before;
                points.push(pos2(at.x, before.y));
            }
            points.push(at);
        }
        if let Some(end) = points.last().copied() {
            points.push(pos2(field.right(), end.y));
        }
        painter.line(points, stroke);
    }

    /// One for each change, as far as they can be told apart.
    fn marks(&self, painter: &egui::Painter, field: Rect, color: Color32) {
        let middle = field.center().y;
        painter.hline(field.x_range(), middle, Stroke::new(1.0, color.gamma_multiply(0.35)));
        let steps = &self.history.steps;
        let mut at = 0;
        while let Some(step) = steps.get(at) {
            let x = self.x(field, *step);
            painter.vline(x, field.y_range(), Stroke::new(1.5, color));
            at += steps[at..].partition_point(|step| self.x(field, *step) < x + LEAST).max(1);
        }
    }

    fn nearest(&self, field: Rect, x: f32) -> Option<StepId> {
        let steps = &self.history.steps;
        let after = steps.partition_point(|step| self.x(field, *step) < x);
        let near = steps.get(after.saturating_sub(1)..(after + 1).min(steps.len()))?;
        let distance = |step: &StepId| (self.x(field, *step) - x).abs();
        near.iter().copied().min_by(|a, b| distance(a).total_cmp(&distance(b)))
    }
}
