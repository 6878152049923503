//! What is expected to change or to differ, edited where it is seen: one set of rules for the Diff tab, comparisons and verdicts.

use egui::{Frame, Margin, RichText, TextEdit, Ui};
use inspector_model::{Change, Ignore, Path, Segment};

use crate::app::action::{Action, Cx};
use crate::app::compare::CompareWish;
use crate::format;

/// What the editor remembers.
#[derive(Default)]
pub struct IgnoreEditor {
    open: bool,
    /// The rules as they are typed.
    text: String,
}

/// Opens and closes the editor, and says what the rules do.
pub fn button(state: &mut IgnoreEditor, cx: &Cx<'_>, ui: &mut Ui, ignored: u64) {
    let rules = &cx.model.compare.ignore;
    let count = rules.paths.len() + usize::from(rules.times_and_ids);
    let words = if count == 0 { "Ignore rules".to_owned() } else { format!("Ignore rules {count}") };
    let button = ui.selectable_label(state.open, words).on_hover_text(
        "Leave out changes and differences that are expected: the same rules hold in the Diff tab, in Compare and for replays",
    );
    if button.clicked() {
        state.open = !state.open;
        state.text = rules.paths.join("\n");
    }
    if ignored > 0 {
        let words = format!("{} ignored", format::plural(ignored, "difference", "differences"));
        ui.label(RichText::new(words).size(12.0).color(cx.t.muted));
    }
}

/// Draws the editor, when it is open.
pub fn ui(state: &mut IgnoreEditor, cx: &mut Cx<'_>, ui: &mut Ui) {
    if !state.open {
        return;
    }
    let t = cx.t;
    let mut rules = cx.model.compare.ignore.clone();
    let shown: Vec<&str> = lines(&state.text).collect();
    if shown != rules.paths {
        // A rule came from a value's menu.
        state.text = rules.paths.join("\n");
    }
    Frame::new().fill(t.ground).corner_radius(5).inner_margin(Margin::symmetric(10, 8)).show(ui, |ui| {
        ui.checkbox(&mut rules.times_and_ids, "Ignore times and ids")
            .on_hover_text("Dates, times, uuids and tokens that are another one of the same form; their absence still counts");
        ui.add_space(4.0);
        let edit = TextEdit::multiline(&mut state.text).code_editor().desired_rows(2).desired_width(f32::INFINITY);
        let edit = ui.add(edit.hint_text("*.updated_at")).accessible_name("Paths to ignore");
        if edit.changed() {
            rules.paths = lines(&state.text).map(str::to_owned).collect();
        }
        let help =
            "One path a line, with all that is in it; * stands for anything. What is ignored is counted, never hidden without a word";
        ui.label(RichText::new(help).size(12.0).color(t.muted));
    });
    if rules != cx.model.compare.ignore {
        cx.push(Action::Compare(CompareWish::Ignore(rules)));
    }
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty())
}

/// What can be done with a change: not look at it again.
pub fn menu(cx: &mut Cx<'_>, ui: &mut Ui, change: &Change) {
    let mut wanted = vec![pattern(&change.path)];
    if let Some(Segment::Key(_)) = change.path.0.last().filter(|_| change.path.0.len() > 1) {
        let last = Path(change.path.0[change.path.0.len() - 1..].to_vec());
        wanted.push(format!("*.{last}"));
    }
    for pattern in wanted {
        if ui.button(format!("Ignore {}", format::clip(&pattern, 60))).clicked() {
            let mut rules: Ignore = cx.model.compare.ignore.clone();
            rules.paths.push(pattern);
            cx.push(Action::Compare(CompareWish::Ignore(rules)));
            ui.close();
        }
    }
}

/// A path in all elements of its lists.
fn pattern(path: &Path) -> String {
    path.0.iter().enumerate().fold(String::new(), |mut out, (at, part)| {
        match part {
            Segment::Index(_) | Segment::Row(_) => out.push_str("[*]"),
            Segment::Key(_) => {
                let name = Path(vec![part.clone()]).to_string();
                if at > 0 && !name.starts_with('[') {
                    out.push('.');
                }
                out.push_str(&name);
            }
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_from_a_change_means_all_elements() {
        let path = Path(vec![Segment::Key("orders".into()), Segment::Index(3), Segment::Key("at".into()), Segment::Key("a b".into())]);
        assert_eq!(pattern(&path), r#"orders[*].at["a b"]"#);
    }
}
