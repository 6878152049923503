//! What differs between two documents, in terms of their bytes.

use std::sync::Arc;

use inspector_model::{ChangeCounts, Path};

use crate::document::Document;
use crate::place::{PlaceId, Places};

/// A part of a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// Where it begins, in bytes.
    pub start: u32,
    /// How many bytes it has; 0 for one that is not there.
    pub len: u32,
}

impl Span {
    pub(crate) const fn new(start: usize, end: usize) -> Self {
        Self { start: start as u32, len: (end - start) as u32 }
    }

    /// The bytes after it.
    pub const fn end(self) -> usize {
        self.start as usize + self.len as usize
    }

    /// Its bytes.
    pub fn of(self, text: &[u8]) -> &[u8] {
        &text[self.start as usize..self.end()]
    }

    /// Its text. Spans of documents begin and end at characters.
    pub fn text(self, text: &str) -> &str {
        text.get(self.start as usize..self.end()).unwrap_or_default()
    }
}

/// Bytes of the new text that stand in the old one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Copied {
    /// Where they begin in the old text.
    pub from: u32,
    /// Where they begin in the new text.
    pub to: u32,
    /// How many.
    pub len: u32,
}

/// What happened at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RawOp {
    /// A new key or element.
    Added,
    /// A key or element that is gone.
    Removed,
    /// Another value.
    Changed,
    /// An element that stands elsewhere; where it stood.
    Moved {
        /// Its index before.
        from: u32,
    },
    /// More than half of a list stands elsewhere; which entry of [`Delta::orders`] says how.
    Reordered {
        /// The entry.
        order: u32,
    },
}

/// One difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawChange {
    /// Where.
    pub place: PlaceId,
    /// What.
    pub op: RawOp,
    /// The value in the old text, if there is one.
    pub before: Span,
    /// The value in the new text, if there is one.
    pub after: Span,
}

/// For each place of a list that was reordered: the place, and the index before of what stands there.
pub type Order = Vec<(u32, u32)>;

/// What differs from one document to another.
#[derive(Clone, Debug)]
pub struct Delta {
    pub(crate) before: Arc<Document>,
    pub(crate) after: Arc<Document>,
    /// In the order of the new text, without overlap there.
    pub copies: Vec<Copied>,
    /// In document order of the new text; removals stand where the thing was.
    pub changes: Vec<RawChange>,
    /// See [`RawOp::Reordered`].
    pub orders: Vec<Order>,
    /// Counted over `changes`.
    pub counts: ChangeCounts,
    /// Time was up before everything was looked at: what was not is told as changed whole.
    pub cut_short: bool,
    pub(crate) places: Places,
}

impl Delta {
    /// The old document.
    pub const fn before(&self) -> &Arc<Document> {
        &self.before
    }

    /// The new one.
    pub const fn after(&self) -> &Arc<Document> {
        &self.after
    }

    /// The places of the changes.
    pub const fn places(&self) -> &Places {
        &self.places
    }

    /// The path of a place.
    pub fn path(&self, place: PlaceId) -> Path {
        self.places.path(place, self.before.text(), self.after.text())
    }

    /// The key of the state's top level that a place lies in; empty for the top itself.
    pub fn top_key(&self, place: PlaceId) -> String {
        self.places.top_key(place, self.before.text(), self.after.text())
    }
}
