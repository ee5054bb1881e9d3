//! One decoder block: attention and MLP, each behind a norm and added to the residual stream.

use std::sync::Arc;

use burn::tensor::{Device, Tensor};

use super::LlamaConfig;
use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::int4::Precision;
use crate::nn::attention_op::attention;
use crate::nn::{FusedLinear, KvCache, Linear, LoadLayers, RmsNorm, Rotary, merge_heads, split_heads, swiglu};
use crate::text::{Block, BlockState};

const QKV: [&str; 3] = ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"];
const O: &str = "self_attn.o_proj";
const GATE_UP: [&str; 2] = ["mlp.gate_proj", "mlp.up_proj"];
const DOWN: &str = "mlp.down_proj";
const INPUT_NORM: &str = "input_layernorm";
const POST_ATTENTION_NORM: &str = "post_attention_layernorm";
const QK_NORMS: [&str; 2] = ["self_attn.q_norm", "self_attn.k_norm"];

/// Names and widths `(name, in, out)` of the linear layers of every stage.
pub(super) fn stages(config: &LlamaConfig) -> Vec<Vec<(&'static str, usize, usize)>> {
    let Widths { d, intermediate, q, kv } = Widths::of(config);
    vec![
        vec![(QKV[0], d, q), (QKV[1], d, kv), (QKV[2], d, kv)],
        vec![(O, q, d)],
        vec![(GATE_UP[0], d, intermediate), (GATE_UP[1], d, intermediate)],
        vec![(DOWN, intermediate, d)],
    ]
}

/// Names and widths of the norms.
pub(super) fn norms(config: &LlamaConfig) -> Vec<(&'static str, usize)> {
    let mut norms = vec![(INPUT_NORM, config.hidden_size), (POST_ATTENTION_NORM, config.hidden_size)];
    if config.has_qk_norm() {
        norms.extend(QK_NORMS.map(|name| (name, config.head_dim())));
    }
    norms
}

struct Widths {
    d: usize,
    intermediate: usize,
    q: usize,
    kv: usize,
}

impl Widths {
    fn of(config: &LlamaConfig) -> Self {
        let dh = config.head_dim();
        Self {
            d: config.hidden_size,
            intermediate: config.intermediate_size,
            q: config.num_attention_heads * dh,
            kv: config.kv_heads() * dh,
        }
    }
}

/// One decoder block.
#[derive(Debug)]
pub struct LlamaBlock {
    input_layernorm: RmsNorm,
    qkv_proj: FusedLinear<3>,
    /// Of every head of queries and keys (Qwen3).
    qk_norm: Option<[RmsNorm; 2]>,
    o_proj: Linear,
    post_attention_layernorm: RmsNorm,
    gate_up_proj: FusedLinear<2>,
    down_proj: Linear,
    head_dim: usize,
    rotary: Arc<Rotary>,
}

impl LlamaBlock {
    /// Reads the block whose tensor names begin with `prefix` (`"model.layers.3"`), each linear layer on its own.
    ///
    /// # Errors
    /// [`CheckpointError`] if a tensor is missing, of another shape, or damaged.
    pub fn load(
        checkpoint: &Checkpoint,
        config: &LlamaConfig,
        prefix: &str,
        rotary: Arc<Rotary>,
        device: &Device,
    ) -> Result<Self, CheckpointError> {
        let loaders = (FusedLinear::load_separate as LoadLayers<3>, FusedLinear::load_separate as LoadLayers<2>);
        Self::load_by(loaders, checkpoint, config, prefix, rotary, device)
    }

    /// The same with q, k, v and gate, up joined: faster, but these cannot be replaced one by one.
    ///
    /// # Errors
    /// As [`LlamaBlock::load`].
    pub fn load_fused(
        checkpoint: &Checkpoint,
        config: &LlamaConfig,
        prefix: &str,
        rotary: Arc<Rotary>,
        device: &Device,
    ) -> Result<Self, CheckpointError> {
        let loaders = (FusedLinear::load_joined as LoadLayers<3>, FusedLinear::load_joined as LoadLayers<2>);
        Self::load_by(loaders, checkpoint, config, prefix, rotary, device)
    }

