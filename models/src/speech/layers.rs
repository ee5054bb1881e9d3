//! What the encoder's and the decoder's blocks share: attention to one sound, and the feed-forward half of a block.

use burn::tensor::{Device, Tensor};

use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::int4::Precision;
use crate::nn::attention_op::full_attention;
use crate::nn::{LayerNorm, Linear, gelu, merge_heads, split_heads};

/// Added under the root of every norm.
pub(super) const EPS: f64 = 1e-5;

/// Attention of `q` `[b, t, d]` to all of `k` and `v` `[1, h, s, dh]`, which the whole batch shares: its rows are queries
/// like any others. Returns `[b, t, d]`.
pub(super) fn attend_shared(q: Tensor<3>, [k, v]: [Tensor<4>; 2]) -> Tensor<3> {
    let [b, t, d] = q.dims();
    let [_, h, _, _] = k.dims();
    let q = split_heads(q.reshape([1, b * t, d]), h);
    merge_heads(full_attention(q, k, v)).reshape([b, t, d])
}

/// `x + fc2(gelu(fc1(norm(x))))`.
#[derive(Debug)]
pub(super) struct FeedForward {
    pub(super) norm: LayerNorm,
    pub(super) fc1: Linear,
    pub(super) fc2: Linear,
}

impl FeedForward {
    pub(super) fn load(
        checkpoint: &Checkpoint,
        prefix: &str,
        d: usize,
        ffn_dim: usize,
        device: &Device,
    ) -> Result<Self, CheckpointError> {
        Ok(Self {
            norm: LayerNorm::load(checkpoint, &format!("{prefix}.final_layer_norm"), d, EPS, device)?,
            fc1: Linear::load(checkpoint, &format!("{prefix}.fc1"), d, ffn_dim, device)?,
            fc2: Linear::load(checkpoint, &format!("{prefix}.fc2"), ffn_dim, d, device)?,
        })
    }

    /// `x` `[b, t, d]`, same shape out.
    pub(super) fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let inner = gelu(self.fc1.forward(self.norm.forward(x.clone())));
        x + self.fc2.forward(inner)
    }

    pub(super) fn with_precision(self, precision: Precision) -> Self {
        let Self { norm, fc1, fc2 } = self;
        Self { norm, fc1: fc1.with_precision(precision), fc2: fc2.with_precision(precision) }
    }

    /// Bytes the weights take in memory.
    pub(super) fn bytes(&self) -> usize {
        self.fc1.bytes() + self.fc2.bytes()
    }
}
