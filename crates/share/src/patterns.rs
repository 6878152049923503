//! Values that are secrets whatever their name: found by how they look.

use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use inspector_model::RedactionRule;
use regex::{Captures, Regex, RegexSet};

/// What stands in a text instead of a secret begins so, here and in the agent.
pub const MARK: &str = "[redacted";

/// A second look at what was found in a text.
type Holds = fn(text: &str, found: Range<usize>) -> bool;

/// One way to look. The group `secret` is what is hidden; without one, the whole match.
struct Pattern {
    rule: RedactionRule,
    text: &'static str,
    holds: Holds,
}

const fn always(_: &str, _: Range<usize>) -> bool {
    true
}

const PATTERNS: [Pattern; 8] = [
    Pattern {
        rule: RedactionRule::PrivateKey,
        // Without its end it goes on to the end: rather too much than a part of a key.
        text: r"(?s)-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|\z)",
        holds: always,
    },
    Pattern { rule: RedactionRule::Jwt, text: r"\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]*", holds: always },
    Pattern {
        rule: RedactionRule::ServiceKey,
        text: concat!(
            r"\b(?:(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b|gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{22,}|xox[abeprs]-[A-Za-z0-9-]{10,}",
            r"|[srp]k_(?:live|test)_[A-Za-z0-9]{16,}|whsec_[A-Za-z0-9]{16,}|AIza[A-Za-z0-9_-]{35}|glpat-[A-Za-z0-9_-]{20,}|sk-[A-Za-z0-9_-]{32,})"
        ),
        holds: always,
    },
    Pattern { rule: RedactionRule::Authorization, text: r"(?i)\bbearer\s+(?P<secret>[A-Za-z0-9._~+/=-]{8,})", holds: is_bearer },
    Pattern { rule: RedactionRule::Authorization, text: r"(?i)\bbasic\s+(?P<secret>[A-Za-z0-9+/]{6,}={0,2})", holds: is_basic },
    // The credentials in an address: `postgres://user:word@host`.
    Pattern {
        rule: RedactionRule::Authorization,
        text: r"\b[a-zA-Z][a-zA-Z0-9+.-]{1,20}://[^\s/:@\x22'<>]{0,200}:(?P<secret>[^\s/@\x22'<>]{1,500})@[^\s/@]",
        holds: is_unmarked,
    },
    Pattern { rule: RedactionRule::Card, text: r"[0-9](?:[ -]?[0-9]){12,40}", holds: is_card },
    Pattern {
        rule: RedactionRule::Email,
        text: r"(?i)\b[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[a-z0-9](?:[a-z0-9-]{0,62}\.)+[a-z]{2,63}\b",
        holds: always,
    },
];

/// The patterns, ready to look.
pub struct Patterns {
    any: RegexSet,
    each: Vec<(RedactionRule, Regex, Holds)>,
}

impl Patterns {
    /// All of them, with or without e-mail addresses.
    pub fn new(emails: bool) -> Result<Self, regex::Error> {
        let used: Vec<&Pattern> = PATTERNS.iter().filter(|pattern| emails || pattern.rule != RedactionRule::Email).collect();
        let any = RegexSet::new(used.iter().map(|pattern| pattern.text))?;
        let each = used
            .iter()
            .map(|pattern| Regex::new(pattern.text).map(|regex| (pattern.rule, regex, pattern.holds)))
            .collect::<Result<_, _>>()?;
        Ok(Self { any, each })
    }

    /// What is a secret in `text`: in order, without overlaps.
    pub fn find(&self, text: &str) -> Vec<(Range<usize>, RedactionRule)> {
        let mut found: Vec<(Range<usize>, RedactionRule)> = Vec::new();
        for index in self.any.matches(text) {
            let (rule, regex, holds) = &self.each[index];
            for captures in regex.captures_iter(text) {
                if let Some(range) = secret(&captures)
                    && holds(text, range.clone())
                {
                    found.push((range, *rule));
                }
            }
        }
        // The longest of those that begin together; what overlaps it is hidden with it.
        found.sort_by_key(|(range, _)| (range.start, std::cmp::Reverse(range.end)));
        let mut kept: Vec<(Range<usize>, RedactionRule)> = Vec::with_capacity(found.len());
        for (range, rule) in found {
            match kept.last_mut() {
                Some((last, _)) if range.start < last.end => last.end = last.end.max(range.end),
                _ => kept.push((range, rule)),
            }
        }
        kept
    }
}

fn secret(captures: &Captures<'_>) -> Option<Range<usize>> {
    captures.name("secret").or_else(|| captures.get(0)).map(|found| found.range())
}

fn is_unmarked(text: &str, found: Range<usize>) -> bool {
    !text[found].contains(MARK)
}

