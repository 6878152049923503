//! When the webview does not draw.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use rustix::process::{Pid, Signal, kill_process};

use crate::desk::{APP, Desk};

fn signal(pid: u32, signal: Signal) {
    kill_process(Pid::from_raw(pid.cast_signed()).unwrap(), signal).unwrap();
}

/// The app in a folder of its own, and beside it, in the native program's place, something that says how it was called.
struct Installed {
    app: PathBuf,
    called: PathBuf,
}

impl Installed {
    fn on(desk: &Desk) -> Self {
        let folder = desk.home().join("bin");
        std::fs::create_dir_all(&folder).unwrap();
        let app = folder.join("djust-inspector-app");
        std::fs::hard_link(APP, &app).or_else(|_| std::fs::copy(APP, &app).map(drop)).unwrap();
        let called = desk.home().join("called");
        let native = folder.join("djust-inspector");
        std::fs::write(&native, format!("#!/bin/sh\nprintf '%s\\n' \"$@\" > {0}.new && mv {0}.new {0}\n", called.display())).unwrap();
        std::fs::set_permissions(&native, std::fs::Permissions::from_mode(0o755)).unwrap();
        Self { app, called }
    }

    /// Waits until the native program was started, asked for the same recording.
    fn gave_way(&self, desk: &Desk) {
        let words = desk.wait("the native program", || std::fs::read_to_string(&self.called).map_err(|error| error.to_string()));
        let words: Vec<&str> = words.lines().collect();
        assert_eq!((words[0], words[2]), ("--data-dir", "open"));
        assert!(words[3].ends_with("recordings/counter.djrec"), "{words:?}");
    }
}

#[test]
fn a_page_whose_process_ends_comes_back_until_that_is_no_help() {
    let mut desk = Desk::empty();
    let installed = Installed::on(&desk);
    let pid = desk.start(&installed.app, &["--fallback", "recordings/counter.djrec"], &[]);
    for connection in 1..=4 {
        desk.connected(connection);
        assert!(!installed.called.exists());
        signal(desk.web_process(pid), Signal::KILL);
    }
    installed.gave_way(&desk);
}

#[test]
fn a_window_that_never_draws_gives_way_to_the_native_one() {
    let mut desk = Desk::empty();
    let installed = Installed::on(&desk);
    let pid = desk.start(&installed.app, &["--fallback", "recordings/counter.djrec"], &[("DJUST_INSPECTOR_FIRST_FRAME_SECS", "2")]);
    // A process that stands still draws as little as a broken driver.
    signal(desk.web_process(pid), Signal::STOP);
    installed.gave_way(&desk);
}
