//! The recorder: frames of the agent become steps of a recording. The only writer of its source.
//!
//! Pure but for the store: it is driven by text and time, so that tests feed it what a socket would.

mod known;
mod pause;
mod suspects;
mod workers;

use std::collections::{HashMap, VecDeque};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use inspector_model::{
    Cause, ChangeCounts, Frame, Keep, Level, LogRecord, Phase, RemoteCursor, ServerInfo, Session, SessionId, SourceKind, Status, Step,
    StepDetail, StepId, StepKind, Stream, ViewId,
};
use inspector_protocol::{AgentStep, Body, Resume, Seen, StateChange, StreamState, decode};
use inspector_store::{NewState, NewStep, Recorder, Retention, StoreError};
use inspector_tape::{Delta, Document, compare};
use parking_lot::{Mutex, RwLock};

use crate::breakpoints::Breakpoints;
use crate::handlers::Handlers;
use crate::outbox::{Outbox, Topic};
use crate::source::SourceShared;

use known::Known;
use pause::{Pause, Skipped};

/// How long the recorder may look at one step's differences: the summary may be cut short, the window's own diff asks again.
const DIFF_DEADLINE: Duration = Duration::from_millis(20);

/// Bytes of the last states that are at hand. Others are made again from what the agent sent, which is held anyway.
const HELD: usize = 64 << 20;

/// How much of an unreadable frame is kept.
const BAD_FRAME_BYTES: usize = 64 * 1024;

