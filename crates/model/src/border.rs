//! The border of the engine: what a window asks for, and what it is told.
//!
//! Everything that is drawn lives on this side of it. A [`Request`] is a question or a command and gets exactly one
//! [`Answer`] by its id; a [`Notice`] comes unasked. [`Handle`] is all that a window knows of the engine, whether that
//! runs in the same process or behind Tauri.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{
    Access, AssignCosts, AttachOptions, Block, Breakpoint, Comparison, Configuration, DesktopInfo, DesktopRequest, Diff, Drag,
    ExportOptions, ExportPreview, Found, Holder, Ignore, PairStates, Path, PathHistory, PathValue, Phase, Rate, RecordingId, RequestId,
    Scope, SearchOptions, Secret, ServerInfo, Session, SessionId, Side, SourceEnd, SourceId, SourceStream, Step, StepDetail, StepId, Steps,
    Stream, ValueAt, View, ViewId, WorkId,
};

/// The engine, seen from the window. Neither call ever waits.
pub trait Handle {
    /// Sends a request. `false` when the engine has ended or is too far behind: the request was not taken.
    fn send(&self, id: RequestId, request: Request) -> bool;

    /// Takes what has happened since the last call, at most `max_steps` steps of it. `true` when there is more.
    fn drain(&self, max_steps: usize, into: &mut Vec<Notice>) -> bool;

    /// Sets what is called, from any thread, when [`Handle::drain`] would find something.
    fn set_waker(&self, waker: Box<dyn Fn() + Send + Sync>);
}

/// What a page is told instead of being connected while the library's passphrase is not known.
pub const LOCKED: &str = "locked";

