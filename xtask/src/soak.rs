//! `cargo xtask soak`: long and heavy use in some minutes, and what it does to the inspector and to a real server.

use std::process::Command;

use crate::environment::{DJUST_VERSIONS, cargo, executable, python, run, target};

/// Builds the soak as users run the program, and runs it for so many minutes a part.
pub fn all(minutes: f64, only: Option<&str>) -> anyhow::Result<()> {
    // The real server needs it.
    python(DJUST_VERSIONS[0])?;
    run(cargo().args(["build", "--release", "--package", "inspector-soak"]))?;
    let mut command = Command::new(executable(&target().join("release"), "inspector-soak"));
    command.args(["--minutes", &minutes.to_string()]);
    if let Some(only) = only {
        command.args(["--only", only]);
    }
    run(&mut command)
}
