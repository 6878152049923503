//! What a replay was sent with, compared with what was recorded: the words on a branch's edge. Asked for when it is seen.

use std::collections::HashMap;

use inspector_model::{Answer, Request, RequestId, SourceId, StepDetail, StepId, Value, parse_value};

use super::super::engine::{Engine, detail_of};

/// A replay and the step whose event it sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Edge {
    /// Where.
    pub source: SourceId,
    /// The recorded step.
    pub recorded: StepId,
    /// The replay.
    pub replay: StepId,
}

/// Edges that were seen. One question is on its way at most; what was seen last is asked first.
#[derive(Default)]
pub struct Edges {
    known: HashMap<Edge, Result<Vec<String>, String>>,
    wanted: Vec<Edge>,
    asked: Option<(RequestId, Edge)>,
    /// The detail of the recorded step, until the replay's is there.
    recorded: Option<(Edge, StepDetail)>,
}

impl Edges {
    /// What differs, in words such as `qty 1 → 3`, or why that is not known. `None` while it is not there.
    pub fn get(&self, edge: Edge) -> Option<&Result<Vec<String>, String>> {
        self.known.get(&edge)
    }

    /// Whether it was never asked for.
    pub fn is_new(&self, edge: Edge) -> bool {
        let flies = self.asked.is_some_and(|(_, asked)| asked == edge);
        !flies
            && !self.known.contains_key(&edge)
            && !self.wanted.contains(&edge)
            && self.recorded.as_ref().is_none_or(|(of, _)| *of != edge)
    }

    /// Wants an edge.
    pub fn want(&mut self, edge: Edge) {
        if self.is_new(edge) {
            self.wanted.push(edge);
        }
    }

    /// Asks for what is due.
    pub fn pull(&mut self, engine: &mut Engine) {
        if self.asked.is_some() {
            return;
        }
        let next = self.recorded.as_ref().map(|(edge, _)| (*edge, edge.replay));
        let Some((edge, step)) = next.or_else(|| self.wanted.pop().map(|edge| (edge, edge.recorded))) else { return };
        match engine.send(Request::Detail { source: edge.source, step }) {
            Some(id) => self.asked = Some((id, edge)),
            None => self.know(edge, Err("The engine is busy".to_owned())),
        }
    }

    /// Whether `id` is the question that is on its way.
    pub fn awaits(&self, id: RequestId) -> bool {
        self.asked.is_some_and(|(asked, _)| asked == id)
    }

    /// Takes its answer in.
    pub fn answered(&mut self, answer: Answer) {
        let Some((_, edge)) = self.asked.take() else { return };
        match (detail_of(answer), self.recorded.take()) {
            (Err(failure), _) => self.know(edge, Err(failure.message)),
            (Ok(replay), Some((_, recorded))) => {
                let changes = changed_params(recorded.params.as_deref(), replay.params.as_deref());
                self.know(edge, changes);
            }
            (Ok(recorded), None) => self.recorded = Some((edge, recorded)),
        }
    }

    fn know(&mut self, edge: Edge, changes: Result<Vec<String>, String>) {
        self.recorded = None;
        self.known.insert(edge, changes);
    }
}

/// What differs between two sets of parameters.
fn changed_params(recorded: Option<&str>, replay: Option<&str>) -> Result<Vec<String>, String> {
    let read = |text: Option<&str>| match text.map(parse_value) {
        Some(Ok(Value::Map(entries))) => Ok(entries),
        Some(Ok(_) | Err(_)) => Err("The parameters cannot be read".to_owned()),
        None => Err("The parameters were not recorded".to_owned()),
    };
    let (old, new) = (read(recorded)?, read(replay)?);
    let find = |entries: &[(String, Value)], name: &str| entries.iter().find(|(other, _)| other == name).map(|(_, value)| value.clone());
    let short = |value: &Value| value.summary(24);
    let mut changes = Vec::new();
    for (name, value) in &new {
        match find(&old, name) {
            None => changes.push(format!("+{name} {}", short(value))),
            Some(was) if was != *value => changes.push(format!("{name} {} → {}", short(&was), short(value))),
            Some(_) => {}
        }
    }
    changes.extend(old.iter().filter(|(name, _)| find(&new, name).is_none()).map(|(name, _)| format!("−{name}")));
    Ok(changes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_said_shortly() {
        let changes = changed_params(Some(r#"{"id": 9, "qty": 1, "gift": true}"#), Some(r#"{"id": 9, "qty": 3, "note": "soon"}"#));
        assert_eq!(changes.unwrap(), ["qty 1 → 3", "+note \"soon\"", "−gift"]);
        assert_eq!(changed_params(Some("{}"), Some("{}")).unwrap(), Vec::<String>::new());
        assert!(changed_params(None, Some("{}")).unwrap_err().contains("not recorded"));
        assert!(changed_params(Some("[1]"), Some("{}")).is_err());
    }
}
