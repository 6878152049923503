//! The window's end of the engine: requests by id, and where each answer belongs.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use inspector_model::{
    Answer, CommandDone, DesktopRequest, Diff, Drag, ErrorCode, Failure, Handle, JumpTarget, Level, Notice, PageAt, RecordingId, Request,
    RequestId, Scope, SessionId, SourceId, SourceKind, StateAnswer, StepDetail, Timeline, parse_value,
};

use super::compare::{Hand, RowDiff};
use super::desktop::{OPENED_FILES, file_name, opens};
use super::export::{self, Stage};
use super::layout::Pane;
use super::lookup::Followed;
use super::model::{JumpQuestion, JumpReport, LoadedState, Model, Page, SealedFile, Tab};
use super::replay::{Trial, replay_of};
use super::slot::Slot;
use super::startup::Memory;

/// Requests that are shown as messages when they are answered.
pub enum Purpose {
    /// A command; for a jump the page that it moves.
    Command(Option<(SourceId, SessionId)>),
    /// A source to look at.
    Open,
    /// A file to look at.
    OpenFile(PathBuf),
    /// A file to open.
    PickToOpen,
    /// Where to export to.
    PickToExport,
    /// An export; the dialog shows how it went, if it is still open.
    Export,
    /// A page to show.
    ShowPage(PageAt),
    /// Nothing is said when it went well: the answer can be seen.
    Quiet,
    /// A replay whose outcome is looked at before it is told.
    Replay,
    /// The return to live after the events of an [`super::edit_check::EditCheck`].
    EndCheck,
    /// What a jump would lose: it is done at once where that is nothing.
    PreviewJump(SourceId, JumpTarget, Option<String>),
    /// A recording to compare with.
    OpenBeside(Hand),
}

/// What is put back when the source it belongs to is there.
struct Restored {
    source: Option<SourceId>,
    page: Option<Page>,
    scope: Scope,
}

/// Sends and receives.
pub struct Engine {
    handle: Box<dyn Handle>,
    next: u64,
    /// Requests that were taken and not yet answered.
    unanswered: usize,
    pending: HashMap<RequestId, Purpose>,
    restored: Restored,
    /// The engine has told everything that was there before this window.
    told_all: bool,
    /// What page windows that follow the selection show, once one was opened, and whether both ends of it.
    led: Slot<PageAt, ()>,
    leads: Option<bool>,
}

impl Engine {
    pub fn new(handle: Box<dyn Handle>, memory: &Memory) -> Self {
        let restored = Restored { source: memory.source, page: memory.page, scope: memory.scope.clone() };
        Self { handle, next: 1, unanswered: 0, pending: HashMap::new(), restored, told_all: false, led: Slot::default(), leads: None }
    }

    /// Sets what is drawn when the engine has something to tell.
    pub fn wake(&self, ctx: egui::Context) {
        self.handle.set_waker(Box::new(move || ctx.request_repaint()));
    }

    /// Notes that everything which was there before this window has been told: what appears from now on is new.
    pub const fn told_all(&mut self) {
        self.told_all = true;
    }

    /// The user chose what to see: what was remembered of it is over.
    pub fn forget_scope(&mut self) {
        self.restored.scope = Scope::Everywhere;
    }

    /// Takes what has happened. `true` when there is more.
    pub fn drain(&self, max_steps: usize, into: &mut Vec<Notice>) -> bool {
        self.handle.drain(max_steps, into)
    }

    /// Sends a request. `None`: it was not taken.
    pub fn send(&mut self, request: Request) -> Option<RequestId> {
        let id = RequestId(self.next);
        self.next += 1;
        let taken = self.handle.send(id, request);
        self.unanswered += usize::from(taken);
        taken.then_some(id)
    }

    /// Whether an answer is still to come.
    pub const fn is_waiting(&self) -> bool {
        self.unanswered > 0
    }

