//! Lines, each a state of one view: what is stored as differences comes back as it was.

use std::sync::Arc;
use std::time::Duration;

use inspector_model::{SessionId, Side, StateAnswer, Step, StepDetail, StepId, StepKind};
use inspector_store::{NewState, NewStep};
use inspector_tape::{Copied, Delta, Document, PlacePath, compare};
use serde_json::Value as Json;

use super::in_library;
use crate::look::look;

/// States of one input.
const MOST: usize = 12;
const LONG: Duration = Duration::from_secs(20);

pub fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut states: Vec<(NewState, Arc<str>)> = Vec::new();
    let mut last: Option<Arc<Document>> = None;
    for line in text.lines().take(MOST) {
        let fresh = Document::new(line.into());
        let parsed = serde_json::from_str::<Json>(line);
        assert_eq!(fresh.is_ok(), parsed.is_ok(), "a scan takes what a parser takes: {line:?} {fresh:?}");
        if let Some(last) = &last {
            let along = Document::after(last, line.into());
            assert_eq!(fresh.as_ref().ok(), along.as_ref().ok(), "along another: {line:?}");
        }
        let Ok(document) = fresh.map(Arc::new) else { continue };
        let state = match &last {
            Some(last) => {
                check(&compare(last, &document, Duration::from_micros(20)));
                let delta = compare(last, &document, LONG);
                check(&delta);
                NewState::Compared(Arc::new(delta))
            }
            None => NewState::Document(document.clone()),
        };
        assert!(compare(&document, &document, LONG).changes.is_empty(), "a state differs from itself: {line}");
        states.push((state, line.into()));
        last = Some(document);
    }
    in_library(|store, _| {
        let mut recorder = store.create("fuzzing", 1.0, "").expect("a recorder");
        for (state, _) in &states {
            let step = Step { session: Some(SessionId::from("s")), ..Step::new(StepKind::Event, "e", 1.0) };
            let new = NewStep { step, detail: StepDetail::default(), before: NewState::Same, after: state.clone(), html: None };
            recorder.append(new).expect("a step");
        }
        let id = recorder.id().clone();
        drop(recorder);
        let reader = store.read(&id).expect("it can be read");
        look(&reader);
        for (id, (_, text)) in (1..).zip(&states) {
            let stored = reader.state(StepId(id), Side::After).expect("a state");
            assert_eq!(stored, StateAnswer::Full(text.clone()), "step {id}");
        }
        store.delete(&id).expect("it can be deleted");
    });
}

/// What differs is told truly: copies are copies, values are values, and places lead where they say.
fn check(delta: &Delta) {
    let (before, after) = (delta.before().text().as_bytes(), delta.after().text().as_bytes());
    let mut end = 0;
    for Copied { from, to, len } in &delta.copies {
        let (from, to, len) = (*from as usize, *to as usize, *len as usize);
        assert!(to >= end, "copies overlap at {to}");
        assert_eq!(before[from..from + len], after[to..to + len]);
        end = to + len;
    }
    for change in &delta.changes {
        for (span, text) in [(change.before, before), (change.after, after)] {
            assert!(span.len == 0 || serde_json::from_slice::<Json>(span.of(text)).is_ok());
        }
        let path = delta.path(change.place);
        assert_eq!(PlacePath::of(&path).path().to_string(), path.to_string());
        let _ = (delta.after().at(&path), delta.top_key(change.place));
    }
}
