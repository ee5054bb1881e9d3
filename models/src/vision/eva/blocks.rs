//! The tower block by block, as the quantizer walks through it.

use burn::tensor::{Device, Tensor, TensorData};

use super::block::{self, EvaBlock, NORMS};
use super::{EvaVisionConfig, PatchEmbedding, block_prefix, embedding_tensors};
use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::text::{Block, BlockStack, TensorShape, linear_layers};

/// A tower without its weights: loads and runs one block at a time.
#[derive(Debug)]
pub struct EvaBlocks {
    config: EvaVisionConfig,
    prefix: String,
}

impl EvaBlocks {
    /// Prepares to load the blocks of the tower whose tensor names begin with `prefix` (`"model.vision"`).
    pub fn new(config: EvaVisionConfig, prefix: &str) -> Self {
        Self { config, prefix: prefix.into() }
    }

    /// Reads what makes the input of the first block.
    ///
    /// # Errors
    /// [`CheckpointError`] if the embedding cannot be read.
    pub fn start(&self, checkpoint: &Checkpoint, device: &Device) -> Result<EvaStart, CheckpointError> {
        let embedding = PatchEmbedding::load(checkpoint, &self.config, &self.prefix, device)?;
        Ok(EvaStart { config: self.config.clone(), embedding })
    }

    /// Every tensor of the tower in full precision.
    pub fn tensors(&self) -> Vec<TensorShape> {
        let mut tensors = embedding_tensors(&self.config, &self.prefix);
        tensors.extend(linear_layers(self, |_| true));
        for prefix in (0..self.num_blocks()).map(|block| self.block_prefix(block)) {
            let names =
                NORMS.into_iter().flat_map(|norm| ["weight", "bias"].map(|part| format!("{prefix}.{norm}.{part}")));
            tensors.extend(names.map(|name| (name, vec![self.config.hidden_size])));
        }
        tensors
    }
}

/// Makes the input of the tower's first block.
#[derive(Debug)]
pub struct EvaStart {
    config: EvaVisionConfig,
    embedding: PatchEmbedding,
}

impl EvaStart {
    /// The input of the first block, `[1, 1 + patches, d]`, for the pixels of a picture, `[patches, in_channels * patch_size²]`.
    ///
    /// # Errors
    /// [`CheckpointError::Config`] if the picture is not of this model's size.
    pub fn forward(&self, pixels: Vec<f32>, device: &Device) -> Result<Tensor<3>, CheckpointError> {
        let (patches, values) = (self.config.patches(), self.config.patch_values());
        if pixels.len() != patches * values {
            return Err(CheckpointError::Config("a picture of another size than the model's".into()));
        }
        Ok(self.embedding.forward(Tensor::from_data(TensorData::new(pixels, [1, patches, values]), device)))
    }
}

impl BlockStack for EvaBlocks {
    fn num_blocks(&self) -> usize {
        self.config.num_hidden_layers
    }

    fn block_prefix(&self, block: usize) -> String {
        block_prefix(&self.prefix, block)
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
        Ok(Box::new(EvaBlock::load(checkpoint, &self.config, &self.block_prefix(block), device)?))
    }
}
