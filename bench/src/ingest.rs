//! From the socket to the disk: the whole engine beside the simplest programs that receive the same frames and keep them.

use std::hint::black_box;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use futures_util::{SinkExt as _, StreamExt as _};
use inspector_bench::clock::median_of;
use inspector_bench::corpora::Sort;
use inspector_bench::measure::{Role, Sheet};
use inspector_engine::{Engine, Settings, Target};
use inspector_model::StepKind;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use crate::process::cpu_time;
use crate::sender::Sender;
use crate::stores::{FLUSH_EVERY, Keeper, Kind, disk_bytes};

/// Frames between the socket and who keeps them: as many as the engine has.
const QUEUE: usize = 32;

/// How long one round may take.
const LONGEST: Duration = Duration::from_mins(5);

/// One way to take frames in.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    Engine,
    ReceiveOnly,
    ParseOnly,
    Keep(Kind),
}

impl Way {
    const fn name(self) -> &'static str {
        match self {
            Self::Engine => "inspector, the whole engine",
            Self::ReceiveOnly => "receive only",
            Self::ParseOnly => "receive, serde_json::Value, keep nothing",
            Self::Keep(kind) => kind.name(),
        }
    }

    const fn role(self) -> Role {
        match self {
            Self::Engine => Role::Own,
            Self::ReceiveOnly | Self::Keep(Kind::Raw) => Role::Limit,
            Self::ParseOnly | Self::Keep(_) => Role::Peer,
        }
    }
}

/// What a round took.
struct Round {
    wall: Duration,
    cpu: Duration,
    disk: u64,
}

/// `only`: one page instead of all.
pub fn run(quick: bool, only: Option<Sort>) -> anyhow::Result<Sheet> {
    let mut sheet = Sheet::default();
    let ways = [Way::Engine, Way::ReceiveOnly, Way::ParseOnly].into_iter().chain(Kind::ALL.map(Way::Keep));
    let ways: Vec<Way> = ways.collect();
    for sort in Sort::ALL.into_iter().filter(|sort| only.is_none_or(|only| only == *sort)) {
        let steps = match sort {
            Sort::Counter => 60_000,
            Sort::Table => 6_000,
            Sort::Large => 200,
            Sort::Text => 1_500,
            Sort::Pages => 3_000,
        } / if quick { 5 } else { 1 };
        let sender = Sender::start(sort, steps)?;
        let mut rounds: Vec<Vec<Round>> = ways.iter().map(|_| Vec::new()).collect();
        // One after the other, round by round: what else the machine does then hits all alike.
        for _ in 0..if quick { 1 } else { 5 } {
            for (way, rounds) in ways.iter().zip(&mut rounds) {
                rounds.push(round(*way, &sender)?);
            }
        }
        for (way, rounds) in ways.iter().zip(&rounds) {
            let of = |value: &dyn Fn(&Round) -> f64| median_of(rounds.iter().map(value).collect());
            sheet.put("ingest", way.role(), way.name(), sort.letter(), steps as f64 / of(&|round| round.wall.as_secs_f64()));
            if !matches!(way, Way::ReceiveOnly | Way::ParseOnly) {
                sheet.put("ingest disk", way.role(), way.name(), sort.letter(), of(&|round| round.disk as f64) / steps as f64);
            }
            if matches!(way, Way::Engine | Way::ReceiveOnly) {
                let cpu = of(&|round| round.cpu.as_secs_f64()) / steps as f64;
                sheet.put("ingest cpu", way.role(), way.name(), sort.letter(), cpu * 1e6);
            }
        }
    }
    Ok(sheet)
}

