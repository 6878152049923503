//! The states of one view, one after the other: small and large, flat and deep, and what is no JSON.

use std::fmt::Write as _;
use std::sync::Arc;

use crate::common::Random;

pub enum States {
    Counter,
    List(Vec<(u64, String, bool)>),
    Big(Vec<u64>),
    Flapping(bool),
    Unicode,
    Deep,
    Broken,
}

impl States {
    pub fn new(random: &mut Random) -> Self {
        match random.below(40) {
            0..14 => Self::Counter,
            14..22 => Self::List((0..random.below(300)).map(|id| (id, words(random, 6), false)).collect()),
            22 => Self::Big((0..150_000).collect()),
            23..29 => Self::Flapping(false),
            29..33 => Self::Unicode,
            33..37 => Self::Deep,
            _ => Self::Broken,
        }
    }

    pub const fn is_big(&self) -> bool {
        matches!(self, Self::Big(_))
    }

    /// The next one. `token` is in it, but not in those that flap.
    pub fn next(&mut self, random: &mut Random, token: &str) -> Arc<str> {
        let n = random.below(1_000);
        match self {
            Self::Counter => format!(r#"{{"count": {n}, "note": "{token}"}}"#),
            Self::List(rows) => {
                match random.below(6) {
                    0 => rows
                        .insert(random.below(rows.len() as u64 + 1) as usize, (1_000 + random.next() % 100_000, words(random, 20), true)),
                    1 if !rows.is_empty() => drop(rows.remove(random.below(rows.len() as u64) as usize)),
                    2 if !rows.is_empty() => {
                        let row = rows.remove(random.below(rows.len() as u64) as usize);
                        rows.insert(random.below(rows.len() as u64 + 1) as usize, row);
                    }
                    _ if !rows.is_empty() => {
                        let at = random.below(rows.len() as u64) as usize;
                        rows[at].2 ^= true;
                        rows[at].1 = words(random, 30);
                    }
                    _ => {}
                }
                let mut text = format!(r#"{{"count": {n}, "note": "{token}", "rows": ["#);
                for (at, (id, title, done)) in rows.iter().enumerate() {
                    let comma = if at > 0 { ", " } else { "" };
                    let _ = write!(text, r#"{comma}{{"id": {id}, "title": "{title}", "done": {done}, "tags": ["home", "later"]}}"#);
                }
                text.push_str("]}");
                text
            }
            Self::Big(numbers) => {
                let at = random.below(numbers.len() as u64) as usize;
                numbers[at] = random.next() % 10_000_000;
                let mut text = format!(r#"{{"count": {n}, "note": "{token}", "numbers": ["#);
                for (at, number) in numbers.iter().enumerate() {
                    let _ = write!(text, "{}{number}", if at > 0 { "," } else { "" });
                }
                text.push_str("]}");
                text
            }
            Self::Flapping(on) => {
                *on ^= true;
                format!(
                    r#"{{"count": {}, "shown": {on}, "title": "{}"}}"#,
                    u8::from(*on),
                    if *on { "on ".repeat(20) } else { String::new() }
                )
            }
            Self::Unicode => format!(
                r#"{{"count": {n}, "note": "{token}", "größe": "\u00e9\ud83d\ude00 é😀 {}", "数": [null, -0.5e3]}}"#,
                words(random, 2)
            ),
            Self::Deep => {
                let depth = 1 + random.below(90) as usize;
                format!(r#"{{"count": {n}, "note": "{token}", "deep": {}{n}{}}}"#, r#"{"a":["#.repeat(depth), "]}".repeat(depth))
            }
            Self::Broken => format!("{token} is {{ no JSON {n}"),
        }
        .into()
    }
}

pub fn words(random: &mut Random, most: u64) -> String {
    const WORDS: [&str; 8] = ["buy", "tea", "call", "the", "bank", "about", "garden", "letter"];
    (0..=random.below(most)).map(|_| WORDS[random.below(8) as usize]).collect::<Vec<_>>().join(" ")
}
