//! One text as another one with pieces put in: a list of literals and copies.
//!
//! A script is the length of the result, then `literal, copy length, place of the copy` until the result is complete. A
//! literal is its length with a bit for whether its bytes follow or stand in the segment already, then the bytes or their
//! place there. The place of a copy is told from where the last copy and as many bytes as the literal has ended, so that a
//! value that was replaced by one of the same length costs one zero. The last literal has no copy when the result is full.
//!
//! The copies of a state come from the comparison that its step needs anyway ([`from_copies`]); those of a page are looked
//! for in its bytes ([`by_bytes`]), in linear time.

use std::collections::HashMap;
use std::hash::BuildHasher as _;

use foldhash::fast::RandomState;
use inspector_tape::{Copied, common_prefix, common_suffix};

use crate::wire::{Cursor, put_number};

/// Bytes that are looked up at once.
const BLOCK: usize = 16;

/// A copy that saves less costs more than it saves.
const SHORTEST_COPY: usize = 12;

/// Literals from here on are looked for in the segment: a page of a list that comes again, a page that was rendered before.
const LONG_LITERAL: usize = 256;

/// How scripts of a segment are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// Format 1: a literal is its length and its bytes.
    First,
    /// A literal may also be a place in the segment.
    Second,
}

/// The long literals of the segment that is being written.
#[derive(Default)]
pub(crate) struct Literals {
    places: HashMap<u64, u32>,
    state: RandomState,
    /// Hashes of those in the script that is being made, with their places in it.
    fresh: Vec<(u64, usize)>,
    /// The same for the record that is being made.
    waiting: Vec<(u64, usize)>,
}

impl Literals {
    /// Notes where in its record the script begins that was made last.
    pub(crate) fn in_record(&mut self, place: usize) {
        self.waiting.extend(self.fresh.drain(..).map(|(hash, at)| (hash, place + at)));
    }

    /// Notes where in the segment the record begins. Only from then on its literals are found.
    pub(crate) fn in_segment(&mut self, place: usize) {
        self.places.extend(self.waiting.drain(..).map(|(hash, at)| (hash, (place + at) as u32)));
    }

    /// Where the segment has these bytes.
    fn find(&self, segment: &[u8], literal: &[u8], hash: u64) -> Option<u32> {
        let place = *self.places.get(&hash)?;
        (segment.get(place as usize..place as usize + literal.len())? == literal).then_some(place)
    }
}

/// A script, and how many bytes of it are literals that the segment did not have.
pub(crate) struct Script {
    pub(crate) bytes: Vec<u8>,
    pub(crate) fresh: usize,
}

/// The script that makes `new` of the text that the copies are of. Copies must be in the order of the new text.
pub(crate) fn from_copies(copies: &[Copied], new: &[u8], segment: &[u8], literals: &mut Literals) -> Script {
    let mut script = Maker::new(new, segment, literals);
    for copied in copies.iter().filter(|copied| copied.len as usize >= SHORTEST_COPY) {
        script.copy(copied.from as usize, copied.to as usize, copied.len as usize);
    }
    script.finish()
}

/// The script that makes `new` of `old`, whatever they are.
pub(crate) fn by_bytes(old: &[u8], new: &[u8], segment: &[u8], literals: &mut Literals) -> Script {
    let head = common_prefix(old, new);
    let tail = common_suffix(&old[head..], &new[head..]);
    let mut script = Maker::new(new, segment, literals);
    script.copy(0, 0, head);
    find_copies(old, new, head, tail, &mut script);
    script.copy(old.len() - tail, new.len() - tail, tail);
    script.finish()
}

/// One literal and the copy after it; the last one may have none.
struct Piece<'a> {
    literal: &'a [u8],
    from: usize,
    len: usize,
}

/// Reads a script piece by piece. `None` in the middle is a script that makes no sense.
struct Pieces<'a> {
    cursor: Cursor<'a>,
    segment: &'a [u8],
    dialect: Dialect,
    /// Bytes of the new text that are not made yet.
    left: usize,
    expected: i64,
}

impl<'a> Pieces<'a> {
    fn new(script: &'a [u8], segment: &'a [u8], dialect: Dialect, limit: usize) -> Option<Self> {
        let mut cursor = Cursor::new(script);
        let left = usize::try_from(cursor.number()?).ok().filter(|len| *len <= limit)?;
        Some(Self { cursor, segment, dialect, left, expected: 0 })
    }

