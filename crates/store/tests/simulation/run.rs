//! One run: what is done in random order, with faults, and compared with the model after it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use inspector_model::{
    LogRecord, PageShell, Phase, RecordingId, Scope, SearchOptions, Secret, Session, SessionId, Side, StateAnswer, Status, Step,
    StepDetail, StepId, StepKind,
};
use inspector_store::simulation::{self, Act, Fault};
use inspector_store::{NewState, NewStep, Opening, ReadOnly, Reader, Recorder, Retention, Store, StoreError, read_file_with};
use inspector_tape::{Document, compare};

use crate::common::Random;
use crate::model::{Expect, ModelStep, Recording, Stream, Versions, View};
use crate::states::{States, words};

/// Long enough for everything.
const LONG: Duration = Duration::from_mins(10);

/// Where a fault happened, and which.
pub type Fired = (Act, String, Fault);

/// What a run came to.
#[derive(Default)]
pub struct Outcome {
    /// A number made of everything that was done and of what came of it.
    pub digest: u64,
    pub operations: u64,
    pub restarts: u64,
    pub faults: BTreeMap<Fired, u64>,
}

/// A file that was exported, and what it must hold.
struct Exported {
    path: PathBuf,
    recording: Recording,
    passphrase: Option<Secret>,
}

pub struct Run {
    random: Random,
    folder: tempfile::TempDir,
    library: PathBuf,
    store: Option<Store>,
    recordings: Vec<Recording>,
    gone: BTreeSet<RecordingId>,
    settings: BTreeMap<String, Versions<Option<u64>>>,
    passphrase: Versions<Option<String>>,
    files: Vec<Exported>,
    /// Titles of recordings that were not made.
    created: BTreeSet<String>,
    tokens: u64,
    clock: f64,
    trace: Vec<String>,
    loud: bool,
    outcome: Outcome,
}

fn secret(passphrase: Option<&String>) -> Option<Secret> {
    passphrase.map(|passphrase| Secret::from(passphrase.as_str()))
}

impl Run {
    pub fn new(seed: u64, loud: bool) -> Self {
        // In memory where there is such a folder: what a real disk does is not what is tried.
        let memory = Path::new("/dev/shm");
        let builder = tempfile::Builder::new().prefix("inspector-simulation-").to_owned();
        let folder = builder.tempdir_in(memory).or_else(|_| builder.tempdir()).unwrap();
        simulation::begin(seed);
        let library = folder.path().join("library");
        Self {
            random: Random(seed),
            library,
            folder,
            store: None,
            recordings: Vec::new(),
            gone: BTreeSet::new(),
            settings: BTreeMap::new(),
            passphrase: Versions::new(None),
            files: Vec::new(),
            created: BTreeSet::new(),
            tokens: 0,
            clock: 1_700_000_000.0,
            trace: Vec::new(),
            loud,
            outcome: Outcome::default(),
        }
    }

    pub fn trace(&self) -> &[String] {
        &self.trace
    }

    #[expect(clippy::print_stderr, reason = "it was asked for")]
    fn note(&mut self, words: impl std::fmt::Display) {
        let line = format!("{:>5} {words}", simulation::acts());
        // Paths differ from run to run.
        let plain = line.replace(&*self.folder.path().to_string_lossy(), "");
        self.outcome.digest = plain.bytes().fold(self.outcome.digest, |sum, byte| sum.wrapping_mul(0x0100_0000_01b3) ^ u64::from(byte));
        if self.loud {
            eprintln!("{plain}");
        }
        self.trace.push(plain);
    }

    /// What is done in a run of so many operations.
    pub fn go(&mut self, operations: u64) {
        self.reopen();
        for _ in 0..operations {
            self.outcome.operations += 1;
            if self.random.below(3) == 0 {
                let most = [2, 5, 20, 150][self.random.below(4) as usize];
                let after = self.random.below(most);
                let fault = Fault::ALL[self.random.below(Fault::ALL.len() as u64) as usize];
                self.note(format!("arm {fault:?} after {after}"));
                simulation::arm(Some((after, fault)));
            }
            self.operation();
            self.settle();
        }
        simulation::arm(None);
        simulation::set_full(false);
        self.note("the end");
        self.close_and_open();
        self.check_all();
    }

    pub fn outcome(self) -> Outcome {
        simulation::end();
        self.outcome
    }

    fn store(&self) -> Store {
        self.store.clone().unwrap()
    }

    /// After an operation: whether the process goes on, and what is there.
    fn settle(&mut self) {
        let fired = simulation::fired();
        if let Some(fired) = fired {
            self.note(format!("     fired {fired:?}"));
            *self.outcome.faults.entry(fired).or_default() += 1;
        }
        if simulation::is_killed() {
            self.restart();
            return;
        }
        simulation::arm(None);
        if let Some(why) = self.store().trouble() {
            self.note(format!("     stopped: {why}"));
            // Also when nothing is written any more, it can be read.
            self.recordings.iter_mut().for_each(|recording| recording.is_loose = true);
            self.check_all();
            self.restart();
            return;
        }
        if simulation::is_full() && self.random.below(3) == 0 {
            self.note("     there is space again");
            simulation::set_full(false);
        }
        self.check_some();
    }

    /// Whether a failure is one that had to be expected.
    fn expected(&mut self, error: &StoreError) -> bool {
        let expected =
            simulation::fired().is_some() || simulation::is_full() && matches!(error, StoreError::Full { .. } | StoreError::Stopped { .. });
        let words = error.to_string();
        self.note(format!("     {words}"));
        expected
    }

    fn must(&mut self, error: &StoreError) {
        assert!(self.expected(error), "it failed without a fault: {error}");
    }

    fn pick(&mut self, which: impl Fn(&Recording) -> bool) -> Option<usize> {
        let all: Vec<usize> = (0..self.recordings.len()).filter(|at| which(&self.recordings[*at])).collect();
        if all.is_empty() { None } else { Some(all[self.random.below(all.len() as u64) as usize]) }
    }

    fn operation(&mut self) {
        match self.random.below(100) {
            0..6 => self.create(),
            6..40 => self.append(),
            40..50 => self.flush(),
            50..53 => self.end(),
            53..56 => self.resume(),
            56..60 => self.close_page(),
            60..62 => self.describe(),
            62..66 => self.mark(),
            66..70 => self.search(),
            70..73 => self.history(),
            73..76 => self.export(),
            76..80 => self.import(),
            80..82 => self.import_damaged(),
            82..85 => self.thin(),
            85..87 => self.keep_within(),
            87..89 => self.delete(),
            89..90 => self.expire(),
            90..92 => self.setting(),
            92..94 => self.set_passphrase(),
            94..95 => self.keep(),
            95..96 => self.import_as(),
            96..98 => self.kill(),
            _ => {
                self.note("reopen");
                self.close_and_open();
            }
        }
    }

