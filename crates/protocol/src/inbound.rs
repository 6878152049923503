//! What an agent says.

use std::collections::BTreeMap;

use inspector_model::{
    Access, By, Cause, Configuration, ErrorDetail, Frame, LONGEST_ID, LONGEST_WORDS, LogRecord, MOST_LISTED, NotRestored, PageShell, Rate,
    ServerInfo, Session, SessionId, Side, SqlQuery, Status, StepId, StepKind, StyleSheet, Sure, Suspect, Timing, ViewId, bounded_id, cut,
    deserialize_list,
};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::state::StateChange;

/// A frame of the agent.
#[derive(Debug)]
pub struct AgentFrame {
    /// Its number; `welcome`, `refused` and `answer` have none.
    pub seq: Option<u64>,
    /// When it was sent, Unix seconds.
    pub at: f64,
    /// The agent of the worker that it is from, where that is another one than the welcome's.
    pub worker: Option<String>,
    /// What it says.
    pub body: Body,
}

/// What a frame says.
#[derive(Debug)]
pub enum Body {
    /// The agent speaks our protocol.
    Welcome(Box<Welcome>),
    /// It does not.
    Refused(RefusedReason),
    /// A page.
    Session(Box<Session>),
    /// A state without a step.
    State {
        /// Whose.
        session: SessionId,
        /// Which view.
        view: Option<ViewId>,
        /// The state.
        state: StateChange,
    },
    /// What surrounds the live part of a page.
    Page(SessionId, Box<PageShell>),
    /// Something happened.
    Step(Box<AgentStep>),
    /// Rate-limit levels.
    Rate(SessionId, Box<Rate>),
    /// The configuration.
    Config(Box<Configuration>),
    /// A log record outside any step.
    Log(Box<LogRecord>),
    /// The server changed.
    Server(Box<ServerInfo>),
    /// Frames were dropped; a sync follows.
    Gap {
        /// How many.
        dropped: u64,
        /// Why.
        why: String,
    },
    /// The sync is over.
    Synced,
    /// The server is going down.
    Bye(String),
    /// Another worker is seen from now on. Its frames follow.
    Worker(WorkerSeen),
    /// The agents of all workers that are seen now.
    Workers(Vec<String>),
    /// A command's answer.
    Answer {
        /// The command.
        id: u64,
        /// What came of it.
        result: Result<Box<RawValue>, AnswerError>,
    },
    /// A frame that this version does not know.
    Unknown(String),
}

/// The agent's greeting.
#[derive(Debug, Deserialize)]
pub struct Welcome {
    /// The agent's id: new with each server process.
    pub agent: String,
    /// Version of the agent.
    #[serde(default)]
    pub version: String,
    /// Whether the stream goes on where it was left.
    #[serde(default)]
    pub resumed: bool,
    /// The last number given.
    #[serde(default)]
    pub seq: u64,
    /// Seconds since the point to resume from for which the agent recorded nothing, because no inspector was there.
    #[serde(default)]
    pub unrecorded: Option<f64>,
    /// What this attachment may do.
    pub access: Option<Access>,
    /// The process.
    #[serde(default)]
    pub server: ServerInfo,
}

/// Another worker of the server.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct WorkerSeen {
    /// Its agent.
    pub agent: String,
    /// Whether its stream goes on where it was left.
    #[serde(default)]
    pub resumed: bool,
    /// The last number that it gave before.
    #[serde(default)]
    pub from: u64,
    /// As in [`Welcome`].
    #[serde(default)]
    pub unrecorded: Option<f64>,
}

/// Why the agent does not talk to us.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct RefusedReason {
    /// Short name.
    pub code: String,
    /// In words.
    pub message: String,
}

/// Why a command was not carried out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct AnswerError {
    /// `no_session`, `busy`, `refused` …
    pub code: String,
    /// In words.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

