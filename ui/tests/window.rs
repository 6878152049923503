//! The window on a scripted engine, driven by accessible labels: all cases, and what only a window without a host can be asked.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::unused_self, reason = "a test stops where something is wrong")]

mod common;

use common::driver::Driver as _;
use common::headless::Headless as Window;
use common::{SOURCE, Scripted, many_steps};
use egui::Key;
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use inspector_model::{AttachOptions, Notice, Request};
use inspector_ui::{Memory, Startup};

/// Each case is a test of its own.
#[macro_export]
macro_rules! cases {
    ($($name:ident),* $(,)?) => {
        mod each {
            $(#[test] fn $name() { super::$name(); })*
        }
    };
}

/// The same for those that only a window without a host can be asked.
#[macro_export]
macro_rules! native_cases {
    ($($name:ident),* $(,)?) => {
        mod native {
            $(#[test] fn $name() { super::$name(); })*
        }
    };
}

#[path = "common/cases.rs"]
mod cases;
#[path = "common/compare_cases.rs"]
mod compare_cases;
#[path = "common/desktop_cases.rs"]
mod desktop_cases;
#[path = "common/export_cases.rs"]
mod export_cases;
#[path = "common/layout_cases.rs"]
mod layout_cases;
#[path = "common/values_cases.rs"]
mod values_cases;
#[path = "common/view_cases.rs"]
mod view_cases;

#[path = "common/access_cases.rs"]
mod access_cases;
#[path = "common/cause_cases.rs"]
mod cause_cases;
#[path = "common/hvr_cases.rs"]
mod hvr_cases;
#[path = "common/jump_cases.rs"]
mod jump_cases;
#[path = "common/table_cases.rs"]
mod table_cases;

#[test]
fn startup_requests_are_sent_and_the_source_is_shown() {
    let engine = Scripted::with_sample();
    let request = Request::Attach { url: "http://127.0.0.1:8000".into(), token: "t".into(), options: AttachOptions::default() };
    let window = Window::sized(&engine, Startup { requests: vec![request.clone()], ..Startup::default() }, [1200.0, 800.0]);
    assert_eq!(engine.asked(|asked| *asked == request).len(), 1);
    assert!(window.has("Timeline"));
    assert!(window.has("Session alice /cart/"));
}

#[test]
fn at_rest_nothing_is_repainted() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    window.run_steps(10);
    assert!(!window.ctx.has_requested_repaint(), "{:?}", window.ctx.repaint_causes());
}

#[test]
fn a_hundred_thousand_steps_draw_only_the_visible_rows() {
    let engine = Scripted::with_sample();
    engine.script().notices.retain(|notice| !matches!(notice, Notice::Steps(..)));
    engine.tell(Notice::steps(SOURCE, many_steps(100_000)));
    let mut window = Window::open(&engine);
    let rows = window.widgets().iter().filter(|widget| widget.label.contains("handle_tick")).count();
    assert!((5..200).contains(&rows), "{rows}");
    let start = std::time::Instant::now();
    window.run_steps(30);
    let each = start.elapsed() / 30;
    assert!(each < std::time::Duration::from_millis(60), "{each:?} a frame");
}

#[test]
fn a_deep_diff_and_a_deep_state_are_drawn_without_panic() {
    use inspector_model::{Answer, Change, Diff, Op, Path, Segment, StateAnswer, Value};
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    window.press(Key::Home);
    engine.hold(true);
    window.click("Step 5 Event add_item");
    let mut deep = Value::List(vec![]);
    for _ in 0..10_000 {
        deep = Value::List(vec![deep]);
    }
    let diff = Diff {
        changes: vec![Change { path: Path(vec![Segment::Key("deep".into())]), op: Op::Added(deep), note: None }],
        ..Diff::default()
    };
    let held: Vec<_> = std::mem::take(&mut engine.script().held);
    let mut diff = Some(Box::new(diff));
    for (id, request) in held {
        match request {
            // Not a copy: making one goes as deep as the value.
            Request::Diff { .. } => engine.tell(Notice::Answer(id, Answer::Diff(diff.take().expect("one diff is asked for")))),
            _ => {
                engine.tell(Notice::Answer(id, Answer::Failed(inspector_model::Failure::new(inspector_model::ErrorCode::Missing, "gone"))));
            }
        }
    }
    window.settle();
    let deep = window.widgets().into_iter().map(|widget| widget.label).find(|label| label.starts_with("added deep: "));
    window.click(&deep.expect("the change is told"));
    window.press(Key::S);
    let held: Vec<_> = std::mem::take(&mut engine.script().held);
    for (id, request) in held {
        if matches!(request, Request::State { .. }) {
            let text = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
            engine.tell(Notice::Answer(id, Answer::State(StateAnswer::Full(text.into()))));
        }
    }
    window.settle();
    assert!(window.says("cannot be shown"));
}

#[test]
fn panes_lie_as_they_were_left() {
    let layout = r#"{"place":{"row":[{"points":420.0,"place":{"pane":"step"}},{"place":{"column":[{"place":{"pane":"steps"}},
        {"place":{"tabs":{"front":0,"places":[{"pane":"sessions"},{"pane":"timeline"},{"pane":"branches"},{"pane":"find"},
        {"pane":"history"},{"pane":"bookmarks"},{"pane":"breakpoints"}]}}}]}}]},"shown":["steps","step"]}"#;
    let memory = Memory::from_text(&format!(r#"{{"theme":"dark","text_size":100,"page":"steps","layout":{layout}}}"#));
    for size in [[1600.0, 900.0], [1000.0, 700.0]] {
        let window = Window::sized(&Scripted::with_sample(), Startup { memory: memory.clone(), ..Startup::default() }, size);
        let left = |label: &str| window.get_by_label(label).rect().left();
        assert!(left("Move or hide Step") < 20.0 && (left("Move or hide Steps") - 429.0).abs() < 4.0, "{}", left("Move or hide Steps"));
        assert!(!window.has("Timeline"));
        let kept = window.state().as_ref().unwrap().memory().to_text();
        let part = |text: &str| text.split(r#""layout":"#).nth(1).unwrap().split(r#","ignore""#).next().unwrap().to_owned();
        assert_eq!(part(&kept), part(&memory.to_text()));
    }
}

#[test]
fn a_pane_is_dragged_beside_another() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    let grip = window.get_by_label("Move or hide Sessions").rect().center();
    // Into the lower half of the details.
    let target = window.get_by_label("Move or hide Step").rect().center() + egui::vec2(240.0, 640.0);
    window.drag_at(grip);
    window.settle();
    for part in [0.1, 0.5, 1.0] {
        window.hover_at(grip + (target - grip) * part);
        window.settle();
    }
    window.drop_at(target);
    window.settle();
    let sessions = window.get_by_label("Move or hide Sessions").rect();
    let step = window.get_by_label("Move or hide Step").rect();
    assert!(sessions.left() > 700.0 && sessions.top() > step.top() + 100.0, "{sessions:?} {step:?}");
    window.run_steps(10);
    assert!(!window.ctx.has_requested_repaint(), "{:?}", window.ctx.repaint_causes());
}

#[test]
fn a_range_is_brushed_with_shift_and_the_pointer() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    let lanes = window.get_by_label("Timeline").rect();
    let [from, to] = [0.4, 0.6].map(|part| egui::pos2(lanes.left() + lanes.width() * part, lanes.top() + 30.0));
    window.event(egui::Event::ModifiersChanged(egui::Modifiers::SHIFT));
    window.drag_at(from);
    window.settle();
    window.hover_at(from + (to - from) * 0.5);
    window.settle();
    window.hover_at(to);
    window.settle();
    window.drop_at(to);
    window.event(egui::Event::ModifiersChanged(egui::Modifiers::NONE));
    window.settle();
    assert!(window.says("Range of "));
    let whole = window.get("Timeline").value.unwrap();
    assert!(whole.starts_with("59 steps"), "it was not panned: {whole}");
    window.run_steps(10);
    assert!(!window.ctx.has_requested_repaint(), "{:?}", window.ctx.repaint_causes());
}

