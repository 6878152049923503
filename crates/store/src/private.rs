//! Files that only their owner reads: made so, whatever the process's umask is, and mended when they are not.
//!
//! Where there are no modes, on Windows, a file has the rights of its folder: in a user's profile its owner, the administrators and
//! the system may read it.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::Path;

use crate::disk;

/// A new, empty file, in place of one that is there. Mode 0600 from its first moment.
pub fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = disk::create(path, || options.open(path))?;
    // One that was there has the mode that it had.
    tighten(path)?;
    Ok(file)
}

/// A folder with all that are missing above it, mode 0700. One that is there stays as it is.
pub fn create_folder(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Takes from a file or folder what others may do with it. Whether they could do anything. What is no file and no folder, a link
/// above all, is left alone.
#[cfg(unix)]
pub fn tighten(path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::PermissionsExt as _;

    let about = fs::symlink_metadata(path)?;
    let mode = about.permissions().mode() & 0o7777;
    let of_others = mode & 0o077;
    if !about.is_file() && !about.is_dir() || of_others == 0 {
        return Ok(false);
    }
    fs::set_permissions(path, fs::Permissions::from_mode(mode & 0o700))?;
    Ok(true)
}

/// There are no modes here.
#[cfg(not(unix))]
pub fn tighten(_: &Path) -> io::Result<bool> {
    Ok(false)
}

/// The same for a folder and everything in it. What goes away meanwhile was private enough.
pub(crate) fn tighten_all(folder: &Path) -> io::Result<bool> {
    let mut mended = tighten(folder)?;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let found = if path.symlink_metadata().is_ok_and(|about| about.is_dir()) { tighten_all(&path) } else { tighten(&path) };
        match found {
            Ok(found) => mended |= found,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(mended)
}

/// Makes sure that a folder's names are on the disk.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    // A folder can be opened as a file where that can be needed.
    if cfg!(unix) { disk::sync(&File::open(path)?, path) } else { Ok(()) }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn mode(path: &Path) -> u32 {
        path.symlink_metadata().map_or(0, |about| about.permissions().mode() & 0o777)
    }

    #[test]
    fn what_others_could_read_is_mended_and_links_are_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (inside, outside) = (folder.path().join("in"), folder.path().join("out"));
        create_folder(&inside.join("deep")).unwrap();
        assert_eq!(mode(&inside), 0o700);
        for file in [&outside, &inside.join("deep/file")] {
            fs::write(file, "x").unwrap();
            fs::set_permissions(file, fs::Permissions::from_mode(0o644)).unwrap();
        }
        std::os::unix::fs::symlink(&outside, inside.join("link")).unwrap();
        assert!(tighten_all(&inside).unwrap());
        assert_eq!((mode(&inside.join("deep/file")), mode(&outside)), (0o600, 0o644));
        assert!(!tighten_all(&inside).unwrap(), "told once");
        create(&outside).unwrap();
        assert_eq!((mode(&outside), fs::read(&outside).unwrap().len()), (0o600, 0));
    }
}
