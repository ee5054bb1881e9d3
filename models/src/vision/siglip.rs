//! The SigLIP vision tower as SmolVLM and Idefics3 have it (Zhai et al., 2023): a tile of fixed size in, one vector for
//! each of its patches out.
//!
//! Reference: `transformers/models/idefics3/modeling_idefics3.py`, `Idefics3VisionTransformer`; names of modules and
//! configuration fields are those of Hugging Face. Its tiles are always full, so that a patch has the position it lies
//! at, and every patch sees every other one of its tile.

mod block;
mod blocks;
mod config;

use burn::tensor::{Device, Tensor};

pub use block::SiglipBlock;
pub use blocks::{SiglipBlocks, SiglipStart};
pub use config::SiglipVisionConfig;

use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::int4::Precision;
use crate::nn::{KvCache, LayerNorm, Linear, load};
use crate::text::Block;

/// A whole vision tower.
#[derive(Debug)]
pub struct Siglip {
    embeddings: PatchEmbeddings,
    layers: Vec<SiglipBlock>,
    post_layernorm: LayerNorm,
}

impl Siglip {
    /// Reads the tower whose tensor names begin with `prefix` (`"model.vision_model"`).
    ///
    /// # Errors
    /// [`CheckpointError`] if a tensor is missing, of another shape, or damaged.
    pub fn load(
        checkpoint: &Checkpoint,
        config: &SiglipVisionConfig,
        prefix: &str,
        precision: Precision,
        device: &Device,
    ) -> Result<Self, CheckpointError> {
        let load_block = |n| {
            let block = SiglipBlock::load_fused(checkpoint, config, &block_prefix(prefix, n), device);
            block.map(|block| block.with_precision(precision))
        };
        Ok(Self {
            embeddings: PatchEmbeddings::load(checkpoint, config, prefix, device)?,
            layers: (0..config.num_hidden_layers).map(load_block).collect::<Result<_, _>>()?,
            post_layernorm: load_post_layernorm(checkpoint, config, prefix, device)?,
        })
    }

    /// Pixels of tiles `[b, patches, channels * patch_size²]`, those of a patch plane by plane and row by row, to what is seen
    /// in them, `[b, patches, d]`.
    pub fn forward(&self, patches: Tensor<3>) -> Tensor<3> {
        let cache = &mut KvCache::default();
        let x = self.layers.iter().fold(self.embeddings.forward(patches), |x, layer| layer.forward(x, cache));
        self.post_layernorm.forward(x)
    }

    /// Bytes the linear layers take in memory.
    pub fn bytes(&self) -> usize {
        self.layers.iter().map(SiglipBlock::bytes).sum::<usize>() + self.embeddings.patch_embedding.bytes()
    }
}

/// The norm behind the last block.
///
/// # Errors
/// [`CheckpointError`] if it cannot be read.
pub(crate) fn load_post_layernorm(
    checkpoint: &Checkpoint,
    config: &SiglipVisionConfig,
    prefix: &str,
    device: &Device,
) -> Result<LayerNorm, CheckpointError> {
    let name = format!("{prefix}.post_layernorm");
    LayerNorm::load(checkpoint, &name, config.hidden_size, config.layer_norm_eps, device)
}

/// Name of a block in the checkpoint.
fn block_prefix(prefix: &str, block: usize) -> String {
    format!("{prefix}.encoder.layers.{block}")
}

/// From pixels to the input of the first block. The checkpoint stores a convolution whose windows do not overlap, which is
/// one product with the pixels of every patch.
#[derive(Debug)]
struct PatchEmbeddings {
    /// From the pixels of a patch: plane by plane, row by row.
    patch_embedding: Linear,
    /// `[patches, d]`
    position_embedding: Tensor<2>,
}

impl PatchEmbeddings {
    fn load(
        checkpoint: &Checkpoint,
        config: &SiglipVisionConfig,
        prefix: &str,
        device: &Device,
    ) -> Result<Self, CheckpointError> {
        let (d, channels, side) = (config.hidden_size, config.num_channels, config.patch_size);
        let name = |tensor: &str| format!("{prefix}.embeddings.{tensor}");
        let kernel = checkpoint.tensor(&name("patch_embedding.weight"), &[d, channels, side, side])?;
        let bias = checkpoint.tensor(&name("patch_embedding.bias"), &[d])?;
        Ok(Self {
            patch_embedding: Linear::from_rows(kernel, d, Some(bias), device),
            position_embedding: load(checkpoint, &name("position_embedding.weight"), [config.patches(), d], device)?,
        })
    }

    /// `[b, t, channels * patch_size²]` to `[b, t, d]`.
    fn forward(&self, patches: Tensor<3>) -> Tensor<3> {
        self.patch_embedding.forward(patches) + self.position_embedding.clone().unsqueeze()
    }
}
