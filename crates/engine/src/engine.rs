//! The engine's thread: takes requests, starts attachments, hands out answers.

use std::collections::HashMap;
use std::future::poll_fn;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Poll;
use std::time::Duration;

use inspector_model::{
    Answer, Block, Breakpoint, Close, ErrorCode, Failure, Level, Phase, RecordedPage, RecorderStatus, RecordingId, Request, Secret, Side,
    Source, SourceId, SourceKind, SourceState, Step, StepId,
};
use inspector_store::{Imported, Opening, Store, StoreError};
use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot};

use crate::attachment::{Target, attach};
use crate::breakpoints::Breakpoints;
use crate::discovery::{found_servers, without_token};
use crate::handlers::Handlers;
use crate::intake::{Intake, Wishes};
use crate::outbox::{Asked, MAX_OPEN_REQUESTS, Outbox, Topic, Window};
use crate::runtime::{aside, spawn};
use crate::source::SourceShared;
use crate::work::{Asker, Job, Works};
use crate::{EngineError, commands, compare, costs, now, queries, travel, values};

/// How often this machine is searched for servers.
const SEARCH_EVERY: Duration = Duration::from_secs(1);

/// How often it is looked for recordings that have become too old.
const EXPIRE_EVERY: Duration = Duration::from_hours(24);

/// Questions that read recordings at a time: each may hold states of many megabytes.
const READERS: usize = 8;

/// Steps of an opened recording that are read in at a time: so many are on the screen at once.
const READ_IN: u64 = 4 * Block::STEPS as u64;

/// How long indexes are taken in before it is asked whether anybody still wants them.
const PREPARE: Duration = Duration::from_millis(50);

/// What is told once of a library that others could read, and of one that was written anew.
pub const MADE_PRIVATE: &str = "Other users of this machine could read the library of recordings; from now on only you can";
/// Likewise.
pub const SEALED: &str =
    "The library was written anew, so that a deleted recording can be read by nobody; inspectors older than this one cannot open it";

/// The library keeps [`inspector_model::Keep`] under this name.
pub const KEEP_SETTING: &str = "keep";
/// And the breakpoints under this one.
const BREAKPOINTS: &str = "breakpoints";

/// How the engine is set up.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The folder of the library.
    pub data_dir: PathBuf,
    /// Its passphrase, if it has one.
    pub passphrase: Option<Secret>,
}

impl Settings {
    /// For a library without a passphrase.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self { data_dir: data_dir.into(), passphrase: None }
    }

    /// Whether the library has a passphrase, and none was given.
    pub fn is_locked(&self) -> Result<bool, EngineError> {
        Ok(self.passphrase.is_none() && Store::is_encrypted(&self.data_dir)?)
    }
}

/// A running engine. Dropping it detaches from all servers and flushes all recordings.
pub struct Engine {
    requests: mpsc::Sender<Asked>,
    shared: Arc<Shared>,
    inside: tokio::runtime::Handle,
    runtime: Mutex<Option<tokio::runtime::Runtime>>,
    stop: Mutex<Option<oneshot::Sender<()>>>,
}

struct Shared {
    store: Store,
    outbox: Arc<Outbox>,
    sources: Mutex<HashMap<SourceId, Arc<SourceShared>>>,
    tasks: Mutex<HashMap<SourceId, tokio::task::JoinHandle<()>>>,
    next_source: AtomicU32,
    wishes: Arc<Wishes>,
    works: Arc<Works>,
    /// See [`READERS`].
    readers: tokio::sync::Semaphore,
    /// What changes something that is kept is done one after the other, in the order in which it was asked for.
    changes: tokio::sync::Mutex<()>,
    /// So that what is told last of the library is how it is.
    telling: Mutex<()>,
}

