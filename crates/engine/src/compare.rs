//! Two views beside each other: which steps are the same, and what their states differ in.

use std::sync::Arc;
use std::time::{Duration, Instant};

use inspector_diff::{Aligned, Options, StepKey, align, diff_documents};
use inspector_model::{
    Answer, ChangeCounts, CompareRow, Comparison, ErrorCode, Failure, Ignore, PairStates, Side, StateAnswer, Step, StepId, StepKind, Stream,
};
use inspector_store::StateCursor;
use inspector_tape::Document;

use crate::queries::failed;
use crate::source::{SourceShared, place_of};

/// Steps of a view that are compared: more take too long, and nobody reads them.
const MOST_STEPS: usize = 50_000;

/// How long reading the parameters of both sides may take. When it is not enough, none are looked at: those of a part would
/// tell equal steps apart.
const PARAMS_BUDGET: Duration = Duration::from_millis(400);

/// How long the alignment may take.
const ALIGN_DEADLINE: Duration = Duration::from_millis(200);

/// How long one part of comparing states takes, and one pair of it.
const STATES_BUDGET: Duration = Duration::from_millis(15);
const PAIR_DEADLINE: Duration = Duration::from_millis(20);

/// Puts the steps of two views beside each other.
pub fn steps(left: (&SourceShared, &Stream), right: (&SourceShared, &Stream)) -> Result<Answer, Failure> {
    let (left_steps, left_more) = steps_of(left.0, left.1);
    let (right_steps, right_more) = steps_of(right.0, right.1);
    let end = Instant::now() + PARAMS_BUDGET;
    let by_both = keys(left.0, &left_steps, end)?.zip(keys(right.0, &right_steps, end)?);
    let by_params = by_both.is_some();
    let (left_keys, right_keys) = by_both.unwrap_or_else(|| {
        let bare = |steps: &[Step]| steps.iter().map(|step| StepKey::new(step, None)).collect();
        (bare(&left_steps), bare(&right_steps))
    });
    let alignment = align(&left_keys, &right_keys, ALIGN_DEADLINE);
    let rows = alignment.rows.into_iter().map(|row| match row {
        Aligned::Pair { left, right, whole } => {
            CompareRow::Pair { left: left_steps[left].id, right: right_steps[right].id, same_params: whole }
        }
        Aligned::Left(at) => CompareRow::Left(left_steps[at].id),
        Aligned::Right(at) => CompareRow::Right(right_steps[at].id),
    });
    let rows = rows.collect();
    Ok(Answer::Compared(Box::new(Comparison { rows, by_params, cut_short: alignment.cut_short, left_out: (left_more, right_more) })))
}

/// The first steps of a view, and how many there are beyond.
fn steps_of(source: &SourceShared, stream: &Stream) -> (Vec<Step>, u64) {
    let all = source.steps.read();
    let (mut steps, mut more) = (Vec::new(), 0);
    for block in all.blocks() {
        let stream_of = block.streams().1;
        let Some(wanted) = place_of(block, stream) else { continue };
        for (at, _) in stream_of.iter().enumerate().filter(|(_, of)| **of as usize == wanted) {
            if steps.len() < MOST_STEPS { steps.extend(block.get(at)) } else { more += 1 }
        }
    }
    (steps, more)
}

/// The steps with their parameters. `None` when there was no time for all of them.
fn keys(source: &SourceShared, steps: &[Step], end: Instant) -> Result<Option<Vec<StepKey>>, Failure> {
    let mut keys = Vec::with_capacity(steps.len());
    for step in steps {
        if !matches!(step.kind, StepKind::Event | StepKind::Replay | StepKind::RateLimited) {
            keys.push(StepKey::new(step, None));
            continue;
        }
        if Instant::now() > end {
            return Ok(None);
        }
        let detail = source.reader.detail(step.id).map_err(|error| failed(&error))?;
        keys.push(StepKey::new(step, detail.params.as_deref()));
    }
    Ok(Some(keys))
}

/// What the states after the steps of pairs differ in: as many pairs as there is time for, one at least.
pub fn states(left: &SourceShared, right: &SourceShared, pairs: &[(StepId, StepId)], ignore: &Ignore) -> Result<Answer, Failure> {
    states_within(STATES_BUDGET, left, right, pairs, ignore)
}

