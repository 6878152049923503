//! sled behind a wall: at some damage it panics, here that is an error like any other.

use std::any::Any;
use std::iter::FusedIterator;
use std::ops::RangeBounds;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use parking_lot::Mutex;
use sled::IVec;

/// Does something with sled. After a panic it must not be written to any more, which is up to whoever calls.
pub(crate) fn guarded<T>(work: impl FnOnce() -> sled::Result<T>) -> sled::Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(sled::Error::ReportableBug(words(&*panic))))
}

fn words(panic: &(dyn Any + Send)) -> String {
    let words = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    words.unwrap_or("it panicked").chars().take(200).collect()
}

/// Why nothing is written any more, once that is so. Shared by all who read and write.
#[derive(Clone, Default)]
pub(crate) struct Stopped(Arc<Mutex<Option<String>>>);

impl Stopped {
    /// The reason, if it is so.
    pub(crate) fn why(&self) -> Option<String> {
        self.0.lock().clone()
    }

    /// From now on. `true` when it was not so yet.
    pub(crate) fn stop(&self, why: impl FnOnce() -> String) -> bool {
        let mut stopped = self.0.lock();
        let first = stopped.is_none();
        stopped.get_or_insert_with(why);
        first
    }

    /// Reads. Whatever cannot read what it wrote is not written to any more: sled then loops, or waits forever.
    fn read<T>(&self, work: impl FnOnce() -> sled::Result<T>) -> sled::Result<T> {
        let read = guarded(work);
        if let Err(error @ (sled::Error::Corruption { .. } | sled::Error::ReportableBug(_))) = &read
            && self.stop(|| "the library is damaged; export what can be read of it, then move its folder away and start again".to_owned())
        {
            tracing::error!(%error, "the database of recordings cannot read what it wrote");
        }
        read
    }
}

/// What can be read of sled. It has sled's own names and answers.
pub(crate) struct Reading<'a> {
    pub(crate) db: &'a sled::Db,
    pub(crate) stopped: &'a Stopped,
}

impl Reading<'_> {
    pub(crate) fn get(&self, key: impl AsRef<[u8]>) -> sled::Result<Option<IVec>> {
        self.stopped.read(|| self.db.get(key))
    }

    pub(crate) fn scan_prefix(&self, prefix: impl AsRef<[u8]>) -> Entries {
        Entries { entries: Some(self.db.scan_prefix(prefix)), stopped: self.stopped.clone() }
    }

    pub(crate) fn range<K: AsRef<[u8]>>(&self, range: impl RangeBounds<K>) -> Entries {
        Entries { entries: Some(self.db.range(range)), stopped: self.stopped.clone() }
    }
}

/// Keys with their values. It ends with the first error.
pub(crate) struct Entries {
    entries: Option<sled::Iter>,
    stopped: Stopped,
}

impl Entries {
    /// Without the values.
    pub(crate) fn keys(self) -> impl Iterator<Item = sled::Result<IVec>> {
        self.map(|entry| entry.map(|(key, _)| key))
    }

    fn take(&mut self, next: impl FnOnce(&mut sled::Iter) -> Option<sled::Result<(IVec, IVec)>>) -> Option<sled::Result<(IVec, IVec)>> {
        let entries = self.entries.as_mut()?;
        let entry = self.stopped.read(|| next(entries).transpose()).transpose();
        if !matches!(entry, Some(Ok(_))) {
            self.entries = None;
        }
        entry
    }
}

impl Iterator for Entries {
    type Item = sled::Result<(IVec, IVec)>;

    fn next(&mut self) -> Option<Self::Item> {
        self.take(Iterator::next)
    }
}

impl DoubleEndedIterator for Entries {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.take(DoubleEndedIterator::next_back)
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
}
