//! The keys of the library: one for each recording, in a small file beside the database.
//!
//! Nothing of a recording is ever written to the database in plain, so a recording is deleted by overwriting its key: 32 bytes, at their
//! place, at once, on a full disk too. What sled keeps of it in old segments is noise from then on. A passphrase seals the keys, not
//! the recordings: it is set, changed and taken away within a moment. `docs/RECORDING_FORMAT.md` has the bytes.
//!
//! Each key has a place of 256 bytes, within one sector of any disk: a place is overwritten or it is not. The whole file is replaced
//! by a rename when the passphrase changes, and the old one overwritten.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use inspector_model::Secret;
use parking_lot::Mutex;

use crate::disk;
use crate::error::StoreError;
use crate::private;
use crate::seal::{Derivation, KEY, Key, OVERHEAD};

/// Its name in the database's folder.
pub(crate) const FILE: &str = "keys";
const NEW_FILE: &str = "keys.new";

const MAGIC: [u8; 8] = *b"\x89DJKEYS\n";
const VERSION: u32 = 1;

/// Bytes of the header and of each place.
const PLACE: usize = 256;
/// Where a place's checksum is.
const SUM: usize = PLACE - 4;
/// The longest id, as in `key::check`.
const LONGEST_ID: usize = 64;
/// Where a place's key is.
const BODY: usize = 2 + LONGEST_ID;

/// As what the library's own key is sealed with the passphrase.
const MASTER: &[u8] = b"djust-inspector library";

/// What stands in a place.
#[derive(Clone)]
enum Place {
    Free,
    /// A key whose recording is being taken in: what is left of it after a crash is nothing.
    Arriving(Vec<u8>, Key),
    Held(Vec<u8>, Key),
    /// The key is gone, what it sealed may still be there.
    Leaving(Vec<u8>),
    /// It cannot be read. It is not used for anything else: somebody may still mend it.
    Damaged([u8; PLACE]),
}

impl Place {
    fn id(&self) -> Option<&[u8]> {
        match self {
            Self::Arriving(id, _) | Self::Held(id, _) | Self::Leaving(id) => Some(id),
            Self::Free | Self::Damaged(_) => None,
        }
    }
}

/// How the keys are kept.
enum Lock {
    /// As they are.
    Plain,
    /// Sealed with this key, which is sealed with the passphrase's.
    Sealed { master: Key, header: Box<[u8; PLACE]> },
}

/// The keys of an open library.
pub(crate) struct Keys {
    folder: PathBuf,
    inner: Mutex<Inner>,
}

struct Inner {
    lock: Lock,
    places: Vec<Place>,
    by_id: HashMap<Vec<u8>, Key>,
}

/// Whether there is a file of keys in a database's folder, and whether it asks for a passphrase.
pub(crate) fn is_sealed(folder: &Path) -> Result<Option<bool>, StoreError> {
    let path = folder.join(FILE);
    if path.exists() { Ok(Some(parse_header(&read_header(&path)?, &path)?.is_some())) } else { Ok(None) }
}

fn read_header(path: &Path) -> Result<[u8; PLACE], StoreError> {
    let mut header = [0; PLACE];
    let mut file = File::open(path).map_err(StoreError::io("reading the library's keys", path))?;
    file.read_exact(&mut header).map_err(|_| StoreError::KeysDamaged { path: path.to_owned() })?;
    Ok(header)
}

impl Keys {
    /// Makes the file, with the library's own key in it.
    pub(crate) fn create(folder: &Path, passphrase: Option<&Secret>) -> Result<Self, StoreError> {
        let own = Place::Held(Vec::new(), Key::random()?);
        let inner = Inner { lock: Lock::new(passphrase)?, by_id: HashMap::new(), places: vec![own] };
        let keys = Self { folder: folder.to_owned(), inner: Mutex::new(inner) };
        let mut inner = keys.inner.lock();
        keys.replace(&inner)?;
        inner.index();
        drop(inner);
        Ok(keys)
    }

    /// Reads the file.
    pub(crate) fn open(folder: &Path, passphrase: Option<&Secret>) -> Result<Self, StoreError> {
        let path = folder.join(FILE);
        let lock = unlock(&read_header(&path)?, &path, passphrase)?;
        let keys = Self { folder: folder.to_owned(), inner: Mutex::new(Inner { lock, places: Vec::new(), by_id: HashMap::new() }) };
        keys.reload(passphrase)?;
        Ok(keys)
    }

