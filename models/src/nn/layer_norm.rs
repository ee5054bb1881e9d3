//! Layer norm.

use burn::tensor::{Device, Tensor, module};

use super::load;
use crate::checkpoint::{Checkpoint, CheckpointError};

/// `(x - mean) / sqrt(variance + eps) * weight + bias` over the last dimension (Ba, Kiros and Hinton, 2016).
#[derive(Debug, Clone)]
pub struct LayerNorm {
    /// `[d]`
    weight: Tensor<1>,
    /// `[d]`
    bias: Tensor<1>,
    eps: f64,
}

impl LayerNorm {
    /// Loads `{prefix}.weight` and `{prefix}.bias`, `[width]` each.
    ///
    /// # Errors
    /// [`CheckpointError`] if a tensor is missing, damaged or of another shape.
    pub fn load(
        checkpoint: &Checkpoint,
        prefix: &str,
        width: usize,
        eps: f64,
        device: &Device,
    ) -> Result<Self, CheckpointError> {
        let weight = load(checkpoint, &format!("{prefix}.weight"), [width], device)?;
        let bias = load(checkpoint, &format!("{prefix}.bias"), [width], device)?;
        Ok(Self { weight, bias, eps })
    }

    /// `x` `[.., d]`, same shape out.
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        module::layer_norm(x, self.weight.clone(), Some(self.bias.clone()), self.eps)
    }
}
