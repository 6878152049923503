//! Pairs of states to compare, the same for every language.

use std::sync::Arc;

use crate::corpora::{Pages, Sort, Turn};

/// Two states.
pub struct Pair {
    /// What happened between them.
    pub name: &'static str,
    /// The first.
    pub before: Arc<str>,
    /// The second.
    pub after: Arc<str>,
}

/// All pairs.
pub fn pairs() -> Vec<Pair> {
    vec![
        pair("b edit", Sort::Table, |pages| pages.turn_by(Turn::Edit)),
        pair("b move", Sort::Table, |pages| pages.turn_by(Turn::Move)),
        pair("b 200 apart", Sort::Table, |pages| turns(pages, 200)),
        pair("c insert", Sort::Large, |pages| pages.turn_by(Turn::Insert)),
        pair("c edit", Sort::Large, |pages| pages.turn_by(Turn::Edit)),
        pair("c reverse", Sort::Large, |pages| pages.turn_by(Turn::Reverse)),
        pair("c 2000 apart", Sort::Large, |pages| turns(pages, 2_000)),
        pair("d edit", Sort::Text, Pages::turn),
        pair("d 300 apart", Sort::Text, |pages| turns(pages, 300)),
        pair("e flip", Sort::Pages, Pages::turn),
    ]
}

fn turns(pages: &mut Pages, count: usize) {
    for _ in 0..count {
        pages.turn();
    }
}

fn pair(name: &'static str, sort: Sort, happens: impl FnOnce(&mut Pages)) -> Pair {
    let mut pages = Pages::new(sort);
    turns(&mut pages, 10);
    let before = pages.json();
    happens(&mut pages);
    Pair { name, before, after: pages.json() }
}
