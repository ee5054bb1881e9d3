//! Block formats of ggml and how each becomes `f32`.
//!
//! The layouts are those of `ggml-quants.c` and `gguf-py/gguf/quants.py` (MIT). A block of 32 has one scale `d` (and an
//! offset `m` in the `_1` formats); a K block of 256 has sub-blocks whose scales are themselves quantized.

use half::{bf16, f16};
use rayon::prelude::*;

use crate::checkpoint::StoredType;

/// Blocks that one task of the thread pool takes at least.
const BLOCKS_PER_TASK: usize = 4096;

/// A way GGUF stores tensors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    F32,
    F16,
    BF16,
    Q4_0,
    Q4_1,
    Q5_0,
    Q5_1,
    Q8_0,
    Q4K,
    Q5K,
    Q6K,
}

impl Format {
    /// By ggml's type number; the error is a name for the type.
    pub(super) fn from_ggml(kind: u32) -> Result<Self, String> {
        Ok(match kind {
            0 => Self::F32,
            1 => Self::F16,
            2 => Self::Q4_0,
            3 => Self::Q4_1,
            6 => Self::Q5_0,
            7 => Self::Q5_1,
            8 => Self::Q8_0,
            12 => Self::Q4K,
            13 => Self::Q5K,
            14 => Self::Q6K,
            30 => Self::BF16,
            10 => return Err("Q2_K".into()),
            11 => return Err("Q3_K".into()),
            16..=23 | 29 => return Err("an IQ format".into()),
            other => return Err(format!("ggml type {other}")),
        })
    }

    /// Elements of one block.
    pub(super) fn block_len(self) -> usize {
        match self {
            Self::F32 | Self::F16 | Self::BF16 => 1,
            Self::Q4_0 | Self::Q4_1 | Self::Q5_0 | Self::Q5_1 | Self::Q8_0 => 32,
            Self::Q4K | Self::Q5K | Self::Q6K => 256,
        }
    }

    fn block_bytes(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F16 | Self::BF16 => 2,
            Self::Q4_0 => 18,
            Self::Q4_1 => 20,
            Self::Q5_0 => 22,
            Self::Q5_1 => 24,
            Self::Q8_0 => 34,
            Self::Q4K => 144,
            Self::Q5K => 176,
            Self::Q6K => 210,
        }
    }

    /// Bytes that so many elements take, `None` if that overflows.
    pub(super) fn stored_bytes(self, elements: usize) -> Option<usize> {
        (elements / self.block_len()).checked_mul(self.block_bytes())
    }

    pub(super) fn stored_type(self) -> StoredType {
        match self {
            Self::F32 => StoredType::F32,
            Self::F16 => StoredType::F16,
            Self::BF16 => StoredType::BF16,
            Self::Q4_0 => StoredType::Block("Q4_0"),
            Self::Q4_1 => StoredType::Block("Q4_1"),
            Self::Q5_0 => StoredType::Block("Q5_0"),
            Self::Q5_1 => StoredType::Block("Q5_1"),
            Self::Q8_0 => StoredType::Block("Q8_0"),
            Self::Q4K => StoredType::Block("Q4_K"),
            Self::Q5K => StoredType::Block("Q5_K"),
            Self::Q6K => StoredType::Block("Q6_K"),
        }
    }

    /// All elements as `f32`.
    pub(super) fn dequantize(self, bytes: &[u8]) -> Vec<f32> {
        match self {
            Self::F32 => each(bytes, |b: &[u8; 4], y: &mut [f32; 1]| y[0] = f32::from_le_bytes(*b)),
            Self::F16 => each(bytes, |b: &[u8; 2], y: &mut [f32; 1]| y[0] = f16::from_le_bytes(*b).to_f32()),
            Self::BF16 => each(bytes, |b: &[u8; 2], y: &mut [f32; 1]| y[0] = bf16::from_le_bytes(*b).to_f32()),
            Self::Q4_0 => each(bytes, q4_0),
            Self::Q4_1 => each(bytes, q4_1),
            Self::Q5_0 => each(bytes, q5_0),
            Self::Q5_1 => each(bytes, q5_1),
            Self::Q8_0 => each(bytes, q8_0),
            Self::Q4K => each(bytes, q4_k),
            Self::Q5K => each(bytes, q5_k),
            Self::Q6K => each(bytes, q6_k),
        }
    }
}

/// Applies `block` to every `B` bytes, which become `N` elements.
fn each<const B: usize, const N: usize>(bytes: &[u8], block: impl Fn(&[u8; B], &mut [f32; N]) + Sync) -> Vec<f32> {
    let blocks = bytes.as_chunks::<B>().0;
    let mut values = vec![0.0; blocks.len() * N];
    let out = values.as_chunks_mut::<N>().0;
    blocks.par_iter().zip(out).with_min_len(BLOCKS_PER_TASK).for_each(|(b, y)| block(b, y));
    values
}

/// The 16-bit float at `at`.
fn half_at<const B: usize>(block: &[u8; B], at: usize) -> f32 {
    f16::from_le_bytes([block[at], block[at + 1]]).to_f32()
}

