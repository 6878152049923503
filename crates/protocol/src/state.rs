//! States as they travel: changes to a stream's last state, by top-level assign.

use std::collections::BTreeMap;
use std::fmt;

use inspector_model::deserialize_list;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// Assigns of one state: a view has tens. A map of them costs twenty times its text.
const MOST_ASSIGNS: usize = 200_000;

/// A state relative to a stream's last one.
#[derive(Debug, Default, Deserialize)]
pub struct StateChange {
    /// The state's revision in its stream.
    #[serde(default)]
    pub rev: Option<u64>,
    /// The revision that `set` and `del` apply to; absent means a whole state, unless only `rev` is given.
    #[serde(default)]
    pub base: Option<u64>,
    /// Assigns with other values, as JSON text.
    #[serde(default, deserialize_with = "assigns")]
    pub set: Option<BTreeMap<String, Box<RawValue>>>,
    /// Assigns that are gone.
    #[serde(default, deserialize_with = "deserialize_list")]
    pub del: Vec<String>,
    /// Why there is no state.
    #[serde(default)]
    pub missing: Option<String>,
}

/// Reads assigns; more than [`MOST_ASSIGNS`] are an error.
fn assigns<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<BTreeMap<String, Box<RawValue>>>, D::Error> {
    struct Assigns;

    impl<'de> Visitor<'de> for Assigns {
        type Value = Option<BTreeMap<String, Box<RawValue>>>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "an object of at most {MOST_ASSIGNS} assigns, or null")
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut assigns = BTreeMap::new();
            while let Some((name, value)) = map.next_entry()? {
                if assigns.len() == MOST_ASSIGNS {
                    return Err(A::Error::custom(format_args!("a state of more than {MOST_ASSIGNS} assigns")));
                }
                assigns.insert(name, value);
            }
            Ok(Some(assigns))
        }
    }

    deserializer.deserialize_any(Assigns)
}

/// One stream's last state, from which the next is made.
#[derive(Debug, Default)]
pub struct StreamState {
    rev: Option<u64>,
    assigns: BTreeMap<String, Box<RawValue>>,
}

impl StreamState {
    /// Takes in a change. `Ok(true)` when the state is another one now.
    ///
    /// # Errors
    /// The reason why the state is not known: the agent said so, or the change applies to a revision that is not held.
    pub fn apply(&mut self, change: StateChange) -> Result<bool, String> {
        if let Some(why) = change.missing {
            self.rev = None;
            return Err(why);
        }
        let Some(rev) = change.rev else {
            self.rev = None;
            return Err("the agent sent a state without a revision".to_owned());
        };
        match (change.base, change.set) {
            (None, Some(whole)) => {
                self.assigns = whole;
                self.rev = Some(rev);
                Ok(true)
            }
            (None, None) if self.rev == Some(rev) => Ok(false),
            (Some(base), set) if self.rev == Some(base) => {
                for name in &change.del {
                    self.assigns.remove(name);
                }
                self.assigns.extend(set.unwrap_or_default());
                self.rev = Some(rev);
                Ok(true)
            }
            (None, None) | (Some(_), _) => {
                self.rev = None;
                Err("the state before it was lost on the way; the next whole state repairs this".to_owned())
            }
        }
    }

    /// Whether a state is held.
    pub const fn is_known(&self) -> bool {
        self.rev.is_some()
    }

    /// The whole state as JSON text, assigns in alphabetical order.
    pub fn text(&self) -> String {
        let size: usize = self.assigns.iter().map(|(key, value)| key.len() + value.get().len() + 4).sum();
        let mut text = String::with_capacity(size + 2);
        text.push('{');
        for (index, (key, value)) in self.assigns.iter().enumerate() {
            if index > 0 {
                text.push(',');
            }
            text.push_str(&serde_json::Value::from(key.as_str()).to_string());
            text.push(':');
            text.push_str(value.get());
        }
        text.push('}');
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(text: &str) -> StateChange {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn changes_add_up_to_the_whole() {
        let mut stream = StreamState::default();
        assert_eq!(stream.apply(change(r#"{"rev":1,"base":null,"set":{"b":2.0,"a":[1, 2]}}"#)), Ok(true));
        assert_eq!(stream.apply(change(r#"{"rev":1}"#)), Ok(false));
        assert_eq!(stream.apply(change(r#"{"rev":2,"base":1,"set":{"c":null},"del":["a"]}"#)), Ok(true));
        assert_eq!(stream.text(), r#"{"b":2.0,"c":null}"#);
    }

    #[test]
    fn a_change_to_an_unknown_state_is_refused_until_the_next_whole_one() {
        let mut stream = StreamState::default();
        assert!(stream.apply(change(r#"{"rev":5,"base":4,"set":{"a":1}}"#)).is_err());
        assert!(stream.apply(change(r#"{"rev":5}"#)).is_err());
        assert!(!stream.is_known());
        assert_eq!(stream.apply(change(r#"{"rev":6,"base":null,"set":{"a":2}}"#)), Ok(true));
        assert_eq!(stream.text(), r#"{"a":2}"#);
    }

    #[test]
    fn a_state_of_too_many_assigns_is_refused() {
        let many = |count: usize| (0..count).map(|n| format!(r#""a{n}":0"#)).collect::<Vec<_>>().join(",");
        let read = |count: usize| serde_json::from_str::<StateChange>(&format!(r#"{{"rev":1,"base":null,"set":{{{}}}}}"#, many(count)));
        assert_eq!(read(MOST_ASSIGNS).unwrap().set.unwrap().len(), MOST_ASSIGNS);
        assert!(read(MOST_ASSIGNS + 1).unwrap_err().to_string().contains("more than 200000 assigns"));
        assert!(change(r#"{"rev":1,"set":null}"#).set.is_none());
    }

    #[test]
    fn a_missing_state_says_why() {
        let mut stream = StreamState::default();
        assert_eq!(stream.apply(change(r#"{"missing":"too large"}"#)), Err("too large".to_owned()));
    }
}