    /// Sends a command whose answer is shown as a message.
    pub fn command(&mut self, model: &mut Model, request: Request, now: f64) {
        if let Request::Replay { source, step, params, restore } = request {
            model.trial = Some(Trial::new(source, step, 1).with(params, restore));
            return;
        }
        let purpose = match &request {
            Request::Attach { .. } | Request::AttachFound { .. } | Request::OpenRecording(_) | Request::OpenText(_) => Purpose::Open,
            Request::OpenFile(path) | Request::OpenSealed { path, .. } => Purpose::OpenFile(path.clone()),
            Request::Jump { source, target, .. } => {
                let session = model.timeline_of(*source).and_then(|timeline| timeline.step(target.step)?.session.clone());
                Purpose::Command(session.map(|session| (*source, session)))
            }
            Request::Desktop(DesktopRequest::PickFileToOpen) => Purpose::PickToOpen,
            Request::Desktop(DesktopRequest::ShowPage(page)) => Purpose::ShowPage(*page),
            Request::Desktop(DesktopRequest::Set(_) | DesktopRequest::Reply(..) | DesktopRequest::Update(_)) => Purpose::Quiet,
            _ => Purpose::Command(None),
        };
        self.ask(model, request, purpose, now);
    }

    /// Jumps, but asks the user first when something would be lost.
    pub fn preview_jump(&mut self, model: &mut Model, source: SourceId, target: JumpTarget, component: Option<String>, now: f64) {
        let request = Request::PreviewJump { source, target, component: component.clone() };
        self.ask(model, request, Purpose::PreviewJump(source, target, component), now);
    }

    /// Opens a recording to compare with what is open.
    pub fn open_beside(&mut self, model: &mut Model, hand: Hand, recording: RecordingId, now: f64) {
        self.ask(model, Request::OpenRecording(recording), Purpose::OpenBeside(hand), now);
    }

    /// Sends an event again, for a trial that is told of the answer.
    pub fn replay(&mut self, model: &mut Model, request: Request, now: f64) {
        self.ask(model, request, Purpose::Replay, now);
    }

    /// Sends a request whose answer is taken in as `purpose` says. `None`: it was not taken, and that is said.
    pub fn ask(&mut self, model: &mut Model, request: Request, purpose: Purpose, now: f64) -> Option<RequestId> {
        if let Some(id) = self.send(request) {
            model.busy += 1;
            self.pending.insert(id, purpose);
            return Some(id);
        }
        if let (Purpose::Replay, Some(trial)) = (purpose, &mut model.trial) {
            trial.refuse(not_taken().message);
            if trial.is_quiet() {
                return None;
            }
        }
        toast_failure(model, &not_taken(), now);
        None
    }

    /// Asks for what is looked at and not there yet.
    pub fn pull(&mut self, model: &mut Model) {
        let selected = model.current.zip(model.selected);
        let has_step = model.step().is_some();
        let has_states = model.step().is_some_and(|step| step.has_states());
        let side = model.side;
        let tab = model.tab;
        let shown = |wanted: bool| selected.filter(|_| wanted && has_step && model.page == Page::Steps);

        let detail = shown(true);
        let state = shown(tab == Tab::State && has_states).map(|(source, step)| (source, step, side));
        let html = shown(tab == Tab::Page).map(|(source, step)| (source, step, side));
        let diff = shown(tab == Tab::Diff && has_states).and_then(|(source, _)| {
            let (from, to) = model.compared()?;
            Some(((source, from.0, from.1), (source, to.0, to.1)))
        });
        let replay = model.step().filter(|_| shown(true).is_some());
        let recorded = replay.as_ref().and_then(replay_of).and_then(|of| model.timeline()?.step(of));
        model.pulled.detail.want(detail);
        model.pulled.state.want(state);
        model.pulled.html.want(html);
        model.pulled.diff.want(diff);
        let judged = selected.zip(recorded.as_ref()).map(|((source, step), recorded)| (source, recorded.id, step));
        model.pulled.verdict.want(judged);

        let pulled = &mut model.pulled;
        self.fill(&mut pulled.detail, |(source, step)| Request::Detail { source, step });
        self.fill(&mut pulled.state, |(source, step, side)| Request::State { source, step, side });
        self.fill(&mut pulled.diff, |(from, to)| Request::Diff { from, to });
        self.fill(&mut pulled.html, |(source, step, side)| Request::Html { source, step, side });
        match pulled.diff.shown() {
            Some((_, Ok(whole), _)) => RowDiff::renew(&mut pulled.told, whole, &model.compare.ignore),
            _ => pulled.told = None,
        }
        pulled.costs.want(state.filter(|_| model.show_costs));
        pulled.costs.pull(self);
        pulled.verdict.pull(self);
        if let Some((recorded, replay)) = recorded.zip(replay) {
            pulled.verdict.judge(&recorded, &replay, &model.compare.ignore);
        }
    }

