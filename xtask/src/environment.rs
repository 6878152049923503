//! What the tasks stand on: Python environments, system packages, the built program.

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail, ensure};

/// The versions of djust that are tested. The first is the one of the demo.
pub const DJUST_VERSIONS: [&str; 3] = ["1.2.6", "1.1.9", "1.0.12"];

/// What chooses the versions in lock files.
const UV: &str = "0.13.9";

/// The workspace's folder.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map_or_else(|| PathBuf::from("."), Path::to_owned)
}

/// Where builds go.
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// Runs a command in the workspace's folder; its output is ours.
pub fn run(command: &mut Command) -> anyhow::Result<()> {
    let name = format!("{command:?}").replace('"', "");
    let status = command.current_dir(root()).status().with_context(|| format!("could not be started: {name}"))?;
    ensure!(status.success(), "failed ({status}): {name}");
    Ok(())
}

/// `cargo`, the one that runs us.
pub fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// The file of a program, in a folder.
pub fn executable(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
}

/// Builds the program and says where it is.
pub fn program() -> anyhow::Result<PathBuf> {
    run(cargo().args(["build", "--package", "djust-inspector", "--bin", "djust-inspector"]))?;
    Ok(executable(&target().join("debug"), "djust-inspector"))
}

/// A tool of cargo's in this version. Built when it is not there, in `target/tools`.
pub fn cargo_tool(name: &str, version: &str) -> anyhow::Result<PathBuf> {
    let tools = target().join("tools");
    let program = executable(&tools.join("bin"), name);
    let is_there = || {
        let told = Command::new(&program).arg("--version").output();
        told.is_ok_and(|told| String::from_utf8_lossy(&told.stdout).trim().ends_with(version))
    };
    if !is_there() {
        println!("Building {name} {version}");
        // Unoptimised: it is built more often than it runs for long.
        run(cargo().args(["install", "--quiet", "--locked", "--debug", "--version", version, "--root"]).arg(&tools).arg(name))?;
        ensure!(is_there(), "{} is not {name} {version}", program.display());
    }
    Ok(program)
}

/// The Python of an environment for one tool, in this version.
pub fn python_tool(name: &str, version: &str) -> anyhow::Result<PathBuf> {
    let package = format!("{name}=={version}");
    make_venv(&target().join("venvs").join(name), &package, &[package.as_ref()])
}

/// The Python of an environment with this djust and an ASGI server. Made when it is not there or its lock file has changed.
pub fn python(version: &str) -> anyhow::Result<PathBuf> {
    let lock = locked(version);
    let wanted = std::fs::read_to_string(&lock)?;
    let packages: [&OsStr; 3] = ["--require-hashes".as_ref(), "-r".as_ref(), lock.as_os_str()];
    make_venv(&target().join("venvs").join(format!("djust-{version}")), &wanted, &packages)
}

/// Each Python package that an environment with this djust has, with its version and its hash.
pub fn locked(version: &str) -> PathBuf {
    root().join(format!("tests/project/locks/djust-{version}.txt"))
}

/// Writes the lock files, for every system and every Python that is supported.
pub fn lock() -> anyhow::Result<()> {
    let uv = python_tool("uv", UV)?.with_file_name(format!("uv{}", std::env::consts::EXE_SUFFIX));
    for version in DJUST_VERSIONS {
        let mut compile = Command::new(&uv);
        compile.args(["pip", "compile", "--quiet", "--universal", "--python-version", "3.11", "--generate-hashes", "--upgrade"]);
        compile.args(["--no-header", "--no-annotate", "--output-file"]).arg(locked(version));
        let mut compiling = compile.args(["tests/project/requirements.txt", "-"]).current_dir(root()).stdin(Stdio::piped()).spawn()?;
        writeln!(compiling.stdin.take().context("no way to tell uv")?, "djust=={version}")?;
        ensure!(compiling.wait()?.success(), "uv found no set of packages for djust {version}");
    }
    Ok(())
}

