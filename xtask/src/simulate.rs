//! `cargo xtask simulate`: the long form of the store's simulation. The short form is a test of `crates/store`.

use crate::environment::{cargo, run};

/// Runs so many seeds from one on, as the store's users run it; or one seed alone, which says all that it does.
pub fn all(seeds: u64, first: u64, seed: Option<u64>) -> anyhow::Result<()> {
    let mut command = cargo();
    command.args(["test", "--release", "--package", "inspector-store", "--test", "simulation", "--"]);
    command.args(["--exact", "random_operations_with_faults_are_what_the_model_says", "--nocapture"]);
    match seed {
        Some(seed) => command.env("INSPECTOR_TEST_SEED", seed.to_string()),
        None => command.env("INSPECTOR_TEST_SEEDS", seeds.to_string()).env("INSPECTOR_TEST_FIRST", first.to_string()),
    };
    // Only what is optimised more is built anew.
    run(command.env("CARGO_PROFILE_RELEASE_LTO", "off"))
}
