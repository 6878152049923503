//! The start page: servers on this machine, the library, and how to get either.

use egui::{Layout, RichText, TextEdit, Ui};
use inspector_model::{AttachOptions, FoundServer, RecordingId, RecordingInfo, Request, find_bug_capture, is_loopback, unprotected};

use super::page;
use crate::app::action::{Action, Cx};
use crate::app::export::ExportWish;
use crate::format;
use crate::widgets::icons::{self, Icon};
use crate::widgets::parts;

/// The one line to paste.
pub const RUN_LINE: &str = "djust-inspector run -- python manage.py runserver";

/// What the page remembers.
#[derive(Default)]
pub struct Start {
    url: String,
    token: String,
    options: AttachOptions,
    path: String,
    /// Put the keyboard into the field for a file's path.
    pub focus_path: bool,
    deleting: Option<RecordingId>,
}

/// Draws the page.
pub fn ui(state: &mut Start, cx: &mut Cx<'_>, ui: &mut Ui) {
    page(ui, "Debug and time travel for djust", "Attach to a running server, or open what was recorded", 860.0, |ui| {
        ui.spacing_mut().item_spacing.y = 6.0;
        parts::section(ui, "Servers on this machine");
        servers(cx, ui);
        ui.add_space(12.0);
        parts::section(ui, "Attach by address");
        attach(state, cx, ui);
        ui.add_space(12.0);
        parts::section(ui, "Recordings");
        recordings(state, cx, ui);
        ui.add_space(8.0);
        open_file(state, cx, ui);
    });
}

fn servers(cx: &mut Cx<'_>, ui: &mut Ui) {
    let t = cx.t;
    let model = cx.model;
    if model.found.is_empty() {
        parts::card(ui, |ui| {
            ui.label(RichText::new("No server with the inspector's agent runs on this machine").color(t.text));
            ui.label(
                RichText::new("Start yours with this line in front; nothing in the project has to change. It appears here by itself.")
                    .color(t.muted),
            );
            ui.add_space(4.0);
            parts::paste_line(cx, ui, RUN_LINE);
        });
        return;
    }
    for server in &model.found {
        ui.push_id(server.pid, |ui| parts::card(ui, |ui| found(cx, ui, server)));
    }
    ui.horizontal(|ui| {
        ui.label(RichText::new("To start another:").size(12.5).color(t.muted));
        parts::paste_line(cx, ui, RUN_LINE);
    });
}

fn found(cx: &mut Cx<'_>, ui: &mut Ui, server: &FoundServer) {
    let t = cx.t;
    let open =
        cx.model.timelines.iter().find(|timeline| {
            timeline.source().is_attached() && timeline.source().server.as_ref().is_some_and(|info| info.pid == server.pid)
        });
    ui.horizontal(|ui| {
        icons::show(ui, Icon::Dot, 13.0, t.added);
        ui.vertical(|ui| {
            ui.horizontal(|ui| {
                ui.label(RichText::new(format::clip(&server.project, 60)).size(14.5).color(t.strong));
                ui.label(RichText::new(format::clip(&server.url, 80)).color(t.accent));
                if server.debug {
                    parts::chip(ui, "DEBUG", t.changed, t.changed_bg);
                }
            });
            let facts =
                format!("djust {}  ·  process {}  ·  since {}  ·  {}", server.djust, server.pid, format::clock(server.started), server.cwd);
            parts::line_label(ui, RichText::new(format::clip(&facts, 140)).size(12.5).color(t.muted));
        });
        ui.with_layout(Layout::right_to_left(egui::Align::Center), |ui| {
            if let Some(timeline) = open {
                if ui.button("Show").clicked() {
                    cx.push(Action::Source(timeline.id()));
                    cx.push(Action::Show(crate::app::model::Page::Steps));
                }
            } else {
                let attach = parts::primary(ui, "Attach");
                attach.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, format!("Attach to {}", server.project)));
                if attach.clicked() {
                    cx.push(Action::Send(Box::new(Request::AttachFound { pid: server.pid })));
                }
            }
        });
    });
}

