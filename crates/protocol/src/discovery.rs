//! The file by which servers on this machine are found.

use serde::Deserialize;

/// Environment variable with the token that the agent shall accept.
pub const TOKEN_VARIABLE: &str = "DJUST_INSPECTOR_TOKEN";
/// Environment variable with the id by which `run` knows its own server again.
pub const RUN_VARIABLE: &str = "DJUST_INSPECTOR_RUN";
/// Environment variable with the folder of the discovery files.
pub const DISCOVERY_DIR_VARIABLE: &str = "DJUST_INSPECTOR_RUNTIME_DIR";

/// What an agent says in its discovery file.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Discovered {
    /// Version of the debug socket's protocol.
    pub protocol: u32,
    /// The listening process.
    pub pid: u32,
    /// When it began, Unix seconds.
    #[serde(default)]
    pub started: f64,
    /// Working directory.
    #[serde(default)]
    pub cwd: String,
    /// The project's name.
    #[serde(default)]
    pub project: String,
    /// `http://127.0.0.1:8000`.
    pub url: String,
    /// Path of the consumer's route.
    #[serde(default)]
    pub ws_path: Option<String>,
    /// What the agent accepts.
    pub token: String,
    /// The id given by `run`.
    #[serde(default)]
    pub run: Option<String>,
    /// Version of djust.
    #[serde(default)]
    pub djust: String,
    /// `settings.DEBUG`.
    #[serde(default)]
    pub debug: bool,
}
