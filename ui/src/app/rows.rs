//! Which steps are shown, and how many of which lane up to each: so that a million of them are counted by looking at a few.

use inspector_model::{Scope, SourceId, Status, StepKind, Steps, Timeline};

use crate::filter::Filter;

/// The lanes of the timeline, from the top.
pub const LANES: [(&str, &[StepKind]); 6] = [
    ("Events", &[StepKind::Mount, StepKind::Event, StepKind::Message, StepKind::UrlChange]),
    ("Server", &[StepKind::Tick, StepKind::Push, StepKind::Async]),
    ("Outside", &[StepKind::Outside]),
    ("Travel", &[StepKind::Jump, StepKind::Replay]),
    ("Reload", &[StepKind::Reload, StepKind::HotReload, StepKind::Hvr]),
    ("Trouble", &[StepKind::RateLimited, StepKind::Error, StepKind::Gap, StepKind::Close]),
];

/// The lane of a kind.
pub const fn lane_of(kind: StepKind) -> usize {
    match kind {
        StepKind::Mount | StepKind::Event | StepKind::Message | StepKind::UrlChange => 0,
        StepKind::Tick | StepKind::Push | StepKind::Async => 1,
        StepKind::Outside => 2,
        StepKind::Jump | StepKind::Replay => 3,
        StepKind::Reload | StepKind::HotReload | StepKind::Hvr => 4,
        StepKind::RateLimited | StepKind::Error | StepKind::Gap | StepKind::Close => 5,
    }
}

/// What a frame may spend on looking at steps, in units of about a tenth of a microsecond: the rest follows in the next frames.
const BUDGET: usize = 40_000;

/// Rows between two tallies.
const STRIDE: usize = 64;

/// Steps of each lane.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// All.
    pub steps: [u32; LANES.len()],
    /// Those that did not end well.
    pub bad: [u32; LANES.len()],
}

impl Tally {
    fn add(&mut self, kind: StepKind, status: Status) {
        let lane = lane_of(kind);
        self.steps[lane] += 1;
        self.bad[lane] += u32::from(status != Status::Ok);
    }

    /// What is in this one and not in an earlier one.
    pub fn since(&self, earlier: &Self) -> Self {
        let less = |a: [u32; LANES.len()], b: [u32; LANES.len()]| std::array::from_fn(|lane| a[lane].saturating_sub(b[lane]));
        Self { steps: less(self.steps, earlier.steps), bad: less(self.bad, earlier.bad) }
    }
}

/// The shown steps of one timeline.
#[derive(Debug, Default)]
pub struct Rows {
    /// Positions in the timeline, ascending.
    positions: Vec<u32>,
    /// The tally before each [`STRIDE`]th row.
    tallies: Vec<Tally>,
    total: Tally,
    /// Grows when the rows are built anew rather than extended.
    epoch: u64,
    /// Of what these are the rows.
    source: Option<SourceId>,
    scope: Scope,
    filter: Filter,
    sessions_at: u64,
    /// Steps that were looked at.
    scanned: usize,
    /// Steps that there are.
    of: usize,
}

impl Rows {
    /// Brings the rows up to date, as far as a frame has time. `true` when there is more to look at.
    pub fn refresh(&mut self, timeline: Option<&Timeline>, scope: &Scope, filter: &Filter) -> bool {
        let Some(timeline) = timeline else {
            *self = Self { epoch: self.epoch + 1, ..Self::default() };
            return false;
        };
        let steps = timeline.steps();
        // A session can get its user or view after its first steps: then all rows are asked again.
        let sessions_at = if filter.uses_session() { timeline.sessions_generation() } else { 0 };
        let same = self.source == Some(timeline.id())
            && self.scope == *scope
            && self.filter == *filter
            && self.sessions_at == sessions_at
            && self.scanned <= steps.len();
        if !same {
            *self = Self {
                epoch: self.epoch + 1,
                source: Some(timeline.id()),
                scope: scope.clone(),
                filter: filter.clone(),
                sessions_at,
                ..Self::default()
            };
        }
        self.of = steps.len();
        let mut budget = BUDGET;
        while self.scanned < steps.len() && budget > 0 {
            let (block, at) = steps.block(self.scanned);
            let first = self.positions.len();
            let base = (self.scanned - at) as u32;
            let cost = filter.select(block, at, scope, timeline.sessions(), |at| self.positions.push(base + at as u32));
            budget = budget.saturating_sub(cost);
            self.tally(steps, first);
            self.scanned += block.len() - at;
        }
        self.scanned < steps.len()
    }

    fn tally(&mut self, steps: &Steps, first: usize) {
        for row in first..self.positions.len() {
            if row.is_multiple_of(STRIDE) {
                self.tallies.push(self.total);
            }
            add(&mut self.total, steps, self.positions[row]);
        }
    }

    /// How many there are.
    pub const fn len(&self) -> usize {
        self.positions.len()
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.positions.is_empty()
    }

    /// Grows when the rows are built anew rather than extended.
    pub const fn epoch(&self) -> u64 {
        self.epoch
    }

