//! sled behind a wall: at some damage it panics, here that is an error like any other.

use std::any::Any;
use std::collections::BTreeMap;
use std::iter::FusedIterator;
use std::ops::RangeBounds;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Mutex, RwLock};
use sled::IVec;

use crate::waiting;

/// Does something with sled. After a panic it must not be written to any more, which is up to whoever calls.
pub(crate) fn guarded<T>(work: impl FnOnce() -> sled::Result<T>) -> sled::Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(sled::Error::ReportableBug(words(&*panic))))
}

fn words(panic: &(dyn Any + Send)) -> String {
    let words = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    words.unwrap_or("it panicked").chars().take(200).collect()
}

/// No single read takes as long, on any disk that recordings are kept on.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// Who looks later than this after the last look, or never did, knows nothing of the time between: the machine may have slept.
const LATE: Duration = Duration::from_secs(5);

/// What is said of a library that sled cannot read.
const DAMAGED: &str = "the library is damaged: export what can be read of it; when it is opened again it is set aside, and a new one made";

/// Why nothing is written any more, once that is so. Shared by all who read and write.
#[derive(Clone)]
pub(crate) struct Stopped(Arc<Inner>);

struct Inner {
    why: Mutex<Option<String>>,
    /// Made when the library is found to be damaged.
    mark: PathBuf,
    inside: Mutex<Inside>,
    /// See [`crate::Store::before_each_access`].
    before: RwLock<Option<Before>>,
}

/// What is done to the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// A value or a name is looked for.
    Read,
    /// It is written or flushed.
    Other,
}

pub(crate) type Before = Box<dyn Fn(Access) -> std::io::Result<()> + Send + Sync>;

/// Who is inside of sled.
#[derive(Default)]
struct Inside {
    next: u64,
    /// Since when, by their numbers.
    since: BTreeMap<u64, Instant>,
    looked: Option<Instant>,
}

impl Stopped {
    /// Nothing is wrong. `mark` is the file to make when the library is found to be damaged.
    pub(crate) fn new(mark: PathBuf) -> Self {
        Self(Arc::new(Inner { why: Mutex::default(), mark, inside: Mutex::default(), before: RwLock::default() }))
    }

    pub(crate) fn before_each_access(&self, before: Before) {
        *self.0.before.write() = Some(before);
    }

    /// The reason, if it is so.
    pub(crate) fn why(&self) -> Option<String> {
        self.0.why.lock().clone()
    }

    /// From now on. `true` when it was not so yet.
    pub(crate) fn stop(&self, why: impl FnOnce() -> String) -> bool {
        let mut stopped = self.0.why.lock();
        let first = stopped.is_none();
        stopped.get_or_insert_with(why);
        first
    }

    /// Does something with sled, watched. Whatever cannot read what it wrote is not written to any more: sled then loops, or
    /// waits forever.
    pub(crate) fn watched<T>(&self, work: impl FnOnce() -> sled::Result<T>) -> sled::Result<T> {
        self.watched_as(Access::Other, work)
    }

    fn watched_as<T>(&self, access: Access, work: impl FnOnce() -> sled::Result<T>) -> sled::Result<T> {
        let number = {
            let mut inside = self.0.inside.lock();
            inside.next += 1;
            let number = inside.next;
            inside.since.insert(number, Instant::now());
            number
        };
        let done = self.unwatched_as(access, work);
        self.0.inside.lock().since.remove(&number);
        done
    }

    /// The same for what may take as long as the disk takes.
    pub(crate) fn unwatched<T>(&self, work: impl FnOnce() -> sled::Result<T>) -> sled::Result<T> {
        self.unwatched_as(Access::Other, work)
    }

    fn unwatched_as<T>(&self, access: Access, work: impl FnOnce() -> sled::Result<T>) -> sled::Result<T> {
        waiting::waits();
        if let Some(before) = &*self.0.before.read() {
            before(access)?;
        }
        let done = guarded(work);
        if let Err(error @ (sled::Error::Corruption { .. } | sled::Error::ReportableBug(_))) = &done {
            self.damaged(&error.to_string());
        }
        done
    }

