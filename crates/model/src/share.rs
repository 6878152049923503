//! What is shared of a recording, in which format, and what is kept back.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Secret, SessionId, Step, StepId};

/// What each bug capture of djust begins with.
pub const BUG_CAPTURE_PREFIX: &str = "djbug1.";

/// Which steps of a recording. The default is all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Selection {
    /// The first step. `None`: from the beginning.
    pub first: Option<StepId>,
    /// The last step, included. `None`: to the end.
    pub last: Option<StepId>,
    /// Only the steps of this page.
    pub session: Option<SessionId>,
}

impl Selection {
    /// Whether a step is in it.
    pub fn has(&self, step: &Step) -> bool {
        self.first.is_none_or(|first| step.id >= first)
            && self.last.is_none_or(|last| step.id <= last)
            && (self.session.is_none() || self.session == step.session)
    }
}

/// What a selection is written as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExportFormat {
    /// A recording file, `.djrec`.
    #[default]
    Recording,
    /// JSON for other programs.
    Json,
    /// A report for any browser.
    Html,
    /// A test for pytest that does the steps again.
    Pytest,
    /// djust's own `djbug1` text. One step.
    BugCapture,
}

impl ExportFormat {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Recording, Self::Json, Self::Html, Self::Pytest, Self::BugCapture];

    /// Those that can be opened again.
    pub const OPENED: [Self; 2] = [Self::Recording, Self::BugCapture];

    /// The word on the command line.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Recording => "recording",
            Self::Json => "json",
            Self::Html => "html",
            Self::Pytest => "pytest",
            Self::BugCapture => "djbug1",
        }
    }

    /// The words for people.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Recording => "Recording file",
            Self::Json => "JSON",
            Self::Html => "HTML report",
            Self::Pytest => "pytest test",
            Self::BugCapture => "djust bug capture",
        }
    }

    /// What it is for, in one line.
    pub const fn purpose(self) -> &'static str {
        match self {
            Self::Recording => "For another inspector: everything about these steps",
            Self::Json => "For programs: each step with its states, changes and details",
            Self::Html => "For any browser: timeline, changes and pages in one file",
            Self::Pytest => "For your tests: sends the events again, asserts what changed",
            Self::BugCapture => "For djust and bug reports: one step with states, as text",
        }
    }

    /// Steps beyond this are left out of the file, or refused when it is one. `None`: there is no limit.
    pub const fn most_steps(self) -> Option<u64> {
        match self {
            Self::Recording | Self::Json => None,
            Self::Html => Some(2_000),
            Self::Pytest => Some(500),
            Self::BugCapture => Some(1),
        }
    }

    /// The format that a file of this name has.
    pub fn of_file(name: &str) -> Option<Self> {
        let (_, ending) = name.rsplit_once('.')?;
        Self::ALL.into_iter().find(|format| format.extension() == ending)
    }

    /// How its files' names end, without the dot.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Recording => "djrec",
            Self::Json => "json",
            Self::Html => "html",
            Self::Pytest => "py",
            Self::BugCapture => "djbug1",
        }
    }
}

impl fmt::Display for ExportFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for ExportFormat {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|format| format.word() == word).ok_or_else(|| {
            let words: Vec<&str> = Self::ALL.iter().map(|format| format.word()).collect();
            format!("a format is one of {}", words.join(", "))
        })
    }
}

/// What is kept back. The default keeps back what the rules know: nothing has to be remembered to be safe.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Redaction {
    /// Keep nothing back, and do not look at the finished file.
    pub off: bool,
    /// Keep back e-mail addresses too.
    pub emails: bool,
    /// Further names whose values are kept back.
    pub names: Vec<String>,
    /// Places whose values are kept back: `cart.owner`, `rows[*].note`, `*.phone`.
    pub paths: Vec<String>,
}

