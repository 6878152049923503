//! What surrounds the live part of pages: stored once however many pages have it, in pieces like everything that may be
//! large.

use inspector_model::{PageShell, SessionId};
use sha2::{Digest as _, Sha256};

use crate::error::StoreError;
use crate::file::content_name;
use crate::key;
use crate::piece::{self, LARGEST, PIECE};

/// A key, and what is packed under it.
type Entry = (Vec<u8>, Vec<u8>);

/// The values of a page's shell by key: which one it has first, then the shell in pieces.
pub(crate) fn values(session: &SessionId, shell: &PageShell) -> Result<Vec<Entry>, StoreError> {
    let json = serde_json::to_vec(shell).map_err(StoreError::Encode)?;
    let name = key::shell_of(session.as_str());
    if json.len() > LARGEST || name.len() > key::LONGEST {
        return Err(StoreError::damaged("it is too large"));
    }
    let content = content_name(Sha256::new_with_prefix(&json));
    let mut values = vec![(name, piece::pack(&content.to_be_bytes())?)];
    for (raw, number) in json.chunks(PIECE).zip(0..) {
        values.push((key::shell(content, number), piece::pack(raw)?));
    }
    Ok(values)
}

/// Puts a page's shell together from the values that `get` finds.
pub(crate) fn read(
    session: &SessionId,
    get: impl Fn(&[u8]) -> Result<Option<Vec<u8>>, StoreError>,
) -> Result<Option<PageShell>, StoreError> {
    let damaged = || StoreError::damaged("what surrounds a page cannot be read");
    let Some(content) = get(&key::shell_of(session.as_str()))? else { return Ok(None) };
    let content: [u8; 16] = piece::unpack(&content)?.try_into().map_err(|_| damaged())?;
    let mut json = Vec::new();
    for number in 0.. {
        let Some(value) = get(&key::shell(u128::from_be_bytes(content), number))? else { break };
        let raw = piece::unpack(&value)?;
        let last = raw.len() < PIECE;
        json.extend(raw);
        if last || json.len() > LARGEST {
            break;
        }
    }
    serde_json::from_slice(&json).map(Some).map_err(|_| damaged())
}
