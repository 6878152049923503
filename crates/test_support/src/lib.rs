//! Real servers and real browsers for tests.
//!
//! [`DjustServer`] runs a copy of `tests/project` with a chosen djust and a chosen server program, [`Browser`] is a headless
//! Chromium that is clicked with real mouse events, and [`wait_until`] waits for a condition with a deadline. Everything that is
//! started here is killed, with all its children, when its value is dropped.
//!
//! This crate knows nothing of the inspector: it is what the inspector is tested against. Start at [`DjustServer::start`].

mod behind;
mod browser;
mod cdp;
mod error;
#[cfg(feature = "documents")]
mod harmless;
mod http;
mod page;
mod paths;
mod process;
mod project;
#[cfg(feature = "pictures")]
mod raster;
mod server;
mod waiting;

pub use behind::{Certificate, Nginx, Redis};
pub use browser::{Browser, BrowserContext};
pub use error::TestError;
#[cfg(feature = "documents")]
pub use harmless::what_acts;
pub use http::HttpAnswer;
pub use page::{Page, test_id};
pub use paths::{chromium, inject_dir, project_dir, venv, workspace_root};
pub use process::{Output, ProcessGroup};
#[cfg(feature = "pictures")]
pub use raster::{Raster, SAME_PICTURE};
pub use server::{AgentMode, DjustServer, Flavour, ServerOptions};
pub use waiting::wait_until;

/// The djust versions that the project promises to work with, oldest first.
pub const DJUST_VERSIONS: [&str; 3] = ["1.0.12", "1.1.9", "1.2.6"];

/// How long a single step of a page or a server may take before a test gives up on it.
///
/// Generous, because several test processes share few cores; a condition that holds is noticed within milliseconds.
pub const STEP_DEADLINE: std::time::Duration = std::time::Duration::from_secs(30);
