//! The aligned steps: left, what became of the pair, right. Where one side has nothing there is a gap.

use egui::text::LayoutJob;
use egui::{Color32, Rect, Role, Sense, Stroke, Ui, WidgetInfo};
use inspector_model::{CompareRow, PairStates, Status, Step, Timeline};

use crate::app::action::{Action, Cx};
use crate::app::compare::{CompareWish, Hand, Mark};
use crate::format;
use crate::theme::{self, Tokens};
use crate::widgets::icons::{self, Icon};
use crate::widgets::long_list::LongList;
use crate::widgets::{parts, rich};

/// Width of the column between both sides.
const MIDDLE: f32 = 132.0;

/// Draws the rows.
pub fn ui(list: &mut LongList, cx: &mut Cx<'_>, ui: &mut Ui) {
    let t = cx.t;
    let model = cx.model;
    let compare = &model.compare;
    let timelines = Hand::BOTH.map(|hand| model.timeline_of(compare.chosen(hand)?.0));
    let begun = Hand::BOTH.map(|hand| begin(timelines[hand as usize], cx, hand));
    // Names stand below each other.
    let digits =
        timelines.map(|timeline| timeline.and_then(|timeline| timeline.steps().last()).map_or(1, |last| last.id.to_string().len()));
    let mut clicked = None;
    list.ui(ui, compare.rows().len(), theme::ROW, |ui, rect, row| {
        let on = compare.row() == row;
        let mark = compare.marks().get(row).copied().unwrap_or(Mark::Unknown);
        let steps = compare.steps(row);
        let found: [Option<Step>; 2] = std::array::from_fn(|side| timelines[side]?.step(steps[side]?));
        let same_params = !matches!(compare.rows().get(row), Some(CompareRow::Pair { same_params: false, .. }));
        let (words, ink) = verdict(t, mark, compare.states(row), same_params, &found);
        let response = ui.interact(rect, ui.scope_id().with(row), Sense::click());
        let name = format!("Row {}: {}", row + 1, spoken(&found, &words));
        response.widget_info(|| WidgetInfo::selected(Role::Row, true, on, &name));
        if on {
            ui.painter().rect_filled(rect, 0.0, t.selected);
        } else if response.hovered() {
            ui.painter().rect_filled(rect, 0.0, t.hover);
        } else if let Some(ground) = ground(t, mark) {
            ui.painter().rect_filled(rect, 0.0, ground);
        }
        if response.has_focus() {
            ui.painter().rect_stroke(rect, 0.0, Stroke::new(1.0, t.accent), egui::StrokeKind::Inside);
        }
        let half = (rect.width() - MIDDLE) * 0.5;
        let left = rect.with_max_x(rect.left() + half);
        let right = rect.with_min_x(rect.right() - half);
        for (side, place) in [left, right].into_iter().enumerate() {
            match &found[side] {
                Some(step) => one(t, ui, place, step, begun[side], digits[side]),
                None => gap(t, ui, place),
            }
        }
        let mut job = rich::line_job();
        rich::push(&mut job, &words, theme::text(12.0), ink);
        job.halign = egui::Align::Center;
        let galley = ui.painter().layout_job(job);
        let middle = Rect::from_x_y_ranges(left.right()..=right.left(), rect.y_range());
        ui.painter_at(middle).galley(egui::pos2(middle.center().x, middle.center().y - galley.size().y * 0.5), galley, ink);
        let hover = compare.states(row).filter(|states| !states.paths.is_empty());
        let response = match hover {
            Some(states) => response.on_hover_ui(|ui| {
                for path in &states.paths {
                    ui.label(egui::RichText::new(format::clip(path, 90)).monospace());
                }
            }),
            None => response,
        };
        if response.clicked() {
            clicked = Some(row);
        }
    });
    if let Some(row) = clicked {
        cx.push(Action::Compare(CompareWish::Row(row)));
    }
}

/// When the first step of a side began: times are told from there.
fn begin(timeline: Option<&Timeline>, cx: &Cx<'_>, hand: Hand) -> f64 {
    let first = timeline.zip(cx.model.compare.chosen(hand)).and_then(|(timeline, (_, stream))| {
        let position = *timeline.stream(stream).first()?;
        Some(timeline.steps().started(position as usize))
    });
    first.unwrap_or(0.0)
}

