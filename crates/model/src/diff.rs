//! A diff as data: what `inspector-diff` makes and the window draws.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Value;

/// What differs between two states.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Diff {
    /// In document order of the state after; removals stand where the thing was.
    pub changes: Vec<Change>,
    /// Counted over `changes`.
    pub counts: ChangeCounts,
    /// The deadline came first: some subtrees are shown as replaced whole that a longer look would have split.
    pub cut_short: bool,
}

/// How many changes of each sort.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct ChangeCounts {
    /// Keys and list elements that are new.
    pub added: u32,
    /// … that are gone.
    pub removed: u32,
    /// Values that are other ones.
    pub changed: u32,
    /// List elements at another place.
    pub moved: u32,
}

impl ChangeCounts {
    /// All together.
    pub const fn total(self) -> u32 {
        self.added + self.removed + self.changed + self.moved
    }
}

impl fmt::Display for ChangeCounts {
    /// `+1 ~2 −3 ⇅4`, without what is zero; `·` when nothing changed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::with_capacity(4);
        for (sign, count) in [("+", self.added), ("~", self.changed), ("−", self.removed), ("⇅", self.moved)] {
            if count > 0 {
                parts.push(format!("{sign}{count}"));
            }
        }
        if parts.is_empty() { f.write_str("·") } else { f.write_str(&parts.join(" ")) }
    }
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Where, in the state after; for [`Op::Removed`] in the state before at the last segment, with the parents' places after.
    pub path: Path,
    /// What.
    pub op: Op,
    /// What djust does with this assign that a reader should know.
    pub note: Option<Note>,
}

/// What happened at a path.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Op {
    /// A new key or list element.
    Added(Value),
    /// A key or list element that is gone.
    Removed(Value),
    /// Another value, of the same or another type.
    Changed {
        /// The value before.
        before: Value,
        /// The value after.
        after: Value,
    },
    /// A long string with the same beginning, end or lines.
    Text {
        /// The string before.
        before: String,
        /// The string after.
        after: String,
        /// The differing places, in order.
        hunks: Vec<TextHunk>,
    },
    /// A list element that stands elsewhere. The path has its place after; changes inside it follow as changes of their own.
    Moved {
        /// Its index in the list before.
        from: usize,
    },
    /// More than half of a list stands elsewhere: said once instead of per element.
    Reordered {
        /// For each place after, the index before. Elements that were added or removed are not in it.
        order: Vec<usize>,
        /// The places after, in the same order.
        places: Vec<usize>,
    },
}

/// One differing place of two strings: byte ranges, on character boundaries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextHunk {
    /// Range in the string before.
    pub before: std::ops::Range<usize>,
    /// Range in the string after.
    pub after: std::ops::Range<usize>,
}

/// What djust does with an assign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Note {
    /// In `temporary_assigns`: it is reset after each render, so this is no loss.
    TemporaryReset,
    /// In `static_assigns`: the new value never reaches the page.
    StaticAssign,
    /// The type changed, as a jump does to what djust cannot restore.
    TypeChanged,
}

/// A place in a state, from its top.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Path(pub Vec<Segment>);

/// One part of a path.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Segment {
    /// An object's key.
    Key(String),
    /// A list's index.
    Index(usize),
    /// A row of a list by the JSON of its identity (`7`, `"a"`), wherever it stands: in paths that are followed through time.
    Row(String),
}

impl Path {
    /// The path of a child.
    #[must_use]
    pub fn child(&self, segment: Segment) -> Self {
        let mut parts = Vec::with_capacity(self.0.len() + 1);
        parts.extend_from_slice(&self.0);
        parts.push(segment);
        Self(parts)
    }
}

impl fmt::Display for Path {
    /// `cart.items[3].qty`; keys that are not identifiers as `["a b"]`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Index(place) => write!(f, "[{place}]")?,
                Segment::Row(identity) => write!(f, "[={identity}]")?,
                Segment::Key(key) if is_identifier(key) => {
                    if index > 0 {
                        f.write_str(".")?;
                    }
                    f.write_str(key)?;
                }
                Segment::Key(key) => write!(f, "[{}]", serde_json::Value::from(key.as_str()))?,
            }
        }
        Ok(())
    }
}

fn is_identifier(key: &str) -> bool {
    !key.is_empty() && !key.starts_with(|c: char| c.is_ascii_digit()) && key.chars().all(|c| c.is_alphanumeric() || c == '_')
}
