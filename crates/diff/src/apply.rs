//! Carries a diff out: the other half of its law, and the proof that a diff says everything.

use std::collections::BTreeMap;

use inspector_model::{Change, Diff, Op, Path, Segment, Value};

/// Why a diff cannot be carried out on a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApplyError {
    /// The diff was made from another value.
    #[error("the diff was not made from this value: {why} at {path}")]
    Mismatch {
        /// Where.
        path: Path,
        /// What is not as the diff says.
        why: &'static str,
    },
}

/// The value after, made of the value before and the diff. Added keys of maps come last.
pub fn apply(before: &Value, diff: &Diff) -> Result<Value, ApplyError> {
    let changes: Vec<&Change> = diff.changes.iter().collect();
    value(before, &changes, 0, &Path::default())
}

/// Carries out the changes whose paths all go through `path`, which has `depth` segments.
fn value(before: &Value, changes: &[&Change], depth: usize, path: &Path) -> Result<Value, ApplyError> {
    if changes.is_empty() {
        return Ok(before.clone());
    }
    for change in changes.iter().filter(|change| change.path.0.len() == depth) {
        match &change.op {
            Op::Changed { before: expected, after } if expected == before => return Ok(after.clone()),
            Op::Text { before: expected, after, .. } if matches!(before, Value::Text(text) if text == expected) => {
                return Ok(Value::Text(after.clone()));
            }
            Op::Reordered { .. } => {}
            // These are the parent's affair; at the top they make no sense.
            Op::Moved { .. } if depth > 0 => {}
            _ => return Err(mismatch(path, "another value")),
        }
    }
    match before {
        Value::List(items) => Ok(Value::List(list(items, changes, depth, path)?)),
        Value::Map(entries) => Ok(Value::Map(map(entries, changes, depth, path)?)),
        Value::Typed { kind, fields } => {
            let in_list = matches!(before.content(), Value::List(_));
            // Keys beside a list are fields of the typed value; everything else goes into the content.
            let (beside, inside): (Vec<&Change>, Vec<&Change>) =
                changes.iter().partition(|change| in_list && matches!(change.path.0.get(depth), Some(Segment::Key(_))));
            let mut fields = map(fields, &beside, depth, path)?;
            let content = fields.iter_mut().find(|(key, _)| key == "v").map(|(_, content)| content);
            match content {
                Some(Value::List(items)) => *items = list(items, &inside, depth, path)?,
                Some(Value::Map(entries)) => *entries = map(entries, &inside, depth, path)?,
                _ => return Err(mismatch(path, "no container")),
            }
            Ok(Value::Typed { kind: kind.clone(), fields })
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => Err(mismatch(path, "no container")),
    }
}

fn map(entries: &[(String, Value)], changes: &[&Change], depth: usize, path: &Path) -> Result<Vec<(String, Value)>, ApplyError> {
    let mut below: BTreeMap<&str, Vec<&Change>> = BTreeMap::new();
    for change in changes {
        match change.path.0.get(depth) {
            Some(Segment::Key(key)) => below.entry(key).or_default().push(change),
            _ => return Err(mismatch(path, "an index in a map")),
        }
    }
    let mut result = Vec::with_capacity(entries.len());
    for (key, before) in entries {
        let here = below.remove(key.as_str()).unwrap_or_default();
        let removed = matches!(here.as_slice(), [Change { path, op: Op::Removed(_), .. }] if path.0.len() == depth + 1);
        if !removed {
            result.push((key.clone(), value(before, &here, depth + 1, &path.child(Segment::Key(key.clone())))?));
        }
    }
    for (key, here) in below {
        match here.as_slice() {
            [Change { path, op: Op::Added(added), .. }] if path.0.len() == depth + 1 => result.push((key.to_owned(), added.clone())),
            _ => return Err(mismatch(path, "no such key")),
        }
    }
    Ok(result)
}

fn list(items: &[Value], changes: &[&Change], depth: usize, path: &Path) -> Result<Vec<Value>, ApplyError> {
    let outside = || mismatch(path, "an index outside the list");
    let mut gone = vec![false; items.len()];
    let mut added: BTreeMap<usize, &Value> = BTreeMap::new();
    let mut placed: BTreeMap<usize, usize> = BTreeMap::new();
    let mut below: BTreeMap<usize, Vec<&Change>> = BTreeMap::new();
    for change in changes {
        let index = match change.path.0.get(depth) {
            Some(Segment::Index(index)) => *index,
            Some(Segment::Key(_) | Segment::Row(_)) => return Err(mismatch(path, "a key in a list")),
            None => {
                if let Op::Reordered { order, places } = &change.op {
                    placed.extend(places.iter().copied().zip(order.iter().copied()));
                }
                continue;
            }
        };
        let direct = change.path.0.len() == depth + 1;
        match &change.op {
            Op::Removed(_) if direct => *gone.get_mut(index).ok_or_else(outside)? = true,
            Op::Added(new) if direct => {
                added.insert(index, new);
            }
            Op::Moved { from } if direct => {
                placed.insert(index, *from);
            }
            _ => below.entry(index).or_default().push(change),
        }
    }
    for from in placed.values() {
        let slot = gone.get_mut(*from).ok_or_else(outside)?;
        if std::mem::replace(slot, true) {
            return Err(mismatch(path, "an element in two places"));
        }
    }

    let mut rest = gone.iter().enumerate().filter(|(_, gone)| !**gone).map(|(index, _)| index);
    let len = gone.iter().filter(|gone| !**gone).count() + added.len() + placed.len();
    let mut result = Vec::with_capacity(len);
    for place in 0..len {
        if let Some(new) = added.remove(&place) {
            result.push(new.clone());
            continue;
        }
        let from = placed.remove(&place).or_else(|| rest.next()).ok_or_else(outside)?;
        let here = below.remove(&place).unwrap_or_default();
        result.push(value(&items[from], &here, depth + 1, &path.child(Segment::Index(place)))?);
    }
    if added.is_empty() && placed.is_empty() && below.is_empty() { Ok(result) } else { Err(outside()) }
}

fn mismatch(path: &Path, why: &'static str) -> ApplyError {
    ApplyError::Mismatch { path: path.clone(), why }
}