    /// Asks for what a slot wants and does not have.
    pub fn fill<K: Clone + PartialEq, T>(&mut self, slot: &mut Slot<K, T>, request: impl FnOnce(K) -> Request) {
        if let Some(key) = slot.due().cloned() {
            match self.send(request(key.clone())) {
                Some(id) => slot.asked(id, key),
                None => slot.refused(key, not_taken()),
            }
        }
    }

    /// Asks on for what is looked for in the whole recording.
    pub fn look_up(&mut self, model: &mut Model) {
        let steps = model.timeline().map_or(0, |timeline| timeline.steps().len());
        let lookup = &mut model.lookup;
        if let Some(followed) = &mut lookup.followed {
            if Some(followed.source) == model.current {
                followed.steps = steps;
            } else {
                lookup.followed = None;
            }
        }
        let wanted = lookup.followed.clone().filter(|_| model.in_sight.has(Pane::History));
        lookup.history.want(wanted);
        self.fill(&mut lookup.history, |Followed { source, step, side, path, scope, .. }| Request::History {
            source,
            step,
            side,
            path,
            scope,
        });
        let find = &mut lookup.find;
        if !model.panes.has(Pane::Find) {
            find.stop();
        }
        if find.source.is_some() && find.source != model.current {
            find.begin(model.current, find.options.clone());
        }
        if let Some((source, from)) = find.source.zip(find.due()) {
            match self.send(Request::Search { source, options: find.options.clone(), from }) {
                Some(id) => find.asked(id),
                None => find.answered(Err(not_taken())),
            }
        }
    }

    /// Opens files that were dropped on the window, as the dialog does it.
    pub fn open_dropped(&mut self, model: &mut Model, files: Vec<PathBuf>, now: f64) {
        if files.is_empty() {
            return;
        }
        model.dragged.clear();
        for file in files {
            if opens(&file) {
                self.command(model, Request::OpenFile(file), now);
            } else {
                toast(model, Level::Error, format!("{} is no recording", file_name(&file)), Some(OPENED_FILES.to_owned()), now);
            }
        }
    }

    /// Tells page windows that follow the selection where it is. The latest wins; one is on its way at most.
    pub fn lead_pages(&mut self, model: &Model) {
        let Some(compare) = self.leads.filter(|_| model.desktop.page_windows) else { return };
        let in_page = model.step().is_some_and(|step| step.session.is_some());
        let selected = model.current.zip(model.selected).filter(|_| in_page);
        let Some((source, step)) = selected else { return };
        self.led.want(Some(PageAt { source, step, side: model.side, compare }));
        let mut led = std::mem::take(&mut self.led);
        self.fill(&mut led, |page| Request::Desktop(DesktopRequest::FollowPage(page)));
        self.led = led;
    }

    /// Takes one notice in.
    pub fn take(&mut self, model: &mut Model, notice: Notice, now: f64) {
        match notice {
            Notice::Answer(id, answer) => self.answer(model, id, answer, now),
            Notice::Recordings(recordings) => model.recordings = recordings,
            Notice::Found(found) => model.found = found,
            Notice::Keep(keep) => model.keep = keep,
            Notice::Encrypted(encrypted) => model.encrypted = encrypted,
            Notice::Breakpoints(all) => model.breakpoints = all,
            Notice::Work(work) => {
                model.stopping.retain(|id| work.iter().any(|work| work.id == *id));
                model.work = work;
            }
            Notice::Desktop(desktop) => model.desktop = *desktop,
            Notice::Message(level, text) => toast(model, level, text, None, now),
            Notice::SourceClosed(id) => {
                model.timelines.retain(|timeline| timeline.id() != id);
                model.jump_question.take_if(|question| question.source == id);
                if model.current == Some(id) {
                    let next = model.timelines.first().map(Timeline::id);
                    look_at(model, next);
                }
            }
            Notice::Source(source) => {
                let id = source.id;
                if !model.timelines.iter().any(|timeline| timeline.id() == id) {
                    model.timelines.push(Timeline::new((*source).clone()));
                    // Whoever opened it, this window or the program around it, wants to see it.
                    if model.current.is_none() {
                        self.look_first(model, id);
                    } else if self.told_all && model.page != Page::Compare {
                        look_at(model, Some(id));
                    } else if self.restored.source == Some(id) {
                        let page = model.page;
                        look_at(model, Some(id));
                        model.page = page;
                    }
                }
                apply(model, &Notice::Source(source));
                if model.current == Some(id) && model.selected.is_none() && model.rows.is_empty() {
                    model.follow = model.timeline().is_some_and(|timeline| timeline.source().kind != SourceKind::Recording);
                }
            }
            Notice::Show(id) => {
                if model.timelines.iter().any(|timeline| timeline.id() == id) {
                    look_at(model, Some(id));
                    model.page = Page::Steps;
                }
            }
            Notice::ShowStep(source, step) => {
                model.awaited_step = Some((source, step));
                super::desktop::show_awaited(model);
            }
            Notice::Drag(Drag::Over(files)) => model.dragged = files,
            Notice::Drag(Drag::Left) => model.dragged.clear(),
            Notice::Drag(Drag::Dropped(files)) => self.open_dropped(model, files, now),
            Notice::Session(source, session) => {
                let id = session.id.clone();
                apply(model, &Notice::Session(source, session));
                self.restore_scope(model, source, &id);
            }
            other => apply(model, &other),
        }
    }