    fn create(&mut self) {
        if self.recordings.len() >= 6 {
            return;
        }
        self.clock += 60.0;
        let title = words(&mut self.random, 3);
        self.note(format!("create {title:?}"));
        match self.store.as_ref().unwrap().create(&title, self.clock, "1.2.6") {
            Ok(recorder) => {
                let mut recording = Recording::new(recorder.id().clone(), &title, Some(recorder));
                if self.random.below(2) == 0 {
                    recording.live.as_mut().unwrap().set_retention(Some(Retention { most_bytes: 20_000, slow_ms: 1_000.0 }));
                    recording.thinned = true;
                }
                self.recordings.push(recording);
            }
            Err(error) => {
                self.must(&error);
                self.created.insert(title);
            }
        }
    }

    fn append(&mut self) {
        let Some(at) = self.pick(|recording| recording.live.is_some()) else { return self.create() };
        let most = [3, 20, 120][self.random.below(3) as usize];
        let count = 1 + self.random.below(most);
        self.note(format!("append {count} to {}", self.recordings[at].id));
        for _ in 0..count {
            let mut recorder = self.recordings[at].live.take().unwrap();
            let appended = self.append_one(at, &mut recorder);
            self.recordings[at].live = Some(recorder);
            if let Err(error) = appended {
                self.must(&error);
                break;
            }
            // A large state is slow to compare: a few of them are enough.
            if self.recordings[at].steps.last().is_some_and(|step| step.after.text().is_some_and(|text| text.len() > 500_000)) && count > 20
            {
                break;
            }
        }
    }

    fn stream(&mut self) -> Stream {
        let session = [Some("a"), Some("a"), Some("b"), Some("ünï"), None][self.random.below(5) as usize];
        let view = if self.random.below(4) == 0 { Some("child") } else { None };
        (session.map(SessionId::from), view.map(Into::into))
    }

    fn append_one(&mut self, at: usize, recorder: &mut Recorder) -> Result<(), StoreError> {
        let stream = self.stream();
        self.clock += 1.0;
        self.tokens += 1;
        let token = format!("token{}x", self.tokens);
        let recording = &self.recordings[at];
        let number = recording.steps.len() + 1;
        let kind = StepKind::ALL[self.random.below(StepKind::ALL.len() as u64) as usize];
        let mut step =
            Step { key: format!("k{number}-{}", self.tokens), ..Step::new(kind, ["add", "größer", "tick"][number % 3], self.clock) };
        (step.session, step.view) = stream.clone();
        step.duration_ms = Some(self.random.below(20) as f64 / 2.0);
        if self.random.below(25) == 0 {
            step.status = Status::Raised;
            step.error = Some("ValueError: no".to_owned());
        }
        let detail = match number % 3 {
            0 => StepDetail::default(),
            1 => StepDetail { params: Some(format!("{{\"n\":{number}}}")), ..StepDetail::default() },
            _ => {
                let logs = vec![LogRecord { message: format!("é😀 {number}"), ..LogRecord::default() }];
                StepDetail { params: Some(format!("{{\"n\":{number}}}")), logs, ..StepDetail::default() }
            }
        };
        // A model of what a view has: kept apart while a step is not known to be taken.
        let recording = &mut self.recordings[at];
        let mut states = recording.states.remove(&stream).unwrap_or_else(|| States::new(&mut self.random));
        let known = recording.views.get(&stream);
        let mut last = known.map_or(Expect::Missing, |view| view.last.clone());
        let mut document = known.and_then(|view| view.document.clone());
        let mut earlier = known.and_then(|view| view.text.clone());
        let mut new_states = Vec::new();
        let mut follows = None;
        let mut has_token = false;
        for is_after in [false, true] {
            let choice = self.random.below(100);
            let (state, expect) = match (is_after, choice) {
                (false, 0..80) | (true, 0..8) => {
                    let expect = if recording.thinned { last.clone().or_nothing() } else { last.clone() };
                    (NewState::Same, expect)
                }
                (false, 80..90) | (true, 8..10) => (NewState::None, Expect::Missing),
                (_, 10..12) => (NewState::Missing("it was not seen".to_owned()), Expect::Missing),
                _ if states.is_big() && !is_after => (NewState::None, Expect::Missing),
                _ => {
                    let text = states.next(&mut self.random, &token);
                    let new = Document::new(text.clone()).ok().map(Arc::new);
                    follows = earlier.clone().filter(|earlier| Document::new(earlier.clone()).is_ok());
                    // What follows something that is no JSON is not looked into.
                    has_token = is_after && new.is_some() && text.contains(&token) && follows.is_some() == earlier.is_some();
                    earlier = Some(text.clone());
                    let state = match (choice % 3, &document, &new) {
                        (0, Some(document), Some(new)) => NewState::Compared(Arc::new(compare(document, new, LONG))),
                        (0 | 1, _, Some(new)) => NewState::Document(new.clone()),
                        _ => NewState::Text(text.clone()),
                    };
                    document = new;
                    (state, Expect::Text(text))
                }
            };
            if !matches!(state, NewState::None) {
                last = expect.clone();
                if last == Expect::Missing {
                    document = None;
                }
            }
            new_states.push((state, expect));
        }
        recording.states.insert(stream.clone(), states);
        let (after, expect_after) = new_states.pop().unwrap();
        let (before, expect_before) = new_states.pop().unwrap();
        step.state_bytes = u64::from(!matches!((&before, &after), (NewState::None, NewState::None)));
        let has_after = !matches!(after, NewState::None);
        let html: Option<Arc<str>> =
            (self.random.below(4) == 0).then(|| format!("<p>{}</p><i>{token}</i>", words(&mut self.random, 40)).into());
        let id = recorder.append(NewStep { step: step.clone(), detail: detail.clone(), before, after, html: html.clone() })?;
        step.id = id;
        assert_eq!(id, StepId(number as u64));
        if step.has_states() {
            recording.views.insert(stream.clone(), View { last, text: earlier, document });
        }
        let page_before = recording.pages.get(&stream.0).cloned().unwrap_or(Expect::Missing);
        let page_before = if recording.thinned { page_before.or_nothing() } else { page_before };
        let page_after = html.map_or_else(|| page_before.clone(), Expect::Text);
        recording.pages.insert(stream.0, page_after.clone());
        recording.steps.push(ModelStep {
            step,
            detail,
            before: expect_before,
            after: expect_after,
            has_after,
            html: [page_before, page_after],
            marked_whole: false,
            token: has_token.then_some(token),
            follows,
        });
        Ok(())
    }

