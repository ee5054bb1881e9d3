//! One decoder block: attention and MLP, each added to the residual stream, with a norm before or behind it.

use burn::tensor::{Device, Tensor, activation::relu};

use super::{EPS, OptActivation, OptConfig};
use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::int4::Precision;
use crate::nn::attention_op::attention;
use crate::nn::{FusedLinear, KvCache, LayerNorm, Linear, LoadLayers, gelu, merge_heads, split_heads};
use crate::text::{Block, BlockState};

const QKV: [&str; 3] = ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"];
const OUT: &str = "self_attn.out_proj";
const FC1: &str = "fc1";
const FC2: &str = "fc2";
/// Of attention and of the MLP.
pub(super) const NORMS: [&str; 2] = ["self_attn_layer_norm", "final_layer_norm"];

/// Names and widths `(name, in, out)` of the linear layers of every stage.
pub(super) fn stages(config: &OptConfig) -> Vec<Vec<(&'static str, usize, usize)>> {
    let (d, ffn_dim) = (config.hidden_size, config.ffn_dim);
    vec![QKV.map(|name| (name, d, d)).to_vec(), vec![(OUT, d, d)], vec![(FC1, d, ffn_dim)], vec![(FC2, ffn_dim, d)]]
}

/// One decoder block.
#[derive(Debug)]
pub struct OptBlock {
    self_attn_layer_norm: LayerNorm,
    qkv_proj: FusedLinear<3>,
    out_proj: Linear,
    final_layer_norm: LayerNorm,
    fc1: Linear,
    fc2: Linear,
    num_heads: usize,
    activation: OptActivation,
    do_layer_norm_before: bool,
}

impl OptBlock {
    /// Reads the block whose tensor names begin with `prefix` (`"model.decoder.layers.3"`), each linear layer on its own.
    ///
    /// # Errors
    /// [`CheckpointError`] if a tensor is missing, of another shape, or damaged.
    pub fn load(
        checkpoint: &Checkpoint,
        config: &OptConfig,
        prefix: &str,
        device: &Device,
    ) -> Result<Self, CheckpointError> {
        Self::load_by(FusedLinear::load_separate, checkpoint, config, prefix, device)
    }

    /// The same with q, k and v joined: faster, but these cannot be replaced one by one.
    ///
    /// # Errors
    /// As [`OptBlock::load`].
    pub fn load_fused(
        checkpoint: &Checkpoint,
        config: &OptConfig,
        prefix: &str,
        device: &Device,
    ) -> Result<Self, CheckpointError> {
        Self::load_by(FusedLinear::load_joined, checkpoint, config, prefix, device)
    }

    fn load_by(
        load_qkv: LoadLayers<3>,
        checkpoint: &Checkpoint,
        config: &OptConfig,
        prefix: &str,
        device: &Device,
    ) -> Result<Self, CheckpointError> {
        let (d, ffn_dim) = (config.hidden_size, config.ffn_dim);
        let name = |module: &str| format!("{prefix}.{module}");
        let [attention_norm, mlp_norm] = NORMS.map(|norm| LayerNorm::load(checkpoint, &name(norm), d, EPS, device));
        Ok(Self {
            self_attn_layer_norm: attention_norm?,
            qkv_proj: load_qkv(checkpoint, QKV.map(name), d, [d; 3], device)?,
            out_proj: Linear::load(checkpoint, &name(OUT), d, d, device)?,
            final_layer_norm: mlp_norm?,
            fc1: Linear::load(checkpoint, &name(FC1), d, ffn_dim, device)?,
            fc2: Linear::load(checkpoint, &name(FC2), ffn_dim, d, device)?,
            num_heads: config.num_attention_heads,
            activation: config.activation_function,
            do_layer_norm_before: config.do_layer_norm_before,
        })
    }

    /// The same with inputs of packed layers read at another precision.
    #[must_use]
    pub fn with_precision(self, precision: Precision) -> Self {
        Self {
            qkv_proj: self.qkv_proj.with_precision(precision),
            out_proj: self.out_proj.with_precision(precision),
            fc1: self.fc1.with_precision(precision),
            fc2: self.fc2.with_precision(precision),
            ..self
        }
    }

    /// Everything between the input `x` `[b, t, d]` of q, k and v and that of `out_proj`, of the same shape.
    fn attend(&self, x: Tensor<3>, cache: &mut KvCache) -> Tensor<3> {
        let offset = cache.len();
        let [q, k, v] = self.qkv_proj.forward(x).map(|x| split_heads(x, self.num_heads));
        let [k, v] = cache.append(k, v);
        merge_heads(attention(q, k, v, offset))
    }

    fn activate(&self, x: Tensor<3>) -> Tensor<3> {
        match self.activation {
            OptActivation::Relu => relu(x),
            OptActivation::Gelu => gelu(x),
        }
    }

    /// The stream `x` and what attention or MLP reads of it, behind `norm` if norms stand before them.
    fn enter(&self, norm: &LayerNorm, x: Tensor<3>) -> BlockState {
        let input = if self.do_layer_norm_before { norm.forward(x.clone()) } else { x.clone() };
        BlockState { residual: x, input }
    }

    /// The stream behind attention or MLP, normed if norms stand behind them.
    fn leave(&self, norm: &LayerNorm, x: Tensor<3>) -> Tensor<3> {
        if self.do_layer_norm_before { x } else { norm.forward(x) }
    }

    /// Bytes the linear layers take in memory.
    pub fn bytes(&self) -> usize {
        self.qkv_proj.bytes() + self.out_proj.bytes() + self.fc1.bytes() + self.fc2.bytes()
    }
}

impl Block for OptBlock {
    fn begin(&self, x: Tensor<3>) -> BlockState {
        self.enter(&self.self_attn_layer_norm, x)
    }

    fn advance(&self, stage: usize, BlockState { residual, input }: BlockState, cache: &mut KvCache) -> BlockState {
        match stage {
            0 => BlockState { residual, input: self.attend(input, cache) },
            1 => {
                let x = residual + self.out_proj.forward(input);
                self.enter(&self.final_layer_norm, self.leave(&self.self_attn_layer_norm, x))
            }
            2 => BlockState { residual, input: self.activate(self.fc1.forward(input)) },
            _ => {
                let x = residual + self.fc2.forward(input.clone());
                BlockState { residual: self.leave(&self.final_layer_norm, x), input }
            }
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
