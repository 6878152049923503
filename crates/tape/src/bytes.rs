//! Where byte strings begin to differ, and where JSON strings and numbers end.

/// Bytes that two strings have in common at their beginning.
pub fn common_prefix(a: &[u8], b: &[u8]) -> usize {
    // Comparing slices is a call of memcmp, the fastest there is; the blocks shrink until the place is found.
    let mut at = 0;
    for block in [4096, 256, 32] {
        while let (Some(x), Some(y)) = (a.get(at..at + block), b.get(at..at + block)) {
            if x != y {
                break;
            }
            at += block;
        }
    }
    at + a[at..].iter().zip(&b[at..]).take_while(|(x, y)| x == y).count()
}

/// Bytes that two strings have in common at their end.
pub fn common_suffix(a: &[u8], b: &[u8]) -> usize {
    let mut len = 0;
    let shorter = a.len().min(b.len());
    for block in [4096, 256, 32] {
        while len + block <= shorter && a[a.len() - len - block..a.len() - len] == b[b.len() - len - block..b.len() - len] {
            len += block;
        }
    }
    len + a[..a.len() - len].iter().rev().zip(b[..b.len() - len].iter().rev()).take_while(|(x, y)| x == y).count()
}

const fn repeat(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

/// Marks, by their high bit, bytes that end a run of plain characters: a quote, a backslash, a control character. Marks
/// above the first one may be wrong: subtraction borrows upwards.
const fn special(word: u64) -> u64 {
    let quote = word ^ repeat(b'"');
    let slash = word ^ repeat(b'\\');
    let ones = repeat(0x01);
    let is_quote = quote.wrapping_sub(ones) & !quote;
    let is_slash = slash.wrapping_sub(ones) & !slash;
    let is_control = word.wrapping_sub(repeat(0x20)) & !word;
    (is_quote | is_slash | is_control) & repeat(0x80)
}

/// The place of the first quote, backslash or control character from `at` on; the end if there is none.
pub(crate) fn plain_end(text: &[u8], mut at: usize) -> usize {
    // Four words at once for long texts; which of them it is matters only in the end.
    while let Some(block) = text.get(at..).and_then(<[u8]>::first_chunk::<32>) {
        let (words, _) = block.as_chunks::<8>();
        if words.iter().fold(0, |marks, word| marks | special(u64::from_le_bytes(*word))) != 0 {
            break;
        }
        at += 32;
    }
    while let Some(word) = text.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        let marks = special(u64::from_le_bytes(*word));
        if marks != 0 {
            return at + marks.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    while at < text.len() && !matches!(text[at], b'"' | b'\\' | 0..0x20) {
        at += 1;
    }
    at
}

/// Where white space ends.
pub(crate) fn skip_space(text: &[u8], mut at: usize) -> usize {
    while matches!(text.get(at), Some(b' ' | b'\n' | b'\t' | b'\r')) {
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn common_ends_are_those_that_counting_finds(mut a in proptest::collection::vec(0u8..3, 0..700), edit in 0usize..700) {
            let mut b = a.clone();
            if let Some(byte) = b.get_mut(edit) { *byte = 9 }
            prop_assert_eq!(common_prefix(&a, &b), a.iter().zip(&b).take_while(|(x, y)| x == y).count());
            prop_assert_eq!(common_suffix(&a, &b), a.iter().rev().zip(b.iter().rev()).take_while(|(x, y)| x == y).count());
            a.truncate(edit);
            prop_assert_eq!(common_prefix(&a, &b), a.len().min(edit));
        }

        #[test]
        fn the_end_of_plain_characters_is_the_first_special_one(text in proptest::collection::vec(any::<u8>(), 0..60), from in 0usize..60) {
            let from = from.min(text.len());
            let found = text[from..].iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20)).map_or(text.len(), |n| from + n);
            prop_assert_eq!(plain_end(&text, from), found);
        }
    }
}
