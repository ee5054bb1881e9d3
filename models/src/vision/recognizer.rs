//! What does a line say? PP-OCRv6 small recogniser: PP-LCNetV4 → light SVTR neck → one CTC class per time step.

use std::path::Path;

use burn::tensor::{Device, Tensor};
use rayon::prelude::*;

use super::blocks::{LayerNorm, SvtrBlock, average_pool};
use super::conv::{Activation, Conv, Geometry, Ops};
use super::cpu::attention::softmax_rows;
use super::ctc::Alphabet;
use super::image::{batch, check_lines, read_back};
use super::lcnet::{LcNet, LcNetConfig, StageConfig};
use super::weights::Weights;
use super::{LineRead, RgbView, VisionError};

/// Channels after the backbone, width of the neck and its attention heads.
const FEATURES: usize = 384;
const WIDTH: usize = 120;
const HEADS: usize = 8;

const BACKBONE: LcNetConfig = LcNetConfig {
    stem: [48, 96],
    stages: &[
        StageConfig { channels: 96, stride: [1, 1], squeeze: &[true] },
        StageConfig { channels: 96, stride: [1, 1], squeeze: &[false, false] },
        StageConfig { channels: 192, stride: [2, 1], squeeze: &[false, true, false, true, false, true, false] },
        StageConfig { channels: 384, stride: [2, 1], squeeze: &[false, true, false] },
    ],
};

/// Lines whose padded width is the same go through a GPU together, at most this many.
const BATCH: usize = 8;

/// The text recogniser.
pub struct Recognizer {
    backbone: LcNet,
    skip: Conv,
    reduce: Conv,
    local: Conv,
    blocks: [SvtrBlock; 2],
    norm: LayerNorm,
    head: Conv,
    alphabet: Alphabet,
    device: Device,
    ops: Ops,
}

impl Recognizer {
    /// Height of a line crop.
    pub const HEIGHT: usize = 48;
    /// Pixels of the crop's width that make one time step.
    pub const PIXELS_PER_STEP: usize = 8;
    /// Widths are padded to a multiple of this.
    pub const WIDTH_MULTIPLE: usize = 16;
    /// Longest crop accepted, in pixels.
    pub const MAX_WIDTH: usize = 8192;
    /// rapidocr pads every line to at least this width; pass it as `min_width` for the same result.
    pub const USUAL_MIN_WIDTH: usize = 320;

    /// Loads `recognizer.safetensors`.
    pub fn load(path: &Path, device: &Device) -> Result<Self, VisionError> {
        Self::load_with(path, device, Ops::for_device(device))
    }

    /// Loads `recognizer.safetensors` and computes with `ops`, for comparisons.
    pub fn load_with(path: &Path, device: &Device, ops: Ops) -> Result<Self, VisionError> {
        let mut weights = Weights::open(path, "recognizer", device, ops)?;
        let w = &mut weights;
        let alphabet = Alphabet::new(w.metadata("characters")?);
        if w.rows("head.weight")? != alphabet.classes() {
            let reason = format!("its header lists {} characters for another number of classes", alphabet.classes());
            return Err(w.damaged(reason).into());
        }
        let features = Geometry::pointwise(FEATURES, WIDTH);
        let local = Geometry::depthwise(WIDTH, [1, 7], [1, 1]);
        let recognizer = Self {
            backbone: LcNet::load(w, &BACKBONE)?,
            skip: Conv::load(w, "neck.skip", features, Activation::Silu)?,
            reduce: Conv::load(w, "neck.reduce", features, Activation::Silu)?,
            local: Conv::load(w, "neck.local", local, Activation::Silu)?,
            blocks: [
                SvtrBlock::load(w, "neck.blocks.0", WIDTH, HEADS)?,
                SvtrBlock::load(w, "neck.blocks.1", WIDTH, HEADS)?,
            ],
            norm: LayerNorm::load(w, "neck.norm", WIDTH, 1e-6)?,
            head: Conv::load_linear(w, "head", [WIDTH, alphabet.classes()], Activation::None)?,
            alphabet,
            device: device.clone(),
            ops,
        };
        weights.finish()?;
        Ok(recognizer)
    }

    /// The characters this network can tell apart, without the blank.
    pub fn characters(&self) -> &[char] {
        self.alphabet.characters()
    }

    /// Reads lines: each [`Self::HEIGHT`] pixels high, at most [`Self::MAX_WIDTH`] wide.
    ///
    /// Every line is padded on the right with mid grey to `min_width`, then to a multiple of [`Self::WIDTH_MULTIPLE`];
    /// padding changes the result slightly. Lines may differ in width; the answer is in the order of the question.
    /// `runners_up` is the number of alternatives to keep per character.
    pub fn read(
        &self,
        lines: &[RgbView<'_>],
        min_width: usize,
        runners_up: usize,
    ) -> Result<Vec<LineRead>, VisionError> {
        check_lines(lines, Self::HEIGHT, Self::MAX_WIDTH)?;
        let padded = |line: &RgbView<'_>| line.width().max(min_width).next_multiple_of(Self::WIDTH_MULTIPLE);
        let mut order: Vec<usize> = (0..lines.len()).collect();
        order.sort_by_key(|&i| padded(&lines[i]));
        // The CPU kernels gain nothing from batches: every line is work for one thread.
        let most = if self.ops == Ops::CpuKernels { 1 } else { BATCH };
        let batches: Vec<&[usize]> = order
            .chunk_by(|&i, &j| padded(&lines[i]) == padded(&lines[j]))
            .flat_map(|same_width| same_width.chunks(most))
            .collect();

        let read_batch = |indices: &&[usize]| -> Result<Vec<(usize, LineRead)>, VisionError> {
            let views: Vec<RgbView<'_>> = indices.iter().map(|&i| lines[i]).collect();
            let width = padded(&views[0]);
            let probabilities = self.probabilities(&views, width)?;
            let per_line = width / Self::PIXELS_PER_STEP * self.alphabet.classes();
            let reads = probabilities.chunks_exact(per_line).map(|p| self.alphabet.decode(p, runners_up));
            Ok(indices.iter().copied().zip(reads).collect())
        };
        let read: Vec<_> = if self.ops == Ops::CpuKernels {
            batches.par_iter().map(read_batch).collect::<Result<_, _>>()?
        } else {
            batches.iter().map(read_batch).collect::<Result<_, _>>()?
        };
        let mut answers = vec![LineRead::default(); lines.len()];
        for (i, line) in read.into_iter().flatten() {
            answers[i] = line;
        }
        Ok(answers)
    }

    /// Probability of every class (0 is the CTC blank, then [`Self::characters`]) at every time step of lines padded to
    /// `width`: `[lines, width / 8, classes]`.
    fn probabilities(&self, lines: &[RgbView<'_>], width: usize) -> Result<Vec<f32>, VisionError> {
        let logits = self.logits(batch(lines, Self::HEIGHT, width, &self.device));
        let mut values = read_back(logits)?;
        softmax_rows(&mut values, self.alphabet.classes());
        Ok(values)
    }

    /// `[b, 48, w, 3]` → `[b, 1, w / 8, classes]`
    pub(super) fn logits(&self, x: Tensor<4>) -> Tensor<4> {
        let features = self.backbone.forward(x).pop().expect("the backbone has stages");
        let x = average_pool(features, [3, 2], self.ops);
        let skip = self.skip.forward(x.clone());
        let x = self.reduce.forward(x);
        let mut x = x.clone() + self.local.forward(x);
        for block in &self.blocks {
            x = block.forward(x);
        }
        self.head.forward(self.norm.forward(x) + skip)
    }
}
