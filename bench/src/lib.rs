//! What recording, reading and comparing cost, beside other tools and beside what the machine can do, in the same run.
//!
//! Without the feature `peers` this is the generated data, the recording of it and the coarse test in `tests/`; with it come the
//! program `inspector-bench`, one subcommand per group of figures, and the criterion benchmarks in `benches/`. All of it is run by
//! `cargo xtask bench`. `docs/PERFORMANCE.md` has the figures of a run and says how to read them.

pub mod clock;
pub mod corpora;
pub mod record;

#[cfg(feature = "peers")]
pub mod chain;
#[cfg(feature = "peers")]
pub mod measure;
#[cfg(feature = "peers")]
pub mod pairs;
