//! How wide and high panes are. Pure but for the tree that they are written to.
//!
//! A share in the tree is a wish in points. What there is of room goes to the place that stretches, the one with the table, so that
//! the sides stay as wide as they were made when the window grows. In a small window all give way, and the wishes stay.

use egui::{Vec2, vec2};
use egui_tiles::{Container, LinearDir, Tile, TileId, Tiles};

use crate::app::layout::Pane;

/// Between two places, points.
pub const GAP: f32 = 1.0;
/// Height of the tabs above panes of one place, points.
pub const TAB_BAR: f32 = 27.0;
/// A place that was never given a size has this share, the tree's own.
const FRESH: f32 = 1.0;

/// What a place of a row or column asks for.
#[derive(Clone, Copy, Debug)]
struct Wish {
    /// As the user left it.
    points: Option<f32>,
    natural: f32,
    least: f32,
    stretches: bool,
}

/// The shares of a tree as the user left them, by container.
pub type Wishes = Vec<(TileId, Vec<(TileId, f32)>)>;

/// Below this a pane is of no use.
const fn least(pane: Pane) -> Vec2 {
    match pane {
        Pane::Sessions => vec2(130.0, 90.0),
        Pane::Timeline => vec2(300.0, 134.0),
        Pane::Steps => vec2(240.0, 96.0),
        Pane::Step => vec2(260.0, 150.0),
        Pane::Branches | Pane::Find | Pane::History | Pane::Pinned | Pane::Bookmarks | Pane::Breakpoints => vec2(260.0, 90.0),
    }
}

/// What a pane is given in a place of this size.
fn natural(pane: Pane, room: Vec2) -> Vec2 {
    match pane {
        Pane::Sessions => vec2(214.0, room.y * 0.4),
        Pane::Timeline => vec2(room.x * 0.5, 158.0),
        Pane::Steps => room * 0.5,
        Pane::Step => vec2(((room.x - 214.0) * 0.38).clamp(300.0, 640.0), room.y * 0.5),
        Pane::Branches | Pane::Find | Pane::History | Pane::Pinned | Pane::Bookmarks | Pane::Breakpoints => vec2(room.x * 0.35, 220.0),
    }
}

/// The visible places of a container, if it is a row or column.
fn linear(tiles: &Tiles<Pane>, tile: TileId) -> Option<(LinearDir, Vec<TileId>)> {
    let Some(Tile::Container(Container::Linear(linear))) = tiles.get(tile) else { return None };
    Some((linear.dir, linear.children.iter().copied().filter(|child| tiles.is_visible_in_layout(*child)).collect()))
}

/// How many of the tabs of a place are shown.
pub fn shown_tabs(tiles: &Tiles<Pane>, tile: TileId) -> usize {
    match tiles.get(tile) {
        Some(Tile::Container(Container::Tabs(tabs))) => tabs.children.iter().filter(|child| tiles.is_visible_in_layout(**child)).count(),
        _ => 0,
    }
}

/// Joins the sizes of what lies in a place.
fn joined(tiles: &Tiles<Pane>, tile: TileId, of: &impl Fn(Pane) -> Vec2) -> Vec2 {
    if !tiles.is_visible_in_layout(tile) {
        return Vec2::ZERO;
    }
    let along = |children: &[TileId], dir: LinearDir| {
        let gaps = GAP * children.len().saturating_sub(1) as f32;
        children.iter().map(|child| joined(tiles, *child, of)).fold(Vec2::ZERO, |all, one| match dir {
            LinearDir::Horizontal => vec2(all.x + one.x, all.y.max(one.y)),
            LinearDir::Vertical => vec2(all.x.max(one.x), all.y + one.y),
        }) + match dir {
            LinearDir::Horizontal => vec2(gaps, 0.0),
            LinearDir::Vertical => vec2(0.0, gaps),
        }
    };
    match tiles.get(tile) {
        Some(Tile::Pane(pane)) => of(*pane),
        Some(Tile::Container(Container::Linear(linear))) => {
            along(&linear.children.iter().copied().filter(|child| tiles.is_visible_in_layout(*child)).collect::<Vec<_>>(), linear.dir)
        }
        Some(Tile::Container(container)) => {
            let bar = if shown_tabs(tiles, tile) > 1 { TAB_BAR } else { 0.0 };
            container.children().fold(Vec2::ZERO, |all, child| all.max(joined(tiles, *child, of))) + vec2(0.0, bar)
        }
        None => Vec2::ZERO,
    }
}

