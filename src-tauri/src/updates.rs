//! Updates: only where whoever built the app has said where they come from and by which key they are signed.
//!
//! In `tauri.conf.json`, or in a file that is merged into it when bundling:
//! `"plugins": {"updater": {"pubkey": "…", "endpoints": ["https://…/latest.json"]}}`. Without both there is no updater in the
//! running app, and it never asks anybody anything.

use std::sync::Arc;

use inspector_model::{UpdateState, UpdateStep};
use parking_lot::Mutex;
use tauri::{Config, Manager as _};
use tauri_plugin_updater::{Update, UpdaterExt as _};

use crate::shell::Shell;

/// Whether a key and an endpoint are there.
pub fn are_configured(config: &Config) -> bool {
    let Some(updater) = config.plugins.0.get("updater") else { return false };
    let key = updater.get("pubkey").and_then(|key| key.as_str()).is_some_and(|key| !key.is_empty());
    let endpoints = updater.get("endpoints").and_then(|list| list.as_array()).is_some_and(|list| !list.is_empty());
    key && endpoints
}

/// An update that was found, and its bytes once they are here.
#[derive(Default)]
pub struct Found(Mutex<Option<(Update, Vec<u8>)>>);

/// Looks for an update once, and offers it in the window.
pub fn check(shell: &Arc<Shell>) {
    if !are_configured(shell.app.config()) {
        return;
    }
    shell.app.manage(Found::default());
    let shell = shell.clone();
    tauri::async_runtime::spawn(async move {
        let ending = shell.clone();
        // Windows ends the app while it installs.
        let updater = shell.app.updater_builder().on_before_exit(move || ending.shut_down()).build();
        let found = match updater {
            Ok(updater) => updater.check().await,
            Err(error) => Err(error),
        };
        match found {
            Ok(Some(update)) => {
                tell(&shell, &update, UpdateState::Offered);
                *shell.app.state::<Found>().0.lock() = Some((update, Vec::new()));
            }
            Ok(None) => {}
            Err(error) => tracing::warn!("updates cannot be looked for: {error}"),
        }
    });
}

/// Does what the user wants of the update that was found.
pub fn step(shell: &Arc<Shell>, step: UpdateStep) {
    let Some(found) = shell.app.try_state::<Found>() else { return };
    match step {
        UpdateStep::Dismiss => {
            found.0.lock().take();
            shell.set_update(None);
        }
        UpdateStep::Download => {
            let update = found.0.lock().as_ref().map(|(update, _)| update.clone());
            if let Some(update) = update {
                tauri::async_runtime::spawn(download(shell.clone(), update));
            }
        }
        UpdateStep::Restart => {
            let ready = found.0.lock().clone().filter(|(_, bytes)| !bytes.is_empty());
            let shell = shell.clone();
            // Files are written.
            tauri::async_runtime::spawn_blocking(move || {
                let Some((update, bytes)) = ready else { return };
                match update.install(bytes) {
                    Ok(()) => shell.app.request_restart(),
                    Err(error) => tell(&shell, &update, UpdateState::Failed(error.to_string())),
                }
            });
        }
    }
}

async fn download(shell: Arc<Shell>, update: Update) {
    let mut progress = Progress::default();
    tell(&shell, &update, UpdateState::Downloading { done: 0, of: 0 });
    let telling = (shell.clone(), update.clone());
    let chunk = move |bytes: usize, of: Option<u64>| {
        if let Some(state) = progress.more(bytes as u64, of.unwrap_or(0)) {
            tell(&telling.0, &telling.1, state);
        }
    };
    let state = match update.download(chunk, || {}).await {
        Ok(bytes) => {
            *shell.app.state::<Found>().0.lock() = Some((update.clone(), bytes));
            UpdateState::Ready
        }
        Err(error) => UpdateState::Failed(error.to_string()),
    };
    tell(&shell, &update, state);
}

fn tell(shell: &Shell, update: &Update, state: UpdateState) {
    if let UpdateState::Failed(why) = &state {
        tracing::error!("the update was not installed: {why}");
    }
    shell.set_update(Some(inspector_model::Update { version: update.version.clone(), state }));
}

/// How much of a download is here. It is told in hundredths: chunks are many.
#[derive(Debug, Default)]
struct Progress {
    done: u64,
    told: u64,
}

impl Progress {
    fn more(&mut self, bytes: u64, of: u64) -> Option<UpdateState> {
        /// Of a download whose size is not known.
        const STEP: u64 = 1 << 20;
        self.done += bytes;
        let step = if of == 0 { STEP } else { (of / 100).max(1) };
        let due = self.done - self.told >= step || self.done == of;
        due.then(|| {
            self.told = self.done;
            UpdateState::Downloading { done: self.done, of }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(updater: &serde_json::Value) -> Config {
        serde_json::from_value(serde_json::json!({"identifier": "a.b", "plugins": {"updater": updater}})).unwrap()
    }

    #[test]
    fn there_are_no_updates_without_a_key_and_an_endpoint() {
        use serde_json::json;
        assert!(!are_configured(&serde_json::from_value(json!({"identifier": "a.b"})).unwrap()));
        assert!(!are_configured(&config(&json!({"pubkey": "", "endpoints": ["https://a.example"]}))));
        assert!(!are_configured(&config(&json!({"pubkey": "k", "endpoints": []}))));
        assert!(are_configured(&config(&json!({"pubkey": "k", "endpoints": ["https://a.example"]}))));
    }

    #[test]
    fn this_build_has_none() {
        let own: Config = serde_json::from_str(include_str!("../tauri.conf.json")).unwrap();
        assert!(!are_configured(&own));
    }

    #[test]
    fn a_download_is_told_in_hundredths_and_to_its_end() {
        let of = 1_000_050;
        let mut progress = Progress::default();
        let told: Vec<_> = (0..of / 50).filter_map(|_| progress.more(50, of)).collect();
        assert!((99..=101).contains(&told.len()), "{}", told.len());
        assert_eq!(told.last(), Some(&UpdateState::Downloading { done: of, of }));
        assert!(Progress::default().more(10, 0).is_none());
        assert_eq!(Progress::default().more(2 << 20, 0), Some(UpdateState::Downloading { done: 2 << 20, of: 0 }));
    }
}
