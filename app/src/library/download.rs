//! Models that were downloaded to be imported: kept until the import is complete, so that it can go on.

use std::path::{Path, PathBuf};

use super::import::{ImportError, Reporter};

/// Where downloads are, in the folder `library`.
pub(super) fn downloads(library: &Path) -> PathBuf {
    library.join(".downloads")
}

/// The folders of downloads of the model `name`, complete or not.
pub(super) fn folders_of(library: &Path, name: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(downloads(library)).into_iter().flatten().flatten();
    let is_of = |path: &PathBuf| {
        let folder = path.file_name().and_then(|folder| folder.to_str()).unwrap_or_default();
        let complete = folder.strip_prefix('.').and_then(|hidden| hidden.strip_suffix(".partial")).unwrap_or(folder);
        complete.split_once("--").is_some_and(|(_, of)| of == name)
    };
    entries.map(|entry| entry.path()).filter(is_of).collect()
}

/// Downloads `repository` (`owner/name`) from the hub, or finds what an earlier import has left of it.
#[cfg(feature = "hub")]
pub(super) fn fetch(repository: &str, library: &Path, reporter: &mut Reporter) -> Result<PathBuf, ImportError> {
    use super::import::Pace;
    use sightread_models::checkpoint::{DownloadOptions, download};

    let options = DownloadOptions { cache: downloads(library), ..DownloadOptions::default() };
    let mut pace = Pace::default();
    let folder = download(repository, &options, |progress| {
        let left = pace.left(progress.done as f64, progress.total as f64);
        let share = progress.done as f32 / progress.total.max(1) as f32;
        reporter.tell("Downloading", Some(share), left)
    })?;
    Ok(folder)
}

#[cfg(not(feature = "hub"))]
pub(super) fn fetch(_: &str, _: &Path, _: &mut Reporter) -> Result<PathBuf, ImportError> {
    Err(ImportError::NoNetwork)
}
