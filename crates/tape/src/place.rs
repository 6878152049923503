//! Places in documents: a tree of path segments that is as large as what changed, and written without copying any text.

use inspector_model::{Path, Segment};

use crate::delta::Span;
use crate::document::Document;
use crate::identity;
use crate::members::{elements, members};
use crate::node::{Kind, Tape};
use crate::scalar::decode_text;
use crate::scan;

/// A place of one delta.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PlaceId(pub u32);

/// Which of two texts a span is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    Before,
    After,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Part {
    Top,
    /// A key, with its quotes.
    Key(Span, Whose),
    /// An element: its index, and its identity if it has one.
    Element(u32, Option<(Span, Whose)>),
}

/// A segment of a place's path.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// The place that it lies in; its own for the top.
    pub parent: PlaceId,
    pub(crate) part: Part,
}

/// The places of one delta, parents before children.
#[derive(Clone, Debug)]
pub struct Places {
    pub(crate) places: Vec<Place>,
}

impl Places {
    pub(crate) fn new() -> Self {
        Self { places: vec![Place { parent: PlaceId(0), part: Part::Top }] }
    }

    pub(crate) fn child(&mut self, parent: PlaceId, part: Part) -> PlaceId {
        let id = PlaceId(self.places.len() as u32);
        self.places.push(Place { parent, part });
        id
    }

    /// The parent of a place; `None` for the top.
    pub fn parent(&self, place: PlaceId) -> Option<PlaceId> {
        (place.0 > 0).then(|| self.places[place.0 as usize].parent)
    }

    /// What a place is called inside its parent, for an index: the key, or the identity of the element where it has
    /// one, or else its number. See [`PlacePath`].
    pub fn name(&self, place: PlaceId, before: &str, after: &str, out: &mut Vec<u8>) {
        let text = |whose: Whose| if whose == Whose::Before { before } else { after };
        match self.places[place.0 as usize].part {
            Part::Top => {}
            Part::Key(key, whose) => name_key(inner(key.of(text(whose).as_bytes())), out),
            Part::Element(index, None) => name_index(index as usize, out),
            Part::Element(_, Some((identity, whose))) => name_identity(identity.of(text(whose).as_bytes()), out),
        }
    }

    fn up(&self, place: PlaceId) -> impl Iterator<Item = Part> {
        let mut at = place;
        std::iter::from_fn(move || {
            let Place { parent, part } = self.places[at.0 as usize];
            at = parent;
            (!matches!(part, Part::Top)).then_some(part)
        })
    }

    pub(crate) fn path(&self, place: PlaceId, before: &str, after: &str) -> Path {
        let text = |whose: Whose| if whose == Whose::Before { before } else { after };
        let mut segments: Vec<Segment> = self
            .up(place)
            .filter_map(|part| match part {
                Part::Top => None,
                Part::Key(key, whose) => Some(Segment::Key(decode_text(inner(key.of(text(whose).as_bytes()))).into_owned())),
                Part::Element(index, _) => Some(Segment::Index(index as usize)),
            })
            .collect();
        segments.reverse();
        Path(segments)
    }

    pub(crate) fn top_key(&self, place: PlaceId, before: &str, after: &str) -> String {
        let text = |whose: Whose| if whose == Whose::Before { before } else { after };
        match self.up(place).last() {
            Some(Part::Key(key, whose)) => decode_text(inner(key.of(text(whose).as_bytes()))).into_owned(),
            _ => String::new(),
        }
    }
}

/// A string without its quotes.
fn inner(string: &[u8]) -> &[u8] {
    string.get(1..string.len().saturating_sub(1)).unwrap_or_default()
}

fn name_key(inner: &[u8], out: &mut Vec<u8>) {
    out.push(b'.');
    out.extend_from_slice(decode_text(inner).as_bytes());
}

fn name_segment(segment: &Segment, out: &mut Vec<u8>) {
    match segment {
        Segment::Key(key) => {
            out.push(b'.');
            out.extend_from_slice(key.as_bytes());
        }
        Segment::Index(index) => name_index(*index, out),
        Segment::Row(identity) => name_identity(identity.as_bytes(), out),
    }
}

