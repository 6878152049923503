//! The tokens of a tape.

use crate::delta::Span;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Object,
    List,
    /// An object's key; the value is the next token.
    Key,
    Text,
    Number,
    True,
    False,
    Null,
}

/// A token. Those of a container's content follow it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) start: u32,
    pub(crate) len: u32,
    /// How many tokens its subtree has, itself included.
    pub(crate) skip: u32,
    pub(crate) kind: Kind,
    /// A short container whose content has no tokens of its own: most states are made of thousands of small rows, of
    /// which one changes. It is scanned again when somebody looks inside.
    pub(crate) closed: bool,
    /// A text or key with a backslash.
    pub(crate) escaped: bool,
}

impl Node {
    pub(crate) const fn end(self) -> usize {
        self.start as usize + self.len as usize
    }

    pub(crate) const fn span(self) -> Span {
        Span { start: self.start, len: self.len }
    }

    pub(crate) fn of(self, text: &[u8]) -> &[u8] {
        &text[self.start as usize..self.end()]
    }

    /// What stands between the quotes.
    pub(crate) fn inner(self, text: &[u8]) -> &[u8] {
        &text[self.start as usize + 1..self.end() - 1]
    }

    pub(crate) const fn is_container(self) -> bool {
        matches!(self.kind, Kind::Object | Kind::List)
    }
}

/// A text and a tape of it or of a part of it.
#[derive(Clone, Copy)]
pub(crate) struct Tape<'a> {
    pub(crate) text: &'a [u8],
    pub(crate) nodes: &'a [Node],
}

impl<'a> Tape<'a> {
    pub(crate) fn node(&self, index: usize) -> Node {
        self.nodes[index]
    }

    pub(crate) fn bytes(&self, index: usize) -> &'a [u8] {
        self.nodes[index].of(self.text)
    }

    /// The token after a subtree.
    pub(crate) fn next(&self, index: usize) -> usize {
        index + self.nodes[index].skip as usize
    }
}
