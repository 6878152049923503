//! The selected steps of a recording, one after the other, cleaned.

use std::collections::HashSet;
use std::sync::Arc;

use inspector_model::{
    PageShell, RecordedPage, RecordingInfo, Selection, ServerInfo, Session, SessionId, Side, StateAnswer, Step, StepDetail, Value,
};
use inspector_store::{Reader, StoreError};

use crate::redact::Redactor;
use crate::{Progress, ShareError};

/// States and pages that are at hand cleaned: those of the views that are active at once.
const RECENT: usize = 8;

/// Earlier connections of a page that are asked for what surrounds it.
const MAX_EARLIER: usize = 32;

/// The state at one end of a step.
#[derive(Clone, Debug)]
pub enum End {
    /// The step has none.
    None,
    /// Cleaned.
    State(Arc<Value>),
    /// There is one, but it is not here; the reason.
    Missing(String),
}

impl End {
    /// The state, if it is here.
    pub fn state(&self) -> Option<&Value> {
        if let Self::State(value) = self { Some(value) } else { None }
    }
}

/// One step with everything about it, cleaned.
pub struct Item {
    /// Its line.
    pub step: Step,
    /// Everything else.
    pub detail: StepDetail,
    /// What it found.
    pub before: End,
    /// What it left.
    pub after: End,
    /// The page after it, when it was rendered anew or is the first of its session here.
    pub html: Option<Arc<str>>,
}

/// Selected steps.
pub struct Excerpt<'a> {
    reader: &'a Reader,
    steps: Vec<Step>,
    sessions: Vec<Session>,
    all_sessions: Vec<Session>,
    info: RecordingInfo,
    progress: Progress<'a>,
}

impl<'a> Excerpt<'a> {
    /// Selects.
    pub fn new(reader: &'a Reader, selection: &Selection, progress: Progress<'a>) -> Result<Self, ShareError> {
        let first = selection.first.map_or(1, |id| id.0);
        let end = selection.last.map_or(u64::MAX, |id| id.0.saturating_add(1));
        let mut steps = reader.steps_in(first..end.max(first))?;
        steps.retain(|step| selection.has(step));
        let info = reader.info();
        if steps.is_empty() {
            return Err(ShareError::Nothing { first: info.steps.min(1), last: info.steps });
        }
        let here: HashSet<&SessionId> = steps.iter().filter_map(|step| step.session.as_ref()).collect();
        let all_sessions = reader.sessions()?;
        let sessions = all_sessions.iter().filter(|session| here.contains(&session.id)).cloned().collect();
        Ok(Self { reader, steps, sessions, all_sessions, info, progress })
    }

    /// What the library says of the whole recording.
    pub const fn info(&self) -> &RecordingInfo {
        &self.info
    }

    /// The steps' lines as they were recorded.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The pages that the steps are of, as they were recorded.
    pub fn sessions(&self) -> &[Session] {
        &self.sessions
    }

    /// The pages, cleaned.
    pub fn clean_sessions(&self, redactor: &mut Redactor) -> Result<Vec<Session>, ShareError> {
        self.sessions.iter().map(|session| redactor.session(session)).collect()
    }

    /// The server, cleaned.
    pub fn server(&self, redactor: &mut Redactor) -> Result<Option<ServerInfo>, ShareError> {
        self.reader.server()?.map(|server| redactor.server(&server)).transpose()
    }

    /// The recording's title, cleaned.
    pub fn title(&self, redactor: &mut Redactor) -> String {
        redactor.html(&self.info.title)
    }

    /// The configuration, cleaned.
    pub fn config(&self, redactor: &mut Redactor) -> Result<Option<inspector_model::Configuration>, ShareError> {
        self.reader.config()?.map(|config| redactor.config(&config)).transpose()
    }

    /// What surrounds a page, cleaned.
    pub fn shell(&self, session: &SessionId, redactor: &mut Redactor) -> Result<Option<PageShell>, ShareError> {
        shell(self.reader, &connections(&self.all_sessions, session))?.map(|shell| redactor.shell(&shell)).transpose()
    }

    /// Goes over everything without keeping it: what learns and counts.
    pub fn look(&self, redactor: &mut Redactor, part: Part) -> Result<(), ShareError> {
        self.title(redactor);
        self.server(redactor)?;
        self.config(redactor)?;
        self.clean_sessions(redactor)?;
        for session in &self.sessions {
            self.shell(&session.id, redactor)?;
        }
        self.each(redactor, part, |_| Ok(()))
    }

