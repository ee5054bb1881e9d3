//! PP-LCNetV4, the backbone of detector and recogniser: a stem, then four stages of [`LcNetBlock`]s.

use burn::tensor::Tensor;

use super::blocks::{LcNetBlock, LcNetBlockConfig, Stem};
use super::weights::Weights;
use crate::checkpoint::CheckpointError;

/// The backbone's sizes.
pub(super) struct LcNetConfig {
    /// Channels inside and after the stem.
    pub stem: [usize; 2],
    pub stages: &'static [StageConfig],
}

/// One stage: its first block changes channels and size, the others keep both.
pub(super) struct StageConfig {
    pub channels: usize,
    /// Stride of the first block.
    pub stride: [usize; 2],
    /// For every block, whether it has squeeze-and-excitation.
    pub squeeze: &'static [bool],
}

/// A loaded backbone.
pub(super) struct LcNet {
    stem: Stem,
    stages: Vec<Vec<LcNetBlock>>,
}

impl LcNet {
    pub fn load(weights: &mut Weights, config: &LcNetConfig) -> Result<Self, CheckpointError> {
        let [mid, out] = config.stem;
        let stem = Stem::load(weights, "backbone.stem", mid, out)?;
        let mut channels_in = out;
        let mut stages = Vec::new();
        for (s, stage) in config.stages.iter().enumerate() {
            let mut blocks = Vec::new();
            for (b, &squeeze) in stage.squeeze.iter().enumerate() {
                let stride = if b == 0 { stage.stride } else { [1, 1] };
                let block = LcNetBlockConfig { channels_in, channels_out: stage.channels, stride, squeeze };
                blocks.push(LcNetBlock::load(weights, &format!("backbone.stages.{s}.{b}"), block)?);
                channels_in = stage.channels;
            }
            stages.push(blocks);
        }
        Ok(Self { stem, stages })
    }

    /// `[b, h, w, 3]` → the output of every stage.
    pub fn forward(&self, x: Tensor<4>) -> Vec<Tensor<4>> {
        let mut x = self.stem.forward(x);
        let mut outputs = Vec::new();
        for stage in &self.stages {
            for block in stage {
                x = block.forward(x);
            }
            outputs.push(x.clone());
        }
        outputs
    }
}
