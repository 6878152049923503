//! Marks and icons, painted as shapes: crisp at every scale, and there whatever fonts are installed.

use egui::{Color32, Painter, Pos2, Rect, Response, Role, Sense, Shape, Stroke, Ui, Vec2, WidgetInfo, pos2, vec2};
use inspector_model::StepKind;

use crate::theme;

/// A painted sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Icon {
    /// The mark of a kind of step.
    Kind(StepKind),
    /// Transport.
    Play,
    /// Transport.
    Pause,
    /// Transport.
    First,
    /// Transport.
    Last,
    /// Transport.
    Previous,
    /// Transport.
    Next,
    /// Newest.
    Follow,
    /// Away with it.
    Cross,
    /// Magnifier.
    Search,
    /// Dark theme.
    Moon,
    /// Light theme.
    Sun,
    /// System theme.
    Screen,
    /// Whole.
    Fit,
    /// Triangle with a point.
    Warning,
    /// Circle with an i.
    Info,
    /// Full dot.
    Dot,
    /// Ring.
    Ring,
    /// Open triangle.
    Right,
    /// Open triangle.
    Down,
    /// Two sheets.
    Copy,
    /// Toothed wheel.
    Gear,
    /// Three dots: more can be done here.
    More,
    /// A ribbon.
    Bookmark,
    /// The same, empty.
    BookmarkEmpty,
    /// The product's mark.
    Logo,
    /// Two arrows.
    Swap,
    /// A window of parts.
    Panes,
    /// Magnifier with a plus.
    Zoom,
    /// Filter.
    Funnel,
    /// A line that parts.
    Fork,
    /// What is kept.
    Star,
    /// Another name.
    Pencil,
    /// Beside each other.
    Columns,
    /// Messages.
    Bell,
    /// Question mark.
    Help,
}

