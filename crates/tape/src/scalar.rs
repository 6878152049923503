//! Strings and numbers: where they end, whether they are valid, what they mean.

use std::borrow::Cow;

use crate::bytes::{common_prefix, plain_end};
use crate::error::ScanError;

/// Reads a string whose opening quote stands at `start`: the place after its closing quote, and whether it has escapes.
pub(crate) fn string_end(text: &[u8], start: usize) -> Result<(usize, bool), ScanError> {
    string_end_from(text, start, start + 1, false)
}

/// The same of a string of which everything before `at` is known to be valid, and whether there were escapes.
pub(crate) fn string_end_from(text: &[u8], start: usize, mut at: usize, mut escaped: bool) -> Result<(usize, bool), ScanError> {
    loop {
        at = plain_end(text, at);
        match text.get(at) {
            Some(b'"') => return Ok((at + 1, escaped)),
            Some(b'\\') => {
                escaped = true;
                at = escape_end(text, at)?;
            }
            Some(_) => return Err(ScanError::syntax("a control character in a string", at)),
            None => return Err(ScanError::syntax("a string without end", start)),
        }
    }
}

/// A place before `end` that is surely not inside an escape; `None` when it would take long to find one.
pub(crate) fn outside_escapes(string: &[u8], end: usize) -> Option<usize> {
    /// A pair of surrogates.
    const LONGEST_ESCAPE: usize = 12;
    const TRIES: usize = 16;
    (0..TRIES)
        .map_while(|tries| end.checked_sub(tries * LONGEST_ESCAPE))
        .find(|at| at.checked_sub(LONGEST_ESCAPE).and_then(|before| string.get(before..*at)).is_some_and(|before| !before.contains(&b'\\')))
}

/// Checks the escape at `at`. A surrogate must have its other half: alone it is no character.
fn escape_end(text: &[u8], at: usize) -> Result<usize, ScanError> {
    match text.get(at + 1) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 2),
        Some(b'u') => match unit(text, at) {
            None => Err(ScanError::syntax("an escape without four digits", at)),
            Some(0xd800..0xdc00) => match unit(text, at + 6) {
                Some(0xdc00..0xe000) => Ok(at + 12),
                _ => Err(ScanError::syntax("half a surrogate pair", at)),
            },
            Some(0xdc00..0xe000) => Err(ScanError::syntax("half a surrogate pair", at)),
            Some(_) => Ok(at + 6),
        },
        _ => Err(ScanError::syntax("an escape that JSON does not have", at)),
    }
}

/// The number of `\uXXXX` at `at`.
fn unit(text: &[u8], at: usize) -> Option<u16> {
    let digits = text.get(at..at + 6)?.strip_prefix(b"\\u")?;
    digits.iter().try_fold(0u16, |number, digit| Some(number << 4 | char::from(*digit).to_digit(16)? as u16))
}

/// Reads a number from `start` on.
pub(crate) fn number_end(text: &[u8], start: usize) -> Result<usize, ScanError> {
    let digits = |mut at: usize| {
        while text.get(at).is_some_and(u8::is_ascii_digit) {
            at += 1;
        }
        at
    };
    let mut at = start + usize::from(text.get(start) == Some(&b'-'));
    let whole = at;
    at = digits(at);
    if at == whole || (text[whole] == b'0' && at > whole + 1) {
        return Err(ScanError::syntax("no value", start));
    }
    if text.get(at) == Some(&b'.') {
        let fraction = at + 1;
        at = digits(fraction);
        if at == fraction {
            return Err(ScanError::syntax("a number without digits after its point", start));
        }
    }
    let exponent = at;
    if matches!(text.get(at), Some(b'e' | b'E')) {
        at += 1 + usize::from(matches!(text.get(at + 1), Some(b'+' | b'-')));
        let first = at;
        at = digits(at);
        if at == first {
            return Err(ScanError::syntax("a number without digits in its exponent", start));
        }
    }
    // Nothing shorter reaches the limit.
    if (at > exponent || at - start > 300) && !parse(&text[start..at]).is_some_and(f64::is_finite) {
        return Err(ScanError::syntax("a number beyond ±1.8e308", start));
    }
    Ok(at)
}

fn parse(number: &[u8]) -> Option<f64> {
    std::str::from_utf8(number).ok()?.parse().ok()
}

/// Whether two numbers are one value: whole ones only when spelled alike, so that no digit is lost.
pub(crate) fn same_number(a: &[u8], b: &[u8]) -> bool {
    let is_float = |number: &[u8]| number.iter().any(|byte| matches!(byte, b'.' | b'e' | b'E'));
    a == b || (is_float(a) && is_float(b) && parse(a).is_some_and(|a| parse(b) == Some(a)))
}

