//! Where a recording's values lie: in the database, or in memory when they were read from a file.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use inspector_model::{RecordingId, Step};

use crate::database::Database;
use crate::error::StoreError;
use crate::index;
use crate::key;
use crate::piece;
use crate::segment::{LARGEST, Segment};
use crate::splice::Dialect;
use crate::summaries;
use crate::writer::Catalogue;

/// Values by key, without the recording's prefix.
#[derive(Clone)]
pub(crate) enum Source {
    /// In the database, under a prefix.
    Database(Database, Vec<u8>),
    /// In memory.
    Memory(Arc<BTreeMap<Vec<u8>, Vec<u8>>>),
}

impl Source {
    pub(crate) fn database(db: &Database, id: &RecordingId) -> Self {
        Self::Database(db.clone(), key::prefix(id))
    }

    /// The catalogue's entry as it is now. Recordings in memory have none.
    pub(crate) fn catalogue(&self, id: &RecordingId) -> Option<Catalogue> {
        match self {
            Self::Database(db, _) => serde_json::from_slice(&db.get(&key::catalogue(id)).ok()??).ok(),
            Self::Memory(_) => None,
        }
    }

    pub(crate) fn get(&self, name: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        match self {
            Self::Database(db, prefix) => db.get(&[prefix.as_slice(), name].concat()),
            Self::Memory(values) => Ok(values.get(name).cloned()),
        }
    }

