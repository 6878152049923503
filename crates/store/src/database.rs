//! The database, and the end of all writing after its first failure.
//!
//! After a failed write sled 0.34 waits forever in a later flush, also in the one that it does when it is closed: some of
//! what it counts on was never written. It also writes when it reads. So it is not let into the last space of a disk; if a
//! write fails nevertheless, that was the last one, and the database is not closed before the program ends.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

use crate::error::StoreError;

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
    path: PathBuf,
    read_only: bool,
    stopped: Mutex<Option<String>>,
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
    pub(crate) fn new(db: sled::Db, path: &Path, read_only: bool) -> Self {
        Self { inner: Arc::new(Inner { db, path: path.to_owned(), read_only, stopped: Mutex::default() }) }
    }

    /// For reading. Writing goes through the other methods.
    pub(crate) fn reading(&self) -> &sled::Db {
        &self.inner.db
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

    /// Writes all of a batch, or nothing.
    pub(crate) fn apply(&self, batch: sled::Batch) -> Result<(), StoreError> {
        self.check_space()?;
        self.apply_on_any_disk(batch)
    }

    /// The same on a full disk too: for deleting.
    pub(crate) fn apply_on_any_disk(&self, batch: sled::Batch) -> Result<(), StoreError> {
        self.check()?;
        self.inner.db.apply_batch(batch).map_err(|error| self.stop(error))
    }

    /// Waits until everything that was written is on the disk.
    pub(crate) fn flush(&self) -> Result<(), StoreError> {
        self.check()?;
        self.inner.db.flush().map(drop).map_err(|error| self.stop(error))
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
