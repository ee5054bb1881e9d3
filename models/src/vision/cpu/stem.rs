//! The stem of PP-LCNetV4 in one pass.
//!
//! Its maps are the largest of the whole network (half the picture's height and width, up to 96 channels) and its layers
//! the cheapest, so layer by layer it is all memory traffic. Here every thread walks down its part of the picture and
//! keeps the last few rows of each layer in rings:
//!
//! ```text
//! input rows 2k-1, 2k, 2k+1 → conv1 row k ┬→ 2×2 maximum of rows j, j+1 ────────────┐
//!                                         └→ conv2a row k → conv2b of rows j, j+1 ──┴→ joined row j
//! joined rows 2y-1, 2y, 2y+1 → conv3 row y → conv4 row y
//! ```

use rayon::prelude::*;

use super::DenseWeights;
use super::conv::copy_row;
use super::elementwise::{activate, max_of_four};
use super::gemm::RowGemm;
use super::map::{Buffer, Map};
use crate::vision::conv::Activation;

/// Output rows per task. Neighbouring tasks compute three rows of conv1 twice.
const ROWS: usize = 16;

/// The stem's convolutions, each followed by a ReLU.
#[derive(Clone, Copy)]
pub(in crate::vision) struct Stem<'a> {
    pub conv1: &'a DenseWeights,
    pub conv2a: &'a DenseWeights,
    pub conv2b: &'a DenseWeights,
    pub conv3: &'a DenseWeights,
    pub conv4: &'a DenseWeights,
}

impl Stem<'_> {
    /// `[b, h, w, 3]`, height and width multiples of four → `[b, h / 4, w / 4, out]`.
    pub fn forward(&self, x: &Map) -> Map {
        let [b, h, w, channels] = x.shape;
        assert!(h % 4 == 0 && w % 4 == 0 && channels == 3, "the stem halves twice");
        let outputs = self.conv4.panels.outputs;
        let row = w / 4 * outputs;
        let mut out = Map::zeros([b, h / 4, w / 4, outputs]);
        for (picture, out) in out.data_mut().chunks_exact_mut(h / 4 * row).enumerate() {
            let input = &x.data()[picture * h * w * 3..][..h * w * 3];
            out.par_chunks_mut(ROWS * row).enumerate().for_each(|(i, out)| {
                let mut walk = Walk::new(*self, input, [h, w], i * ROWS);
                for (y, out) in out.chunks_exact_mut(row).enumerate() {
                    walk.output_row(i * ROWS + y, out);
                }
            });
        }
        out
    }
}

/// The rows of one layer that are still needed; row `k` is at `k % 4`.
struct Ring {
    rows: [Buffer; 4],
}

impl Ring {
    fn new(row: usize) -> Self {
        Self { rows: std::array::from_fn(|_| Buffer::zeros(row)) }
    }

    fn row(&self, k: usize) -> &[f32] {
        &self.rows[k % 4]
    }

    fn row_mut(&mut self, k: usize) -> &mut [f32] {
        &mut self.rows[k % 4]
    }
}

/// One thread's way down its part of a picture.
struct Walk<'a> {
    stem: Stem<'a>,
    input: &'a [f32],
    height: usize,
    width: usize,
    /// Input rows with one zero pixel on the left.
    padded: [Buffer; 3],
    /// Rows of conv1 and conv2a, with one zero pixel on the right.
    conv1: Ring,
    conv2a: Ring,
    /// Joined rows, with one zero pixel on the left.
    joined: Ring,
    pooled: Buffer,
    conv3: Buffer,
    /// The next row of conv1, conv2a and the joined map that has not been computed.
    next1: usize,
    next2a: usize,
    next_joined: usize,
}

impl<'a> Walk<'a> {
    fn new(stem: Stem<'a>, input: &'a [f32], [height, width]: [usize; 2], first_row: usize) -> Self {
        let (mid, narrow) = (stem.conv1.panels.outputs, stem.conv2a.panels.outputs);
        let half = width / 2;
        // The first output row needs joined row 2y - 1; above the picture that row is zero, as the ring is at first.
        let first = (2 * first_row).saturating_sub(1);
        Self {
            stem,
            input,
            height,
            width,
            padded: std::array::from_fn(|_| Buffer::zeros((width + 1) * 3)),
            conv1: Ring::new((half + 1) * mid),
            conv2a: Ring::new((half + 1) * narrow),
            joined: Ring::new((half + 1) * 2 * mid),
            pooled: Buffer::zeros(half * mid),
            conv3: Buffer::zeros(width / 4 * mid),
            next1: first,
            next2a: first,
            next_joined: first,
        }
    }

