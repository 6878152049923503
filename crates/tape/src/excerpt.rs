//! The beginning of a value, as a value: what fits into one line costs as much as that line, however long the value is.

/// The first part of a JSON text as JSON, and whether that is all of it: of containers the first elements until there are
/// about `most` bytes, of a text the first characters and an ellipsis. `json` must be valid.
pub fn beginning(json: &str, most: usize) -> (String, bool) {
    if json.len() <= most {
        return (json.to_owned(), true);
    }
    let bytes = json.as_bytes();
    let mut out = String::with_capacity(most + 64);
    // What closes the open containers.
    let mut open: Vec<char> = Vec::new();
    let mut is_key = false;
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'{' | b'[' => {
                is_key = *byte == b'{';
                open.push(if is_key { '}' } else { ']' });
                out.push(char::from(*byte));
                at += 1;
            }
            b'}' | b']' => {
                open.pop();
                out.push(char::from(*byte));
                at += 1;
            }
            b',' if out.len() >= most => break,
            b',' => {
                is_key = open.last() == Some(&'}');
                out.push(',');
                at += 1;
            }
            b':' => {
                is_key = false;
                out.push(':');
                at += 1;
            }
            b'"' => {
                let room = most.saturating_sub(out.len()).max(SHORTEST);
                let end = text_end(bytes, at + 1, room);
                out.push_str(json.get(at..end).unwrap_or_default());
                if bytes.get(end) != Some(&b'"') {
                    out.push_str(if is_key { "…\":null" } else { "…\"" });
                    break;
                }
                out.push('"');
                at = end + 1;
            }
            b' ' | b'\n' | b'\r' | b'\t' => at += 1,
            _ => {
                let end = bytes[at..].iter().position(|byte| matches!(byte, b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t'));
                let end = end.map_or(bytes.len(), |end| at + end);
                out.push_str(json.get(at..end).unwrap_or_default());
                at = end;
            }
        }
    }
    let whole = open.is_empty() && at == bytes.len();
    out.extend(open.into_iter().rev());
    (out, whole)
}

/// So much of a text is told, however little room there is: a tag or a name is whole then.
const SHORTEST: usize = 32;

/// Where a text ends, or where it is cut to have at most `room` bytes: never inside a character or an escape.
fn text_end(bytes: &[u8], start: usize, room: usize) -> usize {
    let mut at = start;
    while let Some(byte) = bytes.get(at) {
        let len = match byte {
            b'"' => return at,
            b'\\' if bytes.get(at + 1) == Some(&b'u') => {
                // Both halves of a pair stay together.
                let high = matches!(bytes.get(at + 2..at + 4), Some([b'd' | b'D', b'8' | b'9' | b'a' | b'b' | b'A' | b'B']));
                if high { 12 } else { 6 }
            }
            0xf0.. => 4,
            0xe0.. => 3,
            b'\\' | 0xc0.. => 2,
            _ => 1,
        };
        if at + len - start > room {
            return at;
        }
        at += len;
    }
    at.min(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beginning_of_a_value_is_a_value() {
        let rows: Vec<String> =
            (0..500).map(|n| format!(r#"{{"id":{n},"name":"row {n} \u00e9\ud83d\ude00","tags":["a",["b",{{}}]]}}"#)).collect();
        let samples = [
            format!("[{}]", rows.join(",")),
            format!(r#"{{"$t":"cut","of":"list","len":12000,"v":[{}]}}"#, rows.join(", ")),
            format!("\"{}\"", "äöü \\n\\ud83d\\ude00".repeat(200)),
            format!(r#"{{"{}":1,"b":2}}"#, "long key ".repeat(100)),
            format!("[{}", "[".repeat(100)) + &"]".repeat(101),
            format!(r#"{{"a":{}}}"#, "1".repeat(300)),
            "[1, 2, 3]".to_owned(),
        ];
        for json in &samples {
            let original: serde_json::Value = serde_json::from_str(json).unwrap();
            for most in 0..700 {
                let (text, whole) = beginning(json, most);
                let value: serde_json::Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error} at {most}: {text}"));
                assert_eq!(whole, value == original, "{most}: {text}");
                assert!(text.len() <= most + 1_000, "{} bytes of {most}", text.len());
                if let (Some(tag), true) = (original.get("$t"), most >= 32) {
                    assert_eq!(value.get("$t"), Some(tag), "{most}");
                }
            }
        }
    }
}
