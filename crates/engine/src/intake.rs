//! The recorder: frames of the agent become steps of a recording. The only writer of its source.
//!
//! Pure but for the store: it is driven by text and time, so that tests feed it what a socket would.

mod suspects;

use std::collections::{HashMap, HashSet, VecDeque};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use inspector_model::{
    Cause, ChangeCounts, Close, Frame, Keep, Level, LogRecord, Phase, RemoteCursor, ServerInfo, Session, SessionId, SourceKind, Status,
    Step, StepDetail, StepId, StepKind, Stream, ViewId,
};
use inspector_protocol::{AgentStep, Body, Seen, StateChange, StreamState, Welcome, decode};
use inspector_store::{NewState, NewStep, Recorder, Retention, StoreError};
use inspector_tape::{Delta, Document, compare};
use parking_lot::{Mutex, RwLock};

use crate::breakpoints::Breakpoints;
use crate::outbox::{Outbox, Topic};
use crate::source::SourceShared;

/// How long the recorder may look at one step's differences: the summary may be cut short, the window's own diff asks again.
const DIFF_DEADLINE: Duration = Duration::from_millis(20);

/// How much of an unreadable frame is kept.
const BAD_FRAME_BYTES: usize = 64 * 1024;

/// Turns frames into steps.
pub struct Intake {
    source: Arc<SourceShared>,
    outbox: Arc<Outbox>,
    recorder: Recorder,
    streams: HashMap<Stream, StreamNow>,
    known: HashSet<String>,
    /// The latest steps by their keys, for those that later ones name as their cause.
    recent: VecDeque<(String, StepId)>,
    /// The last loss.
    lost: Option<StepId>,
    agent: Option<String>,
    seq: u64,
    dirty: bool,
    stopped: bool,
    wishes: Arc<Wishes>,
}

/// What people set for all recorders, as of now.
#[derive(Default)]
pub struct Wishes {
    /// How much is kept.
    pub keep: Mutex<Keep>,
    /// Which conditions watch.
    pub breakpoints: RwLock<Breakpoints>,
}

/// Where a stream stands.
#[derive(Default)]
struct StreamNow {
    wire: StreamState,
    document: Option<Arc<Document>>,
    /// Ever had a state: a whole state that comes without one is news of its own.
    seen: bool,
    /// Its last step.
    last: Option<StepId>,
}

/// A state after it was taken in.
enum Taken {
    /// No state is sent here, or it is as before.
    Same,
    /// The first state that is known, or the first one again.
    First(Arc<Document>),
    /// Another state than the one before it.
    Changed(Arc<Delta>),
    /// It is not known.
    Missing(String),
}

impl Intake {
    /// A recorder for `source` that writes with `recorder`.
    pub fn new(source: Arc<SourceShared>, outbox: Arc<Outbox>, recorder: Recorder, wishes: Arc<Wishes>) -> Self {
        let known = recorder.known_keys().map(str::to_owned).collect();
        Self {
            source,
            outbox,
            recorder,
            streams: HashMap::new(),
            known,
            recent: VecDeque::new(),
            lost: None,
            agent: None,
            seq: 0,
            dirty: false,
            stopped: false,
            wishes,
        }
    }

    /// Where to go on after a lost connection.
    pub fn resume_point(&self) -> Option<(String, u64)> {
        self.agent.clone().map(|agent| (agent, self.seq))
    }

    /// The agent has greeted.
    pub fn welcome(&mut self, welcome: &Welcome, now: f64) {
        let known_agent = self.agent.as_deref() == Some(welcome.agent.as_str());
        if !welcome.resumed {
            if self.agent.is_some() {
                let why = if known_agent {
                    format!("{} frames could not be had again after the connection was lost", welcome.seq.saturating_sub(self.seq))
                } else {
                    "the server was restarted".to_owned()
                };
                if !known_agent {
                    self.close_all("The server was restarted", now);
                }
                if !known_agent || welcome.seq > self.seq {
                    self.gap(known_agent.then(|| welcome.seq.saturating_sub(self.seq)), &why, None, now);
                }
            }
            self.seq = welcome.seq;
        }
        self.agent = Some(welcome.agent.clone());
        self.source.info.lock().access.clone_from(&welcome.access);
        self.server(&welcome.server);
    }

