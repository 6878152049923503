//! djust's own bug captures: `djbug1.` and base64url of JSON, with the two states of one event.
//!
//! A capture is hostile input: its size and depth are limited, nothing in it is compressed, and it names no file and no address.

use std::fs::File;
use std::io::{Read as _, Write};
use std::path::Path;

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use inspector_model::{
    BUG_CAPTURE_PREFIX, Kind, Phase, RecordingId, Secret, Session, SessionId, Step, StepDetail, StepKind, Value, View, find_bug_capture,
};
use inspector_store::{Imported, NewState, NewStep, Progress, Recorder, Store};
use serde_json::{Map, Value as Json, json};
use sha2::{Digest as _, Sha256};

use crate::ShareError;
use crate::excerpt::{Excerpt, Part};
use crate::patterns::MARK;
use crate::redact::Redactor;

/// What follows in one that is only a reference.
const STORED: &str = "store.";

/// Larger ones are refused before they are decoded.
const MOST_BYTES: usize = 16 << 20;

/// Base64url with or without padding, as djust reads it.
const LENIENT: GeneralPurpose =
    GeneralPurpose::new(&URL_SAFE, GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent));

/// A capture that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct BugCapture {
    /// The handler.
    pub event: String,
    /// The state that it found.
    pub before: Value,
    /// The state that it left.
    pub after: Value,
    /// The patches of the page, JSON text.
    pub patches: String,
    /// Names of what was left out of the states.
    pub scrubbed: Vec<String>,
}

impl BugCapture {
    fn name(&self) -> &str {
        if self.event.is_empty() { "event" } else { &self.event }
    }
}

/// Reads a capture.
pub fn read(text: &str) -> Result<BugCapture, ShareError> {
    if text.len() > MOST_BYTES {
        return Err(ShareError::BugCapture("it is larger than 16 MB"));
    }
    let blob = find_bug_capture(text).and_then(|blob| blob.strip_prefix(BUG_CAPTURE_PREFIX));
    let blob = blob.ok_or(ShareError::BugCapture("it does not begin with `djbug1.`"))?;
    if blob.starts_with(STORED) {
        return Err(ShareError::StoredBugCapture);
    }
    let bytes = LENIENT.decode(blob).map_err(|_| ShareError::BugCapture("what follows `djbug1.` is not base64"))?;
    let text = String::from_utf8(bytes).map_err(|_| ShareError::BugCapture("it is not UTF-8"))?;
    // Nesting beyond 128 is refused by serde_json.
    let wire: Json = serde_json::from_str(&strict(&text)).map_err(|error| {
        ShareError::BugCapture(if error.to_string().contains("recursion") { "it is nested too deeply" } else { "it is not JSON" })
    })?;
    let Json::Object(mut wire) = wire else { return Err(ShareError::BugCapture("it is not a JSON object")) };
    if wire.get("v").and_then(Json::as_str) != Some("djbug1") {
        return Err(ShareError::BugCapture("it is of another version inside"));
    }
    let mut state = |name: &str, missing: &'static str| match wire.remove(name) {
        Some(Json::Object(state)) => Ok(Value::Map(state.into_iter().map(|(key, value)| (key, typed(value))).collect())),
        _ => Err(ShareError::BugCapture(missing)),
    };
    let before = state("state_before", "it has no `state_before`")?;
    let after = state("state_after", "it has no `state_after`")?;
    let patches = match wire.get("vdom_patches") {
        Some(patches @ Json::Array(_)) => patches.to_string(),
        _ => return Err(ShareError::BugCapture("it has no list of `vdom_patches`")),
    };
    let event = wire.get("event_name").and_then(Json::as_str).unwrap_or_default().to_owned();
    let scrubbed = wire
        .get("scrubbed_fields")
        .and_then(Json::as_array)
        .map(|names| names.iter().filter_map(Json::as_str).map(str::to_owned).collect());
    Ok(BugCapture { event, before, after, patches, scrubbed: scrubbed.unwrap_or_default() })
}

