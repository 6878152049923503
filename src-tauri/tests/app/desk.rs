//! A desktop of its own for each test: display, session bus, home, and the app on it.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;

use inspector_test_support::{Output, ProcessGroup, STEP_DEADLINE, wait_until, workspace_root};
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::driver::Driver;
use crate::picture::Picture;

/// The app: the one that was built, or the installed one that `DJUST_INSPECTOR_APP` names.
pub fn app() -> String {
    std::env::var("DJUST_INSPECTOR_APP").unwrap_or_else(|_| env!("CARGO_BIN_EXE_djust-inspector-app").to_owned())
}

/// What these tests stand on, and the package that has it on Debian.
const NEEDED: [(&str, &str); 5] = [
    ("Xvfb", "xvfb"),
    ("dbus-daemon", "dbus-daemon"),
    ("WebKitWebDriver", "webkit2gtk-driver"),
    ("import", "imagemagick"),
    ("xdotool", "xdotool"),
];

/// A display, a session bus and a home. Its parts are dropped, and so ended, in this order.
pub struct Desk {
    driver: Option<Driver>,
    processes: Vec<ProcessGroup>,
    _bus: ProcessGroup,
    _display: ProcessGroup,
    /// What the app, or its driver, printed.
    pub output: Output,
    variables: Vec<(&'static str, String)>,
    home: TempDir,
    pub runtime: Runtime,
}

impl Desk {
    /// With nothing on it.
    pub fn empty() -> Self {
        let missing: Vec<&str> = NEEDED.iter().filter(|(program, _)| which(program).is_none()).map(|(_, package)| *package).collect();
        assert!(missing.is_empty(), "THE APP WAS NOT TESTED: install what it is tested with: apt-get install -y {}", missing.join(" "));
        let runtime = Runtime::new().unwrap();
        let home = tempfile::Builder::new().prefix("djust-desk-").tempdir().unwrap();
        for folder in ["run", "data", "found", "tmp"] {
            std::fs::create_dir_all(home.path().join(folder)).unwrap();
        }
        std::fs::set_permissions(home.path().join("run"), std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
        let path = |name: &str| home.path().join(name).display().to_string();
        let mut variables = vec![
            ("HOME", path("")),
            ("TMPDIR", path("tmp")),
            ("XDG_RUNTIME_DIR", path("run")),
            ("XDG_DATA_HOME", path("data")),
            ("XDG_CONFIG_HOME", path("config")),
            ("XDG_CACHE_HOME", path("cache")),
            ("DJUST_INSPECTOR_DATA_DIR", path("library")),
            ("DJUST_INSPECTOR_RUNTIME_DIR", path("found")),
            ("DJUST_INSPECTOR_LOG", "info".into()),
            ("GDK_BACKEND", "x11".into()),
            ("NO_AT_BRIDGE", "1".into()),
            ("LIBGL_ALWAYS_SOFTWARE", "1".into()),
        ];
        let (said, display) =
            service(&runtime, "Xvfb", &["-displayfd", "1", "-screen", "0", "1400x1000x24", "-nolisten", "tcp"], &variables);
        variables.push(("DISPLAY", format!(":{said}")));
        let (said, bus) = service(&runtime, "dbus-daemon", &["--session", "--nofork", "--nosyslog", "--print-address=1"], &variables);
        variables.push(("DBUS_SESSION_BUS_ADDRESS", said));
        Self { driver: None, processes: Vec::new(), _bus: bus, _display: display, output: Output::default(), variables, home, runtime }
    }

    /// With the app on it, driven.
    pub fn with_app(arguments: &[&str]) -> Self {
        Self::empty().driving(arguments)
    }

    /// Puts the app on it, driven.
    pub fn driving(mut self, arguments: &[&str]) -> Self {
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr()).unwrap();
        let mut command = self.command("WebKitWebDriver");
        command.args(["--host=127.0.0.1", &format!("--port={}", address.port())]).env("TAURI_WEBVIEW_AUTOMATION", "true");
        self.processes.push(ProcessGroup::spawn("WebKitWebDriver", &mut command, &self.output).unwrap());
        self.wait("the driver to listen", || TcpStream::connect(address).map(drop).map_err(|error| error.to_string()));
        self.drive(address, arguments);
        self.first_frame();
        self
    }

