//! Whatever was recorded, the document that shows it has nothing in it that acts: it is read again, with the parser that
//! browsers agree on, and every element and attribute is looked at.

use std::time::{Duration, Instant};

use inspector_model::{ChangedNode, PageShell, RecordedPage, StyleSheet};
use inspector_page::{MAX_BYTES, Options, document};
use inspector_test_support::what_acts;
use proptest::prelude::*;

fn page(before: &str, html: &str, after: &str) -> RecordedPage {
    let styles = vec![StyleSheet { href: "/s.css".into(), text: format!("{html}{before}") }];
    RecordedPage {
        html: html.into(),
        shell: Some(PageShell { url: "http://127.0.0.1:1/".into(), before: before.into(), after: after.into(), styles }.into()),
        changed: vec![ChangedNode { path: vec![0, 0], dj_id: Some("1".into()) }, ChangedNode { path: vec![1], dj_id: None }],
        server: Some("http://127.0.0.1:1".into()),
    }
}

const OPTIONS: Options = Options { static_files: false, outline: true };

fn assert_harmless(page: &RecordedPage) {
    let text = document(page, OPTIONS);
    for scripting in [true, false] {
        if let Some(what) = what_acts(&text, scripting) {
            panic!("{what} in {text}");
        }
    }
}

/// Pieces that open, close, hide and pretend.
fn piece() -> impl Strategy<Value = String> {
    let names = [
        "script",
        "style",
        "title",
        "textarea",
        "xmp",
        "iframe",
        "noembed",
        "noframes",
        "noscript",
        "plaintext",
        "svg",
        "math",
        "foreignObject",
        "desc",
        "mi",
        "mtext",
        "annotation-xml",
        "template",
        "select",
        "option",
        "table",
        "tr",
        "td",
        "p",
        "a",
        "form",
        "button",
        "input",
        "img",
        "image",
        "object",
        "embed",
        "base",
        "meta",
        "link",
        "body",
        "html",
        "head",
        "frameset",
        "frame",
        "use",
        "set",
        "animate",
        "x-y",
        "div",
        "b",
        "font",
        "li",
        "isindex",
        "video",
        "source",
        "caption",
        "pre",
        "listing",
        "br",
    ];
    let attributes = [
        " onload=x",
        " onclick='y'",
        " href=javascript:x",
        " xlink:href=//e",
        " src=//e",
        " src='data:text/html,x'",
        " style='a:url(//e)'",
        " style=\"a:u\\72l(//e)\"",
        " action=//e",
        " type=submit",
        " type=image",
        " http-equiv=refresh",
        " content='0;url=//e'",
        " rel=stylesheet",
        " href=/s.css",
        " dj-id=1",
        " dj-root",
        " srcdoc='<script>'",
        " autofocus",
        " data-x='\"><script>'",
        " a\"=1",
        " =x",
        " encoding=text/html",
        " fill=url(//e)",
        " /",
        " x='",
        " y=\"",
        " is=z",
        " shadowrootmode=open",
        " background=//e",
        " data=//e",
    ];
    let loose = [
        "<!--",
        "-->",
        "--!>",
        "<![CDATA[",
        "]]>",
        "<!doctype html>",
        "<?php ",
        "?>",
        "</",
        "<",
        ">",
        "\"",
        "'",
        "&lt;script&gt;",
        "&#60;script>",
        "text",
        " ",
        "\n",
        "\0",
        "é",
        "<script>alert(1)</script>",
        "</style><script>",
        "</textarea><img src=x onerror=y>",
        "</title><script>",
        "url(//e)",
        "@import '//e';",
        "<svg><style>",
        "<math><mtext><style><img src=x onerror=y>",
        "</p>",
        "</br>",
        "<!-x>",
        "<//>",
    ];
    let tag = (prop::sample::select(names.to_vec()), prop::collection::vec(prop::sample::select(attributes.to_vec()), 0..4), any::<bool>())
        .prop_map(|(name, attributes, open)| if open { format!("<{name}{}>", attributes.concat()) } else { format!("</{name}>") });
    prop_oneof![4 => tag, 3 => prop::sample::select(loose.to_vec()).prop_map(str::to_owned), 1 => ".{0,8}"]
}

fn soup() -> impl Strategy<Value = String> {
    prop::collection::vec(piece(), 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_acts_in_any_soup_of_tags(before in soup(), html in soup(), after in soup()) {
        assert_harmless(&page(&before, &html, &after));
    }

    #[test]
    fn nothing_acts_in_any_text(html in "(?s).{0,200}") {
        assert_harmless(&page("<style>", &html, &html));
    }
}

/// Far from the limit of an honest page, and far beyond what a quadratic reading would need.
const DEADLINE: Duration = Duration::from_secs(20);

#[test]
fn any_shape_of_fifty_megabytes_is_done_in_time_and_stays_within_bounds() {
    let size = 50 << 20;
    for (what, unit) in [
        ("text", "words and words "),
        ("tags", "<p class=a>x</p>"),
        ("depth", "<div>"),
        ("unclosed", "<li><p><td>"),
        ("attributes", "a1 "),
        ("quotes", "\""),
        ("ampersands", "&amp;"),
        ("comments", "<!--"),
        ("ends", "</p></x>"),
        ("angles", "<"),
        ("styles", "<style>'\\"),
        ("css", "<style>@import'x';url(</style>"),
    ] {
        let first = if what == "attributes" { "<p " } else { "" };
        let html = format!("{first}{}", unit.repeat(size / unit.len()));
        let recorded = page("<body>", &html, "</body>");
        let started = Instant::now();
        let text = document(&recorded, OPTIONS);
        let took = started.elapsed();
        assert!(took < DEADLINE, "{what} took {took:?}");
        assert!(text.len() < MAX_BYTES * 8, "{what} became {} bytes", text.len());
        assert!(inspector_page::is_cut(&recorded));
    }
}

#[test]
fn a_hundred_thousand_levels_are_read_written_and_marked() {
    let deep = format!("{}<b dj-id=1>x", "<div>".repeat(100_000));
    let text = document(&page("<body>", &deep, ""), OPTIONS);
    assert_eq!(text.matches("<div").count(), 100_000);
    assert!(text.contains("<b data-djust-inspector-changed=\"\""));
}

#[test]
fn a_page_cannot_grow_by_naming_a_stylesheet_often() {
    let mut recorded = page(&"<link rel=stylesheet href=/s.css>".repeat(10_000), "", "");
    let shell = PageShell {
        styles: vec![StyleSheet { href: "/s.css".into(), text: "p{}".repeat(100_000) }],
        ..(**recorded.shell.as_ref().unwrap()).clone()
    };
    recorded.shell = Some(shell.into());
    assert!(document(&recorded, OPTIONS).len() < 500_000);
}
