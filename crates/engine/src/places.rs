//! Where things are kept: the same for every program that hosts the engine, so that they share one library.

use std::path::{Path, PathBuf};

/// Folders of the inspector.
#[derive(Clone, Debug)]
pub struct Places {
    /// Recordings.
    pub data: PathBuf,
    /// What can be made again.
    pub cache: PathBuf,
    /// A file whose first line is the library's passphrase, if the user named one.
    pub passphrase: Option<PathBuf>,
}

/// Why there is no place to keep anything.
#[derive(Debug, thiserror::Error)]
pub enum PlacesError {
    /// The user has no home folder, and named no other.
    #[error("there is no home folder to keep recordings in; name one with --data-dir")]
    NoHome,
    /// The folder cannot be made.
    #[error("recordings cannot be kept in this folder: {}", .0.display())]
    Folder(PathBuf, #[source] std::io::Error),
}

impl Places {
    /// The user's folders, or `data_dir` for the recordings. The folder of the recordings is made.
    pub fn find(data_dir: Option<&Path>) -> Result<Self, PlacesError> {
        let project = directories::ProjectDirs::from("", "", "djust-inspector");
        let data = match (data_dir, &project) {
            (Some(dir), _) => dir.to_owned(),
            (None, Some(project)) => project.data_dir().to_owned(),
            (None, None) => return Err(PlacesError::NoHome),
        };
        let cache = project.as_ref().map_or_else(|| data.join("cache"), |project| project.cache_dir().to_owned());
        inspector_store::private::create_folder(&data).map_err(|error| PlacesError::Folder(data.clone(), error))?;
        Ok(Self { data, cache, passphrase: None })
    }
}
