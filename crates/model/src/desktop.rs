//! What a window asks of the desktop around it, over the same border as everything else.
//!
//! The engine knows no desktop: whoever hosts the window answers these before they reach it, the native program and the
//! installed app each in its own way.

use std::path::PathBuf;

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
    /// The user's answer to [`DesktopInfo::question`]. It is ignored when another question is asked by now. Answer: [`crate::Answer::Done`].
    Reply(DesktopQuestion, Reply),
    /// What to do with [`DesktopInfo::update`]. Answer: [`crate::Answer::Done`].
    Update(UpdateStep),
}

/// A question that the program around the window has for the user. One is asked at a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DesktopQuestion {
    /// The window is to be closed while something is recorded. [`Reply::Yes`] ends the recording and the program,
    /// [`Reply::Keep`] closes the window alone.
    Close,
    /// A link asks to attach to this server. The author of the page with the link is not the user. [`Reply::Yes`] attaches.
    Attach(String),
    /// The token of this server has worked. [`Reply::Yes`] keeps it in the system's keychain.
    Remember(String),
}

/// An answer to a [`DesktopQuestion`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// Do it.
    Yes,
    /// Close the window and go on recording in the tray. Only where [`DesktopInfo::tray`].
    Keep,
    /// Leave it.
    No,
}

/// A newer version of the program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Update {
    /// Its number.
    pub version: String,
    /// How far it is.
    pub state: UpdateState,
}

/// How far an [`Update`] is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UpdateState {
    /// It can be downloaded.
    Offered,
    /// It is being downloaded.
    Downloading {
        /// Bytes that are here.
        done: u64,
        /// Bytes of all of it; 0 when that is not known.
        of: u64,
    },
    /// It is downloaded and its signature is right. It is installed with a restart.
    Ready,
    /// It was not installed, and why.
    Failed(String),
}

/// What the user wants of an [`Update`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UpdateStep {
    /// Download it, or try again.
    Download,
    /// Install it and restart. What is being recorded ends.
    Restart,
    /// Not in this run of the program.
    Dismiss,
}

/// Files that are dragged over the window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Drag {
    /// These are over it.
    Over(Vec<PathBuf>),
    /// They have left it.
    Left,
    /// They were dropped on it, and the window may open them.
    Dropped(Vec<PathBuf>),
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
    /// A tray icon can be seen: the program can go on recording without a window.
    pub tray: bool,
    /// The command of the server that this program started. That server ends with the program.
    pub server: Option<String>,
    /// The file that the program writes its log to.
    pub log: Option<PathBuf>,
    /// What the user is asked.
    pub question: Option<DesktopQuestion>,
    /// A newer version of the program.
    pub update: Option<Update>,
}
