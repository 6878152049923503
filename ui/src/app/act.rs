//! Carries out what the user asked for.

use std::time::Duration;

use egui::Context;
use inspector_model::{DesktopRequest, JumpTarget, Level, PageAt, RemoteCursor, Request, Scope, Secret, Side, SourceKind, StepId};

use super::action::Action;
use super::compare::CompareWish;
use super::engine::{look_at, toast};
use super::layout::{Layout, Pane};
use super::messages::MessagesWish;
use super::model::{JumpAnswer, Page};
use super::order::Sort;
use super::pinned;
use super::replay::{REPLAYS, Trial};
use super::startup::ThemeChoice;
use super::{InspectorApp, edit_check, export};
use crate::commands::UiCommand;
use crate::filter::{Filter, time_term, with_time};
use crate::panels::layout::Workspace;

/// Sizes of text, percent.
pub const TEXT_SIZES: std::ops::RangeInclusive<u16> = 80..=200;

/// Shortest and longest pause between two played steps, seconds.
const PLAY_PAUSE: std::ops::RangeInclusive<f64> = 0.06..=1.5;

impl InspectorApp {
    pub(super) fn act(&mut self, ctx: &Context, action: Action) {
        match action {
            Action::Do(command) => self.run(ctx, command),
            Action::Select(step) => {
                self.model.follow = false;
                self.model.playing = None;
                self.model.selected = Some(step);
            }
            Action::Scope(scope) => {
                self.engine.forget_scope();
                self.model.scope = scope;
                self.model.page = Page::Steps;
            }
            Action::Source(source) => look_at(&mut self.model, Some(source)),
            Action::Show(page) => self.model.page = page,
            Action::Find(options) => {
                let source = self.model.current;
                self.model.lookup.find.begin(source, options);
            }
            Action::StopFinding => self.model.lookup.find.stop(),
            Action::Follow(followed) => {
                self.model.lookup.followed = Some(*followed);
                self.panels.workspace.show(Pane::History);
            }
            Action::ShowCosts(shown) => self.model.show_costs = shown,
            Action::PinValue(pin) => {
                if self.model.pinned.pin(*pin) {
                    self.panels.workspace.show(Pane::Pinned);
                } else {
                    let text = format!("{} values are pinned, which is as many as can be: unpin one first", pinned::MOST);
                    toast(&mut self.model, Level::Warning, text, None, self.now);
                }
            }
            Action::Unpin(pin) => self.model.pinned.unpin(&pin),
            Action::ShowPane(pane) => self.panels.workspace.show(pane),
            Action::HidePane(pane) => self.panels.workspace.hide(pane),
            Action::SeeEdge(edge) => self.model.edges.want(edge),
            Action::Brush(range) => self.model.brush = range,
            Action::Side(side) => self.model.side = side,
            Action::Pin(pin) => self.model.pin = pin,
            Action::Speed(speed) => self.model.speed = speed,
            Action::Filter(text) => self.set_filter(text),
            Action::Filters(wish) => self.model.filters.wish(wish),
            Action::Sort(sort) => self.model.sort = sort,
            Action::Send(request) => self.engine.command(&mut self.model, *request, self.now),
            Action::Copy(text, what) => {
                ctx.copy_text(text);
                toast(&mut self.model, Level::Info, format!("Copied {what}"), None, self.now);
            }
            Action::Export(wish) => export::wish(&mut self.engine, &mut self.model, wish, self.now),
            Action::Stop(work) => {
                self.model.stopping.insert(work);
                self.engine.command(&mut self.model, Request::Cancel(work), self.now);
            }
            Action::Set(setting) => self.engine.command(&mut self.model, Request::Desktop(DesktopRequest::Set(setting)), self.now),
            Action::Theme(choice) => self.set_theme(ctx, choice),
            Action::TextSize(percent) => self.set_text_size(ctx, percent),
            Action::Dismiss(index) => self.model.messages.dismiss(index),
            Action::Messages(MessagesWish::Read) => self.model.messages.read(),
            Action::Messages(MessagesWish::Clear) => self.model.messages.clear(),
            Action::Compare(CompareWish::Open(hand, recording)) => self.engine.open_beside(&mut self.model, hand, recording, self.now),
            Action::Compare(wish) => self.model.compare.wish(wish),
            Action::Jump(target, component) => self.jump(target, component),
            Action::AnswerJump(answer, quietly) => self.answer_jump(answer, quietly),
            Action::Unseal(passphrase) => self.unseal(passphrase),
            Action::Reply(question, reply, remembered) => self.reply(question, reply, remembered),
            Action::AskOnClose => self.model.on_close = None,
            Action::Update(step) => self.engine.command(&mut self.model, Request::Desktop(DesktopRequest::Update(step)), self.now),
            Action::StopReplays => {
                if let Some(check) = self.model.edit_check.as_mut().filter(|check| check.is_running()) {
                    check.stop();
                } else if let Some(trial) = &mut self.model.trial {
                    trial.stop();
                }
            }
            Action::CheckEdit(swap) => edit_check::ask(&mut self.model, swap, self.now),
            Action::AnswerCheck(go) => edit_check::answer(&mut self.model, go),
        }
    }

