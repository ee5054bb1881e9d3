//! One block of the language model: attention and MLP, each behind a norm and added to the residual stream. Rows of a picture
//! pass through the linear layers of the vision expert, all others through those of the language expert; attention joins them.

use std::ops::Range;
use std::sync::Arc;

use burn::tensor::{Device, Tensor};

use super::{CogVlmConfig, PicturePlace};
use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::int4::Precision;
use crate::nn::attention_op::attention;
use crate::nn::{FusedLinear, KvCache, Linear, LoadLayers, RmsNorm, Rotary, merge_heads, split_heads, swiglu};
use crate::text::{Block, BlockState};

pub(super) const NORMS: [&str; 2] = ["input_layernorm", "post_attention_layernorm"];

/// Names of an expert's linear layers in its block.
#[derive(Debug)]
struct Names {
    query_key_value: &'static str,
    dense: &'static str,
    gate_up: [&'static str; 2],
    down: &'static str,
}

/// In the order of stages: a stage of the vision expert before the one of the language expert that reads the same input.
static EXPERTS: [Names; 2] = [
    Names {
        query_key_value: VISION_QKV,
        dense: "self_attn.vision_expert_dense",
        gate_up: ["mlp.vision_mlp.gate_proj", "mlp.vision_mlp.up_proj"],
        down: "mlp.vision_mlp.down_proj",
    },
    Names {
        query_key_value: "self_attn.language_expert_query_key_value",
        dense: "self_attn.language_expert_dense",
        gate_up: ["mlp.language_mlp.gate_proj", "mlp.language_mlp.up_proj"],
        down: "mlp.language_mlp.down_proj",
    },
];
/// The only layer with a bias.
pub(super) const VISION_QKV: &str = "self_attn.vision_expert_query_key_value";

/// Names and widths `(name, in, out)` of the linear layers of every stage; even stages are those of the vision expert.
pub(super) fn stages(config: &CogVlmConfig) -> Vec<Vec<(&'static str, usize, usize)>> {
    let (d, intermediate) = (config.hidden_size, config.intermediate_size);
    let qkv = d + 2 * config.kv_width();
    let mut stages = Vec::new();
    stages.extend(EXPERTS.each_ref().map(|names| vec![(names.query_key_value, d, qkv)]));
    stages.extend(EXPERTS.each_ref().map(|names| vec![(names.dense, d, d)]));
    stages.extend(EXPERTS.each_ref().map(|names| names.gate_up.map(|name| (name, d, intermediate)).to_vec()));
    stages.extend(EXPERTS.each_ref().map(|names| vec![(names.down, intermediate, d)]));
    stages
}

/// The linear layers of one kind of rows.
#[derive(Debug)]
struct Expert {
    names: &'static Names,
    query_key_value: Linear,
    dense: Linear,
    gate_up_proj: FusedLinear<2>,
    down_proj: Linear,
}

impl Expert {
    fn load(
        names: &'static Names,
        load_gate_up: LoadLayers<2>,
        checkpoint: &Checkpoint,
        config: &CogVlmConfig,
        prefix: &str,
        device: &Device,
    ) -> Result<Self, CheckpointError> {
        let (d, intermediate) = (config.hidden_size, config.intermediate_size);
        let name = |module: &str| format!("{prefix}.{module}");
        let linear = |module, from, to| Linear::load(checkpoint, &name(module), from, to, device);
        Ok(Self {
            names,
            query_key_value: linear(names.query_key_value, d, d + 2 * config.kv_width())?,
            dense: linear(names.dense, d, d)?,
            gate_up_proj: load_gate_up(checkpoint, names.gate_up.map(name), d, [intermediate; 2], device)?,
            down_proj: linear(names.down, intermediate, d)?,
        })
    }

    fn with_precision(self, precision: Precision) -> Self {
        Self {
            names: self.names,
            query_key_value: self.query_key_value.with_precision(precision),
            dense: self.dense.with_precision(precision),
            gate_up_proj: self.gate_up_proj.with_precision(precision),
            down_proj: self.down_proj.with_precision(precision),
        }
    }

    /// The input of `down_proj`.
    fn inside(&self, x: Tensor<3>) -> Tensor<3> {
        let [gate, up] = self.gate_up_proj.forward(x);
        swiglu(gate, up)
    }

    fn bytes(&self) -> usize {
        self.query_key_value.bytes() + self.dense.bytes() + self.gate_up_proj.bytes() + self.down_proj.bytes()
    }

    fn linear_mut(&mut self, name: &str) -> Option<&mut Linear> {
        let Names { query_key_value, dense, gate_up, down } = self.names;
        if name == *query_key_value {
            Some(&mut self.query_key_value)
        } else if name == *dense {
            Some(&mut self.dense)
        } else if name == *down {
            Some(&mut self.down_proj)
        } else {
            self.gate_up_proj.get_mut(gate_up.iter().position(|n| *n == name)?)
        }
    }
}

/// One block.
#[derive(Debug)]
pub struct CogVlmBlock {
    input_layernorm: RmsNorm,
    post_attention_layernorm: RmsNorm,
    vision: Expert,
    language: Expert,
    head_dim: usize,
    /// Of queries, keys and values.
    widths: [usize; 3],
    rotary: Arc<Rotary>,
}

impl CogVlmBlock {
    /// Reads the block whose tensor names begin with `prefix` (`"model.layers.3"`), each linear layer on its own.
    ///
    /// # Errors
    /// [`CheckpointError`] if a tensor is missing, of another shape, or damaged.
    pub fn load(
        checkpoint: &Checkpoint,
        config: &CogVlmConfig,
        prefix: &str,
        rotary: Arc<Rotary>,
        device: &Device,
    ) -> Result<Self, CheckpointError> {
        Self::load_by(FusedLinear::load_separate, checkpoint, config, prefix, rotary, device)
    }

