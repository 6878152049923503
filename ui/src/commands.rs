//! Every command once: its words, its keys, whether it can be done now and why not. Menus, palette, buttons and keys read from here.

use egui::{Key, KeyboardShortcut, Modifiers};
use inspector_model::{RemoteCursor, Side, SourceKind, StepKind};

use crate::app::model::{Model, Page, Tab};
use crate::app::replay::Trial;

/// Something that the user can have done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UiCommand {
    /// To the next shown step.
    NextStep,
    /// To the shown step before.
    PreviousStep,
    /// To the next step of the same view.
    NextInView,
    /// To the step before of the same view.
    PreviousInView,
    /// To the first shown step.
    FirstStep,
    /// To the last shown step.
    LastStep,
    /// Play or pause.
    TogglePlay,
    /// Select new steps as they come.
    ToggleFollow,
    /// Put the live page to the state after the step.
    JumpAfter,
    /// Put the live page to the state before the step.
    JumpBefore,
    /// Put the live page back.
    ReturnToLive,
    /// Send the step's event again.
    Replay,
    /// Compare with this step.
    Pin,
    /// Compare with the step's own before again.
    Unpin,
    /// Tab Diff.
    TabDiff,
    /// Tab State.
    TabState,
    /// Tab Params.
    TabParams,
    /// Tab Page.
    TabPage,
    /// Tab Patches.
    TabPatches,
    /// Tab SQL.
    TabSql,
    /// Tab Log.
    TabLog,
    /// Tab Frames.
    TabFrames,
    /// Mark the step, or take its mark away.
    ToggleMark,
    /// The marked steps.
    ShowMarks,
    /// Conditions that watch every state.
    ShowBreakpoints,
    /// How the window and the library are set.
    ShowSettings,
    /// Text in all values.
    Find,
    /// To the step before that changed the followed value.
    PreviousChange,
    /// To the next step that changed it.
    NextChange,
    /// Into the filter field.
    FocusFilter,
    /// Clear filter and selection of sessions.
    ClearFilter,
    /// Whole timeline.
    FitTimeline,
    /// The palette.
    Palette,
    /// The list of keys.
    Keys,
    /// Start page.
    ShowStart,
    /// Steps.
    ShowSteps,
    /// Configuration.
    ShowConfig,
    /// Rate limit.
    ShowRate,
    /// Reload.
    ShowReload,
    /// Health.
    ShowHealth,
    /// Text 10 % larger.
    LargerText,
    /// Text 10 % smaller.
    SmallerText,
    /// Next theme.
    ToggleTheme,
    /// See the page as it was.
    ShowPage,
    /// See both ends of the step beside each other.
    ComparePage,
    /// Open a recording file.
    OpenFile,
    /// Detach or close.
    CloseSource,
    /// Two views beside each other.
    ShowCompare,
    /// To where two views part.
    FirstDivergence,
    /// To the next row that differs.
    NextDifference,
    /// To the row before that differs.
    PreviousDifference,
    /// Send the step's event again, several times.
    ReplayRepeatedly,
}

impl UiCommand {
    /// All, in the order of the palette.
    pub const ALL: [Self; 52] = [
        Self::NextStep,
        Self::PreviousStep,
        Self::NextInView,
        Self::PreviousInView,
        Self::FirstStep,
        Self::LastStep,
        Self::TogglePlay,
        Self::ToggleFollow,
        Self::JumpAfter,
        Self::JumpBefore,
        Self::ReturnToLive,
        Self::Replay,
        Self::Pin,
        Self::Unpin,
        Self::TabDiff,
        Self::TabState,
        Self::TabParams,
        Self::TabPage,
        Self::TabPatches,
        Self::TabSql,
        Self::TabLog,
        Self::TabFrames,
        Self::ToggleMark,
        Self::ShowMarks,
        Self::ShowBreakpoints,
        Self::ShowSettings,
        Self::Find,
        Self::PreviousChange,
        Self::NextChange,
        Self::FocusFilter,
        Self::ClearFilter,
        Self::FitTimeline,
        Self::Palette,
        Self::Keys,
        Self::ShowStart,
        Self::ShowSteps,
        Self::ShowConfig,
        Self::ShowRate,
        Self::ShowReload,
        Self::ShowHealth,
        Self::LargerText,
        Self::SmallerText,
        Self::ToggleTheme,
        Self::ShowPage,
        Self::ComparePage,
        Self::OpenFile,
        Self::CloseSource,
        Self::ShowCompare,
        Self::FirstDivergence,
        Self::NextDifference,
        Self::PreviousDifference,
        Self::ReplayRepeatedly,
    ];

