//! Opening the library: what is damaged is set aside, what is of before there were keys is sealed, and what a full or a
//! protected disk allows is done.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use inspector_model::{RecordingId, Secret};

use crate::Progress;
use crate::convert;
use crate::database::{self, Batch, Database, RESERVE_WHILE_OPEN};
use crate::disk;
use crate::error::{ReadOnly, StoreError};
use crate::guard::guarded;
use crate::key;
use crate::keys::{self, Keys};
use crate::library::Store;
use crate::private;
use crate::trouble::{HOLDER, RESERVE, Trouble, fill, is_protected, open_database};

/// How the names of all begin that the inspector keeps in its folder.
const OURS: [&str; 9] = ["library", "reserve", "recordings", "damaged", "in-use", "inspector-", "window.ron", "desktop.json", "cache"];

/// What happened when the library was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpenReport {
    /// The library was damaged and lies here now; a new one was made.
    pub set_aside: Option<PathBuf>,
    /// What is gone of it, because its file is damaged. The rest can be read.
    pub missing: Vec<Missing>,
    /// Nothing can be recorded until the reason is gone and the library is opened again.
    pub read_only: Option<ReadOnly>,
    /// Other users of the machine could read the library. They cannot any more.
    pub made_private: bool,
    /// It was of before there were keys, and was written anew.
    pub sealed: bool,
}

/// How a library is opened.
#[derive(Clone, Copy)]
pub struct Opening<'a> {
    /// Its passphrase. One that has none is opened all the same.
    pub passphrase: Option<&'a Secret>,
    /// Is told about what takes long: a library of before there were keys is written anew, once.
    pub progress: Progress<'a>,
}

impl Default for Opening<'_> {
    fn default() -> Self {
        Self { passphrase: None, progress: &|_, _| true }
    }
}

/// What is gone of a recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// Which.
    pub id: RecordingId,
    /// Steps that it had at least.
    pub had: u64,
    /// Steps that it has. `None`: all of it is gone.
    pub has: Option<u64>,
}

impl Store {
    /// Opens the library in a folder, and makes it if there is none. One with a passphrase is refused.
    pub fn open(dir: &Path) -> Result<(Self, OpenReport), StoreError> {
        Self::open_with(dir, &Opening::default())
    }

    /// Whether the library in a folder has a passphrase. Reads nothing else of it, and does not wait for whoever has it open.
    pub fn is_encrypted(dir: &Path) -> Result<bool, StoreError> {
        Ok(keys::is_sealed(&dir.join("library"))?.unwrap_or_default())
    }

    /// Opens the library in a folder, and makes it if there is none.
    pub fn open_with(dir: &Path, opening: &Opening<'_>) -> Result<(Self, OpenReport), StoreError> {
        let mut entrance = Entrance::new(dir, opening)?;
        entrance.set_marked_aside()?;
        let db = entrance.open()?;
        let (db, keys) = entrance.unlock(db)?;
        entrance.finish(db, keys)
    }

    /// Cleans up after a kill, and finds out what is missing, unless it `is_new`.
    fn look_through(&self, is_new: bool) -> Result<Vec<Missing>, StoreError> {
        self.tidy()?;
        let missing = if is_new { Vec::new() } else { self.find_missing()? };
        let all = self.recordings()?;
        self.database().witness().begin(all.into_iter().map(|info| (info.id, info.steps)).collect());
        Ok(missing)
    }

    /// What was written down and is not there. Those that are there in part say so from now on.
    fn find_missing(&self) -> Result<Vec<Missing>, StoreError> {
        let mut missing = Vec::new();
        for (id, had) in self.database().witness().all() {
            let catalogue = self.catalogue(&id);
            let has = catalogue.as_ref().ok().map(|catalogue| catalogue.info.steps);
            if has.is_some_and(|has| has >= had) || matches!(catalogue, Err(StoreError::TooNew { .. })) {
                continue;
            }
            if let (Ok(mut catalogue), Some(has)) = (catalogue, has) {
                catalogue.damaged = Some(format!("its last {} steps are gone: the library's file was damaged", had - has));
                let mut batch = Batch::default();
                batch.insert(key::catalogue(&id), serde_json::to_vec(&catalogue).map_err(StoreError::Encode)?);
                self.database().apply(batch)?;
            }
            missing.push(Missing { id, had, has });
        }
        Ok(missing)
    }

    /// Removes what an interrupted deletion or import left, and keys of recordings that never came to be.
    fn tidy(&self) -> Result<(), StoreError> {
        let database = self.database();
        let id_of = |id: &[u8]| RecordingId::from(String::from_utf8_lossy(id).into_owned());
        for id in database.keys().remains() {
            self.remove(&id_of(&id))?;
        }
        for id in database.keys().ids() {
            let id = id_of(&id);
            if !database.contains(&key::catalogue(&id))? && database.names(&key::prefix(&id), 1)?.is_empty() {
                self.remove(&id)?;
            }
        }
        Ok(())
    }
}

