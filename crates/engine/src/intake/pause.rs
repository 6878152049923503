//! What a full disk does to a recording: it pauses, and goes on by itself when there is room.
//!
//! While it pauses no frame is taken in, so the recorder stands where it stood. The agent keeps what it sent lately: when there is room the
//! attachment connects anew, and everything after the last frame that was taken in is asked for again. How many frames the agent does not
//! have any more is told by their numbers: they are a gap, followed by the states as they are by then.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use inspector_model::{Level, SessionId, Step, Stream};
use inspector_store::StoreError;

use super::{Intake, Topic};

/// A recording that waits for room.
#[derive(Default)]
pub struct Pause {
    /// Steps that were not taken although their frame was: the disk became full in the middle of it.
    lost: u64,
    /// Streams that they were of.
    streams: BTreeSet<Stream>,
    /// The last page of each session, of those that were not taken.
    pages: HashMap<SessionId, Arc<str>>,
    /// Why, and how many frames were told to wait.
    why: String,
    told: u64,
}

/// Frames that were not taken in, and are to be asked for again.
#[derive(Default)]
pub struct Skipped {
    /// So many.
    frames: u64,
    /// Until an agent greets again, all others are not taken in either: they come after those.
    asking: bool,
}

impl Intake {
    /// Whether a frame can be taken in now. If not, it is counted.
    pub(super) fn takes_frames(&mut self) -> bool {
        if self.stopped {
            return true;
        }
        if self.paused.is_none() && !self.skipped.asking {
            match self.recorder.make_ready() {
                Ok(()) => return true,
                Err(error @ StoreError::Full { .. }) => self.pause(&error),
                Err(error) => {
                    self.stop(&error);
                    return true;
                }
            }
        }
        self.skipped.frames += 1;
        false
    }

    /// Takes no steps until [`Intake::go_on`] finds room.
    pub(super) fn pause(&mut self, why: &StoreError) {
        if self.paused.is_some() {
            return;
        }
        let words = format!("Recording paused: {why}. It goes on by itself when there is room");
        self.paused = Some(Pause { why: words.clone(), ..Pause::default() });
        self.source.info.lock().recorder.paused = Some(words.clone());
        self.outbox.message(Level::Error, words);
        self.outbox.changed(self.source.id, &Topic::Source);
    }

    /// Counts a step of a frame that was taken in before the disk was full, and keeps what later ones are to be understood by.
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
            Err(StoreError::Full { .. }) => return self.tell_waiting(),
            Err(error) => return self.stop(&error),
        }
        let Some(Pause { lost, streams, mut pages, .. }) = self.paused.take() else { return };
        self.dirty = true;
        self.source.info.lock().recorder.paused = None;
        self.outbox.message(Level::Info, "Recording goes on: there is room on the disk again");
        self.outbox.changed(self.source.id, &Topic::Source);
        if self.skipped.frames > 0 {
            self.skipped.asking = true;
            self.source.again.store(true, Ordering::Relaxed);
        }
        if lost == 0 {
            return;
        }
        let now = now + self.ahead;
        self.tell_gap(Some(lost), &format!("the disk was full: {lost} steps were not recorded"), None, now);
        for stream in streams {
            let Some(document) = self.document(&stream) else { continue };
            self.after_a_loss(&stream, document, pages.remove(&stream.0), now);
        }
    }

    /// Says how much the server is to be asked for again.
    fn tell_waiting(&mut self) {
        let Some(pause) = &mut self.paused else { return };
        if std::mem::replace(&mut pause.told, self.skipped.frames) != self.skipped.frames {
            let words = format!("{}, and {} frames are then asked for again", pause.why, pause.told);
            self.source.info.lock().recorder.paused = Some(words);
            self.outbox.changed(self.source.id, &Topic::Source);
        }
    }

    /// An agent greets while the recording pauses: nothing of it is taken in, so that it stands where it stood. Once there is room it is
    /// asked again.
    pub(super) fn greeted_in_pause(&mut self) -> bool {
        if self.paused.is_some() {
            self.skipped.frames += 1;
        }
        self.paused.is_some()
    }

    /// Whether frames had been skipped until now; from now on they are taken in. An agent has greeted, and says which it has.
    pub(super) fn no_more_skipped(&mut self) -> Option<u64> {
        Some(std::mem::take(&mut self.skipped).frames).filter(|frames| *frames > 0)
    }

    /// The recording ends before they could be asked for.
    pub(super) fn tell_skipped(&mut self, now: f64) {
        if let Some(frames) = self.no_more_skipped() {
            let why = format!("the disk was full: {frames} frames were not recorded, and the end came before they could be had again");
            self.gap(Some(frames), &why, None, now + self.ahead);
            self.dirty = true;
        }
    }
}
