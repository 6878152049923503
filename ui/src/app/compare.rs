//! Two views beside each other: which ones, how their steps stand to each other, what was found to differ so far, and where both
//! stand.

use std::collections::HashMap;
use std::sync::Arc;

use inspector_model::{
    Answer, CompareRow, Comparison, Diff, Failure, Ignore, PairStates, RecordingId, Request, RequestId, Session, Side, SourceId,
    SourceStream, StepId, Timeline,
};

use super::engine::{Engine, diff_of, not_taken, unexpected};
use super::model::{DiffKey, Model, Page};
use super::slot::Slot;
use crate::commands::UiCommand;

/// Pairs that are asked about at once: more than one answer has time for.
const PAIRS: usize = 256;

/// One of the two sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hand {
    /// The first.
    Left,
    /// The second.
    Right,
}

impl Hand {
    /// Both.
    pub const BOTH: [Self; 2] = [Self::Left, Self::Right];

    /// `left`, `right`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Right => "right",
        }
    }
}

/// What the user wants of the comparison.
#[derive(Clone, Debug)]
pub enum CompareWish {
    /// Compare this view.
    Choose(Hand, SourceStream),
    /// Open a recording and compare it.
    Open(Hand, RecordingId),
    /// Left becomes right.
    Swap,
    /// What is expected to differ.
    Ignore(Ignore),
    /// Both sides to a row.
    Row(usize),
    /// Take in the steps that came since.
    Again,
}

/// What two views are compared, and how many steps they had then.
#[derive(Clone, Debug, PartialEq)]
pub struct CompareKey {
    /// Left.
    pub left: SourceStream,
    /// Right.
    pub right: SourceStream,
    steps: (usize, usize),
}

/// What is known of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// The states were not compared yet.
    Unknown,
    /// As on the other side.
    Same,
    /// The states, or how the steps ended, differ.
    Differs,
    /// The states could not be compared.
    Missing,
    /// Only on the left.
    Left,
    /// Only on the right.
    Right,
}

impl Mark {
    /// Whether both sides part here.
    pub const fn is_difference(self) -> bool {
        matches!(self, Self::Differs | Self::Left | Self::Right)
    }
}

/// How many rows there are of each sort.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Pairs.
    pub pairs: usize,
    /// Pairs that differ.
    pub differ: usize,
    /// Rows of the left only.
    pub left: usize,
    /// Rows of the right only.
    pub right: usize,
    /// Pairs that were not compared yet.
    pub unknown: usize,
    /// Differences that were expected.
    pub ignored: u64,
}

/// A diff without what is expected.
pub struct RowDiff {
    /// With it.
    pub whole: Arc<Diff>,
    ignore: Ignore,
    /// Without what is expected.
    pub shown: Arc<Diff>,
    /// How much that was.
    pub ignored: u32,
}

/// The comparison.
#[derive(Default)]
pub struct Compare {
    /// What is expected to differ.
    pub ignore: Ignore,
    /// The rows.
    pub aligned: Slot<CompareKey, Arc<Comparison>>,
    /// The diff of the row where both stand: of a pair between its sides, else of the step itself.
    pub diff: Slot<DiffKey, Arc<Diff>>,
    /// The same without what is expected.
    pub row_diff: Option<RowDiff>,
    chosen: [Option<SourceStream>; 2],
    /// The user chose: nothing is suggested any more.
    by_user: bool,
    awaited: Option<(Hand, SourceId)>,
    key: Option<CompareKey>,
    again: bool,
    row: usize,
    marks: Vec<Mark>,
    states: HashMap<usize, PairStates>,
    summary: Summary,
    /// Rows before it are compared.
    upto: usize,
    asked: Option<(RequestId, Vec<usize>)>,
    failure: Option<Failure>,
}

impl RowDiff {
    /// Takes what is expected out of a diff, unless that was done.
    pub fn renew(kept: &mut Option<Self>, whole: &Arc<Diff>, ignore: &Ignore) {
        if kept.as_ref().is_some_and(|kept| Arc::ptr_eq(&kept.whole, whole) && kept.ignore == *ignore) {
            return;
        }
        // A copy is made only where something is left out: it goes as deep as the values.
        let (mut shown, mut ignored) = (whole.clone(), 0);
        if whole.changes.iter().any(|change| ignore.expects(change)) {
            let mut diff = (**whole).clone();
            ignored = ignore.apply(&mut diff);
            shown = Arc::new(diff);
        }
        *kept = Some(Self { whole: whole.clone(), ignore: ignore.clone(), shown, ignored });
    }
}

