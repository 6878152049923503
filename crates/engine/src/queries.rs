//! What reads: states, diffs, details, pages. Runs on tokio's blocking pool.

use std::sync::Arc;
use std::time::Duration;

use inspector_diff::Options;
use inspector_model::{Answer, ErrorCode, Failure, Side, StateAnswer, StepId};
use inspector_store::StoreError;
use inspector_tape::Document;

use crate::intake::assign_notes;
use crate::source::SourceShared;

/// How long a diff that a person asked for may take before it is cut short: within what feels like at once.
const DIFF_DEADLINE: Duration = Duration::from_millis(100);

/// Everything about a step.
pub fn detail(source: &SourceShared, step: StepId) -> Result<Answer, Failure> {
    source.reader.detail(step).map(|detail| Answer::Detail(Box::new(detail))).map_err(|error| failed(&error))
}

/// One end of a step.
pub fn state(source: &SourceShared, step: StepId, side: Side) -> Result<Answer, Failure> {
    source.reader.state(step, side).map(Answer::State).map_err(|error| failed(&error))
}

/// The page at one end of a step.
pub fn html(source: &SourceShared, step: StepId, side: Side) -> Result<Answer, Failure> {
    source.reader.html(step, side).map(|html| Answer::Html(html.map(|text| text.to_string()))).map_err(|error| failed(&error))
}

/// What differs between two ends of steps.
pub fn diff(source: &SourceShared, from: (StepId, Side), to: (StepId, Side)) -> Result<Answer, Failure> {
    let before = document(source, from)?;
    let after = document(source, to)?;
    let notes = source
        .step(to.0)
        .and_then(|step| step.session.map(|session| (session, step.view)))
        .map(|stream| assign_notes(source, &stream))
        .unwrap_or_default();
    let options = Options { deadline: DIFF_DEADLINE, temporary_assigns: &notes.0, static_assigns: &notes.1 };
    Ok(Answer::Diff(Box::new(inspector_diff::diff_documents(&before, &after, &options))))
}

fn document(source: &SourceShared, (step, side): (StepId, Side)) -> Result<Arc<Document>, Failure> {
    match source.reader.state(step, side).map_err(|error| failed(&error))? {
        StateAnswer::Full(text) => Document::new(text).map(Arc::new).map_err(|error| Failure::new(ErrorCode::Missing, error.to_string())),
        StateAnswer::Missing(why) => {
            let end = if side == Side::Before { "before" } else { "after" };
            Err(Failure::new(ErrorCode::Missing, format!("there is no state {end} step {step}: {why}")))
        }
    }
}

/// A store's error as an answer.
pub fn failed(error: &StoreError) -> Failure {
    let code = match error {
        StoreError::TooNew { .. } => ErrorCode::RecordingTooNew,
        StoreError::NotARecording { .. } => ErrorCode::RecordingDamaged,
        StoreError::Locked { .. } => ErrorCode::StoreLocked,
        _ => ErrorCode::Io,
    };
    Failure::new(code, error.to_string())
}
