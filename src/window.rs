//! The native window over an engine in the same process.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use inspector_engine::{Engine, Places, Settings};
use inspector_model::Request;
use inspector_ui::{Startup, run_native};

use crate::desktop::Desktop;
use crate::library::find;

/// Opens the window on its start page.
pub fn start_page(places: &Places) -> anyhow::Result<ExitCode> {
    let engine = Engine::start(&Settings { data_dir: places.data.clone() })?;
    show(&Arc::new(engine), places, Vec::new())?;
    Ok(ExitCode::SUCCESS)
}

/// Opens the window on a recording: a file, an id, or `latest`.
pub fn open(places: &Places, recording: &str) -> anyhow::Result<ExitCode> {
    let engine = Engine::start(&Settings { data_dir: places.data.clone() })?;
    let path = Path::new(recording);
    let request = if path.is_file() {
        Request::OpenFile(std::path::absolute(path)?)
    } else {
        Request::OpenRecording(find(engine.store(), recording)?)
    };
    show(&Arc::new(engine), places, vec![request])?;
    Ok(ExitCode::SUCCESS)
}

/// Shows the window until it is closed. `requests` are sent first.
pub fn show(engine: &Arc<Engine>, places: &Places, requests: Vec<Request>) -> anyhow::Result<()> {
    let startup = Startup { requests, ..Startup::default() };
    let memory = places.data.join("window.ron");
    let desktop = Desktop::new(engine.clone()).context("there is no room for pages to show: name another folder in TMPDIR")?;
    run_native(Box::new(desktop), startup, Some(memory)).context("recording works without a window: djust-inspector record -- …")
}
