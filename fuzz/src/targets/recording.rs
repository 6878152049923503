//! Files that say they are recordings.

use inspector_model::{Side, StateAnswer};
use inspector_store::{Reader, read_file};

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
        store.export(&imported.id, &again, &|_, _| true).expect("and exported");
        let exported = read_file(&again).expect("and opened again");
        assert_eq!(exported.info().steps, read.info().steps);
        same(&read, &exported);
        store.delete(&imported.id).expect("it can be deleted");
    });
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
