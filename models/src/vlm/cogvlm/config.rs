//! `config.json` of a CogVLM2.

use burn::tensor::Device;
use serde::Deserialize;
use serde_json::Value;

use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::nn::{RopeParameters, Rotary};
use crate::text::TextSizes;
use crate::vision::EvaVisionConfig;

/// `config.json` of a CogVLM2; fields as in the published checkpoint, defaults as in its `configuration_cogvlm.py`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct CogVlmConfig {
    /// Width of the language model, `d`.
    pub hidden_size: usize,
    /// Width inside its MLPs, and inside the connector's.
    pub intermediate_size: usize,
    /// Its blocks.
    pub num_hidden_layers: usize,
    /// Query heads, `h`.
    pub num_attention_heads: usize,
    /// Key and value heads, `h_kv`. The published `config.json` leaves it out.
    #[serde(default = "default_kv_heads")]
    pub num_multi_query_heads: usize,
    /// Tokens.
    pub vocab_size: usize,
    /// Added under the root of the norms.
    #[serde(default = "default_eps")]
    pub rms_norm_eps: f32,
    /// Base of the rotary frequencies, unless the checkpoint stores those; the published code knows no other.
    #[serde(default = "default_theta")]
    pub rope_theta: f64,
    /// Positions.
    #[serde(default = "default_positions")]
    pub max_position_embeddings: usize,
    /// Activation of the MLPs; only `silu` is known.
    #[serde(default = "default_act")]
    pub hidden_act: String,
    /// How a question is put: "chat", "vqa" for short answers, or "base" for nothing around it.
    #[serde(default = "default_template")]
    pub template_version: String,
    /// Begins every prompt.
    #[serde(default = "default_bos")]
    pub bos_token_id: u32,
    /// The token whose places the picture takes.
    #[serde(default = "default_pad")]
    pub pad_token_id: u32,
    /// The vision tower.
    pub vision_config: EvaVisionConfig,
}

fn default_kv_heads() -> usize {
    8
}
fn default_eps() -> f32 {
    1e-5
}
fn default_theta() -> f64 {
    500_000.0
}
fn default_positions() -> usize {
    8192
}
fn default_act() -> String {
    "silu".into()
}
fn default_template() -> String {
    "chat".into()
}
fn default_bos() -> u32 {
    128_000
}
fn default_pad() -> u32 {
    128_002
}

/// Widths beyond this are no model but a damaged or hostile file.
const LARGEST_WIDTH: usize = 1 << 20;
/// Frequencies, where a checkpoint stores them: the same in every block.
const INV_FREQ: &str = "model.layers.0.self_attn.rotary_emb.inv_freq";

impl CogVlmConfig {
    /// Whether `checkpoint` says that it is a CogVLM. It has no `model_type`.
    pub fn is_cogvlm(checkpoint: &Checkpoint) -> bool {
        let architectures = checkpoint.config.get("architectures").and_then(Value::as_array);
        architectures.is_some_and(|names| names.iter().any(|name| name == "CogVLMForCausalLM"))
    }

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
        self.vision_config.check()?;
        let widths = [
            ("hidden_size", self.hidden_size),
            ("intermediate_size", self.intermediate_size),
            ("num_hidden_layers", self.num_hidden_layers),
            ("num_attention_heads", self.num_attention_heads),
            ("num_multi_query_heads", self.num_multi_query_heads),
            ("vocab_size", self.vocab_size),
            ("max_position_embeddings", self.max_position_embeddings),
        ];
        if let Some((name, value)) = widths.iter().find(|(_, v)| !(1..=LARGEST_WIDTH).contains(v)) {
            return wrong(format!("{name} is {value}"));
        }
        let (d, h, kv) = (self.hidden_size, self.num_attention_heads, self.num_multi_query_heads);
        if !d.is_multiple_of(h) || !self.head_dim().is_multiple_of(2) {
            return wrong(format!("a width of {d} has no {h} equal heads of even width"));
        }
        if !h.is_multiple_of(kv) {
            return wrong(format!("{h} query heads cannot share {kv} key-value heads"));
        }
        let side = self.vision_config.patches_per_side();
        if !side.is_multiple_of(2) {
            return wrong(format!("{side} patches on a picture's side make no squares of two by two"));
        }
        for (name, token) in [("bos_token_id", self.bos_token_id), ("pad_token_id", self.pad_token_id)] {
            if token as usize >= self.vocab_size {
                return wrong(format!("{name} is {token}, but there are {} tokens", self.vocab_size));
            }
        }
        if self.bos_token_id == self.pad_token_id {
            return wrong(format!("bos_token_id and pad_token_id are both {}", self.bos_token_id));
        }
        if !(self.rms_norm_eps.is_finite() && self.rms_norm_eps >= 0.0) {
            return wrong(format!("rms_norm_eps is {}", self.rms_norm_eps));
        }
        if self.hidden_act != "silu" {
            return wrong(format!("hidden_act is {}, but only silu is known", self.hidden_act));
        }
        Ok(())
    }

    /// Width of a head, `dh`.
    pub fn head_dim(&self) -> usize {
        self.hidden_size / self.num_attention_heads.max(1)
    }

    /// Width of all key or all value heads.
    pub fn kv_width(&self) -> usize {
        self.num_multi_query_heads * self.head_dim()
    }

    /// Positions of a prompt that a picture takes: its squares of two by two patches between a beginning and an end.
    pub fn picture_positions(&self) -> usize {
        self.vision_config.patches() / 4 + 2
    }

    pub(super) fn sizes(&self) -> TextSizes {
        TextSizes {
            hidden_size: self.hidden_size,
            num_attention_heads: self.num_attention_heads,
            num_hidden_layers: self.num_hidden_layers,
            vocab_size: self.vocab_size,
            context: self.max_position_embeddings,
        }
    }

    /// Rotary embedding of this model. Frequencies that are stored, rounded to 16 bit in the published files, go before those
    /// that could be computed: the published code loads them too.
    pub(super) fn rotary(&self, checkpoint: &Checkpoint, device: &Device) -> Result<Rotary, CheckpointError> {
        let (dh, context) = (self.head_dim(), self.max_position_embeddings);
        match checkpoint.tensors.info(INV_FREQ) {
            Some(_) => Ok(Rotary::with_frequencies(checkpoint.tensor(INV_FREQ, &[dh / 2])?, context, device)),
            None => Rotary::new(&RopeParameters::default(), self.rope_theta, dh, context, device),
        }
    }
}
