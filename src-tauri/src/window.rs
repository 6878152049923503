//! The main window, and what happens when it does not draw.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use inspector_model::Drag;
use tauri::webview::{NewWindowResponse, PermissionResponse};
use tauri::{AppHandle, DragDropEvent, Manager as _, Url, WebviewUrl, WebviewWindow, WebviewWindowBuilder, WindowEvent};
use tauri_plugin_dialog::{DialogExt as _, MessageDialogButtons, MessageDialogKind};

use crate::shell::Shell;

/// The only window with commands.
pub const MAIN: &str = "main";
/// How long a page may take until it asks for notices, which it does with its first frame. A cold start on a slow disk without
/// a graphics processor takes about five.
const FIRST_FRAME_SECS: u64 = 25;
/// Sets another time, in seconds.
const FIRST_FRAME_VARIABLE: &str = "DJUST_INSPECTOR_FIRST_FRAME_SECS";
/// After this many ends of the webview's process, loading again is no help.
const MAX_CRASHES: u32 = 3;

/// The main window, if there is one.
pub fn main_window(app: &AppHandle) -> Option<WebviewWindow> {
    app.get_webview_window(MAIN)
}

/// Shows the main window; makes it when there is none. Only on the main thread.
pub fn show(shell: &Arc<Shell>) -> tauri::Result<()> {
    let window = match main_window(&shell.app) {
        Some(window) => window,
        None => make(shell)?,
    };
    let _ = window.unminimize();
    window.show()?;
    window.set_focus()
}

/// Makes the main window without anything behind it: its page asks for the passphrase. Only on the main thread.
pub fn ask(app: &AppHandle) -> tauri::Result<()> {
    build(app)?.set_focus()
}

fn make(shell: &Arc<Shell>) -> tauri::Result<WebviewWindow> {
    let window = build(&shell.app)?;
    adopt(shell, &window);
    Ok(window)
}

fn build(app: &AppHandle) -> tauri::Result<WebviewWindow> {
    WebviewWindowBuilder::new(app, MAIN, WebviewUrl::App("index.html".into()))
        .title("djust inspector")
        .inner_size(1440.0, 900.0)
        .min_inner_size(960.0, 560.0)
        .on_navigation(is_own)
        .on_new_window(|_, _| NewWindowResponse::Deny)
        .on_download(|_, _| false)
        .on_permission_request(|_, _| PermissionResponse::Deny)
        .build()
}

/// Looks after the main window from now on.
pub fn adopt(shell: &Arc<Shell>, window: &WebviewWindow) {
    let closing = shell.clone();
    window.on_window_event(move |event| match event {
        WindowEvent::CloseRequested { api, .. } if !closing.may_close() => api.prevent_close(),
        WindowEvent::Destroyed => {
            closing.border.disconnect();
            closing.window_closed();
        }
        WindowEvent::DragDrop(DragDropEvent::Enter { paths, .. }) => closing.dragged(Drag::Over(paths.clone())),
        WindowEvent::DragDrop(DragDropEvent::Drop { paths, .. }) => closing.dragged(Drag::Dropped(paths.clone())),
        WindowEvent::DragDrop(DragDropEvent::Leave) => closing.dragged(Drag::Left),
        _ => {}
    });
    reload_after_crash(shell, window);
    tauri::async_runtime::spawn(watch_first_frame(shell.clone()));
}

/// The window's page is part of the program; it goes nowhere else.
fn is_own(url: &Url) -> bool {
    let own = if cfg!(windows) { url.scheme() == "http" && url.host_str() == Some("tauri.localhost") } else { url.scheme() == "tauri" };
    own && url.port().is_none()
}

