//! Which panes the workspace has, and how they lie: what is remembered of it.
//!
//! Of a kind of its own rather than the drawing library's: small in the memory, the same in every version, and what it lacks can be put
//! back. `panels/layout` draws it.

use serde::{Deserialize, Serialize};

/// A part of the workspace that can be moved, resized and hidden.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pane {
    /// Pages, their views and components.
    Sessions,
    /// Lanes and transport.
    Timeline,
    /// The table.
    Steps,
    /// Details of the selected step.
    Step,
    /// Where jumps and replays forked.
    Branches,
    /// Text in values and paths.
    Find,
    /// The history of one value.
    History,
    /// Values that are followed from step to step.
    Pinned,
    /// The marked steps.
    Bookmarks,
    /// Conditions that watch every state.
    Breakpoints,
}

impl Pane {
    /// All, in the order of menus.
    pub const ALL: [Self; 10] = [
        Self::Sessions,
        Self::Timeline,
        Self::Steps,
        Self::Step,
        Self::Branches,
        Self::Find,
        Self::History,
        Self::Pinned,
        Self::Bookmarks,
        Self::Breakpoints,
    ];

    /// Those that share the drawer until they are moved.
    const DRAWER: [Self; 6] = [Self::Branches, Self::Find, Self::History, Self::Pinned, Self::Bookmarks, Self::Breakpoints];

    /// Its name, as on a tab.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Sessions => "Sessions",
            Self::Timeline => "Timeline",
            Self::Steps => "Steps",
            Self::Step => "Step",
            Self::Branches => "Branches",
            Self::Find => "Find",
            Self::History => "History",
            Self::Pinned => "Pinned",
            Self::Bookmarks => "Bookmarks",
            Self::Breakpoints => "Breakpoints",
        }
    }
}

/// Some of the panes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<serde_json::Value>", into = "Vec<Pane>")]
pub struct Panes(u16);

impl Panes {
    /// Whether a pane is among them.
    pub const fn has(self, pane: Pane) -> bool {
        self.0 & (1 << pane as u16) != 0
    }

    /// Takes a pane in, or out.
    pub const fn set(&mut self, pane: Pane, is_in: bool) {
        if is_in {
            self.0 |= 1 << pane as u16;
        } else {
            self.0 &= !(1 << pane as u16);
        }
    }

    /// Each of them, in the order of menus.
    pub fn iter(self) -> impl Iterator<Item = Pane> {
        Pane::ALL.into_iter().filter(move |pane| self.has(*pane))
    }
}

impl FromIterator<Pane> for Panes {
    fn from_iter<T: IntoIterator<Item = Pane>>(panes: T) -> Self {
        panes.into_iter().fold(Self::default(), |mut all, pane| {
            all.set(pane, true);
            all
        })
    }
}

impl From<Vec<serde_json::Value>> for Panes {
    /// Names of panes that this version does not have are passed over.
    fn from(names: Vec<serde_json::Value>) -> Self {
        names.into_iter().filter_map(|name| Pane::deserialize(name).ok()).collect()
    }
}

impl From<Panes> for Vec<Pane> {
    fn from(panes: Panes) -> Self {
        panes.iter().collect()
    }
}

/// A place of the workspace and what lies there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// One pane.
    Pane(Pane),
    /// One in front of the others.
    Tabs {
        /// Which is in front.
        front: usize,
        /// From the left.
        places: Vec<Self>,
    },
    /// Beside each other, from the left.
    Row(Vec<Part>),
    /// Above each other, from the top.
    Column(Vec<Part>),
}

/// A place among others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// Its width or height as the user left it; `None` for the size that is natural there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub points: Option<f32>,
    /// What lies there.
    pub place: Place,
}

impl From<Place> for Part {
    fn from(place: Place) -> Self {
        Self { points: None, place }
    }
}

/// How all panes lie, and which are shown. Each is there exactly once, hidden ones too: they come back where they were.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Layout {
    /// All of it.
    pub place: Place,
    /// Those that are not hidden.
    pub shown: Panes,
}

impl Default for Layout {
    fn default() -> Self {
        let middle = Place::Column(vec![
            Place::Pane(Pane::Timeline).into(),
            Place::Pane(Pane::Steps).into(),
            Place::Tabs { front: 0, places: Pane::DRAWER.map(Place::Pane).into() }.into(),
        ]);
        let place = Place::Row(vec![Place::Pane(Pane::Sessions).into(), middle.into(), Place::Pane(Pane::Step).into()]);
        Self { place, shown: [Pane::Sessions, Pane::Timeline, Pane::Steps, Pane::Step].into_iter().collect() }
    }
}

impl Layout {
    /// Places within places that are kept: nobody builds more by hand.
    const DEEPEST: usize = 16;

    /// The same with each pane exactly once: what a remembered one has twice is left out, and what it lacks is put where it belongs.
    #[must_use]
    pub fn repaired(self) -> Self {
        let mut met = Panes::default();
        let mut shown = self.shown;
        let mut place = cleaned(self.place, &mut met, 0);
        for pane in Pane::ALL.into_iter().filter(|pane| !met.has(*pane)) {
            shown.set(pane, Self::default().shown.has(pane));
            place = Some(match place {
                None => Place::Pane(pane),
                Some(place) => with(place, pane),
            });
        }
        Self { place: place.unwrap_or(Place::Pane(Pane::Steps)), shown }
    }
}

