//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args, Parser, Subcommand};
use inspector_model::{ExportFormat, ExportOptions, Keep, Redaction, Selection, SessionId, Side, StepId};

/// Debug and time-travel inspector for djust.
///
/// Without a command it opens its window with the servers found on this machine and the recordings of the library.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The folder of the library of recordings.
    #[arg(long, global = true, env = "DJUST_INSPECTOR_DATA_DIR", value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// A file whose first line is the passphrase of an encrypted library. Without it: `DJUST_INSPECTOR_PASSPHRASE`, or it is asked for.
    #[arg(long, global = true, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start a server with the agent inside, and the window attached to it.
    Run(Run),
    /// Attach to a running server that has the agent.
    Attach(Attach),
    /// Open a recording: a file, an id of `list`, or `latest`.
    Open(Open),
    /// Record without a window, until the server ends, Ctrl-C, or a limit.
    Record(Record),
    /// List the recordings of the library.
    List {
        /// Write JSON.
        #[arg(long)]
        json: bool,
    },
    /// Show the steps of a recording, or one step with all its details.
    Show(Show),
    /// Show what differs between two steps of a recording.
    Diff(Diff),
    /// Write a recording, or some of its steps, to a file for others. Secrets are kept back.
    Export(Export),
    /// Take a recording file or a bug capture of djust (`djbug1.…`) into the library.
    Import {
        /// The file, or the text of a bug capture.
        file: String,
        /// Write JSON.
        #[arg(long)]
        json: bool,
    },
    /// Delete recordings of the library, so that nothing of them can be read any more.
    Delete(Delete),
    /// Keep a recording however old it is.
    Keep(KeepMark),
    /// The library as a whole: where it is, its passphrase, from what age on recordings are deleted.
    #[command(subcommand)]
    Library(Library),
    /// Say why nothing, or not everything, would be seen on a server or in a project, and what to do.
    Doctor(Doctor),
    /// Tokens for servers that run without DEBUG.
    #[command(subcommand)]
    Token(Token),
}

#[derive(Debug, Args)]
pub struct Delete {
    /// Ids of `list`, or `latest`.
    #[arg(required = true, value_name = "RECORDING")]
    pub recordings: Vec<String>,
}

#[derive(Debug, Args)]
pub struct KeepMark {
    /// An id of `list`, or `latest`.
    pub recording: String,
    /// Let it expire with the others.
    #[arg(long)]
    pub no_longer: bool,
}

#[derive(Debug, Subcommand)]
pub enum Library {
    /// Show where the library is, how large, whether it is encrypted, and when recordings expire.
    Status {
        /// Write JSON.
        #[arg(long)]
        json: bool,
    },
    /// Encrypt the library with a passphrase. Without that nobody can read it any more, you neither.
    Encrypt {
        /// A file whose first line is the passphrase. Without it: `DJUST_INSPECTOR_PASSPHRASE`, or it is asked for.
        #[arg(long, value_name = "FILE")]
        new_passphrase_file: Option<PathBuf>,
    },
    /// Let the library be read without a passphrase again.
    Decrypt,
    /// Give the library another passphrase.
    ChangePassphrase {
        /// A file whose first line is the new passphrase. Without it: `DJUST_INSPECTOR_NEW_PASSPHRASE`, or it is asked for.
        #[arg(long, value_name = "FILE")]
        new_passphrase_file: Option<PathBuf>,
    },
    /// Delete recordings when they get older than this, now and from now on.
    Expire {
        /// A number of days, or `never`.
        #[arg(value_name = "DAYS", value_parser = expire_after)]
        after: ExpireAfter,
    },
}

/// After how many days recordings are deleted; 0: never.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExpireAfter(pub u32);

#[derive(Debug, Subcommand)]
pub enum Token {
    /// Make a token, and the settings that let its holder attach.
    New(NewToken),
}

#[derive(Debug, Args)]
pub struct NewToken {
    /// Whose it is: the server's log and `manage.py djust_inspector revoke` call it so.
    #[arg(long, default_value = "inspector")]
    pub name: String,
    /// From when on it is refused: `2027-01-31` or `2027-01-31T18:00:00Z`, in UTC. Without it, it does not expire.
    #[arg(long, value_name = "WHEN")]
    pub expires: Option<String>,
    /// Its holder may also change state and send events to pages.
    #[arg(long)]
    pub writes: bool,
    /// Write JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Run {
    /// The server's command: `python manage.py runserver`, `uvicorn shop.asgi:application` …
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}

#[derive(Debug, Args)]
pub struct Attach {
    /// The server's address, `http://127.0.0.1:8000`. Without it, the only server found on this machine.
    pub url: Option<String>,
    /// The agent's token. Better in the environment: the command line is seen by others.
    #[arg(long, env = "DJUST_INSPECTOR_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
    /// Ask the server to allow changes: jumps, replays and the like. Of a server on this machine it is asked for by itself.
    #[arg(long)]
    pub write: bool,
    #[command(flatten)]
    pub transport: Transport,
}

