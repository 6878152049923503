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
    /// For reading. Writing goes through the methods.
    pub(crate) db: sled::Db,
    path: Arc<PathBuf>,
    stopped: Arc<Mutex<Option<String>>>,
}

impl Database {
    pub(crate) fn new(db: sled::Db, path: &Path) -> Self {
        Self { db, path: Arc::new(path.to_owned()), stopped: Arc::default() }
    }

    /// Whether something can still be written.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        match &*self.stopped.lock() {
            None => Ok(()),
            Some(why) => Err(StoreError::Stopped { why: why.clone() }),
        }
    }

    /// Whether there is so much space that a write will not fail for want of it. Unlike a failed write this can change
    /// again.
    pub(crate) fn check_space(&self) -> Result<(), StoreError> {
        match fs2::available_space(self.path.as_path()) {
            Ok(free) if free < MARGIN => Err(StoreError::Full { path: self.path.as_ref().clone() }),
            // A file system that does not tell is no reason to stop.
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// Writes all of a batch, or nothing.
    pub(crate) fn apply(&self, batch: sled::Batch) -> Result<(), StoreError> {
        self.check_space()?;
        self.apply_on_any_disk(batch)
    }

    /// The same on a full disk too: for deleting.
    pub(crate) fn apply_on_any_disk(&self, batch: sled::Batch) -> Result<(), StoreError> {
        self.check()?;
        self.db.apply_batch(batch).map_err(|error| self.stop(error))
    }

    /// Waits until everything that was written is on the disk.
    pub(crate) fn flush(&self) -> Result<(), StoreError> {
        self.check()?;
        self.db.flush().map(drop).map_err(|error| self.stop(error))
    }

    fn stop(&self, error: sled::Error) -> StoreError {
        let error = match StoreError::from(error) {
            StoreError::Full { .. } => StoreError::Full { path: self.path.as_ref().clone() },
            other => other,
        };
        let mut stopped = self.stopped.lock();
        if stopped.is_none() {
            // sled also writes when it reads: it splits what has grown too large. This gives it the room.
            let _ = std::fs::remove_file(self.path.join(RESERVE_WHILE_OPEN));
            *stopped = Some(error.to_string());
            // Never closed: see above.
            std::mem::forget(self.db.clone());
        }
        error
    }
}
