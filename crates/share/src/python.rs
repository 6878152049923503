//! Values as Python source: literals that are equal to what was recorded, and that no recorded text can break out of.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use inspector_model::{Kind, Value, is_invisible};

/// Nesting beyond this is not written.
const DEEPEST: usize = 60;

/// A string literal on one line. Whatever could end it, hide something or turn the reading direction is escaped.
pub fn string(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_invisible(c) && (c as u32) < 0x1_0000 => {
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c if is_invisible(c) => {
                let _ = write!(out, "\\U{:08x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// An expression whose value equals the recorded one. `None` when there is none: for what was redacted, cut or not read, and
/// for objects that belong to the database or to the project.
pub fn literal(value: &Value) -> Option<String> {
    let mut out = String::new();
    write_literal(value, &mut out, 0)?;
    Some(out)
}

/// Whether equality says nothing about it: NaN is not even equal to itself.
pub fn has_nan(value: &Value) -> bool {
    match value {
        Value::List(items) => items.iter().any(has_nan),
        Value::Map(entries) => entries.iter().any(|(_, item)| has_nan(item)),
        Value::Typed { kind: Kind::Float, fields } => fields.iter().any(|(_, field)| matches!(field, Value::Text(text) if text == "nan")),
        Value::Typed { kind: Kind::Decimal, fields } => {
            fields.iter().any(|(_, field)| matches!(field, Value::Text(text) if text.to_ascii_lowercase().contains("nan")))
        }
        Value::Typed { fields, .. } => fields.iter().any(|(_, field)| has_nan(field)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => false,
    }
}

/// Whether a name can be written after a dot, or imported.
pub fn is_identifier(name: &str) -> bool {
    const KEYWORDS: [&str; 35] = [
        "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del", "elif", "else",
        "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal", "not", "or", "pass", "raise",
        "return", "try", "while", "with", "yield",
    ];
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !KEYWORDS.contains(&name)
}

fn write_literal(value: &Value, out: &mut String, depth: usize) -> Option<()> {
    if depth > DEEPEST {
        return None;
    }
    match value {
        Value::Null => out.push_str("None"),
        Value::Bool(true) => out.push_str("True"),
        Value::Bool(false) => out.push_str("False"),
        Value::Number(number) => out.push_str(&number.to_string()),
        Value::Text(text) => out.push_str(&string(text)),
        Value::List(items) => write_items(items, "[", "]", out, depth)?,
        Value::Map(entries) => {
            out.push('{');
            for (index, (key, item)) in entries.iter().enumerate() {
                out.push_str(if index > 0 { ", " } else { "" });
                out.push_str(&string(key));
                out.push_str(": ");
                write_literal(item, out, depth + 1)?;
            }
            out.push('}');
        }
        Value::Typed { kind, .. } => write_typed(kind, value, out, depth)?,
    }
    Some(())
}

fn write_typed(kind: &Kind, value: &Value, out: &mut String, depth: usize) -> Option<()> {
    let text = || if let Some(Value::Text(text)) = value.field("v") { Some(text.as_str()) } else { None };
    let items = || if let Some(Value::List(items)) = value.field("v") { Some(items.as_slice()) } else { None };
    match kind {
        Kind::Decimal => call(out, "decimal.Decimal", text()?),
        Kind::Uuid => call(out, "uuid.UUID", text()?),
        Kind::Path => call(out, "pathlib.Path", text()?),
        Kind::Date => call(out, "datetime.date.fromisoformat", text()?),
        Kind::Time => call(out, "datetime.time.fromisoformat", text()?),
        Kind::Float => call(out, "float", text()?),
        Kind::DateTime => {
            call(out, "datetime.datetime.fromisoformat", text()?);
            match (value.field("zone"), value.field("fold")) {
                (Some(Value::Text(zone)), _) if zone == "?" => return None,
                (Some(Value::Text(zone)), fold) => {
                    let _ = write!(out, ".replace(tzinfo=zoneinfo.ZoneInfo({}), fold={})", string(zone), u8::from(fold.is_some()));
                }
                (_, Some(_)) => out.push_str(".replace(fold=1)"),
                _ => {}
            }
        }
        Kind::TimeDelta => {
            let _ = write!(out, "datetime.timedelta(microseconds={})", microseconds(text()?)?);
        }
        Kind::Int => {
            let text = text()?;
            let digits = text.strip_prefix('-').unwrap_or(text);
            if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) || digits.len() > 4000 {
                return None;
            }
            out.push_str(text);
        }
        Kind::Bytes => {
            let bytes = STANDARD.decode(text()?).ok()?;
            if !matches!(value.field("len"), Some(Value::Number(len)) if len.as_u64() == Some(bytes.len() as u64)) {
                return None;
            }
            out.push_str("b\"");
            for byte in bytes {
                match byte {
                    b'"' | b'\\' => {
                        out.push('\\');
                        out.push(byte as char);
                    }
                    0x20..=0x7e => out.push(byte as char),
                    _ => {
                        let _ = write!(out, "\\x{byte:02x}");
                    }
                }
            }
            out.push('"');
        }
        Kind::Tuple => {
            let items = items()?;
            write_items(items, "(", if items.len() == 1 { ",)" } else { ")" }, out, depth)?;
        }
        Kind::Set if items()?.is_empty() => out.push_str("set()"),
        Kind::Set => write_items(items()?, "{", "}", out, depth)?,
        Kind::FrozenSet => {
            out.push_str("frozenset(");
            write_items(items()?, "[", "]", out, depth)?;
            out.push(')');
        }
        Kind::Dict => {
            out.push('{');
            for (index, pair) in items()?.iter().enumerate() {
                let Value::List(pair) = pair else { return None };
                let [key, item] = pair.as_slice() else { return None };
                out.push_str(if index > 0 { ", " } else { "" });
                write_literal(key, out, depth + 1)?;
                out.push_str(": ");
                write_literal(item, out, depth + 1)?;
            }
            out.push('}');
        }
        Kind::Str
        | Kind::Enum
        | Kind::Dataclass
        | Kind::Model
        | Kind::QuerySet
        | Kind::Component
        | Kind::View
        | Kind::File
        | Kind::Function
        | Kind::Class
        | Kind::Object
        | Kind::Redacted
        | Kind::Cut
        | Kind::Deep
        | Kind::Cycle
        | Kind::Other(_) => return None,
    }
    Some(())
}

fn call(out: &mut String, function: &str, text: &str) {
    out.push_str(function);
    out.push('(');
    out.push_str(&string(text));
    out.push(')');
}

fn write_items(items: &[Value], open: &str, close: &str, out: &mut String, depth: usize) -> Option<()> {
    out.push_str(open);
    for (index, item) in items.iter().enumerate() {
        out.push_str(if index > 0 { ", " } else { "" });
        write_literal(item, out, depth + 1)?;
    }
    out.push_str(close);
    Some(())
}

/// `-1.5` → -1500000.
fn microseconds(seconds: &str) -> Option<i128> {
    let (sign, digits) = seconds.strip_prefix('-').map_or((1, seconds), |digits| (-1, digits));
    let (whole, rest) = digits.split_once('.').unwrap_or((digits, ""));
    let whole: i128 = whole.parse::<u64>().ok()?.into();
    let rest: i128 = format!("{rest:0<6}").get(..6)?.parse::<u32>().ok()?.into();
    Some(sign * (whole * 1_000_000 + rest))
}

#[cfg(test)]
mod tests {
    use inspector_model::parse_value;

    use super::*;

    #[test]
    fn no_text_breaks_out_of_its_literal() {
        for text in
            ["a\"\"\"b", "\\", "x\ny", "\"); import os #", "\u{1b}[2J", "\u{202e}evil", "\u{2028}", "=cmd|' /C calc'!A0", "Grüße 🎉 日本"]
        {
            let literal = string(text);
            assert!(!literal.chars().any(is_invisible), "{literal}");
            let inner = &literal[1..literal.len() - 1];
            let mut escaped = false;
            for c in inner.chars() {
                assert!(escaped || c != '"', "{literal}");
                escaped = !escaped && c == '\\';
            }
            assert!(!escaped, "{literal}");
        }
        assert_eq!(string("日本"), "\"日本\"");
    }

    #[test]
    fn types_are_right() {
        for (json, expected) in [
            (r#"{"$t":"decimal","v":"10.50"}"#, Some("decimal.Decimal(\"10.50\")")),
            (r#"{"$t":"date","v":"2026-03-01"}"#, Some("datetime.date.fromisoformat(\"2026-03-01\")")),
            (r#"{"$t":"timedelta","v":"-1.5"}"#, Some("datetime.timedelta(microseconds=-1500000)")),
            (r#"{"$t":"bytes","len":2,"v":"ACI="}"#, Some("b\"\\x00\\\"\"")),
            (r#"{"$t":"bytes","len":9000,"v":"ACI="}"#, None),
            (r#"{"$t":"tuple","v":[1]}"#, Some("(1,)")),
            (r#"{"$t":"set","v":[]}"#, Some("set()")),
            (r#"{"$t":"int","v":"99999999999999999999"}"#, Some("99999999999999999999")),
            (r#"{"$t":"int","v":"__import__('os')"}"#, None),
            (r#"[{"$t":"redacted","of":"str"}]"#, None),
            (r#"{"$t":"model","model":"a.B","pk":1,"v":{}}"#, None),
            (r#"{"a":[1.5,true,null]}"#, Some("{\"a\": [1.5, True, None]}")),
        ] {
            assert_eq!(literal(&parse_value(json).unwrap()).as_deref(), expected, "{json}");
        }
        assert!(has_nan(&parse_value(r#"[{"$t":"float","v":"nan"}]"#).unwrap()));
    }
}