/// Paints an icon into the square of `rect`.
pub fn paint(painter: &Painter, rect: Rect, icon: Icon, color: Color32) {
    let center = rect.center();
    let unit = rect.width().min(rect.height()) / 16.0;
    let at = |x: f32, y: f32| center + vec2((x - 8.0) * unit, (y - 8.0) * unit);
    let stroke = Stroke::new((1.6 * unit).max(1.0), color);
    let poly = |points: &[(f32, f32)]| {
        painter.add(Shape::convex_polygon(points.iter().map(|(x, y)| at(*x, *y)).collect(), color, Stroke::NONE));
    };
    let line = |points: &[(f32, f32)]| {
        painter.add(Shape::line(points.iter().map(|(x, y)| at(*x, *y)).collect(), stroke));
    };
    match icon {
        Icon::Kind(kind) => paint_kind(painter, rect, kind, color),
        Icon::Play => poly(&[(4.5, 2.5), (13.5, 8.0), (4.5, 13.5)]),
        Icon::Pause => {
            poly(&[(4.0, 3.0), (6.8, 3.0), (6.8, 13.0), (4.0, 13.0)]);
            poly(&[(9.2, 3.0), (12.0, 3.0), (12.0, 13.0), (9.2, 13.0)]);
        }
        Icon::First | Icon::Last => {
            let flip = |x: f32| if icon == Icon::First { x } else { 16.0 - x };
            poly(&[(flip(3.0), 3.5), (flip(4.8), 3.5), (flip(4.8), 12.5), (flip(3.0), 12.5)]);
            poly(&[(flip(13.0), 3.5), (flip(6.0), 8.0), (flip(13.0), 12.5)]);
        }
        Icon::Previous => poly(&[(11.5, 3.0), (4.5, 8.0), (11.5, 13.0)]),
        Icon::Next => poly(&[(4.5, 3.0), (11.5, 8.0), (4.5, 13.0)]),
        Icon::Follow => {
            line(&[(2.5, 8.0), (10.0, 8.0)]);
            line(&[(6.8, 4.5), (10.4, 8.0), (6.8, 11.5)]);
            line(&[(13.2, 3.5), (13.2, 12.5)]);
        }
        Icon::Cross => {
            line(&[(4.0, 4.0), (12.0, 12.0)]);
            line(&[(12.0, 4.0), (4.0, 12.0)]);
        }
        Icon::Search => {
            painter.circle_stroke(at(7.0, 7.0), 4.2 * unit, stroke);
            line(&[(10.2, 10.2), (13.8, 13.8)]);
        }
        Icon::Sun => {
            painter.circle_filled(center, 3.0 * unit, color);
            for turn in 0..8_u8 {
                let direction = Vec2::angled(f32::from(turn) * std::f32::consts::FRAC_PI_4) * unit;
                painter.line_segment([center + direction * 4.6, center + direction * 6.4], stroke);
            }
        }
        Icon::Moon => {
            // A disc, cut by an arc: outer arc there, inner arc back.
            let outer = arc(center, 5.6 * unit, 0.9, 5.4);
            painter.add(Shape::line(outer, stroke));
            painter.add(Shape::line(arc(center + vec2(4.0, -3.4) * unit, 5.4 * unit, 1.55, 3.75), stroke));
        }
        Icon::Screen => {
            painter.rect_stroke(Rect::from_min_max(at(2.5, 3.0), at(13.5, 10.8)), 1.0, stroke, egui::StrokeKind::Middle);
            line(&[(5.5, 13.4), (10.5, 13.4)]);
        }
        Icon::Fit => {
            line(&[(2.5, 4.0), (2.5, 12.0)]);
            line(&[(13.5, 4.0), (13.5, 12.0)]);
            line(&[(4.5, 8.0), (11.5, 8.0)]);
            line(&[(6.4, 6.0), (4.5, 8.0), (6.4, 10.0)]);
            line(&[(9.6, 6.0), (11.5, 8.0), (9.6, 10.0)]);
        }
        Icon::Warning => {
            painter.add(Shape::closed_line(vec![at(8.0, 2.2), at(14.4, 13.4), at(1.6, 13.4)], stroke));
            line(&[(8.0, 6.2), (8.0, 9.4)]);
            painter.circle_filled(at(8.0, 11.4), 0.9 * unit, color);
        }
        Icon::Info => {
            painter.circle_stroke(center, 5.8 * unit, stroke);
            line(&[(8.0, 7.4), (8.0, 11.2)]);
            painter.circle_filled(at(8.0, 4.9), 1.0 * unit, color);
        }
        Icon::Dot => {
            painter.circle_filled(center, 3.6 * unit, color);
        }
        Icon::Ring => {
            painter.circle_stroke(center, 3.6 * unit, stroke);
        }
        Icon::Right => line(&[(6.0, 4.2), (10.0, 8.0), (6.0, 11.8)]),
        Icon::Down => line(&[(4.2, 6.0), (8.0, 10.0), (11.8, 6.0)]),
        Icon::Copy => {
            painter.rect_stroke(Rect::from_min_max(at(5.5, 5.5), at(13.0, 13.0)), 1.0, stroke, egui::StrokeKind::Middle);
            line(&[(3.0, 10.5), (3.0, 3.0), (10.5, 3.0)]);
        }
        Icon::Gear => {
            painter.circle_stroke(center, 3.4 * unit, stroke);
            for turn in 0..8_u8 {
                let direction = Vec2::angled(f32::from(turn) * std::f32::consts::FRAC_PI_4) * unit;
                painter.line_segment([center + direction * 4.2, center + direction * 6.2], Stroke::new((2.4 * unit).max(1.2), color));
            }
        }
        Icon::More => {
            for x in [3.6, 8.0, 12.4] {
                painter.circle_filled(at(x, 8.0), 1.3 * unit, color);
            }
        }
        Icon::Bookmark => {
            // Not convex: two halves.
            poly(&[(4.4, 2.4), (8.0, 2.4), (8.0, 10.2), (4.4, 13.6)]);
            poly(&[(8.0, 2.4), (11.6, 2.4), (11.6, 13.6), (8.0, 10.2)]);
        }
        Icon::BookmarkEmpty => line(&[(4.4, 13.6), (4.4, 2.4), (11.6, 2.4), (11.6, 13.6), (8.0, 10.2), (4.4, 13.6)]),
        Icon::Logo => {
            line(&[(3.0, 5.5), (10.0, 5.5)]);
            let mut back = arc(at(10.0, 8.0), 2.6 * unit, -std::f32::consts::FRAC_PI_2, std::f32::consts::FRAC_PI_2);
            back.push(at(5.0, 10.6));
            painter.add(Shape::line(back, stroke));
            line(&[(6.8, 8.4), (4.4, 10.6), (6.8, 12.8)]);
            painter.circle_filled(at(9.6, 5.5), 2.2 * unit, color);
        }
        Icon::Zoom => {
            painter.circle_stroke(at(7.0, 7.0), 4.6 * unit, stroke);
            line(&[(10.4, 10.4), (14.0, 14.0)]);
            line(&[(5.0, 7.0), (9.0, 7.0)]);
            line(&[(7.0, 5.0), (7.0, 9.0)]);
        }
        Icon::Funnel => line(&[(2.5, 3.0), (13.5, 3.0), (9.4, 8.2), (9.4, 13.2), (6.6, 11.6), (6.6, 8.2), (2.5, 3.0)]),
        Icon::Fork => {
            line(&[(2.5, 4.5), (13.5, 4.5)]);
            line(&[(5.0, 4.5), (8.0, 11.5), (13.5, 11.5)]);
            painter.circle_filled(at(5.0, 4.5), 1.8 * unit, color);
        }
        Icon::Panes => {
            painter.rect_stroke(Rect::from_min_max(at(2.0, 2.8), at(14.0, 13.2)), 1.5, stroke, egui::StrokeKind::Middle);
            line(&[(6.0, 2.8), (6.0, 13.2)]);
            line(&[(6.0, 8.0), (14.0, 8.0)]);
        }
        Icon::Star => {
            let points = (0..10_u8).map(|nth| {
                let radius = if nth.is_multiple_of(2) { 6.2 } else { 2.7 } * unit;
                center + Vec2::angled(f32::from(nth) * std::f32::consts::TAU / 10.0 - std::f32::consts::FRAC_PI_2) * radius
            });
            painter.add(Shape::closed_line(points.collect(), stroke));
        }
        Icon::Pencil => {
            line(&[(3.0, 13.0), (3.6, 10.0), (10.8, 2.8), (13.2, 5.2), (6.0, 12.4), (3.0, 13.0)]);
            line(&[(9.0, 4.6), (11.4, 7.0)]);
        }
        Icon::Columns => {
            painter.rect_stroke(Rect::from_min_max(at(2.5, 3.0), at(13.5, 13.0)), 1.5, stroke, egui::StrokeKind::Middle);
            line(&[(6.2, 3.0), (6.2, 13.0)]);
            line(&[(9.8, 3.0), (9.8, 13.0)]);
        }
        Icon::Bell => {
            let mut shape = vec![at(3.2, 11.6), at(4.4, 9.8)];
            shape.extend(arc(at(8.0, 6.6), 3.6 * unit, std::f32::consts::PI, std::f32::consts::TAU));
            shape.extend([at(11.6, 9.8), at(12.8, 11.6), at(3.2, 11.6)]);
            painter.add(Shape::line(shape, stroke));
            line(&[(6.8, 13.6), (9.2, 13.6)]);
        }
        Icon::Help => {
            let mut shape = arc(at(8.0, 6.0), 3.0 * unit, std::f32::consts::PI, std::f32::consts::TAU + 0.9);
            shape.push(at(8.0, 10.4));
            painter.add(Shape::line(shape, stroke));
            painter.circle_filled(at(8.0, 13.0), 1.0 * unit, color);
        }
        Icon::Swap => {
            line(&[(2.5, 5.5), (13.0, 5.5)]);
            line(&[(10.0, 2.5), (13.0, 5.5), (10.0, 8.5)]);
            line(&[(13.5, 10.5), (3.0, 10.5)]);
            line(&[(6.0, 7.5), (3.0, 10.5), (6.0, 13.5)]);
        }
    }
}

