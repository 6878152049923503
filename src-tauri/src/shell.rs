//! The app around the window: what the window asks of its desktop, what a start asks for, and what the tray shows.
//!
//! It has a handle of its own on the engine, as a window has, so that tray and notifications work without one.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{SystemTime, UNIX_EPOCH};

use inspector_engine::{Engine, Places, Target, Window, found_servers};
use inspector_model::{
    Answer, AttachOptions, DesktopInfo, ErrorCode, Failure, Handle as _, Level, Notice, PageAt, RecordedPage, Request, RequestId, Side,
    SourceId, SourceKind, SourceState, StepId,
};
use parking_lot::Mutex;
use tauri::{AppHandle, Manager as _};
use tauri_plugin_autostart::ManagerExt as _;
use tauri_plugin_dialog::{DialogExt as _, MessageDialogButtons, MessageDialogKind};
use tauri_plugin_notification::NotificationExt as _;

use crate::arguments::Wish;
use crate::border::Border;
use crate::links::Address;
use crate::news::Newsroom;
use crate::pages::Pages;
use crate::server::Server;
use crate::settings::{Settings, SettingsFile};
use crate::tray::{Outline, Summary};
use crate::window::MAIN;
use crate::{desktop, fallback, keychain, tray, window};

/// Steps that are taken in at a time.
const STEPS_AT_ONCE: usize = 20_000;

/// The app.
pub struct Shell {
    /// Tauri's.
    pub app: AppHandle,
    /// Towards the page in the main window.
    pub border: Border,
    /// Page windows.
    pub pages: Pages,
    /// Starts the native window without asking when this one does not draw.
    pub falls_back_at_once: bool,
    engine: Arc<Engine>,
    own: Window,
    places: Places,
    wish: Wish,
    settings: Mutex<Settings>,
    file: SettingsFile,
    server: Mutex<Option<Server>>,
    asked: Mutex<HashMap<RequestId, Option<Offer>>>,
    next_request: AtomicU64,
    /// Tokens that the user gave by hand, and may want to have remembered once they have worked.
    offers: Mutex<HashMap<String, Offer>>,
    /// Files that the user chose in a dialog: the page may name no others.
    picked: Mutex<HashSet<PathBuf>>,
    stays: AtomicBool,
}

/// A token and where it is for.
#[derive(Clone)]
struct Offer {
    address: Address,
    token: String,
}

impl Shell {
    /// Around an engine.
    pub fn new(app: AppHandle, engine: Engine, places: Places, wish: Wish, falls_back_at_once: bool) -> Arc<Self> {
        let engine = Arc::new(engine);
        let file = SettingsFile::in_dir(&places.data);
        Arc::new(Self {
            app,
            border: Border::new(),
            pages: Pages::new(),
            falls_back_at_once,
            own: engine.window(),
            engine,
            places,
            wish,
            settings: Mutex::new(file.load()),
            file,
            server: Mutex::default(),
            asked: Mutex::default(),
            next_request: AtomicU64::new(1),
            offers: Mutex::default(),
            picked: Mutex::default(),
            stays: AtomicBool::new(false),
        })
    }

    /// Listens to the engine from now on, for the tray and for notifications.
    pub fn listen(self: &Arc<Self>, has_tray: bool) -> std::io::Result<()> {
        let (wake, woken) = sync_channel(1);
        // A full channel holds a wake-up already.
        self.own.set_waker(Box::new(move || wake.try_send(()).unwrap_or_default()));
        let shell = self.clone();
        std::thread::Builder::new().name("shell".into()).spawn(move || shell.hear(&woken, has_tray)).map(drop)
    }

    fn hear(self: &Arc<Self>, woken: &Receiver<()>, has_tray: bool) {
        let (mut newsroom, mut summary, mut shown) = (Newsroom::default(), Summary::default(), None);
        let mut notices = Vec::new();
        while woken.recv().is_ok() {
            loop {
                let more = self.own.drain(STEPS_AT_ONCE, &mut notices);
                for notice in notices.drain(..) {
                    for news in newsroom.read(&notice, now()) {
                        if self.settings.lock().notify.contains(&news.about) {
                            let _ = self.app.notification().builder().title(&news.title).body(&news.body).show();
                        }
                    }
                    summary.take(&notice);
                    self.take(notice);
                }
                if !more {
                    break;
                }
            }
            let outline = summary.outline();
            if has_tray && shown.as_ref() != Some(&outline) {
                self.show_tray(outline.clone());
                shown = Some(outline);
            }
        }
    }

