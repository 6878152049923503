//! Where things are in the workspace and on the machine.

use std::path::{Path, PathBuf};

use crate::TestError;

/// Names under which Chromium is installed, in the order of trial.
const CHROMIUM_NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// The folder with the workspace's `Cargo.toml`.
pub fn workspace_root() -> PathBuf {
    // The manifest is at crates/test_support, two levels down.
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).map_or_else(|| PathBuf::from("."), Path::to_path_buf)
}

/// The example project. Servers run a copy of it, so that tests may edit files.
pub fn project_dir() -> PathBuf {
    workspace_root().join("tests/project")
}

/// The folder to put first on `PYTHONPATH` so that a server loads the agent.
pub fn inject_dir() -> PathBuf {
    workspace_root().join("agent/inject")
}

/// The Python of the virtual environment with this djust version, for example `venv("1.2.6")`.
///
/// # Errors
/// [`TestError::Missing`] when the environment has not been made yet.
pub fn venv(djust: &str) -> Result<PathBuf, TestError> {
    let python = workspace_root().join(format!("target/venvs/djust-{djust}/bin/python"));
    if python.exists() {
        Ok(python)
    } else {
        Err(TestError::Missing { what: format!("the virtual environment with djust {djust}"), command: "cargo xtask test", path: python })
    }
}

/// Chromium's program: `CHROMIUM` from the environment, else the first known name on `PATH`.
///
/// # Errors
/// [`TestError::NoChromium`] with everything that was tried.
pub fn chromium() -> Result<PathBuf, TestError> {
    if let Some(path) = std::env::var_os("CHROMIUM").map(PathBuf::from) {
        return if path.is_file() { Ok(path) } else { Err(TestError::NoChromium { looked_for: format!("CHROMIUM={}", path.display()) }) };
    }
    let folders = std::env::var_os("PATH").unwrap_or_default();
    CHROMIUM_NAMES
        .iter()
        .flat_map(|name| std::env::split_paths(&folders).map(move |folder| folder.join(name)))
        .find(|path| path.is_file())
        .ok_or_else(|| TestError::NoChromium { looked_for: CHROMIUM_NAMES.join(", ") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_holds_the_workspace_manifest() {
        assert!(workspace_root().join("Cargo.toml").is_file());
        assert!(project_dir().join("manage.py").is_file());
    }

    #[test]
    fn a_missing_environment_names_the_command_that_makes_it() {
        let text = venv("0.0.0").unwrap_err().to_string();
        assert!(text.contains("cargo xtask") && text.contains("djust-0.0.0"), "{text}");
    }
}
