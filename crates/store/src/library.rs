//! The library: all recordings of one user, in one database.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use inspector_model::{RecordingId, RecordingInfo, Secret};
use parking_lot::Mutex;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::convert;
use crate::database::{self, Batch, Database, RESERVE_WHILE_OPEN};
use crate::error::{ReadOnly, StoreError, is_full};
use crate::file;
use crate::guard::{PATIENCE, guarded};
use crate::key;
use crate::keys::{self, Keys};
use crate::private;
use crate::reader::Reader;
use crate::recorder::Recorder;
use crate::source::Source;
use crate::thin::{self, Retention, Thinned};
use crate::writer::{Catalogue, Writer};
use crate::{FORMAT, Progress};

/// sled cannot be opened on a full disk, and writes a little when it reads: this much is kept beside it, twice, to be given
/// up then.
const RESERVE: usize = 3 << 20;

/// How the names of all begin that the inspector keeps in its folder.
const OURS: [&str; 9] = ["library", "reserve", "recordings", "damaged", "in-use", "inspector-", "window.ron", "desktop.json", "cache"];

/// What sled may keep in memory. Its own default is a gigabyte.
const CACHE: u64 = 32 << 20;

/// The file that says which process has the library open.
const HOLDER: &str = "in-use";

/// How long a lock is waited for.
const LOCK_WAIT: Duration = Duration::from_millis(400);

