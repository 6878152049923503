//! What an edit changed: after HVR has swapped a class, the last events from before it are replayed on the new class, each from its
//! recorded state, and the page is put back to live.
//!
//! Handlers run again with their side effects, so nothing is sent before the user has said so.

use inspector_model::{
    Cause, CommandDone, Failure, Level, NotRestored, Request, SessionId, SourceId, Status, Step, StepId, StepKind, Stream, Timeline, ViewId,
};

use super::engine::{Engine, Purpose, not_taken, toast};
use super::model::Model;
use super::replay::{self, Replayed, Trial, Verdict};
use crate::commands::page_answers;
use crate::format;

/// How many events are replayed at most.
pub const EVENTS: usize = 5;

/// Differences that the summary names; the rest is counted.
const TOLD: usize = 4;

/// What one event did on the swapped class.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The same as recorded: the step that it became.
    Same(StepId),
    /// Something else.
    Differs(StepId, Verdict),
    /// The handler ended as it did not before, for this reason.
    Raised(StepId, String),
    /// It did not reach the handler, or what it did is not known.
    NotSent(String),
}

/// An event that was recorded before the swap, and what it does now.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Its recorded step.
    pub step: StepId,
    /// Its handler.
    pub name: String,
    /// What it did. `None`: not replayed yet.
    pub outcome: Option<Outcome>,
    /// What could not be put back before it: a difference may come of that.
    pub lost: Vec<NotRestored>,
}

#[derive(Clone, Debug, PartialEq)]
enum Phase {
    /// The user has not said yet whether to do it.
    Asking,
    /// The next event is to be sent.
    Due,
    /// An event is on its way.
    Trying,
    /// All is done, and the page is on its way back.
    Returning,
    Over(Result<CommandDone, Failure>),
}

/// What an edit changed, as far as it is known.
#[derive(Clone, Debug)]
pub struct EditCheck {
    /// Where.
    pub source: SourceId,
    /// The step that swapped the class.
    pub swap: StepId,
    /// Class of the view.
    pub class: String,
    /// The page's view ticks: what a tick changes is the page's own, and stays.
    pub ticks: bool,
    /// In the order in which they happened.
    pub events: Vec<Event>,
    stream: Stream,
    phase: Phase,
    stopped: bool,
}

impl EditCheck {
    /// Whether it waits for the user's word.
    pub fn is_asking(&self) -> bool {
        self.phase == Phase::Asking
    }

    /// Whether something is being sent for it.
    pub const fn is_running(&self) -> bool {
        matches!(self.phase, Phase::Due | Phase::Trying | Phase::Returning)
    }

    /// Whether the event under way is the last one, because the user said so.
    pub const fn is_stopping(&self) -> bool {
        self.stopped && self.is_running()
    }

    /// Sends no more events. The page is put back after the one that is under way.
    pub const fn stop(&mut self) {
        self.stopped = true;
    }

    /// The page was put back, or was not.
    pub fn returned(&mut self, how: Result<CommandDone, Failure>) {
        self.phase = Phase::Over(how);
    }

    /// What came of it so far, in one line.
    pub fn summary(&self) -> (Level, String) {
        let outcomes: Vec<&Outcome> = self.events.iter().filter_map(|event| event.outcome.as_ref()).collect();
        if let Phase::Due | Phase::Trying = self.phase {
            let of = format!("{} of {}", outcomes.len(), format::plural(self.events.len() as u64, "event", "events"));
            return (Level::Info, format!("Replaying on the swapped class, {of} done"));
        }
        let count = |fits: fn(&Outcome) -> bool| outcomes.iter().filter(|outcome| fits(outcome)).count();
        let differ = count(|outcome| matches!(outcome, Outcome::Differs(..)));
        let others = [
            (count(|outcome| matches!(outcome, Outcome::Raised(..))), "raised"),
            (count(|outcome| matches!(outcome, Outcome::NotSent(_))), "could not be sent"),
        ];
        let all = format::plural(outcomes.len() as u64, "event", "events");
        let mut parts = Vec::new();
        if differ > 0 {
            let verb = if outcomes.len() == 1 { "differs" } else { "differ" };
            parts.push(format!("{differ} of {all} {verb}: {}", differences(&outcomes)));
        }
        parts.extend(others.iter().filter(|(number, _)| *number > 0).map(|(number, what)| format!("{number} of {all} {what}")));
        let level = if parts.is_empty() { Level::Info } else { Level::Warning };
        if parts.is_empty() {
            parts.push(if outcomes.is_empty() { "No event was replayed".to_owned() } else { format!("{all}, the same as recorded") });
        }
        if outcomes.len() < self.events.len() {
            parts.push(format!("stopped before the other {}", self.events.len() - outcomes.len()));
        }
        (level, parts.join("; "))
    }

