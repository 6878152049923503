//! `doctor`: why nothing, or not everything, would be seen, and what to do.

use std::path::Path;
use std::process::{Command, ExitCode};
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use inspector_engine::{Engine, PASSPHRASE_VARIABLE, Places, Settings, found_servers, unpack_agent};
use inspector_model::{Handle as _, Notice, ServerInfo, SourceState};

use crate::arguments::Doctor;
use crate::live::choose;
use crate::terminal::{json, line, plain};

/// How long workers that reach each other may take to say that they are there.
const WORKERS_DEADLINE: Duration = Duration::from_secs(3);

/// How long a server may take to say what it is.
const ATTACH_DEADLINE: Duration = Duration::from_secs(15);

/// Loads the project as `manage.py check` would and asks the agent what it sees. One line of JSON comes last.
const PROBE: &str = "
import json, os, re, sys
sys.path.insert(0, os.getcwd())
if 'DJANGO_SETTINGS_MODULE' not in os.environ:
    found = re.search(r'DJANGO_SETTINGS_MODULE[\\'\"]\\s*,\\s*[\\'\"]([\\w.]+)', open('manage.py').read())
    os.environ['DJANGO_SETTINGS_MODULE'] = found.group(1)
import django
django.setup()
import djust
from django.urls import get_resolver
get_resolver().url_patterns
from djust_inspector import server
print('\\n' + json.dumps(server.describe(), default=str))
";

/// Looks at a project, a server, or every server found.
pub fn doctor(places: &Places, doctor: &Doctor) -> anyhow::Result<ExitCode> {
    let info = match &doctor.project {
        Some(dir) => Some(project(places, dir, &doctor.python)?),
        None if doctor.url.is_none() && found_servers().is_empty() => None,
        None => Some(server(doctor)?),
    };
    let Some(info) = info else {
        if doctor.json {
            println!(
                "{}",
                serde_json::json!({"server": null, "advice": [{"code": "no_server",
                "message": "No server with an agent runs on this machine", "fix": "djust-inspector run -- python manage.py runserver"}]})
            );
        } else {
            println!("No server with an agent runs on this machine");
            println!("  start one:      djust-inspector run -- python manage.py runserver");
            println!("  or look at a project that is not running:  djust-inspector doctor --project .");
        }
        return Ok(ExitCode::FAILURE);
    };
    if doctor.json {
        println!("{}", json(&info)?);
    } else {
        print(&info, doctor.project.is_some());
    }
    Ok(ExitCode::SUCCESS)
}

fn print(info: &ServerInfo, at_rest: bool) {
    println!(
        "{}  djust {}  Django {}  Python {}  {}  DEBUG {}",
        line(&info.project),
        line(&info.djust),
        line(&info.django),
        line(&info.python),
        line(info.asgi.as_deref().unwrap_or(if at_rest { "(not running)" } else { "(unknown server)" })),
        if info.debug { "on" } else { "off" }
    );
    if let Some(words) = info.workers.words() {
        println!("{}{words}: {}", if info.workers.sees_all() { "" } else { "! " }, plain(&info.workers.explained()));
    }
    let reload = &info.hot_reload;
    // A project at rest has no watcher yet: that is no finding.
    if !at_rest {
        println!(
            "Hot reload {}, HVR {}",
            if reload.running { "is watching" } else { "is not running" },
            if reload.hvr { "on" } else { "off" }
        );
    }
    for hook in &info.missing {
        println!("! djust {} has no {}: {}", line(&info.djust), line(&hook.hook), line(&hook.why));
    }
    let advice: Vec<_> = info.advice.iter().filter(|advice| !(at_rest && advice.code == "hot_reload_not_running")).collect();
    for advice in &advice {
        println!("! {}", plain(&advice.message));
        if let Some(fix) = &advice.fix {
            println!("    {}", plain(fix));
        }
    }
    if advice.is_empty() && info.missing.is_empty() {
        println!("Nothing stands in the way");
    }
}

fn project(places: &Places, dir: &Path, python: &Path) -> anyhow::Result<ServerInfo> {
    anyhow::ensure!(dir.join("manage.py").is_file(), "there is no manage.py in this folder; name the project's own: {}", dir.display());
    let inject = unpack_agent(&places.cache)?;
    let agent = inject.parent().context("the agent's folder has no parent")?;
    let mut path = vec![agent.to_owned()];
    path.extend(std::env::var_os("PYTHONPATH").iter().flat_map(std::env::split_paths));
    let output = Command::new(python)
        .args(["-c", PROBE])
        .current_dir(dir)
        .env("PYTHONPATH", std::env::join_paths(path)?)
        .env_remove(PASSPHRASE_VARIABLE)
        .output()
        .with_context(|| format!("Python could not be started; name the one of the project with --python: {}", python.display()))?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        let last = stderr.lines().last().unwrap_or("no output");
        let hint = if last.contains("No module named 'djust'") || last.contains("No module named 'django'") {
            "\nthis Python does not have the project's packages; name the right one: --python .venv/bin/python"
        } else {
            ""
        };
        anyhow::bail!("the project cannot be loaded: {}{hint}", plain(last));
    }
    let stdout = String::from_utf8_lossy(&output.stdout);
    let line = stdout.lines().last().context("the project said nothing")?;
    serde_json::from_str(line).context("the project's answer cannot be read")
}

fn server(doctor: &Doctor) -> anyhow::Result<ServerInfo> {
    let target = choose(doctor.url.as_deref(), doctor.token.as_deref(), false, &doctor.transport)?;
    // A look must leave nothing in the library.
    let dir = tempfile::Builder::new().prefix("djust-inspector-doctor-").tempdir()?;
    look(dir.path(), target)
}

fn look(dir: &Path, target: inspector_engine::Target) -> anyhow::Result<ServerInfo> {
    let engine = Engine::start(&Settings::new(dir))?;
    let (wake, woken) = sync_channel(1);
    // A full channel holds a wake-up already.
    let window = engine.window();
    window.set_waker(Box::new(move || wake.try_send(()).unwrap_or_default()));
    engine.attach(target).map_err(|failure| anyhow::anyhow!(failure.message))?;
    let begun = Instant::now();
    let mut last = String::from("no answer");
    let mut found: Option<(ServerInfo, Instant)> = None;
    while begun.elapsed() < ATTACH_DEADLINE {
        // Other workers are told of a moment after the greeting.
        if let Some((server, _)) = found.take_if(|(server, since)| server.workers.seen > 0 || since.elapsed() > WORKERS_DEADLINE) {
            return Ok(server);
        }
        let _ = woken.recv_timeout(Duration::from_millis(200));
        let mut notices = Vec::new();
        window.drain(10_000, &mut notices);
        for notice in notices {
            if let Notice::Source(source) = notice {
                match source.state {
                    SourceState::Attached => match source.server {
                        Some(server) if !server.workers.shared => return Ok(server),
                        Some(server) => found = Some((server, found.map_or_else(Instant::now, |(_, since)| since))),
                        None => {}
                    },
                    SourceState::Ended { reason } => anyhow::bail!("{reason}"),
                    SourceState::Lost { why, .. } => last = why,
                    SourceState::Connecting | SourceState::Replaying => {}
                }
            }
        }
    }
    anyhow::bail!("the server could not be attached within {} s: {last}", ATTACH_DEADLINE.as_secs())
}
