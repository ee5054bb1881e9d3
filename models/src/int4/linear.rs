//! The packed 4-bit linear layer as a network uses it.

use std::sync::Arc;

use burn::tensor::{Device, Tensor};

use super::cpu::{Precision, Tiles};
#[cfg(feature = "wgpu")]
use super::gpu::GpuMatrix;
use super::{PackError, PackedLinear};
use crate::cpu::{Isa, flex};

/// `y = x W^T (+ bias)` with 4-bit weights that stay packed in memory.
///
/// Cloning shares the weights.
#[derive(Debug, Clone)]
pub struct Int4Linear {
    in_features: usize,
    out_features: usize,
    precision: Precision,
    weights: Weights,
}

#[derive(Debug, Clone)]
enum Weights {
    Cpu(Arc<CpuWeights>),
    #[cfg(feature = "wgpu")]
    Gpu(GpuMatrix),
}

#[derive(Debug)]
struct CpuWeights {
    tiles: Tiles,
    bias: Option<Vec<f32>>,
}

impl Int4Linear {
    /// Lays the weights out for the kernels of `device`. Act-order is undone here: columns are put in the order of their
    /// groups, and inputs are gathered in that order.
    ///
    /// # Errors
    /// [`PackError`] if `packed` is not valid, or `device` is one we have no kernels for.
    pub fn new(packed: &PackedLinear, device: &Device) -> Result<Self, PackError> {
        packed.validate()?;
        let weights = if flex::is_cpu(device) {
            Weights::Cpu(Arc::new(CpuWeights { tiles: Tiles::from_packed(packed)?, bias: packed.bias.clone() }))
        } else {
            gpu_weights(packed, device)?
        };
        let (in_features, out_features) = (packed.in_features, packed.out_features);
        Ok(Self { in_features, out_features, precision: Precision::default(), weights })
    }

    /// The same layer with inputs read at another precision. Only the CPU kernels differ: the GPU always computes in f32.
    #[must_use]
    pub fn with_precision(self, precision: Precision) -> Self {
        Self { precision, ..self }
    }

    /// Width of the input.
    pub fn in_features(&self) -> usize {
        self.in_features
    }

    /// Width of the output.
    pub fn out_features(&self) -> usize {
        self.out_features
    }

    /// Bytes the weights take in memory.
    pub fn bytes(&self) -> usize {
        match &self.weights {
            Weights::Cpu(weights) => weights.tiles.bytes() + weights.bias.as_ref().map_or(0, |b| size_of_val(&b[..])),
            #[cfg(feature = "wgpu")]
            Weights::Gpu(matrix) => matrix.bytes(),
        }
    }

    /// `x` `[.., in]` to `[.., out]`, the bias added.
    ///
    /// # Panics
    /// If the last dimension of `x` is not `in_features`, or `x` lives on another device than the layer.
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let mut shape = x.dims();
        assert_eq!(shape[D - 1], self.in_features, "width of the input of a packed linear layer");
        shape[D - 1] = self.out_features;
        match &self.weights {
            Weights::Cpu(weights) => {
                let CpuWeights { tiles, bias } = weights.as_ref();
                let mut out = vec![0.0; shape.iter().product()];
                flex::with_values(x, |x| tiles.matmul(Isa::chosen(), self.precision, x, bias.as_deref(), &mut out));
                flex::from_values(out, shape)
            }
            #[cfg(feature = "wgpu")]
            Weights::Gpu(matrix) => {
                let rows = shape[..D - 1].iter().product();
                matrix.forward(x.reshape([rows, self.in_features])).reshape(shape)
            }
        }
    }
}

#[cfg(feature = "wgpu")]
fn gpu_weights(packed: &PackedLinear, device: &Device) -> Result<Weights, PackError> {
    Ok(Weights::Gpu(GpuMatrix::from_packed(packed, device)))
}

#[cfg(not(feature = "wgpu"))]
fn gpu_weights(_: &PackedLinear, device: &Device) -> Result<Weights, PackError> {
    Err(PackError::Device(format!("{device:?}")))
}
