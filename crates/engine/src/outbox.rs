//! What windows are told: latest wins, nothing waits, nothing grows without bound.
//!
//! Steps are not queued at all: each source's step list is shared, and each window's mailbox only remembers how far it was
//! told. A window that is slow, reloaded or new loses nothing, and one that never looks costs a few hundred bytes.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use inspector_model::{
    Answer, Breakpoint, ErrorCode, Failure, FoundServer, Handle, Keep, Level, Notice, RecordingInfo, Request, RequestId, SessionId,
    SourceId, StateAnswer, Work,
};
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::mpsc;

use crate::source::SourceShared;
use crate::work::Asker;

/// Messages beyond this are dropped, oldest first: a person reads a few.
const MAX_MESSAGES: usize = 64;
/// Requests of one window whose answers it has not taken. It asks for a handful per frame; more means that one of both hangs.
pub const MAX_OPEN_REQUESTS: usize = 512;

/// Bytes of answers of one window that it has not taken. It asks for a state at a time; more means that it hangs.
const MAX_ANSWER_BYTES: usize = 256 << 20;

type Waker = Arc<dyn Fn() + Send + Sync>;

/// A request on its way in, and whose it is.
pub struct Asked {
    /// Where the answer goes.
    pub by: Arc<Mailbox>,
    /// The window's own number for it.
    pub id: RequestId,
    /// What is asked.
    pub request: Request,
}

/// One window's handle on the engine. It is told everything anew, and answers to its requests come to it alone.
///
/// Dropping it ends that. It does not keep the engine running: once that has ended, [`Handle::send`] takes nothing.
pub struct Window {
    mailbox: Arc<Mailbox>,
    outbox: Arc<Outbox>,
    requests: mpsc::Sender<Asked>,
}

/// What all windows are told, and who they are.
#[derive(Default)]
pub struct Outbox {
    hub: Mutex<Hub>,
}

#[derive(Default)]
struct Hub {
    sources: BTreeMap<SourceId, Arc<SourceShared>>,
    recordings: Option<Vec<RecordingInfo>>,
    found: Option<Vec<FoundServer>>,
    keep: Option<Keep>,
    encrypted: Option<bool>,
    breakpoints: Option<Vec<Breakpoint>>,
    work: Vec<(Work, Option<Asker>)>,
    /// Said while there was no window to say it to.
    unheard: VecDeque<(Level, String)>,
    windows: Vec<Arc<Mailbox>>,
}

/// What one window has still to be told.
#[derive(Default)]
pub struct Mailbox {
    state: Mutex<State>,
    waker: Mutex<Option<Waker>>,
}

#[derive(Default)]
struct State {
    sources: BTreeMap<SourceId, Told>,
    closed: Vec<SourceId>,
    recordings: Option<Vec<RecordingInfo>>,
    found: Option<Vec<FoundServer>>,
    keep: Option<Keep>,
    encrypted: Option<bool>,
    breakpoints: Option<Vec<Breakpoint>>,
    work: Option<Vec<Work>>,
    answers: VecDeque<(RequestId, Answer)>,
    answer_bytes: usize,
    messages: VecDeque<(Level, String)>,
    /// Requests that were taken and whose answers were not.
    open_requests: usize,
}

/// What has been told about a source, and what is to tell.
struct Told {
    source: Arc<SourceShared>,
    /// The window knows of it at all.
    known: bool,
    steps: usize,
    changed: bool,
    config: bool,
    marks: bool,
    sessions: BTreeSet<SessionId>,
    rates: BTreeSet<SessionId>,
    cursors: BTreeSet<SessionId>,
}

/// What changed about a source.
pub enum Topic {
    /// The source itself, or its steps.
    Source,
    /// Its configuration.
    Config,
    /// Its marks.
    Marks,
    /// A page.
    Session(SessionId),
    /// A page's rate limits.
    Rate(SessionId),
    /// Where a page stands.
    Cursor(SessionId),
}

impl Handle for Window {
    fn send(&self, id: RequestId, request: Request) -> bool {
        // Reserved first: a request is taken only when its answer will have room.
        if !self.mailbox.reserve() {
            return false;
        }
        let taken = self.requests.try_send(Asked { by: self.mailbox.clone(), id, request }).is_ok();
        if !taken {
            self.mailbox.state.lock().open_requests -= 1;
        }
        taken
    }

    fn drain(&self, max_steps: usize, into: &mut Vec<Notice>) -> bool {
        self.mailbox.drain(max_steps, into)
    }

    fn set_waker(&self, waker: Box<dyn Fn() + Send + Sync>) {
        *self.mailbox.waker.lock() = Some(Arc::from(waker));
        // There may be something already.
        self.mailbox.wake();
    }
}

impl Window {
    #[cfg(test)]
    pub(crate) const fn mailbox(&self) -> &Arc<Mailbox> {
        &self.mailbox
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        self.outbox.hub.lock().windows.retain(|window| !Arc::ptr_eq(window, &self.mailbox));
        self.mailbox.waker.lock().take();
    }
}