/// Waits until the page is alive. When it is not in time, offers the native window.
async fn watch_first_frame(shell: Arc<Shell>) {
    let mut alive = shell.border.alive();
    let limit = first_frame_limit(std::env::var(FIRST_FRAME_VARIABLE).ok().as_deref());
    loop {
        match tokio::time::timeout(limit, alive.changed()).await {
            Ok(_) => return,
            Err(_) if main_window(&shell.app).is_none() => return,
            Err(_) => tracing::error!("the window has not drawn anything after {} s", limit.as_secs()),
        }
        let asking = shell.clone();
        let go_on = tauri::async_runtime::spawn_blocking(move || offer_native(&asking, "The window does not draw.")).await;
        if !go_on.unwrap_or(false) {
            return;
        }
    }
}

fn first_frame_limit(set: Option<&str>) -> Duration {
    let secs = set.and_then(|text| text.parse().ok()).filter(|secs| (1..=3_600).contains(secs));
    Duration::from_secs(secs.unwrap_or(FIRST_FRAME_SECS))
}

/// Offers the native window, or starts it at once where that was asked for. Waits for the user. `true` when they want to wait.
fn offer_native(shell: &Arc<Shell>, what: &str) -> bool {
    let offered = shell.falls_back_at_once
        || shell
            .app
            .dialog()
            .message(format!(
                "{what} This is mostly a matter of the graphics driver and the system's browser engine.\n\nThe native window needs neither and \
                 shows the same. What was recorded is kept; servers have to be attached again."
            ))
            .title("djust Inspector")
            .kind(MessageDialogKind::Warning)
            .buttons(MessageDialogButtons::OkCancelCustom("Open the native window".into(), "Wait".into()))
            .blocking_show();
    if !offered {
        return true;
    }
    let why_not = shell.fall_back();
    tracing::error!("{why_not}");
    shell.app.dialog().message(why_not).title("djust Inspector").kind(MessageDialogKind::Error).blocking_show();
    false
}

/// Loads the page again when its process has ended: nothing that matters was in it. A few times, then offers the native window.
#[cfg(target_os = "linux")]
fn reload_after_crash(shell: &Arc<Shell>, window: &WebviewWindow) {
    use webkit2gtk::WebViewExt as _;

    let crashes = Arc::new(AtomicU32::new(0));
    let shell = shell.clone();
    let connected = window.with_webview(move |webview| {
        webview.inner().connect_web_process_terminated(move |view, reason| {
            let crash = crashes.fetch_add(1, Ordering::Relaxed) + 1;
            tracing::error!("the webview's process ended ({reason:?}), for the {crash}. time");
            if crash <= MAX_CRASHES {
                view.reload();
                return;
            }
            let shell = shell.clone();
            tauri::async_runtime::spawn_blocking(move || offer_native(&shell, "The window's process ends again and again."));
        });
    });
    if let Err(error) = connected {
        tracing::error!("a crash of the window's process will not be seen: {error}");
    }
}

/// WebView2 and WKWebView load the page again by themselves.
#[cfg(not(target_os = "linux"))]
fn reload_after_crash(_shell: &Arc<Shell>, _window: &WebviewWindow) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_goes_nowhere() {
        let url = |text: &str| Url::parse(text).unwrap();
        let own = if cfg!(windows) { "http://tauri.localhost/index.html" } else { "tauri://localhost/index.html" };
        assert!(is_own(&url(own)));
        for other in [
            "https://example.com/",
            "http://127.0.0.1:8000/",
            "file:///etc/passwd",
            "data:text/html,x",
            "about:blank",
            "djust-page://localhost/",
        ] {
            assert!(!is_own(&url(other)), "{other}");
        }
    }

    #[test]
    fn the_limit_of_the_first_frame_can_be_set_within_reason() {
        assert_eq!(first_frame_limit(None).as_secs(), FIRST_FRAME_SECS);
        assert_eq!(first_frame_limit(Some("3")).as_secs(), 3);
        assert_eq!(first_frame_limit(Some("0")).as_secs(), FIRST_FRAME_SECS);
        assert_eq!(first_frame_limit(Some("soon")).as_secs(), FIRST_FRAME_SECS);
    }
}
