//! What the window knows: the folded timelines, the selection, and the pulled values. Drawing only reads it.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

use inspector_model::{
    Breakpoint, CommandDone, DesktopInfo, DesktopQuestion, Diff, FoundServer, JumpPreview, JumpTarget, Keep, RecordingInfo, Reply, Scope,
    Session, SessionId, Side, Source, SourceEnd, SourceId, SourceKind, SourceState, Step, StepDetail, StepId, Timeline, Value, View, Work,
    WorkId,
};
use serde::{Deserialize, Serialize};

use super::branches::{Edges, Forest};
use super::compare::{Compare, RowDiff};
use super::costs::Costs;
use super::edit_check::EditCheck;
use super::export::Export;
use super::filters::Filters;
use super::layout::Panes;
use super::lookup::Lookup;
use super::messages::Messages;
use super::order::{Order, Sort};
use super::pinned::Pinned;
use super::replay::{Evidence, Trial};
use super::rows::Rows;
use super::slot::Slot;
use crate::filter::Filter;

/// Which whole-window view is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Page {
    /// Servers and recordings.
    #[default]
    Start,
    /// Timeline, table and step.
    Steps,
    /// Every configuration key.
    Config,
    /// Rate limits.
    Rate,
    /// Hot reload and HVR.
    Reload,
    /// Advice and missing hooks.
    Health,
    /// How the window and the library are set.
    Settings,
    /// Two views beside each other.
    Compare,
}

/// A tab of the step panel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tab {
    /// What changed.
    #[default]
    Diff,
    /// The state.
    State,
    /// The event's parameters.
    Params,
    /// The rendered page.
    Page,
    /// Patches sent to the browser.
    Patches,
    /// Where the time went.
    Timing,
    /// Database queries.
    Sql,
    /// Log records.
    Log,
    /// WebSocket frames.
    Frames,
}

/// Key of a pulled detail.
pub type StepKey = (SourceId, StepId);
/// Key of a pulled state or page.
pub type SideKey = SourceEnd;
/// Key of a pulled diff: from, to.
pub type DiffKey = (SourceEnd, SourceEnd);

/// A state as it is drawn.
#[derive(Clone, Debug)]
pub enum LoadedState {
    /// Parsed, with the size of its text.
    Full(Arc<Value>, usize),
    /// Why there is none.
    Missing(String),
}

/// The pulled values of what is selected.
#[derive(Default)]
pub struct Pulled {
    /// Detail of the selected step.
    pub detail: Slot<StepKey, StepDetail>,
    /// State of the selected step at the shown side.
    pub state: Slot<SideKey, LoadedState>,
    /// Diff between pin or before, and the selected step.
    pub diff: Slot<DiffKey, Arc<Diff>>,
    /// The same without what the user's rules expect.
    pub told: Option<RowDiff>,
    /// What each assign of the state costs.
    pub costs: Costs,
    /// HTML at the shown side.
    pub html: Slot<SideKey, Option<String>>,
    /// What the selected step, a replay, did compared with what was recorded.
    pub verdict: Evidence,
}

/// What a jump did, while its page still stands there.
#[derive(Clone, Debug)]
pub struct JumpReport {
    /// Where.
    pub source: SourceId,
    /// On which page.
    pub session: SessionId,
    /// The server's answer.
    pub done: CommandDone,
}

/// A jump that would lose something, and waits for what the user says.
#[derive(Clone, Debug)]
pub struct JumpQuestion {
    /// Where.
    pub source: SourceId,
    /// To where.
    pub target: JumpTarget,
    /// Only this component's fields.
    pub component: Option<String>,
    /// What it would come to.
    pub preview: JumpPreview,
}

/// An encrypted file that waits for its passphrase.
#[derive(Clone, Debug)]
pub struct SealedFile {
    /// Where it is.
    pub path: PathBuf,
    /// Why the passphrase that was given does not open it.
    pub why_not: Option<String>,
    /// One is being tried.
    pub trying: bool,
}

/// What the user says to a [`JumpQuestion`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JumpAnswer {
    /// Jump there, of one component only where it is named.
    Jump(JumpTarget, Option<String>),
    /// Leave the page alone.
    Cancel,
}

