//! A headless Chromium with a profile of its own.

use std::process::Command;
use std::sync::Arc;

use serde_json::json;
use tempfile::TempDir;

use crate::cdp::Connection;
use crate::page::Page;
use crate::paths::chromium;
use crate::process::{Output, ProcessGroup};
use crate::{STEP_DEADLINE, TestError, wait_until};

/// Headless, quiet, and without anything that would talk to another machine than the one under test.
const FLAGS: [&str; 13] = [
    "--headless",
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--disable-background-timer-throttling",
    "--disable-renderer-backgrounding",
    "--remote-debugging-port=0",
    "--window-size=1200,900",
];

/// A running browser. Dropping it kills it with all its processes and removes its profile.
#[derive(Debug)]
pub struct Browser {
    connection: Arc<Connection>,
    // Before the profile: fields drop in order, and a dead browser writes no more files.
    _process: ProcessGroup,
    _profile: TempDir,
}

/// Cookies and storage of one user; several of them live side by side in a browser.
#[derive(Clone, Debug)]
pub struct BrowserContext {
    connection: Arc<Connection>,
    id: String,
}

impl Browser {
    /// Starts Chromium and connects to it.
    ///
    /// # Errors
    /// [`TestError::NoChromium`], or the output of a browser that ended.
    pub async fn launch() -> Result<Self, TestError> {
        Self::launch_with(&["--disable-gpu"]).await
    }

    /// Starts Chromium, which takes any certificate: for pages behind TLS of a test's own authority.
    ///
    /// # Errors
    /// As [`Browser::launch`].
    pub async fn launch_trusting() -> Result<Self, TestError> {
        Self::launch_with(&["--disable-gpu", "--ignore-certificate-errors"]).await
    }

    /// Starts Chromium with WebGL, drawn by its own software: the same on every machine, and slow.
    ///
    /// # Errors
    /// As [`Browser::launch`].
    pub async fn launch_drawing() -> Result<Self, TestError> {
        Self::launch_with(&["--use-angle=swiftshader", "--enable-unsafe-swiftshader"]).await
    }

    async fn launch_with(flags: &[&str]) -> Result<Self, TestError> {
        let program = chromium()?;
        let profile =
            tempfile::Builder::new().prefix("chromium-").tempdir().map_err(TestError::io("cannot make a folder for the profile"))?;
        let output = Output::default();
        let mut command = Command::new(program);
        command.args(FLAGS).args(flags).arg(format!("--user-data-dir={}", profile.path().display())).arg("about:blank");
        let mut process = ProcessGroup::spawn("Chromium", &mut command, &output)?;
        let port_file = profile.path().join("DevToolsActivePort");
        let found = wait_until(STEP_DEADLINE, "Chromium to name its debug port", async || {
            if let Err(error) = process.expect_running(&output) {
                return Ok(Err(error));
            }
            let text = std::fs::read_to_string(&port_file).map_err(|error| error.to_string())?;
            // Port and path, one a line; the file is written before it is complete.
            match text.split_once('\n') {
                Some((port, path)) if !path.is_empty() => Ok(Ok(format!("ws://127.0.0.1:{port}{}", path.trim_end()))),
                _ => Err(format!("incomplete: {text:?}")),
            }
        })
        .await?;
        let connection = Arc::new(Connection::open(&found?).await?);
        Ok(Self { connection, _process: process, _profile: profile })
    }

    /// A new user: cookies and storage of its own.
    pub async fn new_context(&self) -> Result<BrowserContext, TestError> {
        let answer = self.connection.call(None, "Target.createBrowserContext", json!({})).await?;
        let id = answer["browserContextId"].as_str().unwrap_or_default().to_owned();
        Ok(BrowserContext { connection: Arc::clone(&self.connection), id })
    }

    /// A tab of a new user. For two tabs of the same user use [`Browser::new_context`].
    pub async fn new_page(&self) -> Result<Page, TestError> {
        self.new_context().await?.new_page().await
    }
}

impl BrowserContext {
    /// A new, empty tab.
    pub async fn new_page(&self) -> Result<Page, TestError> {
        Page::create(Arc::clone(&self.connection), &self.id).await
    }
}
