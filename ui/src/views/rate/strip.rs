//! The level of a page's bucket over time, painted: where djust refused, and where other limits would have.

use egui::{Color32, Pos2, Rect, RichText, Role, Sense, Shape, Stroke, Ui, WidgetInfo, pos2, vec2};
use inspector_model::{Limits, Played, Session, StepId};

use crate::app::action::{Action, Cx};
use crate::app::model::Page;
use crate::format;
use crate::theme::{self, Tokens};
use crate::views::tally::{Message, PageTally};
use crate::widgets::parts;

/// Height of the painted level, points.
const HEIGHT: f32 = 54.0;
/// Height of the marks above it, points.
const MARKS: f32 = 13.0;
/// Width of a column, points.
const COLUMN: f32 = 2.0;
/// Room for the scale at the right, points.
const SCALE: f32 = 28.0;

/// What is painted, kept while nothing changes.
#[derive(Default)]
pub struct Curve {
    key: Option<(usize, Limits, Option<Limits>, usize)>,
    /// The lowest level in each column, as a part of the burst; with other limits, theirs. Not a number where the page is closed.
    levels: Vec<f32>,
    /// Columns in which djust refused a message.
    refused: Vec<usize>,
    /// Columns in which other limits would have.
    would: Vec<usize>,
    lowest: Option<(f64, StepId)>,
    played: Option<Played>,
}

/// The time that a strip shows: from the first message to the last, and a little more.
fn window(messages: &[Message]) -> (f64, f64) {
    let first = messages.first().map_or(0.0, |message| message.at);
    let last = messages.last().map_or(first, |message| message.at);
    let margin = ((last - first) * 0.01).max(0.05);
    (first - margin, last + margin)
}

/// The column of a time.
fn column(at: f64, (from, to): (f64, f64), columns: usize) -> usize {
    let part = if to > from { (at - from) / (to - from) } else { 0.0 };
    ((part.clamp(0.0, 1.0) * columns as f64) as usize).min(columns.saturating_sub(1))
}

impl Curve {
    fn refresh(&mut self, page: &PageTally, real: Limits, other: Option<Limits>, columns: usize) {
        let key = (page.messages.len(), real, other, columns);
        if self.key == Some(key) {
            return;
        }
        let limits = other.unwrap_or(real);
        let span = window(&page.messages);
        let width = (span.1 - span.0) / columns.max(1) as f64;
        let mut levels = vec![1.0f32; columns];
        let mut would = Vec::new();
        let mut lowest: Option<(f64, StepId)> = None;
        // Between two messages the level rises in a line: the columns between get it from there.
        let mut from: Option<(usize, f64, f64)> = None;
        let fill = |levels: &mut [f32], from: Option<(usize, f64, f64)>, upto: usize| {
            let Some((place, at, tokens)) = from else { return };
            for between in place + 1..upto {
                let there = span.0 + between as f64 * width;
                let level = limits.burst.min(tokens + (there - at).max(0.0) * limits.rate) / limits.burst;
                if let Some(known) = levels.get_mut(between) {
                    *known = known.min(level as f32);
                }
            }
        };
        let played = limits.play(page.messages.iter().map(|message| message.at), |number, found, passes| {
            let Some(message) = page.messages.get(number) else { return };
            let place = column(message.at, span, columns);
            fill(&mut levels, from, place);
            let left = if passes { found - 1.0 } else { found };
            if let Some(level) = levels.get_mut(place) {
                *level = level.min((left / limits.burst) as f32);
            }
            if lowest.is_none_or(|(known, _)| left < known) {
                lowest = Some((left, message.step));
            }
            if !passes && other.is_some() {
                would.push(place);
            }
            from = Some((place, message.at, left));
        });
        match played.closed.and(from) {
            // A closed page has no level any more.
            Some((place, ..)) => levels.iter_mut().skip(place + 1).for_each(|level| *level = f32::NAN),
            None => fill(&mut levels, from, columns),
        }
        would.dedup();
        let mut refused: Vec<usize> =
            page.messages.iter().filter(|message| message.refused).map(|message| column(message.at, span, columns)).collect();
        refused.dedup();
        *self = Self { key: Some(key), levels, refused, would, lowest, played: Some(played) };
    }
}

