//! A segment, read: the records of up to 256 steps that need no others.
//!
//! The first text of a stream in a segment is whole, later ones are splices of the one before. A stream is the state of
//! one view of one page, or a page's HTML.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use inspector_model::{SessionId, ViewId};

use crate::cache::Cache;
use crate::splice::{self, Dialect};
use crate::wire::Cursor;

/// The longest state or page that is recorded, and the longest that a reader builds.
pub(crate) const LONGEST_TEXT: usize = 64 << 20;
/// Bytes after which a segment ends whatever they are: what a reader must hold.
pub(crate) const WHOLE: usize = 8 << 20;
/// The most bytes of one segment that a reader takes in: what a writer makes, and one step with three longest texts.
pub(crate) const LARGEST: usize = WHOLE + 4 * LONGEST_TEXT;

/// The most records of one segment that are read. A segment is written with 256: a record of eight bytes is twenty times as large in memory.
pub(crate) const MOST_STEPS: usize = 4096;

/// Bytes of texts that are made on the way to one: what 256 of the longest have. Beyond it somebody made the segment for that.
const MOST_WORK: usize = 256 * LONGEST_TEXT;

/// One view of one page.
pub(crate) type StreamKey = (Option<SessionId>, Option<ViewId>);

// What stands in a record for a text.
pub(crate) const NOTHING: u8 = 0;
pub(crate) const LAST: u8 = 1;
pub(crate) const MISSING: u8 = 2;
pub(crate) const WHOLE_TEXT: u8 = 3;
pub(crate) const SPLICE: u8 = 4;
/// Whole, but the stream's last text: the segment needs it to be read alone.
pub(crate) const KEYFRAME: u8 = 5;
/// It was there, and was dropped: see `thin.rs`.
pub(crate) const DROPPED: u8 = 6;
/// A splice of the first text of its sequence in the segment: what is large is then rebuilt in fewer steps.
pub(crate) const CHECKPOINT: u8 = 7;

/// A text in a segment.
#[derive(Clone, Debug)]
pub(crate) enum TextRef {
    /// None.
    Nothing,
    /// Not there; the place of the reason.
    Missing(Range<usize>),
    /// Dropped since.
    Dropped,
    /// A version of a stream.
    Version(usize, usize),
}

/// The record of a step.
pub(crate) struct Entry {
    pub(crate) stream: usize,
    detail: Range<usize>,
    pub(crate) before: TextRef,
    pub(crate) after: TextRef,
    pub(crate) page_before: TextRef,
    pub(crate) page_after: TextRef,
}

struct Version {
    /// `None` for a whole text.
    dialect: Option<Dialect>,
    /// Whether it is a splice of the first version and not of the one before.
    of_first: bool,
    bytes: Range<usize>,
}

/// A segment that was read.
pub(crate) struct Segment {
    pub(crate) first: u64,
    /// Tells versions of a segment apart that was thinned in between: their texts have the same numbers. 0 for one that
    /// still grows.
    pub(crate) sum: u32,
    raw: Vec<u8>,
    entries: Vec<Entry>,
    streams: Vec<Vec<Version>>,
    names: Vec<StreamKey>,
}

impl Segment {
    /// Takes the records in, up to the first that is cut off or makes no sense.
    pub(crate) fn parse(first: u64, raw: Vec<u8>, dialect: Dialect) -> Self {
        let mut parser = Parser { dialect, ..Parser::default() };
        let mut entries = Vec::new();
        let mut cursor = Cursor::new(&raw);
        while entries.len() < MOST_STEPS
            && let Some(record) = cursor.range()
        {
            let mut inner = Cursor { data: &raw[..record.end], at: record.start };
            match parser.entry(&mut inner) {
                Some(entry) if inner.is_at_end() => entries.push(entry),
                _ => break,
            }
        }
        let names = parser.streams.into_iter().map(|stream| stream.key).collect();
        Self { first, sum: 0, entries, streams: parser.versions, names, raw }
    }

    /// The same of a complete one.
    pub(crate) fn complete(first: u64, raw: Vec<u8>, dialect: Dialect) -> Self {
        let sum = crc32fast::hash(&raw);
        Self { sum, ..Self::parse(first, raw, dialect) }
    }

