//! Files that say they are recordings.

use std::cell::Cell;

use inspector_model::{SessionId, Side, StateAnswer, Step, StepDetail, StepKind};
use inspector_store::{NewState, NewStep, Reader, Retention, read_file};

use super::in_library;
use crate::look::{look, told};
use crate::recording_file::signed;

pub fn run(data: &[u8]) {
    in_library(|store, folder| {
        let (file, again) = (folder.join("hostile.djrec"), folder.join("again.djrec"));
        std::fs::write(&file, signed(data)).expect("the file is written");
        let read = told(read_file(&file));
        read.iter().for_each(look);
        let imported = told(store.import(&file, &|_, _| true));
        assert_eq!(read.is_some(), imported.is_some(), "what can be opened can be imported");
        let (Some(read), Some(imported)) = (read, imported) else { return };
        let reader = store.read(&imported.id).expect("what was imported can be read");
        look(&reader);
        same(&read, &reader);
        let work = Work::of(data);
        store.export(&imported.id, &again, &|_, _| work.goes_on("an export")).expect("and exported");
        let exported = read_file(&again).expect("and opened again");
        assert_eq!(exported.info().steps, read.info().steps);
        same(&read, &exported);
        // Thinned as far as it goes, it has the same steps, and goes on.
        let work = Work::of(data);
        let retention = Retention { most_bytes: 0, slow_ms: f64::MAX };
        store.keep_within(0, &retention, &|_, _| work.goes_on("thinning")).expect("it can be thinned");
        let thinned = store.read(&imported.id).expect("and read");
        assert_eq!(told(thinned.steps()), told(reader.steps()));
        look(&thinned);
        if let Some(mut recorder) = told(store.resume(&imported.id)) {
            let step = Step { session: Some(SessionId::from("s")), ..Step::new(StepKind::Event, "e", 1.0) };
            let after = NewState::Text("{}".into());
            let new = NewStep { step, detail: StepDetail::default(), before: NewState::Same, after, html: None };
            let id = recorder.append(new).expect("it goes on");
            assert_eq!(recorder.reader().state(id, Side::After).expect("what came can be read"), StateAnswer::Full("{}".into()));
        }
        store.delete(&imported.id).expect("it can be deleted");
    });
}

/// Counts what is done: a file of so many bytes has no more parts than that.
struct Work {
    left: Cell<usize>,
}

impl Work {
    fn of(data: &[u8]) -> Self {
        Self { left: Cell::new(100 + data.len() / 16) }
    }

    fn goes_on(&self, what: &str) -> bool {
        let left = self.left.get().checked_sub(1);
        self.left.set(left.unwrap_or_else(|| panic!("{what} goes round in a circle")));
        true
    }
}

/// Both say the same of their first steps, or both nothing.
fn same(one: &Reader, other: &Reader) {
    let (steps, others) = (told(one.steps()), told(other.steps()));
    assert_eq!(steps, others);
    for step in steps.unwrap_or_default().iter().take(20) {
        let state = |reader: &Reader| match told(reader.state(step.id, Side::After)) {
            Some(StateAnswer::Full(text)) => Some(text),
            _ => None,
        };
        assert_eq!(state(one), state(other), "step {}", step.id);
    }
}
