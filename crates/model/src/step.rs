//! A step: one thing that happened on a server.

use serde::{Deserialize, Serialize};

use crate::limited::cut;
use crate::{ChangeCounts, SessionId, StepId, Suspect, ViewId};

/// What happened. djust's own words where it has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepKind {
    /// A view was mounted: the first state of its stream.
    Mount,
    /// A browser event ran a handler.
    Event,
    /// Another message of the browser: of an upload, a cursor, presence, or a request for the whole page.
    Message,
    /// `handle_tick`.
    Tick,
    /// A push from the server (`server_push`, a database notification, a broadcast).
    Push,
    /// Work started by `start_async` or `@background` finished.
    Async,
    /// `live_patch` or the browser's back button: `handle_params`.
    UrlChange,
    /// The inspector put a past state back.
    Jump,
    /// The inspector sent an event again.
    Replay,
    /// A session took in a changed template.
    HotReload,
    /// A session swapped the classes of its view, or refused to.
    Hvr,
    /// A file was saved: the cause of [`StepKind::HotReload`] and [`StepKind::Hvr`] steps. Belongs to no session.
    Reload,
    /// A message was dropped, or a page closed, by a rate limit.
    RateLimited,
    /// An error outside a handler.
    Error,
    /// The state changed between two steps, by something that is not a step. Found by the recorder.
    Outside,
    /// Something was lost: a slow inspector, a frame that could not be read, a server that was away.
    Gap,
    /// The page was closed.
    Close,
}

impl StepKind {
    /// All kinds, in the order of the timeline's lanes.
    pub const ALL: [Self; 17] = [
        Self::Mount,
        Self::Event,
        Self::Message,
        Self::Tick,
        Self::Push,
        Self::Async,
        Self::UrlChange,
        Self::Outside,
        Self::Jump,
        Self::Replay,
        Self::Reload,
        Self::HotReload,
        Self::Hvr,
        Self::RateLimited,
        Self::Error,
        Self::Gap,
        Self::Close,
    ];

    /// The word for filters and files: `url_change`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Mount => "mount",
            Self::Event => "event",
            Self::Message => "message",
            Self::Tick => "tick",
            Self::Push => "push",
            Self::Async => "async",
            Self::UrlChange => "url_change",
            Self::Jump => "jump",
            Self::Replay => "replay",
            Self::HotReload => "hot_reload",
            Self::Hvr => "hvr",
            Self::Reload => "reload",
            Self::RateLimited => "rate_limited",
            Self::Error => "error",
            Self::Outside => "outside",
            Self::Gap => "gap",
            Self::Close => "close",
        }
    }

    /// The words for people: `URL change`.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Mount => "Mount",
            Self::Event => "Event",
            Self::Message => "Message",
            Self::Tick => "Tick",
            Self::Push => "Push",
            Self::Async => "Async result",
            Self::UrlChange => "URL change",
            Self::Jump => "Jump",
            Self::Replay => "Replay",
            Self::HotReload => "Hot reload",
            Self::Hvr => "HVR",
            Self::Reload => "File saved",
            Self::RateLimited => "Rate limited",
            Self::Error => "Error",
            Self::Outside => "Outside change",
            Self::Gap => "Gap",
            Self::Close => "Page closed",
        }
    }
}

/// How a step ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// As it should.
    #[default]
    Ok,
    /// The handler raised. Its mutations stay, nothing is rendered.
    Raised,
    /// No such handler, or not allowed to call it.
    Refused,
    /// The parameters did not fit the handler's signature.
    Invalid,
    /// A rate limit dropped it.
    Limited,
    /// It failed outside the handler: at mount, in a render, in a reload.
    Failed,
}

impl Status {
    /// The word for filters and files.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Raised => "raised",
            Self::Refused => "refused",
            Self::Invalid => "invalid",
            Self::Limited => "limited",
            Self::Failed => "failed",
        }
    }
}

/// Which end of a step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The state that the step found.
    Before,
    /// The state that it left.
    #[default]
    After,
}