/// All recordings of one user. Clones are the same library.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    database: Database,
    /// The copy that is read instead of files that may not be written. Removed at the end.
    _copy: Option<tempfile::TempDir>,
    live: Mutex<HashMap<RecordingId, Weak<Mutex<Writer>>>>,
    importing: Mutex<()>,
}

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
        let mut report = OpenReport::default();
        let private = |path: &Path| StoreError::io("making the library's folder private", path.to_owned());
        private::create_folder(dir).map_err(StoreError::io("making the library's folder", dir))?;
        convert::finish(dir)?;
        let mut copy = None;
        let path = dir.join("library");
        private::create_folder(&path).map_err(StoreError::io("making the library's folder", &path))?;
        report.made_private = match make_private(dir) {
            Err(error) if is_protected(&error) => false,
            mended => mended.map_err(private(dir))?,
        };
        // Before it is opened: nothing is done to one that asks for a passphrase that was not given.
        let keys = keys::is_sealed(&path)?.map(|_| Keys::open(&path, opening.passphrase)).transpose()?;
        let is_encrypted = keys.as_ref().is_some_and(Keys::sealed);
        // One that takes the place of a damaged one is kept as that was.
        let for_new = opening.passphrase.filter(|_| is_encrypted);
        let reserve = dir.join("reserve");
        let mark = dir.join(database::DAMAGED);
        if mark.exists() && path.exists() {
            // sled is not let into it again; but whoever found it damaged may still read it.
            let open = File::open(path.join("db")).ok().filter(|file| fs2::FileExt::try_lock_exclusive(file).is_err());
            if open.is_some() {
                return Err(Trouble::Locked.into_error(&path));
            }
            report.set_aside = Some(set_aside(dir, &path)?);
            private::create_folder(&path).map_err(StoreError::io("making the library's folder", &path))?;
            fs::remove_file(&mark).map_err(StoreError::io("removing the mark of the damaged library", &mark))?;
        }
        let mut db = match open_database(&path).map_err(|trouble| trouble.or_full(dir)) {
            Ok(db) => db,
            Err(Trouble::Full) => {
                report.read_only = Some(ReadOnly::DiskFull);
                if fs::remove_file(&reserve).is_err() {
                    return Err(StoreError::Full { path: dir.to_owned() });
                }
                match open_database(&path).map_err(|trouble| trouble.or_full(dir)) {
                    Ok(db) => db,
                    Err(Trouble::Full) => return Err(StoreError::Full { path: dir.to_owned() }),
                    Err(trouble) => return Err(trouble.into_error(&path)),
                }
            }
            Err(Trouble::Damaged(why)) => {
                let aside = set_aside(dir, &path)?;
                tracing::error!(%why, path = %aside.display(), "the library was damaged and set aside");
                report.set_aside = Some(aside);
                private::create_folder(&path).map_err(StoreError::io("making the library's folder", &path))?;
                open_database(&path).map_err(|trouble| trouble.into_error(&path))?
            }
            Err(Trouble::Protected(_)) if path.is_dir() => {
                report.read_only = Some(ReadOnly::Protected);
                let folder = copied(&path)?;
                let db = open_database(&folder.path().join("library")).map_err(|trouble| trouble.into_error(&path))?;
                copy = Some(folder);
                db
            }
            Err(trouble) => return Err(trouble.into_error(&path)),
        };
        // Where nothing may be written, all of this is done in the copy.
        let (dir, path) = match &copy {
            Some(folder) => (folder.path(), folder.path().join("library")),
            None => (dir, path),
        };
        let mut is_sealed = guarded(|| db.contains_key(key::SEALED));
        if let Err(error) = &is_sealed {
            tracing::error!(%error, "the library was damaged and set aside");
            // sled does not get to write into it any more.
            std::mem::forget(db);
            report.set_aside = Some(set_aside(dir, &path)?);
            private::create_folder(&path).map_err(StoreError::io("making the library's folder", &path))?;
            db = open_database(&path).map_err(|trouble| trouble.into_error(&path))?;
            is_sealed = Ok(false);
        }
        let is_sealed = is_sealed?;
        // What has keys is sealed, also where damage has taken the word for it.
        if keys.is_none() && !is_sealed && !db.is_empty() {
            let open = |path: &Path| open_database(path).map_err(|trouble| trouble.or_full(dir).into_error(path));
            convert::seal(dir, db, for_new, open, opening.progress)?;
            db = open(&path)?;
            report.sealed = true;
        } else {
            convert::clear(dir)?;
        }
        let keys = match keys.filter(|_| report.set_aside.is_none() && !report.sealed) {
            Some(keys) => {
                keys.reload(opening.passphrase)?;
                keys
            }
            None if report.sealed => Keys::open(&path, opening.passphrase)?,
            None if is_sealed => return Err(StoreError::KeysDamaged { path: path.join(keys::FILE) }),
            None => Keys::create(&path, for_new)?,
        };
        if !is_sealed && !report.sealed {
            guarded(|| db.insert(key::SEALED, b"1").and_then(|_| db.flush()))?;
        }
        private::tighten_all(&path).map_err(private(&path))?;
        if let Some(copy) = copy {
            return Ok((Self::with(Database::new(db, keys, copy.path(), report.read_only), Some(copy)), report));
        }
        let reserves = [reserve, dir.join(RESERVE_WHILE_OPEN)];
        // A reserve that was given up is made again first, or the disk would be full again at once.
        let missing = reserves.iter().filter(|reserve| !reserve.exists()).count() * RESERVE;
        if database::has_no_space(dir, database::MARGIN + missing as u64) {
            report.read_only = Some(ReadOnly::DiskFull);
        }
        for reserve in reserves {
            if report.read_only.is_some() {
                let _ = fs::remove_file(&reserve);
            } else if !reserve.exists() && fill(&reserve).is_err() {
                // Better no reserve than half of one that takes the last space.
                let _ = fs::remove_file(&reserve);
            }
        }
        // Whoever comes while it is open is told by whom. It is no lock, so no matter if it fails.
        let _ = private::create(&dir.join(HOLDER)).and_then(|mut file| write!(file, "{}", std::process::id()));
        let store = Self::with(Database::new(db, keys, dir, report.read_only), None);
        if report.read_only.is_some() {
            return Ok((store, report));
        }
        match store.look_through(report.set_aside.is_some()) {
            Ok(missing) => report.missing = missing,
            Err(StoreError::Damaged { what }) => {
                tracing::error!(what, "not even the list of recordings can be read");
                // It is not closed, and stays what it is under its new name.
                drop(store);
                report.set_aside = Some(set_aside(dir, &path)?);
                let _ = fs::remove_file(&mark);
                private::create_folder(&path).map_err(StoreError::io("making the library's folder", &path))?;
                let db = open_database(&path).map_err(|trouble| trouble.into_error(&path))?;
                db.insert(key::SEALED, b"1").and_then(|_| db.flush())?;
                let keys = Keys::create(&path, for_new)?;
                private::tighten_all(&path).map_err(private(&path))?;
                let store = Self::with(Database::new(db, keys, dir, None), None);
                store.look_through(true)?;
                return Ok((store, report));
            }
            Err(error) => return Err(error),
        }
        Ok((store, report))
    }

    /// Cleans up after a kill, and finds out what is missing, unless it `is_new`.
    fn look_through(&self, is_new: bool) -> Result<Vec<Missing>, StoreError> {
        self.tidy()?;
        let missing = if is_new { Vec::new() } else { self.find_missing()? };
        let all = self.recordings()?;
        self.inner.database.witness().begin(all.into_iter().map(|info| (info.id, info.steps)).collect());
        Ok(missing)
    }

    /// What was written down and is not there. Those that are there in part say so from now on.
    fn find_missing(&self) -> Result<Vec<Missing>, StoreError> {
        let mut missing = Vec::new();
        for (id, had) in self.inner.database.witness().all() {
            let catalogue = self.catalogue(&id);
            let has = catalogue.as_ref().ok().map(|catalogue| catalogue.info.steps);
            if has.is_some_and(|has| has >= had) || matches!(catalogue, Err(StoreError::TooNew { .. })) {
                continue;
            }
            if let (Ok(mut catalogue), Some(has)) = (catalogue, has) {
                catalogue.damaged = Some(format!("its last {} steps are gone: the library's file was damaged", had - has));
                let mut batch = Batch::default();
                batch.insert(key::catalogue(&id), serde_json::to_vec(&catalogue).map_err(StoreError::Encode)?);
                self.inner.database.apply(batch)?;
            }
            missing.push(Missing { id, had, has });
        }
        Ok(missing)
    }

    /// Why nothing is written any more, if so. Call it now and then: it also finds out whether sled does not come back.
    pub fn trouble(&self) -> Option<String> {
        self.is_stuck(PATIENCE);
        self.inner.database.trouble()
    }

    /// Whether somebody waits for sled for longer than that. It is taken for damage.
    pub fn is_stuck(&self, patience: Duration) -> bool {
        self.inner.database.is_stuck(patience)
    }

    fn with(database: Database, copy: Option<tempfile::TempDir>) -> Self {
        Self { inner: Arc::new(Inner { database, _copy: copy, live: Mutex::default(), importing: Mutex::default() }) }
    }

    /// The recordings, newest first.
    pub fn recordings(&self) -> Result<Vec<RecordingInfo>, StoreError> {
        let mut all = Vec::new();
        // Taken in or deleted by half, and there may be no way to remove it now.
        let remains = self.inner.database.keys().remains();
        self.inner.database.each(b"c/", |name, value| {
            if remains.iter().any(|id| id == key::owner(name)) {
                return Ok(true);
            }
            match serde_json::from_slice::<Catalogue>(value) {
                Ok(catalogue) => {
                    let kept = self.is_kept(&catalogue.info.id);
                    all.push(match self.live(&catalogue.info.id) {
                        Some(writer) => RecordingInfo { recording: true, kept, ..writer.lock().catalogue.info.clone() },
                        None => RecordingInfo { recording: false, kept, ..catalogue.info },
                    });
                }
                // The error of what was read would quote it.
                Err(_) => tracing::warn!(name = %name.escape_ascii(), "an entry of the catalogue cannot be read"),
            }
            Ok(true)
        })?;
        all.sort_by(|a, b| b.started.total_cmp(&a.started).then_with(|| b.id.cmp(&a.id)));
        Ok(all)
    }

    /// Begins a recording. `started` is in Unix seconds.
    pub fn create(&self, title: &str, started: f64, djust: &str) -> Result<Recorder, StoreError> {
        let random = uuid::Uuid::new_v4().simple().to_string();
        self.begin(RecordingId::from(format!("{}-{}", started.max(0.0) as u64, &random[..8])), title, started, djust)
    }

    /// The same under an id that no recording has.
    pub(crate) fn begin(&self, id: RecordingId, title: &str, started: f64, djust: &str) -> Result<Recorder, StoreError> {
        self.inner.database.check_writable()?;
        let info = RecordingInfo {
            id,
            title: title.to_owned(),
            started,
            ended: started,
            steps: 0,
            bytes: 0,
            sessions: 0,
            djust: djust.to_owned(),
            format: FORMAT,
            recording: false,
            kept: false,
        };
        self.inner.database.keys().add(info.id.as_str().as_bytes(), false)?;
        let mut writer = Writer::new(&self.inner.database, Catalogue { info, damaged: None, thinned: None })?;
        writer.store(false)?;
        Ok(self.recorder(writer, Vec::new()))
    }

    /// Goes on with a recording, after a restart of the program.
    pub fn resume(&self, id: &RecordingId) -> Result<Recorder, StoreError> {
        self.inner.database.check_writable()?;
        if self.live(id).is_some() {
            return Err(StoreError::Busy { id: id.clone() });
        }
        let catalogue = self.catalogue(id)?;
        let reader = Reader::new(Source::database(&self.inner.database, id), catalogue.clone(), Weak::new());
        let steps = reader.steps()?;
        let sessions = reader.sessions()?.into_iter().map(|session| session.id).collect();
        let writer = Writer::resume(&self.inner.database, catalogue, &steps, sessions)?;
        Ok(self.recorder(writer, steps.into_iter().map(|step| step.key).filter(|key| !key.is_empty()).collect()))
    }

    /// Reads a recording, also one that is being recorded.
    pub fn read(&self, id: &RecordingId) -> Result<Reader, StoreError> {
        let live = self.live(id).map_or_else(Weak::new, |writer| Arc::downgrade(&writer));
        Ok(Reader::new(Source::database(&self.inner.database, id), self.catalogue(id)?, live))
    }

    /// Deletes a recording with everything in it. When this returns nothing of it can be read any more, by nobody and from no file
    /// of the library; what is interrupted is taken up when the library is opened next.
    pub fn delete(&self, id: &RecordingId) -> Result<(), StoreError> {
        key::check(id)?;
        if !self.inner.database.contains(&key::catalogue(id))? {
            return Err(StoreError::NotFound { what: format!("recording {id}") });
        }
        if self.live(id).is_some() {
            return Err(StoreError::Busy { id: id.clone() });
        }
        self.remove(id)
    }

    /// Removes all of a recording, whatever is there of it, in parts, so that a large one is never in memory as a whole.
    pub(crate) fn remove(&self, id: &RecordingId) -> Result<(), StoreError> {
        let database = &self.inner.database;
        let keys = database.keys();
        database.witness().forget(id);
        // First: what comes after it is only tidying up.
        keys.destroy(id.as_str().as_bytes())?;
        let mut earlier = None;
        loop {
            let mut batch = Batch::default();
            let names = database.names(&key::prefix(id), 1000)?;
            if names.is_empty() {
                break;
            }
            if names.first() == earlier.as_ref() {
                return Err(StoreError::damaged("what is removed from it does not go away"));
            }
            earlier = names.first().cloned();
            for name in names {
                batch.remove(name.as_ref());
            }
            database.apply_on_any_disk(batch)?;
        }
        let mut last = Batch::default();
        last.remove(key::catalogue(id));
        database.apply_on_any_disk(last)?;
        database.flush()?;
        keys.release(id.as_str().as_bytes())
    }

    /// Removes what an interrupted deletion or import left, and keys of recordings that never came to be.
    fn tidy(&self) -> Result<(), StoreError> {
        let database = &self.inner.database;
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

    /// Leaves at least so many bytes of the disk to others: with less free space nothing is written, and recording goes on
    /// when there is more again. There is a least that is always left.
    pub fn leave_free(&self, bytes: u64) {
        self.inner.database.leave_free(bytes);
    }

    /// Thins the recordings that nobody records, oldest first, until all together take at most so many bytes or only their
    /// ends are left, or `progress`, told in bytes, says stop. What `retention` says of a single recording's size does not
    /// matter here.
    pub fn keep_within(&self, most_bytes: u64, retention: &Retention, progress: Progress<'_>) -> Result<Thinned, StoreError> {
        let mut thinned = Thinned::default();
        let all = self.recordings()?;
        let mut bytes: u64 = all.iter().map(|info| info.bytes).sum();
        let too_many = bytes.saturating_sub(most_bytes);
        for info in all.iter().rev().filter(|info| !info.recording) {
            let mut catalogue = self.catalogue(&info.id)?;
            let source = Source::database(&self.inner.database, &info.id);
            while bytes > most_bytes
                && progress(thinned.freed.min(too_many), too_many)
                && self.live(&info.id).is_none()
                && let Some(first) = thin::next(&source, &catalogue, u64::MAX)?
            {
                let plan = thin::plan(&source, first, retention)?;
                catalogue.info.bytes = (catalogue.info.bytes + plan.after).saturating_sub(plan.before);
                let freed = thin::carry_out(&self.inner.database, &mut catalogue, first, plan)?.unwrap_or_default();
                bytes = bytes.saturating_sub(freed);
                thinned = Thinned { segments: thinned.segments + 1, freed: thinned.freed + freed };
            }
        }
        self.inner.database.flush()?;
        Ok(thinned)
    }

    /// Writes a recording to a file, which is replaced if there is one, and tells its size. After an error, also when it was
    /// cancelled, nothing is left of it.
    pub fn export(&self, id: &RecordingId, path: &Path, progress: Progress<'_>) -> Result<u64, StoreError> {
        if let Some(writer) = self.live(id) {
            writer.lock().store(false)?;
        }
        let catalogue = self.catalogue(id)?;
        file::write(path, &catalogue, &Source::database(&self.inner.database, id), progress)
    }

    /// A setting that is kept beside the recordings, as JSON.
    pub fn setting<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        let value = self.inner.database.get(&key::setting(name)).ok()??;
        serde_json::from_slice(&value).ok()
    }

    /// Keeps a setting.
    pub fn set_setting<T: Serialize>(&self, name: &str, value: &T) -> Result<(), StoreError> {
        let mut batch = Batch::default();
        batch.insert(key::setting(name), serde_json::to_vec(value).map_err(StoreError::Encode)?);
        self.inner.database.apply(batch)?;
        self.inner.database.flush()
    }

    /// Whether the library asks for a passphrase.
    pub fn has_passphrase(&self) -> bool {
        self.inner.database.keys().sealed()
    }

    /// Keeps the library under a passphrase from now on, or under none. `now` is the one that it has. A forgotten passphrase cannot be
    /// had again, and neither can what it keeps.
    pub fn set_passphrase(&self, now: Option<&Secret>, new: Option<&Secret>) -> Result<(), StoreError> {
        if new.is_some_and(Secret::is_empty) {
            return Err(StoreError::Refused { what: "a passphrase has at least one character".to_owned() });
        }
        let database = &self.inner.database;
        if database.keys().sealed() {
            let now = now.ok_or_else(|| StoreError::PassphraseNeeded { path: database.path().to_owned() })?;
            database.keys().check(now)?;
        }
        database.set_passphrase(new)
    }

    pub(crate) fn database(&self) -> &Database {
        &self.inner.database
    }

    pub(crate) fn importing(&self) -> &Mutex<()> {
        &self.inner.importing
    }

    fn recorder(&self, writer: Writer, known: Vec<String>) -> Recorder {
        let (id, catalogue) = (writer.id().clone(), writer.catalogue.clone());
        let writer = Arc::new(Mutex::new(writer));
        let reader = Reader::new(Source::database(&self.inner.database, &id), catalogue, Arc::downgrade(&writer));
        let mut live = self.inner.live.lock();
        live.retain(|_, writer| writer.strong_count() > 0);
        live.insert(id, Arc::downgrade(&writer));
        Recorder::new(self.inner.database.clone(), writer, reader, known)
    }

    fn live(&self, id: &RecordingId) -> Option<Arc<Mutex<Writer>>> {
        let writer = self.inner.live.lock().get(id)?.upgrade()?;
        let closed = writer.lock().closed;
        (!closed).then_some(writer)
    }

    pub(crate) fn catalogue(&self, id: &RecordingId) -> Result<Catalogue, StoreError> {
        key::check(id)?;
        let value = self.inner.database.get(&key::catalogue(id))?;
        let value = value.ok_or_else(|| StoreError::NotFound { what: format!("recording {id}") })?;
        let catalogue: Catalogue = serde_json::from_slice(&value).map_err(|_| StoreError::damaged("its entry in the catalogue"))?;
        if catalogue.info.format > FORMAT {
            return Err(StoreError::TooNew { found: catalogue.info.format, known: FORMAT });
        }
        Ok(catalogue)
    }
}

