//! Recordings as files of their own: the same values, each in a frame with a checksum. See `docs/RECORDING_FORMAT.md`.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::Path;
use std::sync::{Arc, Weak};

use inspector_model::{LONGEST_ID, LONGEST_WORDS, RecordingId, Secret, cut};
use sha2::{Digest as _, Sha256};

use crate::descriptions;
use crate::disk::{self, GrowingFile};
use crate::error::StoreError;
use crate::key;
use crate::piece::{self, Growth};
use crate::private;
use crate::reader::Reader;
use crate::sealed_file;
use crate::source::Source;
use crate::summaries;
use crate::writer::Catalogue;
use crate::{FORMAT, Progress};

const MAGIC: [u8; 8] = *b"\x89DJREC\r\n";

const HEADER: u8 = b'h';
const VALUE: u8 = b'k';
const END: u8 = b'z';

/// Limits of what is read: a value is below 64 KB but for descriptions, and a recording is held in memory while it is read.
const LARGEST_VALUE: usize = 17 << 20;
const LARGEST_FILE: u64 = 2 << 30;
const LONGEST_TITLE: usize = 1000;

/// Bytes after which it is asked whether to go on reading: some milliseconds.
const ASK_EVERY: u64 = 1 << 20;

/// What came into the library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// The recording.
    pub id: RecordingId,
    /// Steps in it.
    pub steps: u64,
    /// Why it is only a part of what was exported, if so.
    pub damaged: Option<String>,
}

/// Opens a recording file without a library.
pub fn read_file(path: &Path) -> Result<Reader, StoreError> {
    read_file_watched(path, &|_, _| true)
}

/// The same, for a file that may be large: told in bytes, and stopped in between.
pub fn read_file_watched(path: &Path, progress: Progress<'_>) -> Result<Reader, StoreError> {
    read_file_with(path, None, progress)
}

/// The same, for a file that may be encrypted.
pub fn read_file_with(path: &Path, passphrase: Option<&Secret>, progress: Progress<'_>) -> Result<Reader, StoreError> {
    let loaded = load(path, passphrase, progress)?;
    Ok(Reader::new(Source::Memory(Arc::new(loaded.values)), loaded.catalogue, Weak::new()))
}

/// What a file has, up to the damage.
pub(crate) struct Loaded {
    pub(crate) catalogue: Catalogue,
    pub(crate) values: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Made of the content: the same for the same file.
    pub(crate) content_id: RecordingId,
}

/// A recording at one moment, while somebody may go on with it. What is complete stays as it is in the database; the rest is here.
pub(crate) struct Moment {
    catalogue: Catalogue,
    /// The values that may change, if it is being recorded.
    growing: Option<Growing>,
}

struct Growing {
    values: Source,
    /// The first steps of the segment and of the piece of summaries from which on they are here.
    segment: u64,
    summaries: u64,
}

/// What is known of pages and the server, which is written anew when it changes.
const DESCRIPTIONS: [u8; 4] = [key::SERVER, key::CONFIG, key::SESSION, key::SHELL_OF];

impl Moment {
    /// That of one that nobody records.
    pub(crate) const fn of_whole(catalogue: Catalogue) -> Self {
        Self { catalogue, growing: None }
    }

    /// That of one that is being recorded, and stands still while this is made. What grows begins with these steps.
    pub(crate) fn of_growing(catalogue: Catalogue, source: &Source, segment: u64, summaries: u64) -> Result<Self, StoreError> {
        let mut values = BTreeMap::new();
        let mut take = |name: &[u8], value: &[u8]| {
            values.insert(name.to_vec(), value.to_vec());
            Ok(true)
        };
        for name in DESCRIPTIONS {
            source.each(&[name], &mut take)?;
        }
        source.each(&key::piece(key::SEGMENT, segment, 0)[..9], &mut take)?;
        source.each_summary(summaries, |first, value| take(&key::summary(first), value))?;
        Ok(Self { catalogue, growing: Some(Growing { values: Source::Memory(Arc::new(values)), segment, summaries }) })
    }

    /// Where the descriptions are.
    fn descriptions<'a>(&'a self, source: &'a Source) -> &'a Source {
        self.growing.as_ref().map_or(source, |growing| &growing.values)
    }

