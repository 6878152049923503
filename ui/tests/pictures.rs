//! Pictures of the window on the scripted engine, dark and light: those of `docs/UI.md`, compared pixel by pixel.
//!
//! `UPDATE_SNAPSHOTS=1 cargo test -p inspector-ui --test pictures` takes them anew. Look at each before it is committed.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test stops where something is wrong")]

mod common;

use common::driver::Driver as _;
use common::headless::Headless as Window;
use common::{Script, Scripted, sample};
use egui::{Key, Modifiers};
use egui_kittest::{SnapshotOptions, SnapshotResults};
use inspector_ui::{Memory, Startup, ThemeChoice};

/// Points; also pixels.
const SIZE: [f32; 2] = [1440.0, 900.0];

/// Takes a picture in both themes, of a window over what `engine` tells, after what `scene` does in it.
fn picture(name: &str, engine: impl Fn() -> Scripted, scene: impl Fn(&mut Window)) {
    let mut results = SnapshotResults::new();
    for (theme, word) in [(ThemeChoice::Dark, "dark"), (ThemeChoice::Light, "light")] {
        let startup = Startup { memory: Memory::with_theme(theme), ..Startup::default() };
        let mut window = Window::sized(&engine(), startup, SIZE);
        scene(&mut window);
        window.remove_cursor();
        window.settle();
        window.snapshot_options(format!("{name}_{word}"), &SnapshotOptions::new().output_path("../docs/images"));
        results.extend_harness(&mut window);
    }
}

fn of_sample(name: &str, scene: impl Fn(&mut Window)) {
    picture(name, Scripted::with_sample, scene);
}

#[test]
fn steps() {
    of_sample("steps", |window| window.select("Step 5 Event add_item"));
}

#[test]
fn state() {
    of_sample("state", |window| {
        window.select("Step 5 Event add_item");
        window.press(Key::S);
    });
}

#[test]
fn start() {
    of_sample("start", |window| window.press_with(Modifiers::ALT, Key::Num1));
}

#[test]
fn start_empty() {
    picture("start_empty", || Scripted::of(Script { sample: Some(sample()), ..Script::default() }), |_| {});
}

#[test]
fn configuration() {
    of_sample("configuration", |window| window.press_with(Modifiers::ALT, Key::Num3));
}

#[test]
fn rate_limit() {
    of_sample("rate_limit", |window| window.press_with(Modifiers::ALT, Key::Num4));
}

#[test]
fn reload() {
    of_sample("reload", |window| window.press_with(Modifiers::ALT, Key::Num5));
}

#[test]
fn palette() {
    of_sample("palette", |window| window.press_with(Modifiers::COMMAND, Key::K));
}
