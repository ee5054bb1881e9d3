//! One tile of outputs for a few input rows, once for every instruction set.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod portable;

use super::activation::{Rows8, RowsF32, quantize_block};
use super::tiles::{TILE, Tile};
use crate::cpu::Isa;

/// Most input rows one call of a kernel takes: as many as AVX-512 has registers for.
pub const MAX_ROWS: usize = 12;

/// The sixteen outputs of one tile for one input row.
pub type Lanes = [f32; TILE];

/// Some consecutive rows of quantized input.
#[derive(Debug, Clone, Copy)]
pub struct Slice8<'a> {
    rows: &'a Rows8,
    first: usize,
}

impl<'a> Slice8<'a> {
    /// The rows from `first` on.
    pub fn new(rows: &'a Rows8, first: usize) -> Self {
        Self { rows, first }
    }

    fn skip(self, rows: usize) -> Self {
        Self { first: self.first + rows, ..self }
    }

    fn row(&self, row: usize) -> &'a [i8] {
        &self.rows.q[(self.first + row) * self.rows.columns..][..self.rows.columns]
    }

    #[cfg(target_arch = "x86_64")]
    fn q(&self, row: usize) -> *const i8 {
        self.row(row).as_ptr()
    }

    fn scale(&self, row: usize, block: usize) -> f32 {
        self.rows.scales[(self.first + row) * self.rows.blocks + block]
    }

    fn sum(&self, row: usize, block: usize) -> f32 {
        self.rows.sums[(self.first + row) * self.rows.blocks + block]
    }
}

/// Some consecutive rows of input in full precision.
#[derive(Debug, Clone, Copy)]
pub struct SliceF32<'a> {
    rows: &'a RowsF32<'a>,
    first: usize,
}

impl<'a> SliceF32<'a> {
    /// The rows from `first` on.
    pub fn new(rows: &'a RowsF32<'a>, first: usize) -> Self {
        Self { rows, first }
    }

    fn skip(self, rows: usize) -> Self {
        Self { first: self.first + rows, ..self }
    }

    fn row(&self, row: usize) -> &'a [f32] {
        &self.rows.values[(self.first + row) * self.rows.columns..][..self.rows.columns]
    }

    #[cfg(target_arch = "x86_64")]
    fn values(&self, row: usize) -> *const f32 {
        self.row(row).as_ptr()
    }
}

/// Calls `$kernel::<BITS, M>` for chunks of the rows, as many at a time as the kernel has registers for.
macro_rules! in_chunks_of {
    ([$largest:literal $(, $m:literal)*], $kernel:ident, $tile:expr, $rows:expr, $out:expr) => {{
        let mut rows = $rows;
        let mut rest: &mut [Lanes] = $out;
        while !rest.is_empty() {
            let (now, later) = rest.split_at_mut(rest.len().min($largest));
            let n = now.len();
            match n {
                $largest => $kernel::<BITS, $largest>($tile, rows, now),
                $($m => $kernel::<BITS, $m>($tile, rows, now),)*
                _ => unreachable!(),
            }
            rows = rows.skip(n);
            rest = later;
        }
    }};
}
use in_chunks_of;

/// Products of one tile with 8-bit rows; `out` has one element for every row.
pub fn int8(isa: Isa, bits: u32, tile: &Tile, rows: Slice8, out: &mut [Lanes]) {
    match (isa, bits) {
        // SAFETY: an `Isa` other than `Portable` exists only where the CPU has its instructions.
        #[cfg(target_arch = "x86_64")]
        (Isa::Avx512Vnni, 4) => unsafe { avx512::int8::<4>(tile, rows, out) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        (Isa::Avx512Vnni, _) => unsafe { avx512::int8::<8>(tile, rows, out) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        (Isa::AvxVnni, 4) => unsafe { avx2::vnni::int8::<4>(tile, rows, out) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        (Isa::AvxVnni, _) => unsafe { avx2::vnni::int8::<8>(tile, rows, out) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        (Isa::Avx2, 4) => unsafe { avx2::plain::int8::<4>(tile, rows, out) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        (Isa::Avx2, _) => unsafe { avx2::plain::int8::<8>(tile, rows, out) },
        (_, 4) => portable::int8::<4>(tile, rows, out),
        (_, _) => portable::int8::<8>(tile, rows, out),
    }
}

/// Products of one tile with rows in full precision; `out` has one element for every row.
pub fn exact(isa: Isa, bits: u32, tile: &Tile, rows: SliceF32, out: &mut [Lanes]) {
    match (isa, bits) {
        // SAFETY: an `Isa` other than `Portable` exists only where the CPU has its instructions.
        #[cfg(target_arch = "x86_64")]
        (Isa::Avx512Vnni, 4) => unsafe { avx512::exact::<4>(tile, rows, out) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        (Isa::Avx512Vnni, _) => unsafe { avx512::exact::<8>(tile, rows, out) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        (Isa::AvxVnni | Isa::Avx2, 4) => unsafe { avx2::exact::<4>(tile, rows, out) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        (Isa::AvxVnni | Isa::Avx2, _) => unsafe { avx2::exact::<8>(tile, rows, out) },
        (_, 4) => portable::exact::<4>(tile, rows, out),
        (_, _) => portable::exact::<8>(tile, rows, out),
    }
}

/// Quantizes one padded row, block by block.
pub fn quantize(isa: Isa, row: &[f32], block_len: usize, q: &mut [i8], scales: &mut [f32], sums: &mut [f32]) {
    match isa {
        // SAFETY: an `Isa` other than `Portable` exists only where the CPU has its instructions.
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512Vnni => unsafe { avx512::quantize(row, block_len, q, scales, sums) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Isa::AvxVnni | Isa::Avx2 => unsafe { avx2::quantize(row, block_len, q, scales, sums) },
        _ => quantize_blocks(row, block_len, q, scales, sums),
    }
}

#[inline(always)]
fn quantize_blocks(row: &[f32], block_len: usize, q: &mut [i8], scales: &mut [f32], sums: &mut [f32]) {
    let blocks = row.chunks_exact(block_len).zip(q.chunks_exact_mut(block_len));
    for ((values, q), (scale, sum)) in blocks.zip(scales.iter_mut().zip(sums)) {
        (*scale, *sum) = quantize_block(values, q);
    }
}
