//! The walk through two documents at once.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use foldhash::fast::RandomState;
use inspector_model::ChangeCounts;

use crate::DEEPEST;
use crate::bytes::{common_prefix, common_suffix};
use crate::clock::Clock;
use crate::delta::{Copied, Delta, Order, RawChange, RawOp, Span};
use crate::document::Document;
use crate::identity;
use crate::list::{self, List};
use crate::node::{Kind, Node, Tape};
use crate::place::{Part, PlaceId, Places, Whose};
use crate::scalar::{decode_text, same_number, same_text};
use crate::scan;

/// Two copies this near to each other become one, when what is between them is equal too: commas, colons, short scalars.
const BRIDGE: usize = 64;

/// More changes than these tell nobody anything: the container that has most of them is told whole.
const MOST: usize = 20_000;

/// Of longer values that changed whole the common ends are kept as copies.
const LONG: u32 = 128;

/// Finds what differs from one document to another, until the deadline.
///
/// Objects are compared by key, lists as `list.rs` says. An object whose keys only stand in another order has not changed;
/// one with a key that occurs twice is a value of its own, which is changed whole. What differs only in its spelling
/// (`1.0` and `1.00`, `é` and `\u00e9`) has not changed either, but is no copy. There are never more than 20,000 changes.
pub fn compare(before: &Arc<Document>, after: &Arc<Document>, deadline: Duration) -> Delta {
    let mut walk = Walk {
        clock: Clock::new(deadline),
        places: Places::new(),
        depth: 0,
        copies: Vec::new(),
        changes: Vec::new(),
        orders: Vec::new(),
        cut_short: false,
        quiet: 0,
        crowded: false,
    };
    walk.value((before.tape(), 0), (after.tape(), 0), PlaceId(0));
    let mut counts = ChangeCounts::default();
    for change in &walk.changes {
        *match change.op {
            RawOp::Added => &mut counts.added,
            RawOp::Removed => &mut counts.removed,
            RawOp::Changed => &mut counts.changed,
            RawOp::Moved { .. } | RawOp::Reordered { .. } => &mut counts.moved,
        } += 1;
    }
    let Walk { places, copies, changes, orders, cut_short, .. } = walk;
    Delta { before: before.clone(), after: after.clone(), copies, changes, orders, counts, cut_short, places }
}

/// A token with its tape.
type At<'a> = (Tape<'a>, usize);

/// What stands in both texts.
type Shown = (Span, Span);

/// A key and its value, by their tokens.
#[derive(Clone, Copy)]
struct Member {
    key: usize,
    value: usize,
}

struct Walk {
    clock: Clock,
    places: Places,
    depth: usize,
    copies: Vec<Copied>,
    changes: Vec<RawChange>,
    orders: Vec<Order>,
    cut_short: bool,
    /// Inside something that was told whole already: only copies are of interest.
    quiet: u32,
    /// There are too many changes: no more are noted until a container is left that has most of them.
    crowded: bool,
}

impl Walk {
    fn value(&mut self, (old, i): At<'_>, (new, j): At<'_>, place: PlaceId) {
        let (was, is) = (old.node(i), new.node(j));
        if was.kind == is.kind && was.len == is.len && was.of(old.text) == is.of(new.text) {
            return self.copy(old, new, was.span(), is.span());
        }
        self.depth += 1;
        // The scan lets nothing deeper in; this is what the recursion relies on.
        if self.clock.is_over() || self.depth > DEEPEST {
            self.cut_short = true;
            self.whole((old, i), (new, j), place, (was.span(), is.span()));
        } else {
            match (was.kind, is.kind) {
                (Kind::Object, Kind::Object) | (Kind::List, Kind::List) => {
                    self.container((old, i), (new, j), place, (was.span(), is.span()));
                }
                (Kind::Text, Kind::Text) if same_text(was.inner(old.text), was.escaped, is.inner(new.text), is.escaped) => {}
                (Kind::Number, Kind::Number) if same_number(was.of(old.text), is.of(new.text)) => {}
                _ => self.whole((old, i), (new, j), place, (was.span(), is.span())),
            }
        }
        self.depth -= 1;
    }

