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

/// Bytes of states that are built for one index. Of what comes after them it is only said that it changed.
const MOST_BUILT: usize = 4 << 30;

/// The last state of a stream.
struct Last {
    version: usize,
    text: Option<Arc<str>>,
    document: Option<Arc<Document>>,
}

/// Compares the states of a segment again. What its first states were before it is not known: such a state counts as the
/// view's first when it came after a step, and as nothing new when it was found before one.
pub(crate) fn index(segment: &Segment) -> SegmentIndex {
    let mut index = SegmentIndex::new(segment.first);
    let cache = Cache::new();
    let mut lasts: HashMap<usize, Last> = HashMap::new();
    let mut built = 0;
    for step in segment.first..segment.end() {
        let Some(entry) = segment.entry(step) else { break };
        for (text, is_after) in [(&entry.before, false), (&entry.after, true)] {
            let TextRef::Version(slot, version) = text else { continue };
            let last = lasts.get(slot);
            if last.is_some_and(|last| last.version >= *version) {
                continue;
            }
            let stream = segment.stream(entry);
            if built > MOST_BUILT {
                index.note_changed(step, stream);
                continue;
            }
            // Each from the one before: from their beginning they would cost their number times as much.
            let text = match last.and_then(|last| Some((last.version, last.text.as_deref()?))) {
                Some(known) => segment.text_after(*slot, known, *version),
                None => segment.text(*slot, *version, &cache),
            };
            built += text.as_ref().map_or(0, |text| text.len());
            let before = last.and_then(|last| last.document.as_ref());
            let document = text.clone().and_then(|text| match before {
                Some(before) => Document::after(before, text).ok(),
                None => Document::new(text).ok(),
            });
            let document = document.map(Arc::new);
            match (last.is_some(), before, &document) {
                (_, Some(before), Some(after)) => index.note(step, stream, &compare(before, after, COMPARE)),
                (true, ..) => index.note_changed(step, stream),
                (false, ..) if is_after => index.note_first(step, stream),
                (false, ..) => {}
            }
            lasts.insert(*slot, Last { version: *version, text, document });
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
