//! Is a line upside down? PaddleOCR's mobile 0/180° classifier (MobileNetV3 small, width 0.35).

use std::path::Path;

use burn::tensor::{Device, Tensor, activation};

use super::blocks::SqueezeExcite;
use super::conv::{Activation, Conv, Geometry, Ops};
use super::image::{batch, check_lines, read_back};
use super::weights::Weights;
use super::{RgbView, VisionError};
use crate::checkpoint::CheckpointError;

/// Inverted residual blocks: kernel, hidden and output channels, whether the height is halved, squeeze-and-excitation,
/// and the activation.
const BLOCKS: [(usize, usize, usize, bool, bool, Activation); 11] = [
    (3, 8, 8, true, true, Activation::Relu),
    (3, 24, 8, true, false, Activation::Relu),
    (3, 32, 8, false, false, Activation::Relu),
    (5, 32, 16, true, true, Activation::HardSwish),
    (5, 88, 16, false, true, Activation::HardSwish),
    (5, 88, 16, false, true, Activation::HardSwish),
    (5, 40, 16, false, true, Activation::HardSwish),
    (5, 48, 16, false, true, Activation::HardSwish),
    (5, 104, 32, true, true, Activation::HardSwish),
    (5, 200, 32, false, true, Activation::HardSwish),
    (5, 200, 32, false, true, Activation::HardSwish),
];
const STEM: usize = 8;
const LAST: usize = 200;

/// A block of MobileNetV3: widen, mix neighbours, weigh channels, narrow.
struct InvertedResidual {
    expand: Conv,
    depthwise: Conv,
    squeeze: Option<SqueezeExcite>,
    compress: Conv,
    residual: bool,
}

impl InvertedResidual {
    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let y = self.depthwise.forward(self.expand.forward(x.clone()));
        let y = match &self.squeeze {
            Some(squeeze) => squeeze.forward(y),
            None => y,
        };
        if self.residual { self.compress.forward_add(y, x) } else { self.compress.forward(y) }
    }
}

/// The 0/180° classifier.
pub struct LineClassifier {
    stem: Conv,
    blocks: Vec<InvertedResidual>,
    last: Conv,
    head: Conv,
    device: Device,
}

impl LineClassifier {
    /// Height of a line crop.
    pub const HEIGHT: usize = 48;
    /// Greatest width; longer lines are squeezed to it by the caller.
    pub const MAX_WIDTH: usize = 192;

    /// Loads `line_classifier.safetensors`.
    pub fn load(path: &Path, device: &Device) -> Result<Self, VisionError> {
        Self::load_with(path, device, Ops::for_device(device))
    }

    /// Loads `line_classifier.safetensors` and computes with `ops`, for comparisons.
    pub fn load_with(path: &Path, device: &Device, ops: Ops) -> Result<Self, VisionError> {
        let mut weights = Weights::open(path, "line_classifier", device, ops)?;
        let w = &mut weights;
        let mut channels = STEM;
        let mut load_block = |w: &mut Weights, i: usize| -> Result<InvertedResidual, CheckpointError> {
            let (kernel, hidden, out, halve, squeeze, act) = BLOCKS[i];
            let stride = [if halve { 2 } else { 1 }, 1];
            let name = |part: &str| format!("blocks.{i}.{part}");
            let residual = !halve && channels == out;
            let depthwise = Geometry::depthwise(hidden, [kernel; 2], stride);
            let block = InvertedResidual {
                expand: Conv::load(w, &name("expand"), Geometry::pointwise(channels, hidden), act)?,
                depthwise: Conv::load(w, &name("depthwise"), depthwise, act)?,
                squeeze: squeeze
                    .then(|| SqueezeExcite::load(w, &name("squeeze"), hidden, SqueezeExcite::SLOPE_PADDLE))
                    .transpose()?,
                compress: Conv::load(w, &name("compress"), Geometry::pointwise(hidden, out), Activation::None)?,
                residual,
            };
            channels = out;
            Ok(block)
        };
        let classifier = Self {
            stem: Conv::load(w, "stem", Geometry::dense(3, STEM, 3, [2, 2]), Activation::HardSwish)?,
            blocks: (0..BLOCKS.len()).map(|i| load_block(w, i)).collect::<Result<_, _>>()?,
            last: Conv::load(w, "last", Geometry::pointwise(32, LAST), Activation::HardSwish)?,
            head: Conv::load_linear(w, "head", [LAST, 2], Activation::None)?,
            device: device.clone(),
        };
        weights.finish()?;
        Ok(classifier)
    }

    /// For every line (48 high, at most 192 wide) the probability that it is upside down; rapidocr turns a line from
    /// 0.9 on.
    pub fn upside_down(&self, lines: &[RgbView<'_>]) -> Result<Vec<f32>, VisionError> {
        check_lines(lines, Self::HEIGHT, Self::MAX_WIDTH)?;
        if lines.is_empty() {
            return Ok(Vec::new());
        }
        let logits = self.logits(batch(lines, Self::HEIGHT, Self::MAX_WIDTH, &self.device));
        let probabilities = read_back(activation::softmax(logits, 3))?;
        Ok(probabilities.as_chunks::<2>().0.iter().map(|p| p[1]).collect())
    }

    /// `[b, 48, 192, 3]` → `[b, 1, 1, 2]`
    pub(super) fn logits(&self, x: Tensor<4>) -> Tensor<4> {
        let mut x = self.stem.forward(x);
        for block in &self.blocks {
            x = block.forward(x);
        }
        let x = self.last.forward(x);
        let [b, h, w, c] = x.dims();
        let pooled = x.reshape([b, h / 2, 2, w / 2, 2, c]).max_dim(2).max_dim(4);
        let means = pooled.reshape([b, h / 2 * (w / 2), 1, c]).mean_dim(1);
        self.head.forward(means)
    }
}
