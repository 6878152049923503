//! The native window over an engine in the same process.

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use inspector_engine::{Engine, Places, Settings};
use inspector_model::{Request, Secret};
use inspector_store::private;
use inspector_ui::{Startup, ask_passphrase, run_native};

use crate::desktop::Desktop;
use crate::library::find;
use crate::live::Server;
use crate::passphrase;

/// Opens the window on its start page.
pub fn start_page(places: &Places) -> anyhow::Result<ExitCode> {
    if let Some(engine) = engine(places)? {
        show(&engine, places, Vec::new(), None)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Opens the window on a recording: a file, an id, or `latest`.
pub fn open(places: &Places, recording: &str) -> anyhow::Result<ExitCode> {
    let Some(engine) = engine(places)? else { return Ok(ExitCode::SUCCESS) };
    let path = Path::new(recording);
    let request = if path.is_file() {
        Request::OpenFile(std::path::absolute(path)?)
    } else {
        Request::OpenRecording(find(engine.store(), recording)?)
    };
    show(&engine, places, vec![request], None)?;
    Ok(ExitCode::SUCCESS)
}

/// The engine of a window. An encrypted library whose passphrase was not given is asked for it in a window, too; `None`: whoever was
/// asked closed that.
pub fn engine(places: &Places) -> anyhow::Result<Option<Arc<Engine>>> {
    let settings = Settings { data_dir: places.data.clone(), passphrase: passphrase::given(places)? };
    if !settings.is_locked()? {
        return Ok(Some(Arc::new(Engine::start(&settings)?)));
    }
    let open = move |typed: &Secret| {
        let settings = Settings { passphrase: Some(typed.clone()), ..settings.clone() };
        Engine::start(&settings).map(Arc::new).map_err(|error| error.why_still_locked())
    };
    ask_passphrase(open)
        .context("the passphrase cannot be asked for: set DJUST_INSPECTOR_PASSPHRASE, or name a file with --passphrase-file")
}

/// Shows the window until it is closed. `requests` are sent first. `server` is the one that ends with the window.
pub fn show(engine: &Arc<Engine>, places: &Places, requests: Vec<Request>, server: Option<&Server>) -> anyhow::Result<()> {
    let startup = Startup { requests, ..Startup::default() };
    let memory = places.data.join("window.ron");
    private_memory(&memory).with_context(|| format!("what the window remembers cannot be kept here: {}", memory.display()))?;
    let desktop = Desktop::new(engine.clone(), server.map(|server| server.command.clone()))
        .context("there is no room for pages to show: name another folder in TMPDIR")?;
    if let Some(server) = server {
        server.when_ended(Box::new(desktop.on_server_end()));
    }
    run_native(Box::new(desktop), startup, Some(memory)).context("recording works without a window: djust-inspector record -- …")
}

/// The file exists before the window writes to it, with a mode that it keeps.
fn private_memory(path: &Path) -> std::io::Result<()> {
    if path.exists() {
        private::tighten(path)?;
    } else {
        // An empty map, as the window's library has it.
        private::create(path)?.write_all(b"{}")?;
    }
    Ok(())
}
