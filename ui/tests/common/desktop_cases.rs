//! What the desktop around the window can do, and what is asked of it.

use egui::{Key, Modifiers};
use inspector_model::{
    Answer, AttachOptions, DesktopInfo, DesktopQuestion, DesktopRequest, DesktopSetting, Drag, ErrorCode, ExportOptions, Failure, Notice,
    NotifyAbout, PageAt, Reply, Request, RequestId, Side, SourceId, StepId, Update, UpdateState, UpdateStep,
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
    a_step_that_is_told_of_outside_the_window_is_shown_as_soon_as_it_is_there,
    dragged_files_say_what_dropping_them_does,
    dropped_recordings_are_opened_and_other_files_are_refused_in_words,
    closing_while_something_is_recorded_asks_first,
    closing_goes_on_in_the_tray_only_where_there_is_one,
    a_link_is_asked_about_with_time_to_read_it_and_the_newest_replaces_the_one_before,
    an_update_says_how_far_it_is_and_what_its_restart_ends,
];

// These need keys and scrolling that the tests' browser does not have yet.
crate::native_cases![
    the_desktop_is_set_in_the_settings_and_says_how_it_stands,
    what_closing_does_is_remembered_until_the_settings_ask_again,
];

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
        ..DesktopInfo::default()
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

pub fn a_step_that_is_told_of_outside_the_window_is_shown_as_soon_as_it_is_there() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    window.press_with(Modifiers::COMMAND, Key::Comma);
    assert!(!window.has("Timeline"));
    engine.tell(Notice::ShowStep(SOURCE, StepId(5)));
    window.settle();
    assert!(window.has("Timeline") && window.says("add_item"), "the steps are shown");
    window.press(Key::G);
    engine.tell(Notice::Desktop(Box::new(desktop())));
    window.settle();
    window.click("Show page");
    assert_eq!(asked_desktop(&engine), [DesktopRequest::ShowPage(page_at(5, false))], "step 5 is selected");
    // It may be told of before the window has heard of its source.
    engine.tell(Notice::ShowStep(SourceId(7), StepId(1)));
    window.settle();
    window.click("Show page");
    assert_eq!(asked_desktop(&engine).last(), Some(&DesktopRequest::ShowPage(page_at(5, false))));
    engine.tell(common::recording(7));
    engine.tell(Notice::steps(SourceId(7), [common::step(1, None, inspector_model::StepKind::Event, "late", 1.0)]));
    window.settle();
    assert!(window.says("late"));
}

fn files(names: &[&str]) -> Vec<std::path::PathBuf> {
    names.iter().map(Into::into).collect()
}

pub fn dragged_files_say_what_dropping_them_does() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    for (names, said) in [
        (&["/tmp/cart.djrec"][..], "Drop to open cart.djrec"),
        (&["/tmp/a.djrec", "/tmp/b.djbug1", "/tmp/notes.txt"], "Drop to open 2 recordings"),
        (&["/tmp/notes.txt"], "notes.txt is no recording"),
    ] {
        engine.tell(Notice::Drag(Drag::Over(files(names))));
        window.settle();
        assert!(window.says(said), "{said}");
        engine.tell(Notice::Drag(Drag::Left));
        window.settle();
        assert!(!window.says(said), "{said}");
    }
    assert_eq!(engine.asked(|asked| matches!(asked, Request::OpenFile(_))), []);
}

pub fn dropped_recordings_are_opened_and_other_files_are_refused_in_words() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    engine.tell(Notice::Drag(Drag::Over(files(&["/tmp/cart.djrec"]))));
    engine.tell(Notice::Drag(Drag::Dropped(files(&["/tmp/notes.txt", "/tmp/cart.djrec", "/tmp/B.DJBUG1"]))));
    window.settle();
    let opened: Vec<_> = ["/tmp/cart.djrec", "/tmp/B.DJBUG1"].iter().map(|path| Request::OpenFile(path.into())).collect();
    assert_eq!(engine.asked(|asked| matches!(asked, Request::OpenFile(_))), opened);
    assert!(window.says("notes.txt is no recording") && window.says("A recording file ends in .djrec"));
    assert!(!window.says("Drop to open"));
    // An encrypted one is asked for its passphrase, as after the dialog.
    engine.tell(Notice::Drag(Drag::Dropped(files(&["/tmp/sealed.djrec"]))));
    window.settle();
    assert!(window.has("Passphrase of the file"));
}

fn asking(question: DesktopQuestion) -> DesktopInfo {
    DesktopInfo { question: Some(question), ..desktop() }
}

