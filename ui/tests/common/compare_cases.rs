//! Two runs beside each other, and replays beside what was recorded.

use egui::{Key, Modifiers};
use inspector_model::{Answer, ErrorCode, Failure, Notice, Request, Side, StepId};

use crate::Window;
use crate::common::driver::Driver as _;
use crate::common::second::{PAGE, SECOND};
use crate::common::{self, SOURCE, Scripted};

crate::cases![
    a_comparison_of_nothing_says_what_to_do,
    a_replay_says_whether_it_did_the_same,
    replays_go_one_after_the_other_and_find_what_is_not_steady,
    a_replay_that_is_refused_ends_the_row_of_them,
];

// These need keys and scrolling that the tests' browser does not have yet.
crate::native_cases![
    two_runs_are_compared_from_the_first_divergence_on,
    both_sides_are_moved_together_by_keys_and_the_slider,
    what_is_expected_to_differ_is_ignored_and_counted,
    sides_are_chosen_swapped_and_opened_from_the_library,
];

/// A window on two runs of one view, in the Compare view.
fn comparing(engine: &Scripted) -> Window {
    let second = common::second::second(engine.script().sample.as_ref().unwrap());
    engine.script().notices.extend(second);
    let mut window = Window::open(engine);
    window.press_with(Modifiers::ALT, Key::Num7);
    // A part has two pairs: the next one is asked for when it is there.
    for _ in 0..30 {
        window.settle();
    }
    window
}

pub fn two_runs_are_compared_from_the_first_divergence_on() {
    let engine = Scripted::with_sample();
    let mut window = comparing(&engine);
    let (yesterday, today) = ((SECOND, (PAGE.into(), None)), (SOURCE, ("sess-alice-1".into(), None)));
    assert_eq!(engine.asked(|asked| *asked == Request::Compare { left: yesterday.clone(), right: today.clone() }).len(), 1);
    assert!(window.has("shop, yesterday  ·  32 steps"), "the older one is left");
    for sum in ["23 the same", "8 differ", "1 only left", "1 only right"] {
        assert!(window.has(sum), "{sum}");
    }
    assert!(window.has("Row 2: 2 open_cart and 4, 1 difference"));
    assert!(window.has("Row 5: 8 add_item, only right"));
    window.press(Key::V);
    let diff = Request::Diff { from: (SECOND, StepId(2), Side::After), to: (SOURCE, StepId(4), Side::After) };
    assert_eq!(engine.asked(|asked| *asked == diff).len(), 1);
    assert!(window.has("After 2 and 4"));
    assert!(window.says("added cart.items[3]: "), "what differs is listed");
    window.press(Key::N);
    let own = Request::Diff { from: (SOURCE, StepId(8), Side::Before), to: (SOURCE, StepId(8), Side::After) };
    assert_eq!(engine.asked(|asked| *asked == own).len(), 1, "a step that only one side has tells what it did");
    assert!(window.says("the other side has no such step"));
    window.click("Show right step");
    assert!(window.has("Step 8 Event add_item"), "the step itself");
}

pub fn both_sides_are_moved_together_by_keys_and_the_slider() {
    let engine = Scripted::with_sample();
    let mut window = comparing(&engine);
    for (modifiers, key, expected) in [
        (Modifiers::NONE, Key::End, "Step 32, only left"),
        (Modifiers::NONE, Key::ArrowLeft, "After 31 and "),
        (Modifiers::NONE, Key::Home, "After 1 and 1"),
        (Modifiers::NONE, Key::ArrowRight, "After 2 and 4"),
        (Modifiers::NONE, Key::N, "Step 8, only right"),
        (Modifiers::SHIFT, Key::N, "After 2 and 4"),
    ] {
        window.press_with(modifiers, key);
        assert!(window.says(expected), "{key:?}: {expected}");
    }
    window.click("Position of both sides");
    assert!(!window.says("After 2 and 4"), "a click in its middle goes there");
    window.click("Row 1: 1 CartView and 1, same");
    assert!(window.has("After 1 and 1"));
}

pub fn what_is_expected_to_differ_is_ignored_and_counted() {
    let engine = Scripted::with_sample();
    let mut window = comparing(&engine);
    window.click("Ignore rules");
    window.click("Ignore times and ids");
    for _ in 0..30 {
        window.settle();
    }
    assert!(window.has("Row 2: 2 open_cart and 4, 1 ignored"));
    assert!(window.has("1 difference ignored"));
    window.type_into("Paths to ignore", "cart.items");
    let rules = |asked: &Request| matches!(asked, Request::CompareStates { ignore, .. } if ignore.paths == ["cart.items"]);
    assert!(!engine.asked(rules).is_empty());
    window.press(Key::Escape);
    window.click("Row 2: 2 open_cart and 4, 1 ignored");
    assert!(window.says("differences ignored by your rules"));
    assert!(!window.says("added cart.items[3]: ") && window.says("changed cart.total: "));
    assert!(window.memory().to_text().contains("cart.items"), "they are remembered");
}

