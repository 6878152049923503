//! The window on a scripted engine, driven by accessible labels: all cases, and what only a window without a host can be asked.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::unused_self, reason = "a test stops where something is wrong")]

mod common;

use common::driver::Driver as _;
use common::headless::Headless as Window;
use common::{SOURCE, Scripted, many_steps};
use egui::Key;
use inspector_model::{Notice, Request};
use inspector_ui::{Memory, Startup};

/// Each case is a test of its own.
#[macro_export]
macro_rules! cases {
    ($($name:ident),* $(,)?) => {
        mod each {
            $(#[test] fn $name() { super::$name(); })*
        }
    };
}

/// The same for those that only a window without a host can be asked.
#[macro_export]
macro_rules! native_cases {
    ($($name:ident),* $(,)?) => {
        mod native {
            $(#[test] fn $name() { super::$name(); })*
        }
    };
}

#[path = "common/cases.rs"]
mod cases;
#[path = "common/cause_cases.rs"]
mod cause_cases;
#[path = "common/jump_cases.rs"]
mod jump_cases;

#[test]
fn startup_requests_are_sent_and_the_source_is_shown() {
    let engine = Scripted::with_sample();
    let request = Request::Attach { url: "http://127.0.0.1:8000".into(), token: "t".into() };
    let window = Window::sized(&engine, Startup { requests: vec![request.clone()], ..Startup::default() }, [1200.0, 800.0]);
    assert_eq!(engine.asked(|asked| *asked == request).len(), 1);
    assert!(window.has("Timeline"));
    assert!(window.has("Session alice /cart/"));
}

#[test]
fn at_rest_nothing_is_repainted() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    window.run_steps(10);
    assert!(!window.ctx.has_requested_repaint(), "{:?}", window.ctx.repaint_causes());
}

#[test]
fn a_hundred_thousand_steps_draw_only_the_visible_rows() {
    let engine = Scripted::with_sample();
    engine.script().notices.retain(|notice| !matches!(notice, Notice::Steps(..)));
    engine.tell(Notice::steps(SOURCE, many_steps(100_000)));
    let mut window = Window::open(&engine);
    let rows = window.widgets().iter().filter(|widget| widget.label.contains("handle_tick")).count();
    assert!((5..200).contains(&rows), "{rows}");
    let start = std::time::Instant::now();
    window.run_steps(30);
    let each = start.elapsed() / 30;
    assert!(each < std::time::Duration::from_millis(60), "{each:?} a frame");
}

#[test]
fn a_deep_diff_and_a_deep_state_are_drawn_without_panic() {
    use inspector_model::{Answer, Change, Diff, Op, Path, Segment, StateAnswer, Value};
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    window.press(Key::Home);
    engine.hold(true);
    window.click("Step 5 Event add_item");
    let mut deep = Value::List(vec![]);
    for _ in 0..10_000 {
        deep = Value::List(vec![deep]);
    }
    let diff = Diff {
        changes: vec![Change { path: Path(vec![Segment::Key("deep".into())]), op: Op::Added(deep), note: None }],
        ..Diff::default()
    };
    let held: Vec<_> = std::mem::take(&mut engine.script().held);
    let mut diff = Some(Box::new(diff));
    for (id, request) in held {
        match request {
            // Not a copy: making one goes as deep as the value.
            Request::Diff { .. } => engine.tell(Notice::Answer(id, Answer::Diff(diff.take().expect("one diff is asked for")))),
            _ => {
                engine.tell(Notice::Answer(id, Answer::Failed(inspector_model::Failure::new(inspector_model::ErrorCode::Missing, "gone"))));
            }
        }
    }
    window.settle();
    window.click("added deep");
    window.press(Key::S);
    let held: Vec<_> = std::mem::take(&mut engine.script().held);
    for (id, request) in held {
        if matches!(request, Request::State { .. }) {
            let text = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
            engine.tell(Notice::Answer(id, Answer::State(StateAnswer::Full(text.into()))));
        }
    }
    window.settle();
    assert!(window.says("cannot be shown"));
}

#[test]
fn side_panels_keep_their_widths() {
    let engine = Scripted::with_sample();
    let memory = Memory::from_text(r#"{"sessions_width": 300, "step_width": 420}"#);
    let window = Window::sized(&engine, Startup { memory, ..Startup::default() }, [1600.0, 900.0]);
    let kept = window.state().as_ref().unwrap().memory().to_text();
    assert!(kept.contains(r#""sessions_width":300.0"#) && kept.contains(r#""step_width":420.0"#), "{kept}");
}

#[test]
fn numbers_that_are_none_are_drawn_without_panic() {
    let engine = Scripted::with_sample();
    engine.script().notices.retain(|notice| !matches!(notice, Notice::Steps(..)));
    let mut odd = common::step(1, Some("sess-alice-1"), inspector_model::StepKind::Event, "odd", f64::NAN);
    odd.duration_ms = Some(f64::NAN);
    let endless = common::step(2, None, inspector_model::StepKind::Gap, "", f64::INFINITY);
    engine.tell(Notice::steps(SOURCE, [odd, endless]));
    let mut window = Window::open(&engine);
    window.press(Key::Home);
    window.press(Key::End);
    let _small = Window::sized(&engine, Startup::default(), [300.0, 200.0]);
}

#[test]
fn the_theme_is_the_remembered_one() {
    for (theme, dark) in [(inspector_ui::ThemeChoice::Dark, true), (inspector_ui::ThemeChoice::Light, false)] {
        let window = Window::open_with(&Scripted::default(), Memory::with_theme(theme));
        assert_eq!(window.ctx.global_style().visuals.dark_mode, dark);
    }
}
