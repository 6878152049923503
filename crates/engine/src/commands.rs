//! What changes a live page: jump, return, replay, dispatch, ticks, cooldown. One at a time per page.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use inspector_model::{
    Answer, CommandDone, ErrorCode, Failure, JumpTarget, Kind, RemoteCursor, SessionId, Side, StateAnswer, Status, Step, StepId, StepKind,
    Stream, Value, ViewId, parse_value,
};
use inspector_protocol::{Command, CommandResult};
use serde_json::value::RawValue;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::outbox::{Outbox, Topic};
use crate::source::SourceShared;

/// The agent's answer: its result as JSON, or (code, message, hint).
pub type Reply = Result<Box<RawValue>, (String, String, Option<String>)>;

/// A handler may run long; the agent answers before this or says that it did not finish.
const ANSWER_DEADLINE: Duration = Duration::from_secs(30);

static NEXT_COMMAND: AtomicU64 = AtomicU64::new(1);

/// Sends a command and waits for its answer.
async fn call(source: &SourceShared, command: &Command) -> Result<CommandResult, Failure> {
    let raw = call_raw(source, command).await?;
    serde_json::from_str(raw.get())
        .map_err(|error| Failure::new(ErrorCode::ServerRefused, format!("the agent's answer cannot be read: {error}")))
}

async fn call_raw(source: &SourceShared, command: &Command) -> Result<Box<RawValue>, Failure> {
    let socket = source.socket.lock().clone();
    let Some(socket) = socket else {
        return Err(Failure::new(ErrorCode::NotAttached, "the server is not attached")
            .hint("wait until the connection is back, or attach to a running server"));
    };
    let id = NEXT_COMMAND.fetch_add(1, Ordering::Relaxed);
    let (answer, waiting) = oneshot::channel();
    source.pending.lock().insert(id, answer);
    let lost = || Failure::new(ErrorCode::NotAttached, "the connection was lost before the server answered");
    if socket.send(command.encode(id)).await.is_err() {
        source.pending.lock().remove(&id);
        return Err(lost());
    }
    match timeout(ANSWER_DEADLINE, waiting).await {
        Ok(Ok(Ok(result))) => Ok(result),
        Ok(Ok(Err((code, message, hint)))) => {
            let code = match code.as_str() {
                "no_session" | "no_view" => ErrorCode::NotFound,
                "busy" => ErrorCode::Busy,
                "timeout" => ErrorCode::Timeout,
                "bad_request" => ErrorCode::BadRequest,
                _ => ErrorCode::ServerRefused,
            };
            Err(Failure { code, message, hint })
        }
        Ok(Err(_)) => Err(lost()),
        Err(_) => {
            source.pending.lock().remove(&id);
            Err(Failure::new(ErrorCode::Timeout, format!("the server did not answer within {} s", ANSWER_DEADLINE.as_secs())))
        }
    }
}

/// Marks a page as busy; free again when dropped.
struct OneAtATime<'a> {
    source: &'a SourceShared,
    session: SessionId,
}

impl<'a> OneAtATime<'a> {
    fn enter(source: &'a SourceShared, session: &SessionId) -> Result<Self, Failure> {
        if source.busy.lock().insert(session.clone()) {
            Ok(Self { source, session: session.clone() })
        } else {
            Err(Failure::new(ErrorCode::Busy, "another command to this page is under way").hint("try again when it is done"))
        }
    }
}

impl Drop for OneAtATime<'_> {
    fn drop(&mut self) {
        self.source.busy.lock().remove(&self.session);
    }
}

fn stream_of(step: &Step) -> Result<Stream, Failure> {
    let session =
        step.session.clone().ok_or_else(|| Failure::new(ErrorCode::BadRequest, format!("step {} belongs to no page", step.id)))?;
    Ok((session, step.view.clone()))
}

fn find_step(source: &SourceShared, id: StepId) -> Result<Step, Failure> {
    source.step(id).ok_or_else(|| Failure::new(ErrorCode::NotFound, format!("there is no step {id}")))
}