#[test]
fn in_a_small_window_every_pane_is_a_tab() {
    let engine = Scripted::with_sample();
    let memory = Memory::from_text(r#"{"text_size":200}"#);
    let mut window = Window::sized(&engine, Startup { memory, ..Startup::default() }, [800.0, 600.0]);
    for (tab, there) in
        [("Sessions pane", "All sessions"), ("Timeline pane", "Timeline"), ("Step pane", "Pin as A"), ("Steps pane", "Filter steps")]
    {
        window.get_by_label(tab).click();
        window.settle();
        assert!(window.has(there), "{tab}");
    }
    window.press(Key::S);
    assert!(window.has("Pin as A"), "a tab of the step brings it to the front");
    window.run_steps(10);
    assert!(!window.ctx.has_requested_repaint(), "{:?}", window.ctx.repaint_causes());
}

#[test]
fn numbers_that_are_none_are_drawn_without_panic() {
    let engine = Scripted::with_sample();
    engine.script().notices.retain(|notice| !matches!(notice, Notice::Steps(..)));
    let mut odd = common::step(1, Some("sess-alice-1"), inspector_model::StepKind::Event, "odd", f64::NAN);
    odd.duration_ms = Some(f64::NAN);
    let endless = common::step(2, None, inspector_model::StepKind::Gap, "", f64::INFINITY);
    engine.tell(Notice::steps(SOURCE, [odd, endless]));
    let mut window = Window::open(&engine);
    window.press(Key::Home);
    window.press(Key::End);
    let _small = Window::sized(&engine, Startup::default(), [300.0, 200.0]);
}

#[test]
fn a_pasted_bug_capture_is_opened_at_once_and_never_laid_out() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    window.press_with(egui::Modifiers::ALT, Key::Num1);
    window.type_into("Recording file", "");
    let capture = format!("djbug1.{}", "A".repeat(200_000));
    window.event(egui::Event::Paste(capture.clone()));
    window.settle();
    assert_eq!(engine.asked(|asked| *asked == Request::OpenText(capture.clone())).len(), 1);
    assert!(!window.says("AAAA"));
}

