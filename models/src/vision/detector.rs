//! Where is text? PP-OCRv6 small detector: a probability for every pixel (Differentiable Binarization).
//!
//! PP-LCNetV4 → a feature pyramid with 7×7 depthwise convolutions (RepLKFPN) → a head that enlarges four times.

use std::path::Path;

use burn::tensor::Device;

use super::blocks::{Activation, Conv, Geometry, Ops};
use super::image::{batch, read_back};
use super::lcnet::{LcNet, LcNetConfig, StageConfig};
use super::pyramid::{Pyramid, join_scales};
use super::weights::Weights;
use super::{RgbView, VisionError};

/// Channels of the pyramid; each of its four levels contributes a quarter to the head.
const PYRAMID: usize = 96;
const HEAD: usize = PYRAMID / 4;

const BACKBONE: LcNetConfig = LcNetConfig {
    stem: [24, 48],
    stages: &[
        StageConfig { channels: 48, stride: [1, 1], squeeze: &[true, false] },
        StageConfig { channels: 96, stride: [2, 2], squeeze: &[false, true, false] },
        StageConfig { channels: 192, stride: [2, 2], squeeze: &[false, true, false, true, false] },
        StageConfig { channels: 384, stride: [2, 2], squeeze: &[false, true, false] },
    ],
};

/// Text probability of every pixel of the picture that went in.
#[derive(Debug, Clone, PartialEq)]
pub struct ProbabilityMap {
    /// Pixels per row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Row by row, 0 to 1: `[height * width]`.
    pub values: Vec<f32>,
}

/// The text detector.
pub struct Detector {
    backbone: LcNet,
    pyramid: Pyramid,
    conv: Conv,
    up1: Conv,
    up2: Conv,
    device: Device,
}

impl Detector {
    /// Height and width of a picture must be multiples of this.
    pub const SIZE_MULTIPLE: usize = 32;

    /// Loads `detector.safetensors`.
    pub fn load(path: &Path, device: &Device) -> Result<Self, VisionError> {
        Self::load_with(path, device, Ops::for_device(device))
    }

    /// Loads `detector.safetensors` and computes with `ops`, for comparisons.
    pub fn load_with(path: &Path, device: &Device, ops: Ops) -> Result<Self, VisionError> {
        let mut weights = Weights::open(path, "detector", device, ops)?;
        let channels: Vec<usize> = BACKBONE.stages.iter().map(|s| s.channels).collect();
        let detector = Self {
            backbone: LcNet::load(&mut weights, &BACKBONE)?,
            pyramid: Pyramid::load(&mut weights, &channels, PYRAMID)?,
            conv: Conv::load(&mut weights, "head.conv", Geometry::dense(PYRAMID, HEAD, 3, [1, 1]), Activation::Relu)?,
            up1: Conv::load_doubling(&mut weights, "head.up1", [HEAD, HEAD], Activation::Relu)?,
            up2: Conv::load_doubling(&mut weights, "head.up2", [HEAD, 1], Activation::Sigmoid)?,
            device: device.clone(),
        };
        weights.finish()?;
        Ok(detector)
    }

    /// The probability map of `picture`, whose height and width are multiples of [`Self::SIZE_MULTIPLE`].
    ///
    /// rapidocr resizes so that the shorter side is at least 736 (the longer at most 2000), then rounds both sides to
    /// multiples of 32; a pixel is text from 0.3 on.
    pub fn probability_map(&self, picture: RgbView<'_>) -> Result<ProbabilityMap, VisionError> {
        let (height, width) = (picture.height(), picture.width());
        if height % Self::SIZE_MULTIPLE != 0 || width % Self::SIZE_MULTIPLE != 0 {
            let multiple = Self::SIZE_MULTIPLE;
            return Err(VisionError::Picture(format!(
                "{width} by {height} pixels; both sides must be multiples of {multiple}"
            )));
        }
        let levels = self.pyramid.forward(self.backbone.forward(batch(&[picture], height, width, &self.device)));
        let x = self.conv.forward(join_scales(levels));
        let [b, h, w, _] = x.dims();
        // Every pixel of the quarter-size map becomes 2×2, and each of those 2×2 again.
        let doubled = self.up1.forward(x).reshape([b, h, w * 4, HEAD]);
        let nested = read_back(self.up2.forward(doubled))?;
        Ok(ProbabilityMap { width, height, values: unnest(&nested, h, w) })
    }
}

/// `[h, w, dy1, dx1, dy2, dx2]` → `[h · 4, w · 4]` with rows `y · 4 + dy1 · 2 + dy2`.
fn unnest(nested: &[f32], h: usize, w: usize) -> Vec<f32> {
    let mut map = vec![0.0; h * w * 16];
    for (row, nested) in map.chunks_exact_mut(w * 16).zip(nested.chunks_exact(w * 16)) {
        for (x, pixels) in nested.as_chunks::<16>().0.iter().enumerate() {
            for dy in 0..4 {
                let (dy1, dy2) = (dy / 2, dy % 2);
                let left = [pixels[dy1 * 8 + dy2 * 2], pixels[dy1 * 8 + dy2 * 2 + 1]];
                let right = [pixels[dy1 * 8 + 4 + dy2 * 2], pixels[dy1 * 8 + 4 + dy2 * 2 + 1]];
                row[dy * w * 4 + x * 4..][..2].copy_from_slice(&left);
                row[dy * w * 4 + x * 4 + 2..][..2].copy_from_slice(&right);
            }
        }
    }
    map
}
