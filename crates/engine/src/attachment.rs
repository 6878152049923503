//! One attached server: connect, greet, read, reconnect.
//!
//! The socket's task only moves text: frames go to the recorder's thread through a bounded channel, so a slow disk slows
//! the socket down, and the agent then drops frames and says how many.

mod silence;

use std::any::Any;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::{FutureExt as _, SinkExt as _, StreamExt as _};
use inspector_model::{AttachOptions, Failure, Level, RemoteCursor, SourceState, is_loopback, unprotected};
use inspector_protocol::{ATTACH_QUERY, AnswerError, Body, DEFAULT_WS_PATH, MAX_FRAME_BYTES, Resume, decode, hello};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, interval, sleep, timeout};
use tokio_tungstenite::Connector;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::{HeaderValue, Request, Response};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error as WsError, Message, Utf8Bytes};

use crate::discovery::found_servers;
use crate::intake::Intake;
use crate::outbox::{Outbox, Topic};
use crate::queue::{self, Sender, Weighed};
use crate::runtime::aside;
use crate::source::SourceShared;
use crate::tls;

use silence::{Clock, Pace, Silence, Verdict};

/// Batches of frames between the socket and the recorder, and their bytes. Few: TCP is the better queue.
const FRAME_QUEUE: usize = 32;
const FRAME_BYTES: u32 = 16 << 20;
/// Bytes from which on a batch is not waited for any longer.
const BATCH: usize = 128 << 10;
/// Commands between the engine and the socket, and their bytes: one per page is under way at most, and it may hold a whole state.
const COMMAND_QUEUE: usize = 64;
const COMMAND_BYTES: u32 = 32 << 20;
/// How often what was recorded is made to survive the end of the program.
const FLUSH_EVERY: Duration = Duration::from_millis(500);
const CONNECT_DEADLINE: Duration = Duration::from_secs(10);
const FIRST_BACKOFF: Duration = Duration::from_millis(500);
const LAST_BACKOFF: Duration = Duration::from_secs(5);
/// A living connection takes what is sent within this; a dead one may never.
const SEND_DEADLINE: Duration = Duration::from_secs(10);

/// Which server.
#[derive(Clone, Debug)]
pub enum Target {
    /// An address and its token, given by hand.
    Address {
        /// `http://…` or `https://…`.
        url: String,
        /// The agent's token.
        token: String,
        /// What is asked for.
        options: AttachOptions,
        /// A file with certificates of authorities that are believed beside the platform's.
        authority: Option<PathBuf>,
    },
    /// The server that `run` started, by the id that it was given. Found anew after each reload.
    Run(String),
    /// A server found on this machine, by address and folder: after a restart it has another process and token.
    Found {
        /// Its address.
        url: String,
        /// Its working directory.
        cwd: String,
    },
}

/// Where to connect to now.
struct Endpoint {
    url: String,
    ws_path: Option<String>,
    token: String,
    options: AttachOptions,
    authority: Option<PathBuf>,
}

impl Endpoint {
    /// On this machine the inspector asks to write by itself.
    fn asks_to_write(&self) -> bool {
        self.options.write || is_loopback(&self.url)
    }
}

impl Target {
    /// An address and its token, attached to in the careful way.
    pub fn address(url: impl Into<String>, token: impl Into<String>) -> Self {
        Self::Address { url: url.into(), token: token.into(), options: AttachOptions::default(), authority: None }
    }

    /// Whether it can be attached to at all, before anything is sent or recorded.
    pub fn check(&self) -> Result<(), String> {
        match self {
            Self::Address { .. } => handshake(&self.resolve()?).map(drop),
            Self::Run(_) | Self::Found { .. } => Ok(()),
        }
    }

