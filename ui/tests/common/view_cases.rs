//! The views of a server: configuration and rate limits.

use egui::Key;
use inspector_model::{Notice, Request, StepId};

use crate::Window;
use crate::common::driver::Driver as _;
use crate::common::{SOURCE, Scripted};

crate::cases![
    the_configuration_says_who_set_a_key_and_what_is_wrong_with_it,
    keys_are_searched_and_narrowed_to_what_matters,
    a_key_leads_to_the_steps_that_it_explains,
    a_line_that_mends_a_setting_is_copied,
    class_attributes_are_shown_for_one_view,
    a_configuration_of_an_older_agent_is_shown,
];

// These need keys and scrolling that the tests' browser does not have yet.
crate::native_cases![the_level_of_a_page_is_told_with_what_was_refused, other_limits_are_tried_with_the_keyboard, refusals_are_told_apart,];

pub fn the_configuration_says_who_set_a_key_and_what_is_wrong_with_it() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    window.click("Configuration");
    assert!(window.says("71 keys") && window.says("33 documented"));
    assert!(window.has(r#"event_security is "warn""#));
    assert!(window.has("LIVEVIEW_CONFIG · settings.py:90"));
    assert!(window.says("The page may call any public method"));
    assert!(window.says("DJUST_CONFIG sets it too and is ignored"));
    assert!(window.has("djust has no such key") && window.says("Did you mean max_message_size?"));
    assert!(window.has("Largest message: 70.1 KB, 107 % of the limit"));
}

pub fn keys_are_searched_and_narrowed_to_what_matters() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    window.click("Configuration");
    assert!(window.has("use_websocket is True"));
    window.click("Only changed from default");
    assert!(!window.has("use_websocket is True"));
    assert!(window.has(r#"css_framework is "tailwind""#), "changed, and nothing is wrong with it");
    window.click("Only with advice");
    assert!(!window.has(r#"css_framework is "tailwind""#));
    assert!(window.has(r#"event_security is "warn""#));
    window.type_into("Search configuration", "nobody says this");
    assert!(window.says("No key, value or advice has “nobody says this”"));
    window.click("Show all keys");
    assert!(window.has("use_websocket is True"));
    window.type_into("Search configuration", "tailw");
    assert!(window.has(r#"css_framework is "tailwind""#) && !window.has("use_websocket is True"));
}

pub fn a_key_leads_to_the_steps_that_it_explains() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    window.click("View PlayerView sticky player");
    window.click("Configuration");
    window.click("rate_limit: show steps, 6 limited steps");
    assert_eq!(window.get("Filter steps").value.as_deref(), Some("status:limited"));
    assert!(window.has("Step 38 Event spam"), "all sessions are shown");
    assert!(!window.has("Step 5 Event add_item"));
    window.click("Configuration");
    window.click("max_message_size: show steps, 1 was too large");
    assert!(window.has("Step 59 Event import_csv") && !window.has("Step 38 Event spam"));
    window.click("Configuration");
    window.click("Largest message: 70.1 KB, 107 % of the limit: go to step 59");
    let detail = Request::Detail { source: SOURCE, step: StepId(59) };
    assert!(!engine.asked(|asked| *asked == detail).is_empty());
}

pub fn a_line_that_mends_a_setting_is_copied() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    window.click("Configuration");
    window.click(r#"Copy LIVEVIEW_CONFIG["event_security"] = "strict""#);
    assert!(window.says("Copied the line"));
}

pub fn class_attributes_are_shown_for_one_view() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    window.select("Step 5 Event add_item");
    window.click("Configuration");
    window.click("Go to Per view");
    assert!(window.has("CartView.tick_interval is 1000"), "that of the selected step");
    assert!(window.has("alice has 250 on the instance, which hides the class's"));
    assert!(window.has("inherited from Members") && window.has("Members · mixins.py:12"));
    assert!(window.has("handle_tick is not overridden, so nothing ticks"));
    window.click("View class");
    window.click("shop.views.PlayerView  (1 with advice)");
    assert!(window.has("PlayerView.tick_interval is 1000") && !window.has("CartView.tick_interval is 1000"));
    assert!(window.says("ticks a second on a page, 1.00 asked for"));
    window.click("PlayerView.tick_interval: show steps, 9 ticks");
    assert_eq!(window.get("Filter steps").value.as_deref(), Some("kind:tick view:shop.views.PlayerView"));
    assert!(window.has("Step 6 Tick handle_tick"));
}

pub fn a_configuration_of_an_older_agent_is_shown() {
    let old = serde_json::json!({
        "keys": [{"key": "hvr_enabled", "group": "setting", "type": "bool", "default": true, "value": true, "source": "default",
            "traps": ["read once, when the file watcher starts"], "doc": "Swap changed view classes"}],
        "views": [{"class": "shop.views.CartView", "attributes": {"sticky": {"value": true, "source": "class shop.views.CartView", "traps": []}}}]
    });
    let engine = Scripted::with_sample();
    engine.tell(Notice::Config(SOURCE, Box::new(serde_json::from_value(old).unwrap())));
    let mut window = Window::open(&engine);
    window.click("Configuration");
    assert!(window.has("hvr_enabled is True") && window.has("read once, when the file watcher starts"));
    assert!(window.has("CartView.sticky is True"));
    window.click("Rate limit");
    assert!(window.says("djust's default, as this recording has no configuration"));
}

pub fn the_level_of_a_page_is_told_with_what_was_refused() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    window.click("Rate limit");
    assert!(window.has("Level over time of anonymous /: 10 messages, 4 refused, lowest 0.1 of 3"));
    assert!(window.has("djust refused 3, and 1 after it had closed a page"));
    assert!(window.says("pings, cursor moves and uploads are not among them"));
    assert!(window.has("1 page is closed with 4429, and 1 later message would not reach it"));
    window.click("First refused: go to step 38");
    let detail = Request::Detail { source: SOURCE, step: StepId(38) };
    assert_eq!(engine.asked(|asked| *asked == detail).len(), 1);
}

pub fn other_limits_are_tried_with_the_keyboard() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    window.click("Rate limit");
    assert!(window.has("3 of 34 recorded messages are refused by the simulation"));
    assert!(!window.has("As configured"));
    window.type_into("What if burst", "");
    for _ in 0..40 {
        window.press(Key::ArrowRight);
    }
    assert!(window.has("0 of 34 recorded messages would have been refused"));
    window.click("As configured");
    assert!(window.has("3 of 34 recorded messages are refused by the simulation"));
    window.type_into("What if burst", "");
    for _ in 0..40 {
        window.press(Key::ArrowLeft);
    }
    assert!(!window.has("3 of 34 recorded messages would have been refused"));
    assert!(window.says("would have been refused") && window.says("closed with 4429, and"));
}

pub fn refusals_are_told_apart() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    for (reason, step) in [
        ("The handler's own rate limit", "Step 56 Event checkout"),
        ("The user may not call it", "Step 58 Event restock"),
        ("No such method", "Step 19 Event delete_all"),
    ] {
        window.click("Rate limit");
        window.click(&format!("Show steps: {reason}"));
        assert!(window.has(step), "{reason}");
        assert!(!window.has("Step 38 Event spam"), "{reason}");
    }
}
