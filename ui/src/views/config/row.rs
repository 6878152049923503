//! How one key is drawn: its name at the left, its value, what was seen and what is to be said at the right.

use egui::{Align, Button, Layout, RichText, Role, Ui, WidgetInfo, vec2};
use inspector_model::{AdviceLevel, ConfigKey, KeyAdvice, Scope};
use serde_json::Value as Json;

use super::facts::{Fact, Facts, Link, Meter};
use super::shown;
use crate::app::action::{Action, Cx};
use crate::app::model::Page;
use crate::theme::Tokens;
use crate::widgets::icons::{self, Icon};
use crate::widgets::{parts, rich};

/// Below this width the two columns stand under each other, points.
const NARROW: f32 = 640.0;

/// Room of the sign before the text of an advice, points.
const INDENT: f32 = 15.0;

/// Text and ground of an advice.
pub const fn colors(t: &Tokens, level: AdviceLevel) -> (egui::Color32, egui::Color32) {
    match level {
        AdviceLevel::Risky => (t.removed, t.removed_bg),
        AdviceLevel::Ineffective | AdviceLevel::Ignored => (t.changed, t.changed_bg),
        AdviceLevel::Deprecated => (t.moved, t.raised),
        AdviceLevel::Note => (t.muted, t.raised),
    }
}

/// Two columns, or one above the other where there is no room for two.
pub fn columns(ui: &mut Ui, left: impl FnOnce(&mut Ui), right: impl FnOnce(&mut Ui)) {
    let room = ui.available_width();
    ui.spacing_mut().item_spacing.y = 3.0;
    if room < NARROW {
        left(ui);
        right(ui);
        return;
    }
    let first = (room * 0.32).min(340.0);
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = 16.0;
        let column = |ui: &mut Ui, width: f32, add: Box<dyn FnOnce(&mut Ui) + '_>| {
            ui.allocate_ui_with_layout(vec2(width, 0.0), Layout::top_down(Align::Min), |ui| {
                ui.set_width(width);
                add(ui);
            });
        };
        column(ui, first, Box::new(left));
        column(ui, room - first - 16.0, Box::new(right));
    });
}

/// A key.
pub fn key(cx: &mut Cx<'_>, ui: &mut Ui, key: &ConfigKey, documented: bool, facts: &Facts) {
    let t = cx.t;
    columns(
        ui,
        |ui| {
            parts::line_label(ui, RichText::new(&key.key).monospace().color(t.strong)).on_hover_text(&key.key);
            let mut doc: Vec<&str> = vec![&key.kind, &key.doc];
            if !documented {
                doc.insert(1, "not documented");
            }
            doc.retain(|part| !part.is_empty());
            let doc = doc.join(" · ");
            ui.add(egui::Label::new(RichText::new(doc).size(12.0).color(t.muted)).wrap());
        },
        |ui| {
            value_line(cx, ui, &key.key, &key.value, key.differs(), &place_words(key));
            if key.differs() {
                line(ui, "default", &key.default, t.muted, t);
            }
            told(cx, ui, &key.key, facts);
            advice(cx, ui, &key.advice);
        },
    );
}

/// `LIVEVIEW_CONFIG · settings.py:57`.
fn place_words(key: &ConfigKey) -> (String, Option<String>) {
    let source = if key.source.is_empty() || key.source == "default" { "djust's default".to_owned() } else { key.source.clone() };
    place(&source, key.file.as_deref(), key.line)
}

/// Who set something in short, and the whole path for who wants it.
pub fn place(source: &str, file: Option<&str>, line: Option<u32>) -> (String, Option<String>) {
    let Some(file) = file else { return (source.to_owned(), None) };
    let name = file.rsplit(['/', '\\']).next().unwrap_or(file);
    let at = line.map(|line| format!(":{line}")).unwrap_or_default();
    (format!("{source} · {name}{at}"), Some(format!("{file}{at}")))
}

/// The value in force, and at the right who set it.
pub fn value_line(cx: &mut Cx<'_>, ui: &mut Ui, name: &str, value: &Json, strong: bool, (source, path): &(String, Option<String>)) {
    let t = cx.t;
    let (text, typed) = shown(value);
    ui.horizontal(|ui| {
        let room = ui.available_width();
        let side = (room * 0.46).min(300.0);
        ui.scope(|ui| {
            ui.set_max_width((room - side - 12.0).max(80.0));
            let ink = typed.as_ref().map_or(t.text, |value| rich::ink(t, value));
            let label = RichText::new(rich::one_line(&text)).monospace().color(ink);
            let response = parts::line_label(ui, if strong { label.strong() } else { label }).on_hover_text(text.as_str());
            response.widget_info(|| WidgetInfo::labeled(Role::Label, true, format!("{name} is {text}")));
        });
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if let Some(path) = path
                && icons::button(ui, Icon::Copy, &format!("Copy the place of {name}"), true).on_hover_text(format!("Copy {path}")).clicked()
            {
                cx.push(Action::Copy(path.clone(), "the place"));
            }
            let label = parts::line_label(ui, RichText::new(source).size(12.0).color(if strong { t.accent } else { t.muted }));
            if let Some(path) = path {
                label.on_hover_text(path);
            }
        });
    });
}

