//! The writing side of a recording: the open segment, the open piece of summaries, and the last text of each stream.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Weak};
use std::time::Duration;

use inspector_model::{LONGEST_WORDS, PageShell, RecordingId, RecordingInfo, SessionId, Step, StepDetail, StepId, cut};
use inspector_tape::{Delta, Document, compare};
use serde::{Deserialize, Serialize};

use crate::FORMAT;
use crate::cache::Cache;
use crate::database::{Batch, Database};
use crate::disk;
use crate::error::StoreError;
use crate::key;
use crate::piece::{self, PIECE};
use crate::rebuild;
use crate::recorder::{NewState, NewStep};
use crate::segment::{LONGEST_TEXT, Segment, StreamKey, TextRef};
use crate::segment_writer::{Piece, Put, SegmentWriter};
use crate::shell;
use crate::source::Source;
use crate::splice::Dialect;
use crate::thin::{self, Retention};

/// How long two states are compared that whoever records has not compared: the index is only as good as the comparison.
const COMPARE: Duration = Duration::from_millis(250);

/// Bytes of summaries from which on a piece of them is not written again.
const ENOUGH: usize = 16 << 10;

/// How long a state is compared with the first of its segment: without it reading takes a little longer, no more.
const CHECKPOINT: Duration = Duration::from_millis(20);

/// Bytes of last texts that are held. Others are read back when they are needed.
const HELD: usize = 64 << 20;

/// The catalogue's entry.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Catalogue {
    #[serde(flatten)]
    pub(crate) info: RecordingInfo,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) damaged: Option<String>,
    /// The first steps of the first and the last segment that were thinned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) thinned: Option<(u64, u64)>,
}

/// The last text of a stream.
#[derive(Default)]
struct Last {
    /// The text, unless it was given up or never read after a restart.
    text: Option<Known>,
    /// After it was given up: whoever records may still hold it, and then nobody has to read it back.
    elsewhere: Weak<Document>,
    /// Why there is none.
    missing: Option<String>,
    /// The step that has it.
    step: u64,
    used: u64,
}

/// A text, and what is known of it.
#[derive(Clone)]
enum Known {
    /// Bytes.
    Text(Arc<str>),
    /// JSON.
    Document(Arc<Document>),
}

impl Known {
    /// What follows `earlier`, if that is known.
    fn new(text: Arc<str>, earlier: Option<&Self>) -> Self {
        let document = match earlier {
            Some(Self::Document(earlier)) => Document::after(earlier, text.clone()),
            _ => Document::new(text.clone()),
        };
        document.map_or(Self::Text(text), |document| Self::Document(Arc::new(document)))
    }

    fn text(&self) -> &Arc<str> {
        match self {
            Self::Text(text) => text,
            Self::Document(document) => document.text(),
        }
    }

    const fn document(&self) -> Option<&Arc<Document>> {
        match self {
            Self::Text(_) => None,
            Self::Document(document) => Some(document),
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Document(document) => document.bytes(),
        }
    }
}

pub(crate) struct Writer {
    db: Database,
    source: Source,
    pub(crate) catalogue: Catalogue,
    pub(crate) segment: SegmentWriter,
    /// The step that the open piece of the summaries begins with.
    pub(crate) summary_first: u64,
    /// The open piece.
    pub(crate) summaries: Vec<u8>,
    /// Pieces of the summaries that are complete, but not in the database yet.
    pub(crate) whole_summaries: Vec<(u64, Vec<u8>)>,
    /// Values by key that are to be written: descriptions, what the segment's stream gave, indexes. Each stays until the database
    /// has it, because nothing gives it a second time.
    pub(crate) unwritten: BTreeMap<Vec<u8>, Vec<u8>>,
    sessions: HashSet<SessionId>,
    states: HashMap<StreamKey, Last>,
    pages: HashMap<Option<SessionId>, Last>,
    held: usize,
    clock: u64,
    /// Bytes of values that stay as they are, and of those that are written anew while they grow.
    settled: u64,
    growing: u64,
    growing_segment: u64,
    changed: bool,
    /// The recorder is gone: readers look into the database.
    pub(crate) closed: bool,
}

