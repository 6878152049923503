//! Who made a change outside of steps, as the window tells it.

use inspector_model::{By, Cause, ChangeCounts, Notice, StepId, StepKind, Sure, Suspect};

use crate::Window;
use crate::common::driver::Driver as _;
use crate::common::{SOURCE, Scripted, step};

crate::cases![
    an_outside_change_names_its_cause_and_leads_to_the_step,
    work_that_was_under_way_leads_to_the_step_that_it_became,
    where_nothing_was_seen_it_says_what_to_look_for,
];

/// Tells of an outside change of alice's page, and selects it.
fn outside(engine: &Scripted, window: &mut Window, changed: &[&str], suspects: Vec<Suspect>) {
    let mut found = step(900, Some("sess-alice-1"), StepKind::Outside, "outside change", 90.0);
    found.changes = ChangeCounts { changed: changed.len() as u32, ..ChangeCounts::default() };
    found.changed = changed.iter().map(ToString::to_string).collect();
    found.cause = Some(Cause::Outside { suspects });
    let mut work = step(901, Some("sess-alice-1"), StepKind::Async, "load_prices", 91.0);
    work.cause = Some(Cause::Started { by: "open_cart".into() });
    engine.tell(Notice::steps(SOURCE, [found, work]));
    window.settle();
    window.press(egui::Key::End);
    window.click("Step 900 Outside change outside change");
}

pub fn an_outside_change_names_its_cause_and_leads_to_the_step() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    let render = Suspect {
        by: By::Render,
        sure: Sure::Certain,
        names: vec!["total".into()],
        place: Some("shop/views.py:88 in get_context_data".into()),
        step: Some(StepId(5)),
        ..Suspect::default()
    };
    let page = Suspect { by: By::SameValue, sure: Sure::Likely, names: vec!["stock".into()], step: Some(StepId(3)), ..Suspect::default() };
    outside(&engine, &mut window, &["total", "stock[0].left", "prices"], vec![render, page]);
    assert!(window.says("by the render, get_context_data and 1 more"), "in the row");
    assert!(window.has("certain") && window.has("likely"));
    assert!(window.says("`total`: It was set while the page was rendered, after the handler of step 5: shop/views.py:88"));
    assert!(window.says("No cause seen for `prices`"));
    window.click("Step 5 add_item");
    window.press(egui::Key::Home);
    window.click("Step 5 Event add_item");
    assert!(window.says("added cart.items[3]: "));
}

pub fn work_that_was_under_way_leads_to_the_step_that_it_became() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    let work =
        Suspect { by: By::Work, sure: Sure::Likely, names: vec!["prices".into()], what: Some("load_prices".into()), ..Suspect::default() };
    outside(&engine, &mut window, &["prices"], vec![work]);
    assert!(window.says("likely by background work load_prices"));
    window.click("Step 901 load_prices");
    assert!(window.says("Step 901"));
}

pub fn where_nothing_was_seen_it_says_what_to_look_for() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    outside(&engine, &mut window, &["stock"], Vec::new());
    assert!(window.says("no cause seen"), "in the row");
    assert!(window.says("Look for code that changes the value in place"));
}
