//! The ordered steps of one source, with what belongs to them. Folded from notices alone.

use std::collections::{BTreeMap, HashMap};

use crate::{
    Configuration, Notice, Rate, RemoteCursor, Session, SessionId, Source, SourceId, Status, Step, StepId, StepKind, Steps, Stream,
};

/// Everything that a window knows about one source without asking.
#[derive(Clone, Debug)]
pub struct Timeline {
    source: Source,
    steps: Steps,
    sessions: BTreeMap<SessionId, Session>,
    rates: BTreeMap<SessionId, Rate>,
    cursors: BTreeMap<SessionId, RemoteCursor>,
    marks: BTreeMap<StepId, String>,
    config: Configuration,
    /// Positions in `steps` per stream, ascending.
    streams: HashMap<Stream, Vec<u32>>,
    /// The same per kind.
    kinds: HashMap<StepKind, Vec<u32>>,
    /// The same of those that a rate limit dropped.
    limited: Vec<u32>,
    /// The same of those that made a breakpoint's condition hold.
    hits: Vec<u32>,
    generation: u64,
    sessions_generation: u64,
}

impl Timeline {
    /// An empty timeline of `source`.
    pub fn new(source: Source) -> Self {
        Self {
            source,
            steps: Steps::default(),
            sessions: BTreeMap::new(),
            rates: BTreeMap::new(),
            cursors: BTreeMap::new(),
            marks: BTreeMap::new(),
            config: Configuration::default(),
            streams: HashMap::new(),
            kinds: HashMap::new(),
            limited: Vec::new(),
            hits: Vec::new(),
            generation: 0,
            sessions_generation: 0,
        }
    }

    /// Takes in a notice. Those about other sources change nothing. Steps that it already has are left out, so a notice may come twice.
    pub fn apply(&mut self, notice: &Notice) {
        let id = self.source.id;
        match notice {
            Notice::Source(source) if source.id == id => self.source = (**source).clone(),
            Notice::Session(at, session) if *at == id => {
                self.sessions.insert(session.id.clone(), (**session).clone());
                self.sessions_generation += 1;
            }
            Notice::Steps(at, blocks) if *at == id => {
                let from = self.steps.len();
                for block in blocks {
                    self.steps.extend(block);
                }
                self.meet(from);
            }
            Notice::Rate(at, session, rate) if *at == id => {
                self.rates.insert(session.clone(), (**rate).clone());
            }
            Notice::Cursor(at, session, cursor) if *at == id => {
                self.cursors.insert(session.clone(), *cursor);
            }
            Notice::Marks(at, marks) if *at == id => self.marks.clone_from(marks),
            Notice::Config(at, config) if *at == id => self.config = (**config).clone(),
            _ => return,
        }
        self.generation += 1;
    }

    /// Notes whose the steps from a position on are, and of which kinds.
    fn meet(&mut self, from: usize) {
        let mut position = from;
        while position < self.steps.len() {
            let (block, at) = self.steps.block(position);
            let (streams, stream_of) = block.streams();
            let mut positions: Vec<Vec<u32>> = vec![Vec::new(); streams.len()];
            for (stream, position) in stream_of[at..].iter().zip(position as u32..) {
                if let Some(positions) = positions.get_mut(*stream as usize) {
                    positions.push(position);
                }
            }
            for ((session, view), positions) in streams.iter().zip(positions) {
                if let Some(session) = session.clone().filter(|_| !positions.is_empty()) {
                    self.streams.entry((session, view.clone())).or_default().extend(positions);
                }
            }
            for (position, (kind, status)) in (position as u32..).zip(block.kinds()[at..].iter().zip(&block.statuses()[at..])) {
                self.kinds.entry(*kind).or_default().push(position);
                if *kind == StepKind::RateLimited || *status == Status::Limited {
                    self.limited.push(position);
                }
            }
            let begin = position - at;
            self.hits.extend(block.hits().filter(|hit| *hit >= at).map(|hit| (begin + hit) as u32));
            position += block.len() - at;
        }
    }

    /// The source.
    pub const fn source(&self) -> &Source {
        &self.source
    }

    /// Its number.
    pub const fn id(&self) -> SourceId {
        self.source.id
    }

    /// All steps, by id.
    pub const fn steps(&self) -> &Steps {
        &self.steps
    }

    /// A step by its id.
    pub fn step(&self, id: StepId) -> Option<Step> {
        self.steps.get(self.steps.position(id)?)
    }

