//! Everything that is drawn, for the native window and for WebAssembly.
//!
//! The window knows the engine only through [`inspector_model::Handle`]: it folds notices into timelines, asks for the
//! details of what is looked at, and sends commands. It does no IO of its own; what needs the desktop is asked over
//! the same border. Start with [`InspectorApp`]: `logic` takes in and decides, `ui` draws.

mod app;
mod commands;
mod filter;
mod format;
mod panels;
mod theme;
#[cfg(any(feature = "native", all(feature = "web", target_arch = "wasm32")))]
mod unlock;
mod views;
mod widgets;

#[cfg(any(test, all(feature = "web", target_arch = "wasm32")))]
mod accessible;
#[cfg(feature = "native")]
mod native;
#[cfg(all(feature = "web", target_arch = "wasm32"))]
pub mod web;

pub use app::InspectorApp;
pub use app::startup::{Memory, Startup, ThemeChoice};
pub use filter::Filter;
#[cfg(feature = "native")]
pub use native::{NativeError, ask_passphrase, run_native};
