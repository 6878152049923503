//! Sealing a library of before there were keys: written anew beside the old one, which is deleted after it.
//!
//! The steps are names of folders, so that a crash leaves either the old library or the new one: `library-new` while it is written,
//! `library-sealed` when it is whole, and then it takes the place of `library`, which is `library-plain` until it is deleted.

use std::fs;
use std::path::Path;

use inspector_model::Secret;

use crate::Progress;
use crate::error::StoreError;
use crate::key;
use crate::keys::Keys;
use crate::private;

/// Bytes that are written at once.
const BATCH: usize = 1 << 20;

/// Takes up what a crash left at the only moment at which there is no library. Before anybody opens it.
pub(crate) fn finish(dir: &Path) -> Result<(), StoreError> {
    let (library, sealed) = (dir.join("library"), dir.join("library-sealed"));
    if !library.exists() && sealed.exists() {
        fs::rename(&sealed, &library).map_err(StoreError::io("putting the sealed library in its place", &library))?;
    }
    Ok(())
}

/// Removes what earlier attempts left. For who holds the library.
pub(crate) fn clear(dir: &Path) -> Result<(), StoreError> {
    for name in ["library-new", "library-sealed", "library-plain"] {
        let path = dir.join(name);
        if path.exists() {
            fs::remove_dir_all(&path).map_err(StoreError::io("removing what is left of a library", &path))?;
        }
    }
    Ok(())
}

/// Puts a sealed library in the place of a plain one, which is closed. Neither is open afterwards.
pub(crate) fn seal(
    dir: &Path,
    plain: sled::Db,
    passphrase: Option<&Secret>,
    open: impl Fn(&Path) -> Result<sled::Db, StoreError>,
    progress: Progress<'_>,
) -> Result<(), StoreError> {
    clear(dir)?;
    let new = dir.join("library-new");
    let failed = || StoreError::io("sealing the library", dir);
    private::create_folder(&new).map_err(failed())?;
    let keys = Keys::create(&new, passphrase)?;
    let sealed = open(&new)?;
    let total = plain.size_on_disk()?;
    let mut batch = sled::Batch::default();
    let (mut bytes, mut done) = (0, 0);
    if !progress(0, total) {
        return Err(StoreError::Cancelled);
    }
    for entry in plain.iter() {
        let (name, value) = entry?;
        let owner = key::owner(&name);
        // Only the keys of new recordings are written: this asks the disk once for each.
        keys.add(owner, false)?;
        let key = keys.get(owner).ok_or_else(|| StoreError::damaged("a key is not there"))?;
        bytes += name.len() + value.len();
        let value = key.seal(&name, &value)?;
        batch.insert(name, value);
        if bytes > BATCH {
            done += bytes as u64;
            bytes = 0;
            sealed.apply_batch(std::mem::take(&mut batch))?;
            if !progress(done.min(total), total) {
                return Err(StoreError::Cancelled);
            }
        }
    }
    batch.insert(key::SEALED, b"1".as_slice());
    sealed.apply_batch(batch)?;
    sealed.flush()?;
    drop((sealed, plain));
    let (library, whole, old) = (dir.join("library"), dir.join("library-sealed"), dir.join("library-plain"));
    let rename = |from: &Path, to: &Path| fs::rename(from, to).and_then(|()| private::sync_folder(dir));
    rename(&new, &whole).and_then(|()| rename(&library, &old)).and_then(|()| rename(&whole, &library)).map_err(failed())?;
    fs::remove_dir_all(&old).map_err(failed())
}

#[cfg(test)]
mod tests {
    use inspector_model::{Side, StateAnswer, StepDetail, StepId, StepKind};

    use super::*;
    use crate::trouble::open_database;
    use crate::{NewState, NewStep, OpenReport, Opening, Store};