impl Writer {
    pub(crate) fn new(db: &Database, catalogue: Catalogue) -> Result<Self, StoreError> {
        let first = catalogue.info.steps + 1;
        Ok(Self {
            db: db.clone(),
            source: Source::database(db, &catalogue.info.id),
            segment: SegmentWriter::new(first)?,
            summary_first: first,
            summaries: Vec::new(),
            whole_summaries: Vec::new(),
            unwritten: BTreeMap::new(),
            sessions: HashSet::new(),
            states: HashMap::new(),
            pages: HashMap::new(),
            held: 0,
            clock: 0,
            settled: catalogue.info.bytes,
            growing: 0,
            growing_segment: 0,
            changed: true,
            closed: false,
            catalogue,
        })
    }

    /// Goes on where an earlier writer ended, in a segment of its own. What format the recording had does not matter.
    pub(crate) fn resume(db: &Database, catalogue: Catalogue, steps: &[Step], sessions: Vec<SessionId>) -> Result<Self, StoreError> {
        let mut writer = Self::new(db, catalogue)?;
        if steps.len() as u64 != writer.catalogue.info.steps {
            return Err(StoreError::damaged("steps are missing; it can be read but not continued"));
        }
        writer.catalogue.info.format = FORMAT;
        writer.sessions = sessions.into_iter().collect();
        for step in steps {
            let last = || Last { step: step.id.0, ..Last::default() };
            if step.has_states() {
                writer.states.insert((step.session.clone(), step.view.clone()), last());
            }
            writer.pages.insert(step.session.clone(), last());
        }
        // The last segment has no index when the program was killed while it was open.
        let last = steps.last().map(|step| writer.source.segment_of(step.id.0)).transpose()?.flatten();
        if let Some(last) = last
            && !writer.source.has_index(last)?
        {
            let segment = writer.source.segment(last)?;
            writer.put_values(thin::index_values(&rebuild::index(&segment))?);
        }
        Ok(writer)
    }

    pub(crate) fn id(&self) -> &RecordingId {
        &self.catalogue.info.id
    }

    pub(crate) const fn steps(&self) -> u64 {
        self.catalogue.info.steps
    }

    /// Makes room for one more step.
    pub(crate) fn make_ready(&mut self) -> Result<(), StoreError> {
        self.db.check()?;
        if self.segment.is_full() { self.store(true) } else { Ok(()) }
    }

    pub(crate) fn append(&mut self, new: NewStep) -> Result<StepId, StoreError> {
        self.make_ready()?;
        let NewStep { mut step, detail, before, after, html } = new;
        let id = self.steps() + 1;
        step.id = StepId(id);
        // JSON has no word for the others, and would not be read again.
        step.started = if step.started.is_finite() { step.started } else { self.catalogue.info.ended };
        step.duration_ms = step.duration_ms.filter(|duration| duration.is_finite());
        let summary = summary_line(&mut step)?;
        let detail = if detail == StepDetail::default() { Vec::new() } else { serde_json::to_vec(&detail).map_err(StoreError::Encode)? };

        let stream = (step.session.clone(), step.view.clone());
        let before = self.place_state(&stream, before, id);
        let after = self.place_state(&stream, after, id);
        let (page_before, page_after) = self.place_page(&stream, html, id);
        self.segment.push(&stream, &detail, [&before, &after, &page_before, &page_after]);

        if self.summaries.len() + summary.len() >= disk::tuned(PIECE, 1_500) && !self.summaries.is_empty() {
            self.whole_summaries.push((self.summary_first, std::mem::take(&mut self.summaries)));
            self.summary_first = id;
        }
        self.summaries.extend(summary);
        self.summaries.push(b'\n');
        let info = &mut self.catalogue.info;
        info.steps = id;
        info.ended = info.ended.max(step.started + step.duration_ms.unwrap_or(0.0) / 1000.0);
        self.changed = true;
        self.give_up_texts();
        Ok(StepId(id))
    }

