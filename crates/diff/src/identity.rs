//! What makes a list element the same element in two states.
//!
//! Identities are 64-bit hashes. Two different ones that collide cost a worse alignment, never a wrong diff: whatever
//! is matched is still compared.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash as _, Hasher};

use inspector_model::{Kind, Value};

use crate::clock::Clock;

/// Keys that identify a row, best first.
const KEYS: [&str; 6] = ["id", "pk", "key", "uuid", "slug", "_id"];

/// The identities of the elements of two lists, by the first key that every element has and none shares.
pub(crate) fn by_key(before: &[Value], after: &[Value], clock: &Clock) -> Option<(Vec<u64>, Vec<u64>)> {
    if let Some(pairs) = unique(before, after, clock, pair_key) {
        return Some(pairs);
    }
    KEYS.iter().find_map(|key| unique(before, after, clock, |element| scalar_at(element, key)))
}

/// The hashes of the elements' content.
pub(crate) fn by_content(list: &[Value], clock: &Clock) -> Option<Vec<u64>> {
    list.iter()
        .map(|element| {
            let mut hasher = DefaultHasher::new();
            hash_value(element, &mut hasher);
            (!clock.is_over()).then(|| hasher.finish())
        })
        .collect()
}

fn unique(before: &[Value], after: &[Value], clock: &Clock, of: impl Fn(&Value) -> Option<u64>) -> Option<(Vec<u64>, Vec<u64>)> {
    let read = |list: &[Value]| {
        let mut seen = HashSet::with_capacity(list.len());
        list.iter().map(|element| of(element).filter(|identity| !clock.is_over() && seen.insert(*identity))).collect::<Option<Vec<_>>>()
    };
    Some((read(before)?, read(after)?))
}

/// The identity under `key`, together with what sort of thing has it: item 3 is not order 3.
fn scalar_at(element: &Value, key: &str) -> Option<u64> {
    let mut hasher = DefaultHasher::new();
    let scalar = match element {
        Value::Map(_) => element.get(key)?,
        Value::Typed { kind, .. } => {
            kind.hash(&mut hasher);
            for name in ["model", "class"] {
                if let Some(Value::Text(text)) = element.field(name) {
                    text.hash(&mut hasher);
                }
            }
            element.field(key).or_else(|| element.get(key))?
        }
        _ => return None,
    };
    hash_scalar(scalar, &mut hasher)?;
    Some(hasher.finish())
}

/// The key of a pair `[key, value]`, which is how a dict with other keys than strings travels.
fn pair_key(element: &Value) -> Option<u64> {
    let Value::List(pair) = element else { return None };
    let [key, _] = pair.as_slice() else { return None };
    let mut hasher = DefaultHasher::new();
    hash_scalar(key, &mut hasher)?;
    Some(hasher.finish())
}

fn hash_scalar(value: &Value, hasher: &mut DefaultHasher) -> Option<()> {
    match value {
        Value::Bool(_)
        | Value::Number(_)
        | Value::Text(_)
        | Value::Typed { kind: Kind::Uuid | Kind::Int | Kind::Str | Kind::Decimal | Kind::Enum | Kind::Date | Kind::DateTime, .. } => {}
        Value::Null | Value::List(_) | Value::Map(_) | Value::Typed { .. } => return None,
    }
    hash_value(value, hasher);
    Some(())
}

fn hash_value(value: &Value, hasher: &mut DefaultHasher) {
    std::mem::discriminant(value).hash(hasher);
    match value {
        Value::Null => {}
        Value::Bool(flag) => flag.hash(hasher),
        Value::Number(number) => number.hash(hasher),
        Value::Text(text) => text.hash(hasher),
        Value::List(items) => {
            items.len().hash(hasher);
            for item in items {
                hash_value(item, hasher);
            }
        }
        Value::Map(entries) => hash_entries(entries, hasher),
        Value::Typed { kind, fields } => {
            kind.hash(hasher);
            hash_entries(fields, hasher);
        }
    }
}

fn hash_entries(entries: &[(String, Value)], hasher: &mut DefaultHasher) {
    entries.len().hash(hasher);
    for (key, value) in entries {
        key.hash(hasher);
        hash_value(value, hasher);
    }
}
