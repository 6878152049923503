//! Label tests of the table: its filter, its columns and their order, and what must not move under the pointer.

use egui::{Key, Modifiers, pos2};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use inspector_model::{Level, Notice, StepKind};
use inspector_ui::Memory;

use crate::Window;
use crate::common::driver::Driver as _;
use crate::common::{self, SOURCE, Scripted};

crate::native_cases![
    keys_and_values_are_offered_while_a_filter_is_typed,
    tab_and_escape_belong_to_the_list_while_it_is_open,
    a_filter_is_saved_used_renamed_and_deleted,
    filters_are_used_from_the_palette_and_the_last_ones_remembered,
    the_filter_language_is_explained,
    the_table_is_sorted_by_its_header,
    next_and_previous_follow_the_order_of_the_table,
    columns_are_chosen_and_remembered,
    no_row_moves_under_the_pointer_while_steps_come,
    the_time_of_a_step_is_told_and_compared_with_others_of_its_handler,
    messages_are_listed_counted_and_cleared,
    a_message_under_the_pointer_stays,
    no_page_moves_under_the_pointer_when_another_is_opened,
    the_tabs_stay_where_they_are_whatever_the_step,
];

/// Numbers of the steps whose rows are drawn, from the top.
fn rows(window: &Window) -> Vec<u64> {
    let mut rows: Vec<(f32, u64)> = window
        .query_all_by(|node| node.role() == egui::accesskit::Role::Row)
        .filter_map(|row| {
            let label = row.accesskit_node().label()?;
            Some((row.rect().top(), label.strip_prefix("Step ")?.split(' ').next()?.parse().ok()?))
        })
        .collect();
    rows.sort_by(|a, b| a.0.total_cmp(&b.0));
    rows.into_iter().map(|(_, id)| id).collect()
}

/// The number of the selected step.
fn selected(window: &Window) -> Option<u64> {
    let all = window.widgets();
    let row = all.iter().find(|widget| widget.toggled == Some(true) && widget.label.starts_with("Step "))?;
    row.label.strip_prefix("Step ")?.split(' ').next()?.parse().ok()
}

fn filter(window: &Window) -> String {
    window.get("Filter steps").value.unwrap_or_default()
}

pub fn keys_and_values_are_offered_while_a_filter_is_typed() {
    let mut window = Window::open(&Scripted::with_sample());
    window.type_into("Filter steps", "na");
    window.press(Key::Tab);
    assert_eq!(filter(&window), "name:");
    assert!(!window.says("has no value"), "what is still being typed is no mistake");
    assert!(window.says("name:handle_tick Name"), "values of this recording");
    window.type_into("Filter steps", "add");
    window.press(Key::Enter);
    assert_eq!(filter(&window), "name:add_item ");
    assert!(window.has("Step 5 Event add_item") || rows(&window).len() > 3);
    assert!(!window.says("Tick handle_tick"));
    window.type_into("Filter steps", "status:r");
    window.press(Key::ArrowDown);
    window.press(Key::Enter);
    assert_eq!(filter(&window), "name:add_item status:raised ");
}

pub fn tab_and_escape_belong_to_the_list_while_it_is_open() {
    let mut window = Window::open(&Scripted::with_sample());
    window.press_with(Modifiers::COMMAND, Key::F);
    assert!(window.says("kind: What happened"), "asked for by its key, the filter says what there is");
    window.press(Key::Escape);
    assert!(!window.says("kind: What happened"));
    window.type_into("Filter steps", "sta");
    assert!(window.says("status: How it ended"));
    window.press(Key::Escape);
    assert!(!window.says("status: How it ended"));
    assert_eq!(filter(&window), "sta", "the first Escape closes the list only");
    window.press(Key::Escape);
    assert_eq!(filter(&window), "");
}