impl Compare {
    /// What is compared on a side.
    pub fn chosen(&self, hand: Hand) -> Option<&SourceStream> {
        self.chosen[hand as usize].as_ref()
    }

    /// The rows, once they are there.
    pub fn rows(&self) -> &[CompareRow] {
        match self.aligned.shown() {
            Some((_, Ok(comparison), _)) => &comparison.rows,
            _ => &[],
        }
    }

    /// What is known of each row.
    pub fn marks(&self) -> &[Mark] {
        &self.marks
    }

    /// What was found in a pair. `None`: nothing that differs.
    pub fn states(&self, row: usize) -> Option<&PairStates> {
        self.states.get(&row)
    }

    /// Where both sides stand.
    pub const fn row(&self) -> usize {
        self.row
    }

    /// All rows in numbers.
    pub const fn summary(&self) -> Summary {
        self.summary
    }

    /// Why comparing states ended, if it failed.
    pub const fn failure(&self) -> Option<&Failure> {
        self.failure.as_ref()
    }

    /// The steps of a row.
    pub fn steps(&self, row: usize) -> [Option<StepId>; 2] {
        match self.rows().get(row) {
            Some(CompareRow::Pair { left, right, .. }) => [Some(*left), Some(*right)],
            Some(CompareRow::Left(step)) => [Some(*step), None],
            Some(CompareRow::Right(step)) => [None, Some(*step)],
            None => [None, None],
        }
    }

    /// Steps that came since the rows were made.
    pub fn new_steps(&self, timelines: &[Timeline]) -> usize {
        let Some(key) = &self.key else { return 0 };
        let now = [&key.left, &key.right].map(|side| count(timelines, side));
        now[0].saturating_sub(key.steps.0) + now[1].saturating_sub(key.steps.1)
    }

    /// The first row where both sides part, as far as is known.
    pub fn first_divergence(&self) -> Option<usize> {
        self.marks.iter().position(|mark| mark.is_difference())
    }

    /// Does what the user wants.
    pub fn wish(&mut self, wish: CompareWish) {
        match wish {
            CompareWish::Choose(hand, stream) => {
                self.by_user = true;
                self.choose(hand, Some(stream));
            }
            CompareWish::Swap => {
                self.by_user = true;
                self.chosen.swap(0, 1);
                self.row = 0;
            }
            CompareWish::Ignore(ignore) => {
                if ignore != self.ignore {
                    self.ignore = ignore;
                    self.begin();
                }
            }
            CompareWish::Row(row) => self.go_to(row),
            CompareWish::Again => self.again = true,
            CompareWish::Open(..) => {}
        }
    }

    /// Carries out the commands that move both sides. `false`: it is none of them.
    pub fn go(&mut self, command: UiCommand) -> bool {
        let marks = &self.marks;
        let differs = |row: &usize| marks.get(*row).is_some_and(|mark| mark.is_difference());
        let row = match command {
            UiCommand::NextStep => Some(self.row + 1),
            UiCommand::PreviousStep => Some(self.row.saturating_sub(1)),
            UiCommand::FirstStep => Some(0),
            UiCommand::LastStep => Some(usize::MAX),
            UiCommand::FirstDivergence => self.first_divergence(),
            UiCommand::NextDifference => (self.row + 1..marks.len()).find(differs),
            UiCommand::PreviousDifference => (0..self.row.min(marks.len())).rev().find(differs),
            _ => return false,
        };
        if let Some(row) = row {
            self.go_to(row);
        }
        true
    }

    fn go_to(&mut self, row: usize) {
        self.row = row.min(self.rows().len().saturating_sub(1));
    }

    fn choose(&mut self, hand: Hand, stream: Option<SourceStream>) {
        self.awaited = self.awaited.filter(|(awaited, _)| *awaited != hand);
        self.chosen[hand as usize] = stream;
        self.row = 0;
    }

    /// A source was opened to be compared: its newest page is, as soon as it is known.
    pub fn await_source(&mut self, hand: Hand, source: SourceId) {
        self.awaited = Some((hand, source));
    }

