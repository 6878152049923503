//! Every djust key: type, default, effective value, where it is set, what is to be said about it, and what was seen of it.

mod facts;
mod groups;
mod row;
mod views;

use egui::{RichText, TextEdit, Ui};
use inspector_model::{AdviceLevel, ConfigKey, Configuration, KeyAdvice, Timeline, Value};
use serde_json::Value as Json;

use super::page;
use super::tally::Tally;
use crate::app::action::Cx;
use crate::format;
use crate::widgets::icons::{self, Icon};
use crate::widgets::parts;

/// What the view remembers.
#[derive(Default)]
pub struct Config {
    search: String,
    changed_only: bool,
    advised_only: bool,
    /// The class whose attributes are shown.
    class: Option<String>,
    /// The section to be scrolled to.
    go: Option<&'static str>,
}

/// What is looked for.
struct Wanted {
    search: String,
    changed_only: bool,
    advised_only: bool,
}

impl Wanted {
    /// Whether there is one of the texts that has what is searched for.
    fn finds<'a>(&self, texts: impl IntoIterator<Item = &'a str>) -> bool {
        self.search.is_empty() || texts.into_iter().any(|text| text.to_lowercase().contains(&self.search))
    }

    fn has(&self, key: &ConfigKey) -> bool {
        (!self.changed_only || key.differs())
            && (!self.advised_only || key.is_advised())
            && (self.finds([key.key.as_str(), &key.doc, &key.source])
                || self.finds([key.value.to_string().as_str()])
                || self.finds(advice_texts(&key.advice)))
    }

    fn is_narrow(&self) -> bool {
        !self.search.is_empty() || self.changed_only || self.advised_only
    }
}

fn advice_texts(advice: &[KeyAdvice]) -> impl Iterator<Item = &str> {
    advice.iter().flat_map(|advice| [advice.why.as_str(), advice.level.word(), advice.action.as_deref().unwrap_or_default()])
}

/// A typed value in Python's spelling.
fn shown(json: &Json) -> (String, Option<Value>) {
    match serde_json::from_value::<Value>(json.clone()) {
        Ok(value) => (value.summary(400), Some(value)),
        Err(_) => (format::clip(&json.to_string(), 400), None),
    }
}

/// Draws the view.
pub fn ui(state: &mut Config, tally: &mut Tally, cx: &mut Cx<'_>, ui: &mut Ui) {
    let model = cx.model;
    let Some(timeline) = model.timeline() else { return };
    if tally.refresh(timeline) {
        ui.ctx().request_repaint();
    }
    let config = timeline.config();
    page(ui, "Configuration", "What djust is really set to in this process, who set it, and what came of it", 1180.0, |ui| {
        if config.keys.is_empty() {
            parts::empty(ui, "No configuration yet", "It arrives when the server is attached; recordings of older versions have none");
            return;
        }
        summary(cx, ui, config);
        ui.add_space(6.0);
        switches(state, cx, ui);
        let wanted =
            Wanted { search: state.search.trim().to_lowercase(), changed_only: state.changed_only, advised_only: state.advised_only };
        let mut sections = groups::grouped(config);
        for (_, keys) in &mut sections {
            keys.retain(|(key, _)| wanted.has(key));
        }
        sections.retain(|(_, keys)| !keys.is_empty());
        let views = views::found(&config.views, &wanted);
        let has_views = !views.is_empty() || (config.views.is_empty() && !wanted.is_narrow());
        contents(state, ui, sections.iter().map(|(title, _)| *title).chain(has_views.then_some(views::TITLE)));
        let go = state.go.take();
        for (title, keys) in &sections {
            heading(cx, ui, title, keys.len(), go);
            group(cx, ui, timeline, tally, keys);
        }
        if has_views {
            heading(cx, ui, views::TITLE, views.len(), go);
            views::ui(&mut state.class, cx, ui, timeline, tally, &views, &wanted);
        }
        let any = !sections.is_empty() || has_views;
        if !any {
            nothing(state, ui);
        }
    });
}

/// What a person wants to know first: how many keys, how many are not djust's own, how many are wrong.
fn summary(cx: &Cx<'_>, ui: &mut Ui, config: &Configuration) {
    let t = cx.t;
    let all = || config.keys.iter().chain(&config.related);
    let views = || config.views.iter().flat_map(|view| view.attributes.values());
    let differs = all().filter(|key| key.differs()).count() as u64;
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        parts::chip(ui, &format::plural(all().count() as u64, "key", "keys"), t.muted, t.raised);
        parts::chip(ui, &format!("{} documented", config.keys.len()), t.muted, t.raised);
        parts::chip(ui, &format!("{differs} not the default"), t.accent, t.info_bg);
        for level in [AdviceLevel::Risky, AdviceLevel::Ineffective, AdviceLevel::Ignored, AdviceLevel::Deprecated] {
            let number = all().map(|key| &key.advice).chain(views().map(|attribute| &attribute.advice));
            let number = number.filter(|advice| advice.iter().any(|advice| advice.level == level)).count();
            if number > 0 {
                let (ink, ground) = row::colors(t, level);
                parts::chip(ui, &format!("{number} {}", level.word()), ink, ground);
            }
        }
    });
}

fn switches(state: &mut Config, cx: &Cx<'_>, ui: &mut Ui) {
    ui.horizontal_wrapped(|ui| {
        icons::show(ui, Icon::Search, 14.0, cx.t.muted);
        let width = (ui.available_width() - 30.0).clamp(120.0, 320.0);
        let edit = ui.add(TextEdit::singleline(&mut state.search).hint_text("Search keys, values and advice").desired_width(width));
        edit.accessible_name("Search configuration");
        ui.checkbox(&mut state.changed_only, "Only changed from default");
        ui.checkbox(&mut state.advised_only, "Only with advice");
    });
}

fn nothing(state: &mut Config, ui: &mut Ui) {
    let why = if state.search.trim().is_empty() {
        "No key is like that: nothing differs, or nothing is to be said".to_owned()
    } else {
        format!("No key, value or advice has “{}”", format::clip(state.search.trim(), 60))
    };
    parts::empty(ui, "Nothing to show", &why);
    ui.vertical_centered(|ui| {
        if ui.button("Show all keys").clicked() {
            *state = Config { class: state.class.take(), ..Config::default() };
        }
    });
}

/// The sections by name: a click scrolls there.
fn contents(state: &mut Config, ui: &mut Ui, titles: impl Iterator<Item = &'static str>) {
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 14.0;
        for title in titles {
            let link = ui.link(RichText::new(title).size(12.5));
            link.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Link, true, format!("Go to {title}")));
            if link.clicked() {
                state.go = Some(title);
                ui.ctx().request_repaint();
            }
        }
    });
}

fn group(cx: &mut Cx<'_>, ui: &mut Ui, timeline: &Timeline, tally: &mut Tally, keys: &[(&ConfigKey, bool)]) {
    parts::card(ui, |ui| {
        for (index, (key, documented)) in keys.iter().enumerate() {
            if index > 0 {
                ui.separator();
            }
            let facts = facts::of(key, timeline, tally);
            ui.push_id((&key.key, &key.group, *documented), |ui| row::key(cx, ui, key, *documented, &facts));
        }
    });
}

fn heading(cx: &Cx<'_>, ui: &mut Ui, title: &str, number: usize, go: Option<&str>) {
    let response = parts::heading(cx.t, ui, title, number);
    if go == Some(title) {
        response.scroll_to_me(Some(egui::Align::Min));
    }
}
