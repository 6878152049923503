//! The filter of the step table: `kind:event name:add* ms>50 -user:alice checkout`.
//!
//! Terms are joined by *and*, a leading `-` turns one round, commas list alternatives, `*` stands for anything.
//! A word without a key is looked for in the name, the error, the changed paths and the view.
//! `time:12:03..12:05:30.250` is a span of the clock, as the table shows it (see [`time`]); `time>=12:03` and the like work too.

mod time;

pub mod complete;
pub mod facets;
pub mod language;

use std::borrow::Cow;
use std::collections::BTreeMap;

use inspector_model::{Block, Scope, Session, SessionId, Status, StepKind, ViewId};

use self::language::{Field, Number, Takes};
use self::time::Span;
pub use self::time::term as time_term;

/// All statuses; the first is the one that is no error.
const STATUSES: [Status; 6] = [Status::Ok, Status::Raised, Status::Refused, Status::Invalid, Status::Limited, Status::Failed];

/// A filter that was understood.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    terms: Vec<Term>,
}

#[derive(Clone, Debug, PartialEq)]
struct Term {
    negated: bool,
    test: Test,
}

#[derive(Clone, Debug, PartialEq)]
enum Test {
    Kind(Vec<StepKind>),
    Status(Vec<Status>),
    Text(Field, Vec<Pattern>),
    Number(Number, Compare, f64),
    Time(Vec<Span>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Compare {
    Less,
    AtMost,
    Equal,
    AtLeast,
    More,
}

/// Lower-case text with `*` for anything. Without a star it matches anywhere.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Pattern(String);

impl Filter {
    /// Reads a filter. The error says in one sentence what is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let terms = words(text)?.iter().map(|word| parse_term(word)).collect::<Result<_, _>>()?;
        Ok(Self { terms })
    }

    /// Whether it asks for something that a session can change later.
    pub fn uses_session(&self) -> bool {
        self.terms.iter().any(|term| matches!(term.test, Test::Text(Field::User | Field::View | Field::Any, _)))
    }

    /// Visits the places from `from` on of a block whose steps pass. Says about how much that cost: what stands in tables is asked
    /// once, however many steps point to it.
    pub fn select(
        &self,
        block: &Block,
        from: usize,
        scope: &Scope,
        sessions: &BTreeMap<SessionId, Session>,
        mut visit: impl FnMut(usize),
    ) -> usize {
        let (streams, stream_of) = block.streams();
        let meant: Vec<bool> = streams.iter().map(|(session, view)| scope.has(session.as_ref(), view.as_ref())).collect();
        let mut cost = (block.len() - from) / 8;
        let tests: Vec<(bool, Ready<'_>)> = self
            .terms
            .iter()
            .map(|term| {
                let ready = Ready::new(&term.test, block, sessions);
                cost += ready.cost(block.len() - from);
                (term.negated, ready)
            })
            .collect();
        for at in from..block.len() {
            let inside = stream_of.get(at).and_then(|stream| meant.get(*stream as usize)).copied().unwrap_or_default();
            if inside && tests.iter().all(|(negated, test)| test.passes(block, at) != *negated) {
                visit(at);
            }
        }
        cost
    }
}

/// A test that was put to a block's tables.
enum Ready<'a> {
    Kind(&'a [StepKind]),
    Status(&'a [Status]),
    Number(Number, Compare, f64),
    Time(&'a [Span]),
    /// For each entry of a table whether it fits, and which entry each step has.
    Table(Vec<bool>, &'a [u16]),
    /// One of these, or the error.
    Any {
        tables: Vec<(Vec<bool>, &'a [u16])>,
        patterns: &'a [Pattern],
    },
}

impl<'a> Ready<'a> {
    fn new(test: &'a Test, block: &'a Block, sessions: &BTreeMap<SessionId, Session>) -> Self {
        match test {
            Test::Kind(kinds) => Self::Kind(kinds),
            Test::Status(statuses) => Self::Status(statuses),
            Test::Number(number, compare, wanted) => Self::Number(*number, *compare, *wanted),
            Test::Time(spans) => Self::Time(spans),
            Test::Text(Field::Any, patterns) => {
                let fields = [Field::Name, Field::Component, Field::Changed, Field::View];
                Self::Any { tables: fields.into_iter().map(|field| field.table(block, sessions, patterns)).collect(), patterns }
            }
            Test::Text(field, patterns) => {
                let (fits, of) = field.table(block, sessions, patterns);
                Self::Table(fits, of)
            }
        }
    }

    fn cost(&self, steps: usize) -> usize {
        match self {
            Self::Kind(_) | Self::Status(_) | Self::Number(..) | Self::Time(_) => steps / 16,
            Self::Table(fits, _) => steps / 16 + fits.len(),
            Self::Any { tables, .. } => steps + tables.iter().map(|(fits, _)| fits.len()).sum::<usize>(),
        }
    }

    fn passes(&self, block: &Block, at: usize) -> bool {
        let fits = |(fits, of): (&[bool], &[u16])| of.get(at).and_then(|of| fits.get(*of as usize)).copied().unwrap_or_default();
        match self {
            Self::Kind(kinds) => block.kinds().get(at).is_some_and(|kind| kinds.contains(kind)),
            Self::Status(statuses) => block.statuses().get(at).is_some_and(|status| statuses.contains(status)),
            Self::Number(number, compare, wanted) => number.of(block, at).is_some_and(|value| compare.holds(value, *wanted)),
            Self::Time(spans) => block.started().get(at).is_some_and(|started| spans.iter().any(|span| span.has(*started))),
            Self::Table(table, of) => fits((table, of)),
            Self::Any { tables, patterns } => {
                tables.iter().any(|(table, of)| fits((table, of)))
                    || block.error(at).is_some_and(|error| patterns.iter().any(|pattern| pattern.matches(error)))
            }
        }
    }
}

impl Number {
    fn of(self, block: &Block, at: usize) -> Option<f64> {
        match self {
            Self::Ms => block.duration_ms(at),
            Self::Sql => Some(f64::from(block.counted(at).sql)),
            Self::Logs => Some(f64::from(block.counted(at).logs)),
            Self::Bytes => block.state_bytes().get(at).map(|bytes| *bytes as f64),
            Self::Frames => Some(f64::from(block.counted(at).frames)),
            Self::Id => block.ids().get(at).map(|id| id.0 as f64),
        }
    }
}

impl Compare {
    fn holds(self, value: f64, wanted: f64) -> bool {
        match self {
            Self::Less => value < wanted,
            Self::AtMost => value <= wanted,
            Self::Equal => (value - wanted).abs() < 1e-9,
            Self::AtLeast => value >= wanted,
            Self::More => value > wanted,
        }
    }
}

impl Field {
    /// Which entries of the field's table fit, and the entry of each step.
    fn table<'a>(self, block: &'a Block, sessions: &BTreeMap<SessionId, Session>, patterns: &[Pattern]) -> (Vec<bool>, &'a [u16]) {
        let any = |text: &str| patterns.iter().any(|pattern| pattern.matches(text));
        let opt = |text: Option<&str>| text.is_some_and(any);
        match self {
            Self::Name | Self::Any => {
                let (names, of) = block.names();
                (names.iter().map(|name| any(&name.name)).collect(), of)
            }
            Self::Component => {
                let (names, of) = block.names();
                (names.iter().map(|name| opt(name.component.as_deref())).collect(), of)
            }
            Self::Changed => {
                let (changes, of) = block.changes();
                let fits = |path: &str| any(path) || patterns.iter().any(|pattern| path_within(path, &pattern.0));
                (changes.iter().map(|changed| changed.paths.iter().any(|path| fits(path))).collect(), of)
            }
            Self::User | Self::Session | Self::View => {
                let (streams, of) = block.streams();
                let fits = |(session, view): &(Option<SessionId>, Option<ViewId>)| {
                    let page = session.as_ref().and_then(|session| sessions.get(session));
                    match self {
                        Self::Session => opt(session.as_ref().map(SessionId::as_str)),
                        Self::View => opt(view.as_ref().map(ViewId::as_str)) || opt(page.and_then(|page| view_class(page, view.as_ref()))),
                        _ => page.is_some_and(|page| any(page.user_name())),
                    }
                };
                (streams.iter().map(fits).collect(), of)
            }
        }
    }
}

/// The class of a view of a page.
fn view_class<'a>(page: &'a Session, view: Option<&ViewId>) -> Option<&'a str> {
    page.view_of(view).map(|view| view.class.as_str())
}

/// `cart` is asked for and `cart.items[3]` changed, or the other way round.
fn path_within(path: &str, asked: &str) -> bool {
    let path = lower(path);
    let inside = |outer: &str, inner: &str| inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with(['.', '[']));
    !asked.contains('*') && (inside(asked, &path) || inside(&path, asked))
}

impl Pattern {
    fn new(text: &str) -> Self {
        Self(text.to_lowercase())
    }

    fn matches(&self, text: &str) -> bool {
        let text = lower(text);
        if self.0.contains('*') { glob(&self.0, &text) } else { text.contains(&self.0) }
    }
}

/// In lower case; most texts are already, and cost nothing.
fn lower(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) { text.into() } else { text.to_lowercase().into() }
}

fn glob(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or("");
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut parts = parts.peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.is_empty()
}

/// A filter's text with this term in place of another one of time: steps in both would be few.
pub fn with_time(text: &str, term: &str) -> String {
    let mut quoted = false;
    let between = |c: char| {
        quoted ^= c == '"';
        c.is_whitespace() && !quoted
    };
    let kept = text.split(between).filter(|other| !other.is_empty() && !other.starts_with("time:"));
    kept.chain(std::iter::once(term)).collect::<Vec<_>>().join(" ")
}

/// Splits at spaces, but not inside quotes.
fn words(text: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quoted = false;
    let mut any = false;
    for c in text.chars() {
        match c {
            '"' => {
                quoted = !quoted;
                any = true;
            }
            c if c.is_whitespace() && !quoted => {
                if any {
                    words.push(std::mem::take(&mut word));
                }
                any = false;
            }
            c => {
                word.push(c);
                any = true;
            }
        }
    }
    if quoted {
        return Err("A quote is opened and not closed".to_owned());
    }
    if any {
        words.push(word);
    }
    Ok(words)
}

fn parse_term(word: &str) -> Result<Term, String> {
    let (negated, body) = match word.strip_prefix('-') {
        Some(rest) if !rest.is_empty() => (true, rest),
        _ => (false, word),
    };
    let Some(at) = body.find([':', '<', '>', '=']) else {
        return Ok(Term { negated, test: Test::Text(Field::Any, vec![Pattern::new(body)]) });
    };
    let (key, rest) = body.split_at(at);
    let (compare, value) = if let Some(value) = rest.strip_prefix(">=") {
        (Compare::AtLeast, value)
    } else if let Some(value) = rest.strip_prefix("<=") {
        (Compare::AtMost, value)
    } else if let Some(value) = rest.strip_prefix('>') {
        (Compare::More, value)
    } else if let Some(value) = rest.strip_prefix('<') {
        (Compare::Less, value)
    } else {
        (Compare::Equal, &rest[1..])
    };
    if value.is_empty() {
        return Err(format!("“{key}” has no value: write {key}{rest}something"));
    }
    let Some(known) = language::key(key) else {
        return Err(format!("There is no key “{key}”. Keys are {}", language::words()));
    };
    if compare != Compare::Equal && !matches!(known.takes, Takes::Time | Takes::Number(_)) {
        return Err(format!("“{key}” is text: write {key}:{value}"));
    }
    let values = value.split(',').filter(|value| !value.is_empty());
    let test = match known.takes {
        Takes::Text(field) => Test::Text(field, values.map(Pattern::new).collect()),
        Takes::Kind => Test::Kind(values.map(parse_kinds).collect::<Result<Vec<_>, _>>()?.concat()),
        Takes::Status => Test::Status(values.map(parse_statuses).collect::<Result<Vec<_>, _>>()?.concat()),
        Takes::Time => Test::Time(values.map(|value| Span::parse(compare, value)).collect::<Result<_, _>>()?),
        Takes::Number(number) => {
            let wanted = value.parse().map_err(|_| format!("“{value}” is no number: write {key}>50"))?;
            Test::Number(number, compare, wanted)
        }
    };
    Ok(Term { negated, test })
}

fn parse_kinds(text: &str) -> Result<Vec<StepKind>, String> {
    let pattern = text.to_lowercase();
    let found: Vec<_> =
        StepKind::ALL.into_iter().filter(|kind| kind.word() == pattern || (pattern.contains('*') && glob(&pattern, kind.word()))).collect();
    if found.is_empty() {
        let all: Vec<_> = StepKind::ALL.iter().map(|kind| kind.word()).collect();
        return Err(format!("There is no kind “{text}”. Kinds are {}", all.join(", ")));
    }
    Ok(found)
}

fn parse_statuses(text: &str) -> Result<Vec<Status>, String> {
    if text == "error" {
        return Ok(STATUSES[1..].to_vec());
    }
    let found = STATUSES.into_iter().find(|status| status.word() == text);
    found.map(|status| vec![status]).ok_or_else(|| {
        let all: Vec<_> = STATUSES.iter().map(|status| status.word()).collect();
        format!("There is no status “{text}”. Statuses are {}, and error for all but ok", all.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use inspector_model::{ChangeCounts, Step, StepId, Steps};

    use super::*;

    fn step() -> Step {
        Step {
            id: StepId(41),
            key: String::new(),
            session: Some("s-1".into()),
            view: None,
            component: None,
            kind: StepKind::Event,
            name: "add_item".into(),
            started: 1.0,
            duration_ms: Some(60.0),
            status: Status::Raised,
            error: Some("ValueError: no stock".into()),
            changes: ChangeCounts::default(),
            changed: vec!["cart.items[3]".into(), "total".into()],
            sql: 3,
            logs: 0,
            frames: 2,
            received: 0,
            state_bytes: 100,
            rendered: true,
            history: false,
            cause: None,
            hits: Vec::new(),
        }
    }

    fn session() -> Session {
        serde_json::from_str(r#"{"session":"s-1","user":"Alice","view":{"class":"shop.views.CartView"}}"#).unwrap()
    }

    #[test]
    fn terms_select_as_they_say() {
        let steps: Steps = std::iter::once(step()).collect();
        let sessions = BTreeMap::from([(SessionId::from("s-1"), session())]);
        for (text, expected) in [
            ("", true),
            ("kind:event", true),
            ("kind:tick,event", true),
            ("kind:tick", false),
            ("-kind:tick", true),
            ("kind:*e*", true),
            ("name:add*", true),
            ("name:*_item", true),
            ("name:add*x", false),
            ("status:error", true),
            ("status:ok", false),
            ("ms>50", true),
            ("ms>=60 ms<61", true),
            ("ms<50", false),
            ("sql:3", true),
            ("changed:cart", true),
            ("changed:cart.items", true),
            ("changed:cart.total", false),
            ("user:alice", true),
            ("-user:alice", false),
            ("view:CartView", true),
            ("stock", true),
            ("\"no stock\"", true),
            ("text:nothing", false),
            ("session:s-1 id:41", true),
            ("time:00:00:01", true),
            ("-time:00:00:02", true),
            ("time:00:00:01.000..00:01", true),
            ("time:1970-01-01T00:00,12:00", true),
            ("time:00:01..", false),
            ("time>=00:00:01 time<00:00:02", true),
            ("time>00:00", false),
        ] {
            let filter = Filter::parse(text).unwrap();
            let mut found = false;
            filter.select(steps.block(0).0, 0, &Scope::Everywhere, &sessions, |_| found = true);
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn a_span_of_time_takes_the_place_of_another() {
        assert_eq!(with_time("", "time:1"), "time:1");
        assert_eq!(with_time(r#"kind:event time:12:00 "two  words""#, "time:1"), r#"kind:event "two  words" time:1"#);
    }

    #[test]
    fn a_wrong_filter_says_what_is_wrong() {
        for (text, part) in [
            ("knd:event", "no key “knd”"),
            ("kind:evnt", "no kind “evnt”"),
            ("status:bad", "no status “bad”"),
            ("ms>fast", "is no number"),
            ("name>3", "is text"),
            ("name:", "has no value"),
            ("\"open", "not closed"),
            ("time:noon", "is no time"),
            ("time:12", "is no time"),
            ("time:25:00", "is no time"),
            ("time:2026-02-30T10:00", "is no time"),
            ("time>12:00..13:00", "is one time"),
        ] {
            let error = Filter::parse(text).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