/// A question or a command.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// Attach to a server and record it. Answer: [`Answer::Opened`].
    Attach {
        /// `http://…` or `https://…`, with the WebSocket path if it is not `/ws/live/`.
        url: String,
        /// The agent's token.
        token: String,
        /// What is asked for.
        options: AttachOptions,
    },
    /// Attach to a server that was found on this machine. Answer: [`Answer::Opened`].
    AttachFound {
        /// Its process id.
        pid: u32,
    },
    /// Open a recording of the library. Answer: [`Answer::Opened`].
    OpenRecording(RecordingId),
    /// Open a recording file or a bug capture of djust: it is imported into the library first, and what is there already is
    /// opened. Answer: [`Answer::Opened`].
    OpenFile(std::path::PathBuf),
    /// The same with an encrypted file. Answer: [`Answer::Opened`].
    OpenSealed {
        /// The file.
        path: std::path::PathBuf,
        /// What it was encrypted with.
        passphrase: Secret,
    },
    /// The same with the text of a bug capture, or djust's address of one ([`crate::find_bug_capture`]). Answer: [`Answer::Opened`].
    OpenText(String),
    /// Stop long work. What it has half done is removed; the request that it does fails with [`ErrorCode::Cancelled`].
    /// Answer: [`Answer::Done`].
    Cancel(WorkId),
    /// Detach from a server, or close a recording. What was recorded stays in the library. Answer: [`Answer::Done`].
    Close(SourceId),
    /// Delete a recording from the library, so that nothing of it can be read any more. Answer: [`Answer::Done`].
    DeleteRecording(RecordingId),
    /// Say whether a recording stays however old it is. Answer: [`Answer::Done`].
    KeepRecording(RecordingId, bool),
    /// Keep the library under a passphrase, or under none. Answer: [`Answer::Done`]; a [`Notice::Encrypted`] follows.
    SetPassphrase {
        /// The one that it has.
        now: Option<Secret>,
        /// The one that it gets.
        new: Option<Secret>,
    },
    /// Everything about a step. Answer: [`Answer::Detail`].
    Detail {
        /// Where.
        source: SourceId,
        /// Which.
        step: StepId,
    },
    /// One end of a step. Answer: [`Answer::State`].
    State {
        /// Where.
        source: SourceId,
        /// Which.
        step: StepId,
        /// Which end.
        side: Side,
    },
    /// What differs between two ends of steps, of one view or of two, also of two sources. Answer: [`Answer::Diff`].
    Diff {
        /// From.
        from: SourceEnd,
        /// To.
        to: SourceEnd,
    },
    /// When the value at a path of a state changed. Answer: [`Answer::History`].
    History {
        /// Where.
        source: SourceId,
        /// The step in whose state the path stands.
        step: StepId,
        /// At which end of it.
        side: Side,
        /// The path.
        path: Path,
        /// Whose states.
        scope: Scope,
    },
    /// Single values at single moments, the beginning of each only. Answer: [`Answer::Values`], in their order.
    Values {
        /// Where.
        source: SourceId,
        /// Which.
        of: Vec<ValueAt>,
    },
    /// The whole history of a value of one view in short, for a small picture: as many of its changes and values as can be told
    /// apart there, spread evenly. Answer: [`Answer::History`].
    ShortHistory {
        /// Where.
        source: SourceId,
        /// The page and its view.
        stream: Stream,
        /// In what the path stands.
        holder: Holder,
        /// The path, rows by their identity.
        path: Path,
    },
    /// What each assign of a state costs. Looks for some ten milliseconds, at one assign at least; whoever wants more asks on from
    /// where the answer says. Answer: [`Answer::Costs`].
    Costs {
        /// Where.
        source: SourceId,
        /// Of which state.
        step: StepId,
        /// At which end.
        side: Side,
        /// From which assign on.
        from: u32,
    },
    /// Where a text is in values and paths. Looks for some ten milliseconds; whoever wants more asks on from where the answer
    /// says, and who has seen enough asks no more. Answer: [`Answer::Found`].
    Search {
        /// Where.
        source: SourceId,
        /// What to look for.
        options: SearchOptions,
        /// From which step on.
        from: StepId,
    },
    /// Mark a step, with a note that may be empty; without one take its mark away. It stays with the recording. Answer: [`Answer::Done`].
    Mark {
        /// Where.
        source: SourceId,
        /// Which.
        step: StepId,
        /// The note.
        note: Option<String>,
    },
    /// Set the conditions that watch every state from now on, in place of those that did. Answer: [`Answer::Done`]; a
    /// [`Notice::Breakpoints`] follows.
    Breakpoints(Vec<Breakpoint>),
    /// Say how much is kept of recordings from now on. Answer: [`Answer::Done`]; a [`Notice::Keep`] follows.
    Keep(Keep),
    /// The page's HTML at one end of a step. Answer: [`Answer::Html`].
    Html {
        /// Where.
        source: SourceId,
        /// Which.
        step: StepId,
        /// Which end.
        side: Side,
    },
    /// Say what a jump would leave as it is, without changing anything. Answer: [`Answer::JumpPreview`].
    PreviewJump {
        /// Where.
        source: SourceId,
        /// To which end of which step.
        target: JumpTarget,
        /// Only this component's fields.
        component: Option<String>,
    },
    /// Put a live page back. Answer: [`Answer::Command`].
    Jump {
        /// Where.
        source: SourceId,
        /// To which end of which step.
        target: JumpTarget,
        /// Only this component's fields.
        component: Option<String>,
    },
    /// Put the page to the state that it had before the first jump, or the first replay that put another one back. Answer: [`Answer::Command`].
    ReturnToLive {
        /// Where.
        source: SourceId,
        /// Which page.
        session: SessionId,
        /// Which view of it.
        view: Option<ViewId>,
    },
    /// Send a step's event again, from the state that it began with. Answer: [`Answer::Command`].
    Replay {
        /// Where.
        source: SourceId,
        /// Which event.
        step: StepId,
        /// Other parameters, a JSON object; `None` for the recorded ones.
        params: Option<String>,
        /// Put the state before the step back first.
        restore: bool,
    },
    /// Send any event to a view or component. Answer: [`Answer::Command`].
    Dispatch {
        /// Where.
        source: SourceId,
        /// To which page.
        session: SessionId,
        /// Which view of it.
        view: Option<ViewId>,
        /// Which component.
        component: Option<String>,
        /// Handler.
        event: String,
        /// A JSON object.
        params: String,
    },
    /// What djust's own ring holds now. Answer: [`Answer::Ring`].
    Ring {
        /// Where.
        source: SourceId,
        /// Which page.
        session: SessionId,
        /// Which view of it.
        view: Option<ViewId>,
    },
    /// Stop or restart a view's ticks. Answer: [`Answer::Command`].
    Ticks {
        /// Where.
        source: SourceId,
        /// Which page.
        session: SessionId,
        /// Which view of it.
        view: Option<ViewId>,
        /// Stop them.
        paused: bool,
    },
    /// Let an address connect again. Answer: [`Answer::Command`].
    LiftCooldown {
        /// Where.
        source: SourceId,
        /// The page whose address it is.
        session: SessionId,
    },
    /// Something that the program around the window does, not the engine.
    Desktop(DesktopRequest),
    /// Put the steps of two views beside each other. Answer: [`Answer::Compared`].
    Compare {
        /// One.
        left: SourceStream,
        /// The other.
        right: SourceStream,
    },
    /// What differs between the states after the steps of pairs. Looks for some ten milliseconds, at one pair at least; whoever
    /// wants more asks on with the pairs that are left. Answer: [`Answer::ComparedStates`].
    CompareStates {
        /// Where the left steps are.
        left: SourceId,
        /// Where the right steps are.
        right: SourceId,
        /// The pairs.
        pairs: Vec<(StepId, StepId)>,
        /// What is expected to differ.
        ignore: Ignore,
    },
    /// Say what an export would hold and keep back. Answer: [`Answer::ExportPreview`].
    PreviewExport {
        /// Of which recording.
        recording: RecordingId,
        /// What of it, and as what.
        options: ExportOptions,
    },
    /// Write a recording, or some of its steps, to a file, which is replaced if there is one. Answer: [`Answer::Done`].
    Export {
        /// Which.
        recording: RecordingId,
        /// What of it, and as what.
        options: ExportOptions,
        /// Where to.
        path: std::path::PathBuf,
    },
}

