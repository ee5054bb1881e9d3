//! From what the vision tower sees to what the language model reads.

use burn::tensor::{Device, Tensor};

use super::Idefics3Config;
use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::int4::Precision;
use crate::nn::Linear;
use crate::vlm::pixel_shuffle::pixel_shuffle;

/// Name of the connector's only layer in the checkpoint.
pub const PROJECTION: &str = "model.connector.modality_projection.proj";

/// Pixel shuffle and a projection: squares of `scale_factor²` patches become one position.
#[derive(Debug)]
pub struct Connector {
    proj: Linear,
    scale_factor: usize,
}

impl Connector {
    /// Reads the projection.
    ///
    /// # Errors
    /// [`CheckpointError`] if it is missing, of another shape, or damaged.
    pub fn load(
        checkpoint: &Checkpoint,
        config: &Idefics3Config,
        precision: Precision,
        device: &Device,
    ) -> Result<Self, CheckpointError> {
        let in_features = config.vision_config.hidden_size * config.scale_factor.pow(2);
        let proj = Linear::load(checkpoint, PROJECTION, in_features, config.text_config.hidden_size, device)?;
        Ok(Self { proj: proj.with_precision(precision), scale_factor: config.scale_factor })
    }

    /// Patches of whole tiles `[b, side², d]` to `[b, (side / scale_factor)², d_text]`.
    pub fn forward(&self, patches: Tensor<3>) -> Tensor<3> {
        self.proj.forward(pixel_shuffle(patches, self.scale_factor))
    }

    /// Bytes the projection takes in memory.
    pub fn bytes(&self) -> usize {
        self.proj.bytes()
    }
}
