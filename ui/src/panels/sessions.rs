//! Pages, their views and components. Choosing one filters table and timeline.

use egui::{Align2, Button, RichText, ScrollArea, Stroke, Ui, pos2, vec2};
use inspector_model::{Request, Scope, Session, SessionId, SourceId, Timeline, View, ViewId};

use super::layout;
use crate::app::action::{Action, Cx};
use crate::format;
use crate::theme;
use crate::widgets::icons::{self, Icon};
use crate::widgets::parts;

/// In which order the pages are listed.
#[derive(Default)]
pub struct Sessions {
    source: Option<SourceId>,
    open: Vec<SessionId>,
    ended: Vec<SessionId>,
    under_pointer: bool,
}

impl Sessions {
    /// The newest first, and those that ended below. Under the pointer none moves: what is new comes last, what ends stays.
    fn arrange(&mut self, timeline: &Timeline) {
        let sessions = timeline.sessions();
        if self.under_pointer && self.source == Some(timeline.id()) {
            let new = |session: &&Session| !self.open.contains(&session.id) && !self.ended.contains(&session.id);
            let new: Vec<SessionId> = sessions.values().filter(new).map(|session| session.id.clone()).collect();
            self.open.extend(new);
            return;
        }
        let (mut open, ended): (Vec<&Session>, Vec<&Session>) = sessions.values().partition(|session| session.is_open());
        open.sort_by(|a, b| b.opened.total_cmp(&a.opened));
        let ids = |list: Vec<&Session>| list.into_iter().map(|session| session.id.clone()).collect();
        (self.source, self.open, self.ended) = (Some(timeline.id()), ids(open), ids(ended));
    }
}

/// Draws the list.
pub fn ui(state: &mut Sessions, cx: &mut Cx<'_>, ui: &mut Ui) {
    let Some(timeline) = cx.model.timeline() else { return };
    state.arrange(timeline);
    state.under_pointer = ui.rect_contains_pointer(ui.available_rect_before_wrap());
    let listed = |ids: &[SessionId]| ids.iter().filter_map(|id| timeline.sessions().get(id)).collect::<Vec<_>>();
    let (open, ended) = (listed(&state.open), listed(&state.ended));
    ui.horizontal(|ui| {
        layout::grip(cx, ui);
        parts::section(ui, "Sessions");
    });
    ui.spacing_mut().item_spacing.y = 1.0;
    let all = cx.model.scope == Scope::Everywhere;
    let (rect, response) = parts::list_row(ui, theme::ROW, all, "All sessions");
    text(ui, rect, 8.0, "All sessions", cx.t.text, 13.5);
    right(ui, rect, &format::count(timeline.steps().len() as u64), cx.t.muted);
    if response.clicked() {
        cx.push(Action::Scope(Scope::Everywhere));
    }
    ui.add_space(4.0);
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        if open.is_empty() && ended.is_empty() {
            ui.add_space(8.0);
            ui.label(
                RichText::new("No page yet. Open a page of this server in the browser, or reload one that is open.")
                    .size(12.5)
                    .color(cx.t.muted),
            );
        }
        for session in open {
            ui.push_id(session.id.as_str(), |ui| one(cx, ui, session));
        }
        if !ended.is_empty() {
            ui.add_space(6.0);
            let title = RichText::new(format!("Ended ({})", ended.len())).size(12.0).color(cx.t.muted);
            let only_ended = timeline.sessions().values().all(|session| !session.is_open());
            egui::CollapsingHeader::new(title).id_salt("ended").default_open(only_ended).show_unindented(ui, |ui| {
                for session in ended {
                    ui.push_id(session.id.as_str(), |ui| one(cx, ui, session));
                }
            });
        }
    });
}

fn text(ui: &Ui, rect: egui::Rect, indent: f32, text: &str, color: egui::Color32, size: f32) {
    let job = egui::text::LayoutJob {
        wrap: egui::text::TextWrapping::truncate_at_width(rect.width() - indent - 6.0),
        ..egui::text::LayoutJob::simple_singleline(text.to_owned(), theme::text(size), color)
    };
    let galley = ui.painter().layout_job(job);
    let at = pos2(rect.left() + indent, rect.center().y - galley.size().y * 0.5);
    ui.painter().galley(at, galley, color);
}

fn right(ui: &Ui, rect: egui::Rect, text: &str, color: egui::Color32) {
    ui.painter().text(rect.right_center() - vec2(8.0, 0.0), Align2::RIGHT_CENTER, text, theme::text(11.5), color);
}

fn one(cx: &mut Cx<'_>, ui: &mut Ui, session: &Session) {
    let t = cx.t;
    let user = session.user_name();
    let path = session.path.as_deref().unwrap_or("(connecting)");
    let scope = Scope::Session(session.id.clone());
    let selected = cx.model.scope == scope;
    let name = format!("Session {user} {path}");
    let (rect, response) = parts::list_row(ui, 36.0, selected, &name);
    let open = session.is_open();
    let mark = egui::Rect::from_center_size(pos2(rect.left() + 12.0, rect.top() + 12.0), vec2(11.0, 11.0));
    icons::paint(ui.painter(), mark, if open { Icon::Dot } else { Icon::Ring }, if open { t.added } else { t.faint });
    let (top, bottom) = rect.split_top_bottom_at_fraction(0.5);
    text(ui, top.translate(vec2(0.0, 2.0)), 22.0, path, if open { t.strong } else { t.muted }, 13.5);
    text(ui, bottom.translate(vec2(0.0, -2.0)), 22.0, &format!("{user} · {}", format::clock(session.opened)), t.muted, 11.5);
    if response.clicked() {
        cx.push(Action::Scope(scope));
    }
    response.on_hover_ui(|ui| facts(cx, ui, session));
    if let Some(view) = &session.view {
        view_rows(cx, ui, session, view, None);
    }
    for child in &session.children {
        view_rows(cx, ui, session, child, child.id.as_deref());
    }
    ui.add_space(5.0);
}

