//! From bytes to what people read: values, paths, hunks of texts, notes.

use std::time::{Duration, Instant};

use inspector_model::{Change, Diff, Note, Op, Path, Segment, Value, parse_value};
use inspector_tape::{Delta, RawChange, RawOp, Span};

use crate::{Options, text};

/// Strings up to this many bytes are read faster whole than as places.
const SHORT_TEXT: usize = 64;

/// Of a long string at least this part must be common, or it is another string.
const COMMON_PART: usize = 8;

/// A delta in words. The deadline is for looking into texts: the changes are known.
pub fn tell(delta: &Delta, options: &Options<'_>) -> Diff {
    let now = Instant::now();
    // A limit beyond what the system can represent is as good as a day.
    let end = now.checked_add(options.deadline).unwrap_or_else(|| now + Duration::from_hours(24));
    let mut cut_short = delta.cut_short;
    let changes = delta
        .changes
        .iter()
        .map(|change| {
            let path = delta.path(change.place);
            let op = op(delta, change, end, &mut cut_short);
            let note = note(&path, &op, options);
            Change { path, op, note }
        })
        .collect();
    Diff { changes, counts: delta.counts, cut_short }
}

fn op(delta: &Delta, change: &RawChange, end: Instant, cut_short: &mut bool) -> Op {
    let before = || value(delta.before().text(), change.before);
    let after = || value(delta.after().text(), change.after);
    match change.op {
        RawOp::Added => Op::Added(after()),
        RawOp::Removed => Op::Removed(before()),
        RawOp::Moved { from } => Op::Moved { from: from as usize },
        RawOp::Reordered { order } => {
            let order = &delta.orders[order as usize];
            let (places, order) = order.iter().map(|(place, from)| (*place as usize, *from as usize)).unzip();
            Op::Reordered { order, places }
        }
        RawOp::Changed => match (before(), after()) {
            (Value::Text(before), Value::Text(after)) if before.len() > SHORT_TEXT && after.len() > SHORT_TEXT => {
                let hunks = text::diff_text_until(&before, &after, end);
                *cut_short |= Instant::now() >= end;
                if text::common_bytes(&after, &hunks) * COMMON_PART >= before.len().max(after.len()) {
                    Op::Text { before, after, hunks }
                } else {
                    Op::Changed { before: Value::Text(before), after: Value::Text(after) }
                }
            }
            (before, after) => Op::Changed { before, after },
        },
    }
}

/// The value of a part of a document, which is one: the scan has seen it.
fn value(text: &str, span: Span) -> Value {
    parse_value(span.text(text)).unwrap_or(Value::Null)
}

fn note(path: &Path, op: &Op, options: &Options<'_>) -> Option<Note> {
    if let Some(Segment::Key(top)) = path.0.first() {
        if options.temporary_assigns.contains(top) {
            return Some(Note::TemporaryReset);
        }
        if options.static_assigns.contains(top) {
            return Some(Note::StaticAssign);
        }
    }
    match op {
        Op::Changed { before, after } if before.type_name() != after.type_name() => Some(Note::TypeChanged),
        _ => None,
    }
}