/// A library that is being opened.
struct Entrance<'a> {
    /// The folder that it is in, and it itself: those of the copy, where there is one.
    dir: PathBuf,
    path: PathBuf,
    opening: &'a Opening<'a>,
    /// Read before anything is done to it: nothing is, to one that asks for a passphrase that was not given.
    keys: Option<Keys>,
    /// What one is kept under that takes the place of a damaged one, as that was.
    for_new: Option<&'a Secret>,
    /// See [`Store::with`].
    copy: Option<tempfile::TempDir>,
    report: OpenReport,
}

impl<'a> Entrance<'a> {
    fn new(dir: &Path, opening: &'a Opening<'a>) -> Result<Self, StoreError> {
        private::create_folder(dir).map_err(StoreError::io("making the library's folder", dir))?;
        convert::finish(dir)?;
        let path = dir.join("library");
        make_folder(&path)?;
        let made_private = match make_private(dir) {
            Err(error) if is_protected(&error) => false,
            mended => mended.map_err(not_private(dir))?,
        };
        let keys = keys::is_sealed(&path)?.map(|_| Keys::open(&path, opening.passphrase)).transpose()?;
        let for_new = opening.passphrase.filter(|_| keys.as_ref().is_some_and(Keys::sealed));
        let report = OpenReport { made_private, ..OpenReport::default() };
        Ok(Self { dir: dir.to_owned(), path, opening, keys, for_new, copy: None, report })
    }

    /// Sets a library aside that was found to be damaged while it was open: sled is not let into it again.
    fn set_marked_aside(&mut self) -> Result<(), StoreError> {
        let mark = self.dir.join(database::DAMAGED);
        if !mark.exists() {
            return Ok(());
        }
        // But whoever found it damaged may still read it.
        let open = File::open(self.path.join("db")).ok().filter(|file| fs2::FileExt::try_lock_exclusive(file).is_err());
        if open.is_some() {
            return Err(Trouble::Locked.into_error(&self.path));
        }
        self.set_aside()?;
        disk::remove(&mark).map_err(StoreError::io("removing the mark of the damaged library", &mark))
    }

