//! The Llama family: SmolLM2, LLaMA 2 and 3.
//!
//! Reference: `transformers/models/llama/modeling_llama.py`; names of modules and configuration fields are those of
//! Hugging Face.

mod block;
mod config;

use std::sync::Arc;

use burn::tensor::{Device, Tensor};

pub use block::LlamaBlock;
pub use config::LlamaConfig;

use super::{Block, BlockModel, BlockStack, TextError};
use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::int4::Precision;
use crate::nn::{Embedding, KvCache, Linear, RmsNorm, Rotary};

/// A Llama without its weights: loads and runs one block at a time.
#[derive(Debug)]
pub struct LlamaBlocks {
    config: LlamaConfig,
    rotary: Arc<Rotary>,
}

impl LlamaBlocks {
    /// Prepares to load blocks of `checkpoint` onto `device`.
    ///
    /// # Errors
    /// [`CheckpointError::Config`] if the configuration is wrong.
    pub fn new(checkpoint: &Checkpoint, device: &Device) -> Result<Self, CheckpointError> {
        let config = LlamaConfig::from_checkpoint(checkpoint)?;
        let rotary = Arc::new(config.rotary(device)?);
        Ok(Self { config, rotary })
    }

    /// The model's configuration.
    pub fn config(&self) -> &LlamaConfig {
        &self.config
    }
}

impl BlockStack for LlamaBlocks {
    fn num_blocks(&self) -> usize {
        self.config.num_hidden_layers
    }

    fn block_prefix(&self, block: usize) -> String {
        format!("model.layers.{block}")
    }

    fn stages(&self) -> Vec<Vec<(&'static str, usize, usize)>> {
        block::stages(&self.config)
    }

    fn load_block(
        &self,
        checkpoint: &Checkpoint,
        block: usize,
        device: &Device,
    ) -> Result<Box<dyn Block>, CheckpointError> {
        let prefix = self.block_prefix(block);
        Ok(Box::new(LlamaBlock::load(checkpoint, &self.config, &prefix, self.rotary.clone(), device)?))
    }
}

impl BlockModel for LlamaBlocks {
    fn embed(&self, checkpoint: &Checkpoint, tokens: &[u32], device: &Device) -> Result<Tensor<3>, CheckpointError> {
        let (vocab_size, d) = (self.config.vocab_size, self.config.hidden_size);
        if let Some(token) = tokens.iter().find(|&&t| t as usize >= vocab_size) {
            return Err(CheckpointError::Config(format!("token {token} is not in the vocabulary of {vocab_size}")));
        }
        let embedding = Embedding::load(checkpoint, "model.embed_tokens", vocab_size, d, device)?;
        Ok(embedding.lookup(tokens, device).unsqueeze())
    }
}

/// A whole Llama.
#[derive(Debug)]
pub struct Llama {
    config: LlamaConfig,
    device: Device,
    embed_tokens: Embedding,
    layers: Vec<LlamaBlock>,
    norm: RmsNorm,
    lm_head: Head,
}

#[derive(Debug)]
enum Head {
    /// The embedding serves as output head.
    Tied,
    Rows(Embedding),
    Int4(Linear),
}

/// How the weights of a whole model are loaded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LoadOptions {
    /// Rounds embedding and output head to 8-bit rows if they are stored wider: a quarter of the memory, and every
    /// generated token, which reads the whole head, is made sooner.
    pub int8_embedding: bool,
    /// How exactly packed layers read their input; only the CPU knows a difference.
    pub precision: Precision,
}

/// The KV caches of all layers.
#[derive(Debug, Clone)]
pub struct LlamaCache(Vec<KvCache>);

impl LlamaCache {
    /// Positions held.
    pub fn len(&self) -> usize {
        self.0.first().map_or(0, KvCache::len)
    }

    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets all positions from `len` on: the encoded beginning of a text is kept for another continuation.
    pub fn truncate(&mut self, len: usize) {
        self.0.iter_mut().for_each(|cache| cache.truncate(len));
    }
}

impl Llama {
    /// Reads all weights of `checkpoint` onto `device`, as they are stored.
    ///
    /// # Errors
    /// [`CheckpointError`] if the configuration is wrong or a tensor is missing, of another shape, or damaged.
    pub fn load(checkpoint: &Checkpoint, device: &Device) -> Result<Self, CheckpointError> {
        Self::load_with(checkpoint, LoadOptions::default(), device)
    }

