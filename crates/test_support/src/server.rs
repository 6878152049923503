//! A djust server on a free port of loopback.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::{Pid, Signal, kill_process};

use crate::http::{self, HttpAnswer};
use crate::paths::{inject_dir, venv, workspace_root};
use crate::process::{Output, ProcessGroup};
use crate::project::ProjectCopy;
use crate::{STEP_DEADLINE, TestError, wait_until};

/// How often a start is tried again when another process took the port first.
const START_TRIES: usize = 3;

/// The program that serves the project.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavour {
    /// `uvicorn`: one process, keeps state over hot view replacement.
    Uvicorn,
    /// `uvicorn --reload`: restarts on every change, sockets close with 1012.
    UvicornReload,
    /// `uvicorn --workers`: so many processes, each of which imports the project anew.
    UvicornWorkers(u8),
    /// `gunicorn --preload` with workers of uvicorn: so many processes, forked from one that has imported the project.
    GunicornPreload(u8),
    /// `daphne`.
    Daphne,
    /// `manage.py runserver`: daphne under Django's autoreloader.
    Runserver,
    /// `manage.py runserver --noreload`.
    RunserverNoreload,
}

/// How the agent gets into the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AgentMode {
    /// Not at all.
    Absent,
    /// By this folder in front of `PYTHONPATH`, as `djust-inspector run` does it; normally [`inject_dir`].
    Injected(PathBuf),
    /// Listed in `INSTALLED_APPS`, importable from the agent's folder.
    Installed,
}

impl AgentMode {
    /// Injected from the workspace's own agent.
    pub fn injected() -> Self {
        Self::Injected(inject_dir())
    }
}

/// What to start. `ServerOptions::default()` is the newest djust under plain uvicorn without the agent.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    /// The djust version, one of [`crate::DJUST_VERSIONS`].
    pub djust: String,
    /// The server program.
    pub flavour: Flavour,
    /// Whether and how the agent is loaded.
    pub agent: AgentMode,
    /// The agent's token; `None` leaves the agent to make one itself.
    pub token: Option<String>,
    /// Further environment, for example `("DEMO_DEBUG", "0")`; see the project's `settings.py`.
    pub env: Vec<(String, String)>,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self { djust: "1.2.6".to_owned(), flavour: Flavour::Uvicorn, agent: AgentMode::Absent, token: None, env: Vec::new() }
    }
}

impl ServerOptions {
    /// With the workspace's agent injected and this token.
    pub fn injected(token: &str) -> Self {
        Self { agent: AgentMode::injected(), token: Some(token.to_owned()), ..Self::default() }
    }

    /// With another djust version.
    #[must_use]
    pub fn djust(mut self, version: &str) -> Self {
        version.clone_into(&mut self.djust);
        self
    }

    /// With another server program.
    #[must_use]
    pub fn flavour(mut self, flavour: Flavour) -> Self {
        self.flavour = flavour;
        self
    }

    /// With one more environment variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// A server that answers HTTP, on its own copy of the project and with its own database.
///
/// Dropping it kills all its processes. When the test is failing at that moment, the end of the server's output is printed.
#[derive(Debug)]
pub struct DjustServer {
    options: ServerOptions,
    python: PathBuf,
    project: ProjectCopy,
    address: SocketAddr,
    process: Option<ProcessGroup>,
    output: Output,
}

impl DjustServer {
    /// Starts a server and waits until it answers.
    ///
    /// # Errors
    /// A missing virtual environment, or a server that ends or does not answer, with the end of its output.
    pub async fn start(options: ServerOptions) -> Result<Self, TestError> {
        let python = venv(&options.djust)?;
        let project = ProjectCopy::create(&python, &options.djust)?;
        let address = free_address()?;
        let mut server = Self { options, python, project, address, process: None, output: Output::default() };
        for _ in 1..START_TRIES {
            match server.launch().await {
                // The port was free a moment ago; another process may have been faster.
                Err(TestError::Ended { .. }) if server.output.tail().to_lowercase().contains("address already in use") => {
                    server.address = free_address()?;
                }
                other => return other.map(|()| server),
            }
        }
        server.launch().await.map(|()| server)
    }

    /// Starts the server again on the same port with the same files and database. It is killed first when it still runs.
    pub async fn restart(&mut self) -> Result<(), TestError> {
        self.kill9();
        self.launch().await
    }

    /// Kills the server with all its processes, as a crash would. [`Self::restart`] brings it back.
    pub fn kill9(&mut self) {
        self.process = None;
    }

    /// Asks the server to end (`SIGTERM`) and waits until it has; kills it when it does not.
    pub async fn stop(&mut self) -> Result<(), TestError> {
        let Some(mut process) = self.process.take() else { return Ok(()) };
        process.signal(Signal::TERM);
        wait_until(STEP_DEADLINE, "the server to end after SIGTERM", async || match process.ended() {
            Some(_) => Ok(()),
            None => Err("still running".to_owned()),
        })
        .await
    }

    /// Sends a signal to all processes of the server.
    pub fn signal(&self, signal: Signal) {
        if let Some(process) = &self.process {
            process.signal(signal);
        }
    }

    /// The address of a page, for example `url("/counter/")`.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Host and port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The token given to the agent, if one was given.
    pub fn token(&self) -> Option<&str> {
        self.options.token.as_deref()
    }

    /// What was asked for.
    pub fn options(&self) -> &ServerOptions {
        &self.options
    }

