//! The window on a scripted engine, driven by accessible labels.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::unused_self, reason = "a test stops where something is wrong")]

mod common;

use common::{SOURCE, Sample, Scripted, many_steps};
use egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use inspector_model::{
    Answer, DesktopInfo, DesktopRequest, DesktopSetting, ErrorCode, Failure, JumpTarget, Notice, NotifyAbout, PageAt, Request, RequestId,
    Side, StepId,
};
use inspector_ui::{InspectorApp, Memory, Startup, ThemeChoice};

/// The window's clock stands still.
const NOW: f64 = 1_795_436_000.0;

struct Window {
    app: InspectorApp,
}

fn harness_of(engine: &Scripted, startup: Startup, size: [f32; 2]) -> Harness<'static, Option<Window>> {
    let handle = engine.clone();
    let mut startup = Some(startup);
    let mut harness = Harness::builder().with_size(egui::Vec2::from(size)).with_max_steps(12).build_ui_state(
        move |ui, window: &mut Option<Window>| {
            // As a host does: the window is made before its first frame, so that this frame has its fonts and styles.
            let Some(window) = window else {
                let app = InspectorApp::new(Box::new(handle.clone()), ui.ctx(), startup.take().unwrap_or_default());
                *window = Some(Window { app });
                return;
            };
            window.app.logic(&ui.ctx().clone(), NOW);
            window.app.ui(ui);
        },
        None,
    );
    settle(&mut harness);
    harness
}

fn window(engine: &Scripted) -> Harness<'static, Option<Window>> {
    harness_of(engine, dark(), [1440.0, 900.0])
}

fn dark() -> Startup {
    Startup { memory: Memory::with_theme(ThemeChoice::Dark), ..Startup::default() }
}

/// Some frames: answers of the script come one frame after their requests.
fn settle(harness: &mut Harness<'_, Option<Window>>) {
    harness.run_steps(4);
}

fn press(harness: &mut Harness<'_, Option<Window>>, key: Key) {
    harness.key_press(key);
    settle(harness);
}

fn click(harness: &mut Harness<'_, Option<Window>>, label: &str) {
    harness.get_by_label(label).click();
    settle(harness);
}

fn select(harness: &mut Harness<'_, Option<Window>>, step: &str) {
    press(harness, Key::Home);
    click(harness, step);
}

#[test]
fn startup_requests_are_sent_and_the_source_is_shown() {
    let engine = Scripted::with_sample();
    let request = Request::Attach { url: "http://127.0.0.1:8000".into(), token: "t".into() };
    let harness = harness_of(&engine, Startup { requests: vec![request.clone()], ..Startup::default() }, [1200.0, 800.0]);
    assert_eq!(engine.asked(|asked| *asked == request).len(), 1);
    assert!(harness.query_by_label("Timeline").is_some());
    assert!(harness.query_by_label("Session alice /cart/").is_some());
}

#[test]
fn a_clicked_step_is_pulled_and_its_diff_shown() {
    let engine = Scripted::with_sample();
    let mut harness = window(&engine);
    select(&mut harness, "Step 5 Event add_item");
    let detail = Request::Detail { source: SOURCE, step: StepId(5) };
    assert_eq!(engine.asked(|asked| *asked == detail).len(), 1);
    let diff = Request::Diff { source: SOURCE, from: (StepId(5), Side::Before), to: (StepId(5), Side::After) };
    assert_eq!(engine.asked(|asked| *asked == diff).len(), 1);
    assert!(harness.query_by_label("added cart.items[3]").is_some());
    assert!(harness.query_by_label("changed cart.items[0].qty").is_some());
}

#[test]
fn a_pinned_step_is_compared_with_what_is_selected_next() {
    let engine = Scripted::with_sample();
    let mut harness = window(&engine);
    select(&mut harness, "Step 4 Event open_cart");
    press(&mut harness, Key::A);
    click(&mut harness, "Step 8 Event add_item");
    let diff = Request::Diff { source: SOURCE, from: (StepId(4), Side::After), to: (StepId(8), Side::After) };
    assert_eq!(engine.asked(|asked| *asked == diff).len(), 1);
}

