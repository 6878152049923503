//! The segment that is being written: its records, its compressed stream, and the index of what they change.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use inspector_model::{SessionId, ViewId};
use inspector_tape::{Delta, Document};

use crate::disk;
use crate::error::StoreError;
use crate::index::SegmentIndex;
use crate::piece::{Compressor, PIECE};
use crate::segment::{CHECKPOINT, DROPPED, KEYFRAME, LAST, MISSING, NOTHING, SPLICE, StreamKey, WHOLE, WHOLE_TEXT};
use crate::splice::{self, Literals};
use crate::wire::{number_len, put_bytes, put_number};

/// Steps after which a segment ends.
const STEPS: u32 = 256;
/// Bytes of changes after which it ends, or twice the largest text if that is more.
const CHANGED: usize = 1 << 20;
/// Bytes of pages after which it ends: what is rebuilt on the way to its last step. Other texts that are told by their bytes count too.
const REBUILT: usize = 256 << 20;
/// Bytes of states of one stream after which one is told as a splice of its first, for the same reason.
const CHECKPOINT_AFTER: usize = 32 << 20;
/// States from here on may become so much in one segment.
const LARGE: usize = CHECKPOINT_AFTER / STEPS as usize;

/// What stands in a record for a text.
pub(crate) enum Put {
    /// None.
    Nothing,
    /// The last one of the stream.
    Last,
    /// It is not there, for this reason.
    Missing(String),
    /// It was dropped.
    Dropped,
    /// A whole text, and whether it is the stream's last one.
    Whole(Arc<str>, bool),
    /// What differs from the last one.
    Delta(Arc<Delta>),
    /// What differs from the stream's first one in the segment.
    Checkpoint(Arc<Delta>),
    /// A text of which only the bytes are known, and the last one.
    Bytes(Arc<str>, Arc<str>),
}

/// A part of a segment's stream.
pub(crate) struct Piece {
    pub(crate) number: u32,
    pub(crate) body: Vec<u8>,
    /// Whether it stays as it is.
    pub(crate) is_whole: bool,
}

/// Bytes from which on a piece is not written again.
const ENOUGH: usize = 4 << 10;

pub(crate) struct SegmentWriter {
    pub(crate) first: u64,
    pub(crate) raw: Vec<u8>,
    pub(crate) index: SegmentIndex,
    /// Its index was taken, too.
    pub(crate) is_indexed: bool,
    /// How much of `raw` the compressor has.
    fed: usize,
    /// Given on to the next segment: making one costs as much as a segment.
    compressor: Option<Compressor>,
    /// Whole pieces of the stream that were taken, and the bytes after them.
    pieces: u32,
    tail: Vec<u8>,
    /// The stream was ended: nothing more goes into it.
    ended: bool,
    steps: u32,
    changed: usize,
    rebuilt: usize,
    largest: usize,
    numbers: HashMap<StreamKey, u32>,
    begun: HashSet<StreamKey>,
    pages: HashSet<Option<SessionId>>,
    /// First states of streams that are large, and the bytes of those since then or the last checkpoint.
    large: HashMap<StreamKey, (Arc<Document>, usize)>,
    literals: Literals,
}

impl SegmentWriter {
    pub(crate) fn new(first: u64) -> Result<Self, StoreError> {
        Ok(Self::with(first, Compressor::new()?))
    }

    /// The segment after one that has ended.
    pub(crate) fn next(&mut self, first: u64) -> Result<Self, StoreError> {
        Ok(Self::with(first, self.compressor.take().map_or_else(Compressor::new, Ok)?))
    }

    fn with(first: u64, compressor: Compressor) -> Self {
        Self {
            first,
            raw: Vec::new(),
            index: SegmentIndex::new(first),
            is_indexed: false,
            fed: 0,
            compressor: Some(compressor),
            pieces: 0,
            tail: Vec::new(),
            ended: false,
            steps: 0,
            changed: 0,
            rebuilt: 0,
            largest: 0,
            numbers: HashMap::new(),
            begun: HashSet::new(),
            pages: HashSet::new(),
            large: HashMap::new(),
            literals: Literals::default(),
        }
    }

    pub(crate) fn is_full(&self) -> bool {
        self.ended
            || self.steps >= disk::tuned(STEPS as usize, 8) as u32
            || self.changed >= disk::tuned(CHANGED, 2_000).max(2 * self.largest)
            || self.rebuilt >= REBUILT.max(2 * self.largest)
            || self.raw.len() >= WHOLE
    }

    /// Whether the stream has a text in this segment.
    pub(crate) fn has_state(&self, stream: &StreamKey) -> bool {
        self.begun.contains(stream)
    }

    /// Notes that the stream has one now, and what it is, if it is JSON. Only the first one counts: checkpoints are splices of
    /// that, also when the page closed and came back since.
    pub(crate) fn begin_state(&mut self, stream: &StreamKey, document: Option<&Arc<Document>>) {
        if self.begun.insert(stream.clone())
            && let Some(document) = document.filter(|document| document.text().len() > disk::tuned(LARGE, 40))
        {
            self.large.insert(stream.clone(), (document.clone(), 0));
        }
    }

