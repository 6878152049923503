//! Takes secrets out of everything that is recorded: states, parameters, frames, HTML, SQL, logs and errors alike.
//!
//! It goes over the selection twice. The first time it *learns* the values whose name makes them secrets; the second time it
//! hides those, too, wherever else they stand: a password of the state is in the page's text as well. What was hidden gets
//! a pseudonym, keyed by a random key that is forgotten with the redactor: equal values stay equal within one export, and
//! nothing leads back. Hiding what was hidden changes nothing.

mod recorded;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt::Write as _;
use std::ops::Range;

use aho_corasick::{AhoCorasick, MatchKind};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use hmac::{Hmac, KeyInit as _, Mac as _};
use inspector_model::{ExportPlace, KeptBack, Kind, Path, Redaction, RedactionRule, Segment, Value, parse_value};
use sha2::Sha256;

use crate::ShareError;
use crate::markup::{in_free_text, in_html, in_path, in_query};
use crate::names::{is_djusts_own, is_holding, is_naming, is_sensitive};
use crate::paths::PathPattern;
use crate::patterns::{MARK, Patterns};

/// Secrets that are looked for elsewhere; more are still hidden where their name says so.
const MOST_LEARNED: usize = 100_000;

/// Secrets that are looked for in base64, hex and the like, too.
const MOST_ENCODED: usize = 5_000;

/// Longer secrets are not looked for in them, as in the agent.
const LONGEST_ENCODED: usize = 4_096;

/// Examples of places that a preview names.
const EXAMPLES: usize = 5;

/// Names whose sensitivity is remembered.
const MOST_NAMES: usize = 20_000;

/// Hides what the rules know.
pub struct Redactor {
    rules: Option<Rules>,
    /// Where in a value it is.
    path: Vec<Segment>,
    tally: BTreeMap<(RedactionRule, ExportPlace), Tally>,
}

struct Rules {
    patterns: Patterns,
    names: HashSet<String>,
    paths: Vec<PathPattern>,
    key: [u8; 32],
    known_names: HashMap<String, bool>,
    learned: BTreeSet<String>,
    /// The learned secrets as they may stand in texts.
    elsewhere: Option<(AhoCorasick, Vec<Form>)>,
}

/// One way in which a learned secret may stand in a text.
struct Form {
    secret: String,
    /// Whether it may be a part of something longer: base64 and hex have no words.
    within: bool,
}

impl Form {
    fn is_at(&self, text: &str, found: Range<usize>) -> bool {
        self.within || stands_alone(text, found)
    }
}

impl Rules {
    fn hides(&self, name: &str) -> bool {
        self.names.contains(name) || is_sensitive(name)
    }
}

#[derive(Default)]
struct Tally {
    count: u64,
    different: HashSet<String>,
    examples: Vec<String>,
}

/// What sort of text it is, as far as names beside values go.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sort {
    /// A value.
    Value,
    /// A log message, an error: names stand before values.
    Free,
}

impl Redactor {
    /// Made of what a person chose.
    pub fn new(redaction: &Redaction) -> Result<Self, ShareError> {
        let paths = redaction.paths.iter().map(|path| PathPattern::parse(path)).collect::<Result<_, _>>()?;
        if redaction.off {
            return Ok(Self { rules: None, path: Vec::new(), tally: BTreeMap::new() });
        }
        let patterns = Patterns::new(redaction.emails).map_err(|error| ShareError::Rules(error.to_string()))?;
        let mut key = [0; 32];
        for half in key.chunks_mut(16) {
            half.copy_from_slice(uuid::Uuid::new_v4().as_bytes());
        }
        let rules = Rules {
            patterns,
            names: redaction.names.iter().cloned().collect(),
            paths,
            key,
            known_names: HashMap::new(),
            learned: BTreeSet::new(),
            elsewhere: None,
        };
        Ok(Self { rules: Some(rules), path: Vec::new(), tally: BTreeMap::new() })
    }

    /// Ends learning: from now on the values that were hidden by name are hidden everywhere, and counting begins anew.
    pub fn learned(&mut self) -> Result<(), ShareError> {
        self.tally.clear();
        let Some(rules) = &mut self.rules else { return Ok(()) };
        let mut forms: Vec<(String, Form)> = Vec::new();
        for (place, secret) in rules.learned.iter().enumerate() {
            let escaped = escape_html(secret);
            let json = serde_json::to_string(secret)?;
            let json = json[1..json.len() - 1].to_owned();
            for form in [Some(secret.clone()), Some(escaped).filter(|form| form != secret), Some(json).filter(|form| form != secret)] {
                forms.extend(form.map(|form| (form, Form { secret: secret.clone(), within: false })));
            }
            if place < MOST_ENCODED && secret.len() <= LONGEST_ENCODED {
                forms.extend(encoded(secret).into_iter().map(|form| (form, Form { secret: secret.clone(), within: true })));
            }
        }
        if forms.is_empty() {
            return Ok(());
        }
        let searcher = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(forms.iter().map(|(form, _)| form))
            .map_err(|error| ShareError::Rules(error.to_string()))?;
        let of = forms.into_iter().map(|(_, form)| form).collect();
        rules.elsewhere = Some((searcher, of));
        Ok(())
    }