pub fn closing_while_something_is_recorded_asks_first() {
    let engine = Scripted::with_sample();
    let server = Some("python manage.py runserver".to_owned());
    engine.tell(Notice::Desktop(Box::new(DesktopInfo { server, ..asking(DesktopQuestion::Close) })));
    let mut window = Window::open(&engine);
    assert!(window.has("Stop recording?") && window.says("The recording of shop"));
    assert!(window.says("python manage.py runserver"), "the server that ends is named");
    assert_eq!(asked_desktop(&engine), [], "nothing is done without an answer");
    window.press(Key::Escape);
    assert_eq!(asked_desktop(&engine), [DesktopRequest::Reply(DesktopQuestion::Close, Reply::No)]);
    assert!(!window.has("Stop recording?"));
    engine.tell(Notice::Desktop(Box::new(asking(DesktopQuestion::Close))));
    window.settle();
    window.click("Stop recording and close");
    assert_eq!(asked_desktop(&engine).last(), Some(&DesktopRequest::Reply(DesktopQuestion::Close, Reply::Yes)));
}

pub fn closing_goes_on_in_the_tray_only_where_there_is_one() {
    let engine = Scripted::with_sample();
    engine.tell(Notice::Desktop(Box::new(asking(DesktopQuestion::Close))));
    let mut window = Window::open(&engine);
    assert!(!window.has("Keep recording in the tray"));
    engine.tell(Notice::Desktop(Box::new(DesktopInfo { tray: true, ..asking(DesktopQuestion::Close) })));
    window.settle();
    window.click("Keep recording in the tray");
    assert_eq!(asked_desktop(&engine), [DesktopRequest::Reply(DesktopQuestion::Close, Reply::Keep)]);
}

pub fn what_closing_does_is_remembered_until_the_settings_ask_again() {
    let engine = Scripted::with_sample();
    let with_tray = || DesktopInfo { tray: true, ..asking(DesktopQuestion::Close) };
    engine.tell(Notice::Desktop(Box::new(with_tray())));
    let mut window = Window::open(&engine);
    window.click("Don't ask again");
    window.click("Keep recording in the tray");
    engine.tell(Notice::Desktop(Box::new(with_tray())));
    window.settle();
    assert!(!window.has("Stop recording?"));
    let keep = DesktopRequest::Reply(DesktopQuestion::Close, Reply::Keep);
    assert_eq!(asked_desktop(&engine), [keep.clone(), keep]);
    // Without the tray nobody could see that it goes on.
    engine.tell(Notice::Desktop(Box::new(asking(DesktopQuestion::Close))));
    window.settle();
    assert!(window.has("Stop recording?"));
    window.click("Cancel");
    // The next window remembers it.
    let memory = window.memory();
    let engine = Scripted::with_sample();
    engine.tell(Notice::Desktop(Box::new(with_tray())));
    let mut window = Window::open_with(&engine, memory);
    assert!(!window.has("Stop recording?"));
    window.press_with(Modifiers::COMMAND, Key::Comma);
    window.click("Ask again");
    engine.tell(Notice::Desktop(Box::new(with_tray())));
    window.settle();
    assert!(window.has("Stop recording?"));
}

pub fn a_link_is_asked_about_with_time_to_read_it_and_the_newest_replaces_the_one_before() {
    let engine = Scripted::with_sample();
    let link = |url: &str| Notice::Desktop(Box::new(asking(DesktopQuestion::Attach(url.into()))));
    engine.tell(link("http://127.0.0.1:8000"));
    let mut window = Window::open(&engine);
    let read = |window: &mut Window| {
        for _ in 0..200 {
            if !window.get("Attach").disabled {
                return;
            }
            window.settle();
        }
        panic!("it never can be followed");
    };
    read(&mut window);
    engine.tell(link("http://evil.example"));
    window.settle();
    assert!(window.has("http://evil.example") && !window.has("http://127.0.0.1:8000"));
    assert!(window.get("Attach").disabled, "a click that was meant for the one before is not taken for this one");
    read(&mut window);
    window.click("Attach");
    let question = DesktopQuestion::Attach("http://evil.example".into());
    assert_eq!(asked_desktop(&engine), [DesktopRequest::Reply(question, Reply::Yes)]);
    assert!(!window.has("Attach to a server?"));
}

pub fn an_update_says_how_far_it_is_and_what_its_restart_ends() {
    let engine = Scripted::with_sample();
    let update = |state| DesktopInfo {
        update: Some(Update { version: "9.9".into(), state }),
        server: Some("python manage.py runserver".into()),
        ..desktop()
    };
    let tell = |state| engine.tell(Notice::Desktop(Box::new(update(state))));
    tell(UpdateState::Offered);
    let mut window = Window::open(&engine);
    window.click("Download");
    tell(UpdateState::Downloading { done: 3_000_000, of: 12_000_000 });
    window.settle();
    assert!(window.says("Downloading version 9.9: 3.0 MB of 12.0 MB"));
    tell(UpdateState::Failed("the signature is wrong".into()));
    window.settle();
    assert!(window.says("was not installed: the signature is wrong"));
    window.click("Try again");
    tell(UpdateState::Ready);
    window.settle();
    assert!(window.says("The recording of shop") && window.says("python manage.py runserver"), "what the restart ends");
    window.click("Install and restart");
    let steps = [UpdateStep::Download, UpdateStep::Download, UpdateStep::Restart];
    assert_eq!(asked_desktop(&engine), steps.map(DesktopRequest::Update));
}
