//! What every host of the engine does so that nothing of what is recorded is logged.
//!
//! Libraries write at their lower levels what goes through them, frames and texts of the window among it, and a panic says what it
//! stumbled over. So only this project's own records are to be taken, which hold no values, and of a panic the place.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use inspector_store::private;
use parking_lot::Mutex;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, fmt, registry};

/// How the targets of the project's records begin.
const OURS: [&str; 2] = ["djust_inspector", "inspector_"];

/// How large a log file becomes before it is renamed. One older file is kept.
const MOST_BYTES: u64 = 1 << 20;

/// Begins the log of a program and makes its panics quiet. `DJUST_INSPECTOR_LOG` says how much of it goes to standard error, and to
/// `file`, which has `info` without it. A file that cannot be written is said there, and is no reason not to start.
pub fn begin_log(program: &'static str, file: Option<&Path>) {
    let wanted = |otherwise: &str| EnvFilter::try_from_env("DJUST_INSPECTOR_LOG").unwrap_or_else(|_| otherwise.into());
    let ours = filter_fn(|about| is_ours(about.target()));
    let (file, why_not) = match file.map(LogFile::open).transpose() {
        Ok(file) => (file.map(Shared::of), None),
        Err(error) => (None, Some(error)),
    };
    let in_file = file.clone().map(|file| fmt::layer().with_ansi(false).with_writer(move || file.clone()).with_filter(wanted("info")));
    let on_terminal = fmt::layer().with_writer(io::stderr).with_filter(wanted("error"));
    registry().with(ours).with(on_terminal).with(in_file).init();
    quiet_panics(program, file);
    if let Some(error) = why_not {
        tracing::error!("there is no log file: {error}");
    }
}

/// A file that only its owner reads, and that is renamed when it is large.
struct LogFile {
    path: PathBuf,
    file: File,
    bytes: u64,
}

impl LogFile {
    fn open(path: &Path) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            private::create_folder(folder)?;
        }
        let (file, bytes) = if path.exists() {
            private::tighten(path)?;
            let file = OpenOptions::new().append(true).open(path)?;
            let bytes = file.metadata()?.len();
            (file, bytes)
        } else {
            (private::create(path)?, 0)
        };
        Ok(Self { path: path.to_owned(), file, bytes })
    }
}

impl Write for LogFile {
    fn write(&mut self, record: &[u8]) -> io::Result<usize> {
        if self.bytes > 0 && self.bytes + record.len() as u64 > MOST_BYTES {
            std::fs::rename(&self.path, self.path.with_extension("old.log"))?;
            *self = Self::open(&self.path)?;
        }
        let written = self.file.write(record)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// All threads write to one file.
#[derive(Clone)]
struct Shared(Arc<Mutex<LogFile>>);

impl Shared {
    fn of(file: LogFile) -> Self {
        Self(Arc::new(Mutex::new(file)))
    }
}

impl Write for Shared {
    fn write(&mut self, record: &[u8]) -> io::Result<usize> {
        self.0.lock().write(record)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.lock().flush()
    }
}

/// Whether a record of this target is one of the project's.
fn is_ours(target: &str) -> bool {
    OURS.iter().any(|ours| target.starts_with(ours))
}

/// Says of every panic from now on where it was, and not what it said.
fn quiet_panics(program: &'static str, file: Option<Shared>) {
    std::panic::set_hook(Box::new(move |info| {
        let place = info.location().map_or_else(String::new, |at| format!(" in {}:{}", at.file(), at.line()));
        let current = std::thread::current();
        let thread = current.name().unwrap_or("?");
        let line = format!("{program}: a failure inside the inspector{place}, thread {thread}; please report it with this line");
        // Where that cannot be said there is nobody to hear it.
        let _ = writeln!(io::stderr(), "{line}");
        // A panic while a record is being written must not wait for that record.
        if let Some(mut file) = file.as_ref().and_then(|file| file.0.try_lock()) {
            let _ = writeln!(file, "{line}");
        }
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_of_libraries_are_none_of_ours() {
        assert!(is_ours("inspector_engine::engine") && is_ours("djust_inspector::live") && is_ours(module_path!()));
        for other in
            ["tungstenite::protocol", "tokio_tungstenite", "sled::tree", "zbus::connection", "winit", "hyper::proto", "my_inspector_"]
        {
            assert!(!is_ours(other), "{other}");
        }
    }

    #[test]
    fn a_panic_does_not_say_what_it_stumbled_over() {
        const AGAIN: &str = "INSPECTOR_TEST_PANICS";
        const FILE: &str = "INSPECTOR_TEST_LOG_FILE";
        const MARKER: &str = "marker-41d2";
        if std::env::var_os(AGAIN).is_some() {
            begin_log("djust-inspector", std::env::var_os(FILE).as_deref().map(Path::new));
            tracing::info!("before it");
            // As slicing a text does it.
            panic!("byte index 3 is out of bounds of `{MARKER}`");
        }
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("new").join("app.log");
        let output = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "log::tests::a_panic_does_not_say_what_it_stumbled_over", "--nocapture"])
            .env(AGAIN, "1")
            .env(FILE, &file)
            .env_remove("DJUST_INSPECTOR_LOG")
            .output()
            .unwrap();
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert!(!output.status.success() && said.contains("src/log.rs:"), "{said}");
        assert!(!said.contains(MARKER) && !said.contains("before it"), "{said}");
        let kept = std::fs::read_to_string(&file).unwrap();
        assert!(kept.contains("before it") && kept.contains("src/log.rs:") && !kept.contains(MARKER), "{kept}");
    }

    #[test]
    fn a_log_file_is_its_owners_alone_and_does_not_grow_for_ever() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.log");
        std::fs::write(&path, "from before\n").unwrap();
        let mut log = LogFile::open(&path).unwrap();
        let record = [b'x'; 1_000];
        for _ in 0..3 * MOST_BYTES / 1_000 {
            log.write_all(&record).unwrap();
        }
        let mut files: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        assert_eq!(files, [path.clone(), folder.path().join("app.old.log")]);
        for file in &files {
            let about = std::fs::metadata(file).unwrap();
            assert!(about.len() <= MOST_BYTES, "{}", about.len());
            #[cfg(unix)]
            assert_eq!(std::os::unix::fs::PermissionsExt::mode(&about.permissions()) & 0o777, 0o600);
        }
        drop(log);
        let before = std::fs::metadata(&path).unwrap().len();
        LogFile::open(&path).unwrap().write_all(b"more").unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().len(), before + 4, "a second start goes on with it");
    }
}