impl Engine {
    /// Opens the library and starts the engine's threads.
    ///
    /// A library that another inspector holds is left to it: this one then keeps its recordings in a folder beside it and says so.
    pub fn start(settings: &Settings) -> Result<Self, EngineError> {
        let outbox = Arc::new(Outbox::default());
        let store = open_store(settings, &outbox)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("engine")
            .enable_all()
            .build()
            .map_err(EngineError::Start)?;
        let wishes = Wishes::default();
        *wishes.keep.lock() = store.setting(KEEP_SETTING).unwrap_or_default();
        *wishes.breakpoints.write() = store.setting(BREAKPOINTS).and_then(|all| Breakpoints::new(all).ok()).unwrap_or_default();
        outbox.keep(*wishes.keep.lock());
        outbox.breakpoints(wishes.breakpoints.read().all());
        outbox.encrypted(store.has_passphrase());
        let shared = Arc::new(Shared {
            store,
            works: Arc::new(Works::new(outbox.clone())),
            outbox,
            sources: Mutex::default(),
            tasks: Mutex::default(),
            next_source: AtomicU32::new(1),
            wishes: Arc::new(wishes),
            readers: tokio::sync::Semaphore::new(READERS),
            changes: tokio::sync::Mutex::default(),
            telling: Mutex::default(),
        });
        let (requests, incoming) = mpsc::channel(MAX_OPEN_REQUESTS);
        let (stop, stopped) = oneshot::channel();
        let inside = runtime.handle().clone();
        let entered = inside.enter();
        spawn(serve(shared.clone(), incoming, stopped));
        spawn(look_around(shared.clone()));
        drop(entered);
        Ok(Self { requests, shared, inside, runtime: Mutex::new(Some(runtime)), stop: Mutex::new(Some(stop)) })
    }

    /// A new window's handle: it is told everything that is there, however late it comes. Any number of them.
    pub fn window(&self) -> Window {
        self.shared.outbox.window(self.requests.clone())
    }

    /// Attaches to `target` and records it.
    pub fn attach(&self, target: Target) -> Result<SourceId, Failure> {
        let _inside = self.inside.enter();
        self.shared.attach(target)
    }

    /// The page at one end of a step, as it looked. Reads the recording and waits for it: for a host, not for a window.
    pub fn page(&self, source: SourceId, step: StepId, side: Side) -> Result<RecordedPage, Failure> {
        queries::page(&*self.shared.source(source)?, step, side)
    }

    /// What is known of a step without reading the recording.
    pub fn step(&self, source: SourceId, step: StepId) -> Option<Step> {
        self.shared.source(source).ok()?.step(step)
    }

    /// The library, for what reads recordings without a window.
    pub fn store(&self) -> &Store {
        &self.shared.store
    }

    /// Detaches from all servers and flushes all recordings. Requests are taken no more after it.
    pub fn shut_down(&self) {
        drop(self.stop.lock().take());
        self.shared.works.end();
        let Some(runtime) = self.runtime.lock().take() else { return };
        let tasks: Vec<_> = self.shared.tasks.lock().drain().map(|(_, task)| task).collect();
        for source in self.shared.sources.lock().values() {
            drop(source.stop.lock().take());
        }
        runtime.block_on(async {
            for task in tasks {
                // A recorder that hangs in a write must not keep the program from ending.
                let _ = tokio::time::timeout(Duration::from_secs(5), task).await;
            }
        });
        runtime.shutdown_timeout(Duration::from_secs(1));
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.shut_down();
    }
}

