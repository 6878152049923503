//! The label tests of the window. Each target that includes them says what a `Window` is, and what becomes of the list.

use egui::{Key, Modifiers};
use inspector_model::{
    Answer, DesktopInfo, DesktopRequest, DesktopSetting, ErrorCode, ExportOptions, Failure, JumpTarget, Notice, NotifyAbout, PageAt,
    Request, RequestId, Side, StepId,
};
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
    without_a_desktop_nothing_is_asked_of_it,
    a_page_is_shown_and_then_follows_the_selection,
    a_following_page_is_told_the_latest_selection_with_one_request_in_flight,
    a_desktop_that_only_has_a_browser_is_not_followed,
    picked_files_are_opened_and_written,
    a_dialog_that_was_cancelled_does_nothing,
    the_desktop_is_set_on_the_start_page_and_says_how_it_stands,
    a_token_that_is_remembered_may_be_left_out,
    what_the_desktop_opened_is_shown,
    a_window_begins_as_it_was_left,
];

pub fn a_clicked_step_is_pulled_and_its_diff_shown() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    window.select("Step 5 Event add_item");
    let detail = Request::Detail { source: SOURCE, step: StepId(5) };
    assert_eq!(engine.asked(|asked| *asked == detail).len(), 1);
    let diff = Request::Diff { source: SOURCE, from: (StepId(5), Side::Before), to: (StepId(5), Side::After) };
    assert_eq!(engine.asked(|asked| *asked == diff).len(), 1);
    assert!(window.has("added cart.items[3]"));
    assert!(window.has("changed cart.items[0].qty"));
}

pub fn a_pinned_step_is_compared_with_what_is_selected_next() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    window.select("Step 4 Event open_cart");
    window.press(Key::A);
    window.click("Step 8 Event add_item");
    let diff = Request::Diff { source: SOURCE, from: (StepId(4), Side::After), to: (StepId(8), Side::After) };
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
    engine.tell(Notice::Steps(SOURCE, vec![common::step(900, Some("sess-alice-1"), inspector_model::StepKind::Event, "new_one", 30.0)]));
    window.settle();
    assert!(window.has("Step 900 Event new_one"));
    window.select("Step 1 Mount CartView");
    engine.tell(Notice::Steps(SOURCE, vec![common::step(901, Some("sess-alice-1"), inspector_model::StepKind::Event, "newer", 31.0)]));
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
    engine.tell(Notice::Steps(SOURCE, vec![odd, nothing]));
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
    for tab in ["Configuration", "Rate limit", "Reload", "Health"] {
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
    assert!(window.has("Export to"));
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
    let export = Request::Export { recording: "rec-2".into(), options: ExportOptions::default(), path: "/tmp/a b.djrec".into() };
    assert_eq!(engine.asked(|asked| *asked == export).len(), 1);
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
    assert!(engine.asked(|asked| matches!(asked, Request::OpenFile(_) | Request::Export { .. })).is_empty());
    assert!(!window.has("Working …"));
}

pub fn the_desktop_is_set_on_the_start_page_and_says_how_it_stands() {
    let engine = Scripted::with_sample();
    engine.tell(Notice::Desktop(Box::new(desktop())));
    let mut window = Window::open(&engine);
    window.click("Servers and recordings");
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
    let attach = Request::Attach { url: "https://staging.example.com".into(), token: String::new() };
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