    /// Whether somebody is inside of sled for longer than that: its tree is damaged so that there is no way out. Whoever is in
    /// there stays there.
    pub(crate) fn is_stuck(&self, patience: Duration) -> bool {
        let now = Instant::now();
        let mut inside = self.0.inside.lock();
        if inside.looked.replace(now).is_none_or(|looked| now.duration_since(looked) > LATE) {
            inside.since.values_mut().for_each(|since| *since = now);
        }
        let longest = inside.since.values().map(|since| now.duration_since(*since)).max();
        drop(inside);
        let stuck = longest.is_some_and(|longest| longest > patience);
        if stuck {
            self.damaged("it did not come back");
        }
        stuck
    }

    fn damaged(&self, error: &str) {
        if self.stop(|| DAMAGED.to_owned()) {
            tracing::error!(%error, "the database of recordings cannot read what it wrote");
            let _ = crate::private::create(&self.0.mark);
        }
    }
}

/// What can be read of sled. It has sled's own names and answers.
pub(crate) struct Reading<'a> {
    pub(crate) db: &'a sled::Db,
    pub(crate) stopped: &'a Stopped,
}

impl Reading<'_> {
    pub(crate) fn get(&self, key: impl AsRef<[u8]>) -> sled::Result<Option<IVec>> {
        self.stopped.watched_as(Access::Read, || self.db.get(key))
    }

    pub(crate) fn scan_prefix(&self, prefix: impl AsRef<[u8]>) -> Entries {
        Entries { rest: Some(self.db.scan_prefix(prefix)), last: [None, None], stopped: self.stopped.clone() }
    }

    pub(crate) fn range<K: AsRef<[u8]>>(&self, range: impl RangeBounds<K>) -> Entries {
        Entries { rest: Some(self.db.range(range)), last: [None, None], stopped: self.stopped.clone() }
    }
}

/// Keys with their values, in order. It ends with the first error: a damaged tree may lead round in a circle.
pub(crate) struct Entries {
    rest: Option<sled::Iter>,
    /// The last key from each end.
    last: [Option<IVec>; 2],
    stopped: Stopped,
}

impl Entries {
    /// Without the values.
    pub(crate) fn keys(self) -> impl Iterator<Item = sled::Result<IVec>> {
        self.map(|entry| entry.map(|(key, _)| key))
    }

    fn take(&mut self, is_back: bool) -> Option<sled::Result<(IVec, IVec)>> {
        let entries = self.rest.as_mut()?;
        let last = &mut self.last[usize::from(is_back)];
        let entry = self.stopped.watched_as(Access::Read, || {
            let entry = if is_back { entries.next_back() } else { entries.next() }.transpose()?;
            let Some((key, value)) = entry else { return Ok(None) };
            if last.replace(key.clone()).is_some_and(|last| (key <= last) != is_back || key == last) {
                return Err(sled::Error::ReportableBug("keys come in a wrong order".to_owned()));
            }
            Ok(Some((key, value)))
        });
        let entry = entry.transpose();
        if !matches!(entry, Some(Ok(_))) {
            self.rest = None;
        }
        entry
    }
}

impl Iterator for Entries {
    type Item = sled::Result<(IVec, IVec)>;

    fn next(&mut self) -> Option<Self::Item> {
        self.take(false)
    }
}

impl DoubleEndedIterator for Entries {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.take(true)
    }
}

impl FusedIterator for Entries {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error_that_says_what_it_said() {
        let error = guarded::<()>(|| panic!("page {} is torn", 7)).unwrap_err();
        assert!(error.to_string().contains("page 7 is torn"), "{error}");
        assert_eq!(guarded(|| Ok(3)).unwrap(), 3);
    }

    #[test]
    fn a_way_in_without_a_way_out_is_damage_and_marked() {
        let dir = tempfile::tempdir().unwrap();
        let stopped = Stopped::new(dir.path().join("damaged"));
        assert!(!stopped.watched(|| Ok(stopped.is_stuck(Duration::from_mins(1)))).unwrap());
        assert_eq!(stopped.why(), None);
        let patience = Duration::from_millis(1);
        stopped
            .watched(|| {
                while !stopped.is_stuck(patience) {
                    std::thread::yield_now();
                }
                Ok(())
            })
            .unwrap();
        assert!(stopped.why().is_some_and(|why| why.contains("damaged")));
        assert!(dir.path().join("damaged").exists());
    }
}
