//! A scripted engine: notices are given by the test, requests are noted, and those about steps are answered from a sample.

#![allow(dead_code, unused_imports, reason = "each test target and the gallery use their own part of it")]

pub mod driver;
pub mod headless;
#[cfg(feature = "web-tests")]
pub mod in_page;
mod sample;
pub mod second;
pub mod shared;
#[cfg(feature = "web-tests")]
pub mod site;

use std::collections::VecDeque;
use std::sync::Arc;

use inspector_model::{
    Answer, Change, DesktopRequest, Diff, ErrorCode, Failure, Handle, Notice, Op, Path, RecorderStatus, Request, RequestId, Segment,
    Source, SourceId, SourceKind, SourceState, StateAnswer, Value,
};

use parking_lot::{Mutex, MutexGuard};
pub use sample::{SOURCE, Sample, many_steps, many_steps_from, sample, step};

/// The engine's side, shared between the test and the window.
#[derive(Default)]
pub struct Script {
    /// What the window will be told.
    pub notices: VecDeque<Notice>,
    /// What the window has asked.
    pub requests: Vec<(RequestId, Request)>,
    /// Where answers come from.
    pub sample: Option<Sample>,
    /// Hold answers back until released.
    pub hold: bool,
    /// Requests that were not answered yet.
    pub held: Vec<(RequestId, Request)>,
    /// Called when there is something to tell.
    pub waker: Option<Arc<dyn Fn() + Send + Sync>>,
}

/// An opened recording without steps.
pub fn recording(id: u64) -> Notice {
    let source = Source::recording(SourceId(id as _), format!("recording {id}"));
    Notice::Source(Box::new(source))
}

/// A handle on a [`Script`].
#[derive(Clone, Default)]
pub struct Scripted(Arc<Mutex<Script>>);

impl Scripted {
    /// With everything of the sample already told.
    pub fn with_sample() -> Self {
        let sample = sample();
        let script = Script { notices: sample.notices.clone().into(), sample: Some(sample), ..Script::default() };
        Self::of(script)
    }

    /// With a script.
    pub fn of(script: Script) -> Self {
        Self(Arc::new(Mutex::new(script)))
    }

    /// The script itself.
    pub fn script(&self) -> MutexGuard<'_, Script> {
        self.0.lock()
    }

    fn wake(&self) {
        // Not while the script is locked: whoever is woken looks into it.
        let waker = self.script().waker.clone();
        if let Some(waker) = waker {
            waker();
        }
    }

    /// Tells the window something.
    pub fn tell(&self, notice: Notice) {
        self.script().notices.push_back(notice);
        self.wake();
    }

    /// What the user picks in file dialogs.
    pub fn pick(&self, path: Option<&str>) {
        if let Some(sample) = &mut self.script().sample {
            sample.picked = path.map(Into::into);
        }
    }

    /// Forgets what was told and asked, and begins with the sample again: as for a window that has just come.
    pub fn tell_anew(&self) {
        let mut script = self.script();
        script.notices = script.sample.iter().flat_map(|sample| sample.notices.iter().cloned()).collect();
        script.held.clear();
    }

    /// Whether answers are held back from now on.
    pub fn hold(&self, hold: bool) {
        let mut script = self.script();
        script.hold = hold;
    }

    /// Answers all that was held back, and what is asked from now on at once.
    pub fn release(&self) {
        let mut script = self.script();
        script.hold = false;
        for (id, request) in std::mem::take(&mut script.held) {
            let answer = answer(script.sample.as_ref(), &request);
            script.notices.push_back(Notice::Answer(id, answer));
        }
        drop(script);
        self.wake();
    }

    /// Answers what is held back: diffs with this one, everything else as always.
    pub fn answer_held(&self, diff: &Diff) {
        let held = std::mem::take(&mut self.script().held);
        for (id, request) in held {
            let answer = match request {
                Request::Diff { .. } => Answer::Diff(Box::new(diff.clone())),
                other => answer(self.script().sample.as_ref(), &other),
            };
            self.tell(Notice::Answer(id, answer));
        }
    }

    /// Requests so far that fit, without their ids.
    pub fn asked(&self, fits: impl Fn(&Request) -> bool) -> Vec<Request> {
        self.script().requests.iter().map(|(_, request)| request.clone()).filter(|request| fits(request)).collect()
    }
}

impl Handle for Scripted {
    fn send(&self, id: RequestId, request: Request) -> bool {
        let mut script = self.script();
        script.requests.push((id, request.clone()));
        if script.hold {
            script.held.push((id, request));
            return true;
        }
        let answer = answer(script.sample.as_ref(), &request);
        script.notices.push_back(Notice::Answer(id, answer));
        drop(script);
        self.wake();
        true
    }

