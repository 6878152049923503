//! Two sequences of steps beside each other, and what is left out when their states are compared.

use serde::{Deserialize, Serialize};

use crate::{Change, ChangeCounts, Diff, Kind, Op, Side, SourceId, StepId, Stream, Value};

/// A view of a page of a source.
pub type SourceStream = (SourceId, Stream);

/// One end of a step of a source.
pub type SourceEnd = (SourceId, StepId, Side);

/// How the steps of two views stand to each other: every step of both occurs once, each side in its order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comparison {
    /// Pairs, and steps that only one side has.
    pub rows: Vec<CompareRow>,
    /// Whether parameters were looked at; there was no time for those of very long sequences.
    pub by_params: bool,
    /// Time was up before the best alignment was found: there may be fewer pairs than there could be.
    pub cut_short: bool,
    /// Steps of each side that were left out because there are too many.
    pub left_out: (u64, u64),
}

/// One row of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CompareRow {
    /// The same thing happened on both sides.
    Pair {
        /// Left.
        left: StepId,
        /// Right.
        right: StepId,
        /// Whether it was called with the same parameters, as far as they were looked at.
        same_params: bool,
    },
    /// It happened on the left only.
    Left(StepId),
    /// It happened on the right only.
    Right(StepId),
}

/// What differs between the states after the two steps of a pair.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PairStates {
    /// Differences that count.
    pub counts: ChangeCounts,
    /// Differences that were expected, and do not count.
    pub ignored: u32,
    /// The first differing paths that count, at most [`PairStates::MOST_PATHS`].
    pub paths: Vec<String>,
    /// Why the states could not be compared.
    pub missing: Option<String>,
}

impl PairStates {
    /// How many paths are named.
    pub const MOST_PATHS: usize = 8;
}

/// Differences that are expected between two runs: they are counted apart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ignore {
    /// Patterns of paths, and of all that is inside: `*` stands for anything, a leading `*.` also for nothing. `*.updated_at`.
    pub paths: Vec<String>,
    /// Leave out values that are another time, uuid or token of the same form.
    pub times_and_ids: bool,
}

impl Ignore {
    /// Takes what is expected out of a diff, and says how much that was.
    pub fn apply(&self, diff: &mut Diff) -> u32 {
        if self.paths.is_empty() && !self.times_and_ids {
            return 0;
        }
        let before = diff.changes.len();
        let counts = &mut diff.counts;
        diff.changes.retain(|change| {
            let expected = self.expects(change);
            if expected {
                let count = match change.op {
                    Op::Added(_) => &mut counts.added,
                    Op::Removed(_) => &mut counts.removed,
                    Op::Changed { .. } | Op::Text { .. } => &mut counts.changed,
                    Op::Moved { .. } | Op::Reordered { .. } => &mut counts.moved,
                };
                *count = count.saturating_sub(1);
            }
            !expected
        });
        (before - diff.changes.len()) as u32
    }

    /// Whether a change is expected.
    pub fn expects(&self, change: &Change) -> bool {
        self.covers(&change.path.to_string()) || (self.times_and_ids && is_other_of_same_form(&change.op))
    }

    /// Whether a pattern covers a path or one of its parents.
    fn covers(&self, path: &str) -> bool {
        self.paths.iter().map(|pattern| pattern.trim()).filter(|pattern| !pattern.is_empty()).any(|pattern| {
            let anywhere = pattern.strip_prefix("*.").is_some_and(|rest| covers(rest, path));
            anywhere || covers(pattern, path)
        })
    }
}

/// Whether a pattern fits a whole path, or one of its parents.
fn covers(pattern: &str, path: &str) -> bool {
    let ends = path.char_indices().filter(|(_, c)| matches!(c, '.' | '[')).map(|(at, _)| at).filter(|at| *at > 0);
    ends.chain([path.len()]).any(|end| fits(pattern.as_bytes(), &path.as_bytes()[..end]))
}

