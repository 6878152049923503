//! The commands that the page has. Only the main window's capability names them.

use std::sync::Arc;

use inspector_model::{LOCKED, Request, RequestId, Secret};
use tauri::ipc::Channel;
use tauri::{AppHandle, Manager as _, State};

use crate::border::Wake;
use crate::door;
use crate::shell::Shell;

/// The page is there. An empty message on `channel` says that [`drain`] would find something; until then there is no further one.
/// Fails with [`LOCKED`] until the library is open.
#[tauri::command]
#[expect(clippy::needless_pass_by_value, reason = "Tauri's commands take what they were sent")]
pub fn connect(app: AppHandle, channel: Channel<()>) -> Result<(), &'static str> {
    let shell = app.try_state::<Arc<Shell>>().ok_or(LOCKED)?;
    let wake = Wake::new(move || {
        if let Err(error) = channel.send(()) {
            tracing::debug!("the page could not be woken: {error}");
        }
    });
    shell.connected();
    shell.border.connect(shell.window(), shell.info(), wake);
    Ok(())
}

/// Opens the library with its passphrase, or says why not.
#[tauri::command]
pub async fn unlock(app: AppHandle, passphrase: Secret) -> Result<(), String> {
    door::unlock(app, passphrase).await
}

/// A request: JSON text of its number and itself. `false` when it was not taken.
#[tauri::command]
#[expect(clippy::needless_pass_by_value, reason = "Tauri's commands take what they were sent")]
pub fn send(shell: State<'_, Arc<Shell>>, text: String) -> bool {
    match serde_json::from_str::<(RequestId, Request)>(&text) {
        Ok((id, request)) => shell.request(id, request),
        Err(error) => {
            // The error itself would quote what was asked.
            tracing::error!("the page asked for something unknown, at byte {}", error.column());
            false
        }
    }
}

/// What has happened since the last call: JSON text of `{"notices": […], "more": bool}`. As text, because the page's own code
/// reads it: an object of JavaScript would only be written out again there.
#[tauri::command(async)]
#[expect(clippy::needless_pass_by_value, reason = "Tauri's commands take what they were sent")]
pub fn drain(shell: State<'_, Arc<Shell>>, max_steps: usize) -> Result<String, String> {
    serde_json::to_string(&shell.drain(max_steps)).map_err(|error| format!("the notices cannot be written: {error}"))
}
