//! Which element of one list is which of another: equal ends, then identity or content, then the fewest moves.

use std::collections::HashMap;

use inspector_model::Value;

use crate::clock::Clock;
use crate::identity;

/// How two lists belong together.
pub(crate) struct Alignment {
    /// For each place after, the index before; `None` is a new element.
    pub(crate) from: Vec<Option<usize>>,
    /// For each place after, whether its element passed another one.
    pub(crate) moved: Vec<bool>,
    /// More than half of the elements moved: the whole order is said at once.
    pub(crate) reordered: bool,
}

/// Aligns two lists in n log n. `None` when time is up.
pub(crate) fn align(before: &[Value], after: &[Value], clock: &Clock) -> Option<Alignment> {
    let mut head = 0;
    while head < before.len().min(after.len()) && before[head] == after[head] {
        if clock.is_over() {
            return None;
        }
        head += 1;
    }
    let mut tail = 0;
    while tail < before.len().min(after.len()) - head && before[before.len() - 1 - tail] == after[after.len() - 1 - tail] {
        if clock.is_over() {
            return None;
        }
        tail += 1;
    }

    let mut from: Vec<Option<usize>> = vec![None; after.len()];
    let mut moved = vec![false; after.len()];
    for (place, origin) in from.iter_mut().enumerate().take(head) {
        *origin = Some(place);
    }
    for back in 1..=tail {
        from[after.len() - back] = Some(before.len() - back);
    }

    let (window_before, window_after) = (&before[head..before.len() - tail], &after[head..after.len() - tail]);
    let mut reordered = false;
    if !window_before.is_empty() && !window_after.is_empty() {
        let window = align_window(window_before, window_after, clock)?;
        reordered = window.reordered;
        for (place, origin) in window.from.iter().enumerate() {
            from[head + place] = origin.map(|origin| head + origin);
            moved[head + place] = window.moved[place];
        }
    }
    Some(Alignment { from, moved, reordered })
}

fn align_window(before: &[Value], after: &[Value], clock: &Clock) -> Option<Alignment> {
    let keyed = identity::by_key(before, after, clock);
    let by_content = keyed.is_none();
    let (ids_before, ids_after) = match keyed {
        Some(ids) => ids,
        None => (identity::by_content(before, clock)?, identity::by_content(after, clock)?),
    };

    // Equal identities are matched in order: the first here with the first there.
    let mut places: HashMap<u64, Vec<usize>> = HashMap::with_capacity(before.len());
    for (index, id) in ids_before.iter().enumerate().rev() {
        places.entry(*id).or_default().push(index);
    }
    let mut from: Vec<Option<usize>> = ids_after.iter().map(|id| places.get_mut(id).and_then(Vec::pop)).collect();

    let matched: Vec<usize> = from.iter().flatten().copied().collect();
    let stays = longest_increasing(&matched);
    let mut moved = vec![false; after.len()];
    let mut nth = 0;
    for (place, origin) in from.iter().enumerate() {
        if origin.is_some() {
            moved[place] = !stays[nth];
            nth += 1;
        }
    }
    let move_count = stays.iter().filter(|stays| !**stays).count();
    if by_content {
        pair_in_place(before, after, &mut from, &moved);
    }
    Some(Alignment { from, moved, reordered: move_count * 2 > matched.len() })
}

/// Pairs what has no match but stands between the same neighbours: an element that was changed where it is.
fn pair_in_place(before: &[Value], after: &[Value], from: &mut [Option<usize>], moved: &[bool]) {
    let mut taken = vec![false; before.len()];
    for origin in from.iter().flatten() {
        taken[*origin] = true;
    }
    let anchors: Vec<(usize, usize)> = from
        .iter()
        .enumerate()
        .filter(|(place, _)| !moved[*place])
        .filter_map(|(place, origin)| origin.map(|origin| (origin, place)))
        .chain([(before.len(), after.len())])
        .collect();
    let (mut first_before, mut first_after) = (0, 0);
    for (end_before, end_after) in anchors {
        let free_before = (first_before..end_before).filter(|index| !taken[*index]);
        let free_after: Vec<usize> = (first_after..end_after).filter(|place| from[*place].is_none()).collect();
        for (index, place) in free_before.zip(free_after) {
            if alike(&before[index], &after[place]) {
                from[place] = Some(index);
            }
        }
        (first_before, first_after) = (end_before + 1, end_after + 1);
    }
}

/// Whether one may be a changed form of the other.
fn alike(before: &Value, after: &Value) -> bool {
    match (before, after) {
        (Value::Typed { kind: was, .. }, Value::Typed { kind: is, .. }) => was == is,
        _ => std::mem::discriminant(before) == std::mem::discriminant(after),
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
