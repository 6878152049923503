//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use inspector_model::{Side, StepId};

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
    /// Write a recording of the library to a file.
    Export {
        /// An id of `list`, or `latest`.
        recording: String,
        /// Where to, usually `….djrec`.
        file: PathBuf,
    },
    /// Take a recording file into the library.
    Import {
        /// The file.
        file: PathBuf,
        /// Write JSON.
        #[arg(long)]
        json: bool,
    },
    /// Say why nothing, or not everything, would be seen on a server or in a project, and what to do.
    Doctor(Doctor),
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
    /// Write the recording to this file at the end. It stays in the library too.
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
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
pub struct Doctor {
    /// A server's address. Without it and without a project: every server found on this machine.
    #[arg(conflicts_with = "project")]
    pub url: Option<String>,
    /// The agent's token.
    #[arg(long, env = "DJUST_INSPECTOR_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
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
    fn places_of_steps_are_read() {
        assert_eq!(place("12"), Ok((StepId(12), None)));
        assert_eq!(place("12:before"), Ok((StepId(12), Some(Side::Before))));
        assert!(place("twelve").is_err());
        assert!(place("12:middle").is_err());
    }
}