    /// Where the segment is that begins with a step.
    fn segment<'a>(&'a self, source: &'a Source, first: u64) -> &'a Source {
        self.growing.as_ref().filter(|growing| first >= growing.segment).map_or(source, |growing| &growing.values)
    }

    fn summary(&self, source: &Source, name: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let growing = self.growing.as_ref().filter(|growing| key::parse_summary(name).is_some_and(|first| first >= growing.summaries));
        growing.map_or(source, |growing| &growing.values).get(name)
    }

    /// The first segment after one.
    fn segment_after(&self, source: &Source, first: u64) -> Result<Option<u64>, StoreError> {
        // What begins after the last step came later.
        let next = source.segment_after(first)?.filter(|next| *next <= self.catalogue.info.steps);
        Ok(next)
    }

    /// The pieces of the summaries in the format of today, by their first steps.
    fn summaries(&self, source: &Source) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
        let mut firsts = Vec::new();
        let end = self.growing.as_ref().map_or(self.catalogue.info.steps + 1, |growing| growing.summaries);
        source.each_summary(0, |first, _| {
            firsts.push((first, key::summary(first)));
            Ok(true)
        })?;
        firsts.retain(|(first, _)| *first < end);
        if let Some(growing) = &self.growing {
            growing.values.each_summary(0, |first, _| {
                firsts.push((first, key::summary(first)));
                Ok(true)
            })?;
        }
        Ok(firsts)
    }
}

/// Writes a recording beside `path`, then puts it in its place.
pub(crate) fn write(path: &Path, moment: &Moment, source: &Source, progress: Progress<'_>) -> Result<u64, StoreError> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    let part = path.with_file_name(name);
    let written = write_frames(&part, moment, source, progress).and_then(|bytes| {
        disk::rename(&part, path).map(|()| bytes).map_err(StoreError::io("putting the exported file in its place", path))
    });
    if written.is_err() {
        let _ = disk::remove(&part);
    }
    written
}

fn write_frames(path: &Path, moment: &Moment, source: &Source, progress: Progress<'_>) -> Result<u64, StoreError> {
    let file = private::create(path).map_err(StoreError::io("making the exported file", path))?;
    let mut out = Frames { out: BufWriter::new(GrowingFile { file, path }), path, bytes: 0 };
    out.raw(&MAGIC)?;
    out.raw(&FORMAT.to_le_bytes())?;
    let catalogue = &moment.catalogue;
    let entry = serde_json::to_vec(catalogue).map_err(StoreError::Encode)?;
    out.frame(HEADER, &[], &entry)?;
    for name in DESCRIPTIONS {
        moment.descriptions(source).each(&[name], |name, value| out.frame(VALUE, name, value).map(|()| true))?;
    }
    source.each(&[key::SHELL], |name, value| out.frame(VALUE, name, value).map(|()| true))?;
    // Each segment comes after the summaries of its steps, so that a file without its end has both up to there.
    let mut summaries: Vec<(u64, Vec<u8>)> = Vec::new();
    let mut lines = 0;
    source.each(&[key::SUMMARY_1], |name, value| {
        summaries.push((lines + 1, name.to_vec()));
        lines += piece::unpack(value).map_or(0, |raw| count_lines(&raw));
        Ok(true)
    })?;
    summaries.extend(moment.summaries(source)?);
    let mut summaries = summaries.into_iter().peekable();
    let mut segment = moment.segment_after(source, 0)?;
    while let Some(first) = segment {
        if !progress(first - 1, catalogue.info.steps) {
            return Err(StoreError::Cancelled);
        }
        segment = moment.segment_after(source, first)?;
        let end = segment.unwrap_or(u64::MAX);
        while let Some((_, name)) = summaries.next_if(|(first, _)| *first < end) {
            if let Some(value) = moment.summary(source, &name)? {
                out.frame(VALUE, &name, &value)?;
            }
        }
        for kind in [key::SEGMENT_1, key::SEGMENT, key::INDEX, key::LOG] {
            let of = moment.segment(source, first);
            of.each(&key::piece(kind, first, 0)[..9], |name, value| out.frame(VALUE, name, value).map(|()| true))?;
        }
    }
    // Last: whoever does not know them has all steps by then.
    source.each(&[key::MARK], |name, value| {
        let is_there = key::parse_mark(name).is_some_and(|step| step <= catalogue.info.steps);
        if is_there { out.frame(VALUE, name, value).map(|()| true) } else { Ok(true) }
    })?;
    // What was deleted meanwhile is no longer what the file should have.
    if let Source::Database(..) = source
        && source.catalogue(&catalogue.info.id).is_none()
    {
        return Err(StoreError::NotFound { what: "recording of this id any more".to_owned() });
    }
    out.frame(END, &[], &[])?;
    let Frames { out, bytes, .. } = out;
    let file = out.into_inner().map_err(|error| StoreError::io("writing the exported file", path)(error.into_error()))?;
    disk::sync(&file.file, path).map_err(StoreError::io("writing the exported file", path))?;
    Ok(bytes)
}

