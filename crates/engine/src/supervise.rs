//! `run`: a server process with the agent inside, which ends with whoever started it, and with it all that it started.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

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

/// How long what the server started may go on after it, when it was asked to end.
const REST_DEADLINE: Duration = Duration::from_secs(2);

/// How often it is looked whether it has ended.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A supervised server. Its output is the program's own. Dropping it kills it and all that it started.
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

    /// Asks it to end, and kills it if it has not within `deadline`; then the same for what it started and left behind.
    pub async fn end(&mut self, deadline: Duration) -> std::io::Result<ExitStatus> {
        self.terminate();
        let status = if let Ok(status) = tokio::time::timeout(deadline, self.wait()).await {
            status?
        } else {
            self.kill().await?;
            self.wait().await?
        };
        let begun = Instant::now();
        let mut rest = rest::of(&self.run);
        rest::terminate(&rest);
        while !rest.is_empty() && begun.elapsed() < REST_DEADLINE {
            tokio::time::sleep(LOOK_EVERY).await;
            rest = rest::of(&self.run);
        }
        rest::kill_all(&self.run);
        Ok(status)
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

impl Drop for Child {
    fn drop(&mut self) {
        // It may have ended already, and may have left something behind even so.
        let _ = self.process.start_kill();
        rest::kill_all(&self.run);
    }
}

/// The processes that a server started. All of them have the run's id in their environment, whoever their parent is by now.
#[cfg(target_os = "linux")]
mod rest {
    use inspector_protocol::RUN_VARIABLE;
    use rustix::process::{Pid, Signal, getpid, kill_process};

    /// So often it is looked for processes that were started while the others were killed.
    const ROUNDS: usize = 10;

    pub fn of(run: &str) -> Vec<Pid> {
        let Ok(all) = std::fs::read_dir("/proc") else { return Vec::new() };
        let wanted = format!("{RUN_VARIABLE}={run}");
        all.flatten()
            .filter_map(|entry| Pid::from_raw(entry.file_name().to_str()?.parse().ok()?))
            .filter(|pid| *pid != getpid())
            // One of another user, or that has ended, tells nothing.
            .filter(|pid| {
                let environment = std::fs::read(format!("/proc/{}/environ", pid.as_raw_nonzero())).unwrap_or_default();
                environment.split(|byte| *byte == 0).any(|variable| variable == wanted.as_bytes())
            })
            .collect()
    }

    pub fn terminate(rest: &[Pid]) {
        for pid in rest {
            let _ = kill_process(*pid, Signal::TERM);
        }
    }

    pub fn kill_all(run: &str) {
        for _ in 0..ROUNDS {
            let rest = of(run);
            if rest.is_empty() {
                return;
            }
            for pid in rest {
                let _ = kill_process(pid, Signal::KILL);
            }
        }
    }
}

/// Elsewhere nothing tells a process's environment: what a server started ends as the server sees to it.
#[cfg(not(target_os = "linux"))]
mod rest {
    pub fn of(_run: &str) -> Vec<()> {
        Vec::new()
    }

    pub fn terminate(_rest: &[()]) {}

    pub fn kill_all(_run: &str) {}
}