    /// The next piece, of an old text of `old` bytes.
    fn next(&mut self, old: usize) -> Option<Piece<'a>> {
        let literal = self.literal().filter(|literal| literal.len() <= self.left)?;
        self.left -= literal.len();
        if self.left == 0 {
            return Some(Piece { literal, from: old, len: 0 });
        }
        let len = usize::try_from(self.cursor.number()?).ok().filter(|len| *len > 0 && *len <= self.left)?;
        let place = self.expected.checked_add(i64::try_from(literal.len()).ok()?)?.checked_add(unzigzag(self.cursor.number()?))?;
        let from = usize::try_from(place).ok()?;
        let end = from.checked_add(len).filter(|end| *end <= old)?;
        self.left -= len;
        self.expected = i64::try_from(end).ok()?;
        Some(Piece { literal, from, len })
    }

    fn literal(&mut self) -> Option<&'a [u8]> {
        let head = self.cursor.number()?;
        let (len, elsewhere) = match self.dialect {
            Dialect::First => (head, false),
            Dialect::Second => (head >> 1, head & 1 == 1),
        };
        if elsewhere {
            let place = usize::try_from(self.cursor.number()?).ok()?;
            return self.segment.get(place..place.checked_add(usize::try_from(len).ok()?)?);
        }
        let range = self.cursor.take(len)?;
        Some(&self.cursor.data[range])
    }

    fn is_done(&self) -> bool {
        self.left == 0
    }

    fn is_at_end(&self) -> bool {
        self.cursor.is_at_end()
    }
}

/// Carries a script out on `text`, in place where that moves less. `None` if it is not one for this text, or makes more
/// than `limit` bytes; the text is then of no use.
pub(crate) fn apply(text: &mut Vec<u8>, script: &[u8], segment: &[u8], dialect: Dialect, limit: usize) -> Option<()> {
    /// More edits than these, or more of another length, are cheaper as a new text.
    const EDITS: usize = 64;
    const SHIFTS: usize = 2;
    let mut pieces = Pieces::new(script, segment, dialect, limit)?;
    let mut edits: Vec<(usize, usize, &[u8])> = Vec::new();
    let mut end = 0;
    let mut shifts = 0;
    let old = text.len();
    while !pieces.is_done() && edits.len() < EDITS && shifts <= SHIFTS {
        let piece = pieces.next(old)?;
        if piece.from < end {
            shifts = SHIFTS + 1;
            break;
        }
        shifts += usize::from(piece.from - end != piece.literal.len());
        if piece.from > end || !piece.literal.is_empty() {
            edits.push((end, piece.from, piece.literal));
        }
        end = piece.from + piece.len;
    }
    if !pieces.is_done() || shifts > SHIFTS {
        return rebuild(text, script, segment, dialect, limit);
    }
    if !pieces.is_at_end() {
        return None;
    }
    // What the last copy leaves of the old text is not in the new one.
    if end < old {
        text.truncate(end);
    }
    for (from, to, literal) in edits.into_iter().rev() {
        let to = to.min(text.len());
        if to - from == literal.len() {
            text[from..to].copy_from_slice(literal);
        } else {
            replace(text, from, to, literal);
        }
    }
    Some(())
}

/// Puts a literal of another length in the place of some bytes.
fn replace(text: &mut Vec<u8>, from: usize, to: usize, literal: &[u8]) {
    let (len, end) = (text.len(), from + literal.len());
    if end > to {
        text.resize(len + end - to, 0);
    }
    text.copy_within(to..len, end);
    text.truncate(len + end - to);
    text[from..end].copy_from_slice(literal);
}

fn rebuild(text: &mut Vec<u8>, script: &[u8], segment: &[u8], dialect: Dialect, limit: usize) -> Option<()> {
    let mut pieces = Pieces::new(script, segment, dialect, limit)?;
    let mut new = Vec::with_capacity(pieces.left);
    while !pieces.is_done() {
        let piece = pieces.next(text.len())?;
        new.extend_from_slice(piece.literal);
        new.extend_from_slice(&text[piece.from..piece.from + piece.len]);
    }
    *text = new;
    pieces.is_at_end().then_some(())
}

