//! The database, and the end of all writing after its first failure.
//!
//! After a failed write sled 0.34 waits forever in a later flush, also in the one that it does when it is closed: some of
//! what it counts on was never written. It also writes when it reads. So it is not let into the last space of a disk; if a
//! write fails nevertheless, that was the last one, and the database is not closed before the program ends.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::error::{ReadOnly, StoreError};
use crate::guard::{Reading, Stopped};
use crate::witness::Witness;

/// Free space that sled is never let into: a batch, the segments that it takes from the disk 512 KB at a time, and what it
/// moves to make room.
pub(crate) const MARGIN: u64 = 4 << 20;

/// The mark of a library that was found to be damaged while it was open.
pub(crate) const DAMAGED: &str = "damaged";

/// The file in which sled keeps everything.
const LOG: &str = "library/db";

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
    read_only: Option<ReadOnly>,
    stopped: Stopped,
    /// The log's file as it was when it was opened, where files can be told apart.
    file: Option<FileId>,
    /// See [`Database::leave_free`].
    margin: AtomicU64,
    witness: Witness,
}

impl Drop for Inner {
    fn drop(&mut self) {
        let no_more =
            self.read_only.is_some() || self.stopped.why().is_some() || has_no_space(&self.path, self.margin.load(Ordering::Relaxed));
        // Flushed here, where an error does no harm, so that closing has nothing left to write.
        if no_more || self.stopped.unwatched(|| self.db.flush()).is_err() {
            // Never closed: see above.
            std::mem::forget(self.db.clone());
        }
    }
}

/// What tells a file from another one of the same name.
type FileId = (u64, u64);

#[cfg(unix)]
fn file_id(path: &Path) -> Option<FileId> {
    use std::os::unix::fs::MetadataExt as _;
    let about = std::fs::metadata(path).ok()?;
    Some((about.dev(), about.ino()))
}

/// Where an open file cannot be removed, there is nothing to find out.
#[cfg(not(unix))]
fn file_id(path: &Path) -> Option<FileId> {
    path.exists().then_some((0, 0))
}

/// Whether there is less free space than that.
pub(crate) fn has_no_space(path: &Path, least: u64) -> bool {
    // A file system that does not tell is no reason to stop.
    fs2::available_space(path).is_ok_and(|free| free < least)
}

impl Database {
    /// `path`: the library's folder.
    pub(crate) fn new(db: sled::Db, path: &Path, read_only: Option<ReadOnly>) -> Self {
        let file = file_id(&path.join(LOG));
        let margin = AtomicU64::new(MARGIN);
        Self {
            inner: Arc::new(Inner {
                db,
                path: path.to_owned(),
                read_only,
                stopped: Stopped::new(path.join(DAMAGED)),
                file,
                margin,
                witness: Witness::open(path),
            }),
        }
    }

    /// What the library must hold.
    pub(crate) fn witness(&self) -> &Witness {
        &self.inner.witness
    }

    /// For reading. Writing goes through the other methods.
    pub(crate) fn reading(&self) -> Reading<'_> {
        Reading { db: &self.inner.db, stopped: &self.inner.stopped }
    }

    /// How much free space is left to others, bytes. Without so much nothing is written.
    pub(crate) fn leave_free(&self, bytes: u64) {
        self.inner.margin.store(bytes.max(MARGIN), Ordering::Relaxed);
    }

    /// Whether the files are still those that were opened: what goes into removed ones is gone when they are closed.
    fn check_files(&self) -> Result<(), StoreError> {
        if self.inner.file.is_none() || file_id(&self.inner.path.join(LOG)) == self.inner.file {
            return Ok(());
        }
        let error = StoreError::Vanished { path: self.inner.path.clone() };
        self.inner.stopped.stop(|| error.to_string());
        Err(error)
    }

    /// Refuses when it was opened for reading only.
    pub(crate) fn check_writable(&self) -> Result<(), StoreError> {
        match self.inner.read_only {
            Some(why) => Err(StoreError::ReadOnly { why, path: self.inner.path.clone() }),
            None => self.check(),
        }
    }

    /// Whether something can still be written.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        if self.inner.read_only == Some(ReadOnly::Protected) {
            return Err(StoreError::ReadOnly { why: ReadOnly::Protected, path: self.inner.path.clone() });
        }
        self.inner.stopped.why().map_or(Ok(()), |why| Err(StoreError::Stopped { why }))
    }

    /// Why nothing is written any more, if so.
    pub(crate) fn trouble(&self) -> Option<String> {
        self.inner.stopped.why()
    }

    /// Whether somebody waits for sled for longer than that, which is taken for damage.
    pub(crate) fn is_stuck(&self, patience: Duration) -> bool {
        self.inner.stopped.is_stuck(patience)
    }

    /// Whether there is so much space that a write will not fail for want of it. Unlike a failed write this can change
    /// again.
    pub(crate) fn check_space(&self) -> Result<(), StoreError> {
        if has_no_space(&self.inner.path, self.inner.margin.load(Ordering::Relaxed)) {
            Err(StoreError::Full { path: self.inner.path.clone() })
        } else {
            Ok(())
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
        self.inner.stopped.watched(|| self.inner.db.apply_batch(batch)).map_err(|error| self.stop(error))
    }

    /// Waits until everything that was written is on the disk.
    pub(crate) fn flush(&self) -> Result<(), StoreError> {
        self.check()?;
        self.check_files()?;
        self.inner.stopped.unwatched(|| self.inner.db.flush()).map(drop).map_err(|error| self.stop(error))
    }

    fn stop(&self, error: sled::Error) -> StoreError {
        let error = match StoreError::from(error) {
            StoreError::Full { .. } => StoreError::Full { path: self.inner.path.clone() },
            other => other,
        };
        if self.inner.stopped.stop(|| error.to_string()) {
            // sled also writes when it reads: it splits what has grown too large. This gives it the room.
            let _ = std::fs::remove_file(self.inner.path.join(RESERVE_WHILE_OPEN));
        }
        error
    }
}
