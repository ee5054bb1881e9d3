//! Copies a model folder as it is.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::file::{publish_folder, write_atomic};
use super::{CheckpointError, MANIFEST_FILE, Manifest, verify_if_listed};

/// Endings of the files that belong to a model, besides those that its manifest names. Other weights that may lie beside them
/// (`.bin`, `.onnx`) are not read by anybody here.
const ENDINGS: [&str; 6] = ["safetensors", "json", "jinja", "txt", "md", "model"];
/// Bytes between two calls of the listener.
const STEP: usize = 4 << 20;

/// Copies the model in the folder `from` to the folder `to`, which appears when it is complete and as its manifest says. Folders in
/// it, such as the halves of the starter model, are copied too.
///
/// `progress` gets the bytes that are copied and those of all files, and stops the copy with a `Break`.
///
/// # Errors
/// [`CheckpointError`]; then nothing at `to` has changed.
pub fn copy_model(
    from: &Path,
    to: &Path,
    mut progress: impl FnMut(u64, u64) -> ControlFlow<()>,
) -> Result<(), CheckpointError> {
    let real = |path: &Path| fs::canonicalize(path).unwrap_or_else(|_| path.into());
    if to.ancestors().any(|folder| real(folder) == real(from)) {
        return Err(CheckpointError::Config(format!("{} lies in the folder that is copied", to.display())));
    }
    let mut files = model_files(from, Path::new(""))?;
    for folder in folders(from)? {
        files.extend(model_files(from, &folder)?);
    }
    let total = files.iter().map(|(_, size)| size).sum();
    publish_folder(to, |partial| {
        let mut done = 0;
        for (name, _) in &files {
            let (source, copy) = (from.join(name), partial.join(name));
            if let Some(folder) = copy.parent() {
                fs::create_dir_all(folder).map_err(CheckpointError::io("create", folder))?;
            }
            copy_file(&source, &copy, |bytes| {
                done += bytes;
                progress(done, total)
            })?;
        }
        verify_if_listed(partial)?;
        folders(partial)?.iter().try_for_each(|folder| verify_if_listed(&partial.join(folder)))
    })
}

/// The files of a model directly in `folder` of `from`, named from there, with their sizes.
fn model_files(from: &Path, folder: &Path) -> Result<Vec<(PathBuf, u64)>, CheckpointError> {
    let listed = match from.join(folder).join(MANIFEST_FILE).exists() {
        true => Manifest::open(&from.join(folder))?.files,
        false => BTreeMap::new(),
    };
    let mut files = Vec::new();
    for name in names(&from.join(folder))? {
        let path = from.join(folder).join(&name);
        let fits = match Path::new(&name).extension() {
            Some(ending) => {
                ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known)) || listed.contains_key(&name)
            }
            None => true,
        };
        let about = fs::metadata(&path).map_err(CheckpointError::io("read", &path))?;
        if fits && about.is_file() {
            files.push((folder.join(name), about.len()));
        }
    }
    Ok(files)
}

/// Names of the folders directly in `from`; links are not followed, so that there is no way round in a circle.
fn folders(from: &Path) -> Result<Vec<PathBuf>, CheckpointError> {
    let is_folder = |name: &String| fs::symlink_metadata(from.join(name)).is_ok_and(|about| about.is_dir());
    Ok(names(from)?.into_iter().filter(is_folder).map(PathBuf::from).collect())
}

/// Names in a folder that are text and not hidden, sorted.
fn names(folder: &Path) -> Result<Vec<String>, CheckpointError> {
    let failed = || CheckpointError::io("read", folder);
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed())? {
        let name = entry.map_err(failed())?.file_name().into_string();
        names.extend(name.ok().filter(|name| !name.starts_with('.')));
    }
    names.sort();
    Ok(names)
}

fn copy_file(from: &Path, to: &Path, mut progress: impl FnMut(u64) -> ControlFlow<()>) -> Result<(), CheckpointError> {
    let mut source = File::open(from).map_err(CheckpointError::io("read", from))?;
    let mut buffer = vec![0; STEP];
    write_atomic(to, |file| {
        loop {
            let read = match source.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(CheckpointError::io("read", from)(error)),
            };
            let bytes = buffer.get(..read).unwrap_or_default();
            file.write_all(bytes).map_err(CheckpointError::io("write", to))?;
            if progress(read as u64).is_break() {
                return Err(CheckpointError::Cancelled);
            }
        }
    })
}
