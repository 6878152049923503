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
    /// Which of the server's processes are seen.
    pub workers: Workers,
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

/// The processes that serve an address, and how many of them one attachment sees.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Workers {
    /// Whether they can reach each other, so that one attachment is shown the pages of all.
    pub shared: bool,
    /// How many are seen; 0 while that has not been told.
    pub seen: u32,
    /// How many there are, where that can be told.
    pub all: Option<u32>,
    /// Why others than the attached one are not seen, and what to do.
    pub why: Option<String>,
}

impl Workers {
    /// `1 of 4 workers`, or `4 workers`. `None` for a server that is one process, as far as is known.
    pub fn words(&self) -> Option<String> {
        match self.all {
            Some(all) if !self.sees_all() => Some(format!("{} of {all} workers", self.seen.max(1))),
            _ if self.seen > 1 => Some(format!("{} workers", self.seen)),
            _ => None,
        }
    }

    /// Whether no worker is known of that is not seen.
    pub fn sees_all(&self) -> bool {
        // Where they reach each other, those that are not among them have had no page yet.
        self.why.is_none() || self.all.is_none_or(|all| all <= self.seen.max(1))
    }

    /// What the number means, and how to see more of them.
    pub fn explained(&self) -> String {
        match &self.why {
            Some(why) if !self.sees_all() => format!("Only the pages of the worker that the connection came to are seen. {why}"),
            _ => "The pages of all workers in which a page has connected are seen".to_owned(),
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_are_spoken_of_only_where_there_are_several() {
        let workers = |seen, all, why: Option<&str>| Workers { shared: why.is_none(), seen, all, why: why.map(str::to_owned) };
        let words = |seen, all, why| workers(seen, all, why).words();
        assert_eq!(words(1, Some(4), Some("in memory")).as_deref(), Some("1 of 4 workers"));
        assert_eq!(words(4, Some(4), None).as_deref(), Some("4 workers"));
        // Those without a page have not joined, and nothing of them is missing.
        assert_eq!(words(2, Some(4), None).as_deref(), Some("2 workers"));
        for one in [words(0, None, None), words(1, None, Some("in memory")), words(1, Some(1), Some("in memory")), words(1, Some(4), None)]
        {
            assert_eq!(one, None);
        }
        assert!(workers(1, Some(4), Some("Configure one")).explained().ends_with("Configure one"));
    }
}