/// The Python of an environment with what `packages` tells pip. Made when it is not there or was made for something else than `wanted`.
pub fn make_venv(environment: &Path, wanted: &str, packages: &[&OsStr]) -> anyhow::Result<PathBuf> {
    let python = environment.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    let stamp = environment.join("requirements");
    if python.is_file() && std::fs::read_to_string(&stamp).is_ok_and(|has| has == wanted) {
        return Ok(python);
    }
    println!("Making the Python environment {}", environment.display());
    let base = base_python()?;
    std::fs::create_dir_all(environment.parent().unwrap_or(environment))?;
    let made = Command::new(&base).args(["-m", "venv"]).arg(environment).status()?;
    ensure!(made.success(), "Python's venv module does not work here; on Debian or Ubuntu: sudo apt-get install python3-venv");
    run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(packages))?;
    std::fs::write(stamp, wanted)?;
    Ok(python)
}

/// A Python of 3.11 or newer: watchdog of the example project wants it.
fn base_python() -> anyhow::Result<PathBuf> {
    for name in ["python3", "python3.13", "python3.12", "python3.11", "python"] {
        let output = Command::new(name).args(["-c", "import sys; print(sys.version_info >= (3, 11))"]).output();
        if output.is_ok_and(|output| output.stdout.starts_with(b"True")) {
            return Ok(name.into());
        }
    }
    bail!("Python 3.11 or newer is needed; on Debian or Ubuntu: sudo apt-get install python3 python3-venv")
}

/// A program on the path, if it is there.
pub fn which(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).flat_map(|dir| names.iter().map(move |name| dir.join(name))).find(|file| file.is_file())
}

/// How to run a system program with the rights of root: as root, or with `sudo` that asks for no password. `None`: not at all.
pub fn as_root(program: &'static str) -> Option<impl Fn() -> Command> {
    which(&[program])?;
    let is_root = Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.starts_with(b"0\n"));
    let with_sudo = !is_root && Command::new("sudo").args(["-n", "true"]).output().is_ok_and(|output| output.status.success());
    (is_root || with_sudo).then_some(move || {
        let mut command = Command::new(if is_root { program } else { "sudo" });
        if with_sudo {
            command.args(["-n", program]);
        }
        command
    })
}

/// What the installed app is built with, and what its tests drive it with.
pub fn app_packages() -> anyhow::Result<()> {
    if cfg!(not(target_os = "linux")) {
        return Ok(());
    }
    let library = |name: &'static str| move || Command::new("pkg-config").args(["--exists", name]).status().is_ok_and(|is| is.success());
    let program = |name: &'static str| move || which(&[name]).is_some();
    system_packages(&[
        ("pkg-config", &program("pkg-config")),
        ("libwebkit2gtk-4.1-dev", &library("webkit2gtk-4.1")),
        ("webkit2gtk-driver", &program("WebKitWebDriver")),
        ("dbus", &program("dbus-daemon")),
        ("xvfb", &program("Xvfb")),
        ("imagemagick", &program("import")),
        ("xdotool", &program("xdotool")),
        ("procps", &program("pgrep")),
    ])
}

/// Makes sure that system packages are there, each told by a program or file of it. Installs them where that is allowed without a password.
pub fn system_packages(wanted: &[(&str, &dyn Fn() -> bool)]) -> anyhow::Result<()> {
    let missing: Vec<&str> = wanted.iter().filter(|(_, is_there)| !is_there()).map(|(package, _)| *package).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let line = format!("apt-get install -y {}", missing.join(" "));
    let Some(apt) = as_root("apt-get") else {
        bail!("these are missing: {}; install them, on Debian or Ubuntu with: sudo {line}", missing.join(", "));
    };
    println!("Installing {}", missing.join(", "));
    let apt = |arguments: &[&str]| {
        let mut command = apt();
        command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
        command
    };
    // Package lists may be old; when they cannot be renewed, what is there may still do.
    let _ = apt(&["update", "-q"]).status();
    let mut install = apt(&["install", "-q", "-y", "--no-install-recommends"]);
    install.args(&missing);
    run(&mut install)?;
    let still: Vec<&str> = wanted.iter().filter(|(_, is_there)| !is_there()).map(|(package, _)| *package).collect();
    ensure!(still.is_empty(), "these are missing even after their installation: {}", still.join(", "));
    Ok(())
}
