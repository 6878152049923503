//! Every command once: its words, its keys, whether it can be done now and why not. Menus, palette, buttons and keys read from here.

use egui::{Key, KeyboardShortcut, Modifiers};
use inspector_model::{RemoteCursor, Side, SourceKind, Step, StepKind, Timeline};

use crate::app::edit_check::EditCheck;
use crate::app::layout::Pane;
use crate::app::model::{Model, Page, Tab};
use crate::app::replay::Trial;

/// Makes the commands of the rows below, by what they are about: name, words on a button, key, and what it does in one line. Their
/// order is the palette's.
macro_rules! commands {
    ($($group:literal { $($name:ident: $text:literal, $key:expr, $tooltip:literal;)* })*) => {
        /// Something that the user can have done.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum UiCommand {
            $($(#[doc = $tooltip] $name,)*)*
        }

        impl UiCommand {
            /// All, in the order of the palette.
            pub const ALL: &[Self] = &[$($(Self::$name),*),*];

            /// The same by what they are about.
            pub const GROUPS: &[(&str, &[Self])] = &[$(($group, &[$(Self::$name),*])),*];

            /// Its name, as on a button.
            pub const fn text(self) -> &'static str {
                match self { $($(Self::$name => $text,)*)* }
            }

            /// What it does, one line.
            pub const fn tooltip(self) -> &'static str {
                match self { $($(Self::$name => $tooltip,)*)* }
            }

            const fn keys(self) -> Option<(Modifiers, Key)> {
                match self { $($(Self::$name => $key,)*)* }
            }
        }
    };
}

const PLAIN: Modifiers = Modifiers::NONE;
const SHIFT: Modifiers = Modifiers::SHIFT;
const COMMAND: Modifiers = Modifiers::COMMAND;
const COMMAND_SHIFT: Modifiers = Modifiers::COMMAND.plus(Modifiers::SHIFT);
const ALT: Modifiers = Modifiers::ALT;

