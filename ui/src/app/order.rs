//! In which order the table shows its rows. A million of them are sorted in slices over frames, and the old order stays until then.

use std::cmp::{Ordering, Reverse};
use std::sync::Arc;

use inspector_model::Steps;
use serde::{Deserialize, Serialize};

use super::rows::Rows;

/// By what rows are sorted. Equal ones stand in the order of their numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SortBy {
    /// The number, and so the time.
    #[default]
    Number,
    /// What it is called.
    Name,
    /// How much changed.
    Changes,
    /// How long it took.
    Ms,
    /// Its queries.
    Sql,
    /// The size of the state.
    State,
}

/// An order of rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Sort {
    /// By what.
    pub by: SortBy,
    /// The largest first.
    pub descending: bool,
}

/// What a frame may spend on sorting, in rows that are read or merged once.
const BUDGET: usize = 120_000;

/// Rows that are sorted at once.
const RUN: usize = 8_192;

/// What a row is sorted by: a number whose order is the order of the rows, and the row.
#[derive(Clone, Copy, Debug)]
struct Entry {
    key: u64,
    row: u32,
}

type Run = Arc<Vec<Entry>>;

/// The shown order of [`Rows`].
#[derive(Debug, Default)]
pub struct Order {
    sort: Sort,
    /// The rows' epoch that this is an order of.
    epoch: u64,
    /// By what the entries are sorted: another one than wanted while that is on its way.
    by: SortBy,
    /// Sorted, upwards. Sorted by number there are none: the rows are in that order.
    entries: Run,
    /// So many of the rows have a place; those after them wait.
    placed: usize,
    /// All rows had a place once: only then can those that came since wait.
    whole: bool,
    work: Option<Work>,
}

/// Sorting that is under way.
#[derive(Debug)]
struct Work {
    by: SortBy,
    /// The next row to read, and the one at which to stop.
    next: usize,
    end: usize,
    /// Sorted parts.
    runs: Vec<Run>,
    merge: Option<Merge>,
    /// Rows read and merged, for the progress.
    done: usize,
}

#[derive(Debug)]
struct Merge {
    parts: [Run; 2],
    at: [usize; 2],
    out: Vec<Entry>,
}

impl Order {
    /// Brings the order up to date with the rows, as far as a frame has time. `hold`: rows that came since wait, so that none moves.
    /// `true` when there is more to do.
    pub fn refresh(&mut self, steps: Option<&Steps>, rows: &Rows, sort: Sort, hold: bool) -> bool {
        let Some(steps) = steps else {
            *self = Self { sort, ..Self::default() };
            return false;
        };
        if self.epoch != rows.epoch() {
            *self = Self { epoch: rows.epoch(), sort, by: sort.by, ..Self::default() };
        }
        let turned = self.sort != sort;
        self.sort = sort;
        let waits = hold && self.whole && self.by == sort.by && !turned;
        if sort.by == SortBy::Number {
            if self.by != SortBy::Number {
                *self = Self { sort, epoch: self.epoch, ..Self::default() };
            }
            self.work = None;
            // At the end a row moves no other.
            if !waits || !sort.descending {
                self.placed = rows.len();
            }
        } else if !waits {
            self.sort_on(&Reader { steps, rows });
        }
        self.whole |= self.placed == rows.len() && rows.progress().is_none();
        self.work.is_some() && !waits
    }

    fn sort_on(&mut self, reader: &Reader<'_>) {
        let (by, end) = (self.sort.by, reader.rows.len());
        self.work = self.work.take().filter(|work| work.by == by);
        if self.work.is_none() && (self.by != by || self.placed < end) {
            self.work = Some(self.begin(by, end));
        }
        let Some(work) = &mut self.work else { return };
        if let Some(entries) = work.go_on(reader) {
            self.placed = work.end;
            self.by = by;
            self.entries = entries;
            self.work = None;
        }
    }

    /// Rows that wait for a place, because none may move now.
    pub fn waiting(&self, rows: &Rows) -> usize {
        if self.whole && self.work.is_none() { rows.len().saturating_sub(self.placed) } else { 0 }
    }

    fn begin(&self, by: SortBy, end: usize) -> Work {
        // What is sorted already is one of the parts.
        let kept = self.by == by && self.placed > 0;
        let runs = if kept { vec![self.entries.clone()] } else { Vec::new() };
        Work { by, next: if kept { self.placed } else { 0 }, end, runs, merge: None, done: 0 }
    }

