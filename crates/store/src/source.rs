//! Where a recording's values lie: in the database, or in memory when they were read from a file.

use std::collections::BTreeMap;
use std::sync::Arc;

use inspector_model::RecordingId;

use crate::database::Database;
use crate::error::StoreError;
use crate::key;
use crate::piece;
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
            Self::Database(db, _) => serde_json::from_slice(&db.reading().get(key::catalogue(id)).ok()??).ok(),
            Self::Memory(_) => None,
        }
    }

    pub(crate) fn get(&self, name: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        match self {
            Self::Database(db, prefix) => Ok(db.reading().get([prefix.as_slice(), name].concat())?.map(|value| value.to_vec())),
            Self::Memory(values) => Ok(values.get(name).cloned()),
        }
    }

    /// Calls `visit` with every value whose key begins with `start`, in order, until it says `false`.
    pub(crate) fn each(&self, start: &[u8], mut visit: impl FnMut(&[u8], &[u8]) -> Result<bool, StoreError>) -> Result<(), StoreError> {
        match self {
            Self::Database(db, prefix) => {
                for entry in db.reading().scan_prefix([prefix.as_slice(), start].concat()) {
                    let (name, value) = entry?;
                    if !visit(&name[prefix.len()..], &value)? {
                        break;
                    }
                }
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
        let end = key::data(step, u32::MAX);
        let name = match self {
            Self::Database(db, prefix) => {
                let start = [prefix.as_slice(), &[key::DATA]].concat();
                let end = [prefix.as_slice(), &end].concat();
                db.reading().range(start..=end).next_back().transpose()?.map(|(name, _)| name[prefix.len()..].to_vec())
            }
            Self::Memory(values) => values.range(vec![key::DATA]..=end).next_back().map(|(name, _)| name.clone()),
        };
        Ok(name.and_then(|name| key::parse_data(&name)).map(|(first, _)| first))
    }

    /// The bytes of a segment, up to the first piece that is missing or damaged, and what is wrong with that one.
    pub(crate) fn segment_bytes(&self, first: u64, limit: usize) -> Result<(Vec<u8>, Option<StoreError>), StoreError> {
        let mut raw = Vec::new();
        let mut damage = None;
        let mut next = 0;
        self.each(&key::data(first, 0)[..9], |name, value| {
            let unpacked = match key::parse_data(name) {
                Some((_, number)) if number == next && raw.len() < limit => piece::unpack(value),
                _ => Err(StoreError::damaged("a piece is missing")),
            };
            next += 1;
            match unpacked {
                Ok(bytes) => raw.extend(bytes),
                Err(error) => damage = Some(error),
            }
            Ok(damage.is_none())
        })?;
        Ok((raw, damage))
    }
}
