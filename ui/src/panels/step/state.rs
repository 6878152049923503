//! The whole state as a tree: only open nodes become rows, only rows on screen are drawn.

use std::collections::HashSet;
use std::sync::Arc;

use egui::{RichText, ScrollArea, TextEdit, Ui};
use inspector_model::{Level, Step, Value};

use super::sizes::{self, Sizes};
use super::{pulled, side_switch};
use crate::app::action::{Action, Cx};
use crate::app::model::LoadedState;
use crate::format;
use crate::theme;
use crate::widgets::icons::{self, Icon};
use crate::widgets::tree::{self, Row};
use crate::widgets::{fidelity, parts, rich};

/// What the tab remembers: open nodes stay open from step to step.
#[derive(Default)]
pub struct StateTab {
    pub(super) tree: TreeView,
    sizes: Sizes,
}

/// A tree with its open nodes and its flattened rows.
#[derive(Default)]
pub struct TreeView {
    open: HashSet<String>,
    search: String,
    rows: Vec<Row>,
    built_for: Option<Arc<Value>>,
    dirty: bool,
}

/// Draws the tab.
pub fn ui(state: &mut StateTab, cx: &mut Cx<'_>, ui: &mut Ui, step: &Step) {
    let model = cx.model;
    if !step.has_states() {
        parts::empty(ui, "No state here", "This step belongs to the whole server, or its state was not read");
        return;
    }
    ui.horizontal(|ui| {
        side_switch(cx, ui);
        if let Some(shown) = parts::segmented(ui, model.show_costs, &[(false, "Values"), (true, "Sizes")]) {
            cx.push(Action::ShowCosts(shown));
        }
        if !model.show_costs {
            state.tree.search_field(cx, ui);
        }
    });
    ui.add_space(4.0);
    if model.show_costs {
        sizes::ui(&mut state.sizes, cx, ui, step);
        return;
    }
    pulled(ui, &model.pulled.state, |ui, _, loaded| match loaded {
        LoadedState::Missing(why) => parts::note(ui, Level::Info, why),
        LoadedState::Full(value, bytes) => {
            let words =
                format!("{}, {}", format::plural(value.len().unwrap_or(0) as u64, "assign", "assigns"), format::bytes(*bytes as u64));
            ui.label(RichText::new(words).size(12.0).color(cx.t.muted));
            state.tree.ui(cx, ui, value, None);
        }
    });
}

impl TreeView {
    fn search_field(&mut self, cx: &mut Cx<'_>, ui: &mut Ui) {
        icons::show(ui, Icon::Search, 13.0, cx.t.muted);
        let edit = ui.add(TextEdit::singleline(&mut self.search).hint_text("Search names and values").desired_width(ui.available_width()));
        if edit.accessible_name("Search state").changed() {
            self.dirty = true;
        }
    }

    /// Draws the rows of `value`: a state, or what `handler` was called with.
    pub fn ui(&mut self, cx: &mut Cx<'_>, ui: &mut Ui, value: &Arc<Value>, handler: Option<&str>) {
        if self.dirty || !self.built_for.as_ref().is_some_and(|built| Arc::ptr_eq(built, value)) {
            self.rows = tree::flatten(value, &self.open, &self.search);
            self.built_for = Some(value.clone());
            self.dirty = false;
        }
        if self.rows.is_empty() {
            let (title, hint) = if self.search.is_empty() {
                ("No assigns", "The view has no public attributes")
            } else {
                ("Nothing found", "No name or value contains this text")
            };
            parts::empty(ui, title, hint);
            return;
        }
        let mut toggle = None;
        let rows = &self.rows;
        ScrollArea::vertical().id_salt("tree").auto_shrink(false).show_rows(ui, theme::VALUE_ROW, rows.len(), |ui, range| {
            ui.spacing_mut().item_spacing.y = 0.0;
            for row in &rows[range] {
                if node_row(cx, ui, row, value, handler) {
                    toggle = Some(row.path.clone());
                }
            }
        });
        if rows.len() >= tree::MAX_ROWS {
            ui.label(RichText::new("Too much is open: the rest is not shown").color(cx.t.changed));
        }
        if let Some(path) = toggle {
            if !self.open.remove(&path) {
                self.open.insert(path);
            }
            self.dirty = true;
        }
    }
}

