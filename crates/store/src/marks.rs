//! What people put on steps: bookmarks, with a note or without.

use std::collections::BTreeMap;

use inspector_model::{RecordingId, StepId};

use crate::database::Batch;
use crate::error::StoreError;
use crate::key;
use crate::library::Store;
use crate::piece;
use crate::reader::Reader;
use crate::source::Source;

/// Bytes of a note.
pub const LONGEST_NOTE: usize = 4096;

/// What a mark says whose note cannot be read.
pub(crate) const UNREADABLE: &str = "(its note cannot be read)";

/// Steps that can be marked in one recording.
const MOST: usize = 10_000;

impl Store {
    /// Marks a step of a recording, with a note that may be empty; `None` takes the mark away. A marked step keeps its states
    /// when the recording is thinned.
    pub fn mark(&self, recording: &RecordingId, step: StepId, note: Option<&str>) -> Result<(), StoreError> {
        let reader = self.read(recording)?;
        if step.0 == 0 || step.0 > reader.info().steps {
            return Err(StoreError::NotFound { what: format!("step {step}") });
        }
        let name = [key::prefix(recording), key::mark(step.0)].concat();
        let mut batch = Batch::default();
        match note {
            Some(note) => {
                if note.len() > LONGEST_NOTE {
                    return Err(StoreError::Refused { what: format!("a note can have {LONGEST_NOTE} bytes, this one has {}", note.len()) });
                }
                let marks = reader.marks()?;
                if marks.len() >= MOST && !marks.contains_key(&step) {
                    return Err(StoreError::Refused { what: format!("a recording can have {MOST} bookmarks") });
                }
                batch.insert(name, piece::pack(note.as_bytes())?);
            }
            None => batch.remove(name),
        }
        if let Some(writer) = self.live(recording) {
            // The step first: after a crash its mark would be that of another step.
            writer.lock().store(false)?;
        }
        self.database().apply(batch)?;
        self.database().flush()
    }
}

impl Reader {
    /// The marked steps with their notes.
    pub fn marks(&self) -> Result<BTreeMap<StepId, String>, StoreError> {
        read(self.source())
    }
}

pub(crate) fn read(source: &Source) -> Result<BTreeMap<StepId, String>, StoreError> {
    let mut marks = BTreeMap::new();
    source.each(&[key::MARK], |name, value| {
        if let Some(step) = key::parse_mark(name) {
            let note = piece::unpack_record(value);
            let mut note = note.map_or_else(|_| UNREADABLE.to_owned(), |note| String::from_utf8_lossy(&note).into_owned());
            note.truncate(note.floor_char_boundary(LONGEST_NOTE));
            marks.insert(StepId(step), note);
        }
        Ok(marks.len() < MOST)
    })?;
    Ok(marks)
}
