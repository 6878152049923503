//! Which element of one list is which of another: equal ends, then identity or content, then the fewest moves.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::bytes::{common_prefix, common_suffix};
use crate::clock::Clock;
use crate::identity;
use crate::node::Tape;

/// A list on its tape.
#[derive(Clone, Copy)]
pub(crate) struct List<'a> {
    pub(crate) tape: Tape<'a>,
    /// Its token.
    pub(crate) node: usize,
    /// The tokens of its elements.
    pub(crate) elements: &'a [u32],
}

impl List<'_> {
    fn bytes(&self) -> &[u8] {
        self.tape.bytes(self.node)
    }

    /// Where an element begins and ends, from the beginning of the list.
    fn place(&self, element: usize) -> (usize, usize) {
        let node = self.tape.node(self.elements[element] as usize);
        let start = self.tape.node(self.node).start as usize;
        (node.start as usize - start, node.end() - start)
    }
}

/// How two lists belong together.
pub(crate) struct Alignment {
    /// Elements at the beginning that are equal in both.
    pub(crate) head: usize,
    /// Elements at the end.
    pub(crate) tail: usize,
    /// For each place after between them, the index before; `None` is a new element.
    pub(crate) from: Vec<Option<usize>>,
    /// For each of these places, whether its element passed another one.
    pub(crate) moved: Vec<bool>,
    /// More than half of the elements moved: the whole order is said at once.
    pub(crate) reordered: bool,
    /// More than half of the elements are other ones.
    pub(crate) replaced: bool,
}

/// So many elements may come and go before a list counts as replaced.
const FEW: usize = 64;

/// Aligns two lists in n log n. `None` when time is up.
pub(crate) fn align(old: List<'_>, new: List<'_>, clock: &Clock) -> Option<Alignment> {
    let (was, is) = (old.elements, new.elements);
    let shorter = was.len().min(is.len());
    // The byte after an element must be equal too: a number could go on.
    let equal = common_prefix(old.bytes(), new.bytes());
    let mut head = 0;
    while head < shorter && old.place(head).1 < equal {
        head += 1;
    }
    let (old_len, new_len) = (old.bytes().len(), new.bytes().len());
    let equal = common_suffix(old.bytes(), new.bytes());
    let mut tail = 0;
    while tail < shorter - head && old_len - old.place(was.len() - 1 - tail).0 < equal && new_len - new.place(is.len() - 1 - tail).0 < equal
    {
        tail += 1;
    }

    let (was, is) = (&was[head..was.len() - tail], &is[head..is.len() - tail]);
    let mut alignment = if was.is_empty() || is.is_empty() {
        Alignment { head, tail, from: vec![None; is.len()], moved: vec![false; is.len()], reordered: false, replaced: false }
    } else {
        align_window(old.tape, was, new.tape, is, (head, tail), clock)?
    };
    let matched = head + tail + alignment.from.iter().flatten().count();
    let gone = old.elements.len() + new.elements.len() - 2 * matched;
    alignment.replaced = gone > FEW && matched * 2 < shorter;
    for origin in alignment.from.iter_mut().flatten() {
        *origin += head;
    }
    Some(alignment)
}

fn align_window(old: Tape<'_>, was: &[u32], new: Tape<'_>, is: &[u32], ends: (usize, usize), clock: &Clock) -> Option<Alignment> {
    let keyed = identity::by_key(old, was, new, is, clock);
    let by_content = keyed.is_none();
    let (ids_before, ids_after) = match keyed {
        Some(ids) => ids,
        None => identity::by_content(old, was, new, is, clock)?,
    };
    let mut from = pair(&ids_before, &ids_after);
    let matched: Vec<usize> = from.iter().flatten().copied().collect();
    let stays = longest_increasing(&matched);
    let mut moved = vec![false; is.len()];
    for ((place, _), stays) in from.iter().enumerate().filter(|(_, origin)| origin.is_some()).zip(&stays) {
        moved[place] = !stays;
    }
    let move_count = stays.iter().filter(|stays| !**stays).count();
    if by_content {
        pair_in_place(old, was, new, is, &mut from, &moved);
    }
    Some(Alignment { head: ends.0, tail: ends.1, from, moved, reordered: move_count * 2 > matched.len(), replaced: false })
}

/// Matches equal identities in order: the first here with the first there.
fn pair(before: &[u64], after: &[u64]) -> Vec<Option<usize>> {
    // Places with one identity are a chain, so that a thousand equal rows cost no more than a thousand different ones.
    let mut first: HashMap<u64, usize, RandomState> = HashMap::with_capacity_and_hasher(before.len(), RandomState::default());
    let mut next: Vec<Option<usize>> = vec![None; before.len()];
    for (index, id) in before.iter().enumerate().rev() {
        next[index] = first.insert(*id, index);
    }
    after
        .iter()
        .map(|id| {
            let index = first.remove(id)?;
            if let Some(next) = next[index] {
                first.insert(*id, next);
            }
            Some(index)
        })
        .collect()
}

/// Pairs what has no match but stands between the same neighbours: an element that was changed where it is.
fn pair_in_place(old: Tape<'_>, was: &[u32], new: Tape<'_>, is: &[u32], from: &mut [Option<usize>], moved: &[bool]) {
    let mut taken = vec![false; was.len()];
    for origin in from.iter().flatten() {
        taken[*origin] = true;
    }
    let anchors: Vec<(usize, usize)> = from
        .iter()
        .enumerate()
        .filter(|(place, _)| !moved[*place])
        .filter_map(|(place, origin)| origin.map(|origin| (origin, place)))
        .chain([(was.len(), is.len())])
        .collect();
    let (mut first_before, mut first_after) = (0, 0);
    for (end_before, end_after) in anchors {
        let free_before = (first_before..end_before).filter(|index| !taken[*index]);
        let free_after: Vec<usize> = (first_after..end_after).filter(|place| from[*place].is_none()).collect();
        for (index, place) in free_before.zip(free_after) {
            if old.node(was[index] as usize).kind == new.node(is[place] as usize).kind {
                from[place] = Some(index);
            }
        }
        (first_before, first_after) = (end_before + 1, end_after + 1);
    }
}

/// Which of the distinct numbers belong to one longest increasing subsequence.
fn longest_increasing(numbers: &[usize]) -> Vec<bool> {
    // `ends[l]` is the position of the smallest number that ends a subsequence of length l + 1.
    let mut ends: Vec<usize> = Vec::new();
    let mut previous: Vec<Option<usize>> = vec![None; numbers.len()];
    for (position, number) in numbers.iter().enumerate() {
        let length = ends.partition_point(|end| numbers[*end] < *number);
        previous[position] = length.checked_sub(1).map(|shorter| ends[shorter]);
        if length == ends.len() {
            ends.push(position);
        } else {
            ends[length] = position;
        }
    }
    let mut chosen = vec![false; numbers.len()];
    let mut at = ends.last().copied();
    while let Some(position) = at {
        chosen[position] = true;
        at = previous[position];
    }
    chosen
}
