//! The scan: one pass over a text that checks it and writes its tape.
//!
//! It is a loop over states with a stack of its own, so that no input can exhaust the program's. With an earlier document at
//! hand it goes along that one's tape too: wherever the bytes of a whole member or element stand there, its tokens are
//! copied and the bytes skipped, together with all equal siblings after it. Only bytes that differ are looked at one by one.

use crate::bytes::{common_prefix, skip_space};
use crate::error::ScanError;
use crate::node::{Kind, Node, Tape};
use crate::scalar::{number_end, outside_escapes, string_end, string_end_from};
use crate::{DEEPEST, LONGEST};

/// Containers up to this many bytes are closed: see [`Node::closed`].
const CLOSED: usize = 512;

/// How many keys further a member is looked for before it counts as new.
const KEYS_AHEAD: usize = 16;

/// Longer strings are read from where they differ from the earlier ones.
const LONG_TEXT: u32 = 64;

/// Bytes at which two rows are taken for versions of one.
const ROW_START: usize = 12;

/// Scans a whole text.
pub(crate) fn scan(text: &[u8], earlier: Option<Tape<'_>>) -> Result<Vec<Node>, ScanError> {
    if text.len() > LONGEST {
        return Err(ScanError::TooLong);
    }
    let earlier = earlier.filter(|tape| !tape.nodes.is_empty());
    let mut scanner = Scanner::new(text, earlier, true);
    scanner.nodes.reserve(earlier.map_or(64, |tape| tape.nodes.len() + 16));
    let end = scanner.value_at(0)?;
    if skip_space(text, end) == text.len() { Ok(scanner.nodes) } else { Err(ScanError::syntax("something after the value", end)) }
}

/// The tokens of a closed container, with all of its content. `None` only for text that was never scanned.
pub(crate) fn open(text: &[u8], start: usize) -> Option<Vec<Node>> {
    let mut scanner = Scanner::new(text, None, false);
    scanner.nodes.reserve(32);
    scanner.value_at(start).ok()?;
    Some(scanner.nodes)
}

/// A container that is being scanned, and the one of the earlier tape that it goes along with.
struct Frame {
    node: usize,
    is_object: bool,
    /// The member or element of the earlier container that is expected next.
    expected: usize,
    /// One that was passed over as changed, but may still come: then something was put in before it.
    passed: Option<usize>,
    /// Where the earlier container ends in its tape; 0 when there is none.
    end: usize,
    /// Where it ends in its text.
    text_end: usize,
}

enum State {
    FirstMember,
    Member,
    FirstElement,
    Element,
    /// The value at the top, or of the key before it; and what it was before, if known.
    Value(Option<usize>),
    After,
}

struct Scanner<'a> {
    text: &'a [u8],
    earlier: Tape<'a>,
    close_short: bool,
    nodes: Vec<Node>,
    stack: Vec<Frame>,
}

impl<'a> Scanner<'a> {
    fn new(text: &'a [u8], earlier: Option<Tape<'a>>, close_short: bool) -> Self {
        Self { text, earlier: earlier.unwrap_or(Tape { text: &[], nodes: &[] }), close_short, nodes: Vec::new(), stack: Vec::new() }
    }

    /// Scans one value and gives the place after it.
    fn value_at(&mut self, start: usize) -> Result<usize, ScanError> {
        let mut at = start;
        let mut state = State::Value((!self.earlier.nodes.is_empty()).then_some(0));
        loop {
            if !(matches!(state, State::After) && self.stack.is_empty()) {
                at = skip_space(self.text, at);
            }
            state = match state {
                State::FirstMember if self.text.get(at) == Some(&b'}') => State::After,
                State::FirstElement if self.text.get(at) == Some(&b']') => State::After,
                State::FirstMember | State::Member | State::FirstElement | State::Element => {
                    if let Some(end) = self.reuse(at) {
                        at = end;
                        State::After
                    } else if matches!(state, State::FirstMember | State::Member) {
                        State::Value(self.key(&mut at)?)
                    } else {
                        State::Value(self.changed_element(at))
                    }
                }
                State::Value(earlier) => self.begin(&mut at, earlier)?,
                State::After => {
                    let Some(frame) = self.stack.last() else { return Ok(at) };
                    let (node, is_object) = (frame.node, frame.is_object);
                    match self.text.get(at) {
                        Some(b',') => {
                            at += 1;
                            if is_object { State::Member } else { State::Element }
                        }
                        Some(b'}') if is_object => self.finish(node, &mut at),
                        Some(b']') if !is_object => self.finish(node, &mut at),
                        _ => return Err(ScanError::syntax("no comma and no end of the container", at)),
                    }
                }
            };
        }
    }

