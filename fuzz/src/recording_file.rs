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
        match rng.u8(..16) {
            12 | 13 => {
                // A key of any shape, in the place of one or beside it, with a value of its own kind or of another.
                let name = odd_name(rng, &frames);
                let of_kind: Vec<usize> = (0..frames.len()).filter(|at| frames[*at].name.first() == name.first()).collect();
                let from = if of_kind.is_empty() || rng.u8(..4) == 0 { at } else { of_kind[rng.usize(..of_kind.len())] };
                let frame = Frame { kind: b'k', name, value: frames[from].value.clone() };
                if rng.bool() { frames[at] = frame } else { frames.insert(rng.usize(..=frames.len()), frame) }
            }
            14 => renumber(rng, &mut frames),
            15 => {
                let to = rng.usize(at..=frames.len());
                frames[at..to].reverse();
            }
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
        _ if rng.u8(..3) == 0 => with_number(rng, raw),
        _ => change::bytes(rng, raw, others),
    }
}

/// All that a key can begin with, and something that none does.
const KINDS: &[u8] = b"tdeilsmxpwvgk?";

/// A step as a number: what is usual, what is a limit, what is beside one.
fn step(rng: &mut Rng) -> u64 {
    const LAST: u64 = 1 << 53;
    let steps = [0, 1, 2, 3, 255, 256, 257, 4095, 4096, 4097, LAST - 1, LAST, LAST + 1, u64::MAX - 1, u64::MAX];
    match rng.u8(..6) {
        0 => rng.u64(..),
        1 => rng.u64(..600),
        _ => steps[rng.usize(..steps.len())],
    }
}

fn number(rng: &mut Rng) -> u32 {
    const MOST: u32 = 1 << 17;
    let numbers = [0, 1, 2, 3, MOST - 1, MOST, MOST + 1, u32::MAX - 1, u32::MAX];
    if rng.u8(..6) == 0 { rng.u32(..) } else { numbers[rng.usize(..numbers.len())] }
}

/// A key of any kind with any numbers; now and then too short or too long.
fn odd_name(rng: &mut Rng, frames: &[Frame]) -> Vec<u8> {
    let kind = KINDS[rng.usize(..KINDS.len())];
    let others: Vec<&[u8]> = frames.iter().filter_map(|frame| frame.name.get(1..)).filter(|rest| !rest.is_empty()).collect();
    let other = if others.is_empty() { &[][..] } else { others[rng.usize(..others.len())] };
    let mut name = vec![kind];
    match kind {
        b't' | b'm' => name.extend(step(rng).to_be_bytes()),
        b's' => name.extend(number(rng).to_be_bytes()),
        b'd' | b'e' | b'i' | b'l' => {
            // Often beside what is there: another piece, the step before or after.
            let first = other.first_chunk::<8>().map(|first| u64::from_be_bytes(*first)).filter(|_| rng.bool());
            let first = match first {
                Some(first) => first.wrapping_add(rng.u64(..3)).wrapping_sub(1),
                None => step(rng),
            };
            name.extend(first.to_be_bytes());
            name.extend(number(rng).to_be_bytes());
        }
        b'x' => {
            let mut content = other.to_vec();
            content.resize(16, 7);
            name.extend(content);
            name.extend(number(rng).to_be_bytes());
        }
        b'p' | b'w' => match rng.u8(..4) {
            0 => {}
            1 => name.extend(vec![b'p'; 4095]),
            2 => name.extend([0xff, 0, b'/', 0xc3]),
            _ => name.extend(other),
        },
        _ => {}
    }
    match rng.u8(..12) {
        0 => drop(name.pop()),
        1 => name.push(rng.u8(..)),
        2 => name.truncate(1),
        _ => {}
    }
    name
}

/// Gives the pieces of a kind other numbers: with gaps, from another one on, or all of them moved to another step.
fn renumber(rng: &mut Rng, frames: &mut [Frame]) {
    let kind = KINDS[rng.usize(..KINDS.len())];
    let (by_steps, by_numbers) = (rng.u64(..4).wrapping_sub(1), rng.u32(..4).wrapping_sub(1));
    let times = rng.u32(1..4);
    for frame in frames.iter_mut().filter(|frame| frame.name.first() == Some(&kind)) {
        if let Some(first) = frame.name.get_mut(1..9).and_then(|first| first.first_chunk_mut::<8>()) {
            *first = u64::from_be_bytes(*first).wrapping_add(by_steps).to_be_bytes();
        }
        let len = frame.name.len();
        if let Some(number) = frame.name.get_mut(len.saturating_sub(4)..).and_then(|number| number.first_chunk_mut::<4>())
            && matches!(kind, b'd' | b'e' | b'i' | b'l' | b's' | b'x')
        {
            *number = u32::from_be_bytes(*number).wrapping_mul(times).wrapping_add(by_numbers).to_be_bytes();
        }
    }
}

/// A number as streams have them (LEB128), extreme or not, put in somewhere or in the place of what is there.
fn with_number(rng: &mut Rng, raw: &[u8]) -> Vec<u8> {
    let mut number = [step(rng), u64::from(number(rng)), 1 << rng.u32(..64), rng.u64(..)][rng.usize(..4)];
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push((number as u8 & 0x7f) | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    if rng.u8(..16) == 0 {
        // One that does not end.
        bytes = vec![0xff; 12];
    }
    let mut out = raw.to_vec();
    let at = rng.usize(..=out.len());
    let end = if rng.bool() { at } else { (at + bytes.len()).min(out.len()) };
    out.splice(at..end, bytes);
    out
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
