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
#[derive(Clone)]
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

/// Stands in the way while the passphrase is not known. `S` is what is behind it.
pub struct Door<S = Start>(Mutex<Lock<S>>);

/// How a [`Door`] stands.
enum Lock<S> {
    Locked(S),
    Trying,
    Open,
}

/// One passphrase is being tried. However that ends, the door is open or can be tried again.
struct Attempt<'a, S> {
    door: &'a Door<S>,
    /// What the door is locked with again.
    start: Option<S>,
}

impl<S: Clone> Door<S> {
    const fn locked(start: S) -> Self {
        Self(Mutex::new(Lock::Locked(start)))
    }

    /// One at a time: each takes a good part of the machine for a moment.
    fn attempt(&self) -> Result<(Attempt<'_, S>, S), &'static str> {
        let mut lock = self.0.lock();
        match std::mem::replace(&mut *lock, Lock::Trying) {
            Lock::Locked(start) => Ok((Attempt { door: self, start: Some(start.clone()) }, start)),
            Lock::Trying => Err("another passphrase is being tried: wait for it"),
            Lock::Open => {
                *lock = Lock::Open;
                Err("the library is open already")
            }
        }
    }
}

impl<S> Attempt<'_, S> {
    /// It was the right one, and everything has begun.
    fn succeeded(mut self) {
        self.start = None;
    }
}

impl<S> Drop for Attempt<'_, S> {
    fn drop(&mut self) {
        *self.door.0.lock() = self.start.take().map_or(Lock::Open, Lock::Locked);
    }
}

/// Begins, or asks for the passphrase. Only on the main thread.
pub fn enter(app: &AppHandle, start: Start) -> anyhow::Result<()> {
    let settings = Settings { data_dir: start.places.data.clone(), passphrase: passphrase_from(PASSPHRASE_VARIABLE) };
    if settings.is_locked()? {
        app.manage(Door::locked(start));
        window::ask(app).context("the window that asks for the passphrase cannot be made")
    } else {
        begin(app, Engine::start(&settings)?, start)
    }
}

/// Tries a passphrase, and begins with the right one.
pub async fn unlock(app: AppHandle, passphrase: Secret) -> Result<(), String> {
    let door = app.try_state::<Door>().ok_or("it was not locked")?;
    let (attempt, start) = door.attempt()?;
    let settings = Settings { data_dir: start.places.data.clone(), passphrase: Some(passphrase) };
    let opened = tauri::async_runtime::spawn_blocking(move || Engine::start(&settings).map_err(|error| error.why_still_locked()));
    let engine = opened.await.unwrap_or_else(|error| Err(error.to_string()))?;
    let (tell, told) = oneshot::channel();
    let behind = app.clone();
    // Nobody waits for it any more when the app ends.
    let go = move || drop(tell.send(begin(&behind, engine, start).map_err(|error| format!("{error:#}"))));
    app.run_on_main_thread(go).map_err(|error| error.to_string())?;
    told.await.unwrap_or_else(|_| Err("the app ends".to_owned()))?;
    attempt.succeeded();
    Ok(())
}

/// Everything behind the door. What can fail comes before anything that lasts, so that a failed start can be tried again.
fn begin(app: &AppHandle, engine: Engine, start: Start) -> anyhow::Result<()> {
    let Start { places, wish, complaint, background, fallback } = start;
    let shell = Shell::new(app.clone(), engine, places, wish, fallback);
    if let Err(error) = shell.listen() {
        // The library is closed: the next try opens it anew.
        shell.shut_down();
        return Err(error).context("the app cannot begin: no thread could be started");
    }
    app.manage(shell.clone());
    let no_tray = tray::make(app, &shell).err();
    if let Some(why) = &no_tray {
        tracing::warn!("there is no tray: {why}");
    } else {
        shell.has_tray();
    }
    end_on_signal(shell.clone());
    updates::check(&shell);
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
    match no_tray {
        None if background => shell.stay(),
        Some(why) if background => {
            shell.begin();
            shell.border.message(Level::Warning, format!("The window is shown because there is no tray: {why}"));
        }
        _ => shell.begin(),
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

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    #[test]
    fn a_start_that_failed_with_the_right_passphrase_can_be_tried_again() {
        let door = Door::locked(7);
        for _ in 0..3 {
            let (attempt, start) = door.attempt().unwrap();
            assert_eq!(start, 7);
            assert!(door.attempt().err().unwrap().contains("being tried"));
            drop(attempt);
        }
        let failed = catch_unwind(AssertUnwindSafe(|| {
            let _attempt = door.attempt().unwrap();
            std::panic::resume_unwind(Box::new("within a start"));
        }));
        assert!(failed.is_err());
        door.attempt().unwrap().0.succeeded();
        assert!(door.attempt().err().unwrap().contains("open already"));
    }
}
