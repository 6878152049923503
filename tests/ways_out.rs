//! However the program ends, the server that it started ends with it, and what that started.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test stops where something is wrong")]

use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

const DEADLINE: Duration = Duration::from_mins(1);

/// The program with a server of a shell and two children.
struct Run {
    program: Child,
    mark: String,
    _home: tempfile::TempDir,
}

impl Run {
    fn start(arguments: &[&str]) -> Self {
        let home = tempfile::tempdir().unwrap();
        let mark = format!("WAYS_OUT={}", home.path().display());
        let program = Command::new(env!("CARGO_BIN_EXE_djust-inspector"))
            .args(arguments)
            .args(["--", "sh", "-c", "sleep 1000 & sleep 1000 & wait"])
            .env("HOME", home.path())
            .env("XDG_CACHE_HOME", home.path().join("cache"))
            .env("DJUST_INSPECTOR_DATA_DIR", home.path().join("data"))
            .env("DJUST_INSPECTOR_RUNTIME_DIR", home.path().join("runtime"))
            .env("WAYS_OUT", home.path())
            .env_remove("DISPLAY")
            .env_remove("WAYLAND_DISPLAY")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { program, mark, _home: home }
    }

    /// What it started and what runs.
    fn others(&self) -> Vec<u32> {
        let all = std::fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        let has_it = |pid: &u32| {
            let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            *pid != self.program.id() && environment.split(|byte| *byte == 0).any(|variable| variable == self.mark.as_bytes())
        };
        all.filter(has_it).collect()
    }

    fn until(&mut self, what: &str, mut is_so: impl FnMut(&mut Self) -> bool) {
        let end = Instant::now() + DEADLINE;
        while !is_so(self) {
            assert!(Instant::now() < end, "never: {what}");
            std::thread::park_timeout(Duration::from_millis(10));
        }
    }

    fn runs(&mut self) {
        self.until("the server and its children", |run| run.others().len() >= 3);
    }

    fn ended(&mut self) -> ExitStatus {
        let mut status = None;
        self.until("the end of the program", |run| {
            status = run.program.try_wait().unwrap();
            status.is_some()
        });
        status.unwrap()
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.program.kill().ok();
        for pid in self.others() {
            if let Some(pid) = pid.try_into().ok().and_then(Pid::from_raw) {
                kill_process(pid, Signal::KILL).ok();
            }
        }
    }
}

#[test]
fn a_signal_ends_the_server_and_its_children() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let mut run = Run::start(&["record"]);
        run.runs();
        kill_process(Pid::from_raw(run.program.id().try_into().unwrap()).unwrap(), signal).unwrap();
        run.ended();
        assert_eq!(run.others(), [0; 0], "{signal:?}");
    }
}

#[test]
fn an_error_after_the_start_ends_the_server_and_its_children() {
    // There is no display for a window.
    let mut run = Run::start(&["run"]);
    assert!(!run.ended().success());
    assert_eq!(run.others(), [0; 0]);
}
