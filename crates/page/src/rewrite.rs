//! Reads a recorded page and writes the document that shows it.

use std::borrow::Cow;

use html5gum::Tokenizer;
use html5gum::emitters::callback::{CallbackEmitter, CallbackEvent};
use inspector_model::{PageShell, RecordedPage};

use crate::changed::Marks;
use crate::lists::{CHANGED_MARK, LINK_MARK, is_void, may_stand};
use crate::policy::{StaticFiles, policy};
use crate::tags::{Addresses, Tag, write_attribute, write_escaped, write_start};
use crate::{MAX_BYTES, Options, css};

/// The whole recorded document, or the live part alone when nothing around it was recorded, such that nothing in it acts.
///
/// Show it in a frame with an empty `sandbox` attribute all the same, and serve it with [`crate::content_security_policy`].
pub fn document(page: &RecordedPage, options: Options) -> String {
    let files = options.static_files.then(|| StaticFiles::of(page)).flatten();
    let mut out = String::with_capacity(page.html.len().min(MAX_BYTES) + 4096);
    // Start tags of html and head follow in the recorded part; a browser adds their attributes to what this began.
    out.push_str("<!doctype html><meta charset=\"utf-8\"><meta http-equiv=\"Content-Security-Policy\"");
    write_attribute(&mut out, "content", &policy(files.as_ref()));
    out.push('>');
    // Of no weight: every rule of the page overrides them.
    out.push_str("<style>:where([");
    out.push_str(LINK_MARK);
    out.push_str("]){color:LinkText;text-decoration:underline;cursor:default}");
    if options.outline {
        // An outline takes no room, and dashes are seen without the colour. Nothing may be put into the live part: rules count children.
        let mark = format!("[{CHANGED_MARK}]").repeat(3);
        out.push_str(&mark);
        out.push_str("{outline:3px dashed #d55e00!important;outline-offset:-1px!important}");
    }
    out.push_str("</style>");

    let empty = PageShell::default();
    let shell = page.shell.as_deref().unwrap_or(&empty);
    let mut left = MAX_BYTES;
    let mut rewriter = Rewriter {
        out,
        tag: Tag::default(),
        last_spot: None,
        raw: Raw::None,
        addresses: Addresses { files },
        shell,
        written_styles: vec![false; shell.styles.len()],
        marks: None,
    };
    rewriter.read(limited(&shell.before, &mut left));
    if options.outline {
        rewriter.marks = Some(Marks::new(&page.changed, rewriter.last_spot));
    }
    rewriter.read(limited(&page.html, &mut left));
    if let Some(marks) = rewriter.marks.take() {
        marks.apply(&mut rewriter.out);
    }
    rewriter.read(limited(&shell.after, &mut left));
    rewriter.out
}

/// Whether [`document`] shows only the beginning of this page.
pub fn is_cut(page: &RecordedPage) -> bool {
    let shell = page.shell.as_ref().map_or(0, |shell| shell.before.len() + shell.after.len());
    page.html.len() + shell > MAX_BYTES
}

fn limited<'a>(text: &'a str, left: &mut usize) -> &'a str {
    let end = text.floor_char_boundary(*left);
    *left -= end;
    if end < text.len() {
        *left = 0;
    }
    &text[..end]
}

/// What the text inside the element that was just begun is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Raw {
    /// Ordinary content.
    None,
    /// Not written.
    Dropped,
    /// CSS.
    Style,
    /// Text without tags; the element is closed as this.
    Text(&'static str),
}

struct Rewriter<'a> {
    out: String,
    tag: Tag,
    /// Where the last written start tag can be marked.
    last_spot: Option<usize>,
    raw: Raw,
    addresses: Addresses,
    shell: &'a PageShell,
    /// Each recorded stylesheet is written once, so that a page cannot grow without limit.
    written_styles: Vec<bool>,
    marks: Option<Marks<'a>>,
}