    fn place_state(&mut self, stream: &StreamKey, new: NewState, id: u64) -> Put {
        self.clock += 1;
        let too_long =
            |len: usize| (len > LONGEST_TEXT).then(|| format!("the state is larger than {} MB and was not recorded", LONGEST_TEXT >> 20));
        let new = match new {
            NewState::Text(text) => too_long(text.len()).map_or(NewState::Text(text), NewState::Missing),
            other => other,
        };
        let (text, delta) = match new {
            NewState::None => return Put::Nothing,
            NewState::Missing(mut why) => {
                // It is said again in each step that has the same state.
                cut(&mut why, LONGEST_WORDS);
                self.states.entry(stream.clone()).or_default().missing = Some(why.clone());
                return Put::Missing(why);
            }
            NewState::Same => return self.place_same(stream),
            NewState::Text(text) => match self.last_state(stream) {
                Some(last) if *last.text() == text => (last, None),
                last => (Known::new(text, last.as_ref()), None),
            },
            NewState::Document(document) => (Known::Document(document), None),
            NewState::Compared(delta) => (Known::Document(delta.after().clone()), Some(delta)),
        };
        let earlier = self.last_state(stream);
        let begun = self.segment.has_state(stream);
        self.segment.begin_state(stream, text.document());
        let put = match &earlier {
            None => {
                self.segment.index.note_first(id, stream);
                Put::Whole(text.text().clone(), false)
            }
            Some(earlier) if earlier.text() == text.text() => {
                if begun {
                    Put::Last
                } else {
                    Put::Whole(text.text().clone(), true)
                }
            }
            Some(Known::Document(before)) if let Known::Document(after) = &text => {
                let of_these = |delta: &Arc<Delta>| Arc::ptr_eq(delta.before(), before) || delta.before().text() == before.text();
                let delta = delta.filter(of_these).unwrap_or_else(|| Arc::new(compare(before, after, COMPARE)));
                self.segment.index.note(id, stream, &delta);
                if begun { self.place_delta(stream, delta) } else { Put::Whole(text.text().clone(), false) }
            }
            Some(earlier) => {
                self.segment.index.note_changed(id, stream);
                if begun { Put::Bytes(text.text().clone(), earlier.text().clone()) } else { Put::Whole(text.text().clone(), false) }
            }
        };
        self.keep_state(stream, text, id);
        put
    }

    fn place_delta(&mut self, stream: &StreamKey, delta: Arc<Delta>) -> Put {
        let after = delta.after();
        if let Some(first) = self.segment.checkpoint(stream, after.text().len()) {
            let since_first = compare(&first, after, CHECKPOINT);
            if !since_first.cut_short {
                return Put::Checkpoint(Arc::new(since_first));
            }
        }
        Put::Delta(delta)
    }

    /// The state that a stream has already.
    fn place_same(&mut self, stream: &StreamKey) -> Put {
        let unknown = || Put::Missing("the state that it equals was not recorded".to_owned());
        let Some(last) = self.states.get(stream) else { return unknown() };
        if let Some(why) = &last.missing {
            return Put::Missing(why.clone());
        }
        if self.segment.has_state(stream) {
            return Put::Last;
        }
        match self.last_state(stream) {
            Some(text) => {
                self.segment.begin_state(stream, text.document());
                Put::Whole(text.text().clone(), true)
            }
            None => unknown(),
        }
    }

    /// The last text of a stream, read back where it was given up.
    fn last_state(&mut self, stream: &StreamKey) -> Option<Known> {
        let last = self.states.get_mut(stream)?;
        last.used = self.clock;
        let step = last.step;
        if last.text.is_none()
            && let Some(document) = last.elsewhere.upgrade()
        {
            return Some(Known::Document(document));
        }
        if last.text.is_none() && step > 0 {
            let text = Known::new(self.read_back(step, false)?, None);
            self.held += text.bytes();
            self.states.get_mut(stream)?.text = Some(text);
        }
        self.states.get(stream)?.text.clone()
    }

    fn keep_state(&mut self, stream: &StreamKey, text: Known, step: u64) {
        self.held += text.bytes();
        let last = Last { text: Some(text), step, used: self.clock, ..Last::default() };
        let before = self.states.insert(stream.clone(), last).and_then(|last| last.text);
        self.held -= before.map_or(0, |text| text.bytes());
    }