    fn push(&mut self, start: usize, end: usize, kind: Kind, escaped: bool) {
        // Below `LONGEST`, which fits.
        self.nodes.push(Node { start: start as u32, len: (end - start) as u32, skip: 1, kind, closed: false, escaped });
    }

    /// Takes in a scalar, or the beginning of a container.
    fn begin(&mut self, at: &mut usize, earlier: Option<usize>) -> Result<State, ScanError> {
        let start = *at;
        let first = self.text.get(start).copied();
        match first {
            Some(b'{' | b'[') => {
                if self.stack.len() >= DEEPEST {
                    return Err(ScanError::TooDeep);
                }
                let is_object = first == Some(b'{');
                let kind = if is_object { Kind::Object } else { Kind::List };
                let (expected, end, text_end) = match earlier.map(|index| (index, self.earlier.node(index))) {
                    Some((index, node)) if node.kind == kind && !node.closed => (index + 1, index + node.skip as usize, node.end()),
                    _ => (0, 0, 0),
                };
                self.stack.push(Frame { node: self.nodes.len(), is_object, expected, passed: None, end, text_end });
                self.push(start, start + 1, kind, false);
                *at = start + 1;
                return Ok(if is_object { State::FirstMember } else { State::FirstElement });
            }
            Some(b'"') => {
                let (end, escaped) = self.string(start, earlier)?;
                self.push(start, end, Kind::Text, escaped);
                *at = end;
            }
            Some(b't' | b'f' | b'n') => {
                let words: [(&[u8], Kind); 3] = [(b"true", Kind::True), (b"false", Kind::False), (b"null", Kind::Null)];
                let word = words.into_iter().find(|(word, _)| self.text[start..].starts_with(word));
                let (word, kind) = word.ok_or(ScanError::syntax("no value", start))?;
                self.push(start, start + word.len(), kind, false);
                *at = start + word.len();
            }
            _ => {
                let end = number_end(self.text, start)?;
                self.push(start, end, Kind::Number, false);
                *at = end;
            }
        }
        Ok(State::After)
    }

    /// Reads a string from where it differs from the earlier one.
    fn string(&self, start: usize, earlier: Option<usize>) -> Result<(usize, bool), ScanError> {
        let Some(earlier) = earlier.map(|index| self.earlier.node(index)).filter(|node| node.kind == Kind::Text && node.len > LONG_TEXT)
        else {
            return string_end(self.text, start);
        };
        // Without the closing quote, which may be an escaped one here.
        let known = &earlier.of(self.earlier.text)[..earlier.len as usize - 1];
        let equal = common_prefix(known, &self.text[start..]);
        let equal = if earlier.escaped { outside_escapes(known, equal) } else { Some(equal) };
        match equal.filter(|equal| *equal > 1) {
            Some(equal) => string_end_from(self.text, start, start + equal, earlier.escaped && known[..equal].contains(&b'\\')),
            None => string_end(self.text, start),
        }
    }

