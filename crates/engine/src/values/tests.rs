//! What stands at followed paths, in recordings that are made here.

use inspector_model::{Segment, Source, SourceId, Step, StepDetail, StepKind};
use inspector_store::{NewState, NewStep, Recorder, Store};

use super::*;

struct Bench {
    source: SourceShared,
    recorder: Recorder,
    _data: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let data = tempfile::tempdir().unwrap();
        let (store, _) = Store::open(data.path()).unwrap();
        let recorder = store.create("bench", 1.0, "1.2.6").unwrap();
        let info = Source::recording(SourceId(1), "bench");
        let source = SourceShared::new(info, recorder.reader());
        Self { source, recorder, _data: data }
    }

    /// A step of a page's root view, or of its child `player`.
    fn step(&mut self, child: bool, name: &str, params: Option<&str>, after: &str) -> StepId {
        let view = child.then(|| "player".into());
        let mut step = Step { session: Some("s".into()), view, state_bytes: after.len() as u64, ..Step::new(StepKind::Event, name, 2.0) };
        let detail = StepDetail { params: params.map(str::to_owned), ..StepDetail::default() };
        let new = NewStep { step: step.clone(), detail, before: NewState::Same, after: NewState::Text(after.into()), html: None };
        step.id = self.recorder.append(new).unwrap();
        self.source.steps.write().push(&step);
        step.id
    }

    fn value(&self, step: u64, holder: Holder, path: &Path) -> PathValue {
        let at = ValueAt { step: StepId(step), stream: ("s".into(), None), holder, path: path.clone() };
        match values(&self.source, &[at]).unwrap() {
            Answer::Values(mut values) => values.pop().unwrap(),
            other => panic!("{other:?}"),
        }
    }
}

fn path(parts: &[&str]) -> Path {
    Path(parts.iter().map(|part| part.parse().map_or_else(|_| Segment::Key((*part).into()), Segment::Index)).collect())
}

fn json(value: &PathValue) -> Option<&str> {
    value.value.as_ref().map(|value| value.json.as_str())
}

fn told(value: &PathValue) -> (Option<&str>, Option<u64>, Option<u64>, bool, Option<u64>) {
    let id = |step: Option<StepId>| step.map(|step| step.0);
    (json(value), id(value.step), id(value.previous), value.here, id(value.next))
}