    fn show_tray(&self, outline: Outline) {
        let app = self.app.clone();
        let _ = self.app.run_on_main_thread(move || {
            if let Err(error) = tray::show(&app, &outline) {
                tracing::warn!("the tray cannot be shown: {error}");
            }
        });
    }

    fn take(self: &Arc<Self>, notice: Notice) {
        match notice {
            Notice::SourceClosed(source) => {
                let app = self.app.clone();
                let _ = self.app.run_on_main_thread(move || Pages::close(&app, source));
            }
            Notice::Source(source) => {
                if let (SourceKind::Live { url }, SourceState::Attached) = (&source.kind, &source.state)
                    && let Ok(address) = Address::parse(url)
                    && let Some(offer) = self.offers.lock().remove(address.as_str())
                {
                    self.offer_to_remember(offer);
                }
            }
            Notice::Answer(id, answer) => {
                let offer = self.asked.lock().remove(&id).flatten();
                match answer {
                    Answer::Opened(source) => {
                        if let Some(offer) = offer {
                            self.offers.lock().insert(offer.address.as_str().to_owned(), offer);
                        }
                        self.border.tell(Notice::Show(source));
                    }
                    Answer::Failed(failure) => self.border.message(Level::Error, sentence(&failure)),
                    _ => {}
                }
            }
            // Said to every window; with none, here is the one who hears it.
            Notice::Message(level, text) if !self.border.is_connected() => self.border.message(level, text),
            _ => {}
        }
    }

    /// A new handle on the engine for the page in the main window.
    pub fn window(&self) -> Window {
        self.engine.window()
    }

    /// What this desktop can do, and how it is set.
    pub fn info(&self) -> DesktopInfo {
        let settings = self.settings();
        DesktopInfo {
            shows_pages: Some("a window".into()),
            page_windows: true,
            dialogs: true,
            notifications: Some(settings.notify.into_iter().collect()),
            autostart: self.app.autolaunch().is_enabled().ok(),
            keychain: true,
            static_files: Some(settings.static_files),
        }
    }

    /// What the user has switched on.
    pub fn settings(&self) -> Settings {
        self.settings.lock().clone()
    }

    /// Changes a setting, keeps it, and tells the page.
    pub fn set(&self, change: impl FnOnce(&mut Settings)) -> Result<(), Failure> {
        let mut settings = self.settings();
        change(&mut settings);
        self.file.save(&settings).map_err(|error| Failure::new(ErrorCode::Io, format!("the setting could not be kept: {error}")))?;
        *self.settings.lock() = settings;
        self.border.tell(Notice::Desktop(Box::new(self.info())));
        Ok(())
    }

    /// A recorded page. Reads the recording: not for the main thread.
    pub fn page(&self, at: PageAt, side: Side) -> Result<RecordedPage, String> {
        self.engine.page(at.source, at.step, side).map_err(|failure| failure.message)
    }

    /// The name of a step.
    pub fn step_name(&self, source: SourceId, step: StepId) -> Option<String> {
        self.engine.step(source, step).map(|step| step.name)
    }

    /// A request of the page.
    pub fn request(self: &Arc<Self>, id: RequestId, request: Request) -> bool {
        match request {
            Request::Desktop(request) => {
                desktop::answer(self, id, request);
                true
            }
            Request::OpenFile(path) | Request::OpenSealed { path, .. } | Request::Export { path, .. }
                if !self.picked.lock().contains(&path) =>
            {
                let failure = Failure::new(ErrorCode::BadRequest, "the file was not chosen in a dialog").hint("choose it there");
                self.border.answer(id, Answer::Failed(failure));
                true
            }
            Request::Attach { url, token, options } => {
                match Address::parse(&url) {
                    Ok(address) if token.is_empty() => return self.attach_from_page(id, address, options),
                    Ok(address) => self.may_be_remembered(&address, &token),
                    // The engine says what is wrong with it.
                    Err(_) => {}
                }
                self.border.send(id, Request::Attach { url, token, options })
            }
            other => self.border.send(id, other),
        }
    }

