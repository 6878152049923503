//! Keys: a recording's keys share a prefix and stand in the order in which they are read.

use inspector_model::RecordingId;

use crate::error::StoreError;

/// Summaries of format 1, piece by piece.
pub(crate) const SUMMARY_1: u8 = b's';
/// Segments of format 1, by their first step, piece by piece.
pub(crate) const SEGMENT_1: u8 = b'd';
/// Summaries, by the first step of each piece.
pub(crate) const SUMMARY: u8 = b't';
/// Segments, by their first step, piece by piece.
pub(crate) const SEGMENT: u8 = b'e';
/// What changed in a segment and when, likewise.
pub(crate) const INDEX: u8 = b'i';
/// To which values it changed, likewise.
pub(crate) const LOG: u8 = b'l';
/// Pages, by their id.
pub(crate) const SESSION: u8 = b'p';
/// The server.
pub(crate) const SERVER: u8 = b'v';
/// The configuration.
pub(crate) const CONFIG: u8 = b'g';
/// Which shell a page has, by the page's id.
pub(crate) const SHELL_OF: u8 = b'w';
/// Shells, by their content, piece by piece.
pub(crate) const SHELL: u8 = b'x';

/// Marks, by their step.
pub(crate) const MARK: u8 = b'm';
/// That the recording is kept however old it is. Not in files.
pub(crate) const KEPT: u8 = b'k';

/// Says that all values are sealed, and is the only one that is not. What has it needs its keys.
pub(crate) const SEALED: &[u8] = b"sealed";

/// The largest step: a larger one is in no key that is read. It leaves room to count on, in a number of JSON too.
pub(crate) const LAST_STEP: u64 = 1 << 53;

/// The most pieces of one stream: a piece that is left short has 4 KB, and a stream 264 MB.
pub(crate) const MOST_PIECES: u32 = 1 << 17;

/// The longest key that a file may have.
pub(crate) const LONGEST: usize = 1 << 12;

/// The catalogue's entry of a recording.
pub(crate) fn catalogue(id: &RecordingId) -> Vec<u8> {
    [b"c/", id.as_str().as_bytes()].concat()
}

/// The prefix of everything else of a recording.
pub(crate) fn prefix(id: &RecordingId) -> Vec<u8> {
    [b"r/", id.as_str().as_bytes(), b"/"].concat()
}

/// Whose key a value is sealed with: the id of its recording, or nothing for what is the library's own.
pub(crate) fn owner(name: &[u8]) -> &[u8] {
    match name.split_at_checked(2) {
        Some((b"c/", id)) => id,
        Some((b"r/", rest)) => rest.split(|byte| *byte == b'/').next().unwrap_or_default(),
        _ => b"",
    }
}

/// A setting of the library, beside the recordings.
pub(crate) fn setting(name: &str) -> Vec<u8> {
    [b"s/", name.as_bytes()].concat()
}

pub(crate) fn summary_1(piece: u32) -> Vec<u8> {
    let mut key = vec![SUMMARY_1];
    key.extend(piece.to_be_bytes());
    key
}

pub(crate) fn summary(first: u64) -> Vec<u8> {
    let mut key = vec![SUMMARY];
    key.extend(first.to_be_bytes());
    key
}

pub(crate) fn mark(step: u64) -> Vec<u8> {
    let mut key = vec![MARK];
    key.extend(step.to_be_bytes());
    key
}

/// Step of a [`mark`] key.
pub(crate) fn parse_mark(key: &[u8]) -> Option<u64> {
    parse_step(key.strip_prefix(&[MARK])?)
}

fn parse_step(bytes: &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(bytes.try_into().ok()?)).filter(|step| (1..=LAST_STEP).contains(step))
}

/// A piece of a segment or of what belongs to it.
pub(crate) fn piece(kind: u8, first: u64, piece: u32) -> Vec<u8> {
    let mut key = vec![kind];
    key.extend(first.to_be_bytes());
    key.extend(piece.to_be_bytes());
    key
}

pub(crate) fn session(id: &str) -> Vec<u8> {
    [&[SESSION], id.as_bytes()].concat()
}