#[test]
fn the_theme_is_the_remembered_one() {
    for (theme, dark) in [(inspector_ui::ThemeChoice::Dark, true), (inspector_ui::ThemeChoice::Light, false)] {
        let window = Window::open_with(&Scripted::default(), Memory::with_theme(theme));
        assert_eq!(window.ctx.global_style().visuals.dark_mode, dark);
    }
}

/// The harness panics at the first sign that no font has.
#[cfg(target_os = "linux")]
#[test]
fn what_the_built_in_fonts_lack_is_drawn_in_those_of_the_system() {
    let engine = Scripted::with_sample();
    engine.script().notices.retain(|notice| !matches!(notice, Notice::Steps(..)));
    let names = ["größe_ändern", "élément_ajouté", "カートに追加", "加入购物车", "Ｗide 🛒", "naïve — “quoted”"];
    let steps = names.iter().zip(1..).map(|(name, id)| {
        let mut step = common::step(id, Some("sess-alice-1"), inspector_model::StepKind::Event, name, id as f64);
        step.error = Some(format!("{name} ✓"));
        step.changed = vec![format!("cart.{name}")];
        step
    });
    engine.tell(Notice::steps(SOURCE, steps));
    let provider = std::sync::Arc::new(egui_system_font_provider::SystemFontProvider::new());
    let builder = Harness::builder().with_size([1440.0, 900.0]).with_context_setup(move |ctx| ctx.add_font_provider(provider));
    let mut window = Window::built(builder, &engine, Startup::default());
    for name in names {
        assert!(window.says(name), "{name}");
    }
    for tab in [Key::S, Key::P, Key::O, Key::D] {
        window.press(tab);
    }
}

#[test]
fn a_dialog_stands_where_it_was_first_seen() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    window.key_press_modifiers(egui::Modifiers::COMMAND, Key::E);
    // In the first frame it is measured, in the second it is there, in the third the preview has come.
    window.run_steps(3);
    let place = |window: &Window| window.get_by_label("Close").rect();
    let first = place(&window);
    for _ in 0..6 {
        window.step();
        assert_eq!(place(&window), first);
    }
    assert!(!window.ctx.has_requested_repaint(), "{:?}", window.ctx.repaint_causes());
}

#[derive(Debug)]
struct Dropped(&'static str);

impl egui::DroppedFile for Dropped {
    fn path(&self) -> &std::path::Path {
        self.0.as_ref()
    }

    fn bytes(&self) -> Result<Vec<u8>, String> {
        Err("it is opened by its path".to_owned())
    }
}

#[test]
fn files_are_dragged_and_dropped_on_a_native_window() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    window.input_mut().hovered_files.push(egui::HoveredFile { path: Some("/tmp/cart.djrec".into()), ..Default::default() });
    window.settle();
    assert!(window.says("Drop to open cart.djrec"));
    window.input_mut().hovered_files.clear();
    window.input_mut().dropped_files.push(std::sync::Arc::new(Dropped("/tmp/cart.djrec")));
    window.settle();
    assert!(!window.says("Drop to open cart.djrec"));
    assert_eq!(engine.asked(|asked| matches!(asked, Request::OpenFile(_))), [Request::OpenFile("/tmp/cart.djrec".into())]);
}

#[test]
fn a_native_window_is_not_closed_before_the_user_has_answered() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    let app = |window: &mut Window| window.state_mut().as_mut().unwrap().may_close();
    assert!(!app(&mut window), "a live page is being recorded");
    window.settle();
    assert!(window.has("Stop recording?") && !window.has("Keep recording in the tray"));
    window.click("Cancel");
    assert!(!window.state().as_ref().unwrap().closes() && !window.has("Stop recording?"));
    assert!(!app(&mut window));
    window.settle();
    window.click("Don't ask again");
    window.click("Stop recording and close");
    assert!(window.state().as_ref().unwrap().closes() && app(&mut window));
    assert!(engine.asked(|asked| matches!(asked, Request::Desktop(_))).is_empty(), "no other program is asked");
    let memory = window.memory();
    let mut window = Window::open_with(&engine, memory);
    assert!(app(&mut window), "it was said for good");
}

#[test]
fn a_window_that_records_nothing_is_closed_at_once() {
    let engine = Scripted::default();
    engine.tell(common::recording(7));
    let mut window = Window::open(&engine);
    assert!(window.state_mut().as_mut().unwrap().may_close());
    let info = inspector_model::DesktopInfo { server: Some("python manage.py runserver".into()), ..Default::default() };
    engine.tell(Notice::Desktop(Box::new(info)));
    window.settle();
    assert!(!window.state_mut().as_mut().unwrap().may_close(), "the server would end with it");
}
