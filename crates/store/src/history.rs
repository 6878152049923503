//! When a path changed: the indexes of all segments as one tree of paths, each with its steps.
//!
//! It is put together from what the segments have when it is asked for first, and goes on from there; the recorder does
//! not hold it. The open segment has an index of its own, which is asked beside it.

use std::collections::HashMap;
use std::hash::BuildHasher as _;
use std::time::Duration;

use foldhash::fast::RandomState;
use inspector_model::{Glimpse, Path, Scope, Side, StateAnswer, StepId};
use inspector_tape::{Document, Found, PlacePath, beginning};

use crate::disk::Instant;
use crate::error::StoreError;
use crate::index::{AT, BELOW, NO_PARENT, ORDER, SegmentIndex, stream_of};
use crate::piece::Growth;
use crate::reader::Reader;
use crate::rebuild;
use crate::segment::StreamKey;
use crate::wire::{Cursor, put_number};

/// Whether a stream is meant.
pub(crate) fn meant(scope: &Scope, (session, view): &StreamKey) -> bool {
    scope.has(session.as_ref(), view.as_ref())
}

/// So many entries are between two marks of a list.
const STRIDE: u32 = 512;

/// The steps of a path: numbers with flags, each as the distance from the one before.
#[derive(Default)]
struct Steps {
    bytes: Vec<u8>,
    last: u64,
    count: u32,
    /// For every so many entries the step before them and where they begin.
    marks: Vec<(u64, u32)>,
}

impl Steps {
    fn push(&mut self, step: u64, flags: u8) {
        if step < self.last {
            return;
        }
        if self.count.is_multiple_of(STRIDE) {
            self.marks.push((self.last, self.bytes.len() as u32));
        }
        put_number(&mut self.bytes, (step - self.last) << 3 | u64::from(flags));
        self.last = step;
        self.count += 1;
    }

    /// The entries of a block of marks.
    fn block(&self, mark: usize) -> impl Iterator<Item = (u64, u8)> {
        let (mut step, start) = self.marks[mark];
        let end = self.marks.get(mark + 1).map_or(self.bytes.len(), |(_, end)| *end as usize);
        let mut cursor = Cursor::new(&self.bytes[start as usize..end]);
        std::iter::from_fn(move || {
            let number = cursor.number()?;
            step += number >> 3;
            Some((step, (number & 7) as u8))
        })
    }

    fn all(&self) -> impl Iterator<Item = (u64, u8)> {
        (0..self.marks.len()).flat_map(|mark| self.block(mark))
    }

    fn last_before(&self, bound: u64, mask: u8) -> Option<u64> {
        // A mark has the step before its block.
        let end = self.marks.partition_point(|(before, _)| *before < bound);
        (0..end).rev().find_map(|mark| {
            let earlier = self.block(mark).take_while(|(step, _)| *step < bound);
            earlier.filter(|(_, flags)| flags & mask != 0).map(|(step, _)| step).last()
        })
    }

    fn first_after(&self, bound: u64, mask: u8) -> Option<u64> {
        let start = self.marks.partition_point(|(before, _)| *before <= bound).saturating_sub(1);
        (start..self.marks.len())
            .find_map(|mark| self.block(mark).find(|(step, flags)| *step > bound && flags & mask != 0).map(|(step, _)| step))
    }
}

/// What one line needs of what stands at a path.
pub fn glimpse(document: &Document, path: &Path) -> Option<Glimpse> {
    let Found { json, len } = document.at(path)?;
    let (text, whole) = beginning(json, Glimpse::LONGEST);
    Some(Glimpse { json: text, whole, len: len.map(|len| len as u64), bytes: json.len() as u64 })
}

struct Node {
    parent: u32,
    name: Box<[u8]>,
    /// Where its own value changed, or its order.
    own: Steps,
    /// Where something below it changed: apart, because for a path below that does not matter, and there is much of it.
    below: Option<Box<Steps>>,
}

impl Node {
    fn push(&mut self, step: u64, flags: u8) {
        if flags & !BELOW != 0 {
            self.own.push(step, flags & !BELOW);
        }
        if flags & BELOW != 0 {
            self.below.get_or_insert_default().push(step, BELOW);
        }
    }

    /// Its entries that may have one of these flags.
    fn steps(&self, mask: u8) -> impl Iterator<Item = &Steps> {
        let below = self.below.as_deref().filter(|_| mask & BELOW != 0);
        std::iter::once(&self.own).chain(below)
    }
}