pub(crate) fn shell_of(session: &str) -> Vec<u8> {
    [&[SHELL_OF], session.as_bytes()].concat()
}

pub(crate) fn shell(content: u128, piece: u32) -> Vec<u8> {
    let mut key = vec![SHELL];
    key.extend(content.to_be_bytes());
    key.extend(piece.to_be_bytes());
    key
}

/// First step and number of a [`piece()`] key.
pub(crate) fn parse_piece(key: &[u8]) -> Option<(u64, u32)> {
    let (first, piece) = key.get(1..)?.split_first_chunk::<8>()?;
    Some((parse_step(first)?, parse_number(piece)?))
}

fn parse_number(bytes: &[u8]) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.try_into().ok()?)).filter(|number| *number < MOST_PIECES)
}

/// First step of a [`piece()`] key, whatever the number of its piece.
pub(crate) fn parse_first(key: &[u8]) -> Option<u64> {
    parse_step(key.get(1..9)?)
}

/// First step of a [`summary`] key.
pub(crate) fn parse_summary(key: &[u8]) -> Option<u64> {
    parse_step(key.strip_prefix(&[SUMMARY])?)
}

/// The step, or the first of those, that a value is about.
pub(crate) fn step_of(key: &[u8]) -> Option<u64> {
    match *key.first()? {
        SUMMARY => parse_summary(key),
        MARK => parse_mark(key),
        SEGMENT_1 | SEGMENT | INDEX | LOG => parse_first(key),
        _ => None,
    }
}

/// Whether a recording file may have a value of this key.
pub(crate) fn is_known(key: &[u8]) -> bool {
    match key.split_first() {
        Some((&SUMMARY_1, number)) => parse_number(number).is_some(),
        Some((&SUMMARY, _)) => parse_summary(key).is_some(),
        Some((&(SEGMENT_1 | SEGMENT | INDEX | LOG), _)) => parse_piece(key).is_some(),
        Some((&(SERVER | CONFIG), rest)) => rest.is_empty(),
        Some((&(SESSION | SHELL_OF), _)) => true,
        Some((&SHELL, rest)) => rest.split_at_checked(16).is_some_and(|(_, number)| parse_number(number).is_some()),
        Some((&MARK, _)) => parse_mark(key).is_some(),
        _ => false,
    }
}

/// Refuses ids that are not safe in a key and as a file name.
pub(crate) fn check(id: &RecordingId) -> Result<(), StoreError> {
    let fine = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if id.as_str().is_empty() || id.as_str().len() > 64 || !id.as_str().chars().all(fine) {
        return Err(StoreError::NotFound { what: format!("recording {id:?}") });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_beyond_what_is_written_are_in_no_known_key() {
        for kind in [SEGMENT, SEGMENT_1, INDEX, LOG] {
            assert!(is_known(&piece(kind, 1, 0)) && is_known(&piece(kind, LAST_STEP, MOST_PIECES - 1)));
            for (first, number) in [(0, 0), (LAST_STEP + 1, 0), (u64::MAX, 0), (1, MOST_PIECES), (1, u32::MAX)] {
                assert!(!is_known(&piece(kind, first, number)), "{first} {number}");
            }
        }
        for step in [0, LAST_STEP + 1, u64::MAX] {
            assert!(!is_known(&summary(step)) && !is_known(&mark(step)));
        }
        assert!(is_known(&summary(LAST_STEP)) && is_known(&mark(1)) && is_known(&summary_1(0)) && !is_known(&summary_1(u32::MAX)));
        assert!(is_known(&shell(7, 3)) && !is_known(&shell(7, u32::MAX)) && !is_known(b"x") && !is_known(b"") && !is_known(b"?"));
    }

    #[test]
    fn values_belong_to_the_recording_in_their_name() {
        let id = RecordingId::from("1-a");
        assert_eq!(owner(&catalogue(&id)), b"1-a");
        assert_eq!(owner(&[prefix(&id), mark(0x2f2f_2f2f)].concat()), b"1-a");
        assert_eq!([owner(&setting("keep")), owner(b""), owner(b"c"), owner(b"c/")], [b"".as_slice(); 4]);
    }
}
