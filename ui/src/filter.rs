//! The filter of the step table: `kind:event name:add* ms>50 -user:alice checkout`.
//!
//! Terms are joined by *and*, a leading `-` turns one round, commas list alternatives, `*` stands for anything.
//! A word without a key is looked for in the name, the error, the changed paths and the view.

use inspector_model::{Session, Status, Step, StepKind};

const KEYS: &str = "kind, name, changed, status, user, session, view, component, text, and with < or >: ms, sql, logs, bytes, frames, id";

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
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Name,
    Changed,
    User,
    Session,
    View,
    Component,
    Any,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Number {
    Ms,
    Sql,
    Logs,
    Bytes,
    Frames,
    Id,
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

    /// Whether a step passes. `session` is the step's page, if it has one.
    pub fn matches(&self, step: &Step, session: Option<&Session>) -> bool {
        self.terms.iter().all(|term| term.test.matches(step, session) != term.negated)
    }
}

impl Test {
    fn matches(&self, step: &Step, session: Option<&Session>) -> bool {
        match self {
            Self::Kind(kinds) => kinds.contains(&step.kind),
            Self::Status(statuses) => statuses.contains(&step.status),
            Self::Number(number, compare, wanted) => number.of(step).is_some_and(|value| compare.holds(value, *wanted)),
            Self::Text(field, patterns) => patterns.iter().any(|pattern| field.matches(step, session, pattern)),
        }
    }
}

impl Number {
    fn of(self, step: &Step) -> Option<f64> {
        match self {
            Self::Ms => step.duration_ms,
            Self::Sql => Some(f64::from(step.sql)),
            Self::Logs => Some(f64::from(step.logs)),
            Self::Bytes => Some(step.state_bytes as f64),
            Self::Frames => Some(f64::from(step.frames)),
            Self::Id => Some(step.id.0 as f64),
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
    fn matches(self, step: &Step, session: Option<&Session>, pattern: &Pattern) -> bool {
        let view_class = || {
            let session = session?;
            match &step.view {
                None => session.view.as_ref(),
                Some(id) => session.children.iter().find(|child| child.id.as_deref() == Some(id.as_str())),
            }
            .map(|view| view.class.as_str())
        };
        let opt = |text: Option<&str>| text.is_some_and(|text| pattern.matches(text));
        match self {
            Self::Name => pattern.matches(&step.name),
            Self::Changed => step.changed.iter().any(|path| pattern.matches(path) || path_within(path, &pattern.0)),
            Self::User => match session.and_then(|session| session.user.as_deref()) {
                Some(user) => pattern.matches(user),
                None => session.is_some() && pattern.matches("anonymous"),
            },
            Self::Session => opt(step.session.as_ref().map(inspector_model::SessionId::as_str)),
            Self::View => opt(step.view.as_ref().map(inspector_model::ViewId::as_str)) || opt(view_class()),
            Self::Component => opt(step.component.as_deref()),
            Self::Any => {
                pattern.matches(&step.name)
                    || opt(step.error.as_deref())
                    || step.changed.iter().any(|path| pattern.matches(path))
                    || opt(step.component.as_deref())
                    || opt(view_class())
            }
        }
    }
}

/// `cart` is asked for and `cart.items[3]` changed, or the other way round.
fn path_within(path: &str, asked: &str) -> bool {
    let path = path.to_lowercase();
    let inside = |outer: &str, inner: &str| inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with(['.', '[']));
    !asked.contains('*') && (inside(asked, &path) || inside(&path, asked))
}

impl Pattern {
    fn new(text: &str) -> Self {
        Self(text.to_lowercase())
    }

    fn matches(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        if self.0.contains('*') { glob(&self.0, &text) } else { text.contains(&self.0) }
    }
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
    let number = match key {
        "ms" => Some(Number::Ms),
        "sql" => Some(Number::Sql),
        "logs" => Some(Number::Logs),
        "bytes" => Some(Number::Bytes),
        "frames" => Some(Number::Frames),
        "id" | "#" => Some(Number::Id),
        _ => None,
    };
    if let Some(number) = number {
        let wanted = value.parse().map_err(|_| format!("“{value}” is no number: write {key}>50"))?;
        return Ok(Term { negated, test: Test::Number(number, compare, wanted) });
    }
    let field = match key {
        "kind" | "status" => None,
        "name" => Some(Field::Name),
        "changed" => Some(Field::Changed),
        "user" => Some(Field::User),
        "session" => Some(Field::Session),
        "view" => Some(Field::View),
        "component" => Some(Field::Component),
        "text" => Some(Field::Any),
        _ => return Err(format!("There is no key “{key}”. Keys are {KEYS}")),
    };
    if compare != Compare::Equal {
        return Err(format!("“{key}” is text: write {key}:{value}"));
    }
    let values = value.split(',').filter(|value| !value.is_empty());
    let test = match (key, field) {
        (_, Some(field)) => Test::Text(field, values.map(Pattern::new).collect()),
        ("kind", None) => Test::Kind(values.map(parse_kinds).collect::<Result<Vec<_>, _>>()?.concat()),
        (_, None) => Test::Status(values.map(parse_statuses).collect::<Result<Vec<_>, _>>()?.concat()),
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
    const ALL: [Status; 6] = [Status::Ok, Status::Raised, Status::Refused, Status::Invalid, Status::Limited, Status::Failed];
    if text == "error" {
        return Ok(ALL[1..].to_vec());
    }
    let found = ALL.into_iter().find(|status| status.word() == text);
    found.map(|status| vec![status]).ok_or_else(|| {
        let all: Vec<_> = ALL.iter().map(|status| status.word()).collect();
        format!("There is no status “{text}”. Statuses are {}, and error for all but ok", all.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use inspector_model::{ChangeCounts, StepId};

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
            state_bytes: 100,
            rendered: true,
            history: false,
            cause: None,
        }
    }

    fn session() -> Session {
        serde_json::from_str(r#"{"session":"s-1","user":"Alice","view":{"class":"shop.views.CartView"}}"#).unwrap()
    }

    #[test]
    fn terms_select_as_they_say() {
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
        ] {
            let filter = Filter::parse(text).unwrap();
            assert_eq!(filter.matches(&step(), Some(&session())), expected, "{text}");
        }
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
        ] {
            let error = Filter::parse(text).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