/// Where a jump goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JumpTarget {
    /// The step.
    pub step: StepId,
    /// Which end of it.
    pub side: Side,
}

/// The answer to one request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// A server or a recording is a source now. Its notices follow.
    Opened(SourceId),
    /// Done; the text says what.
    Done(String),
    /// Everything about a step.
    Detail(Box<StepDetail>),
    /// A state.
    State(StateAnswer),
    /// A diff.
    Diff(Box<Diff>),
    /// When a path changed.
    History(PathHistory),
    /// What assigns cost.
    Costs(AssignCosts),
    /// Single values.
    Values(Vec<PathValue>),
    /// Hits of a search.
    Found(Found),
    /// HTML of the page, if a render was seen.
    Html(Option<String>),
    /// djust's ring, as JSON text.
    Ring(String),
    /// The server did it.
    Command(CommandDone),
    /// What a jump would leave as it is.
    JumpPreview(Box<JumpPreview>),
    /// The file that the user chose. `None` when they changed their mind.
    Picked(Option<std::path::PathBuf>),
    /// It was not done.
    Failed(Failure),
    /// Two views beside each other.
    Compared(Box<Comparison>),
    /// The first of the pairs that were asked about, in their order.
    ComparedStates(Vec<PairStates>),
    /// What an export would hold and keep back.
    ExportPreview(Box<ExportPreview>),
}

/// A state, or why there is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StateAnswer {
    /// JSON text of typed values.
    Full(Arc<str>),
    /// The reason, for people.
    Missing(String),
}

/// What a command did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandDone {
    /// In words.
    pub message: String,
    /// What could not be put back.
    pub not_restored: Vec<NotRestored>,
    /// How the handler ended, for a replayed or dispatched event that did not end well.
    pub trouble: Option<String>,
}

/// What a jump would come to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JumpPreview {
    /// What the page would not get back, as the jump itself would report it.
    pub not_restored: Vec<NotRestored>,
    /// The nearest step whose state, after it, can be put back whole.
    pub whole: Option<StepId>,
    /// Why this is told from the recording only, where the server could not be asked.
    pub unasked: Option<String>,
}

/// An assign that a jump left as it was.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotRestored {
    /// Which.
    pub path: String,
    /// Why.
    pub why: String,
}

/// Why something was not done: what happened, why, what to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// For decisions of a program.
    pub code: ErrorCode,
    /// One sentence without full stop.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

/// Failures that a program decides by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// No live server behind this source.
    NotAttached,
    /// No such source, session, view or step.
    NotFound,
    /// The state or HTML was not recorded.
    Missing,
    /// The server said no.
    ServerRefused,
    /// The server did not answer in time.
    Timeout,
    /// One command at a time per page.
    Busy,
    /// The recording is of a newer format.
    RecordingTooNew,
    /// The file is no recording, or damaged at its beginning.
    RecordingDamaged,
    /// Another process has the library.
    StoreLocked,
    /// Reading or writing failed.
    Io,
    /// The request makes no sense as it is.
    BadRequest,
    /// A finished export still held a secret and was removed.
    Leak,
    /// Somebody stopped it.
    Cancelled,
    /// It is encrypted, and the passphrase was not given, or is another one.
    PassphraseNeeded,
}

