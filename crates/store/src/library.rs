//! The library: all recordings of one user, in one database.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Weak};
use std::time::Duration;

use inspector_model::{RecordingId, RecordingInfo, Secret};
use parking_lot::Mutex;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::database::{Batch, Database};
use crate::disk;
use crate::error::StoreError;
use crate::file::{self, Moment};
use crate::guard::PATIENCE;
use crate::key;
use crate::reader::Reader;
use crate::recorder::Recorder;
use crate::source::Source;
use crate::thin::{self, Retention, Thinned};
use crate::writer::{Catalogue, Writer};
use crate::{FORMAT, Progress};

/// All recordings of one user. Clones are the same library.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    database: Database,
    /// The copy that is read instead of files that may not be written. Removed at the end.
    _copy: Option<tempfile::TempDir>,
    live: Mutex<HashMap<RecordingId, Weak<Mutex<Writer>>>>,
    importing: Mutex<()>,
}

impl Store {
    /// Why nothing is written any more, if so. Call it now and then: it also finds out whether sled does not come back.
    pub fn trouble(&self) -> Option<String> {
        self.is_stuck(PATIENCE);
        self.inner.database.trouble()
    }

    /// Whether somebody waits for sled for longer than that. It is taken for damage.
    pub fn is_stuck(&self, patience: Duration) -> bool {
        self.inner.database.is_stuck(patience)
    }

    /// `copy`: what it was copied to, where only that may be written.
    pub(crate) fn with(database: Database, copy: Option<tempfile::TempDir>) -> Self {
        Self { inner: Arc::new(Inner { database, _copy: copy, live: Mutex::default(), importing: Mutex::default() }) }
    }

    /// The recordings, newest first.
    pub fn recordings(&self) -> Result<Vec<RecordingInfo>, StoreError> {
        let mut all = Vec::new();
        // Taken in or deleted by half, and there may be no way to remove it now.
        let remains = self.inner.database.keys().remains();
        self.inner.database.each(b"c/", |name, value| {
            if remains.iter().any(|id| id == key::owner(name)) {
                return Ok(true);
            }
            let Ok(catalogue) = serde_json::from_slice::<Catalogue>(value) else {
                // The error of what was read would quote it.
                tracing::warn!(name = %name.escape_ascii(), "an entry of the catalogue cannot be read");
                return Ok(true);
            };
            let kept = self.is_kept(&catalogue.info.id);
            all.push(match self.live(&catalogue.info.id) {
                Some(writer) => RecordingInfo { recording: true, kept, ..writer.lock().catalogue.info.clone() },
                None => RecordingInfo { recording: false, kept, ..catalogue.info },
            });
            Ok(true)
        })?;
        all.sort_by(|a, b| b.started.total_cmp(&a.started).then_with(|| b.id.cmp(&a.id)));
        Ok(all)
    }

    /// Begins a recording. `started` is in Unix seconds.
    pub fn create(&self, title: &str, started: f64, djust: &str) -> Result<Recorder, StoreError> {
        let random = disk::random().map_or_else(|| uuid::Uuid::new_v4().simple().to_string(), |random| format!("{random:016x}"));
        self.begin(RecordingId::from(format!("{}-{}", started.max(0.0) as u64, &random[..8])), title, started, djust)
    }

    /// The same under an id that no recording has.
    pub(crate) fn begin(&self, id: RecordingId, title: &str, started: f64, djust: &str) -> Result<Recorder, StoreError> {
        self.inner.database.check_writable()?;
        let info = RecordingInfo {
            id,
            title: title.to_owned(),
            started,
            ended: started,
            steps: 0,
            bytes: 0,
            sessions: 0,
            djust: djust.to_owned(),
            format: FORMAT,
            recording: false,
            kept: false,
        };
        self.inner.database.keys().add(info.id.as_str().as_bytes(), false)?;
        let mut writer = Writer::new(&self.inner.database, Catalogue { info, damaged: None, thinned: None })?;
        writer.store(false)?;
        Ok(self.recorder(writer, Vec::new()))
    }