    /// The step after its last one.
    pub(crate) fn end(&self) -> u64 {
        self.first.saturating_add(self.len())
    }

    /// Whose step it is.
    pub(crate) fn stream(&self, entry: &Entry) -> &StreamKey {
        &self.names[entry.stream]
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
        let (mut bytes, next) = loop {
            if let Some(text) = cache.text((self.first, self.sum), stream, at) {
                if at == version {
                    return Some(text);
                }
                break (text.as_bytes().to_vec(), at + 1);
            }
            if versions[at].dialect.is_none() || versions[at].of_first {
                break (Vec::new(), at);
            }
            at = at.checked_sub(1)?;
        };
        let mut work = 0;
        for number in next..=version {
            self.advance(&mut bytes, stream, number)?;
            work += bytes.len();
            if work > MOST_WORK {
                return None;
            }
            if number % KEEP_EVERY == 0 && number != version {
                cache.keep_text((self.first, self.sum), stream, number, Arc::from(std::str::from_utf8(&bytes).ok()?));
            }
        }
        let text: Arc<str> = Arc::from(std::str::from_utf8(&bytes).ok()?);
        cache.keep_text((self.first, self.sum), stream, version, text.clone());
        Some(text)
    }

    /// Builds a version of a stream from an earlier one that is known.
    pub(crate) fn text_after(&self, stream: usize, (known, text): (usize, &str), version: usize) -> Option<Arc<str>> {
        let mut bytes = text.as_bytes().to_vec();
        for number in known + 1..=version {
            self.advance(&mut bytes, stream, number)?;
        }
        Some(Arc::from(std::str::from_utf8(&bytes).ok()?))
    }

    /// Makes the version before this one into this one.
    pub(crate) fn advance(&self, text: &mut Vec<u8>, stream: usize, version: usize) -> Option<()> {
        let versions = self.streams.get(stream)?;
        let Version { dialect, of_first, bytes } = versions.get(version)?;
        let bytes = &self.raw[bytes.clone()];
        if *of_first {
            // The first text of a sequence is whole.
            self.raw[versions.first()?.bytes.clone()].clone_into(text);
        }
        if let Some(dialect) = dialect {
            return splice::apply(text, bytes, &self.raw, *dialect, LONGEST_TEXT);
        }
        bytes.clone_into(text);
        Some(())
    }
}

/// Which slot of `versions` a stream or a page has, as the records tell it.
struct Parser {
    dialect: Dialect,
    versions: Vec<Vec<Version>>,
    streams: Vec<Stream>,
    pages: HashMap<Option<SessionId>, usize>,
}

struct Stream {
    key: StreamKey,
    slot: usize,
}

impl Default for Parser {
    fn default() -> Self {
        Self { dialect: Dialect::Second, versions: Vec::new(), streams: Vec::new(), pages: HashMap::new() }
    }
}

impl Parser {
    fn entry(&mut self, cursor: &mut Cursor<'_>) -> Option<Entry> {
        let number = usize::try_from(cursor.number()?).ok()?;
        if number == self.streams.len() {
            let session = optional(cursor)?.map(SessionId::from);
            let view = optional(cursor)?.map(ViewId::from);
            let slot = self.slot();
            self.streams.push(Stream { key: (session, view), slot });
        }
        let Stream { key, slot } = self.streams.get(number)?;
        let (slot, session) = (*slot, key.0.clone());
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
        Some(Entry { stream: number, detail, before, after, page_before, page_after })
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
            DROPPED => Some(TextRef::Dropped),
            WHOLE_TEXT | KEYFRAME => {
                let bytes = cursor.range()?;
                self.versions[slot].push(Version { dialect: None, of_first: false, bytes });
                Some(self.last(slot))
            }
            kind @ (SPLICE | CHECKPOINT) if !self.versions[slot].is_empty() => {
                let bytes = cursor.range()?;
                self.versions[slot].push(Version { dialect: Some(self.dialect), of_first: kind == CHECKPOINT, bytes });
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
