//! How long the steps of one handler take: how many of which time, and the slowest. Steps are only appended, so each is looked at once.

use inspector_model::{Block, SourceId, Step, StepId, StepKind, Timeline};

/// Steps that are looked at per frame at most. What is not of this handler costs about a nanosecond.
const STEPS_PER_FRAME: usize = 200_000;

/// How many of the slowest are named.
const SLOWEST: usize = 10;

/// Each class of times ends so much above the one before.
const GROWTH: f64 = 1.02;
/// Where the first class ends, milliseconds.
const LEAST_MS: f64 = 0.001;
/// The last class begins at about a million seconds.
const CLASSES: usize = 1_400;

/// Whose times are counted.
#[derive(Clone, Debug, PartialEq)]
struct Handler {
    source: SourceId,
    kind: StepKind,
    name: String,
    component: Option<String>,
}

/// Steps that took about the same time.
#[derive(Clone, Copy, Debug, Default)]
struct Class {
    number: u32,
    ms: f64,
}

/// The times of one handler. Exact but for quantiles, which are off by a hundredth at most.
#[derive(Debug, Default)]
pub struct Spread {
    of: Option<Handler>,
    upto: usize,
    classes: Vec<Class>,
    number: u32,
    /// The slowest steps with their milliseconds, the slowest first.
    slowest: Vec<(f64, StepId)>,
    total_ms: f64,
}

impl Spread {
    /// Counts the steps like this one, as far as a frame has time. `true` when there is more to look at.
    pub fn refresh(&mut self, timeline: &Timeline, step: &Step) -> bool {
        let handler = Handler { source: timeline.id(), kind: step.kind, name: step.name.clone(), component: step.component.clone() };
        let steps = timeline.steps();
        if self.of.as_ref() != Some(&handler) || self.upto > steps.len() {
            *self = Self { of: Some(handler.clone()), classes: vec![Class::default(); CLASSES], ..Self::default() };
        }
        let end = steps.len().min(self.upto + STEPS_PER_FRAME);
        while self.upto < end {
            let (block, at) = steps.block(self.upto);
            self.add_block(block, at, &handler);
            self.upto += block.len() - at;
        }
        self.upto < steps.len()
    }

    fn add_block(&mut self, block: &Block, from: usize, handler: &Handler) {
        let (names, name_of) = block.names();
        let fits = |name: &inspector_model::Name| *name.name == *handler.name && name.component.as_deref() == handler.component.as_deref();
        let Some(wanted) = names.iter().position(fits) else { return };
        for at in (from..block.len()).filter(|at| name_of.get(*at).is_some_and(|of| usize::from(*of) == wanted)) {
            if block.kinds().get(at) == Some(&handler.kind)
                && let Some((ms, id)) = block.duration_ms(at).zip(block.ids().get(at))
            {
                self.add(ms, *id);
            }
        }
    }

    fn add(&mut self, ms: f64, id: StepId) {
        if let Some(class) = self.classes.get_mut(class_of(ms)) {
            class.number += 1;
            class.ms += ms;
        }
        self.number += 1;
        self.total_ms += ms;
        if self.slowest.len() < SLOWEST || self.slowest.last().is_some_and(|(least, _)| ms > *least) {
            let place = self.slowest.partition_point(|(other, _)| *other >= ms);
            self.slowest.insert(place, (ms, id));
            self.slowest.truncate(SLOWEST);
        }
    }

    /// Steps whose time is known.
    pub const fn number(&self) -> u32 {
        self.number
    }

    /// Milliseconds of all together.
    pub const fn total_ms(&self) -> f64 {
        self.total_ms
    }

    /// The time that a part of them, from 0 to 1, does not exceed, milliseconds.
    pub fn quantile(&self, part: f64) -> Option<f64> {
        let nth = (f64::from(self.number) * part).ceil().max(1.0) as u32;
        let mut before = 0;
        self.classes.iter().find_map(|class| {
            before += class.number;
            (before >= nth).then(|| class.ms / f64::from(class.number.max(1)))
        })
    }