fn states_within(
    budget: Duration,
    left: &SourceShared,
    right: &SourceShared,
    pairs: &[(StepId, StepId)],
    ignore: &Ignore,
) -> Result<Answer, Failure> {
    let start = Instant::now();
    let (mut left, mut right) = (States::new(left), States::new(right));
    let mut compared = Vec::new();
    for (left_step, right_step) in pairs {
        compared.push(pair(&mut left, &mut right, *left_step, *right_step, ignore)?);
        if start.elapsed() >= budget {
            break;
        }
    }
    Ok(Answer::ComparedStates(compared))
}

fn pair(left: &mut States<'_>, right: &mut States<'_>, at: StepId, to: StepId, ignore: &Ignore) -> Result<PairStates, Failure> {
    let has = (left.has_states(at)?, right.has_states(to)?);
    if has == (false, false) {
        return Ok(PairStates::default());
    }
    let missing = |side: &str, why: String| PairStates { missing: Some(format!("{side}: {why}")), ..PairStates::default() };
    let before = match left.text(at)? {
        StateAnswer::Full(text) => text,
        StateAnswer::Missing(why) => return Ok(missing("left", why)),
    };
    let after = match right.text(to)? {
        StateAnswer::Full(text) => text,
        StateAnswer::Missing(why) => return Ok(missing("right", why)),
    };
    if before == after {
        return Ok(PairStates::default());
    }
    let (Some(before), Some(after)) = (left.document(before), right.document(after)) else {
        // Not to be told in paths, but equal they are not.
        return Ok(PairStates { counts: ChangeCounts { changed: 1, ..ChangeCounts::default() }, ..PairStates::default() });
    };
    let mut diff = diff_documents(&before, &after, &Options { deadline: PAIR_DEADLINE, ..Options::default() });
    let ignored = ignore.apply(&mut diff);
    let paths = diff.changes.iter().take(PairStates::MOST_PATHS).map(|change| change.path.to_string()).collect();
    Ok(PairStates { counts: diff.counts, ignored, paths, missing: None })
}

/// The states of one side, one after the other.
struct States<'a> {
    source: &'a SourceShared,
    cursor: StateCursor,
    last: Option<Arc<Document>>,
}

impl<'a> States<'a> {
    fn new(source: &'a SourceShared) -> Self {
        Self { source, cursor: source.reader.cursor(), last: None }
    }

    fn has_states(&self, step: StepId) -> Result<bool, Failure> {
        let step = self.source.step(step).ok_or_else(|| Failure::new(ErrorCode::NotFound, format!("there is no step {step}")))?;
        Ok(step.has_states())
    }

    fn text(&mut self, step: StepId) -> Result<StateAnswer, Failure> {
        self.cursor.state(step, Side::After).map_err(|error| failed(&error))
    }

    fn document(&mut self, text: Arc<str>) -> Option<Arc<Document>> {
        let document = match &self.last {
            Some(last) => Document::after(last, text),
            None => Document::new(text),
        };
        self.last = document.ok().map(Arc::new);
        self.last.clone()
    }
}

#[cfg(test)]
mod tests {
    use inspector_model::{Source, SourceId, StepDetail};
    use inspector_store::{NewState, NewStep, Recorder, Store};

    use super::*;

    /// A source whose view had these events: name, parameters, the state after.
    fn source(store: &Store, id: u32, events: &[(&str, &str, &str)]) -> (SourceShared, Recorder) {
        let mut recorder = store.create("bench", 1.0, "1.2.6").unwrap();
        let info = Source::recording(SourceId(id), "bench");
        let source = SourceShared::new(info, recorder.reader());
        for (name, params, after) in events {
            let mut step = Step { session: Some("s".into()), state_bytes: after.len() as u64, ..Step::new(StepKind::Event, name, 2.0) };
            let detail = StepDetail { params: Some((*params).to_owned()), ..StepDetail::default() };
            let after = NewState::Text((*after).into());
            step.id = recorder.append(NewStep { step: step.clone(), detail, before: NewState::None, after, html: None }).unwrap();
            source.steps.write().push(&step);
        }
        (source, recorder)
    }

