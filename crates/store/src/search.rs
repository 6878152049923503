//! Text in the values that states took, and in the paths that changed.
//!
//! What is searched is the logs of changes, segment by segment: a value is found where it came, not in each of the steps
//! that had it, so a recording of gigabytes is read as megabytes.

use std::time::Duration;

use inspector_model::{Hit, SearchOptions, Side, StateAnswer, StepId};
use inspector_tape::PlacePath;
use memchr::memmem::Finder;

use crate::disk::Instant;
use crate::error::StoreError;
use crate::history::meant;
use crate::index::{IndexPath, LogEntry, LogOp, NO_PARENT, SegmentIndex, entries, readable, stream_of};
use crate::reader::Reader;
use crate::rebuild;
use crate::segment::MOST_STEPS;

/// Changes of one step that are told.
const MOST_LOGGED: usize = 200_000;

/// How much of a value is shown around what was found.
const SHOWN: usize = 80;

/// A search that is under way. Dropping it ends it.
pub struct Search {
    reader: Reader,
    options: SearchOptions,
    needle: Needle,
    /// The first step of the last segment that was searched.
    at: u64,
    found: usize,
    done: bool,
}

impl Reader {
    /// Begins a search. [`Search::run`] carries it on.
    pub fn search(&self, options: SearchOptions) -> Search {
        self.search_on(options, StepId(0))
    }

    /// Goes on with a search where an earlier one stood: see [`Search::next`].
    pub fn search_on(&self, options: SearchOptions, next: StepId) -> Search {
        let needle = Needle::new(&options.text, options.case_sensitive);
        let done = options.text.is_empty() || !(options.values || options.paths);
        Search { reader: self.clone(), options, needle, at: next.0, found: 0, done }
    }
}

/// A change as the log has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedChange {
    /// The path.
    pub path: PlacePath,
    /// What happened.
    pub op: LogOp,
    /// The value that came, as JSON; of a long text the part that differs with some around it. Empty for what went or moved.
    pub value: String,
}

impl Reader {
    /// What a step changed, from the log: also where its states were dropped. Of 200,000 changes and more the first are told. A view's first state is not in it.
    pub fn logged(&self, step: StepId) -> Result<Vec<LoggedChange>, StoreError> {
        let open = self.live(|writer| {
            let index = &writer.segment.index;
            (step.0 >= index.first).then(|| (index.first, index.stored_log(), index.to_bytes()))
        });
        let (first, log, index) = if let Some(open) = open.flatten() {
            open
        } else {
            let not_found = || StoreError::NotFound { what: format!("step {step}") };
            let first = self.source().segment_of(step.0)?.ok_or_else(not_found)?;
            let (log, index) = self.log_and_index(first)?;
            (first, log, index)
        };
        let index = SegmentIndex::from_bytes(first, &index);
        let (Some(index), Some((_, log))) = (index, SegmentIndex::split_log(&log)) else { return Ok(Vec::new()) };
        let entries = entries(first, log).take_while(|entry| entry.step <= step.0);
        let of_step = entries.filter(|entry| entry.step == step.0 && entry.op != LogOp::First);
        Ok(of_step
            .take(MOST_LOGGED)
            .map(|entry| LoggedChange {
                path: path_of(&index, entry.path),
                op: entry.op,
                value: String::from_utf8_lossy(entry.value).into_owned(),
            })
            .collect())
    }
}

impl Reader {
    /// The log and the index of a complete segment, made again where they are not stored.
    fn log_and_index(&self, first: u64) -> Result<(Vec<u8>, Vec<u8>), StoreError> {
        if let Some(index) = self.source().index_bytes(first)? {
            return Ok((self.source().log(first)?, index));
        }
        let index = rebuild::index(&self.source().segment(first)?);
        Ok((index.stored_log(), index.to_bytes()))
    }
}

/// A path without its stream.
fn path_of(index: &SegmentIndex, path: u32) -> PlacePath {
    PlacePath(index.names(path).into_iter().skip(1).map(<[u8]>::to_vec).collect())
}

impl Search {
    /// Searches on for about so long, at least one segment, and gives the hits in order of steps.
    pub fn run(&mut self, budget: Duration) -> Result<Vec<Hit>, StoreError> {
        let start = Instant::now();
        let mut hits = Vec::new();
        while !self.done {
            self.segment(&mut hits)?;
            if start.elapsed() >= budget {
                break;
            }
        }
        Ok(hits)
    }

    /// Whether everything was searched, or enough found.
    pub const fn is_done(&self) -> bool {
        self.done
    }

    /// Where another search can go on. `None`: everything was searched, or enough found.
    pub const fn next(&self) -> Option<StepId> {
        if self.done { None } else { Some(StepId(self.at)) }
    }

    /// Whether it ended because there was enough.
    pub const fn is_full(&self) -> bool {
        self.found >= self.options.most
    }

    /// The steps from the first on that were searched, of how many.
    pub fn progress(&self) -> (u64, u64) {
        let steps = self.reader.info().steps;
        (if self.done { steps } else { self.at.min(steps) }, steps)
    }