    pub(super) fn set_filter(&mut self, text: String) {
        match Filter::parse(&text) {
            Ok(filter) => {
                self.model.filter = filter;
                self.model.filter_error = None;
            }
            // The rows of the last good filter stay while the new one is being typed.
            Err(why) => self.model.filter_error = Some(why),
        }
        self.model.filter_text = text;
    }

    fn run(&mut self, ctx: &Context, command: UiCommand) {
        if let Err(why) = command.enabled(&self.model) {
            toast(&mut self.model, Level::Info, format!("{}: {why}", command.text()), None, self.now);
            return;
        }
        if let Some(tab) = command.tab() {
            self.model.tab = tab;
            self.show_pane(Pane::Step);
            return;
        }
        if let Some(page) = command.page() {
            self.model.page = page;
            return;
        }
        if let Some(pane) = command.pane() {
            if self.model.page == Page::Steps {
                self.panels.workspace.toggle(pane);
            } else {
                self.show_pane(pane);
            }
            return;
        }
        if self.model.page == Page::Compare && self.model.compare.go(command) {
            return;
        }
        match command {
            UiCommand::NextStep => self.move_row(1),
            UiCommand::PreviousStep => self.move_row(-1),
            UiCommand::NextInView => self.move_in_view(true),
            UiCommand::PreviousInView => self.move_in_view(false),
            UiCommand::FirstStep => self.select_place(0),
            UiCommand::LastStep => self.select_place(usize::MAX),
            UiCommand::TogglePlay => self.toggle_play(),
            UiCommand::ToggleFollow => {
                self.model.follow = !self.model.follow;
                self.model.playing = None;
            }
            UiCommand::JumpAfter => self.jump_selected(Side::After),
            UiCommand::JumpBefore => self.jump_selected(Side::Before),
            UiCommand::ReturnToLive => self.return_to_live(),
            UiCommand::Replay => self.replay(1),
            UiCommand::ReplayRepeatedly => self.replay(REPLAYS),
            UiCommand::Pin => self.model.pin = self.model.selected.map(|step| (step, Side::After)),
            UiCommand::Unpin => self.model.pin = None,
            UiCommand::FocusFilter => {
                self.show_pane(Pane::Steps);
                self.panels.table.filter.focus = true;
            }
            UiCommand::ClearFilter => {
                self.set_filter(String::new());
                self.model.scope = Scope::Everywhere;
            }
            UiCommand::ShowFilters => {
                self.show_pane(Pane::Steps);
                self.panels.table.filter.open_menu = true;
            }
            UiCommand::FilterHelp => {
                self.show_pane(Pane::Steps);
                self.panels.table.filter.open_help = true;
            }
            UiCommand::ShowMessages => self.panels.messages.open = true,
            UiCommand::ChooseColumns => {
                self.show_pane(Pane::Steps);
                self.panels.table.open_columns = true;
            }
            UiCommand::SortByNumber => self.model.sort = Sort::default(),
            UiCommand::ToggleMark => self.toggle_mark(),
            UiCommand::ShowPinned => self.show_pane(Pane::Pinned),
            UiCommand::ShowMarks => self.show_pane(Pane::Bookmarks),
            UiCommand::ShowBreakpoints => {
                self.show_pane(Pane::Breakpoints);
                self.panels.breakpoints.focus = true;
            }
            UiCommand::Find => {
                self.show_pane(Pane::Find);
                self.panels.lookup.focus = true;
            }
            UiCommand::ResetLayout => self.panels.workspace = Workspace::new(&Layout::default()),
            UiCommand::PreviousChange => self.move_change(false),
            UiCommand::NextChange => self.move_change(true),
            UiCommand::FitTimeline => self.panels.strip.fit(),
            UiCommand::RangeHere => self.model.brush_to_selected(),
            UiCommand::ZoomToRange => {
                if let Some((from, to)) = self.model.brush {
                    self.panels.strip.zoom_to(from, to);
                }
            }
            UiCommand::FilterToRange => self.filter_to_range(),
            UiCommand::ClearRange => self.model.brush = None,
            UiCommand::Palette => self.panels.palette.open_commands(),
            UiCommand::Keys => self.panels.palette.open_keys(),
            UiCommand::LargerText => self.set_text_size(ctx, self.text_size + 10),
            UiCommand::SmallerText => self.set_text_size(ctx, self.text_size - 10),
            UiCommand::ToggleTheme => {
                let next = match self.theme {
                    ThemeChoice::System => ThemeChoice::Dark,
                    ThemeChoice::Dark => ThemeChoice::Light,
                    ThemeChoice::Light => ThemeChoice::System,
                };
                self.set_theme(ctx, next);
            }
            UiCommand::OpenFile => {
                if self.model.desktop.dialogs {
                    self.engine.command(&mut self.model, Request::Desktop(DesktopRequest::PickFileToOpen), self.now);
                } else {
                    self.model.page = Page::Start;
                    self.panels.start.focus_path = true;
                }
            }
            UiCommand::Export => export::open_current(&mut self.model, false),
            UiCommand::ShareStep => export::open_current(&mut self.model, true),
            UiCommand::ShowPage => self.show_page(false),
            UiCommand::ComparePage => self.show_page(true),
            UiCommand::CloseSource => {
                if let Some(source) = self.model.current {
                    self.engine.command(&mut self.model, Request::Close(source), self.now);
                }
            }
            UiCommand::TabDiff
            | UiCommand::TabState
            | UiCommand::TabParams
            | UiCommand::TabPage
            | UiCommand::TabPatches
            | UiCommand::TabSql
            | UiCommand::TabLog
            | UiCommand::TabFrames
            | UiCommand::ToggleSessions
            | UiCommand::ToggleTimeline
            | UiCommand::ToggleSteps
            | UiCommand::ToggleStep
            | UiCommand::ToggleBranches
            | UiCommand::ToggleFind
            | UiCommand::ToggleHistory
            | UiCommand::TogglePinned
            | UiCommand::ToggleBookmarks
            | UiCommand::ToggleBreakpoints
            | UiCommand::TabTiming
            | UiCommand::ShowStart
            | UiCommand::ShowSteps
            | UiCommand::ShowConfig
            | UiCommand::ShowRate
            | UiCommand::ShowReload
            | UiCommand::ShowHealth
            | UiCommand::ShowSettings
            | UiCommand::ShowCompare
            | UiCommand::FirstDivergence
            | UiCommand::NextDifference
            | UiCommand::PreviousDifference => {}
        }
    }

