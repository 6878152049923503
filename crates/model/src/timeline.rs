//! The ordered steps of one source, with what belongs to them. Folded from notices alone.

use std::collections::{BTreeMap, HashMap};

use crate::{Configuration, Notice, Rate, RemoteCursor, Session, SessionId, Source, SourceId, Step, StepId, ViewId};

/// Everything that a window knows about one source without asking.
#[derive(Clone, Debug)]
pub struct Timeline {
    source: Source,
    steps: Vec<Step>,
    sessions: BTreeMap<SessionId, Session>,
    rates: BTreeMap<SessionId, Rate>,
    cursors: BTreeMap<SessionId, RemoteCursor>,
    config: Configuration,
    /// Positions in `steps` per stream, ascending.
    streams: HashMap<(SessionId, Option<ViewId>), Vec<u32>>,
    generation: u64,
}

impl Timeline {
    /// An empty timeline of `source`.
    pub fn new(source: Source) -> Self {
        Self {
            source,
            steps: Vec::new(),
            sessions: BTreeMap::new(),
            rates: BTreeMap::new(),
            cursors: BTreeMap::new(),
            config: Configuration::default(),
            streams: HashMap::new(),
            generation: 0,
        }
    }

    /// Takes in a notice. Those about other sources change nothing. Steps that it already has are left out, so a notice may come twice.
    pub fn apply(&mut self, notice: &Notice) {
        let id = self.source.id;
        match notice {
            Notice::Source(source) if source.id == id => self.source = (**source).clone(),
            Notice::Session(at, session) if *at == id => {
                self.sessions.insert(session.id.clone(), (**session).clone());
            }
            Notice::Steps(at, steps) if *at == id => self.push_steps(steps),
            Notice::Rate(at, session, rate) if *at == id => {
                self.rates.insert(session.clone(), (**rate).clone());
            }
            Notice::Cursor(at, session, cursor) if *at == id => {
                self.cursors.insert(session.clone(), *cursor);
            }
            Notice::Config(at, config) if *at == id => self.config = (**config).clone(),
            _ => return,
        }
        self.generation += 1;
    }

    fn push_steps(&mut self, steps: &[Step]) {
        let last = self.steps.last().map_or(StepId(0), |step| step.id);
        for step in steps.iter().filter(|step| step.id > last) {
            if let Some(session) = &step.session {
                let position = self.steps.len() as u32;
                self.streams.entry((session.clone(), step.view.clone())).or_default().push(position);
            }
            self.steps.push(step.clone());
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
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// A step by its id.
    pub fn step(&self, id: StepId) -> Option<&Step> {
        self.position(id).map(|position| &self.steps[position])
    }

    /// Where a step stands in [`Timeline::steps`].
    pub fn position(&self, id: StepId) -> Option<usize> {
        self.steps.binary_search_by_key(&id, |step| step.id).ok()
    }

    /// The step of the same view before or after `step`.
    pub fn neighbour(&self, step: &Step, forward: bool) -> Option<&Step> {
        let stream = self.streams.get(&(step.session.clone()?, step.view.clone()))?;
        let here = stream.partition_point(|position| self.steps[*position as usize].id < step.id);
        let there = if forward { here + 1 } else { here.checked_sub(1)? };
        stream.get(there).map(|position| &self.steps[*position as usize])
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

    /// The server's configuration.
    pub const fn config(&self) -> &Configuration {
        &self.config
    }

    /// Grows with every change: what a cache is keyed by.
    pub const fn generation(&self) -> u64 {
        self.generation
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{RecorderStatus, SourceKind, SourceState, StepKind};

    fn source() -> Source {
        Source {
            id: SourceId(1),
            kind: SourceKind::Recording,
            state: SourceState::Replaying,
            title: "sample".into(),
            server: None,
            recorder: RecorderStatus::default(),
        }
    }

    fn step(id: u64, session: &str) -> Step {
        Step { id: StepId(id), session: Some(session.into()), ..Step::new(StepKind::Event, "add", id as f64) }
    }

    proptest! {
        /// However steps are cut into notices, and whichever notices come twice, the same timeline results.
        #[test]
        fn any_split_gives_the_same_timeline(cuts in proptest::collection::vec(0usize..30, 0..8), twice in any::<bool>()) {
            let steps: Vec<Step> = (1..=30).map(|id| step(id, if id % 3 == 0 { "a" } else { "b" })).collect();
            let mut whole = Timeline::new(source());
            whole.apply(&Notice::Steps(SourceId(1), steps.clone()));

            let mut cuts = cuts;
            cuts.extend([0, 30]);
            cuts.sort_unstable();
            let mut split = Timeline::new(source());
            for pair in cuts.windows(2) {
                let notice = Notice::Steps(SourceId(1), steps[pair[0]..pair[1]].to_vec());
                split.apply(&notice);
                if twice {
                    split.apply(&notice);
                }
            }
            prop_assert_eq!(whole.steps(), split.steps());
            for step in whole.steps() {
                prop_assert_eq!(whole.neighbour(step, true), split.neighbour(step, true));
                prop_assert_eq!(whole.neighbour(step, false), split.neighbour(step, false));
            }
        }
    }

    #[test]
    fn neighbours_stay_in_their_view() {
        let mut timeline = Timeline::new(source());
        timeline.apply(&Notice::Steps(SourceId(1), vec![step(1, "a"), step(2, "b"), step(3, "a")]));
        let first = timeline.step(StepId(1)).unwrap();
        assert_eq!(timeline.neighbour(first, true).unwrap().id, StepId(3));
        assert!(timeline.neighbour(first, false).is_none());
    }

    #[test]
    fn notices_of_other_sources_change_nothing() {
        let mut timeline = Timeline::new(source());
        timeline.apply(&Notice::Steps(SourceId(2), vec![step(1, "a")]));
        assert!(timeline.steps().is_empty());
        assert_eq!(timeline.generation(), 0);
    }
}
