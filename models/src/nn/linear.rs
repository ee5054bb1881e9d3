//! A linear layer whose weights are floats, 8-bit rows or packed to 4 bit: a network does not see the difference.

use burn::tensor::{Device, Tensor, TensorData};

use super::{load, unusable};
use crate::checkpoint::{Checkpoint, CheckpointError, RowsI8};
use crate::int4::{Int4Linear, Int8Rows, PackedLinear, Precision};

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
    /// 8-bit rows with one scale each.
    Rows8 {
        /// `[out, in]`
        weight: Int8Rows,
        /// `[out]`
        bias: Option<Tensor<1>>,
    },
}

impl Linear {
    /// Reads `prefix.weight`, its 8-bit rows or, if the layer is packed, `prefix.qweight` and its companions; the bias if
    /// there is one.
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
            return Self::from_packed(prefix, &packed, device);
        }
        let bias = load_bias(checkpoint, prefix, out_features)?;
        if let Some(rows) = checkpoint.rows_i8(prefix, out_features, in_features)? {
            return Self::from_rows_i8(prefix, &rows, bias, device);
        }
        let weight = load(checkpoint, &format!("{prefix}.weight"), [out_features, in_features], device)?;
        Ok(Linear::Float { weight, bias: bias.map(|b| on_device(b, device)) })
    }

    /// A layer of 8-bit rows; `name` is for the error.
    ///
    /// # Errors
    /// [`CheckpointError::Config`] if the rows are not valid or the device has no kernels.
    pub fn from_rows_i8(
        name: &str,
        (codes, scales): &RowsI8,
        bias: Option<Vec<f32>>,
        device: &Device,
    ) -> Result<Self, CheckpointError> {
        let in_features = codes.len() / scales.len().max(1);
        let weight = Int8Rows::from_codes(codes, scales, in_features, device).map_err(|e| unusable(name, &e))?;
        Ok(Linear::Rows8 { weight, bias: bias.map(|b| on_device(b, device)) })
    }

    /// A packed layer, laid out for `device`; `name` is for the error.
    ///
    /// # Errors
    /// [`CheckpointError::Config`] if it is not valid or the device has no kernels.
    pub fn from_packed(name: &str, packed: &PackedLinear, device: &Device) -> Result<Self, CheckpointError> {
        Int4Linear::new(packed, device).map(Self::Int4).map_err(|e| unusable(name, &e))
    }

    /// A full-precision layer from row-major weights `[out, in]`.
    pub fn from_rows(weight: Vec<f32>, out_features: usize, bias: Option<Vec<f32>>, device: &Device) -> Self {
        let in_features = weight.len() / out_features;
        Linear::Float {
            weight: Tensor::from_data(TensorData::new(weight, [out_features, in_features]), device),
            bias: bias.map(|b| on_device(b, device)),
        }
    }

    /// `x` `[.., in]` to `[.., out]`.
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let (y, bias) = match self {
            Linear::Int4(layer) => return layer.forward(x),
            Linear::Rows8 { weight, bias } => (weight.forward(x), bias),
            Linear::Float { weight, bias } => (project(x, weight), bias),
        };
        match bias {
            Some(bias) => y + bias.clone().unsqueeze(),
            None => y,
        }
    }

    /// The same with its input read at another precision where the weights are not floats (CPU only).
    #[must_use]
    pub fn with_precision(self, precision: Precision) -> Self {
        match self {
            Self::Int4(layer) => Self::Int4(layer.with_precision(precision)),
            Self::Rows8 { weight, bias } => Self::Rows8 { weight: weight.with_precision(precision), bias },
            float @ Self::Float { .. } => float,
        }
    }

    /// Bytes the weights take in memory.
    pub fn bytes(&self) -> usize {
        match self {
            Linear::Int4(layer) => layer.bytes(),
            Linear::Rows8 { weight, .. } => weight.bytes(),
            Linear::Float { weight, .. } => weight.shape().num_elements() * size_of::<f32>(),
        }
    }
}

fn on_device(bias: Vec<f32>, device: &Device) -> Tensor<1> {
    let len = bias.len();
    Tensor::from_data(TensorData::new(bias, [len]), device)
}

/// `x` `[.., in]` times the transpose of `weight` `[out, in]`.
pub(super) fn project<const D: usize>(x: Tensor<D>, weight: &Tensor<2>) -> Tensor<D> {
    let [out_features, in_features] = weight.dims();
    let mut shape = x.dims();
    let rows = shape[..D - 1].iter().product::<usize>();
    shape[D - 1] = out_features;
    x.reshape([rows, in_features]).matmul(weight.clone().transpose()).reshape(shape)
}

/// `prefix.bias`, if it is there.
pub(super) fn load_bias(
    checkpoint: &Checkpoint,
    prefix: &str,
    out_features: usize,
) -> Result<Option<Vec<f32>>, CheckpointError> {
    let name = format!("{prefix}.bias");
    match checkpoint.tensors.info(&name) {
        Some(_) => Ok(Some(checkpoint.tensor(&name, &[out_features])?)),
        None => Ok(None),
    }
}