    /// Its name, as on a button.
    pub const fn text(self) -> &'static str {
        match self {
            Self::NextStep => "Next step",
            Self::PreviousStep => "Previous step",
            Self::NextInView => "Next step of this view",
            Self::PreviousInView => "Previous step of this view",
            Self::FirstStep => "First step",
            Self::LastStep => "Last step",
            Self::TogglePlay => "Play or pause",
            Self::ToggleFollow => "Follow",
            Self::JumpAfter => "Jump page here",
            Self::JumpBefore => "Jump page before this step",
            Self::ReturnToLive => "Return to live",
            Self::Replay => "Replay",
            Self::Pin => "Pin as A",
            Self::Unpin => "Unpin A",
            Self::TabDiff => "Diff",
            Self::TabState => "State",
            Self::TabParams => "Params",
            Self::TabPage => "Page",
            Self::TabPatches => "Patches",
            Self::TabSql => "SQL",
            Self::TabLog => "Log",
            Self::TabFrames => "Frames",
            Self::ToggleMark => "Bookmark",
            Self::ShowMarks => "Bookmarks",
            Self::ShowBreakpoints => "Breakpoints",
            Self::ShowSettings => "Settings",
            Self::Find => "Find in values",
            Self::PreviousChange => "Previous change of this value",
            Self::NextChange => "Next change of this value",
            Self::FocusFilter => "Filter steps",
            Self::ClearFilter => "Clear filter",
            Self::FitTimeline => "Show whole timeline",
            Self::Palette => "Search commands",
            Self::Keys => "Keyboard shortcuts",
            Self::ShowStart => "Servers and recordings",
            Self::ShowSteps => "Steps",
            Self::ShowConfig => "Configuration",
            Self::ShowRate => "Rate limit",
            Self::ShowReload => "Reload",
            Self::ShowHealth => "Health",
            Self::LargerText => "Larger text",
            Self::SmallerText => "Smaller text",
            Self::ToggleTheme => "Switch theme",
            Self::ShowPage => "Show page",
            Self::ComparePage => "Compare before and after",
            Self::OpenFile => "Open recording file",
            Self::CloseSource => "Close this source",
            Self::ShowCompare => "Compare",
            Self::FirstDivergence => "First divergence",
            Self::NextDifference => "Next difference",
            Self::PreviousDifference => "Previous difference",
            Self::ReplayRepeatedly => "Replay 5 times",
        }
    }

    /// What it does, one line.
    pub const fn tooltip(self) -> &'static str {
        match self {
            Self::NextStep => "Select the next step in the table",
            Self::PreviousStep => "Select the step before in the table",
            Self::NextInView => "Select the next step of the same view of the same page",
            Self::PreviousInView => "Select the step before of the same view of the same page",
            Self::FirstStep => "Select the first step in the table",
            Self::LastStep => "Select the newest step in the table",
            Self::TogglePlay => "Walk through the steps as they happened",
            Self::ToggleFollow => "Select each new step as it arrives",
            Self::JumpAfter => "Put the live page back to the state that this step left",
            Self::JumpBefore => "Put the live page back to the state that this step found",
            Self::ReturnToLive => "Give the page back the state that it had before the first jump",
            Self::Replay => "Put the state before the step back and send its event again",
            Self::Pin => "Compare this step with any step that is selected next",
            Self::Unpin => "Compare each step with its own state before again",
            Self::TabDiff => "What the step changed",
            Self::TabState => "All assigns of the view",
            Self::TabParams => "What the handler was called with; replay it",
            Self::TabPage => "The page as it was",
            Self::TabPatches => "What was sent to the browser to change the page",
            Self::TabSql => "Database queries of the step",
            Self::TabLog => "Errors and log records of the step",
            Self::TabFrames => "WebSocket frames of the step",
            Self::ToggleMark => "Mark this step: it keeps its states when the recording is thinned, and can have a note",
            Self::ShowMarks => "All marked steps with their notes",
            Self::ShowBreakpoints => "Conditions on the state, and the steps that made them hold",
            Self::ShowSettings => "Theme, text size, how much is kept of recordings, and the desktop",
            Self::Find => "Look for a text in the values and paths of every step",
            Self::PreviousChange => "Select the last step before this one that changed the value which is followed",
            Self::NextChange => "Select the next step that changed the value which is followed",
            Self::FocusFilter => "Show only steps that fit, for instance kind:event ms>50",
            Self::ClearFilter => "Show the steps of all sessions, unfiltered",
            Self::FitTimeline => "Zoom the timeline out to the whole recording",
            Self::Palette => "Find a command by name",
            Self::Keys => "All keys on one page",
            Self::ShowStart => "Attach to a server or open a recording",
            Self::ShowSteps => "Timeline, steps and their details",
            Self::ShowConfig => "Every djust key with its effective value and where it is set",
            Self::ShowRate => "Levels, warnings and who was limited",
            Self::ShowReload => "What each saved file did to each page",
            Self::ShowHealth => "What is not seen here, and what to do about it",
            Self::LargerText => "Everything a tenth larger, up to twice its size",
            Self::SmallerText => "Everything a tenth smaller, down to 80 %",
            Self::ToggleTheme => "Dark, light, or as the system is",
            Self::ShowPage => "See the page as it was, without its scripts",
            Self::ComparePage => "See the page before and after the step beside each other",
            Self::OpenFile => "Import a recording file and show it",
            Self::CloseSource => "Detach from the server or close the recording; what was recorded stays",
            Self::ShowCompare => "Two pages or recordings beside each other, step by step",
            Self::FirstDivergence => "Go to the first step after which the two sides differ, or that only one side has",
            Self::NextDifference => "Go to the next row that differs",
            Self::PreviousDifference => "Go to the row before that differs",
            Self::ReplayRepeatedly => "Replay from the same state five times, and find what is not the same every time",
        }
    }

    /// Its key.
    pub const fn shortcut(self) -> Option<KeyboardShortcut> {
        let (modifiers, key) = match self {
            Self::NextStep => (Modifiers::NONE, Key::ArrowRight),
            Self::PreviousStep => (Modifiers::NONE, Key::ArrowLeft),
            Self::NextInView => (Modifiers::SHIFT, Key::ArrowRight),
            Self::PreviousInView => (Modifiers::SHIFT, Key::ArrowLeft),
            Self::FirstStep => (Modifiers::NONE, Key::Home),
            Self::LastStep => (Modifiers::NONE, Key::End),
            Self::TogglePlay => (Modifiers::NONE, Key::Space),
            Self::ToggleFollow => (Modifiers::NONE, Key::F),
            Self::JumpAfter => (Modifiers::NONE, Key::J),
            Self::JumpBefore => (Modifiers::SHIFT, Key::J),
            Self::ReturnToLive => (Modifiers::NONE, Key::L),
            Self::Replay => (Modifiers::NONE, Key::R),
            Self::Pin => (Modifiers::NONE, Key::A),
            Self::Unpin => (Modifiers::SHIFT, Key::A),
            Self::TabDiff => (Modifiers::NONE, Key::D),
            Self::TabState => (Modifiers::NONE, Key::S),
            Self::TabParams => (Modifiers::NONE, Key::P),
            Self::TabPage => (Modifiers::NONE, Key::G),
            Self::TabPatches => (Modifiers::NONE, Key::T),
            Self::TabSql => (Modifiers::NONE, Key::Q),
            Self::TabLog => (Modifiers::NONE, Key::O),
            Self::TabFrames => (Modifiers::NONE, Key::W),
            Self::ToggleMark => (Modifiers::NONE, Key::B),
            Self::ShowMarks => (Modifiers::COMMAND, Key::B),
            Self::ShowBreakpoints => (Modifiers::COMMAND.plus(Modifiers::SHIFT), Key::B),
            Self::ShowSettings => (Modifiers::COMMAND, Key::Comma),
            Self::Find => (Modifiers::COMMAND.plus(Modifiers::SHIFT), Key::F),
            Self::PreviousChange => (Modifiers::NONE, Key::OpenBracket),
            Self::NextChange => (Modifiers::NONE, Key::CloseBracket),
            Self::FocusFilter => (Modifiers::COMMAND, Key::F),
            Self::ClearFilter => (Modifiers::NONE, Key::Escape),
            Self::FitTimeline => (Modifiers::NONE, Key::Num0),
            Self::Palette => (Modifiers::COMMAND, Key::K),
            Self::Keys => (Modifiers::NONE, Key::Questionmark),
            Self::ShowStart => (Modifiers::ALT, Key::Num1),
            Self::ShowSteps => (Modifiers::ALT, Key::Num2),
            Self::ShowConfig => (Modifiers::ALT, Key::Num3),
            Self::ShowRate => (Modifiers::ALT, Key::Num4),
            Self::ShowReload => (Modifiers::ALT, Key::Num5),
            Self::ShowHealth => (Modifiers::ALT, Key::Num6),
            Self::ShowPage => (Modifiers::SHIFT, Key::G),
            Self::ComparePage => (Modifiers::SHIFT, Key::P),
            Self::OpenFile => (Modifiers::COMMAND, Key::O),
            Self::LargerText => (Modifiers::COMMAND, Key::Plus),
            Self::SmallerText => (Modifiers::COMMAND, Key::Minus),
            Self::ShowCompare => (Modifiers::ALT, Key::Num7),
            Self::FirstDivergence => (Modifiers::NONE, Key::V),
            Self::NextDifference => (Modifiers::NONE, Key::N),
            Self::PreviousDifference => (Modifiers::SHIFT, Key::N),
            Self::ReplayRepeatedly => (Modifiers::SHIFT, Key::R),
            Self::ToggleTheme | Self::CloseSource => return None,
        };
        Some(KeyboardShortcut::new(modifiers, key))
    }

    /// The tab that it opens.
    pub const fn tab(self) -> Option<Tab> {
        Some(match self {
            Self::TabDiff => Tab::Diff,
            Self::TabState => Tab::State,
            Self::TabParams => Tab::Params,
            Self::TabPage => Tab::Page,
            Self::TabPatches => Tab::Patches,
            Self::TabSql => Tab::Sql,
            Self::TabLog => Tab::Log,
            Self::TabFrames => Tab::Frames,
            _ => return None,
        })
    }

    /// The whole-window view that it opens.
    pub const fn page(self) -> Option<Page> {
        Some(match self {
            Self::ShowStart => Page::Start,
            Self::ShowSteps => Page::Steps,
            Self::ShowConfig => Page::Config,
            Self::ShowRate => Page::Rate,
            Self::ShowReload => Page::Reload,
            Self::ShowHealth => Page::Health,
            Self::ShowSettings => Page::Settings,
            Self::ShowCompare => Page::Compare,
            _ => return None,
        })
    }

    /// Works while a text field has the focus.
    pub const fn works_in_text(self) -> bool {
        matches!(self, Self::Find | Self::FocusFilter | Self::Palette | Self::OpenFile)
    }

    /// Whether it can be done now; the error says why not, in one line.
    pub fn enabled(self, model: &Model) -> Result<(), String> {
        let no = |why: &str| Err(why.to_owned());
        match self {
            Self::NextStep | Self::PreviousStep | Self::FirstStep | Self::LastStep if model.page == Page::Compare => compare_enabled(model),
            Self::FirstDivergence | Self::NextDifference | Self::PreviousDifference => compare_enabled(model),
            Self::NextStep | Self::PreviousStep | Self::FirstStep | Self::LastStep | Self::TogglePlay => {
                if model.rows.is_empty() {
                    no("There is no step to go to")
                } else {
                    Ok(())
                }
            }
            Self::NextInView | Self::PreviousInView | Self::Pin | Self::ToggleMark => {
                if model.step().is_some() {
                    Ok(())
                } else {
                    no("No step is selected")
                }
            }
            Self::Unpin => {
                if model.pin.is_some() {
                    Ok(())
                } else {
                    no("No step is pinned")
                }
            }
            Self::PreviousChange | Self::NextChange => {
                if model.lookup.followed.is_some() {
                    Ok(())
                } else {
                    no("No value is followed: ask when one changed, in its menu")
                }
            }
            Self::ToggleFollow
            | Self::ShowMarks
            | Self::ShowBreakpoints
            | Self::Find
            | Self::FitTimeline
            | Self::ShowSteps
            | Self::ShowConfig
            | Self::ShowRate
            | Self::ShowReload
            | Self::ShowHealth
            | Self::ShowCompare
            | Self::CloseSource => {
                if model.timeline().is_some() {
                    Ok(())
                } else {
                    no("No server is attached and no recording is open")
                }
            }
            Self::JumpAfter => jump_enabled(model, Side::After),
            Self::JumpBefore => jump_enabled(model, Side::Before),
            Self::ReturnToLive => {
                let away = model
                    .timeline()
                    .is_some_and(|timeline| timeline.sessions().keys().any(|session| timeline.cursor(session) != RemoteCursor::Live));
                if away { Ok(()) } else { no("The page is live") }
            }
            Self::Replay | Self::ReplayRepeatedly => replay_enabled(model),
            Self::ShowPage | Self::ComparePage => show_page_enabled(model),
            Self::TabDiff
            | Self::TabState
            | Self::TabParams
            | Self::TabPage
            | Self::TabPatches
            | Self::TabSql
            | Self::TabLog
            | Self::TabFrames
            | Self::FocusFilter
            | Self::ClearFilter
            | Self::Palette
            | Self::Keys
            | Self::ShowStart
            | Self::ShowSettings
            | Self::LargerText
            | Self::SmallerText
            | Self::ToggleTheme
            | Self::OpenFile => Ok(()),
        }
    }
}

