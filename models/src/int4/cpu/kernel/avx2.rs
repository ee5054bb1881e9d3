//! AVX2: one tile is two registers, taken one after the other so that four input rows fit beside them.

use std::arch::x86_64::*;

use super::{Lanes, Slice8, SliceF32, in_chunks_of, quantize_blocks};
use crate::int4::cpu::tiles::{Line, Tile};

#[target_feature(enable = "avx2,fma")]
pub fn quantize(row: &[f32], block_len: usize, q: &mut [i8], scales: &mut [f32], sums: &mut [f32]) {
    quantize_blocks(row, block_len, q, scales, sums);
}

/// Codes of the columns `k .. k + 4` and `k + 4 .. k + 8` of eight rows, one byte each.
#[inline]
#[target_feature(enable = "avx2")]
fn eight_columns<const BITS: u32>(codes: *const Line, half: usize, k: usize) -> (__m256i, __m256i) {
    // SAFETY: callers stay within the lines of one tile: `columns * BITS / 32` of them, two halves each.
    unsafe {
        if BITS == 4 {
            let both = _mm256_load_si256(codes.add(k / 8).cast::<__m256i>().add(half));
            let low = _mm256_set1_epi8(15);
            (_mm256_and_si256(both, low), _mm256_and_si256(_mm256_srli_epi16::<4>(both), low))
        } else {
            let first = codes.add(k / 4).cast::<__m256i>().add(half);
            (_mm256_load_si256(first), _mm256_load_si256(first.add(2)))
        }
    }
}

/// Scales and zero points of eight rows.
#[inline]
#[target_feature(enable = "avx2")]
fn grid<const BITS: u32>(tile: &Tile, half: usize, group: usize) -> (__m256, __m256) {
    // SAFETY: sixteen floats and sixteen bytes, two halves each.
    unsafe {
        let scale = _mm256_loadu_ps(tile.scales[group].as_ptr().add(half * 8));
        let zero = if BITS == 4 {
            let bytes = _mm_loadl_epi64(tile.zeros[group].as_ptr().add(half * 8).cast());
            _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(bytes))
        } else {
            _mm256_set1_ps(128.0)
        };
        (scale, zero)
    }
}

