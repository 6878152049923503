//! The workspace: panes that can be dragged beside each other or into tabs, resized, hidden and shown again.
//!
//! Where they do not fit beside each other, for instance with large text in a small window, all of them are tabs of one place until
//! there is room again.

mod borders;
mod grip;
mod look;
mod sizes;

use std::collections::HashSet;

use egui::{CentralPanel, Frame, Id, Ui, Vec2};
use egui_tiles::{Container, Linear, LinearDir, Tabs, Tile, TileId, Tiles, Tree};

use self::look::Look;
use super::Panels;
use crate::app::action::Cx;
use crate::app::layout::{Layout, Pane, Panes, Part, Place};
use crate::commands::UiCommand;
use crate::widgets::parts;

pub use grip::{Seat, grip, head, hide, panes_menu};

/// The workspace as it is drawn.
pub struct Workspace {
    tree: Tree<Pane>,
    /// All shown panes as tabs, as long as there is no room for them beside each other.
    narrow: Option<Tree<Pane>>,
    /// Which of the tabs comes to the front.
    to_front: Option<Pane>,
}

impl Default for Workspace {
    fn default() -> Self {
        Self::new(&Layout::default())
    }
}

impl Workspace {
    /// As it was left.
    pub fn new(layout: &Layout) -> Self {
        let mut tiles = Tiles::default();
        let root = plant(&mut tiles, &layout.place, layout.shown);
        Self { tree: Tree::new(Id::unique("workspace"), root, tiles), narrow: None, to_front: None }
    }

    /// What stands for it while it is drawn.
    fn nowhere() -> Self {
        Self { tree: Tree::empty(Id::unique("nowhere")), narrow: None, to_front: None }
    }

    /// As it is to be remembered.
    pub fn layout(&self) -> Layout {
        let place = self.tree.root.and_then(|root| dug(&self.tree.tiles, root)).unwrap_or(Place::Tabs { front: 0, places: Vec::new() });
        Layout { place, shown: self.shown() }.repaired()
    }

    /// Those that are not hidden.
    pub fn shown(&self) -> Panes {
        Pane::ALL.into_iter().filter(|pane| self.tree.tiles.find_pane(pane).is_some_and(|tile| self.tree.is_visible(tile))).collect()
    }

    /// Those that can be seen: not behind another tab either.
    pub fn in_sight(&self) -> Panes {
        let tree = self.narrow.as_ref().unwrap_or(&self.tree);
        tree.active_tiles().into_iter().filter_map(|tile| tree.tiles.get_pane(&tile).copied()).collect()
    }

    /// Shows a pane, in front of its tabs.
    pub fn show(&mut self, pane: Pane) {
        if let Some(tile) = self.tree.tiles.find_pane(&pane) {
            self.tree.set_visible(tile, true);
            self.tree.make_active(|other, _| other == tile);
        }
        self.to_front = Some(pane);
        if self.narrow.is_some() {
            self.narrow = Some(all_in_tabs(self.tree_panes(), Some(pane)));
        }
    }

    /// Hides a pane; it comes back where it was.
    pub fn hide(&mut self, pane: Pane) {
        if let Some(tile) = self.tree.tiles.find_pane(&pane) {
            self.tree.set_visible(tile, false);
        }
        self.narrow = None;
    }

    /// Shows a pane that cannot be seen, and hides one that can.
    pub fn toggle(&mut self, pane: Pane) {
        if self.in_sight().has(pane) { self.hide(pane) } else { self.show(pane) }
    }

    fn tree_panes(&self) -> Vec<Pane> {
        self.shown().iter().collect()
    }

    /// The tree that fits into a room, with everything at its size.
    fn prepare(&mut self, room: Vec2) -> sizes::Wishes {
        self.tree.simplify(&look::SIMPLIFY);
        let Some(root) = self.tree.root else { return sizes::Wishes::new() };
        let least = sizes::least_of(&self.tree.tiles, root);
        if least.x > room.x || least.y > room.y {
            let panes = self.tree_panes();
            let same = self.narrow.as_ref().is_some_and(|narrow| narrow.tiles.tiles().filter(|tile| tile.is_pane()).count() == panes.len());
            if !same {
                self.narrow = Some(all_in_tabs(panes, self.to_front.or(Some(Pane::Steps))));
            }
            return sizes::Wishes::new();
        }
        self.narrow = None;
        sizes::fit(&mut self.tree.tiles, root, room)
    }
}

/// Draws the workspace.
pub fn ui(panels: &mut Panels, cx: &mut Cx<'_>, ui: &mut Ui) {
    let mut workspace = std::mem::replace(&mut panels.workspace, Workspace::nowhere());
    CentralPanel::no_frame().frame(Frame::new().fill(cx.t.panel)).show(ui, |ui| {
        if workspace.shown() == Panes::default() {
            nothing(cx, ui);
            return;
        }
        let wishes = workspace.prepare(ui.available_size());
        let narrow = workspace.narrow.is_some();
        let tree = workspace.narrow.as_mut().unwrap_or(&mut workspace.tree);
        let barred: HashSet<TileId> = tree.tiles.tile_ids().filter(|tile| sizes::shown_tabs(&tree.tiles, *tile) > 1).collect();
        let tabbed = barred.iter().filter_map(|tile| tree.tiles.get_container(*tile)).flat_map(Container::children).copied().collect();
        let mut look = Look { panels, cx, barred, tabbed, narrow, tree: tree.id(), hidden: Vec::new() };
        tree.ui(&mut look, ui);
        let hidden = std::mem::take(&mut look.hidden);
        if !narrow {
            sizes::restore(&mut tree.tiles, wishes);
            borders::ui(tree, cx, ui);
        }
        for pane in hidden {
            cx.push(crate::app::action::Action::HidePane(pane));
        }
    });
    panels.workspace = workspace;
}

