//! What other limits would have done to the recorded messages.

use egui::{DragValue, RichText, Role, Slider, Ui, WidgetInfo};
use inspector_model::{Limits, StepId};

use crate::app::action::{Action, Cx};
use crate::app::model::Page;
use crate::format;
use crate::views::tally::Tally;
use crate::widgets::parts;

/// What the sliders say.
#[derive(Default)]
pub struct WhatIf {
    /// Rate and burst, where they were moved.
    moved: Option<(f64, f64)>,
    /// What came of it, for these limits and so many messages.
    known: Option<(Limits, usize, Outcome)>,
}

/// What limits do to all pages together.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Outcome {
    /// Messages in all.
    pub messages: usize,
    /// Refused ones.
    pub refused: u64,
    /// The earliest that is refused.
    pub first: Option<StepId>,
    /// Pages that would be closed.
    pub closed: usize,
    /// Messages that come after that.
    pub lost: usize,
    /// Messages that djust did refuse.
    pub really: usize,
}

/// Plays all pages.
pub fn outcome(tally: &Tally, limits: Limits) -> Outcome {
    let mut out = Outcome::default();
    let mut first: Option<(f64, StepId)> = None;
    for page in tally.pages.values() {
        let played = limits.play(page.messages.iter().map(|message| message.at), |_, _, _| {});
        out.messages += played.messages;
        out.refused += u64::from(played.refused);
        out.really += page.messages.iter().filter(|message| message.refused).count();
        if let Some(closed) = played.closed {
            out.closed += 1;
            out.lost += played.messages - closed - 1;
        }
        let refused = played.first.and_then(|number| page.messages.get(number));
        if let Some(message) = refused.filter(|message| first.is_none_or(|(at, _)| message.at < at)) {
            first = Some((message.at, message.step));
        }
    }
    out.first = first.map(|(_, step)| step);
    out
}

impl WhatIf {
    /// The limits of the sliders, where they are not those that are in force.
    pub fn limits(&self, real: Limits) -> Option<Limits> {
        let (rate, burst) = self.moved?;
        let limits = Limits { rate, burst, ..real };
        (limits != real).then_some(limits)
    }

    fn outcome(&mut self, tally: &Tally, limits: Limits) -> Outcome {
        match self.known {
            Some((known, messages, outcome)) if known == limits && messages == tally.messages => outcome,
            _ => {
                let outcome = outcome(tally, limits);
                self.known = Some((limits, tally.messages, outcome));
                outcome
            }
        }
    }
}

/// Draws the sliders and what comes of them.
pub fn ui(state: &mut WhatIf, cx: &mut Cx<'_>, ui: &mut Ui, tally: &Tally, real: Limits, is_known: bool) {
    let t = cx.t;
    parts::card(ui, |ui| {
        ui.horizontal_wrapped(|ui| {
            ui.label(RichText::new("What if").size(14.5).color(t.strong));
            let source = if is_known { "configured" } else { "djust's default, as this recording has no configuration" };
            let text = format!("{source}: {} a second, burst {}, closed at {} warnings", real.rate, real.burst, real.max_warnings);
            ui.label(RichText::new(text).size(12.5).color(t.muted));
        });
        let mut moved = false;
        let (mut rate, mut burst) = state.moved.unwrap_or((real.rate, real.burst));
        ui.horizontal_wrapped(|ui| {
            let width = ((ui.available_width() - 260.0) * 0.5).clamp(90.0, 320.0);
            ui.spacing_mut().slider_width = width;
            for (name, unit, value, range) in [
                ("Rate", "a second", &mut rate, 0.1..=1000.0_f64.max(real.rate * 2.0)),
                ("Burst", "tokens", &mut burst, 1.0..=400.0_f64.max(real.burst * 2.0)),
            ] {
                ui.label(RichText::new(name).color(t.text));
                let name = format!("What if {}", name.to_lowercase());
                let slider = ui.add(Slider::new(value, range.clone()).logarithmic(true).show_value(false));
                slider.clone().accessible_name(&name);
                let exact = ui.add(DragValue::new(value).range(range).max_decimals(1).suffix(format!(" {unit}")));
                exact.clone().accessible_name(format!("{name}, exactly"));
                if slider.changed() || exact.changed() {
                    moved = true;
                }
            }
            if moved {
                state.moved = Some((rate, burst));
            }
            if state.moved.is_some() && ui.button("As configured").on_hover_text("Put both back").clicked() {
                state.moved = None;
            }
        });
        let limits = state.limits(real);
        let outcome = state.outcome(tally, limits.unwrap_or(real));
        verdict(cx, ui, outcome, limits.is_some());
    });
}