/// The paths of all segments up to one.
#[derive(Default)]
pub(crate) struct History {
    nodes: Vec<Node>,
    roots: Vec<(u32, StreamKey)>,
    /// By a hash of parent and name; the next free number after it when that is taken by another.
    lookup: HashMap<u64, u32, RandomState>,
    state: RandomState,
    /// How much larger the indexes are than their packed bytes.
    growth: Growth,
    /// The first step of the last segment that is in it.
    upto: u64,
}

impl History {
    fn child(&self, parent: u32, name: &[u8]) -> Result<u32, u64> {
        let mut hash = self.state.hash_one((parent, name));
        loop {
            match self.lookup.get(&hash) {
                None => return Err(hash),
                Some(node) if self.nodes[*node as usize].parent == parent && *self.nodes[*node as usize].name == *name => return Ok(*node),
                Some(_) => hash = hash.wrapping_add(1),
            }
        }
    }

    fn absorb(&mut self, index: &SegmentIndex) {
        let mut nodes: Vec<u32> = Vec::with_capacity(index.paths.len());
        for path in &index.paths {
            let parent = nodes.get(path.parent as usize).copied().unwrap_or(NO_PARENT);
            let node = self.child(parent, &path.name).unwrap_or_else(|hash| {
                let node = self.nodes.len() as u32;
                self.nodes.push(Node { parent, name: path.name.clone(), own: Steps::default(), below: None });
                self.lookup.insert(hash, node);
                if parent == NO_PARENT
                    && let Some(stream) = stream_of(&path.name)
                {
                    self.roots.push((node, stream));
                }
                node
            });
            for (step, flags) in &path.steps {
                // Of what a file says nothing is believed: its segments may overlap.
                if let Some(step) = index.first.checked_add(u64::from(*step)) {
                    self.nodes[node as usize].push(step, *flags);
                }
            }
            nodes.push(node);
        }
        self.upto = index.first;
    }

    /// Where the changes of a path stand, and which of the entries there are some.
    fn places(&self, path: &PlacePath, scope: &Scope) -> Vec<(&Steps, u8)> {
        let mut places = Vec::new();
        for (root, _) in self.roots.iter().filter(|(_, stream)| meant(scope, stream)) {
            way(
                *root,
                path,
                |node, name| self.child(node, name).ok(),
                |node, mask| places.extend(self.nodes[node as usize].steps(mask).map(|steps| (steps, mask))),
            );
        }
        places
    }
}

/// Goes down a path, and visits what has its changes: above it only whole values matter.
fn way(root: u32, path: &PlacePath, child: impl Fn(u32, &[u8]) -> Option<u32>, mut visit: impl FnMut(u32, u8)) {
    let mut node = root;
    for name in &path.0 {
        visit(node, AT);
        match child(node, name) {
            Some(child) => node = child,
            None => return,
        }
    }
    // A row that stands elsewhere is the same row; a list whose rows stand elsewhere is another list.
    let is_element = path.0.last().and_then(|name| name.first()).is_some_and(|first| *first != b'.');
    visit(node, if is_element { AT | BELOW } else { AT | BELOW | ORDER });
}

/// The steps of the open segment that changed a path.
fn open_steps(index: &SegmentIndex, path: &PlacePath, scope: &Scope) -> Vec<u64> {
    let mut steps = Vec::new();
    for (root, name) in index.paths.iter().enumerate().filter(|(_, path)| path.parent == NO_PARENT).map(|(root, path)| (root, &path.name)) {
        if stream_of(name).is_some_and(|stream| meant(scope, &stream)) {
            way(
                root as u32,
                path,
                |node, name| index.find(node, name),
                |node, mask| {
                    let entries = index.paths[node as usize].steps.iter();
                    steps.extend(entries.filter(|(_, flags)| flags & mask != 0).map(|(step, _)| index.first + u64::from(*step)));
                },
            );
        }
    }
    steps.sort_unstable();
    steps.dedup();
    steps
}

impl Reader {
    /// What a path leads to in a state, in the form in which changes are found: a row of a list is known by its identity, so
    /// that it is found where it stood before and stands later.
    pub fn place(&self, step: StepId, side: Side, path: &Path) -> Result<PlacePath, StoreError> {
        let document = match self.state(step, side)? {
            StateAnswer::Full(text) => Document::new(text).ok(),
            StateAnswer::Missing(_) => None,
        };
        // Without a state a path means what it says.
        let document = document.map_or_else(|| Document::new("null".into()), Ok);
        document.map(|document| PlacePath::find(path, &document)).map_err(|error| StoreError::damaged(error.to_string()))
    }

