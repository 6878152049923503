//! One attached server: connect, greet, read, reconnect.
//!
//! The socket's task only moves text: frames go to the recorder's thread through a bounded channel, so a slow disk slows
//! the socket down, and the agent then drops frames and says how many.

mod silence;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{FutureExt as _, SinkExt as _, StreamExt as _};
use inspector_model::{AttachOptions, RemoteCursor, SourceState, is_loopback, unprotected};
use inspector_protocol::{ATTACH_QUERY, AnswerError, Body, DEFAULT_WS_PATH, MAX_FRAME_BYTES, Resume, decode, hello};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, interval, sleep, timeout};
use tokio_tungstenite::Connector;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::{HeaderValue, Request};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error as WsError, Message, Utf8Bytes};

use crate::discovery::found_servers;
use crate::intake::Intake;
use crate::outbox::{Outbox, Topic};
use crate::source::SourceShared;
use crate::tls;

use silence::{Clock, Pace, Silence, Verdict};

/// Batches of frames between the socket and the recorder. Few: a frame may be large, and TCP is the better queue.
const FRAME_QUEUE: usize = 32;
/// Bytes from which on a batch is not waited for any longer.
const BATCH: usize = 128 << 10;
/// Commands between the engine and the socket: one per page is under way at most.
pub const COMMAND_QUEUE: usize = 64;
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
    /// Trying again would not help.
    ForGood(String),
    /// The user detached.
    Stopped,
}

enum ToRecorder {
    Frames(Vec<Utf8Bytes>),
    Welcome(Box<inspector_protocol::Welcome>, oneshot::Sender<()>),
    ResumePoints(oneshot::Sender<Vec<Resume>>),
}

/// Attaches until stopped. Runs as a task of its own.
pub async fn attach(source: Arc<SourceShared>, outbox: Arc<Outbox>, target: Target, intake: Intake, mut stop: oneshot::Receiver<()>) {
    let (frames, recorder) = mpsc::channel(FRAME_QUEUE);
    let Ok(recorder_thread) = std::thread::Builder::new().name("recorder".into()).spawn(move || record(intake, recorder)) else {
        set_state(&source, &outbox, SourceState::Ended { reason: "no thread for the recorder could be started".into() });
        return;
    };
    let mut attempt = 0;
    let mut backoff = FIRST_BACKOFF;
    let mut was_attached = false;
    let mut lost_since = crate::now();
    let reason = loop {
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
            // A refusal is final only before the first success: a server that comes back may refuse while it starts.
            Ended::ForGood(why) if !was_attached => break why,
            Ended::Lost(why) | Ended::ForGood(why) => {
                attempt += 1;
                let state = if was_attached || attempt > 3 {
                    SourceState::Lost { since: lost_since, attempt, why }
                } else {
                    SourceState::Connecting
                };
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
    let _ = tokio::task::spawn_blocking(move || recorder_thread.join()).await;
    set_state(&source, &outbox, SourceState::Ended { reason });
}

/// The recorder's thread: takes frames in order, flushes on a timer.
fn record(mut intake: Intake, mut frames: mpsc::Receiver<ToRecorder>) {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_time().build() else { return };
    runtime.block_on(async {
        let mut flush = interval(FLUSH_EVERY);
        flush.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                _ = flush.tick() => intake.flush(crate::now()),
                message = frames.recv() => match message {
                    Some(ToRecorder::Frames(texts)) => texts.iter().for_each(|text| intake.frame(text, crate::now())),
                    Some(ToRecorder::Welcome(welcome, done)) => {
                        intake.welcome(&welcome, crate::now());
                        let _ = done.send(());
                    }
                    Some(ToRecorder::ResumePoints(answer)) => drop(answer.send(intake.resume_points())),
                    None => break,
                },
            }
        }
    });
    intake.finish(crate::now());
}

