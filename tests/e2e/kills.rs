//! The inspector killed, the server killed, both, in turns, while somebody clicks: what was flushed is found again, and
//! recording goes on.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

use inspector_engine::{Engine, Settings, Target};
use inspector_model::{Side, SourceState, StateAnswer, StepId, StepKind};

use crate::inspector::{DEADLINE, Inspector};
use crate::lab::Lab;

/// Set for the process that plays the inspector: its library and the server's address.
const LIBRARY: &str = "INSPECTOR_E2E_LIBRARY";
const URL: &str = "INSPECTOR_E2E_URL";

const TEST: &str = "kills::whoever_is_killed_while_somebody_clicks_what_was_flushed_is_found_again";

/// Rounds; in each the inspector is killed, the server, or both.
const ROUNDS: u64 = 24;

/// What the inspector's process does: records, and tells what is certain to be on the disk.
#[expect(clippy::print_stdout, reason = "it is how the parent hears of it")]
fn record(library: &Path, url: &str) {
    let mut inspector = Inspector::attach_in(library, Target::address(url, Lab::token()));
    let (mut steps, mut bytes, mut events, mut attached) = (0, 0, 0, false);
    loop {
        let now = inspector.wait("news", |inspector| {
            let timeline = inspector.timeline.as_ref()?;
            let source = timeline.source();
            let is_attached = matches!(source.state, SourceState::Attached);
            let seen = timeline.of_kind(StepKind::Event).len();
            let now = (source.recorder.steps, source.recorder.bytes, seen, is_attached);
            (now != (steps, bytes, events, attached)).then_some(now)
        });
        // Bytes change when it is flushed: what was told before that is on the disk.
        if now.1 != bytes {
            println!("\nflushed {steps}");
        }
        if now.2 != events {
            println!("\nevents {}", now.2);
        }
        if now.3 && !attached {
            println!("\nattached");
        }
        (steps, bytes, events, attached) = now;
        std::io::stdout().flush().expect("a parent");
    }
}

/// The inspector's process, as the test has it.
struct Recorder {
    child: Child,
    lines: Receiver<String>,
    flushed: u64,
    events: u64,
    attached: u64,
}

impl Recorder {
    fn start(library: &Path, url: &str) -> Self {
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command.args(["--exact", TEST, "--nocapture"]).env(LIBRARY, library).env(URL, url);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("a process");
        let out = BufReader::new(child.stdout.take().expect("its output"));
        let (tell, lines) = sync_channel(10_000);
        let listener = std::thread::Builder::new().name("listener".into());
        listener.spawn(move || out.lines().map_while(Result::ok).try_for_each(|line| tell.send(line))).expect("a thread");
        Self { child, lines, flushed: 0, events: 0, attached: 0 }
    }

    fn take_in(&mut self, line: &str) {
        match line.split_once(' ') {
            Some(("flushed", steps)) => self.flushed = steps.parse().expect("a number"),
            Some(("events", events)) => self.events = events.parse().expect("a number"),
            _ if line == "attached" => self.attached += 1,
            _ => {}
        }
    }

    fn wait(&mut self, what: &str, holds: impl Fn(&Self) -> bool) {
        let end = Instant::now() + DEADLINE;
        while !holds(self) {
            let line = self.lines.recv_timeout(end.saturating_duration_since(Instant::now()));
            let line = line.unwrap_or_else(|_| panic!("{what}: {} events, {} flushed", self.events, self.flushed));
            self.take_in(&line);
        }
    }

    /// What is certain to be on the disk.
    fn kill(&mut self) -> u64 {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("its end");
        while let Ok(line) = self.lines.recv_timeout(Duration::from_secs(5)) {
            self.take_in(&line);
        }
        self.flushed
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// All recordings can be read to their ends, and the last one has what was flushed.
fn check(library: &Path, flushed: u64) -> usize {
    let engine = Engine::start(&Settings::new(library)).expect("the library opens");
    let recordings = engine.store().recordings().expect("a list");
    for info in &recordings {
        let reader = engine.store().read(&info.id).expect("a recording");
        assert_eq!(reader.damage(), None);
        let steps = reader.steps().expect("its steps");
        assert_eq!(steps.len() as u64, info.steps);
        for step in steps.iter().filter(|step| step.kind == StepKind::Event) {
            reader.detail(step.id).expect("a detail");
            assert!(matches!(reader.state(step.id, Side::After).expect("a state"), StateAnswer::Full(_)), "step {}", step.id);
        }
    }
    let Some(last) = recordings.first() else {
        assert_eq!(flushed, 0, "nothing is there of what was flushed");
        return 0;
    };
    assert!(last.steps >= flushed, "{} of {flushed} flushed steps", last.steps);
    if flushed > 0 {
        let reader = engine.store().read(&last.id).expect("the last one");
        reader.detail(StepId(flushed)).expect("what was flushed last");
    }
    recordings.len()
}

#[test]
fn whoever_is_killed_while_somebody_clicks_what_was_flushed_is_found_again() {
    if let Some(library) = std::env::var_os(LIBRARY).map(PathBuf::from) {
        return record(&library, &std::env::var(URL).expect("an address"));
    }
    let mut lab = Lab::start_detached(&[("DEMO_RATE", "loose")]);
    let library = tempfile::tempdir().expect("a folder");
    let url = lab.url();
    let mut page = lab.open("/plain/");
    let mut recorder = Recorder::start(library.path(), &url);
    recorder.wait("the attachment", |recorder| recorder.attached > 0);
    let mut recordings = 0;
    let mut kill = |recorder: &mut Recorder, round: u64| {
        let flushed = recorder.kill();
        let found = check(library.path(), flushed);
        // One that ended before its first flush need not be there.
        let is_there = found == recordings + 1 || flushed == 0 && found == recordings;
        assert!(is_there, "round {round}: {found} recordings after {recordings}, {flushed} steps flushed");
        recordings = found;
    };
    for round in 0..ROUNDS {
        let before = recorder.events;
        // Another number of clicks, so that the kill comes at another place between two flushes.
        let clicks = 1 + round * 7 % 5;
        for _ in 0..clicks {
            lab.click(&page, "increment");
        }
        if round % 2 == 0 {
            recorder.wait("the clicks", |recorder| recorder.events >= before + clicks);
        }
        let (kills_server, kills_inspector) = (round % 3 != 0, round % 3 != 1);
        if kills_server {
            lab.kill_server();
        }
        if kills_inspector {
            kill(&mut recorder, round);
        }
        if kills_server {
            lab.restart_server();
            page = lab.open("/plain/");
        }
        if kills_inspector {
            recorder = Recorder::start(library.path(), &url);
            recorder.wait("the attachment", |recorder| recorder.attached > 0);
        } else {
            let attached = recorder.attached;
            recorder.wait("the attachment after the restart", |recorder| recorder.attached > attached);
        }
        let before = recorder.events;
        lab.click(&page, "increment");
        recorder.wait("a click after it", |recorder| recorder.events > before);
    }
    kill(&mut recorder, ROUNDS);
}
