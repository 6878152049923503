//! The summaries of many steps in little memory: columns, with what repeats kept once.
//!
//! A million steps take about 50 MB this way, and reading one column of all of them takes milliseconds. Steps are appended
//! only. They lie in blocks; a full block never changes, and is shared by everybody who has the same steps.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::Hash;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{Cause, ChangeCounts, SessionId, Status, Step, StepId, StepKind, ViewId};

/// Whose a step is: nobody's, a page's, or one of its views'.
pub type Whose = (Option<SessionId>, Option<ViewId>);

/// Whose states form one sequence: a page and one of its views.
pub type Stream = (SessionId, Option<ViewId>);

const RENDERED: u8 = 1;
const HISTORY: u8 = 2;
/// No step takes less than nothing.
const NO_DURATION: f64 = -1.0;

/// Seconds that a step may end before one that is told earlier. Steps are told when they end: more than that is a clock that
/// was set back.
const SET_BACK: f64 = 2.0;

/// Up to [`Block::STEPS`] steps. Columns have an entry per step; those that end in `_of` point into the table of the same name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Block {
    ids: Vec<StepId>,
    started: Vec<f64>,
    durations: Vec<f64>,
    kinds: Vec<StepKind>,
    statuses: Vec<Status>,
    flags: Vec<u8>,
    state_bytes: Vec<u64>,
    received: Vec<u32>,
    stream_of: Vec<u16>,
    name_of: Vec<u16>,
    changed_of: Vec<u16>,
    counted_of: Vec<u16>,
    streams: Vec<Whose>,
    names: Vec<Name>,
    changed: Vec<Changed>,
    counted: Vec<Counted>,
    /// What few steps have, by their place.
    rare: BTreeMap<u16, Rare>,
    /// From a place on: seconds that the clock was set back until there, all times together.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    set_back: Vec<(u16, f64)>,
}

/// What ran.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Name {
    /// As [`Step::name`].
    pub name: Arc<str>,
    /// As [`Step::component`].
    pub component: Option<Arc<str>>,
}

/// What changed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Changed {
    /// As [`Step::changes`].
    pub counts: ChangeCounts,
    /// As [`Step::changed`].
    pub paths: Box<[Arc<str>]>,
}

/// How much there is of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Counted {
    /// As [`Step::sql`].
    pub sql: u32,
    /// As [`Step::logs`].
    pub logs: u32,
    /// As [`Step::frames`].
    pub frames: u32,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Rare {
    /// The key of a step to which others point.
    key: String,
    error: Option<String>,
    cause: Option<Cause>,
    hits: Vec<String>,
}

impl Block {
    /// Steps in a full block.
    pub const STEPS: usize = 4096;