fn arc(center: Pos2, radius: f32, from: f32, to: f32) -> Vec<Pos2> {
    (0..=12_u8).map(|part| center + Vec2::angled(from + (to - from) * f32::from(part) / 12.0) * radius).collect()
}

/// Each kind has a shape of its own, so that colour is never the only sign.
fn paint_kind(painter: &Painter, rect: Rect, kind: StepKind, color: Color32) {
    let center = rect.center();
    let unit = rect.width().min(rect.height()) / 16.0;
    let at = |x: f32, y: f32| center + vec2((x - 8.0) * unit, (y - 8.0) * unit);
    let stroke = Stroke::new((1.6 * unit).max(1.0), color);
    let line = |points: &[(f32, f32)]| {
        painter.add(Shape::line(points.iter().map(|(x, y)| at(*x, *y)).collect(), stroke));
    };
    let fill = |points: &[(f32, f32)]| {
        painter.add(Shape::convex_polygon(points.iter().map(|(x, y)| at(*x, *y)).collect(), color, Stroke::NONE));
    };
    match kind {
        StepKind::Mount => {
            painter.rect_stroke(Rect::from_min_max(at(3.5, 3.5), at(12.5, 12.5)), 1.5, stroke, egui::StrokeKind::Middle);
            painter.rect_filled(Rect::from_min_max(at(6.0, 6.0), at(10.0, 10.0)), 0.5, color);
        }
        StepKind::Event => {
            fill(&[(9.4, 1.8), (3.6, 9.2), (7.8, 9.2)]);
            fill(&[(6.6, 14.2), (12.4, 6.8), (8.2, 6.8)]);
            fill(&[(3.6, 9.2), (8.2, 6.8), (12.4, 6.8), (7.8, 9.2)]);
        }
        StepKind::Message => {
            line(&[(2.6, 4.0), (13.4, 4.0), (13.4, 12.0), (2.6, 12.0), (2.6, 4.0)]);
            line(&[(2.8, 4.2), (8.0, 8.8), (13.2, 4.2)]);
        }
        StepKind::Tick => {
            painter.circle_stroke(center, 5.4 * unit, stroke);
            line(&[(8.0, 4.8), (8.0, 8.0), (10.4, 9.4)]);
        }
        StepKind::Push => {
            line(&[(8.0, 2.6), (8.0, 10.4)]);
            line(&[(4.6, 7.2), (8.0, 10.6), (11.4, 7.2)]);
            line(&[(3.6, 13.4), (12.4, 13.4)]);
        }
        StepKind::Async => {
            painter.add(Shape::line(arc(center, 5.2 * unit, 0.5, 5.2), stroke));
            painter.circle_filled(center, 2.0 * unit, color);
        }
        StepKind::UrlChange => {
            line(&[(9.8, 2.6), (6.2, 13.4)]);
            line(&[(3.0, 8.0), (4.6, 8.0)]);
            line(&[(11.4, 8.0), (13.0, 8.0)]);
        }
        StepKind::Outside => {
            painter.extend(Shape::dashed_line(&arc(center, 5.0 * unit, 0.0, std::f32::consts::TAU), stroke, 2.4 * unit, 2.0 * unit));
        }
        StepKind::Jump => {
            let mut points = vec![at(3.4, 9.0)];
            points.extend(arc(at(8.0, 9.0), 4.6 * unit, std::f32::consts::PI, std::f32::consts::TAU));
            painter.add(Shape::line(points, stroke));
            line(&[(1.4, 6.4), (3.4, 9.2), (6.2, 7.2)]);
            painter.circle_filled(at(12.6, 11.6), 1.4 * unit, color);
        }
        StepKind::Replay => {
            painter.add(Shape::line(arc(center, 5.0 * unit, -0.6, 4.4), stroke));
            fill(&[(4.2, 1.6), (8.0, 3.4), (4.8, 6.0)]);
        }
        StepKind::Reload => {
            line(&[(4.0, 2.4), (9.6, 2.4), (12.2, 5.2), (12.2, 13.6), (4.0, 13.6), (4.0, 2.4)]);
            line(&[(6.2, 8.0), (10.0, 8.0)]);
            line(&[(6.2, 10.8), (10.0, 10.8)]);
        }
        StepKind::HotReload => painter_diamond(painter, rect, color, false),
        StepKind::Hvr => painter_diamond(painter, rect, color, true),
        StepKind::RateLimited => {
            fill(&[(8.0, 2.4), (14.2, 13.2), (1.8, 13.2)]);
        }
        StepKind::Error => {
            let thick = Stroke::new((2.4 * unit).max(1.4), color);
            painter.line_segment([at(3.8, 3.8), at(12.2, 12.2)], thick);
            painter.line_segment([at(12.2, 3.8), at(3.8, 12.2)], thick);
        }
        StepKind::Gap => {
            line(&[(6.4, 2.4), (4.4, 6.0), (7.4, 9.6), (5.4, 13.6)]);
            line(&[(11.0, 2.4), (9.0, 6.0), (12.0, 9.6), (10.0, 13.6)]);
        }
        StepKind::Close => {
            painter.rect_filled(Rect::from_min_max(at(4.4, 4.4), at(11.6, 11.6)), 1.0, color);
        }
    }
}