    /// Takes in one frame's text.
    pub fn frame(&mut self, text: &str, now: f64) {
        let frame = match decode(text) {
            Ok(frame) => frame,
            Err(error) => {
                let kept: String = text.chars().take(BAD_FRAME_BYTES).collect();
                let kept = Frame { dir: "agent".into(), at: now, bytes: text.len() as u64, text: kept };
                self.gap(Some(1), &error.to_string(), Some(kept), now);
                return;
            }
        };
        if let Some(seq) = frame.seq {
            // Already taken in before a reconnect.
            if seq <= self.seq && self.seq > 0 {
                return;
            }
            self.seq = seq;
        }
        match frame.body {
            Body::Session(session) => self.session(*session),
            Body::State { session, view, state } => self.found_state(session, view, state, frame.at),
            Body::Page(session, shell) => {
                self.recorder.put_shell(&session, &shell);
                self.dirty = true;
            }
            Body::Step(step) => self.step(*step),
            Body::Rate(session, rate) => {
                self.source.rates.lock().insert(session.clone(), *rate);
                self.outbox.changed(self.source.id, &Topic::Rate(session));
            }
            Body::Config(config) => {
                self.recorder.put_config(&config);
                *self.source.config.lock() = Some(*config);
                self.dirty = true;
                self.outbox.changed(self.source.id, &Topic::Config);
            }
            Body::Log(record) => self.log(*record),
            Body::Server(server) => self.server(&server),
            Body::Gap { dropped, why } => self.gap(Some(dropped), &why, None, now),
            // `welcome` and `answer` are the attachment's, and `bye` is followed by the end of the connection.
            Body::Welcome(_) | Body::Refused(_) | Body::Answer { .. } | Body::Synced | Body::Bye(_) | Body::Unknown(_) => {}
        }
    }

    /// Makes everything so far survive the end of the program. Call it every half second.
    pub fn flush(&mut self) {
        if !std::mem::take(&mut self.dirty) || self.stopped {
            return;
        }
        let keep = *self.wishes.keep.lock();
        self.recorder.set_retention(Some(Retention { most_bytes: keep.recording_bytes, slow_ms: keep.slow_ms }));
        if let Err(error) = self.recorder.flush() {
            self.stop(&error);
        }
        let stats = self.recorder.stats();
        let mut info = self.source.info.lock();
        info.recorder.steps = stats.steps;
        info.recorder.bytes = stats.bytes;
        info.recorder.thinned = self.source.reader.thinned().map(RangeInclusive::into_inner);
        drop(info);
        self.outbox.changed(self.source.id, &Topic::Source);
    }

    /// The end of the recording.
    pub fn finish(mut self) {
        self.dirty = true;
        self.flush();
    }

    fn stop(&mut self, error: &StoreError) {
        if self.stopped {
            return;
        }
        self.stopped = true;
        let why = format!("Recording has stopped, what was recorded is kept: {error}");
        self.source.info.lock().recorder.stopped = Some(why.clone());
        self.outbox.message(Level::Error, why);
        self.outbox.changed(self.source.id, &Topic::Source);
    }

    fn server(&mut self, server: &ServerInfo) {
        self.recorder.put_server(server);
        self.dirty = true;
        let title = match server.url.as_deref() {
            Some(url) => format!("{} · {}", server.project, url.split("://").last().unwrap_or(url)),
            None => server.project.clone(),
        };
        self.recorder.set_title(&title);
        let mut info = self.source.info.lock();
        info.title = title;
        if let Some(url) = &server.url {
            info.kind = SourceKind::Live { url: url.clone() };
        }
        info.server = Some(server.clone());
        drop(info);
        self.outbox.changed(self.source.id, &Topic::Source);
    }

    fn session(&mut self, session: Session) {
        self.recorder.put_session(&session);
        self.dirty = true;
        let id = session.id.clone();
        if session.phase == Phase::Closed {
            self.streams.retain(|stream, _| stream.0 != id);
        }
        self.source.sessions.write().insert(id.clone(), session);
        self.outbox.changed(self.source.id, &Topic::Session(id));
    }

