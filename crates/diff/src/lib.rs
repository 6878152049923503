//! Two states in, a drawable diff out, within a deadline.
//!
//! Pure: no IO and no threads. [`diff()`] finds the changes, [`apply`] carries them out again; that
//! `apply(before, diff(before, after)) == after` is the law that the tests hold both to. Start at `walk.rs`; `list.rs`
//! decides which list elements are the same, `text.rs` looks into long strings.

mod apply;
mod clock;
mod identity;
mod list;
mod text;
mod walk;

use std::time::Duration;

use inspector_model::{Diff, Value};

pub use apply::{ApplyError, apply};
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

/// What differs from `before` to `after`.
///
/// Keys of maps have no order here: a map whose keys only stand in another order has not changed. A key that occurs
/// twice makes its map a value of its own, which is changed whole.
pub fn diff(before: &Value, after: &Value, options: &Options<'_>) -> Diff {
    walk::run(before, after, options)
}