    /// What was hidden since [`Redactor::learned`].
    pub fn kept_back(&self) -> Vec<KeptBack> {
        self.tally
            .iter()
            .map(|((rule, place), tally)| KeptBack {
                rule: *rule,
                place: *place,
                count: tally.count,
                different: tally.different.len() as u64,
                examples: tally.examples.clone(),
            })
            .collect()
    }

    /// Hides nothing and looks for nothing.
    pub const fn is_off(&self) -> bool {
        self.rules.is_none()
    }

    /// Whether a text still holds a secret, and by which rule. Looks as little as possible like [`Redactor::string`]: it is
    /// the second look at a finished file.
    pub fn finds(&self, text: &str) -> Option<RedactionRule> {
        let rules = self.rules.as_ref()?;
        if let Some((_, rule)) = rules.patterns.find(text).first() {
            return Some(*rule);
        }
        let (searcher, of) = rules.elsewhere.as_ref()?;
        let is_one = |found: aho_corasick::Match| of.get(found.pattern().as_usize()).is_some_and(|form| form.is_at(text, found.range()));
        searcher.find_iter(text).any(is_one).then_some(RedactionRule::SameValue)
    }

    /// Whether a value of this name has to be hidden.
    pub fn hides(&self, name: &str) -> bool {
        self.rules.as_ref().is_some_and(|rules| rules.hides(name))
    }

    /// A state's JSON text. `None` when it cannot be read, and so not be cleaned.
    pub fn state(&mut self, text: &str) -> Option<Value> {
        let value = parse_value(text).ok()?;
        Some(self.value(value, ExportPlace::State))
    }

    /// A typed value with the secrets hidden.
    pub fn value(&mut self, value: Value, place: ExportPlace) -> Value {
        if self.rules.is_none() {
            return value;
        }
        self.inner(value, place)
    }

    fn inner(&mut self, value: Value, place: ExportPlace) -> Value {
        match value {
            Value::Text(text) => match self.string(&text, place) {
                Cow::Owned(clean) => Value::Text(clean),
                Cow::Borrowed(_) => Value::Text(text),
            },
            Value::Number(number) => {
                // Nothing shorter is a card's number or was learned.
                let text = number.to_string();
                if text.len() >= SHORTEST_NUMBER && matches!(self.string(&text, place), Cow::Owned(_)) {
                    return redacted("int", &self.pseudonym(&text));
                }
                Value::Number(number)
            }
            Value::List(items) => Value::List(self.list(items, place)),
            Value::Map(entries) => Value::Map(self.map(entries, place)),
            Value::Typed { kind: Kind::Redacted, fields } => Value::Typed { kind: Kind::Redacted, fields },
            Value::Typed { kind: Kind::Bytes, fields } => self.bytes(fields, place),
            Value::Typed { kind: Kind::Dict, fields } => Value::Typed { kind: Kind::Dict, fields: self.dict(fields, place) },
            Value::Typed { kind, fields } => {
                let scalar = matches!(kind, Kind::Decimal | Kind::Int | Kind::Uuid);
                if scalar
                    && let Some(Value::Text(text)) = fields.iter().find(|(name, _)| name == "v").map(|(_, value)| value)
                    && matches!(self.string(text, place), Cow::Owned(_))
                {
                    return redacted(kind.tag(), &self.pseudonym(text));
                }
                let fields = fields.into_iter().map(|(name, field)| {
                    let field = self.inner(field, place);
                    (name, field)
                });
                let fields = fields.collect();
                Value::Typed { kind, fields }
            }
            other @ (Value::Null | Value::Bool(_)) => other,
        }
    }

    fn list(&mut self, items: Vec<Value>, place: ExportPlace) -> Vec<Value> {
        let mut clean = Vec::with_capacity(items.len());
        for (index, item) in items.into_iter().enumerate() {
            self.path.push(Segment::Index(index));
            clean.push(self.member(item, None, place));
            self.path.pop();
        }
        clean
    }