    /// How many rows have a place.
    pub const fn len(&self) -> usize {
        self.placed
    }

    /// How much is sorted, as long as that is not all.
    pub fn progress(&self) -> Option<f32> {
        let work = self.work.as_ref()?;
        // Each row is read once, and merged as often as the runs can be halved.
        let runs = work.end.div_ceil(RUN).max(1);
        let passes = 1.0 + (runs as f32).log2().ceil();
        Some((work.done as f32 / (work.end.max(1) as f32 * passes)).min(0.99))
    }

    /// The row at a place.
    pub fn row(&self, place: usize) -> Option<usize> {
        let place = self.turned(place)?;
        if self.by == SortBy::Number { Some(place) } else { self.entries.get(place).map(|entry| entry.row as usize) }
    }

    /// The place of a row. A row that waits for one has none, nor one that is filtered out (`Err` with the row after it): then it is the
    /// place at which it would stand, or the first where that is not known.
    pub fn place(&self, steps: &Steps, rows: &Rows, row: Result<usize, usize>) -> Result<usize, usize> {
        let turned = |place: usize| if self.sort.descending { self.placed - 1 - place } else { place };
        if self.by == SortBy::Number {
            return match row {
                Ok(row) if row < self.placed => Ok(turned(row)),
                Ok(row) | Err(row) => Err(if self.sort.descending { self.placed.saturating_sub(row) } else { row.min(self.placed) }),
            };
        }
        let reader = Reader { steps, rows };
        let Ok(row) = row else { return Err(0) };
        let entry = reader.entry(self.by, row);
        match self.entries.binary_search_by(|other| reader.of(self.by, *other, entry)) {
            Ok(place) => Ok(turned(place)),
            Err(place) => Err(if self.sort.descending { self.placed - place } else { place }),
        }
    }

    fn turned(&self, place: usize) -> Option<usize> {
        if place >= self.placed {
            return None;
        }
        Some(if self.sort.descending { self.placed - 1 - place } else { place })
    }
}

impl Work {
    /// Goes on for a frame. All entries when it is done.
    fn go_on(&mut self, reader: &Reader<'_>) -> Option<Run> {
        let mut budget = if self.by == SortBy::Name { BUDGET / 3 } else { BUDGET };
        while budget > 0 {
            if self.next < self.end {
                let end = (self.next + RUN).min(self.end);
                let mut run: Vec<Entry> = (self.next..end).map(|row| reader.entry(self.by, row)).collect();
                run.sort_by(|a, b| reader.of(self.by, *a, *b));
                // Sorting a run costs about as much as merging its rows three times.
                budget = budget.saturating_sub(run.len() * 3);
                self.done += run.len();
                self.next = end;
                self.runs.push(run.into());
                continue;
            }
            if self.merge.is_none() {
                // The two shortest: the long run of what was sorted before is moved once only.
                self.runs.sort_by_key(|run| Reverse(run.len()));
                let Some(first) = self.runs.pop() else { return Some(Run::default()) };
                let Some(second) = self.runs.pop() else {
                    self.runs.push(first.clone());
                    return Some(first);
                };
                let out = Vec::with_capacity(first.len() + second.len());
                self.merge = Some(Merge { parts: [first, second], at: [0, 0], out });
            }
            if let Some(merge) = &mut self.merge {
                let moved = merge.go_on(budget, |a, b| reader.of(self.by, a, b));
                budget = budget.saturating_sub(moved.max(1));
                self.done += moved;
                if merge.out.len() == merge.parts[0].len() + merge.parts[1].len() {
                    self.runs.push(std::mem::take(&mut merge.out).into());
                    self.merge = None;
                }
            }
        }
        None
    }
}

impl Merge {
    /// Moves so many entries at most. Says how many it were.
    fn go_on(&mut self, most: usize, order: impl Fn(Entry, Entry) -> Ordering) -> usize {
        let [a, b] = &self.parts;
        let before = self.out.len();
        while self.out.len() - before < most {
            let [at, bt] = self.at;
            match (a.get(at), b.get(bt)) {
                (Some(one), Some(other)) if order(*one, *other) == Ordering::Greater => {
                    self.out.push(*other);
                    self.at[1] += 1;
                }
                (Some(one), _) => {
                    self.out.push(*one);
                    self.at[0] += 1;
                }
                (None, Some(other)) => {
                    self.out.push(*other);
                    self.at[1] += 1;
                }
                (None, None) => break,
            }
        }
        self.out.len() - before
    }
}

