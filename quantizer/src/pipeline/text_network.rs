//! A language model and token sequences.

use burn::tensor::Device;
use sha2::{Digest, Sha256};
use sightread_models::checkpoint::Checkpoint;
use sightread_models::text::llama::LlamaBlocks;
use sightread_models::text::{BlockModel, BlockStack};

use super::calibration::CalibrationSet;
use super::network::{Begin, Network, StackSize};
use super::streams::to_matrix;
use crate::PipelineError;
use crate::matrix::Matrix;

/// A Llama and the text it is calibrated on.
pub struct TextNetwork<'a> {
    source: &'a Checkpoint,
    device: &'a Device,
    blocks: LlamaBlocks,
    set: CalibrationSet<Vec<u32>>,
}

impl<'a> TextNetwork<'a> {
    /// # Errors
    /// [`PipelineError::Checkpoint`] if the configuration is wrong.
    pub fn new(
        source: &'a Checkpoint,
        set: CalibrationSet<Vec<u32>>,
        device: &'a Device,
    ) -> Result<Self, PipelineError> {
        Ok(Self { source, device, blocks: LlamaBlocks::new(source, device)?, set })
    }
}

impl Network for TextNetwork<'_> {
    fn stacks(&self) -> Vec<&dyn BlockStack> {
        vec![&self.blocks]
    }

    fn calibration(&self) -> usize {
        self.set.sequences.len()
    }

    fn held_out(&self) -> usize {
        self.set.held_out.len()
    }

    fn size(&self, _stack: usize) -> StackSize {
        let config = self.blocks.config();
        let tokens = |sequences: &[Vec<u32>]| sequences.iter().map(|s| s.len() as u64).sum::<u64>();
        let held_out_tokens = tokens(&self.set.held_out);
        StackSize {
            tokens: tokens(&self.set.sequences) + held_out_tokens,
            held_out_tokens,
            longest: self.set.all().map(|s| s.len() as u64).max().unwrap_or(0),
            hidden: config.hidden_size as u64,
            heads: config.num_attention_heads as u64,
            at_start: 2 * size_of::<f32>() as u64 * (config.hidden_size * config.vocab_size) as u64,
        }
    }

    fn begin(&self, _stack: usize) -> Result<Begin<'_>, PipelineError> {
        // All at once: the embedding is read a single time.
        let tokens: Vec<u32> = self.set.all().flatten().copied().collect();
        let embedded = match tokens.is_empty() {
            true => Matrix::zeros(0, 0),
            false => to_matrix(self.blocks.embed(self.source, &tokens, self.device)?)?,
        };
        let lengths = self.set.all().map(Vec::len);
        let starts: Vec<usize> = lengths.scan(0, |end, len| Some(std::mem::replace(end, *end + len))).collect();
        Ok(Box::new(move |n, _| {
            let (rows, width) = (self.set.get(n).map_or(0, Vec::len), embedded.cols());
            let start = starts.get(n).copied().unwrap_or(0) * width;
            let values = embedded.data().get(start..start + rows * width).map(<[f32]>::to_vec).unwrap_or_default();
            Matrix::from_rows(rows, width, values).ok_or(PipelineError::Internal("embedding"))
        }))
    }

    fn digest(&self, digest: &mut Sha256) {
        for sequence in self.set.sequences.iter().chain([&Vec::new()]).chain(&self.set.held_out) {
            digest.update((sequence.len() as u64).to_le_bytes());
            sequence.iter().for_each(|token| digest.update(token.to_le_bytes()));
        }
    }

    fn embeddings(&self) -> &'static [&'static str] {
        if self.blocks.config().tie_word_embeddings {
            &["model.embed_tokens"]
        } else {
            &["model.embed_tokens", "lm_head"]
        }
    }
}
