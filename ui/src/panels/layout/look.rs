//! How tabs, borders and dragged panes look, and what is drawn in each pane.

use std::collections::HashSet;

use egui::{Color32, Frame, Id, Margin, Painter, Rect, Response, Role, ScrollArea, Sense, Stroke, StrokeKind, Style, Ui, Vec2, Visuals};
use egui::{WidgetInfo, pos2, vec2};
use egui_tiles::{Behavior, ResizeState, SimplificationOptions, TabState, Tabs, Tile, TileId, Tiles, UiResponse};

use super::super::{Panels, branches, lookup, sessions, step, strip, table};
use super::grip::Seat;
use super::sizes::{GAP, TAB_BAR};
use crate::app::action::Cx;
use crate::app::layout::Pane;
use crate::theme;
use crate::widgets::icons::{self, Icon};

/// Nothing is kept of places that are empty or have one pane.
pub const SIMPLIFY: SimplificationOptions = SimplificationOptions {
    prune_empty_tabs: true,
    prune_empty_containers: true,
    prune_single_child_tabs: true,
    prune_single_child_containers: true,
    all_panes_must_have_tabs: false,
    join_nested_linear_containers: true,
    flatten_tabs_in_tabs: true,
};

/// What the tree asks about its panes.
pub struct Look<'a, 'b> {
    pub panels: &'a mut Panels,
    pub cx: &'a mut Cx<'b>,
    /// Places that show tabs.
    pub barred: HashSet<TileId>,
    /// Panes that have a tab.
    pub tabbed: HashSet<TileId>,
    /// Panes cannot be moved: there is no room to move them to.
    pub narrow: bool,
    pub tree: Id,
    /// Panes whose tab was closed.
    pub hidden: Vec<Pane>,
}

/// All panes of a place.
fn panes_of(tiles: &Tiles<Pane>, tile: TileId) -> Vec<Pane> {
    match tiles.get(tile) {
        Some(Tile::Pane(pane)) if tiles.is_visible(tile) => vec![*pane],
        Some(Tile::Container(container)) => container.children().flat_map(|child| panes_of(tiles, *child)).collect(),
        Some(Tile::Pane(_)) | None => Vec::new(),
    }
}

fn title_of(tiles: &Tiles<Pane>, tile: TileId) -> String {
    panes_of(tiles, tile).into_iter().map(Pane::title).collect::<Vec<_>>().join(", ")
}

/// Where header and tabs would leave no room for what is in them, all of it scrolls.
fn scrolled_when_low(ui: &mut Ui, add: impl FnOnce(&mut Ui)) {
    const LOW: f32 = 280.0;
    if ui.available_height() >= LOW {
        add(ui);
        return;
    }
    ScrollArea::vertical().id_salt("low").auto_shrink(false).show(ui, |ui| {
        ui.set_height(LOW + 100.0);
        add(ui);
    });
}

impl Behavior<Pane> for Look<'_, '_> {
    fn pane_ui(&mut self, ui: &mut Ui, tile: TileId, pane: &mut Pane) -> UiResponse {
        let Self { panels, cx, .. } = self;
        let ground = if *pane == Pane::Steps { cx.t.ground } else { cx.t.panel };
        ui.painter().rect_filled(ui.max_rect(), 0.0, ground);
        let tabbed = self.narrow || self.tabbed.contains(&tile);
        cx.seat = Some(Seat { pane: *pane, drag: tile.egui_id(self.tree), tabbed });
        match *pane {
            Pane::Sessions => {
                Frame::new().inner_margin(Margin::symmetric(8, 6)).show(ui, |ui| sessions::ui(&mut panels.sessions, cx, ui));
            }
            Pane::Timeline => strip::ui(&mut panels.strip, cx, ui),
            Pane::Steps => table::ui(&mut panels.table, cx, ui),
            Pane::Step => scrolled_when_low(ui, |ui| step::ui(&mut panels.step, cx, ui)),
            Pane::Branches => branches::ui(&mut panels.branches, cx, ui),
            Pane::Find => lookup::find(&mut panels.lookup, cx, ui),
            Pane::History => lookup::history(&mut panels.lookup, cx, ui),
            Pane::Pinned => super::super::pinned::ui(cx, ui),
            Pane::Bookmarks => lookup::marks(&mut panels.lookup, cx, ui),
            Pane::Breakpoints => super::super::breakpoints::ui(&mut panels.breakpoints, cx, ui),
        }
        cx.seat = None;
        UiResponse::None
    }

    fn tab_title_for_pane(&mut self, pane: &Pane) -> egui::WidgetText {
        pane.title().into()
    }

