//! What drawing asks for. Panels push these; the app carries them out when everything is drawn.

use inspector_model::{DesktopSetting, Request, Scope, SearchOptions, Side, SourceId, StepId, WorkId};

use super::compare::CompareWish;
use super::export::ExportWish;
use super::lookup::{Drawer, Followed};
use super::model::{Model, Page};
use super::pinned::Pin;
use super::startup::ThemeChoice;
use crate::commands::UiCommand;
use crate::theme::Tokens;

/// One wish of the user.
#[derive(Clone, Debug)]
pub enum Action {
    /// A command.
    Do(UiCommand),
    /// Select a step. Ends following and playing.
    Select(StepId),
    /// Show these pages only.
    Scope(Scope),
    /// Look at this source.
    Source(SourceId),
    /// Open a whole-window view.
    Show(Page),
    /// Look for this in the whole recording.
    Find(SearchOptions),
    /// End the search; what was found stays.
    StopFinding,
    /// When did this value change?
    Follow(Box<Followed>),
    /// Show what assigns cost, or the values.
    ShowCosts(bool),
    /// Follow this value from step to step.
    PinValue(Box<Pin>),
    /// Follow it no more.
    Unpin(Box<Pin>),
    /// Open or close the drawer below the table.
    Drawer(Option<Drawer>),
    /// Which end of the step is meant.
    Side(Side),
    /// Compare with this end of this step.
    Pin(Option<(StepId, Side)>),
    /// The filter's text.
    Filter(String),
    /// Speed of playing.
    Speed(f32),
    /// Send a request; the answer is shown as a message.
    Send(Box<Request>),
    /// To the clipboard; the second text says what it was.
    Copy(String, &'static str),
    /// Something of the export dialog.
    Export(ExportWish),
    /// Stop long work.
    Stop(WorkId),
    /// Switch something of the desktop.
    Set(DesktopSetting),
    /// The size of text, percent.
    TextSize(u16),
    /// Choose the theme.
    Theme(ThemeChoice),
    /// Remove a message.
    Dismiss(usize),
    /// Something of the comparison of two views.
    Compare(CompareWish),
    /// End replaying.
    StopReplays,
}

/// What panels see while they draw.
pub struct Cx<'a> {
    /// What is known.
    pub model: &'a Model,
    /// The colours.
    pub t: &'static Tokens,
    /// The theme as chosen.
    pub theme: ThemeChoice,
    /// The size of text, percent.
    pub text_size: u16,
    /// Wishes of this frame.
    pub actions: &'a mut Vec<Action>,
}

impl Cx<'_> {
    /// Asks for something.
    pub fn push(&mut self, action: Action) {
        self.actions.push(action);
    }

    /// Asks for a command.
    pub fn run(&mut self, command: UiCommand) {
        self.actions.push(Action::Do(command));
    }
}