fn round(way: Way, sender: &Sender) -> anyhow::Result<Round> {
    let folder = tempfile::tempdir()?;
    let engine = (way == Way::Engine).then(|| Engine::start(&Settings::new(folder.path()))).transpose()?;
    let (start, cpu) = (Instant::now(), cpu_time());
    match (way, engine) {
        (Way::Engine, Some(engine)) => record(&engine, sender)?,
        (Way::Keep(kind), _) => {
            let keeper = kind.create(folder.path())?;
            receive(sender, Some(Box::new(move |frames| keep(frames, keeper))))?;
        }
        (Way::ParseOnly, _) => receive(sender, Some(Box::new(parse)))?,
        _ => receive(sender, None)?,
    }
    let (wall, cpu) = (start.elapsed(), cpu_time().saturating_sub(cpu));
    let disk = match way {
        Way::Engine => {
            check(folder.path(), sender.steps)?;
            disk_bytes(&folder.path().join("library"))?
        }
        _ => disk_bytes(folder.path())?,
    };
    Ok(Round { wall, cpu, disk })
}

/// The engine attaches, records, and is shut down: then everything is on the disk.
fn record(engine: &Engine, sender: &Sender) -> anyhow::Result<()> {
    let url = format!("http://127.0.0.1:{}", sender.port);
    engine.attach(Target::address(url, "bench")).map_err(|failure| anyhow::anyhow!("{failure:?}"))?;
    let end = Instant::now() + LONGEST;
    while engine.store().recordings()?.first().map_or(0, |info| info.steps) < sender.steps as u64 {
        ensure!(Instant::now() < end, "the engine has recorded {:?}", engine.store().recordings()?);
        thread::sleep(Duration::from_millis(1));
    }
    engine.shut_down();
    Ok(())
}

/// All steps are there, and each is what it was sent as.
fn check(folder: &Path, steps: usize) -> anyhow::Result<()> {
    let (store, _) = inspector_store::Store::open(folder)?;
    let recording = store.recordings()?.pop().context("no recording")?;
    let read = store.read(&recording.id)?.steps()?;
    ensure!(read.len() == steps, "{} of {steps} steps were recorded", read.len());
    let wrong = read.iter().skip(1).find(|step| step.kind != StepKind::Event || step.state_bytes == 0);
    ensure!(wrong.is_none(), "a step was not recorded as it was sent: {wrong:?}");
    Ok(())
}

/// Who takes frames, on a thread of its own.
type Taker = Box<dyn FnOnce(mpsc::Receiver<Utf8Bytes>) -> anyhow::Result<()> + Send>;

/// Receives all frames, and hands them on.
fn receive(sender: &Sender, taker: Option<Taker>) -> anyhow::Result<()> {
    let (hand, taken) = mpsc::channel(QUEUE);
    let thread = taker.map(|taker| thread::Builder::new().name("taker".into()).spawn(move || taker(taken))).transpose()?;
    let has_taker = thread.is_some();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let config = WebSocketConfig::default().max_message_size(None).max_frame_size(None);
        let url = format!("ws://127.0.0.1:{}/", sender.port);
        let (mut socket, _) = tokio_tungstenite::connect_async_with_config(url, Some(config), true).await?;
        socket.send(Message::text("{}")).await?;
        // The greeting, the page, the steps.
        for _ in 0..sender.steps + 2 {
            match socket.next().await.context("the sender has ended")?? {
                Message::Text(text) if has_taker => hand.send(text).await?,
                Message::Text(text) => drop(black_box(text)),
                other => anyhow::bail!("the sender sent {other:?}"),
            }
        }
        drop(hand);
        anyhow::Ok(())
    })?;
    match thread {
        Some(thread) => thread.join().map_err(|_| anyhow::anyhow!("the thread panicked"))?,
        None => Ok(()),
    }
}

fn keep(mut frames: mpsc::Receiver<Utf8Bytes>, mut keeper: Box<dyn Keeper>) -> anyhow::Result<()> {
    let mut flushed = Instant::now();
    let mut number = 0;
    while let Some(frame) = frames.blocking_recv() {
        keeper.put(number, frame.as_bytes())?;
        number += 1;
        if flushed.elapsed() >= FLUSH_EVERY {
            keeper.flush()?;
            flushed = Instant::now();
        }
    }
    keeper.flush()
}

fn parse(mut frames: mpsc::Receiver<Utf8Bytes>) -> anyhow::Result<()> {
    while let Some(frame) = frames.blocking_recv() {
        black_box(serde_json::from_str::<serde_json::Value>(&frame)?);
    }
    Ok(())
}