    fn drive(&mut self, address: SocketAddr, arguments: &[&str]) {
        let driver = Driver::start(address, &app(), arguments);
        self.driver = Some(driver.unwrap_or_else(|error| panic!("the app does not start: {error}\n{}", self.output.tail())));
    }

    /// Starts the app without a driver.
    pub fn start(&mut self, program: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> u32 {
        let mut command = self.command(program);
        command.args(arguments).envs(variables.iter().copied());
        let process = ProcessGroup::spawn("the app", &mut command, &self.output).unwrap();
        let pid = process.pid();
        self.processes.push(process);
        pid
    }

    /// A program on this desktop.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        for name in ["WAYLAND_DISPLAY", "DJUST_INSPECTOR_TOKEN", "WEBKIT_DISABLE_DMABUF_RENDERER", "GTK_THEME"] {
            command.env_remove(name);
        }
        command.envs(self.variables.iter().map(|(name, value)| (*name, value))).current_dir(workspace_root());
        command
    }

    /// A folder that goes with the desktop.
    pub fn home(&self) -> PathBuf {
        self.home.path().to_owned()
    }

    /// Waits until `check` is `Ok`, or fails with what it saw last and what the app printed.
    pub fn wait<T>(&self, what: &str, mut check: impl FnMut() -> Result<T, String>) -> T {
        let waited = self.runtime.block_on(wait_until(STEP_DEADLINE, what, async || check()));
        waited.unwrap_or_else(|error| panic!("{error}\n--- the app's output:\n{}", self.output.tail()))
    }

    fn driver(&self) -> &Driver {
        self.driver.as_ref().expect("the app is driven")
    }

    fn first_frame(&self) {
        let drawn = "return document.documentElement.getAttribute('data-first-frame')";
        self.wait("the first frame", || match self.driver().script(drawn)?.as_str() {
            Some(_) => Ok(()),
            None => Err(self.driver().script("return document.body.innerText")?.to_string()),
        });
    }

    /// Loads the window's page again.
    pub fn reload(&self) {
        self.driver().script("document.documentElement.dataset.old = 'yes'").unwrap();
        self.driver().reload().unwrap();
        self.wait("another page", || match self.driver().script("return document.documentElement.dataset.old ?? null")? {
            Value::Null => Ok(()),
            _ => Err("the page before".into()),
        });
        self.first_frame();
    }

    /// Waits until a widget of the window says `text`.
    pub fn shows(&self, text: &str) {
        self.wait(&format!("the window to show {text:?}"), || {
            let tree = self.driver().script("return window.inspector.tree()")?;
            let tree = tree.as_str().unwrap_or("nothing drawn yet");
            if tree.contains(text) { Ok(()) } else { Err(texts(tree)) }
        });
    }

    /// Waits until no widget of the window says `text`.
    pub fn lacks(&self, text: &str) {
        self.wait(&format!("the window not to show {text:?}"), || {
            let tree = self.driver().script("return window.inspector.tree()")?;
            let tree = tree.as_str().unwrap_or(text);
            if tree.contains(text) { Err(texts(tree)) } else { Ok(()) }
        });
    }

    /// The address of the session bus.
    pub fn bus(&self) -> String {
        let found = self.variables.iter().find(|(name, _)| *name == "DBUS_SESSION_BUS_ADDRESS");
        found.map(|(_, address)| address.clone()).unwrap_or_default()
    }

    /// Sends a request as the page does. Its answer goes to the page, which did not ask and so ignores it.
    pub fn send(&self, number: u64, request: &Value) {
        let text = Value::from(serde_json::json!([number, request]).to_string());
        let script = format!("const done = arguments[0]; window.__TAURI_INTERNALS__.invoke('send', {{text: {text}}}).then(done, done)");
        assert_eq!(self.driver().script_later(&script).unwrap(), Value::Bool(true), "{request}");
    }