    fn stream() -> Stream {
        ("s".into(), None)
    }

    #[test]
    fn two_recordings_are_aligned_and_their_states_compared() {
        let data = tempfile::tempdir().unwrap();
        let (store, _) = Store::open(data.path()).unwrap();
        let (left, _l) = source(&store, 1, &[("add", "{\"n\":1}", "{\"count\":1,\"at\":\"2026-11-23\"}"), ("pay", "{}", "{\"count\":1}")]);
        let (right, _r) = source(
            &store,
            2,
            &[("open", "{}", "{\"count\":0}"), ("add", "{\"n\":1}", "{\"count\":1,\"at\":\"2026-11-24\"}"), ("pay", "{}", "{\"count\":2}")],
        );
        let Answer::Compared(compared) = steps((&left, &stream()), (&right, &stream())).unwrap() else { panic!("not compared") };
        let pair = |left, right| CompareRow::Pair { left: StepId(left), right: StepId(right), same_params: true };
        assert_eq!(compared.rows, [CompareRow::Right(StepId(1)), pair(1, 2), pair(2, 3)]);
        assert!(compared.by_params && !compared.cut_short);

        let pairs = [(StepId(1), StepId(2)), (StepId(2), StepId(3))];
        let asked = |ignore: &Ignore| match states(&left, &right, &pairs, ignore).unwrap() {
            Answer::ComparedStates(states) => states,
            other => panic!("{other:?}"),
        };
        let all = asked(&Ignore::default());
        assert_eq!((all[0].counts.changed, all[0].paths.clone()), (1, vec!["at".to_owned()]));
        assert_eq!((all[1].counts.changed, all[1].paths.clone()), (1, vec!["count".to_owned()]));
        let some = asked(&Ignore { times_and_ids: true, ..Ignore::default() });
        assert_eq!((some[0].counts.total(), some[0].ignored, some[1].counts.total()), (0, 1, 1));
    }

    #[test]
    fn one_part_compares_one_pair_at_least_and_says_how_far_it_came() {
        let data = tempfile::tempdir().unwrap();
        let (store, _) = Store::open(data.path()).unwrap();
        let texts: Vec<String> = (0..6).map(|n| format!("{{\"count\":{n}}}")).collect();
        let events: Vec<(&str, &str, &str)> = texts.iter().map(|text| ("add", "{}", text.as_str())).collect();
        let (left, _l) = source(&store, 1, &events[..3]);
        let (right, _r) = source(&store, 2, &events[3..]);
        let pairs: Vec<(StepId, StepId)> = (1..=3).map(|id| (StepId(id), StepId(id))).collect();
        for (budget, compared) in [(Duration::ZERO, 1), (Duration::from_mins(1), 3)] {
            let answer = states_within(budget, &left, &right, &pairs, &Ignore::default()).unwrap();
            let Answer::ComparedStates(states) = answer else { panic!("{answer:?}") };
            assert_eq!(states.len(), compared);
            assert!(states.iter().all(|states| states.paths == ["count"]), "{states:?}");
        }
    }

    #[test]
    fn steps_without_states_are_equal_and_a_lost_state_says_why() {
        let data = tempfile::tempdir().unwrap();
        let (store, _) = Store::open(data.path()).unwrap();
        let (left, mut recorder) = source(&store, 1, &[("add", "{}", "{}")]);
        let mut append = |state_bytes, after| {
            let step = Step { session: Some("s".into()), state_bytes, ..Step::new(StepKind::Close, "closed", 3.0) };
            let id = recorder
                .append(NewStep { step: step.clone(), detail: StepDetail::default(), before: NewState::None, after, html: None })
                .unwrap();
            left.steps.write().push(&Step { id, ..step });
            id
        };
        let (closed, lost) = (append(0, NewState::None), append(9, NewState::Missing("too big".into())));
        let asked = |to| match states(&left, &left, &[(closed, to)], &Ignore::default()).unwrap() {
            Answer::ComparedStates(states) => states[0].clone(),
            other => panic!("{other:?}"),
        };
        assert_eq!(asked(closed), PairStates::default());
        assert!(asked(lost).missing.is_some());
    }
}