/// Why no command can be sent to the page of the selected step.
fn page_reachable(model: &Model) -> Result<(), String> {
    let Some(timeline) = model.timeline() else { return Err("No server is attached".to_owned()) };
    let Some(step) = model.step() else { return Err("No step is selected".to_owned()) };
    if !timeline.source().is_attached() {
        return Err(match timeline.source().kind {
            SourceKind::Recording => "This is a recording: there is no live page behind it".to_owned(),
            SourceKind::Live { .. } => "The server is not connected now".to_owned(),
        });
    }
    match model.session_of(&step) {
        None => Err("This step belongs to the whole server, not to a page".to_owned()),
        Some(session) if !session.is_open() => {
            Err("The page of this step was closed: reload it in the browser and use its new steps".to_owned())
        }
        Some(_) => Ok(()),
    }
}

/// Whether the page can be put to an end of the selected step.
fn jump_enabled(model: &Model, side: Side) -> Result<(), String> {
    page_reachable(model)?;
    let Some(step) = model.step() else { return Ok(()) };
    if !step.has_states() {
        return Err("No state was recorded for this step".to_owned());
    }
    if step.kind == StepKind::Mount && side == Side::Before {
        return Err("There is no state before a mount".to_owned());
    }
    if model.view_of(&step).is_some_and(|view| view.use_actors) {
        return Err("The view has use_actors: its state lives in a Rust actor and cannot be put back".to_owned());
    }
    if let Some(session) = &step.session
        && let Some(timeline) = model.timeline()
        && matches!(timeline.cursor(session), RemoteCursor::Jumping(_))
    {
        return Err("A jump is on its way".to_owned());
    }
    Ok(())
}

