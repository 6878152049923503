//! Recorded text on a terminal. Names, values and messages come from browsers and servers: none may move the cursor, set a
//! title, answer as if it had been typed, or turn the reading direction. Every printer of this program goes through here.

use inspector_model::{is_invisible, visible};
use serde::Serialize;

/// Text that may have several lines. What would control the terminal is shown and not sent.
pub fn plain(text: &str) -> String {
    visible(text, |c| c == '\n')
}

/// Text for a place within a line: a name with a line end must not look like two lines of ours.
pub fn line(text: &str) -> String {
    visible(text, |_| false)
}

/// JSON for people and programs. The same JSON, with escapes for what a terminal would act on.
pub fn json(value: &impl Serialize) -> serde_json::Result<String> {
    Ok(safe_json(&serde_json::to_string_pretty(value)?))
}

/// The same on one line.
pub fn json_line(value: &impl Serialize) -> serde_json::Result<String> {
    Ok(safe_json(&serde_json::to_string(value)?))
}

/// Line ends of pretty JSON are its own; inside its texts they are escaped already.
fn safe_json(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_invisible(c) && c != '\n' {
            let mut units = [0; 2];
            out.extend(c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: [&str; 6] =
        ["a\u{1b}[2J\u{1b}]0;title\u{7}", "\u{9b}31m", "name\rfake", "\u{202e}evil", "=cmd|' /C calc'!A0", "\u{e0041}\u{feff}"];

    #[test]
    fn escape_sequences_of_recorded_text_do_not_reach_the_terminal() {
        assert_eq!(plain("a\u{1b}[2Jb\u{7}"), "a\\u{1b}[2Jb\\u{7}");
        assert_eq!(plain("Grüße 👩\u{200d}🔬\n"), "Grüße 👩\u{200d}🔬\n");
        assert_eq!(line("two\nlines"), "two\\nlines");
        for text in HOSTILE {
            assert!(!line(text).chars().any(is_invisible), "{text:?}");
        }
    }

    #[test]
    fn json_stays_the_same_json() {
        let value = serde_json::json!({"names": HOSTILE, "\u{1b}": 1});
        let text = json(&value).unwrap();
        assert!(!text.chars().any(|c| is_invisible(c) && c != '\n'), "{text:?}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
    }
}
