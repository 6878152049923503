//! The label tests of the window. Each target that includes them says what a `Window` is, and what becomes of the list.

use egui::{Key, Modifiers};
use inspector_model::{
    Answer, AttachOptions, DesktopInfo, DesktopRequest, DesktopSetting, ErrorCode, ExportOptions, Failure, JumpTarget, Notice, NotifyAbout,
    PageAt, Request, RequestId, Side, StepId,
};
use inspector_ui::Memory;

use crate::Window;
use crate::common::driver::Driver as _;
use crate::common::second::{PAGE, SECOND};
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
    without_a_desktop_nothing_is_asked_of_it,
    a_page_is_shown_and_then_follows_the_selection,
    a_following_page_is_told_the_latest_selection_with_one_request_in_flight,
    a_desktop_that_only_has_a_browser_is_not_followed,
    picked_files_are_opened_and_written,
    a_dialog_that_was_cancelled_does_nothing,
    a_token_that_is_remembered_may_be_left_out,
    what_the_desktop_opened_is_shown,
    a_window_begins_as_it_was_left,
    a_text_is_found_in_all_values_and_a_hit_leads_to_its_step,
    a_step_is_marked_noted_and_found_again,
    a_breakpoint_is_set_and_its_hits_lead_to_their_steps,
    a_comparison_of_nothing_says_what_to_do,
    a_replay_says_whether_it_did_the_same,
    replays_go_one_after_the_other_and_find_what_is_not_steady,
    a_replay_that_is_refused_ends_the_row_of_them,
    the_configuration_says_who_set_a_key_and_what_is_wrong_with_it,
    keys_are_searched_and_narrowed_to_what_matters,
    a_key_leads_to_the_steps_that_it_explains,
    a_line_that_mends_a_setting_is_copied,
    class_attributes_are_shown_for_one_view,
    a_configuration_of_an_older_agent_is_shown,
];

// These need keys and scrolling that the tests' browser does not have yet.
crate::native_cases![
    the_desktop_is_set_in_the_settings_and_says_how_it_stands,
    a_value_is_followed_through_its_changes,
    how_much_is_kept_is_set_and_what_was_dropped_is_said,
    text_grows_and_shrinks_and_is_remembered,
    two_runs_are_compared_from_the_first_divergence_on,
    both_sides_are_moved_together_by_keys_and_the_slider,
    what_is_expected_to_differ_is_ignored_and_counted,
    sides_are_chosen_swapped_and_opened_from_the_library,
    the_level_of_a_page_is_told_with_what_was_refused,
    other_limits_are_tried_with_the_keyboard,
    refusals_are_told_apart,
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

/// A desktop that can do everything.
fn desktop() -> DesktopInfo {
    DesktopInfo {
        shows_pages: Some("a window".into()),
        page_windows: true,
        dialogs: true,
        notifications: Some(vec![NotifyAbout::Errors]),
        keychain: true,
        autostart: Some(false),
        static_files: Some(false),
    }
}

fn asked_desktop(engine: &Scripted) -> Vec<DesktopRequest> {
    let all = engine.asked(|asked| matches!(asked, Request::Desktop(_)));
    all.into_iter().filter_map(|asked| if let Request::Desktop(asked) = asked { Some(asked) } else { None }).collect()
}

fn page_at(step: u64, compare: bool) -> PageAt {
    PageAt { source: SOURCE, step: StepId(step), side: Side::After, compare }
}

pub fn without_a_desktop_nothing_is_asked_of_it() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    window.select("Step 5 Event add_item");
    window.press(Key::G);
    assert!(window.get("Show page").disabled);
    assert!(window.get("Compare before and after").disabled);
    window.click("Servers and recordings");
    assert!(!window.has("Desktop"));
    assert!(window.has("Recording file"), "without dialogs a path is typed");
    window.click("Export form that raises");
    assert!(window.has("File to write"));
    assert_eq!(asked_desktop(&engine), []);
}

