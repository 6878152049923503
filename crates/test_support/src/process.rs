//! A program with all its children, whose output is kept and which never outlives its test.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;

use parking_lot::Mutex;
use rustix::process::{Pid, Signal, kill_process_group};

use crate::TestError;

/// Lines of output that are kept; older ones are dropped.
const KEPT_LINES: usize = 5_000;
/// Lines that an error shows.
const SHOWN_LINES: usize = 60;

/// What a program printed so far, oldest line first. Clones share the lines.
#[derive(Clone, Debug, Default)]
pub struct Output(Arc<Mutex<VecDeque<String>>>);

impl Output {
    fn push(&self, line: String) {
        let mut lines = self.0.lock();
        if lines.len() == KEPT_LINES {
            lines.pop_front();
        }
        lines.push_back(line);
    }

    /// Everything that is kept.
    pub fn all(&self) -> String {
        self.0.lock().iter().fold(String::new(), |text, line| text + line + "\n")
    }

    /// The last lines, for an error.
    pub fn tail(&self) -> String {
        let lines = self.0.lock();
        lines.iter().skip(lines.len().saturating_sub(SHOWN_LINES)).fold(String::new(), |text, line| text + line + "\n")
    }
}

/// A running program at the head of a process group of its own.
///
/// The group matters: an autoreloading server and a browser are several processes, and killing the first one leaves the others.
#[derive(Debug)]
pub struct ProcessGroup {
    name: String,
    child: Child,
    ended: Option<ExitStatus>,
}

impl ProcessGroup {
    /// Starts `command`, and threads that collect what it prints into `output`.
    pub fn spawn(name: &str, command: &mut Command, output: &Output) -> Result<Self, TestError> {
        let mut child = command
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(TestError::io(format!("cannot start {name}")))?;
        let stdout = child.stdout.take();
        let stderr = child.stderr.take();
        let group = Self { name: name.to_owned(), child, ended: None };
        if let Some(stream) = stdout {
            collect(name, stream, output.clone())?;
        }
        if let Some(stream) = stderr {
            collect(name, stream, output.clone())?;
        }
        Ok(group)
    }

    /// The id of the first process, which is also the group's.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The exit status once the first process has ended.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        if self.ended.is_none() {
            self.ended = self.child.try_wait().ok().flatten();
        }
        self.ended
    }

    /// Fails when the program has ended, with the end of its output.
    pub fn expect_running(&mut self, output: &Output) -> Result<(), TestError> {
        match self.ended() {
            None => Ok(()),
            Some(status) => Err(TestError::Ended { program: self.name.clone(), status: status.to_string(), output: output.tail() }),
        }
    }

    /// Sends a signal to every process of the group. A group that is gone is fine.
    pub fn signal(&self, signal: Signal) {
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            kill_process_group(pid, signal).ok();
        }
    }

    /// Kills the whole group and waits until its first process is gone.
    pub fn kill(&mut self) {
        self.signal(Signal::KILL);
        if self.ended.is_none() {
            self.ended = self.child.wait().ok();
        }
    }
}

impl Drop for ProcessGroup {
    fn drop(&mut self) {
        self.kill();
    }
}

fn collect(name: &str, stream: impl Read + Send + 'static, output: Output) -> Result<(), TestError> {
    std::thread::Builder::new()
        .name(format!("{name} output"))
        .spawn(move || {
            let mut reader = BufReader::new(stream);
            let mut line = Vec::new();
            while reader.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
                output.push(String::from_utf8_lossy(&line).trim_end().to_owned());
                line.clear();
            }
        })
        .map(|_| ())
        .map_err(TestError::io("cannot start a thread"))
}
