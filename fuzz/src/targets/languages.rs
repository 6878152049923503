//! A filter, and on the next lines a condition and two states that it is asked of.

use std::collections::BTreeMap;

use inspector_model::{Condition, Facts, Path, Scope, SessionId, Step, StepId, StepKind, Steps};
use inspector_tape::Document;
use inspector_ui::Filter;

struct State(Document);

impl Facts for State {
    fn value(&self, path: &Path) -> Option<&str> {
        self.0.at(path).map(|part| part.json)
    }

    fn len(&self, path: &Path) -> Option<usize> {
        self.0.at(path)?.len
    }
}

pub fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut lines = text.lines();
    let (filter, condition) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    match Filter::parse(filter) {
        Ok(filter) => select(&filter, &text),
        Err(why) => assert!(!why.is_empty()),
    }
    match Condition::parse(condition) {
        Ok(condition) => {
            assert_eq!(Condition::parse(&condition.to_string()).as_ref(), Ok(&condition), "it is read as it is written");
            let state = |line: Option<&str>| Document::new(line.unwrap_or("{}").into()).ok().map(State);
            let (before, after) = (state(lines.next()), state(lines.next()));
            if let Some(after) = &after {
                let before = before.as_ref().map(|before| before as &dyn Facts);
                let _ = (condition.holds(before, after), condition.hit(before, after), condition.hit(None, after));
            }
        }
        Err(why) => assert!(!why.is_empty()),
    }
}

/// Goes through some steps. A filter shows each at most once, and in order.
fn select(filter: &Filter, text: &str) {
    let mut steps = Steps::default();
    for (id, kind) in (1..).zip([StepKind::Mount, StepKind::Event, StepKind::Tick, StepKind::Outside, StepKind::Gap]) {
        let name = text.get(..text.floor_char_boundary(40)).unwrap_or_default();
        let started = f64::from(id as u32) * 1e8;
        let session = Some(SessionId::from(if id % 2 == 0 { "a" } else { "b" }));
        let (id, duration_ms) = (StepId(id), Some(2.0));
        steps.push(&Step {
            id,
            session,
            duration_ms,
            changed: vec!["a.b".into()],
            error: Some(name.into()),
            ..Step::new(kind, name, started)
        });
    }
    for block in steps.blocks() {
        let mut shown = Vec::new();
        filter.select(block, 0, &Scope::Everywhere, &BTreeMap::new(), |at| shown.push(at));
        assert!(shown.is_sorted_by(|one, other| one < other) && shown.iter().all(|at| *at < block.len()), "{shown:?}");
    }
    let _ = filter.uses_session();
}
