//! What the Configuration and Rate limit views count in the steps of a source. Steps are only appended, so each is looked at once.

use std::collections::BTreeMap;

use inspector_model::{Block, Cause, Limits, SessionId, SourceId, Status, StepId, StepKind, Stream, Timeline};

/// Steps that are looked at per frame at most.
const STEPS_PER_FRAME: usize = 100_000;

/// How often, and where last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// How often.
    pub number: u64,
    /// The last one.
    pub last: Option<StepId>,
}

impl Count {
    fn add(&mut self, step: StepId) {
        self.number += 1;
        self.last = Some(step);
    }
}

/// Why an event was refused or dropped. djust's own record calls all of them `permission_denied`, but for the global limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Refusal {
    /// The handler's own `@rate_limit`.
    HandlerLimit,
    /// The user may not.
    Permission,
    /// `event_security` forbids a method that is no event handler.
    NotAHandler,
    /// There is no such method.
    NoHandler,
    /// No event may have that name.
    UnsafeName,
    /// An older agent does not say.
    Unknown,
}

impl Refusal {
    /// The refusal that the first word of a step's error names.
    fn of_error(error: Option<&str>) -> Self {
        match error.and_then(|error| error.split_once(": ")).map(|(kind, _)| kind) {
            Some("permission_denied") => Self::Permission,
            Some("not_a_handler") => Self::NotAHandler,
            Some("no_handler") => Self::NoHandler,
            Some("unsafe_name") => Self::UnsafeName,
            _ => Self::Unknown,
        }
    }

    /// In words.
    pub const fn label(self) -> &'static str {
        match self {
            Self::HandlerLimit => "The handler's own rate limit",
            Self::Permission => "The user may not call it",
            Self::NotAHandler => "No event handler, and event_security forbids it",
            Self::NoHandler => "No such method",
            Self::UnsafeName => "No event may have that name",
            Self::Unknown => "Refused, the reason was not recorded",
        }
    }

    /// The filter that shows these steps.
    pub const fn filter(self) -> &'static str {
        match self {
            Self::HandlerLimit => "status:limited text:\"handler's own rate limit\"",
            Self::Permission => "status:refused text:permission_denied",
            Self::NotAHandler => "status:refused text:not_a_handler",
            Self::NoHandler => "status:refused text:no_handler",
            Self::UnsafeName => "status:refused text:unsafe_name",
            Self::Unknown => "status:refused -text:permission_denied,not_a_handler,no_handler,unsafe_name",
        }
    }
}

/// A message that the limiter of a page counted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Message {
    /// When it came, Unix seconds.
    pub at: f64,
    /// Its step.
    pub step: StepId,
    /// djust's limiter refused it.
    pub refused: bool,
}

/// One page.
#[derive(Clone, Debug, Default)]
pub struct PageTally {
    /// Messages in order of their times.
    pub messages: Vec<Message>,
    /// The first step at which a limit closed it. djust still counts what had been sent before the browser knew.
    pub closed: Option<StepId>,
}

impl PageTally {
    /// Messages that djust refused: until it closed the page, and after that.
    pub fn refused(&self) -> (usize, usize) {
        let all = || self.messages.iter().filter(|message| message.refused);
        let late = all().filter(|message| self.closed.is_some_and(|closed| message.step > closed)).count();
        (all().count() - late, late)
    }
}

/// Ticks of a view.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Ticks {
    /// How many.
    pub number: u64,
    /// When the first and the last were.
    pub between: (f64, f64),
}

impl Ticks {
    /// Ticks a second, over the time in which there were some.
    pub fn per_second(&self) -> Option<f64> {
        let span = self.between.1 - self.between.0;
        (self.number > 1 && span > 0.0).then(|| (self.number - 1) as f64 / span)
    }
}