    fn close_all(&mut self, reason: &str, now: f64) {
        let open: Vec<Session> = self.source.sessions.read().values().filter(|session| session.is_open()).cloned().collect();
        for mut session in open {
            session.phase = Phase::Closed;
            session.close = Some(Close { code: None, reason: Some(reason.to_owned()) });
            let step = Step { session: Some(session.id.clone()), ..Step::new(StepKind::Close, reason, now) };
            self.append(NewStep { step, detail: StepDetail::default(), before: NewState::None, after: NewState::None, html: None });
            self.session(session);
        }
        self.streams.clear();
    }

    fn log(&mut self, record: LogRecord) {
        // A record of the server that belongs to no step is a step when it says that something is wrong.
        if !matches!(record.level.as_str(), "ERROR" | "CRITICAL") {
            return;
        }
        let first_line = record.message.lines().next().unwrap_or_default().to_owned();
        let step =
            Step { status: Status::Failed, error: Some(first_line), logs: 1, ..Step::new(StepKind::Error, &record.logger, record.at) };
        let detail = StepDetail { logs: vec![record], ..StepDetail::default() };
        self.append(NewStep { step, detail, before: NewState::None, after: NewState::None, html: None });
    }

    fn gap(&mut self, dropped: Option<u64>, why: &str, frame: Option<Frame>, now: f64) {
        self.source.info.lock().recorder.dropped += dropped.unwrap_or(0);
        let step = Step {
            error: Some(why.to_owned()),
            frames: u32::from(frame.is_some()),
            cause: Some(Cause::Lost { dropped, why: why.to_owned() }),
            ..Step::new(StepKind::Gap, "gap", now)
        };
        let detail = StepDetail { frames: frame.into_iter().collect(), ..StepDetail::default() };
        self.append(NewStep { step, detail, before: NewState::None, after: NewState::None, html: None });
    }

    /// A state that came without a step: how a view was found, or what changed while nobody looked.
    fn found_state(&mut self, session: SessionId, view: Option<ViewId>, change: StateChange, at: f64) {
        let stream = (session, view);
        let seen = self.streams.get(&stream).is_some_and(|now| now.seen);
        match self.take_in(&stream, Some(change)) {
            Taken::Same => {}
            Taken::Changed(delta) => {
                if delta.counts.total() > 0 {
                    self.outside(&stream, &delta, Vec::new(), at);
                }
            }
            // What came before was not known, so neither is what changed.
            Taken::First(document) if seen => {
                let suspects = self.lost_before(&stream).into_iter().collect();
                let step = Step {
                    session: Some(stream.0.clone()),
                    view: stream.1.clone(),
                    state_bytes: document.text().len() as u64,
                    cause: Some(Cause::Outside { suspects }),
                    ..Step::new(StepKind::Outside, "outside change", at)
                };
                let after = NewState::Document(document);
                self.append(NewStep { step, detail: StepDetail::default(), before: NewState::Same, after, html: None });
            }
            Taken::First(document) => {
                let name = self.view_class(&stream);
                let step = Step {
                    session: Some(stream.0.clone()),
                    view: stream.1.clone(),
                    state_bytes: document.text().len() as u64,
                    history: true,
                    ..Step::new(StepKind::Mount, &name, at)
                };
                self.append(NewStep {
                    step,
                    detail: StepDetail::default(),
                    before: NewState::None,
                    after: NewState::Document(document),
                    html: None,
                });
            }
            // The reason is the server's, and may quote a value.
            Taken::Missing(_) => tracing::debug!("no state for a view that was found"),
        }
    }

    fn view_class(&self, stream: &Stream) -> String {
        let sessions = self.source.sessions.read();
        let Some(session) = sessions.get(&stream.0) else { return "view".to_owned() };
        session.view_of(stream.1.as_ref()).map_or_else(|| "view".to_owned(), |view| class_name(&view.class).to_owned())
    }

    fn outside(&mut self, stream: &Stream, delta: &Arc<Delta>, seen: Vec<Seen>, at: f64) {
        let suspects = self.suspects(stream, delta, seen);
        let step = Step {
            session: Some(stream.0.clone()),
            view: stream.1.clone(),
            changes: delta.counts,
            changed: changed_paths(delta),
            state_bytes: delta.after().text().len() as u64,
            cause: Some(Cause::Outside { suspects }),
            ..Step::new(StepKind::Outside, "outside change", at)
        };
        let after = NewState::Compared(delta.clone());
        self.append(NewStep { step, detail: StepDetail::default(), before: NewState::Same, after, html: None });
    }

