//! The app around the window: what the window asks of its desktop, what a start asks for, and what the tray shows.
//!
//! It has a handle of its own on the engine, as a window has, so that tray and notifications work without one.

use std::collections::{HashMap, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use inspector_engine::{Engine, Places, Target, Window, found_servers};
use inspector_model::{
    Answer, AttachOptions, DesktopInfo, DesktopQuestion, Drag, ErrorCode, Failure, Handle as _, Level, Notice, PageAt, RecordedPage, Reply,
    Request, RequestId, Side, SourceId, SourceKind, SourceState, StepId, Update,
};
use parking_lot::Mutex;
use tauri::{AppHandle, Manager as _};
use tauri_plugin_autostart::ManagerExt as _;
use tauri_plugin_notification::NotificationExt as _;

use crate::arguments::Wish;
use crate::border::{Border, Drained};
use crate::links::Address;
use crate::news::{News, Newsroom};
use crate::pages::Pages;
use crate::picks::Picks;
use crate::questions::{Offer, Proposed, Questions};
use crate::server::Server;
use crate::settings::{Settings, SettingsFile};
use crate::tray::{Outline, Summary};
use crate::window::MAIN;
use crate::{desktop, fallback, keychain, tray, window};

/// Steps that are taken in at a time.
const STEPS_AT_ONCE: usize = 20_000;
/// Notifications whose clicks lead somewhere. A desktop shows fewer.
const MOST_NEWS: usize = 64;

/// A recording or a live server, and a step in it.
type Place = (SourceId, Option<StepId>);

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
    /// The command of the server while it runs.
    server_command: Mutex<Option<String>>,
    asked: Mutex<HashMap<RequestId, Option<Offer>>>,
    next_request: AtomicU64,
    /// Tokens that the user gave by hand, and may want to have remembered once they have worked.
    offers: Mutex<HashMap<String, Offer>>,
    picks: Mutex<Picks>,
    questions: Mutex<Questions>,
    update: Mutex<Option<Update>>,
    /// The newest notifications by their numbers, and where a click on each leads.
    news: Mutex<VecDeque<(i32, Place)>>,
    began: Instant,
    has_tray: AtomicBool,
    /// A server is attached and recorded.
    is_recording: AtomicBool,
    /// The app was started to live in the tray.
    stays: AtomicBool,
    /// The window is closed and the app goes on in the tray, as the user has said.
    keeps: AtomicBool,
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
            server_command: Mutex::default(),
            asked: Mutex::default(),
            next_request: AtomicU64::new(1),
            offers: Mutex::default(),
            picks: Mutex::default(),
            questions: Mutex::default(),
            update: Mutex::default(),
            news: Mutex::default(),
            began: Instant::now(),
            has_tray: AtomicBool::new(false),
            is_recording: AtomicBool::new(false),
            stays: AtomicBool::new(false),
            keeps: AtomicBool::new(false),
        })
    }

    /// Listens to the engine from now on, for the tray and for notifications.
    pub fn listen(self: &Arc<Self>) -> std::io::Result<()> {
        let (wake, woken) = sync_channel(1);
        // A full channel holds a wake-up already.
        self.own.set_waker(Box::new(move || wake.try_send(()).unwrap_or_default()));
        let shell = self.clone();
        std::thread::Builder::new().name("shell".into()).spawn(move || shell.hear(&woken)).map(drop)?;
        let shell = Arc::downgrade(self);
        // Its result is one for mobile systems.
        let _ = self.app.notification().on_action(move |performed| {
            if let (Some(shell), Some(notification)) = (shell.upgrade(), performed.notification()) {
                shell.show_news(notification.id());
            }
        });
        Ok(())
    }

    fn hear(self: &Arc<Self>, woken: &Receiver<()>) {
        let (mut newsroom, mut summary, mut shown) = (Newsroom::default(), Summary::default(), None);
        let mut notices = Vec::new();
        while woken.recv().is_ok() {
            loop {
                let more = self.own.drain(STEPS_AT_ONCE, &mut notices);
                for notice in notices.drain(..) {
                    for news in newsroom.read(&notice, now()) {
                        if self.settings.lock().notify.contains(&news.about) {
                            self.tell_news(&news);
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
            self.is_recording.store(outline.recording, Ordering::Relaxed);
            if self.has_tray.load(Ordering::Relaxed) && shown.as_ref() != Some(&outline) {
                self.show_tray(outline.clone());
                shown = Some(outline);
            }
        }
    }

    fn tell_news(&self, news: &News) {
        let mut all = self.news.lock();
        let number = all.back().map_or(1, |(last, _)| last.wrapping_add(1));
        all.push_back((number, news.at));
        if all.len() > MOST_NEWS {
            all.pop_front();
        }
        drop(all);
        let _ = self.app.notification().builder().id(number).title(&news.title).body(&news.body).show();
    }

    /// A notification was clicked on: shows what it told of.
    fn show_news(self: &Arc<Self>, number: i32) {
        self.show_window();
        let at = self.news.lock().iter().find(|(of, _)| *of == number).map(|(_, at)| *at);
        match at {
            Some((source, Some(step))) => self.border.tell_when_there(Notice::ShowStep(source, step)),
            Some((source, None)) => self.border.tell_when_there(Notice::Show(source)),
            None => {}
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
            tray: self.is_seen_in_tray(),
            server: self.server_command.lock().clone(),
            log: Some(log_file(&self.places)),
            question: self.questions.lock().open(),
            update: self.update.lock().clone(),
        }
    }

    /// Tells the page anew what [`Shell::info`] says.
    pub fn tell_info(&self) {
        self.border.tell(Notice::Desktop(Box::new(self.info())));
    }

    /// There is a tray.
    pub fn has_tray(&self) {
        self.has_tray.store(true, Ordering::Relaxed);
    }

    fn is_seen_in_tray(&self) -> bool {
        self.has_tray.load(Ordering::Relaxed) && tray::is_seen()
    }

    /// How far a newer version is.
    pub fn set_update(&self, update: Option<Update>) {
        *self.update.lock() = update;
        self.tell_info();
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
        self.tell_info();
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
            request if !self.picks.lock().take(id, &request) => {
                let failure = Failure::new(ErrorCode::BadRequest, "the file was not chosen in a dialog for this").hint("choose it there");
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

    /// What has happened since the page asked last.
    pub fn drain(&self, max_steps: usize) -> Drained {
        let drained = self.border.drain(max_steps);
        for notice in &drained.notices {
            if let Notice::Answer(id, answer) = notice {
                self.picks.lock().answered(*id, answer);
            }
        }
        drained
    }

    /// A page has connected: nothing was picked in it.
    pub fn connected(&self) {
        *self.picks.lock() = Picks::default();
    }

    /// The user chose this file to be opened.
    pub fn allow_to_open(&self, path: PathBuf) {
        self.picks.lock().allow_to_open(path);
    }

    /// The user chose this file to be written.
    pub fn allow_to_save(&self, path: PathBuf) {
        self.picks.lock().allow_to_save(path);
    }

    /// Files are dragged over the main window, or dropped on it.
    pub fn dragged(&self, drag: Drag) {
        if let Drag::Dropped(files) = &drag {
            files.iter().cloned().for_each(|file| self.allow_to_open(file));
        }
        self.border.tell(Notice::Drag(drag));
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

    /// A link asked for it. The author of the page with the link is not the user.
    fn propose(&self, address: Address) {
        let proposed = self.questions.lock().propose(address, self.began.elapsed().as_secs_f64());
        match proposed {
            Proposed::Asked => self.tell_info(),
            Proposed::FirstOfFlood => {
                let text = "Links ask to attach again and again. They are ignored until they stop".to_owned();
                self.border.message(Level::Warning, text);
            }
            Proposed::Flood => {}
        }
    }

    /// The user's answer to a question.
    pub fn reply(self: &Arc<Self>, question: DesktopQuestion, reply: Reply) {
        match question {
            DesktopQuestion::Close => {
                let mut questions = self.questions.lock();
                let was_asked = questions.is_closing();
                questions.closed();
                drop(questions);
                if was_asked {
                    self.close_window(reply);
                }
            }
            DesktopQuestion::Attach(url) => {
                let address = self.questions.lock().take_link(&url).filter(|_| reply == Reply::Yes);
                if let Some(address) = address {
                    self.attach_without_token(address, AttachOptions::default());
                }
            }
            DesktopQuestion::Remember(url) => {
                let offer = self.questions.lock().take_token(&url).filter(|_| reply == Reply::Yes);
                if let Some(offer) = offer {
                    self.remember(offer);
                }
            }
        }
        self.tell_info();
    }

    fn may_be_remembered(&self, address: &Address, token: &str) {
        // A local server has a new token with each start.
        if !address.is_loopback() {
            self.offers.lock().insert(address.as_str().to_owned(), Offer { address: address.clone(), token: token.to_owned() });
        }
    }

    fn offer_to_remember(self: &Arc<Self>, offer: Offer) {
        let shell = self.clone();
        tauri::async_runtime::spawn_blocking(move || match keychain::token(&offer.address) {
            Ok(Some(known)) if known == offer.token => {}
            Ok(_) => {
                shell.questions.lock().offer(offer);
                shell.tell_info();
            }
            Err(error) => tracing::info!("a token is not offered to be remembered: {error}"),
        });
    }

    fn remember(self: &Arc<Self>, offer: Offer) {
        let shell = self.clone();
        tauri::async_runtime::spawn_blocking(move || {
            if let Err(error) = keychain::remember(&offer.address, &offer.token) {
                shell.border.message(Level::Warning, format!("The token was not remembered: {error}"));
            }
        });
    }

    fn start_server(self: &Arc<Self>, command: &[std::ffi::OsString]) {
        let shell = self.clone();
        *self.server_command.lock() = Some(words(command));
        let ended = move |status| {
            shell.server_command.lock().take();
            shell.tell_info();
            shell.border.message(Level::Warning, format!("The server has ended ({status})"));
        };
        let started = Server::start(&self.places, command, ended).and_then(|(server, target)| {
            *self.server.lock() = Some(server);
            self.attach(target)
        });
        if let Err(error) = started {
            if self.server.lock().is_none() {
                self.server_command.lock().take();
            }
            self.border.message(Level::Error, format!("{error:#}"));
        }
        self.tell_info();
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

    /// The main window is to be closed. `true`: it may be. Otherwise the user is asked in it first. Only on the main thread.
    pub fn may_close(&self) -> bool {
        let was_asked = self.questions.lock().is_closing();
        let now = Closing {
            ends: self.is_recording.load(Ordering::Relaxed) || self.server_command.lock().is_some(),
            in_tray: self.stays.load(Ordering::Relaxed) && self.is_seen_in_tray(),
            // A page that has not taken the question since it was asked never will.
            answers: self.border.is_connected() && !(was_asked && self.border.is_behind()),
        };
        match now.step() {
            CloseStep::Close => true,
            CloseStep::ToTray => {
                self.keep_in_tray();
                true
            }
            CloseStep::Ask => {
                self.questions.lock().close();
                self.tell_info();
                false
            }
        }
    }

    /// The user was asked whether the window is closed, and has answered.
    fn close_window(&self, reply: Reply) {
        match reply {
            Reply::No => {}
            Reply::Keep if self.is_seen_in_tray() => {
                self.keep_in_tray();
                let app = self.app.clone();
                let _ = self.app.run_on_main_thread(move || {
                    let _ = window::main_window(&app).map(|window| window.destroy());
                });
            }
            Reply::Keep => {
                self.border
                    .message(Level::Warning, "The tray is gone, so the window stays: nobody would see that recording goes on".into());
            }
            Reply::Yes => self.quit(),
        }
    }

    /// The window is closed next, and the app goes on.
    fn keep_in_tray(&self) {
        self.keeps.store(true, Ordering::Relaxed);
        if self.is_recording.load(Ordering::Relaxed) {
            let text = "Recording goes on. The tray shows the window again, and ends it";
            let _ = self.app.notification().builder().title("djust Inspector is in the tray").body(text).show();
        }
    }

    /// The main window was closed.
    pub fn window_closed(&self) {
        if !self.keeps.swap(false, Ordering::Relaxed) {
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

/// What there is when the main window is to be closed.
#[derive(Clone, Copy, Debug)]
struct Closing {
    /// Something ends with the app: a recording, or a server.
    ends: bool,
    /// The app lives in the tray, and that can be seen.
    in_tray: bool,
    /// The page can be asked.
    answers: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CloseStep {
    /// The app ends.
    Close,
    /// The app goes on without a window.
    ToTray,
    /// The user is asked.
    Ask,
}

impl Closing {
    const fn step(self) -> CloseStep {
        match self {
            Self { in_tray: true, .. } => CloseStep::ToTray,
            Self { ends: true, answers: true, .. } => CloseStep::Ask,
            // A page that does not answer must not hold the app.
            _ => CloseStep::Close,
        }
    }
}

/// The file that the app logs to.
pub fn log_file(places: &Places) -> PathBuf {
    places.data.join("app.log")
}

/// A command as it is read.
fn words(command: &[std::ffi::OsString]) -> String {
    command.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_the_window_asks_where_something_ends_and_leaves_nothing_unseen() {
        let step = |ends, in_tray, answers| Closing { ends, in_tray, answers }.step();
        assert_eq!(step(true, false, true), CloseStep::Ask);
        assert_eq!(step(false, false, true), CloseStep::Close);
        assert_eq!(step(true, false, false), CloseStep::Close, "a page that is dead cannot be asked");
        assert_eq!(step(false, true, true), CloseStep::ToTray);
        assert_eq!(step(true, true, true), CloseStep::ToTray, "it goes on, which is told");
    }
}