/// What was counted.
#[derive(Default)]
pub struct Tally {
    source: Option<SourceId>,
    upto: usize,
    /// By page.
    pub pages: BTreeMap<SessionId, PageTally>,
    /// Refused events by reason.
    pub refused: BTreeMap<Refusal, Count>,
    /// The largest frame from a browser, bytes.
    pub largest: Option<(u32, StepId)>,
    /// Messages above `max_message_size`.
    pub too_large: Count,
    /// By view.
    pub ticks: BTreeMap<Stream, Ticks>,
    /// HVR swaps that were done, and refused.
    pub swapped: (Count, Count),
    /// Pages that the login or a permission kept out.
    pub kept_out: Count,
    /// Messages of all pages.
    pub messages: usize,
    lowest: Option<((f64, f64), usize, Option<f64>)>,
}

impl Tally {
    /// Looks at the steps that are new. `true`: there are more than a frame has time for.
    pub fn refresh(&mut self, timeline: &Timeline) -> bool {
        if self.source != Some(timeline.id()) || self.upto > timeline.steps().len() {
            *self = Self { source: Some(timeline.id()), ..Self::default() };
        }
        let end = timeline.steps().len().min(self.upto + STEPS_PER_FRAME);
        while self.upto < end {
            let (block, from) = timeline.steps().block(self.upto);
            let upto = block.len().min(from + (end - self.upto));
            for at in from..upto {
                self.step(block, at);
            }
            self.upto += upto - from;
        }
        self.upto < timeline.steps().len()
    }

    fn step(&mut self, block: &Block, at: usize) {
        let (Some(step), Some(kind), Some(status)) = (block.ids().get(at), block.kinds().get(at), block.statuses().get(at)) else {
            return;
        };
        let (step, kind, status) = (*step, *kind, *status);
        let started = block.started().get(at).copied().unwrap_or_default();
        let received = block.received(at);
        if received > self.largest.map_or(0, |(bytes, _)| bytes) {
            self.largest = Some((received, step));
        }
        let too_large = block.error(at).is_some_and(|error| error.contains("Message too large"));
        if too_large {
            self.too_large.add(step);
        }
        match (kind, status) {
            (StepKind::Event, Status::Refused) => self.refused.entry(Refusal::of_error(block.error(at))).or_default().add(step),
            (StepKind::Event, Status::Limited) if limit(block, at) == Some("handler") => {
                self.refused.entry(Refusal::HandlerLimit).or_default().add(step);
            }
            (StepKind::Mount, Status::Refused) => self.kept_out.add(step),
            (StepKind::Hvr, _) => match block.cause(at) {
                Some(Cause::Reloaded { result, .. }) if result == "swapped" => self.swapped.0.add(step),
                Some(Cause::Reloaded { result, .. }) if result == "refused" => self.swapped.1.add(step),
                _ => {}
            },
            _ => {}
        }
        let Some((Some(session), view)) = block.stream(at) else { return };
        if kind == StepKind::Tick {
            let ticks = self.ticks.entry((session.clone(), view.clone())).or_insert(Ticks { number: 0, between: (started, started) });
            ticks.number += 1;
            ticks.between.1 = started;
        }
        let closed = matches!(block.cause(at), Some(Cause::Limit { code: Some(4429), .. }));
        let counted = !too_large && is_counted(block, at, kind, view.is_some(), received);
        if !counted && !closed {
            return;
        }
        let page = self.pages.entry(session.clone()).or_default();
        if closed {
            page.closed.get_or_insert(step);
        }
        if counted {
            let refused = status == Status::Limited && limit(block, at) == Some("global");
            let message = Message { at: started, step, refused };
            // A step is told of when it is over, so a slow one comes after those that began later.
            let place = page.messages.iter().rposition(|other| other.at <= started).map_or(0, |place| place + 1);
            page.messages.insert(place, message);
            self.messages += 1;
        }
    }

