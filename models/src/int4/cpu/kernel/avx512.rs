//! AVX-512 with VNNI: one tile is one register.

use std::arch::x86_64::*;

use super::{Lanes, Slice8, SliceF32, in_chunks_of, quantize_blocks};
use crate::int4::cpu::tiles::{Line, Tile};

/// How far [`prefetch`] looks ahead, in lines of 64 bytes.
const LINES_AHEAD: usize = 64;

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
pub fn quantize(row: &[f32], block_len: usize, q: &mut [i8], scales: &mut [f32], sums: &mut [f32]) {
    quantize_blocks(row, block_len, q, scales, sums);
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
pub fn int8<const BITS: u32>(tile: &Tile, rows: Slice8, out: &mut [Lanes]) {
    in_chunks_of!([12, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], int8_rows, tile, rows, out)
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
pub fn exact<const BITS: u32>(tile: &Tile, rows: SliceF32, out: &mut [Lanes]) {
    in_chunks_of!([12, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], exact_rows, tile, rows, out)
}

/// Asks for codes a few hundred columns on: one row reads them faster than the CPU fetches them of its own accord.
#[inline(always)]
fn prefetch<const BITS: u32>(codes: *const Line, k: usize) {
    let line = codes.wrapping_add(k * BITS as usize / 32 + LINES_AHEAD);
    for part in 0..BITS as usize / 4 {
        // SAFETY: a prefetch may point anywhere.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(line.wrapping_add(part).cast()) };
    }
}

/// Codes of the columns `k .. k + 4` and `k + 4 .. k + 8` of sixteen rows, one byte each.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn eight_columns<const BITS: u32>(codes: *const Line, k: usize) -> (__m512i, __m512i) {
    // SAFETY: callers stay within the lines of one tile: `columns * BITS / 32` of them.
    unsafe {
        if BITS == 4 {
            let both = _mm512_load_si512(codes.add(k / 8).cast());
            let low = _mm512_set1_epi8(15);
            (_mm512_and_si512(both, low), _mm512_and_si512(_mm512_srli_epi16::<4>(both), low))
        } else {
            (_mm512_load_si512(codes.add(k / 4).cast()), _mm512_load_si512(codes.add(k / 4 + 1).cast()))
        }
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn int8_rows<const BITS: u32, const M: usize>(tile: &Tile, rows: Slice8, out: &mut [Lanes]) {
    let blocks = tile.blocks;
    let codes = tile.codes.as_ptr();
    let q: [*const i8; M] = std::array::from_fn(|m| rows.q(m));
    let mut totals = [_mm512_setzero_ps(); M];
    let mut first = 0;
    for group in 0..blocks.groups {
        // SAFETY: sixteen floats, sixteen bytes.
        let weight_scale = unsafe { _mm512_loadu_ps(tile.scales[group].as_ptr()) };
        let zero = if BITS == 4 {
            // SAFETY: as above.
            let bytes = unsafe { _mm_loadu_si128(tile.zeros[group].as_ptr().cast()) };
            _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(bytes))
        } else {
            _mm512_set1_ps(128.0)
        };
        for block in group * blocks.per_group..(group + 1) * blocks.per_group {
            let mut dots = [_mm512_setzero_si512(); M];
            let mut k = first;
            while k < first + blocks.len {
                if M == 1 {
                    prefetch::<BITS>(codes, k);
                }
                let (low, high) = eight_columns::<BITS>(codes, k);
                for m in 0..M {
                    // SAFETY: `k + 8` is at most the padded width, which every row has.
                    let (a, b) = unsafe { (q[m].add(k).cast::<i32>(), q[m].add(k + 4).cast::<i32>()) };
                    // SAFETY: as above.
                    let (a, b) = unsafe { (a.read_unaligned(), b.read_unaligned()) };
                    dots[m] = _mm512_dpbusd_epi32(dots[m], low, _mm512_set1_epi32(a));
                    dots[m] = _mm512_dpbusd_epi32(dots[m], high, _mm512_set1_epi32(b));
                }
                k += 8;
            }
            first += blocks.len;
            for m in 0..M {
                let sum = _mm512_set1_ps(rows.sum(m, block));
                let dot = _mm512_fnmadd_ps(zero, sum, _mm512_cvtepi32_ps(dots[m]));
                let scale = _mm512_mul_ps(weight_scale, _mm512_set1_ps(rows.scale(m, block)));
                totals[m] = _mm512_fmadd_ps(dot, scale, totals[m]);
            }
        }
    }
    for (total, out) in totals.iter().zip(out) {
        // SAFETY: sixteen floats.
        unsafe { _mm512_storeu_ps(out.as_mut_ptr(), *total) };
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn exact_rows<const BITS: u32, const M: usize>(tile: &Tile, rows: SliceF32, out: &mut [Lanes]) {
    let blocks = tile.blocks;
    let codes = tile.codes.as_ptr().cast::<__m512i>();
    let x: [*const f32; M] = std::array::from_fn(|m| rows.values(m));
    // A permutation of these by the low four bits of every lane turns codes to floats in one instruction.
    let values = _mm512_setr_ps(0., 1., 2., 3., 4., 5., 6., 7., 8., 9., 10., 11., 12., 13., 14., 15.);
    let byte = _mm512_set1_epi32(255);
    // A sum waits for the one before it. With few rows there are registers left to keep more than one for each.
    let chains = if M == 1 {
        4
    } else if M <= 4 {
        2
    } else {
        1
    };
    let mut totals = [[_mm512_setzero_ps(); M]; 4];
    let columns_per_line = 32 / BITS as usize;
    let mut k = 0;
    for group in 0..blocks.groups {
        // SAFETY: sixteen floats, sixteen bytes.
        let scale = unsafe { _mm512_loadu_ps(tile.scales[group].as_ptr()) };
        let zero = if BITS == 4 {
            // SAFETY: as above.
            let bytes = unsafe { _mm_loadu_si128(tile.zeros[group].as_ptr().cast()) };
            _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(bytes))
        } else {
            _mm512_set1_ps(128.0)
        };
        // scale * code - scale * zero: both products and their difference fit a float exactly for 4 bit.
        let offset = _mm512_mul_ps(scale, zero);
        let end = k + blocks.per_group * blocks.len;
        while k < end {
            // SAFETY: lines of one tile, as many as its columns need.
            let line = unsafe { _mm512_load_si512(codes.add(k / columns_per_line)) };
            for step in 0..columns_per_line {
                // Lowest first: nibbles hold columns 0 4 | 1 5 | 2 6 | 3 7 of byte 0, 1, 2, 3.
                let (shift, column) =
                    if BITS == 4 { (8 * (step % 4) + 4 * (step / 4), step) } else { (8 * step, step) };
                let lane = _mm512_srlv_epi32(line, _mm512_set1_epi32(shift as i32));
                let code = if BITS == 4 {
                    _mm512_permutexvar_ps(lane, values)
                } else {
                    _mm512_cvtepi32_ps(_mm512_and_si512(lane, byte))
                };
                let weight = _mm512_fmsub_ps(code, scale, offset);
                for m in 0..M {
                    // SAFETY: `k + column` is below the padded width, which every row has.
                    let value = unsafe { *x[m].add(k + column) };
                    let total = &mut totals[step % chains][m];
                    *total = _mm512_fmadd_ps(weight, _mm512_set1_ps(value), *total);
                }
            }
            k += columns_per_line;
        }
    }
    for (m, out) in out.iter_mut().enumerate().take(M) {
        let pairs = (_mm512_add_ps(totals[0][m], totals[1][m]), _mm512_add_ps(totals[2][m], totals[3][m]));
        // SAFETY: sixteen floats.
        unsafe { _mm512_storeu_ps(out.as_mut_ptr(), _mm512_add_ps(pairs.0, pairs.1)) };
    }
}
