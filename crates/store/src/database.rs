//! The database, and the end of all writing after its first failure.
//!
//! After a failed write sled 0.34 waits forever in a later flush, also in the one that it does when it is closed: some of
//! what it counts on was never written. It also writes when it reads. So it is not let into the last space of a disk; if a
//! write fails nevertheless, that was the last one, and the database is not closed before the program ends.
//!
//! It is also where values are sealed and opened: nobody beyond it sees sealed ones, and sled never sees others. Names are
//! as they are. Each value is sealed with the key of the recording in its name, as the value of that name.

use std::fs;
use std::ops::RangeBounds;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use inspector_model::Secret;
use parking_lot::Mutex;
use sled::IVec;

use crate::error::StoreError;
use crate::key;
use crate::keys::Keys;
use crate::private;
use crate::seal::Key;

/// Free space that sled is never let into: a batch, the segments that it takes from the disk 512 KB at a time, and what it
/// moves to make room.
const MARGIN: u64 = 4 << 20;

/// The reserve that is given up when a write fails, so that reading goes on.
pub(crate) const RESERVE_WHILE_OPEN: &str = "reserve-while-open";

/// Clones are the same database.
#[derive(Clone)]
pub(crate) struct Database {
    inner: Arc<Inner>,
}

struct Inner {
    db: sled::Db,
    keys: Keys,
    path: PathBuf,
    read_only: bool,
    stopped: Mutex<Option<String>>,
    /// When the folders last changed in which sled makes files, as of when their modes were looked at.
    looked_at: Mutex<[Option<SystemTime>; 2]>,
}

/// Changes that are made together.
#[derive(Default)]
pub(crate) struct Batch {
    changes: Vec<(Vec<u8>, Option<Vec<u8>>)>,
}

impl Batch {
    pub(crate) fn insert(&mut self, name: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) {
        self.changes.push((name.into(), Some(value.into())));
    }

    pub(crate) fn remove(&mut self, name: impl Into<Vec<u8>>) {
        self.changes.push((name.into(), None));
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if self.read_only || self.stopped.get_mut().is_some() || has_no_space(&self.path, 0) {
            // Never closed: see above.
            std::mem::forget(self.db.clone());
        }
    }
}

/// Whether there is so little space, besides what is to be taken at once, that nothing is written any more.
pub(crate) fn has_no_space(path: &Path, besides: u64) -> bool {
    // A file system that does not tell is no reason to stop.
    fs2::available_space(path).is_ok_and(|free| free < MARGIN + besides)
}

impl Database {
    /// `read_only`: the disk was full when it was opened.
    pub(crate) fn new(db: sled::Db, keys: Keys, path: &Path, read_only: bool) -> Self {
        let (path, stopped, looked_at) = (path.to_owned(), Mutex::default(), Mutex::default());
        Self { inner: Arc::new(Inner { db, keys, path, read_only, stopped, looked_at }) }
    }

    /// A value.
    pub(crate) fn get(&self, name: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(sealed) = self.inner.db.get(name)? else { return Ok(None) };
        self.open(name, &sealed).map(Some).ok_or_else(|| StoreError::damaged("a value does not fit its seal, or its key is gone"))
    }

    /// Whether there is a value.
    pub(crate) fn contains(&self, name: &[u8]) -> Result<bool, StoreError> {
        Ok(self.inner.db.contains_key(name)?)
    }

    /// Calls `visit` with every value whose name begins with `prefix`, in order, until it says `false`. A value that does not
    /// fit its seal is handed on as nothing, which whoever reads it takes for damage, so that the others are read.
    pub(crate) fn each(&self, prefix: &[u8], visit: impl FnMut(&[u8], &[u8]) -> Result<bool, StoreError>) -> Result<(), StoreError> {
        self.visit(self.inner.db.scan_prefix(prefix), visit)
    }

    /// The same for the names in a range.
    pub(crate) fn each_in(
        &self,
        range: impl RangeBounds<Vec<u8>>,
        visit: impl FnMut(&[u8], &[u8]) -> Result<bool, StoreError>,
    ) -> Result<(), StoreError> {
        self.visit(self.inner.db.range(range), visit)
    }

    fn visit(&self, entries: sled::Iter, mut visit: impl FnMut(&[u8], &[u8]) -> Result<bool, StoreError>) -> Result<(), StoreError> {
        for entry in entries {
            let (name, sealed) = entry?;
            if !visit(&name, &self.open(&name, &sealed).unwrap_or_default())? {
                break;
            }
        }
        Ok(())
    }