    fn load_by(
        (load_qkv, load_gate_up): (LoadLayers<3>, LoadLayers<2>),
        checkpoint: &Checkpoint,
        config: &LlamaConfig,
        prefix: &str,
        rotary: Arc<Rotary>,
        device: &Device,
    ) -> Result<Self, CheckpointError> {
        let Widths { d, intermediate, q, kv } = Widths::of(config);
        let name = |module: &str| format!("{prefix}.{module}");
        let norm = |module, width| RmsNorm::load(checkpoint, &name(module), width, config.rms_norm_eps, device);
        let qk_norm = match (config.has_qk_norm(), QK_NORMS) {
            (true, [q, k]) => Some([norm(q, config.head_dim())?, norm(k, config.head_dim())?]),
            (false, _) => None,
        };
        Ok(Self {
            input_layernorm: norm(INPUT_NORM, d)?,
            qkv_proj: load_qkv(checkpoint, QKV.map(name), d, [q, kv, kv], device)?,
            qk_norm,
            o_proj: Linear::load(checkpoint, &name(O), q, d, device)?,
            post_attention_layernorm: norm(POST_ATTENTION_NORM, d)?,
            gate_up_proj: load_gate_up(checkpoint, GATE_UP.map(name), d, [intermediate, intermediate], device)?,
            down_proj: Linear::load(checkpoint, &name(DOWN), intermediate, d, device)?,
            head_dim: config.head_dim(),
            rotary,
        })
    }

    /// The same with inputs of packed layers read at another precision.
    #[must_use]
    pub fn with_precision(self, precision: Precision) -> Self {
        Self {
            qkv_proj: self.qkv_proj.with_precision(precision),
            o_proj: self.o_proj.with_precision(precision),
            gate_up_proj: self.gate_up_proj.with_precision(precision),
            down_proj: self.down_proj.with_precision(precision),
            ..self
        }
    }

    /// Everything between the normed input `x` `[b, t, d]` and the input of `o_proj`, `[b, t, h * dh]`.
    fn attend(&self, x: Tensor<3>, cache: &mut KvCache) -> Tensor<3> {
        let offset = cache.len();
        let [q, k, v] = self.qkv_proj.forward(x);
        let [q, k] = match &self.qk_norm {
            Some([q_norm, k_norm]) => [self.norm_heads(q_norm, q), self.norm_heads(k_norm, k)],
            None => [q, k],
        };
        let q = self.rotary.forward(q, offset);
        let k = self.rotary.forward(k, offset);
        let [_, _, kv_width] = v.dims();
        let [k, v] = cache.append(k, split_heads(v, kv_width / self.head_dim));
        merge_heads(attention(q, k, v, offset))
    }

    /// `x` `[b, t, h * dh]`, every head normed by itself.
    fn norm_heads(&self, norm: &RmsNorm, x: Tensor<3>) -> Tensor<3> {
        let [b, t, width] = x.dims();
        norm.forward(x.reshape([b, t, width / self.head_dim, self.head_dim])).reshape([b, t, width])
    }

    /// Bytes the linear layers take in memory.
    pub fn bytes(&self) -> usize {
        self.qkv_proj.bytes() + self.o_proj.bytes() + self.gate_up_proj.bytes() + self.down_proj.bytes()
    }
}

impl Block for LlamaBlock {
    fn begin(&self, x: Tensor<3>) -> BlockState {
        BlockState { input: self.input_layernorm.forward(x.clone()), residual: x }
    }

    fn advance(&self, stage: usize, BlockState { residual, input }: BlockState, cache: &mut KvCache) -> BlockState {
        match stage {
            0 => BlockState { residual, input: self.attend(input, cache) },
            1 => {
                let residual = residual + self.o_proj.forward(input);
                BlockState { input: self.post_attention_layernorm.forward(residual.clone()), residual }
            }
            2 => {
                let [gate, up] = self.gate_up_proj.forward(input);
                BlockState { residual, input: swiglu(gate, up) }
            }
            _ => BlockState { residual: residual + self.down_proj.forward(input.clone()), input },
        }
    }

    fn stages(&self) -> usize {
        4
    }

    fn linear_mut(&mut self, name: &str) -> Option<&mut Linear> {
        match name {
            O => Some(&mut self.o_proj),
            DOWN => Some(&mut self.down_proj),
            _ => match QKV.iter().position(|n| *n == name) {
                Some(n) => self.qkv_proj.get_mut(n),
                None => self.gate_up_proj.get_mut(GATE_UP.iter().position(|n| *n == name)?),
            },
        }
    }
}
