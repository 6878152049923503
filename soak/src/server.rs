//! A real djust server with the real agent, and real connections that click on it.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use inspector_test_support::{DjustServer, ServerOptions};
use tokio::time::interval;

use crate::limits::WARM_UP;
use crate::memory::{Sample, growth, resident};
use crate::pages::{self, Clicks};
use crate::record::Inspector;

/// The page that is clicked: with djust's own recording off, whose ring would be the server's memory and not the agent's.
const VIEW: &str = "lab.views.counter.PlainView";

/// How long an inspector may take for what was sent.
const SETTLE: Duration = Duration::from_mins(2);

/// Clicks a second that fill the backlog: what one process of djust just takes.
const FILL_RATE: f64 = 400.0;

/// How often memory is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// What is done to the server.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// Pages that are open at a time.
    pub pages: usize,
    /// Clicks a second that are asked for, of all of them.
    pub rate: f64,
    /// How long they are clicked without an inspector, and how long with one.
    pub lasts: (Duration, Duration),
    /// How long they are clicked in between, as fast as it goes, to fill the agent's backlog: what grows afterwards grows for ever.
    pub fill: Duration,
    /// Pages that come and go afterwards, one after the other.
    pub visitors: usize,
}

/// What came of it.
#[derive(Debug)]
pub struct Report {
    /// Clicks without an inspector.
    pub alone: Clicks,
    /// Clicks with one.
    pub attached: Clicks,
    /// Clicks while it was attached, those of visitors included, each answered by the server.
    pub clicked: u64,
    /// Events in the library afterwards.
    pub recorded: u64,
    /// Frames that were dropped, as the agent told.
    pub dropped: u64,
    /// Bytes of the server's memory for each click, after the warm-up.
    pub server_per_event: f64,
    /// The same for each page that came and went, without an inspector and with one: djust itself keeps some of a page.
    pub server_per_page: (f64, f64),
    /// The server's memory at the end, bytes.
    pub server_memory: u64,
    /// The inspector's.
    pub inspector_memory: u64,
}

/// Clicks without and with an inspector, which is `program`; see [`Inspector::start`].
pub async fn run(program: &Path, load: Load) -> anyhow::Result<Report> {
    let token = "the-token-of-the-soak";
    let options = ServerOptions::injected(token)
        .env("DEMO_RATE", "loose")
        .env("DEMO_HOT_RELOAD", "0")
        .env("DEMO_LOG_LEVEL", "ERROR")
        // Without DEBUG, in which Django itself keeps what it did; with the bounds of a server that is measured, not spared.
        .env("DEMO_DEBUG", "0")
        .env("DEMO_INSPECTOR", r#"{"record": {"cpu": 1.0, "memory_mb": 1024}}"#);
    let server = DjustServer::start(options).await?;
    let pid = server.pid().context("the server has ended")?;
    let open = pages::open(server.address(), VIEW, load.pages).await?;
    let before = Arc::new(AtomicU64::new(0));
    let (open, alone) = pages::click(open, load.rate, load.lasts.0, before).await?;
    let per_page_alone = visit(&server, load.visitors).await?;

    let library = tempfile::tempdir()?;
    let mut inspector = Inspector::start(program, &server.url("/"), token, library.path())?;
    inspector.wait("all pages", SETTLE, |progress| progress.attached && progress.pages >= load.pages as u64)?;
    let clicked = Arc::new(AtomicU64::new(0));
    let (open, _) = pages::click(open, FILL_RATE, load.fill, clicked.clone()).await?;
    let watch = watch(pid, clicked.clone());
    let (open, attached) = pages::click(open, load.rate, load.lasts.1, clicked.clone()).await?;
    let server_per_event = growth(&watch.end().await?, WARM_UP);

    let per_page_attached = visit(&server, load.visitors).await?;
    let clicked = clicked.load(Ordering::Relaxed) + load.visitors as u64;
    let last = inspector.wait("what was clicked", SETTLE, |progress| progress.events + progress.dropped >= clicked)?;
    let server_memory = resident(pid);
    drop(open);
    // It opens an engine, which has a runtime of its own.
    let folder = library.path().to_owned();
    let (_, recorded) = tokio::task::spawn_blocking(move || inspector.end(&folder)).await??;
    Ok(Report {
        alone,
        attached,
        clicked,
        recorded,
        dropped: last.dropped,
        server_per_event,
        server_per_page: (per_page_alone, per_page_attached),
        server_memory,
        inspector_memory: last.memory,
    })
}

/// Pages that come, are clicked once, and go. Bytes of the server's memory for each.
async fn visit(server: &DjustServer, visitors: usize) -> anyhow::Result<f64> {
    let visits = Arc::new(AtomicU64::new(0));
    let watch = watch(server.pid().context("the server has ended")?, visits.clone());
    for _ in 0..visitors {
        let mut page = pages::open(server.address(), VIEW, 1).await?.remove(0);
        page.click("increment").await?;
        page.close().await?;
        visits.fetch_add(1, Ordering::Relaxed);
    }
    Ok(growth(&watch.end().await?, WARM_UP))
}

/// Looks at a process until it is told to end.
struct Watch {
    stop: tokio::sync::oneshot::Sender<()>,
    task: tokio::task::JoinHandle<Vec<Sample>>,
}

impl Watch {
    async fn end(self) -> anyhow::Result<Vec<Sample>> {
        drop(self.stop);
        Ok(self.task.await?)
    }
}

fn watch(pid: u32, count: Arc<AtomicU64>) -> Watch {
    let (stop, mut stopped) = tokio::sync::oneshot::channel();
    let began = Instant::now();
    let task = tokio::spawn(async move {
        let mut samples = Vec::new();
        let mut look = interval(LOOK_EVERY);
        loop {
            tokio::select! {
                _ = look.tick() => samples.push(Sample {
                    at: began.elapsed().as_secs_f64(),
                    count: count.load(Ordering::Relaxed),
                    bytes: resident(pid),
                }),
                _ = &mut stopped => return samples,
            }
        }
    });
    Watch { stop, task }
}