    fn tab_ui(&mut self, tiles: &mut Tiles<Pane>, ui: &mut Ui, id: Id, tile: TileId, state: &TabState) -> Response {
        let t = self.cx.t;
        let title = title_of(tiles, tile);
        let ink = if state.active { t.strong } else { t.muted };
        let galley = ui.painter().layout_no_wrap(title.clone(), theme::text(12.5), ink);
        let size = vec2(galley.size().x + 38.0, ui.available_height());
        let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
        let response = ui.interact(rect, id, if self.narrow { Sense::click() } else { Sense::click_and_drag() });
        response.widget_info(|| WidgetInfo::selected(Role::Tab, true, state.active, format!("{title} pane")));
        let close = Rect::from_center_size(pos2(rect.right() - 15.0, rect.center().y), Vec2::splat(18.0));
        let closing = ui.interact(close, id.with("hide"), Sense::click());
        closing.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("Hide {title}")));
        if closing.clicked() || response.clicked_by(egui::PointerButton::Middle) {
            self.hidden.extend(panes_of(tiles, tile));
        }
        if ui.is_rect_visible(rect) && !state.is_being_dragged {
            let painter = ui.painter();
            if response.hovered() && !state.active {
                painter.rect_filled(rect.shrink2(vec2(1.0, 3.0)), theme::CORNER, t.hover);
            }
            painter.galley(pos2(rect.left() + 10.0, rect.center().y - galley.size().y * 0.5), galley, ink);
            if state.active {
                painter.hline(rect.left() + 9.0..=rect.right() - 27.0, rect.bottom() - 2.0, Stroke::new(2.0, t.accent));
            }
            if closing.hovered() {
                painter.rect_filled(close, theme::CORNER, t.hover);
            }
            if state.active || response.hovered() || closing.hovered() || closing.has_focus() {
                let ink = if closing.hovered() { t.strong } else { t.muted };
                icons::paint(painter, Rect::from_center_size(close.center(), Vec2::splat(11.0)), Icon::Cross, ink);
            }
            for (of, place) in [(&response, rect.shrink(2.0)), (&closing, close)] {
                if of.has_focus() {
                    painter.rect_stroke(place, theme::CORNER, Stroke::new(1.0, t.accent), StrokeKind::Inside);
                }
            }
        }
        let tip = if self.narrow { format!("Show {title}") } else { format!("Show {title}, or drag it to another place") };
        response.on_hover_text(tip)
    }

    fn drag_ui(&mut self, tiles: &Tiles<Pane>, ui: &mut Ui, tile: TileId) {
        let t = self.cx.t;
        Frame::new()
            .fill(t.raised)
            .stroke(Stroke::new(1.0, t.accent))
            .corner_radius(theme::CORNER)
            .inner_margin(Margin::symmetric(10, 4))
            .show(ui, |ui| ui.label(egui::RichText::new(title_of(tiles, tile)).color(t.strong)));
    }

    fn paint_drag_preview(&self, _visuals: &Visuals, painter: &Painter, _parent: Option<Rect>, preview: Rect) {
        let t = self.cx.t;
        painter.rect(preview.shrink(1.0), theme::CORNER, t.accent.gamma_multiply(0.16), Stroke::new(1.5, t.accent), StrokeKind::Inside);
    }

    fn dragged_overlay_color(&self, _visuals: &Visuals) -> Color32 {
        self.cx.t.ground.gamma_multiply(0.6)
    }

    fn simplification_options(&self) -> SimplificationOptions {
        SIMPLIFY
    }

    fn is_tab_bar_visible(&self, tile: TileId, _tabs: &Tabs) -> bool {
        self.barred.contains(&tile)
    }

    fn is_tile_draggable(&self, tiles: &Tiles<Pane>, tile: TileId) -> bool {
        // Panes one by one: a place of tabs has no handle of its own.
        !self.narrow && tiles.get_pane(&tile).is_some()
    }

    fn is_container_resizable(&self, _tiles: &Tiles<Pane>, _tile: TileId) -> bool {
        // `borders` does it: by keyboard too, with a name, and no pane smaller than it can be.
        false
    }

    fn tab_bar_height(&self, _style: &Style) -> f32 {
        TAB_BAR
    }

    fn gap_width(&self, _style: &Style) -> f32 {
        GAP
    }

    fn resize_stroke(&self, _style: &Style, _state: ResizeState) -> Stroke {
        Stroke::new(GAP, self.cx.t.line)
    }

    fn tab_bar_color(&self, _visuals: &Visuals) -> Color32 {
        self.cx.t.panel
    }

    fn paint_on_top_of_tile(&self, painter: &Painter, _style: &Style, tile: TileId, rect: Rect) {
        if self.barred.contains(&tile) {
            painter.hline(rect.x_range(), rect.top() + TAB_BAR - 0.5, Stroke::new(1.0, self.cx.t.line));
        }
    }
}
