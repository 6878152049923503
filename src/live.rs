//! `run` and `attach`: a live server and the window.

use std::process::{ExitCode, ExitStatus};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context as _;
use inspector_engine::{Child, Places, Target, found_servers, supervise, unpack_agent};
use inspector_model::AttachOptions;
use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::arguments::{Attach, Run, Transport};
use crate::window;

/// How long a server may take to shut down in its own way.
const SHUTDOWN_DEADLINE: std::time::Duration = std::time::Duration::from_secs(10);

/// Starts a server with the agent inside and opens the window on it. The exit code is the server's.
pub fn run(places: &Places, run: &Run) -> anyhow::Result<ExitCode> {
    let Some(engine) = window::engine(places)? else { return Ok(ExitCode::SUCCESS) };
    let ending = engine.clone();
    // The main thread is the window's, which knows nothing of signals: the end is made here.
    let on_signal = Box::new(move || {
        ending.shut_down();
        std::process::exit(130);
    });
    let server = Server::start(places, &run.command, Some(on_signal))?;
    engine.attach(server.target.clone()).map_err(|failure| anyhow::anyhow!(failure.message))?;
    let shown = window::show(&engine, places, Vec::new(), Some(&server));
    let status = server.stop()?;
    shown?;
    Ok(status)
}

/// Opens the window attached to a running server.
pub fn attach(places: &Places, attach: &Attach) -> anyhow::Result<ExitCode> {
    let target = choose(attach.url.as_deref(), attach.token.as_deref(), attach.write, &attach.transport)?;
    let Some(engine) = window::engine(places)? else { return Ok(ExitCode::SUCCESS) };
    engine.attach(target).map_err(|failure| anyhow::anyhow!(failure.message))?;
    window::show(&engine, places, Vec::new(), None)?;
    Ok(ExitCode::SUCCESS)
}

/// The server that is meant: by address and token, by address of a found one, or the only found one.
pub fn choose(url: Option<&str>, token: Option<&str>, write: bool, transport: &Transport) -> anyhow::Result<Target> {
    let found = found_servers();
    let target = |server: &inspector_protocol::Discovered| Target::Found { url: server.url.clone(), cwd: server.cwd.clone() };
    match (url, token) {
        (Some(url), Some(token)) => Ok(Target::Address {
            url: url.to_owned(),
            token: token.to_owned(),
            options: AttachOptions { write, insecure: transport.insecure },
            authority: transport.ca.clone(),
        }),
        (Some(url), None) => found.iter().find(|server| server.url.trim_end_matches('/') == url.trim_end_matches('/')).map(target).with_context(|| {
            format!("the server was not found on this machine, so its token is needed: set DJUST_INSPECTOR_TOKEN, or start it with `djust-inspector run -- …`: {url}")
        }),
        (None, _) => match found.as_slice() {
            [only] => Ok(target(only)),
            [] => anyhow::bail!("no server with an agent runs on this machine; start one with `djust-inspector run -- python manage.py runserver`"),
            several => {
                let list: Vec<&str> = several.iter().map(|server| server.url.as_str()).collect();
                anyhow::bail!("several servers run on this machine; name one of them: {}", list.join(" "))
            }
        },
    }
}

/// A supervised server on a thread of its own, so that the window can have the main one. Dropping it ends the server, so every way out does.
pub struct Server {
    /// How to attach to it.
    pub target: Target,
    /// Its command, as it is read.
    pub command: String,
    ended: Arc<Mutex<Ended>>,
    supervisor: Option<Supervisor>,
}

struct Supervisor {
    stop: oneshot::Sender<()>,
    thread: std::thread::JoinHandle<anyhow::Result<ExitStatus>>,
}

/// Whether the server has ended, and who is told when it does.
#[derive(Default)]
struct Ended {
    ended: bool,
    tell: Option<Box<dyn FnOnce() + Send>>,
}

