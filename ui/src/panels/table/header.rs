//! The header of the table: what stands below, by what the rows are sorted, and which columns are shown.

use egui::{
    Align, Popup, PopupCloseBehavior, Rangef, Rect, RichText, Role, Sense, SetOpenCommand, Shape, Stroke, Ui, UiBuilder, WidgetInfo, pos2,
    vec2,
};

use super::Table;
use super::columns::{Chosen, Column};
use crate::app::action::{Action, Cx};
use crate::app::order::Sort;
use crate::commands::UiCommand;
use crate::theme;
use crate::widgets::icons::{self, Icon};
use crate::widgets::parts;

const HEIGHT: f32 = 24.0;
const MENU: f32 = 22.0;

/// Draws the header.
pub fn ui(state: &mut Table, cx: &mut Cx<'_>, ui: &mut Ui, columns: &[(Column, Rangef)]) {
    let t = cx.t;
    let (rect, ground) = ui.allocate_exact_size(vec2(ui.available_width(), HEIGHT), Sense::click());
    ui.painter().hline(rect.x_range(), rect.bottom() - 0.5, Stroke::new(1.0, t.line));
    let mut asked = ground.secondary_clicked();
    for (column, x) in columns {
        let mut place = Rect::from_x_y_ranges(rect.left() + x.min..=rect.left() + x.max, rect.y_range());
        place.max.x = place.max.x.min(rect.right() - MENU);
        asked |= head(cx, ui, *column, place);
    }
    let place = Rect::from_min_size(pos2(rect.right() - MENU, rect.top()), vec2(MENU, HEIGHT - 1.0));
    let button = ui.interact(place, ui.scope_id().with("columns"), Sense::click());
    button.widget_info(|| WidgetInfo::labeled(Role::Button, true, "Choose columns"));
    let lit = button.hovered() || button.has_focus();
    if lit {
        ui.painter().rect_filled(place, theme::CORNER, t.hover);
    }
    let sign = Rect::from_center_size(place.center(), vec2(13.0, 13.0));
    icons::paint(ui.painter(), sign, Icon::Columns, if lit { t.strong } else { t.muted });
    let opened = asked || std::mem::take(&mut state.open_columns);
    let command = if opened { Some(SetOpenCommand::Bool(true)) } else { button.clicked().then_some(SetOpenCommand::Toggle) };
    Popup::menu(&button)
        .open_memory(command)
        .align(egui::RectAlign::BOTTOM_END)
        .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
        .show(|ui| menu(&mut state.columns, cx, ui, columns, opened));
    button.on_hover_text(parts::command_tip(ui, UiCommand::ChooseColumns));
}

/// One cell. `true` when its menu is asked for.
fn head(cx: &mut Cx<'_>, ui: &mut Ui, column: Column, place: Rect) -> bool {
    let t = cx.t;
    let now = cx.model.sort;
    // Number and time are one order, told at the number.
    let sorts = column.sort();
    let on = sorts == Some(now.by) && column != Column::Time;
    let sense = if sorts.is_some() { Sense::click() } else { Sense::hover() };
    let response = ui.interact(place, ui.scope_id().with(("head", column.name())), sense);
    let name = match (sorts.is_some(), on, now.descending) {
        (false, ..) => format!("{} column", column.name()),
        (true, false, _) => format!("Sort by {}", column.name()),
        (true, true, false) => format!("Sorted by {}, upwards", column.name()),
        (true, true, true) => format!("Sorted by {}, downwards", column.name()),
    };
    response.widget_info(|| WidgetInfo::selected(Role::ColumnHeader, true, on, &name));
    let ink = if on || response.hovered() { t.strong } else { t.muted };
    let mut cell = ui.new_child(UiBuilder::new().max_rect(place).layout(column.layout()));
    cell.shrink_clip_rect(place);
    cell.spacing_mut().item_spacing.x = 3.0;
    cell.style_mut().interaction.selectable_labels = false;
    let galley = cell.painter().layout_no_wrap(column.name().to_owned(), theme::text(11.5), ink);
    let size = galley.size();
    let sign_width = if on { 10.0 } else { 0.0 };
    let left = if column.is_number() { place.right() - size.x - sign_width } else { place.left() };
    cell.painter().galley(pos2(left, place.center().y - size.y * 0.5), galley, ink);
    if on {
        let at = pos2(left + size.x + 6.0, place.center().y);
        let up = if now.descending { -1.0 } else { 1.0 };
        let points = vec![at + vec2(-3.0, 2.0 * up), at + vec2(3.0, 2.0 * up), at + vec2(0.0, -2.5 * up)];
        cell.painter().add(Shape::convex_polygon(points, t.accent, Stroke::NONE));
    }
    if response.has_focus() {
        ui.painter().rect_stroke(place, theme::CORNER, Stroke::new(1.0, t.accent), egui::StrokeKind::Inside);
    }
    if response.clicked()
        && let Some(by) = sorts
    {
        cx.push(Action::Sort(Sort { by, descending: now.by == by && !now.descending }));
    }
    let asked = response.secondary_clicked();
    let tip = match (sorts.is_some(), column == Column::Time) {
        (true, false) => format!("{}. Click to sort, again for the other direction", column.about()),
        (true, true) => format!("{}. Click to sort by number, which is the order of time", column.about()),
        (false, _) => column.about().to_owned(),
    };
    response.on_hover_text(tip);
    asked
}

fn menu(chosen: &mut Chosen, cx: &mut Cx<'_>, ui: &mut Ui, columns: &[(Column, Rangef)], opened: bool) {
    let t = cx.t;
    ui.set_min_width(230.0);
    parts::section(ui, "Columns");
    let mut first = opened;
    for column in Column::ALL.into_iter().filter(|column| column.can_hide()) {
        let mut on = chosen.has(column);
        let crowded = on && !columns.iter().any(|(shown, _)| *shown == column);
        let about = if crowded { "There is no room for it now" } else { column.about() };
        let name = RichText::new(column.name()).color(if crowded { t.muted } else { t.text });
        let response = ui.checkbox(&mut on, (name, RichText::new(about).size(12.0).color(t.muted)));
        response.widget_info(|| WidgetInfo::selected(Role::CheckBox, true, chosen.has(column), format!("Column {}", column.name())));
        if std::mem::take(&mut first) {
            response.request_focus();
        }
        if response.changed() {
            chosen.toggle(column);
        }
    }
    ui.separator();
    ui.with_layout(egui::Layout::top_down_justified(Align::Min), |ui| {
        if ui.button("Usual columns").clicked() {
            *chosen = Chosen::default();
        }
        let sorted = cx.model.sort != Sort::default();
        if ui.add_enabled(sorted, egui::Button::new(UiCommand::SortByNumber.text())).clicked() {
            cx.run(UiCommand::SortByNumber);
        }
    });
}
