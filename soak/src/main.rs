//! Runs the soak and prints what came of it: `cargo xtask soak`.

#![allow(clippy::print_stdout, reason = "it is a report")]

use std::path::PathBuf;
use std::time::Duration;

use anyhow::ensure;
use clap::{Parser, Subcommand};
use inspector_soak::{agent, inspector, limits, record, server};

/// Long and heavy use.
#[derive(Parser)]
struct Arguments {
    /// Minutes of each of the three parts.
    #[arg(long, default_value_t = 3.0)]
    minutes: f64,
    /// Pages that are open at a time.
    #[arg(long, default_value_t = 1_000)]
    pages: usize,
    /// Events a second at the inspector.
    #[arg(long, default_value_t = 5_000)]
    rate: u64,
    /// Clicks a second that the real server is asked for.
    #[arg(long, default_value_t = 200.0)]
    clicks: f64,
    /// One part: events, turnover, server.
    #[arg(long)]
    only: Option<String>,
    /// Prints the inspector's memory over time, too.
    #[arg(long)]
    samples: bool,
    #[command(subcommand)]
    part: Option<Part>,
}

#[derive(Subcommand)]
enum Part {
    /// What the measurement starts: an inspector. It ends with its input.
    Record {
        /// The server.
        url: String,
        /// Its token.
        token: String,
        /// The library's folder.
        library: PathBuf,
    },
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    if let Some(Part::Record { url, token, library }) = &arguments.part {
        return record::run(url, token, library);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(measure(&arguments))
}

/// Enough for 32 MiB of the agent's frames of small pages, one and a half times.
const FILL: Duration = Duration::from_secs(90);

const MIB: f64 = 1_048_576.0;

async fn measure(arguments: &Arguments) -> anyhow::Result<()> {
    let program = std::env::current_exe()?;
    let lasts = Duration::from_secs_f64(arguments.minutes * 60.0);
    let wanted = |part: &str| arguments.only.as_deref().is_none_or(|only| only == part);
    let mut wrong = Vec::new();
    let mut check = |what: &str, value: f64, limit: f64| {
        println!("  {what}: {value:.1} (at most {limit})");
        if value > limit {
            wrong.push(what.to_owned());
        }
    };
    for (part, turnover) in [("events", 0), ("turnover", 200)] {
        if !wanted(part) {
            continue;
        }
        let rate = if turnover > 0 { arguments.rate / 5 } else { arguments.rate };
        let load = agent::Load { pages: arguments.pages, rate, turnover };
        println!("{part}: {} pages, {rate} events/s, {turnover} pages/s come and go, {} s", arguments.pages, lasts.as_secs());
        let report = inspector::run(&program, load, lasts, turnover > 0).await?;
        let (dropped, told) = report.dropped;
        println!(
            "  {} events on {} pages: {} recorded, {dropped} dropped, {told} told as dropped",
            report.events, report.pages, report.recorded
        );
        println!("  {:.1} s until all was recorded, {:.1} MiB in the end", report.lasted.as_secs_f64(), report.memory as f64 / MIB);
        if arguments.samples {
            for sample in &report.samples {
                println!("  {:>8.2} {:>10} {:>8.1}", sample.at, sample.count, sample.bytes as f64 / MIB);
            }
        }
        check("events that are neither recorded nor told as dropped", (report.events - report.recorded).abs_diff(told) as f64, 0.0);
        check("frames dropped that were not told", dropped.abs_diff(told) as f64, 0.0);
        if turnover > 0 {
            // A page has its share of the steps: a mount, a close, and events.
            let steps = 2.0 + rate as f64 / turnover as f64;
            let cache = limits::INSPECTOR_CACHE / (report.pages as f64 * (1.0 - limits::WARM_UP));
            let of_steps = steps * limits::INSPECTOR_PER_STEP;
            println!("  {:.0} bytes for each page: its steps may take {of_steps:.0}, the cache {cache:.0}", report.growth);
            let beside = report.growth - of_steps - cache;
            check("bytes for each page beside its steps and the cache", beside, limits::INSPECTOR_PER_PAGE);
        } else {
            check("bytes for each step", report.growth, limits::INSPECTOR_PER_STEP);
        }
    }
    if wanted("server") {
        let load = server::Load {
            pages: arguments.pages,
            rate: arguments.clicks,
            lasts: (lasts / 2, lasts),
            fill: FILL,
            visitors: arguments.pages,
        };
        println!("server: djust, {} pages, {} clicks/s asked for, {} s", load.pages, load.rate, lasts.as_secs());
        let report = server::run(&program, load).await?;
        for (way, clicks) in [("without an inspector", &report.alone), ("with an inspector", &report.attached)] {
            println!("  {way}: {:.0} clicks/s, p50 {:.2} ms, p99 {:.2} ms", clicks.rate(), clicks.percentile(0.5), clicks.percentile(0.99));
        }
        println!("  {} clicks: {} recorded, {} frames told as dropped", report.clicked, report.recorded, report.dropped);
        println!(
            "  the server takes {:.1} MiB, the inspector {:.1} MiB",
            report.server_memory as f64 / MIB,
            report.inspector_memory as f64 / MIB
        );
        check(
            "clicks that are neither recorded nor told as dropped",
            (report.clicked - report.recorded).saturating_sub(report.dropped) as f64,
            0.0,
        );
        check("bytes of the server for each click", report.server_per_event, limits::SERVER_PER_EVENT);
        let (alone, attached) = report.server_per_page;
        println!("  bytes of the server for each page that is gone: {alone:.0} without an inspector, {attached:.0} with one");
        check("bytes of the agent for each page that is gone", attached - alone, limits::SERVER_PER_PAGE);
    }
    ensure!(wrong.is_empty(), "beyond its limit: {}", wrong.join(", "));
    Ok(())
}