    /// Forgets what was found in states.
    fn begin(&mut self) {
        let marks = self.rows().iter().map(|row| match row {
            CompareRow::Pair { .. } => Mark::Unknown,
            CompareRow::Left(_) => Mark::Left,
            CompareRow::Right(_) => Mark::Right,
        });
        self.marks = marks.collect();
        let count = |mark: Mark| self.marks.iter().filter(|other| **other == mark).count();
        let pairs = count(Mark::Unknown);
        self.summary = Summary { pairs, unknown: pairs, left: count(Mark::Left), right: count(Mark::Right), ..Summary::default() };
        self.states.clear();
        self.upto = 0;
        self.asked = None;
        self.failure = None;
        self.row_diff = None;
        self.go_to(self.row);
    }

    /// Brings what is compared up to date with what there is.
    fn settle(&mut self, timelines: &[Timeline]) {
        for hand in Hand::BOTH {
            let gone = self.chosen(hand).is_some_and(|(source, (session, _))| {
                !timelines.iter().any(|timeline| timeline.id() == *source && timeline.sessions().contains_key(session))
            });
            if gone {
                self.choose(hand, None);
                self.by_user = false;
            }
        }
        if let Some((hand, source)) = self.awaited
            && let Some(stream) = newest_of(timelines, source, self.chosen[1 - hand as usize].as_ref())
        {
            self.by_user = true;
            self.choose(hand, Some(stream));
        }
        if !self.by_user && self.chosen.contains(&None) {
            self.chosen = suggested(timelines);
        }
        let [Some(left), Some(right)] = &self.chosen else {
            self.key = None;
            return;
        };
        let steps = (count(timelines, left), count(timelines, right));
        let same = self.key.as_ref().is_some_and(|key| key.left == *left && key.right == *right);
        // A recording is still being read in. A live page goes on while somebody reads: its new steps are taken in when that is asked for.
        let grows = |side: &SourceStream| timelines.iter().any(|timeline| timeline.id() == side.0 && timeline.source().is_attached());
        if !same || self.again || !(grows(left) || grows(right)) {
            self.key = Some(CompareKey { left: left.clone(), right: right.clone(), steps });
        }
        self.again = false;
    }

    /// The ends that are compared in the row where both sides stand.
    fn ends(&self, timelines: &[Timeline]) -> Option<DiffKey> {
        let (key, _, current) = self.aligned.shown()?;
        if !current {
            return None;
        }
        let sources = [key.left.0, key.right.0];
        let has = |hand: Hand, step: StepId| {
            let timeline = timelines.iter().find(|timeline| timeline.id() == sources[hand as usize])?;
            timeline.step(step).filter(inspector_model::Step::has_states).map(|step| step.id)
        };
        match self.rows().get(self.row)? {
            CompareRow::Pair { left, right, .. } => {
                let (left, right) = (has(Hand::Left, *left)?, has(Hand::Right, *right)?);
                Some(((sources[0], left, Side::After), (sources[1], right, Side::After)))
            }
            CompareRow::Left(step) => Some(own(sources[0], has(Hand::Left, *step)?)),
            CompareRow::Right(step) => Some(own(sources[1], has(Hand::Right, *step)?)),
        }
    }

    /// Pairs that are to be compared next, with their rows.
    fn due(&self) -> (Vec<usize>, Vec<(StepId, StepId)>) {
        let rows = self.rows().iter().enumerate().skip(self.upto);
        let pairs = rows.filter_map(|(row, pair)| match pair {
            CompareRow::Pair { left, right, .. } => Some((row, (*left, *right))),
            CompareRow::Left(_) | CompareRow::Right(_) => None,
        });
        pairs.take(PAIRS).unzip()
    }

    /// Whether `id` is one of its requests that are on their way.
    pub fn awaits(&self, id: RequestId) -> bool {
        self.aligned.awaits(id) || self.diff.awaits(id) || self.asked.as_ref().is_some_and(|(asked, _)| *asked == id)
    }

    /// Takes an answer in.
    pub fn answered(&mut self, id: RequestId, answer: Answer, timelines: &[Timeline]) {
        if self.aligned.awaits(id) {
            self.aligned.answered(match answer {
                Answer::Compared(comparison) => Ok(Arc::from(comparison)),
                other => Err(unexpected(other)),
            });
            self.begin();
        } else if self.diff.awaits(id) {
            self.diff.answered(diff_of(answer));
        } else if let Some((_, rows)) = self.asked.take() {
            match answer {
                Answer::ComparedStates(states) => self.found(&rows, states, timelines),
                other => {
                    self.failure = Some(unexpected(other));
                    self.upto = self.rows().len();
                }
            }
        }
    }

