//! Files that are there as a whole or not at all.

use std::fs;
use std::io;
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;
use sightread_models::atomic;

use crate::PipelineError;

/// What a JSON file holds; `None` if there is no such file.
pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, PipelineError> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(PipelineError::io("read", path, e)),
    };
    serde_json::from_slice(&text).map(Some).map_err(|e| PipelineError::io("read", path, e.into()))
}

/// Writes `value` as JSON.
pub(crate) fn write_json(path: &Path, value: &impl Serialize) -> Result<(), PipelineError> {
    let text = serde_json::to_vec_pretty(value).map_err(|e| PipelineError::io("write", path, e.into()))?;
    write_bytes(path, &text)
}

/// Writes a file under another name and renames it when it is complete and on the disk.
pub(crate) fn write_bytes(path: &Path, bytes: &[u8]) -> Result<(), PipelineError> {
    atomic::replace(path, bytes).map_err(|e| PipelineError::io("write", path, e))
}