    /// Where the page is now, once it was put back or that failed.
    pub fn page(&self) -> Option<(Level, String)> {
        match &self.phase {
            Phase::Asking | Phase::Due | Phase::Trying => None,
            Phase::Returning => Some((Level::Info, "The page is being put back".to_owned())),
            Phase::Over(Err(failure)) => Some((Level::Error, format!("The page was not put back to live: {}", failure.message))),
            Phase::Over(Ok(done)) if done.not_restored.is_empty() => Some((Level::Info, done.message.clone())),
            Phase::Over(Ok(done)) => Some((Level::Warning, format!("{}, but for {}", done.message, lost(&done.not_restored)))),
        }
    }

    fn take(&mut self, outcome: Outcome, lost: Vec<NotRestored>) {
        if let Some(event) = self.events.iter_mut().find(|event| event.outcome.is_none()) {
            event.outcome = Some(outcome);
            event.lost = lost;
        }
    }
}

/// What was not put back, in words.
pub fn lost(lost: &[NotRestored]) -> String {
    few(lost.iter().map(|lost| format!("{} ({})", format::clip(&lost.path, 60), format::clip(&lost.why, 80))).collect())
}

/// The paths that differ in any event, or, where the states are the same, what else does.
fn differences(outcomes: &[&Outcome]) -> String {
    let mut told: Vec<String> = Vec::new();
    for outcome in outcomes {
        let Outcome::Differs(_, verdict) = outcome else { continue };
        let paths = verdict.changes.iter().map(|change| format::clip(&change.path.to_string(), 60));
        let facts = verdict.facts.iter().filter(|_| verdict.changes.is_empty()).cloned();
        for words in paths.chain(facts) {
            if !told.contains(&words) {
                told.push(words);
            }
        }
    }
    few(told)
}

fn few(mut told: Vec<String>) -> String {
    let more = told.len().saturating_sub(TOLD);
    told.truncate(TOLD);
    if more > 0 {
        told.push(format!("{more} more"));
    }
    told.join(", ")
}

/// Whether HVR swapped a class in this step.
pub fn is_swap(step: &Step) -> bool {
    step.kind == StepKind::Hvr && matches!(&step.cause, Some(Cause::Reloaded { result, .. }) if result == "swapped")
}

/// The view whose class was swapped: the one that the saved file names, else the one of the step.
fn swapped_view(timeline: &Timeline, swap: &Step) -> Option<ViewId> {
    let Some(Cause::Reloaded { reload, .. }) = &swap.cause else { return swap.view.clone() };
    let saves = timeline.of_kind(StepKind::Reload).iter().rev().filter_map(|position| timeline.steps().get(*position as usize));
    let save = saves.take(500).find(|save| save.key == *reload);
    let Some(Cause::Save { classes, .. }) = save.and_then(|save| save.cause) else { return swap.view.clone() };
    let session = swap.session.as_ref().and_then(|session| timeline.sessions().get(session));
    let named = |class: &str| classes.iter().any(|changed| class == changed || class.ends_with(&format!(".{changed}")));
    let view = session.and_then(|session| session.views().find(|view| named(&view.class)));
    view.map_or_else(|| swap.view.clone(), |view| view.id.as_deref().map(ViewId::from))
}

