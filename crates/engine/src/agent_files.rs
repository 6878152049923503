//! The Python agent, carried inside the program and unpacked when a server is started with it.

use std::path::{Path, PathBuf};

use include_dir::{Dir, include_dir};

use crate::EngineError;

static AGENT: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../agent");

/// Unpacks the agent under `cache` and returns the folder to put first on `PYTHONPATH`.
///
/// The folder's name has a checksum of the files, so an updated program never runs an old agent.
pub fn unpack_agent(cache: &Path) -> Result<PathBuf, EngineError> {
    let mut files = Vec::new();
    collect(&AGENT, &mut files);
    files.sort_by_key(|(path, _)| path.clone());
    let mut sum = 0xcbf2_9ce4_8422_2325_u64;
    for (path, bytes) in &files {
        for byte in path.as_os_str().as_encoded_bytes().iter().chain(*bytes) {
            sum = (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    let root = cache.join(format!("agent-{}-{sum:016x}", env!("CARGO_PKG_VERSION")));
    let inject = root.join("inject");
    if root.join("complete").exists() {
        return Ok(inject);
    }
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| EngineError::Unpack { path, source }
    };
    for (path, bytes) in files {
        let target = root.join(path);
        if let Some(parent) = target.parent() {
            std::fs::create_dir_all(parent).map_err(failed(parent))?;
        }
        std::fs::write(&target, bytes).map_err(failed(&target))?;
    }
    let marker = root.join("complete");
    std::fs::write(&marker, "").map_err(failed(&marker))?;
    Ok(inject)
}

fn collect<'a>(dir: &'a Dir<'a>, into: &mut Vec<(PathBuf, &'a [u8])>) {
    for file in dir.files() {
        let path = file.path();
        let wanted = path.starts_with("djust_inspector") || path.starts_with("inject");
        if wanted && path.extension().is_some_and(|extension| extension == "py") {
            into.push((path.to_owned(), file.contents()));
        }
    }
    for sub in dir.dirs() {
        collect(sub, into);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_agent_is_unpacked_once_and_whole() {
        let dir = tempfile::tempdir().unwrap();
        let inject = unpack_agent(dir.path()).unwrap();
        assert!(inject.join("sitecustomize.py").is_file());
        let package = inject.parent().unwrap().join("djust_inspector/__init__.py");
        assert!(package.is_file());
        let written = std::fs::metadata(&package).unwrap().modified().unwrap();
        assert_eq!(unpack_agent(dir.path()).unwrap(), inject);
        assert_eq!(std::fs::metadata(&package).unwrap().modified().unwrap(), written);
    }
}
