//! The writing side of a recording: the open segment, the open piece of summaries, and the last text of each stream.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use inspector_model::{PageShell, RecordingId, RecordingInfo, SessionId, Step, StepDetail, StepId};
use serde::{Deserialize, Serialize};

use crate::cache::Cache;
use crate::database::Database;
use crate::error::StoreError;
use crate::key;
use crate::piece::{self, PIECE};
use crate::recorder::{NewState, NewStep};
use crate::segment::{LARGEST, LONGEST_TEXT, Put, Segment, SegmentWriter, StreamKey, TextRef};
use crate::shell;
use crate::source::Source;

/// Bytes of last texts that are held. Others are read back when they are needed.
const HELD: usize = 64 << 20;

/// The catalogue's entry.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Catalogue {
    #[serde(flatten)]
    pub(crate) info: RecordingInfo,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) damaged: Option<String>,
}

/// The last text of a stream.
#[derive(Default)]
struct Last {
    /// The text, unless it was given up or never read after a restart.
    text: Option<Arc<str>>,
    /// Why there is none.
    missing: Option<String>,
    /// The step that has it.
    step: u64,
    used: u64,
}

pub(crate) struct Writer {
    db: Database,
    source: Source,
    pub(crate) catalogue: Catalogue,
    pub(crate) segment: SegmentWriter,
    /// Whole pieces of the segment that are in the database.
    pieces: u32,
    pub(crate) summary_piece: u32,
    /// Summaries after the whole pieces.
    pub(crate) summaries: Vec<u8>,
    /// Descriptions that are not in the database yet.
    pub(crate) descriptions: BTreeMap<Vec<u8>, Vec<u8>>,
    sessions: HashSet<SessionId>,
    states: HashMap<StreamKey, Last>,
    pages: HashMap<Option<SessionId>, Last>,
    held: usize,
    clock: u64,
    /// Bytes of values that stay as they are, and of those that are written anew while they grow.
    settled: u64,
    growing: u64,
    changed: bool,
    /// The recorder is gone: readers look into the database.
    pub(crate) closed: bool,
}

impl Writer {
    pub(crate) fn new(db: &Database, catalogue: Catalogue) -> Self {
        Self {
            db: db.clone(),
            source: Source::database(db, &catalogue.info.id),
            segment: SegmentWriter::new(catalogue.info.steps + 1),
            pieces: 0,
            summary_piece: 0,
            summaries: Vec::new(),
            descriptions: BTreeMap::new(),
            sessions: HashSet::new(),
            states: HashMap::new(),
            pages: HashMap::new(),
            held: 0,
            clock: 0,
            settled: catalogue.info.bytes,
            growing: 0,
            changed: true,
            closed: false,
            catalogue,
        }
    }

    /// Goes on where an earlier writer ended.
    pub(crate) fn resume(db: &Database, catalogue: Catalogue, steps: &[Step], sessions: Vec<SessionId>) -> Result<Self, StoreError> {
        let mut writer = Self::new(db, catalogue);
        if steps.len() as u64 != writer.catalogue.info.steps {
            return Err(StoreError::damaged("steps are missing; it can be read but not continued"));
        }
        writer.sessions = sessions.into_iter().collect();
        for step in steps {
            let last = || Last { step: step.id.0, ..Last::default() };
            if step.has_states() {
                writer.states.insert((step.session.clone(), step.view.clone()), last());
            }
            writer.pages.insert(step.session.clone(), last());
        }
        // The last piece of the summaries grows on.
        let mut last = None;
        writer.source.each(&[key::SUMMARY], |_, value| {
            writer.summary_piece += u32::from(last.is_some());
            last = Some(value.to_vec());
            Ok(true)
        })?;
        if let Some(value) = last {
            writer.summaries = piece::unpack(&value)?;
            writer.settled = writer.settled.saturating_sub(value.len() as u64);
            writer.growing = value.len() as u64;
        }
        Ok(writer)
    }

    pub(crate) fn id(&self) -> &RecordingId {
        &self.catalogue.info.id
    }

    pub(crate) const fn steps(&self) -> u64 {
        self.catalogue.info.steps
    }