fn require_open(source: &SourceShared, session: &SessionId) -> Result<(), Failure> {
    if source.sessions.read().get(session).is_some_and(inspector_model::Session::is_open) {
        Ok(())
    } else {
        Err(Failure::new(ErrorCode::NotFound, "the page is not open any more")
            .hint("open it again in the browser; its successor can be jumped"))
    }
}

/// A recorded state, parsed by its top-level assigns.
fn assigns(source: &SourceShared, step: StepId, side: Side) -> Result<BTreeMap<String, Box<RawValue>>, Failure> {
    let missing = |why: String| Failure::new(ErrorCode::Missing, format!("the state at step {step} was not recorded: {why}"));
    match source.reader.state(step, side) {
        Ok(StateAnswer::Full(text)) => serde_json::from_str(&text).map_err(|error| missing(error.to_string())),
        Ok(StateAnswer::Missing(why)) => Err(missing(why)),
        Err(error) => Err(Failure::new(ErrorCode::Io, error.to_string())),
    }
}

/// The assigns to put back so that `stream` stands where `step` ended (or began).
///
/// All of them: only the server knows, with the page locked, which differ from what it holds by then; the recording may lag behind it.
/// Left out is what was not recorded whole and looks the same now: it can neither be put back nor be compared.
fn to_restore(source: &SourceShared, stream: &Stream, step: StepId, side: Side) -> Result<Box<RawValue>, Failure> {
    let mut target = assigns(source, step, side)?;
    if let Some(last) = source.last_with_state(stream)
        && let Ok(current) = assigns(source, last, Side::After)
    {
        target.retain(|name, value| recorded_whole(value) || current.get(name).map(|now| now.get()) != Some(value.get()));
    }
    raw(&target)
}

