//! What changed in one segment: for each path the steps that changed it, and the log of the values that came.
//!
//! Paths are a tree. Its roots are streams; below them stand names as `inspector_tape::Places::name` gives them, so a row
//! of a list keeps its path while others come and go. A change is noted at its path, and at each path above as one below.

use std::collections::HashMap;
use std::hash::BuildHasher as _;

use foldhash::fast::RandomState;
use inspector_model::{SessionId, ViewId};
use inspector_tape::{Delta, PlaceId, RawChange, RawOp, common_prefix, common_suffix};

use crate::segment::{MOST_STEPS, StreamKey};
use crate::wire::{Cursor, put_bytes, put_number};

/// At this path a value came, went, or became another one.
pub(crate) const AT: u8 = 1;
/// An element at this path moved, or the elements of the list.
pub(crate) const ORDER: u8 = 2;
/// Something below it changed.
pub(crate) const BELOW: u8 = 4;
const FLAG_BITS: u32 = 3;

/// The parent of a stream's path.
pub(crate) const NO_PARENT: u32 = u32::MAX;

/// The largest stored index that is read, its paths, and how deep they may lie: three bytes make a path of fifty. One that has more is
/// made again from its segment when it is needed.
pub(crate) const LARGEST: usize = 32 << 20;
const MOST_PATHS: u64 = 2_000_000;
/// A level of JSON is at most a key and the content of a typed value.
const DEEPEST: u16 = 512;

/// Values from here on are written once per segment.
const LONG_VALUE: usize = 256;

/// Of a longer text that changed only the differing part is logged, with so much around it.
const LONG_TEXT: usize = 512;
const AROUND: usize = 64;

/// What an entry of the log says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogOp {
    /// A key or element came.
    Added,
    /// One went.
    Removed,
    /// A value became another one.
    Changed,
    /// An element stands elsewhere.
    Moved,
    /// The elements of a list stand in another order.
    Reordered,
    /// The view's first state.
    First,
}

impl LogOp {
    const ALL: [Self; 6] = [Self::Added, Self::Removed, Self::Changed, Self::Moved, Self::Reordered, Self::First];

    fn of(op: RawOp) -> Self {
        match op {
            RawOp::Added => Self::Added,
            RawOp::Removed => Self::Removed,
            RawOp::Changed => Self::Changed,
            RawOp::Moved { .. } => Self::Moved,
            RawOp::Reordered { .. } => Self::Reordered,
        }
    }

    const fn flag(self) -> u8 {
        match self {
            Self::Added | Self::Removed | Self::Changed | Self::First => AT,
            Self::Moved | Self::Reordered => ORDER,
        }
    }
}

/// A path, and the steps that changed it.
pub(crate) struct IndexPath {
    pub(crate) parent: u32,
    pub(crate) name: Box<[u8]>,
    /// Steps from the segment's first, with flags, in order.
    pub(crate) steps: Vec<(u32, u8)>,
}

/// The index of one segment.
pub(crate) struct SegmentIndex {
    pub(crate) first: u64,
    pub(crate) paths: Vec<IndexPath>,
    /// By parent and name. Emptied of use once the segment is complete.
    lookup: HashMap<Box<[u8]>, u32, RandomState>,
    pub(crate) log: Vec<u8>,
    logged: u32,
    /// Steps with first states.
    firsts: u64,
    long: HashMap<u64, u32, RandomState>,
    scratch: Vec<u8>,
}

impl SegmentIndex {
    pub(crate) fn new(first: u64) -> Self {
        Self {
            first,
            paths: Vec::new(),
            lookup: HashMap::default(),
            log: Vec::new(),
            logged: 0,
            firsts: 0,
            long: HashMap::default(),
            scratch: Vec::new(),
        }
    }

    /// Notes the first state of a stream.
    pub(crate) fn note_first(&mut self, step: u64, stream: &StreamKey) {
        let root = self.stream(stream);
        self.mark(root, step, LogOp::First);
        self.firsts += 1;
        self.entry(step, root, LogOp::First);
        self.value(b"");
    }