struct Frames<'a> {
    out: BufWriter<GrowingFile<'a>>,
    path: &'a Path,
    bytes: u64,
}

impl Frames<'_> {
    fn raw(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.bytes += bytes.len() as u64;
        self.out.write_all(bytes).map_err(StoreError::io("writing the exported file", self.path))
    }

    fn frame(&mut self, kind: u8, name: &[u8], value: &[u8]) -> Result<(), StoreError> {
        let mut head = vec![kind];
        head.extend((name.len() as u16).to_le_bytes());
        head.extend((value.len() as u32).to_le_bytes());
        let mut sum = crc32fast::Hasher::new();
        for part in [&head, name, value] {
            sum.update(part);
            self.raw(part)?;
        }
        self.raw(&sum.finalize().to_le_bytes())
    }
}

/// Reads a file up to its end or to the damage. The progress is told in bytes.
pub(crate) fn load(path: &Path, passphrase: Option<&Secret>, progress: Progress<'_>) -> Result<Loaded, StoreError> {
    let failed = || StoreError::io("reading the recording", path);
    let not_one = || StoreError::NotARecording { path: path.to_owned() };
    let file = File::open(path).map_err(failed())?;
    let len = file.metadata().map_err(failed())?.len();
    if len > LARGEST_FILE {
        return Err(StoreError::damaged("the file is larger than 2 GB"));
    }
    let mut input = sealed_file::open(BufReader::new(file.take(LARGEST_FILE)), path, passphrase)?;
    let mut magic = [0; 8];
    let mut format = [0; 4];
    // An envelope that was changed says so.
    let none =
        |error: io::Error| if error.kind() == io::ErrorKind::InvalidData { StoreError::damaged(error.to_string()) } else { not_one() };
    input.read_exact(&mut magic).and_then(|()| input.read_exact(&mut format)).map_err(none)?;
    let format = u32::from_le_bytes(format);
    if magic != MAGIC || format == 0 {
        return Err(not_one());
    }
    if format > FORMAT {
        return Err(StoreError::TooNew { found: format, known: FORMAT });
    }

    let mut catalogue: Option<Catalogue> = None;
    let mut values = BTreeMap::new();
    let mut damage = None;
    let mut hash = Sha256::new();
    let (mut done, mut asked) = (0, 0);
    loop {
        if done >= asked {
            asked = done + ASK_EVERY;
            if !progress(done.min(len), len) {
                return Err(StoreError::Cancelled);
            }
        }
        match read_frame(&mut input) {
            Ok((HEADER, _, entry)) if catalogue.is_none() => {
                let header = serde_json::from_slice(&entry).map_err(|_| StoreError::damaged("its header cannot be read"))?;
                catalogue = Some(header);
            }
            Ok((VALUE, name, value)) if catalogue.is_some() && key::is_known(&name) => {
                for part in [&name, &value] {
                    // With their lengths, or other values of the same bytes would be the same.
                    hash.update((part.len() as u64).to_le_bytes());
                    hash.update(part);
                }
                done += (name.len() + value.len()) as u64;
                values.insert(name, value);
            }
            Ok((END, _, _)) => break,
            Ok(_) => {
                damage = Some("it has a part that does not belong there".to_owned());
                break;
            }
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                damage = Some("its end is missing".to_owned());
                break;
            }
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                damage = Some(error.to_string());
                break;
            }
            Err(error) => return Err(failed()(error)),
        }
    }
    let Some(mut catalogue) = catalogue else { return Err(StoreError::damaged("its header cannot be read")) };

    let source = Source::Memory(Arc::new(values));
    let steps = whole_steps(&source)?;
    if steps < catalogue.info.steps && damage.is_none() {
        damage = Some("steps are missing".to_owned());
    }
    let damage =
        damage.map(|what| format!("{what}; {} of {of} steps can be read", steps.min(catalogue.info.steps), of = catalogue.info.steps));
    let damage: Vec<String> = damage.into_iter().chain(descriptions::unreadable(&source)?).collect();
    if !damage.is_empty() {
        catalogue.damaged = Some(damage.join("; "));
    }
    if let Some(damaged) = &mut catalogue.damaged {
        cut(damaged, LONGEST_WORDS);
    }
    catalogue.thinned = catalogue.thinned.filter(|(first, last)| (1..=*last).contains(first) && *last <= key::LAST_STEP);
    let info = &mut catalogue.info;
    info.steps = info.steps.min(steps);
    info.recording = false;
    cut(&mut info.djust, LONGEST_ID);
    info.title = info.title.chars().filter(|c| !c.is_control()).take(LONGEST_TITLE).collect();
    info.format = format;
    let Source::Memory(values) = source else { return Err(not_one()) };
    let mut values = Arc::unwrap_or_clone(values);
    // What is said of later steps would be taken for theirs when the recording goes on.
    values.retain(|name, _| key::step_of(name).is_none_or(|step| step <= info.steps));
    info.bytes = values.values().map(|value| value.len() as u64).sum();
    Ok(Loaded { catalogue, values, content_id: RecordingId::from(format!("file-{:032x}", content_name(hash))) })
}

