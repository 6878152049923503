//! A report that any browser opens: one file, no network, no tool. The steps, what each changed, and the pages as they looked.
//!
//! Recorded text reaches it escaped, recorded pages as documents that do nothing (`inspector-page`), in frames without rights.
//! The one script is allowed by its hash. Without script everything but the pages can still be read.

mod parts;

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::Write;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use inspector_model::{PageShell, RecordedPage, SessionId, Status, StepId, StepKind, View};
use sha2::{Digest as _, Sha256};

use crate::ShareError;
use crate::excerpt::{Excerpt, Item, Part};
use crate::redact::Redactor;
use parts::{count, shown};

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// Where the pages begin in the file.
pub const PAGES: &str = "<script type=\"application/json\" id=\"pages\">";

/// All steps together, bytes of HTML. What comes then is told by its line only.
const MOST_DETAIL: usize = 24 << 20;

/// All pages together, bytes.
const MOST_PAGES: usize = 24 << 20;

/// Lanes of the timeline, and the steps in each.
const LANES: [(&str, &str); 5] =
    [("browser", "Browser"), ("server", "Server"), ("travel", "Time travel"), ("reload", "Reload"), ("trouble", "Trouble")];

/// What of a step the list and the timeline show.
struct Line {
    id: u64,
    role: &'static str,
    started: f64,
    is_bad: bool,
    html: String,
    title: String,
}

/// The pages of the report, each once.
#[derive(Default)]
struct Pages {
    documents: Vec<String>,
    by_content: HashMap<String, usize>,
    bytes: usize,
    shells: HashMap<SessionId, Option<Arc<PageShell>>>,
    /// The page that each session shows by now.
    current: HashMap<SessionId, Option<usize>>,
}

/// Writes it.
pub fn write(excerpt: &Excerpt<'_>, redactor: &mut Redactor, out: &mut dyn Write, part: Part) -> Result<(), ShareError> {
    let title = excerpt.title(redactor);
    let sessions = excerpt.clean_sessions(redactor)?;
    let mut pages = Pages::default();
    for session in excerpt.sessions() {
        let shell = excerpt.shell(&session.id, redactor)?.map(Arc::new);
        pages.shells.insert(redactor.session(session)?.id, shell);
    }
    let notes: HashMap<StepId, String> = excerpt.marks(redactor)?.into_iter().collect();
    let mut lines: Vec<Line> = Vec::new();
    let mut articles = String::new();
    excerpt.each(redactor, part, |item| {
        lines.push(line(&item));
        let page = pages.of(&item);
        let note = notes.get(&item.step.id).map(String::as_str);
        if articles.len() < MOST_DETAIL {
            parts::article(&mut articles, &item, note, page);
        } else {
            parts::cut_article(&mut articles, &item, note);
        }
        Ok(())
    })?;
    let kept_back: u64 = redactor.kept_back().iter().map(|kept| kept.count).sum();
    let mut text = String::with_capacity(articles.len() + 64 * 1024);
    let hash = STANDARD.encode(Sha256::digest(SCRIPT.as_bytes()));
    // The pages are in frames of this document and bound by its policy, too: their own styles are inline.
    let _ = writeln!(
        text,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta http-equiv=\"Content-Security-Policy\" content=\"default-src \
         'none'; script-src 'sha256-{hash}'; style-src 'unsafe-inline'; img-src data:; font-src data:; form-action 'none'; base-uri 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<meta name=\"referrer\" content=\"no-referrer\">\n<title>{}</title>\n<style>\n{STYLE}\
         </style>\n</head>\n<body>\n<a class=\"skip\" href=\"#steps\">Skip to the steps</a>",
        shown(&title)
    );
    let facts = Facts { title: &title, kept_back: (!redactor.is_off()).then_some(kept_back), cut_pages: pages.is_full() };
    header(&mut text, excerpt, &facts, sessions.iter().filter_map(|session| session.view.as_ref()));
    timeline(&mut text, &lines);
    text.push_str(
        "<div class=\"body\">\n<nav class=\"list\" id=\"steps\" aria-label=\"Steps\">\n<div class=\"find\"><input id=\"find\" type=\"search\" \
         placeholder=\"Find steps\" aria-label=\"Find steps\"><output id=\"found\"></output></div>\n<ol>\n",
    );
    for line in &lines {
        text.push_str(&line.html);
    }
    text.push_str("</ol>\n</nav>\n<main>\n<noscript><p class=\"note\">Without script all steps are below each other, and pages are not shown.</p></noscript>\n");
    text.push_str(&articles);
    text.push_str(
        "</main>\n</div>\n<footer>Made by djust-inspector. <kbd>↑</kbd> <kbd>↓</kbd> go from step to step, <kbd>/</kbd> finds. Pages are shown \
         as they were recorded; nothing in them works.</footer>\n",
    );
    out.write_all(text.as_bytes())?;
    out.write_all(PAGES.as_bytes())?;
    // In a script element only `<` could end it or begin a comment.
    out.write_all(serde_json::to_string(&pages.documents)?.replace('<', "\\u003c").as_bytes())?;
    writeln!(out, "</script>\n<script>{SCRIPT}</script>\n</body>\n</html>")?;
    Ok(())
}

