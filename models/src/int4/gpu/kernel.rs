//! The kernel, apart from burn: its `Tensor` and that of CubeCL's prelude are different things.

use cubecl::ir::ElemType;
use cubecl::{cube, prelude::*};

/// Outputs of one workgroup, side by side.
pub const LANES: u32 = 32;

/// `out[m, o] = Σ_i x[m, i] (scale[g, o] code[i, o] - offset[g, o])`.
///
/// A workgroup makes [`LANES`] outputs of `rows` rows. Its `slices` threads for one output take every `slices`-th word of
/// codes each and add up through workgroup memory: no subgroup operations, which not every adapter has.
#[cube(launch)]
pub fn packed_product<F: Float>(
    x: &Tensor<F>,
    codes: &Tensor<i32>,
    scales: &Tensor<F>,
    offsets: &Tensor<F>,
    out: &mut Tensor<F>,
    #[comptime] bits: u32,
    #[comptime] group_words: usize,
    #[comptime] rows: u32,
    #[comptime] slices: u32,
    #[define(F)] _dtype: ElemType,
) {
    let per_word = comptime!(32 / bits);
    let mask = comptime!(((1u64 << bits) - 1) as i32);
    let row_count = comptime!(rows as usize);
    let slice_count = comptime!(slices as usize);
    let lanes = comptime!(LANES as usize);

    let lane = UNIT_POS_X as usize;
    let slice = UNIT_POS_Y as usize;
    let outputs = out.shape(1);
    // Threads past the last output repeat it: all have to meet at the barrier.
    let o = min(CUBE_POS_X as usize * lanes + lane, outputs - 1);
    let first_row = CUBE_POS_Y as usize * row_count;
    let last_row = out.shape(0) - 1;
    let columns = x.shape(1);
    let words = codes.shape(0);

    let mut sums = Array::<F>::new(row_count);
    #[unroll]
    for m in 0..row_count {
        sums[m] = F::new(0.0_f32);
    }
    let mut word = slice;
    while word < words {
        let packed = codes[word * outputs + o];
        let at = word / group_words * outputs + o;
        let scale = scales[at];
        let offset = offsets[at];
        #[unroll]
        for i in 0..per_word {
            // An arithmetic shift is as good as a logical one: the mask cuts the copies of the sign off.
            let code = (packed >> (i * bits) as i32) & mask;
            let weight = F::cast_from(code) * scale - offset;
            let column = word * comptime!(per_word as usize) + comptime!(i as usize);
            #[unroll]
            for m in 0..row_count {
                let row = min(first_row + m, last_row);
                sums[m] += weight * x[row * columns + column];
            }
        }
        word += slice_count;
    }

    let mut shared = Shared::new_slice(comptime!((slices * rows * LANES) as usize));
    #[unroll]
    for m in 0..row_count {
        shared[(slice * row_count + m) * lanes + lane] = sums[m];
    }
    sync_cube();

    // The rows are added up and written by different slices.
    let inside = CUBE_POS_X as usize * lanes + lane < outputs;
    let mut m = slice;
    while m < row_count {
        let mut sum = F::new(0.0_f32);
        #[unroll]
        for s in 0..slice_count {
            sum += shared[(s * row_count + m) * lanes + lane];
        }
        if inside && first_row + m <= last_row {
            out[(first_row + m) * outputs + o] = sum;
        }
        m += slice_count;
    }
}
