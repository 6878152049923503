//! djust's effective configuration, as the agent read it in the process.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// Every documented key, and every view's class attributes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Configuration {
    /// The documented keys: 19 class attributes and 14 settings.
    pub keys: Vec<ConfigKey>,
    /// Keys that are not documented and matter beside them.
    pub related: Vec<ConfigKey>,
    /// Values per view class.
    pub views: Vec<ViewConfig>,
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
    /// What a reader of the documentation would get wrong.
    pub traps: Vec<String>,
    /// One line.
    pub doc: String,
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
    /// The class that sets it.
    pub source: String,
    /// What is odd about it here.
    pub traps: Vec<String>,
}
