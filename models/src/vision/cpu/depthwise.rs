//! Depthwise convolutions: every channel by itself.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::conv::copy_row;
use super::elementwise::activate;
use super::map::{Buffer, Map};
use crate::vision::blocks::{Activation, Geometry};

/// Neighbouring output pixels computed together: they share the weights, and their sums hide each other's latency.
const PIXELS: usize = 4;

/// A depthwise convolution ready for the CPU.
pub(in crate::vision) struct DepthwiseWeights {
    /// `[kh, kw, c]`
    weights: Buffer,
    /// `[c]`
    bias: Buffer,
    geometry: Geometry,
}

impl DepthwiseWeights {
    /// Packs `weight [c, 1, kh, kw]`.
    pub fn pack(weight: &[f32], bias: Option<&[f32]>, geometry: Geometry) -> Self {
        let (c, taps) = (geometry.channels_out, geometry.kernel[0] * geometry.kernel[1]);
        let mut weights = Buffer::zeros(taps * c);
        for (i, value) in weights.iter_mut().enumerate() {
            *value = weight[i % c * taps + i / c];
        }
        let mut padded_bias = Buffer::zeros(c);
        if let Some(bias) = bias {
            padded_bias.copy_from_slice(bias);
        }
        Self { weights, bias: padded_bias, geometry }
    }

    /// `[b, h, w, c]` → `[b, h', w', c]`
    pub fn forward(&self, x: &Map, activation: Activation) -> Map {
        let g = &self.geometry;
        let [b, h, w, c] = x.shape;
        let [out_h, out_w] = g.output_size([h, w]);
        let mut out = Map::zeros([b, out_h, out_w, c]);
        let padded_row = (w + g.padding[1][0] + g.padding[1][1]) * c;
        let band = (65_536 / (out_w * c)).clamp(2, 16);

        for (picture, out) in out.data_mut().chunks_exact_mut(out_h * out_w * c).enumerate() {
            let input = &x.data()[picture * h * w * c..][..h * w * c];
            out.par_chunks_mut(band * out_w * c).enumerate().for_each_init(
                || Buffer::zeros(((band - 1) * g.stride[0] + g.kernel[0]) * padded_row),
                |scratch, (i, out)| {
                    let rows = out.len() / (out_w * c);
                    let first = (i * band * g.stride[0]) as isize - g.padding[0][0] as isize;
                    let rows_in = (rows - 1) * g.stride[0] + g.kernel[0];
                    for (y, row) in scratch.chunks_exact_mut(padded_row).take(rows_in).enumerate() {
                        copy_row(row, input, first + y as isize, w * c, g.padding[1][0] * c);
                    }
                    for (y, out) in out.chunks_exact_mut(out_w * c).enumerate() {
                        self.row(&scratch[y * g.stride[0] * padded_row..], padded_row, out);
                    }
                    activate(out, activation);
                },
            );
        }
        out
    }

    /// One output row from the padded input rows under it.
    fn row(&self, input: &[f32], input_row: usize, output: &mut [f32]) {
        let (c, [kh, kw], stride) = (self.geometry.channels_out, self.geometry.kernel, self.geometry.stride[1]);
        let pixels = output.len() / c;
        assert!(input.len() >= (kh - 1) * input_row + ((pixels - 1) * stride + kw) * c);
        Arch::new().dispatch(Row { weights: self, input, input_row, output, pixels });
    }
}

struct Row<'a> {
    weights: &'a DepthwiseWeights,
    input: &'a [f32],
    input_row: usize,
    output: &'a mut [f32],
    pixels: usize,
}

impl WithSimd for Row<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        match (self.weights.geometry.kernel[1], self.weights.geometry.stride[1]) {
            (3, 1) => self.channels::<S, 3, 1>(s),
            (3, 2) => self.channels::<S, 3, 2>(s),
            (5, 1) => self.channels::<S, 5, 1>(s),
            (7, 1) => self.channels::<S, 7, 1>(s),
            (width, stride) => unreachable!("no depthwise kernel for width {width}, stride {stride}"),
        }
    }
}

impl Row<'_> {
    #[inline(always)]
    fn channels<S: Simd, const WIDTH: usize, const STRIDE: usize>(mut self, s: S) {
        let c = self.weights.geometry.channels_out;
        let mut first = 0;
        while first < c {
            let count = S::F32_LANES.min(c - first);
            let mut x = 0;
            while x + PIXELS <= self.pixels {
                self.pixels_at::<S, WIDTH, STRIDE, PIXELS>(s, x, first, count);
                x += PIXELS;
            }
            while x < self.pixels {
                self.pixels_at::<S, WIDTH, STRIDE, 1>(s, x, first, count);
                x += 1;
            }
            first += S::F32_LANES;
        }
    }

    /// Output pixels `x..x + N`, channels `first..first + count` (one vector).
    #[inline(always)]
    fn pixels_at<S: Simd, const WIDTH: usize, const STRIDE: usize, const N: usize>(
        &mut self,
        s: S,
        x: usize,
        first: usize,
        count: usize,
    ) {
        let c = self.weights.geometry.channels_out;
        let mut sums = [load(s, &self.weights.bias, first, count); N];
        for ky in 0..self.weights.geometry.kernel[0] {
            let row = ky * self.input_row + x * STRIDE * c + first;
            for kx in 0..WIDTH {
                let weight = load(s, &self.weights.weights, (ky * WIDTH + kx) * c + first, count);
                for (n, sum) in sums.iter_mut().enumerate() {
                    let value = load(s, self.input, row + (n * STRIDE + kx) * c, count);
                    *sum = s.mul_add_e_f32s(value, weight, *sum);
                }
            }
        }
        for (n, sum) in sums.into_iter().enumerate() {
            let at = (x + n) * c + first;
            let out = &mut self.output[at..at + count];
            if count == S::F32_LANES {
                // SAFETY: the slice is one vector long.
                unsafe { (out.as_mut_ptr() as *mut S::f32s).write_unaligned(sum) };
            } else {
                s.partial_store_f32s(out, sum);
            }
        }
    }
}

/// `count` floats from `at` on; a whole vector without bounds checks.
#[inline(always)]
fn load<S: Simd>(s: S, values: &[f32], at: usize, count: usize) -> S::f32s {
    if count == S::F32_LANES {
        debug_assert!(at + count <= values.len());
        // SAFETY: `DepthwiseWeights::row` checked the input; weights and bias hold `c` channels per tap.
        unsafe { (values.as_ptr().add(at) as *const S::f32s).read_unaligned() }
    } else {
        s.partial_load_f32s(&values[at..at + count])
    }
}
