//! Two 1×1 convolutions in one pass, and the LCNet block built on them.
//!
//! Done layer by layer, the widened map (twice the channels) would travel to memory and back three times. Here a few
//! pixels at a time go through both products while their widened row stays in the cache.

use rayon::prelude::*;

use super::elementwise::activate;
use super::gemm::RowGemm;
use super::map::{Map, Scratch};
use super::{DenseWeights, DepthwiseWeights};
use crate::vision::conv::Activation;

/// Pixels that go through both products together.
const PIXELS: usize = 64;

/// `after(second(between(first(y)))) (+ y)`
#[derive(Clone, Copy)]
pub(in crate::vision) struct Pair<'a> {
    pub first: &'a DenseWeights,
    pub between: Activation,
    pub second: &'a DenseWeights,
    pub after: Activation,
    /// Adds the input (before `after`).
    pub residual: bool,
}

impl Pair<'_> {
    fn channels(&self) -> usize {
        self.first.panels.depth
    }

    fn outputs(&self) -> usize {
        self.second.panels.outputs
    }

    /// Room for the widened pixels of one call of [`Self::pixels`].
    fn scratch(&self) -> Scratch {
        Scratch::take(PIXELS * self.first.panels.outputs)
    }

    /// Pixels `x [n, c]` → `out [n, outputs]`.
    fn pixels(&self, x: &[f32], widened: &mut [f32], out: &mut [f32]) {
        let (c, hidden, outputs) = (self.channels(), self.first.panels.outputs, self.outputs());
        for (x, out) in x.chunks(PIXELS * c).zip(out.chunks_mut(PIXELS * outputs)) {
            let pixels = x.len() / c;
            let widened = &mut widened[..pixels * hidden];
            RowGemm {
                taps: &[x],
                pixels,
                pixel_stride: c,
                panels: &self.first.panels,
                residual: None,
                output: widened,
                output_stride: hidden,
            }
            .run();
            activate(widened, self.between);
            RowGemm {
                taps: &[widened],
                pixels,
                pixel_stride: hidden,
                panels: &self.second.panels,
                residual: self.residual.then_some(x),
                output: out,
                output_stride: outputs,
            }
            .run();
            activate(out, self.after);
        }
    }

    /// `y = x · gate` through both products: `x [b, h, w, c]`, `gate [b * c]`.
    pub fn forward(&self, x: &Map, gate: Option<&[f32]>) -> Map {
        let [b, h, w, c] = x.shape;
        let outputs = self.outputs();
        let mut out = Map::zeros([b, h, w, outputs]);
        for (picture, out) in out.data_mut().chunks_exact_mut(h * w * outputs).enumerate() {
            let input = &x.data()[picture * h * w * c..][..h * w * c];
            let tasks = out.par_chunks_mut(PIXELS * outputs).zip(input.par_chunks(PIXELS * c));
            match gate.map(|g| &g[picture * c..][..c]) {
                None => tasks.for_each_init(|| self.scratch(), |widened, (out, x)| self.pixels(x, widened, out)),
                Some(gate) => tasks.for_each_init(
                    || (Scratch::take(PIXELS * c), self.scratch()),
                    |(gated, widened), (out, x)| {
                        for (y, x) in gated.chunks_exact_mut(c).zip(x.chunks_exact(c)) {
                            for ((y, x), g) in y.iter_mut().zip(x).zip(gate) {
                                *y = x * g;
                            }
                        }
                        self.pixels(&gated[..x.len()], widened, out);
                    },
                ),
            }
        }
        out
    }

    /// The same after a depthwise convolution, whose output never leaves the cache either.
    pub fn forward_after(&self, depthwise: &DepthwiseWeights, x: &Map) -> Map {
        let [b, h, w, c] = x.shape;
        let outputs = self.outputs();
        let [out_h, out_w] = depthwise.output_size([h, w]);
        let mut out = Map::zeros([b, out_h, out_w, outputs]);
        let band = PIXELS.div_ceil(out_w);
        for (picture, out) in out.data_mut().chunks_exact_mut(out_h * out_w * outputs).enumerate() {
            let input = &x.data()[picture * h * w * c..][..h * w * c];
            out.par_chunks_mut(band * out_w * outputs).enumerate().for_each_init(
                || (Scratch::take(band * out_w * c), self.scratch()),
                |(mixed, widened), (i, out)| {
                    let mixed = &mut mixed[..out.len() / outputs * c];
                    for (y, row) in mixed.chunks_exact_mut(out_w * c).enumerate() {
                        depthwise.row(input, [h, w], i * band + y, row);
                    }
                    self.pixels(mixed, widened, out);
                },
            );
        }
        out
    }
}
