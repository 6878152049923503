//! One inspector under the load of [`crate::agent`].

use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::time::sleep;

use crate::agent::{Agent, Load};
use crate::limits::WARM_UP;
use crate::memory::{Sample, growth};
use crate::record::Inspector;

/// How long the inspector may take for what was sent.
const SETTLE: Duration = Duration::from_mins(2);

/// How often memory is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// What came of it.
#[derive(Debug)]
pub struct Report {
    /// Events that the agent had.
    pub events: u64,
    /// Pages that it had.
    pub pages: u64,
    /// Events in the library afterwards.
    pub recorded: u64,
    /// Frames that the agent dropped, and what the inspector says of them.
    pub dropped: (u64, u64),
    /// How long it took until all was recorded.
    pub lasted: Duration,
    /// Bytes of memory for each step, or for each page where pages come and go, after the warm-up.
    pub growth: f64,
    /// The inspector's memory at the end, bytes.
    pub memory: u64,
    /// All that was seen of its memory.
    pub samples: Vec<Sample>,
}

/// Sends that load for so long. Memory is told by pages when `by_page`, else by steps.
pub async fn run(program: &Path, load: Load, lasts: Duration, by_page: bool) -> anyhow::Result<Report> {
    let agent = Agent::listen().await?;
    let library = tempfile::tempdir()?;
    let mut inspector = Inspector::start(program, &format!("http://127.0.0.1:{}", agent.port), "any", library.path())?;
    let sent = agent.sent.clone();
    let began = Instant::now();
    let serving = tokio::spawn(async move { agent.serve(load, lasts).await });
    let mut samples = Vec::new();
    let last = loop {
        sleep(LOOK_EVERY).await;
        let now = inspector.now();
        let count = if by_page { now.pages } else { now.steps };
        samples.push(Sample { at: began.elapsed().as_secs_f64(), count, bytes: now.memory });
        let events = sent.events.load(Ordering::Relaxed);
        if began.elapsed() > lasts && now.events + now.dropped >= events && events > 0 {
            break now;
        }
        anyhow::ensure!(began.elapsed() < lasts + SETTLE, "the inspector is behind: {now:?} of {events} events");
        anyhow::ensure!(!serving.is_finished(), "the agent's side ended early");
    };
    let lasted = began.elapsed();
    // It opens an engine, which has a runtime of its own.
    let folder = library.path().to_owned();
    let (_, recorded) = tokio::task::spawn_blocking(move || inspector.end(&folder)).await??;
    serving.await??;
    Ok(Report {
        events: sent.events.load(Ordering::Relaxed),
        pages: sent.pages.load(Ordering::Relaxed),
        recorded,
        dropped: (sent.dropped.load(Ordering::Relaxed), last.dropped),
        lasted,
        growth: growth(&samples, WARM_UP),
        memory: last.memory,
        samples,
    })
}