    /// The first state of a stream, if it is time to tell one as a splice of it.
    pub(crate) fn checkpoint(&mut self, stream: &StreamKey, bytes: usize) -> Option<Arc<Document>> {
        let (first, since) = self.large.get_mut(stream)?;
        *since += bytes;
        if *since < disk::tuned(CHECKPOINT_AFTER, 500) {
            return None;
        }
        *since = 0;
        Some(first.clone())
    }

    /// Whether the page has a text in this segment.
    pub(crate) fn has_page(&self, stream: &StreamKey) -> bool {
        self.pages.contains(&stream.0)
    }

    /// Notes that the page has one now.
    pub(crate) fn begin_page(&mut self, stream: &StreamKey) {
        self.pages.insert(stream.0.clone());
    }

    /// Appends the record of a step: its states, and the page before and after it.
    pub(crate) fn push(&mut self, stream: &StreamKey, detail: &[u8], texts: [&Put; 4]) {
        let mut record = Vec::new();
        let next = self.numbers.len() as u32;
        let number = if let Some(number) = self.numbers.get(stream) {
            *number
        } else {
            self.numbers.insert(stream.clone(), next);
            next
        };
        put_number(&mut record, number.into());
        if number == next {
            put_optional(&mut record, stream.0.as_ref().map(SessionId::as_str));
            put_optional(&mut record, stream.1.as_ref().map(ViewId::as_str));
        }
        put_bytes(&mut record, detail);
        for text in texts {
            self.put_text(&mut record, text);
        }
        self.literals.in_segment(self.raw.len() + number_len(record.len() as u64));
        put_bytes(&mut self.raw, &record);
        self.steps += 1;
    }

    fn put_text(&mut self, record: &mut Vec<u8>, put: &Put) {
        let (text, script) = match put {
            Put::Nothing => return record.push(NOTHING),
            Put::Last => return record.push(LAST),
            Put::Dropped => return record.push(DROPPED),
            Put::Missing(why) => {
                record.push(MISSING);
                return put_bytes(record, why.as_bytes());
            }
            Put::Whole(text, same) => {
                record.push(if *same { KEYFRAME } else { WHOLE_TEXT });
                self.largest = self.largest.max(text.len());
                return put_bytes(record, text.as_bytes());
            }
            Put::Delta(delta) | Put::Checkpoint(delta) => {
                let text = delta.after().text();
                (text, splice::from_copies(&delta.copies, text.as_bytes(), &self.raw, &mut self.literals))
            }
            Put::Bytes(text, base) => {
                self.rebuilt += text.len();
                (text, splice::by_bytes(base.as_bytes(), text.as_bytes(), &self.raw, &mut self.literals))
            }
        };
        self.largest = self.largest.max(text.len());
        self.changed += script.fresh;
        if script.bytes.len() > text.len() {
            record.push(WHOLE_TEXT);
            return put_bytes(record, text.as_bytes());
        }
        record.push(if matches!(put, Put::Checkpoint(_)) { CHECKPOINT } else { SPLICE });
        put_bytes(record, &script.bytes);
        self.literals.in_record(record.len() - script.bytes.len());
    }

    /// What the stream has more than when it was taken last. `end` ends the stream, once: the segment is full from then on.
    pub(crate) fn take_pieces(&mut self, end: bool) -> Result<Vec<Piece>, StoreError> {
        if self.ended || self.fed == self.raw.len() && !end {
            return Ok(Vec::new());
        }
        let Some(compressor) = &mut self.compressor else { return Ok(Vec::new()) };
        compressor.feed(&self.raw[self.fed..])?;
        self.fed = self.raw.len();
        if end {
            compressor.finish()?;
            self.ended = true;
        } else {
            compressor.flush()?;
        }
        self.tail.append(&mut compressor.out);
        let whole = self.tail.len() / PIECE * PIECE;
        let left = self.tail.len() - whole;
        // The last piece is written again each time while it is short, and left alone from then on: a flush writes little more
        // than what is new.
        let done = if left >= ENOUGH || end { self.tail.len() } else { whole };
        let mut pieces = Vec::new();
        for (number, body) in (self.pieces..).zip(self.tail.chunks(PIECE)) {
            pieces.push(Piece { number, is_whole: body.len() == PIECE || done > whole, body: body.to_vec() });
        }
        self.pieces += pieces.iter().filter(|piece| piece.is_whole).count() as u32;
        self.tail.drain(..done);
        Ok(pieces)
    }
}

fn put_optional(out: &mut Vec<u8>, text: Option<&str>) {
    match text {
        None => out.push(0),
        Some(text) => {
            out.push(1);
            put_bytes(out, text.as_bytes());
        }
    }
}
