//! The selected steps of a recording, one after the other, cleaned.

use std::collections::HashSet;
use std::sync::Arc;

use inspector_model::{
    ExportFormat, ExportOptions, PageShell, RecordingInfo, ServerInfo, Session, SessionId, Side, StateAnswer, Step, StepDetail, StepId,
    Value,
};
use inspector_store::{Progress, Reader, StoreError};

use crate::ShareError;
use crate::redact::Redactor;

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
    /// How many of the steps are written: of a report the first ones.
    written: usize,
    sessions: Vec<Session>,
    all_sessions: Vec<Session>,
    info: RecordingInfo,
    progress: Progress<'a>,
}

impl<'a> Excerpt<'a> {
    /// Selects.
    pub fn new(reader: &'a Reader, options: &ExportOptions, progress: Progress<'a>) -> Result<Self, ShareError> {
        let selection = &options.selection;
        let first = selection.first.map_or(1, |id| id.0);
        let end = selection.last.map_or(u64::MAX, |id| id.0.saturating_add(1));
        let mut steps = reader.steps_in(first..end.max(first))?;
        steps.retain(|step| selection.has(step));
        let info = reader.info();
        if steps.is_empty() {
            return Err(ShareError::Nothing { first: info.steps.min(1), last: info.steps });
        }
        // More than one step is no capture, and refused as a whole.
        let most = options.format.most_steps().filter(|_| options.format != ExportFormat::BugCapture);
        let written = steps.len().min(most.map_or(usize::MAX, |most| most as usize));
        let here: HashSet<&SessionId> = steps.iter().filter_map(|step| step.session.as_ref()).collect();
        let all_sessions = reader.sessions()?;
        let sessions = all_sessions.iter().filter(|session| here.contains(&session.id)).cloned().collect();
        Ok(Self { reader, steps, written, sessions, all_sessions, info, progress })
    }

    /// What the library says of the whole recording.
    pub const fn info(&self) -> &RecordingInfo {
        &self.info
    }

    /// The selected steps' lines as they were recorded.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// How many of them [`Excerpt::each`] visits.
    pub const fn written(&self) -> usize {
        self.written
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

    /// The notes of the marked steps, cleaned.
    pub fn marks(&self, redactor: &mut Redactor) -> Result<Vec<(StepId, String)>, ShareError> {
        let marks = self.reader.marks()?.into_iter();
        let marks = marks.filter(|(step, _)| self.steps.binary_search_by_key(step, |step| step.id).is_ok());
        Ok(marks.map(|(step, note)| (step, redactor.note(&note))).collect())
    }

    /// Learns what is secret here, also from the steps that are not written.
    pub fn learn(&self, redactor: &mut Redactor, part: Part) -> Result<(), ShareError> {
        self.look_at(&self.steps, redactor, part)?;
        redactor.learned()
    }

    /// Goes over everything that is written without keeping it: what counts.
    pub fn look(&self, redactor: &mut Redactor, part: Part) -> Result<(), ShareError> {
        self.look_at(&self.steps[..self.written], redactor, part)
    }

    fn look_at(&self, steps: &[Step], redactor: &mut Redactor, part: Part) -> Result<(), ShareError> {
        self.title(redactor);
        self.server(redactor)?;
        self.config(redactor)?;
        self.marks(redactor)?;
        self.clean_sessions(redactor)?;
        for session in &self.sessions {
            self.shell(&session.id, redactor)?;
        }
        self.visit(steps, redactor, part, |_| Ok(()))
    }

    /// Calls `visit` with each step that is written, in order.
    pub fn each(&self, redactor: &mut Redactor, part: Part, visit: impl FnMut(Item) -> Result<(), ShareError>) -> Result<(), ShareError> {
        self.visit(&self.steps[..self.written], redactor, part, visit)
    }

    /// Tells how much of a part of the work is done, and whether to go on.
    pub fn goes_on(&self, part: Part, done: u64, total: u64) -> bool {
        let steps = self.steps.len() as u64;
        (self.progress)(part.number * steps + steps * done.min(total) / total.max(1), part.of * steps)
    }

    fn visit(
        &self,
        steps: &[Step],
        redactor: &mut Redactor,
        part: Part,
        mut visit: impl FnMut(Item) -> Result<(), ShareError>,
    ) -> Result<(), ShareError> {
        let mut states: Recent<Result<Arc<Value>, String>> = Recent::default();
        let mut pages: Recent<Arc<str>> = Recent::default();
        let mut shown: HashSet<&SessionId> = HashSet::new();
        for (number, step) in (0..).zip(steps) {
            if !self.goes_on(part, number, steps.len() as u64) {
                return Err(ShareError::Cancelled);
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
