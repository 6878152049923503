//! A piece: up to 60,000 bytes with a checksum, what sled and a file hold. And the compression of what is cut into them.

use std::cell::RefCell;
use std::io;

use zstd::stream::raw::{DParameter, Decoder, Encoder, InBuffer, Operation as _, OutBuffer};

use crate::error::StoreError;

/// The most bytes of a piece, so that a value stays below the 64 KB beyond which sled wastes space. Of what is packed alone
/// it is the size before compression, however badly that goes.
pub(crate) const PIECE: usize = 60_000;

/// Bytes of a single record that may come out of one value: those of pages and settings are not cut.
pub(crate) const LARGEST: usize = 16 << 20;

/// Bytes of a stream that are decompressed at once.
const CHUNK: usize = 256 << 10;

/// The base-2 logarithm of the largest window that a stream may ask for: our own ask for at most 4 MiB. Without it a stream of a few
/// bytes has zstd take 128 MiB.
const WINDOW_LOG: u32 = 23;

/// How much a set of values may be larger than its packed bytes. Lines of JSON that differ in nothing but a number are some fifty
/// times as large as they are packed; what somebody made to fill memory is ten thousand times.
const MOST_GROWTH: u64 = 256;
/// A few values may grow as they like.
const FREE_GROWTH: u64 = 32 << 20;

/// Counts what many values become together when they are held in memory together.
#[derive(Default)]
pub(crate) struct Growth {
    packed: u64,
    raw: u64,
}

impl Growth {
    /// Notes one more value. Refuses what only a bomb becomes.
    pub(crate) fn note(&mut self, packed: usize, raw: usize) -> Result<(), StoreError> {
        self.packed += packed as u64;
        self.raw += raw as u64;
        let most = FREE_GROWTH + MOST_GROWTH * self.packed;
        if self.raw <= most { Ok(()) } else { Err(StoreError::damaged("its values are packed as those of no recording are")) }
    }
}

/// Compression of zstd for streams that grow; higher costs more than the disk is worth.
const LEVEL: i32 = 3;

/// The same for what is compressed whole, like summaries and indexes: there is less of it, and the disk is worth more.
const LEVEL_OF_WHOLE: i32 = 9;

/// Adds the checksum.
pub(crate) fn sign(body: &[u8]) -> Vec<u8> {
    let mut value = Vec::with_capacity(body.len() + 4);
    value.extend(crc32fast::hash(body).to_le_bytes());
    value.extend_from_slice(body);
    value
}

/// Takes the checksum off.
pub(crate) fn check(value: &[u8]) -> Result<&[u8], StoreError> {
    let (sum, body) = value.split_first_chunk::<4>().ok_or_else(|| StoreError::damaged("a piece is too short"))?;
    if crc32fast::hash(body) == u32::from_le_bytes(*sum) { Ok(body) } else { Err(StoreError::damaged("a checksum does not match")) }
}

thread_local! {
    // Making one anew costs more than most pieces.
    static COMPRESSOR: RefCell<Option<zstd::bulk::Compressor<'static>>> = const { RefCell::new(None) };
    static DECOMPRESSOR: RefCell<Option<zstd::bulk::Decompressor<'static>>> = const { RefCell::new(None) };
    static DECODER: RefCell<Option<Decoder<'static>>> = const { RefCell::new(None) };
}

/// Runs with the thread's own, made when it is needed first.
fn with<T, R>(own: &RefCell<Option<T>>, make: impl FnOnce() -> io::Result<T>, run: impl FnOnce(&mut T) -> io::Result<R>) -> io::Result<R> {
    let mut own = own.borrow_mut();
    let made = match own.take() {
        Some(made) => made,
        None => make()?,
    };
    run(own.insert(made))
}

/// Compresses whole.
pub(crate) fn compress(raw: &[u8]) -> Result<Vec<u8>, StoreError> {
    COMPRESSOR
        .with(|own| with(own, || zstd::bulk::Compressor::new(LEVEL_OF_WHOLE), |compressor| compressor.compress(raw)))
        .map_err(StoreError::io("compressing", ""))
}