/// How an address is reached that is not on this machine.
#[derive(Debug, Args)]
pub struct Transport {
    /// Believe the certificate authorities in this file, too, in PEM format. Without it, those in the file that `DJUST_INSPECTOR_CA` names.
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,
    /// Attach to a plain http:// address over a network: the token and all states travel unencrypted.
    #[arg(long)]
    pub insecure: bool,
}

#[derive(Debug, Args)]
pub struct Open {
    /// A file, an id of `list`, or `latest`.
    pub recording: String,
}

#[derive(Debug, Args)]
pub struct Record {
    /// Attach to this server instead of starting one. Without it and without a command: the only server found.
    #[arg(long, value_name = "URL", conflicts_with = "command")]
    pub url: Option<String>,
    /// The agent's token.
    #[arg(long, env = "DJUST_INSPECTOR_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
    #[command(flatten)]
    pub transport: Transport,
    /// Write the recording to this file at the end, without its secrets. It stays in the library too, as it is.
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub keep_back: KeepBack,
    /// End after this many steps.
    #[arg(long, value_name = "N")]
    pub steps: Option<u64>,
    /// End after this many seconds.
    #[arg(long, value_name = "SECONDS")]
    pub seconds: Option<f64>,
    /// Write each step as a line of JSON.
    #[arg(long)]
    pub json: bool,
    /// The server's command, after `--`.
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}

#[derive(Debug, Args)]
pub struct Show {
    /// A file, an id of `list`, or `latest`.
    pub recording: String,
    /// One step with its details and its state.
    pub step: Option<u64>,
    /// Write JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Diff {
    /// A file, an id of `list`, or `latest`.
    pub recording: String,
    /// A step, `12` or `12:before`. Alone: what this step changed.
    #[arg(value_parser = place)]
    pub from: (StepId, Option<Side>),
    /// Another step.
    #[arg(value_parser = place)]
    pub to: Option<(StepId, Option<Side>)>,
    /// Write JSON.
    #[arg(long)]
    pub json: bool,
    /// Exit with 1 when there are differences, as diff does.
    #[arg(long)]
    pub exit_code: bool,
}

#[derive(Debug, Args)]
pub struct Export {
    /// A file, an id of `list`, or `latest`.
    pub recording: String,
    /// Where to. Without `--as` its ending says as what: `.djrec`, `.json`, `.html`, `.py`, `.djbug1`.
    #[arg(required_unless_present = "preview")]
    pub file: Option<PathBuf>,
    /// As what.
    #[arg(long = "as", value_name = "FORMAT", value_parser = PossibleValuesParser::new(ExportFormat::ALL.map(ExportFormat::word)))]
    pub format: Option<String>,
    /// Only these steps: `12..40` with both ends, `12..`, `..40`, or `12`.
    #[arg(long, value_name = "FROM..TO", value_parser = range)]
    pub steps: Option<(Option<StepId>, Option<StepId>)>,
    /// Only the steps of this page, by the beginning of its id.
    #[arg(long, value_name = "ID")]
    pub session: Option<String>,
    /// Encrypt the recording file with a passphrase: `DJUST_INSPECTOR_NEW_PASSPHRASE`, or it is asked for.
    #[arg(long, conflicts_with = "preview")]
    pub encrypt: bool,
    /// Write nothing: say what would be in the file and what would be kept back.
    #[arg(long)]
    pub preview: bool,
    #[command(flatten)]
    pub keep_back: KeepBack,
    /// Write JSON about what was done.
    #[arg(long)]
    pub json: bool,
}

/// What is kept back of what is written for others.
#[derive(Debug, Args)]
pub struct KeepBack {
    /// Keep back values of this name, too. May be given several times.
    #[arg(long, value_name = "NAME")]
    pub redact_name: Vec<String>,
    /// Keep back what stands at this place, too: `cart.owner`, `rows[*].note`. May be given several times.
    #[arg(long, value_name = "PATH")]
    pub redact_path: Vec<String>,
    /// Keep back e-mail addresses, too.
    #[arg(long)]
    pub redact_emails: bool,
    /// Keep nothing back, and do not look through the finished file.
    #[arg(long, conflicts_with_all = ["redact_name", "redact_path", "redact_emails"])]
    pub no_redaction: bool,
}

impl KeepBack {
    /// As the export has it.
    pub fn redaction(&self) -> Redaction {
        Redaction { off: self.no_redaction, emails: self.redact_emails, names: self.redact_name.clone(), paths: self.redact_path.clone() }
    }
}