    /// Reads the file again: who did not hold the library yet may have read it while another changed it.
    pub(crate) fn reload(&self, passphrase: Option<&Secret>) -> Result<(), StoreError> {
        let path = self.folder.join(FILE);
        let bytes = fs::read(&path).map_err(StoreError::io("reading the library's keys", &path))?;
        let (chunks, _) = bytes.as_chunks::<PLACE>();
        let (header, chunks) = chunks.split_first().ok_or_else(|| StoreError::KeysDamaged { path: path.clone() })?;
        let mut inner = self.inner.lock();
        if inner.lock.header() != *header {
            inner.lock = unlock(header, &path, passphrase)?;
        }
        inner.places = chunks.iter().map(|bytes| inner.lock.read(bytes)).collect();
        inner.index();
        // Of a change that was interrupted.
        let _ = fs::remove_file(self.folder.join(NEW_FILE));
        Ok(())
    }

    /// The key of a recording; of the library itself for the empty id.
    pub(crate) fn get(&self, id: &[u8]) -> Option<Key> {
        self.inner.lock().by_id.get(id).cloned()
    }

    /// Makes a key for a recording, unless there is one. `arriving`: until [`Keys::settle`] nothing of it counts.
    pub(crate) fn add(&self, id: &[u8], arriving: bool) -> Result<(), StoreError> {
        let mut inner = self.inner.lock();
        if inner.by_id.contains_key(id) {
            return Ok(());
        }
        let key = Key::random()?;
        let place = if arriving { Place::Arriving(id.to_owned(), key.clone()) } else { Place::Held(id.to_owned(), key.clone()) };
        // An id has one place: that of a deletion that did not come to its end is used again.
        let of_old = inner.places.iter().position(|place| matches!(place, Place::Leaving(left) if left == id));
        let free = of_old.or_else(|| inner.places.iter().position(|place| matches!(place, Place::Free)));
        let free = free.unwrap_or(inner.places.len());
        self.write(&mut inner, free, place)?;
        inner.by_id.insert(id.to_owned(), key);
        Ok(())
    }

    /// What arrived is there as a whole.
    pub(crate) fn settle(&self, id: &[u8]) -> Result<(), StoreError> {
        let mut inner = self.inner.lock();
        match inner.place_of(id) {
            Some((at, Place::Arriving(id, key))) => self.write(&mut inner, at, Place::Held(id, key)),
            _ => Ok(()),
        }
    }

    /// Overwrites the key of a recording. When this returns, nothing that it sealed can be read by anybody any more.
    pub(crate) fn destroy(&self, id: &[u8]) -> Result<(), StoreError> {
        let mut inner = self.inner.lock();
        match inner.place_of(id) {
            Some((at, old @ (Place::Arriving(..) | Place::Held(..)))) => {
                let written = self.write(&mut inner, at, Place::Leaving(id.to_owned()));
                if written.is_err() {
                    // It may be on the disk all the same. Where it cannot be taken back, nothing more is kept under a key that may be gone.
                    if self.write(&mut inner, at, old).is_ok() {
                        return written;
                    }
                    inner.places[at] = Place::Leaving(id.to_owned());
                }
                inner.by_id.remove(id);
                written
            }
            Some((_, Place::Leaving(_))) => Ok(()),
            // A key that cannot be read might still be guessed.
            _ => match inner.places.iter().position(|place| matches!(place, Place::Damaged(bytes) if named(bytes) == Some(id))) {
                Some(at) => self.write(&mut inner, at, Place::Leaving(id.to_owned())),
                None => Ok(()),
            },
        }
    }

    /// Nothing is left of a recording whose key was destroyed: its place is free.
    pub(crate) fn release(&self, id: &[u8]) -> Result<(), StoreError> {
        let mut inner = self.inner.lock();
        match inner.place_of(id) {
            Some((at, Place::Leaving(_))) => self.write(&mut inner, at, Place::Free),
            _ => Ok(()),
        }
    }

    /// Recordings of which only remains are there: a deletion or an import was interrupted.
    pub(crate) fn remains(&self) -> Vec<Vec<u8>> {
        let inner = self.inner.lock();
        let remains = inner.places.iter().filter(|place| matches!(place, Place::Arriving(..) | Place::Leaving(_)));
        remains.filter_map(|place| place.id().map(<[u8]>::to_vec)).collect()
    }

    /// The recordings that have a key.
    pub(crate) fn ids(&self) -> Vec<Vec<u8>> {
        self.inner.lock().by_id.keys().filter(|id| !id.is_empty()).cloned().collect()
    }

    /// Whether a passphrase is needed to read them.
    pub(crate) fn sealed(&self) -> bool {
        matches!(self.inner.lock().lock, Lock::Sealed { .. })
    }

