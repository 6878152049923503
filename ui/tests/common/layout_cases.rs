//! Label tests of the workspace: panes, the brushed range, branches.

use egui::{Key, Modifiers};
use inspector_model::{Answer, Cause, Notice, Request, Side, StepDetail, StepId, StepKind};

use crate::Window;
use crate::common::driver::Driver as _;
use crate::common::{self, SOURCE, Scripted};

crate::cases![
    a_pane_is_hidden_and_shown_again_and_that_is_remembered,
    the_layout_is_reset,
    with_all_panes_hidden_there_is_a_way_back,
    two_panes_of_the_drawer_are_tabs,
    what_a_command_needs_is_shown,
    a_range_is_begun_and_ended_by_keys_and_cleared_by_escape,
    a_range_becomes_a_filter,
    a_range_is_offered_for_export,
    the_timeline_says_what_is_on_it,
    branches_are_a_tree_and_lead_to_their_steps,
    what_a_replay_changed_is_asked_for_when_it_is_seen,
    a_page_without_branches_says_how_one_is_made,
    a_jump_that_comes_live_is_a_branch,
];

// These need keys and pointers that the tests' browser does not have yet.
crate::native_cases![the_panes_menu_hides_and_shows, a_range_is_stretched_by_arrows_on_the_timeline, a_border_is_moved_by_keys];

const MEMORY_OF_SESSIONS: &str = r#""shown":["timeline","steps","step"]"#;

fn run(window: &mut Window, command: &str) {
    window.press_with(Modifiers::COMMAND, Key::K);
    window.type_into("Name of a command", command);
    window.press(Key::Enter);
}

pub fn a_pane_is_hidden_and_shown_again_and_that_is_remembered() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    assert!(window.has("Session alice /cart/"));
    run(&mut window, "Show or hide Sessions");
    assert!(!window.has("Session alice /cart/"));
    let memory = window.memory();
    assert!(memory.to_text().contains(MEMORY_OF_SESSIONS), "{}", memory.to_text());
    drop(window);
    let mut window = Window::open_with(&engine, memory);
    engine.tell_anew();
    window.settle();
    assert!(window.has("Timeline") && !window.has("Session alice /cart/"));
    run(&mut window, "Show or hide Sessions");
    assert!(window.has("Session alice /cart/"));
}

pub fn the_layout_is_reset() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    run(&mut window, "Show or hide Timeline");
    window.press_with(Modifiers::COMMAND, Key::B);
    assert!(!window.has("Timeline") && window.has("No step is marked"));
    run(&mut window, "Reset layout");
    assert!(window.has("Timeline") && !window.has("No step is marked"));
}

pub fn with_all_panes_hidden_there_is_a_way_back() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    for pane in ["Sessions", "Timeline", "Steps", "Step"] {
        run(&mut window, &format!("Show or hide {pane}"));
    }
    assert!(window.has("All panes are hidden"));
    window.click("Reset layout");
    assert!(window.has("Timeline") && window.has("Filter steps"));
}

pub fn two_panes_of_the_drawer_are_tabs() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    window.press_with(Modifiers::COMMAND, Key::B);
    assert!(!window.has("Bookmarks pane"), "one alone has no tab");
    window.press_with(Modifiers::COMMAND.plus(Modifiers::SHIFT), Key::B);
    assert!(window.has("Bookmarks pane") && window.has("Condition") && !window.has("No step is marked"));
    window.click("Bookmarks pane");
    assert!(window.has("No step is marked") && !window.has("Condition"));
    window.click("Hide Bookmarks");
    assert!(window.has("Condition") && !window.has("Breakpoints pane"));
    window.click("Hide Breakpoints");
    assert!(!window.has("Condition"));
}

pub fn what_a_command_needs_is_shown() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    run(&mut window, "Show or hide Step");
    assert!(!window.says("Compare with"));
    window.press(Key::S);
    assert!(window.has("Move or hide Step"), "a tab of it was asked for");
    run(&mut window, "Show or hide Steps");
    assert!(!window.has("Filter steps"));
    window.press_with(Modifiers::COMMAND, Key::F);
    assert!(window.has("Filter steps"));
}