/// Without panes that were met before, and without places where nothing is left.
fn cleaned(place: Place, met: &mut Panes, depth: usize) -> Option<Place> {
    if depth > Layout::DEEPEST {
        return None;
    }
    match place {
        Place::Pane(pane) if met.has(pane) => None,
        Place::Pane(pane) => {
            met.set(pane, true);
            Some(place)
        }
        Place::Tabs { front, places } => {
            let places: Vec<Place> = places.into_iter().filter_map(|place| cleaned(place, met, depth + 1)).collect();
            (!places.is_empty()).then(|| Place::Tabs { front: front.min(places.len() - 1), places })
        }
        Place::Row(parts) => some_parts(parts, met, depth).map(Place::Row),
        Place::Column(parts) => some_parts(parts, met, depth).map(Place::Column),
    }
}

fn some_parts(parts: Vec<Part>, met: &mut Panes, depth: usize) -> Option<Vec<Part>> {
    let parts: Vec<Part> = parts
        .into_iter()
        .filter_map(|part| {
            let points = part.points.filter(|points| (10.0..10_000.0).contains(points));
            Some(Part { points, place: cleaned(part.place, met, depth + 1)? })
        })
        .collect();
    (!parts.is_empty()).then_some(parts)
}

/// Puts a pane where it is by default: at its side, or into the drawer.
fn with(place: Place, pane: Pane) -> Place {
    let (one, all) = (Part::from(Place::Pane(pane)), Part::from(place));
    match pane {
        Pane::Sessions => Place::Row(vec![one, all]),
        Pane::Timeline => Place::Column(vec![one, all]),
        Pane::Steps | Pane::Step => Place::Row(vec![all, one]),
        Pane::Branches | Pane::Find | Pane::History | Pane::Pinned | Pane::Bookmarks | Pane::Breakpoints => {
            let mut place = all.place;
            if into_drawer(&mut place, pane) { place } else { Place::Column(vec![place.into(), one]) }
        }
    }
}

/// Puts a pane to another one of the drawer, if one is found.
fn into_drawer(place: &mut Place, pane: Pane) -> bool {
    match place {
        Place::Pane(other) if Pane::DRAWER.contains(other) => {
            *place = Place::Tabs { front: 0, places: vec![Place::Pane(*other), Place::Pane(pane)] };
            true
        }
        Place::Pane(_) => false,
        Place::Tabs { places, .. } => {
            let drawer = places.iter().any(|place| matches!(place, Place::Pane(other) if Pane::DRAWER.contains(other)));
            if drawer {
                places.push(Place::Pane(pane));
            }
            drawer || places.iter_mut().any(|place| into_drawer(place, pane))
        }
        Place::Row(parts) | Place::Column(parts) => parts.iter_mut().any(|part| into_drawer(&mut part.place, pane)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn panes(place: &Place, into: &mut Vec<Pane>) {
        match place {
            Place::Pane(pane) => into.push(*pane),
            Place::Tabs { places, front } => {
                assert!(*front < places.len());
                for place in places {
                    panes(place, into);
                }
            }
            Place::Row(parts) | Place::Column(parts) => parts.iter().for_each(|part| panes(&part.place, into)),
        }
    }

    fn any_place() -> impl Strategy<Value = Place> {
        let pane = (0..Pane::ALL.len()).prop_map(|nth| Place::Pane(Pane::ALL[nth]));
        pane.prop_recursive(5, 24, 4, |inner| {
            let part = (proptest::option::of(-50.0_f32..20_000.0), inner.clone()).prop_map(|(points, place)| Part { points, place });
            let parts = proptest::collection::vec(part, 0..4);
            prop_oneof![
                (0usize..9, proptest::collection::vec(inner, 0..4)).prop_map(|(front, places)| Place::Tabs { front, places }),
                parts.clone().prop_map(Place::Row),
                parts.prop_map(Place::Column),
            ]
        })
    }

    proptest! {
        /// Whatever was remembered: each pane is there once, it is written and read as it is, and a repaired one needs no repair.
        #[test]
        fn a_repaired_layout_has_each_pane_once(place in any_place(), bits in any::<u16>()) {
            let shown = Pane::ALL.into_iter().filter(|pane| bits & (1 << *pane as u16) != 0).collect();
            let layout = Layout { place, shown }.repaired();
            let mut all = Vec::new();
            panes(&layout.place, &mut all);
            all.sort_by_key(|pane| *pane as u16);
            prop_assert_eq!(all, Pane::ALL);
            prop_assert_eq!(layout.clone().repaired(), layout.clone());
            let text = serde_json::to_string(&layout).unwrap();
            prop_assert_eq!(serde_json::from_str::<Layout>(&text).unwrap(), layout);
        }
    }

    #[test]
    fn the_default_needs_no_repair() {
        assert_eq!(Layout::default().repaired(), Layout::default());
    }

    #[test]
    fn a_pane_of_the_drawer_that_is_lacking_comes_to_the_others() {
        let without = Place::Column(vec![Place::Pane(Pane::Steps).into(), Place::Pane(Pane::Find).into()]);
        let layout = Layout { place: with(without, Pane::History), shown: Panes::default() };
        let drawer = Place::Tabs { front: 0, places: vec![Place::Pane(Pane::Find), Place::Pane(Pane::History)] };
        assert_eq!(layout.place, Place::Column(vec![Place::Pane(Pane::Steps).into(), drawer.into()]));
    }

    #[test]
    fn names_of_another_version_are_passed_over() {
        let panes: Panes = serde_json::from_str(r#"["steps", "cockpit", 7, "find"]"#).unwrap();
        assert_eq!(panes.iter().collect::<Vec<_>>(), [Pane::Steps, Pane::Find]);
    }

    #[test]
    fn a_layout_that_is_nested_endlessly_ends() {
        let mut place = Place::Pane(Pane::Steps);
        for _ in 0..100 {
            place = Place::Row(vec![place.into()]);
        }
        let layout = Layout { place, shown: Panes::default() }.repaired();
        assert!(layout.shown.has(Pane::Steps), "what was cut off is put back and shown");
    }
}
