//! What the library must hold, written down beside it.
//!
//! sled reads its log up to where it can, and takes what follows for never written: a flipped bit makes recordings shorter,
//! or go, without a word. So the number of steps of each recording is kept in a small file of its own, after each flush, and
//! compared when the library is opened. It never says more than what is on the disk: a kill leaves it a little behind.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use inspector_model::RecordingId;
use parking_lot::Mutex;

use crate::disk;
use crate::private;

/// The file's name.
const NAME: &str = "recordings";

/// Steps by recording, in the file and here.
pub(crate) struct Witness {
    path: PathBuf,
    steps: Mutex<BTreeMap<RecordingId, u64>>,
}

impl Witness {
    /// What was written down in a library's folder. What cannot be read was not.
    fn read(dir: &Path) -> BTreeMap<RecordingId, u64> {
        let text = fs::read_to_string(dir.join(NAME)).unwrap_or_default();
        // A file without its last line was not written to its end.
        let Some(lines) = text.strip_suffix("end\n") else { return BTreeMap::new() };
        lines.lines().filter_map(|line| line.split_once(' ')).filter_map(|(id, steps)| Some((id.into(), steps.parse().ok()?))).collect()
    }

    /// That of a library's folder, as it was left.
    pub(crate) fn open(dir: &Path) -> Self {
        Self { path: dir.join(NAME), steps: Mutex::new(Self::read(dir)) }
    }

    /// What is written down.
    pub(crate) fn all(&self) -> BTreeMap<RecordingId, u64> {
        self.steps.lock().clone()
    }

    /// Begins anew, with what there is.
    pub(crate) fn begin(&self, all: BTreeMap<RecordingId, u64>) {
        let mut steps = self.steps.lock();
        *steps = all;
        self.note(&steps);
    }

    /// So many steps of a recording are on the disk.
    pub(crate) fn has(&self, id: &RecordingId, count: u64) {
        let mut steps = self.steps.lock();
        if steps.insert(id.clone(), count) != Some(count) {
            self.note(&steps);
        }
    }

    /// A recording is deleted. When this returns the file does not say any more that it is there, also when the power fails.
    pub(crate) fn forget(&self, id: &RecordingId) -> io::Result<()> {
        let mut steps = self.steps.lock();
        steps.remove(id).map_or(Ok(()), |_| self.write(&steps, true))
    }

    /// Where that fails, on a full disk, the file says less than there is.
    fn note(&self, steps: &BTreeMap<RecordingId, u64>) {
        if let Err(error) = self.write(steps, false) {
            tracing::debug!(%error, "what the library holds could not be written down");
        }
    }

    /// `surely`: waits for the disk.
    fn write(&self, steps: &BTreeMap<RecordingId, u64>, surely: bool) -> io::Result<()> {
        let mut text = String::new();
        for (id, count) in steps {
            let _ = writeln!(text, "{id} {count}");
        }
        text.push_str("end\n");
        let unfinished = self.path.with_extension("new");
        let file = private::create(&unfinished)?;
        disk::write(&file, &unfinished, text.as_bytes(), true)?;
        if surely {
            disk::sync(&file, &unfinished)?;
        }
        disk::rename(&unfinished, &self.path)?;
        match self.path.parent() {
            Some(folder) if surely => private::sync_folder(folder),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_as_it_was_written_or_not_at_all() {
        let dir = tempfile::tempdir().unwrap();
        let witness = Witness::open(dir.path());
        witness.begin(BTreeMap::from([("a".into(), 3)]));
        witness.has(&"b".into(), 70);
        witness.has(&"b".into(), 71);
        witness.forget(&"a".into()).unwrap();
        assert_eq!(Witness::read(dir.path()), BTreeMap::from([("b".into(), 71)]));
        fs::write(dir.path().join(NAME), "b 71\nc 5").unwrap();
        assert!(Witness::read(dir.path()).is_empty());
        fs::remove_file(dir.path().join(NAME)).unwrap();
        assert!(Witness::read(dir.path()).is_empty());
    }
}
