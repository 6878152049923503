//! The list of targets: what each reads, how its inputs are changed, and what it may cost.

mod capture;
mod discovery;
mod frames;
mod languages;
mod library;
mod page;
mod recording;
mod redaction;
mod tape;

use std::cell::RefCell;

use fastrand::Rng;
use inspector_store::Store;

use crate::{change, recording_file};

type Change = fn(&mut Rng, &[u8], &[Vec<u8>]) -> Vec<u8>;

/// Something that reads hostile input.
pub struct Target {
    /// Its name, that of its folder in `corpus/`, and that of its program.
    pub name: &'static str,
    /// Takes any bytes. Panics when a promise is broken.
    pub run: fn(&[u8]),
    change: Change,
    /// Folders of the project whose files are inputs too.
    pub also: &'static [&'static str],
    /// Bytes of memory that one run may hold at once, whatever the input: what decompression, caches and the database may take. What
    /// zstd, which is C, takes for itself is not counted: its window is limited to 8 MiB.
    pub memory: usize,
    /// And for each byte of the input.
    pub memory_per_byte: usize,
    /// Runs of the short form: about a second and a half.
    pub short_runs: u64,
}

/// All of them.
pub const TARGETS: [Target; 9] = [
    // Frames of an agent: decoded, made steps of, stored, and read again.
    Target { name: "frames", run: frames::run, change: change::lines, also: &[], memory: 16 << 20, memory_per_byte: 200, short_runs: 250 },
    // Recording files: read, imported, exported. A segment may be decompressed to 264 MiB and a text to 64; of inputs of this size the
    // changes make bombs of 20.
    Target {
        name: "recording",
        run: recording::run,
        change: recording_file::changed,
        also: &["recordings", "crates/store/tests/format_1"],
        memory: 128 << 20,
        memory_per_byte: 100,
        short_runs: 60,
    },
    // Files of the library's folder, with other bytes in them.
    Target { name: "library", run: library::run, change: change::bytes, also: &[], memory: 64 << 20, memory_per_byte: 100, short_runs: 25 },
    // djust's bug captures.
    Target { name: "capture", run: capture::run, change: change::json, also: &[], memory: 16 << 20, memory_per_byte: 200, short_runs: 250 },
    // Discovery files, and where they would lead.
    Target {
        name: "discovery",
        run: discovery::run,
        change: change::json,
        also: &[],
        memory: 1 << 20,
        memory_per_byte: 100,
        short_runs: 2_000,
    },
    // States one after the other: scanned, compared, stored as what differs, and read again.
    Target { name: "tape", run: tape::run, change: change::lines, also: &[], memory: 64 << 20, memory_per_byte: 200, short_runs: 250 },
    // Pages and stylesheets, as documents that do nothing.
    Target { name: "page", run: page::run, change: change::bytes, also: &[], memory: 4 << 20, memory_per_byte: 2_000, short_runs: 4_000 },
    // Filters and the conditions of breakpoints.
    Target {
        name: "languages",
        run: languages::run,
        change: change::bytes,
        also: &[],
        memory: 1 << 20,
        memory_per_byte: 500,
        short_runs: 40_000,
    },
    // States with secrets put into them, exported: none comes out.
    Target {
        name: "redaction",
        run: redaction::run,
        change: change::json,
        also: &[],
        memory: 48 << 20,
        memory_per_byte: 1_000,
        short_runs: 20,
    },
];

/// A target by its name.
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}

impl Target {
    /// An input that is changed by a seed: the same each time. `others` are inputs to take pieces of.
    pub fn changed(&self, data: &[u8], others: &[Vec<u8>], seed: u64) -> Vec<u8> {
        (self.change)(&mut Rng::with_seed(seed), data, others)
    }
}

/// A library that goes with the thread.
struct Library {
    folder: tempfile::TempDir,
    store: Store,
}

thread_local! {
    static LIBRARY: RefCell<Option<Library>> = const { RefCell::new(None) };
}

/// Runs with the thread's own library and a folder beside it. Whoever makes a recording deletes it again.
fn in_library<T>(run: impl FnOnce(&Store, &std::path::Path) -> T) -> T {
    LIBRARY.with(|library| {
        let mut library = library.borrow_mut();
        let Library { folder, store } = library.get_or_insert_with(|| {
            let folder = tempfile::tempdir().expect("a folder");
            let (store, _) = Store::open(&folder.path().join("library")).expect("a library");
            Library { folder, store }
        });
        run(store, folder.path())
    })
}