pub fn a_filter_is_saved_used_renamed_and_deleted() {
    let mut window = Window::open(&Scripted::with_sample());
    window.type_into("Filter steps", "user:alice kind:event ");
    window.press(Key::Enter);
    window.click("Saved filters");
    window.type_into("Name of the filter", "Alice");
    window.click("Save");
    window.press(Key::Escape);
    let kept = window.memory();
    assert!(kept.to_text().contains(r#""saved":[{"name":"Alice","text":"user:alice kind:event"}]"#), "{}", kept.to_text());

    // A window that begins with it.
    let mut window = Window::open_with(&Scripted::with_sample(), Memory::from_text(&kept.to_text()));
    window.press(Key::Escape);
    assert_eq!(filter(&window), "");
    window.press_with(Modifiers::SHIFT, Key::F);
    window.click("Alice user:alice kind:event");
    assert_eq!(filter(&window), "user:alice kind:event");
    assert!(!window.says("Slow steps"), "the menu is closed");
    window.click("Saved filters");
    window.click("Rename filter Alice");
    window.type_into("New name of the filter", "!");
    window.press(Key::Enter);
    window.click("Delete filter Alice!");
    assert!(window.memory().to_text().contains(r#""saved":[]"#));
}

pub fn filters_are_used_from_the_palette_and_the_last_ones_remembered() {
    let mut window = Window::open(&Scripted::with_sample());
    window.press_with(Modifiers::COMMAND, Key::K);
    window.type_into("Name of a command", "filter: err");
    window.press(Key::Enter);
    assert_eq!(filter(&window), "status:error");
    assert!(window.has("Step 18 Event pay"));
    assert!(window.memory().to_text().contains(r#""recent":["status:error"]"#));
}

pub fn the_filter_language_is_explained() {
    let mut window = Window::open(&Scripted::with_sample());
    assert!(!window.has("Milliseconds it took"));
    window.press(Key::F1);
    assert!(window.has("Milliseconds it took") && window.has("-kind:tick"));
    window.press(Key::Escape);
    assert!(!window.has("Milliseconds it took"));
}

pub fn the_table_is_sorted_by_its_header() {
    let mut window = Window::open(&Scripted::with_sample());
    window.click("Sort by ms");
    window.click("Sorted by ms, upwards");
    assert!(window.has("Sorted by ms, downwards"));
    let slowest = rows(&window)[0];
    assert!(window.says(&format!("Step {slowest} Event add_item")), "143 ms");
    let mut again = Window::open_with(&Scripted::with_sample(), Memory::from_text(&window.memory().to_text()));
    again.press(Key::Home);
    assert_eq!(rows(&again)[0], slowest, "the order is remembered");
    again.click("Sort by #");
    again.press(Key::Home);
    assert_eq!(rows(&again)[..3], [1, 2, 3]);
    again.click("Sorted by #, upwards");
    again.press(Key::Home);
    assert!(rows(&again)[0] > rows(&again)[1]);
    again.click("Sort by What");
    again.press(Key::Home);
    assert!(again.says("Event add_item"));
}

pub fn next_and_previous_follow_the_order_of_the_table() {
    let mut window = Window::open(&Scripted::with_sample());
    window.click("Sort by SQL");
    window.click("Sorted by SQL, upwards");
    window.press(Key::Home);
    let order = rows(&window);
    for id in order.iter().take(4) {
        assert_eq!(selected(&window), Some(*id));
        window.press(Key::ArrowRight);
    }
    window.press(Key::ArrowLeft);
    window.press(Key::ArrowLeft);
    assert_eq!(selected(&window), Some(order[2]));
}

pub fn columns_are_chosen_and_remembered() {
    let mut window = Window::sized(&Scripted::with_sample(), inspector_ui::Startup::default(), [2200.0, 900.0]);
    assert!(!window.has("User column"));
    window.press(Key::C);
    window.click("Column User");
    window.click("Column ms");
    assert!(window.has("User column") && !window.has("Sort by ms"));
    window.press(Key::Escape);
    assert!(!window.has("Column User"));
    let text = window.memory().to_text();
    assert!(text.contains(r#""columns":["number","time","what","user","changed","sql","status"]"#), "{text}");
    let startup = inspector_ui::Startup { memory: Memory::from_text(&text), ..inspector_ui::Startup::default() };
    let mut again = Window::sized(&Scripted::with_sample(), startup, [2200.0, 900.0]);
    assert!(again.has("User column") && !again.has("Sort by ms"));
    again.get_by_label("User column").click_secondary();
    again.settle();
    again.click("Usual columns");
    assert!(!again.has("User column") && again.has("Sort by ms"));
}

pub fn no_row_moves_under_the_pointer_while_steps_come() {
    for (sort, prefix) in [(r#"{"by":"number","descending":true}"#, "newest first"), (r#"{"by":"ms","descending":true}"#, "slowest first")]
    {
        let engine = Scripted::with_sample();
        let memory = Memory::from_text(&format!(r#"{{"sort":{sort},"filter":"-kind:tick"}}"#));
        let mut window = Window::open_with(&engine, memory);
        let place = window.get_by_label("Sort by Changed").rect().center() + egui::vec2(0.0, 120.0);
        window.hover_at(place);
        window.settle();
        let before = rows(&window);
        for second in 0..10_u64 {
            let step = |id| {
                let mut step = common::step(id, Some("sess-alice-1"), StepKind::Event, "burst", id as f64);
                step.duration_ms = Some(10_000.0 + id as f64);
                step
            };
            engine.tell(Notice::steps(SOURCE, (1_000 + second * 100..1_100 + second * 100).map(step)));
            window.settle();
            assert_eq!(rows(&window), before, "{prefix}");
        }
        window.remove_cursor();
        window.hover_at(pos2(5.0, 5.0));
        window.settle();
        assert_eq!(rows(&window)[0], 1_999, "{prefix}: what waited is there when the pointer has left");
    }
    // In the usual order following pulls the rows away, but not under the pointer.
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    let place = window.get_by_label("Sort by Changed").rect().center() + egui::vec2(0.0, 120.0);
    window.hover_at(place);
    window.settle();
    let before = rows(&window);
    engine
        .tell(Notice::steps(SOURCE, (1_000..1_100).map(|id| common::step(id, Some("sess-alice-1"), StepKind::Event, "burst", id as f64))));
    window.settle();
    assert_eq!(rows(&window), before);
    assert!(window.says("Step 1099"), "the step is followed all the same");
    window.hover_at(pos2(5.0, 5.0));
    window.settle();
    assert_eq!(rows(&window).last(), Some(&1_099));
}

pub fn the_time_of_a_step_is_told_and_compared_with_others_of_its_handler() {
    let mut window = Window::open(&Scripted::with_sample());
    window.type_into("Filter steps", "name:add_item ms>100 ");
    window.press(Key::Enter);
    window.press(Key::Home);
    window.press(Key::I);
    assert!(window.says("Handler 100 ms, 70 %"), "what the agent measured");
    assert!(window.says("Around them"));
    assert!(window.says("p50 3.40 ms") && window.says("max 143 ms") && window.says("times 9"));
    assert!(window.says("This one is slower than 89 % of them"));
    assert!(window.says("N+1"));
    window.click("Show the queries");
    assert!(window.says("14 queries"));
}

pub fn messages_are_listed_counted_and_cleared() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    window.press_with(Modifiers::SHIFT, Key::M);
    assert!(window.says("No message so far"));
    window.press(Key::Escape);
    for (level, text) in
        [(Level::Warning, "The agent is older"), (Level::Error, "The store is full"), (Level::Warning, "The agent is older")]
    {
        engine.tell(Notice::Message(level, text.into()));
        window.settle();
    }
    assert!(window.has("2 unread warnings and errors"));
    window.press_with(Modifiers::SHIFT, Key::M);
    assert!(window.says("2 times, last"));
    assert!(!window.says("unread"), "what is looked at is read");
    window.click("Clear");
    assert!(window.says("No message so far"));
}

pub fn a_message_under_the_pointer_stays() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    engine.tell(Notice::Message(Level::Error, "first".into()));
    window.settle();
    let place = window.get_by_label("first").rect();
    window.hover_at(place.center());
    window.settle();
    for number in 0..8 {
        engine.tell(Notice::Message(Level::Info, format!("more {number}")));
        window.settle();
    }
    assert_eq!(window.get_by_label("first").rect(), place);
    window.hover_at(pos2(300.0, 500.0));
    window.settle();
    assert!(!window.has("first"), "there are too many: the oldest goes when the pointer has left");
}

pub fn no_page_moves_under_the_pointer_when_another_is_opened() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    let place = |window: &Window| window.get_by_label("Session alice /cart/").rect();
    let before = place(&window);
    window.hover_at(before.center());
    window.settle();
    let session =
        serde_json::json!({"session": "sess-new", "phase": "mounted", "user": "dora", "path": "/new/", "opened": 1_795_435_900.0});
    let session: inspector_model::Session = serde_json::from_value(session).unwrap();
    engine.tell(Notice::Session(SOURCE, Box::new(session)));
    window.settle();
    assert!(window.has("Session dora /new/"));
    assert_eq!(place(&window), before);
    window.hover_at(pos2(700.0, 600.0));
    window.settle();
    assert!(place(&window).top() > before.top(), "the newest is first when the pointer has left");
}

pub fn the_tabs_stay_where_they_are_whatever_the_step() {
    let mut window = Window::open(&Scripted::with_sample());
    let tabs = |window: &Window| {
        ["Diff", "State", "Params", "Page", "Patches", "Timing", "SQL", "Log", "Frames"].map(|tab| {
            let tab = window.get_by(|node| node.role() == egui::accesskit::Role::Tab && node.label().as_deref() == Some(tab));
            tab.rect().x_range()
        })
    };
    window.press(Key::Home);
    let before = tabs(&window);
    for _ in 0..25 {
        window.press(Key::ArrowRight);
        assert_eq!(tabs(&window), before);
    }
}