    /// The same with gate and up joined: faster, but these cannot be replaced one by one.
    ///
    /// # Errors
    /// As [`CogVlmBlock::load`].
    pub fn load_fused(
        checkpoint: &Checkpoint,
        config: &CogVlmConfig,
        prefix: &str,
        rotary: Arc<Rotary>,
        device: &Device,
    ) -> Result<Self, CheckpointError> {
        Self::load_by(FusedLinear::load_joined, checkpoint, config, prefix, rotary, device)
    }

    fn load_by(
        load_gate_up: LoadLayers<2>,
        checkpoint: &Checkpoint,
        config: &CogVlmConfig,
        prefix: &str,
        rotary: Arc<Rotary>,
        device: &Device,
    ) -> Result<Self, CheckpointError> {
        let d = config.hidden_size;
        let norm = |name| RmsNorm::load(checkpoint, &format!("{prefix}.{name}"), d, config.rms_norm_eps, device);
        let [input_layernorm, post_attention_layernorm] = NORMS.map(norm);
        let [vision, language] =
            EXPERTS.each_ref().map(|names| Expert::load(names, load_gate_up, checkpoint, config, prefix, device));
        Ok(Self {
            input_layernorm: input_layernorm?,
            post_attention_layernorm: post_attention_layernorm?,
            vision: vision?,
            language: language?,
            head_dim: config.head_dim(),
            widths: [d, config.kv_width(), config.kv_width()],
            rotary,
        })
    }

    /// The same with inputs of packed layers read at another precision.
    #[must_use]
    pub fn with_precision(self, precision: Precision) -> Self {
        Self {
            vision: self.vision.with_precision(precision),
            language: self.language.with_precision(precision),
            ..self
        }
    }

    /// Everything between the normed input `x` `[1, t, d]` and the input of the experts' `dense`, of the same shape.
    fn attend(&self, x: Tensor<3>, cache: &mut KvCache) -> Tensor<3> {
        let (offset, t) = (cache.len(), x.dims()[1]);
        let place = PicturePlace::new(cache.picture());
        let qkv = self.routed(x, place.expert_rows(offset, t), |expert, x| expert.query_key_value.forward(x));
        let mut end = 0;
        let [q, k, v] = self.widths.map(|width| {
            end += width;
            qkv.clone().slice_dim(2, end - width..end)
        });
        let positions = place.positions(offset, t);
        let [q, k] = [q, k].map(|x| self.rotary.forward_at(x, &positions));
        let [k, v] = cache.append(k, split_heads(v, self.widths[2] / self.head_dim));
        merge_heads(attention(q, k, v, offset))
    }

    /// `run` with the vision expert for the rows `seen` of `x` `[1, t, in]`, with the language expert for all others.
    fn routed(&self, x: Tensor<3>, seen: Range<usize>, run: impl Fn(&Expert, Tensor<3>) -> Tensor<3>) -> Tensor<3> {
        let t = x.dims()[1];
        if seen.is_empty() {
            return run(&self.language, x);
        }
        let vision = run(&self.vision, x.clone().narrow(1, seen.start, seen.len()));
        if seen.len() == t {
            return vision;
        }
        let part =
            |x: &Tensor<3>, rows: Range<usize>| (!rows.is_empty()).then(|| x.clone().narrow(1, rows.start, rows.len()));
        // Text before and behind the picture in one product: few rows cost as much as one.
        let text = [part(&x, 0..seen.start), part(&x, seen.end..t)];
        let language = run(&self.language, Tensor::cat(text.into_iter().flatten().collect(), 1));
        let all = [part(&language, 0..seen.start), Some(vision), part(&language, seen.start..t - seen.len())];
        Tensor::cat(all.into_iter().flatten().collect(), 1)
    }

    /// Rows of the vision expert among `t` that attention has already put into `cache`, or that it has not seen at all where
    /// stages run one by one.
    fn seen(cache: &KvCache, t: usize) -> Range<usize> {
        PicturePlace::new(cache.picture()).expert_rows(cache.len().saturating_sub(t), t)
    }

    /// Bytes the linear layers take in memory.
    pub fn bytes(&self) -> usize {
        self.vision.bytes() + self.language.bytes()
    }
}

impl Block for CogVlmBlock {
    fn begin(&self, x: Tensor<3>) -> BlockState {
        BlockState { input: self.input_layernorm.forward(x.clone()), residual: x }
    }

    fn advance(&self, stage: usize, state: BlockState, cache: &mut KvCache) -> BlockState {
        // The language expert's stage does the work of both.
        if stage.is_multiple_of(2) {
            return state;
        }
        let BlockState { residual, input } = state;
        let t = input.dims()[1];
        match stage {
            1 => BlockState { residual, input: self.attend(input, cache) },
            3 => {
                let out = self.routed(input, Self::seen(cache, t), |expert, x| expert.dense.forward(x));
                let residual = residual + out;
                BlockState { input: self.post_attention_layernorm.forward(residual.clone()), residual }
            }
            5 => BlockState { residual, input: self.routed(input, Self::seen(cache, t), Expert::inside) },
            _ => {
                let out = self.routed(input.clone(), Self::seen(cache, t), |expert, x| expert.down_proj.forward(x));
                BlockState { residual: residual + out, input }
            }
        }
    }

    fn stages(&self) -> usize {
        8
    }

    fn linear_mut(&mut self, name: &str) -> Option<&mut Linear> {
        let Self { vision, language, .. } = self;
        vision.linear_mut(name).or_else(|| language.linear_mut(name))
    }
}
