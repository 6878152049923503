//! The engine: attaches to servers, records, runs commands, answers queries. Each [`Window`] on it is an
//! [`inspector_model::Handle`], all that a window or a script needs.
//!
//! It must not know how anything is drawn. Threads: `engine` (tokio, sockets and commands), one `recorder` per attached
//! server (the only writer of its recording) and tokio's blocking pool for queries. Every channel is bounded; nothing here
//! waits for a window. Start with [`Engine`], then `attachment` (the socket), `intake` (frames become steps), `commands` and `travel`
//! (what a page is told to do, and where it is put).

mod agent_files;
mod attachment;
mod breakpoints;
mod commands;
mod compare;
mod costs;
mod discovery;
mod engine;
mod error;
mod handlers;
mod intake;
mod log;
mod outbox;
mod places;
mod queries;
mod queue;
mod runtime;
mod source;
mod supervise;
mod tls;
mod travel;
mod values;
mod work;

#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;

pub use agent_files::unpack_agent;
pub use attachment::Target;
pub use discovery::{discovery_dir, found_servers};
pub use engine::{Engine, KEEP_SETTING, MADE_PRIVATE, SEALED, Settings};
pub use error::EngineError;
pub use log::begin_log;
pub use outbox::Window;
pub use places::{Places, PlacesError};
pub use supervise::{Child, NEW_PASSPHRASE_VARIABLE, PASSPHRASE_VARIABLE, passphrase_from, supervise};

pub use inspector_store::private;

/// Unix time now, seconds. The one clock of the engine.
pub(crate) fn now() -> f64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}
