//! Recording files as their frames, with checksums that are right whatever stands in them.

use fastrand::Rng;

use crate::change;

/// The magic and the format.
const HEAD: usize = 12;
/// Kind, length of the key, length of the value.
const FRAME_HEAD: usize = 7;
/// No more is unpacked to be changed.
const MOST_UNPACKED: usize = 1 << 20;

struct Frame {
    kind: u8,
    name: Vec<u8>,
    value: Vec<u8>,
}

/// The head, the frames as their lengths cut them, and what is left.
fn parse(bytes: &[u8]) -> Option<(&[u8], Vec<Frame>, &[u8])> {
    let (head, mut rest) = bytes.split_at_checked(HEAD)?;
    let mut frames = Vec::new();
    while let Some((&[kind, n0, n1, v0, v1, v2, v3], tail)) = rest.split_first_chunk::<FRAME_HEAD>() {
        let name_len = usize::from(u16::from_le_bytes([n0, n1]));
        let value_len = u32::from_le_bytes([v0, v1, v2, v3]) as usize;
        let Some((name, tail)) = tail.split_at_checked(name_len) else { break };
        let Some((value, tail)) = tail.split_at_checked(value_len) else { break };
        let Some((_, tail)) = tail.split_at_checked(4) else { break };
        frames.push(Frame { kind, name: name.to_vec(), value: value.to_vec() });
        rest = tail;
    }
    Some((head, frames, rest))
}

fn write(head: &[u8], frames: &[Frame], rest: &[u8]) -> Vec<u8> {
    let mut out = head.to_vec();
    for Frame { kind, name, value } in frames {
        let from = out.len();
        out.push(*kind);
        out.extend((name.len() as u16).to_le_bytes());
        out.extend((value.len() as u32).to_le_bytes());
        out.extend(&name[..usize::from(name.len() as u16)]);
        let at = out.len();
        out.extend(value);
        if *kind == b'k' && value.len() >= 4 {
            let sum = crc32fast::hash(&value[4..]).to_le_bytes();
            out[at..at + 4].copy_from_slice(&sum);
        }
        let sum = crc32fast::hash(&out[from..]);
        out.extend(sum.to_le_bytes());
    }
    out.extend(rest);
    out
}

/// The same file with right checksums: what changed it was not to be found out by them.
pub fn signed(bytes: &[u8]) -> Vec<u8> {
    parse(bytes).map_or_else(|| bytes.to_vec(), |(head, frames, rest)| write(head, &frames, rest))
}

/// Changes a file: its frames, what is packed in them, or any of its bytes.
pub fn changed(rng: &mut Rng, data: &[u8], others: &[Vec<u8>]) -> Vec<u8> {
    let Some((head, mut frames, rest)) = parse(data).filter(|(_, frames, _)| !frames.is_empty() && rng.u8(..8) > 0) else {
        return change::bytes(rng, data, others);
    };
    for _ in 0..=rng.usize(..3) {
        if frames.is_empty() {
            break;
        }
        let at = rng.usize(..frames.len());
        match rng.u8(..12) {
            0 => drop(frames.remove(at)),
            1 => {
                let Frame { kind, name, value } = &frames[at];
                let copy = Frame { kind: *kind, name: change::bytes(rng, name, &[]), value: value.clone() };
                frames.insert(at, copy);
            }
            2 => frames.swap(0, at),
            3 => frames[at].name = change::bytes(rng, &frames[at].name, &[]),
            4 => frames[at].value = change::bytes(rng, &frames[at].value, others),
            5 => frames[at].value = packed(&vec![b'0'; [1 << 10, 70_000, 20 << 20][rng.usize(..3)]]),
            _ => {
                let frame = &mut frames[at];
                let raw = if frame.kind == b'k' { unpacked(&frame.value) } else { None };
                frame.value = match raw {
                    Some(raw) => packed(&inside(rng, frame.name.first().copied(), &raw, others)),
                    None => change::json(rng, &frame.value, others),
                };
            }
        }
    }
    write(head, &frames, rest)
}

/// What is in a value, changed as what it is.
fn inside(rng: &mut Rng, kind: Option<u8>, raw: &[u8], others: &[Vec<u8>]) -> Vec<u8> {
    match kind {
        Some(b'p' | b'v' | b'g' | b'x') => change::json(rng, raw, others),
        Some(b't' | b's') => change::lines(rng, raw, others),
        _ => change::bytes(rng, raw, others),
    }
}

fn unpacked(value: &[u8]) -> Option<Vec<u8>> {
    let mut decoder = zstd::Decoder::new(value.get(4..)?).ok()?;
    let mut raw = Vec::new();
    // A stream that is still written has no end.
    let _ = std::io::copy(&mut std::io::Read::take(&mut decoder, MOST_UNPACKED as u64), &mut raw);
    (!raw.is_empty()).then_some(raw)
}

fn packed(raw: &[u8]) -> Vec<u8> {
    let mut value = vec![0; 4];
    value.extend(zstd::bulk::compress(raw, 1).unwrap_or_default());
    value
}
