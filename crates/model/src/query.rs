//! Questions about a recording as a whole: when a path changed, and where a text is.

use serde::{Deserialize, Serialize};

use crate::{SessionId, StepId, ViewId};

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
    pub place: String,
    /// All steps that changed it or something in it, in order.
    pub steps: Vec<StepId>,
    /// What it was after the changes nearest to the step that was asked about, in order. As JSON, cut where it is long;
    /// `None` where it was not there.
    pub values: Vec<(StepId, Option<String>)>,
}