pub fn a_range_is_begun_and_ended_by_keys_and_cleared_by_escape() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    window.press(Key::Z);
    assert!(window.says("No range is selected"), "it says how one is made");
    window.select("Step 4 Event open_cart");
    window.press(Key::M);
    assert!(window.has("Range of 0 s, 1 step"));
    window.click("Step 6 Tick handle_tick");
    window.press(Key::M);
    assert!(window.has("Range of 1.2 s, 3 steps"));
    window.click("Zoom to range");
    let seen = window.get("Timeline").value.unwrap();
    assert!(seen.starts_with("3 steps from"), "{seen}");
    window.press(Key::Escape);
    assert!(!window.says("Range of "));
}

pub fn a_range_becomes_a_filter() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    window.select("Step 4 Event open_cart");
    window.press(Key::M);
    window.click("Step 6 Tick handle_tick");
    window.press(Key::M);
    window.click("Filter to range");
    assert_eq!(window.get("Filter steps").value.as_deref(), Some("time:12:00:02.100..12:00:03.300"));
    assert!(window.has("Step 4 Event open_cart") && window.has("Step 6 Tick handle_tick"));
    assert!(!window.has("Step 3 Mount HomeView") && !window.has("Step 7 Event open_cart"));
    window.press(Key::Escape);
    assert!(!window.says("Range of "), "the range goes first");
    assert!(!window.has("Step 3 Mount HomeView"), "and the filter stays");
    window.press(Key::Escape);
    window.press(Key::Home);
    assert!(window.has("Step 3 Mount HomeView"));
}

pub fn a_range_is_offered_for_export() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    window.select("Step 4 Event open_cart");
    window.press(Key::M);
    window.click("Step 6 Tick handle_tick");
    window.press(Key::M);
    window.press_with(Modifiers::COMMAND, Key::E);
    window.click("The selected range: steps 4 to 6");
    let of_range = |asked: &Request| {
        matches!(asked, Request::PreviewExport { options, .. }
            if options.selection.first == Some(StepId(4)) && options.selection.last == Some(StepId(6)))
    };
    assert_eq!(engine.asked(of_range).len(), 1);
}

pub fn the_timeline_says_what_is_on_it() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    window.select("Step 5 Event add_item");
    window.press(Key::M);
    let seen = window.get("Timeline").value.unwrap();
    for part in [
        "59 steps from 11:59:59",
        "Events ",
        "Trouble 3, of which",
        "Selected step 5, Event add_item, 12:00:03.000, 5 of 59",
        "0 s, 1 step: 5 to 5",
    ] {
        assert!(seen.contains(part), "{part}: {seen}");
    }
}

/// Jumps back to step 5, goes on, and adds again with another quantity.
fn more_branches(engine: &Scripted) {
    let step = |id, kind, name, at| {
        let mut step = common::step(id, Some("sess-alice-1"), kind, name, at);
        step.state_bytes = 1_400;
        step
    };
    let mut jump = step(101, StepKind::Jump, "jump", 40.0);
    jump.cause = Some(Cause::Jump { step: Some(StepId(5)), side: Side::After });
    let open = step(102, StepKind::Event, "open_cart", 41.0);
    let mut back = step(103, StepKind::Jump, "jump before add_item", 42.0);
    back.cause = Some(Cause::Jump { step: Some(StepId(5)), side: Side::Before });
    let mut again = step(104, StepKind::Replay, "add_item", 42.1);
    again.cause = Some(Cause::Replay { step: Some(StepId(5)), edited: true });
    engine.tell(Notice::steps(SOURCE, [jump, open, back, again]));
}

pub fn branches_are_a_tree_and_lead_to_their_steps() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    more_branches(&engine);
    window.settle();
    window.select("Step 5 Event add_item");
    window.press_with(Modifiers::SHIFT, Key::B);
    let branches: Vec<String> =
        window.widgets().into_iter().map(|widget| widget.label).filter(|label| label.starts_with("Branch ")).collect();
    assert_eq!(branches.len(), 4, "{branches:?}");
    assert!(branches[0].starts_with("Branch 1: From the beginning, "), "{branches:?}");
    assert!(
        branches[1].starts_with("Branch 4: add_item again, in place of step 5, "),
        "those that forked earlier come first: {branches:?}"
    );
    assert!(branches[1].contains("2 steps · 103 to 104") && branches[1].ends_with("live now"), "{branches:?}");
    assert!(branches[2].starts_with("Branch 3: Back after step 5 add_item, 2 steps · 101 to 102"), "{branches:?}");
    assert!(branches[3].starts_with("Branch 2: add_item again, in place of step 8, "), "{branches:?}");
    window.click(&branches[2]);
    let detail = Request::Detail { source: SOURCE, step: StepId(101) };
    assert!(!engine.asked(|asked| *asked == detail).is_empty());
}

