//! From what the vision tower sees to what the language model reads.

use burn::tensor::{Device, Tensor};

use super::Idefics3Config;
use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::int4::Precision;
use crate::nn::Linear;

/// Name of the connector's only layer in the checkpoint.
pub const PROJECTION: &str = "model.connector.modality_projection.proj";

/// Pixel shuffle and a projection: squares of `scale_factor²` patches become one position.
#[derive(Debug)]
pub struct Connector {
    proj: Linear,
    scale_factor: usize,
}

impl Connector {
    /// Widths of what the projection reads and of what it makes.
    pub(super) fn widths(config: &Idefics3Config) -> [usize; 2] {
        [config.vision_config.hidden_size * config.scale_factor.pow(2), config.text_config.hidden_size]
    }

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
        let [in_features, out_features] = Self::widths(config);
        let proj = Linear::load(checkpoint, PROJECTION, in_features, out_features, device)?;
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

/// `[b, side², d]` to `[b, (side / scale)², scale² d]`: the patches of a square one after the other, row by row.
fn pixel_shuffle(x: Tensor<3>, scale: usize) -> Tensor<3> {
    let [b, patches, d] = x.dims();
    let squares = patches.isqrt() / scale;
    x.reshape([b, squares, scale, squares, scale, d]).permute([0, 1, 3, 2, 4, 5]).reshape([
        b,
        squares * squares,
        scale * scale * d,
    ])
}

#[cfg(test)]
mod tests {
    use burn::tensor::TensorData;

    use super::*;

    #[test]
    fn a_square_of_patches_becomes_one_position() {
        // Four by four patches of width 1, numbered.
        let x: Vec<f32> = (0..16).map(|n| n as f32).collect();
        let x = Tensor::<3>::from_data(TensorData::new(x, [1, 16, 1]), &Device::flex());
        let shuffled: Vec<f32> = pixel_shuffle(x, 2).into_data().try_into_vec().unwrap();
        assert_eq!(shuffled, [0, 1, 4, 5, 2, 3, 6, 7, 8, 9, 12, 13, 10, 11, 14, 15].map(|n| n as f32));
    }
}