    /// Looks at the first source that is there, in the view that was open last.
    fn look_first(&mut self, model: &mut Model, source: SourceId) {
        look_at(model, Some(source));
        model.page = self.restored.page.take().unwrap_or(Page::Steps);
    }

    /// Narrows to the page that was looked at last, when it is there.
    fn restore_scope(&mut self, model: &mut Model, source: SourceId, session: &SessionId) {
        let same = match &self.restored.scope {
            Scope::Session(id) | Scope::View(id, _) => id == session,
            Scope::Everywhere => false,
        };
        if same && model.current == Some(source) {
            model.scope = std::mem::take(&mut self.restored.scope);
        }
    }

    fn answer(&mut self, model: &mut Model, id: RequestId, answer: Answer, now: f64) {
        // What was asked in this window's name has a number that it never gave.
        if id.0 < self.next {
            self.unanswered = self.unanswered.saturating_sub(1);
        }
        let pulled = &mut model.pulled;
        if pulled.detail.awaits(id) {
            return pulled.detail.answered(detail_of(answer));
        }
        if pulled.diff.awaits(id) {
            return pulled.diff.answered(diff_of(answer));
        }
        if pulled.html.awaits(id) {
            return pulled.html.answered(match answer {
                Answer::Html(html) => Ok(html),
                other => Err(unexpected(other)),
            });
        }
        if pulled.state.awaits(id) {
            return pulled.state.answered(match answer {
                Answer::State(StateAnswer::Full(text)) => parse_value(&text)
                    .map(|value| LoadedState::Full(Arc::new(value), text.len()))
                    .map_err(|error| Failure::new(ErrorCode::Missing, format!("The state cannot be shown: {error}"))),
                Answer::State(StateAnswer::Missing(why)) => Ok(LoadedState::Missing(why)),
                other => Err(unexpected(other)),
            });
        }
        if model.pulled.costs.awaits(id) {
            return model.pulled.costs.answered(match answer {
                Answer::Costs(costs) => Ok(costs),
                other => Err(unexpected(other)),
            });
        }
        if model.lookup.history.awaits(id) {
            return model.lookup.history.answered(match answer {
                Answer::History(history) => Ok(Arc::new(history)),
                other => Err(unexpected(other)),
            });
        }
        if model.pinned.awaits(id) {
            return model.pinned.answered(id, answer, now);
        }
        if model.lookup.find.awaits(id) {
            return model.lookup.find.answered(match answer {
                Answer::Found(found) => Ok(found),
                other => Err(unexpected(other)),
            });
        }
        if model.pulled.verdict.awaits(id) {
            return model.pulled.verdict.answered(id, answer);
        }
        if let Some(trial) = model.trial.as_mut().filter(|trial| trial.evidence.awaits(id)) {
            return trial.evidence.answered(id, answer);
        }
        if model.edges.awaits(id) {
            return model.edges.answered(answer);
        }
        if let Some(export) = model.export.as_mut().filter(|export| export.preview.awaits(id)) {
            return match answer {
                Answer::ExportPreview(preview) => export.preview.answered(Ok(*preview)),
                // It was stopped, and is asked for anew if it is wanted again.
                Answer::Failed(failure) if failure.code == ErrorCode::Cancelled && export.preview.is_stale() => export.preview.dropped(),
                other => export.preview.answered(Err(unexpected(other))),
            };
        }
        // A preview whose dialog is closed.
        if matches!(answer, Answer::ExportPreview(_)) {
            return;
        }
        if model.compare.awaits(id) {
            return model.compare.answered(id, answer, &model.timelines);
        }
        // A part of a search or a comparison that was begun anew since.
        if matches!(answer, Answer::Found(_) | Answer::ComparedStates(_) | Answer::Costs(_)) {
            return;
        }
        if self.led.awaits(id) {
            if let Answer::Failed(failure) = &answer {
                toast_failure(model, failure, now);
            }
            return self.led.answered(Ok(()));
        }
        // What this window never asked for was asked in its name: the program around it opens what the user clicked elsewhere.
        let purpose = self.pending.remove(&id);
        if purpose.is_some() {
            model.busy = model.busy.saturating_sub(1);
        }
        if matches!(purpose, Some(Purpose::PickToExport | Purpose::Export)) {
            return self.exported(model, id, answer, now);
        }
        match answer {
            // Whoever cancelled it was told that it stops.
            Answer::Failed(failure) if failure.code == ErrorCode::Cancelled => drop(model.sealed_file.take_if(|file| file.trying)),
            Answer::Failed(failure) => {
                if let Some(Purpose::OpenFile(path)) = &purpose
                    && ask_passphrase(model, path, &failure)
                {
                    return;
                }
                if let (Some(Purpose::Replay), Some(trial)) = (&purpose, &mut model.trial) {
                    trial.refuse(failure.message.clone());
                    if trial.is_quiet() {
                        return;
                    }
                }
                if let (Some(Purpose::EndCheck), Some(check)) = (&purpose, &mut model.edit_check) {
                    return check.returned(Err(failure));
                }
                toast_failure(model, &failure, now);
            }
            Answer::Opened(source) if matches!(purpose, Some(Purpose::OpenBeside(_))) => {
                if let Some(Purpose::OpenBeside(hand)) = purpose {
                    model.compare.await_source(hand, source);
                }
            }
            Answer::Opened(source) => {
                if matches!(purpose, Some(Purpose::OpenFile(_))) {
                    model.sealed_file = None;
                }
                if model.current.is_none() {
                    self.look_first(model, source);
                } else {
                    look_at(model, Some(source));
                }
                if model.page == Page::Start {
                    model.page = Page::Steps;
                }
            }
            Answer::Picked(Some(path)) => {
                if matches!(purpose, Some(Purpose::PickToOpen)) {
                    self.command(model, Request::OpenFile(path), now);
                }
            }
            Answer::Done(text) => {
                if let Some(Purpose::ShowPage(page)) = purpose {
                    self.leads = Some(page.compare);
                    self.led.have(page, ());
                } else if matches!(purpose, Some(Purpose::Quiet) | None) {
                    return;
                }
                toast(model, Level::Info, text, None, now);
            }
            Answer::JumpPreview(preview) => {
                let Some(Purpose::PreviewJump(source, target, component)) = purpose else { return };
                if preview.not_restored.is_empty() {
                    self.command(model, Request::Jump { source, target, component }, now);
                } else {
                    model.jump_question = Some(JumpQuestion { source, target, component, preview: *preview });
                }
            }
            Answer::Command(done) if matches!(purpose, Some(Purpose::Replay)) => {
                if let Some(trial) = &mut model.trial {
                    trial.sent(done, now);
                }
            }
            Answer::Command(done) if matches!(purpose, Some(Purpose::EndCheck)) => {
                if let Some(check) = &mut model.edit_check {
                    check.returned(Ok(done));
                }
            }
            Answer::Command(done) => {
                let jump = match purpose {
                    Some(Purpose::Command(jump)) => jump,
                    _ => None,
                };
                command_done(model, jump, done, now);
            }
            Answer::Picked(None)
            | Answer::Detail(_)
            | Answer::State(_)
            | Answer::Diff(_)
            | Answer::Html(_)
            | Answer::History(_)
            | Answer::Values(_)
            | Answer::Costs(_)
            | Answer::Found(_)
            | Answer::Compared(_)
            | Answer::ComparedStates(_)
            | Answer::Ring(_)
            | Answer::ExportPreview(_) => {}
        }
    }
}

