//! What every host of the engine does so that nothing of what is recorded is logged.
//!
//! Libraries write at their lower levels what goes through them, frames and texts of the window among it, and a panic says what it
//! stumbled over. So only this project's own records are to be taken, which hold no values, and of a panic the place.

use std::io::Write as _;

use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, fmt, registry};

/// How the targets of the project's records begin.
const OURS: [&str; 2] = ["djust_inspector", "inspector_"];

/// Begins the log of a program, on standard error, and makes its panics quiet. `DJUST_INSPECTOR_LOG` says how much there is.
pub fn begin_log(program: &'static str) {
    let wanted = EnvFilter::try_from_env("DJUST_INSPECTOR_LOG").unwrap_or_else(|_| "error".into());
    let ours = filter_fn(|about| is_ours(about.target()));
    registry().with(wanted).with(ours).with(fmt::layer().with_writer(std::io::stderr)).init();
    quiet_panics(program);
}

/// Whether a record of this target is one of the project's.
fn is_ours(target: &str) -> bool {
    OURS.iter().any(|ours| target.starts_with(ours))
}

/// Says of every panic from now on where it was, and not what it said.
fn quiet_panics(program: &'static str) {
    std::panic::set_hook(Box::new(move |info| {
        let place = info.location().map_or_else(String::new, |at| format!(" in {}:{}", at.file(), at.line()));
        let current = std::thread::current();
        let thread = current.name().unwrap_or("?");
        // Where that cannot be said there is nobody to hear it.
        let _ = writeln!(
            std::io::stderr(),
            "{program}: a failure inside the inspector{place}, thread {thread}; please report it with this line"
        );
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
        const MARKER: &str = "marker-41d2";
        if std::env::var_os(AGAIN).is_some() {
            begin_log("djust-inspector");
            // As slicing a text does it.
            panic!("byte index 3 is out of bounds of `{MARKER}`");
        }
        let output = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "log::tests::a_panic_does_not_say_what_it_stumbled_over", "--nocapture"])
            .env(AGAIN, "1")
            .output()
            .unwrap();
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert!(!output.status.success() && said.contains("src/log.rs:"), "{said}");
        assert!(!said.contains(MARKER), "{said}");
    }
}
