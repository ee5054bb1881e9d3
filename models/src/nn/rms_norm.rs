//! Root-mean-square norm.

use burn::tensor::{Device, Tensor};

use super::load;
use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::cpu::flex;

/// `x / sqrt(mean(x²) + eps) * weight` over the last dimension (Zhang and Sennrich, 2019).
#[derive(Debug, Clone)]
pub struct RmsNorm {
    /// `[d]`
    weight: Tensor<1>,
    eps: f32,
}

impl RmsNorm {
    /// Loads `{prefix}.weight` `[width]`.
    ///
    /// # Errors
    /// [`CheckpointError`] if the tensor is missing, damaged or of another shape.
    pub fn load(
        checkpoint: &Checkpoint,
        prefix: &str,
        width: usize,
        eps: f32,
        device: &Device,
    ) -> Result<Self, CheckpointError> {
        Ok(Self { weight: load(checkpoint, &format!("{prefix}.weight"), [width], device)?, eps })
    }

    /// `x` `[.., d]`, same shape out.
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        if flex::is_cpu(&x.device()) {
            return self.in_one_pass(x);
        }
        let variance = x.clone().square().mean_dim(D - 1);
        x * (variance + self.eps).sqrt().recip() * self.weight.clone().unsqueeze()
    }

    /// The CPU way: one pass over each row instead of six tensors.
    fn in_one_pass<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let shape = x.dims();
        let mut out = vec![0.0; shape.iter().product()];
        flex::with_values(x, |x| {
            flex::with_values(self.weight.clone(), |weight| {
                for (row, out) in x.chunks_exact(weight.len()).zip(out.chunks_exact_mut(weight.len())) {
                    let scale = (sum_of_squares(row) / row.len() as f32 + self.eps).sqrt().recip();
                    for ((out, x), w) in out.iter_mut().zip(row).zip(weight) {
                        *out = x * scale * w;
                    }
                }
            });
        });
        flex::from_values(out, shape)
    }
}

/// With eight running sums: one alone would be a chain that the compiler may not reorder.
fn sum_of_squares(values: &[f32]) -> f32 {
    let mut sums = [0.0; 8];
    let (eights, rest) = values.as_chunks::<8>();
    for eight in eights {
        for (sum, v) in sums.iter_mut().zip(eight) {
            *sum += v * v;
        }
    }
    sums.iter().sum::<f32>() + rest.iter().map(|v| v * v).sum::<f32>()
}
