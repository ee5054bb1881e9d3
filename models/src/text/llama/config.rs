//! `config.json` of a Llama model.

use burn::tensor::Device;
use serde::Deserialize;

use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::nn::{RopeParameters, Rotary};

/// `config.json` of a Llama model; fields and defaults as in transformers.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct LlamaConfig {
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
    /// Width of a head, `dh`; `hidden_size / num_attention_heads` if absent.
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
    /// Positions.
    #[serde(default = "default_positions")]
    pub max_position_embeddings: usize,
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
fn default_positions() -> usize {
    2048
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
        let config = Self::deserialize(&checkpoint.config).map_err(|e| CheckpointError::Config(e.to_string()))?;
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
            ("max_position_embeddings", self.max_position_embeddings),
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
        self.head_dim.unwrap_or(self.hidden_size / self.num_attention_heads.max(1))
    }

    /// Positions that can be used.
    pub fn context(&self) -> usize {
        self.max_position_embeddings.min(LARGEST_CONTEXT)
    }

    /// Rotary embedding of this model.
    pub(super) fn rotary(&self, device: &Device) -> Result<Rotary, CheckpointError> {
        let parameters = self.rope_parameters.as_ref().or(self.rope_scaling.as_ref()).cloned().unwrap_or_default();
        Rotary::new(&parameters, self.rope_theta, self.head_dim(), self.max_position_embeddings, device)
    }
}
