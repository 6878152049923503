//! What happened is seen: steps with their states, pages, errors, limits.

use inspector_model::{Cause, Op, Phase, Side, Status, StepKind};

use crate::lab::Lab;

#[test]
fn a_click_arrives_with_its_diff_its_page_and_its_frames() {
    let mut lab = Lab::start();
    let page = lab.open("/counter/");
    lab.inspector.mounted("CounterView");
    lab.click(&page, "increment");
    let step = lab.inspector.event("increment", 1);
    assert_eq!(step.status, Status::Ok);
    assert_eq!(step.changes.total(), 2, "{:?}", step.changed);
    let diff = lab.inspector.diff((step.id, Side::Before), (step.id, Side::After));
    let lines: Vec<String> = diff.changes.iter().map(|change| change.path.to_string()).collect();
    assert_eq!(lines, ["count", "history[0]"]);
    assert!(matches!(&diff.changes[0].op, Op::Changed { before, after } if before.summary(9) == "0" && after.summary(9) == "1"));
    assert!(lab.inspector.html(step.id).contains("data-test=\"count\""));
    let detail = lab.inspector.detail(step.id);
    assert!(detail.frames.iter().any(|frame| frame.dir == "in" && frame.text.contains("increment")));
    assert!(detail.frames.iter().any(|frame| frame.dir == "out" && frame.text.contains("\"patches\"")));
    assert!(lab.inspector.assign(step.id, "secret_note").contains("redacted"), "the excluded field must not be recorded");
}

#[test]
fn a_view_without_time_travel_is_seen_as_well() {
    let mut lab = Lab::start();
    let page = lab.open("/plain/");
    lab.inspector.mounted("PlainView");
    lab.click(&page, "increment");
    let step = lab.inspector.event("increment", 1);
    assert_eq!(step.changed, ["count"]);
    assert_eq!(lab.inspector.assign(step.id, "count"), "1");
}

#[test]
fn a_forms_fields_are_the_parameters() {
    let mut lab = Lab::start();
    let page = lab.open("/counter/");
    lab.inspector.mounted("CounterView");
    lab.type_text(&page, "label-input", "Grüße 🌍");
    lab.click(&page, "set-label");
    let step = lab.inspector.event("set_label", 1);
    assert_eq!(lab.inspector.assign(step.id, "label"), "\"Grüße 🌍\"");
    assert!(lab.inspector.detail(step.id).params.expect("parameters").contains("Gr"));
}

#[test]
fn a_raising_handler_shows_its_traceback_and_what_it_changed() {
    let mut lab = Lab::start();
    let page = lab.open("/counter/");
    lab.inspector.mounted("CounterView");
    lab.click(&page, "boom");
    let step = lab.inspector.event("boom", 1);
    assert_eq!(step.status, Status::Raised);
    assert_eq!(step.error.as_deref(), Some("ValueError: boom from handler"));
    let detail = lab.inspector.detail(step.id);
    assert!(detail.error.expect("an error").traceback.expect("a traceback").contains("raise ValueError"));
    assert_eq!(lab.inspector.assign(step.id, "count"), "1000", "a handler that raised keeps its mutations");
}

#[test]
fn refused_and_unknown_handlers_say_so() {
    let mut lab = Lab::start();
    let page = lab.open("/counter/");
    lab.inspector.mounted("CounterView");
    lab.click(&page, "unknown");
    let step = lab.inspector.event("no_such_handler", 1);
    assert_eq!(step.status, Status::Refused);
}

#[test]
fn two_browsers_are_kept_apart() {
    let mut lab = Lab::start();
    let first = lab.open("/counter/");
    let second = lab.open_as_another_user("/counter/");
    lab.inspector.wait("two pages", |inspector| {
        let open = inspector.timeline.as_ref()?.sessions().values().filter(|session| session.phase == Phase::Mounted).count();
        (open == 2).then_some(())
    });
    lab.click(&first, "increment");
    lab.click(&second, "add-7");
    let one = lab.inspector.event("increment", 1);
    let seven = lab.inspector.event("add", 1);
    assert_ne!(one.session, seven.session);
    assert_eq!(lab.inspector.assign(one.id, "count"), "1");
    assert_eq!(lab.inspector.assign(seven.id, "count"), "7");
}