/// Compresses and signs.
pub(crate) fn pack(raw: &[u8]) -> Result<Vec<u8>, StoreError> {
    compress(raw).map(|body| sign(&body))
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
    let body = check(packed)?;
    DECOMPRESSOR
        .with(|own| with(own, zstd::bulk::Decompressor::new, |decompressor| decompressor.decompress(body, limit)))
        .map_err(|error| StoreError::damaged(format!("a piece cannot be decompressed: {error}")))
}

/// Compresses as a stream that can be cut off anywhere and has a flushed end now and then.
pub(crate) struct Compressor {
    encoder: Encoder<'static>,
    /// What came out since it was last taken.
    pub(crate) out: Vec<u8>,
}

impl Compressor {
    pub(crate) fn new() -> Result<Self, StoreError> {
        let encoder = Encoder::new(LEVEL).map_err(StoreError::io("compressing", ""))?;
        Ok(Self { encoder, out: Vec::new() })
    }

    /// Takes bytes in. They come out when more follow, or with [`Compressor::flush`].
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        let mut input = InBuffer::around(bytes);
        while input.pos() < bytes.len() {
            self.step(|encoder, out| encoder.run(&mut input, out))?;
        }
        Ok(())
    }

    /// Brings everything out, so that it can be read.
    pub(crate) fn flush(&mut self) -> Result<(), StoreError> {
        while self.step(Encoder::flush)? > 0 {}
        Ok(())
    }

    /// Ends the stream. The next bytes begin another.
    pub(crate) fn finish(&mut self) -> Result<(), StoreError> {
        while self.step(|encoder, out| encoder.finish(out, true))? > 0 {}
        self.encoder.reinit().map_err(StoreError::io("compressing", ""))
    }

    fn step(
        &mut self,
        run: impl FnOnce(&mut Encoder<'static>, &mut OutBuffer<'_, [u8]>) -> io::Result<usize>,
    ) -> Result<usize, StoreError> {
        let mut buffer = [0; 16 << 10];
        let mut out = OutBuffer::around(&mut buffer[..]);
        let left = run(&mut self.encoder, &mut out).map_err(StoreError::io("compressing", ""))?;
        self.out.extend_from_slice(out.as_slice());
        Ok(left)
    }
}

/// What a stream gives, as far as it goes, and what is wrong with its end if that is missing or the stream too long.
pub(crate) fn decompress(packed: &[u8], limit: usize) -> (Vec<u8>, Option<StoreError>) {
    let mut raw = Vec::new();
    let run = |decoder: &mut Decoder<'static>| -> io::Result<bool> {
        decoder.reinit()?;
        let mut input = InBuffer::around(packed);
        loop {
            // Memory is taken as bytes come, whatever the stream says of itself.
            raw.reserve(CHUNK.max(raw.len()).min(limit + 1 - raw.len()));
            let before = raw.len();
            let hint = decoder.run(&mut input, &mut OutBuffer::around_pos(&mut raw, before))?;
            if hint == 0 || raw.len() > limit {
                return Ok(hint == 0 && raw.len() <= limit);
            }
            if input.pos() == packed.len() && raw.len() == before {
                return Ok(false);
            }
        }
    };
    // What came out before an error stays in `raw`.
    let make = || {
        let mut decoder = Decoder::new()?;
        decoder.set_parameter(DParameter::WindowLogMax(WINDOW_LOG))?;
        Ok(decoder)
    };
    let damage = match DECODER.with(|own| with(own, make, run)) {
        Ok(true) => None,
        Ok(false) => Some(StoreError::damaged("a stream has no end where one should be")),
        Err(error) => Some(StoreError::damaged(format!("a stream cannot be decompressed: {error}"))),
    };
    raw.truncate(limit);
    (raw, damage)
}