fn facts(cx: &Cx<'_>, ui: &mut Ui, session: &Session) {
    let mut lines = vec![format!("session {}", session.id)];
    lines.extend(session.client.as_ref().map(|client| format!("from {client}")));
    lines.extend(session.user_agent.as_ref().map(|agent| format::clip(agent, 90)));
    lines.extend(session.pid.map(|pid| format!("process {pid}")));
    lines.extend(session.transport.label().map(|how| format!("over {how}, without a WebSocket")));
    lines.extend(session.succeeds.as_ref().map(|before| format!("reload of {before}")));
    if let Some(close) = &session.close {
        let code = close.code.map_or_else(String::new, |code| format!(" {code}"));
        lines.push(format!("closed{code}: {}", close.reason.as_deref().unwrap_or("no reason given")));
    }
    for line in lines {
        ui.label(RichText::new(line).color(cx.t.text));
    }
}

fn view_rows(cx: &mut Cx<'_>, ui: &mut Ui, session: &Session, view: &View, id: Option<&str>) {
    let t = cx.t;
    let key = id.map(ViewId::from);
    let scope = Scope::View(session.id.clone(), key.clone());
    let class = format::short_class(&view.class);
    let label = match id {
        None => class.to_owned(),
        Some(id) => format!("{class} {}{id}", if view.sticky { "sticky " } else { "" }),
    };
    let (rect, response) = parts::list_row(ui, 21.0, cx.model.scope == scope, &format!("View {label}"));
    let indent = if id.is_some() { 34.0 } else { 22.0 };
    if id.is_some() {
        ui.painter().vline(rect.left() + 26.0, rect.y_range(), Stroke::new(1.0, t.line));
        ui.painter().hline(rect.left() + 26.0..=rect.left() + 31.0, rect.center().y, Stroke::new(1.0, t.line));
    }
    text(ui, rect, indent, &label, t.text, 12.5);
    if view.ticks_paused {
        right(ui, rect, "paused", t.changed);
    } else if let Some(ring) = view.ring {
        right(ui, rect, &format!("{}/{}", ring.len, ring.max), t.faint);
    }
    if response.clicked() {
        cx.push(Action::Scope(scope));
    }
    let source = cx.model.current;
    let read_only = cx.model.timeline().and_then(|timeline| timeline.source().read_only());
    response.context_menu(|ui| {
        if view.tick_ms.is_some()
            && let Some(source) = source
        {
            let paused = !view.ticks_paused;
            let words = if paused { "Pause ticks" } else { "Resume ticks" };
            let pause = ui.add_enabled(read_only.is_none(), Button::new(words));
            if pause.on_disabled_hover_text(read_only.as_deref().unwrap_or_default()).clicked() {
                cx.push(Action::Send(Box::new(Request::Ticks { source, session: session.id.clone(), view: key.clone(), paused })));
                ui.close();
            }
        }
        if ui.button("Copy class path").clicked() {
            cx.push(Action::Copy(view.class.clone(), "the class path"));
            ui.close();
        }
    });
    response.on_hover_ui(|ui| {
        ui.label(RichText::new(&view.class).monospace());
        if let Some(file) = &view.file {
            ui.label(RichText::new(format!("{file}:{}", view.line.unwrap_or(1))).color(t.muted));
        }
        if view.time_travel {
            ui.label("time_travel_enabled");
        }
        if view.use_actors {
            ui.label("use_actors: the state cannot be put back");
        }
        if view.tick_ms.is_some() {
            ui.label("Right-click to pause its ticks");
        }
    });
    // Ticks can be stopped without the context menu, too.
    if let (Some(ms), Some(source)) = (view.tick_ms, source)
        && session.is_open()
    {
        ui.horizontal(|ui| {
            ui.add_space(indent);
            let words = if view.ticks_paused { "Resume ticks" } else { "Pause ticks" };
            let tip = format!("tick_interval {ms:.0} ms");
            let button = Button::new(RichText::new(words).size(11.5).color(t.muted)).small();
            let pause = ui.add_enabled(read_only.is_none(), button).on_hover_text(tip);
            if pause.on_disabled_hover_text(read_only.as_deref().unwrap_or_default()).clicked() {
                let paused = !view.ticks_paused;
                cx.push(Action::Send(Box::new(Request::Ticks { source, session: session.id.clone(), view: key.clone(), paused })));
            }
        });
    }
    for component in &view.components {
        let words = format!("{} {}", format::short_class(&component.class), component.id);
        let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 18.0), egui::Sense::hover());
        ui.painter().circle_filled(pos2(rect.left() + indent + 8.0, rect.center().y), 1.8, t.faint);
        text(ui, rect, indent + 14.0, &words, t.muted, 12.0);
    }
}
