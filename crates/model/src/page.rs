//! A rendered page as it was recorded.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// What surrounds the live part of a page: recorded once per page.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageShell {
    /// The address at which the browser asked for it, without query values that were redacted.
    pub url: String,
    /// The document up to where the live part begins: doctype, `<head>`, what stands above.
    pub before: String,
    /// The document from where the live part ends.
    pub after: String,
    /// The texts of the server's own stylesheets that the document links.
    #[serde(deserialize_with = "crate::limited::deserialize_list")]
    pub styles: Vec<StyleSheet>,
}

/// A stylesheet of the recorded server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StyleSheet {
    /// As the document links it.
    pub href: String,
    /// Its text. Empty when it was too large or could not be read.
    pub text: String,
}

/// The page of a step, at one end of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedPage {
    /// The live part.
    pub html: Arc<str>,
    /// What surrounds it. `None` when the inspector came after the page was loaded, or the agent could not see it.
    pub shell: Option<Arc<PageShell>>,
    /// What the step's patches changed. Empty for the state before a step.
    pub changed: Vec<ChangedNode>,
    /// Where the server is, if one is attached: `http://127.0.0.1:8000`.
    pub server: Option<String>,
}

/// A node that a patch changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ChangedNode {
    /// Child indices from the live part's root, as djust counts them.
    pub path: Vec<u32>,
    /// Its `dj-id`, if the patch named it.
    pub dj_id: Option<String>,
}