impl Rewriter<'_> {
    /// Reads one part. What it leaves open in the tokenizer's sense does not reach into the next.
    fn read(&mut self, html: &str) {
        let mut emitter = CallbackEmitter::new(|event: CallbackEvent<'_>, _: html5gum::Span<()>| -> Option<std::convert::Infallible> {
            self.take(&event);
            None
        });
        emitter.naively_switch_states(true);
        // Reading from memory cannot fail.
        let Ok(()) = Tokenizer::new_with_emitter(html, emitter).finish();
        self.end_raw();
    }

    fn take(&mut self, event: &CallbackEvent<'_>) {
        match event {
            CallbackEvent::OpenStartTag { name } => self.tag.begin(&text(name)),
            CallbackEvent::AttributeName { name } => self.tag.name_attribute(&text(name)),
            CallbackEvent::AttributeValue { value } => self.tag.set_value(&text(value)),
            CallbackEvent::CloseStartTag { self_closing } => self.start(*self_closing),
            CallbackEvent::EndTag { name } => self.end(&text(name)),
            CallbackEvent::String { value } => self.string(&text(value)),
            CallbackEvent::Comment { value } => {
                if let Some(marks) = &mut self.marks {
                    marks.comment(&text(value));
                }
            }
            CallbackEvent::Doctype { .. } | CallbackEvent::Error(_) => {}
        }
    }

    fn start(&mut self, self_closing: bool) {
        let tag = std::mem::take(&mut self.tag);
        let mut spot = None;
        match tag.name.as_str() {
            "script" | "noscript" | "iframe" | "noembed" => self.raw = Raw::Dropped,
            "meta" => self.meta(&tag),
            "link" => self.link(&tag),
            "xmp" | "plaintext" => {
                spot = Some(write_start(&tag, "pre", false, &self.addresses, &mut self.out));
                self.raw = Raw::Text("pre");
            }
            name if may_stand(name) => {
                spot = Some(write_start(
                    &tag,
                    name,
                    self_closing && !matches!(name, "style" | "title" | "textarea"),
                    &self.addresses,
                    &mut self.out,
                ));
                match name {
                    "style" => self.raw = Raw::Style,
                    "title" => self.raw = Raw::Text("title"),
                    "textarea" => self.raw = Raw::Text("textarea"),
                    _ => {}
                }
            }
            _ => {}
        }
        if let Some(marks) = &mut self.marks {
            // In HTML the slash means nothing; of SVG these are the elements that are written with it.
            let closed = self_closing && is_svg_leaf(&tag.name);
            marks.start(&tag.name, tag.get("dj-id"), tag.get("dj-root").is_some(), closed, spot);
        }
        self.last_spot = spot.or(self.last_spot);
        self.tag = tag;
    }

    fn end(&mut self, name: &str) {
        if let Some(marks) = &mut self.marks {
            marks.end(name);
        }
        if self.raw != Raw::None {
            self.end_raw();
        } else if may_stand(name) && !is_void(name) && !matches!(name, "style" | "title" | "textarea") {
            self.out.push_str("</");
            self.out.push_str(name);
            self.out.push('>');
        }
    }

    fn end_raw(&mut self) {
        let name = match std::mem::replace(&mut self.raw, Raw::None) {
            Raw::None | Raw::Dropped => return,
            Raw::Style => "style",
            Raw::Text(name) => name,
        };
        self.out.push_str("</");
        self.out.push_str(name);
        self.out.push('>');
    }

    fn string(&mut self, text: &str) {
        if let Some(marks) = &mut self.marks {
            marks.text(text);
        }
        match self.raw {
            Raw::Dropped => {}
            Raw::Style => css::harmless(text, &|address| self.addresses.in_style(None, address), &mut self.out),
            Raw::None | Raw::Text(_) => write_escaped(&mut self.out, text),
        }
    }

    /// Of what a page says about itself, the parts that change how it looks.
    fn meta(&mut self, tag: &Tag) {
        let name = tag.get("name").unwrap_or("").to_ascii_lowercase();
        if matches!(name.as_str(), "viewport" | "color-scheme") && tag.get("http-equiv").is_none() {
            self.out.push_str("<meta");
            write_attribute(&mut self.out, "name", &name);
            write_attribute(&mut self.out, "content", tag.get("content").unwrap_or(""));
            self.out.push('>');
        }
    }

    /// A stylesheet: as it was recorded, else from the server if it may be asked, else nothing.
    fn link(&mut self, tag: &Tag) {
        let kinds = tag.get("rel").unwrap_or("").to_ascii_lowercase();
        let is = |kind| kinds.split_ascii_whitespace().any(|own| own == kind);
        let Some(href) = tag.get("href").filter(|_| is("stylesheet") && !is("alternate") && tag.get("disabled").is_none()) else { return };
        let recorded = self.shell.styles.iter().position(|style| style.href == href && !style.text.is_empty());
        if let Some(which) = recorded {
            if std::mem::replace(&mut self.written_styles[which], true) {
                return;
            }
            self.out.push_str("<style");
            if let Some(media) = tag.get("media") {
                write_attribute(&mut self.out, "media", media);
            }
            self.out.push('>');
            css::harmless(&self.shell.styles[which].text, &|address| self.addresses.in_style(Some(href), address), &mut self.out);
            self.out.push_str("</style>");
        } else if let Some(address) = self.addresses.files.as_ref().and_then(|files| files.resolve(None, href)) {
            self.out.push_str("<link rel=\"stylesheet\"");
            write_attribute(&mut self.out, "href", &address);
            if let Some(media) = tag.get("media") {
                write_attribute(&mut self.out, "media", media);
            }
            self.out.push('>');
        }
    }
}

