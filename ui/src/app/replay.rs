//! Replays and their verdict: the same as recorded, or what differs here; sent several times, what is not the same every time.
//!
//! A verdict looks at recorded steps only, so one of an old recording has it as well as one that was just made.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use inspector_model::{
    Answer, Cause, Change, CommandDone, Diff, Failure, Ignore, Level, Op, Path, Request, RequestId, Side, SourceId, Step, StepDetail,
    StepId, StepKind,
};

use super::engine::{Engine, command_done, detail_of, diff_of, toast};
use super::model::{DiffKey, Model, StepKey};
use super::slot::Slot;
use crate::format;
use crate::panels::step::patch_count;

/// How often [`crate::commands::UiCommand::ReplayRepeatedly`] replays.
pub const REPLAYS: usize = 5;

/// How long the step of a replay is waited for after the server said that it is done.
pub const PATIENCE: Duration = Duration::from_secs(4);

/// Paths that are told in words; the rest is counted.
const TOLD: usize = 4;

/// The step that a replay sent again.
pub fn replay_of(step: &Step) -> Option<StepId> {
    match step.cause {
        Some(Cause::Replay { step: of, .. }) if step.kind == StepKind::Replay => of,
        _ => None,
    }
}

/// What is asked for to judge a replay.
#[derive(Default)]
pub struct Evidence {
    diff: Slot<DiffKey, Arc<Diff>>,
    recorded: Slot<StepKey, StepDetail>,
    replayed: Slot<StepKey, StepDetail>,
    judged: Option<(DiffKey, Ignore, Result<Verdict, Failure>)>,
}

impl Evidence {
    /// Says what is judged: in a source a step, and its replay.
    pub fn want(&mut self, replay: Option<(SourceId, StepId, StepId)>) {
        self.diff.want(replay.map(|(source, of, replay)| ((source, of, Side::After), (source, replay, Side::After))));
        self.recorded.want(replay.map(|(source, of, _)| (source, of)));
        self.replayed.want(replay.map(|(source, _, replay)| (source, replay)));
    }

    /// Asks for what is not there.
    pub fn pull(&mut self, engine: &mut Engine) {
        engine.fill(&mut self.diff, |(from, to)| Request::Diff { from, to });
        engine.fill(&mut self.recorded, |(source, step)| Request::Detail { source, step });
        engine.fill(&mut self.replayed, |(source, step)| Request::Detail { source, step });
    }

    /// Whether `id` is one of its requests that are on their way.
    pub fn awaits(&self, id: RequestId) -> bool {
        self.diff.awaits(id) || self.recorded.awaits(id) || self.replayed.awaits(id)
    }

    /// Takes an answer in.
    pub fn answered(&mut self, id: RequestId, answer: Answer) {
        if self.diff.awaits(id) {
            self.diff.answered(diff_of(answer));
        } else if self.recorded.awaits(id) {
            self.recorded.answered(detail_of(answer));
        } else {
            self.replayed.answered(detail_of(answer));
        }
    }

    /// Judges, once everything is there.
    pub fn judge(&mut self, recorded: &Step, replayed: &Step, ignore: &Ignore) {
        let Some((key, diff, true)) = self.diff.shown() else { return };
        if self.judged.as_ref().is_some_and(|(judged, rules, _)| judged == key && rules == ignore) {
            return;
        }
        let Some((_, of_recorded, true)) = self.recorded.shown() else { return };
        let Some((_, of_replayed, true)) = self.replayed.shown() else { return };
        let verdict = match (diff, of_recorded, of_replayed) {
            (Ok(diff), Ok(of_recorded), Ok(of_replayed)) => {
                Ok(Verdict::new((recorded, of_recorded), (replayed, of_replayed), (**diff).clone(), ignore))
            }
            (Err(failure), ..) | (_, Err(failure), _) | (_, _, Err(failure)) => Err(failure.clone()),
        };
        self.judged = Some((*key, ignore.clone(), verdict));
    }

    /// The verdict, once it was judged.
    pub fn verdict(&self) -> Option<&Result<Verdict, Failure>> {
        let (key, _, true) = self.diff.shown()? else { return None };
        self.judged.as_ref().filter(|(judged, ..)| judged == key).map(|(_, _, verdict)| verdict)
    }
}

/// What a replay did, compared with what was recorded.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Verdict {
    /// Paths of the state that are another one.
    pub changes: Vec<Change>,
    /// Other things that differ, in words.
    pub facts: Vec<String>,
    /// Differences that were expected.
    pub ignored: u32,
    /// It was sent with other parameters.
    pub edited: bool,
}