#[rustfmt::skip]
commands! {
    "Steps" {
        NextStep: "Next step", Some((PLAIN, Key::ArrowRight)), "Select the next step in the table";
        PreviousStep: "Previous step", Some((PLAIN, Key::ArrowLeft)), "Select the step before in the table";
        NextInView: "Next step of this view", Some((SHIFT, Key::ArrowRight)), "Select the next step of the same view of the same page";
        PreviousInView: "Previous step of this view", Some((SHIFT, Key::ArrowLeft)), "Select the step before of the same view of the same page";
        FirstStep: "First step", Some((PLAIN, Key::Home)), "Select the first step in the table";
        LastStep: "Last step", Some((PLAIN, Key::End)), "Select the newest step in the table";
        TogglePlay: "Play or pause", Some((PLAIN, Key::Space)), "Walk through the steps as they happened";
        ToggleFollow: "Follow", Some((PLAIN, Key::F)), "Select each new step as it arrives";
        ToggleMark: "Bookmark", Some((PLAIN, Key::B)), "Mark this step: it keeps its states when the recording is thinned, and can have a note";
        Pin: "Pin as A", Some((PLAIN, Key::A)), "Compare this step with any step that is selected next";
        Unpin: "Unpin A", Some((SHIFT, Key::A)), "Compare each step with its own state before again";
    }
    "Time travel" {
        JumpAfter: "Jump page here", Some((PLAIN, Key::J)), "Put the live page back to the state that this step left";
        JumpBefore: "Jump page before this step", Some((SHIFT, Key::J)), "Put the live page back to the state that this step found";
        ReturnToLive: "Return to live", Some((PLAIN, Key::L)), "Give the page back the state that it had before the first jump";
        Replay: "Replay", Some((PLAIN, Key::R)), "Put the state before the step back and send its event again";
        ReplayRepeatedly: "Replay 5 times", Some((SHIFT, Key::R)), "Replay from the same state five times, and find what is not the same every time";
    }
    "One step" {
        TabDiff: "Diff", Some((PLAIN, Key::D)), "What the step changed";
        TabState: "State", Some((PLAIN, Key::S)), "All assigns of the view";
        TabParams: "Params", Some((PLAIN, Key::P)), "What the handler was called with; replay it";
        TabPage: "Page", Some((PLAIN, Key::G)), "The page as it was";
        TabPatches: "Patches", Some((PLAIN, Key::T)), "What was sent to the browser to change the page";
        TabTiming: "Timing", Some((PLAIN, Key::I)), "Where the time of the step went, and how long the handler takes otherwise";
        TabSql: "SQL", Some((PLAIN, Key::Q)), "Database queries of the step";
        TabLog: "Log", Some((PLAIN, Key::O)), "Errors and log records of the step";
        TabFrames: "Frames", Some((PLAIN, Key::W)), "WebSocket frames of the step";
        ShowPage: "Show page", Some((SHIFT, Key::G)), "See the page as it was, without its scripts";
        ComparePage: "Compare before and after", Some((SHIFT, Key::P)), "See the page before and after the step beside each other";
        ShareStep: "Share this step", Some((COMMAND_SHIFT, Key::E)), "Write the selected step to a file for others, without its secrets";
    }
    "Timeline" {
        FitTimeline: "Show whole timeline", Some((PLAIN, Key::Num0)), "Zoom the timeline out to the whole recording";
        RangeHere: "Select range to here", Some((PLAIN, Key::M)), "Begin a range of the timeline at this step, or stretch it to here";
        ZoomToRange: "Zoom to range", Some((PLAIN, Key::Z)), "Show only the selected range of the timeline";
        FilterToRange: "Filter to range", Some((SHIFT, Key::Z)), "Show only the steps of the selected range";
        ClearRange: "Clear range", None, "Select no range of the timeline, as Escape does";
    }
    "Filter and table" {
        FocusFilter: "Filter steps", Some((COMMAND, Key::F)), "Show only steps that fit, for instance kind:event ms>50";
        ClearFilter: "Clear filter", Some((PLAIN, Key::Escape)), "Show the steps of all sessions, unfiltered";
        ShowFilters: "Saved filters", Some((SHIFT, Key::F)), "Use, save, rename and delete filters";
        FilterHelp: "Filter language", Some((PLAIN, Key::F1)), "What can be written into the filter, on one page";
        ChooseColumns: "Columns", Some((PLAIN, Key::C)), "Choose which columns the table shows";
        SortByNumber: "Sort by number", None, "Show the steps in the order in which they happened";
    }
    "Values" {
        Find: "Find in values", Some((COMMAND_SHIFT, Key::F)), "Look for a text in the values and paths of every step";
        ShowPinned: "Pinned values", Some((SHIFT, Key::W)), "The values that you pinned, as they stand at the selected step, and how they went";
        PreviousChange: "Previous change of this value", Some((PLAIN, Key::OpenBracket)), "Select the last step before this one that changed the value which is followed";
        NextChange: "Next change of this value", Some((PLAIN, Key::CloseBracket)), "Select the next step that changed the value which is followed";
        ShowMarks: "Bookmarks", Some((COMMAND, Key::B)), "All marked steps with their notes";
        ShowBreakpoints: "Breakpoints", Some((COMMAND_SHIFT, Key::B)), "Conditions on the state, and the steps that made them hold";
    }
    "Compare" {
        FirstDivergence: "First divergence", Some((PLAIN, Key::V)), "Go to the first step after which the two sides differ, or that only one side has";
        NextDifference: "Next difference", Some((PLAIN, Key::N)), "Go to the next row that differs";
        PreviousDifference: "Previous difference", Some((SHIFT, Key::N)), "Go to the row before that differs";
    }
    "Panes" {
        ToggleSessions: "Show or hide Sessions", None, "The pane with pages, their views and components";
        ToggleTimeline: "Show or hide Timeline", None, "The pane with the lanes and the transport";
        ToggleSteps: "Show or hide Steps", None, "The pane with the table and its filter";
        ToggleStep: "Show or hide Step", None, "The pane with the details of the selected step";
        ToggleBranches: "Show or hide Branches", Some((SHIFT, Key::B)), "The pane that shows where jumps and replays forked";
        ToggleFind: "Show or hide Find", None, "The pane that looks for a text in all values";
        ToggleHistory: "Show or hide History", None, "The pane with the changes of one value";
        TogglePinned: "Show or hide Pinned", None, "The pane with the values that you follow";
        ToggleBookmarks: "Show or hide Bookmarks", None, "The pane with the marked steps";
        ToggleBreakpoints: "Show or hide Breakpoints", None, "The pane with conditions and what they hit";
        ResetLayout: "Reset layout", None, "Put all panes back to where they are at first";
    }
    "Views" {
        ShowStart: "Servers and recordings", Some((ALT, Key::Num1)), "Attach to a server or open a recording";
        ShowSteps: "Steps", Some((ALT, Key::Num2)), "Timeline, steps and their details";
        ShowConfig: "Configuration", Some((ALT, Key::Num3)), "Every djust key with its effective value and where it is set";
        ShowRate: "Rate limit", Some((ALT, Key::Num4)), "Levels, warnings and who was limited";
        ShowReload: "Reload", Some((ALT, Key::Num5)), "What each saved file did to each page";
        ShowHealth: "Health", Some((ALT, Key::Num6)), "What is not seen here, and what to do about it";
        ShowCompare: "Compare", Some((ALT, Key::Num7)), "Two pages or recordings beside each other, step by step";
        ShowSettings: "Settings", Some((COMMAND, Key::Comma)), "Theme, text size, how much is kept of recordings, and the desktop";
    }
    "Window" {
        Palette: "Search commands", Some((COMMAND, Key::K)), "Find a command by name";
        Keys: "Keyboard shortcuts", Some((PLAIN, Key::Questionmark)), "All keys on one page";
        ShowMessages: "Messages", Some((SHIFT, Key::M)), "All that was told since the window was opened";
        OpenFile: "Open recording file", Some((COMMAND, Key::O)), "Import a recording file or a bug capture of djust and show it";
        Export: "Export", Some((COMMAND, Key::E)), "Write this recording, or some of its steps, to a file for others, without its secrets";
        CloseSource: "Close this source", None, "Detach from the server or close the recording; what was recorded stays";
        LargerText: "Larger text", Some((COMMAND, Key::Plus)), "Everything a tenth larger, up to twice its size";
        SmallerText: "Smaller text", Some((COMMAND, Key::Minus)), "Everything a tenth smaller, down to 80 %";
        ToggleTheme: "Switch theme", None, "Dark, light, or as the system is";
    }
}

