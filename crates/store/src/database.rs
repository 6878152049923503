//! The database, and the end of all writing after its first failure.
//!
//! After a failed write sled 0.34 waits forever in a later flush, also in the one that it does when it is closed: some of
//! what it counts on was never written. So the first failure is the last write, and a database that failed is not closed
//! before the program ends.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

use crate::error::StoreError;

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

    /// Writes all of a batch, or nothing.
    pub(crate) fn apply(&self, batch: sled::Batch) -> Result<(), StoreError> {
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
            *stopped = Some(error.to_string());
            // Never closed: see above.
            std::mem::forget(self.db.clone());
        }
        error
    }
}
