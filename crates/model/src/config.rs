//! djust's effective configuration, as the agent read it in the process.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::{Limits, SessionId};

/// Every documented key, and every view's class attributes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Configuration {
    /// The documented keys: 19 class attributes and 14 settings.
    #[serde(deserialize_with = "crate::limited::deserialize_list")]
    pub keys: Vec<ConfigKey>,
    /// Keys that are not documented and matter beside them.
    #[serde(deserialize_with = "crate::limited::deserialize_list")]
    pub related: Vec<ConfigKey>,
    /// Values per view class.
    #[serde(deserialize_with = "crate::limited::deserialize_list")]
    pub views: Vec<ViewConfig>,
}

impl Configuration {
    /// A key, documented or not.
    pub fn key(&self, name: &str) -> Option<&ConfigKey> {
        self.keys.iter().chain(&self.related).find(|key| key.key == name)
    }

    /// The limits of a page's messages, with the fallbacks of djust's readers. `None` while nothing is known.
    pub fn limits(&self) -> Option<Limits> {
        let value = &self.key("rate_limit")?.value;
        let member = |name: &str, fallback: f64| value.get(name).and_then(Json::as_f64).filter(|number| *number > 0.0).unwrap_or(fallback);
        let Limits { rate, burst, max_warnings } = Limits::DEFAULT;
        Some(Limits {
            rate: member("rate", rate),
            burst: member("burst", burst),
            max_warnings: member("max_warnings", f64::from(max_warnings)).ceil().min(f64::from(u32::MAX)) as u32,
        })
    }
}

/// One key. Values are typed values of the protocol.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ConfigKey {
    /// Its name.
    pub key: String,
    /// `setting` or `class`.
    pub group: String,
    /// Type in words.
    #[serde(rename = "type")]
    pub kind: String,
    /// djust's default.
    pub default: Json,
    /// The value in force. For a class attribute: the base class's.
    pub value: Json,
    /// Where the value in force is set.
    pub source: String,
    /// The file that sets it, where that is known.
    pub file: Option<String>,
    /// Its line there.
    pub line: Option<u32>,
    /// What is to be said about it.
    #[serde(alias = "traps", deserialize_with = "crate::limited::deserialize_list")]
    pub advice: Vec<KeyAdvice>,
    /// One line.
    pub doc: String,
}

impl ConfigKey {
    /// Whether it is not what djust would do by itself.
    pub fn differs(&self) -> bool {
        self.value != self.default
    }

    /// Whether something is to be done about it.
    pub fn is_advised(&self) -> bool {
        self.advice.iter().any(KeyAdvice::is_advice)
    }
}

/// What is to be said about a key. The agent decides, as it knows the process.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Told")]
pub struct KeyAdvice {
    /// How much it matters.
    pub level: AdviceLevel,
    /// What is so.
    pub why: String,
    /// What to do.
    #[serde(rename = "do")]
    pub action: Option<String>,
    /// The Python line to paste for it.
    pub line: Option<String>,
}

impl KeyAdvice {
    /// Whether it says more than what is good to know.
    pub fn is_advice(&self) -> bool {
        self.level != AdviceLevel::Note
    }
}

/// How much an advice matters, the worst first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdviceLevel {
    /// It endangers the server or its users.
    Risky,
    /// It is set and does nothing here.
    Ineffective,
    /// Another setting wins, or nobody reads it there.
    Ignored,
    /// It goes away.
    Deprecated,
    /// Nothing is wrong: good to know. Also what a newer agent calls otherwise.
    #[default]
    #[serde(other)]
    Note,
}

impl AdviceLevel {
    /// The word for people.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Risky => "risky",
            Self::Ineffective => "ineffective",
            Self::Ignored => "ignored",
            Self::Deprecated => "deprecated",
            Self::Note => "good to know",
        }
    }
}

