//! A typed value of a Python process: JSON, and what JSON cannot say as `{"$t": kind, …}` (see `docs/PROTOCOL.md`).

use std::fmt::{self, Write as _};

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap as _, Serializer};
use serde_json::Number;

/// A value. Equality is of type and content: `1` is not `1.0`, a tuple is not a list.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `None`.
    Null,
    /// `True`, `False`.
    Bool(bool),
    /// `int` or `float`.
    Number(Number),
    /// `str`.
    Text(String),
    /// `list`.
    List(Vec<Value>),
    /// `dict` whose keys are strings. Order and duplicates as received.
    Map(Vec<(String, Value)>),
    /// Anything that JSON has no word for. `fields` is everything but the tag; the content, if any, is the field `v`.
    Typed {
        /// What it is.
        kind: Kind,
        /// The other fields.
        fields: Vec<(String, Value)>,
    },
}

/// The sort of a [`Value::Typed`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `decimal.Decimal`.
    Decimal,
    /// `datetime.datetime`.
    DateTime,
    /// `datetime.date`.
    Date,
    /// `datetime.time`.
    Time,
    /// `datetime.timedelta`.
    TimeDelta,
    /// `uuid.UUID`.
    Uuid,
    /// `pathlib.Path`.
    Path,
    /// A float that is not finite.
    Float,
    /// An integer beyond ±2^53.
    Int,
    /// A string with lone surrogates.
    Str,
    /// `bytes`.
    Bytes,
    /// `tuple`.
    Tuple,
    /// `set`.
    Set,
    /// `frozenset`.
    FrozenSet,
    /// `dict` with keys that are not strings: a list of pairs.
    Dict,
    /// A member of an enum.
    Enum,
    /// A dataclass instance.
    Dataclass,
    /// A Django model instance.
    Model,
    /// A queryset.
    QuerySet,
    /// A component.
    Component,
    /// A child view.
    View,
    /// An uploaded or other file.
    File,
    /// A function.
    Function,
    /// A class.
    Class,
    /// Something that was not read.
    Object,
    /// Kept back on purpose.
    Redacted,
    /// Too long: the beginning.
    Cut,
    /// Nested too deeply.
    Deep,
    /// Refers to one of its own parents.
    Cycle,
    /// A tag that this version does not know.
    Other(String),
}

const KINDS: [(&str, Kind); 29] = [
    ("decimal", Kind::Decimal),
    ("datetime", Kind::DateTime),
    ("date", Kind::Date),
    ("time", Kind::Time),
    ("timedelta", Kind::TimeDelta),
    ("uuid", Kind::Uuid),
    ("path", Kind::Path),
    ("float", Kind::Float),
    ("int", Kind::Int),
    ("str", Kind::Str),
    ("bytes", Kind::Bytes),
    ("tuple", Kind::Tuple),
    ("set", Kind::Set),
    ("frozenset", Kind::FrozenSet),
    ("dict", Kind::Dict),
    ("enum", Kind::Enum),
    ("dataclass", Kind::Dataclass),
    ("model", Kind::Model),
    ("queryset", Kind::QuerySet),
    ("component", Kind::Component),
    ("view", Kind::View),
    ("file", Kind::File),
    ("function", Kind::Function),
    ("class", Kind::Class),
    ("object", Kind::Object),
    ("redacted", Kind::Redacted),
    ("cut", Kind::Cut),
    ("deep", Kind::Deep),
    ("cycle", Kind::Cycle),
];

impl Kind {
    /// The tag on the wire, and the word for people.
    pub fn tag(&self) -> &str {
        if let Self::Other(tag) = self {
            return tag;
        }
        KINDS.iter().find(|(_, kind)| kind == self).map_or("?", |(tag, _)| tag)
    }

    fn from_tag(tag: &str) -> Self {
        KINDS.iter().find(|(name, _)| *name == tag).map_or_else(|| Self::Other(tag.to_owned()), |(_, kind)| kind.clone())
    }

    /// Whether the value is not wholly there: a mark that the window shows.
    pub const fn is_partial(&self) -> bool {
        matches!(self, Self::Redacted | Self::Cut | Self::Deep | Self::Cycle | Self::Object)
    }
}