/// The summary of a step: what a table row and the timeline need. Details are asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Place in the recording.
    pub id: StepId,
    /// The agent's identity of it: equal when the same thing is delivered again.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub key: String,
    /// The page. `None` for what belongs to the whole server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
    /// The child view; `None` is the root view.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub view: Option<ViewId>,
    /// The component whose handler ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component: Option<String>,
    /// What happened.
    pub kind: StepKind,
    /// The handler, the file, the view: what a person calls it.
    pub name: String,
    /// When it began, Unix seconds.
    pub started: f64,
    /// How long it took, milliseconds. `None` where that means nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<f64>,
    /// How it ended.
    #[serde(default, skip_serializing_if = "is_default")]
    pub status: Status,
    /// One line about what went wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// How many changes from before to after.
    #[serde(default, skip_serializing_if = "is_default")]
    pub changes: ChangeCounts,
    /// The first changed paths (`cart.items`), at most [`Step::MAX_CHANGED_PATHS`].
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "crate::limited::deserialize_list")]
    pub changed: Vec<String>,
    /// Number of SQL queries.
    #[serde(default, skip_serializing_if = "is_default")]
    pub sql: u32,
    /// Number of log records.
    #[serde(default, skip_serializing_if = "is_default")]
    pub logs: u32,
    /// Number of frames.
    #[serde(default, skip_serializing_if = "is_default")]
    pub frames: u32,
    /// Size of the largest frame that came from the browser, bytes. 0 when none came.
    #[serde(default, skip_serializing_if = "is_default")]
    pub received: u32,
    /// Size of the state after it, bytes of JSON text. 0 when there is none.
    #[serde(default, skip_serializing_if = "is_default")]
    pub state_bytes: u64,
    /// Whether the page was rendered anew.
    #[serde(default, skip_serializing_if = "is_default")]
    pub rendered: bool,
    /// Taken from djust's own ring: it happened before the inspector attached.
    #[serde(default, skip_serializing_if = "is_default")]
    pub history: bool,
    /// Why it happened, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// The breakpoints' conditions that it made hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "crate::limited::deserialize_list")]
    pub hits: Vec<String>,
}

impl Step {
    /// How many changed paths a summary names.
    pub const MAX_CHANGED_PATHS: usize = 16;

    /// Cuts its texts to so many bytes, and its lists to so many elements. Each text says that it was cut.
    pub fn cut(&mut self, longest: usize, most: usize) {
        cut_all([&mut self.key, &mut self.name], longest);
        cut_all(self.component.iter_mut().chain(&mut self.error), longest);
        self.changed.truncate(most);
        self.hits.truncate(most);
        cut_all(self.changed.iter_mut().chain(&mut self.hits), longest);
        if let Some(cause) = &mut self.cause {
            cause.cut(longest, most);
        }
    }

    /// A step of which nothing more is known. Its id is the recorder's to give.
    pub fn new(kind: StepKind, name: &str, started: f64) -> Self {
        Self {
            id: StepId(0),
            key: String::new(),
            session: None,
            view: None,
            component: None,
            kind,
            name: name.to_owned(),
            started,
            duration_ms: None,
            status: Status::Ok,
            error: None,
            changes: ChangeCounts::default(),
            changed: Vec::new(),
            sql: 0,
            logs: 0,
            frames: 0,
            received: 0,
            state_bytes: 0,
            rendered: false,
            history: false,
            cause: None,
            hits: Vec::new(),
        }
    }

    /// Whether it has states to compare.
    pub const fn has_states(&self) -> bool {
        self.state_bytes > 0
    }

    /// Whether `other` belongs to the same view of the same page.
    pub fn same_stream(&self, other: &Self) -> bool {
        self.session.is_some() && self.session == other.session && self.view == other.view
    }
}

/// Why a step happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "because")]
pub enum Cause {
    /// The inspector jumped to this end of this step.
    Jump {
        /// The target.
        step: Option<StepId>,
        /// Which end of it.
        side: Side,
    },
    /// The inspector replayed this step.
    Replay {
        /// The step whose event was sent again.
        step: Option<StepId>,
        /// Whether the parameters were other ones.
        edited: bool,
    },
    /// The inspector sent the event.
    Dispatched,
    /// A saved file.
    Save {
        /// The file.
        file: String,
        /// `template`, `python` or `static`.
        file_kind: String,
        /// The reloaded module, for Python.
        module: Option<String>,
        /// Its view classes.
        #[serde(deserialize_with = "crate::limited::deserialize_list")]
        classes: Vec<String>,
    },
    /// What one session did about a saved file.
    Reloaded {
        /// The key of the [`StepKind::Reload`] step.
        reload: String,
        /// The file.
        file: String,
        /// `swapped`, `refused`, `patched`, `reloaded` or `nothing`.
        result: String,
        /// Why.
        reason: Option<String>,
    },
    /// A rate limit.
    Limit {
        /// WebSocket close code, when the page was closed.
        code: Option<u16>,
        /// In words.
        reason: String,
        /// `global`, `handler`, `upload` or `ip`.
        limit: Option<String>,
        /// Whose bucket.
        caller: Option<String>,
        /// Warnings so far.
        warnings: Option<u32>,
        /// Warnings until the page is closed.
        max_warnings: Option<u32>,
    },
    /// An earlier event started the work.
    Started {
        /// That event.
        by: String,
    },
    /// Nobody's step changed the state: who may have. Nobody was seen where it is empty.
    Outside {
        /// The most certain one first.
        #[serde(deserialize_with = "crate::limited::deserialize_list")]
        suspects: Vec<Suspect>,
    },
    /// Something was lost.
    Lost {
        /// How many frames, where known.
        dropped: Option<u64>,
        /// In words.
        why: String,
    },
}

