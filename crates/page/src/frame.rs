//! The document of a page window: a line that says what is shown, and the page, or both ends of a step beside each other.

use inspector_model::{RecordedPage, Side, StepId};
use url::Url;

use crate::policy::content_security_policy;
use crate::tags::{write_attribute, write_escaped};
use crate::{MAX_BYTES, Options, is_cut};

/// What a page window is about.
#[derive(Clone, Copy, Debug)]
pub struct Title<'a> {
    /// The step.
    pub step: StepId,
    /// Its name: the handler's, or what happened.
    pub name: &'a str,
}

/// One page in the window.
#[derive(Clone, Copy, Debug)]
pub struct Pane<'a> {
    /// Which end of the step.
    pub side: Side,
    /// The page that is shown. `None` when none was recorded.
    pub page: Option<&'a RecordedPage>,
    /// Where its document is.
    pub content: Content<'a>,
}

/// Where a pane's document comes from.
#[derive(Clone, Copy, Debug)]
pub enum Content<'a> {
    /// It is here: what [`crate::document`] wrote.
    Document(&'a str),
    /// The host serves it at this address.
    Address(&'a str),
    /// There is none, for this reason: one sentence without full stop.
    Nothing(&'a str),
}

const STYLE: &str = "\
:root{color-scheme:light dark;--paper:#f6f7f9;--ink:#1b1f27;--dim:#5b6472;--line:#d5d9e0;--warn:#8a4b00}\
@media(prefers-color-scheme:dark){:root{--paper:#1b1e24;--ink:#e6e9ee;--dim:#9aa4b2;--line:#343a44;--warn:#f0b060}}\
*{box-sizing:border-box}\
html,body{margin:0;height:100%}\
body{display:flex;flex-direction:column;background:var(--paper);color:var(--ink);font:14px/1.45 system-ui,sans-serif}\
header{display:flex;flex-wrap:wrap;gap:2px 16px;align-items:baseline;padding:8px 14px;border-bottom:1px solid var(--line)}\
h1{margin:0;font-size:15px;font-weight:600;overflow-wrap:anywhere}\
.step{color:var(--dim);font-weight:400;margin-right:.5em}\
.key{display:inline-block;width:1.6em;height:.9em;margin-right:.45em;vertical-align:-.05em;outline:2px dashed #d55e00;outline-offset:-1px}\
.note,.legend{color:var(--dim);font-size:13px}\
.legend{margin-left:auto}\
main{flex:1;min-height:0;display:flex}\
section{flex:1;min-width:0;display:flex;flex-direction:column}\
section+section{border-left:3px solid var(--line)}\
h2{display:flex;flex-wrap:wrap;gap:0 12px;align-items:baseline;margin:0;padding:4px 14px;border-bottom:1px solid var(--line);font-size:13px;font-weight:600}\
.warn{color:var(--warn);font-weight:400}\
iframe{flex:1;width:100%;min-height:0;border:0;background:#fff;color-scheme:light}\
.nothing{margin:auto;padding:24px;max-width:34em;text-align:center;color:var(--dim)}";

/// The document around one page, or around two beside each other. It has no script, and each page is in a sandboxed frame.
pub fn frame_page(title: &Title<'_>, panes: &[Pane<'_>], options: Options) -> String {
    let inner: usize = panes.iter().map(|pane| if let Content::Document(text) = pane.content { text.len() } else { 0 }).sum();
    let mut out = String::with_capacity(inner + inner / 4 + 4096);
    out.push_str("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta http-equiv=\"Content-Security-Policy\"");
    write_attribute(&mut out, "content", &frame_policy(panes, options));
    out.push_str("><meta name=\"viewport\" content=\"width=device-width\"><title>");
    // No more than that: a browser shows it on its window, and remembers it.
    out.push_str("Step ");
    out.push_str(&title.step.to_string());
    out.push_str("</title><style>");
    out.push_str(STYLE);
    out.push_str("</style></head><body><header><h1><span class=\"step\">Step ");
    out.push_str(&title.step.to_string());
    out.push_str("</span>");
    write_escaped(&mut out, title.name);
    out.push_str("</h1><span class=\"note\">");
    out.push_str(if let [pane] = panes { side_in_words(pane.side) } else { "The page before and after" });
    out.push_str(", as it was recorded. Nothing in it works.</span>");
    if options.outline && panes.iter().any(|pane| pane.page.is_some_and(|page| !page.changed.is_empty())) {
        out.push_str("<span class=\"legend\"><span class=\"key\"></span>Changed by this step</span>");
    }
    out.push_str("</header><main>");
    for pane in panes {
        write_pane(&mut out, pane, panes.len() > 1);
    }
    out.push_str("</main></body></html>");
    out
}

fn write_pane(out: &mut String, pane: &Pane<'_>, labelled: bool) {
    let remarks = pane.page.map(remarks).unwrap_or_default();
    out.push_str("<section>");
    if labelled || !remarks.is_empty() {
        out.push_str("<h2>");
        if labelled {
            out.push_str(if pane.side == Side::Before { "Before" } else { "After" });
        }
        for remark in remarks {
            out.push_str("<span class=\"warn\">");
            write_escaped(out, &remark);
            out.push_str("</span>");
        }
        out.push_str("</h2>");
    }
    match pane.content {
        Content::Nothing(why) => {
            out.push_str("<p class=\"nothing\">");
            let (first, rest) = why.split_at(why.chars().next().map_or(0, char::len_utf8));
            write_escaped(out, &first.to_uppercase());
            write_escaped(out, rest);
            out.push_str(".</p>");
        }
        Content::Document(_) | Content::Address(_) => {
            // Empty: no script, no form, no navigation of the window, an origin of its own.
            out.push_str("<iframe sandbox=\"\" referrerpolicy=\"no-referrer\"");
            write_attribute(out, "title", side_in_words(pane.side));
            match pane.content {
                Content::Document(text) => write_attribute(out, "srcdoc", text),
                Content::Address(address) => write_attribute(out, "src", address),
                Content::Nothing(_) => {}
            }
            out.push_str("></iframe>");
        }
    }
    out.push_str("</section>");
}

/// What keeps a page from looking as it did.
fn remarks(page: &RecordedPage) -> Vec<String> {
    let mut remarks = Vec::new();
    match &page.shell {
        None => remarks.push(
            "Without its styles: they are recorded when a page is loaded, and the inspector came later. Reload the page once".to_owned(),
        ),
        Some(shell) => {
            let missing = shell.styles.iter().filter(|style| style.text.is_empty()).count();
            if missing > 0 {
                remarks.push(format!("{missing} of {} stylesheets could not be recorded", shell.styles.len()));
            }
        }
    }
    if is_cut(page) {
        let size = page.html.len() >> 20;
        remarks.push(format!("Only the beginning: the page has {size} MB, and {} MB are shown", MAX_BYTES >> 20));
    }
    remarks
}

fn side_in_words(side: Side) -> &'static str {
    match side {
        Side::Before => "The page before",
        Side::After => "The page after",
    }
}

/// A document inside `srcdoc` is bound by the policy of the one around it too, so that one allows what the pages may.
fn frame_policy(panes: &[Pane<'_>], options: Options) -> String {
    let inline = panes.iter().find(|pane| matches!(pane.content, Content::Document(_)));
    let page = inline.and_then(|pane| pane.page).cloned().unwrap_or_default();
    let mut policy = content_security_policy(&page, options);
    policy.push_str("; frame-src 'self'");
    for pane in panes {
        if let Content::Address(address) = pane.content
            && let Ok(url) = Url::parse(address)
        {
            policy.push(' ');
            if matches!(url.scheme(), "http" | "https") {
                policy.push_str(&url.origin().ascii_serialization());
            } else {
                policy.push_str(url.scheme());
                policy.push(':');
            }
        }
    }
    policy
}