    fn finish(&mut self, node: usize, at: &mut usize) -> State {
        *at += 1;
        self.stack.pop();
        let len = *at - self.nodes[node].start as usize;
        // Never the top: what has no tokens cannot be gone along.
        let closed = self.close_short && len <= CLOSED && !self.stack.is_empty();
        if closed {
            self.nodes.truncate(node + 1);
        }
        let skip = self.nodes.len() - node;
        let node = &mut self.nodes[node];
        node.len = len as u32;
        node.skip = skip as u32;
        node.closed = closed;
        State::After
    }

    /// Reads a key and its colon. Gives the value that the key had earlier.
    fn key(&mut self, at: &mut usize) -> Result<Option<usize>, ScanError> {
        let start = *at;
        if self.text.get(start) != Some(&b'"') {
            return Err(ScanError::syntax("no key", start));
        }
        let (end, escaped) = string_end(self.text, start)?;
        self.push(start, end, Kind::Key, escaped);
        *at = skip_space(self.text, end);
        if self.text.get(*at) != Some(&b':') {
            return Err(ScanError::syntax("no colon", *at));
        }
        *at += 1;
        let Some(frame) = self.stack.last_mut() else { return Ok(None) };
        let mut candidate = frame.expected;
        for _ in 0..KEYS_AHEAD {
            if candidate >= frame.end {
                break;
            }
            let next = self.earlier.next(candidate + 1);
            if self.earlier.bytes(candidate) == &self.text[start..end] {
                frame.expected = next;
                return Ok(Some(candidate + 1));
            }
            candidate = next;
        }
        Ok(None)
    }

    /// The end of the members or elements from `at` on that stand just so in the earlier container. Their tokens are
    /// taken over.
    fn reuse(&mut self, at: usize) -> Option<usize> {
        let frame = self.stack.last_mut().filter(|frame| frame.end > 0)?;
        let (earlier, text, is_object) = (self.earlier, self.text, frame.is_object);
        let value_of = |unit: usize| if is_object { unit + 1 } else { unit };
        let next = |unit: usize| earlier.next(value_of(unit));
        let end_of = |unit: usize| earlier.node(value_of(unit)).end();
        let found = |unit: &usize| {
            let bytes = &earlier.text[earlier.node(*unit).start as usize..end_of(*unit)];
            // A number could go on where the earlier one ended.
            text[at..].starts_with(bytes) && matches!(text.get(at + bytes.len()), Some(b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t'))
        };
        let expected = Some(frame.expected).filter(|unit| *unit < frame.end);
        let after = expected.map(next).filter(|unit| *unit < frame.end);
        let first = [expected, frame.passed, after].into_iter().flatten().find(found)?;

        let start = earlier.node(first).start as usize;
        let (mut last, mut behind) = (first, next(first));
        if behind < frame.end {
            // One comparison for as many siblings as are equal: but not beyond the container, or the same bytes would be
            // compared again for each container that ends there.
            let first_end = end_of(first);
            let equal = first_end + common_prefix(&earlier.text[first_end..frame.text_end], &text[at + first_end - start..]);
            while behind < frame.end && end_of(behind) < equal {
                (last, behind) = (behind, next(behind));
            }
        }
        frame.passed = None;
        frame.expected = behind;
        let copied = &earlier.nodes[first..behind];
        if at == start {
            self.nodes.extend_from_slice(copied);
        } else {
            self.nodes.extend(copied.iter().map(|node| Node { start: (node.start as usize + at - start) as u32, ..*node }));
        }
        Some(at + end_of(last) - start)
    }

    /// The earlier element that the one at `at` is probably another version of.
    fn changed_element(&mut self, at: usize) -> Option<usize> {
        let frame = self.stack.last_mut().filter(|frame| frame.expected < frame.end)?;
        let candidate = frame.expected;
        let node = self.earlier.node(candidate);
        let bytes = node.of(self.earlier.text);
        let start = &bytes[..bytes.len().min(if node.kind == Kind::Object { ROW_START } else { 1 })];
        if !self.text[at..].starts_with(start) {
            return None;
        }
        frame.passed = Some(candidate);
        frame.expected = self.earlier.next(candidate);
        Some(candidate)
    }
}