impl Outbox {
    /// A new window, which is told everything. Its requests go to `requests`.
    pub fn window(self: &Arc<Self>, requests: mpsc::Sender<Asked>) -> Window {
        let mut hub = self.hub.lock();
        let state = State {
            sources: hub.sources.iter().map(|(id, source)| (*id, Told::nothing(source.clone()))).collect(),
            recordings: hub.recordings.clone(),
            found: hub.found.clone(),
            keep: hub.keep,
            encrypted: hub.encrypted,
            breakpoints: hub.breakpoints.clone(),
            // None of it was asked for by a window that has just come.
            work: (!hub.work.is_empty()).then(|| hub.work.iter().map(|(work, _)| work.clone()).collect()),
            messages: std::mem::take(&mut hub.unheard),
            ..State::default()
        };
        let mailbox = Arc::new(Mailbox { state: Mutex::new(state), waker: Mutex::default() });
        hub.windows.push(mailbox.clone());
        drop(hub);
        Window { mailbox, outbox: self.clone(), requests }
    }

    /// Tells of a new source, with all that it has.
    pub fn add(&self, source: &Arc<SourceShared>) {
        self.tell(
            |hub| drop(hub.sources.insert(source.id, source.clone())),
            |state| drop(state.sources.insert(source.id, Told::nothing(source.clone()))),
        );
    }

    /// Tells that a source is gone.
    pub fn remove(&self, id: SourceId) {
        self.tell(
            |hub| drop(hub.sources.remove(&id)),
            |state| {
                // A window that was never told of it has nothing to close.
                if state.sources.remove(&id).is_some_and(|told| told.known) {
                    state.closed.push(id);
                }
            },
        );
    }

    /// Marks something as changed.
    pub fn changed(&self, id: SourceId, topic: &Topic) {
        self.tell(
            |_| {},
            |state| {
                let Some(told) = state.sources.get_mut(&id) else { return };
                match topic {
                    Topic::Source => told.changed = true,
                    Topic::Config => told.config = true,
                    Topic::Marks => told.marks = true,
                    Topic::Session(session) => drop(told.sessions.insert(session.clone())),
                    Topic::Rate(session) => drop(told.rates.insert(session.clone())),
                    Topic::Cursor(session) => drop(told.cursors.insert(session.clone())),
                }
            },
        );
    }

    /// Tells something to people: in every window, or in the next one when there is none.
    pub fn message(&self, level: Level, text: impl Into<String>) {
        let text = text.into();
        self.tell(
            |hub| {
                if hub.windows.is_empty() {
                    push_bounded(&mut hub.unheard, (level, text.clone()));
                }
            },
            |state| push_bounded(&mut state.messages, (level, text.clone())),
        );
    }

    /// Tells what the library holds.
    pub fn recordings(&self, recordings: &[RecordingInfo]) {
        self.tell(|hub| hub.recordings = Some(recordings.to_vec()), |state| state.recordings = Some(recordings.to_vec()));
    }

    /// Tells which servers there are.
    pub fn found(&self, found: &[FoundServer]) {
        self.tell(|hub| hub.found = Some(found.to_vec()), |state| state.found = Some(found.to_vec()));
    }

    /// Tells how much is kept of recordings.
    pub fn keep(&self, keep: Keep) {
        self.tell(|hub| hub.keep = Some(keep), |state| state.keep = Some(keep));
    }

    /// Tells whether the library is kept under a passphrase.
    pub fn encrypted(&self, encrypted: bool) {
        self.tell(|hub| hub.encrypted = Some(encrypted), |state| state.encrypted = Some(encrypted));
    }

    /// Tells which conditions watch.
    pub fn breakpoints(&self, all: &[Breakpoint]) {
        self.tell(|hub| hub.breakpoints = Some(all.to_vec()), |state| state.breakpoints = Some(all.to_vec()));
    }

    /// Tells what is under way. Each window is told which of its own requests it is.
    pub fn work(&self, all: Vec<(Work, Option<Asker>)>) {
        let mut hub = self.hub.lock();
        hub.work = all;
        for window in &hub.windows {
            let told = hub.work.iter().map(|(work, asker)| {
                let own = asker.as_ref().filter(|asker| Arc::ptr_eq(&asker.by, window));
                Work { request: own.map(|asker| asker.id), ..work.clone() }
            });
            window.state.lock().work = Some(told.collect());
        }
        wake_all(hub);
    }

    /// Changes what new windows will be told and what those that are here have still to be told, as one.
    fn tell(&self, all: impl FnOnce(&mut Hub), each: impl Fn(&mut State)) {
        let mut hub = self.hub.lock();
        all(&mut hub);
        for window in &hub.windows {
            each(&mut window.state.lock());
        }
        wake_all(hub);
    }
}

/// Wakers are called without the lock: they may take locks of their own.
fn wake_all(hub: MutexGuard<'_, Hub>) {
    let windows = hub.windows.clone();
    drop(hub);
    for window in windows {
        window.wake();
    }
}

