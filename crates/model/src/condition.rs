//! Conditions on states: `cart.total < 0`, `changed(user)`, `len(items) > 500 and cart.open == true`.
//!
//! Pure: whoever has the state says what stands at a path. A condition says what it needs to know by [`Facts`].

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Kind, Path, Segment, Value, parse_value};

/// Characters of a condition.
const LONGEST: usize = 500;

/// A condition that watches every state, as it is set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Breakpoint {
    /// The condition's text.
    pub condition: String,
    /// Whether it watches now.
    pub on: bool,
}

/// A condition that was understood.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    text: String,
    tests: Vec<Test>,
}

#[derive(Clone, Debug, PartialEq)]
enum Test {
    Changed(Path),
    Compare { path: Path, len: bool, compare: Compare, with: Literal },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Compare {
    Less,
    AtMost,
    Equal,
    Unequal,
    AtLeast,
    More,
}

#[derive(Clone, Debug, PartialEq)]
enum Literal {
    Number(f64),
    Text(String),
    Bool(bool),
    None,
}

/// What a state says, for one who asks.
pub trait Facts {
    /// The JSON of what stands at a path, if anything does.
    fn value(&self, path: &Path) -> Option<&str>;
    /// How many elements or keys it has.
    fn len(&self, path: &Path) -> Option<usize>;
}

impl Condition {
    /// Reads a condition. The error says in one sentence what is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.chars().count() > LONGEST {
            return Err(format!("A condition can have {LONGEST} characters"));
        }
        let mut input = Input { rest: text };
        let mut tests = vec![input.test()?];
        while !input.rest.trim_start().is_empty() {
            if !input.word("and") {
                return Err(format!("“{}” is not understood: join two tests with “and”", input.rest.trim()));
            }
            tests.push(input.test()?);
        }
        Ok(Self { text: text.to_owned(), tests })
    }

    /// Whether it holds for a state. `before` is the state that was left, where it is known.
    pub fn holds(&self, before: Option<&dyn Facts>, after: &dyn Facts) -> bool {
        self.tests.iter().all(|test| match test {
            Test::Changed(path) => before.is_some_and(|before| before.value(path) != after.value(path)),
            Test::Compare { path, len: true, compare, with: Literal::Number(wanted) } => {
                after.len(path).is_some_and(|len| compare.numbers(len as f64, *wanted))
            }
            Test::Compare { len: true, .. } => false,
            Test::Compare { path, compare, with, .. } => after.value(path).is_some_and(|json| compare.with(json, with)),
        })
    }

    /// Whether a step made it hold: it does now, and did not before.
    pub fn hit(&self, before: Option<&dyn Facts>, after: &dyn Facts) -> bool {
        let event = self.tests.iter().any(|test| matches!(test, Test::Changed(_)));
        self.holds(before, after) && (event || !before.is_some_and(|before| self.holds(None, before)))
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Compare {
    fn numbers(self, value: f64, wanted: f64) -> bool {
        match self {
            Self::Less => value < wanted,
            Self::AtMost => value <= wanted,
            Self::Equal => (value - wanted).abs() < 1e-9,
            Self::Unequal => (value - wanted).abs() >= 1e-9,
            Self::AtLeast => value >= wanted,
            Self::More => value > wanted,
        }
    }

    fn with(self, json: &str, wanted: &Literal) -> bool {
        let Ok(value) = parse_value(json) else { return false };
        let unequal = self == Self::Unequal;
        match (wanted, &value) {
            (Literal::Number(wanted), value) => number(value).map_or(unequal, |value| self.numbers(value, *wanted)),
            (Literal::Text(wanted), value) => match (text(value), self) {
                (Some(value), Self::Equal) => value == wanted,
                (Some(value), Self::Unequal) => value != wanted,
                (Some(value), Self::Less) => value < wanted.as_str(),
                (Some(value), Self::AtMost) => value <= wanted.as_str(),
                (Some(value), Self::AtLeast) => value >= wanted.as_str(),
                (Some(value), Self::More) => value > wanted.as_str(),
                (None, _) => unequal,
            },
            (Literal::Bool(wanted), value) => (*value == Value::Bool(*wanted)) != unequal,
            (Literal::None, value) => (*value == Value::Null) != unequal,
        }
    }
}

/// The number that a value is, plain or typed.
fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.to_string().parse().ok(),
        Value::Typed { kind: Kind::Decimal | Kind::Int, .. } => text(value)?.parse().ok().filter(|number: &f64| number.is_finite()),
        _ => None,
    }
}