/// What would be checked, or why nothing can be.
pub fn ready(model: &Model, swap: &Step) -> Result<EditCheck, String> {
    let timeline = model.timeline().ok_or_else(|| "No server is attached".to_owned())?;
    page_answers(timeline, swap)?;
    if model.trial.as_ref().is_some_and(Trial::is_running) || model.edit_check.as_ref().is_some_and(EditCheck::is_running) {
        return Err("A replay is on its way".to_owned());
    }
    let session: SessionId = swap.session.clone().ok_or_else(|| "This step belongs to no page".to_owned())?;
    let stream = (session, swapped_view(timeline, swap));
    let page = timeline.sessions().get(&stream.0);
    let view = page.and_then(|page| page.view_of(stream.1.as_ref()));
    if view.is_some_and(|view| view.use_actors) {
        return Err("The view has use_actors: its state lives in a Rust actor and cannot be put back".to_owned());
    }
    let steps = timeline.steps();
    let end = steps.position(swap.id).unwrap_or(0) as u32;
    let positions = timeline.stream(&stream);
    let before = positions[..positions.partition_point(|position| *position < end)].iter().rev();
    // One that a rate limit dropped did nothing then, so there is nothing to compare with.
    let recorded = |step: &Step| step.kind == StepKind::Event && step.has_states() && step.status != Status::Limited;
    let events = before.filter_map(|position| steps.get(*position as usize)).filter(recorded).take(EVENTS);
    let mut events: Vec<Event> = events.map(|step| Event { step: step.id, name: step.name, outcome: None, lost: Vec::new() }).collect();
    if events.is_empty() {
        return Err("No event of this view was recorded before the swap: there is nothing to replay".to_owned());
    }
    events.reverse();
    Ok(EditCheck {
        source: timeline.id(),
        swap: swap.id,
        class: view.map_or_else(|| swap.name.clone(), |view| view.class.clone()),
        ticks: page.is_some_and(|page| page.views().any(|view| view.tick_ms.is_some() && !view.ticks_paused)),
        events,
        stream,
        phase: Phase::Asking,
        stopped: false,
    })
}

/// Asks the user whether to replay.
pub fn ask(model: &mut Model, swap: StepId, now: f64) {
    let Some(step) = model.timeline().and_then(|timeline| timeline.step(swap)) else { return };
    match ready(model, &step) {
        Ok(check) => model.edit_check = Some(check),
        Err(why) => toast(model, Level::Info, format!("What the edit changed cannot be checked: {why}"), None, now),
    }
}

/// Begins, or leaves it.
pub fn answer(model: &mut Model, go: bool) {
    let Some(check) = model.edit_check.as_mut().filter(|check| check.is_asking()) else { return };
    if go {
        check.phase = Phase::Due;
    } else {
        model.edit_check = None;
    }
}

/// Goes on with what is under way.
pub fn advance(engine: &mut Engine, model: &mut Model, now: f64) {
    let Some(check) = &model.edit_check else { return };
    if model.timeline_of(check.source).is_none() {
        model.edit_check = None;
        return;
    }
    if check.phase == Phase::Trying {
        tried(model);
    }
    let Some(check) = &mut model.edit_check else { return };
    if check.phase != Phase::Due {
        return;
    }
    let (source, next) = (check.source, check.events.iter().find(|event| event.outcome.is_none()).map(|event| event.step));
    if let Some(step) = next.filter(|_| !check.stopped) {
        check.phase = Phase::Trying;
        model.trial = Some(Trial::new(source, step, 1).quietly());
        replay::advance(engine, model, now);
        return;
    }
    check.phase = Phase::Returning;
    let (session, view) = check.stream.clone();
    let request = Request::ReturnToLive { source, session, view };
    if engine.ask(model, request, Purpose::EndCheck, now).is_none()
        && let Some(check) = &mut model.edit_check
    {
        check.returned(Err(not_taken()));
    }
}

