//! The same on every supported djust.

use inspector_model::{Request, Side, StepKind};

use crate::lab::Lab;
use crate::pages;

fn works_on(version: &str) {
    let mut lab = Lab::on_version(version);
    let page = lab.open("/counter/");
    lab.inspector.mounted("CounterView");
    assert_eq!(lab.inspector.timeline().source().server.as_ref().expect("a server").djust, version);
    lab.click(&page, "increment");
    lab.click(&page, "add-7");
    let add = lab.inspector.event("add", 1);
    lab.wait_text(&page, "count", "8");
    assert_eq!(lab.inspector.assign(add.id, "count"), "8");
    lab.inspector.jump(add.id, Side::Before);
    lab.wait_text(&page, "count", "1");
    let source = lab.inspector.id;
    lab.inspector.command(Request::Replay { source, step: add.id, params: Some(r#"{"n": 2}"#.into()), restore: true });
    lab.wait_text(&page, "count", "3");
    lab.inspector.step("the replay", |step| step.kind == StepKind::Replay);
    let source = lab.inspector.id;
    pages::looks_as_it_did(&lab, &page, source, add.id, "8");
}

#[test]
fn works_on_djust_1_0() {
    works_on("1.0.12");
}

#[test]
fn works_on_djust_1_1() {
    works_on("1.1.9");
}

#[test]
fn works_on_djust_1_2() {
    works_on("1.2.6");
}
