//! The language model: blocks with two experts each between an embedding and an output head.

use std::ops::Range;
use std::sync::Arc;

use burn::tensor::{Device, Tensor};

use super::block::{self, NORMS, VISION_QKV};
use super::{CogVlmBlock, CogVlmConfig, PicturePlace};
use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::nn::{Embedding, KvCache, RmsNorm, Rotary};
use crate::text::{
    Block, BlockStack, Decoder, Head, LM_HEAD, LoadOptions, TensorShape, TextSizes, TokenEmbedding, layers_in_blocks,
};

pub(super) const EMBED_TOKENS: &str = "model.embed_tokens";
const NORM: &str = "model.norm";

/// The language model without its weights: loads and runs one block at a time. A sequence begins with a picture.
#[derive(Debug)]
pub struct LanguageBlocks {
    config: CogVlmConfig,
    rotary: Arc<Rotary>,
    /// Whether stages say nothing of the vision experts' layers.
    without_experts: bool,
}

impl LanguageBlocks {
    /// Prepares to load blocks of `checkpoint` onto `device`.
    ///
    /// # Errors
    /// [`CheckpointError`] if stored frequencies cannot be read.
    pub fn new(config: CogVlmConfig, checkpoint: &Checkpoint, device: &Device) -> Result<Self, CheckpointError> {
        let rotary = Arc::new(config.rotary(checkpoint, device)?);
        Ok(Self { config, rotary, without_experts: false })
    }

    /// Whether to name no layer of the vision experts in [`BlockStack::stages`], so that nobody replaces them.
    pub fn leave_out_experts(&mut self, leave_out: bool) {
        self.without_experts = leave_out;
    }

    /// Names and widths `(name, in, out)` of the vision expert's linear layers in every block.
    pub fn expert_layers(&self) -> Vec<(&'static str, usize, usize)> {
        block::stages(&self.config).into_iter().step_by(2).flatten().collect()
    }

    /// Every tensor of the language model in full precision, but for frequencies, which may be stored or not.
    pub fn tensors(&self) -> Vec<TensorShape> {
        let CogVlmConfig { vocab_size, hidden_size: d, .. } = self.config;
        let mut tensors = vec![(format!("{NORM}.weight"), vec![d])];
        tensors.extend(embeddings().map(|module| (format!("{module}.weight"), vec![vocab_size, d])));
        let layers = block::stages(&self.config).concat();
        tensors.extend(layers_in_blocks(self, &layers, |module| module == VISION_QKV));
        for prefix in (0..self.num_blocks()).map(|block| self.block_prefix(block)) {
            tensors.extend(NORMS.map(|norm| (format!("{prefix}.{norm}.weight"), vec![d])));
        }
        tensors
    }

    fn place(&self) -> PicturePlace {
        PicturePlace::in_prompt(self.config.picture_positions())
    }
}

/// Modules that hold one row for each token of the vocabulary.
pub(super) fn embeddings() -> impl Iterator<Item = &'static str> {
    [EMBED_TOKENS, LM_HEAD].into_iter()
}

impl BlockStack for LanguageBlocks {
    fn num_blocks(&self) -> usize {
        self.config.num_hidden_layers
    }

    fn block_prefix(&self, block: usize) -> String {
        format!("model.layers.{block}")
    }

    fn stages(&self) -> Vec<Vec<(&'static str, usize, usize)>> {
        let mut stages = block::stages(&self.config);
        if self.without_experts {
            stages.iter_mut().step_by(2).for_each(Vec::clear);
        }
        stages
    }

    fn rows(&self, stage: usize, t: usize) -> [Range<usize>; 2] {
        let seen = self.place().expert_rows(0, t);
        if stage.is_multiple_of(2) { [seen, t..t] } else { [0..seen.start, seen.end..t] }
    }

    fn cache(&self) -> KvCache {
        KvCache::with_picture(self.place().places())
    }

    fn load_block(
        &self,
        checkpoint: &Checkpoint,
        block: usize,
        device: &Device,
    ) -> Result<Box<dyn Block>, CheckpointError> {
        let prefix = self.block_prefix(block);
        Ok(Box::new(CogVlmBlock::load(checkpoint, &self.config, &prefix, self.rotary.clone(), device)?))
    }
}

/// The whole language model.
#[derive(Debug)]
pub struct CogVlmLanguage {
    config: CogVlmConfig,
    embed_tokens: Embedding,
    layers: Vec<CogVlmBlock>,
    norm: RmsNorm,
    lm_head: Head,
}

impl CogVlmLanguage {
    /// Reads the weights of all `blocks`, and what is before and behind them.
    ///
    /// # Errors
    /// [`CheckpointError`] if a tensor is missing, of another shape, or damaged.
    pub fn load(
        checkpoint: &Checkpoint,
        blocks: LanguageBlocks,
        options: LoadOptions,
        device: &Device,
    ) -> Result<Self, CheckpointError> {
        let LanguageBlocks { config, rotary, .. } = &blocks;
        let rows = [config.vocab_size, config.hidden_size];
        let load_block = |n| {
            let prefix = blocks.block_prefix(n);
            let block = CogVlmBlock::load_fused(checkpoint, config, &prefix, rotary.clone(), device);
            block.map(|block| block.with_precision(options.precision))
        };
        Ok(Self {
            embed_tokens: options.load_embedding(checkpoint, EMBED_TOKENS, rows, device)?,
            layers: (0..config.num_hidden_layers).map(load_block).collect::<Result<_, _>>()?,
            norm: RmsNorm::load(checkpoint, NORM, config.hidden_size, config.rms_norm_eps, device)?,
            lm_head: Head::load(checkpoint, false, rows, options, device)?,
            config: blocks.config,
        })
    }
}

impl Decoder for CogVlmLanguage {
    fn sizes(&self) -> TextSizes {
        self.config.sizes()
    }

    fn embedding(&self) -> &dyn TokenEmbedding {
        &self.embed_tokens
    }

    fn run(&self, x: Tensor<3>, caches: &mut [KvCache]) -> Tensor<3> {
        let step = |x, (layer, cache): (&CogVlmBlock, &mut KvCache)| layer.forward(x, cache);
        self.norm.forward(self.layers.iter().zip(caches).fold(x, step))
    }

    fn logits(&self, hidden: Tensor<3>) -> Tensor<3> {
        self.lm_head.forward(hidden, &self.embed_tokens)
    }

    fn bytes(&self) -> usize {
        let layers: usize = self.layers.iter().map(CogVlmBlock::bytes).sum();
        layers + self.embed_tokens.bytes() + self.lm_head.bytes()
    }
}