/// How much is kept of recordings. Beyond it their middles are thinned: what changed stays, whole states go, but not those of steps
/// that went wrong, were slow, or are marked.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Keep {
    /// Bytes of one recording.
    pub recording_bytes: u64,
    /// Bytes of all of them.
    pub library_bytes: u64,
    /// From so many milliseconds on a step is slow.
    pub slow_ms: f64,
    /// After so many days without a new step a recording is deleted, unless it is kept, has bookmarks, or is open; 0: never.
    #[serde(default)]
    pub expire_days: u32,
}

impl Keep {
    /// The most that [`Keep::expire_days`] can be: a century.
    pub const MOST_DAYS: u32 = 36_500;
}

impl Default for Keep {
    fn default() -> Self {
        Self { recording_bytes: 1 << 30, library_bytes: 8 << 30, slow_ms: 250.0, expire_days: 0 }
    }
}

/// What is told unasked. Every variant but [`Notice::Steps`] replaces what was told before about the same thing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Notice {
    /// A source is there, or changed.
    Source(Box<Source>),
    /// A source is gone.
    SourceClosed(SourceId),
    /// A page is there, or changed.
    Session(SourceId, Box<Session>),
    /// New steps, in order, without a gap to the last ones.
    Steps(SourceId, Vec<Arc<Block>>),
    /// Rate-limit levels of a page.
    Rate(SourceId, SessionId, Box<Rate>),
    /// The server's configuration.
    Config(SourceId, Box<Configuration>),
    /// Where a page stands.
    Cursor(SourceId, SessionId, RemoteCursor),
    /// The marked steps of a source, with their notes.
    Marks(SourceId, BTreeMap<StepId, String>),
    /// How much is kept of recordings.
    Keep(Keep),
    /// Whether the library is kept under a passphrase.
    Encrypted(bool),
    /// The conditions that watch every state.
    Breakpoints(Vec<Breakpoint>),
    /// The library.
    Recordings(Vec<RecordingInfo>),
    /// Servers on this machine.
    Found(Vec<FoundServer>),
    /// The long work that is under way, the oldest first. What ended is not in it; what takes no time never is.
    Work(Vec<Work>),
    /// What the desktop around the window can do.
    Desktop(Box<DesktopInfo>),
    /// Look at this source now: it was opened from outside the window, by a second start, a link, or the tray.
    Show(SourceId),
    /// Look at this step now: the user clicked on what was told of it outside the window.
    ShowStep(SourceId, StepId),
    /// Files are dragged over the window, or were dropped on it.
    Drag(Drag),
    /// The answer to a request.
    Answer(RequestId, Answer),
    /// Something for people to know, now.
    Message(Level, String),
}

/// Work of the engine that takes long, whichever window asked for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Work {
    /// For [`Request::Cancel`].
    pub id: WorkId,
    /// What is done, for people: `Exporting shop`.
    pub words: String,
    /// How much of [`Work::of`] is done. Never less than before.
    pub done: u64,
    /// How much there is; 0 when that is not known.
    pub of: u64,
    /// The request of this window that it does. `None` for another window's, and for what nobody asked for.
    pub request: Option<RequestId>,
}

/// How loud a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Good to know.
    Info,
    /// Something is not as it should be.
    Warning,
    /// Something was lost or not done.
    Error,
}

/// Where the live page stands. Moves only when the server has confirmed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RemoteCursor {
    /// Where its own events left it.
    #[default]
    Live,
    /// A jump was sent and not yet answered.
    Jumping(JumpTarget),
    /// The inspector put it here, and nothing has happened since.
    At(JumpTarget),
    /// The connection was lost while it was jumping.
    Unknown,
}

/// An attached server or an opened recording.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Source {
    /// Its number in this run.
    pub id: SourceId,
    /// What it is.
    pub kind: SourceKind,
    /// How it is connected.
    pub state: SourceState,
    /// For people: project and address, or the recording's title.
    pub title: String,
    /// The server, as far as known.
    pub server: Option<ServerInfo>,
    /// What the server allows, once attached.
    pub access: Option<Access>,
    /// What is being written, or was.
    pub recorder: RecorderStatus,
}

/// What a source is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceKind {
    /// A running server.
    Live {
        /// Its address.
        url: String,
    },
    /// A recording.
    Recording,
}

