//! The branches of all pages of a timeline: where jumps and replays forked. Kept up to date by looking at these steps only, so that a
//! million others cost nothing.

mod edges;
mod tree;

use std::collections::HashMap;

use inspector_model::{Cause, Side, SourceId, Step, StepId, StepKind, Stream, Timeline};

pub use self::edges::{Edge, Edges};
use self::tree::Turn;
pub use self::tree::{Branch, Fork, Spot, Tree};

/// The trees of all views that were ever put back.
#[derive(Default)]
pub struct Forest {
    source: Option<SourceId>,
    /// Jumps and replays that were taken in.
    seen: [usize; 2],
    trees: HashMap<Stream, Tree>,
    /// The step that a branch which begins at a position forked from, both as positions.
    forks: HashMap<u32, u32>,
}

impl Forest {
    /// Takes in the jumps and replays that are new.
    pub fn refresh(&mut self, timeline: Option<&Timeline>) {
        let Some(timeline) = timeline else {
            *self = Self::default();
            return;
        };
        let kinds = [StepKind::Jump, StepKind::Replay].map(|kind| timeline.of_kind(kind));
        if self.source != Some(timeline.id()) || (0..2).any(|kind| self.seen[kind] > kinds[kind].len()) {
            *self = Self { source: Some(timeline.id()), ..Self::default() };
        }
        let mut grown = false;
        loop {
            let [jump, replay] = [0, 1].map(|kind| kinds[kind].get(self.seen[kind]).copied());
            let (kind, position) = match (jump, replay) {
                (None, None) => break,
                (Some(jump), replay) if replay.is_none_or(|replay| jump < replay) => (0, jump),
                (_, Some(replay)) => (1, replay),
                (Some(jump), None) => (0, jump),
            };
            self.seen[kind] += 1;
            if let Some(step) = timeline.steps().get(position as usize) {
                grown |= self.take(timeline, &step, position);
            }
        }
        if grown {
            self.find_forks(timeline);
        }
    }

    fn take(&mut self, timeline: &Timeline, step: &Step, position: u32) -> bool {
        let Some(session) = step.session.clone() else { return false };
        let stream = (session, step.view.clone());
        let positions = timeline.stream(&stream);
        let index = |id: StepId| positions.binary_search(&(timeline.steps().position(id)? as u32)).ok();
        let turn = match step.cause {
            Some(Cause::Jump { step, side: Side::After }) => Turn::JumpAfter(step.and_then(index)),
            Some(Cause::Jump { step, side: Side::Before }) => Turn::JumpBefore(step.and_then(index)),
            Some(Cause::Replay { step, edited }) => Turn::Replay { of: step.and_then(index), edited },
            _ if step.kind == StepKind::Jump => Turn::JumpAfter(None),
            _ => Turn::Replay { of: None, edited: false },
        };
        let Ok(at) = positions.binary_search(&position) else { return false };
        let has_state = |at: usize| {
            let (block, at) = timeline.steps().block(positions[at] as usize);
            block.state_bytes().get(at).is_some_and(|bytes| *bytes > 0)
        };
        self.trees.entry(stream).or_default().turn(at, turn, has_state);
        true
    }

    fn find_forks(&mut self, timeline: &Timeline) {
        self.forks.clear();
        for (stream, tree) in &self.trees {
            let positions = timeline.stream(stream);
            for branch in tree.branches() {
                let from = match branch.fork.map(|fork| fork.spot) {
                    Some(Spot::After(step)) => positions.get(step),
                    Some(Spot::Start) => positions.first(),
                    Some(Spot::Unknown) | None => None,
                };
                if let Some((from, first)) = from.zip(positions.get(branch.first)) {
                    self.forks.insert(*first, *from);
                }
            }
        }
    }

    /// The step that the branch which begins at a position forked from.
    pub fn fork_at(&self, position: u32) -> Option<u32> {
        self.forks.get(&position).copied()
    }

    /// The branches of a view that was ever put back.
    pub fn tree(&self, stream: &Stream) -> Option<&Tree> {
        self.trees.get(stream)
    }

    /// Those views that forked, in order.
    pub fn forked(&self) -> Vec<&Stream> {
        let mut streams: Vec<&Stream> = self.trees.iter().filter(|(_, tree)| !tree.is_linear()).map(|(stream, _)| stream).collect();
        streams.sort();
        streams
    }
}

#[cfg(test)]
mod tests {
    use inspector_model::{Notice, Source, Steps};
    use proptest::prelude::*;

    use super::*;

    fn timeline() -> Timeline {
        Timeline::new(Source::recording(SourceId(1), ""))
    }

    fn step(id: u64, session: &str, cause: Option<Cause>) -> Step {
        let kind = match cause {
            Some(Cause::Jump { .. }) => StepKind::Jump,
            Some(Cause::Replay { .. }) => StepKind::Replay,
            _ => StepKind::Event,
        };
        Step { id: StepId(id), session: Some(session.into()), state_bytes: 10, cause, ..Step::new(kind, "add", id as f64) }
    }

    #[test]
    fn pages_fork_by_themselves() {
        let to = |id| Some(Cause::Jump { step: Some(StepId(id)), side: Side::After });
        let steps =
            [step(1, "a", None), step(2, "b", None), step(3, "a", None), step(4, "b", None), step(5, "a", to(1)), step(6, "b", to(1))];
        let mut timeline = timeline();
        timeline.apply(&Notice::steps(SourceId(1), steps));
        let mut forest = Forest::default();
        forest.refresh(Some(&timeline));
        let tree = forest.tree(&("a".into(), None)).unwrap();
        assert_eq!(tree.branches()[1].fork.unwrap().spot, Spot::After(0));
        assert_eq!(forest.fork_at(4), Some(0));
        assert_eq!(forest.tree(&("b".into(), None)).unwrap().branches()[1].fork.unwrap().spot, Spot::Unknown, "step 1 is of another page");
        assert_eq!(forest.forked().len(), 2);
        forest.refresh(None);
        assert!(forest.forked().is_empty());
    }

    proptest! {
        /// However steps come, the same branches result.
        #[test]
        fn live_and_at_once_are_the_same(turns in proptest::collection::vec((0u8..8, 1u64..50, any::<bool>()), 1..50), cut in 1usize..10) {
            let steps: Vec<Step> = turns.iter().zip(1..).map(|((kind, target, side), id)| {
                let side = if *side { Side::After } else { Side::Before };
                let cause = match kind {
                    0 => Some(Cause::Jump { step: Some(StepId(*target)), side }),
                    1 => Some(Cause::Replay { step: Some(StepId(*target)), edited: true }),
                    _ => None,
                };
                step(id, if id % 3 == 0 { "a" } else { "b" }, cause)
            }).collect();
            let steps: Steps = steps.into_iter().collect();
            let (mut whole, mut parts) = (timeline(), timeline());
            let (mut at_once, mut live) = (Forest::default(), Forest::default());
            whole.apply(&Notice::Steps(SourceId(1), steps.since(0, usize::MAX)));
            at_once.refresh(Some(&whole));
            for from in (0..steps.len()).step_by(cut) {
                parts.apply(&Notice::Steps(SourceId(1), steps.since(from, cut)));
                live.refresh(Some(&parts));
            }
            prop_assert_eq!(&at_once.trees, &live.trees);
            prop_assert_eq!(&at_once.forks, &live.forks);
        }
    }
}
