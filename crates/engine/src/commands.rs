//! What is sent to a live page: replay, dispatch, ticks, cooldown. One at a time per page. Where it is put is `travel`'s.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use inspector_model::{Answer, CommandDone, ErrorCode, Failure, SessionId, Side, Status, Step, StepId, StepKind, Stream, ViewId};
use inspector_protocol::{Command, CommandResult, Restore};
use serde_json::value::RawValue;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::queries::failed;
use crate::runtime::aside;
use crate::source::SourceShared;
use crate::travel::{mark_live, to_restore};

/// The agent's answer: its result as JSON, or (code, message, hint).
pub type Reply = Result<Box<RawValue>, (String, String, Option<String>)>;

/// A handler may run long; the agent answers before this or says that it did not finish.
const ANSWER_DEADLINE: Duration = Duration::from_secs(30);

static NEXT_COMMAND: AtomicU64 = AtomicU64::new(1);

/// Sends a command and waits for its answer.
pub async fn call(source: &SourceShared, command: &Command) -> Result<CommandResult, Failure> {
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
    let _pending = Pending { source, id };
    let lost = || Failure::new(ErrorCode::NotAttached, "the connection was lost before the server answered");
    let worker = command.session().and_then(|session| source.workers.lock().get(session).cloned());
    let command = command.encode(id, worker.as_deref());
    let answered = async {
        let bytes = command.len();
        socket.send(command, bytes).await.ok()?;
        waiting.await.ok()
    };
    match timeout(ANSWER_DEADLINE, answered).await {
        Ok(Some(Ok(result))) => Ok(result),
        Ok(Some(Err((code, message, hint)))) => {
            let code = match code.as_str() {
                "no_session" | "no_view" => ErrorCode::NotFound,
                "busy" => ErrorCode::Busy,
                "timeout" => ErrorCode::Timeout,
                "bad_request" => ErrorCode::BadRequest,
                _ => ErrorCode::ServerRefused,
            };
            Err(Failure { code, message, hint })
        }
        Ok(None) => Err(lost()),
        Err(_) => Err(Failure::new(ErrorCode::Timeout, format!("the server did not answer within {} s", ANSWER_DEADLINE.as_secs()))),
    }
}

/// A command whose answer is waited for; forgotten when dropped, also when whoever asked has no more time.
struct Pending<'a> {
    source: &'a SourceShared,
    id: u64,
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        self.source.pending.lock().remove(&self.id);
    }
}

/// Marks a page as busy; free again when dropped.
pub struct OneAtATime<'a> {
    source: &'a SourceShared,
    session: SessionId,
}

impl<'a> OneAtATime<'a> {
    pub fn enter(source: &'a SourceShared, session: &SessionId) -> Result<Self, Failure> {
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

pub fn stream_of(step: &Step) -> Result<Stream, Failure> {
    let session =
        step.session.clone().ok_or_else(|| Failure::new(ErrorCode::BadRequest, format!("step {} belongs to no page", step.id)))?;
    Ok((session, step.view.clone()))
}

/// A step. The steps of a live page are in memory, so its commands are begun in the order in which they were asked for.
pub async fn find_step(source: &Arc<SourceShared>, id: StepId) -> Result<Step, Failure> {
    if let Some(step) = source.known_step(id) {
        return Ok(step);
    }
    look_up(source, move |source| source.step(id).ok_or_else(|| Failure::new(ErrorCode::NotFound, format!("there is no step {id}")))).await
}

/// Reads the recording for a command.
pub async fn look_up<T: Send + 'static>(
    source: &Arc<SourceShared>,
    work: impl FnOnce(&SourceShared) -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let source = source.clone();
    aside(move || work(&source)).await
}

pub fn require_open(source: &SourceShared, session: &SessionId) -> Result<(), Failure> {
    if source.sessions.read().get(session).is_some_and(inspector_model::Session::is_open) {
        Ok(())
    } else {
        Err(Failure::new(ErrorCode::NotFound, "the page is not open any more")
            .hint("open it again in the browser; its successor can be jumped"))
    }
}

/// Sends a recorded event again.
pub async fn replay(source: Arc<SourceShared>, step: StepId, params: Option<String>, restore: bool) -> Result<Answer, Failure> {
    let recorded = find_step(&source, step).await?;
    let replayable = matches!(recorded.kind, StepKind::Event | StepKind::Replay | StepKind::RateLimited);
    if !replayable {
        return Err(Failure::new(ErrorCode::BadRequest, format!("step {step} is no event: there is no handler to call again")));
    }
    let stream = stream_of(&recorded)?;
    require_open(&source, &stream.0)?;
    let _one = OneAtATime::enter(&source, &stream.0)?;
    let edited = params.is_some();
    let of = stream.clone();
    let (params, restore) = look_up(&source, move |source| {
        let recorded_params = || {
            let detail = source.reader.detail(step).map_err(|error| failed(&error))?;
            Ok(detail.raw_params.or(detail.params).unwrap_or_else(|| "{}".to_owned()))
        };
        let params = object(params.map_or_else(recorded_params, Ok)?)?;
        // Assigns that were not there yet are no news here: what differs in the end is told by the verdict.
        let restore = restore.then(|| to_restore(source, &of, step, Side::Before)).transpose()?;
        Ok((params, restore.map(|restore| Restore { unsent: None, ..restore })))
    })
    .await?;
    if restore.is_some() {
        mark_live(&source, &stream);
    }
    let command = Command::Replay {
        session: stream.0,
        view: stream.1,
        component: recorded.component,
        restore,
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