    fn map(&mut self, entries: Vec<(String, Value)>, place: ExportPlace) -> Vec<(String, Value)> {
        // A form's event names its field beside the value, and a patch its attribute; in a state such a pair means nothing.
        let is_message = matches!(place, ExportPlace::Params | ExportPlace::Frame);
        let field = if is_message { self.described(&entries) } else { None };
        let mut clean = Vec::with_capacity(entries.len());
        for (key, item) in entries {
            // djust's own id of a socket: no secret, and needed to follow a page.
            let own = is_djusts_own(&key) && matches!(item, Value::Text(_) | Value::Number(_));
            let name = if field.is_some() && (is_holding(&key) || key == "children") {
                field.clone()
            } else {
                Some(key.clone()).filter(|key| !own && self.knows(key))
            };
            self.path.push(Segment::Key(key.clone()));
            let item = self.member(item, name.as_deref(), place);
            self.path.pop();
            // A key is recorded text as well.
            let key = match self.string(&key, place) {
                Cow::Owned(clean) => clean,
                Cow::Borrowed(_) => key,
            };
            clean.push((key, item));
        }
        clean
    }

    /// The secret's name that a member gives to what is beside it: to a value, or in a node of a page to its texts.
    fn described(&mut self, entries: &[(String, Value)]) -> Option<String> {
        let texts = entries.iter().filter_map(|(key, value)| match value {
            Value::Text(text) => Some((key, text)),
            _ => None,
        });
        for (_, name) in texts.clone().filter(|(key, _)| is_naming(key)) {
            if self.knows(name) {
                return Some(name.clone());
            }
        }
        let is_field = texts.clone().any(|(key, tag)| key == "tag" && matches!(tag.as_str(), "textarea" | "output"));
        let attrs = entries.iter().find_map(|(key, value)| match value {
            Value::Map(attrs) if is_field && key == "attrs" => Some(attrs),
            _ => None,
        });
        self.described(attrs?)
    }

    /// `dict` with keys that are not all strings: a list of pairs.
    fn dict(&mut self, fields: Vec<(String, Value)>, place: ExportPlace) -> Vec<(String, Value)> {
        let mut clean = Vec::with_capacity(fields.len());
        for (name, field) in fields {
            let field = match field {
                Value::List(pairs) => {
                    let mut items = Vec::with_capacity(pairs.len());
                    for (index, pair) in pairs.into_iter().enumerate() {
                        self.path.push(Segment::Index(index));
                        items.push(match pair {
                            Value::List(mut pair) if pair.len() == 2 => {
                                let item = pair.pop().unwrap_or(Value::Null);
                                let key = pair.pop().unwrap_or(Value::Null);
                                let secret = match &key {
                                    Value::Text(key) if self.knows(key) => Some(key.clone()),
                                    _ => None,
                                };
                                let item = self.member(item, secret.as_deref(), place);
                                Value::List(vec![self.inner(key, place), item])
                            }
                            other => self.inner(other, place),
                        });
                        self.path.pop();
                    }
                    Value::List(items)
                }
                other => self.inner(other, place),
            };
            clean.push((name, field));
        }
        clean
    }

    /// A member of a container, hidden whole when its place was named or `name` is a secret's.
    fn member(&mut self, item: Value, name: Option<&str>, place: ExportPlace) -> Value {
        let is_hidden = matches!(&item, Value::Typed { kind: Kind::Redacted, .. })
            || matches!(&item, Value::Text(text) if text.starts_with(MARK) || text.is_empty());
        if is_hidden {
            return item;
        }
        if self.rules.as_ref().is_some_and(|rules| rules.paths.iter().any(|pattern| pattern.is(&self.path))) {
            return self.hide(&item, RedactionRule::Path, place, &self.here());
        }
        // `None` and booleans stay: `show_password = False` is state that a developer needs.
        if name.is_some() && !matches!(item, Value::Null | Value::Bool(_)) {
            return self.hide(&item, RedactionRule::Name, place, &self.here());
        }
        self.inner(item, place)
    }

    fn hide(&mut self, value: &Value, rule: RedactionRule, place: ExportPlace, example: &str) -> Value {
        self.learn(value);
        let text = match value {
            Value::Text(text) => text.clone(),
            other => other.to_json(),
        };
        let pseudonym = self.pseudonym(&text);
        self.count(rule, place, &pseudonym, example);
        redacted(value.type_name(), &pseudonym)
    }

