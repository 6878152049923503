//! Changes of inputs: of bytes, of lines, and of JSON as JSON, so that what is behind the parser is reached.

use fastrand::Rng;
use serde_json::{Map, Value as Json};

/// Texts that are something to somebody.
const TEXTS: [&str; 22] = [
    "",
    "\u{1b}[2J\u{1b}]0;x\u{7}",
    "\u{202e}abc\u{2066}",
    "</script><script>x</script>",
    "\"\"\"\nimport os\n",
    "=cmd|' /C calc'!A0",
    "../../etc/passwd",
    "http://127.0.0.1:80@example.com/",
    "@example.com/",
    "file:///etc/passwd",
    "redacted",
    "component",
    "$t",
    "v",
    "id",
    "cut",
    "0",
    "-1.5",
    "1e400",
    "\0",
    "\u{fffd}\u{10ffff}",
    "djbug1.store.x",
];

/// Bytes that begin, end or escape something.
const TOKENS: [&str; 24] = [
    "{", "}", "[", "]", ",", ":", "\"", "\\", "\\ud83d", "\n", "\0", "\u{1b}[", "<", ">", "&", "<script>", "<!--", "url(", "'", "null",
    "1e9", "-", "$t", "\u{feff}",
];

/// Changes anything as bytes. `others` are inputs to take pieces of.
pub fn bytes(rng: &mut Rng, data: &[u8], others: &[Vec<u8>]) -> Vec<u8> {
    let mut out = data.to_vec();
    for _ in 0..=rng.usize(..4) {
        let at = rng.usize(..=out.len());
        let to = (at + rng.usize(..=64)).min(out.len());
        match rng.u8(..9) {
            0 if at < out.len() => out[at] ^= 1 << rng.u8(..8),
            1 if at < out.len() => out[at] = [0, 1, 0x7f, 0x80, 0xff, b'"', b'\n'][rng.usize(..7)],
            2 => drop(out.drain(at..to)),
            3 => {
                let piece = out[at..to].to_vec();
                let times = [1, 2, 40][rng.usize(..3)];
                let before = rng.usize(..=out.len());
                out.splice(before..before, piece.repeat(times));
            }
            4 => out.truncate(at),
            5 => {
                if let Some(other) = others.get(rng.usize(..others.len().max(1))).filter(|other| !other.is_empty()) {
                    let from = rng.usize(..other.len());
                    let piece = &other[from..(from + rng.usize(..=256)).min(other.len())];
                    out.splice(at..to, piece.iter().copied());
                }
            }
            6 => {
                let token = TOKENS[rng.usize(..TOKENS.len())];
                out.splice(at..at, token.bytes());
            }
            7 => {
                // A number of a fixed size, as lengths are.
                let number = [0, 1, 0x7fff_ffff, u32::MAX, rng.u32(..)][rng.usize(..5)].to_le_bytes();
                let end = (at + 4).min(out.len());
                out.splice(at..end, number);
            }
            _ => {
                let count = rng.usize(1..16);
                let piece: Vec<u8> = std::iter::repeat_with(|| rng.u8(..)).take(count).collect();
                out.splice(at..at, piece);
            }
        }
    }
    out
}

/// Changes lines of JSON: mostly one of them as JSON, else their order, else anything.
pub fn lines(rng: &mut Rng, data: &[u8], others: &[Vec<u8>]) -> Vec<u8> {
    let mut lines: Vec<Vec<u8>> = data.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    let at = rng.usize(..lines.len());
    match rng.u8(..8) {
        0 => return bytes(rng, data, others),
        1 => {
            let line = lines[at].clone();
            lines.insert(rng.usize(..=lines.len()), line);
        }
        2 if lines.len() > 1 => drop(lines.remove(at)),
        3 => {
            if let Some(other) = others.get(rng.usize(..others.len().max(1))) {
                let of: Vec<&[u8]> = other.split(|byte| *byte == b'\n').collect();
                lines.insert(at, of[rng.usize(..of.len())].to_vec());
            }
        }
        _ => lines[at] = json(rng, &lines[at], others),
    }
    lines.join(&b'\n')
}

/// Changes JSON as JSON; what is none as bytes.
pub fn json(rng: &mut Rng, data: &[u8], others: &[Vec<u8>]) -> Vec<u8> {
    let Ok(mut json) = serde_json::from_slice::<Json>(data) else { return bytes(rng, data, others) };
    for _ in 0..=rng.usize(..3) {
        let spare = picked(rng, &json).clone();
        let depth = rng.usize(..8);
        change(rng, &mut json, &spare, depth);
    }
    // serde_json does not write what it would not read.
    json.to_string().into_bytes()
}

/// Any value in it.
fn picked<'a>(rng: &mut Rng, json: &'a Json) -> &'a Json {
    let inner = match json {
        Json::Array(items) if !items.is_empty() => items.get(rng.usize(..items.len())),
        Json::Object(entries) if !entries.is_empty() => entries.values().nth(rng.usize(..entries.len())),
        _ => None,
    };
    match inner {
        Some(inner) if rng.u8(..4) > 0 => picked(rng, inner),
        _ => json,
    }
}

/// Changes something at most so deep in a value.
fn change(rng: &mut Rng, json: &mut Json, spare: &Json, depth: usize) {
    match json {
        Json::Array(items) if !items.is_empty() => {
            let at = rng.usize(..items.len());
            match rng.u8(..6) {
                0 => drop(items.remove(at)),
                1 => {
                    let item = items[at].clone();
                    let times = [1, 3, 300][rng.usize(..3)];
                    items.extend(std::iter::repeat_n(item, times));
                }
                2 => items.swap(0, at),
                3 => items.insert(at, spare.clone()),
                _ if depth > 0 => change(rng, &mut items[at], spare, depth - 1),
                _ => items[at] = odd(rng, spare),
            }
        }
        Json::Object(entries) if !entries.is_empty() => {
            let key = entries.keys().nth(rng.usize(..entries.len())).cloned().unwrap_or_default();
            match rng.u8(..6) {
                0 => drop(entries.remove(&key)),
                1 => {
                    let value = entries.remove(&key).unwrap_or_default();
                    entries.insert(text(rng), value);
                }
                2 => drop(entries.insert(text(rng), spare.clone())),
                _ => {
                    if let Some(value) = entries.get_mut(&key) {
                        if depth > 0 { change(rng, value, spare, depth - 1) } else { *value = odd(rng, spare) }
                    }
                }
            }
        }
        other => *other = odd(rng, spare),
    }
}

fn text(rng: &mut Rng) -> String {
    let text = TEXTS[rng.usize(..TEXTS.len())];
    if rng.u8(..12) == 0 { text.repeat(2_000) } else { text.to_owned() }
}

/// A value that is not expected.
fn odd(rng: &mut Rng, spare: &Json) -> Json {
    match rng.u8(..12) {
        0 => Json::Null,
        1 => rng.bool().into(),
        2 => [0, 1, -1, i64::MIN, i64::MAX, 1 << 53][rng.usize(..6)].into(),
        3 => u64::MAX.into(),
        4 => [0.5, -0.0, 1e308, 5e-324][rng.usize(..4)].into(),
        5 => Json::Array(Vec::new()),
        6 => Json::Object(Map::new()),
        // As deep as it is read, and once more than that.
        7 => (0..[20, 100, 140][rng.usize(..3)]).fold(spare.clone(), |inner, _| Json::Array(vec![inner])),
        8 => Json::Array(vec![spare.clone(); [2, 500][rng.usize(..2)]]),
        9 => spare.clone(),
        _ => text(rng).into(),
    }
}