fn open_store(settings: &Settings, outbox: &Outbox) -> Result<Store, EngineError> {
    let mut dir = settings.data_dir.clone();
    let mut others = 0;
    let encrypted = Store::is_encrypted(&dir)?;
    let mut holder = String::new();
    loop {
        match Store::open_with(&dir, &Opening { passphrase: settings.passphrase.as_ref(), ..Opening::default() }) {
            Ok((store, report)) => {
                if others > 0 {
                    // What is recorded beside an encrypted library is no less private.
                    if encrypted && !store.has_passphrase() {
                        store.set_passphrase(None, settings.passphrase.as_ref())?;
                    }
                    outbox.message(Level::Warning, format!("{holder}; recordings of this one are kept in {}", dir.display()));
                }
                if report.made_private {
                    outbox.message(Level::Warning, MADE_PRIVATE);
                }
                if report.sealed {
                    outbox.message(Level::Info, SEALED);
                }
                if let Some(path) = report.set_aside {
                    let text = format!(
                        "The library was damaged and has been set aside, nothing of it was deleted; a new one was made: {}",
                        path.display()
                    );
                    outbox.message(Level::Error, text);
                }
                if !report.missing.is_empty() {
                    let (gone, part): (Vec<_>, Vec<_>) = report.missing.iter().partition(|missing| missing.has.is_none());
                    let steps: u64 = part.iter().map(|missing| missing.had - missing.has.unwrap_or(missing.had)).sum();
                    let text = format!(
                        "The library's file was damaged: {} recordings are gone, and {steps} steps of {} others; the rest can be read",
                        gone.len(),
                        part.len()
                    );
                    outbox.message(Level::Error, text);
                }
                if let Some(why) = report.read_only {
                    outbox.message(Level::Error, format!("Recordings can be read, nothing can be recorded: {why}"));
                }
                return Ok(store);
            }
            Err(StoreError::Locked { by, .. }) if others < 16 => {
                if others == 0 {
                    let by = by.map_or_else(String::new, |process| format!(" (process {process})"));
                    holder = format!("Another inspector{by} has the library; close it to open recordings that are there");
                }
            }
            // An earlier one beside it may have been left with an earlier passphrase.
            Err(StoreError::WrongPassphrase { .. } | StoreError::PassphraseNeeded { .. }) if (1..16).contains(&others) => {}
            Err(error) => return Err(error.into()),
        }
        others += 1;
        dir = settings.data_dir.join(format!("inspector-{}", others + 1));
    }
}

async fn serve(shared: Arc<Shared>, mut incoming: mpsc::Receiver<Asked>, mut stopped: oneshot::Receiver<()>) {
    let first = shared.clone();
    tokio::task::spawn_blocking(move || first.tell_recordings());
    shared.thin_library();
    // At once, and then daily.
    let mut expiry = tokio::time::interval(EXPIRE_EVERY);
    loop {
        tokio::select! {
            _ = &mut stopped => return,
            _ = expiry.tick() => shared.expire_recordings(),
            request = incoming.recv() => {
                let Some(Asked { by, id, request }) = request else { return };
                let shared = shared.clone();
                let mut answering = Box::pin(async move {
                    let asker = Asker { by: by.clone(), id };
                    let answer = shared.answer(request, asker).await.unwrap_or_else(Answer::Failed);
                    by.answer(id, answer);
                });
                // All are begun in the order in which they came, and those that wait go on as tasks: a slow one does not hold up the next.
                if poll_fn(|cx| Poll::Ready(answering.as_mut().poll(cx))).await.is_pending() {
                    spawn(answering);
                }
            }
        }
    }
}

/// Looks now and then which servers there are, and whether the library can still be written.
async fn look_around(shared: Arc<Shared>) {
    let mut search = tokio::time::interval(SEARCH_EVERY);
    search.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut last_found = None;
    let mut told = false;
    loop {
        search.tick().await;
        let store = shared.store.clone();
        let look = move || Ok((found_servers().iter().map(without_token).collect::<Vec<_>>(), store.trouble()));
        let Ok((found, trouble)) = aside(look).await else { continue };
        if last_found.as_ref() != Some(&found) {
            shared.outbox.found(&found);
            last_found = Some(found);
        }
        if let Some(why) = trouble.filter(|_| !std::mem::replace(&mut told, true)) {
            shared.outbox.message(Level::Error, why);
        }
    }
}

