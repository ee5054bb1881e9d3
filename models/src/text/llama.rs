//! The Llama family: SmolLM2, LLaMA 2 and 3, Qwen2.5, Qwen3. Qwen2.5 has biases on q, k and v; Qwen3 norms every head of q and
//! k; nothing else differs.
//!
//! References: `modeling_llama.py`, `modeling_qwen2.py` and `modeling_qwen3.py` in `transformers/models`; names of modules and
//! configuration fields are those of Hugging Face.

mod block;
mod config;

use std::sync::Arc;

use burn::tensor::{Device, Tensor};

pub use block::LlamaBlock;
pub use config::{LlamaConfig, LlamaType};

use super::head::{Head, LM_HEAD};
use super::inventory::linear_layers;
use super::{
    Block, BlockModel, BlockStack, Decoder, LoadOptions, TensorShape, TextSizes, TokenEmbedding, check_tensors,
};
use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::nn::{Embedding, KvCache, RmsNorm, Rotary};

const EMBED_TOKENS: &str = "embed_tokens";
const NORM: &str = "norm";

/// A Llama without its weights: loads and runs one block at a time.
#[derive(Debug)]
pub struct LlamaBlocks {
    config: LlamaConfig,
    rotary: Arc<Rotary>,
    /// Where its tensors are in the checkpoint: `"model"` unless it is part of a larger model.
    prefix: String,
}

impl LlamaBlocks {
    /// Prepares to load blocks of `checkpoint` onto `device`.
    ///
    /// # Errors
    /// [`CheckpointError::Config`] if the configuration is wrong.
    pub fn new(checkpoint: &Checkpoint, device: &Device) -> Result<Self, CheckpointError> {
        Self::part_of_a_model(LlamaConfig::from_checkpoint(checkpoint)?, "model", device)
    }

    /// The same for the Llama in a larger model, whose tensors but for the head's begin with `prefix`.
    ///
    /// # Errors
    /// [`CheckpointError::Config`] if the configuration is wrong.
    pub fn part_of_a_model(config: LlamaConfig, prefix: &str, device: &Device) -> Result<Self, CheckpointError> {
        let rotary = Arc::new(config.rotary(device)?);
        Ok(Self { config, rotary, prefix: prefix.into() })
    }

    fn name(&self, module: &str) -> String {
        format!("{}.{module}", self.prefix)
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
        self.name(&format!("layers.{block}"))
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
    fn sizes(&self) -> TextSizes {
        self.config.sizes()
    }

    fn tensors(&self) -> Vec<TensorShape> {
        let LlamaConfig { vocab_size, hidden_size: d, .. } = self.config;
        let mut tensors = vec![(format!("{}.weight", self.name(NORM)), vec![d])];
        tensors.extend(self.embeddings().into_iter().map(|module| (format!("{module}.weight"), vec![vocab_size, d])));
        tensors.extend(linear_layers(self, |module| self.config.has_bias(module)));
        for block in 0..self.num_blocks() {
            let norms = block::norms(&self.config).into_iter();
            let prefix = self.block_prefix(block);
            tensors.extend(norms.map(|(norm, width)| (format!("{prefix}.{norm}.weight"), vec![width])));
        }
        tensors
    }

    fn embeddings(&self) -> Vec<String> {
        let head = (!self.config.tie_word_embeddings).then(|| LM_HEAD.to_string());
        [self.name(EMBED_TOKENS)].into_iter().chain(head).collect()
    }

    fn load_embedding(
        &self,
        checkpoint: &Checkpoint,
        device: &Device,
    ) -> Result<Box<dyn TokenEmbedding>, CheckpointError> {
        let LlamaConfig { vocab_size, hidden_size, .. } = self.config;
        Ok(Box::new(Embedding::load(checkpoint, &self.name(EMBED_TOKENS), vocab_size, hidden_size, device)?))
    }
}

/// A whole Llama.
#[derive(Debug)]
pub struct Llama {
    config: LlamaConfig,
    embed_tokens: Embedding,
    layers: Vec<LlamaBlock>,
    norm: RmsNorm,
    lm_head: Head,
}

impl Llama {
    /// Reads all weights of `checkpoint` onto `device`.
    ///
    /// # Errors
    /// [`CheckpointError`] if the configuration is wrong or a tensor is missing, of another shape, or damaged.
    pub fn load(checkpoint: &Checkpoint, options: LoadOptions, device: &Device) -> Result<Self, CheckpointError> {
        Self::load_blocks(checkpoint, LlamaBlocks::new(checkpoint, device)?, options, device)
    }

    /// Reads the weights of all `blocks`, and what is before and behind them.
    ///
    /// # Errors
    /// As [`Llama::load`].
    pub fn load_blocks(
        checkpoint: &Checkpoint,
        blocks: LlamaBlocks,
        options: LoadOptions,
        device: &Device,
    ) -> Result<Self, CheckpointError> {
        check_tensors(&blocks, checkpoint)?;
        let LlamaBlocks { config, rotary, .. } = &blocks;
        let rows = [config.vocab_size, config.hidden_size];
        let load_block = |n| {
            let prefix = blocks.block_prefix(n);
            let block = LlamaBlock::load_fused(checkpoint, config, &prefix, rotary.clone(), device);
            block.map(|block| block.with_precision(options.precision))
        };
        Ok(Self {
            embed_tokens: options.load_embedding(checkpoint, &blocks.name(EMBED_TOKENS), rows, device)?,
            layers: (0..config.num_hidden_layers).map(load_block).collect::<Result<_, _>>()?,
            norm: RmsNorm::load(checkpoint, &blocks.name(NORM), config.hidden_size, config.rms_norm_eps, device)?,
            lm_head: Head::load(checkpoint, config.tie_word_embeddings, rows, options, device)?,
            config: blocks.config,
        })
    }

    /// The model's configuration.
    pub fn config(&self) -> &LlamaConfig {
        &self.config
    }
}

impl Decoder for Llama {
    fn sizes(&self) -> TextSizes {
        self.config.sizes()
    }

    fn embedding(&self) -> &dyn TokenEmbedding {
        &self.embed_tokens
    }

    fn run(&self, x: Tensor<3>, caches: &mut [KvCache]) -> Tensor<3> {
        let step = |x, (layer, cache): (&LlamaBlock, &mut KvCache)| layer.forward(x, cache);
        self.norm.forward(self.layers.iter().zip(caches).fold(x, step))
    }

    fn logits(&self, hidden: Tensor<3>) -> Tensor<3> {
        self.lm_head.forward(hidden, &self.embed_tokens)
    }

    fn bytes(&self) -> usize {
        let layers: usize = self.layers.iter().map(LlamaBlock::bytes).sum();
        layers + self.embed_tokens.bytes() + self.lm_head.bytes()
    }
}
