//! Matrix products with 4- and 8-bit weights on the CPU.
//!
//! At load a matrix is re-laid once ([`tiles`]); at run time its codes are multiplied as they are, never written out as
//! floats. One row (a generated token) is bound by reading the codes, many rows (a prompt) by arithmetic: both walk
//! sixteen outputs × a dozen rows at a time in registers ([`kernel`]).

mod activation;
mod kernel;
mod tiles;

pub(crate) use tiles::Tiles;

use activation::{Rows8, RowsF32};
use kernel::{Lanes, MAX_ROWS, Slice8, SliceF32};
use tiles::TILE;

use crate::cpu::{Isa, for_each_part, threads};

/// How exactly the input of a product is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precision {
    /// Rounded to 8 bit per block of at most 64 columns: about 3e-3 relative error of the output, and the fastest.
    #[default]
    Int8,
    /// As it is, in f32.
    F32,
}

/// Multiply-adds below which a second thread costs more than it saves.
const WORTH_SHARING: usize = 60_000;
/// Bytes of codes one part of the work should touch: they stay in a core's cache while all rows pass over them.
const PART_BYTES: usize = 256 * 1024;

impl Tiles {
    /// `out[m, o] = Σ_i x[m, i] W[o, i] (+ bias[o])` for rows `x` `[m, in]`; `out` is `[m, out]`.
    ///
    /// # Panics
    /// If the lengths of `x`, `bias` and `out` do not fit each other and the matrix.
    pub fn matmul(&self, isa: Isa, precision: Precision, x: &[f32], bias: Option<&[f32]>, out: &mut [f32]) {
        let rows = x.len() / self.in_features;
        assert!(x.len() == rows * self.in_features && out.len() == rows * self.out_features, "shapes of a product");
        assert!(bias.is_none_or(|b| b.len() == self.out_features), "length of the bias");
        match precision {
            Precision::F32 => {
                let input = RowsF32::new(self, x);
                self.for_each_tile(rows, bias, out, |tile, first, lanes| {
                    kernel::exact(isa, self.bits, &self.tile(tile), SliceF32::new(&input, first), lanes);
                });
            }
            Precision::Int8 => {
                let input = self.quantize(isa, x, rows);
                self.for_each_tile(rows, bias, out, |tile, first, lanes| {
                    kernel::int8(isa, self.bits, &self.tile(tile), Slice8::new(&input, first), lanes);
                });
            }
        }
    }

    /// Rounds rows `x` to 8 bit.
    fn quantize(&self, isa: Isa, x: &[f32], rows: usize) -> Rows8 {
        let mut input = Rows8::zeros(self, rows);
        let (columns, blocks) = (input.columns, input.blocks);
        let mut padded = vec![0.0; if self.takes_rows_as_they_are() { 0 } else { columns }];
        for (m, row) in x.chunks_exact(self.in_features).enumerate() {
            let row = if padded.is_empty() {
                row
            } else {
                self.gather(row, &mut padded);
                &padded
            };
            let (q, scales, sums) = (
                &mut input.q[m * columns..][..columns],
                &mut input.scales[m * blocks..][..blocks],
                &mut input.sums[m * blocks..][..blocks],
            );
            kernel::quantize(isa, row, self.blocks.len, q, scales, sums);
        }
        input
    }

    /// Calls `product(tile, first row, lanes)` for every tile and every few rows, and writes the lanes to `out`.
    fn for_each_tile(
        &self,
        rows: usize,
        bias: Option<&[f32]>,
        out: &mut [f32],
        product: impl Fn(usize, usize, &mut [Lanes]) + Sync,
    ) {
        let tiles = self.len();
        let tile_bytes = self.blocks.columns() * TILE * self.bits as usize / 8;
        let shared = rows * self.in_features * self.out_features >= WORTH_SHARING;
        let per_part = if shared { (PART_BYTES / tile_bytes).clamp(1, tiles.div_ceil(4 * threads())) } else { tiles };
        let out = SharedOut { values: out.as_mut_ptr(), width: self.out_features };
        for_each_part(tiles.div_ceil(per_part), |part| {
            let mut lanes = [[0.0; TILE]; MAX_ROWS];
            for first in (0..rows).step_by(MAX_ROWS) {
                let lanes = &mut lanes[..MAX_ROWS.min(rows - first)];
                for tile in part * per_part..tiles.min((part + 1) * per_part) {
                    product(tile, first, lanes);
                    let column = tile * TILE;
                    let width = TILE.min(self.out_features - column);
                    for (m, lanes) in lanes.iter_mut().enumerate() {
                        if let Some(bias) = bias {
                            lanes.iter_mut().zip(&bias[column..]).for_each(|(y, b)| *y += b);
                        }
                        // SAFETY: row and columns are inside `out`, and no other part has these columns.
                        unsafe { out.write(first + m, column, &lanes[..width]) };
                    }
                }
            }
        });
    }
}

/// The output, written by all threads at once, each its own columns.
struct SharedOut {
    values: *mut f32,
    width: usize,
}

// SAFETY: `write` is unsafe and leaves it to its caller that columns do not overlap.
unsafe impl Sync for SharedOut {}

impl SharedOut {
    /// # Safety
    /// Row and columns lie within the output, and nobody else writes or reads them now.
    unsafe fn write(&self, row: usize, column: usize, lanes: &[f32]) {
        // SAFETY: promised by the caller.
        unsafe { self.values.add(row * self.width + column).copy_from_nonoverlapping(lanes.as_ptr(), lanes.len()) };
    }
}

#[cfg(test)]
mod tests;
