//! The native window: eframe on OpenGL.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::{SystemTime, UNIX_EPOCH};

use eframe::egui;
use inspector_model::{Handle, Secret};

use crate::unlock::Unlock;
use crate::{InspectorApp, Memory, Startup, theme};

/// Why no window could be opened.
#[derive(Debug, thiserror::Error)]
#[error("no window can be opened: {0}")]
pub struct NativeError(String);

struct Native {
    app: InspectorApp,
    remembers: bool,
}

impl eframe::App for Native {
    fn logic(&mut self, ctx: &egui::Context, _frame: &mut eframe::Frame) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64());
        self.app.logic(ctx, now);
        if ctx.input(|input| input.viewport().close_requested()) && !self.app.may_close() {
            ctx.send_viewport_cmd(egui::ViewportCommand::CancelClose);
            // The question is to be seen, also where the window was closed from the task bar.
            ctx.send_viewport_cmd(egui::ViewportCommand::Minimized(false));
            ctx.send_viewport_cmd(egui::ViewportCommand::Focus);
            ctx.request_repaint();
        }
    }

    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
        self.app.ui(ui);
        if self.app.closes() {
            ui.ctx().send_viewport_cmd(egui::ViewportCommand::Close);
        }
    }

    fn save(&mut self, storage: &mut dyn eframe::Storage) {
        if self.remembers {
            storage.set_string(Memory::KEY, self.app.memory().to_text());
        }
    }

    fn persist_egui_memory(&self) -> bool {
        // What is worth keeping is in `Memory`.
        false
    }
}

/// Opens the window and returns when it is closed. Must be called on the main thread.
///
/// The window's place and its [`Memory`] are kept in `memory_file`; what it says wins over the startup's. `None` keeps nothing.
pub fn run_native(handle: Box<dyn Handle + Send>, startup: Startup, memory_file: Option<PathBuf>) -> Result<(), NativeError> {
    let mut viewport = egui::ViewportBuilder::default()
        .with_title("djust inspector")
        .with_app_id("djust-inspector")
        .with_inner_size([1440.0, 900.0])
        .with_min_inner_size([960.0, 560.0]);
    if let Ok(icon) = eframe::icon_data::from_png_bytes(include_bytes!("../../icons/icon.png")) {
        viewport = viewport.with_icon(icon);
    }
    let remembers = memory_file.is_some();
    let options = eframe::NativeOptions {
        viewport,
        renderer: eframe::Renderer::Glow,
        persist_window: remembers,
        persistence_path: memory_file,
        ..Default::default()
    };
    let start = move |cc: &eframe::CreationContext<'_>| -> Result<Box<dyn eframe::App>, Box<dyn std::error::Error + Send + Sync>> {
        let mut startup = startup;
        if let Some(text) = cc.storage.filter(|_| remembers).and_then(|storage| storage.get_string(Memory::KEY)) {
            startup.memory = Memory::from_text(&text);
        }
        Ok(Box::new(Native { app: InspectorApp::new(handle, &cc.egui_ctx, startup), remembers }))
    };
    eframe::run_native("djust-inspector", options, Box::new(start)).map_err(|error| NativeError(error.to_string()))
}

/// The library's passphrase, asked for in a window of its own: what `attempt` makes of the right one, or `None` when the window is closed.
/// `attempt` takes its time and is called on a thread of its own. Must be called on the main thread, before [`run_native`].
pub fn ask_passphrase<T: Send + 'static>(
    attempt: impl Fn(&Secret) -> Result<T, String> + Send + Sync + 'static,
) -> Result<Option<T>, NativeError> {
    let viewport = egui::ViewportBuilder::default()
        .with_title("djust inspector")
        .with_app_id("djust-inspector")
        .with_inner_size([460.0, 140.0])
        .with_resizable(false);
    let options = eframe::NativeOptions { viewport, renderer: eframe::Renderer::Glow, persist_window: false, ..Default::default() };
    let attempt = Arc::new(attempt);
    let on_a_thread = move |typed: Secret, ctx: &egui::Context| {
        let (tell, told) = sync_channel(1);
        let (attempt, ctx, not_begun) = (attempt.clone(), ctx.clone(), tell.clone());
        let work = move || {
            // Nobody waits for it any more when the window is gone.
            let _ = tell.send(attempt(&typed));
            ctx.request_repaint();
        };
        if let Err(error) = std::thread::Builder::new().name("unlock".to_owned()).spawn(work) {
            not_begun.try_send(Err(format!("It could not be tried: {error}"))).ok();
        }
        told
    };
    let (tell, told) = sync_channel(1);
    let start = move |cc: &eframe::CreationContext<'_>| -> Result<Box<dyn eframe::App>, Box<dyn std::error::Error + Send + Sync>> {
        theme::install(&cc.egui_ctx);
        Ok(Box::new(Asking { unlock: Unlock::new(Box::new(on_a_thread)), tell }))
    };
    eframe::run_native("djust-inspector", options, Box::new(start)).map_err(|error| NativeError(error.to_string()))?;
    Ok(told.try_recv().ok())
}

struct Asking<T> {
    unlock: Unlock<T>,
    tell: SyncSender<T>,
}

impl<T> eframe::App for Asking<T> {
    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
        if let Some(opened) = self.unlock.ui(ui) {
            // There is room for the one that comes.
            self.tell.try_send(opened).ok();
            ui.ctx().send_viewport_cmd(egui::ViewportCommand::Close);
        }
    }

    fn persist_egui_memory(&self) -> bool {
        false
    }
}
