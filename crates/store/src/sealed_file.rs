//! A recording file in an envelope that a passphrase opens. See `docs/RECORDING_FORMAT.md`.
//!
//! In chunks, each sealed with its number and whether it is the last one, so that none can be changed, moved, left out or cut off
//! unnoticed, and a file is read as it comes.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write as _};
use std::path::Path;

use inspector_model::Secret;

use crate::disk::{self, GrowingFile};
use crate::error::StoreError;
use crate::private;
use crate::seal::{Derivation, Key, OVERHEAD};

const MAGIC: [u8; 8] = *b"\x89DJSEAL\n";
const VERSION: u32 = 1;

/// Bytes of a chunk before it is sealed; the last one may have fewer.
const CHUNK: usize = 64 << 10;

/// Bytes before the first chunk: magic, version, how the passphrase is tried, and something sealed to try it on.
const HEADER: usize = 8 + 4 + 12 + 16 + OVERHEAD;

/// As what that something is sealed.
const TRIAL: &[u8] = b"djust-inspector file";

/// Puts a file into an envelope. It stays as it is.
pub fn seal_file(plain: &Path, sealed: &Path, passphrase: &Secret) -> Result<u64, StoreError> {
    let failed = || StoreError::io("encrypting the file", sealed);
    let how = Derivation::random()?;
    let key = how.key(passphrase)?;
    let mut input = File::open(plain).map_err(failed())?;
    let mut out = BufWriter::new(GrowingFile { file: private::create(sealed).map_err(failed())?, path: sealed });
    let mut header = Vec::with_capacity(HEADER);
    header.extend(MAGIC);
    for number in [VERSION, how.memory, how.passes, how.lanes] {
        header.extend(number.to_le_bytes());
    }
    header.extend(how.salt);
    header.extend(key.seal(TRIAL, &[])?);
    out.write_all(&header).map_err(failed())?;
    let mut bytes = header.len() as u64;
    let mut chunk = read_chunk(&mut input).map_err(failed())?;
    for number in 0.. {
        let next = read_chunk(&mut input).map_err(failed())?;
        let is_last = next.is_empty();
        let body = key.seal(&about(number, is_last), &chunk)?;
        bytes += 5 + body.len() as u64;
        out.write_all(&[u8::from(is_last)]).and_then(|()| out.write_all(&(body.len() as u32).to_le_bytes())).map_err(failed())?;
        out.write_all(&body).map_err(failed())?;
        if is_last {
            break;
        }
        chunk = next;
    }
    let file = out.into_inner().map_err(|error| failed()(error.into_error()))?;
    disk::sync(&file.file, sealed).map_err(failed())?;
    Ok(bytes)
}

fn read_chunk(input: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut chunk = Vec::with_capacity(CHUNK);
    input.take(CHUNK as u64).read_to_end(&mut chunk)?;
    Ok(chunk)
}

/// As what a chunk is sealed.
fn about(number: u64, is_last: bool) -> Vec<u8> {
    [TRIAL, &number.to_le_bytes(), &[u8::from(is_last)]].concat()
}

/// What is in a file, in an envelope or without one.
pub(crate) fn open<'a>(
    mut input: BufReader<impl Read + 'a>,
    path: &Path,
    passphrase: Option<&Secret>,
) -> Result<Box<dyn Read + 'a>, StoreError> {
    let begin = input.fill_buf().map_err(StoreError::io("reading the recording", path))?;
    if !begin.starts_with(&MAGIC) {
        return Ok(Box::new(input));
    }
    let mut header = [0; HEADER];
    input.read_exact(&mut header).map_err(|_| StoreError::damaged("its header cannot be read"))?;
    let number = |at: usize| header[at..].first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes));
    if number(8) > VERSION {
        return Err(StoreError::TooNew { found: number(8), known: VERSION });
    }
    let passphrase = passphrase.ok_or_else(|| StoreError::PassphraseNeeded { path: path.to_owned() })?;
    let salt = header[24..].first_chunk().copied().unwrap_or_default();
    let key = Derivation { memory: number(12), passes: number(16), lanes: number(20), salt }.key(passphrase)?;
    if key.open(TRIAL, &header[40..]).is_none() {
        return Err(StoreError::WrongPassphrase { path: path.to_owned() });
    }
    Ok(Box::new(Opened { input, key, number: 0, is_last: false, plain: Vec::new(), at: 0 }))
}

