//! A segment: the records of up to 256 steps that can be read without any other.
//!
//! The first text of a stream in a segment is whole, later ones are splices of the one before. A stream is the state of
//! one view of one page, or a page's HTML.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use inspector_model::{SessionId, ViewId};

use crate::cache::Cache;
use crate::splice;
use crate::wire::{Cursor, put_bytes, put_number};

/// Steps after which a segment ends.
const STEPS: u32 = 256;
/// Bytes of changes after which it ends, or twice the largest text if that is more.
const CHANGED: usize = 1 << 20;
/// Bytes after which it ends whatever they are: what a reader must hold.
const WHOLE: usize = 8 << 20;
/// The longest state or page that is recorded, and the longest that a reader builds.
pub(crate) const LONGEST_TEXT: usize = 64 << 20;
/// The most bytes of one segment that a reader takes in: what a writer makes, and one step with three longest texts.
pub(crate) const LARGEST: usize = WHOLE + 4 * LONGEST_TEXT;

/// One view of one page.
pub(crate) type StreamKey = (Option<SessionId>, Option<ViewId>);

/// What stands in a record for a text.
pub(crate) enum Put {
    /// None.
    Nothing,
    /// The last one of the stream.
    Last,
    /// It is not there, for this reason.
    Missing(String),
    /// A text, and the one of the stream before it if that is in this segment.
    Text(Arc<str>, Option<Arc<str>>),
}

const NOTHING: u8 = 0;
const LAST: u8 = 1;
const MISSING: u8 = 2;
const WHOLE_TEXT: u8 = 3;
const SPLICE: u8 = 4;

/// A segment that is being written.
pub(crate) struct SegmentWriter {
    pub(crate) first: u64,
    pub(crate) raw: Vec<u8>,
    steps: u32,
    changed: usize,
    largest: usize,
    numbers: HashMap<StreamKey, u32>,
    begun: HashSet<StreamKey>,
    pages: HashSet<Option<SessionId>>,
}

impl SegmentWriter {
    pub(crate) fn new(first: u64) -> Self {
        Self {
            first,
            raw: Vec::new(),
            steps: 0,
            changed: 0,
            largest: 0,
            numbers: HashMap::new(),
            begun: HashSet::new(),
            pages: HashSet::new(),
        }
    }

    pub(crate) fn is_full(&self) -> bool {
        self.steps >= STEPS || self.changed >= CHANGED.max(2 * self.largest) || self.raw.len() >= WHOLE
    }

    /// Whether the stream has a text in this segment.
    pub(crate) fn has_state(&self, stream: &StreamKey) -> bool {
        self.begun.contains(stream)
    }

    /// Notes that the stream has one now.
    pub(crate) fn begin_state(&mut self, stream: &StreamKey) {
        self.begun.insert(stream.clone());
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
        let number = *self.numbers.entry(stream.clone()).or_insert(next);
        put_number(&mut record, number.into());
        if number == next {
            put_optional(&mut record, stream.0.as_ref().map(SessionId::as_str));
            put_optional(&mut record, stream.1.as_ref().map(ViewId::as_str));
        }
        put_bytes(&mut record, detail);
        for text in texts {
            self.put_text(&mut record, text);
        }
        put_bytes(&mut self.raw, &record);
        self.steps += 1;
    }

