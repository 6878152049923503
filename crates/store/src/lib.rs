//! Recordings: what was seen of a server, kept in a sled database and in files of their own.
//!
//! The only crate that knows sled. A [`Store`] is the library of one user; one [`Recorder`] appends to a recording,
//! any number of [`Reader`]s read it, also while it grows. A recording is cut into segments that can be read alone: each
//! begins with whole texts and goes on with what changed (`segment.rs`, `splice.rs`). Segments and step summaries are
//! byte streams, cut into compressed pieces of at most 64 KB (`piece.rs`), each sealed with its recording's key (`database.rs`, `keys.rs`).
//! `docs/RECORDING_FORMAT.md` has the bytes.
//!
//! What comes from a file is not trusted: sizes are limited, checksums compared, and damage is an answer.

mod cache;
mod convert;
mod cursor;
mod database;
mod descriptions;
mod disk;
mod error;
mod expiry;
mod file;
mod guard;
mod history;
mod import;
mod index;
mod key;
mod keys;
mod library;
mod marks;
mod opening;
mod piece;
pub mod private;
mod reader;
mod rebuild;
mod recorder;
mod seal;
mod sealed_file;
mod search;
mod segment;
mod segment_writer;
mod shell;
mod source;
mod splice;
mod summaries;
mod thin;
mod trouble;
pub mod waiting;
mod wire;
mod witness;
mod writer;

#[cfg(test)]
mod hostile;

pub use cursor::StateCursor;
#[cfg(feature = "simulation")]
pub use disk::simulation;
pub use error::{ReadOnly, StoreError};
pub use file::{Imported, read_file, read_file_watched, read_file_with};
pub use guard::Access;
pub use history::glimpse;
pub use index::LogOp;
pub use library::Store;
pub use marks::LONGEST_NOTE;
pub use opening::{Missing, OpenReport, Opening};
pub use reader::Reader;
pub use recorder::{NewState, NewStep, Recorder, RecorderStats};
pub use sealed_file::seal_file;
pub use search::{LoggedChange, Search};
pub use thin::{Retention, Thinned};

/// Is told how much of how much is done, and says whether to go on.
pub type Progress<'a> = &'a dyn Fn(u64, u64) -> bool;

/// The version of the format that this program writes, and the newest that it reads.
pub const FORMAT: u32 = 2;
