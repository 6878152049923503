//! Lists and texts that come from outside, up to a length: three bytes of JSON can be an element of several hundred bytes in memory,
//! and one text of a summary can be larger than all other steps together.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};

/// The most elements of a list in a frame or a recording, states aside. The agent sends 2,000 queries of a step, and fewer of all else.
pub const MOST_LISTED: usize = 20_000;

/// The longest id, bytes.
pub const LONGEST_ID: usize = 256;

/// The longest text that a table shows, bytes: a name, a reason, a path.
pub const LONGEST_WORDS: usize = 4_000;

/// The most bytes of what says that a text was cut.
const MARK: usize = 40;

/// Cuts a text that is longer than so many bytes, and says so at its end. What comes out is no longer than that.
pub fn cut(text: &mut String, longest: usize) {
    let len = text.len();
    if len > longest {
        text.truncate(text.floor_char_boundary(longest.saturating_sub(MARK)));
        text.push_str("… [cut, ");
        text.push_str(&len.to_string());
        text.push_str(" bytes]");
    }
}

/// An id as it is, or what stands for one that is longer than [`LONGEST_ID`]: its beginning, its end, and its length.
pub fn bounded_id(id: Cow<'_, str>) -> Cow<'_, str> {
    if id.len() <= LONGEST_ID {
        return id;
    }
    let (head, tail) = (&id[..id.floor_char_boundary(120)], &id[id.ceil_char_boundary(id.len() - 60)..]);
    Cow::Owned(format!("{head}… [{} bytes] …{tail}", id.len()))
}

/// Reads a list; one with more than [`MOST_LISTED`] elements is an error. For `#[serde(deserialize_with)]`.
///
/// # Errors
/// Those of the format, and the one above.
pub fn deserialize_list<'de, D: Deserializer<'de>, T: Deserialize<'de>, L: From<Vec<T>>>(deserializer: D) -> Result<L, D::Error> {
    deserializer.deserialize_seq(List(PhantomData)).map(L::from)
}

