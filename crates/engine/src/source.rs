//! What the engine holds of one source, shared between its recorder, its commands and the windows.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::atomic::AtomicBool;

use inspector_model::{
    Block, Configuration, Rate, RemoteCursor, Session, SessionId, Source, SourceId, Step, StepId, StepKind, Steps, Stream,
};
use inspector_store::Reader;
use parking_lot::{Mutex, RwLock};
use tokio::sync::oneshot;

use crate::commands::Reply;
use crate::queue::Sender;

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
    /// The agent of the worker that each page is, or was, connected to.
    pub workers: Mutex<HashMap<SessionId, String>>,
    /// Rate-limit levels.
    pub rates: Mutex<BTreeMap<SessionId, Rate>>,
    /// The server's configuration.
    pub config: Mutex<Option<Configuration>>,
    /// Marked steps, with their notes.
    pub marks: Mutex<BTreeMap<StepId, String>>,
    /// Where pages stand.
    pub cursors: Mutex<HashMap<SessionId, RemoteCursor>>,
    /// For each stream that was jumped, or replayed from another state: the step whose end was live before the first of them.
    pub live_marks: Mutex<HashMap<Stream, StepId>>,
    /// Pages with a command under way.
    pub busy: Mutex<HashSet<SessionId>>,
    /// Reads the recording.
    pub reader: Reader,
    /// The socket, while attached.
    pub socket: Mutex<Option<Sender<String>>>,
    /// The recorder wants to be sent again what it could not take: the attachment is to connect anew.
    pub again: AtomicBool,
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
            workers: Mutex::default(),
            rates: Mutex::default(),
            config: Mutex::default(),
            marks: Mutex::default(),
            cursors: Mutex::default(),
            live_marks: Mutex::default(),
            busy: Mutex::default(),
            reader,
            socket: Mutex::default(),
            again: AtomicBool::new(false),
            pending: Mutex::default(),
            stop: Mutex::default(),
        }
    }

    /// A step that is in memory.
    pub fn known_step(&self, id: StepId) -> Option<Step> {
        let steps = self.steps.read();
        steps.position(id).and_then(|position| steps.get(position))
    }

    /// A step. Of a recording that is still being read in, also one that was not reached yet.
    pub fn step(&self, id: StepId) -> Option<Step> {
        let known = self.known_step(id);
        if known.is_some() {
            return known;
        }
        self.reader.steps_in(id.0..id.0.saturating_add(1)).ok()?.pop()
    }

    /// The last step of a stream that has a state: where its view stands now.
    pub fn last_with_state(&self, stream: &Stream) -> Option<StepId> {
        self.last_of(stream, StepId(u64::MAX), |block, at| block.state_bytes()[at] > 0)
    }

    /// The last step of a stream until `upto`, that included, that fits.
    pub fn last_of(&self, stream: &Stream, upto: StepId, fits: impl Fn(&Block, usize) -> bool) -> Option<StepId> {
        let steps = self.steps.read();
        let mut end = steps.len();
        // By columns: a long recording is not made into steps to find one.
        while end > 0 {
            let (block, last) = steps.block(end - 1);
            let wanted = place_of(block, stream);
            let of = block.streams().1;
            let until = block.ids()[..=last].partition_point(|id| *id <= upto);
            let found = wanted.and_then(|wanted| (0..until).rev().find(|at| of[*at] as usize == wanted && fits(block, *at)));
            if let Some(at) = found {
                return Some(block.ids()[at]);
            }
            end -= last + 1;
        }
        None
    }

    /// The events of a stream that called a handler, in order.
    pub fn calls(&self, stream: &Stream, handler: &str) -> Vec<StepId> {
        let steps = self.steps.read();
        let mut calls = Vec::new();
        for block in steps.blocks() {
            let (names, name_of) = block.names();
            let Some(wanted) = place_of(block, stream) else { continue };
            let of = block.streams().1;
            let is_call = |at: &usize| {
                of[*at] as usize == wanted
                    && matches!(block.kinds()[*at], StepKind::Event | StepKind::Replay)
                    && names.get(name_of[*at] as usize).is_some_and(|name| *name.name == *handler)
            };
            calls.extend((0..block.len()).filter(is_call).map(|at| block.ids()[at]));
        }
        calls
    }
}

/// The place of a stream in the table of a block.
pub fn place_of(block: &Block, stream: &Stream) -> Option<usize> {
    block.streams().0.iter().position(|(session, view)| session.as_ref() == Some(&stream.0) && *view == stream.1)
}
