//! Opening sled's database, and what can be wrong with it.

use std::fs;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::disk;
use crate::error::{StoreError, is_full};
use crate::guard::guarded;
use crate::private;

/// sled cannot be opened on a full disk, and writes a little when it reads: this much is kept beside it, twice, to be given
/// up then.
pub(crate) const RESERVE: usize = 3 << 20;

/// What sled may keep in memory. Its own default is a gigabyte.
const CACHE: u64 = 32 << 20;

/// The file that says which process has the library open.
pub(crate) const HOLDER: &str = "in-use";

/// How long a lock is waited for.
const LOCK_WAIT: Duration = Duration::from_millis(400);

/// Why the database does not open, as far as it decides what to do.
pub(crate) enum Trouble {
    Locked,
    Full,
    Damaged(String),
    /// Its files may not be written.
    Protected(io::Error),
    Other(io::Error),
}

impl Trouble {
    /// On a full disk sled may say that it found damage, where it only could not write. Without space nothing is judged.
    pub(crate) fn or_full(self, dir: &Path) -> Self {
        if !matches!(self, Self::Damaged(_)) {
            return self;
        }
        let probe = dir.join("probe");
        let filled = fill(&probe);
        let _ = fs::remove_file(&probe);
        if filled.is_err_and(|error| is_full(&error)) { Self::Full } else { self }
    }

    pub(crate) fn into_error(self, path: &Path) -> StoreError {
        match self {
            Self::Locked => {
                let holder = path.parent().and_then(|dir| fs::read_to_string(dir.join(HOLDER)).ok());
                StoreError::Locked { by: holder.and_then(|process| process.trim().parse().ok()), path: path.to_owned() }
            }
            Self::Full => StoreError::Full { path: path.to_owned() },
            Self::Damaged(what) => StoreError::Damaged { what },
            Self::Protected(error) | Self::Other(error) => StoreError::io("opening the library", path)(error),
        }
    }
}

/// Opens it. A library that was closed a moment ago is locked until sled's threads have ended: that is waited for.
pub(crate) fn open_database(path: &Path) -> Result<sled::Db, Trouble> {
    let deadline = Instant::now() + LOCK_WAIT;
    loop {
        match try_open(path) {
            Err(Trouble::Locked) if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(10)),
            // sled takes a snapshot that it could not finish, on a full disk or because it was killed, for its newest one.
            // Finding damage means that it had the lock, so nobody is writing one now.
            Err(Trouble::Damaged(_)) if remove_unfinished_snapshots(path) => {}
            opened => return opened,
        }
    }
}

/// Whether there were any.
fn remove_unfinished_snapshots(path: &Path) -> bool {
    let Ok(entries) = fs::read_dir(path) else { return false };
    let mut removed = false;
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with("snap.") && name.ends_with(".generating") {
            removed |= fs::remove_file(entry.path()).is_ok();
        }
    }
    removed
}

fn try_open(path: &Path) -> Result<sled::Db, Trouble> {
    let config = sled::Config::new().path(path).cache_capacity(CACHE).flush_every_ms(None);
    // sled panics at some damage instead of saying so.
    guarded(|| config.open()).map_err(|error| match error {
        sled::Error::Io(error) if is_full(&error) => Trouble::Full,
        // sled has only words for it.
        sled::Error::Io(error) if error.to_string().contains("could not acquire lock") => Trouble::Locked,
        sled::Error::Io(error) => match error.kind() {
            io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::UnexpectedEof | io::ErrorKind::Other => {
                Trouble::Damaged(error.to_string())
            }
            _ if is_protected(&error) => Trouble::Protected(error),
            _ => Trouble::Other(error),
        },
        other => Trouble::Damaged(other.to_string()),
    })
}

pub(crate) fn is_protected(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
}

/// Writes a reserve.
pub(crate) fn fill(path: &Path) -> io::Result<()> {
    let file = private::create(path)?;
    disk::write(&file, path, &vec![0; RESERVE], true)?;
    disk::sync(&file, path)
}