    /// Steps in it.
    pub const fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The step at a place of the block.
    pub fn get(&self, at: usize) -> Option<Step> {
        let rare = self.rare.get(&(at as u16));
        let (session, view) = self.stream(at).cloned().unwrap_or_default();
        let name = self.name(at);
        let changed = self.changed(at);
        let Counted { sql, logs, frames } = self.counted(at);
        let flags = *self.flags.get(at)?;
        Some(Step {
            id: *self.ids.get(at)?,
            key: rare.map(|rare| rare.key.clone()).unwrap_or_default(),
            session,
            view,
            component: name.and_then(|name| name.component.as_deref()).map(str::to_owned),
            kind: *self.kinds.get(at)?,
            name: name.map(|name| name.name.to_string()).unwrap_or_default(),
            started: *self.started.get(at)?,
            duration_ms: self.duration_ms(at),
            status: *self.statuses.get(at)?,
            error: rare.and_then(|rare| rare.error.clone()),
            changes: changed.map(|changed| changed.counts).unwrap_or_default(),
            changed: changed.map(|changed| changed.paths.iter().map(ToString::to_string).collect()).unwrap_or_default(),
            sql,
            logs,
            frames,
            received: self.received(at),
            state_bytes: *self.state_bytes.get(at)?,
            rendered: flags & RENDERED != 0,
            history: flags & HISTORY != 0,
            cause: rare.and_then(|rare| rare.cause.clone()),
            hits: rare.map(|rare| rare.hits.clone()).unwrap_or_default(),
        })
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = Step> {
        (0..self.len()).filter_map(|at| self.get(at))
    }

    /// The numbers of the steps.
    pub fn ids(&self) -> &[StepId] {
        &self.ids
    }

    /// When they began, Unix seconds.
    pub fn started(&self) -> &[f64] {
        &self.started
    }

    /// How far the clock was set back until a place of the block.
    fn set_back(&self, at: usize) -> f64 {
        self.set_back.iter().rev().find(|(from, _)| usize::from(*from) <= at).map_or(0.0, |(_, secs)| *secs)
    }

    /// What happened.
    pub fn kinds(&self) -> &[StepKind] {
        &self.kinds
    }

    /// How they ended.
    pub fn statuses(&self) -> &[Status] {
        &self.statuses
    }

    /// Sizes of the states after them, bytes.
    pub fn state_bytes(&self) -> &[u64] {
        &self.state_bytes
    }

    /// Size of the largest frame that came from the browser, as [`Step::received`].
    pub fn received(&self, at: usize) -> u32 {
        self.received.get(at).copied().unwrap_or_default()
    }

    /// Whether the page's HTML was another one after a step, as [`Step::rendered`].
    pub fn is_rendered(&self, at: usize) -> bool {
        self.flags.get(at).is_some_and(|flags| flags & RENDERED != 0)
    }

    /// Whether a step is from djust's own ring, as [`Step::history`].
    pub fn is_history(&self, at: usize) -> bool {
        self.flags.get(at).is_some_and(|flags| flags & HISTORY != 0)
    }

    /// Why a step happened.
    pub fn cause(&self, at: usize) -> Option<&Cause> {
        self.rare.get(&(at as u16))?.cause.as_ref()
    }

    /// How long a step took.
    pub fn duration_ms(&self, at: usize) -> Option<f64> {
        self.durations.get(at).copied().filter(|duration| *duration >= 0.0)
    }

    /// What went wrong in a step, in one line.
    pub fn error(&self, at: usize) -> Option<&str> {
        self.rare.get(&(at as u16))?.error.as_deref()
    }

    /// How much a step has.
    pub fn counted(&self, at: usize) -> Counted {
        let of = self.counted_of.get(at).and_then(|of| self.counted.get(*of as usize));
        of.copied().unwrap_or(Counted { sql: 0, logs: 0, frames: 0 })
    }

    /// The places whose steps made a breakpoint's condition hold.
    pub fn hits(&self) -> impl Iterator<Item = usize> {
        self.rare.iter().filter(|(_, rare)| !rare.hits.is_empty()).map(|(at, _)| usize::from(*at))
    }

    /// Whose a step is.
    pub fn stream(&self, at: usize) -> Option<&Whose> {
        self.streams.get(*self.stream_of.get(at)? as usize)
    }

    fn name(&self, at: usize) -> Option<&Name> {
        self.names.get(*self.name_of.get(at)? as usize)
    }

    fn changed(&self, at: usize) -> Option<&Changed> {
        self.changed.get(*self.changed_of.get(at)? as usize)
    }

    /// The distinct streams, and for each step which of them.
    pub fn streams(&self) -> (&[Whose], &[u16]) {
        (&self.streams, &self.stream_of)
    }

    /// The distinct names, and for each step which of them.
    pub fn names(&self) -> (&[Name], &[u16]) {
        (&self.names, &self.name_of)
    }

    /// The distinct changes, and for each step which of them.
    pub fn changes(&self) -> (&[Changed], &[u16]) {
        (&self.changed, &self.changed_of)
    }
}

/// The block that grows, with what finds a value in its tables.
#[derive(Clone, Debug, Default)]
struct Open {
    block: Block,
    streams: HashMap<Whose, u16>,
    names: HashMap<Name, u16>,
    changed: HashMap<Changed, u16>,
    counted: HashMap<Counted, u16>,
}

/// The steps of one source, in order of their ids.
#[derive(Clone, Debug, Default)]
pub struct Steps {
    full: Vec<Arc<Block>>,
    open: Open,
    /// Every text once, whichever block has it.
    texts: HashSet<Arc<str>>,
    /// How far the clock was set back until now, and the latest end of a step on the clock that was not.
    set_back: f64,
    latest: f64,
}

impl Steps {
    /// How many there are.
    pub const fn len(&self) -> usize {
        self.full.len() * Block::STEPS + self.open.block.len()
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends a step. One whose id is not above the last one's is there already, and is left out: `false`.
    pub fn push(&mut self, step: &Step) -> bool {
        if self.last_id().is_some_and(|last| step.id <= last) {
            return false;
        }
        let name = Name { name: self.text(&step.name), component: step.component.as_deref().map(|component| self.text(component)) };
        let changed = Changed { counts: step.changes, paths: step.changed.iter().map(|path| self.text(path)).collect() };
        let counted = Counted { sql: step.sql, logs: step.logs, frames: step.frames };
        let Open { block, streams, names, changed: changes, counted: counts } = &mut self.open;
        // Others point to saved files only.
        let key = if step.kind == StepKind::Reload { step.key.clone() } else { String::new() };
        if !key.is_empty() || step.error.is_some() || step.cause.is_some() || !step.hits.is_empty() {
            let rare = Rare { key, error: step.error.clone(), cause: step.cause.clone(), hits: step.hits.clone() };
            block.rare.insert(block.ids.len() as u16, rare);
        }
        let ended = step.started + step.duration_ms.unwrap_or(0.0) / 1000.0;
        // What djust remembered from before is told late.
        if !step.history && ended.is_finite() {
            if ended + self.set_back < self.latest - SET_BACK {
                self.set_back = self.latest - ended;
            }
            self.latest = self.latest.max(ended + self.set_back);
        }
        if block.set_back.last().map_or(0.0, |(_, secs)| *secs) < self.set_back {
            block.set_back.push((block.ids.len() as u16, self.set_back));
        }
        block.ids.push(step.id);
        block.started.push(if step.started.is_finite() { step.started } else { 0.0 });
        block.durations.push(step.duration_ms.filter(|duration| duration.is_finite()).map_or(NO_DURATION, |duration| duration.max(0.0)));
        block.kinds.push(step.kind);
        block.statuses.push(step.status);
        block.flags.push(u8::from(step.rendered) * RENDERED + u8::from(step.history) * HISTORY);
        block.state_bytes.push(step.state_bytes);
        block.received.push(step.received);
        block.stream_of.push(number(streams, &mut block.streams, (step.session.clone(), step.view.clone())));
        block.name_of.push(number(names, &mut block.names, name));
        block.changed_of.push(number(changes, &mut block.changed, changed));
        block.counted_of.push(number(counts, &mut block.counted, counted));
        if block.len() == Block::STEPS {
            self.full.push(Arc::new(std::mem::take(&mut self.open).block));
        }
        true
    }

    /// Appends the steps of a block; those that are there already are left out. A full block in its place is shared.
    pub fn extend(&mut self, block: &Arc<Block>) {
        let follows = block.ids.first().is_some_and(|first| self.last_id().is_none_or(|last| last < *first));
        if follows && block.len() == Block::STEPS && self.open.block.is_empty() {
            self.set_back = self.set_back.max(block.set_back(Block::STEPS));
            let ends = block.started.iter().zip(&block.durations).zip(&block.flags).enumerate();
            let ends = ends.filter(|(_, (_, flags))| *flags & HISTORY == 0);
            let ends = ends.map(|(at, ((started, ms), _))| started + ms.max(0.0) / 1000.0 + block.set_back(at));
            self.latest = ends.fold(self.latest, f64::max);
            self.full.push(block.clone());
            return;
        }
        for step in block.iter() {
            self.push(&step);
        }
    }

    /// The blocks from a position on, at most `most` steps of them: whole ones shared, and the part of one that is left. Ends
    /// at the end of a block where it can, so that the next ones are whole again.
    pub fn since(&self, position: usize, most: usize) -> Vec<Arc<Block>> {
        let end = position.saturating_add(most);
        let whole = end / Block::STEPS * Block::STEPS;
        let end = if end < self.len() && whole > position { whole } else { end.min(self.len()) };
        let mut blocks = Vec::new();
        let mut at = position;
        while at < end {
            let whole = self.full.get(at / Block::STEPS).filter(|_| at.is_multiple_of(Block::STEPS) && at + Block::STEPS <= end);
            if let Some(block) = whole {
                blocks.push(block.clone());
                at += Block::STEPS;
                continue;
            }
            let upto = end.min((at / Block::STEPS + 1) * Block::STEPS);
            let mut part = Self::default();
            for step in (at..upto).filter_map(|at| self.get(at)) {
                part.push(&step);
            }
            blocks.push(Arc::new(part.open.block));
            at = upto;
        }
        blocks
    }

    /// All blocks, each but the last with [`Block::STEPS`] steps.
    pub fn blocks(&self) -> impl Iterator<Item = &Block> {
        self.full.iter().map(Arc::as_ref).chain((!self.open.block.is_empty()).then_some(&self.open.block))
    }

    /// The block of a position, and the place in it.
    pub fn block(&self, position: usize) -> (&Block, usize) {
        let block = self.full.get(position / Block::STEPS).map_or(&self.open.block, Arc::as_ref);
        (block, position % Block::STEPS)
    }

    /// The step at a position.
    pub fn get(&self, position: usize) -> Option<Step> {
        let (block, at) = self.block(position);
        block.get(at)
    }

    /// The last one.
    pub fn last(&self) -> Option<Step> {
        self.get(self.len().checked_sub(1)?)
    }

    /// All of them.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Step> {
        (0..self.len()).filter_map(|position| self.get(position))
    }