    fn step(&mut self, step: AgentStep) {
        if !step.key.is_empty() && !self.known.insert(step.key.clone()) {
            // Delivered before. Later frames may be changes to its states, so those are followed, but they are no news.
            if let Some(session) = step.session {
                let now = self.streams.entry((session, step.view)).or_default();
                for change in [step.before, step.after].into_iter().flatten() {
                    if now.wire.apply(change).is_err() {
                        tracing::debug!("a state that was delivered again is not known");
                    }
                }
            }
            return;
        }
        let stream = step.session.clone().map(|session| (session, step.view.clone()));
        let mut missing = None;
        let mut before = NewState::None;
        let mut after = NewState::None;
        let mut counts = ChangeCounts::default();
        let mut changed = Vec::new();
        let mut state_bytes = 0;
        if let Some(stream) = &stream {
            match self.take_in(stream, step.before) {
                // djust resets temporary assigns after each render: expected, and no step of its own.
                Taken::Changed(delta) if !self.only_temporary(stream, &delta) => self.outside(stream, &delta, step.outside, step.started),
                Taken::Changed(delta) => before = NewState::Compared(delta),
                Taken::First(document) => before = NewState::Document(document),
                Taken::Missing(why) => missing = Some(why),
                Taken::Same => {}
            }
            if step.kind != StepKind::Mount && matches!(before, NewState::None) && self.document(stream).is_some() {
                before = NewState::Same;
            }
            let has_after = step.after.is_some();
            match self.take_in(stream, step.after) {
                Taken::Changed(delta) => {
                    if !matches!(before, NewState::None) {
                        counts = delta.counts;
                        changed = changed_paths(&delta);
                    }
                    after = NewState::Compared(delta);
                }
                Taken::First(document) => after = NewState::Document(document),
                Taken::Missing(why) => {
                    missing = Some(why.clone());
                    after = NewState::Missing(why);
                }
                Taken::Same if has_after => after = NewState::Same,
                Taken::Same => before = NewState::None,
            }
            state_bytes = match &after {
                NewState::None | NewState::Missing(_) => 0,
                NewState::Same | NewState::Text(_) | NewState::Document(_) | NewState::Compared(_) => {
                    self.document(stream).map_or(0, |document| document.text().len() as u64)
                }
            };
        }
        let summary = Step {
            id: StepId(0),
            key: step.key,
            session: step.session,
            view: step.view,
            component: step.component,
            kind: step.kind,
            // A mount is named after its class; where that is from stands in the session.
            name: if step.kind == StepKind::Mount { class_name(&step.name).to_owned() } else { step.name },
            started: step.started,
            duration_ms: step.ms,
            status: step.status,
            error: step.error.as_ref().map(|error| one_line(&error.kind, &error.message)),
            changes: counts,
            changed,
            sql: step.sql.len() as u32,
            logs: step.logs.len() as u32,
            frames: step.frames.len() as u32,
            received: largest_received(&step.frames),
            state_bytes,
            rendered: step.html.is_some(),
            history: step.history,
            cause: step.cause,
            hits: Vec::new(),
        };
        let detail = StepDetail {
            params: step.params,
            raw_params: step.raw,
            reference: step.reference,
            timing: step.timing,
            error: step.error,
            sql: step.sql,
            logs: step.logs,
            frames: step.frames,
            missing,
        };
        self.move_cursor(&summary);
        self.append(NewStep { step: summary, detail, before, after, html: step.html.map(Arc::from) });
    }

    /// A page that the inspector had put somewhere is its own again once something of its own happened there.
    fn move_cursor(&self, step: &Step) {
        let Some(session) = &step.session else { return };
        let own = matches!(
            step.kind,
            StepKind::Mount | StepKind::Event | StepKind::Tick | StepKind::Push | StepKind::Async | StepKind::UrlChange | StepKind::Close
        );
        if !own || step.history || (step.changes.total() == 0 && step.kind != StepKind::Mount && step.kind != StepKind::Close) {
            return;
        }
        let mut cursors = self.source.cursors.lock();
        let cursor = cursors.get(session).copied().unwrap_or_default();
        if matches!(cursor, RemoteCursor::Jumping(_)) {
            return;
        }
        // A replay leaves a mark as well, but moves no cursor.
        self.source.live_marks.lock().retain(|stream, _| stream.0 != *session);
        if cursor != RemoteCursor::Live {
            cursors.insert(session.clone(), RemoteCursor::Live);
            drop(cursors);
            self.outbox.changed(self.source.id, &Topic::Cursor(session.clone()));
        }
    }

