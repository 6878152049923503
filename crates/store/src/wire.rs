//! Numbers and byte strings in a stream: LEB128 and a length before the bytes. Reading never trusts either.

use std::ops::Range;

pub(crate) fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push((number as u8 & 0x7f) | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// How many bytes [`put_number`] takes.
pub(crate) const fn number_len(number: u64) -> usize {
    (64 - (number | 1).leading_zeros() as usize).div_ceil(7)
}

pub(crate) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_number(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Reads from a place in `data` on. Every answer is `None` from the first thing that is not there.
pub(crate) struct Cursor<'a> {
    pub(crate) data: &'a [u8],
    pub(crate) at: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) const fn new(data: &'a [u8]) -> Self {
        Self { data, at: 0 }
    }

    pub(crate) const fn is_at_end(&self) -> bool {
        self.at >= self.data.len()
    }

    pub(crate) fn byte(&mut self) -> Option<u8> {
        let byte = *self.data.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    pub(crate) fn number(&mut self) -> Option<u64> {
        let mut number = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    pub(crate) fn take(&mut self, len: u64) -> Option<Range<usize>> {
        let end = self.at.checked_add(usize::try_from(len).ok()?)?;
        if end > self.data.len() {
            return None;
        }
        let range = self.at..end;
        self.at = end;
        Some(range)
    }

    /// A byte string, as its place in the data.
    pub(crate) fn range(&mut self) -> Option<Range<usize>> {
        let len = self.number()?;
        self.take(len)
    }

    /// A byte string.
    pub(crate) fn bytes(&mut self) -> Option<&'a [u8]> {
        let range = self.range()?;
        Some(&self.data[range])
    }

    pub(crate) fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.bytes()?).ok()
    }
}
