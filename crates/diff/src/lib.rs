//! Two states in, a drawable diff out, within a deadline.
//!
//! Pure: no IO and no threads. What differs is found by `inspector-tape` on the texts of the states; [`tell`] makes values,
//! paths and hunks of it, and [`apply`] carries a diff out again; that `apply(before, diff(before, after)) == after` is the
//! law that the tests hold all of them to. `text.rs` looks into long strings. [`align`] puts the steps of two sequences beside each
//! other.

mod align;
mod apply;
mod tell;
mod text;

use std::sync::Arc;
use std::time::{Duration, Instant};

use inspector_model::{Change, ChangeCounts, Diff, Op, Path, Value};
use inspector_tape::Document;

pub use align::{Aligned, Alignment, StepKey, align};
pub use apply::{ApplyError, apply};
pub use tell::tell;
pub use text::diff_text;

/// How to compare.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// How long to look. What is not finished then is reported as changed whole, and [`Diff::cut_short`] says so.
    pub deadline: Duration,
    /// Top-level keys that djust resets after each render.
    pub temporary_assigns: &'a [String],
    /// Top-level keys that djust sends to the renderer only once.
    pub static_assigns: &'a [String],
}

impl Default for Options<'_> {
    fn default() -> Self {
        Self { deadline: Duration::from_millis(20), temporary_assigns: &[], static_assigns: &[] }
    }
}

/// What differs from one state to another.
///
/// Keys of maps have no order here: a map whose keys only stand in another order has not changed. A key that occurs
/// twice makes its map a value of its own, which is changed whole.
pub fn diff_documents(before: &Arc<Document>, after: &Arc<Document>, options: &Options<'_>) -> Diff {
    let start = Instant::now();
    let delta = inspector_tape::compare(before, after, options.deadline);
    tell(&delta, &Options { deadline: options.deadline.saturating_sub(start.elapsed()), ..*options })
}

/// The same for who has values. Two that are nested too deeply for a document are compared whole.
pub fn diff(before: &Value, after: &Value, options: &Options<'_>) -> Diff {
    let document = |value: &Value| Document::new(value.to_json().into()).map(Arc::new);
    match (document(before), document(after)) {
        (Ok(before), Ok(after)) => diff_documents(&before, &after, options),
        _ if before == after => Diff::default(),
        _ => Diff {
            changes: vec![Change { path: Path::default(), op: Op::Changed { before: before.clone(), after: after.clone() }, note: None }],
            counts: ChangeCounts { changed: 1, ..ChangeCounts::default() },
            cut_short: true,
        },
    }
}
