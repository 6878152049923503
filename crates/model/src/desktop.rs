//! What a window asks of the desktop around it, over the same border as everything else.
//!
//! The engine knows no desktop: whoever hosts the window answers these before they reach it, the native program and the
//! installed app each in its own way.

use serde::{Deserialize, Serialize};

use crate::{Side, SourceId, StepId};

/// Something that only the program around the window can do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DesktopRequest {
    /// Show the page as it was at a step: in a window of its own, or in the user's browser. Answer: [`crate::Answer::Done`].
    ShowPage(PageAt),
    /// The selection moved: page windows that follow it show this now. Asked only where [`DesktopInfo::page_windows`].
    /// Answer: [`crate::Answer::Done`].
    FollowPage(PageAt),
    /// Ask for a recording file. Answer: [`crate::Answer::Picked`].
    PickFileToOpen,
    /// Ask where to write a file. Answer: [`crate::Answer::Picked`].
    PickFileToSave {
        /// Its name to begin with.
        suggested: String,
    },
    /// Change what the desktop does on its own. Answer: [`crate::Answer::Done`]; a [`crate::Notice::Desktop`] follows.
    Set(DesktopSetting),
}

/// Which page: the one of a step's session, at one end of the step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PageAt {
    /// Where.
    pub source: SourceId,
    /// Which step.
    pub step: StepId,
    /// Which end of it.
    pub side: Side,
    /// Both ends beside each other.
    pub compare: bool,
}

/// A thing of the desktop that can be switched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DesktopSetting {
    /// Tell of this kind of event with a desktop notification.
    Notify(NotifyAbout, bool),
    /// Start with the session.
    Autostart(bool),
    /// Let page windows ask the recorded server for its static files.
    StaticFiles(bool),
}

/// What desktop notifications may be about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotifyAbout {
    /// A handler raised.
    Errors,
    /// Hot View Replacement refused to swap.
    RefusedSwaps,
    /// A page was closed with 4429: too many messages.
    RateLimitCloses,
    /// A breakpoint's condition began to hold.
    Breakpoints,
}

/// What the desktop around this window can do, and how it is set. All off: a window without a desktop.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DesktopInfo {
    /// [`DesktopRequest::ShowPage`] works; in words, where it shows: `a window` or `your browser`.
    pub shows_pages: Option<String>,
    /// Pages are shown in windows of their own that can follow the selection.
    pub page_windows: bool,
    /// Files are picked with the desktop's own dialogs.
    pub dialogs: bool,
    /// Kinds of notifications that are on; `None` where the desktop has none.
    pub notifications: Option<Vec<NotifyAbout>>,
    /// A server's token may be left out: it is looked for in the system's keychain.
    pub keychain: bool,
    /// Starts with the session; `None` where that cannot be.
    pub autostart: Option<bool>,
    /// Page windows may ask the recorded server for static files; `None` where they cannot.
    pub static_files: Option<bool>,
}
