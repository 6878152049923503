//! The parts of the window around and inside the steps view. Each is state of its own and a function that draws it.

pub mod banner;
pub mod breakpoints;
pub mod jump_dialog;
pub mod lookup;
pub mod sessions;
pub mod status_bar;
pub mod step;
pub mod strip;
pub mod table;
pub mod timemap;
pub mod top_bar;

use egui::{CentralPanel, Frame, Margin, Panel, Ui};

use crate::app::action::Cx;
use crate::views;
use crate::widgets::palette::Palette;

/// What drawing remembers between frames.
#[derive(Default)]
pub struct Panels {
    /// Timeline.
    pub strip: strip::Strip,
    /// Steps.
    pub table: table::Table,
    /// Find and history.
    pub lookup: lookup::LookupPanel,
    /// Details of the selected step.
    pub step: step::StepPanel,
    /// What a jump would not put back.
    pub jump: jump_dialog::JumpDialog,
    /// Palette and keys.
    pub palette: Palette,
    /// Start page.
    pub start: views::start::Start,
    /// Configuration.
    pub config: views::config::Config,
    /// Rate limit.
    pub rate: views::rate::RateView,
    /// What both count in the steps.
    pub tally: views::tally::Tally,
    /// Settings.
    pub settings: views::settings::Settings,
    /// Two views beside each other.
    pub compare: views::compare::CompareView,
    /// Of the panels at both sides.
    pub widths: Widths,
}

/// Sizes in points; `None` for those that were never shown.
#[derive(Clone, Copy, Default)]
pub struct Widths {
    /// Sessions.
    pub sessions: Option<f32>,
    /// Details of the selected step.
    pub step: Option<f32>,
    /// Height of the drawer below the table.
    pub drawer: Option<f32>,
}

/// Sessions, timeline, table and step.
pub fn workspace(state: &mut Panels, cx: &mut Cx<'_>, ui: &mut Ui) {
    let t = cx.t;
    // The table keeps room for its columns, however small the window is made.
    let room = ui.available_width();
    let side = Frame::new().fill(t.panel).inner_margin(Margin::symmetric(8, 6));
    let shown = Panel::left("sessions")
        .frame(side)
        .default_size(state.widths.sessions.unwrap_or(214.0))
        .size_range(130.0..=(room * 0.22).clamp(130.0, 420.0))
        .show(ui, |ui| sessions::ui(cx, ui));
    state.widths.sessions = Some(shown.response.rect.width());
    let shown = Panel::right("step")
        .frame(Frame::new().fill(t.panel))
        .default_size(state.widths.step.unwrap_or_else(|| (ui.available_width() * 0.38).clamp(300.0, 640.0)))
        .size_range(260.0..=(room * 0.48).clamp(260.0, 1100.0))
        .show(ui, |ui| step::ui(&mut state.step, cx, ui));
    state.widths.step = Some(shown.response.rect.width());
    Panel::top("timeline").frame(Frame::new().fill(t.panel)).resizable(false).show(ui, |ui| strip::ui(&mut state.strip, cx, ui));
    if cx.model.lookup.drawer.is_some() {
        let shown = Panel::bottom("lookup")
            .frame(Frame::new().fill(t.panel))
            .resizable(true)
            .default_size(state.widths.drawer.unwrap_or(220.0))
            .size_range(90.0..=(ui.available_height() * 0.6).max(90.0))
            .show(ui, |ui| {
                ui.take_available_space();
                lookup::ui(&mut state.lookup, cx, ui);
            });
        state.widths.drawer = Some(shown.response.rect.height());
    }
    CentralPanel::no_frame().frame(Frame::new().fill(t.ground)).show(ui, |ui| table::ui(&mut state.table, cx, ui));
}