#[test]
fn fast_selection_keeps_one_request_in_flight_and_the_latest_wins() {
    let engine = Scripted::with_sample();
    let mut harness = window(&engine);
    press(&mut harness, Key::Home);
    engine.0.borrow_mut().requests.clear();
    engine.0.borrow_mut().hold = true;
    for _ in 0..6 {
        press(&mut harness, Key::ArrowRight);
    }
    let details = |engine: &Scripted| engine.asked(|asked| matches!(asked, Request::Detail { .. }));
    assert_eq!(details(&engine), [Request::Detail { source: SOURCE, step: StepId(2) }]);
    let held: Vec<_> = std::mem::take(&mut engine.0.borrow_mut().requests);
    engine.0.borrow_mut().hold = false;
    for (id, request) in held {
        let answer = common::answer(engine.0.borrow().sample.as_ref(), &request);
        engine.tell(Notice::Answer(id, answer));
    }
    settle(&mut harness);
    assert_eq!(details(&engine), [Request::Detail { source: SOURCE, step: StepId(7) }]);
}

#[test]
fn jump_and_replay_go_to_the_selected_step() {
    let engine = Scripted::with_sample();
    let mut harness = window(&engine);
    select(&mut harness, "Step 5 Event add_item");
    click(&mut harness, "Jump page here");
    press(&mut harness, Key::R);
    harness.key_press_modifiers(Modifiers::SHIFT, Key::J);
    settle(&mut harness);
    let jump = |side| Request::Jump { source: SOURCE, target: JumpTarget { step: StepId(5), side }, component: None };
    let replay = Request::Replay { source: SOURCE, step: StepId(5), params: None, restore: true };
    for request in [jump(Side::After), jump(Side::Before), replay] {
        assert_eq!(engine.asked(|asked| *asked == request).len(), 1, "{request:?}");
    }
}

#[test]
fn a_page_that_was_closed_cannot_be_jumped_and_says_why() {
    let engine = Scripted::with_sample();
    let mut harness = window(&engine);
    select(&mut harness, "Step 3 Mount HomeView");
    assert!(harness.get_by_label("Jump page here").accesskit_node().is_disabled());
    assert!(harness.query_by_label_contains("The page of this step was closed").is_some());
    press(&mut harness, Key::J);
    assert!(engine.asked(|asked| matches!(asked, Request::Jump { .. })).is_empty());
}

#[test]
fn the_banner_stays_until_the_page_is_live() {
    let engine = Scripted::with_sample();
    let mut harness = window(&engine);
    assert!(harness.query_by_label("Return to live").is_none());
    engine.tell(Sample::at(8));
    settle(&mut harness);
    assert!(harness.query_by_label_contains("is at step 8, before add_item").is_some());
    click(&mut harness, "Return to live");
    let back = Request::ReturnToLive { source: SOURCE, session: "sess-alice-1".into(), view: None };
    assert_eq!(engine.asked(|asked| *asked == back).len(), 1);
    assert!(harness.query_by_label("Return to live").is_some(), "the cursor has not moved yet");
    engine.tell(Notice::Cursor(SOURCE, "sess-alice-1".into(), inspector_model::RemoteCursor::Live));
    settle(&mut harness);
    assert!(harness.query_by_label("Return to live").is_none());
}

#[test]
fn the_filter_selects_rows_and_explains_mistakes() {
    let engine = Scripted::with_sample();
    let mut harness = window(&engine);
    harness.key_press_modifiers(Modifiers::COMMAND, Key::F);
    settle(&mut harness);
    harness.get_by_label("Filter steps").type_text("status:raised");
    settle(&mut harness);
    assert!(harness.query_by_label("Step 18 Event pay").is_some());
    assert!(harness.query_by_label("Step 55 Tick handle_tick").is_none());
    harness.get_by_label("Filter steps").type_text(" knd:x");
    settle(&mut harness);
    assert!(harness.query_by_label_contains("There is no key").is_some());
    assert!(harness.query_by_label("Step 18 Event pay").is_some(), "the rows of the last good filter stay");
}

