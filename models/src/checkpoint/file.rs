//! Files in: memory maps and bounded reads of text. Files out: written beside their name, then renamed.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use memmap2::Mmap;
use serde::de::DeserializeOwned;

use super::{CheckpointError, MANIFEST_FILE};
use crate::atomic::{folder_of, partial_in, sync_folder};

/// No side file of a real model comes near this (the largest tokenizers have 40 MB).
const MAX_TEXT: u64 = 256 << 20;

/// Maps a file for reading.
pub(super) fn map(path: &Path) -> Result<Mmap, CheckpointError> {
    let file = open_regular(path)?;
    // SAFETY: the map is only read. Another process that shortens the file meanwhile would end this one with SIGBUS; models
    // are replaced by renaming, here and by every downloader, so the mapped file itself stays as it is.
    unsafe { Mmap::map(&file) }.map_err(CheckpointError::io("read", path))
}

/// Lets the system forget the pages of a map that were read. It does so under pressure anyway; but until then they count as
/// this process's memory.
pub(super) fn release(map: &Mmap) {
    // SAFETY: the map is private, read-only and of a file: forgotten pages come back from the file with what they held before,
    // so that even a slice somebody holds keeps its content. Whether it worked does not matter.
    #[cfg(unix)]
    let _ = unsafe { map.unchecked_advise(memmap2::UncheckedAdvice::DontNeed) };
    #[cfg(not(unix))]
    let _ = map;
}

/// Reads a text side file of reasonable size.
pub(super) fn read_text(path: &Path) -> Result<String, CheckpointError> {
    let mut text = String::new();
    let read = open_regular(path)?.take(MAX_TEXT + 1).read_to_string(&mut text);
    match read {
        Ok(n) if n as u64 > MAX_TEXT => Err(CheckpointError::damaged(path, "it is far too large for its purpose")),
        Ok(_) => Ok(text),
        Err(e) if e.kind() == io::ErrorKind::InvalidData => Err(CheckpointError::damaged(path, "it is not UTF-8 text")),
        Err(e) => Err(CheckpointError::io("read", path)(e)),
    }
}

/// Reads and parses a JSON file.
pub(super) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, CheckpointError> {
    let text = read_text(path)?;
    serde_json::from_str(&text).map_err(|e| CheckpointError::damaged(path, format!("its JSON is wrong ({e})")))
}

/// Like [`read_json`], but `None` if there is no such file.
pub(super) fn read_json_if_there<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, CheckpointError> {
    if path.exists() { read_json(path).map(Some) } else { Ok(None) }
}

/// Writes a file so that its name never stands for anything half-written: temporary file, fsync, rename.
pub(super) fn write_atomic(
    path: &Path,
    fill: impl FnOnce(&mut BufWriter<&File>) -> Result<(), CheckpointError>,
) -> Result<(), CheckpointError> {
    let parent = folder_of(path);
    let failed = || CheckpointError::io("write", path);
    let temporary = partial_in(parent).map_err(failed())?;
    let mut writer = BufWriter::with_capacity(1 << 20, temporary.as_file());
    fill(&mut writer)?;
    writer.flush().map_err(failed())?;
    drop(writer);
    temporary.as_file().sync_all().map_err(failed())?;
    temporary.persist(path).map_err(|e| failed()(e.error))?;
    sync_folder(parent);
    Ok(())
}

/// Fills a folder under another name and renames it to `out` when it is complete.
///
/// A model folder that is there already is replaced; anything else that is there is left alone. What an earlier process left
/// when it was killed is cleaned up.
pub(super) fn publish_folder(
    out: &Path,
    fill: impl FnOnce(&Path) -> Result<(), CheckpointError>,
) -> Result<(), CheckpointError> {
    restore_folder(out)?;
    let partial = hidden_neighbour(out, "partial")?;
    remove_if_there(&partial)?;
    let parent = folder_of(out);
    fs::create_dir_all(parent).map_err(CheckpointError::io("create", parent))?;
    fs::create_dir(&partial).map_err(CheckpointError::io("create", &partial))?;
    fill(&partial).and_then(|()| replace_folder(&partial, out)).inspect_err(|_| drop(fs::remove_dir_all(&partial)))
}

/// Renames a complete folder to `out`, in place of a model that may be there.
pub(super) fn replace_folder(complete: &Path, out: &Path) -> Result<(), CheckpointError> {
    if out.exists() && !is_replaceable(out) {
        return Err(CheckpointError::Occupied(out.into()));
    }
    let old = hidden_neighbour(out, "old")?;
    remove_if_there(&old)?;
    sync_folder(complete);
    if out.exists() {
        fs::rename(out, &old).map_err(CheckpointError::io("replace", out))?;
    }
    if let Err(e) = fs::rename(complete, out) {
        let _ = fs::rename(&old, out);
        return Err(CheckpointError::io("write", out)(e));
    }
    sync_folder(folder_of(out));
    remove_if_there(&old)
}

/// Brings back the folder `out` if a process was killed between the two renames of [`replace_folder`], and refuses to go on if
/// something else has that name.
pub(super) fn restore_folder(out: &Path) -> Result<(), CheckpointError> {
    let old = hidden_neighbour(out, "old")?;
    if old.exists() && !out.exists() {
        fs::rename(&old, out).map_err(CheckpointError::io("restore", out))?;
    }
    if out.exists() && !is_replaceable(out) { Err(CheckpointError::Occupied(out.into())) } else { Ok(()) }
}

/// `.NAME.ENDING` beside `NAME`.
fn hidden_neighbour(out: &Path, ending: &str) -> Result<PathBuf, CheckpointError> {
    match out.file_name().and_then(|name| name.to_str()) {
        Some(name) => Ok(folder_of(out).join(format!(".{name}.{ending}"))),
        None => Err(CheckpointError::Config(format!("{} is no name for a folder", out.display()))),
    }
}

/// Only an earlier model, or an empty folder, gives way to a new one.
fn is_replaceable(folder: &Path) -> bool {
    folder.join("config.json").is_file()
        || folder.join(MANIFEST_FILE).is_file()
        || fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none())
}

fn remove_if_there(folder: &Path) -> Result<(), CheckpointError> {
    match fs::remove_dir_all(folder) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(CheckpointError::io("remove", folder)(e)),
        _ => Ok(()),
    }
}

/// Opens a file, refusing pipes and devices, which could block or never end.
fn open_regular(path: &Path) -> Result<File, CheckpointError> {
    let failed = || CheckpointError::io("read", path);
    if !fs::metadata(path).map_err(failed())?.is_file() {
        return Err(CheckpointError::damaged(path, "it is not a regular file"));
    }
    File::open(path).map_err(failed())
}
