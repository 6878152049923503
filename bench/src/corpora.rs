//! Generated states of five sorts of pages, the same in every run, written as Python's `json.dumps` writes them.

use std::fmt::Write as _;
use std::sync::Arc;

/// A sort of page.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// A counter with a short history, 200 bytes.
    Counter,
    /// A table of to-dos, 50 KB: fields change, rows come, go and move.
    Table,
    /// 10,000 rows, 1 MB: rows are put in first, edited, and all turned round.
    Large,
    /// A text of 100 KB that is written in.
    Text,
    /// A table of which one of eight pages is shown, 50 KB.
    Pages,
}

impl Sort {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Counter, Self::Table, Self::Large, Self::Text, Self::Pages];

    /// The letter that stands for it in tables.
    pub const fn letter(self) -> &'static str {
        match self {
            Self::Counter => "a",
            Self::Table => "b",
            Self::Large => "c",
            Self::Text => "d",
            Self::Pages => "e",
        }
    }

    /// The sort with a letter.
    pub fn of_letter(letter: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sort| sort.letter() == letter)
    }

    /// How many steps a recording of it has unless told otherwise.
    pub const fn steps(self) -> usize {
        match self {
            Self::Counter => 50_000,
            Self::Table => 20_000,
            Self::Large | Self::Pages => 1_000,
            Self::Text => 3_000,
        }
    }
}

/// An event that is asked for by name.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// A field or two of one row.
    Edit,
    /// A row at the head.
    Insert,
    /// A row goes elsewhere ([`Sort::Table`] only).
    Move,
    /// All rows the other way round ([`Sort::Large`] only).
    Reverse,
}

const WORDS: [&str; 32] = [
    "garden",
    "letter",
    "about",
    "winter",
    "budget",
    "review",
    "caf\\u00e9",
    "meeting",
    "order",
    "night",
    "paint",
    "river",
    "sample",
    "train",
    "update",
    "window",
    "yellow",
    "basket",
    "copper",
    "dinner",
    "engine",
    "forest",
    "guitar",
    "harbor",
    "island",
    "jacket",
    "kitchen",
    "ladder",
    "market",
    "number",
    "orange",
    "pencil",
];

/// xorshift64*.
pub struct Random(u64);

impl Random {
    /// The same numbers for the same seed, which is not 0.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number from 0 to before `end`.
    pub fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % end
    }

    fn words(&mut self, count: usize) -> String {
        let mut text = String::new();
        for nth in 0..count {
            if nth > 0 {
                text.push(' ');
            }
            text.push_str(WORDS[self.below(WORDS.len())]);
        }
        text
    }
}

struct Row {
    id: usize,
    title: String,
    done: bool,
    rest: String,
    updated: String,
}

/// A page that makes one state after another.
pub struct Pages {
    sort: Sort,
    random: Random,
    step: usize,
    next_id: usize,
    rows: Vec<Row>,
    other: Vec<Vec<Row>>,
    lines: Vec<String>,
    count: usize,
    history: Vec<usize>,
    search: String,
    selected: usize,
}

impl Pages {
    /// Before its first event.
    pub fn new(sort: Sort) -> Self {
        let mut pages = Self {
            sort,
            random: Random::new(0x9e37_79b9_7f4a_7c15),
            step: 0,
            next_id: 0,
            rows: Vec::new(),
            other: Vec::new(),
            lines: Vec::new(),
            count: 0,
            history: Vec::new(),
            search: String::new(),
            selected: 0,
        };
        let rows = match sort {
            Sort::Table | Sort::Pages => 120,
            Sort::Large => 10_000,
            Sort::Counter | Sort::Text => 0,
        };
        pages.rows = (0..rows).map(|_| pages.row()).collect();
        if sort == Sort::Pages {
            pages.other = (0..7).map(|_| (0..rows).map(|_| pages.row()).collect()).collect();
        }
        if sort == Sort::Text {
            pages.lines = (0..1_200).map(|_| pages.random.words(12)).collect();
        }
        pages
    }

    fn row(&mut self) -> Row {
        self.next_id += 1;
        let random = &mut self.random;
        let (title_words, note_words, owner) = (4 + random.below(6), 6 + random.below(14), random.below(10));
        let rest = if self.sort == Sort::Large {
            format!(
                r#""qty": {}, "price": "{}.{:02}", "sku": "{:08x}""#,
                random.below(1000),
                random.below(500),
                random.below(100),
                random.below(1 << 31)
            )
        } else {
            format!(
                r#""assignee": {{"id": {owner}, "name": "{}", "email": "user{owner}@example.com"}}, "priority": "{}", "tags": ["{}"], "notes": "{}", "estimate": "{}.{:02}""#,
                random.words(2),
                ["low", "normal", "high"][random.below(3)],
                random.words(1),
                random.words(note_words),
                random.below(40),
                random.below(100),
            )
        };
        let title = if self.sort == Sort::Large { random.words(2) } else { random.words(title_words) };
        Row { id: self.next_id, title, done: random.below(3) == 0, rest, updated: self.stamp() }
    }

