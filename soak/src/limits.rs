//! What may grow, and by how much. Written before anything was measured.
//!
//! The inspector keeps the summary of each step in memory, in columns, and what is known of each page; nothing else may grow
//! with what it has recorded. The agent may keep nothing of a page that is gone, nor of an event that was sent, but for its
//! backlog of 32 MiB, which is filled before anything is measured.

/// Bytes of memory that the inspector may keep for each step.
pub const INSPECTOR_PER_STEP: f64 = 160.0;

/// The same for each page that was ever seen, beside its steps.
pub const INSPECTOR_PER_PAGE: f64 = 2_048.0;

/// Bytes of the database's cache. Small pages fill it within some fifty thousand of them, later than the warm-up of a run of minutes ends:
/// as much may come to what pages take.
pub const INSPECTOR_CACHE: f64 = 33_554_432.0;

/// Bytes of memory that the server may keep for each event.
pub const SERVER_PER_EVENT: f64 = 64.0;

/// The same for each page that is gone, beyond what djust itself keeps of it.
pub const SERVER_PER_PAGE: f64 = 1_024.0;

/// The part of a run in which caches fill and is left out.
pub const WARM_UP: f64 = 0.4;