/// Whether two strings, given without their quotes, are one text.
pub(crate) fn same_text(a: &[u8], a_escaped: bool, b: &[u8], b_escaped: bool) -> bool {
    if a == b || !(a_escaped || b_escaped) {
        return a == b;
    }
    // Up to here both are the same in the same spelling; mostly the next character is another one.
    let from = boundary(a, common_prefix(a, b));
    Decoded::new(a, from).eq(Decoded::new(b, from))
}

/// The last place up to `end` that is not inside an escape.
fn boundary(inner: &[u8], end: usize) -> usize {
    // From the beginning only where nothing nearer is known: a text may be long, and its end differ.
    let mut at = outside_escapes(inner, end).unwrap_or(0);
    loop {
        at = plain_end(inner, at);
        if at >= end {
            return end;
        }
        let next = decode_escape(inner, at, &mut Vec::new());
        if next > end {
            return at;
        }
        at = next;
    }
}

/// The bytes of a string's characters.
struct Decoded<'a> {
    inner: &'a [u8],
    at: usize,
    escape: std::vec::IntoIter<u8>,
}

impl<'a> Decoded<'a> {
    fn new(inner: &'a [u8], at: usize) -> Self {
        Self { inner, at, escape: Vec::new().into_iter() }
    }
}

impl Iterator for Decoded<'_> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        if let Some(byte) = self.escape.next() {
            return Some(byte);
        }
        let byte = *self.inner.get(self.at)?;
        if byte != b'\\' {
            self.at += 1;
            return Some(byte);
        }
        let mut out = Vec::with_capacity(4);
        self.at = decode_escape(self.inner, self.at, &mut out);
        self.escape = out.into_iter();
        self.escape.next()
    }
}

/// The characters of a string, given without its quotes. Of a valid string nothing is lost.
pub fn decode_text(inner: &[u8]) -> Cow<'_, str> {
    if !inner.contains(&b'\\') {
        return String::from_utf8_lossy(inner);
    }
    let mut out = Vec::with_capacity(inner.len());
    let mut at = 0;
    while at < inner.len() {
        let plain = inner[at..].iter().position(|byte| *byte == b'\\').map_or(inner.len(), |n| at + n);
        out.extend_from_slice(&inner[at..plain]);
        at = plain;
        if at < inner.len() {
            at = decode_escape(inner, at, &mut out);
        }
    }
    Cow::Owned(String::from_utf8_lossy(&out).into_owned())
}

fn decode_escape(inner: &[u8], at: usize, out: &mut Vec<u8>) -> usize {
    let simple = match inner.get(at + 1) {
        Some(b'b') => 0x08,
        Some(b'f') => 0x0c,
        Some(b'n') => b'\n',
        Some(b'r') => b'\r',
        Some(b't') => b'\t',
        Some(b'u') => {
            let units = [unit(inner, at), unit(inner, at + 6)].into_iter().map_while(|unit| unit);
            let (character, width) = match char::decode_utf16(units).next() {
                Some(Ok(character)) => (character, 6 * character.len_utf16()),
                _ => (char::REPLACEMENT_CHARACTER, 6),
            };
            out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            return at + width;
        }
        Some(other) => *other,
        None => b'\\',
    };
    out.push(simple);
    at + 2
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn texts_are_the_same_in_any_spelling(
            text in "[ab\u{e9}\u{1F600}\n\\\\]{0,6}", other in "[ab\u{e9}\u{1F600}\n\\\\]{0,6}", spelling in any::<u16>(),
        ) {
            let spell = |text: &str, how: u16| {
                let mut out = String::new();
                for (nth, c) in text.chars().enumerate() {
                    if how >> (nth % 16) & 1 == 1 {
                        c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| write!(out, "\\u{unit:04x}").unwrap());
                    } else {
                        let quoted = serde_json::Value::from(c.to_string()).to_string();
                        out.push_str(&quoted[1..quoted.len() - 1]);
                    }
                }
                out
            };
            let (a, b) = (spell(&text, spelling), spell(&text, !spelling));
            prop_assert!(same_text(a.as_bytes(), true, b.as_bytes(), true));
            prop_assert_eq!(decode_text(a.as_bytes()), text.as_str());
            let c = spell(&other, spelling);
            prop_assert_eq!(same_text(a.as_bytes(), true, c.as_bytes(), true), text == other);
        }
    }
}
