//! Pinned values: what each is at the selected step, how it went, and when it changed last.

use egui::{Frame, Margin, Rect, RichText, ScrollArea, Ui, UiBuilder, pos2, vec2};
use inspector_model::{Level, PathValue, StepId};

use super::lookup::close;
use crate::app::action::{Action, Cx};
use crate::app::pinned::Pin;
use crate::format;
use crate::theme;
use crate::widgets::icons::{self, Icon};
use crate::widgets::trace::Trace;
use crate::widgets::{fidelity, parts, rich};

const ROW: f32 = 30.0;
const BUTTON: f32 = 26.0;
/// From so many points on a row has room for the history, and for when it changed last.
const WIDE: f32 = 430.0;
const WIDER: f32 = 640.0;

/// Draws the list.
pub fn ui(cx: &mut Cx<'_>, ui: &mut Ui) {
    let t = cx.t;
    let pins = cx.model.pinned.pins();
    Frame::new().inner_margin(Margin::symmetric(8, 5)).show(ui, |ui| {
        ui.horizontal(|ui| {
            icons::show(ui, Icon::Pin, 14.0, t.muted);
            ui.label(RichText::new("Pinned values").color(t.strong));
            ui.label(RichText::new(format::count(pins.len() as u64)).size(12.0).color(t.muted));
            if let Some(step) = cx.model.selected.filter(|_| !pins.is_empty()) {
                parts::line_label(ui, RichText::new(format!("as they stand at step {step}")).size(12.0).color(t.muted));
            }
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| close(cx, ui));
        });
    });
    if pins.is_empty() {
        let hint = "Choose “Pin this value” in the menu of a value in State, Diff or Params: it is then shown here at each step that \
                    you select, on every page with this view";
        parts::empty(ui, "Nothing is pinned", hint);
        return;
    }
    if let Some(failure) = cx.model.pinned.failure() {
        parts::note(ui, Level::Warning, &format!("The pinned values could not be read: {}", failure.message));
    }
    ScrollArea::vertical().id_salt("pinned").auto_shrink(false).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 1.0;
        for pin in pins {
            row(cx, ui, pin);
        }
    });
}

fn row(cx: &mut Cx<'_>, ui: &mut Ui, pin: &Pin) {
    let t = cx.t;
    let pinned = &cx.model.pinned;
    let told = pinned.value(pin);
    let name = format::clip(&pin.words(), 120);
    let shown = Shown::of(cx, pin, told.map(|(value, _)| value));
    let label = format!("{name} in {}: {}, {}", format::clip(&pin.view, 120), shown.spoken, shown.changed);
    let (rect, response) = parts::list_row(ui, ROW, false, &label);
    let mut inner = ui.new_child(UiBuilder::new().id_salt(("pin", pin)).max_rect(rect.shrink2(vec2(8.0, 0.0))));
    if !told.is_none_or(|(_, current)| current) {
        inner.multiply_opacity(0.45);
    }
    let ui = &mut inner;

    // From the right: what must always be there first.
    let mut right = rect.right() - 6.0;
    let mut button = |ui: &mut Ui, icon: Icon, words: &str, enabled: bool| {
        right -= BUTTON;
        let place = Rect::from_min_size(pos2(right, rect.center().y - 12.0), vec2(BUTTON, 24.0));
        ui.scope_builder(UiBuilder::new().max_rect(place), |ui| icons::button(ui, icon, words, enabled).on_hover_text(words).clicked())
            .inner
    };
    if button(ui, Icon::Cross, &format!("Unpin {name}"), true) {
        cx.push(Action::Unpin(Box::new(pin.clone())));
    }
    let value = told.map(|(value, _)| value);
    let (next, previous) = (value.and_then(|value| value.next), value.and_then(|value| value.previous));
    let what = if pin.handler.is_some() { "call" } else { "change" };
    if button(ui, Icon::Next, &format!("Next {what} of {name}"), next.is_some()) {
        cx.actions.extend(next.map(Action::Select));
    }
    if button(ui, Icon::Previous, &format!("Previous {what} of {name}"), previous.is_some()) {
        cx.actions.extend(previous.map(Action::Select));
    }
    if rect.width() >= WIDER {
        right -= 158.0;
        let place = Rect::from_min_size(pos2(right, rect.top()), vec2(150.0, ROW));
        let mut job = rich::line_job();
        rich::push(&mut job, &shown.changed, theme::text(12.0), if shown.here { t.accent } else { t.muted });
        parts::paint_line(ui, place, 4.0, job);
    }
    if rect.width() >= WIDE {
        right -= 160.0;
        let place = Rect::from_min_size(pos2(right, rect.top() + 4.0), vec2(152.0, ROW - 8.0));
        history(cx, ui, pin, place, &name);
    }
    let left = rect.left() + 8.0;
    let middle = left + ((right - left) * 0.42).clamp(60.0, 320.0);
    let mut job = rich::line_job();
    rich::push(&mut job, &name, theme::mono(), t.strong);
    rich::push(&mut job, &format!("  {}", format::short_class(&pin.view)), theme::text(11.5), t.faint);
    parts::paint_line(ui, Rect::from_min_max(pos2(left, rect.top()), pos2(middle - 6.0, rect.bottom())), 0.0, job);
    parts::paint_line(ui, Rect::from_min_max(pos2(middle, rect.top()), pos2(right - 8.0, rect.bottom())), 0.0, shown.job);
    response.on_hover_ui(|ui| {
        ui.label(RichText::new(format::clip(&pin.words(), 300)).monospace().color(t.strong));
        ui.label(
            RichText::new(format!("of {}, in its view {}", if pin.handler.is_some() { "a call" } else { "the state" }, pin.view))
                .color(t.muted),
        );
        ui.label(RichText::new(&shown.changed).color(t.muted));
        if let Some(mark) = &shown.mark {
            ui.label(&mark.words);
        }
    });
}

