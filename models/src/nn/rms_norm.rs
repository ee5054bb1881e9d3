//! Root-mean-square norm (Zhang and Sennrich 2019), as Llama uses it.

use burn::tensor::{Device, Tensor};

use super::load;
use crate::checkpoint::{Checkpoint, CheckpointError};

/// `x / sqrt(mean(x²) + eps) * weight` over the last dimension.
#[derive(Debug, Clone)]
pub struct RmsNorm {
    /// `[d]`
    weight: Tensor<1>,
    eps: f64,
}

impl RmsNorm {
    /// Reads `prefix.weight` `[d]`.
    ///
    /// # Errors
    /// [`CheckpointError`] if it is missing, of another shape, or damaged.
    pub fn load(
        checkpoint: &Checkpoint,
        prefix: &str,
        d: usize,
        eps: f64,
        device: &Device,
    ) -> Result<Self, CheckpointError> {
        Ok(Self { weight: load(checkpoint, &format!("{prefix}.weight"), [d], device)?, eps })
    }

    /// `x` `[.., d]`, normed.
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let mean_square = x.clone().square().mean_dim(D - 1);
        x * mean_square.add_scalar(self.eps).sqrt().recip() * self.weight.clone().unsqueeze()
    }
}
