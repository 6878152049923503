//! The label tests of the window. Each target that includes them says what a `Window` is, and what becomes of the list.

use egui::{Key, Modifiers};
use inspector_model::{JumpTarget, Notice, Request, Side, StepId};
use inspector_ui::Memory;

use crate::Window;
use crate::common::driver::Driver as _;
use crate::common::{self, SOURCE, Sample, Scripted};

crate::cases![
    a_clicked_step_is_pulled_and_its_diff_shown,
    a_pinned_step_is_compared_with_what_is_selected_next,
    fast_selection_keeps_one_request_in_flight_and_the_latest_wins,
    jump_and_replay_go_to_the_selected_step,
    a_page_that_was_closed_cannot_be_jumped_and_says_why,
    the_banner_stays_until_the_page_is_live,
    the_filter_selects_rows_and_explains_mistakes,
    letters_in_a_text_field_are_no_commands,
    a_session_narrows_the_table,
    every_tab_shows_the_step,
    edited_parameters_are_checked_and_sent,
    whole_window_views_open_by_their_tabs,
    the_start_page_attaches_opens_and_deletes_only_after_confirmation,
    an_empty_window_says_what_to_paste,
    the_palette_finds_commands,
    follow_selects_new_steps_and_selecting_ends_it,
    hostile_data_is_drawn_without_panic,
    a_window_begins_as_it_was_left,
    a_text_is_found_in_all_values_and_a_hit_leads_to_its_step,
    a_step_is_marked_noted_and_found_again,
    a_breakpoint_is_set_and_its_hits_lead_to_their_steps,
];

// These need keys and scrolling that the tests' browser does not have yet.
crate::native_cases![
    a_value_is_followed_through_its_changes,
    how_much_is_kept_is_set_and_what_was_dropped_is_said,
    recordings_expire_when_that_is_wanted_but_not_those_that_are_kept,
    the_library_is_encrypted_with_a_passphrase_that_was_typed_twice,
    text_grows_and_shrinks_and_is_remembered,
];

pub fn a_clicked_step_is_pulled_and_its_diff_shown() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    window.select("Step 5 Event add_item");
    let detail = Request::Detail { source: SOURCE, step: StepId(5) };
    assert_eq!(engine.asked(|asked| *asked == detail).len(), 1);
    let diff = Request::Diff { from: (SOURCE, StepId(5), Side::Before), to: (SOURCE, StepId(5), Side::After) };
    assert_eq!(engine.asked(|asked| *asked == diff).len(), 1);
    assert!(window.says("added cart.items[3]: "));
    assert!(window.says("changed cart.items[0].qty: "));
}

pub fn a_pinned_step_is_compared_with_what_is_selected_next() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    window.select("Step 4 Event open_cart");
    window.press(Key::A);
    window.click("Step 8 Event add_item");
    let diff = Request::Diff { from: (SOURCE, StepId(4), Side::After), to: (SOURCE, StepId(8), Side::After) };
    assert_eq!(engine.asked(|asked| *asked == diff).len(), 1);
}

pub fn fast_selection_keeps_one_request_in_flight_and_the_latest_wins() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    window.press(Key::Home);
    let before = engine.asked(|asked| matches!(asked, Request::Detail { .. })).len();
    engine.hold(true);
    for _ in 0..6 {
        window.press(Key::ArrowRight);
    }
    let details = |engine: &Scripted| engine.asked(|asked| matches!(asked, Request::Detail { .. })).split_off(before);
    assert_eq!(details(&engine), [Request::Detail { source: SOURCE, step: StepId(2) }]);
    engine.release();
    window.settle();
    assert_eq!(details(&engine)[1..], [Request::Detail { source: SOURCE, step: StepId(7) }]);
}

pub fn jump_and_replay_go_to_the_selected_step() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    window.select("Step 5 Event add_item");
    window.click("Jump page here");
    window.press(Key::R);
    window.press_with(Modifiers::SHIFT, Key::J);
    let jump = |side| Request::Jump { source: SOURCE, target: JumpTarget { step: StepId(5), side }, component: None };
    let replay = Request::Replay { source: SOURCE, step: StepId(5), params: None, restore: true };
    for request in [jump(Side::After), jump(Side::Before), replay] {
        assert_eq!(engine.asked(|asked| *asked == request).len(), 1, "{request:?}");
    }
}