/// `*` stands for anything. Goes back to the last star only: no pattern takes longer than its length times the text's.
fn fits(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        if pattern.get(p) == Some(&b'*') {
            star = Some((p, t));
            p += 1;
        } else if pattern.get(p) == Some(&text[t]) {
            p += 1;
            t += 1;
        } else if let Some((at, upto)) = star {
            star = Some((at, upto + 1));
            p = at + 1;
            t = upto + 1;
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

fn is_other_of_same_form(op: &Op) -> bool {
    match op {
        Op::Changed { before: Value::Text(before), after: Value::Text(after) } | Op::Text { before, after, .. } => {
            form(before).is_some_and(|before| Some(before) == form(after))
        }
        Op::Changed { before: Value::Typed { kind: before, .. }, after: Value::Typed { kind: after, .. } } => {
            before == after && matches!(before, Kind::DateTime | Kind::Date | Kind::Time | Kind::Uuid)
        }
        _ => false,
    }
}

/// Texts that are another one in each run.
#[derive(PartialEq, Eq)]
enum Form {
    Time,
    Uuid,
    /// A key of so many letters and digits, as of CSRF protection.
    Token(usize),
}

fn form(text: &str) -> Option<Form> {
    let bytes = text.as_bytes();
    let looks_like = |pattern: &str| {
        bytes.len() >= pattern.len()
            && pattern.bytes().zip(bytes).all(|(wanted, byte)| match wanted {
                b'9' => byte.is_ascii_digit(),
                b'x' => byte.is_ascii_hexdigit(),
                b'T' => matches!(byte, b'T' | b' '),
                other => other == *byte,
            })
    };
    let uuid = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    if bytes.len() == uuid.len() && looks_like(uuid) {
        return Some(Form::Uuid);
    }
    if bytes.len() <= 40 && (looks_like("9999-99-99T99:99") || (bytes.len() == 10 && looks_like("9999-99-99"))) {
        return Some(Form::Time);
    }
    let token = (32..=128).contains(&bytes.len())
        && bytes.iter().all(u8::is_ascii_alphanumeric)
        && bytes.iter().any(u8::is_ascii_digit)
        && bytes.iter().any(u8::is_ascii_alphabetic);
    token.then_some(Form::Token(bytes.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Path, Segment, parse_value};

    fn ignore(paths: &[&str]) -> Ignore {
        Ignore { paths: paths.iter().map(ToString::to_string).collect(), times_and_ids: false }
    }

    #[test]
    fn a_pattern_covers_a_path_and_what_is_in_it() {
        let covered = |pattern: &str, path: &str| ignore(&[pattern]).covers(path);
        assert!(covered("*.updated_at", "orders[3].updated_at"));
        assert!(covered("*.updated_at", "updated_at"), "at the top as well");
        assert!(covered("orders", "orders[3].id"), "what is inside");
        assert!(covered("orders[*].id", "orders[31].id"));
        assert!(covered("*csrf*", "form.csrf_token"));
        assert!(!covered("orders", "orders_total"), "another name");
        assert!(!covered("*.updated_at", "orders[3].updated_at_all"));
        assert!(!covered("", "orders"), "an empty line is no rule");
        assert!(!covered("*a*a*a*a*a*a*a*b", &"a".repeat(20_000)));
    }

    #[test]
    fn other_times_and_ids_of_the_same_form_are_expected() {
        let change = |key: &str, before: &str, after: &str| Change {
            path: Path(vec![Segment::Key(key.into())]),
            op: Op::Changed { before: parse_value(before).unwrap(), after: parse_value(after).unwrap() },
            note: None,
        };
        let expected = [
            change("at", r#"{"$t":"datetime","v":"2026-11-23T12:00:00"}"#, r#"{"$t":"datetime","v":"2026-11-24T09:00:00"}"#),
            change("iso", r#""2026-11-23 12:00:01""#, r#""2026-11-23T12:00:02.5+00:00""#),
            change("uuid", r#""0f8fad5b-d9cb-469f-a165-70867728950e""#, r#""7c9e6679-7425-40de-944b-e07fc1f90ae7""#),
            change("csrf", &format!("\"{}\"", "a1B2".repeat(16)), &format!("\"{}\"", "Zz09".repeat(16))),
        ];
        let counted = [
            change("at", r#"{"$t":"datetime","v":"2026-11-23T12:00:00"}"#, "null"),
            change("name", r#""2026 was a year""#, r#""2027 was a year""#),
            change("id", "1", "2"),
            change("token", &format!("\"{}\"", "a1".repeat(16)), &format!("\"{}\"", "a1".repeat(32))),
        ];
        let changes: Vec<Change> = expected.iter().chain(&counted).cloned().collect();
        let mut diff = Diff { counts: ChangeCounts { changed: 8, ..ChangeCounts::default() }, changes, cut_short: false };
        assert_eq!(Ignore { times_and_ids: true, ..Ignore::default() }.apply(&mut diff), 4);
        assert_eq!((diff.changes, diff.counts.total()), (counted.to_vec(), 4));
    }

    #[test]
    fn what_is_ignored_is_counted_by_its_sort() {
        let path = |key: &str| Path(vec![Segment::Key(key.into())]);
        let changes = vec![
            Change { path: path("a"), op: Op::Added(Value::Null), note: None },
            Change { path: path("b"), op: Op::Reordered { order: vec![1, 0], places: vec![0, 1] }, note: None },
            Change { path: path("c"), op: Op::Removed(Value::Null), note: None },
        ];
        let counts = ChangeCounts { added: 1, removed: 1, moved: 1, changed: 0 };
        let mut diff = Diff { changes, counts, cut_short: false };
        assert_eq!(ignore(&["a", "b"]).apply(&mut diff), 2);
        assert_eq!(diff.counts, ChangeCounts { removed: 1, ..ChangeCounts::default() });
    }
}
