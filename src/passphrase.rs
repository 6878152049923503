//! The library's passphrase: from the environment, a file, or the terminal. Never from an argument, which others can see.

use std::io::IsTerminal as _;
use std::path::Path;

use anyhow::Context as _;
use inspector_engine::{NEW_PASSPHRASE_VARIABLE, PASSPHRASE_VARIABLE, Places, Settings, passphrase_from};
use inspector_model::Secret;
use inspector_store::Store;

/// How to give one without a terminal.
const ELSE: &str = "set DJUST_INSPECTOR_PASSPHRASE, or name a file with --passphrase-file";

/// How the engine is set up for these places. Asks for the passphrase where the library has one.
pub fn settings(places: &Places) -> anyhow::Result<Settings> {
    Ok(Settings { data_dir: places.data.clone(), passphrase: of_library(places)? })
}

/// The passphrase of the library. `None` when it has none and none was given.
pub fn of_library(places: &Places) -> anyhow::Result<Option<Secret>> {
    let given = given(places)?;
    if given.is_some() || !Store::is_encrypted(&places.data)? {
        return Ok(given);
    }
    ask("Passphrase of the library: ").map(Some)
}

/// Opens a file that may be encrypted: `open` is called again with its passphrase where it says that one is needed.
pub fn with_file<T, E: Into<anyhow::Error>>(
    places: &Places,
    is_needed: impl Fn(&E) -> bool,
    open: impl Fn(Option<&Secret>) -> Result<T, E>,
) -> anyhow::Result<T> {
    match open(None) {
        Err(error) if is_needed(&error) => {
            let passphrase = given(places)?.map_or_else(|| ask("Passphrase of the file: "), Ok)?;
            open(Some(&passphrase)).map_err(Into::into)
        }
        other => other.map_err(Into::into),
    }
}

/// What the environment or the file says.
pub fn given(places: &Places) -> anyhow::Result<Option<Secret>> {
    match &places.passphrase {
        Some(path) => from_file(path).map(Some),
        None => Ok(passphrase_from(PASSPHRASE_VARIABLE)),
    }
}

/// The one that the library shall have: from a file, the environment, or twice from the terminal.
pub fn new(file: Option<&Path>) -> anyhow::Result<Secret> {
    if let Some(path) = file {
        return from_file(path);
    }
    if let Some(given) = passphrase_from(NEW_PASSPHRASE_VARIABLE) {
        return Ok(given);
    }
    let first = ask("New passphrase: ")?;
    anyhow::ensure!(!first.is_empty(), "a passphrase has at least one character");
    anyhow::ensure!(ask("The same once more: ")? == first, "the two are not the same; nothing was changed");
    Ok(first)
}

fn from_file(path: &Path) -> anyhow::Result<Secret> {
    let text =
        Secret::from(std::fs::read_to_string(path).with_context(|| format!("the passphrase's file cannot be read: {}", path.display()))?);
    let line = text.as_str().lines().next().unwrap_or_default();
    anyhow::ensure!(!line.is_empty(), "the first line of the passphrase's file is empty: {}", path.display());
    Ok(Secret::from(line))
}

/// Asks on the terminal, without showing what is typed.
fn ask(words: &str) -> anyhow::Result<Secret> {
    anyhow::ensure!(std::io::stdin().is_terminal(), "it is encrypted, and there is no terminal to ask for its passphrase; {ELSE}");
    rpassword::prompt_password(words).map(Secret::from).with_context(|| format!("the passphrase cannot be asked for; {ELSE}"))
}
