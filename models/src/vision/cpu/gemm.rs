//! The matrix kernel: rows of pixels times a matrix of weights.
//!
//! `output[p, n] = bias[n] + Σ_tap Σ_k taps[tap][p * pixel_stride + k] * weights[tap, k, n] (+ residual[p, n])`
//!
//! One tap is a 1×1 convolution or a linear layer. A k×k convolution has one tap per kernel row: in a channels-last map
//! the k pixels under a kernel row lie side by side, so they are one long dot product.
//!
//! A tile of [`ROWS`] pixels × up to three vectors of output channels is kept in registers; weights are stored in
//! panels of that width, in the order in which the kernel reads them.

use pulp::{Simd, WithSimd};

use super::map::Buffer;
use super::simd::arch;

/// Widest panel, in vectors. With eight pixels it fills 24 of AVX-512's 32 registers; 48 channels divide most layers.
const MAX_VECTORS: usize = 3;

/// Weights of one layer in panel order.
pub(in crate::vision) struct Panels {
    /// `[panel, tap, k, vectors * lanes]`, zero beyond the last output channel.
    weights: Buffer,
    /// `[panels * vectors * lanes]`
    bias: Buffer,
    vectors: usize,
    lanes: usize,
    taps: usize,
    /// Length of the dot product of one tap.
    pub depth: usize,
    /// Output channels.
    pub outputs: usize,
}

impl Panels {
    /// Packs `weight(tap, k, n)` for the instruction set of this machine.
    pub fn pack(
        taps: usize,
        depth: usize,
        outputs: usize,
        bias: Option<&[f32]>,
        weight: impl Fn(usize, usize, usize) -> f32,
    ) -> Self {
        let lanes = arch().dispatch(Lanes);
        let vectors = outputs.div_ceil(lanes).min(MAX_VECTORS);
        let width = vectors * lanes;
        let panels = outputs.div_ceil(width);
        let mut packed = Buffer::zeros(panels * taps * depth * width);
        for (i, value) in packed.iter_mut().enumerate() {
            let (row, n) = (i / width, i / (width * taps * depth) * width + i % width);
            if n < outputs {
                *value = weight(row / depth % taps, row % depth, n);
            }
        }
        let mut padded_bias = Buffer::zeros(panels * width);
        if let Some(bias) = bias {
            padded_bias[..outputs].copy_from_slice(bias);
        }
        Self { weights: packed, bias: padded_bias, vectors, lanes, taps, depth, outputs }
    }
}

struct Lanes;
impl WithSimd for Lanes {
    type Output = usize;
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> usize {
        S::F32_LANES
    }
}

/// One call of the kernel; see the module's formula. All strides count `f32`s.
pub(super) struct RowGemm<'a> {
    /// For every tap the input from the first pixel on.
    pub taps: &'a [&'a [f32]],
    pub pixels: usize,
    pub pixel_stride: usize,
    pub panels: &'a Panels,
    /// Added to the output, with the output's stride.
    pub residual: Option<&'a [f32]>,
    pub output: &'a mut [f32],
    pub output_stride: usize,
}

impl RowGemm<'_> {
    /// Runs on the calling thread.
    pub fn run(self) {
        if self.pixels == 0 {
            return;
        }
        // The kernel reads and writes through pointers; these are the bounds it stays within.
        let panels = self.panels;
        let last_input = (self.pixels - 1) * self.pixel_stride + panels.depth;
        let last_output = (self.pixels - 1) * self.output_stride + panels.outputs;
        assert_eq!(self.taps.len(), panels.taps);
        assert!(self.taps.iter().all(|tap| last_input <= tap.len()) && last_output <= self.output.len());
        assert!(panels.outputs <= self.output_stride);
        assert!(self.residual.is_none_or(|r| last_output <= r.len()));
        arch().dispatch(self);
    }
}

