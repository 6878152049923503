//! What the window asks of its desktop.

use std::path::PathBuf;
use std::sync::Arc;

use inspector_model::{Answer, DesktopRequest, DesktopSetting, ErrorCode, ExportFormat, Failure, RequestId};
use tauri_plugin_autostart::ManagerExt as _;
use tauri_plugin_dialog::{DialogExt as _, FilePath};

use crate::shell::Shell;
use crate::updates;
use crate::window::main_window;

/// Answers, now or when the user has.
pub fn answer(shell: &Arc<Shell>, id: RequestId, request: DesktopRequest) {
    match request {
        DesktopRequest::ShowPage(at) => {
            let shell = shell.clone();
            let app = shell.app.clone();
            let _ = app.run_on_main_thread(move || {
                let done =
                    shell.pages.show(&shell.app, at).map_err(|error| failed(&format!("the page's window cannot be opened: {error}")));
                shell.border.answer(id, done.map_or_else(Answer::Failed, |()| Answer::Done("The page is in a window of its own".into())));
            });
        }
        DesktopRequest::FollowPage(at) => {
            let shell = shell.clone();
            let app = shell.app.clone();
            let _ = app.run_on_main_thread(move || {
                shell.pages.follow(&shell.app, at);
                shell.border.answer(id, Answer::Done("The page follows".into()));
            });
        }
        DesktopRequest::PickFileToOpen => {
            let endings = ExportFormat::OPENED.map(ExportFormat::extension);
            let mut dialog = shell.app.dialog().file().set_title("Open a recording").add_filter("Recordings and bug captures", &endings);
            if let Some(window) = main_window(&shell.app) {
                dialog = dialog.set_parent(&window);
            }
            let shell = shell.clone();
            dialog.pick_file(move |file| picked(&shell, id, file, Shell::allow_to_open));
        }
        DesktopRequest::PickFileToSave { suggested } => {
            let (name, format) = file_name(&suggested);
            let dialog = shell.app.dialog().file().set_title("Export").add_filter(format.label(), &[format.extension()]);
            let mut dialog = dialog.set_file_name(name);
            if let Some(window) = main_window(&shell.app) {
                dialog = dialog.set_parent(&window);
            }
            let shell = shell.clone();
            dialog.save_file(move |file| picked(&shell, id, file, Shell::allow_to_save));
        }
        DesktopRequest::Set(setting) => {
            let shell = shell.clone();
            // The autostart file and the settings are written.
            tauri::async_runtime::spawn_blocking(move || {
                let done = set(&shell, setting);
                shell.border.answer(id, done.map_or_else(Answer::Failed, |()| Answer::Done("Set".into())));
            });
        }
        DesktopRequest::Reply(question, reply) => {
            shell.border.answer(id, Answer::Done("Answered".into()));
            shell.reply(question, reply);
        }
        DesktopRequest::Update(step) => {
            shell.border.answer(id, Answer::Done("Begun".into()));
            updates::step(shell, step);
        }
    }
}

fn set(shell: &Arc<Shell>, setting: DesktopSetting) -> Result<(), Failure> {
    match setting {
        DesktopSetting::Notify(about, on) => shell.set(|settings| {
            if on {
                settings.notify.insert(about);
            } else {
                settings.notify.remove(&about);
            }
        }),
        DesktopSetting::StaticFiles(on) => {
            shell.set(|settings| settings.static_files = on)?;
            let shell = shell.clone();
            let app = shell.app.clone();
            let _ = app.run_on_main_thread(move || shell.pages.reload(&shell.app));
            Ok(())
        }
        DesktopSetting::Autostart(on) => {
            let autostart = shell.app.autolaunch();
            let done = if on { autostart.enable() } else { autostart.disable() };
            done.map_err(|error| failed(&format!("the desktop's autostart could not be changed: {error}")))?;
            shell.set(|_| {})
        }
    }
}

fn picked(shell: &Shell, id: RequestId, file: Option<FilePath>, allow: impl FnOnce(&Shell, PathBuf)) {
    let path = file.and_then(|file| file.into_path().ok());
    if let Some(path) = &path {
        allow(shell, path.clone());
    }
    shell.border.answer(id, Answer::Picked(path));
}

/// A name to begin with, and no more than that: it came from recorded text. It ends as files of a format do.
fn file_name(suggested: &str) -> (String, ExportFormat) {
    let name: String = suggested.chars().map(|c| if c.is_control() || matches!(c, '/' | '\\' | ':') { '-' } else { c }).take(120).collect();
    let name = name.trim_matches(['.', ' ', '-']).to_owned();
    let name = if name.is_empty() { "recording".to_owned() } else { name };
    match ExportFormat::of_file(&name) {
        Some(format) => (name, format),
        None => (format!("{name}.{}", ExportFormat::Recording.extension()), ExportFormat::Recording),
    }
}

fn failed(message: &str) -> Failure {
    Failure::new(ErrorCode::Io, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suggested_name_is_a_name() {
        let name = |suggested| file_name(suggested).0;
        assert_eq!(name("cart.djrec"), "cart.djrec");
        assert_eq!(file_name("test_cart.py"), ("test_cart.py".to_owned(), ExportFormat::Pytest));
        assert_eq!(name("shop at http://127.0.0.1:8000"), "shop at http---127.0.0.1-8000.djrec");
        assert_eq!(name("../../etc/passwd"), "etc-passwd.djrec");
        assert_eq!(name("\n"), "recording.djrec");
    }
}
