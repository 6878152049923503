//! Rate limits: how much each page may still send, who was warned, refused and closed, and what other limits would have done.

mod refused;
mod strip;
mod what_if;

use std::collections::HashMap;

use egui::{RichText, Ui};
use inspector_model::{Bucket, Cause, Limits, Rate, Request, Session, SessionId, Step, Timeline};

use self::strip::Curve;
use self::what_if::WhatIf;
use super::page;
use super::tally::{PageTally, Tally};
use crate::app::action::{Action, Cx};
use crate::app::model::Page;
use crate::format;
use crate::widgets::icons::{self, Icon};
use crate::widgets::parts;

/// Pages that are shown at most.
const PAGES: usize = 50;

/// What the view remembers.
#[derive(Default)]
pub struct RateView {
    what_if: WhatIf,
    curves: HashMap<SessionId, Curve>,
}

/// Draws the view.
pub fn ui(state: &mut RateView, tally: &mut Tally, cx: &mut Cx<'_>, ui: &mut Ui) {
    let model = cx.model;
    let Some(timeline) = model.timeline() else { return };
    if tally.refresh(timeline) {
        ui.ctx().request_repaint();
    }
    let known = timeline.config().limits();
    let limits = known.unwrap_or(Limits::DEFAULT);
    page(ui, "Rate limit", "Each page has a bucket of tokens; a message takes one, time brings them back", 1080.0, |ui| {
        let mut pages: Vec<(&Session, Option<&Rate>, Option<&PageTally>)> = timeline
            .sessions()
            .values()
            .map(|session| (session, timeline.rate(&session.id), tally.pages.get(&session.id)))
            .filter(|(_, rate, page)| rate.is_some() || page.is_some_and(|page| !page.messages.is_empty()))
            .collect();
        // Those in trouble first, then those that are open, then by when they came.
        let trouble = |page: Option<&PageTally>| page.map_or(0, |page| page.messages.iter().filter(|message| message.refused).count());
        pages.sort_by_cached_key(|(session, rate, page)| {
            let warnings = rate.map_or(0, |rate| rate.warnings);
            (std::cmp::Reverse(trouble(*page).max(warnings as usize)), !session.is_open(), session.opened.to_bits())
        });
        if pages.is_empty() {
            parts::empty(ui, "No messages yet", "Levels come with the first message of a page: open one in the browser and click");
            return;
        }
        what_if::ui(&mut state.what_if, cx, ui, tally, limits, known.is_some());
        parts::heading(cx.t, ui, "Pages", pages.len());
        ui.spacing_mut().item_spacing.y = 8.0;
        for (session, rate, page) in pages.iter().take(PAGES) {
            ui.push_id(session.id.as_str(), |ui| {
                ui.spacing_mut().item_spacing.y = 4.0;
                parts::card(ui, |ui| one(state, cx, ui, timeline, session, *rate, *page, limits));
            });
        }
        if pages.len() > PAGES {
            let text = format!("{} more pages are not shown", format::count((pages.len() - PAGES) as u64));
            ui.label(RichText::new(text).color(cx.t.muted));
        }
        refused::ui(cx, ui, tally);
        parts::heading(cx.t, ui, "Limited and closed", timeline.limited().len());
        history(cx, ui, timeline);
    });
}

fn gauge(cx: &Cx<'_>, ui: &mut Ui, name: &str, bucket: Bucket) {
    let t = cx.t;
    ui.label(RichText::new(format::clip(name, 60)).color(t.text));
    let words = format!("{name}: {:.1} of {:.0} tokens, {} a second", bucket.tokens, bucket.burst, bucket.rate);
    parts::bucket_meter(ui, bucket, 180.0, &words);
    ui.label(RichText::new(format!("{:.1} / {:.0}", bucket.tokens, bucket.burst)).monospace().color(t.text));
    ui.label(RichText::new(format!("{} / s", bucket.rate)).size(12.0).color(t.muted));
    ui.end_row();
}

