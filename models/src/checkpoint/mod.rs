//! Readers and writers of checkpoints: Hugging Face folders, GGUF, the packed 4-bit format, manifests.
//!
//! [`Checkpoint::open`] takes whatever a user has (a folder or a file) and gives one view of it: Hugging Face configuration
//! fields, Hugging Face tensor names, row-major `[out, in]` linear weights. Networks never see which format it was.

mod error;

use std::path::{Path, PathBuf};

use tokenizers::Tokenizer;

pub use error::CheckpointError;

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
    /// A GGUF block format, named as llama.cpp names it; read as `f32`.
    Block(&'static str),
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
}

/// An opened model: configuration, tensors and text side files.
pub struct Checkpoint {
    /// Where it was opened from.
    pub path: PathBuf,
    /// `config.json`, or its equivalent rebuilt from GGUF metadata, with Hugging Face field names.
    pub config: serde_json::Value,
    /// The tensors, under Hugging Face names (`model.layers.0.self_attn.q_proj.weight`).
    pub tensors: Box<dyn TensorSource>,
    /// `tokenizer.json`, or rebuilt from GGUF metadata.
    pub tokenizer: Option<Tokenizer>,
    /// Jinja chat template, from `tokenizer_config.json`, `chat_template.jinja` or GGUF metadata.
    pub chat_template: Option<String>,
}