pub fn a_page_is_shown_and_then_follows_the_selection() {
    let engine = Scripted::with_sample();
    engine.tell(Notice::Desktop(Box::new(desktop())));
    let mut window = Window::open(&engine);
    window.select("Step 4 Event open_cart");
    window.press(Key::G);
    assert_eq!(asked_desktop(&engine), [], "no page window is open yet");
    window.click("Show page");
    assert_eq!(asked_desktop(&engine), [DesktopRequest::ShowPage(page_at(4, false))]);
    window.press(Key::ArrowRight);
    assert_eq!(asked_desktop(&engine)[1..], [DesktopRequest::FollowPage(page_at(5, false))]);
    window.select("Step 8 Event add_item");
    let before = asked_desktop(&engine).len();
    window.click("Compare before and after");
    assert_eq!(asked_desktop(&engine)[before..], [DesktopRequest::ShowPage(page_at(8, true))]);
    window.press(Key::ArrowRight);
    assert_eq!(asked_desktop(&engine)[before + 1..], [DesktopRequest::FollowPage(page_at(9, true))]);
}

pub fn a_following_page_is_told_the_latest_selection_with_one_request_in_flight() {
    let engine = Scripted::with_sample();
    engine.tell(Notice::Desktop(Box::new(desktop())));
    let mut window = Window::open(&engine);
    window.select("Step 4 Event open_cart");
    window.press_with(Modifiers::SHIFT, Key::G);
    engine.hold(true);
    for _ in 0..4 {
        window.press(Key::ArrowRight);
    }
    assert_eq!(asked_desktop(&engine)[1..], [DesktopRequest::FollowPage(page_at(5, false))]);
    engine.release();
    window.settle();
    assert_eq!(asked_desktop(&engine)[2..], [DesktopRequest::FollowPage(page_at(8, false))]);
}

pub fn a_desktop_that_only_has_a_browser_is_not_followed() {
    let engine = Scripted::with_sample();
    engine.tell(Notice::Desktop(Box::new(DesktopInfo { shows_pages: Some("your browser".into()), ..DesktopInfo::default() })));
    let mut window = Window::open(&engine);
    window.select("Step 4 Event open_cart");
    window.press(Key::G);
    window.click("Show page");
    window.press(Key::ArrowRight);
    assert_eq!(asked_desktop(&engine), [DesktopRequest::ShowPage(page_at(4, false))]);
}

pub fn picked_files_are_opened_and_written() {
    let engine = Scripted::with_sample();
    engine.tell(Notice::Desktop(Box::new(desktop())));
    engine.pick(Some("/tmp/a b.djrec"));
    let mut window = Window::open(&engine);
    window.click("Servers and recordings");
    assert!(!window.has("Recording file"), "the desktop asks for the file");
    window.click("Export form that raises");
    window.click("Write file …");
    let export = Request::Export { recording: "rec-2".into(), options: ExportOptions::default(), path: "/tmp/a b.djrec".into() };
    assert_eq!(engine.asked(|asked| *asked == export).len(), 1);
    window.click("Close");
    window.click("Open recording file");
    assert_eq!(engine.asked(|asked| *asked == Request::OpenFile("/tmp/a b.djrec".into())).len(), 1);
    let picks = [DesktopRequest::PickFileToSave { suggested: "form_that_raises.djrec".into() }, DesktopRequest::PickFileToOpen];
    assert_eq!(asked_desktop(&engine), picks);
}

pub fn a_dialog_that_was_cancelled_does_nothing() {
    let engine = Scripted::with_sample();
    engine.tell(Notice::Desktop(Box::new(desktop())));
    engine.pick(None);
    let mut window = Window::open(&engine);
    window.click("Servers and recordings");
    window.click("Open recording file");
    window.click("Export form that raises");
    window.click("Write file …");
    assert!(engine.asked(|asked| matches!(asked, Request::OpenFile(_) | Request::Export { .. })).is_empty());
    assert!(!window.has("Working …"));
}