impl Engine {
    /// Takes in how an export went, or where it shall go: into its dialog, or as a message when that was closed.
    fn exported(&mut self, model: &mut Model, id: RequestId, answer: Answer, now: f64) {
        let dialog = model.export.as_mut().filter(|export| export.writing() == Some(id) || export.stage == Stage::Asking);
        match (answer, dialog) {
            (Answer::Picked(Some(path)), Some(_)) => export::write(self, model, path, now),
            (Answer::Picked(None), Some(dialog)) => dialog.stage = Stage::Choosing,
            (Answer::Done(text), Some(dialog)) => {
                if let Stage::Writing(_, path) = std::mem::take(&mut dialog.stage) {
                    dialog.stage = Stage::Written(text, path);
                }
            }
            (Answer::Done(text), None) => toast(model, Level::Info, text, None, now),
            (Answer::Failed(failure), Some(dialog)) => dialog.failed(failure),
            (Answer::Failed(failure), None) if failure.code != ErrorCode::Cancelled => toast_failure(model, &failure, now),
            _ => {}
        }
    }
}

fn apply(model: &mut Model, notice: &Notice) {
    for timeline in &mut model.timelines {
        timeline.apply(notice);
    }
}

/// Looks at another source, from its beginning.
pub fn look_at(model: &mut Model, source: Option<SourceId>) {
    if model.current == source {
        return;
    }
    model.current = source;
    model.selected = None;
    model.pin = None;
    model.brush = None;
    model.scope = Scope::Everywhere;
    model.playing = None;
    model.follow = model.timeline().is_some_and(|timeline| timeline.source().kind != SourceKind::Recording);
    model.page = if source.is_some() { Page::Steps } else { Page::Start };
}