/// What a content is called: the first 128 bits of its SHA-256, so that nobody finds another one of the same name.
pub(crate) fn content_name(hash: Sha256) -> u128 {
    let hash: [u8; 32] = hash.finalize().into();
    hash.first_chunk().map_or(0, |bytes| u128::from_be_bytes(*bytes))
}

/// How many steps have both a summary and a record.
fn whole_steps(source: &Source) -> Result<u64, StoreError> {
    let mut lines = 0;
    let (mut growth, mut unreadable) = (Growth::default(), 0);
    let mut count = |value: &[u8]| {
        let raw = piece::unpack_record(value).ok().filter(|raw| growth.note(value.len(), raw.len()).is_ok());
        unreadable += raw.as_deref().map_or(0, summaries::count_too_short);
        if unreadable > summaries::MOST_UNREADABLE {
            return false;
        }
        lines += raw.as_deref().map_or(0, count_lines);
        raw.is_some()
    };
    let mut whole = true;
    source.each(&[key::SUMMARY_1], |_, value| {
        whole = count(value);
        Ok(whole)
    })?;
    if whole {
        source.each_summary(0, |_, value| Ok(count(value)))?;
    }
    // Segments that begin later have no summaries.
    let Some(first) = source.segment_of(lines)? else { return Ok(0) };
    Ok(lines.min(source.segment(first)?.end().saturating_sub(1)))
}

fn count_lines(raw: &[u8]) -> u64 {
    raw.split(|byte| *byte == b'\n').count() as u64 - 1
}

fn read_frame(input: &mut impl Read) -> io::Result<(u8, Vec<u8>, Vec<u8>)> {
    let mut head = [0; 7];
    input.read_exact(&mut head)?;
    let [kind, n0, n1, v0, v1, v2, v3] = head;
    let (name_len, value_len) = (usize::from(u16::from_le_bytes([n0, n1])), u32::from_le_bytes([v0, v1, v2, v3]) as usize);
    if name_len > key::LONGEST || value_len > LARGEST_VALUE {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a size is beyond its limit"));
    }
    let mut name = vec![0; name_len];
    input.read_exact(&mut name)?;
    let mut value = Vec::new();
    // Not by the length that the file claims: memory is taken as bytes come.
    if input.take(value_len as u64).read_to_end(&mut value)? < value_len {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let mut sum = [0; 4];
    input.read_exact(&mut sum)?;
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&head);
    hasher.update(&name);
    hasher.update(&value);
    if hasher.finalize() != u32::from_le_bytes(sum) {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a checksum does not match"));
    }
    Ok((kind, name, value))
}