    /// Whether this is the passphrase.
    pub(crate) fn check(&self, passphrase: &Secret) -> Result<(), StoreError> {
        let path = self.folder.join(FILE);
        unlock(&read_header(&path)?, &path, Some(passphrase)).map(drop)
    }

    /// Keeps the keys under a passphrase from now on, or under none. After an error they are kept as they were.
    pub(crate) fn set_passphrase(&self, passphrase: Option<&Secret>) -> Result<(), StoreError> {
        let mut inner = self.inner.lock();
        // A new key over all: whoever knew the old passphrase and kept the old file learns none of the keys to come.
        let old = std::mem::replace(&mut inner.lock, Lock::new(passphrase)?);
        let replaced = self.replace(&inner);
        if replaced.is_err() {
            let path = self.folder.join(FILE);
            let is_new = read_header(&path).is_ok_and(|header| header == inner.lock.header());
            let new = std::mem::replace(&mut inner.lock, old);
            // It failed after the new file was in its place already. What is not said to be done is taken back; where not even that
            // can be done, what is written from now on must fit the file.
            if is_new && self.replace(&inner).is_err() && read_header(&path).is_ok_and(|header| header == new.header()) {
                inner.lock = new;
            }
            // It has all keys.
            let _ = disk::remove(&self.folder.join(NEW_FILE));
        }
        replaced
    }

    fn write(&self, inner: &mut Inner, at: usize, place: Place) -> Result<(), StoreError> {
        let path = self.folder.join(FILE);
        let failed = || StoreError::io("writing the library's keys", &path);
        let bytes = inner.lock.bytes(&place)?;
        let mut file = OpenOptions::new().write(true).open(&path).map_err(failed())?;
        file.seek(SeekFrom::Start(((at + 1) * PLACE) as u64)).map_err(failed())?;
        let grows = at == inner.places.len();
        disk::write(&file, &path, &bytes, grows).and_then(|()| disk::sync(&file, &path)).map_err(failed())?;
        if at == inner.places.len() {
            inner.places.push(place);
        } else {
            inner.places[at] = place;
        }
        Ok(())
    }

    /// Writes all beside the old file, puts it in its place, and overwrites the old one.
    fn replace(&self, inner: &Inner) -> Result<(), StoreError> {
        let (path, new) = (self.folder.join(FILE), self.folder.join(NEW_FILE));
        let failed = || StoreError::io("writing the library's keys", &path);
        // Elsewhere an open file cannot be replaced: what it held stays in what the file system has freed.
        let old = if cfg!(unix) && path.exists() { Some(OpenOptions::new().write(true).open(&path).map_err(failed())?) } else { None };
        let mut bytes = inner.lock.header().to_vec();
        for place in &inner.places {
            bytes.extend(inner.lock.bytes(place)?);
        }
        let file = private::create(&new).map_err(failed())?;
        disk::write(&file, &new, &bytes, true).and_then(|()| disk::sync(&file, &new)).map_err(failed())?;
        drop(file);
        disk::rename(&new, &path).and_then(|()| private::sync_folder(&self.folder)).map_err(failed())?;
        overwrite(old, &path).map_err(failed())
    }
}

/// Nobody finds the keys in what the file system has freed, as far as that writes where it is told to.
fn overwrite(old: Option<File>, path: &Path) -> io::Result<()> {
    let Some(mut old) = old else { return Ok(()) };
    let len = old.metadata()?.len() as usize;
    old.seek(SeekFrom::Start(0))?;
    disk::write(&old, path, &vec![0; len], false)?;
    disk::sync(&old, path)
}

impl Inner {
    fn index(&mut self) {
        self.by_id = self
            .places
            .iter()
            .filter_map(|place| match place {
                Place::Arriving(id, key) | Place::Held(id, key) => Some((id.clone(), key.clone())),
                Place::Free | Place::Leaving(_) | Place::Damaged(_) => None,
            })
            .collect();
    }

    fn place_of(&self, id: &[u8]) -> Option<(usize, Place)> {
        let at = self.places.iter().position(|place| place.id() == Some(id))?;
        Some((at, self.places[at].clone()))
    }
}

impl Lock {
    fn new(passphrase: Option<&Secret>) -> Result<Self, StoreError> {
        let Some(passphrase) = passphrase else { return Ok(Self::Plain) };
        let master = Key::random()?;
        let how = Derivation::random()?;
        let mut header = header(true);
        let numbers = [how.memory, how.passes, how.lanes];
        for (at, number) in numbers.iter().enumerate() {
            header[13 + 4 * at..17 + 4 * at].copy_from_slice(&number.to_le_bytes());
        }
        header[25..41].copy_from_slice(&how.salt);
        let sealed = how.key(passphrase)?.seal(MASTER, master.bytes())?;
        header[41..41 + sealed.len()].copy_from_slice(&sealed);
        sign(&mut header);
        Ok(Self::Sealed { master, header: Box::new(header) })
    }

