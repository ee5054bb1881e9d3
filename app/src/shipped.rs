//! Where the models that come with the program are.

use std::path::{Path, PathBuf};

/// Folders that may hold the model `name` (`"starter"`, `"speech"`): beside the program, and in the source tree that the
/// program was built from.
pub fn folders(name: &str) -> impl Iterator<Item = PathBuf> {
    let folder = Path::new("models").join(name);
    let beside = std::env::current_exe().ok().and_then(|exe| Some(exe.parent()?.join(&folder)));
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(&folder);
    beside.into_iter().chain([source])
}