/// What became of a row, by sign and word.
fn verdict(t: &Tokens, mark: Mark, states: Option<&PairStates>, same_params: bool, found: &[Option<Step>; 2]) -> (String, Color32) {
    let ignored = states.map_or(0, |states| states.ignored);
    let status = |side: usize| found[side].as_ref().map(|step| step.status);
    match mark {
        Mark::Unknown => ("…".to_owned(), t.faint),
        Mark::Missing => ("? no state".to_owned(), t.muted),
        Mark::Left => ("← only left".to_owned(), t.removed),
        Mark::Right => ("only right →".to_owned(), t.moved),
        Mark::Differs if status(0) != status(1) => ("≠ other status".to_owned(), t.changed),
        Mark::Differs => {
            let count = states.map_or(0, |states| states.counts.total());
            (format!("≠ {}", format::plural(u64::from(count), "difference", "differences")), t.changed)
        }
        Mark::Same if !same_params => ("= other params".to_owned(), t.muted),
        Mark::Same if ignored > 0 => (format!("= {ignored} ignored"), t.muted),
        Mark::Same => ("=".to_owned(), t.faint),
    }
}

fn spoken(found: &[Option<Step>; 2], words: &str) -> String {
    let one = |step: &Step| format!("{} {}", step.id, format::clip(&step.name, 60));
    let what = match found {
        [Some(left), Some(right)] => format!("{} and {}", one(left), right.id),
        [Some(step), None] | [None, Some(step)] => one(step),
        [None, None] => return words.to_owned(),
    };
    let words = if words == "=" { "same" } else { words.trim_matches(['=', '≠', '←', '→', '?', ' ']) };
    format!("{what}, {words}")
}

fn ground(t: &Tokens, mark: Mark) -> Option<Color32> {
    match mark {
        Mark::Differs => Some(t.changed_bg.gamma_multiply(0.6)),
        Mark::Left | Mark::Right | Mark::Unknown | Mark::Same | Mark::Missing => None,
    }
}

fn one(t: &Tokens, ui: &Ui, place: Rect, step: &Step, begun: f64, digits: usize) {
    let icon = Rect::from_center_size(egui::pos2(place.left() + 18.0, place.center().y), egui::Vec2::splat(13.0));
    icons::paint(ui.painter(), icon, Icon::Kind(step.kind), t.kind(step.kind));
    let small = theme::text(12.0);
    let wide = place.width() > 300.0;
    let mut job = rich::line_job();
    rich::push(&mut job, &format!("{:>digits$}  ", step.id.0), theme::mono(), t.muted);
    let name = if step.name.is_empty() { step.kind.label() } else { &step.name };
    rich::push(&mut job, &format::clip(name, 120), theme::text(13.5), t.strong);
    if let Some(component) = &step.component {
        rich::push(&mut job, &format!("  {}", format::clip(component, 40)), small.clone(), t.muted);
    }
    if step.status != Status::Ok {
        rich::push(&mut job, &format!("  {}", step.status.word()), small, t.status(step.status));
    }
    let mut room = place.with_max_x(place.right() - 8.0);
    if wide {
        let time = times(t, step, begun);
        let galley = ui.painter().layout_job(time);
        room.set_right(room.right() - galley.size().x - 10.0);
        let at = egui::pos2(place.right() - 8.0 - galley.size().x, place.center().y - galley.size().y * 0.5);
        ui.painter_at(place).galley(at, galley, t.muted);
    }
    parts::paint_line(ui, room, 30.0, job);
}

/// `~2   +1.4 s`.
fn times(t: &Tokens, step: &Step, begun: f64) -> LayoutJob {
    let mut job = rich::line_job();
    if step.changes.total() > 0 {
        rich::push(&mut job, &format!("{}   ", step.changes), theme::mono(), t.muted);
    }
    rich::push(&mut job, &format!("+{}", format::short_span((step.started - begun).max(0.0))), theme::mono(), t.faint);
    job
}

/// Nothing on this side.
fn gap(t: &Tokens, ui: &Ui, place: Rect) {
    let place = place.shrink2(egui::vec2(12.0, 3.0));
    ui.painter().rect_filled(place, 4.0, t.raised.gamma_multiply(0.6));
}
