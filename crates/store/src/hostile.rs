//! Bytes that nobody wrote: whatever stands in a file, reading it is an answer.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use inspector_model::{Path, RecordingId, RecordingInfo, Scope, SearchOptions, Segment as PathSegment, Side, StepId};
use inspector_tape::PlacePath;
use proptest::prelude::*;

use crate::cache::Cache;
use crate::index::{SegmentIndex, entries};
use crate::key;
use crate::piece::{self, PIECE};
use crate::reader::Reader;
use crate::rebuild;
use crate::segment::{LONGEST_TEXT, MOST_STEPS, Segment, TextRef};
use crate::segment_writer::{Put, SegmentWriter};
use crate::source::Source;
use crate::splice::Dialect;
use crate::wire::put_number;
use crate::writer::Catalogue;

/// A segment as it was written, with states that share much.
fn written(first: u64, states: &[u8]) -> (Vec<u8>, SegmentIndex) {
    let mut writer = SegmentWriter::new(first).unwrap();
    let mut last: Option<Arc<str>> = None;
    for (nth, state) in states.iter().enumerate() {
        let stream = (Some(["a", "b"][nth % 2].into()), None);
        let text: Arc<str> =
            format!(r#"{{"rows":[{{"id":1,"n":{state}}},{{"id":{state},"n":2}}],"text":"{}"}}"#, "word ".repeat(usize::from(*state)))
                .into();
        let put = match &last {
            Some(base) if nth % 2 == 0 && nth > 1 => Put::Bytes(text.clone(), base.clone()),
            _ => Put::Whole(text.clone(), nth % 3 == 0),
        };
        if nth % 2 == 0 {
            last = Some(text);
        }
        writer.push(&stream, br#"{"params":"{}"}"#, [&Put::Nothing, &put, &Put::Nothing, &Put::Whole("<p>".into(), false)]);
    }
    let index = rebuild::index(&Segment::parse(first, writer.raw.clone(), Dialect::Second));
    (writer.raw, index)
}

fn read_all(segment: &Segment) {
    let cache = Cache::new();
    for step in segment.first..segment.end() {
        let Some(entry) = segment.entry(step) else { break };
        for text in [&entry.before, &entry.after, &entry.page_before, &entry.page_after] {
            match text {
                TextRef::Version(slot, version) => {
                    let text = segment.text(*slot, *version, &cache);
                    assert!(text.is_none_or(|text| text.len() <= LONGEST_TEXT));
                }
                TextRef::Missing(place) => drop(segment.reason(place)),
                TextRef::Nothing | TextRef::Dropped => {}
            }
        }
    }
    drop(rebuild::index(segment));
}

fn changed(mut bytes: Vec<u8>, edits: &[(prop::sample::Index, u8)]) -> Vec<u8> {
    for (at, byte) in edits {
        if !bytes.is_empty() {
            let at = at.index(bytes.len());
            bytes[at] = *byte;
        }
    }
    bytes
}

fn ask_everything(reader: &Reader) {
    let path = PlacePath(vec![b".rows".to_vec(), b"=1".to_vec(), b".n".to_vec()]);
    let _ = reader.steps();
    for step in [1, 2, 3, 256, u64::MAX].map(StepId) {
        let _ = (reader.state(step, Side::After), reader.html(step, Side::Before), reader.detail(step), reader.logged(step));
        let _ = reader.place(step, Side::After, &Path(vec![PathSegment::Key("rows".into()), PathSegment::Index(0)]));
        let _ = (reader.last_change_before(&path, &Scope::Everywhere, step), reader.first_change_after(&path, &Scope::Everywhere, step));
    }
    let _ = reader.changes(&path, &Scope::Everywhere);
    let mut search = reader.search(SearchOptions { text: "word".into(), most: 50, ..SearchOptions::default() });
    for _ in 0..20 {
        if search.is_done() || search.run(Duration::from_secs(1)).is_err() {
            break;
        }
    }
    let _ = reader.thinned();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_bytes_are_a_segment(bytes in proptest::collection::vec(any::<u8>(), 0..120), first in prop_oneof![Just(1u64), Just(u64::MAX - 3), any::<u64>()]) {
        read_all(&Segment::parse(first, bytes.clone(), Dialect::First));
        read_all(&Segment::parse(first, bytes, Dialect::Second));
    }

    #[test]
    fn a_segment_with_other_bytes_is_one(
        states in proptest::collection::vec(any::<u8>(), 1..12), edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let (raw, _) = written(5, &states);
        read_all(&Segment::parse(5, raw.clone(), Dialect::Second));
        let raw = changed(raw, &edits);
        read_all(&Segment::parse(5, raw.clone(), Dialect::First));
        read_all(&Segment::parse(u64::MAX - 4, raw, Dialect::Second));
    }

    #[test]
    fn indexes_and_logs_with_other_bytes_are_read(
        states in proptest::collection::vec(any::<u8>(), 1..12), edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        noise in proptest::collection::vec(any::<u8>(), 0..60),
    ) {
        let (_, index) = written(5, &states);
        let read = SegmentIndex::from_bytes(5, &index.to_bytes()).unwrap();
        prop_assert_eq!(read.to_bytes(), index.to_bytes());
        for bytes in [changed(index.to_bytes(), &edits), noise.clone()] {
            if let Some(read) = SegmentIndex::from_bytes(5, &bytes) {
                for path in 0..=read.paths.len() as u32 {
                    drop(read.names(path));
                }
            }
        }
        for log in [changed(index.stored_log(), &edits), noise] {
            if let Some((_, log)) = SegmentIndex::split_log(&log) {
                prop_assert!(entries(u64::MAX - 2, log).count() <= log.len());
            }
        }
    }

    /// Streams in their pieces, with right checksums and wrong content.
    #[test]
    fn a_recording_with_other_bytes_answers(
        states in proptest::collection::vec(any::<u8>(), 1..12), edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..5),
        which in 0usize..4, firsts in prop_oneof![Just([1, 13]), Just([5, 3]), Just([1, u64::MAX - 2])],
    ) {
        let mut values = BTreeMap::new();
        for first in firsts {
            let (raw, index) = written(first.min(u64::MAX - 300), &states);
            let streams = [(key::SEGMENT, raw), (key::INDEX, index.to_bytes()), (key::LOG, index.stored_log())];
            for (nth, (kind, raw)) in streams.into_iter().enumerate() {
                let raw = if which == nth { changed(raw, &edits) } else { raw };
                let packed = piece::compress(&raw).unwrap();
                let packed = if which == 3 { changed(packed, &edits) } else { packed };
                for (number, body) in packed.chunks(PIECE).enumerate() {
                    values.insert(key::piece(kind, first, number as u32), piece::sign(body));
                }
            }
        }
        ask_everything(&reader_of(values));
    }
}

fn reader_of(values: BTreeMap<Vec<u8>, Vec<u8>>) -> Reader {
    let info = RecordingInfo {
        id: RecordingId::from("hostile"),
        title: String::new(),
        started: 0.0,
        ended: 0.0,
        steps: u64::MAX,
        bytes: 0,
        sessions: 0,
        djust: String::new(),
        format: 2,
        recording: false,
        kept: false,
    };
    let catalogue = Catalogue { info, damaged: None, thinned: Some((u64::MAX, u64::MAX)) };
    Reader::new(Source::Memory(Arc::new(values)), catalogue, Weak::new())
}

#[test]
fn a_segment_of_more_records_than_are_written_is_read_in_part() {
    // Whose it is, no detail, and no texts: the smallest record. The later ones are of the same stream.
    let mut raw = vec![8, 0, 0, 0, 0, 0, 0, 0, 0];
    raw.extend([6, 0, 0, 0, 0, 0, 0].repeat(1 << 20));
    let segment = Segment::parse(1, raw, Dialect::Second);
    assert_eq!(segment.len(), MOST_STEPS as u64);
}

#[test]
fn an_index_of_too_many_paths_steps_or_levels_is_none() {
    let index = |count: u64, parent: &dyn Fn(u64) -> u64, steps: u64| {
        let mut bytes = Vec::new();
        put_number(&mut bytes, count);
        for nth in 0..count {
            put_number(&mut bytes, parent(nth));
            bytes.push(0);
            put_number(&mut bytes, steps);
            bytes.extend(std::iter::repeat_n(9, steps as usize));
        }
        SegmentIndex::from_bytes(1, &bytes)
    };
    let (flat, chain) = (|_| 0, |nth| nth);
    assert!(index(1_000, &flat, 256).is_some() && index(500, &chain, 1).is_some());
    assert!(index(2_000_001, &flat, 0).is_none());
    assert!(index(1, &flat, MOST_STEPS as u64 + 1).is_none());
    assert!(index(600, &chain, 1).is_none());
}

#[test]
fn a_stream_that_asks_for_a_large_window_is_refused() {
    use zstd::stream::raw::CParameter;
    let stream = |window: u32| {
        let mut encoder = zstd::Encoder::new(Vec::new(), 3).unwrap();
        encoder.set_parameter(CParameter::WindowLog(window)).unwrap();
        std::io::Write::write_all(&mut encoder, "x".repeat(100_000).as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    let (raw, damage) = piece::decompress(&stream(22), 1 << 20);
    assert_eq!((raw.len(), damage.is_none()), (100_000, true));
    let (raw, damage) = piece::decompress(&stream(27), 1 << 20);
    assert!(raw.is_empty() && damage.is_some());
}

/// Whatever the keys are, also such as an older inspector let in: who goes from segment to segment comes to an end.
#[test]
fn segments_come_one_after_the_other_whatever_their_keys_are() {
    let numbers = [0, 1, 5, u32::MAX - 1, u32::MAX];
    let firsts = [0, 1, 2, 300, key::LAST_STEP, key::LAST_STEP + 1, u64::MAX - 1, u64::MAX];
    let mut values = BTreeMap::new();
    for kind in [key::SEGMENT, key::SEGMENT_1, key::INDEX, key::LOG] {
        for first in firsts {
            for number in numbers {
                let name = [&[kind][..], &first.to_be_bytes(), &number.to_be_bytes()].concat();
                values.insert(name, piece::sign(b"anything"));
            }
        }
    }
    let source = Source::Memory(Arc::new(values));
    let mut at = 0;
    let mut found = Vec::new();
    while let Some(next) = source.segment_after(at).unwrap() {
        assert!(next > at, "{next} after {at}");
        found.push(next);
        at = next;
    }
    assert_eq!(found, [1, 2, 300, key::LAST_STEP]);
    assert_eq!([1, 299, u64::MAX].map(|step| source.segment_of(step).unwrap()), [Some(1), Some(2), Some(key::LAST_STEP)]);
}

/// Each first state is read from the segment: a log of a million of them has as many as a segment can have.
#[test]
fn a_log_of_more_first_states_than_a_segment_has_is_searched_in_part() {
    let (raw, index) = written(1, &[1, 2, 3]);
    let mut log = Vec::new();
    put_number(&mut log, 1_000_000);
    log.extend([0, 5, 0].repeat(1_000_000));
    let mut values = BTreeMap::new();
    for (kind, raw) in [(key::SEGMENT, raw), (key::INDEX, index.to_bytes()), (key::LOG, log.clone())] {
        for (number, body) in piece::compress(&raw).unwrap().chunks(PIECE).enumerate() {
            values.insert(key::piece(kind, 1, number as u32), piece::sign(body));
        }
    }
    let reader = reader_of(values);
    let mut search = reader.search(SearchOptions { text: "rows".into(), values: true, most: 10_000_000, ..SearchOptions::default() });
    let hits = search.run(Duration::from_mins(1)).unwrap();
    assert!(search.is_done() && !hits.is_empty() && hits.len() <= 2 * MOST_STEPS, "{} hits", hits.len());
    // Nor are more changes of one step told than a step has.
    assert!(reader.logged(StepId(1)).unwrap().len() <= 200_000);
}

/// Indexes that become large together are not all held: they are made to fill memory.
#[test]
fn indexes_that_become_too_large_together_are_not_taken_in() {
    let mut bytes = Vec::new();
    put_number(&mut bytes, 4_000);
    for _ in 0..4_000 {
        bytes.extend([0, 2, 0, 0]);
        put_number(&mut bytes, MOST_STEPS as u64);
        bytes.extend([9].repeat(MOST_STEPS));
    }
    assert!(SegmentIndex::from_bytes(1, &bytes).is_some());
    let packed = piece::sign(&piece::compress(&bytes).unwrap());
    let mut values = BTreeMap::new();
    for first in (1..200_000).step_by(5_000) {
        values.insert(key::piece(key::SEGMENT, first, 0), piece::sign(b""));
        values.insert(key::piece(key::INDEX, first, 0), packed.clone());
    }
    let reader = reader_of(values);
    let changes = reader.changes(&PlacePath(Vec::new()), &Scope::Everywhere).unwrap();
    assert!(!changes.is_empty() && changes.len() <= 4 * MOST_STEPS, "{} changes", changes.len());
}
