//! `run`: the server that this app started, with the agent inside.

use std::ffi::OsString;
use std::process::ExitStatus;
use std::time::Duration;

use anyhow::Context as _;
use inspector_engine::{Child, Places, Target, supervise, unpack_agent};
use tokio::sync::oneshot;

/// How long the server may take to shut down in its own way.
const SHUTDOWN_DEADLINE: Duration = Duration::from_secs(10);

/// A server that ends with this.
pub struct Server {
    stop: oneshot::Sender<()>,
    task: tauri::async_runtime::JoinHandle<()>,
}

impl Server {
    /// Starts it. `ended` is called when it ends by itself.
    pub fn start(places: &Places, command: &[OsString], ended: impl FnOnce(ExitStatus) + Send + 'static) -> anyhow::Result<(Self, Target)> {
        let inject = unpack_agent(&places.cache)?;
        let command = command.to_vec();
        let mut child =
            tauri::async_runtime::block_on(async move { supervise(&command, &inject) }).context("the server was not started")?;
        let target = child.target();
        let (stop, stopped) = oneshot::channel();
        let task = tauri::async_runtime::spawn(async move {
            let by_itself = tokio::select! {
                status = child.wait() => Some(status),
                _ = stopped => None,
            };
            match by_itself {
                Some(Ok(status)) => ended(status),
                Some(Err(error)) => tracing::error!("the server cannot be waited for: {error}"),
                None => end(&mut child).await,
            }
        });
        Ok((Self { stop, task }, target))
    }

    /// Ends it and waits until it has ended.
    pub fn stop(self) {
        let _ = self.stop.send(());
        if let Err(error) = tauri::async_runtime::block_on(self.task) {
            tracing::error!("the server's supervisor failed: {error}");
        }
    }
}

async fn end(child: &mut Child) {
    child.terminate();
    if tokio::time::timeout(SHUTDOWN_DEADLINE, child.wait()).await.is_err() {
        let _ = child.kill().await;
    }
}
