//! What the program around the window does for it, and how the window starts.

use std::path::PathBuf;

use inspector_model::Request;

/// Dark, light, or what the system says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ThemeChoice {
    /// As the desktop is.
    #[default]
    System,
    /// Dark.
    Dark,
    /// Light.
    Light,
}

/// A page's HTML that shall be seen in a browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageToOpen {
    /// For the file's name and the page's title: `step 41 add_item after`.
    pub title: String,
    /// The document. Untrusted: open it without rights of its own.
    pub html: String,
}

/// What only the program around the window can do. Each call may take a moment; the default does nothing and says so.
pub trait Host {
    /// Shows a page in the browser. The error is shown to the user.
    fn open_page(&mut self, page: &PageToOpen) -> Result<(), String> {
        Err(format!("This window cannot open a browser, so “{}” was not shown", page.title))
    }

    /// Whether [`Host::pick_file_to_open`] and [`Host::pick_file_to_save`] ask the user. Without them the window offers a text field.
    fn has_dialogs(&self) -> bool {
        false
    }

    /// Asks for a recording file. `None` when the user changed their mind.
    fn pick_file_to_open(&mut self) -> Option<PathBuf> {
        None
    }

    /// Asks where to write a file. `None` when the user changed their mind.
    fn pick_file_to_save(&mut self, suggested: &str) -> Option<PathBuf> {
        let _ = suggested;
        None
    }
}

/// A host that can do nothing: for tests and for windows without a desktop.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoHost;

impl Host for NoHost {}

/// How the window starts.
pub struct Startup {
    /// Its theme.
    pub theme: ThemeChoice,
    /// Sent at once, in order: usually one `Attach` or `OpenRecording`.
    pub requests: Vec<Request>,
    /// What the program does for the window.
    pub host: Box<dyn Host>,
}

impl Default for Startup {
    fn default() -> Self {
        Self { theme: ThemeChoice::System, requests: Vec::new(), host: Box::new(NoHost) }
    }
}