fn nothing(cx: &mut Cx<'_>, ui: &mut Ui) {
    parts::empty(ui, "All panes are hidden", "Show one of them, or put all back to where they were at first");
    ui.vertical_centered(|ui| {
        parts::command_button(cx, ui, UiCommand::ResetLayout);
    });
}

fn all_in_tabs(panes: Vec<Pane>, front: Option<Pane>) -> Tree<Pane> {
    let mut tiles = Tiles::default();
    let mut tabs = Tabs::default();
    for pane in panes {
        let tile = tiles.insert_pane(pane);
        tabs.add_child(tile);
        if tabs.active.is_none() || front == Some(pane) {
            tabs.set_active(tile);
        }
    }
    let root = tiles.insert_container(tabs);
    Tree::new(Id::unique("narrow workspace"), root, tiles)
}

fn plant(tiles: &mut Tiles<Pane>, place: &Place, shown: Panes) -> TileId {
    let line = |tiles: &mut Tiles<Pane>, dir: LinearDir, parts: &[Part]| {
        let mut linear = Linear { dir, ..Linear::default() };
        for part in parts {
            let child = plant(tiles, &part.place, shown);
            linear.add_child(child);
            if let Some(points) = part.points {
                linear.shares.set_share(child, points);
            }
        }
        tiles.insert_container(linear)
    };
    match place {
        Place::Pane(pane) => {
            let tile = tiles.insert_pane(*pane);
            tiles.set_visible(tile, shown.has(*pane));
            tile
        }
        Place::Tabs { front, places } => {
            let mut tabs = Tabs::default();
            for (nth, place) in places.iter().enumerate() {
                let child = plant(tiles, place, shown);
                tabs.add_child(child);
                if nth == *front {
                    tabs.set_active(child);
                }
            }
            tiles.insert_container(tabs)
        }
        Place::Row(parts) => line(tiles, LinearDir::Horizontal, parts),
        Place::Column(parts) => line(tiles, LinearDir::Vertical, parts),
    }
}

fn dug(tiles: &Tiles<Pane>, tile: TileId) -> Option<Place> {
    Some(match tiles.get(tile)? {
        Tile::Pane(pane) => Place::Pane(*pane),
        Tile::Container(Container::Linear(linear)) => {
            let part = |child: &TileId| {
                let share = linear.shares[*child];
                // Whole points: the rest is not to be remembered.
                Some(Part { points: (share > 1.0).then(|| share.round()), place: dug(tiles, *child)? })
            };
            let parts = linear.children.iter().filter_map(part).collect();
            if linear.dir == LinearDir::Horizontal { Place::Row(parts) } else { Place::Column(parts) }
        }
        Tile::Container(container) => {
            let front = match container {
                Container::Tabs(tabs) => tabs.children.iter().position(|child| tabs.active == Some(*child)),
                Container::Linear(_) | Container::Grid(_) => None,
            };
            Place::Tabs { front: front.unwrap_or_default(), places: container.children().filter_map(|child| dug(tiles, *child)).collect() }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_is_what_is_planted() {
        let layout = Layout::default();
        assert_eq!(Workspace::new(&layout).layout(), layout);
    }

    #[test]
    fn a_hidden_pane_comes_back_where_it_was() {
        let mut workspace = Workspace::default();
        workspace.hide(Pane::Sessions);
        assert!(!workspace.shown().has(Pane::Sessions));
        workspace.toggle(Pane::Sessions);
        assert_eq!(workspace.layout(), Layout::default());
    }

    #[test]
    fn a_shown_pane_comes_in_front_of_its_tabs_and_hides_them_from_sight() {
        let mut workspace = Workspace::default();
        workspace.show(Pane::Find);
        workspace.show(Pane::Bookmarks);
        assert!(workspace.in_sight().has(Pane::Bookmarks) && !workspace.in_sight().has(Pane::Find));
        assert!(workspace.shown().has(Pane::Find));
        workspace.toggle(Pane::Find);
        assert!(workspace.in_sight().has(Pane::Find), "one that is behind is brought to the front, not hidden");
    }

    #[test]
    fn without_room_the_panes_are_tabs_and_lie_as_before_when_there_is_some() {
        let mut workspace = Workspace::default();
        let before = workspace.layout();
        let fit = |workspace: &mut Workspace, room: Vec2| {
            let wishes = workspace.prepare(room);
            sizes::restore(&mut workspace.tree.tiles, wishes);
        };
        fit(&mut workspace, Vec2::new(400.0, 240.0));
        assert_eq!(workspace.in_sight().iter().collect::<Vec<_>>(), [Pane::Steps]);
        workspace.show(Pane::Step);
        assert_eq!(workspace.in_sight().iter().collect::<Vec<_>>(), [Pane::Step]);
        workspace.hide(Pane::Step);
        fit(&mut workspace, Vec2::new(400.0, 240.0));
        assert!(!workspace.in_sight().has(Pane::Step));
        workspace.show(Pane::Step);
        fit(&mut workspace, Vec2::new(1440.0, 800.0));
        assert_eq!(workspace.in_sight(), workspace.shown());
        assert_eq!(workspace.layout(), before);
    }
}
