//! The log: the project's own records, on standard error. `DJUST_INSPECTOR_LOG` says how much of them.

use inspector_engine::{is_ours, quiet_panics};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, fmt, registry};

/// Begins it, and makes panics quiet.
pub fn begin() {
    let wanted = EnvFilter::try_from_env("DJUST_INSPECTOR_LOG").unwrap_or_else(|_| "error".into());
    let ours = filter_fn(|about| is_ours(about.target()));
    registry().with(wanted).with(ours).with(fmt::layer().with_writer(std::io::stderr)).init();
    quiet_panics("djust-inspector");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_does_not_say_what_it_stumbled_over() {
        const AGAIN: &str = "INSPECTOR_TEST_PANICS";
        const MARKER: &str = "marker-41d2";
        if std::env::var_os(AGAIN).is_some() {
            begin();
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
