//! A 3×3 convolution over maps of several sizes, enlarged to the finest and joined, without enlarging them.
//!
//! Convolution is linear, and a pixel of a coarse map that is repeated over a square gives the same product everywhere
//! in it. So each of the nine kernel positions is multiplied with the coarse map as it is (64, 16 and 4 times fewer
//! pixels), and every output pixel adds up the nine products it lies over.

use rayon::prelude::*;

use super::DenseWeights;
use super::conv::copy_row;
use super::elementwise::activate;
use super::gemm::RowGemm;
use super::map::{Buffer, Map};
use crate::vision::conv::{Activation, Geometry};

/// Taps of a 3×3 kernel.
const TAPS: usize = 9;

/// The convolution's weights, one part per map.
pub(in crate::vision) struct MultiScaleWeights {
    /// 3×3 over the finest map, with the bias.
    fine: DenseWeights,
    /// For every coarser map, finest first: 1×1 to `[tap, out]`.
    coarse: Vec<DenseWeights>,
    outputs: usize,
}

impl MultiScaleWeights {
    /// Splits `weight [out, levels · c, 3, 3]`, whose input channels are the coarsest map's first.
    pub fn pack(weight: &[f32], bias: Option<&[f32]>, geometry: Geometry, levels: usize) -> Self {
        let (all, outputs) = (geometry.channels_in, geometry.channels_out);
        let c = all / levels;
        let at = |n: usize, level: usize, k: usize, tap: usize| {
            weight[(n * all + (levels - 1 - level) * c + k) * TAPS + tap]
        };
        let fine: Vec<f32> = (0..outputs * c * TAPS).map(|i| at(i / TAPS / c, 0, i / TAPS % c, i % TAPS)).collect();
        let coarse = (1..levels).map(|level| {
            let products: Vec<f32> =
                (0..TAPS * outputs * c).map(|i| at(i / c % outputs, level, i % c, i / c / outputs)).collect();
            DenseWeights::pack(&products, None, Geometry::pointwise(c, TAPS * outputs))
        });
        Self {
            fine: DenseWeights::pack(&fine, bias, Geometry { channels_in: c, ..geometry }),
            coarse: coarse.collect(),
            outputs,
        }
    }

    /// Maps `[b, h >> i, w >> i, c]`, finest first → `[b, h, w, out]`.
    pub fn forward(&self, levels: &[Map], activation: Activation) -> Map {
        let [b, h, w, c] = levels[0].shape;
        let n = self.outputs;
        let products: Vec<Map> = self
            .coarse
            .iter()
            .zip(&levels[1..])
            .map(|(weights, level)| weights.forward(level, None, Activation::None))
            .collect();
        let mut out = Map::zeros([b, h, w, n]);
        let scratch = || (std::array::from_fn::<_, 3, _>(|_| Buffer::zeros((w + 2) * c)), Sums::new(w, n));
        for (picture, out) in out.data_mut().chunks_exact_mut(h * w * n).enumerate() {
            let fine = &levels[0].data()[picture * h * w * c..][..h * w * c];
            out.par_chunks_mut(w * n).enumerate().for_each_init(scratch, |(padded, sums), (y, out)| {
                sums.total.fill(0.0);
                for (i, product) in products.iter().enumerate() {
                    sums.add_level(product, picture, y, h, i + 1);
                }
                for (i, padded) in padded.iter_mut().enumerate() {
                    copy_row(padded, fine, (y + i) as isize - 1, w * c, c);
                }
                let taps: [&[f32]; 3] = std::array::from_fn(|i| &padded[i][..]);
                RowGemm {
                    taps: &taps,
                    pixels: w,
                    pixel_stride: c,
                    panels: &self.fine.panels,
                    residual: Some(&sums.total),
                    output: out,
                    output_stride: n,
                }
                .run();
                activate(out, activation);
            });
        }
        out
    }
}

/// What the coarse maps contribute to one output row.
struct Sums {
    /// `[w, n]`
    total: Buffer,
    /// One coarse row, its products summed over the kernel's rows: `[w >> level, 3, n]`.
    columns: Buffer,
    width: usize,
    outputs: usize,
}

impl Sums {
    fn new(width: usize, outputs: usize) -> Self {
        let columns = Buffer::zeros(width.div_ceil(2) * 3 * outputs);
        Self { total: Buffer::zeros(width * outputs), columns, width, outputs }
    }

    /// Adds the products `[b, h >> level, w >> level, 3, 3, n]` of one level to output row `y` of `height`.
    fn add_level(&mut self, products: &Map, picture: usize, y: usize, height: usize, level: usize) {
        let [_, h, w, _] = products.shape;
        let n = self.outputs;
        let columns = &mut self.columns[..w * 3 * n];
        columns.fill(0.0);
        for ky in 0..3 {
            // The padding around the enlarged map contributes nothing.
            let Some(row) = (y + ky).checked_sub(1).filter(|row| *row < height) else { continue };
            let row = &products.data()[(picture * h + (row >> level)) * w * TAPS * n..][..w * TAPS * n];
            for (columns, products) in columns.chunks_exact_mut(3 * n).zip(row.chunks_exact(TAPS * n)) {
                for (sum, product) in columns.iter_mut().zip(&products[ky * 3 * n..]) {
                    *sum += product;
                }
            }
        }
        for (x, total) in self.total.chunks_exact_mut(n).enumerate() {
            for kx in 0..3 {
                let Some(column) = (x + kx).checked_sub(1).filter(|column| *column < self.width) else { continue };
                for (sum, product) in total.iter_mut().zip(&columns[((column >> level) * 3 + kx) * n..]) {
                    *sum += product;
                }
            }
        }
    }
}
