//! A simulated disk, clock and chance, of one thread.
//!
//! Whoever tests begins a [`World`] in a thread; whatever the store does in this thread is a place at which a fault can
//! happen, and places are counted: the same seed and the same calls meet the same fault. The bytes are real ones, in a real
//! folder, so that what is opened after a kill is what sled and the store make of real files.
//!
//! After a kill nothing reaches the disk any more. What is then in the folder was written up to there; [`World::crash`] says
//! what of it a machine could have lost: bytes that were not made sure of.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use super::Act;

/// Bytes that a disk writes as a whole.
const SECTOR: usize = 512;

/// What happens at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fault {
    /// The disk is full from here on, until [`set_full`] says otherwise.
    Full,
    /// There was no space for this one.
    NoSpace,
    /// The disk says that it failed, and did nothing.
    Error,
    /// It says that it failed, and did it.
    ErrorAfter,
    /// The process is killed before it.
    Kill,
    /// The process is killed after it.
    KillAfter,
    /// Only its first sectors are written, and the process is killed.
    Torn,
    /// Only its first sectors are written, and the disk says that it failed.
    Short,
    /// It takes minutes.
    Slow,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 9] =
        [Self::Full, Self::NoSpace, Self::Error, Self::ErrorAfter, Self::Kill, Self::KillAfter, Self::Torn, Self::Short, Self::Slow];
}

/// What the disk has not made sure of.
enum Unsure {
    /// New bytes.
    New,
    /// New bytes under this name, in the place of these.
    Instead(Option<Vec<u8>>),
}

/// A simulated world.
struct World {
    random: u64,
    tuning: u64,
    start: std::time::Instant,
    passed: Duration,
    /// The fault to come, after so many places.
    next: Option<(u64, Fault)>,
    fired: Option<(Act, String, Fault)>,
    acts: u64,
    full: bool,
    killed: bool,
    /// sled's file as it was when sled had last written everything.
    flushed: Option<Vec<u8>>,
    unsure: BTreeMap<PathBuf, Unsure>,
}

thread_local! {
    static WORLD: RefCell<Option<World>> = const { RefCell::new(None) };
}

impl World {
    fn random(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.random() % end.max(1)
    }

    /// The fault that happens at this place.
    fn arrive(&mut self, act: Act, path: &Path) -> Option<Fault> {
        self.acts += 1;
        self.passed += Duration::from_millis(1);
        let (left, fault) = self.next.as_mut()?;
        if *left > 0 {
            *left -= 1;
            return None;
        }
        let fault = *fault;
        self.next = None;
        self.fired = Some((act, kind_of(path), fault));
        match fault {
            Fault::Full => self.full = true,
            Fault::Slow => self.passed += Duration::from_mins(2),
            _ => {}
        }
        Some(fault)
    }
}

