//! What drawing asks for. Panels push these; the app carries them out when everything is drawn.

use inspector_model::{
    DesktopQuestion, DesktopSetting, JumpTarget, Reply, Request, Scope, SearchOptions, Secret, Side, SourceId, StepId, UpdateStep, WorkId,
};

use super::branches::Edge;
use super::compare::CompareWish;
use super::export::ExportWish;
use super::filters::FilterWish;
use super::layout::Pane;
use super::lookup::Followed;
use super::messages::MessagesWish;
use super::model::{JumpAnswer, Model, Page};
use super::order::Sort;
use super::pinned::Pin;
use super::startup::ThemeChoice;
use crate::commands::UiCommand;
use crate::panels::layout::Seat;
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
    /// Show a pane, in front of its tabs.
    ShowPane(Pane),
    /// Hide a pane.
    HidePane(Pane),
    /// What did this replay send other than before?
    SeeEdge(Edge),
    /// Select a range of time, Unix seconds.
    Brush(Option<(f64, f64)>),
    /// Which end of the step is meant.
    Side(Side),
    /// Compare with this end of this step.
    Pin(Option<(StepId, Side)>),
    /// The filter's text.
    Filter(String),
    /// Something of the filters that are kept.
    Filters(FilterWish),
    /// The order of the table.
    Sort(Sort),
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
    /// Remove a message from the corner.
    Dismiss(usize),
    /// Something of the list of messages.
    Messages(MessagesWish),
    /// Something of the comparison of two views.
    Compare(CompareWish),
    /// Put the page to one end of a step, of one component only where it is named; what would be lost is said first.
    Jump(JumpTarget, Option<String>),
    /// What to do about a jump that would lose something, and whether that is said for the page from now on.
    AnswerJump(JumpAnswer, bool),
    /// The passphrase of the file that waits for it; `None`: it is not opened.
    Unseal(Option<Secret>),
    /// The answer to a question of the program around the window, and whether it is remembered.
    Reply(DesktopQuestion, Reply, bool),
    /// Ask again when the window is closed.
    AskOnClose,
    /// Something of a newer version.
    Update(UpdateStep),
    /// End replaying.
    StopReplays,
    /// What did the edit change that this step swapped in? Asks before it replays.
    CheckEdit(StepId),
    /// Replay for it, or leave it.
    AnswerCheck(bool),
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
    /// The pane that is being drawn.
    pub seat: Option<Seat>,
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