    fn resolve(&self) -> Result<Endpoint, String> {
        let found = |wanted: &dyn Fn(&inspector_protocol::Discovered) -> bool, why: &str| {
            found_servers()
                .into_iter()
                .find(|server| wanted(server))
                .map(|server| Endpoint {
                    url: server.url,
                    ws_path: server.ws_path,
                    token: server.token,
                    options: AttachOptions::default(),
                    authority: None,
                })
                .ok_or_else(|| why.to_owned())
        };
        match self {
            Self::Address { url, token, options, authority } => {
                Ok(Endpoint { url: url.clone(), ws_path: None, token: token.clone(), options: *options, authority: authority.clone() })
            }
            Self::Run(run) => found(
                &|server| server.run.as_deref() == Some(run),
                "the server has not said yet that it listens, or djust is not imported in it",
            ),
            Self::Found { url, cwd } => {
                found(&|server| server.url == *url && server.cwd == *cwd, "no server with an agent at this address now")
            }
        }
    }

    /// The address, for people.
    pub fn label(&self) -> String {
        match self {
            Self::Address { url, .. } | Self::Found { url, .. } => url.clone(),
            Self::Run(_) => self.resolve().map_or_else(|_| "starting".to_owned(), |endpoint| endpoint.url),
        }
    }
}

/// How a connection attempt or connection ended.
enum Ended {
    /// Try again.
    Lost(String),
    /// The same, and the reason is worth telling at once: something answered.
    NotReady(String),
    /// Trying again would not help.
    ForGood(String),
    /// The user detached.
    Stopped,
    /// The recorder asks for what it could not take: connect again at once.
    Again,
    /// There is no recorder any more.
    Recorder,
}

enum ToRecorder {
    Frames(Vec<Utf8Bytes>),
    Welcome(Box<inspector_protocol::Welcome>, oneshot::Sender<()>),
    ResumePoints(oneshot::Sender<Vec<Resume>>),
}

/// Attaches until stopped. Runs as a task of its own.
pub async fn attach(source: Arc<SourceShared>, outbox: Arc<Outbox>, target: Target, intake: Intake, mut stop: oneshot::Receiver<()>) {
    let (frames, recorder) = queue::channel(FRAME_QUEUE, FRAME_BYTES);
    let Ok(recorder_thread) = std::thread::Builder::new().name("recorder".into()).spawn(move || record(intake, recorder)) else {
        set_state(&source, &outbox, SourceState::Ended { reason: "no thread for the recorder could be started".into() });
        return;
    };
    let mut attempt = 0;
    let mut backoff = FIRST_BACKOFF;
    let mut was_attached = false;
    let mut lost_since = crate::now();
    let mut reason = loop {
        let ended = connection(&source, &outbox, &target, &frames, &mut stop, &mut was_attached).await;
        let just_lost = source.socket.lock().take().is_some();
        source.pending.lock().clear();
        if just_lost {
            attempt = 0;
            backoff = FIRST_BACKOFF;
            lost_since = crate::now();
            cursors_unknown(&source, &outbox);
        }
        match ended {
            Ended::Stopped => break "Detached".to_owned(),
            // Why, it says itself.
            Ended::Recorder => break "The recorder has ended".to_owned(),
            Ended::Again => continue,
            // A refusal is final only before the first success: a server that comes back may refuse while it starts.
            Ended::ForGood(why) if !was_attached => break why,
            Ended::Lost(_) | Ended::ForGood(_) | Ended::NotReady(_) => {
                attempt += 1;
                let is_told = was_attached || attempt > 3 || matches!(ended, Ended::NotReady(_));
                let (Ended::Lost(why) | Ended::ForGood(why) | Ended::NotReady(why)) = ended else { continue };
                let state = if is_told { SourceState::Lost { since: lost_since, attempt, why } } else { SourceState::Connecting };
                set_state(&source, &outbox, state);
            }
        }
        tokio::select! {
            () = sleep(backoff) => {}
            _ = &mut stop => break "Detached".to_owned(),
        }
        backoff = (backoff * 3 / 2).min(LAST_BACKOFF);
    };
    drop(frames);
    let ended = tokio::task::spawn_blocking(move || recorder_thread.join())
        .await
        .map_or_else(|error| Err(error.to_string()), |ended| ended.unwrap_or_else(|panic| Err(words(&*panic))));
    if let Err(why) = ended {
        reason = format!("Recording has stopped: the recorder failed ({why}). What it had recorded is kept; attach again to go on");
        tracing::error!(why, "the recorder failed");
        source.info.lock().recorder.stopped = Some(reason.clone());
        outbox.message(Level::Error, reason.clone());
    }
    set_state(&source, &outbox, SourceState::Ended { reason });
}

