//! The command palette and the list of keys. Both read the one table of commands.

use egui::{Context, Id, Key, Modal, Modifiers, RichText, ScrollArea, TextEdit};

use super::parts;
use crate::app::action::Cx;
use crate::commands::UiCommand;
use crate::theme;

/// What is open.
#[derive(Default)]
pub struct Palette {
    mode: Mode,
    query: String,
    selected: usize,
}

#[derive(Default, PartialEq, Clone, Copy)]
enum Mode {
    #[default]
    Closed,
    Commands,
    Keys,
}

impl Palette {
    /// Opens the search for commands.
    pub fn open_commands(&mut self) {
        *self = Self { mode: Mode::Commands, ..Self::default() };
    }

    /// Opens the list of keys.
    pub fn open_keys(&mut self) {
        *self = Self { mode: Mode::Keys, ..Self::default() };
    }

    /// Whether it has the keyboard.
    pub fn is_open(&self) -> bool {
        self.mode != Mode::Closed
    }
}

/// How well `query` fits `text`: its letters in order, better together and at word beginnings. `None` when not at all.
fn score(query: &str, text: &str) -> Option<i32> {
    let text: Vec<char> = text.to_lowercase().chars().collect();
    let mut total = 0;
    let mut from = 0;
    let mut last = None;
    for wanted in query.to_lowercase().chars().filter(|c| !c.is_whitespace()) {
        let at = from + text[from..].iter().position(|c| *c == wanted)?;
        total += 1;
        if last.is_some_and(|last| last + 1 == at) {
            total += 4;
        }
        if at == 0 || text.get(at - 1) == Some(&' ') {
            total += 3;
        }
        last = Some(at);
        from = at + 1;
    }
    Some(total * 10 - text.len() as i32 / 4)
}

/// Draws what is open.
pub fn ui(state: &mut Palette, cx: &mut Cx<'_>, ctx: &Context) {
    match state.mode {
        Mode::Closed => {}
        Mode::Commands => commands(state, cx, ctx),
        Mode::Keys => keys(state, cx, ctx),
    }
}

fn commands(state: &mut Palette, cx: &mut Cx<'_>, ctx: &Context) {
    let mut fitting: Vec<(i32, UiCommand)> = UiCommand::ALL
        .iter()
        .copied()
        .filter_map(|command| {
            // Letters in order are enough in the name; the description has to have the very words.
            let described = || command.tooltip().to_lowercase().contains(&state.query.to_lowercase()).then_some(-60);
            Some((score(&state.query, command.text()).or_else(described)?, command))
        })
        .collect();
    if !state.query.is_empty() {
        fitting.sort_by_key(|(score, _)| -score);
    }
    let (mut up, mut down, mut enter) = (false, false, false);
    ctx.input_mut(|input| {
        up = input.consume_key(Modifiers::NONE, Key::ArrowUp);
        down = input.consume_key(Modifiers::NONE, Key::ArrowDown);
        enter = input.consume_key(Modifiers::NONE, Key::Enter);
    });
    if down {
        state.selected += 1;
    }
    if up {
        state.selected = state.selected.saturating_sub(1);
    }
    state.selected = state.selected.min(fitting.len().saturating_sub(1));

    let mut chosen = if enter { fitting.get(state.selected).map(|(_, command)| *command) } else { None };
    let response = Modal::new(Id::unique("palette")).show(ctx, |ui| {
        ui.set_width(480.0);
        let edit = ui
            .add(TextEdit::singleline(&mut state.query).hint_text("Search commands").desired_width(f32::INFINITY).font(theme::text(15.0)));
        let edit = edit.accessible_name("Name of a command");
        if !edit.has_focus() {
            edit.request_focus();
        }
        if edit.changed() {
            state.selected = 0;
        }
        ui.add_space(4.0);
        ScrollArea::vertical().max_height(360.0).auto_shrink([false, true]).show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            if fitting.is_empty() {
                ui.label(RichText::new("No command is called like that").color(cx.t.muted));
            }
            for (index, (_, command)) in fitting.iter().enumerate() {
                let enabled = command.enabled(cx.model);
                let (rect, response) = parts::list_row(ui, 26.0, index == state.selected, command.text());
                let ink = if enabled.is_ok() { cx.t.text } else { cx.t.faint };
                let painter = ui.painter_at(rect);
                painter.text(rect.left_center() + egui::vec2(8.0, 0.0), egui::Align2::LEFT_CENTER, command.text(), theme::text(13.5), ink);
                let right = match (&enabled, command.shortcut()) {
                    (_, Some(shortcut)) => ctx.format_shortcut(&shortcut),
                    _ => String::new(),
                };
                painter.text(rect.right_center() - egui::vec2(8.0, 0.0), egui::Align2::RIGHT_CENTER, right, theme::text(12.0), cx.t.muted);
                if (up || down) && index == state.selected {
                    response.scroll_to_me(None);
                }
                let response = response.on_hover_text(enabled.err().unwrap_or_else(|| command.tooltip().to_owned()));
                if response.clicked() {
                    chosen = Some(*command);
                }
            }
        });
    });
    if let Some(command) = chosen {
        *state = Palette::default();
        cx.run(command);
    } else if response.should_close() {
        *state = Palette::default();
    }
}

fn keys(state: &mut Palette, cx: &mut Cx<'_>, ctx: &Context) {
    let response = Modal::new(Id::unique("keys")).show(ctx, |ui| {
        ui.set_width(560.0);
        ui.label(RichText::new("Keyboard shortcuts").size(16.0).color(cx.t.strong));
        ui.add_space(6.0);
        let with_keys: Vec<_> = UiCommand::ALL.iter().copied().filter_map(|command| Some((command, command.shortcut()?))).collect();
        let half = with_keys.len().div_ceil(2);
        ui.columns(2, |columns| {
            for (column, part) in columns.iter_mut().zip(with_keys.chunks(half)) {
                egui::Grid::new(("keys", part[0].0)).num_columns(2).spacing([14.0, 5.0]).show(column, |ui| {
                    for (command, shortcut) in part {
                        parts::chip(ui, &ctx.format_shortcut(shortcut), cx.t.text, cx.t.raised);
                        ui.label(command.text());
                        ui.end_row();
                    }
                });
            }
        });
        ui.add_space(6.0);
        ui.label(RichText::new("Keys work while no text field has the focus").color(cx.t.muted));
    });
    if response.should_close() {
        *state = Palette::default();
    }
}

#[cfg(test)]
mod tests {
    use super::score;

    #[test]
    fn letters_in_order_fit_and_words_fit_better() {
        assert!(score("jph", "Jump page here").is_some());
        assert!(score("hj", "Jump page here").is_none());
        assert!(score("sql", "SQL") > score("sql", "Show a quick list"));
    }
}
