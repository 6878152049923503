//! The tray: what is being recorded, what could be, and what was.

use std::collections::BTreeMap;
use std::sync::Arc;

use inspector_model::{FoundServer, Notice, RecordingId, RecordingInfo, Source, SourceId, SourceKind, SourceState, for_desktop};
use tauri::menu::{Menu, MenuBuilder, MenuItemBuilder, SubmenuBuilder};
use tauri::tray::TrayIconBuilder;
use tauri::{AppHandle, Wry};

use crate::arguments::Wish;
use crate::shell::Shell;

const ID: &str = "tray";
/// More would be a list to search, and that is the window's task.
const MAX_RECORDINGS: usize = 8;
const MAX_SERVERS: usize = 8;
/// Titles are recorded text.
const MAX_LABEL: usize = 60;

/// What the tray shows, from notices.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Summary {
    sources: BTreeMap<SourceId, Source>,
    found: Vec<FoundServer>,
    recordings: Vec<RecordingInfo>,
}

/// The tray's menu as text. Compared, so that the menu is made anew only when it would look different.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outline {
    /// One line per live server.
    pub state: Vec<String>,
    /// Something is being recorded.
    pub recording: bool,
    /// Process id and label.
    pub servers: Vec<(u32, String)>,
    /// Id and label, the newest first.
    pub recordings: Vec<(RecordingId, String)>,
}

impl Summary {
    /// Takes a notice in.
    pub fn take(&mut self, notice: &Notice) {
        match notice {
            Notice::Source(source) => drop(self.sources.insert(source.id, (**source).clone())),
            Notice::SourceClosed(id) => drop(self.sources.remove(id)),
            Notice::Found(found) => self.found.clone_from(found),
            Notice::Recordings(recordings) => self.recordings.clone_from(recordings),
            _ => {}
        }
    }

    /// As text.
    pub fn outline(&self) -> Outline {
        let live = self.sources.values().filter_map(|source| match &source.kind {
            SourceKind::Live { url } => Some((source, url)),
            SourceKind::Recording => None,
        });
        let attached: Vec<&str> = live.clone().filter(|(source, _)| !is_over(source)).map(|(_, url)| url.trim_end_matches('/')).collect();
        let mut recordings: Vec<&RecordingInfo> = self.recordings.iter().filter(|recording| !recording.recording).collect();
        recordings.sort_by(|a, b| b.ended.total_cmp(&a.ended));
        let recording = live.clone().any(|(source, _)| matches!(source.state, SourceState::Attached | SourceState::Connecting));
        let mut state: Vec<String> = live.map(|(source, _)| line(source)).collect();
        if state.is_empty() {
            state.push("Not recording".into());
        }
        Outline {
            state,
            recording,
            servers: self
                .found
                .iter()
                .filter(|server| !attached.contains(&server.url.trim_end_matches('/')))
                .take(MAX_SERVERS)
                .map(|server| (server.pid, label(&format!("Attach to {} ({})", server.project, server.url))))
                .collect(),
            recordings: recordings
                .into_iter()
                .take(MAX_RECORDINGS)
                .map(|recording| (recording.id.clone(), label(&format!("{}, {} steps", recording.title, recording.steps))))
                .collect(),
        }
    }
}

const fn is_over(source: &Source) -> bool {
    matches!(source.state, SourceState::Ended { .. })
}

fn line(source: &Source) -> String {
    let title = label(&source.title);
    match &source.state {
        SourceState::Attached if source.recorder.stopped.is_some() => format!("Attached, not recording: {title}"),
        SourceState::Attached => format!("Recording {title}"),
        SourceState::Connecting => format!("Connecting to {title}"),
        SourceState::Lost { .. } => format!("Connection lost: {title}"),
        SourceState::Ended { .. } | SourceState::Replaying => format!("Ended: {title}"),
    }
}

fn label(text: &str) -> String {
    for_desktop(text, MAX_LABEL)
}

/// Why there is no tray.
#[derive(Debug, thiserror::Error)]
pub enum NoTray {
    /// Only on Linux: the other systems bring their own.
    #[error("the library that it needs is not installed; install libayatana-appindicator3-1")]
    NoLibrary,
    /// The desktop refuses one.
    #[error(transparent)]
    Refused(#[from] tauri::Error),
}

/// Makes the tray. Where the desktop has none there is only the window.
pub fn make(app: &AppHandle, shell: &Arc<Shell>) -> Result<(), NoTray> {
    if !has_library() {
        return Err(NoTray::NoLibrary);
    }
    let shell = shell.clone();
    let mut tray = TrayIconBuilder::with_id(ID)
        .tooltip("djust Inspector")
        .menu(&menu(app, &Outline::default())?)
        .show_menu_on_left_click(true)
        .on_menu_event(move |_, event| chosen(&shell, event.id().as_ref()));
    if let Some(icon) = app.default_window_icon() {
        tray = tray.icon(icon.clone());
    }
    tray.build(app)?;
    Ok(())
}

/// Whether the indicator library is installed. The tray's crate loads it when it is first used, and panics where it finds none.
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "to load a library runs what it does when it is loaded; the tray's crate loads the same one next")]
fn has_library() -> bool {
    // The names of the tray's crate, in its order.
    const NAMES: [&str; 4] =
        ["libayatana-appindicator3.so.1", "libappindicator3.so.1", "libayatana-appindicator3.so", "libappindicator3.so"];
    // SAFETY: both libraries only register types of GTK when they are loaded, on this thread, which is GTK's.
    NAMES.iter().any(|name| unsafe { libloading::Library::new(name) }.map(std::mem::forget).is_ok())
}