impl Told {
    /// All of a source is to be told.
    fn nothing(source: Arc<SourceShared>) -> Self {
        let sessions = source.sessions.read().keys().cloned().collect();
        let rates = source.rates.lock().keys().cloned().collect();
        let cursors = source.cursors.lock().keys().cloned().collect();
        Self { source, known: false, steps: 0, changed: true, config: true, marks: true, sessions, rates, cursors }
    }

    /// Takes what is to tell of this source, at most `left` steps, which are counted down. `true` when there are more.
    fn drain(&mut self, id: SourceId, left: &mut usize, into: &mut Vec<Notice>) -> bool {
        let source = &self.source;
        self.known = true;
        if std::mem::take(&mut self.changed) {
            into.push(Notice::Source(Box::new(source.info.lock().clone())));
        }
        if std::mem::take(&mut self.config)
            && let Some(config) = source.config.lock().clone()
        {
            into.push(Notice::Config(id, Box::new(config)));
        }
        if std::mem::take(&mut self.marks) {
            into.push(Notice::Marks(id, source.marks.lock().clone()));
        }
        let sessions = source.sessions.read();
        for session in std::mem::take(&mut self.sessions) {
            into.extend(sessions.get(&session).map(|session| Notice::Session(id, Box::new(session.clone()))));
        }
        drop(sessions);
        for session in std::mem::take(&mut self.rates) {
            into.extend(source.rates.lock().get(&session).map(|rate| Notice::Rate(id, session.clone(), Box::new(rate.clone()))));
        }
        let steps = source.steps.read();
        let blocks = steps.since(self.steps, *left);
        if !blocks.is_empty() {
            let told: usize = blocks.iter().map(|block| block.len()).sum();
            into.push(Notice::Steps(id, blocks));
            *left -= told;
            self.steps += told;
        }
        let more = self.steps < steps.len();
        drop(steps);
        for session in std::mem::take(&mut self.cursors) {
            let cursor = source.cursors.lock().get(&session).copied().unwrap_or_default();
            into.push(Notice::Cursor(id, session, cursor));
        }
        more
    }
}

impl Mailbox {
    /// Answers a request of this window, which may be gone by now.
    pub fn answer(&self, id: RequestId, answer: Answer) {
        let bytes = weight(&answer);
        let mut state = self.state.lock();
        let fits = state.answers.is_empty() || state.answer_bytes.saturating_add(bytes) <= MAX_ANSWER_BYTES;
        let answer = if fits {
            state.answer_bytes += bytes;
            answer
        } else {
            let why = format!("the window has not taken {} MB of earlier answers", state.answer_bytes >> 20);
            Answer::Failed(Failure::new(ErrorCode::Busy, why).hint("ask again when it shows them"))
        };
        state.answers.push_back((id, answer));
        drop(state);
        self.wake();
    }

    fn reserve(&self) -> bool {
        let mut state = self.state.lock();
        let room = state.open_requests < MAX_OPEN_REQUESTS;
        state.open_requests += usize::from(room);
        room
    }

    fn wake(&self) {
        let waker = self.waker.lock().clone();
        if let Some(waker) = waker {
            waker();
        }
    }

    /// Takes what is to tell. `true` when there are more steps than `max_steps`.
    fn drain(&self, max_steps: usize, into: &mut Vec<Notice>) -> bool {
        let mut state = self.state.lock();
        let state = &mut *state;
        into.extend(state.closed.drain(..).map(Notice::SourceClosed));
        into.extend(state.recordings.take().map(Notice::Recordings));
        into.extend(state.found.take().map(Notice::Found));
        into.extend(state.keep.take().map(Notice::Keep));
        into.extend(state.encrypted.take().map(Notice::Encrypted));
        into.extend(state.breakpoints.take().map(Notice::Breakpoints));
        into.extend(state.work.take().map(Notice::Work));
        let mut left = max_steps;
        let mut more = false;
        for (id, told) in &mut state.sources {
            more |= told.drain(*id, &mut left, into);
        }
        // Answers come last: what they speak of has been told by then.
        if !more {
            state.open_requests -= state.answers.len();
            state.answer_bytes = 0;
            into.extend(state.answers.drain(..).map(|(id, answer)| Notice::Answer(id, answer)));
            into.extend(state.messages.drain(..).map(|(level, text)| Notice::Message(level, text)));
        }
        more
    }
}

/// Bytes of an answer that may be large. The others have limits of their own.
fn weight(answer: &Answer) -> usize {
    match answer {
        Answer::State(StateAnswer::Full(text)) => text.len(),
        Answer::Html(Some(text)) | Answer::Ring(text) => text.len(),
        Answer::Detail(detail) => {
            let params = detail.params.iter().chain(&detail.raw_params).map(String::len);
            params.chain(detail.frames.iter().map(|frame| frame.text.len())).chain(detail.logs.iter().map(|log| log.message.len())).sum()
        }
        _ => 0,
    }
}

fn push_bounded(messages: &mut VecDeque<(Level, String)>, message: (Level, String)) {
    if messages.len() >= MAX_MESSAGES {
        messages.pop_front();
    }
    messages.push_back(message);
}

#[cfg(test)]
mod tests;
