//! The page of any step as it looked: whole, with its styles, without a server.

use inspector_model::{ErrorCode, RecordedPage, Side, SourceId, StepId, StepKind};
use inspector_test_support::Page;
use serde_json::{Value, json};

use crate::lab::Lab;

/// The whole document of a step.
fn document(recorded: &RecordedPage) -> String {
    let shell = recorded.shell.as_ref().expect("what surrounds the page");
    format!("{}{}{}", shell.before, recorded.html, shell.after)
}

/// Asserts that the page after a step of `/counter/` is whole, that it shows `count`, and that a browser finds the changed
/// nodes in it.
pub fn looks_as_it_did(lab: &Lab, page: &Page, source: SourceId, step: StepId, count: &str) {
    let recorded = lab.inspector.page(source, step, Side::After).expect("a page");
    let html = document(&recorded);
    let lower = html.trim().to_lowercase();
    assert!(lower.starts_with("<!doctype html>") && lower.ends_with("</html>"), "{html}");
    assert!(!lower.contains("<script"), "{html}");
    let styles = &recorded.shell.as_ref().expect("a shell").styles;
    let style = styles.iter().find(|style| style.href == "/static/lab/style.css").expect("the page's stylesheet");
    assert!(style.text.contains("--page:"), "{}", style.text);

    // A browser reads it as it reads the page that is open: the same elements in the same places.
    let seen = lab.eval(page, &script(&html, &recorded));
    assert_eq!(seen["count"], json!(count));
    assert_eq!(seen["outside"], seen["outside_now"], "what surrounds the live part is as it was");
    assert!(seen["outside"].as_array().is_some_and(|elements| elements.len() > 5), "{seen}");
    assert_eq!(seen["style"], json!(1));
    assert!(!recorded.changed.is_empty());
    let changed = seen["changed"].as_array().expect("the changed nodes");
    assert!(changed.contains(&json!(count)), "{changed:?} of {:?}", recorded.changed);
    assert!(!changed.contains(&Value::Null), "each path leads to a node: {changed:?} of {:?}", recorded.changed);
}

fn script(html: &str, recorded: &RecordedPage) -> String {
    let paths: Vec<&Vec<u32>> = recorded.changed.iter().map(|node| &node.path).collect();
    format!(
        "(() => {{
            const was = new DOMParser().parseFromString({}, 'text/html');
            // djust's own scripts add their panel to the body.
            const outside = (root) => [...root.querySelectorAll('header, header *, main, main *')]
                .filter((element) => !element.closest('[dj-root] *'))
                .map((element) => `${{element.tagName}}.${{element.className}} ${{element.textContent.length}}`)
                .filter((line) => !/^(MAIN|DIV)/.test(line)); // they hold the live part, which has gone on
            const inside = (path) => path.reduce((node, index) => node && [...node.childNodes]
                .filter((child) => child.nodeType !== 3 || child.textContent.trim())[index], was.querySelector('[dj-root]'));
            return {{
                count: was.querySelector('[data-test=count]').textContent,
                outside: outside(was), outside_now: outside(document),
                style: was.querySelectorAll('link[rel=stylesheet][href=\"/static/lab/style.css\"]').length,
                changed: {}.map((path) => inside(path)?.textContent ?? null),
            }};
        }})()",
        json!(html),
        json!(paths),
    )
}

#[test]
fn the_page_of_a_step_is_whole_while_attached_and_from_a_file() {
    let mut lab = Lab::start();
    let page = lab.open("/counter/");
    lab.inspector.mounted("CounterView");
    lab.click(&page, "increment");
    lab.click(&page, "add-7");
    let step = lab.inspector.event("add", 1).id;
    let live = lab.inspector.id;
    looks_as_it_did(&lab, &page, live, step, "8");
    let before = lab.inspector.page(live, step, Side::Before).expect("a page");
    assert!(before.html.contains(">1<") && before.changed.is_empty());
    assert_eq!(before.server, Some(lab.url()));
    let mount = lab.inspector.step("the mount", |step| step.kind == StepKind::Mount).id;
    assert!(document(&lab.inspector.page(live, mount, Side::After).expect("a page")).contains(">0<"));

    let file = lab.inspector.pass_on();
    looks_as_it_did(&lab, &page, file, step, "8");
    let passed_on = lab.inspector.page(file, step, Side::After).expect("a page");
    assert_eq!(passed_on.server, None, "nobody is behind a recording");
    assert_eq!(RecordedPage { server: Some(lab.url()), ..passed_on }, lab.inspector.page(live, step, Side::After).expect("a page"));
    assert_eq!(lab.inspector.page(file, StepId(9_999), Side::After).expect_err("no such step").code, ErrorCode::NotFound);
}

#[test]
fn an_inspector_that_comes_after_the_page_was_loaded_has_it_whole() {
    let mut lab = Lab::start_detached(&[]);
    let page = lab.open("/counter/");
    lab.click(&page, "increment");
    lab.wait_text(&page, "count", "1");
    lab.attach();
    lab.inspector.mounted("CounterView");
    lab.click(&page, "add-7");
    let step = lab.inspector.event("add", 1).id;
    let source = lab.inspector.id;
    looks_as_it_did(&lab, &page, source, step, "8");
}
