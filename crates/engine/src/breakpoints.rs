//! Conditions that watch every state as it is recorded.

use inspector_model::{Breakpoint, Condition, ErrorCode, Facts, Failure, Path};
use inspector_store::NewState;
use inspector_tape::Document;

/// Conditions that can watch at once: each is asked for each state.
const MOST: usize = 32;

/// Those that are on, understood.
#[derive(Debug, Default)]
pub struct Breakpoints {
    all: Vec<Breakpoint>,
    watching: Vec<Condition>,
}

impl Breakpoints {
    /// Takes them as they are set. Refuses all of them when one is not understood.
    pub fn new(all: Vec<Breakpoint>) -> Result<Self, Failure> {
        if all.len() > MOST {
            return Err(Failure::new(ErrorCode::BadRequest, format!("at most {MOST} breakpoints can be set")));
        }
        let understood: Vec<(bool, Condition)> = all
            .iter()
            .map(|breakpoint| Condition::parse(&breakpoint.condition).map(|condition| (breakpoint.on, condition)))
            .collect::<Result<_, _>>()
            .map_err(|why| Failure::new(ErrorCode::BadRequest, why))?;
        Ok(Self { all, watching: understood.into_iter().filter_map(|(on, condition)| on.then_some(condition)).collect() })
    }

    /// As they are set.
    pub fn all(&self) -> &[Breakpoint] {
        &self.all
    }

    /// The conditions that a step made hold.
    pub fn hit(&self, after: &NewState) -> Vec<String> {
        if self.watching.is_empty() {
            return Vec::new();
        }
        let (before, after) = match after {
            NewState::Compared(delta) => (Some(delta.before()), delta.after()),
            NewState::Document(document) => (None, document),
            NewState::None | NewState::Same | NewState::Text(_) | NewState::Missing(_) => return Vec::new(),
        };
        let before = before.map(|before| State(before));
        let before = before.as_ref().map(|before| before as &dyn Facts);
        let after = State(after);
        self.watching.iter().filter(|condition| condition.hit(before, &after)).map(ToString::to_string).collect()
    }
}

struct State<'a>(&'a Document);

impl Facts for State<'_> {
    fn value(&self, path: &Path) -> Option<&str> {
        self.0.at(path).map(|part| part.json)
    }

    fn len(&self, path: &Path) -> Option<usize> {
        self.0.at(path)?.len
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;

    fn state(before: &str, after: &str) -> NewState {
        let document = |text: &str| Arc::new(Document::new(text.into()).unwrap());
        NewState::Compared(Arc::new(inspector_tape::compare(&document(before), &document(after), Duration::from_secs(9))))
    }

    fn set(conditions: &[(&str, bool)]) -> Breakpoints {
        let all = conditions.iter().map(|(condition, on)| Breakpoint { condition: (*condition).to_owned(), on: *on }).collect();
        Breakpoints::new(all).unwrap()
    }

    #[test]
    fn those_that_are_on_are_hit_when_they_begin_to_hold() {
        let breakpoints = set(&[("total < 0", true), ("total < 5", false), ("len(items) >= 2", true), ("changed(user.name)", true)]);
        let typed = r#"{"total":{"$t":"decimal","v":"-1.50"},"items":{"$t":"queryset","v":[{"id":1},{"id":2}]},"user":{"name":"b"}}"#;
        let before = r#"{"total":{"$t":"decimal","v":"3"},"items":[],"user":{"name":"a"}}"#;
        assert_eq!(breakpoints.hit(&state(before, typed)), ["total < 0", "len(items) >= 2", "changed(user.name)"]);
        assert!(breakpoints.hit(&state(typed, typed)).is_empty(), "they held before");
        assert!(breakpoints.hit(&NewState::Same).is_empty());
    }

    #[test]
    fn one_that_is_not_understood_changes_none() {
        let wrong = vec![Breakpoint { condition: "total <".into(), on: true }];
        assert!(Breakpoints::new(wrong).unwrap_err().message.contains("value to compare"));
        let many = vec![Breakpoint { condition: "a < 1".into(), on: true }; MOST + 1];
        assert!(Breakpoints::new(many).unwrap_err().message.contains("at most"));
    }
}
