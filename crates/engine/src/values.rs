//! Single values at single moments, and their histories in short: what is asked again with each step that somebody scrubs over.

use std::sync::Arc;
use std::time::{Duration, Instant};

use inspector_model::{
    Answer, Block, Failure, Glimpse, Holder, Path, PathHistory, PathValue, Scope, Side, StateAnswer, StepId, Stream, ValueAt, parse_value,
};
use inspector_store::{StoreError, glimpse};
use inspector_tape::{Document, PlacePath};

use crate::queries::failed;
use crate::source::SourceShared;

/// Changes and values of a short history: more cannot be told apart in it.
const MOST_CHANGES: usize = 240;
const MOST_VALUES: usize = 48;

/// How long its values may take: they make a graph, and are read for nothing where they are no numbers.
const HISTORY_BUDGET: Duration = Duration::from_millis(12);

/// So many values are looked at before a history counts as one without numbers.
const TRIED: usize = 3;

/// Values that are asked for at once.
const MOST_ASKED: usize = 256;

/// Single values at single moments.
pub fn values(source: &SourceShared, of: &[ValueAt]) -> Result<Answer, Failure> {
    let mut states = States { source, known: Vec::new() };
    let values = of.iter().take(MOST_ASKED).map(|at| match &at.holder {
        Holder::State(side) => states.value(at, *side),
        Holder::Params(handler) => argument(source, at, handler),
    });
    values.collect::<Result<_, _>>().map(Answer::Values).map_err(|error| failed(&error))
}

/// A state, or why there is none.
type State = Result<Arc<Document>, String>;

/// The states that were asked for, each read once.
struct States<'a> {
    source: &'a SourceShared,
    known: Vec<((StepId, Side), State)>,
}

impl States<'_> {
    fn document(&mut self, step: StepId, side: Side) -> Result<&State, StoreError> {
        let known = self.known.iter().position(|(end, _)| *end == (step, side));
        let at = known.unwrap_or(self.known.len());
        if known.is_none() {
            let document = match self.source.reader.state(step, side)? {
                StateAnswer::Full(text) => Document::new(text).map(Arc::new).map_err(|error| error.to_string()),
                StateAnswer::Missing(why) => Err(why),
            };
            self.known.push(((step, side), document));
        }
        Ok(&self.known[at].1)
    }

    fn value(&mut self, at: &ValueAt, side: Side) -> Result<PathValue, StoreError> {
        let reader = self.source.reader.clone();
        let has_state = |block: &Block, nth: usize| block.state_bytes()[nth] > 0;
        let step = self.source.last_of(&at.stream, at.step, has_state);
        let mut told = PathValue { place: at.path.clone(), step, ..PathValue::default() };
        if let Some(step) = step {
            let side = if step == at.step { side } else { Side::After };
            match self.document(step, side)? {
                Ok(document) => {
                    told.value = glimpse(document, &at.path);
                    told.place = PlacePath::find(&at.path, document).path();
                }
                Err(why) => told.missing = Some(why.clone()),
            }
        }
        let (place, scope) = (PlacePath::of(&told.place), Scope::View(at.stream.0.clone(), at.stream.1.clone()));
        let last = reader.last_change_before(&place, &scope, StepId(at.step.0.saturating_add(1)))?;
        told.here = last == Some(at.step);
        told.previous = if told.here { reader.last_change_before(&place, &scope, at.step)? } else { last };
        told.next = reader.first_change_after(&place, &scope, at.step)?;
        Ok(told)
    }
}

/// What a handler was called with last.
fn argument(source: &SourceShared, at: &ValueAt, handler: &str) -> Result<PathValue, StoreError> {
    let calls = source.calls(&at.stream, handler);
    let upto = calls.partition_point(|call| *call <= at.step);
    let step = upto.checked_sub(1).map(|last| calls[last]);
    let here = step == Some(at.step);
    let previous = if here { upto.checked_sub(2).map(|before| calls[before]) } else { step };
    let value = match step {
        Some(step) => of_call(source, step, &at.path)?,
        None => None,
    };
    Ok(PathValue { place: at.path.clone(), step, value, missing: None, previous, here, next: calls.get(upto).copied() })
}

fn of_call(source: &SourceShared, step: StepId, path: &Path) -> Result<Option<Glimpse>, StoreError> {
    let params = source.reader.detail(step)?.params;
    Ok(params.and_then(|params| Document::new(params.into()).ok()).and_then(|params| glimpse(&params, path)))
}

/// The history of a value of one view in short.
pub fn short_history(source: &SourceShared, stream: &Stream, holder: &Holder, path: &Path) -> Result<Answer, Failure> {
    within(HISTORY_BUDGET, source, stream, holder, path).map(Answer::History).map_err(|error| failed(&error))
}

fn within(budget: Duration, source: &SourceShared, stream: &Stream, holder: &Holder, path: &Path) -> Result<PathHistory, StoreError> {
    let start = Instant::now();
    let all = match holder {
        Holder::State(_) => source.reader.changes(&PlacePath::of(path), &Scope::View(stream.0.clone(), stream.1.clone()))?,
        Holder::Params(handler) => source.calls(stream, handler),
    };
    let steps: Vec<StepId> = spread(all.len(), MOST_CHANGES).map(|at| all[at]).collect();
    let places: Vec<usize> = spread(steps.len(), MOST_VALUES).collect();
    let mut values: Vec<(StepId, Option<Glimpse>)> = Vec::with_capacity(places.len());
    // From coarse to fine: what there was time for is spread evenly as well.
    for (nth, at) in halves(places.len()).into_iter().enumerate() {
        let numbers = values.iter().any(|(_, value)| value.as_ref().is_some_and(is_number));
        if nth > 0 && (start.elapsed() >= budget || (nth >= TRIED && !numbers)) {
            break;
        }
        let step = steps[places[at]];
        let value = match holder {
            Holder::State(_) => source.reader.values(path, &[step], Duration::ZERO)?.pop().and_then(|(_, value)| value),
            Holder::Params(_) => of_call(source, step, path)?,
        };
        values.push((step, value));
    }
    values.sort_by_key(|(step, _)| *step);
    Ok(PathHistory { place: path.clone(), count: all.len() as u64, steps, values })
}

fn is_number(value: &Glimpse) -> bool {
    value.whole && parse_value(&value.json).is_ok_and(|value| value.as_number().is_some())
}

/// At most so many of `count` places, the first and the last among them.
fn spread(count: usize, most: usize) -> impl Iterator<Item = usize> {
    let told = count.min(most);
    (0..told).map(move |nth| if told == count { nth } else { nth * (count - 1) / (told - 1) })
}

/// All places below `count`: both ends, then the middle, then the middles of both halves, and so on.
fn halves(count: usize) -> Vec<usize> {
    let mut order: Vec<usize> = Vec::with_capacity(count);
    let mut seen = vec![false; count];
    let mut step = count.next_power_of_two();
    let ends = [0, count.wrapping_sub(1)];
    let mut take = |at: usize| {
        if at < count && !std::mem::replace(&mut seen[at], true) {
            order.push(at);
        }
    };
    ends.into_iter().for_each(&mut take);
    while step > 0 {
        (0..count).step_by(step).for_each(&mut take);
        step /= 2;
    }
    order
}

#[cfg(test)]
mod tests;
