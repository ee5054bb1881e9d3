//! Files in: memory maps and bounded reads of text. Files out: written beside their name, then renamed.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::path::Path;

use memmap2::Mmap;
use serde::de::DeserializeOwned;

use super::CheckpointError;

/// No side file of a real model comes near this (the largest tokenizers have 40 MB).
const MAX_TEXT: u64 = 256 << 20;

/// Maps a file for reading.
pub(super) fn map(path: &Path) -> Result<Mmap, CheckpointError> {
    let file = open_regular(path)?;
    // SAFETY: the map is only read. Another process that shortens the file meanwhile would end this one with SIGBUS; models
    // are replaced by renaming, here and by every downloader, so the mapped file itself stays as it is.
    unsafe { Mmap::map(&file) }.map_err(CheckpointError::io("read", path))
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
    fill: impl FnOnce(&mut BufWriter<&File>) -> io::Result<()>,
) -> Result<(), CheckpointError> {
    let parent = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let failed = || CheckpointError::io("write", path);
    let temporary = tempfile::Builder::new().prefix(".partial-").tempfile_in(parent).map_err(failed())?;
    let mut writer = BufWriter::with_capacity(1 << 20, temporary.as_file());
    fill(&mut writer).and_then(|()| writer.flush()).map_err(failed())?;
    drop(writer);
    make_readable(temporary.as_file()).and_then(|()| temporary.as_file().sync_all()).map_err(failed())?;
    temporary.persist(path).map_err(|e| failed()(e.error))?;
    sync_folder(parent);
    Ok(())
}

/// Makes a rename in `folder` last through a power cut, where the system can.
pub(super) fn sync_folder(folder: &Path) {
    // A folder cannot be opened on some systems; the rename is still atomic there, only later on disk.
    if let Ok(handle) = File::open(folder) {
        let _ = handle.sync_all();
    }
}

/// Temporary files are private to their owner; a finished model is as readable as any other file.
fn make_readable(file: &File) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        file.set_permissions(fs::Permissions::from_mode(0o644))?;
    }
    let _ = file;
    Ok(())
}

/// Opens a file, refusing pipes and devices, which could block or never end.
fn open_regular(path: &Path) -> Result<File, CheckpointError> {
    let failed = || CheckpointError::io("read", path);
    if !fs::metadata(path).map_err(failed())?.is_file() {
        return Err(CheckpointError::damaged(path, "it is not a regular file"));
    }
    File::open(path).map_err(failed())
}
