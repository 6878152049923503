//! Which two views are compared.

use egui::{Align, Button, Layout, RichText, Role, Ui, WidgetInfo};
use inspector_model::{Session, SourceStream, Timeline, View};

use crate::app::action::{Action, Cx};
use crate::app::compare::{CompareWish, Hand};
use crate::app::model::Model;
use crate::format;
use crate::widgets::icons::{self, Icon};
use crate::widgets::parts;

/// Pages of one source that are offered.
const MOST_PAGES: usize = 60;

/// Draws both choices.
pub fn ui(cx: &mut Cx<'_>, ui: &mut Ui) {
    let gap = 44.0;
    let width = ((ui.available_width() - gap) * 0.5).max(80.0);
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = 0.0;
        one(cx, ui, Hand::Left, width);
        ui.allocate_ui_with_layout(egui::vec2(gap, 40.0), Layout::centered_and_justified(egui::Direction::LeftToRight), |ui| {
            if icons::button(ui, Icon::Swap, "Swap sides", true).on_hover_text("Left becomes right").clicked() {
                cx.push(Action::Compare(CompareWish::Swap));
            }
        });
        one(cx, ui, Hand::Right, width);
    });
}

fn one(cx: &mut Cx<'_>, ui: &mut Ui, hand: Hand, width: f32) {
    let t = cx.t;
    let model = cx.model;
    let chosen = model.compare.chosen(hand);
    let (title, facts) = words(model, chosen);
    ui.allocate_ui_with_layout(egui::vec2(width, 40.0), Layout::top_down(Align::LEFT), |ui| {
        ui.set_width(width);
        let text = RichText::new(format::clip(&title, (width / 8.5) as usize)).color(if chosen.is_some() { t.strong } else { t.muted });
        let button = Button::new(text).right_text(RichText::new("▾").color(t.muted)).min_size(egui::vec2(width, 24.0)).truncate();
        let (response, _) = egui::containers::menu::MenuButton::from_button(button).ui(ui, |ui| menu(cx, ui, hand));
        let name = if hand == Hand::Left { "Left side" } else { "Right side" };
        response.widget_info(|| WidgetInfo { current_text_value: Some(title.clone()), ..WidgetInfo::labeled(Role::ComboBox, true, name) });
        response.on_hover_text(&title);
        parts::line_label(ui, RichText::new(facts).size(12.0).color(t.muted));
    });
}

/// What is compared, and facts about it.
fn words(model: &Model, chosen: Option<&SourceStream>) -> (String, String) {
    let nothing = || ("Choose a page or recording".to_owned(), "Nothing is chosen for this side".to_owned());
    let Some((source, stream)) = chosen else { return nothing() };
    let Some(timeline) = model.timeline_of(*source) else { return nothing() };
    let Some(session) = timeline.sessions().get(&stream.0) else { return nothing() };
    let steps = timeline.stream(stream).len() as u64;
    let facts = format!("{}  ·  {}", format::clip(&timeline.source().title, 60), format::plural(steps, "step", "steps"));
    (page_words(session, session.view_of(stream.1.as_ref())), facts)
}

/// `alice  /cart/  CartView  2026-11-23 12:03:01`.
fn page_words(session: &Session, view: Option<&View>) -> String {
    let mut words = vec![format::clip(session.user_name(), 40)];
    words.extend(session.path.as_deref().map(|path| format::clip(path, 60)));
    words.extend(view.map(|view| format::clip(format::short_class(&view.class), 60)));
    words.push(format!("{}{}", format::date(session.opened), format::clock(session.opened).get(5..8).unwrap_or_default()));
    words.join("  ")
}

fn menu(cx: &mut Cx<'_>, ui: &mut Ui, hand: Hand) {
    let t = cx.t;
    let model = cx.model;
    ui.set_min_width(320.0);
    ui.set_max_width(520.0);
    egui::ScrollArea::vertical().max_height(420.0).show(ui, |ui| {
        for timeline in &model.timelines {
            parts::section(ui, &format::clip(&timeline.source().title, 60));
            pages(cx, ui, hand, timeline);
        }
        let open = |id: &inspector_model::RecordingId| {
            model.timelines.iter().any(|timeline| timeline.source().recorder.recording.as_ref() == Some(id))
        };
        let closed: Vec<_> = model.recordings.iter().filter(|recording| !recording.recording && !open(&recording.id)).collect();
        if !closed.is_empty() {
            ui.separator();
            parts::section(ui, "Open a recording of the library");
        }
        for recording in closed.into_iter().take(MOST_PAGES) {
            let words = format!("{}   {}", format::clip(&recording.title, 50), format::date(recording.started));
            let button = ui.add(Button::new(words).frame(false));
            let name = format!("Compare with {}", format::clip(&recording.title, 50));
            button.widget_info(|| WidgetInfo::labeled(Role::Button, true, &name));
            if button.clicked() {
                cx.push(Action::Compare(CompareWish::Open(hand, recording.id.clone())));
                ui.close();
            }
        }
        if model.timelines.is_empty() {
            ui.label(RichText::new("Attach to a server or open a recording first").color(t.muted));
        }
    });
}

fn pages(cx: &mut Cx<'_>, ui: &mut Ui, hand: Hand, timeline: &Timeline) {
    let mut sessions: Vec<&Session> = timeline.sessions().values().collect();
    sessions.sort_by(|a, b| b.opened.total_cmp(&a.opened));
    let mut any = false;
    for session in sessions.into_iter().take(MOST_PAGES) {
        let children = session.children.iter().map(|child| (child.id.as_deref().map(Into::into), Some(child)));
        for (id, view) in std::iter::once((None, session.view.as_ref())).chain(children) {
            let stream = (session.id.clone(), id);
            let steps = timeline.stream(&stream).len();
            if steps == 0 {
                continue;
            }
            any = true;
            let chosen = (timeline.id(), stream);
            let on = cx.model.compare.chosen(hand) == Some(&chosen);
            let words = format!("{}   {steps}", page_words(session, view));
            let button = ui.add(Button::selectable(on, &words));
            let name = format!("Compare {}", page_words(session, view));
            button.widget_info(|| WidgetInfo::selected(Role::MenuItemRadio, true, on, &name));
            if button.clicked() {
                cx.push(Action::Compare(CompareWish::Choose(hand, chosen)));
                ui.close();
            }
        }
    }
    if !any {
        ui.label(RichText::new("No page with steps").size(12.0).color(cx.t.muted));
    }
}
