//! `model.bin` of CTranslate2, the format in which faster-whisper's models are published.
//!
//! The layout is that of CTranslate2's `python/ctranslate2/specs/model_spec.py` (`_serialize`). [`variables`] reads the table
//! of variables, [`names`] knows their Hugging Face names, and this file shows them as a Hugging Face folder would:
//! fused projections cut into q, k and v, the configuration rebuilt from shapes.

mod config;
mod names;
mod variables;

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use half::{bf16, f16};
use memmap2::Mmap;
use serde_json::Value;

use super::file::{map, read_json_if_there};
use super::open::read_tokenizer;
use super::safetensors::decode;
use super::{Checkpoint, CheckpointError, TensorInfo, TensorSource};
use variables::{Element, ModelFile, Variable};

/// The file that makes a folder one of CTranslate2.
pub(super) const MODEL_FILE: &str = "model.bin";

/// Opens a folder with a `model.bin`.
pub(super) fn open(folder: &Path) -> Result<Checkpoint, CheckpointError> {
    let path = folder.join(MODEL_FILE);
    let bytes = map(&path)?;
    let file = ModelFile::parse(&bytes).map_err(|reason| CheckpointError::damaged(&path, reason))?;
    if file.spec != "WhisperSpec" {
        let hint = "use a Whisper model, or the Hugging Face folder of this one";
        return Err(CheckpointError::unsupported(format!("the CTranslate2 model kind {}", file.spec), hint));
    }
    let side: Option<Value> = read_json_if_there(&folder.join("config.json"))?;
    let config = config::hugging_face_config(&file, &bytes, side.as_ref(), &path)?;
    let entries = entries(&path, &file)?;
    Ok(Checkpoint {
        path: folder.into(),
        config,
        tensors: Box::new(Ctranslate2Tensors { path, bytes, entries }),
        tokenizer: read_tokenizer(&folder.join("tokenizer.json"))?,
        chat_template: None,
    })
}

/// One tensor under its Hugging Face name: some rows of a variable.
struct Entry {
    info: TensorInfo,
    element: Element,
    bytes: Range<usize>,
    /// Where the scales of 8-bit rows lie, `f32`.
    scales: Option<Range<usize>>,
}

/// The tensors of a `model.bin` under Hugging Face names.
struct Ctranslate2Tensors {
    path: PathBuf,
    bytes: Mmap,
    entries: BTreeMap<String, Entry>,
}

/// Names the variables as Hugging Face does, and cuts fused ones.
fn entries(path: &Path, file: &ModelFile<'_>) -> Result<BTreeMap<String, Entry>, CheckpointError> {
    let mut entries = BTreeMap::new();
    let embeddings = file.variables.get("decoder/embeddings/weight");
    for (name, variable) in &file.variables {
        if *name == "decoder/projection/weight" && Some(variable) == embeddings {
            continue; // tied, as `config.json` says
        }
        let parts = names::translate(name);
        for (index, part) in parts.iter().enumerate() {
            let Some(part) = part else { continue };
            let entry = cut(file, name, variable, index, parts.len())
                .ok_or_else(|| CheckpointError::damaged(path, format!("{name} does not divide into its parts")))?;
            entries.insert(part.clone(), entry);
        }
    }
    Ok(entries)
}

/// Part `index` of `parts` equal parts of a variable, along its rows.
fn cut(file: &ModelFile<'_>, name: &str, variable: &Variable, index: usize, parts: usize) -> Option<Entry> {
    let all = variable.shape.first().copied().unwrap_or(1);
    let rows = (all % parts == 0).then_some(all / parts)?;
    let part_of = |bytes: &Range<usize>| {
        let length = bytes.len() / parts;
        bytes.start + index * length..bytes.start + (index + 1) * length
    };
    let mut shape = variable.shape.clone();
    if let Some(first) = shape.first_mut() {
        *first = rows;
    }
    let scales = match variable.element {
        Element::I8 => {
            let scales = file.variables.get(&*format!("{name}_scale"))?;
            let fits = scales.element == Element::F32 && scales.shape == [all] && variable.shape.len() >= 2;
            fits.then(|| Some(part_of(&scales.bytes)))?
        }
        _ => None,
    };
    let info = TensorInfo { shape, stored: variable.element.stored_type() };
    Some(Entry { info, element: variable.element, bytes: part_of(&variable.bytes), scales })
}

impl TensorSource for Ctranslate2Tensors {
    fn names(&self) -> Vec<String> {
        self.entries.keys().cloned().collect()
    }

    fn info(&self, name: &str) -> Option<TensorInfo> {
        self.entries.get(name).map(|entry| entry.info.clone())
    }

    fn read_f32(&self, name: &str) -> Result<Vec<f32>, CheckpointError> {
        let entry = self.entries.get(name).ok_or_else(|| CheckpointError::MissingTensor { name: name.into() })?;
        let within = |range: &Range<usize>| {
            let bytes = self.bytes.get(range.clone());
            bytes.ok_or_else(|| CheckpointError::damaged(&self.path, format!("it ends within {name}")))
        };
        let bytes = within(&entry.bytes)?;
        Ok(match (entry.element, &entry.scales) {
            (Element::F32, _) => decode(bytes, f32::from_le_bytes),
            (Element::F16, _) => decode(bytes, |b| f16::from_le_bytes(b).to_f32()),
            (Element::BF16, _) => decode(bytes, |b| bf16::from_le_bytes(b).to_f32()),
            (Element::I8, Some(scales)) => {
                let scales = decode(within(scales)?, f32::from_le_bytes);
                let width = bytes.len() / scales.len().max(1);
                // Stored is the factor that made the row's largest value 127.
                let rows = bytes.chunks_exact(width.max(1)).zip(scales);
                rows.flat_map(|(row, scale)| row.iter().map(move |&q| f32::from(q.cast_signed()) / scale)).collect()
            }
            _ => {
                let found = entry.info.stored;
                return Err(CheckpointError::Type { name: name.into(), found, wanted: "numbers with a fraction" });
            }
        })
    }

    fn read_i32(&self, name: &str) -> Result<Vec<i32>, CheckpointError> {
        Err(match self.info(name) {
            Some(info) => CheckpointError::Type { name: name.into(), found: info.stored, wanted: "I32" },
            None => CheckpointError::MissingTensor { name: name.into() },
        })
    }
}