    fn flush(&mut self) {
        let Some(at) = self.pick(|recording| recording.live.is_some()) else { return };
        self.note(format!("flush {}", self.recordings[at].id));
        let recording = &mut self.recordings[at];
        match recording.live.as_mut().unwrap().flush() {
            Ok(()) => recording.flushed(),
            Err(error) => self.must(&error),
        }
    }

    fn end(&mut self) {
        let Some(at) = self.pick(|recording| recording.live.is_some()) else { return };
        self.end_of(at);
    }

    fn end_of(&mut self, at: usize) {
        self.note(format!("end {}", self.recordings[at].id));
        let store = self.store();
        let full_before = simulation::is_full();
        let recording = &mut self.recordings[at];
        drop(recording.live.take());
        // Whoever drops it is not told whether it was written.
        let is_fine = !full_before && simulation::fired().is_none() && !simulation::is_killed();
        if is_fine && store.trouble().is_none() {
            recording.flushed();
        } else if !simulation::is_killed() {
            if store.trouble().is_none() {
                self.cut(at);
            } else {
                recording.ended_badly = true;
            }
        }
    }

    /// The process goes on without a recorder that could not write its end: as after a crash, that may be gone.
    fn cut(&mut self, at: usize) {
        let store = self.store();
        let id = self.recordings[at].id.clone();
        match store.read(&id) {
            Ok(reader) => {
                let recording = &mut self.recordings[at];
                let steps = reader.info().steps as usize;
                assert!((recording.durable..=recording.steps.len()).contains(&steps), "{id} has {steps} steps");
                recording.steps.truncate(steps);
                // What was stored before is there, but not made sure of.
                recording.title.is_now(reader.info().title);
                let sessions = reader.sessions().unwrap();
                for (id, versions) in &mut recording.sessions {
                    versions.is_now(sessions.iter().find(|session| session.id == *id).cloned());
                }
                for (id, versions) in &mut recording.shells {
                    versions.is_now(reader.shell(id).unwrap());
                }
            }
            Err(error) => {
                assert!(!self.recordings[at].is_durable && matches!(error, StoreError::NotFound { .. }), "{id}: {error}");
                self.recordings.remove(at);
            }
        }
    }

    fn resume(&mut self) {
        let Some(at) = self.pick(|recording| recording.live.is_none() && !recording.damaged) else { return };
        let id = self.recordings[at].id.clone();
        self.note(format!("resume {id}"));
        match self.store.as_ref().unwrap().resume(&id) {
            Ok(recorder) => {
                let recording = &mut self.recordings[at];
                let keys: Vec<&str> = recorder.known_keys().collect();
                assert_eq!(keys, recording.steps.iter().map(|step| step.step.key.as_str()).collect::<Vec<_>>(), "keys of {id}");
                recording.live = Some(recorder);
                recording.taken_up();
            }
            Err(error) => self.must(&error),
        }
    }

    fn session(&mut self, id: &SessionId, phase: Phase) -> Session {
        let json = serde_json::json!({"session": id.as_str(), "path": format!("/{}", words(&mut self.random, 3)), "opened": self.clock});
        let mut session: Session = serde_json::from_value(json).unwrap();
        session.phase = phase;
        session
    }

    /// A page closes; its views may come again at once.
    fn close_page(&mut self) {
        let Some(at) = self.pick(|recording| recording.live.is_some()) else { return };
        let id = SessionId::from(["a", "b", "ünï"][self.random.below(3) as usize]);
        let is_back = self.random.below(2) == 0;
        self.note(format!("page {id} closes in {}{}", self.recordings[at].id, if is_back { " and comes back" } else { "" }));
        let mut phases = vec![Phase::Closed];
        if is_back {
            phases.push(Phase::Mounted);
        }
        for phase in phases {
            let session = self.session(&id, phase);
            let recording = &mut self.recordings[at];
            recording.live.as_mut().unwrap().put_session(&session);
            recording.sessions.entry(id.clone()).or_insert_with(|| Versions::new(None)).set(Some(session));
        }
        let recording = &mut self.recordings[at];
        // Until somebody takes the recording up again nothing is known of its states.
        recording.views.retain(|(of, _), _| of.as_ref() != Some(&id));
        if let Some(page) = recording.pages.get_mut(&Some(id)) {
            *page = page.clone().or_nothing();
        }
    }

    fn describe(&mut self) {
        let Some(at) = self.pick(|recording| recording.live.is_some()) else { return };
        let id = SessionId::from(["a", "b", "ünï"][self.random.below(3) as usize]);
        self.note(format!("describe {id} in {}", self.recordings[at].id));
        let long = if self.random.below(3) == 0 { 3_000 } else { 3 };
        let title = words(&mut self.random, 4);
        let shell = PageShell { url: format!("/{id}"), before: words(&mut self.random, long), ..PageShell::default() };
        let recording = &mut self.recordings[at];
        let recorder = recording.live.as_mut().unwrap();
        recorder.put_shell(&id, &shell);
        recorder.set_title(&title);
        recording.shells.entry(id).or_insert_with(|| Versions::new(None)).set(Some(shell));
        recording.title.set(title);
    }

    fn mark(&mut self) {
        let Some(at) = self.pick(|recording| !recording.steps.is_empty()) else { return };
        let id = self.recordings[at].id.clone();
        let step = 1 + self.random.below(self.recordings[at].steps.len() as u64);
        let note = (self.random.below(4) > 0).then(|| words(&mut self.random, 4));
        self.note(format!("mark {step} of {id}: {note:?}"));
        let store = self.store();
        let whole = store.read(&id).and_then(|reader| reader.state(StepId(step), Side::After));
        let whole = matches!(whole, Ok(StateAnswer::Full(_)));
        let marked = store.mark(&id, StepId(step), note.as_deref());
        let recording = &mut self.recordings[at];
        let versions = recording.marks.entry(step).or_insert_with(|| Versions::new(None));
        let is_marked = note.is_some();
        versions.set(note);
        recording.steps[step as usize - 1].marked_whole = marked.is_ok() && is_marked && whole;
        match marked {
            Ok(()) => {
                versions.flushed();
                // With its mark a step is on the disk, and so is its recording.
                let recording = &mut self.recordings[at];
                recording.is_durable = true;
                recording.durable = recording.durable.max(step as usize);
            }
            Err(error) => {
                self.must(&error);
                if self.goes_on() {
                    let found = store.read(&id).unwrap().marks().unwrap().get(&StepId(step)).cloned();
                    self.recordings[at].marks.get_mut(&step).unwrap().settle(found, "a mark that failed");
                }
            }
        }
    }

    /// Whether the process was not killed, and writing was not stopped.
    fn goes_on(&self) -> bool {
        !simulation::is_killed() && self.store().trouble().is_none()
    }

