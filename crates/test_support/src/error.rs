//! What can go wrong while a test is being set up or driven.

use std::path::PathBuf;
use std::time::Duration;

/// An error of this crate. Its text is meant to be read in a failed test's output.
#[derive(Debug, thiserror::Error)]
pub enum TestError {
    /// Something that a command of the workspace makes has not been made yet.
    #[error("{what} is missing, run `{command}` first: {}", path.display())]
    Missing {
        /// What was looked for.
        what: String,
        /// The command that makes it.
        command: &'static str,
        /// Where it was looked for.
        path: PathBuf,
    },
    /// No Chromium on this machine.
    #[error("no Chromium found, install it (`apt-get install chromium`) or set CHROMIUM to its path; looked for: {looked_for}")]
    NoChromium {
        /// The names and paths that were tried.
        looked_for: String,
    },
    /// A condition did not come true in time.
    #[error("waited {waited:?} for {what}; last seen: {last_seen}")]
    Deadline {
        /// What was waited for.
        what: String,
        /// How long.
        waited: Duration,
        /// What the last look saw.
        last_seen: String,
    },
    /// A program ended although it should be running.
    #[error("{program} ended ({status}); its last output:\n{output}")]
    Ended {
        /// Which program.
        program: String,
        /// Its exit status.
        status: String,
        /// The end of what it printed.
        output: String,
    },
    /// A server was started but never answered.
    #[error("{source}; the server's last output:\n{output}")]
    NotServing {
        /// The failed wait.
        source: Box<TestError>,
        /// The end of what the server printed.
        output: String,
    },
    /// A command was run and failed.
    #[error("`{command}` failed:\n{output}")]
    Command {
        /// The command line.
        command: String,
        /// What it printed.
        output: String,
    },
    /// A file or process operation failed.
    #[error("{what}: {source}")]
    Io {
        /// What was being done, and with which file.
        what: String,
        /// Why it failed.
        source: std::io::Error,
    },
    /// The text that a test wants to replace is not in the file, or is there more than once.
    #[error("the text to replace occurs {times} times, not once, in {}", path.display())]
    NotOnce {
        /// How often it occurs.
        times: usize,
        /// In which file.
        path: PathBuf,
    },
    /// The browser's socket failed or closed.
    #[error("the browser's debug socket is gone: {0}")]
    Socket(String),
    /// The browser refused a command.
    #[error("the browser refused {method}: {message}")]
    Browser {
        /// Which one.
        method: String,
        /// The browser's words.
        message: String,
    },
    /// Script in a page threw.
    #[error("script in the page threw: {message}; script: {script}")]
    Script {
        /// The script that was run.
        script: String,
        /// The exception's text.
        message: String,
    },
}

impl TestError {
    /// Wraps an I/O error with what was being done.
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }
}
