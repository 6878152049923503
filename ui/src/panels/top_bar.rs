//! What is looked at, how it is connected, what was recorded; and the way to everything else.

use egui::{Align, Button, Frame, Layout, Margin, Panel, RichText, Role, Stroke, Ui, WidgetInfo};
use inspector_model::{SourceKind, SourceState};

use super::layout;
use super::messages::{self, MessagesPanel};
use crate::app::action::{Action, Cx};
use crate::app::model::Page;
use crate::app::startup::ThemeChoice;
use crate::commands::UiCommand;
use crate::format;
use crate::theme;
use crate::widgets::icons::{self, Icon};
use crate::widgets::parts;

/// The whole-window views of a source, in the order of their keys.
const PAGES: [UiCommand; 6] = [
    UiCommand::ShowSteps,
    UiCommand::ShowConfig,
    UiCommand::ShowRate,
    UiCommand::ShowReload,
    UiCommand::ShowHealth,
    UiCommand::ShowCompare,
];

/// Room that the buttons at the right end need, points.
const RIGHT: f32 = 232.0;

/// Draws the bar.
pub fn ui(state: &mut MessagesPanel, cx: &mut Cx<'_>, ui: &mut Ui) {
    let t = cx.t;
    Panel::top("top").frame(Frame::new().fill(t.panel).inner_margin(Margin::symmetric(10, 6))).resizable(false).show(ui, |ui| {
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = 6.0;
            let home = cx.model.page == Page::Start;
            if icons::toggle(ui, Icon::Logo, UiCommand::ShowStart.text(), true, home)
                .on_hover_text(parts::command_tip(ui, UiCommand::ShowStart))
                .clicked()
            {
                cx.run(UiCommand::ShowStart);
            }
            sources(cx, ui);
            if cx.model.timeline().is_some() {
                ui.add_space(8.0);
                pages(cx, ui);
            }
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                theme_button(cx, ui);
                let settings = cx.model.page == Page::Settings;
                parts::command_icon(cx, ui, UiCommand::ShowSettings, Icon::Gear, settings);
                if cx.model.page == Page::Steps && cx.model.timeline().is_some() {
                    let response = icons::button(ui, Icon::Panes, "Panes", true).on_hover_text("Which panes are shown");
                    egui::Popup::menu(&response)
                        .close_behavior(egui::PopupCloseBehavior::CloseOnClickOutside)
                        .show(|ui| layout::panes_menu(cx, ui));
                }
                messages::ui(state, cx, ui);
                let key = parts::key_words(ui.ctx(), UiCommand::Palette).unwrap_or_default();
                if ui.available_width() < 190.0 {
                    parts::command_icon(cx, ui, UiCommand::Palette, Icon::Search, false);
                } else if ui.add(Button::new(RichText::new(format!("Commands  {key}")).size(12.5).color(t.muted)).fill(t.ground)).clicked()
                {
                    cx.run(UiCommand::Palette);
                }
                super::work::ui(cx, ui);
                ui.add_space(6.0);
                if ui.available_width() > 60.0 {
                    recorded(cx, ui);
                }
            });
        });
    });
}

fn theme_button(cx: &mut Cx<'_>, ui: &mut Ui) {
    let (icon, name) = match cx.theme {
        ThemeChoice::System => (Icon::Screen, "as the system is"),
        ThemeChoice::Dark => (Icon::Moon, "dark"),
        ThemeChoice::Light => (Icon::Sun, "light"),
    };
    let response = icons::button(ui, icon, UiCommand::ToggleTheme.text(), true).on_hover_text(format!("Theme: {name}. Click to change"));
    if response.clicked() {
        cx.run(UiCommand::ToggleTheme);
    }
    response.context_menu(|ui| {
        for (choice, name) in [(ThemeChoice::System, "As the system is"), (ThemeChoice::Dark, "Dark"), (ThemeChoice::Light, "Light")] {
            if ui.button(name).clicked() {
                cx.push(Action::Theme(choice));
            }
        }
    });
}

