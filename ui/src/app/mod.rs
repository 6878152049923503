//! The window as a whole: takes notices in, decides, draws, and carries out what drawing asked for.

pub mod act;
pub mod action;
pub mod branches;
pub mod compare;
pub mod costs;
pub mod desktop;
pub mod edit_check;
mod engine;
pub mod export;
pub mod filters;
mod keys;
pub mod layout;
pub mod lookup;
pub mod messages;
pub mod model;
pub mod order;
pub mod pinned;
pub mod replay;
pub mod rows;
pub mod slot;
pub mod startup;

use egui::{Context, Ui};
use inspector_model::{Handle, Notice};

use self::action::{Action, Cx};
use self::engine::Engine;
use self::model::{Model, Page};
use self::startup::{Memory, Startup, ThemeChoice};
use crate::panels::Panels;
use crate::panels::layout::Workspace;
use crate::{panels, theme, views, widgets};

/// Steps that are taken in per frame at most: a large recording arrives over several frames instead of freezing one.
const STEPS_PER_FRAME: usize = 20_000;

/// The inspector's window. Call [`InspectorApp::logic`] and then [`InspectorApp::ui`] in each frame.
pub struct InspectorApp {
    engine: Engine,
    model: Model,
    panels: Panels,
    theme: ThemeChoice,
    text_size: u16,
    now: f64,
    /// The user has said that the window is closed.
    closes: bool,
}

impl InspectorApp {
    /// Makes the window as it was left, shows it in `ctx`, and sends the startup's requests.
    pub fn new(handle: Box<dyn Handle>, ctx: &Context, startup: Startup) -> Self {
        let Startup { memory, requests } = startup;
        let text_size = memory.text_size.unwrap_or(100);
        let (engine, panels) = (Engine::new(handle, &memory), Panels::default());
        let mut app = Self { engine, model: Model::new(), panels, theme: memory.theme, text_size, now: 0.0, closes: false };
        app.model.on_close = memory.on_close;
        app.model.page = memory.page.unwrap_or_default();
        app.model.tab = memory.tab;
        app.panels.workspace = Workspace::new(&memory.layout);
        app.model.compare.ignore = memory.ignore;
        app.model.filters = memory.filters;
        app.model.sort = memory.sort;
        if let Some(columns) = memory.columns {
            app.panels.table.columns.set(&columns);
        }
        app.model.pinned = pinned::Pinned::restored(memory.pins);
        app.set_filter(memory.filter);
        app.show_in(ctx);
        for request in requests {
            app.engine.command(&mut app.model, request, 0.0);
        }
        app
    }

    /// Moves the window to another context, for instance when its canvas was lost: installs its look there, and wakes it from now on.
    pub fn show_in(&mut self, ctx: &Context) {
        theme::install(ctx);
        self.set_theme(ctx, self.theme);
        ctx.set_zoom_factor(f32::from(self.text_size) / 100.0);
        self.engine.wake(ctx.clone());
    }

    /// What is to be kept for the next start.
    pub fn memory(&self) -> Memory {
        Memory {
            theme: self.theme,
            text_size: Some(self.text_size),
            filter: self.model.filter_text.clone(),
            filters: self.model.filters.clone(),
            sort: self.model.sort,
            columns: self.panels.table.columns.chosen(),
            scope: self.model.scope.clone(),
            page: Some(self.model.page),
            tab: self.model.tab,
            source: self.model.current,
            layout: self.panels.workspace.layout(),
            ignore: self.model.compare.ignore.clone(),
            pins: self.model.pinned.pins().to_vec(),
            on_close: self.model.on_close,
        }
    }

    /// Whether the engine still owes an answer. While it does, something on screen may be about to change.
    pub const fn is_waiting(&self) -> bool {
        self.engine.is_waiting()
    }

