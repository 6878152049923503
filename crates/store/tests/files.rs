//! Files that are not as they should be: cut off, changed, newer, or something else.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use std::path::Path;

use common::{Model, Todo};
use inspector_store::{NewState, Store, StoreError, read_file};

/// A recording of 600 steps as a file, and what is in it.
fn sample(folder: &Path) -> (Store, Vec<u8>, Model) {
    let (store, _) = Store::open(folder).unwrap();
    let mut recorder = store.create("sample", 1.0, "1.2.6").unwrap();
    let mut model = Model::default();
    let mut todo = Todo::new(8);
    for _ in 0..600 {
        todo.turn();
        model.append(&mut recorder, Some("a"), None, NewState::Same, NewState::Text(todo.json()), None);
    }
    let file = folder.join("whole.djrec");
    store.export(recorder.id(), &file, &|_, _| true).unwrap();
    let bytes = std::fs::read(&file).unwrap();
    (store, bytes, model)
}

/// Reads the file and imports it: an error, or a prefix of the recording and a word about the damage. Gives the steps.
fn prefix_or_error(store: &Store, file: &Path, model: &Model) -> Option<usize> {
    match read_file(file) {
        Err(error) => {
            assert!(!error.to_string().is_empty());
            assert!(store.import(file, &|_, _| true).is_err());
            None
        }
        Ok(reader) => {
            let count = reader.info().steps as usize;
            assert!(reader.damage().is_some());
            let imported = store.import(file, &|_, _| true).unwrap();
            assert_eq!((imported.steps as usize, imported.damaged.as_deref()), (count, reader.damage()));
            let library = store.read(&imported.id).unwrap();
            let steps = library.steps().unwrap();
            assert_eq!(steps.len(), count);
            assert_eq!(reader.steps().unwrap(), steps);
            for index in [0, count / 2, count.saturating_sub(1)].into_iter().filter(|index| *index < count) {
                assert_eq!(steps[index], model.steps[index].step);
                model.check(&reader, index);
                model.check(&library, index);
            }
            Some(count)
        }
    }
}

#[test]
fn a_cut_file_opens_up_to_the_cut() {
    let folder = tempfile::tempdir().unwrap();
    let (store, bytes, model) = sample(folder.path());
    let file = folder.path().join("cut.djrec");
    let mut counts = Vec::new();
    for part in 0..120 {
        std::fs::write(&file, &bytes[..bytes.len() * part / 120]).unwrap();
        counts.extend(prefix_or_error(&store, &file, &model));
    }
    assert!(counts.is_sorted(), "{counts:?}");
    assert!(counts.iter().any(|count| *count > 0 && *count < 600), "{counts:?}");
}

#[test]
fn a_changed_byte_is_found_wherever_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let (store, bytes, model) = sample(folder.path());
    let file = folder.path().join("changed.djrec");
    let spread = (0..200).map(|nth| bytes.len() * nth / 200);
    for at in (0..64).chain(spread) {
        let mut changed = bytes.clone();
        changed[at] ^= 1 << (at % 8);
        std::fs::write(&file, &changed).unwrap();
        prefix_or_error(&store, &file, &model);
    }
}

#[test]
fn a_newer_format_is_refused_with_its_number() {
    let folder = tempfile::tempdir().unwrap();
    let (store, mut bytes, _) = sample(folder.path());
    bytes[8] = 9;
    let file = folder.path().join("newer.djrec");
    std::fs::write(&file, &bytes).unwrap();
    assert!(matches!(read_file(&file), Err(StoreError::TooNew { found: 9, known: 2 })));
    assert!(matches!(store.import(&file, &|_, _| true), Err(StoreError::TooNew { found: 9, known: 2 })));
}

#[test]
fn other_files_are_no_recordings() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("other.djrec");
    for bytes in [&b""[..], b"PK\x03\x04 something else entirely", b"\x89DJREC\r\n"] {
        std::fs::write(&file, bytes).unwrap();
        assert!(matches!(read_file(&file), Err(StoreError::NotARecording { .. })), "{bytes:?}");
    }
    assert!(matches!(read_file(&folder.path().join("absent")), Err(StoreError::Io { .. })));
}

fn frame(kind: u8, name: &[u8], value: &[u8]) -> Vec<u8> {
    let mut bytes = vec![kind];
    bytes.extend((name.len() as u16).to_le_bytes());
    bytes.extend((value.len() as u32).to_le_bytes());
    bytes.extend(name);
    bytes.extend(value);
    let sum = crc32fast::hash(&bytes);
    bytes.extend(sum.to_le_bytes());
    bytes
}

