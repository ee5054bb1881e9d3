//! Depthwise convolutions: every channel by itself.

use std::ops::Range;

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::elementwise::activate;
use super::map::{Buffer, Map};
use super::simd::arch;
use crate::vision::conv::{Activation, Geometry};

/// Neighbouring output pixels computed together: they share the weights, and their sums hide each other's latency.
const PIXELS: usize = 8;

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
        let [b, h, w, c] = x.shape;
        let [out_h, out_w] = self.geometry.output_size([h, w]);
        let mut out = Map::zeros([b, out_h, out_w, c]);
        let band = (65_536 / (out_w * c)).max(1);
        for (picture, out) in out.data_mut().chunks_exact_mut(out_h * out_w * c).enumerate() {
            let input = &x.data()[picture * h * w * c..][..h * w * c];
            out.par_chunks_mut(band * out_w * c).enumerate().for_each(|(i, out)| {
                for (y, out) in out.chunks_exact_mut(out_w * c).enumerate() {
                    self.row(input, [h, w], i * band + y, out);
                }
                activate(out, activation);
            });
        }
        out
    }

    /// Output size of a map of `size` pixels.
    pub(super) fn output_size(&self, size: [usize; 2]) -> [usize; 2] {
        self.geometry.output_size(size)
    }

    /// Row `y` of the output from a whole picture `[h, w, c]`.
    pub(super) fn row(&self, picture: &[f32], [h, w]: [usize; 2], y: usize, output: &mut [f32]) {
        let Geometry { channels_out: c, kernel: [kh, _], stride, padding, .. } = self.geometry;
        assert_eq!(picture.len(), h * w * c);
        let top = (y * stride[0]) as isize - padding[0][0] as isize;
        // Rows outside the picture are zero: they contribute nothing.
        let first = usize::try_from(-top).unwrap_or(0);
        let last = kh.min((h as isize - top).max(0) as usize);
        let input = &picture[(top + first as isize) as usize * w * c..];
        let weights = &self.weights[first * self.geometry.kernel[1] * c..];
        let pixels = output.len() / c;
        arch().dispatch(Row { conv: self, weights, rows: last - first, input, width: w, output, pixels });
    }
}

/// One output row: `rows` kernel rows over as many input rows.
struct Row<'a> {
    conv: &'a DepthwiseWeights,
    /// From the first kernel row that lies within the picture.
    weights: &'a [f32],
    rows: usize,
    /// From the first such input row.
    input: &'a [f32],
    /// Pixels of an input row.
    width: usize,
    output: &'a mut [f32],
    pixels: usize,
}

impl WithSimd for Row<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        match (self.conv.geometry.kernel[1], self.conv.geometry.stride[1]) {
            (3, 1) => self.run::<S, 3, 1>(s),
            (3, 2) => self.run::<S, 3, 2>(s),
            (5, 1) => self.run::<S, 5, 1>(s),
            (7, 1) => self.run::<S, 7, 1>(s),
            (width, stride) => unreachable!("no depthwise kernel for width {width}, stride {stride}"),
        }
    }
}

impl Row<'_> {
    #[inline(always)]
    fn run<S: Simd, const WIDTH: usize, const STRIDE: usize>(mut self, s: S) {
        let pad = self.conv.geometry.padding[1][0];
        // Output pixels whose whole kernel lies within the row: `inner..outer`.
        let inner = pad.div_ceil(STRIDE).min(self.pixels);
        let outer = ((self.width + pad).saturating_sub(WIDTH) / STRIDE + 1).clamp(inner, self.pixels);
        for x in (0..inner).chain(outer..self.pixels) {
            let left = pad.saturating_sub(x * STRIDE);
            let right = WIDTH.min(self.width + pad - x * STRIDE);
            self.block::<S, STRIDE, 1>(s, x, left..right, WIDTH);
        }
        let mut x = inner;
        while x + PIXELS <= outer {
            self.block::<S, STRIDE, PIXELS>(s, x, 0..WIDTH, WIDTH);
            x += PIXELS;
        }
        while x < outer {
            self.block::<S, STRIDE, 1>(s, x, 0..WIDTH, WIDTH);
            x += 1;
        }
    }

    /// Output pixels `x..x + N`, all channels; kernel columns `columns` of `kernel_width`.
    #[inline(always)]
    fn block<S: Simd, const STRIDE: usize, const N: usize>(
        &mut self,
        s: S,
        x: usize,
        columns: Range<usize>,
        kernel_width: usize,
    ) {
        let Geometry { channels_out: c, padding, .. } = self.conv.geometry;
        let input_row = self.width * c;
        let mut first = 0;
        while first < c {
            let count = S::F32_LANES.min(c - first);
            let mut sums = [load(s, &self.conv.bias, first, count); N];
            for ky in 0..self.rows {
                for kx in columns.clone() {
                    let weight = load(s, self.weights, (ky * kernel_width + kx) * c + first, count);
                    let at = ky * input_row + (x * STRIDE + kx - padding[1][0]) * c + first;
                    for (n, sum) in sums.iter_mut().enumerate() {
                        let value = load(s, self.input, at + n * STRIDE * c, count);
                        *sum = s.mul_add_e_f32s(value, weight, *sum);
                    }
                }
            }
            for (n, sum) in sums.into_iter().enumerate() {
                store(s, self.output, (x + n) * c + first, count, sum);
            }
            first += S::F32_LANES;
        }
    }
}

/// `count` floats from `at` on.
#[inline(always)]
fn load<S: Simd>(s: S, values: &[f32], at: usize, count: usize) -> S::f32s {
    let values = &values[at..at + count];
    if count == S::F32_LANES {
        // SAFETY: the slice is one vector long.
        unsafe { (values.as_ptr() as *const S::f32s).read_unaligned() }
    } else {
        s.partial_load_f32s(values)
    }
}

#[inline(always)]
fn store<S: Simd>(s: S, values: &mut [f32], at: usize, count: usize, vector: S::f32s) {
    let values = &mut values[at..at + count];
    if count == S::F32_LANES {
        // SAFETY: the slice is one vector long.
        unsafe { (values.as_mut_ptr() as *mut S::f32s).write_unaligned(vector) };
    } else {
        s.partial_store_f32s(values, vector);
    }
}
