//! The files of a library, changed: opened as it is, set aside, or refused, and never worse.
//!
//! The input is a list of changes of six bytes each: which file, where in it, and what stands there then.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use inspector_model::{SessionId, Step, StepDetail, StepKind};
use inspector_store::{NewState, NewStep, Store};

use crate::look::{look, told};

/// A library with a recording, as its files.
fn files() -> &'static BTreeMap<PathBuf, Vec<u8>> {
    static FILES: OnceLock<BTreeMap<PathBuf, Vec<u8>>> = OnceLock::new();
    FILES.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a folder");
        let (store, _) = Store::open(folder.path()).expect("a library");
        record(&store);
        drop(store);
        let mut files = BTreeMap::new();
        gather(folder.path(), folder.path(), &mut files);
        files
    })
}

fn gather(root: &Path, folder: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
        if entry.is_dir() {
            gather(root, &entry, files);
        } else if entry.starts_with(root.join("library")) {
            let name = entry.strip_prefix(root).expect("it is inside").to_owned();
            files.insert(name, std::fs::read(&entry).expect("a file"));
        }
    }
}

fn record(store: &Store) {
    let mut recorder = store.create("fuzzing", 1.0, "1.2.6").expect("a recorder");
    for n in 0..30 {
        let step = Step { session: Some(SessionId::from("s")), ..Step::new(StepKind::Event, "add", f64::from(n)) };
        let after = NewState::Text(format!(r#"{{"n":{n},"rows":[{{"id":1,"n":{n}}}]}}"#).into());
        let new = NewStep { step, detail: StepDetail::default(), before: NewState::Same, after, html: None };
        recorder.append(new).expect("a step");
    }
    recorder.flush().expect("it is written");
}

pub fn run(data: &[u8]) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut files = files().clone();
    for edit in data.chunks_exact(6).take(64) {
        let which = usize::from(edit[0]) % files.len();
        let Some(bytes) = files.values_mut().nth(which).filter(|bytes| !bytes.is_empty()) else { continue };
        let at = u32::from_le_bytes([edit[1], edit[2], edit[3], 0]) as usize % bytes.len();
        match edit[4] % 8 {
            0 => bytes.truncate(at),
            _ => bytes[at] = edit[5],
        }
    }
    for (name, bytes) in &files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, bytes).expect("a file");
    }
    let Some((store, report)) = told(Store::open(folder.path())) else { return };
    assert!(report.set_aside.is_none_or(|path| path.starts_with(folder.path()) && path.exists()));
    for info in told(store.recordings()).unwrap_or_default() {
        if let Some(reader) = told(store.read(&info.id)) {
            look(&reader);
        }
    }
    // It can still be recorded into, unless that is refused.
    let Some(mut recorder) = told(store.create("after", 2.0, "")) else { return };
    let step = Step::new(StepKind::Tick, "tick", 1.0);
    let new = NewStep { step, detail: StepDetail::default(), before: NewState::None, after: NewState::None, html: None };
    if told(recorder.append(new)).is_some() && told(recorder.flush()).is_some() {
        assert_eq!(told(store.read(recorder.id())).map(|reader| reader.info().steps), Some(1));
    }
}
