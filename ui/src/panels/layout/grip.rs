//! What a pane without a tab is moved and hidden by, and the menu of all panes.

use egui::{Align, CursorIcon, Id, Layout, Popup, RichText, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo, vec2};

use crate::app::action::{Action, Cx};
use crate::app::layout::Pane;
use crate::commands::UiCommand;
use crate::theme;
use crate::widgets::icons::{self, Icon};

/// Where a pane is drawn.
#[derive(Clone, Copy)]
pub struct Seat {
    /// Which.
    pub pane: Pane,
    /// What is dragged when it is.
    pub drag: Id,
    /// It has a tab, which moves and hides it.
    pub tabbed: bool,
}

/// Six dots at the begin of a pane's first line: dragged they move the pane, clicked they open its menu. Nothing where it has a tab.
pub fn grip(cx: &mut Cx<'_>, ui: &mut Ui) {
    let Some(Seat { pane, drag, tabbed: false }) = cx.seat else { return };
    let t = cx.t;
    let (rect, response) = ui.allocate_exact_size(vec2(10.0, 20.0), Sense::click_and_drag());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("Move or hide {}", pane.title())));
    if response.drag_started() {
        ui.set_dragged_id(drag);
    }
    let open = Popup::menu(&response).show(|ui| {
        if ui.button(format!("Hide {}", pane.title())).clicked() {
            cx.push(Action::HidePane(pane));
            ui.close();
        }
        ui.separator();
        panes_menu(cx, ui);
    });
    let near = ui.rect_contains_pointer(ui.max_rect());
    let ink = if response.hovered() || open.is_some() {
        t.strong
    } else if near {
        t.muted
    } else {
        t.faint.gamma_multiply(0.6)
    };
    for nth in 0..6_u8 {
        let at = vec2(f32::from(nth % 2) * 4.0 - 2.0, f32::from(nth / 2) * 4.0 - 4.0);
        ui.painter().circle_filled(rect.center() + at, 1.1, ink);
    }
    if response.has_focus() {
        ui.painter().rect_stroke(rect, theme::CORNER, Stroke::new(1.0, t.accent), StrokeKind::Inside);
    }
    response.on_hover_cursor(CursorIcon::Grab).on_hover_text("Drag to move this pane, click for more");
}

/// The cross at the end of a pane's first line, laid out from the right. Nothing where it has a tab.
pub fn hide(cx: &mut Cx<'_>, ui: &mut Ui) {
    let Some(Seat { pane, tabbed: false, .. }) = cx.seat else { return };
    let name = format!("Hide {}", pane.title());
    if icons::button(ui, Icon::Cross, &name, true).on_hover_text("Hide this pane").clicked() {
        cx.push(Action::HidePane(pane));
    }
}

/// The first line of a pane that has nothing but a title to say.
pub fn head(cx: &mut Cx<'_>, ui: &mut Ui, title: &str) {
    let t = cx.t;
    ui.horizontal(|ui| {
        grip(cx, ui);
        ui.label(RichText::new(title).color(t.strong));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| hide(cx, ui));
    });
}

/// Which panes are shown, to be changed, and the way back.
pub fn panes_menu(cx: &mut Cx<'_>, ui: &mut Ui) {
    for pane in Pane::ALL {
        let mut shown = cx.model.panes.has(pane);
        if ui.checkbox(&mut shown, pane.title()).changed() {
            cx.push(if shown { Action::ShowPane(pane) } else { Action::HidePane(pane) });
        }
    }
    ui.separator();
    if ui.button(UiCommand::ResetLayout.text()).on_hover_text(UiCommand::ResetLayout.tooltip()).clicked() {
        cx.run(UiCommand::ResetLayout);
        ui.close();
    }
}