fn attach(state: &mut Start, cx: &mut Cx<'_>, ui: &mut Ui) {
    parts::card(ui, |ui| {
        ui.horizontal(|ui| {
            let room = ui.available_width() - 90.0;
            let url = ui.add(TextEdit::singleline(&mut state.url).hint_text("http://127.0.0.1:8000").desired_width(room * 0.55));
            if url.accessible_name("Server address").changed() {
                // What was agreed to was agreed to for another address.
                state.options = AttachOptions::default();
            }
            let remembered = cx.model.desktop.keychain;
            let hint = if remembered { "Token, if it is not remembered" } else { "Token" };
            let token = ui.add(TextEdit::singleline(&mut state.token).hint_text(hint).password(true).desired_width(room * 0.35));
            let token = token.accessible_name("Token");
            let entered = token.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
            let missing = state.token.is_empty() && !remembered;
            let exposed = unprotected(state.url.trim()).is_some() && !state.options.insecure;
            let why = wrong_address(&state.url)
                .or_else(|| missing.then_some("The agent's token is missing: the server prints where it is"))
                .or_else(|| exposed.then_some("The address is plain http:// and not on this machine: use https://, or attach unencrypted"));
            let button = ui.add_enabled(why.is_none(), egui::Button::new("Connect")).on_disabled_hover_text(why.unwrap_or_default());
            if why.is_none() && (button.clicked() || entered) {
                let (url, token) = (state.url.trim().to_owned(), std::mem::take(&mut state.token));
                cx.push(Action::Send(Box::new(Request::Attach { url, token, options: state.options })));
            }
        });
        if wrong_address(&state.url).is_none() {
            choices(&mut state.options, cx, ui, state.url.trim());
        }
    });
}

/// What is not done unasked with a server of another machine.
fn choices(options: &mut AttachOptions, cx: &Cx<'_>, ui: &mut Ui, url: &str) {
    if is_loopback(url) {
        return;
    }
    ui.add_space(4.0);
    if let Some(why) = unprotected(url) {
        ui.horizontal_wrapped(|ui| {
            icons::show(ui, Icon::Warning, 13.0, cx.t.changed);
            ui.label(RichText::new(format!("Not attached to like this: {why}")).size(12.5).color(cx.t.text));
        });
        ui.checkbox(&mut options.insecure, "Attach unencrypted")
            .on_hover_text("Whoever is between here and the server can read the token and all states, and use the token");
    }
    ui.checkbox(&mut options.write, "Allow changes on this server").on_hover_text(
        "Ask for jumps, replays and paused ticks. Without it this attachment only looks; the server may refuse it in any case",
    );
}

fn wrong_address(url: &str) -> Option<&'static str> {
    let url = url.trim();
    if url.is_empty() {
        Some("The server's address is missing")
    } else if url.starts_with("http://") || url.starts_with("https://") {
        None
    } else {
        Some("An address begins with http:// or https://")
    }
}

fn recordings(state: &mut Start, cx: &mut Cx<'_>, ui: &mut Ui) {
    let t = cx.t;
    let model = cx.model;
    if model.recordings.is_empty() {
        parts::card(ui, |ui| {
            ui.label(RichText::new("The library is empty").color(t.text));
            ui.label(
                RichText::new("Every attached server is recorded by itself. Files that others recorded can be opened below.")
                    .color(t.muted),
            );
        });
        return;
    }
    parts::card(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 2.0;
        let mut sorted: Vec<&RecordingInfo> = model.recordings.iter().collect();
        sorted.sort_by(|a, b| b.started.total_cmp(&a.started));
        for recording in sorted {
            ui.push_id(recording.id.as_str(), |ui| one_recording(state, cx, ui, recording));
            ui.add_space(4.0);
        }
    });
}

