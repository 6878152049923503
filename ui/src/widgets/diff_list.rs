//! The changes of a diff as rows, grouped by assign: signs, before and after, text inside strings, moves, and djust's notes.

use std::collections::HashSet;
use std::sync::Arc;

use egui::text::LayoutJob;
use egui::{Color32, RichText, ScrollArea, Ui};
use inspector_model::{Change, Diff, Ignore, Note, Op, Segment, Value};

use super::{fidelity, parts, rich};
use crate::app::action::{Action, Cx};
use crate::format;
use crate::theme::{self, Tokens};

/// What a list of changes remembers: which are open.
#[derive(Default)]
pub struct DiffList {
    open: HashSet<usize>,
    rows: Vec<Line>,
    built: Option<(usize, usize)>,
    built_for: Option<Arc<Diff>>,
}

/// One drawn line.
enum Line {
    /// The assign that the following changes belong to.
    Group(String, usize),
    /// A change, by its place in the diff.
    Change(usize),
    /// A differing place of a long text.
    Hunk(usize, usize),
    /// A piece of a long value, opened.
    Piece(bool, String),
}

const PIECE_CHARS: usize = 90;
const MAX_PIECES: usize = 400;
const CONTEXT: usize = 24;

/// The two texts of a change that can be long.
fn long_texts(op: &Op) -> Option<(Option<String>, Option<String>)> {
    match op {
        Op::Added(value) => Some((None, Some(value.summary(20_000)))),
        Op::Removed(value) => Some((Some(value.summary(20_000)), None)),
        Op::Changed { before, after } => Some((Some(before.summary(20_000)), Some(after.summary(20_000)))),
        Op::Text { before, after, .. } => Some((Some(before.clone()), Some(after.clone()))),
        Op::Moved { .. } => None,
        Op::Reordered { order, .. } => Some((None, Some(order.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")))),
    }
}

fn build(state: &mut DiffList, diff: &Arc<Diff>) {
    let same = state.built_for.as_ref().is_some_and(|built| Arc::ptr_eq(built, diff));
    if !same {
        state.open.clear();
    }
    let key = (diff.changes.len(), state.open.len());
    if same && state.built == Some(key) {
        return;
    }
    state.built = Some(key);
    state.built_for = Some(diff.clone());
    state.rows.clear();
    let mut group: Option<String> = None;
    for (index, change) in diff.changes.iter().enumerate() {
        let top = change.path.0.first().map_or_else(String::new, |segment| inspector_model::Path(vec![segment.clone()]).to_string());
        if change.path.0.len() > 1 && group.as_ref() != Some(&top) {
            let inside = diff.changes.iter().filter(|other| other.path.0.first() == change.path.0.first()).count();
            state.rows.push(Line::Group(top.clone(), inside));
        }
        group = Some(top);
        state.rows.push(Line::Change(index));
        if let Op::Text { hunks, .. } = &change.op {
            state.rows.extend((0..hunks.len().min(200)).map(|hunk| Line::Hunk(index, hunk)));
        }
        if state.open.contains(&index)
            && let Some((before, after)) = long_texts(&change.op)
        {
            for (text, added) in [(before, false), (after, true)] {
                let Some(text) = text else { continue };
                let mut pieces = 0;
                for line in text.split('\n') {
                    let chars: Vec<char> = line.chars().collect();
                    for piece in chars.chunks(PIECE_CHARS) {
                        if pieces < MAX_PIECES {
                            state.rows.push(Line::Piece(added, piece.iter().collect()));
                        }
                        pieces += 1;
                    }
                }
            }
        }
    }
}

impl DiffList {
    /// Draws the list in the room that is left, what `faded` expects dimmed. `menu` adds what can be done with a change where the
    /// list stands.
    pub fn ui(
        &mut self,
        cx: &mut Cx<'_>,
        ui: &mut Ui,
        diff: &Arc<Diff>,
        faded: Option<&Ignore>,
        menu: &mut dyn FnMut(&mut Cx<'_>, &mut Ui, &Change),
    ) {
        build(self, diff);
        let t = cx.t;
        let mut toggle = None;
        let Self { rows, open, .. } = &*self;
        ScrollArea::vertical().id_salt("diff").auto_shrink(false).show_rows(ui, theme::VALUE_ROW, rows.len(), |ui, range| {
            ui.spacing_mut().item_spacing.y = 0.0;
            for row in &rows[range] {
                match row {
                    Line::Group(name, inside) => {
                        let (rect, _) = ui.allocate_exact_size(egui::vec2(ui.available_width(), theme::VALUE_ROW), egui::Sense::hover());
                        let mut job = rich::line_job();
                        rich::push(&mut job, &format::clip(name, 80), theme::mono(), t.strong);
                        rich::push(
                            &mut job,
                            &format!("   {}", format::plural(*inside as u64, "change", "changes")),
                            theme::text(11.5),
                            t.faint,
                        );
                        parts::paint_line(ui, rect, 2.0, job);
                    }
                    Line::Change(index) => {
                        let Some(change) = diff.changes.get(*index) else { continue };
                        let is_faded = faded.is_some_and(|rules| rules.expects(change));
                        let clicked = ui.scope(|ui| {
                            if is_faded {
                                ui.multiply_opacity(0.45);
                            }
                            change_row(cx, ui, change, open.contains(index), is_faded, menu)
                        });
                        if clicked.inner {
                            toggle = Some(*index);
                        }
                    }
                    Line::Hunk(index, hunk) => {
                        let (rect, _) = ui.allocate_exact_size(egui::vec2(ui.available_width(), theme::VALUE_ROW), egui::Sense::hover());
                        if let Some(Op::Text { before, after, hunks }) = diff.changes.get(*index).map(|change| &change.op)
                            && let Some(hunk) = hunks.get(*hunk)
                        {
                            parts::paint_line(ui, rect, 34.0, hunk_job(t, before, after, hunk));
                        }
                    }
                    Line::Piece(added, text) => {
                        let (rect, _) = ui.allocate_exact_size(egui::vec2(ui.available_width(), theme::VALUE_ROW), egui::Sense::hover());
                        let (sign, ink, ground) = if *added { ("+ ", t.added, t.added_bg) } else { ("− ", t.removed, t.removed_bg) };
                        ui.painter().rect_filled(rect.with_min_x(rect.left() + 26.0), 0.0, ground.gamma_multiply(0.6));
                        let mut job = rich::line_job();
                        rich::push(&mut job, sign, theme::mono(), ink);
                        rich::push(&mut job, &rich::one_line(text), theme::mono(), t.text);
                        parts::paint_line(ui, rect, 34.0, job);
                    }
                }
            }
        });
        if let Some(index) = toggle
            && !self.open.remove(&index)
        {
            self.open.insert(index);
        }
    }
}

/// Text around a differing place, without cutting a character.
fn around(text: &str, range: &std::ops::Range<usize>) -> (String, String, String) {
    let start = range.start.min(text.len());
    let end = range.end.clamp(start, text.len());
    let (Some(head), Some(middle), Some(tail)) = (text.get(..start), text.get(start..end), text.get(end..)) else {
        return (String::new(), text.chars().take(80).collect(), String::new());
    };
    let before: String = head.chars().rev().take(CONTEXT).collect::<Vec<_>>().into_iter().rev().collect();
    let after: String = tail.chars().take(CONTEXT).collect();
    (before, middle.chars().take(200).collect(), after)
}

fn hunk_job(t: &Tokens, before: &str, after: &str, hunk: &inspector_model::TextHunk) -> LayoutJob {
    let (head, gone, _) = around(before, &hunk.before);
    let (_, new, tail) = around(after, &hunk.after);
    let mut job = rich::line_job();
    rich::push(&mut job, "…", theme::mono(), t.faint);
    rich::push(&mut job, &rich::one_line(&head), theme::mono(), t.muted);
    rich::push_marked(&mut job, &rich::one_line(&gone), t.removed, t.removed_bg, true);
    rich::push_marked(&mut job, &rich::one_line(&new), t.added, t.added_bg, false);
    rich::push(&mut job, &rich::one_line(&tail), theme::mono(), t.muted);
    job
}

fn sign_of(t: &Tokens, op: &Op) -> (&'static str, Color32, Color32, &'static str) {
    match op {
        Op::Added(_) => ("+", t.added, t.added_bg, "added"),
        Op::Removed(_) => ("−", t.removed, t.removed_bg, "removed"),
        Op::Changed { .. } | Op::Text { .. } => ("~", t.changed, Color32::TRANSPARENT, "changed"),
        Op::Moved { .. } | Op::Reordered { .. } => ("⇅", t.moved, Color32::TRANSPARENT, "moved"),
    }
}

/// One change. Returns whether it shall be opened or closed.
fn change_row(
    cx: &mut Cx<'_>,
    ui: &mut Ui,
    change: &Change,
    open: bool,
    ignored: bool,
    menu: &mut dyn FnMut(&mut Cx<'_>, &mut Ui, &Change),
) -> bool {
    let t = cx.t;
    let (sign, ink, ground, _) = sign_of(t, &change.op);
    let path = change.path.to_string();
    let name = if ignored { format!("{}, ignored", spoken(t, change)) } else { spoken(t, change) };
    let (rect, response) = parts::list_row(ui, theme::VALUE_ROW, false, &name);
    let nested = change.path.0.len() > 1;
    let indent = if nested { 16.0 } else { 2.0 };
    if ground != Color32::TRANSPARENT && !response.hovered() {
        ui.painter().rect_filled(rect, 3.0, ground.gamma_multiply(0.6));
    }
    let mut job = rich::line_job();
    rich::push(&mut job, &format!("{sign} "), theme::mono(), ink);
    let shown = if nested { inspector_model::Path(relative(&change.path.0)).to_string() } else { path.clone() };
    rich::push(&mut job, &format!("{}  ", format::clip(&shown, 70)), theme::mono(), t.text);
    match &change.op {
        Op::Added(value) | Op::Removed(value) => {
            push_mark(&mut job, t, value);
            rich::push(&mut job, &rich::one_line(&value.summary(300)), theme::mono(), rich::ink(t, value));
        }
        Op::Changed { before, after } => {
            push_mark(&mut job, t, before);
            rich::push_marked(&mut job, &rich::one_line(&before.summary(160)), t.removed, t.removed_bg, false);
            rich::push(&mut job, " → ", theme::mono(), t.muted);
            push_mark(&mut job, t, after);
            rich::push_marked(&mut job, &rich::one_line(&after.summary(200)), t.added, t.added_bg, false);
            if before.type_name() != after.type_name() {
                rich::push(&mut job, &format!("   {} → {}", before.type_name(), after.type_name()), theme::text(12.0), t.changed);
            }
        }
        Op::Text { before, after, hunks } => {
            let words = format!(
                "text, {} → {} characters, {}",
                format::count(before.chars().count() as u64),
                format::count(after.chars().count() as u64),
                format::plural(hunks.len() as u64, "place", "places")
            );
            rich::push(&mut job, &words, theme::text(12.5), t.muted);
        }
        Op::Moved { from } => rich::push(&mut job, &format!("from [{from}]"), theme::mono(), t.moved),
        Op::Reordered { order, .. } => {
            rich::push(
                &mut job,
                &format!("reordered, {}", format::plural(order.len() as u64, "element", "elements")),
                theme::text(12.5),
                t.moved,
            );
        }
    }
    let note = change.note.map(|note| match note {
        Note::TemporaryReset => ("temporary", "In temporary_assigns: reset after each render, so this is no loss"),
        Note::StaticAssign => ("static", "In static_assigns: the new value never reaches the page"),
        Note::TypeChanged => ("type changed", "The type is another one than before: a jump does this to what djust cannot restore"),
    });
    let mut text_rect = rect;
    if let Some((word, _)) = note {
        let galley = ui.painter().layout_no_wrap(word.to_owned(), theme::text(11.0), t.changed);
        let chip = egui::Rect::from_center_size(
            egui::pos2(rect.right() - galley.size().x * 0.5 - 8.0, rect.center().y),
            galley.size() + egui::vec2(10.0, 3.0),
        );
        text_rect.set_right(chip.left() - 4.0);
        ui.painter().rect_filled(chip, 4.0, t.changed_bg);
        ui.painter().galley(chip.center() - galley.size() * 0.5, galley, t.changed);
    }
    parts::paint_line(ui, text_rect, indent, job);
    let response = response.on_hover_ui(|ui| {
        ui.label(RichText::new(format::clip(&path, 300)).monospace());
        if let Some((_, words)) = note {
            ui.label(words);
        }
        for mark in values_of(&change.op).into_iter().filter_map(fidelity::mark) {
            ui.label(mark.words);
        }
        ui.label(RichText::new(if open { "Click to close" } else { "Click to see the whole value" }).color(t.muted));
    });
    parts::row_menu(ui, rect, &response, &format::clip(&path, 120), |ui| {
        if ui.button("Copy path").clicked() {
            cx.push(Action::Copy(path.clone(), "the path"));
            ui.close();
        }
        let (before, after) = match &change.op {
            Op::Added(value) => (None, Some(value.python_literal())),
            Op::Removed(value) => (Some(value.python_literal()), None),
            Op::Changed { before, after } => (Some(before.python_literal()), Some(after.python_literal())),
            Op::Text { before, after, .. } => (Some(before.clone()), Some(after.clone())),
            Op::Moved { .. } | Op::Reordered { .. } => (None, None),
        };
        if let Some(text) = before
            && ui.button("Copy value before").clicked()
        {
            cx.push(Action::Copy(text, "the value before"));
            ui.close();
        }
        if let Some(text) = after
            && ui.button("Copy value after").clicked()
        {
            cx.push(Action::Copy(text, "the value after"));
            ui.close();
        }
        menu(cx, ui, change);
    });
    response.clicked()
}

/// The values of a change, without those that are texts.
fn values_of(op: &Op) -> Vec<&Value> {
    match op {
        Op::Added(value) | Op::Removed(value) => vec![value],
        Op::Changed { before, after } => vec![before, after],
        Op::Text { .. } | Op::Moved { .. } | Op::Reordered { .. } => Vec::new(),
    }
}

fn push_mark(job: &mut LayoutJob, t: &Tokens, value: &Value) {
    if let Some(mark) = fidelity::mark(value) {
        fidelity::push(job, t, &mark);
        rich::push(job, " ", theme::mono(), t.text);
    }
}

/// A change as a screen reader tells it: what happened, where, before and after in short.
fn spoken(t: &Tokens, change: &Change) -> String {
    let value = |value: &Value| format::clip(&fidelity::spoken(value, 80), 120);
    let what = match &change.op {
        Op::Added(added) => value(added),
        Op::Removed(removed) => value(removed),
        Op::Changed { before, after } => format!("from {} to {}", value(before), value(after)),
        Op::Text { before, after, hunks } => format!(
            "text, from {} to {}, {}",
            format::count(before.chars().count() as u64),
            format::plural(after.chars().count() as u64, "character", "characters"),
            format::plural(hunks.len() as u64, "place", "places")
        ),
        Op::Moved { from } => format!("from [{from}]"),
        Op::Reordered { order, .. } => format!("{} in another order", format::plural(order.len() as u64, "element", "elements")),
    };
    let note = match change.note {
        Some(Note::TemporaryReset) => ", temporary",
        Some(Note::StaticAssign) => ", static",
        Some(Note::TypeChanged) => ", type changed",
        None => "",
    };
    let (_, _, _, word) = sign_of(t, &change.op);
    format!("{word} {}: {what}{note}", format::clip(&change.path.to_string(), 200))
}

fn relative(path: &[Segment]) -> Vec<Segment> {
    path.get(1..).unwrap_or_default().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn context_never_cuts_a_character() {
        let text = "äöü".repeat(40);
        let (head, middle, tail) = around(&text, &(80..82));
        assert_eq!((head.chars().count(), middle.chars().count(), tail.chars().count()), (CONTEXT, 1, CONTEXT));
        // A range that a wrong recording gives inside a character is shown from the beginning instead of panicking.
        assert!(!around(&text, &(1..2)).1.is_empty());
        assert_eq!(around("abc", &(10..20)), ("abc".to_owned(), String::new(), String::new()));
    }
}