    fn stamp(&mut self) -> String {
        let seconds = self.step * 3;
        let (hour, minute) = (seconds / 3_600 % 24, seconds / 60 % 60);
        format!("2026-09-01T{hour:02}:{minute:02}:{:02}.{:06}+00:00", seconds % 60, self.random.below(1_000_000))
    }

    /// One event of the sort's own mix.
    pub fn turn(&mut self) {
        let kind = self.random.below(100);
        self.turn_as(kind);
    }

    /// A certain event: see [`Turn`].
    pub fn turn_by(&mut self, turn: Turn) {
        self.turn_as(match turn {
            Turn::Edit if self.sort == Sort::Table => 0,
            Turn::Insert if self.sort == Sort::Table => 80,
            Turn::Move => 99,
            Turn::Insert => 0,
            Turn::Edit => 45,
            Turn::Reverse => 95,
        });
    }

    fn turn_as(&mut self, kind: usize) {
        self.step += 1;
        match self.sort {
            Sort::Counter => {
                self.count += 1 + self.random.below(3);
                self.history.push(self.count);
                if self.history.len() > 8 {
                    self.history.remove(0);
                }
            }
            Sort::Table => self.turn_table(kind),
            Sort::Large => match kind {
                0..45 => {
                    let row = self.row();
                    self.rows.insert(0, row);
                }
                45..90 => {
                    let at = self.random.below(self.rows.len());
                    self.rows[at].done ^= true;
                }
                _ => self.rows.reverse(),
            },
            Sort::Text => {
                let at = self.random.below(self.lines.len());
                let words = 1 + self.random.below(3);
                let words = self.random.words(words);
                let line = &mut self.lines[at];
                let place = line.find(' ').unwrap_or(0);
                if kind < 70 || line.len() < 40 {
                    line.insert_str(place, &format!(" {words}"));
                } else {
                    line.replace_range(..place, "");
                }
            }
            Sort::Pages => {
                let page = self.random.below(self.other.len());
                std::mem::swap(&mut self.rows, &mut self.other[page]);
                self.count = page;
            }
        }
    }

    fn turn_table(&mut self, kind: usize) {
        let at = self.random.below(self.rows.len());
        match kind {
            0..40 => {
                self.rows[at].done ^= true;
                self.rows[at].updated = self.stamp();
            }
            40..55 => {
                let words = 4 + self.random.below(6);
                self.rows[at].title = self.random.words(words);
                self.rows[at].updated = self.stamp();
            }
            55..62 => self.count += 1,
            62..72 => {
                if self.search.len() > 12 {
                    self.search.clear();
                }
                self.search.push(char::from(b'a' + self.random.below(26) as u8));
            }
            72..80 => self.selected = self.rows[at].id,
            80..90 if self.rows.len() < 140 => {
                let row = self.row();
                let place = if kind < 85 { 0 } else { at };
                self.rows.insert(place, row);
            }
            80..95 => drop(self.rows.remove(at)),
            _ => {
                let row = self.rows.remove(at);
                let to = self.random.below(self.rows.len() + 1);
                self.rows.insert(to, row);
            }
        }
    }

    /// The state's assigns by name, each as JSON.
    pub fn assigns(&self) -> Vec<(&'static str, String)> {
        match self.sort {
            Sort::Counter => vec![
                ("client_timezone", r#""Europe/Vienna""#.to_owned()),
                ("count", self.count.to_string()),
                ("label", r#""start""#.to_owned()),
                ("history", format!("{:?}", self.history)),
                ("page_title", r#""A counter that counts""#.to_owned()),
            ],
            Sort::Text => {
                let mut body = String::from("\"");
                for line in &self.lines {
                    body.push_str(line);
                    body.push_str(".\\n");
                }
                body.push('"');
                vec![("title", r#""Editor""#.to_owned()), ("body", body), ("saved", self.step.to_string())]
            }
            Sort::Table | Sort::Large | Sort::Pages => vec![
                ("page_title", r#""Things""#.to_owned()),
                ("search", format!("\"{}\"", self.search)),
                ("selected", self.selected.to_string()),
                ("stats", format!(r#"{{"total": {}, "clicks": {}}}"#, self.rows.len(), self.count)),
                ("rows", self.rows_json()),
                ("form", r#"{"title": "", "errors": {}, "is_valid": true}"#.to_owned()),
            ],
        }
    }

    fn rows_json(&self) -> String {
        let mut out = String::from("[");
        for (nth, row) in self.rows.iter().enumerate() {
            if nth > 0 {
                out.push_str(", ");
            }
            let Row { id, title, done, rest, updated } = row;
            let _ = write!(out, r#"{{"id": {id}, "title": "{title}", "done": {done}, {rest}"#);
            if self.sort != Sort::Large {
                let _ = write!(out, r#", "updated_at": "{updated}""#);
            }
            out.push('}');
        }
        out.push(']');
        out
    }

    /// The state.
    pub fn json(&self) -> Arc<str> {
        object(&self.assigns()).into()
    }
}

/// Members as an object.
pub fn object(members: &[(&str, String)]) -> String {
    let members: Vec<String> = members.iter().map(|(name, value)| format!(r#""{name}": {value}"#)).collect();
    format!("{{{}}}", members.join(", "))
}
