//! What makes a list element the same element in two states.
//!
//! Identities are hashes. Two different ones that collide cost a worse alignment, never a wrong delta: whatever is matched
//! is still compared.

use std::collections::HashSet;
use std::hash::{BuildHasher, Hash as _, Hasher as _};

use foldhash::fast::RandomState;

use crate::clock::Clock;
use crate::delta::Span;
use crate::members::{elements, members};
use crate::node::{Kind, Tape};

/// Keys that identify a row, best first, with their quotes as they stand in the text.
const KEYS: [&[u8]; 6] = [b"\"id\"", b"\"pk\"", b"\"key\"", b"\"uuid\"", b"\"slug\"", b"\"_id\""];

/// Tags of typed scalars that can be an identity.
const SCALARS: [&[u8]; 7] = [b"\"uuid\"", b"\"int\"", b"\"str\"", b"\"decimal\"", b"\"enum\"", b"\"date\"", b"\"datetime\""];

/// The members of an element that are looked at: an identity stands near the front.
const NEAR: usize = 32;

const TAG: &[u8] = b"\"$t\"";

/// What is taken for the identity of the elements of one list.
#[derive(Clone, Copy)]
enum Rule {
    /// The key of a pair `[key, value]`, which is how a dict with other keys than strings travels.
    Pair,
    /// A member.
    Member(&'static [u8]),
}

/// The identities of elements of two lists, by the first rule that holds for all and by which none are the same.
pub(crate) fn by_key(old: Tape<'_>, was: &[u32], new: Tape<'_>, is: &[u32], clock: &Clock) -> Option<(Vec<u64>, Vec<u64>)> {
    let (first_old, first_new) = (*was.first()? as usize, *is.first()? as usize);
    let state = RandomState::default();
    let rules = std::iter::once(Rule::Pair).chain(KEYS.into_iter().map(Rule::Member));
    rules.filter(|rule| find(old, first_old, *rule).is_some() && find(new, first_new, *rule).is_some()).find_map(|rule| {
        let read = |tape: Tape<'_>, list: &[u32]| -> Option<Vec<u64>> {
            let mut seen = HashSet::with_capacity_and_hasher(list.len(), RandomState::default());
            list.iter()
                .map(|element| {
                    let found = find(tape, *element as usize, rule)?;
                    let mut hasher = state.build_hasher();
                    found.kind.map(|kind| kind.of(tape.text)).hash(&mut hasher);
                    found.class.map(|class| class.of(tape.text)).hash(&mut hasher);
                    hasher.write(found.identity.of(tape.text));
                    let identity = hasher.finish();
                    (!clock.is_over() && seen.insert(identity)).then_some(identity)
                })
                .collect()
        };
        Some((read(old, was)?, read(new, is)?))
    })
}

/// The hashes of the elements' bytes.
pub(crate) fn by_content(old: Tape<'_>, was: &[u32], new: Tape<'_>, is: &[u32], clock: &Clock) -> Option<(Vec<u64>, Vec<u64>)> {
    let state = RandomState::default();
    let read = |tape: Tape<'_>, list: &[u32]| -> Option<Vec<u64>> {
        list.iter().map(|element| (!clock.is_over()).then(|| state.hash_one(tape.bytes(*element as usize)))).collect()
    };
    Some((read(old, was)?, read(new, is)?))
}

/// The identity that an element has by itself: what a path through a list is known by while the list changes.
pub(crate) fn own(tape: Tape<'_>, element: usize) -> Option<Span> {
    let (node, text) = (tape.node(element), tape.text);
    if node.kind == Kind::List {
        return find(tape, element, Rule::Pair).map(|found| found.identity);
    }
    if node.kind != Kind::Object {
        return None;
    }
    // In one go: this is asked of every element that changes.
    let mut best: Option<(usize, Span)> = None;
    let mut better = |key: &[u8], value: Span| {
        let rank = KEYS.iter().position(|known| *known == key).filter(|rank| best.is_none_or(|(best, _)| *rank < best));
        if let Some(rank) = rank.filter(|_| is_scalar(text, value)) {
            best = Some((rank, value));
        }
        best.is_some_and(|(rank, _)| rank == 0)
    };
    let mut is_typed = false;
    let mut inside = None;
    for (nth, (key, value)) in members(text, node.start as usize).take(NEAR).enumerate() {
        let key = key.of(text);
        if nth == 0 && key == TAG {
            is_typed = true;
        } else if is_typed && key == b"\"v\"" && value.of(text).first() == Some(&b'{') {
            inside = Some(value);
        } else if better(key, value) {
            break;
        }
    }
    for (key, value) in inside.into_iter().flat_map(|inside| members(text, inside.start as usize).take(NEAR)) {
        if better(key.of(text), value) {
            break;
        }
    }
    best.map(|(_, identity)| identity)
}

struct Found {
    identity: Span,
    /// Of a typed element: item 3 is not order 3.
    kind: Option<Span>,
    class: Option<Span>,
}

fn find(tape: Tape<'_>, element: usize, rule: Rule) -> Option<Found> {
    let node = tape.node(element);
    let text = tape.text;
    match (rule, node.kind) {
        (Rule::Pair, Kind::List) => {
            let mut pair = elements(text, node.start as usize);
            let key = pair.next()?;
            pair.next()?;
            (pair.next().is_none() && is_scalar(text, key)).then_some(Found { identity: key, kind: None, class: None })
        }
        (Rule::Member(wanted), Kind::Object) => find_member(text, node.start as usize, wanted),
        _ => None,
    }
}

fn find_member(text: &[u8], start: usize, wanted: &[u8]) -> Option<Found> {
    let mut kind = None;
    let mut class = None;
    let mut identity = None;
    let mut inside = None;
    for (nth, (key, value)) in members(text, start).take(NEAR).enumerate() {
        let key = key.of(text);
        if nth == 0 && key == TAG {
            kind = Some(value);
        } else if key == wanted {
            identity = Some(value);
            // Nothing that follows matters to a plain row.
            if kind.is_none() {
                break;
            }
        } else if kind.is_some() && (key == b"\"model\"" || key == b"\"class\"") {
            class = Some(value);
        } else if kind.is_some() && key == b"\"v\"" && value.of(text).first() == Some(&b'{') {
            inside = Some(value);
        }
    }
    let identity = identity.or_else(|| {
        let content = inside?.start as usize;
        members(text, content).take(NEAR).find(|(key, _)| key.of(text) == wanted).map(|(_, value)| value)
    })?;
    is_scalar(text, identity).then_some(Found { identity, kind, class })
}

fn is_scalar(text: &[u8], value: Span) -> bool {
    match value.of(text).first() {
        Some(b'"' | b'-' | b'0'..=b'9' | b't' | b'f') => true,
        Some(b'{') => {
            members(text, value.start as usize).next().is_some_and(|(key, tag)| key.of(text) == TAG && SCALARS.contains(&tag.of(text)))
        }
        _ => false,
    }
}
