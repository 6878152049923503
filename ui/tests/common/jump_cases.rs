//! What a jump would lose, said before it is done.

use egui::Key;
use inspector_model::{Answer, JumpPreview, JumpTarget, NotRestored, Notice, Request, Side, StepId};

use crate::Window;
use crate::common::driver::Driver as _;
use crate::common::{SOURCE, Scripted};

crate::cases![
    a_jump_that_loses_nothing_is_done_at_once,
    a_jump_that_would_lose_something_says_what_and_offers_the_safe_way,
    enter_takes_the_safe_way_and_escape_leaves_the_page_alone,
    a_page_that_was_agreed_to_is_not_asked_about_again,
];

/// Asks to jump after step 5, where the page would not get all of it back.
fn asked_about(engine: &Scripted, window: &mut Window, whole: Option<u64>, unasked: Option<&str>) {
    engine.hold(true);
    window.select("Step 5 Event add_item");
    window.click("Jump page here");
    let held = std::mem::take(&mut engine.script().held);
    let lost = |path: &str, why: &str| NotRestored { path: path.into(), why: why.into() };
    let preview = JumpPreview {
        not_restored: vec![
            lost("user", "a model instance is not put back: it belongs to the database"),
            lost("token", "its value was redacted"),
        ],
        whole: whole.map(StepId),
        unasked: unasked.map(str::to_owned),
    };
    for (id, request) in held {
        if matches!(request, Request::PreviewJump { .. }) {
            engine.tell(Notice::Answer(id, Answer::JumpPreview(Box::new(preview.clone()))));
        } else {
            engine.script().held.push((id, request));
        }
    }
    engine.release();
    window.settle();
}

fn jumps(engine: &Scripted) -> Vec<(u64, Side, Option<String>)> {
    let asked = engine.asked(|asked| matches!(asked, Request::Jump { .. }));
    let jumps = asked.into_iter().map(|asked| match asked {
        Request::Jump { target: JumpTarget { step, side }, component, .. } => (step.0, side, component),
        other => panic!("no jump: {other:?}"),
    });
    jumps.collect()
}

pub fn a_jump_that_loses_nothing_is_done_at_once() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    window.select("Step 5 Event add_item");
    window.click("Jump page here");
    let target = JumpTarget { step: StepId(5), side: Side::After };
    assert_eq!(engine.asked(|asked| *asked == Request::PreviewJump { source: SOURCE, target, component: None }).len(), 1);
    assert_eq!(jumps(&engine), [(5, Side::After, None)]);
    assert!(!window.has("Jump anyway"));
}

pub fn a_jump_that_would_lose_something_says_what_and_offers_the_safe_way() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    asked_about(&engine, &mut window, Some(8), Some("the page is busy"));
    assert!(window.has("The page would be after step 5, but for 2 values"));
    assert!(window.has("user: a model instance is not put back: it belongs to the database"));
    assert!(window.says("told from the recording, because the page is busy"));
    assert_eq!(jumps(&engine), []);
    window.click("Only checkout");
    assert_eq!(jumps(&engine), [(5, Side::After, Some("checkout".into()))]);
    asked_about(&engine, &mut window, None, None);
    window.click("Jump anyway");
    assert_eq!(jumps(&engine)[1..], [(5, Side::After, None)]);
    assert!(!window.has("Jump anyway"));
}

pub fn enter_takes_the_safe_way_and_escape_leaves_the_page_alone() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    asked_about(&engine, &mut window, Some(8), None);
    window.press(Key::Escape);
    assert!(!window.has("Jump anyway"));
    assert_eq!(jumps(&engine), []);
    asked_about(&engine, &mut window, None, None);
    window.press(Key::Enter);
    assert_eq!(jumps(&engine), [], "without another way the safe one is not to jump");
    asked_about(&engine, &mut window, Some(8), None);
    window.press(Key::Enter);
    assert_eq!(jumps(&engine), [(8, Side::After, None)]);
    asked_about(&engine, &mut window, Some(8), None);
    window.press(Key::J);
    assert_eq!(jumps(&engine)[1..], [(5, Side::After, None)]);
}

pub fn a_page_that_was_agreed_to_is_not_asked_about_again() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    asked_about(&engine, &mut window, None, None);
    window.click("Don't ask again for this page");
    window.click("Jump anyway");
    let before = engine.asked(|asked| matches!(asked, Request::PreviewJump { .. })).len();
    window.click("Jump page here");
    assert_eq!(jumps(&engine).len(), 2);
    assert_eq!(engine.asked(|asked| matches!(asked, Request::PreviewJump { .. })).len(), before);
}