pub fn sides_are_chosen_swapped_and_opened_from_the_library() {
    let engine = Scripted::with_sample();
    let mut window = comparing(&engine);
    window.click("Swap sides");
    let (yesterday, today) = ((SECOND, (PAGE.into(), None)), (SOURCE, ("sess-alice-1".into(), None)));
    assert_eq!(engine.asked(|asked| *asked == Request::Compare { left: today.clone(), right: yesterday.clone() }).len(), 1);
    window.click("Left side");
    window.click("Compare alice  /cart/  PlayerView  2026-11-23 12:00:00");
    let player = (SOURCE, ("sess-alice-1".into(), Some("player".into())));
    assert_eq!(engine.asked(|asked| *asked == Request::Compare { left: player.clone(), right: yesterday.clone() }).len(), 1);
    assert!(window.says("No such step in the sample"), "why it cannot be compared");
    window.click("Right side");
    window.click("Compare with form that raises");
    assert_eq!(engine.asked(|asked| *asked == Request::OpenRecording("rec-2".into())).len(), 1);
    assert!(window.has("Swap sides"), "the view stays");
    assert!(window.has("shop · 127.0.0.1:8000  ·  32 steps"), "the newest page of what was opened");
}

pub fn a_comparison_of_nothing_says_what_to_do() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    window.press(Key::V);
    assert!(window.says("Open the Compare view first"));
    window.click("Compare");
    assert!(window.says("There is nothing to compare with yet"));
    assert!(window.says("Nothing is chosen for this side"));
    assert!(engine.asked(|asked| matches!(asked, Request::Compare { .. } | Request::CompareStates { .. })).is_empty());
}

/// The step of a replay, as the recorder tells it.
fn replay_step(id: u64, of: u64) -> Notice {
    let mut step = common::step(id, Some("sess-alice-1"), inspector_model::StepKind::Replay, "add_item", 60.0);
    step.cause = Some(inspector_model::Cause::Replay { step: Some(StepId(of)), edited: false });
    step.sql = 3;
    Notice::steps(SOURCE, [step])
}

/// Answers what is held: diffs with these, everything else as always.
fn answer_diffs(engine: &Scripted, window: &mut Window, diff: &inspector_model::Diff) {
    for _ in 0..3 {
        engine.answer_held(diff);
        window.settle();
    }
}

pub fn a_replay_says_whether_it_did_the_same() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    window.select("Step 5 Event add_item");
    window.press(Key::R);
    assert!(window.get("Replay").disabled, "one at a time");
    engine.hold(true);
    let step = replay_step(900, 5);
    engine.script().sample.as_mut().unwrap().know(&step);
    engine.tell(step);
    window.settle();
    let judged = |asked: &Request| matches!(asked, Request::Diff { from: (_, of, Side::After), to: (_, replay, Side::After) } if (of.0, replay.0) == (5, 900));
    assert_eq!(engine.asked(judged).len(), 1);
    answer_diffs(&engine, &mut window, &common::number_differs("total", 21, 20));
    assert!(window.says("Differs here: total 21 → 20"), "the message");
    assert!(!window.has("Compare with step 5"), "not at the recorded step");
    assert!(!window.get("Replay").disabled);
    window.press(Key::End);
    answer_diffs(&engine, &mut window, &inspector_model::Diff::default());
    assert!(window.has("Same as recorded"), "in the header of the replay, whoever made it");
}

pub fn replays_go_one_after_the_other_and_find_what_is_not_steady() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    window.select("Step 5 Event add_item");
    window.press(Key::P);
    window.click("Replay 5 times");
    for nth in 0..5 {
        let sent = engine.asked(|asked| matches!(asked, Request::Replay { step: StepId(5), restore: true, .. })).len();
        assert_eq!(sent, nth as usize + 1, "one after the other");
        engine.hold(true);
        let step = replay_step(900 + nth, 5);
        engine.script().sample.as_mut().unwrap().know(&step);
        engine.tell(step);
        window.settle();
        engine.hold(false);
        answer_diffs(&engine, &mut window, &common::number_differs("token", 0, nth as i64 % 2));
    }
    assert!(window.says("5 replays, not deterministic: `token`"));
    assert_eq!(engine.asked(|asked| matches!(asked, Request::Replay { .. })).len(), 5);
    assert!(window.says("5.  Differs here: token 0 → 0"), "what each of them did");
}

pub fn a_replay_that_is_refused_ends_the_row_of_them() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    window.select("Step 5 Event add_item");
    window.press(Key::P);
    engine.hold(true);
    window.click("Replay 5 times");
    let held: Vec<_> = std::mem::take(&mut engine.script().held);
    for (id, request) in held {
        if matches!(request, Request::Replay { .. }) {
            let failure = Failure::new(ErrorCode::Busy, "Another command to this page is under way");
            engine.tell(Notice::Answer(id, Answer::Failed(failure)));
        }
    }
    window.settle();
    assert!(window.says("Another command to this page is under way"));
    assert!(!window.get("Replay 5 times").disabled, "it is over");
    assert_eq!(engine.asked(|asked| matches!(asked, Request::Replay { .. })).len(), 1);
}