async fn connection(
    source: &Arc<SourceShared>,
    outbox: &Arc<Outbox>,
    target: &Target,
    frames: &mpsc::Sender<ToRecorder>,
    stop: &mut oneshot::Receiver<()>,
    was_attached: &mut bool,
) -> Ended {
    let endpoint = match target.resolve() {
        Ok(endpoint) => endpoint,
        Err(why) => return Ended::Lost(why),
    };
    let request = match handshake(&endpoint) {
        Ok(request) => request,
        Err(why) => return Ended::ForGood(why),
    };
    let config = WebSocketConfig::default().max_message_size(Some(MAX_FRAME_BYTES)).max_frame_size(Some(MAX_FRAME_BYTES));
    // Told by the request, which is what is connected to.
    let connector = if request.uri().scheme_str() == Some("wss") {
        match tls::connector(endpoint.authority.as_deref()) {
            Ok(connector) => connector,
            Err(why) => return Ended::ForGood(why),
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

    let (ask, resume) = oneshot::channel();
    if frames.send(ToRecorder::ResumePoints(ask)).await.is_err() {
        return Ended::ForGood("the recorder has ended".into());
    }
    let resume = resume.await.unwrap_or_default();
    if let Err(why) = send(&mut write, Message::text(hello(&resume, endpoint.asks_to_write()))).await {
        return Ended::Lost(why);
    }

    let (commands, mut outgoing) = mpsc::channel::<String>(COMMAND_QUEUE);
    let pace = Pace::default();
    let mut look = interval(pace.look);
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let began = Instant::now();
    let clock = || Clock { running: began.elapsed(), wall: crate::now() };
    let mut silence = Silence::new(pace, clock());
    // What came after a batch of frames and is not one of them.
    let mut next = None;
    loop {
        let message = tokio::select! {
            biased;
            message = async { next.take().flatten() }, if next.is_some() => message,
            _ = &mut *stop => {
                let _ = timeout(Duration::from_secs(1), write.close()).await;
                return Ended::Stopped;
            }
            _ = look.tick() => {
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
                if let Err(why) = send(&mut write, Message::text(command)).await {
                    return Ended::Lost(why);
                }
                continue;
            }
            message = read.next() => message,
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
                    let (done, taken) = oneshot::channel();
                    if frames.send(ToRecorder::Welcome(welcome, done)).await.is_err() || taken.await.is_err() {
                        return Ended::ForGood("the recorder has ended".into());
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
        let mut batch = vec![text];
        while bytes < BATCH && next.is_none() {
            match read.next().now_or_never() {
                Some(Some(Ok(Message::Text(text)))) if !is_control(&text) => {
                    bytes += text.len();
                    batch.push(text);
                }
                Some(other) => next = Some(other),
                None => break,
            }
        }
        if frames.send(ToRecorder::Frames(batch)).await.is_err() {
            return Ended::ForGood("the recorder has ended".into());
        }
    }
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
        WsError::Http(response) => {
            let status = response.status();
            Ended::ForGood(format!(
                "the server refused to attach (HTTP {}): the token is wrong, this host is not in ALLOWED_HOSTS, or no agent runs there; \
                 start it with `djust-inspector run -- …`, or see `djust-inspector doctor {url}`",
                status.as_u16()
            ))
        }
        WsError::Url(error) => Ended::ForGood(format!("{url} is no address of a server: {error}")),
        WsError::Io(error) if let Some(why) = tls::explain(error, url) => Ended::ForGood(why),
        WsError::Io(error) => Ended::Lost(format!("{url} cannot be reached: {error}")),
        other => Ended::Lost(format!("{url}: {other}")),
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
    fn control_frames_are_told_from_the_others() {
        assert!(is_control(r#"{"t":"welcome","agent":"a"}"#));
        assert!(is_control(r#"{"t": "answer", "id": 1}"#));
        assert!(!is_control(r#"{"t":"step","seq":1}"#));
    }
}
