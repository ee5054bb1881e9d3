//! A matrix in 8-bit rows: the token embedding, and the same matrix as output head.
//!
//! A small language model's vocabulary is a quarter of its weights, all of which every generated token reads once. Eight
//! bit with one scale per row halves that against f16 and changes the output by less than rounding a 4-bit layer does.

use std::sync::Arc;

use burn::tensor::{Device, Int, Tensor};

use super::PackError;
use super::cpu::{Precision, Tiles};
#[cfg(feature = "wgpu")]
use super::gpu::GpuMatrix;
use crate::cpu::{Isa, flex};

/// `[rows, width]` weights, `W[r, i] = scale[r] * code[r, i]` with codes -127..=127.
///
/// Cloning shares the weights.
#[derive(Debug, Clone)]
pub struct Int8Rows {
    rows: usize,
    width: usize,
    precision: Precision,
    weights: Weights,
}

#[derive(Debug, Clone)]
enum Weights {
    Cpu(Arc<Tiles>),
    #[cfg(feature = "wgpu")]
    Gpu(GpuMatrix),
}

impl Int8Rows {
    /// Rounds `values` `[rows, width]` to 8 bit, row by row.
    ///
    /// # Errors
    /// [`PackError`] if `values` is empty or no multiple of `width`, holds a value that is not finite, or `device` is one
    /// we have no kernels for.
    pub fn quantize(values: &[f32], width: usize, device: &Device) -> Result<Self, PackError> {
        let (codes, scales) = quantize_rows(values, width)?;
        Self::from_codes(&codes, &scales, width, device)
    }

    /// Takes codes `[rows, width]` and one scale per row as they are, from a file for instance.
    ///
    /// # Errors
    /// [`PackError`] if the lengths do not fit, a code is -128, a scale is not finite, or `device` is one we have no
    /// kernels for.
    pub fn from_codes(codes: &[i8], scales: &[f32], width: usize, device: &Device) -> Result<Self, PackError> {
        let rows = scales.len();
        if width == 0 || rows == 0 || rows.checked_mul(width) != Some(codes.len()) {
            let expected = rows.saturating_mul(width).max(1);
            return Err(PackError::Length { what: "8-bit rows", found: codes.len(), expected });
        }
        if codes.contains(&i8::MIN) {
            return Err(PackError::Range { what: "8-bit code", value: i64::from(i8::MIN) });
        }
        if !scales.iter().all(|s| s.is_finite()) {
            return Err(PackError::NotFinite("scales of 8-bit rows"));
        }
        let weights = if flex::is_cpu(device) {
            Weights::Cpu(Arc::new(Tiles::from_rows8(width, codes, scales)))
        } else {
            gpu_weights(codes, scales, width, device)?
        };
        Ok(Self { rows, width, precision: Precision::default(), weights })
    }

    /// The same matrix with inputs of [`Int8Rows::forward`] read at another precision (CPU only).
    #[must_use]
    pub fn with_precision(self, precision: Precision) -> Self {
        Self { precision, ..self }
    }

    /// Number of rows: the size of the vocabulary.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Width of a row: that of the model.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Bytes the weights take in memory.
    pub fn bytes(&self) -> usize {
        match &self.weights {
            Weights::Cpu(tiles) => tiles.bytes(),
            #[cfg(feature = "wgpu")]
            Weights::Gpu(matrix) => matrix.bytes(),
        }
    }

    /// As output head: `x` `[.., width]` to `x W^T`, `[.., rows]`.
    ///
    /// # Panics
    /// If the last dimension of `x` is not `width`, or `x` lives on another device.
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let mut shape = x.dims();
        assert_eq!(shape[D - 1], self.width, "width of the input of 8-bit rows");
        shape[D - 1] = self.rows;
        match &self.weights {
            Weights::Cpu(tiles) => {
                let mut out = vec![0.0; shape.iter().product()];
                flex::with_values(x, |x| tiles.matmul(Isa::chosen(), self.precision, x, None, &mut out));
                flex::from_values(out, shape)
            }
            #[cfg(feature = "wgpu")]
            Weights::Gpu(matrix) => {
                let inputs = shape[..D - 1].iter().product();
                matrix.forward(x.reshape([inputs, self.width])).reshape(shape)
            }
        }
    }

    /// As embedding: the dequantized rows `tokens`, `[tokens, width]`.
    ///
    /// # Panics
    /// If a token is not below [`Int8Rows::rows`]; tokenizers of another model are refused when a model is loaded.
    pub fn gather(&self, tokens: &[u32], device: &Device) -> Tensor<2> {
        assert!(tokens.iter().all(|&t| (t as usize) < self.rows), "token of another vocabulary");
        let shape = [tokens.len(), self.width];
        match &self.weights {
            Weights::Cpu(tiles) => {
                let mut out = vec![0.0; tokens.len() * self.width];
                for (row, &token) in out.chunks_exact_mut(self.width).zip(tokens) {
                    tiles.row8(token as usize, row);
                }
                flex::from_values(out, shape)
            }
            #[cfg(feature = "wgpu")]
            Weights::Gpu(matrix) => {
                let tokens: Vec<i32> = tokens.iter().map(|&t| t as i32).collect();
                matrix.columns(Tensor::<1, Int>::from_data(&tokens[..], device))
            }
        }
    }
}

/// Codes `[rows, width]` and one scale per row for `values` `[rows, width]`.
pub(crate) fn quantize_rows(values: &[f32], width: usize) -> Result<(Vec<i8>, Vec<f32>), PackError> {
    if width == 0 || values.is_empty() || !values.len().is_multiple_of(width) {
        let expected = width * (values.len().checked_div(width).unwrap_or(0)).max(1);
        return Err(PackError::Length { what: "8-bit rows", found: values.len(), expected });
    }
    let rows = values.len() / width;
    let mut codes = vec![0i8; values.len()];
    let mut scales = vec![0.0; rows];
    for ((row, codes), scale) in values.chunks_exact(width).zip(codes.chunks_exact_mut(width)).zip(&mut scales) {
        *scale = quantize_row(row, codes)?;
    }
    Ok((codes, scales))
}

/// Fills `codes` and returns the scale.
fn quantize_row(row: &[f32], codes: &mut [i8]) -> Result<f32, PackError> {
    if !row.iter().all(|v| v.is_finite()) {
        return Err(PackError::NotFinite("8-bit rows"));
    }
    let largest = row.iter().fold(0.0f32, |max, v| max.max(v.abs()));
    let scale = largest / 127.0;
    if scale > 0.0 {
        for (code, v) in codes.iter_mut().zip(row) {
            *code = (v / scale).round_ties_even().clamp(-127.0, 127.0) as i8;
        }
    }
    Ok(scale)
}

#[cfg(feature = "wgpu")]
fn gpu_weights(codes: &[i8], scales: &[f32], width: usize, device: &Device) -> Result<Weights, PackError> {
    Ok(Weights::Gpu(GpuMatrix::from_rows8(codes, scales, width, device)))
}

#[cfg(not(feature = "wgpu"))]
fn gpu_weights(_: &[i8], _: &[f32], _: usize, device: &Device) -> Result<Weights, PackError> {
    Err(PackError::Device(format!("{device:?}")))
}
