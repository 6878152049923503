//! The debug protocol of Chromium over one WebSocket, sessions flattened.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::{STEP_DEADLINE, TestError};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;
type Pending = Arc<Mutex<HashMap<u64, oneshot::Sender<Value>>>>;
type Console = Arc<Mutex<HashMap<String, VecDeque<String>>>>;

/// Console lines that are kept per page.
const KEPT_LINES: usize = 200;

/// The connection to a browser. Pages share it.
#[derive(Debug)]
pub struct Connection {
    writer: tokio::sync::Mutex<SplitSink<Socket, Message>>,
    next_id: AtomicU64,
    pending: Pending,
    console: Console,
    reader: JoinHandle<()>,
}

impl Connection {
    /// Connects to the address that the browser wrote into its profile.
    pub async fn open(url: &str) -> Result<Self, TestError> {
        let (socket, _) = connect_async(url).await.map_err(|error| TestError::Socket(error.to_string()))?;
        let (writer, stream) = socket.split();
        let pending = Pending::default();
        let console = Console::default();
        let reader = tokio::spawn(read(stream, Arc::clone(&pending), Arc::clone(&console)));
        Ok(Self { writer: tokio::sync::Mutex::new(writer), next_id: AtomicU64::new(1), pending, console, reader })
    }

    /// Sends a command to the browser, or to a page's session, and waits for its answer.
    pub async fn call(&self, session_id: Option<&str>, method: &str, params: Value) -> Result<Value, TestError> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let (sender, receiver) = oneshot::channel();
        self.pending.lock().insert(id, sender);
        let mut command = json!({"id": id, "method": method, "params": params});
        if let Some(session_id) = session_id {
            command["sessionId"] = json!(session_id);
        }
        let sent = self.writer.lock().await.send(Message::text(command.to_string())).await;
        if let Err(error) = sent {
            self.pending.lock().remove(&id);
            return Err(TestError::Socket(error.to_string()));
        }
        let mut answer = match timeout(STEP_DEADLINE, receiver).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => return Err(TestError::Socket(format!("closed while waiting for {method}"))),
            Err(_) => {
                self.pending.lock().remove(&id);
                return Err(TestError::Socket(format!("no answer to {method} within {STEP_DEADLINE:?}")));
            }
        };
        match answer.get("error") {
            Some(error) => {
                Err(TestError::Browser { method: method.to_owned(), message: error["message"].as_str().unwrap_or("?").to_owned() })
            }
            None => Ok(answer["result"].take()),
        }
    }

    /// Errors and warnings that a page printed, oldest first.
    pub fn console(&self, session_id: &str) -> Vec<String> {
        self.console.lock().get(session_id).map(|lines| lines.iter().cloned().collect()).unwrap_or_default()
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

async fn read(mut stream: SplitStream<Socket>, pending: Pending, console: Console) {
    while let Some(Ok(message)) = stream.next().await {
        let Message::Text(text) = message else { continue };
        let Ok(frame) = serde_json::from_str::<Value>(&text) else { continue };
        if let Some(id) = frame["id"].as_u64() {
            if let Some(sender) = pending.lock().remove(&id) {
                // The caller may have given up.
                sender.send(frame).ok();
            }
        } else if let (Some(session_id), Some(line)) = (frame["sessionId"].as_str(), console_line(&frame)) {
            let mut console = console.lock();
            let lines = console.entry(session_id.to_owned()).or_default();
            if lines.len() == KEPT_LINES {
                lines.pop_front();
            }
            lines.push_back(line);
        }
    }
    // Whoever still waits learns at once that no answer will come.
    pending.lock().clear();
}

fn console_line(frame: &Value) -> Option<String> {
    let params = &frame["params"];
    match frame["method"].as_str()? {
        "Runtime.consoleAPICalled" if matches!(params["type"].as_str(), Some("error" | "warning")) => {
            let words = params["args"]
                .as_array()?
                .iter()
                .map(|arg| arg["value"].as_str().or(arg["description"].as_str()).map_or_else(|| arg["value"].to_string(), str::to_owned));
            Some(words.collect::<Vec<_>>().join(" "))
        }
        "Runtime.exceptionThrown" => {
            let details = &params["exceptionDetails"];
            details["exception"]["description"].as_str().or(details["text"].as_str()).map(str::to_owned)
        }
        _ => None,
    }
}
