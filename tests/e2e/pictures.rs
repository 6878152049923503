//! The pictures of `docs/UI.md`: the real window on the real engine, with the sample recordings, dark and light.
//!
//! `UPDATE_SNAPSHOTS=1 cargo test --test e2e pictures` takes them anew. Look at each before it is committed.

use std::path::PathBuf;

use egui::{Key, Modifiers};
use egui_kittest::SnapshotResults;
use inspector_engine::{Engine, Settings};
use inspector_model::Request;
use inspector_ui::{Memory, Startup, ThemeChoice};

use crate::window::Screen;

/// The window's clock stands still, Unix seconds.
const NOW: f64 = 1_795_436_000.0;

/// Takes a picture in both themes, of a window in which these samples were opened, after what `scene` does in it.
fn picture(name: &str, samples: &[&str], scene: impl Fn(&mut Screen)) {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let mut results = SnapshotResults::new();
    for (theme, word) in [(ThemeChoice::Dark, "dark"), (ThemeChoice::Light, "light")] {
        let data = tempfile::tempdir().expect("a temporary folder");
        let engine = Engine::start(&Settings { data_dir: data.path().to_owned() }).expect("the engine starts");
        let requests = samples.iter().map(|sample| Request::OpenFile(root.join(format!("recordings/{sample}.djrec")))).collect();
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

#[test]
fn steps() {
    picture("steps", &["shop"], |screen| step(screen, "Step 6 Event remove_line"));
}
