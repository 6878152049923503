//! What windows are told: latest wins, nothing waits, nothing grows without bound.
//!
//! Steps are not queued at all: each source's step list is shared, and the outbox only remembers how far it was told.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use inspector_model::{Answer, FoundServer, Level, Notice, RecordingInfo, RequestId, SessionId, SourceId};
use parking_lot::Mutex;

use crate::source::SourceShared;

/// Messages beyond this are dropped, oldest first: a person reads a few.
const MAX_MESSAGES: usize = 64;

type Waker = Arc<dyn Fn() + Send + Sync>;

/// The engine's side of [`inspector_model::Handle`].
#[derive(Default)]
pub struct Outbox {
    state: Mutex<State>,
    waker: Mutex<Option<Waker>>,
}

#[derive(Default)]
struct State {
    sources: BTreeMap<SourceId, Told>,
    closed: Vec<SourceId>,
    recordings: Option<Vec<RecordingInfo>>,
    found: Option<Vec<FoundServer>>,
    answers: VecDeque<(RequestId, Answer)>,
    messages: VecDeque<(Level, String)>,
}

/// What has been told about a source, and what is to tell.
struct Told {
    source: Arc<SourceShared>,
    steps: usize,
    changed: bool,
    config: bool,
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
    /// A page.
    Session(SessionId),
    /// A page's rate limits.
    Rate(SessionId),
    /// Where a page stands.
    Cursor(SessionId),
}

impl Outbox {
    /// Tells of a new source, with all that it has.
    pub fn add(&self, source: Arc<SourceShared>) {
        let sessions: BTreeSet<SessionId> = source.sessions.read().keys().cloned().collect();
        let told = Told { steps: 0, changed: true, config: true, sessions, rates: BTreeSet::new(), cursors: BTreeSet::new(), source };
        self.state.lock().sources.insert(told.source.id, told);
        self.wake();
    }

    /// Tells that a source is gone.
    pub fn remove(&self, id: SourceId) {
        let mut state = self.state.lock();
        state.sources.remove(&id);
        state.closed.push(id);
        drop(state);
        self.wake();
    }

    /// Marks something as changed.
    pub fn changed(&self, id: SourceId, topic: Topic) {
        if let Some(told) = self.state.lock().sources.get_mut(&id) {
            match topic {
                Topic::Source => told.changed = true,
                Topic::Config => told.config = true,
                Topic::Session(session) => drop(told.sessions.insert(session)),
                Topic::Rate(session) => drop(told.rates.insert(session)),
                Topic::Cursor(session) => drop(told.cursors.insert(session)),
            }
        }
        self.wake();
    }

    /// Answers a request.
    pub fn answer(&self, id: RequestId, answer: Answer) {
        self.state.lock().answers.push_back((id, answer));
        self.wake();
    }

    /// Tells something to people.
    pub fn message(&self, level: Level, text: impl Into<String>) {
        let mut state = self.state.lock();
        if state.messages.len() >= MAX_MESSAGES {
            state.messages.pop_front();
        }
        state.messages.push_back((level, text.into()));
        drop(state);
        self.wake();
    }

    /// Tells what the library holds.
    pub fn recordings(&self, recordings: Vec<RecordingInfo>) {
        self.state.lock().recordings = Some(recordings);
        self.wake();
    }

    /// Tells which servers there are.
    pub fn found(&self, found: Vec<FoundServer>) {
        self.state.lock().found = Some(found);
        self.wake();
    }

    /// Sets the waker, and calls it: there may be something already.
    pub fn set_waker(&self, waker: Box<dyn Fn() + Send + Sync>) {
        *self.waker.lock() = Some(Arc::from(waker));
        self.wake();
    }

    fn wake(&self) {
        // The waker is called without the lock: it may take locks of its own.
        let waker = self.waker.lock().clone();
        if let Some(waker) = waker {
            waker();
        }
    }

    /// Takes what is to tell. `true` when there are more steps than `max_steps`.
    pub fn drain(&self, max_steps: usize, into: &mut Vec<Notice>) -> bool {
        let mut state = self.state.lock();
        into.extend(state.closed.drain(..).map(Notice::SourceClosed));
        into.extend(state.recordings.take().map(Notice::Recordings));
        into.extend(state.found.take().map(Notice::Found));
        let mut left = max_steps;
        let mut more = false;
        for (id, told) in &mut state.sources {
            if std::mem::take(&mut told.changed) {
                into.push(Notice::Source(Box::new(told.source.info.lock().clone())));
            }
            if std::mem::take(&mut told.config)
                && let Some(config) = told.source.config.lock().clone()
            {
                into.push(Notice::Config(*id, Box::new(config)));
            }
            let sessions = told.source.sessions.read();
            for session in std::mem::take(&mut told.sessions) {
                into.extend(sessions.get(&session).map(|session| Notice::Session(*id, Box::new(session.clone()))));
            }
            drop(sessions);
            for session in std::mem::take(&mut told.rates) {
                into.extend(told.source.rates.lock().get(&session).map(|rate| Notice::Rate(*id, session.clone(), Box::new(rate.clone()))));
            }
            let steps = told.source.steps.read();
            let upto = steps.len().min(told.steps + left);
            if upto > told.steps {
                into.push(Notice::Steps(*id, steps[told.steps..upto].to_vec()));
                left -= upto - told.steps;
                told.steps = upto;
            }
            more |= upto < steps.len();
            drop(steps);
            for session in std::mem::take(&mut told.cursors) {
                let cursor = told.source.cursors.lock().get(&session).copied().unwrap_or_default();
                into.push(Notice::Cursor(*id, session, cursor));
            }
        }
        // Answers come last: what they speak of has been told by then.
        if !more {
            into.extend(state.answers.drain(..).map(|(id, answer)| Notice::Answer(id, answer)));
            into.extend(state.messages.drain(..).map(|(level, text)| Notice::Message(level, text)));
        }
        more
    }
}
