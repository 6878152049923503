//! `record`: recording without a window, for scripts and CI.

use std::process::ExitCode;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use inspector_engine::{Engine, Places, Window};
use inspector_model::{ExportOptions, Handle as _, Level, Notice, RecordingId, Redaction, SourceState, Step};

use crate::arguments::Record;
use crate::live::{Server, choose, listen_for_the_end};
use crate::passphrase;
use crate::terminal::{json_line, line, plain};

/// How long the loop sleeps at most: limits and the end of the server are looked at this often.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Records until a limit, the end of the server, or Ctrl-C.
pub fn record(places: &Places, record: &Record) -> anyhow::Result<ExitCode> {
    let redaction = record.keep_back.redaction();
    if record.output.is_none() && redaction != Redaction::default() {
        anyhow::bail!("what is kept back is said of a file, and none is written; name one with --output");
    }
    let engine = Engine::start(&passphrase::settings(places)?)?;
    let server = if record.command.is_empty() { None } else { Some(Server::start(places, &record.command, None)?) };
    let target = match &server {
        Some(server) => server.target.clone(),
        None => choose(record.url.as_deref(), record.token.as_deref(), false, &record.transport)?,
    };
    let (wake, woken) = sync_channel(1);
    let end = wake.clone();
    // A full channel holds a wake-up already.
    let window = engine.window();
    window.set_waker(Box::new(move || wake.try_send(()).unwrap_or_default()));
    let id = engine.attach(target).map_err(|failure| anyhow::anyhow!(failure.message))?;
    let interrupted = listen_for_the_end(move || end.try_send(()).unwrap_or_default())?;

    let deadline = record.seconds.map(|seconds| Instant::now() + Duration::from_secs_f64(seconds.max(0.0)));
    let mut seen = Seen { json: record.json, ..Seen::default() };
    while let Ok(()) | Err(RecvTimeoutError::Timeout) = woken.recv_timeout(LOOK_EVERY) {
        seen.take(&window);
        if let Some(reason) = &seen.ended {
            anyhow::bail!("{reason}");
        }
        let full = record.steps.is_some_and(|limit| seen.steps >= limit);
        let late = deadline.is_some_and(|deadline| Instant::now() >= deadline);
        let server_ended = server.as_ref().is_some_and(|server| !server.is_running());
        if full || late || server_ended || interrupted() {
            break;
        }
    }
    let status = server.map(Server::stop).transpose()?;
    // What the server said while it went down is recorded too; then the recording is complete.
    window.send(inspector_model::RequestId(0), inspector_model::Request::Close(id));
    let closing = Instant::now();
    while !seen.closed && closing.elapsed() < Duration::from_secs(10) {
        let _ = woken.recv_timeout(LOOK_EVERY);
        seen.take(&window);
    }
    let recording = seen.recording.context("nothing was recorded: the server was never attached")?;
    if !record.json {
        eprintln!("{} steps recorded as {recording}", seen.steps);
    }
    if let Some(path) = &record.output {
        let reader = engine.store().read(&recording)?;
        let options = ExportOptions { redaction, ..ExportOptions::default() };
        let written = inspector_share::export(&reader, &options, path, &|_, _| true)?;
        eprintln!("Written, {} bytes, {} values redacted: {}", written.bytes, written.preview.total(), path.display());
    }
    Ok(status.unwrap_or(ExitCode::SUCCESS))
}

/// What was told so far.
#[derive(Default)]
struct Seen {
    json: bool,
    steps: u64,
    recording: Option<RecordingId>,
    attached: bool,
    /// Why it was not attached, when it was said last.
    waits_for: Option<String>,
    /// How many workers were seen when it was said last.
    workers: Option<String>,
    ended: Option<String>,
    closed: bool,
}

impl Seen {
    fn take(&mut self, window: &Window) {
        let mut notices = Vec::new();
        let mut more = true;
        while more {
            more = window.drain(10_000, &mut notices);
        }
        for notice in notices {
            match notice {
                Notice::Source(source) => {
                    self.recording.clone_from(&source.recorder.recording);
                    if let Some(why) = source.recorder.stopped.as_ref().filter(|_| self.ended.is_none()) {
                        self.ended = Some(why.clone());
                    }
                    let workers = source.server.as_ref().map(|server| &server.workers);
                    if let Some((words, workers)) = workers.and_then(|workers| Some((workers.words()?, workers)))
                        && self.workers.as_ref() != Some(&words)
                    {
                        eprintln!("{words}: {}", plain(&workers.explained()));
                        self.workers = Some(words);
                    }
                    match &source.state {
                        SourceState::Attached if !self.attached => {
                            self.attached = true;
                            eprintln!("Attached to {}", line(&source.title));
                        }
                        SourceState::Lost { why, .. } if self.attached => {
                            self.attached = false;
                            eprintln!("Connection lost, trying again: {}", line(why));
                        }
                        SourceState::Lost { why, .. } if self.waits_for.as_ref() != Some(why) => {
                            eprintln!("Not attached yet, trying again: {}", line(why));
                            self.waits_for = Some(why.clone());
                        }
                        SourceState::Ended { reason } if !self.closed && reason != "Detached" => self.ended = Some(reason.clone()),
                        _ => {}
                    }
                }
                Notice::Steps(_, steps) => {
                    for step in steps.iter().flat_map(|block| block.iter()) {
                        self.steps += 1;
                        self.show(&step);
                    }
                }
                Notice::SourceClosed(_) => self.closed = true,
                Notice::Message(Level::Error | Level::Warning, text) => eprintln!("{}", plain(&text)),
                _ => {}
            }
        }
    }

    fn show(&self, step: &Step) {
        if self.json {
            println!("{}", json_line(step).unwrap_or_default());
        } else {
            println!("{}", crate::library::step_line(step));
        }
    }
}
