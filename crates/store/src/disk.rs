//! The one place where the store changes a disk, and where it asks the disk for space and the clock for the time.
//!
//! What is here does nothing of its own. With the feature `simulation`, which only tests have, each call is a place at which
//! a simulated disk decides what happens: see [`simulation`].

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

#[cfg(feature = "simulation")]
pub mod simulation;

#[cfg(not(feature = "simulation"))]
mod real {
    use std::io;
    use std::path::Path;

    pub(crate) use std::time::Instant;

    use super::Act;

    pub(super) fn act<T>(_: Act, _: &Path, work: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        work()
    }

    pub(super) const fn part(_: Act, _: &Path, len: usize) -> usize {
        len
    }

    pub(crate) const fn is_real() -> bool {
        true
    }

    pub(crate) const fn tuned(usual: usize, _: usize) -> usize {
        usual
    }

    pub(crate) const fn random() -> Option<u64> {
        None
    }

    pub(super) const fn flushed(_: &Path) {}
}

#[cfg(not(feature = "simulation"))]
pub(crate) use real::{Instant, is_real, random, tuned};
#[cfg(not(feature = "simulation"))]
use real::{act, flushed, part};
#[cfg(feature = "simulation")]
pub(crate) use simulation::{Instant, is_real, random, tuned};
#[cfg(feature = "simulation")]
use simulation::{act, flushed, part};

/// What is done to a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Act {
    /// The free space is asked for.
    Space,
    /// A batch is handed to sled.
    Batch,
    /// sled writes everything.
    Flush,
    /// A file is made, or emptied.
    Create,
    /// A file is written to and grows.
    Grow,
    /// A file is overwritten in place.
    Overwrite,
    /// A file's bytes are made sure of.
    Sync,
    /// A file gets another name.
    Rename,
    /// A file is removed.
    Remove,
}

/// The free space, bytes.
pub(crate) fn free_space(path: &Path) -> io::Result<u64> {
    act(Act::Space, path, || fs2::available_space(path))
}

/// Hands a batch to sled.
pub(crate) fn apply(db: &sled::Db, batch: sled::Batch, path: &Path) -> sled::Result<()> {
    // sled's own error stays what it is.
    let mut done = Ok(());
    act(Act::Batch, path, || {
        done = db.apply_batch(batch);
        Ok(())
    })?;
    done
}

/// Has sled write everything.
pub(crate) fn flush(db: &sled::Db, path: &Path) -> sled::Result<()> {
    let mut done = Ok(());
    act(Act::Flush, path, || {
        done = db.flush().map(drop);
        if done.is_ok() {
            flushed(path);
        }
        Ok(())
    })?;
    done
}

/// Makes or empties a file, in the way that `make` does it.
pub(crate) fn create(path: &Path, make: impl FnOnce() -> io::Result<File>) -> io::Result<File> {
    act(Act::Create, path, make)
}

/// Writes bytes to a file of this path. `grows`: behind its end.
pub(crate) fn write(mut file: &File, path: &Path, bytes: &[u8], grows: bool) -> io::Result<()> {
    let way = if grows { Act::Grow } else { Act::Overwrite };
    let written = part(way, path, bytes.len());
    if written < bytes.len() {
        file.write_all(&bytes[..written])?;
    }
    act(way, path, || file.write_all(bytes))
}

/// Makes sure of a file's bytes.
pub(crate) fn sync(file: &File, path: &Path) -> io::Result<()> {
    act(Act::Sync, path, || if is_real() { file.sync_all() } else { Ok(()) })
}

/// Gives a file another name, in place of what has it.
pub(crate) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    act(Act::Rename, to, || fs::rename(from, to))
}

/// Removes a file.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    act(Act::Remove, path, || fs::remove_file(path))
}

/// A file that grows, for what writes piece by piece.
pub(crate) struct GrowingFile<'a> {
    pub(crate) file: File,
    pub(crate) path: &'a Path,
}

impl Write for GrowingFile<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        write(&self.file, self.path, bytes, true).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
