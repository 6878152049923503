//! Page windows: the recorded page of a step, in a webview that can do nothing.
//!
//! Four walls, each enough alone: the documents hold nothing active (`inspector-page`), their policy and the sandbox allow
//! nothing, the webview runs no script and has storage, cookies and network of its own, and it may go nowhere but to the
//! addresses that were made for it. It is in no capability, so the app's commands are not there for it either.

mod address;
mod follow;
mod serve;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use inspector_model::{PageAt, SourceId};
use parking_lot::Mutex;
use tauri::webview::{NewWindowResponse, PageLoadEvent, PermissionResponse};
use tauri::{AppHandle, Manager as _, Url, WebviewUrl, WebviewWindowBuilder, WindowEvent};
use tempfile::TempDir;

use self::address::{Addresses, label};
use self::follow::Follow;

pub use self::address::{LABEL_PREFIX, SCHEME};
pub use self::serve::serve;

/// The page windows. Clones are the same.
#[derive(Clone)]
pub struct Pages {
    addresses: Arc<Mutex<Addresses>>,
    follows: Arc<Mutex<HashMap<String, Follow>>>,
    /// A folder for each window that is open.
    folders: Arc<Mutex<HashMap<String, TempDir>>>,
    clock: Instant,
}

impl Pages {
    /// None yet.
    pub fn new() -> Self {
        Self { addresses: Arc::default(), follows: Arc::default(), folders: Arc::default(), clock: Instant::now() }
    }

    /// Shows a page in its source's window, which is opened or brought to the front.
    pub fn show(&self, app: &AppHandle, at: PageAt) -> tauri::Result<()> {
        let label = label(at.source);
        if let Some(window) = app.get_webview_window(&label) {
            self.want(app, &label, at);
            let _ = window.unminimize();
            window.show()?;
            return window.set_focus();
        }
        self.follows.lock().insert(label.clone(), Follow::default());
        let at = self.follows.lock().get_mut(&label).and_then(|follow| follow.want(at, self.now())).unwrap_or(at);
        let url = self.addresses.lock().show(&label, at);
        self.open(app, &label, url)
    }

    /// The selection moved: the source's window, if one is open, shows it.
    pub fn follow(&self, app: &AppHandle, at: PageAt) {
        self.want(app, &label(at.source), at);
    }

    /// Loads all pages again: what they may load has changed.
    pub fn reload(&self, app: &AppHandle) {
        let now = self.now();
        let loads: Vec<_> =
            self.follows.lock().iter_mut().filter_map(|(label, follow)| follow.again(now).map(|at| (label.clone(), at))).collect();
        for (label, at) in loads {
            self.load(app, &label, at);
        }
    }

    /// Closes the window of a source that is there no more.
    pub fn close(app: &AppHandle, source: SourceId) {
        if let Some(window) = app.get_webview_window(&label(source)) {
            let _ = window.destroy();
        }
    }

    /// Removes what open windows have on disk: the app ends.
    pub fn clear(&self) {
        self.folders.lock().clear();
    }

    fn want(&self, app: &AppHandle, label: &str, at: PageAt) {
        let next = self.follows.lock().get_mut(label).and_then(|follow| follow.want(at, self.now()));
        if let Some(at) = next {
            self.load(app, label, at);
        }
    }

    fn load(&self, app: &AppHandle, label: &str, at: PageAt) {
        let Some(window) = app.get_webview_window(label) else { return };
        let url = self.addresses.lock().show(label, at);
        if let Err(error) = window.navigate(url) {
            tracing::warn!("a page window cannot be loaded: {error}");
        }
    }

    fn ended(&self, app: &AppHandle, label: &str) {
        let next = self.follows.lock().get_mut(label).and_then(|follow| follow.ended(self.now()));
        if let Some(at) = next {
            self.load(app, label, at);
        }
    }

