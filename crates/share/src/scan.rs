//! The second look: at the finished file, as a reader would open it.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use inspector_model::{BUG_CAPTURE_PREFIX, ExportFormat, Side, StateAnswer};
use inspector_store::Progress;
use serde_json::Value as Json;

use crate::ShareError;
use crate::patterns::MARK;
use crate::redact::Redactor;
use crate::report::PAGES;

/// So many are told; one is enough to refuse.
const MOST_FINDINGS: usize = 5;

/// Bytes after which it is asked whether to go on: some ten milliseconds.
const ASK_EVERY: usize = 1 << 20;

/// Looks into a finished file. Nothing is told but where and what sort.
pub fn scan(path: &Path, format: ExportFormat, redactor: &Redactor, progress: Progress<'_>) -> Result<Vec<String>, ShareError> {
    let mut look = Look {
        redactor,
        progress,
        findings: Vec::new(),
        done: 0,
        total: path.metadata()?.len(),
        in_steps: format == ExportFormat::Recording,
        since: 0,
        is_stopped: false,
    };
    if redactor.is_off() {
        return Ok(look.findings);
    }
    match format {
        ExportFormat::Recording => recording(path, &mut look)?,
        ExportFormat::Json => look.json_text(&fs::read_to_string(path)?, "the file"),
        ExportFormat::Html => {
            let text = fs::read_to_string(path)?;
            let (document, pages) = split_report(&text);
            look.text(&unescape_html(document), "the report");
            if let Ok(Json::Array(pages)) = serde_json::from_str::<Json>(pages) {
                for page in pages.iter().filter_map(Json::as_str) {
                    look.text(page, "a page of the report");
                    look.text(&unescape_html(page), "a page of the report");
                }
            }
        }
        ExportFormat::Pytest => {
            let text = fs::read_to_string(path)?;
            look.text(&text, "the test");
            look.text(&unescape_python(&text), "the test");
        }
        ExportFormat::BugCapture => {
            let text = fs::read_to_string(path)?;
            let decoded = URL_SAFE_NO_PAD.decode(text.trim().trim_start_matches(BUG_CAPTURE_PREFIX)).unwrap_or_default();
            look.json_text(&String::from_utf8_lossy(&decoded), "the capture");
        }
    }
    if look.is_stopped { Err(ShareError::Cancelled) } else { Ok(look.findings) }
}

struct Look<'a> {
    redactor: &'a Redactor,
    progress: Progress<'a>,
    findings: Vec<String>,
    done: u64,
    total: u64,
    /// Both count steps of a recording, and bytes of everything else.
    in_steps: bool,
    /// Bytes since it was asked last.
    since: usize,
    /// Whoever waits said stop: there is nothing to look at any more.
    is_stopped: bool,
}

impl Look<'_> {
    /// Notes that so many bytes are going to be looked at.
    fn ask(&mut self, bytes: usize) {
        self.since += bytes;
        if self.since >= ASK_EVERY {
            if !self.in_steps {
                self.done += self.since as u64;
            }
            self.since = 0;
            self.is_stopped |= !(self.progress)(self.done.min(self.total), self.total);
        }
    }

    fn text(&mut self, text: &str, place: &str) {
        self.ask(text.len());
        if !self.is_stopped
            && self.findings.len() < MOST_FINDINGS
            && let Some(rule) = self.redactor.finds(text)
        {
            self.findings.push(format!("{} in {place}", rule.label()));
        }
    }

    /// JSON as its texts, so that no escape hides anything, and its names.
    fn json_text(&mut self, text: &str, place: &str) {
        match serde_json::from_str(text) {
            Ok(json) => self.json(&json, place),
            Err(_) => self.text(text, place),
        }
    }

    fn json(&mut self, json: &Json, place: &str) {
        match json {
            Json::String(text) => self.text(text, place),
            Json::Number(number) => self.text(&number.to_string(), place),
            Json::Array(items) => items.iter().for_each(|item| self.json(item, place)),
            Json::Object(entries) => {
                for (name, item) in entries {
                    let bare = match item {
                        Json::String(text) => !text.is_empty() && !text.starts_with(MARK),
                        Json::Number(_) => true,
                        _ => false,
                    };
                    if bare && !crate::names::is_djusts_own(name) && self.redactor.hides(name) && self.findings.len() < MOST_FINDINGS {
                        self.findings.push(format!("a value under a secret's name in {place}"));
                    }
                    self.text(name, place);
                    self.json(item, place);
                }
            }
            Json::Null | Json::Bool(_) => {}
        }
    }
}

fn recording(path: &Path, look: &mut Look<'_>) -> Result<(), ShareError> {
    let progress = look.progress;
    let reader = inspector_store::read_file_watched(path, &|_, of| progress(0, of))?;
    let steps = reader.steps()?;
    look.total = steps.len() as u64;
    look.text(&reader.info().title, "the title");
    for (step, note) in reader.marks()? {
        look.text(&note, &format!("the note of step {step}"));
    }
    for session in reader.sessions()? {
        look.json_text(&serde_json::to_string(&session)?, "a page's description");
        if let Some(shell) = reader.shell(&session.id)? {
            let styles = shell.styles.iter().flat_map(|sheet| [&sheet.href, &sheet.text]);
            for text in [&shell.url, &shell.before, &shell.after].into_iter().chain(styles) {
                look.text(text, "what surrounds a page");
                look.text(&unescape_html(text), "what surrounds a page");
            }
        }
    }
    look.json_text(&serde_json::to_string(&reader.server()?)?, "the server's description");
    look.json_text(&serde_json::to_string(&reader.config()?)?, "the configuration");
    let mut last = None;
    for step in steps {
        look.done = step.id.0 - 1;
        look.ask(ASK_EVERY);
        if look.is_stopped {
            break;
        }
        let place = |what: &str| format!("{what} of step {}", step.id);
        look.json_text(&serde_json::to_string(&step)?, &place("the line"));
        let detail = reader.detail(step.id)?;
        for text in detail.params.iter().chain(&detail.raw_params).chain(detail.frames.iter().map(|frame| &frame.text)) {
            look.json_text(text, &place("a message"));
        }
        look.json_text(&serde_json::to_string(&(&detail.error, &detail.sql, &detail.logs))?, &place("the details"));
        for side in [Side::Before, Side::After] {
            if let StateAnswer::Full(text) = reader.state(step.id, side)? {
                // The state before is nearly always the one that was looked at last.
                if last.as_ref() != Some(&text) {
                    look.json_text(&text, &place("the state"));
                    last = Some(text);
                }
            }
        }
        if step.rendered
            && let Some(html) = reader.html(step.id, Side::After)?
        {
            look.text(&html, &place("the page"));
            look.text(&unescape_html(&html), &place("the page"));
        }
    }
    Ok(())
}

/// A report without its pages, and they as JSON.
fn split_report(text: &str) -> (&str, &str) {
    let Some(at) = text.find(PAGES) else { return (text, "[]") };
    let pages = &text[at + PAGES.len()..];
    (&text[..at], pages.split("</script>").next().unwrap_or_default())
}

fn unescape_html(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#39;", "'").replace("&amp;", "&")
}

fn unescape_python(text: &str) -> String {
    text.replace("\\n", "\n").replace("\\t", "\t").replace("\\r", "\r").replace("\\\"", "\"").replace("\\\\", "\\")
}
