//! Records generated pages, as the engine records those of a server.

use std::sync::Arc;
use std::time::Duration;

use inspector_model::{Step, StepDetail, StepKind};
use inspector_store::{NewState, NewStep, Recorder, StoreError};
use inspector_tape::{Document, ScanError, compare};

use crate::corpora::Pages;

/// How long the engine looks at one step's differences.
const DEADLINE: Duration = Duration::from_millis(20);

/// Makes steps of states that follow each other.
#[derive(Default)]
pub struct Steps {
    number: u64,
    last: Option<Arc<Document>>,
}

impl Steps {
    /// The step that led to a state, which is scanned and compared.
    pub fn next(&mut self, text: Arc<str>) -> Result<NewStep, ScanError> {
        self.number += 1;
        let number = self.number;
        let mut step = Step {
            key: format!("k{number:x}"),
            session: Some("0123456789abcdef".into()),
            state_bytes: text.len() as u64,
            duration_ms: Some(1.5),
            ..Step::new(StepKind::Event, "toggle", 1.79e9 + number as f64 * 0.37)
        };
        let after = match &self.last {
            None => NewState::Document(self.last.insert(Arc::new(Document::new(text)?)).clone()),
            Some(before) => {
                let next = Arc::new(Document::after(before, text)?);
                let delta = Arc::new(compare(before, &next, DEADLINE));
                step.changes = delta.counts;
                let changed = delta.changes.iter().take(Step::MAX_CHANGED_PATHS);
                step.changed = changed.map(|change| delta.path(change.place).to_string()).collect();
                self.last = Some(next);
                NewState::Compared(delta)
            }
        };
        let detail = StepDetail { params: Some(format!("{{\"id\": {number}}}")), ..StepDetail::default() };
        Ok(NewStep { step, detail, before: NewState::Same, after, html: None })
    }
}

/// Records so many steps of a page. Flushed every so many steps: time would make recordings differ from run to run.
pub fn record(recorder: &mut Recorder, pages: &mut Pages, steps: u64, flush_every: u64) -> Result<(), StoreError> {
    let mut maker = Steps::default();
    for number in 1..=steps {
        pages.turn();
        let step = maker.next(pages.json()).map_err(|error| StoreError::Damaged { what: error.to_string() })?;
        recorder.append(step)?;
        if number.is_multiple_of(flush_every) {
            recorder.flush()?;
        }
    }
    recorder.flush()
}
