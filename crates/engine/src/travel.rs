//! Where a live page is put: jump, return, and what a jump would leave as it is, said before.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use inspector_model::{
    Answer, CommandDone, ErrorCode, Failure, JumpPreview, JumpTarget, Kind, NotRestored, RemoteCursor, SessionId, Side, StateAnswer,
    StepId, Stream, Value, parse_value,
};
use inspector_protocol::{Command, CommandResult, Restore};
use serde_json::value::RawValue;
use tokio::time::timeout;

use crate::commands::{OneAtATime, call, find_step, look_up, require_open, stream_of};
use crate::outbox::{Outbox, Topic};
use crate::queries::failed;
use crate::source::SourceShared;

/// How long a preview may take: who wants to jump waits for it.
const PREVIEW_DEADLINE: Duration = Duration::from_secs(3);

/// Steps around the target, and states among them, that are looked at for one that can be put back whole; questions to the server.
const LOOK_AROUND: usize = 400;
const STATES: usize = 8;
const QUESTIONS: usize = 3;

/// Parts of values that are never put back, and why; in the words of the agent.
const NEVER: [(&str, &str); 12] = [
    ("redacted", "its value was redacted"),
    ("cut", "only its beginning was recorded"),
    ("deep", "it was nested too deeply to be recorded"),
    ("cycle", "it refers to one of its own parents"),
    ("model", "a model instance is not put back: it belongs to the database"),
    ("queryset", "a queryset is not put back: it belongs to the database"),
    ("view", "a child view has a state of its own"),
    ("file", "a file's content was not recorded"),
    ("function", "a function is not put back"),
    ("class", "a class is not put back"),
    ("object", "the object was not read"),
    ("str", "the text cannot be sent as it is (lone surrogates)"),
];

type Assigns = BTreeMap<String, Box<RawValue>>;

/// A recorded state, parsed by its top-level assigns.
fn assigns(source: &SourceShared, step: StepId, side: Side) -> Result<Assigns, Failure> {
    let missing = |why: String| Failure::new(ErrorCode::Missing, format!("the state at step {step} was not recorded: {why}"));
    match source.reader.state(step, side) {
        Ok(StateAnswer::Full(text)) => serde_json::from_str(&text).map_err(|error| missing(error.to_string())),
        Ok(StateAnswer::Missing(why)) => Err(missing(why)),
        Err(error) => Err(failed(&error)),
    }
}

/// The state in which a view is now, as far as it was recorded.
fn current(source: &SourceShared, stream: &Stream) -> Assigns {
    source.last_with_state(stream).and_then(|last| assigns(source, last, Side::After).ok()).unwrap_or_default()
}

/// The assigns to put back so that `stream` stands where `step` ended (or began).
///
/// All of them: only the server knows, with the page locked, which differ from what it holds by then; the recording may lag behind it.
/// Left out is what was not recorded whole and looks the same now: it can neither be put back nor be compared.
pub fn to_restore(source: &SourceShared, stream: &Stream, step: StepId, side: Side) -> Result<Restore, Failure> {
    let target = assigns(source, step, side)?;
    let now = current(source, stream);
    let same = |name: &String, value: &RawValue| now.get(name).is_some_and(|now| now.get() == value.get());
    let (set, unsent): (Assigns, Assigns) = target.into_iter().partition(|(name, value)| recorded_whole(value) || !same(name, value));
    Ok(Restore { set: raw(&set)?, unsent: Some(unsent.into_keys().collect()), untyped: untyped(source, step) })
}

/// What to put back of a view, or of one of its components.
fn wanted(source: &SourceShared, stream: &Stream, target: JumpTarget, component: Option<&str>) -> Result<Restore, Failure> {
    let Some(id) = component else { return to_restore(source, stream, target.step, target.side) };
    let state = raw(&assigns(source, target.step, target.side)?)?;
    let state = parse_value(state.get()).map_err(|error| Failure::new(ErrorCode::Missing, error.to_string()))?;
    let fields = component_fields(&state, id)
        .ok_or_else(|| Failure::new(ErrorCode::NotFound, format!("the state at step {} has no component {id}", target.step)))?;
    Ok(Restore { set: raw(fields)?, unsent: None, untyped: untyped(source, target.step) })
}

