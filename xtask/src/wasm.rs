//! `cargo xtask wasm`: the window as a page, in `target/web`.
//!
//! Made with rustup's own target where that can be had, else with Debian's compiler for the web, unpacked under `target/`
//! and never installed. Builds go to a folder of their own, so that an ordinary build finds everything as it left it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context as _, bail, ensure};

use crate::environment::{cargo, root, run, target, which};

const TARGET: &str = "wasm32-unknown-unknown";
/// Where rustup's server is out of reach it tries for minutes.
const RUSTUP_DEADLINE: Duration = Duration::from_mins(1);

/// Builds the page into `target/web`. Cheap when nothing changed.
pub fn page() -> anyhow::Result<()> {
    let begun = Instant::now();
    let compiler = Compiler::find()?;
    let folder = target().join("wasm");
    let mut command = cargo();
    command.args(["build", "--package", "inspector-ui", "--bin", "inspector_page", "--features", "web"]);
    command.args(["--profile", "web", "--target", TARGET]).env("CARGO_TARGET_DIR", &folder);
    // The window's own flags are for the native build.
    command.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
    compiler.apply(&mut command);
    run(&mut command)?;

    let module = folder.join(TARGET).join("web/inspector_page.wasm");
    // Where the app's configuration names it, wherever builds go.
    let web = root().join("target/web");
    std::fs::create_dir_all(&web)?;
    let stamp = folder.join("web.stamp");
    let state = stamp_of(&module)?;
    if std::fs::read_to_string(&stamp).is_ok_and(|has| has == state) && web.join("inspector_bg.wasm").is_file() {
        println!("The page's module is as it was");
    } else {
        // Nothing else comes into the installed app.
        std::fs::remove_dir_all(&web)?;
        std::fs::create_dir_all(&web)?;
        let mut bindgen = wasm_bindgen_cli_support::Bindgen::new();
        bindgen.input_path(&module).out_name("inspector").typescript(false).remove_name_section(true).remove_producers_section(true);
        bindgen.web(true).context("the page's module cannot be made for browsers")?;
        bindgen.generate(&web).context("the page's module cannot be made for browsers")?;
        std::fs::write(&stamp, state)?;
    }
    for file in ["index.html", "start.js", "style.css"] {
        std::fs::copy(root().join("ui/web").join(file), web.join(file)).with_context(|| format!("cannot copy ui/web/{file}"))?;
    }
    let bytes = std::fs::metadata(web.join("inspector_bg.wasm"))?.len();
    println!("{}: {:.1} MB of WebAssembly ({} s)", web.display(), bytes as f64 / 1e6, begun.elapsed().as_secs());
    Ok(())
}

/// Tells a module from the one before without reading it.
fn stamp_of(module: &Path) -> anyhow::Result<String> {
    let file = std::fs::metadata(module).with_context(|| format!("cargo made no module: {}", module.display()))?;
    let changed = file.modified()?.duration_since(SystemTime::UNIX_EPOCH)?;
    Ok(format!("{} {}", file.len(), changed.as_nanos()))
}

/// What compiles for the web.
enum Compiler {
    /// The toolchain that runs us has the target.
    Own,
    /// Debian's, unpacked into this folder; the standard library is compiled from its sources.
    Debian { root: PathBuf, linker: PathBuf },
}

impl Compiler {
    fn find() -> anyhow::Result<Self> {
        if has_target() {
            return Ok(Self::Own);
        }
        let root = target().join("rustc-web");
        let complete = root.join("complete");
        if !complete.is_file() {
            let why = match add_target() {
                Ok(()) => return Ok(Self::Own),
                Err(why) => why,
            };
            println!("rustup could not add {TARGET} ({why:#}): trying Debian's compiler for the web");
            unpack_debian(&root).with_context(|| {
                format!(
                    "the page needs a compiler for {TARGET}, and there is none. With a connection to rustup's server: rustup target add \
                     {TARGET}. On Debian or Ubuntu without one: make sure that `apt-cache policy rustc-web` has a candidate (sudo apt-get \
                     update), then run this again"
                )
            })?;
            std::fs::write(&complete, "")?;
        }
        Ok(Self::Debian { root, linker: linker()? })
    }

    fn apply(&self, command: &mut Command) {
        let Self::Debian { root, linker } = self else { return };
        command.env("LD_LIBRARY_PATH", libraries(root));
        command.env("RUSTC", root.join("usr/bin/rustc"));
        // Compiling the standard library is not stable; the flag allows it for this one build.
        command.env("RUSTC_BOOTSTRAP", "1").arg("-Zbuild-std=std,panic_abort");
        command.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
        command.env_remove("RUSTC_WRAPPER").env_remove("RUSTC_WORKSPACE_WRAPPER").env_remove("RUSTUP_TOOLCHAIN");
    }
}