/// The least size in which all panes of a place can be used.
pub fn least_of(tiles: &Tiles<Pane>, tile: TileId) -> Vec2 {
    joined(tiles, tile, &least)
}

fn has_table(tiles: &Tiles<Pane>, tile: TileId) -> bool {
    tiles.is_visible_in_layout(tile)
        && match tiles.get(tile) {
            Some(Tile::Pane(pane)) => *pane == Pane::Steps,
            Some(Tile::Container(container)) => container.children().any(|child| has_table(tiles, *child)),
            None => false,
        }
}

/// Writes into the tree what each place gets in a room of this size. Returns the wishes, to be put back when it is drawn.
pub fn fit(tiles: &mut Tiles<Pane>, root: TileId, room: Vec2) -> Wishes {
    let mut wishes = Wishes::new();
    fit_tile(tiles, root, room, &mut wishes);
    wishes
}

/// Puts the wishes back.
pub fn restore(tiles: &mut Tiles<Pane>, wishes: Wishes) {
    for (tile, shares) in wishes {
        if let Some(Tile::Container(Container::Linear(linear))) = tiles.get_mut(tile) {
            for (child, share) in shares.into_iter().filter(|(child, _)| linear.children.contains(child)).collect::<Vec<_>>() {
                linear.shares.set_share(child, share);
            }
        }
    }
}

fn fit_tile(tiles: &mut Tiles<Pane>, tile: TileId, room: Vec2, wishes: &mut Wishes) {
    if let Some((dir, children)) = linear(tiles, tile) {
        let along = |size: Vec2| if dir == LinearDir::Horizontal { size.x } else { size.y };
        let shares: Vec<f32> = match tiles.get(tile) {
            Some(Tile::Container(Container::Linear(linear))) => children.iter().map(|child| linear.shares[*child]).collect(),
            _ => return,
        };
        let asked: Vec<Wish> = children
            .iter()
            .zip(&shares)
            .map(|(child, share)| Wish {
                points: Some(*share).filter(|share| *share > FRESH),
                natural: along(joined(tiles, *child, &|pane| natural(pane, room))),
                least: along(least_of(tiles, *child)),
                stretches: has_table(tiles, *child),
            })
            .collect();
        let points = share_out(&asked, along(room) - GAP * children.len().saturating_sub(1) as f32);
        if let Some(Tile::Container(Container::Linear(linear))) = tiles.get_mut(tile) {
            for (child, points) in children.iter().zip(&points) {
                // Never 0, which would divide nothing.
                linear.shares.set_share(*child, points.max(0.01));
            }
        }
        wishes.push((tile, children.iter().copied().zip(shares).collect()));
        for (child, points) in children.into_iter().zip(points) {
            let inner = if dir == LinearDir::Horizontal { vec2(points, room.y) } else { vec2(room.x, points) };
            fit_tile(tiles, child, inner, wishes);
        }
    } else if let Some(Tile::Container(container)) = tiles.get(tile) {
        let bar = if shown_tabs(tiles, tile) > 1 { TAB_BAR } else { 0.0 };
        let children: Vec<TileId> = container.children().copied().collect();
        for child in children {
            fit_tile(tiles, child, room - vec2(0.0, bar), wishes);
        }
    }
}

