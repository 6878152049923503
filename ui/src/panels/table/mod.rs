//! The step table: one row per shown step, virtualised, in the order that the header says, with the filter above it.

mod cells;
mod columns;
mod filter_bar;
mod filter_menu;
mod header;

use egui::{Align2, Rect, Role, Sense, Ui, UiBuilder, WidgetInfo, vec2};
use inspector_model::{Scope, SourceId, StepId};

use self::cells::Row;
use self::columns::Chosen;
use self::filter_bar::FilterBar;
use crate::app::action::{Action, Cx};
use crate::app::order::Sort;
use crate::commands::UiCommand;
use crate::theme;
use crate::widgets::long_list::LongList;
use crate::widgets::parts;

pub use self::columns::Column;

/// What the table remembers.
#[derive(Default)]
pub struct Table {
    /// The filter above it.
    pub filter: FilterBar,
    /// Which columns are shown.
    pub columns: Chosen,
    /// Open the list of columns.
    pub open_columns: bool,
    list: LongList,
    /// The cursor that the table was last scrolled to: it scrolls only when that moves.
    scrolled_to: Option<(SourceId, StepId)>,
    /// What the rows looked like when they were drawn last: rows that get places above those in sight must not move these.
    drawn: Drawn,
    under_pointer: bool,
}

#[derive(Clone, Copy, Default, PartialEq)]
struct Drawn {
    epoch: u64,
    sort: Sort,
    rows: usize,
    top: Option<StepId>,
}

impl Table {
    /// Whether the pointer is over the rows: then none of them moves.
    pub const fn under_pointer(&self) -> bool {
        self.under_pointer
    }
}

/// Draws filter and table.
pub fn ui(state: &mut Table, cx: &mut Cx<'_>, ui: &mut Ui) {
    filter_bar::ui(&mut state.filter, cx, ui);
    if cx.model.rows.is_empty() {
        state.under_pointer = false;
        nothing(cx, ui);
        return;
    }
    rows(state, cx, ui);
}

fn nothing(cx: &mut Cx<'_>, ui: &mut Ui) {
    let Some(timeline) = cx.model.timeline() else { return };
    if timeline.steps().is_empty() {
        if timeline.source().is_attached() {
            parts::empty(
                ui,
                "Waiting for the first step",
                "Open or use a page of this server in the browser: each event, tick and push appears here",
            );
        } else {
            parts::empty(ui, "No steps", "Nothing was recorded yet. Steps appear as soon as the server is connected and a page is used");
        }
    } else {
        parts::empty(ui, "No step fits", "Change the filter, or choose All sessions on the left");
        ui.vertical_centered(|ui| {
            if ui.button("Show all steps").clicked() {
                cx.run(UiCommand::ClearFilter);
            }
        });
    }
}

fn rows(state: &mut Table, cx: &mut Cx<'_>, ui: &mut Ui) {
    let model = cx.model;
    let columns = state.columns.places(ui.available_width());
    header::ui(state, cx, ui, &columns);
    let room = ui.available_rect_before_wrap();
    state.under_pointer = ui.rect_contains_pointer(room) && !egui::Popup::is_any_open(ui.ctx());
    scroll(state, cx);

    let t = cx.t;
    let has = |column| columns.iter().any(|(shown, _)| *shown == column);
    let across = model.scope == Scope::Everywhere && model.timeline().is_some_and(|timeline| timeline.sessions().len() > 1);
    let whose = across && !has(Column::User) && !has(Column::Path);
    let mut clicked: Option<StepId> = None;
    state.list.ui(ui, model.order.len(), theme::ROW, |ui, rect, place| {
        let Some(step) = model.placed(place) else { return };
        let selected = model.selected == Some(step.id);
        let response = ui.interact(rect, ui.scope_id().with(step.id.0), Sense::click());
        let name = format!("Step {} {} {}", step.id, step.kind.label(), step.name);
        response.widget_info(|| WidgetInfo::selected(Role::Row, true, selected, &name));
        let fill = if selected {
            Some(t.selected)
        } else if response.hovered() {
            Some(t.raised)
        } else {
            cells::ground(t, &step)
        };
        if let Some(fill) = fill {
            ui.painter().rect_filled(rect, 0.0, fill);
        }
        for (column, x) in &columns {
            let place = Rect::from_x_y_ranges(rect.left() + x.min..=rect.left() + x.max, rect.y_range());
            let mut cell = ui.new_child(UiBuilder::new().max_rect(place).layout(column.layout()));
            cell.shrink_clip_rect(place);
            cells::cell(*column, cx, &mut cell, &Row { step: &step, selected, whose });
        }
        if response.clicked() {
            clicked = Some(step.id);
        }
    });
    let top = model.placed_id(state.list.shown().start);
    state.drawn = Drawn { epoch: model.rows.epoch(), sort: model.sort, rows: model.order.len(), top };
    held(state, cx, ui, room);
    if let Some(step) = clicked {
        cx.push(Action::Select(step));
    }
}

/// Follows the cursor, and keeps what is in sight where it is when rows get places above it.
fn scroll(state: &mut Table, cx: &Cx<'_>) {
    let model = cx.model;
    let drawn = state.drawn;
    if (drawn.epoch, drawn.sort) != (model.rows.epoch(), model.sort) {
        if drawn.sort != model.sort {
            state.list.reveal(0);
        }
    } else if drawn.rows != model.order.len() && state.list.shown().start > 0 {
        let before = state.list.shown().start;
        if let Some(Ok(now)) = drawn.top.and_then(|top| model.place_of(top)) {
            state.list.shift(now as isize - before as isize);
        }
    }
    // What goes on by itself does not pull rows away under the pointer: it is caught up with when the pointer leaves.
    let by_itself = model.follow || model.playing.is_some();
    let cursor = model.current.zip(model.selected);
    if cursor == state.scrolled_to || (by_itself && state.under_pointer && state.scrolled_to.is_some()) {
        return;
    }
    if let Some(Ok(place)) = model.selected.and_then(|step| model.place_of(step)) {
        state.list.reveal(place);
    }
    state.scrolled_to = cursor;
}

/// Says that something waits until the pointer leaves.
fn held(state: &Table, cx: &Cx<'_>, ui: &Ui, room: Rect) {
    if !state.under_pointer {
        return;
    }
    let model = cx.model;
    let waiting = model.order.waiting(&model.rows);
    let below = if model.follow && model.sort == Sort::default() { model.order.len().saturating_sub(state.list.shown().end) } else { 0 };
    let number = waiting.max(below);
    if number == 0 {
        return;
    }
    let t = cx.t;
    let words = format!("{}: shown when the pointer leaves", crate::format::plural(number as u64, "new step", "new steps"));
    let galley = ui.painter().layout_no_wrap(words, theme::text(12.0), t.text);
    let chip = Align2::RIGHT_BOTTOM.anchor_size(room.right_bottom() - vec2(16.0, 8.0), galley.size() + vec2(16.0, 8.0));
    ui.painter().rect(chip, theme::CORNER, t.raised, egui::Stroke::new(1.0, t.border), egui::StrokeKind::Inside);
    ui.painter().galley(chip.min + vec2(8.0, 4.0), galley, t.text);
}