/// Where the unpacked compiler finds its own parts; Debian names the folder after the machine.
fn libraries(root: &Path) -> OsString {
    let own = root.join("usr/lib");
    let mut folders: Vec<PathBuf> = std::fs::read_dir(&own).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    folders.retain(|folder| folder.to_string_lossy().ends_with("-linux-gnu"));
    folders.push(own);
    folders.extend(std::env::var_os("LD_LIBRARY_PATH").iter().flat_map(std::env::split_paths));
    std::env::join_paths(folders).unwrap_or_default()
}

/// The output of a command, without the newline at its end.
fn output(command: &mut Command) -> anyhow::Result<String> {
    let name = format!("{command:?}").replace('"', "");
    let output = command.output().with_context(|| format!("could not be started: {name}"))?;
    ensure!(output.status.success(), "failed: {name}: {}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
}

fn rustc() -> Command {
    Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
}

fn has_target() -> bool {
    let folder = output(rustc().args(["--print", "target-libdir", "--target", TARGET]));
    folder.is_ok_and(|folder| {
        std::fs::read_dir(folder)
            .is_ok_and(|mut files| files.any(|file| file.is_ok_and(|file| file.file_name().to_string_lossy().starts_with("libstd"))))
    })
}

fn add_target() -> anyhow::Result<()> {
    ensure!(which(&["rustup", "rustup.exe"]).is_some(), "it is not installed");
    let mut rustup = Command::new("rustup").args(["target", "add", TARGET]).stdin(Stdio::null()).spawn()?;
    let deadline = Instant::now() + RUSTUP_DEADLINE;
    let status = loop {
        if let Some(status) = rustup.try_wait()? {
            break status;
        }
        if Instant::now() > deadline {
            rustup.kill().ok();
            rustup.wait().ok();
            bail!("no answer within {} s", RUSTUP_DEADLINE.as_secs());
        }
        std::thread::sleep(Duration::from_millis(100));
    };
    ensure!(status.success(), "{status}");
    ensure!(has_target(), "the target was added to another toolchain than the one that runs this");
    Ok(())
}

/// The linker that comes with every rustup toolchain.
fn linker() -> anyhow::Result<PathBuf> {
    let sysroot = output(rustc().args(["--print", "sysroot"]))?;
    let version = output(rustc().arg("-vV"))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc does not say what it runs on")?;
    let linker = Path::new(&sysroot).join("lib/rustlib").join(host).join("bin/rust-lld");
    if linker.is_file() {
        return Ok(linker);
    }
    which(&["rust-lld", "wasm-ld"]).context("no linker for WebAssembly: use a toolchain of rustup, or on Debian: sudo apt-get install lld")
}

/// Downloads Debian's compiler with all it needs and unpacks it. Nothing is installed: the packages exclude rustup's.
fn unpack_debian(folder: &Path) -> anyhow::Result<()> {
    for program in ["apt-get", "apt-cache", "dpkg-deb"] {
        ensure!(which(&[program]).is_some(), "{program} is not there: this is no Debian");
    }
    // The library's package has the version in its name.
    let library = dependency("libstd-rust-web-dev", "libstd-rust-web-")?;
    let llvm = dependency(&library, "libllvm")?;
    let packages = ["rustc-web", "libstd-rust-web-dev", "rust-web-src", &library, &llvm];
    let files = folder.join("packages");
    if folder.exists() {
        std::fs::remove_dir_all(folder)?;
    }
    std::fs::create_dir_all(&files)?;
    println!("Downloading {}", packages.join(", "));
    let status = Command::new("apt-get").args(["download", "-q"]).args(packages).current_dir(&files).status()?;
    ensure!(status.success(), "apt-get could not download them ({status})");
    for file in std::fs::read_dir(&files)? {
        run(Command::new("dpkg-deb").arg("-x").arg(file?.path()).arg(folder))?;
    }
    std::fs::remove_dir_all(files)?;
    let version = output(Command::new(folder.join("usr/bin/rustc")).arg("--version").env("LD_LIBRARY_PATH", libraries(folder)))
        .context("the unpacked compiler does not run")?;
    println!("Unpacked {version}");
    Ok(())
}

/// The name of a package's dependency that begins like this.
fn dependency(package: &str, prefix: &str) -> anyhow::Result<String> {
    let says = output(Command::new("apt-cache").args(["depends", package]))?;
    says.lines()
        .filter_map(|line| line.trim().strip_prefix("Depends: "))
        .find(|name| name.starts_with(prefix))
        .map(str::to_owned)
        .with_context(|| format!("apt knows no {prefix}… that {package} needs"))
}