    fn search(&mut self) {
        let Some(at) = self.pick(|recording| !recording.steps.is_empty()) else { return };
        let nth = self.random.below(self.recordings[at].steps.len() as u64) as usize;
        let Some(token) = self.recordings[at].steps[nth].token.clone() else { return };
        self.note(format!("search {token} of step {} in {}", nth + 1, self.recordings[at].id));
        let Some(reader) = self.reader(at) else { return };
        let recording = &self.recordings[at];
        let options = SearchOptions { text: token.to_uppercase(), ..SearchOptions::default() };
        let mut search = reader.search(options.clone());
        let whole = search.run(LONG).unwrap();
        assert!(search.is_done());
        let (mut parts, mut next, mut rounds) = (Vec::new(), Some(StepId(0)), 0);
        while let Some(from) = next {
            let mut search = reader.search_on(options.clone(), from);
            parts.extend(search.run(Duration::ZERO).unwrap());
            next = search.next();
            rounds += 1;
            assert!(rounds <= recording.steps.len() + 2, "a search that goes on for ever");
        }
        assert_eq!(parts, whole, "in parts and in one");
        for hit in &whole {
            let step = &recording.steps[hit.step.0 as usize - 1];
            let has_it = |expect: &Expect| expect.text().is_some_and(|text| text.contains(&token));
            assert!(has_it(&step.before) || has_it(&step.after), "{token} is not in step {}", hit.step);
            assert_eq!((&hit.session, &hit.view), (&step.step.session, &step.step.view));
        }
        let step = &recording.steps[nth];
        let is_new = step.follows.is_none() || step.follows.as_ref().is_some_and(|earlier| !earlier.contains(&token));
        // What was dropped cannot be looked into, where it was a first state.
        if is_new && !recording.thinned {
            assert!(whole.iter().any(|hit| hit.step == step.step.id), "{token} came with step {} and was not found: {whole:?}", nth + 1);
        }
    }

    fn history(&mut self) {
        let Some(at) = self.pick(|recording| !recording.steps.is_empty()) else { return };
        let nth = self.random.below(self.recordings[at].steps.len() as u64) as usize;
        let recording = &self.recordings[at];
        let step = &recording.steps[nth];
        let Expect::Text(text) = &step.after else { return };
        if serde_json::from_str::<serde_json::Value>(text).is_err() {
            return;
        }
        let words = format!("history of step {} in {}", nth + 1, recording.id);
        self.note(words);
        let Some(reader) = self.reader(at) else { return };
        let recording = &self.recordings[at];
        let step = &recording.steps[nth];
        let scope = step.step.session.clone().map_or(Scope::Everywhere, |session| Scope::View(session, step.step.view.clone()));
        if self.random.below(2) == 0 {
            let mut rounds = 0;
            while !reader.prepare_changes(Duration::ZERO).unwrap() {
                rounds += 1;
                assert!(rounds <= recording.steps.len() + 2, "the history is never complete");
            }
        }
        let place = reader
            .place(step.step.id, Side::After, &inspector_model::Path(vec![inspector_model::Segment::Key("count".to_owned())]))
            .unwrap();
        let changes = reader.changes(&place, &scope).unwrap();
        assert!(changes.is_sorted());
        let count = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok().map(|value| value["count"].clone());
        for other in &recording.steps {
            if scope.has(other.step.session.as_ref(), other.step.view.as_ref())
                && let (Some(earlier), Expect::Text(after), Some(_)) = (&other.follows, &other.after, &other.token)
                && count(earlier) != count(after)
                && other.before.text() == Some(earlier)
            {
                assert!(changes.contains(&other.step.id), "the change of step {} is not known: {changes:?}", other.step.id);
            }
        }
        for change in &changes {
            let other = &recording.steps[change.0 as usize - 1];
            assert!(scope.has(other.step.session.as_ref(), other.step.view.as_ref()));
        }
        let middle = step.step.id;
        let before = reader.last_change_before(&place, &scope, middle).unwrap();
        let after = reader.first_change_after(&place, &scope, middle).unwrap();
        assert_eq!(before, changes.iter().rev().find(|change| **change < middle).copied());
        assert_eq!(after, changes.iter().find(|change| **change > middle).copied());
    }

