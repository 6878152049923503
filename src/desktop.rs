//! What the native window asks of its desktop: dialogs, and the user's browser for pages.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;

use inspector_engine::{Engine, Window};
use inspector_model::{Answer, DesktopInfo, DesktopRequest, ErrorCode, ExportFormat, Failure, Handle, Notice, Request, RequestId};
use parking_lot::Mutex;

use crate::pages::Pages;

/// Requests whose answers the window has not taken. Each works on a thread of its own; a person starts one or two.
const MAX_OPEN: usize = 8;

type Waker = Arc<dyn Fn() + Send + Sync>;

/// The engine's handle, and the desktop around the window.
pub struct Desktop {
    window: Window,
    engine: Arc<Engine>,
    pages: Arc<Pages>,
    inbox: Arc<Inbox>,
    dialogs: bool,
}

/// What the desktop has to tell the window.
#[derive(Default)]
struct Inbox {
    state: Mutex<Waiting>,
    waker: Mutex<Option<Waker>>,
}

#[derive(Default)]
struct Waiting {
    notices: VecDeque<Notice>,
    open: usize,
    /// One dialog at a time, as it would be with a window that waits for it.
    asking: bool,
}

impl Desktop {
    /// A handle for a window on `engine`. The window is told what this desktop can do, and which server ends with the program.
    pub fn new(engine: Arc<Engine>, server: Option<String>) -> std::io::Result<Self> {
        let inbox = Arc::new(Inbox::default());
        let dialogs = has_dialogs();
        inbox.tell(info(dialogs, server));
        Ok(Self { window: engine.window(), engine, pages: Arc::new(Pages::new()?), inbox, dialogs })
    }

    /// Tells the window that the server has ended by itself.
    pub fn on_server_end(&self) -> impl FnOnce() + Send + 'static {
        let (inbox, dialogs) = (self.inbox.clone(), self.dialogs);
        move || inbox.tell(info(dialogs, None))
    }

    fn answer(&self, id: RequestId, request: DesktopRequest) {
        match request {
            DesktopRequest::ShowPage(at) => {
                let (engine, pages) = (self.engine.clone(), self.pages.clone());
                self.work(id, move || {
                    let path = pages.write(&engine, at)?;
                    open::that_detached(&path).map_err(|error| {
                        Failure::new(ErrorCode::Io, format!("no browser could be started: {error}"))
                            .hint(format!("open this file while the inspector runs: {}", path.display()))
                    })?;
                    Ok(Answer::Done("The page opens in your browser".to_owned()))
                });
            }
            // On some systems a dialog must begin on the window's thread, which is this one.
            DesktopRequest::PickFileToOpen => {
                let endings = ExportFormat::OPENED.map(ExportFormat::extension);
                let dialog = rfd::AsyncFileDialog::new().add_filter("Recordings and bug captures", &endings);
                self.ask(id, || dialog.set_title("Open a recording").pick_file());
            }
            DesktopRequest::PickFileToSave { suggested } => {
                let mut dialog = rfd::AsyncFileDialog::new().set_title("Export");
                if let Some(format) = ExportFormat::of_file(&suggested) {
                    dialog = dialog.add_filter(format.label(), &[format.extension()]);
                }
                self.ask(id, || dialog.set_file_name(suggested).save_file());
            }
            DesktopRequest::FollowPage(_) => self.inbox.put(id, unsupported("pages do not follow the selection in a browser")),
            DesktopRequest::Set(_) => self.inbox.put(id, unsupported("this desktop has nothing to switch")),
            DesktopRequest::Reply(..) | DesktopRequest::Update(_) => self.inbox.put(id, unsupported("this desktop has asked nothing")),
        }
    }

    /// Shows a dialog and answers with what was chosen.
    fn ask<F>(&self, id: RequestId, dialog: impl FnOnce() -> F)
    where
        F: Future<Output = Option<rfd::FileHandle>> + Send + 'static,
    {
        if !self.dialogs {
            return self.inbox.put(id, Answer::Failed(no_dialogs()));
        }
        if std::mem::replace(&mut self.inbox.state.lock().asking, true) {
            let busy = Failure::new(ErrorCode::Busy, "a dialog is open already").hint("answer or close it first");
            return self.inbox.put(id, Answer::Failed(busy));
        }
        let dialog = dialog();
        let inbox = self.inbox.clone();
        self.work(id, move || {
            let chosen = wait_for(dialog);
            inbox.state.lock().asking = false;
            Ok(Answer::Picked(chosen?.map(|file| PathBuf::from(file.path()))))
        });
    }

    /// Does something that takes time, and answers with what comes of it.
    fn work(&self, id: RequestId, job: impl FnOnce() -> Result<Answer, Failure> + Send + 'static) {
        let inbox = self.inbox.clone();
        let thread = std::thread::Builder::new().name("desktop".to_owned());
        let started = thread.spawn(move || inbox.put(id, job().unwrap_or_else(Answer::Failed)));
        if let Err(error) = started {
            self.inbox.state.lock().asking = false;
            let failure = Failure::new(ErrorCode::Io, format!("no thread could be started: {error}"));
            self.inbox.put(id, Answer::Failed(failure));
        }
    }
}

