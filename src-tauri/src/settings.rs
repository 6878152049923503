//! What the user has switched on. Everything begins switched off.

use std::collections::BTreeSet;
use std::io::{self, Write as _};
use std::path::PathBuf;

use inspector_model::NotifyAbout;
use serde::{Deserialize, Serialize};

/// What can be switched, as it is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Kinds of events that are told with a desktop notification.
    pub notify: BTreeSet<NotifyAbout>,
    /// Page windows may ask the recorded server for its static files.
    pub static_files: bool,
}

/// The file of the settings, in the library's folder.
#[derive(Clone, Debug)]
pub struct SettingsFile(PathBuf);

impl SettingsFile {
    /// In this folder.
    pub fn in_dir(dir: &std::path::Path) -> Self {
        Self(dir.join("desktop.json"))
    }

    /// Reads the settings. What cannot be read is as if it had never been set: all off.
    pub fn load(&self) -> Settings {
        match std::fs::read(&self.0) {
            Ok(bytes) => serde_json::from_slice(&bytes).unwrap_or_else(|error| {
                tracing::warn!("the desktop settings cannot be read, all are off: {error}: {}", self.0.display());
                Settings::default()
            }),
            Err(_) => Settings::default(),
        }
    }

    /// Writes them, whole or not at all.
    pub fn save(&self, settings: &Settings) -> io::Result<()> {
        let unfinished = self.0.with_extension("json.new");
        inspector_engine::private::create(&unfinished)?.write_all(&serde_json::to_vec_pretty(settings)?)?;
        std::fs::rename(&unfinished, &self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_kept_and_damage_switches_all_off() {
        let dir = tempfile::tempdir().unwrap();
        let file = SettingsFile::in_dir(dir.path());
        assert_eq!(file.load(), Settings::default());
        let settings = Settings { notify: [NotifyAbout::Errors].into(), static_files: true };
        file.save(&settings).unwrap();
        assert_eq!(file.load(), settings);
        std::fs::write(dir.path().join("desktop.json"), "{").unwrap();
        assert_eq!(file.load(), Settings::default());
    }
}
