//! What stands around a page, the page, what follows, and a stylesheet, with the sign for a separator between them.

use inspector_model::{ChangedNode, PageShell, RecordedPage, StyleSheet};
use inspector_page::{Content, Options, Pane, Title, document, frame_page};
use inspector_test_support::what_acts;

/// Between the parts.
const SEPARATOR: char = '\u{1e}';

/// What a link is marked with in place of its address. A recorded page cannot bring it, so a second rewriting takes it away.
const LINK: &str = " data-djust-inspector-link=\"\"";

pub fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut parts = text.splitn(4, SEPARATOR);
    let (html, before) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let (after, style) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let styles = vec![StyleSheet { href: "/s.css".into(), text: style.into() }];
    let shell = PageShell { url: "http://127.0.0.1:1/".into(), before: before.into(), after: after.into(), styles };
    let page = RecordedPage {
        html: html.into(),
        shell: Some(shell.into()),
        changed: vec![ChangedNode { path: vec![0, 0], dj_id: Some("1".into()) }, ChangedNode { path: vec![1], dj_id: None }],
        server: Some("http://127.0.0.1:1".into()),
    };
    let written = document(&page, Options { static_files: false, outline: true });
    for scripting in [true, false] {
        if let Some(what) = what_acts(&written, scripting) {
            panic!("{what} in {written}");
        }
    }
    // The frame around it has two documents and our own text, and nothing of the recording outside of these.
    let pane = Pane { side: inspector_model::Side::After, page: Some(&page), content: Content::Document(&written) };
    let name = html.get(..html.floor_char_boundary(200)).unwrap_or_default();
    let frame = frame_page(&Title { step: inspector_model::StepId(1), name }, &[pane], Options::default());
    assert_eq!(frame.matches("<iframe").count(), 1);
    assert_eq!(
        frame.matches("<script").count(),
        frame_page(&Title { step: inspector_model::StepId(1), name: "" }, &[], Options::default()).matches("<script").count()
    );

    let once = live(html);
    let twice = live(&once);
    assert_eq!(twice, once.replace(LINK, ""), "a second rewriting changes nothing");
}

/// The live part alone, rewritten, without what all documents begin with.
fn live(html: &str) -> String {
    let empty = document(&RecordedPage::default(), Options::default());
    let page = RecordedPage { html: html.into(), ..RecordedPage::default() };
    document(&page, Options::default()).strip_prefix(&empty).expect("all begin so").to_owned()
}
