//! One text as another one with pieces put in: a list of literals and copies, found in linear time.
//!
//! A script is the length of the result, then `literal length, literal, copy length, place of the copy` until the result
//! is complete. The place is told from where the last copy and as many bytes as the literal has ended, so that a value
//! that was replaced by one of the same length costs one zero. The last literal has no copy when the result is full.

use crate::wire::{Cursor, put_bytes, put_number};

/// Bytes that are looked up at once.
const BLOCK: usize = 16;

/// A copy that saves less costs more than it saves.
const SHORTEST_COPY: usize = 12;

/// The script that makes `new` of `old`.
pub(crate) fn script(old: &[u8], new: &[u8]) -> Vec<u8> {
    let head = common_prefix(old, new);
    let tail = common_suffix(&old[head..], &new[head..]);
    let mut script = Script { out: Vec::new(), new, at: 0, expected: 0 };
    put_number(&mut script.out, new.len() as u64);
    script.copy(0, 0, head);
    find_copies(old, new, head, tail, &mut script);
    script.copy(old.len() - tail, new.len() - tail, tail);
    script.finish();
    script.out
}

/// Carries a script out. `None` if it is not one for this text, or makes more than `limit` bytes.
pub(crate) fn apply(old: &[u8], script: &[u8], limit: usize) -> Option<Vec<u8>> {
    let mut cursor = Cursor::new(script);
    let len = usize::try_from(cursor.number()?).ok().filter(|len| *len <= limit)?;
    let mut new = Vec::with_capacity(len);
    let mut expected = 0i64;
    while new.len() < len {
        let literal = cursor.bytes()?;
        if literal.len() > len - new.len() {
            return None;
        }
        new.extend_from_slice(literal);
        if new.len() == len {
            break;
        }
        let size = usize::try_from(cursor.number()?).ok()?;
        let place = expected.checked_add(i64::try_from(literal.len()).ok()?)?.checked_add(unzigzag(cursor.number()?))?;
        let from = usize::try_from(place).ok()?;
        let copied = old.get(from..from.checked_add(size)?)?;
        if size == 0 || size > len - new.len() {
            return None;
        }
        new.extend_from_slice(copied);
        expected = i64::try_from(from + size).ok()?;
    }
    (cursor.is_at_end() && new.len() == len).then_some(new)
}

struct Script<'a> {
    out: Vec<u8>,
    new: &'a [u8],
    /// Everything of `new` before it is told.
    at: usize,
    /// Where the last copy ended.
    expected: usize,
}

impl Script<'_> {
    /// Copies `size` bytes from `from` to `to`; what lies before it becomes a literal.
    fn copy(&mut self, from: usize, to: usize, size: usize) {
        if size == 0 {
            return;
        }
        let literal = &self.new[self.at..to];
        put_bytes(&mut self.out, literal);
        put_number(&mut self.out, size as u64);
        put_number(&mut self.out, zigzag((from as u64).wrapping_sub((self.expected + literal.len()) as u64).cast_signed()));
        self.at = to + size;
        self.expected = from + size;
    }

    fn finish(&mut self) {
        if self.at < self.new.len() {
            put_bytes(&mut self.out, &self.new[self.at..]);
        }
    }
}

/// Looks for parts of the old text in the window that differs.
fn find_copies(old: &[u8], new: &[u8], head: usize, tail: usize, script: &mut Script<'_>) {
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

fn common_prefix(a: &[u8], b: &[u8]) -> usize {
    let blocks = a.chunks_exact(64).zip(b.chunks_exact(64)).take_while(|(x, y)| x == y).count() * 64;
    blocks + a[blocks..].iter().zip(&b[blocks..]).take_while(|(x, y)| x == y).count()
}

fn common_suffix(a: &[u8], b: &[u8]) -> usize {
    let blocks = a.rchunks_exact(64).zip(b.rchunks_exact(64)).take_while(|(x, y)| x == y).count() * 64;
    let (a, b) = (&a[..a.len() - blocks], &b[..b.len() - blocks]);
    blocks + a.iter().rev().zip(b.iter().rev()).take_while(|(x, y)| x == y).count()
}

const fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)).cast_unsigned()
}

const fn unzigzag(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -(number & 1).cast_signed()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(500))]

        #[test]
        fn a_script_makes_the_new_text(old in "[ab]{0,300}", new in "[ab]{0,300}", cut in any::<proptest::sample::Index>()) {
            let mut mixed = new.clone();
            mixed.push_str(&old[cut.index(old.len() + 1)..]);
            for new in [new, mixed] {
                let script = script(old.as_bytes(), new.as_bytes());
                prop_assert_eq!(apply(old.as_bytes(), &script, 10_000).unwrap(), new.as_bytes());
            }
        }

        #[test]
        fn any_bytes_as_a_script_are_an_answer(old in "[ab]{0,40}", script in proptest::collection::vec(any::<u8>(), 0..40)) {
            let made = apply(old.as_bytes(), &script, 100);
            prop_assert!(made.is_none_or(|made| made.len() <= 100));
        }
    }

    #[test]
    fn changes_far_apart_and_moved_rows_are_small() {
        let rows: Vec<String> = (0..400).map(|n| format!(r#"{{"id": {n}, "title": "item number {n}", "done": false}}"#)).collect();
        let old = rows.join(", ");
        let mut edited = rows.clone();
        edited[3] = edited[3].replace("false", "true");
        edited[390] = edited[390].replace("false", "true");
        assert!(script(old.as_bytes(), edited.join(", ").as_bytes()).len() < 60);
        let mut moved = rows.clone();
        let row = moved.remove(10);
        moved.insert(300, row);
        assert!(script(old.as_bytes(), moved.join(", ").as_bytes()).len() < 200);
    }
}
