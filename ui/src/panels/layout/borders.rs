//! The borders between places: dragged, or moved by the arrow keys.

use egui::{CursorIcon, EventFilter, Key, Rect, Role, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};
use egui_tiles::{Container, LinearDir, Tile, TileId, Tree};

use super::sizes;
use crate::app::action::Cx;
use crate::app::layout::Pane;

/// How far beside a border it can be taken, points.
const REACH: f32 = 3.0;
/// Points that an arrow key moves it.
const BY_KEY: f32 = 16.0;

/// Draws the borders of a tree that was laid out, and moves the one that is held.
pub fn ui(tree: &mut Tree<Pane>, cx: &Cx<'_>, ui: &Ui) {
    let mut moved = None;
    for (tile, dir, children) in rows_and_columns(tree) {
        for (nth, pair) in children.windows(2).enumerate() {
            let [before, after] = pair else { continue };
            let Some((left, right)) = tree.tiles.rect(*before).zip(tree.tiles.rect(*after)) else { continue };
            let across = dir == LinearDir::Horizontal;
            let place = if across {
                Rect::from_min_max(pos2(left.right() - REACH, left.top()), pos2(right.left() + REACH, left.bottom()))
            } else {
                Rect::from_min_max(pos2(left.left(), left.bottom() - REACH), pos2(left.right(), right.top() + REACH))
            };
            let response = ui.interact(place, tree.id().with(("border", tile, nth)), Sense::click_and_drag());
            let name = format!("Border of {}", title(tree, *before));
            response.widget_info(|| WidgetInfo::labeled(Role::Splitter, true, &name));
            let focused = response.has_focus();
            let mut by = if across { response.drag_delta().x } else { response.drag_delta().y };
            if focused {
                let filter = EventFilter { horizontal_arrows: across, vertical_arrows: !across, ..EventFilter::default() };
                ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, filter));
                let (less, more) = if across { (Key::ArrowLeft, Key::ArrowRight) } else { (Key::ArrowUp, Key::ArrowDown) };
                by += ui.input(|input| input.num_presses(more) as f32 - input.num_presses(less) as f32) * BY_KEY;
            }
            if by != 0.0 {
                moved = Some((tile, nth, by));
            }
            if response.hovered() || response.dragged() {
                ui.set_cursor_icon(if across { CursorIcon::ResizeHorizontal } else { CursorIcon::ResizeVertical });
            }
            if response.hovered() || response.dragged() || focused {
                let width = if response.dragged() || focused { 3.0 } else { 2.0 };
                let line =
                    Rect::from_center_size(place.center(), if across { vec2(width, place.height()) } else { vec2(place.width(), width) });
                ui.painter().rect_filled(line, 1.0, cx.t.accent);
            } else {
                // What is drawn at the edge of a pane may have covered it.
                let stroke = Stroke::new(1.0, cx.t.line);
                if across {
                    ui.painter().vline(place.center().x, place.y_range(), stroke);
                } else {
                    ui.painter().hline(place.x_range(), place.center().y, stroke);
                }
            }
        }
    }
    if let Some((tile, nth, by)) = moved {
        sizes::move_border(&mut tree.tiles, tile, nth, by);
        ui.request_repaint();
    }
}

fn rows_and_columns(tree: &Tree<Pane>) -> Vec<(TileId, LinearDir, Vec<TileId>)> {
    let mut all: Vec<_> = tree
        .active_tiles()
        .into_iter()
        .filter_map(|tile| match tree.tiles.get(tile)? {
            Tile::Container(Container::Linear(linear)) => {
                let shown = linear.children.iter().copied().filter(|child| tree.tiles.is_visible_in_layout(*child)).collect();
                Some((tile, linear.dir, shown))
            }
            _ => None,
        })
        .collect();
    all.sort_by_key(|(tile, ..)| tile.0);
    all
}

/// The first pane that is seen in a place.
fn title(tree: &Tree<Pane>, tile: TileId) -> &'static str {
    match tree.tiles.get(tile) {
        Some(Tile::Pane(pane)) => pane.title(),
        Some(Tile::Container(container)) => {
            let mut seen = container.active_children(&tree.tiles).filter(|child| tree.tiles.is_visible_in_layout(*child));
            // The last one: it is at the border.
            seen.next().map_or("", |child| title(tree, child))
        }
        None => "",
    }
}