/// Divides a room: each gets what it wishes, and what is over or lacking goes to the one that stretches, then to all.
fn share_out(asked: &[Wish], room: f32) -> Vec<f32> {
    let mut points: Vec<f32> = asked.iter().map(|wish| wish.points.unwrap_or(wish.natural).max(wish.least)).collect();
    let largest = || points.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map(|(nth, _)| nth);
    let Some(stretches) = asked.iter().position(|wish| wish.stretches).or_else(largest) else { return points };
    let over = room - points.iter().sum::<f32>();
    points[stretches] = (points[stretches] + over).max(asked[stretches].least);
    let lacking = points.iter().sum::<f32>() - room;
    if lacking > 0.0 {
        let spare: f32 = points.iter().zip(asked).map(|(points, wish)| points - wish.least).sum();
        let part = if spare > 0.0 { (lacking / spare).min(1.0) } else { 0.0 };
        for (points, wish) in points.iter_mut().zip(asked) {
            *points -= (*points - wish.least) * part;
        }
        let still: f32 = points.iter().sum();
        if still > room {
            for points in &mut points {
                *points *= (room / still).max(0.0);
            }
        }
    }
    points
}

/// Moves the border after the `nth` visible place of a row or column by some points. Neither side gets smaller than it can be.
pub fn move_border(tiles: &mut Tiles<Pane>, tile: TileId, nth: usize, by: f32) {
    let Some((dir, children)) = linear(tiles, tile) else { return };
    let Some((left, right)) = children.get(nth).copied().zip(children.get(nth + 1).copied()) else { return };
    let along = |size: Vec2| if dir == LinearDir::Horizontal { size.x } else { size.y };
    let have = |tile: TileId| tiles.rect(tile).map_or(0.0, |rect| along(rect.size()));
    let (before, after) = (have(left), have(right));
    let most = (after - along(least_of(tiles, right))).max(0.0);
    let fewest = (along(least_of(tiles, left)) - before).min(0.0);
    let by = by.clamp(fewest, most);
    let stay: Vec<(TileId, f32)> = children.iter().map(|child| (*child, have(*child))).collect();
    if let Some(Tile::Container(Container::Linear(linear))) = tiles.get_mut(tile) {
        for (child, points) in stay {
            let moved = if child == left { by } else { 0.0 } - if child == right { by } else { 0.0 };
            linear.shares.set_share(child, (points + moved).max(FRESH + 0.5));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(points: Option<f32>, natural: f32, least: f32, stretches: bool) -> Wish {
        Wish { points, natural, least, stretches }
    }

    #[test]
    fn the_sides_keep_their_width_and_the_middle_stretches() {
        let asked = [wish(None, 214.0, 130.0, false), wish(None, 500.0, 300.0, true), wish(Some(420.0), 466.0, 260.0, false)];
        assert_eq!(share_out(&asked, 1440.0), [214.0, 806.0, 420.0]);
        assert_eq!(share_out(&asked, 1000.0), [214.0, 366.0, 420.0]);
    }

    #[test]
    fn all_give_way_down_to_what_they_need_and_then_alike() {
        let asked = [wish(Some(230.0), 214.0, 130.0, false), wish(None, 500.0, 300.0, true), wish(Some(460.0), 466.0, 260.0, false)];
        let points = share_out(&asked, 840.0);
        assert!((points.iter().sum::<f32>() - 840.0).abs() < 0.01 && (points[1] - 300.0).abs() < 0.01, "{points:?}");
        assert!(points[0] > 130.0 && points[2] > 260.0, "{points:?}");
        let points = share_out(&asked, 345.0);
        assert!((points.iter().sum::<f32>() - 345.0).abs() < 0.01 && points.iter().all(|points| *points > 0.0), "{points:?}");
        assert_eq!(share_out(&asked, 0.0), [0.0, 0.0, 0.0]);
    }

    #[test]
    fn without_the_table_the_largest_stretches() {
        let asked = [wish(None, 200.0, 90.0, false), wish(None, 300.0, 90.0, false)];
        assert_eq!(share_out(&asked, 1000.0), [200.0, 800.0]);
        assert!(share_out(&[], 100.0).is_empty());
    }
}