struct Maker<'a> {
    out: Vec<u8>,
    new: &'a [u8],
    segment: &'a [u8],
    literals: &'a mut Literals,
    fresh: usize,
    /// Everything of `new` before it is told.
    at: usize,
    /// Where the last copy ended.
    expected: usize,
}

impl<'a> Maker<'a> {
    fn new(new: &'a [u8], segment: &'a [u8], literals: &'a mut Literals) -> Self {
        literals.fresh.clear();
        let mut out = Vec::new();
        put_number(&mut out, new.len() as u64);
        Self { out, new, segment, literals, fresh: 0, at: 0, expected: 0 }
    }

    fn literal(&mut self, to: usize) {
        let literal = &self.new[self.at..to];
        let head = (literal.len() as u64) << 1;
        if literal.len() >= LONG_LITERAL {
            let hash = self.literals.state.hash_one(literal);
            if let Some(place) = self.literals.find(self.segment, literal, hash) {
                put_number(&mut self.out, head | 1);
                put_number(&mut self.out, place.into());
                return;
            }
            put_number(&mut self.out, head);
            self.literals.fresh.push((hash, self.out.len()));
        } else {
            put_number(&mut self.out, head);
        }
        self.out.extend_from_slice(literal);
        self.fresh += literal.len();
    }

    /// Copies `size` bytes from `from` to `to`; what lies before it becomes a literal.
    fn copy(&mut self, from: usize, to: usize, size: usize) {
        if size == 0 {
            return;
        }
        let literal = to - self.at;
        self.literal(to);
        put_number(&mut self.out, size as u64);
        put_number(&mut self.out, zigzag((from as u64).wrapping_sub((self.expected + literal) as u64).cast_signed()));
        self.at = to + size;
        self.expected = from + size;
    }

    fn finish(mut self) -> Script {
        if self.at < self.new.len() {
            self.literal(self.new.len());
        }
        Script { bytes: self.out, fresh: self.fresh }
    }
}

/// Looks for parts of the old text in the window that differs.
fn find_copies(old: &[u8], new: &[u8], head: usize, tail: usize, script: &mut Maker<'_>) {
    let (old_end, new_end) = (old.len() - tail, new.len() - tail);
    if old_end - head < BLOCK || new_end - head < BLOCK {
        return;
    }
    let index = Index::new(old, head, old_end);
    let mut at = head;
    // Where the old text probably goes on: after a value of the same length, or of another.
    while at + BLOCK <= new_end {
        let straight = script.expected + (at - script.at);
        let mut best: Option<(usize, usize, usize)> = None;
        for from in [Some(straight), index.find(new, at)].into_iter().flatten() {
            if from + BLOCK > old_end || old[from..from + BLOCK] != new[at..at + BLOCK] {
                continue;
            }
            let back = common_suffix(&old[head..from], &new[script.at.max(head)..at]);
            let forward = common_prefix(&old[from..old_end], &new[at..new_end]);
            if best.is_none_or(|(_, _, size)| back + forward > size) {
                best = Some((from - back, at - back, back + forward));
            }
        }
        match best {
            Some((from, to, size)) if size >= SHORTEST_COPY => {
                script.copy(from, to, size);
                at = to + size;
            }
            _ => at += 1,
        }
    }
}

/// Where blocks of the old text are. One place per block content; collisions are found out by comparing.
struct Index {
    slots: Vec<u32>,
    shift: u32,
}

impl Index {
    fn new(old: &[u8], start: usize, end: usize) -> Self {
        let bits = ((end - start) / BLOCK * 2 + 1).next_power_of_two().trailing_zeros().max(4);
        let mut index = Self { slots: vec![u32::MAX; 1 << bits], shift: 64 - bits };
        for place in (start..=end - BLOCK).step_by(BLOCK) {
            // The first of equal blocks stays: copies then tend to run on.
            let slot = index.slot(old, place);
            if index.slots[slot] == u32::MAX {
                index.slots[slot] = u32::try_from(place).unwrap_or(u32::MAX);
            }
        }
        index
    }