impl Shared {
    async fn answer(self: &Arc<Self>, request: Request, asker: Asker) -> Result<Answer, Failure> {
        let outbox = self.outbox.clone();
        match request {
            Request::Attach { url, token, options } => {
                self.blocking(move |shared| shared.attach(Target::Address { url, token, options, authority: None }).map(Answer::Opened))
                    .await
            }
            Request::AttachFound { pid } => {
                self.blocking(move |shared| {
                    let server = found_servers().into_iter().find(|server| server.pid == pid);
                    let server = server.ok_or_else(|| Failure::new(ErrorCode::NotFound, "that server is not there any more"))?;
                    shared.attach(Target::Found { url: server.url, cwd: server.cwd }).map(Answer::Opened)
                })
                .await
            }
            Request::OpenRecording(recording) => self.blocking(move |shared| shared.open_recording(&recording)).await,
            Request::OpenFile(path) => self.open_file(path, None, asker).await,
            Request::OpenSealed { path, passphrase } => self.open_file(path, Some(passphrase), asker).await,
            Request::OpenText(text) => {
                self.blocking(move |shared| {
                    let imported = inspector_share::import_text(&text, &shared.store, now());
                    shared.open_imported(&imported.map_err(|error| queries::not_shared(&error))?)
                })
                .await
            }
            Request::Cancel(work) => {
                let words = self.works.cancel(work);
                let words = words.ok_or_else(|| Failure::new(ErrorCode::NotFound, "it was over before it could be cancelled"))?;
                Ok(Answer::Done(format!("Cancelled: {words}")))
            }
            Request::Close(id) => self.close(id).await,
            Request::DeleteRecording(recording) => self.delete_recording(recording, asker).await,
            Request::KeepRecording(recording, kept) => self.change(move |shared| shared.keep_recording(&recording, kept)).await,
            Request::SetPassphrase { now, new } => self.change(move |shared| shared.set_passphrase(now.as_ref(), new.as_ref())).await,
            Request::Detail { source, step } => self.read(source, move |source| queries::detail(source, step)).await,
            Request::State { source, step, side } => self.read(source, move |source| queries::state(source, step, side)).await,
            Request::Diff { from, to } => {
                self.read_two(from.0, to.0, move |left, right| queries::diff((left, from.1, from.2), (right, to.1, to.2))).await
            }
            Request::History { source, step, side, path, scope } => {
                self.read(source, move |source| queries::history(source, step, side, &path, &scope)).await
            }
            Request::Costs { source, step, side, from } => self.read(source, move |source| costs::costs(source, step, side, from)).await,
            Request::Values { source, of } => self.read(source, move |source| values::values(source, &of)).await,
            Request::ShortHistory { source, stream, holder, path } => {
                self.read(source, move |source| values::short_history(source, &stream, &holder, &path)).await
            }
            Request::Search { source, options, from } => self.read(source, move |source| queries::search(source, options, from)).await,
            Request::Mark { source, step, note } => self.change(move |shared| shared.mark(source, step, note.as_deref())).await,
            Request::Breakpoints(all) => self.change(move |shared| shared.set_breakpoints(all)).await,
            Request::Keep(keep) => self.change(move |shared| shared.set_keep(keep)).await,
            Request::Html { source, step, side } => self.read(source, move |source| queries::html(source, step, side)).await,
            Request::PreviewJump { source, target, component } => travel::preview(self.source(source)?, target, component).await,
            Request::Jump { source, target, component } => travel::jump(self.source(source)?, outbox, target, component).await,
            Request::ReturnToLive { source, session, view } => travel::return_to_live(self.source(source)?, outbox, (session, view)).await,
            Request::Replay { source, step, params, restore } => commands::replay(self.source(source)?, step, params, restore).await,
            Request::Dispatch { source, session, view, component, event, params } => {
                commands::dispatch(self.source(source)?, session, view, component, event, params).await
            }
            Request::Ring { source, session, view } => commands::ring(self.source(source)?, session, view).await,
            Request::Ticks { source, session, view, paused } => commands::ticks(self.source(source)?, session, view, paused).await,
            Request::LiftCooldown { source, session } => commands::lift_cooldown(self.source(source)?, session).await,
            Request::Compare { left: (left, left_stream), right: (right, right_stream) } => {
                self.read_two(left, right, move |left, right| compare::steps((left, &left_stream), (right, &right_stream))).await
            }
            Request::CompareStates { left, right, pairs, ignore } => {
                self.read_two(left, right, move |left, right| compare::states(left, right, &pairs, &ignore)).await
            }
            Request::Desktop(_) => Err(Failure::new(ErrorCode::BadRequest, "there is no desktop around this window")),
            Request::PreviewExport { recording, options } => {
                let words = format!("Looking through {}", self.title_of(&recording).await?);
                self.work(words, asker, move |shared, job| {
                    queries::preview_export(&shared.store, &recording, &options, &|done, of| job.goes_on(done, of))
                })
                .await
            }
            Request::Export { recording, options, path } => {
                let words = format!("Exporting {}", self.title_of(&recording).await?);
                self.work(words, asker, move |shared, job| {
                    queries::export(&shared.store, &recording, &options, &path, &|done, of| job.goes_on(done, of))
                })
                .await
            }
        }
    }