pub fn the_desktop_is_set_in_the_settings_and_says_how_it_stands() {
    let engine = Scripted::with_sample();
    engine.tell(Notice::Desktop(Box::new(desktop())));
    let mut window = Window::open(&engine);
    window.press_with(Modifiers::COMMAND, Key::Comma);
    for (label, setting) in [
        ("Notify when a handler raises", DesktopSetting::Notify(NotifyAbout::Errors, false)),
        ("Notify when HVR refuses to swap a view", DesktopSetting::Notify(NotifyAbout::RefusedSwaps, true)),
        ("Notify when a page is closed for too many messages", DesktopSetting::Notify(NotifyAbout::RateLimitCloses, true)),
        ("Start with the desktop", DesktopSetting::Autostart(true)),
        ("Let page windows load the recorded server's static files", DesktopSetting::StaticFiles(true)),
    ] {
        window.click(label);
        assert_eq!(asked_desktop(&engine).last(), Some(&DesktopRequest::Set(setting)), "{label}");
    }
    assert!(window.get("Start with the desktop").toggled == Some(false), "the desktop has not said so yet");
    engine.tell(Notice::Desktop(Box::new(DesktopInfo { autostart: Some(true), ..desktop() })));
    window.settle();
    assert_eq!(window.get("Start with the desktop").toggled, Some(true));
}

pub fn a_token_that_is_remembered_may_be_left_out() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    window.click("Servers and recordings");
    window.type_into("Server address", "https://staging.example.com");
    assert!(window.get("Connect").disabled, "no keychain has the token");
    engine.tell(Notice::Desktop(Box::new(desktop())));
    window.settle();
    window.click("Connect");
    let attach = Request::Attach { url: "https://staging.example.com".into(), token: String::new(), options: AttachOptions::default() };
    assert_eq!(engine.asked(|asked| *asked == attach).len(), 1);
}

pub fn what_the_desktop_opened_is_shown() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    assert!(window.has("Session alice /cart/"));
    engine.tell(common::recording(7));
    window.settle();
    assert!(!window.has("Session alice /cart/"), "the new source is shown");
    engine.tell(Notice::Answer(RequestId(9_000_000), Answer::Opened(SOURCE)));
    window.settle();
    assert!(window.has("Session alice /cart/"), "asked for in the window's name");
    let failure = Failure::new(ErrorCode::RecordingDamaged, "The linked file is no recording");
    engine.tell(Notice::Answer(RequestId(9_000_001), Answer::Failed(failure)));
    window.settle();
    assert!(window.says("The linked file is no recording"));
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
    let keep = inspector_model::Keep { recording_bytes: 64 << 20, library_bytes: 512 << 20, slow_ms: 100.0 };
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
        let held: Vec<_> = std::mem::take(&mut engine.script().held);
        for (id, request) in held {
            let answer = match request {
                Request::Diff { .. } => Answer::Diff(Box::new(diff.clone())),
                other => common::answer(engine.script().sample.as_ref(), &other),
            };
            engine.tell(Notice::Answer(id, answer));
        }
        window.settle();
    }
}

/// A diff in which one number is another one.
fn number_differs(path: &str, before: i64, after: i64) -> inspector_model::Diff {
    let number = |number: i64| inspector_model::Value::Number(number.into());
    let op = inspector_model::Op::Changed { before: number(before), after: number(after) };
    let path = inspector_model::Path(vec![inspector_model::Segment::Key(path.into())]);
    inspector_model::Diff { changes: vec![inspector_model::Change { path, op, note: None }], ..Default::default() }
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
    answer_diffs(&engine, &mut window, &number_differs("total", 21, 20));
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
        answer_diffs(&engine, &mut window, &number_differs("token", 0, nth as i64 % 2));
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
