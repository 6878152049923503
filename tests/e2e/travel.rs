//! Going back: jumps, replays, and what a page does after them.

use inspector_model::{Answer, ErrorCode, RemoteCursor, Request, Side, StepKind};

use crate::lab::Lab;

#[test]
fn a_jump_puts_the_page_back_and_the_next_click_goes_on_from_there() {
    let mut lab = Lab::start();
    let page = lab.open("/counter/");
    let session = lab.inspector.mounted("CounterView");
    for _ in 0..3 {
        lab.click(&page, "increment");
    }
    let second = lab.inspector.event("increment", 2);
    lab.inspector.event("increment", 3);
    lab.wait_text(&page, "count", "3");
    let done = lab.inspector.jump(second.id, Side::Before);
    assert!(done.not_restored.is_empty(), "{done:?}");
    lab.wait_text(&page, "count", "1");
    assert!(matches!(lab.inspector.timeline().cursor(&session), RemoteCursor::At(target) if target.step == second.id));
    lab.click(&page, "add-7");
    lab.wait_text(&page, "count", "8");
    let add = lab.inspector.event("add", 1);
    assert_eq!(lab.inspector.assign(add.id, "count"), "8");
    assert_eq!(lab.inspector.timeline().cursor(&session), RemoteCursor::Live);
    lab.inspector.step("the jump itself", |step| step.kind == StepKind::Jump);
}

#[test]
fn return_to_live_puts_the_page_where_it_was_before_the_first_jump() {
    let mut lab = Lab::start();
    let page = lab.open("/counter/");
    let session = lab.inspector.mounted("CounterView");
    for _ in 0..3 {
        lab.click(&page, "increment");
    }
    let first = lab.inspector.event("increment", 1);
    let third = lab.inspector.event("increment", 3);
    lab.inspector.jump(third.id, Side::Before);
    lab.inspector.jump(first.id, Side::Before);
    lab.wait_text(&page, "count", "0");
    let source = lab.inspector.id;
    lab.inspector.command(Request::ReturnToLive { source, session: session.clone(), view: None });
    lab.wait_text(&page, "count", "3");
    assert_eq!(lab.inspector.timeline().cursor(&session), RemoteCursor::Live);
}

#[test]
fn a_view_without_time_travel_can_be_put_back_too() {
    let mut lab = Lab::start();
    let page = lab.open("/plain/");
    lab.inspector.mounted("PlainView");
    lab.click(&page, "increment");
    lab.click(&page, "increment");
    let first = lab.inspector.event("increment", 1);
    lab.inspector.event("increment", 2);
    lab.inspector.jump(first.id, Side::After);
    lab.wait_text(&page, "count", "1");
}

#[test]
fn a_replay_keeps_positional_arguments_and_takes_other_ones() {
    let mut lab = Lab::start();
    let page = lab.open("/counter/");
    lab.inspector.mounted("CounterView");
    lab.click(&page, "add-7");
    let add = lab.inspector.event("add", 1);
    lab.wait_text(&page, "count", "7");
    let source = lab.inspector.id;
    lab.inspector.command(Request::Replay { source, step: add.id, params: None, restore: true });
    let replay = lab.inspector.step("the replay", |step| step.kind == StepKind::Replay);
    assert_eq!(lab.inspector.assign(replay.id, "count"), "7", "0 + 7, not 0 + 1");
    lab.inspector.command(Request::Replay { source, step: add.id, params: Some(r#"{"n": "30"}"#.into()), restore: true });
    let edited = lab.inspector.step_after(replay.id, "the edited replay", |step| step.kind == StepKind::Replay);
    assert_eq!(lab.inspector.assign(edited.id, "count"), "30", "text is coerced as on djust's own path");
    lab.wait_text(&page, "count", "30");
}

#[test]
fn a_replay_that_goes_wrong_says_how() {
    let mut lab = Lab::start();
    let page = lab.open("/counter/");
    lab.inspector.mounted("CounterView");
    lab.click(&page, "add-7");
    let add = lab.inspector.event("add", 1);
    let source = lab.inspector.id;
    let done = lab.inspector.command(Request::Replay { source, step: add.id, params: Some(r#"{"n": "many"}"#.into()), restore: true });
    assert!(done.trouble.is_some(), "{done:?}");
    let refused = lab.inspector.ask(Request::Replay { source, step: add.id, params: Some("[1]".into()), restore: true });
    assert!(matches!(refused, Answer::Failed(_)), "{refused:?}");
}

#[test]
fn a_ring_that_has_overflowed_still_jumps_to_the_right_step() {
    let mut lab = Lab::with_env(&[("DEMO_MAX_EVENTS", "10"), ("DEMO_RATE", "loose")]);
    let page = lab.open("/counter/");
    lab.inspector.mounted("CounterView");
    for count in 1..=25 {
        lab.click(&page, "increment");
        lab.wait_text(&page, "count", &count.to_string());
    }
    let third = lab.inspector.event("increment", 3);
    lab.inspector.event("increment", 25);
    lab.inspector.jump(third.id, Side::After);
    lab.wait_text(&page, "count", "3");
}

#[test]
fn a_jump_to_a_closed_page_is_refused_with_the_reason() {
    let mut lab = Lab::start();
    let page = lab.open("/counter/");
    let session = lab.inspector.mounted("CounterView");
    lab.click(&page, "increment");
    let step = lab.inspector.event("increment", 1);
    lab.close(page);
    lab.inspector.step("the close", |step| step.kind == StepKind::Close && step.session.as_ref() == Some(&session));
    let source = lab.inspector.id;
    let target = inspector_model::JumpTarget { step: step.id, side: Side::Before };
    let answer = lab.inspector.ask(Request::Jump { source, target, component: None });
    assert!(matches!(&answer, Answer::Failed(failure) if failure.code == ErrorCode::NotFound && failure.hint.is_some()), "{answer:?}");
}