impl Value {
    /// The field `name` of a typed value.
    pub fn field(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Typed { fields, .. } => fields.iter().find(|(key, _)| key == name).map(|(_, value)| value),
            _ => None,
        }
    }

    /// A key of a map.
    pub fn get(&self, key: &str) -> Option<&Self> {
        match self.content() {
            Self::Map(entries) => entries.iter().find(|(name, _)| name == key).map(|(_, value)| value),
            _ => None,
        }
    }

    /// What paths go into: the value itself, or the field `v` of a typed container.
    pub fn content(&self) -> &Self {
        match self {
            Self::Typed { .. } => match self.field("v") {
                Some(inner @ (Self::List(_) | Self::Map(_))) => inner,
                _ => self,
            },
            _ => self,
        }
    }

    /// Number of children, if it can have any.
    pub fn len(&self) -> Option<usize> {
        match self.content() {
            Self::List(items) => Some(items.len()),
            Self::Map(entries) => Some(entries.len()),
            _ => None,
        }
    }

    /// The number that it is, of whatever type, if it is a finite one.
    pub fn as_number(&self) -> Option<f64> {
        let number = match self {
            Self::Number(number) => number.to_string().parse().ok(),
            Self::Typed { kind: Kind::Decimal | Kind::Int | Kind::TimeDelta, .. } => match self.field("v")? {
                Self::Text(text) => text.parse().ok(),
                _ => None,
            },
            _ => None,
        };
        number.filter(|number: &f64| number.is_finite())
    }

    /// Whether it has no children: also true of what can have none.
    pub fn is_empty(&self) -> bool {
        self.len().unwrap_or(0) == 0
    }

    /// The type as a Python developer names it.
    pub fn type_name(&self) -> &str {
        match self {
            Self::Null => "None",
            Self::Bool(_) => "bool",
            Self::Number(number) => {
                if number.is_f64() {
                    "float"
                } else {
                    "int"
                }
            }
            Self::Text(_) => "str",
            Self::List(_) => "list",
            Self::Map(_) => "dict",
            Self::Typed { kind, .. } => match kind {
                Kind::Decimal => "Decimal",
                Kind::Uuid => "UUID",
                Kind::QuerySet => "QuerySet",
                other => other.tag(),
            },
        }
    }

    /// One line for people, in Python's spelling, at most about `max_chars` long.
    pub fn summary(&self, max_chars: usize) -> String {
        let mut out = String::new();
        write_literal(self, &mut out, max_chars, 0);
        if out.chars().count() > max_chars {
            out = out.chars().take(max_chars.saturating_sub(1)).collect();
            out.push('…');
        }
        out
    }

    /// A Python expression for it where there is one: `Decimal("10.50")`, `{1, 2}`.
    pub fn python_literal(&self) -> String {
        let mut out = String::new();
        write_literal(self, &mut out, usize::MAX, 0);
        out
    }

    /// The JSON text of the protocol.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// Why a text is no value.
