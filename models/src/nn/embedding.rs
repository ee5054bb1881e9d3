//! The table of token embeddings, which is also the output head of models that tie the two.

use burn::tensor::{Device, Int, Tensor, TensorData};

use super::linear::project;
use super::{load, unusable};
use crate::checkpoint::{Checkpoint, CheckpointError, StoredType};
use crate::int4::{Int8Rows, Precision};

/// One row for each token of the vocabulary.
#[derive(Debug, Clone)]
pub enum Embedding {
    /// `[vocab, d]` in `f32`.
    Float(Tensor<2>),
    /// 8-bit rows with one scale each.
    Rows8(Int8Rows),
}

impl Embedding {
    /// Loads `{prefix}.weight` `[rows, width]`; rows that are stored in 8 bit stay in 8 bit.
    ///
    /// # Errors
    /// [`CheckpointError`] if the tensor is missing, damaged or of another shape.
    pub fn load(
        checkpoint: &Checkpoint,
        prefix: &str,
        rows: usize,
        width: usize,
        device: &Device,
    ) -> Result<Self, CheckpointError> {
        let name = format!("{prefix}.weight");
        match checkpoint.tensors.info(&name) {
            Some(info) if info.stored == StoredType::RowsI8 && info.shape == [rows, width] => {
                let codes = checkpoint.tensors.read_i8(&format!("{name}_q8"))?;
                let scales = checkpoint.tensor(&format!("{name}_scale"), &[rows])?;
                let rows = Int8Rows::from_codes(&codes, &scales, width, device);
                rows.map(Self::Rows8).map_err(|e| unusable(&name, &e))
            }
            _ => Ok(Self::Float(load(checkpoint, &name, [rows, width], device)?)),
        }
    }

    /// As [`Embedding::load`], but rounds rows that are stored wider to 8 bit: a quarter of the memory, and the output
    /// head, which every generated token reads whole, gets that much faster.
    ///
    /// # Errors
    /// As [`Embedding::load`].
    pub fn load_rows8(
        checkpoint: &Checkpoint,
        prefix: &str,
        rows: usize,
        width: usize,
        device: &Device,
    ) -> Result<Self, CheckpointError> {
        let name = format!("{prefix}.weight");
        if checkpoint.tensors.info(&name).is_some_and(|info| info.stored == StoredType::RowsI8) {
            return Self::load(checkpoint, prefix, rows, width, device);
        }
        let values = checkpoint.tensor(&name, &[rows, width])?;
        Int8Rows::quantize(&values, width, device).map(Self::Rows8).map_err(|e| unusable(&name, &e))
    }

    /// The rows of `tokens`: `[tokens, d]`. Tokens must be below [`Embedding::rows`].
    pub fn lookup(&self, tokens: &[u32], device: &Device) -> Tensor<2> {
        match self {
            Self::Rows8(rows) => rows.gather(tokens, device),
            Self::Float(weight) => {
                let ids: Vec<i32> = tokens.iter().map(|&t| t as i32).collect();
                weight.clone().select(0, Tensor::<1, Int>::from_data(TensorData::new(ids, [tokens.len()]), device))
            }
        }
    }

    /// As output head: `x` `[.., d]` to `[.., vocab]`.
    pub fn project<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        match self {
            Self::Rows8(rows) => rows.forward(x),
            Self::Float(weight) => project(x, weight),
        }
    }

    /// The same with its input read at another precision where the weights are 8-bit rows and serve as head (CPU only).
    #[must_use]
    pub fn with_precision(self, precision: Precision) -> Self {
        match self {
            Self::Rows8(rows) => Self::Rows8(rows.with_precision(precision)),
            float => float,
        }
    }

    /// Size of the vocabulary.
    pub fn rows(&self) -> usize {
        match self {
            Self::Rows8(rows) => rows.rows(),
            Self::Float(weight) => weight.dims()[0],
        }
    }

    /// Bytes the table takes in memory.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Rows8(rows) => rows.bytes(),
            Self::Float(weight) => weight.shape().num_elements() * size_of::<f32>(),
        }
    }
}
