//! The walk through two values at once.

use std::collections::{HashMap, HashSet};

use inspector_model::{Change, ChangeCounts, Diff, Kind, Note, Op, Path, Segment, Value};

use crate::clock::Clock;
use crate::{Options, list, text};

/// How deep the walk goes. The agent's walker stops far above it; below, values are compared whole.
const MAX_DEPTH: usize = 128;

/// Strings up to this many bytes are read faster whole than as places.
const SHORT_TEXT: usize = 64;

/// Of a long string at least this part must be common, or it is another string.
const COMMON_PART: usize = 8;

pub(crate) fn run(before: &Value, after: &Value, options: &Options<'_>) -> Diff {
    let mut walk = Walk { clock: Clock::new(options.deadline), options: *options, path: Vec::new(), changes: Vec::new(), cut_short: false };
    walk.value(before, after);
    let mut counts = ChangeCounts::default();
    for change in &walk.changes {
        *match change.op {
            Op::Added(_) => &mut counts.added,
            Op::Removed(_) => &mut counts.removed,
            Op::Changed { .. } | Op::Text { .. } => &mut counts.changed,
            Op::Moved { .. } | Op::Reordered { .. } => &mut counts.moved,
        } += 1;
    }
    Diff { changes: walk.changes, counts, cut_short: walk.cut_short }
}

struct Walk<'a> {
    clock: Clock,
    options: Options<'a>,
    path: Vec<Segment>,
    changes: Vec<Change>,
    cut_short: bool,
}

impl Walk<'_> {
    fn value(&mut self, before: &Value, after: &Value) {
        if before == after {
            return;
        }
        if self.clock.is_over() || self.path.len() >= MAX_DEPTH {
            self.cut_short = true;
            return self.whole(before, after);
        }
        match (before, after) {
            (Value::Map(was), Value::Map(is)) => self.map(before, after, was, is),
            (Value::List(was), Value::List(is)) => self.list(before, after, was, is),
            (Value::Text(was), Value::Text(is)) => self.text(was, is),
            (Value::Typed { kind: was, fields: old }, Value::Typed { kind: is, fields: new }) if was == is => {
                self.typed(before, after, old, new);
            }
            _ => self.whole(before, after),
        }
    }

    /// A typed container is walked through when it is the same but for its content. A container that was cut also has
    /// the true length beside its content, which is told as a change of its own.
    fn typed(&mut self, before: &Value, after: &Value, old: &[(String, Value)], new: &[(String, Value)]) {
        let cut_list = matches!((before, before.content()), (Value::Typed { kind: Kind::Cut, .. }, Value::List(_)));
        let mut seen = HashSet::new();
        let same_frame = old.len() == new.len()
            && old.iter().zip(new).all(|((key, was), (other, is))| {
                key == other && seen.insert(key.as_str()) && (key == "v" || (cut_list && key == "len") || was == is)
            });
        match (before.content(), after.content()) {
            (Value::Map(was), Value::Map(is)) if same_frame => self.map(before, after, was, is),
            (Value::List(was), Value::List(is)) if same_frame => {
                if let (true, Some(was), Some(is)) = (cut_list, before.field("len"), after.field("len"))
                    && was != is
                {
                    self.path.push(Segment::Key("len".to_owned()));
                    self.whole(was, is);
                    self.path.pop();
                }
                self.list(before, after, was, is);
            }
            _ => self.whole(before, after),
        }
    }

    fn map(&mut self, before: &Value, after: &Value, was: &[(String, Value)], is: &[(String, Value)]) {
        let old: HashMap<&str, usize> = was.iter().enumerate().map(|(index, (key, _))| (key.as_str(), index)).collect();
        let new: HashSet<&str> = is.iter().map(|(key, _)| key.as_str()).collect();
        if old.len() != was.len() || new.len() != is.len() {
            return self.whole(before, after);
        }
        self.removed_keys(was, 0, &new);
        for (key, now) in is {
            self.path.push(Segment::Key(key.clone()));
            match old.get(key.as_str()) {
                None => self.push(Op::Added(now.clone())),
                Some(index) => self.value(&was[*index].1, now),
            }
            self.path.pop();
            if let Some(index) = old.get(key.as_str()) {
                self.removed_keys(was, index + 1, &new);
            }
        }
    }

    /// Reports the keys that are gone from `from` on, up to the next one that stayed.
    fn removed_keys(&mut self, was: &[(String, Value)], from: usize, stayed: &HashSet<&str>) {
        for (key, gone) in was[from..].iter().take_while(|(key, _)| !stayed.contains(key.as_str())) {
            self.path.push(Segment::Key(key.clone()));
            self.push(Op::Removed(gone.clone()));
            self.path.pop();
        }
    }

    fn list(&mut self, before: &Value, after: &Value, was: &[Value], is: &[Value]) {
        let Some(alignment) = list::align(was, is, &self.clock) else {
            self.cut_short = true;
            return self.whole(before, after);
        };
        if alignment.reordered {
            let (places, order) =
                alignment.from.iter().enumerate().filter_map(|(place, origin)| origin.map(|origin| (place, origin))).unzip();
            self.push(Op::Reordered { order, places });
        }
        let mut stayed = vec![false; was.len()];
        for origin in alignment.from.iter().flatten() {
            stayed[*origin] = true;
        }
        self.removed_items(was, 0, &stayed);
        for (place, now) in is.iter().enumerate() {
            self.path.push(Segment::Index(place));
            match alignment.from[place] {
                None => self.push(Op::Added(now.clone())),
                Some(from) => {
                    if alignment.moved[place] && !alignment.reordered {
                        self.push(Op::Moved { from });
                    }
                    self.value(&was[from], now);
                }
            }
            self.path.pop();
            if let Some(from) = alignment.from[place] {
                self.removed_items(was, from + 1, &stayed);
            }
        }
    }

    /// Reports the elements that are gone from `from` on, up to the next one that stayed.
    fn removed_items(&mut self, was: &[Value], from: usize, stayed: &[bool]) {
        for index in (from..was.len()).take_while(|index| !stayed[*index]) {
            self.path.push(Segment::Index(index));
            self.push(Op::Removed(was[index].clone()));
            self.path.pop();
        }
    }

    fn text(&mut self, was: &str, is: &str) {
        let (before, after) = (was.to_owned(), is.to_owned());
        if was.len() > SHORT_TEXT && is.len() > SHORT_TEXT {
            let hunks = text::diff_text_until(was, is, self.clock.end());
            self.cut_short |= self.clock.is_over();
            if text::common_bytes(is, &hunks) * COMMON_PART >= was.len().max(is.len()) {
                return self.push(Op::Text { before, after, hunks });
            }
        }
        self.push(Op::Changed { before: Value::Text(before), after: Value::Text(after) });
    }

    fn whole(&mut self, before: &Value, after: &Value) {
        self.push(Op::Changed { before: before.clone(), after: after.clone() });
    }

    fn push(&mut self, op: Op) {
        let note = self.note(&op);
        self.changes.push(Change { path: Path(self.path.clone()), op, note });
    }

    fn note(&self, op: &Op) -> Option<Note> {
        if let Some(Segment::Key(top)) = self.path.first() {
            if self.options.temporary_assigns.contains(top) {
                return Some(Note::TemporaryReset);
            }
            if self.options.static_assigns.contains(top) {
                return Some(Note::StaticAssign);
            }
        }
        match op {
            Op::Changed { before, after } if before.type_name() != after.type_name() => Some(Note::TypeChanged),
            _ => None,
        }
    }
}