struct List<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for List<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a list of at most {MOST_LISTED} elements")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while let Some(element) = seq.next_element()? {
            if list.len() == MOST_LISTED {
                return Err(A::Error::custom(format_args!("a list of more than {MOST_LISTED} elements")));
            }
            list.push(element);
        }
        Ok(list)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Cause, Configuration, PageShell, Rate, ServerInfo, Session, Step, StepDetail, Suspect};

    /// A list of empty objects or texts in each place that has one.
    fn read<T: for<'de> Deserialize<'de>>(place: &str, element: &str, many: usize) -> Result<T, String> {
        let list = format!("[{}]", vec![element; many].join(","));
        serde_json::from_str(&place.replace('#', &list)).map_err(|error| error.to_string())
    }

    fn bounded<T: for<'de> Deserialize<'de>>(place: &str, element: &str) {
        assert!(read::<T>(place, element, 1).is_ok(), "{place}: {:?}", read::<T>(place, element, 1).err());
        let error = read::<T>(place, element, MOST_LISTED + 1).err().unwrap_or_default();
        assert!(error.contains("more than 20000 elements"), "{place}: {error}");
    }

    #[test]
    fn long_texts_and_ids_are_cut_once_and_say_so() {
        for len in [0, 10, 999, 1_000, 1_001, 500_000] {
            let mut text = "é".repeat(len / 2) + &"x".repeat(len % 2);
            cut(&mut text, 1_000);
            assert!(text.len() <= 1_000 && (len <= 1_000 || text.ends_with(&format!("… [cut, {len} bytes]"))), "{text}");
            let once = text.clone();
            cut(&mut text, 1_000);
            assert_eq!(text, once);
            let id = format!("{}{len}", "ü".repeat(len));
            let session = crate::SessionId::from(id.clone());
            assert!(session.as_str().len() <= LONGEST_ID && (id.len() > LONGEST_ID || session.as_str() == id));
            assert_eq!(crate::SessionId::from(session.as_str()), session);
            assert_eq!(serde_json::from_value::<crate::SessionId>(id.clone().into()).unwrap(), session);
        }
        assert_ne!(crate::ViewId::from("a".repeat(300)), crate::ViewId::from("a".repeat(301)));
    }

    #[test]
    fn a_step_is_cut_wherever_it_is_long() {
        let long = "\u{1}".repeat(5_000);
        let suspect = Suspect { names: vec![long.clone(); 40], what: Some(long.clone()), place: Some(long.clone()), ..Suspect::default() };
        let causes = [
            Cause::Save { file: long.clone(), file_kind: long.clone(), module: Some(long.clone()), classes: vec![long.clone(); 40] },
            Cause::Reloaded { reload: long.clone(), file: long.clone(), result: long.clone(), reason: Some(long.clone()) },
            Cause::Limit {
                code: None,
                reason: long.clone(),
                limit: Some(long.clone()),
                caller: Some(long.clone()),
                warnings: None,
                max_warnings: None,
            },
            Cause::Started { by: long.clone() },
            Cause::Outside { suspects: vec![suspect; 40] },
            Cause::Lost { dropped: None, why: long.clone() },
        ];
        for cause in causes {
            let mut step = Step {
                key: long.clone(),
                session: Some(long.as_str().into()),
                view: Some(long.as_str().into()),
                component: Some(long.clone()),
                error: Some(long.clone()),
                changed: vec![long.clone(); 40],
                hits: vec![long.clone(); 40],
                cause: Some(cause),
                ..Step::new(crate::StepKind::Event, &long, 1.0)
            };
            step.cut(80, 2);
            let json = serde_json::to_string(&step).unwrap();
            assert!(json.len() < 30_000, "{} bytes: {}", json.len(), &json[..200]);
        }
    }

    #[test]
    fn lists_from_outside_have_an_end() {
        for place in [r#"{"sql":#}"#, r#"{"logs":#}"#, r#"{"frames":#}"#] {
            bounded::<StepDetail>(place, "{}");
        }
        let step = serde_json::to_string(&Step::new(crate::StepKind::Event, "e", 1.0)).unwrap();
        for field in ["changed", "hits"] {
            bounded::<Step>(&step.replacen('{', &format!("{{\"{field}\":#,"), 1).replace(&format!(",\"{field}\":[]"), ""), r#""""#);
        }
        for (kind, field, element) in [("save", "classes", r#""""#), ("outside", "suspects", "{}")] {
            bounded::<Cause>(&format!(r#"{{"because":"{kind}","file":"","file_kind":"","module":null,"{field}":#}}"#), element);
        }
        bounded::<Suspect>(r#"{"names":#}"#, r#""""#);
        bounded::<Session>(r#"{"session":"s","phase":"mounted","children":#}"#, r#"{"class":"a.B"}"#);
        for (field, element) in [("temporary_assigns", r#""""#), ("static_assigns", r#""""#), ("components", "{}"), ("handlers", "{}")] {
            bounded::<Session>(&format!(r#"{{"session":"s","phase":"mounted","view":{{"class":"a.B","{field}":#}}}}"#), element);
        }
        bounded::<Session>(r#"{"session":"s","phase":"mounted","view":{"class":"a.B","handlers":[{"params":#}]}}"#, "{}");
        bounded::<Rate>(r#"{"handlers":#}"#, "{}");
        for (field, element) in [("capabilities", r#""""#), ("missing", "{}"), ("advice", "{}")] {
            bounded::<ServerInfo>(&format!(r#"{{"{field}":#}}"#), element);
        }
        bounded::<ServerInfo>(r#"{"hot_reload":{"dirs":#}}"#, r#""""#);
        for (field, element) in [("keys", "{}"), ("related", "{}"), ("views", "{}")] {
            bounded::<Configuration>(&format!(r#"{{"{field}":#}}"#), element);
        }
        bounded::<Configuration>(r#"{"keys":[{"advice":#}]}"#, "{}");
        for field in ["advice", "instances"] {
            bounded::<Configuration>(&format!(r#"{{"views":[{{"attributes":{{"a":{{"{field}":#}}}}}}]}}"#), "{}");
        }
        bounded::<PageShell>(r#"{"url":"","before":"","after":"","styles":#}"#, r#"{"href":"","text":""}"#);
    }
}
