//! The window without a host: egui's own test harness.

use std::ops::{Deref, DerefMut};

use egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use inspector_test_support::Raster;
use inspector_ui::{InspectorApp, Memory, Startup};

use super::Scripted;
use super::driver::{Driver, Widget};

/// The window's clock stands still.
const NOW: f64 = 1_795_436_000.0;

/// A window that is laid out, and painted when a picture of it is wanted.
pub struct Headless(Harness<'static, Option<InspectorApp>>);

impl Headless {
    /// Opens a window.
    pub fn sized(engine: &Scripted, startup: Startup, size: [f32; 2]) -> Self {
        let handle = engine.clone();
        let mut startup = Some(startup);
        let harness = Harness::builder().with_size(egui::Vec2::from(size)).with_max_steps(12).renderer(Raster::default()).build_ui_state(
            move |ui, window: &mut Option<InspectorApp>| {
                // As a host does: the window is made before its first frame, so that this frame has its fonts and styles.
                let Some(window) = window else {
                    *window = Some(InspectorApp::new(Box::new(handle.clone()), ui.ctx(), startup.take().unwrap_or_default()));
                    return;
                };
                window.logic(&ui.ctx().clone(), NOW);
                // The harness keeps a margin, a host does not.
                let whole = ui.ctx().content_rect();
                ui.set_clip_rect(whole);
                window.ui(&mut ui.new_child(egui::UiBuilder::new().max_rect(whole)));
            },
            None,
        );
        let mut window = Self(harness);
        window.settle();
        window
    }
}

impl Deref for Headless {
    type Target = Harness<'static, Option<InspectorApp>>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl DerefMut for Headless {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

impl Driver for Headless {
    fn open_with(engine: &Scripted, memory: Memory) -> Self {
        Self::sized(engine, Startup { memory, ..Startup::default() }, [1440.0, 900.0])
    }

    /// Some frames: answers of the script come one frame after their requests.
    fn settle(&mut self) {
        self.0.run_steps(4);
    }

    fn press_with(&mut self, modifiers: Modifiers, key: Key) {
        self.0.key_press_modifiers(modifiers, key);
        self.settle();
    }

    fn click(&mut self, label: &str) {
        self.0.get_by_label(label).scroll_to_me();
        self.settle();
        self.0.get_by_label(label).click();
        self.settle();
    }

    fn type_into(&mut self, label: &str, text: &str) {
        // As in a page: a field has the keyboard before it is typed into.
        self.0.get_by_label(label).focus();
        self.settle();
        self.0.get_by_label(label).type_text(text);
        self.settle();
    }

    fn widgets(&self) -> Vec<Widget> {
        self.0
            .query_all_by(|node| node.label().is_some() || node.value().is_some())
            .map(|node| {
                let node = node.accesskit_node();
                let is_text = node.role() == egui::accesskit::Role::Label;
                Widget {
                    label: if is_text { node.value() } else { node.label() }.unwrap_or_default(),
                    value: node.value(),
                    disabled: node.is_disabled(),
                    toggled: node.toggled().map(|toggled| toggled == egui::accesskit::Toggled::True),
                }
            })
            .collect()
    }

    fn memory(&mut self) -> Memory {
        self.0.state().as_ref().map(InspectorApp::memory).unwrap_or_default()
    }
}