/// What a panic said.
fn words(panic: &(dyn Any + Send)) -> String {
    let words = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    words.unwrap_or("it panicked").chars().take(200).collect()
}

/// The recorder's thread: takes frames in order, flushes on a timer.
fn record(mut intake: Intake, mut frames: mpsc::Receiver<Weighed<ToRecorder>>) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let mut flush = interval(FLUSH_EVERY);
        flush.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                _ = flush.tick() => intake.flush(crate::now()),
                message = frames.recv() => {
                    let Some(message) = message else { break };
                    // Its bytes count until it was taken in.
                    let Weighed { item, room } = message;
                    match item {
                        ToRecorder::Frames(texts) => texts.iter().for_each(|text| intake.frame(text, crate::now())),
                        ToRecorder::Welcome(welcome, done) => {
                            intake.welcome(&welcome, crate::now());
                            let _ = done.send(());
                        }
                        ToRecorder::ResumePoints(answer) => drop(answer.send(intake.resume_points())),
                    }
                    drop(room);
                }
            }
        }
    });
    intake.finish(crate::now());
    Ok(())
}

async fn connection(
    source: &Arc<SourceShared>,
    outbox: &Arc<Outbox>,
    target: &Target,
    frames: &Sender<ToRecorder>,
    stop: &mut oneshot::Receiver<()>,
    was_attached: &mut bool,
) -> Ended {
    let wanted = target.clone();
    let endpoint = match unless_stopped(stop, aside(move || Ok(wanted.resolve()))).await {
        None => return Ended::Stopped,
        Some(Ok(Ok(endpoint))) => endpoint,
        Some(Ok(Err(why)) | Err(Failure { message: why, .. })) => return Ended::Lost(why),
    };
    let request = match handshake(&endpoint) {
        Ok(request) => request,
        Err(why) => return Ended::ForGood(why),
    };
    let config = WebSocketConfig::default().max_message_size(Some(MAX_FRAME_BYTES)).max_frame_size(Some(MAX_FRAME_BYTES));
    // Told by the request, which is what is connected to.
    let connector = if request.uri().scheme_str() == Some("wss") {
        let authority = endpoint.authority.clone();
        match unless_stopped(stop, aside(move || Ok(tls::connector(authority.as_deref())))).await {
            None => return Ended::Stopped,
            Some(Ok(Ok(connector))) => connector,
            Some(Ok(Err(why)) | Err(Failure { message: why, .. })) => return Ended::ForGood(why),
        }
    } else {
        Connector::Plain
    };
    let connecting = tokio_tungstenite::connect_async_tls_with_config(request, Some(config), true, Some(connector));
    let socket = tokio::select! {
        _ = &mut *stop => return Ended::Stopped,
        result = timeout(CONNECT_DEADLINE, connecting) => match result {
            Err(_) => return Ended::Lost(format!("no answer within {} s from {}", CONNECT_DEADLINE.as_secs(), endpoint.url)),
            Ok(Err(error)) => return explain(&error, &endpoint.url),
            Ok(Ok((socket, _))) => socket,
        },
    };
    let (mut write, mut read) = socket.split();

    // From here on the recorder is asked anew.
    source.again.store(false, Ordering::Relaxed);
    let resume = match ask(frames, stop, ToRecorder::ResumePoints).await {
        Ok(resume) => resume,
        Err(ended) => return ended,
    };
    if let Err(why) = send(&mut write, Message::text(hello(&resume, endpoint.asks_to_write()))).await {
        return Ended::Lost(why);
    }

    let (commands, mut outgoing) = queue::channel::<String>(COMMAND_QUEUE, COMMAND_BYTES);
    let pace = Pace::default();
    let mut look = interval(pace.look);
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let began = Instant::now();
    let clock = || Clock { running: began.elapsed(), wall: crate::now() };
    let mut silence = Silence::new(pace, clock());
    // What came after a batch of frames and is not one of them.
    let mut next = None;
    // Frames for which the recorder has no room yet, and their bytes. Nothing more is read until it has.
    let mut batch = None;
    loop {
        let waiting = batch.as_ref().map_or(0, |(_, bytes)| *bytes);
        let message = tokio::select! {
            biased;
            _ = &mut *stop => {
                let _ = timeout(Duration::from_secs(1), write.close()).await;
                return Ended::Stopped;
            }
            _ = look.tick() => {
                if frames.is_closed() {
                    return Ended::Recorder;
                }
                if source.again.load(Ordering::Relaxed) {
                    let _ = timeout(Duration::from_secs(1), write.close()).await;
                    return Ended::Again;
                }
                // What is not read says nothing of the server.
                if batch.is_some() {
                    silence.heard(clock());
                }
                match silence.look(clock()) {
                    Verdict::Wait => {}
                    Verdict::Ping => if let Err(why) = send(&mut write, Message::Ping(Vec::new().into())).await {
                        return Ended::Lost(why);
                    },
                    Verdict::Dead(why) => return Ended::Lost(why),
                }
                continue;
            }
            Some(command) = outgoing.recv() => {
                if let Err(why) = send(&mut write, Message::text(command.item)).await {
                    return Ended::Lost(why);
                }
                continue;
            }
            slot = frames.reserve(waiting), if batch.is_some() => {
                let Ok(slot) = slot else { return Ended::Recorder };
                if let Some((texts, _)) = batch.take() {
                    slot.send(ToRecorder::Frames(texts));
                }
                continue;
            }
            message = async { next.take().flatten() }, if batch.is_none() && next.is_some() => message,
            message = read.next(), if batch.is_none() => message,
        };
        silence.heard(clock());
        let text = match message {
            None | Some(Ok(Message::Close(_))) => return Ended::Lost("the server closed the connection".into()),
            Some(Err(error)) => return Ended::Lost(error.to_string()),
            Some(Ok(Message::Text(text))) => text,
            Some(Ok(_)) => continue,
        };
        // Greetings and answers are small and ours; everything else is the recorder's.
        if is_control(&text)
            && let Ok(frame) = decode(&text)
        {
            match frame.body {
                Body::Welcome(welcome) => {
                    if let Err(ended) = ask(frames, stop, |done| ToRecorder::Welcome(welcome, done)).await {
                        return ended;
                    }
                    *was_attached = true;
                    *source.socket.lock() = Some(commands.clone());
                    set_state(source, outbox, SourceState::Attached);
                    continue;
                }
                Body::Refused(refused) => return Ended::ForGood(refused.message),
                Body::Answer { id, result } => {
                    if let Some(waiting) = source.pending.lock().remove(&id) {
                        let _ = waiting.send(result.map_err(|AnswerError { code, message, hint }| (code, message, hint)));
                    }
                    continue;
                }
                _ => {}
            }
        }
        // What has arrived already goes with it: to wake the recorder costs more than a small frame does.
        let mut bytes = text.len();
        let mut texts = vec![text];
        while bytes < BATCH && next.is_none() {
            match read.next().now_or_never() {
                Some(Some(Ok(Message::Text(text)))) if !is_control(&text) => {
                    bytes += text.len();
                    texts.push(text);
                }
                Some(other) => next = Some(other),
                None => break,
            }
        }
        batch = Some((texts, bytes));
    }
}

