//! The command palette and the list of keys. Both read the one table of commands.

use std::borrow::Cow;

use egui::{Context, Id, Key, Modifiers, RichText, ScrollArea, TextEdit, Ui};

use super::parts;
use crate::app::action::{Action, Cx};
use crate::app::filters::FilterWish;
use crate::app::model::{Model, Page};
use crate::commands::UiCommand;
use crate::format;
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
    // The whole name comes before a longer one that begins with it.
    let whole = i32::from(text.iter().copied().eq(query.trim().to_lowercase().chars()));
    Some(total * 10 - text.len() as i32 / 4 + whole * 5)
}

/// Draws what is open.
pub fn ui(state: &mut Palette, cx: &mut Cx<'_>, ctx: &Context) {
    match state.mode {
        Mode::Closed => {}
        Mode::Commands => commands(state, cx, ctx),
        Mode::Keys => keys(state, cx, ctx),
    }
}

/// What can be chosen.
#[derive(Clone, Copy)]
enum Entry<'a> {
    Command(UiCommand),
    /// A filter with a name, and what it says.
    Filter(&'a str, &'a str),
}

impl Entry<'_> {
    fn text(self) -> Cow<'static, str> {
        match self {
            Self::Command(command) => command.text().into(),
            Self::Filter(name, _) => format!("Filter: {}", format::clip(name, 60)).into(),
        }
    }

    fn about(self) -> String {
        match self {
            Self::Command(command) => command.tooltip().to_owned(),
            Self::Filter(_, text) => format!("Show only steps that fit {}", format::clip(text, 200)),
        }
    }

    fn enabled(self, model: &Model) -> Result<(), String> {
        match self {
            Self::Command(command) => command.enabled(model),
            Self::Filter(..) => UiCommand::ShowFilters.enabled(model),
        }
    }

    fn run(self, cx: &mut Cx<'_>) {
        match self {
            Self::Command(command) => cx.run(command),
            Self::Filter(_, text) => {
                cx.push(Action::Show(Page::Steps));
                cx.push(Action::Filter(text.to_owned()));
                cx.push(Action::Filters(FilterWish::Used(text.to_owned())));
            }
        }
    }
}

fn commands(state: &mut Palette, cx: &mut Cx<'_>, ctx: &Context) {
    let model = cx.model;
    let filters = model.filters.named().map(|(name, text)| Entry::Filter(name, text));
    let mut fitting: Vec<(i32, Entry<'_>)> = UiCommand::ALL
        .iter()
        .map(|command| Entry::Command(*command))
        .chain(filters.filter(|filter| filter.enabled(model).is_ok()))
        .filter_map(|entry| {
            // Letters in order are enough in the name; the description has to have the very words.
            let described = || entry.about().to_lowercase().contains(&state.query.to_lowercase()).then_some(-60);
            Some((score(&state.query, &entry.text()).or_else(described)?, entry))
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

    let mut chosen = if enter { fitting.get(state.selected).map(|(_, entry)| *entry) } else { None };
    let response = parts::dialog(ctx, Id::unique("palette"), None, |ui| {
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
        ScrollArea::vertical().max_height(360.0).min_scrolled_height(360.0).auto_shrink([false, true]).show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            if fitting.is_empty() {
                ui.label(RichText::new("No command is called like that").color(cx.t.muted));
            }
            for (index, (_, entry)) in fitting.iter().enumerate() {
                let enabled = entry.enabled(model);
                let text = entry.text();
                let (rect, response) = parts::list_row(ui, 26.0, index == state.selected, &text);
                let ink = if enabled.is_ok() { cx.t.text } else { cx.t.faint };
                let painter = ui.painter_at(rect);
                painter.text(rect.left_center() + egui::vec2(8.0, 0.0), egui::Align2::LEFT_CENTER, &text, theme::text(13.5), ink);
                let right = match entry {
                    Entry::Command(command) => parts::key_words(ctx, *command).unwrap_or_default(),
                    Entry::Filter(_, text) => format::clip(text, 40),
                };
                painter.text(rect.right_center() - egui::vec2(8.0, 0.0), egui::Align2::RIGHT_CENTER, right, theme::text(12.0), cx.t.muted);
                if (up || down) && index == state.selected {
                    response.scroll_to_me(None);
                }
                let response = response.on_hover_text(enabled.err().unwrap_or_else(|| entry.about()));
                if response.clicked() {
                    chosen = Some(*entry);
                }
            }
        });
    });
    if let Some(entry) = chosen {
        *state = Palette::default();
        entry.run(cx);
    } else if response.should_close() {
        *state = Palette::default();
    }
}

fn keys(state: &mut Palette, cx: &mut Cx<'_>, ctx: &Context) {
    let room = ctx.content_rect().size() - egui::vec2(60.0, 120.0);
    let response = parts::dialog(ctx, Id::unique("keys"), None, |ui| {
        let count = ((room.x / 290.0) as usize).clamp(1, 3);
        ui.set_width((count as f32 * 290.0).min(room.x));
        ui.label(RichText::new("Keyboard shortcuts").size(16.0).color(cx.t.strong));
        ui.label(RichText::new("Keys work while no text field has the focus").color(cx.t.muted));
        ui.add_space(6.0);
        ScrollArea::vertical().max_height(room.y).min_scrolled_height(room.y).show(ui, |ui| {
            ui.columns(count, |columns| {
                for (column, groups) in columns.iter_mut().zip(shared_out(ctx, count)) {
                    for (group, commands) in groups {
                        keys_of(cx, column, group, &commands);
                    }
                }
            });
        });
    });
    if response.should_close() {
        *state = Palette::default();
    }
}

/// A group's name, and its commands with their keys.
type KeyGroup = (&'static str, Vec<(UiCommand, String)>);

/// The groups in their order, in so many columns of about the same height.
fn shared_out(ctx: &Context, columns: usize) -> Vec<Vec<KeyGroup>> {
    let with_key = |command: &UiCommand| Some((*command, parts::key_words(ctx, *command)?));
    let groups = UiCommand::GROUPS.iter().map(|(name, commands)| (*name, commands.iter().filter_map(with_key).collect::<Vec<_>>()));
    let groups: Vec<KeyGroup> = groups.filter(|(_, commands)| !commands.is_empty()).collect();
    // A heading is as high as two lines.
    let height = |group: &KeyGroup| group.1.len() + 2;
    let each = groups.iter().map(height).sum::<usize>().div_ceil(columns);
    let (mut shared, mut above) = (vec![Vec::new(); columns], 0);
    for group in groups {
        let middle = above + height(&group) / 2;
        above += height(&group);
        shared[(middle / each).min(columns - 1)].push(group);
    }
    shared
}

fn keys_of(cx: &Cx<'_>, ui: &mut Ui, group: &str, commands: &[(UiCommand, String)]) {
    parts::section(ui, group);
    egui::Grid::new(("keys", group)).num_columns(2).spacing([14.0, 5.0]).show(ui, |ui| {
        for (command, keys) in commands {
            parts::chip(ui, keys, cx.t.text, cx.t.raised);
            ui.label(command.text()).on_hover_text(command.tooltip());
            ui.end_row();
        }
    });
    ui.add_space(8.0);
}

#[cfg(test)]
mod tests {
    use super::score;

    #[test]
    fn letters_in_order_fit_and_words_fit_better() {
        assert!(score("jph", "Jump page here").is_some());
        assert!(score("hj", "Jump page here").is_none());
        assert!(score("sql", "SQL") > score("sql", "Show a quick list"));
        assert!(score("hide step", "Hide Step") > score("hide step", "Hide Steps"));
    }
}
