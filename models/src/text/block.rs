//! What the quantizer needs of any network: blocks that load one by one and run stage by stage.

use std::ops::Range;

use burn::tensor::{Device, Tensor};

use super::{TensorShape, TextSizes};
use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::nn::{Embedding, KvCache, Linear};

/// A decoder block in the middle of its work: about to run the linear layers of one stage.
#[derive(Debug, Clone)]
pub struct BlockState {
    /// The residual stream, `[b, t, d]`.
    pub residual: Tensor<3>,
    /// What the linear layers of the next stage read, `[b, t, in]`.
    pub input: Tensor<3>,
}

/// One decoder block, cut into stages: the linear layers of a stage read the same input, and that input depends on the
/// stages before. The quantizer replaces the layers of a stage, then advances, and so never computes anything twice. Where the
/// layers of two stages read different rows of one input (see [`BlockStack::rows`]), the first leaves the work to the second.
pub trait Block: Send {
    /// Prepares the first stage for the block's input `x` `[b, t, d]`.
    fn begin(&self, x: Tensor<3>) -> BlockState;

    /// Runs the linear layers of `stage` and all that follows up to the next stage. After the last stage, `residual` is the
    /// block's output and `input` is meaningless.
    fn advance(&self, stage: usize, state: BlockState, cache: &mut KvCache) -> BlockState;

    /// Number of stages.
    fn stages(&self) -> usize;

    /// The linear layer `name` (`"self_attn.q_proj"`).
    fn linear_mut(&mut self, name: &str) -> Option<&mut Linear>;

    /// The whole block: `x` `[b, t, d]` to `[b, t, d]`.
    fn forward(&self, x: Tensor<3>, cache: &mut KvCache) -> Tensor<3> {
        (0..self.stages()).fold(self.begin(x), |state, stage| self.advance(stage, state, cache)).residual
    }
}

/// A stack of blocks of one kind: a language model's, or one half of a speech model's.
pub trait BlockStack: Send + Sync {
    /// Number of blocks.
    fn num_blocks(&self) -> usize;

    /// Name of a block in the checkpoint (`"model.layers.3"`).
    fn block_prefix(&self, block: usize) -> String;

    /// Names of the linear layers of every stage of a block, with their widths `(name, in, out)`.
    fn stages(&self) -> Vec<Vec<(&'static str, usize, usize)>>;

    /// Which of the `t` rows of a stage's input its layers read, in two runs, either of which may be empty: all of them, unless
    /// rows of different kinds have layers of their own.
    fn rows(&self, _stage: usize, t: usize) -> [Range<usize>; 2] {
        [0..t, t..t]
    }

    /// An empty cache for a sequence of the kind that this stack is calibrated on.
    fn cache(&self) -> KvCache {
        KvCache::default()
    }

    /// Reads one block.
    ///
    /// # Errors
    /// [`CheckpointError`] if a tensor is missing, of another shape, or damaged.
    fn load_block(
        &self,
        checkpoint: &Checkpoint,
        block: usize,
        device: &Device,
    ) -> Result<Box<dyn Block>, CheckpointError>;
}

/// Makes the input of a language model's first block.
pub trait TokenEmbedding {
    /// `[1, t, d]` for `tokens` at the positions from `offset` on. Tokens are in the vocabulary, positions in the context.
    fn embed(&self, tokens: &[u32], offset: usize, device: &Device) -> Tensor<3>;
}

impl TokenEmbedding for Embedding {
    fn embed(&self, tokens: &[u32], _offset: usize, device: &Device) -> Tensor<3> {
        self.lookup(tokens, device).unsqueeze()
    }
}

/// A language model without its weights: a stack of blocks between an embedding of tokens and an output head.
pub trait BlockModel: BlockStack {
    /// Its sizes.
    fn sizes(&self) -> TextSizes;

    /// Every tensor of the model in full precision.
    fn tensors(&self) -> Vec<TensorShape>;

    /// Modules that hold one row for each token of the vocabulary: the embedding, and the output head if it is not the same.
    fn embeddings(&self) -> Vec<String>;

    /// Reads what makes the input of the first block.
    ///
    /// # Errors
    /// [`CheckpointError`] if a tensor is missing, of another shape, or damaged.
    fn load_embedding(
        &self,
        checkpoint: &Checkpoint,
        device: &Device,
    ) -> Result<Box<dyn TokenEmbedding>, CheckpointError>;
}
