//! The EVA-CLIP vision tower of CogVLM2 (Sun et al., 2023: EVA02-CLIP-E without its last block): a square picture of fixed size
//! in, one vector for each of its patches out.
//!
//! Reference: `visual.py` beside the published weights; names of modules and configuration fields are those of the checkpoint.
//! Norms stand behind attention and feed-forward layers, in front of the sum. A class token goes before the patches; every
//! position sees every other one.

mod block;
mod blocks;
mod config;

use burn::tensor::{Device, Tensor};

pub use block::EvaBlock;
pub use blocks::{EvaBlocks, EvaStart};
pub use config::EvaVisionConfig;

use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::int4::Precision;
use crate::nn::{KvCache, Linear, load};
use crate::text::generate::Flow;
use crate::text::{Block, TensorShape};

const PATCH_EMBEDDING: &str = "patch_embedding";

/// A whole vision tower.
#[derive(Debug)]
pub struct EvaClip {
    embedding: PatchEmbedding,
    layers: Vec<EvaBlock>,
}

impl EvaClip {
    /// Reads the tower whose tensor names begin with `prefix` (`"model.vision"`).
    ///
    /// # Errors
    /// [`CheckpointError`] if a tensor is missing, of another shape, or damaged.
    pub fn load(
        checkpoint: &Checkpoint,
        config: &EvaVisionConfig,
        prefix: &str,
        precision: Precision,
        device: &Device,
    ) -> Result<Self, CheckpointError> {
        let load_block = |n| {
            let block = EvaBlock::load(checkpoint, config, &block_prefix(prefix, n), device);
            block.map(|block| block.with_precision(precision))
        };
        Ok(Self {
            embedding: PatchEmbedding::load(checkpoint, config, prefix, device)?,
            layers: (0..config.num_hidden_layers).map(load_block).collect::<Result<_, _>>()?,
        })
    }

    /// Pixels of a picture `[1, patches, in_channels * patch_size²]`, those of a patch plane by plane and row by row, to what is
    /// seen in them, `[1, 1 + patches, d]`, the class token first. `go_on` is asked before each block: how many of how many are
    /// done. `None` if it said to stop.
    pub fn forward_while(&self, patches: Tensor<3>, go_on: &mut dyn FnMut(usize, usize) -> Flow) -> Option<Tensor<3>> {
        let mut x = self.embedding.forward(patches);
        for (n, layer) in self.layers.iter().enumerate() {
            if go_on(n, self.layers.len()) == Flow::Stop {
                return None;
            }
            x = layer.forward(x, &mut KvCache::default());
        }
        Some(x)
    }

    /// Bytes the linear layers take in memory.
    pub fn bytes(&self) -> usize {
        self.layers.iter().map(EvaBlock::bytes).sum::<usize>() + self.embedding.proj.bytes()
    }
}

/// Name of a block in the checkpoint.
fn block_prefix(prefix: &str, block: usize) -> String {
    format!("{prefix}.transformer.layers.{block}")
}

/// Tensors in front of the blocks.
fn embedding_tensors(config: &EvaVisionConfig, prefix: &str) -> Vec<TensorShape> {
    let (d, side) = (config.hidden_size, config.patch_size);
    let tensors = [
        ("proj.weight", vec![d, config.in_channels, side, side]),
        ("proj.bias", vec![d]),
        ("cls_embedding", vec![1, d]),
        ("position_embedding.weight", vec![config.num_positions, d]),
    ];
    tensors.map(|(name, shape)| (format!("{prefix}.{PATCH_EMBEDDING}.{name}"), shape)).into()
}

/// From pixels to the input of the first block. The checkpoint stores a convolution whose windows do not overlap, which is one
/// product with the pixels of every patch.
#[derive(Debug)]
struct PatchEmbedding {
    /// From the pixels of a patch: plane by plane, row by row.
    proj: Linear,
    /// `[1, d]`
    cls_embedding: Tensor<2>,
    /// `[1 + patches, d]`
    position_embedding: Tensor<2>,
}

impl PatchEmbedding {
    fn load(
        checkpoint: &Checkpoint,
        config: &EvaVisionConfig,
        prefix: &str,
        device: &Device,
    ) -> Result<Self, CheckpointError> {
        let (d, channels, side) = (config.hidden_size, config.in_channels, config.patch_size);
        let name = |tensor: &str| format!("{prefix}.{PATCH_EMBEDDING}.{tensor}");
        let kernel = checkpoint.tensor(&name("proj.weight"), &[d, channels, side, side])?;
        let bias = checkpoint.tensor(&name("proj.bias"), &[d])?;
        let positions = [config.num_positions, d];
        Ok(Self {
            proj: Linear::from_rows(kernel, d, Some(bias), device),
            cls_embedding: load(checkpoint, &name("cls_embedding"), [1, d], device)?,
            position_embedding: load(checkpoint, &name("position_embedding.weight"), positions, device)?,
        })
    }

    /// `[1, patches, in_channels * patch_size²]` to `[1, 1 + patches, d]`.
    fn forward(&self, patches: Tensor<3>) -> Tensor<3> {
        let patches = self.proj.forward(patches);
        let x = Tensor::cat(vec![self.cls_embedding.clone().unsqueeze(), patches], 1);
        x + self.position_embedding.clone().unsqueeze()
    }
}
