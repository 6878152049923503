//! Reading a recording.

use std::collections::BTreeMap;
use std::ops::{Range, RangeInclusive};
use std::sync::{Arc, Weak};

use inspector_model::{
    Configuration, PageShell, RecordingInfo, ServerInfo, Session, SessionId, Side, StateAnswer, Step, StepDetail, StepId,
};
use parking_lot::Mutex;
use serde::de::DeserializeOwned;

use crate::cache::Cache;
use crate::descriptions::{self, Pages};
use crate::error::StoreError;
use crate::history::History;
use crate::key;
use crate::segment::{Segment, TextRef};
use crate::shell;
use crate::source::Source;
use crate::splice::Dialect;
use crate::summaries;
use crate::thin;
use crate::writer::{Catalogue, Writer};

/// Reads one recording. Clones share what is at hand.
#[derive(Clone)]
pub struct Reader {
    inner: Arc<Inner>,
}

struct Inner {
    source: Source,
    catalogue: Catalogue,
    live: Weak<Mutex<Writer>>,
    cache: Cache,
    history: Mutex<History>,
}

impl Reader {
    pub(crate) fn new(source: Source, catalogue: Catalogue, live: Weak<Mutex<Writer>>) -> Self {
        Self { inner: Arc::new(Inner { source, catalogue, live, cache: Cache::new(), history: Mutex::default() }) }
    }

    /// Asks the recorder, as long as there is one.
    pub(crate) fn live<T>(&self, ask: impl FnOnce(&Writer) -> T) -> Option<T> {
        // It holds its lock while it writes.
        crate::waiting::waits();
        let writer = self.inner.live.upgrade()?;
        let writer = writer.lock();
        (!writer.closed).then(|| ask(&writer))
    }

    pub(crate) fn source(&self) -> &Source {
        &self.inner.source
    }

    pub(crate) fn history(&self) -> &Mutex<History> {
        &self.inner.history
    }

    /// What the library says about it, as of now.
    pub fn info(&self) -> RecordingInfo {
        let mut info = match self.live(|writer| writer.catalogue.info.clone()) {
            Some(info) => return RecordingInfo { recording: true, ..info },
            None => self.inner.source.catalogue(&self.inner.catalogue.info.id).unwrap_or_else(|| self.inner.catalogue.clone()).info,
        };
        info.recording = false;
        info
    }

    /// Why only a part of it can be read, if so.
    pub fn damage(&self) -> Option<&str> {
        self.inner.catalogue.damaged.as_deref()
    }

    /// The summaries of all steps, in order.
    pub fn steps(&self) -> Result<Vec<Step>, StoreError> {
        self.steps_in(1..u64::MAX)
    }

    /// The summaries of some steps, in order: as many of the range as there are. One that cannot be read is a gap that says so. Costs what they cost, not what the recording
    /// has: ask for the end first, and a recording is on the screen at once.
    pub fn steps_in(&self, range: Range<u64>) -> Result<Vec<Step>, StoreError> {
        let open = self.live(|writer| {
            let mut pieces = writer.whole_summaries.clone();
            pieces.push((writer.summary_first, writer.summaries.clone()));
            (pieces, writer.steps())
        });
        let steps = open.as_ref().map_or_else(|| self.info().steps, |(_, steps)| *steps);
        let range = range.start.max(1)..range.end.min(steps.saturating_add(1));
        let mut steps = summaries::read(&self.inner.source, range, &open.map(|(pieces, _)| pieces).unwrap_or_default())?;
        // Nobody knows when it was; the beginning of the recording keeps the time axis as it is.
        for step in steps.iter_mut().filter(|step| summaries::is_unreadable(step)) {
            step.started = self.inner.catalogue.info.started;
        }
        Ok(steps)
    }

    /// The steps between the first and the last of which states were dropped to stay within a budget, if any: within them only
    /// those remain that [`crate::Retention`] names.
    pub fn thinned(&self) -> Option<RangeInclusive<StepId>> {
        let thinned = match self.live(|writer| writer.catalogue.thinned) {
            Some(thinned) => thinned,
            None => self.inner.source.catalogue(&self.inner.catalogue.info.id).unwrap_or_else(|| self.inner.catalogue.clone()).thinned,
        };
        let (first, last) = thinned?;
        // Of a damaged file nothing may be there behind the last one that was thinned.
        let last = self.inner.source.segment_after(last).ok()?.map_or_else(|| self.info().steps, |next| next - 1);
        Some(StepId(first)..=StepId(last)).filter(|thinned| !thinned.is_empty())
    }

    /// The pages, by the time they were opened. One whose description cannot be read is closed, and its path says so.
    pub fn sessions(&self) -> Result<Vec<Session>, StoreError> {
        let mut values: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
        // The recorder first: what it hands to the database in between is then seen twice rather than never.
        let newer = self.live(|writer| {
            let of_sessions = writer.unwritten.range(vec![key::SESSION]..vec![key::SESSION + 1]);
            of_sessions.map(|(name, value)| (name.clone(), value.clone())).collect::<Vec<_>>()
        });
        self.inner.source.each(&[key::SESSION], |name, value| {
            values.insert(name.to_vec(), value.to_vec());
            Ok(true)
        })?;
        values.extend(newer.into_iter().flatten());
        let mut pages = Pages::default();
        let mut sessions: Vec<Session> = values.iter().map(|(name, value)| pages.parse(name, value)).collect();
        sessions.sort_by(|a, b| a.opened.total_cmp(&b.opened));
        Ok(sessions)
    }

