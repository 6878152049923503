//! Steps to record, and what must be read back.
#![allow(dead_code, reason = "each test file uses its own part")]
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::collections::HashMap;
use std::sync::Arc;

use inspector_model::{ChangeCounts, LogRecord, Side, StateAnswer, Step, StepDetail, StepId, StepKind};
use inspector_store::{NewState, NewStep, Reader, Recorder};

pub fn step(session: Option<&str>, view: Option<&str>, number: usize) -> Step {
    Step {
        key: format!("k{number}"),
        session: session.map(Into::into),
        view: view.map(Into::into),
        duration_ms: Some(1.5),
        changes: ChangeCounts { changed: 1, ..ChangeCounts::default() },
        changed: vec!["count".into()],
        ..Step::new(StepKind::Event, "add", 1_700_000_000.0 + number as f64)
    }
}

/// Page and view.
type Stream = (Option<String>, Option<String>);

/// What one recorded step must give.
#[derive(Clone, Debug, PartialEq)]
pub struct Expected {
    pub step: Step,
    pub detail: StepDetail,
    /// `Err` for any reason.
    pub before: Result<Arc<str>, ()>,
    pub after: Result<Arc<str>, ()>,
    pub html_before: Option<Arc<str>>,
    pub html_after: Option<Arc<str>>,
}

/// Records what it is told, and remembers it in the plainest way.
#[derive(Default)]
pub struct Model {
    pub steps: Vec<Expected>,
    states: HashMap<Stream, Result<Arc<str>, ()>>,
    pages: HashMap<Option<String>, Arc<str>>,
}

impl Model {
    pub fn append(
        &mut self,
        recorder: &mut Recorder,
        session: Option<&str>,
        view: Option<&str>,
        before: NewState,
        after: NewState,
        html: Option<Arc<str>>,
    ) {
        let number = self.steps.len() + 1;
        let mut step = step(session, view, number);
        let detail = if number.is_multiple_of(3) {
            StepDetail::default()
        } else {
            StepDetail {
                params: Some(format!("{{\"n\":{number}}}")),
                logs: vec![LogRecord { message: "é\u{1F600}".into(), ..LogRecord::default() }],
                ..StepDetail::default()
            }
        };
        step.state_bytes = u64::from(!matches!((&before, &after), (NewState::None, NewState::None)));
        let id = recorder
            .append(NewStep {
                step: step.clone(),
                detail: detail.clone(),
                before: before.clone(),
                after: after.clone(),
                html: html.clone(),
            })
            .unwrap();
        assert_eq!(id, StepId(number as u64));
        step.id = id;

        let stream = (session.map(str::to_owned), view.map(str::to_owned));
        let mut state = |new: NewState| match new {
            NewState::None => Err(()),
            NewState::Same => self.states.get(&stream).cloned().unwrap_or(Err(())),
            NewState::Text(_) | NewState::Document(_) | NewState::Compared(_) => {
                let text = match new {
                    NewState::Document(document) => document.text().clone(),
                    NewState::Compared(delta) => delta.after().text().clone(),
                    NewState::Text(text) => text,
                    _ => unreachable!(),
                };
                self.states.insert(stream.clone(), Ok(text.clone()));
                Ok(text)
            }
            NewState::Missing(_) => {
                self.states.insert(stream.clone(), Err(()));
                Err(())
            }
        };
        let (before, after) = (state(before), state(after));
        let html_before = self.pages.get(&stream.0).cloned();
        if let Some(html) = html {
            self.pages.insert(stream.0.clone(), html);
        }
        let html_after = self.pages.get(&stream.0).cloned();
        self.steps.push(Expected { step, detail, before, after, html_before, html_after });
    }

    /// Compares a step with what the reader says.
    pub fn check(&self, reader: &Reader, index: usize) {
        let expected = &self.steps[index];
        let id = expected.step.id;
        let state = |side| match reader.state(id, side).unwrap() {
            StateAnswer::Full(text) => Ok(text),
            StateAnswer::Missing(why) => {
                assert!(!why.is_empty());
                Err(())
            }
        };
        assert_eq!(state(Side::Before), expected.before, "before step {id}");
        assert_eq!(state(Side::After), expected.after, "after step {id}");
        assert_eq!(reader.html(id, Side::Before).unwrap(), expected.html_before, "page before step {id}");
        assert_eq!(reader.html(id, Side::After).unwrap(), expected.html_after, "page after step {id}");
        assert_eq!(reader.detail(id).unwrap(), expected.detail);
    }

    /// Compares the first `count` steps, and that there are no more.
    pub fn check_all(&self, reader: &Reader, count: usize) {
        let steps: Vec<Step> = self.steps[..count].iter().map(|expected| expected.step.clone()).collect();
        assert_eq!(reader.steps().unwrap(), steps);
        assert_eq!(reader.info().steps, count as u64);
        for index in 0..count {
            self.check(reader, index);
        }
        for id in [StepId(0), StepId(count as u64 + 1), StepId(u64::MAX)] {
            assert!(reader.detail(id).is_err());
        }
    }
}

/// A to-do list as djust has it: `rows` rows, some 50 KB for 130.
pub struct Todo {
    rows: Vec<(u64, String, bool, u64)>,
    random: u64,
    next: u64,
}

impl Todo {
    pub fn new(rows: u64) -> Self {
        let mut todo = Self { rows: Vec::new(), random: 7, next: 0 };
        for _ in 0..rows {
            todo.insert(0);
        }
        todo
    }

    pub fn random(&mut self, below: usize) -> usize {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) as usize % below
    }

    fn insert(&mut self, at: usize) {
        const WORDS: [&str; 8] = ["buy", "tea", "call", "the", "bank", "about", "garden", "letter"];
        self.next += 1;
        let title = (0..30).map(|_| WORDS[self.random(WORDS.len())]).collect::<Vec<_>>().join(" ");
        self.rows.insert(at, (self.next, title, false, 0));
    }

    /// One event: mostly a toggle, sometimes another row, a row less, or a moved one.
    pub fn turn(&mut self) {
        let at = self.random(self.rows.len());
        match self.random(10) {
            0 => self.insert(at),
            1 if self.rows.len() > 100 => drop(self.rows.remove(at)),
            2 => {
                let row = self.rows.remove(at);
                let to = self.random(self.rows.len() + 1);
                self.rows.insert(to, row);
            }
            _ => {
                self.rows[at].2 ^= true;
                self.rows[at].3 = 1_700_000_000 + self.random % 100_000;
            }
        }
    }

    pub fn json(&self) -> Arc<str> {
        let rows: Vec<String> = self
            .rows
            .iter()
            .map(|(id, title, done, at)| {
                format!(r#"{{"id": {id}, "title": "{title}", "done": {done}, "changed": {at}, "owner": {{"$t": "model", "model": "auth.User", "pk": 3, "v": {{"name": "ada", "active": true}}}}, "tags": ["home", "later"]}}"#)
            })
            .collect();
        format!(r#"{{"rows": [{}], "left": {}, "filter": "all"}}"#, rows.join(", "), self.rows.iter().filter(|row| !row.2).count()).into()
    }
}

/// Numbers that look random and are the same for the same seed (splitmix64).
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }

    /// The seed of this run: that of the environment, or a new one.
    pub fn seed() -> u64 {
        let asked = std::env::var("INSPECTOR_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
        asked.unwrap_or_else(|| uuid::Uuid::new_v4().as_u64_pair().0 >> 16)
    }
}

/// How many rounds: as many as the environment says.
pub fn rounds(name: &str, usual: u64) -> u64 {
    std::env::var(name).ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(usual)
}
