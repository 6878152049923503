//! Says that a live page does not stand where its own events left it, until it does.

use egui::{Frame, Margin, Panel, RichText, Ui};
use inspector_model::{RemoteCursor, Request, Side, StepId};

use crate::app::action::{Action, Cx};
use crate::format;
use crate::widgets::icons::{self, Icon};
use crate::widgets::parts;

/// `step 41, before add_item`.
fn place(cx: &Cx<'_>, step: StepId, side: Side) -> String {
    let name = cx.model.timeline().and_then(|timeline| timeline.step(step)).map(|step| step.name).unwrap_or_default();
    let side = match side {
        Side::Before => "before",
        Side::After => "after",
    };
    format!("step {step}, {side} {}", format::clip(&name, 40))
}

/// Draws one line per page that is not live.
pub fn ui(cx: &mut Cx<'_>, ui: &mut Ui) {
    let Some(timeline) = cx.model.timeline() else { return };
    let away: Vec<_> = timeline
        .sessions()
        .iter()
        .map(|(id, session)| (id, session, timeline.cursor(id)))
        .filter(|(.., cursor)| *cursor != RemoteCursor::Live)
        .collect();
    if away.is_empty() {
        return;
    }
    let t = cx.t;
    let many = timeline.sessions().values().filter(|session| session.is_open()).count() > 1;
    let source = timeline.id();
    let read_only = timeline.source().read_only();
    Panel::top("banner").frame(Frame::new().fill(t.changed_bg).inner_margin(Margin::symmetric(12, 5))).show_separator_line(false).show(
        ui,
        |ui| {
            for (id, session, cursor) in away {
                ui.push_id(id.as_str(), |ui| {
                    ui.horizontal(|ui| {
                        icons::show(ui, Icon::Kind(inspector_model::StepKind::Jump), 15.0, t.changed);
                        let who = if many {
                            format!(" ({}, {})", session.user_name(), session.path.as_deref().unwrap_or("?"))
                        } else {
                            String::new()
                        };
                        let (text, view) = match cursor {
                            RemoteCursor::Live => return,
                            RemoteCursor::Jumping(to) => {
                                (format!("Page{who} is jumping to {} …", place(cx, to.step, to.side)), Some(to.step))
                            }
                            RemoteCursor::At(at) => (format!("Page{who} is at {}", place(cx, at.step, at.side)), Some(at.step)),
                            RemoteCursor::Unknown => {
                                (format!("Page{who} may be at an earlier state: the connection was lost while it jumped"), None)
                            }
                        };
                        ui.label(RichText::new(text).color(t.strong));
                        let view = view.and_then(|step| cx.model.timeline()?.step(step)?.view.clone());
                        if let Some(report) =
                            cx.model.jumps.iter().find(|report| report.session == *id && !report.done.not_restored.is_empty())
                        {
                            let lost = &report.done.not_restored;
                            parts::chip(ui, &format!("{} not restored", lost.len()), t.removed, t.removed_bg).on_hover_ui(|ui| {
                                for item in lost.iter().take(30) {
                                    ui.label(RichText::new(format!("{} — {}", item.path, item.why)).size(12.5));
                                }
                            });
                        }
                        if !matches!(cursor, RemoteCursor::Jumping(_))
                            && ui
                                .add_enabled(read_only.is_none(), egui::Button::new("Return to live"))
                                .on_disabled_hover_text(read_only.as_deref().unwrap_or_default())
                                .on_hover_text("Give the page back the state that it had before the first jump")
                                .clicked()
                        {
                            let session = id.clone();
                            cx.push(Action::Send(Box::new(Request::ReturnToLive { source, session, view })));
                        }
                    });
                });
            }
        },
    );
}
