//! All set-up and every task of the project:
//! `cargo xtask demo | check | test | bench | soak | simulate | peer-suite | fuzz | recordings | wasm | bundle | audit | lock`.
//!
//! Everything is made under `target/`. What cannot be made here (a missing system package without the right to install it)
//! is said with the line that installs it.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a task runner speaks on its standard streams")]

mod audit;
mod bench;
mod bundle;
mod demo;
mod environment;
mod fuzz;
mod licences;
mod peer_suite;
mod simulate;
mod soak;
mod test;
mod wasm;
mod workspace;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The project's tasks.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Start the example project with the agent inside, and the inspector's window attached to it.
    Demo {
        /// Open a sample recording instead: needs no Python.
        #[arg(long)]
        recording: bool,
        /// Record without a window even if there is a display.
        #[arg(long)]
        headless: bool,
    },
    /// Format check, lints, and the unit tests of the packages that changed since the last commit: before each commit.
    Check,
    /// Format check, lints, Rust tests with real servers and a real browser, and the agent's tests on every supported djust.
    Test,
    /// Measure speed, memory and disk beside peers and limits, and write `docs/PERFORMANCE.md`. Takes about half an hour.
    Bench {
        /// Less of everything, and no document: to see whether it runs.
        #[arg(long)]
        quick: bool,
        /// One part: ingest, disk, scrub, big, kills, compare, node, python, agent, window, report.
        #[arg(long)]
        only: Option<String>,
    },
    /// A thousand pages and 5,000 events a second for minutes: what is lost, what grows, what it costs the server.
    Soak {
        /// Minutes of each part.
        #[arg(long, default_value_t = 3.0)]
        minutes: f64,
        /// One part: events, turnover, server.
        #[arg(long)]
        only: Option<String>,
    },
    /// Random runs against a model: the store on a disk that fails at any place, and the agent among pages that come, break and go.
    Simulate {
        /// One part: store, agent.
        #[arg(long)]
        only: Option<String>,
        /// How many runs of each part.
        #[arg(long, default_value_t = 10_000)]
        seeds: u64,
        /// The seed of the first.
        #[arg(long, default_value_t = 1)]
        first: u64,
        /// Run this one of the store alone, and say all that it does.
        #[arg(long, conflicts_with = "only")]
        seed: Option<u64>,
    },
    /// Put hostile input to what reads it, for long: each target, or one, led by what of the code is reached.
    Fuzz {
        /// One target of `fuzz/`; all of them one after the other without it.
        target: Option<String>,
        /// How long each.
        #[arg(long, default_value_t = 10)]
        minutes: u32,
        /// Run this one input instead.
        #[arg(long, requires = "target")]
        input: Option<PathBuf>,
    },
    /// Make the samples in `recordings/` anew, with the program, a real server and a real browser.
    Recordings,
    /// Check licences, origins and known faults of everything that is built on. `deny.toml` is the policy.
    Audit,
    /// djust's own tests, without the agent and with it recording: fails when any of them ends otherwise. Takes some minutes.
    PeerSuite,
    /// Choose anew, by `tests/project/requirements.txt`, which Python packages the tests stand on.
    Lock,
    /// Build the window as a page, in `target/web`: for the installed app and for tests in a browser.
    Wasm,
    /// Make the packages of the installed app for this system, in `target/release/bundle`.
    Bundle {
        /// With programs as the tests build them: quick, large, slow.
        #[arg(long)]
        dev: bool,
    },
}

fn main() -> ExitCode {
    let result = match Arguments::parse().task {
        Task::Demo { recording: true, .. } => demo::recording(),
        Task::Demo { headless, .. } => demo::live(headless),
        Task::Check => test::check(),
        Task::Test => test::all(),
        Task::Bench { quick, only } => bench::all(quick, only.as_deref()),
        Task::Soak { minutes, only } => soak::all(minutes, only.as_deref()),
        Task::Simulate { only, seeds, first, seed } => simulate::all(only.as_deref(), seeds, first, seed),
        Task::Fuzz { target, minutes, input } => fuzz::all(target.as_deref(), minutes, input.as_deref()),
        Task::Recordings => test::recordings(),
        Task::Audit => audit::all().map(|not_run| test::say_what_was_not_run(&not_run)),
        Task::PeerSuite => peer_suite::all(),
        Task::Lock => environment::lock(),
        Task::Wasm => wasm::page(),
        Task::Bundle { dev } => bundle::all(if dev { bundle::Profile::Dev } else { bundle::Profile::Release }),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