impl Handle for Desktop {
    fn send(&self, id: RequestId, request: Request) -> bool {
        match request {
            Request::Desktop(request) => {
                let mut state = self.inbox.state.lock();
                if state.open == MAX_OPEN {
                    return false;
                }
                state.open += 1;
                drop(state);
                self.answer(id, request);
                true
            }
            request => self.window.send(id, request),
        }
    }

    fn drain(&self, max_steps: usize, into: &mut Vec<Notice>) -> bool {
        let mut state = self.inbox.state.lock();
        let answers = state.notices.iter().filter(|notice| matches!(notice, Notice::Answer(..))).count();
        state.open -= answers;
        into.extend(state.notices.drain(..));
        drop(state);
        self.window.drain(max_steps, into)
    }

    fn set_waker(&self, waker: Box<dyn Fn() + Send + Sync>) {
        let waker: Waker = Arc::from(waker);
        *self.inbox.waker.lock() = Some(waker.clone());
        self.window.set_waker(Box::new(move || waker()));
    }
}

impl Inbox {
    fn put(&self, id: RequestId, answer: Answer) {
        self.push(Notice::Answer(id, answer));
    }

    fn tell(&self, info: DesktopInfo) {
        self.push(Notice::Desktop(Box::new(info)));
    }

    fn push(&self, notice: Notice) {
        self.state.lock().notices.push_back(notice);
        let waker = self.waker.lock().clone();
        if let Some(wake) = waker {
            wake();
        }
    }
}

/// What this desktop can do.
fn info(dialogs: bool, server: Option<String>) -> DesktopInfo {
    DesktopInfo { shows_pages: Some("your browser".to_owned()), dialogs, server, ..DesktopInfo::default() }
}

fn wait_for<T>(future: impl Future<Output = T>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.map_err(|error| Failure::new(ErrorCode::Io, format!("the dialog could not be waited for: {error}")))?;
    Ok(runtime.block_on(future))
}

fn unsupported(why: &str) -> Answer {
    Answer::Failed(Failure::new(ErrorCode::BadRequest, why))
}

fn no_dialogs() -> Failure {
    Failure::new(ErrorCode::Io, "this desktop has no file dialogs: there is neither an XDG desktop portal nor zenity").hint("type the path")
}

