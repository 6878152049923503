//! Why a value is not wholly there: one word beside it wherever it is drawn, and a sentence on what that means and what to do.

use egui::text::LayoutJob;
use inspector_model::{Glimpse, Kind, Value, parse_value};

use super::rich;
use crate::format;
use crate::theme::Tokens;

/// Bytes of a `bytes` value that the agent tells.
const BYTES: u64 = 4096;

/// A mark on a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// One or two words.
    pub word: &'static str,
    /// What happened, and what to do.
    pub words: String,
}

/// The mark of a value; none on one that is wholly there.
pub fn mark(value: &Value) -> Option<Mark> {
    marked(value, None)
}

/// A value of which the beginning is told, and its mark.
pub fn glimpse(glimpse: &Glimpse) -> Option<(Value, Option<Mark>)> {
    let value = parse_value(&glimpse.json).ok()?;
    let mark = marked(&value, glimpse.len);
    Some((value, mark))
}

/// The mark of a value that has so many elements, if not those that are told.
fn marked(value: &Value, len: Option<u64>) -> Option<Mark> {
    let Value::Typed { kind, .. } = value else { return None };
    let text = |name: &str| match value.field(name) {
        Some(Value::Text(text)) => text.as_str(),
        _ => "",
    };
    let number = |name: &str| match value.field(name) {
        Some(Value::Number(number)) => number.as_u64().unwrap_or(0),
        _ => 0,
    };
    let of = || if text("of").is_empty() { "value".to_owned() } else { text("of").to_owned() };
    let (word, words) = match kind {
        Kind::Redacted if value.field("as").is_some() => (
            "redacted",
            format!("This {} was redacted when the recording was exported; equal values have the same pseudonym", of()),
        ),
        Kind::Redacted => (
            "redacted",
            format!("The agent kept this {} back because of its name, or because the view excludes it; it never left the server, and a jump leaves it as it is", of()),
        ),
        Kind::Cut => ("cut", cut(value, text("of"), number("len"), len)),
        Kind::Deep => (
            "too deep",
            "Values are read 64 levels deep; what is below is not shown, and a jump leaves it as it is. Keep such a structure in a private attribute, or make it flatter".to_owned(),
        ),
        Kind::Cycle => ("cycle", "It refers to one of the values that it lies in, which is shown there".to_owned()),
        Kind::Object if value.field("whole") == Some(&Value::Bool(true)) => return None,
        Kind::Object if value.field("whole").is_some() => {
            ("cut", "Only its beginning was read: the agent reads 200\u{2009}000 values and 64 MB of one state".to_owned())
        }
        Kind::Object if !text("why").is_empty() => (
            "not read",
            format!("It could not be read while it changed ({}): the next step shows it again", text("why")),
        ),
        Kind::Object => (
            "not read",
            format!("The agent reads no attributes of {}, for that could run the project's code. A dict, a dataclass or a model instance is shown in full", if text("class").is_empty() { "this class" } else { text("class") }),
        ),
        Kind::Bytes if number("len") > BYTES => (
            "cut",
            format!("The first {} of {} bytes are shown", format::count(BYTES), format::count(number("len"))),
        ),
        Kind::QuerySet if value.field("v").is_none_or(|rows| *rows == Value::Null) => (
            "not evaluated",
            "The page has not run this query, and the agent never runs one. Once the view has, its rows are shown".to_owned(),
        ),
        Kind::DateTime if text("zone") == "?" => {
            ("no zone", "Its time zone is of a class that is not read: the time is shown without it, and a jump leaves it as it is".to_owned())
        }
        Kind::Other(tag) => ("unknown", format!("A newer agent calls this {tag}: update the inspector to see it")),
        _ => return None,
    };
    Some(Mark { word, words })
}

fn cut(value: &Value, of: &str, whole: u64, len: Option<u64>) -> String {
    let shown = match value.field("v") {
        Some(Value::Text(text)) => text.chars().count() as u64,
        _ => len.unwrap_or_else(|| value.len().unwrap_or(0) as u64),
    };
    let (unit, limit) = match of {
        "str" => ("characters", "a text is read up to 16 million characters, and a state up to 64 MB"),
        "int" => return format!("A number of {} bits: only its beginning is told", format::count(whole)),
        "dict" | "object" => ("keys", "200\u{2009}000 values and 64 MB of one state are read"),
        _ => ("elements", "200\u{2009}000 values and 64 MB of one state are read"),
    };
    let told = if value.field("v").is_some_and(|shown| matches!(shown, Value::Text(_))) && len.is_some() {
        String::new()
    } else {
        format!(" after {} of {}", format::count(shown), format::count(whole))
    };
    format!(
        "Cut{told} {unit}: {limit}. A jump leaves it as it is. Load less of it, or keep it in a private attribute (_name), which is no state"
    )
}