    /// Takes in what questions about paths need, for about so long. Says whether that is all of it. The first question does
    /// it otherwise, and takes the longer for it: some milliseconds for ten thousand steps.
    pub fn prepare_changes(&self, budget: Duration) -> Result<bool, StoreError> {
        let open = self.live(|writer| writer.segment.first);
        self.take_in(open, Some(budget))
    }

    /// The steps that changed what is at a path or below it, in order. A value above it that came, went or was replaced
    /// counts; elements that only moved do not.
    pub fn changes(&self, path: &PlacePath, scope: &Scope) -> Result<Vec<StepId>, StoreError> {
        let mut steps = self.bring_up(path, scope)?;
        {
            let history = self.history().lock();
            let places = history.places(path, scope);
            let closed = places.iter().flat_map(|(steps, mask)| steps.all().filter(|(_, flags)| flags & *mask != 0).map(|(step, _)| step));
            steps.extend(closed);
        }
        steps.sort_unstable();
        steps.dedup();
        Ok(steps.into_iter().map(StepId).collect())
    }

    /// The last step before `step` that changed a path, as [`Reader::changes`] has it.
    pub fn last_change_before(&self, path: &PlacePath, scope: &Scope, step: StepId) -> Result<Option<StepId>, StoreError> {
        let open = self.bring_up(path, scope)?;
        let open = open.into_iter().rev().find(|found| *found < step.0);
        let history = self.history().lock();
        let places = history.places(path, scope);
        let closed = places.iter().filter_map(|(steps, mask)| steps.last_before(step.0, *mask)).max();
        Ok(open.max(closed).map(StepId))
    }

    /// The first step after `step` that changed a path, as [`Reader::changes`] has it.
    pub fn first_change_after(&self, path: &PlacePath, scope: &Scope, step: StepId) -> Result<Option<StepId>, StoreError> {
        let open = self.bring_up(path, scope)?;
        let open = open.into_iter().find(|found| *found > step.0);
        let history = self.history().lock();
        let places = history.places(path, scope);
        let closed = places.iter().filter_map(|(steps, mask)| steps.first_after(step.0, *mask)).min();
        Ok(closed.into_iter().chain(open).min().map(StepId))
    }

    /// What stood at a path after each of some steps, in their order; rows of which the path has the identity are followed. Ends
    /// when the time is over: then there are fewer, one at least.
    pub fn values(&self, path: &Path, steps: &[StepId], budget: Duration) -> Result<Vec<(StepId, Option<Glimpse>)>, StoreError> {
        let start = Instant::now();
        let mut cursor = self.cursor();
        let mut document: Option<Document> = None;
        let mut values = Vec::with_capacity(steps.len());
        for step in steps {
            let value = match cursor.state(*step, Side::After)? {
                StateAnswer::Full(text) => {
                    let next = match &document {
                        Some(earlier) => Document::after(earlier, text),
                        None => Document::new(text),
                    };
                    document = next.ok();
                    document.as_ref().and_then(|document| glimpse(document, path))
                }
                StateAnswer::Missing(_) => None,
            };
            values.push((*step, value));
            if start.elapsed() >= budget {
                break;
            }
        }
        Ok(values)
    }

    /// The steps of the open segment that changed a path, after which the history has all that lies before it. In one look: what
    /// closes from then on is in the history, in the steps, or in both.
    fn bring_up(&self, path: &PlacePath, scope: &Scope) -> Result<Vec<u64>, StoreError> {
        let open = self.live(|writer| (writer.segment.first, open_steps(&writer.segment.index, path, scope)));
        self.take_in(open.as_ref().map(|(first, _)| *first), None)?;
        Ok(open.map(|(_, steps)| steps).unwrap_or_default())
    }

    /// Takes the indexes of segments in that were closed since the last time, up to the one that is `open`. Says whether all were
    /// taken in.
    fn take_in(&self, open: Option<u64>, budget: Option<Duration>) -> Result<bool, StoreError> {
        let start = Instant::now();
        let mut history = self.history().lock();
        while let Some(first) = self.source().segment_after(history.upto)?.filter(|first| open.is_none_or(|open| *first < open)) {
            let stored = match self.source().index_bytes(first)? {
                Some(bytes) if history.growth.note(self.source().index_len(first)?, bytes.len()).is_ok() => {
                    SegmentIndex::from_bytes(first, &bytes)
                }
                // What would fill the memory is no index, nor is what it is of worth the time.
                Some(_) => Some(SegmentIndex::new(first)),
                None => None,
            };
            let index = match stored {
                Some(index) => index,
                None => rebuild::index(&self.source().segment(first)?),
            };
            history.absorb(&index);
            if budget.is_some_and(|budget| start.elapsed() >= budget) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
