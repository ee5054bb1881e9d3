//! A folder of this process; the readers map files, so every input becomes one.

use std::path::Path;
use std::sync::OnceLock;

use tempfile::TempDir;

/// The folder, in memory where the system has such a place.
pub fn folder() -> &'static Path {
    static FOLDER: OnceLock<TempDir> = OnceLock::new();
    let memory = Path::new("/dev/shm");
    let create = || if memory.is_dir() { TempDir::new_in(memory) } else { TempDir::new() };
    FOLDER.get_or_init(|| create().expect("a temporary folder")).path()
}

/// Writes a file of the folder.
pub fn write(path: &Path, bytes: &[u8]) {
    std::fs::write(path, bytes).expect("a temporary file");
}