/// Why the database does not open, as far as it decides what to do.
enum Trouble {
    Locked,
    Full,
    Damaged(String),
    /// Its files may not be written.
    Protected(io::Error),
    Other(io::Error),
}

impl Trouble {
    /// On a full disk sled may say that it found damage, where it only could not write. Without space nothing is judged.
    fn or_full(self, dir: &Path) -> Self {
        if !matches!(self, Self::Damaged(_)) {
            return self;
        }
        let probe = dir.join("probe");
        let filled = fill(&probe);
        let _ = fs::remove_file(&probe);
        if filled.is_err_and(|error| is_full(&error)) { Self::Full } else { self }
    }

    fn into_error(self, path: &Path) -> StoreError {
        match self {
            Self::Locked => {
                let holder = path.parent().and_then(|dir| fs::read_to_string(dir.join(HOLDER)).ok());
                StoreError::Locked { by: holder.and_then(|process| process.trim().parse().ok()), path: path.to_owned() }
            }
            Self::Full => StoreError::Full { path: path.to_owned() },
            Self::Damaged(what) => StoreError::Damaged { what },
            Self::Protected(error) | Self::Other(error) => StoreError::io("opening the library", path)(error),
        }
    }
}

/// Opens it. A library that was closed a moment ago is locked until sled's threads have ended: that is waited for.
fn open_database(path: &Path) -> Result<sled::Db, Trouble> {
    let deadline = Instant::now() + LOCK_WAIT;
    loop {
        match try_open(path) {
            Err(Trouble::Locked) if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(10)),
            // sled takes a snapshot that it could not finish, on a full disk or because it was killed, for its newest one.
            // Finding damage means that it had the lock, so nobody is writing one now.
            Err(Trouble::Damaged(_)) if remove_unfinished_snapshots(path) => {}
            opened => return opened,
        }
    }
}

