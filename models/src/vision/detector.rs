//! Where is text? PP-OCRv6 small detector: a probability for every pixel (Differentiable Binarization).
//!
//! PP-LCNetV4 → a feature pyramid with 7×7 depthwise convolutions (RepLKFPN) → a head that enlarges four times.

use std::path::Path;

use burn::tensor::{Device, Tensor};

use super::conv::{Activation, Conv, Geometry, Ops};
use super::image::{batch, read_back};
use super::lcnet::{LcNet, LcNetConfig, StageConfig};
use super::pyramid::{MultiScaleConv, Pyramid};
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
    conv: MultiScaleConv,
    enlarge: Enlarge,
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
            conv: MultiScaleConv::load(&mut weights, "head.conv", [HEAD, HEAD], channels.len())?,
            enlarge: Enlarge::load(&mut weights, "head", HEAD)?,
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
        let x = self.conv.forward(levels);
        let [_, h, w, _] = x.dims();
        let nested = read_back(self.enlarge.forward(x))?;
        Ok(ProbabilityMap { width, height, values: unnest(&nested, h, w) })
    }
}

/// The end of the head: two transposed 2×2 convolutions with stride 2, ReLU between, sigmoid after.
///
/// Their outputs do not overlap, so each is a 1×1 convolution to four pixels; the second has the same weights for each of
/// the first's four. Every pixel becomes 16 values `[dy1, dx1, dy2, dx2]`.
struct Enlarge {
    up1: Conv,
    up2: Conv,
}

impl Enlarge {
    /// Loads `{name}.up1.weight [c, c, 2, 2]` and `{name}.up2.weight [c, 1, 2, 2]`.
    fn load(weights: &mut Weights, name: &str, c: usize) -> Result<Self, VisionError> {
        let mut take = |part: &str, outputs: usize| -> Result<_, VisionError> {
            let weight = weights.take(&format!("{name}.{part}.weight"), &[c, outputs, 2, 2])?;
            Ok((weight, weights.take(&format!("{name}.{part}.bias"), &[outputs])?))
        };
        let (weight1, bias1) = take("up1", c)?;
        let (weight2, bias2) = take("up2", 1)?;
        // [in, out, position] → [position, out, in]
        let first: Vec<f32> = (0..4 * c * c).map(|i| weight1[(i % c * c + i / c % c) * 4 + i / c / c]).collect();
        // [in, position] → [position1, position2, position1', in], zero where the two positions differ
        let second: Vec<f32> = (0..16 * 4 * c)
            .map(|i| {
                let (row, source, k) = (i / (4 * c), i / c % 4, i % c);
                if row / 4 == source { weight2[k * 4 + row % 4] } else { 0.0 }
            })
            .collect();
        let conv = |weight: &[f32], bias: &[f32], geometry, activation| {
            Conv::new(weight, Some(bias), geometry, activation, weights.ops, &weights.device)
        };
        Ok(Self {
            up1: conv(&first, &bias1.repeat(4), Geometry::pointwise(c, 4 * c), Activation::Relu),
            up2: conv(&second, &bias2.repeat(16), Geometry::pointwise(4 * c, 16), Activation::Sigmoid),
        })
    }

    /// `[b, h, w, c]` → `[b, h, w, 16]`
    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        Conv::forward_pair(&self.up1, &self.up2, x)
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