    /// Two containers of one kind. `shown` is what has changed when they are told as changed whole: for the content of a
    /// typed value that is the typed value.
    fn container(&mut self, (old, i): At<'_>, (new, j): At<'_>, place: PlaceId, shown: Shown) {
        // Short containers have no tokens of their content on the tape.
        let open = |tape: Tape<'_>, node: Node| if node.closed { scan::open(tape.text, node.start as usize) } else { None };
        let (old_nodes, new_nodes) = (open(old, old.node(i)), open(new, new.node(j)));
        let old_at = old_nodes.as_deref().map_or((old, i), |nodes| (Tape { text: old.text, nodes }, 0));
        let new_at = new_nodes.as_deref().map_or((new, j), |nodes| (Tape { text: new.text, nodes }, 0));
        let first = self.changes.len();
        if old_at.0.node(old_at.1).kind == Kind::List {
            self.list(old_at, new_at, place, shown);
        } else {
            self.object(old_at, new_at, place, shown);
        }
        if self.crowded && self.changes.len() - first >= MOST / 2 {
            self.changes.truncate(first);
            self.crowded = false;
            self.cut_short = true;
            self.push(place, RawOp::Changed, shown.0, shown.1);
        }
    }

    /// Whether changes are noted.
    const fn is_open(&self) -> bool {
        self.quiet == 0 && !self.crowded
    }

    /// A place, or the one that it lies in while nothing is noted.
    fn child(&mut self, place: PlaceId, part: Part) -> PlaceId {
        if self.is_open() { self.places.child(place, part) } else { place }
    }

    fn object(&mut self, old_at: At<'_>, new_at: At<'_>, place: PlaceId, shown: Shown) {
        let ((old, i), (new, j)) = (old_at, new_at);
        let (was, is) = (members(old, i), members(new, j));
        match (tag(old, &was), tag(new, &is)) {
            (None, None) => self.map(old_at, new_at, (&was, &is), place, shown),
            (Some(a), Some(b)) if decode_text(a) == decode_text(b) => self.typed(old_at, new_at, (&was, &is), place, shown),
            _ => self.whole(old_at, new_at, place, shown),
        }
    }

    /// A typed container is walked through when it is the same but for its content. A container that was cut also has
    /// the true length beside its content, which is told as a change of its own.
    fn typed(&mut self, old_at: At<'_>, new_at: At<'_>, (was, is): (&[Member], &[Member]), place: PlaceId, shown: Shown) {
        let ((old, _), (new, _)) = (old_at, new_at);
        let find =
            |tape: Tape<'_>, all: &[Member], wanted: &[u8]| all.iter().position(|member| tape.node(member.key).inner(tape.text) == wanted);
        let content = find(old, was, b"v").filter(|nth| was.len() == is.len() && new.bytes(is[*nth].key) == b"\"v\"");
        let Some(content) = content else { return self.whole(old_at, new_at, place, shown) };
        let cut_list = tag(old, was) == Some(b"cut") && old.node(was[content].value).kind == Kind::List;
        let mut seen = HashSet::with_hasher(RandomState::default());
        let same_frame = was.iter().zip(is).enumerate().all(|(nth, (a, b))| {
            let key = old.bytes(a.key);
            let free = nth == content || (cut_list && key == b"\"len\"");
            key == new.bytes(b.key) && seen.insert(key) && (free || old.bytes(a.value) == new.bytes(b.value))
        });
        let (from, to) = (was[content].value, is[content].value);
        let inner = match (old.node(from).kind, new.node(to).kind) {
            (Kind::List, Kind::List) => true,
            // A typed value as the content is no content to walk through.
            (Kind::Object, Kind::Object) => !is_typed(old, from) && !is_typed(new, to),
            _ => false,
        };
        if !same_frame || !inner {
            return self.whole(old_at, new_at, place, shown);
        }
        self.copy(old, new, first_byte(old.node(old_at.1)), first_byte(new.node(new_at.1)));
        for (nth, (a, b)) in was.iter().zip(is).enumerate() {
            self.copy(old, new, old.node(a.key).span(), new.node(b.key).span());
            let (from, to) = (old.node(a.value).span(), new.node(b.value).span());
            if old.bytes(a.value) == new.bytes(b.value) {
                self.copy(old, new, from, to);
            } else if nth == content {
                self.container((old, a.value), (new, b.value), place, shown);
            } else {
                let key = self.child(place, Part::Key(new.node(b.key).span(), Whose::After));
                self.whole((old, a.value), (new, b.value), key, (from, to));
            }
        }
        self.copy(old, new, last_byte(old.node(old_at.1)), last_byte(new.node(new_at.1)));
    }

