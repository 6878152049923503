//! Servers on this machine, by their discovery files.

use std::path::{Path, PathBuf};

use inspector_model::{FoundServer, is_loopback};
use inspector_protocol::{DISCOVERY_DIR_VARIABLE, Discovered, PROTOCOL};
use inspector_store::waiting::waits;

/// A larger discovery file is not one.
const MAX_FILE_BYTES: u64 = 64 * 1024;
/// So many files are looked at: a machine runs a handful of servers.
const MAX_FILES: usize = 1_000;

/// The folder of the discovery files: the same rule as the agent's.
pub fn discovery_dir() -> PathBuf {
    if let Some(dir) = std::env::var_os(DISCOVERY_DIR_VARIABLE).filter(|dir| !dir.is_empty()) {
        return dir.into();
    }
    if let Some(dir) = std::env::var_os("XDG_RUNTIME_DIR").filter(|dir| !dir.is_empty()) {
        return PathBuf::from(dir).join("djust-inspector");
    }
    let home = directories::BaseDirs::new().map_or_else(std::env::temp_dir, |dirs| dirs.home_dir().to_owned());
    home.join(".cache/djust-inspector/servers")
}

/// Every live server that speaks our protocol, newest first. Files that cannot be read are none.
pub fn found_servers() -> Vec<Discovered> {
    found_in(&discovery_dir())
}

fn found_in(folder: &Path) -> Vec<Discovered> {
    waits();
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut found: Vec<Discovered> = entries
        .take(MAX_FILES)
        .filter_map(Result::ok)
        .filter(|entry| entry.path().extension().is_some_and(|extension| extension == "json"))
        .filter(|entry| entry.metadata().is_ok_and(|meta| meta.is_file() && meta.len() <= MAX_FILE_BYTES && is_private(&meta)))
        .filter_map(|entry| std::fs::read_to_string(entry.path()).ok())
        .filter_map(|text| understood(&text))
        .filter(|server| is_alive(server.pid))
        .collect();
    found.sort_by(|a, b| b.started.total_cmp(&a.started));
    found
}

/// What a file says, if it names a server of our protocol on this machine.
pub(crate) fn understood(text: &str) -> Option<Discovered> {
    let server: Discovered = serde_json::from_str(text).ok()?;
    (server.protocol == PROTOCOL && is_loopback(&server.url)).then_some(server)
}

/// Another user's file could name a server of theirs: only our own, unreadable to others, count.
#[cfg(unix)]
fn is_private(meta: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    let for_others = meta.permissions().mode() & 0o077;
    for_others == 0
}

#[cfg(not(unix))]
fn is_private(_meta: &std::fs::Metadata) -> bool {
    true
}

#[cfg(target_os = "linux")]
fn is_alive(pid: u32) -> bool {
    // A zombie still has its folder; it listens no more.
    std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| stat.rsplit(')').next().is_some_and(|rest| !rest.trim_start().starts_with(['Z', 'X'])))
}

/// Elsewhere a stale file is found out by the refused connection.
#[cfg(not(target_os = "linux"))]
fn is_alive(_pid: u32) -> bool {
    true
}

/// What a window may know of a server: everything but its token.
pub(crate) fn without_token(server: &Discovered) -> FoundServer {
    FoundServer {
        pid: server.pid,
        url: server.url.clone(),
        project: server.project.clone(),
        cwd: server.cwd.clone(),
        djust: server.djust.clone(),
        debug: server.debug,
        started: server.started,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn only_private_files_of_a_sane_size_that_name_a_server_here_are_servers() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, url: &str, mode: u32, padding: usize| {
            let text =
                format!(r#"{{"protocol":1,"pid":{},"url":"{url}","token":"t","project":"{}"}}"#, std::process::id(), "x".repeat(padding));
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        };
        file("good.json", "http://127.0.0.1:1", 0o600, 0);
        file("elsewhere.json", "http://example.com", 0o600, 0);
        file("name.json", "http://127.0.0.1:80@example.com", 0o600, 0);
        file("open.json", "http://127.0.0.1:2", 0o644, 0);
        file("large.json", "http://127.0.0.1:3", 0o600, MAX_FILE_BYTES as usize);
        file("other.txt", "http://127.0.0.1:4", 0o600, 0);
        std::fs::write(folder.path().join("deep.json"), "[".repeat(60_000)).unwrap();
        std::os::unix::fs::symlink(folder.path().join("good.json"), folder.path().join("link.json")).unwrap();
        std::fs::create_dir(folder.path().join("folder.json")).unwrap();
        let urls: Vec<String> = found_in(folder.path()).into_iter().map(|server| server.url).collect();
        assert_eq!(urls, ["http://127.0.0.1:1"]);
    }

    #[test]
    fn this_process_is_alive_and_an_impossible_one_is_not() {
        assert!(is_alive(std::process::id()));
        #[cfg(target_os = "linux")]
        assert!(!is_alive(u32::MAX));
    }
}