    /// Where a step stands.
    pub fn position(&self, id: StepId) -> Option<usize> {
        // A recorder counts from 1 without a hole: nearly always the first look finds it.
        let guess = (id.0 as usize).wrapping_sub(1);
        if self.id(guess) == Some(id) {
            return Some(guess);
        }
        let before = |block: &Block| block.ids.last().is_some_and(|last| *last < id);
        let nth = self.full.partition_point(|block| before(block));
        let (block, _) = self.block(nth * Block::STEPS);
        block.ids.binary_search(&id).ok().map(|at| nth * Block::STEPS + at)
    }

    /// The id at a position.
    pub fn id(&self, position: usize) -> Option<StepId> {
        let (block, at) = self.block(position);
        block.ids.get(at).copied()
    }

    /// When the step at a position began, Unix seconds; for a position behind the last one never.
    pub fn started(&self, position: usize) -> f64 {
        let (block, at) = self.block(position);
        block.started.get(at).copied().unwrap_or(f64::INFINITY)
    }

    /// The same on a clock that was never set back: what lies behind on the timeline. Where the clock was set back, time goes on
    /// from where it was.
    pub fn when(&self, position: usize) -> f64 {
        let (block, at) = self.block(position);
        block.started.get(at).map_or(f64::INFINITY, |started| started + block.set_back(at))
    }

