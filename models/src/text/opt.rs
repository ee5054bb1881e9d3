//! OPT (Zhang et al., 2022): learned positions, layer norms, biases, ReLU.
//!
//! Reference: `transformers/models/opt/modeling_opt.py`; names of modules and configuration fields are those of Hugging Face.

mod block;
mod config;
mod embedding;

use burn::tensor::{Device, Tensor};

pub use block::OptBlock;
pub use config::{OptActivation, OptConfig};
pub use embedding::OptEmbedding;

use super::head::{Head, LM_HEAD};
use super::inventory::linear_layers;
use super::{
    Block, BlockModel, BlockStack, Decoder, LoadOptions, TensorShape, TextSizes, TokenEmbedding, check_tensors,
};
use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::nn::{KvCache, LayerNorm, Linear};

/// Added under the root of every norm.
const EPS: f64 = 1e-5;
const FINAL_NORM: &str = "final_layer_norm";
const PROJECT_OUT: &str = "project_out";

/// An OPT without its weights: loads and runs one block at a time.
#[derive(Debug)]
pub struct OptBlocks {
    config: OptConfig,
    /// `"model.decoder"`, or `"decoder"` in the checkpoints as they were first published.
    root: &'static str,
}

impl OptBlocks {
    /// Prepares to load blocks of `checkpoint`.
    ///
    /// # Errors
    /// [`CheckpointError::Config`] if the configuration is wrong.
    pub fn new(checkpoint: &Checkpoint) -> Result<Self, CheckpointError> {
        let config = OptConfig::from_checkpoint(checkpoint)?;
        let is_first = checkpoint.tensors.info("decoder.embed_tokens.weight").is_some();
        Ok(Self { config, root: if is_first { "decoder" } else { "model.decoder" } })
    }

    /// The model's configuration.
    pub fn config(&self) -> &OptConfig {
        &self.config
    }

    fn name(&self, module: &str) -> String {
        format!("{}.{module}", self.root)
    }
}

impl BlockStack for OptBlocks {
    fn num_blocks(&self) -> usize {
        self.config.num_hidden_layers
    }

    fn block_prefix(&self, block: usize) -> String {
        format!("{}.layers.{block}", self.root)
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
        Ok(Box::new(OptBlock::load(checkpoint, &self.config, &self.block_prefix(block), device)?))
    }
}

impl BlockModel for OptBlocks {
    fn sizes(&self) -> TextSizes {
        self.config.sizes()
    }

    fn tensors(&self) -> Vec<TensorShape> {
        let (d, embed_dim) = (self.config.hidden_size, self.config.embed_dim());
        let mut tensors = embedding::tensors(&self.config, self.root);
        if !self.config.tie_word_embeddings {
            tensors.push((format!("{LM_HEAD}.weight"), vec![self.config.vocab_size, embed_dim]));
        }
        if embed_dim != d {
            tensors.push((format!("{}.weight", self.name(PROJECT_OUT)), vec![embed_dim, d]));
        }
        let blocks = (0..self.num_blocks()).map(|block| self.block_prefix(block));
        let mut norms: Vec<String> =
            blocks.flat_map(|prefix| block::NORMS.map(|norm| format!("{prefix}.{norm}"))).collect();
        norms.extend(self.config.has_final_norm().then(|| self.name(FINAL_NORM)));
        tensors.extend(
            norms.into_iter().flat_map(|norm| ["weight", "bias"].map(|part| (format!("{norm}.{part}"), vec![d]))),
        );
        tensors.extend(linear_layers(self, |_| self.config.enable_bias));
        tensors
    }

    fn embeddings(&self) -> Vec<String> {
        let head = (!self.config.tie_word_embeddings).then(|| LM_HEAD.to_string());
        [self.name(embedding::EMBED_TOKENS)].into_iter().chain(head).collect()
    }

    fn load_embedding(
        &self,
        checkpoint: &Checkpoint,
        device: &Device,
    ) -> Result<Box<dyn TokenEmbedding>, CheckpointError> {
        Ok(Box::new(OptEmbedding::load(checkpoint, &self.config, self.root, LoadOptions::default(), device)?))
    }
}

/// A whole OPT.
#[derive(Debug)]
pub struct Opt {
    config: OptConfig,
    embedding: OptEmbedding,
    layers: Vec<OptBlock>,
    final_layer_norm: Option<LayerNorm>,
    /// From `hidden_size` to the width of the embedding, where they differ.
    project_out: Option<Linear>,
    lm_head: Head,
}

impl Opt {
    /// Reads all weights of `checkpoint` onto `device`.
    ///
    /// # Errors
    /// [`CheckpointError`] if the configuration is wrong or a tensor is missing, of another shape, or damaged.
    pub fn load(checkpoint: &Checkpoint, options: LoadOptions, device: &Device) -> Result<Self, CheckpointError> {
        let blocks = OptBlocks::new(checkpoint)?;
        check_tensors(&blocks, checkpoint)?;
        let OptBlocks { config, root } = &blocks;
        let (d, embed_dim) = (config.hidden_size, config.embed_dim());
        let load_block = |n| {
            let block = OptBlock::load_fused(checkpoint, config, &blocks.block_prefix(n), device);
            block.map(|block| block.with_precision(options.precision))
        };
        let final_norm = || LayerNorm::load(checkpoint, &blocks.name(FINAL_NORM), d, EPS, device);
        let project_out = || Linear::load(checkpoint, &blocks.name(PROJECT_OUT), d, embed_dim, device);
        let rows = [config.vocab_size, embed_dim];
        Ok(Self {
            embedding: OptEmbedding::load(checkpoint, config, root, options, device)?,
            layers: (0..config.num_hidden_layers).map(load_block).collect::<Result<_, _>>()?,
            final_layer_norm: config.has_final_norm().then(final_norm).transpose()?,
            project_out: (embed_dim != d).then(project_out).transpose()?,
            lm_head: Head::load(checkpoint, config.tie_word_embeddings, rows, options, device)?,
            config: blocks.config,
        })
    }

    /// The model's configuration.
    pub fn config(&self) -> &OptConfig {
        &self.config
    }
}

impl Decoder for Opt {
    fn sizes(&self) -> TextSizes {
        self.config.sizes()
    }

    fn embedding(&self) -> &dyn TokenEmbedding {
        &self.embedding
    }

    fn run(&self, x: Tensor<3>, caches: &mut [KvCache]) -> Tensor<3> {
        let step = |x, (layer, cache): (&OptBlock, &mut KvCache)| layer.forward(x, cache);
        let mut x = self.layers.iter().zip(caches).fold(x, step);
        if let Some(norm) = &self.final_layer_norm {
            x = norm.forward(x);
        }
        match &self.project_out {
            Some(project_out) => project_out.forward(x),
            None => x,
        }
    }

    fn logits(&self, hidden: Tensor<3>) -> Tensor<3> {
        self.lm_head.forward(hidden, self.embedding.tokens())
    }

    fn bytes(&self) -> usize {
        let layers: usize = self.layers.iter().map(OptBlock::bytes).sum();
        let project_out = self.project_out.as_ref().map_or(0, Linear::bytes);
        layers + self.embedding.bytes() + project_out + self.lm_head.bytes()
    }
}