    pub(crate) fn append(&mut self, new: NewStep) -> Result<StepId, StoreError> {
        self.db.check()?;
        if self.segment.is_full() {
            self.store()?;
            self.settled += std::mem::take(&mut self.growing);
            self.segment = SegmentWriter::new(self.steps() + 1);
            self.pieces = 0;
        }
        let NewStep { mut step, detail, before, after, html } = new;
        let id = self.steps() + 1;
        step.id = StepId(id);
        // JSON has no word for the others, and would not be read again.
        step.started = if step.started.is_finite() { step.started } else { self.catalogue.info.ended };
        step.duration_ms = step.duration_ms.filter(|duration| duration.is_finite());
        let summary = serde_json::to_vec(&step).map_err(StoreError::Encode)?;
        let detail = if detail == StepDetail::default() { Vec::new() } else { serde_json::to_vec(&detail).map_err(StoreError::Encode)? };

        let stream = (step.session.clone(), step.view.clone());
        let before = self.place_state(&stream, before, id);
        let after = self.place_state(&stream, after, id);
        let (page_before, page_after) = self.place_page(&stream, html, id);
        self.segment.push(&stream, &detail, [&before, &after, &page_before, &page_after]);

        self.summaries.extend(summary);
        self.summaries.push(b'\n');
        let info = &mut self.catalogue.info;
        info.steps = id;
        info.ended = info.ended.max(step.started + step.duration_ms.unwrap_or(0.0) / 1000.0);
        self.changed = true;
        self.give_up_texts();
        if self.summaries.len() >= PIECE {
            self.store()?;
        }
        Ok(StepId(id))
    }

    fn place_state(&mut self, stream: &StreamKey, new: NewState, id: u64) -> Put {
        self.clock += 1;
        let text = match new {
            NewState::None => return Put::Nothing,
            NewState::Missing(why) => {
                self.states.entry(stream.clone()).or_default().missing = Some(why.clone());
                return Put::Missing(why);
            }
            NewState::Text(text) if text.len() > LONGEST_TEXT => {
                let why = format!("the state is larger than {} MB and was not recorded", LONGEST_TEXT >> 20);
                self.states.entry(stream.clone()).or_default().missing = Some(why.clone());
                return Put::Missing(why);
            }
            NewState::Text(text) => text,
            NewState::Same => {
                let unknown = || Put::Missing("the state that it equals was not recorded".to_owned());
                let Some(last) = self.states.get(stream) else { return unknown() };
                if let Some(why) = &last.missing {
                    return Put::Missing(why.clone());
                }
                if self.segment.has_state(stream) {
                    return Put::Last;
                }
                match last.text.clone().or_else(|| self.read_back(last.step, false)) {
                    Some(text) => text,
                    None => return unknown(),
                }
            }
        };
        let begun = self.segment.has_state(stream);
        self.segment.begin_state(stream);
        let last = self.states.entry(stream.clone()).or_default();
        let base = last.text.replace(text.clone());
        self.held = self.held + text.len() - base.as_ref().map_or(0, |base| base.len());
        let same = begun && base.as_ref() == Some(&text);
        *last = Last { text: last.text.take(), missing: None, step: id, used: self.clock };
        if same { Put::Last } else { Put::Text(text, base.filter(|_| begun)) }
    }

    /// What the record says about the page before the step, which is needed once per segment, and after it.
    fn place_page(&mut self, stream: &StreamKey, html: Option<Arc<str>>, id: u64) -> (Put, Put) {
        self.clock += 1;
        let clock = self.clock;
        let mut begun = self.segment.has_page(stream);
        let mut before = Put::Nothing;
        if !begun
            && let Some(last) = self.pages.get(&stream.0)
            && let Some(text) = last.text.clone().or_else(|| self.read_back(last.step, true))
        {
            self.keep_page(stream, &text, id, clock);
            self.segment.begin_page(stream);
            begun = true;
            before = Put::Text(text, None);
        }
        let after = match html {
            None => Put::Nothing,
            Some(html) if html.len() > LONGEST_TEXT => Put::Missing("the page is too large and was not recorded".to_owned()),
            Some(html) => {
                self.segment.begin_page(stream);
                let base = self.keep_page(stream, &html, id, clock).filter(|_| begun);
                Put::Text(html, base)
            }
        };
        (before, after)
    }

    /// Makes `text` the last one of the page, and gives the one before.
    fn keep_page(&mut self, stream: &StreamKey, text: &Arc<str>, id: u64, used: u64) -> Option<Arc<str>> {
        let last = Last { text: Some(text.clone()), missing: None, step: id, used };
        let base = self.pages.insert(stream.0.clone(), last).and_then(|last| last.text);
        self.held = self.held + text.len() - base.as_ref().map_or(0, |base| base.len());
        base
    }

