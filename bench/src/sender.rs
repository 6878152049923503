//! The server of the measurement: a process of its own that sends frames to whoever connects, as fast as they are taken.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};

use anyhow::Context as _;
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use crate::frames;
use inspector_bench::corpora::Sort;

/// The process. It ends with this.
pub struct Sender {
    child: Child,
    /// Its address.
    pub port: u16,
    /// Steps that it sends; there is a frame for the page before them.
    pub steps: usize,
}

impl Sender {
    /// Starts it.
    pub fn start(sort: Sort, steps: usize) -> anyhow::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["send", sort.letter(), &steps.to_string()]).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().context("no output")?).read_line(&mut line)?;
        let port = line.trim().parse().with_context(|| format!("the sender said {line:?}"))?;
        Ok(Self { child, port, steps })
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the process does: says its port, then serves one connection after the other.
pub fn serve(sort: Sort, steps: usize) -> anyhow::Result<()> {
    let frames: Vec<Utf8Bytes> = frames::frames(sort, steps).into_iter().map(Utf8Bytes::from).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let mut out = std::io::stdout();
        writeln!(out, "{}", listener.local_addr()?.port())?;
        out.flush()?;
        loop {
            let (stream, _) = listener.accept().await?;
            // Who has enough closes the connection.
            let _ = send(stream, &frames).await;
        }
    })
}

async fn send(stream: TcpStream, frames: &[Utf8Bytes]) -> anyhow::Result<()> {
    stream.set_nodelay(true)?;
    let mut socket = tokio_tungstenite::accept_async(stream).await?;
    socket.next().await.context("no greeting")??;
    socket.send(Message::text(frames::welcome())).await?;
    for frame in frames {
        socket.feed(Message::Text(frame.clone())).await?;
    }
    socket.flush().await?;
    while let Some(Ok(_)) = socket.next().await {}
    Ok(())
}
