//! The parts of the window around and inside the steps view. Each is state of its own and a function that draws it.

pub mod banner;
pub mod branches;
pub mod breakpoints;
pub mod drop;
pub mod edit_check;
pub mod jump_dialog;
pub mod layout;
pub mod lookup;
pub mod messages;
pub mod pinned;
pub mod question;
pub mod sealed_file;
pub mod sessions;
pub mod status_bar;
pub mod step;
pub mod strip;
pub mod table;
pub mod timemap;
pub mod top_bar;
pub mod update;
pub mod work;

use crate::views;
use crate::widgets::palette::Palette;

/// What drawing remembers between frames.
#[derive(Default)]
pub struct Panels {
    /// Pages.
    pub sessions: sessions::Sessions,
    /// Timeline.
    pub strip: strip::Strip,
    /// Steps.
    pub table: table::Table,
    /// Where the panes are.
    pub workspace: layout::Workspace,
    /// Branches.
    pub branches: branches::BranchesPanel,
    /// Find, history and bookmarks.
    pub lookup: lookup::LookupPanel,
    /// Breakpoints.
    pub breakpoints: breakpoints::BreakpointsPanel,
    /// Details of the selected step.
    pub step: step::StepPanel,
    /// All messages.
    pub messages: messages::MessagesPanel,
    /// The pointer is over messages at the corner.
    pub over_toasts: bool,
    /// What a jump would not put back.
    pub jump: jump_dialog::JumpDialog,
    /// The passphrase of an encrypted file.
    pub sealed_file: sealed_file::SealedFileDialog,
    /// What the program around the window asks.
    pub question: question::QuestionDialog,
    /// Whether an edit is to be checked.
    pub edit_check: edit_check::Dialog,
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
}
