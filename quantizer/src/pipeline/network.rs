//! What the quantizer walks through: stacks of blocks one after the other, and what the first block of each reads.

use burn::tensor::Device;
use sha2::Sha256;
use sightread_models::nn::attention_op::holds_all_scores;
use sightread_models::text::BlockStack;

use crate::PipelineError;
use crate::matrix::Matrix;

/// Makes the input `[t, d]` of a stack's first block for one sequence, out of what the last block of the stack before made
/// of it (`None` for the first stack). It may hold weights: it is dropped before the blocks are loaded.
pub type Begin<'a> = Box<dyn FnMut(usize, Option<Matrix>) -> Result<Matrix, PipelineError> + 'a>;

/// Sizes of all sequences in one stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StackSize {
    /// Positions of all calibration and held-out sequences.
    pub tokens: u64,
    /// Positions of the held-out sequences alone.
    pub held_out_tokens: u64,
    /// Positions of the longest sequence.
    pub longest: u64,
    /// Width of the model, `d`.
    pub hidden: u64,
    /// Attention heads whose scores are in memory at once (see [`scored_heads`]).
    pub heads: u64,
    /// Elements of linear layers of a block that are not packed and so are in no stage.
    pub kept: u64,
    /// Bytes that [`Network::begin`] holds while the first inputs are made.
    pub at_start: u64,
}

/// How many of `heads` hold the scores of all their queries at once on `device`.
pub(super) fn scored_heads(heads: usize, device: &Device) -> u64 {
    if holds_all_scores(device) { heads as u64 } else { 0 }
}

/// A model with the sequences it is calibrated on. Sequences are numbered: calibration first, then held out.
pub trait Network {
    /// In the order data flows through them.
    fn stacks(&self) -> Vec<&dyn BlockStack>;

    /// Number of calibration sequences.
    fn calibration(&self) -> usize;

    /// Number of sequences that only measure.
    fn held_out(&self) -> usize;

    /// Sizes of all sequences in a stack.
    fn size(&self, stack: usize) -> StackSize;

    /// Prepares the inputs of a stack.
    ///
    /// # Errors
    /// [`PipelineError`] if weights cannot be read, or a sequence is not one for this model.
    fn begin(&self, stack: usize) -> Result<Begin<'_>, PipelineError>;

    /// Feeds all sequences to a fingerprint.
    fn digest(&self, digest: &mut Sha256);

    /// Modules that hold embeddings or the output head.
    fn embeddings(&self) -> Vec<String>;

    /// Sequences of a stack that Hessians are made of, the first so many of [`Network::calibration`].
    fn calibration_of(&self, _stack: usize) -> usize {
        self.calibration()
    }

    /// Which part of the model a tensor belongs to, for whoever reads the plan.
    fn class(&self, _tensor: &str) -> &'static str {
        "language model"
    }

    /// Modules that are stored as 8-bit rows, however embeddings are.
    fn rows_i8(&self) -> Vec<String> {
        Vec::new()
    }
}