/// Does something unless it is stopped meanwhile.
async fn unless_stopped<T>(stop: &mut oneshot::Receiver<()>, work: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        _ = &mut *stop => None,
        done = work => Some(done),
    }
}

/// Asks the recorder, and waits for its answer.
async fn ask<T>(
    frames: &Sender<ToRecorder>,
    stop: &mut oneshot::Receiver<()>,
    question: impl FnOnce(oneshot::Sender<T>) -> ToRecorder,
) -> Result<T, Ended> {
    let (ask, answer) = oneshot::channel();
    let asked = async {
        frames.send(question(ask), 0).await.ok()?;
        answer.await.ok()
    };
    unless_stopped(stop, asked).await.ok_or(Ended::Stopped)?.ok_or(Ended::Recorder)
}

/// Sends, or says why not.
async fn send(write: &mut (impl futures_util::Sink<Message, Error = WsError> + Unpin), message: Message) -> Result<(), String> {
    match timeout(SEND_DEADLINE, write.send(message)).await {
        Ok(sent) => sent.map_err(|error| error.to_string()),
        Err(_) => Err(format!("nothing could be sent for {} s", SEND_DEADLINE.as_secs())),
    }
}

/// Whether a frame is for the attachment: told by its first field, which the agent writes first. A frame that only looks so is decoded to find out.
fn is_control(text: &str) -> bool {
    let head: String = text.chars().filter(|c| !c.is_whitespace()).take(16).collect();
    ["welcome", "refused", "answer"].iter().any(|name| head.starts_with(&format!("{{\"t\":\"{name}\"")))
}