    fn map(&mut self, old_at: At<'_>, new_at: At<'_>, (was, is): (&[Member], &[Member]), place: PlaceId, shown: Shown) {
        let ((old, i), (new, j)) = (old_at, new_at);
        let same_keys = was.len() == is.len() && was.iter().zip(is).all(|(a, b)| old.bytes(a.key) == new.bytes(b.key));
        if repeats(new, is) || (!same_keys && repeats(old, was)) {
            return self.whole(old_at, new_at, place, shown);
        }
        self.copy(old, new, first_byte(old.node(i)), first_byte(new.node(j)));
        if same_keys {
            for (a, b) in was.iter().zip(is) {
                self.member((old, *a), (new, *b), place);
            }
        } else {
            let index = |tape: Tape<'_>, members: &[Member]| -> HashMap<Vec<u8>, usize, RandomState> {
                members.iter().enumerate().map(|(nth, member)| (name(tape, *member), nth)).collect()
            };
            let (old_index, new_index) = (index(old, was), index(new, is));
            let stayed: Vec<bool> = was.iter().map(|member| new_index.contains_key(&name(old, *member))).collect();
            self.removed_keys(old, was, 0, &stayed, place);
            for now in is {
                let Some(nth) = old_index.get(&name(new, *now)).copied() else {
                    let key = self.child(place, Part::Key(new.node(now.key).span(), Whose::After));
                    self.push(key, RawOp::Added, Span::default(), new.node(now.value).span());
                    continue;
                };
                self.member((old, was[nth]), (new, *now), place);
                self.removed_keys(old, was, nth + 1, &stayed, place);
            }
        }
        self.copy(old, new, last_byte(old.node(i)), last_byte(new.node(j)));
    }

    fn member(&mut self, (old, was): (Tape<'_>, Member), (new, is): (Tape<'_>, Member), place: PlaceId) {
        if old.bytes(was.key) == new.bytes(is.key) {
            self.copy(old, new, old.node(was.key).span(), new.node(is.key).span());
        }
        let (a, b) = (old.node(was.value), new.node(is.value));
        if a.len == b.len && a.of(old.text) == b.of(new.text) {
            return self.copy(old, new, a.span(), b.span());
        }
        let key = self.child(place, Part::Key(new.node(is.key).span(), Whose::After));
        self.value((old, was.value), (new, is.value), key);
    }

    /// Reports the keys that are gone from `from` on, up to the next one that stayed.
    fn removed_keys(&mut self, old: Tape<'_>, was: &[Member], from: usize, stayed: &[bool], place: PlaceId) {
        for (gone, _) in was[from..].iter().zip(&stayed[from..]).take_while(|(_, stayed)| !**stayed) {
            let key = self.child(place, Part::Key(old.node(gone.key).span(), Whose::Before));
            self.push(key, RawOp::Removed, old.node(gone.value).span(), Span::default());
        }
    }

    fn list(&mut self, old_at: At<'_>, new_at: At<'_>, place: PlaceId, shown: Shown) {
        let ((old, i), (new, j)) = (old_at, new_at);
        let (was, is) = (elements(old, i), elements(new, j));
        let lists = (List { tape: old, node: i, elements: &was }, List { tape: new, node: j, elements: &is });
        let Some(alignment) = list::align(lists.0, lists.1, &self.clock) else {
            self.cut_short = true;
            return self.whole(old_at, new_at, place, shown);
        };
        let head = alignment.head;
        if alignment.replaced {
            self.push(place, RawOp::Changed, shown.0, shown.1);
            self.quiet += 1;
        }
        if alignment.reordered && self.is_open() {
            let order = alignment.from.iter().enumerate();
            let head_order = (0..head as u32).map(|place| (place, place));
            let tail_order = (0..alignment.tail as u32).rev().map(|back| (is.len() as u32 - 1 - back, was.len() as u32 - 1 - back));
            let between = order.filter_map(|(place, origin)| origin.map(|origin| ((head + place) as u32, origin as u32)));
            self.orders.push(head_order.chain(between).chain(tail_order).collect());
            let op = RawOp::Reordered { order: self.orders.len() as u32 - 1 };
            self.push(place, op, old.node(i).span(), new.node(j).span());
        }
        let mut stayed = vec![false; was.len()];
        for origin in alignment.from.iter().flatten() {
            stayed[*origin] = true;
        }
        let tail = was.len() - alignment.tail;
        let run = |tape: Tape<'_>, list: &[u32], first: usize, end: usize| {
            Span::new(tape.node(list[first] as usize).start as usize, tape.node(list[end - 1] as usize).end())
        };
        self.copy(old, new, first_byte(old.node(i)), first_byte(new.node(j)));
        if head > 0 {
            self.copy(old, new, run(old, &was, 0, head), run(new, &is, 0, head));
        }
        self.removed_elements(old, &was[..tail], head, &stayed, place);
        for (nth, origin) in alignment.from.iter().enumerate() {
            let element = is[head + nth] as usize;
            let Some(from) = *origin else {
                let added = self.element(new, element, head + nth, Whose::After, place);
                self.push(added, RawOp::Added, Span::default(), new.node(element).span());
                continue;
            };
            let (a, b) = (old.node(was[from] as usize), new.node(element));
            let moved = alignment.moved[nth] && !alignment.reordered && self.is_open();
            let same = a.len == b.len && a.of(old.text) == b.of(new.text);
            if same && !moved {
                self.copy(old, new, a.span(), b.span());
            } else {
                let here = self.element(new, element, head + nth, Whose::After, place);
                if moved {
                    self.push(here, RawOp::Moved { from: from as u32 }, a.span(), b.span());
                }
                self.value((old, was[from] as usize), (new, element), here);
            }
            self.removed_elements(old, &was[..tail], from + 1, &stayed, place);
        }
        if alignment.tail > 0 {
            self.copy(old, new, run(old, &was, tail, was.len()), run(new, &is, is.len() - alignment.tail, is.len()));
        }
        self.copy(old, new, last_byte(old.node(i)), last_byte(new.node(j)));
        if alignment.replaced {
            self.quiet -= 1;
        }
    }

    /// Reports the elements that are gone from `from` on, up to the next one that stayed.
    fn removed_elements(&mut self, old: Tape<'_>, was: &[u32], from: usize, stayed: &[bool], place: PlaceId) {
        for index in (from..was.len()).take_while(|index| !stayed[*index]) {
            let gone = was[index] as usize;
            let here = self.element(old, gone, index, Whose::Before, place);
            self.push(here, RawOp::Removed, old.node(gone).span(), Span::default());
        }
    }

    /// The place of a list's element.
    fn element(&mut self, tape: Tape<'_>, element: usize, index: usize, whose: Whose, place: PlaceId) -> PlaceId {
        if !self.is_open() {
            return place;
        }
        let identity = identity::own(tape, element).map(|identity| (identity, whose));
        self.places.child(place, Part::Element(index as u32, identity))
    }

    fn whole(&mut self, (old, i): At<'_>, (new, j): At<'_>, place: PlaceId, shown: Shown) {
        let (was, is) = (old.node(i), new.node(j));
        self.push(place, RawOp::Changed, shown.0, shown.1);
        if was.kind == is.kind && was.len > LONG && is.len > LONG {
            let (a, b) = (was.of(old.text), is.of(new.text));
            let head = common_prefix(a, b);
            let tail = common_suffix(&a[head..], &b[head..]);
            let part = |node: Node, from: usize, len: usize| Span { start: node.start + from as u32, len: len as u32 };
            self.copy(old, new, part(was, 0, head), part(is, 0, head));
            self.copy(old, new, part(was, a.len() - tail, tail), part(is, b.len() - tail, tail));
        }
    }

    fn push(&mut self, place: PlaceId, op: RawOp, before: Span, after: Span) {
        if self.is_open() {
            self.changes.push(RawChange { place, op, before, after });
            self.crowded = self.changes.len() >= MOST;
        }
    }

    /// Notes that equal bytes stand at both places.
    fn copy(&mut self, old: Tape<'_>, new: Tape<'_>, from: Span, to: Span) {
        if to.len == 0 {
            return;
        }
        if let Some(last) = self.copies.last_mut() {
            let (old_end, new_end) = ((last.from + last.len) as usize, (last.to + last.len) as usize);
            let (from, to_start) = (from.start as usize, to.start as usize);
            let gap = to_start.wrapping_sub(new_end);
            if from.wrapping_sub(old_end) == gap && gap < BRIDGE && old.text.get(old_end..from) == new.text.get(new_end..to_start) {
                last.len = to.end() as u32 - last.to;
                return;
            }
        }
        self.copies.push(Copied { from: from.start, to: to.start, len: to.len });
    }
}