/// Takes a file into the library, a recording or a bug capture; one that is there already stays as it is. `now` in Unix
/// seconds: a capture does not say when it was.
pub fn import_file(path: &Path, store: &Store, now: f64, progress: Progress<'_>) -> Result<Imported, ShareError> {
    import_file_with(path, None, store, now, progress)
}

/// The same, for a file that may be encrypted.
pub fn import_file_with(
    path: &Path,
    passphrase: Option<&Secret>,
    store: &Store,
    now: f64,
    progress: Progress<'_>,
) -> Result<Imported, ShareError> {
    let mut begin = Vec::new();
    // What cannot be read is no capture, and the store says why it is no recording.
    let _ = File::open(path).and_then(|file| file.take(MOST_BYTES as u64 + 1).read_to_end(&mut begin));
    match std::str::from_utf8(&begin) {
        Ok(text) if find_bug_capture(text).is_some() => import_text(text, store, now),
        _ => Ok(store.import_with(path, passphrase, progress)?),
    }
}

/// Takes a bug capture into the library: a recording of one step.
pub fn import_text(text: &str, store: &Store, now: f64) -> Result<Imported, ShareError> {
    let capture = read(text)?;
    // Of what it says, not of how it is written: padding and an address around it make no other capture of it.
    let said =
        serde_json::to_vec(&(&capture.event, capture.before.to_json(), capture.after.to_json(), &capture.patches, &capture.scrubbed))?;
    let id = Sha256::digest(said).iter().take(16).fold("capture-".to_owned(), |id, byte| id + &format!("{byte:02x}"));
    let title: String = format!("Bug capture: {}", capture.name()).chars().filter(|c| !c.is_control()).take(200).collect();
    store.import_as(&RecordingId::from(id), (&title, now), |recorder| record(recorder, &capture, now))
}

fn record(recorder: &mut Recorder, capture: &BugCapture, now: f64) -> Result<(), ShareError> {
    let session = SessionId::from("bug-capture");
    recorder.put_session(&Session {
        id: session.clone(),
        phase: Phase::Closed,
        client: None,
        user: None,
        django_session: None,
        user_agent: None,
        pid: None,
        path: None,
        view: Some(View { class: "Bug capture".to_owned(), ..View::default() }),
        children: Vec::new(),
        opened: now,
        close: None,
        succeeds: None,
        transport: inspector_model::Transport::Websocket,
    });
    let diff = inspector_diff::diff(&capture.before, &capture.after, &inspector_diff::Options::default());
    let (before, after) = (capture.before.to_json(), capture.after.to_json());
    let mut step = Step::new(StepKind::Event, capture.name(), now);
    step.session = Some(session);
    step.state_bytes = after.len() as u64;
    step.changes = diff.counts;
    step.changed = diff.changes.iter().take(Step::MAX_CHANGED_PATHS).map(|change| change.path.to_string()).collect();
    let mut detail = StepDetail::default();
    if capture.patches != "[]" {
        let text = format!("{{\"type\":\"patch\",\"patches\":{}}}", capture.patches);
        detail.frames.push(inspector_model::Frame { dir: "out".to_owned(), at: now, bytes: text.len() as u64, text });
        step.frames = 1;
    }
    recorder.append(NewStep { step, detail, before: NewState::Text(before.into()), after: NewState::Text(after.into()), html: None })?;
    Ok(())
}

