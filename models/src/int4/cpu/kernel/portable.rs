//! Plain Rust, for any CPU.

use super::{Lanes, Slice8, SliceF32, in_chunks_of};
use crate::int4::cpu::tiles::{Line, TILE, Tile};

pub fn int8<const BITS: u32>(tile: &Tile, rows: Slice8, out: &mut [Lanes]) {
    in_chunks_of!([4, 1, 2, 3], int8_rows, tile, rows, out);
}

pub fn exact<const BITS: u32>(tile: &Tile, rows: SliceF32, out: &mut [Lanes]) {
    in_chunks_of!([4, 1, 2, 3], exact_rows, tile, rows, out);
}

/// Codes of column `k` of sixteen rows.
#[inline(always)]
fn column<const BITS: u32>(codes: &[Line], k: usize) -> [u8; TILE] {
    if BITS == 4 {
        let (line, shift) = (&codes[k / 8].0, if k % 8 < 4 { 0 } else { 4 });
        std::array::from_fn(|lane| line[lane * 4 + k % 4] >> shift & 15)
    } else {
        let line = &codes[k / 4].0;
        std::array::from_fn(|lane| line[lane * 4 + k % 4])
    }
}

#[inline(always)]
fn zeros<const BITS: u32>(tile: &Tile, group: usize) -> [f32; TILE] {
    if BITS == 4 { tile.zeros[group].map(f32::from) } else { [128.0; TILE] }
}

fn int8_rows<const BITS: u32, const M: usize>(tile: &Tile, rows: Slice8, out: &mut [Lanes]) {
    let blocks = tile.blocks;
    let mut totals = [[0.0f32; TILE]; M];
    for group in 0..blocks.groups {
        let (scale, zero) = (&tile.scales[group], zeros::<BITS>(tile, group));
        for block in group * blocks.per_group..(group + 1) * blocks.per_group {
            let mut dots = [[0i32; TILE]; M];
            for k in block * blocks.len..(block + 1) * blocks.len {
                let codes = column::<BITS>(tile.codes, k).map(i32::from);
                for (m, dots) in dots.iter_mut().enumerate() {
                    // SAFETY: `k` is below the padded width, which every row has.
                    let q = i32::from(unsafe { *rows.q(m).add(k) });
                    for (dot, code) in dots.iter_mut().zip(codes) {
                        *dot += code * q;
                    }
                }
            }
            for (m, (total, dots)) in totals.iter_mut().zip(dots).enumerate() {
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
    let group_columns = blocks.per_group * blocks.len;
    let mut totals = [[0.0f32; TILE]; M];
    for group in 0..blocks.groups {
        let (scale, zero) = (&tile.scales[group], zeros::<BITS>(tile, group));
        for k in group * group_columns..(group + 1) * group_columns {
            let codes = column::<BITS>(tile.codes, k);
            let weight: Lanes = std::array::from_fn(|lane| (f32::from(codes[lane]) - zero[lane]) * scale[lane]);
            for (m, total) in totals.iter_mut().enumerate() {
                // SAFETY: `k` is below the padded width, which every row has.
                let value = unsafe { *rows.values(m).add(k) };
                for (total, weight) in total.iter_mut().zip(weight) {
                    *total += weight * value;
                }
            }
        }
    }
    out.copy_from_slice(&totals);
}