const fn first_byte(node: Node) -> Span {
    Span { start: node.start, len: 1 }
}

const fn last_byte(node: Node) -> Span {
    Span { start: node.start + node.len - 1, len: 1 }
}

fn members(tape: Tape<'_>, object: usize) -> Vec<Member> {
    let end = tape.next(object);
    let mut all = Vec::new();
    let mut key = object + 1;
    while key < end {
        all.push(Member { key, value: key + 1 });
        key = tape.next(key + 1);
    }
    all
}

fn elements(tape: Tape<'_>, list: usize) -> Vec<u32> {
    let end = tape.next(list);
    // Most elements of a long list are one token.
    let mut all = Vec::with_capacity(tape.node(list).skip as usize - 1);
    let mut element = list + 1;
    while element < end {
        all.push(element as u32);
        element = tape.next(element);
    }
    all
}

/// The tag of a typed value, without its quotes.
fn tag<'a>(tape: Tape<'a>, members: &[Member]) -> Option<&'a [u8]> {
    let first = members.first()?;
    let value = tape.node(first.value);
    (value.kind == Kind::Text && decode_text(tape.node(first.key).inner(tape.text)) == "$t").then(|| value.inner(tape.text))
}

fn is_typed(tape: Tape<'_>, object: usize) -> bool {
    if tape.node(object).closed {
        return scan::open(tape.text, tape.node(object).start as usize)
            .is_some_and(|nodes| is_typed(Tape { text: tape.text, nodes: &nodes }, 0));
    }
    tag(tape, &members(tape, object)).is_some()
}

fn name(tape: Tape<'_>, member: Member) -> Vec<u8> {
    let key = tape.node(member.key);
    if key.escaped { decode_text(key.inner(tape.text)).into_owned().into_bytes() } else { key.inner(tape.text).to_vec() }
}

/// Whether a key occurs twice.
fn repeats(tape: Tape<'_>, members: &[Member]) -> bool {
    let escaped = members.iter().any(|member| tape.node(member.key).escaped);
    if members.len() <= 8 && !escaped {
        let keys = || members.iter().map(|member| tape.bytes(member.key)).enumerate();
        return keys().any(|(nth, key)| keys().take(nth).any(|(_, other)| key == other));
    }
    if escaped {
        let mut seen = HashSet::with_capacity_and_hasher(members.len(), RandomState::default());
        return !members.iter().all(|member| seen.insert(name(tape, *member)));
    }
    let mut seen = HashSet::with_capacity_and_hasher(members.len(), RandomState::default());
    !members.iter().all(|member| seen.insert(tape.bytes(member.key)))
}