impl Verdict {
    fn new(recorded: (&Step, &StepDetail), replayed: (&Step, &StepDetail), mut diff: Diff, ignore: &Ignore) -> Self {
        let ignored = ignore.apply(&mut diff);
        let mut facts = Vec::new();
        if recorded.0.status != replayed.0.status {
            facts.push(format!("ended {}, not {}", replayed.0.status.word(), recorded.0.status.word()));
        }
        let patches = (patch_count(recorded.1), patch_count(replayed.1));
        for (what, was, is) in [("patches", patches.0, patches.1), ("SQL queries", recorded.0.sql as usize, replayed.0.sql as usize)] {
            if was != is {
                facts.push(format!("{what} {was} → {is}"));
            }
        }
        let edited = matches!(replayed.0.cause, Some(Cause::Replay { edited: true, .. }));
        Self { changes: diff.changes, facts, ignored, edited }
    }

    /// Whether it is the same as recorded.
    pub const fn is_same(&self) -> bool {
        self.changes.is_empty() && self.facts.is_empty()
    }

    /// In one sentence.
    pub fn words(&self) -> String {
        let with = if self.edited { ", with other parameters" } else { "" };
        let ignored = match self.ignored {
            0 => String::new(),
            count => format!(" ({} ignored)", format::plural(u64::from(count), "difference", "differences")),
        };
        if self.is_same() {
            return format!("Same as recorded{with}{ignored}");
        }
        let mut told: Vec<String> = self.changes.iter().take(TOLD).map(change_words).collect();
        if let Some(more) = self.changes.len().checked_sub(TOLD + 1) {
            told.push(format!("{} more", more + 1));
        }
        told.extend(self.facts.iter().cloned());
        format!("Differs here{with}: {}{ignored}", told.join("; "))
    }
}

fn change_words(change: &Change) -> String {
    let path = format::clip(&change.path.to_string(), 80);
    match &change.op {
        Op::Added(value) => format!("{path} is new: {}", value.summary(40)),
        Op::Removed(_) => format!("{path} is gone"),
        Op::Changed { before, after } => format!("{path} {} → {}", before.summary(40), after.summary(40)),
        Op::Text { .. } => format!("the text of {path}"),
        Op::Moved { .. } | Op::Reordered { .. } => format!("the order of {path}"),
    }
}

/// The paths that are not the same in all of the replays: each is compared with the same recorded state, so what is not changed
/// in the same way in all of them is another one from time to time.
pub fn unsteady(verdicts: &[Verdict]) -> Vec<String> {
    let mut paths: Vec<&Path> = Vec::new();
    let mut by_path: HashMap<&Path, Vec<Vec<&Op>>> = HashMap::new();
    for (nth, verdict) in verdicts.iter().enumerate() {
        for change in &verdict.changes {
            let ops = by_path.entry(&change.path).or_insert_with(|| {
                paths.push(&change.path);
                vec![Vec::new(); verdicts.len()]
            });
            ops[nth].push(&change.op);
        }
    }
    paths.retain(|path| by_path[path].iter().any(|ops| *ops != by_path[path][0]));
    paths.into_iter().map(ToString::to_string).collect()
}

/// A step that is replayed, once or several times, always from the same state.
pub struct Trial {
    /// Where.
    pub source: SourceId,
    /// Which step.
    pub step: StepId,
    /// How often in all.
    pub times: usize,
    /// Other parameters.
    pub params: Option<String>,
    /// Put the state before the step back first.
    pub restore: bool,
    verdicts: Vec<Verdict>,
    /// Paths that are not the same in all of them.
    unsteady: Vec<String>,
    /// What is asked for the one that is under way.
    pub evidence: Evidence,
    phase: Phase,
    last: Option<CommandDone>,
    /// Nothing is said at its end: whoever began it asks for its outcome.
    quiet: bool,
    /// The step that it became last.
    replay: Option<StepId>,
    /// Why it has no verdict.
    failed: Option<String>,
}

/// What one replay came to.
pub struct Replayed<'a> {
    /// The step that it became.
    pub step: StepId,
    /// Compared with what was recorded.
    pub verdict: &'a Verdict,
    /// What the server said of it.
    pub done: &'a CommandDone,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// To be sent.
    Due,
    /// On its way; the newest step then.
    Sent(StepId),
    /// The server did it: its step is waited for.
    Awaited(StepId, u64),
    /// Its step is there, and is looked at.
    Judged(StepId),
    Over,
}

impl Trial {
    /// Of a step with its recorded parameters.
    pub fn new(source: SourceId, step: StepId, times: usize) -> Self {
        Self {
            source,
            step,
            times,
            params: None,
            restore: true,
            verdicts: Vec::new(),
            unsteady: Vec::new(),
            evidence: Evidence::default(),
            phase: Phase::Due,
            last: None,
            quiet: false,
            replay: None,
            failed: None,
        }
    }