fn text(value: &Value) -> Option<&str> {
    match value {
        Value::Text(text) => Some(text),
        Value::Typed { .. } => match value.field("v")? {
            Value::Text(text) => Some(text),
            _ => None,
        },
        _ => None,
    }
}

/// What was not read yet.
struct Input<'a> {
    rest: &'a str,
}

impl Input<'_> {
    /// Takes a word or sign if it comes next.
    fn word(&mut self, word: &str) -> bool {
        let rest = self.rest.trim_start();
        let Some(after) = rest.strip_prefix(word) else { return false };
        let part_of_name = word.ends_with(char::is_alphanumeric) && after.starts_with(|c: char| c.is_alphanumeric() || c == '_');
        if !part_of_name {
            self.rest = after;
        }
        !part_of_name
    }

    fn test(&mut self) -> Result<Test, String> {
        let begun = self.rest;
        for (name, len) in [("changed", false), ("len", true)] {
            if self.word(name) && self.word("(") {
                let path = self.path()?;
                if !self.word(")") {
                    return Err(format!("“{name}(” is opened and not closed"));
                }
                if len {
                    return self.compare(path, true);
                }
                return Ok(Test::Changed(path));
            }
            self.rest = begun;
        }
        let path = self.path()?;
        self.compare(path, false)
    }

    fn compare(&mut self, path: Path, len: bool) -> Result<Test, String> {
        // The longer sign first: `<=` begins as `<` does.
        const SIGNS: [(&str, Compare); 7] = [
            ("<=", Compare::AtMost),
            (">=", Compare::AtLeast),
            ("==", Compare::Equal),
            ("!=", Compare::Unequal),
            ("<", Compare::Less),
            (">", Compare::More),
            ("=", Compare::Equal),
        ];
        let found = SIGNS.into_iter().find(|(sign, _)| self.word(sign));
        let Some((_, compare)) = found else {
            return Err(format!("After “{path}” there must be one of < <= == != >= >, or write changed({path})"));
        };
        let with = self.literal()?;
        if len && !matches!(with, Literal::Number(_)) {
            return Err(format!("The length of “{path}” is a number: compare it with one"));
        }
        Ok(Test::Compare { path, len, compare, with })
    }

    fn literal(&mut self) -> Result<Literal, String> {
        let words = [
            ("true", Literal::Bool(true)),
            ("True", Literal::Bool(true)),
            ("false", Literal::Bool(false)),
            ("False", Literal::Bool(false)),
            ("null", Literal::None),
            ("None", Literal::None),
        ];
        if let Some((_, literal)) = words.into_iter().find(|(word, _)| self.word(word)) {
            return Ok(literal);
        }
        for quote in ["\"", "'"] {
            if self.word(quote) {
                let (text, rest) = self.rest.split_once(quote).ok_or("A quote is opened and not closed")?;
                self.rest = rest;
                return Ok(Literal::Text(text.to_owned()));
            }
        }
        let rest = self.rest.trim_start();
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        let number: f64 = word.parse().map_err(|_| match word {
            "" => "There must be a value to compare with".to_owned(),
            _ => format!("“{word}” is no value: write a number, \"text\", true, false or None"),
        })?;
        self.rest = after;
        Ok(Literal::Number(number))
    }

    /// `cart.items[3]["a b"]`, also with a slash in front.
    fn path(&mut self) -> Result<Path, String> {
        let mut path = Path::default();
        self.rest = self.rest.trim_start();
        self.rest = self.rest.strip_prefix('/').unwrap_or(self.rest);
        loop {
            if let Some(inside) = self.rest.strip_prefix('[') {
                let (index, rest) = inside.split_once(']').ok_or("A bracket is opened and not closed")?;
                let quoted = index.trim().strip_prefix(['"', '\'']).and_then(|key| key.strip_suffix(['"', '\'']));
                path.0.push(match (quoted, index.trim().parse()) {
                    (Some(key), _) => Segment::Key(key.to_owned()),
                    (None, Ok(index)) => Segment::Index(index),
                    (None, Err(_)) => return Err(format!("“[{index}]” is no place in a list: write a number or \"a key\"")),
                });
                self.rest = rest;
                continue;
            }
            if !path.0.is_empty() {
                match self.rest.strip_prefix(['.', '/']) {
                    Some(rest) => self.rest = rest,
                    None => return Ok(path),
                }
            }
            let end = self.rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(self.rest.len());
            let (key, rest) = self.rest.split_at(end);
            if key.is_empty() {
                return Err("A condition begins with the name of an assign, as in cart.total < 0".to_owned());
            }
            path.0.push(key.parse().ok().filter(|_| !path.0.is_empty()).map_or_else(|| Segment::Key(key.to_owned()), Segment::Index));
            self.rest = rest;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A state as a tree, each value as its text.
    struct State(Vec<(String, String)>);

    impl State {
        fn new(assigns: &[(&str, &str)]) -> Self {
            Self(assigns.iter().map(|(name, json)| ((*name).to_owned(), (*json).to_owned())).collect())
        }
    }

    impl Facts for State {
        fn value(&self, path: &Path) -> Option<&str> {
            self.0.iter().find(|(name, _)| *name == path.to_string()).map(|(_, json)| json.as_str())
        }

        fn len(&self, path: &Path) -> Option<usize> {
            parse_value(self.value(path)?).ok()?.len()
        }
    }

    #[test]
    fn conditions_hold_as_they_say() {
        let state = State::new(&[
            ("cart.total", r#"{"$t":"decimal","v":"-3.50"}"#),
            ("items", "[1,2,3]"),
            ("items[1]", "2"),
            ("user", r#""ann""#),
            ("open", "true"),
            ("flash", "null"),
            (r#"["a b"]"#, "1"),
        ]);
        for (text, expected) in [
            ("cart.total < 0", true),
            ("/cart/total <= -3.5", true),
            ("cart.total == -3.5 and open == True", true),
            ("cart.total > 0", false),
            ("len(items) > 2", true),
            ("len( items )>=4", false),
            ("items[1] == 2", true),
            ("items.1 != 2", false),
            ("user == 'ann'", true),
            ("user != \"bob\" and flash == None", true),
            ("open != true", false),
            ("open == 1", false),
            ("open != 1", true),
            ("[\"a b\"] = 1", true),
            ("gone == 1", false),
            ("gone != 1", false),
        ] {
            let condition = Condition::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(condition.holds(None, &state), expected, "{text}");
        }
    }

    #[test]
    fn a_condition_is_hit_when_it_begins_to_hold() {
        let (low, high, higher) = (State::new(&[("n", "1")]), State::new(&[("n", "7")]), State::new(&[("n", "8")]));
        let condition = Condition::parse("n > 5").unwrap();
        assert!(condition.hit(Some(&low), &high) && condition.hit(None, &high));
        assert!(!condition.hit(Some(&high), &higher), "it held before");
        let changed = Condition::parse("changed(n)").unwrap();
        assert!(changed.hit(Some(&high), &higher) && !changed.hit(Some(&high), &high) && !changed.hit(None, &high));
        let both = Condition::parse("changed(n) and n > 5").unwrap();
        assert!(both.hit(Some(&high), &higher), "each change counts");
    }

    #[test]
    fn a_wrong_condition_says_what_is_wrong() {
        for (text, part) in [
            ("", "begins with the name"),
            ("cart.total", "must be one of"),
            ("cart.total <", "value to compare with"),
            ("cart.total < many", "is no value"),
            ("changed(cart", "not closed"),
            ("len(items) > 'a'", "is a number"),
            ("user == 'ann", "not closed"),
            ("a < 1 or b < 2", "join two tests"),
            ("items[x] == 1", "no place in a list"),
        ] {
            let error = Condition::parse(text).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn no_text_is_too_strange_to_be_judged(text in "[a-c0-9.<>=!()\\[\\]\"' /and]{0,30}|\\PC{0,30}") {
            if let Ok(condition) = Condition::parse(&text) {
                let state = State::new(&[("a", "1"), ("b", "[1]")]);
                let _ = condition.hit(Some(&state), &state);
                prop_assert_eq!(Condition::parse(&condition.to_string()), Ok(condition));
            }
        }
    }
}
