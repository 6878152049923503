//! The index of a segment that has none: the recorder was killed while it was open, or it is of format 1.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use inspector_tape::{Document, compare};

use crate::cache::Cache;
use crate::index::SegmentIndex;
use crate::segment::{Segment, TextRef};

/// How long two states are compared.
const COMPARE: Duration = Duration::from_millis(250);

/// Compares the states of a segment again. What its first states were before it is not known: such a state counts as the
/// view's first when it came after a step, and as nothing new when it was found before one.
pub(crate) fn index(segment: &Segment) -> SegmentIndex {
    let mut index = SegmentIndex::new(segment.first);
    let cache = Cache::new();
    let mut last: HashMap<usize, (usize, Option<Arc<Document>>)> = HashMap::new();
    for step in segment.first..segment.end() {
        let Some(entry) = segment.entry(step) else { break };
        for (text, is_after) in [(&entry.before, false), (&entry.after, true)] {
            let TextRef::Version(slot, version) = text else { continue };
            if last.get(slot).is_some_and(|(known, _)| known >= version) {
                continue;
            }
            let text = segment.text(*slot, *version, &cache);
            let earlier = last.get(slot).map(|(_, document)| document.clone());
            let document = text.and_then(|text| match &earlier {
                Some(Some(earlier)) => Document::after(earlier, text).ok(),
                _ => Document::new(text).ok(),
            });
            let document = document.map(Arc::new);
            let stream = segment.stream(entry);
            match (earlier, &document) {
                (Some(Some(before)), Some(after)) => index.note(step, stream, &compare(&before, after, COMPARE)),
                (Some(_), _) => index.note_changed(step, stream),
                (None, _) if is_after => index.note_first(step, stream),
                (None, _) => {}
            }
            last.insert(*slot, (*version, document));
        }
    }
    index
}

#[cfg(test)]
mod tests {
    use inspector_model::{SessionId, Step, StepDetail, StepKind};

    use super::*;
    use crate::key;
    use crate::source::Source;
    use crate::{NewState, NewStep, Store};

    /// What is made again after a crash is what the recorder would have stored.
    #[test]
    fn an_index_made_again_is_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let (store, _) = Store::open(folder.path()).unwrap();
        let mut recorder = store.create("again", 1.0, "").unwrap();
        for n in 0..700_u32 {
            let session = SessionId::from(if n % 3 == 0 { "a" } else { "b" });
            let rows: Vec<String> = (n / 7..n / 7 + 20).map(|id| format!(r#"{{"id": {id}, "n": {}}}"#, n % (id + 1) / 3)).collect();
            let text = format!(r#"{{"rows": [{}], "text": "{}", "n": {n}}}"#, rows.join(", "), "word ".repeat(n as usize % 90));
            let step = Step { session: Some(session), state_bytes: text.len() as u64, ..Step::new(StepKind::Event, "e", 1.0) };
            let (before, after) = (NewState::Same, NewState::Text(text.into()));
            recorder.append(NewStep { step, detail: StepDetail::default(), before, after, html: None }).unwrap();
        }
        let id = recorder.id().clone();
        drop(recorder);
        let source = Source::Memory(Arc::new({
            let file = folder.path().join("again.djrec");
            store.export(&id, &file, &|_, _| true).unwrap();
            crate::file::load(&file, None, &|_, _| true).unwrap().values
        }));
        let mut first = 0;
        let mut segments = 0;
        while let Some(next) = source.segment_after(first).unwrap() {
            let made = index(&source.segment(next).unwrap());
            assert_eq!(Some(made.to_bytes()), source.index_bytes(next).unwrap(), "paths of {next}");
            assert_eq!(made.stored_log(), source.log(next).unwrap(), "log of {next}");
            assert!(source.get(&key::piece(key::LOG, next, 0)).unwrap().is_some());
            (first, segments) = (next, segments + 1);
        }
        assert_eq!(segments, 3);
    }
}