    /// The folder of this server's copy of the project; its files may be edited.
    pub fn project_dir(&self) -> PathBuf {
        self.project.root()
    }

    /// Where the agent of this server writes its discovery file.
    pub fn runtime_dir(&self) -> PathBuf {
        self.project.runtime_dir()
    }

    /// The id of the first process, `None` while stopped. Under an autoreloader the one that serves is a child of it.
    pub fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(ProcessGroup::pid)
    }

    /// Kills one of the processes that serve, as a crash would.
    pub fn kill_worker(&self, worker: u32) {
        if let Some(pid) = i32::try_from(worker).ok().and_then(Pid::from_raw) {
            kill_process(pid, Signal::KILL).ok();
        }
    }

    /// Everything that the server printed, over restarts.
    pub fn output(&self) -> String {
        self.output.all()
    }

    /// Asks for a page over plain HTTP.
    ///
    /// # Errors
    /// [`TestError::Socket`] when no answer came.
    pub async fn get(&self, path: &str) -> Result<HttpAnswer, TestError> {
        http::get(self.address, path).await.map_err(TestError::Socket)
    }

    /// Replaces a text that occurs exactly once in a file of the project copy, as an editor would when saving.
    ///
    /// # Errors
    /// [`TestError::NotOnce`] when the text is missing or ambiguous: the test would change something else than it means.
    pub fn edit(&self, file: impl AsRef<Path>, from: &str, to: &str) -> Result<(), TestError> {
        let path = self.project.root().join(file);
        let text = std::fs::read_to_string(&path).map_err(TestError::io(format!("cannot read {}", path.display())))?;
        let times = text.matches(from).count();
        if times != 1 {
            return Err(TestError::NotOnce { times, path });
        }
        std::fs::write(&path, text.replacen(from, to, 1)).map_err(TestError::io(format!("cannot write {}", path.display())))
    }

    async fn launch(&mut self) -> Result<(), TestError> {
        let mut process = ProcessGroup::spawn("the server", &mut self.command(), &self.output)?;
        let (address, output) = (self.address, self.output.clone());
        let mut ended = None;
        let waited = wait_until(STEP_DEADLINE, "the server to answer", async || {
            if let Err(error) = process.expect_running(&output) {
                ended = Some(error);
                return Ok(());
            }
            match http::get(address, "/login/").await {
                Ok(answer) if answer.status == 200 => Ok(()),
                Ok(answer) => Err(format!("status {}", answer.status)),
                Err(error) => Err(error),
            }
        })
        .await;
        if let Some(error) = ended {
            return Err(error);
        }
        waited.map_err(|source| TestError::NotServing { source: Box::new(source), output: output.tail() })?;
        self.process = Some(process);
        Ok(())
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.python);
        let (host, port) = (self.address.ip().to_string(), self.address.port().to_string());
        let project = self.project.root();
        match self.options.flavour {
            Flavour::Uvicorn => command.args(["-m", "uvicorn", "config.asgi:application", "--host", &host, "--port", &port]),
            Flavour::UvicornReload => {
                command.args(["-m", "uvicorn", "config.asgi:application", "--host", &host, "--port", &port, "--reload"])
            }
            Flavour::UvicornWorkers(workers) => command
                .args(["-m", "uvicorn", "config.asgi:application", "--host", &host, "--port", &port, "--workers"])
                .arg(workers.to_string()),
            Flavour::GunicornPreload(workers) => command
                .args(["-m", "gunicorn", "config.asgi:application", "--preload", "--worker-class", "uvicorn_worker.UvicornWorker"])
                .args(["--bind", &self.address.to_string(), "--workers", &workers.to_string()]),
            Flavour::Daphne => command.args(["-m", "daphne", "-b", &host, "-p", &port, "config.asgi:application"]),
            Flavour::Runserver => command.args(["manage.py", "runserver", &self.address.to_string()]),
            Flavour::RunserverNoreload => command.args(["manage.py", "runserver", "--noreload", &self.address.to_string()]),
        };
        command.current_dir(project).env("PYTHONUNBUFFERED", "1").env("DEMO_DB", self.project.database());
        // The tester's own environment must not decide how the agent behaves.
        for name in ["PYTHONPATH", "DJUST_INSPECTOR", "DJUST_INSPECTOR_RUN", "DJUST_INSPECTOR_TOKEN"] {
            command.env_remove(name);
        }
        command.env("DJUST_INSPECTOR_RUNTIME_DIR", self.project.runtime_dir());
        match &self.options.agent {
            AgentMode::Absent => {}
            AgentMode::Injected(folder) => {
                command.env("PYTHONPATH", folder);
            }
            AgentMode::Installed => {
                command.env("PYTHONPATH", workspace_root().join("agent")).env("DEMO_INSTALLED", "1");
            }
        }
        if let Some(token) = &self.options.token {
            command.env("DJUST_INSPECTOR_TOKEN", token);
        }
        command.envs(self.options.env.iter().map(|(name, value)| (name, value)));
        command
    }
}

impl Drop for DjustServer {
    #[expect(clippy::print_stderr, reason = "a failing test shows what its server said")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- the server's last output ({}):\n{}", self.url("/"), self.output.tail());
        }
    }
}

/// A port that nobody listens on right now.
pub fn free_address() -> Result<SocketAddr, TestError> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr()).map_err(TestError::io("cannot find a free port"))
}
