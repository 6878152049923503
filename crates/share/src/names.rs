//! Names that hide their values. The table of them is the agent's own file, `secret_names.py`, of which this reads the text.

use std::collections::HashSet;
use std::sync::LazyLock;

static TABLE: &str = include_str!("../../../agent/djust_inspector/secret_names.py");

type List = LazyLock<HashSet<&'static str>>;

/// Words that make a name a secret's.
static WORDS: List = LazyLock::new(|| list("WORDS"));
/// Neighbouring words that are a secret together, though neither is alone.
static PAIRS: List = LazyLock::new(|| list("PAIRS"));
/// Names of these words have values with spaces in them.
static SPACED: List = LazyLock::new(|| list("SPACED"));
/// Words before the credentials of an `Authorization` header.
static SCHEMES: List = LazyLock::new(|| list("SCHEMES"));
/// djust's own protocol uses these names for what is no secret.
static DJUST_OWN: List = LazyLock::new(|| list("DJUST_OWN"));
/// Words that say that there is no value, or that it is no secret.
static VISIBLE: List = LazyLock::new(|| list("VISIBLE"));
/// Attributes and members that say what a value beside them is called.
static NAMING: List = LazyLock::new(|| list("NAMING"));
/// Attributes and members that hold the value of what has such a name.
static HOLDING: List = LazyLock::new(|| list("HOLDING"));
/// Steps of a path after which something else than an ordinary word is a secret.
static LEADING: List = LazyLock::new(|| list("LEADING"));

/// The words between the triple quotes after a name of the table.
fn list(name: &str) -> HashSet<&'static str> {
    let after = TABLE.split_once(&format!("\n{name} = \"\"\"")).map_or("", |(_, after)| after);
    after.split("\"\"\"").next().unwrap_or_default().split_whitespace().collect()
}

fn is_in(list: &List, word: &str) -> bool {
    list.contains(word.to_ascii_lowercase().as_str())
}

/// Whether djust's own protocol uses this name for what is no secret.
pub fn is_djusts_own(name: &str) -> bool {
    DJUST_OWN.contains(name)
}

/// Whether a value says that there is none.
pub fn is_visible(value: &str) -> bool {
    is_in(&VISIBLE, value)
}

/// Whether an attribute or a member says what the value beside it is called.
pub fn is_naming(name: &str) -> bool {
    is_in(&NAMING, name)
}

/// Whether an attribute or a member holds the value of what is named beside it.
pub fn is_holding(name: &str) -> bool {
    is_in(&HOLDING, name)
}

/// Whether a word stands before the credentials of an `Authorization` header.
pub fn is_scheme(word: &str) -> bool {
    is_in(&SCHEMES, word)
}

/// Whether what follows a step of a path may be a secret.
pub fn is_leading(step: &str) -> bool {
    is_in(&LEADING, step) || is_sensitive(step)
}

/// Whether values of a name go on after a space.
pub fn is_spaced(name: &str) -> bool {
    words(name).iter().any(|word| SPACED.contains(word.as_str()))
}

/// Of a name so many characters are looked at.
const LONGEST: usize = 200;

/// Whether a value of this name is hidden. The name may be `snake_case`, `camelCase` or a header's.
pub fn is_sensitive(name: &str) -> bool {
    let words = words(name);
    words.iter().any(|word| WORDS.contains(word.as_str()))
        || words.windows(2).any(|two| PAIRS.contains(format!("{}_{}", two[0], two[1]).as_str()))
}

/// `apiKey`, `api-key` and `APIKey` are each `api`, `key`. Only ASCII letters and digits make words.
fn words(name: &str) -> Vec<String> {
    let chars: Vec<char> = name.chars().take(LONGEST).collect();
    let mut words: Vec<String> = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        let run = |from: usize, is: fn(&char) -> bool| chars[from..].iter().take_while(|c| is(c)).count();
        let begin = at;
        if chars[at].is_ascii_digit() {
            at += run(at, char::is_ascii_digit);
        } else if chars[at].is_ascii_lowercase() {
            at += run(at, char::is_ascii_lowercase);
        } else if chars[at].is_ascii_uppercase() {
            let upper = run(at, char::is_ascii_uppercase);
            let lower = run(at + upper, char::is_ascii_lowercase);
            // `APIKey`: the last capital begins the next word.
            at += if lower == 0 {
                upper
            } else if upper == 1 {
                1 + lower
            } else {
                upper - 1
            };
        } else {
            at += 1;
            continue;
        }
        words.push(chars[begin..at].iter().map(char::to_ascii_lowercase).collect());
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The agent imports the same file; here its lists are read, and each of their words works.
    #[test]
    fn the_lists_are_the_agents() {
        let lists = [&WORDS, &PAIRS, &SPACED, &SCHEMES, &DJUST_OWN, &VISIBLE, &NAMING, &HOLDING, &LEADING];
        assert!(lists.iter().all(|list| !list.is_empty()));
        let named = TABLE.lines().filter(|line| line.contains(" = \"\"\"")).count();
        assert_eq!(lists.len(), named, "a list of the table is not read");
        let quotes = TABLE.matches("\"\"\"").count();
        assert_eq!(quotes, 2 * named + 2, "the table has words between triple quotes only");
        for name in WORDS.iter().chain(PAIRS.iter()) {
            assert!(is_sensitive(name) && is_sensitive(&format!("x_{name}")), "{name}");
        }
        let python = include_str!("../../../agent/djust_inspector/names.py");
        for line in TABLE.lines().filter_map(|line| line.split_once(" = \"\"\"")) {
            assert!(python.contains(&format!("table.{}", line.0)) || line.0 == "SCHEMES", "{}", line.0);
        }
    }

    #[test]
    fn names_are_split_as_the_agent_splits_them() {
        for (name, expected) in [
            ("apiKey", "api key"),
            ("APIKey", "api key"),
            ("X-CSRFToken", "x csrf token"),
            ("HTTPServer2Go", "http server 2 go"),
            ("user_password1", "user password 1"),
            ("Größe", "gr e"),
            ("", ""),
        ] {
            assert_eq!(words(name).join(" "), expected, "{name}");
        }
    }

    #[test]
    fn names_that_only_look_alike_are_not_hidden() {
        for name in ["password", "newPassword", "X-CSRFToken", "api_key", "apiKey", "CARD-NUMBER", "sessionid", "user.token"] {
            assert!(is_sensitive(name), "{name}");
        }
        for name in ["passwords_changed_at_all", "tokens", "tokenizer", "key", "cardinal", "session", "count", ""] {
            assert!(!is_sensitive(name), "{name}");
        }
    }
}
