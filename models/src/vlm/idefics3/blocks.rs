//! The language model's blocks as the quantizer walks through them, behind those of the vision tower.

use burn::tensor::{Device, Tensor};

use super::{Connector, Idefics3Config, TEXT_MODEL, VISION_MODEL};
use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::int4::Precision;
use crate::nn::{Embedding, LayerNorm};
use crate::text::llama::LlamaBlocks;
use crate::vision::siglip::{SiglipBlocks, SiglipStart, load_post_layernorm};
use crate::vlm::VlmError;
use crate::vlm::put_features::put_features;

/// An Idefics3 or a SmolVLM without its weights: two stacks of blocks, and what is between them.
#[derive(Debug)]
pub struct Idefics3Blocks {
    /// The model's configuration.
    pub config: Idefics3Config,
    /// The vision tower.
    pub vision: SiglipBlocks,
    /// The language model.
    pub language: LlamaBlocks,
}

impl Idefics3Blocks {
    /// Prepares to load blocks of `checkpoint` onto `device`.
    ///
    /// # Errors
    /// [`CheckpointError`] if the configuration is wrong.
    pub fn new(checkpoint: &Checkpoint, device: &Device) -> Result<Self, CheckpointError> {
        let config = Idefics3Config::from_checkpoint(checkpoint)?;
        Ok(Self {
            vision: SiglipBlocks::new(config.vision_config.clone(), VISION_MODEL),
            language: LlamaBlocks::part_of_a_model(config.text_config.clone(), TEXT_MODEL, device)?,
            config,
        })
    }

    /// Reads what makes the input of the vision tower's first block.
    ///
    /// # Errors
    /// [`CheckpointError`] if the embeddings cannot be read.
    pub fn start_vision(&self, checkpoint: &Checkpoint, device: &Device) -> Result<SiglipStart, CheckpointError> {
        self.vision.start(checkpoint, device)
    }

    /// Reads what makes the input of the language model's first block.
    ///
    /// # Errors
    /// [`CheckpointError`] if the connector or the embedding cannot be read.
    pub fn start_language(&self, checkpoint: &Checkpoint, device: &Device) -> Result<LanguageStart, CheckpointError> {
        let (vision, text) = (&self.config.vision_config, &self.config.text_config);
        let embed_tokens = format!("{TEXT_MODEL}.embed_tokens");
        Ok(LanguageStart {
            post_layernorm: load_post_layernorm(checkpoint, vision, VISION_MODEL, device)?,
            connector: Connector::load(checkpoint, &self.config, Precision::F32, device)?,
            embed_tokens: Embedding::load(checkpoint, &embed_tokens, text.vocab_size, text.hidden_size, device)?,
            config: self.config.clone(),
        })
    }
}

/// Makes the input of the language model's first block.
#[derive(Debug)]
pub struct LanguageStart {
    config: Idefics3Config,
    post_layernorm: LayerNorm,
    connector: Connector,
    embed_tokens: Embedding,
}

impl LanguageStart {
    /// The input of the first block, `[1, t, d]`, for the output of the tower's last block `[1, tiles * patches, d_vision]`
    /// and a prompt with as many places for pictures.
    ///
    /// # Errors
    /// [`VlmError`] if the prompt has a token that is not in the vocabulary, or other places than the picture needs.
    pub fn forward(&self, seen: Tensor<3>, tokens: &[u32], device: &Device) -> Result<Tensor<3>, VlmError> {
        let vocab_size = self.config.text_config.vocab_size;
        if let Some(token) = tokens.iter().find(|&&t| t as usize >= vocab_size) {
            let what = format!("token {token} is not in the vocabulary of {vocab_size}");
            return Err(CheckpointError::Config(what).into());
        }
        let (patches, [_, rows, d]) = (self.config.vision_config.patches(), seen.dims());
        let tiles = self.post_layernorm.forward(seen).reshape([rows / patches, patches, d]);
        let embedded = self.embed_tokens.lookup(tokens, device).unsqueeze();
        put_features(embedded, tokens, self.config.image_token_id, vec![self.connector.forward(tiles)])
    }
}
