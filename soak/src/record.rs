//! The inspector of a measurement: a process of its own with the real engine and a window that takes in all it is told.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use inspector_engine::{Engine, Settings, Target};
use inspector_model::{Handle as _, Notice, SourceState, StepKind};
use serde::{Deserialize, Serialize};

use crate::memory::resident;

/// How often it says how far it is.
const TELL_EVERY: Duration = Duration::from_millis(250);

/// Steps that the window takes at a time.
const STEPS: usize = 10_000;

/// Steps of the library that are read at a time.
const READ: u64 = 50_000;

/// How far an inspector is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Attached now.
    pub attached: bool,
    /// Steps, and those of them that are events.
    pub steps: u64,
    /// See there.
    pub events: u64,
    /// What the agent or the recorder could not take, as told.
    pub dropped: u64,
    /// Pages ever seen.
    pub pages: u64,
    /// Resident memory, bytes.
    pub memory: u64,
}

/// A running inspector. It ends with this.
pub struct Inspector {
    child: Child,
    input: Option<ChildStdin>,
    told: Receiver<Progress>,
    /// What it said last.
    pub last: Progress,
}

impl Inspector {
    /// Starts `program`, which calls [`run`] when its first argument is `record`.
    pub fn start(program: &Path, url: &str, token: &str, library: &Path) -> anyhow::Result<Self> {
        let mut command = Command::new(program);
        command.args(["record", url, token]).arg(library).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().with_context(|| format!("{} cannot be started", program.display()))?;
        let output = BufReader::new(child.stdout.take().context("no output")?);
        let input = child.stdin.take();
        // Read as it comes; what is not looked at is dropped, the newest last.
        let (tell, told) = sync_channel(1 << 16);
        std::thread::Builder::new().name("told".into()).spawn(move || {
            for progress in output.lines().map_while(Result::ok).filter_map(|line| serde_json::from_str(&line).ok()) {
                let _ = tell.try_send(progress);
            }
        })?;
        Ok(Self { child, input, told, last: Progress::default() })
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// How far it is now. Does not wait.
    pub fn now(&mut self) -> Progress {
        self.last = self.told.try_iter().last().unwrap_or(self.last);
        self.last
    }

    /// Waits until something holds.
    pub fn wait(&mut self, what: &str, within: Duration, holds: impl Fn(&Progress) -> bool) -> anyhow::Result<Progress> {
        let end = Instant::now() + within;
        while !holds(&self.last) {
            match self.told.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(progress) => self.last = progress,
                Err(RecvTimeoutError::Timeout) => bail!("{what} did not come within {within:?}; the inspector said {:?}", self.last),
                Err(RecvTimeoutError::Disconnected) => bail!("the inspector ended while {what} was waited for"),
            }
        }
        Ok(self.last)
    }

    /// Ends it as a user does, and counts what is in its library: steps and events.
    pub fn end(mut self, library: &Path) -> anyhow::Result<(u64, u64)> {
        drop(self.input.take());
        let status = self.child.wait()?;
        ensure!(status.success(), "the inspector failed: {status}");
        let engine = Engine::start(&Settings::new(library))?;
        let (mut steps, mut events) = (0, 0);
        for info in engine.store().recordings()? {
            let reader = engine.store().read(&info.id)?;
            let mut next = 1;
            loop {
                let some = reader.steps_in(next..next + READ)?;
                if some.is_empty() {
                    break;
                }
                next += some.len() as u64;
                steps += some.len() as u64;
                events += some.iter().filter(|step| step.kind == StepKind::Event).count() as u64;
            }
        }
        Ok((steps, events))
    }
}

impl Drop for Inspector {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the process does: attaches, takes in what its window is told, and says how far it is until its input ends.
pub fn run(url: &str, token: &str, library: &Path) -> anyhow::Result<()> {
    let engine = Engine::start(&Settings::new(library))?;
    let window = engine.window();
    let id = engine.attach(Target::address(url, token)).map_err(|failure| anyhow::anyhow!(failure.message))?;
    let (ended, is_over) = sync_channel::<()>(1);
    std::thread::Builder::new().name("input".into()).spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        drop(ended);
    })?;
    let mut progress = Progress::default();
    let mut pages = std::collections::HashSet::new();
    let mut notices = Vec::new();
    let mut out = std::io::stdout();
    while matches!(is_over.recv_timeout(TELL_EVERY), Err(RecvTimeoutError::Timeout)) {
        while window.drain(STEPS, &mut notices) {}
        for notice in notices.drain(..) {
            match notice {
                Notice::Steps(of, blocks) if of == id => {
                    for block in blocks {
                        progress.steps += block.len() as u64;
                        progress.events += block.kinds().iter().filter(|kind| **kind == StepKind::Event).count() as u64;
                    }
                }
                Notice::Session(of, session) if of == id => drop(pages.insert(session.id)),
                Notice::Source(source) => {
                    progress.attached = matches!(source.state, SourceState::Attached);
                    progress.dropped = source.recorder.dropped;
                }
                _ => {}
            }
        }
        progress.pages = pages.len() as u64;
        progress.memory = resident(std::process::id());
        writeln!(out, "{}", serde_json::to_string(&progress)?)?;
        out.flush()?;
    }
    drop(window);
    engine.shut_down();
    Ok(())
}
