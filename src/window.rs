//! The native window over an engine in the same process, and what the desktop does for it.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use inspector_engine::{Engine, Settings};
use inspector_model::Request;
use inspector_ui::{Host, PageToOpen, Startup, run_native};

use crate::arguments::Places;
use crate::library::find;

/// Opens the window on its start page.
pub fn start_page(places: &Places) -> anyhow::Result<ExitCode> {
    let engine = Engine::start(&Settings { data_dir: places.data.clone() })?;
    show(&engine, Vec::new())?;
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
    show(&engine, vec![request])?;
    Ok(ExitCode::SUCCESS)
}

/// Shows the window until it is closed. `requests` are sent first.
pub fn show(engine: &Engine, requests: Vec<Request>) -> anyhow::Result<()> {
    let host = Desktop { pages: tempfile::Builder::new().prefix("djust-inspector-pages-").tempdir()?, opened: 0 };
    let startup = Startup { requests, host: Box::new(host), ..Startup::default() };
    run_native(Box::new(engine.window()), startup).context("recording works without a window: djust-inspector record -- …")
}

/// The user's desktop. Pages are written to a private folder that goes with the program.
struct Desktop {
    pages: tempfile::TempDir,
    opened: u32,
}

impl Host for Desktop {
    fn open_page(&mut self, page: &PageToOpen) -> Result<(), String> {
        self.opened += 1;
        let path = self.pages.path().join(format!("page-{}.html", self.opened));
        let wrong = |error: std::io::Error| format!("the page could not be opened in a browser: {error}");
        std::fs::write(&path, harmless(page)).map_err(wrong)?;
        open::that_detached(&path).map_err(wrong)
    }
}

/// A document that shows recorded HTML without letting it do anything: no script, no request, no form, no way to the top.
fn harmless(page: &PageToOpen) -> String {
    let policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:";
    let inner = format!("<meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">{}", page.html);
    format!(
        "<!doctype html><meta charset=\"utf-8\"><meta http-equiv=\"Content-Security-Policy\" content=\"{policy}; frame-src 'self'\">\
         <title>{}</title><style>html,body,iframe{{margin:0;border:0;width:100%;height:100%}}</style>\
         <iframe sandbox=\"\" title=\"{}\" srcdoc=\"{}\"></iframe>",
        escaped(&page.title),
        escaped(&page.title),
        escaped(&inner)
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recorded_page_cannot_leave_its_frame() {
        let page = PageToOpen { title: "</title><script>x".into(), html: "\"></iframe><script>alert(1)</script>".into() };
        let document = harmless(&page);
        assert_eq!(document.matches("<script").count(), 0);
        assert_eq!(document.matches("</iframe>").count(), 1);
        assert!(document.contains("sandbox=\"\""));
    }
}
