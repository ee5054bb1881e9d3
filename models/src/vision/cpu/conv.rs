//! Dense convolutions and linear layers.

use rayon::prelude::*;

use super::elementwise::activate;
use super::gemm::{Panels, RowGemm};
use super::map::{Buffer, Map};
use crate::vision::conv::{Activation, Geometry};

/// A dense convolution ready for the CPU.
pub(in crate::vision) struct DenseWeights {
    pub(super) panels: Panels,
    geometry: Geometry,
}

impl DenseWeights {
    /// Packs `weight [out, in, kh, kw]`.
    pub fn pack(weight: &[f32], bias: Option<&[f32]>, geometry: Geometry) -> Self {
        let Geometry { channels_in, channels_out, kernel: [kh, kw], .. } = geometry;
        let panels = Panels::pack(kh, kw * channels_in, channels_out, bias, |ky, k, n| {
            let (kx, c) = (k / channels_in, k % channels_in);
            weight[((n * channels_in + c) * kh + ky) * kw + kx]
        });
        Self { panels, geometry }
    }

    /// `[b, h, w, in]` → `[b, h', w', out]`, plus `residual` of the same shape, then `activation`.
    pub fn forward(&self, x: &Map, residual: Option<&Map>, activation: Activation) -> Map {
        if self.geometry.is_pointwise() {
            self.pointwise(x, residual, activation)
        } else {
            assert!(residual.is_none(), "only 1×1 convolutions add a residual");
            self.spatial(x, activation)
        }
    }

    /// 1×1: every pixel by itself, so the map is one long row.
    fn pointwise(&self, x: &Map, residual: Option<&Map>, activation: Activation) -> Map {
        let [b, h, w, c] = x.shape;
        let outputs = self.panels.outputs;
        let mut out = Map::zeros([b, h, w, outputs]);
        let pixels = pixels_per_task(b * h * w, c * outputs);
        out.data_mut().par_chunks_mut(pixels * outputs).enumerate().for_each(|(i, out)| {
            RowGemm {
                taps: &[&x.data()[i * pixels * c..]],
                pixels: out.len() / outputs,
                pixel_stride: c,
                panels: &self.panels,
                residual: residual.map(|r| &r.data()[i * pixels * outputs..]),
                output: out,
                output_stride: outputs,
            }
            .run();
            activate(out, activation);
        });
        out
    }

    /// k×k: bands of output rows, each with its padded input rows in a scratch buffer.
    fn spatial(&self, x: &Map, activation: Activation) -> Map {
        let g = &self.geometry;
        let [b, h, w, c] = x.shape;
        let [out_h, out_w] = g.output_size([h, w]);
        let outputs = self.panels.outputs;
        let mut out = Map::zeros([b, out_h, out_w, outputs]);
        let padded_row = (w + g.padding[1][0] + g.padding[1][1]) * c;
        let band = (pixels_per_task(b * out_h * out_w, self.panels.depth * g.kernel[0] * outputs) / out_w).max(1);

        for (picture, out) in out.data_mut().chunks_exact_mut(out_h * out_w * outputs).enumerate() {
            let input = &x.data()[picture * h * w * c..][..h * w * c];
            out.par_chunks_mut(band * out_w * outputs).enumerate().for_each_init(
                || Buffer::zeros(((band - 1) * g.stride[0] + g.kernel[0]) * padded_row),
                |scratch, (i, out)| {
                    let rows = out.len() / (out_w * outputs);
                    let first = (i * band * g.stride[0]) as isize - g.padding[0][0] as isize;
                    let rows_in = (rows - 1) * g.stride[0] + g.kernel[0];
                    for (y, row) in scratch.chunks_exact_mut(padded_row).take(rows_in).enumerate() {
                        copy_row(row, input, first + y as isize, w * c, g.padding[1][0] * c);
                    }
                    for (y, out) in out.chunks_exact_mut(out_w * outputs).enumerate() {
                        let taps: Vec<&[f32]> =
                            scratch[y * g.stride[0] * padded_row..].chunks(padded_row).take(g.kernel[0]).collect();
                        RowGemm {
                            taps: &taps,
                            pixels: out_w,
                            pixel_stride: g.stride[1] * c,
                            panels: &self.panels,
                            residual: None,
                            output: out,
                            output_stride: outputs,
                        }
                        .run();
                    }
                    activate(out, activation);
                },
            );
        }
        out
    }
}

/// Row `y` of a picture into a padded row; zeros where the picture has no such row.
pub(super) fn copy_row(padded: &mut [f32], picture: &[f32], y: isize, row: usize, left: usize) {
    let source = usize::try_from(y).ok().and_then(|y| picture.get(y * row..(y + 1) * row));
    match source {
        Some(source) => padded[left..left + row].copy_from_slice(source),
        None => padded[left..left + row].fill(0.0),
    }
}

/// How many pixels one thread takes at a time: about a quarter of a million multiplications, so that small layers are
/// not split and large ones leave work to share.
fn pixels_per_task(pixels: usize, multiplications_per_pixel: usize) -> usize {
    (4_000_000 / multiplications_per_pixel.max(1)).clamp(16, pixels.max(16))
}