/// The word is an English one, too: a token has a digit in it or is long.
fn is_bearer(text: &str, found: Range<usize>) -> bool {
    found.len() >= 20 || text[found].bytes().any(|byte| byte.is_ascii_digit())
}

/// Likewise: what follows is base64 of a name, a colon and a word.
fn is_basic(text: &str, found: Range<usize>) -> bool {
    let text = &text[found];
    STANDARD.decode(text).or_else(|_| STANDARD_NO_PAD.decode(text)).is_ok_and(|decoded| decoded.contains(&b':') && decoded.is_ascii())
}

/// Whether a run of digits is a card's number: its length, how it begins, how it is grouped, its check digit.
fn is_card(text: &str, found: Range<usize>) -> bool {
    // A part of something longer, a fraction, or a UUID is none.
    let part_of = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':');
    let before = text[..found.start].chars().next_back();
    let mut after = text[found.end..].chars();
    let (next, second) = (after.next(), after.next());
    let goes_on = next.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '-'))
        || (next == Some('.') && second.is_some_and(|c| c.is_ascii_digit()));
    if before.is_some_and(part_of) && before != Some(':') || goes_on {
        return false;
    }
    let groups: Vec<usize> = text[found.clone()].split([' ', '-']).map(str::len).collect();
    let grouped = matches!(groups.as_slice(), [_] | [4, 4, 4, 1..=4] | [4, 4, 4, 4, 1..=3] | [4, 6, 4 | 5]);
    let digits: Vec<u32> = text[found].chars().filter_map(|c| c.to_digit(10)).collect();
    let begins = match (digits.first(), digits.get(1)) {
        (Some(4), _) | (Some(5), Some(1..=8)) | (Some(6), Some(0 | 2..=5 | 7..=9)) | (Some(3), Some(0 | 4..=9)) => true,
        (Some(2), Some(2..=7)) => digits.len() == 16,
        _ => false,
    };
    grouped && begins && (13..=19).contains(&digits.len()) && has_check_digit(&digits) && digits.iter().any(|digit| *digit != digits[0])
}

/// Luhn's check.
fn has_check_digit(digits: &[u32]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match (place % 2, digit * 2) {
            (0, _) => *digit,
            (_, double) => double / 10 + double % 10,
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(&str, RedactionRule)> {
        let patterns = Patterns::new(true).unwrap();
        patterns.find(text).into_iter().map(|(range, rule)| (&text[range], rule)).collect()
    }

    #[test]
    fn secrets_are_found_by_how_they_look() {
        let key = "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----";
        for (text, secret, rule) in [
            (format!("x {key} y"), key, RedactionRule::PrivateKey),
            ("a eyJhbGciOi.eyJzdWIiOiIx.c2lnbmF0dXJl b".into(), "eyJhbGciOi.eyJzdWIiOiIx.c2lnbmF0dXJl", RedactionRule::Jwt),
            ("id=AKIAIOSFODNN7EXAMPLE;".into(), "AKIAIOSFODNN7EXAMPLE", RedactionRule::ServiceKey),
            ("Authorization: Bearer abc123def456".into(), "abc123def456", RedactionRule::Authorization),
            ("basic dXNlcjpwYXNz".into(), "dXNlcjpwYXNz", RedactionRule::Authorization),
            ("postgres://shop:hunter2@db/x".into(), "hunter2", RedactionRule::Authorization),
            ("card 4111 1111 1111 1111.".into(), "4111 1111 1111 1111", RedactionRule::Card),
            ("5500-0055-5555-5559".into(), "5500-0055-5555-5559", RedactionRule::Card),
            ("378282246310005".into(), "378282246310005", RedactionRule::Card),
            ("to: ann.o'nym+x@mail.example.org,".into(), "ann.o'nym+x@mail.example.org", RedactionRule::Email),
        ] {
            assert_eq!(found(&text), [(secret, rule)], "{text}");
        }
    }

    #[test]
    fn what_only_looks_alike_stays() {
        for text in [
            "the bearer of this letter, basic information, basic stepper",
            "4111 1111 1111 1112",
            "12345678-1234-5678-1234-567812345678",
            "1700000000000 1795410214.19 0.4111111111111111",
            "4111111111111111111111",
            "user@host a@b.c1",
            "0000000000000000",
            "http://localhost:8000/a@b",
            "Bearer [redacted:0a1b2c3d]",
            "ws://a:[redacted:0a1b2c3d]@b",
        ] {
            assert_eq!(found(text), [], "{text}");
        }
    }

    #[test]
    fn a_key_without_its_end_is_hidden_to_the_end() {
        let text = "x -----BEGIN PRIVATE KEY-----\nMIIE and so on";
        assert_eq!(found(text), [(&text[2..], RedactionRule::PrivateKey)]);
    }
}