fn name_index(index: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(format!("[{index}]").as_bytes());
}

fn name_identity(identity: &[u8], out: &mut Vec<u8>) {
    out.push(b'=');
    out.extend_from_slice(identity);
}

/// A path as an index knows it: elements of lists by their identity where they have one, so that a row stays the same row
/// when others are put in before it. Each segment is a name as [`Places::name`] gives it: `.` and a key, `=` and the JSON
/// of an identity, or an index in brackets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct PlacePath(pub Vec<Vec<u8>>);

impl PlacePath {
    /// What the path leads to in a document. What is not there is taken by its name and number.
    pub fn find(path: &Path, document: &Document) -> Self {
        let text = document.text().as_bytes();
        let mut names = Vec::with_capacity(path.0.len());
        walk(document, path, |segment, found| {
            let identity = match (segment, found) {
                (Segment::Index(_), Some((tape, element))) => identity::own(tape, element),
                _ => None,
            };
            let mut name = Vec::new();
            match identity {
                Some(identity) => name_identity(identity.of(text), &mut name),
                None => name_segment(segment, &mut name),
            }
            names.push(name);
        });
        Self(names)
    }

    /// The path as it says itself.
    pub fn of(path: &Path) -> Self {
        let names = path.0.iter().map(|segment| {
            let mut name = Vec::new();
            name_segment(segment, &mut name);
            name
        });
        Self(names.collect())
    }

    /// The same as a path, with its rows by their identity.
    pub fn path(&self) -> Path {
        let segments = self.0.iter().map(|name| {
            let text = |from: usize| String::from_utf8_lossy(name.get(from..).unwrap_or_default()).into_owned();
            match name.first() {
                Some(b'=') => Segment::Row(text(1)),
                Some(b'[') => match text(1).trim_end_matches(']').parse() {
                    Ok(index) => Segment::Index(index),
                    Err(_) => Segment::Key(text(0)),
                },
                _ => Segment::Key(text(1)),
            }
        });
        Path(segments.collect())
    }
}

/// What stands at a path of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found<'d> {
    /// Its JSON.
    pub json: &'d str,
    /// How many elements or keys it has, if it can have any.
    pub len: Option<usize>,
}

impl Document {
    /// What stands at a path, rows of which the path has the identity wherever they stand.
    pub fn at(&self, path: &Path) -> Option<Found<'_>> {
        let part = |tape: Tape<'_>, index: usize| Found { json: tape.node(index).span().text(self.text()), len: len(tape, index) };
        let mut found = path.0.is_empty().then(|| part(self.tape(), 0));
        let mut left = path.0.len();
        walk(self, path, |_, at| {
            left -= 1;
            found = at.filter(|_| left == 0).map(|(tape, index)| part(tape, index));
        });
        found
    }

    /// What stands at the top, in order: names, and their values' JSON. Nothing for what is no object.
    pub fn top(&self) -> Vec<(String, Found<'_>)> {
        let (tape, text) = (self.tape(), self.text().as_bytes());
        if tape.node(0).kind != Kind::Object {
            return Vec::new();
        }
        if tape.node(0).closed {
            let named = |(key, value): (Span, Span)| {
                let part = Found { json: value.text(self.text()), len: count(text, value) };
                (decode_text(inner(key.of(text))).into_owned(), part)
            };
            return members(text, tape.node(0).start as usize).map(named).collect();
        }
        let (mut key, end) = (1, tape.next(0));
        let mut top = Vec::new();
        while key < end {
            let part = Found { json: tape.node(key + 1).span().text(self.text()), len: len(tape, key + 1) };
            top.push((decode_text(tape.node(key).inner(text)).into_owned(), part));
            key = tape.next(key + 1);
        }
        top
    }
}

