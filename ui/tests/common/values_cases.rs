//! Values where they are drawn: pinned ones, their cost, their marks, and changes as they are told.

use egui::{Key, Modifiers};
use inspector_model::{Request, Side, StepId};
use inspector_ui::Memory;

use crate::Window;
use crate::common::driver::Driver as _;
use crate::common::{SOURCE, Scripted};

// These need keys and scrolling that the tests' browser does not have yet.
crate::native_cases![
    a_pinned_value_is_shown_at_each_step_and_survives_a_restart,
    a_parameter_is_pinned_and_followed_from_call_to_call,
    pinned_values_keep_one_request_in_flight,
    a_pin_of_another_view_says_that_it_is_not_on_this_page,
    assigns_are_told_with_their_cost_and_advice,
    expected_changes_are_left_out_of_the_diff_and_counted,
    a_change_is_told_with_its_values,
    what_is_not_wholly_there_is_marked,
];

/// The label of the row of a pinned value.
fn pinned(window: &Window, name: &str) -> String {
    let labels: Vec<String> = window.widgets().into_iter().map(|widget| widget.label).collect();
    labels.iter().find(|label| label.starts_with(&format!("{name} in "))).unwrap_or_else(|| panic!("{labels:?}")).clone()
}

pub fn a_pinned_value_is_shown_at_each_step_and_survives_a_restart() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    window.press_with(Modifiers::SHIFT, Key::W);
    assert!(window.has("Nothing is pinned"), "it says what to do");
    window.select("Step 5 Event add_item");
    window.click("Menu of cart.total");
    window.click("Pin this value");
    assert_eq!(pinned(&window, "cart.total"), "cart.total in shop.views.CartView: Decimal(\"21.00\"), changed here");
    window.click("Step 7 Event open_cart");
    assert_eq!(pinned(&window, "cart.total"), "cart.total in shop.views.CartView: Decimal(\"21.00\"), changed in step 5, 1 step ago");
    window.click("Next change of cart.total");
    assert!(window.has("Step 8") && pinned(&window, "cart.total").ends_with("changed here"));
    window.click("Previous change of cart.total");
    assert!(window.has("Step 5"));
    assert!(window.says("History of cart.total: "), "a small picture of its history");
    let memory = Memory::from_text(&window.memory().to_text());
    let mut again = Window::open_with(&Scripted::with_sample(), memory);
    again.press_with(Modifiers::SHIFT, Key::W);
    assert!(pinned(&again, "cart.total").contains("Decimal"));
    again.click("Unpin cart.total");
    assert!(again.has("Nothing is pinned"));
}

pub fn a_parameter_is_pinned_and_followed_from_call_to_call() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    window.select("Step 5 Event add_item");
    window.press(Key::P);
    window.click("Menu of qty");
    assert!(!window.has("When did this change?"), "the history of a parameter is that of its handler's calls");
    window.click("Pin this value");
    assert_eq!(pinned(&window, "add_item(qty)"), "add_item(qty) in shop.views.CartView: 1, called here");
    window.click("Next call of add_item(qty)");
    assert!(window.has("Step 8"));
}

pub fn pinned_values_keep_one_request_in_flight() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    window.select("Step 5 Event add_item");
    for name in ["cart.total", "note", "flash"] {
        window.click(&format!("Menu of {name}"));
        window.click("Pin this value");
    }
    engine.hold(true);
    let values = |engine: &Scripted| engine.asked(|asked| matches!(asked, Request::Values { .. }));
    let before = values(&engine).len();
    for _ in 0..5 {
        window.press(Key::ArrowRight);
    }
    assert_eq!(values(&engine).len(), before + 1);
    engine.release();
    window.settle();
    let asked = values(&engine);
    assert_eq!(asked.len(), before + 2, "the latest wins");
    let Some(Request::Values { source, of }) = asked.last() else { panic!("{asked:?}") };
    assert_eq!((*source, of.len()), (SOURCE, 3), "all of them at once");
    assert!(of.iter().all(|at| at.step == StepId(10)), "{of:?}");
}

pub fn a_pin_of_another_view_says_that_it_is_not_on_this_page() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    window.select("Step 5 Event add_item");
    window.click("Menu of cart.total");
    window.click("Pin this value");
    window.press(Key::Home);
    window.click("Step 3 Mount HomeView");
    assert!(pinned(&window, "cart.total").contains("not on this page"));
    window.click("Step 6 Tick handle_tick");
    assert!(pinned(&window, "cart.total").contains("Decimal"), "at a step of a child view the page's own view stands where it was");
    let asked = engine.asked(|asked| matches!(asked, Request::Values { of, .. } if of[0].step == StepId(6)));
    let Some(Request::Values { of, .. }) = asked.first() else { panic!("not asked") };
    assert_eq!(of[0].stream, ("sess-alice-1".into(), None));
    assert_eq!(of[0].holder, inspector_model::Holder::State(Side::After));
}

pub fn assigns_are_told_with_their_cost_and_advice() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    window.select("Step 5 Event add_item");
    window.press(Key::S);
    assert!(engine.asked(|asked| matches!(asked, Request::Costs { .. })).is_empty(), "nobody looks at them yet");
    window.click("Sizes");
    for _ in 0..4 {
        window.settle();
    }
    let rows = |window: &Window| -> Vec<String> {
        window.widgets().into_iter().map(|widget| widget.label).filter(|label| label.starts_with("Assign ")).collect()
    };
    let largest = rows(&window);
    assert!(largest.len() > 10, "all parts were asked for: {largest:?}");
    assert!(largest[0].starts_with("Assign history: 48.0 KB, 9"), "{largest:?}");
    assert!(window.says("It never changed in 18 steps"), "advice where the recording proves it");
    window.click("Most changes first");
    assert!(rows(&window)[0].starts_with("Assign cart: ") && rows(&window)[0].contains("changed in 9 of 18"), "{:?}", rows(&window));
    window.click("Values");
    assert!(window.has("Search state"));
}

pub fn expected_changes_are_left_out_of_the_diff_and_counted() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    window.select("Step 5 Event add_item");
    window.click("Menu of cart.total");
    window.click("Ignore cart.total");
    assert!(!window.says("changed cart.total: "));
    assert!(window.has("1 change ignored"));
    window.click("Show ignored");
    assert!(window.says("changed cart.total: from Decimal(\"10.50\") to Decimal(\"21.00\"), ignored"));
    assert!(window.memory().to_text().contains("cart.total"), "one set of rules, remembered");
}

pub fn a_change_is_told_with_its_values() {
    let mut window = Window::open(&Scripted::with_sample());
    window.select("Step 5 Event add_item");
    for told in [
        "changed cart.items[0].qty: from 1 to 2",
        "moved cart.items[2]: from [4]",
        "removed cart.items[5]: {\"id\": 2, \"name\": \"Sencha\", \"qty\": 3}",
        "changed flash: from \"Item added\" to None, temporary",
        "moved queue: 4 elements in another order",
    ] {
        assert!(window.has(told), "{told}");
    }
    assert!(window.says("changed note: text, from 37 to 57 characters, 2 places"));
}

pub fn what_is_not_wholly_there_is_marked() {
    let mut window = Window::open(&Scripted::with_sample());
    window.select("Step 5 Event add_item");
    window.press(Key::S);
    assert!(window.has("client object, not read"));
    assert!(window.has("history cut, cut"));
    window.click("user model");
    assert!(window.has("user.email redacted, redacted"));
}