    /// How much of the timeline was looked at, as long as that is not all.
    pub fn progress(&self) -> Option<f32> {
        (self.scanned < self.of).then(|| self.scanned as f32 / self.of as f32)
    }

    /// Where the step of a row stands in its timeline.
    pub fn position(&self, row: usize) -> Option<usize> {
        self.positions.get(row).map(|position| *position as usize)
    }

    /// The row of a position, or of the next one that is shown.
    pub fn find(&self, position: usize) -> Result<usize, usize> {
        self.positions.binary_search(&(position as u32))
    }

    /// The first row at or after a time.
    pub fn at_time(&self, steps: &Steps, time: f64) -> usize {
        self.positions.partition_point(|position| steps.when(*position as usize) < time)
    }

    /// The steps of each lane before a row.
    pub fn tally_before(&self, steps: &Steps, row: usize) -> Tally {
        let row = row.min(self.len());
        if row == self.len() {
            return self.total;
        }
        let mut tally = self.tallies[row / STRIDE];
        for position in &self.positions[row / STRIDE * STRIDE..row] {
            add(&mut tally, steps, *position);
        }
        tally
    }

    /// The rows of some lanes between two rows. What has none of them is passed over.
    pub fn of_lanes(&self, steps: &Steps, lanes: [bool; LANES.len()], range: std::ops::Range<usize>, mut visit: impl FnMut(usize)) {
        let (mut row, end) = (range.start, range.end.min(self.len()));
        while row < end {
            let next = (row / STRIDE + 1) * STRIDE;
            let before = &self.tallies[row / STRIDE];
            let between = self.tallies.get(row / STRIDE + 1).unwrap_or(&self.total).since(before);
            if (0..LANES.len()).any(|lane| lanes[lane] && between.steps[lane] > 0) {
                for row in row..next.min(end) {
                    let kind = steps.kind(self.positions[row] as usize);
                    if kind.is_some_and(|kind| lanes[lane_of(kind)]) {
                        visit(row);
                    }
                }
            }
            row = next;
        }
    }
}

fn add(tally: &mut Tally, steps: &Steps, position: u32) {
    if let Some((kind, status)) = steps.kind(position as usize).zip(steps.status(position as usize)) {
        tally.add(kind, status);
    }
}

#[cfg(test)]
mod tests {
    use inspector_model::{Notice, Source, Step, StepId};

    use super::*;

    fn timeline(count: u64) -> Timeline {
        let mut timeline = Timeline::new(Source::recording(SourceId(1), ""));
        let step = |id: u64| Step {
            id: StepId(id),
            status: if id.is_multiple_of(50) { Status::Raised } else { Status::Ok },
            ..Step::new(StepKind::ALL[id as usize % StepKind::ALL.len()], if id.is_multiple_of(3) { "add" } else { "pay" }, id as f64)
        };
        let steps: Steps = (1..=count).map(step).collect();
        timeline.apply(&Notice::Steps(SourceId(1), steps.since(0, usize::MAX)));
        timeline
    }

    #[test]
    fn every_kind_has_the_lane_that_names_it() {
        for kind in StepKind::ALL {
            assert!(LANES[lane_of(kind)].1.contains(&kind), "{kind:?}");
        }
    }

    #[test]
    fn tallies_and_lanes_are_what_counting_gives() {
        let timeline = timeline(20_000);
        let steps = timeline.steps();
        let filter = Filter::parse("name:add").unwrap();
        let mut rows = Rows::default();
        while rows.refresh(Some(&timeline), &Scope::Everywhere, &filter) {}
        assert_eq!(rows.len(), 6_666);
        for row in [0, 1, 63, 64, 65, 3_000, 6_665, 6_666, 9_999] {
            let mut counted = Tally::default();
            (0..row.min(rows.len())).for_each(|row| add(&mut counted, steps, rows.positions[row]));
            assert_eq!(rows.tally_before(steps, row), counted, "{row}");
        }
        let lanes = std::array::from_fn(|lane| lane == 3);
        let mut found = Vec::new();
        rows.of_lanes(steps, lanes, 10..5_000, |row| found.push(row));
        let expected: Vec<usize> = (10..5_000).filter(|row| lane_of(steps.kind(rows.position(*row).unwrap()).unwrap()) == 3).collect();
        assert_eq!(found, expected);
        assert_eq!(rows.at_time(steps, 3_000.5), 1_000);
    }

    #[test]
    fn a_long_scan_goes_on_in_the_next_frame_and_says_how_far_it_is() {
        let timeline = timeline(400_000);
        // Words without a key are looked for everywhere: the dearest of all filters.
        let filter = Filter::parse("pay").unwrap();
        let mut rows = Rows::default();
        let mut seen = 0;
        while rows.refresh(Some(&timeline), &Scope::Everywhere, &filter) {
            assert!(rows.len() > seen && rows.progress().is_some_and(|part| part > 0.0 && part < 1.0));
            seen = rows.len();
        }
        assert!(seen > 0, "it took more than one frame");
        assert_eq!(rows.len(), 400_000 - 133_333);
        assert_eq!(rows.progress(), None);
    }
}