    /// Calls `visit` with each step, in order. Stops when whoever waits says so.
    pub fn each(
        &self,
        redactor: &mut Redactor,
        part: Part,
        mut visit: impl FnMut(Item) -> Result<(), ShareError>,
    ) -> Result<(), ShareError> {
        let mut states: Recent<Result<Arc<Value>, String>> = Recent::default();
        let mut pages: Recent<Arc<str>> = Recent::default();
        let mut shown: HashSet<&SessionId> = HashSet::new();
        let total = self.steps.len() as u64;
        for (number, step) in (0..).zip(&self.steps) {
            if !(self.progress)(part.number * total + number, part.of * total) {
                return Err(ShareError::Stopped);
            }
            let mut end = |side| -> Result<End, ShareError> {
                Ok(match self.reader.state(step.id, side)? {
                    StateAnswer::Missing(_) if !step.has_states() => End::None,
                    StateAnswer::Missing(why) => End::Missing(why),
                    StateAnswer::Full(text) => {
                        let clean = states.get(&text, |text| {
                            redactor.state(text).map(Arc::new).ok_or_else(|| "it is nested too deeply to be cleaned of secrets".to_owned())
                        });
                        clean.map_or_else(End::Missing, End::State)
                    }
                })
            };
            let (before, after) = (end(Side::Before)?, end(Side::After)?);
            let first = step.session.as_ref().is_some_and(|session| shown.insert(session));
            let html = if step.rendered || first { self.reader.html(step.id, Side::After)? } else { None };
            let html = html.map(|html| pages.get(&html, |html| redactor.html(html).into()));
            let detail = redactor.detail(self.reader.detail(step.id)?);
            visit(Item { step: redactor.step(step)?, detail, before, after, html })?;
        }
        Ok(())
    }

    /// A page as a document that does nothing.
    pub fn document(html: &Arc<str>, shell: Option<Arc<PageShell>>) -> String {
        let page = RecordedPage { html: html.clone(), shell, changed: Vec::new(), server: None };
        inspector_page::document(&page, inspector_page::Options::default())
    }
}

/// Which part of the whole work it is, for the progress.
#[derive(Clone, Copy)]
pub struct Part {
    /// From 0.
    pub number: u64,
    /// How many there are.
    pub of: u64,
}

/// The last few texts that something was made of.
struct Recent<T> {
    made: Vec<(Arc<str>, T)>,
    next: usize,
}

impl<T> Default for Recent<T> {
    fn default() -> Self {
        Self { made: Vec::new(), next: 0 }
    }
}

impl<T: Clone> Recent<T> {
    fn get(&mut self, text: &Arc<str>, make: impl FnOnce(&str) -> T) -> T {
        if let Some((_, made)) = self.made.iter().find(|(known, _)| Arc::ptr_eq(known, text) || known == text) {
            return made.clone();
        }
        let made = make(text);
        let entry = (text.clone(), made.clone());
        if self.made.len() < RECENT {
            self.made.push(entry);
        } else {
            self.made[self.next] = entry;
            self.next = (self.next + 1) % RECENT;
        }
        made
    }
}

/// A page, and before it in time the connections whose surroundings are also its own, the latest first. A page that reconnected,
/// also to a server that was restarted, was not loaded again: it has what the same user had at the same path.
pub fn connections<'s>(sessions: impl IntoIterator<Item = &'s Session>, id: &SessionId) -> Vec<SessionId> {
    let mut all = vec![id.clone()];
    let sessions: Vec<&Session> = sessions.into_iter().collect();
    let page =
        sessions.iter().find(|session| session.id == *id).filter(|session| session.path.is_some() && session.django_session.is_some());
    let Some(page) = page else { return all };
    let same = |other: &&&Session| other.path == page.path && other.django_session == page.django_session;
    let mut earlier: Vec<&&Session> = sessions.iter().filter(same).filter(|other| other.opened < page.opened).collect();
    earlier.sort_by(|a, b| b.opened.total_cmp(&a.opened));
    all.extend(earlier.into_iter().take(MAX_EARLIER).map(|session| session.id.clone()));
    all
}

/// What surrounds a page, given its [`connections`].
pub fn shell(reader: &Reader, connections: &[SessionId]) -> Result<Option<PageShell>, StoreError> {
    for session in connections {
        if let Some(shell) = reader.shell(session)? {
            return Ok(Some(shell));
        }
    }
    Ok(None)
}