    /// Notes that a state became another one, of which no more is known.
    pub(crate) fn note_changed(&mut self, step: u64, stream: &StreamKey) {
        let root = self.stream(stream);
        self.mark(root, step, LogOp::Changed);
    }

    /// Notes what changed.
    pub(crate) fn note(&mut self, step: u64, stream: &StreamKey, delta: &Delta) {
        if delta.changes.is_empty() {
            return;
        }
        let root = self.stream(stream);
        // Places are in order, parents first: a path for those that changed and what they lie in.
        let mut known: HashMap<PlaceId, u32, RandomState> = HashMap::default();
        known.insert(PlaceId(0), root);
        for change in &delta.changes {
            let path = self.path_of(delta, change.place, &mut known);
            let op = LogOp::of(change.op);
            self.mark(path, step, op);
            self.entry(step, path, op);
            self.value_of(delta, change);
        }
    }

    fn path_of(&mut self, delta: &Delta, place: PlaceId, known: &mut HashMap<PlaceId, u32, RandomState>) -> u32 {
        let mut way = Vec::new();
        let mut at = place;
        let mut path = loop {
            if let Some(path) = known.get(&at) {
                break *path;
            }
            way.push(at);
            at = delta.places().parent(at).unwrap_or(PlaceId(0));
        };
        while let Some(place) = way.pop() {
            let mut name = std::mem::take(&mut self.scratch);
            name.clear();
            name.extend(path.to_le_bytes());
            delta.places().name(place, delta.before().text(), delta.after().text(), &mut name);
            path = self.child(path, &name);
            self.scratch = name;
            known.insert(place, path);
        }
        path
    }

    /// The path of a stream.
    fn stream(&mut self, stream: &StreamKey) -> u32 {
        let mut name = NO_PARENT.to_le_bytes().to_vec();
        put_stream(&mut name, stream);
        self.child(NO_PARENT, &name)
    }

    /// `name` has the parent before it.
    fn child(&mut self, parent: u32, name: &[u8]) -> u32 {
        if let Some(path) = self.lookup.get(name) {
            return *path;
        }
        let path = self.paths.len() as u32;
        self.paths.push(IndexPath { parent, name: name[4..].into(), steps: Vec::new() });
        self.lookup.insert(name.into(), path);
        path
    }

    fn mark(&mut self, path: u32, step: u64, op: LogOp) {
        let step = (step - self.first) as u32;
        let (mut at, mut flag) = (path, op.flag());
        while let Some(path) = self.paths.get_mut(at as usize) {
            match path.steps.last_mut() {
                // The paths above have it too.
                Some((last, flags)) if *last == step && *flags & flag != 0 && flag == BELOW => break,
                Some((last, flags)) if *last == step => *flags |= flag,
                _ => path.steps.push((step, flag)),
            }
            at = path.parent;
            flag = BELOW;
        }
    }

    fn entry(&mut self, step: u64, path: u32, op: LogOp) {
        let step = (step - self.first) as u32;
        put_number(&mut self.log, u64::from(step - self.logged));
        self.logged = step;
        put_number(&mut self.log, u64::from(path) << 3 | op as u64);
    }

    fn value_of(&mut self, delta: &Delta, change: &RawChange) {
        let text = delta.after().text();
        match change.op {
            // What is gone was logged when it came.
            RawOp::Removed | RawOp::Moved { .. } | RawOp::Reordered { .. } => self.value(b""),
            RawOp::Changed if change.before.len as usize > LONG_TEXT && change.after.len as usize > LONG_TEXT => {
                let (old, new) = (change.before.of(delta.before().text().as_bytes()), change.after.of(text.as_bytes()));
                let head = common_prefix(old, new);
                let tail = common_suffix(&old[head..], &new[head..]);
                let near = |at: usize| text.floor_char_boundary(change.after.start as usize + at) - change.after.start as usize;
                let from = near(head.saturating_sub(AROUND));
                let to = near((new.len() - tail + AROUND).min(new.len()));
                self.value(&new[from..to.max(from)]);
            }
            RawOp::Added | RawOp::Changed => self.value(change.after.of(text.as_bytes())),
        }
    }