/// The state of a connection as colour, shape and word.
fn state_mark(cx: &Cx<'_>, state: &SourceState) -> (egui::Color32, Icon, String) {
    let t = cx.t;
    match state {
        SourceState::Attached => (t.added, Icon::Dot, "Attached".to_owned()),
        SourceState::Connecting => (t.changed, Icon::Ring, "Connecting".to_owned()),
        SourceState::Lost { attempt, why, .. } => (t.changed, Icon::Warning, format!("Connection lost, attempt {attempt}: {why}")),
        SourceState::Ended { reason } => (t.muted, Icon::Cross, format!("Ended: {reason}")),
        SourceState::Replaying => (t.accent, Icon::Play, "Recording".to_owned()),
    }
}

fn sources(cx: &mut Cx<'_>, ui: &mut Ui) {
    let t = cx.t;
    let Some(timeline) = cx.model.timeline() else {
        ui.label(RichText::new("djust inspector").color(t.strong));
        return;
    };
    let source = timeline.source();
    let (color, icon, words) = state_mark(cx, &source.state);
    icons::show(ui, icon, 12.0, color).on_hover_text(&words);
    let room = ui.available_width();
    let title = format::clip(
        &source.title,
        match room {
            820.0.. => 36,
            440.0.. => 24,
            _ => 8,
        },
    );
    let model = cx.model;
    let menu = ui.menu_button(RichText::new(format!("{title}  ▾")).color(t.strong), |ui| {
        ui.set_min_width(260.0);
        for other in &model.timelines {
            let (_, _, words) = state_mark(cx, &other.source().state);
            let text = format!("{}   {}", format::clip(&other.source().title, 40), format::clip(&words, 30));
            if ui.selectable_label(Some(other.id()) == model.current, text).clicked() {
                cx.push(Action::Source(other.id()));
                ui.close();
            }
        }
        ui.separator();
        for command in [UiCommand::Export, UiCommand::ShowStart, UiCommand::OpenFile, UiCommand::CloseSource] {
            let enabled = command.enabled(cx.model);
            let button = ui.add_enabled(enabled.is_ok(), Button::new(command.text())).on_hover_text(parts::command_tip(ui, command));
            if button.on_disabled_hover_text(enabled.err().unwrap_or_default()).clicked() {
                cx.run(command);
                ui.close();
            }
        }
    });
    menu.response.widget_info(|| WidgetInfo::labeled(Role::ComboBox, true, "Source"));
    let mut facts = Vec::new();
    if let SourceKind::Live { url } = &source.kind
        && !source.title.contains(url.trim_start_matches("http://").trim_end_matches('/'))
    {
        facts.push(format::clip(url, 40));
    }
    if let Some(server) = &source.server {
        facts.push(format!("djust {}", server.djust));
    }
    if ui.available_width() > 820.0 {
        ui.label(RichText::new(facts.join(" · ")).size(12.5).color(t.muted)).on_hover_text(server_words(cx));
    }
    if room > 440.0 && source.server.as_ref().is_some_and(|server| server.debug) {
        parts::chip(ui, "DEBUG", t.changed, t.changed_bg);
    }
    if source.is_attached()
        && let Some(workers) = source.server.as_ref().map(|server| &server.workers)
        && let Some(words) = workers.words()
    {
        let (ink, ground) = if workers.sees_all() { (t.text, t.raised) } else { (t.changed, t.changed_bg) };
        parts::chip(ui, &words, ink, ground).on_hover_text(workers.explained());
    }
    if source.is_attached()
        && let Some(why) = source.read_only()
    {
        parts::chip(ui, "Read-only", t.text, t.raised).on_hover_text(why);
    }
    if let SourceState::Lost { attempt, .. } = &source.state {
        parts::chip(ui, &format!("Lost, attempt {attempt}"), t.changed, t.changed_bg).on_hover_text(words);
    } else if let SourceState::Ended { .. } = &source.state {
        parts::chip(ui, "Ended", t.muted, t.raised).on_hover_text(words);
    }
}

