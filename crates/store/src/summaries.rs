//! The summaries of steps: lines of JSON in pieces.

use std::ops::Range;

use inspector_model::Step;

use crate::error::StoreError;
use crate::key;
use crate::piece::{self, Growth};
use crate::source::Source;

/// Bytes of summaries that are read at most: more than ten million steps have.
const MOST: usize = 2 << 30;

/// Reads the summaries of some steps. `open` has the pieces that are newer in memory than in the database.
pub(crate) fn read(source: &Source, range: Range<u64>, open: &[(u64, Vec<u8>)]) -> Result<Vec<Step>, StoreError> {
    let open_first = open.first().map_or(u64::MAX, |(first, _)| *first);
    let mut read = Summaries::new(range.clone());
    // Format 1 has its pieces by number: they are read from the beginning.
    let first_piece = source.summary_of(range.start)?;
    if first_piece.is_none() {
        let mut number = 0u32;
        source.each(&[key::SUMMARY_1], |name, value| {
            // What lies beyond the readable steps may be damaged.
            if read.is_done() {
                return Ok(false);
            }
            if name != key::summary_1(number) {
                return Err(StoreError::damaged("a piece of the summaries is missing"));
            }
            number += 1;
            read.packed(value.len(), &piece::unpack(value)?)?;
            Ok(true)
        })?;
    }
    source.each_summary(first_piece.unwrap_or(0), |first, value| {
        if read.is_done() || first >= open_first {
            return Ok(false);
        }
        read.begin(first)?;
        read.packed(value.len(), &piece::unpack_record(value)?)?;
        Ok(true)
    })?;
    for (first, lines) in open {
        if !read.is_done() && !lines.is_empty() {
            read.begin(*first)?;
            read.lines(lines)?;
        }
    }
    Ok(read.steps)
}

/// Reads lines, also such as were cut between pieces.
struct Summaries {
    wanted: Range<u64>,
    /// The step whose line comes next.
    next: u64,
    rest: Vec<u8>,
    bytes: usize,
    growth: Growth,
    steps: Vec<Step>,
}

impl Summaries {
    fn new(wanted: Range<u64>) -> Self {
        Self { wanted, next: 1, rest: Vec::new(), bytes: 0, growth: Growth::default(), steps: Vec::new() }
    }

    fn is_done(&self) -> bool {
        self.next >= self.wanted.end
    }

    /// A piece begins with this step.
    fn begin(&mut self, first: u64) -> Result<(), StoreError> {
        // The first piece of all may be any; from then on there is no hole.
        if self.bytes > 0 && first != self.next || first > self.wanted.start.max(self.next) {
            return Err(StoreError::damaged("a piece of the summaries is missing"));
        }
        self.next = first;
        self.rest.clear();
        Ok(())
    }

    fn packed(&mut self, packed: usize, raw: &[u8]) -> Result<(), StoreError> {
        self.growth.note(packed, raw.len())?;
        self.lines(raw)
    }

    fn lines(&mut self, raw: &[u8]) -> Result<(), StoreError> {
        self.bytes += raw.len();
        if self.bytes > MOST {
            return Err(StoreError::damaged("there are more summaries than a recording can have"));
        }
        self.rest.extend_from_slice(raw);
        let mut at = 0;
        while let Some(len) = memchr::memchr(b'\n', &self.rest[at..]) {
            if self.is_done() {
                break;
            }
            if self.wanted.contains(&self.next) {
                let line = &self.rest[at..at + len];
                let step: Step = serde_json::from_slice(line).map_err(|_| StoreError::damaged("a summary cannot be read"))?;
                if step.id.0 != self.next {
                    return Err(StoreError::damaged("the steps are not in order"));
                }
                self.steps.push(step);
            }
            self.next += 1;
            at += len + 1;
        }
        self.rest.drain(..at);
        Ok(())
    }
}
