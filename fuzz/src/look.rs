//! Asks a recording everything that a window asks.

use std::time::Duration;

use inspector_model::{Path, Scope, SearchOptions, Segment, Side, StateAnswer, StepId};
use inspector_store::{Reader, StoreError};

/// Steps of which everything is looked at.
const MOST_STEPS: usize = 40;

/// Parts that a recording is read in: more than any input has segments.
const MOST_PARTS: usize = 20_000;

/// Everything that can be read of a recording. What it says of itself must hold; an error has words.
pub fn look(reader: &Reader) {
    told(reader.sessions()).into_iter().flatten().for_each(|session| drop(told(reader.shell(&session.id))));
    let _ = (told(reader.server()), told(reader.config()), told(reader.marks()), reader.thinned(), reader.damage(), reader.info());
    let steps = told(reader.steps()).unwrap_or_default();
    assert!(steps.len() as u64 <= reader.info().steps, "{} steps of {}", steps.len(), reader.info().steps);
    assert!((1..).zip(&steps).all(|(id, step)| step.id == StepId(id)), "steps are in order");
    let mut cursor = reader.cursor();
    for step in steps.iter().take(MOST_STEPS) {
        drop(told(reader.detail(step.id)));
        drop(told(reader.logged(step.id)));
        for side in [Side::Before, Side::After] {
            let (state, beside) = (told(reader.state(step.id, side)), told(cursor.state(step.id, side)));
            if let (Some(StateAnswer::Full(one)), Some(StateAnswer::Full(other))) = (&state, &beside) {
                assert_eq!(one, other, "step {}: both ways to a state lead to the same", step.id);
            }
            drop(told(reader.html(step.id, side)));
        }
    }
    let path = Path(vec![Segment::Key("rows".into()), Segment::Index(0), Segment::Key("n".into())]);
    for step in [0, 1, steps.len() as u64, u64::MAX].map(StepId) {
        if let Some(place) = told(reader.place(step, Side::After, &path)) {
            let _ = told(reader.last_change_before(&place, &Scope::Everywhere, step));
            let _ = told(reader.first_change_after(&place, &Scope::Everywhere, step));
            drop(told(reader.changes(&place, &Scope::Everywhere)));
        }
    }
    // One segment at a time, to the end: that there is one is what is looked at.
    let parts = (0..).take_while(|_| told(reader.prepare_changes(Duration::ZERO)) == Some(false)).take(MOST_PARTS).count();
    assert!(parts < MOST_PARTS, "the history goes round in a circle");
    for text in ["a", "\u{1b}", "0"] {
        let mut search = reader.search(SearchOptions { text: text.into(), most: 50, ..SearchOptions::default() });
        let parts = (0..).take_while(|_| !search.is_done() && told(search.run(Duration::ZERO)).is_some()).take(MOST_PARTS).count();
        assert!(parts < MOST_PARTS, "the search goes round in a circle");
    }
    // The others once: also what only they have must be an answer.
    for step in steps.iter().skip(MOST_STEPS).step_by((steps.len() / MOST_STEPS).max(1)) {
        let _ = (told(reader.detail(step.id)), told(reader.logged(step.id)), told(reader.html(step.id, Side::After)));
        let _ = told(cursor.state(step.id, Side::After));
    }
}

/// The answer. An error must say something.
pub fn told<T>(answer: Result<T, StoreError>) -> Option<T> {
    match answer {
        Ok(answer) => Some(answer),
        Err(error) => {
            assert!(!error.to_string().is_empty());
            None
        }
    }
}
