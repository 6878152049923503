//! What comes into the library from outside: recording files, and what others make of a file of another kind.
//!
//! Its id is made of its content, so that the same thing taken in twice is one recording. Until it is complete its key says so:
//! what was stopped half way is no recording, and is removed at once, or, when the program was killed, at the next opening.

use std::path::Path;
use std::time::Duration;

use inspector_model::{RecordingId, Secret};
use parking_lot::MutexGuard;

use crate::database::Batch;
use crate::disk;
use crate::error::StoreError;
use crate::file::{self, Imported, Loaded};
use crate::key;
use crate::recorder::Recorder;
use crate::{Progress, Store};

/// Bytes that are written at once: no more of an import is in memory twice.
const BATCH: usize = 1 << 20;

/// How often whoever waits for another import is asked whether to go on.
const LOOK_EVERY: Duration = Duration::from_millis(50);

impl Store {
    /// Takes a file into the library. The same file taken in twice is one recording.
    pub fn import(&self, path: &Path, progress: Progress<'_>) -> Result<Imported, StoreError> {
        self.import_with(path, None, progress)
    }

    /// The same, for a file that may be encrypted.
    pub fn import_with(&self, path: &Path, passphrase: Option<&Secret>, progress: Progress<'_>) -> Result<Imported, StoreError> {
        self.database().check_writable()?;
        let mut loaded = file::load(path, passphrase, &|done, of| progress(done, 2 * of))?;
        let id = loaded.content_id.clone();
        loaded.catalogue.info.id = id.clone();
        let _one = self.one_import(progress)?;
        if let Some(known) = self.imported(&id) {
            return Ok(known);
        }
        let written = self.write_values(&id, &loaded, progress);
        if written.is_err() {
            // The first error is the one to tell. What cannot be removed now is at the next opening.
            let _ = self.remove(&id);
        }
        written?;
        Ok(Imported { id, steps: loaded.catalogue.info.steps, damaged: loaded.catalogue.damaged })
    }

    /// Takes something into the library that is no recording file: `record` makes a recording of it, called `id`, unless it
    /// is there already. `id` is made of its content. After an error nothing of it is left.
    pub fn import_as<E: From<StoreError>>(
        &self,
        id: &RecordingId,
        (title, started): (&str, f64),
        record: impl FnOnce(&mut Recorder) -> Result<(), E>,
    ) -> Result<Imported, E> {
        key::check(id)?;
        let _one = self.one_import(&|_, _| true)?;
        if let Some(known) = self.imported(id) {
            return Ok(known);
        }
        self.arrive(id)?;
        let mut recorder = self.begin(id.clone(), title, started, "")?;
        let recorded = record(&mut recorder).and_then(|()| recorder.flush().map_err(E::from));
        let steps = recorder.stats().steps;
        drop(recorder);
        if recorded.is_err() {
            // Its end was written by the recorder: only now all of it can go.
            let _ = self.remove(id);
        }
        recorded?;
        self.database().keys().settle(id.as_str().as_bytes())?;
        Ok(Imported { id: id.clone(), steps, damaged: None })
    }

    /// What an earlier import made.
    fn imported(&self, id: &RecordingId) -> Option<Imported> {
        let known = self.catalogue(id).ok()?;
        Some(Imported { id: id.clone(), steps: known.info.steps, damaged: known.damaged })
    }

    /// Makes the key of what is being taken in. What an interrupted deletion left of an earlier one goes first.
    fn arrive(&self, id: &RecordingId) -> Result<(), StoreError> {
        let name = id.as_str().as_bytes();
        let keys = self.database().keys();
        if keys.remains().iter().any(|left| left == name) {
            self.remove(id)?;
        }
        keys.add(name, true)
    }

    /// One import at a time: two of the same thing would write, and remove, the same values.
    fn one_import(&self, progress: Progress<'_>) -> Result<MutexGuard<'_, ()>, StoreError> {
        loop {
            if let Some(one) = self.importing().try_lock_for(LOOK_EVERY) {
                return Ok(one);
            }
            if !progress(1, 2) {
                return Err(StoreError::Cancelled);
            }
        }
    }

    fn write_values(&self, id: &RecordingId, loaded: &Loaded, progress: Progress<'_>) -> Result<(), StoreError> {
        let database = self.database();
        self.arrive(id)?;
        let prefix = key::prefix(id);
        let total = loaded.catalogue.info.bytes.max(1);
        let mut batch = Batch::default();
        let (mut bytes, mut done) = (0, 0);
        for (name, value) in &loaded.values {
            bytes += value.len();
            batch.insert([prefix.as_slice(), name].concat(), value.as_slice());
            if bytes > disk::tuned(BATCH, 1_000) {
                done += bytes as u64;
                bytes = 0;
                database.apply(std::mem::take(&mut batch))?;
                if !progress(total + done, 2 * total) {
                    return Err(StoreError::Cancelled);
                }
            }
        }
        if !progress(2 * total, 2 * total) {
            return Err(StoreError::Cancelled);
        }
        batch.insert(key::catalogue(id), serde_json::to_vec(&loaded.catalogue).map_err(StoreError::Encode)?);
        database.apply(batch)?;
        database.flush()?;
        database.witness().has(id, loaded.catalogue.info.steps);
        database.keys().settle(id.as_str().as_bytes())
    }
}