    /// Makes a library as it was before there were keys, with a recording of so many steps.
    fn plain(dir: &Path, steps: u64) {
        let (store, _) = Store::open(dir).unwrap();
        let mut recorder = store.create("of before", 1.0, "").unwrap();
        for number in 1..=steps {
            let after = NewState::Text(format!("{{\"n\":{number}}}").into());
            let step = inspector_model::Step::new(StepKind::Event, "add", 1.0);
            recorder.append(NewStep { step, detail: StepDetail::default(), before: NewState::Same, after, html: None }).unwrap();
        }
        drop(recorder);
        store.set_setting("keep", &7).unwrap();
        drop(store);
        let path = dir.join("library");
        let keys = Keys::open(&path, None).unwrap();
        let Ok(db) = open_database(&path) else { panic!("it opens") };
        db.remove(key::SEALED).unwrap();
        for entry in db.iter() {
            let (name, sealed) = entry.unwrap();
            let value = keys.get(key::owner(&name)).unwrap().open(&name, &sealed).unwrap();
            db.insert(name, value).unwrap();
        }
        db.flush().unwrap();
        fs::remove_file(path.join(crate::keys::FILE)).unwrap();
    }

    fn check(store: &Store, steps: u64) {
        let info = store.recordings().unwrap().remove(0);
        assert_eq!((info.steps, store.setting::<u32>("keep")), (steps, Some(7)));
        let state = store.read(&info.id).unwrap().state(StepId(steps), Side::After).unwrap();
        assert_eq!(state, StateAnswer::Full(format!("{{\"n\":{steps}}}").into()));
    }

    fn names(dir: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_library_of_before_is_sealed_once_and_its_plain_bytes_are_gone() {
        let folder = tempfile::tempdir().unwrap();
        plain(folder.path(), 300);
        let (store, report) = Store::open(folder.path()).unwrap();
        assert_eq!(report, OpenReport { sealed: true, ..OpenReport::default() });
        check(&store, 300);
        drop(store);
        assert_eq!(names(folder.path()), ["in-use", "library", "recordings", "reserve", "reserve-while-open"]);
        let title = |bytes: &[u8]| bytes.windows(9).any(|window| window == b"of before");
        for entry in fs::read_dir(folder.path().join("library")).unwrap() {
            let path = entry.unwrap().path();
            assert!(path.is_dir() || !title(&fs::read(&path).unwrap()), "{}", path.display());
        }
        let (store, report) = Store::open(folder.path()).unwrap();
        assert_eq!(report, OpenReport::default());
        check(&store, 300);
    }

    #[test]
    fn whoever_stops_it_has_the_old_library_and_begins_anew() {
        let folder = tempfile::tempdir().unwrap();
        plain(folder.path(), 300);
        let stop = Opening { progress: &|_, _| false, ..Opening::default() };
        assert!(matches!(Store::open_with(folder.path(), &stop), Err(StoreError::Cancelled)));
        check(&Store::open(folder.path()).unwrap().0, 300);
        assert_eq!(names(folder.path()), ["in-use", "library", "recordings", "reserve", "reserve-while-open"]);
    }

    #[test]
    fn a_crash_between_the_two_renames_leaves_the_new_library() {
        let folder = tempfile::tempdir().unwrap();
        plain(folder.path(), 20);
        let old = folder.path().join("old");
        private::create_folder(&old).unwrap();
        for name in ["db", "conf"] {
            fs::copy(folder.path().join("library").join(name), old.join(name)).unwrap();
        }
        drop(Store::open(folder.path()).unwrap());
        fs::rename(folder.path().join("library"), folder.path().join("library-sealed")).unwrap();
        fs::rename(&old, folder.path().join("library-plain")).unwrap();
        let (store, report) = Store::open(folder.path()).unwrap();
        assert_eq!(report, OpenReport::default());
        check(&store, 20);
        assert_eq!(names(folder.path()), ["in-use", "library", "recordings", "reserve", "reserve-while-open"]);
    }
}
