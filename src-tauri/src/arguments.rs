//! The command line, of the first start and of those that hand theirs over.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use inspector_engine::Places;
use inspector_model::{AttachOptions, RecordingId};
use url::Url;

use crate::links::{self, Address, Link};

/// djust Inspector, the installed app.
///
/// Without arguments it shows its window. `djust-inspector` is the same without a browser engine, and has the commands for scripts.
#[derive(Clone, Debug, Parser)]
#[command(name = "djust-inspector-app", version, args_conflicts_with_subcommands = true)]
pub struct Arguments {
    /// A recording file, or a `djust-inspector://` link.
    #[arg(value_name = "FILE")]
    what: Option<String>,
    #[command(subcommand)]
    command: Option<Command>,
    /// The folder of the library of recordings.
    #[arg(long, global = true, env = "DJUST_INSPECTOR_DATA_DIR", value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Start in the tray, without a window.
    #[arg(long)]
    pub background: bool,
    /// When the window cannot be drawn, start the native one without asking.
    #[arg(long, global = true)]
    pub fallback: bool,
}

#[derive(Clone, Debug, Subcommand)]
enum Command {
    /// Attach to a running server that has the agent. Authorities beside the system's stand in the file that `DJUST_INSPECTOR_CA` names.
    Attach {
        /// The server's address, `http://127.0.0.1:8000`.
        url: String,
        /// The agent's token. Better in the environment: the command line is seen by others. Without one, the keychain is asked.
        #[arg(long, env = "DJUST_INSPECTOR_TOKEN", hide_env_values = true)]
        token: Option<String>,
        /// Ask the server to allow changes: jumps, replays and the like. Of a server on this machine it is asked for by itself.
        #[arg(long)]
        write: bool,
        /// Attach to a plain http:// address over a network: the token and all states travel unencrypted.
        #[arg(long)]
        insecure: bool,
    },
    /// Start a server with the agent inside, and the window attached to it.
    Run {
        /// The server's command: `python manage.py runserver` …
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true, value_name = "COMMAND")]
        command: Vec<OsString>,
    },
}

/// What a start asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// The window.
    Show,
    /// A recording file.
    OpenFile(PathBuf),
    /// A recording of the library: a link asked for it.
    OpenRecording(RecordingId),
    /// A server: the user asked for it.
    Attach {
        /// Where.
        address: Address,
        /// `None`: look for one.
        token: Option<String>,
        /// How.
        options: AttachOptions,
    },
    /// A server: a link asked for it, the user has to be asked.
    ProposeAttach(Address),
    /// A server to start.
    Run(Vec<OsString>),
}

impl Arguments {
    /// What is asked for. Relative files are those of `cwd`.
    pub fn wish(&self, cwd: &Path) -> anyhow::Result<Wish> {
        match (&self.command, &self.what) {
            (Some(Command::Attach { url, token, write, insecure }), _) => {
                let address = Address::parse(url).with_context(|| format!("this server cannot be attached: {url}"))?;
                let options = AttachOptions { write: *write, insecure: *insecure };
                Ok(Wish::Attach { address, token: token.clone(), options })
            }
            (Some(Command::Run { command }), _) => Ok(Wish::Run(command.clone())),
            (None, Some(what)) if links::is_link(what) => Ok(match links::parse(what)? {
                Link::Open(recording) => Wish::OpenRecording(recording),
                Link::Attach(address) => Wish::ProposeAttach(address),
            }),
            (None, Some(what)) => Ok(Wish::OpenFile(file(what).unwrap_or_else(|| cwd.join(what)))),
            (None, None) => Ok(Wish::Show),
        }
    }

    /// Whether a link was followed, not a command typed.
    pub fn is_link(&self) -> bool {
        self.what.as_deref().is_some_and(links::is_link)
    }

    /// Whether this start handles itself even if the app runs already: the server that it starts is its own, with its terminal.
    pub const fn stands_alone(&self) -> bool {
        matches!(self.command, Some(Command::Run { .. }))
    }
}

/// The file of a `file://` address: some desktops name files so.
fn file(what: &str) -> Option<PathBuf> {
    Url::parse(what).ok().filter(|url| url.scheme() == "file")?.to_file_path().ok()
}

