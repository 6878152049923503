//! A second run of the sample's cart, as a recording: one step less, one more, another total, an event that failed.

use inspector_model::{
    ChangeCounts, CompareRow, Comparison, Notice, PairStates, RecorderStatus, Source, SourceId, SourceKind, SourceState, SourceStream,
    Status, Step, StepId, StepKind,
};
use serde_json::json;

use super::{SOURCE, Sample, step};

/// Its number.
pub const SECOND: SourceId = SourceId(2);

/// Its page.
pub const PAGE: &str = "sess-alice-0";

/// Steps of the sample's cart that it does not have, that differ after the step, and that differ in times only.
const ABSENT: u64 = 8;
const DIFFERENT: [u64; 2] = [13, 16];
const LATER: [u64; 1] = [4];

/// Steps of the cart of the sample, and what the second run had instead of each.
fn rows(sample: &Sample) -> Vec<(Step, Option<Step>)> {
    let mut next = 0;
    let mut id = || {
        next += 1;
        next
    };
    let cart = sample.steps.iter().filter(|step| step.session.as_ref().is_some_and(|session| session.as_str() == "sess-alice-1"));
    let second = cart.filter(|step| step.view.is_none()).map(|step| {
        let there = (step.id.0 != ABSENT).then(|| Step {
            id: StepId(id()),
            session: Some(PAGE.into()),
            started: step.started - 86_400.0,
            status: Status::Ok,
            error: None,
            cause: None,
            ..step.clone()
        });
        (step.clone(), there)
    });
    second.collect()
}

/// The steps of the second run: the last one is its own.
fn steps(sample: &Sample) -> Vec<Step> {
    let mut steps: Vec<Step> = rows(sample).into_iter().filter_map(|(_, there)| there).collect();
    let last = steps.len() as u64 + 1;
    steps.push(Step { session: Some(PAGE.into()), ..step(last, None, StepKind::Event, "apply_coupon", 40.0 - 86_400.0) });
    steps
}

/// What a window is told of it.
pub fn second(sample: &Sample) -> Vec<Notice> {
    let steps = steps(sample);
    let source = Source {
        id: SECOND,
        kind: SourceKind::Recording,
        state: SourceState::Replaying,
        title: "shop, yesterday".into(),
        server: None,
        access: None,
        recorder: RecorderStatus { steps: steps.len() as u64, bytes: 400_000, ..RecorderStatus::default() },
    };
    let page = json!({
        "session": PAGE, "phase": "closed", "user": "alice", "path": "/cart/", "opened": steps[0].started,
        "view": {"class": "shop.views.CartView"}
    });
    vec![
        Notice::Source(Box::new(source)),
        Notice::Session(SECOND, Box::new(serde_json::from_value(page).unwrap())),
        Notice::steps(SECOND, steps),
    ]
}

/// How the run of the sample stands to the second one, whichever is left.
pub fn compared(sample: &Sample, left: &SourceStream, right: &SourceStream) -> Option<Comparison> {
    let swapped = match (left.0, right.0) {
        (SOURCE, SECOND) => false,
        (SECOND, SOURCE) => true,
        _ => return None,
    };
    if left.1.1.is_some() || right.1.1.is_some() {
        return None;
    }
    let pair = |(here, there): (Step, Option<Step>)| match there {
        Some(there) => {
            let (left, right) = if swapped { (there.id, here.id) } else { (here.id, there.id) };
            CompareRow::Pair { left, right, same_params: here.id.0 != 15 }
        }
        None if swapped => CompareRow::Right(here.id),
        None => CompareRow::Left(here.id),
    };
    let mut rows: Vec<CompareRow> = rows(sample).into_iter().map(pair).collect();
    let own = StepId(steps(sample).len() as u64);
    rows.push(if swapped { CompareRow::Left(own) } else { CompareRow::Right(own) });
    Some(Comparison { rows, by_params: true, ..Comparison::default() })
}

/// What differs after pairs, two of them at a time: as an engine that is slow.
pub fn states(left: SourceId, pairs: &[(StepId, StepId)], times_and_ids: bool) -> Vec<PairStates> {
    let of_pair = |(one, other): &(StepId, StepId)| {
        let here = if left == SOURCE { *one } else { *other };
        let counts = |changed| ChangeCounts { changed, ..ChangeCounts::default() };
        if DIFFERENT.contains(&here.0) {
            PairStates { counts: counts(2), paths: vec!["cart.total".into(), "cart.items[0].qty".into()], ..PairStates::default() }
        } else if LATER.contains(&here.0) && times_and_ids {
            PairStates { ignored: 1, ..PairStates::default() }
        } else if LATER.contains(&here.0) {
            PairStates { counts: counts(1), paths: vec!["opened".into()], ..PairStates::default() }
        } else {
            PairStates::default()
        }
    };
    pairs.iter().take(2).map(of_pair).collect()
}