/// Everything that drawing reads.
#[derive(Default)]
pub struct Model {
    /// One per source, in the order of opening.
    pub timelines: Vec<Timeline>,
    /// The one that is looked at.
    pub current: Option<SourceId>,
    /// The selected step of it.
    pub selected: Option<StepId>,
    /// The other end of comparisons, when it is not the step's own before.
    pub pin: Option<(StepId, Side)>,
    /// The State tab shows what assigns cost.
    pub show_costs: bool,
    /// Which end of the step State, Page and Jump mean.
    pub side: Side,
    /// Which pages are shown.
    pub scope: Scope,
    /// Text of the filter as typed.
    pub filter_text: String,
    /// The last filter that was understood, and the error of the text if it was not.
    pub filter: Filter,
    /// Why the filter is not understood.
    pub filter_error: Option<String>,
    /// Filters that are kept.
    pub filters: Filters,
    /// The shown steps of the current timeline, in the order of their times.
    pub rows: Rows,
    /// In which order the table is to show them.
    pub sort: Sort,
    /// In which order it does.
    pub order: Order,
    /// The library.
    pub recordings: Vec<RecordingInfo>,
    /// Servers on this machine.
    pub found: Vec<FoundServer>,
    /// How much is kept of recordings.
    pub keep: Keep,
    /// Whether the library is kept under a passphrase.
    pub encrypted: bool,
    /// Conditions that watch every state.
    pub breakpoints: Vec<Breakpoint>,
    /// What the desktop around the window can do. Nothing until it says so.
    pub desktop: DesktopInfo,
    /// The window's own host asks whether it may close the window.
    pub closing: bool,
    /// What closing the window does while something is recorded, once the user has said it for good.
    pub on_close: Option<Reply>,
    /// Files that are dragged over the window.
    pub dragged: Vec<PathBuf>,
    /// A step that is shown as soon as it is there.
    pub awaited_step: Option<StepKey>,
    /// Pulled values.
    pub pulled: Pulled,
    /// Questions to the whole recording.
    pub lookup: Lookup,
    /// Values that are followed from step to step.
    pub pinned: Pinned,
    /// The range of time that is selected on the timeline, Unix seconds.
    pub brush: Option<(f64, f64)>,
    /// Where jumps and replays forked.
    pub branches: Forest,
    /// What replays were sent with.
    pub edges: Edges,
    /// The panes that are not hidden.
    pub panes: Panes,
    /// Those of them that are not behind a tab either.
    pub in_sight: Panes,
    /// What the user was told.
    pub messages: Messages,
    /// What the last jumps could not put back.
    pub jumps: Vec<JumpReport>,
    /// The jump that would lose something.
    pub jump_question: Option<JumpQuestion>,
    /// The file that waits for its passphrase.
    pub sealed_file: Option<SealedFile>,
    /// Pages whose jumps are done without asking.
    pub jump_quietly: HashSet<(SourceId, SessionId)>,
    /// The open whole-window view.
    pub page: Page,
    /// The open tab.
    pub tab: Tab,
    /// Select the newest step as it comes.
    pub follow: bool,
    /// Playing, and when the next step is due.
    pub playing: Option<f64>,
    /// Speed of playing.
    pub speed: f32,
    /// Commands on their way: shown as busy.
    pub busy: usize,
    /// Long work of the engine.
    pub work: Vec<Work>,
    /// The work that was asked to stop and has not yet.
    pub stopping: HashSet<WorkId>,
    /// The open export dialog.
    pub export: Option<Export>,
    /// Two views beside each other.
    pub compare: Compare,
    /// The replay that is under way, or was last.
    pub trial: Option<Trial>,
    /// What an edit changed: the last time that this was asked.
    pub edit_check: Option<EditCheck>,
}

impl Model {
    /// Nothing known yet.
    pub fn new() -> Self {
        Self { follow: true, speed: 1.0, ..Self::default() }
    }

    /// The timeline that is looked at.
    pub fn timeline(&self) -> Option<&Timeline> {
        self.timelines.iter().find(|timeline| Some(timeline.id()) == self.current)
    }

    /// The sources that are being recorded.
    pub fn recording(&self) -> impl Iterator<Item = &Source> {
        let live = |source: &&Source| {
            matches!(source.kind, SourceKind::Live { .. }) && matches!(source.state, SourceState::Attached | SourceState::Connecting)
        };
        self.timelines.iter().map(Timeline::source).filter(live)
    }

