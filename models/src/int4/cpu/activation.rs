//! Input rows as the kernels read them: in the order of the padded columns, and for 8-bit products quantized per block.

use super::tiles::{MAX_BLOCK, Tiles};

/// Input rows quantized to 8 bit: `x[m, k] ≈ scale[m, block] * q[m, k]`.
#[derive(Debug)]
pub struct Rows8 {
    /// Padded columns of one row.
    pub columns: usize,
    /// Blocks of one row.
    pub blocks: usize,
    /// `[m, columns]`, -127..=127
    pub q: Vec<i8>,
    /// `[m, blocks]`
    pub scales: Vec<f32>,
    /// `[m, blocks]`: the sum of the block's `q`, which the zero point multiplies.
    pub sums: Vec<f32>,
}

/// Input rows in full precision.
#[derive(Debug)]
pub struct RowsF32<'a> {
    /// Padded columns of one row.
    pub columns: usize,
    /// `[m, columns]`
    pub values: std::borrow::Cow<'a, [f32]>,
}

impl<'a> RowsF32<'a> {
    /// Brings rows `x` `[m, in]` into the order of `tiles`; a copy only where that order differs.
    pub fn new(tiles: &Tiles, x: &'a [f32]) -> Self {
        let columns = tiles.blocks.columns();
        if tiles.takes_rows_as_they_are() {
            return Self { columns, values: x.into() };
        }
        let mut values = vec![0.0; x.len() / tiles.in_features * columns];
        for (row, padded) in x.chunks_exact(tiles.in_features).zip(values.chunks_exact_mut(columns)) {
            tiles.gather(row, padded);
        }
        Self { columns, values: values.into() }
    }
}

impl Rows8 {
    /// Room for `m` rows.
    pub fn zeros(tiles: &Tiles, m: usize) -> Self {
        let (columns, blocks) = (tiles.blocks.columns(), tiles.blocks.count());
        Self { columns, blocks, q: vec![0; m * columns], scales: vec![0.0; m * blocks], sums: vec![0.0; m * blocks] }
    }
}

/// Quantizes one block of at most [`MAX_BLOCK`] values; returns the scale and the sum of the codes.
///
/// `inline(always)` so that every caller compiles it for its own instruction set.
#[inline(always)]
pub fn quantize_block(values: &[f32], q: &mut [i8]) -> (f32, f32) {
    debug_assert!(values.len() <= MAX_BLOCK && values.len() == q.len());
    // Eight running maxima and sums: a single one would be a chain the compiler may not reorder.
    let mut max = [0.0f32; 8];
    let mut poison = [0.0f32; 8]; // 0, or NaN once a value is not finite: codes could not carry that on
    for eight in values.chunks_exact(8) {
        for lane in 0..8 {
            max[lane] = max[lane].max(eight[lane].abs());
            poison[lane] += eight[lane] * 0.0;
        }
    }
    let max = max.into_iter().fold(0.0, f32::max);
    let inverse = if max > 0.0 { 127.0 / max } else { 0.0 };
    let mut sum = [0i32; 8];
    for (eight, q) in values.chunks_exact(8).zip(q.chunks_exact_mut(8)) {
        for lane in 0..8 {
            // Adding 1.5 * 2^23 rounds to the nearest integer and leaves it in the low bits: no call, no branch.
            let rounded = (eight[lane] * inverse + 12_582_912.0).to_bits() as i8;
            q[lane] = rounded;
            sum[lane] += i32::from(rounded);
        }
    }
    (max / 127.0 + poison.into_iter().sum::<f32>(), sum.into_iter().sum::<i32>() as f32)
}