impl Pages {
    /// The number of the page after a step, if its session has one by then.
    fn of(&mut self, item: &Item) -> Option<usize> {
        let session = item.step.session.as_ref()?;
        if let Some(html) = &item.html {
            let shell = self.shells.get(session).cloned().flatten();
            let page = RecordedPage { html: html.clone(), shell, changed: Vec::new(), server: None };
            let document = inspector_page::document(&page, inspector_page::Options::default());
            let known = self.by_content.get(&document).copied();
            let number = known.or_else(|| {
                if self.bytes + document.len() > MOST_PAGES {
                    self.bytes = MOST_PAGES + 1;
                    return None;
                }
                self.bytes += document.len();
                self.by_content.insert(document.clone(), self.documents.len());
                self.documents.push(document);
                Some(self.documents.len() - 1)
            });
            self.current.insert(session.clone(), number);
        }
        self.current.get(session).copied().flatten()
    }

    const fn is_full(&self) -> bool {
        self.bytes > MOST_PAGES
    }
}

struct Facts<'a> {
    title: &'a str,
    kept_back: Option<u64>,
    cut_pages: bool,
}

fn header<'v>(text: &mut String, excerpt: &Excerpt<'_>, facts: &Facts<'_>, views: impl Iterator<Item = &'v View>) {
    let info = excerpt.info();
    let _ = write!(
        text,
        "<header class=\"top\">\n<h1>{}</h1>\n<p class=\"facts\">",
        shown(if facts.title.is_empty() { "Recording" } else { facts.title })
    );
    let steps = excerpt.steps();
    let started = steps.first().map_or(info.started, |step| step.started);
    let _ = write!(text, "<span><b>{}</b> {}</span>", count(steps.len() as u64), if steps.len() == 1 { "step" } else { "steps" });
    let pages = excerpt.sessions().len();
    let _ = write!(text, "<span><b>{pages}</b> {}</span>", if pages == 1 { "page" } else { "pages" });
    let mut classes: Vec<&str> = views.map(|view| view.class.rsplit('.').next().unwrap_or_default()).collect();
    classes.sort_unstable();
    classes.dedup();
    if !classes.is_empty() {
        let more = if classes.len() > 4 { format!(" and {} more", classes.len() - 4) } else { String::new() };
        let _ = write!(text, "<span>{}{more}</span>", shown(&classes[..classes.len().min(4)].join(", ")));
    }
    let _ = write!(text, "<span>{}</span>", parts::utc(started));
    if !info.djust.is_empty() {
        let _ = write!(text, "<span>djust {}</span>", shown(&info.djust));
    }
    match facts.kept_back {
        Some(0) => text.push_str("<span>no secrets found</span>"),
        Some(kept) => {
            let _ = write!(text, "<span><b>{}</b> {} redacted</span>", count(kept), if kept == 1 { "value" } else { "values" });
        }
        None => text.push_str("<span><b>not redacted</b></span>"),
    }
    text.push_str("</p>\n");
    if excerpt.written() < steps.len() {
        let _ = writeln!(
            text,
            "<p class=\"note\">Only the first {} of {} steps are in this report. Export fewer steps, or JSON, which has no such limit.</p>",
            count(excerpt.written() as u64),
            count(steps.len() as u64)
        );
    }
    if facts.cut_pages {
        let _ = writeln!(
            text,
            "<p class=\"note\">The first {} MB of pages are in this report; the pages of later steps were left out.</p>",
            MOST_PAGES >> 20
        );
    }
    text.push_str("</header>\n");
}