fn verdict(cx: &mut Cx<'_>, ui: &mut Ui, outcome: Outcome, other: bool) {
    let t = cx.t;
    let would = if other { "would have been refused" } else { "are refused by the simulation" };
    let text = format!("{} of {} recorded messages {would}", format::count(outcome.refused), format::count(outcome.messages as u64));
    ui.horizontal_wrapped(|ui| {
        let ink = if outcome.refused > 0 { t.changed } else { t.added };
        ui.label(RichText::new(&text).size(15.0).color(ink));
        if let Some(step) = outcome.first {
            let link = ui.link(RichText::new(format!("first: step {step}")));
            link.widget_info(|| WidgetInfo::labeled(Role::Link, true, format!("First refused: go to step {step}")));
            if link.clicked() {
                cx.push(Action::Select(step));
                cx.push(Action::Show(Page::Steps));
            }
        }
        ui.label(RichText::new(format!("djust refused {}", format::count(outcome.really as u64))).color(t.muted));
    });
    if outcome.closed > 0 {
        let pages = format::plural(outcome.closed as u64, "page is", "pages are");
        let lost = if outcome.lost > 0 {
            format!(", and {} after that do not reach it", format::plural(outcome.lost as u64, "message", "messages"))
        } else {
            String::new()
        };
        ui.label(RichText::new(format!("{pages} closed with 4429{lost}")).color(t.text));
    }
    let honest = "Counted are the messages that the recorder saw as steps: pings, cursor moves and uploads are not among them, and a page that was closed sent no more";
    ui.add(egui::Label::new(RichText::new(honest).size(12.0).color(t.muted)).wrap());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::views::tally::{Message, PageTally};

    fn tally(pages: &[(&str, &[(f64, bool)])]) -> Tally {
        let mut tally = Tally::default();
        let mut step = 0;
        for (session, messages) in pages {
            let mut page = PageTally::default();
            for (at, refused) in *messages {
                step += 1;
                page.messages.push(Message { at: *at, step: StepId(step), refused: *refused });
            }
            tally.messages += page.messages.len();
            tally.pages.insert((*session).into(), page);
        }
        tally
    }

    #[test]
    fn the_earliest_refused_message_of_all_pages_is_the_first() {
        let tally = tally(&[("a", &[(10.0, false), (10.0, true), (20.0, false)]), ("b", &[(5.0, false), (5.0, false)])]);
        let limits = Limits { rate: 1.0, burst: 1.0, max_warnings: 3 };
        let expected = Outcome { messages: 5, refused: 2, first: Some(StepId(5)), closed: 0, lost: 0, really: 1 };
        assert_eq!(outcome(&tally, limits), expected);
    }

    #[test]
    fn messages_after_a_page_is_closed_are_not_refused_but_lost() {
        let at_once = [(1.0, false); 6];
        let limits = Limits { rate: 1.0, burst: 2.0, max_warnings: 2 };
        let told = outcome(&tally(&[("a", &at_once)]), limits);
        assert_eq!((told.refused, told.closed, told.lost), (2, 1, 2));
    }

    #[test]
    fn sliders_at_the_limits_in_force_are_no_what_if() {
        let real = Limits::DEFAULT;
        let mut state = WhatIf::default();
        assert_eq!(state.limits(real), None);
        state.moved = Some((real.rate, real.burst));
        assert_eq!(state.limits(real), None);
        state.moved = Some((2.0, real.burst));
        assert_eq!(state.limits(real), Some(Limits { rate: 2.0, ..real }));
        let tally = tally(&[("a", &[(1.0, false); 30])]);
        assert_eq!(state.outcome(&tally, real).refused, 3);
        assert_eq!(state.outcome(&tally, Limits { burst: 40.0, ..real }).refused, 0, "not the one that was kept");
    }
}
