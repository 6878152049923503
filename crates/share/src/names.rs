//! Names that hide their values: the same lists as the agent's `redact.py`, which a test compares.

/// Words that make a name a secret's.
pub const WORDS: [&str; 25] = [
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "secret",
    "secrets",
    "token",
    "authorization",
    "cookie",
    "cookies",
    "csrf",
    "csrftoken",
    "csrfmiddlewaretoken",
    "xsrf",
    "apikey",
    "sessionid",
    "sessionkey",
    "credential",
    "credentials",
    "jwt",
    "cvv",
    "cvc",
    "ssn",
    "iban",
    "privatekey",
];

/// Neighbouring words that are a secret together, though neither is alone.
pub const PAIRS: [&str; 12] = [
    "api_key",
    "session_key",
    "session_id",
    "credit_card",
    "card_number",
    "private_key",
    "access_key",
    "signing_key",
    "encryption_key",
    "security_code",
    "social_security",
    "pass_word",
];

/// djust's own protocol uses this name for what is no secret.
pub const DJUST_OWN: &str = "session_id";

/// Of a name so many characters are looked at.
const LONGEST: usize = 200;

/// Whether a value of this name is hidden. The name may be `snake_case`, `camelCase` or a header's.
pub fn is_sensitive(name: &str) -> bool {
    let words = words(name);
    words.iter().any(|word| WORDS.contains(&word.as_str()))
        || words.windows(2).any(|two| PAIRS.iter().any(|pair| pair.split_once('_').is_some_and(|(a, b)| a == two[0] && b == two[1])))
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
    use std::collections::BTreeSet;

    use super::*;

    /// The words between the first pair of triple quotes after `name`.
    fn python_list(source: &str, name: &str) -> BTreeSet<String> {
        let after = &source[source.find(&format!("{name} = frozenset(")).unwrap()..];
        let list = after.split("\"\"\"").nth(1).unwrap();
        list.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn the_lists_are_the_agents() {
        let source = include_str!("../../../agent/djust_inspector/redact.py");
        let ours = |list: &[&str]| list.iter().map(|word| (*word).to_owned()).collect::<BTreeSet<_>>();
        assert_eq!(ours(&WORDS), python_list(source, "WORDS"));
        assert_eq!(ours(&PAIRS), python_list(source, "PAIRS"));
        assert!(source.contains(&format!("_DJUST_OWN = frozenset([\"{DJUST_OWN}\"])")));
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