/// Reads what is in an envelope.
struct Opened<R> {
    input: R,
    key: Key,
    /// Of the next chunk.
    number: u64,
    is_last: bool,
    plain: Vec<u8>,
    at: usize,
}

impl<R: Read> Read for Opened<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.at == self.plain.len() {
            if self.is_last {
                return Ok(0);
            }
            self.next_chunk()?;
        }
        let count = into.len().min(self.plain.len() - self.at);
        into[..count].copy_from_slice(&self.plain[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}

impl<R: Read> Opened<R> {
    fn next_chunk(&mut self) -> io::Result<()> {
        let changed = || io::Error::new(io::ErrorKind::InvalidData, "a part of it was changed since it was encrypted");
        let mut head = [0; 5];
        self.input.read_exact(&mut head)?;
        let [last, len @ ..] = head;
        let len = u32::from_le_bytes(len) as usize;
        if last > 1 || len > CHUNK + OVERHEAD {
            return Err(changed());
        }
        let mut body = vec![0; len];
        self.input.read_exact(&mut body)?;
        self.plain = self.key.open(&about(self.number, last == 1), &body).ok_or_else(changed)?;
        self.at = 0;
        self.number += 1;
        self.is_last = last == 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open_bytes(bytes: &[u8], passphrase: Option<&Secret>) -> Result<Vec<u8>, StoreError> {
        let mut plain = Vec::new();
        let mut opened = open(BufReader::new(bytes), Path::new("a"), passphrase)?;
        opened.read_to_end(&mut plain).map_err(StoreError::io("reading", ""))?;
        Ok(plain)
    }

    #[test]
    fn an_envelope_opens_with_its_passphrase_and_every_change_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("plain"), folder.path().join("sealed"));
        let pass = Secret::from("correct horse");
        let plain: Vec<u8> = (0..2 * CHUNK + 100).map(|at| (at % 251) as u8).collect();
        std::fs::write(&from, &plain).unwrap();
        seal_file(&from, &to, &pass).unwrap();
        let sealed = std::fs::read(&to).unwrap();
        assert_eq!(open_bytes(&sealed, Some(&pass)).unwrap(), plain);
        assert_eq!(open_bytes(&plain, None).unwrap(), plain, "one without an envelope is itself");
        assert!(matches!(open_bytes(&sealed, None), Err(StoreError::PassphraseNeeded { .. })));
        assert!(matches!(open_bytes(&sealed, Some(&"wrong".into())), Err(StoreError::WrongPassphrase { .. })));

        let chunk = 5 + CHUNK + OVERHEAD;
        let moved = [&sealed[..HEADER], &sealed[HEADER + chunk..HEADER + 2 * chunk], &sealed[HEADER..HEADER + chunk]].concat();
        let left_out = [&sealed[..HEADER + chunk], &sealed[HEADER + 2 * chunk..]].concat();
        let cut = sealed[..HEADER + 2 * chunk].to_vec();
        let mut flipped = sealed.clone();
        flipped[HEADER + 2 * chunk + 30] ^= 1;
        let mut ended = sealed[..HEADER + chunk].to_vec();
        ended[HEADER] = 1;
        for (what, bytes) in [("moved", moved), ("left out", left_out), ("cut", cut), ("flipped", flipped), ("ended", ended)] {
            assert!(open_bytes(&bytes, Some(&pass)).is_err(), "{what}");
        }
    }
}
