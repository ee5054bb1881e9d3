//! Removes a model that was brought in.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rpiq::pipeline::PARTS_ENDING;

use super::download;
use super::installed::is_built_in;
use crate::files;

/// Why nothing was removed, in a sentence fit to be spoken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RemoveError {
    /// It comes with the program.
    #[error("{0} comes with the program and stays")]
    BuiltIn(String),
    /// There is no such model.
    #[error("there is no model named {0}")]
    NotThere(String),
    /// The system refused.
    #[error("{} cannot be removed: {}", path.display(), files::reason(source))]
    Io {
        /// The folder.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
}

/// Removes the model `name` from the folder `library`, and what an unfinished import of that name has left.
///
/// # Errors
/// [`RemoveError`].
pub fn remove(library: &Path, name: &str) -> Result<(), RemoveError> {
    if is_built_in(name) {
        return Err(RemoveError::BuiltIn(name.into()));
    }
    // A name is one part of a path, and what is hidden is nobody's model.
    if name.is_empty() || name.starts_with('.') || name.contains(['/', '\\']) {
        return Err(RemoveError::NotThere(name.into()));
    }
    let mut leftovers = vec![library.join(format!("{name}{PARTS_ENDING}"))];
    leftovers.extend(["partial", "old", "removed"].map(|ending| library.join(format!(".{name}.{ending}"))));
    leftovers.extend(download::folders_of(library, name));
    leftovers.retain(|folder| folder.is_dir());
    let model = library.join(name);
    if !model.is_dir() && leftovers.is_empty() {
        return Err(RemoveError::NotThere(name.into()));
    }
    let failed = |path: &Path| {
        let path = path.to_path_buf();
        move |source| RemoveError::Io { path, source }
    };
    for folder in leftovers {
        fs::remove_dir_all(&folder).map_err(failed(&folder))?;
    }
    if model.is_dir() {
        // Out of the list at once, so that a model that is half removed is never taken for one.
        let hidden = library.join(format!(".{name}.removed"));
        fs::rename(&model, &hidden).map_err(failed(&model))?;
        fs::remove_dir_all(&hidden).map_err(failed(&hidden))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_goes_with_all_that_belongs_to_it_and_nothing_else() {
        let library = tempfile::tempdir().unwrap();
        let library = library.path();
        for folder in
            ["tiny", "tiny.rpiq-parts", ".tiny.partial", ".downloads/owner--tiny", ".downloads/.owner--tiny.partial"]
        {
            fs::create_dir_all(library.join(folder)).unwrap();
            fs::write(library.join(folder).join("config.json"), "{}").unwrap();
        }
        for other in ["tiny-2", ".downloads/owner--tiny-2", "starter"] {
            fs::create_dir_all(library.join(other)).unwrap();
        }
        remove(library, "tiny").unwrap();
        let left = |folder: &Path| {
            let mut names: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
            names.sort();
            names
        };
        assert_eq!(left(library), [".downloads", "starter", "tiny-2"]);
        assert_eq!(left(&library.join(".downloads")), ["owner--tiny-2"]);

        for absent in ["tiny", "", ".downloads", "../tiny-2", "tiny-2/..", "a\\b"] {
            assert!(matches!(remove(library, absent), Err(RemoveError::NotThere(_))), "{absent}");
        }
        for built_in in ["starter", "Speech"] {
            assert!(matches!(remove(library, built_in), Err(RemoveError::BuiltIn(_))));
        }
        assert_eq!(left(library), [".downloads", "starter", "tiny-2"]);
        // What an import that was stopped has left.
        fs::create_dir(library.join("half.rpiq-parts")).unwrap();
        remove(library, "half").unwrap();
        assert_eq!(left(library), [".downloads", "starter", "tiny-2"]);
    }
}