    /// The text that a step left, from the open segment or the database.
    fn read_back(&self, step: u64, page: bool) -> Option<Arc<str>> {
        let segment = if step >= self.segment.first {
            Segment::parse(self.segment.first, self.segment.raw.clone())
        } else {
            let first = self.source.segment_of(step).ok()??;
            Segment::parse(first, self.source.segment_bytes(first, LARGEST).ok()?.0)
        };
        let entry = segment.entry(step)?;
        let wanted = match (page, &entry.after) {
            (true, _) => &entry.page_after,
            (false, TextRef::Nothing) => &entry.before,
            (false, after) => after,
        };
        let TextRef::Version(stream, version) = wanted else { return None };
        segment.text(*stream, *version, &Cache::new())
    }

    /// Lets go of the texts that were used longest ago when there are too many.
    fn give_up_texts(&mut self) {
        if self.held <= HELD {
            return;
        }
        let mut lasts: Vec<&mut Last> =
            self.states.values_mut().chain(self.pages.values_mut()).filter(|last| last.text.is_some()).collect();
        lasts.sort_unstable_by_key(|last| last.used);
        for last in lasts {
            if self.held <= HELD / 2 {
                break;
            }
            self.held -= last.text.take().map_or(0, |text| text.len());
        }
    }

    pub(crate) fn describe(&mut self, name: Vec<u8>, json: serde_json::Result<Vec<u8>>) {
        let packed = match json.map_err(StoreError::Encode) {
            Ok(json) if json.len() > piece::LARGEST || name.len() > key::LONGEST => Err(StoreError::damaged("it is too large")),
            Ok(json) => piece::pack(&json),
            Err(error) => Err(error),
        };
        match packed {
            Ok(value) => {
                self.descriptions.insert(name, value);
                self.changed = true;
            }
            Err(error) => tracing::warn!(%error, "a description was not recorded"),
        }
    }

    pub(crate) fn surround(&mut self, session: &SessionId, shell: &PageShell) {
        let values = match shell::values(session, shell) {
            Ok(values) => values,
            Err(error) => return tracing::warn!(%error, "what surrounds a page was not recorded"),
        };
        for (name, value) in values {
            // Pieces are named after their content: what is there already is the same.
            let known = self.descriptions.contains_key(&name) || self.source.get(&name).is_ok_and(|value| value.is_some());
            if !known || name.first() == Some(&key::SHELL_OF) {
                self.settled += value.len() as u64;
                self.descriptions.insert(name, value);
                self.changed = true;
            }
        }
    }

    pub(crate) fn meet(&mut self, session: &SessionId) {
        self.sessions.insert(session.clone());
        self.catalogue.info.sessions = self.sessions.len() as u32;
    }

    pub(crate) fn touch(&mut self) {
        self.changed = true;
    }

    /// Puts everything into the database at once: a crash leaves all of it or nothing.
    pub(crate) fn store(&mut self) -> Result<(), StoreError> {
        self.db.check()?;
        if !self.changed {
            return Ok(());
        }
        // Before anything is changed here, so that it can go on when there is space again.
        self.db.check_space()?;
        let prefix = key::prefix(self.id());
        let name = |key: &[u8]| [prefix.as_slice(), key].concat();
        let mut batch = sled::Batch::default();
        self.growing = 0;
        for raw in self.segment.raw[self.pieces as usize * PIECE..].chunks(PIECE) {
            let value = piece::pack(raw)?;
            let key = name(&key::data(self.segment.first, self.pieces));
            if raw.len() == PIECE {
                self.pieces += 1;
                self.settled += value.len() as u64;
            } else {
                self.growing += value.len() as u64;
            }
            batch.insert(key, value);
        }
        let whole = self.summaries.len() / PIECE * PIECE;
        let rest = self.summaries.split_off(whole);
        for raw in std::mem::replace(&mut self.summaries, rest).chunks(PIECE) {
            let value = piece::pack(raw)?;
            self.settled += value.len() as u64;
            batch.insert(name(&key::summary(self.summary_piece)), value);
            self.summary_piece += 1;
        }
        if !self.summaries.is_empty() {
            let value = piece::pack(&self.summaries)?;
            self.growing += value.len() as u64;
            batch.insert(name(&key::summary(self.summary_piece)), value);
        }
        for (key, value) in std::mem::take(&mut self.descriptions) {
            batch.insert(name(&key), value);
        }
        self.catalogue.info.bytes = self.settled + self.growing;
        let entry = serde_json::to_vec(&self.catalogue).map_err(StoreError::Encode)?;
        batch.insert(key::catalogue(self.id()), entry);
        self.db.apply(batch)?;
        self.changed = false;
        Ok(())
    }

    pub(crate) const fn bytes(&self) -> u64 {
        self.settled + self.growing
    }
}
