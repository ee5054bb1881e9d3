//! The channel mixer of an LCNet block in one pass: `y = x · gate; y + compress(gelu(expand(y)))`.
//!
//! Done layer by layer, the widened map (twice the channels) would travel to memory and back three times. Here a few
//! pixels at a time go through both products while their widened row stays in the cache.

use rayon::prelude::*;

use super::DenseWeights;
use super::elementwise::activate;
use super::gemm::RowGemm;
use super::map::{Buffer, Map};
use crate::vision::blocks::Activation;

/// Pixels that go through both products together.
const PIXELS: usize = 64;

/// `x [b, h, w, c]`, `gate [b * c]` (of the squeeze-and-excitation, if the block has one); `residual` adds `y` itself.
pub(in crate::vision) fn mix_channels(
    x: &Map,
    gate: Option<&[f32]>,
    expand: &DenseWeights,
    compress: &DenseWeights,
    residual: bool,
) -> Map {
    let [b, h, w, c] = x.shape;
    let (hidden, outputs) = (expand.panels.outputs, compress.panels.outputs);
    let mut out = Map::zeros([b, h, w, outputs]);
    let scratch = || (Buffer::zeros(PIXELS * c), Buffer::zeros(PIXELS * hidden));

    for (picture, out) in out.data_mut().chunks_exact_mut(h * w * outputs).enumerate() {
        let input = &x.data()[picture * h * w * c..][..h * w * c];
        let gate = gate.map(|g| &g[picture * c..][..c]);
        let tasks = out.par_chunks_mut(PIXELS * outputs).zip(input.par_chunks(PIXELS * c));
        tasks.for_each_init(scratch, |(gated, widened), (out, x)| {
            let y = match gate {
                Some(gate) => {
                    for (y, x) in gated.chunks_exact_mut(c).zip(x.chunks_exact(c)) {
                        for ((y, x), g) in y.iter_mut().zip(x).zip(gate) {
                            *y = x * g;
                        }
                    }
                    &gated[..x.len()]
                }
                None => x,
            };
            let pixels = y.len() / c;
            let widened = &mut widened[..pixels * hidden];
            RowGemm {
                input: y,
                pixels,
                pixel_stride: c,
                tap_stride: 0,
                panels: &expand.panels,
                residual: None,
                output: widened,
                output_stride: hidden,
            }
            .run();
            activate(widened, Activation::Gelu);
            RowGemm {
                input: widened,
                pixels,
                pixel_stride: hidden,
                tap_stride: 0,
                panels: &compress.panels,
                residual: residual.then_some(y),
                output: out,
                output_stride: outputs,
            }
            .run();
        });
    }
    out
}