/// Everything that an export is told, but for where it goes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ExportOptions {
    /// As what.
    pub format: ExportFormat,
    /// Which steps.
    pub selection: Selection,
    /// What is kept back.
    pub redaction: Redaction,
    /// What the file is encrypted with: recording files only. `None`: it is in plain.
    pub passphrase: Option<Secret>,
}

/// What an export would hold and what it would keep back. Has no recorded value, only counts and places.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ExportPreview {
    /// Selected steps.
    pub steps: u64,
    /// Pages that they are of.
    pub pages: u64,
    /// What is kept back, by rule and kind of place.
    pub kept_back: Vec<KeptBack>,
}

impl ExportPreview {
    /// Values that are kept back, all together.
    pub fn total(&self) -> u64 {
        self.kept_back.iter().map(|kept| kept.count).sum()
    }
}

/// What one rule keeps back in one kind of place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptBack {
    /// Why.
    pub rule: RedactionRule,
    /// Where.
    pub place: ExportPlace,
    /// How many values, the same one counted wherever it stands.
    pub count: u64,
    /// How many different values.
    pub different: u64,
    /// Some of the places: paths, names. Never a value.
    pub examples: Vec<String>,
}

/// Why a value is kept back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RedactionRule {
    /// Its name says so.
    Name,
    /// Its place was named.
    Path,
    /// The same value stands where its name says so.
    SameValue,
    /// A JSON web token.
    Jwt,
    /// A private key.
    PrivateKey,
    /// A key of a service: AWS, GitHub, Slack, Stripe, Google.
    ServiceKey,
    /// The credentials of an `Authorization` header.
    Authorization,
    /// A payment card's number.
    Card,
    /// An e-mail address.
    Email,
}

impl RedactionRule {
    /// In words.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Name => "secret by its name",
            Self::Path => "place that was named",
            Self::SameValue => "the same secret elsewhere",
            Self::Jwt => "JSON web token",
            Self::PrivateKey => "private key",
            Self::ServiceKey => "key of a service",
            Self::Authorization => "authorization",
            Self::Card => "card number",
            Self::Email => "e-mail address",
        }
    }
}

/// The part of a recording that a value stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExportPlace {
    /// A state.
    State,
    /// Parameters of an event.
    Params,
    /// An error or its traceback.
    Error,
    /// A query or its parameters.
    Sql,
    /// A log record.
    Log,
    /// A WebSocket frame.
    Frame,
    /// A page's HTML.
    Page,
    /// The line that says what a step was.
    Step,
    /// What is known of a page: its address, its user.
    Session,
    /// The server and its configuration.
    Server,
}

impl ExportPlace {
    /// In words.
    pub const fn label(self) -> &'static str {
        match self {
            Self::State => "states",
            Self::Params => "parameters",
            Self::Error => "errors",
            Self::Sql => "SQL",
            Self::Log => "log",
            Self::Frame => "frames",
            Self::Page => "HTML",
            Self::Step => "steps",
            Self::Session => "pages' descriptions",
            Self::Server => "server and configuration",
        }
    }
}

/// The bug capture in a text: the text itself, or the end of djust's address for looking at one. `None` when there is none.
/// Whether it can be read is known only to whoever reads it.
pub fn find_bug_capture(text: &str) -> Option<&str> {
    let text = text.trim();
    let at = if text.starts_with(BUG_CAPTURE_PREFIX) { 0 } else { text.find("/replay/djbug1.")? + "/replay/".len() };
    let blob = &text[at..];
    Some(blob[..blob.find(['/', '?', '#']).unwrap_or(blob.len())].trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bug_capture_is_found_alone_and_in_an_address() {
        for text in ["djbug1.e30", " djbug1.e30\n", "http://localhost:8000/__djust__/replay/djbug1.e30/?x=1", "/replay/djbug1.e30#top"] {
            assert_eq!(find_bug_capture(text), Some("djbug1.e30"), "{text}");
        }
        for text in ["", "djbug2.e30", "/home/me/djbug1.e30", "see djbug1.e30"] {
            assert_eq!(find_bug_capture(text), None, "{text}");
        }
    }
}