/// Where the first frame after the header begins.
fn header_end(bytes: &[u8]) -> usize {
    12 + 7 + u32::from_le_bytes(bytes[15..19].try_into().unwrap()) as usize + 4
}

#[test]
fn values_that_become_too_large_together_are_not_unpacked() {
    let folder = tempfile::tempdir().unwrap();
    let (_, bytes, _) = sample(folder.path());
    let file = folder.path().join("hostile.djrec");
    // Each is within its limit, and some twenty of them would fill the memory of a small machine from a file of 30 KB.
    let pages: Vec<u8> = (0..20)
        .flat_map(|nth| {
            let page = format!(r#"{{"session":"s{nth}","phase":"mounted","path":"{}"}}"#, "a".repeat(15 << 20));
            let packed = zstd::bulk::compress(page.as_bytes(), 3).unwrap();
            frame(b'k', format!("ps{nth}").as_bytes(), &[&crc32fast::hash(&packed).to_le_bytes()[..], &packed].concat())
        })
        .collect();
    let end = header_end(&bytes);
    std::fs::write(&file, [&bytes[..end], &pages, &bytes[end..]].concat()).unwrap();
    let reader = read_file(&file).unwrap();
    let sessions = reader.sessions().unwrap();
    let unpacked: usize = sessions.iter().filter_map(|session| session.path.as_ref()).map(String::len).sum();
    assert!(sessions.len() == 20 && unpacked < 40 << 20, "{} pages with {unpacked} bytes", sessions.len());
    assert!(reader.damage().is_some_and(|damage| damage.contains("the descriptions of 18 pages cannot be read")), "{:?}", reader.damage());
    assert_eq!(reader.steps().unwrap().len(), 600, "what is not part of it can be read");
}

#[test]
fn values_that_lie_about_their_size_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (store, bytes, _) = sample(folder.path());
    let header_end = header_end(&bytes);
    // 200 MB of nothing in a few bytes, and a frame that claims more than it has.
    let bomb = zstd::bulk::compress(&vec![0; 200 << 20], 3).unwrap();
    let packed = [&crc32fast::hash(&bomb).to_le_bytes()[..], &bomb].concat();
    let mut data_name = vec![b'd'];
    data_name.extend(1u64.to_be_bytes());
    data_name.extend(0u32.to_be_bytes());
    for frames in [frame(b'k', b"s\0\0\0\0", &packed), frame(b'k', &data_name, &packed), vec![b'k', 0, 0, 0xff, 0xff, 0xff, 0xff]] {
        let file = folder.path().join("hostile.djrec");
        std::fs::write(&file, [&bytes[..header_end], &frames].concat()).unwrap();
        let imported = store.import(&file, &|_, _| true).unwrap();
        assert_eq!(imported.steps, 0);
        assert!(imported.damaged.is_some());
        assert!(read_file(&file).unwrap().steps().unwrap().is_empty());
    }
}

#[test]
fn a_cancelled_import_leaves_no_recording_and_the_next_one_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let (_, bytes, model) = sample(folder.path());
    let file = folder.path().join("whole.djrec");
    std::fs::write(&file, &bytes).unwrap();
    let (other, _) = Store::open(&folder.path().join("other")).unwrap();
    for stop_at in 0.. {
        let asked = std::cell::Cell::new(0);
        let last = std::cell::Cell::new(0);
        let imported = other.import(&file, &|done, total| {
            assert!(done <= total && done >= last.replace(done), "{done} of {total}");
            asked.replace(asked.get() + 1) < stop_at
        });
        match imported {
            Err(error) => {
                assert!(matches!(error, StoreError::Cancelled), "{error}");
                assert!(other.recordings().unwrap().is_empty());
            }
            Ok(imported) => {
                assert!(stop_at >= 2, "it was asked {stop_at} times only");
                assert_eq!(imported.steps, 600);
                model.check(&other.read(&imported.id).unwrap(), 599);
                break;
            }
        }
    }
}

#[test]
fn a_cancelled_export_leaves_what_was_there() {
    let folder = tempfile::tempdir().unwrap();
    let (store, bytes, _) = sample(folder.path());
    let id = store.recordings().unwrap()[0].id.clone();
    let file = folder.path().join("whole.djrec");
    let count = || std::fs::read_dir(folder.path()).unwrap().count();
    let before = count();
    assert!(matches!(store.export(&id, &file, &|_, _| false), Err(StoreError::Cancelled)));
    assert_eq!((count(), std::fs::read(&file).unwrap()), (before, bytes));
}
