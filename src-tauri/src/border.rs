//! The border between the page in the webview and the engine: a few commands and a wake-up.
//!
//! The page holds nothing that matters. Each time it connects, after a reload or a crash, it gets a new handle on the
//! engine, which tells it everything anew.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use inspector_engine::Window;
use inspector_model::{Answer, DesktopInfo, Handle as _, Level, Notice, Request, RequestId};
use parking_lot::Mutex;
use serde::Serialize;
use tokio::sync::watch;

/// The page may ask for fewer steps at a time, not for more: an answer is one text in memory.
const MAX_STEPS: usize = 50_000;
/// Messages that are kept until a page comes.
const MAX_UNHEARD: usize = 32;

/// One side of the border; the other is the page.
pub struct Border {
    connection: Mutex<Option<Connection>>,
    /// What the shell has to tell, besides the engine.
    own: Mutex<Vec<Notice>>,
    /// How many connections have asked for notices: a page that does is alive.
    alive: watch::Sender<u32>,
}

struct Connection {
    window: Window,
    wake: Arc<Wake>,
    asked: bool,
}

/// What a drain gives to the page.
#[derive(Debug, Default, Serialize)]
pub struct Drained {
    /// In order.
    pub notices: Vec<Notice>,
    /// There is more now.
    pub more: bool,
}

/// Wakes the page, once until it has looked.
pub struct Wake {
    outstanding: AtomicBool,
    send: Box<dyn Fn() + Send + Sync>,
}

impl Wake {
    /// `send` is called from any thread.
    pub fn new(send: impl Fn() + Send + Sync + 'static) -> Self {
        Self { outstanding: AtomicBool::new(false), send: Box::new(send) }
    }

    /// There is something.
    pub fn wake(&self) {
        if !self.outstanding.swap(true, Ordering::SeqCst) {
            (self.send)();
        }
    }

    /// The page looks: what comes from now on wakes it again. Before the look, not after it, or something could fall between.
    pub fn looking(&self) {
        self.outstanding.store(false, Ordering::SeqCst);
    }
}

impl Border {
    /// With no page yet.
    pub fn new() -> Self {
        Self { connection: Mutex::new(None), own: Mutex::default(), alive: watch::Sender::new(0) }
    }

    /// A page is there: it takes the place of the one before. `wake` is called when it shall drain.
    pub fn connect(&self, window: Window, info: DesktopInfo, wake: Wake) {
        let wake = Arc::new(wake);
        let waker = wake.clone();
        window.set_waker(Box::new(move || waker.wake()));
        let mut connection = self.connection.lock();
        let mut own = self.own.lock();
        own.retain(is_for_any_page);
        own.insert(0, Notice::Desktop(Box::new(info)));
        drop(own);
        *connection = Some(Connection { window, wake: wake.clone(), asked: false });
        drop(connection);
        wake.wake();
    }

    /// Passes a request on. `false` when it was not taken.
    pub fn send(&self, id: RequestId, request: Request) -> bool {
        self.connection.lock().as_ref().is_some_and(|connection| connection.window.send(id, request))
    }

    /// What has happened since the last call.
    pub fn drain(&self, max_steps: usize) -> Drained {
        let mut drained = Drained::default();
        let mut connection = self.connection.lock();
        let Some(connection) = connection.as_mut() else { return drained };
        connection.wake.looking();
        drained.more = connection.window.drain(max_steps.clamp(1, MAX_STEPS), &mut drained.notices);
        // After the engine's: what is said here may be about a source that the page hears of only now.
        drained.notices.append(&mut self.own.lock());
        if !std::mem::replace(&mut connection.asked, true) {
            tracing::info!("a page has connected");
            self.alive.send_modify(|pages| *pages += 1);
        }
        drained
    }

    /// Answers a request that the shell was asked. Nobody hears it when the page is gone.
    pub fn answer(&self, id: RequestId, answer: Answer) {
        self.tell(Notice::Answer(id, answer));
    }

    /// Tells the page something.
    pub fn tell(&self, notice: Notice) {
        let connection = self.connection.lock();
        if let Some(connection) = connection.as_ref() {
            self.own.lock().push(notice);
            connection.wake.wake();
        }
    }

    /// Tells people something, now or when there is a page to do so.
    pub fn message(&self, level: Level, text: String) {
        self.tell_when_there(Notice::Message(level, text));
    }

    /// Tells the page something that holds for the next page as well, now or when there is one.
    pub fn tell_when_there(&self, notice: Notice) {
        let connection = self.connection.lock();
        let mut own = self.own.lock();
        if connection.is_some() || own.len() < MAX_UNHEARD {
            own.push(notice);
        }
        drop(own);
        if let Some(connection) = connection.as_ref() {
            connection.wake.wake();
        }
    }