    /// Calls `visit` with every value whose key begins with `start`, in order, until it says `false`.
    pub(crate) fn each(&self, start: &[u8], mut visit: impl FnMut(&[u8], &[u8]) -> Result<bool, StoreError>) -> Result<(), StoreError> {
        match self {
            Self::Database(db, prefix) => {
                return db.each(&[prefix.as_slice(), start].concat(), |name, value| visit(&name[prefix.len()..], value));
            }
            Self::Memory(values) => {
                for (name, value) in values.range(start.to_vec()..).take_while(|(name, _)| name.starts_with(start)) {
                    if !visit(name, value)? {
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    /// The first step of the segment that holds `step`.
    pub(crate) fn segment_of(&self, step: u64) -> Result<Option<u64>, StoreError> {
        let of = |kind: u8| -> Result<Option<u64>, StoreError> {
            let end = key::piece(kind, step.min(key::LAST_STEP), u32::MAX);
            let name = match self {
                Self::Database(db, prefix) => {
                    let start = [prefix.as_slice(), &[kind]].concat();
                    let end = [prefix.as_slice(), &end].concat();
                    db.last_name(start..=end)?.map(|name| name[prefix.len()..].to_vec())
                }
                Self::Memory(values) => values.range(vec![kind]..=end).next_back().map(|(name, _)| name.clone()),
            };
            Ok(name.and_then(|name| key::parse_first(&name)))
        };
        // A recording of format 1 that was continued has both.
        Ok(of(key::SEGMENT)?.max(of(key::SEGMENT_1)?))
    }

    /// The first step of the segment after the one that begins with `first`; of the first segment for 0. It is larger than `first`,
    /// whatever the keys are, so that whoever goes from one to the next comes to an end.
    pub(crate) fn segment_after(&self, first: u64) -> Result<Option<u64>, StoreError> {
        if first >= key::LAST_STEP {
            return Ok(None);
        }
        let of = |kind: u8| -> Result<Option<u64>, StoreError> {
            let (start, end) = (key::piece(kind, first + 1, 0), key::piece(kind, key::LAST_STEP, u32::MAX));
            let name = match self {
                Self::Database(db, prefix) => {
                    let (start, end) = ([prefix.as_slice(), &start].concat(), [prefix.as_slice(), &end].concat());
                    db.first_name(start..=end)?.map(|name| name[prefix.len()..].to_vec())
                }
                Self::Memory(values) => values.range(start..=end).next().map(|(name, _)| name.clone()),
            };
            Ok(name.and_then(|name| key::parse_first(&name)))
        };
        let next = of(key::SEGMENT)?.into_iter().chain(of(key::SEGMENT_1)?).min();
        // Of a damaged tree not even the order of its keys is believed.
        if next.is_some_and(|next| next <= first) { Err(StoreError::damaged("its segments are not in order")) } else { Ok(next) }
    }

    /// The piece of the summaries that a step is in; `None` when it would be in those of format 1.
    pub(crate) fn summary_of(&self, step: u64) -> Result<Option<u64>, StoreError> {
        let step = step.clamp(1, key::LAST_STEP);
        let name = match self {
            Self::Database(db, prefix) => {
                let (start, end) = ([prefix.as_slice(), &key::summary(1)].concat(), [prefix.as_slice(), &key::summary(step)].concat());
                db.last_name(start..=end)?.map(|name| name[prefix.len()..].to_vec())
            }
            Self::Memory(values) => values.range(key::summary(1)..=key::summary(step)).next_back().map(|(name, _)| name.clone()),
        };
        Ok(name.and_then(|name| key::parse_summary(&name)))
    }

    /// Calls `visit` with every piece of the summaries from one on, until it says `false`.
    pub(crate) fn each_summary(&self, first: u64, mut visit: impl FnMut(u64, &[u8]) -> Result<bool, StoreError>) -> Result<(), StoreError> {
        let mut each = |name: &[u8], value: &[u8]| key::parse_summary(name).map_or(Ok(false), |first| visit(first, value));
        let (first, end) = (first.clamp(1, key::LAST_STEP), key::summary(key::LAST_STEP));
        match self {
            Self::Database(db, prefix) => {
                let (start, end) = ([prefix.as_slice(), &key::summary(first)].concat(), [prefix.as_slice(), &end].concat());
                return db.each_in(start..=end, |name, value| each(&name[prefix.len()..], value));
            }
            Self::Memory(values) => {
                for (name, value) in values.range(key::summary(first)..=end) {
                    if !each(name, value)? {
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    /// The summaries of some steps, as far as they are stored.
    pub(crate) fn summaries(&self, range: Range<u64>) -> Result<Vec<Step>, StoreError> {
        summaries::read(self, range, &[])
    }

    /// A segment as far as it can be read. The pieces after one that is missing or damaged are not.
    pub(crate) fn segment(&self, first: u64) -> Result<Segment, StoreError> {
        let (raw, _) = self.stream(key::SEGMENT, first, LARGEST)?;
        if !raw.is_empty() {
            return Ok(Segment::complete(first, raw, Dialect::Second));
        }
        let mut raw = Vec::new();
        self.pieces(key::SEGMENT_1, first, LARGEST, |value| {
            raw.extend(piece::unpack(value)?);
            Ok(raw.len())
        })?;
        Ok(Segment::complete(first, raw, Dialect::First))
    }

    /// Whether the index of a segment is stored.
    pub(crate) fn has_index(&self, first: u64) -> Result<bool, StoreError> {
        let name = key::piece(key::INDEX, first, 0);
        match self {
            Self::Database(db, prefix) => db.contains(&[prefix.as_slice(), &name].concat()),
            Self::Memory(values) => Ok(values.contains_key(&name)),
        }
    }

    /// The stored index of a segment, as its bytes. `None` when there is none that is whole.
    pub(crate) fn index_bytes(&self, first: u64) -> Result<Option<Vec<u8>>, StoreError> {
        let (raw, damage) = self.stream(key::INDEX, first, index::LARGEST)?;
        Ok(Some(raw).filter(|raw| !raw.is_empty() && damage.is_none()))
    }

    /// Bytes that the stored index of a segment takes.
    pub(crate) fn index_len(&self, first: u64) -> Result<usize, StoreError> {
        let mut len = 0;
        self.each(&key::piece(key::INDEX, first, 0)[..9], |_, value| {
            len += value.len();
            Ok(true)
        })?;
        Ok(len)
    }

    /// The log of a segment whose index is stored.
    pub(crate) fn log(&self, first: u64) -> Result<Vec<u8>, StoreError> {
        Ok(self.stream(key::LOG, first, LARGEST)?.0)
    }

    /// A stream put together from its pieces and decompressed, as far as it goes, and what is wrong with the rest.
    fn stream(&self, kind: u8, first: u64, limit: usize) -> Result<(Vec<u8>, Option<StoreError>), StoreError> {
        let mut packed = Vec::new();
        let damage = self.pieces(kind, first, limit, |value| {
            packed.extend_from_slice(piece::check(value)?);
            Ok(packed.len())
        })?;
        if packed.is_empty() {
            return Ok((Vec::new(), damage));
        }
        let (raw, cut) = piece::decompress(&packed, limit);
        Ok((raw, damage.or(cut)))
    }

    /// Calls `take` with piece after piece, up to the first that is missing or that it refuses. `take` says how many bytes
    /// there are by then.
    fn pieces(
        &self,
        kind: u8,
        first: u64,
        limit: usize,
        mut take: impl FnMut(&[u8]) -> Result<usize, StoreError>,
    ) -> Result<Option<StoreError>, StoreError> {
        let mut damage = None;
        let mut next = 0;
        self.each(&key::piece(kind, first, 0)[..9], |name, value| {
            let taken = match key::parse_piece(name) {
                Some((_, number)) if number == next => take(value),
                _ => Err(StoreError::damaged("a piece is missing")),
            };
            next += 1;
            match taken {
                Ok(bytes) if bytes <= limit => {}
                Ok(_) => damage = Some(StoreError::damaged("a segment is too large")),
                Err(error) => damage = Some(error),
            }
            Ok(damage.is_none())
        })?;
        Ok(damage)
    }
}
