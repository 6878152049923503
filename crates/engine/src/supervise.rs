//! `run`: a server process with the agent inside.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitStatus;

use inspector_model::Secret;
use inspector_protocol::{RUN_VARIABLE, TOKEN_VARIABLE};
use uuid::Uuid;

use crate::{EngineError, Target};

/// The environment's variable with the library's passphrase.
pub const PASSPHRASE_VARIABLE: &str = "DJUST_INSPECTOR_PASSPHRASE";
/// And with the one that it shall have.
pub const NEW_PASSPHRASE_VARIABLE: &str = "DJUST_INSPECTOR_NEW_PASSPHRASE";

/// The passphrase in one of these variables, if there is one.
pub fn passphrase_from(variable: &str) -> Option<Secret> {
    std::env::var(variable).ok().filter(|text| !text.is_empty()).map(Secret::from)
}

/// A supervised server. Its output is the program's own.
pub struct Child {
    process: tokio::process::Child,
    run: String,
}

/// Starts `command` with the agent in `inject` first on `PYTHONPATH`, a fresh token and a fresh run id in its environment.
pub fn supervise(command: &[OsString], inject: &Path) -> Result<Child, EngineError> {
    let program = command.first().cloned().unwrap_or_default();
    let run = Uuid::new_v4().to_string();
    // Two random UUIDs: 244 random bits.
    let token = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
    let mut python_path = vec![inject.to_owned()];
    if let Some(existing) = std::env::var_os("PYTHONPATH").filter(|existing| !existing.is_empty()) {
        python_path.extend(std::env::split_paths(&existing));
    }
    let python_path = std::env::join_paths(python_path)
        .map_err(|error| EngineError::Spawn { program: "PYTHONPATH".into(), source: std::io::Error::other(error) })?;
    let mut process = tokio::process::Command::new(&program);
    process
        .args(command.get(1..).unwrap_or_default())
        .env("PYTHONPATH", python_path)
        .env(TOKEN_VARIABLE, token)
        .env(RUN_VARIABLE, &run)
        // What is recorded of the server must not be opened by it.
        .env_remove(PASSPHRASE_VARIABLE)
        .env_remove(NEW_PASSPHRASE_VARIABLE)
        .kill_on_drop(true);
    let process = process.spawn().map_err(|source| EngineError::Spawn { program: program.to_string_lossy().into_owned(), source })?;
    Ok(Child { process, run })
}

impl Child {
    /// How to attach to it, through all its reloads.
    pub fn target(&self) -> Target {
        Target::Run(self.run.clone())
    }

    /// Waits for its end.
    pub async fn wait(&mut self) -> std::io::Result<ExitStatus> {
        self.process.wait().await
    }

    /// Ends it at once.
    pub async fn kill(&mut self) -> std::io::Result<()> {
        self.process.kill().await
    }

    /// Passes a termination signal on, so that the server can shut down in its own way.
    #[cfg(unix)]
    pub fn terminate(&mut self) {
        if let Some(pid) = self.process.id().and_then(|pid| i32::try_from(pid).ok()).and_then(rustix::process::Pid::from_raw) {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
    }

    /// Ends it: there is no softer way here.
    #[cfg(not(unix))]
    pub fn terminate(&mut self) {
        let _ = self.process.start_kill();
    }
}
