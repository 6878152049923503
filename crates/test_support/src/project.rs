//! A copy of the example project with a database of its own.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::TestError;
use crate::paths::{project_dir, workspace_root};

/// Files that decide what is in a fresh database.
const DATABASE_SOURCES: [&str; 4] =
    ["lab/models.py", "lab/migrations/0001_initial.py", "lab/management/commands/prepare.py", "requirements.txt"];

/// A folder with the project, its database and its discovery folder, removed on drop.
#[derive(Debug)]
pub struct ProjectCopy {
    folder: TempDir,
}

impl ProjectCopy {
    /// Copies the project and gives it a database with the demo users and products.
    pub fn create(python: &Path, djust: &str) -> Result<Self, TestError> {
        let folder = tempfile::Builder::new().prefix("djust-lab-").tempdir().map_err(TestError::io("cannot make a temporary folder"))?;
        let copy = Self { folder };
        copy_tree(&project_dir(), &copy.root())?;
        std::fs::create_dir_all(copy.runtime_dir()).map_err(TestError::io("cannot make the runtime folder"))?;
        let prepared = prepared_database(python, djust)?;
        std::fs::copy(&prepared, copy.database()).map_err(TestError::io(format!("cannot copy {}", prepared.display())))?;
        Ok(copy)
    }

    /// The copied project, where `manage.py` is.
    pub fn root(&self) -> PathBuf {
        self.folder.path().join("project")
    }

    /// Next to the project, not in it: the hot-reload watcher need not see every write.
    pub fn database(&self) -> PathBuf {
        self.folder.path().join("db.sqlite3")
    }

    /// Where the agent writes its discovery file.
    pub fn runtime_dir(&self) -> PathBuf {
        self.folder.path().join("runtime")
    }
}

/// Makes the database once per djust version and content of the files that decide on it; later servers copy it.
fn prepared_database(python: &Path, djust: &str) -> Result<PathBuf, TestError> {
    let mut hasher = DefaultHasher::new();
    for source in DATABASE_SOURCES {
        let path = project_dir().join(source);
        std::fs::read(&path).map_err(TestError::io(format!("cannot read {}", path.display())))?.hash(&mut hasher);
    }
    let folder = workspace_root().join("target/test-databases");
    let ready = folder.join(format!("djust-{djust}-{:016x}.sqlite3", hasher.finish()));
    if ready.exists() {
        return Ok(ready);
    }
    std::fs::create_dir_all(&folder).map_err(TestError::io(format!("cannot make {}", folder.display())))?;
    // In a folder of its own and renamed when done: several tests may get here at once.
    let making = tempfile::tempdir_in(&folder).map_err(TestError::io("cannot make a temporary folder"))?;
    let unfinished = making.path().join("db.sqlite3");
    let answer = Command::new(python)
        .args(["manage.py", "prepare"])
        .current_dir(project_dir())
        .env("DEMO_DB", &unfinished)
        .env("DEMO_HOT_RELOAD", "0")
        .env("DJUST_INSPECTOR", "0")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env_remove("PYTHONPATH")
        .stdin(Stdio::null())
        .output()
        .map_err(TestError::io(format!("cannot start {}", python.display())))?;
    if !answer.status.success() {
        let output = format!("{}{}", String::from_utf8_lossy(&answer.stdout), String::from_utf8_lossy(&answer.stderr));
        return Err(TestError::Command { command: format!("{} manage.py prepare", python.display()), output });
    }
    std::fs::rename(&unfinished, &ready).map_err(TestError::io(format!("cannot rename to {}", ready.display())))?;
    Ok(ready)
}

fn copy_tree(from: &Path, to: &Path) -> Result<(), TestError> {
    std::fs::create_dir_all(to).map_err(TestError::io(format!("cannot make {}", to.display())))?;
    let entries = std::fs::read_dir(from).map_err(TestError::io(format!("cannot read {}", from.display())))?;
    for entry in entries {
        let entry = entry.map_err(TestError::io(format!("cannot read {}", from.display())))?;
        let name = entry.file_name();
        let text = name.to_string_lossy();
        if text == "__pycache__" || text.starts_with("db.sqlite3") || text.starts_with('.') {
            continue;
        }
        let (source, target) = (entry.path(), to.join(&name));
        if source.is_dir() {
            copy_tree(&source, &target)?;
        } else {
            std::fs::copy(&source, &target).map_err(TestError::io(format!("cannot copy {}", source.display())))?;
        }
    }
    Ok(())
}
