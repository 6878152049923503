//! A text with its tape.

use std::fmt;
use std::sync::Arc;

use crate::error::ScanError;
use crate::node::{Node, Tape};
use crate::scan;

/// A JSON text that was checked and indexed.
pub struct Document {
    text: Arc<str>,
    nodes: Vec<Node>,
}

impl Document {
    /// Checks and indexes a text.
    pub fn new(text: Arc<str>) -> Result<Self, ScanError> {
        let nodes = scan::scan(text.as_bytes(), None)?;
        Ok(Self { text, nodes })
    }

    /// The same for a text that is probably much like an earlier one: costs as much as the difference, and one comparison
    /// of the bytes.
    pub fn after(earlier: &Self, text: Arc<str>) -> Result<Self, ScanError> {
        let nodes = scan::scan(text.as_bytes(), Some(earlier.tape()))?;
        Ok(Self { text, nodes })
    }

    /// The text.
    pub const fn text(&self) -> &Arc<str> {
        &self.text
    }

    /// Bytes that it takes in memory.
    pub fn bytes(&self) -> usize {
        self.text.len() + self.nodes.len() * size_of::<Node>()
    }

    pub(crate) fn tape(&self) -> Tape<'_> {
        Tape { text: self.text.as_bytes(), nodes: &self.nodes }
    }
}

/// By text.
impl PartialEq for Document {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Document {}

/// States are private: only the size is told.
impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Document({} bytes, {} tokens)", self.text.len(), self.nodes.len())
    }
}