/// The address that is connected to for a server's, as its file says it. For fuzzing.
#[cfg(feature = "fuzzing")]
pub(crate) fn address_of(url: &str, ws_path: Option<&str>) -> Result<String, String> {
    let mut endpoint = Target::address(url, "token").resolve()?;
    endpoint.ws_path = ws_path.map(str::to_owned);
    handshake(&endpoint).map(|request| request.uri().to_string())
}

fn handshake(endpoint: &Endpoint) -> Result<Request<()>, String> {
    let url = endpoint.url.trim_end_matches('/');
    let (scheme, rest) = match url.split_once("://") {
        Some(("http" | "ws", rest)) => ("ws", rest),
        Some(("https" | "wss", rest)) => ("wss", rest),
        Some((other, _)) => return Err(format!("{other}:// is no address of a server; give http:// or https://")),
        None => return Err(format!("{url} is no address; give it with http:// or https://")),
    };
    if let Some(why) = unprotected(url).filter(|_| !endpoint.options.insecure) {
        return Err(format!("{url} is not attached to: {why}, or accept that with --insecure, in the window with “Attach unencrypted”"));
    }
    let (host, path) = rest.split_once('/').map_or((rest, None), |(host, path)| (host, Some(format!("/{path}/"))));
    if host.contains('@') {
        return Err("an address with a user's name in it is not attached to; the token alone says who you are".to_owned());
    }
    let path = endpoint.ws_path.clone().or(path).unwrap_or_else(|| DEFAULT_WS_PATH.to_owned());
    let origin = format!("{}://{host}", if scheme == "wss" { "https" } else { "http" });
    let wrong = |error: &dyn std::fmt::Display| format!("{url} is no address of a server: {error}");
    let mut request = format!("{scheme}://{host}{path}?{ATTACH_QUERY}").into_client_request().map_err(|error| wrong(&error))?;
    // The path may be a file's: whatever stands in it, the host is the one that was looked at, and the query is ours.
    let uri = request.uri();
    if uri.authority().is_none_or(|authority| authority.as_str() != host) || uri.query() != Some(ATTACH_QUERY) {
        return Err(format!("{path} is no path of a server; it begins with / and has no query"));
    }
    let headers = request.headers_mut();
    headers.insert("Origin", HeaderValue::from_str(&origin).map_err(|error| wrong(&error))?);
    let mut token = HeaderValue::from_str(&format!("Bearer {}", endpoint.token))
        .map_err(|_| "the token has characters that no token has; copy it again".to_owned())?;
    token.set_sensitive(true);
    headers.insert("Authorization", token);
    Ok(request)
}

