//! `cargo xtask demo`: the example project and the inspector, ready to click.

use std::net::TcpListener;
use std::process::Command;

use anyhow::Context as _;

use crate::environment::{DJUST_VERSIONS, program, python, root, run, target};

/// A cart with a bug to hunt.
const SAMPLE: &str = "recordings/shop.djrec";

/// Opens a sample recording.
pub fn recording() -> anyhow::Result<()> {
    let program = program()?;
    anyhow::ensure!(has_display(), "there is no display to open a window on; look at the sample with: {} show {SAMPLE}", program.display());
    run(Command::new(program).arg("open").arg(root().join(SAMPLE)))
}

/// Starts the example project with the agent inside, and the window, or records headless.
pub fn live(headless: bool) -> anyhow::Result<()> {
    let program = program()?;
    let python = python(DJUST_VERSIONS[0])?;
    let project = root().join("tests/project");
    let data = target().join("demo");
    std::fs::create_dir_all(&data)?;
    let database = data.join("db.sqlite3");
    let prepared = Command::new(&python).args(["manage.py", "prepare"]).current_dir(&project).env("DEMO_DB", &database).output()?;
    anyhow::ensure!(prepared.status.success(), "the example project could not be prepared:\n{}", String::from_utf8_lossy(&prepared.stderr));

    let port = free_port(8000)?;
    let window = !headless && has_display();
    if !window && !headless {
        println!("There is no display (DISPLAY and WAYLAND_DISPLAY are not set): recording without a window. End with Ctrl-C.");
    }
    println!("\n  Open http://127.0.0.1:{port}/ in a browser and click; every step appears here.\n");
    let mut inspector = Command::new(program);
    inspector.arg(if window { "run" } else { "record" }).arg("--").arg(&python);
    inspector.args(["-m", "uvicorn", "config.asgi:application", "--log-level", "warning", "--port", &port.to_string()]);
    // The server runs in the project's folder; the program has no need of another.
    let status = inspector.current_dir(&project).env("DEMO_DB", &database).status().context("the inspector could not be started")?;
    anyhow::ensure!(status.success() || status.code().is_none() || status.code() == Some(130), "the inspector ended with {status}");
    Ok(())
}

fn has_display() -> bool {
    cfg!(any(windows, target_os = "macos"))
        || ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}

fn free_port(first: u16) -> anyhow::Result<u16> {
    (first..first + 100)
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .with_context(|| format!("no port from {first} to {} is free", first + 99))
}
