//! What every host of the engine does so that nothing of what is recorded is logged.
//!
//! Libraries write at their lower levels what goes through them, frames and texts of the window among it, and a panic says what it
//! stumbled over. So only this project's own records are to be taken, which hold no values, and of a panic the place.

use std::io::Write as _;

/// How the targets of the project's records begin.
const OURS: [&str; 2] = ["djust_inspector", "inspector_"];

/// Whether a record of this target is one of the project's.
pub fn is_ours(target: &str) -> bool {
    OURS.iter().any(|ours| target.starts_with(ours))
}

/// Says of every panic from now on where it was, and not what it said.
pub fn quiet_panics(program: &'static str) {
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
}
