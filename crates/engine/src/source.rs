//! What the engine holds of one source, shared between its recorder, its commands and the windows.

use std::collections::{BTreeMap, HashMap, HashSet};

use inspector_model::{Configuration, Rate, RemoteCursor, Session, SessionId, Source, SourceId, Step, StepId, Steps, Stream};
use inspector_store::Reader;
use parking_lot::{Mutex, RwLock};
use tokio::sync::{mpsc, oneshot};

use crate::commands::Reply;

/// One attached server or opened recording.
pub struct SourceShared {
    /// Its number.
    pub id: SourceId,
    /// What windows see of it.
    pub info: Mutex<Source>,
    /// Its steps, by id. Only the recorder appends, or whoever reads an opened recording in.
    pub steps: RwLock<Steps>,
    /// Its pages.
    pub sessions: RwLock<BTreeMap<SessionId, Session>>,
    /// Rate-limit levels.
    pub rates: Mutex<BTreeMap<SessionId, Rate>>,
    /// The server's configuration.
    pub config: Mutex<Option<Configuration>>,
    /// Marked steps, with their notes.
    pub marks: Mutex<BTreeMap<StepId, String>>,
    /// Where pages stand.
    pub cursors: Mutex<HashMap<SessionId, RemoteCursor>>,
    /// For each stream that was jumped: the step whose end was live before the first jump.
    pub live_marks: Mutex<HashMap<Stream, StepId>>,
    /// Pages with a command under way.
    pub busy: Mutex<HashSet<SessionId>>,
    /// Reads the recording.
    pub reader: Reader,
    /// The socket, while attached.
    pub socket: Mutex<Option<mpsc::Sender<String>>>,
    /// Commands that wait for their answer, by their number.
    pub pending: Mutex<HashMap<u64, oneshot::Sender<Reply>>>,
    /// Ends the attachment when it is dropped or used.
    pub stop: Mutex<Option<oneshot::Sender<()>>>,
}

impl SourceShared {
    /// A source without steps yet.
    pub fn new(info: Source, reader: Reader) -> Self {
        Self {
            id: info.id,
            info: Mutex::new(info),
            steps: RwLock::default(),
            sessions: RwLock::default(),
            rates: Mutex::default(),
            config: Mutex::default(),
            marks: Mutex::default(),
            cursors: Mutex::default(),
            live_marks: Mutex::default(),
            busy: Mutex::default(),
            reader,
            socket: Mutex::default(),
            pending: Mutex::default(),
            stop: Mutex::default(),
        }
    }

    /// A step. Of a recording that is still being read in, also one that was not reached yet.
    pub fn step(&self, id: StepId) -> Option<Step> {
        let steps = self.steps.read();
        if let Some(step) = steps.position(id).and_then(|position| steps.get(position)) {
            return Some(step);
        }
        drop(steps);
        self.reader.steps_in(id.0..id.0.saturating_add(1)).ok()?.pop()
    }

    /// The last step of a stream that has a state: where its view stands now.
    pub fn last_with_state(&self, stream: &Stream) -> Option<StepId> {
        let steps = self.steps.read();
        // By columns: a long recording is not made into steps to find one.
        let found = (0..steps.len()).rev().find(|position| {
            let (block, at) = steps.block(*position);
            let has_state = block.state_bytes().get(at).is_some_and(|bytes| *bytes > 0);
            has_state && block.stream(at).is_some_and(|(session, view)| session.as_ref() == Some(&stream.0) && *view == stream.1)
        });
        found.and_then(|position| steps.id(position))
    }
}
