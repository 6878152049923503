//! Lines, each a frame as an agent sends it.

use inspector_engine::fuzzing::take_in;
use inspector_model::{Side, StateAnswer, StepId};

use super::in_library;
use crate::look::{look, told};

pub fn run(data: &[u8]) {
    // A socket gives text, whatever was sent.
    let text = String::from_utf8_lossy(data);
    in_library(|store, _| {
        let Some(id) = told(take_in(store, text.lines())) else { return };
        let reader = store.read(&id).expect("what was recorded can be read");
        look(&reader);
        let steps = reader.info().steps;
        assert_eq!(reader.steps().expect("all steps can be read").len() as u64, steps);
        for step in (1..=steps).map(StepId) {
            let detail = reader.detail(step).expect("so can their details");
            assert!(detail.frames.iter().all(|frame| frame.text.len() <= data.len() * 3));
            for side in [Side::Before, Side::After] {
                if let StateAnswer::Full(state) = reader.state(step, side).expect("and their states") {
                    assert!(serde_json::from_str::<serde_json::Value>(&state).is_ok(), "a state is JSON: {state}");
                }
            }
        }
        store.delete(&id).expect("it can be deleted");
    });
}
