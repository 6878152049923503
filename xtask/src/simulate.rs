//! `cargo xtask simulate`: the long forms of the simulations. The short ones are tests of `crates/store` and of the agent.

use std::process::Command;

use anyhow::ensure;

use crate::environment::{DJUST_VERSIONS, cargo, python, root, run};

const PARTS: [&str; 2] = ["store", "agent"];

/// Runs so many seeds of both parts, or of one, from `first` on; or one seed of the store alone, which prints each operation.
pub fn all(only: Option<&str>, seeds: u64, first: u64, seed: Option<u64>) -> anyhow::Result<()> {
    ensure!(only.is_none_or(|only| PARTS.contains(&only)), "there is no such part; parts are {}", PARTS.join(", "));
    if only != Some("agent") {
        store(seeds, first, seed)?;
    }
    if only != Some("store") && seed.is_none() {
        agent(seeds, first)?;
    }
    Ok(())
}

fn store(seeds: u64, first: u64, seed: Option<u64>) -> anyhow::Result<()> {
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

fn agent(seeds: u64, first: u64) -> anyhow::Result<()> {
    let mut command = Command::new(python(DJUST_VERSIONS[0])?);
    command.args(["-m", "simulation", "--seeds", &seeds.to_string(), "--first", &first.to_string()]);
    run(command.env("PYTHONPATH", root().join("agent/tests")))
}
