//! Database queries of a step, with the ones that repeat flagged: the N+1 that Django developers look for.

use std::collections::HashMap;

use egui::{RichText, ScrollArea, Ui};
use inspector_model::{Level, SqlQuery, StepDetail};

use crate::format;
use crate::theme;
use crate::widgets::parts;

/// From so many equal statements on they are called repeated.
const REPEATED: usize = 3;

fn repeats(queries: &[SqlQuery]) -> HashMap<&str, usize> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for query in queries {
        *counts.entry(query.sql.as_str()).or_default() += 1;
    }
    counts
}

/// What to say about the statement that ran most often, if that was too often.
pub fn repeated(queries: &[SqlQuery]) -> Option<String> {
    let worst = repeats(queries).into_values().max().filter(|worst| *worst >= REPEATED)?;
    Some(format!("One statement ran {worst} times (N+1): load the related rows at once with select_related or prefetch_related"))
}

/// Draws the tab.
pub fn ui(ui: &mut Ui, detail: &StepDetail) {
    let t = theme::tokens(ui);
    if detail.sql.is_empty() {
        parts::empty(ui, "No queries", "This step did not ask the database");
        return;
    }
    let total: f64 = detail.sql.iter().map(|query| query.ms).sum();
    let counts = repeats(&detail.sql);
    let slowest = detail.sql.iter().map(|query| query.ms).fold(0.001, f64::max);
    ui.label(
        RichText::new(format!(
            "{}, {} ms together",
            format::plural(detail.sql.len() as u64, "query", "queries"),
            format::millis(Some(total))
        ))
        .color(t.text),
    );
    if let Some(words) = repeated(&detail.sql) {
        parts::note(ui, Level::Warning, &words);
    }
    ui.add_space(4.0);
    ScrollArea::vertical().id_salt("sql").auto_shrink(false).show(ui, |ui| {
        for (index, query) in detail.sql.iter().take(500).enumerate() {
            ui.push_id(index, |ui| {
                ui.horizontal_top(|ui| {
                    ui.vertical(|ui| {
                        ui.set_width(64.0);
                        let ink = if query.ms >= 50.0 { t.changed } else { t.text };
                        ui.label(RichText::new(format!("{} ms", format::millis(Some(query.ms)))).monospace().color(ink));
                        parts::meter(ui, (query.ms / slowest) as f32, 56.0, t.accent, &format!("{} ms", format::millis(Some(query.ms))));
                    });
                    ui.vertical(|ui| {
                        ui.add(
                            egui::Label::new(RichText::new(format::clip(&query.sql.replace('\n', " "), 4_000)).monospace().color(t.text))
                                .wrap()
                                .selectable(true),
                        );
                        let mut facts = Vec::new();
                        facts.extend(query.params.as_ref().map(|params| format!("params {}", format::clip(params, 300))));
                        facts.extend(query.db.as_ref().filter(|db| *db != "default").map(|db| format!("database {db}")));
                        if query.many {
                            facts.push("executemany".to_owned());
                        }
                        if !facts.is_empty() {
                            ui.label(RichText::new(facts.join("  ·  ")).size(12.0).color(t.muted));
                        }
                        let times = counts.get(query.sql.as_str()).copied().unwrap_or(1);
                        if times >= REPEATED {
                            parts::chip(ui, &format!("repeated {times}×"), t.changed, t.changed_bg);
                        }
                    });
                });
                ui.separator();
            });
        }
        if detail.sql.len() > 500 {
            ui.label(RichText::new(format!("and {} more", detail.sql.len() - 500)).color(t.muted));
        }
    });
}