    /// Goes on with a recording, after a restart of the program.
    pub fn resume(&self, id: &RecordingId) -> Result<Recorder, StoreError> {
        self.inner.database.check_writable()?;
        if self.live(id).is_some() {
            return Err(StoreError::Busy { id: id.clone() });
        }
        let catalogue = self.catalogue(id)?;
        let reader = Reader::new(Source::database(&self.inner.database, id), catalogue.clone(), Weak::new());
        let steps = reader.steps()?;
        let sessions = reader.sessions()?.into_iter().map(|session| session.id).collect();
        let writer = Writer::resume(&self.inner.database, catalogue, &steps, sessions)?;
        Ok(self.recorder(writer, steps.into_iter().map(|step| step.key).filter(|key| !key.is_empty()).collect()))
    }

    /// Reads a recording, also one that is being recorded.
    pub fn read(&self, id: &RecordingId) -> Result<Reader, StoreError> {
        let live = self.live(id).map_or_else(Weak::new, |writer| Arc::downgrade(&writer));
        Ok(Reader::new(Source::database(&self.inner.database, id), self.catalogue(id)?, live))
    }

    /// Deletes a recording with everything in it. When this returns nothing of it can be read any more, by nobody and from no file
    /// of the library; what is interrupted is taken up when the library is opened next.
    pub fn delete(&self, id: &RecordingId) -> Result<(), StoreError> {
        key::check(id)?;
        if !self.inner.database.contains(&key::catalogue(id))? {
            return Err(StoreError::NotFound { what: format!("recording {id}") });
        }
        if self.live(id).is_some() {
            return Err(StoreError::Busy { id: id.clone() });
        }
        self.remove(id)
    }

    /// Removes all of a recording, whatever is there of it, in parts, so that a large one is never in memory as a whole.
    pub(crate) fn remove(&self, id: &RecordingId) -> Result<(), StoreError> {
        let database = &self.inner.database;
        let keys = database.keys();
        // First: what comes after it is only tidying up.
        keys.destroy(id.as_str().as_bytes())?;
        let forgotten = database.witness().forget(id);
        let mut earlier = None;
        loop {
            let mut batch = Batch::default();
            let names = database.names(&key::prefix(id), 1000)?;
            if names.is_empty() {
                break;
            }
            if names.first() == earlier.as_ref() {
                return Err(StoreError::damaged("what is removed from it does not go away"));
            }
            earlier = names.first().cloned();
            for name in names {
                batch.remove(name.as_ref());
            }
            database.apply_on_any_disk(batch)?;
        }
        let mut last = Batch::default();
        last.remove(key::catalogue(id));
        database.apply_on_any_disk(last)?;
        database.flush()?;
        if let Err(error) = forgotten {
            // Its key's place goes on saying that it was deleted, or it would be told as missing.
            tracing::debug!(%error, "a deleted recording could not be forgotten");
            return Ok(());
        }
        keys.release(id.as_str().as_bytes())
    }

    /// Leaves at least so many bytes of the disk to others: with less free space nothing is written, and recording goes on
    /// when there is more again. There is a least that is always left.
    pub fn leave_free(&self, bytes: u64) {
        self.inner.database.leave_free(bytes);
    }

    /// For tests: `before` is called before each access to the database, where it may wait, as a disk that hangs does, or fail.
    #[doc(hidden)]
    pub fn before_each_access(&self, before: impl Fn(crate::Access) -> std::io::Result<()> + Send + Sync + 'static) {
        self.inner.database.before_each_access(Box::new(before));
    }

    /// Thins the recordings that nobody records, oldest first, until all together take at most so many bytes or only their
    /// ends are left, or `progress`, told in bytes, says stop. What `retention` says of a single recording's size does not
    /// matter here.
    pub fn keep_within(&self, most_bytes: u64, retention: &Retention, progress: Progress<'_>) -> Result<Thinned, StoreError> {
        let mut thinned = Thinned::default();
        let all = self.recordings()?;
        let mut bytes: u64 = all.iter().map(|info| info.bytes).sum();
        let too_many = bytes.saturating_sub(most_bytes);
        for info in all.iter().rev().filter(|info| !info.recording) {
            let mut catalogue = self.catalogue(&info.id)?;
            let source = Source::database(&self.inner.database, &info.id);
            while bytes > most_bytes
                && progress(thinned.freed.min(too_many), too_many)
                && self.live(&info.id).is_none()
                && let Some(first) = thin::next(&source, &catalogue, u64::MAX)?
            {
                let Some(_alone) = self.inner.database.begin_thinning() else { break };
                let plan = thin::plan(&source, first, retention)?;
                let left = (catalogue.info.bytes + plan.after).saturating_sub(plan.before);
                let freed = thin::carry_out(&self.inner.database, &mut catalogue, first, plan, left)?;
                bytes = bytes.saturating_sub(freed);
                thinned = Thinned { segments: thinned.segments + 1, freed: thinned.freed + freed };
            }
        }
        self.inner.database.flush()?;
        Ok(thinned)
    }