/// Takes in what the event under way came to, once it is known.
fn tried(model: &mut Model) {
    let Some(check) = &mut model.edit_check else { return };
    let Some(event) = check.events.iter().find(|event| event.outcome.is_none()).map(|event| event.step) else { return };
    let of_event = |trial: &&Trial| trial.is_quiet() && trial.source == check.source && trial.step == event;
    let (outcome, lost) = match model.trial.as_ref().filter(of_event) {
        Some(trial) if trial.is_running() => return,
        Some(trial) => match trial.outcome() {
            Ok(replayed) => {
                let timeline = model.timelines.iter().find(|timeline| timeline.id() == check.source);
                let steps = timeline.and_then(|timeline| timeline.step(event).zip(timeline.step(replayed.step)));
                (judge(steps, &replayed), replayed.done.not_restored.clone())
            }
            Err(why) => (Outcome::NotSent(why.to_owned()), Vec::new()),
        },
        None => (Outcome::NotSent("another replay took its place".to_owned()), Vec::new()),
    };
    check.take(outcome, lost);
    check.phase = Phase::Due;
}

fn judge(steps: Option<(Step, Step)>, replayed: &Replayed<'_>) -> Outcome {
    if let Some((was, is)) = steps.filter(|(was, is)| was.status != is.status) {
        let why = is.error.clone().unwrap_or_else(|| format!("ended {}, not {}", is.status.word(), was.status.word()));
        match is.status {
            Status::Raised | Status::Failed => return Outcome::Raised(is.id, why),
            Status::Limited => return Outcome::NotSent(why),
            Status::Ok | Status::Refused | Status::Invalid => {}
        }
    }
    if replayed.verdict.is_same() { Outcome::Same(replayed.step) } else { Outcome::Differs(replayed.step, replayed.verdict.clone()) }
}

#[cfg(test)]
mod tests {
    use inspector_model::{Change, Op, Path, Segment, Value};

    use super::*;

    fn check(outcomes: Vec<Option<Outcome>>) -> EditCheck {
        let event = |outcome| Event { step: StepId(1), name: "add".into(), outcome, lost: Vec::new() };
        EditCheck {
            source: SourceId(1),
            swap: StepId(9),
            class: "shop.CartView".into(),
            ticks: false,
            events: outcomes.into_iter().map(event).collect(),
            stream: ("page".into(), None),
            phase: Phase::Returning,
            stopped: false,
        }
    }

    fn differs(paths: &[&str]) -> Outcome {
        let change = |path: &&str| Change { path: Path(vec![Segment::Key((*path).into())]), op: Op::Added(Value::Null), note: None };
        Outcome::Differs(StepId(10), Verdict { changes: paths.iter().map(change).collect(), ..Verdict::default() })
    }

    #[test]
    fn the_summary_names_each_path_once_and_counts_the_rest() {
        let same = || Some(Outcome::Same(StepId(10)));
        let words = |outcomes| check(outcomes).summary().1;
        assert_eq!(words(vec![same(), Some(differs(&["total"])), Some(differs(&["total"]))]), "2 of 3 events differ: total");
        assert_eq!(words(vec![same(), same()]), "2 events, the same as recorded");
        assert_eq!(words(vec![Some(differs(&["a", "b", "c", "d", "e", "f"]))]), "1 of 1 event differs: a, b, c, d, 2 more");
        let raised = Some(Outcome::Raised(StepId(10), "ValueError".into()));
        let not_sent = Some(Outcome::NotSent("the page is closed".into()));
        assert_eq!(
            words(vec![raised, not_sent, None]),
            "1 of 2 events raised; 1 of 2 events could not be sent; stopped before the other 1"
        );
        let facts = Verdict { facts: vec!["SQL queries 3 → 4".into()], ..Verdict::default() };
        assert_eq!(words(vec![Some(Outcome::Differs(StepId(10), facts))]), "1 of 1 event differs: SQL queries 3 → 4");
        assert_eq!(words(vec![None]), "No event was replayed; stopped before the other 1");
    }
}
