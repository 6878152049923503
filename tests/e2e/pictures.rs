//! The pictures of `docs/UI.md`: the real window on the real engine, with the sample recordings, dark and light.
//!
//! `UPDATE_SNAPSHOTS=1 cargo test --test e2e pictures` takes them anew. Look at each before it is committed.

use std::collections::BTreeSet;
use std::path::PathBuf;

use egui::{Key, Modifiers};
use egui_kittest::SnapshotResults;
use inspector_engine::{Engine, Settings};
use inspector_model::Request;
use inspector_ui::{Memory, Startup, ThemeChoice};

use crate::window::Screen;

/// The window's clock stands still, Unix seconds.
const NOW: f64 = 1_795_436_000.0;

/// Takes a picture in both themes, of a window that has these samples in its library and the first of them open, after what `scene` does in it.
fn picture(name: &str, samples: &[&str], scene: impl Fn(&mut Screen)) {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let mut results = SnapshotResults::new();
    for (theme, word) in [(ThemeChoice::Dark, "dark"), (ThemeChoice::Light, "light")] {
        let data = tempfile::tempdir().expect("a temporary folder");
        let engine = Engine::start(&Settings::new(data.path())).expect("the engine starts");
        let files: Vec<PathBuf> = samples.iter().map(|sample| root.join(format!("recordings/{sample}.djrec"))).collect();
        for file in &files {
            engine.store().import(file, &|_, _| true).expect("a sample");
        }
        let requests = files.into_iter().take(1).map(Request::OpenFile).collect();
        let startup = Startup { memory: Memory::with_theme(theme), requests };
        let mut screen = Screen::started(engine.window(), startup, || NOW);
        screen.until_answered();
        scene(&mut screen);
        results.extend(screen.picture(&root.join("docs/images").to_string_lossy(), &format!("{name}_{word}")));
    }
}

fn step(screen: &mut Screen, label: &str) {
    screen.press(Modifiers::NONE, Key::Home);
    screen.click(label);
    screen.until_answered();
}

fn tab(screen: &mut Screen, label: &str, key: Key) {
    step(screen, label);
    screen.press(Modifiers::NONE, key);
}

const REMOVED: &str = "Step 6 Event remove_line";
const RAISED: &str = "Step 7 Event order";

/// Each is a test of its own.
macro_rules! pictures {
    ($($name:ident: [$($sample:literal),*], $scene:expr;)*) => {
        $(#[test] fn $name() { picture(stringify!($name), &[$($sample),*], $scene); })*
    };
}

pictures! {
    steps: ["shop"], |screen| step(screen, REMOVED);
    tab_state: ["shop"], |screen| {
        tab(screen, REMOVED, Key::S);
        screen.click("lines list");
    };
    tab_params: ["counter"], |screen| tab(screen, "Step 4 Event add", Key::P);
    tab_page: ["shop"], |screen| tab(screen, REMOVED, Key::G);
    tab_patches: ["shop"], |screen| tab(screen, REMOVED, Key::T);
    tab_sql: ["shop"], |screen| tab(screen, "Step 1 Mount ShopView", Key::Q);
    tab_log: ["shop"], |screen| tab(screen, RAISED, Key::O);
    tab_frames: ["shop"], |screen| tab(screen, REMOVED, Key::W);
    tab_timing: ["counter"], |screen| tab(screen, "Step 5 Event increment", Key::I);
    sizes: ["big_state"], |screen| {
        tab(screen, "Step 4 Event edit_row", Key::S);
        screen.click("Sizes");
    };
    moved: ["form"], |screen| step(screen, "Step 3 Event reverse");
    large: ["big_state"], |screen| step(screen, "Step 5 Event drop_half");
    components: ["components"], |screen| step(screen, "Step 8 Event next_track");
    found: ["shop"], |screen| {
        screen.press(Modifiers::COMMAND.plus(Modifiers::SHIFT), Key::F);
        screen.type_into("Find in values", "lamp");
    };
    pinned: ["shop"], |screen| {
        tab(screen, REMOVED, Key::S);
        for name in ["total", "coupon"] {
            screen.click(&format!("Menu of {name}"));
            screen.click("Pin this value");
        }
    };
    branches: ["counter"], |screen| {
        step(screen, "Step 9 Replay add");
        screen.press(Modifiers::SHIFT, Key::B);
    };
    completion: ["shop"], |screen| {
        screen.press(Modifiers::COMMAND, Key::F);
        screen.type_into("Filter steps", "changed:");
    };
    export: ["shop"], |screen| {
        step(screen, REMOVED);
        screen.press(Modifiers::COMMAND, Key::E);
    };
    breakpoints: ["shop"], |screen| screen.press(Modifiers::COMMAND.plus(Modifiers::SHIFT), Key::B);
    start: ["counter", "shop", "hvr"], |screen| screen.press(Modifiers::ALT, Key::Num1);
    configuration: ["shop"], |screen| screen.press(Modifiers::ALT, Key::Num3);
    rate_limit: ["rate_limit"], |screen| screen.press(Modifiers::ALT, Key::Num4);
    reload: ["hvr"], |screen| screen.press(Modifiers::ALT, Key::Num5);
    health: ["shop"], |screen| screen.press(Modifiers::ALT, Key::Num6);
    settings: ["shop"], |screen| screen.press(Modifiers::COMMAND, Key::Comma);
    palette: ["shop"], |screen| {
        screen.press(Modifiers::COMMAND, Key::K);
        screen.type_into("Search commands", "step");
    };
    keys: ["shop"], |screen| screen.press(Modifiers::NONE, Key::Questionmark);
}

#[test]
fn the_page_about_the_window_shows_every_picture_and_no_other() {
    let docs = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs");
    let page = std::fs::read_to_string(docs.join("UI.md")).expect("the page");
    let name = |picture: &str| picture.trim_end_matches("_dark.png").trim_end_matches("_light.png").to_owned();
    let shown: BTreeSet<String> = page.split("](images/").skip(1).filter_map(|rest| rest.split(')').next()).map(name).collect();
    let there = std::fs::read_dir(docs.join("images")).expect("the folder").filter_map(Result::ok);
    let there: BTreeSet<String> = there
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|file| file.ends_with("_dark.png") || file.ends_with("_light.png"))
        .map(|file| name(&file))
        .collect();
    assert_eq!(shown, there);
}