/// One node. Returns whether it shall be opened or closed.
fn node_row(cx: &mut Cx<'_>, ui: &mut Ui, row: &Row, root: &Value, handler: Option<&str>) -> bool {
    let t = cx.t;
    let can_open = row.children.is_some_and(|count| count > 0);
    let mark = match handler {
        None => super::not_put_back(cx, &row.path).or_else(|| row.mark.clone()),
        Some(_) => row.mark.clone(),
    };
    let name = match &mark {
        Some(mark) => format!("{} {}, {}", format::clip(&row.path, 120), row.kind, mark.word),
        None => format!("{} {}", format::clip(&row.path, 120), row.kind),
    };
    let (rect, response) = parts::list_row(ui, theme::VALUE_ROW, false, &name);
    let indent = 4.0 + f32::from(row.depth.min(40)) * 14.0;
    for level in 0..row.depth.min(40) {
        ui.painter().vline(rect.left() + 11.0 + f32::from(level) * 14.0, rect.y_range(), egui::Stroke::new(1.0, t.line));
    }
    if can_open {
        let at = egui::Rect::from_center_size(egui::pos2(rect.left() + indent + 7.0, rect.center().y), egui::Vec2::splat(11.0));
        icons::paint(ui.painter(), at, if row.open { Icon::Down } else { Icon::Right }, t.muted);
    }
    let mut job = rich::line_job();
    let name = if row.hit { t.accent } else { t.strong };
    rich::push(&mut job, &format::clip(&row.label, 80), theme::mono(), name);
    let shown_type = match row.children {
        Some(count) => format!("  {} {count}", row.kind),
        None => format!("  {}", row.kind),
    };
    rich::push(&mut job, &shown_type, theme::text(11.5), t.faint);
    if let Some(mark) = &mark {
        rich::push(&mut job, "  ", theme::mono(), t.text);
        fidelity::push(&mut job, t, mark);
    }
    if !row.open {
        let ink = tree::node(root, &row.way).map_or(t.text, |value| rich::ink(t, value));
        rich::push(&mut job, "  ", theme::mono(), t.text);
        rich::push(&mut job, &rich::one_line(&row.summary), theme::mono(), if row.children.is_some() { t.muted } else { ink });
    }
    job.wrap.max_width = (rect.width() - indent - 20.0).max(10.0);
    let galley = ui.painter().layout_job(job);
    let at = egui::pos2(rect.left() + indent + 16.0, rect.center().y - galley.size().y * 0.5);
    ui.painter_at(rect).galley(at, galley, t.text);
    parts::row_menu(ui, rect, &response, &format::clip(&row.path, 120), |ui| {
        if ui.button("Copy path").clicked() {
            cx.push(Action::Copy(row.path.clone(), "the path"));
            ui.close();
        }
        let value = tree::node(root, &row.way);
        if let Some(value) = value {
            if ui.button("Copy as Python literal").clicked() {
                cx.push(Action::Copy(value.python_literal(), "a Python literal"));
                ui.close();
            }
            if ui.button("Copy value as JSON").clicked() {
                cx.push(Action::Copy(value.to_json(), "the value"));
                ui.close();
            }
        }
        if handler.is_none() {
            super::ask_history(cx, ui, || tree::path(root, &row.way), cx.model.side);
        }
        super::pin_value(cx, ui, || tree::path(root, &row.way), cx.model.side, handler.map(str::to_owned));
    });
    let response = response.on_hover_ui(|ui| {
        ui.label(RichText::new(format::clip(&row.path, 200)).monospace().color(t.strong));
        ui.label(
            RichText::new(format!("{}{}", row.kind, row.children.map_or_else(String::new, |count| format!(", {count} inside"))))
                .color(t.muted),
        );
        if row.children.is_none() {
            ui.label(RichText::new(format::clip(&rich::one_line(&row.summary), 400)).monospace());
        }
        if let Some(mark) = &mark {
            ui.label(&mark.words);
        }
    });
    can_open && response.clicked()
}