    /// Row `y` of conv4; rows must be asked for in order.
    fn output_row(&mut self, y: usize, out: &mut [f32]) {
        while self.next_joined <= 2 * y + 1 {
            self.joined_row(self.next_joined);
            self.next_joined += 1;
        }
        // Ring place 3 stands for row -1: it is still zero when the first row is computed.
        let taps = [self.joined.row((2 * y).wrapping_sub(1)), self.joined.row(2 * y), self.joined.row(2 * y + 1)];
        let (mid, outputs) = (self.stem.conv3.panels.outputs, self.stem.conv4.panels.outputs);
        let joined_channels = 2 * self.stem.conv1.panels.outputs;
        row(self.stem.conv3, &taps, 2 * joined_channels, &mut self.conv3, mid);
        activate(&mut self.conv3, Activation::Relu);
        row(self.stem.conv4, &[&self.conv3], mid, out, outputs);
        activate(out, Activation::Relu);
    }

    /// `[maximum of conv1's rows j and j + 1 | conv2b row j]`
    fn joined_row(&mut self, j: usize) {
        while self.next1 <= j + 2 {
            self.conv1_row(self.next1);
            self.next1 += 1;
        }
        while self.next2a <= j + 1 {
            self.conv2a_row(self.next2a);
            self.next2a += 1;
        }
        let (mid, narrow) = (self.stem.conv1.panels.outputs, self.stem.conv2a.panels.outputs);
        let joined = &mut self.joined.row_mut(j)[2 * mid..];
        let taps = [self.conv2a.row(j), self.conv2a.row(j + 1)];
        row(self.stem.conv2b, &taps, narrow, &mut joined[mid..], 2 * mid);
        let (upper, lower) = (self.conv1.row(j), self.conv1.row(j + 1));
        max_of_four([upper, &upper[mid..], lower, &lower[mid..]], &mut self.pooled);
        for (joined, pooled) in joined.chunks_exact_mut(2 * mid).zip(self.pooled.chunks_exact(mid)) {
            joined[..mid].copy_from_slice(pooled);
        }
        // The pooled half is not negative already.
        activate(joined, Activation::Relu);
    }

    fn conv2a_row(&mut self, k: usize) {
        let (mid, narrow) = (self.stem.conv1.panels.outputs, self.stem.conv2a.panels.outputs);
        let out = &mut self.conv2a.row_mut(k)[..self.width / 2 * narrow];
        if k >= self.height / 2 {
            return out.fill(0.0);
        }
        row(self.stem.conv2a, &[self.conv1.row(k), self.conv1.row(k + 1)], mid, out, narrow);
        activate(out, Activation::Relu);
    }

    fn conv1_row(&mut self, k: usize) {
        let mid = self.stem.conv1.panels.outputs;
        let out = &mut self.conv1.row_mut(k)[..self.width / 2 * mid];
        if k >= self.height / 2 {
            return out.fill(0.0);
        }
        for (i, padded) in self.padded.iter_mut().enumerate() {
            copy_row(padded, self.input, (2 * k + i) as isize - 1, self.width * 3, 3);
        }
        let taps: [&[f32]; 3] = std::array::from_fn(|i| &self.padded[i][..]);
        row(self.stem.conv1, &taps, 2 * 3, out, mid);
        activate(out, Activation::Relu);
    }
}

/// One row of a convolution; as many pixels as the output holds.
fn row(conv: &DenseWeights, taps: &[&[f32]], pixel_stride: usize, output: &mut [f32], output_stride: usize) {
    let pixels = (output.len() + output_stride - conv.panels.outputs) / output_stride;
    RowGemm { taps, pixels, pixel_stride, panels: &conv.panels, residual: None, output, output_stride }.run();
}
