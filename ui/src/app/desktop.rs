//! What the program around the window asks of it and tells it: closing, files that are dropped, steps to show.

use std::path::{Path, PathBuf};

use egui::{Context, DroppedFileHandle};
use inspector_model::{DesktopQuestion, DesktopRequest, ExportFormat, Reply, Request};

use super::InspectorApp;
use super::engine::look_at;
use super::model::{Model, Page};

/// Which files the window opens, in words.
pub const OPENED_FILES: &str = "A recording file ends in .djrec, a bug capture of djust in .djbug1";

/// Whether the window opens files with such a name.
pub fn opens(file: &Path) -> bool {
    let format = ExportFormat::of_file(&file_name(file).to_lowercase());
    format.is_some_and(|format| ExportFormat::OPENED.contains(&format))
}

/// A file's name without its folders.
pub fn file_name(file: &Path) -> String {
    file.file_name().unwrap_or(file.as_os_str()).to_string_lossy().into_owned()
}

/// Shows the step that is waited for, when it is there.
pub fn show_awaited(model: &mut Model) {
    let Some((source, step)) = model.awaited_step else { return };
    if model.timeline_of(source).is_none_or(|timeline| timeline.step(step).is_none()) {
        return;
    }
    model.awaited_step = None;
    look_at(model, Some(source));
    model.page = Page::Steps;
    model.selected = Some(step);
    model.follow = false;
    model.playing = None;
}

/// The files that are dragged over the window, natively or as the host of a page says it.
pub fn dragged(model: &Model, ctx: &Context) -> Vec<PathBuf> {
    let native: Vec<_> = ctx.input(|input| input.raw.hovered_files.iter().filter_map(|file| file.path.clone()).collect());
    if native.is_empty() { model.dragged.clone() } else { native }
}

impl InspectorApp {
    /// The window is to be closed. `true`: now. Otherwise the window asks first, and [`InspectorApp::closes`] tells the answer.
    pub fn may_close(&mut self) -> bool {
        let ends_something = self.model.recording().next().is_some() || self.model.desktop.server.is_some();
        let asks = ends_something && !self.closes && self.model.on_close != Some(Reply::Yes);
        self.model.closing |= asks;
        !asks
    }

    /// Whether the user has answered that the window is closed.
    pub const fn closes(&self) -> bool {
        self.closes
    }

    pub(super) fn reply(&mut self, question: DesktopQuestion, reply: Reply, remembered: bool) {
        if question == DesktopQuestion::Close {
            if remembered && reply != Reply::No {
                self.model.on_close = Some(reply);
            }
            if std::mem::take(&mut self.model.closing) {
                self.closes = reply == Reply::Yes;
                return;
            }
        }
        self.model.desktop.question = None;
        self.engine.command(&mut self.model, Request::Desktop(DesktopRequest::Reply(question, reply)), self.now);
    }

    /// Answers the question whether to close as the user has said it for good.
    pub(super) fn reply_as_remembered(&mut self) {
        let remembered = self.model.on_close.filter(|reply| *reply != Reply::Keep || self.model.desktop.tray);
        if let Some(reply) = remembered.filter(|_| self.model.desktop.question == Some(DesktopQuestion::Close)) {
            self.reply(DesktopQuestion::Close, reply, false);
        }
    }

    /// Opens the files that were dropped on a native window. The host of a page sends notices instead: a browser tells names alone.
    pub(super) fn take_files(&mut self, ctx: &Context) {
        let absolute = |file: &DroppedFileHandle| file.path().is_absolute().then(|| file.path().to_owned());
        let dropped = ctx.input(|input| input.raw.dropped_files.iter().filter_map(absolute).collect());
        self.engine.open_dropped(&mut self.model, dropped, self.now);
    }
}