    fn export(&mut self) {
        let Some(at) = self.pick(|recording| !recording.damaged) else { return };
        let (id, number) = (self.recordings[at].id.clone(), self.random.below(3));
        let path = self.folder.path().join(format!("export-{number}.djrec"));
        self.note(format!("export {id} to {number}"));
        let before = fs::read(&path).ok();
        let exported = self.store().export(&id, &path, &|_, _| true);
        match exported {
            Ok(bytes) => {
                assert_eq!(fs::metadata(&path).unwrap().len(), bytes);
                self.files.retain(|file| file.path != path);
                let mut recording = self.recordings[at].copy(id);
                let reader = read_file_with(&path, None, &|_, _| true).unwrap();
                if self.recordings[at].live.is_some() && (simulation::fired().is_some() || simulation::is_full()) {
                    // Where nothing can be written, a part of what is recorded can be exported: what was stored before.
                    let steps = reader.info().steps as usize;
                    assert!((self.recordings[at].durable..=recording.steps.len()).contains(&steps));
                    recording.steps.truncate(steps);
                    recording.is_loose = true;
                    check(&reader, &recording, None);
                    return;
                }
                check(&reader, &recording, None);
                let mut file = Exported { path, recording, passphrase: None };
                if self.random.below(3) == 0 {
                    self.seal(&mut file);
                }
                self.files.push(file);
            }
            Err(error) => {
                self.must(&error);
                if !simulation::is_killed() && simulation::fired().is_none_or(|(_, _, fault)| fault != Fault::ErrorAfter) {
                    assert_eq!(fs::read(&path).ok(), before, "what was there before the export");
                    let left = fs::read_dir(self.folder.path())
                        .unwrap()
                        .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().ends_with(".part"));
                    assert_eq!(left.count(), 0, "something is left of an export");
                } else if fs::read(&path).ok() != before {
                    self.files.retain(|file| file.path != path);
                }
            }
        }
    }

    fn seal(&mut self, file: &mut Exported) {
        let sealed = file.path.with_extension("sealed.djrec");
        let passphrase = Secret::from("of the file");
        match inspector_store::seal_file(&file.path, &sealed, &passphrase) {
            Ok(bytes) => {
                assert_eq!(fs::metadata(&sealed).unwrap().len(), bytes);
                assert!(matches!(read_file_with(&sealed, None, &|_, _| true), Err(StoreError::PassphraseNeeded { .. })));
                assert!(matches!(
                    read_file_with(&sealed, Some(&Secret::from("another")), &|_, _| true),
                    Err(StoreError::WrongPassphrase { .. })
                ));
                self.files.retain(|file| file.path != sealed);
                (file.path, file.passphrase) = (sealed, Some(passphrase));
            }
            Err(error) => {
                self.files.retain(|file| file.path != sealed);
                self.must(&error);
            }
        }
    }

    fn import(&mut self) {
        if self.files.is_empty() || self.recordings.len() >= 8 {
            return;
        }
        let nth = self.random.below(self.files.len() as u64) as usize;
        let file = &self.files[nth];
        let (path, passphrase) = (file.path.clone(), file.passphrase.clone());
        let stop_after = if self.random.below(5) == 0 { self.random.below(4) } else { u64::MAX };
        self.note(format!("import {}{}", path.display(), if stop_after < u64::MAX { " and stop" } else { "" }));
        let asked = std::cell::Cell::new(0);
        let go_on = |_: u64, _: u64| {
            asked.set(asked.get() + 1);
            asked.get() <= stop_after
        };
        let before: Vec<RecordingId> = self.listed();
        match self.store.as_ref().unwrap().import_with(&path, passphrase.as_ref(), &go_on) {
            Ok(imported) => {
                let known = self.recordings.iter().any(|recording| recording.id == imported.id);
                assert_eq!(known, before.contains(&imported.id));
                if !known {
                    assert_eq!(imported.damaged, None);
                    let recording = self.files[nth].recording.copy(imported.id);
                    self.recordings.push(recording);
                    self.check_last();
                }
            }
            Err(StoreError::Cancelled) if asked.get() > stop_after => self.nothing_new(&before),
            Err(error) => {
                self.must(&error);
                self.nothing_new(&before);
            }
        }
    }

    /// Nothing came into the library by half. After a kill that is seen when it is opened again.
    fn nothing_new(&self, before: &[RecordingId]) {
        if self.goes_on() {
            assert_eq!(self.listed(), before, "something is left of an import");
        }
    }

    fn listed(&self) -> Vec<RecordingId> {
        self.store().recordings().unwrap().into_iter().map(|info| info.id).collect()
    }

    fn check_last(&self) {
        let recording = self.recordings.last().unwrap();
        check(&self.store().read(&recording.id).unwrap(), recording, None);
    }

    /// A file that ends too soon, or of which a bit is another one: what is taken in is the beginning of it, and says so.
    fn import_damaged(&mut self) {
        if self.files.is_empty() || self.recordings.len() >= 8 {
            return;
        }
        let nth = self.random.below(self.files.len() as u64) as usize;
        let mut bytes = fs::read(&self.files[nth].path).unwrap();
        let at = self.random.below(bytes.len() as u64) as usize;
        let is_cut = self.random.below(2) == 0;
        if is_cut {
            bytes.truncate(at);
        } else {
            bytes[at] ^= 1 << self.random.below(8);
        }
        self.note(format!("import what is damaged at {at} of {}", self.files[nth].path.display()));
        let path = self.folder.path().join("damaged.djrec");
        fs::write(&path, bytes).unwrap();
        let before = self.listed();
        match self.store.as_ref().unwrap().import_with(&path, self.files[nth].passphrase.as_ref(), &|_, _| true) {
            Ok(imported) => {
                assert!(before.contains(&imported.id) || imported.damaged.is_some(), "damage at {at} was not seen");
                if !before.contains(&imported.id) {
                    let mut recording = self.files[nth].recording.copy(imported.id);
                    assert!(imported.steps <= recording.steps.len() as u64);
                    recording.steps.truncate(imported.steps as usize);
                    recording.durable = recording.steps.len();
                    recording.damaged = true;
                    recording.marks = marks_of(&self.store().read(&recording.id).unwrap());
                    self.recordings.push(recording);
                    self.check_last();
                }
            }
            Err(
                StoreError::NotARecording { .. }
                | StoreError::Damaged { .. }
                | StoreError::TooNew { .. }
                | StoreError::PassphraseNeeded { .. }
                | StoreError::WrongPassphrase { .. },
            ) => self.nothing_new(&before),
            Err(error) => {
                self.must(&error);
                self.nothing_new(&before);
            }
        }
    }

    fn import_as(&mut self) {
        if self.recordings.len() >= 8 {
            return;
        }
        self.tokens += 1;
        let id = RecordingId::from(format!("text-{}", self.tokens));
        let (steps, fails) = (1 + self.random.below(40), self.random.below(3) == 0);
        self.note(format!("import {steps} steps as {id}{}", if fails { " and fail" } else { "" }));
        let before = self.listed();
        let mut recording = Recording::new(id.clone(), "a text", None);
        recording.arriving = true;
        self.recordings.push(recording);
        let at = self.recordings.len() - 1;
        let imported = self.store().import_as(&id, ("a text", self.clock), |recorder| {
            for nth in 0..steps {
                self.append_one(at, recorder)?;
                if nth % 10 == 9 {
                    recorder.flush()?;
                }
            }
            if fails { Err(StoreError::Refused { what: "no more".to_owned() }) } else { Ok(()) }
        });
        match imported {
            Ok(imported) => {
                assert_eq!(imported.steps, steps);
                let recording = &mut self.recordings[at];
                recording.arriving = false;
                recording.flushed();
                recording.states.clear();
                self.check_last();
            }
            Err(error) => {
                if !matches!(error, StoreError::Refused { .. }) {
                    self.must(&error);
                }
                self.nothing_new(&before);
                if self.goes_on() {
                    self.recordings.pop();
                }
            }
        }
    }

    fn thin(&mut self) {
        let Some(at) = self.pick(|recording| recording.live.is_some()) else { return };
        self.note(format!("thin {}", self.recordings[at].id));
        let recording = &mut self.recordings[at];
        recording.thinned = true;
        let recorder = recording.live.as_mut().unwrap();
        recorder.set_retention(Some(Retention { most_bytes: 1_000, slow_ms: 1_000.0 }));
        let flushed = recorder.flush();
        recorder.set_retention(None);
        match flushed {
            Ok(()) => recording.flushed(),
            Err(error) => self.must(&error),
        }
    }

    fn keep_within(&mut self) {
        let most = self.random.below(100_000);
        self.note(format!("keep within {most}"));
        for recording in self.recordings.iter_mut().filter(|recording| recording.live.is_none()) {
            recording.thinned = true;
        }
        let before: u64 = self.store().recordings().unwrap().iter().map(|info| info.bytes).sum();
        match self.store.as_ref().unwrap().keep_within(most, &Retention { most_bytes: 0, slow_ms: 1_000.0 }, &|_, _| true) {
            Ok(thinned) => {
                let after: u64 = self.store().recordings().unwrap().iter().map(|info| info.bytes).sum();
                self.note(format!("     {thinned:?}"));
                // What is thinned gets the index that a kill has kept from it, which may be more than what goes.
                assert!(thinned.segments > 0 || after == before, "{after} bytes after thinning {before}");
            }
            Err(error) => self.must(&error),
        }
    }

    fn delete(&mut self) {
        if self.recordings.len() < 3 {
            return;
        }
        let at = self.random.below(self.recordings.len() as u64) as usize;
        let id = self.recordings[at].id.clone();
        self.note(format!("delete {id}"));
        let is_live = self.recordings[at].live.is_some();
        match self.store.as_ref().unwrap().delete(&id) {
            Ok(()) => {
                assert!(!is_live);
                self.recordings.remove(at);
                assert!(self.store().read(&id).is_err());
                self.gone.insert(id);
            }
            Err(StoreError::Busy { .. }) if is_live => {}
            Err(error) => {
                self.must(&error);
                self.recordings[at].leaving = true;
                if self.goes_on() {
                    // All of it or nothing.
                    if self.listed().contains(&id) {
                        self.recordings[at].leaving = false;
                        check(&self.store().read(&id).unwrap(), &self.recordings[at], None);
                    } else {
                        self.recordings.remove(at);
                        self.gone.insert(id);
                    }
                }
            }
        }
    }

    fn keep(&mut self) {
        let Some(at) = self.pick(|_| true) else { return };
        let (id, kept) = (self.recordings[at].id.clone(), self.random.below(2) == 0);
        self.note(format!("keep {id}: {kept}"));
        self.recordings[at].kept.set(kept);
        match self.store.as_ref().unwrap().set_kept(&id, kept) {
            Ok(()) => self.recordings[at].kept.flushed(),
            Err(error) => {
                self.must(&error);
                if self.goes_on() {
                    let infos = self.store().recordings().unwrap();
                    let found = infos.iter().find(|info| info.id == id).unwrap().kept;
                    self.recordings[at].kept.settle(found, "whether it is kept, which failed");
                }
            }
        }
    }

    fn expire(&mut self) {
        let now = self.clock + 3.0 * 86_400.0 - self.random.below(600) as f64;
        self.note(format!("expire at {now}"));
        let infos = self.store().recordings().unwrap();
        let expired = self.store().expire(3, now, &|_| false, &|_, _| true);
        let old: Vec<RecordingId> = infos
            .iter()
            .filter(|info| info.ended < now - 3.0 * 86_400.0 && !info.kept && !info.recording)
            .map(|info| info.id.clone())
            .filter(|id| {
                let recording = self.recordings.iter().find(|recording| recording.id == *id).unwrap();
                recording.marks.values().all(|note| note.newest().is_none())
            })
            .collect();
        match expired {
            Ok(expired) => {
                assert_eq!(expired.into_iter().map(|info| info.id).collect::<Vec<_>>(), old);
                self.recordings.retain(|recording| !old.contains(&recording.id));
                self.gone.extend(old);
            }
            Err(error) => {
                self.must(&error);
                let listed = if self.goes_on() { self.listed() } else { old.clone() };
                for recording in self.recordings.iter_mut().filter(|recording| old.contains(&recording.id)) {
                    recording.leaving = true;
                }
                if self.goes_on() {
                    self.gone.extend(old.into_iter().filter(|id| !listed.contains(id)));
                    self.recordings.retain(|recording| !recording.leaving || listed.contains(&recording.id));
                    self.recordings.iter_mut().for_each(|recording| recording.leaving = false);
                }
            }
        }
    }

    fn setting(&mut self) {
        let (name, value) = (format!("s{}", self.random.below(3)), self.random.next());
        self.note(format!("set {name}"));
        let versions = self.settings.entry(name.clone()).or_insert_with(|| Versions::new(None));
        versions.set(Some(value));
        match self.store.as_ref().unwrap().set_setting(&name, &value) {
            Ok(()) => versions.flushed(),
            Err(error) => {
                self.must(&error);
                if self.goes_on() {
                    let found = self.store().setting(&name);
                    self.settings.get_mut(&name).unwrap().settle(found, "a setting that failed");
                }
            }
        }
    }

    fn set_passphrase(&mut self) {
        let now = self.passphrase.newest().clone();
        let new = (self.random.below(3) > 0).then(|| words(&mut self.random, 2));
        self.note(format!("passphrase {now:?} becomes {new:?}"));
        self.passphrase.set(new.clone());
        match self.store.as_ref().unwrap().set_passphrase(secret(now.as_ref()).as_ref(), secret(new.as_ref()).as_ref()) {
            Ok(()) => {
                self.passphrase.flushed();
                assert_eq!(self.store().has_passphrase(), new.is_some());
            }
            Err(error) => {
                self.must(&error);
                if self.goes_on() {
                    // Whichever it is now, it is one of the two, and a whole one: that is tried on a copy of what is on the disk.
                    self.note("     reopen, to see which");
                    self.close_and_open();
                }
            }
        }
    }

    fn kill(&mut self) {
        self.note("kill");
        self.restart();
    }

    /// Ends everything, as when the program ends, and begins anew.
    fn close_and_open(&mut self) {
        for at in (0..self.recordings.len()).rev() {
            if self.recordings[at].live.is_some() {
                self.end_of(at);
            }
        }
        if !simulation::is_killed() && self.store().trouble().is_some() {
            // What its end would have written is not told.
            self.note("     stopped while closing");
        }
        if simulation::is_killed() || self.store().trouble().is_some() {
            self.restart();
            return;
        }
        self.store = None;
        simulation::arm(None);
        self.reopen();
    }

    /// The process, or the machine, stops, and what is on the disk then is opened again.
    fn restart(&mut self) {
        self.outcome.restarts += 1;
        let power = self.random.below(2) == 0;
        self.note(format!("     {} stops", if power { "the machine" } else { "the process" }));
        if let Some(store) = &self.store {
            simulation::write_out(store);
        }
        let crash = simulation::crash(&self.library, power);
        for recording in &mut self.recordings {
            drop(recording.live.take());
            recording.states.clear();
        }
        self.store = None;
        let entries: Vec<PathBuf> = fs::read_dir(&self.library).into_iter().flatten().map(|entry| entry.unwrap().path()).collect();
        for path in entries {
            if path.is_dir() {
                fs::remove_dir_all(path).unwrap();
            } else if !path.file_name().unwrap().to_string_lossy().starts_with("reserve") {
                fs::remove_file(path).unwrap();
            }
        }
        for (name, bytes) in crash.files {
            let path = self.library.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        // Nobody removes what a killed export left.
        for entry in fs::read_dir(self.folder.path()).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|end| end == "part") {
                fs::remove_file(path).unwrap();
            }
        }
        simulation::restart();
        if self.random.below(4) > 0 {
            simulation::set_full(false);
        }
        if self.random.below(3) == 0 {
            let (after, fault) = (self.random.below(12), Fault::ALL[self.random.below(Fault::ALL.len() as u64) as usize]);
            self.note(format!("     arm {fault:?} after {after} of opening"));
            simulation::arm(Some((after, fault)));
        }
        self.reopen();
    }

    fn try_open(&mut self) -> Result<bool, StoreError> {
        let mut passphrases = self.passphrase.candidates();
        let last = passphrases.pop().unwrap();
        for passphrase in passphrases.into_iter().chain([last]) {
            let given = secret(passphrase.as_ref());
            match Store::open_with(&self.library, &Opening { passphrase: given.as_ref(), ..Opening::default() }) {
                Err(StoreError::PassphraseNeeded { .. } | StoreError::WrongPassphrase { .. }) if !self.passphrase.is_sure() => {}
                Err(error) => return Err(error),
                Ok((store, report)) => {
                    assert_eq!(report.set_aside, None);
                    assert_eq!(report.missing, []);
                    assert!(!report.sealed);
                    // One without a passphrase opens with any.
                    let is_that = if store.has_passphrase() { passphrase } else { None };
                    self.store = Some(store);
                    if report.read_only.is_none() {
                        self.passphrase.settle(is_that, "the passphrase");
                        simulation::opened(&self.library);
                    } else {
                        assert_eq!(report.read_only, Some(ReadOnly::DiskFull));
                    }
                    return Ok(report.read_only.is_none());
                }
            }
        }
        panic!("none of its passphrases opens it");
    }

    /// Opens the library; a fault may come in between.
    fn reopen(&mut self) {
        loop {
            let opened = self.try_open();
            let fired = simulation::fired();
            if let Some(fired) = &fired {
                self.note(format!("     fired {fired:?} while opening"));
                *self.outcome.faults.entry(fired.clone()).or_default() += 1;
            }
            if simulation::is_killed() {
                self.note("     killed while opening");
                if let Some(store) = self.store.take() {
                    drop(store);
                }
                self.restart();
                return;
            }
            simulation::arm(None);
            let is_stopped = self.store.as_ref().is_some_and(|store| store.trouble().is_some());
            match opened {
                Ok(true) if !is_stopped => break,
                Ok(false) => {
                    self.note("     it can only be read");
                    assert!(matches!(self.store().create("no", 1.0, ""), Err(StoreError::ReadOnly { .. })));
                    self.store().recordings().unwrap();
                    self.store = None;
                    simulation::set_full(false);
                }
                Ok(true) => {
                    self.note("     stopped while opening");
                    self.restart();
                    return;
                }
                Err(error) => {
                    assert!(fired.is_some() || simulation::is_full(), "the library does not open: {error}");
                    self.note(format!("     {error}"));
                    simulation::set_full(false);
                }
            }
        }
        self.compare_with_library();
    }

    /// What is there after a restart is what was flushed, and perhaps some of what came after it.
    fn compare_with_library(&mut self) {
        let store = self.store();
        let infos = store.recordings().unwrap();
        let mut at = 0;
        while at < self.recordings.len() {
            let recording = &self.recordings[at];
            let id = recording.id.clone();
            if infos.iter().any(|info| info.id == id) {
                let reader = store.read(&id).unwrap();
                self.reconcile(at, &reader);
                self.recordings[at].leaving = false;
                at += 1;
            } else {
                assert!(!recording.is_durable || recording.leaving || recording.arriving, "recording {id} is gone");
                self.note(format!("     {id} is gone"));
                let gone = self.recordings.remove(at);
                self.gone.insert(gone.id);
            }
        }
        for info in &infos {
            assert!(!info.recording);
            if let Some(recording) = self.recordings.iter_mut().find(|recording| recording.id == info.id) {
                recording.kept.settle(info.kept, "whether it is kept");
                continue;
            }
            if info.steps == 0 && self.created.contains(&info.title) {
                // One that was made, but was not told so.
                let mut recording = Recording::new(info.id.clone(), &info.title, None);
                recording.is_durable = true;
                self.recordings.push(recording);
                continue;
            }
            // An import that was complete, but was not told so.
            assert!(info.id.as_str().starts_with("file-"), "recording {} comes from nowhere", info.id);
            let reader = store.read(&info.id).unwrap();
            let file = self.files.iter().find(|file| file.recording.steps.len() as u64 >= info.steps && is_of(&reader, &file.recording));
            let file = file.unwrap_or_else(|| panic!("recording {} is of no file", info.id));
            let mut recording = file.recording.copy(info.id.clone());
            recording.steps.truncate(info.steps as usize);
            recording.durable = recording.steps.len();
            recording.damaged = reader.damage().is_some();
            recording.marks = marks_of(&reader);
            self.recordings.push(recording);
            self.gone.remove(&info.id);
        }
        for (name, versions) in &mut self.settings {
            versions.settle(store.setting(name), "a setting");
        }
        self.check_all();
    }

    /// Makes the model what is there, if it may be.
    fn reconcile(&mut self, at: usize, reader: &Reader) {
        let recording = &mut self.recordings[at];
        let steps = reader.info().steps as usize;
        let (id, durable, had) = (recording.id.clone(), recording.durable, recording.steps.len());
        assert!(steps >= durable, "{id} has {steps} of {durable} flushed steps");
        assert!(steps <= had, "{id} has {steps} steps, {had} were recorded");
        assert!(!recording.arriving, "{id} was taken in by half");
        recording.steps.truncate(steps);
        recording.durable = steps;
        recording.is_durable = true;
        (recording.is_loose, recording.ended_badly) = (false, false);
        if recording.damaged {
            return;
        }
        recording.title.settle(reader.info().title, "the title");
        let mut sessions: BTreeMap<SessionId, Session> =
            reader.sessions().unwrap().into_iter().map(|session| (session.id.clone(), session)).collect();
        for (id, versions) in &mut recording.sessions {
            versions.settle(sessions.remove(id), "a page");
        }
        assert!(sessions.is_empty(), "pages from nowhere");
        for (id, versions) in &mut recording.shells {
            versions.settle(reader.shell(id).unwrap(), "what surrounds a page");
        }
        let marks = reader.marks().unwrap();
        assert!(marks.keys().all(|step| step.0 <= steps as u64), "a mark without its step: {marks:?} of {steps}");
        recording.marks.retain(|step, _| *step <= steps as u64);
        for (step, versions) in &mut recording.marks {
            versions.settle(marks.get(&StepId(*step)).cloned(), "a mark");
        }
        if had > steps {
            self.note(format!("     {id} has {steps} of {had} steps, {durable} were flushed"));
        }
    }

    fn reader(&self, at: usize) -> Option<Reader> {
        let recording = &self.recordings[at];
        if simulation::is_killed() {
            return None;
        }
        Some(match &recording.live {
            Some(recorder) => recorder.reader(),
            None => self.store().read(&recording.id).unwrap(),
        })
    }

    fn check_some(&mut self) {
        self.check_list();
        let Some(at) = self.pick(|_| true) else { return };
        let Some(reader) = self.reader(at) else { return };
        check(&reader, &self.recordings[at], Some(&mut self.random));
    }

    fn check_list(&self) {
        let mut listed: Vec<(RecordingId, u64, bool)> =
            self.store().recordings().unwrap().into_iter().map(|info| (info.id, info.steps, info.recording)).collect();
        let of = |recording: &Recording| (recording.id.clone(), recording.steps.len() as u64, recording.live.is_some());
        let mut known: Vec<_> = self.recordings.iter().filter(|recording| !recording.arriving).map(of).collect();
        // One that is being deleted may be in it or not, until the library is opened again.
        let leaving: Vec<&RecordingId> = self
            .recordings
            .iter()
            .filter(|recording| recording.leaving || recording.arriving || recording.ended_badly)
            .map(|recording| &recording.id)
            .collect();
        listed.retain(|(id, ..)| !leaving.contains(&id));
        known.retain(|(id, ..)| !leaving.contains(&id));
        if self.store().trouble().is_some() {
            // Of an import that was stopped something may be there until then.
            listed.retain(|(id, ..)| known.iter().any(|(known, ..)| known == id));
        }
        listed.sort();
        known.sort();
        assert_eq!(listed, known, "the recordings of the library");
    }

    fn check_all(&mut self) {
        self.check_list();
        for at in 0..self.recordings.len() {
            let recording = &self.recordings[at];
            if !recording.leaving
                && !recording.arriving
                && !recording.ended_badly
                && let Some(reader) = self.reader(at)
            {
                check(&reader, recording, None);
            }
        }
    }
}

