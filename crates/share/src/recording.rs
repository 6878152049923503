//! A selection as a recording of its own. Its steps are numbered anew from 1; what pointed at a step points at its new number,
//! or at nothing when that step was left out.

use std::collections::HashMap;
use std::path::Path;

use inspector_model::{Cause, StepId};
use inspector_store::{NewState, NewStep, Recorder, Store};

use crate::ShareError;
use crate::excerpt::{End, Excerpt, Part};
use crate::redact::Redactor;

/// Writes it. `folder` is an empty one, for the database that the file is made from.
pub fn write(excerpt: &Excerpt<'_>, redactor: &mut Redactor, folder: &Path, path: &Path, part: Part) -> Result<(), ShareError> {
    let (store, _) = Store::open(folder)?;
    let info = excerpt.info();
    let mut recorder = store.create(&excerpt.title(redactor), info.started, &info.djust)?;
    describe(excerpt, redactor, &mut recorder)?;
    let mut numbers: HashMap<StepId, StepId> = HashMap::new();
    excerpt.each(redactor, part, |mut item| {
        renumber(&mut item.step.cause, &numbers);
        let old = item.step.id;
        let new = NewStep { step: item.step, detail: item.detail, before: state(item.before), after: state(item.after), html: item.html };
        numbers.insert(old, recorder.append(new)?);
        Ok(())
    })?;
    recorder.flush()?;
    let id = recorder.id().clone();
    drop(recorder);
    for (step, note) in excerpt.marks(redactor)? {
        if let Some(step) = numbers.get(&step) {
            store.mark(&id, *step, Some(&note))?;
        }
    }
    // All steps are written; it is only asked whether to go on.
    store.export(&id, path, &|_, _| excerpt.goes_on(part, 1, 1))?;
    Ok(())
}

fn describe(excerpt: &Excerpt<'_>, redactor: &mut Redactor, recorder: &mut Recorder) -> Result<(), ShareError> {
    if let Some(server) = excerpt.server(redactor)? {
        recorder.put_server(&server);
    }
    if let Some(config) = excerpt.config(redactor)? {
        recorder.put_config(&config);
    }
    for session in excerpt.sessions() {
        let clean = redactor.session(session)?;
        recorder.put_session(&clean);
        if let Some(shell) = excerpt.shell(&session.id, redactor)? {
            recorder.put_shell(&clean.id, &shell);
        }
    }
    Ok(())
}

fn state(end: End) -> NewState {
    match end {
        End::None => NewState::None,
        End::State(value) => NewState::Text(value.to_json().into()),
        End::Missing(why) => NewState::Missing(why),
    }
}

fn renumber(cause: &mut Option<Cause>, numbers: &HashMap<StepId, StepId>) {
    let renumber = |step: &mut Option<StepId>| *step = step.and_then(|old| numbers.get(&old).copied());
    match cause {
        Some(Cause::Jump { step, .. } | Cause::Replay { step, .. }) => renumber(step),
        Some(Cause::Outside { suspects }) => suspects.iter_mut().for_each(|suspect| renumber(&mut suspect.step)),
        _ => {}
    }
}