    /// Writes a recording to a file, which is replaced if there is one, and tells its size. The file has the recording as it is
    /// now, also when it is recorded, thinned or marked meanwhile. After an error, also when it was
    /// cancelled, nothing is left of it.
    pub fn export(&self, id: &RecordingId, path: &Path, progress: Progress<'_>) -> Result<u64, StoreError> {
        let _still = self.inner.database.hold_still();
        let source = Source::database(&self.inner.database, id);
        let moment = match self.live(id) {
            Some(writer) => {
                let mut writer = writer.lock();
                // Where nothing can be written, what was written before can still be taken elsewhere.
                if let Err(error) = writer.store(false) {
                    tracing::warn!(%error, "the newest steps are not in the export");
                }
                let (segment, summaries) = writer.growing();
                Moment::of_growing(self.catalogue(id)?, &source, segment, summaries)?
            }
            None => Moment::of_whole(self.catalogue(id)?),
        };
        file::write(path, &moment, &source, progress)
    }

    /// A setting that is kept beside the recordings, as JSON.
    pub fn setting<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        let value = self.inner.database.get(&key::setting(name)).ok()??;
        serde_json::from_slice(&value).ok()
    }

    /// Keeps a setting.
    pub fn set_setting<T: Serialize>(&self, name: &str, value: &T) -> Result<(), StoreError> {
        let mut batch = Batch::default();
        batch.insert(key::setting(name), serde_json::to_vec(value).map_err(StoreError::Encode)?);
        self.inner.database.apply(batch)?;
        self.inner.database.flush()
    }

    /// Whether the library asks for a passphrase.
    pub fn has_passphrase(&self) -> bool {
        self.inner.database.keys().sealed()
    }

    /// Keeps the library under a passphrase from now on, or under none. `now` is the one that it has. A forgotten passphrase cannot be
    /// had again, and neither can what it keeps.
    pub fn set_passphrase(&self, now: Option<&Secret>, new: Option<&Secret>) -> Result<(), StoreError> {
        if new.is_some_and(Secret::is_empty) {
            return Err(StoreError::Refused { what: "a passphrase has at least one character".to_owned() });
        }
        let database = &self.inner.database;
        if database.keys().sealed() {
            let now = now.ok_or_else(|| StoreError::PassphraseNeeded { path: database.path().to_owned() })?;
            database.keys().check(now)?;
        }
        database.set_passphrase(new)
    }

    pub(crate) fn database(&self) -> &Database {
        &self.inner.database
    }

    pub(crate) fn importing(&self) -> &Mutex<()> {
        &self.inner.importing
    }

    fn recorder(&self, writer: Writer, known: Vec<String>) -> Recorder {
        let (id, catalogue) = (writer.id().clone(), writer.catalogue.clone());
        let writer = Arc::new(Mutex::new(writer));
        let reader = Reader::new(Source::database(&self.inner.database, &id), catalogue, Arc::downgrade(&writer));
        let mut live = self.inner.live.lock();
        live.retain(|_, writer| writer.strong_count() > 0);
        live.insert(id, Arc::downgrade(&writer));
        Recorder::new(self.inner.database.clone(), writer, reader, known)
    }

    pub(crate) fn live(&self, id: &RecordingId) -> Option<Arc<Mutex<Writer>>> {
        let writer = self.inner.live.lock().get(id)?.upgrade()?;
        let closed = writer.lock().closed;
        (!closed).then_some(writer)
    }

    pub(crate) fn catalogue(&self, id: &RecordingId) -> Result<Catalogue, StoreError> {
        key::check(id)?;
        let value = self.inner.database.get(&key::catalogue(id))?;
        let value = value.ok_or_else(|| StoreError::NotFound { what: format!("recording {id}") })?;
        let catalogue: Catalogue = serde_json::from_slice(&value).map_err(|_| StoreError::damaged("its entry in the catalogue"))?;
        if catalogue.info.format > FORMAT {
            return Err(StoreError::TooNew { found: catalogue.info.format, known: FORMAT });
        }
        Ok(catalogue)
    }
}
