//! What the label tests need of a window, however it is hosted.

use egui::{Key, Modifiers};
use inspector_ui::Memory;

use super::Scripted;

/// A widget, as a screen reader would tell of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Widget {
    pub label: String,
    pub value: Option<String>,
    pub disabled: bool,
    pub toggled: Option<bool>,
}

/// A window over a [`Scripted`] engine. Every input is followed by as many frames as its answers need.
pub trait Driver: Sized {
    /// Opens a window as it was left, with room for everything.
    fn open_with(engine: &Scripted, memory: Memory) -> Self;

    /// Waits until the engine has nothing to tell, the window nothing to ask, and all of it is drawn.
    fn settle(&mut self);

    /// Presses a key.
    fn press_with(&mut self, modifiers: Modifiers, key: Key);

    /// Clicks the one widget with this label.
    fn click(&mut self, label: &str);

    /// Types into the one field with this label.
    fn type_into(&mut self, label: &str, text: &str);

    /// All widgets that are drawn.
    fn widgets(&self) -> Vec<Widget>;

    /// What it would keep for the next start.
    fn memory(&mut self) -> Memory;

    /// Opens a window in the dark theme.
    fn open(engine: &Scripted) -> Self {
        Self::open_with(engine, Memory::with_theme(inspector_ui::ThemeChoice::Dark))
    }

    /// Presses a key alone.
    fn press(&mut self, key: Key) {
        self.press_with(Modifiers::NONE, key);
    }

    /// Whether a widget has this label.
    fn has(&self, label: &str) -> bool {
        self.widgets().iter().any(|widget| widget.label == label)
    }

    /// Whether a widget's label has this part.
    fn says(&self, part: &str) -> bool {
        self.widgets().iter().any(|widget| widget.label.contains(part))
    }

    /// The first widget with this label.
    fn get(&self, label: &str) -> Widget {
        let all = self.widgets();
        all.iter().find(|widget| widget.label == label).cloned().unwrap_or_else(|| {
            let labels: Vec<&str> = all.iter().map(|widget| widget.label.as_str()).collect();
            panic!("no widget is called “{label}”; there are: {}", labels.join(" | "))
        })
    }

    /// Selects a step of the first rows.
    fn select(&mut self, step: &str) {
        self.press(Key::Home);
        self.click(step);
    }
}
