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
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use inspector_model::Secret;
use parking_lot::{Mutex, RwLock, RwLockReadGuard, RwLockWriteGuard};
use sled::IVec;

use crate::disk;
use crate::error::{ReadOnly, StoreError, is_full};
use crate::guard::{Before, Entries, Reading, Stopped};
use crate::key;
use crate::keys::Keys;
use crate::private;
use crate::seal::Key;
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
    keys: Keys,
    path: PathBuf,
    read_only: Option<ReadOnly>,
    stopped: Stopped,
    /// The log's file as it was when it was opened, where files can be told apart.
    file: Option<FileId>,
    /// See [`Database::leave_free`].
    margin: AtomicU64,
    witness: Witness,
    /// Held while a recording is thinned, and shared by those who need that nothing is.
    thinning: RwLock<()>,
    /// When the folders last changed in which sled makes files, as of when their modes were looked at.
    looked_at: Mutex<[Option<SystemTime>; 2]>,
    /// How often there is still space.
    #[cfg(test)]
    room: AtomicU64,
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
        // A simulated disk fails before sled is asked: that is sound, and can be closed.
        let no_more = disk::is_real()
            && (self.read_only.is_some() || self.stopped.why().is_some() || has_no_space(&self.path, self.margin.load(Ordering::Relaxed)));
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
    disk::free_space(path).map_or_else(|error| is_full(&error), |free| free < least)
}

impl Database {
    /// `path`: the library's folder.
    pub(crate) fn new(db: sled::Db, keys: Keys, path: &Path, read_only: Option<ReadOnly>) -> Self {
        let file = file_id(&path.join(LOG));
        let margin = AtomicU64::new(MARGIN);
        Self {
            inner: Arc::new(Inner {
                db,
                keys,
                path: path.to_owned(),
                read_only,
                stopped: Stopped::new(path.join(DAMAGED)),
                file,
                margin,
                witness: Witness::open(path),
                thinning: RwLock::default(),
                looked_at: Mutex::default(),
                #[cfg(test)]
                room: AtomicU64::new(u64::MAX),
            }),
        }
    }

    /// What the library must hold.
    pub(crate) fn witness(&self) -> &Witness {
        &self.inner.witness
    }

    fn reading(&self) -> Reading<'_> {
        Reading { db: &self.inner.db, stopped: &self.inner.stopped }
    }

    /// A value.
    pub(crate) fn get(&self, name: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(sealed) = self.reading().get(name)? else { return Ok(None) };
        self.open(name, &sealed).map(Some).ok_or_else(|| StoreError::damaged("a value does not fit its seal, or its key is gone"))
    }

    /// Whether there is a value.
    pub(crate) fn contains(&self, name: &[u8]) -> Result<bool, StoreError> {
        Ok(self.inner.stopped.watched(|| self.inner.db.contains_key(name))?)
    }

    /// Calls `visit` with every value whose name begins with `prefix`, in order, until it says `false`. A value that does not
    /// fit its seal is handed on as nothing, which whoever reads it takes for damage, so that the others are read.
    pub(crate) fn each(&self, prefix: &[u8], visit: impl FnMut(&[u8], &[u8]) -> Result<bool, StoreError>) -> Result<(), StoreError> {
        self.visit(self.reading().scan_prefix(prefix), visit)
    }

    /// The same for the names in a range.
    pub(crate) fn each_in(
        &self,
        range: impl RangeBounds<Vec<u8>>,
        visit: impl FnMut(&[u8], &[u8]) -> Result<bool, StoreError>,
    ) -> Result<(), StoreError> {
        self.visit(self.reading().range(range), visit)
    }

    fn visit(&self, entries: Entries, mut visit: impl FnMut(&[u8], &[u8]) -> Result<bool, StoreError>) -> Result<(), StoreError> {
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
        Ok(self.reading().scan_prefix(prefix).keys().take(most).collect::<Result<_, _>>()?)
    }

    /// The first name in a range.
    pub(crate) fn first_name(&self, range: impl RangeBounds<Vec<u8>>) -> Result<Option<IVec>, StoreError> {
        Ok(self.reading().range(range).next().transpose()?.map(|(name, _)| name))
    }

    /// The last one.
    pub(crate) fn last_name(&self, range: impl RangeBounds<Vec<u8>>) -> Result<Option<IVec>, StoreError> {
        Ok(self.reading().range(range).next_back().transpose()?.map(|(name, _)| name))
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

    /// Nothing is thinned as long as it is held: what is written of complete segments stays as it is.
    pub(crate) fn hold_still(&self) -> RwLockReadGuard<'_, ()> {
        self.inner.thinning.read()
    }

    /// Thinning may begin. `None`: somebody needs that nothing is thinned now; it is not waited for.
    pub(crate) fn begin_thinning(&self) -> Option<RwLockWriteGuard<'_, ()>> {
        self.inner.thinning.try_write()
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

    /// Lets the disk be full after it had space so many times more.
    #[cfg(test)]
    pub(crate) fn full_after(&self, times: u64) {
        self.inner.room.store(times, Ordering::Relaxed);
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

    pub(crate) fn before_each_access(&self, before: Before) {
        self.inner.stopped.before_each_access(before);
    }

    /// Whether somebody waits for sled for longer than that, which is taken for damage.
    pub(crate) fn is_stuck(&self, patience: Duration) -> bool {
        self.inner.stopped.is_stuck(patience)
    }

    /// Whether there is so much space that a write will not fail for want of it. Unlike a failed write this can change
    /// again.
    pub(crate) fn check_space(&self) -> Result<(), StoreError> {
        #[cfg(test)]
        if self.inner.room.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_err() {
            return Err(StoreError::Full { path: self.inner.path.clone() });
        }
        if has_no_space(&self.inner.path, self.inner.margin.load(Ordering::Relaxed)) {
            Err(StoreError::Full { path: self.inner.path.clone() })
        } else {
            Ok(())
        }
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
        self.inner.stopped.watched(|| disk::apply(&self.inner.db, sealed, &self.inner.path)).map_err(|error| self.stop(error))
    }

    /// Waits until everything that was written is on the disk.
    pub(crate) fn flush(&self) -> Result<(), StoreError> {
        self.check()?;
        self.check_files()?;
        self.inner.stopped.unwatched(|| disk::flush(&self.inner.db, &self.inner.path)).map_err(|error| self.stop(error))?;
        if let Err(error) = self.tighten() {
            tracing::warn!(%error, "a file of the library is not private; its folder is");
        }
        Ok(())
    }

    /// Has sled write what it holds, which a simulated kill does not let it do any more.
    #[cfg(feature = "simulation")]
    pub(crate) fn write_out(&self) {
        let _ = self.inner.db.flush();
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
        if self.inner.stopped.stop(|| error.to_string()) {
            // sled also writes when it reads: it splits what has grown too large. This gives it the room.
            let _ = disk::remove(&self.inner.path.join(RESERVE_WHILE_OPEN));
        }
        error
    }
}