pub fn a_page_that_was_closed_cannot_be_jumped_and_says_why() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    window.select("Step 3 Mount HomeView");
    assert!(window.get("Jump page here").disabled);
    assert!(window.says("The page of this step was closed"));
    window.press(Key::J);
    assert!(engine.asked(|asked| matches!(asked, Request::Jump { .. })).is_empty());
}

pub fn the_banner_stays_until_the_page_is_live() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    assert!(!window.has("Return to live"));
    engine.tell(Sample::at(8));
    window.settle();
    assert!(window.says("is at step 8, before add_item"));
    window.click("Return to live");
    let back = Request::ReturnToLive { source: SOURCE, session: "sess-alice-1".into(), view: None };
    assert_eq!(engine.asked(|asked| *asked == back).len(), 1);
    assert!(window.has("Return to live"), "the cursor has not moved yet");
    engine.tell(Notice::Cursor(SOURCE, "sess-alice-1".into(), inspector_model::RemoteCursor::Live));
    window.settle();
    assert!(!window.has("Return to live"));
}

pub fn the_filter_selects_rows_and_explains_mistakes() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    window.press_with(Modifiers::COMMAND, Key::F);
    window.type_into("Filter steps", "status:raised");
    assert!(window.has("Step 18 Event pay"));
    assert!(!window.has("Step 55 Tick handle_tick"));
    window.type_into("Filter steps", " knd:x");
    assert!(window.says("There is no key"));
    assert!(window.has("Step 18 Event pay"), "the rows of the last good filter stay");
}

pub fn letters_in_a_text_field_are_no_commands() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    window.press_with(Modifiers::COMMAND, Key::F);
    window.press(Key::J);
    window.press(Key::R);
    assert!(engine.asked(|asked| matches!(asked, Request::Jump { .. } | Request::Replay { .. })).is_empty());
}

pub fn a_session_narrows_the_table() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    window.press(Key::Home);
    window.click("View PlayerView sticky player");
    assert!(window.has("Step 2 Mount PlayerView"));
    assert!(!window.has("Step 1 Mount CartView"));
    window.click("All sessions");
    window.press(Key::Home);
    assert!(window.has("Step 1 Mount CartView"));
}

pub fn every_tab_shows_the_step() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    window.select("Step 18 Event pay");
    for (key, expected) in [
        (Key::O, "card number is not valid"),
        (Key::W, "Frame 1 from the browser"),
        (Key::T, "4 patches"),
        (Key::G, "Show page"),
        (Key::P, "Edit and replay"),
        (Key::S, "cart dict"),
        (Key::D, "Compare with"),
    ] {
        window.press(key);
        assert!(window.says(expected), "{key:?}: {expected}");
    }
    window.press(Key::Home);
    window.click("Step 5 Event add_item");
    window.press(Key::Q);
    assert!(window.says("3 queries"));
}

pub fn edited_parameters_are_checked_and_sent() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    window.select("Step 5 Event add_item");
    window.press(Key::P);
    assert!(window.says("add_item(id: int, qty: int = …)"));
    window.click("Edit and replay");
    window.click("Replay with these");
    let sent = engine.asked(|asked| matches!(asked, Request::Replay { params: Some(_), restore: true, .. }));
    assert_eq!(sent.len(), 1);
}

pub fn whole_window_views_open_by_their_tabs() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    for (tab, expected) in [
        ("Configuration", "rate_limit"),
        ("Rate limit", "Lift cooldown"),
        ("Reload", "refused"),
        ("Health", "python manage.py runserver --noreload"),
    ] {
        window.click(tab);
        assert!(window.says(expected), "{tab}: {expected}");
    }
    window.click("Rate limit");
    window.click("Lift cooldown");
    assert_eq!(engine.asked(|asked| matches!(asked, Request::LiftCooldown { .. })).len(), 1);
}

