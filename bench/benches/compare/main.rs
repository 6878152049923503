//! Parsing, comparing and encoding of states, each beside what others make of the same bytes.
//!
//! `cargo xtask bench --only compare`; one group alone: `cargo bench -p inspector-bench --features peers -- diff`.
#![expect(clippy::unwrap_used, reason = "a benchmark stops where something is wrong")]

mod diff;
mod encode;
mod parse;

use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};

fn settings() -> Criterion {
    Criterion::default()
        .sample_size(15)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_millis(1_500))
        .without_plots()
}

criterion_group! {
    name = compare;
    config = settings();
    targets = parse::group, diff::group, encode::group
}
criterion_main!(compare);