    fn value(&mut self, raw: &[u8]) {
        let readable = readable(raw);
        let value = readable.as_deref().unwrap_or(raw);
        let head = (value.len() as u64) << 1;
        if value.len() < LONG_VALUE {
            put_number(&mut self.log, head);
            self.log.extend_from_slice(value);
            return;
        }
        let hash = self.long.hasher().hash_one(value);
        let earlier = self.long.get(&hash).copied().filter(|at| self.log.get(*at as usize..*at as usize + value.len()) == Some(value));
        if let Some(at) = earlier {
            put_number(&mut self.log, head | 1);
            put_number(&mut self.log, at.into());
            return;
        }
        put_number(&mut self.log, head);
        self.long.insert(hash, self.log.len() as u32);
        self.log.extend_from_slice(value);
    }

    /// The path of that name below another.
    pub(crate) fn find(&self, parent: u32, name: &[u8]) -> Option<u32> {
        self.lookup.get([&parent.to_le_bytes(), name].concat().as_slice()).copied()
    }

    /// The log as it is stored: how many first states it has, of which the values stand elsewhere, and its entries.
    pub(crate) fn stored_log(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.log.len() + 2);
        put_number(&mut out, self.firsts);
        out.extend_from_slice(&self.log);
        out
    }

    /// How many first states a stored log has, and its entries.
    pub(crate) fn split_log(stored: &[u8]) -> Option<(u64, &[u8])> {
        let mut cursor = Cursor::new(stored);
        let firsts = cursor.number()?;
        Some((firsts, &stored[cursor.at..]))
    }

    /// The paths with their steps, as they are stored. The log is stored beside it.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put_number(&mut out, self.paths.len() as u64);
        for path in &self.paths {
            put_number(&mut out, u64::from(path.parent.wrapping_add(1)));
            put_bytes(&mut out, &path.name);
            put_number(&mut out, path.steps.len() as u64);
            let mut last = 0;
            for (step, flags) in &path.steps {
                put_number(&mut out, u64::from(step - last) << FLAG_BITS | u64::from(*flags));
                last = *step;
            }
        }
        out
    }

    /// What was stored. `None`: it makes no sense.
    pub(crate) fn from_bytes(first: u64, bytes: &[u8]) -> Option<Self> {
        let mut cursor = Cursor::new(bytes);
        let mut index = Self::new(first);
        let count = cursor.number()?;
        if bytes.len() > LARGEST || count > MOST_PATHS {
            return None;
        }
        let mut depths: Vec<u16> = Vec::new();
        for nth in 0..count {
            let parent = u32::try_from(cursor.number()?).ok()?.wrapping_sub(1);
            if parent != NO_PARENT && u64::from(parent) >= nth {
                return None;
            }
            let depth = depths.get(parent as usize).map_or(0, |depth| depth + 1);
            if depth > DEEPEST {
                return None;
            }
            depths.push(depth);
            let name = cursor.bytes()?.into();
            let mut steps = Vec::new();
            let mut last = 0u32;
            for nth in 0..cursor.number()? {
                if nth >= MOST_STEPS as u64 {
                    return None;
                }
                let number = cursor.number()?;
                last = last.checked_add(u32::try_from(number >> FLAG_BITS).ok()?)?;
                steps.push((last, (number & 7) as u8));
            }
            index.paths.push(IndexPath { parent, name, steps });
        }
        cursor.is_at_end().then_some(index)
    }

    /// The paths from a stream down to one: names, the stream's first.
    pub(crate) fn names(&self, path: u32) -> Vec<&[u8]> {
        let mut names = Vec::new();
        let mut at = path;
        while let Some(path) = self.paths.get(at as usize) {
            names.push(&*path.name);
            at = path.parent;
        }
        names.reverse();
        names
    }
}

