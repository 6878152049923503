//! Questions about a recording as a whole: when a path changed, and where a text is.

use serde::{Deserialize, Serialize};

use crate::{Path, SessionId, Side, StepId, Stream, ViewId};

/// Whose steps or states are meant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Those of all views of all pages.
    #[default]
    Everywhere,
    /// Those of all views of one page.
    Session(SessionId),
    /// Those of one view; `None` is the root view.
    View(SessionId, Option<ViewId>),
}

impl Scope {
    /// Whether a view of a page is meant.
    pub fn has(&self, session: Option<&SessionId>, view: Option<&ViewId>) -> bool {
        match self {
            Self::Everywhere => true,
            Self::Session(wanted) => session == Some(wanted),
            Self::View(wanted, wanted_view) => session == Some(wanted) && view == wanted_view.as_ref(),
        }
    }
}

/// What to look for in the values that states took, and in the paths that changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchOptions {
    /// The text.
    pub text: String,
    /// Whether `A` is another letter than `a`.
    pub case_sensitive: bool,
    /// Look in values.
    pub values: bool,
    /// Look in paths.
    pub paths: bool,
    /// Whose states.
    pub scope: Scope,
    /// So many hits are enough.
    pub most: usize,
}

impl Default for SearchOptions {
    fn default() -> Self {
        Self { text: String::new(), case_sensitive: false, values: true, paths: true, scope: Scope::Everywhere, most: 10_000 }
    }
}

/// One place where it was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hit {
    /// The step in which the value came.
    pub step: StepId,
    /// Whose state.
    pub session: Option<SessionId>,
    /// Which view.
    pub view: Option<ViewId>,
    /// The path, rows by their identity: `todos[=7].done`. Empty for the whole of a view's first state.
    pub path: String,
    /// Whether the path has it, and not the value.
    pub in_path: bool,
    /// The value around it, as JSON.
    pub value: String,
}

/// A part of a search's answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// What was found in this part, in order.
    pub hits: Vec<Hit>,
    /// Where to go on; `None` when everything was searched.
    pub next: Option<StepId>,
    /// Steps that were searched by now, of how many.
    pub progress: (u64, u64),
}

/// When the value at a path changed, and to what.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PathHistory {
    /// The path, rows by their identity: it is followed when the row stands elsewhere.
    pub place: Path,
    /// Steps that changed it or something in it, in order: all of them, or in a short history some that are spread evenly.
    pub steps: Vec<StepId>,
    /// How many there are.
    pub count: u64,
    /// What it was after some of the changes, in order: of those nearest to the step that was asked about, or in a short history
    /// of some that are spread evenly. `None` where it was not there.
    pub values: Vec<(StepId, Option<Glimpse>)>,
}

/// The beginning of a value: enough for one line of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Glimpse {
    /// JSON; of a long value its first elements and characters.
    pub json: String,
    /// Whether that is all of it.
    pub whole: bool,
    /// How many elements or keys it has, those that are not in `json` as well. `None` when it can have none.
    pub len: Option<u64>,
    /// Bytes of the JSON of all of it.
    pub bytes: u64,
}

/// What a followed path leads into.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Holder {
    /// The state of a view.
    State(Side),
    /// What a handler of a view was called with.
    Params(String),
}

/// One value at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValueAt {
    /// The moment: a step, of this view or of another.
    pub step: StepId,
    /// The page and its view.
    pub stream: Stream,
    /// In what the path stands. At a step of another view it is the state that the last step of this view left.
    pub holder: Holder,
    /// The path.
    pub path: Path,
}

/// A value at a moment, and its changes around that.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PathValue {
    /// The path, rows by their identity.
    pub place: Path,
    /// Whose state or parameters it stands in: the step of the moment or one before it. `None`: the view had none yet.
    pub step: Option<StepId>,
    /// The value. `None` where it is not there.
    pub value: Option<Glimpse>,
    /// Why it cannot be told, if so.
    pub missing: Option<String>,
    /// The last change, or call of the handler, before the moment.
    pub previous: Option<StepId>,
    /// Whether the step of the moment itself is one.
    pub here: bool,
    /// The first after it.
    pub next: Option<StepId>,
}

impl Glimpse {
    /// Bytes of JSON that are told of a long value.
    pub const LONGEST: usize = 400;
}

impl PathValue {
    /// The last change until the moment, that of its step included.
    pub fn last(&self, moment: StepId) -> Option<StepId> {
        if self.here { Some(moment) } else { self.previous }
    }
}
