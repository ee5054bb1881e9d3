//! Where the files that come with the program are.

use std::path::{Path, PathBuf};

/// Folders that may hold the model `name` (`"starter"`, `"speech"`).
pub fn folders(name: &str) -> impl Iterator<Item = PathBuf> {
    places(Path::new("models").join(name))
}

/// A sample picture (`"receipt.jpg"`), if it came with the program.
pub fn sample(name: &str) -> Option<PathBuf> {
    places(Path::new("assets/samples").join(name)).find(|path| path.is_file())
}

/// Where a file or folder of the project may be: beside the program, and in the source tree that the program was built from.
fn places(path: PathBuf) -> impl Iterator<Item = PathBuf> {
    let beside = std::env::current_exe().ok().and_then(|exe| Some(exe.parent()?.join(&path)));
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(&path);
    beside.into_iter().chain([source])
}