/// Goes down a path as far as it leads, and tells what each part of it leads to.
fn walk(document: &Document, path: &Path, mut visit: impl FnMut(&Segment, Option<(Tape<'_>, usize)>)) {
    let text = document.text().as_bytes();
    let mut opened;
    let mut at = Some((document.tape(), 0));
    for segment in &path.0 {
        // Short containers have no tokens on the tape: they are scanned for the rest of the way.
        if let Some((tape, index)) = at
            && tape.node(index).closed
        {
            opened = scan::open(text, tape.node(index).start as usize).unwrap_or_default();
            at = (!opened.is_empty()).then_some((Tape { text, nodes: &opened }, 0));
        }
        at = at.and_then(|(tape, index)| child(tape, content(tape, index), segment).map(|child| (tape, child)));
        visit(segment, at);
    }
}

/// How many elements or keys a token has.
fn len(tape: Tape<'_>, index: usize) -> Option<usize> {
    if !tape.node(index).is_container() {
        return None;
    }
    if tape.node(index).closed {
        return count(tape.text, tape.node(index).span());
    }
    let index = content(tape, index);
    if tape.node(index).closed {
        return count(tape.text, tape.node(index).span());
    }
    let key = usize::from(tape.node(index).kind == Kind::Object);
    let (mut at, end, mut len) = (index + 1, tape.next(index), 0);
    while at < end {
        at = tape.next(at + key);
        len += 1;
    }
    Some(len)
}

/// The same from the bytes, for what is short.
fn count(text: &[u8], at: Span) -> Option<usize> {
    let start = content_span(text, at).start as usize;
    match text.get(start)? {
        b'{' => Some(members(text, start).count()),
        b'[' => Some(elements(text, start).count()),
        _ => None,
    }
}

/// As [`content`], from the bytes.
fn content_span(text: &[u8], at: Span) -> Span {
    if text.get(at.start as usize) != Some(&b'{') {
        return at;
    }
    let mut members = members(text, at.start as usize);
    let is_typed = members.next().is_some_and(|(key, value)| key.of(text) == b"\"$t\"" && value.of(text).first() == Some(&b'"'));
    if !is_typed {
        return at;
    }
    let content = members.find(|(key, _)| key.of(text) == b"\"v\"").map(|(_, value)| value);
    content.filter(|content| matches!(text.get(content.start as usize), Some(b'{' | b'['))).unwrap_or(at)
}

impl std::fmt::Display for PlacePath {
    /// `todos[=7].done`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (nth, name) in self.0.iter().enumerate() {
            let text = String::from_utf8_lossy(name);
            match name.first() {
                Some(b'.') if nth == 0 => f.write_str(&text[1..])?,
                Some(b'=') => write!(f, "[{text}]")?,
                _ => f.write_str(&text)?,
            }
        }
        Ok(())
    }
}

/// The token of the field `v` of a typed container, or the token itself: paths do not name it.
pub(crate) fn content(tape: Tape<'_>, index: usize) -> usize {
    let node = tape.node(index);
    if node.kind != Kind::Object || node.closed || node.skip < 3 || decode_text(tape.node(index + 1).inner(tape.text)) != "$t" {
        return index;
    }
    if tape.node(index + 2).kind != Kind::Text {
        return index;
    }
    member(tape, index, "v").filter(|content| tape.node(*content).is_container()).unwrap_or(index)
}

fn member(tape: Tape<'_>, object: usize, wanted: &str) -> Option<usize> {
    let end = tape.next(object);
    let mut key = object + 1;
    while key < end {
        let node = tape.node(key);
        let inner = node.inner(tape.text);
        if inner == wanted.as_bytes() || (node.escaped && decode_text(inner) == wanted) {
            return Some(key + 1);
        }
        key = tape.next(key + 1);
    }
    None
}

fn child(tape: Tape<'_>, container: usize, segment: &Segment) -> Option<usize> {
    match (tape.node(container).kind, segment) {
        (Kind::Object, Segment::Key(key)) => member(tape, container, key),
        (Kind::List, Segment::Index(wanted)) => {
            let end = tape.next(container);
            let mut element = container + 1;
            for _ in 0..*wanted {
                if element >= end {
                    return None;
                }
                element = tape.next(element);
            }
            (element < end).then_some(element)
        }
        (Kind::List, Segment::Row(wanted)) => {
            let end = tape.next(container);
            let mut element = container + 1;
            while element < end {
                if identity::own(tape, element).is_some_and(|identity| identity.of(tape.text) == wanted.as_bytes()) {
                    return Some(element);
                }
                element = tape.next(element);
            }
            None
        }
        _ => None,
    }
}