    /// As [`Llama::load`], with options.
    ///
    /// # Errors
    /// As [`Llama::load`].
    pub fn load_with(checkpoint: &Checkpoint, options: LoadOptions, device: &Device) -> Result<Self, CheckpointError> {
        let blocks = LlamaBlocks::new(checkpoint, device)?;
        let LlamaBlocks { config, rotary } = &blocks;
        let (vocab_size, d) = (config.vocab_size, config.hidden_size);
        let precision = options.precision;
        let load_rows = |prefix| {
            let load = if options.int8_embedding { Embedding::load_rows8 } else { Embedding::load };
            load(checkpoint, prefix, vocab_size, d, device).map(|rows| rows.with_precision(precision))
        };
        let lm_head = if config.tie_word_embeddings {
            Head::Tied
        } else if checkpoint.tensors.info("lm_head.qweight").is_some() {
            Head::Int4(Linear::load(checkpoint, "lm_head", d, vocab_size, device)?.with_precision(precision))
        } else {
            Head::Rows(load_rows("lm_head")?)
        };
        let load_block = |n| {
            let prefix = blocks.block_prefix(n);
            let block = LlamaBlock::load_fused(checkpoint, config, &prefix, rotary.clone(), device);
            block.map(|block| block.with_precision(precision))
        };
        let layers = (0..config.num_hidden_layers).map(load_block).collect::<Result<_, _>>()?;
        Ok(Self {
            embed_tokens: load_rows("model.embed_tokens")?,
            layers,
            norm: RmsNorm::load(checkpoint, "model.norm", d, config.rms_norm_eps, device)?,
            lm_head,
            device: device.clone(),
            config: blocks.config,
        })
    }

    /// The model's configuration.
    pub fn config(&self) -> &LlamaConfig {
        &self.config
    }

    /// The device the weights are on.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// An empty cache for [`Llama::forward`].
    pub fn cache(&self) -> LlamaCache {
        LlamaCache(vec![KvCache::default(); self.layers.len()])
    }

    /// Reads `tokens` behind what `cache` holds; the normed output of the last block, `[1, t, d]`.
    ///
    /// # Errors
    /// [`TextError`] if there is no token, one is not in the vocabulary, or the context is full.
    pub fn forward(&self, tokens: &[u32], cache: &mut LlamaCache) -> Result<Tensor<3>, TextError> {
        let (vocab_size, limit) = (self.config.vocab_size, self.config.context());
        if tokens.is_empty() {
            return Err(TextError::EmptyPrompt);
        }
        if let Some(&token) = tokens.iter().find(|&&t| t as usize >= vocab_size) {
            return Err(TextError::ForeignToken { token, vocab_size });
        }
        if cache.len() + tokens.len() > limit {
            return Err(TextError::TooLong { tokens: cache.len() + tokens.len(), limit });
        }
        let mut x: Tensor<3> = self.embed_tokens.lookup(tokens, &self.device).unsqueeze();
        for (layer, cache) in self.layers.iter().zip(&mut cache.0) {
            x = layer.forward(x, cache);
        }
        Ok(self.norm.forward(x))
    }

    /// Logits `[b, t, vocab]` of outputs `hidden` `[b, t, d]` of [`Llama::forward`].
    pub fn logits(&self, hidden: Tensor<3>) -> Tensor<3> {
        match &self.lm_head {
            Head::Tied => self.embed_tokens.project(hidden),
            Head::Rows(rows) => rows.project(hidden),
            Head::Int4(linear) => linear.forward(hidden),
        }
    }

    /// Logits of the token after the last of `hidden` `[1, t, d]`.
    ///
    /// # Errors
    /// [`TextError::Device`] if the device failed.
    pub fn next_logits(&self, hidden: Tensor<3>) -> Result<Vec<f32>, TextError> {
        let t = hidden.dims()[1];
        self.logit_values(hidden.narrow(1, t - 1, 1))
    }

    /// [`Llama::logits`] as plain numbers, row-major.
    ///
    /// # Errors
    /// [`TextError::Device`] if the device failed.
    pub fn logit_values(&self, hidden: Tensor<3>) -> Result<Vec<f32>, TextError> {
        let logits = self.logits(hidden).try_into_data().map_err(|e| TextError::Device(format!("{e:?}")))?;
        logits.try_into_vec().map_err(|e| TextError::Device(format!("{e:?}")))
    }

    /// Bytes the weights take in memory, norms left out.
    pub fn bytes(&self) -> usize {
        let head = match &self.lm_head {
            Head::Tied => 0,
            Head::Rows(rows) => rows.bytes(),
            Head::Int4(linear) => linear.bytes(),
        };
        self.layers.iter().map(LlamaBlock::bytes).sum::<usize>() + self.embed_tokens.bytes() + head
    }
}
