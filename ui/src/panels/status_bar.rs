//! The line at the bottom: where the page stands, rate, reload, losses. Each part opens its view.

use egui::{Align, Button, Color32, Frame, Layout, Margin, Panel, RichText, Stroke, Ui};
use inspector_model::{RemoteCursor, Session};

use crate::app::action::{Action, Cx};
use crate::app::model::Page;
use crate::format;
use crate::widgets::icons::{self, Icon};
use crate::widgets::parts;

/// Draws the bar.
pub fn ui(cx: &mut Cx<'_>, ui: &mut Ui) {
    let t = cx.t;
    Panel::bottom("status").frame(Frame::new().fill(t.panel).inner_margin(Margin::symmetric(10, 2))).resizable(false).show(ui, |ui| {
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = 5.0;
            page(cx, ui);
            gap(ui, t.line);
            rate(cx, ui);
            gap(ui, t.line);
            reload(cx, ui);
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| losses(cx, ui));
        });
    });
}

fn gap(ui: &mut Ui, color: Color32) {
    ui.add_space(4.0);
    let (rect, _) = ui.allocate_exact_size(egui::vec2(1.0, 14.0), egui::Sense::hover());
    ui.painter().vline(rect.center().x, rect.y_range(), Stroke::new(1.0, color));
    ui.add_space(4.0);
}

fn part(cx: &mut Cx<'_>, ui: &mut Ui, text: String, color: Color32, page: Page, tip: &str) {
    let button = Button::new(RichText::new(text).size(12.5).color(color)).fill(Color32::TRANSPARENT).stroke(Stroke::NONE);
    ui.spacing_mut().button_padding.x = 3.0;
    if ui.add(button).on_hover_text(tip).clicked() {
        cx.push(Action::Show(page));
    }
}

/// The page that the status is about: that of the selected step, else the first open one.
fn shown_session<'a>(cx: &Cx<'a>) -> Option<&'a Session> {
    let model = cx.model;
    let of_step = model.step().and_then(|step| model.session_of(&step));
    of_step.or_else(|| model.timeline()?.sessions().values().find(|session| session.is_open()))
}

fn page(cx: &mut Cx<'_>, ui: &mut Ui) {
    let t = cx.t;
    let Some(timeline) = cx.model.timeline() else { return };
    let Some(session) = shown_session(cx) else {
        part(cx, ui, "No page open".into(), t.muted, Page::Steps, "Open a page of the server in the browser");
        return;
    };
    let cursor = timeline.cursor(&session.id);
    let (icon, color, text) = if session.is_open() {
        match cursor {
            RemoteCursor::Live => (Icon::Dot, t.added, "Page is live".to_owned()),
            RemoteCursor::At(at) => (Icon::Ring, t.changed, format!("Page is at step {}", at.step)),
            RemoteCursor::Jumping(to) => (Icon::Ring, t.changed, format!("Jumping to step {}", to.step)),
            RemoteCursor::Unknown => (Icon::Warning, t.changed, "Page may be at an earlier state".to_owned()),
        }
    } else {
        (Icon::Cross, t.muted, "Page was closed".to_owned())
    };
    icons::show(ui, icon, 11.0, color);
    part(cx, ui, text, t.text, Page::Steps, "Where the page of the selected step stands");
}

fn rate(cx: &mut Cx<'_>, ui: &mut Ui) {
    let t = cx.t;
    let rate = shown_session(cx).and_then(|session| cx.model.timeline()?.rate(&session.id));
    let Some((rate, bucket)) = rate.and_then(|rate| Some((rate, rate.global?))) else {
        part(cx, ui, "Rate not known".into(), t.muted, Page::Rate, "Levels appear with the first message of a page");
        return;
    };
    part(cx, ui, format!("Rate {:.0}/{:.0}", bucket.tokens, bucket.burst), t.text, Page::Rate, "Messages that the page may send at once");
    parts::bucket_meter(ui, bucket, 52.0, &format!("Rate limit: {:.0} of {:.0} tokens left", bucket.tokens, bucket.burst));
    let warnings = if rate.warnings > 0 { t.changed } else { t.muted };
    part(cx, ui, format!("warnings {}/{}", rate.warnings, rate.max_warnings), warnings, Page::Rate, "The page is closed at the limit");
}

fn reload(cx: &mut Cx<'_>, ui: &mut Ui) {
    let t = cx.t;
    let Some(server) = cx.model.timeline().and_then(|timeline| timeline.source().server.as_ref()) else { return };
    let hot = &server.hot_reload;
    let (icon, color, text) = if hot.running {
        (Icon::Dot, t.added, format!("Hot reload watching {}", format::plural(hot.dirs.len() as u64, "folder", "folders")))
    } else if hot.enabled {
        (Icon::Warning, t.changed, "Hot reload not running".to_owned())
    } else {
        (Icon::Ring, t.muted, "Hot reload off".to_owned())
    };
    icons::show(ui, icon, 11.0, color);
    part(cx, ui, text, t.text, Page::Reload, "What each saved file did");
    let (icon, color, text) = match (&hot.defeated_by, hot.hvr) {
        (Some(by), true) => (Icon::Warning, t.changed, format!("HVR defeated by {}", format::clip(by, 24))),
        (_, true) => (Icon::Dot, t.added, "HVR on".to_owned()),
        (_, false) => (Icon::Ring, t.muted, "HVR off".to_owned()),
    };
    icons::show(ui, icon, 11.0, color);
    part(cx, ui, text, t.text, Page::Reload, "Hot View Replacement: classes are swapped in open pages");
}

fn losses(cx: &mut Cx<'_>, ui: &mut Ui) {
    let t = cx.t;
    let Some(timeline) = cx.model.timeline() else { return };
    let recorder = &timeline.source().recorder;
    if let Some(why) = &recorder.stopped {
        part(cx, ui, format!("Recording stopped: {}", format::clip(why, 50)), t.removed, Page::Health, why);
    } else if let Some(why) = &recorder.paused {
        part(cx, ui, format::clip(why, 50), t.removed, Page::Health, why);
    } else if timeline.source().is_attached() {
        part(cx, ui, "Recording".into(), t.muted, Page::Start, "The recording is in the library");
    }
    let dropped = recorder.dropped;
    let color = if dropped > 0 { t.changed } else { t.muted };
    part(
        cx,
        ui,
        format!("{} dropped", format::count(dropped)),
        color,
        Page::Health,
        "Frames that were lost on the way; gaps in the timeline show where",
    );
}