fn is_svg_leaf(name: &str) -> bool {
    matches!(name, "path" | "circle" | "ellipse" | "line" | "polygon" | "polyline" | "rect" | "stop" | "use" | "image" | "g" | "svg")
        || name.starts_with("fe")
}

fn text(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use inspector_model::{ChangedNode, StyleSheet};

    use super::*;

    /// What stands in the document for this live part, without the beginning that all have.
    fn rewritten(html: &str) -> String {
        let page = RecordedPage { html: html.into(), ..RecordedPage::default() };
        let empty = document(&RecordedPage::default(), Options::default());
        document(&page, Options::default()).strip_prefix(&empty).unwrap().to_owned()
    }

    #[test]
    fn what_only_shows_something_stays_as_it_was() {
        for html in [
            "<div class=\"a b\" id=\"x\"><p style=\"color:red\">1 &lt; 2 &amp;amp; 3</p><!-- gone --></div>".replace("<!-- gone -->", ""),
            "<table><tbody><tr><td colspan=\"2\">x</td></tr></tbody></table>".to_owned(),
            "<svg viewbox=\"0 0 1 1\"><path d=\"M0 0\" fill=\"none\"/></svg>".to_owned(),
            "<button dj-click=\"add\" type=\"button\">Add</button>"
                .replace("dj-click=\"add\" type=\"button\"", "type=\"button\" dj-click=\"add\""),
            "<my-card data-id=\"1\" aria-label=\"x\">y</my-card>".to_owned(),
            "<img src=\"data:image/png;base64,AAAA\" alt=\"x\">".to_owned(),
            "<textarea rows=\"2\">&lt;b&gt;</textarea>".to_owned(),
        ] {
            assert_eq!(rewritten(&html), html);
        }
    }

    #[test]
    fn what_acts_goes_or_becomes_a_picture_of_itself() {
        for (html, expected) in [
            ("a<script>alert(1)</script>b", "ab"),
            ("<svg><script>alert(1)</script></svg>", "<svg></svg>"),
            ("<noscript><img src=x></noscript>", ""),
            ("<iframe srcdoc='<script>'>x</iframe>y", "y"),
            ("<object data=/x><embed src=/x>fallback</object>", "fallback"),
            ("<base href=//evil><meta http-equiv=refresh content='0;url=//evil'>", ""),
            ("<p onclick=x ONMOUSEOVER='y'>z</p>", "<p>z</p>"),
            ("<a href='java&#115;cript:x' ping=//evil target=_top>z</a>", "<a data-djust-inspector-link=\"\">z</a>"),
            (
                "<form action=//evil method=post><input type=submit formaction=//evil>",
                "<form method=\"dialog\"><input type=\"button\" value=\"Submit\">",
            ),
            ("<button>x</button>", "<button type=\"button\">x</button>"),
            ("<input autofocus name=q>", "<input name=\"q\">"),
            ("<video autoplay src=/x poster=/y><source src=/z><track src=/t></video>", "<video></video>"),
            ("<link rel=preload href=/x><link rel=dns-prefetch href=//evil><link rel=stylesheet href=//evil>", ""),
            (
                "<svg><animate attributeName=href to=javascript:x /><set/><a xlink:href=x>t</a></svg>",
                "<svg><a data-djust-inspector-link=\"\">t</a></svg>",
            ),
            ("<svg><use href='//evil#a'/><use href='#b'/></svg>", "<svg><use/><use href=\"#b\"/></svg>"),
            ("<div style='background:url(//evil)'>", "<div style=\"background:url(&quot;data:,&quot;)\">"),
            ("<style>@import '//evil';</style>", "<style>@removed \"//evil\";</style>"),
            ("<xmp><script>x</script></xmp>", "<pre>&lt;script&gt;x&lt;/script&gt;</pre>"),
            ("<p data-djust-inspector-changed>x</p>", "<p>x</p>"),
        ] {
            assert_eq!(rewritten(html), expected, "{html}");
        }
    }

    #[test]
    fn one_part_cannot_swallow_the_next() {
        let shell =
            PageShell { before: "<html class=dark><body><main><style>a".into(), after: "</main>end".into(), ..PageShell::default() };
        let page = RecordedPage { html: "<p>live<textarea>x".into(), shell: Some(Arc::new(shell)), ..RecordedPage::default() };
        let text = document(&page, Options::default());
        assert!(text.ends_with("<html class=\"dark\"><body><main><style>a</style><p>live<textarea>x</textarea></main>end"), "{text}");
    }

    #[test]
    fn recorded_stylesheets_stand_in_for_their_links_once() {
        let styles = vec![StyleSheet { href: "/static/a.css".into(), text: "p{color:red}".into() }];
        let link = "<link rel=stylesheet media=print href=/static/a.css>";
        let shell = PageShell { before: format!("{link}{link}"), styles, ..PageShell::default() };
        let page = RecordedPage { shell: Some(Arc::new(shell)), ..RecordedPage::default() };
        let text = document(&page, Options::default());
        assert!(text.ends_with("<style media=\"print\">p{color:red}</style>"), "{text}");
    }

    #[test]
    fn changes_are_marked_by_id_and_by_path() {
        let marked = |html: &str, path: &[u32], dj_id: Option<&str>| {
            let changed = vec![ChangedNode { path: path.to_vec(), dj_id: dj_id.map(str::to_owned) }];
            let shell = PageShell { before: "<div dj-root>".into(), after: "</div>".into(), ..PageShell::default() };
            let page = RecordedPage { html: html.into(), changed, shell: Some(Arc::new(shell)), ..RecordedPage::default() };
            let text = document(&page, Options { outline: true, ..Options::default() });
            let from = text.find("<div").unwrap();
            text[from..].replace(" data-djust-inspector-changed=\"\"", "!")
        };
        for (html, path, dj_id, expected) in [
            ("<p dj-id=1>a</p><p dj-id=2>b</p>", &[9][..], Some("2"), "<p dj-id=\"1\">a</p><p! dj-id=\"2\">b</p>"),
            // An id that the page has no more: the path, and white space between does not count.
            ("<p>a</p>\n  <p>b</p>", &[1], Some("gone"), "<p>a</p>\n  <p!>b</p>"),
            ("<p>a</p> <p>b</p>", &[2, 0], None, "<p>a</p> <p!>b</p>"),
            ("<b>A</b> <i>B</i>", &[2], None, "<b>A</b> <i!>B</i>"),
            ("<!--x--><p>a<!--y-->b<em>c</em></p>", &[0, 2], None, "<p>ab<em!>c</em></p>"),
            ("<!--dj-if id=\"if-1\"--><p>a</p>", &[1], None, "<p!>a</p>"),
            // A text: its parent.
            ("<ul><li>a<li>b</ul>", &[0, 1, 0], None, "<ul><li>a<li!>b</ul>"),
            ("<table><tr><td>a<td>b</table>", &[0, 0, 0, 1], None, "<table><tr><td>a<td!>b</table>"),
            ("<script>x</script><br><p>a</p>", &[2], None, "<br><p!>a</p>"),
        ] {
            let expected = format!("<div dj-root=\"\">{expected}</div>");
            assert_eq!(marked(html, path, dj_id), expected, "{html} {path:?}");
        }
        assert!(marked("x", &[], None).starts_with("<div! dj-root"));
    }
}