#[test]
fn a_state_of_200_kb_arrives_whole() {
    let mut lab = Lab::start();
    let page = lab.open("/big-state/");
    lab.inspector.mounted("BigStateView");
    lab.click(&page, "edit-7");
    let step = lab.inspector.step("an edit", |step| step.kind == StepKind::Event);
    assert!(step.state_bytes > 200_000, "{} bytes", step.state_bytes);
    let text = lab.inspector.state(step.id, Side::After).to_json();
    assert!(!text.contains("\"$t\":\"cut\"") && !text.contains("\"$t\":\"deep\""));
    assert!(step.changes.total() < 6, "one row was edited: {:?}", step.changed);
}

#[test]
fn typed_values_keep_their_types_and_nan_breaks_nothing() {
    let mut lab = Lab::start();
    let page = lab.open("/money/");
    let session = lab.inspector.mounted("MoneyView");
    let mount = lab.inspector.step("the mount", |step| step.kind == StepKind::Mount && step.session.as_ref() == Some(&session));
    let state = lab.inspector.state(mount.id, Side::After);
    let text = state.to_json();
    for kind in ["decimal", "datetime", "uuid", "set", "tuple", "bytes", "model"] {
        assert!(text.contains(&format!("\"$t\":\"{kind}\"")), "no {kind} in {text}");
    }
    lab.click(&page, "make-nan");
    let step = lab.inspector.step("the NaN", |step| step.kind == StepKind::Event);
    assert!(lab.inspector.state(step.id, Side::After).to_json().contains(r#"{"$t":"float","v":"nan"}"#));
}

#[test]
fn ticks_and_async_results_are_steps() {
    let mut lab = Lab::start();
    lab.open("/ticker/");
    lab.inspector.mounted("TickerView");
    let tick = lab.inspector.step("a tick", |step| step.kind == StepKind::Tick && step.changes.total() > 0);
    assert_eq!(tick.status, Status::Ok);
}

#[test]
fn sticky_children_have_a_timeline_of_their_own() {
    let mut lab = Lab::start();
    let page = lab.open("/sticky-a/");
    lab.inspector.mounted("StickyPageA");
    lab.click(&page, "next-track");
    let step = lab.inspector.event("next_track", 1);
    assert!(step.view.is_some(), "the step belongs to the child");
    assert!(step.changes.total() > 0);
}

#[test]
fn the_rate_limit_is_followed_until_the_page_is_closed() {
    // Tight, so that a slow machine does not let the whole flood through.
    let mut lab = Lab::with_env(&[("DEMO_RATE", "tight")]);
    let page = lab.open("/limited/");
    let session = lab.inspector.mounted("LimitedView");
    lab.click(&page, "flood");
    let limited = lab.inspector.step("a dropped message", |step| step.kind == StepKind::RateLimited || step.status == Status::Limited);
    assert_eq!(limited.session.as_ref(), Some(&session));
    let close = lab.inspector.step("the close", |step| step.kind == StepKind::Close && step.session.as_ref() == Some(&session));
    assert!(matches!(&close.cause, Some(Cause::Limit { code: Some(4429), .. })), "{:?}", close.cause);
    assert!(lab.inspector.timeline().sessions()[&session].close.is_some());
}

#[test]
fn all_33_documented_keys_are_told() {
    let mut lab = Lab::start();
    lab.open("/counter/");
    lab.inspector.mounted("CounterView");
    let config = lab.inspector.wait("the configuration", |inspector| {
        let config = inspector.timeline.as_ref()?.config();
        config.views.iter().any(|view| view.class.ends_with("CounterView")).then(|| config.clone())
    });
    assert_eq!(config.keys.len(), 33);
    assert_eq!(config.keys.iter().filter(|key| key.group == "class").count(), 19);
    let view = config.views.iter().find(|view| view.class.ends_with("CounterView")).expect("the counter");
    assert_eq!(view.attributes["time_travel_enabled"].value, serde_json::Value::Bool(true));
}
