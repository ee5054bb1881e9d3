//! `config.json` of a model of the Llama family.

use burn::tensor::Device;
use serde::Deserialize;

use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::nn::{RopeParameters, Rotary};
use crate::text::TextSizes;

/// Members of the family, by `model_type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LlamaType {
    /// LLaMA, SmolLM2.
    #[default]
    Llama,
    /// Qwen2 and 2.5: biases on q, k and v.
    Qwen2,
    /// Qwen3: a norm on every head of q and k.
    Qwen3,
}

/// `config.json` of a model of the Llama family; fields and defaults as in transformers.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct LlamaConfig {
    /// Which member of the family.
    #[serde(default)]
    pub model_type: LlamaType,
    /// Width of the model, `d`.
    pub hidden_size: usize,
    /// Width inside the MLP.
    pub intermediate_size: usize,
    /// Blocks.
    pub num_hidden_layers: usize,
    /// Query heads, `h`.
    pub num_attention_heads: usize,
    /// Key and value heads, `h_kv`; as many as query heads if absent.
    pub num_key_value_heads: Option<usize>,
    /// Width of a head, `dh`; if absent, 128 for Qwen3 and `hidden_size / num_attention_heads` for others.
    pub head_dim: Option<usize>,
    /// Tokens.
    pub vocab_size: usize,
    /// Added under the root of the norms.
    #[serde(default = "default_eps")]
    pub rms_norm_eps: f32,
    /// Base of the rotary frequencies.
    #[serde(default = "default_theta")]
    pub rope_theta: f64,
    /// How rotary frequencies are stretched, as transformers 4 writes it.
    pub rope_scaling: Option<RopeParameters>,
    /// Base and stretching of rotary frequencies, as transformers 5 writes it; goes before the two fields above.
    pub rope_parameters: Option<RopeParameters>,
    /// Positions; if absent, 32,768 for Qwen and 2,048 for others.
    pub max_position_embeddings: Option<usize>,
    /// Whether the layers of attention have biases; Qwen2's q, k and v always have.
    #[serde(default)]
    pub attention_bias: bool,
    /// Whether the layers of the MLP have biases.
    #[serde(default)]
    pub mlp_bias: bool,
    /// Qwen: whether blocks from `max_window_layers` on look back on `sliding_window` positions only.
    #[serde(default)]
    pub use_sliding_window: bool,
    /// Qwen: see `use_sliding_window`.
    pub sliding_window: Option<usize>,
    /// Whether the output head is the embedding.
    #[serde(default)]
    pub tie_word_embeddings: bool,
    /// Activation of the MLP; only `silu` is known.
    #[serde(default = "default_act")]
    pub hidden_act: String,
}

fn default_eps() -> f32 {
    1e-6
}
fn default_theta() -> f64 {
    10_000.0
}
fn default_act() -> String {
    "silu".into()
}

/// Widths beyond this are no model but a damaged or hostile file.
const LARGEST_WIDTH: usize = 1 << 20;
/// Positions beyond this are not used: longer texts do not fit a laptop's cache.
const LARGEST_CONTEXT: usize = 32_768;

impl LlamaConfig {
    /// Reads the fields of a checkpoint's configuration and checks that they fit together.
    ///
    /// # Errors
    /// [`CheckpointError::Config`] says which field is wrong.
    pub fn from_checkpoint(checkpoint: &Checkpoint) -> Result<Self, CheckpointError> {
        Self::from_json(&checkpoint.config)
    }

    /// The same for the part of a configuration that is a Llama's.
    ///
    /// # Errors
    /// As [`LlamaConfig::from_checkpoint`].
    pub fn from_json(fields: &serde_json::Value) -> Result<Self, CheckpointError> {
        let config = Self::deserialize(fields).map_err(|e| CheckpointError::Config(e.to_string()))?;
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), CheckpointError> {
        let wrong = |what: String| Err(CheckpointError::Config(what));
        let widths = [
            ("hidden_size", self.hidden_size),
            ("intermediate_size", self.intermediate_size),
            ("num_hidden_layers", self.num_hidden_layers),
            ("num_attention_heads", self.num_attention_heads),
            ("num_key_value_heads", self.kv_heads()),
            ("vocab_size", self.vocab_size),
            ("max_position_embeddings", self.positions()),
            ("head_dim", self.head_dim()),
        ];
        if let Some((name, value)) = widths.iter().find(|(_, v)| !(1..=LARGEST_WIDTH).contains(v)) {
            return wrong(format!("{name} is {value}"));
        }
        if !self.num_attention_heads.is_multiple_of(self.kv_heads()) {
            let (h, kv) = (self.num_attention_heads, self.kv_heads());
            return wrong(format!("{h} query heads cannot share {kv} key-value heads"));
        }
        if !self.head_dim().is_multiple_of(2) {
            return wrong(format!("head_dim is {}, but rotary embedding needs an even width", self.head_dim()));
        }
        if !(self.rms_norm_eps.is_finite() && self.rms_norm_eps >= 0.0) {
            return wrong(format!("rms_norm_eps is {}", self.rms_norm_eps));
        }
        if self.hidden_act != "silu" {
            return wrong(format!("hidden_act is {}, but only silu is known", self.hidden_act));
        }
        Ok(())
    }

    /// Key and value heads, `h_kv`.
    pub fn kv_heads(&self) -> usize {
        self.num_key_value_heads.unwrap_or(self.num_attention_heads)
    }

    /// Width of a head, `dh`.
    pub fn head_dim(&self) -> usize {
        let absent = match self.model_type {
            LlamaType::Qwen3 => 128,
            LlamaType::Llama | LlamaType::Qwen2 => self.hidden_size / self.num_attention_heads.max(1),
        };
        self.head_dim.unwrap_or(absent)
    }

    /// `max_position_embeddings` or what its absence means.
    fn positions(&self) -> usize {
        let absent = if self.model_type == LlamaType::Llama { 2048 } else { 32_768 };
        self.max_position_embeddings.unwrap_or(absent)
    }

    /// Positions that can be used. Within a sliding window all positions see each other, so its length is the limit where
    /// there is one.
    pub fn context(&self) -> usize {
        let window = self.sliding_window.filter(|_| self.use_sliding_window).unwrap_or(usize::MAX);
        self.positions().min(LARGEST_CONTEXT).min(window.max(1))
    }

    /// Whether every head of queries and keys has a norm.
    pub fn has_qk_norm(&self) -> bool {
        self.model_type == LlamaType::Qwen3
    }

    /// Whether the linear layer of this name in a block (`"self_attn.q_proj"`) must have a bias.
    pub(super) fn has_bias(&self, module: &str) -> bool {
        match (self.model_type, module.split_once('.')) {
            (LlamaType::Qwen2, Some(("self_attn", layer))) => layer != "o_proj",
            (LlamaType::Qwen2, _) => false,
            (_, Some(("self_attn", _))) => self.attention_bias,
            _ => self.mlp_bias,
        }
    }

    pub(super) fn sizes(&self) -> TextSizes {
        TextSizes {
            hidden_size: self.hidden_size,
            num_attention_heads: self.num_attention_heads,
            num_hidden_layers: self.num_hidden_layers,
            vocab_size: self.vocab_size,
            context: self.context(),
        }
    }

    /// Rotary embedding of this model.
    pub(super) fn rotary(&self, device: &Device) -> Result<Rotary, CheckpointError> {
        let parameters = self.rope_parameters.as_ref().or(self.rope_scaling.as_ref()).cloned().unwrap_or_default();
        Rotary::new(&parameters, self.rope_theta, self.head_dim(), self.positions(), device)
    }
}