pub fn what_a_replay_changed_is_asked_for_when_it_is_seen() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    more_branches(&engine);
    window.settle();
    window.select("Step 4 Event open_cart");
    let asked = |engine: &Scripted| engine.asked(|asked| *asked == Request::Detail { source: SOURCE, step: StepId(104) }).len();
    let before = asked(&engine);
    engine.hold(true);
    window.press_with(Modifiers::SHIFT, Key::B);
    for (step, params) in [(8, r#"{"qty": 1}"#), (51, r#"{"qty": 1}"#), (5, r#"{"id": 9, "qty": 1}"#), (104, r#"{"id": 9, "qty": 3}"#)] {
        window.settle();
        let held: Vec<_> = std::mem::take(&mut engine.script().held);
        assert_eq!(held.len(), 1, "one question is on its way at most: {held:?}");
        for (id, request) in held {
            assert_eq!(request, Request::Detail { source: SOURCE, step: StepId(step) });
            let detail = StepDetail { params: Some(params.into()), ..StepDetail::default() };
            engine.tell(Notice::Answer(id, Answer::Detail(Box::new(detail))));
        }
    }
    window.settle();
    assert!(window.says("add_item again, in place of step 5, qty 1 → 3, "));
    assert!(window.says("add_item again, in place of step 8, same parameters, "));
    window.settle();
    assert!(engine.script().held.is_empty(), "what is known is not asked for again");
    assert_eq!(asked(&engine), before + 1, "nobody asked before the branch was looked at");
}

pub fn a_page_without_branches_says_how_one_is_made() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    window.select("Step 3 Mount HomeView");
    window.press_with(Modifiers::SHIFT, Key::B);
    assert!(window.has("This page went on in one line"));
    assert!(window.says("Jump it back to an earlier step"));
    window.click("Branches of alice /cart/");
    assert!(window.says("Branch 1: From the beginning"));
}

pub fn a_jump_that_comes_live_is_a_branch() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    window.select("Step 5 Event add_item");
    window.press_with(Modifiers::SHIFT, Key::B);
    assert!(!window.says("Branch 3"));
    more_branches(&engine);
    window.settle();
    assert!(window.says("Branch 3: Back after step 5"));
}

pub fn the_panes_menu_hides_and_shows() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    window.click("Panes");
    assert_eq!(window.get("Sessions").toggled.or(Some(true)), Some(true));
    let named =
        |window: &Window, name: &str| window.widgets().into_iter().any(|widget| widget.label == name && widget.toggled == Some(true));
    assert!(named(&window, "Step") && !named(&window, "Branches"));
    window.click("Branches");
    assert!(named(&window, "Branches"), "the menu stays open");
    assert!(window.has("Hide Branches"));
}

pub fn a_range_is_stretched_by_arrows_on_the_timeline() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    window.select("Step 4 Event open_cart");
    window.type_into("Timeline", "");
    window.press_with(Modifiers::SHIFT, Key::ArrowRight);
    window.press_with(Modifiers::SHIFT, Key::ArrowRight);
    assert!(window.has("Range of 1.2 s, 3 steps"));
    window.press_with(Modifiers::SHIFT, Key::ArrowLeft);
    assert!(window.has("Range of 900 ms, 2 steps"));
    window.press(Key::ArrowRight);
    assert!(window.has("Range of 900 ms, 2 steps"), "without Shift only the selection moves");
    window.press(Key::Escape);
    assert!(!window.says("Range of "));
}

pub fn a_border_is_moved_by_keys() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    assert!(!window.memory().to_text().contains("\"points\""), "sizes are natural until one is changed");
    window.type_into("Border of Sessions", "");
    window.press(Key::ArrowRight);
    assert!(window.memory().to_text().contains("230.0"), "{}", window.memory().to_text());
}