    /// What the record says about the page before the step, which is needed once per segment, and after it.
    fn place_page(&mut self, stream: &StreamKey, html: Option<Arc<str>>, id: u64) -> (Put, Put) {
        self.clock += 1;
        let clock = self.clock;
        let mut begun = self.segment.has_page(stream);
        let mut before = Put::Nothing;
        if !begun
            && let Some(last) = self.pages.get(&stream.0)
            && let Some(text) = last.text.as_ref().map(|text| text.text().clone()).or_else(|| self.read_back(last.step, true))
        {
            self.keep_page(stream, &text, id, clock);
            self.segment.begin_page(stream);
            begun = true;
            before = Put::Whole(text, true);
        }
        let after = match html {
            None => Put::Nothing,
            Some(html) if html.len() > LONGEST_TEXT => Put::Missing("the page is too large and was not recorded".to_owned()),
            Some(html) => {
                self.segment.begin_page(stream);
                match self.keep_page(stream, &html, id, clock).filter(|_| begun) {
                    Some(base) => Put::Bytes(html, base),
                    None => Put::Whole(html, false),
                }
            }
        };
        (before, after)
    }

    /// Makes `text` the last one of the page, and gives the one before.
    fn keep_page(&mut self, stream: &StreamKey, text: &Arc<str>, id: u64, used: u64) -> Option<Arc<str>> {
        let last = Last { text: Some(Known::Text(text.clone())), step: id, used, ..Last::default() };
        let base = self.pages.insert(stream.0.clone(), last).and_then(|last| last.text);
        self.held = self.held + text.len() - base.as_ref().map_or(0, Known::bytes);
        base.map(|base| base.text().clone())
    }