    /// Bytes hide texts behind base64.
    fn bytes(&mut self, fields: Vec<(String, Value)>, place: ExportPlace) -> Value {
        if let Some((_, Value::Text(text))) = fields.iter().find(|(name, _)| name == "v")
            && let Ok(decoded) = STANDARD.decode(text)
            // What was learned has no words around it in bytes, and is found in what they are written as.
            && (matches!(self.string(&String::from_utf8_lossy(&decoded), place), Cow::Owned(_))
                || matches!(self.string(text, place), Cow::Owned(_)))
        {
            return redacted("bytes", &self.pseudonym(text));
        }
        Value::Typed { kind: Kind::Bytes, fields }
    }

    fn text(&mut self, text: &str, place: ExportPlace, sort: Sort) -> String {
        if sort == Sort::Free && self.rules.is_some() {
            let named = in_free_text(text).into_iter().map(|named| (named.range, RedactionRule::Name, named.name)).collect();
            let clean = self.replace(text, named, place);
            return self.string(&clean, place).into_owned();
        }
        self.string(text, place).into_owned()
    }

    /// Any text: its patterns, its HTML and addresses, and the secrets that were learned. Borrowed when there are none.
    fn string<'a>(&mut self, text: &'a str, place: ExportPlace) -> Cow<'a, str> {
        let Some(rules) = &self.rules else { return Cow::Borrowed(text) };
        let mut found: Vec<(Range<usize>, RedactionRule, String)> = Vec::new();
        for (range, rule) in rules.patterns.find(text) {
            found.push((range, rule, String::new()));
        }
        let named = in_html(text).into_iter().chain(in_query(text)).chain(in_path(text));
        found.extend(named.map(|named| (named.range, RedactionRule::Name, named.name)));
        if let Some((searcher, of)) = &rules.elsewhere {
            for hit in searcher.find_iter(text) {
                if let Some(form) = of.get(hit.pattern().as_usize()).filter(|form| form.is_at(text, hit.range())) {
                    found.push((hit.range(), RedactionRule::SameValue, form.secret.clone()));
                }
            }
        }
        if found.is_empty() { Cow::Borrowed(text) } else { Cow::Owned(self.replace(text, found, place)) }
    }

    /// Puts marks in place of what was found. The last part is the secret itself for the same one elsewhere, and its name where
    /// that gave it away.
    fn replace(&mut self, text: &str, mut found: Vec<(Range<usize>, RedactionRule, String)>, place: ExportPlace) -> String {
        found.sort_by_key(|(range, ..)| (range.start, std::cmp::Reverse(range.end)));
        let mut out = String::with_capacity(text.len());
        let mut at = 0;
        for (range, rule, about) in found {
            if range.start < at {
                continue;
            }
            out.push_str(&text[at..range.start]);
            let secret = &text[range.clone()];
            if rule == RedactionRule::Name {
                self.learn(&Value::Text(secret.to_owned()));
            }
            let mark = match rule {
                RedactionRule::SameValue => self.mark(rule, place, &about, &self.here()),
                RedactionRule::Name => self.mark(rule, place, secret, &about),
                _ => self.mark(rule, place, secret, &self.here()),
            };
            out.push_str(&mark);
            at = range.end;
        }
        out.push_str(&text[at..]);
        out
    }

    fn mark(&mut self, rule: RedactionRule, place: ExportPlace, secret: &str, example: &str) -> String {
        let pseudonym = self.pseudonym(secret);
        self.count(rule, place, &pseudonym, example);
        format!("{MARK}:{pseudonym}]")
    }

    /// The place in the value, for an example. Empty outside of values, and where a key on the way is a secret itself.
    fn here(&self) -> String {
        let here = Path(self.path.clone()).to_string();
        if self.finds(&here).is_some() { String::new() } else { here }
    }

    fn count(&mut self, rule: RedactionRule, place: ExportPlace, pseudonym: &str, example: &str) {
        let tally = self.tally.entry((rule, place)).or_default();
        tally.count += 1;
        if tally.different.len() < MOST_LEARNED {
            tally.different.insert(pseudonym.to_owned());
        }
        if !example.is_empty() && tally.examples.len() < EXAMPLES && !tally.examples.iter().any(|known| known == example) {
            tally.examples.push(example.chars().take(80).collect());
        }
    }

    fn pseudonym(&self, secret: &str) -> String {
        let Some(mut mac) = self.rules.as_ref().and_then(|rules| Hmac::<Sha256>::new_from_slice(&rules.key).ok()) else {
            return String::new();
        };
        mac.update(secret.as_bytes());
        mac.finalize().into_bytes().iter().take(5).fold(String::with_capacity(10), |mut out, byte| {
            let _ = write!(out, "{byte:02x}");
            out
        })
    }

    fn knows(&mut self, name: &str) -> bool {
        let Some(rules) = &mut self.rules else { return false };
        if let Some(known) = rules.known_names.get(name) {
            return *known;
        }
        let hides = rules.hides(name);
        // Names come from data too: the memory must stay small.
        if rules.known_names.len() >= MOST_NAMES {
            rules.known_names.clear();
        }
        rules.known_names.insert(name.to_owned(), hides);
        hides
    }

    /// Remembers the texts and numbers of a hidden value that can be told from ordinary ones.
    fn learn(&mut self, value: &Value) {
        let Some(rules) = self.rules.as_mut().filter(|rules| rules.elsewhere.is_none() && rules.learned.len() < MOST_LEARNED) else {
            return;
        };
        match value {
            Value::Text(text) if is_telling(text) => {
                rules.learned.insert(text.clone());
            }
            Value::Number(number) if number.to_string().len() >= SHORTEST_NUMBER => {
                rules.learned.insert(number.to_string());
            }
            Value::List(items) => items.iter().for_each(|item| self.learn(item)),
            Value::Map(entries) => entries.iter().for_each(|(_, item)| self.learn(item)),
            Value::Typed { kind: Kind::Redacted, .. } => {}
            Value::Typed { fields, .. } => fields.iter().filter(|(name, _)| name == "v").for_each(|(_, field)| self.learn(field)),
            _ => {}
        }
    }
}

