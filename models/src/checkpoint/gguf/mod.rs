//! GGUF, the file format of llama.cpp, versions 2 and 3.
//!
//! The layout is that of <https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>: [`metadata`] reads the key-value pairs
//! and the table of tensors, [`blocks`] turns stored blocks into `f32`, [`config`] and [`tokenizer`] rebuild what a Hugging
//! Face folder would hold, and this file shows the tensors under their Hugging Face names.

mod blocks;
mod config;
mod metadata;
mod tokenizer;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use memmap2::Mmap;

use super::file::{map, release};
use super::open::read_tokenizer;
use super::{Checkpoint, CheckpointError, TensorInfo, TensorSource};
use config::Names;
use metadata::{GgufFile, StoredTensor};

/// Opens one GGUF file. A `tokenizer.json` beside it goes before the tokenizer inside.
pub(super) fn open(path: &Path) -> Result<Checkpoint, CheckpointError> {
    let bytes = map(path)?;
    let file = GgufFile::parse(&bytes).map_err(|reason| CheckpointError::damaged(path, reason))?;
    if file.unsigned("split.count").is_some_and(|n| n > 1) {
        let hint = "join the parts with `llama-gguf-split --merge` first";
        return Err(CheckpointError::unsupported("a model split into several .gguf files", hint));
    }
    let config = config::hugging_face_config(&file, &bytes, path)?;
    let tokenizer = match read_tokenizer(&path.with_file_name("tokenizer.json"))? {
        Some(tokenizer) => Some(tokenizer),
        None => tokenizer::rebuild(&file, path)?,
    };
    let chat_template = file.text("tokenizer.chat_template").map(String::from);
    let entries = entries(path, file, &Names::of(&config))?;
    let tensors = Box::new(GgufTensors { path: path.into(), bytes, entries });
    Ok(Checkpoint { path: path.into(), config, tensors, tokenizer, chat_template })
}

/// One tensor under its Hugging Face name.
struct Entry {
    stored: StoredTensor,
    /// Attention heads whose rows llama.cpp keeps in another order, see [`unpermute`].
    permuted_heads: Option<usize>,
}

/// The tensors of a GGUF file under Hugging Face names.
struct GgufTensors {
    path: PathBuf,
    bytes: Mmap,
    entries: BTreeMap<String, Entry>,
}

/// Names the tensors as Hugging Face does.
fn entries(path: &Path, file: GgufFile<'_>, names: &Names) -> Result<BTreeMap<String, Entry>, CheckpointError> {
    let mut entries = BTreeMap::new();
    for (ggml_name, stored) in file.tensors {
        let Some((name, permuted_heads)) = names.translate(&ggml_name) else { continue };
        if let Some(heads) = permuted_heads {
            let rows = stored.shape.first().copied().unwrap_or(0);
            if heads == 0 || rows % (2 * heads) != 0 {
                let reason = format!("the {rows} rows of {ggml_name} do not divide into {heads} heads");
                return Err(CheckpointError::damaged(path, reason));
            }
        }
        if entries.insert(name, Entry { stored, permuted_heads }).is_some() {
            return Err(CheckpointError::damaged(path, format!("it holds {ggml_name} twice")));
        }
    }
    Ok(entries)
}

impl TensorSource for GgufTensors {
    fn names(&self) -> Vec<String> {
        self.entries.keys().cloned().collect()
    }

    fn info(&self, name: &str) -> Option<TensorInfo> {
        self.entries
            .get(name)
            .map(|e| TensorInfo { shape: e.stored.shape.clone(), stored: e.stored.format.stored_type() })
    }

    fn read_f32(&self, name: &str) -> Result<Vec<f32>, CheckpointError> {
        let entry = self.entries.get(name).ok_or_else(|| CheckpointError::MissingTensor { name: name.into() })?;
        let bytes = self.bytes.get(entry.stored.bytes.clone());
        let bytes = bytes.ok_or_else(|| CheckpointError::damaged(&self.path, format!("it ends within {name}")))?;
        let values = entry.stored.format.dequantize(bytes);
        Ok(match entry.permuted_heads {
            Some(heads) => unpermute(&values, &entry.stored.shape, heads),
            None => values,
        })
    }

    fn read_i32(&self, name: &str) -> Result<Vec<i32>, CheckpointError> {
        Err(match self.info(name) {
            Some(info) => CheckpointError::Type { name: name.into(), found: info.stored, wanted: "I32" },
            None => CheckpointError::MissingTensor { name: name.into() },
        })
    }

    fn release_memory(&self) {
        release(&self.bytes);
    }
}

/// Undoes llama.cpp's row order of rotary projections.
///
/// Hugging Face rotates dimension `i` of a head together with `i + half`; llama.cpp's Llama graph rotates neighbours, and its
/// converter moves the rows accordingly: row `2 i + j` there is row `j * half + i` here. The number of rows is a multiple of
/// `2 * heads`.
fn unpermute(values: &[f32], shape: &[usize], heads: usize) -> Vec<f32> {
    let rows = shape.first().copied().unwrap_or(0);
    let width = values.len() / rows.max(1);
    let half = rows / heads.max(1) / 2;
    let mut ordered = Vec::with_capacity(values.len());
    for row in 0..rows {
        let (head, within) = (row / (2 * half), row % (2 * half));
        let (j, i) = (within / half, within % half);
        let from = head * 2 * half + 2 * i + j;
        ordered.extend_from_slice(&values[from * width..(from + 1) * width]);
    }
    ordered
}