    /// The text that a step left, from the open segment or the database.
    fn read_back(&self, step: u64, page: bool) -> Option<Arc<str>> {
        let segment = if step >= self.segment.first {
            Segment::parse(self.segment.first, self.segment.raw.clone(), Dialect::Second)
        } else {
            self.source.segment(self.source.segment_of(step).ok()??).ok()?
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
        let most = disk::tuned(HELD, 3_000);
        if self.held <= most {
            return;
        }
        let mut lasts: Vec<&mut Last> =
            self.states.values_mut().chain(self.pages.values_mut()).filter(|last| last.text.is_some()).collect();
        lasts.sort_unstable_by_key(|last| last.used);
        for last in lasts {
            if self.held <= most / 2 {
                break;
            }
            let Some(text) = last.text.take() else { continue };
            self.held -= text.bytes();
            if let Known::Document(document) = text {
                last.elsewhere = Arc::downgrade(&document);
            }
        }
    }

    /// Lets go of what is only needed of a page that is open. Where one comes again, its first state is whole.
    pub(crate) fn give_up_page(&mut self, session: &SessionId) {
        let of_page = |(of, _): &StreamKey| of.as_ref() == Some(session);
        let states = self.states.extract_if(|stream, _| of_page(stream)).map(|(_, last)| last);
        let gone: Vec<Last> = states.chain(self.pages.remove(&Some(session.clone()))).collect();
        self.held -= gone.into_iter().filter_map(|last| last.text).map(|text| text.bytes()).sum::<usize>();
    }

    pub(crate) fn describe(&mut self, name: Vec<u8>, json: serde_json::Result<Vec<u8>>) {
        let packed = match json.map_err(StoreError::Encode) {
            Ok(json) if json.len() > piece::LARGEST || name.len() > key::LONGEST => Err(StoreError::damaged("it is too large")),
            Ok(json) => piece::pack(&json),
            Err(error) => Err(error),
        };
        match packed {
            Ok(value) => {
                self.unwritten.insert(name, value);
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
            // Pieces are named after their content. A recording that came as a file may have others under that name.
            let known = self.unwritten.get(&name) == Some(&value)
                || self.source.get(&name).is_ok_and(|stored| stored.is_some_and(|stored| stored == value));
            if !known {
                self.settled += value.len() as u64;
                self.unwritten.insert(name, value);
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

    /// Puts everything into the database at once: a crash leaves all of it or nothing, and so does an error, after which all is kept
    /// here, can be read, and is written by the next call. `end` ends the segment.
    pub(crate) fn store(&mut self, end: bool) -> Result<(), StoreError> {
        self.db.check()?;
        let end = end && !self.segment.raw.is_empty();
        if !self.changed && !end {
            return Ok(());
        }
        self.stage(end)?;
        let prefix = key::prefix(self.id());
        let name = |key: &[u8]| [prefix.as_slice(), key].concat();
        let mut batch = Batch::default();
        for (key, value) in &self.unwritten {
            batch.insert(name(key), value.as_slice());
        }
        let mut settled = self.settled;
        for (first, lines) in &self.whole_summaries {
            let value = piece::pack(lines)?;
            settled += value.len() as u64;
            batch.insert(name(&key::summary(*first)), value);
        }
        let mut growing = self.growing_segment;
        if !self.summaries.is_empty() {
            let value = piece::pack(&self.summaries)?;
            growing += value.len() as u64;
            batch.insert(name(&key::summary(self.summary_first)), value);
        }
        let bytes = settled + growing;
        let catalogue = Catalogue { info: RecordingInfo { bytes, ..self.catalogue.info.clone() }, ..self.catalogue.clone() };
        let entry = serde_json::to_vec(&catalogue).map_err(StoreError::Encode)?;
        batch.insert(key::catalogue(self.id()), entry);
        self.db.apply(batch)?;
        self.catalogue.info.bytes = bytes;
        (self.settled, self.growing) = (settled, growing);
        self.unwritten.clear();
        self.whole_summaries.clear();
        self.changed = false;
        if end {
            self.segment = self.segment.next(self.steps() + 1)?;
        }
        Ok(())
    }

    /// Takes from the segment what it has more than last time, for the next batch.
    fn stage(&mut self, end: bool) -> Result<(), StoreError> {
        for Piece { number, body, is_whole } in self.segment.take_pieces(end)? {
            let value = piece::sign(&body);
            if is_whole {
                self.settled += value.len() as u64;
                self.growing_segment = 0;
            } else {
                self.growing_segment = value.len() as u64;
            }
            self.changed = true;
            self.unwritten.insert(key::piece(key::SEGMENT, self.segment.first, number), value);
        }
        if end && !self.segment.is_indexed {
            let values = thin::index_values(&self.segment.index)?;
            self.put_values(values);
            self.segment.is_indexed = true;
        }
        if self.summaries.len() >= disk::tuned(ENOUGH, 700) {
            self.whole_summaries.push((self.summary_first, std::mem::take(&mut self.summaries)));
            self.summary_first = self.steps() + 1;
        }
        Ok(())
    }

    /// The first steps of the segment and of the piece of summaries from which on values in the database may still change.
    pub(crate) fn growing(&self) -> (u64, u64) {
        (self.segment.first, self.whole_summaries.first().map_or(self.summary_first, |(first, _)| *first))
    }

    /// Hands values that stay as they are to the next batch.
    fn put_values(&mut self, values: Vec<thin::Named>) {
        for (name, value) in values {
            self.settled += value.len() as u64;
            self.unwritten.insert(name, value);
        }
        self.changed = true;
    }

    /// Thins a segment if there is too much and one to thin. What is new must be stored.
    pub(crate) fn thin(&mut self, retention: &Retention) -> Result<Option<u64>, StoreError> {
        if self.bytes() <= retention.most_bytes {
            return Ok(None);
        }
        let Some(_alone) = self.db.begin_thinning() else { return Ok(None) };
        let Some(first) = thin::next(&self.source, &self.catalogue, self.segment.first)? else { return Ok(None) };
        let plan = thin::plan(&self.source, first, retention)?;
        let settled = (self.settled + plan.after).saturating_sub(plan.before);
        let freed = thin::carry_out(&self.db, &mut self.catalogue, first, plan, settled + self.growing)?;
        self.settled = settled;
        Ok(Some(freed))
    }

    pub(crate) const fn bytes(&self) -> u64 {
        self.settled + self.growing
    }
}

/// The line of a step among the summaries, cut so that a table can show it and a piece holds it: a key of a state may be a megabyte, and
/// then so is a path.
fn summary_line(step: &mut Step) -> Result<Vec<u8>, StoreError> {
    /// Bytes of a text and elements of a list, until it fits. The last ones always do.
    const CUTS: [(usize, usize); 3] = [(1_000, 16), (250, 8), (80, 2)];
    let mut line = serde_json::to_vec(step).map_err(StoreError::Encode)?;
    for (longest, most) in CUTS {
        if line.len() < PIECE {
            break;
        }
        step.cut(longest, most);
        line = serde_json::to_vec(step).map_err(StoreError::Encode)?;
    }
    Ok(line)
}

#[cfg(test)]
mod tests {
    use inspector_model::{Scope, Side, StateAnswer, StepKind};
    use inspector_tape::PlacePath;

    use super::*;
    use crate::{Reader, Recorder, Store, read_file};

    fn text(n: u64) -> String {
        // What no compression makes small, so that a segment has several pieces.
        let noise: String =
            (0..1500).map(|at| char::from(b'a' + (n.wrapping_mul(at + 7).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 59) as u8 % 26)).collect();
        format!(r#"{{"n":{n},"noise":"{noise}"}}"#)
    }

    fn append(recorder: &mut Recorder, n: u64) -> Result<StepId, StoreError> {
        let step = Step { session: Some("a".into()), ..Step::new(StepKind::Event, "e", 1.0) };
        let after = NewState::Text(text(n).into());
        recorder.append(NewStep { step, detail: StepDetail::default(), before: NewState::Same, after, html: None })
    }

    fn check(reader: &Reader, steps: u64) {
        assert_eq!(reader.steps().unwrap().len() as u64, steps);
        for step in 1..=steps {
            assert_eq!(reader.state(StepId(step), Side::After).unwrap(), StateAnswer::Full(text(step).into()), "step {step}");
        }
        let changes = reader.changes(&PlacePath(vec![b".n".to_vec()]), &Scope::Everywhere).unwrap();
        assert_eq!(changes, (1..=steps).map(StepId).collect::<Vec<_>>());
    }

    /// Wherever in a write the disk is full: what was taken can be read meanwhile, and all of it is there in the end.
    #[test]
    fn a_disk_that_is_full_in_between_loses_nothing() {
        for room in 0..4 {
            for end in [false, true] {
                let folder = tempfile::tempdir().unwrap();
                let (store, _) = Store::open(folder.path()).unwrap();
                let mut recorder = store.create("full", 1.0, "").unwrap();
                let id = recorder.id().clone();
                let mut steps = 0;
                while steps < if end { 256 } else { 200 } {
                    steps = append(&mut recorder, steps + 1).unwrap().0;
                    if steps % 90 == 0 {
                        recorder.flush().unwrap();
                    }
                }
                store.database().full_after(room);
                // Again and again, as who waits for room does.
                for _ in 0..3 {
                    if end {
                        while let Ok(step) = append(&mut recorder, steps + 1) {
                            steps = step.0;
                        }
                        // Whoever asks first still has the step.
                        assert!(matches!(recorder.make_ready(), Err(StoreError::Full { .. })));
                    } else {
                        while recorder.flush().is_ok() {
                            steps = append(&mut recorder, steps + 1).unwrap().0;
                        }
                    }
                    check(&recorder.reader(), steps);
                }
                store.database().full_after(u64::MAX);
                recorder.flush().unwrap();
                check(&store.read(&id).unwrap(), steps);
                for _ in 0..300 {
                    steps = append(&mut recorder, steps + 1).unwrap().0;
                }
                check(&recorder.reader(), steps);
                drop(recorder);
                check(&store.read(&id).unwrap(), steps);
                let file = folder.path().join("full.djrec");
                store.export(&id, &file, &|_, _| true).unwrap();
                let read = read_file(&file).unwrap();
                assert_eq!(read.damage(), None, "room {room}, {end}");
                check(&read, steps);
            }
        }
    }

    /// On a full disk thinning changes nothing, neither in the database nor in what is said of it.
    #[test]
    fn thinning_on_a_full_disk_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (store, _) = Store::open(folder.path()).unwrap();
        let mut recorder = store.create("full", 1.0, "").unwrap();
        for n in 1..=256 * 6 {
            append(&mut recorder, n).unwrap();
        }
        recorder.flush().unwrap();
        let before = recorder.stats();
        recorder.set_retention(Some(Retention { most_bytes: 0, slow_ms: 1e9 }));
        // Nothing is new, so that the first write is that of the thinned segment.
        store.database().full_after(0);
        recorder.flush().unwrap();
        assert_eq!((recorder.stats(), recorder.reader().thinned()), (before, None));
        store.database().full_after(u64::MAX);
        recorder.flush().unwrap();
        assert!(recorder.stats().bytes < before.bytes && recorder.reader().thinned().is_some());
    }
}