    fn filter_to_range(&mut self) {
        let Some((range, timeline)) = self.model.brush.zip(self.model.timeline()) else { return };
        let steps = timeline.steps();
        let days = steps.len().checked_sub(1).map(|last| [steps.started(0), steps.started(last)].map(|at| (at / 86_400.0) as i64));
        let term = time_term(range, days.is_some_and(|[first, last]| first != last));
        let text = with_time(&self.model.filter_text, &term);
        self.set_filter(text);
        self.show_pane(Pane::Steps);
    }

    fn show_pane(&mut self, pane: Pane) {
        self.model.page = Page::Steps;
        self.panels.workspace.show(pane);
    }

    fn select_place(&mut self, place: usize) {
        let last = self.model.order.len().saturating_sub(1);
        if let Some(step) = self.model.placed_id(place.min(last)) {
            self.act_select(step);
        }
    }

    fn move_row(&mut self, by: isize) {
        let place = match self.model.selected.and_then(|step| self.model.place_of(step)) {
            Some(Ok(place)) => place.saturating_add_signed(by),
            // The selected step is filtered out: go to its nearest shown neighbour.
            Some(Err(next)) => {
                if by > 0 {
                    next
                } else {
                    next.saturating_sub(1)
                }
            }
            None => 0,
        };
        self.select_place(place);
    }

