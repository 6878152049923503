//! A piece: up to 60,000 bytes, compressed, with a checksum. What sled and a file hold.

use crate::error::StoreError;

/// Bytes before compression. However badly they compress, the value stays below the 64 KB beyond which sled wastes space.
pub(crate) const PIECE: usize = 60_000;

/// Bytes of a single record that may come out of one value: those of pages and settings are not cut.
pub(crate) const LARGEST: usize = 16 << 20;

/// Compression of zstd; higher costs more than the disk is worth.
const LEVEL: i32 = 3;

/// Compresses and signs.
pub(crate) fn pack(raw: &[u8]) -> Result<Vec<u8>, StoreError> {
    let mut packed = vec![0; 4];
    packed.extend(zstd::bulk::compress(raw, LEVEL).map_err(StoreError::io("compressing", ""))?);
    let sum = crc32fast::hash(&packed[4..]);
    packed[..4].copy_from_slice(&sum.to_le_bytes());
    Ok(packed)
}

/// What was packed. Refuses what would grow beyond a piece.
pub(crate) fn unpack(packed: &[u8]) -> Result<Vec<u8>, StoreError> {
    unpack_up_to(packed, PIECE)
}

/// What was packed whole, like a page's description.
pub(crate) fn unpack_record(packed: &[u8]) -> Result<Vec<u8>, StoreError> {
    unpack_up_to(packed, LARGEST)
}

fn unpack_up_to(packed: &[u8], limit: usize) -> Result<Vec<u8>, StoreError> {
    let (sum, body) = packed.split_first_chunk::<4>().ok_or_else(|| StoreError::damaged("a piece is too short"))?;
    if crc32fast::hash(body) != u32::from_le_bytes(*sum) {
        return Err(StoreError::damaged("a checksum does not match"));
    }
    zstd::bulk::decompress(body, limit).map_err(|error| StoreError::damaged(format!("a piece cannot be decompressed: {error}")))
}