#[test]
fn a_row_is_followed_and_its_changes_are_told() {
    let mut bench = Bench::new();
    for rows in [
        r#"{"rows":[{"id":7,"n":1}]}"#,
        r#"{"rows":[{"id":8,"n":5},{"id":7,"n":1}]}"#,
        r#"{"rows":[{"id":8,"n":5},{"id":7,"n":2}]}"#,
        r#"{"rows":[{"id":8,"n":6},{"id":7,"n":2}]}"#,
        r#"{"rows":[{"id":8,"n":6}]}"#,
    ] {
        bench.step(false, "turn", None, rows);
        bench.step(true, "tick", None, r#"{"clock":1}"#);
    }
    let after = Holder::State(Side::After);
    let first = bench.value(1, after.clone(), &path(&["rows", "0", "n"]));
    assert_eq!(first.place.to_string(), "rows[=7].n");
    let at = |step| bench.value(step, after.clone(), &first.place);
    // A step of the child leaves the root view as its last step did.
    assert_eq!(told(&at(2)), (Some("1"), Some(1), Some(1), false, Some(5)));
    assert_eq!(told(&at(3)), (Some("1"), Some(3), Some(1), false, Some(5)));
    assert_eq!(told(&at(5)), (Some("2"), Some(5), Some(1), true, Some(9)));
    assert_eq!(told(&at(10)), (None, Some(9), Some(9), false, None));
    assert_eq!(at(5).last(StepId(5)), Some(StepId(5)));
    assert_eq!(told(&bench.value(5, Holder::State(Side::Before), &first.place)).0, Some("1"), "the end that is looked at");
    let stream = ("s".into(), None);
    let history = within(Duration::from_mins(1), &bench.source, &stream, &after, &first.place).unwrap();
    assert_eq!((history.count, history.steps.iter().map(|step| step.0).collect::<Vec<_>>()), (3, vec![1, 5, 9]));
    let values: Vec<_> = history.values.iter().map(|(step, value)| (step.0, value.as_ref().map(|value| value.json.as_str()))).collect();
    assert_eq!(values, [(1, Some("1")), (5, Some("2")), (9, None)]);
}

#[test]
fn a_view_without_a_state_yet_and_a_long_value_are_told_as_such() {
    let mut bench = Bench::new();
    bench.step(true, "tick", None, r#"{"clock":1}"#);
    let rows = (0..5_000).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
    bench.step(false, "mount", None, &format!(r#"{{"rows":[{rows}]}}"#));
    let at = |step| bench.value(step, Holder::State(Side::After), &path(&["rows"]));
    assert_eq!(told(&at(1)), (None, None, None, false, Some(2)));
    let long = at(2).value.unwrap();
    assert_eq!((long.whole, long.len, long.bytes), (false, Some(5_000), rows.len() as u64 + 2));
    assert!(long.json.len() < Glimpse::LONGEST + 40 && parse_value(&long.json).is_ok(), "{}", long.json);
}

#[test]
fn what_a_handler_was_called_with_is_followed_from_call_to_call() {
    let mut bench = Bench::new();
    for n in 1..=3 {
        bench.step(false, "add", Some(&format!(r#"{{"id":{n}}}"#)), "{}");
        bench.step(false, "open", Some("{}"), "{}");
    }
    let at = |step| bench.value(step, Holder::Params("add".into()), &path(&["id"]));
    assert_eq!(told(&at(1)), (Some("1"), Some(1), None, true, Some(3)));
    assert_eq!(told(&at(4)), (Some("2"), Some(3), Some(3), false, Some(5)));
    assert_eq!(told(&at(5)), (Some("3"), Some(5), Some(3), true, None));
    let holder = Holder::Params("add".into());
    let history = within(Duration::from_mins(1), &bench.source, &("s".into(), None), &holder, &path(&["id"])).unwrap();
    assert_eq!((history.count, history.values.len()), (3, 3));
}

#[test]
fn a_short_history_is_spread_over_the_whole_and_reads_no_more_than_it_has_time_for() {
    let mut bench = Bench::new();
    for n in 0..2_000 {
        bench.step(false, "turn", None, &format!(r#"{{"n":{n},"word":"w{n}"}}"#));
    }
    let ask = |budget, name: &str| within(budget, &bench.source, &("s".into(), None), &Holder::State(Side::After), &path(&[name])).unwrap();
    let long = Duration::from_mins(1);
    let history = ask(long, "n");
    assert_eq!((history.count, history.steps.len(), history.values.len()), (2_000, MOST_CHANGES, MOST_VALUES));
    assert_eq!((history.steps[0], history.steps[MOST_CHANGES - 1]), (StepId(1), StepId(2_000)));
    assert!(history.steps.windows(2).all(|pair| pair[0] < pair[1]));
    assert!(history.values.windows(2).all(|pair| (30..60).contains(&(pair[1].0.0 - pair[0].0.0))), "{:?}", history.values);
    assert_eq!(ask(Duration::ZERO, "n").values.len(), 1);
    assert_eq!(ask(long, "word").values.len(), TRIED, "words make no graph");
}

#[test]
fn places_are_taken_from_coarse_to_fine() {
    assert_eq!(halves(9), [0, 8, 4, 2, 6, 1, 3, 5, 7]);
    assert_eq!((halves(0), halves(1)), (Vec::new(), vec![0]));
    assert_eq!(spread(3, 8).collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!(spread(100, 3).collect::<Vec<_>>(), [0, 49, 99]);
}
