//! One block of the tower: attention and feed-forward layers, what comes out of each normed and added to the residual stream.

use burn::tensor::{Device, Tensor};

use super::EvaVisionConfig;
use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::int4::Precision;
use crate::nn::attention_op::full_attention;
use crate::nn::{KvCache, LayerNorm, Linear, gelu, merge_heads, split_heads};
use crate::text::{Block, BlockState};

const QKV: &str = "attention.query_key_value";
const DENSE: &str = "attention.dense";
const FC1: &str = "mlp.fc1";
const FC2: &str = "mlp.fc2";
/// Behind attention and behind the feed-forward layers.
pub(super) const NORMS: [&str; 2] = ["input_layernorm", "post_attention_layernorm"];

/// Names and widths `(name, in, out)` of the linear layers of every stage.
pub(super) fn stages(config: &EvaVisionConfig) -> Vec<Vec<(&'static str, usize, usize)>> {
    let (d, intermediate) = (config.hidden_size, config.intermediate_size);
    vec![vec![(QKV, d, 3 * d)], vec![(DENSE, d, d)], vec![(FC1, d, intermediate)], vec![(FC2, intermediate, d)]]
}

/// One block.
#[derive(Debug)]
pub struct EvaBlock {
    query_key_value: Linear,
    dense: Linear,
    input_layernorm: LayerNorm,
    fc1: Linear,
    fc2: Linear,
    post_attention_layernorm: LayerNorm,
    heads: usize,
}

impl EvaBlock {
    /// Reads the block whose tensor names begin with `prefix` (`"model.vision.transformer.layers.3"`).
    ///
    /// # Errors
    /// [`CheckpointError`] if a tensor is missing, of another shape, or damaged.
    pub fn load(
        checkpoint: &Checkpoint,
        config: &EvaVisionConfig,
        prefix: &str,
        device: &Device,
    ) -> Result<Self, CheckpointError> {
        let (d, intermediate) = (config.hidden_size, config.intermediate_size);
        let name = |module: &str| format!("{prefix}.{module}");
        let linear = |module, from, to| Linear::load(checkpoint, &name(module), from, to, device);
        let norm = |module| LayerNorm::load(checkpoint, &name(module), d, config.layer_norm_eps, device);
        let [input_layernorm, post_attention_layernorm] = NORMS.map(norm);
        Ok(Self {
            query_key_value: linear(QKV, d, 3 * d)?,
            dense: linear(DENSE, d, d)?,
            input_layernorm: input_layernorm?,
            fc1: linear(FC1, d, intermediate)?,
            fc2: linear(FC2, intermediate, d)?,
            post_attention_layernorm: post_attention_layernorm?,
            heads: config.num_heads,
        })
    }

    pub(super) fn with_precision(self, precision: Precision) -> Self {
        Self {
            query_key_value: self.query_key_value.with_precision(precision),
            dense: self.dense.with_precision(precision),
            fc1: self.fc1.with_precision(precision),
            fc2: self.fc2.with_precision(precision),
            ..self
        }
    }

    /// Everything between the input `x` `[b, t, d]` and that of `attention.dense`, of the same shape.
    fn attend(&self, x: Tensor<3>) -> Tensor<3> {
        let d = x.dims()[2];
        let qkv = self.query_key_value.forward(x);
        let [q, k, v] = [0, 1, 2].map(|n| split_heads(qkv.clone().slice_dim(2, n * d..(n + 1) * d), self.heads));
        merge_heads(full_attention(q, k, v))
    }

    /// Bytes the linear layers take in memory.
    pub fn bytes(&self) -> usize {
        [&self.query_key_value, &self.dense, &self.fc1, &self.fc2].into_iter().map(Linear::bytes).sum()
    }
}

impl Block for EvaBlock {
    fn begin(&self, x: Tensor<3>) -> BlockState {
        BlockState { input: x.clone(), residual: x }
    }

    fn advance(&self, stage: usize, BlockState { residual, input }: BlockState, _: &mut KvCache) -> BlockState {
        match stage {
            0 => BlockState { residual, input: self.attend(input) },
            1 => {
                let x = residual + self.input_layernorm.forward(self.dense.forward(input));
                BlockState { input: x.clone(), residual: x }
            }
            2 => BlockState { residual, input: gelu(self.fc1.forward(input)) },
            _ => {
                let out = self.post_attention_layernorm.forward(self.fc2.forward(input.clone()));
                BlockState { residual: residual + out, input }
            }
        }
    }

    fn stages(&self) -> usize {
        4
    }

    fn linear_mut(&mut self, name: &str) -> Option<&mut Linear> {
        match name {
            QKV => Some(&mut self.query_key_value),
            DENSE => Some(&mut self.dense),
            FC1 => Some(&mut self.fc1),
            FC2 => Some(&mut self.fc2),
            _ => None,
        }
    }
}
