//! The real window on a real engine: laid out, read and clicked by its accessible labels, and painted for pictures.

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use egui_kittest::{Harness, SnapshotOptions, SnapshotResults};
use inspector_test_support::{Raster, SAME_PICTURE};
use inspector_ui::{InspectorApp, Startup};
use parking_lot::{Condvar, Mutex};

use crate::inspector::DEADLINE;

/// A window.
pub struct Screen {
    harness: Harness<'static, Option<InspectorApp>>,
    woken: Arc<(Mutex<bool>, Condvar)>,
}

impl Screen {
    /// Opens one on an engine.
    pub fn on(engine: inspector_engine::Window) -> Self {
        Self::started(engine, Startup::default(), || {
            SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("a clock").as_secs_f64()
        })
    }

    /// Opens one on an engine, with a clock of its own, Unix seconds.
    pub fn started(engine: inspector_engine::Window, startup: Startup, clock: impl Fn() -> f64 + 'static) -> Self {
        let mut begin = Some((engine, startup));
        let harness = Harness::builder().with_size([1440.0, 900.0]).with_max_steps(12).renderer(Raster::default()).build_ui_state(
            move |ui, window: &mut Option<InspectorApp>| {
                // As a host does: the window is made before its first frame, so that this frame has its fonts and styles.
                if let (None, Some((engine, startup))) = (&window, begin.take()) {
                    *window = Some(InspectorApp::new(Box::new(engine), ui.ctx(), startup));
                    return;
                }
                if let Some(window) = window {
                    window.logic(&ui.ctx().clone(), clock());
                    // The harness keeps a margin, a host does not.
                    let whole = ui.ctx().content_rect();
                    ui.set_clip_rect(whole);
                    window.ui(&mut ui.new_child(egui::UiBuilder::new().max_rect(whole)));
                }
            },
            None,
        );
        let woken = Arc::new((Mutex::new(false), Condvar::new()));
        let waker = woken.clone();
        harness.ctx.set_request_repaint_callback(move |_| {
            *waker.0.lock() = true;
            waker.1.notify_all();
        });
        Self { harness, woken }
    }

    fn words(&self) -> Vec<String> {
        let all = self.harness.query_all_by(|node| node.label().is_some() || node.value().is_some());
        all.flat_map(|node| [node.accesskit_node().label(), node.accesskit_node().value()]).flatten().collect()
    }

    /// Draws until a label has this part.
    pub fn until_says(&mut self, part: &str) {
        self.until(part, |screen| screen.words().iter().any(|word| word.contains(part)));
    }

    /// Draws until the engine owes no answer.
    pub fn until_answered(&mut self) {
        self.until("an answer", |screen| !screen.harness.state().as_ref().is_some_and(InspectorApp::is_waiting));
        self.harness.run_steps(2);
    }

    fn until(&mut self, what: &str, holds: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + DEADLINE;
        loop {
            self.harness.run_steps(2);
            if holds(self) {
                return;
            }
            let mut woken = self.woken.0.lock();
            if !std::mem::take(&mut *woken) && self.woken.1.wait_until(&mut woken, deadline).timed_out() {
                drop(woken);
                panic!("waited {} s for “{what}”; there was:\n{}", DEADLINE.as_secs(), self.words().join("\n"));
            }
        }
    }

    /// Waits for what has this label, and clicks it.
    pub fn click(&mut self, label: &str) {
        self.until_says(label);
        self.harness.get_by_label(label).click();
        self.harness.run_steps(3);
    }

    /// Presses a key, and draws until what it asked for is there.
    pub fn press(&mut self, modifiers: Modifiers, key: Key) {
        self.harness.key_press_modifiers(modifiers, key);
        self.until_answered();
    }

    /// Types into the field with this label.
    pub fn type_into(&mut self, label: &str, text: &str) {
        self.harness.get_by_label(label).focus();
        self.harness.run_steps(2);
        self.harness.get_by_label(label).type_text(text);
        self.until_answered();
    }

    /// Compares the window with its picture in a folder.
    pub fn picture(&mut self, folder: &str, name: &str) -> SnapshotResults {
        self.harness.remove_cursor();
        self.until_answered();
        self.harness.snapshot_options(name, &SnapshotOptions::new().threshold(SAME_PICTURE).output_path(folder));
        self.harness.take_snapshot_results()
    }
}