/// Whether the desktop can show the page of the selected step.
fn show_page_enabled(model: &Model) -> Result<(), String> {
    let Some(step) = model.step() else { return Err("No step is selected".to_owned()) };
    if step.session.is_none() {
        return Err("This step belongs to the whole server, not to a page".to_owned());
    }
    if model.desktop.shows_pages.is_none() {
        return Err("The program around this window cannot show pages".to_owned());
    }
    if let Some((key, Ok(None), true)) = model.pulled.html.shown()
        && key.1 == step.id
    {
        return Err("No HTML was recorded here".to_owned());
    }
    Ok(())
}

fn compare_enabled(model: &Model) -> Result<(), String> {
    if model.page != Page::Compare {
        return Err("Open the Compare view first".to_owned());
    }
    if model.compare.rows().is_empty() { Err("Nothing is compared yet".to_owned()) } else { Ok(()) }
}

fn replay_enabled(model: &Model) -> Result<(), String> {
    page_reachable(model)?;
    if model.trial.as_ref().is_some_and(Trial::is_running) {
        return Err("A replay is on its way".to_owned());
    }
    match model.step() {
        Some(step) if !matches!(step.kind, StepKind::Event | StepKind::Replay) => Err("Only events can be replayed".to_owned()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_command_is_listed_once_and_no_key_means_two() {
        assert_eq!(UiCommand::ALL.iter().collect::<HashSet<_>>().len(), UiCommand::ALL.len());
        let mut keys = HashSet::new();
        for command in UiCommand::ALL {
            if let Some(shortcut) = command.shortcut() {
                assert!(keys.insert((format!("{:?}", shortcut.modifiers), shortcut.logical_key)), "{command:?}");
            }
        }
    }
}
