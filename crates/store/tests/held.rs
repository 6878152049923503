//! Last states that a recorder lets go of: whoever records may still hold them, and then nobody reads them back.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use inspector_model::{Side, StateAnswer, Step, StepDetail, StepKind};
use inspector_store::{Access, NewState, NewStep, Store};
use inspector_tape::{Document, compare};

#[test]
fn a_state_that_whoever_records_still_holds_is_not_read_back() {
    let data = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(data.path()).unwrap();
    let mut recorder = store.create("held", 1.0, "1.2.6").unwrap();
    let append = |recorder: &mut inspector_store::Recorder, page: usize, after: NewState| {
        let step = Step { session: Some(format!("p{page}").as_str().into()), ..Step::new(StepKind::Event, "add", 2.0) };
        recorder.append(NewStep { step, detail: StepDetail::default(), before: NewState::Same, after, html: None }).unwrap()
    };
    let document = |page: usize, n: usize| {
        let text = format!(r#"{{"large":"{}","n":{n},"page":{page}}}"#, "x".repeat(1 << 20));
        Arc::new(Document::new(text.into()).unwrap())
    };
    let held: Vec<_> = (0..100).map(|page| document(page, 0)).collect();
    for (page, document) in held.iter().enumerate() {
        append(&mut recorder, page, NewState::Document(document.clone()));
    }
    recorder.flush().unwrap();
    let reads = Arc::new(AtomicUsize::new(0));
    let counted = reads.clone();
    store.before_each_access(move |access| {
        counted.fetch_add(usize::from(access == Access::Read), Ordering::Relaxed);
        Ok(())
    });
    let after = document(0, 1);
    let delta = Arc::new(compare(&held[0], &after, Duration::from_secs(5)));
    let id = append(&mut recorder, 0, NewState::Compared(delta));
    assert_eq!(reads.load(Ordering::Relaxed), 0, "it was read back");
    drop(held);
    // Nobody holds this one any more: it is read back, and is right.
    let after = document(1, 1);
    let other = append(&mut recorder, 1, NewState::Document(after.clone()));
    assert!(reads.load(Ordering::Relaxed) > 0);
    let reader = recorder.reader();
    assert_eq!(reader.state(other, Side::After).unwrap(), StateAnswer::Full(after.text().clone()));
    assert_eq!(reader.state(other, Side::Before).unwrap(), StateAnswer::Full(document(1, 0).text().clone()));
    assert_eq!(reader.state(id, Side::Before).unwrap(), StateAnswer::Full(document(0, 0).text().clone()));
}