/// One step, as the agent tells it.
#[derive(Debug)]
pub struct AgentStep {
    /// Its identity.
    pub key: String,
    /// The page.
    pub session: Option<SessionId>,
    /// The child view.
    pub view: Option<ViewId>,
    /// The component.
    pub component: Option<String>,
    /// What happened.
    pub kind: StepKind,
    /// What it is called.
    pub name: String,
    /// Typed parameters, JSON text.
    pub params: Option<String>,
    /// Parameters as the browser sent them, JSON text.
    pub raw: Option<String>,
    /// djust's request number.
    pub reference: Option<i64>,
    /// Unix seconds.
    pub started: f64,
    /// Milliseconds.
    pub ms: Option<f64>,
    /// Where the time went.
    pub timing: Option<Timing>,
    /// The state that it found; `None` where nothing was held before.
    pub before: Option<StateChange>,
    /// The state that it left.
    pub after: Option<StateChange>,
    /// How it ended.
    pub status: Status,
    /// What went wrong.
    pub error: Option<ErrorDetail>,
    /// Why it happened.
    pub cause: Option<Cause>,
    /// Queries.
    pub sql: Vec<SqlQuery>,
    /// Log records.
    pub logs: Vec<LogRecord>,
    /// Frames.
    pub frames: Vec<Frame>,
    /// The page, when it was rendered anew.
    pub html: Option<String>,
    /// Taken from djust's ring.
    pub history: bool,
    /// What the agent saw of who changed the state since the last step, with the keys of steps.
    pub outside: Vec<Seen>,
}

/// Who may have changed a state outside of steps, as the agent tells it.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The suspicion, still without its step.
    pub suspect: Suspect,
    /// The key of the step that is the cause.
    pub key: Option<String>,
}

/// A frame that could not be read.
#[derive(Debug, thiserror::Error)]
#[error("the agent sent a frame that cannot be read: {reason}")]
pub struct Undecodable {
    /// What the parser said.
    pub reason: String,
}

