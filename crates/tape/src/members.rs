//! A look at the members of an object straight from the bytes of a scanned text, for when only a few are needed.

use crate::bytes::{plain_end, skip_space};
use crate::delta::Span;

/// The members of the object that begins at `start`, in order: key with its quotes, and value.
pub(crate) fn members(text: &[u8], start: usize) -> impl Iterator<Item = (Span, Span)> {
    let mut at = start + 1;
    std::iter::from_fn(move || {
        let key = separated(text, at, b'}')?;
        let key_end = value_end(text, key);
        let value = skip_space(text, skip_space(text, key_end) + 1);
        at = value_end(text, value);
        Some((Span::new(key, key_end), Span::new(value, at)))
    })
}

/// The elements of the list that begins at `start`, in order.
pub(crate) fn elements(text: &[u8], start: usize) -> impl Iterator<Item = Span> {
    let mut at = start + 1;
    std::iter::from_fn(move || {
        let element = separated(text, at, b']')?;
        at = value_end(text, element);
        Some(Span::new(element, at))
    })
}

/// Where the next part begins: after white space and a comma. `None` at the end.
fn separated(text: &[u8], at: usize, end: u8) -> Option<usize> {
    let mut at = skip_space(text, at);
    if text.get(at) == Some(&b',') {
        at = skip_space(text, at + 1);
    }
    text.get(at).is_some_and(|byte| *byte != end).then_some(at)
}

/// Where a valid value ends.
fn value_end(text: &[u8], start: usize) -> usize {
    let mut depth = 0usize;
    let mut at = start;
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => at = string_end(text, at),
            b'{' | b'[' => {
                depth += 1;
                at += 1;
            }
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                at += 1;
            }
            b',' | b':' | b' ' | b'\n' | b'\r' | b'\t' => {
                at += 1;
                continue;
            }
            _ => {
                at += text[at..]
                    .iter()
                    .position(|byte| matches!(byte, b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t'))
                    .unwrap_or(text.len() - at);
            }
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn string_end(text: &[u8], start: usize) -> usize {
    let mut at = plain_end(text, start + 1);
    while text.get(at) == Some(&b'\\') {
        at = plain_end(text, (at + 2).min(text.len()));
    }
    (at + 1).min(text.len())
}