impl Server {
    /// Starts `command` with the agent. `on_signal` is called when a signal ended this program and the server has ended with it.
    pub fn start(places: &Places, command: &[std::ffi::OsString], on_signal: Option<Box<dyn FnOnce() + Send>>) -> anyhow::Result<Self> {
        let inject = unpack_agent(&places.cache)?;
        let (stop, stopped) = oneshot::channel();
        let (started, first) = std::sync::mpsc::sync_channel(1);
        let words = command.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ");
        let command = command.to_vec();
        let ended = Arc::<Mutex<Ended>>::default();
        let ending = ended.clone();
        let thread = std::thread::Builder::new().name("supervisor".into()).spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime
                .block_on(async {
                    // Before there is a server: a signal that came in between would leave it behind.
                    let mut terminated = Termination::new()?;
                    let mut child = match supervise(&command, &inject) {
                        Ok(child) => child,
                        Err(error) => {
                            let _ = started.send(Err(error));
                            anyhow::bail!("the server was not started");
                        }
                    };
                    let _ = started.send(Ok(child.target()));
                    let watched = watch(&mut child, stopped, &mut terminated).await;
                    let tell = {
                        let mut ending = ending.lock();
                        ending.ended = true;
                        ending.tell.take()
                    };
                    if let Some(tell) = tell {
                        tell();
                    }
                    let (status, by_signal) = watched?;
                    Ok((status, by_signal))
                })
                .map(|(status, by_signal)| {
                    if by_signal && let Some(on_signal) = on_signal {
                        on_signal();
                    }
                    status
                })
        })?;
        let target = first.recv().context("the supervisor ended")??;
        Ok(Self { target, command: words, ended, supervisor: Some(Supervisor { stop, thread }) })
    }

    /// Has `tell` called when it has ended, on another thread. At once where it has.
    pub fn when_ended(&self, tell: Box<dyn FnOnce() + Send>) {
        let mut ended = self.ended.lock();
        if ended.ended {
            drop(ended);
            tell();
        } else {
            ended.tell = Some(tell);
        }
    }

    /// Whether it still runs.
    pub fn is_running(&self) -> bool {
        self.supervisor.as_ref().is_some_and(|supervisor| !supervisor.thread.is_finished())
    }

    /// Ends it if it still runs, and gives its exit code; ended by us is success.
    pub fn stop(mut self) -> anyhow::Result<ExitCode> {
        let ended_by_us = self.is_running();
        let status = self.supervisor.take().context("the supervisor ended")?.end()?;
        if ended_by_us {
            return Ok(ExitCode::SUCCESS);
        }
        Ok(exit_code(status))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(Err(error)) = self.supervisor.take().map(Supervisor::end) {
            tracing::error!(%error, "the server's supervisor failed");
        }
    }
}

impl Supervisor {
    fn end(self) -> anyhow::Result<ExitStatus> {
        // It may have ended by itself.
        let _ = self.stop.send(());
        self.thread.join().map_err(|_| anyhow::anyhow!("the supervisor failed"))?
    }
}

/// The child's code; a signal is 128 + its number, as shells have it.
fn exit_code(status: ExitStatus) -> ExitCode {
    if let Some(code) = status.code() {
        return ExitCode::from(u8::try_from(code).unwrap_or(1));
    }
    #[cfg(unix)]
    {
        use std::os::unix::process::ExitStatusExt as _;
        if let Some(signal) = status.signal() {
            return ExitCode::from(u8::try_from(128 + signal).unwrap_or(1));
        }
    }
    ExitCode::FAILURE
}

/// Waits for the child; passes the end of this program on to it. A terminal's Ctrl-C reaches the child by itself.
async fn watch(child: &mut Child, mut stop: oneshot::Receiver<()>, terminated: &mut Termination) -> std::io::Result<(ExitStatus, bool)> {
    let by_signal = tokio::select! {
        status = child.wait() => return Ok((status?, false)),
        _ = &mut stop => false,
        () = terminated.recv() => true,
    };
    Ok((child.end(SHUTDOWN_DEADLINE).await?, by_signal))
}

/// Says from now on, instead of letting the program die, whether it shall end. `wake` is called when it shall.
pub fn listen_for_the_end(wake: impl FnOnce() + Send + 'static) -> std::io::Result<impl Fn() -> bool> {
    let end = Arc::new(AtomicBool::new(false));
    let told = end.clone();
    std::thread::Builder::new().name("signals".into()).spawn(move || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
        runtime.block_on(async {
            if let Ok(mut termination) = Termination::new() {
                termination.recv().await;
                told.store(true, Ordering::Relaxed);
                wake();
            }
        });
    })?;
    Ok(move || end.load(Ordering::Relaxed))
}