    /// The fewest tokens that a page had under these limits.
    pub fn lowest(&mut self, limits: Limits) -> Option<f64> {
        let key = (limits.rate, limits.burst);
        if let Some((known, messages, lowest)) = &self.lowest
            && (*known, *messages) == (key, self.messages)
        {
            return *lowest;
        }
        let played = self.pages.values().filter(|page| !page.messages.is_empty());
        let lowest = played.map(|page| limits.play(page.messages.iter().map(|message| message.at), |_, _, _| {}).lowest);
        let lowest = lowest.min_by(f64::total_cmp);
        self.lowest = Some((key, self.messages, lowest));
        lowest
    }
}

fn limit(block: &Block, at: usize) -> Option<&str> {
    match block.cause(at) {
        Some(Cause::Limit { limit, .. }) => limit.as_deref(),
        _ => None,
    }
}

/// Messages that are binary frames of an upload.
const UPLOAD_FRAMES: [&str; 3] = ["upload_chunk", "upload_complete", "upload_cancel"];

/// Whether the page's limiter took a token for a step: a message of the browser began it. Uploads have a bucket of their own,
/// connections none, and what an inspector did is not counted.
fn is_counted(block: &Block, at: usize, kind: StepKind, of_child: bool, received: u32) -> bool {
    if block.is_history(at) || matches!(block.cause(at), Some(Cause::Dispatched)) {
        return false;
    }
    match kind {
        StepKind::Event | StepKind::UrlChange => true,
        StepKind::Mount => !of_child,
        StepKind::Message => received > 0 && !is_upload_frame(block, at),
        StepKind::RateLimited => limit(block, at) == Some("global"),
        // The browser's own jumps and replays; an inspector's come without a frame.
        StepKind::Jump | StepKind::Replay | StepKind::Error => received > 0,
        _ => false,
    }
}

fn is_upload_frame(block: &Block, at: usize) -> bool {
    let (names, name_of) = block.names();
    name_of.get(at).and_then(|name| names.get(usize::from(*name))).is_some_and(|name| UPLOAD_FRAMES.contains(&&*name.name))
}

#[cfg(test)]
mod tests {
    use inspector_model::{Notice, Source, Step, Steps, ViewId};

    use super::*;

    const SOURCE: SourceId = SourceId(1);

    fn timeline(steps: Vec<Step>) -> Timeline {
        let mut timeline = Timeline::new(Source::recording(SOURCE, "sample"));
        let steps: Steps = steps.into_iter().zip(1..).map(|(step, id)| Step { id: StepId(id), ..step }).collect();
        timeline.apply(&Notice::Steps(SOURCE, steps.since(0, usize::MAX)));
        timeline
    }

    fn step(kind: StepKind, at: f64) -> Step {
        Step { session: Some("a".into()), ..Step::new(kind, "add", at) }
    }

    fn limited(kind: StepKind, at: f64, which: &str, code: Option<u16>) -> Step {
        let cause =
            Cause::Limit { code, reason: String::new(), limit: Some(which.into()), caller: None, warnings: None, max_warnings: None };
        Step { status: Status::Limited, cause: Some(cause), ..step(kind, at) }
    }