/// The mark as it stands in a line.
pub fn push(job: &mut LayoutJob, t: &Tokens, mark: &Mark) {
    rich::push_marked(job, &format!(" {} ", mark.word), t.changed, t.changed_bg, false);
}

/// What a screen reader is told of a value: its line, and its mark.
pub fn spoken(value: &Value, most: usize) -> String {
    let summary = rich::one_line(&value.summary(most));
    // The summary of what has no content says the same in its own words.
    match mark(value) {
        Some(mark) if !summary.contains(mark.word) => format!("{summary} ({})", mark.word),
        _ => summary,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(json: &str) -> Option<(&'static str, String)> {
        mark(&parse_value(json).unwrap()).map(|mark| (mark.word, mark.words))
    }

    #[test]
    fn what_is_not_wholly_there_says_which_limit_it_met() {
        let (word, words) = of(r#"{"$t":"cut","of":"list","len":250000,"v":[1,2,3]}"#).unwrap();
        assert_eq!(word, "cut");
        assert!(words.starts_with("Cut after 3 of 250\u{2009}000 elements: 200\u{2009}000 values"), "{words}");
        assert!(
            of(r#"{"$t":"cut","of":"str","len":20000000,"v":"abc"}"#)
                .unwrap()
                .1
                .starts_with("Cut after 3 of 20\u{2009}000\u{2009}000 characters")
        );
        for (json, word) in [
            (r#"{"$t":"redacted","of":"str"}"#, "redacted"),
            (r#"{"$t":"deep","of":"list"}"#, "too deep"),
            (r#"{"$t":"cycle"}"#, "cycle"),
            (r#"{"$t":"object","class":"httpx.Client"}"#, "not read"),
            (r#"{"$t":"object","class":"a.B","why":"RuntimeError"}"#, "not read"),
            (r#"{"$t":"object","class":"collections.deque","v":[1],"whole":false,"maxlen":null}"#, "cut"),
            (r#"{"$t":"bytes","len":5000,"v":""}"#, "cut"),
            (r#"{"$t":"queryset","model":"a.B","evaluated":false,"v":null}"#, "not evaluated"),
            (r#"{"$t":"datetime","v":"2026-11-23T12:00:00","zone":"?"}"#, "no zone"),
            (r#"{"$t":"from_the_future"}"#, "unknown"),
        ] {
            let (found, words) = of(json).unwrap();
            assert_eq!(found, word, "{json}");
            assert!(words.len() > 20 && !words.ends_with('.'), "{words}");
        }
    }

    #[test]
    fn what_is_there_has_no_mark() {
        for json in [
            "1",
            r#"{"$t":"decimal","v":"1.5"}"#,
            r#"{"$t":"object","class":"collections.deque","v":[1],"whole":true,"maxlen":null}"#,
            r#"{"$t":"bytes","len":3,"v":"YWJj"}"#,
            r#"{"$t":"queryset","model":"a.B","evaluated":true,"v":[]}"#,
            r#"{"$t":"datetime","v":"2026-11-23T12:00:00","zone":"Europe/Berlin"}"#,
        ] {
            assert_eq!(of(json), None, "{json}");
        }
    }

    #[test]
    fn the_beginning_of_a_cut_list_does_not_count_for_the_list() {
        let long =
            Glimpse { json: r#"{"$t":"cut","of":"list","len":9000,"v":[1,2]}"#.into(), whole: false, len: Some(4000), bytes: 60_000 };
        let (_, mark) = glimpse(&long).unwrap();
        assert!(mark.unwrap().words.starts_with("Cut after 4\u{2009}000 of 9\u{2009}000 elements"));
    }

    #[test]
    fn a_screen_reader_is_told_each_mark_once() {
        let told = |json: &str| spoken(&parse_value(json).unwrap(), 80);
        assert_eq!(told(r#"{"$t":"object","class":"a.B"}"#), "<a.B, not read>");
        assert_eq!(told(r#"{"$t":"cycle"}"#), "<refers to its own parent> (cycle)");
        assert_eq!(told("3"), "3");
    }
}