    fn segment(&mut self, hits: &mut Vec<Hit>) -> Result<(), StoreError> {
        let source = self.reader.source();
        // What is open is in memory, newer than in the database.
        let open = self.reader.live(|writer| writer.segment.first);
        let Some(first) = source.segment_after(self.at)?.filter(|first| open.is_none_or(|open| *first < open)) else {
            let newest = self.reader.live(|writer| {
                let index = &writer.segment.index;
                (Some(index.first) == open).then(|| (index.first, index.stored_log(), index.to_bytes()))
            });
            match newest {
                Some(Some((first, log, index))) => self.in_segment(first, &log, &index, hits)?,
                None if open.is_none() => {}
                // It has closed since it was looked at, and is in the database by now.
                None | Some(None) => return Ok(()),
            }
            self.done = true;
            return Ok(());
        };
        self.at = first;
        let (log, index) = self.reader.log_and_index(first)?;
        self.in_segment(first, &log, &index, hits)
    }

    fn in_segment(&mut self, first: u64, log: &[u8], index: &[u8], hits: &mut Vec<Hit>) -> Result<(), StoreError> {
        let Some((firsts, log)) = SegmentIndex::split_log(log) else { return Ok(()) };
        // Most segments have nothing: that is seen at once.
        let in_values = self.options.values && (firsts > 0 || self.needle.find(log).is_some());
        let in_paths = self.options.paths && self.needle.find(index).is_some();
        if !in_values && !in_paths {
            return Ok(());
        }
        let Some(index) = SegmentIndex::from_bytes(first, index) else { return Ok(()) };
        let has_it = |path: &IndexPath| in_paths && path.parent != NO_PARENT && self.needle.find(&path.name).is_some();
        let in_path: Vec<bool> = index.paths.iter().map(has_it).collect();
        let mut firsts = 0;
        for entry in entries(first, log) {
            // Each of them has its state read: a log has no more than its segment has states.
            firsts += usize::from(entry.op == LogOp::First);
            if firsts > 2 * MOST_STEPS || entry.step - first >= MOST_STEPS as u64 {
                break;
            }
            if self.found >= self.options.most {
                self.done = true;
                break;
            }
            let named = in_path.get(entry.path as usize).copied().unwrap_or_default();
            let value = if self.options.values { self.in_value(&entry)? } else { None };
            if !named && value.is_none() {
                continue;
            }
            let names = index.names(entry.path);
            let Some(stream) = names.first() else { continue };
            let Some(stream) = stream_of(stream).filter(|stream| meant(&self.options.scope, stream)) else { continue };
            self.found += 1;
            hits.push(Hit {
                step: StepId(entry.step),
                session: stream.0,
                view: stream.1,
                path: path_of(&index, entry.path).to_string(),
                in_path: value.is_none(),
                value: value.unwrap_or_else(|| around(entry.value, 0, 0)),
            });
        }
        Ok(())
    }

    /// The value around what was found in it.
    fn in_value(&self, entry: &LogEntry<'_>) -> Result<Option<String>, StoreError> {
        if entry.op != LogOp::First {
            return Ok(self.needle.find(entry.value).map(|at| around(entry.value, at, self.needle.len)));
        }
        for side in [Side::Before, Side::After] {
            if let StateAnswer::Full(text) = self.reader.state(StepId(entry.step), side)? {
                let readable = readable(text.as_bytes());
                let text = readable.as_deref().unwrap_or(text.as_bytes());
                if let Some(at) = self.needle.find(text) {
                    return Ok(Some(around(text, at, self.needle.len)));
                }
            }
        }
        Ok(None)
    }
}

/// A part of a value as text, cut at characters.
fn around(value: &[u8], at: usize, len: usize) -> String {
    let text = String::from_utf8_lossy(value);
    let from = text.floor_char_boundary(at.saturating_sub(SHOWN));
    let to = text.ceil_char_boundary((at + len + SHOWN).min(text.len()));
    let cut = |there: bool| if there { "…" } else { "" };
    format!("{}{}{}", cut(from > 0), &text[from..to], cut(to < text.len()))
}

/// What is looked for, ready to be found.
struct Needle {
    finder: Finder<'static>,
    fold: Fold,
    len: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fold {
    Nothing,
    Ascii,
    Everything,
}

impl Needle {
    fn new(text: &str, case_sensitive: bool) -> Self {
        // JSON has these in another spelling.
        let text = serde_json::Value::from(text).to_string();
        let text = &text[1..text.len() - 1];
        let fold = match (case_sensitive, text.is_ascii()) {
            (true, _) => Fold::Nothing,
            (false, true) => Fold::Ascii,
            (false, false) => Fold::Everything,
        };
        let needle = if fold == Fold::Nothing { text.to_owned() } else { text.to_lowercase() };
        Self { finder: Finder::new(needle.as_bytes()).into_owned(), fold, len: needle.len() }
    }

    /// Where it stands first, about: folding may change lengths.
    fn find(&self, text: &[u8]) -> Option<usize> {
        match self.fold {
            Fold::Nothing => self.finder.find(text),
            Fold::Ascii => self.finder.find(&text.to_ascii_lowercase()),
            Fold::Everything => self.finder.find(String::from_utf8_lossy(text).to_lowercase().as_bytes()),
        }
    }
}