impl WithSimd for RowGemm<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        assert_eq!(S::F32_LANES, self.panels.lanes, "packed for another instruction set");
        // Accumulators, one vector of weights per column, one broadcast pixel must fit the registers.
        match (S::REGISTER_COUNT >= 32, self.panels.vectors) {
            (true, 1) => self.rows::<S, 8, 1>(s),
            (true, 2) => self.rows::<S, 8, 2>(s),
            (true, _) => self.rows::<S, 8, 3>(s),
            (false, 1) => self.rows::<S, 4, 1>(s),
            (false, 2) => self.rows::<S, 4, 2>(s),
            (false, _) => self.rows::<S, 4, 3>(s),
        }
    }
}

impl RowGemm<'_> {
    #[inline(always)]
    fn rows<S: Simd, const ROWS: usize, const VECTORS: usize>(mut self, s: S) {
        let width = VECTORS * S::F32_LANES;
        for panel in 0..self.panels.outputs.div_ceil(width) {
            if self.pixels < ROWS {
                for p in 0..self.pixels {
                    self.tile::<S, 1, VECTORS>(s, p, panel);
                }
                continue;
            }
            let mut p = 0;
            while p < self.pixels {
                // The last tile overlaps the one before it: the same values are written twice.
                self.tile::<S, ROWS, VECTORS>(s, p.min(self.pixels - ROWS), panel);
                p += ROWS;
            }
        }
    }

    /// Pixels `p..p + ROWS`, all channels of one panel.
    #[inline(always)]
    fn tile<S: Simd, const ROWS: usize, const VECTORS: usize>(&mut self, s: S, p: usize, panel: usize) {
        let lanes = S::F32_LANES;
        let width = VECTORS * lanes;
        let Panels { taps, depth, outputs, .. } = *self.panels;
        let mut sums = [[s.splat_f32s(0.0); VECTORS]; ROWS];
        // SAFETY: `run` checked that the last pixel, tap and channel lie within input, output and residual; panels are
        // padded to whole vectors.
        unsafe {
            let bias = self.panels.bias.as_ptr().add(panel * width);
            for v in 0..VECTORS {
                let b = load::<S>(bias.add(v * lanes));
                for row in &mut sums {
                    row[v] = b;
                }
            }
            let mut weights = self.panels.weights.as_ptr().add(panel * taps * depth * width);
            for tap in self.taps {
                let first = tap.as_ptr().add(p * self.pixel_stride);
                for k in 0..depth {
                    let mut w = [s.splat_f32s(0.0); VECTORS];
                    for (v, w) in w.iter_mut().enumerate() {
                        *w = load::<S>(weights.add(v * lanes));
                    }
                    weights = weights.add(width);
                    for (r, sums) in sums.iter_mut().enumerate() {
                        let x = s.splat_f32s(*first.add(r * self.pixel_stride + k));
                        for (sum, &w) in sums.iter_mut().zip(&w) {
                            *sum = s.mul_add_e_f32s(x, w, *sum);
                        }
                    }
                }
            }
            for (r, row) in sums.into_iter().enumerate() {
                for (v, mut sum) in row.into_iter().enumerate() {
                    let n = panel * width + v * lanes;
                    if n >= outputs {
                        break;
                    }
                    let at = (p + r) * self.output_stride + n;
                    let count = lanes.min(outputs - n);
                    if count == lanes {
                        if let Some(residual) = self.residual {
                            sum = s.add_f32s(sum, load::<S>(residual.as_ptr().add(at)));
                        }
                        (self.output.as_mut_ptr().add(at) as *mut S::f32s).write_unaligned(sum);
                    } else {
                        if let Some(residual) = self.residual {
                            sum = s.add_f32s(sum, s.partial_load_f32s(&residual[at..at + count]));
                        }
                        s.partial_store_f32s(&mut self.output[at..at + count], sum);
                    }
                }
            }
        }
    }
}

/// # Safety
/// `F32_LANES` floats are readable at `p`.
#[inline(always)]
unsafe fn load<S: Simd>(p: *const f32) -> S::f32s {
    // SAFETY: the caller's promise.
    unsafe { (p as *const S::f32s).read_unaligned() }
}