/// Advice as it is written. Older agents and recordings have the text alone.
#[derive(Deserialize)]
#[serde(untagged)]
enum Told {
    Text(String),
    Advice {
        #[serde(default)]
        level: AdviceLevel,
        #[serde(default)]
        why: String,
        #[serde(default, rename = "do")]
        action: Option<String>,
        #[serde(default)]
        line: Option<String>,
    },
}

impl From<Told> for KeyAdvice {
    fn from(told: Told) -> Self {
        match told {
            Told::Text(why) => Self { why, ..Self::default() },
            Told::Advice { level, why, action, line } => Self { level, why, action, line },
        }
    }
}

/// The class attributes of one view.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ViewConfig {
    /// Dotted class path.
    pub class: String,
    /// Source file.
    pub file: Option<String>,
    /// Line of the class.
    pub line: Option<u32>,
    /// By key, in the order of the keys.
    pub attributes: std::collections::BTreeMap<String, ViewAttribute>,
}

/// A class attribute of one view.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ViewAttribute {
    /// Its value.
    pub value: Json,
    /// The class that sets it: `class shop.views.Base`, or `default`.
    pub source: String,
    /// The file of that class.
    pub file: Option<String>,
    /// The line that sets it.
    pub line: Option<u32>,
    /// What is to be said about it here.
    #[serde(alias = "traps", deserialize_with = "crate::limited::deserialize_list")]
    pub advice: Vec<KeyAdvice>,
    /// Pages that were open and whose view has another value on the instance.
    #[serde(deserialize_with = "crate::limited::deserialize_list")]
    pub instances: Vec<InstanceValue>,
}

impl ViewAttribute {
    /// The class that sets it, unless djust does.
    pub fn owner(&self) -> Option<&str> {
        self.source.strip_prefix("class ")
    }

    /// Whether something is to be done about it.
    pub fn is_advised(&self) -> bool {
        self.advice.iter().any(KeyAdvice::is_advice)
    }
}

/// The value that hides a class attribute on one page's view.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct InstanceValue {
    /// The page.
    pub session: Option<SessionId>,
    /// The value there.
    pub value: Json,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_of_older_agents_is_good_to_know() {
        let key: ConfigKey = serde_json::from_str(r#"{"key":"rate_limit","traps":["pages on the SSE transport ignore it"]}"#).unwrap();
        assert_eq!(key.advice, [KeyAdvice { why: "pages on the SSE transport ignore it".into(), ..KeyAdvice::default() }]);
        assert!(!key.is_advised());
        let text = serde_json::to_string(&key).unwrap();
        assert_eq!(serde_json::from_str::<ConfigKey>(&text).unwrap(), key);
    }

    #[test]
    fn limits_that_are_not_named_are_those_that_djust_falls_back_to() {
        let config = |value: &str| {
            let keys = format!(r#"{{"keys":[{{"key":"rate_limit","value":{value}}}]}}"#);
            serde_json::from_str::<Configuration>(&keys).unwrap().limits().unwrap()
        };
        assert_eq!(config(r#"{"rate":2,"burst":5,"max_warnings":2}"#), Limits { rate: 2.0, burst: 5.0, max_warnings: 2 });
        assert_eq!(config(r#"{"burst":5.5}"#), Limits { burst: 5.5, ..Limits::DEFAULT });
        assert_eq!(config("null"), Limits::DEFAULT);
        assert_eq!(Configuration::default().limits(), None);
    }

    #[test]
    fn advice_has_its_level_and_unknown_levels_are_good_to_know() {
        let read = |text| serde_json::from_str::<KeyAdvice>(text).unwrap();
        let risky = read(r#"{"level":"risky","why":"a","do":"b","line":null}"#);
        assert_eq!((risky.level, risky.action.as_deref(), risky.is_advice()), (AdviceLevel::Risky, Some("b"), true));
        assert_eq!(read(r#"{"level":"fatal","why":"a"}"#).level, AdviceLevel::Note);
        assert!(AdviceLevel::Risky < AdviceLevel::Note, "the worst first");
    }
}
