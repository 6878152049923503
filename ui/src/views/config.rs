//! Every documented djust key: type, default, effective value, where it is set, and its traps.

use egui::{RichText, TextEdit, Ui};
use inspector_model::{ConfigKey, Level, Value, ViewConfig};
use serde_json::Value as Json;

use super::page;
use crate::app::action::Cx;
use crate::format;
use crate::theme::Tokens;
use crate::widgets::icons::{self, Icon};
use crate::widgets::{parts, rich};

/// What the view remembers.
#[derive(Default)]
pub struct Config {
    search: String,
    changed_only: bool,
}

/// A typed value in Python's spelling.
fn shown(json: &Json) -> (String, Option<Value>) {
    match serde_json::from_value::<Value>(json.clone()) {
        Ok(value) => (value.summary(120), Some(value)),
        Err(_) => (format::clip(&json.to_string(), 120), None),
    }
}

/// Draws the view.
pub fn ui(state: &mut Config, cx: &mut Cx<'_>, ui: &mut Ui) {
    let Some(timeline) = cx.model.timeline() else { return };
    let config = timeline.config();
    let t = cx.t;
    page(ui, "Configuration", "What djust is really set to in this process, and who set it", 1080.0, |ui| {
        if config.keys.is_empty() {
            parts::empty(ui, "No configuration yet", "It arrives when the server is attached; recordings of older versions have none");
            return;
        }
        ui.horizontal(|ui| {
            icons::show(ui, Icon::Search, 14.0, t.muted);
            let edit = ui.add(TextEdit::singleline(&mut state.search).hint_text("Search keys, values and traps").desired_width(320.0));
            edit.accessible_name("Search configuration");
            ui.checkbox(&mut state.changed_only, "Only what differs from the default");
        });
        let search = state.search.trim().to_lowercase();
        for (group, title) in [("setting", "Settings"), ("class", "Class attributes, as the base class has them")] {
            keys(t, ui, title, config.keys.iter().filter(|key| key.group == group), &search, state.changed_only);
        }
        keys(t, ui, "Related, not documented", config.related.iter(), &search, state.changed_only);
        views(t, ui, &config.views, &search);
    });
}

fn fits(key: &ConfigKey, search: &str) -> bool {
    search.is_empty()
        || key.key.to_lowercase().contains(search)
        || key.doc.to_lowercase().contains(search)
        || key.source.to_lowercase().contains(search)
        || key.value.to_string().to_lowercase().contains(search)
        || key.traps.iter().any(|trap| trap.to_lowercase().contains(search))
}

fn keys<'a>(t: &Tokens, ui: &mut Ui, title: &str, keys: impl Iterator<Item = &'a ConfigKey>, search: &str, changed_only: bool) {
    let keys: Vec<_> = keys.filter(|key| fits(key, search) && (!changed_only || key.value != key.default)).collect();
    if keys.is_empty() {
        return;
    }
    ui.add_space(10.0);
    parts::section(ui, &format!("{title} ({})", keys.len()));
    parts::card(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 3.0;
        for (index, key) in keys.into_iter().enumerate() {
            if index > 0 {
                ui.separator();
            }
            ui.push_id(&key.key, |ui| one(t, ui, key));
        }
    });
}

fn value_label(t: &Tokens, ui: &mut Ui, json: &Json, strong: bool) {
    let (text, value) = shown(json);
    let ink = if strong { value.map_or(t.text, |value| rich::ink(t, &value)) } else { t.muted };
    parts::line_label(ui, RichText::new(rich::one_line(&text)).monospace().color(ink)).on_hover_text(text);
}

fn one(t: &Tokens, ui: &mut Ui, key: &ConfigKey) {
    let differs = key.value != key.default;
    let width = ui.available_width();
    ui.horizontal(|ui| {
        let column = |ui: &mut Ui, width: f32, add: &mut dyn FnMut(&mut Ui)| {
            ui.allocate_ui_with_layout(egui::vec2(width, 20.0), egui::Layout::left_to_right(egui::Align::Center), |ui| {
                ui.set_width(width);
                add(ui);
            });
        };
        column(ui, width * 0.25, &mut |ui| {
            parts::line_label(ui, RichText::new(&key.key).monospace().color(t.strong));
        });
        column(ui, width * 0.12, &mut |ui| {
            parts::line_label(ui, RichText::new(&key.kind).size(12.0).color(t.muted));
        });
        column(ui, width * 0.24, &mut |ui| {
            value_label(t, ui, &key.value, true);
        });
        column(ui, width * 0.32, &mut |ui| {
            if differs {
                ui.label(RichText::new("default").size(12.0).color(t.faint));
                value_label(t, ui, &key.default, false);
            } else {
                ui.label(RichText::new("is the default").size(12.0).color(t.faint));
            }
        });
    });
    ui.horizontal_wrapped(|ui| {
        if !key.doc.is_empty() {
            ui.label(RichText::new(&key.doc).size(12.5).color(t.muted));
        }
        if !key.source.is_empty() && key.source != "default" {
            ui.label(RichText::new(format!("set in {}", key.source)).size(12.0).color(if differs { t.accent } else { t.faint }));
        }
    });
    for trap in &key.traps {
        parts::note(ui, Level::Warning, trap);
    }
}

fn views(t: &Tokens, ui: &mut Ui, views: &[ViewConfig], search: &str) {
    if views.is_empty() {
        return;
    }
    ui.add_space(10.0);
    parts::section(ui, &format!("Per view ({})", views.len()));
    for view in views {
        let hit = search.is_empty() || view.class.to_lowercase().contains(search) || view.attributes.keys().any(|key| key.contains(search));
        if !hit {
            continue;
        }
        let title = RichText::new(&view.class).monospace().color(t.strong);
        egui::CollapsingHeader::new(title).id_salt(&view.class).show(ui, |ui| {
            if let Some(file) = &view.file {
                ui.label(RichText::new(format!("{file}:{}", view.line.unwrap_or(1))).size(12.0).color(t.muted));
            }
            egui::Grid::new(("view", &view.class)).num_columns(3).spacing([18.0, 3.0]).show(ui, |ui| {
                for (key, attribute) in &view.attributes {
                    let own = attribute.source == view.class;
                    ui.label(RichText::new(key).monospace().color(if own { t.strong } else { t.muted }));
                    let (text, value) = shown(&attribute.value);
                    ui.label(RichText::new(format::clip(&text, 60)).monospace().color(value.map_or(t.text, |value| rich::ink(t, &value))));
                    ui.label(RichText::new(format::short_class(&attribute.source)).size(12.0).color(if own { t.accent } else { t.faint }));
                    ui.end_row();
                    for trap in &attribute.traps {
                        ui.label("");
                        ui.label(RichText::new(format::clip(trap, 110)).size(12.5).color(t.changed));
                        ui.end_row();
                    }
                }
            });
        });
    }
}
