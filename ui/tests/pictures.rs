//! Pictures of the window in states that no sample recording has: a live page, nothing at all, little room, long names.
//!
//! `UPDATE_SNAPSHOTS=1 cargo test -p inspector-ui --test pictures` takes them anew. Look at each before it is committed.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::unused_self, reason = "a test stops where something is wrong")]

mod common;

use common::driver::Driver as _;
use common::headless::Headless as Window;
use common::{SOURCE, Sample, Script, Scripted, sample};
use egui::{Key, Modifiers};
use egui_kittest::{SnapshotOptions, SnapshotResults};
use inspector_model::{DesktopInfo, DesktopQuestion, Drag, Level, Notice, Update, UpdateState};
use inspector_test_support::SAME_PICTURE;
use inspector_ui::{Memory, Startup};

/// Takes a picture in both themes, of a window over what `engine` tells, after what `scene` does in it.
fn picture(name: &str, size: [f32; 2], engine: impl Fn() -> Scripted, scene: impl Fn(&mut Window)) {
    let mut results = SnapshotResults::new();
    for theme in ["dark", "light"] {
        let memory = Memory::from_text(&format!(r#"{{"theme":"{theme}"}}"#));
        let mut window = Window::sized(&engine(), Startup { memory, ..Startup::default() }, size);
        scene(&mut window);
        window.remove_cursor();
        window.settle();
        window.snapshot_options(format!("{name}_{theme}"), &SnapshotOptions::new().threshold(SAME_PICTURE));
        results.extend_harness(&mut window);
    }
}

const USUAL: [f32; 2] = [1440.0, 900.0];

fn of_sample(name: &str, scene: impl Fn(&mut Window)) {
    picture(name, USUAL, Scripted::with_sample, scene);
}

#[test]
fn live() {
    of_sample("live", |window| window.select("Step 5 Event add_item"));
}

#[test]
fn away_from_live() {
    let engine = || {
        let engine = Scripted::with_sample();
        engine.tell(Sample::at(5));
        engine.tell(Notice::Message(Level::Error, "The library cannot be written: the disk is full".into()));
        engine
    };
    picture("away_from_live", USUAL, engine, |_| {});
}

#[test]
fn compare() {
    let engine = || {
        let engine = Scripted::with_sample();
        let second = common::second::second(engine.script().sample.as_ref().unwrap());
        engine.script().notices.extend(second);
        engine
    };
    picture("compare", USUAL, engine, |window| {
        window.press_with(Modifiers::ALT, Key::Num7);
        // A part has two pairs: the next one is asked for when it is there.
        for _ in 0..30 {
            window.settle();
        }
        window.press(Key::V);
    });
}

#[test]
fn messages() {
    let engine = || {
        let engine = Scripted::with_sample();
        for (level, text) in [
            (Level::Info, "shop: attached"),
            (Level::Warning, "Some states were thinned to stay within what is kept"),
            (Level::Error, "The library cannot be written: the disk is full"),
            (Level::Error, "The library cannot be written: the disk is full"),
        ] {
            engine.tell(Notice::Message(level, text.into()));
        }
        engine
    };
    picture("messages", USUAL, engine, |window| window.press_with(Modifiers::SHIFT, Key::M));
}

#[test]
fn start_empty() {
    picture("start_empty", USUAL, || Scripted::of(Script { sample: Some(sample()), ..Script::default() }), |_| {});
}

#[test]
fn narrow() {
    picture("narrow", [800.0, 600.0], Scripted::with_sample, |window| window.select("Step 5 Event add_item"));
}

#[test]
fn large_text() {
    of_sample("large_text", |window| {
        for _ in 0..10 {
            window.press_with(Modifiers::COMMAND, Key::Plus);
        }
    });
}

#[test]
fn long_names() {
    let engine = || {
        let engine = Scripted::with_sample();
        engine.script().notices.retain(|notice| !matches!(notice, Notice::Steps(..)));
        let steps = (1..60).map(|id| {
            let name = "warenkorb_gegenstandsmenge_unter_berücksichtigung_der_lieferbarkeit_ändern_".repeat(3);
            let mut step = common::step(id, Some("sess-alice-1"), inspector_model::StepKind::Event, &name, id as f64);
            step.changed = vec![format!("cart.{name}")];
            step.changes.changed = 123_456;
            step.error = Some("Die Größe passt nicht: élément déjà supprimé. ".repeat(30));
            step.status = inspector_model::Status::Raised;
            step.duration_ms = Some(123_456.7);
            step
        });
        engine.tell(Notice::steps(SOURCE, steps));
        engine
    };
    picture("long_names", USUAL, engine, |_| {});
}

#[test]
fn pinned() {
    of_sample("pinned", |window| {
        window.select("Step 5 Event add_item");
        for name in ["cart.total", "note", "flash"] {
            window.click(&format!("Menu of {name}"));
            window.click("Pin this value");
        }
        window.press(Key::S);
        for name in ["client", "history", "step_id"] {
            window.click(&format!("Menu of {name}"));
            window.click("Pin this value");
        }
        window.press(Key::P);
        window.click("Menu of qty");
        window.click("Pin this value");
        window.click("Step 8 Event add_item");
    });
}

#[test]
fn sizes() {
    of_sample("sizes", |window| {
        window.select("Step 5 Event add_item");
        window.press(Key::S);
        window.click("Sizes");
        window.settle();
        window.settle();
    });
}

#[test]
fn ignored() {
    of_sample("ignored", |window| {
        window.select("Step 5 Event add_item");
        window.click("Menu of cart.total");
        window.click("Ignore cart.total");
        window.click("Show ignored");
        window.click("Menu of cart.items[3]");
        window.click("When did this change?");
    });
}

#[test]
fn branches() {
    of_sample("branches", |window| {
        window.select("Step 5 Event add_item");
        window.press_with(Modifiers::SHIFT, Key::B);
    });
}

#[test]
fn range() {
    of_sample("range", |window| {
        window.select("Step 5 Event add_item");
        window.press(Key::M);
        for _ in 0..14 {
            window.press(Key::ArrowRight);
        }
        window.press(Key::M);
    });
}

#[test]
fn closing() {
    let engine = || {
        let engine = Scripted::with_sample();
        let server = Some("python manage.py runserver 127.0.0.1:8000".to_owned());
        let question = Some(DesktopQuestion::Close);
        engine.tell(Notice::Desktop(Box::new(DesktopInfo { tray: true, server, question, ..DesktopInfo::default() })));
        engine
    };
    picture("closing", USUAL, engine, |_| {});
}

#[test]
fn link() {
    let engine = || {
        let engine = Scripted::with_sample();
        let question = Some(DesktopQuestion::Attach("https://staging.example.com".into()));
        engine.tell(Notice::Desktop(Box::new(DesktopInfo { question, ..DesktopInfo::default() })));
        engine
    };
    picture("link", USUAL, engine, |window| window.run_steps(20));
}

#[test]
fn dragged() {
    let engine = || {
        let engine = Scripted::with_sample();
        engine.tell(Notice::Drag(Drag::Over(vec!["/tmp/notes.txt".into(), "/tmp/form_that_raises.djrec".into()])));
        engine
    };
    picture("dragged", USUAL, engine, |_| {});
}

#[test]
fn update() {
    let engine = || {
        let engine = Scripted::with_sample();
        let state = UpdateState::Downloading { done: 13_000_000, of: 38_000_000 };
        let update = Some(Update { version: "0.2.0".into(), state });
        engine.tell(Notice::Desktop(Box::new(DesktopInfo { update, ..DesktopInfo::default() })));
        engine
    };
    picture("update", USUAL, engine, |_| {});
}
