//! What surrounds the live part of pages: stored once, read back while it grows, after a restart, and from a file.

use inspector_model::{PageShell, SessionId, StyleSheet};
use inspector_store::{Store, read_file};

fn shell(text: &str) -> PageShell {
    PageShell {
        url: "http://127.0.0.1:8000/cart/".into(),
        before: format!("<!doctype html><title>{text}</title><main>"),
        after: "</main>".into(),
        styles: vec![StyleSheet { href: "/static/a.css".into(), text: format!("/* {text} */").repeat(40_000) }],
    }
}

#[test]
fn what_surrounds_pages_is_read_back_and_stored_once() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(folder.path()).unwrap();
    let mut recorder = store.create("shells", 1.0, "1.2.6").unwrap();
    let (one, other) = (shell("one"), shell("other"));
    let id = |name: &str| SessionId::from(name);
    recorder.put_shell(&id("a"), &one);
    let reader = recorder.reader();
    assert_eq!(reader.shell(&id("a")).unwrap().as_ref(), Some(&one), "before it is flushed");
    recorder.flush().unwrap();
    let bytes = recorder.stats().bytes;
    recorder.put_shell(&id("b"), &one);
    recorder.flush().unwrap();
    let second = recorder.stats().bytes - bytes;
    assert!(second < 100, "{second} more bytes for the same shell again");
    recorder.put_shell(&id("c"), &other);
    recorder.put_shell(&id("a"), &other);
    recorder.flush().unwrap();

    let file = folder.path().join("shells.djrec");
    store.export(recorder.id(), &file, &|_, _| true).unwrap();
    let imported = store.import(&file, &|_, _| true).unwrap();
    assert_eq!(imported.damaged, None);
    for reader in [reader, read_file(&file).unwrap(), store.read(&imported.id).unwrap()] {
        for (name, expected) in [("a", Some(&other)), ("b", Some(&one)), ("c", Some(&other)), ("d", None)] {
            assert_eq!(reader.shell(&id(name)).unwrap().as_ref(), expected, "{name}");
        }
    }
}

#[test]
fn a_shell_of_exactly_whole_pieces_and_one_that_is_too_large() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(folder.path()).unwrap();
    let mut recorder = store.create("shells", 1.0, "1.2.6").unwrap();
    let empty = serde_json::to_vec(&PageShell::default()).unwrap().len();
    let whole = PageShell { before: "x".repeat(120_000 - empty), ..PageShell::default() };
    recorder.put_shell(&SessionId::from("whole"), &whole);
    recorder.put_shell(&SessionId::from("huge"), &PageShell { after: "x".repeat(17 << 20), ..PageShell::default() });
    recorder.flush().unwrap();
    let reader = recorder.reader();
    assert_eq!(reader.shell(&SessionId::from("whole")).unwrap(), Some(whole));
    assert_eq!(reader.shell(&SessionId::from("huge")).unwrap(), None);
}

/// A recording that came as a file may have anything under the name of a shell. When it goes on, that is not taken for it.
#[test]
fn what_was_planted_under_the_name_of_a_shell_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(folder.path()).unwrap();
    let mut recorder = store.create("shells", 1.0, "1.2.6").unwrap();
    let wanted = PageShell { before: "<main>".into(), ..PageShell::default() };
    recorder.put_shell(&SessionId::from("a"), &wanted);
    let file = folder.path().join("shells.djrec");
    store.export(recorder.id(), &file, &|_, _| true).unwrap();

    let mut bytes = std::fs::read(&file).unwrap();
    let at = (0..bytes.len()).find(|at| bytes[*at..].starts_with(b"k\x15\0") && bytes[at + 7] == b'x').unwrap();
    let len = u32::from_le_bytes(bytes[at + 3..at + 7].try_into().unwrap()) as usize;
    let planted =
        zstd::bulk::compress(&serde_json::to_vec(&PageShell { before: "<script>".into(), ..PageShell::default() }).unwrap(), 3).unwrap();
    let mut frame = vec![b'k', 21, 0];
    frame.extend((planted.len() as u32 + 4).to_le_bytes());
    frame.extend(&bytes[at + 7..at + 28]);
    frame.extend(crc32fast::hash(&planted).to_le_bytes());
    frame.extend(planted);
    frame.extend(crc32fast::hash(&frame).to_le_bytes());
    bytes.splice(at..at + 7 + 21 + len + 4, frame);
    std::fs::write(&file, bytes).unwrap();
    let imported = store.import(&file, &|_, _| true).unwrap();
    assert_eq!(imported.damaged, None);
    let mut recorder = store.resume(&imported.id).unwrap();
    assert_eq!(recorder.reader().shell(&SessionId::from("a")).unwrap().unwrap().before, "<script>");
    recorder.put_shell(&SessionId::from("b"), &wanted);
    recorder.flush().unwrap();
    assert_eq!(recorder.reader().shell(&SessionId::from("b")).unwrap(), Some(wanted));
}