#[test]
fn letters_in_a_text_field_are_no_commands() {
    let engine = Scripted::with_sample();
    let mut harness = window(&engine);
    harness.key_press_modifiers(Modifiers::COMMAND, Key::F);
    settle(&mut harness);
    press(&mut harness, Key::J);
    press(&mut harness, Key::R);
    assert!(engine.asked(|asked| matches!(asked, Request::Jump { .. } | Request::Replay { .. })).is_empty());
}

#[test]
fn a_session_narrows_the_table() {
    let engine = Scripted::with_sample();
    let mut harness = window(&engine);
    press(&mut harness, Key::Home);
    click(&mut harness, "View PlayerView sticky player");
    assert!(harness.query_by_label("Step 2 Mount PlayerView").is_some());
    assert!(harness.query_by_label("Step 1 Mount CartView").is_none());
    click(&mut harness, "All sessions");
    press(&mut harness, Key::Home);
    assert!(harness.query_by_label("Step 1 Mount CartView").is_some());
}

#[test]
fn every_tab_shows_the_step() {
    let engine = Scripted::with_sample();
    let mut harness = window(&engine);
    select(&mut harness, "Step 18 Event pay");
    for (key, expected) in [
        (Key::O, "card number is not valid"),
        (Key::W, "Frame 1 from the browser"),
        (Key::T, "4 patches"),
        (Key::G, "Show page"),
        (Key::P, "Edit and replay"),
        (Key::S, "cart dict"),
        (Key::D, "Compare with"),
    ] {
        press(&mut harness, key);
        assert!(harness.query_all_by_label_contains(expected).next().is_some(), "{key:?}: {expected}");
    }
    press(&mut harness, Key::Home);
    click(&mut harness, "Step 5 Event add_item");
    press(&mut harness, Key::Q);
    assert!(harness.query_by_label_contains("3 queries").is_some());
}

#[test]
fn edited_parameters_are_checked_and_sent() {
    let engine = Scripted::with_sample();
    let mut harness = window(&engine);
    select(&mut harness, "Step 5 Event add_item");
    press(&mut harness, Key::P);
    assert!(harness.query_by_label_contains("add_item(id: int, qty: int = …)").is_some());
    click(&mut harness, "Edit and replay");
    click(&mut harness, "Replay with these");
    let sent = engine.asked(|asked| matches!(asked, Request::Replay { params: Some(_), restore: true, .. }));
    assert_eq!(sent.len(), 1);
}

#[test]
fn whole_window_views_open_by_their_tabs() {
    let engine = Scripted::with_sample();
    let mut harness = window(&engine);
    for (tab, expected) in [
        ("Configuration", "rate_limit"),
        ("Rate limit", "Lift cooldown"),
        ("Reload", "refused"),
        ("Health", "python manage.py runserver --noreload"),
    ] {
        click(&mut harness, tab);
        assert!(harness.query_all_by_label_contains(expected).next().is_some(), "{tab}: {expected}");
    }
    click(&mut harness, "Rate limit");
    click(&mut harness, "Lift cooldown");
    assert_eq!(engine.asked(|asked| matches!(asked, Request::LiftCooldown { .. })).len(), 1);
}