    /// Attaches without a token: it is a server of this machine, or the keychain knows.
    fn attach_from_page(self: &Arc<Self>, id: RequestId, address: Address, options: AttachOptions) -> bool {
        let shell = self.clone();
        tauri::async_runtime::spawn_blocking(move || {
            let taken = match find(&address) {
                Ok(Found::Here(pid)) => shell.border.send(id, Request::AttachFound { pid }),
                Ok(Found::Token(token)) => shell.border.send(id, Request::Attach { url: address.as_str().into(), token, options }),
                Err(failure) => {
                    shell.border.answer(id, Answer::Failed(failure));
                    true
                }
            };
            if !taken {
                shell.border.answer(id, Answer::Failed(Failure::new(ErrorCode::Busy, "the engine did not take the request")));
            }
        });
        true
    }

    /// The user chose this file: the page may open it, or write to it.
    pub fn allow(&self, path: PathBuf) {
        self.picked.lock().insert(path);
    }

    /// Does what the first start asked for.
    pub fn begin(self: &Arc<Self>) {
        self.wish(self.wish.clone());
    }

    /// Does what a start, a link, or the tray asks for.
    pub fn wish(self: &Arc<Self>, wish: Wish) {
        // First: what is asked about stands in front of it.
        self.show_window();
        match wish {
            Wish::Show => {}
            Wish::OpenFile(path) => self.ask(Request::OpenFile(path), None),
            Wish::OpenRecording(recording) => self.ask(Request::OpenRecording(recording), None),
            Wish::Attach { address, token: Some(token), options } => {
                let request = Request::Attach { url: address.as_str().into(), token: token.clone(), options };
                self.ask(request, (!address.is_loopback()).then_some(Offer { address, token }));
            }
            Wish::Attach { address, token: None, options } => self.attach_without_token(address, options),
            Wish::ProposeAttach(address) => self.propose(address),
            Wish::Run(command) => self.start_server(&command),
        }
    }

    /// Attaches to a server of this machine.
    pub fn attach_found(self: &Arc<Self>, pid: u32) {
        self.ask(Request::AttachFound { pid }, None);
        self.show_window();
    }

    fn ask(&self, request: Request, offer: Option<Offer>) {
        let id = RequestId(self.next_request.fetch_add(1, Ordering::Relaxed));
        self.asked.lock().insert(id, offer);
        if !self.own.send(id, request) {
            self.asked.lock().remove(&id);
            self.border.message(Level::Error, "The engine did not take the request".into());
        }
    }

    fn attach_without_token(self: &Arc<Self>, address: Address, options: AttachOptions) {
        let shell = self.clone();
        tauri::async_runtime::spawn_blocking(move || match find(&address) {
            Ok(Found::Here(pid)) => shell.ask(Request::AttachFound { pid }, None),
            Ok(Found::Token(token)) => {
                shell.ask(Request::Attach { url: address.as_str().into(), token, options }, None);
            }
            Err(failure) => shell.border.message(Level::Error, sentence(&failure)),
        });
    }

    /// A link asked for it: whoever wrote the page with the link is not the user.
    fn propose(self: &Arc<Self>, address: Address) {
        let shell = self.clone();
        let _ = self.app.run_on_main_thread(move || {
        let mut dialog = shell.app
            .dialog()
            .message(format!(
                "A link asks to attach to this server:\n\n{}\n\nWhat happens on it is then recorded here. Attach only to a server that you know.",
                address.as_str()
            ))
            .title("Attach to a server?")
            .kind(MessageDialogKind::Warning)
            .buttons(MessageDialogButtons::OkCancelCustom("Attach".into(), "Cancel".into()));
        if let Some(window) = window::main_window(&shell.app) {
            dialog = dialog.parent(&window);
        }
        let attaching = shell.clone();
        dialog.show(move |yes| {
                if yes {
                    attaching.attach_without_token(address, AttachOptions::default());
                }
            });
        });
    }

    fn may_be_remembered(&self, address: &Address, token: &str) {
        // A local server has a new token with each start.
        if !address.is_loopback() {
            self.offers.lock().insert(address.as_str().to_owned(), Offer { address: address.clone(), token: token.to_owned() });
        }
    }

