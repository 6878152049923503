//! An agent with a thousand pages that come and go: the load that one inspector has to take.
//!
//! It sends what the Python agent sends for small pages (`docs/PROTOCOL.md`) and, as that does, keeps a bounded queue: what
//! does not fit is dropped, counted and told in a `gap`, after which states are sent whole again.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{Instant, interval};
use tokio_tungstenite::tungstenite::Message;

/// Frames that wait for the inspector: some seconds of them, as the agent has.
const QUEUE: usize = 20_000;

/// How often events are made.
const TURN: Duration = Duration::from_millis(10);

/// What is sent.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// Pages that are open at a time.
    pub pages: usize,
    /// Events a second, of all of them.
    pub rate: u64,
    /// Pages a second that are closed and replaced by new ones.
    pub turnover: u64,
}

/// What was sent, or dropped instead.
#[derive(Debug, Default)]
pub struct Sent {
    /// Events that happened.
    pub events: AtomicU64,
    /// Frames that were dropped, each of an event.
    pub dropped: AtomicU64,
    /// Pages ever opened.
    pub pages: AtomicU64,
}

/// An agent that waits for one inspector.
#[derive(Debug)]
pub struct Agent {
    listener: TcpListener,
    /// Where it listens.
    pub port: u16,
    /// What it did.
    pub sent: Arc<Sent>,
}

impl Agent {
    /// On a free port of loopback.
    pub async fn listen() -> anyhow::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        Ok(Self { port: listener.local_addr()?.port(), listener, sent: Arc::default() })
    }

    /// Serves one inspector for so long, until it has taken all that was sent or is gone.
    pub async fn serve(&self, load: Load, lasts: Duration) -> anyhow::Result<()> {
        let (stream, _) = self.listener.accept().await?;
        stream.set_nodelay(true)?;
        let (frames, waiting) = mpsc::channel(QUEUE);
        let writer = tokio::spawn(write(stream, waiting));
        make(load, lasts, &self.sent, frames).await?;
        writer.await?
    }
}

/// Writes frames until there are no more, then waits until the inspector closes.
async fn write(stream: TcpStream, mut waiting: mpsc::Receiver<String>) -> anyhow::Result<()> {
    let mut socket = tokio_tungstenite::accept_async(stream).await?;
    socket.next().await.context("no greeting")??;
    let welcome = r#"{"t":"welcome","protocol":1,"agent":"soak","version":"0","resumed":false,"seq":0,"unrecorded":null,"access":null,"server":{"project":"soak"}}"#;
    socket.send(Message::text(welcome)).await?;
    let (mut out, mut answers) = socket.split();
    loop {
        tokio::select! {
            frame = waiting.recv() => match frame {
                Some(frame) => {
                    out.feed(Message::text(frame)).await?;
                    while let Ok(frame) = waiting.try_recv() {
                        out.feed(Message::text(frame)).await?;
                    }
                    out.flush().await?;
                }
                None => break,
            },
            // Pings are answered by reading.
            message = answers.next() => drop(message.context("the inspector went")??),
        }
    }
    while let Some(Ok(_)) = answers.next().await {}
    Ok(())
}

/// An open page.
struct Page {
    number: u64,
    count: u64,
    rev: u64,
    /// The inspector knows revision `rev`.
    known: bool,
}

struct Maker<'a> {
    sent: &'a Sent,
    frames: mpsc::Sender<String>,
    seq: u64,
    key: u64,
    /// Frames that were dropped and not told of.
    untold: u64,
    now: f64,
}