    fn source(&self, id: SourceId) -> Result<Arc<SourceShared>, Failure> {
        self.sources.lock().get(&id).cloned().ok_or_else(|| Failure::new(ErrorCode::NotFound, "that server or recording is closed"))
    }

    /// What a recording is called, for people.
    async fn title_of(&self, recording: &RecordingId) -> Result<String, Failure> {
        let (store, recording) = (self.store.clone(), recording.clone());
        aside(move || Ok(store.read(&recording).map_or_else(|_| recording.to_string(), |reader| reader.info().title))).await
    }

    async fn blocking(
        self: &Arc<Self>,
        work: impl FnOnce(&Arc<Self>) -> Result<Answer, Failure> + Send + 'static,
    ) -> Result<Answer, Failure> {
        let shared = self.clone();
        aside(move || work(&shared)).await
    }

    /// The same for what changes something that is kept.
    async fn change(
        self: &Arc<Self>,
        work: impl FnOnce(&Arc<Self>) -> Result<Answer, Failure> + Send + 'static,
    ) -> Result<Answer, Failure> {
        let _turn = self.changes.lock().await;
        self.blocking(work).await
    }

    /// The same for what may take long: it is told of, and can be cancelled.
    async fn work(
        self: &Arc<Self>,
        words: String,
        asker: Asker,
        work: impl FnOnce(&Arc<Self>, &Job) -> Result<Answer, Failure> + Send + 'static,
    ) -> Result<Answer, Failure> {
        let job = self.works.begin(words, Some(asker));
        self.blocking(move |shared| work(shared, &job)).await
    }

    async fn read(
        self: &Arc<Self>,
        id: SourceId,
        work: impl FnOnce(&SourceShared) -> Result<Answer, Failure> + Send + 'static,
    ) -> Result<Answer, Failure> {
        let source = self.source(id)?;
        let _reader = self.readers.acquire().await;
        aside(move || work(&source)).await
    }

    async fn read_two(
        self: &Arc<Self>,
        left: SourceId,
        right: SourceId,
        work: impl FnOnce(&SourceShared, &SourceShared) -> Result<Answer, Failure> + Send + 'static,
    ) -> Result<Answer, Failure> {
        let (left, right) = (self.source(left)?, self.source(right)?);
        let _reader = self.readers.acquire().await;
        aside(move || work(&left, &right)).await
    }

    fn tell_recordings(&self) {
        let _one = self.telling.lock();
        match self.store.recordings() {
            Ok(recordings) => self.outbox.recordings(&recordings),
            Err(error) => self.outbox.message(Level::Error, format!("The library cannot be read: {error}")),
        }
    }

