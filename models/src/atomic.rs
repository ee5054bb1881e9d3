//! Files that are there as a whole or not at all: filled under another name, then renamed.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use tempfile::NamedTempFile;

/// Writes `contents` to the file `path`; what was there before is replaced as a whole.
///
/// # Errors
/// The system's reason; what was there before is unchanged.
pub fn replace(path: &Path, contents: &[u8]) -> io::Result<()> {
    let mut file = partial_in(folder_of(path))?;
    file.write_all(contents)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|e| e.error)?;
    sync_folder(folder_of(path));
    Ok(())
}

/// A new file in `folder` for what gets its name when it is complete; nothing is left of it otherwise. It is as readable as any
/// other new file: what the user's umask allows.
///
/// # Errors
/// The system's reason.
pub fn partial_in(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".partial-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
}

/// The folder that a file is in.
pub fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Makes a rename in `folder` last through a power cut, where the system can.
pub fn sync_folder(folder: &Path) {
    // A folder cannot be opened on some systems; the rename is still atomic there, only later on disk.
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
}
