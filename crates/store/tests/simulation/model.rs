//! What a recording must hold, in the plainest way.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use inspector_model::{PageShell, RecordingId, Session, SessionId, Step, StepDetail, ViewId};
use inspector_store::Recorder;
use inspector_tape::Document;

use crate::states::States;

/// What is read for a text.
#[derive(Clone, Debug, PartialEq)]
pub enum Expect {
    Text(Arc<str>),
    Missing,
    /// The text, or none: it had to be read back from what may have been given up.
    Either(Arc<str>),
}

impl Expect {
    pub fn allows(&self, found: Option<&str>) -> bool {
        match self {
            Self::Text(text) => found == Some(&**text),
            Self::Missing => found.is_none(),
            Self::Either(text) => found.is_none_or(|found| found == &**text),
        }
    }

    pub fn text(&self) -> Option<&Arc<str>> {
        match self {
            Self::Text(text) | Self::Either(text) => Some(text),
            Self::Missing => None,
        }
    }

    pub fn or_nothing(self) -> Self {
        match self {
            Self::Text(text) => Self::Either(text),
            other => other,
        }
    }
}

/// A value of which a crash may leave an older version than the newest.
#[derive(Clone, Debug)]
pub struct Versions<T> {
    sure: T,
    newer: Vec<T>,
}

impl<T: Clone + PartialEq + std::fmt::Debug> Versions<T> {
    pub const fn new(sure: T) -> Self {
        Self { sure, newer: Vec::new() }
    }

    pub fn set(&mut self, value: T) {
        self.newer.push(value);
    }

    pub fn newest(&self) -> &T {
        self.newer.last().unwrap_or(&self.sure)
    }

    /// The newest is on the disk.
    pub fn flushed(&mut self) {
        if let Some(newest) = self.newer.pop() {
            self.sure = newest;
            self.newer.clear();
        }
    }

    /// All that it may be, the newest first.
    pub fn candidates(&self) -> Vec<T> {
        self.newer.iter().rev().chain([&self.sure]).cloned().collect()
    }

    /// Whether there is only one.
    pub const fn is_sure(&self) -> bool {
        self.newer.is_empty()
    }

    /// It is this one now, if not on the disk.
    pub fn is_now(&mut self, found: T) {
        if found != *self.newest() {
            self.newer.push(found);
        }
    }

    /// What is there after a crash is one of them, and the only one from then on.
    pub fn settle(&mut self, found: T, what: &str) {
        assert!(found == self.sure || self.newer.contains(&found), "{what}: {found:?} is none of {self:?}");
        *self = Self::new(found);
    }
}

pub type Stream = (Option<SessionId>, Option<ViewId>);

#[derive(Clone)]
pub struct ModelStep {
    pub step: Step,
    pub detail: StepDetail,
    pub before: Expect,
    pub after: Expect,
    /// The step has a state after it, if only the reason why there is none.
    pub has_after: bool,
    pub html: [Expect; 2],
    /// Thinning must leave it: it was whole when it was marked.
    pub marked_whole: bool,
    /// A text that came with it, to be searched for.
    pub token: Option<String>,
    /// The state before it in its view, where both are JSON.
    pub follows: Option<Arc<str>>,
}

/// What is known of a view while it is recorded.
pub struct View {
    pub last: Expect,
    /// The last text, also where there was none after it.
    pub text: Option<Arc<str>>,
    pub document: Option<Arc<Document>>,
}

/// One recording.
pub struct Recording {
    pub id: RecordingId,
    pub title: Versions<String>,
    pub steps: Vec<ModelStep>,
    /// So many of them are on the disk.
    pub durable: usize,
    /// It is itself.
    pub is_durable: bool,
    pub views: HashMap<Stream, View>,
    pub states: HashMap<Stream, States>,
    pub pages: HashMap<Option<SessionId>, Expect>,
    pub sessions: BTreeMap<SessionId, Versions<Option<Session>>>,
    pub shells: BTreeMap<SessionId, Versions<Option<PageShell>>>,
    pub marks: BTreeMap<u64, Versions<Option<String>>>,
    pub kept: Versions<bool>,
    pub live: Option<Recorder>,
    /// Only a part of what was in a damaged file.
    pub damaged: bool,
    /// Its end could not be written, and nothing is written any more.
    pub ended_badly: bool,
    /// What is said of its pages may be older than the newest.
    pub is_loose: bool,
    /// Something of it may have been dropped.
    pub thinned: bool,
    /// It is being deleted: after a crash it is there as a whole, or not.
    pub leaving: bool,
    /// It was being taken in: likewise.
    pub arriving: bool,
}

impl Recording {
    pub fn new(id: RecordingId, title: &str, live: Option<Recorder>) -> Self {
        Self {
            id,
            title: Versions::new(title.to_owned()),
            steps: Vec::new(),
            durable: 0,
            is_durable: false,
            views: HashMap::new(),
            states: HashMap::new(),
            pages: HashMap::new(),
            sessions: BTreeMap::new(),
            shells: BTreeMap::new(),
            marks: BTreeMap::new(),
            kept: Versions::new(false),
            live,
            damaged: false,
            ended_badly: false,
            is_loose: false,
            thinned: false,
            leaving: false,
            arriving: false,
        }
    }

    /// What another recording has that was made of this one.
    pub fn copy(&self, id: RecordingId) -> Self {
        let mut copy = Self::new(id, self.title.newest(), None);
        copy.steps.clone_from(&self.steps);
        copy.sessions = self.sessions.iter().map(|(id, session)| (id.clone(), Versions::new(session.newest().clone()))).collect();
        copy.shells = self.shells.iter().map(|(id, shell)| (id.clone(), Versions::new(shell.newest().clone()))).collect();
        copy.marks = self.marks.iter().map(|(step, note)| (*step, Versions::new(note.newest().clone()))).collect();
        copy.thinned = self.thinned;
        copy.damaged = self.damaged;
        copy.is_durable = true;
        copy.durable = copy.steps.len();
        copy
    }

    /// Everything up to here is on the disk.
    pub fn flushed(&mut self) {
        self.durable = self.steps.len();
        self.is_durable = true;
        self.title.flushed();
        self.sessions.values_mut().for_each(Versions::flushed);
        self.shells.values_mut().for_each(Versions::flushed);
    }

    /// As whoever goes on with it finds it: what a view had last is read back.
    pub fn taken_up(&mut self) {
        self.views.clear();
        self.pages.clear();
        for step in &self.steps {
            let stream = (step.step.session.clone(), step.step.view.clone());
            if step.step.has_states() {
                let last = if step.has_after { &step.after } else { &step.before };
                let last = if self.thinned { last.clone().or_nothing() } else { last.clone() };
                let text = last.text().cloned();
                self.views.insert(stream.clone(), View { last, text, document: None });
            }
            let page = step.html[1].clone();
            self.pages.insert(stream.0, if self.thinned { page.or_nothing() } else { page });
        }
        self.pages.retain(|_, page| *page != Expect::Missing);
    }
}