/// Draws the strip of a page, with a line of words below it.
pub fn ui(curve: &mut Curve, cx: &mut Cx<'_>, ui: &mut Ui, session: &Session, page: &PageTally, real: Limits, other: Option<Limits>) {
    let t = cx.t;
    let width = ui.available_width();
    let (rect, response) = ui.allocate_exact_size(vec2(width, HEIGHT + MARKS + 4.0), Sense::click());
    let columns = ((width - SCALE) / COLUMN).max(1.0) as usize;
    curve.refresh(page, real, other, columns);
    let limits = other.unwrap_or(real);
    let refused = page.messages.iter().filter(|message| message.refused).count();
    let who = session.user_name();
    let name = format!(
        "Level over time of {who} {}: {}, {refused} refused, lowest {:.1} of {}",
        format::clip(session.path.as_deref().unwrap_or(""), 60),
        format::plural(page.messages.len() as u64, "message", "messages"),
        curve.lowest.map_or(limits.burst, |(lowest, _)| lowest),
        limits.burst
    );
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &name));
    if ui.is_rect_visible(rect) {
        paint(curve, t, ui, rect, limits.burst, response.has_focus());
    }
    let span = window(&page.messages);
    let pointed = response.hover_pos().map(|pos| span.0 + f64::from((pos.x - rect.left()) / (rect.width() - SCALE)) * (span.1 - span.0));
    if let Some(nearest) = pointed.and_then(|at| nearest(&page.messages, at)) {
        let level = curve.levels.get(column(pointed.unwrap_or_default(), span, columns)).copied().unwrap_or(1.0);
        let words = if nearest.refused { ", refused" } else { "" };
        let level =
            if level.is_nan() { "closed".to_owned() } else { format!("level {:.1} of {}", f64::from(level) * limits.burst, limits.burst) };
        let text = format!("{}  {level}\nnearest message: step {}{words}", format::clock(pointed.unwrap_or_default()), nearest.step);
        response.clone().on_hover_text_at_pointer(text);
    }
    if response.clicked() {
        // By the keyboard there is no place that is pointed at: the lowest level is what matters.
        let step = pointed.and_then(|at| nearest(&page.messages, at)).map(|message| message.step).or(curve.lowest.map(|(_, step)| step));
        if let Some(step) = step {
            cx.push(Action::Select(step));
            cx.push(Action::Show(Page::Steps));
        }
    }
    legend(curve, cx, ui, span, limits, other.is_some(), refused);
}

fn nearest(messages: &[Message], at: f64) -> Option<&Message> {
    let after = messages.partition_point(|message| message.at < at);
    let around = [after.checked_sub(1), Some(after)].into_iter().flatten().filter_map(|place| messages.get(place));
    around.min_by(|a, b| (a.at - at).abs().total_cmp(&(b.at - at).abs()))
}

fn legend(curve: &Curve, cx: &mut Cx<'_>, ui: &mut Ui, span: (f64, f64), limits: Limits, other: bool, refused: usize) {
    let t = cx.t;
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 12.0;
        let small = |text: String, ink: Color32| RichText::new(text).size(12.0).color(ink);
        ui.label(small(format!("{} for {}", format::clock(span.0), format::short_span(span.1 - span.0)), t.muted));
        if let Some((lowest, step)) = curve.lowest {
            ui.label(small(format!("lowest {lowest:.1} of {}", limits.burst), t.text));
            let link = ui.link(small(format!("step {step}"), t.accent));
            link.widget_info(|| WidgetInfo::labeled(Role::Link, true, format!("Lowest level: go to step {step}")));
            if link.clicked() {
                cx.push(Action::Select(step));
                cx.push(Action::Show(Page::Steps));
            }
        }
        if refused > 0 {
            sign(ui, t.removed, true);
            ui.label(small(format!("djust refused {refused}"), t.text));
        }
        if let Some(played) = curve.played.filter(|played| other && played.refused > 0) {
            sign(ui, t.moved, false);
            ui.label(small(format!("would have been refused {}", played.refused), t.text));
        }
    });
}

/// The mark that stands above a refused message: full for what happened, open for what would have.
fn sign(ui: &mut Ui, color: Color32, full: bool) {
    let (rect, _) = ui.allocate_exact_size(vec2(10.0, 10.0), Sense::hover());
    mark(ui.painter(), rect.center(), color, full);
}

fn mark(painter: &egui::Painter, center: Pos2, color: Color32, full: bool) {
    let points = vec![center + vec2(-4.0, -3.0), center + vec2(4.0, -3.0), center + vec2(0.0, 4.0)];
    let (fill, stroke) = if full { (color, Stroke::NONE) } else { (Color32::TRANSPARENT, Stroke::new(1.2, color)) };
    painter.add(Shape::convex_polygon(points, fill, stroke));
}

