//! `djust-inspector`: the program. Arguments and subcommands are here; everything else is in the crates that it calls.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command-line program speaks on its standard streams")]

mod arguments;
mod desktop;
mod doctor;
mod headless;
mod library;
mod live;
mod pages;
mod passphrase;
mod terminal;
mod token;
mod upkeep;
mod window;

use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use arguments::{Arguments, Command, Token};
use clap::Parser as _;
use inspector_engine::{Places, begin_log};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    begin_log("djust-inspector", None);
    match run(arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("djust-inspector: {}", terminal::plain(&format!("{error:#}")));
            ExitCode::FAILURE
        }
    }
}

/// Unix time now, seconds.
fn now() -> anyhow::Result<f64> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock stands before 1970; set it")?;
    Ok(since.as_secs_f64())
}

fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let places = Places { passphrase: arguments.passphrase_file, ..Places::find(arguments.data_dir.as_deref())? };
    match arguments.command {
        None => window::start_page(&places),
        Some(Command::Run(run)) => live::run(&places, &run),
        Some(Command::Attach(attach)) => live::attach(&places, &attach),
        Some(Command::Open(open)) => window::open(&places, &open.recording),
        Some(Command::Record(record)) => headless::record(&places, &record),
        Some(Command::List { json }) => library::list(&places, json),
        Some(Command::Show(show)) => library::show(&places, &show),
        Some(Command::Diff(diff)) => library::diff(&places, &diff),
        Some(Command::Export(export)) => library::export(&places, &export),
        Some(Command::Import { file, json }) => library::import(&places, &file, json),
        Some(Command::Delete(delete)) => upkeep::delete(&places, &delete),
        Some(Command::Keep(keep)) => upkeep::keep(&places, &keep),
        Some(Command::Library(command)) => upkeep::library(&places, &command),
        Some(Command::Doctor(doctor)) => doctor::doctor(&places, &doctor),
        Some(Command::Token(Token::New(wish))) => token::new(&wish),
    }
}
