//! Where the files that come with the program are.

use std::path::{Path, PathBuf};

/// Places where the folder `name` (`"models/starter"`, `"assets/calibration"`) may be: beside the program, and in the source tree
/// that the program was built from.
pub fn folders(name: &str) -> impl Iterator<Item = PathBuf> {
    let beside = std::env::current_exe().ok().and_then(|exe| Some(exe.parent()?.join(name)));
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name);
    beside.into_iter().chain([source])
}

/// A sample picture (`"receipt.jpg"`), if it came with the program.
pub fn sample(name: &str) -> Option<PathBuf> {
    folders("assets/samples").map(|folder| folder.join(name)).find(|path| path.is_file())
}