fn paint(curve: &Curve, t: &Tokens, ui: &Ui, rect: Rect, burst: f64, focused: bool) {
    let painter = ui.painter_at(rect);
    let body = Rect::from_min_max(pos2(rect.left(), rect.top() + MARKS), pos2(rect.right() - SCALE, rect.bottom()));
    painter.rect_filled(body, 4.0, t.panel);
    let y = |level: f32| body.bottom() - level.clamp(0.0, 1.0) * body.height();
    let x = |column: usize| body.left() + column as f32 * COLUMN;
    for part in [0.5, 1.0] {
        painter.hline(body.x_range(), y(part), Stroke::new(1.0, t.line));
    }
    for (number, level) in curve.levels.iter().enumerate().filter(|(_, level)| !level.is_nan()) {
        let color = parts::left_color(t, f64::from(*level), t.lane_server);
        let bar = Rect::from_min_max(pos2(x(number), y(*level)), pos2(x(number) + COLUMN, body.bottom()));
        painter.rect_filled(bar, 0.0, color.gamma_multiply(0.2));
        let edge = Rect::from_min_size(bar.min, vec2(COLUMN, 1.5));
        painter.rect_filled(edge, 0.0, color);
    }
    for (columns, color, full) in [(&curve.would, t.moved, false), (&curve.refused, t.removed, true)] {
        let mut last = f32::NEG_INFINITY;
        for column in columns {
            let place = x(*column) + COLUMN * 0.5;
            painter.vline(place, body.y_range(), Stroke::new(1.0, color.gamma_multiply(0.7)));
            // Where many were refused, signs that still can be told apart stand for all.
            if place - last >= 9.0 {
                last = place;
                mark(&painter, pos2(place.clamp(rect.left() + 4.0, rect.right() - 4.0), rect.top() + MARKS * 0.5), color, full);
            }
        }
    }
    for (part, text) in [(1.0, burst), (0.5, burst * 0.5)] {
        let at = pos2(body.right() + 5.0, y(part));
        painter.text(at, egui::Align2::LEFT_CENTER, format!("{text}"), theme::text(10.5), t.muted);
    }
    if focused {
        painter.rect_stroke(rect, 4.0, Stroke::new(1.0, t.accent), egui::StrokeKind::Inside);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(messages: &[(f64, bool)]) -> PageTally {
        let messages = messages.iter().zip(1..).map(|((at, refused), step)| Message { at: *at, step: StepId(step), refused: *refused });
        PageTally { messages: messages.collect(), closed: None }
    }

    #[test]
    fn the_level_falls_with_each_message_and_rises_between() {
        let mut curve = Curve::default();
        let limits = Limits { rate: 1.0, burst: 4.0, max_warnings: 3 };
        curve.refresh(&page(&[(0.0, false), (0.0, false), (10.0, false)]), limits, None, 104);
        assert_eq!(curve.levels.len(), 104);
        let low = curve.levels.iter().position(|level| (*level - 0.5).abs() < 1e-6).unwrap();
        assert_eq!(low, 1, "two of four tokens were taken where the messages are");
        assert!(curve.levels[2..90].is_sorted(), "it only rises until the next message");
        assert!(curve.levels[60] > 0.999, "it is full again");
        assert_eq!(curve.lowest, Some((2.0, StepId(2))));
    }

    #[test]
    fn refusals_that_happened_and_that_would_have_are_kept_apart() {
        let mut curve = Curve::default();
        let page = page(&[(0.0, false), (0.0, false), (5.0, true), (10.0, false)]);
        let real = Limits { rate: 1.0, burst: 4.0, max_warnings: 3 };
        curve.refresh(&page, real, None, 100);
        assert_eq!((curve.refused.len(), curve.would.len()), (1, 0));
        curve.refresh(&page, real, Some(Limits { burst: 1.0, ..real }), 100);
        assert_eq!((curve.refused.len(), curve.would.as_slice()), (1, [0].as_slice()));
    }

    #[test]
    fn a_page_has_no_level_after_it_was_closed() {
        let mut curve = Curve::default();
        let limits = Limits { rate: 1.0, burst: 1.0, max_warnings: 1 };
        curve.refresh(&page(&[(0.0, false), (5.0, false), (5.0, true), (10.0, true)]), limits, None, 100);
        let closed = curve.levels.iter().position(|level| level.is_nan()).unwrap();
        assert_eq!(closed, 51, "the column after the message that closes it");
        assert!(curve.levels[closed..].iter().all(|level| level.is_nan()));
    }

    #[test]
    fn one_message_and_times_that_stand_still_have_a_place() {
        let mut curve = Curve::default();
        for columns in [1, 7] {
            curve.refresh(&page(&[(3.0, false)]), Limits::DEFAULT, None, columns);
            assert_eq!(curve.levels.len(), columns);
            assert!(curve.levels.iter().any(|level| *level < 1.0));
        }
    }
}
