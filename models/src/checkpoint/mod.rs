//! Readers and writers of checkpoints: Hugging Face folders, GGUF, CTranslate2, the packed 4-bit format, manifests.
//!
//! [`Checkpoint::open`] takes whatever a user has (a folder or a file) and gives one view of it: Hugging Face configuration
//! fields, Hugging Face tensor names, row-major `[out, in]` linear weights. Networks never see which format it was.

mod copy;
mod ctranslate2;
mod error;
mod file;
mod gguf;
#[cfg(feature = "hub")]
mod hub;
mod manifest;
mod open;
mod packed;
mod quantization;
mod safetensors;
mod tensor_data;
mod writer;

use std::fmt;
use std::path::{Path, PathBuf};

use tokenizers::Tokenizer;

pub use copy::copy_model;
pub use error::CheckpointError;
#[cfg(feature = "hub")]
pub use hub::{DownloadOptions, DownloadProgress, download};
pub use manifest::{MANIFEST_FILE, Manifest, ManifestEntry, Provenance, verify, verify_if_listed};
pub use packed::RowsI8;
pub use quantization::{CheckpointFormat, QuantizationConfig};
pub use tensor_data::{FloatType, TensorData, write_part};
pub use writer::{FolderOptions, PackedFolderWriter};

/// Element type of a stored tensor, before it is widened to `f32`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoredType {
    /// 32-bit float.
    F32,
    /// 16-bit IEEE float.
    F16,
    /// 16-bit brain float.
    BF16,
    /// 32-bit integer (packed 4-bit codes, group indices).
    I32,
    /// 8-bit integer.
    I8,
    /// Rows of 8-bit integers with one scale each (see [`TensorSource::read_i8`]); read as `f32`.
    RowsI8,
    /// A GGUF block format, named as llama.cpp names it, or CTranslate2's int8; read as `f32`.
    Block(&'static str),
    /// Stored well, but of no use to any network here (64-bit integers, booleans).
    Other(&'static str),
}

impl fmt::Display for StoredType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RowsI8 => f.write_str("I8 rows"),
            Self::Block(name) | Self::Other(name) => f.write_str(name),
            plain => write!(f, "{plain:?}"),
        }
    }
}

/// Shape and stored element type of one tensor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorInfo {
    /// Row-major shape; linear weights are `[out, in]`.
    pub shape: Vec<usize>,
    /// How the elements are stored.
    pub stored: StoredType,
}

/// A set of named tensors that can be read one at a time, so that memory holds only what is in use.
pub trait TensorSource: Send + Sync {
    /// All names, sorted.
    fn names(&self) -> Vec<String>;
    /// Shape and stored type, or `None` if there is no such tensor.
    fn info(&self, name: &str) -> Option<TensorInfo>;
    /// The whole tensor widened to `f32`, row-major.
    fn read_f32(&self, name: &str) -> Result<Vec<f32>, CheckpointError>;
    /// The whole tensor as `i32`; an error if it is stored as anything else.
    fn read_i32(&self, name: &str) -> Result<Vec<i32>, CheckpointError>;

    /// The whole tensor as `i8`; an error if it is stored as anything else.
    ///
    /// Embeddings and output heads may be stored as 8-bit rows: `X.weight_q8` (`I8`, `[rows, d]`) and `X.weight_scale`
    /// (`F16` or `F32`, `[rows]`) in place of `X.weight`, meaning `W[r, c] = scale[r] * q[r, c]`. [`TensorSource::names`],
    /// [`TensorSource::info`] and [`TensorSource::read_f32`] show such a pair as one tensor `X.weight` of
    /// [`StoredType::RowsI8`]; a network that keeps the rows at 8 bit in memory reads the two stored names instead.
    fn read_i8(&self, name: &str) -> Result<Vec<i8>, CheckpointError> {
        Err(match self.info(name) {
            Some(info) => CheckpointError::Type { name: name.into(), found: info.stored, wanted: "I8" },
            None => CheckpointError::MissingTensor { name: name.into() },
        })
    }

    /// Gives memory that holds parts of the file back to the system; what is read again later comes from the disk again.
    fn release_memory(&self) {}
}

/// An opened model: configuration, tensors and text side files.
pub struct Checkpoint {
    /// Where it was opened from.
    pub path: PathBuf,
    /// `config.json`, or its equivalent rebuilt from GGUF metadata or CTranslate2's shapes, with Hugging Face field names.
    pub config: serde_json::Value,
    /// The tensors, under Hugging Face names (`model.layers.0.self_attn.q_proj.weight`).
    pub tensors: Box<dyn TensorSource>,
    /// `tokenizer.json`, or rebuilt from GGUF metadata.
    pub tokenizer: Option<Tokenizer>,
    /// Jinja chat template, from `tokenizer_config.json`, `chat_template.jinja` or GGUF metadata.
    pub chat_template: Option<String>,
}

impl fmt::Debug for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Checkpoint").field("path", &self.path).field("config", &self.config).finish_non_exhaustive()
    }
}

impl Checkpoint {
    /// Opens a Hugging Face folder, a `.gguf` file, a folder that holds one `.gguf` file, or a folder of CTranslate2.
    ///
    /// Tensors stay on disk (memory-mapped) until they are read.
    ///
    /// # Errors
    /// [`CheckpointError`] if files are missing, damaged, or of a kind that is not read.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, CheckpointError> {
        open::open(path.as_ref())
    }

    /// One tensor as `f32`, row-major, checked to have `shape` and only finite values.
    ///
    /// # Errors
    /// [`CheckpointError::MissingTensor`], [`CheckpointError::Shape`], [`CheckpointError::Type`] or
    /// [`CheckpointError::NotFinite`].
    pub fn tensor(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, CheckpointError> {
        self.expect_shape(name, shape)?;
        let values = self.tensors.read_f32(name)?;
        if values.iter().all(|v| v.is_finite()) {
            Ok(values)
        } else {
            Err(CheckpointError::NotFinite { name: name.into() })
        }
    }

    pub(crate) fn expect_shape(&self, name: &str, shape: &[usize]) -> Result<(), CheckpointError> {
        match self.tensors.info(name) {
            None => Err(CheckpointError::MissingTensor { name: name.into() }),
            Some(info) if info.shape == shape => Ok(()),
            Some(info) => Err(CheckpointError::Shape { name: name.into(), expected: shape.into(), found: info.shape }),
        }
    }
}
