//! Which network a checkpoint is for.

use burn::tensor::Device;
use serde_json::Value;

use super::BlockModel;
use super::llama::LlamaBlocks;
use super::opt::OptBlocks;
use crate::checkpoint::{Checkpoint, CheckpointError};

/// What is said about language models of other kinds.
const SUPPORTED: &str = "use a model of the kind llama (LLaMA, SmolLM2), qwen2 (Qwen2.5), qwen3 or opt";

/// The language models there are, one for each network; members of a family differ in their configuration only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Architecture {
    /// LLaMA, SmolLM2, Qwen2.5, Qwen3.
    Llama,
    /// OPT.
    Opt,
}

impl Architecture {
    /// By `model_type` of the checkpoint's configuration.
    ///
    /// # Errors
    /// [`CheckpointError::Unsupported`] names the kinds there are, [`CheckpointError::Config`] if it names none.
    pub fn of(checkpoint: &Checkpoint) -> Result<Self, CheckpointError> {
        match checkpoint.config.get("model_type").and_then(Value::as_str) {
            Some("llama" | "qwen2" | "qwen3") => Ok(Self::Llama),
            Some("opt") => Ok(Self::Opt),
            Some(other) => {
                Err(CheckpointError::unsupported(format!("a language model of the kind {other}"), SUPPORTED))
            }
            None => Err(CheckpointError::Config("it does not say its model_type".into())),
        }
    }
}

/// The language model of `checkpoint` without its weights, to load and run block by block on `device`.
///
/// # Errors
/// As [`Architecture::of`], and [`CheckpointError::Config`] if the configuration is wrong.
pub fn text_blocks(checkpoint: &Checkpoint, device: &Device) -> Result<Box<dyn BlockModel>, CheckpointError> {
    Ok(match Architecture::of(checkpoint)? {
        Architecture::Llama => Box::new(LlamaBlocks::new(checkpoint, device)?),
        Architecture::Opt => Box::new(OptBlocks::new(checkpoint)?),
    })
}
