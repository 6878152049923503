//! What the desktop around the window can do, and what is asked of it.

use egui::{Key, Modifiers};
use inspector_model::{
    Answer, AttachOptions, DesktopInfo, DesktopRequest, DesktopSetting, ErrorCode, ExportOptions, Failure, Notice, NotifyAbout, PageAt,
    Request, RequestId, Side, StepId,
};

use crate::Window;
use crate::common::driver::Driver as _;
use crate::common::{self, SOURCE, Scripted};

crate::cases![
    without_a_desktop_nothing_is_asked_of_it,
    a_page_is_shown_and_then_follows_the_selection,
    a_following_page_is_told_the_latest_selection_with_one_request_in_flight,
    a_desktop_that_only_has_a_browser_is_not_followed,
    picked_files_are_opened_and_written,
    a_dialog_that_was_cancelled_does_nothing,
    a_token_that_is_remembered_may_be_left_out,
    what_the_desktop_opened_is_shown,
];

// These need keys and scrolling that the tests' browser does not have yet.
crate::native_cases![the_desktop_is_set_in_the_settings_and_says_how_it_stands,];

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
    assert_eq!(engine.asked(|asked| matches!(asked, Request::Export { .. })), [export]);
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
