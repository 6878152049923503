//! Serves the page, and answers its commands from the script. Each window has its own, so that storage is its own too.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::JoinHandle;

use inspector_model::{Handle as _, Request, RequestId};
use serde_json::{Value, json};

use super::Scripted;

/// What the installed app sends, so that a page that needs more fails here as well.
const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; \
                      font-src 'self'; connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'";

/// A small web server on a port of its own.
pub struct Site {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    engine: Scripted,
    /// Commands fail.
    cut: AtomicBool,
    connected: AtomicU32,
    ended: AtomicBool,
}

impl Site {
    /// Serves until it is dropped.
    pub fn serve(engine: Scripted) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared { engine, cut: AtomicBool::new(false), connected: AtomicU32::new(0), ended: AtomicBool::new(false) });
        let of_thread = shared.clone();
        let serve = move || {
            for stream in listener.incoming().flatten() {
                if of_thread.ended.load(Ordering::SeqCst) {
                    return;
                }
                let of_stream = of_thread.clone();
                // A browser opens connections and leaves them: each has a thread that ends with it.
                std::thread::Builder::new().name("request".into()).spawn(move || answer(&of_stream, stream).ok()).ok();
            }
        };
        let thread = std::thread::Builder::new().name("site".into()).spawn(serve).unwrap();
        Self { address, shared, thread: Some(thread) }
    }

    /// Where the page is.
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// From now on commands fail, or work again.
    pub fn cut(&self, cut: bool) {
        self.shared.cut.store(cut, Ordering::SeqCst);
    }

    /// Whether commands fail.
    pub fn is_cut(&self) -> bool {
        self.shared.cut.load(Ordering::SeqCst)
    }

    /// How often the page has connected.
    pub fn connections(&self) -> u32 {
        self.shared.connected.load(Ordering::SeqCst)
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        // Wakes the thread that waits for the next connection.
        TcpStream::connect(self.address).ok();
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

fn answer(shared: &Shared, stream: TcpStream) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split(' ');
    let (method, path) = (words.next().unwrap_or_default().to_owned(), words.next().unwrap_or_default().to_owned());
    let mut length = 0;
    loop {
        let mut header = String::new();
        if reader.read_line(&mut header)? == 0 || header == "\r\n" {
            break;
        }
        if let Some((name, value)) = header.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().unwrap_or(0);
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let (status, kind, content) = match method.as_str() {
        "POST" if path == "/invoke" => match invoke(shared, &body) {
            Ok(value) => ("200 OK", "application/json", value.into_bytes()),
            Err(why) => ("500 Internal Server Error", "text/plain", why.into_bytes()),
        },
        _ => file(&path),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nContent-Security-Policy: {POLICY}\r\nConnection: close\r\n\r\n",
        content.len()
    );
    let mut stream = reader.into_inner();
    stream.write_all(head.as_bytes())?;
    stream.write_all(&content)
}

fn file(path: &str) -> (&'static str, &'static str, Vec<u8>) {
    let name = if path == "/" { "index.html" } else { path.trim_start_matches('/') };
    let kind = match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript",
        Some("css") => "text/css",
        // Not its own type: the installed app's protocol may not know it either.
        _ => "application/octet-stream",
    };
    match std::fs::read(web().join(name)) {
        Ok(content) => ("200 OK", kind, content),
        Err(_) => ("404 Not Found", "text/plain", name.as_bytes().to_vec()),
    }
}

/// Where `cargo xtask wasm` puts the page.
pub fn web() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../target/web"))
}

/// One of the three commands.
fn invoke(shared: &Shared, body: &[u8]) -> Result<String, String> {
    if shared.cut.load(Ordering::SeqCst) {
        return Err("the engine has gone".to_owned());
    }
    let asked: Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    match asked["command"].as_str() {
        Some("connect") => {
            if shared.connected.fetch_add(1, Ordering::SeqCst) > 0 {
                shared.engine.tell_anew();
            }
            Ok("null".to_owned())
        }
        Some("send") => {
            let text = asked["text"].as_str().unwrap_or_default();
            let (id, request): (RequestId, Request) = serde_json::from_str(text).map_err(|error| error.to_string())?;
            Ok(shared.engine.send(id, request).to_string())
        }
        Some("drain") => {
            let max_steps = asked["maxSteps"].as_u64().ok_or("drain without maxSteps")?;
            let mut notices = Vec::new();
            let more = shared.engine.drain(max_steps as usize, &mut notices);
            let text = serde_json::to_string(&json!({"notices": notices, "more": more})).map_err(|error| error.to_string())?;
            serde_json::to_string(&text).map_err(|error| error.to_string())
        }
        other => Err(format!("no such command: {other:?}")),
    }
}
