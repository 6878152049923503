//! Which values occur in the steps of a source, and how often: counted block by block, from the tables of what repeats.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use inspector_model::{SourceId, Status, Timeline};

use super::STATUSES;
use super::language::Field;
use crate::format;

/// Steps that are looked at per frame at most. A step costs some nanoseconds: only columns of small numbers are read.
const STEPS_PER_FRAME: usize = 200_000;

/// Different texts of one field that are remembered. What comes later is still found when it is typed.
const MOST_VALUES: usize = 20_000;

type Counts = HashMap<Arc<str>, u32>;

/// What was counted.
#[derive(Debug, Default)]
pub struct Facets {
    source: Option<SourceId>,
    upto: usize,
    names: Counts,
    components: Counts,
    paths: Counts,
    statuses: [u32; STATUSES.len()],
}

/// A value and the number of its steps.
pub type Counted = (String, u32);

impl Facets {
    /// Counts on, as far as a frame has time. `true` when there is more to look at.
    pub fn refresh(&mut self, timeline: &Timeline) -> bool {
        let steps = timeline.steps();
        if self.source != Some(timeline.id()) || self.upto > steps.len() {
            *self = Self { source: Some(timeline.id()), ..Self::default() };
        }
        let end = steps.len().min(self.upto + STEPS_PER_FRAME);
        while self.upto < end {
            let (block, at) = steps.block(self.upto);
            let (names, name_of) = block.names();
            for (name, number) in names.iter().zip(numbers(names.len(), &name_of[at..])) {
                add(&mut self.names, &name.name, number);
                if let Some(component) = &name.component {
                    add(&mut self.components, component, number);
                }
            }
            let (changes, changed_of) = block.changes();
            for (changed, number) in changes.iter().zip(numbers(changes.len(), &changed_of[at..])) {
                for path in &changed.paths {
                    add(&mut self.paths, path, number);
                }
            }
            for status in &block.statuses()[at..] {
                let nth = STATUSES.iter().position(|known| known == status).unwrap_or_default();
                self.statuses[nth] += 1;
            }
            self.upto += block.len() - at;
        }
        self.upto < steps.len()
    }

    /// Steps that ended so.
    pub fn status(&self, status: Status) -> u32 {
        STATUSES.iter().position(|known| *known == status).map_or(0, |nth| self.statuses[nth])
    }

    /// Steps that did not end well.
    pub fn errors(&self) -> u32 {
        self.statuses[1..].iter().sum()
    }

    /// The values of a field that contain a lower-case text, the most frequent first. A view is named by its class.
    pub fn values(&self, timeline: &Timeline, field: Field, part: &str, most: usize) -> Vec<Counted> {
        let of = |counts: &Counts| counts.iter().map(|(text, number)| (text.to_string(), *number)).filter(fits(part)).collect();
        let mut found: Vec<Counted> = match field {
            Field::Name => of(&self.names),
            Field::Component => of(&self.components),
            Field::Changed => of(&self.paths),
            Field::User | Field::Session | Field::View => pages(timeline, field).into_iter().filter(fits(part)).collect(),
            Field::Any => Vec::new(),
        };
        // Those that begin with it come first.
        let begins = |text: &str| part.is_empty() || super::lower(text).starts_with(part);
        found.sort_by_cached_key(|(text, number)| (!begins(text), Reverse(*number), text.clone()));
        found.truncate(most);
        found
    }
}

fn fits(part: &str) -> impl Fn(&Counted) -> bool {
    move |(text, _)| !text.is_empty() && (part.is_empty() || super::lower(text).contains(part))
}

/// How often each entry of a table is pointed to.
fn numbers(entries: usize, of: &[u16]) -> Vec<u32> {
    let mut numbers = vec![0_u32; entries];
    for entry in of {
        if let Some(number) = numbers.get_mut(*entry as usize) {
            *number += 1;
        }
    }
    numbers
}

fn add<K: Hash + Eq + Clone>(counts: &mut HashMap<K, u32>, key: &K, number: u32) {
    if number == 0 {
        return;
    }
    if let Some(known) = counts.get_mut(key) {
        *known += number;
    } else if counts.len() < MOST_VALUES {
        counts.insert(key.clone(), number);
    }
}

/// Users, page ids or views of all pages, with the number of their steps.
fn pages(timeline: &Timeline, field: Field) -> Vec<Counted> {
    let mut counts: HashMap<String, u32> = HashMap::new();
    for session in timeline.sessions().values() {
        for view in session.view.iter().chain(&session.children) {
            let stream = (session.id.clone(), view.id.as_deref().map(Into::into));
            let value = match field {
                Field::User => session.user_name().to_owned(),
                Field::Session => session.id.as_str().to_owned(),
                _ => format::short_class(&view.class).to_owned(),
            };
            *counts.entry(value).or_default() += timeline.stream(&stream).len() as u32;
        }
    }
    counts.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use inspector_model::{Notice, Source, Step, StepId, StepKind};

    use super::*;

    #[test]
    fn values_are_counted_once_however_steps_come() {
        let mut timeline = Timeline::new(Source::recording(SourceId(1), ""));
        let mut facets = Facets::default();
        for round in 0..7_u64 {
            let steps = (round * 1_000 + 1..=(round + 1) * 1_000).map(|id| Step {
                id: StepId(id),
                status: if id.is_multiple_of(100) { Status::Raised } else { Status::Ok },
                changed: vec!["cart.total".into()],
                ..Step::new(StepKind::Event, if id.is_multiple_of(4) { "Pay" } else { "add_item" }, id as f64)
            });
            timeline.apply(&Notice::steps(SourceId(1), steps));
            while facets.refresh(&timeline) {}
        }
        let names = facets.values(&timeline, Field::Name, "", 9);
        assert_eq!(names, [("add_item".to_owned(), 5_250), ("Pay".to_owned(), 1_750)]);
        assert_eq!(facets.values(&timeline, Field::Name, "p", 9), [("Pay".to_owned(), 1_750)]);
        assert_eq!(facets.values(&timeline, Field::Changed, "total", 9), [("cart.total".to_owned(), 7_000)]);
        assert_eq!((facets.status(Status::Raised), facets.errors()), (70, 70));
    }
}