    /// The step of the same view before or after `step`.
    pub fn neighbour(&self, step: &Step, forward: bool) -> Option<Step> {
        let stream = self.streams.get(&(step.session.clone()?, step.view.clone()))?;
        let here = stream.partition_point(|position| self.steps.id(*position as usize).is_some_and(|id| id < step.id));
        let there = if forward { here + 1 } else { here.checked_sub(1)? };
        self.steps.get(*stream.get(there)? as usize)
    }

    /// The positions of all steps of a kind.
    pub fn of_kind(&self, kind: StepKind) -> &[u32] {
        self.kinds.get(&kind).map_or(&[], Vec::as_slice)
    }

    /// The positions of all steps that a rate limit dropped.
    pub fn limited(&self) -> &[u32] {
        &self.limited
    }

    /// The positions of all steps that made a breakpoint's condition hold.
    pub fn hits(&self) -> &[u32] {
        &self.hits
    }

    /// The positions of the steps of a view.
    pub fn stream(&self, stream: &Stream) -> &[u32] {
        self.streams.get(stream).map_or(&[], Vec::as_slice)
    }

    /// The pages, by id.
    pub const fn sessions(&self) -> &BTreeMap<SessionId, Session> {
        &self.sessions
    }

    /// Rate-limit levels of a page.
    pub fn rate(&self, session: &SessionId) -> Option<&Rate> {
        self.rates.get(session)
    }

    /// Where a page stands.
    pub fn cursor(&self, session: &SessionId) -> RemoteCursor {
        self.cursors.get(session).copied().unwrap_or_default()
    }

    /// The marked steps, with their notes.
    pub const fn marks(&self) -> &BTreeMap<StepId, String> {
        &self.marks
    }

    /// The server's configuration.
    pub const fn config(&self) -> &Configuration {
        &self.config
    }

    /// Grows with every change: what a cache is keyed by.
    pub const fn generation(&self) -> u64 {
        self.generation
    }

    /// Grows with every change of a page.
    pub const fn sessions_generation(&self) -> u64 {
        self.sessions_generation
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn source() -> Source {
        Source::recording(SourceId(1), "sample")
    }

    fn step(id: u64, session: &str) -> Step {
        Step { id: StepId(id), session: Some(session.into()), ..Step::new(StepKind::Event, "add", id as f64) }
    }

    proptest! {
        /// However steps are cut into notices, and whichever notices come twice, the same timeline results.
        #[test]
        fn any_split_gives_the_same_timeline(cuts in proptest::collection::vec(0usize..30, 0..8), twice in any::<bool>()) {
            let steps: Vec<Step> = (1..=30).map(|id| step(id, if id % 3 == 0 { "a" } else { "b" })).collect();
            let steps: Steps = steps.into_iter().collect();
            let mut whole = Timeline::new(source());
            whole.apply(&Notice::Steps(SourceId(1), steps.since(0, usize::MAX)));

            let mut cuts = cuts;
            cuts.extend([0, 30]);
            cuts.sort_unstable();
            let mut split = Timeline::new(source());
            for pair in cuts.windows(2) {
                let notice = Notice::Steps(SourceId(1), steps.since(pair[0], pair[1] - pair[0]));
                split.apply(&notice);
                if twice {
                    split.apply(&notice);
                }
            }
            prop_assert_eq!(whole.steps(), split.steps());
            for step in whole.steps().iter() {
                prop_assert_eq!(whole.neighbour(&step, true), split.neighbour(&step, true));
                prop_assert_eq!(whole.neighbour(&step, false), split.neighbour(&step, false));
            }
        }
    }

    #[test]
    fn neighbours_stay_in_their_view() {
        let mut timeline = Timeline::new(source());
        timeline.apply(&Notice::steps(SourceId(1), [step(1, "a"), step(2, "b"), step(3, "a")]));
        let first = timeline.step(StepId(1)).unwrap();
        assert_eq!(timeline.neighbour(&first, true).unwrap().id, StepId(3));
        assert!(timeline.neighbour(&first, false).is_none());
    }

    #[test]
    fn notices_of_other_sources_change_nothing() {
        let mut timeline = Timeline::new(source());
        timeline.apply(&Notice::steps(SourceId(2), [step(1, "a")]));
        assert!(timeline.steps().is_empty());
        assert_eq!(timeline.generation(), 0);
    }
}