/// What a second start asks for, from its words and its folder. Whoever is on the session's bus can send them.
pub fn handed_over(words: &[String], cwd: &str) -> anyhow::Result<Wish> {
    let arguments = Arguments::try_parse_from(words).map_err(|error| anyhow::anyhow!("{}", error.kind()))?;
    match arguments.wish(Path::new(cwd))? {
        Wish::Run(_) => anyhow::bail!("a server is started by the program that was asked to, not by this one"),
        wish => Ok(wish),
    }
}

/// The native program's arguments for the same wish.
pub fn native(wish: &Wish, places: &Places) -> Vec<OsString> {
    let mut words: Vec<OsString> = vec!["--data-dir".into(), places.data.clone().into()];
    match wish {
        Wish::Show | Wish::ProposeAttach(_) => {}
        Wish::OpenFile(file) => words.extend(["open".into(), file.into()]),
        Wish::OpenRecording(recording) => words.extend(["open".into(), recording.as_str().into()]),
        Wish::Attach { address, options: AttachOptions { write, insecure }, .. } => {
            words.extend(["attach".into(), address.as_str().into()]);
            words.extend(write.then(|| "--write".into()));
            words.extend(insecure.then(|| "--insecure".into()));
        }
        Wish::Run(command) => {
            words.extend(["run".into(), "--".into()]);
            words.extend(command.iter().cloned());
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn handed(words: &[&str]) -> anyhow::Result<Wish> {
        let words: Vec<String> = std::iter::once("djust-inspector-app").chain(words.iter().copied()).map(str::to_owned).collect();
        handed_over(&words, "/home/someone")
    }

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory as _;
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_second_start_hands_its_wish_over() {
        assert_eq!(handed(&[]).unwrap(), Wish::Show);
        assert_eq!(handed(&["cart.djrec"]).unwrap(), Wish::OpenFile("/home/someone/cart.djrec".into()));
        assert_eq!(handed(&["/tmp/cart.djrec"]).unwrap(), Wish::OpenFile("/tmp/cart.djrec".into()));
        assert_eq!(handed(&["file:///tmp/a%20cart.djrec"]).unwrap(), Wish::OpenFile("/tmp/a cart.djrec".into()));
        assert_eq!(handed(&["djust-inspector://open?recording=abc"]).unwrap(), Wish::OpenRecording("abc".into()));
        let address = Address::parse("http://127.0.0.1:8000/").unwrap();
        assert_eq!(handed(&["djust-inspector://attach?url=http://127.0.0.1:8000"]).unwrap(), Wish::ProposeAttach(address.clone()));
        assert_eq!(
            handed(&["attach", "http://127.0.0.1:8000", "--token", "t"]).unwrap(),
            Wish::Attach { address: address.clone(), token: Some("t".into()), options: AttachOptions::default() }
        );
        let options = AttachOptions { write: true, insecure: true };
        assert_eq!(
            handed(&["attach", "--write", "http://127.0.0.1:8000", "--insecure", "--token", "t"]).unwrap(),
            Wish::Attach { address, token: Some("t".into()), options }
        );
    }

    #[test]
    fn what_is_handed_over_starts_no_program_and_follows_no_odd_link() {
        assert!(handed(&["run", "--", "sh", "-c", "true"]).is_err());
        assert!(handed(&["djust-inspector://open?recording=/etc/passwd"]).is_err());
        assert!(handed(&["attach", "file:///etc/passwd"]).is_err());
        assert!(handed(&["--no-such-option"]).is_err());
    }

    #[test]
    fn the_native_program_is_asked_for_the_same() {
        let places = Places { data: "/data".into(), cache: "/cache".into(), passphrase: None };
        let words =
            |wish: &Wish| native(wish, &places).iter().map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ");
        assert_eq!(words(&Wish::OpenFile("/a.djrec".into())), "--data-dir /data open /a.djrec");
        assert_eq!(words(&Wish::Run(vec!["python".into(), "manage.py".into()])), "--data-dir /data run -- python manage.py");
        // A token is handed over in the environment, not where others see it.
        let address = Address::parse("https://a.example").unwrap();
        let attach = |write| {
            let options = AttachOptions { write, insecure: false };
            words(&Wish::Attach { address: address.clone(), token: Some("secret".into()), options })
        };
        assert_eq!(attach(false), "--data-dir /data attach https://a.example");
        assert_eq!(attach(true), "--data-dir /data attach https://a.example --write");
    }
}