    /// There is no page any more.
    pub fn disconnect(&self) {
        *self.connection.lock() = None;
        self.own.lock().retain(is_for_any_page);
    }

    /// Whether the page has yet to take what it was told of the desktop.
    pub fn is_behind(&self) -> bool {
        self.own.lock().iter().any(|notice| matches!(notice, Notice::Desktop(_)))
    }

    /// Whether a page is there.
    pub fn is_connected(&self) -> bool {
        self.connection.lock().is_some()
    }

    /// Changes when a page that has connected asks for notices for the first time.
    pub fn alive(&self) -> watch::Receiver<u32> {
        self.alive.subscribe()
    }
}

/// Whether a notice is for whichever page comes. Answers to the page before would be taken for answers to this one.
const fn is_for_any_page(notice: &Notice) -> bool {
    matches!(notice, Notice::Message(..) | Notice::Show(_) | Notice::ShowStep(..))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;

    use inspector_engine::{Engine, Settings};

    use super::*;

    fn counted() -> (Arc<AtomicU32>, Wake) {
        let count = Arc::new(AtomicU32::new(0));
        let counter = count.clone();
        (count, Wake::new(move || _ = counter.fetch_add(1, Ordering::SeqCst)))
    }

    fn engine() -> (tempfile::TempDir, Engine) {
        let dir = tempfile::tempdir().unwrap();
        let engine = Engine::start(&Settings::new(dir.path())).unwrap();
        (dir, engine)
    }

    #[test]
    fn a_page_that_has_not_looked_is_not_woken_again() {
        let (count, wake) = counted();
        (0..10).for_each(|_| wake.wake());
        assert_eq!(count.load(Ordering::SeqCst), 1);
        wake.looking();
        (0..10).for_each(|_| wake.wake());
        assert_eq!(count.load(Ordering::SeqCst), 2);
    }

    #[test]
    fn a_page_is_told_of_the_desktop_and_counts_as_alive_when_it_asks() {
        let (_dir, engine) = engine();
        let border = Border::new();
        let alive = border.alive();
        assert!(!border.is_connected() && border.drain(10).notices.is_empty());
        let (count, wake) = counted();
        border.connect(engine.window(), DesktopInfo::default(), wake);
        assert!(count.load(Ordering::SeqCst) >= 1);
        assert_eq!(*alive.borrow(), 0);
        assert!(border.drain(10).notices.iter().any(|notice| matches!(notice, Notice::Desktop(_))));
        let _ = border.drain(10);
        assert_eq!(*alive.borrow(), 1, "once for each page");
    }

    #[test]
    fn a_new_page_hears_messages_but_no_answers_of_the_one_before() {
        let (_dir, engine) = engine();
        let border = Border::new();
        border.message(Level::Warning, "early".into());
        border.connect(engine.window(), DesktopInfo::default(), counted().1);
        border.answer(RequestId(1), Answer::Picked(None));
        border.connect(engine.window(), DesktopInfo::default(), counted().1);
        let notices = border.drain(10).notices;
        assert!(notices.contains(&Notice::Message(Level::Warning, "early".into())));
        assert!(!notices.iter().any(|notice| matches!(notice, Notice::Answer(..))), "{notices:?}");
    }

    #[test]
    fn an_answer_of_the_shell_wakes_the_page() {
        let (_dir, engine) = engine();
        let border = Border::new();
        let (count, wake) = counted();
        border.connect(engine.window(), DesktopInfo::default(), wake);
        let _ = border.drain(10);
        let before = count.load(Ordering::SeqCst);
        border.answer(RequestId(7), Answer::Done("Done".into()));
        assert!(count.load(Ordering::SeqCst) > before);
        assert!(border.drain(10).notices.contains(&Notice::Answer(RequestId(7), Answer::Done("Done".into()))));
    }

    #[test]
    fn what_was_clicked_on_without_a_window_is_shown_in_the_next_one() {
        let (_dir, engine) = engine();
        let border = Border::new();
        border.connect(engine.window(), DesktopInfo::default(), counted().1);
        let _ = border.drain(10);
        border.disconnect();
        assert!(!border.is_connected());
        let step = Notice::ShowStep(inspector_model::SourceId(1), inspector_model::StepId(5));
        border.tell_when_there(step.clone());
        border.tell(Notice::Desktop(Box::default()));
        border.connect(engine.window(), DesktopInfo::default(), counted().1);
        assert!(border.is_behind());
        assert!(border.drain(10).notices.contains(&step));
        assert!(!border.is_behind());
    }
}
