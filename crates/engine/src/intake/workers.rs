//! Several processes behind one attachment: how far each one's frames were taken in, whose pages are whose, and what ends with one.

use std::collections::BTreeMap;

use inspector_model::{Close, Configuration, Phase, Session, SessionId, Step, StepDetail, StepKind, Workers};
use inspector_protocol::{Resume, Welcome, WorkerSeen};
use inspector_store::{NewState, NewStep};

use super::Intake;
use crate::outbox::Topic;

/// Workers that are remembered: more than a server has, and than an agent tells of.
const MOST: usize = 256;

/// The workers that are known.
#[derive(Default)]
pub(super) struct Known {
    /// The agent that holds the connection.
    main: Option<String>,
    /// The last number taken in, by agent.
    points: BTreeMap<String, u64>,
    /// The configuration as each one tells it.
    configs: BTreeMap<String, Configuration>,
    /// How many are seen.
    seen: u32,
    /// The connection came to one that was not known before: after a restart all others have gone.
    new_main: bool,
}

impl Known {
    /// Where to go on with each one after a lost connection.
    pub(super) fn resume_points(&self) -> Vec<Resume> {
        self.points.iter().map(|(agent, seq)| Resume { agent: agent.clone(), seq: *seq }).collect()
    }

    /// Whether a frame is from the worker that holds the connection.
    pub(super) fn is_main(&self, worker: Option<&str>) -> bool {
        worker.is_none() || worker == self.main.as_deref()
    }

    /// Notes a frame's number; false when it was taken in before, as after a reconnect.
    pub(super) fn is_news(&mut self, worker: Option<&str>, seq: u64) -> bool {
        let Some(agent) = worker.or(self.main.as_deref()) else { return true };
        match self.points.get_mut(agent) {
            Some(point) if seq <= *point && *point > 0 => false,
            Some(point) => {
                *point = seq;
                true
            }
            None => {
                // Of one more the frames are taken, but where to go on with it is not remembered.
                if self.points.len() < MOST {
                    self.points.insert(agent.to_owned(), seq);
                }
                true
            }
        }
    }

    /// Takes a greeting in: how many frames cannot be had again, if the stream was known and does not go on.
    fn greeted(&mut self, agent: &str, resumed: bool, seq: u64) -> Option<u64> {
        if resumed && self.points.contains_key(agent) {
            return None;
        }
        let before = self.points.insert(agent.to_owned(), seq)?;
        seq.checked_sub(before).filter(|missing| *missing > 0)
    }
}

impl Intake {
    /// The agent has greeted.
    pub fn welcome(&mut self, welcome: &Welcome, now: f64) {
        self.source.info.lock().access.clone_from(&welcome.access);
        if self.greeted_in_pause() {
            return;
        }
        // What happened there and was not seen is placed by the clock of the server, as all else.
        let now = now + self.ahead;
        let skipped = self.no_more_skipped();
        let agent = welcome.agent.as_str();
        let others = self.workers.points.keys().any(|known| known != agent);
        // Where workers reach each other, it is told soon which of those that were known are still there.
        if others && !self.workers.points.contains_key(agent) && !welcome.server.workers.shared {
            let several = welcome.server.workers.all.is_some_and(|all| all > 1);
            let (why, close) = if several {
                (
                    "the connection came to another worker of the server, and only its pages are seen",
                    "Another worker of the server is seen now",
                )
            } else {
                ("the server was restarted", "The server was restarted")
            };
            self.close_where(close, now, |_| true);
            self.workers.points.clear();
            self.workers.configs.clear();
            self.gap(skipped, why, None, now);
        }
        self.workers.new_main = others && !self.workers.points.contains_key(agent);
        if let Some(missing) = self.workers.greeted(agent, welcome.resumed, welcome.seq) {
            self.missing(missing, welcome.unrecorded, skipped.is_some(), "", now);
        }
        self.workers.main = Some(welcome.agent.clone());
        // Where they reach each other, how many they are is told soon.
        self.workers.seen = u32::from(!welcome.server.workers.shared);
        self.server(&welcome.server);
    }

    /// Another worker greets.
    pub(super) fn worker(&mut self, seen: &WorkerSeen, now: f64) {
        if let Some(missing) = self.workers.greeted(&seen.agent, seen.resumed, seen.from) {
            self.missing(missing, seen.unrecorded, false, " of a worker", now);
        }
    }

