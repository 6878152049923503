//! Secrets that HTML, addresses and free text name beside their value.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use crate::names::is_sensitive;
use crate::patterns::MARK;

// Written in this file and tried by its tests: they cannot fail to compile.
static TAG: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r#"(?s)<([a-zA-Z][a-zA-Z0-9-]*)((?:[^>"']|"[^"]*"|'[^']*')*)>"#).ok());
static ATTRIBUTE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"(?s)([a-zA-Z_:@][a-zA-Z0-9_:.@-]*)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))"#).ok());
static QUERY: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r#"(?:[?&;]|^)([A-Za-z0-9_.%\[\]-]{1,100})=([^&;\s"'<>#]+)"#).ok());
static ASSIGNMENT: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r#"([A-Za-z_][A-Za-z0-9_-]{0,100})["']?\s*[=:]\s*"#).ok());
/// A header's value has a word before the secret.
static ASSIGNED: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"^(?:"([^"\n]+)"|'([^'\n]+)'|((?i:bearer|basic|token)[ \t]+[^\s,;&)}\]"']+|[^\s,;&)}\]"']+))"#).ok());

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
    for tag in tags.captures_iter(text) {
        let Some(inside) = tag.get(2).filter(|inside| inside.as_str().contains('=')) else { continue };
        let all: Vec<(&str, Range<usize>)> = attributes
            .captures_iter(inside.as_str())
            .filter_map(|attribute| {
                let value = attribute.get(2).or_else(|| attribute.get(3)).or_else(|| attribute.get(4))?;
                let range = inside.start() + value.start()..inside.start() + value.end();
                Some((attribute.get(1)?.as_str(), range))
            })
            .collect();
        let value_of = |name: &str| all.iter().find(|(of, _)| of.eq_ignore_ascii_case(name)).map(|(_, range)| &text[range.clone()]);
        let field = value_of("name").or_else(|| value_of("http-equiv")).or_else(|| value_of("id")).unwrap_or_default();
        let is_field = ["input", "meta", "option", "button", "param", "data"].iter().any(|name| tag[1].eq_ignore_ascii_case(name));
        let hidden = is_field && (is_sensitive(field) || value_of("type").is_some_and(|kind| kind.eq_ignore_ascii_case("password")));
        for (name, range) in all {
            let is_value = name.eq_ignore_ascii_case("value") || name.eq_ignore_ascii_case("content");
            // `type="password"`, `for="password"`: an attribute that has the name as its value is no secret.
            let named = if hidden && is_value { Some(if field.is_empty() { "password" } else { field }) } else { None };
            let named = named.or_else(|| is_sensitive(name).then_some(name));
            if let Some(named) = named
                && is_worth(&text[range.clone()])
            {
                found.push(Named { range, name: named.to_owned() });
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
    for name in names.captures_iter(text).filter(|name| is_sensitive(&name[1])) {
        let start = name.get(0).map_or(0, |whole| whole.end());
        let Some(value) = values.captures(&text[start..]) else { continue };
        let Some(value) = value.get(1).or_else(|| value.get(2)).or_else(|| value.get(3)) else { continue };
        // Words of the language that say that there is none.
        if is_worth(value.as_str()) && !["None", "null", "True", "False", "true", "false"].contains(&value.as_str()) {
            found.push(Named { range: start + value.start()..start + value.end(), name: name[1].to_owned() });
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
    }

    #[test]
    fn fields_with_a_secrets_name_are_found() {
        for (html, expected) in [
            (r#"<input type="hidden" name="csrfmiddlewaretoken" value="abc">"#, "abc"),
            (r"<INPUT value='a b' type=password>", "a b"),
            (r#"<meta name="csrf-token" content="x>y">"#, "x>y"),
            (r#"<div data-api-key=k1 class="a">"#, "k1"),
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
    fn queries_and_assignments_are_found() {
        assert_eq!(values("/reset?id=3&token=abc#x", in_query), ["abc"]);
        assert_eq!(values("sessionid=q1; theme=dark", in_query), ["q1"]);
        assert_eq!(values("login failed: password='hunter 2', user=ann", in_free_text), ["hunter 2"]);
        assert_eq!(values("Authorization: Basic abc", in_free_text), ["Basic abc"]);
        assert_eq!(values(r#"{"apiKey": "k", "n": 1}"#, in_free_text), ["k"]);
        assert_eq!(values("password=None token: [redacted] page=2", in_free_text), Vec::<String>::new());
    }
}