/// A page: how it stands, its buckets, and its level over time.
#[expect(clippy::too_many_arguments, reason = "what is known of one page, from its three places")]
fn one(
    state: &mut RateView,
    cx: &mut Cx<'_>,
    ui: &mut Ui,
    timeline: &Timeline,
    session: &Session,
    rate: Option<&Rate>,
    page: Option<&PageTally>,
    limits: Limits,
) {
    let t = cx.t;
    ui.horizontal_wrapped(|ui| {
        icons::show(ui, if session.is_open() { Icon::Dot } else { Icon::Ring }, 12.0, if session.is_open() { t.added } else { t.faint });
        ui.label(RichText::new(format::clip(session.user_name(), 60)).color(t.strong));
        ui.label(RichText::new(format::clip(session.path.as_deref().unwrap_or(""), 80)).color(t.muted));
        if let Some(rate) = rate {
            let (ink, ground) = if rate.warnings > 0 { (t.changed, t.changed_bg) } else { (t.muted, t.raised) };
            parts::chip(ui, &format!("warnings {} of {}", rate.warnings, rate.max_warnings), ink, ground)
                .on_hover_text("The page is closed with 4429 at the last one, and its address waits");
        }
        if let Some(code) = session.close.as_ref().and_then(|close| close.code).filter(|code| *code == 4429) {
            parts::chip(ui, &format!("closed {code}"), t.removed, t.removed_bg);
        }
    });
    if let Some(rate) = rate {
        egui::Grid::new("buckets").num_columns(4).spacing([14.0, 4.0]).show(ui, |ui| {
            if let Some(bucket) = rate.global {
                gauge(cx, ui, "All messages", bucket);
            }
            if let Some(bucket) = rate.upload {
                gauge(cx, ui, "Upload frames", bucket);
            }
            for handler in &rate.handlers {
                gauge(cx, ui, &format!("{} ({})", handler.handler, handler.caller), handler.bucket);
            }
        });
    }
    if let Some(page) = page.filter(|page| !page.messages.is_empty()) {
        let other = state.what_if.limits(limits);
        let curve = state.curves.entry(session.id.clone()).or_default();
        strip::ui(curve, cx, ui, session, page, limits, other);
    }
    let Some(ip) = rate.and_then(|rate| rate.ip.as_ref()) else { return };
    ui.horizontal_wrapped(|ui| {
        let address = ip.address.as_deref().unwrap_or("unknown address");
        ui.label(RichText::new(format!("{address}: {} of {} connections", ip.connections, ip.max)).size(12.5).color(t.muted));
        if ip.cooldown > 0.0 {
            parts::chip(ui, &format!("cooldown {:.0} s", ip.cooldown), t.removed, t.removed_bg);
            let source = timeline.source();
            let why = if source.is_attached() { source.read_only() } else { Some("The server is not connected".to_owned()) };
            let lift =
                ui.add_enabled(why.is_none(), egui::Button::new("Lift cooldown")).on_hover_text("Let the address connect again at once");
            if lift.on_disabled_hover_text(why.unwrap_or_default()).clicked() {
                let request = Request::LiftCooldown { source: timeline.id(), session: session.id.clone() };
                cx.push(Action::Send(Box::new(request)));
            }
        }
    });
}

fn history(cx: &mut Cx<'_>, ui: &mut Ui, timeline: &Timeline) {
    let t = cx.t;
    let steps = timeline.limited().iter().rev().take(200);
    let steps: Vec<Step> = steps.filter_map(|position| timeline.steps().get(*position as usize)).collect();
    if steps.is_empty() {
        ui.label(RichText::new("Nothing was limited in this recording").color(t.muted));
        return;
    }
    parts::card(ui, |ui| {
        for step in steps {
            let (rect, response) = parts::list_row(ui, 22.0, false, &format!("Limited step {}", step.id));
            let mut job = crate::widgets::rich::line_job();
            let push =
                |job: &mut egui::text::LayoutJob, text: &str, ink| crate::widgets::rich::push(job, text, crate::theme::text(13.0), ink);
            push(&mut job, &format!("{}   {}   {}   ", step.id, format::clock(step.started), step.name), t.text);
            if let Some(Cause::Limit { code, reason, limit, caller, warnings, max_warnings }) = &step.cause {
                push(&mut job, reason, t.changed);
                let mut facts = Vec::new();
                facts.extend(limit.clone());
                facts.extend(caller.clone());
                facts.extend(warnings.zip(*max_warnings).map(|(warnings, max)| format!("warning {warnings} of {max}")));
                facts.extend(code.map(|code| format!("closed {code}")));
                push(&mut job, &format!("   {}", facts.join(" · ")), t.muted);
            }
            job.wrap.max_width = rect.width() - 36.0;
            let icon = egui::Rect::from_center_size(rect.left_center() + egui::vec2(12.0, 0.0), egui::Vec2::splat(12.0));
            icons::paint(ui.painter(), icon, Icon::Kind(step.kind), t.kind(step.kind));
            let galley = ui.painter().layout_job(job);
            ui.painter_at(rect).galley(egui::pos2(rect.left() + 26.0, rect.center().y - galley.size().y * 0.5), galley, t.text);
            if response.on_hover_text("Go to the step").clicked() {
                cx.push(Action::Select(step.id));
                cx.push(Action::Show(Page::Steps));
            }
        }
    });
}