fn marks_of(reader: &Reader) -> BTreeMap<u64, Versions<Option<String>>> {
    reader.marks().unwrap().into_iter().map(|(step, note)| (step.0, Versions::new(Some(note)))).collect()
}

/// Whether a recording was made of that one: its steps are the first of those.
fn is_of(reader: &Reader, recording: &Recording) -> bool {
    reader.steps().unwrap().iter().zip(&recording.steps).all(|(found, known)| *found == known.step)
}

/// Compares a recording with the model: all steps, or with `some` a few.
fn check(reader: &Reader, recording: &Recording, mut some: Option<&mut Random>) {
    let id = &recording.id;
    let count = recording.steps.len() as u64;
    let info = reader.info();
    assert_eq!(info.steps, count, "steps of {id}");
    assert_eq!(reader.damage().is_some(), recording.damaged, "damage of {id}: {:?}", reader.damage());
    let all = reader.steps().unwrap();
    assert_eq!(all.len() as u64, count, "summaries of {id}");
    for (found, known) in all.iter().zip(&recording.steps) {
        assert_eq!(*found, known.step, "summary in {id}");
    }
    if !recording.damaged && !recording.is_loose {
        assert_eq!(info.title, *recording.title.newest(), "title of {id}");
        let sessions: BTreeMap<SessionId, Session> =
            reader.sessions().unwrap().into_iter().map(|session| (session.id.clone(), session)).collect();
        for (session, versions) in &recording.sessions {
            assert_eq!(sessions.get(session), versions.newest().as_ref(), "page {session} of {id}");
        }
        for (session, versions) in &recording.shells {
            assert_eq!(reader.shell(session).unwrap(), *versions.newest(), "what surrounds page {session} of {id}");
        }
        let marks = reader.marks().unwrap();
        let known = recording.marks.iter().filter_map(|(step, note)| Some((StepId(*step), note.newest().clone()?)));
        assert_eq!(marks, known.collect(), "marks of {id}");
    }
    let thinned = reader.thinned();
    assert!(thinned.is_none() || recording.thinned, "{id} was thinned");
    for step in [0, count + 1, u64::MAX] {
        assert!(reader.detail(StepId(step)).is_err());
    }
    let mut cursor = reader.cursor();
    let steps: Vec<u64> = match &mut some {
        None => (1..=count).collect(),
        Some(_) if count == 0 => Vec::new(),
        Some(random) => {
            let from = 1 + random.below(count);
            let mut steps: Vec<u64> = (from..=count.min(from + 8)).collect();
            steps.extend((0..8).map(|_| 1 + random.below(count)));
            steps.push(count);
            let few = reader.steps_in(from..from + 5).unwrap();
            assert_eq!(few, all[from as usize - 1..(from as usize + 4).min(all.len())]);
            steps
        }
    };
    for number in steps {
        let step = StepId(number);
        let known = &recording.steps[number as usize - 1];
        let may_be_dropped = thinned.as_ref().is_some_and(|thinned| thinned.contains(&step)) && known.step.status == Status::Ok;
        // Of a damaged file the marks may be gone.
        let is_marked = recording.marks.get(&number).is_some_and(|note| note.newest().is_some());
        for (side, expect) in [(Side::Before, &known.before), (Side::After, &known.after)] {
            let found = if number % 2 == 0 { reader.state(step, side).unwrap() } else { cursor.state(step, side).unwrap() };
            let text = match &found {
                StateAnswer::Full(text) => Some(&**text),
                StateAnswer::Missing(why) => {
                    assert!(!why.is_empty());
                    None
                }
            };
            let may_be_dropped = may_be_dropped && !(known.marked_whole && is_marked && side == Side::After);
            let is_fine = expect.allows(text) || may_be_dropped && text.is_none();
            assert!(is_fine, "{side:?} step {step} of {id}: {} in the place of {}", shown(text), shown(expect.text().map(|text| &**text)));
        }
        for (side, expect) in [Side::Before, Side::After].into_iter().zip(&known.html) {
            let found = reader.html(step, side).unwrap();
            let is_fine = expect.allows(found.as_deref()) || recording.thinned && found.is_none();
            assert!(is_fine, "page {side:?} step {step} of {id}: {found:?} in the place of {expect:?}");
        }
        let detail = reader.detail(step).unwrap();
        if may_be_dropped && detail != known.detail {
            assert_eq!(detail.params, known.detail.params, "parameters of step {step} of {id}");
            assert!(detail.missing.is_some() && detail.logs.is_empty());
        } else {
            assert_eq!(detail, known.detail, "detail of step {step} of {id}");
        }
    }
}

fn shown(text: Option<&str>) -> String {
    text.map_or_else(|| "nothing".to_owned(), |text| format!("{} bytes {}…", text.len(), text.chars().take(120).collect::<String>()))
}
