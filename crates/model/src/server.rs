//! The attached process.

use serde::{Deserialize, Serialize};

/// What the agent says about its process.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ServerInfo {
    /// Process id.
    pub pid: u32,
    /// Working directory.
    pub cwd: String,
    /// The project's name.
    pub project: String,
    /// Version of djust.
    pub djust: String,
    /// Version of Django.
    pub django: String,
    /// Version of Python.
    pub python: String,
    /// The ASGI server, with its version where known.
    pub asgi: Option<String>,
    /// `settings.DEBUG`.
    pub debug: bool,
    /// Class of the default channel layer.
    pub channel_layer: Option<String>,
    /// Which autoreloader runs, if any.
    pub autoreload: Option<String>,
    /// When the process began, Unix seconds.
    pub started: f64,
    /// Its address.
    pub url: Option<String>,
    /// Names of the commands that it takes.
    #[serde(deserialize_with = "crate::limited::deserialize_list")]
    pub capabilities: Vec<String>,
    /// What this djust lacks.
    #[serde(deserialize_with = "crate::limited::deserialize_list")]
    pub missing: Vec<MissingHook>,
    /// Hot reload and HVR.
    pub hot_reload: HotReloadStatus,
    /// Why something would not be seen, and what to do.
    #[serde(deserialize_with = "crate::limited::deserialize_list")]
    pub advice: Vec<Advice>,
}

/// A place in djust that the agent wanted to listen at and did not find.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MissingHook {
    /// Dotted name.
    pub hook: String,
    /// What is not seen because of it.
    pub why: String,
}

/// Hot reload and HVR in the server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct HotReloadStatus {
    /// watchdog is installed.
    pub available: bool,
    /// Switched on in the settings.
    pub enabled: bool,
    /// The watcher runs.
    pub running: bool,
    /// Watched folders.
    #[serde(deserialize_with = "crate::limited::deserialize_list")]
    pub dirs: Vec<String>,
    /// Hot View Replacement is on.
    pub hvr: bool,
    /// What restarts the process before HVR can help.
    pub defeated_by: Option<String>,
}

/// A reason why something would not be seen, and what to do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Advice {
    /// Short stable name, `no_watchdog`.
    pub code: String,
    /// What is so.
    pub message: String,
    /// What to do, often a line to paste.
    pub fix: Option<String>,
}
