//! Secrets that HTML, addresses and free text name beside their value.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use crate::names::{is_holding, is_leading, is_naming, is_scheme, is_sensitive, is_spaced, is_visible};
use crate::patterns::MARK;

// Written in this file and tried by its tests: they cannot fail to compile.
static TAG: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r#"(?s)<([a-zA-Z][a-zA-Z0-9-]*)((?:[^>"']|"[^"]*"|'[^']*')*)>"#).ok());
static ATTRIBUTE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"(?s)([a-zA-Z_:@][a-zA-Z0-9_:.@-]*)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))"#).ok());
static QUERY: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r#"(?:[?&;]|^)([A-Za-z0-9_.%\[\]-]{1,100})=([^&;\s"'<>#]+)"#).ok());
static ASSIGNMENT: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r#"([A-Za-z_][A-Za-z0-9_-]{0,100})["']?\s*[=:]\s*"#).ok());
static ASSIGNED: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"^(?:"([^"\n]+)"|'([^'\n]+)'|((?i:[a-z]+)[ \t]+)?([^\s,;&)}\]"']+))"#).ok());
static COOKIES: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r#"^[\w.-]{1,100}=[^\r\n<"]*"#).ok());
static REST: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r#"^[^\r\n,;&<"]+"#).ok());
static STEP: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"/([A-Za-z0-9_=~.:!%-]{1,300})").ok());

/// A value in a text, and the name that makes it a secret.
pub struct Named {
    /// Where the value stands.
    pub range: Range<usize>,
    /// Its name, as it stands there.
    pub name: String,
}

/// Values of fields and attributes with a secret's name.
pub fn in_html(text: &str) -> Vec<Named> {
    let mut found = Vec::new();
    let (Some(tags), Some(attributes)) = (TAG.as_ref(), ATTRIBUTE.as_ref()) else { return found };
    if !text.contains('<') {
        return found;
    }
    // What is inside of a field is its text, and no place of it is gone over again.
    let mut done = 0;
    for tag in tags.captures_iter(text) {
        if tag.get(0).is_some_and(|whole| whole.start() < done) {
            continue;
        }
        let Some(inside) = tag.get(2).filter(|inside| inside.as_str().contains('=')) else { continue };
        let all: Vec<(&str, Range<usize>)> = attributes
            .captures_iter(inside.as_str())
            .filter_map(|attribute| {
                let value = attribute.get(2).or_else(|| attribute.get(3)).or_else(|| attribute.get(4))?;
                let range = inside.start() + value.start()..inside.start() + value.end();
                Some((attribute.get(1)?.as_str(), range))
            })
            .collect();
        let field = all.iter().filter(|(name, _)| is_naming(name)).map(|(_, range)| &text[range.clone()]).find(|name| is_sensitive(name));
        for (name, range) in all {
            // `type="password"`, `for="password"`: an attribute that has the name as its value is no secret.
            let named = field.filter(|_| is_holding(name)).or_else(|| is_sensitive(name).then_some(name));
            if let Some(named) = named
                && is_worth(&text[range.clone()])
            {
                found.push(Named { range, name: named.to_owned() });
            }
        }
        if let (Some(field), Some(whole)) = (field, tag.get(0))
            && let Some(end) = ["textarea", "output"].iter().find(|name| tag[1].eq_ignore_ascii_case(name))
        {
            let inside = &text[whole.end()..];
            let closed =
                inside.as_bytes().windows(end.len() + 2).position(|at| at[..2] == *b"</" && at[2..].eq_ignore_ascii_case(end.as_bytes()));
            let inside = &inside[..closed.unwrap_or(inside.len())];
            done = whole.end() + inside.len();
            if is_worth(inside) && !inside.trim().is_empty() {
                found.push(Named { range: whole.end()..whole.end() + inside.len(), name: field.to_owned() });
            }
        }
    }
    found
}

/// Values in the query of an address, and in a form's body.
pub fn in_query(text: &str) -> Vec<Named> {
    let Some(query) = QUERY.as_ref().filter(|_| text.contains('=')) else { return Vec::new() };
    let named = |captures: regex::Captures<'_>| {
        let (name, value) = (captures.get(1)?, captures.get(2)?);
        (is_sensitive(name.as_str()) && is_worth(value.as_str())).then(|| Named { range: value.range(), name: name.as_str().to_owned() })
    };
    query.captures_iter(text).filter_map(named).collect()
}

