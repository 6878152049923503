//! What can go wrong with recordings.

use std::io;
use std::path::PathBuf;

use inspector_model::RecordingId;

/// Why a recording could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process has the library open.
    #[error("{} has the library open; close it, or use another folder than {path}", holder(*.by))]
    Locked {
        /// Its number, where it left it.
        by: Option<u32>,
        /// The library's folder.
        path: PathBuf,
    },
    /// No space left.
    #[error("the disk is full; what was recorded so far can still be read; free some space near {path}")]
    Full {
        /// The library's folder.
        path: PathBuf,
    },
    /// The library was opened for reading only.
    #[error("the library can only be read: {why}: {path}")]
    ReadOnly {
        /// Why, and what to do.
        why: ReadOnly,
        /// The library's folder.
        path: PathBuf,
    },
    /// The library's files were removed or replaced while they were open.
    #[error(
        "the library's files were removed or replaced while it was open, and what was recorded since is not kept; put them back and start again: {path}"
    )]
    Vanished {
        /// The library's folder.
        path: PathBuf,
    },
    /// No such recording or step.
    #[error("there is no {what}")]
    NotFound {
        /// What was asked for.
        what: String,
    },
    /// What was to be written is beyond a limit.
    #[error("{what}")]
    Refused {
        /// Which limit.
        what: String,
    },
    /// The recording is being recorded.
    #[error("recording {id} is still being recorded; stop it first")]
    Busy {
        /// Which.
        id: RecordingId,
    },
    /// The recording was made by a newer inspector.
    #[error("the recording has format {found}, this inspector knows formats up to {known}; use a newer inspector")]
    TooNew {
        /// The recording's format.
        found: u32,
        /// The newest known.
        known: u32,
    },
    /// The file is something else.
    #[error("this is not a recording: {path}")]
    NotARecording {
        /// The file.
        path: PathBuf,
    },
    /// It is encrypted, and no passphrase was given.
    #[error("it is encrypted, and its passphrase is needed: {path}")]
    PassphraseNeeded {
        /// The library's folder, or the file.
        path: PathBuf,
    },
    /// The passphrase is another one.
    #[error("this is not the passphrase it was encrypted with; without that one nobody can read it: {path}")]
    WrongPassphrase {
        /// The library's folder, or the file.
        path: PathBuf,
    },
    /// The keys of the library cannot be read.
    #[error(
        "the library's keys cannot be read, and without them nothing in it; put the file back as it was, or move the library's folder away to begin a new one: {path}"
    )]
    KeysDamaged {
        /// Their file.
        path: PathBuf,
    },
    /// Whoever asked said stop.
    #[error("it was cancelled, and nothing is left of it")]
    Cancelled,
    /// An earlier write failed: what would follow it had a hole before it.
    #[error("recording stopped, what was flushed before can still be read: {why}")]
    Stopped {
        /// The earlier failure.
        why: String,
    },
    /// Stored bytes are not what was written.
    #[error("the recording is damaged: {what}")]
    Damaged {
        /// What cannot be read.
        what: String,
    },
    /// The database failed.
    #[error("the recording database failed: {0}")]
    Database(sled::Error),
    /// The file system failed.
    #[error("{action} failed: {source}: {path}")]
    Io {
        /// What was done.
        action: &'static str,
        /// To which file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Something could not be written as JSON.
    #[error("a step could not be encoded: {0}")]
    Encode(serde_json::Error),
}

/// Why a library was opened for reading only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadOnly {
    /// The disk was full then.
    #[error("the disk is full; free some space and start again")]
    DiskFull,
    /// Its files may not be written. What is read is a copy of them, made when it was opened.
    #[error("its files may not be changed by this user, or lie on a disk that may only be read; make them writable and start again")]
    Protected,
}

/// Who has a library open, for people.
fn holder(process: Option<u32>) -> String {
    process.map_or_else(|| "another inspector".to_owned(), |process| format!("another inspector (process {process})"))
}

impl StoreError {
    /// An error of the file system, for `map_err`.
    pub(crate) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| if is_full(&source) { Self::Full { path } } else { Self::Io { action, path, source } }
    }

    pub(crate) fn damaged(what: impl Into<String>) -> Self {
        Self::Damaged { what: what.into() }
    }
}

impl From<sled::Error> for StoreError {
    fn from(error: sled::Error) -> Self {
        match &error {
            sled::Error::Io(source) if is_full(source) => Self::Full { path: PathBuf::from("the library") },
            sled::Error::Corruption { .. } | sled::Error::ReportableBug(_) => Self::damaged("the library cannot read this part of it"),
            _ => Self::Database(error),
        }
    }
}

/// Whether it is about space. sled turns some errors into text, hence the second look.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) || error.to_string().contains("StorageFull")
}