/// One entry of the log.
pub(crate) struct LogEntry<'a> {
    pub(crate) step: u64,
    pub(crate) path: u32,
    pub(crate) op: LogOp,
    pub(crate) value: &'a [u8],
}

/// Reads a log, as far as it makes sense.
pub(crate) fn entries(first: u64, log: &[u8]) -> impl Iterator<Item = LogEntry<'_>> {
    let mut cursor = Cursor::new(log);
    let mut step = first;
    std::iter::from_fn(move || {
        step = step.checked_add(cursor.number()?)?;
        let head = cursor.number()?;
        let op = *LogOp::ALL.get((head & 7) as usize)?;
        let path = u32::try_from(head >> 3).ok()?;
        let size = cursor.number()?;
        let len = usize::try_from(size >> 1).ok()?;
        let value = if size & 1 == 1 {
            let at = usize::try_from(cursor.number()?).ok()?;
            log.get(at..at.checked_add(len)?)?
        } else {
            &log[cursor.take(len as u64)?]
        };
        Some(LogEntry { step, path, op, value })
    })
}

/// Session and view as a name.
pub(crate) fn put_stream(out: &mut Vec<u8>, (session, view): &StreamKey) {
    for part in [session.as_ref().map(SessionId::as_str), view.as_ref().map(ViewId::as_str)] {
        match part {
            None => out.push(0),
            Some(text) => {
                out.push(1);
                put_bytes(out, text.as_bytes());
            }
        }
    }
}

/// What [`put_stream`] wrote.
pub(crate) fn stream_of(name: &[u8]) -> Option<StreamKey> {
    let mut cursor = Cursor::new(name);
    let mut part = || match cursor.byte()? {
        0 => Some(None),
        1 => Some(Some(cursor.text()?.to_owned())),
        _ => None,
    };
    let (session, view) = (part()?, part()?);
    Some((session.map(SessionId::from), view.map(ViewId::from)))
}

/// Escaped characters beyond ASCII as they are, so that what a person types is found. `None`: there are none.
pub(crate) fn readable(raw: &[u8]) -> Option<Vec<u8>> {
    memchr::memmem::find(raw, b"\\u")?;
    let mut out = Vec::with_capacity(raw.len());
    let mut at = 0;
    while at < raw.len() {
        let end = match raw[at..].iter().position(|byte| *byte == b'\\') {
            None => raw.len(),
            Some(0) if raw.get(at + 1) == Some(&b'u') => {
                // Both halves of a pair are decoded together.
                let high =
                    raw.get(at + 2..at + 4).is_some_and(|digits| matches!(digits, [b'd' | b'D', b'8' | b'9' | b'a' | b'b' | b'A' | b'B']));
                let end = (at + if high { 12 } else { 6 }).min(raw.len());
                let decoded = inspector_tape::decode_text(&raw[at..end]);
                // Quotes and control characters stay escapes, so that the value can be told from what is around it.
                if decoded.chars().all(|c| c > '\u{7f}') {
                    out.extend_from_slice(decoded.as_bytes());
                } else {
                    out.extend_from_slice(&raw[at..end]);
                }
                at = end;
                continue;
            }
            Some(0) => (at + 2).min(raw.len()),
            Some(plain) => at + plain,
        };
        out.extend_from_slice(&raw[at..end]);
        at = end;
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_become_readable_and_the_rest_stays() {
        for (raw, expected) in [
            (r#""caf\u00e9 \ud83d\ude00 \n \"x\" \u0041""#, Some("\"caf\u{e9} \u{1F600} \\n \\\"x\\\" \\u0041\"")),
            (r#""plain""#, None),
            (r#""\\u00e9""#, Some(r#""\\u00e9""#)),
        ] {
            assert_eq!(readable(raw.as_bytes()).map(|text| String::from_utf8(text).unwrap()).as_deref(), expected, "{raw}");
        }
    }
}
