//! Attaching, losing, finding again; who may not attach.

use inspector_engine::Target;
use inspector_model::{Side, SourceState, StepKind};

use crate::inspector::Inspector;
use crate::lab::Lab;

#[test]
fn a_wrong_token_is_refused() {
    let lab = Lab::start();
    let mut stranger = Inspector::attach(Target::address(lab.url(), "wrong"));
    let reason = stranger.ended();
    assert!(reason.contains("refused"), "{reason}");
}

#[test]
fn no_token_and_a_foreign_origin_are_refused() {
    let lab = Lab::start();
    let host = lab.url().replace("http://", "");
    assert_eq!(lab.handshake(&format!("http://{host}"), None), "refused");
    assert_eq!(lab.handshake("https://evil.example", Some(&Lab::token())), "refused");
    assert_eq!(lab.handshake("null", Some(&Lab::token())), "refused");
    assert_eq!(lab.handshake(&format!("http://{host}"), Some(&Lab::token())), "accepted");
}

#[test]
fn what_happened_before_attaching_is_delivered_from_djusts_ring() {
    let mut lab = Lab::start_detached(&[]);
    let page = lab.open("/counter/");
    for count in 1..=3 {
        lab.click(&page, "increment");
        lab.wait_text(&page, "count", &count.to_string());
    }
    lab.attach();
    let second = lab.inspector.event("increment", 2);
    assert!(second.history);
    assert_eq!(lab.inspector.assign(second.id, "count"), "2");
    // At once, while the third may be on its way: the server says where the page stands, not the recording.
    lab.inspector.jump(second.id, Side::After);
    lab.wait_text(&page, "count", "2");
}

#[test]
fn a_restarted_server_is_found_again() {
    let mut lab = Lab::start();
    let page = lab.open("/counter/");
    lab.inspector.mounted("CounterView");
    lab.click(&page, "increment");
    lab.inspector.event("increment", 1);
    lab.kill_server();
    lab.inspector.wait("the loss", |inspector| {
        matches!(inspector.timeline.as_ref()?.source().state, SourceState::Lost { .. } | SourceState::Connecting).then_some(())
    });
    lab.restart_server();
    lab.inspector.attached();
    let gap = lab.inspector.step("a visible gap", |step| step.kind == StepKind::Gap);
    assert!(gap.error.expect("a reason").contains("restarted"));
    let page = lab.open("/plain/");
    lab.inspector.mounted("PlainView");
    lab.click(&page, "increment");
    lab.inspector.step_after(gap.id, "an event after the restart", |step| step.kind == StepKind::Event && step.name == "increment");
}

#[test]
fn with_debug_off_the_agent_records_and_jumps() {
    let mut lab = Lab::with_env(&[("DEMO_DEBUG", "0"), ("DJUST_INSPECTOR_WRITES", "1")]);
    let page = lab.open("/counter/");
    lab.inspector.mounted("CounterView");
    lab.click(&page, "increment");
    let step = lab.inspector.event("increment", 1);
    lab.wait_text(&page, "count", "1");
    lab.inspector.jump(step.id, Side::Before);
    lab.wait_text(&page, "count", "0");
}

#[test]
fn several_servers_are_attached_at_once() {
    let mut first = Lab::start();
    let second = Lab::start_detached(&[]);
    let other = first.inspector.attach_another(Target::address(second.url(), Lab::token()));
    let here = first.open("/counter/");
    let there = second.open("/plain/");
    first.click(&here, "add-7");
    second.click(&there, "increment");
    first.inspector.event("add", 1);
    first.inspector.wait("the other server's event", |inspector| {
        let steps = inspector.others.get(&other)?.steps();
        steps.iter().any(|step| step.kind == StepKind::Event && step.name == "increment").then_some(())
    });
    assert!(first.inspector.timeline().steps().iter().all(|step| step.name != "increment"), "servers are kept apart");
}
