//! A state as its JSON text and a tape: the list of its tokens, each with its place and where its subtree ends.
//!
//! The recorder never builds a tree of values. A [`Document`] is checked in full and indexed in one pass; one that follows
//! another is checked by looking at what differs only ([`Document::after`]), since bytes equal to checked ones are checked.
//! [`compare`] walks two documents at once and says three things in one go: which bytes of the new text stand in the
//! old one (what the store keeps), which paths changed (what it indexes), and how many changes there are (what a
//! timeline shows). Equal subtrees are told apart from different ones by comparing bytes, so no hashes are kept.
//!
//! Start at `scan.rs`, then `walk.rs`; `list.rs` decides which list elements are the same. Nothing here knows of storage.

mod bytes;
mod clock;
mod delta;
mod document;
mod error;
mod excerpt;
mod identity;
mod list;
mod members;
mod node;
mod place;
mod scalar;
mod scan;
mod walk;

#[cfg(test)]
mod laws;

pub use bytes::{common_prefix, common_suffix};
pub use delta::{Copied, Delta, RawChange, RawOp, Span};
pub use document::Document;
pub use error::ScanError;
pub use excerpt::beginning;
pub use place::{Found, Place, PlaceId, PlacePath, Places};
pub use scalar::decode_text;
pub use walk::compare;

/// The longest text of a document, in bytes.
pub const LONGEST: usize = 64 << 20;

/// How deep containers may be nested: as deep as `serde_json` reads them.
pub const DEEPEST: usize = 127;
