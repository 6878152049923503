//! Reloads: what each saved file did to each page, whether files are watched, and what defeats HVR here.

use egui::{RichText, Ui};
use inspector_model::{Cause, HotReloadStatus, Level, Step, StepKind, Timeline};

use super::page;
use crate::app::action::{Action, Cx};
use crate::app::edit_check::is_swap;
use crate::app::model::Page;
use crate::format;
use crate::panels::edit_check;
use crate::widgets::icons::{self, Icon};
use crate::widgets::parts;

/// Draws the view.
pub fn ui(cx: &mut Cx<'_>, ui: &mut Ui) {
    let model = cx.model;
    let Some(timeline) = model.timeline() else { return };
    page(ui, "Reload", "Hot reload takes in changed templates; HVR swaps changed view classes in open pages", 900.0, |ui| {
        if let Some(server) = &timeline.source().server {
            parts::card(ui, |ui| watcher(cx, ui, &server.hot_reload));
        }
        ui.add_space(12.0);
        parts::section(ui, "Saved files");
        saves(cx, ui, timeline);
    });
}

fn fact(cx: &Cx<'_>, ui: &mut Ui, good: bool, name: &str, words: &str) {
    let t = cx.t;
    icons::show(ui, if good { Icon::Dot } else { Icon::Ring }, 12.0, if good { t.added } else { t.changed });
    ui.label(RichText::new(name).color(t.text));
    ui.label(RichText::new(words).color(t.muted));
    ui.end_row();
}

fn watcher(cx: &Cx<'_>, ui: &mut Ui, hot: &HotReloadStatus) {
    egui::Grid::new("watcher").num_columns(3).spacing([10.0, 4.0]).show(ui, |ui| {
        fact(cx, ui, hot.available, "watchdog", if hot.available { "installed" } else { "not installed: pip install watchdog" });
        fact(cx, ui, hot.enabled, "Hot reload", if hot.enabled { "on in the settings" } else { "off: set hot_reload in LIVEVIEW_CONFIG" });
        let dirs = if hot.dirs.is_empty() { "no folder".to_owned() } else { hot.dirs.join(", ") };
        fact(
            cx,
            ui,
            hot.running,
            "Watcher",
            &if hot.running { format!("watching {}", format::clip(&dirs, 160)) } else { "not running".to_owned() },
        );
        fact(cx, ui, hot.hvr, "HVR", if hot.hvr { "on" } else { "off: set hvr_enabled" });
    });
    if let Some(by) = &hot.defeated_by {
        parts::note(ui, Level::Warning, &format!("HVR cannot help here: {by}"));
    }
}

/// The steps of pages that a save caused. `Reloaded` names the save by its key.
fn outcomes(timeline: &Timeline, save: &Step) -> Vec<Step> {
    let steps = timeline.steps();
    let from = steps.position(save.id).unwrap_or(0) as u32;
    let after = |kind| {
        let positions = timeline.of_kind(kind);
        positions[positions.partition_point(|position| *position < from)..].iter().take(500)
    };
    let mut positions: Vec<u32> = after(StepKind::HotReload).chain(after(StepKind::Hvr)).copied().collect();
    positions.sort_unstable();
    positions
        .into_iter()
        .filter_map(|position| steps.get(position as usize))
        .filter(|step| matches!(&step.cause, Some(Cause::Reloaded { reload, .. }) if *reload == save.key))
        .collect()
}

fn saves(cx: &mut Cx<'_>, ui: &mut Ui, timeline: &Timeline) {
    let t = cx.t;
    let saves = timeline.of_kind(StepKind::Reload).iter().rev().take(60);
    let saves: Vec<Step> = saves.filter_map(|position| timeline.steps().get(*position as usize)).collect();
    if saves.is_empty() {
        ui.label(
            RichText::new("No file was saved while recording. Save a template or a view of the project to see what happens").color(t.muted),
        );
        return;
    }
    for save in saves {
        ui.push_id(save.id.0, |ui| {
            parts::card(ui, |ui| {
                ui.horizontal(|ui| {
                    icons::show(ui, Icon::Kind(StepKind::Reload), 13.0, t.lane_reload);
                    ui.label(RichText::new(format::clip(&save.name, 90)).color(t.strong));
                    ui.label(RichText::new(format::clock(save.started)).size(12.0).color(t.muted));
                    if let Some(Cause::Save { file_kind, module, classes, .. }) = &save.cause {
                        parts::chip(ui, file_kind, t.muted, t.raised);
                        if let Some(module) = module {
                            ui.label(RichText::new(module).monospace().color(t.muted));
                        }
                        if !classes.is_empty() {
                            ui.label(RichText::new(format::clip(&classes.join(", "), 60)).size(12.0).color(t.muted));
                        }
                    }
                });
                let outcomes = outcomes(timeline, &save);
                if outcomes.is_empty() {
                    ui.label(RichText::new("No open page was touched").size(12.5).color(t.muted));
                }
                for step in outcomes {
                    outcome(cx, ui, &step);
                }
            });
        });
    }
}

fn outcome(cx: &mut Cx<'_>, ui: &mut Ui, step: &Step) {
    let t = cx.t;
    let Some(Cause::Reloaded { result, reason, .. }) = &step.cause else { return };
    let (ink, ground) = match result.as_str() {
        "swapped" | "patched" => (t.added, t.added_bg),
        "refused" => (t.removed, t.removed_bg),
        _ => (t.muted, t.raised),
    };
    ui.horizontal(|ui| {
        ui.add_space(20.0);
        parts::chip(ui, result, ink, ground);
        let who = cx
            .model
            .session_of(step)
            .map_or_else(|| "a page".to_owned(), |session| format!("{} {}", session.user_name(), session.path.as_deref().unwrap_or("")));
        ui.label(RichText::new(who).color(t.text));
        if let Some(reason) = reason {
            parts::line_label(ui, RichText::new(reason).color(t.muted)).on_hover_text(reason);
        }
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            if ui.small_button(format!("Step {}", step.id)).clicked() {
                cx.push(Action::Select(step.id));
                cx.push(Action::Show(Page::Steps));
            }
            if is_swap(step) {
                edit_check::button(cx, ui, step);
            }
        });
    });
    edit_check::results(cx, ui, step.id);
}