    /// The part of them, from 0 to 1, that is faster than this time.
    pub fn faster(&self, ms: f64) -> f64 {
        let before: u32 = self.classes.iter().take(class_of(ms)).map(|class| class.number).sum();
        f64::from(before) / f64::from(self.number.max(1))
    }

    /// The slowest steps with their milliseconds, the slowest first.
    pub fn slowest(&self) -> &[(f64, StepId)] {
        &self.slowest
    }

    /// How many there are in each of some columns, whose widths grow like the classes: between the fastest and the slowest.
    pub fn columns(&self, columns: usize) -> Option<Columns> {
        let first = self.classes.iter().position(|class| class.number > 0)?;
        let last = self.classes.iter().rposition(|class| class.number > 0)?;
        // One time only is still a column, not a line.
        let (from, to) = (first.saturating_sub(2), (last + 3).min(CLASSES));
        let mut numbers = vec![0; columns];
        for (nth, class) in self.classes[from..to].iter().enumerate() {
            numbers[nth * columns / (to - from)] += class.number;
        }
        Some(Columns { numbers, from, to })
    }
}

/// Times as columns.
pub struct Columns {
    /// Steps in each.
    pub numbers: Vec<u32>,
    from: usize,
    to: usize,
}

impl Columns {
    /// Where a time stands, from 0 at the left to 1 at the right.
    pub fn place(&self, ms: f64) -> f64 {
        ((class_of(ms) as f64 + 0.5 - self.from as f64) / (self.to - self.from) as f64).clamp(0.0, 1.0)
    }
}

fn class_of(ms: f64) -> usize {
    if ms <= LEAST_MS {
        return 0;
    }
    (((ms / LEAST_MS).ln() / GROWTH.ln()) as usize).min(CLASSES - 1)
}

#[cfg(test)]
mod tests {
    use inspector_model::{Notice, Source};

    use super::*;

    #[test]
    fn times_of_one_handler_are_counted_as_they_come() {
        let mut timeline = Timeline::new(Source::recording(SourceId(1), ""));
        let step = |id: u64| Step {
            id: StepId(id),
            // Every other is of another handler, or of another kind.
            duration_ms: (!id.is_multiple_of(10)).then_some(id as f64 / 100.0),
            ..Step::new(
                if id.is_multiple_of(4) { StepKind::Replay } else { StepKind::Event },
                if id.is_multiple_of(2) { "add" } else { "pay" },
                1.0,
            )
        };
        let mut spread = Spread::default();
        for round in 0..5_u64 {
            timeline.apply(&Notice::steps(SourceId(1), (round * 2_000 + 1..=(round + 1) * 2_000).map(step)));
            while spread.refresh(&timeline, &step(2)) {}
        }
        let mut known: Vec<f64> = (1..=10_000)
            .map(step)
            .filter(|step| step.kind == StepKind::Event && step.name == "add")
            .filter_map(|step| step.duration_ms)
            .collect();
        known.sort_by(f64::total_cmp);
        assert_eq!(spread.number() as usize, known.len());
        for part in [0.01, 0.5, 0.95, 0.99] {
            let exact = known[((known.len() as f64 * part).ceil() as usize).max(1) - 1];
            let found = spread.quantile(part).unwrap();
            assert!((found / exact - 1.0).abs() < 0.011, "{part}: {found} is not {exact}");
        }
        assert_eq!(spread.slowest()[0], (99.98, StepId(9_998)));
        assert_eq!(spread.slowest().len(), SLOWEST);
        assert!((spread.faster(50.0) - 0.5).abs() < 0.011);
        assert_eq!(spread.columns(40).unwrap().numbers.iter().sum::<u32>(), spread.number());
    }

    #[test]
    fn equal_times_have_this_quantile_exactly() {
        let mut spread = Spread { classes: vec![Class::default(); CLASSES], ..Spread::default() };
        for id in 1..=9 {
            spread.add(3.4, StepId(id));
        }
        assert_eq!(spread.quantile(0.5).map(|ms| (ms * 1e6).round()), Some(3_400_000.0));
        assert!(spread.faster(3.4) < 1e-9);
        assert_eq!(Spread::default().quantile(0.5), None);
    }
}
