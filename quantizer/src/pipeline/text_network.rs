//! A language model and token sequences.

use burn::tensor::Device;
use sha2::{Digest, Sha256};
use sightread_models::checkpoint::Checkpoint;
use sightread_models::text::{BlockModel, BlockStack, check_tensors, text_blocks};

use super::calibration::CalibrationSet;
use super::network::{Begin, Network, StackSize, scored_heads};
use super::streams::to_matrix;
use crate::PipelineError;

/// A language model and the text it is calibrated on.
pub struct TextNetwork<'a> {
    source: &'a Checkpoint,
    device: &'a Device,
    blocks: Box<dyn BlockModel>,
    set: CalibrationSet<Vec<u32>>,
}

impl<'a> TextNetwork<'a> {
    /// Checks, before hours of work, that the model is whole and can read every sequence.
    ///
    /// # Errors
    /// [`PipelineError::Checkpoint`] if the architecture is not known, the configuration is wrong or a tensor is missing,
    /// [`PipelineError::Text`] if a sequence is longer than the context or of another vocabulary.
    pub fn new(
        source: &'a Checkpoint,
        set: CalibrationSet<Vec<u32>>,
        device: &'a Device,
    ) -> Result<Self, PipelineError> {
        let blocks = text_blocks(source, device)?;
        check_tensors(&*blocks, source)?;
        set.all().try_for_each(|sequence| blocks.sizes().check(sequence, 0))?;
        Ok(Self { source, device, blocks, set })
    }
}

impl Network for TextNetwork<'_> {
    fn stacks(&self) -> Vec<&dyn BlockStack> {
        vec![&*self.blocks]
    }

    fn calibration(&self) -> usize {
        self.set.sequences.len()
    }

    fn held_out(&self) -> usize {
        self.set.held_out.len()
    }

    fn size(&self, _stack: usize) -> StackSize {
        let sizes = self.blocks.sizes();
        let tokens = |sequences: &[Vec<u32>]| sequences.iter().map(|s| s.len() as u64).sum::<u64>();
        let held_out_tokens = tokens(&self.set.held_out);
        StackSize {
            tokens: tokens(&self.set.sequences) + held_out_tokens,
            held_out_tokens,
            longest: self.set.all().map(|s| s.len() as u64).max().unwrap_or(0),
            hidden: sizes.hidden_size as u64,
            heads: scored_heads(sizes.num_attention_heads, self.device),
            kept: 0,
            // The table, and the copy it is made of.
            at_start: 2 * size_of::<f32>() as u64 * (sizes.hidden_size * sizes.vocab_size) as u64,
        }
    }

    fn begin(&self, _stack: usize) -> Result<Begin<'_>, PipelineError> {
        // Round to nearest may go without any sequence, and then without the table.
        let load = |_| self.blocks.load_embedding(self.source, self.device);
        let embedding = self.set.all().next().map(load).transpose()?;
        Ok(Box::new(move |n, _| {
            const MISSING: PipelineError = PipelineError::Internal("a sequence is missing");
            let (tokens, embedding) = self.set.get(n).zip(embedding.as_ref()).ok_or(MISSING)?;
            to_matrix(embedding.embed(tokens, 0, self.device))
        }))
    }

    fn digest(&self, digest: &mut Sha256) {
        for sequence in self.set.sequences.iter().chain([&Vec::new()]).chain(&self.set.held_out) {
            digest.update((sequence.len() as u64).to_le_bytes());
            sequence.iter().for_each(|token| digest.update(token.to_le_bytes()));
        }
    }

    fn embeddings(&self) -> Vec<String> {
        self.blocks.embeddings()
    }
}