    /// What a command of Tauri says to the page.
    pub fn invoke(&self, command: &str) -> String {
        let script = format!(
            "const done = arguments[0]; window.__TAURI_INTERNALS__.invoke('{command}', {{}}).then(() => done('allowed'), (error) => done(String(error)))"
        );
        self.driver().script_later(&script).unwrap().as_str().unwrap_or_default().to_owned()
    }

    /// What a script of the page gives.
    pub fn script(&self, script: &str) -> Value {
        self.driver().script(script).unwrap()
    }

    /// What a script of the page gives to its callback.
    pub fn script_later(&self, script: &str) -> Value {
        self.driver().script_later(script).unwrap()
    }

    /// Waits for a window whose title begins so, and gives its number.
    pub fn window(&self, title: &str) -> String {
        self.wait(&format!("a window {title:?}"), || {
            let found = self.xdotool(&["search", "--onlyvisible", "--name", &format!("^{title}")]);
            found.lines().next().map(str::to_owned).ok_or_else(|| self.titles())
        })
    }

    /// All titles of windows.
    pub fn titles(&self) -> String {
        self.xdotool(&["search", "--onlyvisible", "--name", ".", "getwindowname", "%@"])
    }

    /// What xdotool says.
    pub fn xdotool(&self, arguments: &[&str]) -> String {
        let output = self.command("xdotool").args(arguments).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// What a window looks like.
    ///
    /// The last one of each name stays in `target/tmp`, to be looked at.
    pub fn picture(&self, window: &str, name: &str) -> Picture {
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("app-{name}.png"));
        let status = self.command("import").args(["-window", window]).arg(&file).status().unwrap();
        assert!(status.success(), "the window cannot be photographed");
        Picture::read(&file)
    }

    /// Waits for a widget of the first frame in the app's own words: the page has connected this often.
    pub fn connected(&self, times: usize) {
        self.wait("the page to connect", || {
            let seen = self.output.all().matches("a page has connected").count();
            if seen >= times { Ok(()) } else { Err(format!("{seen} times")) }
        });
    }

    /// The process that draws the webviews of the app `pid`.
    pub fn web_process(&self, pid: u32) -> u32 {
        self.wait("the webview's process", || {
            let output =
                self.command("pgrep").args(["-P", &pid.to_string(), "WebKitWebProces"]).output().map_err(|error| error.to_string())?;
            String::from_utf8_lossy(&output.stdout).lines().next_back().and_then(|line| line.parse().ok()).ok_or_else(|| "none".to_owned())
        })
    }
}

/// Starts a program that says a line when it is ready, and gives that line.
fn service(runtime: &Runtime, program: &str, arguments: &[&str], variables: &[(&str, String)]) -> (String, ProcessGroup) {
    let output = Output::default();
    let mut command = Command::new(program);
    command.args(arguments).envs(variables.iter().map(|(name, value)| (name, value)));
    let mut process = ProcessGroup::spawn(program, &mut command, &output).unwrap();
    let line = runtime.block_on(wait_until(STEP_DEADLINE, program, async || {
        process.expect_running(&output).map_err(|error| error.to_string())?;
        output
            .all()
            .lines()
            .find(|line| line.starts_with("unix:") || line.parse::<u32>().is_ok())
            .map(str::to_owned)
            .ok_or_else(|| output.tail())
    }));
    (line.unwrap(), process)
}

fn which(program: &str) -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?).map(|dir| dir.join(program)).find(|file| file.is_file())
}

/// The labels and values of a tree, for a failure.
fn texts(tree: &str) -> String {
    fn collect(widget: &Value, into: &mut Vec<String>) {
        into.extend(["label", "value"].iter().filter_map(|key| widget[key].as_str()).map(str::to_owned));
        widget["children"].as_array().into_iter().flatten().for_each(|child| collect(child, into));
    }
    let mut found = Vec::new();
    if let Ok(tree) = serde_json::from_str::<Value>(tree) {
        collect(&tree["root"], &mut found);
    }
    if found.is_empty() { tree.to_owned() } else { found.join(" | ") }
}
