//! A linear layer whose weights are floats or packed to 4 bit: a network does not see the difference.

use burn::tensor::{Device, Tensor, TensorData};

use super::load;
use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::int4::Int4Linear;

/// `y = x W^T (+ bias)`.
#[derive(Debug, Clone)]
pub enum Linear {
    /// Full precision.
    Float {
        /// `[out, in]`
        weight: Tensor<2>,
        /// `[out]`
        bias: Option<Tensor<1>>,
    },
    /// Packed to 4 bit.
    Int4(Int4Linear),
}

impl Linear {
    /// Reads `prefix.weight` or, if the layer is packed, `prefix.qweight` and its companions; the bias if there is one.
    ///
    /// # Errors
    /// [`CheckpointError`] if the layer is missing, of other widths, or damaged.
    pub fn load(
        checkpoint: &Checkpoint,
        prefix: &str,
        in_features: usize,
        out_features: usize,
        device: &Device,
    ) -> Result<Self, CheckpointError> {
        if let Some(packed) = checkpoint.packed(prefix, in_features, out_features)? {
            let layer = Int4Linear::new(&packed, device)
                .map_err(|e| CheckpointError::Config(format!("layer {prefix} cannot be used: {e}")))?;
            return Ok(Linear::Int4(layer));
        }
        let weight = load(checkpoint, &format!("{prefix}.weight"), [out_features, in_features], device)?;
        let bias = format!("{prefix}.bias");
        let bias = match checkpoint.tensors.info(&bias) {
            Some(_) => Some(load(checkpoint, &bias, [out_features], device)?),
            None => None,
        };
        Ok(Linear::Float { weight, bias })
    }

    /// A full-precision layer from row-major weights `[out, in]`.
    pub fn from_rows(weight: Vec<f32>, out_features: usize, bias: Option<Vec<f32>>, device: &Device) -> Self {
        let in_features = weight.len() / out_features;
        Linear::Float {
            weight: Tensor::from_data(TensorData::new(weight, [out_features, in_features]), device),
            bias: bias.map(|b| Tensor::from_data(TensorData::new(b, [out_features]), device)),
        }
    }

    /// `x` `[.., in]` to `[.., out]`.
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let (weight, bias) = match self {
            Linear::Int4(layer) => return layer.forward(x),
            Linear::Float { weight, bias } => (weight, bias),
        };
        let mut shape = x.dims();
        let rows = shape[..D - 1].iter().product::<usize>();
        let y = x.reshape([rows, shape[D - 1]]).matmul(weight.clone().transpose());
        let y = match bias {
            Some(bias) => y + bias.clone().unsqueeze(),
            None => y,
        };
        shape[D - 1] = weight.dims()[0];
        y.reshape(shape)
    }

    /// Bytes the weights take in memory.
    pub fn bytes(&self) -> usize {
        match self {
            Linear::Int4(layer) => layer.bytes(),
            Linear::Float { weight, .. } => weight.shape().num_elements() * size_of::<f32>(),
        }
    }
}