    fn closed(&self, label: &str) {
        self.addresses.lock().close(label);
        self.follows.lock().remove(label);
        self.folders.lock().remove(label);
    }

    fn may_load(&self, label: &str, url: &Url) -> bool {
        self.addresses.lock().document(label, url.as_str()).is_some()
    }

    fn now(&self) -> f64 {
        self.clock.elapsed().as_secs_f64()
    }

    fn open(&self, app: &AppHandle, label: &str, url: Url) -> tauri::Result<()> {
        // What the webview keeps while it runs, it keeps in memory. The folder makes it a browser of its own all the same: on
        // Linux, schemes belong to a folder's browser, and a second private window in the first one's would not know ours.
        let folder = tempfile::Builder::new().prefix("djust-inspector-page-").tempdir()?;
        let (pages, own) = (self.clone(), label.to_owned());
        let (loaded, loaded_app) = (self.clone(), app.clone());
        let window = WebviewWindowBuilder::new(app, label, WebviewUrl::CustomProtocol(url))
            .title("Page")
            .inner_size(1200.0, 860.0)
            .min_inner_size(360.0, 240.0)
            // Of its own: no cookie, no cache, no storage of another window, nothing kept.
            .incognito(true)
            .data_directory(folder.path().to_owned())
            .disable_javascript()
            .disable_drag_drop_handler()
            .devtools(false)
            .on_navigation(move |url| pages.may_load(&own, url))
            .on_new_window(|_, _| NewWindowResponse::Deny)
            .on_download(|_, _| false)
            .on_permission_request(|_, _| PermissionResponse::Deny)
            .on_document_title_changed(|window, title| {
                // The outer document's, which is ours.
                let _ = window.set_title(&title);
            })
            .on_page_load(move |window, load| {
                if load.event() == PageLoadEvent::Finished {
                    loaded.ended(&loaded_app, window.label());
                }
            })
            .build()?;
        self.folders.lock().insert(label.to_owned(), folder);
        lock_down(&window, self);
        let (pages, own) = (self.clone(), label.to_owned());
        window.on_window_event(move |event| {
            if matches!(event, WindowEvent::Destroyed) {
                pages.closed(&own);
            }
        });
        Ok(())
    }
}

/// What Tauri has no word for.
#[cfg(target_os = "linux")]
fn lock_down(window: &tauri::WebviewWindow, pages: &Pages) {
    use webkit2gtk::{PermissionRequestExt as _, SettingsExt as _, WebViewExt};

    let (pages, label) = (pages.clone(), window.label().to_owned());
    let done = window.with_webview(move |webview| {
        let view = webview.inner();
        if let Some(settings) = WebViewExt::settings(&view) {
            settings.set_enable_javascript(false);
            settings.set_enable_javascript_markup(false);
            settings.set_enable_media(false);
            settings.set_enable_webgl(false);
            settings.set_enable_webaudio(false);
            settings.set_enable_page_cache(false);
            settings.set_enable_dns_prefetching(false);
            settings.set_enable_developer_extras(false);
            settings.set_javascript_can_open_windows_automatically(false);
        }
        // wry asks only about the kinds that it knows.
        view.connect_permission_request(|_, request| {
            request.deny();
            true
        });
        // "Open link in new window", "Save image": there is nothing here that could be wanted.
        view.connect_context_menu(|_, _, _, _| true);
        view.connect_web_process_terminated(move |_, reason| {
            // Not loaded again by itself: a page that ends its process once does so twice.
            tracing::warn!("a page window's process ended ({reason:?})");
            if let Some(follow) = pages.follows.lock().get_mut(&label) {
                *follow = Follow::default();
            }
        });
    });
    if let Err(error) = done {
        tracing::error!("a page window could not be locked down, and is closed: {error}");
        let _ = window.destroy();
    }
}

#[cfg(not(target_os = "linux"))]
fn lock_down(_window: &tauri::WebviewWindow, _pages: &Pages) {}
