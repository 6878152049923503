//! What a reader keeps at hand: segments and texts that were asked for lately, up to a number of bytes.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::segment::Segment;

/// Bytes of segments.
const SEGMENTS: usize = 24 << 20;
/// Bytes of texts.
const TEXTS: usize = 16 << 20;

/// The first step of a segment and its checksum.
type SegmentId = (u64, u32);

/// Shared by the clones of a reader.
pub(crate) struct Cache {
    segments: Mutex<Recent<u64, Arc<Segment>>>,
    texts: Mutex<Recent<(SegmentId, usize, usize), Arc<str>>>,
}

impl Cache {
    pub(crate) fn new() -> Self {
        Self { segments: Mutex::new(Recent::new(SEGMENTS)), texts: Mutex::new(Recent::new(TEXTS)) }
    }

    /// The segment that begins with a step, if it reaches as far as `step`: one that was still growing may not.
    pub(crate) fn segment(&self, first: u64, step: u64) -> Option<Arc<Segment>> {
        self.segments.lock().get(&first).filter(|segment| segment.entry(step).is_some())
    }

    pub(crate) fn keep_segment(&self, segment: &Arc<Segment>) {
        self.segments.lock().insert(segment.first, segment.clone(), segment.bytes());
    }

    pub(crate) fn text(&self, segment: SegmentId, stream: usize, version: usize) -> Option<Arc<str>> {
        self.texts.lock().get(&(segment, stream, version))
    }

    pub(crate) fn keep_text(&self, segment: SegmentId, stream: usize, version: usize, text: Arc<str>) {
        let bytes = text.len() + 64;
        self.texts.lock().insert((segment, stream, version), text, bytes);
    }
}

struct Recent<K, V> {
    limit: usize,
    bytes: usize,
    clock: u64,
    entries: HashMap<K, (V, usize, u64)>,
}

impl<K: Hash + Eq + Clone, V: Clone> Recent<K, V> {
    fn new(limit: usize) -> Self {
        Self { limit, bytes: 0, clock: 0, entries: HashMap::new() }
    }

    fn get(&mut self, key: &K) -> Option<V> {
        self.clock += 1;
        let (value, _, used) = self.entries.get_mut(key)?;
        *used = self.clock;
        Some(value.clone())
    }

    /// Keeps a value. When that is too much, the half that was asked for longest ago goes at once, so that a full cache
    /// does not look for the oldest each time.
    fn insert(&mut self, key: K, value: V, bytes: usize) {
        if bytes > self.limit / 2 {
            return;
        }
        self.clock += 1;
        if let Some((_, old, _)) = self.entries.insert(key, (value, bytes, self.clock)) {
            self.bytes -= old;
        }
        self.bytes += bytes;
        if self.bytes > self.limit {
            let mut order: Vec<(u64, K)> = self.entries.iter().map(|(key, (_, _, used))| (*used, key.clone())).collect();
            order.sort_unstable_by_key(|(used, _)| *used);
            for (_, key) in order {
                if self.bytes <= self.limit / 2 {
                    break;
                }
                if let Some((_, bytes, _)) = self.entries.remove(&key) {
                    self.bytes -= bytes;
                }
            }
        }
    }
}
