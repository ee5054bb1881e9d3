//! The model's blocks as the quantizer walks through them: those of the vision tower, then those of the language model.

use burn::tensor::{Device, Tensor};

use super::language::{EMBED_TOKENS, embeddings};
use super::{CogVlmConfig, Connector, LanguageBlocks, VISION, connector};
use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::int4::Precision;
use crate::nn::Embedding;
use crate::text::TensorShape;
use crate::vision::eva::{EvaBlocks, EvaStart};
use crate::vlm::VlmError;
use crate::vlm::put_features::put_features;

/// A CogVLM2 without its weights: two stacks of blocks, and what is between them.
#[derive(Debug)]
pub struct CogVlmBlocks {
    /// The model's configuration.
    pub config: CogVlmConfig,
    /// The vision tower.
    pub vision: EvaBlocks,
    /// The language model.
    pub language: LanguageBlocks,
}

impl CogVlmBlocks {
    /// Prepares to load blocks of `checkpoint` onto `device`.
    ///
    /// # Errors
    /// [`CheckpointError`] if the configuration is wrong.
    pub fn new(checkpoint: &Checkpoint, device: &Device) -> Result<Self, CheckpointError> {
        let config = CogVlmConfig::from_checkpoint(checkpoint)?;
        Ok(Self {
            vision: EvaBlocks::new(config.vision_config.clone(), VISION),
            language: LanguageBlocks::new(config.clone(), checkpoint, device)?,
            config,
        })
    }

    /// Every tensor of the model in full precision, but for frequencies, which may be stored or not.
    pub fn tensors(&self) -> Vec<TensorShape> {
        [self.language.tensors(), self.vision.tensors(), connector::tensors(&self.config)].concat()
    }

    /// Modules that hold one row for each token of the vocabulary.
    pub fn embeddings(&self) -> Vec<String> {
        embeddings().map(String::from).collect()
    }

    /// Reads what makes the input of the vision tower's first block.
    ///
    /// # Errors
    /// [`CheckpointError`] if the embedding cannot be read.
    pub fn start_vision(&self, checkpoint: &Checkpoint, device: &Device) -> Result<EvaStart, CheckpointError> {
        self.vision.start(checkpoint, device)
    }

    /// Reads what makes the input of the language model's first block.
    ///
    /// # Errors
    /// [`CheckpointError`] if the connector or the embedding cannot be read.
    pub fn start_language(&self, checkpoint: &Checkpoint, device: &Device) -> Result<LanguageStart, CheckpointError> {
        let CogVlmConfig { vocab_size, hidden_size, pad_token_id, .. } = self.config;
        Ok(LanguageStart {
            connector: Connector::load(checkpoint, &self.config, Precision::F32, device)?,
            embed_tokens: Embedding::load(checkpoint, EMBED_TOKENS, vocab_size, hidden_size, device)?,
            pad_token_id,
        })
    }
}

/// Makes the input of the language model's first block.
#[derive(Debug)]
pub struct LanguageStart {
    connector: Connector,
    embed_tokens: Embedding,
    pad_token_id: u32,
}

impl LanguageStart {
    /// The input of the first block, `[1, t, d]`, for the output of the tower's last block `[1, 1 + patches, d_vision]` and a prompt
    /// that begins with a picture.
    ///
    /// # Errors
    /// [`VlmError`] if the prompt has a token that is not in the vocabulary, or other places than the picture needs.
    pub fn forward(&self, seen: Tensor<3>, tokens: &[u32], device: &Device) -> Result<Tensor<3>, VlmError> {
        let vocab_size = self.embed_tokens.rows();
        if let Some(token) = tokens.iter().find(|&&t| t as usize >= vocab_size) {
            let what = format!("token {token} is not in the vocabulary of {vocab_size}");
            return Err(CheckpointError::Config(what).into());
        }
        let embedded = self.embed_tokens.lookup(tokens, device).unsqueeze();
        put_features(embedded, tokens, self.pad_token_id, vec![self.connector.forward(seen)])
    }
}
