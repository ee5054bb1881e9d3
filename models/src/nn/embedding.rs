//! The token embedding, which many models use a second time as output head.

use burn::tensor::{Device, Tensor};

use super::Linear;
use crate::checkpoint::{Checkpoint, CheckpointError, StoredType};
use crate::int4::Int8Rows;

/// `[vocab, d]` rows, as floats or 8-bit codes.
#[derive(Debug, Clone)]
pub enum Embedding {
    /// Rows on the host: only the rows of the tokens at hand go to the device.
    Float {
        /// `[vocab, d]`
        rows: std::sync::Arc<Vec<f32>>,
        /// Width of a row.
        width: usize,
        /// The same matrix as output head `[.., d]` → `[.., vocab]`, if the model ties the two.
        head: Option<Linear>,
    },
    /// 8-bit rows with a scale each.
    Int8(Int8Rows),
}

impl Embedding {
    /// Reads `prefix.weight`, or the 8-bit pair that stands for it.
    ///
    /// `as_head`: the matrix will also serve as output head, so a float one is put on the device.
    ///
    /// # Errors
    /// [`CheckpointError`] if it is missing, of another shape, or damaged.
    pub fn load(
        checkpoint: &Checkpoint,
        prefix: &str,
        vocab_size: usize,
        width: usize,
        as_head: bool,
        device: &Device,
    ) -> Result<Self, CheckpointError> {
        let name = format!("{prefix}.weight");
        let info = checkpoint.tensors.info(&name);
        if info.is_some_and(|i| i.stored == StoredType::RowsI8 && i.shape == [vocab_size, width]) {
            let codes = checkpoint.tensors.read_i8(&format!("{prefix}.weight_q8"))?;
            let scales = checkpoint.tensor(&format!("{prefix}.weight_scale"), &[vocab_size])?;
            let rows = Int8Rows::from_codes(&codes, &scales, width, device)
                .map_err(|e| CheckpointError::Config(format!("{prefix} cannot be used: {e}")))?;
            return Ok(Embedding::Int8(rows));
        }
        let rows = checkpoint.tensor(&name, &[vocab_size, width])?;
        let head = as_head.then(|| Linear::from_rows(rows.clone(), vocab_size, None, device));
        Ok(Embedding::Float { rows: rows.into(), width, head })
    }

    /// Rows in the vocabulary.
    pub fn vocab_size(&self) -> usize {
        match self {
            Embedding::Float { rows, width, .. } => rows.len() / width,
            Embedding::Int8(rows) => rows.rows(),
        }
    }

    /// The rows of `tokens`, `[tokens, d]`.
    ///
    /// # Panics
    /// If a token is not below the vocabulary size.
    pub fn gather(&self, tokens: &[u32], device: &Device) -> Tensor<2> {
        match self {
            Embedding::Int8(rows) => rows.gather(tokens, device),
            Embedding::Float { rows, width, .. } => {
                let picked = tokens.iter().flat_map(|&t| &rows[t as usize * width..][..*width]).copied();
                let picked: Vec<f32> = picked.collect();
                Tensor::<1>::from_data(&picked[..], device).reshape([tokens.len(), *width])
            }
        }
    }

    /// As output head: `x` `[.., d]` to `[.., vocab]`; `None` if it was loaded as embedding only.
    pub fn head<const D: usize>(&self, x: Tensor<D>) -> Option<Tensor<D>> {
        match self {
            Embedding::Int8(rows) => Some(rows.forward(x)),
            Embedding::Float { head, .. } => head.as_ref().map(|head| head.forward(x)),
        }
    }

    /// Bytes the rows take in memory.
    pub fn bytes(&self) -> usize {
        match self {
            Embedding::Int8(rows) => rows.bytes(),
            Embedding::Float { rows, head, .. } => size_of_val(&rows[..]) + head.as_ref().map_or(0, Linear::bytes),
        }
    }
}