pub fn the_start_page_attaches_opens_and_deletes_only_after_confirmation() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    window.click("Servers and recordings");
    window.click("Delete form that raises");
    assert!(engine.asked(|asked| matches!(asked, Request::DeleteRecording(_))).is_empty());
    window.click("Delete for good");
    assert_eq!(engine.asked(|asked| *asked == Request::DeleteRecording("rec-2".into())).len(), 1);
    window.click("Open counter with time travel");
    assert_eq!(engine.asked(|asked| *asked == Request::OpenRecording("rec-1".into())).len(), 1);
    window.click("Servers and recordings");
    window.click("Attach to intranet");
    assert_eq!(engine.asked(|asked| *asked == Request::AttachFound { pid: 4300 }).len(), 1);
}

pub fn an_empty_window_says_what_to_paste() {
    let window = Window::open(&Scripted::default());
    assert!(window.has("djust-inspector run -- python manage.py runserver"));
}

pub fn the_palette_finds_commands() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    window.press_with(Modifiers::COMMAND, Key::K);
    window.type_into("Name of a command", "rate");
    window.press(Key::Enter);
    assert!(window.says("Lift cooldown"));
}

pub fn follow_selects_new_steps_and_selecting_ends_it() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    engine.tell(Notice::steps(SOURCE, [common::step(900, Some("sess-alice-1"), inspector_model::StepKind::Event, "new_one", 30.0)]));
    window.settle();
    assert!(window.has("Step 900 Event new_one"));
    window.select("Step 1 Mount CartView");
    engine.tell(Notice::steps(SOURCE, [common::step(901, Some("sess-alice-1"), inspector_model::StepKind::Event, "newer", 31.0)]));
    window.settle();
    assert!(window.has("Step 1 Mount CartView"), "the table keeps its place");
}

pub fn hostile_data_is_drawn_without_panic() {
    let long = "x\u{0}\n".repeat(20_000);
    let engine = Scripted::with_sample();
    let mut odd = common::step(1, Some("sess-alice-1"), inspector_model::StepKind::Event, &long, 1e300);
    odd.error = Some(long.clone());
    odd.changed = vec![long.clone(); 16];
    odd.component = Some(long.clone());
    odd.duration_ms = Some(-1e300);
    odd.status = inspector_model::Status::Raised;
    let mut nothing = common::step(2, None, inspector_model::StepKind::Gap, "", -1e300);
    nothing.state_bytes = 9;
    engine.script().notices.retain(|notice| !matches!(notice, Notice::Steps(..)));
    engine.tell(Notice::steps(SOURCE, [odd, nothing]));
    let mut session =
        serde_json::from_value::<inspector_model::Session>(serde_json::json!({"session": "", "user": long, "path": long})).unwrap();
    session.view = Some(inspector_model::View { class: long.clone(), ..Default::default() });
    engine.tell(Notice::Session(SOURCE, Box::new(session)));
    engine.tell(Notice::Rate(
        SOURCE,
        "".into(),
        Box::new(inspector_model::Rate { global: Some(inspector_model::Bucket::default()), ..Default::default() }),
    ));
    engine.tell(Notice::Message(inspector_model::Level::Error, long));
    let mut window = Window::open(&engine);
    for key in [Key::Home, Key::End] {
        window.press(key);
        for tab in [Key::D, Key::S, Key::P, Key::G, Key::T, Key::Q, Key::O, Key::W] {
            window.press(tab);
        }
    }
    for tab in ["Configuration", "Rate limit", "Reload", "Health", "Compare"] {
        window.click(tab);
    }
}