impl Cause {
    /// Cuts its texts to so many bytes, and its lists to so many elements.
    pub fn cut(&mut self, longest: usize, most: usize) {
        match self {
            Self::Jump { .. } | Self::Replay { .. } | Self::Dispatched => {}
            Self::Save { file, file_kind, module, classes } => {
                cut(file, longest);
                cut(file_kind, longest);
                cut_all(module, longest);
                classes.truncate(most);
                cut_all(classes, longest);
            }
            Self::Reloaded { reload, file, result, reason } => {
                cut_all([reload, file, result], longest);
                cut_all(reason, longest);
            }
            Self::Limit { reason, limit, caller, .. } => {
                cut(reason, longest);
                cut_all(limit.iter_mut().chain(caller), longest);
            }
            Self::Started { by } => cut(by, longest),
            Self::Outside { suspects } => {
                suspects.truncate(most);
                for suspect in suspects {
                    suspect.cut(longest, most);
                }
            }
            Self::Lost { why, .. } => cut(why, longest),
        }
    }
}

fn cut_all<'a>(texts: impl IntoIterator<Item = &'a mut String>, longest: usize) {
    for text in texts {
        cut(text, longest);
    }
}

/// Everything about a step that its summary leaves out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct StepDetail {
    /// Parameters as typed values, JSON text.
    pub params: Option<String>,
    /// Parameters as the browser sent them, JSON text: what a replay sends.
    pub raw_params: Option<String>,
    /// djust's number of the request.
    pub reference: Option<i64>,
    /// Where the time went.
    pub timing: Option<Timing>,
    /// What went wrong.
    pub error: Option<ErrorDetail>,
    /// Queries, in order.
    #[serde(deserialize_with = "crate::limited::deserialize_list")]
    pub sql: Vec<SqlQuery>,
    /// Log records, in order.
    #[serde(deserialize_with = "crate::limited::deserialize_list")]
    pub logs: Vec<LogRecord>,
    /// WebSocket frames, in order.
    #[serde(deserialize_with = "crate::limited::deserialize_list")]
    pub frames: Vec<Frame>,
    /// Why a state is not there.
    pub missing: Option<String>,
}

/// Where a step's time went, milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Timing {
    /// In the handler.
    pub handler: Option<f64>,
    /// Rendering and comparing.
    pub render: Option<f64>,
}

/// An exception.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ErrorDetail {
    /// Class name.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its text.
    pub message: String,
    /// Python's traceback.
    pub traceback: Option<String>,
}

/// One database query.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SqlQuery {
    /// The statement, with placeholders.
    pub sql: String,
    /// Its parameters as text.
    pub params: Option<String>,
    /// Milliseconds.
    pub ms: f64,
    /// Unix seconds.
    pub at: f64,
    /// Database alias.
    pub db: Option<String>,
    /// Whether it was `executemany`.
    pub many: bool,
}

/// One log record.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LogRecord {
    /// `INFO`, `ERROR` …
    pub level: String,
    /// The logger's name.
    pub logger: String,
    /// The formatted message.
    pub message: String,
    /// Unix seconds.
    pub at: f64,
    /// Python's traceback.
    pub traceback: Option<String>,
}

/// One WebSocket frame between browser and server.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Frame {
    /// `in` from the browser, `out` to it.
    pub dir: String,
    /// Unix seconds.
    pub at: f64,
    /// True size; `text` may be cut.
    pub bytes: u64,
    /// The text.
    pub text: String,
}

pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
