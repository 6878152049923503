//! Filters that are kept: with a name, and those that were used last.

use serde::{Deserialize, Serialize};

/// How many of the last filters are remembered.
const MOST_RECENT: usize = 10;

/// How many can be kept with a name.
const MOST_SAVED: usize = 100;

/// Filters that everybody needs: their names, and what they say.
pub const BUILT_IN: [(&str, &str); 8] = [
    ("Errors", "status:error"),
    ("Slow steps", "ms>100"),
    ("Many queries", "sql>=10"),
    ("Outside changes", "kind:outside"),
    ("Limited", "status:limited"),
    ("Reloads", "kind:reload,hot_reload,hvr"),
    ("What users did", "kind:mount,event,url_change"),
    ("Without ticks", "-kind:tick"),
];

/// A filter with a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedFilter {
    /// What the user calls it.
    pub name: String,
    /// As it is typed.
    pub text: String,
}

/// What is kept across restarts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Filters {
    /// In the order of saving.
    pub saved: Vec<SavedFilter>,
    /// The last one first.
    pub recent: Vec<String>,
}

/// What the user wants of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FilterWish {
    /// Keep this text under this name; one of that name is replaced.
    Save(SavedFilter),
    /// Give one another name.
    Rename {
        /// The name that it has.
        from: String,
        /// The name that it gets.
        to: String,
    },
    /// Keep one no longer.
    Delete(String),
    /// Remember what was typed as one of the last.
    Used(String),
}

impl Filters {
    /// Carries a wish out. Names are trimmed; without a name nothing is kept.
    pub fn wish(&mut self, wish: FilterWish) {
        match wish {
            FilterWish::Save(SavedFilter { name, text }) => {
                let (name, text) = (name.trim().to_owned(), text.trim().to_owned());
                if name.is_empty() || text.is_empty() {
                    return;
                }
                if let Some(known) = self.saved.iter_mut().find(|saved| saved.name == name) {
                    known.text = text;
                } else if self.saved.len() < MOST_SAVED {
                    self.saved.push(SavedFilter { name, text });
                }
            }
            FilterWish::Rename { from, to } => {
                let to = to.trim().to_owned();
                if to.is_empty() || to == from {
                    return;
                }
                self.saved.retain(|saved| saved.name != to);
                if let Some(saved) = self.saved.iter_mut().find(|saved| saved.name == from) {
                    saved.name = to;
                }
            }
            FilterWish::Delete(name) => self.saved.retain(|saved| saved.name != name),
            FilterWish::Used(text) => {
                let text = text.trim().to_owned();
                if !text.is_empty() {
                    self.recent.retain(|known| *known != text);
                    self.recent.insert(0, text);
                    self.recent.truncate(MOST_RECENT);
                }
            }
        }
    }

    /// All filters with a name, the user's own first.
    pub fn named(&self) -> impl Iterator<Item = (&str, &str)> {
        self.saved.iter().map(|saved| (saved.name.as_str(), saved.text.as_str())).chain(BUILT_IN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::Filter;

    fn save(name: &str, text: &str) -> FilterWish {
        FilterWish::Save(SavedFilter { name: name.into(), text: text.into() })
    }

    #[test]
    fn every_built_in_filter_is_understood() {
        for (name, text) in BUILT_IN {
            assert!(Filter::parse(text).is_ok(), "{name}");
        }
    }

    #[test]
    fn names_are_given_once() {
        let mut filters = Filters::default();
        for wish in [save(" a ", "ms>1"), save("b", "ms>2"), save("a", "ms>3"), save("", "ms>4"), save("c", " ")] {
            filters.wish(wish);
        }
        assert_eq!(filters.named().take(2).collect::<Vec<_>>(), [("a", "ms>3"), ("b", "ms>2")]);
        assert_eq!(filters.saved.len(), 2);
        filters.wish(FilterWish::Rename { from: "a".into(), to: "b".into() });
        assert_eq!(filters.saved, [SavedFilter { name: "b".into(), text: "ms>3".into() }]);
        filters.wish(FilterWish::Rename { from: "b".into(), to: "  ".into() });
        filters.wish(FilterWish::Delete("a".into()));
        assert_eq!(filters.saved.len(), 1);
        filters.wish(FilterWish::Delete("b".into()));
        assert!(filters.saved.is_empty());
    }

    #[test]
    fn the_last_ten_are_remembered_once_each() {
        let mut filters = Filters::default();
        for number in 0..14 {
            filters.wish(FilterWish::Used(format!("ms>{}", number % 12)));
        }
        filters.wish(FilterWish::Used("  ".into()));
        let expected: Vec<_> = [1, 0, 11, 10, 9, 8, 7, 6, 5, 4].iter().map(|number| format!("ms>{number}")).collect();
        assert_eq!(filters.recent, expected);
    }
}
