//! What each assign costs: bytes, its share, how often it changed and how much of it, and advice where the recording proves it.

use egui::{RichText, ScrollArea, Ui};
use inspector_model::{AssignCost, AssignCosts, Level, Step};

use crate::app::action::Cx;
use crate::format;
use crate::theme;
use crate::widgets::{parts, rich};

/// Rows that are drawn: no view has more assigns that matter.
const MOST: usize = 500;

/// What the table remembers.
#[derive(Default)]
pub struct Sizes {
    by_changes: bool,
}

/// Draws the table.
pub fn ui(state: &mut Sizes, cx: &mut Cx<'_>, ui: &mut Ui, step: &Step) {
    let costs = &cx.model.pulled.costs;
    let (told, current) = match costs.shown() {
        None => return drop(ui.label(RichText::new("Loading …").color(cx.t.muted))),
        Some(Err(failure)) => return parts::note(ui, Level::Info, &failure.message),
        Some(Ok(shown)) => shown,
    };
    if !current {
        ui.multiply_opacity(0.6);
    }
    ui.horizontal_wrapped(|ui| {
        let words = format!("{}, {} of this view", format::bytes(costs.bytes()), format::plural(told.steps, "step", "steps"));
        ui.label(RichText::new(words).size(12.0).color(cx.t.muted)).on_hover_text("Mounts are not counted: they make every assign");
        if let Some(by_changes) = parts::segmented(ui, state.by_changes, &[(false, "Largest first"), (true, "Most changes first")]) {
            state.by_changes = by_changes;
        }
    });
    let view = cx.model.view_of(step);
    let names = |names: Option<&Vec<String>>| names.cloned().unwrap_or_default();
    let (temporary, fixed) = (names(view.map(|view| &view.temporary_assigns)), names(view.map(|view| &view.static_assigns)));
    let whole = costs.bytes().max(1);
    let sorted = costs.sorted(state.by_changes);
    ScrollArea::vertical().id_salt("sizes").auto_shrink(false).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 1.0;
        for cost in sorted.into_iter().take(MOST) {
            let note = match () {
                () if temporary.contains(&cost.name) => Some("temporary"),
                () if fixed.contains(&cost.name) => Some("static"),
                () => None,
            };
            row(cx, ui, cost, told, whole, note);
            if let Some(advice) = cost.advice(told.steps, told.rendered, &temporary, &fixed) {
                ui.indent(&cost.name, |ui| parts::note(ui, Level::Info, &advice));
                ui.add_space(3.0);
            }
        }
    });
}

fn row(cx: &Cx<'_>, ui: &mut Ui, cost: &AssignCost, told: &AssignCosts, whole: u64, note: Option<&str>) {
    let t = cx.t;
    let share = cost.bytes as f32 / whole as f32;
    let changed = match (cost.changed, told.steps) {
        (_, 0) => "no steps yet".to_owned(),
        (0, _) => "never changed".to_owned(),
        (changed, steps) => format!("changed in {} of {}", format::count(changed), format::count(steps)),
    };
    let part = cost.differed.map(|bytes| format!("last change {} of it", format::bytes(bytes)));
    let name = format::clip(&cost.name, 80);
    let percent = (share * 100.0).round();
    let mut facts = vec![if percent < 1.0 { "< 1 %".to_owned() } else { format!("{percent} %") }, changed];
    facts.extend(part);
    facts.extend(note.map(str::to_owned));
    let label = format!("Assign {name}: {}, {}", format::bytes(cost.bytes), facts.join(", "));
    let (rect, response) = parts::list_row(ui, theme::ROW, false, &label);
    let bar = egui::Rect::from_min_size(
        egui::pos2(rect.left() + 2.0, rect.bottom() - 3.0),
        egui::vec2((rect.width() - 4.0) * share.min(1.0), 2.0),
    );
    if bar.width() >= 1.0 {
        ui.painter().rect_filled(bar, 1.0, t.accent);
    }
    let right = ui.painter().layout_no_wrap(format::bytes(cost.bytes), theme::mono(), t.strong);
    let left = rect.right() - right.size().x - 8.0;
    ui.painter().galley(egui::pos2(left, rect.center().y - right.size().y * 0.5), right, t.strong);
    let mut job = rich::line_job();
    rich::push(&mut job, &name, theme::mono(), t.strong);
    if let Some(len) = cost.len {
        rich::push(&mut job, &format!("  {}", format::count(len)), theme::text(11.5), t.faint);
    }
    rich::push(&mut job, &format!("   {}", facts.join("  ·  ")), theme::text(12.0), t.muted);
    parts::paint_line(ui, rect.with_max_x(left - 6.0), 4.0, job);
    let mut more = vec![format!("{} bytes", format::count(cost.bytes))];
    if cost.changed > 0 {
        more.push(format!(
            "After {} of its {} the page was the same",
            format::count(cost.unseen),
            format::plural(cost.changed, "change", "changes")
        ));
    }
    response.on_hover_text(format!("{label}\n{}", more.join("\n")));
}
