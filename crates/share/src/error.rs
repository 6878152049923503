//! What can go wrong when something is shared.

use std::io;

use inspector_store::StoreError;

/// Why an export or an import was not done.
#[derive(Debug, thiserror::Error)]
pub enum ShareError {
    /// No step is selected.
    #[error("no step is selected; the recording has steps {first} to {last}")]
    Nothing {
        /// The recording's first step.
        first: u64,
        /// Its last.
        last: u64,
    },
    /// The selection cannot be written so.
    #[error("{0}")]
    Unsuited(String),
    /// The finished file still held a secret, and was removed.
    #[error("the file was not written: it would have held a secret that the redaction missed: {}; nothing is left of it", findings.join(", "))]
    Leak {
        /// Where, and what sort of secret. Never the secret.
        findings: Vec<String>,
    },
    /// Whoever asked said stop.
    #[error("it was cancelled, and nothing is left of it")]
    Cancelled,
    /// A path to keep back cannot be read.
    #[error("this is no path, write `cart.owner`, `rows[*].note` or `*.phone`: {0}")]
    Path(String),
    /// Not a bug capture, or one that cannot be read.
    #[error("this is not a bug capture that can be read: {0}")]
    BugCapture(&'static str),
    /// Only a server's name for one.
    #[error(
        "this bug capture is a reference to a store of the server that made it (`djbug1.store.…`) and holds no state; \
         ask for one that was made without `bug_capture_store`, or open it on that server"
    )]
    StoredBugCapture,
    /// The recording cannot be read, or a new one not written.
    #[error(transparent)]
    Store(StoreError),
    /// The file system failed.
    #[error("the file could not be written: {0}")]
    Io(#[from] io::Error),
    /// Something could not be written as JSON.
    #[error("a step could not be written: {0}")]
    Encode(#[from] serde_json::Error),
    /// The rules are wrong: an error of the inspector.
    #[error("the redaction's rules cannot be used: {0}")]
    Rules(String),
}

impl From<StoreError> for ShareError {
    fn from(error: StoreError) -> Self {
        if matches!(error, StoreError::Cancelled) { Self::Cancelled } else { Self::Store(error) }
    }
}