    fn move_in_view(&mut self, forward: bool) {
        let next: Option<StepId> = self
            .model
            .timeline()
            .zip(self.model.step())
            .and_then(|(timeline, step)| timeline.neighbour(&step, forward))
            .map(|step| step.id);
        if let Some(step) = next {
            self.act_select(step);
        } else {
            let text = if forward { "This is the view's last step" } else { "This is the view's first step" };
            toast(&mut self.model, Level::Info, text.to_owned(), None, self.now);
        }
    }

    fn set_text_size(&mut self, ctx: &Context, percent: u16) {
        self.text_size = percent.clamp(*TEXT_SIZES.start(), *TEXT_SIZES.end());
        ctx.set_zoom_factor(f32::from(self.text_size) / 100.0);
    }

    fn toggle_mark(&mut self) {
        let Some((timeline, step)) = self.model.timeline().zip(self.model.selected) else { return };
        let note = (!timeline.marks().contains_key(&step)).then(String::new);
        let request = Request::Mark { source: timeline.id(), step, note };
        self.engine.command(&mut self.model, request, self.now);
    }

    fn move_change(&mut self, forward: bool) {
        let next = self.model.selected.and_then(|step| self.model.lookup.change_beside(step, forward));
        if let Some(step) = next {
            self.act_select(step);
        } else {
            let text = if forward { "It did not change after this step" } else { "It did not change before this step" };
            toast(&mut self.model, Level::Info, text.to_owned(), None, self.now);
        }
    }

    fn act_select(&mut self, step: StepId) {
        self.model.selected = Some(step);
        self.model.follow = false;
        self.model.playing = None;
    }

    fn toggle_play(&mut self) {
        if self.model.playing.take().is_some() {
            return;
        }
        self.model.follow = false;
        // As it happened, however the table is sorted. At the end, playing begins again at the start.
        if self.model.selected_row() == Some(Ok(self.model.rows.len().saturating_sub(1))) {
            self.model.selected = self.model.row_id(0);
        }
        self.model.playing = Some(self.now + PLAY_PAUSE.start());
    }

    fn jump_selected(&mut self, side: Side) {
        if let Some(step) = self.model.selected {
            self.jump(JumpTarget { step, side }, None);
        }
    }

    fn jump(&mut self, target: JumpTarget, component: Option<String>) {
        let Some(timeline) = self.model.timeline() else { return };
        let source = timeline.id();
        let session = timeline.step(target.step).and_then(|step| step.session);
        if session.is_some_and(|session| self.model.jump_quietly.contains(&(source, session))) {
            self.engine.command(&mut self.model, Request::Jump { source, target, component }, self.now);
        } else {
            self.engine.preview_jump(&mut self.model, source, target, component, self.now);
        }
    }

