//! Sealing: what is written so that it can be read with its key only, and the key that a passphrase gives.
//!
//! XChaCha20-Poly1305, for its nonces are long enough to be random: 24 bytes before what they sealed, 16 of the tag after it. What is
//! said beside (`about`) is not in it, but must be the same when it is opened: a value that was put in another's place is none.

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::aead::{AeadInOut as _, KeyInit as _};
use chacha20poly1305::{Tag, XChaCha20Poly1305, XNonce};
use inspector_model::Secret;
use zeroize::Zeroizing;

use crate::disk;
use crate::error::StoreError;

/// Bytes of a key.
pub(crate) const KEY: usize = 32;
const NONCE: usize = 24;
const TAG: usize = 16;

/// By how many bytes sealing makes something longer.
pub(crate) const OVERHEAD: usize = NONCE + TAG;

/// A key. It is wiped from memory when nobody has it any more.
#[derive(Clone)]
pub(crate) struct Key(Zeroizing<[u8; KEY]>);

impl Key {
    /// One that nobody has had.
    pub(crate) fn random() -> Result<Self, StoreError> {
        let mut bytes = Zeroizing::new([0; KEY]);
        fill(bytes.as_mut_slice())?;
        Ok(Self(bytes))
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut key = Zeroizing::new([0; KEY]);
        if bytes.len() != KEY {
            return None;
        }
        key.copy_from_slice(bytes);
        Some(Self(key))
    }

    pub(crate) fn bytes(&self) -> &[u8; KEY] {
        &self.0
    }

    /// Seals.
    pub(crate) fn seal(&self, about: &[u8], plain: &[u8]) -> Result<Vec<u8>, StoreError> {
        let mut sealed = Vec::with_capacity(plain.len() + OVERHEAD);
        sealed.resize(NONCE, 0);
        fill(&mut sealed)?;
        sealed.extend_from_slice(plain);
        let (nonce, body) = sealed.split_at_mut(NONCE);
        let nonce = XNonce::try_from(&*nonce).map_err(|_| StoreError::damaged("a nonce has a wrong length"))?;
        let tag = XChaCha20Poly1305::new(self.0.as_slice().try_into().map_err(|_| StoreError::damaged("a key has a wrong length"))?)
            .encrypt_inout_detached(&nonce, about, body.into())
            .map_err(|_| StoreError::damaged("it is too long to be sealed"))?;
        sealed.extend_from_slice(&tag);
        Ok(sealed)
    }

    /// What was sealed. `None`: it was changed, it was sealed with another key, or as something else.
    pub(crate) fn open(&self, about: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, rest) = sealed.split_first_chunk::<NONCE>()?;
        let (body, tag) = rest.split_last_chunk::<TAG>()?;
        let mut plain = body.to_vec();
        XChaCha20Poly1305::new(self.0.as_slice().try_into().ok()?)
            .decrypt_inout_detached(&XNonce::from(*nonce), about, plain.as_mut_slice().into(), &Tag::from(*tag))
            .ok()?;
        Some(plain)
    }
}

/// Random bytes of the operating system.
pub(crate) fn fill(bytes: &mut [u8]) -> Result<(), StoreError> {
    getrandom::fill(bytes).map_err(|error| StoreError::io("asking the system for random bytes", "")(std::io::Error::other(error)))
}

/// How a key is made of a passphrase: Argon2id with these costs and this salt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Derivation {
    /// KiB of memory.
    pub(crate) memory: u32,
    /// Passes over it.
    pub(crate) passes: u32,
    /// Lanes.
    pub(crate) lanes: u32,
    pub(crate) salt: [u8; 16],
}

/// What is taken for new passphrases: the second choice of RFC 9106, 64 MiB and three passes.
const COSTS: (u32, u32, u32) = (64 << 10, 3, 4);

/// The most that is believed of a file: beyond it, it would be an attack on memory and patience.
const MOST_COSTS: (u32, u32, u32) = (1 << 20, 64, 64);

impl Derivation {
    /// With a salt of its own.
    pub(crate) fn random() -> Result<Self, StoreError> {
        let mut salt = [0; 16];
        fill(&mut salt)?;
        let (memory, passes, lanes) = if disk::is_real() { COSTS } else { (8, 1, 1) };
        Ok(Self { memory, passes, lanes, salt })
    }

    /// The key. Takes a tenth of a second or more, on purpose.
    pub(crate) fn key(&self, passphrase: &Secret) -> Result<Key, StoreError> {
        if self.memory > MOST_COSTS.0 || self.passes > MOST_COSTS.1 || self.lanes > MOST_COSTS.2 {
            return Err(StoreError::damaged("how its passphrase is to be tried is beyond all limits"));
        }
        let wrong = |error: argon2::Error| StoreError::damaged(format!("how its passphrase is to be tried: {error}"));
        let params = Params::new(self.memory, self.passes, self.lanes, Some(KEY)).map_err(wrong)?;
        let mut key = Zeroizing::new([0; KEY]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(passphrase.as_str().as_bytes(), &self.salt, key.as_mut_slice())
            .map_err(wrong)?;
        Ok(Key(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sealed_opens_with_its_key_and_its_name_only() {
        let key = Key::random().unwrap();
        let sealed = key.seal(b"r/a/1", b"plain").unwrap();
        assert_eq!(sealed.len(), 5 + OVERHEAD);
        assert_eq!(key.open(b"r/a/1", &sealed).unwrap(), b"plain");
        assert!(key.open(b"r/a/2", &sealed).is_none());
        assert!(Key::random().unwrap().open(b"r/a/1", &sealed).is_none());
        assert_ne!(key.seal(b"r/a/1", b"plain").unwrap(), sealed, "the same is not seen to be the same");
        assert_eq!(key.open(b"", &key.seal(b"", b"").unwrap()).unwrap(), b"");
    }

    #[test]
    fn any_flipped_bit_and_any_missing_byte_is_noticed() {
        let key = Key::random().unwrap();
        let sealed = key.seal(b"about", b"some text").unwrap();
        for at in 0..sealed.len() * 8 {
            let mut other = sealed.clone();
            other[at / 8] ^= 1 << (at % 8);
            assert!(key.open(b"about", &other).is_none(), "bit {at}");
        }
        for len in 0..sealed.len() {
            assert!(key.open(b"about", &sealed[..len]).is_none(), "{len} bytes");
        }
    }

    #[test]
    fn a_passphrase_gives_the_same_key_again_and_with_another_salt_another() {
        let (one, two) =
            (Derivation { memory: 64, passes: 1, lanes: 1, salt: [1; 16] }, Derivation { memory: 64, passes: 1, lanes: 1, salt: [2; 16] });
        let pass = Secret::from("correct horse");
        assert_eq!(one.key(&pass).unwrap().bytes(), one.key(&pass).unwrap().bytes());
        assert_ne!(one.key(&pass).unwrap().bytes(), two.key(&pass).unwrap().bytes());
        assert_ne!(one.key(&pass).unwrap().bytes(), one.key(&Secret::from("correct hors")).unwrap().bytes());
        let hostile = Derivation { memory: u32::MAX, ..one };
        assert!(hostile.key(&pass).is_err(), "a file does not choose how much memory is taken");
    }
}
