//! Looking after the library: how much is kept of it, for how long, and under which passphrase.

use std::collections::HashSet;
use std::sync::Arc;

use inspector_model::{Answer, ErrorCode, Failure, Keep, Level, RecordingId, Secret};
use inspector_store::{Retention, StoreError};

use super::{KEEP_SETTING, Shared};
use crate::work::Asker;
use crate::{now, queries};

/// The least that can be kept of a recording, bytes: its two ends are whole anyway.
const LEAST_KEPT: u64 = 8 << 20;

impl Shared {
    pub(super) async fn delete_recording(self: &Arc<Self>, recording: RecordingId, asker: Asker) -> Result<Answer, Failure> {
        if self.open_recordings().contains(&recording) {
            return Err(Failure::new(ErrorCode::Busy, "the recording is open").hint("close it first"));
        }
        self.work("Deleting a recording".into(), asker, move |shared, _| {
            shared.store.delete(&recording).map_err(|error| queries::failed(&error))?;
            shared.tell_recordings();
            Ok(Answer::Done("Deleted; nothing of it can be read any more".into()))
        })
        .await
    }

    pub(super) fn keep_recording(&self, recording: &RecordingId, kept: bool) -> Result<Answer, Failure> {
        self.store.set_kept(recording, kept).map_err(|error| queries::failed(&error))?;
        self.tell_recordings();
        Ok(Answer::Done(if kept { "It is kept however old it is".into() } else { "It expires with the others".into() }))
    }

    pub(super) fn set_passphrase(&self, now: Option<&Secret>, new: Option<&Secret>) -> Result<Answer, Failure> {
        self.store.set_passphrase(now, new).map_err(|error| queries::failed(&error))?;
        self.outbox.encrypted(self.store.has_passphrase());
        Ok(Answer::Done(match (now, new) {
            (_, None) => "The library is no longer encrypted".into(),
            (None, Some(_)) => "The library is encrypted; nobody can read it without the passphrase".into(),
            (Some(_), Some(_)) => "The library has the new passphrase".into(),
        }))
    }

    pub(super) fn set_keep(self: &Arc<Self>, keep: Keep) -> Result<Answer, Failure> {
        if keep.recording_bytes < LEAST_KEPT || keep.library_bytes < LEAST_KEPT || keep.slow_ms.is_nan() || keep.slow_ms < 0.0 {
            return Err(Failure::new(ErrorCode::BadRequest, format!("at least {} MB are kept of a recording", LEAST_KEPT >> 20)));
        }
        if keep.expire_days > Keep::MOST_DAYS {
            return Err(Failure::new(ErrorCode::BadRequest, format!("recordings expire after {} days at most, or never", Keep::MOST_DAYS)));
        }
        self.store.set_setting(KEEP_SETTING, &keep).map_err(|error| queries::failed(&error))?;
        *self.wishes.keep.lock() = keep;
        self.outbox.keep(keep);
        self.expire_recordings();
        self.thin_library();
        Ok(Answer::Done("Kept from now on".into()))
    }

    /// Deletes recordings that have become too old, and says so.
    pub(super) fn expire_recordings(self: &Arc<Self>) {
        let days = self.wishes.keep.lock().expire_days;
        if days == 0 {
            return;
        }
        let shared = self.clone();
        let job = self.works.begin("Deleting expired recordings".into(), None);
        tokio::task::spawn_blocking(move || {
            let open = shared.open_recordings();
            match shared.store.expire(days, now(), &|id| open.contains(id), &|done, of| job.goes_on(done, of)) {
                Ok(expired) if expired.is_empty() => {}
                Ok(expired) => {
                    let age = if days == 1 { "a day".to_owned() } else { format!("{days} days") };
                    let text = match expired.len() {
                        1 => format!("1 recording was older than {age} and was deleted"),
                        count => format!("{count} recordings were older than {age} and were deleted"),
                    };
                    tracing::info!(count = expired.len(), days, "expired recordings were deleted");
                    shared.outbox.message(Level::Info, text);
                    shared.tell_recordings();
                }
                Err(error) => {
                    tracing::warn!(%error, "expired recordings could not be deleted");
                    shared.outbox.message(Level::Warning, format!("Expired recordings could not be deleted: {error}"));
                }
            }
        });
    }

    fn open_recordings(&self) -> HashSet<RecordingId> {
        self.sources.lock().values().filter_map(|source| source.info.lock().recorder.recording.clone()).collect()
    }

    /// Thins what nobody records, oldest first, if all recordings together take more than is kept.
    pub(super) fn thin_library(self: &Arc<Self>) {
        let shared = self.clone();
        let job = self.works.begin("Thinning old recordings".into(), None);
        tokio::task::spawn_blocking(move || {
            let Keep { library_bytes, recording_bytes, slow_ms, .. } = *shared.wishes.keep.lock();
            match shared
                .store
                .keep_within(library_bytes, &Retention { most_bytes: recording_bytes, slow_ms }, &|done, of| job.goes_on(done, of))
            {
                Ok(thinned) if thinned.segments > 0 => {
                    let text =
                        format!("Old recordings were thinned to stay within {} MB; what changed is still known", library_bytes >> 20);
                    shared.outbox.message(Level::Info, text);
                    shared.tell_recordings();
                }
                Ok(_) | Err(StoreError::Cancelled) => {}
                Err(error) => {
                    tracing::warn!(%error, "the library could not be thinned");
                    let text = format!("Old recordings could not be thinned, and take more than {} MB: {error}", library_bytes >> 20);
                    shared.outbox.message(Level::Warning, text);
                }
            }
        });
    }
}