/// Says what a command did.
pub fn command_done(model: &mut Model, jump: Option<(SourceId, SessionId)>, done: CommandDone, now: f64) {
    let lost = done.not_restored.len();
    let level = if done.trouble.is_some() || lost > 0 { Level::Warning } else { Level::Info };
    let mut detail: Vec<String> = done.trouble.iter().cloned().collect();
    detail.extend(done.not_restored.iter().take(4).map(|item| format!("{}: {}", item.path, item.why)));
    if lost > 4 {
        detail.push(format!("and {} more", lost - 4));
    }
    let text = if done.message.is_empty() { "Done".to_owned() } else { done.message.clone() };
    toast(model, level, text, (!detail.is_empty()).then(|| detail.join("\n")), now);
    if let Some((source, session)) = jump {
        model.jumps.retain(|report| report.session != session || report.source != source);
        model.jumps.push(JumpReport { source, session, done });
    }
}

/// Tells the user something.
pub fn toast(model: &mut Model, level: Level, text: String, detail: Option<String>, now: f64) {
    model.messages.tell(level, text, detail, now);
}

fn toast_failure(model: &mut Model, failure: &Failure, now: f64) {
    toast(model, Level::Error, failure.message.clone(), failure.hint.clone(), now);
}

/// Asks for the passphrase of a file that needs one, or another one. `false`: it was not opened for another reason.
fn ask_passphrase(model: &mut Model, path: &Path, failure: &Failure) -> bool {
    let asked = model.sealed_file.take().filter(|file| file.path == path);
    let is_needed = failure.code == ErrorCode::PassphraseNeeded;
    if is_needed {
        let why_not = asked.map(|_| "This is not the passphrase that it was encrypted with".to_owned());
        model.sealed_file = Some(SealedFile { path: path.to_owned(), why_not, trying: false });
    }
    is_needed
}

/// The engine did not take a request.
pub fn not_taken() -> Failure {
    Failure::new(ErrorCode::Busy, "The engine did not take the request").hint("It is busy or has ended: try again in a moment")
}

/// A detail, or why there is none.
pub fn detail_of(answer: Answer) -> Result<StepDetail, Failure> {
    match answer {
        Answer::Detail(detail) => Ok(*detail),
        other => Err(unexpected(other)),
    }
}

/// A diff, or why there is none.
pub fn diff_of(answer: Answer) -> Result<Arc<Diff>, Failure> {
    match answer {
        Answer::Diff(diff) => Ok(Arc::from(diff)),
        other => Err(unexpected(other)),
    }
}

/// The failure of an answer that is another one than was asked for.
pub fn unexpected(answer: Answer) -> Failure {
    match answer {
        Answer::Failed(failure) => failure,
        _ => Failure::new(ErrorCode::BadRequest, "The engine answered something else than was asked"),
    }
}
