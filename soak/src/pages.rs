//! Pages without a browser: djust's protocol over its sockets, a click at a time.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

/// How long an answer may take: a server under load is slow, not silent.
const ANSWER_WITHIN: Duration = Duration::from_mins(1);

/// One page with its socket.
#[derive(Debug)]
pub struct Page {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    reference: u64,
}

impl Page {
    /// Opens a socket and mounts the view.
    pub async fn mount(server: SocketAddr, view: &str) -> anyhow::Result<Self> {
        let mut request = format!("ws://{server}/ws/live/").into_client_request()?;
        request.headers_mut().insert("Origin", HeaderValue::from_str(&format!("http://{server}"))?);
        let (socket, _) = timeout(ANSWER_WITHIN, tokio_tungstenite::connect_async(request)).await??;
        let mut page = Self { socket, reference: 0 };
        page.wait_for(|frame| frame["type"] == "connect").await?;
        let mount =
            json!({"type": "mount", "view": view, "params": {}, "url": "/counter/", "has_prerendered": false, "client_timezone": null});
        page.send(&mount).await?;
        page.wait_for(|frame| frame["type"] == "mount").await?;
        Ok(page)
    }

    /// Clicks, waits for the answer, and tells how long it took.
    pub async fn click(&mut self, handler: &str) -> anyhow::Result<Duration> {
        self.reference += 1;
        let (reference, began) = (self.reference, Instant::now());
        self.send(&json!({"type": "event", "event": handler, "params": {}, "ref": reference})).await?;
        self.wait_for(|frame| frame["ref"] == reference).await?;
        Ok(began.elapsed())
    }

    /// Closes the socket, as a browser does that leaves.
    pub async fn close(mut self) -> anyhow::Result<()> {
        self.socket.close(None).await?;
        while let Ok(Some(Ok(_))) = timeout(ANSWER_WITHIN, self.socket.next()).await {}
        Ok(())
    }

    async fn send(&mut self, frame: &Value) -> anyhow::Result<()> {
        Ok(self.socket.send(Message::text(frame.to_string())).await?)
    }

    async fn wait_for(&mut self, wanted: impl Fn(&Value) -> bool) -> anyhow::Result<()> {
        loop {
            let message = timeout(ANSWER_WITHIN, self.socket.next()).await.context("no answer")?;
            match message.context("the server closed the socket")?? {
                Message::Text(text) => {
                    let frame: Value = serde_json::from_str(&text)?;
                    ensure!(frame["type"] != "error", "the server answered {text}");
                    if wanted(&frame) {
                        return Ok(());
                    }
                }
                Message::Close(frame) => bail!("the server closed the socket: {frame:?}"),
                _ => {}
            }
        }
    }
}

/// What clicks did.
#[derive(Clone, Debug, Default)]
pub struct Clicks {
    /// How long each took, microseconds, sorted.
    pub micros: Vec<u32>,
    /// From the first to the last.
    pub lasted: Duration,
}

impl Clicks {
    /// How many a second.
    pub fn rate(&self) -> f64 {
        self.micros.len() as f64 / self.lasted.as_secs_f64().max(f64::MIN_POSITIVE)
    }

    /// The time below which that part of them took, milliseconds.
    pub fn percentile(&self, part: f64) -> f64 {
        let last = self.micros.len().saturating_sub(1);
        self.micros.get((last as f64 * part) as usize).map_or(0.0, |micros| f64::from(*micros) / 1000.0)
    }
}

/// Opens so many pages, some at a time.
pub async fn open(server: SocketAddr, view: &str, count: usize) -> anyhow::Result<Vec<Page>> {
    let mut pages = Vec::with_capacity(count);
    while pages.len() < count {
        let some = (count - pages.len()).min(20);
        let opening = (0..some).map(|_| Page::mount(server, view));
        pages.extend(futures_util::future::try_join_all(opening).await?);
    }
    Ok(pages)
}

/// Clicks on all pages, `rate` times a second together as far as the server answers: none is clicked again before its
/// answer. Gives the pages back. `clicked` counts as it goes.
pub async fn click(pages: Vec<Page>, rate: f64, lasts: Duration, clicked: Arc<AtomicU64>) -> anyhow::Result<(Vec<Page>, Clicks)> {
    let every = Duration::from_secs_f64(pages.len() as f64 / rate);
    let began = Instant::now();
    let failed = Arc::new(AtomicBool::new(false));
    let mut tasks = Vec::with_capacity(pages.len());
    let count = pages.len() as u32;
    for (nth, mut page) in pages.into_iter().enumerate() {
        let (clicked, failed) = (clicked.clone(), failed.clone());
        tasks.push(tokio::spawn(async move {
            let mut micros = Vec::new();
            let mut due = began + every * nth as u32 / count;
            while due.duration_since(began) < lasts && began.elapsed() < lasts && !failed.load(Ordering::Relaxed) {
                sleep_until(due).await;
                match page.click("increment").await {
                    Ok(took) => micros.push(u32::try_from(took.as_micros()).unwrap_or(u32::MAX)),
                    Err(error) => {
                        failed.store(true, Ordering::Relaxed);
                        return Err(error);
                    }
                }
                clicked.fetch_add(1, Ordering::Relaxed);
                // Who is late does not catch up: that would be another load.
                due = (due + every).max(Instant::now());
            }
            Ok((page, micros))
        }));
    }
    let (mut pages, mut clicks) = (Vec::with_capacity(tasks.len()), Clicks::default());
    for task in tasks {
        let (page, micros) = task.await??;
        pages.push(page);
        clicks.micros.extend(micros);
    }
    clicks.lasted = began.elapsed();
    clicks.micros.sort_unstable();
    Ok((pages, clicks))
}