    fn next_id(&self) -> SourceId {
        SourceId(self.next_source.fetch_add(1, Ordering::Relaxed))
    }

    fn attach(&self, target: Target) -> Result<SourceId, Failure> {
        target.check().map_err(|why| Failure::new(ErrorCode::BadRequest, why))?;
        let url = target.label();
        let started = now();
        let recorder = self.store.create(&url, started, "").map_err(|error| queries::failed(&error))?;
        let status = RecorderStatus { recording: Some(recorder.id().clone()), started, ..RecorderStatus::default() };
        let info = Source {
            id: self.next_id(),
            kind: SourceKind::Live { url: url.clone() },
            state: SourceState::Connecting,
            title: url,
            server: None,
            access: None,
            recorder: status,
        };
        let source = Arc::new(SourceShared::new(info, recorder.reader()));
        let (stop, stopped) = oneshot::channel();
        *source.stop.lock() = Some(stop);
        let id = source.id;
        self.sources.lock().insert(id, source.clone());
        self.outbox.add(&source);
        let intake = Intake::new(source.clone(), self.outbox.clone(), recorder, self.wishes.clone());
        let task = spawn(attach(source, self.outbox.clone(), target, intake, stopped));
        self.tasks.lock().insert(id, task);
        self.tell_recordings();
        Ok(id)
    }

    /// Takes a file into the library and opens it.
    async fn open_file(self: &Arc<Self>, path: PathBuf, passphrase: Option<Secret>, asker: Asker) -> Result<Answer, Failure> {
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        self.work(format!("Importing {name}"), asker, move |shared, job| {
            let progress = |done, of| job.goes_on(done, of);
            let imported = inspector_share::import_file_with(&path, passphrase.as_ref(), &shared.store, now(), &progress);
            shared.open_imported(&imported.map_err(|error| queries::not_shared(&error))?)
        })
        .await
    }

    /// Opens what came into the library, and says if it is only a part of what was exported.
    fn open_imported(self: &Arc<Self>, imported: &Imported) -> Result<Answer, Failure> {
        if let Some(damage) = &imported.damaged {
            let text = format!("The file is damaged; {} steps before the damage are shown: {damage}", imported.steps);
            self.outbox.message(Level::Warning, text);
        }
        self.tell_recordings();
        self.open_recording(&imported.id)
    }

    fn open_recording(self: &Arc<Self>, recording: &RecordingId) -> Result<Answer, Failure> {
        let already = self
            .sources
            .lock()
            .values()
            .find(|source| source.info.lock().recorder.recording.as_ref() == Some(recording))
            .map(|source| source.id);
        if let Some(id) = already {
            return Ok(Answer::Opened(id));
        }
        let failed = |error| queries::failed(&error);
        let reader = self.store.read(recording).map_err(failed)?;
        let about = reader.info();
        let first = reader.steps_in(1..READ_IN).map_err(failed)?;
        let recorder = RecorderStatus {
            recording: Some(recording.clone()),
            started: about.started,
            steps: about.steps,
            bytes: about.bytes,
            damaged: reader.damage().map(str::to_owned),
            thinned: reader.thinned().map(RangeInclusive::into_inner),
            ..RecorderStatus::default()
        };
        let info = Source {
            id: self.next_id(),
            kind: SourceKind::Recording,
            state: SourceState::Replaying,
            title: about.title,
            server: reader.server().map_err(failed)?,
            access: None,
            recorder,
        };
        let id = info.id;
        let source = SourceShared::new(info, reader);
        *source.steps.write() = first.into_iter().collect();
        *source.marks.lock() = source.reader.marks().map_err(failed)?;
        *source.config.lock() = source.reader.config().map_err(failed)?;
        let mut handlers = Handlers::default();
        for mut session in source.reader.sessions().map_err(failed)? {
            handlers.share(&mut session);
            // Nobody is behind a recorded page, whatever was so when the recording ended.
            if session.is_open() {
                session.phase = Phase::Closed;
                session.close = Some(Close { code: None, reason: Some("Open when the recording ended".to_owned()) });
            }
            source.sessions.write().insert(session.id.clone(), session);
        }
        let source = Arc::new(source);
        self.sources.lock().insert(id, source.clone());
        self.outbox.add(&source);
        self.read_in(&source);
        Ok(Answer::Opened(id))
    }