fn painter_diamond(painter: &Painter, rect: Rect, color: Color32, full: bool) {
    let center = rect.center();
    let half = rect.width().min(rect.height()) * 0.38;
    let points = vec![center - vec2(0.0, half), center + vec2(half, 0.0), center + vec2(0.0, half), center - vec2(half, 0.0)];
    let stroke = Stroke::new((half * 0.3).max(1.0), color);
    painter.add(if full { Shape::convex_polygon(points, color, Stroke::NONE) } else { Shape::closed_line(points, stroke) });
}

/// An icon in the flow, without interaction.
pub fn show(ui: &mut Ui, icon: Icon, size: f32, color: Color32) -> Response {
    let height = ui.spacing().interact_size.y.min(ui.available_height().max(size));
    let (rect, response) = ui.allocate_exact_size(vec2(size, height.max(size)), Sense::hover());
    paint(ui.painter(), Rect::from_center_size(rect.center(), Vec2::splat(size)), icon, color);
    response
}

/// A button that is only an icon. `label` is its accessible name and its tooltip.
pub fn button(ui: &mut Ui, icon: Icon, label: &str, enabled: bool) -> Response {
    toggle(ui, icon, label, enabled, false)
}

/// An icon button that can be on.
pub fn toggle(ui: &mut Ui, icon: Icon, label: &str, enabled: bool, on: bool) -> Response {
    let t = theme::tokens(ui);
    let sense = if enabled { Sense::click() } else { Sense::hover() };
    let (rect, response) = ui.allocate_exact_size(vec2(26.0, 24.0), sense);
    response.widget_info(|| WidgetInfo::selected(Role::Button, enabled, on, label));
    if ui.is_rect_visible(rect) {
        let fill = if on {
            t.selected
        } else if response.hovered() && enabled {
            t.hover
        } else {
            Color32::TRANSPARENT
        };
        ui.painter().rect_filled(rect, theme::CORNER, fill);
        if response.has_focus() {
            ui.painter().rect_stroke(rect, theme::CORNER, Stroke::new(1.0, t.accent), egui::StrokeKind::Inside);
        }
        let color = match (enabled, on, response.hovered()) {
            (false, ..) => t.faint,
            (true, true, _) => t.accent,
            (true, false, true) => t.strong,
            (true, false, false) => t.text,
        };
        paint(ui.painter(), Rect::from_center_size(pos2(rect.center().x, rect.center().y), Vec2::splat(14.0)), icon, color);
    }
    response
}