impl UiCommand {
    /// Its key.
    pub fn shortcut(self) -> Option<KeyboardShortcut> {
        self.keys().map(|(modifiers, key)| KeyboardShortcut::new(modifiers, key))
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
            Self::TabTiming => Tab::Timing,
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

    /// The pane that it shows or hides.
    pub const fn pane(self) -> Option<Pane> {
        Some(match self {
            Self::ToggleSessions => Pane::Sessions,
            Self::ToggleTimeline => Pane::Timeline,
            Self::ToggleSteps => Pane::Steps,
            Self::ToggleStep => Pane::Step,
            Self::ToggleBranches => Pane::Branches,
            Self::ToggleFind => Pane::Find,
            Self::ToggleHistory => Pane::History,
            Self::TogglePinned => Pane::Pinned,
            Self::ToggleBookmarks => Pane::Bookmarks,
            Self::ToggleBreakpoints => Pane::Breakpoints,
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
            Self::NextInView | Self::PreviousInView | Self::Pin | Self::ToggleMark | Self::RangeHere => {
                if model.step().is_some() {
                    Ok(())
                } else {
                    no("No step is selected")
                }
            }
            Self::ZoomToRange | Self::FilterToRange | Self::ClearRange => {
                if model.brush.is_some() {
                    Ok(())
                } else {
                    no("No range is selected: drag over the timeline with Shift, or press M on two steps")
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
            | Self::ShowPinned
            | Self::ShowBreakpoints
            | Self::Find
            | Self::FitTimeline
            | Self::ShowFilters
            | Self::FilterHelp
            | Self::ChooseColumns
            | Self::SortByNumber
            | Self::ShowSteps
            | Self::ShowConfig
            | Self::ShowRate
            | Self::ShowReload
            | Self::ShowHealth
            | Self::ShowCompare
            | Self::ToggleSessions
            | Self::ToggleTimeline
            | Self::ToggleSteps
            | Self::ToggleStep
            | Self::ToggleBranches
            | Self::ToggleFind
            | Self::ToggleHistory
            | Self::TogglePinned
            | Self::ToggleBookmarks
            | Self::ToggleBreakpoints
            | Self::ResetLayout
            | Self::CloseSource => {
                if model.timeline().is_some() {
                    Ok(())
                } else {
                    no("No server is attached and no recording is open")
                }
            }
            Self::Export => export_enabled(model),
            Self::ShareStep => {
                export_enabled(model)?;
                if model.step().is_some() { Ok(()) } else { no("No step is selected") }
            }
            Self::JumpAfter => jump_enabled(model, Side::After),
            Self::JumpBefore => jump_enabled(model, Side::Before),
            Self::ReturnToLive => {
                let away = model
                    .timeline()
                    .is_some_and(|timeline| timeline.sessions().keys().any(|session| timeline.cursor(session) != RemoteCursor::Live));
                match model.timeline().and_then(|timeline| timeline.source().read_only()) {
                    _ if !away => no("The page is live"),
                    Some(why) => Err(why),
                    None => Ok(()),
                }
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
            | Self::TabTiming
            | Self::ShowMessages
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
    page_answers(timeline, &step)
}

/// Why no command can be sent to the page of a step.
pub fn page_answers(timeline: &Timeline, step: &Step) -> Result<(), String> {
    if !timeline.source().is_attached() {
        return Err(match timeline.source().kind {
            SourceKind::Recording => "This is a recording: there is no live page behind it".to_owned(),
            SourceKind::Live { .. } => "The server is not connected now".to_owned(),
        });
    }
    if let Some(why) = timeline.source().read_only() {
        return Err(why);
    }
    match step.session.as_ref().and_then(|session| timeline.sessions().get(session)) {
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
    nothing_is_checked(model)
}

/// Its page is put back at the end: nobody else may move it meanwhile.
fn nothing_is_checked(model: &Model) -> Result<(), String> {
    if model.edit_check.as_ref().is_some_and(EditCheck::is_running) {
        return Err("Events are being replayed to see what an edit changed".to_owned());
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

fn export_enabled(model: &Model) -> Result<(), String> {
    match model.timeline() {
        None => Err("No server is attached and no recording is open: recordings of the library have a button for it".to_owned()),
        Some(timeline) if timeline.source().recorder.recording.is_none() => Err("Nothing is recorded here".to_owned()),
        Some(_) => Ok(()),
    }
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
    nothing_is_checked(model)?;
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
        for command in UiCommand::ALL.iter().copied() {
            if let Some(shortcut) = command.shortcut() {
                assert!(keys.insert((format!("{:?}", shortcut.modifiers), shortcut.logical_key)), "{command:?}");
            }
        }
    }
}
