//! Two sequences of steps beside each other: which of them are the same thing that happened twice.
//!
//! Steps are matched by what they are, not by what they left: two runs of one bug are the same steps with other states.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};
use std::ops::Range;
use std::time::{Duration, Instant};

use inspector_model::Step;
use similar::{Algorithm, DiffOp, capture_diff_deadline};

/// What a step is, in sixteen bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepKey {
    /// Of kind, name and component.
    what: u64,
    /// Of these and the parameters.
    whole: u64,
}

impl StepKey {
    /// Of a step and the text of its parameters.
    pub fn new(step: &Step, params: Option<&str>) -> Self {
        let mut hasher = DefaultHasher::new();
        (step.kind, &step.name, &step.component).hash(&mut hasher);
        let what = hasher.finish();
        params.hash(&mut hasher);
        Self { what, whole: hasher.finish() }
    }
}

/// A row of an alignment: positions in both sequences.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aligned {
    /// In both.
    Pair {
        /// Left.
        left: usize,
        /// Right.
        right: usize,
        /// Also by its parameters.
        whole: bool,
    },
    /// Left only.
    Left(usize),
    /// Right only.
    Right(usize),
}

/// An alignment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Alignment {
    /// Every position of both sequences once, each side in its order.
    pub rows: Vec<Aligned>,
    /// Time was up: there may be fewer pairs than there could be.
    pub cut_short: bool,
}

/// Aligns two sequences: what is equal with its parameters first, then what is left between by kind and name alone.
pub fn align(left: &[StepKey], right: &[StepKey], deadline: Duration) -> Alignment {
    let start = Instant::now();
    let end = start.checked_add(deadline).unwrap_or(start);
    let by_whole: [Vec<u64>; 2] = [left, right].map(|keys| keys.iter().map(|key| key.whole).collect());
    let by_what: [Vec<u64>; 2] = [left, right].map(|keys| keys.iter().map(|key| key.what).collect());
    let mut rows = Vec::with_capacity(left.len().max(right.len()));
    let pair = |(at, to): (usize, usize)| Aligned::Pair { left: at, right: to, whole: left[at].whole == right[to].whole };
    for part in parts(&by_whole, 0..left.len(), 0..right.len(), end) {
        match part {
            Part::Equal(left, right) => rows.extend(left.zip(right).map(pair)),
            Part::Other(left, right) => {
                for part in parts(&by_what, left, right, end) {
                    match part {
                        Part::Equal(left, right) => {
                            rows.extend(left.zip(right).map(pair));
                        }
                        Part::Other(left, right) => {
                            rows.extend(left.map(Aligned::Left));
                            rows.extend(right.map(Aligned::Right));
                        }
                    }
                }
            }
        }
    }
    Alignment { rows, cut_short: start.elapsed() > deadline }
}

enum Part {
    Equal(Range<usize>, Range<usize>),
    Other(Range<usize>, Range<usize>),
}