/// Turns frames into steps.
pub struct Intake {
    source: Arc<SourceShared>,
    outbox: Arc<Outbox>,
    recorder: Recorder,
    streams: HashMap<Stream, StreamNow>,
    known: Known,
    handlers: Handlers,
    /// The agent's clock less ours, seconds, by the last frame.
    ahead: f64,
    /// The latest steps by their keys, for those that later ones name as their cause.
    recent: VecDeque<(String, StepId)>,
    /// The last loss.
    lost: Option<StepId>,
    workers: workers::Known,
    dirty: bool,
    stopped: bool,
    /// While the disk is full.
    paused: Option<Pause>,
    /// Since then.
    skipped: Skipped,
    /// Bytes of documents in `streams`.
    held: usize,
    clock: u64,
    /// It was told that the recording grows beyond what is kept.
    not_thinned: bool,
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
    /// It was given up, and can be made again.
    given_up: bool,
    /// Bytes of the document, and of its text.
    bytes: usize,
    text_bytes: u64,
    used: u64,
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
        let mut known = Known::default();
        for key in recorder.known_keys() {
            known.insert(key);
        }
        Self {
            source,
            outbox,
            recorder,
            streams: HashMap::new(),
            known,
            handlers: Handlers::default(),
            ahead: 0.0,
            recent: VecDeque::new(),
            lost: None,
            workers: workers::Known::default(),
            dirty: false,
            stopped: false,
            paused: None,
            skipped: Skipped::default(),
            held: 0,
            clock: 0,
            not_thinned: false,
            wishes,
        }
    }

    /// Where to go on with each worker after a lost connection.
    pub fn resume_points(&self) -> Vec<Resume> {
        self.workers.resume_points()
    }

    /// Takes in one frame's text.
    pub fn frame(&mut self, text: &str, now: f64) {
        if !self.takes_frames() {
            return;
        }
        let frame = match decode(text) {
            Ok(frame) => frame,
            Err(error) => {
                let kept: String = text.chars().take(BAD_FRAME_BYTES).collect();
                let now = now + self.ahead;
                let kept = Frame { dir: "agent".into(), at: now, bytes: text.len() as u64, text: kept };
                self.gap(Some(1), &error.to_string(), Some(kept), now);
                return;
            }
        };
        let worker = frame.worker.as_deref();
        if frame.seq.is_some_and(|seq| !self.workers.is_news(worker, seq)) {
            return;
        }
        if frame.at > 0.0 {
            self.ahead = frame.at - now;
        }
        let now = now + self.ahead;
        match frame.body {
            Body::Session(session) => {
                self.page_of(&session.id, worker);
                self.session(*session);
            }
            Body::State { session, view, state } => self.found_state(session, view, state, frame.at),
            Body::Page(session, shell) => {
                self.recorder.put_shell(&session, &shell);
                self.dirty = true;
            }
            Body::Step(step) => self.step(*step),
            // Of a page that nobody told of there is nothing to show.
            Body::Rate(session, _) if !self.source.sessions.read().contains_key(&session) => {}
            Body::Rate(session, rate) => {
                self.source.rates.lock().insert(session.clone(), *rate);
                self.outbox.changed(self.source.id, &Topic::Rate(session));
            }
            Body::Config(config) => self.config(*config, worker),
            Body::Log(record) => self.log(*record),
            // The others' descriptions differ in nothing that is shown.
            Body::Server(server) => {
                if self.workers.is_main(worker) {
                    self.server(&server);
                }
            }
            Body::Worker(seen) => self.worker(&seen, now),
            Body::Workers(agents) => self.workers(&agents, now),
            Body::Gap { dropped, why } => self.gap(Some(dropped), &why, None, now),
            // `welcome` and `answer` are the attachment's, and `bye` is followed by the end of the connection.
            Body::Welcome(_) | Body::Refused(_) | Body::Answer { .. } | Body::Synced | Body::Bye(_) | Body::Unknown(_) => {}
        }
    }

    /// Makes everything so far survive the end of the program. Call it every half second.
    pub fn flush(&mut self, now: f64) {
        self.go_on(now);
        if !std::mem::take(&mut self.dirty) || self.stopped || self.paused.is_some() {
            return;
        }
        let keep = *self.wishes.keep.lock();
        self.recorder.set_retention(Some(Retention { most_bytes: keep.recording_bytes, slow_ms: keep.slow_ms }));
        match self.recorder.flush() {
            Ok(()) => {}
            Err(error @ StoreError::Full { .. }) => self.pause(&error),
            Err(error) => self.stop(&error),
        }
        let stats = self.recorder.stats();
        // Before it is locked: whoever looks at it must not wait for the disk.
        let thinned = self.source.reader.thinned().map(RangeInclusive::into_inner);
        let not_thinned = self.recorder.not_thinned();
        if let Some(why) = not_thinned.filter(|_| !self.not_thinned) {
            let text = format!("The recording goes on, but cannot be kept within {} MB: {why}", keep.recording_bytes >> 20);
            self.outbox.message(Level::Warning, text);
        }
        self.not_thinned = not_thinned.is_some();
        let mut info = self.source.info.lock();
        info.recorder.steps = stats.steps;
        info.recorder.bytes = stats.bytes;
        info.recorder.thinned = thinned;
        drop(info);
        self.outbox.changed(self.source.id, &Topic::Source);
    }

    /// The end of the recording.
    pub fn finish(mut self, now: f64) {
        self.dirty = true;
        self.flush(now);
        self.tell_skipped(now);
        self.flush(now);
    }

    fn stop(&mut self, error: &StoreError) {
        if self.stopped {
            return;
        }
        self.stopped = true;
        let why = error.to_string();
        self.outbox.message(Level::Error, format!("Recording has stopped: {why}"));
        self.source.info.lock().recorder.stopped = Some(why);
        self.outbox.changed(self.source.id, &Topic::Source);
    }

    fn server(&mut self, server: &ServerInfo) {
        let server = &ServerInfo { workers: self.counted(&server.workers), ..server.clone() };
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

    fn session(&mut self, mut session: Session) {
        self.recorder.put_session(&session);
        self.dirty = true;
        let id = session.id.clone();
        if session.phase == Phase::Closed {
            self.forget_page(&id);
        }
        self.handlers.share(&mut session);
        self.source.sessions.write().insert(id.clone(), session);
        self.outbox.changed(self.source.id, &Topic::Session(id));
    }

    /// Gives back what is only needed of an open page.
    fn forget_page(&mut self, id: &SessionId) {
        self.streams.retain(|stream, now| {
            let goes_on = stream.0 != *id;
            self.held -= if goes_on { 0 } else { now.bytes };
            goes_on
        });
        self.source.rates.lock().remove(id);
        self.source.live_marks.lock().retain(|stream, _| stream.0 != *id);
        self.source.workers.lock().remove(id);
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
        let mut info = self.source.info.lock();
        info.recorder.dropped = info.recorder.dropped.saturating_add(dropped.unwrap_or(0));
        drop(info);
        self.tell_gap(dropped, why, frame, now);
    }

    /// The step that says what is missing, which was counted already.
    fn tell_gap(&mut self, dropped: Option<u64>, why: &str, frame: Option<Frame>, now: f64) {
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
            Taken::First(document) if seen => self.after_a_loss(&stream, document, None, at),
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

    /// A state that is known again, but not what led to it.
    fn after_a_loss(&mut self, stream: &Stream, document: Arc<Document>, html: Option<Arc<str>>, at: f64) {
        let suspects = self.lost_before(stream).into_iter().collect();
        let step = Step {
            session: Some(stream.0.clone()),
            view: stream.1.clone(),
            state_bytes: document.text().len() as u64,
            cause: Some(Cause::Outside { suspects }),
            ..Step::new(StepKind::Outside, "outside change", at)
        };
        let after = NewState::Document(document);
        self.append(NewStep { step, detail: StepDetail::default(), before: NewState::Same, after, html });
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
        if !step.key.is_empty() && !self.known.insert(&step.key) {
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
            if step.kind != StepKind::Mount && matches!(before, NewState::None) && self.has_document(stream) {
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
                    self.streams.get(stream).map_or(0, |now| now.text_bytes)
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
            StepKind::Mount
                | StepKind::Event
                | StepKind::Message
                | StepKind::Tick
                | StepKind::Push
                | StepKind::Async
                | StepKind::UrlChange
                | StepKind::Close
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

    /// Whether the last state of a stream is known.
    fn has_document(&self, stream: &Stream) -> bool {
        self.streams.get(stream).is_some_and(|now| now.document.is_some() || now.given_up)
    }

    /// The last state of a stream.
    fn document(&mut self, stream: &Stream) -> Option<Arc<Document>> {
        let now = self.streams.get_mut(stream)?;
        now.make_again();
        let document = now.document.clone();
        self.recount(stream);
        document
    }

    fn take_in(&mut self, stream: &Stream, change: Option<StateChange>) -> Taken {
        let Some(change) = change else { return Taken::Same };
        let now = self.streams.entry(stream.clone()).or_default();
        now.make_again();
        let taken = now.take_in(change);
        self.recount(stream);
        taken
    }

    /// Counts a stream's document anew, and lets go of those that were used longest ago when there are too many.
    fn recount(&mut self, stream: &Stream) {
        let Some(now) = self.streams.get_mut(stream) else { return };
        self.clock += 1;
        now.used = self.clock;
        let before = std::mem::replace(&mut now.bytes, now.document.as_ref().map_or(0, |document| document.bytes()));
        self.held = self.held + now.bytes - before;
        if self.held <= HELD {
            return;
        }
        let newest = self.clock;
        let mut all: Vec<&mut StreamNow> = self.streams.values_mut().filter(|now| now.document.is_some() && now.used != newest).collect();
        all.sort_unstable_by_key(|now| now.used);
        for now in all {
            if self.held <= HELD / 2 {
                break;
            }
            self.held -= std::mem::take(&mut now.bytes);
            now.document = None;
            now.given_up = true;
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
        if self.paused.is_some() {
            return self.lose(&summary, new.html);
        }
        let html = new.html.clone();
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
            Err(error @ StoreError::Full { .. }) => {
                self.pause(&error);
                self.lose(&summary, html);
            }
            Err(error) => self.stop(&error),
        }
    }
}

impl StreamNow {
    /// Makes a document again that was given up.
    fn make_again(&mut self) {
        if std::mem::take(&mut self.given_up) {
            self.document = Document::new(self.wire.text().into()).ok().map(Arc::new);
        }
    }

    fn take_in(&mut self, change: StateChange) -> Taken {
        let text: Arc<str> = match self.wire.apply(change) {
            Ok(false) if self.document.is_some() => return Taken::Same,
            Ok(_) => self.wire.text().into(),
            Err(why) => {
                self.document = None;
                return Taken::Missing(why);
            }
        };
        if self.document.as_ref().is_some_and(|document| *document.text() == text) {
            return Taken::Same;
        }
        self.text_bytes = text.len() as u64;
        let document = match &self.document {
            Some(before) => Document::after(before, text),
            None => Document::new(text),
        };
        match document.map(Arc::new) {
            Ok(document) => {
                self.seen = true;
                match self.document.replace(document.clone()) {
                    Some(before) => Taken::Changed(Arc::new(compare(&before, &document, DIFF_DEADLINE))),
                    None => Taken::First(document),
                }
            }
            Err(error) => {
                self.document = None;
                Taken::Missing(format!("{error}, and was not recorded"))
            }
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