impl Export {
    /// What it says, given how a page is found by the beginning of its id.
    pub fn options(&self, session: impl FnOnce(&str) -> anyhow::Result<SessionId>) -> anyhow::Result<ExportOptions> {
        let by_name = || ExportFormat::of_file(self.file.as_deref()?.file_name()?.to_str()?);
        let format = match &self.format {
            Some(word) => word.parse().map_err(anyhow::Error::msg)?,
            None => by_name().unwrap_or_default(),
        };
        let (first, last) = self.steps.unwrap_or_default();
        Ok(ExportOptions {
            format,
            selection: Selection { first, last, session: self.session.as_deref().map(session).transpose()? },
            redaction: self.keep_back.redaction(),
            passphrase: None,
        })
    }
}

#[derive(Debug, Args)]
pub struct Doctor {
    /// A server's address. Without it and without a project: every server found on this machine.
    #[arg(conflicts_with = "project")]
    pub url: Option<String>,
    /// The agent's token.
    #[arg(long, env = "DJUST_INSPECTOR_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
    #[command(flatten)]
    pub transport: Transport,
    /// A project's folder, with its manage.py, that is not running.
    #[arg(long, value_name = "DIR")]
    pub project: Option<PathBuf>,
    /// The Python that has the project's packages.
    #[arg(long, value_name = "PROGRAM", default_value = "python3")]
    pub python: PathBuf,
    /// Write JSON.
    #[arg(long)]
    pub json: bool,
}

fn expire_after(text: &str) -> Result<ExpireAfter, String> {
    let wrong = || format!("it is a number of days from 1 to {}, or `never`", Keep::MOST_DAYS);
    match text {
        "never" => Ok(ExpireAfter(0)),
        days => days.parse().ok().filter(|days| (1..=Keep::MOST_DAYS).contains(days)).map(ExpireAfter).ok_or_else(wrong),
    }
}

fn range(text: &str) -> Result<(Option<StepId>, Option<StepId>), String> {
    let step = |text: &str| match text {
        "" => Ok(None),
        number => number.parse().map(|number| Some(StepId(number))).map_err(|_| "steps are written 12..40, 12.., ..40 or 12".to_owned()),
    };
    let (first, last) = match text.split_once("..") {
        Some((first, last)) => (step(first)?, step(last)?),
        None => (step(text)?, step(text)?),
    };
    match (first, last) {
        (None, None) => Err("steps are written 12..40, 12.., ..40 or 12".to_owned()),
        (Some(first), Some(last)) if first > last => Err("the first step comes after the last one".to_owned()),
        range => Ok(range),
    }
}

fn place(text: &str) -> Result<(StepId, Option<Side>), String> {
    let (number, side) = match text.split_once(':') {
        None => (text, None),
        Some((number, "before")) => (number, Some(Side::Before)),
        Some((number, "after")) => (number, Some(Side::After)),
        Some(_) => return Err("a step is written 12, 12:before or 12:after".into()),
    };
    let number = number.parse().map_err(|_| "a step is written 12, 12:before or 12:after".to_owned())?;
    Ok((StepId(number), side))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory as _;
        Arguments::command().debug_assert();
    }

    #[test]
    fn what_is_kept_back_is_said_alike_of_an_export_and_of_a_recording() {
        let words = ["--redact-name", "pin", "--redact-path", "cart.owner", "--redact-emails"];
        let expected = Redaction { off: false, emails: true, names: vec!["pin".into()], paths: vec!["cart.owner".into()] };
        let parse = |begin: &[&str], end: &[&str]| Arguments::try_parse_from([&["djust-inspector"], begin, end].concat());
        for begin in [&["export", "latest", "a.djrec"][..], &["record", "--output", "a.djrec"]] {
            let redaction = |end: &[&str]| match parse(begin, end).unwrap().command {
                Some(Command::Export(export)) => export.keep_back.redaction(),
                Some(Command::Record(record)) => record.keep_back.redaction(),
                other => panic!("{other:?}"),
            };
            assert_eq!(redaction(&words), expected);
            assert_eq!(redaction(&[]), Redaction::default());
            assert!(redaction(&["--no-redaction"]).off);
            assert!(parse(begin, &["--no-redaction", "--redact-emails"]).is_err());
        }
    }

    #[test]
    fn ages_are_days_or_never() {
        assert_eq!([expire_after("never"), expire_after("30")], [Ok(ExpireAfter(0)), Ok(ExpireAfter(30))]);
        for wrong in ["0", "-1", "30d", "", "4000000000"] {
            assert!(expire_after(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn ranges_of_steps_are_read() {
        let step = |number| Some(StepId(number));
        assert_eq!(range("12..40"), Ok((step(12), step(40))));
        assert_eq!(range("12"), Ok((step(12), step(12))));
        assert_eq!(range("12.."), Ok((step(12), None)));
        assert_eq!(range("..40"), Ok((None, step(40))));
        for wrong in ["", "..", "a..b", "40..12", "1..2..3", "-1"] {
            assert!(range(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn places_of_steps_are_read() {
        assert_eq!(place("12"), Ok((StepId(12), None)));
        assert_eq!(place("12:before"), Ok((StepId(12), Some(Side::Before))));
        assert!(place("twelve").is_err());
        assert!(place("12:middle").is_err());
    }
}