    /// How far the clock was set back, all times together, seconds.
    pub const fn was_set_back(&self) -> f64 {
        self.set_back
    }

    /// What the step at a position is.
    pub fn kind(&self, position: usize) -> Option<StepKind> {
        let (block, at) = self.block(position);
        block.kinds.get(at).copied()
    }

    /// How the step at a position ended.
    pub fn status(&self, position: usize) -> Option<Status> {
        let (block, at) = self.block(position);
        block.statuses.get(at).copied()
    }

    fn last_id(&self) -> Option<StepId> {
        self.id(self.len().checked_sub(1)?)
    }

    fn text(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.texts.get(text) {
            return known.clone();
        }
        let text: Arc<str> = text.into();
        self.texts.insert(text.clone());
        text
    }
}

impl PartialEq for Steps {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().eq(other.iter())
    }
}

impl FromIterator<Step> for Steps {
    fn from_iter<T: IntoIterator<Item = Step>>(steps: T) -> Self {
        let mut all = Self::default();
        for step in steps {
            all.push(&step);
        }
        all
    }
}

/// The number of a value in its table. A block has no more values than steps, so numbers fit.
fn number<T: Clone + Eq + Hash>(numbers: &mut HashMap<T, u16>, table: &mut Vec<T>, value: T) -> u16 {
    *numbers.entry(value).or_insert_with_key(|value| {
        table.push(value.clone());
        (table.len() - 1) as u16
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_step() -> impl Strategy<Value = Step> {
        let who = (proptest::option::of("[ab]"), proptest::option::of("[v]"), proptest::option::of("[c]"));
        let what = (0..StepKind::ALL.len(), "[a-c]{0,2}", proptest::collection::vec("[x-z]{1,2}", 0..3), proptest::option::of("[e]"));
        let numbers = (0.0..1e9f64, proptest::option::of(0.0..1e4f64), 0..3u32, 0..1000u64);
        (who, what, numbers, any::<[bool; 4]>()).prop_map(|((session, view, component), what, (started, ms, sql, state_bytes), is)| {
            let (kind, name, changed, error) = what;
            let kind = StepKind::ALL[kind];
            Step {
                key: if kind == StepKind::Reload { "k".to_owned() } else { String::new() },
                session: session.as_deref().map(SessionId::from),
                view: view.as_deref().map(ViewId::from),
                component,
                duration_ms: ms,
                status: if is[0] { Status::Raised } else { Status::Ok },
                error,
                changes: ChangeCounts { added: changed.len() as u32, ..ChangeCounts::default() },
                changed,
                sql,
                received: state_bytes as u32 / 2,
                state_bytes,
                rendered: is[1],
                history: is[2],
                cause: is[3].then_some(Cause::Dispatched),
                hits: if is[3] && is[0] { vec!["n > 5".to_owned()] } else { Vec::new() },
                ..Step::new(kind, &name, started)
            }
        })
    }

    fn numbered(steps: Vec<Step>, from: u64) -> Vec<Step> {
        steps.into_iter().zip(from..).map(|(step, id)| Step { id: StepId(id), ..step }).collect()
    }

    proptest! {
        #[test]
        fn what_is_appended_is_there(steps in proptest::collection::vec(any_step(), 0..40), from in 1u64..9) {
            let steps = numbered(steps, from);
            let all: Steps = steps.iter().cloned().collect();
            prop_assert_eq!(all.len(), steps.len());
            prop_assert_eq!(all.iter().collect::<Vec<_>>(), steps.clone());
            for (position, step) in steps.iter().enumerate() {
                prop_assert_eq!(all.position(step.id), Some(position));
                prop_assert!((all.started(position) - step.started).abs() < 1e-12);
            }
            prop_assert_eq!(all.position(StepId(from + 40)), None);
        }

        /// However it is cut, and whatever is told twice, the other side has the same; also after going through text.
        #[test]
        fn parts_put_together_are_the_whole(steps in proptest::collection::vec(any_step(), 1..60), most in 1usize..20, twice in any::<bool>()) {
            let all: Steps = numbered(steps, 1).into_iter().collect();
            let mut copy = Steps::default();
            while copy.len() < all.len() {
                for block in all.since(copy.len(), most) {
                    let block = serde_json::from_str::<Arc<Block>>(&serde_json::to_string(&block).unwrap()).unwrap();
                    copy.extend(&block);
                    if twice {
                        copy.extend(&block);
                    }
                }
            }
            prop_assert_eq!(&copy, &all);
        }
    }

    #[test]
    fn time_goes_on_where_the_clock_is_set_back() {
        let step = |id: u64, started: f64| Step { id: StepId(id), duration_ms: Some(5.0), ..Step::new(StepKind::Event, "add", started) };
        let half = Block::STEPS as u64 / 2;
        // An hour back in the middle of the first block, and again in the third.
        let clock = |id: u64| 10_000.0 + id as f64 - if id > half { 3_600.0 } else { 0.0 } - if id > 5 * half { 600.0 } else { 0.0 };
        let all: Steps = (1..=6 * half + 10).map(|id| step(id, clock(id))).collect();
        assert!((all.was_set_back() - 4_198.0).abs() < 0.1, "{}", all.was_set_back());
        let mut copy = Steps::default();
        while copy.len() < all.len() {
            for block in all.since(copy.len(), 3_000) {
                copy.extend(&block);
            }
        }
        assert_eq!(copy, all);
        for position in 1..all.len() {
            assert!(all.when(position) >= all.when(position - 1), "at {position}");
            assert!((copy.when(position) - all.when(position)).abs() < 1e-9, "at {position}");
            assert!((all.started(position) - clock(position as u64 + 1)).abs() < 1e-9, "what is shown is the clock's own time");
        }
    }

    #[test]
    fn a_long_step_and_what_djust_remembered_are_no_clock_that_was_set_back() {
        let step = |id: u64, started: f64, ms: f64, history| Step {
            id: StepId(id),
            duration_ms: Some(ms),
            history,
            ..Step::new(StepKind::Event, "e", started)
        };
        let all: Steps = [step(1, 50.0, 1.0, true), step(2, 20.0, 1.0, true), step(3, 100.0, 1.0, false), step(4, 60.0, 40_500.0, false)]
            .into_iter()
            .collect();
        assert!(all.was_set_back().abs() < 1e-9);
        assert!((all.when(3) - 60.0).abs() < 1e-9);
    }

    #[test]
    fn full_blocks_are_shared_and_parts_are_joined() {
        let count = Block::STEPS * 2 + 100;
        let all: Steps = (1..=count as u64).map(|id| Step { id: StepId(id), ..Step::new(StepKind::Event, "add", id as f64) }).collect();
        let mut copy = Steps::default();
        for most in [10, Block::STEPS + 100, usize::MAX] {
            for block in all.since(copy.len(), most) {
                copy.extend(&block);
            }
        }
        assert_eq!(copy, all);
        assert!(Arc::ptr_eq(&copy.full[1], &all.full[1]));
        assert_eq!(copy.position(StepId(5_000)), Some(4_999));
        assert_eq!(copy.blocks().map(Block::len).sum::<usize>(), count);
    }

    #[test]
    fn ids_may_have_holes() {
        let all: Steps = [3, 7, 8, 20].map(|id| Step { id: StepId(id), ..Step::new(StepKind::Tick, "", 0.0) }).into_iter().collect();
        assert_eq!([3, 7, 8, 20, 5, 21].map(|id| all.position(StepId(id))), [Some(0), Some(1), Some(2), Some(3), None, None]);
    }
}