/// SIGTERM, SIGHUP or Ctrl-C.
pub struct Termination {
    #[cfg(unix)]
    signals: [tokio::signal::unix::Signal; 3],
}

impl Termination {
    /// Listens from now on, instead of dying.
    pub fn new() -> std::io::Result<Self> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            Ok(Self { signals: [signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?, signal(SignalKind::hangup())?] })
        }
        #[cfg(not(unix))]
        Ok(Self {})
    }

    /// Waits for one.
    pub async fn recv(&mut self) {
        #[cfg(unix)]
        {
            let [terminate, interrupt, hangup] = &mut self.signals;
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
                _ = hangup.recv() => {}
            }
        }
        #[cfg(not(unix))]
        {
            let _ = tokio::signal::ctrl_c().await;
        }
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use std::ffi::OsString;
    use std::time::{Duration, Instant};

    use super::*;

    /// The processes of a run.
    fn processes(server: &Server) -> Vec<u32> {
        let Target::Run(run) = &server.target else { panic!("{:?}", server.target) };
        let all = std::fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        let has_it = |pid: &u32| {
            let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            environment.windows(run.len()).any(|window| window == run.as_bytes())
        };
        all.filter(has_it).collect()
    }

    /// A server of a shell with two children, once all three run.
    fn server(script: &str) -> (Server, Vec<u32>, tempfile::TempDir) {
        let home = tempfile::tempdir().unwrap();
        let places = Places::find(Some(home.path())).unwrap();
        let places = Places { cache: home.path().join("cache"), ..places };
        let command = ["sh", "-c", script].map(OsString::from);
        let server = Server::start(&places, &command, None).unwrap();
        let end = Instant::now() + Duration::from_secs(30);
        loop {
            let running = processes(&server);
            if running.len() >= 3 {
                return (server, running, home);
            }
            assert!(Instant::now() < end, "{running:?}");
            std::thread::yield_now();
        }
    }

    const WITH_CHILDREN: &str = "sleep 1000 & sleep 1000 & wait";

    fn assert_gone(all: &[u32]) {
        for pid in all {
            let state = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            let ended = state.is_empty() || state.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with(['Z', 'X']));
            assert!(ended, "{pid} still runs: {state}");
        }
    }

    #[test]
    fn an_error_after_the_start_ends_the_server_and_its_children() {
        let mut all = Vec::new();
        let mut fails = || -> anyhow::Result<()> {
            let (_server, running, _home) = server(WITH_CHILDREN);
            all = running;
            anyhow::bail!("the attachment is refused")
        };
        assert!(fails().is_err());
        assert_gone(&all);
    }

    #[test]
    fn a_panic_ends_the_server_and_its_children() {
        let (told, running) = std::sync::mpsc::sync_channel(1);
        let fails = move || {
            let (_server, running, _home) = server(WITH_CHILDREN);
            told.send(running).unwrap();
            panic!("the window fails");
        };
        let panicked = std::thread::Builder::new().name("window".into()).spawn(fails).unwrap();
        assert!(panicked.join().is_err());
        assert_gone(&running.recv().unwrap());
    }

    #[test]
    fn the_end_of_the_window_ends_the_server_and_its_children() {
        let (server, all, _home) = server(WITH_CHILDREN);
        assert_eq!(server.stop().unwrap(), ExitCode::SUCCESS);
        assert_gone(&all);
    }

    #[test]
    fn a_server_that_ends_by_itself_leaves_no_children() {
        // Ends when it is told to: a shell that waits for a signal of its own.
        let (server, all, _home) = server("trap 'exit 3' USR1; sleep 1000 & sleep 1000 & while :; do wait; done");
        let shell = *all.iter().min().unwrap();
        let pid = rustix::process::Pid::from_raw(shell.try_into().unwrap()).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::USR1).unwrap();
        let end = Instant::now() + Duration::from_secs(30);
        while server.is_running() && Instant::now() < end {
            std::thread::yield_now();
        }
        assert_eq!(server.stop().unwrap(), ExitCode::from(3));
        assert_gone(&all);
    }
}