/// What to put back, and what a jump then shows as it was reset before the step.
async fn wanted_and_reset(
    source: &Arc<SourceShared>,
    stream: &Stream,
    target: JumpTarget,
    component: Option<String>,
) -> Result<(Restore, Vec<NotRestored>), Failure> {
    let of = stream.clone();
    look_up(source, move |source| {
        let restore = wanted(source, &of, target, component.as_deref())?;
        Ok((restore, reset_before(source, &of, target, component.as_deref())))
    })
    .await
}

/// Whether a step's states come from djust's own time travel.
fn untyped(source: &SourceShared, step: StepId) -> bool {
    // A view that was found at attach is called history, too, but its state was read by the agent.
    source.step(step).is_some_and(|step| step.history && step.kind == inspector_model::StepKind::Event)
}

/// Whether nothing in a value was redacted or cut off. The marks cannot be in a string: its quotes would be escaped.
fn recorded_whole(value: &RawValue) -> bool {
    !["redacted", "cut", "deep"].iter().any(|kind| holds(value, kind))
}

fn holds(value: &RawValue, kind: &str) -> bool {
    value.get().contains(&format!(r#""$t":"{kind}""#))
}

fn raw<T: serde::Serialize>(value: &T) -> Result<Box<RawValue>, Failure> {
    serde_json::value::to_raw_value(value).map_err(|error| Failure::new(ErrorCode::BadRequest, error.to_string()))
}

/// A component's fields in a state, wherever it is held.
fn component_fields<'a>(value: &'a Value, id: &str) -> Option<&'a Value> {
    if let Value::Typed { kind: Kind::Component, .. } = value
        && value.field("id") == Some(&Value::Text(id.to_owned()))
    {
        return value.field("v");
    }
    match value.content() {
        Value::List(items) => items.iter().find_map(|item| component_fields(item, id)),
        Value::Map(entries) => entries.iter().find_map(|(name, item)| {
            if name == "__components__" && item.get(id).is_some() {
                let component = item.get(id)?;
                return Some(component.content());
            }
            component_fields(item, id)
        }),
        _ => None,
    }
}

/// Notes where a view is live, before a command puts it elsewhere. The first of them counts.
pub fn mark_live(source: &SourceShared, stream: &Stream) {
    if let Some(last) = source.last_with_state(stream) {
        source.live_marks.lock().entry(stream.clone()).or_insert(last);
    }
}

fn set_cursor(source: &SourceShared, outbox: &Outbox, session: &SessionId, cursor: RemoteCursor) {
    source.cursors.lock().insert(session.clone(), cursor);
    outbox.changed(source.id, &Topic::Cursor(session.clone()));
}

/// Puts a live page to one end of a step.
pub async fn jump(
    source: Arc<SourceShared>,
    outbox: Arc<Outbox>,
    target: JumpTarget,
    component: Option<String>,
) -> Result<Answer, Failure> {
    let step = find_step(&source, target.step).await?;
    let stream = stream_of(&step)?;
    require_open(&source, &stream.0)?;
    let _one = OneAtATime::enter(&source, &stream.0)?;
    let (restore, reset) = wanted_and_reset(&source, &stream, target, component.clone()).await?;
    mark_live(&source, &stream);
    let was = source.cursors.lock().get(&stream.0).copied().unwrap_or_default();
    set_cursor(&source, &outbox, &stream.0, RemoteCursor::Jumping(target));
    let command = Command::Jump { session: stream.0.clone(), view: stream.1.clone(), component, restore, target };
    match call(&source, &command).await {
        Ok(result) => {
            set_cursor(&source, &outbox, &stream.0, RemoteCursor::At(target));
            let message = format!("The page is at step {}", target.step);
            let not_restored = [result.not_restored, reset].concat();
            Ok(Answer::Command(CommandDone { message, not_restored, trouble: None }))
        }
        Err(failure) => {
            let unsure = matches!(failure.code, ErrorCode::Timeout | ErrorCode::NotAttached);
            set_cursor(&source, &outbox, &stream.0, if unsure { RemoteCursor::Unknown } else { was });
            Err(failure)
        }
    }
}