    fn drain(&self, max_steps: usize, into: &mut Vec<Notice>) -> bool {
        let mut script = self.script();
        let mut steps = 0;
        while let Some(notice) = script.notices.pop_front() {
            if let Notice::Steps(_, list) = &notice {
                steps += list.iter().map(|block| block.len()).sum::<usize>();
            }
            into.push(notice);
            if steps >= max_steps {
                return !script.notices.is_empty();
            }
        }
        false
    }

    fn set_waker(&self, waker: Box<dyn Fn() + Send + Sync>) {
        self.script().waker = Some(waker.into());
    }
}

/// A diff in which one number is another one.
pub fn number_differs(path: &str, before: i64, after: i64) -> Diff {
    let number = |number: i64| Value::Number(number.into());
    let op = Op::Changed { before: number(before), after: number(after) };
    let path = Path(vec![Segment::Key(path.into())]);
    Diff { changes: vec![Change { path, op, note: None }], ..Diff::default() }
}

/// What a well-behaved engine would answer.
pub fn answer(sample: Option<&Sample>, request: &Request) -> Answer {
    let none = || Answer::Failed(Failure::new(ErrorCode::NotFound, "No such step in the sample"));
    let Some(sample) = sample else { return none() };
    match request {
        Request::OpenFile(path) if path.ends_with("sealed.djrec") => {
            Answer::Failed(Failure::new(ErrorCode::PassphraseNeeded, "it is encrypted, and its passphrase is needed"))
        }
        Request::OpenSealed { passphrase, .. } if passphrase.as_str() != "correct horse" => {
            Answer::Failed(Failure::new(ErrorCode::PassphraseNeeded, "this is not the passphrase it was encrypted with"))
        }
        Request::Detail { step, .. } => sample.detail(*step).map_or_else(none, |detail| Answer::Detail(Box::new(detail))),
        Request::State { step, side, .. } => Answer::State(match sample.state(*step, *side) {
            Some(text) => StateAnswer::Full(text.into()),
            None => StateAnswer::Missing("The state of this step was not recorded: the page was closed first".into()),
        }),
        Request::Diff { from, to } => Answer::Diff(Box::new(sample.diff((from.1, from.2), (to.1, to.2)))),
        Request::Compare { left, right } => {
            second::compared(sample, left, right).map_or_else(none, |compared| Answer::Compared(Box::new(compared)))
        }
        Request::CompareStates { left, pairs, ignore, .. } => Answer::ComparedStates(second::states(*left, pairs, ignore.times_and_ids)),
        Request::Html { step, side, .. } => Answer::Html(sample.html(*step, *side)),
        Request::PreviewJump { .. } => Answer::JumpPreview(Box::default()),
        Request::Jump { target, .. } => Answer::Command(sample.jumped(*target)),
        Request::Attach { .. }
        | Request::AttachFound { .. }
        | Request::OpenRecording(_)
        | Request::OpenFile(_)
        | Request::OpenSealed { .. }
        | Request::OpenText(_) => Answer::Opened(SourceId(1)),
        Request::History { path, .. } => Answer::History(sample.history(path)),
        Request::ShortHistory { holder, path, .. } => Answer::History(sample.short_history(holder, path)),
        Request::Costs { step, side, from, .. } => sample.costs(*step, *side, *from).map_or_else(none, Answer::Costs),
        Request::Values { of, .. } => Answer::Values(of.iter().map(|at| sample.value(at)).collect()),
        Request::Search { options, .. } => Answer::Found(sample.search(options)),
        Request::Ring { .. } => Answer::Ring("[]".into()),
        Request::ReturnToLive { .. }
        | Request::Replay { .. }
        | Request::Dispatch { .. }
        | Request::Ticks { .. }
        | Request::LiftCooldown { .. } => {
            Answer::Command(inspector_model::CommandDone { message: "Done by the sample".into(), ..Default::default() })
        }
        Request::Desktop(DesktopRequest::PickFileToOpen | DesktopRequest::PickFileToSave { .. }) => Answer::Picked(sample.picked.clone()),
        Request::Desktop(DesktopRequest::ShowPage(page)) => Answer::Done(format!("Page of step {} shown", page.step)),
        Request::PreviewExport { options, .. } => match shared::preview(options, sample.steps.len()) {
            Ok(preview) => Answer::ExportPreview(Box::new(preview)),
            Err(failure) => Answer::Failed(failure),
        },
        Request::Close(_)
        | Request::Mark { .. }
        | Request::Keep(_)
        | Request::Breakpoints(_)
        | Request::DeleteRecording(_)
        | Request::KeepRecording(..)
        | Request::SetPassphrase { .. }
        | Request::Export { .. }
        | Request::Cancel(_)
        | Request::Desktop(
            DesktopRequest::FollowPage(_) | DesktopRequest::Set(_) | DesktopRequest::Reply(..) | DesktopRequest::Update(_),
        ) => Answer::Done("Done by the sample".into()),
    }
}
