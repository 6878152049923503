//! Recorded pages as documents that can be looked at and do nothing.
//!
//! A recording is hostile input, and a page is the most powerful part of it. [`document`] reads a recorded page with a
//! conforming tokenizer and writes a new document from what is on its lists of elements and attributes: nothing is copied through.
//! What it writes has no script, no handler, no address that leaves, and a content security policy besides; whoever shows it
//! puts it into a sandboxed frame on top of that ([`frame_page`]). Each of the three is enough alone.
//!
//! Pure: no IO. Two hosts use it: the installed app serves the documents to a webview, the native program writes them to a
//! file for the user's browser. Time and memory are linear in the page, whatever it contains; above [`MAX_BYTES`] a page is cut and says so.

mod changed;
mod css;
mod frame;
mod lists;
mod policy;
mod rewrite;
mod tags;

pub use frame::{Content, Pane, Title, frame_page};
pub use policy::content_security_policy;
pub use rewrite::{document, is_cut};

/// How a page is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Let the document ask the recorded server for its own static files: those in the folders of the recorded stylesheets.
    /// Without effect when [`inspector_model::RecordedPage::server`] is `None` or no stylesheet was recorded.
    pub static_files: bool,
    /// Draw an outline around what the step changed.
    pub outline: bool,
}

/// How much of a page is shown, shell and live part together. More is cut at its end, with a line that says so: a browser that
/// lays out more than this is of no use to anybody.
pub const MAX_BYTES: usize = 16 << 20;