    fn header(&self) -> [u8; PLACE] {
        match self {
            Self::Plain => {
                let mut header = header(false);
                sign(&mut header);
                header
            }
            Self::Sealed { header, .. } => **header,
        }
    }

    fn bytes(&self, place: &Place) -> Result<[u8; PLACE], StoreError> {
        let mut bytes = [0; PLACE];
        let state = match place {
            Place::Free => 0,
            Place::Held(..) => 1,
            Place::Arriving(..) => 2,
            Place::Leaving(_) => 3,
            Place::Damaged(bytes) => return Ok(*bytes),
        };
        bytes[0] = state;
        if let Some(id) = place.id() {
            if id.len() > LONGEST_ID {
                return Err(StoreError::NotFound { what: "recording of this id".to_owned() });
            }
            bytes[1] = id.len() as u8;
            bytes[2..2 + id.len()].copy_from_slice(id);
        }
        if let Place::Arriving(id, key) | Place::Held(id, key) = place {
            match self {
                Self::Plain => bytes[BODY..BODY + KEY].copy_from_slice(key.bytes()),
                Self::Sealed { master, .. } => {
                    bytes[BODY..BODY + KEY + OVERHEAD].copy_from_slice(&master.seal(&about(id), key.bytes())?);
                }
            }
        }
        sign(&mut bytes);
        Ok(bytes)
    }

    fn read(&self, bytes: &[u8; PLACE]) -> Place {
        let read = || {
            if !is_signed(bytes) {
                return None;
            }
            let id = named(bytes)?.to_vec();
            let key = || match self {
                Self::Plain => Key::from_bytes(&bytes[BODY..BODY + KEY]),
                Self::Sealed { master, .. } => Key::from_bytes(&master.open(&about(&id), &bytes[BODY..BODY + KEY + OVERHEAD])?),
            };
            match bytes[0] {
                0 => Some(Place::Free),
                1 => key().map(|key| Place::Held(id.clone(), key)),
                2 => key().map(|key| Place::Arriving(id.clone(), key)),
                3 => Some(Place::Leaving(id)),
                _ => None,
            }
        };
        // Nothing but zeros: the file grew, and the power failed before the place was written.
        let empty = bytes.iter().all(|byte| *byte == 0);
        if empty { Place::Free } else { read().unwrap_or(Place::Damaged(*bytes)) }
    }
}

/// The id in a place.
fn named(bytes: &[u8; PLACE]) -> Option<&[u8]> {
    bytes[2..BODY].get(..usize::from(bytes[1]))
}

/// As what the key of a recording is sealed.
fn about(id: &[u8]) -> Vec<u8> {
    [b"key of ", id].concat()
}

fn header(sealed: bool) -> [u8; PLACE] {
    let mut header = [0; PLACE];
    header[..8].copy_from_slice(&MAGIC);
    header[8..12].copy_from_slice(&VERSION.to_le_bytes());
    header[12] = u8::from(sealed);
    header
}

fn sign(bytes: &mut [u8; PLACE]) {
    let sum = crc32fast::hash(&bytes[..SUM]);
    bytes[SUM..].copy_from_slice(&sum.to_le_bytes());
}

fn is_signed(bytes: &[u8; PLACE]) -> bool {
    bytes[SUM..] == crc32fast::hash(&bytes[..SUM]).to_le_bytes()
}

/// How the passphrase becomes a key; `None` when there is none.
fn parse_header(header: &[u8; PLACE], path: &Path) -> Result<Option<Derivation>, StoreError> {
    let damaged = || StoreError::KeysDamaged { path: path.to_owned() };
    let number = |at: usize| header[at..].first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes));
    if header[..8] != MAGIC || !is_signed(header) {
        return Err(damaged());
    }
    if number(8) > VERSION {
        return Err(StoreError::TooNew { found: number(8), known: VERSION });
    }
    match header[12] {
        0 => Ok(None),
        1 => {
            let salt = header[25..].first_chunk().copied().ok_or_else(damaged)?;
            Ok(Some(Derivation { memory: number(13), passes: number(17), lanes: number(21), salt }))
        }
        _ => Err(damaged()),
    }
}

