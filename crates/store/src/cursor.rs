//! Going through the states of a recording step by step.

use std::sync::Arc;

use inspector_model::{Side, StateAnswer, StepId};

use crate::error::StoreError;
use crate::reader::{Reader, damaged_step};
use crate::segment::{Segment, TextRef};

/// So many versions ahead are made of the one at hand; what is farther is looked up.
const NEAR: usize = 32;

/// Reads states near the last one cheaply: the next is made of it by the little that differs. For one who scrubs.
pub struct StateCursor {
    reader: Reader,
    at: Option<At>,
}

struct At {
    segment: Arc<Segment>,
    slot: usize,
    version: usize,
    bytes: Vec<u8>,
    text: Arc<str>,
}

impl Reader {
    /// A cursor that stands nowhere yet.
    pub fn cursor(&self) -> StateCursor {
        StateCursor { reader: self.clone(), at: None }
    }
}

impl StateCursor {
    /// Goes to one end of a step. The same as [`Reader::state`], sooner.
    pub fn state(&mut self, step: StepId, side: Side) -> Result<StateAnswer, StoreError> {
        let segment = self.reader.segment(step)?;
        let entry = segment.entry(step.0).ok_or_else(|| damaged_step(step))?;
        let text = if side == Side::Before { &entry.before } else { &entry.after };
        let TextRef::Version(slot, version) = *text else { return self.reader.state(step, side) };
        if let Some(at) = &mut self.at
            && (at.segment.first, at.segment.sum) == (segment.first, segment.sum)
            && at.slot == slot
            && at.version <= version
            && version - at.version <= NEAR
        {
            if at.version < version {
                for next in at.version + 1..=version {
                    segment.advance(&mut at.bytes, slot, next).ok_or_else(|| damaged_step(step))?;
                }
                at.text = std::str::from_utf8(&at.bytes).map_err(|_| damaged_step(step))?.into();
                at.version = version;
                at.segment = segment;
            }
            return Ok(StateAnswer::Full(at.text.clone()));
        }
        let answer = self.reader.state(step, side)?;
        self.at = match &answer {
            StateAnswer::Full(text) => Some(At { segment, slot, version, bytes: text.as_bytes().to_vec(), text: text.clone() }),
            StateAnswer::Missing(_) => None,
        };
        Ok(answer)
    }
}
