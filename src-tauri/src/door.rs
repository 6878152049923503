//! The way in: the library is opened, and everything begins behind it. Of an encrypted one the window asks the passphrase first.

use std::sync::Arc;

use anyhow::Context as _;
use inspector_engine::{Engine, PASSPHRASE_VARIABLE, Places, Settings, passphrase_from};
use inspector_model::{Level, Secret};
use parking_lot::Mutex;
use tauri::{AppHandle, Manager as _};
use tokio::sync::oneshot;

use crate::arguments::Wish;
use crate::shell::Shell;
use crate::{tray, updates, window};

/// What a start asked for.
pub struct Start {
    /// Where the library is.
    pub places: Places,
    /// What shall be shown.
    pub wish: Wish,
    /// What was wrong with it.
    pub complaint: Option<String>,
    /// Without a window, where there is a tray.
    pub background: bool,
    /// The native window is started without asking when this one does not draw.
    pub fallback: bool,
}

/// Stands in the way while the passphrase is not known.
pub struct Door(Mutex<Option<Start>>);

/// Begins, or asks for the passphrase. Only on the main thread.
pub fn enter(app: &AppHandle, start: Start) -> anyhow::Result<()> {
    let settings = Settings { data_dir: start.places.data.clone(), passphrase: passphrase_from(PASSPHRASE_VARIABLE) };
    if settings.is_locked()? {
        app.manage(Door(Mutex::new(Some(start))));
        window::ask(app).context("the window that asks for the passphrase cannot be made")
    } else {
        begin(app, Engine::start(&settings)?, start)
    }
}

/// Tries a passphrase, and begins with the right one.
pub async fn unlock(app: AppHandle, passphrase: Secret) -> Result<(), String> {
    let door = app.try_state::<Door>().ok_or("it was not locked")?;
    // One at a time: each takes a good part of the machine for a moment.
    let start = door.0.lock().take().ok_or("another passphrase is being tried, or the library is open")?;
    let settings = Settings { data_dir: start.places.data.clone(), passphrase: Some(passphrase) };
    let opened = tauri::async_runtime::spawn_blocking(move || Engine::start(&settings).map_err(|error| error.why_still_locked()));
    match opened.await.unwrap_or_else(|error| Err(error.to_string())) {
        Ok(engine) => {
            let (tell, told) = oneshot::channel();
            let behind = app.clone();
            // Nobody waits for it any more when the app ends.
            let go = move || drop(tell.send(begin(&behind, engine, start).map_err(|error| format!("{error:#}"))));
            app.run_on_main_thread(go).map_err(|error| error.to_string())?;
            told.await.unwrap_or_else(|_| Err("the app ends".to_owned()))
        }
        Err(why) => {
            *door.0.lock() = Some(start);
            Err(why)
        }
    }
}

/// Everything behind the door.
fn begin(app: &AppHandle, engine: Engine, start: Start) -> anyhow::Result<()> {
    let Start { places, wish, complaint, background, fallback } = start;
    let shell = Shell::new(app.clone(), engine, places, wish, fallback);
    app.manage(shell.clone());
    let has_tray = tray::make(app, &shell);
    shell.listen(has_tray)?;
    end_on_signal(shell.clone());
    updates::check(app);
    #[cfg(target_os = "linux")]
    if app.env().appimage.is_some() {
        use tauri_plugin_deep_link::DeepLinkExt as _;
        // Nothing else tells the desktop about an AppImage; a package's desktop entry does it better.
        if let Err(error) = app.deep_link().register_all() {
            tracing::warn!("links will not open this app: {error}");
        }
    }
    if let Some(window) = window::main_window(app) {
        window::adopt(&shell, &window);
    }
    if has_tray && background {
        shell.stay();
    } else {
        shell.begin();
    }
    if let Some(text) = complaint {
        shell.border.message(Level::Error, text);
    }
    Ok(())
}

/// Ends in good order, with the server that was started, when the session or a terminal ends us.
fn end_on_signal(shell: Arc<Shell>) {
    #[cfg(unix)]
    tauri::async_runtime::spawn(async move {
        use tokio::signal::unix::{SignalKind, signal};
        let signals = [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()].map(signal);
        let [Ok(mut terminate), Ok(mut interrupt), Ok(mut hangup)] = signals else { return };
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            _ = hangup.recv() => {}
        }
        shell.quit();
    });
    #[cfg(not(unix))]
    drop(shell);
}