#[test]
fn the_start_page_attaches_opens_and_deletes_only_after_confirmation() {
    let engine = Scripted::with_sample();
    let mut harness = window(&engine);
    click(&mut harness, "Servers and recordings");
    click(&mut harness, "Delete form that raises");
    assert!(engine.asked(|asked| matches!(asked, Request::DeleteRecording(_))).is_empty());
    click(&mut harness, "Delete for good");
    assert_eq!(engine.asked(|asked| *asked == Request::DeleteRecording("rec-2".into())).len(), 1);
    click(&mut harness, "Open counter with time travel");
    assert_eq!(engine.asked(|asked| *asked == Request::OpenRecording("rec-1".into())).len(), 1);
    click(&mut harness, "Servers and recordings");
    click(&mut harness, "Attach to intranet");
    assert_eq!(engine.asked(|asked| *asked == Request::AttachFound { pid: 4300 }).len(), 1);
}

#[test]
fn an_empty_window_says_what_to_paste() {
    let harness = window(&Scripted::default());
    assert!(harness.query_by_label("djust-inspector run -- python manage.py runserver").is_some());
}

#[test]
fn the_palette_finds_commands() {
    let engine = Scripted::with_sample();
    let mut harness = window(&engine);
    harness.key_press_modifiers(Modifiers::COMMAND, Key::K);
    settle(&mut harness);
    harness.get_by_label("Name of a command").type_text("rate");
    settle(&mut harness);
    press(&mut harness, Key::Enter);
    assert!(harness.query_all_by_label_contains("Lift cooldown").next().is_some());
}

#[test]
fn at_rest_nothing_is_repainted() {
    let engine = Scripted::with_sample();
    let mut harness = window(&engine);
    harness.run_steps(10);
    assert!(!harness.ctx.has_requested_repaint(), "{:?}", harness.ctx.repaint_causes());
}

#[test]
fn follow_selects_new_steps_and_selecting_ends_it() {
    let engine = Scripted::with_sample();
    let mut harness = window(&engine);
    engine.tell(Notice::Steps(SOURCE, vec![common::step(900, Some("sess-alice-1"), inspector_model::StepKind::Event, "new_one", 30.0)]));
    settle(&mut harness);
    assert!(harness.query_by_label("Step 900 Event new_one").is_some());
    select(&mut harness, "Step 1 Mount CartView");
    engine.tell(Notice::Steps(SOURCE, vec![common::step(901, Some("sess-alice-1"), inspector_model::StepKind::Event, "newer", 31.0)]));
    settle(&mut harness);
    assert!(harness.query_by_label("Step 1 Mount CartView").is_some(), "the table keeps its place");
}

#[test]
fn a_hundred_thousand_steps_draw_only_the_visible_rows() {
    let engine = Scripted::with_sample();
    engine.0.borrow_mut().notices.retain(|notice| !matches!(notice, Notice::Steps(..)));
    engine.tell(Notice::Steps(SOURCE, many_steps(100_000)));
    let mut harness = window(&engine);
    let rows = harness.query_all_by_label_contains("handle_tick").count();
    assert!((5..200).contains(&rows), "{rows}");
    let start = std::time::Instant::now();
    harness.run_steps(30);
    let each = start.elapsed() / 30;
    assert!(each < std::time::Duration::from_millis(60), "{each:?} a frame");
}

#[test]
fn hostile_data_is_drawn_without_panic() {
    let long = "x\u{0}\n".repeat(20_000);
    let engine = Scripted::with_sample();
    let mut odd = common::step(1, Some("sess-alice-1"), inspector_model::StepKind::Event, &long, f64::NAN);
    odd.error = Some(long.clone());
    odd.changed = vec![long.clone(); 16];
    odd.component = Some(long.clone());
    odd.duration_ms = Some(f64::NAN);
    odd.status = inspector_model::Status::Raised;
    let mut nothing = common::step(2, None, inspector_model::StepKind::Gap, "", f64::INFINITY);
    nothing.state_bytes = 9;
    engine.0.borrow_mut().notices.retain(|notice| !matches!(notice, Notice::Steps(..)));
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
    let mut harness = window(&engine);
    for key in [Key::Home, Key::End] {
        press(&mut harness, key);
        for tab in [Key::D, Key::S, Key::P, Key::G, Key::T, Key::Q, Key::O, Key::W] {
            press(&mut harness, tab);
        }
    }
    for tab in ["Configuration", "Rate limit", "Reload", "Health"] {
        click(&mut harness, tab);
    }
    let _small = harness_of(&engine, Startup::default(), [300.0, 200.0]);
}

