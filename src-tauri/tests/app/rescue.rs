//! When the webview does not draw.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use rustix::process::{Pid, Signal, kill_process};

use crate::desk::{APP, Desk};

fn signal(pid: u32, signal: Signal) {
    kill_process(Pid::from_raw(pid.cast_signed()).unwrap(), signal).unwrap();
}

#[test]
fn a_page_whose_process_was_killed_comes_back() {
    let mut desk = Desk::empty();
    let pid = desk.start(&PathBuf::from(APP), &["recordings/counter.djrec"], &[]);
    desk.connected(1);
    signal(desk.web_process(pid), Signal::KILL);
    desk.connected(2);
}

#[test]
fn a_window_that_never_draws_gives_way_to_the_native_one() {
    let mut desk = Desk::empty();
    // The app in a folder of its own, with something beside it that says how it was called.
    let folder = desk.home().join("bin");
    std::fs::create_dir_all(&folder).unwrap();
    let app = folder.join("djust-inspector-app");
    std::fs::hard_link(APP, &app).or_else(|_| std::fs::copy(APP, &app).map(drop)).unwrap();
    let called = desk.home().join("called");
    let native = folder.join("djust-inspector");
    std::fs::write(&native, format!("#!/bin/sh\nprintf '%s\\n' \"$@\" > {0}.new && mv {0}.new {0}\n", called.display())).unwrap();
    std::fs::set_permissions(&native, std::fs::Permissions::from_mode(0o755)).unwrap();

    let pid = desk.start(&app, &["--fallback", "recordings/counter.djrec"], &[("DJUST_INSPECTOR_FIRST_FRAME_SECS", "2")]);
    // A process that stands still draws as little as a broken driver.
    signal(desk.web_process(pid), Signal::STOP);
    let words = desk.wait("the native program", || std::fs::read_to_string(&called).map_err(|error| error.to_string()));
    let words: Vec<&str> = words.lines().collect();
    assert_eq!(words[0], "--data-dir");
    assert_eq!(words[2], "open");
    assert!(words[3].ends_with("recordings/counter.djrec"), "{words:?}");
}