    /// The last state of a stream.
    fn document(&self, stream: &Stream) -> Option<&Arc<Document>> {
        self.streams.get(stream)?.document.as_ref()
    }

    fn take_in(&mut self, stream: &Stream, change: Option<StateChange>) -> Taken {
        let Some(change) = change else { return Taken::Same };
        let now = self.streams.entry(stream.clone()).or_default();
        let text: Arc<str> = match now.wire.apply(change) {
            Ok(false) if now.document.is_some() => return Taken::Same,
            Ok(_) => now.wire.text().into(),
            Err(why) => {
                now.document = None;
                return Taken::Missing(why);
            }
        };
        if now.document.as_ref().is_some_and(|document| *document.text() == text) {
            return Taken::Same;
        }
        let document = match &now.document {
            Some(before) => Document::after(before, text),
            None => Document::new(text),
        };
        match document.map(Arc::new) {
            Ok(document) => {
                now.seen = true;
                match now.document.replace(document.clone()) {
                    Some(before) => Taken::Changed(Arc::new(compare(&before, &document, DIFF_DEADLINE))),
                    None => Taken::First(document),
                }
            }
            Err(error) => {
                now.document = None;
                Taken::Missing(format!("{error}, and was not recorded"))
            }
        }
    }

    fn only_temporary(&self, stream: &Stream, delta: &Delta) -> bool {
        let temporary = assign_notes(&self.source, stream).0;
        delta.changes.iter().all(|change| temporary.contains(&delta.top_key(change.place)))
    }

    fn append(&mut self, mut new: NewStep) {
        if self.stopped {
            return;
        }
        new.step.hits = self.wishes.breakpoints.read().hit(&new.after);
        let mut summary = new.step.clone();
        match self.recorder.append(new) {
            Ok(id) => {
                summary.id = id;
                self.remember(&summary);
                for condition in &summary.hits {
                    self.outbox.message(Level::Warning, format!("Breakpoint: {condition}, in step {id} {}", summary.name));
                }
                self.dirty = true;
                self.source.steps.write().push(&summary);
                self.source.info.lock().recorder.steps += 1;
                self.outbox.changed(self.source.id, &Topic::Source);
            }
            Err(error) => self.stop(&error),
        }
    }
}

/// The `temporary_assigns` and `static_assigns` of a stream's view.
pub fn assign_notes(source: &SourceShared, stream: &Stream) -> (Vec<String>, Vec<String>) {
    let sessions = source.sessions.read();
    let Some(session) = sessions.get(&stream.0) else { return (Vec::new(), Vec::new()) };
    let view = session.view_of(stream.1.as_ref());
    view.map_or_else(Default::default, |view| (view.temporary_assigns.clone(), view.static_assigns.clone()))
}

fn changed_paths(delta: &Delta) -> Vec<String> {
    let mut paths: Vec<String> = Vec::new();
    for change in &delta.changes {
        let path = delta.path(change.place).to_string();
        if paths.last() != Some(&path) {
            paths.push(path);
        }
        if paths.len() == Step::MAX_CHANGED_PATHS {
            break;
        }
    }
    paths
}

/// `shop.views.CartView` → `CartView`.
fn class_name(dotted: &str) -> &str {
    dotted.rsplit('.').next().unwrap_or(dotted)
}

fn largest_received(frames: &[Frame]) -> u32 {
    let received = frames.iter().filter(|frame| frame.dir == "in").map(|frame| frame.bytes);
    u32::try_from(received.max().unwrap_or(0)).unwrap_or(u32::MAX)
}

fn one_line(kind: &str, message: &str) -> String {
    let line = message.lines().next().unwrap_or_default();
    let line: String = line.chars().take(300).collect();
    if kind.is_empty() { line } else { format!("{kind}: {line}") }
}

#[cfg(test)]
mod tests;