    #[test]
    fn messages_are_what_a_browser_sent_and_the_limiter_counted() {
        let child = Step { view: Some(ViewId::from("player")), ..step(StepKind::Mount, 1.0) };
        let steps = vec![
            step(StepKind::Mount, 1.0),
            child,
            step(StepKind::Event, 3.0),
            // Began before the event, and ended after it.
            step(StepKind::UrlChange, 2.0),
            step(StepKind::Tick, 4.0),
            Step { cause: Some(Cause::Dispatched), ..step(StepKind::Event, 5.0) },
            Step { history: true, ..step(StepKind::Event, 0.5) },
            step(StepKind::Replay, 6.0),
            Step { received: 90, ..step(StepKind::Jump, 6.5) },
            limited(StepKind::RateLimited, 7.0, "global", None),
            limited(StepKind::RateLimited, 7.1, "upload", None),
            Step { received: 70_000, error: Some("error: Message too large (70000 bytes)".into()), ..step(StepKind::Event, 7.2) },
            limited(StepKind::Event, 8.0, "handler", None),
            limited(StepKind::RateLimited, 8.5, "global", Some(4429)),
            limited(StepKind::RateLimited, 8.6, "global", Some(4429)),
            limited(StepKind::Close, 9.0, "global", Some(4429)),
            Step { received: 60, name: "cursor_move".into(), ..step(StepKind::Message, 6.6) },
            Step { received: 9000, name: "upload_chunk".into(), ..step(StepKind::Message, 6.7) },
        ];
        let mut tally = Tally::default();
        assert!(!tally.refresh(&timeline(steps)));
        let page = &tally.pages[&SessionId::from("a")];
        let told: Vec<(f64, u64, bool)> = page.messages.iter().map(|message| (message.at, message.step.0, message.refused)).collect();
        let passed = [(1.0, 1, false), (2.0, 4, false), (3.0, 3, false), (6.5, 9, false), (6.6, 17, false)];
        assert_eq!(told, [passed.as_slice(), &[(7.0, 10, true), (8.0, 13, false), (8.5, 14, true), (8.6, 15, true)]].concat());
        assert_eq!((page.closed, page.refused()), (Some(StepId(14)), (2, 1)));
        assert_eq!(tally.largest, Some((70_000, StepId(12))));
        assert_eq!(tally.too_large, Count { number: 1, last: Some(StepId(12)) });
        assert_eq!(tally.refused[&Refusal::HandlerLimit].number, 1);
    }

    #[test]
    fn refusals_are_told_apart_by_the_error() {
        use Refusal::{NoHandler, NotAHandler, Permission, Unknown, UnsafeName};
        let refused = |error: &str| Step { status: Status::Refused, error: Some(error.into()), ..step(StepKind::Event, 1.0) };
        let steps =
            ["permission_denied: Permission denied", "not_a_handler: x", "no_handler: x", "unsafe_name: x", "error: x", "no_handler: y"];
        let mut tally = Tally::default();
        tally.refresh(&timeline(steps.map(refused).to_vec()));
        let numbers: Vec<(Refusal, u64)> = tally.refused.iter().map(|(refusal, count)| (*refusal, count.number)).collect();
        assert_eq!(numbers, [(Permission, 1), (NotAHandler, 1), (NoHandler, 2), (UnsafeName, 1), (Unknown, 1)]);
        for refusal in tally.refused.keys() {
            assert!(crate::filter::Filter::parse(refusal.filter()).is_ok(), "{refusal:?}");
        }
    }

    #[test]
    fn steps_are_counted_once_and_another_source_begins_anew() {
        let mut timeline = timeline((0..10).map(|n| step(StepKind::Tick, f64::from(n) * 0.5)).collect());
        let mut tally = Tally::default();
        tally.refresh(&timeline);
        tally.refresh(&timeline);
        let stream = ("a".into(), None);
        assert_eq!(tally.ticks[&stream].per_second(), Some(2.0));
        timeline.apply(&Notice::steps(SOURCE, [Step { id: StepId(11), ..step(StepKind::Tick, 5.0) }]));
        tally.refresh(&timeline);
        assert_eq!(tally.ticks[&stream], Ticks { number: 11, between: (0.0, 5.0) });
        let other = Timeline::new(Source { id: SourceId(2), ..timeline.source().clone() });
        tally.refresh(&other);
        assert!(tally.ticks.is_empty());
    }

    #[test]
    fn the_lowest_level_is_that_of_the_page_that_sent_most_at_once() {
        let mut steps: Vec<Step> = (0..3).map(|_| step(StepKind::Event, 1.0)).collect();
        steps.push(Step { session: Some("b".into()), ..step(StepKind::Event, 1.0) });
        let mut tally = Tally::default();
        tally.refresh(&timeline(steps));
        assert_eq!(tally.lowest(Limits::DEFAULT), Some(17.0));
        assert_eq!(tally.lowest(Limits { burst: 2.0, ..Limits::DEFAULT }), Some(0.0));
    }
}
