//! Recordings that get too old are deleted, unless somebody wants them.

use inspector_model::{RecordingId, RecordingInfo};

use crate::Progress;
use crate::database::Batch;
use crate::error::StoreError;
use crate::key;
use crate::library::Store;

/// Seconds.
const DAY: f64 = 86_400.0;

impl Store {
    /// Says that a recording stays however old it gets, or that it need not.
    pub fn set_kept(&self, id: &RecordingId, kept: bool) -> Result<(), StoreError> {
        self.catalogue(id)?;
        let mut batch = Batch::default();
        if kept {
            batch.insert(kept_name(id), b"1");
        } else {
            batch.remove(kept_name(id));
        }
        self.database().apply(batch)?;
        self.database().flush()
    }

    pub(crate) fn is_kept(&self, id: &RecordingId) -> bool {
        self.database().contains(&kept_name(id)).unwrap_or_default()
    }

    /// Deletes recordings whose last step is older than so many days (0: none), and says which. Not what is being recorded, is kept, has
    /// bookmarks, or is `in_use`. `now` is in Unix seconds.
    pub fn expire(
        &self,
        days: u32,
        now: f64,
        in_use: &dyn Fn(&RecordingId) -> bool,
        progress: Progress<'_>,
    ) -> Result<Vec<RecordingInfo>, StoreError> {
        let limit = now - f64::from(days) * DAY;
        let mut expired = Vec::new();
        let old: Vec<_> = self.recordings()?.into_iter().filter(|info| days > 0 && info.ended < limit).collect();
        for (info, done) in old.iter().zip(0..) {
            if !progress(done, old.len() as u64) {
                break;
            }
            // One whose bookmarks cannot be read may have some.
            let marked = || self.read(&info.id).and_then(|reader| reader.marks()).map_or(true, |marks| !marks.is_empty());
            if info.recording || info.kept || in_use(&info.id) || marked() {
                continue;
            }
            match self.delete(&info.id) {
                Ok(()) => expired.push(info.clone()),
                // It is wanted after all.
                Err(StoreError::Busy { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(expired)
    }
}

fn kept_name(id: &RecordingId) -> Vec<u8> {
    [key::prefix(id).as_slice(), &[key::KEPT]].concat()
}
