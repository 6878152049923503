//! The window as a whole: takes notices in, decides, draws, and carries out what drawing asked for.

mod act;
pub mod action;
mod engine;
pub mod host;
mod keys;
pub mod model;
pub mod slot;

use egui::{Context, Ui};
use inspector_model::{Handle, Notice};

use self::action::{Action, Cx};
use self::engine::Engine;
use self::host::{Host, Startup, ThemeChoice};
use self::model::{Model, Page};
use crate::panels::Panels;
use crate::{panels, theme, views, widgets};

/// Steps that are taken in per frame at most: a large recording arrives over several frames instead of freezing one.
const STEPS_PER_FRAME: usize = 20_000;

/// The inspector's window. Call [`InspectorApp::logic`] and then [`InspectorApp::ui`] in each frame.
pub struct InspectorApp {
    engine: Engine,
    host: Box<dyn Host>,
    model: Model,
    panels: Panels,
    theme: ThemeChoice,
    now: f64,
}

impl InspectorApp {
    /// Makes the window, installs its look in `ctx`, sets the handle's waker, and sends the startup's requests.
    pub fn new(handle: Box<dyn Handle>, ctx: &Context, startup: Startup) -> Self {
        theme::install(ctx);
        let waker = ctx.clone();
        handle.set_waker(Box::new(move || waker.request_repaint()));
        let mut app = Self {
            engine: Engine::new(handle),
            host: startup.host,
            model: Model::new(),
            panels: Panels::default(),
            theme: startup.theme,
            now: 0.0,
        };
        app.set_theme(ctx, startup.theme);
        for request in startup.requests {
            app.engine.command(&mut app.model, request, 0.0);
        }
        app
    }

    /// Takes in what the engine has to tell, and asks it for what is looked at. `now` is in Unix seconds.
    pub fn logic(&mut self, ctx: &Context, now: f64) {
        self.now = now;
        let mut notices: Vec<Notice> = Vec::new();
        if self.engine.drain(STEPS_PER_FRAME, &mut notices) {
            ctx.request_repaint();
        }
        for notice in notices {
            self.engine.take(&mut self.model, notice, now);
        }
        self.settle(ctx);
    }

    /// Draws, then carries out what was asked for.
    pub fn ui(&mut self, ui: &mut Ui) {
        let mut actions: Vec<Action> = Vec::new();
        keys::take(ui.ctx(), &self.model, &mut self.panels, &mut actions);
        let mut cx =
            Cx { model: &self.model, t: theme::tokens(ui), has_dialogs: self.host.has_dialogs(), theme: self.theme, actions: &mut actions };
        draw(&mut self.panels, &mut cx, ui);
        let ctx = ui.ctx().clone();
        if !actions.is_empty() {
            for action in actions {
                self.act(&ctx, action);
            }
            self.settle(&ctx);
            ctx.request_repaint();
        }
    }

    /// Brings everything that is derived up to date: rows, selection, playing, pulled values, messages.
    fn settle(&mut self, ctx: &Context) {
        self.model.refresh_visible();
        self.follow_and_play(ctx);
        self.engine.pull(&mut self.model);
        let now = self.now;
        self.model.toasts.retain(|toast| toast.until > now);
        if let Some(next) = self.model.toasts.iter().map(|toast| toast.until).min_by(f64::total_cmp) {
            ctx.request_repaint_after(std::time::Duration::from_secs_f64((next - now).clamp(0.05, 30.0)));
        }
        let model = &mut self.model;
        let timelines = &model.timelines;
        model.jumps.retain(|jump| {
            timelines
                .iter()
                .any(|timeline| timeline.id() == jump.source && timeline.cursor(&jump.session) != inspector_model::RemoteCursor::Live)
        });
    }

    fn set_theme(&mut self, ctx: &Context, choice: ThemeChoice) {
        self.theme = choice;
        ctx.set_theme(match choice {
            ThemeChoice::System => egui::ThemePreference::System,
            ThemeChoice::Dark => egui::ThemePreference::Dark,
            ThemeChoice::Light => egui::ThemePreference::Light,
        });
    }
}

fn draw(state: &mut Panels, cx: &mut Cx<'_>, ui: &mut Ui) {
    panels::top_bar::ui(cx, ui);
    panels::banner::ui(cx, ui);
    if cx.model.timeline().is_some() {
        panels::status_bar::ui(cx, ui);
    }
    match cx.model.page {
        Page::Steps if cx.model.timeline().is_some() => panels::workspace(state, cx, ui),
        Page::Config if cx.model.timeline().is_some() => views::config::ui(&mut state.config, cx, ui),
        Page::Rate if cx.model.timeline().is_some() => views::rate::ui(cx, ui),
        Page::Reload if cx.model.timeline().is_some() => views::reload::ui(cx, ui),
        Page::Health if cx.model.timeline().is_some() => views::health::ui(cx, ui),
        _ => views::start::ui(&mut state.start, cx, ui),
    }
    widgets::palette::ui(&mut state.palette, cx, ui.ctx());
    widgets::toasts::ui(cx, ui.ctx());
}