fn parts(keys: &[Vec<u64>; 2], left: Range<usize>, right: Range<usize>, end: Instant) -> Vec<Part> {
    let ops = capture_diff_deadline(Algorithm::Myers, keys[0].as_slice(), left, keys[1].as_slice(), right, Some(end));
    let mut parts: Vec<Part> = Vec::with_capacity(ops.len());
    for op in ops {
        let (is_equal, old, new) = match op {
            DiffOp::Equal { old_index, new_index, len } => (true, old_index..old_index + len, new_index..new_index + len),
            DiffOp::Delete { old_index, old_len, new_index } => (false, old_index..old_index + old_len, new_index..new_index),
            DiffOp::Insert { old_index, new_index, new_len } => (false, old_index..old_index, new_index..new_index + new_len),
            DiffOp::Replace { old_index, old_len, new_index, new_len } => {
                (false, old_index..old_index + old_len, new_index..new_index + new_len)
            }
        };
        match parts.last_mut() {
            _ if is_equal => parts.push(Part::Equal(old, new)),
            // What went and what came at one place is looked at together.
            Some(Part::Other(left, right)) => (left.end, right.end) = (old.end, new.end),
            _ => parts.push(Part::Other(old, new)),
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use inspector_model::StepKind;
    use proptest::prelude::*;

    use super::*;

    fn key(name: &str, params: &str) -> StepKey {
        StepKey::new(&Step::new(StepKind::Event, name, 0.0), Some(params))
    }

    /// `add 1` is an event with its parameters.
    fn keys(text: &str) -> Vec<StepKey> {
        text.split(", ")
            .filter(|one| !one.is_empty())
            .map(|one| one.split_once(' ').map_or_else(|| key(one, ""), |(a, b)| key(a, b)))
            .collect()
    }

    fn told(left: &str, right: &str) -> String {
        let (left, right): (Vec<&str>, Vec<&str>) = (left.split(", ").collect(), right.split(", ").collect());
        let alignment = align(&keys(&left.join(", ")), &keys(&right.join(", ")), Duration::from_secs(5));
        let rows = alignment.rows.into_iter().map(|row| match row {
            Aligned::Pair { left: at, whole: true, .. } => format!("={}", left[at]),
            Aligned::Pair { left: l, right: r, .. } => format!("~{}/{}", left[l], right[r]),
            Aligned::Left(at) => format!("<{}", left[at]),
            Aligned::Right(at) => format!(">{}", right[at]),
        });
        rows.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_is_equal_is_paired_then_what_only_has_other_parameters() {
        assert_eq!(told("mount, add 1, pay", "mount, add 1, pay"), "=mount =add 1 =pay");
        assert_eq!(told("mount, add 1, pay", "mount, add 2, pay"), "=mount ~add 1/add 2 =pay");
        assert_eq!(told("mount, add 1, pay", "mount, pay"), "=mount <add 1 =pay");
        assert_eq!(told("mount, pay", "mount, tick, add 1, pay"), "=mount >tick >add 1 =pay");
        assert_eq!(told("a, b, add 1, c", "a, x, add 9, c"), "=a <b >x ~add 1/add 9 =c");
    }

    #[test]
    fn kind_and_component_tell_steps_apart() {
        let event = Step::new(StepKind::Event, "x", 0.0);
        let tick = Step::new(StepKind::Tick, "x", 0.0);
        let of_component = Step { component: Some("c".into()), ..event.clone() };
        let what = |step: &Step| StepKey::new(step, None).what;
        assert_ne!(what(&event), what(&tick));
        assert_ne!(what(&event), what(&of_component));
        assert_eq!(what(&event), StepKey::new(&event, Some("{}")).what);
    }

    #[test]
    fn two_long_sequences_without_anything_in_common_end_in_time() {
        let many = |from: usize| (0..60_000).map(|n| key(&format!("{}", (n * 7919 + from) % 9_973), "")).collect::<Vec<_>>();
        let (left, right) = (many(0), many(5_003).into_iter().rev().collect::<Vec<_>>());
        let start = Instant::now();
        let alignment = align(&left, &right, Duration::from_millis(50));
        assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
        check(&left, &right, &alignment.rows).unwrap();
    }

    /// Every step once, each side in order, and pairs are of one name.
    fn check(left: &[StepKey], right: &[StepKey], rows: &[Aligned]) -> Result<(), TestCaseError> {
        let (mut l, mut r) = (0, 0);
        for row in rows {
            match *row {
                Aligned::Pair { left: at, right: to, whole } => {
                    prop_assert_eq!((at, to), (l, r));
                    prop_assert_eq!(left[at].what, right[to].what);
                    prop_assert_eq!(whole, left[at].whole == right[to].whole);
                    (l, r) = (l + 1, r + 1);
                }
                Aligned::Left(at) => {
                    prop_assert_eq!(at, l);
                    l += 1;
                }
                Aligned::Right(at) => {
                    prop_assert_eq!(at, r);
                    r += 1;
                }
            }
        }
        prop_assert_eq!((l, r), (left.len(), right.len()));
        Ok(())
    }

    fn sequence() -> impl Strategy<Value = Vec<StepKey>> {
        proptest::collection::vec(("[abc]", "[12]").prop_map(|(name, params)| key(&name, &params)), 0..40)
    }

    proptest! {
        #[test]
        fn every_step_occurs_once_in_order(left in sequence(), right in sequence(), millis in 0u64..3) {
            let alignment = align(&left, &right, Duration::from_millis(millis * 100));
            check(&left, &right, &alignment.rows)?;
        }

        #[test]
        fn equal_sequences_align_fully(keys in sequence()) {
            let rows = align(&keys, &keys, Duration::from_secs(5)).rows;
            let all: Vec<Aligned> = (0..keys.len()).map(|at| Aligned::Pair { left: at, right: at, whole: true }).collect();
            prop_assert_eq!(rows, all);
        }

        /// One step more on one side is found as that.
        #[test]
        fn one_more_step_leaves_everything_else_paired(keys in sequence(), at in 0usize..40) {
            let mut more = keys.clone();
            more.insert(at.min(keys.len()), key("z", ""));
            let rows = align(&keys, &more, Duration::from_secs(5)).rows;
            prop_assert_eq!(rows.iter().filter(|row| !matches!(row, Aligned::Pair { whole: true, .. })).count(), 1);
        }
    }
}
