//! Lists that come from outside, up to a length: three bytes of JSON can be an element of several hundred bytes in memory.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};

/// The most elements of a list in a frame or a recording, states aside. The agent sends 2,000 queries of a step, and fewer of all else.
pub const MOST_LISTED: usize = 20_000;

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