pub fn a_window_begins_as_it_was_left() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    window.press(Key::Home);
    window.click("View PlayerView sticky player");
    window.press(Key::Q);
    window.press_with(Modifiers::COMMAND, Key::F);
    window.type_into("Filter steps", "kind:mount");
    window.click("Switch theme");
    window.click("Configuration");
    let kept = Memory::from_text(&window.memory().to_text());
    drop(window);

    // Two sources: the one that was looked at is not the first.
    let engine = Scripted::with_sample();
    engine.script().notices.push_front(common::recording(0));
    let mut window = Window::open_with(&engine, kept);
    assert!(window.says("rate_limit"), "the view");
    assert!(window.memory().to_text().contains(r#""theme":"light""#));
    window.click("Steps");
    assert!(window.has("Step 2 Mount PlayerView"), "scope and filter fit");
    assert!(!window.has("Step 1 Mount CartView"), "the scope");
    assert!(window.says("quer"), "the tab");
    assert_eq!(window.get("Filter steps").value.as_deref(), Some("kind:mount"));
}

pub fn a_text_is_found_in_all_values_and_a_hit_leads_to_its_step() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    window.press_with(Modifiers::COMMAND.plus(Modifiers::SHIFT), Key::F);
    assert!(window.has("Nothing is looked for"));
    window.type_into("Find in values", "back door");
    let searched = engine.asked(|asked| matches!(asked, Request::Search { options, .. } if options.text == "back door"));
    assert_eq!(searched.len(), 1);
    let hit = window.widgets().into_iter().find(|widget| widget.label.starts_with("Hit in step 5:")).map(|widget| widget.label);
    let hit = hit.unwrap_or_else(|| panic!("{:?}", window.widgets().iter().map(|widget| &widget.label).collect::<Vec<_>>()));
    window.click(&hit);
    assert!(window.has("Step 5"), "the step is selected");
    window.type_into("Find in values", " of gold");
    assert!(window.has("Not found"));
    window.click("Hide Find");
    assert!(!window.has("Not found"));
}

pub fn a_value_is_followed_through_its_changes() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    window.press(Key::CloseBracket);
    assert!(window.says("No value is followed"), "it says what to do first");
    window.select("Step 5 Event add_item");
    window.click("Menu of cart.total");
    window.click("When did this change?");
    let asked = engine.asked(|asked| matches!(asked, Request::History { step: StepId(5), path, .. } if path.to_string() == "cart.total"));
    assert_eq!(asked.len(), 1);
    let changes: Vec<String> =
        window.widgets().into_iter().map(|widget| widget.label).filter(|label| label.starts_with("Change in step ")).collect();
    assert!(changes.len() > 1, "{changes:?}");
    window.press(Key::CloseBracket);
    let next = changes.iter().filter_map(|label| label.strip_prefix("Change in step ")?.split(':').next()?.parse::<u64>().ok());
    let next = next.filter(|step| *step > 5).min().expect("a later change");
    assert!(window.has(&format!("Step {next}")), "the next change is selected");
    window.press(Key::OpenBracket);
    assert!(window.has("Step 5"));
    window.click("all sessions");
    let everywhere = |asked: &Request| matches!(asked, Request::History { scope: inspector_model::Scope::Everywhere, .. });
    assert_eq!(engine.asked(everywhere).len(), 1);
}

pub fn a_step_is_marked_noted_and_found_again() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    window.select("Step 5 Event add_item");
    window.press(Key::B);
    let mark = |note: &str| Request::Mark { source: SOURCE, step: StepId(5), note: Some(note.into()) };
    assert_eq!(engine.asked(|asked| *asked == mark("")).len(), 1);
    engine.tell(Notice::Marks(SOURCE, [(StepId(5), String::new())].into()));
    window.settle();
    window.type_into("Note of this step", "here it begins");
    window.press(Key::Enter);
    assert_eq!(engine.asked(|asked| *asked == mark("here it begins")).len(), 1);
    engine.tell(Notice::Marks(SOURCE, [(StepId(5), "here it begins".into())].into()));
    window.select("Step 1 Mount CartView");
    window.press_with(Modifiers::COMMAND, Key::B);
    window.click("Bookmark step 5 here it begins");
    assert!(window.has("Step 5"));
    window.press(Key::B);
    assert_eq!(engine.asked(|asked| *asked == Request::Mark { source: SOURCE, step: StepId(5), note: None }).len(), 1);
}

pub fn how_much_is_kept_is_set_and_what_was_dropped_is_said() {
    let engine = Scripted::with_sample();
    let keep = inspector_model::Keep { recording_bytes: 64 << 20, library_bytes: 512 << 20, slow_ms: 100.0, expire_days: 30 };
    engine.tell(Notice::Keep(keep));
    let mut window = Window::open(&engine);
    window.press_with(Modifiers::COMMAND, Key::Comma);
    assert!(window.get("Apply").disabled, "nothing was changed");
    window.type_into("for one recording", "128");
    window.press(Key::Enter);
    window.click("Apply");
    let wanted = Request::Keep(inspector_model::Keep { recording_bytes: 128 << 20, ..keep });
    assert_eq!(engine.asked(|asked| *asked == wanted).len(), 1);

    assert!(!window.has("Thinned"));
    let mut source = engine.script().sample.as_ref().map(Sample::source).expect("a sample");
    source.recorder.thinned = Some((StepId(4), StepId(9)));
    engine.tell(Notice::Source(Box::new(source)));
    window.settle();
    assert!(window.has("Thinned"));
}

