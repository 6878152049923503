//! Differing places of two strings: equal ends away, then lines, then words inside the lines that differ.

use std::ops::Range;
use std::time::{Duration, Instant};

use inspector_model::TextHunk;
use inspector_tape::{common_prefix, common_suffix};
use similar::{Algorithm, DiffOp, capture_diff_slices_deadline};

/// The differing places, in order, on character boundaries. After the deadline they get coarser, never wrong.
pub fn diff_text(before: &str, after: &str, deadline: Duration) -> Vec<TextHunk> {
    let now = Instant::now();
    diff_text_until(before, after, now.checked_add(deadline).unwrap_or(now))
}

pub(crate) fn diff_text_until(before: &str, after: &str, end: Instant) -> Vec<TextHunk> {
    let mut hunks = Vec::new();
    let Some(window) = trim(before, after, 0..before.len(), 0..after.len()) else { return hunks };
    let lines = refine(before, after, &window, end, lines_of);
    for line_window in lines {
        for hunk in refine(before, after, &line_window, end, words_of) {
            push(&mut hunks, hunk);
        }
    }
    hunks
}

/// How many bytes two strings have in common, given their hunks.
pub(crate) fn common_bytes(after: &str, hunks: &[TextHunk]) -> usize {
    after.len() - hunks.iter().map(|hunk| hunk.after.len()).sum::<usize>()
}

/// Splits a window into the smaller windows that differ by tokens.
fn refine(before: &str, after: &str, window: &TextHunk, end: Instant, split: fn(&str) -> Vec<&str>) -> Vec<TextHunk> {
    if window.before.is_empty() || window.after.is_empty() {
        return vec![window.clone()];
    }
    let (old, new) = (split(&before[window.before.clone()]), split(&after[window.after.clone()]));
    let (old_at, new_at) = (offsets(&old, window.before.start), offsets(&new, window.after.start));
    let mut hunks = Vec::new();
    for op in capture_diff_slices_deadline(Algorithm::Myers, &old, &new, Some(end)) {
        let (old_range, new_range) = match op {
            DiffOp::Equal { .. } => continue,
            DiffOp::Delete { old_index, old_len, new_index } => (old_index..old_index + old_len, new_index..new_index),
            DiffOp::Insert { old_index, new_index, new_len } => (old_index..old_index, new_index..new_index + new_len),
            DiffOp::Replace { old_index, old_len, new_index, new_len } => (old_index..old_index + old_len, new_index..new_index + new_len),
        };
        let before_range = old_at[old_range.start]..old_at[old_range.end];
        let after_range = new_at[new_range.start]..new_at[new_range.end];
        if let Some(hunk) = trim(before, after, before_range, after_range) {
            push(&mut hunks, hunk);
        }
    }
    hunks
}

/// Adds a hunk, or widens the last one that it touches.
fn push(hunks: &mut Vec<TextHunk>, hunk: TextHunk) {
    if let Some(last) = hunks.last_mut()
        && last.before.end == hunk.before.start
        && last.after.end == hunk.after.start
    {
        last.before.end = hunk.before.end;
        last.after.end = hunk.after.end;
        return;
    }
    hunks.push(hunk);
}

/// Takes the equal beginning and end off. `None` when nothing differs.
fn trim(before: &str, after: &str, old: Range<usize>, new: Range<usize>) -> Option<TextHunk> {
    let (mut old, mut new) = (old, new);
    let (a, b) = (&before.as_bytes()[old.clone()], &after.as_bytes()[new.clone()]);
    let mut head = common_prefix(a, b);
    while !before.is_char_boundary(old.start + head) || !after.is_char_boundary(new.start + head) {
        head -= 1;
    }
    let mut tail = common_suffix(&a[head..], &b[head..]);
    while !before.is_char_boundary(old.end - tail) || !after.is_char_boundary(new.end - tail) {
        tail -= 1;
    }
    old = old.start + head..old.end - tail;
    new = new.start + head..new.end - tail;
    (!old.is_empty() || !new.is_empty()).then_some(TextHunk { before: old, after: new })
}

fn lines_of(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

/// Runs of letters and digits, runs of white space, and everything else alone.
fn words_of(text: &str) -> Vec<&str> {
    let class = |c: char| {
        if c.is_alphanumeric() || c == '_' {
            1
        } else if c.is_whitespace() {
            2
        } else {
            0
        }
    };
    let mut words = Vec::new();
    let mut start = 0;
    let mut last = None;
    for (at, c) in text.char_indices() {
        let this = class(c);
        if last.is_some_and(|last| last != this || this == 0) {
            words.push(&text[start..at]);
            start = at;
        }
        last = Some(this);
    }
    words.push(&text[start..]);
    words
}

/// Where each token begins, and at the end where the last one ends.
fn offsets(tokens: &[&str], start: usize) -> Vec<usize> {
    let mut at = start;
    let mut all = Vec::with_capacity(tokens.len() + 1);
    all.push(at);
    for token in tokens {
        at += token.len();
        all.push(at);
    }
    all
}