fn server_words(cx: &Cx<'_>) -> String {
    let Some(server) = cx.model.timeline().and_then(|timeline| timeline.source().server.as_ref()) else {
        return "Server not known yet".into();
    };
    format!(
        "{}\nprocess {}\ndjust {}, Django {}, Python {}\n{}\nchannel layer: {}\nautoreload: {}",
        server.cwd,
        server.pid,
        server.djust,
        server.django,
        server.python,
        server.asgi.as_deref().unwrap_or("unknown server"),
        server.channel_layer.as_deref().unwrap_or("none"),
        server.autoreload.as_deref().unwrap_or("none")
    )
}

fn pages(cx: &mut Cx<'_>, ui: &mut Ui) {
    let t = cx.t;
    let advice = cx
        .model
        .timeline()
        .and_then(|timeline| timeline.source().server.as_ref())
        .map_or(0, |server| server.advice.len() + server.missing.len());
    let name = |command: UiCommand| match command {
        UiCommand::ShowHealth if advice > 0 => format!("{} {advice}", command.text()),
        command => command.text().to_owned(),
    };
    let font = theme::text(13.0);
    let width: f32 = PAGES
        .map(|command| {
            ui.painter().layout_no_wrap(name(command), font.clone(), t.text).size().x + 2.0 * ui.spacing().button_padding.x + 1.0
        })
        .iter()
        .sum();
    if width > ui.available_width() - RIGHT {
        let shown = PAGES.into_iter().find(|command| command.page() == Some(cx.model.page));
        let words = shown.map_or_else(|| "Views".to_owned(), name);
        let menu = ui.menu_button(RichText::new(format!("{words}  ▾")).font(font), |ui| {
            for command in PAGES {
                if ui.button(name(command)).on_hover_text(parts::command_tip(ui, command)).clicked() {
                    cx.run(command);
                    ui.close();
                }
            }
        });
        menu.response.widget_info(|| WidgetInfo::labeled(Role::ComboBox, true, "Views"));
        return;
    }
    ui.spacing_mut().item_spacing.x = 1.0;
    for command in PAGES {
        let on = command.page() == Some(cx.model.page);
        let ink = if on { t.strong } else { t.muted };
        let ground = if on { t.selected } else { t.panel };
        let button = Button::new(RichText::new(name(command)).font(font.clone()).color(ink)).fill(ground).stroke(Stroke::NONE);
        let response = ui.add(button).on_hover_text(parts::command_tip(ui, command));
        response.widget_info(|| WidgetInfo::selected(Role::Tab, true, on, command.text()));
        if response.clicked() {
            cx.run(command);
        }
    }
}

fn recorded(cx: &Cx<'_>, ui: &mut Ui) {
    let t = cx.t;
    let Some(timeline) = cx.model.timeline() else { return };
    let recorder = &timeline.source().recorder;
    let steps = timeline.steps();
    let last = steps.last().map_or(0.0, |step| step.started);
    let start = if recorder.started > 0.0 { recorder.started } else { steps.get(0).map_or(0.0, |step| step.started) };
    let text = format!(
        "{} · {} · {}",
        format::span(last - start),
        format::plural(steps.len() as u64, "step", "steps"),
        format::bytes(recorder.bytes)
    );
    // Laid out from the right; left out where the bar is too narrow.
    if ui.available_width() > 230.0 {
        ui.label(RichText::new(text).size(12.5).color(t.muted)).on_hover_text("Time from the first to the last step, steps, size on disk");
    }
    if timeline.source().is_attached() {
        match (&recorder.stopped, &recorder.paused) {
            (None, None) => icons::show(ui, Icon::Dot, 12.0, t.removed).on_hover_text("Recording"),
            (None, Some(why)) => parts::chip(ui, "Recording paused", t.removed, t.removed_bg).on_hover_text(why),
            (Some(why), _) => parts::chip(ui, "Recording stopped", t.removed, t.removed_bg).on_hover_text(why),
        };
    }
    if let Some((first, last)) = recorder.thinned {
        let words = format!(
            "Of the steps {first} to {last} whole states were dropped to stay within what is kept. What changed is still known;              steps that went wrong, were slow or are marked keep theirs. Settings says how much is kept"
        );
        parts::chip(ui, "Thinned", t.muted, t.raised).on_hover_text(words);
    }
    if let Some(why) = &recorder.damaged {
        parts::chip(ui, "Damaged", t.changed, t.changed_bg).on_hover_text(why);
    }
}
