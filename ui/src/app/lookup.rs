//! Questions to the whole recording: where a text is, and when a value changed. What was asked, and what was answered so far.

use std::sync::Arc;

use inspector_model::{Failure, Found, Hit, Path, PathHistory, RequestId, Scope, SearchOptions, Side, SourceId, StepId};

use super::slot::Slot;

/// Hits that are kept: nobody reads more.
const MOST_HITS: usize = 10_000;

/// What the drawer below the table shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drawer {
    /// Text in values and paths.
    Find,
    /// The history of one value.
    History,
    /// The marked steps.
    Marks,
    /// Values that are followed from step to step.
    Pinned,
    /// Conditions that watch every state.
    Breakpoints,
}

/// A value that is followed through time.
#[derive(Clone, Debug, PartialEq)]
pub struct Followed {
    /// Where.
    pub source: SourceId,
    /// The step in whose state it stands.
    pub step: StepId,
    /// At which end of it.
    pub side: Side,
    /// Its path there.
    pub path: Path,
    /// Whose states.
    pub scope: Scope,
    /// Steps that there were when it was asked: it is asked again when there are more.
    pub steps: usize,
}

/// Both questions.
#[derive(Default)]
pub struct Lookup {
    /// What is shown, if anything.
    pub drawer: Option<Drawer>,
    /// The search.
    pub find: Find,
    /// The value.
    pub followed: Option<Followed>,
    /// Its history.
    pub history: Slot<Followed, Arc<PathHistory>>,
}

/// A search, as far as it is.
#[derive(Default)]
pub struct Find {
    /// What is looked for.
    pub options: SearchOptions,
    /// Where.
    pub source: Option<SourceId>,
    /// What was found so far.
    pub hits: Vec<Hit>,
    /// Steps that were searched, of how many.
    pub progress: (u64, u64),
    /// Why it ended, if it failed.
    pub failure: Option<Failure>,
    next: Option<StepId>,
    asked: Option<RequestId>,
}

impl Find {
    /// Begins a search anew. What is still on its way for the last one is not waited for.
    pub fn begin(&mut self, source: Option<SourceId>, options: SearchOptions) {
        let next = source.filter(|_| !options.text.is_empty()).map(|_| StepId(0));
        *self = Self { options, source, next, ..Self::default() };
    }

    /// Ends it; what was found stays.
    pub fn stop(&mut self) {
        self.next = None;
        self.asked = None;
    }

    /// Where to search now, if there is more and nothing is on its way.
    pub const fn due(&self) -> Option<StepId> {
        if self.asked.is_some() { None } else { self.next }
    }

    /// Whether it is still going on.
    pub const fn is_running(&self) -> bool {
        self.next.is_some() || self.asked.is_some()
    }

    /// Whether it ended because there was enough.
    pub const fn is_full(&self) -> bool {
        self.hits.len() >= MOST_HITS
    }

    /// Notes that a part was asked for.
    pub fn asked(&mut self, id: RequestId) {
        self.asked = Some(id);
    }

    /// Whether `id` is the part that is on its way.
    pub fn awaits(&self, id: RequestId) -> bool {
        self.asked == Some(id)
    }

    /// Takes a part in.
    pub fn answered(&mut self, part: Result<Found, Failure>) {
        self.asked = None;
        match part {
            Ok(Found { hits, next, progress }) => {
                self.hits.extend(hits);
                self.progress = progress;
                self.next = next.filter(|_| self.hits.len() < MOST_HITS);
            }
            Err(failure) => {
                self.failure = Some(failure);
                self.next = None;
            }
        }
    }
}

impl Lookup {
    /// The step before or after `step` in which the followed value changed.
    pub fn change_beside(&self, step: StepId, forward: bool) -> Option<StepId> {
        let history = self.history.shown()?.1.as_ref().ok()?;
        let steps = &history.steps;
        if forward {
            steps.get(steps.partition_point(|change| *change <= step)).copied()
        } else {
            steps.get(steps.partition_point(|change| *change < step).checked_sub(1)?).copied()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hit(step: u64) -> Hit {
        Hit { step: StepId(step), session: None, view: None, path: String::new(), in_path: false, value: String::new() }
    }

    fn options(text: &str) -> SearchOptions {
        SearchOptions { text: text.into(), ..SearchOptions::default() }
    }

    #[test]
    fn a_search_goes_on_part_by_part_until_it_is_told_to_stop() {
        let mut find = Find::default();
        find.begin(Some(SourceId(1)), options("tea"));
        assert_eq!(find.due(), Some(StepId(0)));
        find.asked(RequestId(1));
        assert_eq!(find.due(), None, "one part at a time");
        find.answered(Ok(Found { hits: vec![hit(3)], next: Some(StepId(257)), progress: (257, 900) }));
        assert_eq!((find.due(), find.hits.len(), find.is_running()), (Some(StepId(257)), 1, true));
        find.stop();
        assert_eq!((find.due(), find.hits.len(), find.is_running()), (None, 1, false));
    }

    #[test]
    fn an_answer_to_the_last_search_is_not_taken_for_one_to_this() {
        let mut find = Find::default();
        find.begin(Some(SourceId(1)), options("tea"));
        find.asked(RequestId(1));
        find.begin(Some(SourceId(1)), options("milk"));
        assert!(!find.awaits(RequestId(1)));
        find.begin(Some(SourceId(1)), options(""));
        assert_eq!(find.due(), None, "nothing is looked for");
    }

    #[test]
    fn changes_beside_a_step_are_found() {
        let key =
            Followed { source: SourceId(1), step: StepId(5), side: Side::After, path: Path::default(), scope: Scope::Everywhere, steps: 9 };
        let mut lookup = Lookup::default();
        let steps = vec![StepId(2), StepId(5), StepId(8)];
        lookup.history.have(key, Arc::new(PathHistory { steps, ..PathHistory::default() }));
        let beside = |step, forward| lookup.change_beside(StepId(step), forward).map(|step| step.0);
        assert_eq!(
            [beside(5, false), beside(5, true), beside(2, false), beside(9, true), beside(6, false)],
            [Some(2), Some(8), None, None, Some(5)]
        );
    }
}