fn line(ui: &mut Ui, word: &str, value: &Json, ink: egui::Color32, t: &Tokens) {
    let (text, _) = shown(value);
    ui.horizontal(|ui| {
        ui.label(RichText::new(word).size(12.0).color(t.muted));
        parts::line_label(ui, RichText::new(rich::one_line(&text)).monospace().color(ink)).on_hover_text(text);
    });
}

/// What was seen, and the steps that it explains.
pub fn told(cx: &mut Cx<'_>, ui: &mut Ui, name: &str, facts: &Facts) {
    for seen in &facts.facts {
        fact(cx, ui, seen);
    }
    if facts.links.is_empty() {
        return;
    }
    ui.horizontal_wrapped(|ui| {
        for Link { text, filter } in &facts.links {
            let button = Button::new(RichText::new(text).size(12.5).color(cx.t.accent)).small();
            let response = ui.add(button).on_hover_text(format!("Show these steps: {filter}"));
            response.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("{name}: show steps, {text}")));
            if response.clicked() {
                cx.push(Action::Scope(Scope::Everywhere));
                cx.push(Action::Filter(filter.clone()));
                cx.push(Action::Show(Page::Steps));
            }
        }
    });
}

fn fact(cx: &mut Cx<'_>, ui: &mut Ui, Fact { text, meter, step }: &Fact) {
    let t = cx.t;
    let room = ui.available_width();
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        if let Some(meter) = meter {
            let (part, left) = match meter {
                Meter::Used(part) => (*part, 1.0 - part),
                Meter::Left(part) => (*part, *part),
            };
            parts::meter(ui, part as f32, 56.0, parts::left_color(t, left, t.added), text);
        }
        ui.scope(|ui| {
            ui.set_max_width((room - 80.0).max(120.0));
            parts::line_label(ui, RichText::new(text).size(12.5).color(t.text));
        });
        if let Some(step) = *step {
            let response = ui.link(RichText::new(format!("step {step}")).size(12.5));
            response.widget_info(|| WidgetInfo::labeled(Role::Link, true, format!("{text}: go to step {step}")));
            if response.clicked() {
                cx.push(Action::Select(step));
                cx.push(Action::Show(Page::Steps));
            }
        }
    });
}

/// What is to be said, the worst first.
pub fn advice(cx: &mut Cx<'_>, ui: &mut Ui, advice: &[KeyAdvice]) {
    let mut sorted: Vec<&KeyAdvice> = advice.iter().collect();
    sorted.sort_by_key(|advice| advice.level);
    for advice in sorted {
        if advice.is_advice() { warn(cx, ui, advice) } else { hint(cx, ui, advice) }
    }
}

/// Good to know: one muted line.
fn hint(cx: &mut Cx<'_>, ui: &mut Ui, advice: &KeyAdvice) {
    let t = cx.t;
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = 5.0;
        icons::show(ui, Icon::Info, 12.0, t.faint);
        let text = match &advice.action {
            Some(action) => format!("{}. {action}", advice.why),
            None => advice.why.clone(),
        };
        ui.add(egui::Label::new(RichText::new(text).size(12.5).color(t.muted)).wrap());
    });
}

/// Something is to be done: level, why, what, and the line for it.
fn warn(cx: &mut Cx<'_>, ui: &mut Ui, advice: &KeyAdvice) {
    let t = cx.t;
    let (ink, ground) = colors(t, advice.level);
    egui::Frame::new().fill(ground).corner_radius(5).inner_margin(egui::Margin::symmetric(8, 5)).show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.spacing_mut().item_spacing.y = 3.0;
        ui.horizontal_top(|ui| {
            ui.spacing_mut().item_spacing.x = 6.0;
            icons::show(ui, Icon::Warning, 13.0, ink);
            ui.label(RichText::new(advice.level.word()).size(12.5).color(ink).strong());
            ui.add(egui::Label::new(RichText::new(&advice.why).color(t.text)).wrap().selectable(true));
        });
        if let Some(action) = &advice.action {
            ui.horizontal_top(|ui| {
                ui.add_space(INDENT);
                ui.add(egui::Label::new(RichText::new(action).size(12.5).color(t.text)).wrap());
            });
        }
        if let Some(line) = &advice.line {
            ui.horizontal(|ui| {
                ui.spacing_mut().item_spacing.x = 4.0;
                ui.add_space(INDENT);
                let button = icons::button(ui, Icon::Copy, &format!("Copy {line}"), true).on_hover_text("Copy the line for the settings");
                if button.clicked() {
                    cx.push(Action::Copy(line.clone(), "the line"));
                }
                parts::line_label(ui, RichText::new(line).monospace().color(t.strong)).on_hover_text(line);
            });
        }
    });
}
