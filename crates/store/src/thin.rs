//! Making a recording smaller when it has outgrown its budget: its middle keeps what changed, not the states.
//!
//! The first segment and the last ones stay whole, and everywhere the steps that somebody will look for: those that went
//! wrong, that were slow, that were marked, that hit a breakpoint and what led up to that. Of the others the summaries, what changed and to which values, and the parameters
//! remain. What was dropped says so when it is asked for.

use std::collections::HashMap;
use std::sync::Arc;

use inspector_model::{Status, Step, StepDetail};

use crate::cache::Cache;
use crate::database::{Batch, Database};
use crate::error::StoreError;
use crate::index::SegmentIndex;
use crate::key;
use crate::marks;
use crate::piece::{self, PIECE};
use crate::rebuild;
use crate::segment::{Entry, Segment, TextRef};
use crate::segment_writer::{Piece, Put, SegmentWriter};
use crate::source::Source;
use crate::writer::Catalogue;

/// What is said in place of what was dropped.
pub(crate) const DROPPED: &str = "it was dropped to keep the recording within its budget; what changed is still known";

/// Complete segments at the end that stay whole.
const LAST_WHOLE: usize = 2;

/// Steps before the hit of a breakpoint that are kept with it: what led up to it.
const LED_UP: usize = 20;

/// How large recordings may become, and what is kept of those that become larger.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Retention {
    /// Bytes that a recording may take. Its ends are kept whole even so, and summaries and changes are never dropped: it is what
    /// is aimed at, not a wall.
    pub most_bytes: u64,
    /// Steps that took so many milliseconds keep their states. Marked ones do, too.
    pub slow_ms: f64,
}

impl Retention {
    fn keeps(&self, step: &Step) -> bool {
        step.status != Status::Ok || step.error.is_some() || step.duration_ms.is_some_and(|ms| ms >= self.slow_ms) || !step.hits.is_empty()
    }
}

/// What thinning has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Thinned {
    /// Segments that were thinned.
    pub segments: u32,
    /// Bytes that were freed.
    pub freed: u64,
}

/// A key and its value.
pub(crate) type Named = (Vec<u8>, Vec<u8>);

/// One segment, thinned: what becomes of its values, and their bytes before and after.
#[derive(Default)]
pub(crate) struct Plan {
    pub(crate) values: Vec<(Vec<u8>, Option<Vec<u8>>)>,
    pub(crate) before: u64,
    pub(crate) after: u64,
}

/// The next segment to thin. `end` is the first step of the open one. `None`: only the ends are left.
pub(crate) fn next(source: &Source, catalogue: &Catalogue, end: u64) -> Result<Option<u64>, StoreError> {
    let mut after = catalogue.thinned.map_or(0, |(_, last)| last);
    if after == 0 {
        // The first one stays as it is.
        let Some(first) = source.segment_after(0)? else { return Ok(None) };
        after = first;
    }
    let candidate = source.segment_after(after)?;
    let mut at = candidate;
    for _ in 0..LAST_WHOLE {
        let Some(first) = at else { return Ok(None) };
        at = source.segment_after(first)?;
    }
    Ok(candidate.filter(|_| at.is_some_and(|first| first < end)))
}

/// How a segment is thinned. One that cannot be read stays as it is, and is passed over: it must not keep the others from it.
pub(crate) fn plan(source: &Source, first: u64, retention: &Retention) -> Result<Plan, StoreError> {
    match plan_of(source, first, retention) {
        Err(StoreError::Damaged { what }) => {
            tracing::warn!(what, segment = first, "a segment cannot be thinned and stays as it is");
            Ok(Plan::default())
        }
        plan => plan,
    }
}

fn plan_of(source: &Source, first: u64, retention: &Retention) -> Result<Plan, StoreError> {
    let segment = source.segment(first)?;
    // What cannot be read of it would be gone.
    if source.segment_after(first)?.is_some_and(|next| segment.end() < next) {
        return Err(StoreError::damaged("the end of a segment cannot be read"));
    }
    let steps = source.summaries(first..segment.end())?;
    let marks = marks::read(source)?;
    let mut plan = Plan::default();
    if !source.has_index(first)? {
        let index = rebuild::index(&segment);
        for (name, value) in index_values(&index)? {
            plan.after += value.len() as u64;
            plan.values.push((name, Some(value)));
        }
    }
    for kind in [key::SEGMENT_1, key::SEGMENT] {
        source.each(&key::piece(kind, first, 0)[..9], |name, value| {
            plan.before += value.len() as u64;
            plan.values.push((name.to_vec(), None));
            Ok(true)
        })?;
    }
    let mut thinner = Thinner { segment: &segment, cache: Cache::new(), last: HashMap::new() };
    let mut writer = SegmentWriter::new(first)?;
    for step in first..segment.end() {
        let Some(entry) = segment.entry(step) else { break };
        let at = (step - first) as usize;
        let led_to_hit = steps.iter().skip(at).take(LED_UP).any(|later| !later.hits.is_empty());
        let kept = led_to_hit || steps.get(at).is_some_and(|step| retention.keeps(step) || marks.contains_key(&step.id));
        let detail = segment.detail(entry);
        let texts = if kept { thinner.kept(entry)? } else { thinner.dropped(entry) };
        let thin = if kept { None } else { thin_detail(detail) };
        writer.push(segment.stream(entry), thin.as_deref().unwrap_or(detail), [&texts[0], &texts[1], &texts[2], &texts[3]]);
    }
    for Piece { number, body, .. } in writer.take_pieces(true)? {
        let value = piece::sign(&body);
        plan.after += value.len() as u64;
        let name = key::piece(key::SEGMENT, first, number);
        plan.values.retain(|(other, _)| *other != name);
        plan.values.push((name, Some(value)));
    }
    Ok(plan)
}