#[test]
fn a_deep_diff_and_a_deep_state_are_drawn_without_panic() {
    use inspector_model::{Answer, Change, Diff, Op, Path, Segment, StateAnswer, Value};
    let engine = Scripted::with_sample();
    let mut harness = window(&engine);
    press(&mut harness, Key::Home);
    engine.0.borrow_mut().hold = true;
    engine.0.borrow_mut().requests.clear();
    click(&mut harness, "Step 5 Event add_item");
    let mut deep = Value::List(vec![]);
    for _ in 0..10_000 {
        deep = Value::List(vec![deep]);
    }
    let diff = Diff {
        changes: vec![Change { path: Path(vec![Segment::Key("deep".into())]), op: Op::Added(deep), note: None }],
        ..Diff::default()
    };
    let held: Vec<_> = std::mem::take(&mut engine.0.borrow_mut().requests);
    for (id, request) in held {
        match request {
            Request::Diff { .. } => engine.tell(Notice::Answer(id, Answer::Diff(Box::new(diff.clone())))),
            _ => {
                engine.tell(Notice::Answer(id, Answer::Failed(inspector_model::Failure::new(inspector_model::ErrorCode::Missing, "gone"))));
            }
        }
    }
    settle(&mut harness);
    click(&mut harness, "added deep");
    press(&mut harness, Key::S);
    let held: Vec<_> = std::mem::take(&mut engine.0.borrow_mut().requests);
    for (id, request) in held {
        if matches!(request, Request::State { .. }) {
            let text = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
            engine.tell(Notice::Answer(id, Answer::State(StateAnswer::Full(text.into()))));
        }
    }
    settle(&mut harness);
    assert!(harness.query_by_label_contains("cannot be shown").is_some());
}

