//! Updates: only where whoever built the app has said where they come from and by which key they are signed.
//!
//! In `tauri.conf.json`, or in a file that is merged into it when bundling:
//! `"plugins": {"updater": {"pubkey": "…", "endpoints": ["https://…/latest.json"]}}`. Without both there is no updater in the
//! running app, and it never asks anybody anything.

use tauri::{AppHandle, Config};
use tauri_plugin_dialog::{DialogExt as _, MessageDialogButtons};
use tauri_plugin_updater::{Update, UpdaterExt as _};

/// Whether a key and an endpoint are there.
pub fn are_configured(config: &Config) -> bool {
    let Some(updater) = config.plugins.0.get("updater") else { return false };
    let key = updater.get("pubkey").and_then(|key| key.as_str()).is_some_and(|key| !key.is_empty());
    let endpoints = updater.get("endpoints").and_then(|list| list.as_array()).is_some_and(|list| !list.is_empty());
    key && endpoints
}

/// Looks for an update once, and offers it.
pub fn check(app: &AppHandle) {
    if !are_configured(app.config()) {
        return;
    }
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        let found = match app.updater() {
            Ok(updater) => updater.check().await,
            Err(error) => Err(error),
        };
        match found {
            Ok(Some(update)) => offer(&app, update),
            Ok(None) => {}
            Err(error) => tracing::warn!("updates cannot be looked for: {error}"),
        }
    });
}

fn offer(app: &AppHandle, update: Update) {
    let installing = app.clone();
    app.dialog()
        .message(format!("Version {} is there. Install it? The app is then started again.", update.version))
        .title("djust Inspector")
        .buttons(MessageDialogButtons::OkCancelCustom("Install".into(), "Not now".into()))
        .show(move |yes| {
            if yes {
                tauri::async_runtime::spawn(async move {
                    match update.download_and_install(|_, _| {}, || {}).await {
                        Ok(()) => installing.request_restart(),
                        Err(error) => tracing::error!("the update was not installed: {error}"),
                    }
                });
            }
        });
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
}