/// Writes the one selected step: that it is one was looked at before.
pub fn write(excerpt: &Excerpt<'_>, redactor: &mut Redactor, out: &mut dyn Write, part: Part) -> Result<(), ShareError> {
    let mut blob = None;
    excerpt.each(redactor, part, |item| {
        let (Some(before), Some(after)) = (item.before.state(), item.after.state()) else {
            return Err(ShareError::Unsuited(
                "a bug capture holds the states before and after a step, and this step has not both".to_owned(),
            ));
        };
        let mut scrubbed = Vec::new();
        let mut state = |value: &Value| match value {
            Value::Map(entries) => Json::Object(assigns(entries, &mut scrubbed)),
            _ => Json::Object(Map::new()),
        };
        let (before, after) = (state(before), state(after));
        let wire = json!({
            "v": "djbug1",
            "event_name": item.step.name,
            "state_before": before,
            "state_after": after,
            "vdom_patches": patches(&item.detail),
            "scrubbed_fields": scrubbed,
        });
        let text = sorted(wire).to_string();
        blob = Some(format!("{BUG_CAPTURE_PREFIX}{}\n", URL_SAFE_NO_PAD.encode(text)));
        Ok(())
    })?;
    out.write_all(blob.unwrap_or_default().as_bytes())?;
    Ok(())
}

/// The assigns as djust writes them. What was redacted whole is left out and named, as djust's own scrubbing does it.
fn assigns(entries: &[(String, Value)], scrubbed: &mut Vec<String>) -> Map<String, Json> {
    let mut out = Map::new();
    for (name, value) in entries {
        let redacted =
            matches!(value, Value::Typed { kind: Kind::Redacted, .. }) || matches!(value, Value::Text(text) if text.starts_with(MARK));
        if redacted {
            if !scrubbed.contains(name) {
                scrubbed.push(name.clone());
            }
        } else if let Some(value) = untyped(value) {
            out.insert(name.clone(), value);
        }
    }
    out
}

/// A value as djust has it in a snapshot: decimals and components tagged, dates and the like as text, sets and tuples as lists.
/// `None` for what djust leaves out.
fn untyped(value: &Value) -> Option<Json> {
    let list = |items: &[Value]| Json::Array(items.iter().map(|item| untyped(item).unwrap_or(Json::Null)).collect());
    let map = |entries: &[(String, Value)]| -> Map<String, Json> {
        entries.iter().filter_map(|(key, item)| untyped(item).map(|item| (key.clone(), item))).collect()
    };
    Some(match value {
        Value::Null => Json::Null,
        Value::Bool(value) => Json::Bool(*value),
        Value::Number(number) => Json::Number(number.clone()),
        Value::Text(text) => Json::String(text.clone()),
        Value::List(items) => list(items),
        Value::Map(entries) => Json::Object(map(entries)),
        Value::Typed { kind, .. } => {
            let text = |name: &str| match value.field(name) {
                Some(Value::Text(text)) => text.clone(),
                _ => String::new(),
            };
            match (kind, value.field("v")) {
                (Kind::Decimal, _) => json!({"__djust_decimal__": text("v")}),
                (Kind::Component, Some(Value::Map(entries))) => json!({"__djust_component__": text("class"), "state": map(entries)}),
                (Kind::Model, Some(Value::Map(entries))) => {
                    let mut fields = Map::new();
                    fields.insert("pk".to_owned(), value.field("pk").and_then(untyped).unwrap_or_default());
                    fields.insert("__model__".to_owned(), json!(text("model").rsplit('.').next().unwrap_or_default()));
                    fields.extend(map(entries));
                    Json::Object(fields)
                }
                (Kind::Redacted, _) => json!(format!("{MARK}:{}]", text("as"))),
                (Kind::Dict, Some(Value::List(pairs))) => Json::Object(
                    pairs
                        .iter()
                        .filter_map(|pair| match pair {
                            Value::List(pair) => match pair.as_slice() {
                                [Value::Text(key), item] => Some((key.clone(), untyped(item)?)),
                                [key, item] => Some((key.summary(200), untyped(item)?)),
                                _ => None,
                            },
                            _ => None,
                        })
                        .collect(),
                ),
                // JSON has no NaN, and not every reader of captures knows Python's.
                (Kind::Float, _) => Json::Null,
                (Kind::Bytes | Kind::File | Kind::Function | Kind::Class | Kind::Object | Kind::View | Kind::Deep | Kind::Cycle, _) => {
                    return None;
                }
                (_, Some(Value::List(items))) => list(items),
                (_, Some(Value::Map(entries))) => Json::Object(map(entries)),
                (_, Some(inner)) => untyped(inner)?,
                (_, None) => return None,
            }
        }
    })
}

