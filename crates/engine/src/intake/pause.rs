//! What a full disk does to a recording: it pauses, counts what it does not take, and goes on by itself when there is room.
//!
//! While it pauses the frames are followed all the same, so that afterwards the states are right at once. What was lost
//! stands in the timeline as a gap with its number, followed by the states that changed meanwhile.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use inspector_model::{Level, SessionId, Step, Stream};
use inspector_store::StoreError;

use super::{Intake, Topic};

/// A recording that waits for room.
#[derive(Default)]
pub struct Pause {
    /// Steps that were not taken.
    lost: u64,
    /// Streams that they were of.
    streams: BTreeSet<Stream>,
    /// The last page of each session, of those that were not taken.
    pages: HashMap<SessionId, Arc<str>>,
}

impl Intake {
    /// Takes no steps until [`Intake::go_on`] finds room.
    pub(super) fn pause(&mut self, why: &StoreError) {
        if self.paused.is_some() {
            return;
        }
        self.paused = Some(Pause::default());
        let words = format!("Recording paused: {why}. It goes on by itself when there is room");
        self.source.info.lock().recorder.paused = Some(words.clone());
        self.outbox.message(Level::Error, words);
        self.outbox.changed(self.source.id, &Topic::Source);
    }

    /// Counts a step that comes while the recording pauses, and keeps what later ones are to be understood by.
    pub(super) fn lose(&mut self, step: &Step, html: Option<Arc<str>>) {
        let Some(pause) = &mut self.paused else { return };
        pause.lost += 1;
        if let Some(session) = &step.session {
            if let Some(html) = html {
                pause.pages.insert(session.clone(), html);
            }
            pause.streams.insert((session.clone(), step.view.clone()));
        }
        self.source.info.lock().recorder.dropped += 1;
        self.outbox.changed(self.source.id, &Topic::Source);
    }

    /// Looks whether there is room again. Call it where it would be flushed.
    pub(super) fn go_on(&mut self, now: f64) {
        if self.paused.is_none() {
            return;
        }
        match self.recorder.flush() {
            Ok(()) => {}
            Err(StoreError::Full { .. }) => return,
            Err(error) => return self.stop(&error),
        }
        let Some(Pause { lost, streams, mut pages }) = self.paused.take() else { return };
        self.dirty = true;
        self.source.info.lock().recorder.paused = None;
        self.outbox.message(Level::Info, "Recording goes on: there is room on the disk again");
        self.outbox.changed(self.source.id, &Topic::Source);
        if lost == 0 {
            return;
        }
        let now = now + self.ahead;
        self.tell_gap(Some(lost), &format!("the disk was full: {lost} steps were not recorded"), None, now);
        for stream in streams {
            let Some(document) = self.document(&stream).cloned() else { continue };
            self.after_a_loss(&stream, document, pages.remove(&stream.0), now);
        }
    }
}