/// Puts a page to where it stood before the first jump or restoring replay.
pub async fn return_to_live(source: Arc<SourceShared>, outbox: Arc<Outbox>, stream: Stream) -> Result<Answer, Failure> {
    let mark = source.live_marks.lock().get(&stream).copied();
    let Some(mark) = mark else {
        set_cursor(&source, &outbox, &stream.0, RemoteCursor::Live);
        return Ok(Answer::Command(CommandDone { message: "The page is live".into(), ..CommandDone::default() }));
    };
    let answer = jump(source.clone(), outbox.clone(), JumpTarget { step: mark, side: Side::After }, None).await?;
    source.live_marks.lock().remove(&stream);
    set_cursor(&source, &outbox, &stream.0, RemoteCursor::Live);
    Ok(match answer {
        Answer::Command(done) => Answer::Command(CommandDone { message: "The page is live again".into(), ..done }),
        other => other,
    })
}

/// Says what a jump would leave as it is. The page does not change, and is not waited for.
pub async fn preview(source: Arc<SourceShared>, target: JumpTarget, component: Option<String>) -> Result<Answer, Failure> {
    let step = find_step(&source, target.step).await?;
    let stream = stream_of(&step)?;
    require_open(&source, &stream.0)?;
    let (restore, reset) = wanted_and_reset(&source, &stream, target, component.clone()).await?;
    let component = component.as_deref();
    let asked = ask(&source, &stream, component, &restore).await?;
    let mut preview = JumpPreview::default();
    match asked {
        Ok(lost) => preview.not_restored = lost,
        Err(why) => {
            let of = stream.clone();
            preview.not_restored = look_up(&source, move |source| Ok(from_recording(&restore, &current(source, &of)))).await?;
            preview.unasked = Some(why);
        }
    }
    preview.not_restored.extend(reset);
    if !preview.not_restored.is_empty() && component.is_none() {
        preview.whole = nearest_whole(&source, &stream, target.step, preview.unasked.is_none()).await?;
    }
    Ok(Answer::JumpPreview(Box::new(preview)))
}

/// What the server says that a jump would leave as it is. The inner error: why it cannot be asked now.
async fn ask(
    source: &SourceShared,
    stream: &Stream,
    component: Option<&str>,
    restore: &Restore,
) -> Result<Result<Vec<NotRestored>, String>, Failure> {
    let able = source.info.lock().server.as_ref().is_some_and(|server| server.capabilities.iter().any(|one| one == "preview"));
    if !able {
        return Ok(Err("the agent in the server is an older one".to_owned()));
    }
    let (session, view) = stream.clone();
    let command = Command::Preview { session, view, component: component.map(str::to_owned), restore: restore.clone() };
    match timeout(PREVIEW_DEADLINE, call(source, &command)).await {
        Ok(Ok(CommandResult { not_restored, .. })) => Ok(Ok(not_restored)),
        Ok(Err(failure)) if failure.code == ErrorCode::Busy => Ok(Err("the page is busy".to_owned())),
        Ok(Err(failure)) => Err(failure),
        Err(_) => Ok(Err(format!("the server did not answer within {} s", PREVIEW_DEADLINE.as_secs()))),
    }
}

/// What can be told of a jump without the server: what was not recorded so that it could be put back, and differs from now.
fn from_recording(restore: &Restore, now: &Assigns) -> Vec<NotRestored> {
    let set: Assigns = serde_json::from_str(restore.set.get()).unwrap_or_default();
    let mut lost = Vec::new();
    for (path, value) in &set {
        if restore.unsent.is_some() && !now.is_empty() && !now.contains_key(path) {
            lost.push(NotRestored { path: path.clone(), why: "the view has no such assign now".to_owned() });
        } else if now.get(path).is_none_or(|now| now.get() != value.get())
            && let Some((_, why)) = NEVER.iter().find(|(kind, _)| holds(value, kind))
        {
            lost.push(NotRestored { path: path.clone(), why: (*why).to_owned() });
        }
    }
    if let Some(unsent) = &restore.unsent {
        let kept = now.keys().filter(|name| !set.contains_key(*name) && !unsent.contains(name));
        lost.extend(kept.map(|name| NotRestored { path: name.clone(), why: "the step did not have it: it stays as it is".to_owned() }));
    }
    lost
}