fn explain(error: &WsError, url: &str) -> Ended {
    match error {
        WsError::Http(response) => answered(response, url),
        WsError::Url(error) => Ended::ForGood(format!("{url} is no address of a server: {error}")),
        WsError::Io(error) if let Some(why) = tls::explain(error, url) => Ended::ForGood(why),
        WsError::Io(error) => Ended::Lost(format!("{url} cannot be reached: {error}")),
        other => Ended::Lost(format!("{url}: {other}")),
    }
}

/// A server that answers in HTTP has not attached us; the answer says why.
fn answered<T>(response: &Response<T>, url: &str) -> Ended {
    let status = response.status();
    let code = status.as_u16();
    match code {
        401 | 403 => Ended::ForGood(format!(
            "the server refused to attach (HTTP {code}): the token is wrong or has expired, or this host is not in ALLOWED_HOSTS; \
             see `djust-inspector doctor {url}`"
        )),
        404 => Ended::ForGood(format!(
            "there is no agent at {url} (HTTP 404): start the server with `djust-inspector run -- …`, or see `djust-inspector doctor {url}`"
        )),
        408 | 425 | 429 | 502..=504 => Ended::NotReady(format!("{url} is not ready: it answered HTTP {status}")),
        500..=599 => Ended::NotReady(format!("{url} answered HTTP {status}; its log says why")),
        300..=399 => {
            let location = response.headers().get("Location").and_then(|location| location.to_str().ok()).unwrap_or_default();
            let to: String = location.chars().take(200).collect();
            Ended::ForGood(format!("{url} answered HTTP {status} and leads to {to:?}: attach to the address of the server itself"))
        }
        _ => Ended::ForGood(format!("{url} answered HTTP {status}, which no agent does; see `djust-inspector doctor {url}`")),
    }
}

fn set_state(source: &SourceShared, outbox: &Outbox, state: SourceState) {
    source.info.lock().state = state;
    outbox.changed(source.id, &Topic::Source);
}

