//! The engine as a window has it, for tests: send a request, wait for its answer; wait for a step.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use inspector_engine::{Engine, Settings, Target, Window};
use inspector_model::{
    Answer, CommandDone, Diff, ExportOptions, Failure, Handle as _, JumpTarget, Notice, RecordedPage, Request, RequestId, SessionId, Side,
    SourceId, SourceState, StateAnswer, Step, StepDetail, StepId, StepKind, Timeline, Value, parse_value,
};
use parking_lot::{Condvar, Mutex};

/// Long enough for a server to start on a busy machine; a test that waits this long has failed.
pub const DEADLINE: Duration = Duration::from_mins(1);

/// An engine attached to one server, with what it has told so far.
pub struct Inspector {
    engine: Engine,
    window: Window,
    woken: Arc<(Mutex<bool>, Condvar)>,
    pub id: SourceId,
    pub timeline: Option<Timeline>,
    /// Further servers of the same engine.
    pub others: BTreeMap<SourceId, Timeline>,
    answers: Vec<(RequestId, Answer)>,
    pub messages: Vec<String>,
    next: u64,
    data_dir: Option<tempfile::TempDir>,
}

impl Inspector {
    /// Attaches with a library of its own.
    pub fn attach(target: Target) -> Self {
        let data = tempfile::tempdir().expect("a temporary folder");
        let mut inspector = Self::attach_in(data.path(), target);
        inspector.data_dir = Some(data);
        inspector
    }

    /// Attaches with the library in `data`.
    pub fn attach_in(data: &Path, target: Target) -> Self {
        let engine = Engine::start(&Settings::new(data)).expect("the engine starts");
        let woken = Arc::new((Mutex::new(false), Condvar::new()));
        let waker = woken.clone();
        let window = engine.window();
        window.set_waker(Box::new(move || {
            *waker.0.lock() = true;
            waker.1.notify_all();
        }));
        let id = engine.attach(target).expect("an attachment begins");
        Self {
            engine,
            window,
            woken,
            id,
            timeline: None,
            others: BTreeMap::new(),
            answers: Vec::new(),
            messages: Vec::new(),
            next: 1,
            data_dir: None,
        }
    }

    /// Attaches to another server as well.
    pub fn attach_another(&self, target: Target) -> SourceId {
        self.engine.attach(target).expect("an attachment begins")
    }

    /// One more window on the same engine.
    pub fn window(&self) -> Window {
        self.engine.window()
    }

    fn take(&mut self) {
        let mut notices = Vec::new();
        let mut more = true;
        while more {
            more = self.window.drain(1_000, &mut notices);
        }
        for notice in notices {
            match notice {
                Notice::Source(source) if self.timeline.is_none() && source.id == self.id => self.timeline = Some(Timeline::new(*source)),
                Notice::Source(source) if source.id != self.id && !self.others.contains_key(&source.id) => {
                    self.others.insert(source.id, Timeline::new(*source));
                }
                Notice::Answer(id, answer) => self.answers.push((id, answer)),
                Notice::Message(_, text) => self.messages.push(text),
                other => {
                    if let Some(timeline) = &mut self.timeline {
                        timeline.apply(&other);
                    }
                    self.others.values_mut().for_each(|timeline| timeline.apply(&other));
                }
            }
        }
    }

    /// Waits until `found` finds something in what was told.
    pub fn wait<T>(&mut self, what: &str, mut found: impl FnMut(&mut Self) -> Option<T>) -> T {
        let deadline = Instant::now() + DEADLINE;
        loop {
            self.take();
            if let Some(value) = found(self) {
                return value;
            }
            let mut woken = self.woken.0.lock();
            if !std::mem::take(&mut *woken) && self.woken.1.wait_until(&mut woken, deadline).timed_out() {
                drop(woken);
                panic!("waited {} s for {what}; there was:\n{}", DEADLINE.as_secs(), self.describe());
            }
        }
    }

    fn describe(&self) -> String {
        let Some(timeline) = &self.timeline else { return "nothing at all".into() };
        let steps: Vec<String> = timeline
            .steps()
            .iter()
            .map(|step| format!("{} {:?} {} {:?} {:?} {}", step.id, step.kind, step.name, step.status, step.error, step.changes))
            .collect();
        format!("{:?}\n{}\n{}", timeline.source().state, steps.join("\n"), self.messages.join("\n"))
    }

    /// What was told so far.
    pub fn timeline(&self) -> &Timeline {
        self.timeline.as_ref().expect("the source was told")
    }

    /// Waits until the server is attached.
    pub fn attached(&mut self) {
        self.wait("the attachment", |inspector| inspector.timeline.as_ref().filter(|timeline| timeline.source().is_attached()).map(drop));
    }