/// Reads a frame. Never panics, never reads more than the text.
pub fn decode(text: &str) -> Result<AgentFrame, Undecodable> {
    // Steps are most of all frames, and the largest. The agent writes a frame's kind first, so they are known without having
    // been read, and are read once. Whatever only looks like one goes the long way.
    if text.starts_with(r#"{"t":"step","#)
        && let Ok(mut wire) = read::<StepWire>(text)
    {
        let worker = wire.worker.take().map(id);
        return Ok(AgentFrame { seq: wire.seq, at: wire.at, worker, body: Body::Step(Box::new(wire.into())) });
    }
    let mut head: Head = read(text)?;
    head.worker = head.worker.map(id);
    let body = match head.t.as_str() {
        "welcome" => {
            let mut welcome: Box<Welcome> = read(text)?;
            welcome.agent = id(welcome.agent);
            cut(&mut welcome.version, LONGEST_ID);
            Body::Welcome(welcome)
        }
        "refused" => {
            let mut refused: RefusedReason = read(text)?;
            cut(&mut refused.code, LONGEST_ID);
            cut(&mut refused.message, LONGEST_WORDS);
            Body::Refused(refused)
        }
        "session" => Body::Session(read(text)?),
        "state" => {
            let wire: StateWire = read(text)?;
            Body::State { session: wire.session, view: wire.view, state: wire.state }
        }
        "page" => {
            let wire: PageWire = read(text)?;
            Body::Page(wire.session, Box::new(wire.page.into()))
        }
        "step" => Body::Step(Box::new(read::<StepWire>(text)?.into())),
        "rate" => {
            let wire: RateWire = read(text)?;
            Body::Rate(wire.session, Box::new(wire.rate))
        }
        "config" => Body::Config(read(text)?),
        "log" => {
            let mut record: Box<LogRecord> = read(text)?;
            cut(&mut record.level, LONGEST_ID);
            cut(&mut record.logger, LONGEST_WORDS);
            Body::Log(record)
        }
        "server" => Body::Server(Box::new(read::<ServerWire>(text)?.server)),
        "gap" => {
            let mut wire: GapWire = read(text)?;
            cut(&mut wire.why, LONGEST_WORDS);
            Body::Gap { dropped: wire.dropped, why: wire.why }
        }
        "synced" => Body::Synced,
        "bye" => {
            let mut wire: ByeWire = read(text)?;
            cut(&mut wire.why, LONGEST_WORDS);
            Body::Bye(wire.why)
        }
        "worker" => {
            let seen: WorkerSeen = read(text)?;
            Body::Worker(WorkerSeen { agent: id(seen.agent), ..seen })
        }
        "workers" => Body::Workers(read::<WorkersWire>(text)?.agents.into_iter().map(id).collect()),
        "answer" => {
            let wire: AnswerWire = read(text)?;
            let mut error = wire.error.unwrap_or_default();
            cut(&mut error.code, LONGEST_ID);
            for text in error.hint.iter_mut().chain([&mut error.message]) {
                cut(text, LONGEST_WORDS);
            }
            let result = if wire.ok { wire.result.ok_or_else(AnswerError::default) } else { Err(error) };
            Body::Answer { id: wire.id, result }
        }
        _ => {
            cut(&mut head.t, LONGEST_ID);
            Body::Unknown(head.t)
        }
    };
    Ok(AgentFrame { seq: head.seq, at: head.at, worker: head.worker, body })
}

fn read<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Undecodable> {
    serde_json::from_str(text).map_err(|error| {
        // It quotes what it did not expect.
        let mut reason = error.to_string();
        cut(&mut reason, LONGEST_REASON);
        Undecodable { reason }
    })
}

/// The longest reason why a frame cannot be read, bytes.
const LONGEST_REASON: usize = 500;

/// An id that is no type of its own.
fn id(text: String) -> String {
    bounded_id(text.into()).into_owned()
}

/// A text that tables show.
fn words(mut text: String) -> String {
    cut(&mut text, LONGEST_WORDS);
    text
}

#[derive(Deserialize)]
struct Head {
    t: String,
    #[serde(default)]
    seq: Option<u64>,
    #[serde(default)]
    at: f64,
    #[serde(default)]
    worker: Option<String>,
}

#[derive(Deserialize)]
struct WorkersWire {
    #[serde(deserialize_with = "deserialize_list")]
    agents: Vec<String>,
}

#[derive(Deserialize)]
struct StateWire {
    session: SessionId,
    #[serde(default)]
    view: Option<ViewId>,
    state: StateChange,
}

#[derive(Deserialize)]
struct RateWire {
    session: SessionId,
    #[serde(flatten)]
    rate: Rate,
}

#[derive(Deserialize)]
struct PageWire {
    session: SessionId,
    page: ShellWire,
}

#[derive(Deserialize)]
struct ShellWire {
    #[serde(default)]
    url: String,
    before: String,
    after: String,
    #[serde(default, deserialize_with = "deserialize_list")]
    styles: Vec<StyleWire>,
}

#[derive(Deserialize)]
struct StyleWire {
    href: String,
    #[serde(default)]
    text: String,
}

impl From<ShellWire> for PageShell {
    fn from(wire: ShellWire) -> Self {
        let styles = wire.styles.into_iter().map(|StyleWire { href, text }| StyleSheet { href, text }).collect();
        Self { url: wire.url, before: wire.before, after: wire.after, styles }
    }
}

#[derive(Deserialize)]
struct ServerWire {
    server: ServerInfo,
}

#[derive(Deserialize)]
struct GapWire {
    #[serde(default)]
    dropped: u64,
    #[serde(default)]
    why: String,
}

#[derive(Deserialize)]
struct ByeWire {
    #[serde(default)]
    why: String,
}

#[derive(Deserialize)]
struct AnswerWire {
    id: u64,
    ok: bool,
    #[serde(default)]
    result: Option<Box<RawValue>>,
    #[serde(default)]
    error: Option<AnswerError>,
}

#[derive(Deserialize)]
struct HtmlWire {
    text: String,
}

#[derive(Deserialize)]
struct StepWire {
    #[serde(default)]
    seq: Option<u64>,
    #[serde(default)]
    at: f64,
    #[serde(default)]
    worker: Option<String>,
    key: String,
    #[serde(default)]
    session: Option<SessionId>,
    #[serde(default)]
    view: Option<ViewId>,
    #[serde(default)]
    component: Option<String>,
    kind: StepKind,
    #[serde(default)]
    name: String,
    #[serde(default)]
    params: Option<Box<RawValue>>,
    #[serde(default)]
    raw: Option<String>,
    #[serde(default, rename = "ref")]
    reference: Option<i64>,
    #[serde(default)]
    started: f64,
    #[serde(default)]
    ms: Option<f64>,
    #[serde(default)]
    timing: Option<Timing>,
    #[serde(default)]
    before: Option<StateChange>,
    #[serde(default)]
    after: Option<StateChange>,
    #[serde(default)]
    status: Status,
    #[serde(default)]
    error: Option<ErrorDetail>,
    #[serde(default)]
    cause: Option<CauseWire>,
    #[serde(default, deserialize_with = "deserialize_list")]
    sql: Vec<SqlQuery>,
    #[serde(default, deserialize_with = "deserialize_list")]
    logs: Vec<LogRecord>,
    #[serde(default, deserialize_with = "deserialize_list")]
    frames: Vec<Frame>,
    #[serde(default)]
    html: Option<HtmlWire>,
    #[serde(default)]
    history: bool,
    #[serde(default, deserialize_with = "deserialize_list")]
    outside: Vec<SeenWire>,
}

/// A suspicion whose `step` is a key.
#[derive(Deserialize)]
struct SeenWire {
    #[serde(default)]
    by: By,
    #[serde(default)]
    sure: Sure,
    #[serde(default, deserialize_with = "deserialize_list")]
    names: Vec<String>,
    #[serde(default)]
    what: Option<String>,
    #[serde(default, rename = "where")]
    place: Option<String>,
    #[serde(default)]
    step: Option<String>,
    #[serde(default)]
    session: Option<SessionId>,
    #[serde(default)]
    at: Option<f64>,
}

impl From<SeenWire> for Seen {
    fn from(wire: SeenWire) -> Self {
        let SeenWire { by, sure, names, what, place, step, session, at } = wire;
        let mut suspect = Suspect { by, sure, names, what, place, step: None, session, at };
        suspect.cut(LONGEST_WORDS, MOST_LISTED);
        Self { suspect, key: step.map(id) }
    }
}

/// The union of what causes say; the step's kind tells which part means something.
#[derive(Default, Deserialize)]
#[serde(default)]
struct CauseWire {
    target: Option<TargetWire>,
    dispatched: bool,
    reload: Option<String>,
    file: Option<String>,
    kind: Option<String>,
    module: Option<String>,
    #[serde(deserialize_with = "deserialize_list")]
    classes: Vec<String>,
    result: Option<String>,
    reason: Option<String>,
    code: Option<u16>,
    limit: Option<String>,
    caller: Option<String>,
    warnings: Option<u32>,
    max_warnings: Option<u32>,
    started_by: Option<String>,
}

/// What a command gave as its target, echoed.
#[derive(Default, Deserialize)]
#[serde(default)]
struct TargetWire {
    step: Option<StepId>,
    side: Side,
    edited: bool,
}

impl CauseWire {
    fn into_cause(self, kind: StepKind) -> Option<Cause> {
        if self.dispatched {
            return Some(Cause::Dispatched);
        }
        match kind {
            StepKind::Jump => {
                let target = self.target.unwrap_or_default();
                Some(Cause::Jump { step: target.step, side: target.side })
            }
            StepKind::Replay => {
                let target = self.target.unwrap_or_default();
                Some(Cause::Replay { step: target.step, edited: target.edited })
            }
            StepKind::Reload => Some(Cause::Save {
                file: self.file.unwrap_or_default(),
                file_kind: self.kind.unwrap_or_default(),
                module: self.module,
                classes: self.classes,
            }),
            StepKind::HotReload | StepKind::Hvr => Some(Cause::Reloaded {
                reload: id(self.reload.unwrap_or_default()),
                file: self.file.unwrap_or_default(),
                result: self.result.unwrap_or_default(),
                reason: self.reason,
            }),
            _ if self.started_by.is_some() => Some(Cause::Started { by: self.started_by.unwrap_or_default() }),
            _ if self.limit.is_some() || self.code.is_some() || kind == StepKind::RateLimited => Some(Cause::Limit {
                code: self.code,
                reason: self.reason.unwrap_or_default(),
                limit: self.limit,
                caller: self.caller,
                warnings: self.warnings,
                max_warnings: self.max_warnings,
            }),
            _ => None,
        }
    }
}

impl From<StepWire> for AgentStep {
    fn from(wire: StepWire) -> Self {
        Self {
            key: id(wire.key),
            session: wire.session,
            view: wire.view,
            component: wire.component.map(words),
            kind: wire.kind,
            name: words(wire.name),
            params: wire.params.map(|raw| raw.get().to_owned()),
            raw: wire.raw,
            reference: wire.reference,
            started: wire.started,
            ms: wire.ms,
            timing: wire.timing,
            before: wire.before,
            after: wire.after,
            status: wire.status,
            error: wire.error,
            cause: wire.cause.and_then(|cause| cause.into_cause(wire.kind)).map(|mut cause| {
                cause.cut(LONGEST_WORDS, MOST_LISTED);
                cause
            }),
            sql: wire.sql,
            logs: wire.logs,
            frames: wire.frames,
            html: wire.html.map(|html| html.text),
            history: wire.history,
            outside: wire.outside.into_iter().map(Seen::from).collect(),
        }
    }
}

/// What a jump or replay answers.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct CommandResult {
    /// The step that it became.
    pub step: Option<String>,
    /// What was left as it was.
    #[serde(deserialize_with = "deserialize_list")]
    pub not_restored: Vec<NotRestored>,
    /// How the handler ended.
    pub status: Option<Status>,
    /// What the handler raised.
    pub error: Option<ErrorDetail>,
    /// What the page's ticks are now.
    pub paused: Option<bool>,
    /// Addresses that may connect again.
    #[serde(deserialize_with = "deserialize_list")]
    pub lifted: Vec<String>,
    /// Anything else, kept.
    #[serde(flatten)]
    pub rest: BTreeMap<String, serde_json::Value>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_read_with_its_cause() {
        let frame = decode(
            r#"{"t":"step","seq":4,"at":1.5,"key":"k","session":"s","kind":"jump","name":"jump","cause":{"target":{"step":7,"side":"before"}},
            "params":{"n":1},"html":{"version":2,"text":"<p>"},"from_the_future":1}"#,
        )
        .unwrap();
        let Body::Step(step) = frame.body else { panic!("not a step: {frame:?}") };
        assert_eq!(frame.seq, Some(4));
        assert_eq!(step.cause, Some(Cause::Jump { step: Some(StepId(7)), side: Side::Before }));
        assert_eq!(step.params.as_deref(), Some(r#"{"n":1}"#));
        assert_eq!(step.html.as_deref(), Some("<p>"));
    }

    #[test]
    fn a_page_is_read_with_its_styles() {
        let frame = decode(
            r#"{"t":"page","seq":4,"session":"s","page":{"url":"http://h/","before":"<main>","after":"</main>",
            "styles":[{"href":"/static/a.css","text":"a{}"},{"href":"/static/large.css"}],"more":1}}"#,
        )
        .unwrap();
        let Body::Page(session, page) = frame.body else { panic!("not a page: {frame:?}") };
        assert_eq!((session.as_str(), page.before.as_str(), page.after.as_str()), ("s", "<main>", "</main>"));
        assert_eq!(page.styles.iter().map(|style| style.text.as_str()).collect::<Vec<_>>(), ["a{}", ""]);
    }

    /// One long text in one frame is not what everything after it waits for.
    #[test]
    fn long_ids_and_words_are_cut_and_say_so() {
        let long = "x".repeat(1 << 20);
        let step = format!(
            r#"{{"t":"step","worker":"{long}","key":"{long}","session":"{long}","view":"{long}","component":"{long}","kind":"KIND","name":"{long}",
            "cause":{{"file":"{long}","kind":"{long}","module":"{long}","classes":["{long}"],"reload":"{long}","result":"{long}","reason":"{long}",
            "limit":"{long}","caller":"{long}","started_by":STARTED}},"outside":[{{"names":["{long}"],"what":"{long}","where":"{long}","step":"{long}"}}]}}"#
        );
        for kind in ["event", "reload", "hvr", "rate_limited"] {
            for by in ["null".to_owned(), format!("\"{long}\"")] {
                let frame = decode(&step.replace("KIND", kind).replace("STARTED", &by)).unwrap();
                let told = format!("{frame:?}");
                assert!(told.contains("bytes]") && told.len() < 60_000, "{} bytes", told.len());
            }
        }
        for frame in [
            r#"{"t":"gap","why":"LONG"}"#,
            r#"{"t":"bye","why":"LONG"}"#,
            r#"{"t":"LONG"}"#,
            r#"{"t":"log","level":"LONG","logger":"LONG"}"#,
            r#"{"t":"worker","agent":"LONG"}"#,
            r#"{"t":"workers","agents":["LONG"]}"#,
            r#"{"t":"refused","code":"LONG","message":"LONG"}"#,
            r#"{"t":"welcome","agent":"LONG","version":"LONG"}"#,
            r#"{"t":"answer","id":1,"ok":false,"error":{"code":"LONG","message":"LONG","hint":"LONG"}}"#,
            r#"{"t":"state","session":"LONG","view":"LONG","state":{"version":1,"same":true}}"#,
            r#"{"t":"synced","worker":"LONG"}"#,
        ] {
            let told = format!("{:?}", decode(&frame.replace("LONG", &long)));
            assert!(told.contains("bytes]") && told.len() < 20_000, "{frame}: {} bytes", told.len());
        }
        let told = decode(&format!(r#"{{"t":"step","key":"k","kind":"{long}"}}"#)).unwrap_err().to_string();
        assert!(told.len() < 1_000, "{} bytes", told.len());
    }

    #[test]
    fn unknown_frames_are_no_error_and_garbage_says_why() {
        assert!(matches!(decode(r#"{"t":"wibble"}"#).unwrap().body, Body::Unknown(name) if name == "wibble"));
        let page = r#"{"t":"page","session":"s","page":{"before":"<p>"}}"#;
        for bad in ["", "{}", "[]", r#"{"t":"step"}"#, r#"{"t":1}"#, r#"{"t":"state","session":"s"}"#, page] {
            assert!(!decode(bad).unwrap_err().reason.is_empty(), "{bad}");
        }
    }

    #[test]
    fn frames_of_another_worker_name_it() {
        for text in [r#"{"t":"step","worker":"b","seq":4,"key":"k","kind":"tick"}"#, r#"{"t":"synced","worker":"b","seq":4}"#] {
            let frame = decode(text).unwrap();
            assert_eq!((frame.worker.as_deref(), frame.seq), (Some("b"), Some(4)), "{text}");
        }
        let seen = decode(r#"{"t":"worker","agent":"b","pid":7,"resumed":true,"from":9}"#).unwrap();
        assert!(matches!(seen.body, Body::Worker(WorkerSeen { agent, resumed: true, from: 9, unrecorded: None }) if agent == "b"));
        let all = decode(r#"{"t":"workers","agents":["a","b"]}"#).unwrap();
        assert!(matches!(all.body, Body::Workers(agents) if agents == ["a", "b"]));
    }

    #[test]
    fn answers_carry_result_or_reason() {
        let ok = decode(r#"{"t":"answer","id":3,"ok":true,"result":{"step":"k"}}"#).unwrap();
        assert!(matches!(ok.body, Body::Answer { id: 3, result: Ok(_) }));
        let no = decode(r#"{"t":"answer","id":3,"ok":false,"error":{"code":"no_session","message":"gone"}}"#).unwrap();
        assert!(matches!(no.body, Body::Answer { id: 3, result: Err(error) } if error.code == "no_session"));
    }
}
