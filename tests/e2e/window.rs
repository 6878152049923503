//! The real window on a real engine: laid out, read and clicked by its accessible labels, never painted.

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
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
        let mut engine = Some(engine);
        let harness = Harness::builder().with_size([1440.0, 900.0]).with_max_steps(12).build_ui_state(
            move |ui, window: &mut Option<InspectorApp>| {
                // As a host does: the window is made before its first frame, so that this frame has its fonts and styles.
                if let (None, Some(engine)) = (&window, engine.take()) {
                    *window = Some(InspectorApp::new(Box::new(engine), ui.ctx(), Startup::default()));
                    return;
                }
                if let Some(window) = window {
                    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("a clock").as_secs_f64();
                    window.logic(&ui.ctx().clone(), now);
                    window.ui(ui);
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
        let deadline = Instant::now() + DEADLINE;
        loop {
            self.harness.run_steps(2);
            let words = self.words();
            if words.iter().any(|word| word.contains(part)) {
                return;
            }
            let mut woken = self.woken.0.lock();
            if !std::mem::take(&mut *woken) && self.woken.1.wait_until(&mut woken, deadline).timed_out() {
                drop(woken);
                panic!("waited {} s for “{part}”; there was:\n{}", DEADLINE.as_secs(), words.join("\n"));
            }
        }
    }

    /// Waits for what has this label, and clicks it.
    pub fn click(&mut self, label: &str) {
        self.until_says(label);
        self.harness.get_by_label(label).click();
        self.harness.run_steps(3);
    }
}