fn unlock(header: &[u8; PLACE], path: &Path, passphrase: Option<&Secret>) -> Result<Lock, StoreError> {
    let library = || path.parent().and_then(Path::parent).unwrap_or(path).to_owned();
    let Some(how) = parse_header(header, path)? else { return Ok(Lock::Plain) };
    let passphrase = passphrase.ok_or_else(|| StoreError::PassphraseNeeded { path: library() })?;
    let master = how.key(passphrase)?.open(MASTER, &header[41..41 + KEY + OVERHEAD]).and_then(|bytes| Key::from_bytes(&bytes));
    let master = master.ok_or_else(|| StoreError::WrongPassphrase { path: library() })?;
    Ok(Lock::Sealed { master, header: Box::new(*header) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(keys: &Keys) -> Vec<Vec<u8>> {
        let mut ids: Vec<_> = keys.inner.lock().by_id.keys().cloned().collect();
        ids.sort();
        ids
    }

    #[test]
    fn keys_are_there_again_and_a_destroyed_one_is_nowhere() {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::create(folder.path(), None).unwrap();
        keys.add(b"one", false).unwrap();
        keys.add(b"two", true).unwrap();
        let (one, two) = (keys.get(b"one").unwrap(), keys.get(b"two").unwrap());
        keys.destroy(b"one").unwrap();
        let bytes = fs::read(folder.path().join(FILE)).unwrap();
        let holds = |key: &Key| bytes.windows(KEY).any(|window| window == key.bytes());
        assert!(!holds(&one) && holds(&two), "the search finds what is there");

        let keys = Keys::open(folder.path(), None).unwrap();
        assert_eq!(ids(&keys), [b"".to_vec(), b"two".to_vec()]);
        assert_eq!(keys.remains(), [b"one".to_vec(), b"two".to_vec()]);
        keys.settle(b"two").unwrap();
        keys.release(b"one").unwrap();
        let len = fs::metadata(folder.path().join(FILE)).unwrap().len();
        keys.add(b"three", false).unwrap();
        assert_eq!(fs::metadata(folder.path().join(FILE)).unwrap().len(), len, "the place is used again");
        assert!(Keys::open(folder.path(), None).unwrap().remains().is_empty());
    }

    #[test]
    fn a_passphrase_is_set_changed_and_taken_away() {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::create(folder.path(), None).unwrap();
        keys.add(b"one", false).unwrap();
        let one = keys.get(b"one").unwrap();
        let (first, second) = (Secret::from("first"), Secret::from("second"));
        assert_eq!(is_sealed(folder.path()).unwrap(), Some(false));
        keys.set_passphrase(Some(&first)).unwrap();
        keys.add(b"two", false).unwrap();
        let bytes = fs::read(folder.path().join(FILE)).unwrap();
        assert!(!bytes.windows(KEY).any(|window| window == one.bytes()));
        assert!(matches!(Keys::open(folder.path(), None), Err(StoreError::PassphraseNeeded { .. })));
        assert!(matches!(Keys::open(folder.path(), Some(&second)), Err(StoreError::WrongPassphrase { .. })));
        let keys = Keys::open(folder.path(), Some(&first)).unwrap();
        assert_eq!(ids(&keys).len(), 3);
        keys.set_passphrase(Some(&second)).unwrap();
        assert!(Keys::open(folder.path(), Some(&first)).is_err());
        let keys = Keys::open(folder.path(), Some(&second)).unwrap();
        assert_eq!(keys.get(b"one").unwrap().bytes(), one.bytes());
        keys.set_passphrase(None).unwrap();
        assert_eq!(ids(&Keys::open(folder.path(), None).unwrap()).len(), 3);
    }

    #[test]
    fn a_damaged_place_costs_one_key_and_is_kept_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::create(folder.path(), None).unwrap();
        keys.add(b"one", false).unwrap();
        keys.add(b"two", false).unwrap();
        let path = folder.path().join(FILE);
        let mut bytes = fs::read(&path).unwrap();
        bytes[2 * PLACE + BODY] ^= 1;
        fs::write(&path, &bytes).unwrap();
        let keys = Keys::open(folder.path(), None).unwrap();
        assert_eq!(ids(&keys), [b"".to_vec(), b"two".to_vec()]);
        assert!(keys.remains().is_empty());
        keys.add(b"three", false).unwrap();
        keys.set_passphrase(None).unwrap();
        assert_eq!(fs::read(&path).unwrap()[2 * PLACE..3 * PLACE], bytes[2 * PLACE..3 * PLACE]);
        bytes[20] ^= 1;
        fs::write(&path, &bytes[..PLACE]).unwrap();
        assert!(matches!(Keys::open(folder.path(), None), Err(StoreError::KeysDamaged { .. })));
    }
}
