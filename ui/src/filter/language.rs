//! The words of the filter language, each once: what it reads, what it completes and what the help page says come from here.

/// A key that a term can begin with.
pub struct Key {
    /// As it is typed.
    pub word: &'static str,
    /// What stands after it.
    pub takes: Takes,
    /// What it asks for.
    pub about: &'static str,
    /// A term with it.
    pub example: &'static str,
}

/// What stands after a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// Kinds of steps.
    Kind,
    /// How a step ended.
    Status,
    /// Any text.
    Text(Field),
    /// A time or a span of it, after `:` or compared.
    Time,
    /// A number, after `<`, `>`, `<=`, `>=` or `:`.
    Number(Number),
}

/// Which text is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// The step's name.
    Name,
    /// The changed paths.
    Changed,
    /// Whose page.
    User,
    /// The id of the page.
    Session,
    /// The child view's id, or the view's class.
    View,
    /// The component whose handler ran.
    Component,
    /// Name, component, changed paths, view and error.
    Any,
}

/// Which number is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Number {
    /// Milliseconds it took.
    Ms,
    /// Queries.
    Sql,
    /// Log records.
    Logs,
    /// Bytes of the state.
    Bytes,
    /// WebSocket frames.
    Frames,
    /// The step's number.
    Id,
}

const fn text(word: &'static str, field: Field, about: &'static str, example: &'static str) -> Key {
    Key { word, takes: Takes::Text(field), about, example }
}

const fn number(word: &'static str, number: Number, about: &'static str, example: &'static str) -> Key {
    Key { word, takes: Takes::Number(number), about, example }
}

/// All keys, the most used first.
pub const KEYS: [Key; 16] = [
    Key { word: "kind", takes: Takes::Kind, about: "What happened", example: "kind:event,tick" },
    text("name", Field::Name, "Handler, file or view", "name:add*"),
    text("changed", Field::Changed, "A path that it changed, and all below", "changed:cart.total"),
    Key { word: "status", takes: Takes::Status, about: "How it ended; error is all but ok", example: "status:error" },
    number("ms", Number::Ms, "Milliseconds it took", "ms>50"),
    number("sql", Number::Sql, "Number of database queries", "sql>=10"),
    Key { word: "time", takes: Takes::Time, about: "When it began, UTC: a time, or a span", example: "time:12:03..12:05:30.250" },
    text("user", Field::User, "Whose page it was", "user:alice"),
    text("view", Field::View, "Class of the view, or id of the child view", "view:CartView"),
    text("component", Field::Component, "Component whose handler ran", "component:checkout"),
    text("session", Field::Session, "Id of the page", "session:s-1"),
    number("logs", Number::Logs, "Number of log records", "logs>0"),
    number("bytes", Number::Bytes, "Bytes of the state after it", "bytes>100000"),
    number("frames", Number::Frames, "Number of WebSocket frames", "frames>4"),
    number("id", Number::Id, "Number of the step", "id>=100"),
    text("text", Field::Any, "Name, error, changed paths or view; the same as a word without a key", "text:stock"),
];

/// A rule of the language.
pub struct Rule {
    /// How it is written.
    pub written: &'static str,
    /// What it means.
    pub means: &'static str,
}

/// How terms are written and joined.
pub const RULES: [Rule; 6] = [
    Rule { written: "kind:event ms>50", means: "Both must fit" },
    Rule { written: "kind:tick,push", means: "One of them must fit" },
    Rule { written: "-kind:tick", means: "Must not fit" },
    Rule { written: "name:add*", means: "* stands for anything; without it the text may stand anywhere" },
    Rule { written: "\"no stock\"", means: "Quotes keep spaces together" },
    Rule { written: "checkout", means: "A word without a key: name, error, changed paths or view" },
];

/// The key that is called so.
pub fn key(word: &str) -> Option<&'static Key> {
    let word = if word == "#" { "id" } else { word };
    KEYS.iter().find(|key| key.word == word)
}

/// The names of all keys, for sentences.
pub fn words() -> String {
    let of = |numbers: bool| {
        let words: Vec<_> = KEYS.iter().filter(|key| matches!(key.takes, Takes::Number(_)) == numbers).map(|key| key.word).collect();
        words.join(", ")
    };
    format!("{}, and with < or >: {}", of(false), of(true))
}
