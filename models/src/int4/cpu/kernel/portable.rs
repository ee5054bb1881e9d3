//! Plain Rust, for any CPU, in loops over small arrays that compilers turn into vector instructions: SSE2 on x86, NEON on
//! 64-bit ARM.

use super::{Lanes, Slice8, SliceF32, in_chunks_of};
use crate::int4::cpu::tiles::{Line, TILE, Tile};

pub fn int8<const BITS: u32>(tile: &Tile, rows: Slice8, out: &mut [Lanes]) {
    in_chunks_of!([2, 1], int8_rows, tile, rows, out);
}

pub fn exact<const BITS: u32>(tile: &Tile, rows: SliceF32, out: &mut [Lanes]) {
    in_chunks_of!([4, 1, 2, 3], exact_rows, tile, rows, out);
}

/// Codes of the columns `k .. k + 4` and `k + 4 .. k + 8` of sixteen rows; 8-bit ones with their 128 taken off.
#[inline(always)]
fn eight_columns<const BITS: u32>(codes: &[Line], k: usize) -> [[i16; 64]; 2] {
    let mut columns = [[0i16; 64]; 2];
    let [low, high] = &mut columns;
    if BITS == 4 {
        let both = &codes[k / 8].0;
        for n in 0..64 {
            low[n] = i16::from(both[n] & 15);
            high[n] = i16::from(both[n] >> 4);
        }
    } else {
        let (first, second) = (&codes[k / 4].0, &codes[k / 4 + 1].0);
        for n in 0..64 {
            low[n] = i16::from(first[n]) - 128;
            high[n] = i16::from(second[n]) - 128;
        }
    }
    columns
}

/// `sums[n] + codes[0][n] * q[n % 4] + codes[1][n] * q[n % 4 + 4]`
///
/// Fits 16 bits: 4-bit codes through a whole block, 16 products of at most 15 * 127; 8-bit codes for these two.
#[inline(always)]
fn multiply_add(sums: &mut [i16; 64], codes: &[[i16; 64]; 2], q: &[i8]) {
    let q: [i16; 8] = std::array::from_fn(|n| i16::from(q[n]));
    let (mut low, mut high) = ([0i16; 64], [0i16; 64]);
    for (four, high) in low.as_chunks_mut::<4>().0.iter_mut().zip(high.as_chunks_mut::<4>().0) {
        *four = [q[0], q[1], q[2], q[3]];
        *high = [q[4], q[5], q[6], q[7]];
    }
    for n in 0..64 {
        sums[n] += codes[0][n] * low[n] + codes[1][n] * high[n];
    }
}

/// Sums of four neighbours: the lanes of sixteen rows.
#[inline(always)]
fn lanes<T: Copy + Into<i32>>(sums: &[T; 64]) -> [i32; TILE] {
    std::array::from_fn(|lane| (0..4).map(|n| sums[lane * 4 + n].into()).sum())
}

fn int8_rows<const BITS: u32, const M: usize>(tile: &Tile, rows: Slice8, out: &mut [Lanes]) {
    let blocks = tile.blocks;
    let mut totals = [[0.0f32; TILE]; M];
    for group in 0..blocks.groups {
        let scale = &tile.scales[group];
        let zero = if BITS == 4 { tile.zeros[group].map(f32::from) } else { [0.0; TILE] };
        for block in group * blocks.per_group..(group + 1) * blocks.per_group {
            let mut short = [[0i16; 64]; M];
            let mut long = [[0i32; 64]; M];
            for k in (block * blocks.len..(block + 1) * blocks.len).step_by(8) {
                let codes = eight_columns::<BITS>(tile.codes, k);
                for m in 0..M {
                    multiply_add(&mut short[m], &codes, &rows.row(m)[k..k + 8]);
                    if BITS == 8 {
                        for (long, short) in long[m].iter_mut().zip(&mut short[m]) {
                            *long += i32::from(*short);
                            *short = 0;
                        }
                    }
                }
            }
            for (m, total) in totals.iter_mut().enumerate() {
                let dots = if BITS == 4 { lanes(&short[m]) } else { lanes(&long[m]) };
                let (row_scale, sum) = (rows.scale(m, block), rows.sum(m, block));
                for lane in 0..TILE {
                    total[lane] += (dots[lane] as f32 - zero[lane] * sum) * (scale[lane] * row_scale);
                }
            }
        }
    }
    out.copy_from_slice(&totals);
}

fn exact_rows<const BITS: u32, const M: usize>(tile: &Tile, rows: SliceF32, out: &mut [Lanes]) {
    let blocks = tile.blocks;
    let columns_per_line = 32 / BITS as usize;
    let lines_per_group = blocks.per_group * blocks.len / columns_per_line;
    let mut totals = [[0.0f32; TILE]; M];
    for (group, lines) in tile.codes.chunks_exact(lines_per_group).enumerate() {
        let scale = &tile.scales[group];
        let zero = if BITS == 4 { tile.zeros[group].map(f32::from) } else { [128.0; TILE] };
        for (line, codes) in lines.iter().enumerate() {
            // One lane holds the four bytes of one row.
            let mut words = [0u32; TILE];
            for (word, bytes) in words.iter_mut().zip(codes.0.as_chunks::<4>().0) {
                *word = u32::from_le_bytes(*bytes);
            }
            let k = (group * lines_per_group + line) * columns_per_line;
            for column in 0..columns_per_line {
                let shift = if BITS == 4 { 8 * (column % 4) + 4 * (column / 4) } else { 8 * column };
                let mut weight = [0.0f32; TILE];
                for lane in 0..TILE {
                    let code = (words[lane] >> shift & ((1 << BITS) - 1)) as i32;
                    weight[lane] = (code as f32 - zero[lane]) * scale[lane];
                }
                for (m, total) in totals.iter_mut().enumerate() {
                    let value = rows.row(m)[k + column];
                    for (total, weight) in total.iter_mut().zip(weight) {
                        *total += weight * value;
                    }
                }
            }
        }
    }
    out.copy_from_slice(&totals);
}
