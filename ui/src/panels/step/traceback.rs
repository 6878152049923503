//! A Python traceback as frames: those of the project in full, those of libraries folded.

use egui::{Label, RichText, Ui};
use inspector_model::Level;

use crate::app::action::{Action, Cx};
use crate::format;
use crate::theme;
use crate::widgets::{parts, rich};

/// Frames that are drawn at most; endless recursion has a thousand.
const MOST: usize = 200;

/// A part of a traceback.
#[derive(Debug, PartialEq)]
enum Part<'a> {
    /// A line between frames: `Traceback (most recent call last):`, the exception, what it was raised from.
    Line(&'a str),
    /// A frame of the project.
    Own(Frame<'a>),
    /// Frames of libraries between those of the project.
    Library(Vec<Frame<'a>>),
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Frame<'a> {
    file: &'a str,
    line: &'a str,
    function: &'a str,
    /// The source, if Python could read it.
    code: Option<&'a str>,
}

/// `File "shop/views.py", line 12, in order`
fn frame(line: &str) -> Option<Frame<'_>> {
    let (file, rest) = line.trim_start().strip_prefix("File \"")?.split_once("\", line ")?;
    let (line, function) = rest.split_once(", in ").unwrap_or((rest, ""));
    Some(Frame { file, line, function, code: None })
}

/// Whether a file is none of the project's.
fn is_library(file: &str) -> bool {
    file.starts_with('<')
        || ["/site-packages/", "/dist-packages/", "/lib/python", "\\site-packages\\", "\\lib\\"].iter().any(|part| file.contains(part))
}

/// The name of the library that a file belongs to.
fn library(file: &str) -> &str {
    let inside = ["/site-packages/", "/dist-packages/", "\\site-packages\\"].iter().find_map(|part| Some(file.rsplit_once(part)?.1));
    inside.map_or("Python", |path| path.split(['/', '\\']).next().unwrap_or(path).trim_end_matches(".py"))
}

fn parts_of(text: &str) -> Vec<Part<'_>> {
    let mut parts: Vec<Part<'_>> = Vec::new();
    for line in text.lines() {
        if let Some(frame) = frame(line) {
            match parts.last_mut() {
                Some(Part::Library(frames)) if is_library(frame.file) => frames.push(frame),
                _ if is_library(frame.file) => parts.push(Part::Library(vec![frame])),
                _ => parts.push(Part::Own(frame)),
            }
        } else if line.starts_with("    ") {
            // The frame's source; below it a line of carets may follow.
            let last = match parts.last_mut() {
                Some(Part::Own(frame)) => Some(frame),
                Some(Part::Library(frames)) => frames.last_mut(),
                _ => None,
            };
            if let Some(frame) = last.filter(|frame| frame.code.is_none()) {
                frame.code = Some(line.trim());
            }
        } else if !line.trim().is_empty() {
            parts.push(Part::Line(line));
        }
    }
    parts
}

/// `djust, asgiref`
fn libraries(frames: &[Frame<'_>]) -> String {
    let mut names: Vec<&str> = Vec::new();
    for name in frames.iter().map(|frame| library(frame.file)) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.join(", ")
}

/// Draws a traceback. `folder` is the project's, which is left out of its files' names.
pub fn ui(cx: &mut Cx<'_>, ui: &mut Ui, text: &str, folder: Option<&str>) {
    let t = cx.t;
    let parts = parts_of(text);
    for (index, part) in parts.iter().take(MOST).enumerate() {
        match part {
            Part::Line(line) => {
                ui.add(Label::new(RichText::new(*line).size(12.5).color(t.muted)).wrap().selectable(true));
            }
            Part::Own(frame) => one(cx, ui, *frame, folder, true),
            Part::Library(frames) => {
                let words = format!("{} in {}", format::plural(frames.len() as u64, "frame", "frames"), libraries(frames));
                egui::CollapsingHeader::new(RichText::new(words).size(12.0).color(t.muted)).id_salt(("frames", index)).show(ui, |ui| {
                    for frame in frames {
                        one(cx, ui, *frame, None, false);
                    }
                });
            }
        }
    }
    if parts.len() > MOST {
        parts::note(ui, Level::Info, &format!("{} more are not shown: the copied traceback has all of it", parts.len() - MOST));
    }
    if ui.button("Copy traceback").clicked() {
        cx.push(Action::Copy(text.to_owned(), "the traceback"));
    }
}

fn one(cx: &Cx<'_>, ui: &mut Ui, frame: Frame<'_>, folder: Option<&str>, own: bool) {
    let t = cx.t;
    let file = folder.and_then(|folder| frame.file.strip_prefix(folder)).map_or(frame.file, |file| file.trim_start_matches(['/', '\\']));
    let mut job = egui::text::LayoutJob::default();
    rich::push(&mut job, frame.function, theme::mono(), if own { t.strong } else { t.muted });
    rich::push(&mut job, &format!("   {}:{}", file, frame.line), theme::text(12.0), t.muted);
    ui.add(Label::new(job).wrap().selectable(true)).on_hover_text(frame.file);
    if let Some(code) = frame.code {
        ui.horizontal(|ui| {
            ui.add_space(14.0);
            ui.add(Label::new(RichText::new(code).monospace().color(if own { t.text } else { t.muted })).wrap().selectable(true));
        });
    }
    ui.add_space(2.0);
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "Traceback (most recent call last):
  File \"/venv/lib/python3.11/site-packages/djust/websocket_utils.py\", line 432, in _call_handler
    return await sync_to_async(call)()
           ^^^^^^^^^^^^^^^^^^^^^^^^^^^
  File \"/usr/lib/python3.11/concurrent/futures/thread.py\", line 58, in run
    result = self.fn(*self.args, **self.kwargs)
  File \"/home/dev/shop/shop/views.py\", line 12, in order
    raise ValueError(\"no\")
  File \"<string>\", line 1, in <module>
ValueError: no
";

    #[test]
    fn frames_of_libraries_are_folded_between_those_of_the_project() {
        let parts = parts_of(TEXT);
        let own = Frame { file: "/home/dev/shop/shop/views.py", line: "12", function: "order", code: Some("raise ValueError(\"no\")") };
        assert_eq!(parts.len(), 5);
        assert_eq!(parts[0], Part::Line("Traceback (most recent call last):"));
        assert!(matches!(&parts[1], Part::Library(frames) if frames.len() == 2 && libraries(frames) == "djust, Python"
            && frames[0].code == Some("return await sync_to_async(call)()")));
        assert_eq!(parts[2], Part::Own(own));
        assert!(matches!(&parts[3], Part::Library(frames) if frames[0].function == "<module>" && frames[0].code.is_none()));
        assert_eq!(parts[4], Part::Line("ValueError: no"));
    }

    #[test]
    fn text_that_is_no_traceback_stays_as_it_is() {
        assert_eq!(parts_of("one\n\ntwo"), [Part::Line("one"), Part::Line("two")]);
        assert!(parts_of("").is_empty() && parts_of("    indented").is_empty());
    }
}