/// A desktop that can do everything.
fn desktop() -> DesktopInfo {
    DesktopInfo {
        shows_pages: Some("a window".into()),
        page_windows: true,
        dialogs: true,
        notifications: Some(vec![NotifyAbout::Errors]),
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

#[test]
fn without_a_desktop_nothing_is_asked_of_it() {
    let engine = Scripted::with_sample();
    let mut harness = window(&engine);
    select(&mut harness, "Step 5 Event add_item");
    press(&mut harness, Key::G);
    assert!(harness.get_by_label("Show page").accesskit_node().is_disabled());
    assert!(harness.get_by_label("Compare before and after").accesskit_node().is_disabled());
    click(&mut harness, "Servers and recordings");
    assert!(harness.query_by_label("Desktop").is_none());
    assert!(harness.query_by_label("Recording file").is_some(), "without dialogs a path is typed");
    click(&mut harness, "Export form that raises");
    assert!(harness.query_by_label("Export to").is_some());
    assert_eq!(asked_desktop(&engine), []);
}

#[test]
fn a_page_is_shown_and_then_follows_the_selection() {
    let engine = Scripted::with_sample();
    engine.tell(Notice::Desktop(Box::new(desktop())));
    let mut harness = window(&engine);
    select(&mut harness, "Step 4 Event open_cart");
    press(&mut harness, Key::G);
    assert_eq!(asked_desktop(&engine), [], "no page window is open yet");
    click(&mut harness, "Show page");
    assert_eq!(asked_desktop(&engine), [DesktopRequest::ShowPage(page_at(4, false))]);
    press(&mut harness, Key::ArrowRight);
    assert_eq!(asked_desktop(&engine)[1..], [DesktopRequest::FollowPage(page_at(5, false))]);
    select(&mut harness, "Step 8 Event add_item");
    let before = asked_desktop(&engine).len();
    click(&mut harness, "Compare before and after");
    assert_eq!(asked_desktop(&engine)[before..], [DesktopRequest::ShowPage(page_at(8, true))]);
    press(&mut harness, Key::ArrowRight);
    assert_eq!(asked_desktop(&engine)[before + 1..], [DesktopRequest::FollowPage(page_at(9, true))]);
}

#[test]
fn a_following_page_is_told_the_latest_selection_with_one_request_in_flight() {
    let engine = Scripted::with_sample();
    engine.tell(Notice::Desktop(Box::new(desktop())));
    let mut harness = window(&engine);
    select(&mut harness, "Step 4 Event open_cart");
    harness.key_press_modifiers(Modifiers::SHIFT, Key::G);
    settle(&mut harness);
    engine.hold(true);
    for _ in 0..4 {
        press(&mut harness, Key::ArrowRight);
    }
    assert_eq!(asked_desktop(&engine)[1..], [DesktopRequest::FollowPage(page_at(5, false))]);
    engine.release();
    settle(&mut harness);
    assert_eq!(asked_desktop(&engine)[2..], [DesktopRequest::FollowPage(page_at(8, false))]);
}

#[test]
fn a_desktop_that_only_has_a_browser_is_not_followed() {
    let engine = Scripted::with_sample();
    engine.tell(Notice::Desktop(Box::new(DesktopInfo { shows_pages: Some("your browser".into()), ..DesktopInfo::default() })));
    let mut harness = window(&engine);
    select(&mut harness, "Step 4 Event open_cart");
    press(&mut harness, Key::G);
    click(&mut harness, "Show page");
    press(&mut harness, Key::ArrowRight);
    assert_eq!(asked_desktop(&engine), [DesktopRequest::ShowPage(page_at(4, false))]);
}

#[test]
fn picked_files_are_opened_and_written() {
    let engine = Scripted::with_sample();
    engine.tell(Notice::Desktop(Box::new(desktop())));
    engine.pick(Some("/tmp/a b.djrec"));
    let mut harness = window(&engine);
    click(&mut harness, "Servers and recordings");
    assert!(harness.query_by_label("Recording file").is_none(), "the desktop asks for the file");
    click(&mut harness, "Export form that raises");
    let export = Request::Export { recording: "rec-2".into(), path: "/tmp/a b.djrec".into() };
    assert_eq!(engine.asked(|asked| *asked == export).len(), 1);
    click(&mut harness, "Open recording file");
    assert_eq!(engine.asked(|asked| *asked == Request::OpenFile("/tmp/a b.djrec".into())).len(), 1);
    let picks = [DesktopRequest::PickFileToSave { suggested: "form_that_raises.djrec".into() }, DesktopRequest::PickFileToOpen];
    assert_eq!(asked_desktop(&engine), picks);
}

#[test]
fn a_dialog_that_was_cancelled_does_nothing() {
    let engine = Scripted::with_sample();
    engine.tell(Notice::Desktop(Box::new(desktop())));
    engine.pick(None);
    let mut harness = window(&engine);
    click(&mut harness, "Servers and recordings");
    click(&mut harness, "Open recording file");
    click(&mut harness, "Export form that raises");
    assert!(engine.asked(|asked| matches!(asked, Request::OpenFile(_) | Request::Export { .. })).is_empty());
    assert!(harness.query_by_label("Working …").is_none());
}

#[test]
fn the_desktop_is_set_on_the_start_page_and_says_how_it_stands() {
    let engine = Scripted::with_sample();
    engine.tell(Notice::Desktop(Box::new(desktop())));
    let mut harness = window(&engine);
    click(&mut harness, "Servers and recordings");
    for (label, setting) in [
        ("Notify when a handler raises", DesktopSetting::Notify(NotifyAbout::Errors, false)),
        ("Notify when HVR refuses to swap a view", DesktopSetting::Notify(NotifyAbout::RefusedSwaps, true)),
        ("Notify when a page is closed for too many messages", DesktopSetting::Notify(NotifyAbout::RateLimitCloses, true)),
        ("Start with the desktop", DesktopSetting::Autostart(true)),
        ("Let page windows load the recorded server's static files", DesktopSetting::StaticFiles(true)),
    ] {
        harness.get_by_label(label).scroll_to_me();
        settle(&mut harness);
        click(&mut harness, label);
        assert_eq!(asked_desktop(&engine).last(), Some(&DesktopRequest::Set(setting)), "{label}");
    }
    let toggled = |harness: &Harness<'_, Option<Window>>| {
        harness.get_by_label("Start with the desktop").accesskit_node().toggled() == Some(egui::accesskit::Toggled::True)
    };
    assert!(!toggled(&harness), "the desktop has not said so yet");
    engine.tell(Notice::Desktop(Box::new(DesktopInfo { autostart: Some(true), ..desktop() })));
    settle(&mut harness);
    assert!(toggled(&harness));
}

#[test]
fn what_the_desktop_opened_is_shown() {
    let engine = Scripted::with_sample();
    let mut harness = window(&engine);
    assert!(harness.query_by_label("Session alice /cart/").is_some());
    engine.tell(common::recording(7));
    settle(&mut harness);
    assert!(harness.query_by_label("Session alice /cart/").is_none(), "the new source is shown");
    engine.tell(Notice::Answer(RequestId(9_000_000), Answer::Opened(SOURCE)));
    settle(&mut harness);
    assert!(harness.query_by_label("Session alice /cart/").is_some(), "asked for in the window's name");
    let failure = Failure::new(ErrorCode::RecordingDamaged, "The linked file is no recording");
    engine.tell(Notice::Answer(RequestId(9_000_001), Answer::Failed(failure)));
    settle(&mut harness);
    assert!(harness.query_by_label_contains("The linked file is no recording").is_some());
}

#[test]
fn a_window_begins_as_it_was_left() {
    let engine = Scripted::with_sample();
    let mut harness = window(&engine);
    press(&mut harness, Key::Home);
    click(&mut harness, "View PlayerView sticky player");
    press(&mut harness, Key::Q);
    harness.key_press_modifiers(Modifiers::COMMAND, Key::F);
    settle(&mut harness);
    harness.get_by_label("Filter steps").type_text("kind:mount");
    settle(&mut harness);
    click(&mut harness, "Switch theme");
    click(&mut harness, "Configuration");
    let kept = harness.state().as_ref().unwrap().app.memory();
    let kept = Memory::from_text(&kept.to_text());

    // Two sources: the one that was looked at is not the first.
    let engine = Scripted::with_sample();
    engine.0.borrow_mut().notices.push_front(common::recording(0));
    let mut harness = harness_of(&engine, Startup { memory: kept, ..Startup::default() }, [1440.0, 900.0]);
    assert!(harness.query_all_by_label_contains("rate_limit").next().is_some(), "the view");
    assert!(!harness.ctx.global_style().visuals.dark_mode, "the theme");
    click(&mut harness, "Steps");
    assert!(harness.query_by_label("Step 2 Mount PlayerView").is_some(), "scope and filter fit");
    assert!(harness.query_by_label("Step 1 Mount CartView").is_none(), "the scope");
    assert!(harness.query_all_by_label_contains("quer").next().is_some(), "the tab");
    assert_eq!(harness.get_by_label("Filter steps").accesskit_node().value().as_deref(), Some("kind:mount"));
}

#[test]
fn side_panels_keep_their_widths() {
    let engine = Scripted::with_sample();
    let memory = Memory::from_text(r#"{"sessions_width": 300, "step_width": 420}"#);
    let harness = harness_of(&engine, Startup { memory, ..Startup::default() }, [1600.0, 900.0]);
    let kept = harness.state().as_ref().unwrap().app.memory().to_text();
    assert!(kept.contains(r#""sessions_width":300.0"#) && kept.contains(r#""step_width":420.0"#), "{kept}");
}