/// How a source is connected.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceState {
    /// Trying for the first time.
    Connecting,
    /// Connected.
    Attached,
    /// The connection broke; trying again.
    Lost {
        /// Unix seconds.
        since: f64,
        /// Tries so far.
        attempt: u32,
        /// Why the last one failed.
        why: String,
    },
    /// Over: detached, refused, or the server ended for good.
    Ended {
        /// Why.
        reason: String,
    },
    /// A recording: nothing to connect to.
    Replaying,
}

/// What the recorder has done.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RecorderStatus {
    /// The recording in the library.
    pub recording: Option<RecordingId>,
    /// When it began, Unix seconds.
    pub started: f64,
    /// Steps in it.
    pub steps: u64,
    /// Bytes on disk, about.
    pub bytes: u64,
    /// Frames that were lost on the way.
    pub dropped: u64,
    /// Why recording stopped, if it did.
    pub stopped: Option<String>,
    /// Why nothing is recorded for the time being, if so.
    #[serde(default)]
    pub paused: Option<String>,
    /// Why the recording could be read only in part, if so.
    pub damaged: Option<String>,
    /// The first and last step between which states were dropped to stay within what is kept.
    #[serde(default)]
    pub thinned: Option<(StepId, StepId)>,
}

/// A recording in the library.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecordingInfo {
    /// Its id.
    pub id: RecordingId,
    /// For people.
    pub title: String,
    /// When it began, Unix seconds.
    pub started: f64,
    /// When the last step was written, Unix seconds.
    pub ended: f64,
    /// Steps in it.
    pub steps: u64,
    /// Bytes stored.
    pub bytes: u64,
    /// Pages in it.
    pub sessions: u32,
    /// Version of djust it was made with.
    pub djust: String,
    /// Version of the format.
    pub format: u32,
    /// Whether a recorder still writes to it.
    #[serde(default)]
    pub recording: bool,
    /// Whether it stays however old it is.
    #[serde(default)]
    pub kept: bool,
}

/// A server with an agent on this machine.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FoundServer {
    /// Process id.
    pub pid: u32,
    /// Address.
    pub url: String,
    /// Project's name.
    pub project: String,
    /// Working directory.
    pub cwd: String,
    /// Version of djust.
    pub djust: String,
    /// `settings.DEBUG`.
    pub debug: bool,
    /// When it began, Unix seconds.
    pub started: f64,
}

impl Notice {
    /// Steps as a notice.
    pub fn steps(source: SourceId, steps: impl IntoIterator<Item = Step>) -> Self {
        let steps: Steps = steps.into_iter().collect();
        Self::Steps(source, steps.since(0, usize::MAX))
    }
}

impl Work {
    /// How much is done, from 0 to 1; `None` when that is not known.
    pub fn part(&self) -> Option<f32> {
        (self.of > 0).then(|| (self.done as f32 / self.of as f32).clamp(0.0, 1.0))
    }
}

impl Source {
    /// An opened recording of which nothing but its title is known yet.
    pub fn recording(id: SourceId, title: impl Into<String>) -> Self {
        Self {
            id,
            kind: SourceKind::Recording,
            state: SourceState::Replaying,
            title: title.into(),
            server: None,
            access: None,
            recorder: RecorderStatus::default(),
        }
    }

    /// Whether commands can be sent now.
    pub const fn is_attached(&self) -> bool {
        matches!(self.state, SourceState::Attached)
    }

    /// Why nothing can be changed on its server, and what to do about it; `None` where it can be, or where its agent has not said.
    pub fn read_only(&self) -> Option<String> {
        self.access.as_ref()?.read_only()
    }
}

impl Session {
    /// A view of the page: a child by its id, or the root view.
    pub fn view_of(&self, view: Option<&ViewId>) -> Option<&View> {
        match view {
            None => self.view.as_ref(),
            Some(id) => self.children.iter().find(|child| child.id.as_deref() == Some(id.as_str())),
        }
    }

    /// All views of the page, the root view first.
    pub fn views(&self) -> impl Iterator<Item = &View> {
        self.view.iter().chain(&self.children)
    }

    /// The user's name, or what stands for nobody's.
    pub fn user_name(&self) -> &str {
        self.user.as_deref().unwrap_or("anonymous")
    }

    /// Whether the page is still open.
    pub fn is_open(&self) -> bool {
        self.phase != Phase::Closed
    }
}

impl Failure {
    /// A failure without a hint.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: None }
    }

    /// Adds what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