/// What kind of file it is.
fn kind_of(path: &Path) -> String {
    if path.extension().is_some_and(|extension| extension == "part" || extension == "djrec") {
        return "export".to_owned();
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let kind = match &*name {
        "keys" | "keys.new" => "keys",
        "recordings" | "recordings.new" => "witness",
        "reserve" | "reserve-while-open" => "reserve",
        "in-use" | "damaged" => "mark",
        _ => "library",
    };
    kind.to_owned()
}

fn no_space() -> io::Error {
    io::Error::from(io::ErrorKind::StorageFull)
}

fn failed() -> io::Error {
    io::Error::other("the simulated disk failed")
}

fn killed() -> io::Error {
    io::Error::other("the simulated process was killed")
}

fn with<T>(work: impl FnOnce(&mut World) -> T) -> Option<T> {
    // A thread that ends may still close a store, and has no world any more.
    WORLD.try_with(|world| world.borrow_mut().as_mut().map(work)).ok().flatten()
}

/// What is decided about a place before anything is done.
enum Decision {
    Go,
    GoAndFail(io::Error),
    Fail(io::Error),
}

fn decide(world: &mut World, act: Act, path: &Path) -> Decision {
    if world.killed {
        return Decision::Fail(killed());
    }
    let fault = world.arrive(act, path);
    match fault {
        Some(Fault::Error) => return Decision::Fail(failed()),
        Some(Fault::NoSpace | Fault::Short) => return Decision::Fail(no_space()),
        Some(Fault::ErrorAfter) => return Decision::GoAndFail(failed()),
        Some(Fault::Kill | Fault::Torn) => {
            world.killed = true;
            return Decision::Fail(killed());
        }
        Some(Fault::KillAfter) => {
            world.killed = true;
            return Decision::GoAndFail(killed());
        }
        Some(Fault::Full | Fault::Slow) | None => {}
    }
    // A full disk has the margin that is left to others: sled finds room in it, what grows without bound does not.
    let grows = matches!(act, Act::Create | Act::Grow) && (kind_of(path) == "export" || world.below(2) == 0);
    if world.full && grows { Decision::Fail(no_space()) } else { Decision::Go }
}

pub(super) fn act<T>(act: Act, path: &Path, work: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    let decision = with(|world| {
        let decision = decide(world, act, path);
        if act == Act::Space {
            return match decision {
                Decision::Fail(error) | Decision::GoAndFail(error) => Decision::Fail(error),
                Decision::Go if world.full => Decision::Fail(no_space()),
                Decision::Go => Decision::Go,
            };
        }
        if act == Act::Rename && !matches!(decision, Decision::Fail(_)) {
            // What is not made sure of may be there under its new name without its bytes, or not there.
            let from = PathBuf::from(format!("{}.new", path.display()));
            if world.unsure.remove(&from).is_some() {
                world.unsure.insert(path.to_owned(), Unsure::Instead(fs::read(path).ok()));
            } else {
                world.unsure.remove(path);
            }
        }
        match act {
            Act::Create => drop(world.unsure.insert(path.to_owned(), Unsure::New)),
            Act::Sync => drop(world.unsure.remove(path)),
            _ => {}
        }
        decision
    });
    match decision {
        None | Some(Decision::Go) => work(),
        Some(Decision::GoAndFail(error)) => work().and(Err(error)),
        Some(Decision::Fail(error)) => Err(error),
    }
}

/// How much of what is written reaches the disk, when that is not all of it.
pub(super) fn part(_: Act, _: &Path, len: usize) -> usize {
    let part = with(|world| match world.next {
        Some((0, Fault::Torn | Fault::Short)) if !world.killed => {
            let sectors = len.div_ceil(SECTOR) as u64;
            SECTOR * world.below(sectors) as usize
        }
        _ => len,
    });
    part.unwrap_or(len)
}

/// sled has written everything.
pub(super) fn flushed(path: &Path) {
    with(|world| world.flushed = fs::read(path.join("library/db")).ok());
}

/// A moment by the world's clock, which passes with what is done to the disk; by the real one where there is no world.
#[derive(Clone, Copy)]
pub(crate) struct Instant(std::time::Instant);

impl Instant {
    pub(crate) fn now() -> Self {
        Self(with(|world| world.start + world.passed).unwrap_or_else(std::time::Instant::now))
    }

    pub(crate) fn elapsed(self) -> Duration {
        Self::now().0.saturating_duration_since(self.0)
    }
}

/// Whether there is no world.
pub(crate) fn is_real() -> bool {
    WORLD.try_with(|world| world.borrow().is_none()).unwrap_or(true)
}

/// A number that is usual, or, in some worlds, the small one: so that what is rare happens often.
pub(crate) fn tuned(usual: usize, small: usize) -> usize {
    let is_small = with(|world| (world.tuning >> ((usual.trailing_zeros() + small as u32) % 61)) & 1 == 1);
    if is_small.unwrap_or_default() { small } else { usual }
}

/// What takes the place of chance.
pub(crate) fn random() -> Option<u64> {
    with(World::random)
}

/// Begins a world in this thread, in place of an earlier one.
pub fn begin(seed: u64) {
    let mut world = World {
        random: seed,
        tuning: 0,
        start: std::time::Instant::now(),
        passed: Duration::ZERO,
        next: None,
        fired: None,
        acts: 0,
        full: false,
        killed: false,
        flushed: None,
        unsure: BTreeMap::new(),
    };
    world.tuning = world.random();
    WORLD.set(Some(world));
}

/// Ends it: the disk is a real one again.
pub fn end() {
    WORLD.set(None);
}

/// After so many places this fault happens. `None`: none does.
pub fn arm(fault: Option<(u64, Fault)>) {
    with(|world| {
        world.next = fault;
        world.fired = None;
    });
}

/// What fault happened since [`arm`], at which place and kind of file.
pub fn fired() -> Option<(Act, String, Fault)> {
    with(|world| world.fired.clone()).flatten()
}

/// Says whether the disk is full.
pub fn set_full(full: bool) {
    with(|world| world.full = full);
}

/// Whether the disk is full.
pub fn is_full() -> bool {
    with(|world| world.full).unwrap_or_default()
}

/// Whether the process was killed.
pub fn is_killed() -> bool {
    with(|world| world.killed).unwrap_or_default()
}

/// How many places there were.
pub fn acts() -> u64 {
    with(|world| world.acts).unwrap_or_default()
}

/// What is on the disk after a kill.
pub struct Crash {
    /// The files by their path below the folder. A folder is not told.
    pub files: BTreeMap<PathBuf, Vec<u8>>,
}

/// Kills the process, if it was not, and says what is on the disk in the library's folder. `power`: the machine stops, too, and
/// what was not made sure of may be gone. The reserves are left out.
///
/// sled must have written everything to its file: of what is in it and was not when it last told so, a part is there.
pub fn crash(folder: &Path, power: bool) -> Crash {
    let mut files = files_of(folder);
    with(|world| {
        world.killed = true;
        world.next = None;
        if let Some(flushed) = world.flushed.take()
            && let Some(now) = files.get_mut(Path::new("library/db"))
        {
            lose(world, &flushed, now, power);
        }
        // A snapshot that was being written.
        let snapshot = files.keys().find(|name| name.to_string_lossy().starts_with("library/snap.")).cloned();
        if let Some(name) = snapshot.filter(|name| name.extension().is_none_or(|end| end != "generating"))
            && world.below(4) == 0
        {
            let bytes = files[&name].clone();
            let len = world.below(bytes.len() as u64) as usize;
            files.insert(PathBuf::from("library/snap.00000000FFFFFFFF.generating"), bytes[..len].to_vec());
        }
        let unsure = std::mem::take(&mut world.unsure);
        for (path, what) in unsure.into_iter().filter(|_| power) {
            let Ok(name) = path.strip_prefix(folder) else { continue };
            let choice = world.below(3);
            match (what, choice) {
                (Unsure::Instead(Some(old)), 0) => drop(files.insert(name.to_owned(), old)),
                (Unsure::Instead(None), 0) => drop(files.remove(name)),
                (_, 1) => {
                    if let Some(bytes) = files.get_mut(name) {
                        let len = world.below(bytes.len() as u64 + 1) as usize / SECTOR * SECTOR;
                        bytes.truncate(len);
                    }
                }
                _ => {}
            }
        }
    });
    Crash { files }
}

/// Bytes of a part of sled's log, and how its header says where in the log it stands.
const LOG_PART: usize = 512 << 10;
const LOG_PLACE: u64 = 0x7FFF_FFFF_FFFF_FFFF;

/// Of what is new in sled's file a part is there: the first of it in the order of the log, which is that in which sled has made
/// sure of it. Of the last of it any sectors may be there when a machine stopped, for they are written together.
fn lose(world: &mut World, flushed: &[u8], now: &mut [u8], power: bool) {
    let sector = |bytes: &[u8], at: usize| bytes.get(at..(at + SECTOR).min(bytes.len())).map(<[u8]>::to_vec);
    let place = |at: usize| {
        let header = now.get(at / LOG_PART * LOG_PART + 4..).and_then(|rest| rest.first_chunk());
        (header.map_or(0, |bytes| u64::from_le_bytes(*bytes) ^ LOG_PLACE), at)
    };
    let mut new: Vec<usize> = (0..now.len()).step_by(SECTOR).filter(|at| sector(now, *at) != sector(flushed, *at)).collect();
    new.sort_by_key(|at| place(*at));
    let Some(last_part) = new.last().map(|last| last / LOG_PART) else { return };
    let choice = world.below(4);
    let first = match choice {
        0 => 0,
        1 => new.len() as u64,
        _ => world.below(new.len() as u64 + 1),
    } as usize;
    for (nth, at) in new.iter().enumerate() {
        let is_there = nth < first || power && choice == 2 && at / LOG_PART == last_part && world.below(2) == 0;
        if !is_there {
            let end = (at + SECTOR).min(now.len());
            for (byte, old) in now[*at..end].iter_mut().zip(flushed.get(*at..).unwrap_or_default().iter().chain(std::iter::repeat(&0))) {
                *byte = *old;
            }
        }
    }
}

/// Has sled write what it holds to its file, for [`crash`].
pub fn write_out(store: &crate::Store) {
    store.database().write_out();
}

/// The files of an open library, without its reserves.
pub fn files(store: &crate::Store) -> BTreeMap<PathBuf, Vec<u8>> {
    files_of(store.database().path())
}

/// Takes what is in sled's file for written: it was just opened.
pub fn opened(folder: &Path) {
    flushed(folder);
}

fn files_of(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if !entry.file_name().to_string_lossy().starts_with("reserve")
                && let Ok(bytes) = fs::read(&path)
                && let Ok(name) = path.strip_prefix(folder)
            {
                files.insert(name.to_owned(), bytes);
            }
        }
    }
    files
}

/// A new process: nothing was killed, nothing fails, and the disk is as full as it was.
pub fn restart() {
    with(|world| {
        world.killed = false;
        world.next = None;
        world.fired = None;
        world.flushed = None;
        world.unsure.clear();
    });
}
