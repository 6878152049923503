//! The summaries of steps: lines of JSON in pieces.

use std::ops::Range;

use inspector_model::{LONGEST_WORDS, MOST_LISTED, Status, Step, StepId, StepKind};

use crate::error::StoreError;
use crate::key;
use crate::piece::{self, Growth};
use crate::source::Source;

/// Bytes of summaries that are read at most: more than ten million steps have.
const MOST: usize = 2 << 30;

/// Steps that are given though nothing can be read of them: some damage, but not memory filled with nothing.
pub(crate) const MOST_UNREADABLE: usize = 1 << 16;

/// No summary is as short.
const SHORTEST: usize = 16;

/// What a step says of which nothing can be read.
const UNREADABLE: &str = "the summary of this step cannot be read";

/// Reads the summaries of some steps. `open` has the pieces that are newer in memory than in the database.
pub(crate) fn read(source: &Source, range: Range<u64>, open: &[(u64, Vec<u8>)]) -> Result<Vec<Step>, StoreError> {
    let open_first = open.first().map_or(u64::MAX, |(first, _)| *first);
    let mut read = Summaries::new(range.clone());
    // Format 1 has its pieces by number: they are read from the beginning. Its lines are cut between them, so that what follows one
    // that cannot be read cannot be counted.
    let first_piece = source.summary_of(range.start)?;
    if first_piece.is_none() {
        let mut number = 0u32;
        source.each(&[key::SUMMARY_1], |name, value| {
            if read.is_done() || name != key::summary_1(number) {
                return Ok(false);
            }
            let Ok(raw) = piece::unpack(value) else { return Ok(false) };
            number += 1;
            read.packed(value.len(), &raw)?;
            Ok(true)
        })?;
    }
    source.each_summary(first_piece.unwrap_or(0), |first, value| {
        if read.is_done() || first >= open_first {
            return Ok(false);
        }
        read.begin(first)?;
        if let Ok(raw) = piece::unpack_record(value) {
            read.packed(value.len(), &raw)?;
        }
        Ok(true)
    })?;
    for (first, lines) in open {
        if !read.is_done() && !lines.is_empty() {
            read.begin(*first)?;
            read.lines(lines)?;
        }
    }
    // The end may be what cannot be read; where nothing is known of so many, there are fewer.
    read.fill(range.end);
    Ok(read.steps)
}

/// Whether a step stands for one of which nothing can be read.
pub(crate) fn is_unreadable(step: &Step) -> bool {
    step.kind == StepKind::Gap && step.error.as_deref() == Some(UNREADABLE)
}

/// How many lines are shorter than any summary.
pub(crate) fn count_too_short(raw: &[u8]) -> usize {
    raw.split(|byte| *byte == b'\n').filter(|line| line.len() < SHORTEST).count()
}

/// Reads lines, also such as were cut between pieces. What cannot be read is a step that says so, so that the others keep their
/// places.
struct Summaries {
    wanted: Range<u64>,
    /// The step whose line comes next.
    line: u64,
    /// The step that is the next to be given.
    next: u64,
    rest: Vec<u8>,
    bytes: usize,
    unreadable: usize,
    growth: Growth,
    steps: Vec<Step>,
}

impl Summaries {
    fn new(wanted: Range<u64>) -> Self {
        let next = wanted.start.max(1);
        Self { wanted, line: 1, next, rest: Vec::new(), bytes: 0, unreadable: 0, growth: Growth::default(), steps: Vec::new() }
    }

    fn is_done(&self) -> bool {
        self.next >= self.wanted.end
    }

    /// A piece begins with this step.
    fn begin(&mut self, first: u64) -> Result<(), StoreError> {
        self.rest.clear();
        self.fill(first);
        if first.min(self.wanted.end) > self.next {
            return Err(StoreError::damaged("a piece of the summaries is missing"));
        }
        self.line = first;
        Ok(())
    }

    /// The steps up to this one cannot be read, if any are left.
    fn fill(&mut self, end: u64) {
        let missing = self.next..end.min(self.wanted.end);
        if missing.end.saturating_sub(missing.start) <= MOST_UNREADABLE.saturating_sub(self.unreadable) as u64 {
            for _ in missing {
                self.give(None);
            }
        }
    }

    fn give(&mut self, step: Option<Step>) {
        let id = StepId(self.next);
        self.next += 1;
        let step = step.filter(|step| step.id == id).map(|mut step| {
            step.cut(LONGEST_WORDS, MOST_LISTED);
            step
        });
        self.steps.push(step.unwrap_or_else(|| {
            self.unreadable += 1;
            Step { id, status: Status::Failed, error: Some(UNREADABLE.to_owned()), ..Step::new(StepKind::Gap, "gap", 0.0) }
        }));
    }

    fn packed(&mut self, packed: usize, raw: &[u8]) -> Result<(), StoreError> {
        self.growth.note(packed, raw.len())?;
        self.lines(raw)
    }

    fn lines(&mut self, raw: &[u8]) -> Result<(), StoreError> {
        self.bytes += raw.len();
        if self.bytes > MOST || self.unreadable > MOST_UNREADABLE {
            return Err(StoreError::damaged("there are more summaries than a recording can have, or more that cannot be read"));
        }
        self.rest.extend_from_slice(raw);
        let mut at = 0;
        while let Some(len) = memchr::memchr(b'\n', &self.rest[at..]) {
            if self.is_done() || self.unreadable > MOST_UNREADABLE {
                break;
            }
            if self.line >= self.next {
                let step = serde_json::from_slice(&self.rest[at..at + len]).ok();
                self.give(step);
            }
            self.line += 1;
            at += len + 1;
        }
        self.rest.drain(..at);
        Ok(())
    }
}