    /// Tells of numbers that were given and whose frames cannot be had. `unrecorded`: for so many seconds there were none. `was_full`: they
    /// had come, and could not be written.
    fn missing(&mut self, frames: u64, unrecorded: Option<f64>, was_full: bool, whose: &str, now: f64) {
        let (lost, why) = match unrecorded {
            None if was_full => (
                Some(frames),
                format!("the disk was full: {frames} frames{whose} were not recorded, and the server does not have them any more"),
            ),
            None => (Some(frames), format!("{frames} frames{whose} could not be had again after the connection was lost")),
            // The first number after such a time is that of no frame.
            Some(secs) => (
                Some(frames.saturating_sub(1)).filter(|frames| *frames > 0),
                format!("nothing{whose} was recorded for {secs:.0} s: the connection was lost for longer than the server waits"),
            ),
        };
        self.gap(lost, &why, None, now);
    }

    /// Those are all that are seen: whoever was known and is not among them has ended, and its pages with it.
    pub(super) fn workers(&mut self, agents: &[String], now: f64) {
        let before = self.workers.points.len();
        self.workers.points.retain(|agent, _| agents.contains(agent));
        self.workers.configs.retain(|agent, _| agents.contains(agent));
        let ended = before - self.workers.points.len();
        if ended > 0 {
            let restarted = self.workers.new_main && self.workers.points.keys().all(|agent| self.workers.is_main(Some(agent)));
            let (why, close) = match (restarted, ended) {
                (true, _) => ("the server was restarted".to_owned(), "The server was restarted"),
                (false, 1) => ("a worker of the server ended or cannot be reached".to_owned(), "Its worker ended or cannot be reached"),
                (false, _) => {
                    (format!("{ended} workers of the server ended or cannot be reached"), "Its worker ended or cannot be reached")
                }
            };
            let of = self.source.workers.lock().clone();
            self.close_where(close, now, |session| !of.get(session).is_some_and(|agent| agents.contains(agent)));
            self.gap(None, &why, None, now);
        }
        self.workers.new_main = false;
        self.workers.seen = u32::try_from(agents.len()).unwrap_or(u32::MAX);
        let server = self.source.info.lock().server.clone();
        if let Some(server) = server {
            self.server(&server);
        }
    }

    /// What is said of the workers, with how many are seen.
    pub(super) fn counted(&self, told: &Workers) -> Workers {
        Workers { seen: self.workers.seen, ..told.clone() }
    }

    /// Notes whose page it is.
    pub(super) fn page_of(&self, session: &SessionId, worker: Option<&str>) {
        if let Some(agent) = worker.or(self.workers.main.as_deref()) {
            self.source.workers.lock().insert(session.clone(), agent.to_owned());
        }
    }

    /// A worker's configuration. All have the same but for the pages that differ, which are named by each worker for its own.
    pub(super) fn config(&mut self, config: Configuration, worker: Option<&str>) {
        let main = self.workers.main.clone().unwrap_or_default();
        let of = worker.unwrap_or(&main);
        if self.workers.configs.len() >= MOST && !self.workers.configs.contains_key(of) {
            return;
        }
        self.workers.configs.insert(of.to_owned(), config);
        let Some(mut all) = self.workers.configs.get(&main).cloned() else { return };
        let others = self.workers.configs.iter().filter(|(agent, _)| **agent != main);
        for view in others.flat_map(|(_, config)| &config.views) {
            let Some(known) = all.views.iter_mut().find(|known| known.class == view.class) else {
                all.views.push(view.clone());
                continue;
            };
            for (name, attribute) in &view.attributes {
                if let Some(known) = known.attributes.get_mut(name) {
                    known.instances.extend(attribute.instances.iter().cloned());
                }
            }
        }
        self.recorder.put_config(&all);
        *self.source.config.lock() = Some(all);
        self.dirty = true;
        self.outbox.changed(self.source.id, &Topic::Config);
    }

    fn close_where(&mut self, reason: &str, now: f64, ended: impl Fn(&SessionId) -> bool) {
        let open = |session: &&Session| session.is_open() && ended(&session.id);
        let open: Vec<Session> = self.source.sessions.read().values().filter(open).cloned().collect();
        for mut session in open {
            session.phase = Phase::Closed;
            session.close = Some(Close { code: None, reason: Some(reason.to_owned()) });
            let step = Step { session: Some(session.id.clone()), ..Step::new(StepKind::Close, reason, now) };
            self.append(NewStep { step, detail: StepDetail::default(), before: NewState::None, after: NewState::None, html: None });
            // With its streams: none of them goes on.
            self.session(session);
        }
    }
}
