//! One block of the tower: attention and feed-forward layers, each behind a norm and added to the residual stream.

use burn::tensor::{Device, Tensor};

use super::SiglipVisionConfig;
use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::int4::Precision;
use crate::nn::attention_op::full_attention;
use crate::nn::{FusedLinear, KvCache, LayerNorm, Linear, LoadLayers, gelu_tanh, merge_heads, split_heads};
use crate::text::{Block, BlockState};

const QKV: [&str; 3] = ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"];
const OUT: &str = "self_attn.out_proj";
const FC1: &str = "mlp.fc1";
const FC2: &str = "mlp.fc2";
/// The norms of a block: before attention, before the feed-forward layers.
pub(super) const NORMS: [&str; 2] = ["layer_norm1", "layer_norm2"];

/// Names and widths `(name, in, out)` of the linear layers of every stage.
pub(super) fn stages(config: &SiglipVisionConfig) -> Vec<Vec<(&'static str, usize, usize)>> {
    let (d, intermediate) = (config.hidden_size, config.intermediate_size);
    vec![
        QKV.map(|name| (name, d, d)).to_vec(),
        vec![(OUT, d, d)],
        vec![(FC1, d, intermediate)],
        vec![(FC2, intermediate, d)],
    ]
}

/// One block. Its input may hold several tiles one after the other, which do not see each other.
#[derive(Debug)]
pub struct SiglipBlock {
    layer_norm1: LayerNorm,
    qkv_proj: FusedLinear<3>,
    out_proj: Linear,
    layer_norm2: LayerNorm,
    fc1: Linear,
    fc2: Linear,
    heads: usize,
    /// Positions of one tile.
    patches: usize,
}

impl SiglipBlock {
    /// Reads the block whose tensor names begin with `prefix` (`"model.vision_model.encoder.layers.3"`), each linear layer
    /// on its own.
    ///
    /// # Errors
    /// [`CheckpointError`] if a tensor is missing, of another shape, or damaged.
    pub fn load(
        checkpoint: &Checkpoint,
        config: &SiglipVisionConfig,
        prefix: &str,
        device: &Device,
    ) -> Result<Self, CheckpointError> {
        Self::load_by(FusedLinear::load_separate, checkpoint, config, prefix, device)
    }

    /// The same with q, k and v joined: faster, but these cannot be replaced one by one.
    ///
    /// # Errors
    /// As [`SiglipBlock::load`].
    pub fn load_fused(
        checkpoint: &Checkpoint,
        config: &SiglipVisionConfig,
        prefix: &str,
        device: &Device,
    ) -> Result<Self, CheckpointError> {
        Self::load_by(FusedLinear::load_joined, checkpoint, config, prefix, device)
    }

    fn load_by(
        load_qkv: LoadLayers<3>,
        checkpoint: &Checkpoint,
        config: &SiglipVisionConfig,
        prefix: &str,
        device: &Device,
    ) -> Result<Self, CheckpointError> {
        let (d, intermediate) = (config.hidden_size, config.intermediate_size);
        let name = |module: &str| format!("{prefix}.{module}");
        let [before_attention, before_mlp] = NORMS;
        let norm = |module| LayerNorm::load(checkpoint, &name(module), d, config.layer_norm_eps, device);
        Ok(Self {
            layer_norm1: norm(before_attention)?,
            qkv_proj: load_qkv(checkpoint, QKV.map(name), d, [d; 3], device)?,
            out_proj: Linear::load(checkpoint, &name(OUT), d, d, device)?,
            layer_norm2: norm(before_mlp)?,
            fc1: Linear::load(checkpoint, &name(FC1), d, intermediate, device)?,
            fc2: Linear::load(checkpoint, &name(FC2), intermediate, d, device)?,
            heads: config.num_attention_heads,
            patches: config.patches(),
        })
    }

    pub(super) fn with_precision(self, precision: Precision) -> Self {
        Self {
            qkv_proj: self.qkv_proj.with_precision(precision),
            out_proj: self.out_proj.with_precision(precision),
            fc1: self.fc1.with_precision(precision),
            fc2: self.fc2.with_precision(precision),
            ..self
        }
    }

    /// Everything between the normed input `x` `[b, t, d]` and the input of `self_attn.out_proj`, of the same shape.
    fn attend(&self, x: Tensor<3>) -> Tensor<3> {
        let [b, t, d] = x.dims();
        let tiles = x.reshape([b * t / self.patches, self.patches, d]);
        let [q, k, v] = self.qkv_proj.forward(tiles).map(|x| split_heads(x, self.heads));
        merge_heads(full_attention(q, k, v)).reshape([b, t, d])
    }

    /// Bytes the linear layers take in memory.
    pub fn bytes(&self) -> usize {
        self.qkv_proj.bytes() + self.out_proj.bytes() + self.fc1.bytes() + self.fc2.bytes()
    }
}

impl Block for SiglipBlock {
    fn begin(&self, x: Tensor<3>) -> BlockState {
        BlockState { input: self.layer_norm1.forward(x.clone()), residual: x }
    }

    fn advance(&self, stage: usize, BlockState { residual, input }: BlockState, _: &mut KvCache) -> BlockState {
        match stage {
            0 => BlockState { residual, input: self.attend(input) },
            1 => {
                let residual = residual + self.out_proj.forward(input);
                BlockState { input: self.layer_norm2.forward(residual.clone()), residual }
            }
            2 => BlockState { residual, input: gelu_tanh(self.fc1.forward(input)) },
            _ => BlockState { residual: residual + self.fc2.forward(input.clone()), input },
        }
    }

    fn stages(&self) -> usize {
        4
    }

    fn linear_mut(&mut self, name: &str) -> Option<&mut Linear> {
        match name {
            OUT => Some(&mut self.out_proj),
            FC1 => Some(&mut self.fc1),
            FC2 => Some(&mut self.fc2),
            _ => self.qkv_proj.get_mut(QKV.iter().position(|n| *n == name)?),
        }
    }
}