    /// Waits until the attachment has ended, and says why.
    pub fn ended(&mut self) -> String {
        self.wait("the end", |inspector| match &inspector.timeline.as_ref()?.source().state {
            SourceState::Ended { reason } => Some(reason.clone()),
            _ => None,
        })
    }

    /// Waits for the first step after `after` that `matches`.
    pub fn step_after(&mut self, after: StepId, what: &str, matches: impl Fn(&Step) -> bool) -> Step {
        self.wait(what, |inspector| inspector.timeline.as_ref()?.steps().iter().find(|step| step.id > after && matches(step)))
    }

    /// Waits for the first step that `matches`.
    pub fn step(&mut self, what: &str, matches: impl Fn(&Step) -> bool) -> Step {
        self.step_after(StepId(0), what, matches)
    }

    /// Waits for the `nth` event of this name, from 1.
    pub fn event(&mut self, name: &str, nth: usize) -> Step {
        self.wait(&format!("event {nth} of {name}"), |inspector| {
            inspector.timeline.as_ref()?.steps().iter().filter(|step| step.kind == StepKind::Event && step.name == name).nth(nth - 1)
        })
    }

    /// Waits for the mount of a view whose class ends with `class`, and gives its page.
    pub fn mounted(&mut self, class: &str) -> SessionId {
        self.wait(&format!("a page with {class}"), |inspector| {
            let timeline = inspector.timeline.as_ref()?;
            timeline
                .sessions()
                .values()
                .find(|session| session.is_open() && session.view.as_ref().is_some_and(|view| view.class.ends_with(class)))
                .map(|session| session.id.clone())
        })
    }

    /// Sends a request and waits for its answer.
    pub fn ask(&mut self, request: Request) -> Answer {
        let id = RequestId(self.next);
        self.next += 1;
        assert!(self.window.send(id, request), "the engine takes the request");
        self.wait("an answer", |inspector| {
            let position = inspector.answers.iter().position(|(answered, _)| *answered == id)?;
            Some(inspector.answers.swap_remove(position).1)
        })
    }

    /// A state as values.
    pub fn state(&mut self, step: StepId, side: Side) -> Value {
        match self.ask(Request::State { source: self.id, step, side }) {
            Answer::State(StateAnswer::Full(text)) => parse_value(&text).expect("a state"),
            other => panic!("no state {side:?} of step {step}: {other:?}"),
        }
    }

    /// An assign of the state after a step, in Python's spelling.
    pub fn assign(&mut self, step: StepId, name: &str) -> String {
        self.state(step, Side::After).get(name).map_or_else(|| "absent".into(), |value| value.summary(200))
    }

    /// What differs.
    pub fn diff(&mut self, from: (StepId, Side), to: (StepId, Side)) -> Diff {
        match self.ask(Request::Diff { from: (self.id, from.0, from.1), to: (self.id, to.0, to.1) }) {
            Answer::Diff(diff) => *diff,
            other => panic!("no diff: {other:?}"),
        }
    }

    /// Everything about a step.
    pub fn detail(&mut self, step: StepId) -> StepDetail {
        match self.ask(Request::Detail { source: self.id, step }) {
            Answer::Detail(detail) => *detail,
            other => panic!("no detail: {other:?}"),
        }
    }

    /// The page after a step.
    pub fn html(&mut self, step: StepId) -> String {
        match self.ask(Request::Html { source: self.id, step, side: Side::After }) {
            Answer::Html(Some(html)) => html,
            other => panic!("no page: {other:?}"),
        }
    }

    /// The page at one end of a step, with what surrounds it.
    pub fn page(&self, source: SourceId, step: StepId, side: Side) -> Result<RecordedPage, Failure> {
        self.engine.page(source, step, side)
    }

    /// Opens what was recorded so far as a file that was passed on: exported and imported.
    pub fn pass_on(&mut self) -> SourceId {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("passed-on.djrec");
        let recording = self.timeline().source().recorder.recording.clone().expect("a recording");
        match self.ask(Request::Export { recording, options: ExportOptions::default(), path: path.clone() }) {
            Answer::Done(_) => {}
            other => panic!("not exported: {other:?}"),
        }
        match self.ask(Request::OpenFile(path)) {
            Answer::Opened(id) => id,
            other => panic!("not opened: {other:?}"),
        }
    }

    /// Sends a command that must succeed.
    pub fn command(&mut self, request: Request) -> CommandDone {
        match self.ask(request) {
            Answer::Command(done) => done,
            other => panic!("not done: {other:?}\n{}", self.describe()),
        }
    }

    /// Jumps a page.
    pub fn jump(&mut self, step: StepId, side: Side) -> CommandDone {
        self.command(Request::Jump { source: self.id, target: JumpTarget { step, side }, component: None })
    }
}
