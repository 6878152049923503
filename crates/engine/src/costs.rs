//! What each assign of a view costs: its size, how often it changed, and how much of it.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::time::{Duration, Instant};

use inspector_model::{
    Answer, AssignCost, AssignCosts, ErrorCode, Failure, Path, Scope, Segment, Side, StateAnswer, StepId, StepKind, Stream,
};
use inspector_store::StoreError;
use inspector_tape::{Document, PlacePath, compare};

use crate::queries::failed;
use crate::source::{SourceShared, place_of};

/// How long one part takes.
const BUDGET: Duration = Duration::from_millis(12);
/// How long one change may be looked into.
const LOOK: Duration = Duration::from_millis(20);
/// From so many bytes on it is told how much of an assign changed, and whether another has the same content.
const LARGE: usize = 4_000;

/// The assigns of a state from a place on, as many as there is time for, one at least.
pub fn costs(source: &SourceShared, step: StepId, side: Side, from: u32) -> Result<Answer, Failure> {
    costs_within(BUDGET, source, step, side, from as usize)
}

fn costs_within(budget: Duration, source: &SourceShared, step: StepId, side: Side, from: usize) -> Result<Answer, Failure> {
    let start = Instant::now();
    let missing = |why: String| Failure::new(ErrorCode::Missing, why);
    let about = source.step(step).ok_or_else(|| Failure::new(ErrorCode::NotFound, format!("there is no step {step}")))?;
    let stream: Stream =
        about.session.map(|session| (session, about.view)).ok_or_else(|| missing(format!("step {step} belongs to no page")))?;
    let state = match source.reader.state(step, side).map_err(|error| failed(&error))? {
        StateAnswer::Full(text) => Document::new(text).map_err(|error| missing(error.to_string()))?,
        StateAnswer::Missing(why) => return Err(missing(why)),
    };
    let seen = steps_of(source, &stream);
    let scope = Scope::View(stream.0, stream.1);
    let top = state.top();
    let mut told = AssignCosts {
        steps: seen.len() as u64,
        rendered: seen.iter().filter(|(_, rendered)| *rendered).count() as u64,
        ..AssignCosts::default()
    };
    let mut looked: HashMap<StepId, HashMap<String, u64>> = HashMap::new();
    for (nth, (name, part)) in top.iter().enumerate().skip(from) {
        let place = PlacePath::of(&Path(vec![Segment::Key(name.clone())]));
        let changes = source.reader.changes(&place, &scope).map_err(|error| failed(&error))?;
        let mut cost =
            AssignCost { name: name.clone(), bytes: part.json.len() as u64, len: part.len.map(|len| len as u64), ..AssignCost::default() };
        cost.is_list = part.json.starts_with('[') || part.json.starts_with("{\"$t\":\"queryset\"");
        for change in &changes {
            let Ok(at) = seen.binary_search_by_key(change, |(step, _)| *step) else { continue };
            cost.changed += 1;
            cost.unseen += u64::from(!seen[at].1);
            if *change <= step {
                cost.last = Some(*change);
            }
        }
        if part.json.len() >= LARGE {
            let twin = top[..nth].iter().find(|(_, other)| other.json == part.json);
            cost.same_as = twin.map(|(name, _)| name.clone());
            if let Some(last) = cost.last {
                let of_step = match looked.entry(last) {
                    Entry::Occupied(known) => known.into_mut(),
                    Entry::Vacant(place) => place.insert(differences(source, last).map_err(|error| failed(&error))?),
                };
                cost.differed = of_step.get(name).copied();
            }
        }
        told.assigns.push(cost);
        if start.elapsed() >= budget && nth + 1 < top.len() {
            told.next = Some(nth as u32 + 1);
            break;
        }
    }
    Ok(Answer::Costs(told))
}

/// The steps of a view that have a state, mounts left out, and whether each changed the page.
fn steps_of(source: &SourceShared, stream: &Stream) -> Vec<(StepId, bool)> {
    let all = source.steps.read();
    let mut steps = Vec::new();
    for block in all.blocks() {
        let Some(wanted) = place_of(block, stream) else { continue };
        let of = block.streams().1;
        let fits = |at: &usize| of[*at] as usize == wanted && block.state_bytes()[*at] > 0 && block.kinds()[*at] != StepKind::Mount;
        steps.extend((0..block.len()).filter(fits).map(|at| (block.ids()[at], block.is_rendered(at))));
    }
    steps
}

/// The bytes that a step changed of each assign.
fn differences(source: &SourceShared, step: StepId) -> Result<HashMap<String, u64>, StoreError> {
    let document = |side| -> Result<Option<Arc<Document>>, StoreError> {
        Ok(match source.reader.state(step, side)? {
            StateAnswer::Full(text) => Document::new(text).ok().map(Arc::new),
            StateAnswer::Missing(_) => None,
        })
    };
    let mut bytes: HashMap<String, u64> = HashMap::new();
    if let (Some(before), Some(after)) = (document(Side::Before)?, document(Side::After)?) {
        let delta = compare(&before, &after, LOOK);
        for change in &delta.changes {
            *bytes.entry(delta.top_key(change.place)).or_default() += u64::from(change.after.len);
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use inspector_model::{Source, SourceId};
    use inspector_store::read_file;

    use super::*;

    /// A recording that is kept with the program.
    fn sample(name: &str) -> SourceShared {
        let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../recordings").join(name);
        let reader = read_file(&file).unwrap();
        let info = Source::recording(SourceId(1), name);
        let steps = reader.steps().unwrap();
        let source = SourceShared::new(info, reader);
        *source.steps.write() = steps.into_iter().collect();
        source
    }

    fn ask(budget: Duration, source: &SourceShared, step: StepId, from: usize) -> AssignCosts {
        match costs_within(budget, source, step, Side::After, from).unwrap() {
            Answer::Costs(costs) => costs,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_assigns_of_a_real_recording_are_measured() {
        let source = sample("big_state.djrec");
        let step = source.steps.read().iter().rev().find(|step| step.has_states() && step.session.is_some()).unwrap();
        let all = ask(Duration::from_mins(1), &source, step.id, 0);
        let whole: u64 = all.assigns.iter().map(|cost| cost.bytes).sum();
        assert!(whole <= step.state_bytes && whole * 10 > step.state_bytes * 9, "{whole} of {} bytes", step.state_bytes);
        assert!(all.assigns.iter().all(|cost| cost.changed <= all.steps && cost.unseen <= cost.changed), "{all:?}");
        let large = all.assigns.iter().max_by_key(|cost| cost.bytes).unwrap();
        assert!(large.is_list && large.changed > 0 && large.differed.is_some(), "{large:?}");
        // As looking at every state would say.
        for cost in &all.assigns {
            let value = |side, step| match source.reader.state(step, side).unwrap() {
                StateAnswer::Full(text) => serde_json::from_str::<serde_json::Value>(&text).unwrap()[&cost.name].clone(),
                StateAnswer::Missing(_) => serde_json::Value::Null,
            };
            let stream = (step.session.clone().unwrap(), step.view.clone());
            let expected =
                steps_of(&source, &stream).into_iter().filter(|(step, _)| value(Side::Before, *step) != value(Side::After, *step));
            assert_eq!(cost.changed, expected.count() as u64, "{}", cost.name);
        }
        // In parts it is the same.
        let (mut parts, mut from) = (Vec::new(), Some(0));
        while let Some(at) = from {
            let part = ask(Duration::ZERO, &source, step.id, at as usize);
            assert_eq!(part.assigns.len(), 1);
            parts.extend(part.assigns);
            from = part.next;
        }
        assert_eq!(parts, all.assigns);
    }
}