fn one_recording(state: &mut Start, cx: &mut Cx<'_>, ui: &mut Ui, recording: &RecordingInfo) {
    let t = cx.t;
    ui.horizontal(|ui| {
        let mark = if recording.recording { t.removed } else { t.faint };
        icons::show(ui, if recording.recording { Icon::Dot } else { Icon::Ring }, 12.0, mark).on_hover_text(if recording.recording {
            "Still being recorded"
        } else {
            "Complete"
        });
        ui.vertical(|ui| {
            ui.set_width((ui.available_width() - 262.0).max(120.0));
            parts::line_label(ui, RichText::new(format::clip(&recording.title, 80)).color(t.strong));
            let facts = format!(
                "{}  ·  {}  ·  {}  ·  {}  ·  djust {}",
                format::date(recording.started),
                format::plural(recording.steps, "step", "steps"),
                format::plural(u64::from(recording.sessions), "page", "pages"),
                format::bytes(recording.bytes),
                recording.djust
            );
            parts::line_label(ui, RichText::new(facts).size(12.0).color(t.muted));
        });
        ui.with_layout(Layout::right_to_left(egui::Align::Center), |ui| {
            let name = |verb: &str| format!("{verb} {}", recording.title);
            let named = |response: &egui::Response, verb: &str| {
                response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, name(verb)));
            };
            let delete =
                ui.add_enabled(!recording.recording, egui::Button::new("Delete")).on_disabled_hover_text("It is still being recorded");
            named(&delete, "Delete");
            if delete.clicked() {
                state.deleting = Some(recording.id.clone());
            }
            let keep = ui.add(egui::Button::new("Keep").selected(recording.kept)).on_hover_text("It is not deleted however old it is");
            named(&keep, if recording.kept { "Keep no longer" } else { "Keep" });
            if keep.clicked() {
                cx.push(Action::Send(Box::new(Request::KeepRecording(recording.id.clone(), !recording.kept))));
            }
            let export = ui.button("Export");
            named(&export, "Export");
            if export.clicked() {
                cx.push(Action::Export(ExportWish::Recording(recording.id.clone())));
            }
            let open = ui.button("Open");
            named(&open, "Open");
            if open.clicked() {
                cx.push(Action::Send(Box::new(Request::OpenRecording(recording.id.clone()))));
            }
        });
    });
    if state.deleting.as_ref() == Some(&recording.id) {
        ui.horizontal(|ui| {
            ui.add_space(22.0);
            ui.label(RichText::new(format!("Delete {} for good?", format::plural(recording.steps, "step", "steps"))).color(t.removed));
            if ui.button("Delete for good").clicked() {
                cx.push(Action::Send(Box::new(Request::DeleteRecording(recording.id.clone()))));
                state.deleting = None;
            }
            if ui.button("Do not delete").clicked() {
                state.deleting = None;
            }
        });
    }
}

/// A file by its path, or by the desktop's dialog, and a bug capture by its text.
fn open_file(state: &mut Start, cx: &mut Cx<'_>, ui: &mut Ui) {
    // Where there are dialogs a file is chosen in one: a program that lives in a page may open no other.
    let dialogs = cx.model.desktop.dialogs;
    ui.horizontal(|ui| {
        if dialogs {
            parts::command_button(cx, ui, crate::commands::UiCommand::OpenFile);
            ui.add_space(10.0);
        }
        let (name, hint, button, missing) = if dialogs {
            ("Bug capture", "Paste a bug capture: djbug1.… or its address", "Open capture", "A bug capture begins with djbug1.")
        } else {
            (
                "Recording file",
                "/path/to/recording.djrec, or djbug1.…",
                "Open file",
                "Type the path of a recording file, or paste a bug capture",
            )
        };
        let edit = TextEdit::singleline(&mut state.path).hint_text(hint).desired_width(420.0);
        let id = ui.make_persistent_id(name);
        // A capture may be megabytes: it is opened as it is pasted, and never laid out.
        let pasted = if ui.memory(|memory| memory.has_focus(id)) { pasted_capture(ui) } else { None };
        let edit = ui.add(edit.id(id));
        let edit = edit.accessible_name(name);
        if std::mem::take(&mut state.focus_path) {
            edit.request_focus();
        }
        let text = state.path.trim();
        let capture = find_bug_capture(text).is_some();
        let good = capture || (!dialogs && !text.is_empty());
        let entered = edit.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
        let open = ui.add_enabled(good, egui::Button::new(button)).on_disabled_hover_text(missing);
        if let Some(text) = pasted {
            cx.push(Action::Send(Box::new(Request::OpenText(text))));
        } else if good && (open.clicked() || entered) {
            let request = if capture { Request::OpenText(text.to_owned()) } else { Request::OpenFile(text.into()) };
            cx.push(Action::Send(Box::new(request)));
            if capture {
                state.path.clear();
            }
        }
    });
}

/// Takes a bug capture that is being pasted.
fn pasted_capture(ui: &Ui) -> Option<String> {
    ui.input_mut(|input| {
        let is_capture = |event: &egui::Event| matches!(event, egui::Event::Paste(text) if find_bug_capture(text).is_some());
        let at = input.events.iter().position(is_capture)?;
        if let egui::Event::Paste(text) = input.events.remove(at) { Some(text) } else { None }
    })
}