/// A jump that was under way when the connection broke may or may not have happened.
fn cursors_unknown(source: &SourceShared, outbox: &Outbox) {
    let mut changed = Vec::new();
    for (session, cursor) in source.cursors.lock().iter_mut() {
        if matches!(cursor, RemoteCursor::Jumping(_)) {
            *cursor = RemoteCursor::Unknown;
            changed.push(session.clone());
        }
    }
    for session in changed {
        outbox.changed(source.id, &Topic::Cursor(session));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(url: &str) -> Endpoint {
        Target::address(url, "secret").resolve().unwrap()
    }

    fn request_for(url: &str, ws_path: Option<&str>) -> Result<Request<()>, String> {
        handshake(&Endpoint { ws_path: ws_path.map(str::to_owned), ..endpoint(url) })
    }

    #[test]
    fn only_an_address_on_this_machine_is_asked_for_writes_unless_the_user_wants_them() {
        let endpoint = |url: &str, write| Endpoint { options: AttachOptions { write, ..AttachOptions::default() }, ..endpoint(url) };
        assert!(endpoint("http://127.0.0.1:8000", false).asks_to_write());
        assert!(!endpoint("https://staging.example.com", false).asks_to_write());
        assert!(endpoint("https://staging.example.com", true).asks_to_write());
    }

    #[test]
    fn a_token_travels_unencrypted_on_this_machine_only_unless_forced() {
        for url in ["http://staging.example.com", "ws://10.0.0.1:8000/ws/live/"] {
            let why = handshake(&endpoint(url)).unwrap_err();
            assert!(why.contains("unencrypted") && why.contains("https://") && why.contains("--insecure"), "{why}");
            let forced = Endpoint { options: AttachOptions { insecure: true, ..AttachOptions::default() }, ..endpoint(url) };
            assert_eq!(handshake(&forced).unwrap().uri().scheme_str(), Some("ws"));
        }
        assert_eq!(request_for("http://127.0.0.1:8000", None).unwrap().uri().scheme_str(), Some("ws"));
        assert_eq!(request_for("https://staging.example.com", None).unwrap().uri().scheme_str(), Some("wss"));
    }

    #[test]
    fn a_name_in_front_of_the_host_is_refused() {
        for url in ["https://ann:pw@staging.example.com", "http://127.0.0.1:80@example.com"] {
            assert!(request_for(url, None).is_err(), "{url}");
        }
    }

    #[test]
    fn a_path_from_a_file_leads_to_no_other_host() {
        for path in
            ["@example.com/", ".example.com/", "80/", ":80@example.com/", "live/?djust_inspector=1&x=", "/live/?x", "/live/#", "//x y"]
        {
            let refused = request_for("http://127.0.0.1:8000", Some(path)).map(|request| request.uri().to_string());
            assert!(refused.is_err(), "{path}: {refused:?}");
        }
        assert_eq!(request_for("http://127.0.0.1:8000", Some("//example.com/")).unwrap().uri().host(), Some("127.0.0.1"));
    }

    #[test]
    fn the_token_is_in_a_header_and_never_in_the_address() {
        let request = request_for("https://staging.example.com", None).unwrap();
        assert_eq!(request.uri().to_string(), "wss://staging.example.com/ws/live/?djust_inspector=1");
        assert_eq!(request.headers()["Authorization"], "Bearer secret");
        assert_eq!(request.headers()["Origin"], "https://staging.example.com");
        assert!(!format!("{request:?}").contains("secret"));
    }

    #[test]
    fn a_path_of_ones_own_is_kept() {
        let request = request_for("http://127.0.0.1:8000/app/ws/", None).unwrap();
        assert_eq!(request.uri().path(), "/app/ws/");
        assert_eq!(request_for("http://127.0.0.1:8000", Some("/live/")).unwrap().uri().path(), "/live/");
    }

    #[test]
    fn what_is_no_address_is_refused_with_the_reason() {
        assert!(request_for("127.0.0.1:8000", None).unwrap_err().contains("http://"));
        assert!(request_for("ftp://x", None).unwrap_err().contains("ftp"));
    }

    #[test]
    fn what_a_server_answers_in_place_of_attaching_is_told_as_what_it_is() {
        let says = |code: u16| {
            let response = Response::builder().status(code).header("Location", "https://shop.test/").body(()).unwrap();
            match answered(&response, "http://h") {
                Ended::ForGood(why) => (true, why),
                Ended::NotReady(why) => (false, why),
                _ => panic!("{code}"),
            }
        };
        let cases = [
            (401, true, "token is wrong"),
            (403, true, "token is wrong"),
            (404, true, "no agent"),
            (301, true, "https://shop.test/"),
            (400, true, "HTTP 400 Bad Request"),
            (200, true, "HTTP 200 OK"),
            (429, false, "not ready"),
            (502, false, "not ready"),
            (503, false, "HTTP 503 Service Unavailable"),
            (504, false, "not ready"),
            (500, false, "HTTP 500 Internal Server Error"),
        ];
        for (code, is_final, part) in cases {
            let (ends, why) = says(code);
            assert_eq!(ends, is_final, "{code}: {why}");
            assert!(why.contains(part), "{code}: {why}");
            assert_eq!(why.contains("token"), matches!(code, 401 | 403), "{code}: {why}");
        }
    }

    #[test]
    fn control_frames_are_told_from_the_others() {
        assert!(is_control(r#"{"t":"welcome","agent":"a"}"#));
        assert!(is_control(r#"{"t": "answer", "id": 1}"#));
        assert!(!is_control(r#"{"t":"step","seq":1}"#));
    }
}