const fn role(kind: StepKind) -> &'static str {
    match kind {
        StepKind::Mount | StepKind::Event | StepKind::Message | StepKind::UrlChange | StepKind::Close => "browser",
        StepKind::Tick | StepKind::Push | StepKind::Async | StepKind::Outside => "server",
        StepKind::Jump | StepKind::Replay => "travel",
        StepKind::Reload | StepKind::HotReload | StepKind::Hvr => "reload",
        StepKind::RateLimited | StepKind::Error | StepKind::Gap => "trouble",
    }
}

fn line(item: &Item) -> Line {
    let step = &item.step;
    let role = role(step.kind);
    let is_bad = step.status != Status::Ok || step.kind == StepKind::Error;
    let id = step.id.0;
    let name = parts::name(step);
    let sub =
        if step.status == Status::Ok { step.kind.label().to_owned() } else { format!("{} · {}", step.kind.label(), step.status.word()) };
    let ms = step.duration_ms.map_or_else(String::new, |ms| format!(" · {ms:.1} ms"));
    let counts = if step.changes.total() == 0 { String::new() } else { step.changes.to_string() };
    let bad = if is_bad { " bad" } else { "" };
    let html = format!(
        "<li><a class=\"role-{role}\" href=\"#step-{id}\"><span class=\"n\">{id}</span><span class=\"what{bad}\" title=\"{name}\">{name}</span>\
         <span class=\"counts\">{counts}</span><span class=\"sub{bad}\">{sub}{ms}</span></a></li>\n"
    );
    Line { id, role, started: step.started, is_bad, html, title: format!("{id} · {sub} · {name}") }
}

/// Marks in lanes, at their times. Long pauses are shortened, so that what happened is not a few dots at the ends.
fn timeline(text: &mut String, lines: &[Line]) {
    let mut gaps: Vec<f64> = lines.windows(2).map(|two| (two[1].started - two[0].started).max(0.0)).collect();
    let places: Vec<f64> = {
        let mut sorted = gaps.clone();
        sorted.sort_by(f64::total_cmp);
        let usual = sorted.get(sorted.len() / 2).copied().unwrap_or_default().max(1e-3);
        for gap in &mut gaps {
            *gap = gap.clamp(usual * 0.25, usual * 6.0);
        }
        let mut at = 0.0;
        let mut places = vec![0.0];
        for gap in &gaps {
            at += gap;
            places.push(at);
        }
        if at > 0.0 { places.into_iter().map(|place| place / at * 100.0).collect() } else { places }
    };
    text.push_str("<section class=\"timeline\" aria-hidden=\"true\">\n");
    for (role, label) in LANES {
        let mut marks = String::new();
        for (line, place) in lines.iter().zip(&places).filter(|(line, _)| line.role == role) {
            let bad = if line.is_bad { " bad" } else { "" };
            let _ = write!(
                marks,
                "<a class=\"mark role-{role}{bad}\" href=\"#step-{}\" tabindex=\"-1\" style=\"left:{place:.2}%\" title=\"{}\"></a>",
                line.id, line.title
            );
        }
        if !marks.is_empty() {
            let _ = writeln!(text, "<div class=\"lane\"><span>{label}</span><div>{marks}</div></div>");
        }
    }
    text.push_str("<div class=\"lane axis\"><span></span><div>");
    if let (Some(first), true) = (lines.first(), lines.len() > 1) {
        let every = (lines.len() - 1).div_ceil(6).max(1);
        let mut last_place = -20.0;
        for (line, place) in lines.iter().zip(&places).step_by(every) {
            if place - last_place >= 8.0 && (*place <= 92.0 || *place >= 99.9) {
                let _ = write!(text, "<i style=\"left:{place:.2}%\">{}</i>", parts::elapsed(line.started - first.started));
                last_place = *place;
            }
        }
    }
    text.push_str("</div></div>\n</section>\n");
}
