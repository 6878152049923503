//! Who may have changed a state outside of steps: what the agent saw, then what the recording itself can tell.

use std::collections::{BTreeMap, BTreeSet};

use inspector_model::{By, Side, StateAnswer, Step, StepId, StepKind, Stream, Sure, Suspect};
use inspector_protocol::Seen;
use inspector_tape::Delta;
use serde_json::value::RawValue;

use super::{Intake, assign_notes};

/// Steps that are found again by their keys.
const RECENT: usize = 1024;

/// Steps that are looked at for one that came between; states that are read for one that gave the same value.
const LOOK_BACK: usize = 500;
const STATES: usize = 4;

/// What is kept of what an agent tells.
const SUSPECTS: usize = 16;
const NAMES: usize = 32;
const TEXT: usize = 300;

impl Intake {
    /// Remembers what later steps may name as their cause.
    pub(super) fn remember(&mut self, step: &Step) {
        if step.kind == StepKind::Gap {
            self.lost = Some(step.id);
        }
        if let Some(session) = &step.session
            && step.kind == StepKind::Close
        {
            self.forget_page(&session.clone());
        } else if let Some(session) = &step.session {
            self.streams.entry((session.clone(), step.view.clone())).or_default().last = Some(step.id);
        }
        if !step.key.is_empty() {
            if self.recent.len() == RECENT {
                self.recent.pop_front();
            }
            self.recent.push_back((step.key.clone(), step.id));
        }
    }

    /// The suspects of a change, the most certain first; none where nothing was seen.
    pub(super) fn suspects(&self, stream: &Stream, delta: &Delta, seen: Vec<Seen>) -> Vec<Suspect> {
        let mut suspects: Vec<Suspect> = seen.into_iter().take(SUSPECTS).map(|seen| self.told(stream, seen)).collect();
        let temporary = assign_notes(&self.source, stream).0;
        let mut open: BTreeSet<String> = delta.changes.iter().map(|change| delta.top_key(change.place)).collect();
        open.retain(|name| !temporary.contains(name) && !suspects.iter().any(|suspect| suspect.names.contains(name)));
        if !open.is_empty() {
            suspects.extend(self.lost_before(stream).or_else(|| self.between(stream, delta, &open)).map(|suspect| {
                let names = if suspect.names.is_empty() { open.into_iter().take(NAMES).collect() } else { suspect.names };
                Suspect { names, ..suspect }
            }));
        }
        suspects.sort_by_key(|suspect| suspect.sure);
        suspects
    }

    /// What the agent saw, with the step's number in place of its key.
    fn told(&self, stream: &Stream, Seen { suspect, key }: Seen) -> Suspect {
        let short = |text: Option<String>| text.map(|text| text.chars().take(TEXT).collect::<String>());
        let by_key = key.and_then(|key| self.recent.iter().rev().find(|(known, _)| *known == key).map(|(_, id)| *id));
        // A render is that of the stream's last step, also where that is not among the latest any more.
        let last = || matches!(suspect.by, By::Render | By::Queryset).then(|| self.streams.get(stream)?.last).flatten();
        Suspect {
            step: by_key.or_else(last),
            names: suspect.names.iter().take(NAMES).map(|name| name.chars().take(TEXT).collect()).collect(),
            what: short(suspect.what),
            place: short(suspect.place),
            ..suspect
        }
    }

    /// Frames that were lost since the stream's last step.
    pub(super) fn lost_before(&self, stream: &Stream) -> Option<Suspect> {
        let (lost, last) = (self.lost?, self.streams.get(stream)?.last?);
        (lost > last).then(|| Suspect { by: By::Lost, sure: Sure::Likely, step: Some(lost), ..Suspect::default() })
    }

    /// A step since the stream's last one that gave an assign of the same name the same value, or that is of another view of the page.
    fn between(&self, stream: &Stream, delta: &Delta, open: &BTreeSet<String>) -> Option<Suspect> {
        let last = self.streams.get(stream)?.last?;
        let steps = self.source.steps.read();
        let newer = (0..steps.len()).rev().take(LOOK_BACK).map_while(|at| steps.get(at)).take_while(|step| step.id > last);
        let others: Vec<Step> =
            newer.filter(|step| step.changes.total() > 0 && step.session.is_some() && step.kind != StepKind::Outside).collect();
        drop(steps);
        let now = delta.after().text();
        let now: BTreeMap<&str, &RawValue> = serde_json::from_str(now).ok()?;
        let named =
            |step: &Step| -> Option<String> { open.iter().find(|name| step.changed.iter().any(|path| top(path) == **name)).cloned() };
        let candidates = others.iter().filter_map(|step| Some((step, named(step)?))).take(STATES);
        let same = candidates
            .into_iter()
            .find(|(step, name)| now.get(name.as_str()).is_some_and(|value| self.value(step.id, name).as_deref() == Some(value.get())));
        if let Some((step, name)) = same {
            let by = if step.session.as_ref() == Some(&stream.0) { By::Nearby } else { By::SameValue };
            let session = step.session.clone();
            return Some(Suspect { by, sure: Sure::Likely, names: vec![name], step: Some(step.id), session, ..Suspect::default() });
        }
        let near = others.iter().find(|step| step.session.as_ref() == Some(&stream.0) && step.view != stream.1)?;
        Some(Suspect { by: By::Nearby, sure: Sure::Guess, step: Some(near.id), ..Suspect::default() })
    }

    /// An assign after a step, as text.
    fn value(&self, step: StepId, name: &str) -> Option<String> {
        let StateAnswer::Full(text) = self.source.reader.state(step, Side::After).ok()? else { return None };
        let state: BTreeMap<&str, &RawValue> = serde_json::from_str(&text).ok()?;
        state.get(name).map(|value| value.get().to_owned())
    }
}

/// The assign that a path begins with.
fn top(path: &str) -> &str {
    path.split(['.', '[']).next().unwrap_or_default()
}
