//! The detector's feature pyramid (PaddleOCR's RepLKFPN): coarse levels inform fine ones, then each is smoothed.

use burn::tensor::Tensor;

use super::blocks::SqueezeExcite;
use super::conv::{Activation, Conv, Geometry, Ops, repeat_pixels};
use super::cpu::{Map, MultiScaleWeights};
use super::weights::Weights;
use crate::checkpoint::CheckpointError;

/// Four levels, finest first.
pub(super) struct Pyramid {
    levels: Vec<Level>,
}

/// One level: a 1×1 from the backbone, and a large depthwise kernel after the coarser level was added.
struct Level {
    lateral: Conv,
    lateral_squeeze: SqueezeExcite,
    depthwise: Conv,
    conv: Conv,
    squeeze: SqueezeExcite,
}

impl Pyramid {
    pub fn load(weights: &mut Weights, channels_in: &[usize], width: usize) -> Result<Self, CheckpointError> {
        let slope = SqueezeExcite::SLOPE_PADDLE;
        let level = |(i, &channels): (usize, &usize)| {
            let mut conv = |name: &str, geometry| Conv::load(weights, name, geometry, Activation::None);
            let lateral = conv(&format!("neck.lateral.{i}.conv"), Geometry::pointwise(channels, width))?;
            let depthwise = conv(&format!("neck.smooth.{i}.depthwise"), Geometry::depthwise(width, [7, 7], [1, 1]))?;
            let narrow = conv(&format!("neck.smooth.{i}.conv"), Geometry::pointwise(width, width / 4))?;
            Ok(Level {
                lateral,
                lateral_squeeze: SqueezeExcite::load(weights, &format!("neck.lateral.{i}.squeeze"), width, slope)?,
                depthwise,
                conv: narrow,
                squeeze: SqueezeExcite::load(weights, &format!("neck.smooth.{i}.squeeze"), width / 4, slope)?,
            })
        };
        Ok(Self { levels: channels_in.iter().enumerate().map(level).collect::<Result<_, _>>()? })
    }

    /// The backbone's four maps, each half the size of the one before → as many maps of `width / 4` channels.
    pub fn forward(&self, features: Vec<Tensor<4>>) -> Vec<Tensor<4>> {
        let mut outputs = Vec::new();
        let mut coarser: Option<Tensor<4>> = None;
        for (level, x) in self.levels.iter().zip(features).rev() {
            let mut x = level.lateral_squeeze.forward_residual(level.lateral.forward(x));
            if let Some(coarser) = coarser {
                x = level.lateral.add_upsampled(x, coarser);
            }
            let smoothed = level.conv.forward(level.depthwise.forward(x.clone()));
            outputs.push(level.squeeze.forward_residual(smoothed));
            coarser = Some(x);
        }
        outputs.reverse();
        outputs
    }
}

/// A 3×3 convolution over all levels, enlarged to the size of the finest and joined, coarsest first.
pub(super) enum MultiScaleConv {
    Burn(Conv),
    Cpu(MultiScaleWeights),
}

impl MultiScaleConv {
    /// Loads `{name}.weight [out, levels · in, 3, 3]`; a ReLU follows.
    pub fn load(
        weights: &mut Weights,
        name: &str,
        [channels_in, channels_out]: [usize; 2],
        levels: usize,
    ) -> Result<Self, CheckpointError> {
        let geometry = Geometry::dense(levels * channels_in, channels_out, 3, [1, 1]);
        if weights.ops == Ops::Burn {
            return Ok(Self::Burn(Conv::load(weights, name, geometry, Activation::Relu)?));
        }
        let weight = weights.take(&format!("{name}.weight"), &[channels_out, levels * channels_in, 3, 3])?;
        let bias = weights.take(&format!("{name}.bias"), &[channels_out])?;
        Ok(Self::Cpu(MultiScaleWeights::pack(&weight, Some(&bias), geometry, levels)))
    }

    /// Maps `[b, h >> i, w >> i, in]`, finest first → `[b, h, w, out]`.
    pub fn forward(&self, levels: Vec<Tensor<4>>) -> Tensor<4> {
        match self {
            Self::Cpu(weights) => {
                let maps: Vec<Map> = levels.into_iter().map(Map::from_tensor).collect();
                weights.forward(&maps, Activation::Relu).into_tensor()
            }
            Self::Burn(conv) => {
                let enlarged = levels.into_iter().enumerate().rev().map(|(i, x)| repeat_pixels(x, 1 << i)).collect();
                conv.forward(Tensor::cat(enlarged, 3))
            }
        }
    }
}