/// Whether nothing in a value was redacted or cut off. The marks cannot be in a string: its quotes would be escaped.
fn recorded_whole(value: &RawValue) -> bool {
    !["redacted", "cut", "deep"].iter().any(|kind| value.get().contains(&format!(r#""$t":"{kind}""#)))
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
    let step = find_step(&source, target.step)?;
    let stream = stream_of(&step)?;
    require_open(&source, &stream.0)?;
    let _one = OneAtATime::enter(&source, &stream.0)?;
    let set = match &component {
        None => to_restore(&source, &stream, target.step, target.side)?,
        Some(id) => {
            let state = raw(&assigns(&source, target.step, target.side)?)?;
            let state = parse_value(state.get()).map_err(|error| Failure::new(ErrorCode::Missing, error.to_string()))?;
            let fields = component_fields(&state, id)
                .ok_or_else(|| Failure::new(ErrorCode::NotFound, format!("the state at step {} has no component {id}", target.step)))?;
            raw(fields)?
        }
    };
    if let Some(last) = source.last_with_state(&stream) {
        source.live_marks.lock().entry(stream.clone()).or_insert(last);
    }
    let was = source.cursors.lock().get(&stream.0).copied().unwrap_or_default();
    set_cursor(&source, &outbox, &stream.0, RemoteCursor::Jumping(target));
    let command = Command::Jump { session: stream.0.clone(), view: stream.1.clone(), component, set, target };
    match call(&source, &command).await {
        Ok(result) => {
            set_cursor(&source, &outbox, &stream.0, RemoteCursor::At(target));
            let message = format!("The page is at step {}", target.step);
            Ok(Answer::Command(CommandDone { message, not_restored: result.not_restored, trouble: None }))
        }
        Err(failure) => {
            let unsure = matches!(failure.code, ErrorCode::Timeout | ErrorCode::NotAttached);
            set_cursor(&source, &outbox, &stream.0, if unsure { RemoteCursor::Unknown } else { was });
            Err(failure)
        }
    }
}

/// Puts a page to where it stood before the first jump.
pub async fn return_to_live(
    source: Arc<SourceShared>,
    outbox: Arc<Outbox>,
    session: SessionId,
    view: Option<ViewId>,
) -> Result<Answer, Failure> {
    let stream = (session, view);
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

/// Sends a recorded event again.
pub async fn replay(source: Arc<SourceShared>, step: StepId, params: Option<String>, restore: bool) -> Result<Answer, Failure> {
    let recorded = find_step(&source, step)?;
    let replayable = matches!(recorded.kind, StepKind::Event | StepKind::Replay | StepKind::RateLimited);
    if !replayable {
        return Err(Failure::new(ErrorCode::BadRequest, format!("step {step} is no event: there is no handler to call again")));
    }
    let stream = stream_of(&recorded)?;
    require_open(&source, &stream.0)?;
    let _one = OneAtATime::enter(&source, &stream.0)?;
    let detail = source.reader.detail(step).map_err(|error| Failure::new(ErrorCode::Io, error.to_string()))?;
    let recorded_params = detail.raw_params.or(detail.params).unwrap_or_else(|| "{}".to_owned());
    let edited = params.is_some();
    let params = object(params.unwrap_or(recorded_params))?;
    let set = if restore { Some(to_restore(&source, &stream, step, Side::Before)?) } else { None };
    let command = Command::Replay {
        session: stream.0,
        view: stream.1,
        component: recorded.component,
        set,
        event: recorded.name,
        params,
        step,
        edited,
    };
    Ok(event_answer(call(&source, &command).await?, "Replayed"))
}

/// Sends any event.
pub async fn dispatch(
    source: Arc<SourceShared>,
    session: SessionId,
    view: Option<ViewId>,
    component: Option<String>,
    event: String,
    params: String,
) -> Result<Answer, Failure> {
    require_open(&source, &session)?;
    let _one = OneAtATime::enter(&source, &session)?;
    let command = Command::Dispatch { session, view, component, event, params: object(params)? };
    Ok(event_answer(call(&source, &command).await?, "Sent"))
}

fn object(text: String) -> Result<Box<RawValue>, Failure> {
    let wrong = |why: String| {
        Failure::new(ErrorCode::BadRequest, format!("the parameters are no JSON object: {why}")).hint(r#"write them as {"name": value}"#)
    };
    match serde_json::from_str::<serde_json::Value>(&text) {
        Ok(serde_json::Value::Object(_)) => RawValue::from_string(text).map_err(|error| wrong(error.to_string())),
        Ok(_) => Err(wrong("it is another kind of value".into())),
        Err(error) => Err(wrong(error.to_string())),
    }
}

fn event_answer(result: CommandResult, verb: &str) -> Answer {
    let status = result.status.unwrap_or_default();
    let trouble = (status != Status::Ok).then(|| match &result.error {
        Some(error) if error.kind.is_empty() => format!("{}: {}", status.word(), error.message),
        Some(error) => format!("{}: {}: {}", status.word(), error.kind, error.message),
        None => status.word().to_owned(),
    });
    let message = match &trouble {
        None => verb.to_owned(),
        Some(_) => format!("{verb}; the handler did not end well"),
    };
    Answer::Command(CommandDone { message, not_restored: result.not_restored, trouble })
}

/// djust's ring as it is now.
pub async fn ring(source: Arc<SourceShared>, session: SessionId, view: Option<ViewId>) -> Result<Answer, Failure> {
    let raw = call_raw(&source, &Command::Ring { session, view }).await?;
    Ok(Answer::Ring(raw.get().to_owned()))
}

/// Stops or restarts a view's ticks.
pub async fn ticks(source: Arc<SourceShared>, session: SessionId, view: Option<ViewId>, paused: bool) -> Result<Answer, Failure> {
    let result = call(&source, &Command::Ticks { session, view, paused }).await?;
    let message = if result.paused.unwrap_or(paused) { "Ticks are paused" } else { "Ticks go on" };
    Ok(Answer::Command(CommandDone { message: message.into(), ..CommandDone::default() }))
}

/// Lets a page's address connect again.
pub async fn lift_cooldown(source: Arc<SourceShared>, session: SessionId) -> Result<Answer, Failure> {
    let result = call(&source, &Command::LiftCooldown { session }).await?;
    let message = if result.lifted.is_empty() {
        "There was no cooldown to lift".to_owned()
    } else {
        format!("Lifted for {}", result.lifted.join(", "))
    };
    Ok(Answer::Command(CommandDone { message, ..CommandDone::default() }))
}
