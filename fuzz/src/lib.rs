//! Hostile input, put to everything that reads what comes from outside.
//!
//! Each [`Target`] is a plain function that takes any bytes and panics when a promise is broken. `tests/short.rs` runs all of them
//! over the corpus and over seeded changes of it, and counts their memory; `cargo xtask fuzz` runs one for long, led by what of
//! the code it reaches. Both change inputs with [`Target::changed`], which knows how frames, recordings and states are made.
//!
//! What was found is kept: an input that broke something lies in `corpus/`, beside those that are there to begin with.

#![allow(clippy::expect_used, clippy::panic, reason = "a panic is how a target says that something is wrong")]

mod change;
mod look;
mod recording_file;
mod targets;

pub use targets::{TARGETS, Target, target};

/// One program of cargo-fuzz: a target by its name, with half of the changes our own.
#[cfg(feature = "libfuzzer")]
#[macro_export]
macro_rules! libfuzzer {
    ($name:literal) => {
        libfuzzer_sys::fuzz_target!(|data: &[u8]| {
            let target = $crate::target($name).expect("it is in the list");
            (target.run)(data);
        });

        libfuzzer_sys::fuzz_mutator!(|data: &mut [u8], size: usize, most: usize, seed: u32| {
            if seed % 2 == 0 {
                return libfuzzer_sys::fuzzer_mutate(data, size, most);
            }
            let target = $crate::target($name).expect("it is in the list");
            let changed = target.changed(&data[..size], &[], u64::from(seed));
            let len = changed.len().min(most);
            data[..len].copy_from_slice(&changed[..len]);
            len
        });
    };
}