    /// Takes in what the engine has to tell, and asks it for what is looked at. `now` is in Unix seconds.
    pub fn logic(&mut self, ctx: &Context, now: f64) {
        self.now = now;
        let mut notices: Vec<Notice> = Vec::new();
        let more = self.engine.drain(STEPS_PER_FRAME, &mut notices);
        if more {
            ctx.request_repaint();
        }
        let told = !notices.is_empty();
        for notice in notices {
            self.engine.take(&mut self.model, notice, now);
        }
        if told && !more {
            self.engine.told_all();
        }
        self.reply_as_remembered();
        self.settle(ctx);
    }

    /// Draws, then carries out what was asked for.
    pub fn ui(&mut self, ui: &mut Ui) {
        self.take_files(ui.ctx());
        let mut actions: Vec<Action> = Vec::new();
        keys::take(ui.ctx(), &self.model, &mut self.panels, &mut actions);
        let mut cx = Cx {
            model: &self.model,
            t: theme::tokens(ui),
            theme: self.theme,
            text_size: self.text_size,
            seat: None,
            actions: &mut actions,
        };
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
        if self.model.refresh_rows(self.panels.table.under_pointer()) {
            ctx.request_repaint();
        }
        let model = &mut self.model;
        model.branches.refresh(model.timelines.iter().find(|timeline| Some(timeline.id()) == model.current));
        let workspace = &self.panels.workspace;
        (self.model.panes, self.model.in_sight) = (workspace.shown(), workspace.in_sight());
        desktop::show_awaited(&mut self.model);
        self.follow_and_play(ctx);
        self.engine.pull(&mut self.model);
        self.engine.look_up(&mut self.model);
        self.engine.lead_pages(&self.model);
        pinned::pull(&mut self.engine, &mut self.model, self.now, ctx);
        self.model.edges.pull(&mut self.engine);
        compare::pull(&mut self.engine, &mut self.model);
        export::pull(&mut self.engine, &mut self.model, self.now);
        replay::advance(&mut self.engine, &mut self.model, self.now);
        edit_check::advance(&mut self.engine, &mut self.model, self.now);
        let now = self.now;
        if let Some(next) = self.model.messages.expire(now, self.panels.over_toasts) {
            ctx.request_repaint_after(std::time::Duration::from_secs_f64((next - now).clamp(0.05, 30.0)));
        }
        if self.model.trial.as_ref().is_some_and(replay::Trial::is_running) {
            ctx.request_repaint_after(replay::PATIENCE);
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
    panels::top_bar::ui(&mut state.messages, cx, ui);
    panels::banner::ui(cx, ui);
    panels::update::ui(cx, ui);
    if cx.model.timeline().is_some() {
        panels::status_bar::ui(cx, ui);
    }
    match cx.model.page {
        Page::Steps if cx.model.timeline().is_some() => panels::layout::ui(state, cx, ui),
        Page::Config if cx.model.timeline().is_some() => views::config::ui(&mut state.config, &mut state.tally, cx, ui),
        Page::Rate if cx.model.timeline().is_some() => views::rate::ui(&mut state.rate, &mut state.tally, cx, ui),
        Page::Reload if cx.model.timeline().is_some() => views::reload::ui(cx, ui),
        Page::Settings => views::settings::ui(&mut state.settings, cx, ui),
        Page::Compare if cx.model.timeline().is_some() => views::compare::ui(&mut state.compare, cx, ui),
        Page::Health if cx.model.timeline().is_some() => views::health::ui(cx, ui),
        _ => views::start::ui(&mut state.start, cx, ui),
    }
    views::export::ui(cx, ui.ctx());
    panels::jump_dialog::ui(&mut state.jump, cx, ui.ctx());
    panels::sealed_file::ui(&mut state.sealed_file, cx, ui.ctx());
    panels::edit_check::dialog(&mut state.edit_check, cx, ui.ctx());
    panels::question::ui(&mut state.question, cx, ui.ctx());
    widgets::palette::ui(&mut state.palette, cx, ui.ctx());
    panels::drop::ui(cx, ui.ctx());
    let over = widgets::toasts::ui(cx, ui.ctx());
    if std::mem::replace(&mut state.over_toasts, over) != over {
        // Their time goes on, or stops.
        ui.ctx().request_repaint();
    }
}
