//! The best simple way to keep states: each compressed by zstd with the one before it as what it knows, whole every so many steps.

use std::io;

use zstd::zstd_safe::{CCtx, CParameter, DCtx, ErrorCode, compress_bound, get_error_name};

/// States until the next whole one: as many as a segment of the inspector has steps.
pub const EVERY: usize = 256;

/// Level of zstd, the inspector's own.
const LEVEL: i32 = 3;

/// Two to this power bytes back zstd may look: over the largest state and the one before it.
const WINDOW: u32 = 22;

/// Compresses states that stay where they are: making a compressor costs more than a small state.
pub struct Packer<'a>(CCtx<'a>);

impl<'a> Packer<'a> {
    /// One that knows nothing yet.
    pub fn new() -> io::Result<Self> {
        let mut context = CCtx::create();
        context.set_parameter(CParameter::CompressionLevel(LEVEL)).map_err(failed)?;
        context.set_parameter(CParameter::WindowLog(WINDOW)).map_err(failed)?;
        Ok(Self(context))
    }

    /// One state, with the one before it or alone.
    pub fn pack(&mut self, before: Option<&'a [u8]>, state: &[u8]) -> io::Result<Vec<u8>> {
        if let Some(before) = before {
            self.0.ref_prefix(before).map_err(failed)?;
        }
        let mut packed = Vec::with_capacity(compress_bound(state.len()));
        self.0.compress2(&mut packed, state).map_err(failed)?;
        Ok(packed)
    }
}

/// States one after the other.
#[derive(Default)]
pub struct Chain {
    packed: Vec<(Vec<u8>, usize)>,
    last: Vec<u8>,
}

impl Chain {
    /// Appends a state.
    pub fn push(&mut self, state: &[u8]) -> io::Result<()> {
        let before = (!self.packed.len().is_multiple_of(EVERY)).then_some(self.last.as_slice());
        let packed = Packer::new()?.pack(before, state)?;
        self.packed.push((packed, state.len()));
        self.last.clear();
        self.last.extend_from_slice(state);
        Ok(())
    }

    /// Bytes of all.
    pub fn bytes(&self) -> usize {
        self.packed.iter().map(|(packed, _)| packed.len()).sum()
    }

    /// One of them, from the whole one before it on.
    pub fn state(&self, number: usize) -> io::Result<Vec<u8>> {
        let mut state = Vec::new();
        let mut context = DCtx::create();
        for (nth, (packed, size)) in self.packed.iter().enumerate().take(number + 1).skip(number / EVERY * EVERY) {
            let mut next = Vec::with_capacity(*size);
            // To read, a prefix and a dictionary of plain bytes are the same; the context keeps a copy of this one.
            context.load_dictionary(if nth.is_multiple_of(EVERY) { &[] } else { &state }).map_err(failed)?;
            context.decompress(&mut next, packed).map_err(failed)?;
            state = next;
        }
        Ok(state)
    }
}

fn failed(code: ErrorCode) -> io::Error {
    io::Error::other(get_error_name(code))
}
