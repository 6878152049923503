//! The native window: eframe on OpenGL.

use std::time::{SystemTime, UNIX_EPOCH};

use eframe::egui;
use inspector_model::Handle;

use crate::{InspectorApp, Startup};

/// Why no window could be opened.
#[derive(Debug, thiserror::Error)]
#[error("no window can be opened: {0}")]
pub struct NativeError(String);

struct Native(InspectorApp);

impl eframe::App for Native {
    fn logic(&mut self, ctx: &egui::Context, _frame: &mut eframe::Frame) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64());
        self.0.logic(ctx, now);
    }

    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
        self.0.ui(ui);
    }
}

/// Opens the window and returns when it is closed. Must be called on the main thread.
pub fn run_native(handle: Box<dyn Handle + Send>, startup: Startup) -> Result<(), NativeError> {
    let mut viewport = egui::ViewportBuilder::default()
        .with_title("djust inspector")
        .with_app_id("djust-inspector")
        .with_inner_size([1440.0, 900.0])
        .with_min_inner_size([960.0, 560.0]);
    if let Ok(icon) = eframe::icon_data::from_png_bytes(include_bytes!("../../icons/icon.png")) {
        viewport = viewport.with_icon(icon);
    }
    let options = eframe::NativeOptions { viewport, renderer: eframe::Renderer::Glow, ..Default::default() };
    eframe::run_native(
        "djust-inspector",
        options,
        Box::new(move |cc| Ok(Box::new(Native(InspectorApp::new(handle, &cc.egui_ctx, startup))))),
    )
    .map_err(|error| NativeError(error.to_string()))
}