    fn slot(&self, text: &[u8], at: usize) -> usize {
        let word = |at: usize| text[at..at + 8].iter().fold(0u64, |word, byte| word << 8 | u64::from(*byte));
        let mixed = (word(at).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ word(at + 8)).wrapping_mul(0xc2b2_ae3d_27d4_eb4f);
        (mixed >> self.shift) as usize
    }

    fn find(&self, text: &[u8], at: usize) -> Option<usize> {
        let place = self.slots[self.slot(text, at)];
        (place != u32::MAX).then_some(place as usize)
    }
}

const fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)).cast_unsigned()
}

const fn unzigzag(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -(number & 1).cast_signed()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use inspector_tape::{Document, compare};
    use proptest::prelude::*;

    use super::*;

    fn carried_out(old: &[u8], script: &[u8], segment: &[u8]) -> Option<Vec<u8>> {
        let mut text = old.to_vec();
        let mut again = old.to_vec();
        let made = apply(&mut text, script, segment, Dialect::Second, 100_000);
        // Both ways come to the same.
        assert_eq!(rebuild(&mut again, script, segment, Dialect::Second, 100_000), made);
        made?;
        assert_eq!(text, again);
        Some(text)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(500))]

        #[test]
        fn a_script_makes_the_new_text(old in "[ab]{0,300}", new in "[ab]{0,300}", cut in any::<proptest::sample::Index>()) {
            let mut mixed = new.clone();
            mixed.push_str(&old[cut.index(old.len() + 1)..]);
            for new in [new, mixed] {
                let script = by_bytes(old.as_bytes(), new.as_bytes(), &[], &mut Literals::default());
                prop_assert_eq!(carried_out(old.as_bytes(), &script.bytes, &[]).unwrap(), new.as_bytes());
            }
        }

        #[test]
        fn any_bytes_as_a_script_are_an_answer(old in "[ab]{0,40}", script in proptest::collection::vec(any::<u8>(), 0..40)) {
            if let Some(made) = carried_out(old.as_bytes(), &script, b"segment") {
                prop_assert!(made.len() <= 100_000);
            }
        }

        #[test]
        fn copies_of_a_comparison_make_the_new_text(ids in proptest::collection::vec(0u8..40, 0..40), other in proptest::collection::vec(0u8..40, 0..40)) {
            let rows = |ids: &[u8]| {
                let rows: Vec<String> = ids.iter().map(|id| format!(r#"{{"id": {id}, "title": "item number {id}", "n": {}}}"#, ids.len())).collect();
                Arc::new(Document::new(format!(r#"{{"rows": [{}]}}"#, rows.join(", ")).into()).unwrap())
            };
            let (old, new) = (rows(&ids), rows(&other));
            let delta = compare(&old, &new, Duration::from_mins(1));
            let script = from_copies(&delta.copies, new.text().as_bytes(), &[], &mut Literals::default());
            prop_assert_eq!(carried_out(old.text().as_bytes(), &script.bytes, &[]).unwrap(), new.text().as_bytes());
        }
    }

    #[test]
    fn changes_far_apart_and_moved_rows_are_small() {
        let rows: Vec<String> = (0..400).map(|n| format!(r#"{{"id": {n}, "title": "item number {n}", "done": false}}"#)).collect();
        let old = rows.join(", ");
        let script = |new: &str| by_bytes(old.as_bytes(), new.as_bytes(), &[], &mut Literals::default()).bytes;
        let mut edited = rows.clone();
        edited[3] = edited[3].replace("false", "true");
        edited[390] = edited[390].replace("false", "true");
        assert!(script(&edited.join(", ")).len() < 60);
        let mut moved = rows.clone();
        let row = moved.remove(10);
        moved.insert(300, row);
        assert!(script(&moved.join(", ")).len() < 200);
    }

    #[test]
    fn a_long_literal_that_the_segment_has_is_a_place() {
        let long = "0123456789".repeat(40);
        let mut literals = Literals::default();
        let first = by_bytes(b"", long.as_bytes(), &[], &mut literals);
        let segment = [&b"before"[..], &first.bytes].concat();
        literals.in_record(2);
        literals.in_segment(4);
        let second = by_bytes(b"", long.as_bytes(), &segment, &mut literals);
        assert!(second.bytes.len() < 10 && second.fresh == 0);
        assert_eq!(carried_out(b"", &second.bytes, &segment).unwrap(), long.as_bytes());
    }
}