/// Temporary assigns that djust had reset before the step: the page still showed them, and shows nothing of them after the jump.
fn reset_before(source: &SourceShared, stream: &Stream, target: JumpTarget, component: Option<&str>) -> Vec<NotRestored> {
    let (temporary, _) = crate::intake::assign_notes(source, stream);
    if target.side == Side::After || temporary.is_empty() || component.is_some() {
        return Vec::new();
    }
    let earlier = neighbours(source, stream, target.step).into_iter().find(|step| *step < target.step);
    let Some(shown) = earlier.and_then(|step| assigns(source, step, Side::After).ok()) else { return Vec::new() };
    let Ok(found) = assigns(source, target.step, target.side) else { return Vec::new() };
    let text = |state: &Assigns, name: &String| state.get(name).map(|value| value.get().to_owned());
    let reset = temporary.into_iter().filter(|name| text(&shown, name) != text(&found, name));
    reset
        .map(|path| NotRestored {
            path,
            why: "temporary_assigns: djust had reset it before this step, and the page then shows it so".to_owned(),
        })
        .collect()
}

/// The nearest step of the stream whose state after it can be put back whole.
async fn nearest_whole(source: &Arc<SourceShared>, stream: &Stream, step: StepId, ask_server: bool) -> Result<Option<StepId>, Failure> {
    let of = stream.clone();
    let candidates = look_up(source, move |source| {
        let now = current(source, &of);
        let near = neighbours(source, &of, step).into_iter().take(STATES);
        let restores = near.filter_map(|near| Some((near, to_restore(source, &of, near, Side::After).ok()?)));
        let whole = restores.filter(|(_, restore)| from_recording(restore, &now).is_empty());
        Ok(whole.take(if ask_server { QUESTIONS } else { 1 }).collect::<Vec<_>>())
    })
    .await?;
    for (near, restore) in candidates {
        if !ask_server || ask(source, stream, None, &restore).await.is_ok_and(|lost| lost.is_ok_and(|lost| lost.is_empty())) {
            return Ok(Some(near));
        }
    }
    Ok(None)
}

/// The other steps of a stream that have states, the nearest first.
fn neighbours(source: &SourceShared, stream: &Stream, step: StepId) -> Vec<StepId> {
    let steps = source.steps.read();
    let Some(middle) = steps.position(step) else { return Vec::new() };
    let fits = |position: &usize| {
        let (block, at) = steps.block(*position);
        let has_state = block.state_bytes().get(at).is_some_and(|bytes| *bytes > 0);
        has_state && block.stream(at).is_some_and(|(session, view)| session.as_ref() == Some(&stream.0) && *view == stream.1)
    };
    let around = (1..=LOOK_AROUND).flat_map(|by| [middle.checked_sub(by), Some(middle + by).filter(|at| *at < steps.len())]);
    around.flatten().filter(fits).filter_map(|position| steps.id(position)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(text: &str) -> Assigns {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn without_the_server_the_recording_says_what_a_jump_would_leave() {
        let cases = [
            (r#"{"n":1}"#, r#"{"n":2}"#, vec![]),
            (r#"{"s":{"$t":"redacted","of":"str"}}"#, r#"{"s":{"$t":"redacted","of":"int"}}"#, vec![("s", "its value was redacted")]),
            (r#"{"s":{"$t":"redacted","of":"str"}}"#, r#"{"s":{"$t":"redacted","of":"str"}}"#, vec![]),
            (r#"{"s":"say \"$t\":\"cut\""}"#, r#"{"s":""}"#, vec![]),
            (r#"{"rows":[{"u":{"$t":"model","pk":1}}]}"#, r#"{"rows":[]}"#, vec![("rows", NEVER[4].1)]),
            (
                r#"{"gone":1}"#,
                r#"{"n":2}"#,
                vec![("gone", "the view has no such assign now"), ("n", "the step did not have it: it stays as it is")],
            ),
        ];
        for (set, now, expected) in cases {
            let restore = Restore { set: RawValue::from_string(set.to_owned()).unwrap(), unsent: Some(vec![]), untyped: false };
            let lost = from_recording(&restore, &state(now));
            let lost: Vec<(&str, &str)> = lost.iter().map(|lost| (lost.path.as_str(), lost.why.as_str())).collect();
            assert_eq!(lost, expected, "{set}");
        }
    }
}