    fn put_text(&mut self, record: &mut Vec<u8>, put: &Put) {
        match put {
            Put::Nothing => record.push(NOTHING),
            Put::Last => record.push(LAST),
            Put::Missing(why) => {
                record.push(MISSING);
                put_bytes(record, why.as_bytes());
            }
            Put::Text(text, base) => {
                self.largest = self.largest.max(text.len());
                if let Some(base) = base {
                    let script = splice::script(base.as_bytes(), text.as_bytes());
                    self.changed += script.len().min(text.len());
                    if script.len() < text.len() {
                        record.push(SPLICE);
                        put_bytes(record, &script);
                        return;
                    }
                }
                record.push(WHOLE_TEXT);
                put_bytes(record, text.as_bytes());
            }
        }
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

/// A text in a segment.
#[derive(Clone, Debug)]
pub(crate) enum TextRef {
    /// None.
    Nothing,
    /// Not there; the place of the reason.
    Missing(Range<usize>),
    /// A version of a stream.
    Version(usize, usize),
}

/// The record of a step.
pub(crate) struct Entry {
    detail: Range<usize>,
    pub(crate) before: TextRef,
    pub(crate) after: TextRef,
    pub(crate) page_before: TextRef,
    pub(crate) page_after: TextRef,
}

struct Version {
    whole: bool,
    bytes: Range<usize>,
}

/// A segment that was read.
pub(crate) struct Segment {
    pub(crate) first: u64,
    raw: Vec<u8>,
    entries: Vec<Entry>,
    streams: Vec<Vec<Version>>,
}

impl Segment {
    /// Takes the records in, up to the first that is cut off or makes no sense.
    pub(crate) fn parse(first: u64, raw: Vec<u8>) -> Self {
        let mut parser = Parser::default();
        let mut entries = Vec::new();
        let mut cursor = Cursor::new(&raw);
        while let Some(record) = cursor.range() {
            let mut inner = Cursor { data: &raw[..record.end], at: record.start };
            match parser.entry(&mut inner) {
                Some(entry) if inner.is_at_end() => entries.push(entry),
                _ => break,
            }
        }
        Self { first, entries, streams: parser.versions, raw }
    }

    pub(crate) fn len(&self) -> u64 {
        self.entries.len() as u64
    }

    pub(crate) fn bytes(&self) -> usize {
        self.raw.len() + self.entries.len() * size_of::<Entry>()
    }

    pub(crate) fn entry(&self, step: u64) -> Option<&Entry> {
        self.entries.get(usize::try_from(step.checked_sub(self.first)?).ok()?)
    }

    /// The JSON of a step's detail; empty for one without any.
    pub(crate) fn detail(&self, entry: &Entry) -> &[u8] {
        &self.raw[entry.detail.clone()]
    }

    /// The reason at a place.
    pub(crate) fn reason(&self, place: &Range<usize>) -> String {
        String::from_utf8_lossy(&self.raw[place.clone()]).into_owned()
    }

    /// Builds a version of a stream from the nearest one before it that is whole or at hand. `None`: its bytes make no text.
    pub(crate) fn text(&self, stream: usize, version: usize, cache: &Cache) -> Option<Arc<str>> {
        /// Every so often one on the way is kept, so that stepping back does not begin at the beginning each time.
        const KEEP_EVERY: usize = 16;
        let versions = self.streams.get(stream)?.get(..=version)?;
        let mut at = version;
        let mut text = loop {
            if let Some(text) = cache.text(self.first, stream, at) {
                break text;
            }
            if versions[at].whole {
                break Arc::from(std::str::from_utf8(&self.raw[versions[at].bytes.clone()]).ok()?);
            }
            at = at.checked_sub(1)?;
        };
        if at == version {
            return Some(text);
        }
        let mut bytes = text.as_bytes().to_vec();
        for (number, step) in versions.iter().enumerate().skip(at + 1) {
            bytes = splice::apply(&bytes, &self.raw[step.bytes.clone()], LONGEST_TEXT)?;
            if number % KEEP_EVERY == 0 && number != version {
                text = Arc::from(std::str::from_utf8(&bytes).ok()?);
                cache.keep_text(self.first, stream, number, text);
            }
        }
        let text: Arc<str> = Arc::from(String::from_utf8(bytes).ok()?);
        cache.keep_text(self.first, stream, version, text.clone());
        Some(text)
    }
}

/// Which slot of `versions` a stream or a page has, as the records tell it.
#[derive(Default)]
struct Parser {
    versions: Vec<Vec<Version>>,
    /// Per stream number: its slot, and the page that it belongs to.
    streams: Vec<(usize, Option<String>)>,
    pages: HashMap<Option<String>, usize>,
}

impl Parser {
    fn entry(&mut self, cursor: &mut Cursor<'_>) -> Option<Entry> {
        let number = usize::try_from(cursor.number()?).ok()?;
        if number == self.streams.len() {
            let session = optional(cursor)?;
            optional(cursor)?;
            let slot = self.slot();
            self.streams.push((slot, session));
        }
        let (slot, session) = self.streams.get(number)?.clone();
        let page = if let Some(page) = self.pages.get(&session) {
            *page
        } else {
            let page = self.slot();
            self.pages.insert(session, page);
            page
        };
        let detail = cursor.range()?;
        let before = self.text(cursor, slot)?;
        let after = self.text(cursor, slot)?;
        let page_before = match self.text(cursor, page)? {
            TextRef::Nothing => self.last(page),
            other => other,
        };
        let page_after = match self.text(cursor, page)? {
            TextRef::Nothing => page_before.clone(),
            other => other,
        };
        Some(Entry { detail, before, after, page_before, page_after })
    }

    fn slot(&mut self) -> usize {
        self.versions.push(Vec::new());
        self.versions.len() - 1
    }

    fn last(&self, slot: usize) -> TextRef {
        self.versions[slot].len().checked_sub(1).map_or(TextRef::Nothing, |version| TextRef::Version(slot, version))
    }

    fn text(&mut self, cursor: &mut Cursor<'_>, slot: usize) -> Option<TextRef> {
        match cursor.byte()? {
            NOTHING => Some(TextRef::Nothing),
            LAST => Some(self.last(slot)),
            MISSING => Some(TextRef::Missing(cursor.range()?)),
            WHOLE_TEXT => {
                let bytes = cursor.range()?;
                self.versions[slot].push(Version { whole: true, bytes });
                Some(self.last(slot))
            }
            SPLICE => {
                let bytes = cursor.range()?;
                if self.versions[slot].is_empty() {
                    return None;
                }
                self.versions[slot].push(Version { whole: false, bytes });
                Some(self.last(slot))
            }
            _ => None,
        }
    }
}

#[expect(clippy::option_option, reason = "the outer says that the bytes make no sense, the inner that there is none")]
fn optional(cursor: &mut Cursor<'_>) -> Option<Option<String>> {
    match cursor.byte()? {
        0 => Some(None),
        1 => Some(Some(cursor.text()?.to_owned())),
        _ => None,
    }
}
