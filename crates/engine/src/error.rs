//! What can go wrong in the engine itself; what goes wrong in a request is a [`inspector_model::Failure`].

use std::path::PathBuf;

/// Why the engine or a supervised server did not start.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The library could not be opened.
    #[error("the library of recordings could not be opened: {0}")]
    Store(#[from] inspector_store::StoreError),
    /// A thread or the runtime could not be started.
    #[error("the engine could not be started: {0}")]
    Start(#[source] std::io::Error),
    /// The agent's files could not be written.
    #[error("the agent could not be unpacked; make the folder writable: {path}: {source}")]
    Unpack {
        /// Where.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The server's command could not be run.
    #[error("the server could not be started: {program}: {source}")]
    Spawn {
        /// The program.
        program: String,
        /// Why.
        source: std::io::Error,
    },
}

impl EngineError {
    /// In words for whoever was asked for the passphrase in a window.
    pub fn why_still_locked(&self) -> String {
        match self {
            Self::Store(inspector_store::StoreError::WrongPassphrase { .. }) => {
                "This is not the passphrase that it was encrypted with".to_owned()
            }
            other => other.to_string(),
        }
    }
}
