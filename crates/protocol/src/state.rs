//! States as they travel: changes to a stream's last state, by top-level assign.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

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
    #[serde(default)]
    pub set: Option<BTreeMap<String, Box<RawValue>>>,
    /// Assigns that are gone.
    #[serde(default)]
    pub del: Vec<String>,
    /// Why there is no state.
    #[serde(default)]
    pub missing: Option<String>,
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
    fn a_missing_state_says_why() {
        let mut stream = StreamState::default();
        assert_eq!(stream.apply(change(r#"{"missing":"too large"}"#)), Err("too large".to_owned()));
    }
}