#[derive(Debug, thiserror::Error)]
#[error("not a typed value: {0}")]
pub struct ValueError(#[from] serde_json::Error);

/// Reads the JSON text of the protocol. Nesting beyond 128 is refused.
pub fn parse_value(text: &str) -> Result<Value, ValueError> {
    Ok(serde_json::from_str(text)?)
}

const LITERAL_DEPTH: usize = 100;

fn write_literal(value: &Value, out: &mut String, limit: usize, depth: usize) {
    if out.len() > limit.saturating_mul(4) || depth > LITERAL_DEPTH {
        out.push('…');
        return;
    }
    let text_of = |name: &str| match value.field(name) {
        Some(Value::Text(text)) => text.as_str(),
        _ => "",
    };
    match value {
        Value::Null => out.push_str("None"),
        Value::Bool(true) => out.push_str("True"),
        Value::Bool(false) => out.push_str("False"),
        Value::Number(number) => {
            let _ = write!(out, "{number}");
        }
        Value::Text(text) => write_text(text, out, limit),
        Value::List(items) => write_items(items, "[", "]", out, limit, depth),
        Value::Map(entries) => write_entries(entries, "{", "}", out, limit, depth),
        Value::Typed { kind, .. } => match kind {
            Kind::Decimal => {
                let _ = write!(out, "Decimal(\"{}\")", text_of("v"));
            }
            Kind::Uuid => {
                let _ = write!(out, "UUID(\"{}\")", text_of("v"));
            }
            Kind::DateTime => {
                let _ = write!(out, "datetime.fromisoformat(\"{}\")", text_of("v"));
            }
            Kind::Date => {
                let _ = write!(out, "date.fromisoformat(\"{}\")", text_of("v"));
            }
            Kind::Time => {
                let _ = write!(out, "time.fromisoformat(\"{}\")", text_of("v"));
            }
            Kind::TimeDelta => {
                let _ = write!(out, "timedelta(seconds={})", text_of("v"));
            }
            Kind::Path => {
                let _ = write!(out, "Path(\"{}\")", text_of("v"));
            }
            Kind::Float => {
                let _ = write!(out, "float(\"{}\")", text_of("v"));
            }
            Kind::Int | Kind::Str => out.push_str(text_of("v")),
            Kind::Bytes => {
                let _ = write!(out, "<bytes, {} B>", value.field("len").map_or_else(String::new, |len| len.summary(20)));
            }
            Kind::Tuple => match value.content() {
                Value::List(items) if items.len() == 1 => write_items(items, "(", ",)", out, limit, depth),
                Value::List(items) => write_items(items, "(", ")", out, limit, depth),
                _ => out.push_str("()"),
            },
            Kind::Set | Kind::FrozenSet => {
                let (open, close) = if *kind == Kind::Set { ("{", "}") } else { ("frozenset({", "})") };
                match value.content() {
                    Value::List(items) if !items.is_empty() => write_items(items, open, close, out, limit, depth),
                    _ => out.push_str(if *kind == Kind::Set { "set()" } else { "frozenset()" }),
                }
            }
            Kind::Dict => write_pairs(value.content(), out, limit, depth),
            Kind::Enum => {
                let _ = write!(out, "{}.{}", short_name(text_of("class")), text_of("name"));
            }
            Kind::Dataclass | Kind::Component => write_named(value, short_name(text_of("class")), out, limit, depth),
            Kind::Model => {
                let _ = write!(out, "<{} ", text_of("model"));
                out.push_str("pk=");
                write_literal(value.field("pk").unwrap_or(&Value::Null), out, limit, depth + 1);
                out.push('>');
            }
            Kind::QuerySet => {
                let _ = write!(out, "<QuerySet of {}", text_of("model"));
                match value.content() {
                    Value::List(items) => {
                        let _ = write!(out, ", {} loaded>", items.len());
                    }
                    _ => out.push_str(", not evaluated>"),
                }
            }
            Kind::View => {
                let _ = write!(out, "<view {}>", short_name(text_of("class")));
            }
            Kind::File => {
                let _ = write!(out, "<file {}>", text_of("name"));
            }
            Kind::Function | Kind::Class => {
                let _ = write!(out, "<{} {}>", kind.tag(), text_of("v"));
            }
            Kind::Object => {
                let _ = write!(out, "<{}, not read>", text_of("class"));
            }
            Kind::Redacted => {
                let _ = write!(out, "<redacted {}", text_of("of"));
                // A pseudonym: equal values have equal ones within one export.
                if let Some(Value::Text(pseudonym)) = value.field("as") {
                    let _ = write!(out, " {pseudonym}");
                }
                out.push('>');
            }
            Kind::Cut => {
                let _ = write!(out, "<{} of {}, cut>", text_of("of"), value.field("len").map_or_else(String::new, |len| len.summary(20)));
            }
            Kind::Deep => out.push_str("<nested too deeply>"),
            Kind::Cycle => out.push_str("<refers to its own parent>"),
            Kind::Other(tag) => {
                let _ = write!(out, "<{tag}>");
            }
        },
    }
}

/// `shop.views.CartView` → `CartView`.
fn short_name(dotted: &str) -> &str {
    dotted.rsplit('.').next().unwrap_or(dotted)
}

fn write_text(text: &str, out: &mut String, limit: usize) {
    out.push('"');
    for c in text.chars().take(limit) {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => {
                let _ = write!(out, "\\x{:02x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// Writes `items` between commas, and an ellipsis where the text is long enough.
fn write_separated<T>(items: &[T], out: &mut String, limit: usize, mut write: impl FnMut(&T, &mut String)) {
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        if out.len() > limit {
            out.push('…');
            break;
        }
        write(item, out);
    }
}

fn write_items(items: &[Value], open: &str, close: &str, out: &mut String, limit: usize, depth: usize) {
    out.push_str(open);
    write_separated(items, out, limit, |item, out| write_literal(item, out, limit, depth + 1));
    out.push_str(close);
}

fn write_entries(entries: &[(String, Value)], open: &str, close: &str, out: &mut String, limit: usize, depth: usize) {
    out.push_str(open);
    write_separated(entries, out, limit, |(key, item), out| {
        write_text(key, out, limit);
        out.push_str(": ");
        write_literal(item, out, limit, depth + 1);
    });
    out.push_str(close);
}

fn write_named(value: &Value, name: &str, out: &mut String, limit: usize, depth: usize) {
    out.push_str(name);
    out.push('(');
    if let Value::Map(entries) = value.content() {
        write_separated(entries, out, limit, |(key, item), out| {
            out.push_str(key);
            out.push('=');
            write_literal(item, out, limit, depth + 1);
        });
    }
    out.push(')');
}

fn write_pairs(pairs: &Value, out: &mut String, limit: usize, depth: usize) {
    out.push('{');
    if let Value::List(pairs) = pairs {
        write_separated(pairs, out, limit, |pair, out| {
            if let Value::List(pair) = pair
                && let [key, item] = pair.as_slice()
            {
                write_literal(key, out, limit, depth + 1);
                out.push_str(": ");
                write_literal(item, out, limit, depth + 1);
            }
        });
    }
    out.push('}');
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Number(value) => value.serialize(serializer),
            Self::Text(value) => serializer.serialize_str(value),
            Self::List(items) => serializer.collect_seq(items),
            Self::Map(entries) => serializer.collect_map(entries.iter().map(|(key, value)| (key, value))),
            Self::Typed { kind, fields } => {
                let mut map = serializer.serialize_map(Some(fields.len() + 1))?;
                map.serialize_entry("$t", kind.tag())?;
                for (key, value) in fields {
                    map.serialize_entry(key, value)?;
                }
                map.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a typed value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map: Vec<(String, Value)> = Vec::new();
        let mut kind = None;
        while let Some(key) = entries.next_key::<String>()? {
            // Only the first key is a tag: a user's own dict with this key travels as `dict`.
            if map.is_empty() && kind.is_none() && key == "$t" {
                match entries.next_value::<Value>()? {
                    Value::Text(tag) => kind = Some(Kind::from_tag(&tag)),
                    other => map.push((key, other)),
                }
            } else {
                map.push((key, entries.next_value()?));
            }
        }
        Ok(match kind {
            Some(kind) => Value::Typed { kind, fields: map },
            None => Value::Map(map),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typed_values_survive_a_round_trip() {
        for text in [
            r#"{"a":1,"b":1.0,"c":[null,true,"x"]}"#,
            r#"{"$t":"decimal","v":"10.50"}"#,
            r#"{"$t":"set","v":[1,2]}"#,
            r#"{"$t":"model","model":"shop.Item","pk":3,"v":{"name":"tea"}}"#,
            r#"{"$t":"from_the_future","x":[1]}"#,
            r#"{"a":{"$t":"cut","of":"list","len":9,"v":[1]}}"#,
        ] {
            assert_eq!(parse_value(text).unwrap().to_json(), text);
        }
    }

    #[test]
    fn summaries_speak_python() {
        for (text, expected) in [
            (r#"{"$t":"decimal","v":"10.50"}"#, r#"Decimal("10.50")"#),
            (r#"{"$t":"tuple","v":[1]}"#, "(1,)"),
            (r#"{"$t":"set","v":[]}"#, "set()"),
            (r#"{"a":true,"b":null}"#, r#"{"a": True, "b": None}"#),
            (r#"{"$t":"dict","v":[[1,"a"]]}"#, r#"{1: "a"}"#),
            (r#"{"$t":"object","class":"a.B"}"#, "<a.B, not read>"),
        ] {
            assert_eq!(parse_value(text).unwrap().summary(200), expected);
        }
    }

    #[test]
    fn a_long_summary_is_cut_with_an_ellipsis() {
        let list = Value::List((0..10_000).map(|n| Value::Number(n.into())).collect());
        let summary = list.summary(40);
        assert_eq!(summary.chars().count(), 40);
        assert!(summary.ends_with('…'));
    }

    #[test]
    fn paths_go_through_typed_containers() {
        let value = parse_value(r#"{"$t":"component","class":"a.B","id":"b","v":{"open":true}}"#).unwrap();
        assert_eq!(value.get("open"), Some(&Value::Bool(true)));
    }
}