/// Whether a dialog can be shown. Without a portal and zenity the library answers as if the user had cancelled.
fn has_dialogs() -> bool {
    if cfg!(not(target_os = "linux")) {
        return true;
    }
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    let paths =
        |name, otherwise: &str| -> Vec<PathBuf> { std::env::split_paths(&variable(name).unwrap_or_else(|| otherwise.into())).collect() };
    let bus = variable("DBUS_SESSION_BUS_ADDRESS").is_some()
        || variable("XDG_RUNTIME_DIR").is_some_and(|dir| PathBuf::from(dir).join("bus").exists());
    let portal = "dbus-1/services/org.freedesktop.portal.Desktop.service";
    let has_portal = paths("XDG_DATA_DIRS", "/usr/local/share:/usr/share").iter().any(|dir| dir.join(portal).is_file());
    (bus && has_portal) || paths("PATH", "").iter().any(|dir| dir.join("zenity").is_file())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use inspector_engine::Settings;
    use inspector_model::{DesktopQuestion, DesktopSetting, PageAt, Reply, Side, SourceId, StepId, UpdateStep};

    use super::*;

    fn desktop(folder: &tempfile::TempDir) -> Desktop {
        let engine = Engine::start(&Settings::new(folder.path())).unwrap();
        Desktop { dialogs: false, ..Desktop::new(Arc::new(engine), Some("python manage.py runserver".to_owned())).unwrap() }
    }

    /// Drains until there is an answer to `id`.
    fn answer(desktop: &Desktop, id: u64) -> Answer {
        let end = Instant::now() + Duration::from_secs(30);
        let (sender, receiver) = std::sync::mpsc::sync_channel(1);
        desktop.set_waker(Box::new(move || {
            sender.try_send(()).ok();
        }));
        while Instant::now() < end {
            let mut notices = Vec::new();
            desktop.drain(100, &mut notices);
            for notice in notices {
                if let Notice::Answer(RequestId(of), answer) = notice
                    && of == id
                {
                    return answer;
                }
            }
            receiver.recv_timeout(Duration::from_millis(200)).ok();
        }
        panic!("no answer to {id}");
    }

    #[test]
    fn the_window_is_told_first_what_the_desktop_can_do() {
        let folder = tempfile::tempdir().unwrap();
        let mut notices = Vec::new();
        let desktop = desktop(&folder);
        desktop.drain(100, &mut notices);
        let Some(Notice::Desktop(info)) = notices.first() else { panic!("{notices:?}") };
        assert_eq!(info.shows_pages.as_deref(), Some("your browser"));
        assert!(!info.page_windows);
        assert_eq!(info.server.as_deref(), Some("python manage.py runserver"));
        desktop.on_server_end()();
        notices.clear();
        desktop.drain(100, &mut notices);
        let Some(Notice::Desktop(info)) = notices.first() else { panic!("{notices:?}") };
        assert_eq!(info.server, None, "a server that has ended does not end with the window");
    }

    #[test]
    fn every_request_is_answered_and_the_wrong_ones_say_why() {
        let folder = tempfile::tempdir().unwrap();
        let desktop = desktop(&folder);
        let at = PageAt { source: SourceId(9), step: StepId(1), side: Side::After, compare: true };
        for (id, request, word) in [
            (1, DesktopRequest::ShowPage(at), "closed"),
            (2, DesktopRequest::FollowPage(at), "follow"),
            (3, DesktopRequest::PickFileToOpen, "portal"),
            (4, DesktopRequest::PickFileToSave { suggested: "a.djrec".into() }, "portal"),
            (5, DesktopRequest::Set(DesktopSetting::Autostart(true)), "switch"),
            (6, DesktopRequest::Reply(DesktopQuestion::Close, Reply::Yes), "asked"),
            (7, DesktopRequest::Update(UpdateStep::Restart), "asked"),
        ] {
            assert!(desktop.send(RequestId(id), Request::Desktop(request)));
            let Answer::Failed(failure) = answer(&desktop, id) else { panic!("{id} was done") };
            assert!(failure.message.contains(word), "{failure:?}");
        }
    }

    #[test]
    fn a_recordings_page_is_written_for_the_browser() {
        let folder = tempfile::tempdir().unwrap();
        let desktop = desktop(&folder);
        let recording = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("recordings/shop.djrec");
        assert!(desktop.send(RequestId(1), Request::OpenFile(recording)));
        let Answer::Opened(source) = answer(&desktop, 1) else { panic!("not opened") };
        let at = PageAt { source, step: StepId(2), side: Side::After, compare: true };
        let path = desktop.pages.write(&desktop.engine, at).unwrap();
        let text = std::fs::read_to_string(path).unwrap();
        assert!(text.contains("<title>Step 2</title>"), "{text:.500}");
        assert_eq!(text.matches("<iframe sandbox=\"\"").count(), 2);
        assert!(text.contains("data-djust-inspector-changed=&quot;&quot;"), "what the step changed is marked");
    }

    #[test]
    fn a_window_that_takes_no_answers_is_refused_more_questions() {
        let folder = tempfile::tempdir().unwrap();
        let desktop = desktop(&folder);
        let ask = |id: usize| desktop.send(RequestId(id as u64), Request::Desktop(DesktopRequest::PickFileToOpen));
        assert!((0..MAX_OPEN).all(ask));
        assert!(!ask(MAX_OPEN));
        desktop.drain(100, &mut Vec::new());
        assert!(ask(MAX_OPEN));
    }
}
