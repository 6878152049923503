//! Files that the user picked: the page may name no others, and each for what it was picked for, once.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use inspector_model::{Answer, ErrorCode, Request, RequestId};

/// What the page may still do with files.
#[derive(Debug, Default)]
pub struct Picks {
    /// Picked in the dialog that opens, or dropped on the window.
    to_open: HashSet<PathBuf>,
    /// Picked in the dialog that saves.
    to_save: HashSet<PathBuf>,
    /// Being opened. An encrypted file is opened again with its passphrase.
    opening: HashMap<RequestId, PathBuf>,
}

impl Picks {
    /// The user picked this file to be opened.
    pub fn allow_to_open(&mut self, path: PathBuf) {
        self.to_open.insert(path);
    }

    /// The user picked this file to be written.
    pub fn allow_to_save(&mut self, path: PathBuf) {
        self.to_save.insert(path);
    }

    /// Whether the page may ask this. The pick is used up by it.
    pub fn take(&mut self, id: RequestId, request: &Request) -> bool {
        match request {
            Request::OpenFile(path) | Request::OpenSealed { path, .. } => {
                let picked = self.to_open.take(path);
                picked.map(|path| self.opening.insert(id, path)).is_some()
            }
            Request::Export { path, .. } => self.to_save.remove(path),
            _ => true,
        }
    }

    /// The page is told this answer. A file that needs a passphrase may be opened once more.
    pub fn answered(&mut self, id: RequestId, answer: &Answer) {
        if let Some(path) = self.opening.remove(&id)
            && matches!(answer, Answer::Failed(failure) if failure.code == ErrorCode::PassphraseNeeded)
        {
            self.to_open.insert(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use inspector_model::{ExportOptions, Failure, SourceId};

    use super::*;

    const FILE: &str = "/home/someone/cart.djrec";

    fn open() -> Request {
        Request::OpenFile(FILE.into())
    }

    fn unseal() -> Request {
        Request::OpenSealed { path: FILE.into(), passphrase: "x".into() }
    }

    fn export() -> Request {
        Request::Export { recording: "r".into(), options: ExportOptions::default(), path: FILE.into() }
    }

    #[test]
    fn a_file_that_was_picked_to_be_opened_is_not_overwritten() {
        let mut picks = Picks::default();
        assert!(!picks.take(RequestId(1), &open()) && !picks.take(RequestId(2), &export()));
        picks.allow_to_open(FILE.into());
        assert!(!picks.take(RequestId(3), &export()));
        assert!(picks.take(RequestId(4), &open()));
        picks.allow_to_save(FILE.into());
        assert!(!picks.take(RequestId(5), &open()), "nor is one that was picked to be written opened");
        assert!(picks.take(RequestId(6), &export()));
    }

    #[test]
    fn each_pick_is_good_for_one_use() {
        let mut picks = Picks::default();
        picks.allow_to_open(FILE.into());
        picks.allow_to_save(FILE.into());
        assert!(picks.take(RequestId(1), &open()) && !picks.take(RequestId(2), &open()));
        assert!(picks.take(RequestId(3), &export()) && !picks.take(RequestId(4), &export()));
        picks.answered(RequestId(1), &Answer::Opened(SourceId(1)));
        assert!(!picks.take(RequestId(5), &unseal()), "it is open");
    }

    #[test]
    fn an_encrypted_file_is_tried_until_its_passphrase_is_right() {
        let mut picks = Picks::default();
        picks.allow_to_open(FILE.into());
        assert!(picks.take(RequestId(1), &open()));
        for id in 2..4 {
            assert!(!picks.take(RequestId(100), &unseal()), "one is being tried");
            picks.answered(RequestId(id - 1), &Answer::Failed(Failure::new(ErrorCode::PassphraseNeeded, "it is encrypted")));
            assert!(picks.take(RequestId(id), &unseal()));
        }
        picks.answered(RequestId(3), &Answer::Opened(SourceId(1)));
        assert!(!picks.take(RequestId(4), &unseal()));
    }
}
