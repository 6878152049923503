//! A passphrase on its way through the program.

use std::fmt;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// A text that nobody is shown: it is wiped from memory when it is dropped, and says nothing of itself in a log.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// The text itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text, to type into.
    pub fn edit(&mut self) -> &mut String {
        &mut self.0
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self::from(text.to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_does_not_show_in_debug_output() {
        assert_eq!(format!("{:?}", Secret::from("correct horse")), "Secret");
        let json = serde_json::to_string(&Secret::from("a")).unwrap();
        assert_eq!(serde_json::from_str::<Secret>(&json).unwrap(), Secret::from("a"));
    }
}