    fn found(&mut self, rows: &[usize], states: Vec<PairStates>, timelines: &[Timeline]) {
        let Some(key) = self.aligned.shown().map(|(key, _, _)| key.clone()) else { return };
        for (row, states) in rows.iter().zip(states) {
            let [left, right] = self.steps(*row);
            let status = |source: SourceId, step: Option<StepId>| {
                let steps = timelines.iter().find(|timeline| timeline.id() == source)?.steps();
                steps.status(steps.position(step?)?)
            };
            let ends = (status(key.left.0, left), status(key.right.0, right));
            let mark = if states.counts.total() > 0 || ends.0 != ends.1 {
                Mark::Differs
            } else if states.missing.is_some() {
                Mark::Missing
            } else {
                Mark::Same
            };
            self.summary.unknown -= 1;
            self.summary.differ += usize::from(mark == Mark::Differs);
            self.summary.ignored += u64::from(states.ignored);
            if let Some(known) = self.marks.get_mut(*row) {
                *known = mark;
            }
            if states != PairStates::default() {
                self.states.insert(*row, states);
            }
            self.upto = row + 1;
        }
    }
}

const fn own(source: SourceId, step: StepId) -> DiffKey {
    ((source, step, Side::Before), (source, step, Side::After))
}

fn count(timelines: &[Timeline], (source, stream): &SourceStream) -> usize {
    timelines.iter().find(|timeline| timeline.id() == *source).map_or(0, |timeline| timeline.stream(stream).len())
}

/// The class of a page's root view.
fn class(session: &Session) -> Option<&str> {
    session.view.as_ref().map(|view| view.class.as_str())
}

/// All pages that have steps, the newest first.
fn pages(timelines: &[Timeline]) -> Vec<(&Timeline, &Session)> {
    let of = |timeline| Timeline::sessions(timeline).values().map(move |session| (timeline, session));
    let mut pages: Vec<(&Timeline, &Session)> = timelines.iter().flat_map(of).collect();
    pages.retain(|(timeline, session)| !timeline.stream(&(session.id.clone(), None)).is_empty());
    pages.sort_by(|a, b| b.1.opened.total_cmp(&a.1.opened));
    pages
}

/// The two newest pages with the same view, the older one on the left; else the newest page alone.
fn suggested(timelines: &[Timeline]) -> [Option<SourceStream>; 2] {
    let pages = pages(timelines);
    let stream = |(timeline, session): &(&Timeline, &Session)| (timeline.id(), (session.id.clone(), None));
    for (at, newer) in pages.iter().enumerate() {
        let older = pages[at + 1..].iter().find(|older| class(newer.1).is_some() && class(older.1) == class(newer.1));
        if let Some(older) = older {
            return [Some(stream(older)), Some(stream(newer))];
        }
    }
    [pages.first().map(stream), None]
}

/// The newest page of a source, with the view of the other side if it has one.
fn newest_of(timelines: &[Timeline], source: SourceId, other: Option<&SourceStream>) -> Option<SourceStream> {
    let wanted = other.and_then(|(source, (session, _))| {
        let timeline = timelines.iter().find(|timeline| timeline.id() == *source)?;
        class(timeline.sessions().get(session)?)
    });
    let all = pages(timelines);
    let mut of_source = all.iter().filter(|(timeline, _)| timeline.id() == source);
    let found = of_source.clone().find(|(_, session)| wanted.is_some() && class(session) == wanted).or_else(|| of_source.next())?;
    Some((source, (found.1.id.clone(), None)))
}

/// Asks for what is compared and not known yet.
pub fn pull(engine: &mut Engine, model: &mut Model) {
    let compare = &mut model.compare;
    if model.page != Page::Compare {
        compare.aligned.want(None);
        compare.diff.want(None);
        return;
    }
    compare.settle(&model.timelines);
    compare.aligned.want(compare.key.clone());
    engine.fill(&mut compare.aligned, |key| Request::Compare { left: key.left, right: key.right });
    let ends = compare.ends(&model.timelines);
    compare.diff.want(ends);
    engine.fill(&mut compare.diff, |(from, to)| Request::Diff { from, to });
    show_diff(compare);

    let Some((key, Ok(_), true)) = compare.aligned.shown() else { return };
    let (left, right) = (key.left.0, key.right.0);
    if compare.asked.is_none() {
        let (rows, pairs) = compare.due();
        if !pairs.is_empty() {
            let asked = engine.send(Request::CompareStates { left, right, pairs, ignore: compare.ignore.clone() });
            compare.asked = asked.map(|id| (id, rows));
            if asked.is_none() {
                compare.failure = Some(not_taken());
                compare.upto = usize::MAX;
            }
        }
    }
}