pub fn recordings_expire_when_that_is_wanted_but_not_those_that_are_kept() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    window.click("Servers and recordings");
    window.click("Keep form that raises");
    assert_eq!(engine.asked(|asked| *asked == Request::KeepRecording("rec-2".into(), true)).len(), 1);
    window.press_with(Modifiers::COMMAND, Key::Comma);
    assert!(window.get("Days until a recording is deleted").disabled, "nothing expires unless somebody says so");
    window.click("Delete recordings that are older than");
    window.click("Apply");
    let wanted = Request::Keep(inspector_model::Keep { expire_days: 30, ..inspector_model::Keep::default() });
    assert_eq!(engine.asked(|asked| *asked == wanted).len(), 1);
}

pub fn the_library_is_encrypted_with_a_passphrase_that_was_typed_twice() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    window.press_with(Modifiers::COMMAND, Key::Comma);
    assert!(window.get("Encrypt the library").disabled);
    window.type_into("New passphrase", "correct horse");
    assert!(window.says("Whoever forgets it has lost the library"));
    window.type_into("The new one once more", "correct hors");
    assert!(window.get("Encrypt the library").disabled, "they are not the same");
    window.type_into("The new one once more", "e");
    window.click("Encrypt the library");
    let wanted = Request::SetPassphrase { now: None, new: Some("correct horse".into()) };
    assert_eq!(engine.asked(|asked| *asked == wanted).len(), 1);

    engine.tell(Notice::Encrypted(true));
    window.settle();
    assert!(window.get("Stop encrypting").disabled, "who cannot say the passphrase takes it away from nobody");
    window.type_into("Passphrase now", "correct horse");
    window.click("Stop encrypting");
    let wanted = Request::SetPassphrase { now: Some("correct horse".into()), new: None };
    assert_eq!(engine.asked(|asked| *asked == wanted).len(), 1);
}

pub fn text_grows_and_shrinks_and_is_remembered() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    for _ in 0..20 {
        window.press_with(Modifiers::COMMAND, Key::Plus);
    }
    assert!(window.memory().to_text().contains("\"text_size\":200"), "{}", window.memory().to_text());
    assert!(window.has("Step 1 Mount CartView") || window.has("Filter steps"), "there is still room for the window");
    for _ in 0..20 {
        window.press_with(Modifiers::COMMAND, Key::Minus);
    }
    assert!(window.memory().to_text().contains("\"text_size\":80"));
}

pub fn a_breakpoint_is_set_and_its_hits_lead_to_their_steps() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    window.press_with(Modifiers::COMMAND.plus(Modifiers::SHIFT), Key::B);
    window.type_into("Condition", "cart.total <");
    assert!(window.says("value to compare with") && window.get("Add").disabled, "it says what is missing");
    window.type_into("Condition", " 0");
    window.click("Add");
    let wanted = inspector_model::Breakpoint { condition: "cart.total < 0".into(), on: true };
    assert_eq!(engine.asked(|asked| *asked == Request::Breakpoints(vec![wanted.clone()])).len(), 1);
    engine.tell(Notice::Breakpoints(vec![wanted.clone()]));
    window.settle();
    window.click("cart.total < 0");
    let off = inspector_model::Breakpoint { on: false, ..wanted.clone() };
    assert_eq!(engine.asked(|asked| *asked == Request::Breakpoints(vec![off.clone()])).len(), 1);

    let mut hit = common::step(900, Some("sess-alice-1"), inspector_model::StepKind::Event, "pay", 30.0);
    hit.hits = vec![wanted.condition.clone()];
    engine.tell(Notice::steps(SOURCE, [hit]));
    window.settle();
    window.click("Hit in step 900: cart.total < 0");
    assert!(window.has("Step 900") && window.says("Breakpoint: cart.total < 0"));
    window.click("Remove breakpoint cart.total < 0");
    assert_eq!(engine.asked(|asked| *asked == Request::Breakpoints(Vec::new())).len(), 1);
}