#[cfg(not(target_os = "linux"))]
const fn has_library() -> bool {
    true
}

/// Whether the desktop shows tray icons now. A tray that nobody sees is no place to go on in.
#[cfg(target_os = "linux")]
pub fn is_seen() -> bool {
    use webkit2gtk::gio::{BusType, Cancellable, DBusCallFlags, bus_get_sync};
    use webkit2gtk::glib::ToVariant as _;

    /// The answer comes from the bus itself, at once.
    const DEADLINE_MS: i32 = 500;
    let owned = bus_get_sync(BusType::Session, None::<&Cancellable>).and_then(|bus| {
        let (name, path) = ("org.freedesktop.DBus", "/org/freedesktop/DBus");
        let watcher = ("org.kde.StatusNotifierWatcher",).to_variant();
        bus.call_sync(Some(name), path, name, "NameHasOwner", Some(&watcher), None, DBusCallFlags::NONE, DEADLINE_MS, None::<&Cancellable>)
    });
    owned.is_ok_and(|owned| owned.get::<(bool,)>() == Some((true,)))
}

#[cfg(not(target_os = "linux"))]
pub const fn is_seen() -> bool {
    true
}

/// Shows the outline. Only on the main thread.
pub fn show(app: &AppHandle, outline: &Outline) -> tauri::Result<()> {
    let Some(tray) = app.tray_by_id(ID) else { return Ok(()) };
    tray.set_menu(Some(menu(app, outline)?))?;
    tray.set_tooltip(outline.state.first().map(|state| format!("djust Inspector: {state}")))
}

fn menu(app: &AppHandle, outline: &Outline) -> tauri::Result<Menu<Wry>> {
    let mut menu = MenuBuilder::new(app);
    for state in &outline.state {
        menu = menu.item(&MenuItemBuilder::new(escaped(state)).enabled(false).build(app)?);
    }
    menu = menu.separator().text("show", "Show window");
    for (pid, label) in &outline.servers {
        menu = menu.text(format!("attach:{pid}"), escaped(label));
    }
    if !outline.recordings.is_empty() {
        let mut recordings = SubmenuBuilder::new(app, "Recent recordings");
        for (id, label) in &outline.recordings {
            recordings = recordings.text(format!("open:{id}"), escaped(label));
        }
        menu = menu.item(&recordings.build()?);
    }
    menu.separator().text("quit", if outline.recording { "Stop recording and quit" } else { "Quit" }).build()
}

/// An ampersand would be taken for the mark of a shortcut.
fn escaped(label: &str) -> String {
    label.replace('&', "&&")
}

fn chosen(shell: &Arc<Shell>, id: &str) {
    match id.split_once(':') {
        Some(("attach", pid)) => {
            if let Ok(pid) = pid.parse() {
                shell.attach_found(pid);
            }
        }
        Some(("open", recording)) => shell.wish(Wish::OpenRecording(recording.into())),
        _ if id == "show" => shell.wish(Wish::Show),
        _ if id == "quit" => shell.quit(),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use inspector_model::RecorderStatus;

    use super::*;

    fn live(state: SourceState) -> Notice {
        Notice::Source(Box::new(Source {
            id: SourceId(1),
            kind: SourceKind::Live { url: "http://127.0.0.1:8000".into() },
            state,
            title: "shop at http://127.0.0.1:8000".into(),
            server: None,
            access: None,
            recorder: RecorderStatus::default(),
        }))
    }

    fn server(pid: u32, port: u16) -> FoundServer {
        FoundServer { pid, url: format!("http://127.0.0.1:{port}/"), project: "shop".into(), ..FoundServer::default() }
    }

    fn recording(id: &str, ended: f64, recording: bool) -> RecordingInfo {
        RecordingInfo {
            id: id.into(),
            title: format!("{id}\u{1b}[2J{}", "x".repeat(100)),
            started: 0.0,
            ended,
            steps: 1,
            bytes: 1,
            sessions: 1,
            djust: String::new(),
            format: 1,
            recording,
            kept: false,
        }
    }

    #[test]
    fn the_tray_says_what_is_recorded_and_offers_the_rest() {
        let mut summary = Summary::default();
        assert_eq!(summary.outline().state, ["Not recording"]);
        summary.take(&Notice::Found(vec![server(7, 8000), server(8, 8001)]));
        assert_eq!(summary.outline().servers.len(), 2);
        summary.take(&live(SourceState::Attached));
        let outline = summary.outline();
        assert_eq!(outline.state, ["Recording shop at http://127.0.0.1:8000"]);
        assert!(outline.recording);
        assert_eq!(outline.servers, [(8, "Attach to shop (http://127.0.0.1:8001/)".to_owned())]);
        summary.take(&live(SourceState::Ended { reason: "it stopped".into() }));
        assert_eq!(summary.outline().servers.len(), 2);
        assert!(!summary.outline().recording);
        summary.take(&Notice::SourceClosed(SourceId(1)));
        assert_eq!(summary.outline().state, ["Not recording"]);
    }

    #[test]
    fn recent_recordings_come_first_short_and_plain() {
        let mut summary = Summary::default();
        let many = (0..20).map(|n| recording(&format!("r{n}"), f64::from(n), n == 19)).collect();
        summary.take(&Notice::Recordings(many));
        let recordings = summary.outline().recordings;
        assert_eq!(recordings.len(), MAX_RECORDINGS);
        assert_eq!(recordings[0].0.as_str(), "r18");
        assert!(recordings.iter().all(|(_, label)| label.chars().count() <= MAX_LABEL && !label.chars().any(char::is_control)));
    }
}