/// `d: f16, codes: [u8; 16]`; low nibbles are the first sixteen elements.
fn q4_0(block: &[u8; 18], y: &mut [f32; 32]) {
    let d = half_at(block, 0);
    for j in 0..16 {
        let codes = block[2 + j];
        y[j] = d * (f32::from(codes & 15) - 8.0);
        y[j + 16] = d * (f32::from(codes >> 4) - 8.0);
    }
}

/// `d: f16, m: f16, codes: [u8; 16]`.
fn q4_1(block: &[u8; 20], y: &mut [f32; 32]) {
    let (d, m) = (half_at(block, 0), half_at(block, 2));
    for j in 0..16 {
        let codes = block[4 + j];
        y[j] = d * f32::from(codes & 15) + m;
        y[j + 16] = d * f32::from(codes >> 4) + m;
    }
}

/// The two 5-bit codes at `j`: nibbles in `low`, fifth bits in `high`.
fn five_bits(low: u8, high: u32, j: usize) -> (f32, f32) {
    let first = (low & 15) | ((high >> j & 1) << 4) as u8;
    let second = (low >> 4) | ((high >> (j + 16) & 1) << 4) as u8;
    (first.into(), second.into())
}

/// `d: f16, high bits: u32, codes: [u8; 16]`.
fn q5_0(block: &[u8; 22], y: &mut [f32; 32]) {
    let d = half_at(block, 0);
    let high = u32::from_le_bytes([block[2], block[3], block[4], block[5]]);
    for j in 0..16 {
        let (first, second) = five_bits(block[6 + j], high, j);
        y[j] = d * (first - 16.0);
        y[j + 16] = d * (second - 16.0);
    }
}

/// `d: f16, m: f16, high bits: u32, codes: [u8; 16]`.
fn q5_1(block: &[u8; 24], y: &mut [f32; 32]) {
    let (d, m) = (half_at(block, 0), half_at(block, 2));
    let high = u32::from_le_bytes([block[4], block[5], block[6], block[7]]);
    for j in 0..16 {
        let (first, second) = five_bits(block[8 + j], high, j);
        y[j] = d * first + m;
        y[j + 16] = d * second + m;
    }
}

/// `d: f16, codes: [i8; 32]`.
fn q8_0(block: &[u8; 34], y: &mut [f32; 32]) {
    let d = half_at(block, 0);
    for (y, &code) in y.iter_mut().zip(&block[2..]) {
        *y = d * f32::from(code.cast_signed());
    }
}

/// The 6-bit scale and minimum of sub-block `j` (of eight), packed in twelve bytes from `at`.
fn scale_and_min<const B: usize>(block: &[u8; B], at: usize, j: usize) -> (f32, f32) {
    let q = |k: usize| block[at + k];
    let (scale, min) = if j < 4 {
        (q(j) & 63, q(j + 4) & 63)
    } else {
        ((q(j + 4) & 15) | (q(j - 4) >> 6) << 4, (q(j + 4) >> 4) | (q(j) >> 6) << 4)
    };
    (scale.into(), min.into())
}

/// `d: f16, dmin: f16, scales and minima: [u8; 12], codes: [u8; 128]`.
fn q4_k(block: &[u8; 144], y: &mut [f32; 256]) {
    let (d, dmin) = (half_at(block, 0), half_at(block, 2));
    for pair in 0..4 {
        let (s0, m0) = scale_and_min(block, 4, 2 * pair);
        let (s1, m1) = scale_and_min(block, 4, 2 * pair + 1);
        for l in 0..32 {
            let codes = block[16 + 32 * pair + l];
            y[64 * pair + l] = d * s0 * f32::from(codes & 15) - dmin * m0;
            y[64 * pair + 32 + l] = d * s1 * f32::from(codes >> 4) - dmin * m1;
        }
    }
}

/// `d: f16, dmin: f16, scales and minima: [u8; 12], high bits: [u8; 32], codes: [u8; 128]`.
fn q5_k(block: &[u8; 176], y: &mut [f32; 256]) {
    let (d, dmin) = (half_at(block, 0), half_at(block, 2));
    for pair in 0..4 {
        let (s0, m0) = scale_and_min(block, 4, 2 * pair);
        let (s1, m1) = scale_and_min(block, 4, 2 * pair + 1);
        for l in 0..32 {
            let codes = block[48 + 32 * pair + l];
            let high = block[16 + l] >> (2 * pair);
            y[64 * pair + l] = d * s0 * f32::from(codes & 15 | (high & 1) << 4) - dmin * m0;
            y[64 * pair + 32 + l] = d * s1 * f32::from(codes >> 4 | (high & 2) << 3) - dmin * m1;
        }
    }
}

/// `low nibbles: [u8; 128], high bit pairs: [u8; 64], scales: [i8; 16], d: f16`.
fn q6_k(block: &[u8; 210], y: &mut [f32; 256]) {
    let d = half_at(block, 208);
    for half in 0..2 {
        for quarter in 0..4 {
            for l in 0..32 {
                let low = block[64 * half + 32 * (quarter % 2) + l] >> (4 * (quarter / 2)) & 15;
                let high = block[128 + 32 * half + l] >> (2 * quarter) & 3;
                let scale = block[192 + 8 * half + 2 * quarter + l / 16].cast_signed();
                let code = i16::from(low | high << 4) - 32;
                y[128 * half + 32 * quarter + l] = d * f32::from(scale) * f32::from(code);
            }
        }
    }
}