    /// Moves a damaged library away, under a name that is free, and makes an empty folder in its place.
    fn set_aside(&mut self) -> Result<(), StoreError> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let mut aside = self.dir.join(format!("library-damaged-{now}"));
        let mut nth = 1;
        while aside.exists() {
            nth += 1;
            aside = self.dir.join(format!("library-damaged-{now}-{nth}"));
        }
        disk::rename(&self.path, &aside).map_err(StoreError::io("moving the damaged library away", &self.path))?;
        self.keys = None;
        self.report.set_aside = Some(aside);
        make_folder(&self.path)
    }

    /// An empty one, in the place of a damaged one.
    fn anew(&mut self) -> Result<sled::Db, StoreError> {
        self.set_aside()?;
        open_database(&self.path).map_err(|trouble| trouble.into_error(&self.path))
    }

    fn open(&mut self) -> Result<sled::Db, StoreError> {
        match open_database(&self.path).map_err(|trouble| trouble.or_full(&self.dir)) {
            Ok(db) => Ok(db),
            Err(Trouble::Full) => {
                self.report.read_only = Some(ReadOnly::DiskFull);
                if disk::remove(&self.dir.join("reserve")).is_err() {
                    return Err(StoreError::Full { path: self.dir.clone() });
                }
                match open_database(&self.path).map_err(|trouble| trouble.or_full(&self.dir)) {
                    Err(Trouble::Full) => Err(StoreError::Full { path: self.dir.clone() }),
                    opened => opened.map_err(|trouble| trouble.into_error(&self.path)),
                }
            }
            Err(Trouble::Damaged(why)) => {
                tracing::error!(%why, "the library is damaged and is set aside");
                self.anew()
            }
            Err(Trouble::Protected(_)) if self.path.is_dir() => {
                self.report.read_only = Some(ReadOnly::Protected);
                let folder = copied(&self.path)?;
                let path = folder.path().join("library");
                let db = open_database(&path).map_err(|trouble| trouble.into_error(&self.path))?;
                // From here on all is done in the copy.
                (self.dir, self.path) = (folder.path().to_owned(), path);
                self.copy = Some(folder);
                Ok(db)
            }
            Err(trouble) => Err(trouble.into_error(&self.path)),
        }
    }

    /// Its keys. What is of before there were any is sealed.
    fn unlock(&mut self, mut db: sled::Db) -> Result<(sled::Db, Keys), StoreError> {
        let is_sealed = match guarded(|| db.contains_key(key::SEALED)) {
            Ok(is_sealed) => is_sealed,
            Err(error) => {
                tracing::error!(%error, "the library is damaged and is set aside");
                // sled does not get to write into it any more.
                std::mem::forget(db);
                db = self.anew()?;
                false
            }
        };
        // What has keys is sealed, also where damage has taken the word for it.
        if self.keys.is_none() && !is_sealed && !db.is_empty() {
            let open = |path: &Path| open_database(path).map_err(|trouble| trouble.or_full(&self.dir).into_error(path));
            convert::seal(&self.dir, db, self.for_new, open, self.opening.progress)?;
            self.report.sealed = true;
            return Ok((open(&self.path)?, Keys::open(&self.path, self.opening.passphrase)?));
        }
        convert::clear(&self.dir)?;
        let keys = match self.keys.take() {
            Some(keys) => {
                keys.reload(self.opening.passphrase)?;
                keys
            }
            None if is_sealed => return Err(StoreError::KeysDamaged { path: self.path.join(keys::FILE) }),
            None => Keys::create(&self.path, self.for_new)?,
        };
        if !is_sealed {
            let mut batch = sled::Batch::default();
            batch.insert(key::SEALED, b"1");
            guarded(|| disk::apply(&db, batch, &self.dir).and_then(|()| disk::flush(&db, &self.dir)))?;
        }
        Ok((db, keys))
    }

    /// What is done in every open library.
    fn finish(mut self, db: sled::Db, keys: Keys) -> Result<(Store, OpenReport), StoreError> {
        private::tighten_all(&self.path).map_err(not_private(&self.path))?;
        if self.copy.is_none() {
            self.make_reserves();
            // Whoever comes while it is open is told by whom. It is no lock, so no matter if it fails.
            let _ = private::create(&self.dir.join(HOLDER)).and_then(|mut file| write!(file, "{}", std::process::id()));
        }
        let store = Store::with(Database::new(db, keys, &self.dir, self.report.read_only), self.copy.take());
        if self.report.read_only.is_some() {
            return Ok((store, self.report));
        }
        match store.look_through(self.report.set_aside.is_some()) {
            Ok(missing) => {
                self.report.missing = missing;
                Ok((store, self.report))
            }
            Err(StoreError::Damaged { what }) => {
                tracing::error!(what, "not even the list of recordings can be read: the library is set aside");
                // It is not closed, and stays what it is under its new name.
                drop(store);
                let db = self.anew()?;
                let _ = disk::remove(&self.dir.join(database::DAMAGED));
                let (db, keys) = self.unlock(db)?;
                private::tighten_all(&self.path).map_err(not_private(&self.path))?;
                let store = Store::with(Database::new(db, keys, &self.dir, None), None);
                store.look_through(true)?;
                Ok((store, self.report))
            }
            Err(error) => Err(error),
        }
    }

    /// A reserve that was given up is made again first, or the disk would be full again at once.
    fn make_reserves(&mut self) {
        let reserves = [self.dir.join("reserve"), self.dir.join(RESERVE_WHILE_OPEN)];
        let missing = reserves.iter().filter(|reserve| !reserve.exists()).count() * RESERVE;
        if database::has_no_space(&self.dir, database::MARGIN + missing as u64) {
            self.report.read_only = Some(ReadOnly::DiskFull);
        }
        for reserve in reserves {
            if self.report.read_only.is_some() {
                let _ = disk::remove(&reserve);
            } else if !reserve.exists() && fill(&reserve).is_err() {
                // Better no reserve than half of one that takes the last space.
                let _ = disk::remove(&reserve);
            }
        }
    }
}

fn make_folder(path: &Path) -> Result<(), StoreError> {
    private::create_folder(path).map_err(StoreError::io("making the library's folder", path))
}

fn not_private(path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    StoreError::io("making the library's folder private", path)
}

/// Takes from the library what others may do with it. Its folder may be one that the user has other things in: then it stays as it
/// is, and what is in it is private by itself. Whether others could have read anything.
fn make_private(dir: &Path) -> io::Result<bool> {
    let mut all_ours = true;
    let mut mended = false;
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if OURS.iter().any(|ours| name.starts_with(ours)) {
            mended |= private::tighten(&entry.path())?;
        } else {
            all_ours = false;
        }
    }
    if all_ours {
        private::tighten(dir)?;
    }
    Ok(mended)
}

/// A copy of a library: sled writes also where only is read.
fn copied(path: &Path) -> Result<tempfile::TempDir, StoreError> {
    let folder = tempfile::Builder::new().prefix("djust-inspector-").tempdir();
    let folder = folder.map_err(StoreError::io("making a folder for a copy of the library", path))?;
    let mut folders = vec![(path.to_owned(), folder.path().join("library"))];
    while let Some((from, to)) = folders.pop() {
        fs::create_dir(&to).map_err(StoreError::io("copying the library", &to))?;
        for entry in fs::read_dir(&from).map_err(StoreError::io("reading the library", &from))? {
            let entry = entry.map_err(StoreError::io("reading the library", &from))?;
            let to = to.join(entry.file_name());
            if entry.path().is_dir() {
                folders.push((entry.path(), to));
                continue;
            }
            // Not `fs::copy`, which would copy that it may not be written.
            let mut file = File::open(entry.path()).map_err(StoreError::io("reading the library", entry.path()))?;
            let mut written = File::create_new(&to).map_err(StoreError::io("copying the library", &to))?;
            io::copy(&mut file, &mut written).map_err(StoreError::io("copying the library", &to))?;
        }
    }
    Ok(folder)
}