/// Takes what is expected out of the diff of a pair.
fn show_diff(compare: &mut Compare) {
    let Some((key, Ok(whole), _)) = compare.diff.shown() else {
        compare.row_diff = None;
        return;
    };
    // What one step did itself is told in full.
    let is_pair = key.0.2 == key.1.2;
    let ignore = if is_pair { compare.ignore.clone() } else { Ignore::default() };
    RowDiff::renew(&mut compare.row_diff, whole, &ignore);
}

#[cfg(test)]
mod tests {
    use inspector_model::{ChangeCounts, Notice, Source, Step, StepKind};

    use super::*;

    fn timeline(id: u32, pages: &[(&str, &str, f64)]) -> Timeline {
        let source = Source::recording(SourceId(id), "");
        let mut timeline = Timeline::new(source);
        for (nth, (session, class, opened)) in pages.iter().enumerate() {
            let json = serde_json::json!({"session": session, "opened": opened, "view": {"class": class}});
            timeline.apply(&Notice::Session(SourceId(id), Box::new(serde_json::from_value(json).unwrap())));
            let step = Step { id: StepId(nth as u64 + 1), session: Some((*session).into()), ..Step::new(StepKind::Mount, class, 1.0) };
            timeline.apply(&Notice::steps(SourceId(id), [step]));
        }
        timeline
    }

    fn stream(source: u32, session: &str) -> SourceStream {
        (SourceId(source), (session.into(), None))
    }

    #[test]
    fn the_two_newest_pages_of_one_view_are_suggested() {
        let here = timeline(1, &[("a", "Cart", 1.0), ("b", "Home", 5.0), ("c", "Cart", 3.0)]);
        let there = timeline(2, &[("d", "Cart", 2.0)]);
        assert_eq!(suggested(&[here.clone(), there]), [Some(stream(2, "d")), Some(stream(1, "c"))]);
        assert_eq!(suggested(&[timeline(1, &[("a", "Cart", 1.0), ("b", "Home", 5.0)])]), [Some(stream(1, "b")), None]);
        assert_eq!(suggested(&[]), [None, None]);
        assert_eq!(newest_of(&[here], SourceId(1), None), Some(stream(1, "b")));
    }

    #[test]
    fn rows_are_compared_part_by_part_and_the_first_divergence_is_found() {
        let mut compare = Compare::default();
        let pair = |id| CompareRow::Pair { left: StepId(id), right: StepId(id), same_params: true };
        let rows = vec![pair(1), pair(2), CompareRow::Right(StepId(3)), pair(4)];
        let key = CompareKey { left: (SourceId(1), ("a".into(), None)), right: (SourceId(2), ("b".into(), None)), steps: (3, 4) };
        compare.aligned.have(key, Arc::new(Comparison { rows, ..Comparison::default() }));
        compare.begin();
        assert_eq!(compare.due(), (vec![0, 1, 3], vec![1, 2, 4].into_iter().map(|id| (StepId(id), StepId(id))).collect()));
        assert_eq!(compare.first_divergence(), Some(2), "as far as is known");
        let differs = PairStates { counts: ChangeCounts { changed: 2, ..ChangeCounts::default() }, ignored: 3, ..PairStates::default() };
        compare.found(&[0, 1, 3], vec![PairStates::default(), differs], &[]);
        assert_eq!(compare.due().0, [3], "the rest");
        assert_eq!(compare.marks(), [Mark::Same, Mark::Differs, Mark::Right, Mark::Unknown]);
        assert_eq!(compare.summary(), Summary { pairs: 3, differ: 1, right: 1, unknown: 1, ignored: 3, left: 0 });
        for (command, row) in [
            (UiCommand::FirstDivergence, 1),
            (UiCommand::NextDifference, 2),
            (UiCommand::NextDifference, 2),
            (UiCommand::LastStep, 3),
            (UiCommand::PreviousDifference, 2),
            (UiCommand::FirstStep, 0),
        ] {
            assert!(compare.go(command));
            assert_eq!(compare.row(), row, "{command:?}");
        }
        compare.wish(CompareWish::Ignore(Ignore { times_and_ids: true, ..Ignore::default() }));
        assert_eq!(compare.summary().unknown, 3, "with other rules everything is compared anew");
    }
}