/// Reads what rows are sorted by.
struct Reader<'a> {
    steps: &'a Steps,
    rows: &'a Rows,
}

impl Reader<'_> {
    fn entry(&self, by: SortBy, row: usize) -> Entry {
        let position = self.rows.position(row).unwrap_or_default();
        let (block, at) = self.steps.block(position);
        let key = match by {
            SortBy::Number => row as u64,
            SortBy::Name => {
                // The first eight bytes decide nearly always.
                let mut first = [0; 8];
                for (to, from) in first.iter_mut().zip(self.name(row).bytes()) {
                    *to = from.to_ascii_lowercase();
                }
                u64::from_be_bytes(first)
            }
            SortBy::Changes => {
                let (changes, of) = block.changes();
                of.get(at).and_then(|of| changes.get(*of as usize)).map_or(0, |changed| u64::from(changed.counts.total()))
            }
            // Numbers that are not negative are ordered like their bits. What took no time that is known comes before all.
            SortBy::Ms => block.duration_ms(at).map_or(0, |ms| ms.to_bits() + 1),
            SortBy::Sql => u64::from(block.counted(at).sql),
            SortBy::State => block.state_bytes().get(at).copied().unwrap_or_default(),
        };
        Entry { key, row: row as u32 }
    }

    fn of(&self, by: SortBy, a: Entry, b: Entry) -> Ordering {
        let names = || {
            if by != SortBy::Name {
                return Ordering::Equal;
            }
            let (a, b) = (self.name(a.row as usize), self.name(b.row as usize));
            a.bytes().map(|byte| byte.to_ascii_lowercase()).cmp(b.bytes().map(|byte| byte.to_ascii_lowercase()))
        };
        a.key.cmp(&b.key).then_with(names).then(a.row.cmp(&b.row))
    }

    /// The name that the table shows.
    fn name(&self, row: usize) -> &str {
        let (block, at) = self.steps.block(self.rows.position(row).unwrap_or_default());
        let (names, of) = block.names();
        let name = of.get(at).and_then(|of| names.get(*of as usize)).map_or("", |name| &*name.name);
        if name.is_empty() { block.kinds().get(at).map_or("", |kind| kind.label()) } else { name }
    }
}

#[cfg(test)]
mod tests {
    use inspector_model::{ChangeCounts, Notice, Scope, Source, SourceId, Step, StepId, StepKind, Timeline};

    use super::*;
    use crate::filter::Filter;

    fn step(id: u64) -> Step {
        let mixed = id.wrapping_mul(2_654_435_761) % 100_003;
        Step {
            id: StepId(id),
            duration_ms: (!mixed.is_multiple_of(7)).then_some(mixed as f64 / 97.0),
            sql: (mixed % 13) as u32,
            state_bytes: mixed % 1_009,
            changes: ChangeCounts { added: (mixed % 5) as u32, ..ChangeCounts::default() },
            ..Step::new(StepKind::Event, ["handle_tock", "handle_tick", "Pay", "", "add"][(mixed % 5) as usize], id as f64)
        }
    }

    fn timeline() -> Timeline {
        Timeline::new(Source::recording(SourceId(1), ""))
    }

    fn add(timeline: &mut Timeline, from: u64, to: u64) {
        timeline.apply(&Notice::steps(SourceId(1), (from..=to).map(step)));
    }

    fn all(timeline: &Timeline) -> Rows {
        let mut rows = Rows::default();
        while rows.refresh(Some(timeline), &Scope::Everywhere, &Filter::default()) {}
        rows
    }

    fn shown(order: &Order) -> Vec<usize> {
        (0..order.len()).filter_map(|place| order.row(place)).collect()
    }

    fn expected(timeline: &Timeline, rows: &Rows, by: SortBy) -> Vec<usize> {
        let steps: Vec<Step> = (0..rows.len()).filter_map(|row| timeline.steps().get(rows.position(row)?)).collect();
        let mut order: Vec<usize> = (0..steps.len()).collect();
        let name = |step: &Step| if step.name.is_empty() { "event".to_owned() } else { step.name.to_lowercase() };
        match by {
            SortBy::Number => {}
            SortBy::Name => order.sort_by_key(|row| name(&steps[*row])),
            SortBy::Changes => order.sort_by_key(|row| steps[*row].changes.total()),
            SortBy::Ms => order.sort_by(|a, b| steps[*a].duration_ms.unwrap_or(-1.0).total_cmp(&steps[*b].duration_ms.unwrap_or(-1.0))),
            SortBy::Sql => order.sort_by_key(|row| steps[*row].sql),
            SortBy::State => order.sort_by_key(|row| steps[*row].state_bytes),
        }
        order
    }