impl Maker<'_> {
    /// Numbers a frame.
    fn frame(&mut self, kind: &str, body: &str) -> String {
        self.seq += 1;
        format!(r#"{{"t":"{kind}","seq":{},"at":{:.6},{body}}}"#, self.seq, self.now)
    }

    /// What must not be lost waits: pages are few.
    async fn tell(&mut self, kind: &str, body: &str) -> anyhow::Result<()> {
        let frame = self.frame(kind, body);
        self.frames.send(frame).await.context("the inspector went")
    }

    async fn open(&mut self) -> anyhow::Result<Page> {
        let number = self.sent.pages.fetch_add(1, Ordering::Relaxed) + 1;
        let body = session(number, "mounted");
        self.tell("session", &body).await?;
        self.key += 1;
        let mount = format!(
            r#""key":"soak-{}","session":"page-{number}","view":null,"kind":"mount","name":"soak.views.CounterView","started":{:.6},"ms":2.0,"before":null,"after":{{"rev":1000000,"base":null,"set":{}}},"status":"ok","html":{{"version":1,"text":"{}"}}"#,
            self.key,
            self.now,
            state(number, 0),
            html(0)
        );
        self.tell("step", &mount).await?;
        Ok(Page { number, count: 0, rev: 1_000_000, known: true })
    }

    async fn close(&mut self, page: &Page) -> anyhow::Result<()> {
        self.key += 1;
        let close = format!(
            r#""key":"soak-{}","session":"page-{}","kind":"close","name":"closed","started":{:.6},"status":"ok""#,
            self.key, page.number, self.now
        );
        self.tell("step", &close).await?;
        let body = session(page.number, "closed");
        self.tell("session", &body).await
    }

    /// One event: it has happened, whether there is room for it or not. `true` when there was none.
    fn event(&mut self, page: &mut Page) -> anyhow::Result<bool> {
        self.sent.events.fetch_add(1, Ordering::Relaxed);
        self.key += 1;
        page.count += 1;
        let (before, after) = (page.rev, page.rev + 1);
        page.rev = after;
        let after = if page.known {
            format!(r#"{{"rev":{after},"base":{before},"set":{{"count":{}}}}}"#, page.count)
        } else {
            format!(r#"{{"rev":{after},"base":null,"set":{}}}"#, state(page.number, page.count))
        };
        let before = if page.known { format!(r#"{{"rev":{before}}}"#) } else { "null".to_owned() };
        let body = format!(
            r#""key":"soak-{}","session":"page-{}","view":null,"component":null,"kind":"event","name":"increment","params":{{}},"raw":"{{}}","ref":{},"started":{:.6},"ms":0.8,"timing":{{"handler":0.1,"render":0.5}},"before":{before},"after":{after},"status":"ok","frames":[{{"dir":"in","at":{:.6},"bytes":61,"text":"{{\"type\":\"event\",\"event\":\"increment\",\"params\":{{}},\"ref\":{}}}"}}],"html":{{"version":{},"text":"{}"}}"#,
            self.key,
            page.number,
            page.count,
            self.now,
            self.now,
            page.count,
            page.count,
            html(page.count)
        );
        let frame = self.frame("step", &body);
        match self.frames.try_send(frame) {
            Ok(()) => {
                page.known = true;
                Ok(false)
            }
            Err(mpsc::error::TrySendError::Full(_)) => {
                self.sent.dropped.fetch_add(1, Ordering::Relaxed);
                self.untold += 1;
                Ok(true)
            }
            Err(mpsc::error::TrySendError::Closed(_)) => anyhow::bail!("the inspector went"),
        }
    }
}

/// Makes events until the time is over.
async fn make(load: Load, lasts: Duration, sent: &Sent, frames: mpsc::Sender<String>) -> anyhow::Result<()> {
    let mut maker = Maker { sent, frames, seq: 0, key: 0, untold: 0, now: 1_700_000_000.0 };
    let mut pages = Vec::new();
    for _ in 0..load.pages {
        pages.push(maker.open().await?);
    }
    let mut turn = interval(TURN);
    let began = Instant::now();
    let (mut events, mut turned, mut next) = (0_u64, 0, 0);
    while began.elapsed() < lasts {
        turn.tick().await;
        let elapsed = began.elapsed().as_secs_f64();
        maker.now = 1_700_000_000.0 + elapsed;
        if maker.untold > 0 && maker.frames.capacity() > QUEUE / 2 {
            let dropped = std::mem::take(&mut maker.untold);
            maker.tell("gap", &format!(r#""dropped":{dropped},"why":"slow""#)).await?;
            for page in &mut pages {
                page.known = false;
            }
        }
        while (events as f64) < elapsed * load.rate as f64 {
            events += 1;
            next = (next + 1) % pages.len();
            // After a drop nothing is of use before the gap is told of.
            if maker.event(&mut pages[next])? {
                pages[next].known = false;
            }
        }
        while (turned as f64) < elapsed * load.turnover as f64 {
            turned += 1;
            let place = turned % pages.len();
            maker.close(&pages[place]).await?;
            pages[place] = maker.open().await?;
        }
    }
    if maker.untold > 0 {
        let dropped = std::mem::take(&mut maker.untold);
        maker.tell("gap", &format!(r#""dropped":{dropped},"why":"slow""#)).await?;
    }
    Ok(())
}

/// What the agent tells of a page: mostly its handlers.
fn session(number: u64, phase: &str) -> String {
    let mut handlers = String::new();
    for name in ["increment", "decrement", "add", "add_later", "set_label", "boom", "nothing", "draw", "greet"] {
        let comma = if handlers.is_empty() { "" } else { "," };
        let _ = write!(
            handlers,
            r#"{comma}{{"name":"{name}","params":[{{"name":"n","type":"int","required":false,"default":1}}],"component":null,"doc":"Do something to the count, of which there is one."}}"#
        );
    }
    format!(
        r#""session":"page-{number}","phase":"{phase}","client":"127.0.0.1","user":null,"django_session":"{number:x}","user_agent":"soak","path":"/counter/","view":{{"id":null,"class":"soak.views.CounterView","template":"lab/counter.html","sticky":false,"time_travel":true,"ring":{{"len":0,"max":100}},"tick_ms":null,"temporary_assigns":[],"static_assigns":[],"use_actors":false,"components":[],"handlers":[{handlers}],"file":"/srv/soak/views.py","line":9}},"children":[],"opened":{number}.5,"close":null,"succeeds":null"#
    )
}

fn state(number: u64, count: u64) -> String {
    format!(
        r#"{{"count":{count},"label":"page {number}","history":[1,2,3,4,5,6,7,8,9,10],"ticket":"","secret_note":{{"$t":"redacted","of":"str","as":"0a1b2c3d4e"}}}}"#
    )
}

fn html(count: u64) -> String {
    let mut rows = String::new();
    for row in 0..10 {
        let _ = write!(rows, "<li dj-id=\\\"{row}\\\">{}</li>", count.saturating_sub(row));
    }
    format!(
        "<h1 dj-id=\\\"1\\\">Counter</h1><p data-test=\\\"count\\\">{count}</p><ol>{rows}</ol><button dj-click=\\\"increment\\\">+</button>"
    )
}