    /// What the program around the window asks.
    pub fn question(&self) -> Option<DesktopQuestion> {
        if self.closing { Some(DesktopQuestion::Close) } else { self.desktop.question.clone() }
    }

    /// The timeline of a source.
    pub fn timeline_of(&self, source: SourceId) -> Option<&Timeline> {
        self.timelines.iter().find(|timeline| timeline.id() == source)
    }

    /// The selected step.
    pub fn step(&self) -> Option<Step> {
        self.timeline()?.step(self.selected?)
    }

    /// The page of a step.
    pub fn session_of(&self, step: &Step) -> Option<&Session> {
        self.timeline()?.sessions().get(step.session.as_ref()?)
    }

    /// The view of a step.
    pub fn view_of(&self, step: &Step) -> Option<&View> {
        self.session_of(step)?.view_of(step.view.as_ref())
    }

    /// A shown step by its row.
    pub fn row(&self, row: usize) -> Option<Step> {
        self.timeline()?.steps().get(self.rows.position(row)?)
    }

    /// Its number.
    pub fn row_id(&self, row: usize) -> Option<StepId> {
        self.timeline()?.steps().id(self.rows.position(row)?)
    }

    /// The row of the selected step, or of the next one shown after it: `Err`.
    pub fn selected_row(&self) -> Option<Result<usize, usize>> {
        let position = self.timeline()?.steps().position(self.selected?)?;
        Some(self.rows.find(position))
    }

    /// The rows of the selected range of time.
    pub fn brushed_rows(&self) -> Option<std::ops::Range<usize>> {
        let (from, to) = self.brush?;
        let steps = self.timeline()?.steps();
        let first = self.rows.at_time(steps, from);
        Some(first..self.rows.at_time(steps, to.next_up()).max(first))
    }

    /// The first and the last shown step of the selected range of time. `None` when nothing is selected, or nothing in it is shown.
    pub fn brushed(&self) -> Option<(StepId, StepId)> {
        let rows = self.brushed_rows().filter(|rows| !rows.is_empty())?;
        self.row_id(rows.start).zip(self.row_id(rows.end - 1))
    }

    /// Where a step lies on the timeline, Unix seconds of a clock that was never set back.
    pub fn when(&self, step: StepId) -> Option<f64> {
        let steps = self.timeline()?.steps();
        Some(steps.when(steps.position(step)?))
    }

    /// Begins a range at the selected step, or stretches the one that there is to it.
    pub fn brush_to_selected(&mut self) {
        let Some(here) = self.step().and_then(|step| self.when(step.id)) else { return };
        self.brush = Some(match self.brush {
            None => (here, here),
            Some((from, to)) if here < from => (here, to),
            Some((from, _)) => (from, here),
        });
    }

    /// The step at a place of the table.
    pub fn placed(&self, place: usize) -> Option<Step> {
        self.row(self.order.row(place)?)
    }

    /// Its number.
    pub fn placed_id(&self, place: usize) -> Option<StepId> {
        self.row_id(self.order.row(place)?)
    }

    /// The place of a step in the table, or, when it has none, of the next one that is shown: `Err`.
    pub fn place_of(&self, step: StepId) -> Option<Result<usize, usize>> {
        let steps = self.timeline()?.steps();
        Some(self.order.place(steps, &self.rows, self.rows.find(steps.position(step)?)))
    }

    /// The two ends that the Diff tab compares.
    pub fn compared(&self) -> Option<((StepId, Side), (StepId, Side))> {
        let selected = self.selected?;
        Some(match self.pin {
            Some(pin) if pin != (selected, Side::After) => (pin, (selected, Side::After)),
            _ => ((selected, Side::Before), (selected, Side::After)),
        })
    }

    /// Brings rows and order up to date, as far as a frame has time. `hold`: no row of the table may move now. `true` when there is
    /// more to do.
    pub fn refresh_rows(&mut self, hold: bool) -> bool {
        let timeline = self.timelines.iter().find(|timeline| Some(timeline.id()) == self.current);
        let more = self.rows.refresh(timeline, &self.scope, &self.filter);
        self.order.refresh(timeline.map(Timeline::steps), &self.rows, self.sort, hold) || more
    }
}