    /// The server, if it was seen and can be read.
    pub fn server(&self) -> Result<Option<ServerInfo>, StoreError> {
        self.description(key::SERVER)
    }

    /// The server's configuration, if it was seen and can be read.
    pub fn config(&self) -> Result<Option<Configuration>, StoreError> {
        self.description(key::CONFIG)
    }

    /// What surrounds the live part of a page, if it was seen.
    pub fn shell(&self, session: &SessionId) -> Result<Option<PageShell>, StoreError> {
        shell::read(session, |name| self.newest(name))
    }

    fn description<T: DeserializeOwned>(&self, name: u8) -> Result<Option<T>, StoreError> {
        let Some(value) = self.newest(&[name])? else { return Ok(None) };
        let description = descriptions::parse(&value);
        if description.is_none() {
            tracing::warn!(name = %char::from(name), "a description cannot be read");
        }
        Ok(description)
    }

    /// A value as the recorder has it, or the database.
    fn newest(&self, name: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let newer = self.live(|writer| writer.unwritten.get(name).cloned()).flatten();
        if newer.is_some() { Ok(newer) } else { self.inner.source.get(name) }
    }

    /// Everything about a step.
    pub fn detail(&self, id: StepId) -> Result<StepDetail, StoreError> {
        let segment = self.segment(id)?;
        let entry = segment.entry(id.0).ok_or_else(|| damaged_step(id))?;
        match segment.detail(entry) {
            [] => Ok(StepDetail::default()),
            json => serde_json::from_slice(json).map_err(|_| damaged_step(id)),
        }
    }

    /// The state at one end of a step.
    pub fn state(&self, id: StepId, side: Side) -> Result<StateAnswer, StoreError> {
        let segment = self.segment(id)?;
        let entry = segment.entry(id.0).ok_or_else(|| damaged_step(id))?;
        let text = match side {
            Side::Before => &entry.before,
            Side::After => &entry.after,
        };
        Ok(match text {
            TextRef::Nothing => StateAnswer::Missing("this step has no state".to_owned()),
            TextRef::Missing(place) => StateAnswer::Missing(segment.reason(place)),
            TextRef::Dropped => StateAnswer::Missing(thin::DROPPED.to_owned()),
            TextRef::Version(stream, version) => {
                StateAnswer::Full(segment.text(*stream, *version, &self.inner.cache).ok_or_else(|| damaged_step(id))?)
            }
        })
    }

    /// The HTML of the step's page at one end of it: the last render until then. `None` when none was seen, or it was dropped.
    pub fn html(&self, id: StepId, side: Side) -> Result<Option<Arc<str>>, StoreError> {
        let segment = self.segment(id)?;
        let entry = segment.entry(id.0).ok_or_else(|| damaged_step(id))?;
        let text = match side {
            Side::Before => &entry.page_before,
            Side::After => &entry.page_after,
        };
        match text {
            TextRef::Nothing | TextRef::Missing(_) | TextRef::Dropped => Ok(None),
            TextRef::Version(stream, version) => {
                segment.text(*stream, *version, &self.inner.cache).map(Some).ok_or_else(|| damaged_step(id))
            }
        }
    }

    pub(crate) fn segment(&self, id: StepId) -> Result<Arc<Segment>, StoreError> {
        let step = id.0;
        let not_found = || StoreError::NotFound { what: format!("step {id}") };
        let cache = &self.inner.cache;
        let open = self.live(|writer| {
            if step > writer.steps() {
                return Err(not_found());
            }
            let first = writer.segment.first;
            if step < first {
                return Ok(None);
            }
            Ok(Some(cache.segment(first, step).map_or_else(|| Err((first, writer.segment.raw.clone())), Ok)))
        });
        let segment = match open.transpose()?.flatten() {
            Some(Ok(segment)) => return Ok(segment),
            Some(Err((first, raw))) => Segment::parse(first, raw, Dialect::Second),
            None => {
                let first = self.inner.source.segment_of(step)?.filter(|_| step > 0).ok_or_else(not_found)?;
                if let Some(segment) = cache.segment(first, step) {
                    return Ok(segment);
                }
                if step > self.info().steps {
                    return Err(not_found());
                }
                let segment = self.inner.source.segment(first)?;
                // It may have been thinned between two of its pieces.
                if segment.entry(step).is_some() { segment } else { self.inner.source.segment(first)? }
            }
        };
        let segment = Arc::new(segment);
        if segment.entry(step).is_none() {
            return Err(damaged_step(id));
        }
        cache.keep_segment(&segment);
        Ok(segment)
    }
}

pub(crate) fn damaged_step(id: StepId) -> StoreError {
    StoreError::damaged(format!("step {id} cannot be read"))
}