/// `password=…` and `'token': …` in free text: a log message, an exception's text.
pub fn in_free_text(text: &str) -> Vec<Named> {
    let mut found = Vec::new();
    let (Some(names), Some(values)) = (ASSIGNMENT.as_ref(), ASSIGNED.as_ref()) else { return found };
    // What is a name's value is not gone over again for names, or a run of them would take as long as its square.
    let mut done = 0;
    for name in names.captures_iter(text).filter(|name| is_sensitive(&name[1])) {
        let (begin, start) = name.get(0).map_or((0, 0), |whole| (whole.start(), whole.end()));
        if begin < done {
            continue;
        }
        let rest = &text[start..];
        let Some(found_here) = values.captures(rest) else { continue };
        let quoted = found_here.get(1).or_else(|| found_here.get(2));
        let bare = found_here.get(4).filter(|_| quoted.is_none());
        let Some(mut value) = quoted.or(bare).map(|value| value.range()) else { continue };
        if let (Some(word), Some(bare)) = (found_here.get(3), bare) {
            // A header's value has a word before the secret; any other ends at the space.
            value = if is_scheme(word.as_str().trim()) {
                word.start()..bare.end()
            } else {
                word.start()..word.as_str().trim_end().len() + word.start()
            };
        }
        if quoted.is_none() && is_spaced(&name[1]) {
            let whole = COOKIES
                .as_ref()
                .filter(|_| name[0].contains(':'))
                .and_then(|cookies| cookies.find(rest))
                .or_else(|| REST.as_ref()?.find(rest));
            value.end = value.end.max(whole.map_or(0, |whole| whole.as_str().trim_end().len()));
        }
        done = start + value.end;
        let told = &rest[value.clone()];
        if is_worth(told) && !is_visible(told) {
            found.push(Named { range: start + value.start..start + value.end, name: name[1].to_owned() });
        }
    }
    found
}

/// Steps of paths that are tokens: what follows a word such as `reset`, and what nobody gave as a name.
pub fn in_path(text: &str) -> Vec<Named> {
    let mut found = Vec::new();
    let Some(steps) = STEP.as_ref().filter(|_| text.contains('/')) else { return found };
    let (mut led, mut end): (Option<String>, usize) = (None, 0);
    for captures in steps.captures_iter(text) {
        let (Some(whole), Some(step)) = (captures.get(0), captures.get(1)) else { continue };
        if whole.start() != end {
            led = None; // another path
        }
        end = whole.end();
        let bytes = step.as_str().as_bytes();
        let mixed = bytes.iter().any(u8::is_ascii_digit) && bytes.iter().any(u8::is_ascii_alphabetic);
        if let Some(word) = &led
            && mixed
            && bytes.len() >= 8
        {
            found.push(Named { range: step.range(), name: word.clone() });
        }
        if is_leading(step.as_str()) {
            led = Some(step.as_str().to_owned());
        }
    }
    found
}

/// Whether there is anything to hide.
fn is_worth(value: &str) -> bool {
    !value.is_empty() && !value.contains(MARK)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(text: &str, found: fn(&str) -> Vec<Named>) -> Vec<String> {
        found(text).into_iter().map(|named| text[named.range].to_owned()).collect()
    }

    #[test]
    fn the_patterns_are_regular_expressions() {
        assert!(TAG.is_some() && ATTRIBUTE.is_some() && QUERY.is_some() && ASSIGNMENT.is_some() && ASSIGNED.is_some());
        assert!(COOKIES.is_some() && REST.is_some() && STEP.is_some());
    }

    #[test]
    fn fields_with_a_secrets_name_are_found() {
        for (html, expected) in [
            (r#"<input type="hidden" name="csrfmiddlewaretoken" value="abc">"#, "abc"),
            (r"<INPUT value='a b' type=password>", "a b"),
            (r#"<meta name="csrf-token" content="x>y">"#, "x>y"),
            (r#"<div data-api-key=k1 class="a">"#, "k1"),
            (r#"<textarea rows=2 name="api_key">k 2</textarea> <p>"#, "k 2"),
            (r#"<input dj-model="api_token" value=k3>"#, "k3"),
        ] {
            assert_eq!(values(html, in_html), [expected], "{html}");
        }
        for html in [
            r#"<input type="password" value="" autocomplete="current-password">"#,
            r#"<input name="title" value="password">"#,
            r#"<label for="password">Password: <b class="token">x</b>"#,
            r#"<input name="password" value="[redacted:0a1b]">"#,
            "a < b = c > d",
        ] {
            assert_eq!(values(html, in_html), Vec::<String>::new(), "{html}");
        }
    }

    #[test]
    fn tokens_in_paths_are_found() {
        assert_eq!(values("see http://x.org/reset/MQ/c8x1f2-4f9d21/ now", in_path), ["c8x1f2-4f9d21"]);
        assert_eq!(values("/api/token/abcd1234", in_path), ["abcd1234"]);
        for text in ["/orders/abcd1234/", "/reset/now/please/", "/reset /orders/abcd1234", "a/b"] {
            assert_eq!(values(text, in_path), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn queries_and_assignments_are_found() {
        assert_eq!(values("/reset?id=3&token=abc#x", in_query), ["abc"]);
        assert_eq!(values("sessionid=q1; theme=dark", in_query), ["q1"]);
        assert_eq!(values("login failed: password='hunter 2', user=ann", in_free_text), ["hunter 2"]);
        assert_eq!(values("Authorization: Basic abc", in_free_text), ["Basic abc"]);
        assert_eq!(values("Authorization: Token t-1", in_free_text), ["Token t-1"]);
        assert_eq!(values("Cookie: sessionid=a1; theme=b2\nHost: x", in_free_text), ["sessionid=a1; theme=b2"]);
        assert_eq!(values("passphrase: correct horse, then", in_free_text), ["correct horse"]);
        assert_eq!(values("pwd=p1 iban=I2 access_key=k3 private_key=k4", in_free_text), ["p1", "I2", "k3", "k4"]);
        assert_eq!(values(r#"{"apiKey": "k", "n": 1}"#, in_free_text), ["k"]);
        assert_eq!(values("password=None token: [redacted] page=2", in_free_text), Vec::<String>::new());
    }
}