/// The 8-bit product once for every way to multiply bytes.
macro_rules! int8_kernel {
    ($(#[$doc:meta])* $name:ident, $features:literal, $dot:expr) => {
        $(#[$doc])*
        pub mod $name {
            use super::*;

            #[target_feature(enable = $features)]
            pub fn int8<const BITS: u32>(tile: &Tile, rows: Slice8, out: &mut [Lanes]) {
                in_chunks_of!([4, 1, 2, 3], int8_rows, tile, rows, out)
            }

            #[inline]
            #[target_feature(enable = $features)]
            fn int8_rows<const BITS: u32, const M: usize>(tile: &Tile, rows: Slice8, out: &mut [Lanes]) {
                let blocks = tile.blocks;
                let codes = tile.codes.as_ptr();
                let q: [*const i8; M] = std::array::from_fn(|m| rows.q(m));
                for half in 0..2 {
                    let mut totals = [_mm256_setzero_ps(); M];
                    let mut first = 0;
                    for group in 0..blocks.groups {
                        let (weight_scale, zero) = grid::<BITS>(tile, half, group);
                        for block in group * blocks.per_group..(group + 1) * blocks.per_group {
                            let mut dots = [_mm256_setzero_si256(); M];
                            let mut k = first;
                            while k < first + blocks.len {
                                let (low, high) = eight_columns::<BITS>(codes, half, k);
                                for m in 0..M {
                                    // SAFETY: `k + 8` is at most the padded width, which every row has.
                                    let (a, b) = unsafe {
                                        let a = q[m].add(k).cast::<i32>().read_unaligned();
                                        (a, q[m].add(k + 4).cast::<i32>().read_unaligned())
                                    };
                                    let (a, b) = (_mm256_set1_epi32(a), _mm256_set1_epi32(b));
                                    dots[m] = $dot(BITS, dots[m], (low, high), (a, b));
                                }
                                k += 8;
                            }
                            first += blocks.len;
                            for m in 0..M {
                                let sum = _mm256_set1_ps(rows.sum(m, block));
                                let dot = _mm256_fnmadd_ps(zero, sum, _mm256_cvtepi32_ps(dots[m]));
                                let scale = _mm256_mul_ps(weight_scale, _mm256_set1_ps(rows.scale(m, block)));
                                totals[m] = _mm256_fmadd_ps(dot, scale, totals[m]);
                            }
                        }
                    }
                    for (total, out) in totals.iter().zip(out.iter_mut()) {
                        // SAFETY: the second half of sixteen floats starts at the eighth.
                        unsafe { _mm256_storeu_ps(out.as_mut_ptr().add(half * 8), *total) };
                    }
                }
            }
        }
    };
}

int8_kernel!(
    /// With the 8-bit dot product of AVX-VNNI.
    vnni,
    "avx2,fma,avxvnni",
    dot_vnni
);
int8_kernel!(
    /// With the multiplications every AVX2 CPU has.
    plain,
    "avx2,fma",
    dot_plain
);

type Pair = (__m256i, __m256i);

#[inline]
#[target_feature(enable = "avx2,fma,avxvnni")]
fn dot_vnni(_bits: u32, dots: __m256i, codes: Pair, q: Pair) -> __m256i {
    _mm256_dpbusd_avx_epi32(_mm256_dpbusd_avx_epi32(dots, codes.0, q.0), codes.1, q.1)
}

#[inline]
#[target_feature(enable = "avx2,fma")]
fn dot_plain(bits: u32, dots: __m256i, codes: Pair, q: Pair) -> __m256i {
    let ones = _mm256_set1_epi16(1);
    if bits == 4 {
        // Two products of at most 15 * 127 in each 16-bit sum, and two such sums: far below 32,767.
        let sums = _mm256_add_epi16(_mm256_maddubs_epi16(codes.0, q.0), _mm256_maddubs_epi16(codes.1, q.1));
        return _mm256_add_epi32(dots, _mm256_madd_epi16(sums, ones));
    }
    // 255 * 127 twice would saturate 16 bits. Even and odd bytes apart, widened, do not.
    let even = _mm256_set1_epi16(255);
    let product = |codes: __m256i, q: __m256i| {
        let q_even = _mm256_srai_epi16::<8>(_mm256_slli_epi16::<8>(q));
        let evens = _mm256_madd_epi16(_mm256_and_si256(codes, even), q_even);
        let odds = _mm256_madd_epi16(_mm256_srli_epi16::<8>(codes), _mm256_srai_epi16::<8>(q));
        _mm256_add_epi32(evens, odds)
    };
    _mm256_add_epi32(dots, _mm256_add_epi32(product(codes.0, q.0), product(codes.1, q.1)))
}

#[target_feature(enable = "avx2,fma")]
pub fn exact<const BITS: u32>(tile: &Tile, rows: SliceF32, out: &mut [Lanes]) {
    in_chunks_of!([8, 1, 2, 3, 4, 5, 6, 7], exact_rows, tile, rows, out)
}

#[inline]
#[target_feature(enable = "avx2,fma")]
fn exact_rows<const BITS: u32, const M: usize>(tile: &Tile, rows: SliceF32, out: &mut [Lanes]) {
    let blocks = tile.blocks;
    let codes = tile.codes.as_ptr().cast::<__m256i>();
    let x: [*const f32; M] = std::array::from_fn(|m| rows.values(m));
    let mask = _mm256_set1_epi32((1 << BITS) - 1);
    let columns_per_line = 32 / BITS as usize;
    // A sum waits for the one before it. With few rows there are registers left to keep more than one for each.
    let chains = if M == 1 {
        4
    } else if M <= 4 {
        2
    } else {
        1
    };
    for half in 0..2 {
        let mut totals = [[_mm256_setzero_ps(); M]; 4];
        let mut k = 0;
        for group in 0..blocks.groups {
            let (scale, zero) = grid::<BITS>(tile, half, group);
            // scale * code - scale * zero: both products and their difference fit a float exactly for 4 bit.
            let offset = _mm256_mul_ps(scale, zero);
            let end = k + blocks.per_group * blocks.len;
            while k < end {
                // SAFETY: lines of one tile, as many as its columns need, two halves each.
                let line = unsafe { _mm256_load_si256(codes.add(2 * (k / columns_per_line) + half)) };
                for column in 0..columns_per_line {
                    let shift = if BITS == 4 { 8 * (column % 4) + 4 * (column / 4) } else { 8 * column };
                    let lane = _mm256_srlv_epi32(line, _mm256_set1_epi32(shift as i32));
                    let code = _mm256_cvtepi32_ps(_mm256_and_si256(lane, mask));
                    let weight = _mm256_fmsub_ps(code, scale, offset);
                    for m in 0..M {
                        // SAFETY: `k + column` is below the padded width, which every row has.
                        let value = unsafe { *x[m].add(k + column) };
                        let total = &mut totals[column % chains][m];
                        *total = _mm256_fmadd_ps(weight, _mm256_set1_ps(value), *total);
                    }
                }
                k += columns_per_line;
            }
        }
        for (m, out) in out.iter_mut().enumerate().take(M) {
            let pairs = (_mm256_add_ps(totals[0][m], totals[1][m]), _mm256_add_ps(totals[2][m], totals[3][m]));
            // SAFETY: the second half of sixteen floats starts at the eighth.
            unsafe { _mm256_storeu_ps(out.as_mut_ptr().add(half * 8), _mm256_add_ps(pairs.0, pairs.1)) };
        }
    }
}