/// Whether there were any.
fn remove_unfinished_snapshots(path: &Path) -> bool {
    let Ok(entries) = fs::read_dir(path) else { return false };
    let mut removed = false;
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with("snap.") && name.ends_with(".generating") {
            removed |= fs::remove_file(entry.path()).is_ok();
        }
    }
    removed
}

fn try_open(path: &Path) -> Result<sled::Db, Trouble> {
    let config = sled::Config::new().path(path).cache_capacity(CACHE).flush_every_ms(None);
    // sled panics at some damage instead of saying so.
    guarded(|| config.open()).map_err(|error| match error {
        sled::Error::Io(error) if is_full(&error) => Trouble::Full,
        // sled has only words for it.
        sled::Error::Io(error) if error.to_string().contains("could not acquire lock") => Trouble::Locked,
        sled::Error::Io(error) => match error.kind() {
            io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::UnexpectedEof | io::ErrorKind::Other => {
                Trouble::Damaged(error.to_string())
            }
            _ if is_protected(&error) => Trouble::Protected(error),
            _ => Trouble::Other(error),
        },
        other => Trouble::Damaged(other.to_string()),
    })
}

fn is_protected(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
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

/// Moves a damaged library away, under a name that is free.
fn set_aside(dir: &Path, path: &Path) -> Result<PathBuf, StoreError> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let mut aside = dir.join(format!("library-damaged-{now}"));
    let mut nth = 1;
    while aside.exists() {
        nth += 1;
        aside = dir.join(format!("library-damaged-{now}-{nth}"));
    }
    fs::rename(path, &aside).map_err(StoreError::io("moving the damaged library away", path))?;
    Ok(aside)
}

fn fill(path: &Path) -> io::Result<()> {
    let mut file = private::create(path)?;
    file.write_all(&vec![0; RESERVE])?;
    file.sync_all()
}