/// A secret in base64, wherever in it, in hex, in an address, and in JSON that is ASCII only.
fn encoded(secret: &str) -> HashSet<String> {
    let bytes = secret.as_bytes();
    let mut forms = HashSet::new();
    for shift in 0..3_usize {
        let mut padded = vec![0; shift];
        padded.extend_from_slice(bytes);
        // Only what the secret alone decides: no character that has a bit of a neighbour in it.
        let range = (8 * shift).div_ceil(6)..(shift + bytes.len()) * 8 / 6;
        for engine in [&STANDARD, &URL_SAFE] {
            forms.extend(engine.encode(&padded).get(range.clone()).map(str::to_owned));
        }
    }
    let hex = |bytes: &[u8]| bytes.iter().fold(String::new(), |out, byte| out + &format!("{byte:02x}"));
    forms.insert(hex(bytes));
    forms.insert(hex(bytes).to_uppercase());
    for kept in ["-_.~", "-_.~/"] {
        let percent = bytes.iter().fold(String::new(), |out, byte| {
            let is_plain = byte.is_ascii_alphanumeric() || kept.as_bytes().contains(byte);
            if is_plain { out + &char::from(*byte).to_string() } else { out + &format!("%{byte:02X}") }
        });
        forms.insert(percent.replace("%20", "+"));
        forms.insert(percent);
    }
    let escaped = secret.chars().fold(String::new(), |out, c| {
        if c.is_ascii() {
            out + &c.to_string()
        } else {
            c.encode_utf16(&mut [0; 2]).iter().fold(out, |out, unit| out + &format!("\\u{unit:04x}"))
        }
    });
    forms.insert(escaped);
    forms.retain(|form| form != secret && form.len() >= SHORTEST_CODE);
    forms
}

/// Shorter base64 would be found where nobody wrote any.
const SHORTEST_CODE: usize = 7;

/// Shorter numbers are everywhere.
const SHORTEST_NUMBER: usize = 8;

/// Shorter texts are everywhere.
const SHORTEST_TEXT: usize = 6;

/// Words of letters only are secrets elsewhere only when they are longer than most words.
const LONG_WORD: usize = 12;

/// Whether a secret can be looked for elsewhere without hiding half of the text.
fn is_telling(text: &str) -> bool {
    let chars = text.chars().count();
    let is_word = text.chars().all(char::is_alphabetic);
    chars >= SHORTEST_TEXT && (!is_word || chars >= LONG_WORD) && !text.contains(MARK) && text.trim() == text
}

/// Whether what was found is no part of a longer word.
fn stands_alone(text: &str, found: Range<usize>) -> bool {
    let joins = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let (first, last) = (text[found.clone()].chars().next(), text[found.clone()].chars().next_back());
    let goes_on =
        (joins(first) && joins(text[..found.start].chars().next_back())) || (joins(last) && joins(text[found.end..].chars().next()));
    !goes_on
}

fn redacted(of: &str, pseudonym: &str) -> Value {
    let field = |name: &str, text: &str| (name.to_owned(), Value::Text(text.to_owned()));
    Value::Typed { kind: Kind::Redacted, fields: vec![field("of", of), field("as", pseudonym)] }
}

/// Text as HTML has it.
pub fn escape_html(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 16);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}