/// Writes what was planned, after which the recording has so many bytes. Gives those that were freed. After an error nothing is
/// changed, here or in the database.
pub(crate) fn carry_out(db: &Database, catalogue: &mut Catalogue, first: u64, plan: Plan, bytes: u64) -> Result<u64, StoreError> {
    let prefix = key::prefix(&catalogue.info.id);
    let mut batch = Batch::default();
    for (name, value) in plan.values {
        let name = [prefix.as_slice(), &name].concat();
        match value {
            Some(value) => batch.insert(name, value),
            None => batch.remove(name),
        }
    }
    let mut thinned = catalogue.clone();
    thinned.thinned = Some((catalogue.thinned.map_or(first, |(first, _)| first), first));
    thinned.info.bytes = bytes;
    batch.insert(key::catalogue(&catalogue.info.id), serde_json::to_vec(&thinned).map_err(StoreError::Encode)?);
    db.apply(batch)?;
    *catalogue = thinned;
    Ok(plan.before.saturating_sub(plan.after))
}

/// The values of an index and its log.
pub(crate) fn index_values(index: &SegmentIndex) -> Result<Vec<Named>, StoreError> {
    let mut values = Vec::new();
    for (kind, raw) in [(key::INDEX, index.to_bytes()), (key::LOG, index.stored_log())] {
        for (number, body) in piece::compress(&raw)?.chunks(PIECE).enumerate() {
            values.push((key::piece(kind, index.first, number as u32), piece::sign(body)));
        }
    }
    Ok(values)
}

struct Thinner<'a> {
    segment: &'a Segment,
    cache: Cache,
    /// The last text that was kept, by slot.
    last: HashMap<usize, Arc<str>>,
}

impl Thinner<'_> {
    fn kept(&mut self, entry: &Entry) -> Result<[Put; 4], StoreError> {
        let states = [self.text(&entry.before)?, self.text(&entry.after)?];
        let page_before = self.text(&entry.page_before)?;
        let same = matches!((&entry.page_before, &entry.page_after), (TextRef::Version(_, a), TextRef::Version(_, b)) if a == b);
        let page_after = if same { Put::Nothing } else { self.text(&entry.page_after)? };
        let [before, after] = states;
        Ok([before, after, page_before, page_after])
    }

    fn text(&mut self, text: &TextRef) -> Result<Put, StoreError> {
        Ok(match text {
            TextRef::Version(slot, version) => {
                let text = self.segment.text(*slot, *version, &self.cache).ok_or_else(|| StoreError::damaged("a state cannot be read"))?;
                match self.last.insert(*slot, text.clone()) {
                    Some(base) => Put::Bytes(text, base),
                    None => Put::Whole(text, false),
                }
            }
            other => self.without(other),
        })
    }

    fn dropped(&self, entry: &Entry) -> [Put; 4] {
        // The page after is the one before unless it says otherwise.
        [&entry.before, &entry.after, &entry.page_before, &entry.page_after].map(|text| self.without(text))
    }

    fn without(&self, text: &TextRef) -> Put {
        match text {
            TextRef::Nothing => Put::Nothing,
            TextRef::Missing(place) => Put::Missing(self.segment.reason(place)),
            TextRef::Dropped | TextRef::Version(..) => Put::Dropped,
        }
    }
}

/// A detail without what is long. `None`: nothing is.
fn thin_detail(json: &[u8]) -> Option<Vec<u8>> {
    let detail: StepDetail = serde_json::from_slice(json).ok()?;
    if detail.sql.is_empty() && detail.logs.is_empty() && detail.frames.is_empty() {
        return None;
    }
    let missing = detail.missing.or_else(|| Some(DROPPED.to_owned()));
    serde_json::to_vec(&StepDetail { sql: Vec::new(), logs: Vec::new(), frames: Vec::new(), missing, ..detail }).ok()
}
