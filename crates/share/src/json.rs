//! A selection as JSON for other programs. `docs/SHARING.md` has its shape.

use std::collections::HashMap;
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use inspector_diff::{Options, diff_documents};
use inspector_model::{Diff, Op, StepId, Value};
use inspector_tape::Document;
use serde::Serialize as _;
use serde_json::{Value as Json, json};

use crate::ShareError;
use crate::excerpt::{End, Excerpt, Item, Part};
use crate::redact::Redactor;

/// Counted up when a reader of the old shape would be misled.
pub const VERSION: u32 = 1;

/// How long a diff may take before it is cut short. Nobody waits for a single one.
const DIFF_DEADLINE: Duration = Duration::from_millis(500);

/// Writes it, a step a line.
pub fn write(excerpt: &Excerpt<'_>, redactor: &mut Redactor, out: &mut dyn Write, part: Part) -> Result<(), ShareError> {
    let info = excerpt.info();
    let head = json!({
        "format": "djust-inspector-steps",
        "version": VERSION,
        "title": excerpt.title(redactor),
        "started": info.started,
        "djust": info.djust,
        "redacted": !redactor.is_off(),
        "server": excerpt.server(redactor)?,
        "sessions": excerpt.clean_sessions(redactor)?,
    });
    let head = head.to_string();
    write!(out, "{},\n\"steps\":[", &head[..head.len() - 1])?;
    let notes: HashMap<StepId, String> = excerpt.marks(redactor)?.into_iter().collect();
    let mut first = true;
    excerpt.each(redactor, part, |item| {
        out.write_all(if first { b"\n" } else { b",\n" })?;
        first = false;
        serde_json::to_writer(&mut *out, &step(&item, notes.get(&item.step.id))?)?;
        Ok(())
    })?;
    out.write_all(b"\n]}\n")?;
    Ok(())
}

fn step(item: &Item, note: Option<&String>) -> Result<Json, ShareError> {
    let end = |end: &End| -> Result<Json, ShareError> {
        Ok(match end {
            End::None => Json::Null,
            End::State(value) => value.serialize(serde_json::value::Serializer)?,
            End::Missing(why) => json!({"$missing": why}),
        })
    };
    let mut detail = serde_json::to_value(&item.detail)?;
    if let Some(detail) = detail.as_object_mut() {
        // They are JSON texts in a recording.
        for name in ["params", "raw_params"] {
            if let Some(Json::String(text)) = detail.get(name) {
                let parsed = serde_json::from_str(text).unwrap_or_else(|_| Json::String(text.clone()));
                detail.insert(name.to_owned(), parsed);
            }
        }
    }
    let diff = difference(item);
    Ok(json!({
        "step": item.step,
        "detail": detail,
        "before": end(&item.before)?,
        "after": end(&item.after)?,
        "changes": diff.as_ref().map(changes).transpose()?,
        "changes_cut_short": diff.is_some_and(|diff| diff.cut_short),
        "mark": note,
    }))
}

/// What a step changed, if both its states are here.
pub fn difference(item: &Item) -> Option<Diff> {
    let (before, after) = (item.before.state()?, item.after.state()?);
    if before == after {
        return Some(Diff::default());
    }
    let document = |value: &Value| Document::new(value.to_json().into()).map(Arc::new);
    let options = Options { deadline: DIFF_DEADLINE, ..Options::default() };
    Some(match (document(before), document(after)) {
        (Ok(before), Ok(after)) => diff_documents(&before, &after, &options),
        _ => inspector_diff::diff(before, after, &options),
    })
}

fn changes(diff: &Diff) -> Result<Json, ShareError> {
    let changes = diff.changes.iter().map(|change| {
        let mut entry = match &change.op {
            Op::Added(value) => json!({"op": "added", "after": value}),
            Op::Removed(value) => json!({"op": "removed", "before": value}),
            Op::Changed { before, after } => json!({"op": "changed", "before": before, "after": after}),
            Op::Text { before, after, .. } => json!({"op": "changed", "before": before, "after": after}),
            Op::Moved { from } => json!({"op": "moved", "from": from}),
            Op::Reordered { order, places } => json!({"op": "reordered", "from": order, "to": places}),
        };
        if let Some(entry) = entry.as_object_mut() {
            entry.insert("path".to_owned(), Json::String(change.path.to_string()));
            if let Some(note) = change.note {
                entry.insert("note".to_owned(), serde_json::to_value(note)?);
            }
        }
        Ok(entry)
    });
    changes.collect()
}
