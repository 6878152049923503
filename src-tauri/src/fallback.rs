//! The way out when a webview does not draw: the native program, which needs none.

use std::path::PathBuf;
use std::process::Command;

use crate::arguments::{Wish, native};
use inspector_engine::Places;

/// Why the native program was not started.
#[derive(Debug, thiserror::Error)]
pub enum FallbackError {
    /// It is not where it should be.
    #[error("the native program is not beside this one; install it, or start it by hand: {0}")]
    NotFound(PathBuf),
    /// It is there and does not start.
    #[error("the native program could not be started: {0}")]
    Start(#[from] std::io::Error),
}

/// The native program beside this one.
pub fn program() -> Result<PathBuf, FallbackError> {
    let here = std::env::current_exe()?;
    let name = if cfg!(windows) { "djust-inspector.exe" } else { "djust-inspector" };
    let beside = here.with_file_name(name);
    // In an app bundle of macOS it is among the resources: `Contents/MacOS/…` and `Contents/Resources/…`.
    let resource = here.with_file_name("../Resources").join(name);
    let found = [&beside, &resource].into_iter().find(|program| program.is_file()).cloned();
    found.ok_or(FallbackError::NotFound(beside))
}

/// The native program, asked for the same as this one was.
pub fn command(program: PathBuf, wish: &Wish, places: &Places) -> Command {
    let mut command = Command::new(program);
    command.args(native(wish, places));
    if let Wish::Attach { token: Some(token), .. } = wish {
        command.env("DJUST_INSPECTOR_TOKEN", token);
    }
    command
}

/// Puts the native program in the place of this one, with its terminal and its process id. Returns only when that failed.
///
/// The engine must have been shut down: both use the same library.
#[cfg(unix)]
pub fn replace(mut command: Command) -> FallbackError {
    use std::os::unix::process::CommandExt as _;
    FallbackError::Start(command.exec())
}

/// Starts the native program and ends this one with it. Returns only when that failed.
#[cfg(not(unix))]
pub fn replace(mut command: Command) -> FallbackError {
    match command.status() {
        Ok(status) => std::process::exit(status.code().unwrap_or(1)),
        Err(error) => FallbackError::Start(error),
    }
}