    /// The same without a message at its end.
    #[must_use]
    pub fn quietly(self) -> Self {
        Self { quiet: true, ..self }
    }

    /// Whether nothing is said at its end.
    pub const fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// What the last replay came to, or why that is not known.
    pub fn outcome(&self) -> Result<Replayed<'_>, &str> {
        let unknown = || self.failed.as_deref().unwrap_or("It was stopped");
        let (step, verdict) = self.replay.zip(self.verdicts.last()).ok_or_else(unknown)?;
        let done = self.last.as_ref().ok_or_else(unknown)?;
        Ok(Replayed { step, verdict, done })
    }

    /// It was not sent, for this reason.
    pub fn refuse(&mut self, why: String) {
        self.failed = Some(why);
        self.stop();
    }

    /// The same with these parameters; without `restore` from wherever the page stands.
    #[must_use]
    pub fn with(self, params: Option<String>, restore: bool) -> Self {
        Self { params, restore, ..self }
    }

    /// What came of those that are done.
    pub fn verdicts(&self) -> &[Verdict] {
        &self.verdicts
    }

    /// Whether it is still going on.
    pub fn is_running(&self) -> bool {
        self.phase != Phase::Over
    }

    /// Ends it. What came of it so far stays.
    pub fn stop(&mut self) {
        self.phase = Phase::Over;
    }

    /// The server did one, at this time.
    pub fn sent(&mut self, done: CommandDone, now: f64) {
        if let Phase::Sent(after) = self.phase {
            self.phase = Phase::Awaited(after, now.max(0.0) as u64);
            self.last = Some(done);
        }
    }

    /// What is told of it so far, once it was done more than once.
    pub fn words(&self) -> Option<(Level, String)> {
        let done = self.verdicts.len();
        if self.times < 2 || (done < 2 && !self.is_running()) {
            return None;
        }
        let paths = &self.unsteady;
        Some(if paths.is_empty() && self.is_running() {
            (Level::Info, format!("Replaying, {done} of {} done", self.times))
        } else if paths.is_empty() {
            (Level::Info, format!("{done} replays, the same every time"))
        } else {
            let more = paths.len().saturating_sub(TOLD * 2);
            let mut told: Vec<String> = paths.iter().take(TOLD * 2).map(|path| format!("`{}`", format::clip(path, 80))).collect();
            if more > 0 {
                told.push(format!("{more} more"));
            }
            (Level::Warning, format!("{done} replays, not deterministic: {}", told.join(", ")))
        })
    }
}

/// Goes on with the replay that is under way.
pub fn advance(engine: &mut Engine, model: &mut Model, now: f64) {
    let Some(trial) = &mut model.trial else { return };
    let Some(timeline) = model.timelines.iter().find(|timeline| timeline.id() == trial.source) else {
        model.trial = None;
        return;
    };
    let (source, step) = (trial.source, trial.step);
    match trial.phase {
        Phase::Over | Phase::Sent(_) => {}
        Phase::Due => {
            let newest = timeline.steps().len().checked_sub(1).and_then(|last| timeline.steps().id(last)).unwrap_or(StepId(0));
            trial.phase = Phase::Sent(newest);
            let request = Request::Replay { source, step, params: trial.params.clone(), restore: trial.restore };
            engine.replay(model, request, now);
        }
        Phase::Awaited(after, since) => {
            let steps = timeline.steps();
            let replays = timeline.of_kind(StepKind::Replay).iter().rev().filter_map(|position| steps.get(*position as usize));
            let found = replays.take_while(|replay| replay.id > after).filter(|replay| replay_of(replay) == Some(step)).last();
            if let Some(found) = found {
                trial.phase = Phase::Judged(found.id);
                trial.replay = Some(found.id);
                trial.evidence.want(Some((source, step, found.id)));
                trial.evidence.pull(engine);
            } else if now - since as f64 > PATIENCE.as_secs_f64() {
                let why = "Its step was not seen, so it cannot be compared with what was recorded";
                trial.refuse(why.to_owned());
                end(model, Some(why.to_owned()), now);
            }
        }
        Phase::Judged(replay) => {
            trial.evidence.pull(engine);
            if let Some((recorded, replayed)) = timeline.step(step).zip(timeline.step(replay)) {
                trial.evidence.judge(&recorded, &replayed, &model.compare.ignore);
            }
            let Some(verdict) = trial.evidence.verdict().cloned() else { return };
            let failed = verdict.as_ref().err().map(|failure| failure.message.clone());
            trial.verdicts.extend(verdict);
            trial.unsteady = unsteady(&trial.verdicts);
            if failed.is_none() && trial.verdicts.len() < trial.times {
                trial.phase = Phase::Due;
                advance(engine, model, now);
                return;
            }
            trial.stop();
            trial.failed = failed.map(|why| format!("It cannot be compared with what was recorded: {why}"));
            let words = trial.failed.clone();
            let words = words.or_else(|| trial.words().map(|(_, words)| words)).or_else(|| trial.verdicts.last().map(Verdict::words));
            end(model, words, now);
        }
    }
}

