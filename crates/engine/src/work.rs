//! Long work: how far it is, and how it is stopped.
//!
//! A [`Job`] is made when work begins, asked now and then whether to go on, and dropped when the work has ended, however it
//! did. Windows are told of what has lasted for a moment, some times a second, and that it is over.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use inspector_model::{RequestId, Work, WorkId};
use parking_lot::Mutex;

use crate::outbox::{Mailbox, Outbox};

/// Work that ends sooner is not told of: a line that flashes up says nothing.
const TOLD_AFTER: Duration = Duration::from_millis(300);

/// Windows are told this often at most.
const TOLD_EVERY: Duration = Duration::from_millis(200);

/// The long work that is under way.
pub struct Works {
    outbox: Arc<Outbox>,
    next: AtomicU64,
    /// The engine is ending: all work stops.
    ending: AtomicBool,
    running: Mutex<Running>,
}

#[derive(Default)]
struct Running {
    all: BTreeMap<WorkId, Entry>,
    told: Option<Instant>,
}

struct Entry {
    words: String,
    done: u64,
    of: u64,
    begun: Instant,
    told: bool,
    by: Option<Asker>,
    cancelled: Arc<AtomicBool>,
}

/// Whose request it is.
#[derive(Clone)]
pub struct Asker {
    /// The window.
    pub by: Arc<Mailbox>,
    /// Its number for it.
    pub id: RequestId,
}

/// Work that is under way. Dropped, it is over.
pub struct Job {
    works: Arc<Works>,
    id: WorkId,
    cancelled: Arc<AtomicBool>,
}

impl Works {
    /// Nothing is under way.
    pub fn new(outbox: Arc<Outbox>) -> Self {
        Self { outbox, next: AtomicU64::new(1), ending: AtomicBool::new(false), running: Mutex::default() }
    }

    /// Begins something. `words` say what.
    pub fn begin(self: &Arc<Self>, words: String, by: Option<Asker>) -> Job {
        let id = WorkId(self.next.fetch_add(1, Ordering::Relaxed));
        let cancelled = Arc::new(AtomicBool::new(false));
        let entry = Entry { words, done: 0, of: 0, begun: Instant::now(), told: false, by, cancelled: cancelled.clone() };
        self.running.lock().all.insert(id, entry);
        Job { works: self.clone(), id, cancelled }
    }

    /// Asks work to stop. What it is, or `None` when it is over already.
    pub fn cancel(&self, id: WorkId) -> Option<String> {
        let running = self.running.lock();
        let entry = running.all.get(&id)?;
        entry.cancelled.store(true, Ordering::Relaxed);
        Some(entry.words.clone())
    }

    /// Asks all work to stop, also what begins from now on.
    pub fn end(&self) {
        self.ending.store(true, Ordering::Relaxed);
    }

    fn progress(&self, id: WorkId, done: u64, of: u64) {
        let mut running = self.running.lock();
        let Some(entry) = running.all.get_mut(&id) else { return };
        entry.done = done;
        entry.of = of;
        let now = Instant::now();
        if !entry.told && now - entry.begun < TOLD_AFTER {
            return;
        }
        entry.told = true;
        if running.told.is_none_or(|told| now - told >= TOLD_EVERY) {
            running.told = Some(now);
            self.tell(&running);
        }
    }

    fn over(&self, id: WorkId) {
        let mut running = self.running.lock();
        if running.all.remove(&id).is_some_and(|entry| entry.told) {
            self.tell(&running);
        }
    }

    /// While it is locked, so that what is told last is how it is.
    fn tell(&self, running: &Running) {
        let told = running.all.iter().filter(|(_, entry)| entry.told).map(|(id, entry)| {
            let work = Work { id: *id, words: entry.words.clone(), done: entry.done, of: entry.of, request: None };
            (work, entry.by.clone())
        });
        self.outbox.work(told.collect());
    }
}

impl Job {
    /// Tells how much is done, and says whether to go on. Costs little: called for each step.
    pub fn goes_on(&self, done: u64, of: u64) -> bool {
        self.works.progress(self.id, done, of);
        !self.cancelled.load(Ordering::Relaxed) && !self.works.ending.load(Ordering::Relaxed)
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        self.works.over(self.id);
    }
}

#[cfg(test)]
mod tests {
    use inspector_model::{Handle as _, Notice};
    use tokio::sync::mpsc;

    use super::*;

    fn told(window: &crate::Window) -> Vec<Vec<Work>> {
        let mut notices = Vec::new();
        window.drain(100, &mut notices);
        notices.into_iter().filter_map(|notice| if let Notice::Work(work) = notice { Some(work) } else { None }).collect()
    }

    /// As if it had begun long ago.
    fn age(works: &Works) {
        let mut running = works.running.lock();
        running.told = None;
        for entry in running.all.values_mut() {
            entry.begun = entry.begun.checked_sub(TOLD_AFTER).unwrap();
        }
    }

    #[test]
    fn short_work_is_never_told_and_long_work_until_it_is_over() {
        let outbox = Arc::new(Outbox::default());
        let window = outbox.window(mpsc::channel(1).0);
        let works = Arc::new(Works::new(outbox));
        let job = works.begin("Importing shop".into(), None);
        assert!(job.goes_on(1, 10));
        drop(job);
        assert_eq!(told(&window), Vec::<Vec<Work>>::new());

        let job = works.begin("Importing shop".into(), None);
        age(&works);
        assert!(job.goes_on(3, 10));
        for done in 4..9 {
            assert!(job.goes_on(done, 10));
        }
        let seen = told(&window);
        assert_eq!(seen.len(), 1, "the rest within the same moment is not worth a notice");
        assert_eq!((seen[0][0].words.as_str(), seen[0][0].done, seen[0][0].part()), ("Importing shop", 3, Some(0.3)));
        drop(job);
        assert_eq!(told(&window), [Vec::new()]);
    }

    #[test]
    fn only_the_window_that_asked_knows_its_request() {
        let outbox = Arc::new(Outbox::default());
        let (one, two) = (outbox.window(mpsc::channel(1).0), outbox.window(mpsc::channel(1).0));
        let works = Arc::new(Works::new(outbox.clone()));
        let asker = Asker { by: one.mailbox().clone(), id: RequestId(7) };
        let job = works.begin("Exporting shop".into(), Some(asker));
        age(&works);
        assert!(job.goes_on(0, 0));
        let request = |window| told(window)[0][0].request;
        assert_eq!((request(&one), request(&two)), (Some(RequestId(7)), None));
        let late = outbox.window(mpsc::channel(1).0);
        assert_eq!(told(&late)[0][0].words, "Exporting shop", "a window that is loaded again is told");
        drop(job);
        assert!(told(&outbox.window(mpsc::channel(1).0)).is_empty());
    }

    #[test]
    fn what_is_cancelled_stops_and_the_others_go_on() {
        let works = Arc::new(Works::new(Arc::default()));
        let (one, two) = (works.begin("One".into(), None), works.begin("Two".into(), None));
        assert_eq!(works.cancel(one.id).as_deref(), Some("One"));
        assert!(!one.goes_on(1, 2) && two.goes_on(1, 2));
        let gone = one.id;
        drop(one);
        assert_eq!(works.cancel(gone), None);
        works.end();
        assert!(!two.goes_on(2, 2));
    }
}