    fn answer_jump(&mut self, answer: JumpAnswer, quietly: bool) {
        let Some(question) = self.model.jump_question.take() else { return };
        let JumpAnswer::Jump(target, component) = answer else { return };
        let source = question.source;
        let step = self.model.timeline_of(source).and_then(|timeline| timeline.step(target.step));
        if let Some(session) = step.and_then(|step| step.session).filter(|_| quietly) {
            self.model.jump_quietly.insert((source, session));
        }
        self.engine.command(&mut self.model, Request::Jump { source, target, component }, self.now);
    }

    fn unseal(&mut self, passphrase: Option<Secret>) {
        match (&mut self.model.sealed_file, passphrase) {
            (Some(file), Some(passphrase)) => {
                file.trying = true;
                let request = Request::OpenSealed { path: file.path.clone(), passphrase };
                self.engine.command(&mut self.model, request, self.now);
            }
            (file, _) => *file = None,
        }
    }

    fn replay(&mut self, times: usize) {
        if let Some((source, step)) = self.model.current.zip(self.model.selected) {
            self.model.trial = Some(Trial::new(source, step, times));
        }
    }

    fn show_page(&mut self, compare: bool) {
        if let Some((source, step)) = self.model.current.zip(self.model.selected) {
            let page = PageAt { source, step, side: self.model.side, compare };
            self.engine.command(&mut self.model, Request::Desktop(DesktopRequest::ShowPage(page)), self.now);
        }
    }

    fn return_to_live(&mut self) {
        let Some(timeline) = self.model.timeline() else { return };
        let source = timeline.id();
        let requests: Vec<Request> = timeline
            .sessions()
            .keys()
            .filter_map(|session| {
                let view = match timeline.cursor(session) {
                    RemoteCursor::Live => return None,
                    RemoteCursor::At(target) | RemoteCursor::Jumping(target) => {
                        timeline.step(target.step).and_then(|step| step.view.clone())
                    }
                    RemoteCursor::Unknown => None,
                };
                Some(Request::ReturnToLive { source, session: session.clone(), view })
            })
            .collect();
        for request in requests {
            self.engine.command(&mut self.model, request, self.now);
        }
    }

    /// Selects what following and playing want selected, and asks for the next frame when playing.
    pub(super) fn follow_and_play(&mut self, ctx: &Context) {
        let last = self.model.rows.len().checked_sub(1);
        if self.model.follow
            && let Some(step) = last.and_then(|row| self.model.row_id(row))
        {
            self.model.selected = Some(step);
        }
        if self.model.selected.is_none() {
            let recording = self.model.timeline().is_some_and(|timeline| timeline.source().kind == SourceKind::Recording);
            let row = if recording { Some(0) } else { last };
            self.model.selected = row.and_then(|row| self.model.row_id(row));
        }
        let Some(due) = self.model.playing else { return };
        if self.now >= due {
            let row = match self.model.selected_row() {
                Some(Ok(row)) => row + 1,
                Some(Err(next)) => next,
                None => 0,
            };
            let Some((step, started)) = self.model.row(row).map(|step| (step.id, step.started)) else {
                self.model.playing = None;
                return;
            };
            self.model.selected = Some(step);
            let gap = self.model.row(row + 1).map(|next| next.started - started);
            let Some(gap) = gap else {
                self.model.playing = None;
                return;
            };
            let pause = (gap / f64::from(self.model.speed.max(0.1))).clamp(*PLAY_PAUSE.start(), *PLAY_PAUSE.end());
            self.model.playing = Some(self.now + pause);
        }
        if let Some(due) = self.model.playing {
            ctx.request_repaint_after(Duration::from_secs_f64((due - self.now).clamp(0.01, 2.0)));
        }
    }
}