/// Says what came of it.
fn end(model: &mut Model, words: Option<String>, now: f64) {
    let Some(trial) = model.trial.as_ref().filter(|trial| !trial.quiet) else { return };
    let done = trial.last.clone().unwrap_or_default();
    let differs =
        trial.words().map_or_else(|| trial.verdicts.iter().any(|verdict| !verdict.is_same()), |(level, _)| level == Level::Warning);
    let plain = done.trouble.is_none() && done.not_restored.is_empty();
    match words {
        Some(words) if plain => toast(model, if differs { Level::Warning } else { Level::Info }, done.message, Some(words), now),
        words => {
            let trouble = [done.trouble.clone(), words].into_iter().flatten().collect::<Vec<_>>().join("\n");
            command_done(model, None, CommandDone { trouble: (!trouble.is_empty()).then_some(trouble), ..done }, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use inspector_model::{Frame, Segment, Status, Value};

    use super::*;

    fn change(key: &str, before: i64, after: i64) -> Change {
        let number = |number: i64| Value::Number(number.into());
        Change { path: Path(vec![Segment::Key(key.into())]), op: Op::Changed { before: number(before), after: number(after) }, note: None }
    }

    fn verdict(changes: Vec<Change>) -> Verdict {
        Verdict { changes, ..Verdict::default() }
    }

    #[test]
    fn what_is_changed_otherwise_in_one_of_the_replays_is_not_steady() {
        let always = change("edited", 1, 2);
        let token = |value| change("token", 0, value);
        let runs =
            [verdict(vec![always.clone(), token(1)]), verdict(vec![always.clone(), token(2)]), verdict(vec![always.clone(), token(1)])];
        assert_eq!(unsteady(&runs), ["token"]);
        assert_eq!(unsteady(&[verdict(vec![]), verdict(vec![change("rare", 1, 2)])]), ["rare"], "also what changes only sometimes");
        assert_eq!(
            unsteady(&[verdict(vec![always.clone()]), verdict(vec![always])]),
            [""; 0],
            "another one than recorded, but always the same"
        );
        assert_eq!(unsteady(&[]), [""; 0]);
    }

    #[test]
    fn a_verdict_tells_state_status_patches_and_queries() {
        let recorded = Step { sql: 3, ..Step::new(StepKind::Event, "add", 1.0) };
        let cause = Some(Cause::Replay { step: Some(StepId(1)), edited: false });
        let replayed = Step { cause, kind: StepKind::Replay, ..recorded.clone() };
        let patched = |count: usize| StepDetail {
            frames: vec![Frame {
                dir: "out".into(),
                text: format!(r#"{{"patches":[{}]}}"#, vec!["{}"; count].join(",")),
                ..Frame::default()
            }],
            ..StepDetail::default()
        };
        let judge = |replayed: &Step, patches: usize, changes: Vec<Change>, ignore: &Ignore| {
            let diff = Diff { changes, ..Diff::default() };
            Verdict::new((&recorded, &patched(2)), (replayed, &patched(patches)), diff, ignore).words()
        };
        let all = Ignore::default();
        assert_eq!(judge(&replayed, 2, vec![], &all), "Same as recorded");
        let raised = Step { status: Status::Raised, sql: 1, ..replayed.clone() };
        assert_eq!(
            judge(&raised, 0, vec![change("total", 21, 20)], &all),
            "Differs here: total 21 → 20; ended raised, not ok; patches 2 → 0; SQL queries 3 → 1"
        );
        let ignore = Ignore { paths: vec!["total".into()], ..Ignore::default() };
        assert_eq!(judge(&replayed, 2, vec![change("total", 21, 20)], &ignore), "Same as recorded (1 difference ignored)");
        let many: Vec<Change> = (0..9).map(|n| change(&format!("k{n}"), 0, 1)).collect();
        assert!(judge(&replayed, 2, many, &all).ends_with("k3 0 → 1; 5 more"));
        assert_eq!(replay_of(&replayed), Some(StepId(1)));
        assert_eq!(replay_of(&recorded), None);
    }
}