    fn offer_to_remember(self: &Arc<Self>, offer: Offer) {
        let shell = self.clone();
        tauri::async_runtime::spawn_blocking(move || {
            match keychain::token(&offer.address) {
                Ok(Some(known)) if known == offer.token => return,
                Ok(_) => {}
                Err(error) => {
                    tracing::info!("a token is not offered to be remembered: {error}");
                    return;
                }
            }
            let question = format!("Remember the token of {} in the system's keychain?", offer.address.as_str());
            let asking = shell.clone();
            let mut dialog = asking
                .app
                .dialog()
                .message(question)
                .title("Remember the token?")
                .buttons(MessageDialogButtons::OkCancelCustom("Remember".into(), "Not now".into()));
            if let Some(window) = window::main_window(&asking.app) {
                dialog = dialog.parent(&window);
            }
            dialog.show(move |yes| {
                if yes {
                    tauri::async_runtime::spawn_blocking(move || {
                        if let Err(error) = keychain::remember(&offer.address, &offer.token) {
                            shell.border.message(Level::Warning, format!("The token was not remembered: {error}"));
                        }
                    });
                }
            });
        });
    }

    fn start_server(self: &Arc<Self>, command: &[std::ffi::OsString]) {
        let shell = self.clone();
        let ended = move |status| shell.border.message(Level::Warning, format!("The server has ended ({status})"));
        let started = Server::start(&self.places, command, ended).and_then(|(server, target)| {
            *self.server.lock() = Some(server);
            self.attach(target)
        });
        if let Err(error) = started {
            self.border.message(Level::Error, format!("{error:#}"));
        }
    }

    fn attach(&self, target: Target) -> anyhow::Result<()> {
        self.engine.attach(target).map(drop).map_err(|failure| anyhow::anyhow!(failure.message))
    }

    /// Shows the main window; makes it when there is none.
    pub fn show_window(self: &Arc<Self>) {
        let shell = self.clone();
        let _ = self.app.run_on_main_thread(move || {
            if let Err(error) = window::show(&shell) {
                tracing::error!("the window cannot be shown: {error}");
            }
        });
    }

    /// The app lives in the tray: closing its window does not end it.
    pub fn stay(&self) {
        self.stays.store(true, Ordering::Relaxed);
    }

    /// The main window was closed.
    pub fn window_closed(&self) {
        if !self.stays.load(Ordering::Relaxed) {
            self.quit();
        }
    }

    /// Ends the app.
    pub fn quit(&self) {
        self.app.exit(0);
    }

    /// Detaches, flushes, and ends the server that was started. What is left can only end.
    pub fn shut_down(&self) {
        let server = self.server.lock().take();
        if let Some(server) = server {
            server.stop();
        }
        self.engine.shut_down();
        self.pages.clear();
    }

    /// Starts the native program in the place of this one. Returns, with the reason in words, only when that failed before anything was ended.
    pub fn fall_back(&self) -> String {
        match fallback::program() {
            Ok(program) => {
                self.shut_down();
                // Not closed: the end of the last window would end this process before it has become the other.
                if let Some(window) = self.app.get_webview_window(MAIN) {
                    let _ = window.hide();
                }
                self.app.cleanup_before_exit();
                let error = fallback::replace(fallback::command(program, &self.wish, &self.places));
                // There is nothing left to go back to.
                tracing::error!("{error}");
                std::process::exit(1);
            }
            Err(error) => error.to_string(),
        }
    }
}

enum Found {
    Here(u32),
    Token(String),
}

fn find(address: &Address) -> Result<Found, Failure> {
    let here = found_servers().into_iter().find(|server| Address::parse(&server.url).is_ok_and(|found| found == *address));
    if let Some(server) = here {
        return Ok(Found::Here(server.pid));
    }
    let unknown = |message: String| {
        Failure::new(ErrorCode::NotFound, message).hint("attach from the start page with the token that the server was started with")
    };
    match keychain::token(address) {
        Ok(Some(token)) => Ok(Found::Token(token)),
        Ok(None) => Err(unknown(format!("There is no token for this server in the keychain: {}", address.as_str()))),
        Err(error) => Err(unknown(format!("There is no token for {}: {error}", address.as_str()))),
    }
}

fn sentence(failure: &Failure) -> String {
    match &failure.hint {
        Some(hint) => format!("{}; {hint}", failure.message),
        None => failure.message.clone(),
    }
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}