    /// Reads the rest of an opened recording's steps in, while its beginning is shown already.
    fn read_in(self: &Arc<Self>, source: &Arc<SourceShared>) {
        let (shared, source) = (self.clone(), source.clone());
        let (title, total) = {
            let info = source.info.lock();
            (info.title.clone(), info.recorder.steps)
        };
        let job = self.works.begin(format!("Opening {title}"), None);
        tokio::task::spawn_blocking(move || {
            loop {
                // Whoever closed it does not wait for the rest.
                if shared.source(source.id).is_err() {
                    return;
                }
                let next = source.steps.read().len() as u64 + 1;
                if !job.goes_on(next - 1, total) {
                    return shared.forget(source.id);
                }
                match source.reader.steps_in(next..next + READ_IN) {
                    Ok(steps) if steps.is_empty() => break,
                    Ok(steps) => {
                        let mut all = source.steps.write();
                        for step in &steps {
                            all.push(step);
                        }
                    }
                    Err(error) => {
                        let mut info = source.info.lock();
                        info.recorder.steps = next - 1;
                        info.recorder.damaged = Some(error.to_string());
                        drop(info);
                        shared.outbox.changed(source.id, &Topic::Source);
                        return;
                    }
                }
                shared.outbox.changed(source.id, &Topic::Source);
            }
            drop(job);
            // So that the first question about a path is answered as soon as the next.
            let job = shared.works.begin(format!("Indexing {title}"), None);
            while shared.source(source.id).is_ok() && matches!(source.reader.prepare_changes(PREPARE), Ok(false)) {
                if !job.goes_on(0, 0) {
                    return;
                }
            }
        });
    }

    /// A source is no more.
    fn forget(&self, id: SourceId) {
        self.sources.lock().remove(&id);
        self.outbox.remove(id);
        self.tell_recordings();
    }

    fn mark(&self, source: SourceId, step: StepId, note: Option<&str>) -> Result<Answer, Failure> {
        let source = self.source(source)?;
        let recording = source.info.lock().recorder.recording.clone();
        let recording = recording.ok_or_else(|| Failure::new(ErrorCode::Missing, "nothing is recorded here that could be marked"))?;
        self.store.mark(&recording, step, note).map_err(|error| queries::failed(&error))?;
        *source.marks.lock() = source.reader.marks().map_err(|error| queries::failed(&error))?;
        self.outbox.changed(source.id, &Topic::Marks);
        Ok(Answer::Done(if note.is_some() { format!("Step {step} is marked") } else { format!("Step {step} is no longer marked") }))
    }

    fn set_breakpoints(&self, all: Vec<Breakpoint>) -> Result<Answer, Failure> {
        let breakpoints = Breakpoints::new(all)?;
        self.store.set_setting(BREAKPOINTS, &breakpoints.all()).map_err(|error| queries::failed(&error))?;
        self.outbox.breakpoints(breakpoints.all());
        *self.wishes.breakpoints.write() = breakpoints;
        Ok(Answer::Done("Breakpoints are set".into()))
    }

    async fn close(self: &Arc<Self>, id: SourceId) -> Result<Answer, Failure> {
        let source = self.source(id)?;
        drop(source.stop.lock().take());
        let task = self.tasks.lock().remove(&id);
        if let Some(task) = task {
            let _ = task.await;
        }
        self.blocking(move |shared| {
            shared.forget(id);
            shared.thin_library();
            Ok(Answer::Done("Closed".into()))
        })
        .await
    }
}

mod library;

#[cfg(test)]
mod tests;
