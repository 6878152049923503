//! The same label tests on the page: `cargo xtask wasm`, then `cargo test -p inspector-ui --features web-tests --test web`.
//!
//! They have a `main` of their own, because one browser serves them all and has to end with them.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::unused_self,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test stops where something is wrong"
)]

mod common;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use common::in_page::{CHROMIUM, Chromium, InPage as Window};

/// A case by its name.
type Case = (&'static str, fn());

/// Each case is an entry of the list.
#[macro_export]
macro_rules! cases {
    ($($name:ident),* $(,)?) => {
        /// All cases.
        pub const ALL: &[$crate::Case] = &[$((stringify!($name), $name)),*];
    };
}

/// Not in a browser.
#[macro_export]
macro_rules! native_cases {
    ($($name:ident),* $(,)?) => {
        const _: &[fn()] = &[$($name),*];
    };
}

#[path = "common/access_cases.rs"]
mod access_cases;
#[path = "common/cases.rs"]
mod cases;
#[path = "common/cause_cases.rs"]
mod cause_cases;
#[path = "common/compare_cases.rs"]
mod compare_cases;
#[path = "common/desktop_cases.rs"]
mod desktop_cases;
#[path = "common/export_cases.rs"]
mod export_cases;
#[path = "common/hvr_cases.rs"]
mod hvr_cases;
#[path = "common/jump_cases.rs"]
mod jump_cases;
#[path = "common/layout_cases.rs"]
mod layout_cases;
#[path = "common/page_cases.rs"]
mod page_cases;
#[path = "common/view_cases.rs"]
mod view_cases;

fn main() -> ExitCode {
    // cargo-nextest asks each program for its tests. These share one browser, so it gets none of them.
    if std::env::args().any(|argument| argument == "--list") {
        return ExitCode::SUCCESS;
    }
    let index = common::site::web().join("index.html");
    assert!(index.is_file(), "the page was not built: run `cargo xtask wasm` first ({} is missing)", index.display());
    let wanted: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let begun = Instant::now();
    *CHROMIUM.write() = Some(Arc::new(Chromium::launch()));
    let (mut passed, mut failed) = (0, Vec::new());
    let all = [
        cases::ALL,
        access_cases::ALL,
        cause_cases::ALL,
        compare_cases::ALL,
        desktop_cases::ALL,
        view_cases::ALL,
        hvr_cases::ALL,
        jump_cases::ALL,
        layout_cases::ALL,
        page_cases::ALL,
    ];
    for (name, case) in all.into_iter().flatten() {
        if !wanted.is_empty() && !wanted.iter().any(|part| name.contains(part.as_str())) {
            continue;
        }
        let started = Instant::now();
        let ended = catch_unwind(AssertUnwindSafe(case));
        println!("test {name} ... {} ({:.1} s)", if ended.is_ok() { "ok" } else { "FAILED" }, started.elapsed().as_secs_f64());
        if ended.is_ok() { passed += 1 } else { failed.push(*name) }
    }
    // With the last of it the browser ends.
    CHROMIUM.write().take();
    println!("\n{passed} passed, {} failed {failed:?}, in {:.1} s", failed.len(), begun.elapsed().as_secs_f64());
    if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
