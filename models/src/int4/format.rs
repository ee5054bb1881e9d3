//! One packed linear layer as the folder stores it: GPTQ v2, as GPTQModel, transformers and vLLM read it.

use half::f16;

/// Bits of one code.
pub const BITS: u32 = 4;
/// Codes in one stored 32-bit word.
pub const PER_WORD: usize = 8;

/// A linear layer `y = x W^T (+ bias)` with 4-bit codes: `W[o, i] = scale[g, o] * (code[o, i] - zero[g, o])`, `g = g_idx[i]`.
///
/// Field names, element types and shapes are those of the GPTQ v2 checkpoint format (zero points stored as they are).
#[derive(Debug, Clone, PartialEq)]
pub struct PackedLinear {
    /// Width of the input.
    pub in_features: usize,
    /// Width of the output.
    pub out_features: usize,
    /// Input columns that share a scale; equals `in_features` for per-channel scales.
    pub group_size: usize,
    /// `[in / 8, out]`, eight codes of one output column in one word, the first in the lowest bits.
    pub qweight: Vec<i32>,
    /// `[groups, out / 8]`, eight zero points of neighbouring output columns in one word.
    pub qzeros: Vec<i32>,
    /// `[groups, out]`.
    pub scales: Vec<f16>,
    /// `[in]`, the group of every input column (act-order makes it other than `i / group_size`).
    pub g_idx: Vec<i32>,
    /// `[out]`, if the layer has one.
    pub bias: Option<Vec<f32>>,
}

/// Why codes could not be packed or a stored layer is not valid.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PackError {
    /// Lengths do not fit the widths.
    #[error("packed layer: {what} has {found} elements, expected {expected}")]
    Length {
        /// Which array.
        what: &'static str,
        /// Elements found.
        found: usize,
        /// Elements expected.
        expected: usize,
    },
    /// A width that the format cannot hold.
    #[error("packed layer: {0}")]
    Width(String),
    /// A code, zero point or group index out of range.
    #[error("packed layer: {what} {value} is out of range")]
    Range {
        /// Which value.
        what: &'static str,
        /// The value.
        value: i64,
    },
}
