//! What readers keep at hand: segments and texts that were asked for lately, up to a number of bytes for all readers together.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};

use parking_lot::Mutex;

use crate::segment::Segment;

/// Bytes that all caches of the process hold.
const LIMIT: usize = 64 << 20;

/// What is larger than this part of the limit is not kept: it would push out everything else.
const LARGEST: usize = 4;

/// The caches of the process.
static ALL: LazyLock<Mutex<Recent>> = LazyLock::new(|| Mutex::new(Recent::new(LIMIT)));

/// The first step of a segment and its checksum.
type SegmentId = (u64, u32);

/// One reader's part of what is at hand, shared by its clones. Dropping it gives back what it holds.
pub(crate) struct Cache {
    number: u64,
}

impl Cache {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self { number: NEXT.fetch_add(1, Ordering::Relaxed) }
    }

    /// The segment that begins with a step, if it reaches as far as `step`: one that was still growing may not.
    pub(crate) fn segment(&self, first: u64, step: u64) -> Option<Arc<Segment>> {
        match ALL.lock().get(self.number, &Key::Segment(first)) {
            Some(Value::Segment(segment)) => Some(segment).filter(|segment| segment.entry(step).is_some()),
            Some(Value::Text(_)) | None => None,
        }
    }

    pub(crate) fn keep_segment(&self, segment: &Arc<Segment>) {
        ALL.lock().insert(self.number, Key::Segment(segment.first), Value::Segment(segment.clone()), segment.bytes());
    }

    pub(crate) fn text(&self, segment: SegmentId, stream: usize, version: usize) -> Option<Arc<str>> {
        match ALL.lock().get(self.number, &Key::Text(segment, stream, version)) {
            Some(Value::Text(text)) => Some(text),
            Some(Value::Segment(_)) | None => None,
        }
    }

    pub(crate) fn keep_text(&self, segment: SegmentId, stream: usize, version: usize, text: Arc<str>) {
        let bytes = text.len() + 64;
        ALL.lock().insert(self.number, Key::Text(segment, stream, version), Value::Text(text), bytes);
    }
}

impl Drop for Cache {
    fn drop(&mut self) {
        ALL.lock().forget(self.number);
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Key {
    Segment(u64),
    Text(SegmentId, usize, usize),
}

#[derive(Clone)]
enum Value {
    Segment(Arc<Segment>),
    Text(Arc<str>),
}

struct Entry {
    value: Value,
    bytes: usize,
    used: u64,
}

struct Recent {
    limit: usize,
    bytes: usize,
    clock: u64,
    /// By the cache's number.
    caches: HashMap<u64, HashMap<Key, Entry>>,
}

impl Recent {
    fn new(limit: usize) -> Self {
        Self { limit, bytes: 0, clock: 0, caches: HashMap::new() }
    }

    fn get(&mut self, cache: u64, key: &Key) -> Option<Value> {
        self.clock += 1;
        let entry = self.caches.get_mut(&cache)?.get_mut(key)?;
        entry.used = self.clock;
        Some(entry.value.clone())
    }

    /// Keeps a value. When that is too much, the half that was asked for longest ago goes at once, whoever's it is, so that full
    /// caches do not look for the oldest each time.
    fn insert(&mut self, cache: u64, key: Key, value: Value, bytes: usize) {
        if bytes > self.limit / LARGEST {
            return;
        }
        self.clock += 1;
        let entry = Entry { value, bytes, used: self.clock };
        if let Some(old) = self.caches.entry(cache).or_default().insert(key, entry) {
            self.bytes -= old.bytes;
        }
        self.bytes += bytes;
        if self.bytes > self.limit {
            let entries = self.caches.iter().flat_map(|(cache, entries)| entries.iter().map(|(key, entry)| (entry.used, *cache, *key)));
            let mut order: Vec<(u64, u64, Key)> = entries.collect();
            order.sort_unstable_by_key(|(used, ..)| *used);
            for (_, cache, key) in order {
                if self.bytes <= self.limit / 2 {
                    break;
                }
                if let Some(entry) = self.caches.get_mut(&cache).and_then(|entries| entries.remove(&key)) {
                    self.bytes -= entry.bytes;
                }
            }
        }
    }

    fn forget(&mut self, cache: u64) {
        let gone = self.caches.remove(&cache).unwrap_or_default();
        self.bytes -= gone.values().map(|entry| entry.bytes).sum::<usize>();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keep(recent: &mut Recent, cache: u64, version: usize, bytes: usize) {
        recent.insert(cache, Key::Text((1, 0), 0, version), Value::Text("".into()), bytes);
    }

    fn has(recent: &mut Recent, cache: u64, version: usize) -> bool {
        recent.get(cache, &Key::Text((1, 0), 0, version)).is_some()
    }

    #[test]
    fn all_caches_together_stay_within_one_limit_and_what_was_used_last_stays() {
        let mut recent = Recent::new(1_000);
        for cache in 0..50 {
            for version in 0..10 {
                keep(&mut recent, cache, version, 20);
                assert!(recent.bytes <= 1_000, "{} bytes of {cache}", recent.bytes);
            }
        }
        assert!(has(&mut recent, 49, 9) && !has(&mut recent, 0, 0));
        let held: usize = recent.caches.values().flat_map(HashMap::values).map(|entry| entry.bytes).sum();
        assert_eq!(held, recent.bytes, "what is counted is what is there");
    }

    #[test]
    fn a_cache_that_is_gone_holds_nothing_and_a_value_that_is_too_large_is_not_kept() {
        let mut recent = Recent::new(1_000);
        keep(&mut recent, 1, 1, 100);
        keep(&mut recent, 2, 1, 100);
        keep(&mut recent, 2, 2, 251);
        recent.forget(1);
        assert!(!has(&mut recent, 1, 1) && has(&mut recent, 2, 1) && !has(&mut recent, 2, 2));
        assert_eq!(recent.bytes, 100);
    }

    #[test]
    fn the_bytes_of_one_that_is_replaced_are_given_back() {
        let mut recent = Recent::new(1_000);
        keep(&mut recent, 1, 1, 100);
        keep(&mut recent, 1, 1, 40);
        assert_eq!(recent.bytes, 40);
    }
}
