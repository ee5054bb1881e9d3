//! The tower block by block, as the quantizer walks through it.

use burn::tensor::{Device, Tensor, TensorData};

use super::block::{self, SiglipBlock};
use super::{PatchEmbeddings, SiglipVisionConfig, block_prefix};
use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::text::{Block, BlockStack, TensorShape, linear_layers};

/// A tower without its weights: loads and runs one block at a time.
///
/// A stream is `[1, b t, d]`: the patches of `b` tiles one after the other.
#[derive(Debug)]
pub struct SiglipBlocks {
    config: SiglipVisionConfig,
    prefix: String,
}

impl SiglipBlocks {
    /// Prepares to load the blocks of the tower whose tensor names begin with `prefix` (`"model.vision_model"`).
    pub fn new(config: SiglipVisionConfig, prefix: &str) -> Self {
        Self { config, prefix: prefix.into() }
    }

    /// Every tensor of the tower, in full precision.
    pub fn tensors(&self) -> Vec<TensorShape> {
        let SiglipVisionConfig { hidden_size: d, num_channels, patch_size: side, .. } = self.config;
        let name = |tensor: &str| format!("{}.{tensor}", self.prefix);
        let mut tensors = vec![
            (name("embeddings.patch_embedding.weight"), vec![d, num_channels, side, side]),
            (name("embeddings.patch_embedding.bias"), vec![d]),
            (name("embeddings.position_embedding.weight"), vec![self.config.patches(), d]),
        ];
        tensors.extend(linear_layers(self, |_| true));
        let of_block = |n| {
            let prefix = self.block_prefix(n);
            block::NORMS.map(|norm| format!("{prefix}.{norm}"))
        };
        let norms = (0..self.num_blocks()).flat_map(of_block).chain([name("post_layernorm")]);
        tensors.extend(norms.flat_map(|norm| ["weight", "bias"].map(|part| (format!("{norm}.{part}"), vec![d]))));
        tensors
    }

    /// Reads what makes the input of the first block.
    ///
    /// # Errors
    /// [`CheckpointError`] if the embeddings cannot be read.
    pub fn start(&self, checkpoint: &Checkpoint, device: &Device) -> Result<SiglipStart, CheckpointError> {
        let embeddings = PatchEmbeddings::load(checkpoint, &self.config, &self.prefix, device)?;
        Ok(SiglipStart { config: self.config.clone(), embeddings })
    }
}

/// Makes the input of the tower's first block.
#[derive(Debug)]
pub struct SiglipStart {
    config: SiglipVisionConfig,
    embeddings: PatchEmbeddings,
}

impl SiglipStart {
    /// The input of the first block for `tiles`, each `[patches, channels * patch_size²]`: `[1, tiles * patches, d]`.
    ///
    /// # Errors
    /// [`CheckpointError::Config`] if there is no tile, or one is not of this model's size.
    pub fn forward(&self, tiles: &[Vec<f32>], device: &Device) -> Result<Tensor<3>, CheckpointError> {
        let (patches, values) = (self.config.patches(), self.config.patch_values());
        if tiles.is_empty() || tiles.iter().any(|tile| tile.len() != patches * values) {
            return Err(CheckpointError::Config("a tile of another size than the model's".into()));
        }
        let pixels = TensorData::new(tiles.concat(), [tiles.len(), patches, values]);
        let embedded = self.embeddings.forward(Tensor::from_data(pixels, device));
        Ok(embedded.reshape([1, tiles.len() * patches, self.config.hidden_size]))
    }
}

impl BlockStack for SiglipBlocks {
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
        Ok(Box::new(SiglipBlock::load(checkpoint, &self.config, &self.block_prefix(block), device)?))
    }
}