    /// The first so many names that begin with `prefix`.
    pub(crate) fn names(&self, prefix: &[u8], most: usize) -> Result<Vec<IVec>, StoreError> {
        Ok(self.inner.db.scan_prefix(prefix).keys().take(most).collect::<Result<_, _>>()?)
    }

    /// The first name in a range.
    pub(crate) fn first_name(&self, range: impl RangeBounds<Vec<u8>>) -> Result<Option<IVec>, StoreError> {
        Ok(self.inner.db.range(range).next().transpose()?.map(|(name, _)| name))
    }

    /// The last one.
    pub(crate) fn last_name(&self, range: impl RangeBounds<Vec<u8>>) -> Result<Option<IVec>, StoreError> {
        Ok(self.inner.db.range(range).next_back().transpose()?.map(|(name, _)| name))
    }

    fn key(&self, name: &[u8]) -> Option<Key> {
        self.inner.keys.get(key::owner(name))
    }

    fn open(&self, name: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        self.key(name)?.open(name, sealed)
    }

    /// The library's folder.
    pub(crate) fn path(&self) -> &Path {
        &self.inner.path
    }

    /// The keys of the recordings.
    pub(crate) fn keys(&self) -> &Keys {
        &self.inner.keys
    }

    /// Keeps the keys under a passphrase from now on, or under none.
    pub(crate) fn set_passphrase(&self, passphrase: Option<&Secret>) -> Result<(), StoreError> {
        self.check_writable()?;
        self.inner.keys.set_passphrase(passphrase)
    }

    /// Refuses when the disk was full from the beginning.
    pub(crate) fn check_writable(&self) -> Result<(), StoreError> {
        if self.inner.read_only { Err(StoreError::ReadOnly { path: self.inner.path.clone() }) } else { self.check() }
    }

    /// Whether something can still be written.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        match &*self.inner.stopped.lock() {
            None => Ok(()),
            Some(why) => Err(StoreError::Stopped { why: why.clone() }),
        }
    }

    /// Whether there is so much space that a write will not fail for want of it. Unlike a failed write this can change
    /// again.
    pub(crate) fn check_space(&self) -> Result<(), StoreError> {
        if has_no_space(&self.inner.path, 0) { Err(StoreError::Full { path: self.inner.path.clone() }) } else { Ok(()) }
    }

    /// Writes all of a batch, or nothing. What belongs to a recording without a key is refused: it was deleted meanwhile.
    pub(crate) fn apply(&self, batch: Batch) -> Result<(), StoreError> {
        self.check_space()?;
        self.apply_on_any_disk(batch)
    }

    /// The same on a full disk too: for deleting.
    pub(crate) fn apply_on_any_disk(&self, batch: Batch) -> Result<(), StoreError> {
        self.check()?;
        let mut sealed = sled::Batch::default();
        for (name, value) in batch.changes {
            match value {
                Some(value) => {
                    let key = self.key(&name).ok_or_else(|| StoreError::NotFound { what: "recording of this id any more".to_owned() })?;
                    let value = key.seal(&name, &value)?;
                    sealed.insert(name, value);
                }
                None => sealed.remove(name),
            }
        }
        self.inner.db.apply_batch(sealed).map_err(|error| self.stop(error))
    }

    /// Waits until everything that was written is on the disk.
    pub(crate) fn flush(&self) -> Result<(), StoreError> {
        self.check()?;
        self.inner.db.flush().map_err(|error| self.stop(error))?;
        if let Err(error) = self.tighten() {
            tracing::warn!(%error, "a file of the library is not private; its folder is");
        }
        Ok(())
    }

    /// Takes from files that sled has made since what others may do with them. They are in a private folder, but a folder can be moved.
    fn tighten(&self) -> std::io::Result<()> {
        let folder = self.inner.path.join("library");
        let changed = |path: &Path| fs::metadata(path).and_then(|about| about.modified()).ok();
        let now = [changed(&folder), changed(&folder.join("blobs"))];
        let mut looked_at = self.inner.looked_at.lock();
        if *looked_at != now {
            private::tighten_all(&folder)?;
            *looked_at = now;
        }
        Ok(())
    }

    fn stop(&self, error: sled::Error) -> StoreError {
        let error = match StoreError::from(error) {
            StoreError::Full { .. } => StoreError::Full { path: self.inner.path.clone() },
            other => other,
        };
        let mut stopped = self.inner.stopped.lock();
        if stopped.is_none() {
            // sled also writes when it reads: it splits what has grown too large. This gives it the room.
            let _ = std::fs::remove_file(self.inner.path.join(RESERVE_WHILE_OPEN));
            *stopped = Some(error.to_string());
        }
        error
    }
}
