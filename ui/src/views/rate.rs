//! Rate limits: how much each page may still send, who was warned, who was closed.

use egui::{RichText, Ui};
use inspector_model::{Bucket, Cause, Rate, Request, Session, Step, Timeline};

use super::page;
use crate::app::action::{Action, Cx};
use crate::app::model::Page;
use crate::format;
use crate::widgets::icons::{self, Icon};
use crate::widgets::parts;

/// Draws the view.
pub fn ui(cx: &mut Cx<'_>, ui: &mut Ui) {
    let model = cx.model;
    let Some(timeline) = model.timeline() else { return };
    page(ui, "Rate limit", "Each page has a bucket of tokens; a message takes one, time brings them back", 900.0, |ui| {
        let mut known: Vec<(&Session, &Rate)> =
            timeline.sessions().values().filter_map(|session| Some((session, timeline.rate(&session.id)?))).collect();
        known.sort_by_key(|(session, rate)| (!session.is_open(), std::cmp::Reverse(rate.warnings)));
        if known.is_empty() {
            parts::note(ui, inspector_model::Level::Info, "No levels yet: they come with the first message of a page");
        }
        for (session, rate) in known.into_iter().take(50) {
            ui.push_id(session.id.as_str(), |ui| parts::card(ui, |ui| one(cx, ui, timeline, session, rate)));
        }
        ui.add_space(12.0);
        parts::section(ui, "Limited and closed");
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

fn one(cx: &mut Cx<'_>, ui: &mut Ui, timeline: &Timeline, session: &Session, rate: &Rate) {
    let t = cx.t;
    ui.horizontal(|ui| {
        icons::show(ui, if session.is_open() { Icon::Dot } else { Icon::Ring }, 12.0, if session.is_open() { t.added } else { t.faint });
        ui.label(RichText::new(session.user.as_deref().unwrap_or("anonymous")).color(t.strong));
        ui.label(RichText::new(session.path.as_deref().unwrap_or("")).color(t.muted));
        let (ink, ground) = if rate.warnings > 0 { (t.changed, t.changed_bg) } else { (t.muted, t.raised) };
        parts::chip(ui, &format!("warnings {} of {}", rate.warnings, rate.max_warnings), ink, ground)
            .on_hover_text("The page is closed with 4429 at the last one");
    });
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
    let Some(ip) = &rate.ip else { return };
    ui.horizontal(|ui| {
        let address = ip.address.as_deref().unwrap_or("unknown address");
        ui.label(RichText::new(format!("{address}: {} of {} connections", ip.connections, ip.max)).size(12.5).color(t.muted));
        if ip.cooldown > 0.0 {
            parts::chip(ui, &format!("cooldown {:.0} s", ip.cooldown), t.removed, t.removed_bg);
            let attached = timeline.source().is_attached();
            let lift = ui.add_enabled(attached, egui::Button::new("Lift cooldown")).on_hover_text("Let the address connect again at once");
            if lift.on_disabled_hover_text("The server is not connected").clicked() {
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