/// Patches of the page in a step's outgoing frames.
fn patches(detail: &StepDetail) -> Vec<Json> {
    let frames = detail.frames.iter().filter(|frame| frame.dir == "out");
    frames
        .filter_map(|frame| serde_json::from_str::<Map<String, Json>>(&frame.text).ok())
        .filter_map(|mut frame| frame.remove("patches"))
        .flat_map(|patches| if let Json::Array(patches) = patches { patches } else { Vec::new() })
        .collect()
}

/// With keys in order, as djust writes them.
fn sorted(json: Json) -> Json {
    match json {
        Json::Object(entries) => {
            let mut entries: Vec<(String, Json)> = entries.into_iter().collect();
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            Json::Object(entries.into_iter().map(|(key, value)| (key, sorted(value))).collect())
        }
        Json::Array(items) => Json::Array(items.into_iter().map(sorted).collect()),
        other => other,
    }
}

/// djust's value as a typed one.
fn typed(json: Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(value),
        Json::Number(number) => Value::Number(number),
        Json::String(text) => Value::Text(text),
        Json::Array(items) => Value::List(items.into_iter().map(typed).collect()),
        Json::Object(entries) => {
            let field = |name: &str, value: Value| (name.to_owned(), value);
            if let (1, Some(Json::String(text))) = (entries.len(), entries.get("__djust_decimal__")) {
                return Value::Typed { kind: Kind::Decimal, fields: vec![field("v", Value::Text(text.clone()))] };
            }
            if let (1, Some(Json::String(text))) = (entries.len(), entries.get(NOT_FINITE)) {
                return Value::Typed { kind: Kind::Float, fields: vec![field("v", Value::Text(text.clone()))] };
            }
            if let (2, Some(Json::String(class)), Some(Json::Object(_))) =
                (entries.len(), entries.get("__djust_component__"), entries.get("state"))
            {
                let class = Value::Text(class.clone());
                let state = entries.into_iter().find(|(key, _)| key == "state").map_or(Value::Null, |(_, state)| typed(state));
                return Value::Typed { kind: Kind::Component, fields: vec![field("class", class), field("v", state)] };
            }
            // A dict of a user with the key of our own tags must not become one.
            if entries.contains_key("$t") {
                let pairs = entries.into_iter().map(|(key, value)| Value::List(vec![Value::Text(key), typed(value)])).collect();
                return Value::Typed { kind: Kind::Dict, fields: vec![field("v", Value::List(pairs))] };
            }
            Value::Map(entries.into_iter().map(|(key, value)| (key, typed(value))).collect())
        }
    }
}

/// Stands in for a number that is not finite while the JSON is read.
const NOT_FINITE: &str = "\u{0}not finite";

/// Python writes `NaN` and `Infinity` where JSON has no word.
fn strict(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut inside = false;
    let replacement = |word: &str| format!("{{\"\\u0000not finite\":\"{word}\"}}");
    while let Some(c) = rest.chars().next() {
        if inside {
            let len = if c == '\\' { 1 + rest[1..].chars().next().map_or(0, char::len_utf8) } else { c.len_utf8() };
            inside = c != '"';
            out.push_str(&rest[..len]);
            rest = &rest[len..];
            continue;
        }
        let word = [("NaN", "nan"), ("-Infinity", "-inf"), ("Infinity", "inf")].into_iter().find(|(word, _)| rest.starts_with(word));
        if let Some((word, name)) = word {
            out.push_str(&replacement(name));
            rest = &rest[word.len()..];
        } else {
            inside = c == '"';
            out.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    out
}
