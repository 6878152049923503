//! Appending to a recording.

use std::sync::Arc;
use std::time::Duration;

use inspector_model::{Configuration, PageShell, Phase, RecordingId, ServerInfo, Session, SessionId, Step, StepDetail, StepId};
use inspector_tape::{Delta, Document};
use parking_lot::Mutex;

use crate::database::Database;
use crate::disk::Instant;
use crate::error::StoreError;
use crate::key;
use crate::reader::Reader;
use crate::thin::Retention;
use crate::writer::Writer;

/// The state at one end of a new step.
#[derive(Clone, Debug)]
pub enum NewState {
    /// The step has none.
    None,
    /// Before: as the view's last state was. After: as it was before the step. Costs nothing.
    Same,
    /// A text. What is no JSON is kept, but its changes are not indexed.
    Text(Arc<str>),
    /// JSON that was checked.
    Document(Arc<Document>),
    /// The same, and how it differs from the last state of its view: then nobody looks for that again.
    Compared(Arc<Delta>),
    /// There is one, but it was not seen; the reason.
    Missing(String),
}

/// A step to append.
#[derive(Clone, Debug)]
pub struct NewStep {
    /// Its summary. The recorder gives it its id.
    pub step: Step,
    /// Everything else.
    pub detail: StepDetail,
    /// The state that it found.
    pub before: NewState,
    /// The state that it left.
    pub after: NewState,
    /// The page's HTML after it; `None`: as before.
    pub html: Option<Arc<str>>,
}

/// What a recorder has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RecorderStats {
    /// Steps in the recording.
    pub steps: u64,
    /// Bytes stored, as of the last flush.
    pub bytes: u64,
}

/// Appends to one recording. There is only one per recording; dropping it flushes.
pub struct Recorder {
    id: RecordingId,
    db: Database,
    writer: Arc<Mutex<Writer>>,
    reader: Reader,
    known: Vec<String>,
    retention: Option<Retention>,
    not_thinned: Option<StoreError>,
}

/// How long one flush may go on thinning.
const THINNING: Duration = Duration::from_millis(50);

impl Recorder {
    pub(crate) fn new(db: Database, writer: Arc<Mutex<Writer>>, reader: Reader, known: Vec<String>) -> Self {
        let id = writer.lock().id().clone();
        Self { id, db, writer, reader, known, retention: None, not_thinned: None }
    }

    /// The recording.
    pub const fn id(&self) -> &RecordingId {
        &self.id
    }

    /// Makes room for the next step, so that [`Recorder::append`] does not fail with [`StoreError::Full`] after it. Whoever keeps
    /// steps until there is room asks first, and still has the step when there is none.
    pub fn make_ready(&mut self) -> Result<(), StoreError> {
        self.writer.lock().make_ready()
    }

    /// Appends a step. It can be read at once, and survives a crash from the next [`Recorder::flush`] on. After an error
    /// the step was not taken; after [`StoreError::Full`] the next may be, after others none will. What was flushed stays
    /// readable.
    pub fn append(&mut self, step: NewStep) -> Result<StepId, StoreError> {
        self.writer.lock().append(step)
    }

    /// Sets what is known of a page.
    pub fn put_session(&mut self, session: &Session) {
        let mut writer = self.writer.lock();
        writer.meet(&session.id);
        if session.phase == Phase::Closed {
            writer.give_up_page(&session.id);
        }
        writer.describe(key::session(session.id.as_str()), serde_json::to_vec(session));
    }

    /// Sets what surrounds the live part of a page. The same for many pages takes the space of one.
    pub fn put_shell(&mut self, session: &SessionId, shell: &PageShell) {
        self.writer.lock().surround(session, shell);
    }

    /// Sets what is known of the server.
    pub fn put_server(&mut self, server: &ServerInfo) {
        let mut writer = self.writer.lock();
        writer.catalogue.info.djust.clone_from(&server.djust);
        writer.describe(vec![key::SERVER], serde_json::to_vec(server));
    }

    /// Sets the server's configuration.
    pub fn put_config(&mut self, config: &Configuration) {
        self.writer.lock().describe(vec![key::CONFIG], serde_json::to_vec(config));
    }

    /// Sets the title.
    pub fn set_title(&mut self, title: &str) {
        let mut writer = self.writer.lock();
        title.clone_into(&mut writer.catalogue.info.title);
        writer.touch();
    }

    /// Makes sure that everything appended so far survives a crash. Waits for the disk.
    pub fn flush(&mut self) -> Result<(), StoreError> {
        self.writer.lock().store(false)?;
        // Without the lock: readers need not wait for the disk.
        self.db.flush()?;
        self.db.witness().has(&self.id, self.stats().steps);
        self.thin();
        Ok(())
    }

    /// Thins for a while, if there is too much. What goes wrong with that says nothing of what was recorded: if nothing can be written
    /// any more, the next flush says so.
    fn thin(&mut self) {
        let Some(retention) = &self.retention else { return };
        let start = Instant::now();
        while start.elapsed() < THINNING {
            let thinned = self.writer.lock().thin(retention);
            match thinned {
                Ok(Some(_)) => self.not_thinned = None,
                Ok(None) => break,
                Err(error) => {
                    tracing::warn!(%error, recording = %self.id, "the recording could not be thinned");
                    self.not_thinned = Some(error);
                    break;
                }
            }
        }
    }

    /// Why the recording could not be made smaller when it should have been, if so. It goes on, and grows.
    pub const fn not_thinned(&self) -> Option<&StoreError> {
        self.not_thinned.as_ref()
    }

    /// Says how large the recording may become; `None`: as large as it will. From then on flushing thins it, a few segments
    /// at a time.
    pub fn set_retention(&mut self, retention: Option<Retention>) {
        self.retention = retention;
    }

    /// Reads what was appended, also what was not flushed yet, while recording goes on.
    pub fn reader(&self) -> Reader {
        self.reader.clone()
    }

    /// How much there is.
    pub fn stats(&self) -> RecorderStats {
        let writer = self.writer.lock();
        RecorderStats { steps: writer.steps(), bytes: writer.bytes() }
    }

    /// The keys of the steps that the recording had when it was opened to go on: none for a new one, and not those
    /// appended since.
    pub fn known_keys(&self) -> impl Iterator<Item = &str> {
        self.known.iter().map(String::as_str)
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        let stored = {
            let mut writer = self.writer.lock();
            let stored = writer.store(true);
            writer.closed = stored.is_ok();
            stored
        };
        match stored.and_then(|()| self.db.flush()) {
            Ok(()) => self.db.witness().has(&self.id, self.stats().steps),
            Err(error) => tracing::error!(%error, recording = %self.id, "the end of the recording was not written"),
        }
    }
}