    #[test]
    fn every_order_is_what_sorting_at_once_gives_also_when_steps_come_later() {
        use SortBy::{Changes, Ms, Name, Number, Sql, State};
        let mut timeline = timeline();
        let mut order = Order::default();
        let mut last = 0;
        for by in [Name, Changes, Number, Ms, Sql, State] {
            for more in [20_000, 3, 9_000] {
                add(&mut timeline, last + 1, last + more);
                last += more;
                let rows = all(&timeline);
                for descending in [false, true] {
                    while order.refresh(Some(timeline.steps()), &rows, Sort { by, descending }, false) {}
                    let mut expected = expected(&timeline, &rows, by);
                    if descending {
                        expected.reverse();
                    }
                    assert_eq!(shown(&order), expected, "{by:?}, descending: {descending}");
                    for place in [0, 1, 77, order.len() - 1] {
                        let row = order.row(place).unwrap();
                        assert_eq!(order.place(timeline.steps(), &rows, Ok(row)), Ok(place), "{by:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_long_sort_goes_on_in_the_next_frame_and_the_old_order_stays_until_then() {
        let mut timeline = timeline();
        add(&mut timeline, 1, 300_000);
        let rows = all(&timeline);
        let mut order = Order::default();
        order.refresh(Some(timeline.steps()), &rows, Sort::default(), false);
        let mut frames = 0;
        let mut progress = 0.0;
        while order.refresh(Some(timeline.steps()), &rows, Sort { by: SortBy::Ms, descending: false }, false) {
            frames += 1;
            assert_eq!((order.len(), order.row(7)), (300_000, Some(7)));
            let now = order.progress().unwrap();
            assert!(now >= progress && now < 1.0);
            progress = now;
        }
        assert!(frames > 5 && order.progress().is_none(), "{frames}");
        // A step that comes later costs no sorting of all.
        add(&mut timeline, 300_001, 300_002);
        let rows = {
            let mut rows = rows;
            rows.refresh(Some(&timeline), &Scope::Everywhere, &Filter::default());
            rows
        };
        let mut frames = 1;
        while order.refresh(Some(timeline.steps()), &rows, Sort { by: SortBy::Ms, descending: false }, false) {
            frames += 1;
        }
        assert!(frames < 6 && order.len() == 300_002, "{frames}");
    }

    #[test]
    fn rows_that_come_wait_as_long_as_none_may_move() {
        let mut timeline = timeline();
        add(&mut timeline, 1, 100);
        let mut rows = all(&timeline);
        for sort in [Sort { by: SortBy::Number, descending: true }, Sort { by: SortBy::Sql, descending: false }] {
            let mut order = Order::default();
            order.refresh(Some(timeline.steps()), &rows, sort, true);
            let before = shown(&order);
            assert_eq!(before.len(), rows.len(), "the first ones do not wait");
            let last = rows.len() as u64;
            add(&mut timeline, last + 1, last + 50);
            rows.refresh(Some(&timeline), &Scope::Everywhere, &Filter::default());
            assert!(!order.refresh(Some(timeline.steps()), &rows, sort, true), "waiting asks for no frame");
            assert_eq!((shown(&order), order.waiting(&rows)), (before, 50));
            assert!(order.place(timeline.steps(), &rows, Ok(last as usize + 3)).is_err());
            order.refresh(Some(timeline.steps()), &rows, sort, false);
            assert_eq!((order.len(), order.waiting(&rows)), (rows.len(), 0));
        }
    }

    #[test]
    fn another_filter_is_another_order() {
        let mut timeline = timeline();
        add(&mut timeline, 1, 1_000);
        let mut rows = all(&timeline);
        let mut order = Order::default();
        let sort = Sort { by: SortBy::Ms, descending: true };
        while order.refresh(Some(timeline.steps()), &rows, sort, false) {}
        while rows.refresh(Some(&timeline), &Scope::Everywhere, &Filter::parse("name:pay").unwrap()) {}
        while order.refresh(Some(timeline.steps()), &rows, sort, true) {}
        let mut expected = expected(&timeline, &rows, SortBy::Ms);
        expected.reverse();
        assert_eq!(shown(&order), expected);
        assert!(order.refresh(None, &rows, sort, false) || order.len() == 0);
    }
}
