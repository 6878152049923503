//! The index of a segment that has none: the recorder was killed while it was open, or it is of format 1.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use inspector_tape::{Document, compare};

use crate::cache::Cache;
use crate::index::SegmentIndex;
use crate::segment::{Segment, TextRef};

/// How long two states are compared.
const COMPARE: Duration = Duration::from_millis(10);

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