fn history(cx: &mut Cx<'_>, ui: &mut Ui, pin: &Pin, place: Rect, name: &str) {
    let Some(timeline) = cx.model.timeline() else { return };
    let Some(history) = cx.model.pinned.history(pin) else { return };
    let steps = timeline.steps();
    let (Some(first), Some(last)) = (steps.id(0), steps.id(steps.len().saturating_sub(1))) else { return };
    let trace = Trace::new(history, first, last);
    let (response, clicked) = trace.ui(ui, place, cx.t, cx.model.selected, &format!("History of {name}"));
    response.on_hover_text(format!("{} over the whole recording. Click for the nearest", trace.words()));
    cx.actions.extend(clicked.map(Action::Select));
}

/// A value as it is drawn and said.
struct Shown {
    job: egui::text::LayoutJob,
    spoken: String,
    mark: Option<fidelity::Mark>,
    changed: String,
    /// The selected step changed it.
    here: bool,
}

impl Shown {
    fn of(cx: &Cx<'_>, pin: &Pin, told: Option<&PathValue>) -> Self {
        let t = cx.t;
        let mut job = rich::line_job();
        let mut shown = Self {
            job: rich::line_job(),
            spoken: String::new(),
            mark: None,
            changed: changed(cx, pin, told),
            here: told.is_some_and(|told| told.here),
        };
        let value = told.and_then(|told| told.value.as_ref());
        if let Some((value, (parsed, mark))) = value.and_then(|value| Some((value, fidelity::glimpse(value)?))) {
            // Before the value: a long one would push it out of sight.
            if let Some(mark) = &mark {
                fidelity::push(&mut job, t, mark);
                rich::push(&mut job, "  ", theme::mono(), t.text);
            }
            let mut summary = rich::one_line(&parsed.summary(300));
            if !value.whole {
                let size = value.len.map_or_else(|| format::bytes(value.bytes), format::count);
                rich::push(&mut job, &format!("{} {size}  ", parsed.type_name()), theme::text(11.5), t.faint);
                summary.push('…');
            }
            rich::push(&mut job, &summary, theme::mono(), rich::ink(t, &parsed));
            shown.spoken = fidelity::spoken(&parsed, 120);
            shown.mark = mark;
        } else {
            shown.spoken = match told {
                _ if cx.model.pinned.failure().is_some() => "not read".to_owned(),
                None if cx.model.pinned.is_absent(pin) => "not on this page".to_owned(),
                None => "…".to_owned(),
                Some(PathValue { missing: Some(why), .. }) => rich::one_line(why),
                Some(PathValue { step: None, .. }) if pin.handler.is_some() => "not called yet".to_owned(),
                Some(PathValue { step: None, .. }) => "no state yet".to_owned(),
                Some(_) => "not there".to_owned(),
            };
            rich::push(&mut job, &shown.spoken, theme::text(12.5), t.muted);
        }
        shown.job = job;
        shown
    }
}

/// When it changed last: `step 8, 3 steps ago`.
fn changed(cx: &Cx<'_>, pin: &Pin, told: Option<&PathValue>) -> String {
    let (Some(told), Some(selected)) = (told, cx.model.selected) else { return String::new() };
    let verb = if pin.handler.is_some() { "called" } else { "changed" };
    match told.last(selected) {
        Some(last) if last == selected => format!("{verb} here"),
        Some(last) => match ago(cx, pin, last, selected) {
            0 => format!("{verb} in step {last}"),
            steps => format!("{verb} in step {last}, {} ago", format::plural(steps as u64, "step", "steps")),
        },
        None => format!("not {verb} yet"),
    }
}

/// How many steps of its view lie between.
fn ago(cx: &Cx<'_>, pin: &Pin, last: StepId, selected: StepId) -> usize {
    let (Some(timeline), Some(stream)) = (cx.model.timeline(), cx.model.pinned.stream(pin)) else { return 0 };
    let positions = timeline.stream(stream);
    let upto = |step: StepId| positions.partition_point(|position| timeline.steps().id(*position as usize).is_some_and(|id| id <= step));
    upto(selected).saturating_sub(upto(last))
}
